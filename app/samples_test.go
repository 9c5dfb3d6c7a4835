package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/app"
)

const starterDir = "../watch/detect/starter"

// TestStarterRules runs the samples of every rule that the program brings with it. None may be without both kinds.
func TestStarterRules(t *testing.T) {
	dir := filepath.Join(starterDir, "rules")
	report, err := app.TestRules(t.Context(), app.RulesOptions{Dirs: []string{dir}, Lists: []string{filepath.Join(starterDir, "lists")}})
	if err != nil || len(report.Refused) > 0 || len(report.Without) > 0 || len(report.Rules) < 15 {
		var text strings.Builder
		report.Text(&text)
		t.Errorf("%v, without samples: %q\n%s", err, report.Without, text.String())
	}
	for _, r := range report.Rules {
		name := strings.TrimSuffix(r.File, ".yml")
		for _, kind := range []string{".true.*", ".false.*"} {
			if found, _ := filepath.Glob(name + kind); len(found) == 0 {
				t.Errorf("%s has no sample %s", r.File, kind)
			}
		}
	}
}

// TestSamplesFail: a sample that does not come out as it should is named, with its rule's values or the record that was missed.
func TestSamplesFail(t *testing.T) {
	const rule = "title: Port forwarded\nid: 0f3c1a52-4a0e-4f57-9c55-6a8f5c7d1e11\nlogsource: {product: windows, category: process_creation}\ndetection:\n  s: {CommandLine|contains: v4tov4}\n  condition: s\n"
	quiet := strings.Replace(forwarding(1), "v4tov4", "show", 1)
	for _, row := range []struct {
		name  string
		files map[string]string
		want  string // part of the first failure; empty: all is well
	}{
		{"well", map[string]string{"r.true.ndjson": forwarding(1) + "\n" + forwarding(2), "r.false.ndjson": quiet}, ""},
		{"missed", map[string]string{"r.true.ndjson": forwarding(1) + "\n" + quiet}, "r.true.ndjson, record 2: no rule matches"},
		{"too much", map[string]string{"r.false.ndjson": quiet + "\n" + forwarding(1)}, `r.false.ndjson, record 2: "Port forwarded" matches and should not: CommandLine=netsh`},
		{"empty", map[string]string{"r.true.ndjson": "\n"}, "r.true.ndjson: no event in it"},
		{"bad", map[string]string{"r.false.ndjson": forwarding(1)[:50]}, "r.false.ndjson: record 1"},
		{"described", map[string]string{"case/info.yml": "rule_metadata: [{id: 0f3c1a52-4a0e-4f57-9c55-6a8f5c7d1e11}]\nregression_tests_info: [{path: far/away/e.json, match_count: 2}]\n", "case/e.json": forwarding(1) + forwarding(2)}, ""},
		{"described wrongly", map[string]string{"case/info.yml": "rule_metadata: [{id: 0f3c1a52-4a0e-4f57-9c55-6a8f5c7d1e11}]\nregression_tests_info: [{path: far/away/e.json, match_count: 3}]\n", "case/e.json": forwarding(1) + forwarding(2)}, "e.json: 2 matches, want 3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			row.files["r.yml"] = rule
			for name, content := range row.files {
				path := filepath.Join(dir, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			report, err := app.TestRules(t.Context(), app.RulesOptions{Dirs: []string{dir}})
			if len(report.Rules) != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			failures := report.Rules[0].Failures
			switch {
			case row.want == "" && (err != nil || len(failures) > 0):
				t.Errorf("%v, %q", err, failures)
			case row.want != "" && (!errors.Is(err, app.ErrSamples) || len(failures) == 0 || !strings.Contains(failures[0], row.want)):
				t.Errorf("%v, %q, want %q", err, failures, row.want)
			}
		})
	}
}
