package year

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"wardwatch/ward"
)

// verb is what an organisation says at some time.
type verb string

const (
	acknowledges verb = "acknowledges"
	applies      verb = "says that it applies"
	appliesNot   verb = "says that it does not apply"
	reports      verb = "reports progress"
	claims       verb = "says that it is fixed"
	closes       verb = "closes"
	controls     verb = "closes as controlled until a date"
)

// said is one thing that an organisation says.
type said struct {
	at    time.Time
	verb  verb
	until time.Time // of a control
}

// answer is what one organisation will say to one alert in its year.
type answer struct {
	org  ward.OrgID
	said []said // by time, no two at the same
}

// notification is one alert of the year.
type notification struct {
	severity ward.Severity
	issued   time.Time
	revised  time.Time // by a material update; zero when it never is
	closed   time.Time // zero when it is still in force when the year ends
	asked    []answer
	informed []ward.OrgID
}

// Size is how much happens.
type Size struct {
	Organisations int
	High          int // alerts that ask everybody
	Other         int // alerts that ask a fifth, and inform the others
	Seed          uint64
}

// Full is a year of a national watch.
var Full = Size{Organisations: 230, High: 13, Other: 250, Seed: 20260101}

// Short is a year of a small one.
var Short = Size{Organisations: 5, High: 3, Other: 6, Seed: 20260101}

// script writes down the whole year before it is played: what the watch does, and what everybody says and when. Some answer
// in time, some late, some begin and stop, and some never answer.
func script(size Size) []notification {
	random := rand.New(rand.NewPCG(size.Seed, 7)) //nolint:gosec // the same year each time
	zone := wall()
	days := func(least, most float64) time.Duration {
		return time.Duration((least + (most-least)*random.Float64()) * float64(24*time.Hour))
	}
	hour := func(t time.Time) time.Time { return t.Truncate(time.Hour) }
	var orgs []ward.OrgID
	for i := range size.Organisations {
		orgs = append(orgs, orgID(i))
	}
	var all []notification
	for i := range size.High + size.Other {
		n := notification{severity: ward.Medium, issued: hour(start.Add(days(0, 360)))}
		shuffled := slices.Clone(orgs)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		asked := max(1, len(orgs)/5)
		if i < size.High {
			n.severity, asked = ward.High, len(orgs)
		}
		n.informed = shuffled[asked:]
		life := days(15, 90)
		if n.severity == ward.High {
			life = days(60, 150)
		}
		n.closed = hour(n.issued.Add(life))
		if n.closed.After(end) {
			n.closed = time.Time{}
		}
		if random.Float64() < 0.2 || n.severity == ward.High && random.Float64() < 0.5 {
			n.revised = hour(n.issued.Add(days(1, 12)))
			if n.revised.After(end) {
				n.revised = time.Time{}
			}
		}
		for _, org := range shuffled[:asked] {
			n.asked = append(n.asked, answer{org, sayings(random, zone, days, n)})
		}
		all = append(all, n)
	}
	slices.SortStableFunc(all, func(a, b notification) int { return a.issued.Compare(b.issued) })
	return all
}

// sayings is what one organisation says to one alert.
func sayings(random *rand.Rand, zone *time.Location, days func(least, most float64) time.Duration, n notification) (all []said) {
	temper := random.Float64()
	if temper < 0.05 {
		return nil // never answers
	}
	prompt := temper < 0.6
	wait := func() time.Duration { // before the next word
		if prompt {
			return days(0, 2)
		}
		return days(0, 6)
	}
	now := n.issued
	updated := n.revised.IsZero()
	say := func(v verb) {
		now = atWork(now.Add(wait()), zone)
		if len(all) > 0 && !now.After(all[len(all)-1].at) {
			now = atWork(all[len(all)-1].at.Add(time.Hour), zone)
		}
		if !updated && now.After(n.revised) { // it is asked again, and takes the update up first
			updated = true
			all = append(all, said{at: now, verb: acknowledges})
			if v == acknowledges {
				return
			}
			now = atWork(now.Add(time.Hour), zone)
		}
		all = append(all, said{at: now, verb: v})
	}
	goesOn := func() bool { return random.Float64() < 0.93 }
	steps := []verb{acknowledges, appliesNot, closes}
	if random.Float64() < 0.6 {
		steps = []verb{acknowledges, applies}
		for range random.IntN(4) {
			steps = append(steps, reports)
		}
		if random.Float64() < 0.3 {
			steps = append(steps, controls)
		}
		steps = append(steps, claims, closes)
	}
	for _, v := range steps {
		say(v)
		if v == controls {
			last := &all[len(all)-1]
			last.until = last.at.Truncate(time.Hour).Add(days(10, 120)).Truncate(time.Hour)
			now = last.until
			if !updated && n.revised.Before(last.until) {
				now = n.revised // it is asked before the review, returns to what it said, and goes on after it
				if random.Float64() < 0.8 {
					now = atWork(now.Add(wait()), zone)
					all, updated = append(all, said{at: now, verb: acknowledges}), true
				}
				now = later(now, last.until)
			}
		}
		if !goesOn() {
			return all
		}
	}
	if !updated && random.Float64() < 0.8 {
		now = later(n.revised, all[len(all)-1].at)
		all = append(all, said{at: atWork(now.Add(wait()).Add(time.Hour), zone), verb: acknowledges})
	}
	return all
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func orgID(i int) ward.OrgID { return ward.OrgID(fmt.Sprintf("XA%03d", i)) }
