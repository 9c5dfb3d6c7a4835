package silence_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/watch/detect/silence"
)

var monday = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

// A habit gives the time of the next event after one.
type habit func(r *rand.Rand, after time.Time) time.Time

func poisson(hourly func(time.Time) float64) habit {
	return func(r *rand.Rand, at time.Time) time.Time {
		for {
			rate := hourly(at)
			if rate <= 0 {
				at = at.Truncate(time.Hour).Add(time.Hour)
				continue
			}
			next := at.Add(time.Duration(r.ExpFloat64() / rate * float64(time.Hour)))
			if end := at.Truncate(time.Hour).Add(time.Hour); next.After(end) {
				at = end
				continue
			}
			return next
		}
	}
}

func weekend(at time.Time) bool { return at.Weekday() == time.Saturday || at.Weekday() == time.Sunday }

func steady(perHour float64) habit { return poisson(func(time.Time) float64 { return perHour }) }

func office(busy, quiet float64) habit {
	return poisson(func(at time.Time) float64 {
		if weekend(at) || at.Hour() < 8 || at.Hour() >= 18 {
			return quiet
		}
		return busy
	})
}

// nightly is a job at two, some minutes early or late, that writes twenty lines.
func nightly(r *rand.Rand, at time.Time) time.Time {
	start := at.Truncate(24 * time.Hour).Add(2 * time.Hour)
	if at.Before(start.Add(10 * time.Minute)) {
		if at.Before(start) {
			return start.Add(time.Duration(r.IntN(300)) * time.Second)
		}
		return at.Add(time.Duration(5+r.IntN(60)) * time.Second)
	}
	return start.Add(24*time.Hour + time.Duration(r.IntN(300))*time.Second)
}

var habits = map[string]struct {
	habit  habit
	notice time.Duration // at most so long after it stops on a Tuesday at 14:00, or within the first hours in which it should speak again
}{
	"firewall, 600 an hour":            {steady(600), 20 * time.Minute},
	"server, 60 an hour":               {steady(60), 90 * time.Minute},
	"switch, 4 an hour":                {steady(4), 16 * time.Hour},
	"appliance, 6 a day":               {steady(0.25), 5 * 24 * time.Hour},
	"office, silent at night":          {office(40, 0), 3 * time.Hour},
	"office, little at night":          {office(200, 2), 2 * time.Hour},
	"clinic, little by day":            {office(3, 0), 22 * time.Hour},
	"weekend hardly, night hardly":     {office(20, 0.2), 22 * time.Hour},
	"backup at two in the night":       {nightly, 32 * time.Hour},
	"domain controller, 5,000 an hour": {steady(5000), 20 * time.Minute},
}

// played are the days of a source until an hour, and its last event.
type played struct {
	days []ward.SourceDay
	last time.Time
}

func (p *played) event(at time.Time) {
	of := at.Truncate(24 * time.Hour)
	if n := len(p.days); n == 0 || !p.days[n-1].Day.Equal(of) {
		p.days = append(p.days, ward.SourceDay{Day: of})
	}
	d := &p.days[len(p.days)-1]
	d.Counts[at.Hour()]++
	if !p.last.IsZero() {
		d.Gaps[at.Hour()] = max(d.Gaps[at.Hour()], int64(at.Sub(p.last)/time.Second))
	}
	p.last = at
}

// TestNobodyIsCalledQuietWhoIsNot plays eight weeks of each habit, for several sources, and asks at each event whether its silence
// before would have been called one.
func TestNobodyIsCalledQuietWhoIsNot(t *testing.T) {
	const weeks, sources, most = 8, 6, 2
	all := 0
	for name, row := range habits {
		wrong, checks := 0, 0
		for source := range sources {
			r := rand.New(rand.NewPCG(uint64(source), 17))
			var p played
			for at := row.habit(r, monday); at.Before(monday.AddDate(0, 0, 7*weeks)); at = row.habit(r, at) {
				if gap := at.Sub(p.last); !p.last.IsZero() && gap >= silence.Least && p.last.Sub(monday) > silence.Known {
					checks++
					if certain := silence.Learn(p.days, p.last).Certain(p.last); at.After(certain) {
						wrong++
						if testing.Verbose() {
							t.Logf("%s: silent from %s to %s, certain at %s", name, p.last.Format("Mon 15:04"), at.Format("Mon 15:04"), certain.Format("Mon 15:04"))
						}
					}
				}
				p.event(at)
			}
		}
		t.Logf("%-34s %d false alarms in %d source-weeks, %d silences asked of", name, wrong, sources*(weeks-1), checks)
		all += wrong
	}
	if all > most {
		t.Errorf("%d false alarms in %d source-weeks, want %d at most", all, len(habits)*sources*(weeks-1), most)
	}
}

func TestWhoStopsIsNoticed(t *testing.T) {
	for name, row := range habits {
		r := rand.New(rand.NewPCG(5, 23))
		var p played
		stop := monday.AddDate(0, 0, 29).Add(14 * time.Hour) // a Tuesday
		for at := row.habit(r, monday); at.Before(stop); at = row.habit(r, at) {
			p.event(at)
		}
		expected := row.habit(r, stop.Add(-time.Second)) // when it would have spoken
		took := silence.Learn(p.days, p.last).Certain(p.last).Sub(stop)
		t.Logf("%-34s noticed %v after it stopped (would have spoken after %v)", name, took.Round(time.Minute), expected.Sub(stop).Round(time.Minute))
		if took > row.notice || took < 0 {
			t.Errorf("%s: %v after it stopped, want %v at most", name, took, row.notice)
		}
	}
}

func TestOneOutageDoesNotMakeDeaf(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 29))
	var p played
	from, to := monday.AddDate(0, 0, 16), monday.AddDate(0, 0, 16).Add(20*time.Hour)
	for at := steady(600)(r, monday); at.Before(monday.AddDate(0, 0, 25)); at = steady(600)(r, at) {
		if at.Before(from) || at.After(to) {
			p.event(at)
		}
	}
	if took := silence.Learn(p.days, p.last).Certain(p.last).Sub(p.last); took > 30*time.Minute {
		t.Errorf("after an outage of a day, a week ago, it takes %v to notice the next", took)
	}
}

func FuzzRhythm(f *testing.F) {
	f.Add(int64(0), uint8(3), []byte("counts and gaps of some days"))
	f.Fuzz(func(t *testing.T, start int64, after uint8, data []byte) {
		first := monday.Add(time.Duration(start % int64(1<<50))).Truncate(24 * time.Hour)
		var days []ward.SourceDay
		last := first
		for i, b := range data {
			if i%24 == 0 {
				days = append(days, ward.SourceDay{Day: first.AddDate(0, 0, i/24)})
			}
			d := &days[len(days)-1]
			d.Counts[i%24], d.Gaps[i%24] = int64(b&3), int64(b)*100
			if b&3 > 0 {
				last = d.Day.Add(time.Duration(i%24)*time.Hour + time.Duration(after)*time.Second)
			}
		}
		if certain := silence.Learn(days, last).Certain(last); certain.Sub(last) < silence.Least {
			t.Errorf("certain %v after the last event", certain.Sub(last))
		}
	})
}
