package sigma_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/watch/detect/sigma"
)

// base is a rule that correlations refer to by its name.
func base(name string) string {
	return fmt.Sprintf("title: base %[1]s\nid: id-%[1]s\nname: %[1]s\nlogsource: {product: windows}\ndetection: {s: {F: %[1]s}, condition: s}\n", name)
}

// correlation is a correlation document around a correlation section.
func correlation(id, section string) string {
	return "title: correlation " + id + "\nid: " + id + "\nname: name_" + id + "\nlevel: high\nstatus: test\ntags: [attack.t1110]\ncorrelation:\n" + indent(section)
}

func TestCorrelations(t *testing.T) {
	bounds := func(op sigma.BoundOp, n float64) []sigma.Bound { return []sigma.Bound{{Op: op, Number: n}} }
	both := []sigma.Ref{{Rule: 0, Correlation: -1}, {Rule: 1, Correlation: -1}}
	one := both[:1]
	for _, v := range []struct {
		name, section string
		want          sigma.Correlation
		condition     string
	}{
		{"event_count", "type: event_count\nrules: [a]\ngroup-by: [Computer]\ntimespan: 1h\ncondition: {gte: 100}", sigma.Correlation{
			Kind: sigma.EventCount, Timespan: time.Hour, GroupBy: []string{"Computer"}, Bounds: bounds(sigma.MoreOrAs, 100),
			Refs: []sigma.Ref{{Rule: 0, Correlation: -1, Fields: []string{"Computer"}}},
		}, ""},
		{"by id, one rule as a text, no group", "type: event_count\nrules: id-b\ntimespan: 30s\ncondition: {eq: 3}", sigma.Correlation{
			Kind: sigma.EventCount, Timespan: 30 * time.Second, Bounds: bounds(sigma.Same, 3), Refs: both[1:],
		}, ""},
		{"a range", "type: event_count\nrules: [a, b]\ntimespan: 2d\ncondition: {gt: 100, lte: 200}", sigma.Correlation{
			Kind: sigma.EventCount, Timespan: 48 * time.Hour, Bounds: []sigma.Bound{{Op: sigma.More, Number: 100}, {Op: sigma.LessOrAs, Number: 200}}, Refs: both,
		}, ""},
		{"value_count", "type: value_count\nrules: [a]\ntimespan: 1d\ncondition: {field: User, lt: 100}", sigma.Correlation{
			Kind: sigma.ValueCount, Timespan: 24 * time.Hour, Fields: []string{"User"}, Bounds: bounds(sigma.Less, 100), Refs: one,
		}, ""},
		{"value_count of several fields", "type: value_count\nrules: [a]\ntimespan: 1w\ncondition: {field: [User, Host], neq: 1}", sigma.Correlation{
			Kind: sigma.ValueCount, Timespan: 7 * 24 * time.Hour, Fields: []string{"User", "Host"}, Bounds: bounds(sigma.Different, 1), Refs: one,
		}, ""},
		{"value_sum", "type: value_sum\nrules: [a]\ntimespan: 1h\ncondition: {field: bytes, gt: 1000000}", sigma.Correlation{
			Kind: sigma.ValueSum, Timespan: time.Hour, Fields: []string{"bytes"}, Bounds: bounds(sigma.More, 1e6), Refs: one,
		}, ""},
		{"value_avg", "type: value_avg\nrules: [a]\ntimespan: 1h\ncondition: {field: bytes, gt: 0.5}", sigma.Correlation{
			Kind: sigma.ValueAvg, Timespan: time.Hour, Fields: []string{"bytes"}, Bounds: bounds(sigma.More, 0.5), Refs: one,
		}, ""},
		{"value_median", "type: value_median\nrules: [a]\ntimespan: 1h\ncondition: {field: bytes, gt: 1}", sigma.Correlation{
			Kind: sigma.ValueMedian, Timespan: time.Hour, Fields: []string{"bytes"}, Bounds: bounds(sigma.More, 1), Refs: one,
		}, ""},
		{"value_percentile", "type: value_percentile\nrules: [a]\ntimespan: 1h\ncondition: {field: bytes, gt: 1, percentile: 95}", sigma.Correlation{
			Kind: sigma.ValuePercentile, Timespan: time.Hour, Fields: []string{"bytes"}, Percentile: 95, Bounds: bounds(sigma.More, 1), Refs: one,
		}, ""},
		{"value_percentile of rare values", "type: value_percentile\nrules: [a]\ntimespan: 24h\ncondition: {field: image, lte: 1}", sigma.Correlation{
			Kind: sigma.ValueShare, Timespan: 24 * time.Hour, Fields: []string{"image"}, Bounds: bounds(sigma.LessOrAs, 1), Refs: one,
		}, ""},
		{"temporal", "type: temporal\nrules: [a, b]\ntimespan: 5m", sigma.Correlation{
			Kind: sigma.Temporal, Timespan: 5 * time.Minute, Bounds: bounds(sigma.MoreOrAs, 2), Refs: both,
		}, ""},
		{"temporal with a count", "type: temporal\nrules: [a, b]\ntimespan: 5m\ncondition: {gte: 1}", sigma.Correlation{
			Kind: sigma.Temporal, Timespan: 5 * time.Minute, Bounds: bounds(sigma.MoreOrAs, 1), Refs: both,
		}, ""},
		{"temporal_ordered", "type: temporal_ordered\nrules: [b, a]\ntimespan: 5m", sigma.Correlation{
			Kind: sigma.TemporalOrdered, Timespan: 5 * time.Minute, Bounds: bounds(sigma.MoreOrAs, 2), Refs: []sigma.Ref{both[1], both[0]},
		}, ""},
		{"a condition over rules", "type: temporal\nrules: [a, b, c]\ntimespan: 5m\ncondition: a AND (b or not c)", sigma.Correlation{
			Kind: sigma.Temporal, Timespan: 5 * time.Minute, Refs: append(slices.Clone(both), sigma.Ref{Rule: 2, Correlation: -1}),
		}, "and(seen 0, or(seen 1, not(seen 2)))"},
		{"rules that only the condition names", "type: temporal_ordered\ntimespan: 5m\ncondition: b and a", sigma.Correlation{
			Kind: sigma.TemporalOrdered, Timespan: 5 * time.Minute, Refs: []sigma.Ref{both[1], both[0]},
		}, "and(seen 0, seen 1)"},
		{"aliases", "type: temporal\nrules: [a, b]\ngroup-by: [ip, Host]\ntimespan: 10s\naliases: {ip: {a: src, id-b: dst}}", sigma.Correlation{
			Kind: sigma.Temporal, Timespan: 10 * time.Second, GroupBy: []string{"ip", "Host"}, Bounds: bounds(sigma.MoreOrAs, 2),
			Refs: []sigma.Ref{{Rule: 0, Correlation: -1, Fields: []string{"src", "Host"}}, {Rule: 1, Correlation: -1, Fields: []string{"dst", "Host"}}},
		}, ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			set := loaded(t, sigma.Options{}, base("a"), base("b"), base("c"), correlation("x", v.section))
			got := *set.Correlations[0]
			if got.ID != "x" || got.Name != "name_x" || got.Level != "high" || got.Status != "test" || got.File != "rule3.yml" ||
				got.Title != "correlation x" || !slices.Equal(got.Tags, []string{"attack.t1110"}) || got.Quiet {
				t.Errorf("%+v", got)
			}
			if got.Condition != nil && show(got.Condition) != v.condition || got.Condition == nil && v.condition != "" {
				t.Errorf("got condition %v, want %s", got.Condition, v.condition)
			}
			v.want.ID, v.want.Name, v.want.Title, v.want.Level, v.want.Status, v.want.File, v.want.Tags = got.ID, got.Name, got.Title, got.Level, got.Status, got.File, got.Tags
			v.want.Condition = got.Condition
			if !reflect.DeepEqual(got, v.want) {
				t.Errorf("got  %+v\nwant %+v", got, v.want)
			}
			for _, ref := range got.Refs {
				if !set.Rules[ref.Rule].Quiet {
					t.Errorf("rule %d is reported beside the correlation", ref.Rule)
				}
				for _, field := range ref.Fields {
					if set.Names.Find([]byte(field)) == 0 {
						t.Errorf("field %q is not in the set's names", field)
					}
				}
			}
			for _, field := range got.Fields {
				if set.Names.Find([]byte(field)) == 0 {
					t.Errorf("field %q is not in the set's names", field)
				}
			}
		})
	}
}

func TestChains(t *testing.T) {
	set := loaded(t, sigma.Options{},
		correlation("outer", "type: temporal_ordered\nrules: [name_inner, b]\ngroup-by: [User]\ntimespan: 1h"),
		correlation("inner", "type: event_count\nrules: [a]\ngroup-by: [User]\ntimespan: 1h\ncondition: {gte: 10}"),
		base("a"), base("b"))
	inner, outer := set.Correlations[0], set.Correlations[1]
	if inner.ID != "inner" || !inner.Quiet || outer.ID != "outer" || outer.Quiet {
		t.Fatalf("%+v %+v", inner, outer)
	}
	if outer.Refs[0].Correlation != 0 || outer.Refs[0].Rule != -1 || outer.Refs[1].Rule != 1 || outer.Refs[1].Correlation != -1 {
		t.Errorf("%+v", outer.Refs)
	}
}

func TestGenerate(t *testing.T) {
	const section = "type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 10}"
	for name, text := range map[string]string{
		"in the section":  correlation("x", section+"\ngenerate: true"),
		"in the document": correlation("x", section) + "generate: true\n",
	} {
		if set := loaded(t, sigma.Options{}, base("a"), text, correlation("y", section)); set.Rules[0].Quiet {
			t.Errorf("generate %s: the rule is not reported", name)
		}
	}
}

func TestNamesAreFoundInTheSameFileFirst(t *testing.T) {
	section := "type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 10}"
	other := strings.ReplaceAll(base("a"), "id-a", "id-other")
	set := loaded(t, sigma.Options{}, base("a"), other+"---\n"+correlation("x", section))
	if at := set.Correlations[0].Refs[0].Rule; set.Rules[at].ID != "id-other" {
		t.Errorf("the correlation refers to %s", set.Rules[at].ID)
	}
}

func TestBadCorrelations(t *testing.T) {
	const rest = "\nrules: [a]\ntimespan: 1h\ncondition: {gte: 10}"
	for _, v := range []struct{ section, reason string }{
		{"type: event_total" + rest, `type: "event_total" is none`},
		{"rules: [a]", `type: "" is none`},
		{"type: event_count\nrules: [missing]\ntimespan: 1h\ncondition: {gte: 1}", `there is no rule "missing"`},
		{"type: event_count\nrules: [bad]\ntimespan: 1h\ncondition: {gte: 1}", `rule "bad" is refused: s: F|typo`},
		{"type: event_count\nrules: [same]\ntimespan: 1h\ncondition: {gte: 1}", `"same" is the name of 2 rules`},
		{"type: event_count\nrules: [a, id-a]\ntimespan: 1h\ncondition: {gte: 1}", `it names "id-a" twice`},
		{"type: event_count\nrules: [x]\ntimespan: 1h\ncondition: {gte: 1}", `a circle of correlations through "x"`},
		{"type: event_count\nrules: []\ntimespan: 1h\ncondition: {gte: 1}", `rules: it names none`},
		{"type: event_count\nrules: {a: b}\ntimespan: 1h\ncondition: {gte: 1}", `rules: `},
		{"type: event_count\nrules: [a]\ngroup-by: {a: b}\ntimespan: 1h\ncondition: {gte: 1}", `group-by: `},
		{"type: event_count\nrules: [a]\ncondition: {gte: 1}", `no timespan`},
		{"type: event_count\nrules: [a]\ntimespan: 1 hour\ncondition: {gte: 1}", `timespan: "1 hour"`},
		{"type: event_count\nrules: [a]\ntimespan: 0h\ncondition: {gte: 1}", `timespan: "0h"`},
		{"type: event_count\nrules: [a]\ntimespan: -1h\ncondition: {gte: 1}", `timespan: "-1h"`},
		{"type: event_count\nrules: [a]\ntimespan: 11y\ncondition: {gte: 1}", `more than ten years`},
		{"type: event_count\nrules: [a]\ntimespan: 1h", `condition: null`},
		{"type: event_count\nrules: [a]\ntimespan: 1h\ncondition: a", `condition: a value`},
		{"type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {}", `nothing to compare with`},
		{"type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {about: 5}", `unknown key "about"`},
		{"type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: many}", `"many" is no number`},
		{"type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1, field: F}", `a field, where`},
		{"type: value_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1}", `no field`},
		{"type: value_sum\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1, field: [F, G]}", `more than one field`},
		{"type: value_percentile\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1, field: F, percentile: 101}", `percentile: 101`},
		{"type: value_count\nrules: [a]\ntimespan: 1h\naliases: {f: {a: G}}\ncondition: {gte: 1, field: f}", `"f" is no field`},
		{"type: event_count\naliases: {f: {missing: G}}" + rest, `aliases: there is no rule "missing"`},
		{"type: event_count\naliases: {f: {id-b: G}}" + rest, `aliases: the correlation does not refer to "id-b"`},
		{"type: event_count\naliases: {f: {a: [G]}}" + rest, `aliases: f: a: a list`},
		{"type: event_count\naliases: {f: G}" + rest, `aliases: f: no fields`},
		{"type: event_count\naliases: f" + rest, `aliases: a value`},
		{"type: temporal\nrules: [a]\ntimespan: 1h\ncondition: a and b", `condition: no search identifier "b"`},
		{"type: temporal\nrules: [a]\ntimespan: 1h\ncondition: not a", `it holds where no rule has matched`},
		{"type: temporal\nrules: [a]\ntimespan: 1h\ncondition: a and", `condition: `},
		{"[]", `correlation: a list`},
	} {
		bad := strings.Replace(base("bad"), "{F: bad}", "{F|typo: x}", 1)
		same := strings.ReplaceAll(base("same"), "id-same", "id-same2")
		set, report := parse(sigma.Options{}, base("a"), base("b"), bad, base("same"), same, correlation("x", v.section))
		at := slices.IndexFunc(report.Refused, func(r sigma.Trouble) bool { return r.RuleID == "x" })
		if at < 0 || !strings.Contains(report.Refused[at].Reason, v.reason) {
			t.Errorf("%q: want %q, got %+v", v.section, v.reason, report.Refused)
		}
		if len(set.Correlations) != 0 || len(report.Refused) != 2 || report.Loaded != 4 {
			t.Errorf("%q: %d correlations, %+v", v.section, len(set.Correlations), report)
		}
		for _, r := range set.Rules {
			if r.Quiet {
				t.Errorf("%q: rule %s is kept quiet for a correlation that does not work", v.section, r.ID)
			}
		}
	}
}

// A circle is refused as a whole, and what hangs on it too; the correlation beside it works.
func TestCircles(t *testing.T) {
	section := func(rule string) string {
		return "type: event_count\nrules: [" + rule + "]\ntimespan: 1h\ncondition: {gte: 1}"
	}
	set, report := parse(sigma.Options{}, base("a"),
		correlation("x", section("y")), correlation("y", section("z")), correlation("z", section("x")),
		correlation("hangs", section("x")), correlation("self", section("self")), correlation("good", section("a")))
	if len(set.Correlations) != 1 || set.Correlations[0].ID != "good" || len(report.Refused) != 5 || report.Loaded != 2 {
		t.Fatalf("%d correlations, %+v", len(set.Correlations), report)
	}
	for _, r := range report.Refused {
		if !strings.Contains(r.Reason, "circle") {
			t.Errorf("%+v", r)
		}
	}
}

func TestFilters(t *testing.T) {
	const rest = "title: a filter\nid: filter\nlogsource: {product: windows}\nfilter:\n"
	const one, two = `F = "a"`, `F = "b"`
	for _, v := range []struct{ name, filter, a, b string }{
		{"what stays, as tools write it", "rules: [a]\nmine: {User|startswith: adm_}\ncondition: not mine",
			`and(` + one + `, not(User startswith "adm_"))`, two},
		{"what goes, as the specification writes it", "rules: [a]\nselection: {User|startswith: adm_}\ncondition: selection",
			`and(` + one + `, not(User startswith "adm_"))`, two},
		{"what goes, but for some", "rules: [a]\nx: {U: x}\ny: {U: y}\ncondition: x and not y",
			`and(` + one + `, not(and(U = "x", not(U = "y"))))`, two},
		{"neither of two", "rules: [a]\nx: {U: x}\ny: {U: y}\ncondition: not x and not y",
			`and(` + one + `, and(not(U = "x"), not(U = "y")))`, two},
		{"none of many", "rules: [a]\nx1: {U: x}\nx2: {U: y}\ncondition: not 1 of x*",
			`and(` + one + `, not(or(U = "x", U = "y")))`, two},
		{"by id, for two", "rules: [id-a, b]\nx: {U: x}\ncondition: not x",
			`and(` + one + `, not(U = "x"))`, `and(` + two + `, not(U = "x"))`},
		{"for any rule of the source", "rules: any\nx: {U: x}\ncondition: not x",
			`and(` + one + `, not(U = "x"))`, `and(` + two + `, not(U = "x"))`},
	} {
		t.Run(v.name, func(t *testing.T) {
			set := loaded(t, sigma.Options{}, rest+indent(v.filter), base("a"), base("b"))
			if got := show(set.Rules[0].Condition); got != v.a {
				t.Errorf("got  %s\nwant %s", got, v.a)
			}
			if got := show(set.Rules[1].Condition); got != v.b {
				t.Errorf("got  %s\nwant %s", got, v.b)
			}
			if set.Names.Len() != 2 {
				t.Errorf("%d names, want those of rules and filter", set.Names.Len())
			}
		})
	}
	linux := strings.ReplaceAll(strings.ReplaceAll(base("linux"), "windows", "linux"), "F:", "G:")
	for _, v := range []struct{ text, partly, refused string }{
		{rest + indent("rules: [a, missing]\nx: {U: x}\ncondition: not x"), `there is no rule "missing"`, ""},
		{rest + indent("rules: [a, linux]\nx: {U: x}\ncondition: not x"), `"linux" is for another log source`, ""},
		{rest + indent("rules: [a, c]\nx: {U: x}\ncondition: not x"), `"c" is no rule about one record`, ""},
		{rest + indent("rules: [a]\nx: {U: x}\ny: {U|typo: x}\ncondition: not x"), `not used by the condition: y`, ""},
		{rest + indent("rules: [missing]\nx: {U: x}\ncondition: not x"), "", `added to no rule`},
		{rest + indent("rules: []\nx: {U: x}\ncondition: not x"), "", `rules: it names none`},
		{rest + indent("x: {U: x}\ncondition: not x"), "", `rules: it names none`},
		{rest + indent("rules: [a]\nx: {U: x}"), "", `condition: `},
		{rest + indent("rules: [a]\nx: {U: x}\ncondition: [x, not x]"), "", `condition: `},
		{rest + indent("rules: [a]\nx: {U: x}\ncondition: not y"), "", `no search identifier "y"`},
		{rest + indent("rules: [a]\nx: {U|typo: x}\ncondition: not x"), "", `x: U|typo`},
		{"id: filter\nfilter: {rules: any, x: {U: x}, condition: not x}\n", "", `logsource: `},
		{"id: filter\nlogsource: {product: windows}\nfilter: [a]\n", "", `filter: a list`},
	} {
		set, report := parse(sigma.Options{}, v.text, base("a"), linux, correlation("c", "type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1}"))
		var partly, refused string
		for _, p := range report.Partly {
			partly += p.RuleID + ": " + p.Reason
		}
		for _, r := range report.Refused {
			refused += r.RuleID + ": " + r.Reason
		}
		if !strings.Contains(partly, v.partly) || (partly == "") != (v.partly == "") || !strings.Contains(refused, v.refused) || (refused == "") != (v.refused == "") {
			t.Errorf("%s\npartly %q, want %q; refused %q, want %q", v.text, partly, v.partly, refused, v.refused)
		}
		if v.refused != "" && show(set.Rules[0].Condition) != one {
			t.Errorf("%s\na refused filter is in the rule: %s", v.text, show(set.Rules[0].Condition))
		}
	}
}

// An older rule with an aggregation is one document: filters go to its records, correlations to what it counts.
func TestFilterOfAnAggregation(t *testing.T) {
	set := loaded(t, sigma.Options{},
		"title: old\nname: old\nlogsource: {product: windows}\ndetection: {s: {F: x}, timeframe: 1h, condition: s | count() by H > 3}\n",
		"title: f\nlogsource: {product: windows}\nfilter: {rules: [old], x: {U: x}, condition: not x}\n",
		correlation("outer", "type: event_count\nrules: [old]\ntimespan: 1d\ncondition: {gte: 2}"))
	if got := show(set.Rules[0].Condition); got != `and(F = "x", not(U = "x"))` {
		t.Error(got)
	}
	if len(set.Correlations) != 2 || set.Correlations[1].Refs[0].Correlation != 0 || !set.Correlations[0].Quiet {
		t.Errorf("%+v", set.Correlations)
	}
}

func TestBounds(t *testing.T) {
	for op, want := range map[sigma.BoundOp][3]bool{
		sigma.More: {false, false, true}, sigma.MoreOrAs: {false, true, true}, sigma.Less: {true, false, false},
		sigma.LessOrAs: {true, true, false}, sigma.Same: {false, true, false}, sigma.Different: {true, false, true},
	} {
		for i, n := range []float64{4, 5, 6} {
			if got := (sigma.Bound{Op: op, Number: 5}).Holds(n); got != want[i] {
				t.Errorf("%d: %v against 5: %v", op, n, got)
			}
		}
	}
}
