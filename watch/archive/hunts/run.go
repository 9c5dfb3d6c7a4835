package hunts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch/archive"
)

const (
	pollEvery   = 2 * time.Second // other processes ask too
	keepEvery   = time.Second     // how often what was found is kept
	forgetEvery = time.Hour
	restUntil   = 30 * time.Second // a look-back that failed is tried again
	archiver    = "archive"        // the reader of the bus whose events are in blocks
)

var (
	errYield = errors.New("makes way for a hunt that a person asked for")
	errBound = errors.New("at its bound")
	errOver  = errors.New("is over")
)

// Run carries hunts out until ctx ends. One that is broken off then goes on the next time.
func (d *Desk) Run(ctx context.Context, kept *archive.Archive) {
	var working sync.WaitGroup
	defer working.Wait()
	var forget time.Time
	ended := make(chan struct{}, d.Workers)
	timer := time.NewTicker(pollEvery)
	defer timer.Stop()
	for {
		if now := d.Clock.Now(); now.After(forget) {
			forget = now.Add(forgetEvery)
			if err := d.Store.Update(ctx, func(tx *store.Tx) error { return tx.ForgetHuntHits(ctx, now.Add(-d.HitsKept)) }); err != nil && ctx.Err() == nil {
				d.Log.Error("hits of old hunts are not deleted", "err", err)
			}
		}
		if err := d.begin(ctx, kept, &working, ended); err != nil && ctx.Err() == nil {
			d.Log.Error("hunts are not begun", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-d.wake:
		case <-ended:
		}
	}
}

// begin starts hunts while there are workers for them.
func (d *Desk) begin(ctx context.Context, kept *archive.Archive, working *sync.WaitGroup, ended chan<- struct{}) error {
	var todo []ward.Hunt
	err := d.Store.View(ctx, func(tx *store.Tx) (err error) {
		todo, err = tx.HuntsToDo(ctx)
		return err
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	back := 0
	for _, r := range d.running {
		if r.kind == ward.HuntLookBack {
			back++
		}
	}
	for _, h := range todo {
		if d.running[h.ID] != nil {
			continue
		}
		if h.Kind == ward.HuntLookBack && (back > 0 || !d.ready(ctx, h)) {
			continue
		}
		if len(d.running) >= d.Workers {
			if h.Kind == ward.HuntAsked {
				d.yield()
			}
			return nil
		}
		if h.Kind == ward.HuntLookBack {
			back++
		}
		one, stop := context.WithCancelCause(ctx)
		d.running[h.ID] = &running{h.Kind, stop}
		working.Go(func() {
			d.carryOut(one, kept, h)
			stop(nil)
			d.mu.Lock()
			delete(d.running, h.ID)
			d.mu.Unlock()
			select {
			case ended <- struct{}{}:
			default:
			}
		})
	}
	return nil
}

// yield breaks a look-back off. The caller holds mu.
func (d *Desk) yield() {
	for _, r := range d.running {
		if r.kind == ward.HuntLookBack {
			r.stop(errYield)
		}
	}
}

// ready says whether every event that came before the hunt's indicators were watched for is in a block.
func (d *Desk) ready(ctx context.Context, h ward.Hunt) bool {
	behind := false
	err := d.Store.View(ctx, func(tx *store.Tx) error {
		for shard, place := range h.Behind {
			cut, err := tx.BusCursor(ctx, archiver, shard)
			if err != nil {
				return err
			}
			behind = behind || cut < place
		}
		return nil
	})
	return err == nil && !behind
}

// carryOut does one hunt, or what is left of it, and says how it ended.
func (d *Desk) carryOut(ctx context.Context, kept *archive.Archive, h ward.Hunt) {
	t := &trail{desk: d, hunt: h}
	err := t.follow(ctx, kept)
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		t.hunt.State = ward.HuntDone
		if t.hunt.Unread > 0 {
			t.hunt.Reason = fmt.Sprintf("%d blocks could not be read to their end", t.hunt.Unread)
		}
	case errors.Is(err, errBound):
		t.hunt.State, t.hunt.Reason = ward.HuntStopped, fmt.Sprintf("it has looked at %d events one by one, and may look at %d: ask for a shorter time or fewer organisations", t.hunt.Read, t.hunt.MostRead)
	case errors.Is(err, errOver), errors.Is(cause, errCancelled):
		return
	case ctx.Err() != nil: // the server ends, or another goes first: it goes on later
		t.hunt.State = ward.HuntWaiting
		if _, err := t.save(context.WithoutCancel(ctx), nil); err != nil {
			d.Log.Error("hunt not kept", "hunt", h.ID, "err", err)
		}
		return
	case h.Kind == ward.HuntLookBack && !errors.Is(err, ward.ErrInvalid): // nobody would ask for it again
		d.Log.Error("hunt broken off", "hunt", h.ID, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(restUntil):
		}
		return
	default:
		d.Log.Error("hunt failed", "hunt", h.ID, "err", err)
		t.hunt.State, t.hunt.Reason = ward.HuntFailed, "what is kept could not be searched"
		if errors.Is(err, ward.ErrInvalid) {
			t.hunt.Reason = err.Error()
		}
	}
	t.hunt.Ended = d.Clock.Now()
	_, err = t.save(context.WithoutCancel(ctx), func(tx *store.Tx) error { return d.told(context.WithoutCancel(ctx), tx, t.hunt) })
	if err != nil {
		d.Log.Error("hunt not kept", "hunt", h.ID, "err", err)
	}
}

// cell is a day of one organisation.
type cell struct {
	org ward.OrgID
	day time.Time
}

// trail is a hunt under way, and what it has found and not kept yet.
type trail struct {
	desk *Desk
	hunt ward.Hunt
	fold Fold

	left  map[cell]int // blocks of it that are not searched yet
	now   ward.HuntDay // the cell that is searched
	found []ward.HuntHit
	days  []ward.HuntDay // that are searched and not kept
	hits  []ward.HuntHit // of them
	kept  time.Time
}

func (t *trail) follow(ctx context.Context, kept *archive.Archive) error {
	d := t.desk
	done := map[cell]bool{}
	err := d.Store.View(ctx, func(tx *store.Tx) (err error) {
		if t.hunt, err = tx.Hunt(ctx, ward.Everything(), t.hunt.ID); err != nil {
			return err
		}
		days, err := tx.HuntDays(ctx, ward.Everything(), t.hunt.ID)
		for _, day := range days {
			done[cell{day.Org, day.Day}] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	if t.hunt.State.Over() {
		return errOver
	}
	query, err := d.Query(t.hunt.For)
	if err != nil {
		return err
	}
	if t.hunt.Kind == ward.HuntLookBack && d.Folds != nil {
		if t.fold, err = d.Folds(t.hunt); err != nil {
			return err
		}
	}
	scope := ward.Everything()
	if len(t.hunt.Of) > 0 {
		scope = ward.Only(t.hunt.Of...)
	}
	o := archive.HuntOptions{
		Query: query, Scope: scope, Since: t.hunt.Since, Until: t.hunt.Until, CameBy: t.hunt.CameBy, Found: t.begin(ctx), Settled: t.settled(ctx),
		Skip: func(b ward.Block) bool { return done[cell{b.Org, b.Day}] },
	}
	if t.hunt.Kind == ward.HuntLookBack {
		o.Workers = 1
	}
	_, err = kept.Hunt(ctx, o, func(hit archive.Hit) error {
		t.add(hit)
		return nil
	})
	if errors.Is(err, errBound) || err == nil {
		err = errors.Join(err, t.keep(ctx))
	}
	return err
}

// begin says how much there is to do.
func (t *trail) begin(ctx context.Context) func([]ward.Block) error {
	return func(all []ward.Block) error {
		t.left = map[cell]int{}
		for i := range all {
			t.left[cell{all[i].Org, all[i].Day}]++
		}
		t.hunt.State, t.hunt.Blocks = ward.HuntRunning, t.hunt.Done+len(all)
		if t.hunt.Started.IsZero() {
			t.hunt.Started = t.desk.Clock.Now()
		}
		t.kept = t.desk.Clock.Now()
		return t.keep(ctx)
	}
}

func (t *trail) add(hit archive.Hit) {
	if t.fold != nil {
		t.fold.Add(hit)
	}
	number := t.hunt.Kept + int64(len(t.hits)+len(t.found)) + 1
	if number > t.desk.MostHits {
		return
	}
	raw, whole := readable(hit.Raw)
	t.found = append(t.found, ward.HuntHit{
		Number: number, Org: hit.Org, At: hit.Time, Kind: hit.Kind, Value: shorten(hit.Value), Field: shorten(hit.Field), Source: hit.Source,
		Record: hit.Record, Host: hit.Host, Raw: raw, Cut: !whole,
	})
}

// readable is the beginning of an event as text.
func readable(raw []byte) (text string, whole bool) {
	if whole = len(raw) <= longestRaw; !whole {
		raw = raw[:longestRaw]
		for range utf8.UTFMax - 1 { // not within a letter
			if r, size := utf8.DecodeLastRune(raw); r != utf8.RuneError || size > 1 {
				break
			}
			raw = raw[:len(raw)-1]
		}
	}
	return strings.ToValidUTF8(strings.ReplaceAll(string(raw), "\x00", "\ufffd"), "\ufffd"), whole
}

// settled counts a block, and keeps what was found now and then.
func (t *trail) settled(ctx context.Context) func(ward.Block, int64, int64, error) error {
	return func(b ward.Block, hits, read int64, unread error) error {
		at := cell{b.Org, b.Day}
		t.now.Org, t.now.Day = b.Org, b.Day
		t.now.Blocks++
		t.now.Events += b.Rows
		t.now.Read += read
		t.now.Hits += hits
		if unread != nil {
			t.now.Unread++
			t.now.Events -= b.Rows
			t.desk.Log.Warn("block not searched", "hunt", t.hunt.ID, "block", b.Name, "err", unread)
		}
		t.hunt.Read += read
		if t.left[at]--; t.left[at] == 0 {
			t.days = append(t.days, t.now)
			t.hits = append(t.hits, t.found...)
			t.hunt.Done += t.now.Blocks
			t.hunt.Unread += t.now.Unread
			t.hunt.Events += t.now.Events
			t.hunt.Hits += t.now.Hits
			t.now, t.found = ward.HuntDay{}, nil
			if now := t.desk.Clock.Now(); now.Sub(t.kept) >= keepEvery || t.fold != nil {
				t.kept = now
				if err := t.keep(ctx); err != nil {
					return err
				}
			}
		}
		if t.hunt.Read > t.hunt.MostRead {
			return errBound
		}
		return nil
	}
}

// keep keeps what was found in the days that were searched.
func (t *trail) keep(ctx context.Context) error {
	over, err := t.save(ctx, nil)
	if err == nil && over {
		return errOver
	}
	return err
}

// save keeps the hunt, and in the same transaction what was found.
func (t *trail) save(ctx context.Context, also func(*store.Tx) error) (over bool, err error) {
	h := t.hunt
	h.Kept += int64(len(t.hits))
	err = t.desk.Store.Update(ctx, func(tx *store.Tx) error {
		if over, err = tx.SaveHunt(ctx, h); err != nil || over {
			return err
		}
		for _, day := range t.days {
			if err := tx.AddHuntDay(ctx, h.ID, day); err != nil {
				return err
			}
		}
		for _, hit := range t.hits {
			if err := tx.AddHuntHit(ctx, h.ID, hit); err != nil {
				return err
			}
		}
		if t.fold != nil && len(t.days) > 0 {
			if err := t.fold.Keep(ctx, tx); err != nil {
				return err
			}
		}
		hint(tx, h)
		if also != nil {
			return also(tx)
		}
		return nil
	})
	if err != nil || over {
		return over, err
	}
	if t.fold != nil && len(t.days) > 0 {
		t.fold.Kept()
	}
	t.hunt.Kept, t.days, t.hits = h.Kept, nil, nil
	return false, nil
}
