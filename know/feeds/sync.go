package feeds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Merger takes in what feeds report.
type Merger interface {
	// Merge returns how many reports said something new. An error that is ErrInvalid names reports that could not be kept;
	// the others were.
	Merge(ctx context.Context, feed string, observedAt time.Time, reports []know.Report) (changed int, err error)
	// Retain withdraws what source said of every weakness that is not listed.
	Retain(ctx context.Context, source string, listed map[ward.CVE]bool) (withdrawn int, err error)
}

// Paged is a Source whose location is asked page by page, from a cursor on.
type Paged interface {
	// Page is the address of the page at cursor, and how long to leave the publisher in peace before asking for it. An
	// empty address: this location is a file like any other.
	Page(cursor string, now time.Time) (address string, pause time.Duration, err error)
	// Turn is the cursor after a page that came to sum, and whether another page waits.
	Turn(cursor string, now time.Time, sum Summary) (next string, more bool, err error)
}

// Keyed is a Paged Source whose publisher knows its readers by a key, sent in a header to its own host and nowhere else.
type Keyed interface {
	Credential() (header, value string) // no value: none
}

// Options of a Syncer.
type Options struct {
	// Schedule names the feeds that Due reads by itself, and how often; 0 is as often as the publisher says something new.
	Schedule map[string]time.Duration
	// Fetcher gets URLs; nil is one with its defaults.
	Fetcher *Fetcher
	// Log is told of scheduled readings that went wrong; nil discards.
	Log *slog.Logger
}

// Progress is how far a synchronisation has come.
type Progress struct {
	Feed    string
	File    string // being read
	Reports int    // of this feed, merged so far
	Changed int
}

// Syncer reads feeds into the library and keeps how each of them stands. One synchronisation runs at a time.
type Syncer struct {
	store   *store.Store
	clock   ward.Clock
	sources []Source
	merger  Merger
	options Options
	running sync.Mutex
}

// New returns a Syncer of the sources, in the order in which they are asked whether they recognise a file.
func New(s *store.Store, clock ward.Clock, sources []Source, merger Merger, options Options) *Syncer {
	if options.Fetcher == nil {
		options.Fetcher = &Fetcher{}
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Syncer{store: s, clock: clock, sources: sources, merger: merger, options: options}
}

// Sync reads the named feeds, or all, each from its own location; or, with from, what a path or URL holds for them. A feed
// that fails is in the result with its error, keeps what it said before, and stops no other. The error is for what stops
// all: no permission, no such feed or path, a store that cannot write.
func (s *Syncer) Sync(ctx context.Context, who ward.Actor, names []string, from string, progress func(Progress)) (Result, error) {
	if err := who.Need(ward.MayFeeds); err != nil {
		return Result{}, err
	}
	sources, err := s.named(names)
	if err != nil {
		return Result{}, err
	}
	if !s.running.TryLock() {
		return Result{}, fmt.Errorf("feeds: another synchronisation is running: %w", ward.ErrState)
	}
	defer s.running.Unlock()
	if progress == nil {
		progress = func(Progress) {}
	}
	states, err := s.states(ctx)
	if err != nil {
		return Result{}, err
	}
	holds, err := s.holds(ctx)
	if err != nil {
		return Result{}, err
	}
	run := &run{Syncer: s, who: who, progress: progress, states: states, holds: holds}
	if from != "" {
		err = run.from(ctx, from, sources)
		return run.result, err
	}
	for _, source := range sources {
		if err := run.own(ctx, source); err != nil {
			return run.result, err
		}
	}
	return run.result, nil
}

func (s *Syncer) named(names []string) ([]Source, error) {
	if len(names) == 0 {
		return s.sources, nil
	}
	var chosen []Source
	for _, name := range names {
		at := slices.IndexFunc(s.sources, func(source Source) bool { return source.Name() == name })
		if at < 0 {
			var known []string
			for _, source := range s.sources {
				known = append(known, source.Name())
			}
			return nil, &ward.Invalid{Field: "feed", Problem: fmt.Sprintf("%q is no feed", name), Hint: "one of " + strings.Join(known, ", ")}
		}
		chosen = append(chosen, s.sources[at])
	}
	return chosen, nil
}

func (s *Syncer) states(ctx context.Context) (map[string]store.Feed, error) {
	states := map[string]store.Feed{}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Feeds(ctx)
		for _, f := range all {
			states[f.Name] = f
		}
		return err
	})
	return states, err
}

// List tells how every feed stands, in the order of the sources.
func (s *Syncer) List(ctx context.Context) ([]ward.Feed, error) {
	states, err := s.states(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := s.holds(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]ward.Feed, len(s.sources))
	for i, source := range s.sources {
		f := states[source.Name()].Feed
		f.Name = source.Name()
		f.Location = cmp.Or(f.Location, source.Location())
		_, scheduled := s.options.Schedule[f.Name]
		asked := scheduled || !f.Attempted.IsZero() // what nobody set up is not stale: it is not read
		if h, ok := holds[f.Name]; ok && h.State == ward.HoldWaits {
			f.Held = &h
		}
		f.Stale = asked && s.clock.Now().Sub(f.Succeeded) > s.every(source)*3/2
		all[i] = f
	}
	return all, nil
}

// Due reads the scheduled feeds whose time has come, one after the other, and returns when the next one comes. What goes
// wrong with a feed is kept with it and logged, and is no error here.
func (s *Syncer) Due(ctx context.Context, now time.Time) (next time.Time, err error) {
	states, err := s.states(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, source := range s.sources {
		if _, planned := s.options.Schedule[source.Name()]; !planned || states[source.Name()].NextDue.After(now) {
			continue
		}
		result, err := s.Sync(ctx, ward.System("feeds"), []string{source.Name()}, "", nil)
		if errors.Is(err, ward.ErrState) {
			return now.Add(time.Minute), nil // a person is synchronising: look again when that has ended
		}
		if err != nil {
			return time.Time{}, err
		}
		for _, f := range result.Feeds {
			if f.Error != "" {
				s.options.Log.Warn("feed could not be read", "feed", f.Name, "err", f.Error)
			}
		}
	}
	if states, err = s.states(ctx); err != nil {
		return time.Time{}, err
	}
	for name := range s.options.Schedule {
		if due := states[name].NextDue; !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next, nil
}

// every is how often a feed is read.
func (s *Syncer) every(source Source) time.Duration {
	if every := s.options.Schedule[source.Name()]; every > 0 {
		return every
	}
	return source.Every()
}

// After a failure a scheduled feed is tried again sooner than its interval, within these bounds.
const (
	soonestRetry = 5 * time.Minute
	latestRetry  = time.Hour
)

// run is one synchronisation.
type run struct {
	*Syncer
	who      ward.Actor
	progress func(Progress)
	states   map[string]store.Feed
	holds    map[string]ward.FeedHold
	result   Result
}

// from reads what a location holds for the sources.
func (r *run) from(ctx context.Context, location string, sources []Source) error {
	started := r.clock.Now()
	at, name := location, ""
	if IsURL(location) {
		got, err := r.options.Fetcher.Get(ctx, location, Validators{})
		if err != nil {
			return err
		}
		defer got.Remove()
		at, name = got.Path, got.Name
		for _, source := range sources {
			guide, ok := source.(Guided)
			if !ok {
				continue
			}
			state := r.states[source.Name()]
			if state.Location != location {
				state.Cursor = "" // of another place
			}
			state.Name, state.Location = source.Name(), location
			if led, err := r.guided(ctx, source, guide, state, got, started); led {
				return err
			}
		}
	}
	if err := r.load(ctx, at, name, sources); err != nil {
		return err
	}
	for i := range r.result.Feeds {
		f := &r.result.Feeds[i]
		state := r.states[f.Name]
		if state.Location != location {
			state.ETag, state.LastModified = "", "" // of another place
		}
		state.Location = location
		if err := r.save(ctx, state, f, started); err != nil {
			return err
		}
	}
	return nil
}

// own reads one feed from its own location.
func (r *run) own(ctx context.Context, source Source) error {
	state := r.states[source.Name()]
	if paged, ok := source.(Paged); ok && IsURL(source.Location()) {
		address, _, err := paged.Page(state.Cursor, r.clock.Now())
		if err != nil {
			state.Cursor = "" // unreadable: begin anew
		}
		if address != "" || err != nil {
			return r.pages(ctx, source, paged, state)
		}
	}
	started, location := r.clock.Now(), source.Location()
	f := r.result.feed(source.Name())
	if !IsURL(location) {
		state.Location = location
		return r.loadOwn(ctx, source, state, location, "", started)
	}
	var have Validators
	if state.Location == location && state.Error == "" {
		have = Validators{state.ETag, state.LastModified}
	}
	state.Location = location
	got, err := r.options.Fetcher.Get(ctx, location, have)
	switch {
	case errors.Is(err, ErrNotModified):
		f.Unchanged = true
		return r.save(ctx, state, f, started)
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		f.Error = err.Error()
		return r.save(ctx, state, f, started)
	}
	defer got.Remove()
	if guide, ok := source.(Guided); ok {
		state.Name = source.Name()
		if led, err := r.guided(ctx, source, guide, state, got, started); led {
			return err
		}
	}
	state.ETag, state.LastModified = got.ETag, got.LastModified
	return r.loadOwn(ctx, source, state, got.Path, got.Name, started)
}

func (r *run) loadOwn(ctx context.Context, source Source, state store.Feed, at, name string, started time.Time) error {
	err := r.load(ctx, at, name, []Source{source})
	f := r.result.feed(source.Name())
	if errors.Is(err, errLocation) {
		f.Error, err = err.Error(), nil
	}
	if err != nil {
		return err
	}
	if f.Files == 0 && f.Error == "" {
		f.Error = "nothing there that this feed understands"
		for _, p := range r.result.Passed {
			f.Error += ": " + p.Name + ": " + p.Reason
			break
		}
	}
	return r.save(ctx, state, f, started)
}

// pages reads a feed page by page. What was read before a failure is kept, and the next reading goes on from there.
func (r *run) pages(ctx context.Context, source Source, paged Paged, state store.Feed) error {
	started := r.clock.Now()
	f := r.result.feed(source.Name())
	state.Name, state.Location = source.Name(), source.Location()
	for first, more := true, true; more; first = false {
		address, pause, err := paged.Page(state.Cursor, started)
		if err == nil && !first {
			err = r.options.Fetcher.wait(ctx, pause)
		}
		var got Fetched
		if err == nil {
			got, err = r.options.Fetcher.as(source).Get(ctx, address, Validators{})
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			f.Error = err.Error()
			break
		}
		before := f.Summary
		f.Total = 0
		err = r.load(ctx, got.Path, "page", []Source{source})
		got.Remove()
		if err != nil {
			return err
		}
		f = r.result.feed(source.Name())
		page := Summary{Records: f.Records - before.Records, Rejected: f.Rejected - before.Rejected, Total: f.Total}
		if f.Files == 0 && f.Error == "" {
			f.Error = "the answer is no page of this feed"
		}
		if f.Error != "" {
			break
		}
		if state.Cursor, more, err = paged.Turn(state.Cursor, started, page); err != nil {
			f.Error = err.Error()
			break
		}
		if err := r.saveCursor(ctx, state); err != nil {
			return err
		}
	}
	return r.save(ctx, state, f, started)
}

func (r *run) saveCursor(ctx context.Context, state store.Feed) error {
	return r.store.Update(ctx, func(tx *store.Tx) error { return tx.SaveFeed(ctx, state) })
}

// save writes how a feed stands after a reading that began at started.
func (r *run) save(ctx context.Context, state store.Feed, f *FeedResult, started time.Time) error {
	source := r.sources[slices.IndexFunc(r.sources, func(source Source) bool { return source.Name() == f.Name })]
	now := r.clock.Now()
	every := r.every(source)
	state.Name, state.Attempted, state.Error = f.Name, started, clip(f.Error, 1000)
	state.Changed, state.Rejected = f.Changed+f.Withdrawn, f.Rejected
	retry := min(every, max(soonestRetry, min(latestRetry, every/8)))
	state.NextDue = now.Add(retry)
	if f.Error == "" {
		state.Succeeded, state.NextDue = started, now.Add(every)
		if !f.Unchanged {
			state.Records = f.Records
		}
		if f.Observed.After(state.Observed) {
			state.Observed = f.Observed
		}
	} else {
		state.ETag, state.LastModified = "", "" // read it anew, whatever the publisher says
	}
	if _, planned := r.options.Schedule[f.Name]; !planned {
		state.NextDue = time.Time{}
	}
	r.states[f.Name] = state
	return r.store.Update(ctx, func(tx *store.Tx) error {
		if err := errors.Join(tx.SaveFeed(ctx, state), r.saveHold(ctx, tx, f, state.Location)); err != nil {
			return err
		}
		tx.Hint("feeds", "")
		if r.who.Person == "" && state.Changed == 0 && f.Error == "" {
			return nil // the schedule found nothing new: no line for that
		}
		detail := fmt.Sprintf("%d records, %d changed, %d withdrawn, %d not understood", f.Records, f.Changed, f.Withdrawn, f.Rejected)
		if f.Error != "" {
			detail += "; " + state.Error
		}
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: r.who.Person, Name: r.who.Name, Action: "feeds.sync",
			Subject: f.Name, Detail: detail})
	})
}
