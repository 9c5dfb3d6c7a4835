package sigma_test

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/test/telemetry"
	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
	"wardwatch/watch/ingest/file"
)

// A regressionCase is one of the community's: events, and how many of them the rule must match.
type regressionCase struct {
	name   string
	events string // path without .json or .evtx
	rules  []string
	count  int // -1: at least one
}

var (
	ruleOf  = regexp.MustCompile(`(?m)^\s+-\s+id:\s*(\S+)`)
	pathOf  = regexp.MustCompile(`(?m)^\s+path:\s*(\S+)\.evtx`)
	countOf = regexp.MustCompile(`(?m)^\s+match_count:\s*(\d+)`)
)

// corrected are the counts that were too low in the community's cases when they were taken, and that it has put right since
// (github.com/SigmaHQ/sigma/pull/6211): every record of both cases fulfils its rule word for word. An entry that the cases
// agree with is to be taken out.
var corrected = map[string]struct{ was, is int }{
	"45e112d0-7759-4c2a-aa36-9f8fb79d3393": {1, 3}, // IE Change Domain Zone: https, http and * of one domain
	"c7dcacd0-cc59-4004-b0a4-1d6cdebe6f3e": {1, 2}, // Disable Administrative Share Creation at Startup: AutoShareServer and AutoShareWks
}

// regressionCases are all cases that the community's folder holds, one for each test that an info.yml describes.
func regressionCases(t testing.TB) []regressionCase {
	t.Helper()
	root := shared.File(t, "data", "sigma", "regression")
	var cases []regressionCase
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "info.yml" {
			return err
		}
		text, err := os.ReadFile(path) //nolint:gosec // of the shared data
		if err != nil {
			return err
		}
		about, tests, found := strings.Cut(string(text), "regression_tests_info:")
		rules := ruleOf.FindAllStringSubmatch(about, -1)
		if !found || len(rules) == 0 {
			return fmt.Errorf("%s: no rules or no tests", path)
		}
		for _, test := range strings.Split(tests, "- name:")[1:] {
			c := regressionCase{name: filepath.Base(filepath.Dir(path)), count: -1}
			for _, rule := range rules {
				c.rules = append(c.rules, rule[1])
			}
			events := pathOf.FindStringSubmatch(test)
			if events == nil {
				return fmt.Errorf("%s: no path", path)
			}
			c.events = filepath.Join(filepath.Dir(path), filepath.Base(events[1]))
			if count := countOf.FindStringSubmatch(test); count != nil {
				c.count, _ = strconv.Atoi(count[1])
			}
			if correction, ok := corrected[c.rules[0]]; ok {
				if c.count != correction.was {
					t.Errorf("%s: the count is %d, and was to be corrected from %d", path, c.count, correction.was)
				}
				c.count = correction.is
			}
			cases = append(cases, c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// each reads the events of files into records; what cannot be read fails the test.
func each(t testing.TB, names *watch.Names, do func(e file.Event, r *watch.Record), paths ...string) {
	t.Helper()
	decoder, r := watch.NewDecoder(names), &watch.Record{}
	o := file.Options{Trouble: func(trouble file.Trouble) { t.Errorf("%v", trouble) }}
	err := file.Each(t.Context(), paths, o, func(e file.Event) error {
		if e.Format != watch.JSON {
			return fmt.Errorf("%s: %v, not JSON", e.File, e.Format)
		}
		if rest, err := decoder.JSON(e.Raw, r); err != nil || strings.TrimSpace(string(rest)) != "" {
			return fmt.Errorf("%s: record %d: %w, rest %q", e.File, e.Record, err, rest)
		}
		do(e, r)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRegression is the community's own suite: every case gives exactly its count, read from JSON and from the Windows event
// log itself, by both engines.
func TestRegression(t *testing.T) {
	cases := regressionCases(t)
	set, _, err := sigma.Load(sigma.Options{}, telemetry.Rules(t)...)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 111 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, engine := range engines {
		e := engine.make(set)
		for _, format := range []string{".json", ".evtx"} {
			records, right := 0, 0
			for _, c := range cases {
				counts := map[string]int{}
				each(t, set.Names, func(_ file.Event, r *watch.Record) {
					records++
					for _, hit := range e.Match(r, nil) {
						counts[set.Rules[hit].ID]++
					}
				}, c.events+format)
				ok := true
				for _, rule := range c.rules {
					if n := counts[rule]; n != c.count && (c.count >= 0 || n == 0) {
						t.Errorf("%s: %s%s: rule %s matches %d records, want %d (-1: at least one)", engine.name, c.name, format, rule, n, c.count)
						ok = false
					}
				}
				if ok {
					right++
				}
			}
			t.Logf("%s, %s: %d of %d cases right, %d records", engine.name, format, right, len(cases), records)
		}
	}
}

// TestEventLogsSayWhatTheirJSONSays: a record fulfils the same rules whichever way it came.
func TestEventLogsSayWhatTheirJSONSays(t *testing.T) {
	set, _, err := sigma.Load(sigma.Options{}, telemetry.Rules(t)...)
	if err != nil {
		t.Fatal(err)
	}
	e := sigma.Compile(set).Engine()
	for _, c := range regressionCases(t) {
		var pairs [2][]string
		for i, format := range []string{".json", ".evtx"} {
			each(t, set.Names, func(event file.Event, r *watch.Record) {
				for _, hit := range e.Match(r, nil) {
					pairs[i] = append(pairs[i], fmt.Sprint(event.Record, " ", set.Rules[hit].ID))
				}
			}, c.events+format)
		}
		if !slices.Equal(pairs[0], pairs[1]) {
			t.Errorf("%s: from JSON %q, from the event log %q", c.name, pairs[0], pairs[1])
		}
	}
}

var update = flag.Bool("update", false, "write testdata/pairs.txt anew; say in the commit why it changes")

// TestPairs holds what every event of the regression cases and of the public attack recordings fulfils against the list that is
// kept: a line for each file and rule, with how many records and which. A change to it is a change of what we detect.
func TestPairs(t *testing.T) {
	const golden = "testdata/pairs.txt"
	set, _, err := sigma.Load(sigma.Options{}, telemetry.Rules(t)...)
	if err != nil {
		t.Fatal(err)
	}
	e := sigma.Compile(set).Engine()
	root := shared.File(t, "data")
	found := map[[2]string][]int{} // by file and rule: records
	each(t, set.Names, func(event file.Event, r *watch.Record) {
		name, err := filepath.Rel(root, event.File)
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range e.Match(r, nil) {
			pair := [2]string{filepath.ToSlash(name), set.Rules[hit].ID}
			found[pair] = append(found[pair], event.Record)
		}
	}, eventFiles(t)...)
	got := pairsText(found)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not the pairs of %s (if this is meant: go test -run TestPairs -update)", golden)
		was, is := pairLines(string(want)), pairLines(got)
		for _, line := range without(was, is) {
			t.Errorf("- %s", line)
		}
		for _, line := range without(is, was) {
			t.Errorf("+ %s", line)
		}
	}
}

// eventFiles are the regression cases as JSON, and the attack recordings.
func eventFiles(t testing.TB) []string {
	t.Helper()
	var paths []string
	for _, c := range regressionCases(t) {
		paths = append(paths, c.events+".json")
	}
	return append(paths, shared.File(t, "data", "events", "otrf"))
}

// pairsText is a heading for each file, and below it its rules: how many records, and which, as ranges.
func pairsText(found map[[2]string][]int) string {
	pairs := slices.SortedFunc(maps.Keys(found), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var b strings.Builder
	heading := ""
	for _, pair := range pairs {
		if pair[0] != heading {
			heading = pair[0]
			fmt.Fprintln(&b, heading)
		}
		records := found[pair]
		fmt.Fprintf(&b, "  %s %d:%s\n", pair[1], len(records), ranges(records))
	}
	return b.String()
}

// ranges writes ascending numbers shortly: " 1-3 7".
func ranges(numbers []int) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		from := numbers[i]
		for i++; i < len(numbers) && numbers[i] == numbers[i-1]+1; i++ {
		}
		if fmt.Fprintf(&b, " %d", from); numbers[i-1] > from {
			fmt.Fprintf(&b, "-%d", numbers[i-1])
		}
	}
	return b.String()
}

// pairLines are the lines of pairsText, each with its file.
func pairLines(text string) []string {
	var lines []string
	heading := ""
	for line := range strings.Lines(text) {
		if pair, indented := strings.CutPrefix(line, "  "); indented {
			lines = append(lines, heading+" "+strings.TrimSpace(pair))
		} else {
			heading = strings.TrimSpace(line)
		}
	}
	return lines
}

// without are the lines of a that b does not have.
func without(a, b []string) []string {
	known := map[string]bool{}
	for _, line := range b {
		known[line] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(line string) bool { return known[line] })
}
