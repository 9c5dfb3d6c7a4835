package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/app"
	"wardwatch/config"
	"wardwatch/know/estate"
	"wardwatch/test/ground"
	"wardwatch/test/peers"
	"wardwatch/ward"
)

// TestTheServerCarriesWhatACommandPublishes runs a server with a mail server, and publishes from another process's point of view:
// one that was given no channels.
func TestTheServerCarriesWhatACommandPublishes(t *testing.T) {
	mail, err := peers.NewMail()
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	c := config.Default()
	c.Data, c.Listen, c.URL = t.TempDir(), "127.0.0.1:0", "https://watch.example"
	c.Notify.Tests = false // on the day on which every address is tested there would be two letters
	plain := c
	c.Notify.SMTP = config.SMTP{Server: mail.Addr, TLS: "none", From: "Coastal Watch <watch@watch.example>"}
	server, err := app.New(t.Context(), c, app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	running, stop := context.WithCancel(t.Context())
	ended, served := make(chan error, 1), make(chan string, 1)
	go func() { ended <- server.Run(running, func(address string) { served <- address }) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	<-served

	command, err := app.New(t.Context(), plain, app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer command.Close()
	system := ward.System("test")
	if _, err := command.Estate.ImportOrganisations(t.Context(), system, estate.Directory{Organisations: []ward.Organisation{{ID: "XZ1", Name: "Drumlin"}}}); err != nil {
		t.Fatal(err)
	}
	contact := ward.Contact{Org: "XZ1", Name: "Pat", Kind: ward.PersonContact, Addresses: []ward.Address{{Channel: ward.Email, To: "pat@hospital.example"}}}
	if _, err := command.Notify.AddContact(t.Context(), system, contact); err != nil {
		t.Fatal(err)
	}
	carried := func() bool { // the server says what it carries as soon as it runs
		to, err := command.Notify.Recipients(t.Context(), ward.Everything(), []ward.OrgID{"XZ1"}, ward.Notice{Kind: "alert.published"})
		return err == nil && len(to) == 1 && to[0].Contact != 0
	}
	wait(t, "the server carries nothing", carried)
	a, err := command.Alerts.Draft(t.Context(), ground.Ann, ground.Alert())
	if err == nil {
		a, err = command.Alerts.Approve(t.Context(), ground.Bea, a.ID, a.Version)
	}
	if err == nil {
		_, err = command.Alerts.Publish(t.Context(), ground.Bea, a.ID, a.Version, alerts.Audience{})
	}
	if err == nil {
		_, err = command.Settle(t.Context()) // which must not take the server's work for its own
	}
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "nothing came", func() bool { return len(mail.Letters()) == 1 })
	if l := mail.Letters()[0]; l.To != "pat@hospital.example" || !strings.Contains(l.Text, "https://watch.example/alerts/"+string(a.ID)) {
		t.Errorf("%+v", l)
	}
	wait(t, "it is not known what became of it", func() bool {
		s, err := command.Notify.Delivered(t.Context(), ward.Everything(), a.ID)
		return err == nil && s.Words() == "Sent to 1 organisation"
	})
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 600 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal(what)
}

func TestChannelsThatCannotBeSetUp(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*config.Notify)
		want   string
	}{
		{"no such file", func(n *config.Notify) { n.CA = "absent.pem" }, "absent.pem"},
		{"no certificate", func(n *config.Notify) { n.CA = "deliver_test.go" }, "no certificate"},
		{"in the clear to another machine", func(n *config.Notify) {
			n.SMTP = config.SMTP{Server: "mail.example:25", TLS: "none", From: "a@watch.example"}
		}, "another machine"},
		{"no key", func(n *config.Notify) { n.GOVUK = config.GOVUK{Key: "k", SMSTemplate: "t"} }, "API key"},
	} {
		c := config.Default()
		c.Data = t.TempDir()
		row.change(&c.Notify)
		a, err := app.New(t.Context(), c, app.Options{})
		if err == nil {
			_ = a.Close()
		}
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
