// Package findings is the desk that folds exposures into what a person can do: one finding for each fix and organisation,
// ordered by what is urgent, with the reasons in words. Open exposures come in; the queue goes out. It writes no exposure
// down (an exposure is where the intervals of a verdict and an install overlap, so that the past can be worked out again;
// an alert cites those that it asks about), and it never calls fixed what is only no longer seen.
package findings

import (
	"context"
	"errors"
	"fmt"
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

// Due folds the exposures of the organisations where something changed. Nothing is scheduled: imports, feeds and rulings
// leave the work.
func (d *Desk) Due(ctx context.Context, now time.Time) (time.Time, error) {
	const batch = 1000 // more than there are organisations
	var waiting []store.Work
	exposed := map[ward.OrgID][]store.Exposed{}
	weak := map[ward.SoftwareID][]store.Weak{}
	var identities map[ward.SoftwareID]ward.Software
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		if waiting, err = tx.Waiting(ctx, store.ForFindings, batch); err != nil || len(waiting) == 0 {
			return err
		}
		orgs := make([]ward.OrgID, len(waiting))
		for i, work := range waiting {
			orgs[i] = ward.OrgID(work.Subject)
		}
		var ids []ward.SoftwareID
		seen := map[ward.SoftwareID]bool{}
		if err := tx.ExposedOf(ctx, orgs, func(e store.Exposed) {
			exposed[e.Org] = append(exposed[e.Org], e)
			if !seen[e.Software] {
				seen[e.Software] = true
				ids = append(ids, e.Software)
			}
		}); err != nil {
			return err
		}
		var all []store.Weak
		if all, identities, err = tx.WeaknessesOf(ctx, ids); err != nil {
			return err
		}
		for _, w := range all {
			weak[w.Software] = append(weak[w.Software], w)
		}
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	var failed []error
	for _, work := range waiting {
		org := ward.OrgID(work.Subject)
		folded := fold(d.names, org, exposed[org], weak, identities)
		if err := d.keep(ctx, work, org, folded, now); err != nil {
			failed = append(failed, fmt.Errorf("findings of %s: %w", org, err))
		}
	}
	return time.Time{}, errors.Join(failed...)
}

// keep writes what was folded beside what stands: what is new, what replaces an older fix, and what ended.
func (d *Desk) keep(ctx context.Context, work store.Work, org ward.OrgID, folded []store.Kept, now time.Time) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		kept, err := tx.FindingsOf(ctx, org)
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
			if before, again := old[f.ID]; again {
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
		return tx.Finish(ctx, store.ForFindings, work)
	})
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
