package detect_test

import (
	"testing"
	"time"

	"wardwatch/watch"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/sigma"
)

// TestOneOrganisationsEventsNeverCountForAnother: three failures in one organisation are a correlation, and two in each of two are none;
// what counts too few is decided when time passes, though nothing comes any more.
func TestOneOrganisationsEventsNeverCountForAnother(t *testing.T) {
	set, report := sigma.Parse(sigma.Options{}, sigma.File{Name: "r.yml", Text: []byte(`title: failure
name: failure
id: 0a000000-0000-4000-8000-000000000001
logsource: {product: linux, service: sshd}
detection: {a: ['Failed password'], condition: a}
---
title: many failures
id: 0a000000-0000-4000-8000-000000000002
correlation: {type: event_count, rules: [failure], group-by: [hostname], timespan: 10m, condition: {gte: 3}}
---
title: few failures
id: 0a000000-0000-4000-8000-000000000003
correlation: {type: event_count, rules: [failure], group-by: [hostname], timespan: 10m, condition: {lte: 2}}
`)})
	if report.Loaded != 3 {
		t.Fatalf("%+v", report)
	}
	live, decoder := detect.NewLive(set, sigma.Compile(set), nil), watch.NewDecoder(set.Names)
	at := time.Date(2025, 5, 15, 3, 0, 0, 0, time.UTC)
	count := map[string]int{}
	note := func(org string, found []detect.Detection) {
		for _, f := range found {
			if f.Kind == detect.ByCorrelation {
				count[org+" "+f.Title]++
			}
		}
	}
	for i, org := range []string{"ZZ1", "ZZ2", "ZZ1", "ZZ2", "ZZ3", "ZZ3", "ZZ3"} {
		var r watch.Record
		line := "<38>1 " + at.Add(time.Duration(i)*time.Second).Format(time.RFC3339) + " gate.example sshd 1 - - Failed password for root"
		if err := decoder.Line(watch.Syslog, nil, []byte(line), &r); err != nil {
			t.Fatal(err)
		}
		note(org, live.Look(org, &r, detect.Event{File: "gate", Record: i + 1}, nil))
	}
	if len(count) != 1 || count["ZZ3 many failures"] != 1 {
		t.Errorf("as they came: %v", count)
	}
	live.Advance(at.Add(2*time.Hour), note)
	if len(count) != 3 || count["ZZ1 few failures"] != 1 || count["ZZ2 few failures"] != 1 {
		t.Errorf("when time had passed: %v", count)
	}
}
