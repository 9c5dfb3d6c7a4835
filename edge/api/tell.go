package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

// Telling is who is told and what became of it: *notify.Outbox.
type Telling interface {
	Contacts(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Contact, error)
	Contact(ctx context.Context, scope ward.Scope, id ward.ContactID) (ward.Contact, error)
	AddContact(ctx context.Context, who ward.Actor, c ward.Contact) (ward.Contact, error)
	EditContact(ctx context.Context, who ward.Actor, version int, c ward.Contact) (ward.Contact, error)
	RemoveContact(ctx context.Context, who ward.Actor, id ward.ContactID) error
	Hooks(ctx context.Context, who ward.Actor, id ward.ContactID) ([]notify.Hook, error)
	Test(ctx context.Context, who ward.Actor, org ward.OrgID) (contacts int, err error)
	Rota(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Shift, error)
	Rotate(ctx context.Context, who ward.Actor, r notify.Rotation) ([]ward.Shift, error)
	CallList(ctx context.Context, scope ward.Scope) ([]ward.Call, error)
	Recipients(ctx context.Context, scope ward.Scope, orgs []ward.OrgID, n ward.Notice) ([]ward.Recipient, error)
	Deliveries(ctx context.Context, scope ward.Scope, q notify.DeliveryQuery) (ward.Page[ward.Delivery], error)
	Delivered(ctx context.Context, scope ward.Scope, alert ward.AlertID) (notify.Summary, error)
}

// ContactWords is what a person writes of a contact.
type ContactWords struct {
	Name       string           `json:"name" minLength:"1" maxLength:"200"`
	Kind       ward.ContactKind `json:"kind" enum:"person,mailbox,switchboard"`
	Addresses  []Address        `json:"addresses" minItems:"1" maxItems:"10"`
	Hours      string           `json:"hours,omitempty" maxLength:"1000" doc:"when to tell it at once, on the operator's clock: Mon-Fri 08:00-18:00; at any hour when left out"`
	Severities []ward.Severity  `json:"severities,omitempty" maxItems:"4" doc:"of alerts that it is told of; all when left out"`
	Rungs      []ward.Rung      `json:"rungs,omitempty" maxItems:"5" doc:"contact, lead, group_lead, executive, duty_officer; contact when left out"`
	Order      int              `json:"order,omitempty" minimum:"0" maximum:"1000" doc:"the first to be telephoned lowest"`
}

// Address is one way to reach a contact.
type Address struct {
	Channel ward.Channel `json:"channel" enum:"voice,email,sms,teams,slack,webhook"`
	To      string       `json:"to" maxLength:"2000" doc:"an address, an international telephone number, or an https URL"`
	Proved  time.Time    `json:"proved,omitempty,omitzero" readOnly:"true"`
	How     string       `json:"how,omitempty" maxLength:"100" readOnly:"true"`
}

// Contact is somebody who is told on behalf of an organisation.
type Contact struct {
	ID      ward.ContactID `json:"id"`
	Org     ward.OrgID     `json:"org,omitempty" doc:"left out for the national desk"`
	Version int            `json:"version" doc:"the ETag"`
	ContactWords
	LastProved time.Time `json:"last_proved,omitzero" doc:"when any address was last seen to work"`
	Updated    time.Time `json:"updated,omitzero"`
	UpdatedBy  string    `json:"updated_by,omitempty"`
}

// contactOf shows a contact. The address of a chat or webhook holds the right to post there: only those who keep the contact see
// it whole.
func contactOf(who ward.Actor) func(ward.Contact) Contact {
	return func(c ward.Contact) Contact {
		addresses := make([]Address, len(c.Addresses))
		for i, a := range c.Addresses {
			to := a.Shown()
			if who.NeedFor(ward.MayContact, c.Org) == nil {
				to = a.To
			}
			addresses[i] = Address{a.Channel, to, a.Proved, a.How}
		}
		return Contact{c.ID, c.Org, c.Version, ContactWords{c.Name, c.Kind, addresses, c.Hours.String(), c.Severities, c.Rungs, c.Order}, c.LastProved(), c.Updated, c.UpdatedBy}
	}
}

func (w ContactWords) contact() (ward.Contact, error) {
	hours, err := ward.ParseHours(w.Hours)
	if err != nil {
		return ward.Contact{}, err
	}
	addresses := make([]ward.Address, len(w.Addresses))
	for i, a := range w.Addresses {
		addresses[i] = ward.Address{Channel: a.Channel, To: a.To}
	}
	return ward.Contact{Name: w.Name, Kind: w.Kind, Addresses: addresses, Hours: hours, Severities: w.Severities, Rungs: w.Rungs, Order: w.Order}, nil
}

// Shift is one turn on a rota.
type Shift struct {
	Org     ward.OrgID     `json:"org,omitempty"`
	Rung    ward.Rung      `json:"rung"`
	Contact ward.ContactID `json:"contact"`
	Name    string         `json:"name"`
	Since   time.Time      `json:"since,omitzero"`
	Until   time.Time      `json:"until,omitzero"`
}

func shiftOf(s ward.Shift) Shift { return Shift{s.Org, s.Rung, s.Contact, s.Name, s.Since, s.Until} }

// Call is one line of the call list.
type Call struct {
	Org        ward.OrgID       `json:"org,omitempty"`
	OrgName    string           `json:"org_name,omitempty"`
	Rung       ward.Rung        `json:"rung"`
	OnCall     bool             `json:"on_call" doc:"by the rota, now"`
	Contact    ward.ContactID   `json:"contact"`
	Name       string           `json:"name"`
	Kind       ward.ContactKind `json:"kind"`
	Order      int              `json:"order"`
	Numbers    []string         `json:"numbers" nullable:"false"`
	Hours      string           `json:"hours,omitempty"`
	LastProved time.Time        `json:"last_proved,omitzero"`
}

func callOf(c ward.Call) Call {
	return Call{c.Org, c.OrgName, c.Rung, c.OnCall, c.Contact, c.Name, c.Kind, c.Order, c.Numbers, c.Hours.String(), c.LastProved}
}

// Delivery is one message on its way to one address.
type Delivery struct {
	Key      string             `json:"key" doc:"the Message-ID, reference or webhook-id: a message that came twice has it twice"`
	Kind     string             `json:"kind" doc:"of the notice"`
	Alert    ward.AlertID       `json:"alert,omitempty"`
	Org      ward.OrgID         `json:"org,omitempty"`
	Contact  ward.ContactID     `json:"contact,omitempty" doc:"left out where nobody is named"`
	Name     string             `json:"name,omitempty"`
	Rung     ward.Rung          `json:"rung"`
	Channel  ward.Channel       `json:"channel,omitempty"`
	To       string             `json:"to,omitempty" doc:"of a chat or webhook only its host"`
	State    ward.DeliveryState `json:"state" enum:"queued,sending,handed,delivered,bounced,failed,given_up"`
	Attempts int                `json:"attempts"`
	NextTry  time.Time          `json:"next_try,omitzero"`
	Detail   string             `json:"detail,omitempty"`
	Created  time.Time          `json:"created,omitzero"`
	Handed   time.Time          `json:"handed,omitzero"`
	Settled  time.Time          `json:"settled,omitzero"`
	Used     time.Time          `json:"used,omitzero" doc:"when its link was used"`
}

func deliveryOf(d ward.Delivery) Delivery {
	return Delivery{d.Key, d.Kind, d.Alert, d.Org, d.Contact, d.Name, d.Rung, d.Channel, d.To, d.State, d.Attempts, d.NextTry, d.Detail, d.Created, d.Handed, d.Settled, d.Used}
}

// Delivered is how an alert's messages stand.
type Delivered struct {
	Words         string                     `json:"words" example:"3 of 230 not delivered: 2 bounced, 1 failed"`
	Organisations int                        `json:"organisations"`
	Reached       int                        `json:"reached"`
	Waiting       int                        `json:"waiting"`
	Unreached     []Unreached                `json:"unreached" nullable:"false"`
	Messages      map[ward.DeliveryState]int `json:"messages"`
}

// Unreached is an organisation that no message will reach.
type Unreached struct {
	Org   ward.OrgID         `json:"org"`
	State ward.DeliveryState `json:"state"`
	Why   string             `json:"why"`
	At    time.Time          `json:"at,omitzero"`
}

func deliveredOf(s notify.Summary) Delivered {
	return Delivered{s.Words(), s.Organisations, s.Reached, s.Waiting, shapes(s.Unreached, func(u notify.Unreached) Unreached { return Unreached(u) }), s.Messages}
}

// Recipient is somebody who would be told, by one address.
type Recipient struct {
	Org     ward.OrgID     `json:"org,omitempty"`
	Rung    ward.Rung      `json:"rung"`
	Contact ward.ContactID `json:"contact,omitempty" doc:"left out where nobody is named"`
	Name    string         `json:"name,omitempty"`
	Channel ward.Channel   `json:"channel,omitempty"`
	To      string         `json:"to,omitempty"`
	At      time.Time      `json:"at,omitzero" doc:"now, or when the contact's hours begin"`
	Why     string         `json:"why,omitempty"`
}

func recipientOf(r ward.Recipient) Recipient { return Recipient(r) }

// whose is the organisation that a caller means: the own where none is named.
func whose(who ward.Actor, code string) ward.OrgID {
	if org := orgOf(code); org != "" {
		return org
	}
	return who.Org
}

// ContactID is the contact in a path.
type ContactID struct {
	ID int64 `path:"contact" minimum:"1"`
}

func (a *API) telling() {
	t := a.rooms.Telling
	shaped := func(who ward.Actor, c ward.Contact, err error) (*Versioned[Contact], error) {
		return versioned(c, c.Version, err, contactOf(who))
	}
	route(a, http.MethodGet, "/contacts", "contacts", "List who is told on behalf of an organisation or the national desk, in order",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org string `query:"org" maxLength:"20" doc:"your own when left out"`
		}) (*Listed[Contact], error) {
			items, err := t.Contacts(ctx, who.Scope, whose(who, in.Org))
			page, err := part(items, err, in.Paging)
			return listed(page, err, contactOf(who))
		})
	route(a, http.MethodPost, "/contacts", "contacts", "Add a contact",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org  string `query:"org" maxLength:"20" doc:"your own when left out"`
			Body ContactWords
		}) (*Versioned[Contact], error) {
			c, err := in.Body.contact()
			if err != nil {
				return nil, err
			}
			c.Org = whose(who, in.Org)
			c, err = t.AddContact(ctx, who, c)
			return shaped(who, c, err)
		}, created)
	route(a, http.MethodGet, "/contacts/{contact}", "contacts", "Read one contact",
		func(ctx context.Context, who ward.Actor, in *ContactID) (*Versioned[Contact], error) {
			c, err := t.Contact(ctx, who.Scope, ward.ContactID(in.ID))
			return shaped(who, c, err)
		})
	route(a, http.MethodPut, "/contacts/{contact}", "contacts", "Change a contact",
		func(ctx context.Context, who ward.Actor, in *struct {
			ContactID
			Match
			Body ContactWords
		}) (*Versioned[Contact], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			c, err := in.Body.contact()
			if err != nil {
				return nil, err
			}
			c.ID = ward.ContactID(in.ID)
			c, err = t.EditContact(ctx, who, version, c)
			return shaped(who, c, err)
		}, document("What waits for an address that is taken off is not sent any more."))
	route(a, http.MethodDelete, "/contacts/{contact}", "contacts", "Remove a contact",
		func(ctx context.Context, who ward.Actor, in *ContactID) (*Done, error) {
			return &Done{}, t.RemoveContact(ctx, who, ward.ContactID(in.ID))
		})
	route(a, http.MethodGet, "/contacts/{contact}/webhooks", "contacts", "Read the secrets that a contact's webhooks check signatures with",
		func(ctx context.Context, who ward.Actor, in *struct {
			ContactID
			Paging
		}) (*Listed[Hook], error) {
			items, err := t.Hooks(ctx, who, ward.ContactID(in.ID))
			page, err := part(items, err, in.Paging)
			return listed(page, err, func(h notify.Hook) Hook { return Hook(h) })
		}, document("In the form of Standard Webhooks. Reading them is recorded."))
	route(a, http.MethodPost, "/contact-tests", "contacts", "Send a test message to every contact of an organisation or of the national desk",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org string `query:"org" maxLength:"20" doc:"your own when left out"`
		}) (*One[Tested], error) {
			n, err := t.Test(ctx, who, whose(who, in.Org))
			return one(n, err, func(n int) Tested { return Tested{n} })
		})
	a.rota()
	route(a, http.MethodGet, "/call-list", "contacts", "Read whom to telephone when everything else is down",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Call], error) {
			items, err := t.CallList(ctx, who.Scope)
			page, err := part(items, err, in.Paging)
			return listed(page, err, callOf)
		}, document("Print it while everything works."))
	header := []string{"org", "organisation", "order", "name", "kind", "rung", "on_call", "numbers", "hours", "last_proved"}
	route(a, http.MethodGet, "/call-list.csv", "contacts", "Export the call list as CSV",
		func(ctx context.Context, who ward.Actor, _ *struct{}) (*huma.StreamResponse, error) {
			items, err := t.CallList(ctx, who.Scope)
			if err != nil {
				return nil, err
			}
			return a.table(ctx, "call-list.csv", header, func() (rows [][]string, more bool, err error) {
				for _, c := range items {
					rows = append(rows, []string{string(c.Org), c.OrgName, strconv.Itoa(c.Order), c.Name, string(c.Kind), string(c.Rung), strconv.FormatBool(c.OnCall),
						strings.Join(c.Numbers, "; "), c.Hours.String(), stamp(c.LastProved)})
				}
				return rows, false, nil
			}), nil
		}, asCSV)
	a.deliveries()
}

// Hook is a webhook, with what its receiver checks signatures with.
type Hook struct {
	To     string `json:"to"`
	Secret string `json:"secret" example:"whsec_..."`
}

// Tested is what a test came to.
type Tested struct {
	Contacts int `json:"contacts" doc:"that a test is on its way to"`
}

func (a *API) rota() {
	t := a.rooms.Telling
	route(a, http.MethodGet, "/rota", "contacts", "Read the turns that are not over",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org string `query:"org" maxLength:"20" doc:"your own when left out"`
		}) (*Listed[Shift], error) {
			items, err := t.Rota(ctx, who.Scope, whose(who, in.Org))
			page, err := part(items, err, in.Paging)
			return listed(page, err, shiftOf)
		})
	route(a, http.MethodPost, "/rota", "contacts", "Write a rotation, in place of the turns from its beginning on",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org  string `query:"org" maxLength:"20" doc:"your own when left out"`
			Body struct {
				Rung     ward.Rung `json:"rung" enum:"lead,executive,duty_officer"`
				Contacts []int64   `json:"contacts" minItems:"1" maxItems:"50" doc:"who take turns"`
				From     time.Time `json:"from"`
				Days     int       `json:"days" minimum:"1" maximum:"366" doc:"of one turn"`
				Turns    int       `json:"turns" minimum:"1" maximum:"400"`
			}
		}) (*Listed[Shift], error) {
			b := in.Body
			items, err := t.Rotate(ctx, who, notify.Rotation{Org: whose(who, in.Org), Rung: b.Rung, Contacts: shapes(b.Contacts, func(id int64) ward.ContactID { return ward.ContactID(id) }), From: b.From, Days: b.Days, Turns: b.Turns})
			return listed(ward.Page[ward.Shift]{Items: items}, err, shiftOf)
		})
}

func (a *API) deliveries() {
	t := a.rooms.Telling
	route(a, http.MethodGet, "/deliveries", "deliveries", "List messages and what became of them, newest first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org   string `query:"org" maxLength:"20"`
			Alert string `query:"alert" maxLength:"40"`
			State string `query:"state" enum:"queued,sending,handed,delivered,bounced,failed,given_up"`
		}) (*Listed[Delivery], error) {
			q := notify.DeliveryQuery{Alert: ward.AlertID(in.Alert), State: ward.DeliveryState(in.State), After: in.After, Limit: in.Limit}
			if in.Org != "" {
				org := orgOf(in.Org)
				q.Org = &org
			}
			page, err := t.Deliveries(ctx, who.Scope, q)
			return listed(page, err, deliveryOf)
		})
	route(a, http.MethodGet, "/alerts/{alert}/delivered", "deliveries", "Say whom an alert's messages reached",
		func(ctx context.Context, who ward.Actor, in *AlertID) (*One[Delivered], error) {
			s, err := t.Delivered(ctx, who.Scope, in.id())
			return one(s, err, deliveredOf)
		})
	route(a, http.MethodGet, "/recipients", "deliveries", "Say who would be told, by which address and when",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org      string        `query:"org" maxLength:"20" doc:"your own when left out"`
			Severity ward.Severity `query:"severity" enum:"High,Medium,Low,Information only"`
			Rung     ward.Rung     `query:"rung" enum:"contact,lead,group_lead,executive,duty_officer"`
		}) (*Listed[Recipient], error) {
			items, err := t.Recipients(ctx, who.Scope, []ward.OrgID{whose(who, in.Org)}, ward.Notice{Kind: "alert.published", Severity: in.Severity, Rung: in.Rung})
			return listed(ward.Page[ward.Recipient]{Items: items}, err, recipientOf)
		})
}
