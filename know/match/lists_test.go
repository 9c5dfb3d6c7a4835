package match_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// TestMemoryCountsAsTheStore delivers inventories at random, of several sources and on behalf of others, and asks one matcher
// that remembers lists and one that asks the store.
func TestMemoryCountsAsTheStore(t *testing.T) {
	w := open(t)
	r := rand.New(rand.NewPCG(3, 7))
	for n := range 4 {
		cve := ward.CVE(fmt.Sprintf("CVE-2099-000%d", n))
		w.learns(know.Report{CVE: cve, Source: "cna:acme", Claims: []know.Claim{{Vendor: "Acme", Product: "Gateway", Default: know.ClaimUnaffected,
			Versions: []know.Range{{Version: "1.0", LessThan: fmt.Sprintf("1.%d", 2+3*n), Status: know.ClaimAffected}}}}})
	}
	forgetful := match.New(w.store, w.clock)
	exposed := 0
	for step := range 40 {
		org := one(r, ward.OrgID("XZ1A"), "XZ6F", "XZ9J")
		var inventory strings.Builder
		inventory.WriteString("asset,vendor,product,version\n")
		for device := range 12 {
			if r.IntN(3) > 0 {
				fmt.Fprintf(&inventory, "%s-%02d,Acme,Gateway,1.%d\n", org, device, r.IntN(14))
			}
		}
		w.clock.Advance(time.Hour)
		w.imports(org, one(r, "agent", "scanner"), inventory.String())
		if step%3 > 0 { // else memory is behind, and must not be asked
			if _, err := w.Remember(ctx, w.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 4 {
			for _, scope := range []ward.Scope{ward.Everything(), ward.Only("XZ7G", "XZ1A")} {
				cve := ward.CVE(fmt.Sprintf("CVE-2099-000%d", n))
				have, err := w.Counts(ctx, scope, cve)
				w.must(err)
				want, err := forgetful.Counts(ctx, scope, cve)
				w.must(err)
				if len(have)+len(want) > 0 && !reflect.DeepEqual(have, want) {
					t.Fatalf("step %d, %s: %v, the store says %v", step, cve, have, want)
				}
				exposed += len(want)
			}
		}
	}
	if exposed < 100 {
		t.Fatalf("only %d counts: the test says little", exposed)
	}
}
