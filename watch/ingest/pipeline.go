package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
)

// A Publisher carries bodies; keep/bus is one. It returns nil when the body would survive a loss of power.
type Publisher interface {
	Publish(ctx context.Context, shard int, body []byte) (sequence uint64, err error)
}

// Options are what a Pipeline needs.
type Options struct {
	Clock  ward.Clock
	Bus    Publisher
	Shards int // of the bus; default 1
	Log    *slog.Logger
	// Redact changes an event's bytes in place before anything is kept, and says how often; nil: nothing is changed.
	Redact func(org ward.OrgID, raw []byte) int
	// Letters takes what could not be read; nil: it is only counted.
	Letters func(Letter)

	Batch   int           // events from which on a batch is sent at once; default 1,000
	Wait    time.Duration // after which a smaller one is sent; default 50 ms, so that nothing is unflushed for 100
	Flights int           // batches of a shard on their way at a time; default 4
	PerOrg  int64         // bytes of one organisation that wait at most; default 32 MB
	InAll   int64         // bytes that wait at most; default 256 MB
}

const (
	batchBytes   = 1 << 20
	defaultBatch = 1000
	defaultWait  = 50 * time.Millisecond
	defaultOrg   = 32 << 20
	defaultAll   = 256 << 20
	slowest      = 5 * time.Second // between two attempts to send a batch
	busyAfter    = 2 * time.Second
)

// A Letter is what could not be read: a dead letter.
type Letter struct {
	At     time.Time
	Org    ward.OrgID
	Source string
	Reason string
	Sample []byte // its first bytes
}

// SampleBytes is how much of a dead letter is kept.
const SampleBytes = 512

// A Pipeline takes arrivals from many senders and publishes them in batches, one organisation as often as another, whatever each
// sends. It is an Intake.
type Pipeline struct {
	o      Options
	boot   string // what this process's counted batches begin with
	shards []*shard
	held   atomic.Int64

	mu   sync.Mutex
	orgs map[ward.OrgID]*queue
}

// A queue is what waits of one organisation.
type queue struct {
	org     ward.OrgID
	shard   *shard
	parcels []parcel // under the shard's lock
	held    atomic.Int64

	mu      sync.Mutex
	sources map[string]*Source
}

// A parcel is what one Take brought.
type parcel struct {
	arrivals []watch.Arrival
	receipt  *receipt
}

// A Source is what a sender's source has sent since the start.
type Source struct {
	Org         ward.OrgID
	Name        string
	Received    int64 // events
	Bytes       int64
	Redacted    int64
	Refused     int64 // turned away for want of room
	Dead        int64
	First, Last time.Time
	sequence    int64
}

// shard gathers the batches of some organisations.
type shard struct {
	number int
	mu     sync.Mutex
	queues []*queue // that have parcels, in the order of their turns
	events int
	wake   chan struct{} // a batch is full
}

// New makes a Pipeline.
func New(o Options) *Pipeline {
	set := func(v *int64, otherwise int64) {
		if *v <= 0 {
			*v = otherwise
		}
	}
	set(&o.PerOrg, defaultOrg)
	set(&o.InAll, defaultAll)
	if o.Shards <= 0 {
		o.Shards = 1
	}
	if o.Batch <= 0 {
		o.Batch = defaultBatch
	}
	if o.Wait <= 0 {
		o.Wait = defaultWait
	}
	if o.Flights <= 0 {
		o.Flights = 4
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := &Pipeline{o: o, boot: "~" + rand.Text()[:12], orgs: map[ward.OrgID]*queue{}}
	for i := range o.Shards {
		p.shards = append(p.shards, &shard{number: i, wake: make(chan struct{}, 1)})
	}
	return p
}

// ShardOf is the shard of an organisation among so many.
func ShardOf(org ward.OrgID, shards int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(org))
	return int(h.Sum32() % uint32(shards)) //nolint:gosec // few
}

func (p *Pipeline) queue(org ward.OrgID) *queue {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.orgs[org]
	if q == nil {
		q = &queue{org: org, shard: p.shards[ShardOf(org, len(p.shards))], sources: map[string]*Source{}}
		p.orgs[org] = q
	}
	return q
}

// Room implements Intake.
func (p *Pipeline) Room(s Sender, bytes int) error { return p.room(p.queue(s.Org), int64(bytes)) }

func (p *Pipeline) room(q *queue, bytes int64) error {
	switch {
	case q.held.Load() > 0 && q.held.Load()+bytes > p.o.PerOrg:
		return &Busy{Reason: "what this organisation sent before waits to be written", After: busyAfter}
	case p.held.Load() > 0 && p.held.Load()+bytes > p.o.InAll:
		return &Busy{Reason: "what was sent before waits to be written", After: busyAfter}
	}
	return nil
}

// Take implements Intake.
func (p *Pipeline) Take(_ context.Context, s Sender, arrivals []watch.Arrival) (Receipt, error) {
	if len(arrivals) == 0 {
		done := make(chan struct{})
		close(done)
		return &receipt{done: done}, nil
	}
	q := p.queue(s.Org)
	size := 0
	for i := range arrivals {
		size += len(arrivals[i].Raw) + len(arrivals[i].Header)
	}
	if err := p.room(q, int64(size)); err != nil {
		q.refuse(arrivals, p.o.Clock.Now())
		return nil, err
	}
	now := p.o.Clock.Now()
	own, arena := make([]watch.Arrival, len(arrivals)), make([]byte, 0, size)
	keep := func(b []byte) []byte {
		at := len(arena)
		arena = append(arena, b...)
		return arena[at:len(arena):len(arena)]
	}
	q.mu.Lock()
	var source *Source
	for i := range arrivals {
		a := arrivals[i]
		if source == nil || source.Name != a.Source {
			source = q.source(a.Source, now)
		}
		a.Org, a.Received = s.Org, now.UnixMicro()
		a.Raw = keep(a.Raw)
		if len(a.Header) > 0 {
			a.Header = keep(a.Header)
		}
		if p.o.Redact != nil {
			source.Redacted += int64(p.o.Redact(s.Org, a.Raw))
		}
		if a.Batch == "" && a.Sequence == 0 {
			source.sequence++
			a.Batch, a.Sequence = p.boot, source.sequence
		}
		source.Received++
		source.Bytes += int64(len(a.Raw))
		own[i] = a
	}
	source.Last = now
	q.mu.Unlock()
	r := &receipt{done: make(chan struct{}), left: len(own)}
	q.held.Add(int64(size))
	p.held.Add(int64(size))
	q.shard.add(q, parcel{own, r}, p.o.Batch)
	return r, nil
}

// source is under q.mu.
func (q *queue) source(name string, now time.Time) *Source {
	s := q.sources[name]
	if s == nil {
		if len(q.sources) >= mostSources {
			name = otherSources
			if others := q.sources[name]; others != nil {
				return others
			}
		}
		s = &Source{Org: q.org, Name: name, First: now}
		q.sources[name] = s
	}
	return s
}

// mostSources bounds what a sender that makes up names costs; the others are counted together.
const (
	mostSources  = 20_000
	otherSources = "(others)"
)

func (q *queue) refuse(arrivals []watch.Arrival, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range arrivals {
		q.source(arrivals[i].Source, now).Refused++
	}
}

// Dead implements Intake.
func (p *Pipeline) Dead(s Sender, source string, reason error, raw []byte) {
	q := p.queue(s.Org)
	now := p.o.Clock.Now()
	q.mu.Lock()
	q.source(source, now).Dead++
	q.mu.Unlock()
	if p.o.Letters != nil {
		sample := append([]byte(nil), raw[:min(len(raw), SampleBytes)]...)
		if p.o.Redact != nil {
			p.o.Redact(s.Org, sample)
		}
		p.o.Letters(Letter{At: now, Org: s.Org, Source: source, Reason: reason.Error(), Sample: sample})
	}
}

// Sources says what each source has sent since the start.
func (p *Pipeline) Sources() (all []Source) {
	p.mu.Lock()
	queues := make([]*queue, 0, len(p.orgs))
	for _, q := range p.orgs {
		queues = append(queues, q)
	}
	p.mu.Unlock()
	for _, q := range queues {
		q.mu.Lock()
		for _, s := range q.sources {
			all = append(all, *s)
		}
		q.mu.Unlock()
	}
	return all
}

// Unflushed is how many bytes were taken and are not durable yet.
func (p *Pipeline) Unflushed() int64 { return p.held.Load() }

// receipt is done when all its arrivals are durable.
type receipt struct {
	mu   sync.Mutex
	left int
	err  error
	done chan struct{}
}

// Wait implements Receipt.
func (r *receipt) Wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *receipt) settle(n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left -= n; err != nil {
		r.err = err
	}
	if r.left == 0 {
		close(r.done)
	}
}

func (s *shard) add(q *queue, p parcel, batch int) {
	s.mu.Lock()
	if len(q.parcels) == 0 {
		s.queues = append(s.queues, q)
	}
	q.parcels = append(q.parcels, p)
	s.events += len(p.arrivals)
	full := s.events >= batch
	s.mu.Unlock()
	if full {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// turn is how many events an organisation may put into a batch before the next one's turn.
const turn = 64

// A batch is what is published together.
type batch struct {
	body  []byte
	size  int64
	parts []part
}

type part struct {
	queue   *queue
	receipt *receipt
	events  int
	size    int64
}

// gather takes a batch of what waits, a turn of each organisation after the other.
func (s *shard) gather(most int) (b batch) {
	var all []watch.Arrival
	s.mu.Lock()
	for len(s.queues) > 0 && len(all) < most && b.size < batchBytes {
		q := s.queues[0]
		s.queues = s.queues[1:]
		first := &q.parcels[0]
		n, size := 0, int64(0)
		for n < len(first.arrivals) && n < turn && b.size+size < batchBytes {
			size += int64(len(first.arrivals[n].Raw) + len(first.arrivals[n].Header))
			n++
		}
		all = append(all, first.arrivals[:n]...)
		b.parts, b.size = append(b.parts, part{q, first.receipt, n, size}), b.size+size
		s.events -= n
		if first.arrivals = first.arrivals[n:]; len(first.arrivals) == 0 {
			q.parcels[0] = parcel{}
			q.parcels = q.parcels[1:]
		}
		if len(q.parcels) > 0 {
			s.queues = append(s.queues, q)
		}
	}
	s.mu.Unlock()
	if len(all) > 0 {
		b.body = watch.AppendArrivals(make([]byte, 0, int(b.size)+16*len(all)+64), all)
	}
	return b
}

// ErrStopped is what was not durable when the Pipeline ended.
var ErrStopped = errors.New("the server is stopping: send it again")

// Run publishes until ctx ends, and then what was taken before, for some seconds at most.
func (p *Pipeline) Run(ctx context.Context) error {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var working sync.WaitGroup
	for _, s := range p.shards {
		working.Go(func() { p.run(ctx, sending, s) })
	}
	done := make(chan struct{})
	go func() { working.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		last := time.AfterFunc(slowest, stop)
		defer last.Stop()
		<-done
	}
	for _, s := range p.shards { // what is left is not stored
		for b := s.gather(p.o.Batch); len(b.parts) > 0; b = s.gather(p.o.Batch) {
			p.settle(b, ErrStopped)
		}
	}
	return nil
}

func (p *Pipeline) run(ctx, sending context.Context, s *shard) {
	tick := time.NewTicker(p.o.Wait)
	defer tick.Stop()
	flights := make(chan struct{}, p.o.Flights)
	var flying sync.WaitGroup
	defer flying.Wait()
	for {
		stopping := false
		select {
		case <-ctx.Done():
			stopping = true
		case <-tick.C:
		case <-s.wake:
		}
		for {
			flights <- struct{}{}
			b := s.gather(p.o.Batch)
			if len(b.parts) == 0 {
				<-flights
				break
			}
			flying.Go(func() {
				p.settle(b, p.publish(sending, s.number, b.body))
				<-flights
			})
		}
		if stopping {
			return
		}
	}
}

// publish sends a batch until it is carried: no acknowledgement means that it is not stored.
func (p *Pipeline) publish(ctx context.Context, shard int, body []byte) error {
	wait := 20 * time.Millisecond
	for {
		_, err := p.o.Bus.Publish(ctx, shard, body)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ErrStopped, err)
		}
		p.o.Log.Warn("batch is not carried yet", "shard", shard, "err", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrStopped, err)
		case <-time.After(wait):
		}
		wait = min(2*wait, slowest)
	}
}

func (p *Pipeline) settle(b batch, err error) {
	for _, part := range b.parts {
		part.queue.held.Add(-part.size)
		p.held.Add(-part.size)
		part.receipt.settle(part.events, err)
	}
}
