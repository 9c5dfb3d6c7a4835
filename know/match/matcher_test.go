package match_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/estate/csv"
	"wardwatch/know/estate/ods"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

var (
	ctx   = context.Background()
	start = time.Date(2025, 5, 13, 8, 0, 0, 0, time.UTC)
	all   = ward.Everything()
)

// watch is the rooms that the match stands between, on one clock.
type watch struct {
	testing.TB
	store    *store.Store
	clock    *ward.HandClock
	register *estate.Register
	library  *intel.Library
	*match.Matcher
}

func open(t testing.TB) *watch {
	t.Helper()
	s, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	clock := ward.NewHandClock(start)
	w := &watch{t, s, clock, estate.New(s, clock, csv.Reader{}), intel.New(s, clock), match.New(s, clock)}
	var d estate.Directory
	w.must(ods.Read("o.csv", strings.NewReader("ods_code,name\nXZ1A,Harrowmere\nXZ6F,Larkmoor\nXZ7G,Dunwater\nXZ9J,Netherby\n"), &d))
	w.must(ods.Read("r.csv", strings.NewReader("from,kind,to,since,until\nXZ6F,operates_for,XZ7G,2023-02-01,\n"), &d))
	_, err = w.register.ImportOrganisations(ctx, ward.System("test"), d)
	w.must(err)
	return w
}

func (w *watch) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// imports delivers an inventory as observed now, and lets the match take it up.
func (w *watch) imports(org ward.OrgID, source, body string, classes ...ward.Class) {
	w.Helper()
	done, err := w.register.Import(ctx, ward.System("test"), estate.Delivery{Org: org, Source: source, Format: "csv", Classes: classes, ObservedAt: w.clock.Now(), Body: strings.NewReader(body)})
	if errors.Is(err, ward.ErrHeld) {
		_, err = w.register.Release(ctx, ward.System("test"), done.ID)
	}
	w.must(err)
	w.due()
}

func (w *watch) learns(reports ...know.Report) {
	w.Helper()
	_, err := w.library.Merge(ctx, "test", w.clock.Now(), reports)
	w.must(err)
	w.due()
}

func (w *watch) due() {
	w.Helper()
	_, err := w.Due(ctx, w.clock.Now())
	w.must(err)
}

func (w *watch) exposures(scope ward.Scope, q match.ExposureQuery) []ward.Exposure {
	w.Helper()
	page, err := w.Exposures(ctx, scope, q)
	w.must(err)
	return page.Items
}

func (w *watch) standing(org ward.OrgID) ward.Standing {
	w.Helper()
	s, err := w.Standing(ctx, all, about, []ward.OrgID{org})
	w.must(err)
	return s[0]
}

func (w *watch) evidence(org ward.OrgID) (seen []ward.Seen) {
	w.Helper()
	w.must(w.store.View(ctx, func(tx *store.Tx) (err error) {
		seen, err = w.Evidence(ctx, tx, org, about, time.Time{})
		return err
	}))
	return seen
}

// pendingFor lists what a room was told of, and clears it.
func (w *watch) pendingFor(room store.Room) (subjects []string) {
	w.Helper()
	w.must(w.store.Update(ctx, func(tx *store.Tx) (err error) {
		if subjects, err = tx.Pending(ctx, room, 100); err != nil {
			return err
		}
		return tx.Done(ctx, room, subjects...)
	}))
	return subjects
}

var about = ward.About{CVEs: []ward.CVE{"CVE-2025-4427", "CVE-2025-4428"}, Vendor: "Ivanti", Product: "Endpoint Manager Mobile"}

func vendorSays(id ward.CVE) know.Report {
	return know.Report{CVE: id, Source: "cna:ivanti", Modified: start, Claims: []know.Claim{{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Default: know.ClaimAffected,
		Versions: []know.Range{{Version: "12.5.0.1", Status: know.ClaimUnaffected}}}}}
}

func nvdSays(id ward.CVE) know.Report {
	return know.Report{CVE: id, Source: "nvd", Modified: start, Trees: []know.Node{{Matches: []know.CPEMatch{
		{CPE: "cpe:2.3:a:ivanti:endpoint_manager_mobile:*:*:*:*:*:*:*:*", Vulnerable: true, StartIncluding: "12.4.0.0", EndExcluding: "12.4.0.2"},
		{CPE: "cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*", Vulnerable: true},
	}}}}
}

func list(version string) string {
	return "asset,vendor,product,version,class\nmdm1,Ivanti,Endpoint Manager Mobile," + version + ",mobile_management\n"
}

func TestFromAdvisoryToExposure(t *testing.T) {
	w := open(t)
	w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
	w.imports("XZ6F", "register", list("12.5.0.1"), ward.MobileManagement)
	w.pendingFor(store.ForFindings)
	w.pendingFor(store.ForProof)
	w.clock.Advance(time.Hour)
	w.learns(vendorSays("CVE-2025-4427"), vendorSays("CVE-2025-4428"))

	found := w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4427", Open: true})
	if len(found) != 1 {
		t.Fatalf("%d exposures, want the one of XZ1A: %+v", len(found), found)
	}
	e := found[0]
	if e.Org != "XZ1A" || e.Asset.Name != "mdm1" || e.Software.Version != "12.5.0.0" || e.Verdict.Fixed != "12.5.0.1" || e.Source != "register" || e.Grade != ward.ToolExport || e.Ended != "" ||
		!e.FirstSeen.Equal(start.Add(time.Hour)) || !slices.Equal(e.Asset.Accountable, []ward.OrgID{"XZ1A"}) || e.Verdict.Why == "" {
		t.Errorf("got %+v", e)
	}
	if got := w.pendingFor(store.ForFindings); !slices.Equal(got, []string{fmt.Sprintf("software:%d", e.Software.ID)}) {
		t.Errorf("findings was told of %q", got)
	}
	if got := w.pendingFor(store.ForProof); !slices.Equal(got, []string{"cve:CVE-2025-4427", "cve:CVE-2025-4428"}) {
		t.Errorf("proof was told of %q", got)
	}
	if counts, err := w.Counts(ctx, all, "CVE-2025-4428"); err != nil || !slices.Equal(counts, []match.OrgCount{{Org: "XZ1A", Assets: 1}}) {
		t.Errorf("counts %v, %v", counts, err)
	}
	w.due()
	if len(w.pendingFor(store.ForFindings)) != 0 {
		t.Error("nothing changed, and findings were told")
	}

	// That it is exploited changes no verdict, and the order of the queue.
	w.learns(know.Report{CVE: "CVE-2025-4427", Source: "cisa-kev", Modified: start, Exploited: &ward.Exploited{Since: start}})
	if got := w.pendingFor(store.ForFindings); len(got) != 1 {
		t.Errorf("findings was told of %q when the weakness was exploited", got)
	}
	if got := w.pendingFor(store.ForProof); len(got) != 0 {
		t.Errorf("proof was told of %q when the weakness was exploited", got)
	}

	// The organisation updates: the exposure ends because another version was seen.
	w.clock.Advance(24 * time.Hour)
	w.imports("XZ1A", "register", list("12.5.0.1"), ward.MobileManagement)
	if open := w.exposures(all, match.ExposureQuery{Org: "XZ1A", Open: true}); len(open) != 0 {
		t.Errorf("still open: %+v", open)
	}
	ended := w.exposures(all, match.ExposureQuery{Org: "XZ1A", CVE: "CVE-2025-4427"})
	if len(ended) != 1 || ended[0].Ended != "version changed" {
		t.Errorf("ended: %+v", ended)
	}
}

func TestExposureAsAt(t *testing.T) {
	w := open(t)
	w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
	w.clock.Advance(time.Hour)
	w.learns(vendorSays("CVE-2025-4427"))
	w.clock.Advance(24 * time.Hour)
	w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
	w.clock.Advance(24 * time.Hour)
	w.imports("XZ1A", "register", "asset,vendor,product,version,class\nother,Acme,Pump,1,mobile_management\n", ward.MobileManagement)
	for _, row := range []struct {
		at   time.Duration
		want int
	}{{30 * time.Minute, 0}, {2 * time.Hour, 1}, {20 * time.Hour, 1}, {72 * time.Hour, 0}} {
		if got := w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4427", AsAt: start.Add(row.at)}); len(got) != row.want {
			t.Errorf("%s after the start: %d exposures, want %d", row.at, len(got), row.want)
		}
	}
	ended := w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4427"})
	if len(ended) != 1 || ended[0].Ended != "no longer seen" || !ended[0].Asset.Gone {
		t.Errorf("what disappears is no longer seen: %+v", ended)
	}
	steps, err := w.History(ctx, all, "CVE-2025-4427")
	if err != nil || len(steps) != 2 || steps[0].Assets != 1 || steps[0].Orgs != 1 || steps[1].Assets != 0 {
		t.Errorf("history %+v, %v", steps, err)
	}
	if s := w.standing("XZ1A"); s.State != ward.ExposureUnknown || !strings.Contains(s.Reason, "no longer listed") {
		t.Errorf("after it disappeared: %s: %s", s.State, s.Reason)
	}
}

// TestVerdictHistory is 24 October: NVD lists ranges, and 12.4.0.2 is affected no more.
func TestVerdictHistory(t *testing.T) {
	w := open(t)
	w.imports("XZ1A", "register", list("12.4.0.2"), ward.MobileManagement)
	w.clock.Advance(time.Hour)
	w.learns(vendorSays("CVE-2025-4428"))
	found := w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4428", Open: true})
	if len(found) != 1 || found[0].Verdict.Basis != ward.ByDefault {
		t.Fatalf("12.4.0.2 by the vendor's record alone: %+v", found)
	}
	w.pendingFor(store.ForProof)
	w.clock.Advance(24 * time.Hour)
	changed := w.clock.Now()
	w.learns(nvdSays("CVE-2025-4428"))
	if got := w.pendingFor(store.ForProof); !slices.Equal(got, []string{"cve:CVE-2025-4428"}) {
		t.Errorf("proof was told of %q", got)
	}
	ended := w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4428"})
	if len(ended) != 1 || ended[0].Ended != "verdict changed" || !ended[0].LastSeen.Equal(changed) {
		t.Errorf("ended: %+v", ended)
	}
	var history []ward.Verdict
	w.must(w.store.View(ctx, func(tx *store.Tx) (err error) {
		history, err = tx.Verdicts(ctx, "CVE-2025-4428", found[0].Software.ID)
		return err
	}))
	if len(history) != 2 || history[0].Status != ward.Affected || !history[0].Until.Equal(changed) || history[1].Status != ward.Fixed || !history[1].Since.Equal(changed) || history[1].Source != "nvd" {
		t.Errorf("history %+v", history)
	}
}

func TestRulingReachesEveryOrganisation(t *testing.T) {
	w := open(t)
	w.imports("XZ1A", "register", list("12.4.0.2"), ward.MobileManagement)
	w.imports("XZ9J", "register", list("12.4.0.2"), ward.MobileManagement)
	w.learns(vendorSays("CVE-2025-4427"), vendorSays("CVE-2025-4428"))
	ruling := ward.Ruling{ID: "r1", CVEs: about.CVEs, Vendor: about.Vendor, Product: about.Product, Versions: []string{"12.4.0.2"}, Status: ward.Fixed, Reason: "The vendor's advisory lists 12.4.0.2.", Name: "A. Analyst", At: w.clock.Now()}
	w.clock.Advance(time.Minute)
	w.must(w.store.Update(ctx, func(tx *store.Tx) error { return w.library.Rule(ctx, tx, ruling) }))
	w.due()
	if open := w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4427", Open: true}); len(open) != 0 {
		t.Errorf("ruled fixed, and still exposed: %+v", open)
	}
	seen := w.evidence("XZ9J")
	if len(seen) != 1 || seen[0].Basis != ward.ByRuling || seen[0].Status == ward.Affected {
		t.Errorf("evidence %+v", seen)
	}
	w.clock.Advance(time.Minute)
	w.must(w.store.Update(ctx, func(tx *store.Tx) error { return w.library.Unrule(ctx, tx, ruling) }))
	w.due()
	if open := w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4427", Open: true}); len(open) != 2 {
		t.Errorf("unruled: %d exposures, want 2", len(open))
	}
}

// TestScope: nothing of another organisation is in any answer.
func TestScope(t *testing.T) {
	w := open(t)
	w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
	w.imports("XZ6F", "register", "asset,vendor,product,version,class,operator\nmdm6,Ivanti,Endpoint Manager Mobile,12.5.0.0,mobile_management,\n", ward.MobileManagement)
	w.learns(vendorSays("CVE-2025-4427"))
	for _, row := range []struct {
		scope ward.Scope
		want  []ward.OrgID
	}{{all, []ward.OrgID{"XZ1A", "XZ6F"}}, {ward.Only("XZ1A"), []ward.OrgID{"XZ1A"}}, {ward.Only("XZ9J"), nil}, {ward.Scope{}, nil}} {
		var orgs, counted []ward.OrgID
		for _, e := range w.exposures(row.scope, match.ExposureQuery{}) {
			orgs = append(orgs, e.Org)
		}
		counts, err := w.Counts(ctx, row.scope, "CVE-2025-4427")
		w.must(err)
		for _, c := range counts {
			counted = append(counted, c.Org)
		}
		slices.Sort(orgs)
		slices.Sort(counted)
		if !slices.Equal(orgs, row.want) || !slices.Equal(counted, row.want) {
			t.Errorf("%v: exposures of %v, counts of %v, want %v", row.scope, orgs, counted, row.want)
		}
		steps, err := w.History(ctx, row.scope, "CVE-2025-4427")
		w.must(err)
		if len(row.want) == 0 && len(steps) != 0 || len(row.want) > 0 && steps[len(steps)-1].Orgs != len(row.want) {
			t.Errorf("%v: history %+v", row.scope, steps)
		}
		for _, org := range []ward.OrgID{"XZ1A", "XZ6F"} {
			_, err := w.Standing(ctx, row.scope, about, []ward.OrgID{org})
			if row.scope.Sees(org) != (err == nil) || err != nil && !errors.Is(err, ward.ErrNotFound) {
				t.Errorf("%v: standing of %s: %v", row.scope, org, err)
			}
			if _, err := w.Exposures(ctx, row.scope, match.ExposureQuery{Org: org}); row.scope.Sees(org) != (err == nil) {
				t.Errorf("%v: exposures of %s: %v", row.scope, org, err)
			}
		}
	}
}

func TestPages(t *testing.T) {
	w := open(t)
	var body strings.Builder
	body.WriteString("asset,vendor,product,version,class\n")
	for i := range 23 {
		fmt.Fprintf(&body, "mdm%02d,Ivanti,Endpoint Manager Mobile,12.%d.0.0,mobile_management\n", i, i%3+3)
	}
	w.imports("XZ1A", "register", body.String(), ward.MobileManagement)
	w.learns(vendorSays("CVE-2025-4427"), vendorSays("CVE-2025-4428"))
	for _, q := range []match.ExposureQuery{{Org: "XZ1A"}, {CVE: "CVE-2025-4427"}, {}, {Vendor: "MobileIron", Product: "Core", Open: true}} {
		want := 46
		if q.CVE != "" {
			want = 23
		}
		seen := map[string]bool{}
		q.Limit = 7
		for {
			page, err := w.Exposures(ctx, all, q)
			w.must(err)
			for _, e := range page.Items {
				seen[e.Asset.Name+" "+string(e.Verdict.CVE)] = true
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if len(seen) != want {
			t.Errorf("%+v: %d exposures over all pages, want %d", q, len(seen), want)
		}
	}
	if _, err := w.Exposures(ctx, all, match.ExposureQuery{After: "nonsense"}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("a cursor that no page gave: %v", err)
	}
}

// TestStanding is who is exposed, who is not, and who is not known, each with its reason.
func TestStanding(t *testing.T) {
	const workstation = "asset,vendor,product,version,class\npc1,7-Zip,7-Zip,23.01,workstation\n"
	person := ward.Actor{Person: "p1", Name: "Jo Lead", Org: "XZ1A", Role: ward.Lead, Scope: ward.Only("XZ1A")}
	declare := func(w *watch, d ward.Declaration) {
		d.Org, d.Vendor, d.Product = "XZ1A", about.Vendor, about.Product
		_, err := w.register.Declare(ctx, person, d)
		w.must(err)
		w.due()
	}
	const days = 24 * time.Hour
	for _, row := range []struct {
		name   string
		do     func(w *watch)
		state  ward.ExposureState
		grade  ward.Grade
		reason string
	}{
		{"nothing", func(*watch) {}, ward.ExposureUnknown, "", "No source covers mobile management."},
		{"fresh workstations only", func(w *watch) { w.imports("XZ1A", "defender", workstation, ward.Workstation) }, ward.ExposureUnknown, "", "No source covers mobile management."},
		{"affected", func(w *watch) { w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement) }, ward.Exposed, ward.ToolExport,
			"Ivanti Endpoint Manager Mobile 12.5.0.0 on 1 asset by register, observed on 13 May 2025."},
		{"affected, old", func(w *watch) {
			w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
			w.clock.Advance(31 * days)
		}, ward.Exposed, ward.ToolExport, "more than 30 days ago"},
		{"covered and absent", func(w *watch) {
			w.imports("XZ1A", "register", "asset,vendor,product,version,class\nmdm,Acme,Other,1,mobile_management\n", ward.MobileManagement)
		}, ward.NotExposed, ward.ToolExport, "Register (observed on 13 May 2025) covers mobile management and lists no Ivanti Endpoint Manager Mobile."},
		{"covered and fixed", func(w *watch) { w.imports("XZ1A", "register", list("12.5.0.1"), ward.MobileManagement) }, ward.NotExposed, ward.ToolExport,
			"lists Ivanti Endpoint Manager Mobile 12.5.0.1 only, which is fixed or not affected"},
		{"covered, stale", func(w *watch) {
			w.imports("XZ1A", "register", list("12.5.0.1"), ward.MobileManagement)
			w.clock.Advance(31 * days)
		}, ward.ExposureUnknown, ward.ToolExport, "Mobile management was last covered by register on 13 May 2025, more than 30 days ago."},
		{"no version", func(w *watch) { w.imports("XZ1A", "register", list(""), ward.MobileManagement) }, ward.ExposureUnknown, ward.ToolExport, "its version is not known"},
		{"vanished", func(w *watch) {
			w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
			w.clock.Advance(days)
			w.imports("XZ1A", "register", "asset,vendor,product,version,class\nmdm9,Acme,Other,1,mobile_management\n", ward.MobileManagement)
		}, ward.ExposureUnknown, "", "no longer listed"},
		{"removed from a machine that is still listed", func(w *watch) {
			w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
			w.clock.Advance(days)
			w.imports("XZ1A", "register", "asset,vendor,product,version,class\nmdm1,Acme,Other,1,mobile_management\n", ward.MobileManagement)
		}, ward.NotExposed, ward.ToolExport, "lists no Ivanti Endpoint Manager Mobile"},
		{"declared no", func(w *watch) { declare(w, ward.Declaration{Answer: ward.NotRun}) }, ward.NotExposed, ward.SelfDeclared,
			"Jo Lead declared on 13 May 2025 that the organisation does not run Ivanti Endpoint Manager Mobile (self-declared, until 11 August 2025)."},
		{"declared no, expired", func(w *watch) {
			declare(w, ward.Declaration{Answer: ward.NotRun})
			w.clock.Advance(91 * days)
		}, ward.ExposureUnknown, "", "A declaration of 13 May 2025 has expired."},
		{"declared no against what is listed", func(w *watch) {
			w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
			declare(w, ward.Declaration{Answer: ward.NotRun})
		}, ward.Exposed, ward.ToolExport, "12.5.0.0 on 1 asset"},
		{"declared yes, affected", func(w *watch) { declare(w, ward.Declaration{Answer: ward.RunsIt, Version: "12.4.0.1"}) }, ward.Exposed, ward.SelfDeclared, "12.4.0.1 on 1 asset by declaration"},
		{"declared yes, expired", func(w *watch) {
			declare(w, ward.Declaration{Answer: ward.RunsIt, Version: "12.4.0.1"})
			w.clock.Advance(91 * days)
		}, ward.ExposureUnknown, "", "No source covers mobile management. A declaration of 13 May 2025 has expired."},
		{"declared yes, fixed", func(w *watch) { declare(w, ward.Declaration{Answer: ward.RunsIt, Version: "12.5.0.1"}) }, ward.NotExposed, ward.SelfDeclared, "which is fixed or not affected"},
		{"declared yes, then no", func(w *watch) {
			declare(w, ward.Declaration{Answer: ward.RunsIt, Version: "12.4.0.1"})
			w.clock.Advance(days)
			declare(w, ward.Declaration{Answer: ward.NotRun})
		}, ward.NotExposed, ward.SelfDeclared, "does not run"},
		{"declared hosted", func(w *watch) { declare(w, ward.Declaration{Answer: ward.HostedBy, Host: "XZ6F"}) }, ward.ExposureUnknown, ward.SelfDeclared,
			"is hosted by XZ6F: the host has to say whether it is affected."},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := open(t)
			w.learns(vendorSays("CVE-2025-4427"), vendorSays("CVE-2025-4428"))
			row.do(w)
			s := w.standing("XZ1A")
			if s.State != row.state || s.Grade != row.grade || !strings.Contains(s.Reason, row.reason) {
				t.Errorf("got %s, %q: %s", s.State, s.Grade, s.Reason)
			}
			if s.State == ward.Exposed && s.Assets != 1 || s.State != ward.Exposed && s.Assets != 0 {
				t.Errorf("%d assets", s.Assets)
			}
		})
	}
}

// TestEvidence is what a claim is held against.
func TestEvidence(t *testing.T) {
	w := open(t)
	w.learns(vendorSays("CVE-2025-4427"), nvdSays("CVE-2025-4428"), vendorSays("CVE-2025-4428"))
	w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
	w.imports("XZ1A", "scanner", list("12.4.0.2"), ward.MobileManagement)
	seen := w.evidence("XZ1A")
	if len(seen) != 2 {
		t.Fatalf("%d sightings, want one for each source: %+v", len(seen), seen)
	}
	for _, s := range seen {
		strong := s.Source == "register"
		if s.Status != ward.Affected || (s.Basis == ward.ByVersion) != strong || !s.ObservedAt.Equal(start) || s.Gone || s.Name != "mdm1" || s.Why == "" {
			t.Errorf("%s: %+v", s.Source, s)
		}
	}
	w.clock.Advance(time.Hour)
	w.imports("XZ1A", "register", list("12.5.0.1"), ward.MobileManagement)
	w.imports("XZ1A", "scanner", "asset,vendor,product,version,class\nother,Acme,Pump,1,mobile_management\n", ward.MobileManagement)
	for _, s := range w.evidence("XZ1A") {
		switch s.Source {
		case "register":
			if s.Status != ward.Fixed || s.Gone || !s.ObservedAt.Equal(start.Add(time.Hour)) || s.Version != "12.5.0.1" {
				t.Errorf("updated: %+v", s)
			}
		case "scanner":
			if !s.Gone || s.Status != ward.Affected || !s.ObservedAt.Equal(start) {
				t.Errorf("no longer listed: %+v", s)
			}
		}
	}
	if other := w.evidence("XZ9J"); len(other) != 0 {
		t.Errorf("evidence of another organisation: %+v", other)
	}
}

func TestClassesOf(t *testing.T) {
	w := open(t)
	for product, want := range map[string][]ward.Class{"Core": {ward.MobileManagement}, "Connect Secure": {ward.Appliance}} {
		if got, err := w.ClassesOf(ctx, "Ivanti", product); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", product, got, err)
		}
	}
	if got, _ := w.ClassesOf(ctx, "Acme", "Pump"); len(got) != 0 {
		t.Errorf("never seen: %v", got)
	}
	w.imports("XZ1A", "devices", "asset,vendor,product,version,class\npump1,Acme,Pump,1,medical_device\n", ward.MedicalDevice)
	if got, _ := w.ClassesOf(ctx, "Acme", "Pump"); !slices.Equal(got, []ward.Class{ward.MedicalDevice}) {
		t.Errorf("seen on a medical device: %v", got)
	}
}

// TestRealRecordsThroughTheStore plays May and October 2025 with the publishers' own records.
func TestRealRecordsThroughTheStore(t *testing.T) {
	dir := shared.File(t, "data", "vuln", "cve5", "ivanti-epmm-2025-05")
	w := open(t)
	for org, version := range map[ward.OrgID]string{"XZ1A": "12.5.0.0", "XZ6F": "12.4.0.2", "XZ7G": "12.6.0.0", "XZ9J": "11.12.0.4"} {
		w.imports(org, "register", list(version), ward.MobileManagement)
	}
	exposed := func() (orgs []ward.OrgID) {
		for _, e := range w.exposures(all, match.ExposureQuery{CVE: "CVE-2025-4428", Open: true}) {
			orgs = append(orgs, e.Org)
		}
		slices.Sort(orgs)
		return orgs
	}
	w.learns(reports(t, "CVE-2025-4428", filepath.Join(dir, "CVE-2025-4428.cve5.1.json"), filepath.Join(dir, "CVE-2025-4428.nvd2.awaiting-analysis-2025-05-13.json"))...)
	if got := exposed(); !slices.Equal(got, []ward.OrgID{"XZ1A", "XZ6F", "XZ9J"}) {
		t.Errorf("in May: %v", got)
	}
	w.clock.Advance(164 * 24 * time.Hour)
	w.learns(reports(t, "CVE-2025-4428", filepath.Join(dir, "CVE-2025-4428.nvd2.analyzed-2025-10-24.json"))...)
	if got := exposed(); !slices.Equal(got, []ward.OrgID{"XZ1A", "XZ9J"}) {
		t.Errorf("in October: %v", got)
	}
}
