package web_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wardwatch/act/findings"
	"wardwatch/keep/store"
	"wardwatch/test/browser"
	"wardwatch/ward"
)

// events writes what came from an organisation, what was detected in it and what could not be read, and gives the detections.
func (h *hospital) events(org ward.OrgID, words string) (seen []ward.Detection) {
	h.t.Helper()
	now := h.clock.Now()
	day := now.Truncate(24 * time.Hour)
	source := func(name string, kind ward.EventKind, quiet time.Duration) ward.EventSource {
		s := ward.EventSource{Org: org, Source: name, Kind: kind, First: now.AddDate(0, 0, -30), Last: now.Add(-time.Minute), LastEvent: now.Add(-time.Minute), Events: 90_000, Bytes: 30_000_000}
		if quiet > 0 {
			s.Last = now.Add(-quiet)
		}
		return s
	}
	sources := []ward.EventSource{source("", "", 0), source("", "linux/sshd/", 0), source(words+" gate", "linux/sshd/", 0), source("mail", "linux/postfix/", 5*time.Hour)}
	detections := []ward.Detection{
		{Org: org, Fingerprint: "a", Kind: "indicator", Title: "Address of a known attacker " + words, Level: "high", Host: words + "-mdm-01", Indicator: "address 203.0.113.7", IndicatedBy: "partner.csv",
			Matched: []ward.DetectedValue{{Field: "src_ip", Value: "203.0.113.7"}, {Field: "url", Value: "/mifs/rs/api?x=" + words}}, Count: 7, First: now.AddDate(0, 0, -11), Last: now.AddDate(0, 0, -10), Source: "gate", Record: 12, Noticed: now},
		{Org: org, Fingerprint: "b", Kind: "silence", Title: words + " mail has gone quiet", Level: "low", Host: "mail", Count: 1, First: now.Add(-5 * time.Hour), Last: now.Add(-5 * time.Hour), Source: "mail", Noticed: now.Add(-4 * time.Hour)},
	}
	err := h.store.Update(h.ctx, func(tx *store.Tx) error {
		var failed error
		for _, s := range sources {
			d := ward.SourceDay{Org: org, Source: s.Source, Kind: s.Kind, Day: day, Bytes: 100, Dated: 30, Late: time.Minute, Fastest: -3 * time.Minute}
			d.Counts[now.Hour()], d.Gaps[now.Hour()] = 60, 1800
			failed = errors.Join(failed, tx.SaveEventSource(h.ctx, s), tx.SaveSourceDay(h.ctx, d))
		}
		return errors.Join(failed, tx.SetQuiet(h.ctx, sources[3], sources[3].Last), tx.Listening(h.ctx, now.Add(-2*time.Hour), now), tx.Listening(h.ctx, now.Add(-9*time.Hour), now.Add(-3*time.Hour)),
			tx.AddDeadLetter(h.ctx, ward.DeadLetter{At: now, Org: org, Source: words, Reason: "the event ends before it is complete", Sample: `{"msg":"` + words, Count: 4}),
			h.desk.Detect(h.ctx, tx, detections),
			tx.AddBlock(h.ctx, ward.Block{Org: org, Name: string(org) + "b", Index: "i", Day: day, Rows: 80_000, Bytes: 3_600_000, First: now.AddDate(0, 0, -20), Last: now, Received: now, Sealed: now, State: ward.BlockKept}))
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if seen, err = h.desk.Detections(h.ctx, ward.Only(org), findings.DetectionQuery{}); err != nil || len(seen) != 2 {
		h.t.Fatal(seen, err)
	}
	return seen
}

const hostile = `<script>alert(1)</script><b>bold</b>`

func TestEventsAndWhatWasSeenInThem(t *testing.T) {
	h := openHospital(t)
	seen := h.events("XZ1A", hostile)
	h.events("XZ2B", "Drumlin")
	var indicator ward.Detection
	for _, d := range seen {
		if d.Kind == "indicator" {
			indicator = d
		}
	}
	lead, analyst := h.visit("lead@saltmarsh.example"), h.visit("analyst@watch.example")
	analyst.see("/coverage", "2 of 2 organisations sent events in the last 24 hours")
	for path, want := range map[string]string{
		"/coverage": "1 of 1 organisation sent events", "/organisations/XZ1A/coverage": "1 source of 2 is silent against its rhythm", "/detections": "seen 11 days before we knew", fmt.Sprint("/detections/", indicator.ID): "A known indicator was seen: seen 11 days before we knew.",
	} {
		if body := lead.see(path, want); strings.Contains(body, "Drumlin") || strings.Contains(body, "<script>alert(1)") || strings.Contains(body, "<b>bold") {
			t.Errorf("%s shows another organisation's, or markup", path)
		}
	}
	if body := lead.see("/organisations/XZ1A/coverage", "Show what they sent"); strings.Contains(body, `{"msg":`) {
		t.Error("a sample is shown to who did not ask")
	}
	lead.see("/organisations/XZ1A/coverage?samples=1", `{"msg":`)
	var record []ward.AuditEntry
	if err := h.store.View(h.ctx, func(tx *store.Tx) (err error) {
		record, err = tx.AuditEntries(h.ctx, ward.Only("XZ1A"), "XZ1A", 0, 20)
		return err
	}); err != nil || len(record) == 0 || record[0].Action != "coverage.samples" {
		t.Errorf("who looked at samples is not written down: %+v %v", record, err)
	}
	lead.see("/detections", "1 critical or high and 1 less urgent in the last 24 hours.") // the one of eleven days ago was noticed now
	b := browser.Start(t)
	signIn(h, b, "analyst@watch.example")
	for name, path := range map[string]string{"coverage": "/coverage", "coverage-organisation": "/organisations/XZ1A/coverage?samples=1", "detections": "/detections", "detection": fmt.Sprint("/detections/", indicator.ID)} {
		b.Navigate(h.url + path)
		b.Check(name)
	}
}
