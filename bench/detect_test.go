package bench_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"wardwatch/test/processor"
	"wardwatch/test/shared"
	"wardwatch/test/telemetry"
	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// BenchmarkDetectionBesideFastjson reads events and holds them against every rule of the community, and beside it lets fastjson
// parse the same bytes, and nothing else. One core; each pass draws the values of the events anew.
func BenchmarkDetectionBesideFastjson(b *testing.B) {
	if os.Getenv(shared.Env) == "" {
		b.Setenv(shared.Env, filepath.Join("..", "..", "shared")) // beside the clone, of which this module is a folder
	}
	set, _, err := sigma.Load(sigma.Options{}, telemetry.Rules(b)...)
	if err != nil {
		b.Fatal(err)
	}
	program := sigma.Compile(set)
	for _, row := range []struct {
		name   string
		events *telemetry.Events
	}{
		{"otrf", telemetry.OTRF(b)},
		{"regression", telemetry.Regression(b, 50)},
	} {
		b.Run(row.name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			d := detection{set: set, engine: program.Engine(), decoder: watch.NewDecoder(set.Names)}
			var parser fastjson.Parser
			parse := func(event []byte) error {
				_, err := parser.ParseBytes(event)
				return err
			}
			each(b, row.events, d.see) // makes the room that is kept
			each(b, row.events, parse)
			var ours, theirs time.Duration
			passes := 0
			for b.Loop() {
				passes++
				row.events.Redraw(uint64(passes)) //nolint:gosec // a seed
				theirs += each(b, row.events, parse)
				ours += each(b, row.events, d.see)
			}
			n := float64(passes * len(row.events.All))
			b.ReportMetric(float64(ours)/n, "detection-ns/event")
			b.ReportMetric(float64(theirs)/n, "fastjson-ns/event")
			b.ReportMetric(float64(ours)/float64(theirs), "times-fastjson")
		})
	}
}

// each does it to every event, and says how much processor time that took.
func each(b *testing.B, events *telemetry.Events, do func([]byte) error) time.Duration {
	b.Helper()
	before := processor.Time(b)
	for _, event := range events.All {
		if err := do(event); err != nil {
			b.Fatal(err)
		}
	}
	return processor.Time(b) - before
}

type detection struct {
	set     *sigma.Set
	engine  sigma.Engine
	decoder *watch.Decoder
	record  watch.Record
	hits    []int
}

func (d *detection) see(event []byte) error {
	if _, err := d.decoder.JSON(event, &d.record); err != nil {
		return err
	}
	d.hits = d.engine.Match(&d.record, d.hits[:0])
	return nil
}
