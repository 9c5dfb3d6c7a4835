package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

// Found is one finding of a scanner on one asset, as imports move it.
type Found struct {
	Asset  ward.AssetID
	CVE    ward.CVE
	Plugin string
	Port   string
}

// Said is what a scanner says of a finding.
type Said struct {
	Title    string
	Output   string
	Severity string
}

// FoundNow is what a source's newest scan reports.
func (tx *Tx) FoundNow(ctx context.Context, source ward.SourceID) (map[Found]Said, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT asset, cve, plugin, port, title, output, severity FROM scanner_findings
		WHERE source = $1 AND last_seen IS NULL`, int64(source))
	all := map[Found]Said{}
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var f Found
		var s Said
		err := rows.Scan(&f.Asset, &f.CVE, &f.Plugin, &f.Port, &s.Title, &s.Output, &s.Severity)
		all[f] = s
		return struct{}{}, err
	})
	return all, err
}

// AddFound begins an interval in which a source reports a finding.
func (tx *Tx) AddFound(ctx context.Context, source ward.SourceID, f Found, s Said, at time.Time) error {
	if err := tx.repeat(ctx, `INSERT INTO scanner_findings (source, asset, cve, plugin, port, first_seen, title, output, severity)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, int64(source), int64(f.Asset), string(f.CVE), f.Plugin, f.Port, micros(at), s.Title, s.Output, s.Severity); err != nil {
		return fmt.Errorf("store: scanner finding %s: %w", f.CVE, err)
	}
	return nil
}

// ChangeFound replaces what a source says of a finding that it reports.
func (tx *Tx) ChangeFound(ctx context.Context, source ward.SourceID, f Found, s Said) error {
	if err := tx.repeat(ctx, `UPDATE scanner_findings SET title = $1, output = $2, severity = $3
		WHERE source = $4 AND asset = $5 AND cve = $6 AND plugin = $7 AND port = $8 AND last_seen IS NULL`,
		s.Title, s.Output, s.Severity, int64(source), int64(f.Asset), string(f.CVE), f.Plugin, f.Port); err != nil {
		return fmt.Errorf("store: scanner finding %s: %w", f.CVE, err)
	}
	return nil
}

// EndFound ends the interval: at is when the source last reported it.
func (tx *Tx) EndFound(ctx context.Context, source ward.SourceID, f Found, at time.Time) error {
	if err := tx.repeat(ctx, `UPDATE scanner_findings SET last_seen = $1
		WHERE source = $2 AND asset = $3 AND cve = $4 AND plugin = $5 AND port = $6 AND last_seen IS NULL`,
		micros(at), int64(source), int64(f.Asset), string(f.CVE), f.Plugin, f.Port); err != nil {
		return fmt.Errorf("store: scanner finding %s: %w", f.CVE, err)
	}
	return nil
}

// ScannerQuery chooses findings of scanners. Its zero value chooses all that the scope sees and the newest scans report.
type ScannerQuery struct {
	Org   ward.OrgID // that answers for the asset
	Asset ward.AssetID
	CVE   ward.CVE
	Gone  bool // those that a later scan reports no longer, too
	After string
	Limit int
}

// ScannerFindings lists what scanners report on assets within scope, by asset, weakness, source and check.
func (tx *Tx) ScannerFindings(ctx context.Context, scope ward.Scope, q ScannerQuery) (ward.Page[ward.ScannerFinding], error) {
	limit := pageSize(q.Limit)
	condition, args := within(scope, "o.org", 1)
	arg := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	where := `EXISTS (SELECT 1 FROM asset_orgs o WHERE o.asset = f.asset AND ` + condition
	if q.Org != "" {
		where += ` AND o.org = ` + arg(string(q.Org))
	}
	where += `)`
	if q.Org != "" { // from the organisation's own list of assets
		where += ` AND f.asset IN (SELECT asset FROM asset_orgs WHERE org = ` + arg(string(q.Org)) + `)`
	}
	if q.Asset != 0 {
		where += ` AND f.asset = ` + arg(int64(q.Asset))
	}
	if q.CVE != "" {
		where += ` AND f.cve = ` + arg(string(q.CVE))
	}
	if !q.Gone {
		where += ` AND f.last_seen IS NULL`
	}
	offset := 0
	if q.After != "" {
		key, _, err := readCursor(q.After)
		if err != nil {
			return ward.Page[ward.ScannerFinding]{}, err
		}
		if offset, err = strconv.Atoi(key); err != nil || offset < 0 {
			return ward.Page[ward.ScannerFinding]{}, badCursor
		}
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT s.org, f.asset, a.name, f.cve, f.plugin, f.title, f.output, f.severity, f.port, s.name, s.grade, f.first_seen,
			COALESCE(f.last_seen, s.observed_at), f.last_seen IS NOT NULL
		FROM scanner_findings f JOIN assets a ON a.id = f.asset JOIN sources s ON s.id = f.source
		WHERE `+where+` ORDER BY f.asset, f.cve, f.source, f.plugin, f.port, f.first_seen LIMIT `+arg(limit+1)+` OFFSET `+arg(offset), args...)
	found, err := list(rows, err, scanScannerFinding)
	if err != nil {
		return ward.Page[ward.ScannerFinding]{}, err
	}
	return paged(found, limit, func(ward.ScannerFinding) string { return cursor(strconv.Itoa(offset+limit), "") }), nil
}

func scanScannerFinding(rows *sql.Rows) (f ward.ScannerFinding, err error) {
	var first, observed sql.NullInt64
	err = rows.Scan(&f.Org, &f.Asset, &f.AssetName, &f.CVE, &f.Plugin, &f.Title, &f.Output, &f.Severity, &f.Port, &f.Source, &f.Grade, &first, &observed, &f.Gone)
	f.FirstSeen, f.ObservedAt = moment(first), moment(observed)
	return f, err
}
