package notify_test

import (
	"errors"
	"fmt"
	"testing"

	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

func add(t *testing.T, g *ground.Ground, n ward.Notice) {
	t.Helper()
	if err := g.Store.Update(g.Ctx, func(tx *store.Tx) error { return g.Outbox.Add(g.Ctx, tx, n) }); err != nil {
		t.Fatal(err)
	}
}

func TestTheSameFactIsToldOnce(t *testing.T) {
	g := ground.New(t)
	for i := range 3 {
		add(t, g, ward.Notice{Key: "k", Org: "XZ1", Kind: "test", Subject: fmt.Sprint("telling ", i)})
	}
	page, err := g.Outbox.Inbox(g.Ctx, ward.Only("XZ1"), "XZ1", "", 0)
	if err != nil || len(page.Items) != 1 || page.Items[0].Subject != "telling 0" || !page.Items[0].Created.Equal(ground.Day0) {
		t.Errorf("%+v, %v", page, err)
	}
	err = g.Store.Update(g.Ctx, func(tx *store.Tx) error { return g.Outbox.Add(g.Ctx, tx, ward.Notice{Org: "XZ1"}) })
	if !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("a notice without key: %v", err)
	}
}

func TestInboxesAreApart(t *testing.T) {
	g := ground.New(t)
	for _, org := range []ward.OrgID{"XZ1", "XZ2", ""} {
		add(t, g, ward.Notice{Key: "k" + string(org), Org: org, Kind: "test", Subject: "for " + string(org)})
	}
	desk, own := ward.Everything(), ward.Only("XZ1")
	for _, row := range []struct {
		scope ward.Scope
		org   ward.OrgID
		err   error
	}{{desk, "", nil}, {desk, "XZ2", nil}, {own, "XZ1", nil}, {own, "XZ2", ward.ErrNotFound}, {own, "", ward.ErrNotFound}, {ward.Scope{}, "XZ1", ward.ErrNotFound}} {
		page, err := g.Outbox.Inbox(g.Ctx, row.scope, row.org, "", 0)
		if !errors.Is(err, row.err) || (err == nil && (len(page.Items) != 1 || page.Items[0].Org != row.org)) {
			t.Errorf("%v %q: %+v, %v", row.scope, row.org, page, err)
		}
	}
	for _, row := range []struct {
		scope ward.Scope
		want  int
	}{{desk, 1}, {own, 1}, {ward.Only("XZ1", "XZ2"), 2}, {ward.Scope{}, 0}} {
		if n, err := g.Outbox.Unread(g.Ctx, row.scope); err != nil || n != row.want {
			t.Errorf("%v: %d unread, %v; want %d", row.scope, n, err, row.want)
		}
	}
	page, err := g.Outbox.Inbox(g.Ctx, own, "XZ1", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	id := page.Items[0].ID
	if err := g.Outbox.MarkRead(g.Ctx, ground.Person("P", ward.Lead, "XZ2"), id); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("another organisation's notice: %v", err)
	}
	for _, name := range []string{"Lee", "Max"} {
		if err := g.Outbox.MarkRead(g.Ctx, ground.Person(name, ward.Reader, "XZ1"), id); err != nil {
			t.Fatal(err)
		}
	}
	page, err = g.Outbox.Inbox(g.Ctx, own, "XZ1", "", 0)
	if err != nil || page.Items[0].ReadBy != "Lee" || !page.Items[0].Read.Equal(ground.Day0) {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestInboxPages(t *testing.T) {
	g := ground.New(t)
	for i := range 5 {
		add(t, g, ward.Notice{Key: fmt.Sprint(i), Org: "XZ1", Kind: "test", Subject: fmt.Sprint(i)})
	}
	got, after := "", ""
	for {
		page, err := g.Outbox.Inbox(g.Ctx, ward.Only("XZ1"), "XZ1", after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Items {
			got += n.Subject
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if got != "43210" {
		t.Errorf("%q", got)
	}
	if _, err := g.Outbox.Inbox(g.Ctx, ward.Only("XZ1"), "XZ1", "nonsense", 2); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("%v", err)
	}
}
