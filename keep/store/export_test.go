package store

import (
	"context"
	"fmt"
	"testing"
)

// LimitPages bounds the database, as a full disk does.
func (s *Store) LimitPages(ctx context.Context, t testing.TB, pages int) {
	t.Helper()
	if _, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
		t.Fatal(err)
	}
}

// OnlyRead lets nothing be written, as a read-only disk does.
func (s *Store) OnlyRead(ctx context.Context, t testing.TB) {
	t.Helper()
	if _, err := s.write.ExecContext(ctx, "PRAGMA query_only = ON"); err != nil {
		t.Fatal(err)
	}
}
