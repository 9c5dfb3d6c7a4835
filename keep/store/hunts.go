package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

const huntHead = `id, kind, state, person, name, org, words, `

const huntTail = `, orgs, since, until, came_by, behind, most_read, asked, started, ended, reason,
	blocks, done, unread, events, read, hits, kept, version`

// huntColumns are a hunt's; huntShort without what it looks for, which may be long.
const (
	huntColumns = huntHead + `sought` + huntTail
	huntShort   = huntHead + `'{}'` + huntTail
)

// AddHunt keeps a new hunt and gives it its ID.
func (tx *Tx) AddHunt(ctx context.Context, h ward.Hunt) (id ward.HuntID, err error) {
	sought, err := encode(h.For)
	if err != nil {
		return 0, err
	}
	orgs, err := encode(h.Of)
	if err != nil {
		return 0, err
	}
	behind, err := encode(h.Behind)
	if err != nil {
		return 0, err
	}
	err = tx.tx.QueryRowContext(ctx, `INSERT INTO hunts (kind, state, person, name, org, words, sought, orgs, since, until, came_by, behind, most_read, asked)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
		string(h.Kind), string(ward.HuntWaiting), string(h.By.Person), h.By.Name, string(h.By.Org), h.Words, sought, orgs, bound(h.Since), bound(h.Until), bound(h.CameBy),
		behind, h.MostRead, bound(h.Asked)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("store: hunt: %w", err)
	}
	return id, nil
}

// SaveHunt keeps how far a hunt has come, unless it is over already, which it then says.
func (tx *Tx) SaveHunt(ctx context.Context, h ward.Hunt) (over bool, err error) {
	result, err := tx.tx.ExecContext(ctx, `UPDATE hunts SET state = $1, started = $2, ended = $3, reason = $4, blocks = $5, done = $6, unread = $7, events = $8, read = $9,
		hits = $10, kept = $11, version = version + 1 WHERE id = $12 AND state IN ('waiting', 'running')`,
		string(h.State), bound(h.Started), bound(h.Ended), h.Reason, h.Blocks, h.Done, h.Unread, h.Events, h.Read, h.Hits, h.Kept, int64(h.ID))
	if err != nil {
		return false, fmt.Errorf("store: hunt %d: %w", h.ID, err)
	}
	n, err := result.RowsAffected()
	return n == 0, err
}

// Hunt is the hunt, where its owner is in scope, or ward.ErrNotFound.
func (tx *Tx) Hunt(ctx context.Context, scope ward.Scope, id ward.HuntID) (ward.Hunt, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+huntColumns+` FROM hunts WHERE id = $1 AND `+condition, append([]any{int64(id)}, args...)...)
	all, err := list(rows, err, scanHunt)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("store: hunt %d: %w", id, ward.ErrNotFound)
	}
	if err != nil {
		return ward.Hunt{}, err
	}
	return all[0], nil
}

// Hunts lists the hunts whose owner is in scope, the newest first, without what they look for.
func (tx *Tx) Hunts(ctx context.Context, scope ward.Scope, after string, limit int) (page ward.Page[ward.Hunt], err error) {
	before := int64(0)
	if after != "" {
		_, id, err := readCursor(after)
		if err != nil {
			return page, err
		}
		if before, err = strconv.ParseInt(id, 10, 64); err != nil {
			return page, badCursor
		}
	}
	limit = pageSize(limit)
	condition, args := within(scope, "org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+huntShort+` FROM hunts WHERE ($1 = 0 OR id < $2) AND `+condition+` ORDER BY id DESC LIMIT $3`,
		append([]any{before, before, limit + 1}, args...)...)
	all, err := list(rows, err, scanHunt)
	return paged(all, limit, func(h ward.Hunt) string { return cursor("", strconv.FormatInt(int64(h.ID), 10)) }), err
}

// HuntsToDo lists the hunts that are not over: those that a person asked for first, the oldest first; without what they look for.
func (tx *Tx) HuntsToDo(ctx context.Context) ([]ward.Hunt, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+huntShort+` FROM hunts WHERE state IN ('waiting', 'running')
		ORDER BY CASE kind WHEN 'asked' THEN 0 ELSE 1 END, id LIMIT 1000`)
	return list(rows, err, scanHunt)
}

func scanHunt(rows *sql.Rows) (h ward.Hunt, err error) {
	var sought, orgs, behind string
	var since, until, cameBy, asked, started, ended int64
	err = rows.Scan(&h.ID, &h.Kind, &h.State, &h.By.Person, &h.By.Name, &h.By.Org, &h.Words, &sought, &orgs, &since, &until, &cameBy, &behind, &h.MostRead, &asked, &started,
		&ended, &h.Reason, &h.Blocks, &h.Done, &h.Unread, &h.Events, &h.Read, &h.Hits, &h.Kept, &h.Version)
	if err != nil {
		return h, err
	}
	h.Since, h.Until, h.CameBy, h.Asked, h.Started, h.Ended = unbound(since), unbound(until), unbound(cameBy), unbound(asked), unbound(started), unbound(ended)
	for text, into := range map[string]any{sought: &h.For, orgs: &h.Of, behind: &h.Behind} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return h, err
		}
	}
	return h, nil
}

// AddHuntDay keeps what a hunt saw in a day of an organisation.
func (tx *Tx) AddHuntDay(ctx context.Context, id ward.HuntID, d ward.HuntDay) error {
	err := tx.repeat(ctx, `INSERT INTO hunt_days (hunt, org, day, blocks, unread, events, read, hits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		int64(id), string(d.Org), d.Day.UnixMicro(), d.Blocks, d.Unread, d.Events, d.Read, d.Hits)
	if err != nil {
		return fmt.Errorf("store: hunt %d: %w", id, err)
	}
	return nil
}

// HuntDays lists what a hunt saw, in scope, the newest day first.
func (tx *Tx) HuntDays(ctx context.Context, scope ward.Scope, id ward.HuntID) ([]ward.HuntDay, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT org, day, blocks, unread, events, read, hits FROM hunt_days WHERE hunt = $1 AND `+condition+` ORDER BY day DESC, org`,
		append([]any{int64(id)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (d ward.HuntDay, err error) {
		var day int64
		err = rows.Scan(&d.Org, &day, &d.Blocks, &d.Unread, &d.Events, &d.Read, &d.Hits)
		d.Day = time.UnixMicro(day).UTC()
		return d, err
	})
}

// AddHuntHit keeps a hit of a hunt.
func (tx *Tx) AddHuntHit(ctx context.Context, id ward.HuntID, h ward.HuntHit) error {
	err := tx.repeat(ctx, `INSERT INTO hunt_hits (hunt, number, org, at, kind, value, field, source, record, host, raw, cut)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		int64(id), h.Number, string(h.Org), h.At.UnixMicro(), h.Kind, h.Value, h.Field, h.Source, h.Record, h.Host, h.Raw, h.Cut)
	if err != nil {
		return fmt.Errorf("store: hunt %d: %w", id, err)
	}
	return nil
}

// HuntHits lists hits of a hunt, in scope, in the order in which they were found.
func (tx *Tx) HuntHits(ctx context.Context, scope ward.Scope, id ward.HuntID, after string, limit int) (page ward.Page[ward.HuntHit], err error) {
	from := int64(0)
	if after != "" {
		_, number, err := readCursor(after)
		if err != nil {
			return page, err
		}
		if from, err = strconv.ParseInt(number, 10, 64); err != nil {
			return page, badCursor
		}
	}
	limit = pageSize(limit)
	condition, args := within(scope, "org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT number, org, at, kind, value, field, source, record, host, raw, cut FROM hunt_hits
		WHERE hunt = $1 AND number > $2 AND `+condition+` ORDER BY number LIMIT $3`, append([]any{int64(id), from, limit + 1}, args...)...)
	all, err := list(rows, err, func(rows *sql.Rows) (h ward.HuntHit, err error) {
		var at int64
		err = rows.Scan(&h.Number, &h.Org, &at, &h.Kind, &h.Value, &h.Field, &h.Source, &h.Record, &h.Host, &h.Raw, &h.Cut)
		h.At = time.UnixMicro(at).UTC()
		return h, err
	})
	return paged(all, limit, func(h ward.HuntHit) string { return cursor("", strconv.FormatInt(h.Number, 10)) }), err
}

// ForgetHuntHits deletes the hits of hunts that ended before a time; their counts stay.
func (tx *Tx) ForgetHuntHits(ctx context.Context, before time.Time) error {
	_, err := tx.tx.ExecContext(ctx, `DELETE FROM hunt_hits WHERE hunt IN (SELECT id FROM hunts WHERE ended > 0 AND ended < $1 AND kept > 0)`, before.UnixMicro())
	if err == nil {
		_, err = tx.tx.ExecContext(ctx, `UPDATE hunts SET kept = 0, version = version + 1 WHERE ended > 0 AND ended < $1 AND kept > 0`, before.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("store: hunts: %w", err)
	}
	return nil
}

// KnownIndicators are the hashes of indicators for which a look-back was begun.
func (tx *Tx) KnownIndicators(ctx context.Context) ([]int64, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT hash FROM known_indicators`)
	return list(rows, err, func(rows *sql.Rows) (hash int64, err error) {
		err = rows.Scan(&hash)
		return hash, err
	})
}

// KnowIndicators adds hashes to the known ones and forgets others.
func (tx *Tx) KnowIndicators(ctx context.Context, add, forget []int64) error {
	for _, hash := range forget {
		if err := tx.repeat(ctx, `DELETE FROM known_indicators WHERE hash = $1`, hash); err != nil {
			return fmt.Errorf("store: indicators: %w", err)
		}
	}
	for _, hash := range add {
		if err := tx.repeat(ctx, `INSERT INTO known_indicators (hash) VALUES ($1) ON CONFLICT DO NOTHING`, hash); err != nil {
			return fmt.Errorf("store: indicators: %w", err)
		}
	}
	return nil
}
