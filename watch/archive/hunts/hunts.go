// Package hunts keeps searches through kept events as rows and carries them out, over restarts. In: what somebody asks for, and indicators that
// became known. Out: how many events of which organisation and day show it, the first of them one by one, and for a look-back what Detections are
// made of. It never shows an organisation what another asked for, never says what was not searched was not seen, and writes down who looked for
// what and whose events were read.
package hunts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
)

// Options are what a Desk needs.
type Options struct {
	Store *store.Store
	Clock ward.Clock
	Log   *slog.Logger // nil: nothing is logged
	// Query makes what the archive is asked for; an error that is ward.ErrInvalid says what is wrong with what was sought.
	Query func(ward.Sought) (watch.Query, error)
	// Folds makes what takes the hits of a look-back; nil: nobody does.
	Folds func(ward.Hunt) (Fold, error)

	Workers      int           // hunts at a time; default 2, of which one may be a look-back
	MostHits     int64         // that are kept of one hunt; default 10,000
	MostRead     int64         // events that a hunt may look at one by one; default a thousand million
	MostLookBack int64         // that a look-back may; default a hundred million
	HitsKept     time.Duration // how long after a hunt its hits are kept; default 30 days
}

// A Fold takes the hits of a look-back, and keeps what they mean in the transaction that says how far it has come.
type Fold interface {
	Add(archive.Hit)
	Keep(ctx context.Context, tx *store.Tx) error // and begins anew, once the transaction is kept
	Kept()
}

const (
	defaultWorkers  = 2
	defaultHits     = 10_000
	defaultRead     = 1_000_000_000
	defaultLookBack = 100_000_000
	defaultKept     = 30 * 24 * time.Hour

	longestRaw     = 4096 // bytes of an event that are kept beside a hunt; the archive has all of it
	longestValue   = 1000
	mostIndicators = 100_000
	longestRule    = 256 << 10
	// mostWaiting is how many hunts of one person may wait.
	mostWaiting = 20
)

// Desk keeps hunts. It is used by many goroutines at a time.
type Desk struct {
	Options

	mu      sync.Mutex
	running map[ward.HuntID]*running
	wake    chan struct{}
}

// running is a hunt under way.
type running struct {
	kind ward.HuntKind
	stop context.CancelCauseFunc
}

// New makes a Desk.
func New(o Options) *Desk {
	set := func(n *int64, to int64) {
		if *n <= 0 {
			*n = to
		}
	}
	set(&o.MostHits, defaultHits)
	set(&o.MostRead, defaultRead)
	set(&o.MostLookBack, defaultLookBack)
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.HitsKept <= 0 {
		o.HitsKept = defaultKept
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{Options: o, running: map[ward.HuntID]*running{}, wake: make(chan struct{}, 1)}
}

// A Question is what a person asks for.
type Question struct {
	For          ward.Sought
	Of           []ward.OrgID // of these alone; none: of all that the person may see
	Since, Until time.Time    // of events; zero: no bound
}

// Ask begins a hunt.
func (d *Desk) Ask(ctx context.Context, who ward.Actor, q Question) (h ward.Hunt, err error) {
	if err := who.Need(ward.MayHunt); err != nil {
		return h, err
	}
	if err := d.check(q); err != nil {
		return h, err
	}
	of := slices.Clone(q.Of)
	slices.Sort(of)
	of = slices.Compact(of)
	for _, org := range of {
		if !who.Scope.Sees(org) {
			return h, fmt.Errorf("hunts: %s: %w", org, ward.ErrNotFound)
		}
	}
	if len(of) == 0 && !who.Scope.All() {
		if of = who.Scope.Orgs(); len(of) == 0 {
			return h, ward.ErrForbidden
		}
	}
	h = ward.Hunt{
		Kind: ward.HuntAsked, State: ward.HuntWaiting, By: ward.Actor{Person: who.Person, Name: who.Name, Org: who.Org}, Words: shorten(q.For.Words()), For: q.For, Of: of, Since: q.Since, Until: q.Until,
		MostRead: d.MostRead, Asked: d.Clock.Now(), Version: 1,
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		waiting, err := tx.HuntsToDo(ctx)
		if err != nil {
			return err
		}
		own := 0
		for _, w := range waiting {
			if w.By.Person == who.Person && w.Kind == ward.HuntAsked {
				own++
			}
		}
		if own >= mostWaiting {
			return &ward.Invalid{Field: "for", Problem: fmt.Sprintf("%d hunts of yours are not over yet", own), Hint: "wait for one, or cancel it"}
		}
		if h.ID, err = tx.AddHunt(ctx, h); err != nil {
			return err
		}
		hint(tx, h)
		return tx.Audit(ctx, d.entry(who, h, "hunt.ask", h.By.Org, h.Words))
	})
	if err == nil {
		d.hurry()
	}
	return h, err
}

func (d *Desk) check(q Question) error {
	asked := 0
	for _, has := range []bool{len(q.For.Indicators) > 0, q.For.Query != "", q.For.Rule != ""} {
		if has {
			asked++
		}
	}
	switch {
	case asked != 1:
		return &ward.Invalid{Field: "for", Problem: "is not one of indicators, a query and a rule", Hint: "give indicators one a line, or write a query such as user=jane"}
	case len(q.For.Indicators) > mostIndicators:
		return &ward.Invalid{Field: "for", Problem: fmt.Sprintf("has more than %d indicators", mostIndicators), Hint: "hunt for them in parts"}
	case len(q.For.Rule) > longestRule:
		return &ward.Invalid{Field: "rule", Problem: fmt.Sprintf("has more than %d bytes", longestRule)}
	case !q.Since.IsZero() && !q.Until.IsZero() && q.Until.Before(q.Since):
		return &ward.Invalid{Field: "until", Problem: "is before since", Hint: "leave one of them out"}
	}
	_, err := d.Query(q.For)
	return err
}

func (d *Desk) entry(who ward.Actor, h ward.Hunt, action string, org ward.OrgID, detail string) ward.AuditEntry {
	return ward.AuditEntry{At: d.Clock.Now(), Person: who.Person, Name: who.Name, Action: action, Subject: fmt.Sprintf("hunt/%d", h.ID), Org: org, Detail: detail}
}

// hint tells pages that show the hunt.
func hint(tx *store.Tx, h ward.Hunt) {
	tx.Hint("hunts", h.By.Org)
	tx.Hint(fmt.Sprintf("hunt:%d", h.ID), h.By.Org)
}

// List lists the hunts of a scope, the newest first.
func (d *Desk) List(ctx context.Context, scope ward.Scope, after string, limit int) (page ward.Page[ward.Hunt], err error) {
	err = d.Store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Hunts(ctx, scope, after, limit)
		return err
	})
	return page, err
}

// Hunt reads one hunt.
func (d *Desk) Hunt(ctx context.Context, scope ward.Scope, id ward.HuntID) (h ward.Hunt, err error) {
	err = d.Store.View(ctx, func(tx *store.Tx) error {
		h, err = tx.Hunt(ctx, scope, id)
		return err
	})
	return h, err
}

// Days are what a hunt has searched, by day and organisation, the newest day first.
func (d *Desk) Days(ctx context.Context, scope ward.Scope, id ward.HuntID) (all []ward.HuntDay, err error) {
	err = d.Store.View(ctx, func(tx *store.Tx) error {
		if _, err = tx.Hunt(ctx, scope, id); err == nil {
			all, err = tx.HuntDays(ctx, scope, id)
		}
		return err
	})
	return all, err
}

// Hits are the first events that a hunt found, in its order.
func (d *Desk) Hits(ctx context.Context, scope ward.Scope, id ward.HuntID, after string, limit int) (page ward.Page[ward.HuntHit], err error) {
	err = d.Store.View(ctx, func(tx *store.Tx) error {
		if _, err = tx.Hunt(ctx, scope, id); err == nil {
			page, err = tx.HuntHits(ctx, scope, id, after, limit)
		}
		return err
	})
	return page, err
}

var errCancelled = errors.New("cancelled")

// Cancel ends a hunt. What it has found stays. One that is over stays as it is.
func (d *Desk) Cancel(ctx context.Context, who ward.Actor, id ward.HuntID) (h ward.Hunt, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		if h, err = tx.Hunt(ctx, who.Scope, id); err != nil {
			return err
		}
		if err := who.Need(ward.MayHunt); err != nil {
			return err
		}
		if h.State.Over() {
			return nil
		}
		h.State, h.Ended, h.Reason = ward.HuntCancelled, d.Clock.Now(), "by "+who.Name
		if _, err := tx.SaveHunt(ctx, h); err != nil {
			return err
		}
		h.Version++
		hint(tx, h)
		if err := tx.Audit(ctx, d.entry(who, h, "hunt.cancel", h.By.Org, h.Words)); err != nil {
			return err
		}
		return d.told(ctx, tx, h)
	})
	if err == nil {
		d.mu.Lock()
		if r := d.running[id]; r != nil {
			r.stop(errCancelled)
		}
		d.mu.Unlock()
	}
	return h, err
}

// told writes down whose events a hunt that is over has shown, where each organisation sees it.
func (d *Desk) told(ctx context.Context, tx *store.Tx, h ward.Hunt) error {
	days, err := tx.HuntDays(ctx, ward.Everything(), h.ID)
	if err != nil {
		return err
	}
	hits := map[ward.OrgID]int64{}
	for _, day := range days {
		if day.Hits > 0 {
			hits[day.Org] += day.Hits
		}
	}
	for org, n := range hits {
		e := d.entry(h.By, h, "archive.hunt", org, fmt.Sprintf("%s: %d hits", h.Words, n))
		e.Subject = string(org) + "/archive"
		if err := tx.Audit(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// shorten is the beginning of a text that is too long to stand beside a hunt.
func shorten(text string) string {
	if len(text) <= longestValue {
		return text
	}
	most := longestValue
	for most > 0 && text[most]&0xC0 == 0x80 { // not within a letter
		most--
	}
	return text[:most] + "..."
}

// hurry wakes the workers.
func (d *Desk) hurry() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}
