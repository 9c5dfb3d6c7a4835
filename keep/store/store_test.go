package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

func TestOpenTwiceKeepsTheSchema(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		s, err := store.Open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPendingAndAudit(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC)
	err = s.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Mark(ctx, store.ForMatch, now, "cve:CVE-2025-4427", "cve:CVE-2025-4427", "cve:CVE-2025-4428"),
			tx.Audit(ctx, ward.AuditEntry{At: now, Name: "A", Action: "x", Org: "XZ1"}), tx.Audit(ctx, ward.AuditEntry{At: now, Name: "B", Action: "y", Org: "XZ2"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		scope ward.Scope
		org   ward.OrgID
		want  int
	}{{ward.Everything(), "", 2}, {ward.Everything(), "XZ2", 1}, {ward.Only("XZ1"), "", 1}, {ward.Only("XZ1"), "XZ2", 0}, {ward.Scope{}, "", 0}} {
		err = s.View(ctx, func(tx *store.Tx) error {
			pending, err := tx.Pending(ctx, store.ForMatch, 10)
			if err != nil || len(pending) != 2 {
				t.Errorf("pending %v, %v", pending, err)
			}
			entries, err := tx.AuditEntries(ctx, row.scope, row.org, 0, 10)
			if len(entries) != row.want {
				t.Errorf("%v %q: %d entries, want %d", row.scope, row.org, len(entries), row.want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
