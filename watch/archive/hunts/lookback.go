package hunts

import (
	"context"
	"fmt"
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

// LookBack begins hunts for the indicators of which a Source has spoken for the first time, through everything that came before they were
// watched for. normal is a value as it is compared; one that it refuses is passed over. An indicator that is gone and comes again is new.
func (d *Desk) LookBack(ctx context.Context, by ward.Actor, of Source, from From, normal func(ward.Indicator) (string, error)) (begun int, err error) {
	var known map[int64]bool
	err = d.Store.View(ctx, func(tx *store.Tx) (err error) {
		known, err = tx.KnownIndicators(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	stands := map[int64]bool{}
	var fresh []ward.Indicator
	var add, forget []int64
	err = of.Indicators(ctx, func(i ward.Indicator) error {
		text, err := normal(i)
		if err != nil {
			return nil //nolint:nilerr // whoever watches for it says so
		}
		hash := int64(xxhash.Sum64String(text)) //nolint:gosec // a hash
		if stands[hash] {
			return nil
		}
		stands[hash] = true
		if !known[hash] {
			fresh, add = append(fresh, i), append(add, hash)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("hunts: indicators: %w", err)
	}
	for hash := range known {
		if !stands[hash] {
			forget = append(forget, hash)
		}
	}
	if len(add)+len(forget) == 0 {
		return 0, nil
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		for left := fresh; len(left) > 0; left = left[min(len(left), mostIndicators):] {
			h := ward.Hunt{
				Kind: ward.HuntLookBack, By: ward.Actor{Name: by.Name}, For: ward.Sought{Indicators: left[:min(len(left), mostIndicators)]}, CameBy: from.At, Behind: from.Behind,
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
		}
		return tx.KnowIndicators(ctx, add, forget)
	})
	if err == nil {
		d.hurry()
	}
	return len(fresh), err
}
