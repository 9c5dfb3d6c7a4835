package sigma_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"wardwatch/test/processor"
	"wardwatch/test/telemetry"
	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// whole is every rule of the community that can be loaded without lists of an operator's own.
func whole(t testing.TB) *sigma.Set {
	t.Helper()
	set, _, err := sigma.Load(sigma.Options{}, telemetry.Rules(t)...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// BenchmarkEngine reads each event and holds it against all rules; every pass over the events draws their values anew, which is
// not timed. What decoding alone takes is beside it.
func BenchmarkEngine(b *testing.B) {
	for _, row := range []struct {
		name   string
		events func() *telemetry.Events
	}{
		{"otrf", func() *telemetry.Events { return telemetry.OTRF(b) }},
		{"regression", func() *telemetry.Events { return telemetry.Regression(b, 50) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			set := whole(b)
			engine, decoder := sigma.Compile(set).Engine(), watch.NewDecoder(set.Names)
			events := row.events()
			if testing.Short() {
				events = events.Some(10)
			}
			var r watch.Record
			var hits []int
			decode := func() {
				for _, event := range events.All {
					if _, err := decoder.JSON(event, &r); err != nil {
						b.Fatal(err)
					}
				}
			}
			match := func() {
				for _, event := range events.All {
					if _, err := decoder.JSON(event, &r); err != nil {
						b.Fatal(err)
					}
					hits = engine.Match(&r, hits[:0])
				}
			}
			runtime.GOMAXPROCS(1)
			defer runtime.GOMAXPROCS(runtime.NumCPU())
			match() // makes the room that is kept
			b.ReportAllocs()
			var decoded, matched time.Duration
			passes := 0
			for b.Loop() {
				passes++
				b.StopTimer()
				events.Redraw(uint64(passes)) //nolint:gosec // a seed
				before := processor.Time(b)
				decode()
				decoded += processor.Time(b) - before
				before = processor.Time(b)
				b.StartTimer()
				match()
				b.StopTimer()
				matched += processor.Time(b) - before
				b.StartTimer()
			}
			n := float64(passes * len(events.All))
			b.ReportMetric(n/matched.Seconds(), "events/s")
			b.ReportMetric(float64(matched)/n, "cpu-ns/event")
			b.ReportMetric(float64(decoded)/n, "of-it-decoding-ns")
			b.ReportMetric(float64(passes*events.Bytes)/1e6/matched.Seconds(), "MB/s")
		})
	}
}

// BenchmarkOneEvent is how long single events take, by the clock: on a machine with other work, that is in it.
func BenchmarkOneEvent(b *testing.B) {
	set := whole(b)
	engine, decoder := sigma.Compile(set).Engine(), watch.NewDecoder(set.Names)
	events := telemetry.OTRF(b)
	var r watch.Record
	var hits []int
	for b.Loop() {
		took := make([]time.Duration, 0, len(events.All))
		for _, event := range events.All {
			start := time.Now()
			if _, err := decoder.JSON(event, &r); err != nil {
				b.Fatal(err)
			}
			hits = engine.Match(&r, hits[:0])
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
		b.ReportMetric(float64(took[len(took)-1])/1e3, "worst-µs")
	}
}

func BenchmarkScriptOfAMegabyte(b *testing.B) {
	set := whole(b)
	engine, decoder := sigma.Compile(set).Engine(), watch.NewDecoder(set.Names)
	event := telemetry.Megabyte(b, telemetry.OTRF(b))
	var r watch.Record
	var hits []int
	b.ReportAllocs()
	before, n := processor.Time(b), 0
	for b.Loop() {
		n++
		if _, err := decoder.JSON(event, &r); err != nil {
			b.Fatal(err)
		}
		hits = engine.Match(&r, hits[:0])
	}
	b.ReportMetric(float64(processor.Time(b)-before)/float64(n)/1e6, "cpu-ms/event")
	b.ReportMetric(float64(len(hits)), "rules")
}

// BenchmarkLoadAndCompile reads and compiles the whole set.
func BenchmarkLoadAndCompile(b *testing.B) {
	var load, compile time.Duration
	var heap uint64
	n := 0
	for b.Loop() {
		n++
		empty := heapNow()
		before := processor.Time(b)
		set := whole(b)
		load += processor.Time(b) - before
		before = processor.Time(b)
		program := sigma.Compile(set)
		compile += processor.Time(b) - before
		engine := program.Engine()
		heap = heapNow() - empty
		runtime.KeepAlive(engine)
		runtime.KeepAlive(set)
	}
	b.ReportMetric(load.Seconds()/float64(n)*1e3, "load-cpu-ms")
	b.ReportMetric(compile.Seconds()/float64(n)*1e3, "compile-cpu-ms")
	b.ReportMetric(float64(heap)/1e6, "heap-MB")
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
