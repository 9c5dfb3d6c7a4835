package responses

import (
	"context"
	"fmt"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// key is one version of one response: what a person saw when they began to write.
type key struct {
	alert   ward.AlertID
	org     ward.OrgID
	version int
}

// answering is one change of one response, inside its transaction.
type answering struct {
	ledger  *Ledger
	tx      *store.Tx
	who     string
	now     time.Time
	since   time.Time // of the fact that is told: now, or when an answer became late
	alert   ward.Alert
	r       ward.Response
	words   string // as cleaned
	entries []ward.Entry
	notices []ward.Notice
}

// change runs do on a response that stands at the key's version, proves it anew, and keeps all of it or nothing. yours is
// what the caller wants to say, for the conflict when another person was first.
func (l *Ledger) change(ctx context.Context, who ward.Actor, k key, verb, yours string, do func(*answering) error) (ward.Response, error) {
	if err := who.NeedFor(ward.MayAnswer, k.org); err != nil {
		return ward.Response{}, err
	}
	var kept ward.Response
	err := l.store.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Response(ctx, who.Scope, k.alert, k.org)
		if err != nil {
			return err
		}
		if r.Version != k.version {
			return &ward.Conflict{What: fmt.Sprintf("response of %s to %s", k.org, k.alert), Yours: yours, Theirs: stands(r), By: r.UpdatedBy}
		}
		c, err := l.begin(ctx, tx, who.Name, r)
		if err != nil {
			return err
		}
		c.r.EverOverdue = c.r.EverOverdue || late(r, c.now)
		if err := do(c); err != nil {
			return err
		}
		if c.r.State != ward.ClosedAnswer {
			if err := c.prove(ctx); err != nil {
				return err
			}
		}
		c.r.Version++
		c.r.UpdatedBy, c.r.Updated = who.Name, c.now
		if err := tx.SaveResponse(ctx, c.r); err != nil {
			return err
		}
		kept = c.r
		if err := c.tell(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: c.now, Person: who.Person, Name: who.Name, Action: "response." + verb, Subject: string(k.alert), Org: k.org,
			Detail: fmt.Sprintf("%s to %s, version %d", r.State, c.r.State, c.r.Version)})
	})
	if err != nil {
		return ward.Response{}, err
	}
	return l.dated(kept), nil
}

// begin opens a change of a response to an alert in force.
func (l *Ledger) begin(ctx context.Context, tx *store.Tx, who string, r ward.Response) (*answering, error) {
	alert, err := tx.Alert(ctx, ward.Everything(), r.Alert)
	if err != nil {
		return nil, err
	}
	if alert.State != ward.Published {
		return nil, fmt.Errorf("alert %s is %s: %w", r.Alert, alert.State, ward.ErrState)
	}
	return &answering{ledger: l, tx: tx, who: who, now: l.clock.Now(), since: l.clock.Now(), alert: alert, r: r}, nil
}

// stands is what a response says now, for the person whose own words met a conflict.
func stands(r ward.Response) string {
	switch {
	case r.State == ward.ClosedAnswer:
		return fmt.Sprintf("%s. %s", r.ClosedAs, r.Words)
	case !r.ClaimedFixedAt.IsZero():
		return fmt.Sprintf("fixed since %s. %s", act.When(r.ClaimedFixedAt), r.Words)
	case r.Applicability != "":
		return fmt.Sprintf("applies: %s. %s", r.Applicability, r.Words)
	case r.State == ward.InProgress:
		return "acknowledged. " + r.Words
	}
	return string(r.State)
}

// acknowledge takes the alert up; any first answer does.
func (c *answering) acknowledge() {
	if !c.r.AcknowledgedAt.IsZero() {
		return
	}
	c.r.AcknowledgedAt, c.r.AcknowledgedBy = c.now, c.who
	if c.r.State == ward.Unanswered {
		c.r.State = ward.InProgress
	}
	c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
	c.note(Acknowledged, "")
}

// spoken keeps a person's words, starts the clock of the next update, and adds a line to the history.
func (c *answering) spoken(kind, words, fact string) error {
	words, err := act.Clean("words", words, mostWords)
	if err != nil {
		return err
	}
	c.acknowledge()
	c.words, c.r.Words = words, words
	c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
	switch {
	case fact == "":
		c.note(kind, words)
	case words == "":
		c.note(kind, fact)
	default:
		c.note(kind, fact+": "+words)
	}
	return nil
}

// reopen takes a closed answer up again.
func (c *answering) reopen(why string) {
	c.r.State = ward.InProgress
	if !c.r.ClaimedFixedAt.IsZero() {
		c.r.State = ward.Remediated
	}
	c.r.ClosedAt, c.r.ClosedAs = time.Time{}, ""
	c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
	c.note(Reopened, why)
}

func (c *answering) note(kind, words string) {
	c.entries = append(c.entries, ward.Entry{At: c.now, By: c.who, Kind: kind, Words: words})
}

// notify tells the organisation, or the national desk (org empty), once of this fact.
func (c *answering) notify(org ward.OrgID, kind, subject, body string) {
	exercise := ""
	if c.alert.Exercise {
		exercise = "EXERCISE: "
	}
	link := "/alerts/" + string(c.alert.ID)
	if org == "" {
		link += "/organisations/" + string(c.r.Org)
	}
	c.notices = append(c.notices, ward.Notice{
		Key: fmt.Sprintf("%s:%s:%s:%s:%d", kind, c.alert.ID, c.r.Org, org, c.since.UnixMicro()), Org: org, Kind: kind, Alert: c.alert.ID,
		Subject: exercise + subject, Body: body, Link: link, Created: c.now,
	})
}

// tell writes the history and the notices of a change, and hints to who watches.
func (c *answering) tell(ctx context.Context) error {
	for _, e := range c.entries {
		if err := c.tx.AddEntry(ctx, c.r.Alert, c.r.Org, e); err != nil {
			return err
		}
	}
	for _, n := range c.notices {
		if err := c.ledger.notices.Add(ctx, c.tx, n); err != nil {
			return err
		}
	}
	c.tx.Hint("alert:"+string(c.r.Alert), c.r.Org)
	c.tx.Hint("queue", "")
	return nil
}

// prove holds what the organisation says against the evidence of now, and does what follows from it. While the desk has to
// decide, the organisation owes nothing.
func (c *answering) prove(ctx context.Context) error {
	if err := c.hold(ctx); err != nil {
		return err
	}
	if c.r.Proof.Result == ward.Disputed {
		c.r.NextDue = time.Time{}
	}
	return nil
}

func (c *answering) hold(ctx context.Context) error {
	said := Statement{FixedAt: c.r.ClaimedFixedAt, Denied: denies(c.r.Applicability), Contest: c.r.Dispute}
	before := c.r.Proof
	if said == (Statement{}) {
		c.r.Proof = ward.Proof{}
		return nil
	}
	cited, err := c.tx.Cited(ctx, ward.Everything(), "alert", string(c.r.Alert), c.r.Org)
	if err != nil {
		return err
	}
	evidence, err := c.ledger.prover.Evidence(ctx, c.tx, c.r.Org, aboutAlert(c.alert), time.Time{})
	if err != nil {
		return fmt.Errorf("evidence of %s for %s: %w", c.r.Org, c.r.Alert, err)
	}
	proof := Prove(said, cited, evidence, c.now)
	if before.Result == ward.Confirmed && proof.Result == ward.Awaiting {
		return nil // a machine that nobody lists any more was still seen fixed after the claim
	}
	if same(before, proof) {
		return nil
	}
	c.r.Proof = proof
	if proof.Result == before.Result {
		return nil
	}
	if proof.Result != "" {
		c.note(Proved, fmt.Sprintf("%s: %s", said.named(proof.Result), proof.Why))
	}
	c.follow(before.Result)
	return nil
}

// named is the word for a result in the history.
func (Statement) named(result ward.ProofResult) string {
	if result == ward.Awaiting {
		return "awaiting evidence"
	}
	return string(result)
}

// same reports whether two proofs rest on the same sightings and say the same.
func same(a, b ward.Proof) bool {
	return a.Result == b.Result && a.Why == b.Why && a.Source == b.Source && a.ObservedAt.Equal(b.ObservedAt) && a.Grade == b.Grade && len(a.Assets) == len(b.Assets)
}

// follow does what a new result asks for: who is told, and whether the answer is open again.
func (c *answering) follow(before ward.ProofResult) {
	id, org := c.alert.ID, c.r.Org
	closed := c.r.State == ward.ClosedAnswer
	switch c.r.Proof.Result {
	case ward.Contradicted:
		if closed {
			c.reopen("newer evidence contradicts it")
		}
		c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
		c.notify(org, "response.contradicted", fmt.Sprintf("%s: newer evidence contradicts your answer", id),
			"Evidence observed after your answer still shows an affected version. The alert's page names the assets.")
		c.notify("", "response.contradicted", fmt.Sprintf("%s: newer evidence contradicts the answer of %s", id, org), "The answer cannot close while it does.")
	case ward.Disputed:
		if closed && denies(c.r.Applicability) {
			c.reopen("evidence shows an affected version")
			closed = false
		}
		c.notify("", "response.disputed", fmt.Sprintf("%s: the answer of %s is disputed", id, org), "The national desk decides once, for every organisation alike.")
	case ward.Confirmed:
		if c.r.ClosedAs == ClosedNotConfirmed {
			c.r.ClosedAs = ClosedConfirmed
			c.note(Closed, ClosedConfirmed)
		}
	case ward.Awaiting:
		if c.r.ClosedAs == ClosedConfirmed {
			c.r.ClosedAs = ClosedNotConfirmed
			c.note(Closed, ClosedNotConfirmed)
		}
	}
	if before == ward.Disputed && c.r.Proof.Result != ward.Disputed && !closed && c.r.NextDue.IsZero() {
		c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
	}
}
