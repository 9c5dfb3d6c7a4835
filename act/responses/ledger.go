// Package responses is the ledger of answers: what each organisation said to each alert and as what it closed, when the next
// word is due and who is told that it is, and what evidence makes of it. Words of an organisation, of those who may answer for
// it and of analysts on the telephone come in, with evidence, dates and rulings; responses with their proof, reminders,
// registers, evidence packs and the overview go out. It never lets a claim close that newer evidence contradicts, never calls
// anything proven or clean that nobody has looked at, and shows no organisation the answer of another.
package responses

import (
	"cmp"
	"context"
	"slices"
	"time"

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
	Progressed    = "progress"
	NotChecked    = "not checked" // asked to close as fixed; a compromise check is owed
	CheckAsked    = "check required"
	Checked       = "checked"
	CheckSettled  = "check settled"
	Recurred      = "recurred"
	Telephoned    = "telephone"
	Overruled     = "overruled"
	Asked         = "asked again"
	Lapsed        = "lapsed"
	Moved         = "moved"
)

// How a response can be closed.
const (
	ClosedConfirmed    = "closed, confirmed"
	ClosedNotConfirmed = "closed, not confirmed"
	ClosedNotApplying  = "not applicable"
	ClosedControlled   = "controlled"
	ClosedAccepted     = "risk accepted"
)

// mostWords bounds what a person writes in one answer, in characters.
const mostWords = 10_000

// aboutAlert is what an alert asks of the match.
func aboutAlert(a ward.Alert) ward.About {
	return ward.About{CVEs: a.CVEs, Vendor: a.Vendor, Product: a.Product, Classes: a.Classes}
}

// Open makes the response of every organisation to a published alert, in the transaction that publishes it.
func (l *Ledger) Open(ctx context.Context, tx *store.Tx, alert ward.Alert, standings []ward.Standing) error {
	outside, err := tx.ReachableCited(ctx, ward.Everything(), alert.ID)
	if err != nil {
		return err
	}
	for _, s := range standings {
		kind := ward.SystemOther
		if slices.Contains(outside, s.Org) {
			kind = ward.SystemInternetFacing
		}
		c := l.take(tx, alert.Approver, alert, ward.Response{})
		c.r = ward.Response{
			Alert: alert.ID, Org: s.Org, Version: 1, State: ward.Unanswered, Standing: s, Current: s,
			RespondBy: alert.Issued.Add(alert.AcknowledgeWithin), RemediateBy: alert.RemediationDue(kind), UpdatedBy: cmp.Or(alert.Approver, alert.Emergency.By), Updated: alert.Issued,
		}
		if alert.CheckRequired || kind == ward.SystemInternetFacing { // nothing that was cited can be reached elsewhere
			if err := c.require(ctx); err != nil {
				return err
			}
		}
		c.wind()
		if err := tx.SaveResponse(ctx, c.r); err != nil {
			return err
		}
		if err := c.tell(ctx); err != nil {
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
	return l.Say(ctx, who, alert, org, version, Answer{Acknowledge: true})
}

// Answer says whether the alert applies.
func (l *Ledger) Answer(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, applies ward.Applicability, words string) (ward.Response, error) {
	if applies == "" {
		applies = "nothing"
	}
	return l.Say(ctx, who, alert, org, version, Answer{Applies: applies, Words: words})
}

// Progress says how far the remediation is, what holds it up, and what help is wanted.
func (l *Ledger) Progress(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, p ward.Progress, words string) (ward.Response, error) {
	return l.Say(ctx, who, alert, org, version, Answer{Progress: &p, Words: words})
}

// Claim says that the organisation is fixed since fixedAt (zero: now). Evidence observed after that time is held against it.
func (l *Ledger) Claim(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, fixedAt time.Time, words string) (ward.Response, error) {
	return l.Say(ctx, who, alert, org, version, Answer{Claim: true, FixedAt: fixedAt, Words: words})
}

// Dispute contests the match, with the reason and the evidence in words. The national desk decides. Empty words take the
// dispute back.
func (l *Ledger) Dispute(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, words string) (ward.Response, error) {
	return l.Say(ctx, who, alert, org, version, Answer{Dispute: true, Words: words})
}

// SignCheck signs the compromise check, with what the logs covered. An answer that had asked to close as fixed closes then.
func (l *Ledger) SignCheck(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, s Signed, words string) (ward.Response, error) {
	return l.Say(ctx, who, alert, org, version, Answer{Check: &s, Words: words})
}

// Close ends the answer as what was said before. It is refused while newer evidence contradicts the claim, with the names of
// the assets.
func (l *Ledger) Close(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, words string) (ward.Response, error) {
	return l.CloseAs(ctx, who, alert, org, version, ward.Closing{}, words)
}

// CloseAs ends the answer with an outcome. Any but hosted, while a compromise check is owed, waits for it: the answer reads "patched,
// not yet checked", and closes by itself when a person signs that nothing was found.
func (l *Ledger) CloseAs(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, how ward.Closing, words string) (ward.Response, error) {
	return l.Say(ctx, who, alert, org, version, Answer{Close: &how, Words: words})
}

// denies reports whether an organisation's answer is that it has nothing to fix.
func denies(a ward.Applicability) bool { return a == ward.AppliesNot || a == ward.NotRunHere }

// disclaims reports whether an organisation says that it has nothing to fix: the alert does not apply, or another runs it and
// no fix was claimed yet.
func disclaims(r ward.Response) bool {
	return denies(r.Applicability) || r.Applicability == ward.AppliesHost && r.ClaimedFixedAt.IsZero()
}

// late reports whether an answer owes something at now. Clocks are elapsed hours: summer time does not move them.
func late(r ward.Response, now time.Time) bool {
	due := r.NextDue
	if r.State == ward.Unanswered {
		due = r.RespondBy
	}
	return r.State != ward.ClosedAnswer && !r.Lapsed && !due.IsZero() && !now.Before(due)
}
