package feeds_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"wardwatch/ward"
)

// bare is a record of NVD as its API gives one, with what stands in it for its configuration.
func bareRecord(cve, nodes string) string {
	return fmt.Sprintf(`{"id":%q,"sourceIdentifier":"x","published":"2025-05-13T16:15:32.463","lastModified":"2025-05-14T19:35:18.080","vulnStatus":"Analyzed",
		"descriptions":[{"lang":"en","value":"x"}],"references":[],"configurations":[{"nodes":[%s]}]}`, cve, nodes)
}

func bareNode(criteria, bounds string) string {
	return fmt.Sprintf(`{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":%q%s,"matchCriteriaId":"A"}]}`, criteria, bounds)
}

// TestFaultBadRecordsCostOnlyThemselves reads a folder of good records, then the same folder with one bad file in it. The bad one is
// named or, where it is only odd, says nothing wrong; every good record beside it is read, and nothing that was known is lost.
func TestFaultBadRecordsCostOnlyThemselves(t *testing.T) {
	const pump = "cpe:2.3:a:harbour:pump:*:*:*:*:*:*:*:*"
	good := bareRecord("CVE-2025-10001", bareNode(pump, `,"versionEndExcluding":"2.0"`))
	list := gz(t, []byte(catalogue(3, "2025-05-19T00:00:00Z")))
	for name, row := range map[string]struct {
		file string
		body []byte
		says string // in the problems, the error or the reason; empty when it is read
	}{
		"truncated":             {"CVE-2025-10002.json", []byte(good[:len(good)/2]), "CVE-2025-10002.json"},
		"huge":                  {"CVE-2025-10003.json", []byte(strings.Replace(bareRecord("CVE-2025-10003", ""), `"value":"x"`, `"value":"`+strings.Repeat("x", 17<<20)+`"`, 1)), "CVE-2025-10003"},
		"deeply nested":         {"CVE-2025-10004.json", []byte(strings.Replace(bareRecord("CVE-2025-10004", ""), `"references":[]`, `"references":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000), 1)), "CVE-2025-10004"},
		"not UTF-8":             {"CVE-2025-10005.json", []byte(strings.Replace(bareRecord("CVE-2025-10005", ""), `"value":"x"`, "\"value\":\"caf\xe9\"", 1)), "CVE-2025-10005"},
		"UTF-16":                {"CVE-2025-10006.json", append([]byte("\xff\xfe"), bytes.Join(bytes.Split([]byte(good), nil), []byte{0})...), "UTF-16"},
		"no identifier":         {"record.json", []byte(bareRecord("CVE-25-1", "")), "CVE-25-1"},
		"wrong type":            {"CVE-2025-10007.json", []byte(strings.Replace(bareRecord("CVE-2025-10007", ""), `"references":[]`, `"references":{"url":7}`, 1)), "CVE-2025-10007"},
		"crossed range":         {"CVE-2025-10008.json", []byte(bareRecord("CVE-2025-10008", bareNode(pump, `,"versionStartIncluding":"3.0","versionEndExcluding":"2.0"`))), ""},
		"bad escape":            {"CVE-2025-10009.json", []byte(bareRecord("CVE-2025-10009", bareNode(`cpe:2.3:a:harbour:pump\`, ""))), ""},
		"contradictory":         {"CVE-2025-10010.json", []byte(bareRecord("CVE-2025-10010", bareNode(pump, `,"versionEndExcluding":"2.0"`)+","+bareNode(pump, `,"versionStartIncluding":"2.0"`))), ""},
		"empty":                 {"CVE-2025-10011.json", nil, "empty"},
		"a bomb":                {"CVE-2025-10012.json.gz", gz(t, append([]byte(bareRecord("CVE-2025-10012", "")), bytes.Repeat([]byte(" "), 80<<20)...)), "expands too far"},
		"a cut archive":         {"records.tar.gz", gz(t, tarred(t, member{"CVE-2025-10013.json", bareRecord("CVE-2025-10013", strings.Repeat(" ", 4<<20))}))[:2000], "records.tar.gz"},
		"not the packed file":   {"nvd.zip", []byte("PK\x03\x04 and nothing of the kind"), "not a valid zip"},
		"another feed's record": {"kev.json.gz", list, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			dir := t.TempDir()
			write := func(name string, body []byte) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 3 {
				write(fmt.Sprintf("CVE-2025-2000%d.json", i), []byte(bareRecord(fmt.Sprintf("CVE-2025-2000%d", i), bareNode(pump, `,"versionEndExcluding":"2.0"`))))
			}
			w := newWatch(t, nil, sources()...)
			known := func() (all [3]any) {
				t.Helper()
				for i := range all {
					reports, err := w.library.Reports(ctx, ward.CVE(fmt.Sprintf("CVE-2025-2000%d", i)))
					if err != nil || len(reports) != 1 {
						t.Fatalf("%+v, %v", reports, err)
					}
					all[i] = reports
				}
				return all
			}
			if _, err := w.Sync(ctx, person, nil, dir, nil); err != nil {
				t.Fatal(err)
			}
			before := known()
			write(row.file, row.body)
			result, err := w.Sync(ctx, person, nil, dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(known(), before) {
				t.Errorf("what was known has changed")
			}
			var said []string
			for _, f := range result.Feeds {
				said = append(append(said, f.Problems...), f.Error)
				if f.Name == "nvd" && f.Records < 3 {
					t.Errorf("%d records of the good ones beside it", f.Records)
				}
			}
			for _, p := range result.Passed {
				said = append(said, p.Name+": "+p.Reason)
			}
			text := strings.TrimSpace(strings.Join(said, "\n"))
			if row.says == "" && text != "" || !strings.Contains(text, row.says) {
				t.Errorf("it says %q, want %q", text, row.says)
			}
		})
	}
}
