package osv_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/csaf"
	"wardwatch/know/feeds/osv"
	"wardwatch/test/contract"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

const record = `{
  "schema_version": "1.6.0", "id": "GHSA-xxxx-yyyy-zzzz", "modified": "2025-05-14T08:00:00.123456789Z", "published": "2025-05-13T08:00:00Z",
  "aliases": ["CVE-2025-90001", "PYSEC-2025-1"], "related": ["CVE-2025-90009"],
  "summary": "Parser overflows", "details": "A long header overflows a buffer.",
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {"type": "CVSS_V3", "score": "CVSS:3.1/none"}],
  "affected": [{"package": {"ecosystem": "npm", "name": "@example/parser", "purl": "pkg:npm/%40example/parser"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.4.2"}, {"introduced": "2.0.0"}, {"last_affected": "2.1.0"}]},
      {"type": "GIT", "repo": "https://code.example/parser", "events": [{"introduced": "0"}, {"fixed": "abc"}]}],
    "versions": ["1.0.0", "2.0.5", "3.0.0-beta"]}],
  "references": [{"type": "FIX", "url": "https://code.example/fix"}, {"type": "WEB", "url": "https://code.example/fix"}]
}
`

var said = ward.Provenance{Source: "osv:GHSA-xxxx-yyyy-zzzz", URL: "https://osv.dev/vulnerability/GHSA-xxxx-yyyy-zzzz", At: time.Date(2025, 5, 14, 8, 0, 0, 123456000, time.UTC)}

var example = contract.FeedExample{
	Name: "GHSA-xxxx-yyyy-zzzz.json", Body: record, Records: 1,
	Want: []know.Report{{
		CVE: "CVE-2025-90001", Source: said.Source, URL: said.URL, Published: time.Date(2025, 5, 13, 8, 0, 0, 0, time.UTC), Modified: said.At,
		Title: "Parser overflows", Description: "A long header overflows a buffer.",
		Claims: []know.Claim{{Product: "@example/parser", PURL: "pkg:npm/%40example/parser", Ecosystem: "npm", Default: know.ClaimUnaffected, Versions: []know.Range{
			{Version: "0", LessThan: "1.4.2", Scheme: "semver", Status: know.ClaimAffected},
			{Version: "2.0.0", LessThanOrEqual: "2.1.0", Scheme: "semver", Status: know.ClaimAffected},
			{Version: "3.0.0-beta", Scheme: "semver", Status: know.ClaimAffected}}}},
		CVSS:       []ward.CVSS{{Provenance: said, Version: "3.1", Score: 9.8, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
		References: []string{"https://code.example/fix"},
	}},
	Spoilt: map[string]string{
		"no identifier": strings.Replace(record, `"GHSA-xxxx-yyyy-zzzz"`, `""`, 1),
		"no time":       strings.Replace(record, `"2025-05-14T08:00:00.123456789Z"`, `"lately"`, 1),
		"wrong type":    strings.Replace(record, `["CVE-2025-90001", "PYSEC-2025-1"]`, `"CVE-2025-90001"`, 1),
		"not UTF-8":     strings.Replace(record, "Parser overflows", "Parser\xe9", 1),
		"too deep":      strings.Replace(record, `"related": [`, `"x": `+strings.Repeat("[", 300)+strings.Repeat("]", 300)+`, "related": [`, 1),
	},
}

func TestContract(t *testing.T) { contract.Feed(t, osv.New(""), example) }

func read(t *testing.T, body string) ([]know.Report, feeds.Summary) {
	t.Helper()
	var all []know.Report
	sum, err := osv.New("").Read(context.Background(), strings.NewReader(body), func(r know.Report) error { all = append(all, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all, sum
}

func TestWhichCVEsARecordIsAbout(t *testing.T) {
	for _, row := range []struct {
		name, members string
		want          []ward.CVE
		skipped       int
	}{
		{"aliases", `"id":"GHSA-1","aliases":["CVE-2025-90001","CVE-2025-90002"]`, []ward.CVE{"CVE-2025-90001", "CVE-2025-90002"}, 0},
		{"its own name", `"id":"CVE-2025-90001","aliases":["CVE-2025-90001"]`, []ward.CVE{"CVE-2025-90001"}, 0},
		{"taken over from upstream", `"id":"DSA-1-1","upstream":["CVE-2025-90001","CVE-2025-90002"]`, []ward.CVE{"CVE-2025-90001", "CVE-2025-90002"}, 0},
		{"related is another", `"id":"GHSA-1","related":["CVE-2025-90001"]`, nil, 1},
		{"none", `"id":"MAL-2025-1"`, nil, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			all, sum := read(t, `{"modified":"2025-05-14T08:00:00Z",`+row.members+`}`)
			var got []ward.CVE
			for _, r := range all {
				got = append(got, r.CVE)
			}
			if !slices.Equal(got, row.want) || sum.Skipped != row.skipped || sum.Records != 1 || sum.Rejected != 0 {
				t.Errorf("%v, %+v", got, sum)
			}
		})
	}
	if all, _ := read(t, strings.Replace(record, `"aliases"`, `"withdrawn": "2025-06-01T00:00:00Z", "aliases"`, 1)); !all[0].Rejected || len(all[0].Claims) > 0 {
		t.Errorf("withdrawn: %+v", all)
	}
}

func TestRangesFromEvents(t *testing.T) {
	const affected = know.ClaimAffected
	for _, row := range []struct {
		name, pkg, ranges, purl string
		want                    []know.Range
	}{
		{"a distribution", `{"ecosystem":"Debian:12","name":"curl"}`, `[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"7.88.1-10+deb12u5"}]}]`, "pkg:deb/debian/curl",
			[]know.Range{{Version: "0", LessThan: "7.88.1-10+deb12u5", Scheme: "deb", Status: affected}}},
		{"in any order", `{"ecosystem":"PyPI","name":"parser"}`, `[{"type":"ECOSYSTEM","events":[{"fixed":"2.10"},{"introduced":"2.9"},{"fixed":"1.2"},{"introduced":"1.0"}]}]`, "pkg:pypi/parser",
			[]know.Range{{Version: "1.0", LessThan: "1.2", Scheme: "pypi", Status: affected}, {Version: "2.9", LessThan: "2.10", Scheme: "pypi", Status: affected}}},
		{"without end", `{"ecosystem":"Maven","name":"org.example:parser"}`, `[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"limit":"*"}]}]`, "pkg:maven/org.example/parser",
			[]know.Range{{Version: "1.0", LessThan: "*", Scheme: "maven", Status: affected}}},
		{"limited", `{"ecosystem":"Go","name":"code.example/parser/v2"}`, `[{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"limit":"2.5.0"}]}]`, "pkg:golang/code.example/parser/v2",
			[]know.Range{{Version: "2.0.0", LessThan: "2.5.0", Scheme: "semver", Status: affected}}},
		{"an ecosystem not known", `{"ecosystem":"Elsewhere","name":"parser"}`, `[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]`, "",
			[]know.Range{{Version: "0", LessThan: "2", Status: affected}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			all, _ := read(t, `{"id":"X-1","modified":"2025-05-14T08:00:00Z","aliases":["CVE-2025-90001"],"affected":[{"package":`+row.pkg+`,"ranges":`+row.ranges+`}]}`)
			if len(all) != 1 || len(all[0].Claims) != 1 || all[0].Claims[0].PURL != row.purl || !reflect.DeepEqual(all[0].Claims[0].Versions, row.want) {
				t.Errorf("got %+v", all)
			}
		})
	}
	if all, _ := read(t, `{"id":"X-1","modified":"2025-05-14T08:00:00Z","aliases":["CVE-2025-90001"],"affected":[{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}`); len(all[0].Claims) != 0 {
		t.Errorf("commits are compared with nothing: %+v", all)
	}
}

// TestARedHatAdvisoryAndItsRecordAgree holds the OSV records that Red Hat converts from its CSAF documents against what the
// CSAF reader makes of these: the same packages of the same releases, fixed in the same versions.
func TestARedHatAdvisoryAndItsRecordAgree(t *testing.T) {
	f, err := os.Open(shared.File(t, "data", "vuln", "csaf", "redhat-csaf-osv-pairs.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	type fix struct{ cve, ecosystem, purl, version string }
	fixes := map[string]map[fix]bool{}
	for r := tar.NewReader(unpacked); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var source feeds.Source = osv.New("")
		switch {
		case strings.Contains(h.Name, "/CSAF/rhsa"):
			source = csaf.New("")
		case !strings.Contains(h.Name, "/OSV/RHSA"):
			continue
		}
		key := strings.ToLower(h.Name[strings.LastIndexByte(h.Name, '/')+1:]) + " " + source.Name()
		fixes[key] = map[fix]bool{}
		sum, err := source.Read(context.Background(), r, func(r know.Report) error {
			for _, c := range r.Claims {
				for _, v := range c.Versions {
					version := v.LessThan
					if source.Name() == "csaf" {
						version = v.Version
					}
					version = strings.TrimPrefix(version, "0:")
					fixes[key][fix{string(r.CVE), c.Ecosystem, c.PURL, version}] = true
				}
			}
			return nil
		})
		if err != nil || sum.Records != 1 || sum.Rejected != 0 {
			t.Errorf("%s: %+v, %v", h.Name, sum, err)
		}
	}
	for _, name := range []string{"rhsa-2024_4546.json", "rhsa-2024_6220.json"} {
		ours, theirs := fixes[name+" csaf"], fixes[name+" osv"]
		if len(theirs) == 0 {
			t.Errorf("%s: no fixes", name)
		}
		missing := 0
		for one := range theirs {
			if !ours[one] {
				if missing++; missing <= 3 {
					t.Errorf("%s: %+v is in the OSV record alone", name, one)
				}
			}
		}
		t.Logf("%s: %d fixes in OSV, %d in CSAF, %d missing", name, len(theirs), len(ours), missing)
	}
}

func Fuzz(f *testing.F) {
	f.Add(record)
	for _, spoilt := range example.Spoilt {
		f.Add(spoilt)
	}
	f.Add(`{"id":"a","modified":"2025-05-14T08:00:00Z","aliases":["CVE-2025-90001"],"affected":[{"package":{"ecosystem":"Maven","name":":"},"versions":["",""," "],
		"ranges":[{"type":"ECOSYSTEM","events":[{"fixed":"1"},{"introduced":"2"},{"introduced":"0"},{"limit":"1"}]}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = osv.New("").Read(context.Background(), strings.NewReader(body), func(r know.Report) error {
			if _, err := feeds.CVE(string(r.CVE)); err != nil || r.Source == "osv:" {
				t.Errorf("%+v", r)
			}
			return nil
		})
	})
}
