package sigma_test

import (
	"strings"
	"testing"

	"wardwatch/test/telemetry"
	"wardwatch/watch/detect/sigma"
)

// Placeholders of the community's set, and values that an invented organisation might give them.
func wholeLists(t testing.TB) map[string][]string {
	t.Helper()
	lists := map[string][]string{}
	_, report, err := sigma.Load(sigma.Options{}, telemetry.Rules(t)...)
	if err != nil {
		t.Fatal(err)
	}
	for round := 0; round < 10 && len(report.Refused) > 0; round++ {
		for _, r := range report.Refused {
			_, name, found := strings.Cut(r.Reason, "no value list for placeholder ")
			if !found {
				t.Fatalf("%s: %s", r.File, r.Reason)
			}
			lists[strings.Trim(name, `"`)] = []string{"dc1", "dc2", "192.0.2.7"}
		}
		if _, report, err = sigma.Load(sigma.Options{Lists: lists}, telemetry.Rules(t)...); err != nil {
			t.Fatal(err)
		}
	}
	return lists
}

func TestWholeSet(t *testing.T) {
	dirs := telemetry.Rules(t)
	set, report, err := sigma.Load(sigma.Options{}, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	if n := report.Loaded + len(report.Partly) + len(report.Refused); n != 3780 {
		t.Errorf("%d rules are accounted for, want 3780", n)
	}
	if len(set.Rules) != report.Loaded {
		t.Errorf("%d rules in the set, %d loaded", len(set.Rules), report.Loaded)
	}
	for _, p := range report.Partly {
		t.Errorf("partly: %s: %s", p.File, p.Reason)
	}
	for _, r := range report.Refused {
		if !strings.Contains(r.Reason, "expand: no value list for placeholder") || r.RuleID == "" {
			t.Errorf("refused: %s: %s", r.File, r.Reason)
		}
	}
	if len(report.Refused) == 0 {
		t.Error("no rule is refused for want of its value list")
	}
	lists := wholeLists(t)
	_, report, err = sigma.Load(sigma.Options{Lists: lists}, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	if report.Loaded != 3780 {
		t.Errorf("with %d value lists %d are loaded, want 3780: %v %v", len(lists), report.Loaded, report.Partly, report.Refused)
	}
}

func BenchmarkLoad(b *testing.B) {
	dirs := telemetry.Rules(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := sigma.Load(sigma.Options{}, dirs...); err != nil {
			b.Fatal(err)
		}
	}
}
