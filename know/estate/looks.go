package estate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Viewed writes down that somebody of the national watch looked at what an organisation runs, once for each person, subject
// and hour, so that the organisation can see it. A look by the organisation itself, or by a job, is none.
func (r *Register) Viewed(ctx context.Context, who ward.Actor, org ward.OrgID, subject string) error {
	if who.Person == "" || !who.Scope.All() || org == "" || who.Org == org {
		return nil
	}
	look := ward.View{Org: org, Person: who.Person, Name: who.Name, Subject: short(Clean(subject)), At: r.clock.Now()}
	if r.seen.again(look) {
		return nil
	}
	if err := r.store.Update(ctx, func(tx *store.Tx) error { return tx.AddLook(ctx, look) }); err != nil {
		return fmt.Errorf("estate: view of %s: %w", org, err)
	}
	r.seen.keep(look)
	return nil
}

// Views lists who at the centre looked at what an organisation runs, newest first.
func (r *Register) Views(ctx context.Context, scope ward.Scope, org ward.OrgID, after string, limit int) (ward.Page[ward.View], error) {
	if !scope.Sees(org) {
		return ward.Page[ward.View]{}, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) (ward.Page[ward.View], error) { return tx.Looks(ctx, scope, org, after, limit) })
}

// Expiring lists the newest declaration on each product of each organisation within scope that expires from now on within
// the given time, soonest first.
func (r *Register) Expiring(ctx context.Context, scope ward.Scope, within time.Duration) ([]ward.Declaration, error) {
	all, err := view(ctx, r, func(tx *store.Tx) ([]ward.Declaration, error) { return tx.Declarations(ctx, scope, "") })
	if err != nil {
		return nil, err
	}
	type subject struct {
		org     ward.OrgID
		product string
	}
	now := r.clock.Now()
	newest := map[subject]bool{}
	all = slices.DeleteFunc(all, func(d ward.Declaration) bool { // newest first
		of := subject{d.Org, know.ProductKey(d.Vendor, d.Product)}
		if newest[of] {
			return true
		}
		newest[of] = true
		return !d.Expires.After(now) || d.Expires.Sub(now) > within
	})
	slices.SortStableFunc(all, func(a, b ward.Declaration) int { return a.Expires.Compare(b.Expires) })
	return all, nil
}

// ScannerQuery chooses findings of scanners.
type ScannerQuery = store.ScannerQuery

// ScannerFindings lists what vulnerability scanners report on assets within scope: a third source of exposure, beside what
// matching says.
func (r *Register) ScannerFindings(ctx context.Context, scope ward.Scope, q ScannerQuery) (ward.Page[ward.ScannerFinding], error) {
	if q.Org != "" && !scope.Sees(q.Org) {
		return ward.Page[ward.ScannerFinding]{}, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) (ward.Page[ward.ScannerFinding], error) {
		if q.Asset != 0 {
			shown, err := tx.Asset(ctx, scope, q.Asset)
			if err != nil {
				return ward.Page[ward.ScannerFinding]{}, err
			}
			q.Asset = shown.ID
		}
		return tx.ScannerFindings(ctx, scope, q)
	})
}

// Scanned adds to the evidence on an organisation's claim what scanners report of the weaknesses on the assets that the
// evidence is about. It decides nothing: a sighting by a scanner casts doubt, and only version evidence contradicts. Where the
// national desk has ruled that what is there is fixed or not affected, the scanner's word is settled too.
func (r *Register) Scanned(ctx context.Context, tx *store.Tx, org ward.OrgID, about ward.About, evidence []ward.Seen) ([]ward.Seen, error) {
	asked := map[ward.AssetID]bool{}
	for _, s := range evidence {
		ruled := s.Basis == ward.ByRuling && !s.Gone && (s.Status == ward.Fixed || s.Status == ward.NotAffected)
		open, known := asked[s.Asset]
		asked[s.Asset] = !ruled && (open || !known)
	}
	if len(asked) == 0 {
		return evidence, nil
	}
	for _, cve := range about.CVEs {
		for after, more := "", true; more; more = after != "" {
			page, err := tx.ScannerFindings(ctx, ward.Only(org), ScannerQuery{Org: org, CVE: cve, Gone: true, After: after, Limit: ward.MostPageSize})
			if err != nil {
				return nil, err
			}
			for _, f := range page.Items {
				if asked[f.Asset] {
					evidence = append(evidence, f.Sighting())
				}
			}
			after = page.Next
		}
	}
	return evidence, nil
}
