package sigma_test

import (
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/test/telemetry"
	"wardwatch/watch/detect/sigma"
)

// sound fails when a set says of itself what is not so.
func sound(t *testing.T, set *sigma.Set, report *sigma.Report) {
	t.Helper()
	field := func(name string) {
		if name != "" && set.Names.Find([]byte(name)) == 0 {
			t.Errorf("field %q is not in the set's names", name)
		}
	}
	for _, r := range set.Rules {
		if r.ID == "" || r.Condition == nil {
			t.Errorf("rule %+v has no ID or no condition", r)
		}
		sigma.Walk(r.Condition, func(p *sigma.Predicate) {
			field(p.Field)
			field(p.Other)
			if p.Op == sigma.Matches && p.Regexp == nil || p.Op == sigma.Like && len(p.Pattern) == 0 || p.Op == sigma.Within && !p.Prefix.IsValid() {
				t.Errorf("a predicate without what it compares with: %+v", p)
			}
		})
	}
	for i, c := range set.Correlations {
		if c.ID == "" || c.Timespan <= 0 || len(c.Refs) == 0 || (len(c.Bounds) == 0) == (c.Condition == nil) {
			t.Errorf("correlation %+v says too little", c)
		}
		for _, ref := range c.Refs {
			if (ref.Rule < 0) == (ref.Correlation < 0) || ref.Rule >= len(set.Rules) || ref.Correlation >= i || len(ref.Fields) != len(c.GroupBy) {
				t.Errorf("correlation %d refers to %+v", i, ref)
			}
		}
	}
	for _, trouble := range append(append([]sigma.Trouble{}, report.Partly...), report.Refused...) {
		if trouble.File == "" || trouble.Reason == "" {
			t.Errorf("a trouble without a file or a reason: %+v", trouble)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		rule("s: {F|windash|contains: ' -a /b', G|re|i: 'a.*b', H|cidr: 192.0.2.0/24}\nk: [x, 'y*']\ncondition: s and not 1 of k*"),
		rule("s: {F|base64offset|contains: foobar, G|exists: false, H|hour|gte: 22, I|fieldref: J}\ntimeframe: 5m\ncondition: s | count(X) by Y > 5"),
		base("a") + "---\n" + correlation("x", "type: temporal\nrules: [a]\ngroup-by: [G]\ntimespan: 5m\naliases: {G: {a: F}}\ncondition: a"),
		base("a") + "---\n" + "title: f\nlogsource: {product: windows}\nfilter: {rules: [a], x: {U: x}, condition: not x}\n",
		"action: global\nlogsource: {product: p}\n---\ndetection: {s: {F: &x [1, 2], G: *x}, condition: s}\n",
		"a: &a {b: 1}\nc: {<<: *a}\n", "- [", "\xff", "? {a: b}\n: c\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		set, report := sigma.Parse(sigma.Options{Lists: map[string][]string{"x": {"a", "b*"}}}, sigma.File{Name: "fuzz.yml", Text: text})
		sound(t, set, report)
		if report.Loaded+len(report.Partly)+len(report.Refused) == 0 && !strings.Contains(string(text), "action") {
			t.Error("nothing is said of the file")
		}
	})
}

func FuzzCondition(f *testing.F) {
	for _, text := range []string{
		"a", "not a", "a and (b or not c)", "1 of sel_*", "all of them", "2 of *", "a | count() by F > 5", "((a", "of of of", "1 of", "not",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, condition string) {
		text := "logsource: {product: p}\ndetection:\n  a: {F: a}\n  b: {F: b}\n  c: {F: c}\n  sel_1: {F: d}\n  sel_2: {F: e}\n  timeframe: 5m\n  condition: |\n    " +
			strings.NewReplacer("\n", " ", "\r", " ", "\u0085", " ", "\u2028", " ", "\u2029", " ").Replace(condition) + "\n"
		set, report := parse(sigma.Options{}, text)
		sound(t, set, report)
	})
}

func FuzzItem(f *testing.F) {
	for _, seed := range [][2]string{
		{"contains|all", "a*b"}, {"windash", "-a /b —c"}, {"re|i", "(a|b)+$"}, {"cidr", "::ffff:192.0.2.0/120"}, {"base64offset|contains", "ab"},
		{"utf16|base64", "é"}, {"expand", `\%x%x%`}, {"hour|gt", "5"}, {"fieldref|startswith", "G"}, {"exists", "true"}, {"cased|endswith", `\\*`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, modifiers, value string) {
		quote := func(s string) string {
			return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "'", "''"), "\n", " ") + "'"
		}
		set, report := parse(sigma.Options{Lists: map[string][]string{"x": {"a", "b*"}}},
			"logsource: {product: p}\ndetection: {s: {"+quote("F|"+modifiers)+": "+quote(value)+"}, condition: s}\n")
		sound(t, set, report)
	})
}

// Rules as they are written by many hands, whole and cut off in the middle.
func TestSoundOnTheWholeSet(t *testing.T) {
	var all []sigma.File
	for _, dir := range telemetry.Rules(t) {
		files, err := sigma.Files(dir)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, files...)
	}
	set, report := sigma.Parse(sigma.Options{}, all...)
	sound(t, set, report)
	for i := range all {
		all[i].Text = all[i].Text[:len(all[i].Text)*(i%10)/10]
	}
	set, report = sigma.Parse(sigma.Options{}, all...)
	sound(t, set, report)
	if n := report.Loaded + len(report.Partly) + len(report.Refused); n < len(all) {
		t.Errorf("of %d files %d are accounted for", len(all), n)
	}
}

// The descriptions of samples that stand beside the community's rules are passed over: they are no broken rules.
func TestDescriptionsOfSamples(t *testing.T) {
	set, report, err := sigma.Load(sigma.Options{}, shared.File(t, "data", "sigma", "regression"))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) != 0 || report.Loaded != 0 || len(report.Partly)+len(report.Refused) != 0 {
		t.Errorf("%d rules, %+v", len(set.Rules), report)
	}
}
