package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

// AddNotice keeps a notice, and reports whether it is new: the same key makes one notice.
func (tx *Tx) AddNotice(ctx context.Context, n ward.Notice) (bool, error) {
	result, err := tx.tx.ExecContext(ctx, `INSERT INTO notices (message, org, kind, alert, subject, body, link, created, read_at, read_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, '') ON CONFLICT (message) DO NOTHING`,
		n.Key, string(n.Org), n.Kind, string(n.Alert), n.Subject, n.Body, n.Link, micros(n.Created))
	if err != nil {
		return false, fmt.Errorf("store: notice %s: %w", n.Key, err)
	}
	added, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("store: notice %s: %w", n.Key, err)
	}
	return added == 1, nil
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
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, message, org, kind, alert, subject, body, link, created, read_at, read_by FROM notices
		WHERE org = $1 AND ($2 = 0 OR id < $2) AND `+condition+` ORDER BY id DESC LIMIT $3`,
		append([]any{string(org), before, limit + 1}, args...)...)
	notices, err := list(rows, err, scanNotice)
	if err != nil {
		return ward.Page[ward.Notice]{}, err
	}
	return paged(notices, limit, func(n ward.Notice) string { return cursor("", strconv.FormatInt(n.ID, 10)) }), nil
}

func scanNotice(rows *sql.Rows) (n ward.Notice, err error) {
	var created, read sql.NullInt64
	err = rows.Scan(&n.ID, &n.Key, &n.Org, &n.Kind, &n.Alert, &n.Subject, &n.Body, &n.Link, &created, &read, &n.ReadBy)
	n.Created, n.Read = moment(created), moment(read)
	return n, err
}

// NoticesOf lists the notices of one kind about an alert, by organisation.
func (tx *Tx) NoticesOf(ctx context.Context, scope ward.Scope, alert ward.AlertID, kind string) ([]ward.Notice, error) {
	condition, args := within(scope, "org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, message, org, kind, alert, subject, body, link, created, read_at, read_by FROM notices
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
	if err := tx.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notices WHERE read_at IS NULL AND `+condition, args...).Scan(&n); err != nil {
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
