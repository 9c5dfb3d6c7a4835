package feeds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// batch is how many reports are handed to the Merger at a time.
const batch = 2000

// errLocation is a location of a feed that cannot be opened at all.
var errLocation = errors.New("feeds: location")

// job is one step for the Merger, in order.
type job struct {
	feed    string
	reports []know.Report
	speaker string            // for a complete list that was merged before: withdraw the others
	listed  map[ward.CVE]bool // what it lists
}

// load reads a path for the sources and merges what it finds: one goroutine reads, this one merges, so that decoding and
// writing overlap. name is what the file at path is called, empty for its own name.
func (r *run) load(ctx context.Context, at, name string, sources []Source) error {
	if _, err := os.Stat(at); err != nil {
		return fmt.Errorf("%w: %w", errLocation, err)
	}
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	l := &loader{run: r, ctx: reading, pending: map[string][]know.Report{}, jobs: make(chan job, 2), merged: map[string]int{}, observed: r.clock.Now()}
	var read sync.WaitGroup
	var readErr error
	read.Go(func() {
		defer close(l.jobs)
		if name != "" {
			readErr = walkFile(reading, at, name, sources, l.visit)
		} else {
			readErr = Walk(reading, at, sources, l.visit)
		}
		if readErr == nil {
			readErr = l.flushAll()
		}
	})
	var mergeErr error
	changed, withdrawn := map[string]int{}, map[string]int{}
	for j := range l.jobs {
		if mergeErr != nil {
			continue // the reader is being stopped
		}
		if mergeErr = r.do(ctx, l, j, changed, withdrawn); mergeErr != nil {
			stop(mergeErr)
		}
	}
	read.Wait()
	for feed, n := range changed {
		r.result.feed(feed).Changed += n
	}
	for feed, n := range withdrawn {
		r.result.feed(feed).Withdrawn += n
	}
	for _, refused := range l.refused {
		f := r.result.feed(refused.feed)
		f.Records--
		f.Reject("%v", refused.err)
	}
	if mergeErr != nil {
		return mergeErr
	}
	return readErr
}

func (r *run) do(ctx context.Context, l *loader, j job, changed, withdrawn map[string]int) error {
	if j.listed != nil {
		n, err := r.merger.Retain(ctx, j.speaker, j.listed)
		withdrawn[j.feed] += n
		return err
	}
	n, err := r.merger.Merge(ctx, j.feed, l.observed, j.reports)
	changed[j.feed] += n
	l.merged[j.feed] += len(j.reports)
	r.progress(Progress{Feed: j.feed, File: l.file(), Reports: l.merged[j.feed], Changed: changed[j.feed]})
	if errors.Is(err, ward.ErrInvalid) {
		l.refused = append(l.refused, refusal{j.feed, err})
		return nil
	}
	return err
}

type refusal struct {
	feed string
	err  error
}

// loader is one reading of one location. The reader owns pending; the merging side owns refused and merged.
type loader struct {
	run      *run
	ctx      context.Context
	jobs     chan job
	observed time.Time
	pending  map[string][]know.Report
	refused  []refusal
	merged   map[string]int

	mu      sync.Mutex
	reading string
}

func (l *loader) file() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reading
}

// visit reads one file.
func (l *loader) visit(f File) error {
	if f.Source == nil {
		l.run.result.pass(f.Name, f.Reason)
		return nil
	}
	l.mu.Lock()
	l.reading = f.Name
	l.mu.Unlock()
	feed := f.Source.Name()
	result := l.run.result.feed(feed)
	if whole, ok := f.Source.(Whole); ok {
		return l.whole(f, whole, result)
	}
	sum, err := f.Source.Read(l.ctx, f.Body, func(r know.Report) error { return l.add(feed, r) })
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	result.read(f.Name, sum, err)
	return nil
}

// whole reads a complete list. It is held back until it is known not to have lost half of its records since the last time:
// such a list is refused, and what stood before stays. One from which others are to be withdrawn is held back to its end.
func (l *loader) whole(f File, whole Whole, result *FeedResult) error {
	h := &hold{loader: l, feed: f.Source.Name(), speaker: whole.Speaker(), last: l.run.states[f.Source.Name()], listed: map[ward.CVE]bool{}}
	h.enough = h.last.Records / 2
	if l.run.holds[h.feed].State == ward.HoldReleased {
		h.enough, h.allowed = 0, true
	}
	h.released = h.speaker == "" && h.enough == 0
	sum, broken := f.Source.Read(l.ctx, f.Body, h.take)
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	if h.released { // every record of it is good on its own
		result.read(f.Name, sum, broken)
		return nil
	}
	verdict := h.judge(sum, broken)
	if errors.Is(verdict, errShrunk) && l.run.discarded(h.feed, sum) {
		verdict = errDiscarded
	}
	if errors.Is(verdict, errShrunk) {
		result.held = &ward.FeedHold{File: f.Name, Records: sum.Records, Had: h.last.Records, Observed: sum.Observed, State: ward.HoldWaits}
	}
	if errors.Is(verdict, errOlder) || errors.Is(verdict, errDiscarded) {
		l.run.result.pass(f.Name, verdict.Error())
		result.Files++
		result.Unchanged = true
		return nil
	}
	if verdict == nil {
		if err := h.settle(&sum); err != nil {
			return err
		}
	}
	result.read(f.Name, sum, verdict)
	return nil
}

// Why a complete list does not take the place of the one that is kept.
var (
	errOlder     = errors.New("older than the list that is kept")
	errShrunk    = errors.New("held for a person")
	errDiscarded = errors.New("the smaller list that a person discarded")
)

// hold is a complete list that is being held back.
type hold struct {
	*loader
	feed     string
	speaker  string // whose reports are withdrawn where the list drops them; empty: nobody's
	last     store.Feed
	enough   int // records from which on it has not lost half
	reports  []know.Report
	listed   map[ward.CVE]bool
	released bool
	allowed  bool // a person released a smaller list
}

func (h *hold) take(r know.Report) error {
	if h.released {
		return h.add(h.feed, r)
	}
	h.reports = append(h.reports, r)
	if h.speaker != "" {
		h.listed[r.CVE] = true
		return nil
	}
	if len(h.reports) > h.enough {
		return h.release()
	}
	return nil
}

func (h *hold) release() error {
	h.released = true
	for _, r := range h.reports {
		if err := h.add(h.feed, r); err != nil {
			return err
		}
	}
	h.reports = nil
	return nil
}

// judge says why a list that came to its end, or broke, may not take the place of the one before.
func (h *hold) judge(sum Summary, broken error) error {
	switch {
	case broken != nil:
		return broken // what it does not list may only be missing
	case !h.allowed && (sum.Records < h.enough || sum.Records == 0):
		return fmt.Errorf("%w: %d records where the last reading had %d; what stood before stays until somebody releases the smaller list or discards it",
			errShrunk, sum.Records, h.last.Records)
	case h.speaker != "" && sum.Observed.Before(h.last.Observed):
		return fmt.Errorf("%w (%s, %s)", errOlder, sum.Observed.Format(time.DateOnly), h.last.Observed.Format(time.DateOnly))
	}
	return nil
}

// settle merges a list that was held back to its end, and withdraws what it drops where nothing of it was lost.
func (h *hold) settle(sum *Summary) error {
	if err := h.release(); err != nil || h.speaker == "" {
		return err
	}
	if sum.Observed.After(h.last.Observed) { // so that a second file of the same reading is compared with this one
		h.last.Observed = sum.Observed
		h.run.states[h.feed] = h.last
	}
	if sum.Rejected > 0 || sum.Total != 0 && sum.Total != sum.Records {
		sum.Note("says %d records and has %d that are understood: nothing is withdrawn", sum.Total, sum.Records)
		return nil
	}
	return errors.Join(h.flush(h.feed), h.send(job{feed: h.feed, speaker: h.speaker, listed: h.listed}))
}

// add takes one report; a full batch goes to the merger. Feeds of many small files fill a batch across them.
func (l *loader) add(feed string, r know.Report) error {
	some := l.pending[feed]
	if some == nil {
		some = make([]know.Report, 0, batch)
	}
	l.pending[feed] = append(some, r)
	if len(l.pending[feed]) < batch {
		return nil
	}
	return l.flush(feed)
}

func (l *loader) flush(feed string) error {
	some := l.pending[feed]
	if len(some) == 0 {
		return nil
	}
	delete(l.pending, feed)
	return l.send(job{feed: feed, reports: some})
}

func (l *loader) flushAll() error {
	for feed := range l.pending {
		if err := l.flush(feed); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) send(j job) error {
	select {
	case l.jobs <- j:
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}
