package match_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// TestReachIsWhatIsListed lists and lists again at random, over more sources than one word has bits, and asks for what a plain
// map of sets says.
func TestReachIsWhatIsListed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	reach := match.NewReach()
	type holding struct {
		org ward.OrgID
		row match.Listed
	}
	listed := map[ward.SourceID]map[holding]bool{}
	for range 400 {
		source := ward.SourceID(1 + r.IntN(150))
		org := ward.OrgID(fmt.Sprintf("XZ%02d", source/2))
		rows := make([]match.Listed, r.IntN(300))
		listed[source] = map[holding]bool{}
		for i := range rows {
			rows[i] = match.Listed{Software: ward.SoftwareID(1 + r.IntN(200)), Asset: ward.AssetID(r.IntN(40) * (1 + r.IntN(300)))}
			listed[source][holding{org, rows[i]}] = true
		}
		reach.List(source, org, rows)
		ids := map[ward.SoftwareID]bool{}
		for range r.IntN(12) {
			ids[ward.SoftwareID(1+r.IntN(260))] = true
		}
		want := map[ward.OrgID]map[ward.AssetID]bool{}
		for _, held := range listed {
			for h := range held {
				if !ids[h.row.Software] {
					continue
				}
				if want[h.org] == nil {
					want[h.org] = map[ward.AssetID]bool{}
				}
				want[h.org][h.row.Asset] = true
			}
		}
		got := reach.Of(slices.Sorted(maps.Keys(ids)))
		var all []match.Reached
		for _, org := range slices.Sorted(maps.Keys(want)) {
			all = append(all, match.Reached{Org: org, Assets: slices.Sorted(maps.Keys(want[org]))})
		}
		if len(got)+len(all) > 0 && !reflect.DeepEqual(got, all) {
			t.Fatalf("of %v: %+v, want %+v", ids, got, all)
		}
	}
}

// TestReachOfAWeakness goes from records to assets.
func TestReachOfAWeakness(t *testing.T) {
	reach := match.NewReach()
	for i, version := range []string{"12.4.0.1", "12.5.0.0", "12.5.0.1", ""} {
		reach.Know(match.Read(ward.Software{ID: ward.SoftwareID(i + 1), Vendor: "Acme", Product: "Gateway", Version: version}))
	}
	reach.Know(match.Read(ward.Software{ID: 9, Vendor: "Acme", Product: "Reader", Version: "12.4"}))
	reach.List(1, "XZ1", []match.Listed{{Software: 1, Asset: 10}, {Software: 9, Asset: 10}, {Software: 2, Asset: 11}, {Software: 3, Asset: 12}})
	reach.List(2, "XZ2", []match.Listed{{Software: 3, Asset: 20}, {Software: 9, Asset: 21}})
	c := match.NewCatalogue()
	c.Put("CVE-2099-0001", []know.Report{{CVE: "CVE-2099-0001", Source: "nvd", Trees: []know.Node{{Matches: []know.CPEMatch{
		{CPE: "cpe:2.3:a:acme:gateway:*:*:*:*:*:*:*:*", Vulnerable: true, EndExcluding: "12.5.0.1"}}}}}})
	ids := reach.Affected(c, "CVE-2099-0001")
	if want := []ward.SoftwareID{1, 2}; !slices.Equal(ids, want) {
		t.Fatalf("affected %v, want %v", ids, want)
	}
	if got, want := reach.Of(ids), []match.Reached{{Org: "XZ1", Assets: []ward.AssetID{10, 11}}}; !reflect.DeepEqual(got, want) {
		t.Fatalf("reaches %+v, want %+v", got, want)
	}
	if got := reach.Sharing(c.Weakness("CVE-2099-0001")); !slices.Equal(got, []ward.SoftwareID{1, 2, 3, 4}) {
		t.Fatalf("shares a product with %v", got)
	}
}
