package estate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know/estate"
	"wardwatch/know/estate/nessus"
	"wardwatch/ward"
)

// tell imports, at the hour, an inventory whose columns are named.
func (h *house) tell(org ward.OrgID, source string, hour int, header string, rows ...string) ward.Import {
	h.Helper()
	at := start.Add(time.Duration(hour) * time.Hour)
	h.clock.Set(at.Add(time.Minute))
	done, err := h.Import(ctx, person(ward.Lead, org), delivery(org, source, header+"\n"+strings.Join(rows, "\n")+"\n", at))
	h.must(err)
	return done
}

func (h *house) merges(scope ward.Scope) (all []ward.Merge) {
	h.Helper()
	page, err := h.Merges(ctx, scope, estate.MergeQuery{})
	h.must(err)
	return page.Items
}

const marks = "asset,serial_number,mac,fqdn,asset_tag,entra_device_id,product,version"

// TestRules holds the stated rules against pairs of devices that two tools list.
func TestRules(t *testing.T) {
	for _, row := range []struct {
		name, one, two string
		rule           ward.MergeRule
		state          ward.MergeState
	}{
		{"the same serial number", "a,PF3X0001", "b,pf3x0001", ward.ByStrongID, ward.MergeActive},
		{"a maker's placeholder", "a,To Be Filled By O.E.M.", "b,To Be Filled By O.E.M.", "", ""},
		{"a serial number of noughts", "a,0000000", "b,0000000", "", ""},
		{"the same domain name", "ws-1.trust.example,", "other,,,WS-1.trust.example", ward.ByStrongID, ward.MergeActive},
		{"the same Entra device", "a,,,,,7a0c1d7e-0000-4000-8000-0000000000a1", "b,,,,,7A0C1D7E-0000-4000-8000-0000000000A1", ward.ByStrongID, ward.MergeActive},
		{"host name alone", "ws-1.trust.example,", "WS-1,", ward.ByOneMark, ward.MergeProposed},
		{"host name in two domains", "ws-1.trust.example,", "ws-1.other.example,", "", ""},
		{"a network card alone", "a,,00:00:5e:00:53:01", "b,,0000.5e00.5301", ward.ByOneMark, ward.MergeProposed},
		{"a network card made up by software", "a,,02:00:5e:00:53:01", "b,,02:00:5e:00:53:01", "", ""},
		{"an asset tag alone", "a,,,,T1001", "b,,,,t1001", ward.ByOneMark, ward.MergeProposed},
		{"host name and network card", "ws-1.trust.example,,00:00:5e:00:53:01", "ws-1,,00-00-5E-00-53-01", ward.ByTwoMarks, ward.MergeActive},
		{"host name and another serial number", "ws-1.trust.example,PF3X0001", "ws-1,PF3X0002", "", ""},
		{"domain name and another serial number", "a,PF3X0001,,ws-1.trust.example", "b,PF3X0002,,ws-1.trust.example", "", ""},
		{"Entra device and another serial number", "a,PF3X0001,,,,7a0c1d7e-0000-4000-8000-0000000000a1", "b,PF3X0002,,,,7a0c1d7e-0000-4000-8000-0000000000a1", ward.ByConflict, ward.MergeProposed},
		{"nothing", "a,PF3X0001", "b,PF3X0002", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := open(t)
			h.tell("XZ1A", "one", 0, marks, row.one)
			h.tell("XZ1A", "two", 1, marks, row.two)
			all := h.merges(ward.Only("XZ1A"))
			want := 2
			if row.state == ward.MergeActive {
				want = 1
			}
			if row.rule == "" && len(all) != 0 || row.rule != "" && (len(all) != 1 || all[0].Rule != row.rule || all[0].State != row.state || all[0].Why == "") {
				t.Errorf("%+v", all)
			}
			if count, err := h.CountAssets(ctx, ward.Only("XZ1A")); err != nil || count != want {
				t.Errorf("counted %d, %v", count, err)
			}
		})
	}
}

func TestAMarkThatOneSourceGivesTwiceTellsNothing(t *testing.T) {
	h := open(t)
	h.tell("XZ1A", "one", 0, marks, "a,PF3X0001", "b,PF3X0001")
	h.tell("XZ1A", "two", 1, marks, "c,PF3X0001")
	if all := h.merges(ward.Everything()); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestAnotherOrganisationsDeviceIsNeverMerged(t *testing.T) {
	h := open(t)
	h.tell("XZ1A", "one", 0, marks, "a,PF3X0001")
	h.tell("XZ7G", "one", 1, marks, "a,PF3X0001")
	h.tell("XZ6F", "one", 2, marks, "mdm,PF3X0002")
	h.tell("XZ7G", "edge", 3, "asset,operator,serial_number", "hosted,XZ6F,PF3X0002") // of its operator's device: the operator is asked, and nobody else
	if all := h.merges(ward.Everything()); len(all) != 1 || all[0].State != ward.MergeProposed || all[0].Operator != "XZ6F" {
		t.Fatalf("%+v", all)
	}
	if all := h.merges(ward.Only("XZ7G")); len(all) != 0 {
		t.Errorf("the client learns of its operator's device: %+v", all)
	}
	if all := h.merges(ward.Only("XZ6F")); len(all) != 1 {
		t.Errorf("%+v", all)
	}
}

// story is what every source saw of every asset, in words, as a scope is shown it.
func (h *house) story(scope ward.Scope) string {
	h.Helper()
	var all []string
	for _, gone := range []bool{false, true} {
		for _, asset := range h.assets(scope, estate.AssetQuery{Gone: gone}) {
			installs, err := h.Installs(ctx, scope, asset.ID)
			h.must(err)
			for _, i := range installs {
				all = append(all, fmt.Sprintf("%s: %s %s %d-%d %v", asset.Name, i.SourceName, i.Software.Version, i.FirstSeen.Hour(), i.LastSeen.Hour(), i.Gone))
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestAMergeUndoneGivesEachItsHistory plays the same imports with a merge that is undone at the end, and without it.
func TestAMergeUndoneGivesEachItsHistory(t *testing.T) {
	play := func(header string) *house {
		h := open(t)
		row := func(name, serial, version string) string {
			if header == marks {
				return name + "," + serial + ",,,,,X," + version
			}
			return name + ",X," + version
		}
		h.tell("XZ1A", "one", 0, header, row("alpha", "PF3X0001", "1"))
		h.tell("XZ1A", "two", 1, header, row("beta", "PF3X0001", "2"))
		h.tell("XZ1A", "two", 2, header, row("beta", "PF3X0001", "3"))
		h.tell("XZ1A", "one", 3, header, row("alpha", "PF3X0001", "4"))
		h.tell("XZ1A", "three", 4, header, row("gamma", "PF3X0001", "5"))
		return h
	}
	h, apart := play(marks), play("asset,product,version")
	all := h.merges(ward.Only("XZ1A"))
	merged := h.assets(ward.Only("XZ1A"), estate.AssetQuery{})
	if len(all) != 2 || len(merged) != 1 || merged[0].Name != "alpha" {
		t.Fatalf("%+v\n%+v", all, merged)
	}
	if shown, err := h.Asset(ctx, ward.Only("XZ1A"), all[0].Merged); err != nil || shown.ID != merged[0].ID {
		t.Errorf("the number of a merged asset leads to %+v, %v", shown, err)
	}
	lead := person(ward.Lead, "XZ1A")
	for _, m := range all {
		if _, err := h.Unmerge(ctx, person(ward.Member, "XZ1A"), m.ID, "no"); err == nil {
			t.Error("a member may undo")
		}
		if _, err := h.Unmerge(ctx, person(ward.Lead, "XZ7G"), m.ID, "no"); err == nil {
			t.Error("another organisation may undo")
		}
		if _, err := h.Unmerge(ctx, lead, m.ID, "two devices"); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := h.story(ward.Only("XZ1A")), apart.story(ward.Only("XZ1A")); got != want {
		t.Errorf("undone:\n%s\nnever merged:\n%s", got, want)
	}
	h.tell("XZ1A", "two", 5, marks, "beta,PF3X0001,,,T77,,X,3") // the person said that neither is alpha, and nothing of these two
	if got := names(h.assets(ward.Only("XZ1A"), estate.AssetQuery{})); got != "alpha beta" {
		t.Error(got)
	}
	again, err := h.Merge(ctx, lead, all[0].Kept, all[0].Merged, "seen with my own eyes")
	if err != nil || again.State != ward.MergeActive || again.Rule != ward.ByPerson {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestASourceThatListsBothTellsThemApart(t *testing.T) {
	h := open(t)
	h.tell("XZ1A", "one", 0, marks, "alpha,PF3X0001,,,,,X,1")
	h.tell("XZ1A", "two", 1, marks, "beta,PF3X0001,,,,,X,2")
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "alpha" {
		t.Fatal(got)
	}
	h.tell("XZ1A", "two", 2, marks, "beta,,,,,,X,2", "alpha,,,,,,X,3")
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "alpha beta" {
		t.Errorf("%s\n%s", got, h.story(ward.Everything()))
	}
	if all := h.merges(ward.Everything()); len(all) != 1 || all[0].State != ward.MergeUndone || all[0].DecidedBy != "two" {
		t.Errorf("%+v", all)
	}
}

func TestARenamedDeviceKeepsItsHistory(t *testing.T) {
	h := open(t)
	h.tell("XZ1A", "one", 0, marks, "old-name,PF3X0001,,,,,X,1", "a,", "b,", "c,", "d,")
	h.tell("XZ1A", "one", 1, marks, "new-name,PF3X0001,,,,,X,1", "a,", "b,", "c,", "d,")
	if all := h.merges(ward.Everything()); len(all) != 1 || all[0].State != ward.MergeActive || all[0].MergedName != "new-name" {
		t.Errorf("%+v", all)
	}
	if got := h.story(ward.Only("XZ1A")); got != "old-name: one 1 12-12 true\nold-name: one 1 13-13 false" {
		t.Error(got)
	}
}

func TestPhonesOfOneNameAreToldApartBySerialNumber(t *testing.T) {
	h := open(t)
	for hour, rows := range [][]string{{"iPhone,F2LABC01,,,,,X,1", "iPhone,F2LABC02,,,,,X,2"}, {"iPhone,F2LABC02,,,,,X,2", "iPhone,F2LABC01,,,,,X,1"}} {
		done := h.tell("XZ1A", "phones", hour, marks, rows...)
		if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "iPhone (f2labc01) iPhone (f2labc02)" || hour > 0 && done.Added != 0 {
			t.Errorf("%s, %+v", got, done)
		}
	}
}

func TestAProposalIsAcceptedOrRefused(t *testing.T) {
	h := open(t)
	h.tell("XZ1A", "one", 0, marks, "ws-1.trust.example,", "ws-2.trust.example,")
	h.tell("XZ1A", "two", 1, marks, "ws-1,", "ws-2,")
	all := h.merges(ward.Only("XZ1A"))
	if len(all) != 2 {
		t.Fatalf("%+v", all)
	}
	lead := person(ward.Lead, "XZ1A")
	if m, err := h.Accept(ctx, lead, all[0].ID); err != nil || m.State != ward.MergeActive || m.DecidedBy != "Pat" {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := h.Refuse(ctx, lead, all[1].ID, "a spare of the same name"); err != nil || m.State != ward.MergeRefused {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := h.Accept(ctx, lead, all[1].ID); err == nil {
		t.Error("what was refused is accepted")
	}
	h.tell("XZ1A", "two", 2, marks, "ws-1,,,,T1001,", "ws-2,,,,T1002,")
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "ws-1.trust.example ws-2 ws-2.trust.example" {
		t.Error(got)
	}
	if all := h.merges(ward.Everything()); len(all) != 2 {
		t.Errorf("%+v", all)
	}
}

func TestWhatScannersReportIsKeptApart(t *testing.T) {
	h := open(t)
	h.Register = estate.New(h.store, h.clock, append([]estate.Reader{nessus.Reader{}}, readers...)...)
	scan := func(hour int, rows ...string) {
		t.Helper()
		h.tell("XZ1A", "scanner", hour, "Plugin ID,CVE,Risk,Host,Protocol,Port,Name,Plugin Output", rows...)
	}
	h.accept("XZ1A", "edge", 0, "mdm1.trust.example,,,EPMM,12.5.0.0")
	scan(1, "1,CVE-2025-4427,High,mdm1.trust.example,tcp,443,EPMM,12.5.0.0", "2,CVE-2025-0001,High,ws-1.trust.example,tcp,0,Other,x")
	got := func(q estate.ScannerQuery) []ward.ScannerFinding {
		t.Helper()
		page, err := h.ScannerFindings(ctx, ward.Only("XZ1A"), q)
		h.must(err)
		return page.Items
	}
	found := got(estate.ScannerQuery{CVE: "CVE-2025-4427"})
	if len(found) != 1 || found[0].AssetName != "mdm1.trust.example" || found[0].Port != "443/tcp" || found[0].Plugin != "1" || found[0].Gone {
		t.Fatalf("%+v", found)
	}
	if other, err := h.ScannerFindings(ctx, ward.Only("XZ7G"), estate.ScannerQuery{}); err != nil || len(other.Items) != 0 {
		t.Errorf("%+v, %v", other, err)
	}
	asset := found[0].Asset
	about := ward.About{CVEs: []ward.CVE{"CVE-2025-4427", "CVE-2025-0001"}}
	weigh := func(seen ward.Seen) (evidence []ward.Seen) {
		t.Helper()
		h.must(h.store.View(ctx, func(tx *store.Tx) (err error) {
			evidence, err = h.Scanned(ctx, tx, "XZ1A", about, []ward.Seen{seen})
			return err
		}))
		return evidence
	}
	if evidence := weigh(ward.Seen{Asset: asset, Status: ward.Fixed, Basis: ward.ByVersion}); len(evidence) != 2 || evidence[1].Basis != ward.ByScanner || evidence[1].Status != ward.Affected || evidence[1].Gone {
		t.Errorf("%+v", evidence)
	}
	if evidence := weigh(ward.Seen{Asset: asset, Status: ward.Fixed, Basis: ward.ByRuling}); len(evidence) != 1 {
		t.Errorf("a ruling does not settle it: %+v", evidence)
	}
	scan(2, "3,,None,mdm1.trust.example,tcp,0,Nothing,x", "2,CVE-2025-0001,High,ws-1.trust.example,tcp,0,Other,y")
	if evidence := weigh(ward.Seen{Asset: asset, Status: ward.Fixed, Basis: ward.ByVersion}); len(evidence) != 2 || !evidence[1].Gone {
		t.Errorf("%+v", evidence)
	}
	if found := got(estate.ScannerQuery{Org: "XZ1A", Gone: true}); len(found) != 2 || !found[0].Gone || found[1].Output != "y" {
		t.Errorf("%+v", found)
	}
}

func TestAnApplianceIsDeclaredByOneCall(t *testing.T) {
	h := open(t)
	lead := person(ward.Lead, "XZ1A")
	declare := func(name, version string) ward.Asset {
		t.Helper()
		h.clock.Advance(time.Minute)
		d, asset, err := h.DeclareAppliance(ctx, lead, ward.DeclaredAppliance{Org: "XZ1A", Vendor: "Fortinet", Product: "FortiOS", Version: version, Name: name, Reachable: ward.Yes, Site: "North"})
		if err != nil || d.Answer != ward.RunsIt || asset.Class != ward.Appliance || asset.Site != "North" || asset.Reachable != ward.Yes {
			t.Fatalf("%+v, %+v, %v", d, asset, err)
		}
		return asset
	}
	one, two := declare("fw-1", "7.2.1"), declare("fw-2", "7.2.1")
	if again := declare("FW-1", "7.4.7"); again.ID != one.ID || two.ID == one.ID {
		t.Errorf("%+v", again)
	}
	installs, err := h.Installs(ctx, ward.Only("XZ1A"), one.ID)
	if err != nil || len(installs) != 2 || installs[0].Software.Version != "7.4.7" || installs[0].Grade != ward.SelfDeclared || !installs[1].Gone {
		t.Errorf("%v, %+v", err, installs)
	}
	if _, _, err := h.DeclareAppliance(ctx, person(ward.Member, "XZ1A"), ward.DeclaredAppliance{Org: "XZ1A", Product: "X", Version: "1"}); err == nil {
		t.Error("a member may declare")
	}
	h.clock.Advance(time.Minute)
	if _, err := h.Declare(ctx, lead, ward.Declaration{Org: "XZ1A", Vendor: "Fortinet", Product: "FortiOS", Answer: ward.NotRun}); err != nil {
		t.Fatal(err)
	}
	if left := h.assets(ward.Only("XZ1A"), estate.AssetQuery{}); len(left) != 0 {
		t.Errorf("declared not to run: %+v", left)
	}
	soon, err := h.Expiring(ctx, ward.Only("XZ1A"), ward.DeclaredFor)
	if err != nil || len(soon) != 1 || soon[0].Answer != ward.NotRun {
		t.Errorf("%v, %+v", err, soon)
	}
	if soon, err := h.Expiring(ctx, ward.Only("XZ1A"), 24*time.Hour); err != nil || len(soon) != 0 {
		t.Errorf("%v, %+v", err, soon)
	}
}

func TestALookOfTheCentreIsKeptOnceAnHour(t *testing.T) {
	h := open(t)
	ann, lead := person(ward.Analyst, ""), person(ward.Lead, "XZ1A")
	for range 3 {
		h.must(h.Viewed(ctx, ann, "XZ1A", "assets"))
		h.must(h.Viewed(ctx, ann, "XZ1A", "asset 12"))
		h.must(h.Viewed(ctx, lead, "XZ1A", "assets"))
		h.must(h.Viewed(ctx, ward.System("job"), "XZ1A", "assets"))
	}
	h.clock.Advance(time.Hour)
	h.must(h.Viewed(ctx, ann, "XZ1A", "assets"))
	again := estate.New(h.store, h.clock) // it has forgotten what it saw
	h.must(again.Viewed(ctx, ann, "XZ1A", "assets"))
	var got []string
	for after := ""; ; {
		page, err := h.Views(ctx, ward.Only("XZ1A"), "XZ1A", after, 1)
		h.must(err)
		for _, v := range page.Items {
			got = append(got, v.Name+" "+v.Subject+" "+v.At.Format("15:04"))
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if want := []string{"Pat assets 13:00", "Pat assets 12:00", "Pat asset 12 12:00"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, err := h.Views(ctx, ward.Only("XZ7G"), "XZ1A", "", 0); err == nil {
		t.Error("another organisation sees who looked")
	}
}
