package coverage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
)

// Others is the source that all count for beyond the most that an organisation may have: names in events are the sender's word.
const (
	Others      = "(others)"
	mostSources = 5000
	mostLetters = 200 // kept of an organisation
	mostWaiting = 50  // different ones of an organisation, until they are kept
	longestName = 255
)

// A Tally counts the events of the organisations of one shard. What it counted and did not keep is counted again by whoever reads
// the events again. For one goroutine at a time.
type Tally struct {
	now     func() time.Time
	rows    map[rowKey]*row
	classes map[classKey]*counted
	sources map[ward.OrgID]int
	changed []*row
}

type rowKey struct {
	org    ward.OrgID
	source string
	kind   ward.EventKind
}

type classKey struct {
	org    ward.OrgID
	source string
	class  watch.Class
}

// counted are the three rows that one event counts in.
type counted struct{ source, kind, all *row }

// A row is a source by now, and its day.
type row struct {
	ward.EventSource
	day     ward.SourceDay
	past    []ward.SourceDay // days that are over and not kept yet
	changed bool
}

// NewTally makes a Tally, with what is known of the organisations that mine says yes to.
func (r *Room) NewTally(ctx context.Context, mine func(ward.OrgID) bool) (*Tally, error) {
	t := &Tally{now: r.clock.Now, rows: map[rowKey]*row{}, classes: map[classKey]*counted{}, sources: map[ward.OrgID]int{}}
	today := r.clock.Now().UTC().Truncate(day)
	err := r.store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.EventSources(ctx, ward.Everything())
		if err != nil {
			return err
		}
		for _, s := range all {
			if mine(s.Org) {
				one := t.row(s.Org, s.Source, s.Kind)
				one.EventSource = s
			}
		}
		days, err := tx.SourceDay(ctx, today)
		if err != nil {
			return err
		}
		for _, d := range days {
			if one := t.rows[rowKey{d.Org, d.Source, d.Kind}]; one != nil {
				one.day = d
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	return t, nil
}

func (t *Tally) row(org ward.OrgID, source string, kind ward.EventKind) *row {
	key := rowKey{org, source, kind}
	one := t.rows[key]
	if one == nil {
		one = &row{EventSource: ward.EventSource{Org: org, Source: source, Kind: kind}}
		t.rows[key] = one
		if source != "" {
			t.sources[org]++
		}
	}
	return one
}

// Count counts one event. happened is what it says of itself; dated is false where that cannot be believed.
func (t *Tally) Count(a *watch.Arrival, class watch.Class, happened time.Time, dated bool) {
	key := classKey{a.Org, a.Source, class}
	in := t.classes[key]
	if in == nil {
		in = t.counted(a.Org, a.Source, class)
		key.source = string(append([]byte(nil), a.Source...)) // not the bytes of the whole batch
		t.classes[key] = in
	}
	came := time.UnixMicro(a.Received).UTC()
	late, size := came.Sub(happened), int64(len(a.Raw))
	for _, one := range []*row{in.source, in.kind, in.all} {
		if !one.changed {
			one.changed = true
			t.changed = append(t.changed, one)
		}
		one.count(came, happened, late, dated, size)
	}
}

func (t *Tally) counted(org ward.OrgID, source string, class watch.Class) *counted {
	log := class.Log()
	category := ""
	if len(log.Categories) > 0 {
		category = log.Categories[0]
	}
	kind := ward.KindOf(log.Product, log.Service, category)
	if len(source) > longestName {
		source = source[:longestName]
	}
	source = string(append([]byte(nil), source...))
	if _, known := t.rows[rowKey{org, source, kind}]; !known && t.sources[org] >= mostSources {
		source = Others
	}
	if source == "" {
		source = "(not named)"
	}
	return &counted{t.row(org, source, kind), t.row(org, "", kind), t.row(org, "", "")}
}

func (r *row) count(came, happened time.Time, late time.Duration, dated bool, size int64) {
	if r.First.IsZero() {
		r.First = came
	}
	var gap int64
	if !r.Last.IsZero() {
		gap = max(0, int64(came.Sub(r.Last)/time.Second))
	}
	if came.After(r.Last) {
		r.Last = came
	}
	r.Events++
	r.Bytes += size
	if of := came.Truncate(day); !of.Equal(r.day.Day) {
		if !r.day.Day.IsZero() {
			r.past = append(r.past, r.day)
		}
		r.day = ward.SourceDay{Org: r.Org, Source: r.Source, Kind: r.Kind, Day: of}
	}
	hour := came.Hour()
	r.day.Counts[hour]++
	r.day.Gaps[hour] = max(r.day.Gaps[hour], gap)
	r.day.Bytes += size
	if dated {
		r.LastEvent = happened
		if r.day.Dated == 0 || late < r.day.Fastest {
			r.day.Fastest = late
		}
		r.day.Dated++
		r.day.Late += late
	}
}

// Keep keeps what was counted, in the transaction in which the reader says how far it has read.
func (t *Tally) Keep(ctx context.Context, tx *store.Tx) error {
	for _, one := range t.changed {
		if err := tx.SaveEventSource(ctx, one.EventSource); err != nil {
			return err
		}
		for _, d := range append(one.past, one.day) {
			if err := tx.SaveSourceDay(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// Kept says that the transaction in which Keep was has ended well.
func (t *Tally) Kept() {
	for _, one := range t.changed {
		one.changed, one.past = false, nil
	}
	t.changed = t.changed[:0]
}

// Letters gathers what could not be read, until it is kept. It is used by many goroutines at a time.
type Letters struct {
	mu      sync.Mutex
	waiting map[ward.OrgID]map[[2]string]*ward.DeadLetter // by source and reason
	more    map[ward.OrgID]int64                          // counted without a letter
}

// Add takes a letter. Of those that are alike one is kept, with their number.
func (l *Letters) Add(one ward.DeadLetter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting, l.more = map[ward.OrgID]map[[2]string]*ward.DeadLetter{}, map[ward.OrgID]int64{}
	}
	of := l.waiting[one.Org]
	if of == nil {
		of = map[[2]string]*ward.DeadLetter{}
		l.waiting[one.Org] = of
	}
	key := [2]string{one.Source, one.Reason}
	if have := of[key]; have != nil {
		have.Count++
		have.At = one.At
		return
	}
	if len(of) >= mostWaiting {
		l.more[one.Org]++
		return
	}
	one.Count = 1
	of[key] = &one
}

// Keep keeps what was gathered. What cannot be kept is gathered again.
func (l *Letters) Keep(ctx context.Context, s *store.Store, now time.Time) error {
	l.mu.Lock()
	waiting, more := l.waiting, l.more
	l.waiting, l.more = nil, nil
	l.mu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	err := s.Update(ctx, func(tx *store.Tx) error {
		for org, of := range waiting {
			for _, one := range of {
				if err := tx.AddDeadLetter(ctx, *one); err != nil {
					return err
				}
			}
			if err := tx.TrimDeadLetters(ctx, org, mostLetters); err != nil {
				return err
			}
		}
		for org, n := range more {
			if err := tx.AddUnread(ctx, org, now, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	return nil
}
