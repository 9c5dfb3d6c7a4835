package responses

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/ward"
)

// Answer is what is said in one go, in the order of its fields. A part that is left zero is not said.
type Answer struct {
	Acknowledge bool
	Applies     ward.Applicability
	Host        ward.OrgID // for hosted: who runs it, when that is an organisation we know
	Progress    *ward.Progress
	Claim       bool
	FixedAt     time.Time // of the claim; zero: now
	Dispute     bool      // the words say why; no words take a dispute back
	Check       *Signed
	Close       *ward.Closing
	Words       string
}

// Signed is a person's signature under a compromise check.
type Signed struct {
	Result   ward.CheckResult
	Coverage string // which logs were searched, from when, and which were not there
}

// Only what says something about the organisation counts as its word; to acknowledge does not.
func (a Answer) speaks() bool {
	return a.Applies != "" || a.Progress != nil || a.Claim || a.Dispute || a.Check != nil || a.Close != nil
}

// verb names what is said, for the audit record: the last part.
func (a Answer) verb() string {
	switch {
	case a.Close != nil:
		return "close"
	case a.Check != nil:
		return "check"
	case a.Dispute:
		return "dispute"
	case a.Claim:
		return "claim"
	case a.Progress != nil:
		return "progress"
	case a.Applies != "":
		return "answer"
	}
	return "acknowledge"
}

// plain says an answer in words, for a conflict and a preview.
func (a Answer) plain() string {
	var parts []string
	if a.Acknowledge {
		parts = append(parts, "acknowledged")
	}
	if a.Applies != "" {
		parts = append(parts, "applies: "+string(a.Applies))
	}
	if p := a.Progress; p != nil {
		parts = append(parts, fmt.Sprintf("%d of %d done", p.Done, p.Affected))
	}
	if a.Claim {
		parts = append(parts, "fixed since "+act.When(a.FixedAt))
	}
	if a.Dispute {
		parts = append(parts, "contested")
	}
	if a.Check != nil {
		parts = append(parts, "compromise check: "+strings.ReplaceAll(string(a.Check.Result), "_", " "))
	}
	if a.Close != nil {
		parts = append(parts, "closed")
	}
	text := strings.Join(parts, ", ")
	if a.Words == "" {
		return text
	}
	return text + ". " + a.Words
}

// ready checks an answer before any transaction, and gives a claim its time.
func (l *Ledger) ready(a Answer) (Answer, error) {
	if !a.Acknowledge && !a.speaks() {
		return a, &ward.Invalid{Problem: "nothing was said", Hint: "acknowledge, or say whether it applies, how far you are, since when it is fixed, or as what it closes"}
	}
	if a.Claim {
		if a.FixedAt.IsZero() {
			a.FixedAt = l.clock.Now()
		}
		a.FixedAt = a.FixedAt.UTC().Truncate(time.Microsecond)
	}
	return a, nil
}

// Say lets an organisation's own person answer: all parts in one transaction, or none.
func (l *Ledger) Say(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, a Answer) (ward.Response, error) {
	a, err := l.ready(a)
	if err != nil {
		return ward.Response{}, err
	}
	return l.change(ctx, who, key{alert, org, version}, a.verb(), a.plain(), a.apply)
}

// ByTelephone records what an organisation said on the telephone: its speaker, and the number that was called back. The
// organisation is told, sees it as such everywhere, and overrules it by answering.
func (l *Ledger) ByTelephone(ctx context.Context, who ward.Actor, call ward.PhoneCall, alert ward.AlertID, org ward.OrgID, version int, a Answer) (ward.Response, error) {
	if err := who.NeedFor(ward.MayRecord, org); err != nil {
		return ward.Response{}, err
	}
	a, err := l.ready(a)
	if err != nil {
		return ward.Response{}, err
	}
	if call, err = l.called(call); err != nil {
		return ward.Response{}, err
	}
	call.By = who.Name
	return l.alone(ctx, voice{who: who, call: call}, key{alert, org, version}, a.verb(), a.plain(), a.apply)
}

// called checks a telephone call: a speaker, a number that can be called back, and a time that is not to come.
func (l *Ledger) called(call ward.PhoneCall) (ward.PhoneCall, error) {
	var err error
	if call.Speaker, err = needed("speaker", call.Speaker, "name and post of whom you spoke to"); err != nil {
		return call, err
	}
	if call.Number, err = needed("number", call.Number, "the number that you called back, from the contacts and not from the caller"); err != nil {
		return call, err
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, call.Number)
	if len(digits) < 3 || strings.Trim(call.Number, "0123456789 +()-.extEXT#") != "" {
		return call, &ward.Invalid{Field: "number", Problem: "is not a telephone number", Hint: "such as 01632 960123 ext 4"}
	}
	now := l.clock.Now()
	if call.At.IsZero() {
		call.At = now
	}
	if call.At = call.At.UTC().Truncate(time.Microsecond); call.At.After(now) {
		return call, &ward.Invalid{Field: "at", Problem: "lies in the future", Hint: "give the time of the call"}
	}
	return call, nil
}

// needed cleans one line of text that must be there.
func needed(field, text, hint string) (string, error) {
	const most = 1_000
	text, err := act.Line(field, text, most)
	if err == nil && text == "" {
		err = &ward.Invalid{Field: field, Problem: "is empty", Hint: hint}
	}
	return text, err
}

// apply says each part; the words belong to the last.
func (a Answer) apply(ctx context.Context, c *answering) error {
	if a.Acknowledge {
		if !c.r.AcknowledgedAt.IsZero() {
			return fmt.Errorf("acknowledged by %s at %s: %w", c.r.AcknowledgedBy, act.When(c.r.AcknowledgedAt), ward.ErrState)
		}
		c.acknowledge()
		if !a.speaks() {
			if err := c.rest(ctx); err != nil {
				return err
			}
		}
	}
	parts := []struct {
		verb string
		said bool
		say  func(words string) error
	}{
		{"answer", a.Applies != "", func(words string) error { return c.applies(ctx, a.Applies, a.Host, words) }},
		{"progress", a.Progress != nil, func(words string) error { return c.progress(*a.Progress, words) }},
		{"claim", a.Claim, func(words string) error { return c.claim(a.FixedAt, words) }},
		{"dispute", a.Dispute, c.dispute},
		{"check", a.Check != nil, func(words string) error { return c.check(ctx, *a.Check, words) }},
		{"close", a.Close != nil, func(words string) error { return c.close(ctx, *a.Close, words) }},
	}
	last := a.verb()
	for _, part := range parts {
		words := ""
		if part.verb == last || part.verb == "dispute" {
			words = a.Words
		}
		if part.said {
			if err := part.say(words); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *answering) applies(ctx context.Context, says ward.Applicability, host ward.OrgID, words string) error {
	if !slices.Contains([]ward.Applicability{ward.Applies, ward.AppliesPart, ward.AppliesNot, ward.AppliesHost, ward.NotRunHere}, says) {
		return &ward.Invalid{Field: "applicability", Problem: fmt.Sprintf("%q is not an answer", says), Hint: "one of yes, partly, no, hosted, not_run"}
	}
	if c.r.State == ward.ClosedAnswer {
		c.reopen("answered again")
	}
	if denies(says) && !c.r.ClaimedFixedAt.IsZero() {
		c.unclaim()
	}
	fact := string(says)
	if denies(says) {
		c.changesItsMind(ward.OutcomeNotApplicable)
	} else {
		c.changesItsMind(ward.OutcomeFixed, ward.OutcomeResidual, ward.OutcomeControlled, ward.OutcomeAccepted)
	}
	c.r.Applicability, c.r.Host = says, ""
	if says == ward.AppliesHost && host != "" {
		if host == c.r.Org {
			return &ward.Invalid{Field: "host", Problem: "is the organisation itself", Hint: "name who runs it for you, or answer yes"}
		}
		switch _, err := c.tx.Organisation(ctx, ward.Everything(), host); { // codes are public: to know one reads nobody's data
		case errors.Is(err, ward.ErrNotFound):
			return &ward.Invalid{Field: "host", Problem: "is not in the register", Hint: "give the code of an organisation that is, or leave it out and name the host in your words"}
		case err != nil:
			return err
		}
		c.r.Host = host
		fact += " by " + string(host)
	}
	return c.spoken(Applicability, words, fact)
}

func (c *answering) progress(p ward.Progress, words string) (err error) {
	if p.Affected < 0 || p.Done < 0 || p.Done > p.Affected {
		return &ward.Invalid{Field: "done", Problem: fmt.Sprintf("%d of %d cannot be", p.Done, p.Affected), Hint: "count the affected systems, and of them those that are done"}
	}
	if p.Blocker, err = act.Clean("blocker", p.Blocker, mostWords); err != nil {
		return err
	}
	if p.Help, err = act.Clean("help", p.Help, mostWords); err != nil {
		return err
	}
	latest := c.now.Add(2 * c.alert.UpdateEvery)
	if !p.NextDue.IsZero() && (!p.NextDue.After(c.now) || p.NextDue.After(latest)) {
		return &ward.Invalid{Field: "next_due", Problem: "is not a date of the next update", Hint: "between now and " + act.When(latest) + ": twice the alert's time at most"}
	}
	if c.r.State == ward.ClosedAnswer {
		c.reopen("an update came")
	}
	helped := c.r.Progress.Help
	p.At, p.By = c.now, c.who
	fact := fmt.Sprintf("%d of %d done", p.Done, p.Affected)
	if p.Blocker != "" {
		fact += "; held up by: " + p.Blocker
	}
	if p.Help != "" {
		fact += "; wants help: " + p.Help
	}
	if err := c.spoken(Progressed, words, fact); err != nil {
		return err
	}
	if !p.NextDue.IsZero() {
		c.r.NextDue = p.NextDue.UTC().Truncate(time.Microsecond)
	}
	p.NextDue = c.r.NextDue
	c.r.Progress = p
	if p.Help != "" && p.Help != helped {
		c.notify("", "response.help", fmt.Sprintf("%s: %s wants help", c.alert.ID, c.r.Org), "Its answer says with what.")
	}
	return nil
}

func (c *answering) claim(fixedAt time.Time, words string) error {
	if fixedAt.After(c.now) {
		return &ward.Invalid{Field: "fixed_at", Problem: "lies in the future", Hint: "give the time from which it is fixed, " + act.When(c.now) + " at the latest"}
	}
	if c.r.State == ward.ClosedAnswer {
		c.reopen("claimed again")
	}
	c.changesItsMind(ward.OutcomeFixed, ward.OutcomeResidual)
	c.r.ClaimedFixedAt = fixedAt
	c.r.Proof, c.r.ConfirmedAt, c.r.Recurrence, c.r.Residual = ward.Proof{}, time.Time{}, ward.Recurrence{}, nil // a new claim is a new question
	c.r.State = ward.Remediated
	if denies(c.r.Applicability) {
		c.r.Applicability = ward.Applies
	}
	return c.spoken(Claimed, words, "fixed since "+act.When(fixedAt))
}

// changesItsMind lets go of what an answer asked to close as, unless it is among what still fits what is said now.
func (c *answering) changesItsMind(fits ...ward.Outcome) {
	if !slices.Contains(fits, c.r.Outcome) {
		c.r.Outcome, c.r.Control, c.r.Acceptance = "", ward.Control{}, ward.Acceptance{}
	}
}

// unclaim takes a claim back.
func (c *answering) unclaim() {
	c.r.ClaimedFixedAt, c.r.ConfirmedAt, c.r.Recurrence, c.r.Residual = time.Time{}, time.Time{}, ward.Recurrence{}, nil
	c.r.Proof, c.r.Outcome = ward.Proof{}, ""
	if c.r.State == ward.Remediated {
		c.r.State = ward.InProgress
	}
}

func (c *answering) dispute(words string) error {
	if c.r.State == ward.ClosedAnswer {
		return fmt.Errorf("the response is closed: %w", ward.ErrState)
	}
	if err := c.spoken(Disputed, words, ""); err != nil {
		return err
	}
	c.r.Dispute = c.words
	return nil
}

func (c *answering) check(ctx context.Context, s Signed, words string) error {
	if c.r.State == ward.ClosedAnswer && s.Result != ward.NoEvidence {
		c.reopen("a compromise check was signed")
	}
	fact := "compromise check: " + strings.ReplaceAll(string(s.Result), "_", " ") + " (" + s.Coverage + ")"
	closed := c.r.State == ward.ClosedAnswer
	if err := c.sign(s); err != nil {
		return err
	}
	if closed {
		c.note(Checked, fact)
		return nil
	}
	if err := c.spoken(Checked, words, fact); err != nil {
		return err
	}
	return c.finish(ctx)
}
