// Package store keeps the rows: organisations and estates, what publishers say, verdicts, alerts and answers, people and
// the audit record. Ward nouns come in and go out; one file a subject holds its queries, in the SQL that SQLite and
// PostgreSQL share. Every query that returns an organisation's data takes a ward.Scope. It never decides anything.
//
// All writing happens in Update, in one transaction that is synced before it returns; what must be atomic across rooms
// passes the one *Tx, and who starts the story owns it.
package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"

	"wardwatch/ward"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// Store is an open database. It is safe for concurrent use.
type Store struct {
	write *sql.DB // one connection
	read  *sql.DB
	path  string
	fan   fanOut
}

// Tx is one transaction. Its methods, and those of the views that rooms read through, are the queries.
type Tx struct {
	tx       *sql.Tx
	hints    []ward.Hint
	prepared map[string]*sql.Stmt // by their text; they end with the transaction
}

// Open opens the database in dir, which it makes when missing, and migrates it to this program's schema. A newer schema
// than this program knows is an error that says so.
func Open(ctx context.Context, dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	path := filepath.Join(dir, "wardwatch.db")
	if err := private(path); err != nil {
		return nil, err
	}
	write, read, err := openSQLite(path, runtime.GOMAXPROCS(0)+2)
	if err != nil {
		return nil, err
	}
	s := &Store{write: write, read: read, path: path}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// private makes the database file, when there is none, so that only this account reads it; SQLite gives its side files the
// same mode. A file that is there is left alone: to close a second descriptor of it would drop the locks of the first.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return file.Close()
}

// Writable says why nothing can be written, and writes nothing.
func (s *Store) Writable(ctx context.Context) error {
	return s.Update(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, `UPDATE counters SET value = value WHERE 1 = 0`) // to begin is not enough: SQLite begins on a read-only file
		return err
	})
}

// Path is the database file.
func (s *Store) Path() string { return s.path }

// Close closes the database.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, dir)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	if current > target {
		return fmt.Errorf("store: %s has schema %d and this program knows %d: run the newer program, or restore the copy made before the upgrade", s.path, current, target)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate %s: %w", s.path, err)
	}
	return nil
}

// Update runs do in one writing transaction: all of it is kept, synced, or none. do may be called once only.
func (s *Store) Update(ctx context.Context, do func(*Tx) error) error {
	hints, err := transact(ctx, s.write, &sql.TxOptions{}, do)
	if err != nil {
		return explained(err, s.path)
	}
	s.fan.send(hints)
	return nil
}

// View runs do in one reading transaction, which sees one moment of the database.
func (s *Store) View(ctx context.Context, do func(*Tx) error) error {
	_, err := transact(ctx, s.read, &sql.TxOptions{ReadOnly: true}, do)
	return err
}

func transact(ctx context.Context, db *sql.DB, options *sql.TxOptions, do func(*Tx) error) (hints []ward.Hint, err error) {
	begun, err := db.BeginTx(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("store: begin: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			_ = begun.Rollback() // after a failure the first error is the one to report; after a panic there is none
		}
	}()
	tx := &Tx{tx: begun}
	if err := do(tx); err != nil {
		return nil, err
	}
	if err := begun.Commit(); err != nil {
		return nil, fmt.Errorf("store: commit: %w", err)
	}
	kept = true
	return tx.hints, nil
}

// prepare keeps a statement that a bulk load repeats; it ends with the transaction.
func (tx *Tx) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if known, ok := tx.prepared[query]; ok {
		return known, nil
	}
	statement, err := tx.tx.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("store: prepare: %w", err)
	}
	if tx.prepared == nil {
		tx.prepared = map[string]*sql.Stmt{}
	}
	tx.prepared[query] = statement
	return statement, nil
}

// repeat writes with a statement that the transaction keeps.
func (tx *Tx) repeat(ctx context.Context, query string, args ...any) error {
	statement, err := tx.prepare(ctx, query) //nolint:sqlclosecheck // the transaction closes it
	if err == nil {
		_, err = statement.ExecContext(ctx, args...)
	}
	return err
}

// repeatOne reads one value with a statement that the transaction keeps.
func (tx *Tx) repeatOne(ctx context.Context, into any, query string, args ...any) error {
	statement, err := tx.prepare(ctx, query) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return err
	}
	return statement.QueryRowContext(ctx, args...).Scan(into)
}

// micros is how the store keeps a time: microseconds UTC, NULL for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// moment reads what micros wrote.
func moment(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return time.UnixMicro(v.Int64).UTC()
}

// encode is the JSON text of a list or body.
func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("store: encode: %w", err)
	}
	return string(text), nil
}

// found turns "no rows" into ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ward.ErrNotFound
	}
	return err
}

// texts reads a query of one text column.
func texts(rows *sql.Rows, err error) ([]string, error) {
	return list(rows, err, func(rows *sql.Rows) (text string, err error) { err = rows.Scan(&text); return text, err })
}

// list reads every row of a query with scan.
func list[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return all, nil
}

// Verify asks the database to check itself, and returns what is wrong, or nothing.
func (s *Store) Verify(ctx context.Context) (problem string, err error) {
	var result string
	if err := s.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&result); err != nil {
		return "", fmt.Errorf("store: check: %w", err)
	}
	if result == "ok" {
		return "", nil
	}
	return result, nil
}
