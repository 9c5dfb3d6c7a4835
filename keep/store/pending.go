package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Room names whose job takes up pending work.
type Room string

// The rooms with pending work, in the order of the walk.
const (
	ForMatch    Room = "match"    // subjects "software:ID", "cve:ID", and "asset:ID" on which what runs has changed
	ForFindings Room = "findings" // subjects are organisation codes, and "software:ID" of which something else is said
	ForProof    Room = "proof"    // subjects are organisation codes, and "cve:ID" of which something else is said
)

// Mark leaves work for a room, in the transaction that made it necessary, so that a crash cannot lose it. A subject that
// is already marked keeps its place, and who has taken it up meanwhile will find it again.
func (tx *Tx) Mark(ctx context.Context, room Room, now time.Time, subjects ...string) error {
	for _, subject := range subjects {
		if err := tx.repeat(ctx,
			`INSERT INTO pending (room, subject, since, turn) VALUES ($1, $2, $3, 1) ON CONFLICT (room, subject) DO UPDATE SET turn = pending.turn + 1`,
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
		if err := tx.repeat(ctx, `DELETE FROM pending WHERE room = $1 AND subject = $2`, string(room), subject); err != nil {
			return fmt.Errorf("store: done %s %s: %w", room, subject, err)
		}
	}
	return nil
}

// Work is one subject that waits for a room, as it was when the room looked.
type Work struct {
	Subject string
	turn    int64 // how often it was marked
}

// Waiting is Pending for a room that reads before it writes: what is marked again meanwhile stays after Finish.
func (tx *Tx) Waiting(ctx context.Context, room Room, limit int) ([]Work, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT subject, turn FROM pending WHERE room = $1 ORDER BY since, subject LIMIT $2`, string(room), limit)
	return list(rows, err, func(rows *sql.Rows) (w Work, err error) { err = rows.Scan(&w.Subject, &w.turn); return w, err })
}

// Finish clears work that room has taken up, unless it was marked again since it looked.
func (tx *Tx) Finish(ctx context.Context, room Room, work Work) error {
	if err := tx.repeat(ctx, `DELETE FROM pending WHERE room = $1 AND subject = $2 AND turn = $3`, string(room), work.Subject, work.turn); err != nil {
		return fmt.Errorf("store: finish %s %s: %w", room, work.Subject, err)
	}
	return nil
}
