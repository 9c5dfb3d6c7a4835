package notify

import (
	"cmp"
	"context"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Contacts lists who is told on behalf of an organisation, or of the national desk (org empty), in the order in which they are
// telephoned.
func (o *Outbox) Contacts(ctx context.Context, scope ward.Scope, org ward.OrgID) (contacts []ward.Contact, err error) {
	if !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	err = o.store.View(ctx, func(tx *store.Tx) error {
		contacts, err = tx.Contacts(ctx, scope, org)
		return err
	})
	return contacts, err
}

// Contact is one contact.
func (o *Outbox) Contact(ctx context.Context, scope ward.Scope, id ward.ContactID) (c ward.Contact, err error) {
	err = o.store.View(ctx, func(tx *store.Tx) error {
		c, err = tx.Contact(ctx, scope, id)
		return err
	})
	return c, err
}

// AddContact keeps a new contact.
func (o *Outbox) AddContact(ctx context.Context, who ward.Actor, c ward.Contact) (ward.Contact, error) {
	if err := who.NeedFor(ward.MayContact, c.Org); err != nil {
		return ward.Contact{}, err
	}
	c, err := checked(c)
	if err != nil {
		return ward.Contact{}, err
	}
	c.ID, c.Version, c.Updated, c.UpdatedBy = 0, 1, o.clock.Now(), who.Name
	for i := range c.Addresses {
		c.Addresses[i].Proved, c.Addresses[i].How = time.Time{}, ""
	}
	err = o.store.Update(ctx, func(tx *store.Tx) error {
		if c.Org != "" {
			if _, err := tx.Organisation(ctx, ward.Everything(), c.Org); err != nil {
				return fmt.Errorf("organisation %s: %w", c.Org, err)
			}
		}
		if c.ID, err = tx.SaveContact(ctx, c); err != nil {
			return err
		}
		return o.record(ctx, tx, who, "notify.add_contact", c)
	})
	return c, err
}

// EditContact replaces what is kept of the contact that stands at version. What waits for an address that is taken off is not
// sent any more.
func (o *Outbox) EditContact(ctx context.Context, who ward.Actor, version int, c ward.Contact) (ward.Contact, error) {
	was, err := o.Contact(ctx, who.Scope, c.ID)
	if err != nil {
		return ward.Contact{}, err
	}
	if err := who.NeedFor(ward.MayContact, was.Org); err != nil {
		return ward.Contact{}, err
	}
	if c, err = checked(c); err != nil {
		return ward.Contact{}, err
	}
	err = o.store.Update(ctx, func(tx *store.Tx) error {
		if was, err = tx.Contact(ctx, who.Scope, c.ID); err != nil {
			return err
		}
		if was.Version != version {
			return &ward.Conflict{What: "contact " + was.Name, Yours: contactWords(c), Theirs: contactWords(was), By: was.UpdatedBy}
		}
		c.Org, c.Version, c.Updated, c.UpdatedBy = was.Org, was.Version+1, o.clock.Now(), who.Name
		for i, a := range c.Addresses {
			c.Addresses[i].Proved, c.Addresses[i].How = time.Time{}, ""
			for _, old := range was.Addresses {
				if old.Channel == a.Channel && old.To == a.To {
					c.Addresses[i] = old
				}
			}
		}
		if _, err = tx.SaveContact(ctx, c); err != nil {
			return err
		}
		if err := o.callBack(ctx, tx, c); err != nil {
			return err
		}
		return o.record(ctx, tx, who, "notify.edit_contact", c)
	})
	return c, err
}

// RemoveContact forgets a contact, its turns on the rota, and what waits to be sent to it.
func (o *Outbox) RemoveContact(ctx context.Context, who ward.Actor, id ward.ContactID) error {
	c, err := o.Contact(ctx, who.Scope, id)
	if err != nil {
		return err
	}
	if err := who.NeedFor(ward.MayContact, c.Org); err != nil {
		return err
	}
	c.Addresses = nil
	return o.store.Update(ctx, func(tx *store.Tx) error {
		if err := o.callBack(ctx, tx, c); err != nil {
			return err
		}
		if err := tx.RemoveContact(ctx, id); err != nil {
			return err
		}
		return o.record(ctx, tx, who, "notify.remove_contact", c)
	})
}

// callBack settles what waits for an address that a contact does not have any more.
func (o *Outbox) callBack(ctx context.Context, tx *store.Tx, c ward.Contact) error {
	unsent, err := tx.Unsent(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, d := range unsent {
		if slices.ContainsFunc(c.Addresses, func(a ward.Address) bool { return a.Channel == d.Channel && a.To == d.To }) {
			continue
		}
		d.State, d.Detail, d.NextTry, d.Settled = ward.DeliveryFailed, "the address was taken off before it could be sent", time.Time{}, o.clock.Now()
		if err := tx.SaveDelivery(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbox) record(ctx context.Context, tx *store.Tx, who ward.Actor, action string, c ward.Contact) error {
	tx.Hint("contacts:"+string(c.Org), c.Org)
	var by []string
	for _, a := range c.Addresses {
		by = append(by, string(a.Channel))
	}
	return tx.Audit(ctx, ward.AuditEntry{At: o.clock.Now(), Person: who.Person, Name: who.Name, Action: action, Subject: fmt.Sprintf("contact/%d", c.ID), Org: c.Org,
		Detail: fmt.Sprintf("%s, by %s", c.Kind, cmp.Or(act.Names(by), "no address"))})
}

// contactWords is a contact in words, for whoever meets a conflict.
func contactWords(c ward.Contact) string {
	text := c.Name
	for _, a := range c.Addresses {
		text += fmt.Sprintf(", %s %s", a.Channel, a.Shown())
	}
	if h := c.Hours.String(); h != "" {
		text += ", " + h
	}
	return text
}

const (
	mostAddresses = 10
	mostOrder     = 1000
)

// checked takes what a person wrote of a contact.
func checked(c ward.Contact) (ward.Contact, error) {
	name, err := act.Line("name", c.Name, 200)
	if err != nil {
		return c, err
	}
	if c.Name = oneLine(name); c.Name == "" {
		return c, &ward.Invalid{Field: "name", Problem: "is empty", Hint: "say who it is: a person, a shared mailbox, a switchboard"}
	}
	if !slices.Contains(ward.ContactKinds, c.Kind) {
		return c, &ward.Invalid{Field: "kind", Problem: fmt.Sprintf("%q is not a kind of contact", c.Kind), Hint: "use person, mailbox or switchboard"}
	}
	if c.Order < 0 || c.Order > mostOrder {
		return c, &ward.Invalid{Field: "order", Problem: fmt.Sprintf("%d is no place on a list", c.Order), Hint: fmt.Sprintf("give 0 to %d, the first to be telephoned lowest", mostOrder)}
	}
	for _, s := range c.Severities {
		if !slices.Contains([]ward.Severity{ward.High, ward.Medium, ward.Low, ward.Info}, s) {
			return c, &ward.Invalid{Field: "severities", Problem: fmt.Sprintf("%q is not a severity", s), Hint: "use High, Medium, Low, Information only"}
		}
	}
	for _, r := range c.Rungs {
		if !slices.Contains(ward.Rungs, r) || (r == ward.RungDutyOfficer && c.Org != "") {
			return c, &ward.Invalid{Field: "rungs", Problem: fmt.Sprintf("%q is not a rung here", r), Hint: "use contact, lead, group_lead or executive; duty_officer for the national desk"}
		}
	}
	if len(c.Addresses) == 0 || len(c.Addresses) > mostAddresses {
		return c, &ward.Invalid{Field: "addresses", Problem: fmt.Sprintf("are %d", len(c.Addresses)), Hint: fmt.Sprintf("give 1 to %d", mostAddresses)}
	}
	c.Addresses = slices.Clone(c.Addresses)
	for i, a := range c.Addresses {
		if c.Addresses[i].To, err = checkedAddress(a); err != nil {
			return c, err
		}
		if slices.ContainsFunc(c.Addresses[:i], func(b ward.Address) bool { return b.Channel == a.Channel && b.To == c.Addresses[i].To }) {
			return c, &ward.Invalid{Field: "addresses", Problem: "names one address twice", Hint: "leave one out"}
		}
	}
	return c, nil
}

var (
	mobile = regexp.MustCompile(`^\+[1-9]\d{7,14}$`)
	dialed = regexp.MustCompile(`^\+?[0-9][0-9 ]{2,28}[0-9](( ext\.? ?| x ?|,| bleep ?)[0-9]{1,8})?$`)
)

// checkedAddress is an address as it is kept.
func checkedAddress(a ward.Address) (string, error) {
	bad := func(problem, hint string) (string, error) {
		return "", &ward.Invalid{Field: "addresses", Problem: fmt.Sprintf("%q %s", oneLine(a.To), problem), Hint: hint}
	}
	to := strings.TrimSpace(a.To)
	if len(to) > 2000 {
		return bad("is too long", "give the address alone")
	}
	switch a.Channel {
	case ward.Email:
		parsed, err := mail.ParseAddress(to)
		if err != nil || parsed.Address != to || len(to) > 254 || oneLine(to) != to || strings.ContainsAny(to, " \"<>,;:") || strings.ContainsFunc(to, func(r rune) bool { return r > unicode.MaxASCII }) {
			return bad("is not an e-mail address", "give it alone, such as cyber@hospital.example")
		}
	case ward.SMS:
		to = strings.NewReplacer(" ", "", "-", "", "(0)", "", "(", "", ")", "").Replace(to)
		if !mobile.MatchString(to) {
			return bad("is not an international telephone number", "begin with + and the country: +44 7700 900123")
		}
	case ward.Voice:
		if !dialed.MatchString(to) {
			return bad("is not a telephone number", "write 01632 960001 or 01632 960001 ext 12")
		}
	case ward.Teams, ward.Slack, ward.Webhook:
		u, err := url.Parse(to)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || oneLine(to) != to || strings.Contains(to, " ") {
			return bad("is not an https address", "copy the whole address that the workflow shows, beginning with https://")
		}
	default:
		return "", &ward.Invalid{Field: "addresses", Problem: fmt.Sprintf("%q is not a channel", a.Channel), Hint: "use email, sms, teams, slack, webhook or voice"}
	}
	return to, nil
}

// Rota lists the turns that are not over, of an organisation or of the national desk.
func (o *Outbox) Rota(ctx context.Context, scope ward.Scope, org ward.OrgID) (shifts []ward.Shift, err error) {
	if !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	err = o.store.View(ctx, func(tx *store.Tx) error {
		shifts, err = tx.Shifts(ctx, scope, org, o.clock.Now())
		return err
	})
	return shifts, err
}

// Rotation is a rota in one line: these contacts in turn, each for Days, from a time on.
type Rotation struct {
	Org      ward.OrgID
	Rung     ward.Rung
	Contacts []ward.ContactID
	From     time.Time
	Days     int // of one turn, by the clock on the wall: a turn that begins at nine ends at nine, in summer time too
	Turns    int
}

const mostTurns = 400

// Rotate writes a rotation, in place of the turns of that rung from its beginning on.
func (o *Outbox) Rotate(ctx context.Context, who ward.Actor, r Rotation) ([]ward.Shift, error) {
	if err := who.NeedFor(ward.MayContact, r.Org); err != nil {
		return nil, err
	}
	rotating := []ward.Rung{ward.RungLead, ward.RungExecutive}
	if r.Org == "" {
		rotating = []ward.Rung{ward.RungDutyOfficer}
	}
	switch {
	case !slices.Contains(rotating, r.Rung):
		return nil, &ward.Invalid{Field: "rung", Problem: fmt.Sprintf("%q has no rota", r.Rung), Hint: fmt.Sprintf("use %s", act.Names(texts(rotating)))}
	case len(r.Contacts) == 0 || r.Turns < 1 || r.Turns > mostTurns:
		return nil, &ward.Invalid{Field: "turns", Problem: "are none, or too many", Hint: fmt.Sprintf("name who takes turns, and 1 to %d turns", mostTurns)}
	case r.Days < 1 || r.Days > 366:
		return nil, &ward.Invalid{Field: "days", Problem: fmt.Sprintf("%d is no length of a turn", r.Days), Hint: "a week is 7"}
	case r.From.IsZero():
		return nil, &ward.Invalid{Field: "from", Problem: "is empty", Hint: "say when the first turn begins"}
	}
	var shifts []ward.Shift
	err := o.store.Update(ctx, func(tx *store.Tx) error {
		for _, id := range r.Contacts {
			c, err := tx.Contact(ctx, who.Scope, id)
			if err != nil || c.Org != r.Org {
				return &ward.Invalid{Field: "contacts", Problem: fmt.Sprintf("%d is no contact of it", id), Hint: "add the contact first"}
			}
		}
		if err := tx.CutShifts(ctx, r.Org, r.Rung, r.From); err != nil {
			return err
		}
		from := r.From.In(o.Zone)
		for turn := range r.Turns {
			until := from.AddDate(0, 0, r.Days)
			s := ward.Shift{Org: r.Org, Rung: r.Rung, Contact: r.Contacts[turn%len(r.Contacts)], Since: from.UTC(), Until: until.UTC()}
			if err := tx.AddShift(ctx, s); err != nil {
				return err
			}
			from = until
		}
		if err := tx.Audit(ctx, ward.AuditEntry{At: o.clock.Now(), Person: who.Person, Name: who.Name, Action: "notify.rotate", Subject: string(r.Rung), Org: r.Org,
			Detail: fmt.Sprintf("%d turns of %d days from %s", r.Turns, r.Days, act.When(r.From))}); err != nil {
			return err
		}
		var err error
		shifts, err = tx.Shifts(ctx, who.Scope, r.Org, r.From)
		return err
	})
	return shifts, err
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// CallList is whom to telephone when everything else is down, to be printed while everything works: the contacts within scope
// that have a number, by organisation and in order. It is no list of who is told: people without a number are not on it.
func (o *Outbox) CallList(ctx context.Context, scope ward.Scope) (calls []ward.Call, err error) {
	now := o.clock.Now()
	names := map[ward.OrgID]string{}
	err = o.store.View(ctx, func(tx *store.Tx) error {
		orgs, err := tx.Organisations(ctx, scope)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			if org.Closed.IsZero() || org.Closed.After(now) {
				names[org.ID] = org.Name
			}
		}
		contacts, err := tx.EveryContact(ctx, scope)
		if err != nil {
			return err
		}
		shifts := map[ward.OrgID][]ward.Shift{}
		for _, c := range contacts {
			var numbers []string
			for _, a := range c.Addresses {
				if a.Channel == ward.Voice || a.Channel == ward.SMS {
					numbers = append(numbers, a.To)
				}
			}
			name, open := names[c.Org]
			if len(numbers) == 0 || (!open && c.Org != "") {
				continue
			}
			turns, known := shifts[c.Org]
			if !known {
				if turns, err = tx.Shifts(ctx, scope, c.Org, now); err != nil {
					return err
				}
				shifts[c.Org] = turns
			}
			call := ward.Call{Org: c.Org, OrgName: name, Rung: ward.RungContact, Contact: c.ID, Name: c.Name, Kind: c.Kind, Order: c.Order, Numbers: numbers, Hours: c.Hours, LastProved: c.LastProved()}
			if len(c.Rungs) > 0 {
				call.Rung = c.Rungs[0]
			}
			call.OnCall = slices.ContainsFunc(turns, func(s ward.Shift) bool { return s.Contact == c.ID && !s.Since.After(now) })
			calls = append(calls, call)
		}
		return nil
	})
	slices.SortStableFunc(calls, func(a, b ward.Call) int {
		return cmp.Or(strings.Compare(a.OrgName, b.OrgName), strings.Compare(string(a.Org), string(b.Org)))
	})
	return calls, err
}
