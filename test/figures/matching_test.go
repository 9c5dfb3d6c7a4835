package figures_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/match"
	"wardwatch/test/processor"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

// took is the processor time of the quickest of some runs of do.
func took(b *testing.B, runs int, do func()) time.Duration {
	b.Helper()
	best := time.Duration(1 << 62)
	for range runs {
		runtime.GC()
		before := processor.Time(b)
		do()
		best = min(best, processor.Time(b)-before)
	}
	return best
}

// oneCore keeps to one core until the returned function is called.
func oneCore() (restore func()) {
	before := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(before) }
}

// live is the memory that is held now, in MB.
func live() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// rawFeeds is every NVD feed of the shared data, decompressed.
func rawFeeds(b *testing.B) (all [][]byte) {
	b.Helper()
	dir, _ := realFeeds()
	if dir == "" {
		shared.Skip(b, "the NVD's feeds are not on this machine")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json.gz"))
	if err != nil {
		b.Fatal(err)
	}
	if testing.Short() {
		files = slices.DeleteFunc(files, func(name string) bool { return filepath.Base(name) != "nvdcve-1.1-recent-20250519.json.gz" })
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		in, err := gzip.NewReader(f)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, body)
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return all
}

// decoded is a record in the fields that matching needs, for the standard decoder.
type decoded struct {
	CVE struct {
		Meta struct {
			ID string `json:"ID"`
		} `json:"CVE_data_meta"`
		Description struct {
			Data []struct {
				Value string `json:"value"`
			} `json:"description_data"`
		} `json:"description"`
	} `json:"cve"`
	Configurations struct {
		Nodes []decodedNode `json:"nodes"`
	} `json:"configurations"`
	Modified string `json:"lastModifiedDate"`
}

type decodedNode struct {
	Operator string        `json:"operator"`
	Negate   bool          `json:"negate"`
	Children []decodedNode `json:"children"`
	Matches  []struct {
		Vulnerable     bool   `json:"vulnerable"`
		CPE            string `json:"cpe23Uri"`
		StartIncluding string `json:"versionStartIncluding"`
		StartExcluding string `json:"versionStartExcluding"`
		EndIncluding   string `json:"versionEndIncluding"`
		EndExcluding   string `json:"versionEndExcluding"`
	} `json:"cpe_match"`
}

// decodeAlone is the floor of reading: the standard decoder, one record at a time, and nothing made of it.
func decodeAlone(b *testing.B, body []byte) (records int) {
	b.Helper()
	in := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := in.Token()
		if err != nil {
			b.Fatal(err)
		}
		if token == "CVE_Items" {
			break
		}
	}
	if _, err := in.Token(); err != nil {
		b.Fatal(err)
	}
	for in.More() {
		var record decoded
		if err := in.Decode(&record); err != nil {
			b.Fatal(err)
		}
		records++
	}
	return records
}

// makeCatalogue is what reading is for: every shelf ready to be asked.
func makeCatalogue(b *testing.B, raw [][]byte, named map[string]bool) (c *match.Catalogue, records int) {
	b.Helper()
	c = match.NewCatalogue()
	for _, body := range raw {
		sum, err := nvd.New("").Read(context.Background(), bytes.NewReader(body), func(r know.Report) error {
			c.Add(r)
			if named != nil {
				for _, tree := range r.Trees {
					tree.Walk(func(m know.CPEMatch) { named[m.CPE] = true })
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		records += sum.Records
	}
	c.Ready()
	return c, records
}

// BenchmarkMatching measures how weaknesses are read and held against software, on one core.
func BenchmarkMatching(b *testing.B) {
	defer oneCore()()
	raw := rawFeeds(b)
	size := 0
	for _, body := range raw {
		size += len(body)
	}
	for b.Loop() {
		measureMatching(b, raw, size)
	}
}

func measureMatching(b *testing.B, raw [][]byte, size int) {
	b.Helper()
	records := 0
	floor := took(b, 2, func() {
		records = 0
		for _, body := range raw {
			records += decodeAlone(b, body)
		}
	})
	ready := took(b, 2, func() { makeCatalogue(b, raw, nil) })
	on := fmt.Sprintf("%d records of the NVD, %d MB, one core", records, size/1_000_000)
	record(b, figure{"weaknesses, standard decoder alone", floor.Seconds(), 0, "s", on + ": the floor"})
	record(b, figure{"weaknesses, raw to ready", ready.Seconds(), 0, "s", on})
	record(b, figure{"weaknesses, raw to ready: decoder alone", ready.Seconds() / floor.Seconds(), 1.3, "×", on})

	before := live()
	named := map[string]bool{}
	c, _ := makeCatalogue(b, raw, named)
	cpes := make([]string, 0, len(named))
	for cpe := range named {
		cpes = append(cpes, cpe)
	}
	slices.Sort(cpes)
	held := live() - before
	record(b, figure{"weaknesses ready, memory", held, 300, "MB", on + "; with their names"})

	var snapshot bytes.Buffer
	if _, err := c.WriteTo(&snapshot); err != nil {
		b.Fatal(err)
	}
	again := took(b, 3, func() {
		read, err := match.ReadCatalogue(bytes.NewReader(snapshot.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		read.Ready()
		if read.Len() != c.Len() {
			b.Fatalf("%d weaknesses of %d came back", read.Len(), c.Len())
		}
	})
	record(b, figure{"weaknesses, snapshot to ready", again.Seconds(), 1, "s", fmt.Sprintf("%s; snapshot of %.1f MB", on, float64(snapshot.Len())/1e6)})

	identities := make([]*match.Identity, len(cpes))
	reading := took(b, 2, func() {
		for i, cpe := range cpes {
			identities[i] = match.Read(ward.Software{CPE: cpe})
		}
	})
	kept, affected := 0, 0
	matching := took(b, 3, func() {
		kept, affected = 0, 0
		for _, id := range identities {
			c.Match(id, func(_ *match.Weakness, v *ward.Verdict) {
				kept++
				if v.Status == ward.Affected {
					affected++
				}
			})
		}
	})
	key, _ := know.OrderKey(know.SchemeVendor, "5.1")
	below := 0
	const rounds = 20
	lookups := map[string]bool{}
	for _, id := range identities {
		for _, key := range id.Keys {
			lookups[key] = true
		}
	}
	least := took(b, 3, func() {
		below = 0
		for range rounds {
			for _, id := range identities {
				if len(id.Keys) > 0 && lookups[id.Keys[0]] && id.Key() < key {
					below++
				}
			}
		}
	}) / rounds
	if affected == 0 || below == 0 {
		b.Fatal("nothing matched")
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(len(identities)) }
	rate := func(d time.Duration) string {
		return fmt.Sprintf("%.0f a second", float64(len(identities))/d.Seconds())
	}
	record(b, figure{"an identity against every weakness", each(matching), 4, "µs", fmt.Sprintf("%s (250000 asked); %d distinct CPEs, %d verdicts, %d affected, trees and editions and all", rate(matching), len(identities), kept, affected)})
	record(b, figure{"an identity: one look-up, one comparison", each(least), 0, "µs", fmt.Sprintf("%s: the floor, %.0f × less", rate(least), matching.Seconds()/least.Seconds())})
	record(b, figure{"an identity made ready", each(reading), 0, "µs", rate(reading) + ", once for each that is new"})
}
