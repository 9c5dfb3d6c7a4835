package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wardwatch/ward"
)

// openSQLite opens one writing connection and a pool of readers. WAL with synchronous=FULL: a commit is on the disk before
// it is acknowledged. BEGIN IMMEDIATE: a writer waits for its turn at the start and never loses its work half way.
func openSQLite(path string, readers int) (write, read *sql.DB, err error) {
	pragmas := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(ON)", "cache_size(-16384)",
		"temp_store(MEMORY)", "mmap_size(268435456)",
	}}
	writing := url.Values{"_txlock": {"immediate"}, "_pragma": pragmas["_pragma"]}
	if write, err = sql.Open("sqlite", "file:"+url.PathEscape(path)+"?"+writing.Encode()); err != nil {
		return nil, nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	reading := url.Values{"_pragma": append([]string{"query_only(ON)"}, pragmas["_pragma"]...)}
	if read, err = sql.Open("sqlite", "file:"+url.PathEscape(path)+"?"+reading.Encode()); err != nil {
		_ = write.Close()
		return nil, nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return write, read, nil
}

// explained adds what to do where the database could not write.
func explained(err error, path string) error {
	var said *sqlite.Error
	if !errors.As(err, &said) {
		return err
	}
	switch said.Code() & 0xff { // the rest is detail
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: nothing of this was kept: make room on the disk of %s and do it again", err, path)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: let the account that runs the program write to %s and its directory", err, path)
	}
	return err
}

// within is the WHERE condition that keeps a query to what scope sees: column is an organisation's code, and the
// arguments follow those already counted (next is the number of the first free parameter). The zero Scope makes it false.
func within(scope ward.Scope, column string, next int) (condition string, args []any) {
	if scope.All() {
		return "1=1", nil
	}
	orgs := scope.Orgs()
	if len(orgs) == 0 {
		return "1=0", nil
	}
	marks := make([]string, len(orgs))
	for i, org := range orgs {
		marks[i] = fmt.Sprintf("$%d", next+i)
		args = append(args, string(org))
	}
	return column + " IN (" + strings.Join(marks, ",") + ")", args
}

// inBody is the value of one key of a JSON column: text, 1 or 0, or a list as JSON; empty when it is not there.
func inBody(column, key string) string {
	return "COALESCE(json_extract(" + column + ", '$." + key + "'), '')"
}
