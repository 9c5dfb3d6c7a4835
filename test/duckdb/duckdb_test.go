package duckdb_test

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/test/npm"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

//go:embed package.json package-lock.json
var manifest embed.FS

// script runs the queries of standard input, one a line, and prints the rows of each.
const script = `
const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  for (const query of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
    const reader = await connection.runAndReadAll(query);
    console.log(JSON.stringify(reader.getRowsJson()));
  }
})().catch((err) => { console.error(err); process.exit(1); });
`

// TestAnotherEngineReadsTheBlocks: DuckDB finds every column under its name, the organisation and the day in the folders, and the same
// rows. docs/fields.md shows a query of these.
func TestAnotherEngineReadsTheBlocks(t *testing.T) {
	modules := npm.Modules(t, manifest)
	node, err := exec.LookPath("node")
	if err != nil {
		shared.Skip(t, "node is missing: install it with `apt-get install nodejs`")
	}
	folder := t.TempDir()
	bucket, err := blocks.OpenDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	day := time.Date(2025, 5, 15, 0, 0, 0, 0, time.UTC)
	for n, org := range []ward.OrgID{"XZ9A1", "XZ9A2"} {
		w := blocks.NewWriter(blocks.WriterOptions{Org: org, Day: day.AddDate(0, 0, n)})
		for i := range 70_000 {
			at := day.AddDate(0, 0, n).Add(time.Duration(i) * time.Second)
			row := blocks.Row{
				Time: at.UnixMicro(), Received: at.Add(time.Second).UnixMicro(), Source: fmt.Sprintf("web%d.example", i%3), Batch: "", Sequence: int64(i + 1), Format: "combined",
				Product: "apache", Category: "webserver", Raw: fmt.Appendf(nil, "203.0.113.%d - - \"GET /%d\"", i%200, i),
			}
			if err := w.Append(row, blocks.Found{Keys: []uint64{uint64(i % 200)}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Seal(t.Context(), bucket); err != nil {
			t.Fatal(errors.Join(err, w.Close()))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	from := fmt.Sprintf("read_parquet('%s/events/*/*/*.parquet', hive_partitioning = true)", folder)
	queries := []string{
		"SELECT organisation, day, count(*), min(time), max(time) FROM " + from + " GROUP BY ALL ORDER BY ALL",
		"SELECT source, sequence, decode(raw) FROM " + from + " WHERE organisation = 'XZ9A2' AND decode(raw) LIKE '203.0.113.7 %' ORDER BY sequence LIMIT 2",
		"SELECT count(DISTINCT sequence), sum(sequence), count(*) FILTER (received > time), min(format), min(product), min(category), min(service), min(batch), min(host) FROM " + from + " WHERE organisation = 'XZ9A1'",
	}
	input, err := json.Marshal(queries)
	if err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(t.TempDir(), "queries.json")
	if err := os.WriteFile(in, input, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.CommandContext(t.Context(), node, "-e", script)
	cmd.Stdin, cmd.Env = file, append(os.Environ(), "NODE_PATH="+modules)
	out, err := cmd.Output()
	if err != nil {
		var said *exec.ExitError
		errors.As(err, &said)
		t.Fatalf("%v\n%s", err, said.Stderr)
	}
	want := [][][]any{
		{{"XZ9A1", "2025-05-15", "70000", "2025-05-15 00:00:00+00", "2025-05-15 19:26:39+00"}, {"XZ9A2", "2025-05-16", "70000", "2025-05-16 00:00:00+00", "2025-05-16 19:26:39+00"}},
		{{"web1.example", "8", `203.0.113.7 - - "GET /7"`}, {"web0.example", "208", `203.0.113.7 - - "GET /207"`}},
		{{"70000", "2450035000", "70000", "combined", "apache", "webserver", "", "", ""}},
	}
	lines := json.NewDecoder(bytes.NewReader(out))
	for i := range want {
		var got [][]any
		if err := lines.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%s:\n%v\nwant\n%v", queries[i], got, want[i])
		}
	}
}
