// Package coverage knows who sends events and how: when each source spoke first and last, how much, how late, with which clock, and
// what of it could not be read. In: events as they are read off the bus, and dead letters. Out: counts that are exact over a restart,
// because they are kept in one transaction with how far was read; and what stands behind an answer that something was not seen. It
// never keeps what an event says, but for a short sample of what could not be read.
package coverage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

const (
	day = 24 * time.Hour
	// Remembered is how far back the hours of a source are known.
	Remembered = 35 * day
	// recent is what rates, lags and clocks are of.
	recent = 7 * day
	// clockOff is from where on a clock is said to be wrong.
	clockOff = 2 * time.Second
	// beating is how long the beat of a server that takes events in may be late.
	beating = 2 * time.Minute
)

// A Room answers what is covered. It is used by many goroutines at a time.
type Room struct {
	clock ward.Clock
	store *store.Store
	keep  func(org ward.OrgID) string // how long events are kept, in words
}

// New makes a Room. keep says how long an organisation's events are kept; nil: for ever.
func New(clock ward.Clock, s *store.Store, keep func(ward.OrgID) string) *Room {
	if keep == nil {
		keep = func(ward.OrgID) string { return "for ever" }
	}
	return &Room{clock: clock, store: s, keep: keep}
}

// A Source is one source as people look at it.
type Source struct {
	ward.EventSource
	LastDay     int64         // events of the last 24 hours
	PerHour     float64       // events, on average of the last seven days, or since it is known
	Lag         time.Duration // from event to us, on average of the last seven days
	Clock       time.Duration // how far its clock is ahead of ours at least; 0: not known to be
	Gap         time.Duration // the longest silence that ended in the last seven days
	GapEnded    time.Time     // in the hour that began then
	Undated     int64         // events of the last seven days that did not say when they happened
	withoutDays bool
}

// An Organisation is what is covered of one organisation.
type Organisation struct {
	Org      ward.OrgID
	All      Source   // everything that it sends
	Kinds    []Source // by kind of event
	Sources  []Source
	Quiet    int // sources that are silent against their rhythm
	Unread   int64
	Letters  []ward.DeadLetter // without samples
	Storage  ward.Storage
	Kept     string         // how long, in words
	Deaf     [][2]time.Time // when nobody took events in, in the last seven days
	Watching bool           // whether somebody does now
}

// Organisations says for each organisation in scope that ever sent events what is covered, without its sources and letters.
func (r *Room) Organisations(ctx context.Context, scope ward.Scope) (all []Organisation, err error) {
	now := r.clock.Now()
	err = r.store.View(ctx, func(tx *store.Tx) error {
		sources, err := tx.EventSources(ctx, scope)
		if err != nil {
			return err
		}
		unread, err := tx.Unread(ctx, scope, now.Add(-recent))
		if err != nil {
			return err
		}
		storage, err := tx.Storage(ctx, scope)
		if err != nil {
			return err
		}
		watching, err := r.watching(ctx, tx, now)
		if err != nil {
			return err
		}
		at := map[ward.OrgID]int{}
		place := func(org ward.OrgID) *Organisation {
			i, ok := at[org]
			if !ok {
				i = len(all)
				at[org] = i
				all = append(all, Organisation{Org: org, Kept: r.keep(org), Watching: watching})
			}
			return &all[i]
		}
		for _, s := range sources {
			o := place(s.Org)
			if !s.Quiet.IsZero() && s.Source != "" {
				o.Quiet++
			}
			if s.Source == "" && s.Kind == "" {
				days, err := tx.SourceDays(ctx, s.Org, &s, now.Add(-recent).Truncate(day))
				if err != nil {
					return err
				}
				o.All = sourceOf(s, days, now)
			}
		}
		for org, n := range unread {
			place(org).Unread = n
		}
		for _, s := range storage {
			place(s.Org).Storage = s
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Organisation) int { return compare(a.Org, b.Org) })
	return all, err
}

func compare(a, b ward.OrgID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Organisation says what is covered of one organisation. Outside the scope it is ward.ErrNotFound.
func (r *Room) Organisation(ctx context.Context, scope ward.Scope, org ward.OrgID) (o Organisation, err error) {
	if !scope.Sees(org) {
		return o, fmt.Errorf("coverage: %s: %w", org, ward.ErrNotFound)
	}
	now := r.clock.Now()
	scope = scope.Within(org)
	o = Organisation{Org: org, Kept: r.keep(org)}
	err = r.store.View(ctx, func(tx *store.Tx) error {
		sources, err := tx.EventSources(ctx, scope)
		if err != nil {
			return err
		}
		days, err := tx.SourceDays(ctx, org, nil, now.Add(-recent).Truncate(day))
		if err != nil {
			return err
		}
		of := map[[2]string][]ward.SourceDay{}
		for _, d := range days {
			key := [2]string{d.Source, string(d.Kind)}
			of[key] = append(of[key], d)
		}
		for _, s := range sources {
			one := sourceOf(s, of[[2]string{s.Source, string(s.Kind)}], now)
			switch {
			case s.Source == "" && s.Kind == "":
				o.All = one
			case s.Source == "":
				o.Kinds = append(o.Kinds, one)
			default:
				o.Sources = append(o.Sources, one)
				if !s.Quiet.IsZero() {
					o.Quiet++
				}
			}
		}
		unread, err := tx.Unread(ctx, scope, now.Add(-recent))
		if err != nil {
			return err
		}
		o.Unread = unread[org]
		if o.Letters, err = tx.DeadLetters(ctx, scope, org); err != nil {
			return err
		}
		for i := range o.Letters {
			o.Letters[i].Sample = ""
		}
		storage, err := tx.Storage(ctx, scope)
		if err != nil {
			return err
		}
		o.Storage.Org = org
		for _, s := range storage {
			o.Storage = s
		}
		if o.Watching, err = r.watching(ctx, tx, now); err != nil {
			return err
		}
		o.Deaf, err = r.deaf(ctx, tx, now)
		return err
	})
	return o, err
}

// Letters are what could not be read of an organisation, with samples. Who looked is written down.
func (r *Room) Letters(ctx context.Context, who ward.Actor, org ward.OrgID) (letters []ward.DeadLetter, err error) {
	if err := who.NeedFor(ward.MayRead, org); err != nil {
		return nil, err
	}
	err = r.store.Update(ctx, func(tx *store.Tx) error {
		if letters, err = tx.DeadLetters(ctx, who.Scope, org); err != nil || len(letters) == 0 {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{
			At: r.clock.Now(), Person: who.Person, Name: who.Name, Action: "coverage.samples", Subject: string(org) + "/coverage", Org: org,
			Detail: fmt.Sprintf("%d samples of events that could not be read", len(letters)),
		})
	})
	return letters, err
}

func (r *Room) watching(ctx context.Context, tx *store.Tx, now time.Time) (bool, error) {
	spans, err := tx.Listened(ctx, now.Add(-beating))
	return len(spans) > 0, err
}

// deaf is when nobody took events in, of the last seven days and since anybody ever did.
func (r *Room) deaf(ctx context.Context, tx *store.Tx, now time.Time) (deaf [][2]time.Time, err error) {
	spans, err := tx.Listened(ctx, now.Add(-recent))
	if err != nil || len(spans) == 0 {
		return nil, err
	}
	end := spans[0][1]
	for _, span := range append(spans[1:], [2]time.Time{now, now}) {
		if span[0].Sub(end) > beating {
			deaf = append(deaf, [2]time.Time{end, span[0]})
		}
		if span[1].After(end) {
			end = span[1]
		}
	}
	return deaf, nil
}

// sourceOf works out what people look at from the days of the last week.
func sourceOf(s ward.EventSource, days []ward.SourceDay, now time.Time) Source {
	one := Source{EventSource: s, withoutDays: len(days) == 0}
	var events, dated int64
	var late, fastest time.Duration
	for i, d := range days {
		for hour, n := range d.Counts {
			begins := d.Day.Add(time.Duration(hour) * time.Hour)
			events += n
			if now.Sub(begins) < day {
				one.LastDay += n
			}
			if gap := time.Duration(d.Gaps[hour]) * time.Second; gap > one.Gap {
				one.Gap, one.GapEnded = gap, begins
			}
		}
		dated += d.Dated
		late += d.Late
		if i == 0 || d.Fastest < fastest {
			fastest = d.Fastest
		}
	}
	since := now.Add(-recent).Truncate(day)
	if s.First.After(since) {
		since = s.First
	}
	one.PerHour = float64(events) / max(1, now.Sub(since).Hours())
	one.Undated = events - dated
	if dated > 0 {
		one.Lag = late / time.Duration(dated)
		if fastest < -clockOff {
			one.Clock = -fastest
			one.Lag += one.Clock // by a clock that is right
		}
	}
	return one
}
