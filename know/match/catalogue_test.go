package match_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wardwatch/know"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/match"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

// sameAnswers holds identities against a catalogue, and against each weakness by itself as the oracle: what is worth keeping
// must be the same, word for word.
func sameAnswers(t *testing.T, c *match.Catalogue, weaknesses []*match.Weakness, identities []*match.Identity) (kept int) {
	t.Helper()
	byKey := map[string][]*match.Weakness{}
	for _, w := range weaknesses {
		for _, key := range w.Keys {
			byKey[key] = append(byKey[key], w)
		}
	}
	for _, id := range identities {
		got := map[ward.CVE]ward.Verdict{}
		c.Match(id, func(w *match.Weakness, v *ward.Verdict) {
			if _, twice := got[v.CVE]; twice {
				t.Fatalf("%s of %+v is yielded twice", v.CVE, id.Software)
			}
			got[v.CVE] = *v
			if whole, ok := w.Evaluate(id, nil); !ok || whole.Why == "" {
				t.Fatalf("%s of %+v has no sentence", v.CVE, id.Software)
			}
		})
		for _, key := range id.Keys {
			for _, w := range byKey[key] {
				want, ok := w.Evaluate(id, nil)
				want.Why = ""
				have, found := got[w.CVE]
				worth := ok && (want.Status == ward.Affected || want.Status == ward.PlatformUnknown || want.Status == ward.VersionUnknown && id.Key() == match.NoVersion)
				if worth != found || found && have != want {
					t.Fatalf("%s of %+v: at once %+v (%t), by itself %+v (%t)", w.CVE, id.Software, have, found, want, worth)
				}
				if found {
					kept++
				}
			}
		}
	}
	return kept
}

// TestAtOnceAsByItself makes up weaknesses and identities of few products and few versions, so that everything meets: exact
// versions, stretches, patterns, updates, editions, conditions, several sources and trees, and names beside CPEs.
func TestAtOnceAsByItself(t *testing.T) {
	kept := 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := match.NewCatalogue()
		var weaknesses []*match.Weakness
		for n := range 60 {
			cve := ward.CVE(fmt.Sprintf("CVE-2099-%04d", n))
			reports := anyReports(r, cve)
			if n%3 == 0 {
				c.Put(cve, anyReports(r, cve)) // what it said before
			}
			c.Put(cve, reports)
			if w := match.Compile(reports); w != nil {
				weaknesses = append(weaknesses, w)
			}
		}
		var identities []*match.Identity
		for range 120 {
			identities = append(identities, match.Read(anySoftware(r)))
		}
		kept += sameAnswers(t, c, weaknesses, identities)
	}
	if kept < 5_000 {
		t.Fatalf("only %d verdicts were worth keeping: the test says little", kept)
	}
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func anyVersion(r *rand.Rand) string {
	return one(r, "1.0", "1.0.0", "1.1", "1.1.5", "1.2", "1.2.0.1", "2.0", "2.0:rc1", "2.1", "3", "3.2.0", "10.0")
}

func anyCPE(r *rand.Rand, version string) string {
	product := one(r, "a:acme:gateway", "a:acme:gateway", "o:acme:gateway_firmware", "h:acme:gateway", "a:other:reader", "o:microsoft:windows", "a:acme:gate*")
	update := one(r, "*", "*", "*", "-", "p1", "update_1", "rc1")
	rest := one(r, "*:*:*:*:*:*", "*:*:*:*:*:*", "*:*:*:*:*:*", "*:*:pro:*:*:*", "*:*:*:windows:*:*", "*:*:*:*:x64:*", "lts:*:*:*:*:*")
	return "cpe:2.3:" + product + ":" + version + ":" + update + ":" + rest
}

func anyMatch(r *rand.Rand) know.CPEMatch {
	m := know.CPEMatch{Vulnerable: r.IntN(5) > 0, CPE: anyCPE(r, one(r, "*", "*", "-", "1.1", "1.2", "2.0", "3.2.0", "1.?", "2.*"))}
	if r.IntN(2) == 0 {
		m.CPE = anyCPE(r, "*")
		switch r.IntN(4) {
		case 0:
			m.StartIncluding = anyVersion(r)
		case 1:
			m.StartExcluding = anyVersion(r)
		}
		switch r.IntN(4) {
		case 0, 1:
			m.EndExcluding = anyVersion(r)
		case 2:
			m.EndIncluding = anyVersion(r)
		}
	}
	return m
}

func anyTree(r *rand.Rand, deep int) know.Node {
	n := know.Node{And: r.IntN(3) == 0, Negate: r.IntN(25) == 0}
	if deep > 0 && r.IntN(2) == 0 {
		for range 1 + r.IntN(3) {
			n.Children = append(n.Children, anyTree(r, deep-1))
		}
	}
	if len(n.Children) == 0 || r.IntN(6) == 0 {
		for range 1 + r.IntN(4) {
			n.Matches = append(n.Matches, anyMatch(r))
		}
	}
	return n
}

func anyReports(r *rand.Rand, cve ward.CVE) (all []know.Report) {
	for _, source := range one(r, []string{"nvd"}, []string{"nvd"}, []string{"nvd"}, []string{"nvd", "override:other"}, []string{"nvd", "cna:acme"}, []string{"ruling", "nvd"}) {
		report := know.Report{CVE: cve, Source: source}
		if source == "cna:acme" || source == "ruling" {
			report.Claims = []know.Claim{{Vendor: "Acme", Product: one(r, "Gateway", "Reader"), Default: one(r, know.ClaimAffected, know.ClaimUnaffected, ""),
				Versions: []know.Range{{Version: anyVersion(r), LessThan: one(r, "", "3.0"), Status: one(r, know.ClaimAffected, know.ClaimUnaffected)}}}}
		} else {
			for range 1 + r.IntN(2) {
				report.Trees = append(report.Trees, anyTree(r, 2))
			}
		}
		all = append(all, report)
	}
	return all
}

func anySoftware(r *rand.Rand) ward.Software {
	switch r.IntN(4) {
	case 0:
		return ward.Software{Vendor: "Acme", Product: "Gateway", Version: one(r, "", anyVersion(r))}
	case 1:
		return ward.Software{Vendor: "Acme", Product: "Gateway", Version: anyVersion(r), CPE: "cpe:2.3:a:other:reader:" + one(r, "*", "1.1") + ":*:*:*:*:*:*:*"}
	}
	return ward.Software{CPE: anyCPE(r, one(r, "-", "*", "1.0", "1.0.0", "1.1", "1.1.5", "1.2", "2.0", "2.1", "3.2.0", "9"))}
}

// published is every NVD record of the shared data, by weakness, and the distinct CPEs that they name, in order.
func published(tb testing.TB) (map[ward.CVE][]know.Report, []string) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(shared.File(tb, "data", "vuln", "nvd"), "*.json.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	reports, named := map[ward.CVE][]know.Report{}, map[string]bool{}
	for _, file := range files {
		readFeed(tb, file, func(r know.Report) error {
			r.Description, r.References, r.CVSS = "", nil, nil
			reports[r.CVE] = append(reports[r.CVE], r)
			for _, tree := range r.Trees {
				tree.Walk(func(m know.CPEMatch) { named[m.CPE] = true })
			}
			return nil
		})
	}
	cpes := make([]string, 0, len(named))
	for cpe := range named {
		cpes = append(cpes, cpe)
	}
	slices.Sort(cpes)
	return reports, cpes
}

func readFeed(tb testing.TB, file string, yield func(know.Report) error) {
	tb.Helper()
	f, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	in, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := nvd.New("").Read(context.Background(), in, yield); err != nil {
		tb.Fatal(err)
	}
}

// TestAtOnceOnRealRecords holds a sample of what the feeds name against all of them.
func TestAtOnceOnRealRecords(t *testing.T) {
	reports, cpes := published(t)
	c := match.NewCatalogue()
	var weaknesses []*match.Weakness
	for cve, all := range reports {
		c.Put(cve, all)
		if w := c.Weakness(cve); w != nil {
			weaknesses = append(weaknesses, w)
		}
	}
	var identities []*match.Identity
	for i := 0; i < len(cpes); i += 151 {
		identities = append(identities, match.Read(ward.Software{CPE: cpes[i]}))
		if cpe, err := know.ParseCPE(cpes[i]); err == nil { // the same, as an inventory of names would say it
			identities = append(identities, match.Read(ward.Software{Vendor: know.Plain(cpe.Vendor), Product: know.Plain(cpe.Product), Version: know.Plain(cpe.Version)}))
		}
	}
	if kept := sameAnswers(t, c, weaknesses, identities); kept < 5_000 {
		t.Fatalf("only %d verdicts were worth keeping", kept)
	}
}
