package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

const (
	digestKeeps = 7 * 24 * time.Hour // what waited for longer was never news to be sent: it is in the inbox
	digestLines = 40
)

// digests gathers what waited for it into one message for each organisation, once a day, and says when the next is due.
func (c *Courier) digests(ctx context.Context, now time.Time) (time.Time, error) {
	local := now.In(c.outbox.Zone)
	at := func(days int) time.Time { // by the clock on the wall, so that summer time moves nothing
		year, month, day := local.Date()
		minutes := int(c.options.DigestAt / time.Minute)
		return time.Date(year, month, day+days, minutes/60, minutes%60, 0, 0, c.outbox.Zone)
	}
	today := at(0)
	next := today.UTC()
	if now.Before(today) {
		today = at(-1)
	} else {
		next = at(1).UTC()
	}
	c.mu.Lock()
	served := c.digested.Equal(today)
	c.mu.Unlock()
	if served {
		return next, nil
	}
	var orgs []ward.OrgID
	if err := c.outbox.store.View(ctx, func(tx *store.Tx) (err error) {
		orgs, err = tx.ForDigest(ctx, today)
		return err
	}); err != nil {
		return time.Time{}, err
	}
	for _, org := range orgs {
		err := c.outbox.store.Update(ctx, func(tx *store.Tx) error { return c.outbox.digest(ctx, tx, org, today, now) })
		if err != nil {
			return time.Time{}, fmt.Errorf("digest of %q: %w", org, err)
		}
	}
	c.mu.Lock()
	c.digested = today
	c.mu.Unlock()
	return next, nil
}

// digest tells an organisation what waited until the digest's time, in one message.
func (o *Outbox) digest(ctx context.Context, tx *store.Tx, org ward.OrgID, until, now time.Time) error {
	waiting, err := tx.Gathered(ctx, org, until)
	if err != nil || len(waiting) == 0 {
		return err
	}
	last := waiting[len(waiting)-1].ID
	news := slices.DeleteFunc(waiting, func(n ward.Notice) bool { return now.Sub(n.Created) > digestKeeps || !n.Read.IsZero() })
	if len(news) == 0 {
		return tx.Digested(ctx, org, last, -1)
	}
	drill := true
	var body strings.Builder
	for i, n := range news {
		drill = drill && n.Exercise
		if i < digestLines {
			fmt.Fprintf(&body, "- %s (%s)\n", n.Subject, act.When(n.Created))
		}
	}
	if rest := len(news) - digestLines; rest > 0 {
		fmt.Fprintf(&body, "and %d more.\n", rest)
	}
	subject := act.Number(len(news), "notice") + " since the last digest"
	if drill {
		subject = exercise + ": " + subject
	}
	n := ward.Notice{
		Key: fmt.Sprintf("%s:%s:%s", digestKind, org, until.Format("2006-01-02")), Org: org, Kind: digestKind, Urgency: ward.InboxOnly, Exercise: drill,
		Subject: subject, Body: body.String(), Link: "/inbox", Created: now,
	}
	id, added, err := tx.AddNotice(ctx, n, false)
	if err != nil {
		return err
	}
	if !added {
		return nil // there was one today: what came late, because a clock was put back, waits for tomorrow's
	}
	n.ID = id
	channels, err := tx.Channels(ctx)
	if err != nil {
		return err
	}
	recipients, err := o.resolve(ctx, tx, n, channels)
	if err != nil {
		return err
	}
	recipients = slices.DeleteFunc(recipients, func(r ward.Recipient) bool { return r.Contact == 0 })
	if err := o.send(ctx, tx, n, recipients); err != nil {
		return err
	}
	return tx.Digested(ctx, org, last, id)
}

// A test goes out within these hours of a working day, so that nobody is woken by it.
const (
	testFrom  = 10
	testUntil = 16
)

// tests sends each contact a message once a calendar month, to see that it arrives, and says when to look again.
func (c *Courier) tests(ctx context.Context, now time.Time) (time.Time, error) {
	if c.options.NoTests {
		return time.Time{}, nil
	}
	again := now.Add(time.Hour)
	local := now.In(c.outbox.Zone)
	if day := local.Weekday(); day == time.Saturday || day == time.Sunday || local.Hour() < testFrom || local.Hour() >= testUntil {
		return again, nil
	}
	c.mu.Lock()
	recently := now.Sub(c.tested).Abs() < time.Hour
	c.mu.Unlock()
	if recently {
		return again, nil
	}
	month := local.Format("2006-01")
	if _, err := c.outbox.test(ctx, ward.Everything(), nil, month, now); err != nil {
		return time.Time{}, err
	}
	c.mu.Lock()
	c.tested = now
	c.mu.Unlock()
	return again, nil
}

// Test sends a test message now to every address of an organisation's contacts, or of the national desk's, and says how many
// contacts it goes to. Whoever presses the button behind its link has proved that address.
func (o *Outbox) Test(ctx context.Context, who ward.Actor, org ward.OrgID) (contacts int, err error) {
	if err := who.NeedFor(ward.MayContact, org); err != nil {
		return 0, err
	}
	var channels []ward.Channel
	err = o.store.View(ctx, func(tx *store.Tx) error {
		channels, err = tx.Channels(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	if len(channels) == 0 {
		return 0, &ward.Invalid{Field: "notify", Problem: "no channel is set up here", Hint: "the operator sets one up in the configuration"}
	}
	now := o.clock.Now()
	if contacts, err = o.test(ctx, ward.Everything(), &org, now.Format(time.RFC3339), now); err != nil {
		return 0, err
	}
	return contacts, o.store.Update(ctx, func(tx *store.Tx) error {
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: "notify.test", Subject: "contacts", Org: org, Detail: act.Number(contacts, "contact")})
	})
}

// test sends a test to the contacts of one organisation, or (nil) of all, that were not sent the round's yet.
func (o *Outbox) test(ctx context.Context, scope ward.Scope, org *ward.OrgID, round string, now time.Time) (sent int, err error) {
	var contacts []ward.Contact
	err = o.store.View(ctx, func(tx *store.Tx) error {
		if contacts, err = tx.EveryContact(ctx, scope); err != nil {
			return err
		}
		tested, err := tx.Tested(ctx, testKind+":%:"+round)
		contacts = slices.DeleteFunc(contacts, func(c ward.Contact) bool { return (org != nil && c.Org != *org) || tested[c.ID] })
		return err
	})
	if err != nil || len(contacts) == 0 {
		return 0, err
	}
	err = o.store.Update(ctx, func(tx *store.Tx) error {
		channels, err := tx.Channels(ctx)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			n := ward.Notice{
				Key: fmt.Sprintf("%s:%d:%s", testKind, c.ID, round), Org: c.Org, Kind: testKind, Urgency: ward.InboxOnly, Link: "/inbox", Created: now,
				Subject: "Test of how you are told of cyber alerts",
				Body:    "This is a test of this address and asks nothing about any system. Open the link and press the button, so that we know that messages reach you.",
			}
			id, added, err := tx.AddNotice(ctx, n, false)
			if err != nil {
				return err
			}
			if !added {
				continue
			}
			n.ID = id
			var recipients []ward.Recipient
			for _, a := range c.Addresses {
				if slices.Contains(channels, a.Channel) {
					recipients = append(recipients, ward.Recipient{Org: c.Org, Rung: ward.RungContact, Contact: c.ID, Name: c.Name, Channel: a.Channel, To: a.To, At: c.Hours.Next(now.In(o.Zone)).UTC()})
				}
			}
			if len(recipients) > 0 {
				sent++
			}
			if err := o.send(ctx, tx, n, recipients); err != nil {
				return err
			}
		}
		return nil
	})
	return sent, err
}
