package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

func TestTheDatabaseIsOfThisAccountAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as a package or an administrator may have made it
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	files, err := filepath.Glob(s.Path() + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(file), info.Mode().Perm())
		}
	}
}

func TestWhatCannotBeWrittenSaysSo(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Writable(ctx); err != nil {
		t.Fatal(err)
	}
	s.OnlyRead(ctx, t)
	if err := s.Writable(ctx); err == nil || !strings.Contains(err.Error(), "let the account") {
		t.Errorf("a database that cannot be written: %v", err)
	}
}

func TestFaultAFullDiskSaysSoAndRecovers(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fill := func(tx *store.Tx) error {
		for range 400 {
			if err := tx.Audit(ctx, ward.AuditEntry{At: time.Unix(1, 0), Action: "x", Org: "XZ1", Detail: strings.Repeat("x", 10_000)}); err != nil {
				return err
			}
		}
		return nil
	}
	s.LimitPages(ctx, t, 300)
	if err := s.Update(ctx, fill); err == nil || !strings.Contains(err.Error(), "make room") || !strings.Contains(err.Error(), s.Path()) {
		t.Errorf("a full disk: %v", err)
	}
	s.LimitPages(ctx, t, 1<<20)
	if err := s.Update(ctx, fill); err != nil {
		t.Errorf("after room was made: %v", err)
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
