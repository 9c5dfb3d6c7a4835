package archive

import (
	"context"
	"errors"
	"fmt"
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
}

// Verify reads every block and checks it. What is wrong is named; an index is made anew from its rows; of a block whose rows are
// damaged those that can be read are kept in a new one, and it is quarantined. Objects that no manifest knows are named: those of
// the last day may be a block that is being cut.
func (a *Archive) Verify(ctx context.Context, progress func(done, total int64)) (report Report, err error) {
	var all []ward.Block
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.BlocksBetween(ctx, ward.Everything(), time.Time{}, time.Time{})
		return err
	})
	if err != nil {
		return report, fmt.Errorf("archive: verify: %w", err)
	}
	report.Faults = []Fault{}
	known := map[string]bool{}
	for i, b := range all {
		known[b.Name], known[b.Index] = true, true
		report.Blocks++
		report.Events += b.Rows
		report.Bytes += b.Bytes
		fault, err := a.verify(ctx, b)
		if err != nil {
			return report, fmt.Errorf("archive: verify: %w", err)
		}
		if fault != nil {
			report.Faults = append(report.Faults, *fault)
		}
		if progress != nil {
			progress(int64(i+1), int64(len(all)))
		}
	}
	for name, err := range a.Bucket.Names(ctx, "events/", "") {
		if err != nil {
			return report, fmt.Errorf("archive: verify: %w", err)
		}
		if !known[name] && !a.cutting(ctx, name) {
			report.Faults = append(report.Faults, Fault{Block: name, Problem: "is in no manifest", Done: "left as it is"})
		}
	}
	return report, nil
}

// cutting says whether the manifest knows an object by now.
func (a *Archive) cutting(ctx context.Context, name string) (known bool) {
	_ = a.Store.View(ctx, func(tx *store.Tx) (err error) { // not known: then it is named
		known, err = tx.KnowsObject(ctx, name)
		return err
	})
	return known
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
	if err == nil || ctx.Err() != nil {
		return nil, ctx.Err()
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

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// rescue writes what can be read of a block into a new one: the same one where only its index was damaged.
func (a *Archive) rescue(ctx context.Context, b ward.Block) (kept ward.Block, lost int64, err error) {
	cutter := a.Cutter()
	w := blocks.NewWriter(blocks.WriterOptions{Org: b.Org, Day: b.Day, Temp: a.Temp})
	defer func() { err = errors.Join(err, w.Close()) }()
	decoder, record := watch.NewDecoder(a.Names), watch.Record{}
	lost, err = blocks.Salvage(ctx, a.Bucket, b, func(row *blocks.Row) error {
		format, _ := watch.FormatOf(row.Format)
		_ = decoder.Event(format, row.Header, row.Raw, &record) // as when it was cut
		one := watch.Arrival{Org: b.Org, Source: row.Source, Batch: row.Batch, Sequence: row.Sequence, Raw: row.Raw}
		var found blocks.Found
		if found.Keys, found.Domains = cutter.found(&record); one.Repeatable() {
			found.ID = short(one.ID())
		}
		return w.Append(*row, found)
	})
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
