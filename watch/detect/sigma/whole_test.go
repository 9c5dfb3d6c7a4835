package sigma_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/test/shared"
	"wardwatch/watch/detect/sigma"
)

// ruleFolders are the folders of the community's set.
var ruleFolders = []string{"rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting"}

func wholeSet(t testing.TB) []string {
	t.Helper()
	var dirs []string
	for _, d := range ruleFolders {
		dirs = append(dirs, shared.File(t, "data", "sigma", d))
	}
	return dirs
}

// Placeholders of the community's set, and values that an invented organisation might give them.
func wholeLists(t testing.TB) map[string][]string {
	t.Helper()
	lists := map[string][]string{}
	_, report, err := sigma.Load(sigma.Options{}, wholeSet(t)...)
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
		if _, report, err = sigma.Load(sigma.Options{Lists: lists}, wholeSet(t)...); err != nil {
			t.Fatal(err)
		}
	}
	return lists
}

func TestWholeSet(t *testing.T) {
	dirs := wholeSet(t)
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

// The time of the processor, because the machine may be busy with others: the limit is for one core.
func TestWholeSetLoadsWithinASecond(t *testing.T) {
	dirs := wholeSet(t)
	var taken []time.Duration
	for range 3 {
		before := processorTime(t)
		if _, _, err := sigma.Load(sigma.Options{}, dirs...); err != nil {
			t.Fatal(err)
		}
		taken = append(taken, processorTime(t)-before)
	}
	t.Logf("loading took %v of processor time", taken)
	if best := slices.Min(taken); best > time.Second && !underRace {
		t.Errorf("loading took %v of processor time, want at most 1s", best)
	}
}

func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkLoad(b *testing.B) {
	dirs := wholeSet(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := sigma.Load(sigma.Options{}, dirs...); err != nil {
			b.Fatal(err)
		}
	}
}
