package archive

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
)

// A Cutter gathers events until it cuts them into blocks: one for each organisation and day. What it gathered and did not cut is
// lost with it: whoever feeds it feeds it again from the cursor that Cut wrote. For one goroutine at a time.
type Cutter struct {
	a     *Archive
	keyer watch.Keyer
	hosts []watch.Field

	open    map[slot]*blocks.Writer
	pending map[watch.EventID]struct{} // of events in open that may come again
	rows    int
	since   time.Time // when the first of them came
	kept    map[ward.OrgID][]ward.Block
	whole   map[string]map[watch.EventID]struct{} // of blocks that held one event that came again: all that they hold

	keys    []uint64
	domains []string
}

type slot struct {
	org ward.OrgID
	day int64
}

// Bounds of what a Cutter holds.
const (
	mostOpen  = 128       // writers
	mostHeld  = 192 << 20 // bytes of rows in memory
	mostWhole = 4         // blocks whose events are known one by one
)

// Cutter makes a Cutter.
func (a *Archive) Cutter() *Cutter {
	c := &Cutter{
		a: a, keyer: a.Keyer(a.Names), open: map[slot]*blocks.Writer{}, pending: map[watch.EventID]struct{}{},
		kept: map[ward.OrgID][]ward.Block{}, whole: map[string]map[watch.EventID]struct{}{},
	}
	for _, name := range HostFields() {
		if f := a.Names.Find([]byte(name)); f != 0 {
			c.hosts = append(c.hosts, f)
		}
	}
	return c
}

// Add gathers an event. r is its record, whose fields are numbered by the Archive's Names. new is false for one that is kept
// already.
func (c *Cutter) Add(ctx context.Context, a *watch.Arrival, r *watch.Record) (isNew bool, err error) {
	found := blocks.Found{}
	if a.Repeatable() {
		id := a.ID()
		known, err := c.known(ctx, a.Org, id)
		if err != nil || known {
			return false, err
		}
		c.pending[id] = struct{}{}
		found.ID = short(id)
	}
	received := time.UnixMicro(a.Received).UTC()
	at, _ := HappenedAt(r.Time, received)
	found.Keys, found.Domains = c.found(r)
	log := r.Class.Log()
	row := blocks.Row{
		Time: at.UnixMicro(), Received: a.Received, Source: a.Source, Batch: a.Batch, Sequence: a.Sequence, Format: a.Format.String(),
		Product: log.Product, Service: log.Service, Host: c.host(r), Header: a.Header, Raw: a.Raw,
	}
	if len(log.Categories) > 0 {
		row.Category = log.Categories[0]
	}
	if err := c.writer(a.Org, at).Append(row, found); err != nil {
		return false, fmt.Errorf("archive: %w", err)
	}
	if c.rows == 0 {
		c.since = c.a.Clock.Now()
	}
	c.rows++
	return true, c.bound()
}

// short is what a block's filter knows of an event's identity.
func short(id watch.EventID) uint64 { return max(1, binary.LittleEndian.Uint64(id[:])) }

func (c *Cutter) writer(org ward.OrgID, at time.Time) *blocks.Writer {
	day := at.Truncate(24 * time.Hour)
	key := slot{org, day.Unix()}
	w := c.open[key]
	if w == nil {
		w = blocks.NewWriter(blocks.WriterOptions{Org: org, Day: day, Temp: c.a.Temp})
		c.open[key] = w
	}
	return w
}

// bound writes the largest writers' rows out of memory when all of them are too much.
func (c *Cutter) bound() error {
	if c.rows%1024 != 0 {
		return nil
	}
	var held int64
	var most *blocks.Writer
	for _, w := range c.open {
		held += w.Held()
		if most == nil || w.Held() > most.Held() {
			most = w
		}
	}
	if held < mostHeld {
		return nil
	}
	return most.Flush()
}

// found gives the keys of a record and the domains in it.
func (c *Cutter) found(r *watch.Record) ([]uint64, []string) {
	c.keys, c.domains = c.keyer.Keys(r, c.keys[:0], c.domains[:0])
	slices.Sort(c.keys)
	c.keys = slices.Compact(c.keys)
	return c.keys, c.domains
}

// longestHost is how much of a machine's name is kept beside an event.
const longestHost = 255

func (c *Cutter) host(r *watch.Record) string {
	for _, f := range c.hosts {
		for i := range r.Values {
			if v := &r.Values[i]; v.Field == f && len(v.Text) > 0 && len(v.Text) <= longestHost {
				return string(v.Text)
			}
		}
	}
	return ""
}

// known says whether an event is here or kept already.
func (c *Cutter) known(ctx context.Context, org ward.OrgID, id watch.EventID) (bool, error) {
	if _, ok := c.pending[id]; ok {
		return true, nil
	}
	kept, asked := c.kept[org]
	if !asked {
		err := c.a.Store.View(ctx, func(tx *store.Tx) (err error) {
			kept, err = tx.BlocksReceived(ctx, org, c.a.Clock.Now().Add(-repeats))
			return err
		})
		if err != nil {
			return false, err
		}
		c.kept[org] = kept
	}
	for i := range kept {
		if ok, err := c.has(ctx, &kept[i], id); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// has asks a block for an event: its filter first, and where that says perhaps, its rows. A block that cannot be read is passed
// over: an event twice is better than one lost.
func (c *Cutter) has(ctx context.Context, b *ward.Block, id watch.EventID) (bool, error) {
	if b.State != ward.BlockKept {
		return false, nil
	}
	if all, ok := c.whole[b.Name]; ok {
		_, ok = all[id]
		return ok, nil
	}
	found := false
	err := c.a.shelf.With(ctx, *b, func(open *blocks.Block) error {
		may, err := open.MayHave(short(id))
		if err != nil || !may {
			return err
		}
		all := make(map[watch.EventID]struct{}, b.Rows)
		err = open.Read(blocks.Range{To: b.Rows}, func(_ int64, row *blocks.Row) error {
			one := arrivalOf(b.Org, row)
			all[one.ID()] = struct{}{}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		if len(c.whole) >= mostWhole {
			clear(c.whole)
		}
		c.whole[b.Name] = all
		_, found = all[id]
		return nil
	})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		c.a.Log.Error("block cannot be asked for repeats", "block", b.Name, "err", err)
		b.State = ward.BlockQuarantined // for this Cutter: it is asked once
	}
	return found, nil
}

// Full says whether what was gathered should be cut at once.
func (c *Cutter) Full() bool { return c.rows >= c.a.CutRows || len(c.open) >= mostOpen }

// Due says whether it is time to cut.
func (c *Cutter) Due() bool {
	return c.Full() || c.rows > 0 && c.a.Clock.Now().Sub(c.since) >= c.a.CutWait
}

// Rows is how many events were gathered since the last cut.
func (c *Cutter) Rows() int { return c.rows }

// A Cursor says how far a reader of the bus has come.
type Cursor struct {
	Reader   string
	Shard    int
	Sequence uint64
}

// Cut writes everything that was gathered into blocks, and when they are safe, the blocks and the cursors into the store at once.
// After an error nothing was cut, and all that was gathered is gone: it comes again from the cursors.
func (c *Cutter) Cut(ctx context.Context, cursors ...Cursor) (cut []ward.Block, err error) {
	defer func() { err = errors.Join(err, c.Close()) }()
	slots := make([]slot, 0, len(c.open))
	for key := range c.open {
		slots = append(slots, key)
	}
	slices.SortFunc(slots, func(a, b slot) int { return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.day, b.day)) })
	for _, key := range slots {
		b, err := c.open[key].Seal(ctx, c.a.Bucket)
		if err != nil {
			return nil, fmt.Errorf("archive: %w", err)
		}
		b.Sealed = c.a.Clock.Now()
		cut = append(cut, b)
	}
	err = c.a.Store.Update(ctx, func(tx *store.Tx) error {
		for _, b := range cut {
			if err := tx.AddBlock(ctx, b); err != nil {
				return err
			}
		}
		for _, at := range cursors {
			if err := tx.SetBusCursor(ctx, at.Reader, at.Shard, at.Sequence); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return cut, nil
}

// Close forgets what was gathered. The Cutter may be used again.
func (c *Cutter) Close() error {
	var err error
	for _, w := range c.open {
		err = errors.Join(err, w.Close())
	}
	clear(c.open)
	clear(c.pending)
	clear(c.kept)
	c.rows = 0
	return err
}
