package intel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/know/intel"
	"wardwatch/ward"
)

var now = time.Date(2025, 5, 20, 8, 0, 0, 0, time.UTC)

func newLibrary(t testing.TB) (*intel.Library, *store.Store) {
	t.Helper()
	s, err := store.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return intel.New(s, ward.NewHandClock(now)), s
}

// pending takes what waits for match.
func pending(t *testing.T, s *store.Store) (subjects []string) {
	t.Helper()
	ctx := context.Background()
	err := s.Update(ctx, func(tx *store.Tx) (err error) {
		if subjects, err = tx.Pending(ctx, store.ForMatch, 100); err != nil {
			return err
		}
		return tx.Done(ctx, store.ForMatch, subjects...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return subjects
}

func day(d int) time.Time { return time.Date(2025, 5, d, 0, 0, 0, 0, time.UTC) }

func cna(modified time.Time, fixed string) know.Report {
	return know.Report{CVE: "CVE-2025-4427", Source: "cna:ivanti", Published: day(13), Modified: modified,
		Title: "Authentication Bypass", Description: "In the words of the vendor.",
		Claims: []know.Claim{{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Default: know.ClaimAffected,
			Versions: []know.Range{{Version: fixed, Status: know.ClaimUnaffected}}}},
		CVSS:       []ward.CVSS{{Provenance: ward.Provenance{Source: "cna:ivanti", At: modified}, Version: "3.1", Score: 5.3, Vector: "V"}},
		References: []string{"https://vendor.example/a"}}
}

func nvd(modified time.Time) know.Report {
	return know.Report{CVE: "CVE-2025-4427", Source: "nvd", Published: day(14), Modified: modified, Description: "In the words of the database.",
		CVSS: []ward.CVSS{{Provenance: ward.Provenance{Source: "nvd, quoting x"}, Version: "3.1", Score: 5.3, Vector: "V"},
			{Provenance: ward.Provenance{Source: "nvd"}, Version: "4.0", Score: 8.7, Vector: "V4"}},
		References: []string{"https://vendor.example/a", "https://other.example/"}}
}

func merge(t *testing.T, l *intel.Library, want int, reports ...know.Report) {
	t.Helper()
	changed, err := l.Merge(context.Background(), "test", now, reports)
	if err != nil || changed != want {
		t.Errorf("%d changed, %v; want %d", changed, err, want)
	}
}

func TestMergeKeepsEachSourcesNewestWord(t *testing.T) {
	ctx := context.Background()
	l, s := newLibrary(t)
	merge(t, l, 2, cna(day(13), "12.5.0.1"), nvd(day(14)))
	if got := pending(t, s); !slices.Equal(got, []string{"cve:CVE-2025-4427"}) {
		t.Errorf("left to match: %q", got)
	}
	merge(t, l, 0, cna(day(13), "12.5.0.1"), nvd(day(14))) // the same again
	merge(t, l, 0, cna(day(12), "12.6"))                   // older
	if got := pending(t, s); len(got) != 0 {
		t.Errorf("left to match for nothing: %q", got)
	}
	merge(t, l, 1, cna(day(15), "12.4.0.2"), cna(day(14), "0")) // newer, and an older one behind it
	reports, err := l.Reports(ctx, "CVE-2025-4427")
	if err != nil || len(reports) != 2 || reports[0].Claims[0].Versions[0].Version != "12.4.0.2" {
		t.Errorf("%+v, %v", reports, err)
	}
	if got := pending(t, s); len(got) != 1 {
		t.Errorf("left to match: %q", got)
	}
}

func TestMergedForReading(t *testing.T) {
	ctx := context.Background()
	l, s := newLibrary(t)
	kev := know.Report{CVE: "CVE-2025-4427", Source: "kev", Title: "Ivanti EPMM Authentication Bypass", Exploited: &ward.Exploited{
		Provenance: ward.Provenance{Source: "kev", At: day(19)}, Since: day(19), Ransomware: true}}
	adp := know.Report{CVE: "CVE-2025-4427", Source: "adp:CISA-ADP", Modified: day(20),
		SSVC:      &ward.SSVC{Provenance: ward.Provenance{Source: "adp:CISA-ADP", At: day(18)}, Exploitation: "active"},
		Exploited: &ward.Exploited{Provenance: ward.Provenance{Source: "adp:CISA-ADP", At: day(18)}, Since: day(18)}}
	old := know.Report{CVE: "CVE-2025-4427", Source: "adp:Other", SSVC: &ward.SSVC{Provenance: ward.Provenance{At: day(1)}, Exploitation: "none"}}
	score := know.Report{CVE: "CVE-2025-4427", Source: "epss", EPSS: &ward.EPSS{Provenance: ward.Provenance{Source: "epss", At: day(19)}, Score: 0.9, Percentile: 0.99}}
	merge(t, l, 6, nvd(day(14)), adp, old, kev, cna(day(13), "12.5.0.1"), score)
	pending(t, s)
	v, err := l.Vulnerability(ctx, "CVE-2025-4427")
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case v.Title != "Authentication Bypass", v.Description != "In the words of the vendor.":
		t.Errorf("%q, %q", v.Title, v.Description)
	case !v.Published.Equal(day(13)), !v.Modified.Equal(day(20)):
		t.Errorf("published %s, modified %s", v.Published, v.Modified)
	case v.Exploited.Source != "kev" || !v.Exploited.Ransomware:
		t.Errorf("%+v", v.Exploited)
	case v.SSVC.Exploitation != "active":
		t.Errorf("%+v", v.SSVC)
	case v.EPSS.Score != 0.9 || !v.EPSS.At.Equal(day(19)) || v.EPSS.Source != "epss":
		t.Errorf("%+v", v.EPSS)
	case len(v.CVSS) != 2 || v.CVSS[0].Version != "4.0" || v.CVSS[1].Source != "cna:ivanti":
		t.Errorf("%+v", v.CVSS)
	case len(v.References) != 2:
		t.Errorf("%q", v.References)
	}
	// A new score alone changes what is read and leaves nothing to match.
	next := score
	next.EPSS = &ward.EPSS{Provenance: ward.Provenance{Source: "epss", At: day(20)}, Score: 0.95, Percentile: 0.99}
	merge(t, l, 1, next)
	merge(t, l, 0, score)
	if v, err = l.Vulnerability(ctx, "CVE-2025-4427"); err != nil || v.EPSS.Score != 0.95 || len(pending(t, s)) != 0 {
		t.Errorf("%+v, %v", v.EPSS, err)
	}
	// What the catalogue drops is no longer said; the others' word stands.
	if n, err := l.Retain(ctx, "kev", map[ward.CVE]bool{}); n != 1 || err != nil {
		t.Errorf("%d withdrawn, %v", n, err)
	}
	if v, err = l.Vulnerability(ctx, "CVE-2025-4427"); err != nil || v.Exploited.Source != "adp:CISA-ADP" || len(pending(t, s)) != 1 {
		t.Errorf("%+v, %v", v.Exploited, err)
	}
}

func TestScoreAloneIsKnown(t *testing.T) {
	l, _ := newLibrary(t)
	merge(t, l, 1, know.Report{CVE: "CVE-1999-0001", Source: "epss", EPSS: &ward.EPSS{Score: 0.1, Percentile: 0.2}})
	if v, err := l.Vulnerability(context.Background(), "CVE-1999-0001"); err != nil || v.ID != "CVE-1999-0001" || v.EPSS.Score != 0.1 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := l.Vulnerability(context.Background(), "CVE-1999-0002"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestFaultOneReportCostsOnlyItself(t *testing.T) {
	l, _ := newLibrary(t)
	bad := nvd(day(14))
	bad.CVE, bad.CVSS = "CVE-2025-6666", []ward.CVSS{{Score: math.NaN()}}
	changed, err := l.Merge(context.Background(), "test", now, []know.Report{cna(day(13), "1"), bad, {Source: "nvd"}, nvd(day(14))})
	if changed != 2 || !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("%d changed, %v", changed, err)
	}
}

func TestSearch(t *testing.T) {
	ctx := context.Background()
	l, _ := newLibrary(t)
	var reports []know.Report
	for i := range 120 {
		reports = append(reports, know.Report{CVE: ward.CVE(fmt.Sprintf("CVE-2024-%d", 10000+i)), Source: "nvd", Published: day(1).Add(time.Duration(i/2) * time.Hour),
			Title: fmt.Sprintf("Weakness_%d of 100%%", i), Trees: []know.Node{{Matches: []know.CPEMatch{{CPE: "cpe:2.3:o:acme:infusion_pump:1:*:*:*:*:*:*:*", Vulnerable: true}}}}})
	}
	reports[7].Exploited = &ward.Exploited{Since: day(1)}
	merge(t, l, 120, reports...)
	for _, row := range []struct {
		q    intel.Query
		want int
	}{
		{intel.Query{Text: "ACME pump"}, 120}, {intel.Query{Text: "acme drill"}, 0}, {intel.Query{Text: "cve-2024-10003"}, 1},
		{intel.Query{Text: "weakness_3 "}, 11}, {intel.Query{Text: "100%"}, 120}, {intel.Query{Text: "100_"}, 0}, {intel.Query{Exploited: true}, 1},
		{intel.Query{Text: "pump", Exploited: true}, 1}, {intel.Query{}, 120}, {intel.Query{Text: `'; DROP TABLE reports; --`}, 0},
	} {
		var got []ward.CVE
		q := row.q
		q.Limit = 50
		for {
			page, err := l.Search(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Items {
				got = append(got, v.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		distinct := slices.Compact(slices.Sorted(slices.Values(got)))
		if len(got) != row.want || len(distinct) != row.want {
			t.Errorf("%+v finds %d, %d distinct, want %d", row.q, len(got), len(distinct), row.want)
		}
	}
	if _, err := l.Search(ctx, intel.Query{After: "x"}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

func TestRulingIsAReportUntilItIsUndone(t *testing.T) {
	ctx := context.Background()
	l, s := newLibrary(t)
	merge(t, l, 1, cna(day(13), "12.5.0.1"))
	pending(t, s)
	ruling := ward.Ruling{ID: "r1", CVEs: []ward.CVE{"CVE-2025-4427"}, Vendor: "Ivanti", Product: "Endpoint Manager Mobile",
		Versions: []string{"12.4.0.2"}, Status: ward.Fixed, Reason: "The vendor's update of 13 May.", Name: "A. Analyst", At: day(15)}
	act := func(do func(context.Context, *store.Tx, ward.Ruling) error, r ward.Ruling) {
		t.Helper()
		if err := s.Update(ctx, func(tx *store.Tx) error { return do(ctx, tx, r) }); err != nil {
			t.Fatal(err)
		}
		if got := pending(t, s); len(got) != 1 {
			t.Errorf("left to match: %q", got)
		}
	}
	ruled := func() *know.Report {
		t.Helper()
		reports, err := l.Reports(ctx, "CVE-2025-4427")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reports {
			if r.Source == intel.Ruling {
				return &r
			}
		}
		return nil
	}
	act(l.Rule, ruling)
	second := ruling
	second.ID, second.Versions, second.Status, second.At = "r2", []string{"12.3.0.1"}, ward.Affected, day(16)
	act(l.Rule, second)
	got := ruled()
	if got == nil || len(got.Claims) != 2 || !reflect.DeepEqual(got.Claims[0].Versions, []know.Range{{Version: "12.3.0.1", Status: know.ClaimAffected}}) ||
		!reflect.DeepEqual(got.Claims[1].Versions, []know.Range{{Version: "12.4.0.2", Status: know.ClaimUnaffected}}) || got.Description != ruling.Reason {
		t.Errorf("%+v", got)
	}
	if v, err := l.Vulnerability(ctx, "CVE-2025-4427"); err != nil || v.Title != "Authentication Bypass" {
		t.Errorf("a ruling is read as a fact: %+v, %v", v, err)
	}
	act(l.Unrule, second)
	act(l.Unrule, ruling)
	if got := ruled(); got != nil {
		t.Errorf("%+v", got)
	}
	all, err := l.Rulings(ctx, "CVE-2025-4427")
	if err != nil || len(all) != 2 || all[0].Undone.IsZero() || all[0].Reason != ruling.Reason || !slices.Equal(all[0].Versions, ruling.Versions) {
		t.Errorf("%+v, %v", all, err)
	}
	for name, spoil := range map[string]func(*ward.Ruling){
		"no weakness": func(r *ward.Ruling) { r.CVEs = nil }, "no product": func(r *ward.Ruling) { r.Product = " " },
		"no version": func(r *ward.Ruling) { r.Versions = nil }, "no decision": func(r *ward.Ruling) { r.Status = ward.VersionUnknown },
	} {
		bad := ruling
		bad.ID = name
		spoil(&bad)
		if err := s.Update(ctx, func(tx *store.Tx) error { return l.Rule(ctx, tx, bad) }); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithdrawnByItsPublisher(t *testing.T) {
	rejected := func(source string, is bool) know.Report {
		return know.Report{CVE: "CVE-2025-1", Source: source, Rejected: is}
	}
	for _, row := range []struct {
		reports []know.Report
		want    bool
	}{
		{[]know.Report{rejected("nvd", true)}, true},
		{[]know.Report{rejected("nvd", true), rejected("cna:x", false)}, false},
		{[]know.Report{rejected("nvd", false), rejected("cna:x", true)}, true},
		{[]know.Report{rejected("kev", false)}, false},
	} {
		if got := intel.Merged(row.reports).Rejected; got != row.want {
			t.Errorf("%+v: %t", row.reports, got)
		}
	}
}

func TestTitleFromTheDescription(t *testing.T) {
	for description, want := range map[string]string{
		"A pump answers anybody. It should not.": "A pump answers anybody",
		"One line\nand another":                  "One line",
		"":                                       "",
	} {
		if got := intel.Merged([]know.Report{{Source: "nvd", Description: description}}).Title; got != want {
			t.Errorf("%q: %q", description, got)
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	l, _ := newLibrary(b)
	n := 0
	for b.Loop() {
		reports := make([]know.Report, 2000)
		for i := range reports {
			reports[i] = cna(day(13), "12.5.0.1")
			reports[i].CVE = ward.CVE(fmt.Sprintf("CVE-2025-%d", 10000+n))
			n++
		}
		if _, err := l.Merge(context.Background(), "bench", now, reports); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "reports/s")
}

// A coordinator's "active" is exploitation until the catalogue says it in its own words.
func TestActiveExploitationCountsBeforeTheCatalogueListsIt(t *testing.T) {
	ssvc := know.Report{CVE: "CVE-2025-4427", Source: "adp:CISA-ADP", SSVC: &ward.SSVC{
		Provenance: ward.Provenance{Source: "adp:CISA-ADP", At: day(13)}, Exploitation: "active", Automatable: "yes", Impact: "total"}}
	kev := know.Report{CVE: "CVE-2025-4427", Source: "kev", Exploited: &ward.Exploited{Provenance: ward.Provenance{Source: "kev", At: day(19)}, Since: day(19)}}
	if v := intel.Merged([]know.Report{ssvc}); v.Exploited == nil || v.Exploited.Source != "adp:CISA-ADP" || !v.Exploited.Since.Equal(day(13)) {
		t.Errorf("assessed as active: %+v", v.Exploited)
	}
	if v := intel.Merged([]know.Report{ssvc, kev}); v.Exploited == nil || v.Exploited.Source != "kev" {
		t.Errorf("and listed: %+v", v.Exploited)
	}
	ssvc.SSVC.Exploitation = "poc"
	if v := intel.Merged([]know.Report{ssvc}); v.Exploited != nil {
		t.Errorf("proof of concept only: %+v", v.Exploited)
	}
}

// TestANewerEditionTakesBackWhatItNoLongerSays: what an advisory or VEX drops is not said any more, whichever edition is read
// first, and what others say stands.
func TestANewerEditionTakesBackWhatItNoLongerSays(t *testing.T) {
	ctx := context.Background()
	said := func(cve ward.CVE, at int, rest ...ward.CVE) know.Report {
		r := know.Report{CVE: cve, Source: "vex:Maker, VEX-1", Modified: day(at), Claims: []know.Claim{{Vendor: "Maker", Product: "Pump", Default: know.ClaimUnaffected}}}
		r.Edition = &know.Edition{Sources: []string{"advisory:Maker, VEX-1", "vex:Maker, VEX-1"}, At: day(at), CVEs: append(rest, cve)}
		return r
	}
	first := []know.Report{said("CVE-2025-10001", 1, "CVE-2025-10002"), {CVE: "CVE-2025-10002", Source: "vex:Maker, VEX-1", Modified: day(1), Claims: said("x", 1).Claims}}
	second := []know.Report{said("CVE-2025-10001", 2)}
	withdrawn := []know.Report{{Source: "advisory:Maker, VEX-1", Modified: day(3), Edition: &know.Edition{Sources: []string{"advisory:Maker, VEX-1", "vex:Maker, VEX-1"}, At: day(3)}}}
	for name, row := range map[string]struct {
		editions [][]know.Report
		stands   []ward.CVE
	}{
		"in order":               {[][]know.Report{first, second}, []ward.CVE{"CVE-2025-10001"}},
		"the older one again":    {[][]know.Report{first, second, first}, []ward.CVE{"CVE-2025-10001"}},
		"both at once":           {[][]know.Report{append(slices.Clone(first), second...)}, []ward.CVE{"CVE-2025-10001"}},
		"withdrawn":              {[][]know.Report{first, second, withdrawn}, nil},
		"withdrawn, then an old": {[][]know.Report{first, withdrawn, second, first}, nil},
		"withdrawn alone":        {[][]know.Report{withdrawn}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := newLibrary(t)
			merge(t, l, 1, know.Report{CVE: "CVE-2025-10002", Source: "nvd", Modified: day(1), Title: "stands"})
			for _, edition := range row.editions {
				if _, err := l.Merge(ctx, "csaf", now, edition); err != nil {
					t.Fatal(err)
				}
			}
			var stands []ward.CVE
			for _, cve := range []ward.CVE{"CVE-2025-10001", "CVE-2025-10002"} {
				reports, err := l.Reports(ctx, cve)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range reports {
					if r.Source == "vex:Maker, VEX-1" && !r.Rejected && len(r.Claims) > 0 {
						stands = append(stands, cve)
					}
				}
			}
			if !slices.Equal(stands, row.stands) {
				t.Errorf("%q stand, want %q", stands, row.stands)
			}
			if reports, err := l.Reports(ctx, "CVE-2025-10002"); err != nil || !slices.ContainsFunc(reports, func(r know.Report) bool { return r.Source == "nvd" }) {
				t.Errorf("another's word is gone: %+v, %v", reports, err)
			}
		})
	}
}
