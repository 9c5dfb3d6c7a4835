package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

func isNotFound(err error) bool { return errors.Is(err, ward.ErrNotFound) }

// Recipients says who would be told of a notice to each organisation, by which address and when. Its Org does not matter.
func (o *Outbox) Recipients(ctx context.Context, scope ward.Scope, orgs []ward.OrgID, n ward.Notice) (all []ward.Recipient, err error) {
	if n.Created.IsZero() {
		n.Created = o.clock.Now()
	}
	err = o.store.View(ctx, func(tx *store.Tx) error {
		channels, err := tx.Channels(ctx)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			if !scope.Sees(org) {
				return ward.ErrNotFound
			}
			n.Org = org
			recipients, err := o.resolve(ctx, tx, usual(n), channels)
			if err != nil {
				return err
			}
			for _, r := range recipients {
				r.To = ward.Address{Channel: r.Channel, To: r.To}.Shown()
				all = append(all, shielded(scope, r.Rung, r, func(r *ward.Recipient) (*string, *string) { return &r.Name, &r.To }))
			}
		}
		return nil
	})
	return all, err
}

// shielded leaves out who stands on a rung outside the organisation, for those who see only organisations.
func shielded[T any](scope ward.Scope, rung ward.Rung, item T, fields func(*T) (name, to *string)) T {
	if scope.All() || (rung != ward.RungGroupLead && rung != ward.RungDutyOfficer) {
		return item
	}
	name, to := fields(&item)
	*name, *to = rungWords[rung], ""
	return item
}

// rungWords are the rungs as people say them.
var rungWords = map[ward.Rung]string{
	ward.RungContact: "contact", ward.RungLead: "cyber lead", ward.RungGroupLead: "lead of its group",
	ward.RungExecutive: "executive on call", ward.RungDutyOfficer: "national duty officer",
}

// resolve finds the people of a notice's rung: by the rota where one is kept, else everybody who stands there and wants to be
// told of its severity. A rung on which nobody stands passes the notice on: an ordinary one to the organisation's lead, one
// that was sent up the ladder to the next rung, up to the national duty officer.
func (o *Outbox) resolve(ctx context.Context, tx *store.Tx, n ward.Notice, channels []ward.Channel) ([]ward.Recipient, error) {
	org, why, err := o.heir(ctx, tx, n.Org, n.Created)
	if err != nil {
		return nil, err
	}
	ladder := []ward.Rung{ward.RungContact, ward.RungLead}
	if i := slices.Index(ward.Rungs, n.Rung); i > 0 {
		ladder = ward.Rungs[i:]
	}
	if n.Rung == "" && n.Org == "" {
		ladder = []ward.Rung{ward.RungContact, ward.RungDutyOfficer}
	}
	none := nobody
	for _, rung := range ladder {
		people, err := o.standing(ctx, tx, org, rung, n.Created)
		if err != nil {
			return nil, err
		}
		people = slices.DeleteFunc(people, func(c ward.Contact) bool { return !c.Wants(n.Severity) })
		if recipients := addressed(n, rung, people, o.Zone, channels, why); len(recipients) > 0 {
			return recipients, nil
		}
		if len(people) > 0 {
			none = noChannel
		}
		why = cmp.Or(why, "passed on: nobody can be told as "+rungWords[rung])
	}
	if strings.HasPrefix(why, closed) {
		none = why
	}
	return []ward.Recipient{{Org: n.Org, Rung: cmp.Or(n.Rung, ward.RungContact), At: n.Created, Why: none}}, nil
}

const (
	nobody = "nobody is named to be told"
	closed = "closed on "
)

// heir is who is told for an organisation: itself, or where it is closed the one that succeeds it.
func (o *Outbox) heir(ctx context.Context, tx *store.Tx, org ward.OrgID, at time.Time) (ward.OrgID, string, error) {
	if org == "" {
		return org, "", nil
	}
	known, err := tx.Organisation(ctx, ward.Everything(), org)
	if isNotFound(err) {
		return org, "", nil
	}
	if err != nil || known.Closed.IsZero() || known.Closed.After(at) {
		return org, "", err
	}
	why := closed + known.Closed.Format("2 January 2006")
	relations, err := tx.Relations(ctx, ward.Everything(), org)
	if err != nil {
		return org, "", err
	}
	for _, r := range relations {
		if r.Kind == ward.Successor && r.To == org && holds(r, at) {
			return r.From, why + ", succeeded by " + string(r.From), nil
		}
	}
	return org, why, nil
}

func holds(r ward.Relation, at time.Time) bool {
	return !r.Since.After(at) && (r.Until.IsZero() || r.Until.After(at))
}

// standing lists who stands on a rung for an organisation at a time, in the order in which they are telephoned.
func (o *Outbox) standing(ctx context.Context, tx *store.Tx, org ward.OrgID, rung ward.Rung, at time.Time) ([]ward.Contact, error) {
	if rung == ward.RungDutyOfficer {
		org = ""
	}
	people, err := tx.Contacts(ctx, ward.Everything(), org)
	if err != nil {
		return nil, err
	}
	stand := slices.DeleteFunc(slices.Clone(people), func(c ward.Contact) bool { return !c.StandsOn(rung) })
	if rung == ward.RungExecutive || rung == ward.RungDutyOfficer || rung == ward.RungLead {
		shifts, err := tx.Shifts(ctx, ward.Everything(), org, at)
		if err != nil {
			return nil, err
		}
		onCall := slices.DeleteFunc(slices.Clone(people), func(c ward.Contact) bool {
			return !slices.ContainsFunc(shifts, func(s ward.Shift) bool { return s.Rung == rung && s.Contact == c.ID && !s.Since.After(at) })
		})
		if len(onCall) > 0 {
			return onCall, nil
		}
	}
	switch rung {
	case ward.RungGroupLead:
		relations, err := tx.Relations(ctx, ward.Everything(), org)
		if err != nil {
			return nil, err
		}
		for _, r := range relations {
			if r.Kind != ward.GroupLead || r.To != org || !holds(r, at) {
				continue
			}
			leads, err := o.standing(ctx, tx, r.From, ward.RungLead, at)
			if err == nil && len(leads) == 0 {
				leads, err = o.standing(ctx, tx, r.From, ward.RungContact, at)
			}
			if err != nil {
				return nil, err
			}
			stand = append(stand, leads...)
		}
	case ward.RungDutyOfficer:
		if len(stand) == 0 {
			return people, nil // a desk that names no duty officer is told as a whole
		}
	}
	return stand, nil
}

// addressed spreads a notice over the addresses of people that a channel reaches. Everybody is written to. Where the notice may
// wake somebody, or nobody can be written to, one of them is sent a text message: the first in order within their hours, else the
// first whose hours begin.
func addressed(n ward.Notice, rung ward.Rung, people []ward.Contact, zone *time.Location, channels []ward.Channel, why string) (all []ward.Recipient) {
	var text []ward.Recipient
	for _, c := range people {
		at := c.Hours.Next(n.Created.In(zone)).UTC()
		for _, a := range c.Addresses {
			if !slices.Contains(channels, a.Channel) {
				continue
			}
			r := ward.Recipient{Org: n.Org, Rung: rung, Contact: c.ID, Name: c.Name, Channel: a.Channel, To: a.To, At: at, Why: why}
			if at.After(n.Created) {
				r.Why = strings.TrimPrefix(why+"; out of hours", "; ")
			}
			switch {
			case a.Channel == ward.SMS && (len(text) == 0 || at.Before(text[0].At)):
				text = []ward.Recipient{r}
			case a.Channel == ward.SMS:
			case !slices.ContainsFunc(all, func(other ward.Recipient) bool { return other.Channel == r.Channel && other.To == r.To }):
				all = append(all, r)
			}
		}
	}
	if n.Urgency == ward.AtOnce && (len(all) == 0 || wakes(n)) {
		all = append(all, text...)
	}
	return all
}

const noChannel = "no channel that is set up here reaches any of its addresses"

// send keeps a delivery for each recipient, and where there is nobody one that says so.
func (o *Outbox) send(ctx context.Context, tx *store.Tx, n ward.Notice, recipients []ward.Recipient) error {
	for _, r := range recipients {
		d := ward.Delivery{
			Key: deliveryKey(n.Key, r), Notice: n.ID, Kind: n.Kind, Alert: n.Alert, Org: n.Org, Contact: r.Contact, Name: r.Name, Rung: r.Rung,
			Channel: r.Channel, To: r.To, State: ward.DeliveryQueued, NextTry: r.At, Detail: r.Why, Created: n.Created,
		}
		if r.Contact == 0 {
			d.State, d.NextTry, d.Settled = ward.DeliveryFailed, time.Time{}, n.Created
		}
		if _, err := tx.AddDelivery(ctx, d, r.At.After(n.Created)); err != nil {
			return err
		}
	}
	if n.Alert != "" {
		tx.Hint("alert:"+string(n.Alert), n.Org)
	}
	select {
	case o.wake <- struct{}{}: // before the commit: a courier that finds nothing yet looks again soon
	default:
	}
	return nil
}

// deliveryKey is the same whenever the same notice goes to the same address of the same contact.
func deliveryKey(notice string, r ward.Recipient) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s\x00%s", notice, r.Contact, r.Channel, r.To))
	return "ww-" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}

// Summary is how an alert's messages stand, and whom they did not reach.
type Summary struct {
	Alert         ward.AlertID
	Organisations int // that were to be told at once
	Reached       int // by at least one message that left and did not come back, or by reading it in their inbox
	Waiting       int // of those not reached: something is still on its way to them
	Unreached     []Unreached
	Messages      map[ward.DeliveryState]int
}

// Unreached is an organisation that no message will reach.
type Unreached struct {
	Org   ward.OrgID
	State ward.DeliveryState
	Why   string
	At    time.Time
}

// Words says a summary in a sentence: "3 of 230 not delivered: 2 bounced, 1 failed".
func (s Summary) Words() string {
	if s.Organisations == 0 {
		return "Sent nowhere: it is shown in the inboxes alone"
	}
	if len(s.Unreached) == 0 {
		if s.Waiting > 0 {
			return fmt.Sprintf("%d of %d on the way", s.Waiting, s.Organisations)
		}
		return "Sent to " + act.Number(s.Organisations, "organisation")
	}
	counts := map[ward.DeliveryState]int{}
	for _, u := range s.Unreached {
		counts[u.State]++
	}
	var parts []string
	for _, state := range []ward.DeliveryState{ward.DeliveryBounced, ward.DeliveryFailed, ward.DeliveryGivenUp} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(state), "_", " ")))
		}
	}
	text := fmt.Sprintf("%d of %d not delivered: %s", len(s.Unreached), s.Organisations, strings.Join(parts, ", "))
	if s.Waiting > 0 {
		text += fmt.Sprintf("; %d on the way", s.Waiting)
	}
	return text
}

// DeliveryQuery chooses deliveries.
type DeliveryQuery = store.DeliveryQuery

// Deliveries lists messages within scope, newest first.
func (o *Outbox) Deliveries(ctx context.Context, scope ward.Scope, q DeliveryQuery) (page ward.Page[ward.Delivery], err error) {
	err = o.store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Deliveries(ctx, scope, q)
		return err
	})
	for i, d := range page.Items {
		page.Items[i] = shown(scope, d)
	}
	return page, err
}

// Traffic is what one channel took, and what waits for it.
type Traffic = store.Traffic

// Traffic counts what every channel took and what waits for it: for whoever runs the machine, who sees no names.
func (o *Outbox) Traffic(ctx context.Context) (all map[ward.Channel]Traffic, err error) {
	err = o.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Traffic(ctx)
		return err
	})
	return all, err
}

// shown is a delivery as scope may see it.
func shown(scope ward.Scope, d ward.Delivery) ward.Delivery {
	d.To = ward.Address{Channel: d.Channel, To: d.To}.Shown()
	return shielded(scope, d.Rung, d, func(d *ward.Delivery) (*string, *string) { return &d.Name, &d.To })
}

// Delivered sums up how an alert's messages stand within scope.
func (o *Outbox) Delivered(ctx context.Context, scope ward.Scope, alert ward.AlertID) (Summary, error) {
	s := Summary{Alert: alert, Messages: map[ward.DeliveryState]int{}}
	var deliveries []ward.Delivery
	var read []ward.OrgID
	err := o.store.View(ctx, func(tx *store.Tx) (err error) {
		if deliveries, err = tx.DeliveriesOf(ctx, scope, alert); err != nil {
			return err
		}
		read, err = tx.HaveRead(ctx, scope, alert)
		return err
	})
	if err != nil {
		return s, err
	}
	deliveries = slices.DeleteFunc(deliveries, func(d ward.Delivery) bool { return d.Org == "" }) // what the desk itself was told
	for len(deliveries) > 0 {
		org := deliveries[0].Org
		end := 1
		for end < len(deliveries) && deliveries[end].Org == org {
			end++
		}
		s.count(deliveries[:end], slices.Contains(read, org))
		deliveries = deliveries[end:]
	}
	return s, nil
}

// count adds the messages of one organisation.
func (s *Summary) count(of []ward.Delivery, read bool) {
	s.Organisations++
	var lost *ward.Delivery
	reached, waiting := read, false
	for i, d := range of {
		s.Messages[d.State]++
		switch {
		case d.State.Reached():
			reached = true
		case d.State.Lost():
			lost = &of[i]
		default:
			waiting = true
		}
	}
	switch {
	case reached:
		s.Reached++
	case waiting:
		s.Waiting++
	default:
		s.Unreached = append(s.Unreached, Unreached{lost.Org, lost.State, lost.Detail, lost.Settled})
	}
}
