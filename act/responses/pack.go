package responses

import (
	"context"
	"fmt"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Pack is the evidence of one organisation's answer to one alert: what was asked and answered, when, by whom, and on what
// evidence. It is data: pages and exports give it a shape.
type Pack struct {
	Alert         ward.Alert
	Versions      []store.AlertVersion // of the alert, since it was published
	Organisation  ward.Organisation
	Response      ward.Response
	History       []ward.Entry
	Cited         []store.CitedAsset // exposed at publication
	Rulings       []ward.Ruling      // about its weaknesses, those taken back too
	ToAcknowledge Took
	ToRemediate   Took // from issue to the time from which the organisation says it is fixed
	ToConfirm     Took // from issue to when evidence first confirmed that
	Definitions   []Definition
	At            time.Time // when it was made
}

// Took is how long something took; while it has not come, Elapsed is the time until now.
type Took struct {
	Came    bool
	Elapsed time.Duration
	Within  time.Duration // asked for; zero when nothing was
}

// Definition says what a word of the pack means.
type Definition struct {
	Word    string `json:"word"`
	Meaning string `json:"meaning"`
}

var definitions = []Definition{
	{"Claimed", "The organisation says that it is fixed since a time. Nobody else has looked."},
	{"Confirmed", "Evidence observed after that time, a tool's export or independent, shows a fixed or unaffected version on every asset in question."},
	{"Awaiting evidence", "Nothing newer than the claim has been seen. It says nothing for or against the claim."},
	{"Contradicted", "Evidence observed after that time shows a version that a publisher or a ruling calls affected."},
	{"Disputed", "Sources disagree, only a record's default calls the version affected, or the organisation contests the match. The national desk decides once, for every organisation."},
	{"Controlled", "Not fixed: something else keeps the weakness from being used until the review date, when the answer opens again."},
	{"Risk accepted", "Not fixed: a named senior information risk owner takes the risk until a date, when the answer opens again."},
	{"Patched, not yet checked", "Fixed (or controlled, accepted, not applicable, where it says so), and could be reached from outside while the weakness was used: nobody has signed yet that no sign of an intruder was found."},
	{"No evidence found", "Of an intruder, in the logs that are named. What was not logged was not searched."},
	{"Time to acknowledge", "Elapsed hours from issue, or from the newest update that asked again, to the first acknowledgement."},
	{"Time to remediate", "Elapsed hours from issue to the time from which the organisation says it is fixed; none if it was fixed before issue."},
	{"Time to confirmation", "Elapsed hours from issue to when the product first held evidence that confirms the claim."},
}

// Pack gathers the evidence of one answer.
func (l *Ledger) Pack(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) (p Pack, err error) {
	now := l.clock.Now()
	own := scope.Within(org)
	err = l.store.View(ctx, func(tx *store.Tx) error {
		if p.Response, err = tx.Response(ctx, own, alert, org); err != nil {
			return err
		}
		if p.Alert, err = tx.Alert(ctx, own, alert); err != nil {
			return err
		}
		if p.Versions, err = tx.AlertVersions(ctx, own, alert); err != nil {
			return err
		}
		if p.Organisation, err = tx.Organisation(ctx, own, org); err != nil {
			return err
		}
		if p.History, err = tx.Entries(ctx, own, alert, org); err != nil {
			return err
		}
		if p.Cited, err = tx.Cited(ctx, own, "alert", string(alert), org); err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, cve := range p.Alert.CVEs {
			rulings, err := tx.Rulings(ctx, cve)
			if err != nil {
				return err
			}
			for _, r := range rulings {
				if !seen[r.ID] {
					seen[r.ID] = true
					p.Rulings = append(p.Rulings, r)
				}
			}
		}
		return nil
	})
	if err != nil {
		return Pack{}, err
	}
	p.Response, p.At, p.Definitions = l.dated(p.Response), now, definitions
	r, end := p.Response, now
	if !p.Alert.Closed.IsZero() {
		end = p.Alert.Closed
	}
	asked := r.RespondBy.Add(-p.Alert.AcknowledgeWithin)
	p.ToAcknowledge = took(asked, r.AcknowledgedAt, end, p.Alert.AcknowledgeWithin)
	p.ToRemediate = took(p.Alert.Issued, r.ClaimedFixedAt, end, 0)
	if !p.Alert.RemediateBy.IsZero() {
		p.ToRemediate.Within = p.Alert.RemediateBy.Sub(p.Alert.Issued)
	}
	p.ToConfirm = took(p.Alert.Issued, r.ConfirmedAt, end, 0)
	return p, nil
}

// took is how long it was from one time to another, or to the end while the other has not come.
func took(from, at, end time.Time, within time.Duration) Took {
	if at.IsZero() {
		return Took{Elapsed: max(0, end.Sub(from)), Within: within}
	}
	return Took{Came: true, Elapsed: max(0, at.Sub(from)), Within: within}
}

// Table is the pack as rows of one table: the answer's figures, what happened, the assets with what was seen on them, and
// what the words mean. Cells are as they are: who writes a file makes formulas in them inert.
func (p Pack) Table() (header []string, rows [][]string) {
	header = []string{"part", "when", "by", "what", "words"}
	row := func(part string, at time.Time, by, what, words string) {
		when := ""
		if !at.IsZero() {
			when = at.UTC().Format(time.RFC3339)
		}
		rows = append(rows, []string{part, when, by, what, words})
	}
	a, r := p.Alert, p.Response
	row("pack", p.At, "", string(a.ID)+" "+string(r.Org), p.Organisation.Name)
	row("asked", a.Issued, a.Approver, a.Title, a.Summary)
	for _, s := range a.Steps {
		row("asked", a.Issued, a.Approver, string(s.Kind), s.Text)
	}
	row("stands", r.Updated, r.UpdatedBy, r.Reads(), r.Words)
	row("exposure at publication", r.Standing.ObservedAt, r.Standing.Source, string(r.Standing.State), r.Standing.Reason)
	row("exposure now", r.Current.ObservedAt, r.Current.Source, string(r.Current.State), r.Current.Reason)
	if r.Proof.Result != "" {
		row("evidence", r.Proof.ObservedAt, r.Proof.Source, string(r.Proof.Result), r.Proof.Why)
	}
	if r.Check.Required || r.Check.Result != "" {
		row("compromise check", r.Check.At, r.Check.SignedBy, string(r.Check.Result), r.Check.Coverage)
	}
	for _, t := range []struct {
		name string
		took Took
	}{{"time to acknowledge", p.ToAcknowledge}, {"time to remediate", p.ToRemediate}, {"time to confirmation", p.ToConfirm}} {
		row(t.name, time.Time{}, "", t.took.String(), "")
	}
	for _, e := range p.History {
		row("history", e.At, e.By, e.Kind, e.Words)
	}
	for _, c := range p.Cited {
		row("cited at publication", a.Issued, "", c.Name, c.Version)
	}
	for _, s := range r.Proof.Assets {
		row("seen", s.ObservedAt, s.Source, s.Name+": "+string(s.Status), s.Software+" "+s.Why)
	}
	for _, s := range r.Residual {
		row("left", s.Until, "", s.Name, s.Reason)
	}
	for _, u := range p.Rulings {
		row("ruling", u.At, u.Name, u.ID+" "+string(u.Status), u.Reason)
	}
	for _, d := range p.Definitions {
		row("definition", time.Time{}, "", d.Word, d.Meaning)
	}
	return header, rows
}

// String says it in whole hours and minutes.
func (t Took) String() string {
	text := fmt.Sprintf("%d h %d min", int(t.Elapsed.Hours()), int(t.Elapsed.Minutes())%60)
	if !t.Came {
		text = "not yet, after " + text
	}
	if t.Within > 0 {
		text += fmt.Sprintf(" (asked within %d h)", int(t.Within.Hours()))
	}
	return text
}
