package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
)

// A Keep says how long events are kept, and what for.
type Keep struct {
	Org     ward.OrgID    // empty: of every organisation that has none of its own
	Kind    string        // as ward.EventKind.Is takes it; empty: every kind that has none of its own
	For     time.Duration // since they happened, and since they came
	Purpose string
}

// keepFor is how long events of a kind are kept: what is said of the organisation and the kind, else of the organisation, else of
// the kind, else of everything. Without any they are kept for ever.
func (a *Archive) keepFor(org ward.OrgID, kind ward.EventKind) (k Keep, ok bool) {
	best := -1
	for _, one := range a.Keep {
		if one.Org != "" && one.Org != org || one.Kind != "" && !kind.Is(one.Kind) {
			continue
		}
		rank := 0
		if one.Org != "" {
			rank += 2
		}
		if one.Kind != "" {
			rank++
		}
		if rank > best {
			k, best = one, rank
		}
	}
	return k, best >= 0
}

const (
	smallRows   = 512 << 10 // a block of fewer is merged with others
	fewestMerge = 8         // blocks of one day while it goes on
	settled     = 2 * time.Hour
	growth      = 4        // a block is rewritten only with at least a quarter of its rows from others,
	cheapRows   = 64 << 10 // or where it is one row group at most
	mostMerges  = 64

	// grace is how long the objects of merged blocks stay, for hunts that have begun.
	grace = time.Hour
	// scrubEvery is how often every block is read from end to end.
	scrubEvery = 30 * 24 * time.Hour
	scrubMost  = 8 // blocks at a time
	restUntil  = time.Minute
)

// Due does what there is to do for the archive by itself: merges small blocks, deletes what is not to be kept any longer, removes
// objects that nobody needs, and reads every block through once a month. What is wrong with one block is logged, and does not stop
// the rest.
func (a *Archive) Due(ctx context.Context, now time.Time) (next time.Time, err error) {
	more, merging := a.merge(ctx, now)
	expiring := a.expire(ctx, now)
	removing := a.removeEnded(ctx, now)
	scrubbing := a.scrub(ctx, now)
	next = now.Add(restUntil)
	if more {
		next = now
	}
	return next, errors.Join(merging, expiring, removing, scrubbing)
}

// merge puts small blocks of a day together.
func (a *Archive) merge(ctx context.Context, now time.Time) (more bool, err error) {
	var days []store.ManyBlocks
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		days, err = tx.SmallBlocks(ctx, smallRows)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("archive: merge: %w", err)
	}
	if len(days) == 0 || a.Idle != nil && !a.Idle(ctx) {
		return false, nil
	}
	merged := 0
	for _, d := range days {
		over := now.Sub(d.Day.Add(24*time.Hour)) > settled && now.Sub(d.Sealed) > settled
		if d.Blocks < fewestMerge && !over {
			continue
		}
		if merged == mostMerges {
			return true, nil
		}
		var of []ward.Block
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			of, err = tx.BlocksOfDay(ctx, d.Org, d.Day)
			return err
		})
		if err != nil {
			return false, fmt.Errorf("archive: merge: %w", err)
		}
		some := worthMerging(of, int64(a.CutRows), over)
		if len(some) == 0 {
			continue
		}
		if err := a.mergeBlocks(ctx, some, now); err != nil {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			if errors.Is(err, errBehind) {
				return false, nil
			}
			a.Log.Error("blocks cannot be merged", "org", d.Org, "day", d.Day.Format(time.DateOnly), "err", err)
			continue
		}
		merged++
	}
	return false, nil
}

// worthMerging chooses blocks, of those with the fewest rows, so that what is written again is not written again much.
func worthMerging(of []ward.Block, most int64, over bool) []ward.Block {
	var rows int64
	n := 0
	for ; n < len(of) && of[n].Rows < smallRows && rows+of[n].Rows <= max(most, smallRows); n++ {
		if n > 0 && of[n].Rows > max(growth*rows, cheapRows) {
			break
		}
		rows += of[n].Rows
	}
	if n >= fewestMerge || over && n > 1 {
		return of[:n]
	}
	return nil
}

// errBehind is said of a merge that was given up, because events wait.
var errBehind = errors.New("events wait to be read")

// yieldRows is how many rows are written again between two looks at whether events wait.
const yieldRows = 4096

func (a *Archive) mergeBlocks(ctx context.Context, some []ward.Block, now time.Time) error {
	merged, _, err := a.rewrite(ctx, some, nil)
	if err != nil {
		return err
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddBlock(ctx, merged); err != nil {
			return err
		}
		for _, b := range some {
			if b.Name == merged.Name {
				return fmt.Errorf("%s merged into itself", b.Name)
			}
			if err := tx.EndBlock(ctx, b.ID, ward.BlockMerged, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		a.Log.Debug("blocks merged", "org", merged.Org, "day", merged.Day.Format(time.DateOnly), "blocks", len(some), "events", merged.Rows)
	}
	return err
}

// rewrite writes the rows of blocks of one day into a new block, but those that drop says yes to. No row is passed over: a block
// that cannot be read to its end is an error.
func (a *Archive) rewrite(ctx context.Context, from []ward.Block, drop func(*blocks.Row) bool) (made ward.Block, dropped int64, err error) {
	w := a.newRewriter(from[0].Org, from[0].Day)
	defer func() { err = errors.Join(err, w.Close()) }()
	for _, b := range from {
		open, err := blocks.Open(ctx, a.Bucket, b)
		if err != nil {
			return made, 0, err
		}
		err = open.Read(blocks.Range{To: b.Rows}, func(_ int64, row *blocks.Row) error {
			if drop != nil && drop(row) {
				dropped++
				return nil
			}
			if drop == nil && w.Rows()%yieldRows == 0 && a.Behind != nil && a.Behind() {
				return errBehind
			}
			return errors.Join(w.add(row), ctx.Err())
		})
		if err := errors.Join(err, open.Close()); err != nil {
			return made, 0, err
		}
	}
	var want int64
	for _, b := range from {
		want += b.Rows
	}
	if got := w.Rows() + dropped; got != want {
		return made, 0, fmt.Errorf("%d rows read where the manifest has %d", got, want)
	}
	if w.Rows() == 0 {
		return made, dropped, nil
	}
	made, err = w.Seal(ctx, a.Bucket)
	made.Sealed = a.Clock.Now()
	return made, dropped, err
}

// A rewriter writes rows of blocks again, and finds what they are found by anew.
type rewriter struct {
	*blocks.Writer
	org     ward.OrgID
	cutter  *Cutter
	decoder *watch.Decoder
	record  watch.Record
}

func (a *Archive) newRewriter(org ward.OrgID, day time.Time) *rewriter {
	return &rewriter{
		Writer: blocks.NewWriter(blocks.WriterOptions{Org: org, Day: day, Temp: a.Temp}), org: org, cutter: a.Cutter(), decoder: watch.NewDecoder(a.Names),
	}
}

// rewriteHeld is how many bytes of rows are held while blocks are written again: less than where events come in, because it is done
// beside that.
const rewriteHeld = 24 << 20

func (w *rewriter) add(row *blocks.Row) error {
	format, _ := watch.FormatOf(row.Format)
	_ = w.decoder.Event(format, row.Header, row.Raw, &w.record) // as when it was cut
	one := arrivalOf(w.org, row)
	var found blocks.Found
	if found.Keys, found.Domains = w.cutter.found(&w.record); one.Repeatable() {
		found.ID = short(one.ID())
	}
	if err := w.Append(*row, found); err != nil || w.Held() < rewriteHeld {
		return err
	}
	return w.Flush()
}

// arrivalOf is what a row says of how it came; enough to know the event by.
func arrivalOf(org ward.OrgID, row *blocks.Row) watch.Arrival {
	return watch.Arrival{Org: org, Source: row.Source, Batch: row.Batch, Sequence: row.Sequence, Raw: row.Raw}
}

// expire deletes what is not to be kept any longer, but what is held.
func (a *Archive) expire(ctx context.Context, now time.Time) error {
	if len(a.Keep) == 0 {
		return nil
	}
	shortest := slices.MinFunc(a.Keep, func(x, y Keep) int { return cmp.Compare(x.For, y.For) }).For
	var old []ward.Block
	var holds []ward.Hold
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if old, err = tx.BlocksBefore(ctx, now.Add(-shortest)); err == nil {
			holds, err = tx.Holds(ctx)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("archive: expire: %w", err)
	}
	for _, b := range old {
		if slices.ContainsFunc(holds, func(h ward.Hold) bool { return h.Covers(b) }) {
			continue
		}
		if err := a.expireBlock(ctx, b, now); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.Log.Error("events that are not to be kept cannot be deleted", "org", b.Org, "block", b.Name, "err", err)
		}
	}
	return nil
}

// expired says whether events of a kind that happened and came at a time, or before, are not kept any longer.
func (a *Archive) expired(org ward.OrgID, kind ward.EventKind, at, now time.Time) (Keep, bool) {
	k, ok := a.keepFor(org, kind)
	return k, ok && at.Add(k.For).Before(now)
}

func (a *Archive) expireBlock(ctx context.Context, b ward.Block, now time.Time) error {
	at := b.Last
	if b.Received.After(at) {
		at = b.Received
	}
	kinds := b.Kinds
	if len(kinds) == 0 {
		kinds = []ward.EventKind{"//"}
	}
	var gone []ward.EventKind
	why := ""
	for _, kind := range kinds {
		if k, ok := a.expired(b.Org, kind, at, now); ok {
			gone = append(gone, kind)
			if text := k.words(); why == "" || why == text {
				why = text
			} else {
				why += "; " + text
			}
		}
	}
	switch {
	case len(gone) == 0:
		return nil
	case len(gone) == len(kinds):
		return a.delete(ctx, b, ward.Deletion{At: now, Org: b.Org, Block: b.Name, Rows: b.Rows, First: b.First, Last: b.Last, Kinds: b.Kinds, Why: why}, nil)
	case b.State != ward.BlockKept:
		return nil // its rows cannot be told apart
	}
	first, last := time.Time{}, time.Time{}
	rest, dropped, err := a.rewrite(ctx, []ward.Block{b}, func(row *blocks.Row) bool {
		if !slices.Contains(gone, ward.KindOf(row.Product, row.Service, row.Category)) {
			return false
		}
		when := time.UnixMicro(row.Time).UTC()
		if first.IsZero() || when.Before(first) {
			first = when
		}
		if when.After(last) {
			last = when
		}
		return true
	})
	if err != nil {
		return err
	}
	return a.delete(ctx, b, ward.Deletion{At: now, Org: b.Org, Block: b.Name, Rows: dropped, First: first, Last: last, Kinds: gone, Why: why}, &rest)
}

func (k Keep) words() string {
	text := fmt.Sprintf("kept for %d days", int(k.For/(24*time.Hour)))
	if k.Kind != "" {
		text = k.Kind + " " + text
	}
	if k.Purpose != "" {
		text += " (" + k.Purpose + ")"
	}
	return text
}

// delete ends a block and writes down what went; rest is what takes its place, nil for nothing.
func (a *Archive) delete(ctx context.Context, b ward.Block, d ward.Deletion, rest *ward.Block) error {
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		if rest != nil {
			if err := tx.AddBlock(ctx, *rest); err != nil {
				return err
			}
		}
		if err := tx.EndBlock(ctx, b.ID, ward.BlockDeleted, d.At); err != nil {
			return err
		}
		if err := tx.AddDeletion(ctx, d); err != nil {
			return err
		}
		who := ward.System("archive")
		return tx.Audit(ctx, ward.AuditEntry{
			At: d.At, Person: who.Person, Name: who.Name, Action: "archive.delete", Subject: string(d.Org) + "/archive", Org: d.Org,
			Detail: fmt.Sprintf("%d events from %s to %s: %s", d.Rows, d.First.Format(time.RFC3339), d.Last.Format(time.RFC3339), d.Why),
		})
	})
}

// removeEnded removes the objects of blocks that were deleted, and of those that were merged a while ago.
func (a *Archive) removeEnded(ctx context.Context, now time.Time) error {
	for state, until := range map[ward.BlockState]time.Time{ward.BlockDeleted: now, ward.BlockMerged: now.Add(-grace)} {
		var ended []ward.Block
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			ended, err = tx.EndedBlocks(ctx, state, until)
			return err
		})
		if err != nil {
			return fmt.Errorf("archive: remove: %w", err)
		}
		for _, b := range ended {
			a.shelf.Forget(b)
			if err := errors.Join(a.Bucket.Remove(ctx, b.Name), a.Bucket.Remove(ctx, b.Index)); err != nil {
				return fmt.Errorf("archive: remove: %w", err)
			}
			if err := a.Store.Update(ctx, func(tx *store.Tx) error { return tx.RemoveBlock(ctx, b, a.Clock.Now()) }); err != nil {
				return fmt.Errorf("archive: remove: %w", err)
			}
		}
	}
	return nil
}

// scrub reads blocks through that nobody has read for a month.
func (a *Archive) scrub(ctx context.Context, now time.Time) error {
	var all []ward.Block
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.BlocksToVerify(ctx, now.Add(-scrubEvery), scrubMost)
		return err
	})
	if err != nil {
		return fmt.Errorf("archive: scrub: %w", err)
	}
	for _, b := range all {
		fault, err := a.verify(ctx, b)
		if err != nil {
			return fmt.Errorf("archive: scrub: %w", err)
		}
		if fault != nil {
			a.Log.Error("block is not as it was written", "org", b.Org, "block", fault.Block, "problem", fault.Problem, "done", fault.Done, "lost", fault.Lost)
		}
	}
	return nil
}
