package match_test

import (
	"testing"

	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// TestAnEntryOfOneReleaseIsNotAboutAnother has one distribution's fix in two of its releases.
func TestAnEntryOfOneReleaseIsNotAboutAnother(t *testing.T) {
	fixed := func(ecosystem, version string) know.Claim {
		return know.Claim{Product: "curl", PURL: "pkg:deb/debian/curl", Ecosystem: ecosystem, Default: know.ClaimUnaffected,
			Versions: []know.Range{{Version: "0", LessThan: version, Scheme: know.SchemeDeb, Status: know.ClaimAffected}}}
	}
	reports := []know.Report{{CVE: "CVE-2025-90001", Source: "osv:DSA-1", Claims: []know.Claim{
		fixed("Debian:11", "7.74.0-1.3+deb11u9"), fixed("Debian:12", "7.88.1-10+deb12u5")}}}
	for _, row := range []struct {
		purl string
		want ward.Status
	}{
		{"pkg:deb/debian/curl@7.74.0-1.3%2Bdeb11u9?distro=debian-11", ward.Fixed},
		{"pkg:deb/debian/curl@7.74.0-1.3%2Bdeb11u8?distro=debian-11.9", ward.Affected},
		{"pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?distro=debian-12", ward.Fixed},
		{"pkg:deb/debian/curl@7.88.1-10%2Bdeb12u4?distro=debian-12", ward.Affected},
		{"pkg:deb/debian/curl@7.74.0-1.3%2Bdeb11u9", ward.Affected}, // of which release is not known
		{"pkg:deb/debian/curl@8.5.0-2?distro=debian-13", ""},        // no entry is about it
	} {
		v, ok := match.Evaluate(ward.Software{PURL: row.purl}, nil, reports)
		if ok != (row.want != "") || v.Status != row.want {
			t.Errorf("%s: %s, %t, %s; want %s", row.purl, v.Status, ok, v.Why, row.want)
		}
	}
}

// TestVendorsVEXOutranksTheNVD has a maker's document that calls the product not affected.
func TestVendorsVEXOutranksTheNVD(t *testing.T) {
	affected := know.Node{Matches: []know.CPEMatch{{CPE: "cpe:2.3:a:example:parser:*:*:*:*:*:*:*:*", Vulnerable: true, EndExcluding: "2.0"}}}
	v, ok := match.Evaluate(ward.Software{CPE: "cpe:2.3:a:example:parser:1.2:*:*:*:*:*:*:*"}, nil, []know.Report{
		{CVE: "CVE-2025-90001", Source: "nvd", Trees: []know.Node{affected}},
		{CVE: "CVE-2025-90001", Source: "vex:Example, VEX-1", Claims: []know.Claim{{CPEs: []string{"cpe:2.3:a:example:parser:*:*:*:*:*:*:*:*"},
			Versions: []know.Range{{Version: "1.2", Status: know.ClaimUnaffected}}}}},
	})
	if !ok || v.Status != ward.NotAffected || v.Source != "vex:Example, VEX-1" {
		t.Errorf("%+v", v)
	}
}
