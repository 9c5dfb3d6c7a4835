package responses

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// step is one word of the ladder: who is told what about a clock, and when. All clocks are elapsed time, in UTC, so that
// neither summer time nor a bank holiday moves one.
type step struct {
	at   time.Time
	due  time.Time
	what string // is due
	kind string
	tell ward.Rung
}

// The kinds of notice that a clock makes.
const (
	reminding  = "response.reminder"
	overdue    = "response.overdue"
	escalating = "response.escalated"
	expiring   = "response.expiring"
)

// expiry is when people are told that a control or an accepted risk is about to end.
var expiry = []ward.Reminder{{Before: 14 * 24 * time.Hour, Tell: ward.RungContact}, {Before: 3 * 24 * time.Hour, Tell: ward.RungLead}}

// clock is the next time that an answer is measured by: what is owed, else the end of what it closed as; zero when nothing.
func clock(r ward.Response) time.Time {
	switch r.State {
	case ward.ClosedAnswer:
		return r.Until
	case ward.Unanswered:
		return r.RespondBy
	}
	return r.NextDue
}

// The things that fall due.
const (
	acknowledgement = "the acknowledgement"
	update          = "the next update"
	remediation     = "the remediation"
	ending          = "ending"
)

// ladder is every word about the clocks of an answer, in no order.
func ladder(alert ward.Alert, r ward.Response) (steps []step) {
	due := clock(r)
	if r.State == ward.ClosedAnswer {
		for _, e := range expiry {
			if !due.IsZero() {
				steps = append(steps, step{due.Add(-e.Before), due, ending, expiring, e.Tell})
			}
		}
		return steps
	}
	policy := alert.Policy
	if alert.Exercise {
		policy = policy.ForExercise()
	}
	rungs := func(due time.Time, what string) {
		for _, p := range policy.Reminders {
			steps = append(steps, step{due.Add(-p.Before), due, what, reminding, p.Tell})
		}
		steps = append(steps, step{due, due, what, overdue, ward.RungContact})
		for _, e := range policy.Escalation {
			if e.After > 0 || e.Tell != ward.RungContact {
				steps = append(steps, step{due.Add(e.After), due, what, escalating, e.Tell})
			}
		}
	}
	switch {
	case due.IsZero():
	case r.State == ward.Unanswered:
		rungs(due, acknowledgement)
	default:
		rungs(due, update)
	}
	if r.Unfixed() && !r.RemediateBy.IsZero() {
		rungs(r.RemediateBy, remediation)
	}
	return steps
}

// soonest is the first of the steps for which holds says yes.
func soonest(steps []step, holds func(step) bool) (at time.Time) {
	for _, s := range steps {
		if holds(s) && (at.IsZero() || s.at.Before(at)) {
			at = s.at
		}
	}
	return at
}

// wind sets when the next word is due: of a clock that runs on, the first that was not said; of a new one, the first to come.
func (c *answering) wind() {
	running := ladder(c.alert, c.before)
	c.r.Remind = soonest(ladder(c.alert, c.r), func(s step) bool {
		if slices.Contains(running, s) {
			return !c.before.Remind.IsZero() && !s.at.Before(c.before.Remind)
		}
		return !s.at.Before(c.now)
	})
}

// remind says every word that is due by now: each rung once for each time that something falls due.
func (l *Ledger) remind(ctx context.Context, now time.Time) error {
	return l.wake(ctx, func(tx *store.Tx) ([]store.Woken, error) { return tx.ResponsesToRemind(ctx, now) }, func(c *answering) error {
		steps := ladder(c.alert, c.r)
		for _, s := range steps {
			switch {
			case s.at.After(now), s.at.Before(c.r.Remind):
			case s.at.Before(s.due) && !now.Before(s.due): // nobody looked in time, and the next words say more
			default:
				c.say(s)
			}
		}
		c.r.Remind = soonest(steps, func(s step) bool { return s.at.After(now) })
		c.r.EverOverdue = c.r.EverOverdue || late(c.r, now)
		if err := c.tx.RefreshResponse(ctx, c.r); err != nil {
			return err
		}
		return c.tell(ctx)
	})
}

// wake changes each answer that a query finds, in one transaction.
func (l *Ledger) wake(ctx context.Context, find func(*store.Tx) ([]store.Woken, error), do func(*answering) error) error {
	var found []store.Woken
	err := l.store.View(ctx, func(tx *store.Tx) (err error) {
		found, err = find(tx)
		return err
	})
	if err != nil || len(found) == 0 {
		return err
	}
	return l.store.Update(ctx, func(tx *store.Tx) (err error) {
		if found, err = find(tx); err != nil {
			return err
		}
		alerts := map[ward.AlertID]ward.Alert{}
		for _, w := range found {
			r, err := tx.Response(ctx, ward.Everything(), w.Alert, w.Org)
			if err != nil {
				return err
			}
			alert, known := alerts[w.Alert]
			if !known {
				if alert, err = tx.Alert(ctx, ward.Everything(), w.Alert); err != nil {
					return err
				}
				alerts[w.Alert] = alert
			}
			if err := do(l.take(tx, product, alert, r)); err != nil {
				return fmt.Errorf("answer of %s to %s: %w", w.Org, w.Alert, err)
			}
		}
		return nil
	})
}

// say puts one word of the ladder into the outbox.
func (c *answering) say(s step) {
	id, org, due := c.alert.ID, c.r.Org, act.When(s.due)
	n := ward.Notice{Org: org, Kind: s.kind, Rung: s.tell,
		Key: fmt.Sprintf("%s:%s:%s:%s:%d:%d:%s", s.kind, id, org, strings.TrimPrefix(s.what, "the "), s.due.UnixMicro(), int64(s.at.Sub(s.due)/time.Second), s.tell)}
	switch s.kind {
	case reminding:
		n.Subject, n.Body = fmt.Sprintf("%s: %s is due at %s", id, s.what, due), "Please answer on the alert's page."
	case overdue:
		n.Subject, n.Body = fmt.Sprintf("%s: %s was due at %s", id, s.what, due), "Please answer on the alert's page."
		desk := n
		desk.Org, desk.Key, desk.Body, desk.Rung = "", n.Key+":desk", "", ""
		desk.Subject = fmt.Sprintf("%s: %s of %s was due at %s", id, s.what, org, due)
		c.post(desk)
	case escalating:
		n.Subject = fmt.Sprintf("%s: %s of %s was due at %s and has not come", id, s.what, org, due)
		n.Body = "You are told because the people before you have not answered. The alert's page says what is owed."
		if s.tell == ward.RungDutyOfficer {
			n.Org = ""
		}
	case expiring:
		what := map[ward.Outcome]string{ward.OutcomeControlled: "the control", ward.OutcomeAccepted: "the accepted risk", ward.OutcomeResidual: "the time for what was left"}[c.r.Outcome]
		n.Subject = fmt.Sprintf("%s: %s ends at %s", id, what, due)
		n.Body = "The answer opens again then, unless you renew it on the alert's page."
	}
	c.post(n)
}

// ends takes up every closed answer whose date has passed.
func (l *Ledger) ends(ctx context.Context, now time.Time) error {
	return l.wake(ctx, func(tx *store.Tx) ([]store.Woken, error) { return tx.ResponsesEnding(ctx, now) }, func(c *answering) error {
		if c.r.State == ward.ClosedAnswer && !c.r.Until.IsZero() && !now.Before(c.r.Until) {
			if err := c.ended(ctx); err != nil {
				return err
			}
		}
		if err := c.prove(ctx); err != nil {
			return err
		}
		return c.refresh(ctx, c.before)
	})
}

// ended opens an answer again whose control, acceptance or time for residual assets is over.
func (c *answering) ended(ctx context.Context) error {
	id := c.alert.ID
	why := map[ward.Outcome]string{ward.OutcomeControlled: "the control's review date has passed", ward.OutcomeAccepted: "the risk was accepted until now"}[c.r.Outcome]
	if c.r.Outcome == ward.OutcomeResidual {
		var names []string
		var left []ward.Residual
		for _, r := range c.r.Residual {
			if r.Until.After(c.now) {
				left = append(left, r)
			} else {
				names = append(names, r.Name)
			}
		}
		c.r.Residual, c.r.Until = left, soonestOf(left)
		if err := c.prove(ctx); err != nil {
			return err
		}
		if c.r.State != ward.ClosedAnswer {
			return nil // the evidence has opened it already
		}
		if c.r.Proof.Result == ward.Confirmed {
			c.note(Closed, fmt.Sprintf("what was left is fixed: %s", act.Names(names)))
			if len(left) == 0 {
				c.r.Outcome = ward.OutcomeFixed
			}
			return nil
		}
		why = "the time for what was left has passed: " + act.Names(names)
	}
	c.reopen(why)
	c.notify(c.r.Org, "response.reopened", fmt.Sprintf("%s: your answer is open again", id), "Its date has passed. Say on the alert's page what holds now.")
	return nil
}

// soonestOf is the first date among residual assets; zero when there are none.
func soonestOf(all []ward.Residual) (at time.Time) {
	for _, r := range all {
		if at.IsZero() || r.Until.Before(at) {
			at = r.Until
		}
	}
	return at
}
