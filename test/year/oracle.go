package year

import (
	"time"

	"wardwatch/ward"
)

// word is one thing that somebody is told about a clock.
type word struct {
	org   ward.OrgID // in whose inbox it is; empty: the national desk
	about ward.OrgID // whose clock it is
	alert ward.AlertID
	kind  string
	rung  ward.Rung // empty: to the desk as a whole
	at    time.Time
}

// A clock is something that is due, owed from some time until another (zero: for good).
type clock struct {
	due, from, until time.Time
}

// rule is a line of the national default: who is told, how long after something is due.
type rule struct {
	after time.Duration
	kind  string
	rung  ward.Rung
	desk  bool // and not the organisation
}

// The national default as it is written down for people: a reminder a day before to the contact and four hours before to the
// lead; when it is due to the contact, and the desk lists it; the lead after four hours, the lead of the group after a day, the
// executive after two, and the national duty officer after three.
var ladder = []rule{
	{-24 * time.Hour, "response.reminder", ward.RungContact, false},
	{-4 * time.Hour, "response.reminder", ward.RungLead, false},
	{0, "response.overdue", ward.RungContact, false},
	{0, "response.overdue", "", true},
	{4 * time.Hour, "response.escalated", ward.RungLead, false},
	{24 * time.Hour, "response.escalated", ward.RungGroupLead, false},
	{48 * time.Hour, "response.escalated", ward.RungExecutive, false},
	{72 * time.Hour, "response.escalated", ward.RungDutyOfficer, true},
}

// What ends at a date is told a fortnight before to the contact, and three days before to the lead.
var ending = []rule{
	{-14 * 24 * time.Hour, "response.expiring", ward.RungContact, false},
	{-3 * 24 * time.Hour, "response.expiring", ward.RungLead, false},
}

const (
	toAcknowledge = 48 * time.Hour
	toUpdate      = 72 * time.Hour
	toRemediate   = 7 * 24 * time.Hour // of systems that nobody can reach from outside
)

// expected is who ought to be told what and when about one answer. It is worked out from the policy as people read it and from
// what the script says; none of the product's code is asked. A word is said when its time comes while what it is about is owed,
// elapsed hours after what began the clock: nights, holidays and summer time move none.
func expected(id ward.AlertID, n notification, a answer) (words []word) {
	over := n.closed
	if over.IsZero() {
		over = end.AddDate(1, 0, 0)
	}
	var clocks, endings []clock
	var owed, fix, lasts *clock // that run: a word owed, a fix owed, and a control
	stop := func(running **clock, into *[]clock, at time.Time) {
		if *running != nil {
			(*running).until = at
			*into = append(*into, **running)
			*running = nil
		}
	}
	owe := func(due, at time.Time) {
		stop(&owed, &clocks, at)
		owed = &clock{due: due, from: at}
	}
	var has struct{ applies, claimed, closed, controlled bool }
	var review time.Time
	wasClosed := false // before it was asked again
	unfixed := func(at time.Time) {
		if still := has.applies && !has.claimed && !has.closed; still == (fix != nil) {
			return
		} else if still {
			fix = &clock{due: n.issued.Add(toRemediate), from: at}
			return
		}
		stop(&fix, &clocks, at)
	}
	reopened := func(at time.Time) {
		stop(&lasts, &endings, at)
		has.closed, has.controlled = false, false
		owe(at.Add(toUpdate), at)
		unfixed(at)
	}
	rests := func(at time.Time) { // closed
		stop(&owed, &clocks, at)
		has.closed = true
		if has.controlled {
			if !at.Before(review) {
				reopened(at)
				return
			}
			lasts = &clock{due: review, from: at}
		}
		unfixed(at)
	}
	askedAgain := func(at time.Time) {
		wasClosed = has.closed
		has.closed = false
		stop(&lasts, &endings, at)
		owe(at.Add(toAcknowledge), at)
		unfixed(at)
	}

	owe(n.issued.Add(toAcknowledge), n.issued)
	revised := n.revised.IsZero()
	upTo := func(t time.Time) { // what happens by itself, or by the watch, before t
		for {
			ends := lasts != nil && !lasts.due.After(t) && lasts.due.Before(over)
			updated := !revised && !n.revised.After(t)
			switch {
			case ends && (!updated || !n.revised.Before(lasts.due)):
				reopened(lasts.due)
			case updated:
				revised = true
				askedAgain(n.revised)
			default:
				return
			}
		}
	}
	for _, s := range a.said {
		if !s.at.Before(over) || !s.at.Before(end) {
			break
		}
		upTo(s.at)
		switch s.verb {
		case acknowledges:
			if wasClosed {
				wasClosed = false
				rests(s.at)
				continue
			}
		case applies:
			has.applies = true
		case claims:
			has.claimed = true
		case controls:
			has.controlled, review = true, s.until
		}
		if s.verb == closes || s.verb == controls {
			rests(s.at)
			continue
		}
		wasClosed = false
		owe(s.at.Add(toUpdate), s.at)
		unfixed(s.at)
	}
	upTo(end)
	stop(&owed, &clocks, over)
	stop(&fix, &clocks, over)
	stop(&lasts, &endings, end.AddDate(1, 0, 0)) // a register reminds after its alert is closed, too

	tell := func(rules []rule, c clock) {
		for _, r := range rules {
			at := c.due.Add(r.after)
			if at.Before(c.from) || at.After(c.until) || !at.Before(end) {
				continue
			}
			w := word{org: a.org, about: a.org, alert: id, kind: r.kind, rung: r.rung, at: at}
			if r.desk {
				w.org = ""
			}
			words = append(words, w)
		}
	}
	for _, c := range clocks {
		tell(ladder, c)
	}
	for _, c := range endings {
		tell(ending, c)
	}
	return words
}
