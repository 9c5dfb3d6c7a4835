package sigma_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"wardwatch/test/processor"
	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

func TestConditions(t *testing.T) {
	const searches = "a: {F: a}\nb: {F: b}\nc: {F: c}\nsel_1: {F: s1}\nsel_2: {F: s2}\nsel_3: {F: s3}\nfilter_x_y: {F: f}\n_hidden: {F: h}\n"
	const a, b, c, s1, s2, s3, f = `F = "a"`, `F = "b"`, `F = "c"`, `F = "s1"`, `F = "s2"`, `F = "s3"`, `F = "f"`
	for _, v := range []struct{ condition, want string }{
		{`a`, a},
		{`not a`, `not(` + a + `)`},
		{`not not a`, `not(not(` + a + `))`},
		{`a or b and c`, `or(` + a + `, and(` + b + `, ` + c + `))`},
		{`a and b or c`, `or(and(` + a + `, ` + b + `), ` + c + `)`},
		{`a and (b or c)`, `and(` + a + `, or(` + b + `, ` + c + `))`},
		{`not a and b`, `and(not(` + a + `), ` + b + `)`},
		{`not (a and b)`, `not(and(` + a + `, ` + b + `))`},
		{`not a or b`, `or(not(` + a + `), ` + b + `)`},
		{`(a)and(b)`, `and(` + a + `, ` + b + `)`},
		{`((a))`, a},
		{`a AND NOT b OR c`, `or(and(` + a + `, not(` + b + `)), ` + c + `)`},
		{`1 of sel_*`, `or(` + s1 + `, ` + s2 + `, ` + s3 + `)`},
		{`any of sel_*`, `or(` + s1 + `, ` + s2 + `, ` + s3 + `)`},
		{`all of sel_*`, `and(` + s1 + `, ` + s2 + `, ` + s3 + `)`},
		{`2 of sel_*`, `or(and(` + s1 + `, or(` + s2 + `, ` + s3 + `)), and(` + s2 + `, ` + s3 + `))`},
		{`3 of sel_*`, `and(` + s1 + `, ` + s2 + `, ` + s3 + `)`},
		{`1 of them`, `or(` + strings.Join([]string{a, b, c, s1, s2, s3, f}, ", ") + `)`},
		{`all of them`, `and(` + strings.Join([]string{a, b, c, s1, s2, s3, f}, ", ") + `)`},
		{`1 of *_x*`, f},
		{`1 of f*_x_*`, f},
		{`1 of f*_*_y`, f},
		{`1 of sel_1`, s1},
		{`1 of _*`, `F = "h"`},
		{`_hidden`, `F = "h"`},
		{`a and not 1 of filter_* or 1 of sel_*`, `or(and(` + a + `, not(` + f + `)), or(` + s1 + `, ` + s2 + `, ` + s3 + `))`},
		{`not 1 of sel_*`, `not(or(` + s1 + `, ` + s2 + `, ` + s3 + `))`},
		{"a and\n  (\n    b\n    or c\n  )", `and(` + a + `, or(` + b + `, ` + c + `))`},
	} {
		t.Run(v.condition, func(t *testing.T) {
			set := loaded(t, sigma.Options{}, rule(searches+fmt.Sprintf("condition: %q", v.condition)))
			if got := show(set.Rules[0].Condition); got != v.want {
				t.Errorf("got  %s\nwant %s", got, v.want)
			}
		})
	}
	for _, v := range []struct{ condition, reason string }{
		{``, `an empty condition`},
		{`d`, `no search identifier "d"`},
		{`a b`, `"b" where the condition should end`},
		{`a and`, `ends where a search identifier is expected`},
		{`and a`, `"and" where a search identifier`},
		{`(a`, `does not close`},
		{`a)`, `")" where the condition should end`},
		{`not`, `ends where`},
		{`1 of nothing_*`, `no search identifier is called so`},
		{`4 of sel_*`, `there are only 3`},
		{`0 of sel_*`, `neither a number nor all`},
		{`some of sel_*`, `neither a number nor all`},
		{`1 of`, `missing`},
		{`1 of sel_* of`, `"of" where`},
		{strings.Repeat("(", 200) + "a" + strings.Repeat(")", 200), `nested deeper than 100`},
		{strings.Repeat("not ", 10_000) + "a", `nested deeper than 100`},
		{`a | near b`, `aggregation "near b"`},
		{`a | count() > 5`, `without a timeframe`},
		{`a | max(F) > 5`, `aggregation max`},
		{`a | sum() > 5`, `without a field`},
		{`a |`, `aggregation ""`},
	} {
		t.Run(v.condition[:min(len(v.condition), 40)], func(t *testing.T) {
			got := refused(t, rule(searches+fmt.Sprintf("condition: %q", v.condition)))
			if !strings.HasPrefix(got, "condition: ") || !strings.Contains(got, v.reason) {
				t.Errorf("refused because %q, want %q", got, v.reason)
			}
		})
	}
}

func TestTooManyChoices(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "s%d: {F: x}\n", i)
	}
	if got := refused(t, rule(b.String()+"condition: 20 of s*")); !strings.Contains(got, "20 of 40 in more than 4096 ways") {
		t.Error(got)
	}
	loaded(t, sigma.Options{}, rule(b.String()+"condition: 39 of s*"))
}

// What a rule of a few kB could become is refused before it takes the memory.
func TestRulesThatGrow(t *testing.T) {
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "s%d: {F: [%s]}\n", i, strings.TrimSuffix(strings.Repeat("a, ", 20), ", "))
	}
	list := make([]string, 40_000)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	expressions := make([]string, 100)
	for i := range expressions {
		expressions[i] = fmt.Sprintf("'%d.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}'", i)
	}
	for _, v := range []struct{ name, detection, reason string }{
		{"names", many.String() + "condition: " + strings.TrimSuffix(strings.Repeat("1 of them or ", 200), " or "), "more than 100000 search identifiers"},
		{"comparisons", many.String() + "condition: " + strings.TrimSuffix(strings.Repeat("1 of them or ", 50), " or "), "more than 500000 comparisons"},
		{"value lists", "s: {F|expand: '%ids%%ids%'}\ncondition: s", "expand: more than 50000 values"},
		{"value lists side by side", "s: {F|expand: [" + strings.TrimSuffix(strings.Repeat("'%ids%', ", 20), ", ") + "]}\ncondition: s", "more than 500000 comparisons"},
		{"dashes", "s: {F|windash: [" + strings.TrimSuffix(strings.Repeat("'----', ", 1000), ", ") + "]}\ncondition: s", "more than 500000 comparisons"},
		{"expressions", "s: {F|re: [" + strings.Join(expressions, ", ") + "]}\ncondition: s", "more than 500000 comparisons and steps"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, report := parse(sigma.Options{Lists: map[string][]string{"ids": list}}, rule(v.detection))
			if len(report.Refused) != 1 || !strings.Contains(report.Refused[0].Reason, v.reason) {
				t.Errorf("%d loaded, refused %+v", report.Loaded, report.Refused)
			}
		})
	}
}

// What a search identifier can look like.
func TestSearches(t *testing.T) {
	for _, v := range []struct{ name, search, want string }{
		{"a map", "{A: x, B|contains: [y, z]}", `and(A = "x", or(B contains "y", B contains "z"))`},
		{"a list of maps", "[{A: x, B: y}, {A: z}]", `or(and(A = "x", B = "y"), A = "z")`},
		{"keywords", "[x, 'y*z', 7]", `or(any field contains "x", any field like * "y" * "z" *, any field contains "7")`},
		{"one keyword", "x", `any field contains "x"`},
		{"keywords and maps", "[x, {A: y}]", `or(any field contains "x", A = "y")`},
		{"all keywords", "{'|all': [x, y]}", `and(any field contains "x", any field contains "y")`},
		{"all keywords in a list", "[{'|all': [x, y]}, {'|all': [z]}]", `or(and(any field contains "x", any field contains "y"), any field contains "z")`},
		{"the same field twice", "{A|startswith: x, A|endswith: y}", `and(A startswith "x", A endswith "y")`},
	} {
		t.Run(v.name, func(t *testing.T) {
			set := loaded(t, sigma.Options{}, rule("selection: "+v.search+"\ncondition: selection"))
			if got := show(set.Rules[0].Condition); got != v.want {
				t.Errorf("got  %s\nwant %s", got, v.want)
			}
		})
	}
	for _, v := range []struct{ search, reason string }{
		{"{}", "empty"}, {"[]", "empty"}, {"", "empty"}, {"[[a]]", "a list in a list"}, {"[null]", "empty"}, {"[{}]", "empty"}, {"''", "empty keyword"},
	} {
		if got := refused(t, rule("selection: "+v.search+"\ncondition: selection")); !strings.Contains(got, v.reason) {
			t.Errorf("%s: refused because %q, want %q", v.search, got, v.reason)
		}
	}
}

func TestRuleIsReadWhole(t *testing.T) {
	const text = `
title: 'Wardwatch: a test'
id: 0c0ffee0-0000-4000-8000-000000000002
name: a_test
status: stable
level: High
tags: [attack.t1059.001, cve.2025-4427]
logsource: {product: Windows, category: process_creation, service: Sysmon, definition: ignored}
detection:
    selection: {Image: x, Other|fieldref: Third}
    condition: selection
custom: {anything: [goes]}
`
	set := loaded(t, sigma.Options{}, text)
	r := set.Rules[0]
	if r.ID != "0c0ffee0-0000-4000-8000-000000000002" || r.Title != "Wardwatch: a test" || r.Level != "high" || r.Status != "stable" ||
		r.File != "rule0.yml" || r.Quiet || !slices.Equal(r.Tags, []string{"attack.t1059.001", "cve.2025-4427"}) ||
		r.Source != (watch.Source{Product: "windows", Category: "process_creation", Service: "sysmon"}) {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"image", "Oth er", "Third"} {
		if set.Names.Find([]byte(name)) == 0 {
			t.Errorf("field %q is not in the set's names", name)
		}
	}
	if set.Names.Len() != 3 {
		t.Errorf("%d names, want 3", set.Names.Len())
	}
}

// A rule always has an ID that detections can be told apart by.
func TestRuleWithoutID(t *testing.T) {
	const rest = "logsource: {product: p}\ndetection: {s: {F: x}, condition: s}\n"
	set := loaded(t, sigma.Options{}, "name: n\ntitle: t\n"+rest, "title: t\n"+rest, rest)
	for i, want := range []string{"n", "t", "rule2.yml"} {
		if set.Rules[i].ID != want {
			t.Errorf("got ID %q, want %q", set.Rules[i].ID, want)
		}
	}
}

func TestSeveralConditions(t *testing.T) {
	set := loaded(t, sigma.Options{}, rule("a: {F: a}\nb: {F: b}\ncondition: [a, not b]"))
	if got := show(set.Rules[0].Condition); got != `or(F = "a", not(F = "b"))` {
		t.Error(got)
	}
}

// What works in part works in part, and says which part does not.
func TestPartly(t *testing.T) {
	for _, v := range []struct{ name, text, condition, reason string }{
		{"one condition of two", rule("a: {F: a}\ncondition: [a, missing]"), `F = "a"`, `condition: no search identifier "missing"`},
		{"a search nobody uses", rule("a: {F: a}\nb: {F|typo: b}\ncondition: a"), `F = "a"`, `not used by the condition: b: F|typo: unknown modifier "typo"`},
		{"a timeframe alone", rule("a: {F: a}\ntimeframe: 5m\ncondition: a"), `F = "a"`, `timeframe without an aggregation`},
		{"an aggregation beside others", rule("a: {F: a}\ntimeframe: 5m\ncondition: [a, a | count() > 5]"), `F = "a"`, `an aggregation beside other conditions`},
		{"another taxonomy", rule("a: {F: a}\ncondition: a") + "taxonomy: ecs\n", `F = "a"`, `taxonomy "ecs"`},
		{"an unknown level", rule("a: {F: a}\ncondition: a") + "level: dire\n", `F = "a"`, `level: "dire"`},
		{"tags that are none", rule("a: {F: a}\ncondition: a") + "tags: {a: b}\n", `F = "a"`, `tags: `},
	} {
		t.Run(v.name, func(t *testing.T) {
			set, report := parse(sigma.Options{}, v.text)
			if len(report.Partly) != 1 || len(report.Refused) != 0 || report.Loaded != 0 || !strings.Contains(report.Partly[0].Reason, v.reason) {
				t.Fatalf("%+v", report)
			}
			if report.Partly[0].RuleID != "0c0ffee0-0000-4000-8000-000000000001" || report.Partly[0].File != "rule0.yml" {
				t.Errorf("%+v", report.Partly[0])
			}
			if got := show(set.Rules[0].Condition); got != v.condition {
				t.Errorf("got %s, want %s", got, v.condition)
			}
		})
	}
}

const good = "title: good\nid: good\nlogsource: {product: p}\ndetection: {s: {F: x}, condition: s}\n"

// Each bad document is refused with its reason, and the good one beside it works.
func TestBadDocuments(t *testing.T) {
	bomb := "title: bomb\nid: bomb\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i-1), 10), ", "))
	}
	for _, v := range []struct{ name, text, id, reason string }{
		{"aliases that grow", bomb, "bomb", "more than 200000 values"},
		{"an alias of itself", "id: loop\ndetection: &x {s: *x}\n", "loop", "nested deeper than 50"},
		{"deep lists", "id: deep\nx: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", "deep", "nested deeper than 50"},
		{"very deep lists", "id: deep\nx: " + strings.Repeat("[", 20000) + "\n", "deep", "not YAML"},
		{"a key twice", "id: twice\ndetection: {s: {F: a, F: b}, condition: s}\n", "twice", `key "F" twice`},
		{"a key twice at the top", "id: twice\nid: again\n", "twice", `key "id" twice`},
		{"no YAML", "id: broken\ntitle: [\n", "broken", "not YAML"},
		{"a tab", "id: tab\ndetection:\n\ts: x\n", "tab", "not YAML"},
		{"an unknown alias", "id: alias\nx: *nobody\n", "alias", "not YAML"},
		{"a map as a key", "id: key\n? {a: b}\n: c\n", "key", "a map as a key"},
		{"binary data", "id: bin\ndetection: {s: {F: !!binary aGVsbG8=}, condition: s}\n", "bin", "binary data"},
		{"a text", "just a text\n", "", "a value where a rule is expected"},
		{"a list", "- a\n", "", "a list where a rule is expected"},
		{"no detection", "id: none\ntitle: x\n", "none", "none of detection, correlation and filter"},
		{"no logsource", "id: src\ndetection: {s: {F: x}, condition: s}\n", "src", "logsource: "},
		{"an empty logsource", "id: src\nlogsource: {definition: x}\ndetection: {s: {F: x}, condition: s}\n", "src", "neither product nor category"},
		{"an empty detection", "id: empty\nlogsource: {product: p}\ndetection: {}\n", "empty", "no condition"},
		{"a detection that is a list", "id: list\nlogsource: {product: p}\ndetection: [a]\n", "list", "a list where a map"},
		{"no condition", "id: cond\nlogsource: {product: p}\ndetection: {s: {F: x}}\n", "cond", "no condition"},
		{"a condition that is a map", "id: cond\nlogsource: {product: p}\ndetection: {s: {F: x}, condition: {a: b}}\n", "cond", "condition: "},
		{"a merge of a text", "id: merge\ndetection: {<<: x}\n", "merge", "<< of what is no map"},
		{"only a comment", "# nothing\n", "", "no rule in it"},
	} {
		t.Run(v.name, func(t *testing.T) {
			set, report := parse(sigma.Options{}, v.text, good)
			if len(report.Refused) != 1 || report.Loaded != 1 || len(set.Rules) != 1 || set.Rules[0].ID != "good" {
				t.Fatalf("%d rules, %+v", len(set.Rules), report)
			}
			if r := report.Refused[0]; r.RuleID != v.id || r.File != "rule0.yml" || !strings.Contains(r.Reason, v.reason) {
				t.Errorf("got %+v, want %q because of %q", r, v.id, v.reason)
			}
			if v.reason == "no rule in it" || v.text == "just a text\n" {
				return // what follows would belong to it
			}
			set, report = parse(sigma.Options{}, v.text+"---\n"+good)
			if len(report.Refused) != 1 || report.Loaded != 1 || len(set.Rules) != 1 || set.Rules[0].ID != "good" {
				t.Errorf("in one file: %d rules, %+v", len(set.Rules), report)
			}
		})
	}
	for _, v := range []struct{ name, text, reason string }{
		{"no UTF-8", "title: \xff\xfe\n", "not UTF-8"},
		{"UTF-16", "\xff\xfet\x00i\x00", "not UTF-8"},
		{"nothing", "", "no rule in it"},
		{"a huge file", "title: " + strings.Repeat("x", 5<<20), "more than 4194304"},
		{"many documents", strings.Repeat("---\na: b\n", 20_000), "more than 10000 documents"},
	} {
		t.Run(v.name, func(t *testing.T) {
			set, report := parse(sigma.Options{}, v.text, good)
			if report.Loaded != 1 || len(set.Rules) != 1 || !slices.ContainsFunc(report.Refused, func(r sigma.Trouble) bool {
				return strings.Contains(r.Reason, v.reason) && r.File == "rule0.yml"
			}) {
				t.Errorf("%d rules, %d loaded, %d refused", len(set.Rules), report.Loaded, len(report.Refused))
			}
		})
	}
}

func TestTheSameIDTwice(t *testing.T) {
	set, report := parse(sigma.Options{}, good, good)
	if len(set.Rules) != 1 || len(report.Refused) != 1 || report.Refused[0].File != "rule1.yml" || !strings.Contains(report.Refused[0].Reason, "rule0.yml") {
		t.Errorf("%d rules, %+v", len(set.Rules), report)
	}
}

func TestAnchorsAndMerges(t *testing.T) {
	set := loaded(t, sigma.Options{}, rule("base: &base {A: x, B: y}\ns:\n    <<: *base\n    B: z\n    C: &list [1, 2]\nt: {D: *list}\ncondition: s and t"))
	const want = `and(and(B = "z", or(C = "1", C = "2"), A = "x"), or(D = "1", D = "2"))`
	if got := show(set.Rules[0].Condition); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestActions(t *testing.T) {
	set := loaded(t, sigma.Options{}, `
action: global
title: shared
logsource: {product: windows}
detection:
    condition: s
---
id: one
logsource: {service: security}
detection: {s: {F: 1}}
---
action: repeat
id: two
logsource: {service: system}
---
action: reset
---
id: three
title: own
logsource: {product: linux}
detection: {s: {F: 3}, condition: not s}
`)
	var got []string
	for _, r := range set.Rules {
		got = append(got, fmt.Sprintf("%s %s %s/%s %s", r.ID, r.Title, r.Source.Product, r.Source.Service, show(r.Condition)))
	}
	want := []string{`one shared windows/security F = "1"`, `two shared windows/system F = "1"`, `three own linux/ not(F = "3")`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b/one.yml": good, "a/two.YAML": strings.ReplaceAll(good, "good", "two"), "a/readme.md": "no rule", "__MACOSX/._one.yml": "\x00", ".git/x.yml": "x", "a/.hidden.yml": "x",
		"c/broken.yml": "[",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, report, err := sigma.Load(sigma.Options{}, dir, filepath.Join(dir, "b"), filepath.Join(dir, "b", "one.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) != 2 || set.Rules[0].ID != "two" || set.Rules[1].ID != "good" || set.Rules[1].File != filepath.Join(dir, "b", "one.yml") ||
		len(report.Refused) != 1 || report.Refused[0].File != filepath.Join(dir, "c", "broken.yml") {
		t.Errorf("%d rules, %+v", len(set.Rules), report)
	}
	if _, _, err := sigma.Load(sigma.Options{}, filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there is no error")
	}
	files, err := sigma.FilesIn(fstest.MapFS{"rules/x.yml": {Data: []byte(good)}, "rules/x.txt": {Data: []byte("sample")}})
	if err != nil || len(files) != 1 || files[0].Name != "rules/x.yml" {
		t.Errorf("%v %v", files, err)
	}
}

func TestReadLists(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("servers.txt", "\ufeff# our servers\nsrv1.trust-a.example\r\n\n  srv2.trust-a.example  \n")
	write("nobody.txt", "")
	write("lists.yml", "'%admins%': [adm_*, root]\nservers: srv3.trust-a.example\nyears: [2025]\n")
	lists, err := sigma.ReadLists(dir)
	if err != nil {
		t.Fatal(err)
	}
	servers := lists["servers"]
	slices.Sort(servers)
	if !slices.Equal(servers, []string{"srv1.trust-a.example", "srv2.trust-a.example", "srv3.trust-a.example"}) ||
		!slices.Equal(lists["admins"], []string{"adm_*", "root"}) || !slices.Equal(lists["years"], []string{"2025"}) || len(lists) != 4 {
		t.Errorf("%q", lists)
	}
	if _, known := lists["nobody"]; !known {
		t.Error("an empty list is no list")
	}
	other := t.TempDir()
	dir = other
	for name, text := range map[string]string{"a.yml": "- x", "b.yml": "x: {y: z}", "c.txt": "\xff", "d.csv": "x", "e.yml": "["} {
		if _, err := sigma.ReadLists(write(name, text)); err == nil {
			t.Errorf("%s is no value list, and no error", name)
		}
	}
}

func TestAggregations(t *testing.T) {
	for _, v := range []struct {
		condition string
		want      sigma.Correlation
	}{
		{`s | count() > 5`, sigma.Correlation{Kind: sigma.EventCount, Bounds: []sigma.Bound{{Op: sigma.More, Number: 5}}}},
		{`s | count() by User >= 5`, sigma.Correlation{Kind: sigma.EventCount, GroupBy: []string{"User"}, Bounds: []sigma.Bound{{Op: sigma.MoreOrAs, Number: 5}}}},
		{`s | count(Target) by User, Host < 2`, sigma.Correlation{
			Kind: sigma.ValueCount, Fields: []string{"Target"}, GroupBy: []string{"User", "Host"}, Bounds: []sigma.Bound{{Op: sigma.Less, Number: 2}},
		}},
		{`s | SUM(bytes) = 1.5`, sigma.Correlation{Kind: sigma.ValueSum, Fields: []string{"bytes"}, Bounds: []sigma.Bound{{Op: sigma.Same, Number: 1.5}}}},
	} {
		set := loaded(t, sigma.Options{}, rule("s: {F: x}\ntimeframe: 90m\ncondition: "+v.condition))
		if len(set.Rules) != 1 || !set.Rules[0].Quiet || len(set.Correlations) != 1 {
			t.Fatalf("%s: %d rules, %d correlations", v.condition, len(set.Rules), len(set.Correlations))
		}
		c := set.Correlations[0]
		if c.ID != set.Rules[0].ID || c.Quiet || c.Timespan != 90*time.Minute || len(c.Refs) != 1 || c.Refs[0].Rule != 0 ||
			c.Kind != v.want.Kind || !slices.Equal(c.Fields, v.want.Fields) || !slices.Equal(c.GroupBy, v.want.GroupBy) || !slices.Equal(c.Bounds, v.want.Bounds) {
			t.Errorf("%s: %+v", v.condition, c)
		}
	}
}

// Files whose reading could take much longer than their size are read or refused in little time.
func TestFilesThatTakeTime(t *testing.T) {
	lines := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	var chain strings.Builder
	for i := range 9_000 {
		fmt.Fprintf(&chain, "---\nid: c%d\ncorrelation: {type: event_count, rules: [c%d], timespan: 1h, condition: {gte: 1}}\n", i, i+1)
	}
	fmt.Fprint(&chain, "---\nid: c9000\ncorrelation: {type: event_count, rules: [good], timespan: 1h, condition: {gte: 1}}\n")
	anyFilter := "---\ntitle: f%d\nlogsource: {product: p}\nfilter: {rules: any, s: {U: x}, condition: not s}\n"
	for _, v := range []struct{ name, text string }{
		{"keys", rule("s:\n" + lines(60_000, "    k%d: a\n") + "condition: s")},
		{"search identifiers", rule(lines(9_000, "s%d: {F: a}\n") + "condition: " + strings.Repeat("1 of x* or ", 5_000) + "s1")},
		{"long conditions", rule("s: {F: a}\ncondition: " + strings.Repeat("s or ", 300_000) + "s")},
		{"many conditions", rule("s: {F: a}\ncondition: [" + strings.Repeat("s, ", 90_000) + "s]")},
		{"many rules in a correlation", good + "---\n" + correlation("x", "type: temporal\nrules: ["+lines(90_000, "r%d, ")+"]\ntimespan: 1h")},
		{"filters of any rule", lines(3_000, "---\nid: r%d\nlogsource: {product: p}\ndetection: {s: {F: x}, condition: s}\n") + lines(3_000, anyFilter)},
		{"one name for all", lines(5_000, "---\nname: same\ntitle: t%d\nlogsource: {product: p}\ndetection: {s: {F: x}, condition: s}\n") +
			lines(4_000, "---\nid: c%d\ncorrelation: {type: event_count, rules: [same], timespan: 1h, condition: {gte: 1}}\n")},
		{"a chain of correlations", good + chain.String()},
		{"a long quotation", rule("s: {F|" + strings.Repeat("x", 1<<20) + ": a}\ncondition: s")},
		{"quotes", strings.Repeat(`"`, 1<<20)},
		{"brackets", strings.Repeat("[{", 4_000)},
		{"anchors", lines(90_000, "a%d: &x%[1]d\n")},
		{"stars", rule("s: {F|contains: '" + strings.Repeat("*a", 1<<19) + "'}\ncondition: s")},
		{"question marks", rule("s: {F|contains: '" + strings.Repeat("?a", 1<<19) + "'}\ncondition: s")},
	} {
		t.Run(v.name, func(t *testing.T) {
			before := processor.Time(t)
			_, report := parse(sigma.Options{}, v.text)
			t.Logf("%d bytes took %v of the processor", len(v.text), processor.Time(t)-before)
			for _, r := range report.Refused {
				if len(r.Reason) > 2_000 || len(r.RuleID) > 2_000 {
					t.Errorf("a reason of %d bytes for a rule called by %d", len(r.Reason), len(r.RuleID))
				}
			}
		})
	}
}
