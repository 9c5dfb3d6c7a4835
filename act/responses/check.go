package responses

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// require asks for a compromise check when the approver did, or when an exposed asset could be reached while exploitation
// was known. What was once required stays so: a fix does not undo what may have happened before it.
func (c *answering) require(ctx context.Context) error {
	if c.r.Check.Required {
		return nil
	}
	switch why, err := c.reached(ctx); {
	case err != nil:
		return err
	case why == "" && denies(c.r.Applicability) && c.r.Proof.Result == "":
		return nil
	case c.alert.CheckRequired:
		c.r.Check.Required, c.r.Check.Why = true, "the alert asks every organisation for one"
		if c.alert.CheckWhy != "" {
			c.r.Check.Why = c.alert.CheckWhy
		}
	case why != "":
		c.r.Check.Required, c.r.Check.Why = true, why
		c.note(CheckAsked, why)
	default:
		return nil
	}
	if c.r.State != ward.ClosedAnswer {
		return nil
	}
	if waits, err := c.waits(ctx, c.r.Outcome); err != nil || !waits {
		return err
	}
	closed := c.r
	c.reopen(closed.NotChecked() + ": " + c.r.Check.Why)
	c.r.Outcome, c.r.Control, c.r.Acceptance = closed.Outcome, closed.Control, closed.Acceptance
	c.notify(c.r.Org, "response.check", fmt.Sprintf("%s: look for signs of an intruder, then your answer closes", c.alert.ID),
		"What you answered stands. A system that could be reached while the weakness was used may have been entered before it.")
	return nil
}

// reached says which assets could be reached while exploitation was known, in words; empty when none.
func (c *answering) reached(ctx context.Context) (string, error) {
	all, err := c.reachedAssets(ctx)
	if err != nil || len(all) == 0 {
		return "", err
	}
	var names []string
	for _, a := range all {
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
	}
	return fmt.Sprintf("%s could be reached from outside while %s was known to be exploited (since %s)", act.Names(names), all[0].CVE, act.When(all[0].Exploited)), nil
}

// reachedAssets are the exposed assets that could be reached while exploitation was known. An asset that is still listed as
// affected counts from then on, unless the organisation says that it was fixed before.
func (c *answering) reachedAssets(ctx context.Context) ([]store.Reached, error) {
	orgs := append([]ward.OrgID{c.r.Org}, c.r.From...)
	all, err := c.tx.ReachedAssets(ctx, ward.Only(orgs...), orgs, c.alert.CVEs)
	return slices.DeleteFunc(all, func(a store.Reached) bool {
		switch {
		case a.Exploited.After(c.now):
			return true
		case !a.Seen.Before(a.Exploited):
			return false
		}
		return !a.Listed || !c.r.ClaimedFixedAt.IsZero() && c.r.ClaimedFixedAt.Before(a.Exploited)
	}), err
}

// sign keeps a person's signature under a compromise check.
func (c *answering) sign(s Signed) error {
	if !slices.Contains([]ward.CheckResult{ward.NoEvidence, ward.EvidenceFound, ward.CannotDetermine}, s.Result) {
		return &ward.Invalid{Field: "result", Problem: fmt.Sprintf("%q is not a result", s.Result), Hint: "one of no_evidence, evidence_found, cannot_determine"}
	}
	coverage, err := act.Clean("coverage", s.Coverage, mostWords)
	if err != nil {
		return err
	}
	if coverage == "" {
		return &ward.Invalid{Field: "coverage", Problem: "is empty", Hint: "say which logs were searched, from when, and which were not there"}
	}
	check := &c.r.Check
	check.Result, check.Coverage, check.SignedBy, check.At = s.Result, coverage, c.who, c.now
	if c.voice.call.Speaker != "" {
		check.SignedBy = c.voice.call.Speaker + ", " + c.who
	}
	check.Settled, check.SettleBy, check.SettleAt = "", "", time.Time{}
	id, org := c.alert.ID, c.r.Org
	switch s.Result {
	case ward.EvidenceFound:
		c.notify("", "response.compromise", fmt.Sprintf("%s: %s found evidence of a compromise", id, org), "The answer stays open until the national desk has settled it.")
	case ward.CannotDetermine:
		c.notify("", "response.undetermined", fmt.Sprintf("%s: %s cannot determine whether it was compromised", id, org), "The national desk takes it.")
	}
	return nil
}

// SettleCheck is the national desk's decision over a compromise check that found something or could not tell: how it was
// dealt with, in words. An answer that had asked to close closes then.
func (l *Ledger) SettleCheck(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, words string) (ward.Response, error) {
	if err := who.NeedFor(ward.MayRule, org); err != nil {
		return ward.Response{}, err
	}
	words, err := act.Clean("words", words, mostWords)
	switch {
	case err != nil:
		return ward.Response{}, err
	case words == "":
		return ward.Response{}, &ward.Invalid{Field: "words", Problem: "is empty", Hint: "say how it was settled: the organisation reads it"}
	}
	return l.decide(ctx, who, key{alert, org, version}, "settle_check", "settled: "+words, func(ctx context.Context, c *answering) error {
		if !c.r.Check.AtDesk() {
			return fmt.Errorf("no compromise check waits for the desk: %w", ward.ErrState)
		}
		c.r.Check.Settled, c.r.Check.SettleBy, c.r.Check.SettleAt = words, who.Name, c.now
		c.note(CheckSettled, words)
		c.notify(org, "response.settled", fmt.Sprintf("%s: the national desk settled your compromise check", alert), "Read its words on the alert's page.")
		if c.r.NextDue.IsZero() {
			c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
		}
		return c.finish(ctx)
	})
}

// finish closes an answer that had asked to close and waited for its check. A control or an acceptance whose date has passed
// meanwhile closes nothing.
func (c *answering) finish(ctx context.Context) error {
	if c.r.State == ward.ClosedAnswer || c.r.Check.Owed() || c.r.Outcome == "" {
		return nil
	}
	if err := c.prove(ctx); err != nil {
		return err
	}
	var as string
	switch until := c.r.Control.Review; c.r.Outcome {
	case ward.OutcomeAccepted:
		until = c.r.Acceptance.Until
		fallthrough
	case ward.OutcomeControlled:
		if !until.After(c.now) {
			c.changesItsMind()
			return nil
		}
		as = map[ward.Outcome]string{ward.OutcomeControlled: ClosedControlled, ward.OutcomeAccepted: ClosedAccepted}[c.r.Outcome]
	default:
		var err error
		if as, err = closing(c.r); err != nil {
			return nil //nolint:nilerr // it stays open, and the page says why
		}
	}
	c.closed(as, c.r.Outcome)
	c.note(Closed, as)
	return nil
}

// Unchecked lists the answers that owe a compromise check.
func (l *Ledger) Unchecked(ctx context.Context, scope ward.Scope) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesChecking(ctx, scope, "owed") })
}

// Undetermined lists the answers whose compromise check the national desk has to take.
func (l *Ledger) Undetermined(ctx context.Context, scope ward.Scope) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesChecking(ctx, scope, "desk") })
}
