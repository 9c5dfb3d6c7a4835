package feeds_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/csaf"
	"wardwatch/know/feeds/cve"
	"wardwatch/know/feeds/epss"
	"wardwatch/know/feeds/kev"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/feeds/openvex"
	"wardwatch/know/feeds/osv"
	"wardwatch/test/shared"
)

func sources() []feeds.Source {
	return []feeds.Source{kev.New(""), epss.New(""), cve.New(""), nvd.New(""), nvd.NewOverrides(""), csaf.New(""), openvex.New(""), osv.New("")}
}

// published is how many records the shared data holds: the counts that its publishers state, and three bare NVD and two CVE
// records of one incident.
var published = map[string]int{"kev": 1404, "epss": 313089, "nvd": 52067 + 3, "cve": 3361 + 2, "overrides": 16586,
	"csaf": 852 + 5 + 1118, "osv": 2}

// refused is how many records of the shared data are there to be refused: CSAF's own test files, for failing a test.
var refused = map[string]int{"csaf": 28 + 5}

func TestReadsTheSharedDataWithoutAStore(t *testing.T) {
	result, err := feeds.Read(context.Background(), shared.File(t, "data", "vuln"), sources(), func(know.Report) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Feeds {
		if f.Records != published[f.Name] || f.Rejected != refused[f.Name] || f.Error != "" {
			t.Errorf("%s: %d records, %d rejected %q, %q; want %d", f.Name, f.Records, f.Rejected, f.Problems, f.Error, published[f.Name])
		}
	}
	if len(result.Feeds) != len(published) {
		t.Errorf("%d feeds", len(result.Feeds))
	}
	for _, expect := range []struct{ file, reason string }{
		{"csaf/cisa-csaf-icsma-all+2023-2024.tar.gz!csaf_files/IT/white/cisa-csaf-it-feed-tlp-white.json", "leads to CSAF"},
		{"sbom/cyclonedx-bom-examples.tar.gz!HBOM/PCIe-SATA-adapter-board/bom.json", "inventory"},
		{"ref/ssvc/cisa_coordinator_2_0_3.csv", "reference table"},
		{"kev/known_exploited_vulnerabilities_schema.json", "schema"},
		{"SOURCES.md", "not a feed"},
	} {
		at := slices.IndexFunc(result.Passed, func(p feeds.Passed) bool { return p.Name == expect.file })
		if at < 0 || !strings.Contains(result.Passed[at].Reason, expect.reason) {
			t.Errorf("%s is not passed over as %q", expect.file, expect.reason)
		}
	}
	if reasons := result.Reasons(); len(reasons) < 5 || len(reasons) > 60 || len(reasons[0].Files) < len(reasons[1].Files) {
		t.Errorf("%d reasons", len(reasons))
	}
}

func gz(t testing.TB, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type member struct{ name, body string }

func tarred(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o600, Size: int64(len(m.body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWalkOpensWhateverItFinds(t *testing.T) {
	list := catalogue(3, "2025-05-19T00:00:00Z")
	bomb := gz(t, append([]byte(`{"catalogVersion":"1","vulnerabilities":[`), bytes.Repeat([]byte(" "), 100<<20)...))
	noise := make([]byte, 300<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	damaged := gz(t, tarred(t, member{"kev.json", list}, member{"second", string(noise)}))
	damaged = damaged[:len(damaged)/2]
	deep := []byte(list)
	for range 5 {
		deep = gz(t, deep)
	}
	dir := t.TempDir()
	for name, row := range map[string]struct {
		body    []byte
		records int
		says    string // a reason or error that must be given
	}{
		"plain.json":          {[]byte(list), 3, ""},
		"packed.json.gz":      {gz(t, []byte(list)), 3, ""},
		"named.wrongly":       {gz(t, []byte(list)), 3, ""},
		"archive.tar.gz":      {gz(t, tarred(t, member{"a/README", "words"}, member{"a/kev.json", list})), 3, "text, not a feed"},
		"archive.zip":         {zipped(t, member{"a/", ""}, member{"a/kev.json", list}), 3, ""},
		"zip-in-zip.zip":      {zipped(t, member{"inner.zip", string(zipped(t, member{"kev.json", list}))}), 3, ""},
		"gz-in-tar.tar":       {tarred(t, member{"kev.json.gz", string(gz(t, []byte(list)))}), 3, ""},
		"burst.gz":            {bomb, 0, "expands too far"},
		"burst-in.tar":        {tarred(t, member{"bomb.gz", string(bomb)}, member{"kev.json", list}), 3, "expands too far"},
		"too-deep.gz":         {deep, 0, "nest deeper"},
		"damaged.tar.gz":      {damaged, 3, "unexpected EOF"},
		"cut.json.gz":         {gz(t, []byte(list))[:60], 0, "unexpected EOF"},
		"not-really.zip":      {[]byte("PK\x03\x04 and then nothing of the kind"), 0, "not a valid zip"},
		"empty.json":          {nil, 0, "empty"},
		"sixteen.json":        {[]byte("\xff\xfe{\x00}\x00"), 0, "UTF-16"},
		"page.html":           {[]byte("<!doctype html><html>"), 0, "web page"},
		"escaping.tar":        {tarred(t, member{"../../etc/kev.json", list}), 3, ""},
		"inventory.json":      {[]byte(`{"bomFormat":"CycloneDX"}`), 0, "inventory"},
		"advisory.json":       {[]byte(`{"document":{},"vulnerabilities":[]}`), 0, "no CSAF"},
		"unknown.json":        {[]byte(`{"what":1,"ever":2}`), 0, "what, ever"},
		"endless-string.json": {[]byte(`{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2025-1` + strings.Repeat("1", 20<<20)), 0, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, row.body, 0o600); err != nil {
				t.Fatal(err)
			}
			got := 0
			result, err := feeds.Read(context.Background(), path, sources(), func(know.Report) error { got++; return nil })
			if err != nil || got != row.records {
				t.Errorf("%d records, %v", got, err)
			}
			var said []string
			for _, f := range result.Feeds {
				said = append(said, f.Error)
			}
			for _, p := range result.Passed {
				said = append(said, p.Reason)
			}
			if !strings.Contains(strings.Join(said, "\n"), row.says) {
				t.Errorf("says %q, want %q", said, row.says)
			}
		})
	}
	// All of it as one folder: what is broken stops nothing beside it.
	got := 0
	if _, err := feeds.Read(context.Background(), dir, sources(), func(know.Report) error { got++; return nil }); err != nil || got != 3*10 {
		t.Errorf("%d records, %v", got, err)
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":{"c":[]},"d":"x\"y"}`))
	f.Add([]byte(`{"a":`))
	f.Fuzz(func(t *testing.T, head []byte) {
		if len(feeds.Keys(head)) > len(head) {
			t.Error("more members than bytes")
		}
	})
}
