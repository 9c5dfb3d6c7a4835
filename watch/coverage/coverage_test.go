package coverage_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"wardwatch/act/findings"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/coverage"
	"wardwatch/watch/detect/silence"
)

var monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

type world struct {
	t     *testing.T
	clock *ward.HandClock
	store *store.Store
	room  *coverage.Room
	tally *coverage.Tally
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{t: t, clock: ward.NewHandClock(monday), store: s}
	w.room = coverage.New(w.clock, s, nil)
	w.open()
	return w
}

// open begins to count, as after a start.
func (w *world) open() {
	tally, err := w.room.NewTally(w.t.Context(), func(ward.OrgID) bool { return true })
	if err != nil {
		w.t.Fatal(err)
	}
	w.tally = tally
}

func (w *world) event(org ward.OrgID, source string, late time.Duration) {
	now := w.clock.Now()
	class := watch.ClassOf(watch.Log{Product: "linux", Service: "sshd"})
	w.tally.Count(&watch.Arrival{Org: org, Source: source, Received: now.UnixMicro(), Raw: make([]byte, 100)}, class, now.Add(-late), true)
}

func (w *world) keep() {
	if err := w.store.Update(w.t.Context(), func(tx *store.Tx) error { return w.tally.Keep(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
	w.tally.Kept()
}

func (w *world) of(org ward.OrgID) coverage.Organisation {
	o, err := w.room.Organisation(w.t.Context(), ward.Only(org), org)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func TestEachOrganisationSeesItsOwnSources(t *testing.T) {
	w := newWorld(t)
	w.event("ZZ1", "gate", 2*time.Second)
	w.event("ZZ1", "gate", 4*time.Second)
	w.event("ZZ2", "mail", -90*time.Second)
	w.event("ZZ2", "mail", -80*time.Second)
	w.keep()
	one := w.of("ZZ1")
	if len(one.Sources) != 1 || one.Sources[0].Source != "gate" || one.Sources[0].Events != 2 || one.Sources[0].Lag != 3*time.Second || one.All.LastDay != 2 || len(one.Kinds) != 1 {
		t.Errorf("%+v", one)
	}
	if two := w.of("ZZ2").Sources[0]; two.Clock != 90*time.Second || two.Lag != 5*time.Second {
		t.Errorf("a clock that is 90 s ahead: %v, lag %v", two.Clock, two.Lag)
	}
	if _, err := w.room.Organisation(t.Context(), ward.Only("ZZ2"), "ZZ1"); !errors.Is(err, ward.ErrNotFound) {
		t.Error(err)
	}
	for _, row := range []struct {
		scope ward.Scope
		want  int
	}{{ward.Scope{}, 0}, {ward.Only("ZZ2"), 1}, {ward.Everything(), 2}} {
		if all, err := w.room.Organisations(t.Context(), row.scope); err != nil || len(all) != row.want {
			t.Errorf("%+v: %d %v", row.scope, len(all), err)
		}
	}
}

func TestCountsAreTheSameAfterAStart(t *testing.T) {
	w := newWorld(t)
	for i := range 50 {
		w.event("ZZ1", "gate", 0)
		w.clock.Advance(37 * time.Minute) // over midnight
		if i%7 == 0 {
			w.keep()
		}
		if i%14 == 0 {
			w.open()
		}
	}
	w.keep()
	if o := w.of("ZZ1"); o.All.Events != 50 || o.Sources[0].Events != 50 || o.Sources[0].Gap != 37*time.Minute {
		t.Errorf("%+v", o.Sources)
	}
	var days []ward.SourceDay
	if err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
		days, err = tx.SourceDays(t.Context(), "ZZ1", &ward.EventSource{Source: "gate", Kind: w.of("ZZ1").Sources[0].Kind}, monday)
		return err
	}); err != nil || len(days) != 2 {
		t.Fatal(days, err)
	}
	n := int64(0)
	for _, d := range days {
		for _, c := range d.Counts {
			n += c
		}
	}
	if n != 50 {
		t.Errorf("%d events in the hours, want 50", n)
	}
}

func TestNamesInEventsCannotFillTheStore(t *testing.T) {
	w := newWorld(t)
	for i := range 6000 {
		w.event("ZZ1", fmt.Sprint("forged-", i), 0)
	}
	w.keep()
	if o := w.of("ZZ1"); len(o.Sources) != 5001 || o.All.Events != 6000 {
		t.Errorf("%d sources, %d events", len(o.Sources), o.All.Events)
	}
}

func TestDeadLettersAreFewAndCounted(t *testing.T) {
	w := newWorld(t)
	var letters coverage.Letters
	for i := range 1000 {
		letters.Add(ward.DeadLetter{At: w.clock.Now(), Org: "ZZ1", Source: "gate", Reason: fmt.Sprint("reason ", i%100), Sample: "<script>"})
	}
	for range 9 {
		letters.Add(ward.DeadLetter{At: w.clock.Now(), Org: "ZZ2", Source: "mail", Reason: "no JSON", Sample: "x"})
	}
	if err := letters.Keep(t.Context(), w.store, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if o := w.of("ZZ1"); o.Unread != 1000 || len(o.Letters) != 50 || o.Letters[0].Sample != "" {
		t.Errorf("%d unread, %d letters", o.Unread, len(o.Letters))
	}
	lead := ward.Actor{Person: "p1", Name: "Pat", Org: "ZZ2", Role: ward.Lead, Scope: ward.Only("ZZ2")}
	if got, err := w.room.Letters(t.Context(), lead, "ZZ2"); err != nil || len(got) != 1 || got[0].Count != 9 || got[0].Sample != "x" {
		t.Error(got, err)
	}
	if _, err := w.room.Letters(t.Context(), lead, "ZZ1"); !errors.Is(err, ward.ErrNotFound) {
		t.Error(err)
	}
	if err := w.store.View(t.Context(), func(tx *store.Tx) error {
		seen, err := tx.AuditEntries(t.Context(), ward.Only("ZZ2"), "", 0, 10)
		if err != nil || len(seen) != 1 || seen[0].Action != "coverage.samples" {
			t.Error(seen, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestWhoGoesQuietIsReportedAndWhoSpeaksAgainIsNot plays three weeks, minute by minute, through the same job as the server's.
func TestWhoGoesQuietIsReportedAndWhoSpeaksAgainIsNot(t *testing.T) {
	w := newWorld(t)
	desk := findings.New(w.store, w.clock, nil)
	listening, current := monday, true
	ear := silence.New(silence.Options{Clock: w.clock, Store: w.store, Reporter: desk, Since: func() (time.Time, bool) { return listening, current }})
	at := func(days, hours int) time.Time {
		return monday.AddDate(0, 0, days).Add(time.Duration(hours) * time.Hour)
	}
	detections := func() (all []ward.Detection) {
		all, err := desk.Detections(t.Context(), ward.Everything(), findings.DetectionQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	// until plays up to a time: who of the sources speaks is asked every five minutes.
	until := func(end time.Time, speaks func(source string) bool) {
		for w.clock.Now().Before(end) {
			for _, source := range []string{"ZZ1 gate", "ZZ1 mail", "ZZ2 gate"} {
				if speaks(source) {
					w.event(ward.OrgID(source[:3]), source[4:], time.Second)
				}
			}
			w.clock.Advance(5 * time.Minute)
			if w.clock.Now().Minute() == 0 || w.clock.Now().After(at(15, 0)) {
				w.keep()
				if _, err := ear.Due(t.Context(), w.clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	all := func(string) bool { return true }
	until(at(15, 12), all)
	if got := detections(); len(got) != 0 {
		t.Fatalf("all speak: %+v", got)
	}
	until(at(15, 14), func(s string) bool { return s != "ZZ1 mail" })
	got := detections()
	if len(got) != 1 || got[0].Org != "ZZ1" || got[0].Title != "mail has gone quiet" || got[0].Kind != "silence" || !got[0].First.Equal(at(15, 12).Add(-5*time.Minute)) || !got[0].Ended.IsZero() {
		t.Fatalf("%+v", got)
	}
	if took := got[0].Noticed.Sub(at(15, 12)); took > 30*time.Minute {
		t.Errorf("noticed after %v", took)
	}
	if o := w.of("ZZ1"); o.Quiet != 1 {
		t.Error(o.Quiet)
	}
	until(at(15, 15), all)
	if got = detections(); len(got) != 1 || got[0].Ended.IsZero() || w.of("ZZ1").Quiet != 0 {
		t.Fatalf("it speaks again: %+v", got)
	}
	until(at(15, 17), func(s string) bool { return s[:3] != "ZZ1" })
	if got = detections(); len(got) != 2 || got[0].Title != "The whole organisation has gone quiet" || got[0].Level != "high" {
		t.Fatalf("one for the organisation, and none for each of its sources: %+v", got)
	}
	until(at(15, 18), all)
	// Nobody listens for three hours; then all speak after a quarter of an hour.
	w.clock.Advance(3 * time.Hour)
	listening = w.clock.Now()
	until(w.clock.Now().Add(10*time.Minute), func(string) bool { return false })
	if got = detections(); len(got) != 2 {
		t.Errorf("when nobody listened nobody is quiet: %+v", got[0])
	}
	current = false
	until(w.clock.Now().Add(3*time.Hour), func(string) bool { return false })
	if got = detections(); len(got) != 2 {
		t.Errorf("what waits to be read may be theirs: %+v", got[0])
	}
}
