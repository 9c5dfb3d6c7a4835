package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
)

// A Fault is something in the archive that is not as it should be, and what became of it.
type Fault struct {
	Block   string `json:"block"`
	Problem string `json:"problem"`
	Done    string `json:"done"`
	Lost    int64  `json:"lost"` // events that cannot be read any more
}

// A Report is what Verify found.
type Report struct {
	Blocks int     `json:"blocks"`
	Events int64   `json:"events"`
	Bytes  int64   `json:"bytes"`
	Faults []Fault `json:"faults"`
	// Unlisted are objects that no manifest knows. A cut that was broken off leaves such a block, whose events were cut again; so
	// does a manifest that was put back from before. Adopted are events of such blocks that are kept now and were not before.
	Unlisted []string `json:"unlisted"`
	Adopted  int64    `json:"adopted"`
	// Deletions are the records of what was deleted, each proven by the next.
	Deletions int `json:"deletions"`
}

// VerifyOptions say what Verify does beside naming what is wrong.
type VerifyOptions struct {
	// Adopt takes into the manifest what it lacks of the blocks that it does not know, and removes those of which it lacks nothing.
	// Nobody may be cutting blocks meanwhile.
	Adopt    bool
	Progress func(done, total int64)
}

// Verify reads every block and checks it. What is wrong is named; an index is made anew from its rows; of a block whose rows are
// damaged those that can be read are kept in a new one, and it is quarantined.
func (a *Archive) Verify(ctx context.Context, o VerifyOptions) (report Report, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("archive: verify: %w", err)
		}
	}()
	report.Faults, report.Unlisted = []Fault{}, []string{}
	all, err := a.listed(ctx)
	if err != nil {
		return report, err
	}
	for i, b := range all {
		report.Blocks++
		report.Events += b.Rows
		report.Bytes += b.Bytes
		fault, err := a.verify(ctx, b)
		if err != nil {
			return report, err
		}
		if fault != nil {
			report.Faults = append(report.Faults, *fault)
		}
		if o.Progress != nil {
			o.Progress(int64(i+1), int64(len(all)))
		}
	}
	if err := a.verifyDeletions(ctx, &report); err != nil {
		return report, err
	}
	if report.Unlisted, err = a.unlisted(ctx); err != nil || !o.Adopt {
		return report, err
	}
	for _, name := range report.Unlisted {
		switch {
		case strings.HasSuffix(name, ".parquet"):
			rows, err := a.adopt(ctx, name)
			if ctx.Err() != nil {
				return report, ctx.Err()
			}
			if err != nil {
				report.Faults = append(report.Faults, Fault{Block: name, Problem: oneLine(err), Done: "left as it is"})
			}
			report.Adopted += rows
		case !slices.Contains(report.Unlisted, strings.TrimSuffix(name, ".index")+".parquet"): // an index of nothing
			if err := a.Bucket.Remove(ctx, name); err != nil {
				return report, err
			}
		}
	}
	return report, nil
}

func (a *Archive) listed(ctx context.Context) (all []ward.Block, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.BlocksBetween(ctx, ward.Everything(), time.Time{}, time.Time{})
		return err
	})
	return all, err
}

// unlisted are the objects that no manifest knows.
func (a *Archive) unlisted(ctx context.Context) (names []string, err error) {
	names = []string{}
	for name, err := range a.Bucket.Names(ctx, "events/", "") {
		if err != nil {
			return nil, err
		}
		known := false
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			known, err = tx.KnowsObject(ctx, name)
			return err
		})
		if err != nil {
			return nil, err
		}
		if !known {
			names = append(names, name)
		}
	}
	return names, nil
}

// verifyDeletions holds the records of what was deleted against each other and against what is there.
func (a *Archive) verifyDeletions(ctx context.Context, report *Report) error {
	var all []ward.Deletion
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Deletions(ctx, ward.Everything())
		return err
	})
	if err != nil {
		return err
	}
	report.Deletions = len(all)
	before := ""
	for _, d := range all {
		if d.Chain != d.Link(before) {
			report.Faults = append(report.Faults, Fault{Block: d.Block, Problem: fmt.Sprintf("record %d of what was deleted was changed, or one before it is missing", d.ID), Done: "nothing"})
		}
		before = d.Chain
		if d.Removed.IsZero() {
			continue // it is still to go
		}
		object, err := a.Bucket.Open(ctx, d.Block)
		if errors.Is(err, blocks.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		report.Faults = append(report.Faults, Fault{Block: d.Block, Problem: "was deleted, and is there", Done: "nothing"})
		if err := object.Close(); err != nil {
			return err
		}
	}
	return nil
}

// verify checks one block. An error is of the store, or of ctx.
func (a *Archive) verify(ctx context.Context, b ward.Block) (*Fault, error) {
	if b.State != ward.BlockKept {
		return &Fault{Block: b.Name, Problem: "is quarantined: " + b.Reason, Done: "nothing", Lost: b.Rows}, nil
	}
	a.shelf.Forget(b)
	open, err := blocks.Open(ctx, a.Bucket, b)
	if err == nil {
		err = errors.Join(open.Verify(), open.Close())
	}
	if err == nil && ctx.Err() == nil {
		return nil, a.Store.Update(ctx, func(tx *store.Tx) error { return tx.BlockVerified(ctx, b.ID, a.Clock.Now()) })
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if gone, err := a.ended(ctx, b); gone || err != nil {
		return nil, err // merged or deleted since it was listed
	}
	fault := &Fault{Block: b.Name, Problem: oneLine(err)}
	var rescued []ward.Block
	kept, lost, rescue := a.rescue(ctx, b)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case rescue != nil:
		fault.Done, fault.Lost = "quarantined: nothing of it could be read ("+oneLine(rescue)+")", b.Rows
	case kept.Name == b.Name:
		fault.Done = "its index was made anew"
	case kept.Rows == 0:
		fault.Done, fault.Lost = "quarantined: nothing of it could be read", b.Rows
	default:
		rescued = append(rescued, kept)
		fault.Done, fault.Lost = fmt.Sprintf("quarantined; %d of its %d events are in %s", kept.Rows, b.Rows, kept.Name), lost
	}
	if kept.Name == b.Name && rescue == nil {
		return fault, nil
	}
	return fault, a.Store.Update(ctx, func(tx *store.Tx) error {
		for _, r := range rescued {
			if err := tx.AddBlock(ctx, r); err != nil {
				return err
			}
		}
		return tx.SetBlockState(ctx, b.ID, ward.BlockQuarantined, fault.Problem)
	})
}

// ended says whether a block is not among those that stand any more.
func (a *Archive) ended(ctx context.Context, b ward.Block) (gone bool, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		state, err := tx.BlockState(ctx, b.ID)
		gone = state != b.State
		return err
	})
	return gone, err
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// rescue writes what can be read of a block into a new one: the same one where only its index was damaged.
func (a *Archive) rescue(ctx context.Context, b ward.Block) (kept ward.Block, lost int64, err error) {
	w := a.newRewriter(b.Org, b.Day)
	defer func() { err = errors.Join(err, w.Close()) }()
	lost, err = blocks.Salvage(ctx, a.Bucket, b, w.add)
	if err != nil || w.Rows() == 0 {
		return ward.Block{}, lost, err
	}
	if lost == 0 { // its index may have to be taken out of the way
		if err := a.Bucket.Remove(ctx, b.Index); err != nil {
			return ward.Block{}, lost, err
		}
	}
	kept, err = w.Seal(ctx, a.Bucket)
	kept.Sealed = a.Clock.Now()
	return kept, lost, err
}

// adopt takes a block that no manifest knows into the manifest: all of it, or in a block of their own the events that are in none
// that the manifest has.
func (a *Archive) adopt(ctx context.Context, name string) (rows int64, err error) {
	org, day, ok := blocks.WhoseDay(name)
	if !ok {
		return 0, fmt.Errorf("%s is not named as a block is", name)
	}
	b := ward.Block{Org: org, Day: day, Name: name, Index: strings.TrimSuffix(name, ".parquet") + ".index", State: ward.BlockKept}
	fresh := map[watch.EventID]struct{}{}
	lost, err := blocks.Salvage(ctx, a.Bucket, b, func(row *blocks.Row) error {
		one := arrivalOf(org, row)
		fresh[one.ID()] = struct{}{}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if lost > 0 {
		return 0, fmt.Errorf("%d of its events cannot be read", lost)
	}
	if err := a.withoutKnown(ctx, org, day, fresh); err != nil {
		return 0, err
	}
	if len(fresh) > 0 {
		w := a.newRewriter(org, day)
		defer func() { err = errors.Join(err, w.Close()) }()
		_, err := blocks.Salvage(ctx, a.Bucket, b, func(row *blocks.Row) error {
			one := arrivalOf(org, row)
			id := one.ID()
			if _, ok := fresh[id]; !ok {
				return nil
			}
			delete(fresh, id)
			return w.add(row)
		})
		if err != nil {
			return 0, err
		}
		kept, err := w.Seal(ctx, a.Bucket)
		if err != nil {
			return 0, err
		}
		kept.Sealed, rows = a.Clock.Now(), kept.Rows
		if err := a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddBlock(ctx, kept) }); err != nil {
			return 0, err
		}
		if kept.Name == name {
			return rows, nil
		}
	}
	return rows, errors.Join(a.Bucket.Remove(ctx, b.Name), a.Bucket.Remove(ctx, b.Index))
}

// withoutKnown takes the events out of a set that are in a block of their day.
func (a *Archive) withoutKnown(ctx context.Context, org ward.OrgID, day time.Time, of map[watch.EventID]struct{}) error {
	var kept []ward.Block
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		kept, err = tx.BlocksOfDay(ctx, org, day)
		return err
	})
	if err != nil {
		return err
	}
	for _, b := range kept {
		if len(of) == 0 {
			return nil
		}
		err := a.shelf.With(ctx, b, func(open *blocks.Block) error {
			return open.Read(blocks.Range{To: b.Rows}, func(_ int64, row *blocks.Row) error {
				one := arrivalOf(org, row)
				delete(of, one.ID())
				return ctx.Err()
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
