package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

const blockColumns = `id, org, name, index_name, day, rows, bytes, first, last, received, state, reason, sealed, kinds, verified, ended`

// AddBlock writes a block into the manifest; one that is in it stays as it is.
func (tx *Tx) AddBlock(ctx context.Context, b ward.Block) error {
	done, err := tx.tx.ExecContext(ctx, `INSERT INTO blocks (org, name, index_name, day, rows, bytes, first, last, received, state, reason, sealed, kinds)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (name) DO NOTHING`,
		string(b.Org), b.Name, b.Index, b.Day.UnixMicro(), b.Rows, b.Bytes, b.First.UnixMicro(), b.Last.UnixMicro(), b.Received.UnixMicro(),
		string(b.State), b.Reason, b.Sealed.UnixMicro(), joinKinds(b.Kinds))
	if err != nil {
		return fmt.Errorf("store: block %s: %w", b.Name, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	var state ward.BlockState
	if err := tx.tx.QueryRowContext(ctx, `SELECT state FROM blocks WHERE name = $1`, b.Name).Scan(&state); err != nil {
		return fmt.Errorf("store: block %s: %w", b.Name, err)
	}
	if state == ward.BlockMerged || state == ward.BlockDeleted { // its objects are about to go
		return fmt.Errorf("store: block %s: %w: it was %s a while ago; again later", b.Name, ward.ErrConflict, state)
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

// BlockState is the state of a block; empty where the manifest has it no more.
func (tx *Tx) BlockState(ctx context.Context, id int64) (state ward.BlockState, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT state FROM blocks WHERE id = $1`, id).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("store: block %d: %w", id, err)
	}
	return state, nil
}

// EndBlock says that a block is merged or deleted from now on: nobody finds it any more, and its objects may go.
func (tx *Tx) EndBlock(ctx context.Context, id int64, state ward.BlockState, at time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `UPDATE blocks SET state = $1, ended = $2 WHERE id = $3`, string(state), at.UnixMicro(), id); err != nil {
		return fmt.Errorf("store: block %d: %w", id, err)
	}
	return nil
}

// BlockVerified says that a block was read from end to end and is as it was written.
func (tx *Tx) BlockVerified(ctx context.Context, id int64, at time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `UPDATE blocks SET verified = $1 WHERE id = $2`, at.UnixMicro(), id); err != nil {
		return fmt.Errorf("store: block %d: %w", id, err)
	}
	return nil
}

// RemoveBlock takes a block whose objects are gone out of the manifest, and says so beside its deletion.
func (tx *Tx) RemoveBlock(ctx context.Context, b ward.Block, at time.Time) error {
	_, err := tx.tx.ExecContext(ctx, `DELETE FROM blocks WHERE id = $1`, b.ID)
	if err == nil {
		_, err = tx.tx.ExecContext(ctx, `UPDATE deletions SET removed = $1 WHERE block = $2 AND removed = 0`, at.UnixMicro(), b.Name)
	}
	if err != nil {
		return fmt.Errorf("store: block %d: %w", b.ID, err)
	}
	return nil
}

// EndedBlocks lists blocks of a state that ended at until or before.
func (tx *Tx) EndedBlocks(ctx context.Context, state ward.BlockState, until time.Time) ([]ward.Block, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks WHERE state = $1 AND ended <= $2 ORDER BY id`, string(state), until.UnixMicro())
	return list(rows, err, scanBlock)
}

// A ManyBlocks is a day of an organisation that has several small blocks.
type ManyBlocks struct {
	Org    ward.OrgID
	Day    time.Time
	Blocks int
	Sealed time.Time // when the last of them was
}

// SmallBlocks lists the days that have two blocks or more of less than so many rows, those with most first.
func (tx *Tx) SmallBlocks(ctx context.Context, rows int64) ([]ManyBlocks, error) {
	found, err := tx.tx.QueryContext(ctx, `SELECT org, day, COUNT(*), MAX(sealed) FROM blocks WHERE state = 'kept' AND rows < $1
		GROUP BY org, day HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC, org, day`, rows)
	return list(found, err, func(rows *sql.Rows) (m ManyBlocks, err error) {
		var day, sealed int64
		err = rows.Scan(&m.Org, &day, &m.Blocks, &sealed)
		m.Day, m.Sealed = time.UnixMicro(day).UTC(), time.UnixMicro(sealed).UTC()
		return m, err
	})
}

// BlocksOfDay lists the blocks of an organisation's day that stand, those with the fewest rows first.
func (tx *Tx) BlocksOfDay(ctx context.Context, org ward.OrgID, day time.Time) ([]ward.Block, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks WHERE state = 'kept' AND org = $1 AND day = $2 ORDER BY rows, id`, string(org), day.UnixMicro())
	return list(rows, err, scanBlock)
}

// BlocksToVerify lists blocks that nobody has read from end to end since a time, those longest ago first.
func (tx *Tx) BlocksToVerify(ctx context.Context, since time.Time, most int) ([]ward.Block, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks WHERE state = 'kept' AND verified < $1 AND sealed < $1 ORDER BY verified, id LIMIT $2`, since.UnixMicro(), most)
	return list(rows, err, scanBlock)
}

// BlocksBefore lists the blocks that stand whose last event happened and came before a time.
func (tx *Tx) BlocksBefore(ctx context.Context, at time.Time) ([]ward.Block, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks WHERE state IN ('kept', 'quarantined') AND last < $1 AND received < $1 ORDER BY id`, at.UnixMicro())
	return list(rows, err, scanBlock)
}

// BlocksBetween lists the blocks in scope that have events from since to until (the zero times: no bound), oldest day first.
func (tx *Tx) BlocksBetween(ctx context.Context, scope ward.Scope, since, until time.Time) ([]ward.Block, error) {
	condition, args := within(scope, "org", 5)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks
		WHERE state IN ('kept', 'quarantined') AND ($1 = 0 OR last >= $2) AND ($3 = 0 OR first <= $4) AND `+condition+` ORDER BY day, id`,
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
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+blockColumns+` FROM blocks
		WHERE state IN ('kept', 'quarantined') AND org = $1 AND received >= $2 ORDER BY id`,
		string(org), since.UnixMicro())
	return list(rows, err, scanBlock)
}

func scanBlock(rows *sql.Rows) (b ward.Block, err error) {
	var day, first, last, received, sealed, verified, ended int64
	var kinds string
	err = rows.Scan(&b.ID, &b.Org, &b.Name, &b.Index, &day, &b.Rows, &b.Bytes, &first, &last, &received, &b.State, &b.Reason, &sealed, &kinds, &verified, &ended)
	b.Kinds, b.Verified, b.Ended = splitKinds(kinds), unbound(verified), unbound(ended)
	b.Day, b.First, b.Last = time.UnixMicro(day).UTC(), time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	b.Received, b.Sealed = time.UnixMicro(received).UTC(), time.UnixMicro(sealed).UTC()
	return b, err
}

// unbound is the time that bound wrote.
func unbound(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

func joinKinds(kinds []ward.EventKind) string {
	var b strings.Builder
	for i, k := range kinds {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(k))
	}
	return b.String()
}

func splitKinds(text string) (kinds []ward.EventKind) {
	if text == "" {
		return nil
	}
	for k := range strings.SplitSeq(text, "\n") {
		kinds = append(kinds, ward.EventKind(k))
	}
	return kinds
}

// AddHold keeps a hold, and gives its number.
func (tx *Tx) AddHold(ctx context.Context, h ward.Hold) (id int64, err error) {
	err = tx.tx.QueryRowContext(ctx, `INSERT INTO holds (org, kind, since, until, reason, set_at, set_by) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		string(h.Org), h.Kind, bound(h.Since), bound(h.Until), h.Reason, h.Set.UnixMicro(), h.SetBy).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("store: hold: %w", err)
	}
	return id, nil
}

// ReleaseHold ends a hold, or gives ward.ErrNotFound.
func (tx *Tx) ReleaseHold(ctx context.Context, id int64, at time.Time, by string) error {
	done, err := tx.tx.ExecContext(ctx, `UPDATE holds SET released = $1, released_by = $2 WHERE id = $3 AND released = 0`, at.UnixMicro(), by, id)
	if err != nil {
		return fmt.Errorf("store: hold %d: %w", id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("hold %d: %w", id, cmp.Or(err, ward.ErrNotFound))
	}
	return nil
}

// Holds lists the holds, the newest first.
func (tx *Tx) Holds(ctx context.Context) ([]ward.Hold, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, org, kind, since, until, reason, set_at, set_by, released, released_by FROM holds ORDER BY id DESC`)
	return list(rows, err, func(rows *sql.Rows) (h ward.Hold, err error) {
		var since, until, set, released int64
		err = rows.Scan(&h.ID, &h.Org, &h.Kind, &since, &until, &h.Reason, &set, &h.SetBy, &released, &h.ReleasedBy)
		h.Since, h.Until, h.Set, h.Released = unbound(since), unbound(until), unbound(set), unbound(released)
		return h, err
	})
}

// AddDeletion writes down what is deleted, in the transaction that ends it.
func (tx *Tx) AddDeletion(ctx context.Context, d ward.Deletion) error {
	var before string
	err := tx.tx.QueryRowContext(ctx, `SELECT chain FROM deletions ORDER BY id DESC LIMIT 1`).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store: deletion: %w", err)
	}
	_, err = tx.tx.ExecContext(ctx, `INSERT INTO deletions (at, org, block, rows, first, last, kinds, why, chain) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		d.At.UnixMicro(), string(d.Org), d.Block, d.Rows, d.First.UnixMicro(), d.Last.UnixMicro(), joinKinds(d.Kinds), d.Why, d.Link(before))
	if err != nil {
		return fmt.Errorf("store: deletion: %w", err)
	}
	return nil
}

// Deletions lists what was deleted of organisations in scope, the oldest first.
func (tx *Tx) Deletions(ctx context.Context, scope ward.Scope) ([]ward.Deletion, error) {
	condition, args := within(scope, "org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, at, org, block, rows, first, last, kinds, why, chain, removed FROM deletions WHERE `+condition+` ORDER BY id`, args...)
	return list(rows, err, func(rows *sql.Rows) (d ward.Deletion, err error) {
		var at, first, last, removed int64
		var kinds string
		err = rows.Scan(&d.ID, &at, &d.Org, &d.Block, &d.Rows, &first, &last, &kinds, &d.Why, &d.Chain, &removed)
		d.At, d.First, d.Last, d.Kinds, d.Removed = time.UnixMicro(at).UTC(), time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC(), splitKinds(kinds), unbound(removed)
		return d, err
	})
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
