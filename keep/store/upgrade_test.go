package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// TestTheFirstSchemaUpgrades opens a database of the first release, with something in every table, by this program: every
// value is still there, and is read.
func TestTheFirstSchemaUpgrades(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	db := firstRelease(ctx, t, dir)
	fill(ctx, t, db)
	before := everything(ctx, t, db, nil)
	if len(before) < 30 {
		t.Fatalf("only %d tables", len(before))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db = raw(t, dir)
	defer db.Close()
	columns := map[string][]string{}
	for table, rows := range before {
		columns[table] = rows[0]
	}
	before["pending"] = append(before["pending"], []string{"match", "cve:CVE-2025-4427", "0", "1"}) // it may depend on what else an asset runs
	after := everything(ctx, t, db, columns)
	for table, rows := range before {
		if !reflect.DeepEqual(after[table], rows) {
			t.Errorf("%s: was\n%v\nand is\n%v", table, rows, after[table])
		}
	}
	readFirstRelease(ctx, t, s)

	// A second opening finds nothing left to do.
	again, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if problem, err := again.Verify(ctx); err != nil || problem != "" {
		t.Errorf("%s, %v", problem, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestFaultTheSchemaOfANewerProgramIsLeftAlone: who goes back to an older program is told, and nothing is changed.
func TestFaultTheSchemaOfANewerProgramIsLeftAlone(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := raw(t, dir)
	if _, err := db.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(ctx, dir); err == nil || !strings.Contains(err.Error(), "run the newer program") {
		t.Errorf("%v", err)
	}
}

func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(filepath.Join(dir, "wardwatch.db"))+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// firstRelease makes a database with the schema of the first release and no other.
func firstRelease(ctx context.Context, t *testing.T, dir string) *sql.DB {
	t.Helper()
	const name = "00001_start.sql"
	text, err := os.ReadFile(filepath.Join("migrations", "sqlite", name))
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, dir)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, fstest.MapFS{name: {Data: text}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(ctx); err != nil {
		t.Fatal(err)
	}
	return db
}

var released = time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC)

// fill writes what readFirstRelease reads, and a row of plain values into every other table.
func fill(ctx context.Context, t *testing.T, db *sql.DB) {
	t.Helper()
	at := released.UnixMicro()
	for _, row := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO organisations VALUES ('XZ1', 'Harrowmere', 'trust', 'Harrow', 'ZZ1 1ZZ', 'Exercise', '', '', 51.5, -0.1, $1, NULL)`, []any{at}},
		{`INSERT INTO assets VALUES (7, 'XZ1', 'mdm-1', 'mdm-1', 'mobile_management', 'Main', 1, '["patient_record"]', '["Wards"]', $1)`, []any{at}},
		{`INSERT INTO asset_orgs VALUES ('XZ1', 7, 1, 1, 'mdm-1')`, nil},
		{`INSERT INTO sources VALUES (3, 'XZ1', 'register', 'csv', 'tool export', '["mobile_management"]', $1, 1)`, []any{at}},
		{`INSERT INTO presence VALUES (3, 7, $1, NULL, 'mobile_management', 'Main', 1, '["patient_record"]', '["Wards"]')`, []any{at}},
		{`INSERT INTO software VALUES (9, 'ivanti epmm 12.5.0.0', 'Ivanti', 'EPMM', '12.5.0.0', '', '')`, nil},
		{`INSERT INTO installs VALUES (9, 7, 3, $1, NULL)`, []any{at}},
		{`INSERT INTO imports VALUES (5, 3, 'd1', $1, $1, 'Lee', 'held', 1, 0, '[]', 1, 1, 0, 4, '{}', x'00')`, []any{at}},
		{`INSERT INTO declarations VALUES ('d1', 'XZ1', 'Ivanti', 'EPMM', 'ivanti epmm', 'no', '', '', '', 0, '', 'words', 'p1', 'Lee', $1, $2)`, []any{at, released.Add(ward.DeclaredFor).UnixMicro()}},
		{`INSERT INTO vulnerabilities VALUES ('CVE-2025-4427', 'Bypass', $1, $1, $1, '', 7.5, 0, 'cve-2025-4427 bypass', '{"ID":"CVE-2025-4427","Title":"Bypass"}')`, []any{at}},
		{`INSERT INTO verdicts VALUES ('CVE-2025-4427', 9, $1, NULL, 'affected', 'version', 'exact', 'cna:ivanti', '12.5.0.1', 'because')`, []any{at}},
		{`INSERT INTO findings VALUES ('f1', 'XZ1', 'Ivanti', 'EPMM', 'ivanti epmm', '12.5', '12.5.0.1', '["CVE-2025-4427"]', 1, 'open', '', '', $1, $1, '00000000000', '{"exploited":true}')`, []any{at}},
		{`INSERT INTO finding_cves VALUES ('CVE-2025-4427', 'f1')`, nil},
		{`INSERT INTO alerts VALUES ('CC-0001', 3, 'published', 'High', 'Update EPMM', $1, $1,
			'{"ID":"CC-0001","Version":3,"State":"published","Severity":"High","Title":"Update EPMM","CVEs":["CVE-2025-4427"],"AcknowledgeWithin":172800000000000,"UpdateEvery":259200000000000,"Issued":"2025-05-13T16:00:00Z"}')`, []any{at}},
		{`INSERT INTO alert_cves VALUES ('CVE-2025-4427', 'CC-0001')`, nil},
		{`INSERT INTO alert_versions VALUES ('CC-0001', 3, $1, 'p2', 'Bea', 0, '{"ID":"CC-0001","Version":3,"State":"published","Issued":"2025-05-13T16:00:00Z"}')`, []any{at}},
		{`INSERT INTO responses VALUES ('CC-0001', 'XZ1', 2, 'in_progress', 'exposed', 'exposed', 'contradicted', $1, NULL, '', $1, NULL, 0,
			'{"Alert":"CC-0001","Org":"XZ1","Version":2,"State":"in_progress","Words":"we look","Proof":{"result":"contradicted","why":"seen again"},"RespondBy":"2025-05-15T16:00:00Z","AcknowledgedBy":"Lee"}')`, []any{at}},
		{`INSERT INTO response_entries (alert, org, at, by_name, kind, words) VALUES ('CC-0001', 'XZ1', $1, 'Lee', 'acknowledged', '')`, []any{at}},
		{`INSERT INTO notices VALUES (1, 'alert.published:CC-0001:XZ1', 'XZ1', 'alert.published', 'CC-0001', 'Update EPMM', 'Please', '/alerts/CC-0001', $1, NULL, '')`, []any{at}},
		{`INSERT INTO people VALUES ('p1', 'Lee', 'lee@harrowmere.example', 'XZ1', 'lead', 'x', 0, 0, $1)`, []any{at}},
		{`INSERT INTO audit VALUES (1, $1, 'p1', 'Lee', 'response.acknowledge', 'CC-0001', 'XZ1', 'acknowledged')`, []any{at}},
		{`INSERT INTO rulings VALUES ('r1', '["CVE-2025-4427"]', 'Ivanti', 'EPMM', '["12.5.0.0"]', 'affected', 'because', 'p2', 'Bea', $1, NULL)`, []any{at}},
		{`INSERT INTO feeds VALUES ('kev', 'kev.json', '', '', $1, $1, $1, NULL, 1, 1, 0, '', '')`, []any{at}},
	} {
		if _, err := db.ExecContext(ctx, row.query, row.args...); err != nil {
			t.Fatalf("%s: %v", row.query, err)
		}
	}
	for table, rows := range everything(ctx, t, db, nil) {
		if len(rows) > 1 {
			continue
		}
		values := make([]string, len(rows[0]))
		for i := range values {
			values[i] = fmt.Sprint(i + 1) // text takes a number too
		}
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, table, strings.Join(rows[0], ","), strings.Join(values, ","))); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
}

// everything is every table's columns (those given, else all) and then its rows, as text.
func everything(ctx context.Context, t *testing.T, db *sql.DB, columns map[string][]string) map[string][][]string {
	t.Helper()
	strung := func(query string) (all [][]string) {
		t.Helper()
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			return nil
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, into := make([]sql.NullString, len(names)), make([]any, len(names))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			line := make([]string, len(row))
			for i, value := range row {
				if line[i] = "NULL"; value.Valid {
					line[i] = value.String
				}
			}
			all = append(all, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if columns == nil {
		columns = map[string][]string{}
		rows := strung(`SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid`)
		for _, row := range rows {
			columns[row[0]] = append(columns[row[0]], row[1])
		}
	}
	all := map[string][][]string{}
	for table, names := range columns {
		in := strings.Join(names, ",")
		all[table] = append([][]string{names}, strung(fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s`, in, table, in))...)
	}
	return all
}

// readFirstRelease reads what fill wrote through the queries of this program.
func readFirstRelease(ctx context.Context, t *testing.T, s *store.Store) {
	t.Helper()
	scope, now := ward.Only("XZ1"), released.Add(72*time.Hour)
	check := func(what string, err error, right bool) {
		t.Helper()
		if err != nil || !right {
			t.Errorf("%s: %v, right: %t", what, err, right)
		}
	}
	err := s.View(ctx, func(tx *store.Tx) error {
		orgs, err := tx.Organisations(ctx, scope)
		check("organisations", err, len(orgs) == 1 && orgs[0].Name == "Harrowmere")
		asset, err := tx.Asset(ctx, scope, 7)
		check("asset", err, asset.Name == "mdm-1" && asset.Reachable == ward.Yes)
		installs, err := tx.Installs(ctx, scope, 7)
		check("installs", err, len(installs) == 1 && installs[0].Software.Version == "12.5.0.0")
		imports, err := tx.Imports(ctx, scope, "XZ1", 10)
		check("imports", err, len(imports) == 1 && imports[0].State == ward.ImportHeld)
		held, err := tx.HeldImports(ctx, scope)
		check("held imports", err, len(held) == 1 && held[0].AssetsLost == 4)
		declarations, err := tx.Declarations(ctx, scope, "XZ1")
		check("declarations", err, len(declarations) == 1 && declarations[0].Name == "Lee")
		weaknesses, err := tx.Vulnerabilities(ctx, store.VulnerabilityQuery{Text: "bypass"})
		check("weaknesses", err, len(weaknesses.Items) == 1 && weaknesses.Items[0].Title == "Bypass")
		findings, err := tx.Findings(ctx, scope, store.FindingQuery{Org: "XZ1"})
		check("findings", err, len(findings.Items) == 1 && findings.Items[0].Alert == "CC-0001" && findings.Items[0].Priority.Exploited)
		alert, err := tx.Alert(ctx, scope, "CC-0001")
		check("alert", err, alert.Title == "Update EPMM" && alert.AcknowledgeWithin == 48*time.Hour)
		versions, err := tx.AlertVersions(ctx, scope, "CC-0001")
		check("versions", err, len(versions) == 1 && versions[0].By == "Bea")
		response, err := tx.Response(ctx, scope, "CC-0001", "XZ1")
		check("response", err, response.Words == "we look" && response.Proof.Result == ward.Contradicted)
		entries, err := tx.Entries(ctx, scope, "CC-0001", "XZ1")
		check("history", err, len(entries) == 1 && entries[0].By == "Lee")
		waiting, err := tx.AnswersWaiting(ctx, scope, now)
		check("answers that wait", err, len(waiting) == 1 && waiting[0].Whole.Proof.Why == "seen again")
		notices, err := tx.Notices(ctx, scope, "XZ1", "", 10)
		check("notices", err, len(notices.Items) == 1 && notices.Items[0].Subject == "Update EPMM" && notices.Items[0].Read.IsZero())
		audit, err := tx.AuditEntries(ctx, scope, "XZ1", 0, 10)
		check("audit", err, len(audit) == 1 && audit[0].Action == "response.acknowledge")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// And what stood can be changed.
	err = s.Update(ctx, func(tx *store.Tx) error {
		response, err := tx.Response(ctx, scope, "CC-0001", "XZ1")
		if err != nil {
			return err
		}
		response.Version, response.Words = response.Version+1, "we have looked"
		return tx.SaveResponse(ctx, response)
	})
	check("a change", err, true)
}
