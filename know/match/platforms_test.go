package match_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// onlyBeside is a record by which versions of a reader before 2.5 are affected where the asset runs what the conditions name.
func onlyBeside(id ward.CVE, negate bool, beside ...string) know.Report {
	condition := know.Node{Negate: negate}
	for _, cpe := range beside {
		condition.Matches = append(condition.Matches, know.CPEMatch{CPE: cpe})
	}
	return know.Report{CVE: id, Source: "nvd", Modified: start, Trees: []know.Node{{And: true, Children: []know.Node{
		{Matches: []know.CPEMatch{{CPE: "cpe:2.3:a:harbour:reader:*:*:*:*:*:*:*:*", Vulnerable: true, EndExcluding: "2.5"}}}, condition,
	}}}}
}

const (
	windows  = "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"
	runtime  = "cpe:2.3:a:harbour:runtime:3.1:*:*:*:*:*:*:*"
	weakness = ward.CVE("CVE-2025-9001")
)

// inventory is a list with one line for each "asset vendor/product version".
func inventory(lines ...string) string {
	var b strings.Builder
	b.WriteString("asset,vendor,product,version,class\n")
	for _, line := range lines {
		f := strings.SplitN(line, " ", 3)
		vendor, product, _ := strings.Cut(f[1], "/")
		fmt.Fprintf(&b, "%s,%s,%s,%s,workstation\n", f[0], vendor, strings.ReplaceAll(product, "_", " "), f[2])
	}
	return b.String()
}

// named lists the assets of exposures, and of whom.
func named(all []ward.Exposure) (names []string) {
	for _, e := range all {
		names = append(names, string(e.Org)+" "+e.Asset.Name)
	}
	slices.Sort(names)
	return names
}

func (w *watch) expects(want []string, q match.ExposureQuery) {
	w.Helper()
	if got := named(w.exposures(all, q)); !slices.Equal(got, want) {
		w.Errorf("exposures %+v: got %q, want %q", q, got, want)
	}
}

// TestWhatRunsBesideDecides is one record over the assets of two organisations.
func TestWhatRunsBesideDecides(t *testing.T) {
	for _, row := range []struct {
		name              string
		report            know.Report
		affected, unknown []string
	}{
		{"running on", onlyBeside(weakness, false, windows), []string{"XZ1A win", "XZ9J win"}, []string{"XZ1A bare"}},
		{"running on anything else", onlyBeside(weakness, true, windows), []string{"XZ1A linux"}, []string{"XZ1A bare"}},
		{"beside a version of an application", onlyBeside(weakness, false, runtime), []string{"XZ1A linux"}, []string{"XZ1A bare"}},
		{"either", onlyBeside(weakness, false, windows, runtime), []string{"XZ1A linux", "XZ1A win", "XZ9J win"}, []string{"XZ1A bare"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := open(t)
			w.imports("XZ1A", "edr", inventory("win Harbour/Reader 2.4", "win Microsoft/Windows_10 10.0.19045.5737", "win Quay/Notes 1.0",
				"linux Harbour/Reader 2.4", "linux Canonical/Ubuntu 22.04", "linux Harbour/Runtime 3.1", "bare Harbour/Reader 2.4", "new Harbour/Reader 2.5", "new Microsoft/Windows_10 10.0.19045.5737"), ward.Workstation)
			w.imports("XZ9J", "edr", inventory("win Harbour/Reader 2.4", "win Microsoft/Windows_10 10.0.19045.5011", "win Quay/Notes 1.1"), ward.Workstation)
			w.learns(row.report)
			w.expects(row.affected, match.ExposureQuery{CVE: weakness, Open: true})
			w.expects(row.unknown, match.ExposureQuery{CVE: weakness, Open: true, Status: ward.PlatformUnknown})
			w.expects(nil, match.ExposureQuery{CVE: weakness, Org: "XZ7G", Open: true})

			counts, err := w.Counts(ctx, all, weakness)
			w.must(err)
			total := 0
			for _, c := range counts {
				total += c.Assets
			}
			if total != len(row.affected) {
				t.Errorf("counted %v", counts)
			}
			only := named(w.exposures(ward.Only("XZ9J"), match.ExposureQuery{CVE: weakness, Open: true}))
			if slices.ContainsFunc(only, func(name string) bool { return !strings.HasPrefix(name, "XZ9J") }) {
				t.Errorf("another organisation sees %q", only)
			}
		})
	}
}

// TestWhatRunsBesideChanges follows an asset whose other software changes version, vanishes and comes back.
func TestWhatRunsBesideChanges(t *testing.T) {
	w := open(t)
	reader := "m1 Harbour/Reader 2.4"
	day := func() time.Time { w.clock.Advance(24 * time.Hour); return w.clock.Now() }
	w.imports("XZ1A", "edr", inventory(reader, "m1 Harbour/Runtime 3.0"), ward.Workstation)
	w.clock.Advance(time.Hour)
	w.learns(onlyBeside(weakness, false, runtime))
	w.expects(nil, match.ExposureQuery{CVE: weakness})

	updated := day()
	w.pendingFor(store.ForFindings)
	w.pendingFor(store.ForProof)
	w.imports("XZ1A", "edr", inventory(reader, "m1 Harbour/Runtime 3.1"), ward.Workstation)
	w.expects([]string{"XZ1A m1"}, match.ExposureQuery{CVE: weakness, Open: true})
	if !slices.Contains(w.pendingFor(store.ForFindings), "XZ1A") || !slices.Contains(w.pendingFor(store.ForProof), "XZ1A") {
		t.Error("nobody is told of the other platform")
	}
	about := ward.About{CVEs: []ward.CVE{weakness}, Vendor: "Harbour", Product: "Reader"}
	stands := func(want ward.ExposureState, status ward.Status) {
		t.Helper()
		s, err := w.Standing(ctx, all, about, []ward.OrgID{"XZ1A"})
		w.must(err)
		if s[0].State != want {
			t.Errorf("standing %+v, want %s", s[0], want)
		}
		w.must(w.store.View(ctx, func(tx *store.Tx) error {
			seen, err := w.Evidence(ctx, tx, "XZ1A", about, time.Time{})
			if err == nil && (len(seen) != 1 || seen[0].Status != status) {
				t.Errorf("evidence %+v, want %s", seen, status)
			}
			return err
		}))
	}
	stands(ward.Exposed, ward.Affected)

	removed := day()
	w.imports("XZ1A", "edr", inventory(reader, "m1 Quay/Notes 1.0"), ward.Workstation)
	ended := w.exposures(all, match.ExposureQuery{CVE: weakness})
	if len(ended) != 1 || ended[0].Ended != "platform changed" || !ended[0].FirstSeen.Equal(updated) || !ended[0].LastSeen.Equal(removed) {
		t.Errorf("ended as %+v", ended)
	}
	stands(ward.NotExposed, ward.NotAffected)

	back := day()
	w.imports("XZ1A", "edr", inventory(reader, "m1 Harbour/Runtime 3.1"), ward.Workstation)
	for _, at := range []struct {
		time time.Time
		want []string
	}{
		{updated.Add(-time.Hour), nil}, {updated, []string{"XZ1A m1"}}, {removed.Add(-time.Hour), []string{"XZ1A m1"}},
		{removed, nil}, {back.Add(-time.Hour), nil}, {back, []string{"XZ1A m1"}},
	} {
		w.expects(at.want, match.ExposureQuery{CVE: weakness, AsAt: at.time})
		w.expects(at.want, match.ExposureQuery{CVE: weakness, Org: "XZ1A", Asset: 1, AsAt: at.time})
		w.expects(at.want, match.ExposureQuery{Org: "XZ1A", AsAt: at.time})
	}
	steps, err := w.History(ctx, all, weakness)
	w.must(err)
	var course []int
	for _, s := range steps {
		course = append(course, s.Assets)
	}
	if !slices.Equal(course, []int{1, 0, 1}) {
		t.Errorf("history %+v", steps)
	}

	gone := day()
	other := onlyBeside(weakness, false, windows) // nothing tells of it
	other.Modified = gone
	w.learns(other)
	w.expects(nil, match.ExposureQuery{CVE: weakness, Open: true})
	w.expects([]string{"XZ1A m1"}, match.ExposureQuery{CVE: weakness, Open: true, Status: ward.PlatformUnknown})
	w.expects([]string{"XZ1A m1"}, match.ExposureQuery{CVE: weakness, AsAt: gone.Add(-time.Hour)})
	stands(ward.ExposureUnknown, ward.PlatformUnknown)

	w.pendingFor(store.ForFindings)
	w.must(w.store.Update(ctx, func(tx *store.Tx) error { // as after a crash that lost nothing but the time
		return tx.Mark(ctx, store.ForMatch, w.clock.Now(), "asset:1", "cve:"+string(weakness))
	}))
	w.due()
	for _, subject := range w.pendingFor(store.ForFindings) {
		if subject == "XZ1A" {
			t.Error("an asset that is where it was is told of as moved")
		}
	}
	w.expects([]string{"XZ1A m1"}, match.ExposureQuery{CVE: weakness, AsAt: gone.Add(-time.Hour)})
	w.expects([]string{"XZ1A m1"}, match.ExposureQuery{CVE: weakness, Open: true, Status: ward.PlatformUnknown})
}

// TestFirmwareWaitsForItsDevice holds a firmware that is weak on one model only.
func TestFirmwareWaitsForItsDevice(t *testing.T) {
	w := open(t)
	head := "asset,vendor,product,version,class,cpe\n"
	w.imports("XZ1A", "scan", head+
		"a,Quay,Router OS,4.1,appliance,cpe:2.3:o:quay:router_os:4.1:*:*:*:*:*:*:*\na,Quay,R100,,appliance,cpe:2.3:h:quay:r100:-:*:*:*:*:*:*:*\n"+
		"b,Quay,Router OS,4.1,appliance,cpe:2.3:o:quay:router_os:4.1:*:*:*:*:*:*:*\nb,Quay,R200,,appliance,cpe:2.3:h:quay:r200:-:*:*:*:*:*:*:*\n"+
		"c,Quay,Router OS,4.1,appliance,cpe:2.3:o:quay:router_os:4.1:*:*:*:*:*:*:*\n", ward.Appliance)
	w.learns(know.Report{CVE: weakness, Source: "nvd", Modified: start, Trees: []know.Node{{And: true, Children: []know.Node{
		{Matches: []know.CPEMatch{{CPE: "cpe:2.3:o:quay:router_os:*:*:*:*:*:*:*:*", Vulnerable: true, EndExcluding: "4.2"}}},
		{Matches: []know.CPEMatch{{CPE: "cpe:2.3:h:quay:r100:-:*:*:*:*:*:*:*"}}},
	}}}})
	w.expects([]string{"XZ1A a"}, match.ExposureQuery{CVE: weakness, Open: true})
	w.expects([]string{"XZ1A c"}, match.ExposureQuery{CVE: weakness, Open: true, Status: ward.PlatformUnknown})
}

// TestKeptVerdictsAreAsEvaluated holds what is kept, over made-up estates that change, against the evaluation of each
// identity with all that runs on its asset.
func TestKeptVerdictsAreAsEvaluated(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			w := open(t)
			software := []string{"Harbour/Reader 2.4", "Harbour/Reader 2.5", "Harbour/Runtime 3.1", "Harbour/Runtime 3.0", "Microsoft/Windows_10 10.0.19045.5737",
				"Canonical/Ubuntu 22.04", "Quay/Notes 1.0", "Quay/Viewer 1.0", "Apple/macOS 14.1"}
			cpes := []string{windows, runtime, "cpe:2.3:a:quay:notes:*:*:*:*:*:*:*:*", "cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:*:*:*:*", "cpe:2.3:h:quay:r100:-:*:*:*:*:*:*:*", "cpe:2.3:o:apple:macos:-:*:*:*:*:*:*:*"}
			record := func(n int) []know.Report {
				id := ward.CVE(fmt.Sprintf("CVE-2025-%d", 9100+n))
				var all []know.Report
				report := onlyBeside(id, r.IntN(3) == 0, cpes[r.IntN(len(cpes))], cpes[r.IntN(len(cpes))])
				if r.IntN(3) == 0 { // beyond any version
					report.Trees[0].Children[0].Matches[0].EndExcluding = ""
				}
				if r.IntN(3) == 0 {
					report.Trees = append(report.Trees, onlyBeside(id, false, cpes[r.IntN(len(cpes))]).Trees...)
				}
				all = append(all, report)
				if r.IntN(2) == 0 {
					claim := know.Claim{Vendor: "Harbour", Product: "Reader", Default: []know.ClaimStatus{know.ClaimAffected, know.ClaimUnaffected, ""}[r.IntN(3)]}
					if r.IntN(2) == 0 {
						claim.Platforms = [][]string{{"Windows"}, {"Windows", "Linux"}}[r.IntN(2)]
					}
					if r.IntN(2) == 0 {
						claim.Versions = []know.Range{{Version: "0", LessThan: "2.5", Status: know.ClaimAffected}}
					}
					all = append(all, know.Report{CVE: id, Source: "cna:harbour", Modified: start, Claims: []know.Claim{claim}})
				}
				return all
			}
			known := map[ward.CVE][]know.Report{}
			for range 5 {
				w.clock.Advance(time.Hour)
				for _, n := range r.Perm(8)[:3] {
					reports := record(n)
					for i := range reports {
						reports[i].Modified = w.clock.Now()
					}
					merged := map[string]know.Report{}
					for _, one := range slices.Concat(known[reports[0].CVE], reports) {
						merged[one.Source] = one
					}
					known[reports[0].CVE] = slices.Collect(maps.Values(merged))
					w.learns(reports...)
				}
				for _, org := range []ward.OrgID{"XZ1A", "XZ9J"} {
					for _, source := range []string{"edr", "scan"} {
						var lines []string
						for asset := range 4 {
							for _, n := range r.Perm(len(software))[:1+r.IntN(3)] {
								lines = append(lines, fmt.Sprintf("m%d %s", asset, software[n]))
							}
						}
						w.imports(org, source, inventory(lines...), ward.Workstation)
					}
				}
				w.agrees(known)
			}
		})
	}
}

// agrees compares who is exposed, and who may be, with the evaluation of everything on each asset.
func (w *watch) agrees(known map[ward.CVE][]know.Report) {
	w.Helper()
	for _, org := range []ward.OrgID{"XZ1A", "XZ9J"} {
		page, err := w.register.Assets(ctx, all, estate.AssetQuery{Org: org})
		w.must(err)
		for id, reports := range known {
			want := map[ward.Status][]string{}
			for _, asset := range page.Items {
				installs, err := w.register.Installs(ctx, all, asset.ID)
				w.must(err)
				together := map[ward.SoftwareID]ward.Software{}
				for _, i := range installs {
					if !i.Gone {
						together[i.Software.ID] = i.Software
					}
				}
				for _, sw := range together {
					if v, ok := match.Evaluate(sw, slices.Collect(maps.Values(together)), reports); ok {
						want[v.Status] = append(want[v.Status], fmt.Sprintf("%s %s fixed by %q", asset.Name, sw, v.Fixed))
					}
				}
			}
			for _, status := range []ward.Status{ward.Affected, ward.PlatformUnknown} {
				var got []string
				for _, e := range w.exposures(all, match.ExposureQuery{CVE: id, Org: org, Open: true, Status: status}) {
					got = append(got, fmt.Sprintf("%s %s fixed by %q", e.Asset.Name, e.Software, e.Verdict.Fixed))
				}
				slices.Sort(got)
				slices.Sort(want[status])
				if got = slices.Compact(got); !slices.Equal(got, want[status]) {
					w.Errorf("%s at %s, %s: kept\n\t%q\nevaluated\n\t%q", id, org, status, got, want[status])
				}
			}
		}
	}
}
