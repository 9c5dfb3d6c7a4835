package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

const noticeColumns = `id, message, org, kind, alert, event, urgency, rung, severity, exercise, asks, subject, body, link, created, read_at, read_by`

// AddNotice keeps a notice, and returns its ID and whether it is new: the same key makes one notice. One that is not listed
// is shown in no inbox. One in a digest waits there until Digested.
func (tx *Tx) AddNotice(ctx context.Context, n ward.Notice, listed bool) (id int64, added bool, err error) {
	var waits any
	if n.Urgency == ward.InDigest {
		waits = 0
	}
	err = tx.repeatOne(ctx, &id, `INSERT INTO notices (message, org, kind, alert, event, urgency, rung, severity, exercise, asks, subject, body, link, created, read_at, read_by, listed, digest)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, NULL, '', $15, $16) ON CONFLICT (message) DO NOTHING RETURNING id`,
		n.Key, string(n.Org), n.Kind, string(n.Alert), n.Event, string(n.Urgency), string(n.Rung), string(n.Severity), n.Exercise, n.Asks,
		n.Subject, n.Body, n.Link, micros(n.Created), listed, waits)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("store: notice %s: %w", n.Key, err)
	}
	return id, true, nil
}

// Told reports whether a rung of an organisation was paged of an event before.
func (tx *Tx) Told(ctx context.Context, org ward.OrgID, event string, rung ward.Rung) (told bool, err error) {
	if err := tx.repeatOne(ctx, &told, `SELECT EXISTS (SELECT 1 FROM notices WHERE org = $1 AND event = $2 AND rung = $3 AND urgency = 'page')`,
		string(org), event, string(rung)); err != nil {
		return false, fmt.Errorf("store: event %s: %w", event, err)
	}
	return told, nil
}

// ForDigest lists the organisations (and ” for the national desk) for which notices made up to a time wait for a digest.
func (tx *Tx) ForDigest(ctx context.Context, until time.Time) ([]ward.OrgID, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT DISTINCT org FROM notices WHERE digest = 0 AND created <= $1 ORDER BY org`, micros(until))
	return list(rows, err, func(rows *sql.Rows) (org ward.OrgID, err error) { err = rows.Scan(&org); return org, err })
}

// Gathered lists the notices made up to a time that wait for an organisation's digest, oldest first.
func (tx *Tx) Gathered(ctx context.Context, org ward.OrgID, until time.Time) ([]ward.Notice, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notices WHERE digest = 0 AND org = $1 AND created <= $2 ORDER BY id`, string(org), micros(until))
	return list(rows, err, scanNotice)
}

// Digested keeps which digest told the notices of an organisation that waited, up to and with the last (-1: none, they are
// too old to be told).
func (tx *Tx) Digested(ctx context.Context, org ward.OrgID, last, digest int64) error {
	if _, err := tx.tx.ExecContext(ctx, `UPDATE notices SET digest = $1 WHERE digest = 0 AND org = $2 AND id <= $3`, digest, string(org), last); err != nil {
		return fmt.Errorf("store: digest of %s: %w", org, err)
	}
	return nil
}

// Notice is one notice, for the room that sends it.
func (tx *Tx) Notice(ctx context.Context, id int64) (ward.Notice, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notices WHERE id = $1`, id)
	return only(list(rows, err, scanNotice))
}

// Overtaken reports whether an organisation was told anew of an alert since a notice that asked it to acknowledge.
func (tx *Tx) Overtaken(ctx context.Context, n ward.Notice) (newer bool, err error) {
	if err := tx.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM notices WHERE alert = $1 AND kind LIKE 'alert.%' AND org = $2 AND asks = 1 AND id > $3)`,
		string(n.Alert), string(n.Org), n.ID).Scan(&newer); err != nil {
		return false, fmt.Errorf("store: notice %d: %w", n.ID, err)
	}
	return newer, nil
}

// Notices lists the notices of one organisation, or of the national desk (org empty, unlimited scope only), newest first.
func (tx *Tx) Notices(ctx context.Context, scope ward.Scope, org ward.OrgID, after string, limit int) (ward.Page[ward.Notice], error) {
	limit = pageSize(limit)
	var before int64
	if after != "" {
		_, id, err := readCursor(after)
		if err != nil {
			return ward.Page[ward.Notice]{}, err
		}
		if before, err = strconv.ParseInt(id, 10, 64); err != nil {
			return ward.Page[ward.Notice]{}, badCursor
		}
	}
	condition, args := within(scope, "org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notices
		WHERE org = $1 AND listed = 1 AND ($2 = 0 OR id < $2) AND `+condition+` ORDER BY id DESC LIMIT $3`,
		append([]any{string(org), before, limit + 1}, args...)...)
	notices, err := list(rows, err, scanNotice)
	if err != nil {
		return ward.Page[ward.Notice]{}, err
	}
	return paged(notices, limit, func(n ward.Notice) string { return cursor("", strconv.FormatInt(n.ID, 10)) }), nil
}

func noticeFields(n *ward.Notice, created, read *sql.NullInt64) []any {
	return []any{&n.ID, &n.Key, &n.Org, &n.Kind, &n.Alert, &n.Event, &n.Urgency, &n.Rung, &n.Severity, &n.Exercise, &n.Asks,
		&n.Subject, &n.Body, &n.Link, created, read, &n.ReadBy}
}

func scanNotice(rows *sql.Rows) (n ward.Notice, err error) {
	var created, read sql.NullInt64
	err = rows.Scan(noticeFields(&n, &created, &read)...)
	n.Created, n.Read = moment(created), moment(read)
	return n, err
}

// NoticesOf lists the notices of one kind about an alert, by organisation.
func (tx *Tx) NoticesOf(ctx context.Context, scope ward.Scope, alert ward.AlertID, kind string) ([]ward.Notice, error) {
	condition, args := within(scope, "org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notices
		WHERE alert = $1 AND kind = $2 AND `+condition+` ORDER BY org, id`, append([]any{string(alert), kind}, args...)...)
	return list(rows, err, scanNotice)
}

// UnreadNotices counts what was not read yet: for an unlimited scope what the national desk was told.
func (tx *Tx) UnreadNotices(ctx context.Context, scope ward.Scope) (int, error) {
	condition, args := within(scope, "org", 1)
	if scope.All() {
		condition = "org = ''"
	}
	var n int
	if err := tx.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notices WHERE read_at IS NULL AND listed = 1 AND `+condition, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("store: unread: %w", err)
	}
	return n, nil
}

// ReadNotice keeps who first read a notice, and returns whose it is.
func (tx *Tx) ReadNotice(ctx context.Context, scope ward.Scope, id int64, at time.Time, by string) (ward.OrgID, error) {
	condition, args := within(scope, "org", 2)
	orgs, err := texts(tx.tx.QueryContext(ctx, `SELECT org FROM notices WHERE id = $1 AND `+condition, append([]any{id}, args...)...))
	if err != nil {
		return "", err
	}
	if len(orgs) == 0 {
		return "", fmt.Errorf("notice %d: %w", id, ward.ErrNotFound)
	}
	if _, err := tx.tx.ExecContext(ctx, `UPDATE notices SET read_at = $1, read_by = $2 WHERE id = $3 AND read_at IS NULL`, micros(at), by, id); err != nil {
		return "", fmt.Errorf("store: notice %d: %w", id, err)
	}
	return ward.OrgID(orgs[0]), nil
}

// HaveRead lists the organisations within scope that opened what they were told of an alert.
func (tx *Tx) HaveRead(ctx context.Context, scope ward.Scope, alert ward.AlertID) ([]ward.OrgID, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT DISTINCT org FROM notices WHERE alert = $1 AND read_at IS NOT NULL AND `+condition, append([]any{string(alert)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (org ward.OrgID, err error) { err = rows.Scan(&org); return org, err })
}

// Owes reports whether an organisation was asked to answer an alert.
func (tx *Tx) Owes(ctx context.Context, alert ward.AlertID, org ward.OrgID) (owes bool, err error) {
	if err := tx.repeatOne(ctx, &owes, `SELECT EXISTS (SELECT 1 FROM responses WHERE alert = $1 AND org = $2)`, string(alert), string(org)); err != nil {
		return false, fmt.Errorf("store: response of %s to %s: %w", org, alert, err)
	}
	return owes, nil
}
