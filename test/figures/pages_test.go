package figures_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"wardwatch/test/estategen"
)

// bound of a page and of a list, p95.
const mostPage = 100 // ms

// asked is one page or list, and how to ask for it again without asking the same.
type asked struct {
	name string
	who  func(*world) *http.Client
	path func(w *world, i int) string
}

func national(w *world) *http.Client { return w.national }
func lead(w *world) *http.Client     { return w.lead }

// always is the same address each time.
func always(path string) func(*world, int) string { return func(*world, int) string { return path } }

// each fills the address with another organisation each time.
func each(path string) func(*world, int) string {
	return func(w *world, i int) string { return fmt.Sprintf(path, fmt.Sprintf("XZG%03d", i*7%w.Orgs)) }
}

func onAlert(path string) func(*world, int) string {
	return func(w *world, i int) string { return fmt.Sprintf(path, w.Alerts[i%len(w.Alerts)]) }
}

func onAsset(path string) func(*world, int) string {
	return func(w *world, i int) string { return fmt.Sprintf(path, w.assets[i*31%len(w.assets)]) }
}

func onWeakness(path string) func(*world, int) string {
	all := estategen.Weaknesses()
	return func(_ *world, i int) string { return fmt.Sprintf(path, all[i*13%len(all)].ID) }
}

var pages = []asked{
	{"watch", national, always("/watch")},
	{"queue", national, always("/queue")},
	{"findings", national, always("/findings")},
	{"alerts", national, always("/alerts")},
	{"alert, national", national, onAlert("/alerts/%s")},
	{"weaknesses", national, always("/weaknesses")},
	{"weakness", national, onWeakness("/weaknesses/%s")},
	{"feeds", national, always("/feeds")},
	{"organisations", national, always("/organisations")},
	{"organisation", national, each("/organisations/%s")},
	{"assets", national, each("/organisations/%s/assets")},
	{"assets, search by name", national, each("/organisations/%s/assets?text=ws-0011")},
	{"assets, search by software", national, each("/organisations/%s/assets?software=product+1104")},
	{"asset", national, onAsset("/assets/%d")},
	{"imports", lead, always("/organisations/XZG000/imports")},
	{"owed", lead, always("/owed")},
	{"alert, organisation", lead, onAlert("/alerts/%s/organisations/XZG000")},
	{"inbox", lead, always("/inbox")},
}

var lists = []asked{
	{"overview", national, always("/api/v1/overview")},
	{"organisations", national, always("/api/v1/organisations")},
	{"findings", national, always("/api/v1/findings")},
	{"findings of one", national, each("/api/v1/findings?org=%s")},
	{"alerts", national, always("/api/v1/alerts")},
	{"answers", national, onAlert("/api/v1/alerts/%s/responses?limit=500")},
	{"assets", national, always("/api/v1/assets")},
	{"asset", national, onAsset("/api/v1/assets/%d")},
	{"exposures to a weakness", national, onWeakness("/api/v1/exposures?cve=%s")},
	{"exposures of one", national, each("/api/v1/exposures?org=%s")},
	{"counts", national, onWeakness("/api/v1/vulnerabilities/%s/counts")},
	{"history", national, onWeakness("/api/v1/vulnerabilities/%s/history")},
	{"weaknesses", national, always("/api/v1/vulnerabilities")},
	{"weaknesses, search", national, always("/api/v1/vulnerabilities?text=overflow")},
}

func BenchmarkPages(b *testing.B) { ask(b, "page: ", pages) }

func BenchmarkLists(b *testing.B) { ask(b, "API: ", lists) }

func ask(b *testing.B, kind string, all []asked) {
	w := country(b)
	times := 60
	if testing.Short() {
		times = 10
	}
	for _, one := range all {
		b.Run(one.name, func(b *testing.B) {
			client := one.who(w)
			var took []time.Duration
			for b.Loop() {
				took = took[:0]
				w.get(b, client, one.path(w, 0), nil)
				for i := range times {
					took = append(took, w.get(b, client, one.path(w, 1+i), nil))
				}
			}
			record(b, figure{kind + one.name, p95(took), mostPage, "ms", fmt.Sprintf("p95 of %d", times)})
		})
	}
}

// BenchmarkAdvisory: a publisher tells of a new weakness in what every organisation runs. How long until the alert is drafted
// and says of each organisation where it stands?
func BenchmarkAdvisory(b *testing.B) {
	w := country(b)
	var longest time.Duration
	exposed := 0
	for b.Loop() {
		b.StopTimer()
		one := estategen.Advisory(rand.IntN(90_000))
		path, err := one.WriteRecord(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		start := time.Now()
		w.run(b, "feed", "sync", "--from", path)
		id := w.draft(b, one.ID)
		all := w.preview(b, id)
		longest = max(longest, time.Since(start))
		exposed = 0
		for _, x := range all {
			if x.Standing.State == "exposed" {
				exposed++
			}
		}
		if len(all) != w.Orgs || exposed != w.Orgs {
			b.Fatalf("%d of %d standings, %d exposed", len(all), w.Orgs, exposed)
		}
	}
	record(b, figure{"a new advisory to a drafted alert", longest.Seconds(), 2, "s", fmt.Sprintf("%s; %d exposed", w.String(), exposed)})
}

// BenchmarkServing comes last: what the server holds when all of the above was asked of it.
func BenchmarkServing(b *testing.B) {
	w := country(b)
	var now, most float64
	for b.Loop() {
		w.settle(b)
		now, most = w.resident(b)
	}
	record(b, figure{"memory, idle, country loaded", now, 0, "MB", fmt.Sprintf("%s (%.0f MB at most)", w.String(), most)})
}
