package store

import (
	"context"
	"fmt"
	"time"
)

// Room names whose job takes up pending work.
type Room string

// The rooms with pending work, in the order of the walk.
const (
	ForMatch    Room = "match"    // subjects "software:ID" and "cve:ID"
	ForFindings Room = "findings" // subjects are organisation codes
	ForProof    Room = "proof"    // subjects are organisation codes
)

// Mark leaves work for a room, in the transaction that made it necessary, so that a crash cannot lose it. A subject that
// is already marked stays as it is.
func (tx *Tx) Mark(ctx context.Context, room Room, now time.Time, subjects ...string) error {
	for _, subject := range subjects {
		if _, err := tx.tx.ExecContext(ctx,
			`INSERT INTO pending (room, subject, since) VALUES ($1, $2, $3) ON CONFLICT (room, subject) DO NOTHING`,
			string(room), subject, micros(now)); err != nil {
			return fmt.Errorf("store: mark %s %s: %w", room, subject, err)
		}
	}
	return nil
}

// Pending lists up to limit subjects that wait for room, oldest first.
func (tx *Tx) Pending(ctx context.Context, room Room, limit int) ([]string, error) {
	return texts(tx.tx.QueryContext(ctx,
		`SELECT subject FROM pending WHERE room = $1 ORDER BY since, subject LIMIT $2`, string(room), limit))
}

// Done clears subjects that room has taken up.
func (tx *Tx) Done(ctx context.Context, room Room, subjects ...string) error {
	for _, subject := range subjects {
		if _, err := tx.tx.ExecContext(ctx, `DELETE FROM pending WHERE room = $1 AND subject = $2`, string(room), subject); err != nil {
			return fmt.Errorf("store: done %s %s: %w", room, subject, err)
		}
	}
	return nil
}
