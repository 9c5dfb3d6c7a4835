package sigma_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"wardwatch/watch/detect/sigma"
)

// One line of a map and the tree that it must become. Texts are folded, because nothing but cased tells letters apart.
func TestModifiers(t *testing.T) {
	lists := map[string][]string{
		"Servers": {"SRV*", "db01"}, "nobody": {}, "nets": {"192.0.2.0/24", "2001:db8::/32"}, "a.b": {`x\y`},
	}
	for _, v := range []struct{ item, want string }{
		// plain values
		{`F: Whoami`, `F = "whoami"`},
		{`F: 4624`, `F = "4624"`},
		{`F: 0x10`, `F = "16"`},
		{`F: 1.50`, `F = "1.50"`},
		{`F: true`, `F = "true"`},
		{`F: True`, `F = "true"`},
		{`F: 'True'`, `F = "true"`},
		{`F: yes`, `F = "yes"`},
		{`F: 2025-05-13`, `F = "2025-05-13"`},
		{`F: null`, `F absent`},
		{`F:`, `F absent`},
		{`F: ''`, `F = ""`},
		{`F: [null, '']`, `or(F absent, F = "")`},
		{`F: [a, 'B']`, `or(F = "a", F = "b")`},
		{`F: ÄÖ`, `F = "äö"`},
		{`F with blanks: a`, `F with blanks = "a"`},
		// wildcards and escapes: a backslash is one unless a wildcard or a backslash follows
		{`F: a*`, `F startswith "a"`},
		{`F: '*a'`, `F endswith "a"`},
		{`F: '*a*'`, `F contains "a"`},
		{`F: '*'`, `F contains ""`},
		{`F: '**'`, `F contains ""`},
		{`F: '?'`, `F like ?`},
		{`F: 'a?c*d'`, `F like "a" ? "c" * "d"`},
		{`F: 'a**b'`, `F like "a" * "b"`},
		{`F: 'C:\Windows\x'`, `F = "c:\\windows\\x"`},
		{`F: 'C:\\Windows'`, `F = "c:\\windows"`},
		{`F: 'a\*b'`, `F = "a*b"`},
		{`F: 'a\?b'`, `F = "a?b"`},
		{`F: 'a\\*b'`, `F like "a\\" * "b"`},
		{`F: 'a\\\*b'`, `F = "a\\*b"`},
		{`F: 'a\\\\b'`, `F = "a\\\\b"`},
		{`F: 'a\\\b'`, `F = "a\\\\b"`},
		{`F: 'a\'`, `F = "a\\"`},
		{`F: '\*'`, `F = "*"`},
		// where the value stands
		{`F|contains: A`, `F contains "a"`},
		{`F|contains: 'a*b'`, `F like * "a" * "b" *`},
		{`F|contains: 'a?b'`, `F like * "a" ? "b" *`},
		{`F|contains: '*a'`, `F contains "a"`},
		{`F|contains: ''`, `F contains ""`},
		{`F|contains: 'a\*'`, `F contains "a*"`},
		{`F|startswith: 'a*b'`, `F like "a" * "b" *`},
		{`F|startswith: A`, `F startswith "a"`},
		{`F|startswith: '*a'`, `F contains "a"`},
		{`F|endswith: \Cmd.exe`, `F endswith "\\cmd.exe"`},
		{`F|endswith: '\\cmd.exe'`, `F endswith "\\cmd.exe"`},
		{`F|endswith: 'a*'`, `F contains "a"`},
		{`F|contains: [a, b]`, `or(F contains "a", F contains "b")`},
		{`F|contains|all: [a, b]`, `and(F contains "a", F contains "b")`},
		{`F|all|contains: [a, b]`, `and(F contains "a", F contains "b")`},
		{`F|all: ['*a', 'b*']`, `and(F endswith "a", F startswith "b")`},
		{`F|contains|all: a`, `F contains "a"`},
		// letters
		{`F|cased: Whoami`, `F = "Whoami" cased`},
		{`F|cased|contains: 'A*B'`, `F like * "A" * "B" * cased`},
		{`F|endswith|cased: [A, b]`, `or(F endswith "A" cased, F endswith "b" cased)`},
		// existence
		{`F|exists: true`, `F exists`},
		{`F|exists: false`, `not(F exists)`},
		{`F|exists: 'no'`, `not(F exists)`},
		// regular expressions
		{`F|re: 'A.*b'`, `F re A.*b`},
		{`F|re: '\\[0-9a-f]{8}\.tmp$'`, `F re \\[0-9a-f]{8}\.tmp$`},
		{`F|re|i: a`, `F re (?i)a`},
		{`F|re|i|m|s: a`, `F re (?ims)a`},
		{`F|re|ignorecase|dotall: a`, `F re (?is)a`},
		{`F|re: [a, b]`, `or(F re a, F re b)`},
		{`F|re|all: [a, b]`, `and(F re a, F re b)`},
		{`F|re|contains: 'a|b'`, `F re (?:a|b)`},
		{`F|re|startswith: 'a|b'`, `F re \A(?:a|b)`},
		{`F|re|endswith|i: 'a|b'`, `F re (?i)(?:a|b)\z`},
		// addresses
		{`F|cidr: 10.0.0.0/8`, `F within 10.0.0.0/8`},
		{`F|cidr: 192.0.2.77/24`, `F within 192.0.2.0/24`},
		{`F|cidr: 192.0.2.1`, `F within 192.0.2.1/32`},
		{`F|cidr: '2001:DB8::/32'`, `F within 2001:db8::/32`},
		{`F|cidr: '::1'`, `F within ::1/128`},
		{`F|cidr: '::ffff:192.0.2.0/120'`, `F within 192.0.2.0/24`},
		{`F|cidr: '::/0'`, `F within ::/0`},
		{`F|cidr: [192.0.2.0/24, '2001:db8::/32']`, `or(F within 192.0.2.0/24, F within 2001:db8::/32)`},
		// numbers and times
		{`F|gt: 5`, `F > 5`},
		{`F|gte: -5`, `F >= -5`},
		{`F|lt: 1.5`, `F < 1.5`},
		{`F|lte: '5'`, `F <= 5`},
		{`F|minute: 59`, `F at minute 59`},
		{`F|hour: 0`, `F at hour 0`},
		{`F|day: 31`, `F at day 31`},
		{`F|week: 53`, `F at week 53`},
		{`F|month: [1, 12]`, `or(F at month 1, F at month 12)`},
		{`F|year: 2025`, `F at year 2025`},
		{`F|hour|gte: 22`, `or(F at hour 22, F at hour 23)`},
		{`F|hour|lt: 2`, `or(F at hour 0, F at hour 1)`},
		{`F|hour|lte: 0`, `or(F at hour 0)`},
		{`F|hour|gt: 23`, `or()`},
		// not equal: as if the item stood in a selection under not, which a record without the field fulfils too
		{`F|neq: a`, `not(F = "a")`},
		{`F|neq: 5`, `not(F = "5")`},
		{`F|neq: [a, b]`, `not(or(F = "a", F = "b"))`},
		{`F|contains|neq: a`, `not(F contains "a")`},
		{`F|neq: null`, `not(F absent)`},
		{`F|fieldref|neq: G`, `not(F same as G)`},
		// other fields
		{`F|fieldref: G`, `F same as G`},
		{`F|fieldref: [G, H]`, `or(F same as G, F same as H)`},
		{`F|fieldref|contains: G`, `F contains field G`},
		{`F|startswith|fieldref: G`, `F startswith field G`},
		{`F|fieldref|endswith|cased: G`, `F endswith field G cased`},
		// encodings
		{`F|base64: foobar`, `F = "zm9vymfy"`},
		{`F|base64|cased: foobar`, `F = "Zm9vYmFy" cased`},
		{`F|base64|contains|cased: 'a\*b'`, `F contains "YSpi" cased`},
		{`F|wide|cased: ab`, `F = "a\x00b\x00" cased`},
		{`F|utf16le|cased: 'é€'`, `F = "\xe9\x00\xac " cased`},
		{`F|utf16be|cased: ab`, `F = "\x00a\x00b" cased`},
		{`F|utf16|cased: ab`, `F = "\xff\xfea\x00b\x00" cased`},
		{`F|wide|contains|cased: 'a*b'`, `F like * "a\x00" * "b\x00" * cased`},
		{`F|wide|base64|cased: ab`, `F = "YQBiAA==" cased`},
		{`F|utf16|base64|cased: ab`, `F = "//5hAGIA" cased`},
		{`F|base64offset|contains|cased: foobar`, `or(F contains "Zm9vYmFy" cased, F contains "Zvb2Jhc" cased, F contains "mb29iYX" cased)`},
		{`F|base64offset|contains|cased: fooba`, `or(F contains "Zm9vYm" cased, F contains "Zvb2Jh" cased, F contains "mb29iY" cased)`},
		{`F|base64offset|contains|cased: foob`, `or(F contains "Zm9vY" cased, F contains "Zvb2" cased, F contains "mb29i" cased)`},
		// value lists
		{`F|expand: '%Servers%'`, `or(F startswith "srv", F = "db01")`},
		{`F|expand: '%SERVERS%'`, `or(F startswith "srv", F = "db01")`},
		{`F|contains|expand: '%Servers%'`, `or(F contains "srv", F contains "db01")`},
		{`F|expand: '\\%Servers%.example'`, `F = "\\%servers%.example"`},
		{`F|expand: 'x-%Servers%.example'`, `or(F like "x-srv" * ".example", F = "x-db01.example")`},
		{`F|expand: '%a.b%%a.b%'`, `F = "x\\yx\\y"`},
		{`F|expand: '100%'`, `F = "100%"`},
		{`F|expand: '\%Servers%'`, `F = "%servers%"`},
		{`F|expand: '%nobody%'`, `or()`},
		{`F|expand|cidr: '%nets%'`, `or(F within 192.0.2.0/24, F within 2001:db8::/32)`},
		{`F|re|expand: '^%a.b%$'`, `F re ^(?:x\\y)$`},
		{`F: '%Servers%'`, `F = "%servers%"`},
		// keywords
		{`'|all': [a, 'b*c']`, `and(any field contains "a", any field like * "b" * "c" *)`},
		{`'': [a, b]`, `or(any field contains "a", any field contains "b")`},
		{`'|re': 'x.y'`, `any field re x.y`},
		{`'|startswith': a`, `any field startswith "a"`},
		{`'|base64offset|contains|cased': foob`, `or(any field contains "Zm9vY" cased, any field contains "Zvb2" cased, any field contains "mb29i" cased)`},
	} {
		t.Run(v.item, func(t *testing.T) {
			set := loaded(t, sigma.Options{Lists: lists}, rule("selection:\n    "+v.item+"\ncondition: selection"))
			if got := show(set.Rules[0].Condition); got != v.want {
				t.Errorf("got  %s\nwant %s", got, v.want)
			}
		})
	}
}

// Whatever stands around a text, one of its three encodings is in the encoding of the whole, and no more of it than is certain.
func TestBase64OffsetInEverySurrounding(t *testing.T) {
	for size := 2; size <= 12; size++ {
		secret := "Invoke-Mimik"[:size]
		set := loaded(t, sigma.Options{}, rule(fmt.Sprintf("selection:\n    F|base64offset|contains|cased: '%s'\ncondition: selection", secret)))
		var literals []string
		sigma.Walk(set.Rules[0].Condition, func(p *sigma.Predicate) { literals = append(literals, p.Literal) })
		if len(literals) != 3 {
			t.Errorf("%q has %d encodings, want 3: %q", secret, len(literals), literals)
		}
		for before := range 7 {
			for after := range 7 {
				for _, around := range []string{"\x00", "\xff", "k"} {
					text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(around, before) + secret + strings.Repeat(around, after)))
					if !slices.ContainsFunc(literals, func(l string) bool { return strings.Contains(text, l) }) {
						t.Errorf("%q after %d and before %d of %q: none of %q is in %s", secret, before, after, around, literals, text)
					}
				}
			}
		}
	}
}

func TestWideIsWhatWindowsWrites(t *testing.T) {
	const text = "Grüße 𝛼"
	set := loaded(t, sigma.Options{}, rule("selection:\n    F|wide|base64|cased: "+text+"\ncondition: selection"))
	var bytes []byte
	for _, u := range utf16.Encode([]rune(text)) {
		bytes = append(bytes, byte(u), byte(u>>8))
	}
	want := fmt.Sprintf("F = %q cased", base64.StdEncoding.EncodeToString(bytes))
	if got := show(set.Rules[0].Condition); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWindashIsEveryPermutation(t *testing.T) {
	dashes := []string{"-", "/", "–", "—", "―"}
	for _, written := range []string{" -a /b", " /a –b", " ―a —b"} {
		set := loaded(t, sigma.Options{}, rule("selection:\n    F|windash|contains: '"+written+"'\ncondition: selection"))
		var got, want []string
		sigma.Walk(set.Rules[0].Condition, func(p *sigma.Predicate) {
			if p.Op != sigma.Contains {
				t.Errorf("%s", show(p))
			}
			got = append(got, p.Literal)
		})
		for _, first := range dashes {
			for _, second := range dashes {
				want = append(want, " "+first+"a "+second+"b")
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", written, got, want)
		}
	}
	for _, v := range []struct{ item, want string }{
		{`F|windash: plain`, `F = "plain"`},
		{`F|windash|endswith: 'a*'`, `F contains "a"`},
		{`F|contains|windash|cased: '*X'`, `F contains "X" cased`},
	} {
		set := loaded(t, sigma.Options{}, rule("selection:\n    "+v.item+"\ncondition: selection"))
		if got := show(set.Rules[0].Condition); got != v.want {
			t.Errorf("%s: got %s, want %s", v.item, got, v.want)
		}
	}
}

// More dashes than can be written out become a regular expression of the same meaning.
func TestWindashOfManyDashes(t *testing.T) {
	set := loaded(t, sigma.Options{}, rule("selection:\n    F|windash|contains: '--Kb --c? -d'\ncondition: selection"))
	p, ok := set.Rules[0].Condition.(*sigma.Predicate)
	if !ok || p.Op != sigma.Matches {
		t.Fatalf("got %s", show(set.Rules[0].Condition))
	}
	for text, want := range map[string]bool{
		"x --kB --cx -d y":    true,
		"x —–kb /-c\n ―d":     true,
		"x —–kb /-c ―d":       false, // nothing where one character must be
		"x --kb --cx d":       false,
		"x --\u212ab --cx -d": false, // the Kelvin sign is no k to watch.Fold
	} {
		if got := p.Regexp.MatchString(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	set = loaded(t, sigma.Options{}, rule("selection:\n    F|windash|cased: '-----K*'\ncondition: selection"))
	re := set.Rules[0].Condition.(*sigma.Predicate).Regexp
	if !re.MatchString("-/–—―K and more") || re.MatchString("-/–—―k") || re.MatchString(" -/–—―K") {
		t.Errorf("got %s", re)
	}
}

func TestUnreadableItems(t *testing.T) {
	for _, v := range []struct{ item, reason string }{
		{`F|containz: a`, `unknown modifier "containz"`},
		{`F|: a`, `unknown modifier ""`},
		{`F|i: a`, `modifier "i" is a flag of re`},
		{`F|contains|startswith: a`, `"startswith" beside another`},
		{`F|re|cidr: a`, `"cidr" beside another`},
		{`F|gt|lt: 5`, `"lt" beside another`},
		{`F|exists|contains: true`, `mean nothing`},
		{`F|cidr|cased: 10.0.0.0/8`, `cased beside`},
		{`F|base64|re: a`, `changes texts beside`},
		{`F|gt|expand: 5`, `expand beside`},
		{`F|base64: 'a*'`, `wildcards`},
		{`F|base64offset: 'a?'`, `wildcards`},
		{`F|base64offset: ''`, `two bytes`},
		{`F|base64offset: a`, `two bytes`},
		{`F|exists: maybe`, `neither true nor false`},
		{`F|cidr: 10.0.0.0/33`, `no address range`},
		{`F|cidr: 192.168.*`, `no address range`},
		{`F|cidr: 'fe80::1%eth0'`, `no address range`},
		{`F|gt: many`, `no number`},
		{`F|gt: .inf`, `no number`},
		{`F|gt: nan`, `no number`},
		{`F|hour: 24`, `not within 0 and 23`},
		{`F|month: 0`, `not within 1 and 12`},
		{`F|day: noon`, `no whole number`},
		{`F|contains: null`, `null`},
		{`F|contains: [a, null]`, `null`},
		{`F|fieldref: ' '`, `without a field`},
		{"F: '" + strings.Repeat("a*", 40) + "'", `40 wildcards`},
		{`F: []`, `no values`},
		{`F: {a: b}`, `a map where a value is expected`},
		{`F: [[a]]`, `a list where a value is expected`},
		{`F|expand: '%unknown_list%'`, `no value list for placeholder "unknown_list"`},
		{`F|re|expand: '%unknown_list%'`, `no value list for placeholder "unknown_list"`},
		{`F|windash|base64: '-----'`, `windash: 5 dashes`},
		{`'|cidr': 10.0.0.0/8`, `needs a field`},
		{`'|exists': true`, `needs a field`},
		{`'': ''`, `empty keyword`},
		{`'|all': [a, null]`, `null`},
		{`F|re: '(?=a)b'`, `look-ahead`},
		{`F|re: 'a(?!b)'`, `look-ahead`},
		{`F|re: '(?<=a)b'`, `look-behind`},
		{`F|re: '(?<!a)b'`, `look-behind`},
		{`F|re: '(?>a+)b'`, `atomic group`},
		{`F|re: '(a)\1'`, `backreference`},
		{`F|re: '(?P<x>a)(?P=x)'`, `backreference`},
		{`F|re: '(?<x>a)\k<x>'`, `backreference`},
		{`F|re: 'a++b'`, `possessive`},
		{`F|re: 'a{1001}'`, `re: `},
		{`F|re: '((a{100}){100}){100}'`, `re: `},
		{`F|re: '(.{0,500}x){0,500}'`, `re: `},
		{`F|re: '(a'`, `missing closing )`},
		{`F|re: '[z-a]'`, `re: `},
	} {
		t.Run(v.item, func(t *testing.T) {
			if got := refused(t, rule("selection:\n    "+v.item+"\ncondition: selection")); !strings.Contains(got, v.reason) || !strings.HasPrefix(got, "selection: ") {
				t.Errorf("refused because %q, want %q", got, v.reason)
			}
		})
	}
}
