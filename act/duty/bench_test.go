package duty_test

import (
	"fmt"
	"testing"
	"time"

	"wardwatch/act/duty"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// year loads the answers of a simulated year, all alerts in force, five answers to each late, and 20 pressing updates at
// every organisation that nobody asked for.
func year(b *testing.B) *room {
	b.Helper()
	alerts, count := 263, 230
	if testing.Short() {
		alerts, count = 20, 30
	}
	orgs := make([]ward.OrgID, count)
	for i := range orgs {
		orgs[i] = ward.OrgID(fmt.Sprintf("XZ%03d", i))
	}
	r := open(b, orgs...)
	now, tomorrow := r.Clock.Now().Add(-time.Hour).UnixMicro(), r.Clock.Now().Add(6*time.Hour).UnixMicro()
	r.Row(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO alerts SELECT 'CC-' || (900000 + i), 1, 'published', 'High', 'Update product ' || i, $2, $2,
			json_object('ID', 'CC-' || (900000 + i), 'Title', 'Update product ' || i, 'Summary', hex(randomblob(700)), 'Exercise', json('true')) FROM n`, alerts, now)
	r.Row(`INSERT INTO responses (alert, org, version, state, exposure, exposure_now, proof, claimed, closed, closed_as, due, told, ever_overdue, body) SELECT a.id, o.id, 1, 'unanswered', 'exposed', 'exposed', '', NULL, NULL, '',
			CASE WHEN (o.rowid + a.rowid) % 46 = 0 THEN $1 ELSE $2 END, NULL, 0, json_object('Alert', a.id, 'Org', o.id, 'Words', hex(randomblob(400))) FROM alerts a, organisations o`, now, tomorrow)
	r.Row(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
		INSERT INTO findings SELECT o.id || '-' || i, o.id, 'Vendor', 'Product ' || i, 'product ' || i, '1', '1.2', '["CVE-2025-4427"]', 3, 'open', '', '', $1, $1,
			CASE WHEN i <= 20 THEN '0000000000' ELSE '1300000000' END || (i % 10), '{"exploited":true,"reasons":["exploited"]}' FROM organisations o, n`, now)
	r.Row(`INSERT INTO finding_cves SELECT 'CVE-2025-4427', id FROM findings`)
	return r
}

// BenchmarkTheNationalDesk is what the national desk asks whenever it looks.
func BenchmarkTheNationalDesk(b *testing.B) {
	r := year(b)
	items := 0
	for b.Loop() {
		page, err := r.Items(r.Ctx, ground.Ann, duty.Query{Limit: ward.MostPageSize})
		if err != nil {
			b.Fatal(err)
		}
		items = len(page.Items)
	}
	b.ReportMetric(float64(items), "items")
}

func BenchmarkOneHospitalsDesk(b *testing.B) {
	r := year(b)
	who := ground.Person("Nan", ward.Lead, "XZ001")
	for b.Loop() {
		if _, err := r.Items(r.Ctx, who, duty.Query{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTheHandOver(b *testing.B) {
	r := year(b)
	for b.Loop() {
		if _, err := r.Handover(r.Ctx, ground.Ann, time.Time{}, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	r := year(b)
	for b.Loop() {
		if _, err := r.Search(r.Ctx, ground.Ann, "product nowhere"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTakeAll takes everything that is late, and gives it back.
func BenchmarkTakeAll(b *testing.B) {
	r := year(b)
	for b.Loop() {
		if _, err := r.TakeAll(r.Ctx, ground.Ann, duty.Query{Kind: ward.ItemOverdue}); err != nil {
			b.Fatal(err)
		}
		if _, err := r.ReleaseAll(r.Ctx, ground.Ann, duty.Query{}); err != nil {
			b.Fatal(err)
		}
	}
}
