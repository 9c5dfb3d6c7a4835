package nvd_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/nvd"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const bare = `{
  "id": "CVE-2025-4428", "sourceIdentifier": "3c1d8aa1", "published": "2025-05-13T16:15:32.463", "lastModified": "2025-10-24T13:55:22.277",
  "vulnStatus": "Analyzed", "descriptions": [{"lang": "es", "value": "Ejecución"}, {"lang": "en", "value": "Code execution in the API."}],
  "metrics": {"cvssMetricV31": [
    {"source": "3c1d8aa1", "type": "Secondary", "cvssData": {"version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", "baseScore": 7.2}},
    {"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "baseScore": 8.8}}]},
  "cisaExploitAdd": "2025-05-19", "cisaActionDue": "2025-06-09", "cisaRequiredAction": "Apply mitigations.",
  "configurations": [{"nodes": [{"operator": "OR", "negate": false, "cpeMatch": [
    {"vulnerable": true, "criteria": "cpe:2.3:a:ivanti:endpoint_manager_mobile:*:*:*:*:*:*:*:*", "versionStartIncluding": "12.4.0.0", "versionEndExcluding": "12.4.0.2"},
    {"vulnerable": true, "criteria": "cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*"}]}]}],
  "references": [{"url": "https://vendor.example/advisory"}]
}`

const epmm = "cpe:2.3:a:ivanti:endpoint_manager_mobile:"

func analysed() know.Report {
	at := time.Date(2025, 10, 24, 13, 55, 22, 277000000, time.UTC)
	added := time.Date(2025, 5, 19, 0, 0, 0, 0, time.UTC)
	page := "https://nvd.nist.gov/vuln/detail/CVE-2025-4428"
	return know.Report{
		CVE: "CVE-2025-4428", Source: "nvd", URL: page, Published: time.Date(2025, 5, 13, 16, 15, 32, 463000000, time.UTC), Modified: at,
		Description: "Code execution in the API.",
		Trees: []know.Node{{Matches: []know.CPEMatch{
			{CPE: epmm + "*:*:*:*:*:*:*:*", Vulnerable: true, StartIncluding: "12.4.0.0", EndExcluding: "12.4.0.2"},
			{CPE: epmm + "12.5.0.0:*:*:*:*:*:*:*", Vulnerable: true}}}},
		CVSS: []ward.CVSS{
			{Provenance: ward.Provenance{Source: "nvd, quoting 3c1d8aa1", At: at}, Version: "3.1", Score: 7.2, Vector: "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"},
			{Provenance: ward.Provenance{Source: "nvd", At: at}, Version: "3.1", Score: 8.8, Vector: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}},
		Exploited: &ward.Exploited{Provenance: ward.Provenance{Source: "nvd", URL: page, At: added}, Since: added,
			Due: time.Date(2025, 6, 9, 0, 0, 0, 0, time.UTC), Action: "Apply mitigations."},
		References: []string{"https://vendor.example/advisory"},
	}
}

const second = `{"cve": {"id": "CVE-2025-9001", "sourceIdentifier": "x", "published": "2025-05-13T16:15:32.463", "lastModified": "2025-05-13T16:15:32.463",
  "vulnStatus": "Rejected", "descriptions": [{"lang": "en", "value": "Rejected reason: none."}], "metrics": {}, "references": []}}`

const page = `{"resultsPerPage": 2, "startIndex": 0, "totalResults": 2, "format": "NVD_CVE", "version": "2.0", "timestamp": "2025-10-25T00:00:00.000",
  "vulnerabilities": [{"cve": ` + bare + `}, ` + second + `]}
`

const feed11 = `{"CVE_data_type": "CVE", "CVE_data_format": "MITRE", "CVE_data_version": "4.0", "CVE_data_numberOfCVEs": "2",
  "CVE_data_timestamp": "2025-05-15T07:00Z", "CVE_Items": [
  {"cve": {"CVE_data_meta": {"ID": "CVE-2016-0002", "ASSIGNER": "a@b.example"},
    "references": {"reference_data": [{"url": "https://vendor.example/2016"}]},
    "description": {"description_data": [{"lang": "en", "value": "The script engine allows code execution."}]}},
   "configurations": {"CVE_data_version": "4.0", "nodes": [{"operator": "AND", "children": [
     {"operator": "OR", "children": [], "cpe_match": [{"vulnerable": true, "cpe23Uri": "cpe:2.3:a:microsoft:jscript:5.8:*:*:*:*:*:*:*", "cpe_name": []}]},
     {"operator": "OR", "children": [], "cpe_match": [{"vulnerable": false, "cpe23Uri": "cpe:2.3:a:microsoft:internet_explorer:8:*:*:*:*:*:*:*", "cpe_name": []}]}],
     "cpe_match": []}]},
   "impact": {"baseMetricV2": {"cvssV2": {"version": "2.0", "vectorString": "AV:N/AC:H/Au:N/C:C/I:C/A:C", "baseScore": 7.6}}},
   "publishedDate": "2016-01-13T05:59Z", "lastModifiedDate": "2018-10-12T22:10Z"},
  {"cve": {"CVE_data_meta": {"ID": "CVE-2016-0099"}, "description": {"description_data": [{"lang": "en", "value": "** REJECT ** Unused."}]}},
   "configurations": {"nodes": []}, "impact": {}, "publishedDate": "2016-01-13T05:59Z", "lastModifiedDate": "2016-01-13T05:59Z"}]}
`

func want11() []know.Report {
	at := time.Date(2018, 10, 12, 22, 10, 0, 0, time.UTC)
	published := time.Date(2016, 1, 13, 5, 59, 0, 0, time.UTC)
	return []know.Report{{
		CVE: "CVE-2016-0002", Source: "nvd", URL: "https://nvd.nist.gov/vuln/detail/CVE-2016-0002", Published: published, Modified: at,
		Description: "The script engine allows code execution.",
		Trees: []know.Node{{And: true, Children: []know.Node{
			{Matches: []know.CPEMatch{{CPE: "cpe:2.3:a:microsoft:jscript:5.8:*:*:*:*:*:*:*", Vulnerable: true}}},
			{Matches: []know.CPEMatch{{CPE: "cpe:2.3:a:microsoft:internet_explorer:8:*:*:*:*:*:*:*"}}}}}},
		CVSS:       []ward.CVSS{{Provenance: ward.Provenance{Source: "nvd", At: at}, Version: "2.0", Score: 7.6, Vector: "AV:N/AC:H/Au:N/C:C/I:C/A:C"}},
		References: []string{"https://vendor.example/2016"},
	}, {
		CVE: "CVE-2016-0099", Source: "nvd", URL: "https://nvd.nist.gov/vuln/detail/CVE-2016-0099", Published: published, Modified: published,
		Description: "** REJECT ** Unused.", Rejected: true,
	}}
}

func want20() []know.Report {
	at := time.Date(2025, 5, 13, 16, 15, 32, 463000000, time.UTC)
	return []know.Report{analysed(), {CVE: "CVE-2025-9001", Source: "nvd", URL: "https://nvd.nist.gov/vuln/detail/CVE-2025-9001",
		Published: at, Modified: at, Description: "Rejected reason: none.", Rejected: true}}
}

func spoilt(body, id string) map[string]string {
	return map[string]string{
		"no identifier": strings.Replace(body, `"`+id+`"`, `"none"`, 1),
		"wrong type":    strings.Replace(body, `"`+id+`"`, `[]`, 1),
		"not UTF-8":     strings.Replace(body, `"`+id+`"`, "\"\xff\"", 1),
		"not JSON":      strings.Replace(body, `"`+id+`"`, `"`+id+`" "`+id+`"`, 1),
	}
}

func TestContract(t *testing.T) {
	for _, example := range []contract.FeedExample{
		{Name: "nvdcve-1.1-2016.json", Body: feed11, Records: 2, Want: want11(), Spoilt: spoilt(feed11, "CVE-2016-0099")},
		{Name: "page.json", Body: page, Records: 2, Want: want20(), Spoilt: spoilt(page, "CVE-2025-9001")},
		{Name: "CVE-2025-4428.json", Body: bare, Records: 1, Want: want20()[:1], Spoilt: spoilt(bare, "CVE-2025-4428")},
	} {
		t.Run(example.Name, func(t *testing.T) { contract.Feed(t, nvd.New(""), example) })
	}
}

const override = `{"_annotation": {"cna": "acme", "cve_id": "CVE-2024-10000", "description": "A pump answers anybody.",
  "generated_from": "https://overrides.example/1", "modified": "2024-08-01T17:41:15.878000+00:00", "published": "2024-04-05T17:48:13.286000+00:00",
  "reason": "not analysed", "references": ["https://vendor.example/pump"]},
  "cve": {"configurations": [{"nodes": [{"cpeMatch": [{"criteria": "cpe:2.3:o:acme:pump_firmware:*:*:*:*:*:*:*:*", "versionEndExcluding": "2.4", "vulnerable": true}],
  "negate": false, "operator": "OR"}]}]}}`

func TestOverridesContract(t *testing.T) {
	contract.Feed(t, nvd.NewOverrides(""), contract.FeedExample{
		Name: "CVE-2024-10000.json", Body: override, Records: 1,
		Want: []know.Report{{CVE: "CVE-2024-10000", Source: "override:anchore", URL: "https://overrides.example/1",
			Published: time.Date(2024, 4, 5, 17, 48, 13, 286000000, time.UTC), Modified: time.Date(2024, 8, 1, 17, 41, 15, 878000000, time.UTC),
			Description: "A pump answers anybody.", References: []string{"https://vendor.example/pump"},
			Trees: []know.Node{{Matches: []know.CPEMatch{{CPE: "cpe:2.3:o:acme:pump_firmware:*:*:*:*:*:*:*:*", Vulnerable: true, EndExcluding: "2.4"}}}}}},
		Spoilt: spoilt(override, "CVE-2024-10000"),
	})
}

func TestPages(t *testing.T) {
	source := nvd.New("https://nvd.example/rest/json/cves/2.0")
	now := time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC)
	cursor := ""
	ask := func(now time.Time) string {
		t.Helper()
		address, pause, err := source.Page(cursor, now)
		if err != nil || pause < 6*time.Second {
			t.Fatal(address, pause, err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		return fmt.Sprint(q.Get("startIndex"), " ", q.Get("lastModStartDate"), " ", q.Get("lastModEndDate"))
	}
	turn := func(now time.Time, read, total int) bool {
		t.Helper()
		next, more, err := source.Turn(cursor, now, feeds.Summary{Records: read, Total: total})
		if err != nil {
			t.Fatal(err)
		}
		cursor = next
		return more
	}
	steps := []struct {
		now         time.Time
		want        string
		read, total int
		more        bool
	}{
		{now, "0  ", 2000, 3000, true},     // the first reading takes everything
		{now, "2000  ", 1000, 3000, false}, // and ends with it
		{now.Add(2 * time.Hour), "0 2025-05-13T16:00:00.000Z 2025-05-13T18:00:00.000Z", 3, 3, false},
		{now.Add(200 * 24 * time.Hour), "0 2025-05-13T18:00:00.000Z 2025-09-10T18:00:00.000Z", 2000, 2001, true}, // a long sleep: two spans
		{now.Add(200 * 24 * time.Hour), "2000 2025-05-13T18:00:00.000Z 2025-09-10T18:00:00.000Z", 1, 2001, true},
		{now.Add(200 * 24 * time.Hour), "0 2025-09-10T18:00:00.000Z 2025-11-29T16:00:00.000Z", 0, 0, false},
	}
	for i, step := range steps {
		if got := ask(step.now); got != step.want {
			t.Errorf("step %d asks %q, want %q", i, got, step.want)
		}
		if more := turn(step.now, step.read, step.total); more != step.more {
			t.Errorf("step %d: more is %t", i, more)
		}
	}
	if address, _, err := nvd.New("https://mirror.example/nvdcve-1.1-2025.json.gz").Page("", now); address != "" || err != nil {
		t.Errorf("a mirror is read in pages: %q, %v", address, err)
	}
	if _, _, err := source.Page("{", now); err == nil {
		t.Error("a broken cursor is taken")
	}
}

func FuzzRead(f *testing.F) {
	for _, body := range []string{feed11, page, bare, override, "[" + bare + "]", `{"cve_items":[` + bare + `]}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, source := range []feeds.Source{nvd.New(""), nvd.NewOverrides("")} {
			_, _ = source.Read(context.Background(), strings.NewReader(body), func(r know.Report) error {
				if _, err := feeds.CVE(string(r.CVE)); err != nil || r.Source == "" {
					t.Errorf("%+v", r)
				}
				return nil
			})
		}
	})
}
