// Package duty is the watch desk: the one list of what needs a person, who has it, the watch log, and the hand-over from one
// shift to the next. What stands in the other rooms comes in, through Sources; decisions about it (I have this, done, not
// before Monday) are kept here. It never keeps the items themselves: when what made one is over, the item is gone. Each
// organisation has a desk of its own, and the national watch has one; neither sees what the other does with an item.
package duty

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Source tells what of its room needs a person, within a scope. An item's ID stays the same as long as the matter does.
type Source interface {
	Items(ctx context.Context, scope ward.Scope) ([]ward.Item, error)
}

// Calendar is a Source that also knows what will come due.
type Calendar interface {
	Coming(ctx context.Context, scope ward.Scope, from, until time.Time) ([]ward.Coming, error)
}

// SourceFunc makes a Source of a function.
type SourceFunc func(ctx context.Context, scope ward.Scope) ([]ward.Item, error)

// Items implements Source.
func (f SourceFunc) Items(ctx context.Context, scope ward.Scope) ([]ward.Item, error) {
	return f(ctx, scope)
}

// Desk is the desks of all organisations, and the national one.
type Desk struct {
	store   *store.Store
	clock   ward.Clock
	sources []Source
}

// New returns the desk. It reads answers, findings, imports and declarations itself; sources tell the rest.
func New(s *store.Store, clock ward.Clock, sources ...Source) *Desk {
	return &Desk{store: s, clock: clock, sources: append([]Source{standing{s, clock}}, sources...)}
}

// Query chooses items. Its zero value chooses all that wait.
type Query struct {
	IDs     []ward.ItemID // only these
	Kind    ward.ItemKind
	Org     ward.OrgID
	Alert   ward.AlertID
	Text    string // every word of it in the title, reason or organisation's code, without case
	Mine    bool   // that the reader has
	Unowned bool   // that nobody has
	Urgent  bool
	Aside   bool   // those that were set aside, instead
	After   string // cursor
	Limit   int
}

// Counts is how many items wait at a desk.
type Counts struct {
	All     int
	Mine    int
	Unowned int
	Urgent  int
	Aside   int
	Kinds   map[ward.ItemKind]int
}

// deskOf is the desk at which somebody sits: their organisation's, or the national one.
func deskOf(who ward.Actor, need ward.Permission) (ward.OrgID, error) {
	if err := who.Need(need); err != nil {
		return "", err
	}
	if need == ward.MayDesk && who.Person == "" { // a command has no name to take anything under
		return "", ward.ErrForbidden
	}
	if !who.Scope.Sees(who.Org) { // the empty organisation, the national desk, is seen by an unlimited scope only
		return "", ward.ErrForbidden
	}
	return who.Org, nil
}

// Items lists what waits at the reader's desk, the most pressing first.
func (d *Desk) Items(ctx context.Context, who ward.Actor, q Query) (page ward.Page[ward.Item], err error) {
	if _, err := deskOf(who, ward.MayRead); err != nil {
		return page, err
	}
	all, err := d.all(ctx, who)
	if err != nil {
		return page, err
	}
	all = slices.DeleteFunc(all, func(i ward.Item) bool { return !q.wants(who, i) })
	if q.After != "" {
		after, err := base64.RawURLEncoding.DecodeString(q.After)
		if err != nil {
			return page, &ward.Invalid{Field: "after", Problem: "is not a cursor of this list", Hint: "take it from the page before, or leave it out"}
		}
		all = slices.DeleteFunc(all, func(i ward.Item) bool { return place(i) <= string(after) })
	}
	limit := q.Limit
	switch {
	case limit <= 0:
		limit = ward.PageSize
	case limit > ward.MostPageSize:
		limit = ward.MostPageSize
	}
	if len(all) > limit {
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(place(all[limit-1])))
		all = all[:limit]
	}
	page.Items = all
	return page, nil
}

// Item reads one item.
func (d *Desk) Item(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error) {
	if _, err := deskOf(who, ward.MayRead); err != nil {
		return ward.Item{}, err
	}
	return d.one(ctx, who, id)
}

// Counts counts what waits at the reader's desk.
func (d *Desk) Counts(ctx context.Context, who ward.Actor) (c Counts, err error) {
	c.Kinds = map[ward.ItemKind]int{}
	if _, err := deskOf(who, ward.MayRead); err != nil {
		return c, err
	}
	all, err := d.all(ctx, who)
	for _, i := range all {
		if !i.Aside.IsZero() {
			c.Aside++
			continue
		}
		c.All++
		c.Kinds[i.Kind]++
		switch i.Owner {
		case "":
			c.Unowned++
		case who.Person:
			c.Mine++
		}
		if i.Urgent {
			c.Urgent++
		}
	}
	return c, err
}

func (q Query) wants(who ward.Actor, i ward.Item) bool {
	if i.Aside.IsZero() == q.Aside || len(q.IDs) > 0 && !slices.Contains(q.IDs, i.ID) {
		return false
	}
	if q.Kind != "" && i.Kind != q.Kind || q.Org != "" && i.Org != q.Org || q.Alert != "" && i.Alert != q.Alert {
		return false
	}
	if q.Mine && i.Owner != who.Person || q.Unowned && i.Owner != "" || q.Urgent && !i.Urgent {
		return false
	}
	text := strings.ToLower(strings.Join([]string{i.Title, i.Reason, string(i.Org), string(i.Alert)}, " "))
	for _, word := range strings.Fields(strings.ToLower(q.Text)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// one finds an item of the reader's desk.
func (d *Desk) one(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error) {
	all, err := d.all(ctx, who)
	if err != nil {
		return ward.Item{}, err
	}
	at := slices.IndexFunc(all, func(i ward.Item) bool { return i.ID == id })
	if at < 0 {
		return ward.Item{}, fmt.Errorf("item %s: %w", id, ward.ErrNotFound)
	}
	return all[at], nil
}

// sweepEvery is how often the desks forget what they decided about matters that are over.
const sweepEvery = 15 * time.Minute

// Due forgets what was decided about items that do not wait any more, and keeps in the log that somebody had them.
func (d *Desk) Due(ctx context.Context, now time.Time) (next time.Time, err error) {
	var desks []string
	err = d.store.View(ctx, func(tx *store.Tx) error {
		swept, err := tx.Stamp(ctx, "duty.swept")
		if err != nil {
			return err
		}
		if next = swept.Add(sweepEvery); now.Before(next) {
			return nil
		}
		next = now.Add(sweepEvery)
		desks, err = tx.DecidedDesks(ctx)
		return err
	})
	if err != nil || len(desks) == 0 {
		return next, err
	}
	waits := map[ward.ItemID]bool{}
	scopes := []ward.Scope{ward.Everything()}
	for _, desk := range desks {
		if desk != "" {
			scopes = append(scopes, ward.Only(ward.OrgID(desk)))
		}
	}
	for _, scope := range scopes {
		all, err := d.gather(ctx, scope)
		if err != nil {
			return time.Time{}, err
		}
		for _, i := range all {
			waits[i.ID] = true
		}
	}
	return next, d.store.Update(ctx, func(tx *store.Tx) error {
		for _, desk := range desks {
			if err := forget(ctx, tx, ward.OrgID(desk), waits, now); err != nil {
				return err
			}
		}
		return tx.SetStamp(ctx, "duty.swept", now)
	})
}

func forget(ctx context.Context, tx *store.Tx, desk ward.OrgID, waits map[ward.ItemID]bool, now time.Time) error {
	decided, err := tx.DeskItems(ctx, desk)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(decided)) {
		if waits[id] {
			continue
		}
		if err := tx.SaveDeskItem(ctx, desk, id, store.DeskItem{}); err != nil {
			return err
		}
		was := decided[id]
		detail := was.Title + ": does not wait any more"
		if was.Owner != "" {
			detail += "; " + was.OwnerName + " had it"
		}
		if err := tx.Audit(ctx, ward.AuditEntry{At: now, Name: "desk", Action: "duty.over", Subject: string(id), Org: desk, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

// gather asks every source.
func (d *Desk) gather(ctx context.Context, scope ward.Scope) (all []ward.Item, err error) {
	for _, source := range d.sources {
		some, err := source.Items(ctx, scope)
		if err != nil {
			return nil, fmt.Errorf("duty: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// all is every item of the reader's desk with what was decided about it, in order; those set aside are marked so.
func (d *Desk) all(ctx context.Context, who ward.Actor) (all []ward.Item, err error) {
	if all, err = d.gather(ctx, who.Scope); err != nil {
		return nil, err
	}
	var decided map[ward.ItemID]store.DeskItem
	err = d.store.View(ctx, func(tx *store.Tx) error {
		decided, err = tx.DeskItems(ctx, who.Org)
		return err
	})
	if err != nil {
		return nil, err
	}
	now := d.clock.Now()
	for i := range all {
		all[i] = with(all[i], decided[all[i].ID], now)
	}
	slices.SortFunc(all, func(x, y ward.Item) int { return cmp.Compare(place(x), place(y)) })
	return slices.CompactFunc(all, func(x, y ward.Item) bool { return x.ID == y.ID }), nil
}

// with is an item with what a desk decided about it. One that began anew, or became another matter, after it was set aside
// waits again.
func with(i ward.Item, d store.DeskItem, now time.Time) ward.Item {
	i.Owner, i.OwnerName, i.Taken = d.Owner, d.OwnerName, d.Taken
	stands := !d.Aside.IsZero() && d.Mark == i.Mark && !i.Since.After(d.Aside)
	if stands && (d.Until.IsZero() || now.Before(d.Until)) {
		i.Aside, i.AsideBy, i.Until, i.Words = d.Aside, d.AsideBy, d.Until, d.Words
	}
	return i
}

// place sorts items, the most pressing first: urgent, by kind, then what waits the longest.
func place(i ward.Item) string {
	urgent := 1
	if i.Urgent {
		urgent = 0
	}
	return fmt.Sprintf("%d%02d%020d%s", urgent, slices.Index(ward.ItemKinds, i.Kind), max(i.Since.UnixMicro(), 0), i.ID)
}

// Take says "I have this". Who finds that another has it gets a Conflict with that person's name.
func (d *Desk) Take(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error) {
	return d.decide(ctx, who, id, "duty.take", "", func(was *store.DeskItem, _ ward.Item, now time.Time) error {
		if was.Owner != "" && was.Owner != who.Person {
			return heldBy(id, *was, who)
		}
		if was.Owner == "" {
			was.Owner, was.OwnerName, was.Taken = who.Person, who.Name, now
		}
		return nil
	})
}

// TakeOver takes an item from whoever has it, with the reason, which the watch log keeps.
func (d *Desk) TakeOver(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error) {
	words, err := said(words)
	if err != nil {
		return ward.Item{}, err
	}
	return d.decide(ctx, who, id, "duty.take_over", words, func(was *store.DeskItem, _ ward.Item, now time.Time) error {
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
	return d.decide(ctx, who, id, "duty.release", words, func(was *store.DeskItem, _ ward.Item, _ time.Time) error {
		if was.Owner != who.Person {
			return heldBy(id, *was, who)
		}
		was.Owner, was.OwnerName, was.Taken = "", "", time.Time{}
		return nil
	})
}

// Done sets an item aside until it is another matter: there is newer evidence, another time is missed, exploitation begins.
func (d *Desk) Done(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error) {
	words, err := said(words)
	if err != nil {
		return ward.Item{}, err
	}
	return d.decide(ctx, who, id, "duty.done", words, aside(who, id, time.Time{}, words))
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
	return d.decide(ctx, who, id, "duty.snooze", strings.TrimSpace("until "+act.When(until)+" "+words), aside(who, id, until, words))
}

// Wake brings back an item that was set aside.
func (d *Desk) Wake(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error) {
	return d.decide(ctx, who, id, "duty.wake", "", func(was *store.DeskItem, _ ward.Item, _ time.Time) error {
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

type decision func(was *store.DeskItem, item ward.Item, now time.Time) error

func aside(who ward.Actor, id ward.ItemID, until time.Time, words string) decision {
	return func(was *store.DeskItem, item ward.Item, now time.Time) error {
		if was.Owner != "" && was.Owner != who.Person {
			return heldBy(id, *was, who)
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
		item, err = d.write(ctx, tx, who, desk, item, decided[id], action, words, now, change)
		return err
	})
	return item, err
}

// write keeps one decision, with its line in the log, unless it changes nothing.
func (d *Desk) write(ctx context.Context, tx *store.Tx, who ward.Actor, desk ward.OrgID, item ward.Item, was store.DeskItem, action, words string, now time.Time, change decision) (ward.Item, error) {
	before := was
	if err := change(&was, item, now); err != nil {
		return item, err
	}
	item.Aside, item.AsideBy, item.Until, item.Words = time.Time{}, "", time.Time{}, ""
	item = with(item, was, now)
	if was == before {
		return item, nil
	}
	was.Title = item.Title
	if err := tx.SaveDeskItem(ctx, desk, item.ID, was); err != nil {
		return item, err
	}
	tx.Hint("queue", desk)
	if words != "" {
		words = ": " + words
	}
	return item, tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: action, Subject: string(item.ID), Org: desk, Detail: item.Title + words})
}

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
	return d.bulk(ctx, who, q, "duty.take", func(was *store.DeskItem, item ward.Item, now time.Time) error {
		if was.Owner != "" && was.Owner != who.Person {
			return heldBy(item.ID, *was, who)
		}
		if was.Owner == "" {
			was.Owner, was.OwnerName, was.Taken = who.Person, who.Name, now
		}
		return nil
	})
}

// ReleaseAll gives back every item that matches and that the actor has.
func (d *Desk) ReleaseAll(ctx context.Context, who ward.Actor, q Query) (Bulk, error) {
	q.Mine, q.Unowned = true, false
	return d.bulk(ctx, who, q, "duty.release", func(was *store.DeskItem, _ ward.Item, _ time.Time) error {
		if was.Owner == who.Person {
			was.Owner, was.OwnerName, was.Taken = "", "", time.Time{}
		}
		return nil
	})
}

// bulk changes all that matches in one transaction. A conflict leaves that item alone.
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
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		decided, err := tx.DeskItems(ctx, desk)
		if err != nil {
			return err
		}
		for _, item := range all {
			before := item.Owner
			item, err := d.write(ctx, tx, who, desk, item, decided[item.ID], action, "", now, change)
			switch {
			case errors.Is(err, ward.ErrConflict):
				done.Left = append(done.Left, Left{item.ID, decided[item.ID].OwnerName + " has it"})
			case err != nil:
				return err
			case item.Owner != before:
				done.Changed++
			}
		}
		return nil
	})
	if err != nil {
		return Bulk{}, err
	}
	return done, nil
}
