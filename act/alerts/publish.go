package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Audience is whom an alert goes to.
type Audience = ward.Audience

// The clocks of a publication by one person alone.
const (
	StepUpWithin      = 10 * time.Minute // how long a person's second proof of who they are holds
	CountersignWithin = 4 * time.Hour    // of the second approval, from publication
)

// Told is what one organisation would be told by a publication.
type Told struct {
	Org      ward.OrgID
	Part     ward.Part
	Standing ward.Standing // what is known of it; the zero Standing where it is only informed
	Subject  string
	Body     string
	To       []ward.Recipient // besides the in-app inbox
}

// Preview is what a publication would do, before anything is sent.
type Preview struct {
	Told   []Told       // who must answer first, each part by organisation
	Closed []ward.OrgID // chosen, and left out because they are closed
}

// Preview says what each organisation would be told, by which channel, and what is known of it.
func (b *Board) Preview(ctx context.Context, who ward.Actor, id ward.AlertID, to Audience) (Preview, error) {
	if err := who.Need(ward.MayWatch); err != nil {
		return Preview{}, err
	}
	a, err := b.Get(ctx, who.Scope, id)
	if err != nil {
		return Preview{}, err
	}
	found, err := b.audience(ctx, a, to)
	if err != nil {
		return Preview{}, err
	}
	if a.Issued.IsZero() {
		a.Issued = b.clock.Now()
	}
	p := Preview{Closed: found.closed}
	for _, s := range found.standings {
		n := announcement(a, s.Org)
		p.Told = append(p.Told, Told{Org: s.Org, Part: ward.ToRespond, Standing: s, Subject: n.Subject, Body: n.Body})
	}
	for _, org := range found.inform {
		n := information(a, org)
		p.Told = append(p.Told, Told{Org: org, Part: ward.ToInform, Subject: n.Subject, Body: n.Body})
	}
	if b.Recipients == nil {
		return p, nil
	}
	for part, sample := range map[ward.Part]func(ward.Alert, ward.OrgID) ward.Notice{ward.ToRespond: announcement, ward.ToInform: information} {
		var orgs []ward.OrgID
		for _, t := range p.Told {
			if t.Part == part {
				orgs = append(orgs, t.Org)
			}
		}
		if len(orgs) == 0 {
			continue
		}
		reached, err := b.Recipients.Recipients(ctx, who.Scope, orgs, sample(a, ""))
		if err != nil {
			return Preview{}, fmt.Errorf("recipients of %s: %w", id, err)
		}
		byOrg := map[ward.OrgID][]ward.Recipient{}
		for _, r := range reached {
			byOrg[r.Org] = append(byOrg[r.Org], r)
		}
		for i := range p.Told {
			if p.Told[i].Part == part {
				p.Told[i].To = byOrg[p.Told[i].Org]
			}
		}
	}
	return p, nil
}

// Who lists who must answer a published alert and who reads it, as far as the scope shows.
func (b *Board) Who(ctx context.Context, scope ward.Scope, id ward.AlertID) (audience Audience, err error) {
	err = b.store.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Alert(ctx, scope, id); err != nil {
			return err
		}
		audience, err = tx.AlertAudience(ctx, scope, id)
		return err
	})
	return audience, err
}

// chosen is an audience against the register.
type chosen struct {
	standings []ward.Standing // of who must answer
	inform    []ward.OrgID
	closed    []ward.OrgID // chosen by name, and closed
}

// audience holds an audience against the register, each organisation once, with what is known of those that must answer.
func (b *Board) audience(ctx context.Context, a ward.Alert, to Audience) (found chosen, err error) {
	var respond []ward.OrgID
	now := b.clock.Now()
	err = b.store.View(ctx, func(tx *store.Tx) error {
		var unknown, left []ward.OrgID
		inform, closed, unknown, err := tx.Audience(ctx, named(to.Inform), now)
		if err != nil {
			return err
		}
		found.inform, found.closed = inform, closed
		open, closed, strange, err := tx.Audience(ctx, to.Respond, now)
		if err != nil {
			return err
		}
		for _, org := range open {
			informed := slices.Contains(found.inform, org)
			if informed && to.Respond != nil {
				left = append(left, org)
			}
			if !informed {
				respond = append(respond, org)
			}
		}
		if to.Respond != nil { // nobody chose the others
			found.closed = append(found.closed, closed...)
		}
		unknown = append(unknown, strange...)
		switch {
		case len(unknown) > 0:
			return &ward.Invalid{Field: "organisations", Problem: fmt.Sprintf("%q is not in the register", unknown[0]), Hint: "import the organisation first, or leave it out"}
		case len(left) > 0:
			return &ward.Invalid{Field: "inform", Problem: fmt.Sprintf("%s is among those that must answer", left[0]), Hint: "choose one of the two for each organisation"}
		case len(respond)+len(found.inform) == 0:
			return &ward.Invalid{Field: "organisations", Problem: "nobody would be asked", Hint: "choose organisations that are open"}
		}
		return nil
	})
	if err != nil || len(respond) == 0 {
		return found, err
	}
	known, err := b.Standings.Standing(ctx, ward.Everything(), ward.About{CVEs: a.CVEs, Vendor: a.Vendor, Product: a.Product, Classes: a.Classes}, respond)
	if err != nil {
		return found, fmt.Errorf("standing for %s: %w", a.ID, err)
	}
	byOrg := map[ward.OrgID]ward.Standing{}
	for _, s := range known {
		byOrg[s.Org] = s
	}
	for _, org := range respond {
		s, ok := byOrg[org]
		if !ok {
			s = ward.Standing{Org: org, State: ward.ExposureUnknown, Reason: "no source speaks for it", AsAt: now}
		}
		found.standings = append(found.standings, s)
	}
	return found, nil
}

// named is a list that chooses nobody when it is empty, where nil would choose everybody.
func named(orgs []ward.OrgID) []ward.OrgID {
	if orgs == nil {
		return []ward.OrgID{}
	}
	return orgs
}

// Publish sends an approved alert to its audience: the alert, what is known of each organisation, their responses, the
// exposures that are cited, the notices and the audit record, all or nothing.
func (b *Board) Publish(ctx context.Context, who ward.Actor, id ward.AlertID, version int, to Audience) (Published, error) {
	return b.publish(ctx, who, id, version, to, "alert.publish", func(_ *store.Tx, a *ward.Alert) error {
		if a.State != ward.Approved {
			return fmt.Errorf("alert %s is %s, and only an approved one is published: %w", id, a.State, ward.ErrState)
		}
		return nil
	})
}

// PublishAlone publishes a draft that nobody else has approved, because only one person is awake. It needs a reason and
// that the person proved who they are again just now; everybody at the desk is told, and a second approval is owed within
// CountersignWithin.
func (b *Board) PublishAlone(ctx context.Context, who ward.Actor, id ward.AlertID, version int, to Audience, reason string) (Published, error) {
	reason, err := act.Clean("reason", reason, mostLine)
	if err != nil {
		return Published{}, err
	}
	if err := who.Need(ward.MayApprove); err != nil {
		return Published{}, err
	}
	now := b.clock.Now()
	if age := now.Sub(who.SteppedUp); who.SteppedUp.IsZero() || age < 0 || age > StepUpWithin {
		return Published{}, fmt.Errorf("to publish alone: %w", ward.ErrStepUp)
	}
	if reason == "" {
		return Published{}, &ward.Invalid{Field: "reason", Problem: "is empty", Hint: "say why it cannot wait for a second person: everybody reads it"}
	}
	return b.publish(ctx, who, id, version, to, "alert.publish_alone", func(tx *store.Tx, a *ward.Alert) error {
		switch a.State {
		case ward.Drafted:
		case ward.Approved:
			return fmt.Errorf("alert %s is approved: publish it as it is: %w", id, ward.ErrState)
		default:
			return fmt.Errorf("alert %s is %s: %w", id, a.State, ward.ErrState)
		}
		a.Emergency = ward.Emergency{Reason: reason, By: who.Name, ByID: writer(who), At: now, Due: now.Add(CountersignWithin)}
		if err := tx.OweCountersign(ctx, a.ID, a.Emergency.Due); err != nil {
			return err
		}
		return b.Notices.Add(ctx, tx, alone(*a))
	})
}

// publish does what every publication does, once allowed says that this one may be.
func (b *Board) publish(ctx context.Context, who ward.Actor, id ward.AlertID, version int, to Audience, action string, allowed func(*store.Tx, *ward.Alert) error) (Published, error) {
	if err := who.Need(ward.MayApprove); err != nil {
		return Published{}, err
	}
	draft, err := b.Get(ctx, ward.Everything(), id)
	if err != nil {
		return Published{}, err
	}
	found, err := b.audience(ctx, draft, to)
	if err != nil {
		return Published{}, err
	}
	exploited, err := b.exploited(ctx, draft.CVEs)
	if err != nil {
		return Published{}, err
	}
	a, err := b.change(ctx, who, id, version, action, "published", false, func(tx *store.Tx, a *ward.Alert) error {
		if err := allowed(tx, a); err != nil {
			return err
		}
		if err := b.inTime(a.RemediateBy); err != nil {
			return err
		}
		a.State, a.Issued, a.Edition, a.Exploited = ward.Published, b.clock.Now(), 1, exploited
		asked := make([]ward.OrgID, len(found.standings))
		for i, s := range found.standings {
			asked[i] = s.Org
		}
		if err := tx.Cite(ctx, "alert", string(a.ID), a.CVEs, asked); err != nil {
			return err
		}
		if err := b.Answers.Open(ctx, tx, *a, found.standings); err != nil {
			return fmt.Errorf("responses to %s: %w", a.ID, err)
		}
		if err := tx.Inform(ctx, a.ID, found.inform); err != nil {
			return err
		}
		if err := b.tell(ctx, tx, *a, Audience{Respond: asked, Inform: found.inform}, announcement, information); err != nil {
			return err
		}
		return b.supersede(ctx, tx, who, *a, asked, found.inform)
	})
	if err != nil {
		return Published{}, err
	}
	return Published{Alert: a, Notified: len(found.standings), Informed: len(found.inform), Closed: found.closed}, nil
}

// exploited lists those weaknesses that are known to be exploited now.
func (b *Board) exploited(ctx context.Context, cves []ward.CVE) (known []ward.CVE, err error) {
	for _, cve := range cves {
		v, err := b.Weaknesses.Vulnerability(ctx, cve)
		if errors.Is(err, ward.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("what is known of %s: %w", cve, err)
		}
		if v.Exploited != nil {
			known = append(known, cve)
		}
	}
	return known, nil
}

// tell adds a notice for each organisation of an audience: one kind for those that must answer, one for the others.
func (b *Board) tell(ctx context.Context, tx *store.Tx, a ward.Alert, to Audience, respond, inform func(ward.Alert, ward.OrgID) ward.Notice) error {
	for _, part := range []struct {
		orgs []ward.OrgID
		say  func(ward.Alert, ward.OrgID) ward.Notice
	}{{to.Respond, respond}, {to.Inform, inform}} {
		for _, org := range part.orgs {
			if err := b.Notices.Add(ctx, tx, part.say(a, org)); err != nil {
				return fmt.Errorf("notice of %s to %s: %w", a.ID, org, err)
			}
			tx.Hint("alert:"+string(a.ID), org)
		}
	}
	return nil
}

// Countersign is the second approval of an alert that one person published alone. Whoever wrote its text or published it
// cannot give it. It changes nothing that organisations were told.
func (b *Board) Countersign(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error) {
	if err := who.Need(ward.MayApprove); err != nil {
		return ward.Alert{}, err
	}
	return b.change(ctx, who, id, version, "alert.countersign", "countersigned", false, func(tx *store.Tx, a *ward.Alert) error {
		if !a.Emergency.Owed() {
			return fmt.Errorf("no second approval of %s is owed: %w", id, ward.ErrState)
		}
		wrote, err := b.wrote(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if wrote || writer(who) == a.Emergency.ByID {
			return errOwnText
		}
		now := b.clock.Now()
		a.Emergency.SecondBy, a.Emergency.SecondID, a.Emergency.SecondAt = who.Name, writer(who), now
		a.Approver, a.ApproverID, a.ApprovedAt = who.Name, who.Person, now
		return tx.SettleCountersign(ctx, id)
	})
}

// Countersigns lists the alerts whose second approval is owed, the soonest due first. Only the national watch has them.
func (b *Board) Countersigns(ctx context.Context, scope ward.Scope) (owed []ward.Alert, err error) {
	if !scope.All() {
		return nil, nil
	}
	err = b.store.View(ctx, func(tx *store.Tx) error {
		owed, err = tx.CountersignsOwed(ctx)
		return err
	})
	return owed, err
}

// Due tells the national duty officer of every second approval that nobody gave in time, once each, and returns when the
// next falls due. An exercise wakes nobody: only the desk is told.
func (b *Board) Due(ctx context.Context, now time.Time) (next time.Time, err error) {
	var late []ward.Alert
	err = b.store.View(ctx, func(tx *store.Tx) error {
		if late, err = tx.CountersignsLate(ctx, now); err != nil {
			return err
		}
		next, err = tx.NextCountersign(ctx)
		return err
	})
	if err != nil || len(late) == 0 {
		return next, err
	}
	err = b.store.Update(ctx, func(tx *store.Tx) error {
		if late, err = tx.CountersignsLate(ctx, now); err != nil { // another may have signed meanwhile
			return err
		}
		for _, a := range late {
			if err := b.Notices.Add(ctx, tx, unsigned(a, now)); err != nil {
				return err
			}
			if err := tx.CountersignTold(ctx, a.ID, now); err != nil {
				return err
			}
			if err := tx.Audit(ctx, ward.AuditEntry{At: now, Name: product, Action: "alert.countersign_late", Subject: string(a.ID),
				Detail: "published alone by " + a.Emergency.By + ", and nobody signed by " + act.When(a.Emergency.Due)}); err != nil {
				return err
			}
			tx.Hint("queue", "")
		}
		next, err = tx.NextCountersign(ctx)
		return err
	})
	return next, err
}

// product is who acts when no person does.
const product = "Wardwatch"
