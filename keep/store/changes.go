package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"wardwatch/ward"
)

// SaveChanges appends verdicts that became others.
func (tx *Tx) SaveChanges(ctx context.Context, all []ward.VerdictChange) error {
	for _, c := range all {
		if err := tx.repeat(ctx, `INSERT INTO verdict_changes (at, cve, software, was, was_source, became, became_source, words)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, micros(c.At), string(c.CVE), int64(c.Software.ID), string(c.Was), c.WasSource,
			string(c.Became), c.BecameSource, c.Words); err != nil {
			return fmt.Errorf("store: change on %s: %w", c.CVE, err)
		}
	}
	return nil
}

// ChangeQuery chooses recorded changes. Its zero value chooses all that the scope sees.
type ChangeQuery struct {
	CVE      ward.CVE
	Software ward.SoftwareID
	Org      ward.OrgID // on what its assets run or ran
	After    string     // cursor
	Limit    int
}

// Changes lists recorded changes, newest first. That a change was recorded tells that somebody runs the software, so a scope
// of some organisations sees those of what their own assets run or ran.
func (tx *Tx) Changes(ctx context.Context, scope ward.Scope, q ChangeQuery) (ward.Page[ward.VerdictChange], error) {
	none := ward.Page[ward.VerdictChange]{}
	limit := pageSize(q.Limit)
	seen, args := within(scope, "o.org", 1)
	arg := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	where := []string{"1 = 1"}
	if q.CVE != "" {
		where = append(where, `c.cve = `+arg(string(q.CVE)))
	}
	if q.Software != 0 {
		where = append(where, `c.software = `+arg(int64(q.Software)))
	}
	if !scope.All() || q.Org != "" {
		if q.Org != "" {
			seen += ` AND o.org = ` + arg(string(q.Org))
		}
		where = append(where, `EXISTS (SELECT 1 FROM installs i JOIN asset_orgs o ON o.asset = i.asset WHERE i.software = c.software AND `+seen+`)`)
	}
	if q.After != "" {
		key, _, err := readCursor(q.After)
		id, wrong := strconv.ParseInt(key, 10, 64)
		if err != nil || wrong != nil {
			return none, badCursor
		}
		where = append(where, `c.id < `+arg(id))
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT c.id, c.at, c.cve, c.was, c.was_source, c.became, c.became_source, c.words, `+softwareColumns+`
		FROM verdict_changes c JOIN software w ON w.id = c.software WHERE `+strings.Join(where, ` AND `)+` ORDER BY c.id DESC LIMIT `+arg(limit+1), args...)
	found, err := list(rows, err, func(rows *sql.Rows) (c ward.VerdictChange, err error) {
		var at sql.NullInt64
		s := &c.Software
		err = rows.Scan(&c.ID, &at, &c.CVE, &c.Was, &c.WasSource, &c.Became, &c.BecameSource, &c.Words, &s.ID, &s.Vendor, &s.Product, &s.Version, &s.CPE, &s.PURL)
		c.At = moment(at)
		return c, err
	})
	if err != nil {
		return none, err
	}
	return paged(found, limit, func(c ward.VerdictChange) string { return cursor(strconv.FormatInt(c.ID, 10), "") }), nil
}
