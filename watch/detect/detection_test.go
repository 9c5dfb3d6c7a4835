package detect_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"wardwatch/watch/detect"
)

func TestTechniquesComeFromTags(t *testing.T) {
	for _, row := range []struct {
		tags []string
		want []string
	}{
		{[]string{"attack.t1190", "attack.T1059.001", "attack.t1190"}, []string{"T1190", "T1059.001"}},
		{[]string{"attack.initial-access", "attack.g0016", "attack.s0154", "cve.2025-4427", "tlp.clear"}, nil},
		{[]string{"attack.t119", "attack.t11900", "attack.t1059.01", "attack.t1059,001", "attack.t1059.0011", "attack.t", "attack.ttps"}, nil},
	} {
		if got := detect.Techniques(row.tags); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%q: got %q, want %q", row.tags, got, row.want)
		}
	}
}

func TestUrgencyOrdersLevels(t *testing.T) {
	order := []string{"critical", "High", "medium", "low", "informational", "unheard"}
	for i := range order[1:] {
		if detect.Urgency(order[i]) >= detect.Urgency(order[i+1]) {
			t.Errorf("%s does not come before %s", order[i], order[i+1])
		}
	}
}

func seen(rule, host, value string, minute int) detect.Detection {
	return detect.Detection{
		Kind: detect.ByRule, Rule: rule, Matched: []detect.Matched{{Field: "CommandLine", Value: value}, {Field: "EventID", Value: "1"}},
		Event: detect.Event{Host: host, Record: minute, Time: time.Date(2025, 5, 15, 3, minute, 0, 0, time.UTC)},
	}
}

func TestFingerprint(t *testing.T) {
	base := seen("a", "ward-7", "whoami /all", 1)
	swapped := base
	swapped.Matched = []detect.Matched{base.Matched[1], base.Matched[0]}
	indicator, other := base, base
	indicator.Indicator, other.Indicator = &detect.Known{Type: "domain", Value: "a.example"}, &detect.Known{Type: "domain", Value: "b.example"}
	for _, row := range []struct {
		name string
		a, b detect.Detection
		same bool
	}{
		{"another time and record", base, seen("a", "ward-7", "whoami /all", 9), true},
		{"letters' case", base, seen("a", "WARD-7", "WhoAmI /ALL", 1), true},
		{"order of values", base, swapped, true},
		{"another rule", base, seen("b", "ward-7", "whoami /all", 1), false},
		{"another machine", base, seen("a", "ward-8", "whoami /all", 1), false},
		{"another value", base, seen("a", "ward-7", "whoami /priv", 1), false},
		{"a rule and an indicator", base, indicator, false},
		{"two indicators", indicator, other, false},
	} {
		if same := row.a.Fingerprint() == row.b.Fingerprint(); same != row.same {
			t.Errorf("%s: same is %v, want %v", row.name, same, row.same)
		}
	}
}

func TestRepeatsFold(t *testing.T) {
	r := detect.NewRepeats(10)
	for _, minute := range []int{5, 3, 9} {
		if gone := r.Add(seen("a", "ward-7", "whoami", minute)); gone != nil {
			t.Fatalf("%v had to go", gone)
		}
	}
	r.Add(seen("b", "ward-7", "whoami", 4))
	all := r.All()
	if len(all) != 2 || all[0].Rule != "a" || all[0].Count != 3 || all[1].Count != 1 {
		t.Fatalf("got %d: %+v", len(all), all)
	}
	if f := all[0]; f.First.Minute() != 3 || f.Last.Minute() != 9 || f.Event.Record != 5 {
		t.Errorf("first %v, last %v, event %d: want minutes 3 and 9, and the first that came", f.First, f.Last, f.Event.Record)
	}
	silent := seen("b", "ward-7", "whoami", 4)
	silent.Event.Time = time.Time{}
	r.Add(silent)
	if f := r.All()[1]; f.Count != 2 || f.First.IsZero() {
		t.Errorf("an event without a time took the times of others: %+v", f)
	}
}

func TestRepeatsAreBounded(t *testing.T) {
	r := detect.NewRepeats(100)
	given, counted := 0, 0
	for i := range 1000 {
		r.Add(seen("steady", "ward-7", "x", 1)) // seen again and again, so it is never the quietest
		if gone := r.Add(seen("a", "ward-7", fmt.Sprint(i), 1)); gone != nil {
			given++
			counted += gone.Count
			if gone.Rule == "steady" {
				t.Fatal("the one seen last had to go")
			}
		}
	}
	held := r.All()
	for _, f := range held {
		counted += f.Count
	}
	if len(held) != 100 || given != 901 || r.Evicted() != given || counted != 2000 {
		t.Errorf("%d held, %d given back (%d counted), %d detections in all: want 100, 901, 2000", len(held), given, r.Evicted(), counted)
	}
}
