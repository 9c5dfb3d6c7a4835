package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"wardwatch/ward"
)

// AddSender keeps a sender, known by the hash of its token or by its certificate.
func (tx *Tx) AddSender(ctx context.Context, s ward.Sender, token string) error {
	null := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	_, err := tx.tx.ExecContext(ctx, `INSERT INTO senders (id, org, name, token, certificate, created) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.ID, string(s.Org), s.Name, null(token), null(s.Certificate), micros(s.Created))
	if err != nil {
		return fmt.Errorf("store: sender: %w", err)
	}
	return nil
}

// RevokeSender says that a sender may send no more, or ward.ErrNotFound.
func (tx *Tx) RevokeSender(ctx context.Context, s ward.Sender) error {
	result, err := tx.tx.ExecContext(ctx, `UPDATE senders SET revoked = $1 WHERE id = $2 AND revoked IS NULL`, micros(s.Revoked), s.ID)
	if err != nil {
		return fmt.Errorf("store: sender: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("store: sender %s: %w", s.ID, ward.ErrNotFound))
	}
	return nil
}

const senderColumns = `id, org, name, certificate, created, revoked`

// Senders lists the senders in scope.
func (tx *Tx) Senders(ctx context.Context, scope ward.Scope) ([]ward.Sender, error) {
	condition, args := within(scope, "org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+senderColumns+` FROM senders WHERE `+condition+` ORDER BY org, created, id`, args...)
	return list(rows, err, scanSender)
}

// SenderBy is the sender that a credential is of and who was not revoked, or ward.ErrNotFound. Both are hexadecimal digits; the one
// that is empty is not asked for.
func (tx *Tx) SenderBy(ctx context.Context, token, certificate string) (ward.Sender, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+senderColumns+` FROM senders
		WHERE (token = $1 OR certificate = $2) AND revoked IS NULL`, token, certificate)
	all, err := list(rows, err, scanSender)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("store: sender: %w", ward.ErrNotFound)
	}
	if err != nil {
		return ward.Sender{}, err
	}
	return all[0], nil
}

func scanSender(rows *sql.Rows) (s ward.Sender, err error) {
	var certificate sql.NullString
	var created, revoked sql.NullInt64
	err = rows.Scan(&s.ID, &s.Org, &s.Name, &certificate, &created, &revoked)
	s.Certificate, s.Created, s.Revoked = certificate.String, moment(created), moment(revoked)
	return s, err
}
