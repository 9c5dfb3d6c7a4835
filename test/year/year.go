// Package year plays a whole year of a national watch on a clock that it moves: alerts, organisations that answer in time, late
// or never, material updates, reviews that fall due, nights, bank holidays and both changes of the clocks. A size comes in; how many of
// the reminders and escalations that ought to have been told were missed or doubled goes out. What ought to be told is worked out
// beside the product, from the policy as people read it, and never by asking the product.
package year

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // people work by the clock on the wall

	"wardwatch/act/alerts"
	"wardwatch/act/responses"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// Result is what a year came to.
type Result struct {
	Answers  int // asked for
	Said     int // words of organisations
	Told     int // reminders and escalations
	Missed   int // that ought to have been told, and were not
	Doubled  int // that were told, and ought not to have been: twice, too late, or for nothing
	Examples []string
	Took     time.Duration
	Room     *ground.Ground // as the year left it
}

// deed is one thing that happens in the year.
type deed struct {
	at time.Time
	do func() error
}

// Play plays a year.
func Play(t testing.TB, size Size) Result {
	t.Helper()
	g := ground.New(t)
	g.Clock.Set(start)
	began := time.Now()
	result := Result{Room: g}
	if err := g.Store.Update(g.Ctx, func(tx *store.Tx) error {
		for i := range size.Organisations {
			if err := tx.SaveOrganisation(g.Ctx, ward.Organisation{ID: orgID(i), Name: fmt.Sprintf("Trust %d", i)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	year := script(size)
	var deeds []deed
	var words []word
	for i, n := range year {
		id := ward.AlertID(fmt.Sprintf("CC-%04d", i+1)) // as they are drafted, in the order of the year
		deeds = append(deeds, national(g, id, n)...)
		for _, a := range n.asked {
			result.Answers++
			words = append(words, expected(id, n, a)...)
			for _, s := range a.said {
				if s.at.Before(end) && (n.closed.IsZero() || s.at.Before(n.closed)) {
					result.Said++
					deeds = append(deeds, deed{s.at, func() error { return say(g, id, a.org, s) }})
				}
			}
		}
	}
	slices.SortStableFunc(deeds, func(a, b deed) int { return a.at.Compare(b.at) })
	if err := play(g, deeds); err != nil {
		t.Fatal(err)
	}
	result.Took = time.Since(began)
	told, err := told(g, size)
	if err != nil {
		t.Fatal(err)
	}
	result.Told = len(told)
	result.compare(words, told)
	return result
}

// play moves the clock through the year. At each moment what is due by itself comes before what people do.
func play(g *ground.Ground, deeds []deed) error {
	next := start
	until := func(t time.Time) (err error) {
		for !next.IsZero() && !next.After(t) {
			g.Clock.Set(next)
			if next, err = g.Ledger.Due(g.Ctx, next); err != nil {
				return err
			}
		}
		g.Clock.Set(t)
		return nil
	}
	for len(deeds) > 0 {
		now := deeds[0].at
		if err := until(now); err != nil {
			return err
		}
		for len(deeds) > 0 && deeds[0].at.Equal(now) {
			if err := deeds[0].do(); err != nil {
				return fmt.Errorf("at %s: %w", now, err)
			}
			deeds = deeds[1:]
		}
		var err error
		if next, err = g.Ledger.Due(g.Ctx, now); err != nil {
			return err
		}
	}
	return until(end.Add(-time.Minute))
}

// national is what the watch does about one alert.
func national(g *ground.Ground, id ward.AlertID, n notification) (deeds []deed) {
	current := func(do func(ward.Alert) error) func() error {
		return func() error {
			a, err := g.Board.Get(g.Ctx, ward.Everything(), id)
			if err == nil {
				err = do(a)
			}
			return err
		}
	}
	deeds = append(deeds, deed{n.issued, func() error {
		draft := ground.Alert()
		draft.Exercise, draft.Severity = false, n.severity
		a, err := g.Board.Draft(g.Ctx, ground.Ann, draft)
		if err == nil && a.ID != id {
			err = fmt.Errorf("%s is called %s", id, a.ID)
		}
		if err == nil {
			a, err = g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version)
		}
		if err != nil {
			return err
		}
		to := alerts.Audience{Respond: []ward.OrgID{}, Inform: n.informed}
		for _, a := range n.asked {
			to.Respond = append(to.Respond, a.org)
		}
		_, err = g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, to)
		return err
	}})
	if !n.revised.IsZero() {
		deeds = append(deeds, deed{n.revised, current(func(a ward.Alert) error {
			a.Steps = append(slices.Clone(a.Steps), ward.Step{Kind: ward.StepPatch, Text: "Update to 12.4.0.2 where 12.5 cannot be had."})
			r, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, a, alerts.Change{Material: true, Why: "there is another fix"})
			if err == nil {
				_, err = g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version)
			}
			return err
		})})
	}
	if !n.closed.IsZero() {
		deeds = append(deeds, deed{n.closed, current(func(a ward.Alert) error {
			_, err := g.Board.Close(g.Ctx, ground.Bea, a.ID, a.Version)
			return err
		})})
	}
	return deeds
}

// say lets an organisation say one thing of its script.
func say(g *ground.Ground, id ward.AlertID, org ward.OrgID, s said) error {
	r, err := g.Ledger.Get(g.Ctx, ward.Only(org), id, org)
	if err != nil {
		return err
	}
	words := map[verb]responses.Answer{
		acknowledges: {Acknowledge: true},
		applies:      {Applies: ward.Applies},
		appliesNot:   {Applies: ward.NotRunHere},
		reports:      {Progress: &ward.Progress{Affected: 2, Done: 1}},
		claims:       {Claim: true},
		closes:       {Close: &ward.Closing{}},
		controls: {Close: &ward.Closing{Outcome: ward.OutcomeControlled, Control: ward.Control{Kind: ward.Mitigated, What: "Its own network segment.",
			Owner: "Amara Quill", Evidence: "change 4711", Review: s.until}}},
	}
	if _, err = g.Ledger.Say(g.Ctx, ground.Person("Lead of "+string(org), ward.Lead, org), id, org, r.Version, words[s.verb]); err != nil {
		return fmt.Errorf("%s %s to %s, which reads %q: %w", org, s.verb, id, r.Reads(), err)
	}
	return nil
}

// told reads every word about a clock from the inboxes.
func told(g *ground.Ground, size Size) (all []word, err error) {
	for i := -1; i < size.Organisations; i++ {
		org := ward.OrgID("") // the desk
		if i >= 0 {
			org = orgID(i)
		}
		for after := ""; ; {
			page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), org, after, ward.MostPageSize)
			if err != nil {
				return nil, err
			}
			for _, n := range page.Items {
				if slices.Contains([]string{"response.reminder", "response.overdue", "response.escalated", "response.expiring"}, n.Kind) {
					all = append(all, word{org: n.Org, about: about(n), alert: n.Alert, kind: n.Kind, rung: n.Rung, at: n.Created})
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
	}
	return all, nil
}

// about is whose clock a notice speaks of: the desk reads it in the notice, everybody else knows.
func about(n ward.Notice) ward.OrgID {
	if n.Org != "" {
		return n.Org
	}
	_, rest, _ := strings.Cut(n.Subject, " of ")
	org, _, _ := strings.Cut(rest, " ")
	return ward.OrgID(org)
}

// compare counts what is on one side only.
func (r *Result) compare(ought, told []word) {
	count := map[word]int{}
	for _, w := range ought {
		w.at = w.at.UTC()
		count[w]++
	}
	for _, w := range told {
		w.at = w.at.UTC()
		count[w]--
	}
	var different []word
	for w, n := range count {
		r.Missed += max(0, n)
		r.Doubled += max(0, -n)
		if n != 0 {
			different = append(different, w)
		}
	}
	slices.SortFunc(different, func(a, b word) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.about, b.about), cmp.Compare(a.rung, b.rung))
	})
	for _, w := range different[:min(10, len(different))] {
		what := "missed"
		if count[w] < 0 {
			what = "not called for"
		}
		r.Examples = append(r.Examples, fmt.Sprintf("%s: %s to %q of %q about %s of %s at %s", what, w.kind, w.rung, w.org, w.alert, w.about, w.at.Format(time.DateTime)))
	}
}

// String is the year in a line.
func (r Result) String() string {
	return fmt.Sprintf("%d missed, %d doubled of %d reminders and escalations; %d answers, %d times something was said, in %.0f s", r.Missed, r.Doubled, r.Told, r.Answers, r.Said, r.Took.Seconds())
}
