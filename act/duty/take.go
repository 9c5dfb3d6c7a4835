package duty

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Take says "I have this". Who finds that another has it gets a Conflict with that person's name.
func (d *Desk) Take(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error) {
	return d.decide(ctx, who, id, "duty.take", "", take)
}

// TakeOver takes an item from whoever has it, with the reason, which the watch log keeps.
func (d *Desk) TakeOver(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error) {
	words, err := said(words)
	if err != nil {
		return ward.Item{}, err
	}
	return d.decide(ctx, who, id, "duty.take_over", words, func(who ward.Actor, was *store.DeskItem, _ ward.Item, now time.Time) error {
		was.Owner, was.OwnerName, was.Taken = who.Person, who.Name, now
		return nil
	})
}

// Release gives back what the actor has.
func (d *Desk) Release(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error) {
	words, err := act.Clean("words", words, mostWords)
	if err != nil {
		return ward.Item{}, err
	}
	return d.decide(ctx, who, id, "duty.release", words, release)
}

// Done sets an item aside until it is another matter: there is newer evidence, another time is missed, exploitation begins.
func (d *Desk) Done(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error) {
	words, err := said(words)
	if err != nil {
		return ward.Item{}, err
	}
	return d.decide(ctx, who, id, "duty.done", words, aside(time.Time{}, words))
}

// Snooze sets an item aside until a time, or until it is another matter. Who has it keeps it.
func (d *Desk) Snooze(ctx context.Context, who ward.Actor, id ward.ItemID, until time.Time, words string) (ward.Item, error) {
	words, err := act.Clean("words", words, mostWords)
	if err != nil {
		return ward.Item{}, err
	}
	if now := d.clock.Now(); !until.After(now) || until.After(now.Add(mostSnooze)) {
		return ward.Item{}, &ward.Invalid{Field: "until", Problem: "is not a time within the next 30 days", Hint: "say when it is to come back"}
	}
	return d.decide(ctx, who, id, "duty.snooze", strings.TrimSpace("until "+act.When(until)+" "+words), aside(until, words))
}

// Wake brings back an item that was set aside.
func (d *Desk) Wake(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error) {
	return d.decide(ctx, who, id, "duty.wake", "", func(_ ward.Actor, was *store.DeskItem, _ ward.Item, _ time.Time) error {
		*was = store.DeskItem{Owner: was.Owner, OwnerName: was.OwnerName, Taken: was.Taken, Title: was.Title}
		return nil
	})
}

const (
	mostWords  = 2000
	mostSnooze = 30 * 24 * time.Hour
)

// said is a reason, which must be given.
func said(words string) (string, error) {
	words, err := act.Clean("words", words, mostWords)
	if err == nil && words == "" {
		err = &ward.Invalid{Field: "words", Problem: "is empty", Hint: "say what was done, or why: the next shift reads it"}
	}
	return words, err
}

// A decision changes what a desk decided about an item.
type decision func(who ward.Actor, was *store.DeskItem, item ward.Item, now time.Time) error

func take(who ward.Actor, was *store.DeskItem, item ward.Item, now time.Time) error {
	switch was.Owner {
	case "":
		was.Owner, was.OwnerName, was.Taken = who.Person, who.Name, now
	case who.Person:
	default:
		return heldBy(item.ID, *was, who)
	}
	return nil
}

func release(who ward.Actor, was *store.DeskItem, item ward.Item, _ time.Time) error {
	if was.Owner != who.Person {
		return heldBy(item.ID, *was, who)
	}
	was.Owner, was.OwnerName, was.Taken = "", "", time.Time{}
	return nil
}

// aside sets an item aside until a time, or, with none, until it is another matter: then nobody needs to have it.
func aside(until time.Time, words string) decision {
	return func(who ward.Actor, was *store.DeskItem, item ward.Item, now time.Time) error {
		if was.Owner != "" && was.Owner != who.Person {
			return heldBy(item.ID, *was, who)
		}
		if until.IsZero() {
			was.Owner, was.OwnerName, was.Taken = "", "", time.Time{}
		}
		was.Mark, was.Aside, was.AsideBy, was.Until, was.Words = item.Mark, now, who.Name, until, words
		return nil
	}
}

// heldBy is the conflict with the person who has an item.
func heldBy(id ward.ItemID, was store.DeskItem, who ward.Actor) error {
	if was.Owner == "" {
		return fmt.Errorf("nobody has item %s: %w", id, ward.ErrState)
	}
	return &ward.Conflict{What: "item " + string(id), By: was.OwnerName, Yours: who.Name + " has it", Theirs: was.OwnerName + " has it since " + act.When(was.Taken)}
}

// decide changes what a desk decided about one item.
func (d *Desk) decide(ctx context.Context, who ward.Actor, id ward.ItemID, action, words string, change decision) (ward.Item, error) {
	desk, err := deskOf(who, ward.MayDesk)
	if err != nil {
		return ward.Item{}, err
	}
	item, err := d.one(ctx, who, id)
	if err != nil {
		return ward.Item{}, err
	}
	now := d.clock.Now()
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		decided, err := tx.DeskItems(ctx, desk)
		if err != nil {
			return err
		}
		var changed bool
		if item, changed, err = write(ctx, tx, who, desk, item, decided[id], now, change); err != nil || !changed {
			return err
		}
		if words != "" {
			words = ": " + words
		}
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: action, Subject: string(id), Org: desk, Detail: item.Title + words})
	})
	return item, err
}

// write keeps one decision, and reports whether it changed anything.
func write(ctx context.Context, tx *store.Tx, who ward.Actor, desk ward.OrgID, item ward.Item, was store.DeskItem, now time.Time, change decision) (ward.Item, bool, error) {
	before := was
	if err := change(who, &was, item, now); err != nil {
		return item, false, err
	}
	item.Aside, item.AsideBy, item.Until, item.Words = time.Time{}, "", time.Time{}, ""
	item = with(item, was, now)
	if was == before {
		return item, false, nil
	}
	was.Title = item.Title
	tx.Hint("queue", desk)
	return item, true, tx.SaveDeskItem(ctx, desk, item.ID, was)
}
