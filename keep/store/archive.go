package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

const blockColumns = `id, org, name, index_name, day, rows, bytes, first, last, received, state, reason, sealed`

// AddBlock writes a block into the manifest; one that is in it stays as it is.
func (tx *Tx) AddBlock(ctx context.Context, b ward.Block) error {
	_, err := tx.tx.ExecContext(ctx, `INSERT INTO blocks (org, name, index_name, day, rows, bytes, first, last, received, state, reason, sealed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (name) DO NOTHING`,
		string(b.Org), b.Name, b.Index, b.Day.UnixMicro(), b.Rows, b.Bytes, b.First.UnixMicro(), b.Last.UnixMicro(), b.Received.UnixMicro(),
		string(b.State), b.Reason, b.Sealed.UnixMicro())
	if err != nil {
		return fmt.Errorf("store: block %s: %w", b.Name, err)
	}
	return nil
}

// SetBlockState says that a block is kept again, or quarantined and why.
func (tx *Tx) SetBlockState(ctx context.Context, id int64, state ward.BlockState, reason string) error {
	if _, err := tx.tx.ExecContext(ctx, `UPDATE blocks SET state = $1, reason = $2 WHERE id = $3`, string(state), reason, id); err != nil {
		return fmt.Errorf("store: block %d: %w", id, err)
	}
	return nil
}

// RemoveBlock takes a block out of the manifest.
func (tx *Tx) RemoveBlock(ctx context.Context, id int64) error {
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM blocks WHERE id = $1`, id); err != nil {
		return fmt.Errorf("store: block %d: %w", id, err)
	}
	return nil
}

// BlocksBetween lists the blocks in scope that have events from since to until (the zero times: no bound), oldest day first.
func (tx *Tx) BlocksBetween(ctx context.Context, scope ward.Scope, since, until time.Time) ([]ward.Block, error) {
	condition, args := within(scope, "org", 5)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks
		WHERE ($1 = 0 OR last >= $2) AND ($3 = 0 OR first <= $4) AND `+condition+` ORDER BY day, id`,
		append([]any{bound(since), bound(since), bound(until), bound(until)}, args...)...)
	return list(rows, err, scanBlock)
}

// bound is a time as a condition has it; 0 is none.
func bound(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// BlocksReceived lists the blocks of an organisation with events that came at since or later.
func (tx *Tx) BlocksReceived(ctx context.Context, org ward.OrgID, since time.Time) ([]ward.Block, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks WHERE org = $1 AND received >= $2 ORDER BY id`,
		string(org), since.UnixMicro())
	return list(rows, err, scanBlock)
}

func scanBlock(rows *sql.Rows) (b ward.Block, err error) {
	var day, first, last, received, sealed int64
	err = rows.Scan(&b.ID, &b.Org, &b.Name, &b.Index, &day, &b.Rows, &b.Bytes, &first, &last, &received, &b.State, &b.Reason, &sealed)
	b.Day, b.First, b.Last = time.UnixMicro(day).UTC(), time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	b.Received, b.Sealed = time.UnixMicro(received).UTC(), time.UnixMicro(sealed).UTC()
	return b, err
}

// BusCursor is how far a reader has come in a shard; 0: it has read nothing.
func (tx *Tx) BusCursor(ctx context.Context, reader string, shard int) (sequence uint64, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT sequence FROM bus_cursors WHERE reader = $1 AND shard = $2`, reader, shard).Scan(&sequence)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("store: cursor of %s: %w", reader, err)
	}
	return sequence, nil
}

// SetBusCursor says how far a reader has come; it never goes back.
func (tx *Tx) SetBusCursor(ctx context.Context, reader string, shard int, sequence uint64) error {
	_, err := tx.tx.ExecContext(ctx, `INSERT INTO bus_cursors (reader, shard, sequence) VALUES ($1, $2, $3)
		ON CONFLICT (reader, shard) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > bus_cursors.sequence`,
		reader, shard, int64(sequence)) //nolint:gosec // a number of messages
	if err != nil {
		return fmt.Errorf("store: cursor of %s: %w", reader, err)
	}
	return nil
}

// KnowsObject says whether the manifest has a block with an object of that name.
func (tx *Tx) KnowsObject(ctx context.Context, name string) (known bool, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM blocks WHERE name = $1 OR index_name = $1)`, name).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("store: block %s: %w", name, err)
	}
	return known, nil
}
