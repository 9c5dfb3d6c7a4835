package match

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// lists is what every source lists now, held in memory by a process that stays. The store counts the changes of each list;
// an answer is given from memory only when no count has moved, in the same view of the store.
type lists struct {
	mu    sync.Mutex
	reach *Reach // nil: nothing is held
	turns map[ward.SourceID]int64
	orgs  map[ward.SourceID]map[ward.OrgID]bool // under which each is held
}

// Remember reads the lists that changed into memory, from where questions of who is exposed are answered from then on. It is a
// job of a process that stays; a command asks the store.
func (m *Matcher) Remember(ctx context.Context, _ time.Time) (time.Time, error) {
	for {
		more := false
		err := m.store.View(ctx, func(tx *store.Tx) error { // one list a view, so that none holds the store's log for long
			turns, err := tx.ListTurns(ctx)
			if err != nil {
				return err
			}
			for _, source := range slices.Sorted(maps.Keys(turns)) {
				if m.lists.turn(source) == turns[source] {
					continue
				}
				rows, err := listed(ctx, tx, source)
				if err == nil {
					m.lists.take(source, turns[source], rows)
				}
				more = true
				return err
			}
			return nil
		})
		if err != nil {
			return time.Time{}, fmt.Errorf("match: remember: %w", err)
		}
		if !more {
			return time.Time{}, nil
		}
	}
}

// listed is what a source lists now, by who answers for it.
func listed(ctx context.Context, tx *store.Tx, source ward.SourceID) (map[ward.OrgID][]Listed, error) {
	answering, err := tx.AnsweringOn(ctx, source)
	if err != nil {
		return nil, err
	}
	all := map[ward.OrgID][]Listed{}
	err = tx.ListedNow(ctx, source, func(id ward.SoftwareID, asset ward.AssetID) {
		for _, org := range answering[asset] {
			all[org] = append(all[org], Listed{id, asset})
		}
	})
	return all, err
}

// turn is that of a source's list in memory; 0 when it is not there.
func (l *lists) turn(source ward.SourceID) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turns[source]
}

func (l *lists) take(source ward.SourceID, turn int64, rows map[ward.OrgID][]Listed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reach == nil {
		l.reach, l.turns, l.orgs = NewReach(), map[ward.SourceID]int64{}, map[ward.SourceID]map[ward.OrgID]bool{}
	}
	held := map[ward.OrgID]bool{}
	for org, listed := range rows {
		l.reach.List(source, org, listed)
		held[org] = true
	}
	for org := range l.orgs[source] {
		if !held[org] {
			l.reach.List(source, org, nil)
		}
	}
	l.orgs[source], l.turns[source] = held, turn
}

// counts counts, by organisation within scope, the assets that are exposed to a weakness now, most first. It is false where
// memory is not as the store is.
func (l *lists) counts(ctx context.Context, tx *store.Tx, scope ward.Scope, cve ward.CVE) (all []OrgCount, known bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reach == nil {
		return nil, false, nil
	}
	turns, err := tx.ListTurns(ctx)
	if err != nil || !maps.Equal(turns, l.turns) {
		return nil, false, err
	}
	ids, everywhere, err := tx.AffectedNow(ctx, cve)
	if err != nil || !everywhere {
		return nil, false, err
	}
	for _, reached := range l.reach.Of(ids) {
		if scope.Sees(reached.Org) {
			all = append(all, OrgCount{Org: reached.Org, Assets: len(reached.Assets)})
		}
	}
	slices.SortFunc(all, func(a, b OrgCount) int { return cmp.Or(cmp.Compare(b.Assets, a.Assets), cmp.Compare(a.Org, b.Org)) })
	return all, true, nil
}
