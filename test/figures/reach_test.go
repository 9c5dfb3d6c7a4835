package figures_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/match"
	"wardwatch/test/processor"
	"wardwatch/ward"
)

// nation is a generated estate, as large as one can be, of identities that the feeds name and versions made up beside them.
type nation struct {
	*match.Reach
	identities    int
	orgs, rows    int
	weaknesses    *match.Catalogue
	reports       map[ward.CVE][]know.Report
	cves          []ward.CVE
	bytesPerRow   float64
	identitiesMB  float64
	listsMB       float64
	rebuildPerOrg time.Duration
}

// newNation makes 230 organisations with 5,435 devices of 80 titles: three in four titles are of the two hundred products with
// most weaknesses, most devices of an organisation with the same version, and the others any of the million.
func newNation(b *testing.B, raw [][]byte) *nation {
	b.Helper()
	n := &nation{Reach: match.NewReach(), identities: 1_000_000, orgs: 230, reports: map[ward.CVE][]know.Report{}, weaknesses: match.NewCatalogue()}
	devices := 5435
	if testing.Short() {
		n.identities, n.orgs, devices = 20_000, 10, 100
	}
	named := map[string]bool{}
	for _, body := range raw {
		_, err := nvd.New("").Read(b.Context(), bytes.NewReader(body), func(r know.Report) error {
			r.Description, r.References, r.CVSS = "", nil, nil
			n.reports[r.CVE] = append(n.reports[r.CVE], r)
			n.weaknesses.Add(r)
			for _, tree := range r.Trees {
				tree.Walk(func(m know.CPEMatch) { named[m.CPE] = true })
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	n.weaknesses.Ready()
	weight := map[string]int{} // weaknesses by product key
	for cve := range n.reports {
		if w := n.weaknesses.Weakness(cve); w != nil {
			n.cves = append(n.cves, cve)
			for _, key := range w.Keys {
				weight[key]++
			}
		}
	}
	slices.Sort(n.cves)
	cpes := make([]know.CPE, 0, len(named))
	for text := range named {
		if cpe, err := know.ParseCPE(text); err == nil {
			cpes = append(cpes, cpe)
		}
	}
	slices.SortFunc(cpes, func(a, b know.CPE) int { return cmp.Compare(a.String(), b.String()) })

	before := live()
	products := map[string][]ward.SoftwareID{}
	for i := range n.identities {
		cpe := cpes[i%len(cpes)]
		if round := i / len(cpes); round > 0 {
			if cpe.Version == know.AnyValue || cpe.Version == know.NoValue {
				cpe.Version = strconv.Itoa(round)
			} else {
				cpe.Version += "." + strconv.Itoa(round)
			}
		}
		id := match.Read(ward.Software{ID: ward.SoftwareID(i + 1), CPE: cpe.String()})
		n.Know(id)
		for _, key := range id.Keys {
			products[key] = append(products[key], id.Software.ID)
		}
	}
	n.Order()
	n.identitiesMB = live() - before
	popular := make([]string, 0, len(products))
	for key := range products {
		popular = append(popular, key)
	}
	slices.SortFunc(popular, func(a, b string) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b)) })
	popular = popular[:min(200, len(popular))]

	before = live()
	asset := ward.AssetID(0)
	listed := make([]match.Listed, 0, devices*80)
	for org := range n.orgs {
		r := rand.New(rand.NewPCG(uint64(org), 5))
		standard := make([]ward.SoftwareID, len(popular)) // the version that the organisation rolls out
		for i, key := range popular {
			standard[i] = products[key][r.IntN(len(products[key]))]
		}
		listed = listed[:0]
		for range devices {
			asset++
			first := r.IntN(len(popular))
			for t := range 80 {
				of := (first + t) % len(popular)
				id := standard[of]
				switch {
				case t >= 60:
					id = ward.SoftwareID(1 + r.IntN(n.identities))
				case r.IntN(5) == 0:
					id = products[popular[of]][r.IntN(len(products[popular[of]]))]
				}
				listed = append(listed, match.Listed{Software: id, Asset: asset})
			}
		}
		begun := time.Now()
		n.List(ward.SourceID(org+1), ward.OrgID(fmt.Sprintf("XZG%03d", org)), listed)
		n.rebuildPerOrg += time.Since(begun) / time.Duration(n.orgs)
		n.rows += len(listed)
	}
	n.listsMB = live() - before
	n.bytesPerRow = (n.identitiesMB + n.listsMB) * 1e6 / float64(n.rows)
	return n
}

// BenchmarkNation measures what a weakness reaches in an estate of a hundred million installs.
func BenchmarkNation(b *testing.B) {
	raw := rawFeeds(b)
	restore := oneCore()
	n := newNation(b, raw)
	restore()
	on := fmt.Sprintf("%d organisations, %d identities, %d installs, generated; weaknesses of the NVD", n.orgs, n.identities, n.rows)
	record(b, figure{"reach: memory an install", n.bytesPerRow, 12, "bytes", fmt.Sprintf("%s; identities %.0f MB, lists %.0f MB", on, n.identitiesMB, n.listsMB)})
	record(b, figure{"reach: one organisation's list made anew", n.rebuildPerOrg.Seconds(), 0, "s", on})
	for b.Loop() {
		newWeakness(b, n, on)
		rematch(b, n, on)
	}
}

// newWeakness takes weaknesses one by one as if each was new: from its reports to the assets of every organisation.
func newWeakness(b *testing.B, n *nation, on string) {
	b.Helper()
	defer oneCore()()
	sample := slices.Clone(n.cves)
	r := rand.New(rand.NewPCG(1, 6))
	r.Shuffle(len(sample), func(i, j int) { sample[i], sample[j] = sample[j], sample[i] })
	const most = 4000
	sample = sample[:min(most, len(sample))]
	widest, reached := 0, 0
	var took []time.Duration
	for _, cve := range sample {
		var best time.Duration
		for run := range 2 {
			begun := processor.Time(b)
			c := match.NewCatalogue()
			c.Put(cve, n.reports[cve])
			assets := 0
			for _, org := range n.Of(n.Affected(c, cve)) {
				assets += len(org.Assets)
			}
			if spent := processor.Time(b) - begun; run == 0 || spent < best {
				best = spent
			}
			if run == 0 {
				widest = max(widest, assets)
				if assets > 0 {
					reached++
				}
			}
		}
		took = append(took, best)
	}
	slices.Sort(took)
	on = fmt.Sprintf("%d weaknesses, %d of them reach somebody, the widest %d assets; %s", len(sample), reached, widest, on)
	record(b, figure{"reach: a new weakness to its assets, p50", milliseconds(took[len(took)/2]), 0, "ms", on})
	record(b, figure{"reach: a new weakness to its assets, p99", milliseconds(took[len(took)*99/100]), 10, "ms", on})
	record(b, figure{"reach: a new weakness to its assets, worst", milliseconds(took[len(took)-1]), 500, "ms", on})
}

// rematch holds every identity against every weakness again, and gathers what each organisation has that is affected; and
// then only what a small feed touches.
func rematch(b *testing.B, n *nation, on string) {
	b.Helper()
	begun, before := time.Now(), processor.Time(b)
	cores := runtime.NumCPU()
	affected := make([][]ward.SoftwareID, cores)
	verdicts := make([]int, cores)
	var all sync.WaitGroup
	for core := range cores {
		c := n.weaknesses.Beside()
		all.Go(func() {
			for id := 1 + core; id <= n.identities; id += cores {
				hit := false
				c.Match(n.Identity(ward.SoftwareID(id)), func(_ *match.Weakness, v *ward.Verdict) {
					verdicts[core]++
					hit = hit || v.Status == ward.Affected
				})
				if hit {
					affected[core] = append(affected[core], ward.SoftwareID(id))
				}
			}
		})
	}
	all.Wait()
	ids := slices.Concat(affected...)
	slices.Sort(ids)
	assets, kept := 0, 0
	for _, org := range n.Of(ids) {
		assets += len(org.Assets)
	}
	for _, count := range verdicts {
		kept += count
	}
	record(b, figure{"reach: the whole matched again", time.Since(begun).Seconds(), 60, "s",
		fmt.Sprintf("%d verdicts, %d identities affected on %d assets, %.1f s of processor; %s", kept, len(ids), assets, (processor.Time(b) - before).Seconds(), on)})

	begun = time.Now()
	changed := n.cves[len(n.cves)-len(n.cves)/50:] // as much as a busy week changes
	touched := map[ward.SoftwareID]bool{}
	for _, cve := range changed {
		n.weaknesses.Put(cve, n.reports[cve])
		for _, id := range n.Sharing(n.weaknesses.Weakness(cve)) {
			touched[id] = true
		}
	}
	wanted := make(map[ward.CVE]bool, len(changed))
	for _, cve := range changed {
		wanted[cve] = true
	}
	kept = 0
	for id := range touched {
		n.weaknesses.Match(n.Identity(id), func(w *match.Weakness, _ *ward.Verdict) {
			if wanted[w.CVE] {
				kept++
			}
		})
	}
	record(b, figure{"reach: what a feed changed matched again", time.Since(begun).Seconds(), 0, "s",
		fmt.Sprintf("%d weaknesses changed, %d of %d identities share a product with one, %d verdicts", len(changed), len(touched), n.identities, kept)})
}
