package sigma_test

import (
	"net/netip"
	"regexp"
	"slices"
	"testing"

	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// engines are both implementations: what is said of one is asked of the other.
var engines = []struct {
	name string
	make func(*sigma.Set) sigma.Engine
}{
	{"reference", sigma.NewReference},
	{"compiled", func(s *sigma.Set) sigma.Engine { return sigma.Compile(s).Engine() }},
}

// fulfils asks both engines whether the record fulfils the condition.
func fulfils(t *testing.T, names *watch.Names, condition sigma.Expr, r *watch.Record) []bool {
	t.Helper()
	var answers []bool
	for _, engine := range engines {
		e := engine.make(&sigma.Set{Names: names, Rules: []*sigma.Rule{{ID: "one", Condition: condition}}})
		answers = append(answers, len(e.Match(r, nil)) == 1)
	}
	return answers
}

func TestPredicatesHoldOnValues(t *testing.T) {
	type P = sigma.Predicate
	star, mark := sigma.Piece{Hole: sigma.Any}, sigma.Piece{Hole: sigma.One}
	text := func(s string) sigma.Piece { return sigma.Piece{Literal: s} }
	for _, row := range []struct {
		what      string
		predicate P
		holds     []string
		fails     []string
	}{
		{"equals", P{Op: sigma.Equals, Literal: "cmd.exe"}, []string{"cmd.exe", "CMD.EXE"}, []string{"", "cmd.exe ", "cmd.ex", null}},
		{"equals cased", P{Op: sigma.Equals, Cased: true, Literal: "Cmd"}, []string{"Cmd"}, []string{"cmd", "CMD"}},
		{"equals nothing", P{Op: sigma.Equals}, []string{""}, []string{" ", null}},
		{"equals a number", P{Op: sigma.Equals, Literal: "4624"}, []string{"4624"}, []string{"04624", "4624.0"}},
		{"letters beyond ASCII", P{Op: sigma.Equals, Literal: "é"}, []string{"é", "É"}, []string{"e", "\xc3"}},
		{"the Kelvin sign is no k", P{Op: sigma.Equals, Literal: "k"}, []string{"k", "K"}, []string{"\u212a"}},
		{"bytes that are no UTF-8", P{Op: sigma.Contains, Literal: "\xff"}, []string{"a\xffb"}, []string{"ÿ", "\ufffd"}},
		{"contains", P{Op: sigma.Contains, Literal: "whoami"}, []string{"whoami", "cmd /c WhoAmI /all"}, []string{"who ami", ""}},
		{"contains nothing", P{Op: sigma.Contains}, []string{"", "a"}, []string{null}},
		{"begins", P{Op: sigma.StartsWith, Literal: `c:\`}, []string{`C:\Windows`}, []string{`\C:\`}},
		{"ends", P{Op: sigma.EndsWith, Literal: `\cmd.exe`}, []string{`C:\CMD.exe`}, []string{`cmd.exe`, `\cmd.exe"`}},
		{
			"a pattern", P{Op: sigma.Like, Pattern: sigma.Pattern{text("a"), star, text("b"), mark}},
			[]string{"ab1", "AxxB1", "abb1", "abé", "ab\xff"},
			[]string{"ab", "ab12", "xab1", "abe\u0301"},
		},
		{"two characters", P{Op: sigma.Like, Pattern: sigma.Pattern{mark, mark}}, []string{"ab", "世世", "\xff\xff"}, []string{"世", "a", "abc"}},
		{"at least two", P{Op: sigma.Like, Pattern: sigma.Pattern{star, mark, mark}}, []string{"ab", "世世", "xyz"}, []string{"世", "a", ""}},
		{"nothing but a star", P{Op: sigma.Like, Pattern: sigma.Pattern{star}}, []string{"", "a", "\n"}, []string{null}},
		{"stars overlap", P{Op: sigma.Like, Pattern: sigma.Pattern{text("ab"), star, text("ba")}}, []string{"abba", "abxba"}, []string{"aba"}},
		{"a regex", P{Op: sigma.Matches, Regexp: regexp.MustCompile(`a+b$`)}, []string{"xaab"}, []string{"aabb", "AAB"}},
		{"a regex on any case", P{Op: sigma.Matches, Regexp: regexp.MustCompile(`(?i)a+b`)}, []string{"AAb"}, []string{"b"}},
		{
			"within", P{Op: sigma.Within, Prefix: netip.MustParsePrefix("10.0.0.0/8")},
			[]string{"10.1.2.3", "::ffff:10.1.2.3"},
			[]string{"11.0.0.1", "10.1.2", "10.1.2.3/32", "", "::10.1.2.3"},
		},
		{"within IPv6", P{Op: sigma.Within, Prefix: netip.MustParsePrefix("fe80::/10")}, []string{"fe80::1", "FE80::1%eth0"}, []string{"2001:db8::1"}},
		{"exists", P{Op: sigma.Exists}, []string{"", "a", null}, nil},
		{"absent", P{Op: sigma.Absent}, []string{null}, []string{"", "a"}},
		{"below", P{Op: sigma.Below, Number: 5}, []string{"4", "-1", "4.9", "0x4", "1e0"}, []string{"5", "6", "", "four", null, "nan", "-inf"}},
		{"at most", P{Op: sigma.AtMost, Number: 5}, []string{"5", "4"}, []string{"5.1"}},
		{"above", P{Op: sigma.Above, Number: 5}, []string{"6", "0x10", "5.5"}, []string{"5", "inf", "1_0", "+"}},
		{"at least", P{Op: sigma.AtLeast, Number: 5}, []string{"5", "6"}, []string{"4"}},
		{"the hour", P{Op: sigma.AtTime, Part: sigma.Hour, Number: 9}, []string{"2025-05-13T10:00:00+01:00", "1747127287"}, []string{"9", "2025-05-13T10:00:00Z"}},
		{"the week", P{Op: sigma.AtTime, Part: sigma.Week, Number: 1}, []string{"2024-12-30", "2025-01-05"}, []string{"2025-01-06"}},
		{"another field", P{Op: sigma.SameAs, Other: "Other"}, []string{"Same", "SAME"}, []string{"Sam", null}},
		{"another field, cased", P{Op: sigma.SameAs, Other: "Other", Cased: true}, []string{"same"}, []string{"Same"}},
		{"a part of it", P{Op: sigma.PartOf, Other: "Other"}, []string{"the same again"}, []string{"sam"}},
		{"begins like it", P{Op: sigma.BeginsLike, Other: "Other"}, []string{"Samey"}, []string{"the same"}},
		{"ends like it", P{Op: sigma.EndsLike, Other: "Other"}, []string{"the same"}, []string{"same "}},
		{"as a field that is absent", P{Op: sigma.SameAs, Other: "Nowhere"}, nil, []string{"", "a", null}},
	} {
		t.Run(row.what, func(t *testing.T) {
			names := watch.NewNames("Field", "Other", "Nowhere")
			p := row.predicate
			p.Field = "field"
			ask := func(want bool, what string, pairs ...string) {
				for i, got := range fulfils(t, names, &p, record(names, 1, pairs...)) {
					if got != want {
						t.Errorf("%s: %s: %v, want %v", engines[i].name, what, got, want)
					}
				}
			}
			for _, value := range row.holds {
				ask(true, value, "Other", "same", "Field", value)
				ask(p.Op != sigma.Absent, "one of several: "+value, "Field", "###", "Other", "same", "FIELD", value)
			}
			for _, value := range row.fails {
				ask(false, value, "Other", "same", "Field", value)
			}
			ask(p.Op == sigma.Absent, "no such field", "Other", "same")
		})
	}
}

func TestWhatIsNotThereFulfilsNot(t *testing.T) {
	names := watch.NewNames("Field")
	p := &sigma.Predicate{Field: "Field", Op: sigma.Contains, Literal: "a"}
	for _, row := range []struct {
		what      string
		condition sigma.Expr
		want      bool
	}{
		{"not of a missing field", sigma.Not{Expr: p}, true},
		{"not of not", sigma.Not{Expr: sigma.Not{Expr: p}}, false},
		{"and of nothing", sigma.And{}, true},
		{"or of nothing", sigma.Or{}, false},
		{"or with a not", sigma.Or{p, sigma.Not{Expr: p}}, true},
		{"and with a not", sigma.And{p, sigma.Not{Expr: p}}, false},
		{"no condition", nil, false},
	} {
		for i, got := range fulfils(t, names, row.condition, record(names, 1, "Else", "a")) {
			if got != row.want {
				t.Errorf("%s: %s: %v, want %v", engines[i].name, row.what, got, row.want)
			}
		}
	}
}

func TestKeywordsAreLookedForInEveryValue(t *testing.T) {
	names := watch.NewNames("Field")
	all := sigma.And{
		&sigma.Predicate{Op: sigma.Contains, Literal: "mimikatz"},
		&sigma.Predicate{Op: sigma.Contains, Literal: "sekurlsa"},
	}
	for _, row := range []struct {
		pairs []string
		want  bool
	}{
		{[]string{"Field", "MimiKatz", "unasked", "a sekurlsa b"}, true},
		{[]string{"unasked", "mimikatz sekurlsa"}, true},
		{[]string{"mimikatz", "sekurlsa"}, false},
		{[]string{"Field", null, "unasked", "mimikatz"}, false},
		{nil, false},
	} {
		for i, got := range fulfils(t, names, all, record(names, 1, row.pairs...)) {
			if got != row.want {
				t.Errorf("%s: %q: %v, want %v", engines[i].name, row.pairs, got, row.want)
			}
		}
	}
}

func TestRulesAreAskedOfTheirOwnLogs(t *testing.T) {
	names := watch.NewNames("Field")
	condition := &sigma.Predicate{Field: "Field", Op: sigma.Exists}
	log := watch.Class(1).Log()
	set := &sigma.Set{Names: names, Rules: []*sigma.Rule{
		{ID: "its own", Source: watch.Source{Product: log.Product, Service: log.Service}, Condition: condition},
		{ID: "another", Source: watch.Source{Product: log.Product, Service: "another service"}, Condition: condition},
		{ID: "any", Condition: condition},
		{ID: "nobody's", Source: watch.Source{Product: "tin foil"}, Condition: condition},
	}}
	for _, engine := range engines {
		e := engine.make(set)
		if got := e.Match(record(names, 1, "Field", "a"), nil); !slices.Equal(got, []int{0, 2}) {
			t.Errorf("%s: a record of class 1 fulfils %v", engine.name, got)
		}
		if got := e.Match(record(names, 0, "Field", "a"), []int{7}); !slices.Equal(got, []int{7, 1, 2, 3}) {
			t.Errorf("%s: a record that nothing recognises fulfils %v", engine.name, got)
		}
	}
}
