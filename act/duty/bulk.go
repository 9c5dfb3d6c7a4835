package duty

import (
	"context"
	"errors"
	"slices"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Bulk is what happened to many items at once.
type Bulk struct {
	Changed int
	Left    []Left // not changed, and why
}

// Left is an item that a bulk change left as it was.
type Left struct {
	Item ward.ItemID
	Why  string
}

// TakeAll takes every item that matches and that nobody else has. Those that another has are left, and named.
func (d *Desk) TakeAll(ctx context.Context, who ward.Actor, q Query) (Bulk, error) {
	return d.bulk(ctx, who, q, "duty.take", take)
}

// ReleaseAll gives back every item that matches and that the actor has.
func (d *Desk) ReleaseAll(ctx context.Context, who ward.Actor, q Query) (Bulk, error) {
	q.Mine, q.Unowned = true, false
	return d.bulk(ctx, who, q, "duty.release", release)
}

// bulk changes all that matches in one transaction, with one line in the log. A conflict leaves that item alone.
func (d *Desk) bulk(ctx context.Context, who ward.Actor, q Query, action string, change decision) (done Bulk, err error) {
	desk, err := deskOf(who, ward.MayDesk)
	if err != nil {
		return done, err
	}
	all, err := d.all(ctx, who)
	if err != nil {
		return done, err
	}
	for _, id := range q.IDs {
		if !slices.ContainsFunc(all, func(i ward.Item) bool { return i.ID == id }) {
			done.Left = append(done.Left, Left{id, "does not wait any more"})
		}
	}
	all = slices.DeleteFunc(all, func(i ward.Item) bool { return !q.wants(who, i) })
	now := d.clock.Now()
	var titles []string
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		decided, err := tx.DeskItems(ctx, desk)
		if err != nil {
			return err
		}
		for _, item := range all {
			_, changed, err := write(ctx, tx, who, desk, item, decided[item.ID], now, change)
			switch {
			case errors.Is(err, ward.ErrConflict):
				done.Left = append(done.Left, Left{item.ID, decided[item.ID].OwnerName + " has it"})
			case err != nil:
				return err
			case changed:
				titles = append(titles, item.Title)
			}
		}
		if done.Changed = len(titles); done.Changed == 0 {
			return nil
		}
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: action, Subject: act.Number(done.Changed, "item"), Org: desk, Detail: act.Names(titles)})
	})
	if err != nil {
		return Bulk{}, err
	}
	return done, nil
}
