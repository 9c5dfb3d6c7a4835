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

// HuntOptions say what is hunted for, and where.
type HuntOptions struct {
	Query watch.Query
	Scope ward.Scope   // what the caller may see; the zero Scope sees nothing
	Orgs  []ward.OrgID // of these alone; empty: of all that the scope sees
	// Since and Until bound the times of events; zero: no bound.
	Since, Until time.Time
	// CameBy leaves out events that came later; zero: none.
	CameBy time.Time
	// Workers is how many blocks are searched at a time; 0: as many as the archive's Options say.
	Workers int
	// Found is told of the blocks that will be searched, before the first is; nil: nobody is.
	Found func(all []ward.Block) error
	// Skip passes over blocks, those that a hunt which was broken off has done; nil: none.
	Skip func(ward.Block) bool
	// Counted is told of each block, once, in their order, when all its hits were given; nil: nobody is.
	Counted func(b ward.Block, hits, read int64)
	// Settled is Counted with the error that a block could not be searched to its end by, and may end the hunt; nil: nobody is asked.
	Settled func(b ward.Block, hits, read int64, unread error) error
}

// Progress lets tell know how many blocks of how many are done; nil: nobody is told.
func (o *HuntOptions) Progress(tell func(done, total int64)) {
	if tell == nil {
		return
	}
	var done, total int64
	o.Found = func(all []ward.Block) error {
		total = int64(len(all))
		return nil
	}
	o.Counted = func(ward.Block, int64, int64) {
		done++
		tell(done, total)
	}
}

// A Hit is one thing that was hunted for, in one event.
type Hit struct {
	watch.Match
	Org    ward.OrgID
	Time   time.Time // when the event happened
	Came   time.Time
	Source string
	Batch  string
	Record int64 // which of its source's events it is; 1 is the first
	Host   string
	Format string
	Header []byte // what its format needs to be read again
	Raw    []byte
	ID     watch.EventID
}

// A Summary says where a hunt looked.
type Summary struct {
	Orgs   []ward.OrgID
	Blocks int   // all that are kept of these organisations and that time
	Opened int   // those that could not be left out by their first filter
	Events int64 // in all blocks that could be searched to their end
	Read   int64 // events that were looked at one by one
	Hits   int64
	// First and Last are the times between which the blocks have events; zero where there are none.
	First, Last time.Time
	// Unread are blocks that could not be searched: what is in them was not seen.
	Unread []Unread
}

// An Unread is a block that could not be searched, or not to its end.
type Unread struct {
	Block ward.Block
	Err   error
}

// Hunt gives every event that matches, block after block from the oldest day on, within a day one organisation after the other. It goes on over a block that cannot be read, and
// says so in the Summary. An error of give ends it.
func (a *Archive) Hunt(ctx context.Context, o HuntOptions, give func(Hit) error) (s Summary, err error) {
	scope := o.Scope
	if len(o.Orgs) > 0 {
		scope = ward.Only(slices.DeleteFunc(slices.Clone(o.Orgs), func(org ward.OrgID) bool { return !o.Scope.Sees(org) })...)
	}
	var all []ward.Block
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.BlocksBetween(ctx, scope, o.Since, o.Until)
		return err
	})
	if err != nil {
		return s, fmt.Errorf("archive: hunt: %w", err)
	}
	if o.Skip != nil {
		all = slices.DeleteFunc(all, o.Skip)
	}
	slices.SortStableFunc(all, func(a, b ward.Block) int { return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Org, b.Org)) })
	if o.Found != nil {
		if err := o.Found(all); err != nil {
			return s, err
		}
	}
	if o.Workers <= 0 {
		o.Workers = a.Workers
	}
	s.cover(all)
	h := hunt{HuntOptions: o, a: a, needles: o.Query.Needles()}
	err = h.run(ctx, all, &s, give)
	if err != nil {
		return s, fmt.Errorf("archive: hunt: %w", err)
	}
	return s, nil
}

// cover says what the blocks hold.
func (s *Summary) cover(all []ward.Block) {
	s.Blocks = len(all)
	for i := range all {
		b := &all[i]
		s.Events += b.Rows
		if s.First.IsZero() || b.First.Before(s.First) {
			s.First = b.First
		}
		if b.Last.After(s.Last) {
			s.Last = b.Last
		}
		s.Orgs = append(s.Orgs, b.Org)
	}
	slices.Sort(s.Orgs)
	s.Orgs = slices.Compact(s.Orgs)
}

type hunt struct {
	HuntOptions
	a       *Archive
	needles [][]uint64
}

// result is what one block gives, in parts so that a block of nothing but hits does not fill the memory.
type result struct {
	hits   chan []Hit
	opened bool
	read   int64
	err    error
}

// run searches several blocks at a time, and gives what they have in their order.
func (h *hunt) run(ctx context.Context, all []ward.Block, s *Summary, give func(Hit) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	results := make(chan *result, h.Workers)
	work := make(chan struct{}, h.Workers)
	go func() {
		defer close(results)
		for i := range all {
			r := &result{hits: make(chan []Hit, 4)}
			select {
			case work <- struct{}{}:
			case <-ctx.Done():
				return
			}
			go func() {
				defer func() { <-work }()
				defer close(r.hits)
				r.err = h.block(ctx, all[i], r)
			}()
			select {
			case results <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	at := 0
	for r := range results {
		var hits int64
		for part := range r.hits {
			for i := range part {
				if err := give(part[i]); err != nil {
					return err
				}
			}
			hits += int64(len(part))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.err != nil {
			s.Unread = append(s.Unread, Unread{all[at], r.err})
			s.Events -= all[at].Rows
		}
		s.Hits += hits
		s.Read += r.read
		if r.opened {
			s.Opened++
		}
		if h.Counted != nil {
			h.Counted(all[at], hits, r.read)
		}
		if h.Settled != nil {
			if err := h.Settled(all[at], hits, r.read, r.err); err != nil {
				return err
			}
		}
		at++
	}
	return ctx.Err()
}

var errQuarantined = errors.New("is quarantined")

// block searches one block.
func (h *hunt) block(ctx context.Context, b ward.Block, r *result) error {
	if b.State != ward.BlockKept {
		return fmt.Errorf("%w: %s", errQuarantined, b.Reason)
	}
	return h.a.shelf.With(ctx, b, func(open *blocks.Block) error {
		needles := h.needles
		if q, ok := h.Query.(watch.BlockQuery); ok {
			may, err := open.May(needles)
			if err != nil || !may {
				return err
			}
			if needles, err = q.NeedlesIn(open.Domains); err != nil {
				return err
			}
		}
		ranges, err := open.Candidates(needles)
		if err != nil || len(ranges) == 0 {
			return err
		}
		r.opened = true
		look := newLooking(h, b.Org)
		for _, at := range ranges {
			look.hits = nil
			err := open.Read(at, func(_ int64, row *blocks.Row) error {
				r.read++
				look.row(row)
				return ctx.Err()
			})
			if err != nil {
				return err
			}
			if len(look.hits) > 0 {
				select {
				case r.hits <- look.hits:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
}

// looking holds rows against the query.
type looking struct {
	*hunt
	org          ward.OrgID
	since, until int64
	cameBy       int64
	decoder      *watch.Decoder
	matcher      watch.Matcher
	record       watch.Record
	matches      []watch.Match
	hits         []Hit
}

func newLooking(h *hunt, org ward.OrgID) *looking {
	l := &looking{hunt: h, org: org, since: -1 << 62, until: 1 << 62, cameBy: 1 << 62, decoder: watch.NewDecoder(h.Query.Names()), matcher: h.Query.Matcher()}
	if !h.Since.IsZero() {
		l.since = h.Since.UnixMicro()
	}
	if !h.Until.IsZero() {
		l.until = h.Until.UnixMicro()
	}
	if !h.CameBy.IsZero() {
		l.cameBy = h.CameBy.UnixMicro()
	}
	return l
}

func (l *looking) row(row *blocks.Row) {
	if row.Time < l.since || row.Time > l.until || row.Received > l.cameBy {
		return
	}
	format, _ := watch.FormatOf(row.Format)
	_ = l.decoder.Event(format, row.Header, row.Raw, &l.record) // what it is not of, it is text of
	l.matches = l.matcher.Match(&l.record, l.matches[:0])
	if len(l.matches) == 0 {
		return
	}
	raw, header := slices.Clone(row.Raw), slices.Clone(row.Header)
	one := arrivalOf(l.org, row)
	id := one.ID()
	for _, m := range l.matches {
		l.hits = append(l.hits, Hit{
			Match: m, Org: l.org, Time: time.UnixMicro(row.Time).UTC(), Came: time.UnixMicro(row.Received).UTC(), Source: row.Source,
			Batch: row.Batch, Record: row.Sequence, Host: row.Host, Format: row.Format, Header: header, Raw: raw, ID: id,
		})
	}
}
