package match

import (
	"cmp"
	"context"
	"slices"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// ExposureQuery chooses exposures. Its zero value chooses all that the scope sees, open or ended.
type ExposureQuery struct {
	Org      ward.OrgID // accountable or operating
	CVE      ward.CVE
	Asset    ward.AssetID
	Software ward.SoftwareID
	Vendor   string // with Product: the product by any of its names
	Product  string
	Status   ward.Status // empty: affected; version_unknown and platform_unknown are what may be
	AsAt     time.Time   // as it stood then, by what was known by then; zero: without regard to time
	Open     bool        // those that have not ended; without effect beside AsAt
	After    string      // cursor
	Limit    int
}

// OrgCount is how many distinct assets of an organisation are exposed now.
type OrgCount = store.OrgCount

// Exposures lists where affected verdicts and installs overlap, each asset once however many organisations answer for it.
func (m *Matcher) Exposures(ctx context.Context, scope ward.Scope, q ExposureQuery) (page ward.Page[ward.Exposure], err error) {
	if q.Org != "" && !scope.Sees(q.Org) {
		return page, ward.ErrNotFound
	}
	asked := store.ExposureQuery{
		Org: q.Org, CVE: q.CVE, Asset: q.Asset, Software: q.Software, Status: q.Status, AsAt: q.AsAt, Open: q.Open, After: q.After, Limit: q.Limit,
	}
	if q.Product != "" {
		if asked.Keys = know.NameKeys(q.Vendor, q.Product); len(asked.Keys) == 0 {
			return page, nil
		}
	}
	err = m.store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Exposures(ctx, scope, asked)
		return err
	})
	return page, err
}

// Counts counts, by organisation within scope, the assets that are exposed to a weakness now, most first.
func (m *Matcher) Counts(ctx context.Context, scope ward.Scope, cve ward.CVE) (all []OrgCount, err error) {
	err = m.store.View(ctx, func(tx *store.Tx) error {
		var known bool
		if all, known, err = m.lists.counts(ctx, tx, scope, cve); !known && err == nil {
			all, err = tx.ExposureCounts(ctx, scope, cve)
		}
		return err
	})
	return all, err
}

// Step is how many assets and organisations were exposed from a time on.
type Step struct {
	At     time.Time
	Assets int // distinct
	Orgs   int
}

// History is the course of the exposure to a weakness within scope: one step for each time at which the numbers changed.
func (m *Matcher) History(ctx context.Context, scope ward.Scope, cve ward.CVE) ([]Step, error) {
	type edge struct {
		at   time.Time
		plus int
		of   store.Interval
	}
	var edges []edge
	err := m.store.View(ctx, func(tx *store.Tx) error {
		return tx.ExposureIntervals(ctx, scope, cve, func(i store.Interval) {
			edges = append(edges, edge{i.Start, 1, i})
			if !i.End.IsZero() {
				edges = append(edges, edge{i.End, -1, i})
			}
		})
	})
	if err != nil {
		return nil, err
	}
	// At one moment what begins counts before what ends, so that a version that took another's place leaves no dip.
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(b.plus, a.plus)) })
	assets, orgs, pairs := map[ward.AssetID]int{}, map[ward.OrgID]int{}, map[ward.OrgID]map[ward.AssetID]int{}
	var steps []Step
	for i, e := range edges {
		count(assets, e.of.Asset, e.plus)
		if pairs[e.of.Org] == nil {
			pairs[e.of.Org] = map[ward.AssetID]int{}
		}
		count(pairs[e.of.Org], e.of.Asset, e.plus)
		delete(orgs, e.of.Org)
		if len(pairs[e.of.Org]) > 0 {
			orgs[e.of.Org] = 1
		}
		if i+1 < len(edges) && edges[i+1].at.Equal(e.at) {
			continue
		}
		step := Step{At: e.at, Assets: len(assets), Orgs: len(orgs)}
		if n := len(steps); n == 0 || steps[n-1].Assets != step.Assets || steps[n-1].Orgs != step.Orgs {
			steps = append(steps, step)
		}
	}
	return steps, nil
}

func count[K comparable](of map[K]int, key K, plus int) {
	if of[key] += plus; of[key] == 0 {
		delete(of, key)
	}
}
