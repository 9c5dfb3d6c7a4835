package cve_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/cve"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const record = `{
  "dataType": "CVE_RECORD", "dataVersion": "5.1",
  "cveMetadata": {"cveId": "CVE-2025-4427", "state": "PUBLISHED", "assignerShortName": "ivanti",
    "datePublished": "2025-05-13T15:45:03.817Z", "dateUpdated": "2025-05-21T03:55:31.000Z"},
  "containers": {
    "cna": {
      "title": "Authentication Bypass",
      "descriptions": [{"lang": "es", "value": "Omisión"}, {"lang": "en-GB", "value": " An authentication bypass in the API. "}],
      "affected": [
        {"vendor": "Ivanti", "product": "Endpoint Manager Mobile", "defaultStatus": "affected", "platforms": ["Linux"], "modules": ["API"],
         "versions": [{"version": "12.5.0.1", "status": "unaffected"},
                      {"version": "11.12.0.0", "lessThan": "11.12.0.5", "versionType": "semver", "status": "affected",
                       "changes": [{"at": "11.12.0.4", "status": "unaffected"}]},
                      {"version": "0", "lessThanOrEqual": "10", "versionType": "custom", "status": "odd"}]},
        {"vendor": "n/a", "product": "n/a", "collectionURL": "https://registry.example.npmjs.org", "packageName": "@acme/pump"}],
      "metrics": [{"format": "CVSS", "cvssV3_1": {"version": "3.1", "baseScore": 5.3, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"}}],
      "references": [{"url": "https://vendor.example/advisory"}, {"url": "https://vendor.example/advisory"}],
      "providerMetadata": {"orgId": "3c1d8aa1", "shortName": "ivanti", "dateUpdated": "2025-05-13T15:45:03.817Z"}
    },
    "adp": [{
      "title": "CISA ADP Vulnrichment",
      "affected": [{"vendor": "ivanti", "product": "endpoint_manager_mobile", "cpes": ["cpe:2.3:a:ivanti:endpoint_manager_mobile:*:*:*:*:*:*:*:*"]}],
      "cpeApplicability": [{"operator": "OR", "nodes": [{"operator": "OR", "negate": false, "cpeMatch": [
        {"vulnerable": true, "criteria": "cpe:2.3:a:ivanti:endpoint_manager_mobile:*:*:*:*:*:*:*:*", "versionEndExcluding": "12.5.0.1"}]}]}],
      "metrics": [
        {"other": {"type": "ssvc", "content": {"timestamp": "2025-05-14T00:00:00+00:00", "options":
          [{"Exploitation": "active"}, {"Automatable": "yes"}, {"Technical Impact": "partial"}]}}},
        {"other": {"type": "kev", "content": {"dateAdded": "2025-05-19", "reference": "https://kev.example/"}}},
        {"other": {"type": "unknown", "content": "words"}}],
      "providerMetadata": {"shortName": "CISA-ADP", "dateUpdated": "2025-05-21T03:55:31.000Z"}
    }]
  }
}
`

var (
	told     = time.Date(2025, 5, 13, 15, 45, 3, 817000000, time.UTC)
	enriched = time.Date(2025, 5, 21, 3, 55, 31, 0, time.UTC)
)

const (
	address = "https://www.cve.org/CVERecord?id=CVE-2025-4427"
	epmm    = "cpe:2.3:a:ivanti:endpoint_manager_mobile:*:*:*:*:*:*:*:*"
)

var example = contract.FeedExample{
	Name: "CVE-2025-4427.json", Body: record, Records: 1,
	Want: []know.Report{{
		CVE: "CVE-2025-4427", Source: "cna:ivanti", URL: address, Published: told, Modified: told,
		Title: "Authentication Bypass", Description: "An authentication bypass in the API.",
		Claims: []know.Claim{
			{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Platforms: []string{"Linux"}, Modules: []string{"API"}, Default: know.ClaimAffected,
				Versions: []know.Range{
					{Version: "12.5.0.1", Status: know.ClaimUnaffected},
					{Version: "11.12.0.0", LessThan: "11.12.0.5", Scheme: "semver", Status: know.ClaimAffected,
						Changes: []know.Change{{At: "11.12.0.4", Status: know.ClaimUnaffected}}},
					{Version: "0", LessThanOrEqual: "10", Scheme: "custom"},
				}},
			{PURL: "pkg:npm/%40acme/pump"},
		},
		CVSS: []ward.CVSS{{Provenance: ward.Provenance{Source: "cna:ivanti", At: told}, Version: "3.1", Score: 5.3,
			Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"}},
		References: []string{"https://vendor.example/advisory"},
	}, {
		CVE: "CVE-2025-4427", Source: "adp:CISA-ADP", URL: address, Published: told, Modified: enriched,
		Claims: []know.Claim{{Vendor: "ivanti", Product: "endpoint_manager_mobile", CPEs: []string{epmm}}},
		Trees:  []know.Node{{Matches: []know.CPEMatch{{CPE: epmm, Vulnerable: true, EndExcluding: "12.5.0.1"}}}},
		SSVC: &ward.SSVC{Provenance: ward.Provenance{Source: "adp:CISA-ADP", At: time.Date(2025, 5, 14, 0, 0, 0, 0, time.UTC)},
			Exploitation: "active", Automatable: "yes", Impact: "partial"},
		Exploited: &ward.Exploited{Provenance: ward.Provenance{Source: "adp:CISA-ADP", URL: "https://kev.example/", At: enriched},
			Since: time.Date(2025, 5, 19, 0, 0, 0, 0, time.UTC)},
	}},
	Spoilt: map[string]string{
		"no identifier":   strings.Replace(record, `"CVE-2025-4427", "state"`, `"CVE-x", "state"`, 1),
		"reserved":        strings.Replace(record, `"PUBLISHED"`, `"RESERVED"`, 1),
		"wrong type":      strings.Replace(record, `"cna": {`, `"cna": 7, "x": {`, 1),
		"not JSON inside": strings.Replace(record, `"status": "odd"`, `"status" "odd"`, 1),
		"not UTF-8":       strings.Replace(record, "Omisión", "Omisi\xf3n", 1),
		"too deep":        strings.Replace(record, `"words"`, strings.Repeat(`{"a":`, 200)+"1"+strings.Repeat("}", 200), 1),
	},
}

func TestContract(t *testing.T) { contract.Feed(t, cve.New(""), example) }

func TestRejectedRecordSaysWhy(t *testing.T) {
	const rejected = `{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2025-1111","state":"REJECTED","assignerShortName":"acme",
		"dateRejected":"2025-03-01T00:00:00.000Z"},"containers":{"cna":{"rejectedReasons":[{"lang":"en","value":"Not a weakness."}]}}}`
	var got []know.Report
	_, err := cve.New("").Read(context.Background(), strings.NewReader(rejected), func(r know.Report) error { got = append(got, r); return nil })
	if err != nil || len(got) != 1 || !got[0].Rejected || got[0].Description != "Not a weakness." || got[0].Source != "cna:acme" || got[0].Modified.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestContainersFirst(t *testing.T) {
	at := strings.Index(record, `"containers"`)
	metadata := strings.Index(record, `"cveMetadata"`)
	turned := "{" + strings.TrimSuffix(strings.TrimSpace(record[at:]), "}") + "," + strings.TrimSuffix(strings.TrimSpace(record[metadata:at]), ",") + "}"
	if !cve.New("").Recognises("x.json", []byte(turned[:600])) {
		t.Error("not recognised")
	}
	n := 0
	if sum, err := cve.New("").Read(context.Background(), strings.NewReader(turned), func(know.Report) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d reports, %+v, %v", n, sum, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(record)
	for _, spoilt := range example.Spoilt {
		f.Add(spoilt)
	}
	f.Add("[" + record + "," + record + "]")
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = cve.New("").Read(context.Background(), strings.NewReader(body), func(r know.Report) error {
			if _, err := feeds.CVE(string(r.CVE)); err != nil || r.Source == "" {
				t.Errorf("%+v", r)
			}
			return nil
		})
	})
}
