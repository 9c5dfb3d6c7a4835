// Package duty is the watch desk: the one list of what needs a person, who has it, the watch log, and the hand-over from one
// shift to the next. What stands in the other rooms comes in, through Sources; decisions about it (I have this, done, not
// before Monday) are kept here. It never keeps the items themselves: when what made one is over, the item is gone. Each
// organisation has a desk of its own, and the national watch has one; neither sees what the other does with an item.
package duty

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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

// A Listing is a page of what waits at a desk, with what stands around it. All of it is of one moment, because what waits is
// worked out anew for each question.
type Listing struct {
	ward.Page[ward.Item]
	Matching int    // how many items the query chooses, those of other pages too
	Counts   Counts // of the whole desk, whatever the query chooses
}

// Items lists what waits at the reader's desk, the most pressing first.
func (d *Desk) Items(ctx context.Context, who ward.Actor, q Query) (list Listing, err error) {
	if _, err := deskOf(who, ward.MayRead); err != nil {
		return list, err
	}
	all, err := d.all(ctx, who)
	if err != nil {
		return list, err
	}
	list.Counts = count(who, all)
	all = slices.DeleteFunc(all, func(i ward.Item) bool { return !q.wants(who, i) })
	list.Matching = len(all)
	if q.After != "" {
		after, err := readCursor(q.After)
		if err != nil {
			return list, err
		}
		all = slices.DeleteFunc(all, func(i ward.Item) bool { return pressing(i, after) <= 0 })
	}
	limit := q.Limit
	switch {
	case limit <= 0:
		limit = ward.PageSize
	case limit > ward.MostPageSize:
		limit = ward.MostPageSize
	}
	if len(all) > limit {
		list.Next = cursor(all[limit-1])
		all = all[:limit]
	}
	list.Items = all
	return list, nil
}

// Item reads one item.
func (d *Desk) Item(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error) {
	if _, err := deskOf(who, ward.MayRead); err != nil {
		return ward.Item{}, err
	}
	return d.one(ctx, who, id)
}

func count(who ward.Actor, all []ward.Item) Counts {
	c := Counts{Kinds: map[ward.ItemKind]int{}}
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
	return c
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

// gather asks every source. Of one matter the first word counts. Items about an alert in force are named after it, and an
// exercise is never urgent.
func (d *Desk) gather(ctx context.Context, scope ward.Scope) (all []ward.Item, err error) {
	alerts, err := d.inForce(ctx)
	if err != nil {
		return nil, err
	}
	known := map[ward.ItemID]bool{}
	for _, source := range d.sources {
		some, err := source.Items(ctx, scope)
		if err != nil {
			return nil, fmt.Errorf("duty: %w", err)
		}
		for _, i := range some {
			if known[i.ID] {
				continue
			}
			known[i.ID] = true
			i.Since = i.Since.Truncate(time.Microsecond) // as the store keeps times
			if alert, ok := alerts[i.Alert]; ok {
				i.Title = named(i.Alert, alert)
				i.Urgent = !alert.Exercise && (i.Urgent || alert.Severity == ward.High && i.Kind != ward.ItemRecurrence)
			}
			all = append(all, i)
		}
	}
	return all, nil
}

func (d *Desk) inForce(ctx context.Context) (alerts map[ward.AlertID]store.AlertInForce, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		alerts, err = tx.AlertsInForce(ctx)
		return err
	})
	return alerts, err
}

// named is an alert in a list; an exercise cannot be mistaken.
func named(id ward.AlertID, a store.AlertInForce) string {
	if a.Exercise && !strings.HasPrefix(a.Title, "EXERCISE") {
		return "EXERCISE " + string(id) + ": " + a.Title
	}
	return string(id) + ": " + a.Title
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
	slices.SortFunc(all, pressing)
	return all, nil
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

// pressing orders items: urgent ones first, then by kind, then what waits the longest.
func pressing(x, y ward.Item) int {
	if x.Urgent != y.Urgent {
		if x.Urgent {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(slices.Index(ward.ItemKinds, x.Kind), slices.Index(ward.ItemKinds, y.Kind)), x.Since.Compare(y.Since), cmp.Compare(x.ID, y.ID))
}

// cursor marks an item's place in the list, so that the next page begins behind it even when it is gone by then.
func cursor(i ward.Item) string {
	place := fmt.Sprintf("%t\x00%s\x00%d\x00%s", i.Urgent, i.Kind, i.Since.UnixMicro(), i.ID)
	return base64.RawURLEncoding.EncodeToString([]byte(place))
}

func readCursor(text string) (i ward.Item, err error) {
	bad := &ward.Invalid{Field: "after", Problem: "is not a cursor of this list", Hint: "take it from the page before, or leave it out"}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.SplitN(string(plain), "\x00", 4)
	if err != nil || len(parts) != 4 {
		return i, bad
	}
	since, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return i, bad
	}
	return ward.Item{Urgent: parts[0] == "true", Kind: ward.ItemKind(parts[1]), Since: time.UnixMicro(since), ID: ward.ItemID(parts[3])}, nil
}
