package responses

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// How long a control, an accepted risk or a residual asset may last before somebody looks again, and how many assets can be
// listed as left.
const (
	longest  = 366 * 24 * time.Hour
	mostLeft = 5_000
)

// errCompromised holds an answer open, whatever it would close as: no control and no accepted risk undoes what happened.
var errCompromised = fmt.Errorf("evidence of a compromise was found: the national desk settles it first: %w", ward.ErrState)

// close ends an answer as its organisation wants, if evidence and the compromise check let it.
func (c *answering) close(ctx context.Context, how ward.Closing, words string) error {
	if c.r.State == ward.ClosedAnswer && (how.Outcome == "" || how.Outcome == c.r.Outcome && !lasting(how.Outcome)) {
		return fmt.Errorf("%s at %s: %w", c.r.Reads(), act.When(c.r.ClosedAt), ward.ErrState)
	}
	if c.r.Check.Found() {
		return errCompromised
	}
	outcome, err := c.outcome(how)
	if err != nil {
		return err
	}
	if c.r.State == ward.ClosedAnswer {
		c.reopen("answered again")
	}
	var as, fact string
	switch outcome {
	case ward.OutcomeControlled:
		as = ClosedControlled
		fact, err = c.control(how.Control)
	case ward.OutcomeAccepted:
		as = ClosedAccepted
		fact, err = c.accept(how.Acceptance)
	case ward.OutcomeResidual:
		err = c.leave(ctx, how)
	case ward.OutcomeFixed:
		if err = c.fixed(how.FixedAt); err == nil && how.Outcome == ward.OutcomeFixed && c.r.ClaimedFixedAt.IsZero() {
			err = &ward.Invalid{Field: "fixed_at", Problem: "is not known", Hint: "say since when it is fixed"}
		}
	case ward.OutcomeNotApplicable:
		if !denies(c.r.Applicability) {
			c.unclaim()
			c.r.Applicability = ward.AppliesNot
		}
	}
	if err != nil {
		return err
	}
	if err := c.prove(ctx); err != nil {
		return err
	}
	if as == "" {
		if as, err = closing(c.r); err != nil {
			return err
		}
	}
	waits, err := c.waits(ctx, outcome)
	if err != nil {
		return err
	}
	if waits {
		c.r.Outcome = outcome
		return c.spoken(NotChecked, words, joined("; ", fact, c.r.NotChecked()))
	}
	if err := c.spoken(Closed, words, cmp.Or(fact, as)); err != nil {
		return err
	}
	c.closed(as, outcome)
	return nil
}

// waits reports whether an answer that would close as outcome has to wait for its compromise check: no fix, no control and no
// accepted risk undoes what may have happened before it. What another organisation runs is checked by that organisation; what
// does not apply waits only where our evidence shows an asset that could be reached while the weakness was exploited.
func (c *answering) waits(ctx context.Context, outcome ward.Outcome) (bool, error) {
	switch {
	case !c.r.Check.Owed() || outcome == "" || outcome == ward.OutcomeHosted:
		return false, nil
	case outcome == ward.OutcomeNotApplicable:
		all, err := c.reachedAssets(ctx)
		if err != nil || len(all) == 0 {
			return false, err
		}
		_, evidence, err := c.evidence(ctx)
		return slices.ContainsFunc(all, func(a store.Reached) bool { return !cleared(evidence, a.Asset) }), err
	}
	return true, nil
}

// cleared reports whether a ruling says that what an asset runs is not affected, whatever its record says.
func cleared(evidence []ward.Seen, id ward.AssetID) bool {
	return slices.ContainsFunc(evidence, func(s ward.Seen) bool {
		return s.Asset == id && s.Basis == ward.ByRuling && (s.Status == ward.Fixed || s.Status == ward.NotAffected)
	})
}

func joined(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), separator)
}

// closed writes that an answer is closed.
func (c *answering) closed(as string, outcome ward.Outcome) {
	c.r.State, c.r.ClosedAt, c.r.ClosedAs, c.r.Outcome, c.r.NextDue, c.r.Rest = ward.ClosedAnswer, c.now, as, outcome, time.Time{}, ward.Rest{}
	switch outcome {
	case ward.OutcomeControlled:
		c.r.Until = c.r.Control.Review
	case ward.OutcomeAccepted:
		c.r.Until = c.r.Acceptance.Until
	case ward.OutcomeResidual:
		c.r.Until = soonestOf(c.r.Residual)
	default:
		c.r.Until = time.Time{}
	}
}

// lasting reports whether an outcome can be renewed before its date.
func lasting(o ward.Outcome) bool {
	return o == ward.OutcomeControlled || o == ward.OutcomeAccepted || o == ward.OutcomeResidual
}

// outcome is what an answer closes as when its organisation did not say.
func (c *answering) outcome(how ward.Closing) (ward.Outcome, error) {
	known := []ward.Outcome{ward.OutcomeFixed, ward.OutcomeResidual, ward.OutcomeControlled, ward.OutcomeAccepted, ward.OutcomeNotApplicable, ward.OutcomeHosted}
	switch {
	case how.Outcome == ward.OutcomeHosted && c.r.Applicability != ward.AppliesHost:
		return "", &ward.Invalid{Field: "outcome", Problem: "nobody was said to host it", Hint: "answer first that it is hosted, and by whom"}
	case slices.Contains(known, how.Outcome):
		return how.Outcome, nil
	case how.Outcome != "":
		return "", &ward.Invalid{Field: "outcome", Problem: fmt.Sprintf("%q is not an outcome", how.Outcome), Hint: "one of fixed, fixed_with_residual, controlled, accepted, not_applicable, hosted"}
	case denies(c.r.Applicability):
		return ward.OutcomeNotApplicable, nil
	case c.r.ClaimedFixedAt.IsZero() && c.r.Applicability == ward.AppliesHost:
		return ward.OutcomeHosted, nil
	}
	return ward.OutcomeFixed, nil
}

// fixed claims a fix, where one was not claimed before or another time is given.
func (c *answering) fixed(at time.Time) error {
	if at.IsZero() || at.UTC().Truncate(time.Microsecond).Equal(c.r.ClaimedFixedAt) {
		c.r.Residual = nil
		return nil
	}
	return c.claim(at.UTC().Truncate(time.Microsecond), "")
}

// leave claims a fix for all but the listed assets.
func (c *answering) leave(ctx context.Context, how ward.Closing) error {
	switch n := len(how.Residual); {
	case n == 0:
		return &ward.Invalid{Field: "residual", Problem: "is empty", Hint: "list each asset that is left, with the reason and a date, or close as fixed"}
	case n > mostLeft:
		return &ward.Invalid{Field: "residual", Problem: fmt.Sprintf("lists %d assets", n), Hint: fmt.Sprintf("%d at most; an alert that is not done is better left open", mostLeft)}
	}
	if err := c.fixed(how.FixedAt); err != nil {
		return err
	}
	if c.r.ClaimedFixedAt.IsZero() {
		return &ward.Invalid{Field: "fixed_at", Problem: "is not known", Hint: "say since when the others are fixed"}
	}
	left := slices.Clone(how.Residual)
	for i := range left {
		r, field := &left[i], fmt.Sprintf("residual[%d].", i)
		var err error
		if r.Name, err = needed(field+"name", r.Name, "the asset's name"); err != nil {
			return err
		}
		if r.Reason, err = needed(field+"reason", r.Reason, "why it is not fixed yet"); err != nil {
			return err
		}
		if r.Until, err = c.until(field+"until", r.Until); err != nil {
			return err
		}
		if err := c.lists(ctx, field+"asset", r.Asset); err != nil {
			return err
		}
	}
	c.r.Residual = left
	return nil
}

// lists checks that an asset is in the organisation's own estate, or in one whose answer it took over; 0 names none.
func (c *answering) lists(ctx context.Context, field string, id ward.AssetID) error {
	if id == 0 {
		return nil
	}
	_, err := c.tx.Asset(ctx, ward.Only(append([]ward.OrgID{c.r.Org}, c.r.From...)...), id)
	if errors.Is(err, ward.ErrNotFound) {
		return &ward.Invalid{Field: field, Problem: fmt.Sprintf("%d is not in the estate", id), Hint: "leave it out, and give the asset's name alone"}
	}
	return err
}

// until checks a date at which an answer opens again.
func (c *answering) until(field string, at time.Time) (time.Time, error) {
	at = at.UTC().Truncate(time.Microsecond)
	if !at.After(c.now) || at.After(c.now.Add(longest)) {
		return at, &ward.Invalid{Field: field, Problem: "is not a date to look again", Hint: "from now until a year from now; it can be renewed"}
	}
	return at, nil
}

// control keeps what stands in for the fix until its review date, and says it in words.
func (c *answering) control(k ward.Control) (fact string, err error) {
	if !slices.Contains([]ward.ControlKind{ward.Mitigated, ward.Isolated, ward.AwaitingManufacturer}, k.Kind) {
		return "", &ward.Invalid{Field: "control.kind", Problem: fmt.Sprintf("%q is not a kind of control", k.Kind), Hint: "one of mitigated, isolated, awaiting_manufacturer"}
	}
	if k.What, err = needed("control.what", k.What, "what keeps the weakness from being used"); err != nil {
		return "", err
	}
	if k.Owner, err = needed("control.owner", k.Owner, "who looks after the control, by name"); err != nil {
		return "", err
	}
	if k.Evidence, err = needed("control.evidence", k.Evidence, "what shows that it works, such as a change number or a test"); err != nil {
		return "", err
	}
	if k.Review, err = c.until("control.review", k.Review); err != nil {
		return "", err
	}
	c.stays()
	c.r.Control = k
	return fmt.Sprintf("controlled until %s: %s, %s, looked after by %s (%s)", act.When(k.Review), map[ward.ControlKind]string{
		ward.Mitigated: "mitigated", ward.Isolated: "isolated", ward.AwaitingManufacturer: "awaiting the manufacturer's approval"}[k.Kind], k.What, k.Owner, k.Evidence), nil
}

// accept keeps that a named officer takes the risk until a date, and says it in words.
func (c *answering) accept(a ward.Acceptance) (fact string, err error) {
	if a.Officer, err = needed("acceptance.officer", a.Officer, "the senior information risk owner, by name"); err != nil {
		return "", err
	}
	if a.Reason, err = needed("acceptance.reason", a.Reason, "why the risk is taken"); err != nil {
		return "", err
	}
	if a.Until, err = c.until("acceptance.until", a.Until); err != nil {
		return "", err
	}
	c.stays()
	c.r.Acceptance = a
	return fmt.Sprintf("risk accepted until %s by %s: %s", act.When(a.Until), a.Officer, a.Reason), nil
}

// stays says that the weakness is still there: what was claimed or denied before does not hold.
func (c *answering) stays() {
	c.unclaim()
	c.r.Dispute = ""
	if denies(c.r.Applicability) || c.r.Applicability == "" {
		c.r.Applicability = ward.Applies
	}
}

// closing says as what a response can close, or why it cannot.
func closing(r ward.Response) (string, error) {
	denied := denies(r.Applicability)
	switch {
	case r.Check.Found():
		return "", errCompromised
	case r.Proof.Result == ward.Contradicted:
		return "", fmt.Errorf("evidence contradicts it: %s; fix these assets, or contest the match: %w", r.Proof.Why, ward.ErrState)
	case disclaims(r) && r.Proof.Result == ward.Disputed:
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
