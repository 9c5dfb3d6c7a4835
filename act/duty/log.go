package duty

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// The audited actions that belong in a watch log. Whoever looked at what stays in the audit record.
var (
	nationalActions = []string{"duty.%", "alert.%", "response.rule", "response.unrule", "estate.hold", "estate.release", "estate.discard", "feeds.accept", "intel.alias", "intel.unalias"}
	ownActions      = []string{"duty.%", "response.%", "estate.import", "estate.hold", "estate.release", "estate.discard", "estate.declare"}
)

// What people write into the log.
const (
	noteKind     = "note"
	handoverKind = "handover"
)

// Note is a line that a person writes into the watch log. It can say what it is about.
type Note struct {
	Words string
	Item  ward.ItemID
	Org   ward.OrgID
	Alert ward.AlertID
}

// Note writes a line into the watch log, which nobody can change or remove: a mistake is put right by another line.
func (d *Desk) Note(ctx context.Context, who ward.Actor, n Note) (ward.LogEntry, error) {
	return d.note(ctx, who, noteKind, n, nil)
}

func (d *Desk) note(ctx context.Context, who ward.Actor, kind string, n Note, then func(tx *store.Tx, desk ward.OrgID, now time.Time) error) (ward.LogEntry, error) {
	desk, err := deskOf(who, ward.MayDesk)
	if err != nil {
		return ward.LogEntry{}, err
	}
	if n.Words, err = said(n.Words); err != nil {
		return ward.LogEntry{}, err
	}
	if n.Org != "" && !who.Scope.Sees(n.Org) {
		return ward.LogEntry{}, fmt.Errorf("organisation %s: %w", n.Org, ward.ErrNotFound)
	}
	if len(n.Item) > mostID {
		return ward.LogEntry{}, &ward.Invalid{Field: "item", Problem: "is too long"}
	}
	now := d.clock.Now()
	entry := ward.LogEntry{At: now, By: who.Name, Kind: kind, Org: n.Org, Alert: n.Alert, Subject: string(n.Item), Words: n.Words, Written: true}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if n.Alert != "" {
			if _, err := tx.Alert(ctx, who.Scope, n.Alert); err != nil {
				return err
			}
		}
		if then != nil {
			if err := then(tx, desk, now); err != nil {
				return err
			}
		}
		if entry.ID, err = tx.AddDeskNote(ctx, desk, who.Person, entry); err != nil {
			return err
		}
		tx.Hint("queue", desk)
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: "duty." + kind, Subject: entry.ID, Org: desk, Detail: "wrote into the watch log"})
	})
	return entry, err
}

const mostID = 300

// LogQuery chooses lines of the reader's watch log.
type LogQuery struct {
	Since   time.Time // zero: the last day
	Until   time.Time // exclusive; zero: now
	Written bool      // only what people wrote
	Limit   int       // 200
}

// mostLines bounds a log that is read at once.
const mostLines = 1000

// Log reads the watch log of the reader's desk, newest first: what its people wrote, what they and others did that concerns
// it, and what it was told.
func (d *Desk) Log(ctx context.Context, who ward.Actor, q LogQuery) (entries []ward.LogEntry, err error) {
	desk, err := deskOf(who, ward.MayRead)
	if err != nil {
		return nil, err
	}
	if q.Since.IsZero() {
		q.Since = d.clock.Now().Add(-24 * time.Hour)
	}
	if q.Limit <= 0 {
		q.Limit = 200
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		entries, err = tx.WatchLog(ctx, who.Scope, store.LogQuery{Desk: desk, Since: q.Since, Until: q.Until, Written: q.Written, Actions: actions(who), Limit: min(q.Limit, mostLines)})
		return err
	})
	return entries, err
}

func actions(who ward.Actor) []string {
	if who.Org == "" {
		return nationalActions
	}
	return ownActions
}

// Moved is how many answers to an alert took one step in a time.
type Moved = store.Moved

// Handover is what one shift leaves to the next.
type Handover struct {
	Desk    ward.OrgID
	Since   time.Time // when the shift began
	At      time.Time
	Next    time.Time       // until when Coming looks
	By      string          // who reads it
	Changed []ward.LogEntry // oldest first
	Cut     bool            // there was more in the log than Changed holds
	Moved   []Moved         // how many answers took which step
	Open    []ward.Item     // what waits; what somebody has first
	Counts  map[string]int  // of Open, by the name of who has them; "" is nobody
	Aside   []ward.Item     // what is set aside
	Coming  []ward.Coming   // what comes due in the next shift, soonest first
}

// Shift is how long a shift is taken to be where nobody says.
const Shift = 12 * time.Hour

// Handover makes the hand-over page from the log: what changed since the shift began (zero: since the last hand-over, or one
// shift ago), what is open and who has it, and what comes due in the next shift (zero: one of twelve hours).
func (d *Desk) Handover(ctx context.Context, who ward.Actor, since time.Time, next time.Duration) (h Handover, err error) {
	desk, err := deskOf(who, ward.MayRead)
	if err != nil {
		return h, err
	}
	now := d.clock.Now()
	if next <= 0 {
		next = Shift
	}
	if next > mostSnooze {
		return h, &ward.Invalid{Field: "next", Problem: "is longer than 30 days"}
	}
	h = Handover{Desk: desk, Since: since, At: now, Next: now.Add(next), By: who.Name, Counts: map[string]int{}}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		if h.Since.IsZero() {
			if h.Since, err = tx.LastDeskNote(ctx, desk, handoverKind); err != nil {
				return err
			}
			if h.Since.IsZero() {
				h.Since = now.Add(-Shift)
			}
		}
		if h.Changed, err = tx.WatchLog(ctx, who.Scope, store.LogQuery{Desk: desk, Since: h.Since, Actions: actions(who), Limit: mostLines + 1}); err != nil {
			return err
		}
		h.Moved, err = tx.AnswersMoved(ctx, who.Scope, h.Since, now.Add(time.Microsecond))
		return err
	})
	if err != nil {
		return h, err
	}
	if h.Cut = len(h.Changed) > mostLines; h.Cut {
		h.Changed = h.Changed[:mostLines]
	}
	slices.Reverse(h.Changed)
	all, err := d.all(ctx, who)
	if err != nil {
		return h, err
	}
	for _, i := range all {
		if !i.Aside.IsZero() {
			h.Aside = append(h.Aside, i)
			if !i.Until.IsZero() && !i.Until.After(h.Next) {
				h.Coming = append(h.Coming, ward.Coming{At: i.Until, Kind: "set aside", Alert: i.Alert, Org: i.Org, Count: 1, Words: i.Title})
			}
			continue
		}
		h.Open = append(h.Open, i)
		h.Counts[i.OwnerName]++
	}
	slices.SortStableFunc(h.Open, func(x, y ward.Item) int { return cmp.Compare(last(x.OwnerName), last(y.OwnerName)) })
	for _, source := range d.sources {
		if calendar, ok := source.(Calendar); ok {
			some, err := calendar.Coming(ctx, who.Scope, now, h.Next)
			if err != nil {
				return h, fmt.Errorf("duty: %w", err)
			}
			h.Coming = append(h.Coming, some...)
		}
	}
	alerts, err := d.inForce(ctx)
	if err != nil {
		return h, err
	}
	for i, c := range h.Coming {
		if alert, ok := alerts[c.Alert]; ok && c.Words == "" {
			h.Coming[i].Words = named(c.Alert, alert)
		}
	}
	slices.SortStableFunc(h.Coming, func(x, y ward.Coming) int { return x.At.Compare(y.At) })
	return h, nil
}

// last sorts what nobody has behind every name.
func last(name string) string {
	if name == "" {
		return "\U0010ffff"
	}
	return name
}

// HandOver ends a shift: it keeps in the log that the actor handed over, with the actor's words and how much is open, and gives
// back what the actor has unless the actor keeps it.
func (d *Desk) HandOver(ctx context.Context, who ward.Actor, words string, keep bool) (ward.LogEntry, error) {
	words, err := act.Clean("words", words, mostWords)
	if err != nil {
		return ward.LogEntry{}, err
	}
	if _, err := deskOf(who, ward.MayDesk); err != nil {
		return ward.LogEntry{}, err
	}
	all, err := d.all(ctx, who)
	if err != nil {
		return ward.LogEntry{}, err
	}
	open, mine := 0, 0
	for _, i := range all {
		if i.Owner == who.Person && who.Person != "" {
			mine++
		}
		if i.Aside.IsZero() {
			open++
		}
	}
	text := fmt.Sprintf("handed over with %s open", act.Number(open, "item"))
	if mine > 0 && !keep {
		text += fmt.Sprintf(", gave back %d", mine)
	}
	if mine > 0 && keep {
		text += fmt.Sprintf(", keeps %d", mine)
	}
	if words != "" {
		text += "\n" + words
	}
	return d.note(ctx, who, handoverKind, Note{Words: strings.TrimSpace(text)}, func(tx *store.Tx, desk ward.OrgID, _ time.Time) error {
		if keep {
			return nil
		}
		return tx.GiveBack(ctx, desk, who.Person)
	})
}
