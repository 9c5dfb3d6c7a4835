package estate_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"wardwatch/know/estate"
	"wardwatch/test/estategen"
	"wardwatch/ward"
)

// BenchmarkImportTrust imports one generated trust of real size, 8,000 devices with 80 titles each, for the first time, again with nothing
// new, and with one install in a hundred updated. The aim is 30 s for the first.
func BenchmarkImportTrust(b *testing.B) {
	trust := estategen.Trust{Org: "XZ1A"}
	if testing.Short() {
		trust.Devices = 500
	}
	for b.Loop() {
		b.StopTimer()
		h := open(b)
		first, second := inventoryFile(b, trust), inventoryFile(b, estategen.Trust{Org: trust.Org, Devices: trust.Devices, Round: 1})
		b.StartTimer()
		for i, round := range []struct{ name, file string }{{"first", first}, {"same", first}, {"update", second}} {
			at := start.Add(time.Duration(i) * time.Hour)
			h.clock.Set(at)
			began := time.Now()
			done := importFile(b, h, trust.Org, round.file, at)
			b.ReportMetric(time.Since(began).Seconds(), round.name+"-s")
			b.ReportMetric(float64(done.Rows)/time.Since(began).Seconds(), round.name+"-rows/s")
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.Sys)/1e6, "sys-MB")
	}
}

// BenchmarkNation loads 230 generated organisations with 5 million rows, one of them with 8,000 devices, and reads of that one what pages
// read. The aim is 20 ms a read.
func BenchmarkNation(b *testing.B) {
	count, devices, large := 230, 240, 8000
	if testing.Short() {
		count, large = 10, 500
	}
	h := open(b)
	orgs := estategen.Organisations(count)
	if _, err := h.ImportOrganisations(ctx, ward.System("bench"), estate.Directory{Organisations: orgs}); err != nil {
		b.Fatal(err)
	}
	began, rows := time.Now(), 0
	h.clock.Set(start)
	org := orgs[count/2].ID
	for _, o := range orgs {
		trust := estategen.Trust{Org: o.ID, Devices: devices}
		if o.ID == org {
			trust.Devices = large
		}
		rows += importFile(b, h, o.ID, inventoryFile(b, trust), start).Rows
	}
	b.Logf("generated data: %d organisations, %d rows loaded in %s", count, rows, time.Since(began).Round(time.Second))
	if info, err := os.Stat(h.store.Path()); err == nil {
		b.Logf("%d MB on the disk", info.Size()/1e6)
	}
	own := ward.Only(org)
	page, err := h.Assets(ctx, own, estate.AssetQuery{Org: org})
	if err != nil || len(page.Items) != ward.PageSize {
		b.Fatal(err, len(page.Items))
	}
	asset := page.Items[7].ID
	for name, read := range map[string]func() (any, error){
		"assets":          func() (any, error) { return h.Assets(ctx, own, estate.AssetQuery{Org: org}) },
		"assets-next":     func() (any, error) { return h.Assets(ctx, own, estate.AssetQuery{Org: org, After: page.Next}) },
		"assets-own":      func() (any, error) { return h.Assets(ctx, own, estate.AssetQuery{}) },
		"assets-nation":   func() (any, error) { return h.Assets(ctx, ward.Everything(), estate.AssetQuery{}) },
		"assets-text":     func() (any, error) { return h.Assets(ctx, own, estate.AssetQuery{Org: org, Text: "srv-0001"}) },
		"assets-software": func() (any, error) { return h.Assets(ctx, own, estate.AssetQuery{Org: org, Software: "product 777"}) },
		"assets-common":   func() (any, error) { return h.Assets(ctx, own, estate.AssetQuery{Org: org, Software: "product 7"}) },
		"assets-gone":     func() (any, error) { return h.Assets(ctx, own, estate.AssetQuery{Org: org, Gone: true}) },
		"asset":           func() (any, error) { return h.Asset(ctx, own, asset) },
		"installs":        func() (any, error) { return h.Installs(ctx, own, asset) },
		"sightings":       func() (any, error) { return h.Sightings(ctx, own, asset) },
		"coverage":        func() (any, error) { return h.Coverage(ctx, own, org) },
		"sources":         func() (any, error) { return h.Sources(ctx, own, org) },
		"imports":         func() (any, error) { return h.Imports(ctx, own, org, 20) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func inventoryFile(b *testing.B, trust estategen.Trust) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), fmt.Sprintf("%s-%d.csv", trust.Org, trust.Round))
	file, err := os.Create(path)
	if err == nil {
		err = trust.WriteCSV(file)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	return path
}

func importFile(b *testing.B, h *house, org ward.OrgID, path string, at time.Time) ward.Import {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var body io.Reader = file
	done, err := h.Import(ctx, person(ward.Lead, org), estate.Delivery{Org: org, Source: "inventory", Body: body, ObservedAt: at, Name: "x.csv",
		Classes: []ward.Class{ward.Workstation, ward.Server}})
	if err != nil {
		b.Fatal(err)
	}
	return done
}
