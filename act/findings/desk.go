// Package findings is the desk that folds exposures into what a person can do: one finding for each fix and organisation,
// ordered by what is urgent, with the reasons in words. Open exposures come in; the queue goes out. It writes no exposure
// down (an exposure is where the intervals of a verdict and an install overlap, so that the past can be worked out again;
// an alert cites those that it asks about), and it never calls fixed what is only no longer seen.
package findings

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Names tells products and versions apart.
type Names interface {
	ProductKey(vendor, product string) string
	Branch(version string) string
	Before(version, other string) bool // version is older than other
}

// Desk keeps the findings.
type Desk struct {
	store *store.Store
	clock ward.Clock
	names Names
}

// New returns the desk.
func New(s *store.Store, clock ward.Clock, names Names) *Desk {
	return &Desk{store: s, clock: clock, names: names}
}

// Query chooses findings. Its zero value chooses the open ones.
type Query = store.FindingQuery

// Fix is one update with all who need it.
type Fix = store.Fix

// Queue lists findings, the most urgent first.
func (d *Desk) Queue(ctx context.Context, scope ward.Scope, q Query) (page ward.Page[ward.Finding], err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Findings(ctx, scope, q)
		return err
	})
	return page, err
}

// Fixes lists updates, each with how many organisations need it, the most urgent first.
func (d *Desk) Fixes(ctx context.Context, scope ward.Scope, limit int) (fixes []Fix, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		fixes, err = tx.Fixes(ctx, scope, limit)
		return err
	})
	return fixes, err
}

// Finding reads one finding.
func (d *Desk) Finding(ctx context.Context, scope ward.Scope, id ward.FindingID) (f ward.Finding, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		f, err = tx.Finding(ctx, scope, id)
		return err
	})
	return f, err
}

// Due folds the exposures of the organisations where something changed, and those of the products of which something else is
// said. Nothing is scheduled: imports, feeds and rulings leave the work.
func (d *Desk) Due(ctx context.Context, now time.Time) (time.Time, error) {
	var t tray
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		t, err = d.fill(ctx, tx)
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	var failed []error
	for org, work := range t.whole {
		folded := fold(d.names, org, t.exposed[org], t.weak, t.identities)
		err := d.store.Update(ctx, func(tx *store.Tx) error {
			if err := d.keep(ctx, tx, org, nil, folded, now); err != nil || work.Subject == "" {
				return err
			}
			return tx.Finish(ctx, store.ForFindings, work)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("findings of %s: %w", org, err))
		}
	}
	if len(t.products) == 0 || len(failed) > 0 {
		return time.Time{}, errors.Join(failed...)
	}
	return time.Time{}, d.store.Update(ctx, func(tx *store.Tx) error {
		for org := range t.partly {
			folded := fold(d.names, org, t.exposed[org], t.weak, t.identities)
			if err := d.keep(ctx, tx, org, t.keys, folded, now); err != nil {
				return fmt.Errorf("findings of %s: %w", org, err)
			}
		}
		for _, work := range t.products {
			if err := tx.Finish(ctx, store.ForFindings, work); err != nil {
				return err
			}
		}
		return nil
	})
}

// tray is the work that waits for the desk, with all that it needs.
type tray struct {
	whole      map[ward.OrgID]store.Work // every product of the organisation
	products   []store.Work              // identities of which something else is said
	keys       []string                  // of their products
	partly     map[ward.OrgID]bool       // organisations with those products
	exposed    map[ward.OrgID][]store.Exposed
	weak       map[spot][]store.Weak
	identities map[ward.SoftwareID]ward.Software
}

const (
	mostWork     = 1_000_000 // subjects taken up at once: all
	mostProducts = 300       // beyond, whole organisations are folded: one pass over everything is then less
)

func (d *Desk) fill(ctx context.Context, tx *store.Tx) (tray, error) {
	t := tray{whole: map[ward.OrgID]store.Work{}, partly: map[ward.OrgID]bool{}, exposed: map[ward.OrgID][]store.Exposed{}, weak: map[spot][]store.Weak{}}
	waiting, err := tx.Waiting(ctx, store.ForFindings, mostWork)
	if err != nil {
		return t, err
	}
	var ids []ward.SoftwareID
	for _, work := range waiting {
		kind, id, found := strings.Cut(work.Subject, ":")
		if !found {
			t.whole[ward.OrgID(work.Subject)] = work
			continue
		}
		number, err := strconv.ParseInt(id, 10, 64)
		if err != nil || kind != "software" {
			return t, fmt.Errorf("pending subject %q is neither an organisation nor an identity", work.Subject)
		}
		ids = append(ids, ward.SoftwareID(number))
		t.products = append(t.products, work)
	}
	if len(ids) > mostProducts {
		running, err := tx.OrgsRunning(ctx, ids)
		if err != nil {
			return t, err
		}
		for _, org := range running {
			if _, marked := t.whole[ward.OrgID(org)]; !marked {
				t.whole[ward.OrgID(org)] = store.Work{}
			}
		}
		ids = nil
	}
	affected := map[ward.SoftwareID]bool{}
	take := func(e store.Exposed) {
		t.exposed[e.Org] = append(t.exposed[e.Org], e)
		affected[e.Software] = true
	}
	if len(t.whole) > 0 {
		if err := tx.ExposedOf(ctx, slices.Collect(maps.Keys(t.whole)), take); err != nil {
			return t, err
		}
	}
	if err := d.fillProducts(ctx, tx, &t, ids, take); err != nil {
		return t, err
	}
	all, identities, err := tx.WeaknessesOf(ctx, slices.Sorted(maps.Keys(affected)))
	if err != nil {
		return t, err
	}
	for _, w := range all {
		on := spot{w.Software, w.Platform}
		t.weak[on] = append(t.weak[on], w)
	}
	t.identities = identities
	return t, nil
}

// fillProducts adds what is exposed through the products of the identities. An update is for a product, so that all its
// identities are folded when one of them changed.
func (d *Desk) fillProducts(ctx context.Context, tx *store.Tx, t *tray, ids []ward.SoftwareID, take func(store.Exposed)) error {
	changed, err := tx.SoftwareByID(ctx, ids)
	if err != nil || len(changed) == 0 {
		return err
	}
	for _, sw := range changed {
		t.keys = append(t.keys, d.key(sw))
	}
	slices.Sort(t.keys)
	t.keys = slices.Compact(t.keys)
	like, err := tx.SoftwareLike(ctx, t.keys)
	if err != nil {
		return err
	}
	alike := map[ward.SoftwareID]bool{}
	for _, sw := range append(like, changed...) {
		if _, ours := slices.BinarySearch(t.keys, d.key(sw)); ours {
			alike[sw.ID] = true
		}
	}
	with, err := tx.OrgsWithFindings(ctx, t.keys)
	if err != nil {
		return err
	}
	for _, org := range with {
		t.partly[ward.OrgID(org)] = true
	}
	if err := tx.ExposedBy(ctx, slices.Sorted(maps.Keys(alike)), func(e store.Exposed) {
		if _, whole := t.whole[e.Org]; !whole {
			t.partly[e.Org] = true
			take(e)
		}
	}); err != nil {
		return err
	}
	for org := range t.whole {
		delete(t.partly, org)
	}
	return nil
}

// key is the product that a finding on the identity is about.
func (d *Desk) key(sw ward.Software) string { return productKey(d.names, sw) }

// keep writes what was folded beside what stands, of all products or of those with the keys: what is new, what replaces an
// older fix, and what ended. What still stands unchanged is only seen again.
func (d *Desk) keep(ctx context.Context, tx *store.Tx, org ward.OrgID, keys []string, folded []store.Kept, now time.Time) error {
	kept, err := tx.FindingsOf(ctx, org, keys...)
	if err != nil {
		return err
	}
	old := map[ward.FindingID]store.Kept{}
	for _, k := range kept {
		old[k.ID] = k
	}
	fresh := map[ward.FindingID]bool{}
	for _, f := range folded {
		fresh[f.ID] = true
	}
	taken := map[ward.FindingID]bool{}
	for _, f := range folded {
		f.FirstSeen, f.LastSeen = now, now
		before, again := old[f.ID]
		if again {
			f.FirstSeen, f.Replaces = before.FirstSeen, before.Replaces
		}
		for _, k := range kept {
			if k.State != ward.FindingOpen || fresh[k.ID] || k.ProductKey != f.ProductKey || k.Branch != f.Branch || !d.takesOver(f, k) {
				continue
			}
			taken[k.ID] = true
			f.Replaces = k.ID
			if k.FirstSeen.Before(f.FirstSeen) {
				f.FirstSeen = k.FirstSeen
			}
			k.State, k.Ended = ward.FindingReplaced, replacedBy(f)
			if err := tx.SaveFinding(ctx, k); err != nil {
				return err
			}
		}
		if again && same(before, f) {
			continue
		}
		if err := tx.SaveFinding(ctx, f); err != nil {
			return err
		}
	}
	for _, k := range kept {
		if k.State != ward.FindingOpen || fresh[k.ID] || taken[k.ID] {
			continue
		}
		assets, settled, err := tx.Remains(ctx, org, k.ProductKey)
		if err != nil {
			return err
		}
		k.State, k.Assets, k.Ended = ward.FindingEnded, 0, ending(k, assets, settled)
		if err := tx.SaveFinding(ctx, k); err != nil {
			return err
		}
	}
	tx.Hint("queue", "")
	tx.Hint("estate:"+string(org), org)
	return tx.SeeFindings(ctx, org, now, keys...)
}

// same reports whether nothing of a finding changed but when it was last seen.
func same(before, f store.Kept) bool {
	before.LastSeen = f.LastSeen
	return reflect.DeepEqual(before, f)
}

// takesOver reports whether a finding is the cumulative update that comes after an older one: a later fix, or the first.
func (d *Desk) takesOver(f, older store.Kept) bool {
	return f.Fix != "" && (older.Fix == "" || d.names.Before(older.Fix, f.Fix))
}

func replacedBy(f store.Kept) string {
	return fmt.Sprintf("replaced by %s, which resolves it too", f.Fix)
}

// ending says how a finding ended, and no more than is known.
func ending(k store.Kept, assets int, settled string) string {
	switch {
	case assets == 0:
		return "no longer seen, which does not say that it was fixed"
	case settled != "":
		return fmt.Sprintf("%s %s is seen now, which no source calls affected", k.Product, settled)
	}
	return fmt.Sprintf("%s is still seen, and no source calls its version affected any more", k.Product)
}
