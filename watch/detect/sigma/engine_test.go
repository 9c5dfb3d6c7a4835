package sigma_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// setOf is a Set with one rule a condition, for every log, whose predicates look at the named fields.
func setOf(names []string, conditions ...sigma.Expr) *sigma.Set {
	s := &sigma.Set{Names: watch.NewNames(names...)}
	for _, c := range conditions {
		s.Rules = append(s.Rules, &sigma.Rule{Condition: c})
	}
	return s
}

func matches(s *sigma.Set, pairs ...string) []int {
	return sigma.Compile(s).Engine().Match(record(s.Names, 0, pairs...), nil)
}

// Every size of a literal is found by other bytes at another stride; it must be found wherever it stands.
func TestLiteralsOfEverySizeAtEveryPlace(t *testing.T) {
	const text = "it-came-upon-a-midnight-clear-that-glorious-song"
	for size := 1; size <= len(text); size++ {
		literal := text[:size]
		s := setOf([]string{"f", "g"},
			&sigma.Predicate{Field: "f", Op: sigma.Contains, Literal: literal},
			&sigma.Predicate{Field: "f", Op: sigma.StartsWith, Literal: literal},
			&sigma.Predicate{Field: "f", Op: sigma.EndsWith, Literal: literal},
			&sigma.Predicate{Field: "f", Op: sigma.Equals, Literal: literal},
			&sigma.Predicate{Field: "f", Op: sigma.Like, Pattern: sigma.Pattern{{Hole: sigma.One}, {Literal: literal}, {Hole: sigma.Any}}},
			&sigma.Predicate{Op: sigma.Contains, Literal: literal},
			&sigma.Predicate{Field: "f", Op: sigma.Contains, Literal: literal, Cased: true},
			// What is looked for only once a rule asks.
			sigma.And{&sigma.Predicate{Field: "g", Op: sigma.Equals, Literal: "go"}, sigma.Not{Expr: sigma.Or{
				&sigma.Predicate{Field: "f", Op: sigma.Contains, Literal: literal},
				&sigma.Predicate{Field: "f", Op: sigma.EndsWith, Literal: "no" + literal},
			}}},
		)
		engine := sigma.Compile(s).Engine()
		for before := range 20 {
			for after := range 20 {
				value := strings.Repeat("#", before) + strings.ToUpper(literal) + strings.Repeat("#", after)
				want := []int{0}
				if before == 0 {
					want = append(want, 1)
				}
				if after == 0 {
					want = append(want, 2)
				}
				if before == 0 && after == 0 {
					want = append(want, 3)
				}
				if before == 1 {
					want = append(want, 4)
				}
				want = append(want, 5)
				if got := engine.Match(record(s.Names, 0, "f", value, "g", "go"), nil); !slices.Equal(got, want) {
					t.Fatalf("%q in %q: rules %v, want %v", literal, value, got, want)
				}
			}
		}
		if got := engine.Match(record(s.Names, 0, "f", literal[1:], "g", "go"), nil); !slices.Equal(got, []int{7}) {
			t.Fatalf("%q in %q: rules %v, want 7", literal, literal[1:], got)
		}
	}
}

func TestLettersBeyondASCII(t *testing.T) {
	for _, row := range []struct {
		op             sigma.Op
		literal, value string
		want           bool
	}{
		{sigma.Contains, "über", "GEGENÜBERSTELLUNG", true},
		{sigma.Contains, "über", "gegenüberstellung", true},
		{sigma.Equals, "ärger", "ÄRGER", true},
		{sigma.StartsWith, "ärger", "Ärgernis", true},
		{sigma.EndsWith, "ärger", "der ÄRGER", true},
		{sigma.EndsWith, "ärger", "der Arger", false},
		{sigma.Contains, "–enc", "powershell –ENC x", true}, // a dash has no case
		{sigma.Contains, "k", "\u212A", false},              // the Kelvin sign is no k
		{sigma.Contains, "\x9f", "\xc3\x9f", true},          // half a letter, as bytes of UTF-16 come out
		{sigma.Contains, "\xa9\x00", "\xc3\x89\x00", true},  // folding made it one
		{sigma.Contains, "[admin", "{ADMIN", false},         // signs that differ by the bit that letters lose
		{sigma.Equals, "a_b@c", "A\x7fB`C", false},          // and more of them
		{sigma.EndsWith, `\system32\cmd`, "|SYSTEM32|CMD", false},
	} {
		s := setOf([]string{"f"}, &sigma.Predicate{Field: "f", Op: row.op, Literal: row.literal})
		if got := len(matches(s, "f", row.value)) == 1; got != row.want {
			t.Errorf("%v of %q in %q: %v, want %v", row.op, row.literal, row.value, got, row.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	hole := map[rune]sigma.Piece{'*': {Hole: sigma.Any}, '?': {Hole: sigma.One}}
	for _, row := range []struct {
		pattern, value string
		want           bool
	}{
		{"a*b", "A--B", true},
		{"a*b", "a--bc", false},
		{"*abc*", "xxabABCx", true},
		{"*a?c*d", "abc abd acd AXCd", true},
		{"*a?c*d", "abd acd", false},
		{"???", "äöü", true},
		{"?ab", "\xffAB", true},
		{"*ab*ab", "abab", true},
		{"*ab*ab", "aab", false},
		{"?", "", false},
		{"*", "", true},
	} {
		var p sigma.Pattern
		for _, r := range row.pattern {
			if piece, ok := hole[r]; ok {
				p = append(p, piece)
			} else if n := len(p); n > 0 && p[n-1].Hole == sigma.None {
				p[n-1].Literal += string(r)
			} else {
				p = append(p, sigma.Piece{Literal: string(r)})
			}
		}
		s := setOf([]string{"f"}, &sigma.Predicate{Field: "f", Op: sigma.Like, Pattern: p})
		if got := len(matches(s, "f", row.value)) == 1; got != row.want {
			t.Errorf("%q, %q: %v, want %v", row.pattern, row.value, got, row.want)
		}
	}
}

// expressions of every kind that package regexp knows, and texts that come near to them.
var expressions = []string{
	`net\s+user`, `(?i)python\s+skript`, `^[A-Za-z0-9]{16}$`, `\s-[FTd]\s`, `[^/]{100,}$`, `.{30,}`, `(?s)a.b`, `a.b`,
	`(^|\/)\.[^.\/]`, `"(\{\d\}){2,}"\s*-f`, `\w+` + "`" + `(\w+|-|.)` + "`" + `[\w+|\s]`, `\bset\b.*\bx`, `\Bx\B`, `(?m)^two$`,
	`x*`, `\A\z`, `[\x{80}-\x{10FFFF}]{2}`, `(?i)straße`, `(?i)\x{3a3}x`, `–+x`, `(a|ab)(c|bcd)(d*)$`, `[-/–][Ee^]{1,2}[ncodema^]*\s`,
	`https?://(?:(?:25[0-5]|(?:2[0-4]|1\d|[1-9])?\d)(?:\.|\b)){4}`, `(?i)(set).*&&\s?set.*(environment|invoke|\$?\{?input).*&&.*"`,
	`\x{FFFD}`, `a{0}`, `[^\n]x`, `(?:x{2,3}y){2}`, `\PLx`, `k{1}s`, `(?i)ks`,
}

var nearTexts = []string{
	"", "x", "NET  USER", "net \t user", "PYTHON sKript", "pYthon \u017Fkript", "python s\u212Aript", "ABCDEFGHabcdefgh", " -F ", "a\nb", "axb",
	strings.Repeat("y", 120), strings.Repeat("ä", 29), "/.x", "..", `"{0}{1}" -f`, "ab`c`d", "set 1 x", "reset x", "axa", "one\ntwo\nthree",
	"äö", "STRASSE", "STRAßE", "STRAẞE", "ΣX", "ςx", "––x", "abcd", "-ENC x", "–e^nc x", "https://10.1.2.255.9", "http://1.1.1.1x",
	`SET a&&set ENVIRONMENT&& "`, "\xff\xfe", "a\xffb", "\uFFFD", "xxyxxxy", "1x", "ks", "KS", "\u212A\u017F", "\xe2\x80", "a\x00b",
}

func TestExpressionsFindWhatPackageRegexpFinds(t *testing.T) {
	for _, expression := range expressions {
		re := regexp.MustCompile(expression)
		s := setOf([]string{"f"}, &sigma.Predicate{Field: "f", Op: sigma.Matches, Regexp: re},
			sigma.Not{Expr: &sigma.Predicate{Field: "f", Op: sigma.Matches, Regexp: re}})
		engine := sigma.Compile(s).Engine()
		for _, text := range append(mutations(nearTexts), nearTexts...) {
			want := []int{1}
			if re.MatchString(text) {
				want = []int{0}
			}
			if got := engine.Match(record(s.Names, 0, "f", text), nil); !slices.Equal(got, want) {
				t.Errorf("%s in %q: %v, want %v", expression, text, got, want)
			}
		}
	}
}

// mutations are texts joined and cut at random, always the same ones.
func mutations(texts []string) []string {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	var all []string
	for range 3000 {
		text := ""
		for range 1 + random.IntN(4) {
			piece := texts[random.IntN(len(texts))]
			from := random.IntN(len(piece) + 1)
			text += piece[from : from+random.IntN(len(piece)-from+1)]
		}
		all = append(all, text)
	}
	return all
}

func FuzzExpressions(f *testing.F) {
	for i, expression := range expressions {
		f.Add(expression, nearTexts[i%len(nearTexts)])
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		re, err := regexp.Compile(expression)
		if err != nil || len(expression) > 200 { // no expression, or one of a size that no rule has
			return
		}
		s := setOf([]string{"f"}, &sigma.Predicate{Field: "f", Op: sigma.Matches, Regexp: re})
		if got := len(matches(s, "f", text)) == 1; got != re.MatchString(text) {
			t.Errorf("%q in %q: %v", expression, text, got)
		}
	})
}

// An expression of which every text leads to a new state must not take more than its share.
func TestExpressionThatExplodes(t *testing.T) {
	re := regexp.MustCompile(`[ab]*a[ab]{40}c`)
	s := setOf([]string{"f"}, &sigma.Predicate{Field: "f", Op: sigma.Matches, Regexp: re})
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test
	text := make([]byte, 100_000)
	for i := range text {
		text[i] = "ab"[random.IntN(2)]
	}
	engine := sigma.Compile(s).Engine()
	if got := engine.Match(record(s.Names, 0, "f", string(text)+"d"), nil); len(got) != 0 {
		t.Error("found in a text that has no c")
	}
	text[len(text)-41] = 'a'
	if got := engine.Match(record(s.Names, 0, "f", string(text)+"c"), nil); len(got) != 1 {
		t.Error("not found")
	}
}

func TestRulesThatOnlySayWhatMustNotBe(t *testing.T) {
	s := setOf([]string{"f", "g"},
		sigma.Not{Expr: &sigma.Predicate{Field: "f", Op: sigma.Equals, Literal: "x"}},
		&sigma.Predicate{Field: "f", Op: sigma.Absent},
		sigma.Not{Expr: &sigma.Predicate{Field: "f", Op: sigma.Absent}},
		&sigma.Predicate{Field: "f", Op: sigma.Exists},
		&sigma.Predicate{Field: "nobody", Op: sigma.Absent},
		sigma.Not{Expr: sigma.Or{}},
		sigma.Or{},
		&sigma.Predicate{Field: "f", Op: sigma.Contains},
		&sigma.Predicate{Field: "f", Op: sigma.Equals},
		nil,
	)
	for _, row := range []struct {
		pairs []string
		want  []int
	}{
		{nil, []int{0, 1, 4, 5}},
		{[]string{"f", "x"}, []int{2, 3, 4, 5, 7}},
		{[]string{"f", null}, []int{0, 1, 3, 4, 5}},
		{[]string{"f", ""}, []int{0, 2, 3, 4, 5, 7, 8}},
		{[]string{"f", null, "f", "X"}, []int{2, 3, 4, 5, 7}},
	} {
		if got := matches(s, row.pairs...); !slices.Equal(got, row.want) {
			t.Errorf("%q: rules %v, want %v", row.pairs, got, row.want)
		}
	}
}

func TestMatchingAllocatesNothing(t *testing.T) {
	s := setOf([]string{"f", "g"},
		&sigma.Predicate{Field: "f", Op: sigma.Contains, Literal: "needle"},
		&sigma.Predicate{Field: "f", Op: sigma.Contains, Literal: "über"},
		&sigma.Predicate{Field: "f", Op: sigma.Matches, Regexp: regexp.MustCompile(`h.y\s+stack`)},
		&sigma.Predicate{Field: "g", Op: sigma.Above, Number: 40},
		&sigma.Predicate{Field: "f", Op: sigma.PartOf, Other: "g"},
	)
	engine, r, hits := sigma.Compile(s).Engine(), record(s.Names, 0, "f", "Hay stack with a Needle and ÜBER", "g", "41"), make([]int, 0, 8)
	if allocs := testing.AllocsPerRun(100, func() { hits = engine.Match(r, hits[:0]) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if !slices.Equal(hits, []int{0, 1, 3}) {
		t.Errorf("rules %v", hits)
	}
}

// Rules are replaced again and again while four match: every record is answered by the rules of one Set, and none is lost.
func TestRulesReplacedUnderLoad(t *testing.T) {
	generations := make([]*sigma.Program, 8)
	for i := range generations {
		conditions := make([]sigma.Expr, i+1)
		names := make([]string, i+1)
		for k := range conditions {
			names[k] = fmt.Sprintf("field%d", i-k) // other numbers in every Set
			conditions[k] = &sigma.Predicate{Field: fmt.Sprintf("field%d", k), Op: sigma.Contains, Literal: "seen"}
		}
		generations[i] = sigma.Compile(setOf(names, conditions...))
	}
	live := sigma.NewLive(generations[0])
	stop := make(chan struct{})
	var matching, replacing sync.WaitGroup
	for range 4 {
		matching.Go(func() {
			var mine *sigma.Program
			var engine sigma.Engine
			var r *watch.Record
			for range 3000 {
				if now := live.Program(); now != mine {
					mine, engine = now, now.Engine()
					n := mine.Set().Names
					r = &watch.Record{}
					for f := 1; f <= n.Len(); f++ {
						r.Values = append(r.Values, watch.Value{Field: watch.Field(f), Text: []byte("it was SEEN")}) //nolint:gosec // eight
					}
				}
				if hits := engine.Match(r, nil); len(hits) != len(mine.Set().Rules) {
					t.Errorf("%d of %d rules", len(hits), len(mine.Set().Rules))
					return
				}
			}
		})
	}
	replacing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				live.Replace(generations[i%len(generations)])
			}
		}
	})
	matching.Wait()
	close(stop)
	replacing.Wait()
}

// A needle that one rule has checked by itself is still news to a longer list that another rule seeks.
func TestNeedleCheckedBeforeItsListIsSought(t *testing.T) {
	contains := func(literal string) sigma.Expr {
		return &sigma.Predicate{Field: "f", Op: sigma.Contains, Literal: literal}
	}
	trigger := &sigma.Predicate{Field: "g", Op: sigma.Equals, Literal: "a rare trigger"}
	s := setOf([]string{"f", "g"},
		sigma.And{trigger, contains("get")},
		sigma.And{trigger, sigma.Or{contains("bios"), contains("cpu"), contains("disk"), contains("get"), contains("path"), contains("os"), contains("startup")}},
	)
	if got := matches(s, "f", "wmic GET", "g", "a rare trigger"); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("rules %v, want both", got)
	}
}
