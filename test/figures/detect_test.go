package figures_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"wardwatch/test/telemetry"
	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// detector is every rule of the community, ready, and what an event needs to be held against them.
type detector struct {
	rules   int
	engine  sigma.Engine
	decoder *watch.Decoder
	record  watch.Record
	hits    []int
}

func (d *detector) see(b *testing.B, event []byte) {
	if _, err := d.decoder.JSON(event, &d.record); err != nil {
		b.Fatal(err)
	}
	d.hits = d.engine.Match(&d.record, d.hits[:0])
}

// BenchmarkDetection reads the community's rules and holds recorded events against all of them, whose values are drawn anew
// for every pass.
func BenchmarkDetection(b *testing.B) {
	folders := telemetry.Rules(b)
	sets := []struct {
		name    string
		events  *telemetry.Events
		longest float64 // µs an event
	}{
		{"otrf", telemetry.OTRF(b), 1e6 / 150_000.0},
		{"regression, attack-heavy", telemetry.Regression(b, 50), 1e6 / 90_000.0},
	}
	script := telemetry.Megabyte(b, sets[0].events)
	for b.Loop() {
		restore := oneCore()
		var d *detector
		before := live()
		load := took(b, 3, func() { d = newDetector(b, folders) })
		heap := live() - before
		rules := fmt.Sprintf("%d rules", d.rules)
		record(b, figure{"rules read and compiled", load.Seconds(), 1, "s", rules})
		record(b, figure{"rules ready, memory", heap, 100, "MB", rules})
		for _, set := range sets {
			events := set.events
			if testing.Short() {
				events = events.Some(20)
			}
			d.measure(b, set.name, set.longest, events)
		}
		d.single(b, sets[0].events)
		d.see(b, script)
		long := took(b, 3, func() { d.see(b, script) })
		record(b, figure{"one event with a script of a megabyte", long.Seconds() * 1e3, 20, "ms", fmt.Sprintf("%s; %d bytes", rules, len(script))})
		restore()
	}
}

func newDetector(b *testing.B, folders []string) *detector {
	b.Helper()
	set, report, err := sigma.Load(sigma.Options{}, folders...)
	if err != nil {
		b.Fatal(err)
	}
	program := sigma.Compile(set)
	return &detector{rules: report.Loaded, engine: program.Engine(), decoder: watch.NewDecoder(set.Names)}
}

// measure is how long an event takes, the mean of each pass, and the quickest pass.
func (d *detector) measure(b *testing.B, name string, longest float64, events *telemetry.Events) {
	b.Helper()
	for _, event := range events.All {
		d.see(b, event) // makes the room that is kept
	}
	best, allocations := time.Duration(1<<62), uint64(1<<62)
	for pass := range 5 {
		events.Redraw(uint64(pass)) //nolint:gosec // a seed
		var from, to runtime.MemStats
		best = min(best, took(b, 1, func() {
			runtime.ReadMemStats(&from)
			for _, event := range events.All {
				d.see(b, event)
			}
			runtime.ReadMemStats(&to)
		}))
		allocations = min(allocations, to.Mallocs-from.Mallocs)
	}
	n := float64(len(events.All))
	each := best.Seconds() * 1e6 / n
	on := fmt.Sprintf("%.0f events, mean %d bytes; %.0f a second, decoding included, %d rules, one core", n, events.Bytes/len(events.All), 1e6/each, d.rules)
	record(b, figure{"an event against every rule: " + name, each, longest, "µs", on})
	record(b, figure{"what an event allocates: " + name, float64(int(float64(allocations)/n*100)) / 100, none, "allocations", on})
}

// single is how long the slowest of events take, by the clock.
func (d *detector) single(b *testing.B, events *telemetry.Events) {
	b.Helper()
	spent := make([]time.Duration, 0, len(events.All))
	for _, event := range events.All {
		start := time.Now()
		d.see(b, bytes.TrimSpace(event))
		spent = append(spent, time.Since(start))
	}
	slices.Sort(spent)
	record(b, figure{"one otrf event, p99", spent[len(spent)*99/100].Seconds() * 1e3, 1, "ms", "by the clock"})
}
