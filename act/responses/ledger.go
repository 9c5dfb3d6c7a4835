// Package responses is the ledger of answers: what each organisation said to each alert, when the next word is due, and
// what evidence makes of it. Acknowledgements, answers, claims, disputes and rulings come in; responses with their proof,
// overdue lists and the overview go out. It never lets a claim close that newer evidence contradicts, never calls
// anything proven, and shows no organisation the answer of another.
package responses

import (
	"context"
	"fmt"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Prover shows what was seen on an organisation's assets: for each asset the newest sighting by each source.
type Prover interface {
	Evidence(ctx context.Context, tx *store.Tx, org ward.OrgID, about ward.About, since time.Time) ([]ward.Seen, error)
}

// Standings says what is known of organisations about a product and its weaknesses.
type Standings interface {
	Standing(ctx context.Context, scope ward.Scope, about ward.About, orgs []ward.OrgID) ([]ward.Standing, error)
}

// Judge makes a ruling part of what the match believes, and takes it back.
type Judge interface {
	Rule(ctx context.Context, tx *store.Tx, ruling ward.Ruling) error
	Unrule(ctx context.Context, tx *store.Tx, ruling ward.Ruling) error
}

// Notices keeps what organisations and the national desk are told.
type Notices interface {
	Add(ctx context.Context, tx *store.Tx, n ward.Notice) error
}

// Ledger keeps the answers.
type Ledger struct {
	store     *store.Store
	clock     ward.Clock
	prover    Prover
	standings Standings
	judge     Judge
	notices   Notices
}

// New returns the ledger with its neighbours.
func New(s *store.Store, clock ward.Clock, prover Prover, standings Standings, judge Judge, notices Notices) *Ledger {
	return &Ledger{store: s, clock: clock, prover: prover, standings: standings, judge: judge, notices: notices}
}

// The entries of a response's history.
const (
	Acknowledged  = "acknowledged"
	Applicability = "applicability"
	Claimed       = "claimed"
	Disputed      = "disputed"
	Ruled         = "ruled"
	Proved        = "proof"
	Closed        = "closed"
	Reopened      = "reopened"
)

// How a response can be closed.
const (
	ClosedConfirmed    = "closed, confirmed"
	ClosedNotConfirmed = "closed, not confirmed"
	ClosedNotApplying  = "not applicable"
)

// mostWords bounds what a person writes in one answer, in characters.
const mostWords = 10_000

// aboutAlert is what an alert asks of the match.
func aboutAlert(a ward.Alert) ward.About {
	return ward.About{CVEs: a.CVEs, Vendor: a.Vendor, Product: a.Product, Classes: a.Classes}
}

// Open makes the response of every organisation to a published alert, in the transaction that publishes it.
func (l *Ledger) Open(ctx context.Context, tx *store.Tx, alert ward.Alert, standings []ward.Standing) error {
	for _, s := range standings {
		if err := tx.SaveResponse(ctx, ward.Response{
			Alert: alert.ID, Org: s.Org, Version: 1, State: ward.Unanswered, Standing: s, Current: s,
			RespondBy: alert.Issued.Add(alert.AcknowledgeWithin), UpdatedBy: alert.Approver, Updated: alert.Issued,
		}); err != nil {
			return err
		}
	}
	return nil
}

// Get reads one organisation's answer to one alert.
func (l *Ledger) Get(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) (r ward.Response, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		r, err = tx.Response(ctx, scope, alert, org)
		return err
	})
	return l.dated(r), err
}

// dated works out what depends on now.
func (l *Ledger) dated(r ward.Response) ward.Response {
	r.Overdue = late(r, l.clock.Now())
	r.EverOverdue = r.EverOverdue || r.Overdue
	return r
}

func (l *Ledger) list(ctx context.Context, read func(tx *store.Tx) ([]ward.Response, error)) (all []ward.Response, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err = read(tx)
		return err
	})
	for i := range all {
		all[i] = l.dated(all[i])
	}
	return all, err
}

// ForAlert lists the answers to an alert by organisation.
func (l *Ledger) ForAlert(ctx context.Context, scope ward.Scope, alert ward.AlertID) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesTo(ctx, scope, alert) })
}

// ForOrganisation lists every answer of an organisation, newest alert first.
func (l *Ledger) ForOrganisation(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesOf(ctx, scope, org) })
}

// Owed lists an organisation's answers that are not closed, the soonest due first; for an empty org those of the whole scope.
func (l *Ledger) Owed(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesOwed(ctx, scope, org) })
}

// OrgOwed is how many answers an organisation owes, and how many of them are late.
type OrgOwed = store.OrgOwed

// OwedByOrg counts what Owed lists for the whole scope, by organisation; one that owes nothing is left out.
func (l *Ledger) OwedByOrg(ctx context.Context, scope ward.Scope) (all []OrgOwed, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.OwedByOrg(ctx, scope, l.clock.Now())
		return err
	})
	return all, err
}

// Overdue lists the answers that are late now, the longest overdue first.
func (l *Ledger) Overdue(ctx context.Context, scope ward.Scope) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesLate(ctx, scope, l.clock.Now()) })
}

// Disputes lists the answers that wait for the national desk's ruling.
func (l *Ledger) Disputes(ctx context.Context, scope ward.Scope) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesProved(ctx, scope, ward.Disputed) })
}

// History is what happened to a response, oldest first.
func (l *Ledger) History(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) (entries []ward.Entry, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Response(ctx, scope, alert, org); err != nil {
			return err
		}
		entries, err = tx.Entries(ctx, scope, alert, org)
		return err
	})
	return entries, err
}

// Acknowledge says that the organisation has taken the alert up. The first acknowledgement sets the clock of the next update.
func (l *Ledger) Acknowledge(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int) (ward.Response, error) {
	return l.change(ctx, who, key{alert, org, version}, "acknowledge", "acknowledged", func(c *answering) error {
		if !c.r.AcknowledgedAt.IsZero() {
			return fmt.Errorf("acknowledged by %s at %s: %w", c.r.AcknowledgedBy, act.When(c.r.AcknowledgedAt), ward.ErrState)
		}
		c.acknowledge()
		return nil
	})
}

// Answer says whether the alert applies.
func (l *Ledger) Answer(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, applies ward.Applicability, words string) (ward.Response, error) {
	return l.change(ctx, who, key{alert, org, version}, "answer", fmt.Sprintf("applies: %s. %s", applies, words), func(c *answering) error {
		switch applies {
		case ward.Applies, ward.AppliesPart, ward.AppliesNot, ward.AppliesHost, ward.NotRunHere:
		default:
			return &ward.Invalid{Field: "applicability", Problem: fmt.Sprintf("%q is not an answer", applies), Hint: "one of yes, partly, no, hosted, not_run"}
		}
		if c.r.State == ward.ClosedAnswer {
			c.reopen("answered again")
		}
		if denies(applies) && !c.r.ClaimedFixedAt.IsZero() {
			c.r.ClaimedFixedAt = time.Time{}
			c.r.State = ward.InProgress
		}
		c.r.Applicability = applies
		return c.spoken(Applicability, words, string(applies))
	})
}

// Claim says that the organisation is fixed since fixedAt (zero: now). Evidence observed after that time is held against it.
func (l *Ledger) Claim(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, fixedAt time.Time, words string) (ward.Response, error) {
	now := l.clock.Now()
	if fixedAt.IsZero() {
		fixedAt = now
	}
	fixedAt = fixedAt.UTC().Truncate(time.Microsecond)
	return l.change(ctx, who, key{alert, org, version}, "claim", fmt.Sprintf("fixed since %s. %s", act.When(fixedAt), words), func(c *answering) error {
		if fixedAt.After(now) {
			return &ward.Invalid{Field: "fixed_at", Problem: "lies in the future", Hint: "give the time from which it is fixed, " + act.When(now) + " at the latest"}
		}
		if c.r.State == ward.ClosedAnswer {
			c.reopen("claimed again")
		}
		c.r.ClaimedFixedAt = fixedAt
		c.r.Proof = ward.Proof{} // a new claim is a new question
		c.r.State = ward.Remediated
		if denies(c.r.Applicability) {
			c.r.Applicability = ward.Applies
		}
		return c.spoken(Claimed, words, "fixed since "+act.When(fixedAt))
	})
}

// Dispute contests the match, with the reason and the evidence in words. The national desk decides. Empty words take the
// dispute back.
func (l *Ledger) Dispute(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, words string) (ward.Response, error) {
	return l.change(ctx, who, key{alert, org, version}, "dispute", "contested: "+words, func(c *answering) error {
		if c.r.State == ward.ClosedAnswer {
			return fmt.Errorf("the response is closed: %w", ward.ErrState)
		}
		if err := c.spoken(Disputed, words, ""); err != nil {
			return err
		}
		c.r.Dispute = c.words
		return nil
	})
}

// Close ends the answer. It is refused while newer evidence contradicts the claim, with the names of the assets.
func (l *Ledger) Close(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, words string) (ward.Response, error) {
	return l.change(ctx, who, key{alert, org, version}, "close", "closed. "+words, func(c *answering) error {
		if c.r.State == ward.ClosedAnswer {
			return fmt.Errorf("%s at %s: %w", c.r.ClosedAs, act.When(c.r.ClosedAt), ward.ErrState)
		}
		if err := c.prove(ctx); err != nil {
			return err
		}
		as, err := closing(c.r)
		if err != nil {
			return err
		}
		if err := c.spoken(Closed, words, as); err != nil {
			return err
		}
		c.r.State, c.r.ClosedAt, c.r.ClosedAs, c.r.NextDue = ward.ClosedAnswer, c.now, as, time.Time{}
		return nil
	})
}

// closing says as what a response can close, or why it cannot.
func closing(r ward.Response) (string, error) {
	denied := denies(r.Applicability)
	switch {
	case r.Proof.Result == ward.Contradicted:
		return "", fmt.Errorf("evidence contradicts it: %s; fix these assets, or contest the match: %w", r.Proof.Why, ward.ErrState)
	case denied && r.Proof.Result == ward.Disputed:
		return "", fmt.Errorf("%s; the national desk decides first, or claim a fix: %w", r.Proof.Why, ward.ErrState)
	case denied:
		return ClosedNotApplying, nil
	case r.ClaimedFixedAt.IsZero() && r.Applicability != ward.AppliesHost:
		return "", fmt.Errorf("nothing was answered yet: say since when it is fixed, or that it does not apply: %w", ward.ErrState)
	case r.Proof.Result == ward.Confirmed:
		return ClosedConfirmed, nil
	}
	return ClosedNotConfirmed, nil
}

// denies reports whether an organisation's answer is that it has nothing to fix.
func denies(a ward.Applicability) bool { return a == ward.AppliesNot || a == ward.NotRunHere }

// late reports whether an answer owes something at now. Clocks are elapsed hours: summer time does not move them.
func late(r ward.Response, now time.Time) bool {
	due := r.NextDue
	if r.State == ward.Unanswered {
		due = r.RespondBy
	}
	return r.State != ward.ClosedAnswer && !r.Lapsed && !due.IsZero() && !now.Before(due)
}
