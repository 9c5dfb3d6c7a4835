package detect

import (
	"container/list"
	"time"
)

// Folded is a detection with its repeats.
type Folded struct {
	Detection // the first
	Count     int
	// First and Last are the times of the events, not of their arrival; zero where no event said one.
	First, Last time.Time
}

// Repeats folds detections by their fingerprint, and holds a bounded number: when there is no room, the one that has been
// quiet for longest is given back as it stands. Not for several goroutines at a time.
type Repeats struct {
	most int
	by   map[string]*list.Element // of *Folded
	seen *list.List               // the last seen in front
	out  int
}

// NewRepeats holds at most so many different detections; there is room for one at least.
func NewRepeats(most int) *Repeats {
	return &Repeats{most: max(most, 1), by: map[string]*list.Element{}, seen: list.New()}
}

// Add folds a detection. What it returns had to make room, and a repeat of it will be a first one again.
func (r *Repeats) Add(d Detection) (gone *Folded) {
	same := d.Fingerprint()
	if at := r.by[same]; at != nil {
		at.Value.(*Folded).again(d.Event.Time)
		r.seen.MoveToFront(at)
		return nil
	}
	if r.seen.Len() == r.most {
		at := r.seen.Back()
		gone = r.seen.Remove(at).(*Folded)
		delete(r.by, gone.Fingerprint())
		r.out++
	}
	r.by[same] = r.seen.PushFront(&Folded{Detection: d, Count: 1, First: d.Event.Time, Last: d.Event.Time})
	return gone
}

// Evicted is how many had to make room.
func (r *Repeats) Evicted() int { return r.out }

// All are the detections held, the one that has been quiet for longest first.
func (r *Repeats) All() []*Folded {
	all := make([]*Folded, 0, r.seen.Len())
	for at := r.seen.Back(); at != nil; at = at.Prev() {
		all = append(all, at.Value.(*Folded))
	}
	return all
}

func (f *Folded) again(at time.Time) {
	f.Count++
	if at.IsZero() {
		return
	}
	if f.First.IsZero() || at.Before(f.First) {
		f.First = at
	}
	if at.After(f.Last) {
		f.Last = at
	}
}
