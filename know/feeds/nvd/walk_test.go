package nvd_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/nvd"
	"wardwatch/test/shared"
)

// TestWalkedAsDecoded reads real records in both ways: what comes out is the same.
func TestWalkedAsDecoded(t *testing.T) {
	same := func(list string, raw []byte) {
		t.Helper()
		want, err := nvd.Decoded(list, raw)
		have, ok := nvd.Walked(list, raw)
		if err != nil || !ok || !reflect.DeepEqual(have, want) {
			t.Fatalf("walked (%t): %+v\ndecoded (%v): %+v\nof %s", ok, have, err, want, raw)
		}
	}
	for _, feed := range []string{"2025", "subset-kev+hospital-vendors-2002-2018"} {
		in := decompressed(t, shared.File(t, "data", "vuln", "nvd", "nvdcve-1.1-"+feed+".json.gz"))
		records := 0
		_, err := feeds.Document{List: []string{"CVE_Items"}, Record: func(list string, raw []byte) ([]know.Report, error) {
			records++
			same(list, raw)
			return nil, nil
		}}.Read(context.Background(), in, nil)
		if err != nil || records < 1000 {
			t.Fatal(records, err)
		}
	}
	for _, file := range glob(t, "*.nvd2.*.json") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		same("", raw)
		same("vulnerabilities", append(append([]byte(`{"cve":`), raw...), '}'))
	}
}

func decompressed(tb testing.TB, path string) io.Reader {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	in, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

func glob(tb testing.TB, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(shared.File(tb, "data", "vuln", "cve5", "ivanti-epmm-2025-05"), pattern))
	if err != nil || len(files) == 0 {
		tb.Fatal(files, err)
	}
	return files
}

func FuzzWalk(f *testing.F) {
	for _, seed := range []string{
		`{"cve":{"CVE_data_meta":{"ID":"CVE-2099-0001"}},"configurations":{"nodes":[{"operator":"AND","children":[{"cpe_match":[{"vulnerable":true,"cpe23Uri":"cpe:2.3:a:b:c:1:*:*:*:*:*:*:*"}]}]}]}}`,
		`{"id":"CVE-2099-0001","metrics":{"cvssMetricV31":[{"source":"x","cvssData":{"baseScore":9.8e0,"vectorString":"CVSS:3.1/\u0041"}}]},"cisaExploitAdd":null}`,
		`{"cve":`, `{"cve":{"x":01}}`, "{\"\x01\":1}", `{"cve":[[[[[[[[[[[]]]]]]]]]]]}`, `{"id":"\ud800"}`, `{"id":tru}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, list := range []string{"CVE_Items", "vulnerabilities", ""} {
			if _, ok := nvd.Walked(list, []byte(text)); ok && !json.Valid([]byte(text)) {
				t.Fatalf("%q is not JSON", text)
			}
		}
	})
}
