package figures_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/notify"
	"wardwatch/act/notify/email"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/test/peers"
	"wardwatch/ward"
)

// BenchmarkPublishAndDeliver publishes one alert to every organisation and writes to each of its contacts.
func BenchmarkPublishAndDeliver(b *testing.B) {
	orgs, each := 230, 5
	if testing.Short() {
		orgs = 20
	}
	on := fmt.Sprintf("%d organisations × %d contacts, generated", orgs, each)
	var queued, handed time.Duration
	for b.Loop() {
		server, err := peers.NewMail()
		if err != nil {
			b.Fatal(err)
		}
		g := ground.New(b)
		g.Clock.Set(time.Now())
		told(b, g, orgs, each)
		carrier, err := email.New(email.Options{Server: server.Addr, TLS: email.Plain, From: "watch@watch.example"})
		if err != nil {
			b.Fatal(err)
		}
		outbox := notify.New(g.Store, ward.WallClock{})
		g.Board.Notices = outbox
		courier, err := notify.NewCourier(outbox, []notify.Carrier{carrier}, notify.Options{Base: "https://watch.example"})
		if err == nil {
			err = courier.Begin(g.Ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
		a, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
		if err == nil {
			a, err = g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version)
		}
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{}); err != nil {
			b.Fatal(err)
		}
		queued = max(queued, time.Since(start))
		start = time.Now()
		for len(server.Letters()) < orgs*each {
			if _, err := courier.Deliver(g.Ctx); err != nil {
				b.Fatal(err)
			}
		}
		handed = max(handed, time.Since(start))
		server.Close()
	}
	record(b, figure{"an alert published: every message queued", queued.Seconds(), 1, "s", on})
	record(b, figure{"and handed to a mail server on this machine", handed.Seconds(), 10, "s", on})
}

// told makes organisations with contacts who are told by mail.
func told(b *testing.B, g *ground.Ground, orgs, each int) {
	b.Helper()
	err := g.Store.Update(context.Background(), func(tx *store.Tx) error {
		for i := range orgs {
			org := ward.OrgID(fmt.Sprintf("XA%03d", i))
			if err := tx.SaveOrganisation(g.Ctx, ward.Organisation{ID: org, Name: fmt.Sprintf("Trust %d", i)}); err != nil {
				return err
			}
			for n := range each {
				c := ward.Contact{Org: org, Name: fmt.Sprintf("Person %d", n), Kind: ward.PersonContact, Version: 1, Order: n,
					Addresses: []ward.Address{{Channel: ward.Email, To: fmt.Sprintf("p%d-%d@hospital.example", i, n)}}}
				if _, err := tx.SaveContact(g.Ctx, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
