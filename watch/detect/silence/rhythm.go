// Package silence notices who has gone quiet. In: when a source spoke, hour by hour, over the last weeks; the clock. Out: since when
// it is silent against its own rhythm, and when that is certain enough to tell somebody. It never says so of a source that it has not
// known for a week, nor counts the time in which nobody listened.
package silence

import (
	"slices"
	"time"

	"wardwatch/ward"
)

const (
	day  = 24 * time.Hour
	hour = time.Hour

	// Known is how long a source must be known.
	Known = 7 * day
	// Least is how long any source may be silent.
	Least = 10 * time.Minute
	// History is how much of its past counts.
	History = 28 * day
	// farthest is where looking for the time at which a silence is certain ends: then it is.
	farthest = 60 * day
	// fewest days of a kind (working days, others) for their hours to be a rhythm.
	fewest = 4
	// enough days of a kind for the worst of them to be passed over: an outage that was.
	enough = 12
	// young is a source whose weeks are too few to know a Monday by.
	young = 21 * day
	// around an hour so many before and after count as it does.
	around = 2
	// spread is how much more a source may be silent for each second by which its worst day differs from its usual one.
	spread = 4
)

// A Rhythm is how long a source was silent at every hour of its past.
type Rhythm struct {
	first time.Time // of its hours
	open  []int64   // seconds, of each hour: the longest silence that went on in it
}

// Learn reads a source's past: its days in order, up to the hour in which it spoke last. Holidays is whether a day is none of work;
// nil: Saturdays and Sundays are.
func Learn(days []ward.SourceDay, last time.Time) Rhythm {
	var r Rhythm
	if len(days) == 0 {
		return r
	}
	from := last.Truncate(day).Add(-History)
	if days[0].Day.After(from) {
		from = days[0].Day
	}
	r.first = from
	n := int(last.Truncate(hour).Sub(from)/hour) + 1
	if n <= 0 {
		return r
	}
	counts, gaps := make([]int64, n), make([]int64, n)
	for _, d := range days {
		for h := range d.Counts {
			if at := int(d.Day.Sub(from)/hour) + h; at >= 0 && at < n {
				counts[at], gaps[at] = d.Counts[h], d.Gaps[h]
			}
		}
	}
	r.open = make([]int64, n)
	for at, ends := n-1, int64(0); at >= 0; at-- {
		if counts[at] == 0 {
			r.open[at] = ends // the silence that ends in the next hour that has events
			continue
		}
		r.open[at] = gaps[at]
		if at+1 < n && counts[at+1] == 0 {
			r.open[at] = max(gaps[at], ends)
		}
		ends = gaps[at]
	}
	return r
}

// Bound is how long the source may be silent at a time of the week: as long as it was before around that hour, but for its worst
// day where enough days are known, and more by as much as its days differ. While fewer than three weeks are known it may be as
// silent as it ever was.
func (r Rhythm) Bound(at time.Time) time.Duration {
	samples := r.samples(at, func(d time.Time) bool { return working(d) == working(at) })
	if len(samples) < fewest {
		samples = r.samples(at, func(time.Time) bool { return true })
	}
	if len(samples) == 0 {
		return farthest
	}
	slices.Sort(samples)
	most := samples[len(samples)-1]
	if len(samples) >= enough {
		most = samples[len(samples)-2]
	}
	usual := samples[len(samples)/2]
	bound := most + most/4 + spread*(most-usual)
	if len(r.open) < int(young/hour) {
		bound = max(bound, slices.Max(r.open)*5/4)
	}
	return time.Duration(bound)*time.Second + Least
}

// samples are the longest silences of the days that like says yes to, around an hour of the day.
func (r Rhythm) samples(at time.Time, like func(time.Time) bool) (samples []int64) {
	h := at.UTC().Hour()
	for d := r.first; ; d = d.Add(day) {
		from := int(d.Sub(r.first)/hour) + h
		if from >= len(r.open) {
			return samples
		}
		if !like(d.Add(time.Duration(h) * hour)) {
			continue
		}
		var most int64
		for i := max(0, from-around); i <= min(len(r.open)-1, from+around); i++ {
			most = max(most, r.open[i])
		}
		samples = append(samples, most)
	}
}

func working(at time.Time) bool {
	d := at.UTC().Weekday()
	return d != time.Saturday && d != time.Sunday
}

// Certain is the time at which the silence since last is longer than the rhythm allows.
func (r Rhythm) Certain(last time.Time) time.Time {
	last = last.UTC()
	for at := last; at.Sub(last) < farthest; at = at.Truncate(hour).Add(hour) {
		until := at.Truncate(hour).Add(hour)
		candidate := last.Add(r.Bound(at))
		if candidate.Before(at) {
			candidate = at
		}
		if candidate.Before(until) {
			return candidate
		}
	}
	return last.Add(farthest)
}
