// Package notify is the outbox: what the other rooms tell an organisation or the national desk, kept in the transaction of
// the fact that it tells. Notices come in; inboxes go out. It never tells the same fact twice, and never carries asset names
// or anything else that a message should not.
package notify

import (
	"context"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Outbox keeps notices until they are read.
type Outbox struct {
	store *store.Store
	clock ward.Clock
}

// New returns the outbox.
func New(s *store.Store, clock ward.Clock) *Outbox { return &Outbox{store: s, clock: clock} }

// Add keeps a notice in the transaction of what it tells. A key that was told before changes nothing.
func (o *Outbox) Add(ctx context.Context, tx *store.Tx, n ward.Notice) error {
	if n.Key == "" || n.Kind == "" || n.Subject == "" {
		return &ward.Invalid{Field: "notice", Problem: "has no key, kind or subject"}
	}
	if n.Created.IsZero() {
		n.Created = o.clock.Now()
	}
	added, err := tx.AddNotice(ctx, n)
	if err != nil {
		return err
	}
	if added {
		tx.Hint("inbox:"+string(n.Org), n.Org)
	}
	return nil
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
