package notify_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

var errDown = &notify.Refusal{Cause: notify.Down, Why: "connection refused"}

// live lets the clock go on in steps, delivering at each, until a time.
func (w *told) live(until time.Time, step time.Duration) {
	w.t.Helper()
	for w.Clock.Now().Before(until) {
		w.Clock.Advance(step)
		w.deliver()
	}
}

func TestFaultAChannelDownForADay(t *testing.T) {
	w := open(t)
	const orgs = 40
	for i := range orgs {
		w.Row(`INSERT INTO organisations VALUES ($1, $1, 'trust', '', '', '', '', '', 0, 0, NULL, NULL)`, fmt.Sprintf("XA%02d", i))
		w.contact(ward.OrgID(fmt.Sprintf("XA%02d", i)), "Pat", nil, fmt.Sprintf("email:p%d@hospital.example", i))
	}
	tries := 0
	w.mail.Say(func(notify.Message) error { tries++; return errDown })
	a := w.Publish()
	start := w.Clock.Now()
	w.live(start.Add(24*time.Hour), time.Minute)
	if tries > 300 { // 40 messages every minute would be 57,600
		t.Errorf("%d tries at a channel that was down", tries)
	}
	if got := w.words(a.ID); got != "40 of 40 on the way" {
		t.Errorf("%q", got)
	}
	if l := w.courier.Lines()[0]; l.Since.IsZero() || l.Why != "connection refused" {
		t.Errorf("nobody is told that the channel is down: %+v", l)
	}
	if all, err := w.Outbox.Traffic(w.Ctx); err != nil || all[ward.Email].Waiting != orgs || all[ward.Email].Tried == 0 || all[ward.Email].Why != "connection refused" {
		t.Errorf("what waits: %+v, %v", all, err)
	}
	w.mail.Say(nil)
	w.live(start.Add(27*time.Hour), time.Minute)
	if len(w.mail.got) != orgs || w.words(a.ID) != "Sent to 40 organisations" {
		t.Errorf("%d arrived: %s", len(w.mail.got), w.words(a.ID))
	}
	keys := map[string]bool{}
	for _, m := range w.mail.got {
		keys[m.Key] = true
	}
	if len(keys) != orgs || !w.courier.Lines()[0].Since.IsZero() {
		t.Errorf("%d keys; %+v", len(keys), w.courier.Lines()[0])
	}
}

func TestAMessageIsGivenUpAfterThreeDaysAndNotBefore(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
	w.mail.Say(func(notify.Message) error { return errors.New("450 greylisted") })
	a := w.Publish()
	start := w.Clock.Now()
	w.live(start.Add(71*time.Hour), 10*time.Minute)
	if got := w.words(a.ID); got != "1 of 1 on the way" {
		t.Errorf("%q", got)
	}
	w.live(start.Add(74*time.Hour), 10*time.Minute)
	if got := w.words(a.ID); got != "1 of 1 not delivered: 1 given up" {
		t.Errorf("%q", got)
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
	w.mail.Say(func(notify.Message) error {
		return &notify.Refusal{Cause: notify.Later, Why: "429", After: 2 * time.Hour}
	})
	w.Publish()
	start := w.Clock.Now()
	if next := w.deliver(); next.Before(start.Add(2 * time.Hour)) {
		t.Errorf("next at %s", next)
	}
}

func TestOneBadMessageDoesNotHoldUpTheOthers(t *testing.T) {
	w := open(t, "XZ1", "XZ2", "XZ3")
	for _, org := range []ward.OrgID{"XZ1", "XZ2", "XZ3"} {
		w.contact(org, "Pat", nil, "email:"+strings.ToLower(string(org))+"@hospital.example")
	}
	w.mail.Say(func(m notify.Message) error {
		if m.Org == "XZ1" {
			return errDown // the server breaks off at this one alone
		}
		return nil
	})
	w.Publish()
	w.live(w.Clock.Now().Add(30*time.Minute), 10*time.Second)
	same(t, "mail", w.mail.To(), "xz2@hospital.example", "xz3@hospital.example")
}

func TestFaultTheClockJumps(t *testing.T) {
	for _, row := range []struct {
		name string
		jump time.Duration
		wait time.Duration // by the clock after the jump, until it must have been sent
	}{
		{"forward a day", 24 * time.Hour, time.Minute},
		{"back an hour", -time.Hour, 2 * time.Hour},
		{"back three days", -72 * time.Hour, time.Minute},
		{"back a year", -365 * 24 * time.Hour, time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := open(t, "XZ1")
			w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
			w.mail.Say(func(notify.Message) error { return errDown })
			w.Publish()
			w.live(w.Clock.Now().Add(10*time.Minute), time.Minute)
			w.mail.Say(nil)
			w.Clock.Advance(row.jump)
			w.live(w.Clock.Now().Add(row.wait), time.Minute)
			if len(w.mail.got) != 1 {
				t.Errorf("%d messages within %s after the jump", len(w.mail.got), row.wait)
			}
			w.live(w.Clock.Now().Add(2*time.Hour), time.Minute)
			w.Clock.Advance(-row.jump)
			w.live(w.Clock.Now().Add(2*time.Hour), time.Minute)
			if len(w.mail.got) != 1 {
				t.Errorf("sent %d times", len(w.mail.got))
			}
		})
	}
}

func TestWhatAnEarlierProcessWasSendingIsSentAgainUnderTheSameKey(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
	w.Publish()
	w.Row(`UPDATE deliveries SET state = 'sending', attempts = 1, next_try = $1`, w.Clock.Now().Add(time.Hour).UnixMicro())
	if w.deliver(); len(w.mail.got) != 0 {
		t.Fatal("sent while another was sending")
	}
	key := w.deliveries(notify.DeliveryQuery{})[0].Key
	w.begin(notify.Options{}, w.mail, w.text)
	if w.deliver(); len(w.mail.got) != 1 || w.mail.got[0].Key != key || !w.mail.got[0].Again {
		t.Errorf("%+v", w.mail.got)
	}
}

func TestAChannelThatIsNotSetUpAnyMore(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example", "sms:+447700900001")
	w.mail.Say(func(notify.Message) error { return errDown })
	a := w.Publish()
	w.deliver()
	w.begin(notify.Options{}, w.text)
	if d := w.deliveries(notify.DeliveryQuery{State: ward.DeliveryFailed}); len(d) != 1 || d[0].Channel != ward.Email {
		t.Errorf("%+v", d)
	}
	if got := w.words(a.ID); got != "Sent to 1 organisation" {
		t.Errorf("%q", got)
	}
	if _, err := notify.NewCourier(w.Outbox, []notify.Carrier{w.mail, w.mail}, notify.Options{}); err == nil {
		t.Error("two carriers of one channel")
	}
}

func TestAReportComesLater(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
	a := w.Publish()
	w.deliver()
	key := w.mail.got[0].Key
	for _, row := range []struct {
		state ward.DeliveryState
		want  string
	}{{ward.DeliveryHanded, "Sent to 1 organisation"}, {ward.DeliveryBounced, "1 of 1 not delivered: 1 bounced"}, {ward.DeliveryDelivered, "1 of 1 not delivered: 1 bounced"}} {
		if err := w.Outbox.Report(w.Ctx, ward.System("mail"), key, row.state, "said"); err != nil {
			t.Fatal(err)
		}
		if got := w.words(a.ID); got != row.want {
			t.Errorf("after %s: %q", row.state, got)
		}
	}
	if err := w.Outbox.Report(w.Ctx, ward.System("mail"), "ww-unknown", ward.DeliveryBounced, ""); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if err := w.Outbox.Report(w.Ctx, ground.Person("R", ward.Reader, "XZ1"), key, ward.DeliveryBounced, ""); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("%v", err)
	}
}

// link is the token in the first message.
func (w *told) link() string {
	w.t.Helper()
	if len(w.mail.got) == 0 {
		w.t.Fatal("no message")
	}
	return w.mail.got[0].Confirm[strings.LastIndex(w.mail.got[0].Confirm, "/")+1:]
}

func TestALinkShowsAndThenAcknowledgesOnce(t *testing.T) {
	w := open(t, "XZ1")
	w.contact("XZ1", "Pat Field", nil, "email:pat@hospital.example")
	a := w.Publish()
	w.deliver()
	link := w.link()
	for range 3 { // a mail scanner opens it
		i, err := w.Outbox.Invited(w.Ctx, link)
		if err != nil || i.State != notify.LinkOpen || w.Response(a.ID, "XZ1").State != ward.Unanswered {
			t.Fatalf("%+v, %v", i, err)
		}
	}
	if _, err := w.Outbox.Redeem(w.Ctx, link); err != nil {
		t.Fatal(err)
	}
	r := w.Response(a.ID, "XZ1")
	if r.State != ward.InProgress || r.AcknowledgedBy != "Pat Field, by link" {
		t.Errorf("%+v", r)
	}
	if i, err := w.Outbox.Redeem(w.Ctx, link); !errors.Is(err, ward.ErrState) || i.State != notify.LinkUsed {
		t.Errorf("replayed: %+v, %v", i, err)
	}
	if after := w.Response(a.ID, "XZ1"); after.Version != r.Version {
		t.Error("a replay changed the answer")
	}
}

func TestALinkThatCannotBeUsed(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(w *told, a ward.Alert)
		state  notify.InvitationState
	}{
		{"expired", func(w *told, _ ward.Alert) { w.Clock.Advance(7*24*time.Hour + time.Minute) }, notify.LinkExpired},
		{"answered by another way", func(w *told, a ward.Alert) {
			if _, err := w.Ledger.Acknowledge(w.Ctx, ground.Person("Lee", ward.Lead, "XZ1"), a.ID, "XZ1", 1); err != nil {
				w.t.Fatal(err)
			}
		}, notify.LinkAnswered},
		{"told anew", func(w *told, a ward.Alert) {
			add(w.t, w.Ground, ward.Notice{Key: "again", Org: "XZ1", Kind: "alert.revised", Alert: a.ID, Subject: "changed"})
		}, notify.LinkOvertaken},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := open(t, "XZ1")
			w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
			a := w.Publish()
			w.deliver()
			link := w.link()
			row.change(w, a)
			before := w.Response(a.ID, "XZ1").Version
			i, err := w.Outbox.Redeem(w.Ctx, link)
			if !errors.Is(err, ward.ErrState) || i.State != row.state || i.Words == "" {
				t.Errorf("%+v, %v", i, err)
			}
			if w.Response(a.ID, "XZ1").Version != before {
				t.Error("the answer changed")
			}
		})
	}
}

func TestAForgedLinkIsNothing(t *testing.T) {
	w := open(t, "XZ1", "XZ2")
	w.contact("XZ1", "Pat", nil, "email:pat@hospital.example")
	w.contact("XZ2", "Sam", nil, "email:sam@hospital.example")
	w.Publish()
	w.deliver()
	link := w.link()
	for at := range link {
		changed := []byte(link)
		if changed[at]++; changed[at] > 'z' || changed[at] == ':' || changed[at] == '[' || changed[at] == '.' {
			changed[at] = 'A'
		}
		if string(changed) == link {
			continue
		}
		if i, err := w.Outbox.Redeem(w.Ctx, string(changed)); !errors.Is(err, ward.ErrNotFound) {
			t.Fatalf("character %d changed: %+v, %v", at, i, err)
		}
	}
}

func FuzzInvited(f *testing.F) {
	for _, seed := range []string{"", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "____", "a/../b", strings.Repeat("A", 100)} {
		f.Add(seed)
	}
	g := ground.New(f, "XZ1")
	f.Fuzz(func(t *testing.T, link string) {
		if i, err := g.Outbox.Invited(g.Ctx, link); !errors.Is(err, ward.ErrNotFound) {
			t.Errorf("%q: %+v, %v", link, i, err)
		}
	})
}
