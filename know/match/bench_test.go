package match_test

import (
	"fmt"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// BenchmarkEvaluate holds distinct identities against the weaknesses of their products, beside the floor of one hash
// look-up and one comparison an identity, measured in the same run.
func BenchmarkEvaluate(b *testing.B) {
	const products, versions, weaknesses = 200, 50, 20
	catalogue := map[string][]*match.Weakness{}
	for p := range products {
		for n := range weaknesses {
			w := match.Compile([]know.Report{
				{CVE: ward.CVE(fmt.Sprintf("CVE-2099-%04d", p*weaknesses+n)), Source: "cna:acme", Claims: []know.Claim{{Vendor: "Acme", Product: fmt.Sprintf("Product %d", p), Default: know.ClaimAffected,
					Versions: []know.Range{{Version: fmt.Sprintf("12.%d.0.1", n), Status: know.ClaimUnaffected}}}}},
				{Source: "nvd", CVE: ward.CVE(fmt.Sprintf("CVE-2099-%04d", p*weaknesses+n)), Trees: []know.Node{{Matches: []know.CPEMatch{
					{CPE: fmt.Sprintf("cpe:2.3:a:acme:product_%d:*:*:*:*:*:*:*:*", p), Vulnerable: true, StartIncluding: "12.0", EndExcluding: fmt.Sprintf("12.%d.0.1", n)}}}}},
			})
			for _, key := range w.Keys {
				catalogue[key] = append(catalogue[key], w)
			}
		}
	}
	var identities []*match.Identity
	for p := range products {
		for v := range versions {
			identities = append(identities, match.Read(ward.Software{CPE: fmt.Sprintf("cpe:2.3:a:acme:product_%d:12.%d.0.0:*:*:*:*:*:*:*", p, v)}))
		}
	}
	pairs, affected := 0, 0
	for b.Loop() {
		pairs, affected = 0, 0
		for _, id := range identities {
			for _, key := range id.Keys {
				for _, w := range catalogue[key] {
					pairs++
					if v, _ := w.Evaluate(id, nil); v.Status == ward.Affected {
						affected++
					}
				}
			}
		}
	}
	if affected == 0 {
		b.Fatal("nothing matched")
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	key, _ := know.OrderKey(know.SchemeVendor, "12.7.0.1")
	const rounds = 200
	below, begun := 0, time.Now()
	for range rounds {
		for _, id := range identities {
			if len(catalogue[id.Keys[0]]) > 0 && id.Key() < key {
				below++
			}
		}
	}
	floor := time.Since(begun).Seconds() / rounds
	if below == 0 {
		b.Fatal("nothing is below")
	}
	b.ReportMetric(float64(pairs)/seconds, "pairs/s")
	b.ReportMetric(float64(len(identities))/seconds, "identities/s")
	b.ReportMetric(seconds/floor, "x-floor")
}
