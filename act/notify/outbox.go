// Package notify is the outbox: what the other rooms tell an organisation or the national desk, kept in the transaction of
// the fact that it tells, and carried to the people who answer for it until each has it. Notices, contacts and a rota come
// in; inboxes, messages through the channels, and what became of each message go out.
//
// A notice is kept once for its key, in an inbox always. Where channels are set up it is fanned out in the same transaction
// into one delivery for each address of each person of its rung, and the Courier carries those: at least once, and each time
// under the same key, so that whoever is told twice can tell. It never carries asset names or anything else that a message
// should not, and never pages an organisation twice for one event.
package notify

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// foldWithin is how close together notices of a kind that folds are one event.
const foldWithin = 15 * time.Minute

// Answers acknowledges alerts for whoever uses the link in a message.
type Answers interface {
	Get(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) (ward.Response, error)
	Acknowledge(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int) (ward.Response, error)
}

// Outbox keeps notices until they are read, and who is told by which address.
type Outbox struct {
	store *store.Store
	clock ward.Clock

	// Zone is what clock on the wall the hours of contacts are on, and the digest's; UTC unless it is set.
	Zone *time.Location
	// Answers takes acknowledgements by link; without it a link is shown and not taken.
	Answers Answers

	wake chan struct{} // tells the courier that there may be something to carry
}

// New returns the outbox. A Courier carries what it keeps; without one everything stays in the inboxes.
func New(s *store.Store, clock ward.Clock) *Outbox {
	return &Outbox{store: s, clock: clock, Zone: time.UTC, wake: make(chan struct{}, 1)}
}

// Add keeps a notice in the transaction of what it tells, with a delivery for each address that it goes to. A key that was
// told before changes nothing.
func (o *Outbox) Add(ctx context.Context, tx *store.Tx, n ward.Notice) error {
	if n.Key == "" || n.Kind == "" || n.Subject == "" {
		return &ward.Invalid{Field: "notice", Problem: "has no key, kind or subject"}
	}
	if n.Created.IsZero() {
		n.Created = o.clock.Now()
	}
	n = usual(n)
	if n.Alert != "" && (n.Severity == "" || !n.Exercise) {
		a, err := tx.Alert(ctx, ward.Everything(), n.Alert)
		switch {
		case err == nil:
			n.Severity, n.Exercise = a.Severity, a.Exercise
		case !isNotFound(err):
			return err
		}
	}
	if n.Asks {
		owes, err := tx.Owes(ctx, n.Alert, n.Org)
		if err != nil {
			return err
		}
		n.Asks = owes // who is told for information has nothing to acknowledge
	}
	if n.Exercise && !strings.HasPrefix(n.Subject, exercise) {
		n.Subject = exercise + ": " + n.Subject
	}
	n.Subject = oneLine(n.Subject)
	if n.Urgency == ward.AtOnce && n.Event != "" {
		told, err := tx.Told(ctx, n.Org, n.Event, n.Rung)
		if err != nil {
			return err
		}
		if told {
			n.Urgency = ward.InDigest
		}
	}
	id, added, err := tx.AddNotice(ctx, n, true)
	if err != nil || !added {
		return err
	}
	n.ID = id
	tx.Hint("inbox:"+string(n.Org), n.Org)
	if n.Urgency != ward.AtOnce {
		return nil
	}
	channels, err := tx.Channels(ctx)
	if err != nil || len(channels) == 0 {
		return err
	}
	recipients, err := o.resolve(ctx, tx, n, channels)
	if err != nil {
		return fmt.Errorf("recipients of %s: %w", n.Key, err)
	}
	return o.send(ctx, tx, n, recipients)
}

const exercise = "EXERCISE"

// oneLine is text for a header or a list: line ends and other controls become spaces, and what turns writing round is left out.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// Inbox lists the notices of org, or of the national desk when org is empty, newest first.
func (o *Outbox) Inbox(ctx context.Context, scope ward.Scope, org ward.OrgID, after string, limit int) (page ward.Page[ward.Notice], err error) {
	if !scope.Sees(org) {
		return page, ward.ErrNotFound
	}
	err = o.store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Notices(ctx, scope, org, after, limit)
		return err
	})
	return page, err
}

// Told lists the notices of one kind about an alert, by organisation: who was told, and who opened it when.
func (o *Outbox) Told(ctx context.Context, scope ward.Scope, alert ward.AlertID, kind string) (notices []ward.Notice, err error) {
	err = o.store.View(ctx, func(tx *store.Tx) error {
		notices, err = tx.NoticesOf(ctx, scope, alert, kind)
		return err
	})
	return notices, err
}

// Unread counts what was not read yet: an organisation's own, or for the national watch what the desk was told.
func (o *Outbox) Unread(ctx context.Context, scope ward.Scope) (n int, err error) {
	err = o.store.View(ctx, func(tx *store.Tx) error {
		n, err = tx.UnreadNotices(ctx, scope)
		return err
	})
	return n, err
}

// MarkRead keeps that who read a notice. The first reader stays.
func (o *Outbox) MarkRead(ctx context.Context, who ward.Actor, id int64) error {
	if err := who.Need(ward.MayRead); err != nil {
		return err
	}
	return o.store.Update(ctx, func(tx *store.Tx) error {
		org, err := tx.ReadNotice(ctx, who.Scope, id, o.clock.Now(), who.Name)
		if err != nil {
			return err
		}
		tx.Hint("inbox:"+string(org), org)
		return nil
	})
}
