package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// Accounts keeps people, sessions, tokens and the answers to repeated requests. The edge reaches it through interfaces of
// its own and never sees a transaction, so each method here is one.
type Accounts struct{ store *Store }

// Accounts returns the store as sign-in and the API see it.
func (s *Store) Accounts() Accounts { return Accounts{s} }

const personColumns = `id, name, email, org, role, hash, must_change, disabled, created`

func scanPerson(row interface{ Scan(...any) error }) (p ward.Person, err error) {
	var created sql.NullInt64
	err = row.Scan(&p.ID, &p.Name, &p.Email, &p.Org, &p.Role, &p.Hash, &p.MustChange, &p.Disabled, &created)
	p.Created = moment(created)
	return p, found(err)
}

// Person returns a person with what the register says of the person's organisation: the relations that lead from it.
func (a Accounts) Person(ctx context.Context, id ward.PersonID) (person ward.Person, relations []ward.Relation, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		person, relations, err = tx.signed(ctx, "id", string(id))
		return err
	})
	return person, relations, err
}

// PersonByEmail is Person by the sign-in name.
func (a Accounts) PersonByEmail(ctx context.Context, email string) (person ward.Person, relations []ward.Relation, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		person, relations, err = tx.signed(ctx, "email", email)
		return err
	})
	return person, relations, err
}

func (tx *Tx) signed(ctx context.Context, column, value string) (ward.Person, []ward.Relation, error) {
	person, err := scanPerson(tx.tx.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people WHERE `+column+` = $1`, value))
	if err != nil {
		return ward.Person{}, nil, fmt.Errorf("store: person: %w", err)
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT from_org, kind, to_org, since, until FROM relations WHERE from_org = $1`, string(person.Org))
	relations, err := list(rows, err, func(rows *sql.Rows) (r ward.Relation, err error) {
		var since, until sql.NullInt64
		err = rows.Scan(&r.From, &r.Kind, &r.To, &since, &until)
		r.Since, r.Until = moment(since), moment(until)
		return r, err
	})
	return person, relations, err
}

// People lists everybody who can or could sign in, by name: those after the given ID's place in that order.
func (a Accounts) People(ctx context.Context, after ward.PersonID, limit int) (people []ward.Person, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		rows, err := tx.tx.QueryContext(ctx, `SELECT `+personColumns+` FROM people
			WHERE $1 = '' OR (name, id) > (SELECT name, id FROM people WHERE id = $1) ORDER BY name, id LIMIT $2`, string(after), limit)
		people, err = list(rows, err, func(rows *sql.Rows) (ward.Person, error) { return scanPerson(rows) })
		return err
	})
	return people, err
}

// AddPerson keeps a new person. An email that is taken and an organisation that the register does not have are Invalid.
func (a Accounts) AddPerson(ctx context.Context, p ward.Person, entry ward.AuditEntry) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		if p.Org != "" {
			var known int
			if err := tx.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM organisations WHERE id = $1`, string(p.Org)).Scan(&known); err != nil {
				return fmt.Errorf("store: add person: %w", err)
			}
			if known == 0 {
				return &ward.Invalid{Field: "org", Problem: "is not in the register", Hint: "import the organisation first, or correct the code"}
			}
		}
		added, err := tx.addPerson(ctx, p, `1=1`)
		if err != nil {
			return err
		}
		if !added {
			return &ward.Invalid{Field: "email", Problem: "belongs to another account", Hint: "give another address, or reset that account's password"}
		}
		return tx.Audit(ctx, entry)
	})
}

// AddFirstPerson keeps p if nobody is kept yet, and says whether it did.
func (a Accounts) AddFirstPerson(ctx context.Context, p ward.Person, entry ward.AuditEntry) (added bool, err error) {
	err = a.store.Update(ctx, func(tx *Tx) error {
		if added, err = tx.addPerson(ctx, p, `NOT EXISTS (SELECT 1 FROM people)`); err != nil || !added {
			return err
		}
		return tx.Audit(ctx, entry)
	})
	return added, err
}

func (tx *Tx) addPerson(ctx context.Context, p ward.Person, condition string) (bool, error) {
	result, err := tx.tx.ExecContext(ctx, `INSERT INTO people (`+personColumns+`)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE `+condition+` ON CONFLICT DO NOTHING`,
		string(p.ID), p.Name, p.Email, string(p.Org), string(p.Role), p.Hash, p.MustChange, p.Disabled, micros(p.Created))
	return touched(result, err)
}

// SetPassword replaces a person's password hash.
func (a Accounts) SetPassword(ctx context.Context, id ward.PersonID, hash string, mustChange bool, entry ward.AuditEntry) error {
	return a.change(ctx, entry, `UPDATE people SET hash = $1, must_change = $2 WHERE id = $3`, hash, mustChange, string(id))
}

// Rehash replaces a hash by a stronger one of the same password, unless the password was changed meanwhile.
func (a Accounts) Rehash(ctx context.Context, id ward.PersonID, old, hash string) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, `UPDATE people SET hash = $1 WHERE id = $2 AND hash = $3`, hash, string(id), old)
		return err
	})
}

// SetDisabled closes or reopens an account. Closing the last open administrator is ErrState.
func (a Accounts) SetDisabled(ctx context.Context, id ward.PersonID, disabled bool, entry ward.AuditEntry) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		var others int
		if err := tx.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM people WHERE role = $1 AND disabled = $2 AND id <> $3`,
			string(ward.Admin), false, string(id)).Scan(&others); err != nil {
			return fmt.Errorf("store: disable: %w", err)
		}
		if disabled && others == 0 {
			person, err := scanPerson(tx.tx.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people WHERE id = $1`, string(id)))
			if err != nil {
				return err
			}
			if person.Role == ward.Admin {
				return fmt.Errorf("the last administrator stays: make another first: %w", ward.ErrState)
			}
		}
		changed, err := touched(tx.tx.ExecContext(ctx, `UPDATE people SET disabled = $1 WHERE id = $2`, disabled, string(id)))
		if err != nil {
			return err
		}
		if !changed {
			return ward.ErrNotFound
		}
		return tx.Audit(ctx, entry)
	})
}

// change runs one update that must touch a row, with its audit entry.
func (a Accounts) change(ctx context.Context, entry ward.AuditEntry, query string, args ...any) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		changed, err := touched(tx.tx.ExecContext(ctx, query, args...))
		if err != nil {
			return err
		}
		if !changed {
			return ward.ErrNotFound
		}
		return tx.Audit(ctx, entry)
	})
}

func touched(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// Session returns a session's data unless it expired.
func (a Accounts) Session(ctx context.Context, token string, now time.Time) (data []byte, ok bool, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		err := tx.tx.QueryRowContext(ctx, `SELECT data FROM sessions WHERE token = $1 AND expiry > $2`, token, micros(now)).Scan(&data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	return data, ok, err
}

// KeepSession writes a session.
func (a Accounts) KeepSession(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, `INSERT INTO sessions (token, data, expiry) VALUES ($1, $2, $3)
			ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`, token, data, micros(expiry))
		return err
	})
}

// DropSession forgets a session; one that is not there is no error.
func (a Accounts) DropSession(ctx context.Context, token string) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, `DELETE FROM sessions WHERE token = $1`, token)
		return err
	})
}

// Sweep forgets sessions and tokens that expired before now, and answers remembered before then.
func (a Accounts) Sweep(ctx context.Context, now, answersBefore time.Time) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		_, err1 := tx.tx.ExecContext(ctx, `DELETE FROM sessions WHERE expiry <= $1`, micros(now))
		_, err2 := tx.tx.ExecContext(ctx, `DELETE FROM tokens WHERE expires <= $1`, micros(now))
		_, err3 := tx.tx.ExecContext(ctx, `DELETE FROM idempotency WHERE at < $1`, micros(answersBefore))
		return errors.Join(err1, err2, err3)
	})
}

const tokenColumns = `id, person, name, created, expires, used`

func scanToken(row interface{ Scan(...any) error }) (t ward.Token, err error) {
	var created, expires, used sql.NullInt64
	err = row.Scan(&t.ID, &t.Person, &t.Name, &created, &expires, &used)
	t.Created, t.Expires, t.Used = moment(created), moment(expires), moment(used)
	return t, found(err)
}

// TokenByHash finds a token by the hash of its secret.
func (a Accounts) TokenByHash(ctx context.Context, hash string) (token ward.Token, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		token, err = scanToken(tx.tx.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE hash = $1`, hash))
		return err
	})
	return token, err
}

// Tokens lists a person's tokens, newest first.
func (a Accounts) Tokens(ctx context.Context, person ward.PersonID) (tokens []ward.Token, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		rows, err := tx.tx.QueryContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE person = $1 ORDER BY created DESC, id`, string(person))
		tokens, err = list(rows, err, func(rows *sql.Rows) (ward.Token, error) { return scanToken(rows) })
		return err
	})
	return tokens, err
}

// AddToken keeps a token by the hash of its secret.
func (a Accounts) AddToken(ctx context.Context, t ward.Token, hash string, entry ward.AuditEntry) error {
	return a.change(ctx, entry, `INSERT INTO tokens (id, hash, person, name, created, expires) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.ID, hash, string(t.Person), t.Name, micros(t.Created), micros(t.Expires))
}

// DropToken forgets one token of a person.
func (a Accounts) DropToken(ctx context.Context, person ward.PersonID, id string, entry ward.AuditEntry) error {
	return a.change(ctx, entry, `DELETE FROM tokens WHERE id = $1 AND person = $2`, id, string(person))
}

// TokenUsed notes when a token was last used.
func (a Accounts) TokenUsed(ctx context.Context, id string, at time.Time) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, `UPDATE tokens SET used = $1 WHERE id = $2`, micros(at), id)
		return err
	})
}

// Note adds a line to the audit record on its own: what was seen or refused, where nothing else is written.
func (a Accounts) Note(ctx context.Context, entry ward.AuditEntry) error {
	return a.store.Update(ctx, func(tx *Tx) error { return tx.Audit(ctx, entry) })
}

// AuditEntries is Tx.AuditEntries in a transaction of its own.
func (a Accounts) AuditEntries(ctx context.Context, scope ward.Scope, org ward.OrgID, before int64, limit int) (entries []ward.AuditEntry, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		entries, err = tx.AuditEntries(ctx, scope, org, before, limit)
		return err
	})
	return entries, err
}

// AccountEntries lists what the record says of sign-in, people and tokens, and nothing else, newest first.
func (a Accounts) AccountEntries(ctx context.Context, before int64, limit int) (entries []ward.AuditEntry, err error) {
	err = a.store.View(ctx, func(tx *Tx) error {
		rows, err := tx.tx.QueryContext(ctx, `SELECT id, at, person, name, action, subject, org, detail FROM audit
			WHERE ($1 = 0 OR id < $1) AND action >= 'access.' AND action < 'access/' ORDER BY id DESC LIMIT $2`, before, limit)
		entries, err = list(rows, err, scanEntry)
		return err
	})
	return entries, err
}

// Begin claims a name that a person gave to a request, so that it is carried out once. When the name is new, fresh is true.
// Otherwise same says whether it named the same request, and answer is what was answered, nil while that is not known yet.
func (a Accounts) Begin(ctx context.Context, person ward.PersonID, name, request string, at time.Time) (fresh, same bool, answer []byte, err error) {
	err = a.store.Update(ctx, func(tx *Tx) error {
		fresh, err = touched(tx.tx.ExecContext(ctx, `INSERT INTO idempotency (person, name, request, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (person, name) DO NOTHING`, string(person), name, request, micros(at)))
		if err != nil || fresh {
			return err
		}
		var first string
		err = tx.tx.QueryRowContext(ctx, `SELECT request, answer FROM idempotency WHERE person = $1 AND name = $2`, string(person), name).Scan(&first, &answer)
		same = first == request
		return err
	})
	return fresh, same, answer, err
}

// Finish keeps the answer to a request that Begin claimed.
func (a Accounts) Finish(ctx context.Context, person ward.PersonID, name string, answer []byte) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, `UPDATE idempotency SET answer = $1 WHERE person = $2 AND name = $3`, answer, string(person), name)
		return err
	})
}

// Release gives a claimed name back: the request changed nothing and may be tried again.
func (a Accounts) Release(ctx context.Context, person ward.PersonID, name string) error {
	return a.store.Update(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, `DELETE FROM idempotency WHERE person = $1 AND name = $2 AND answer IS NULL`, string(person), name)
		return err
	})
}

// Ready asks the database for a row, so that a server can say whether it can work.
func (s *Store) Ready(ctx context.Context) error {
	return s.View(ctx, func(tx *Tx) error {
		var one int
		return tx.tx.QueryRowContext(ctx, `SELECT 1`).Scan(&one)
	})
}
