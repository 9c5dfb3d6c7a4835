package sigma_test

import (
	"strings"
	"testing"

	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// Rules as they are written, held against records by both engines: what the language says is what happens. A record is
// written as F=value; G=value, where F alone is a null.
func TestWhatRulesMean(t *testing.T) {
	for _, v := range []struct {
		name, detection string
		holds, fails    []string
	}{
		{"case", "s: {F: WhoAmI}\ncondition: s", []string{"F=whoami", "F=WHOAMI", "f=x; F=whoami"}, []string{"F=whoami.exe", "G=whoami", ""}},
		{"letters beyond ASCII", "s: {F|contains: ÄÖ}\ncondition: s", []string{"F=xäöx", "F=ÄÖ"}, []string{"F=ao"}},
		{"cased", "s: {F|contains|cased: AdM}\ncondition: s", []string{"F=xAdMx"}, []string{"F=admin", "F=ADMIN"}},
		{"cased pattern", "s: {F|cased: 'A*z'}\ncondition: s", []string{"F=AbcZz"}, []string{"F=abcz", "F=AbcZ"}},
		{"names of fields", "s: {Initiating Process: x}\ncondition: s", []string{"InitiatingProcess=x", "initiating process=x"}, []string{"Initiating_Process=x"}},
		{"a backslash before a letter", `s: {F: 'C:\Windows\n'}` + "\ncondition: s", []string{`F=c:\windows\n`}, []string{"F=c:windowsn", "F=c:\\windows\n"}},
		{"a doubled backslash", `s: {F: '\\\\srv\share'}` + "\ncondition: s", []string{`F=\\srv\share`}, []string{`F=\srv\share`, `F=\\\\srv\share`}},
		{"an escaped wildcard", `s: {F|contains: '\*'}` + "\ncondition: s", []string{"F=a*b"}, []string{"F=ab"}},
		{"a backslash before a wildcard", `s: {F: 'C:\\*'}` + "\ncondition: s", []string{`F=C:\`, `F=c:\x`}, []string{"F=c:*", "F=c:x"}},
		{"wildcards inside contains", "s: {F|contains: 'net * user?'}\ncondition: s", []string{"F=x net  user1", "F=net a b users"}, []string{"F=net user1", "F=net  user"}},
		{"wildcards inside endswith", "s: {F|endswith: '\\a?.exe'}\ncondition: s", []string{`F=C:\ab.exe`, `F=\a\aß.exe`}, []string{`F=\a.exe`, `F=\abc.exe`}},
		{"a question mark is one character", "s: {F: 'a?c'}\ncondition: s", []string{"F=abc", "F=aéc", "F=a\U0001d6fcc"}, []string{"F=ac", "F=abbc"}},
		{"a star alone", "s: {F: '*'}\ncondition: s", []string{"F=", "F=x"}, []string{"F", "", "G=x"}},
		{"a missing field under not", "s: {F: x}\ncondition: not s", []string{"G=x", "F", "F=y", ""}, []string{"F=x"}},
		{"neq of a missing field", "s: {F|neq: [x, y]}\ncondition: s", []string{"G=x", "F=z"}, []string{"F=x", "F=Y"}},
		{"neq of numbers", "s: {F|neq: 5}\ncondition: s", []string{"F=6"}, []string{"F=5"}},
		{"null", "s: {F: null}\ncondition: s", []string{"F", "G=x", ""}, []string{"F=", "F=x", "F=null"}},
		{"empty", "s: {F: ''}\ncondition: s", []string{"F="}, []string{"F", "G=x", "F= "}},
		{"null or empty", "s: {F: [null, '']}\ncondition: s", []string{"F=", "F", ""}, []string{"F=x"}},
		{"not null", "s: {G: x}\nn: {F: null}\ncondition: s and not n", []string{"G=x; F="}, []string{"G=x", "G=x; F"}},
		{"exists", "s: {F|exists: true}\ncondition: s", []string{"F", "F=", "F=x"}, []string{"G=x", ""}},
		{"does not exist", "s: {F|exists: false}\ncondition: s", []string{"G=x", ""}, []string{"F", "F="}},
		{"several values", "s: {F|contains|all: [a, b]}\ncondition: s", []string{"F=ab", "F=a; F=b"}, []string{"F=a", "F=a; G=b"}},
		{"several values under not", "s: {F: a}\ncondition: not s", []string{"F=b; F=c"}, []string{"F=b; F=a"}},
		{"keywords", "k: [evil, 'mimi*tz']\ncondition: k", []string{"X=an EVIL service", "A=x; B=a mimikatz b"}, []string{"evil=x", "A=mimi; B=tz"}},
		{"all keywords", "k: {'|all': [one, two]}\ncondition: k", []string{"A=xone; B=two", "A=two one"}, []string{"A=one", "one=two"}},
		{"five dashes", "s: {F|windash|contains: ' -s '}\ncondition: s", []string{"F=x -s y", "F=x /S y", "F=x –s y", "F=x —s y", "F=x ―s y"}, []string{"F=x s y", "F=x −s y"}},
		{"dashes mixed", "s: {F|contains|windash: ' -a -b'}\ncondition: s", []string{"F=x —a /b", "F=x /a ―b"}, []string{"F=x —a b"}},
		{"more dashes than are written out", "s: {F|windash: '-a -b -c -d -E'}\ncondition: s", []string{"F=—A /b –c ―d -e"}, []string{"F=—a /b –c ―d e", "F=x—a /b –c ―d -e"}},
		{
			"base64 at any place", "s: {F|wide|base64offset|contains: 'http://'}\ncondition: s",
			[]string{"F=aAB0AHQAcAA6AC8ALwB4AA==", "F=eABoAHQAdABwADoALwAvAHkAegA=", "F=AAAAaAB0AHQAcAA6AC8ALwA="}, []string{"F=http://", "F=aHR0cDovLw=="},
		},
		{"networks", "s: {F|cidr: [192.0.2.0/24, '2001:db8::/32']}\ncondition: s", []string{"F=192.0.2.200", "F=::ffff:192.0.2.1", "F=2001:DB8:0:0::1"}, []string{"F=192.0.3.1", "F=2001:db9::1", "F=192.0.2.1:443", "F=x", ""}},
		{"a network written as IPv6", "s: {F|cidr: '::ffff:192.0.2.0/120'}\ncondition: s", []string{"F=192.0.2.7", "F=::ffff:c000:0207"}, []string{"F=::192.0.2.7"}},
		{"all of IPv6", "s: {F|cidr: '::/0'}\ncondition: s", []string{"F=::1"}, []string{"F=192.0.2.1", "F=::ffff:192.0.2.1"}},
		{"regular expressions tell case", "s: {F|re: 'a\\d+'}\ncondition: s", []string{"F=xa1", "F=a22y"}, []string{"F=A1", "F=a"}},
		{"and not with i", "s: {F|re|i: '^a\\d+$'}\ncondition: s", []string{"F=A1"}, []string{"F=xa1"}},
		{"m", "s: {F|re|m: '^b$'}\ncondition: s", []string{"F=a\nb\nc", "F=b"}, []string{"F=ab"}},
		{"s", "s: {F|re|s: 'a.b'}\ncondition: s", []string{"F=a\nb"}, []string{"F=ab"}},
		{"without s", "s: {F|re: 'a.b'}\ncondition: s", []string{"F=a-b"}, []string{"F=a\nb"}},
		{"numbers", "s: {F|gte: 10, F|lt: 20}\ncondition: s", []string{"F=10", "F=19.9", "F=0x0f"}, []string{"F=9", "F=20", "F=ten", "F=", "F", ""}},
		{"hours of the night", "s: {F|hour|gte: 22}\ncondition: s", []string{"F=2025-05-13T22:00:00Z", "F=2025-05-13T20:59:00-02:00"}, []string{"F=2025-05-13T21:59:59Z", "F=22"}},
		{"a field and a field", "s: {F|fieldref: G}\ncondition: s", []string{"F=A; G=a", "F=; G="}, []string{"F=a; G=b", "F=a", "G=a", "", "F; G"}},
		{"begins with a field", "s: {F|fieldref|startswith: G}\ncondition: s", []string{`F=C:\x\y; G=c:\X`}, []string{"F=ab; G=b", "F=ab"}},
		{"differs from a field", "s: {F|fieldref|neq: G}\ncondition: s", []string{"F=a; G=b", "F=a"}, []string{"F=a; G=A"}},
		{"2 of", "s1: {A: x}\ns2: {B: x}\ns3: {C: x}\ncondition: 2 of s*", []string{"A=x; C=x", "B=x; C=x", "A=x; B=x; C=x"}, []string{"A=x", "A=x; B=y"}},
		{"precedence", "a: {A: x}\nb: {B: x}\nc: {C: x}\ncondition: a or b and not c", []string{"A=x; C=x", "B=x"}, []string{"B=x; C=x", "C=x"}},
		{"a list of maps", "s: [{A: x, B: y}, {C: z}]\ncondition: s", []string{"A=x; B=y", "C=z"}, []string{"A=x", "B=y"}},
		{"an empty value list", "s: {A: x}\nf: {B|expand: '%nobody%'}\ncondition: s and not f", []string{"A=x; B=y", "A=x"}, []string{"B=y"}},
	} {
		t.Run(v.name, func(t *testing.T) {
			set := loaded(t, sigma.Options{Lists: map[string][]string{"nobody": nil}}, rule(v.detection))
			set.Rules[0].Source = watch.Source{Product: "invented"} // so that records of no known log are asked
			for _, engine := range engines {
				e := engine.make(set)
				for want, records := range map[bool][]string{true: v.holds, false: v.fails} {
					for _, text := range records {
						r := record(set.Names, 0, pairs(text)...)
						if (len(e.Match(r, nil)) == 1) != want {
							t.Errorf("%s: %q: got %v, want %v: %s", engine.name, text, !want, want, show(set.Rules[0].Condition))
						}
					}
				}
			}
		})
	}
}

// pairs reads F=value; G=value.
func pairs(text string) []string {
	var all []string
	for part := range strings.SplitSeq(text, "; ") {
		name, value, given := strings.Cut(part, "=")
		if !given {
			value = null
		}
		if name != "" {
			all = append(all, name, value)
		}
	}
	return all
}
