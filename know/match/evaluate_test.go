package match_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/cve"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/match"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

// reports reads publishers' files below the shared data and keeps those of one CVE.
func reports(t testing.TB, id ward.CVE, paths ...string) []know.Report {
	t.Helper()
	var all []know.Report
	for _, path := range paths {
		_, err := feeds.Read(context.Background(), path, []feeds.Source{cve.New(""), nvd.New(""), nvd.NewOverrides("")}, func(r know.Report) error {
			if r.CVE == id {
				all = append(all, r)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no report of %s in %q", id, paths)
	}
	return all
}

func epmm(version string) ward.Software {
	return ward.Software{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Version: version}
}

// TestIvantiOnTheDay is 13 May 2025: the vendor's record alone, NVD not analysed yet.
func TestIvantiOnTheDay(t *testing.T) {
	dir := shared.File(t, "data", "vuln", "cve5", "ivanti-epmm-2025-05")
	for _, id := range []ward.CVE{"CVE-2025-4427", "CVE-2025-4428"} {
		known := reports(t, id, filepath.Join(dir, string(id)+".cve5.1.json"), filepath.Join(dir, string(id)+".nvd2.awaiting-analysis-2025-05-13.json"))
		for _, row := range []struct {
			version string
			status  ward.Status
			basis   ward.Basis
			fixed   string
		}{
			{"12.5.0.0", ward.Affected, ward.ByVersion, "12.5.0.1"},
			{"12.5", ward.Affected, ward.ByVersion, "12.5.0.1"},
			{"12.5.0.1", ward.Fixed, ward.ByVersion, "12.5.0.1"},
			{"12.5.0.2", ward.Fixed, ward.ByVersion, "12.5.0.1"},
			{"12.6.0.0", ward.Fixed, ward.ByDefault, "12.5.0.1"},
			{"12.4.0.2", ward.Affected, ward.ByDefault, "12.5.0.1"},
			{"11.12.0.4", ward.Affected, ward.ByDefault, "12.5.0.1"},
			{"", ward.VersionUnknown, ward.ByDefault, "12.5.0.1"},
			{"unknown", ward.VersionUnknown, ward.ByDefault, "12.5.0.1"},
		} {
			for _, sw := range []ward.Software{
				epmm(row.version),
				{CPE: "cpe:2.3:a:ivanti:endpoint_manager_mobile:" + or(row.version, "*") + ":*:*:*:*:*:*:*"},
				{Vendor: "MobileIron", Product: "Core", Version: row.version},
			} {
				v, ok := match.Evaluate(sw, nil, known)
				if !ok || v.Status != row.status || v.Basis != row.basis || v.Fixed != row.fixed {
					t.Errorf("%s %s: got %s by %s, fixed %q (%v): %s", id, sw, v.Status, v.Basis, v.Fixed, ok, v.Why)
				}
				if !strings.Contains(v.Why, "Ivanti (CNA)") || v.Source != "cna:ivanti" || v.CVE != id {
					t.Errorf("%s %s: source %s, why %q", id, sw, v.Source, v.Why)
				}
			}
		}
		v, _ := match.Evaluate(epmm("12.6.0.0"), nil, known)
		if !strings.Contains(v.Why, "later") {
			t.Errorf("12.6.0.0: why %q does not say that it is later than the listed fix", v.Why)
		}
	}
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// TestIvantiAnalysed is five months later: NVD lists ranges, which outrank the vendor's default status.
func TestIvantiAnalysed(t *testing.T) {
	known := reports(t, "CVE-2025-4428", shared.File(t, "data", "vuln", "cve5", "ivanti-epmm-2025-05"))
	for _, row := range []struct {
		version string
		status  ward.Status
		basis   ward.Basis
		fixed   string
		source  string
	}{
		{"11.12.0.4", ward.Affected, ward.ByVersion, "11.12.0.5", "nvd"},
		{"12.3.0.1", ward.Affected, ward.ByVersion, "12.3.0.2", "nvd"},
		{"12.4.0.1", ward.Affected, ward.ByVersion, "12.4.0.2", "nvd"},
		{"12.5.0.0", ward.Affected, ward.ByVersion, "12.5.0.1", "cna:ivanti"},
		{"11.12.0.5", ward.Fixed, ward.ByVersion, "11.12.0.5", "nvd"},
		{"12.3.0.2", ward.Fixed, ward.ByVersion, "12.3.0.2", "nvd"},
		{"12.4.0.2", ward.Fixed, ward.ByVersion, "12.4.0.2", "nvd"},
		{"12.5.0.1", ward.Fixed, ward.ByVersion, "12.5.0.1", "cna:ivanti"},
		{"12.2.0.0", ward.Affected, ward.ByDefault, "12.3.0.2", "cna:ivanti"},
		{"12.6.0.0", ward.Fixed, ward.ByDefault, "12.5.0.1", "cna:ivanti"},
	} {
		v, ok := match.Evaluate(epmm(row.version), nil, known)
		if !ok || v.Status != row.status || v.Basis != row.basis || v.Fixed != row.fixed || v.Source != row.source {
			t.Errorf("%s: got %s by %s, fixed %q, source %s (%v)\n%s", row.version, v.Status, v.Basis, v.Fixed, v.Source, ok, v.Why)
		}
		if !strings.Contains(v.Why, "Ivanti (CNA)") || !strings.Contains(v.Why, "NVD") {
			t.Errorf("%s: why names not both sources: %s", row.version, v.Why)
		}
	}
}

func TestRulingOutranks(t *testing.T) {
	known := []know.Report{
		{CVE: "CVE-2025-4428", Source: "cna:ivanti", Claims: []know.Claim{{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Default: know.ClaimAffected,
			Versions: []know.Range{{Version: "12.5.0.1", Status: know.ClaimUnaffected}}}}},
		{CVE: "CVE-2025-4428", Source: "ruling", Claims: []know.Claim{{Vendor: "Ivanti", Product: "Endpoint Manager Mobile",
			Versions: []know.Range{{Version: "12.4.0.2", Status: know.ClaimUnaffected}}}}},
	}
	v, _ := match.Evaluate(epmm("12.4.0.2"), nil, known)
	if !slices.Contains([]ward.Status{ward.NotAffected, ward.Fixed}, v.Status) || v.Basis != ward.ByRuling || v.Source != "ruling" {
		t.Errorf("12.4.0.2 as ruled: %s by %s of %s: %s", v.Status, v.Basis, v.Source, v.Why)
	}
	v, _ = match.Evaluate(epmm("12.4.0.1"), nil, known)
	if v.Status != ward.Affected || v.Source != "cna:ivanti" {
		t.Errorf("12.4.0.1, which nobody ruled on: %s of %s: %s", v.Status, v.Source, v.Why)
	}
}

// TestClaims holds the rules of CVE 5 entries, one row a rule.
func TestClaims(t *testing.T) {
	const affected, unaffected, unknown = know.ClaimAffected, know.ClaimUnaffected, know.ClaimUnknown
	below := func(v string) know.Range { return know.Range{Version: "0", LessThan: v, Status: affected} }
	for _, row := range []struct {
		name     string
		def      know.ClaimStatus
		versions []know.Range
		want     string // "version=status/fixed"
	}{
		{"before, no default", "", []know.Range{below("2.5")}, "2.4=affected/2.5 2.5=fixed/2.5 3.0=fixed/2.5"},
		{"before, default unaffected", unaffected, []know.Range{below("2.5")}, "2.4=affected/2.5 2.5.0=fixed/2.5 2.6=fixed/2.5"},
		{"up to", unaffected, []know.Range{{LessThanOrEqual: "2.5", Version: "2.0", Status: affected}}, "2.5=affected/ 2.5.1=not_affected/ 1.9=not_affected/ 3=not_affected/"},
		{"up to, no default", "", []know.Range{{LessThanOrEqual: "2.5", Version: "2.0", Status: affected}}, "2.5.1=not_affected/ 1.9=version_unknown/"},
		{"branches", unaffected, []know.Range{{Version: "2.0", LessThan: "2.0.5", Status: affected}, {Version: "3.1", LessThan: "3.1.7", Status: affected}},
			"2.0.4=affected/2.0.5 2.0.5=fixed/2.0.5 3.1.2=affected/3.1.7 3.1.7=fixed/3.1.7 2.9=not_affected/ 4.0=fixed/3.1.7"},
		{"branches, default affected", affected, []know.Range{{Version: "2.0.5", LessThan: "2.1", Status: unaffected}, {Version: "3.1.7", LessThan: "*", Status: unaffected}},
			"2.0.4=affected/2.0.5 2.0.9=fixed/2.0.5 3.1.6=affected/3.1.7 9=fixed/3.1.7 1.0=affected/2.0.5"},
		{"listed one by one", "", []know.Range{{Version: "2.0", Status: affected}, {Version: "2.1", Status: affected}}, "2.0=affected/ 2.0.0=affected/ 2.2=version_unknown/"},
		{"listed, default unaffected", unaffected, []know.Range{{Version: "2.0", Status: affected}}, "2.2=not_affected/"},
		{"exact before stretch", unaffected, []know.Range{below("3.0"), {Version: "2.4.9", Status: unaffected}}, "2.4.8=affected/2.4.9 2.4.9=fixed/2.4.9 2.5=affected/3.0"},
		{"changes", unaffected, []know.Range{{Version: "5.0", LessThan: "6.0", Status: affected, Changes: []know.Change{{At: "5.4", Status: unaffected}}}},
			"5.3=affected/5.4 5.4=fixed/5.4 5.9=fixed/5.4"},
		{"everything", affected, nil, "1=affected/ =affected/"},
		{"star", "", []know.Range{{Version: "*", Status: affected}}, "1=affected/"},
		{"without end", unaffected, []know.Range{{Version: "2", LessThan: "*", Status: affected}}, "3=affected/ 1=not_affected/"},
		{"never affected before", unaffected, []know.Range{{Version: "0", LessThan: "2", Status: unaffected}, {Version: "2", LessThan: "3", Status: affected}},
			"1=not_affected/ 2.5=affected/3 3=fixed/3"},
		{"unknown", "", []know.Range{{Version: "0", LessThan: "2", Status: unknown}}, "1=version_unknown/"},
		{"git", unaffected, []know.Range{{Version: "1da177e4c3f4", LessThan: "abc", Scheme: "git", Status: affected}}, "6.1=version_unknown/"},
		{"words: before", "", []know.Range{{Version: "All versions < V4.1.4", Status: affected}}, "4.1.3=affected/v4.1.4 V4.1.4=fixed/v4.1.4"},
		{"words: prior", "", []know.Range{{Version: "4.1 and prior", Status: affected}}, "4.1=affected/ 3=affected/ 4.2=not_affected/"},
		{"words: bounds", "", []know.Range{{Version: ">= 1.0, < 1.4", Status: affected}}, "1.3=affected/1.4 1.4=fixed/1.4 0.9=version_unknown/1.4"},
		{"words: x", "", []know.Range{{Version: "12.5.x", Status: affected}}, "12.5.9=affected/12.6 12.6=fixed/12.6"},
		{"words: product and full stop", "", []know.Range{{Version: "Pump 6.2.0 and below.", Status: affected}}, "6.1=affected/ 6.2.1=not_affected/"},
		{"words: a list", unaffected, []know.Range{{Version: "Pump 6.4.1, 6.4.0, 6.2.5", Status: affected}}, "6.4.1=affected/ 6.2.5=affected/ 6.4.2=not_affected/"},
		{"start and end are one", "", []know.Range{{Version: "2.5", LessThan: "2.5", Status: affected}}, "2.4=affected/2.5 2.5=fixed/2.5"},
		{"end before start", "", []know.Range{{Version: "3.0", LessThan: "2.5", Status: affected}}, "2.4=version_unknown/ 2.7=version_unknown/"},
		{"words that say nothing", "", []know.Range{{Version: "see advisory", Status: affected}}, "1=version_unknown/"},
		{"n/a", "", []know.Range{{Version: "n/a", Status: affected}}, "1=version_unknown/"},
		{"all versions in words", "", []know.Range{{Version: "All Versions", Status: affected}}, "1=affected/"},
		{"semver", unaffected, []know.Range{{Version: "1.0.0", LessThan: "1.4.0", Scheme: "semver", Status: affected}}, "1.4.0-rc.1=affected/1.4.0 1.4.0=fixed/1.4.0"},
	} {
		known := []know.Report{{CVE: "CVE-2099-0001", Source: "cna:acme", Claims: []know.Claim{{Vendor: "Acme", Product: "Pump", Default: row.def, Versions: row.versions}}}}
		for want := range strings.FieldsSeq(row.want) {
			version, rest, _ := strings.Cut(want, "=")
			v, ok := match.Evaluate(ward.Software{Vendor: "ACME Inc.", Product: "pump", Version: version}, nil, known)
			if got := string(v.Status) + "/" + v.Fixed; !ok || got != rest {
				t.Errorf("%s: %q: got %s, want %s: %s", row.name, version, got, rest, v.Why)
			}
			if strings.Contains(v.Why, "  ") || !strings.HasSuffix(v.Why, ".") || !strings.HasPrefix(v.Why, "Acme (CNA) ") {
				t.Errorf("%s: %q: why reads %q", row.name, version, v.Why)
			}
		}
	}
}

// TestTrees holds CPE configurations: ranges, conditions on what else the asset runs, other attributes.
func TestTrees(t *testing.T) {
	vulnerable := func(cpe, from, before string) know.Node {
		return know.Node{Matches: []know.CPEMatch{{CPE: cpe, Vulnerable: true, StartIncluding: from, EndExcluding: before}}}
	}
	on := func(cpes ...string) (n know.Node) {
		for _, cpe := range cpes {
			n.Matches = append(n.Matches, know.CPEMatch{CPE: cpe})
		}
		return n
	}
	and := func(children ...know.Node) know.Node { return know.Node{And: true, Children: children} }
	const (
		reader   = "cpe:2.3:a:acme:reader:*:*:*:*:*:*:*:*"
		windows  = "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"
		win7     = "cpe:2.3:o:microsoft:windows_7:-:sp1:*:*:*:*:*:*"
		firmware = "cpe:2.3:o:acme:router_900_firmware:*:*:*:*:*:*:*:*"
		hardware = "cpe:2.3:h:acme:router_900:-:*:*:*:*:*:*:*"
		press    = "cpe:2.3:a:wordpress:wordpress:*:*:*:*:*:*:*:*"
	)
	for _, row := range []struct {
		name     string
		tree     know.Node
		software string
		together []string
		want     ward.Status
	}{
		{"range", vulnerable(reader, "2.0", "2.5"), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*", nil, ward.Affected},
		{"its start", vulnerable(reader, "2.0", "2.5"), "cpe:2.3:a:acme:reader:2:*:*:*:*:*:*:*", nil, ward.Affected},
		{"its end", vulnerable(reader, "2.0", "2.5"), "cpe:2.3:a:acme:reader:2.5.0:*:*:*:*:*:*:*", nil, ward.Fixed},
		{"before it", vulnerable(reader, "2.0", "2.5"), "cpe:2.3:a:acme:reader:1.9:*:*:*:*:*:*:*", nil, ward.NotAffected},
		{"no version", vulnerable(reader, "2.0", "2.5"), "cpe:2.3:a:acme:reader:*:*:*:*:*:*:*:*", nil, ward.VersionUnknown},
		{"exact", vulnerable("cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*", "", ""), "cpe:2.3:a:acme:reader:2.4.0.0:*:*:*:*:*:*:*", nil, ward.Affected},
		{"wildcard", vulnerable("cpe:2.3:a:acme:reader:2.*:*:*:*:*:*:*:*", "", ""), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*", nil, ward.Affected},
		{"wildcard, other", vulnerable("cpe:2.3:a:acme:reader:2.*:*:*:*:*:*:*:*", "", ""), "cpe:2.3:a:acme:reader:3.4:*:*:*:*:*:*:*", nil, ward.NotAffected},
		{"update", vulnerable("cpe:2.3:a:acme:reader:2.4:sp1:*:*:*:*:*:*", "", ""), "cpe:2.3:a:acme:reader:2.4:sp1:*:*:*:*:*:*", nil, ward.Affected},
		{"update spelt differently", vulnerable("cpe:2.3:a:acme:reader:2.4:update_3:*:*:*:*:*:*", "", ""), "cpe:2.3:a:acme:reader:2.4:u3:*:*:*:*:*:*", nil, ward.Affected},
		{"other update", vulnerable("cpe:2.3:a:acme:reader:2.4:sp1:*:*:*:*:*:*", "", ""), "cpe:2.3:a:acme:reader:2.4:sp2:*:*:*:*:*:*", nil, ward.NotAffected},
		{"update not said", vulnerable("cpe:2.3:a:acme:reader:2.4:sp1:*:*:*:*:*:*", "", ""), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*", nil, ward.VersionUnknown},
		{"release candidate of the end", vulnerable(reader, "", "2.5"), "cpe:2.3:a:acme:reader:2.5:rc1:*:*:*:*:*:*", nil, ward.Affected},
		{"edition for android", vulnerable("cpe:2.3:a:acme:reader:*:*:*:*:*:android:*:*", "", "2.5"), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:iphone_os:*:*", nil, ward.NotAffected},
		{"edition not said", vulnerable("cpe:2.3:a:acme:reader:*:*:*:*:*:android:*:*", "", "2.5"), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*", nil, ward.PlatformUnknown},
		{"edition seen beside it", vulnerable("cpe:2.3:a:acme:reader:*:*:*:*:*:windows:*:*", "", "2.5"), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:o:microsoft:windows_10:22h2:*:*:*:*:*:*:*"}, ward.Affected},
		{"running on, alone", and(vulnerable(reader, "", "2.5"), on(windows)), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*", nil, ward.PlatformUnknown},
		{"running on it", and(vulnerable(reader, "", "2.5"), on(windows)), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:o:microsoft:windows_10:22h2:*:*:*:*:*:*:*"}, ward.Affected},
		{"running on another", and(vulnerable(reader, "", "2.5"), on(windows)), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:*:*:*:*"}, ward.NotAffected},
		{"running on, only applications known", and(vulnerable(reader, "", "2.5"), on(windows)), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:a:acme:writer:1:*:*:*:*:*:*:*"}, ward.PlatformUnknown},
		{"running on, fixed", and(vulnerable(reader, "", "2.5"), on(windows)), "cpe:2.3:a:acme:reader:2.5:*:*:*:*:*:*:*", nil, ward.Fixed},
		{"running on any of two", and(vulnerable(reader, "", "2.5"), on(win7, windows)), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:o:microsoft:windows_11:23h2:*:*:*:*:*:*:*"}, ward.Affected},
		{"the platform itself", and(vulnerable(reader, "", "2.5"), on(windows)), "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*", nil, ""},
		{"firmware stands for its device", and(vulnerable(firmware, "", "2.5"), on(hardware)), "cpe:2.3:o:acme:router_900_firmware:2.4:*:*:*:*:*:*:*", nil, ward.Affected},
		{"firmware on another device", and(vulnerable("cpe:2.3:o:acme:os:*:*:*:*:*:*:*:*", "", "2.5"), on(hardware)), "cpe:2.3:o:acme:os:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:h:acme:switch_1:-:*:*:*:*:*:*:*"}, ward.NotAffected},
		{"firmware, device not known", and(vulnerable("cpe:2.3:o:acme:os:*:*:*:*:*:*:*:*", "", "2.5"), on(hardware)), "cpe:2.3:o:acme:os:2.4:*:*:*:*:*:*:*", nil, ward.PlatformUnknown},
		{"plugin", and(vulnerable(reader, "", "2.5"), on(press)), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:a:wordpress:wordpress:6.1:*:*:*:*:*:*:*"}, ward.Affected},
		{"plugin without its host", and(vulnerable(reader, "", "2.5"), on(press)), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:a:acme:writer:1:*:*:*:*:*:*:*"}, ward.NotAffected},
		{"two vulnerable together", and(vulnerable(reader, "", "2.5"), vulnerable("cpe:2.3:a:acme:writer:*:*:*:*:*:*:*:*", "", "3")), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:a:acme:writer:2:*:*:*:*:*:*:*"}, ward.Affected},
		{"a neighbour's weakness is not ours", know.Node{Matches: []know.CPEMatch{{CPE: reader, Vulnerable: true, EndExcluding: "2.5"},
			{CPE: "cpe:2.3:a:acme:writer:*:*:*:*:*:*:*:*", Vulnerable: true, EndExcluding: "3"}}}, "cpe:2.3:a:acme:reader:2.6:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:a:acme:writer:2:*:*:*:*:*:*:*"}, ward.Fixed},
		{"not on windows", and(vulnerable(reader, "", "2.5"), know.Node{Negate: true, Matches: on(windows).Matches}), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:o:microsoft:windows_10:22h2:*:*:*:*:*:*:*"}, ward.NotAffected},
		{"not on windows, on linux", and(vulnerable(reader, "", "2.5"), know.Node{Negate: true, Matches: on(windows).Matches}), "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*",
			[]string{"cpe:2.3:o:linux:linux_kernel:6.1:*:*:*:*:*:*:*"}, ward.Affected},
	} {
		known := []know.Report{{CVE: "CVE-2099-0002", Source: "nvd", Trees: []know.Node{row.tree}}}
		var together []ward.Software
		for _, cpe := range row.together {
			together = append(together, ward.Software{CPE: cpe})
		}
		v, _ := match.Evaluate(ward.Software{CPE: row.software}, together, known)
		if v.Status != row.want {
			t.Errorf("%s: got %q, want %q: %s", row.name, v.Status, row.want, v.Why)
		}
		if v.Status != "" && v.Confidence != ward.Exact {
			t.Errorf("%s: confidence %s by CPE", row.name, v.Confidence)
		}
	}
}

// TestTreesByName: an inventory of names is held against CPE configurations.
func TestTreesByName(t *testing.T) {
	known := []know.Report{{CVE: "CVE-2099-0002", Source: "nvd", Trees: []know.Node{{And: true, Children: []know.Node{
		{Matches: []know.CPEMatch{{CPE: "cpe:2.3:a:acme:reader:*:*:*:*:*:*:*:*", Vulnerable: true, EndExcluding: "2.5"}}},
		{Matches: []know.CPEMatch{{CPE: "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"}}},
	}}}}}
	v, _ := match.Evaluate(ward.Software{Vendor: "Acme Ltd", Product: "Reader", Version: "2.4"}, []ward.Software{{Vendor: "Microsoft", Product: "Windows 10 Enterprise", Version: "10.0.19045.1"}}, known)
	if v.Status != ward.Affected || v.Confidence != ward.Name || v.Fixed != "2.5" {
		t.Errorf("got %s with confidence %s, fixed %q: %s", v.Status, v.Confidence, v.Fixed, v.Why)
	}
}

// TestBuildOnly: one maker writes the branch as the start and only the build as the end.
func TestBuildOnly(t *testing.T) {
	known := []know.Report{{CVE: "CVE-2099-0005", Source: "cna:Citrix", Claims: []know.Claim{{Vendor: "Citrix", Product: "NetScaler ADC", Default: know.ClaimUnaffected,
		Versions: []know.Range{{Version: "13.1", LessThan: "49.13", Status: know.ClaimAffected}, {Version: "13.0", LessThan: "91.13", Status: know.ClaimAffected}}}}}}
	for version, want := range map[string]ward.Status{"13.1-48.47": ward.Affected, "13.1-49.13": ward.Fixed, "13.0-91.12": ward.Affected, "14.1-8.50": ward.Fixed} {
		if v, _ := match.Evaluate(ward.Software{Vendor: "NetScaler", Product: "ADC", Version: version}, nil, known); v.Status != want {
			t.Errorf("%s: %s: %s", version, v.Status, v.Why)
		}
	}
}

// TestOtherProducts says nothing of what no report is about.
func TestOtherProducts(t *testing.T) {
	known := []know.Report{{CVE: "CVE-2099-0001", Source: "cna:acme", Claims: []know.Claim{{Vendor: "Acme", Product: "Pump", Default: know.ClaimAffected}}}}
	for _, sw := range []ward.Software{{Vendor: "Acme", Product: "Pump Station", Version: "1"}, {Vendor: "Other", Product: "Pump", Version: "1"}, {}} {
		if v, ok := match.Evaluate(sw, nil, known); ok {
			t.Errorf("%s: %s: %s", sw, v.Status, v.Why)
		}
	}
	known[0].Rejected = true
	if v, ok := match.Evaluate(ward.Software{Vendor: "Acme", Product: "Pump", Version: "1"}, nil, known); ok {
		t.Errorf("a withdrawn CVE gave %s", v.Status)
	}
	if _, ok := match.Evaluate(ward.Software{Vendor: "Acme", Product: "Pump", Version: "1"}, nil, []know.Report{{CVE: "CVE-2099-0001", Source: "kev", Claims: known[0].Claims}}); ok {
		t.Error("KEV was taken to state a version")
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add("12.5.0.1", "", "", "affected", "unaffected", "12.5.0.0")
	f.Add("0", "2.5", "", "", "affected", "2.4")
	f.Add("All versions < V4.1.4", "", "", "", "affected", "V4.1.4")
	f.Add("1.0", "", "12.5.x", "unaffected", "affected", "12.5-rc1")
	f.Fuzz(func(t *testing.T, version, less, lessEqual, def, status, installed string) {
		known := []know.Report{
			{CVE: "CVE-2099-0001", Source: "cna:acme", Claims: []know.Claim{{Vendor: "Acme", Product: "Pump", Default: know.ClaimStatus(def),
				Versions: []know.Range{{Version: version, LessThan: less, LessThanOrEqual: lessEqual, Status: know.ClaimStatus(status)}}}}},
			{CVE: "CVE-2099-0001", Source: "nvd", Trees: []know.Node{{Matches: []know.CPEMatch{{CPE: "cpe:2.3:a:acme:pump:*:*:*:*:*:*:*:*", Vulnerable: true, StartIncluding: version, EndExcluding: less, EndIncluding: lessEqual}}}}},
		}
		v, ok := match.Evaluate(ward.Software{Vendor: "Acme", Product: "Pump", Version: installed}, nil, known)
		if !ok {
			t.Fatal("the product was not recognised")
		}
		if v.Why == "" || v.Source == "" || v.Status == "" || v.Basis == "" || v.Confidence == "" {
			t.Fatalf("half a verdict: %+v", v)
		}
		if v.Status == ward.Affected && v.Fixed != "" && know.Usable(installed) && know.Compare(know.SchemeVendor, v.Fixed, installed) <= 0 {
			t.Fatalf("the fix %q of %q is not later", v.Fixed, installed)
		}
	})
}

// A ruling names where to go: the version that it calls fixed, on the branch that is installed.
func TestRulingGivesTheFix(t *testing.T) {
	reports := []know.Report{
		{CVE: "CVE-2025-4428", Source: "cna:ivanti", Claims: []know.Claim{{Vendor: "Ivanti", Product: "Endpoint Manager Mobile",
			Default: know.ClaimAffected, Versions: []know.Range{{Version: "12.5.0.1", Status: know.ClaimUnaffected}}}}},
		{CVE: "CVE-2025-4428", Source: "ruling", Claims: []know.Claim{
			{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Default: know.ClaimUnknown, Versions: []know.Range{
				{Version: "11.12.0.5", Status: know.ClaimUnaffected}, {Version: "12.4.0.2", Status: know.ClaimUnaffected}}},
			{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Default: know.ClaimUnknown, Versions: []know.Range{
				{Version: "11.12.0.4", Status: know.ClaimAffected}}},
		}},
	}
	v, ok := match.Evaluate(ward.Software{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Version: "11.12.0.4"}, nil, reports)
	if !ok || v.Status != ward.Affected || v.Basis != ward.ByRuling || v.Fixed != "11.12.0.5" {
		t.Errorf("%+v", v)
	}
}
