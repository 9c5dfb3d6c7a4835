package notify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// van carries messages of one channel as a test tells it to.
type van struct {
	channel ward.Channel

	mu   sync.Mutex
	got  []notify.Message
	says func(m notify.Message) error
}

func (v *van) Channel() ward.Channel { return v.channel }
func (*van) AtOnce() int             { return 3 }

func (v *van) Hand(_ context.Context, m notify.Message) (notify.Receipt, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.says != nil {
		if err := v.says(m); err != nil {
			return notify.Receipt{}, err
		}
	}
	v.got = append(v.got, m)
	return notify.Receipt{Words: "taken"}, nil
}

func (v *van) Say(says func(m notify.Message) error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.says = says
}

func (v *van) To() (to []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.got {
		to = append(to, m.To)
	}
	slices.Sort(to)
	return to
}

func (v *van) Empty() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.got = nil
}

// told is a room with a courier that carries mail and text messages.
type told struct {
	*ground.Ground
	t       *testing.T
	courier *notify.Courier
	mail    *van
	text    *van
	desk    ward.Actor
}

func open(t *testing.T, orgs ...ward.OrgID) *told {
	t.Helper()
	w := &told{Ground: ground.New(t, orgs...), t: t, mail: &van{channel: ward.Email}, text: &van{channel: ward.SMS}, desk: ground.Bea}
	w.Outbox.Answers = w.Ledger
	w.begin(notify.Options{Base: "https://watch.example/", Operator: "Coastal Watch"}, w.mail, w.text)
	return w
}

func (w *told) begin(o notify.Options, carriers ...notify.Carrier) {
	w.t.Helper()
	var err error
	if w.courier, err = notify.NewCourier(w.Outbox, carriers, o); err == nil {
		err = w.courier.Begin(w.Ctx)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// contact adds a contact with addresses "channel:to".
func (w *told) contact(org ward.OrgID, name string, change func(*ward.Contact), addresses ...string) ward.Contact {
	w.t.Helper()
	c := ward.Contact{Org: org, Name: name, Kind: ward.PersonContact}
	for _, a := range addresses {
		channel, to, _ := strings.Cut(a, ":")
		c.Addresses = append(c.Addresses, ward.Address{Channel: ward.Channel(channel), To: to})
	}
	if change != nil {
		change(&c)
	}
	c, err := w.Outbox.AddContact(w.Ctx, w.desk, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func on(rungs ...ward.Rung) func(*ward.Contact) {
	return func(c *ward.Contact) { c.Rungs = rungs }
}

func within(t *testing.T, text string) func(*ward.Contact) {
	h, err := ward.ParseHours(text)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *ward.Contact) { c.Hours = h }
}

// deliver carries what is due.
func (w *told) deliver() time.Time {
	w.t.Helper()
	next, err := w.courier.Deliver(w.Ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return next
}

func (w *told) due() {
	w.t.Helper()
	if _, err := w.courier.Due(w.Ctx, w.Clock.Now()); err != nil {
		w.t.Fatal(err)
	}
	w.deliver()
}

func (w *told) deliveries(q notify.DeliveryQuery) []ward.Delivery {
	w.t.Helper()
	page, err := w.Outbox.Deliveries(w.Ctx, ward.Everything(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Items
}

func (w *told) words(alert ward.AlertID) string {
	w.t.Helper()
	s, err := w.Outbox.Delivered(w.Ctx, ward.Everything(), alert)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Words()
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestAnAlertIsToldInPlainWordsWithALinkAndNoMore(t *testing.T) {
	w := open(t, "XZ1")
	w.Exposed("XZ1", 1, "mdm-secret-name", "12.5.0.0", "CVE-2025-4427")
	w.contact("XZ1", "Pat Field", nil, "email:pat@hospital.example")
	a := w.Publish()
	if w.deliver(); len(w.mail.got) != 1 {
		t.Fatalf("%d messages", len(w.mail.got))
	}
	m := w.mail.got[0]
	for _, part := range []string{"EXERCISE", string(a.ID), "For: ", "(XZ1)", "https://watch.example/alerts/" + string(a.ID), "https://watch.example/a/", "Coastal Watch", "Pat Field", m.Key} {
		if !strings.Contains(m.Text, part) {
			t.Errorf("%q is missing in\n%s", part, m.Text)
		}
	}
	if strings.Contains(m.Text+m.Short, "mdm-secret-name") || !strings.HasPrefix(m.Subject, "EXERCISE: ") || !strings.HasPrefix(m.Key, "ww-") {
		t.Errorf("%q\n%s", m.Subject, m.Text)
	}
	if got := w.words(a.ID); got != "Sent to 1 organisation" {
		t.Errorf("%q", got)
	}
}

func TestWithoutChannelsEverythingStaysInTheInbox(t *testing.T) {
	w := open(t, "XZ1")
	w.begin(notify.Options{})
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
	a := w.Publish()
	if all := w.deliveries(notify.DeliveryQuery{}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if got := w.words(a.ID); !strings.HasPrefix(got, "Sent nowhere") {
		t.Errorf("%q", got)
	}
}

func TestWhoIsTold(t *testing.T) {
	w := open(t, "XZ1", "XZ2", "XZ3")
	w.Row(`INSERT INTO relations VALUES ('XZ2', 'group', 'XZ1', 0, NULL)`)
	w.contact("XZ1", "Mailbox", nil, "email:cyber@one.example")
	w.contact("XZ1", "Pat", on(ward.RungContact, ward.RungLead), "email:pat@one.example", "sms:+44 7700 900001")
	w.contact("XZ1", "Sam", func(c *ward.Contact) { c.Order = 1 }, "email:sam@one.example", "sms:+447700900002")
	w.contact("XZ1", "Low only", func(c *ward.Contact) { c.Severities = []ward.Severity{ward.Low} }, "email:low@one.example")
	w.contact("XZ1", "Exec", on(ward.RungExecutive), "email:exec@one.example")
	w.contact("XZ2", "Group lead", on(ward.RungLead), "email:lead@two.example")
	w.contact("", "Duty", on(ward.RungDutyOfficer), "email:duty@watch.example")
	for _, row := range []struct {
		name string
		n    ward.Notice
		mail []string
		text []string
	}{
		{"a High alert wakes the first in order", ward.Notice{Kind: "alert.published", Org: "XZ1", Severity: ward.High}, []string{"cyber@one.example", "pat@one.example", "sam@one.example"}, []string{"+447700900001"}},
		{"a Medium alert wakes nobody", ward.Notice{Kind: "alert.published", Org: "XZ1", Severity: ward.Medium}, []string{"cyber@one.example", "pat@one.example", "sam@one.example"}, nil},
		{"a Low alert reaches who wants it", ward.Notice{Kind: "alert.published", Org: "XZ1", Severity: ward.Low}, []string{"cyber@one.example", "low@one.example", "pat@one.example", "sam@one.example"}, nil},
		{"the lead", ward.Notice{Kind: "response.escalated", Org: "XZ1", Severity: ward.High, Rung: ward.RungLead}, []string{"pat@one.example"}, []string{"+447700900001"}},
		{"the lead of the group", ward.Notice{Kind: "response.escalated", Org: "XZ1", Rung: ward.RungGroupLead}, []string{"lead@two.example"}, nil},
		{"the executive", ward.Notice{Kind: "response.escalated", Org: "XZ1", Rung: ward.RungExecutive}, []string{"exec@one.example"}, nil},
		{"the duty officer", ward.Notice{Kind: "response.escalated", Org: "XZ1", Rung: ward.RungDutyOfficer}, []string{"duty@watch.example"}, nil},
		{"an executive whom nobody named passes it on", ward.Notice{Kind: "response.escalated", Org: "XZ2", Rung: ward.RungExecutive}, []string{"duty@watch.example"}, nil},
		{"contacts whom nobody named pass it to the lead", ward.Notice{Kind: "alert.published", Org: "XZ2"}, []string{"lead@two.example"}, nil},
		{"nobody at all is not the duty officer's alert", ward.Notice{Kind: "alert.published", Org: "XZ3"}, nil, nil},
		{"the desk's own lists wake nobody", ward.Notice{Kind: "response.overdue"}, nil, nil},
		{"what is sent to the duty officer by name does", ward.Notice{Kind: "response.escalated", Rung: ward.RungDutyOfficer}, []string{"duty@watch.example"}, nil},
		{"what can wait", ward.Notice{Kind: "response.ruled", Org: "XZ1"}, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.mail.Empty()
			w.text.Empty()
			row.n.Key, row.n.Subject = row.name, row.name
			add(t, w.Ground, row.n)
			w.deliver()
			same(t, "mail", w.mail.To(), row.mail...)
			same(t, "text", w.text.To(), row.text...)
		})
	}
	failed := w.deliveries(notify.DeliveryQuery{State: ward.DeliveryFailed})
	if len(failed) != 1 || failed[0].Org != "XZ3" || !strings.Contains(failed[0].Detail, "nobody") {
		t.Errorf("who cannot be told is not said: %+v", failed)
	}
	recipients, err := w.Outbox.Recipients(w.Ctx, ward.Everything(), []ward.OrgID{"XZ1", "XZ3"}, ward.Notice{Kind: "alert.published", Severity: ward.High})
	if err != nil || len(recipients) != 5 || recipients[4].Contact != 0 || recipients[4].Why == "" {
		t.Errorf("%+v, %v", recipients, err)
	}
	if _, err := w.Outbox.Recipients(w.Ctx, ward.Only("XZ2"), []ward.OrgID{"XZ1"}, ward.Notice{Kind: "alert.published"}); err == nil {
		t.Error("another organisation reads who is told")
	}
}

func TestTheNextInOrderIsWokenWhereTheFirstCannotBe(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat", nil, "sms:+447700900001")
	w.contact("XZ1", "Sam", func(c *ward.Contact) { c.Order = 1 }, "sms:+447700900002")
	w.text.Say(func(m notify.Message) error {
		if m.To == "+447700900001" {
			return &notify.Refusal{Cause: notify.Bounced, Why: "no such number"}
		}
		return nil
	})
	a := w.Publish()
	w.deliver()
	same(t, "text", w.text.To(), "+447700900002")
	if got := w.words(a.ID); got != "Sent to 1 organisation" {
		t.Errorf("%q", got)
	}
}

func TestHoursAreOnTheClockOnTheWall(t *testing.T) {
	w := open(t, "XZ1")
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	w.Outbox.Zone = london
	w.contact("XZ1", "Office", within(t, "Mon-Fri 09:00-17:00"), "email:office@hospital.example")
	w.contact("XZ1", "Always", nil, "email:always@hospital.example")
	w.Clock.Set(time.Date(2025, 3, 28, 18, 0, 0, 0, time.UTC)) // Friday evening; the clocks go forward on Sunday
	w.Publish()
	next := w.deliver()
	same(t, "on Friday", w.mail.To(), "always@hospital.example")
	if want := time.Date(2025, 3, 31, 8, 0, 0, 0, time.UTC); !next.Equal(want) {
		t.Errorf("next at %s, want %s", next, want)
	}
	w.Clock.Set(next)
	w.deliver()
	same(t, "on Monday", w.mail.To(), "always@hospital.example", "office@hospital.example")
}

func TestTheRotaSaysWhoIsOnCall(t *testing.T) {
	w := open(t, "XZ1")
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	w.Outbox.Zone = london
	a := w.contact("XZ1", "A", on(ward.RungExecutive), "email:a@hospital.example")
	b := w.contact("XZ1", "B", on(ward.RungExecutive), "email:b@hospital.example")
	from := time.Date(2025, 10, 24, 8, 0, 0, 0, time.UTC) // nine in the morning; summer time ends two days later
	shifts, err := w.Outbox.Rotate(w.Ctx, w.desk, notify.Rotation{Org: "XZ1", Rung: ward.RungExecutive, Contacts: []ward.ContactID{a.ID, b.ID}, From: from, Days: 7, Turns: 3})
	if err != nil || len(shifts) != 3 || !shifts[1].Since.Equal(time.Date(2025, 10, 31, 9, 0, 0, 0, time.UTC)) || shifts[2].Name != "A" {
		t.Fatalf("%+v, %v", shifts, err)
	}
	for i, row := range []struct {
		at   time.Time
		want []string
	}{
		{from.Add(-time.Hour), []string{"a@hospital.example", "b@hospital.example"}},
		{from, []string{"a@hospital.example"}},
		{shifts[1].Since.Add(-time.Second), []string{"a@hospital.example"}},
		{shifts[1].Since, []string{"b@hospital.example"}},
		{shifts[2].Until, []string{"a@hospital.example", "b@hospital.example"}},
	} {
		w.mail.Empty()
		w.Clock.Set(row.at)
		add(t, w.Ground, ward.Notice{Key: fmt.Sprint(i), Org: "XZ1", Kind: "response.escalated", Rung: ward.RungExecutive, Subject: "late"})
		w.deliver()
		same(t, row.at.String(), w.mail.To(), row.want...)
	}
	w.Clock.Set(shifts[1].Since)
	calls, err := w.Outbox.CallList(w.Ctx, ward.Everything())
	if err != nil || len(calls) != 0 {
		t.Errorf("people without a number are on the call list: %+v, %v", calls, err)
	}
}

func TestTheCallListIsInOrder(t *testing.T) {
	w := open(t, "XZ1", "XZ2", "XZ3")
	w.Row(`UPDATE organisations SET name = 'Alder', closed = 1 WHERE id = 'XZ3'`)
	w.contact("XZ3", "Gone", nil, "voice:01632 960009")
	w.contact("XZ2", "Second", func(c *ward.Contact) { c.Order = 2 }, "voice:01632 960002", "email:s@hospital.example")
	w.contact("XZ2", "First", func(c *ward.Contact) { c.Order, c.Kind = 1, ward.Switchboard }, "voice:01632 960001 ext 12")
	w.contact("XZ1", "Only mail", nil, "email:m@hospital.example")
	w.contact("", "Duty", nil, "sms:+447700900003")
	calls, err := w.Outbox.CallList(w.Ctx, ward.Everything())
	var got []string
	for _, c := range calls {
		got = append(got, c.Name+" "+strings.Join(c.Numbers, ","))
	}
	if want := []string{"Duty +447700900003", "First 01632 960001 ext 12", "Second 01632 960002"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if calls, err = w.Outbox.CallList(w.Ctx, ward.Only("XZ1")); err != nil || len(calls) != 0 {
		t.Errorf("another organisation's numbers: %+v, %v", calls, err)
	}
}

func TestOneEventPagesOnceAndTheRestIsADigest(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
	for i := range 5 { // one import contradicts five answers
		add(t, w.Ground, ward.Notice{Key: fmt.Sprint("c", i), Org: "XZ1", Kind: "response.contradicted", Subject: fmt.Sprint("contradicted ", i), Created: w.Clock.Now().Add(time.Duration(i) * time.Second)})
	}
	add(t, w.Ground, ward.Notice{Key: "named", Org: "XZ1", Kind: "response.reminder", Event: "storm", Subject: "a"})
	add(t, w.Ground, ward.Notice{Key: "named again", Org: "XZ1", Kind: "response.reminder", Event: "storm", Subject: "b"})
	add(t, w.Ground, ward.Notice{Key: "quiet", Org: "XZ1", Kind: "response.ruled", Subject: "ruled"})
	w.deliver()
	if got := w.mail.To(); len(got) != 2 {
		t.Fatalf("%d pages: %q", len(got), got)
	}
	w.mail.Empty()
	w.Clock.Set(time.Date(2025, 5, 14, 7, 59, 0, 0, time.UTC))
	if w.due(); len(w.mail.got) != 0 {
		t.Error("a digest before its time")
	}
	for range 3 { // asked again and again, also by a new process
		w.Clock.Advance(time.Minute)
		w.due()
		w.begin(notify.Options{}, w.mail, w.text)
	}
	if len(w.mail.got) != 1 {
		t.Fatalf("%d digests", len(w.mail.got))
	}
	m := w.mail.got[0]
	for _, part := range []string{"6 notices", "contradicted 4", "ruled", "b ("} {
		if !strings.Contains(m.Text, part) {
			t.Errorf("%q is missing in\n%s", part, m.Text)
		}
	}
	page, err := w.Outbox.Inbox(w.Ctx, ward.Only("XZ1"), "XZ1", "", 0)
	if err != nil || len(page.Items) != 8 {
		t.Errorf("%d in the inbox, where the digest is not shown: %v", len(page.Items), err)
	}
	w.Clock.Advance(24 * time.Hour)
	if w.due(); len(w.mail.got) != 1 {
		t.Error("a digest of nothing")
	}
}

func TestAClosedOrganisation(t *testing.T) {
	w := open(t, "XZ1", "XZ2", "XZ3")
	closed := w.Clock.Now().Add(-time.Hour).UnixMicro()
	w.Row(`UPDATE organisations SET closed = $1 WHERE id IN ('XZ1', 'XZ3')`, closed)
	w.Row(`INSERT INTO relations VALUES ('XZ2', 'successor', 'XZ1', 0, NULL)`)
	w.contact("XZ1", "Old", nil, "email:old@one.example")
	w.contact("XZ2", "New", nil, "email:new@two.example")
	add(t, w.Ground, ward.Notice{Key: "a", Org: "XZ1", Kind: "response.overdue", Subject: "late"})
	add(t, w.Ground, ward.Notice{Key: "b", Org: "XZ3", Kind: "response.overdue", Subject: "late"})
	w.deliver()
	same(t, "the successor", w.mail.To(), "new@two.example")
	failed := w.deliveries(notify.DeliveryQuery{State: ward.DeliveryFailed})
	if len(failed) != 1 || failed[0].Org != "XZ3" || !strings.HasPrefix(failed[0].Detail, "closed on ") {
		t.Errorf("%+v", failed)
	}
}

func TestAContactInTwoOrganisations(t *testing.T) {
	w := open(t, "XZ1", "XZ2")
	for _, org := range []ward.OrgID{"XZ1", "XZ2"} {
		w.contact(org, "Pat", nil, "email:pat@shared.example")
	}
	a := w.Publish()
	w.deliver()
	if len(w.mail.got) != 2 || w.mail.got[0].Key == w.mail.got[1].Key || w.mail.got[0].Org == w.mail.got[1].Org {
		t.Fatalf("%+v", w.mail.got)
	}
	one := w.mail.got[slices.IndexFunc(w.mail.got, func(m notify.Message) bool { return m.Org == "XZ1" })]
	if _, err := w.Outbox.Redeem(w.Ctx, one.Confirm[strings.LastIndex(one.Confirm, "/")+1:]); err != nil {
		t.Fatal(err)
	}
	if mine, other := w.Response(a.ID, "XZ1"), w.Response(a.ID, "XZ2"); mine.State != ward.InProgress || other.State != ward.Unanswered {
		t.Errorf("%s and %s", mine.State, other.State)
	}
}

func TestNobodyReachedIsToldToTheDesk(t *testing.T) {
	w := open(t, "XZ1", "XZ2", "XZ3")
	for _, org := range []ward.OrgID{"XZ1", "XZ2", "XZ3"} {
		w.contact(org, "Pat", nil, "email:"+strings.ToLower(string(org))+"@hospital.example")
	}
	w.contact("", "Desk", nil, "email:desk@watch.example")
	w.mail.Say(func(m notify.Message) error {
		if m.Org == "XZ1" || m.Org == "XZ2" {
			return &notify.Refusal{Cause: notify.Bounced, Why: "550 no such mailbox\r\nX-Injected: yes"}
		}
		return nil
	})
	a := w.Publish()
	w.deliver()
	if got := w.words(a.ID); got != "2 of 3 not delivered: 2 bounced" {
		t.Errorf("%q", got)
	}
	w.deliver()
	same(t, "the desk is paged once for the event", w.mail.To(), "desk@watch.example", "xz3@hospital.example")
	page, err := w.Outbox.Inbox(w.Ctx, ward.Everything(), "", "", 0)
	if err != nil || len(page.Items) != 2 {
		t.Errorf("%+v, %v", page.Items, err)
	}
	if d := w.deliveries(notify.DeliveryQuery{State: ward.DeliveryBounced}); len(d) != 2 || strings.ContainsAny(d[0].Detail, "\r\n") {
		t.Errorf("%+v", d)
	}
	if s, err := w.Outbox.Delivered(w.Ctx, ward.Only("XZ3"), a.ID); err != nil || s.Organisations != 1 || len(s.Unreached) != 0 {
		t.Errorf("another organisation's deliveries: %+v, %v", s, err)
	}
}

func TestATakenOffAddressIsNotSentTo(t *testing.T) {
	w := open(t, "XZ1")
	c := w.contact("XZ1", "Pat", nil, "email:old@hospital.example", "email:kept@hospital.example")
	w.Publish()
	c.Addresses = c.Addresses[1:]
	if _, err := w.Outbox.EditContact(w.Ctx, w.desk, 2, c); err == nil {
		t.Error("another version was changed")
	}
	c, err := w.Outbox.EditContact(w.Ctx, w.desk, 1, c)
	if err != nil || c.Version != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	w.deliver()
	same(t, "mail", w.mail.To(), "kept@hospital.example")
	if err := w.Outbox.RemoveContact(w.Ctx, ground.Person("P", ward.Lead, "XZ2"), c.ID); err == nil {
		t.Error("another organisation removed a contact")
	}
	if err := w.Outbox.RemoveContact(w.Ctx, w.desk, c.ID); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoContact(t *testing.T) {
	w := open(t, "XZ1")
	for _, row := range []struct {
		name   string
		change func(*ward.Contact)
		field  string
	}{
		{"no name", func(c *ward.Contact) { c.Name = " \u202e " }, "name"},
		{"no kind", func(c *ward.Contact) { c.Kind = "robot" }, "kind"},
		{"no address", func(c *ward.Contact) { c.Addresses = nil }, "addresses"},
		{"twice", func(c *ward.Contact) { c.Addresses = append(c.Addresses, c.Addresses...) }, "addresses"},
		{"header in an address", func(c *ward.Contact) { c.Addresses[0].To = "a@b.example\r\nBcc: c@d.example" }, "addresses"},
		{"two addresses in one", func(c *ward.Contact) { c.Addresses[0].To = "a@b.example,c@d.example" }, "addresses"},
		{"name in an address", func(c *ward.Contact) { c.Addresses[0].To = "Pat <a@b.example>" }, "addresses"},
		{"national number", func(c *ward.Contact) { c.Addresses[0] = ward.Address{Channel: ward.SMS, To: "07700 900001"} }, "addresses"},
		{"formula for a number", func(c *ward.Contact) { c.Addresses[0] = ward.Address{Channel: ward.Voice, To: "=1+1"} }, "addresses"},
		{"webhook in the clear", func(c *ward.Contact) {
			c.Addresses[0] = ward.Address{Channel: ward.Webhook, To: "http://hook.example/"}
		}, "addresses"},
		{"webhook with a password", func(c *ward.Contact) {
			c.Addresses[0] = ward.Address{Channel: ward.Teams, To: "https://a:b@hook.example/"}
		}, "addresses"},
		{"pigeon", func(c *ward.Contact) { c.Addresses[0].Channel = "pigeon" }, "addresses"},
		{"severity", func(c *ward.Contact) { c.Severities = []ward.Severity{"Dire"} }, "severities"},
		{"the national duty officer", on(ward.RungDutyOfficer), "rungs"},
		{"order", func(c *ward.Contact) { c.Order = -1 }, "order"},
	} {
		c := ward.Contact{Org: "XZ1", Name: "Pat", Kind: ward.PersonContact, Addresses: []ward.Address{{Channel: ward.Email, To: "pat@hospital.example"}}}
		row.change(&c)
		_, err := w.Outbox.AddContact(w.Ctx, w.desk, c)
		if err == nil || !strings.HasPrefix(err.Error(), row.field+":") {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	for _, who := range []ward.Actor{ground.Person("R", ward.Reader, "XZ1"), ground.Person("L", ward.Lead, "XZ2"), {}} {
		c := ward.Contact{Org: "XZ1", Name: "Pat", Kind: ward.PersonContact, Addresses: []ward.Address{{Channel: ward.Email, To: "pat@hospital.example"}}}
		if _, err := w.Outbox.AddContact(w.Ctx, who, c); err == nil {
			t.Errorf("%+v added a contact", who)
		}
	}
	if _, err := w.Outbox.AddContact(w.Ctx, w.desk, ward.Contact{Org: "XZ9", Name: "Pat", Kind: ward.Mailbox, Addresses: []ward.Address{{Channel: ward.Email, To: "pat@hospital.example"}}}); err == nil {
		t.Error("an organisation that nobody knows has a contact")
	}
}

func TestEveryAddressIsTestedOnceAMonthAndProvedByItsLink(t *testing.T) {
	w := open(t, "XZ1")
	c := w.contact("XZ1", "Pat", nil, "email:pat@hospital.example", "sms:+447700900001")
	for _, at := range []string{"2025-05-31T11:00:00Z", "2025-06-02T09:00:00Z", "2025-06-02T11:00:00Z", "2025-06-02T12:01:00Z", "2025-06-06T11:00:00Z"} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Set(moment)
		w.begin(notify.Options{Base: "https://watch.example"}, w.mail, w.text)
		w.due()
	}
	if len(w.mail.got) != 1 || len(w.text.got) != 1 || w.mail.got[0].At.Format("2006-01-02 15") != "2025-06-02 11" {
		t.Fatalf("%d and %d tests", len(w.mail.got), len(w.text.got))
	}
	link := w.mail.got[0].Confirm
	i, err := w.Outbox.Redeem(w.Ctx, link[strings.LastIndex(link, "/")+1:])
	if err != nil || i.State != notify.LinkOpen {
		t.Fatalf("%+v, %v", i, err)
	}
	c, err = w.Outbox.Contact(w.Ctx, ward.Everything(), c.ID)
	if err != nil || !c.LastProved().Equal(w.Clock.Now()) || !c.Addresses[1].Proved.IsZero() || c.Version != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if n, err := w.Outbox.Test(w.Ctx, w.desk, "XZ1"); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if page, err := w.Outbox.Inbox(w.Ctx, ward.Only("XZ1"), "XZ1", "", 0); err != nil || len(page.Items) != 0 {
		t.Errorf("tests are in the inbox: %+v, %v", page.Items, err)
	}
}
