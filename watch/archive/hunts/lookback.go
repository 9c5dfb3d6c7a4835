package hunts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// A Source is where indicators come from; app hands it in. It gives all that stand now.
type Source interface {
	Indicators(ctx context.Context, give func(ward.Indicator) error) error
}

// From is since when and behind which events indicators are watched for.
type From struct {
	At     time.Time
	Behind map[int]uint64 // by shard of the bus: the last event that may have been held against fewer indicators
}

// mostLookedBack is how many indicators one look-back is for: what a million new ones take is written and remembered in parts.
const mostLookedBack = 50_000

// LookBack begins hunts for the indicators of which a Source has spoken for the first time, through everything that came before they were
// watched for. normal is a value as it is compared; one that it refuses is passed over. An indicator that is gone and comes again is new.
// The Source is asked twice, so that of millions no more than their hashes and one part are in memory. After an error, what is begun stays
// begun, and the rest is as new the next time.
func (d *Desk) LookBack(ctx context.Context, by ward.Actor, of Source, from From, normal func(ward.Indicator) (string, error)) (begun int, err error) {
	var known []int64
	err = d.Store.View(ctx, func(tx *store.Tx) (err error) {
		known, err = tx.KnownIndicators(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	hashed := func(give func(hash int64, i ward.Indicator) error) error {
		err := of.Indicators(ctx, func(i ward.Indicator) error {
			text, err := normal(i)
			if err != nil {
				return nil //nolint:nilerr // whoever watches for it says so
			}
			return give(int64(xxhash.Sum64String(text)), i) //nolint:gosec // a hash
		})
		if err != nil {
			return fmt.Errorf("hunts: indicators: %w", err)
		}
		return nil
	}
	var stand []int64
	err = hashed(func(hash int64, _ ward.Indicator) error {
		stand = append(stand, hash)
		return nil
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(stand)
	slices.Sort(known)
	stand = slices.Compact(stand)
	fresh, gone := without(stand, known), without(known, stand)
	if len(gone) > 0 {
		if err := d.Store.Update(ctx, func(tx *store.Tx) error { return tx.KnowIndicators(ctx, nil, gone) }); err != nil {
			return 0, err
		}
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	var part []ward.Indicator
	var hashes []int64
	begin := func() error {
		if len(part) == 0 {
			return nil
		}
		if err := d.lookBack(ctx, by, part, hashes, from); err != nil {
			return err
		}
		begun += len(part)
		part, hashes = part[:0], hashes[:0]
		return nil
	}
	given := make([]bool, len(fresh))
	err = hashed(func(hash int64, i ward.Indicator) error {
		at, isFresh := slices.BinarySearch(fresh, hash)
		if !isFresh || given[at] {
			return nil
		}
		given[at] = true
		part, hashes = append(part, i), append(hashes, hash)
		if len(part) < mostLookedBack {
			return nil
		}
		return begin()
	})
	if err == nil {
		err = begin()
	}
	if begun > 0 {
		d.hurry()
	}
	return begun, err
}

// lookBack begins one hunt, and remembers that it was begun.
func (d *Desk) lookBack(ctx context.Context, by ward.Actor, part []ward.Indicator, hashes []int64, from From) error {
	return d.Store.Update(ctx, func(tx *store.Tx) (err error) {
		h := ward.Hunt{
			Kind: ward.HuntLookBack, By: ward.Actor{Name: by.Name}, For: ward.Sought{Indicators: part}, CameBy: from.At, Behind: from.Behind,
			MostRead: d.MostLookBack, Asked: d.Clock.Now(),
		}
		h.Words = shorten(h.For.Words())
		if h.ID, err = tx.AddHunt(ctx, h); err != nil {
			return err
		}
		hint(tx, h)
		if err := tx.Audit(ctx, d.entry(by, h, "hunt.look-back", "", h.Words)); err != nil {
			return err
		}
		return tx.KnowIndicators(ctx, hashes, nil)
	})
}

// without is what stands in all and not in others; both are sorted.
func without(all, others []int64) (left []int64) {
	for _, hash := range all {
		for len(others) > 0 && others[0] < hash {
			others = others[1:]
		}
		if len(others) == 0 || others[0] != hash {
			left = append(left, hash)
		}
	}
	return left
}
