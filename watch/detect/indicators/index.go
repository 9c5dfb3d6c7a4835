package indicators

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
)

// A Source is where indicators come from; app hands it in.
type Source interface {
	// Changes gives what changed after the mark, in its order, and the mark to ask after next. The zero Mark asks for all
	// that stands. When give returns an error, Changes ends with it.
	Changes(ctx context.Context, after Mark, give func(Change) error) (Mark, error)
}

// Mark is a place in the order of a Source's changes.
type Mark int64

// A Change says that an indicator counts, or that its source took it back. It stands over whatever the same source said of
// the same value before.
type Change struct {
	ward.Indicator
	Withdrawn bool
}

// Options are what an Index needs.
type Options struct {
	Clock ward.Clock   // decides which windows are open; required
	Names *watch.Names // by which records' fields are numbered; nil: every value is judged by its shape alone (see Fields)
	Live  int          // from so many live statements on Seal takes them in; default 100,000
}

// Index holds the indicators of one Source. Look may be called by many at a time, also while others change it.
type Index struct {
	clock  ward.Clock
	live   int
	fields []treatment // by watch.Field
	now    atomic.Pointer[snapshot]

	mu   sync.Mutex // of those who make snapshots
	log  []change   // what the live generation is made of
	mark Mark
	read bool // a Source was read at least once
	bad  int

	sealing sync.Mutex // one at a time
}

// A snapshot is what one Look sees.
type snapshot struct {
	sealed, live *generation
	warnings     *generation
	kinds        kinds // those of which there may be one
}

// A change is a Change whose value is a key.
type change struct {
	key
	origin
	from, until int64
}

// New makes an empty Index.
func New(o Options) (*Index, error) {
	if o.Clock == nil {
		return nil, &ward.Invalid{Field: "clock", Problem: "is missing"}
	}
	if o.Live <= 0 {
		o.Live = 100_000
	}
	x := &Index{clock: o.Clock, live: o.Live, fields: treatments(o.Names)}
	empty := new(generation)
	x.now.Store(&snapshot{sealed: empty, live: empty, warnings: empty})
	return x, nil
}

// Stats says what an Index holds.
type Stats struct {
	Sealed  int // statements in the sealed generation
	Live    int // changes that stand over it
	Bytes   int // memory of both, but for their networks
	Refused int // values that a Source gave and nothing can look for
}

// Stats says what the Index holds now.
func (x *Index) Stats() Stats {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.now.Load()
	return Stats{Sealed: s.sealed.n, Live: s.live.n, Bytes: s.sealed.bytes() + s.live.bytes(), Refused: x.bad}
}

// fillExpects is how many statements Fill prepares for; far fewer or far more only make its shards small or large.
const fillExpects = 4_000_000

// Fill replaces everything by what each gives, sealed at once. An error that give returns says why one value was refused, and
// changes nothing else; each may go on after it.
func (x *Index) Fill(each func(give func(ward.Indicator) error) error) error {
	return x.fill(func(give func(Change) error) error {
		return each(func(i ward.Indicator) error { return give(Change{Indicator: i}) })
	})
}

func (x *Index) fill(each func(give func(Change) error) error) error {
	x.sealing.Lock()
	defer x.sealing.Unlock()
	x.mu.Lock()
	replaced := len(x.log)
	x.mu.Unlock()
	b := newBuilder(fillExpects)
	err := each(func(c Change) error {
		u, err := understood(c)
		if err != nil {
			return err
		}
		return b.take(&u)
	})
	if err != nil {
		return err
	}
	return x.swap(b.seal(), replaced)
}

// swap puts a new sealed generation in the place of the old one and of the first changes of the log, which it holds.
func (x *Index) swap(sealed *generation, held int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	later := slices.Clone(x.log[held:])
	live, err := generationOf(later)
	if err != nil {
		return err
	}
	x.log = later
	x.show(sealed, live)
	return nil
}

// Apply lets changes count at once. The errors are those of values that nothing can look for; the others count.
func (x *Index) Apply(changes ...Change) []error {
	understand := make([]change, 0, len(changes))
	var refused []error
	for _, c := range changes {
		u, err := understood(c)
		if err != nil {
			refused = append(refused, fmt.Errorf("%s %q: %w", c.Kind, c.Value, err))
			continue
		}
		understand = append(understand, u)
	}
	if err := x.apply(understand); err != nil {
		refused = append(refused, err)
	}
	return refused
}

func (x *Index) apply(changes []change) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(changes) == 0 {
		return nil
	}
	log := slices.Concat(x.log, changes)
	live, err := generationOf(log)
	if err != nil {
		return err
	}
	x.log = log
	x.show(x.now.Load().sealed, live)
	return nil
}

// show makes both generations what Look sees, in one step. The caller holds mu.
func (x *Index) show(sealed, live *generation) {
	x.now.Store(&snapshot{sealed: sealed, live: live, warnings: x.now.Load().warnings, kinds: sealed.kinds | live.kinds})
}

func generationOf(log []change) (*generation, error) {
	b := newBuilder(len(log))
	for i := range log {
		if err := b.take(&log[i]); err != nil {
			return nil, err
		}
	}
	return b.seal(), nil
}

func (b *builder) take(c *change) error {
	return b.add(c.kind, c.bytes, c.origin, c.from, c.until, c.marks)
}

// understood turns a change into what tables hold, or says why it cannot.
func understood(c Change) (change, error) {
	k, err := parse(c.Kind, c.Value)
	if err != nil {
		return change{}, err
	}
	from, until := int64(ever), int64(never)
	if !c.From.IsZero() {
		from = c.From.UnixMicro()
	}
	if !c.Until.IsZero() {
		until = c.Until.UnixMicro()
	}
	if from >= until {
		return change{}, &ward.Invalid{Field: "valid_until", Problem: "is not after valid_from"}
	}
	if c.Withdrawn {
		k.marks |= withdrawn
	}
	return change{key: k, origin: origin{c.Source, c.Grade, c.TLP}, from: from, until: until}, nil
}

// poll is how often a Source is asked: what it gives counts within twice that.
const poll = time.Second

// Due asks the Source what changed and lets it count. The first time everything is read and sealed.
func (x *Index) Due(ctx context.Context, from Source, now time.Time) (next time.Time, err error) {
	next = now.Add(poll)
	x.mu.Lock()
	mark, read := x.mark, x.read
	x.mu.Unlock()
	refused := 0
	if !read {
		err = x.fill(func(give func(Change) error) (err error) {
			mark, err = from.Changes(ctx, 0, func(c Change) error {
				err := give(c)
				if errors.Is(err, ward.ErrInvalid) {
					refused++
					err = nil
				}
				return err
			})
			return err
		})
	} else {
		var changes []change
		mark, err = from.Changes(ctx, mark, func(c Change) error {
			if u, err := understood(c); err == nil {
				changes = append(changes, u)
			} else {
				refused++
			}
			return nil
		})
		if err == nil {
			err = x.apply(changes)
		}
	}
	if err != nil {
		return next, fmt.Errorf("indicators: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mark, x.read = mark, true
	x.bad += refused
	return next, nil
}

// past is how long after its end a statement is still kept, for clocks that are set back.
const past = time.Hour

// Seal takes the live statements into a new sealed generation when there are many, and leaves out those that ended. It takes
// seconds at ten million, so it is a job beside Due and not after it; Look and Apply go on meanwhile.
func (x *Index) Seal(ctx context.Context, now time.Time) (next time.Time, err error) {
	next = now.Add(10 * poll)
	x.sealing.Lock()
	defer x.sealing.Unlock()
	x.mu.Lock()
	s, taken := x.now.Load(), len(x.log)
	x.mu.Unlock()
	if taken < x.live {
		return next, nil
	}
	sealed, err := merge(ctx, s.sealed, s.live, now.Add(-past).UnixMicro())
	if err != nil {
		return next, fmt.Errorf("indicators: %w", err)
	}
	if err := x.swap(sealed, taken); err != nil {
		return next, fmt.Errorf("indicators: %w", err)
	}
	return next, nil
}

// merge makes one generation of what stands in two, of which live stands over sealed.
func merge(ctx context.Context, sealed, live *generation, ended int64) (*generation, error) {
	b := newBuilder(sealed.n + live.n)
	for _, g := range []*generation{sealed, live} {
		for i := range g.shards {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for j := range g.shards[i].entries {
				e := &g.shards[i].entries[j]
				k, value := e.kind(), g.value(e)
				if k == reach || e.marked(withdrawn) || e.until <= ended {
					continue
				}
				o := g.origins[e.origin]
				if g == sealed && live.states(hash(k, value), k, value, o.source) {
					continue
				}
				if err := b.add(k, value, o, e.from, e.until, e.place&alone); err != nil {
					return nil, err
				}
			}
		}
	}
	return b.seal(), nil
}

// states says whether the source says anything of the value here.
func (g *generation) states(h uint64, k kind, value []byte, source string) bool {
	bucket := g.bucket(h)
	for i := range bucket {
		if e := &bucket[i]; g.is(e, h, k, value) && g.origins[e.origin].source == source {
			return true
		}
	}
	return false
}

// asked is a clock's time, asked for once and only when something hangs on it.
type asked int64

const notAsked asked = math.MinInt64

func (a *asked) of(c ward.Clock) int64 {
	if *a == notAsked {
		*a = asked(c.Now().UnixMicro())
	}
	return int64(*a)
}
