package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// AlertQuery chooses alerts. Its zero value chooses all that the scope sees.
type AlertQuery struct {
	State ward.AlertState
	Org   ward.OrgID // only alerts in whose audience it is
	CVE   ward.CVE
	Text  string // part of the threat ID or title, without case
	After string // cursor
	Limit int
}

// AlertVersion is one version of an alert, with who made it.
type AlertVersion struct {
	At       time.Time
	ByPerson ward.PersonID
	By       string
	Wrote    bool // changed the text, and not only the state
	Alert    ward.Alert
}

// CitedAsset is an exposure as an alert cited it at publication.
type CitedAsset struct {
	Asset   ward.AssetID
	Name    string
	Version string
}

// Count raises a named counter, which starts at first, and returns its new value.
func (tx *Tx) Count(ctx context.Context, name string, first int64) (int64, error) {
	var value int64
	err := tx.tx.QueryRowContext(ctx, `INSERT INTO counters (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value`, name, first).Scan(&value)
	if err != nil {
		return 0, fmt.Errorf("store: counter %s: %w", name, err)
	}
	return value, nil
}

// SaveAlert writes an alert whose Version says which it becomes: 1 makes it, n replaces n-1. When that version is not the
// one that stands, nothing is written and the error is ErrConflict.
func (tx *Tx) SaveAlert(ctx context.Context, version AlertVersion) error {
	a := version.Alert
	body, err := encode(a)
	if err != nil {
		return err
	}
	result, err := tx.tx.ExecContext(ctx, `INSERT INTO alerts (id, version, state, severity, title, created, issued, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state, severity = excluded.severity,
			title = excluded.title, issued = excluded.issued, body = excluded.body
		WHERE alerts.version = excluded.version - 1`,
		string(a.ID), a.Version, string(a.State), string(a.Severity), a.Title, micros(a.Created), micros(a.Issued), body)
	if err := changed(result, err, "alert "+string(a.ID)); err != nil {
		return err
	}
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO alert_versions (alert, version, at, by_person, by_name, wrote, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, string(a.ID), a.Version, micros(version.At), string(version.ByPerson), version.By,
		flag(version.Wrote), body); err != nil {
		return fmt.Errorf("store: alert %s version %d: %w", a.ID, a.Version, err)
	}
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM alert_cves WHERE alert = $1`, string(a.ID)); err != nil {
		return fmt.Errorf("store: alert %s: %w", a.ID, err)
	}
	for _, cve := range a.CVEs {
		if _, err := tx.tx.ExecContext(ctx, `INSERT INTO alert_cves (cve, alert) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			string(cve), string(a.ID)); err != nil {
			return fmt.Errorf("store: alert %s: %w", a.ID, err)
		}
	}
	return nil
}

// changed turns a write that touched no row into ErrConflict.
func changed(result sql.Result, err error, what string) error {
	if err != nil {
		return fmt.Errorf("store: %s: %w", what, err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("store: %s: %w", what, ward.ErrConflict)
	}
	return nil
}

func flag(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// alertsSeen is the condition on alerts a that keeps an organisation to what was published to it.
func alertsSeen(scope ward.Scope, next int) (string, []any) {
	if scope.All() {
		return "1=1", nil
	}
	asked, args := within(scope, "r.org", next)
	return "a.issued IS NOT NULL AND (EXISTS (SELECT 1 FROM responses r WHERE r.alert = a.id AND " + asked + `)
		OR EXISTS (SELECT 1 FROM alert_informed r WHERE r.alert = a.id AND ` + asked + "))", args
}

func scanAlert(rows *sql.Rows) (a ward.Alert, err error) {
	var body string
	if err := rows.Scan(&body); err != nil {
		return a, err
	}
	err = json.Unmarshal([]byte(body), &a)
	return a, err
}

// Alert reads one alert. An organisation finds only those published to it.
func (tx *Tx) Alert(ctx context.Context, scope ward.Scope, id ward.AlertID) (ward.Alert, error) {
	condition, args := alertsSeen(scope, 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT a.body FROM alerts a WHERE a.id = $1 AND `+condition, append([]any{string(id)}, args...)...)
	alerts, err := list(rows, err, scanAlert)
	if err != nil {
		return ward.Alert{}, err
	}
	if len(alerts) == 0 {
		return ward.Alert{}, fmt.Errorf("alert %s: %w", id, ward.ErrNotFound)
	}
	return alerts[0], nil
}

// Alerts lists alerts, newest first.
func (tx *Tx) Alerts(ctx context.Context, scope ward.Scope, q AlertQuery) (ward.Page[ward.Alert], error) {
	limit := pageSize(q.Limit)
	where := []string{}
	var args []any
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	if q.State != "" {
		add("a.state = ?", string(q.State))
	}
	if q.Org != "" {
		add(`(EXISTS (SELECT 1 FROM responses o WHERE o.alert = a.id AND o.org = ?) OR EXISTS (SELECT 1 FROM alert_informed o WHERE o.alert = a.id AND o.org = ?))`,
			string(q.Org), string(q.Org))
	}
	if q.CVE != "" {
		add("EXISTS (SELECT 1 FROM alert_cves c WHERE c.alert = a.id AND c.cve = ?)", string(q.CVE))
	}
	if q.Text != "" {
		part := containing(q.Text)
		add(`(lower(a.title) LIKE ? ESCAPE '\' OR lower(a.id) LIKE ? ESCAPE '\')`, part, part)
	}
	if q.After != "" {
		at, id, err := readCursor(q.After)
		if err != nil {
			return ward.Page[ward.Alert]{}, err
		}
		number, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return ward.Page[ward.Alert]{}, badCursor
		}
		add("(COALESCE(a.issued, a.created) < ? OR (COALESCE(a.issued, a.created) = ? AND a.id < ?))", number, number, id)
	}
	seen, seenArgs := alertsSeen(scope, len(args)+1)
	where = append(where, seen)
	args = append(args, seenArgs...)
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT a.body FROM alerts a WHERE %s
		ORDER BY COALESCE(a.issued, a.created) DESC, a.id DESC LIMIT %d`, strings.Join(where, " AND "), limit+1), args...)
	alerts, err := list(rows, err, scanAlert)
	if err != nil {
		return ward.Page[ward.Alert]{}, err
	}
	return paged(alerts, limit, func(a ward.Alert) string {
		at := a.Created
		if !a.Issued.IsZero() {
			at = a.Issued
		}
		return cursor(strconv.FormatInt(at.UnixMicro(), 10), string(a.ID))
	}), nil
}

// AlertVersions lists every version of an alert, oldest first. An organisation sees those since publication.
func (tx *Tx) AlertVersions(ctx context.Context, scope ward.Scope, id ward.AlertID) ([]AlertVersion, error) {
	condition, args := alertsSeen(scope, 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT v.at, v.by_person, v.by_name, v.wrote, v.body FROM alert_versions v JOIN alerts a ON a.id = v.alert
		WHERE v.alert = $1 AND `+condition+` ORDER BY v.version`, append([]any{string(id)}, args...)...)
	versions, err := list(rows, err, func(rows *sql.Rows) (v AlertVersion, err error) {
		var at sql.NullInt64
		var body string
		if err := rows.Scan(&at, &v.ByPerson, &v.By, &v.Wrote, &body); err != nil {
			return v, err
		}
		v.At = moment(at)
		err = json.Unmarshal([]byte(body), &v.Alert)
		return v, err
	})
	if err != nil {
		return nil, err
	}
	seen := versions[:0]
	for _, v := range versions {
		if scope.All() || !v.Alert.Issued.IsZero() {
			seen = append(seen, v)
		}
	}
	if len(seen) == 0 {
		return nil, fmt.Errorf("alert %s: %w", id, ward.ErrNotFound)
	}
	return seen, nil
}

// AlertsOf lists the published alerts, oldest first, that name any of the weaknesses; with none given, every published alert.
func (tx *Tx) AlertsOf(ctx context.Context, cves []ward.CVE) ([]ward.Alert, error) {
	condition, args := "1=1", []any(nil)
	if len(cves) > 0 {
		marks, values := marks(cves, 2)
		condition, args = "EXISTS (SELECT 1 FROM alert_cves c WHERE c.alert = a.id AND c.cve IN ("+marks+"))", values
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT a.body FROM alerts a WHERE a.state = $1 AND `+condition+` ORDER BY a.issued, a.id`,
		append([]any{string(ward.Published)}, args...)...)
	return list(rows, err, scanAlert)
}

// Cite writes down, for an alert or finding, every exposure of the organisations to the weaknesses that is open now.
// Of several sources that see the same software on the same asset the strongest is cited.
func (tx *Tx) Cite(ctx context.Context, kind, cited string, cves []ward.CVE, orgs []ward.OrgID) error {
	if len(cves) == 0 || len(orgs) == 0 {
		return nil
	}
	chosen, args := marks(orgs, 3)
	in, weaknesses := marks(cves, 3+len(orgs))
	args = append(append([]any{kind, cited}, args...), weaknesses...)
	_, err := tx.tx.ExecContext(ctx, `INSERT INTO exposures
			(cited_kind, cited, org, asset, cve, software, source, grade, fixed, why, first_seen, last_seen, ended)
		SELECT $1, $2, o.org, i.asset, v.cve, v.software, s.name, s.grade, v.fixed, v.why,
			MAX(i.first_seen, `+begins+`), s.observed_at, ''
		FROM verdicts v
		JOIN installs i ON i.software = v.software AND i.last_seen IS NULL`+onPlatform+`
		JOIN sources s ON s.id = i.source
		JOIN asset_orgs o ON o.asset = i.asset AND +o.org IN (`+chosen+`)
		WHERE v.cve IN (`+in+`) AND v.status = 'affected' AND v.until IS NULL AND `+thereNow+`
		ORDER BY CASE s.grade WHEN 'independent' THEN 0 WHEN 'tool export' THEN 1 ELSE 2 END, s.observed_at DESC
		ON CONFLICT DO NOTHING`, args...)
	if err != nil {
		return fmt.Errorf("store: cite %s %s: %w", kind, cited, err)
	}
	return nil
}

// Cited lists what was written down for an organisation: each asset with the version that was cited.
func (tx *Tx) Cited(ctx context.Context, scope ward.Scope, kind, cited string, org ward.OrgID) ([]CitedAsset, error) {
	condition, args := within(scope, "e.org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT DISTINCT e.asset, a.name, s.version FROM exposures e
		JOIN assets a ON a.id = e.asset JOIN software s ON s.id = e.software
		WHERE e.cited_kind = $1 AND e.cited = $2 AND e.org = $3 AND `+condition+` ORDER BY a.name, e.asset, s.version`,
		append([]any{kind, cited, string(org)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (c CitedAsset, err error) {
		err = rows.Scan(&c.Asset, &c.Name, &c.Version)
		return c, err
	})
}

// FixedVersions lists the fixed versions that open verdicts name for the weaknesses, with the product as inventories name it.
func (tx *Tx) FixedVersions(ctx context.Context, cves []ward.CVE) ([]ward.Software, error) {
	in, args := marks(cves, 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT DISTINCT s.vendor, s.product, v.fixed FROM verdicts v JOIN software s ON s.id = v.software
		WHERE v.cve IN (`+in+`) AND v.status = 'affected' AND v.until IS NULL AND v.waits = 0 ORDER BY s.vendor, s.product, v.fixed`, args...)
	return list(rows, err, func(rows *sql.Rows) (s ward.Software, err error) {
		err = rows.Scan(&s.Vendor, &s.Product, &s.Version)
		return s, err
	})
}

// Audience sorts organisations into those open at a time and the rest; with none given it is every open one. Codes that
// the register does not know come back in unknown.
func (tx *Tx) Audience(ctx context.Context, orgs []ward.OrgID, at time.Time) (open, closed, unknown []ward.OrgID, err error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, closed FROM organisations ORDER BY id`)
	type org struct {
		id     ward.OrgID
		closed sql.NullInt64
	}
	all, err := list(rows, err, func(rows *sql.Rows) (o org, err error) { err = rows.Scan(&o.id, &o.closed); return o, err })
	if err != nil {
		return nil, nil, nil, err
	}
	wanted := map[ward.OrgID]bool{}
	for _, id := range orgs {
		wanted[id] = true
	}
	for _, o := range all {
		switch {
		case orgs != nil && !wanted[o.id]:
		case o.closed.Valid && o.closed.Int64 <= at.UnixMicro():
			closed = append(closed, o.id)
		default:
			open = append(open, o.id)
		}
		delete(wanted, o.id)
	}
	for _, id := range orgs {
		if wanted[id] {
			unknown = append(unknown, id)
			delete(wanted, id)
		}
	}
	return open, closed, unknown, nil
}
