package responses

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// rest puts an answer back to how it was closed before an update of the alert asked again: acknowledging without another word
// says that it still holds. What evidence contradicts by now, or what has not been checked, stays open.
func (c *answering) rest(ctx context.Context) error {
	was := c.r.Rest
	c.r.Rest = ward.Rest{}
	if was.At.IsZero() {
		return nil
	}
	if waits, err := c.waits(ctx, c.r.Outcome); err != nil || waits {
		return err
	}
	if c.r.Outcome != ward.OutcomeControlled && c.r.Outcome != ward.OutcomeAccepted {
		as, err := closing(c.r)
		if err != nil {
			return nil //nolint:nilerr // it stays open, and the page says why
		}
		was.As = as
	}
	c.r.State, c.r.ClosedAt, c.r.ClosedAs, c.r.NextDue = ward.ClosedAnswer, was.At, was.As, time.Time{}
	c.note(Closed, "still "+c.r.Reads())
	return nil
}

// Reopen asks every organisation to acknowledge again, in the transaction that issues a material update. What was said before
// stands: whoever acknowledges and says no more returns to it.
func (l *Ledger) Reopen(ctx context.Context, tx *store.Tx, alert ward.Alert) error {
	return l.each(ctx, tx, alert, func(c *answering) error {
		if c.r.MovedTo != "" {
			return nil
		}
		if c.r.State == ward.ClosedAnswer {
			c.r.Rest = ward.Rest{At: c.r.ClosedAt, As: c.r.ClosedAs}
		}
		c.r.EverOverdue = c.r.EverOverdue || late(c.r, c.now)
		c.r.State, c.r.AcknowledgedAt, c.r.AcknowledgedBy = ward.Unanswered, time.Time{}, ""
		c.r.ClosedAt, c.r.ClosedAs, c.r.NextDue = time.Time{}, "", time.Time{}
		c.r.RespondBy = c.now.Add(alert.AcknowledgeWithin)
		if !alert.RemediateBy.IsZero() {
			c.r.RemediateBy = alert.RemediateBy
		}
		why := "the alert was updated"
		if alert.Change.Why != "" {
			why += ": " + alert.Change.Why
		}
		c.note(Asked, why)
		if err := c.require(ctx); err != nil {
			return err
		}
		if err := tx.Mark(ctx, store.ForProof, c.now, string(c.r.Org)); err != nil {
			return err
		}
		return c.save(ctx, c.who)
	})
}

// Lapse ends what is still owed to an alert that is withdrawn or superseded, in the transaction that ends it. The alert says
// why, and which one takes its place.
func (l *Ledger) Lapse(ctx context.Context, tx *store.Tx, alert ward.Alert) error {
	why, to := alert.EndWhy, alert.SupersededBy
	return l.each(ctx, tx, alert, func(c *answering) error {
		c.r.EverOverdue = c.r.EverOverdue || late(c.r, c.now)
		c.r.LapsedWhy, c.r.LapsedTo, c.r.Remind = why, to, time.Time{}
		if c.r.State != ward.ClosedAnswer {
			words := why
			if to != "" {
				words += "; answer " + string(to) + " instead"
			}
			c.note(Lapsed, words)
		}
		c.r.Version++
		c.r.UpdatedBy, c.r.Updated = c.who, c.now
		if err := tx.SaveResponse(ctx, c.r); err != nil {
			return err
		}
		return c.tell(ctx)
	})
}

// each changes every answer to an alert.
func (l *Ledger) each(ctx context.Context, tx *store.Tx, alert ward.Alert, do func(*answering) error) error {
	all, err := tx.ResponsesTo(ctx, ward.Everything(), alert.ID)
	if err != nil {
		return err
	}
	for _, r := range all {
		c := l.take(tx, product, alert, r)
		c.r.Lapsed = false // as it stood until now
		if err := do(c); err != nil {
			return fmt.Errorf("answer of %s to %s: %w", r.Org, alert.ID, err)
		}
	}
	return nil
}

// follow gives the open answers of organisations that have closed to their successors. From the operational date, when the
// relation begins, a successor's people see the answers and give them; on the legal date, when the organisation closes, the
// answers become the successor's own, once both have passed.
func (l *Ledger) follow(ctx context.Context, now time.Time) error {
	var found []store.Succession
	find := func(tx *store.Tx) (err error) {
		found, err = tx.Successions(ctx, now)
		return err
	}
	if err := l.store.View(ctx, find); err != nil || len(found) == 0 {
		return err
	}
	return l.store.Update(ctx, func(tx *store.Tx) error {
		if err := find(tx); err != nil {
			return err
		}
		for i, s := range found {
			last := i+1 == len(found) || found[i+1].Woken != s.Woken // of the successors of one answer
			if err := l.hand(ctx, tx, s, last); err != nil {
				return fmt.Errorf("answer of %s to %s for %s: %w", s.Org, s.Alert, s.To, err)
			}
		}
		return nil
	})
}

// hand gives one answer to one successor, and ends it for its organisation after the last.
func (l *Ledger) hand(ctx context.Context, tx *store.Tx, s store.Succession, last bool) error {
	r, err := tx.Response(ctx, ward.Everything(), s.Alert, s.Org)
	if err != nil {
		return err
	}
	old, err := l.begin(ctx, tx, product, r)
	if err != nil {
		return err
	}
	if err := l.inherit(ctx, tx, old.alert, r, s.To); err != nil {
		return err
	}
	if err := tx.Mark(ctx, store.ForProof, old.now, string(s.To)); err != nil {
		return err
	}
	if !last {
		return nil
	}
	old.r.State, old.r.ClosedAt, old.r.ClosedAs, old.r.MovedTo = ward.ClosedAnswer, old.now, store.MovedAway, s.To
	old.r.NextDue, old.r.Until, old.r.Recurrence, old.r.Check = time.Time{}, time.Time{}, ward.Recurrence{}, ward.Check{}
	old.note(Moved, fmt.Sprintf("%s has taken it over", s.To))
	return old.save(ctx, product)
}

// inherit makes the successor's answer from the one that it takes over, or adds the one that it takes over to its own.
func (l *Ledger) inherit(ctx context.Context, tx *store.Tx, alert ward.Alert, from ward.Response, to ward.OrgID) error {
	own, err := tx.Response(ctx, ward.Everything(), alert.ID, to)
	asked := err == nil
	c := l.take(tx, product, alert, own)
	if !asked {
		c.before = ward.Response{}
		c.r = from
		c.r.Org, c.r.Version, c.r.From = to, 0, nil
	}
	c.r.From = append(append(slices.Clone(c.r.From), from.Org), from.From...)
	c.r.Standing.Org, c.r.Current.Org = to, to
	if err := tx.CopyAnswer(ctx, alert.ID, from.Org, to); err != nil {
		return err
	}
	c.note(Moved, fmt.Sprintf("taken over from %s, whose answer read: %s", from.Org, from.Reads()))
	if asked {
		c.r.Check.Required = c.r.Check.Required || from.Check.Required
		if c.r.Check.Why == "" {
			c.r.Check.Why = from.Check.Why
		}
		c.r.EverOverdue = c.r.EverOverdue || from.EverOverdue
		if c.r.State == ward.ClosedAnswer && from.State != ward.ClosedAnswer {
			c.reopen(fmt.Sprintf("the answer of %s was not closed", from.Org))
		}
	}
	c.notify(to, "response.inherited", fmt.Sprintf("%s: you have taken over the answer of %s", alert.ID, from.Org), "Its history is on the alert's page. What was owed is now owed by you.")
	return c.save(ctx, product)
}
