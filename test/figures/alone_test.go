package figures_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/test/estategen"
)

func BenchmarkFirstStart(b *testing.B) {
	program(b)
	var longest time.Duration
	for b.Loop() {
		start := time.Now()
		s := serve(b, "serve", "--data", b.TempDir())
		answer, err := http.Get(s.base + "/sign-in")
		if err != nil {
			b.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			b.Fatalf("sign-in answered %s", answer.Status)
		}
		longest = max(longest, time.Since(start))
		b.StopTimer()
		if err := s.stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	record(b, figure{"first start to a served page", longest.Seconds(), 2, "s", "an empty directory; the longest of the starts"})
}

func BenchmarkBinary(b *testing.B) {
	var size int64
	for b.Loop() {
		info, err := os.Stat(program(b))
		if err != nil {
			b.Fatal(err)
		}
		size = info.Size()
	}
	record(b, figure{"binary, stripped", float64(size) / 1e6, 60, "MB", "static, with everything inside"})
}

func BenchmarkIdleMemory(b *testing.B) {
	var now, most float64
	for b.Loop() {
		data := b.TempDir()
		s := serve(b, "demo", "--data", data, "--pace", "1ms")
		s.settle(b)
		now, most = s.resident(b)
		told := bytes.TrimSpace(run(b, "alert", "list", "--data", data))
		if bytes.Equal(told, []byte("none")) {
			b.Fatal("the demo's story was not told")
		}
		if err := s.stop(); err != nil {
			b.Fatal(err)
		}
	}
	record(b, figure{"memory, idle, demo loaded", now, 150, "MB", fmt.Sprintf("12 organisations, after the story (%.0f MB at most while it was told)", most)})
}

func BenchmarkTrustImport(b *testing.B) {
	trust := estategen.Trust{Org: "XZG000"}
	rows := "640,000 rows, generated: 8,000 devices × 80 titles"
	if testing.Short() {
		trust.Devices, rows = 250, "20,000 rows, generated"
	}
	dir := b.TempDir()
	organisations := writeOrganisations(b, dir, 1)
	inventory := writeInventory(b, dir, trust)
	var longest time.Duration
	for b.Loop() {
		b.StopTimer()
		data := b.TempDir()
		run(b, "org", "import", "--data", data, organisations)
		b.StartTimer()
		start := time.Now()
		out := run(b, "estate", "import", "--data", data, "--org", string(trust.Org), "--source", "agent", inventory)
		longest = max(longest, time.Since(start))
		if !strings.Contains(string(out), " 0 no longer seen") {
			b.Fatalf("unexpected: %s", out)
		}
	}
	record(b, figure{"one trust's inventory imported", longest.Seconds(), 30, "s", rows})
}

// writeOrganisations writes n generated organisations as a file of organisations.
func writeOrganisations(tb testing.TB, dir string, n int) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString("ods_code,name,town,postcode,country,icb_code,region_code,latitude,longitude\n")
	for i, o := range estategen.Organisations(n) {
		fmt.Fprintf(&b, "%s,%s,Town %d,,Exercise,,R%d,%.2f,%.2f\n", o.ID, o.Name, i, i%7, 50+float64(i%70)/10, -4+float64(i%50)/10)
	}
	path := filepath.Join(dir, "organisations.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// writeInventory writes a trust's inventory.
func writeInventory(tb testing.TB, dir string, trust estategen.Trust) string {
	tb.Helper()
	path := filepath.Join(dir, string(trust.Org)+".csv")
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	if err := trust.WriteCSV(file); err != nil {
		tb.Fatal(err)
	}
	return path
}
