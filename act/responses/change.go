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

// key is one version of one response: what a person saw when they began to write.
type key struct {
	alert   ward.AlertID
	org     ward.OrgID
	version int
}

// voice is who speaks for an organisation: one of its own people, somebody of the organisation that operates or leads it, or
// a national analyst who took a telephone call.
type voice struct {
	who  ward.Actor
	from ward.OrgID     // whose word it is, when not the organisation's own
	call ward.PhoneCall // zero unless it came by telephone
	desk bool           // the national desk decides, and speaks for nobody
}

// line is the name beside what was said.
func (v voice) line() string {
	switch {
	case v.call.Speaker != "":
		return v.who.Name + " by telephone"
	case v.from != "":
		return v.who.Name + " of " + string(v.from)
	}
	return v.who.Name
}

// answering is one change of one response, inside its transaction.
type answering struct {
	ledger  *Ledger
	tx      *store.Tx
	voice   voice
	who     string // as history and pages show it
	now     time.Time
	since   time.Time // of the fact that is told: now, or when an answer became late
	alert   ward.Alert
	before  ward.Response
	r       ward.Response
	words   string // as cleaned
	spoke   bool   // something was said beside taking the alert up
	entries []ward.Entry
	notices []ward.Notice
}

// change lets an organisation's own person say something in its own transaction.
func (l *Ledger) change(ctx context.Context, who ward.Actor, k key, verb, yours string, do func(context.Context, *answering) error) (ward.Response, error) {
	if err := who.NeedFor(ward.MayAnswer, k.org); err != nil {
		return ward.Response{}, err
	}
	return l.alone(ctx, voice{who: who}, k, verb, yours, do)
}

func (l *Ledger) alone(ctx context.Context, v voice, k key, verb, yours string, do func(context.Context, *answering) error) (r ward.Response, err error) {
	err = l.store.Update(ctx, func(tx *store.Tx) error {
		r, err = l.changeIn(ctx, tx, v, k, verb, yours, do)
		return err
	})
	if err != nil {
		return ward.Response{}, err
	}
	return l.dated(r), nil
}

// decide lets the national desk change an answer: whose words stand does not change by it.
func (l *Ledger) decide(ctx context.Context, who ward.Actor, k key, verb, yours string, do func(context.Context, *answering) error) (ward.Response, error) {
	return l.alone(ctx, voice{who: who, desk: true}, k, verb, yours, do)
}

// changeIn runs do on a response that stands at the key's version, proves it anew, and keeps all of it or nothing. yours is
// what the caller wants to say, for the conflict when another person was first.
func (l *Ledger) changeIn(ctx context.Context, tx *store.Tx, v voice, k key, verb, yours string, do func(context.Context, *answering) error) (ward.Response, error) {
	r, err := tx.Response(ctx, ward.Only(k.org), k.alert, k.org)
	if err != nil {
		return ward.Response{}, err
	}
	if r.Version != k.version {
		return ward.Response{}, &ward.Conflict{What: fmt.Sprintf("response of %s to %s", k.org, k.alert), Yours: yours, Theirs: stands(r), By: r.UpdatedBy}
	}
	c, err := l.begin(ctx, tx, v.line(), r)
	if err != nil {
		return ward.Response{}, err
	}
	if r.MovedTo != "" {
		return ward.Response{}, fmt.Errorf("%s has taken this answer over: %w", r.MovedTo, ward.ErrState)
	}
	c.voice = v
	c.r.EverOverdue = c.r.EverOverdue || late(r, c.now)
	if err := do(ctx, c); err != nil {
		return ward.Response{}, err
	}
	c.signed()
	if c.r.State != ward.ClosedAnswer {
		if err := c.prove(ctx); err != nil {
			return ward.Response{}, err
		}
	}
	if err := c.save(ctx, v.who.Name); err != nil {
		return ward.Response{}, err
	}
	return c.r, tx.Audit(ctx, ward.AuditEntry{At: c.now, Person: v.who.Person, Name: v.who.Name, Action: "response." + verb, Subject: string(k.alert), Org: k.org,
		Detail: fmt.Sprintf("%s to %s, version %d", r.State, c.r.State, c.r.Version)})
}

// signed keeps whose words stand now, and tells the organisation what was said in its name.
func (c *answering) signed() {
	v := c.voice
	if len(c.entries) == 0 || v.desk {
		return
	}
	if !c.spoke && v.call.Speaker == "" && v.from == "" {
		return // who only takes the alert up leaves the words as they stand
	}
	others := c.before.Call.Speaker != "" || c.before.Spoke != ""
	c.r.Call, c.r.Spoke = v.call, v.from
	id, org := c.alert.ID, c.r.Org
	switch {
	case v.call.Speaker != "":
		c.entries = append([]ward.Entry{{At: c.now, By: c.who, Kind: Telephoned,
			Words: fmt.Sprintf("%s, called back on %s at %s", v.call.Speaker, v.call.Number, act.When(v.call.At))}}, c.entries...)
		c.notify(org, "response.recorded", fmt.Sprintf("%s: an answer was recorded for you by telephone", id),
			"The national desk wrote it down from a call. Read it on the alert's page, and answer there yourself if it is not so.")
	case v.from != "":
		c.notify(org, "response.delegated", fmt.Sprintf("%s: %s answered for you", id, v.from),
			"It may, since it operates or leads for you; you stay accountable. Read it on the alert's page, and answer there yourself if it is not so.")
	case others:
		c.note(Overruled, "the organisation's own word stands from now on")
	}
}

// save keeps what was said as the next version, and tells of it.
func (c *answering) save(ctx context.Context, by string) error {
	c.r.Version++
	c.r.UpdatedBy, c.r.Updated = by, c.now
	c.wind()
	if err := c.tx.SaveResponse(ctx, c.r); err != nil {
		return err
	}
	return c.tell(ctx)
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
	return l.take(tx, who, alert, r), nil
}

// take opens a change of a response whatever became of its alert.
func (l *Ledger) take(tx *store.Tx, who string, alert ward.Alert, r ward.Response) *answering {
	now := l.clock.Now()
	return &answering{ledger: l, tx: tx, who: who, now: now, since: now, alert: alert, before: r, r: r}
}

// stands is what a response says now, for the person whose own words met a conflict.
func stands(r ward.Response) string {
	switch {
	case r.State == ward.ClosedAnswer:
		return fmt.Sprintf("%s. %s", r.Reads(), r.Words)
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
		c.r.State = open(c.r)
	}
	c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
	c.note(Acknowledged, "")
}

// open is the state of an answer that is acknowledged and not closed.
func open(r ward.Response) ward.ResponseState {
	if r.ClaimedFixedAt.IsZero() {
		return ward.InProgress
	}
	return ward.Remediated
}

// spoken keeps a person's words, starts the clock of the next update, and adds a line to the history.
func (c *answering) spoken(kind, words, fact string) error {
	words, err := act.Clean("words", words, mostWords)
	if err != nil {
		return err
	}
	c.acknowledge()
	c.words, c.spoke = words, true
	if words != "" || kind != NotChecked && kind != Checked {
		c.r.Words = words
	}
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
	c.r.State = open(c.r)
	c.r.ClosedAt, c.r.ClosedAs, c.r.Outcome, c.r.Until = time.Time{}, "", "", time.Time{}
	c.r.Control, c.r.Acceptance, c.r.Recurrence = ward.Control{}, ward.Acceptance{}, ward.Recurrence{}
	c.r.NextDue = c.now.Add(c.alert.UpdateEvery)
	c.note(Reopened, why)
}

func (c *answering) note(kind, words string) {
	c.entries = append(c.entries, ward.Entry{At: c.now, By: c.who, Kind: kind, Words: words})
}

// notify tells the organisation, or the national desk (org empty), once of this fact.
func (c *answering) notify(org ward.OrgID, kind, subject, body string) {
	c.post(ward.Notice{Key: fmt.Sprintf("%s:%s:%s:%s:%d", kind, c.alert.ID, c.r.Org, org, c.since.UnixMicro()), Org: org, Kind: kind, Subject: subject, Body: body})
}

// post puts a notice with a key of its own beside the change.
func (c *answering) post(n ward.Notice) {
	n.Alert, n.Created, n.Link = c.alert.ID, c.now, "/alerts/"+string(c.alert.ID)
	if n.Org == "" {
		n.Link += "/organisations/" + string(c.r.Org)
	}
	n.Severity, n.Exercise = c.alert.Severity, c.alert.Exercise
	if n.Exercise {
		n.Subject = "EXERCISE: " + n.Subject
	}
	c.notices = append(c.notices, n)
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
	if err := c.require(ctx); err != nil {
		return err
	}
	if c.r.Proof.Result == ward.Disputed || c.r.Check.Result == ward.CannotDetermine && c.r.Check.AtDesk() {
		c.r.NextDue = time.Time{}
	}
	return nil
}

func (c *answering) hold(ctx context.Context) error {
	denied := denies(c.r.Applicability)
	said := Statement{FixedAt: c.r.ClaimedFixedAt, Denied: denied, Hosted: !denied && disclaims(c.r), Contest: c.r.Dispute, Left: c.r.Residual}
	before := c.r.Proof
	if said.empty() {
		c.r.Proof, c.r.ConfirmedAt = ward.Proof{}, time.Time{}
		return nil
	}
	cited, evidence, err := c.evidence(ctx)
	if err != nil {
		return err
	}
	if said.Hosted {
		if cited, evidence, err = c.ownEvidence(ctx, cited, evidence); err != nil {
			return err
		}
	}
	proof, weighed := weigh(said, cited, evidence, c.now)
	if before.Result == ward.Confirmed && proof.Result == ward.Awaiting {
		return nil // a machine that nobody lists any more was still seen fixed after the claim
	}
	came, err := c.recurs(ctx, proof, weighed)
	if err != nil {
		return err
	}
	if same(before, proof) && came == asBefore {
		return nil
	}
	c.r.Proof = proof
	if proof.Result == before.Result && came != tooMuch {
		return nil
	}
	if proof.Result != "" && proof.Result != before.Result {
		c.note(Proved, fmt.Sprintf("%s: %s", said.named(proof.Result), proof.Why))
	}
	if came == tolerated {
		c.note(Recurred, fmt.Sprintf("%d of %d, within what the alert tolerates until %s", len(c.r.Recurrence.Assets), c.r.Recurrence.Of, act.When(c.r.Recurrence.Ends)))
		return nil
	}
	c.follow(before.Result)
	return nil
}

// evidence is what was cited at publication and what every source last showed, of the organisation and of those whose
// answers it took over.
func (c *answering) evidence(ctx context.Context) (cited []store.CitedAsset, evidence []ward.Seen, err error) {
	for _, org := range append([]ward.OrgID{c.r.Org}, c.r.From...) {
		own, err := c.tx.Cited(ctx, ward.Everything(), "alert", string(c.r.Alert), org)
		if err != nil {
			return nil, nil, err
		}
		seen, err := c.ledger.prover.Evidence(ctx, c.tx, org, aboutAlert(c.alert), time.Time{})
		if err != nil {
			return nil, nil, fmt.Errorf("evidence of %s for %s: %w", org, c.r.Alert, err)
		}
		cited, evidence = append(cited, own...), append(evidence, seen...)
	}
	return cited, evidence, nil
}

// ownEvidence is what of it is about assets that the organisation, or one whose answer it took over, operates itself.
func (c *answering) ownEvidence(ctx context.Context, cited []store.CitedAsset, evidence []ward.Seen) ([]store.CitedAsset, []ward.Seen, error) {
	orgs := append([]ward.OrgID{c.r.Org}, c.r.From...)
	foreign := map[ward.AssetID]bool{}
	for _, id := range assetsOf(cited, evidence) {
		operator, err := c.tx.Operator(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		foreign[id] = !slices.Contains(orgs, operator)
	}
	cited = slices.DeleteFunc(cited, func(a store.CitedAsset) bool { return foreign[a.Asset] })
	return cited, slices.DeleteFunc(evidence, func(s ward.Seen) bool { return foreign[s.Asset] }), nil
}

func assetsOf(cited []store.CitedAsset, evidence []ward.Seen) (ids []ward.AssetID) {
	for _, a := range cited {
		ids = append(ids, a.Asset)
	}
	for _, s := range evidence {
		ids = append(ids, s.Asset)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
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
	if c.r.Proof.Result == ward.Confirmed && c.r.ConfirmedAt.IsZero() {
		c.r.ConfirmedAt = c.now
	}
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
		if closed && disclaims(c.r) {
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
