package delivery_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/act/notify/chat"
	"wardwatch/act/notify/govuk"
	"wardwatch/test/contract"
	"wardwatch/test/peers"
	"wardwatch/ward"
)

func TestFaultGOVUKInAProcessOfItsOwn(t *testing.T) {
	at := started(t, true, built(t, "wardwatch/test/peers/govuk"))
	client, err := govuk.New(govuk.Options{URL: at, Key: peers.APIKey, EmailTemplate: peers.EmailTemplate, SMSTemplate: peers.SMSTemplate})
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, 10, client.Email(), client.SMS())
	tell := func(path string) { tellPeer(t, http.DefaultClient, at+path) }
	tell("/peer/fail?code=429&after=120&times=3")
	a := o.Publish()
	if _, err := o.courier.Deliver(o.Ctx); err != nil {
		t.Fatal(err)
	}
	if l := o.courier.Lines()[0]; l.Since.IsZero() || l.Retry.Sub(o.Clock.Now()) < 2*time.Minute {
		t.Errorf("Retry-After is not heeded: %+v", l)
	}
	tell("/peer/fail?code=500&times=2")
	o.Clock.Advance(10 * time.Minute)
	if _, err := o.courier.Deliver(o.Ctx); err != nil {
		t.Fatal(err)
	}
	tell("/peer/fail?drop=1&times=4") // taken, and the answer lost: it is asked before anything is sent again
	o.live(time.Minute, 6*time.Hour, func() bool { return o.words(a.ID) == "Sent to 10 organisations" })
	got := askPeer(t, http.DefaultClient, at)
	keys := map[string]int{}
	for _, g := range got {
		keys[contract.Field(g.Body, "reference")]++
	}
	if len(got) != 10 || len(keys) != 10 {
		t.Errorf("%d messages with %d references", len(got), len(keys))
	}
	// What became of them is asked afterwards.
	tell("/peer/status?status=delivered")
	o.live(time.Minute, 10*time.Minute, func() bool { return len(o.in(ward.DeliveryDelivered)) == 10 })
	contacts, err := o.Outbox.Contacts(o.Ctx, ward.Everything(), orgID(0))
	if err != nil || contacts[0].LastProved().IsZero() {
		t.Errorf("what arrived does not prove the address: %+v, %v", contacts, err)
	}
	for _, row := range []struct {
		status string
		want   ward.DeliveryState
	}{{"permanent-failure", ward.DeliveryBounced}, {"temporary-failure", ward.DeliveryGivenUp}, {"technical-failure", ward.DeliveryFailed}, {"sending", ward.DeliveryHanded}} {
		tell("/peer/status?status=" + row.status)
		state, words, err := client.Email().(notify.Tracker).Track(t.Context(), got[0].ID)
		if err != nil || state != row.want || words == "" {
			t.Errorf("%s: %s %q, %v", row.status, state, words, err)
		}
	}
	if _, err := govuk.New(govuk.Options{Key: "nonsense"}); err == nil {
		t.Error("a key that is none")
	}
}

func TestFaultTeamsInAProcessOfItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "teams.pem")
	at := started(t, true, built(t, "wardwatch/test/peers/teams"), file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	client := notify.SafeClient(here, roots)
	o := newOffice(t, 0, chat.Teams(client, ward.WallClock{}))
	o.people(8, 1, ward.Teams, at+"/workflows/%d/%d?sig=a-secret")
	tellPeer(t, client, at+"/peer/fail?code=429&after=60&times=3")
	a := o.Publish()
	if _, err := o.courier.Deliver(o.Ctx); err != nil {
		t.Fatal(err)
	}
	if got := o.words(a.ID); got != "3 of 8 on the way" {
		t.Errorf("one channel that is slowed down holds up the others: %q", got)
	}
	for _, d := range o.in(ward.DeliveryQueued) {
		if wait := d.NextTry.Sub(o.Clock.Now()); wait < time.Minute || strings.Contains(d.Detail+d.To, "a-secret") {
			t.Errorf("%+v", d)
		}
	}
	o.live(time.Minute, time.Hour, func() bool { return o.words(a.ID) == "Sent to 8 organisations" })
	got := askPeer(t, client, at)
	if len(got) != 8 || !strings.Contains(string(got[0].Body), fmt.Sprintf(`"url":"https://watch.example/alerts/%s"`, a.ID)) {
		t.Errorf("%d cards, %s", len(got), got[0].Body)
	}
}
