package kev_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/kev"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const catalogue = `{
  "title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2025.05.19",
  "dateReleased": "2025-05-19T15:00:11.3961Z", "count": 2,
  "vulnerabilities": [
    {"cveID": "CVE-2025-4427", "vendorProject": "Ivanti", "product": "Endpoint Manager Mobile (EPMM)",
     "vulnerabilityName": "Ivanti EPMM Authentication Bypass", "dateAdded": "2025-05-19",
     "shortDescription": "An authentication bypass in the API.", "requiredAction": "Apply mitigations.", "dueDate": "2025-06-09",
     "knownRansomwareCampaignUse": "Unknown", "notes": "https://vendor.example/a ; See also: https://vendor.example/b", "cwes": ["CWE-288"]},
    {"cveID": "CVE-2023-4966", "vendorProject": "Citrix", "product": "NetScaler", "vulnerabilityName": "Citrix Bleed",
     "dateAdded": "2023-10-18", "shortDescription": "A buffer overflow.", "requiredAction": "Update.", "dueDate": "2023-11-08",
     "knownRansomwareCampaignUse": "Known", "notes": "", "cwes": []}
  ]
}
`

func entry(id, title, description, action string, since, due time.Time, ransomware bool, links ...string) know.Report {
	return know.Report{
		CVE: ward.CVE(id), Source: "kev", URL: "https://www.cisa.gov/known-exploited-vulnerabilities-catalog?search_api_fulltext=" + id,
		Title: title, Description: description, References: links,
		Exploited: &ward.Exploited{Provenance: ward.Provenance{Source: "kev", At: since}, Since: since, Due: due, Ransomware: ransomware, Action: action},
	}
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

var example = contract.FeedExample{
	Name: "known_exploited_vulnerabilities.json", Body: catalogue, Records: 2,
	Want: []know.Report{
		entry("CVE-2025-4427", "Ivanti EPMM Authentication Bypass", "An authentication bypass in the API.", "Apply mitigations.",
			day(2025, 5, 19), day(2025, 6, 9), false, "https://vendor.example/a", "https://vendor.example/b"),
		entry("CVE-2023-4966", "Citrix Bleed", "A buffer overflow.", "Update.", day(2023, 10, 18), day(2023, 11, 8), true),
	},
	Spoilt: map[string]string{
		"no identifier":   strings.Replace(catalogue, `"CVE-2023-4966"`, `"none"`, 1),
		"wrong type":      strings.Replace(catalogue, `"CVE-2023-4966"`, `4966`, 1),
		"no date":         strings.Replace(catalogue, `"2023-10-18"`, `"soon"`, 1),
		"not JSON inside": strings.Replace(catalogue, `"product": "NetScaler"`, `"product" NetScaler`, 1),
		"not UTF-8":       strings.Replace(catalogue, "Citrix Bleed", "Citrix \xe9", 1),
		"too deep":        strings.Replace(catalogue, `"cwes": []`, `"cwes": `+strings.Repeat("[", 5000)+strings.Repeat("]", 5000), 1),
		"too large":       strings.Replace(catalogue, "A buffer overflow.", strings.Repeat("overflow ", 3<<20), 1),
	},
}

func TestContract(t *testing.T) { contract.Feed(t, kev.New(""), example) }

func TestSummarySaysWhatTheCatalogueSays(t *testing.T) {
	sum, err := kev.New("").Read(context.Background(), strings.NewReader(catalogue), func(know.Report) error { return nil })
	if err != nil || sum.Total != 2 || !sum.Observed.Equal(time.Date(2025, 5, 19, 15, 0, 11, 396100000, time.UTC)) {
		t.Errorf("%+v, %v", sum, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(catalogue)
	for _, spoilt := range example.Spoilt {
		if len(spoilt) < 100_000 {
			f.Add(spoilt)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		yielded := 0
		sum, _ := kev.New("").Read(context.Background(), strings.NewReader(body), func(r know.Report) error {
			if _, err := feeds.CVE(string(r.CVE)); err != nil || r.Exploited == nil || len(r.Claims) > 0 {
				t.Errorf("%+v", r)
			}
			yielded++
			return nil
		})
		if yielded != sum.Records {
			t.Errorf("%d yielded, %d counted", yielded, sum.Records)
		}
	})
}
