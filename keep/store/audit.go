package store

import (
	"context"
	"database/sql"
	"fmt"

	"wardwatch/ward"
)

// Audit adds a line to the append-only record, in the transaction of what it records.
func (tx *Tx) Audit(ctx context.Context, entry ward.AuditEntry) error {
	if _, err := tx.tx.ExecContext(ctx,
		`INSERT INTO audit (at, person, name, action, subject, org, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		micros(entry.At), string(entry.Person), entry.Name, entry.Action, entry.Subject, string(entry.Org), entry.Detail); err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	return nil
}

// AuditEntries lists the record within scope, newest first: entries before the given ID (0: from the newest). Entries that
// are about no one organisation are shown to an unlimited scope only.
func (tx *Tx) AuditEntries(ctx context.Context, scope ward.Scope, org ward.OrgID, before int64, limit int) ([]ward.AuditEntry, error) {
	condition, args := within(scope, "org", 5)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, at, person, name, action, subject, org, detail FROM audit
		WHERE ($1 = 0 OR id < $2) AND ($3 = '' OR org = $3) AND `+condition+` ORDER BY id DESC LIMIT $4`,
		append([]any{before, before, string(org), limit}, args...)...)
	return list(rows, err, scanEntry)
}

func scanEntry(rows *sql.Rows) (e ward.AuditEntry, err error) {
	var at sql.NullInt64
	err = rows.Scan(&e.ID, &at, &e.Person, &e.Name, &e.Action, &e.Subject, &e.Org, &e.Detail)
	e.At = moment(at)
	return e, err
}
