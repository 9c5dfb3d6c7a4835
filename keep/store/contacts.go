package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// SaveContact adds a contact (ID 0), or replaces what is kept of it, and returns its ID.
func (tx *Tx) SaveContact(ctx context.Context, c ward.Contact) (ward.ContactID, error) {
	body, err := encode(c)
	if err != nil {
		return 0, err
	}
	var id any
	if c.ID != 0 {
		id = int64(c.ID)
	}
	if err := tx.repeatOne(ctx, &c.ID, `INSERT INTO contacts (id, org, name, place, version, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, place = excluded.place, version = excluded.version, body = excluded.body RETURNING id`,
		id, string(c.Org), c.Name, c.Order, c.Version, body); err != nil {
		return 0, fmt.Errorf("store: contact %d of %s: %w", c.ID, c.Org, err)
	}
	return c.ID, nil
}

// RemoveContact forgets a contact and its shifts.
func (tx *Tx) RemoveContact(ctx context.Context, id ward.ContactID) error {
	for _, query := range []string{`DELETE FROM contacts WHERE id = $1`, `DELETE FROM shifts WHERE contact = $1`} {
		if _, err := tx.tx.ExecContext(ctx, query, int64(id)); err != nil {
			return fmt.Errorf("store: contact %d: %w", id, err)
		}
	}
	return nil
}

// Contact is one contact within scope.
func (tx *Tx) Contact(ctx context.Context, scope ward.Scope, id ward.ContactID) (ward.Contact, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, body FROM contacts WHERE id = $1 AND `+condition, append([]any{int64(id)}, args...)...)
	return only(list(rows, err, scanContact))
}

// Contacts lists the contacts of one organisation within scope, or of the national desk (org empty), in the order in which
// they are telephoned.
func (tx *Tx) Contacts(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Contact, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, body FROM contacts WHERE org = $1 AND `+condition+` ORDER BY place, id`, append([]any{string(org)}, args...)...)
	return list(rows, err, scanContact)
}

// EveryContact lists the contacts within scope, by organisation.
func (tx *Tx) EveryContact(ctx context.Context, scope ward.Scope) ([]ward.Contact, error) {
	condition, args := within(scope, "org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, body FROM contacts WHERE `+condition+` ORDER BY org, place, id`, args...)
	return list(rows, err, scanContact)
}

func scanContact(rows *sql.Rows) (c ward.Contact, err error) {
	var id ward.ContactID
	var body []byte
	if err = rows.Scan(&id, &body); err == nil {
		err = json.Unmarshal(body, &c)
	}
	c.ID = id
	return c, err
}

// AddShift keeps a turn on a rota.
func (tx *Tx) AddShift(ctx context.Context, s ward.Shift) error {
	if err := tx.repeat(ctx, `INSERT INTO shifts (org, rung, contact, since, until) VALUES ($1, $2, $3, $4, $5)`,
		string(s.Org), string(s.Rung), int64(s.Contact), micros(s.Since), micros(s.Until)); err != nil {
		return fmt.Errorf("store: shift of %d: %w", s.Contact, err)
	}
	return nil
}

// CutShifts ends the turns of a rung at a time: those that began before it end there, and those after it are forgotten.
func (tx *Tx) CutShifts(ctx context.Context, org ward.OrgID, rung ward.Rung, at time.Time) error {
	for _, query := range []string{
		`DELETE FROM shifts WHERE org = $1 AND rung = $2 AND since >= $3`,
		`UPDATE shifts SET until = $3 WHERE org = $1 AND rung = $2 AND until > $3`,
	} {
		if _, err := tx.tx.ExecContext(ctx, query, string(org), string(rung), micros(at)); err != nil {
			return fmt.Errorf("store: rota of %s: %w", org, err)
		}
	}
	return nil
}

// Shifts lists the turns of an organisation within scope, or of the national desk, that end after a time, in order.
func (tx *Tx) Shifts(ctx context.Context, scope ward.Scope, org ward.OrgID, after time.Time) ([]ward.Shift, error) {
	condition, args := within(scope, "s.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT s.id, s.org, s.rung, s.contact, c.name, s.since, s.until FROM shifts s JOIN contacts c ON c.id = s.contact
		WHERE s.org = $1 AND s.until > $2 AND `+condition+` ORDER BY s.rung, s.since, s.id`, append([]any{string(org), micros(after)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (s ward.Shift, err error) {
		var since, until sql.NullInt64
		err = rows.Scan(&s.ID, &s.Org, &s.Rung, &s.Contact, &s.Name, &since, &until)
		s.Since, s.Until = moment(since), moment(until)
		return s, err
	})
}

// Secret is 32 random bytes under a name, made when they are first asked for.
func (tx *Tx) Secret(ctx context.Context, name string, at time.Time) (secret []byte, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = $1`, name).Scan(&secret)
	if !errors.Is(err, sql.ErrNoRows) {
		return secret, err
	}
	secret = make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO secrets (name, value, at) VALUES ($1, $2, $3)`, name, secret, micros(at)); err != nil {
		return nil, fmt.Errorf("store: secret %s: %w", name, err)
	}
	return secret, nil
}

// KnownSecret is a secret that was made before, or ErrNotFound.
func (tx *Tx) KnownSecret(ctx context.Context, name string) (secret []byte, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = $1`, name).Scan(&secret)
	return secret, found(err)
}
