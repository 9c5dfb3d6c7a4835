package openvex_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/openvex"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const document = `{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://maker.example/vex/1", "author": "Maker", "timestamp": "2025-05-13T08:00:00Z",
  "last_updated": "2025-05-15T08:00:00+01:00", "version": 2, "statements": [
  {"vulnerability": {"name": "CVE-2025-90001", "description": "An overflow."}, "status": "under_investigation", "timestamp": "2025-05-13T08:00:00Z",
   "products": [{"@id": "pkg:deb/debian/parser@1.2-3?arch=amd64", "identifiers": {"cpe23": "cpe:2.3:a:example:parser:1.2:*:*:*:*:*:*:*"}}]},
  {"vulnerability": {"name": "CVE-2025-90001"}, "status": "not_affected", "justification": "vulnerable_code_not_present", "timestamp": "2025-05-14T08:00:00Z",
   "products": [{"@id": "pkg:deb/debian/parser@1.2-3", "identifiers": {"cpe23": "cpe:2.3:a:example:parser:1.2:*:*:*:*:*:*:*"}, "subcomponents": [{"@id": "pkg:generic/inner"}]}]},
  {"vulnerability": {"name": "GHSA-1", "aliases": ["CVE-2025-90002"]}, "status": "affected", "action_statement": "Update.",
   "products": [{"@id": "pkg:npm/parser"}, {"@id": "https://maker.example/unnamed"}]},
  {"vulnerability": {"name": "CVE-2025-90002"}, "status": "fixed", "products": [{"@id": "pkg:npm/parser@2.0.0"}]}]}
`

var (
	published = time.Date(2025, 5, 13, 8, 0, 0, 0, time.UTC)
	modified  = time.Date(2025, 5, 15, 7, 0, 0, 0, time.UTC)
)

var example = contract.FeedExample{
	Name: "vex.json", Body: document, Records: 1,
	Want: []know.Report{
		{CVE: "CVE-2025-90001", Source: "vex:Maker, https://maker.example/vex/1", URL: "https://maker.example/vex/1", Published: published, Modified: modified,
			Edition:     &know.Edition{Sources: []string{"vex:Maker, https://maker.example/vex/1"}, At: modified, CVEs: []ward.CVE{"CVE-2025-90001", "CVE-2025-90002"}},
			Description: "An overflow.", Claims: []know.Claim{{PURL: "pkg:deb/debian/parser", CPEs: []string{"cpe:2.3:a:example:parser:*:*:*:*:*:*:*:*"},
				Justification: "vulnerable_code_not_present", Versions: []know.Range{{Version: "1.2-3", Scheme: "deb", Status: know.ClaimUnaffected}}}}},
		{CVE: "CVE-2025-90002", Source: "vex:Maker, https://maker.example/vex/1", URL: "https://maker.example/vex/1", Published: published, Modified: modified,
			Claims:   []know.Claim{{PURL: "pkg:npm/parser", Default: know.ClaimAffected, Versions: []know.Range{{Version: "2.0.0", Scheme: "semver", Status: know.ClaimUnaffected}}}},
			Remedies: []know.Remedy{{Category: "action", Details: "Update."}}},
	},
	Spoilt: map[string]string{
		"no identifier": strings.Replace(document, `"@id": "https://maker.example/vex/1"`, `"@id": ""`, 1),
		"no author":     strings.Replace(document, `"author": "Maker"`, `"author": ""`, 1),
		"wrong type":    strings.Replace(document, `"version": 2`, `"version": "two"`, 1),
		"another thing": strings.Replace(document, `https://openvex.dev/ns/`, `https://other.example/ns/`, 1),
		"not UTF-8":     strings.Replace(document, "An overflow", "An \xe9", 1),
		"all forbidden": strings.NewReplacer(`"justification": "vulnerable_code_not_present", `, "", `"action_statement": "Update."`, `"x": 1`, `"under_investigation"`, `"perhaps"`, `"fixed"`, `"mended"`).Replace(document),
	},
}

func TestContract(t *testing.T) { contract.Feed(t, openvex.New(""), example) }

func TestAForbiddenStatementCostsOnlyItself(t *testing.T) {
	body := strings.Replace(document, `"action_statement": "Update."`, `"justification": "component_not_present"`, 1)
	var got []know.Report
	sum, err := openvex.New("").Read(context.Background(), strings.NewReader(body), func(r know.Report) error { got = append(got, r); return nil })
	if err != nil || sum.Records != 1 || len(sum.Problems) != 1 || !strings.Contains(sum.Problems[0], "statement 3") || len(got) != 2 || got[1].Claims[0].Default != "" {
		t.Errorf("%+v, %v, %+v", sum, err, got)
	}
}

func TestTheLaterStatementCounts(t *testing.T) {
	swapped := strings.NewReplacer("2025-05-14T08:00:00Z", "2025-05-12T08:00:00Z").Replace(document)
	_, err := openvex.New("").Read(context.Background(), strings.NewReader(swapped), func(r know.Report) error {
		if r.CVE == "CVE-2025-90001" && !reflect.DeepEqual(r.Claims[0].Versions, []know.Range{{Version: "1.2-3", Scheme: "deb", Status: know.ClaimUnknown}}) {
			t.Errorf("%+v", r.Claims)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func Fuzz(f *testing.F) {
	f.Add(document)
	for _, spoilt := range example.Spoilt {
		f.Add(spoilt)
	}
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = openvex.New("").Read(context.Background(), strings.NewReader(body), func(r know.Report) error {
			if _, err := feeds.CVE(string(r.CVE)); err != nil || r.Source == "" {
				t.Errorf("%+v", r)
			}
			return nil
		})
	})
}
