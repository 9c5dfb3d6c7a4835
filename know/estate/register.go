package estate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Register is the estate of every organisation. Its readers are the formats of inventory that it understands.
type Register struct {
	store   *store.Store
	clock   ward.Clock
	readers []Reader
	seen    seen
}

// New makes the register. The first reader that recognises an input reads it.
func New(s *store.Store, clock ward.Clock, readers ...Reader) *Register {
	return &Register{store: s, clock: clock, readers: readers}
}

// AssetQuery chooses assets.
type AssetQuery = store.AssetQuery

// Presence is one source's sight of one asset.
type Presence = store.Presence

// view reads in one transaction.
func view[T any](ctx context.Context, r *Register, read func(*store.Tx) (T, error)) (out T, err error) {
	err = r.store.View(ctx, func(tx *store.Tx) error {
		out, err = read(tx)
		return err
	})
	return out, err
}

// Organisations lists the organisations within scope, by name.
func (r *Register) Organisations(ctx context.Context, scope ward.Scope) ([]ward.Organisation, error) {
	return view(ctx, r, func(tx *store.Tx) ([]ward.Organisation, error) { return tx.Organisations(ctx, scope) })
}

// Organisation is one organisation within scope.
func (r *Register) Organisation(ctx context.Context, scope ward.Scope, id ward.OrgID) (ward.Organisation, error) {
	return view(ctx, r, func(tx *store.Tx) (ward.Organisation, error) { return tx.Organisation(ctx, scope, id) })
}

// Relations lists the relations of an organisation within scope, or (org empty) all that touch the scope.
func (r *Register) Relations(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Relation, error) {
	if org != "" && !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) ([]ward.Relation, error) { return tx.Relations(ctx, scope, org) })
}

// Sites lists the sites of an organisation within scope.
func (r *Register) Sites(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Site, error) {
	if !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) ([]ward.Site, error) { return tx.Sites(ctx, scope, org) })
}

// Assets lists assets within scope, each once.
func (r *Register) Assets(ctx context.Context, scope ward.Scope, q AssetQuery) (ward.Page[ward.Asset], error) {
	if q.Org != "" && !scope.Sees(q.Org) {
		return ward.Page[ward.Asset]{}, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) (ward.Page[ward.Asset], error) { return tx.Assets(ctx, scope, q) })
}

// Asset is one asset within scope.
func (r *Register) Asset(ctx context.Context, scope ward.Scope, id ward.AssetID) (ward.Asset, error) {
	return view(ctx, r, func(tx *store.Tx) (ward.Asset, error) { return tx.Asset(ctx, scope, id) })
}

// CountAssets counts the assets within scope that some source still lists, each once.
func (r *Register) CountAssets(ctx context.Context, scope ward.Scope) (int, error) {
	return view(ctx, r, func(tx *store.Tx) (int, error) { return tx.CountAssets(ctx, scope) })
}

// Installs lists what every source saw on an asset within scope, what is still listed first.
func (r *Register) Installs(ctx context.Context, scope ward.Scope, asset ward.AssetID) ([]ward.Install, error) {
	return view(ctx, r, func(tx *store.Tx) ([]ward.Install, error) {
		shown, err := tx.Asset(ctx, scope, asset)
		if err != nil {
			return nil, err
		}
		return tx.Installs(ctx, scope, shown.ID)
	})
}

// Sightings lists which sources list or listed an asset within scope, and when.
func (r *Register) Sightings(ctx context.Context, scope ward.Scope, asset ward.AssetID) ([]Presence, error) {
	return view(ctx, r, func(tx *store.Tx) ([]Presence, error) {
		shown, err := tx.Asset(ctx, scope, asset)
		if err != nil {
			return nil, err
		}
		return tx.Sightings(ctx, scope, shown.ID)
	})
}

// Sources lists the sources of an organisation, or, with none named, of all within scope.
func (r *Register) Sources(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Source, error) {
	if org != "" && !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) ([]ward.Source, error) { return tx.Sources(ctx, scope, org) })
}

// Imports lists an organisation's imports, newest first.
func (r *Register) Imports(ctx context.Context, scope ward.Scope, org ward.OrgID, limit int) ([]ward.Import, error) {
	if !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) ([]ward.Import, error) { return tx.Imports(ctx, scope, org, limit) })
}

// ImportOf is one import within scope.
func (r *Register) ImportOf(ctx context.Context, scope ward.Scope, id ward.ImportID) (ward.Import, error) {
	return view(ctx, r, func(tx *store.Tx) (ward.Import, error) { return tx.Import(ctx, scope, id) })
}

// Coverage says, for every class, which source of an organisation could have seen an asset of it, and how fresh it is. The
// freshest source decides; one that people wrote by their own word is self-declared, however fresh.
func (r *Register) Coverage(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Coverage, error) {
	if !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) ([]ward.Coverage, error) {
		sources, err := tx.Sources(ctx, scope, org)
		if err != nil {
			return nil, err
		}
		counts, err := tx.CountByClass(ctx, scope, org)
		if err != nil {
			return nil, err
		}
		now := r.clock.Now()
		coverage := make([]ward.Coverage, len(ward.Classes))
		for i, class := range ward.Classes {
			coverage[i] = cover(class, sources, now)
			coverage[i].Org, coverage[i].Assets = org, counts[class]
		}
		return coverage, nil
	})
}

// cover finds the source that speaks best for a class: fresh before self-declared before stale, then the newest.
func cover(class ward.Class, sources []ward.Source, now time.Time) ward.Coverage {
	best := ward.Coverage{Class: class, Freshness: ward.NoSource}
	rank := []ward.Freshness{ward.NoSource, ward.Stale, ward.Declared, ward.Fresh}
	for _, source := range sources {
		if !slices.Contains(source.Classes, class) {
			continue
		}
		freshness := ward.Fresh
		switch {
		case now.Sub(source.ObservedAt) > ward.FreshFor:
			freshness = ward.Stale
		case source.Grade == ward.SelfDeclared:
			freshness = ward.Declared
		}
		better := slices.Index(rank, freshness) - slices.Index(rank, best.Freshness)
		if better > 0 || better == 0 && source.ObservedAt.After(best.ObservedAt) {
			best.Freshness, best.Source, best.ObservedAt = freshness, source.Name, source.ObservedAt
		}
	}
	return best
}

// Declarations lists an organisation's declarations, newest first.
func (r *Register) Declarations(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Declaration, error) {
	if !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) ([]ward.Declaration, error) { return tx.Declarations(ctx, scope, org) })
}

// audit writes down who did what to whose estate.
func audit(ctx context.Context, tx *store.Tx, who ward.Actor, at time.Time, action, subject string, org ward.OrgID, detail string, args ...any) error {
	return tx.Audit(ctx, ward.AuditEntry{At: at, Person: who.Person, Name: who.Name, Action: action, Subject: subject, Org: org, Detail: fmt.Sprintf(detail, args...)})
}
