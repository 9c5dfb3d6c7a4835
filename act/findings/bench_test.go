package findings_test

import (
	"testing"

	"wardwatch/test/ground"
)

// BenchmarkFoldATrust folds one organisation of real size, generated in the database: 8,000 assets with 80 titles each, of
// which 5 are affected by 4 weaknesses. Written by SQL, so that the benchmark measures the desk and not the import.
func BenchmarkFoldATrust(b *testing.B) {
	devices := 8000
	if testing.Short() {
		devices = 200
	}
	g := ground.New(b, "XZ1")
	const count = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) `
	g.Row(`INSERT INTO sources (id, org, name, format, grade, classes, observed_at, assets) VALUES (1, 'XZ1', 'defender', 'csv', 'tool export', '[]', 1, $1)`, devices)
	g.Row(count+`INSERT INTO assets (id, operator, name, name_key, class, site, reachable, data, services, first_seen)
		SELECT i, 'XZ1', 'pc' || i, 'pc' || i, 'workstation', '', i % 3, '[]', CASE i % 50 WHEN 0 THEN '["pharmacy"]' ELSE '[]' END, 1 FROM n`, devices)
	g.Row(`INSERT INTO asset_orgs (org, asset, accountable, operates, name_key) SELECT 'XZ1', id, 1, 1, name_key FROM assets`)
	g.Row(`INSERT INTO presence (source, asset, first_seen, class, site, reachable, data, services) SELECT 1, id, 1, class, '', 0, '[]', '[]' FROM assets`)
	g.Row(count+`INSERT INTO software (id, identity, vendor, product, version, cpe, purl) SELECT i, 'v p' || i, 'Vendor', 'Product ' || i, '1.' || i, '', '' FROM n`, 80)
	g.Row(`INSERT INTO installs (software, asset, source, first_seen) SELECT s.id, a.id, 1, 1 FROM assets a, software s`)
	g.Row(`INSERT INTO verdicts (cve, software, since, status, basis, confidence, source, fixed, why)
		SELECT 'CVE-2025-' || (1000 + s.id * 10 + w.id), s.id, 1, 'affected', 'version', 'name', 'cna:x', '9.' || w.id, 'because' FROM software s, software w WHERE s.id <= 5 AND w.id <= 4`)
	g.Folded("XZ1")
	if got := len(g.Queue()); got != 5 {
		b.Fatalf("%d findings, want 5", got)
	}
	for b.Loop() {
		g.Folded("XZ1")
	}
	b.ReportMetric(float64(devices*80)*float64(b.N)/b.Elapsed().Seconds(), "installs/s")
}
