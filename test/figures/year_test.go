package figures_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wardwatch/test/year"
	"wardwatch/ward"
)

// BenchmarkYear plays a simulated year, holds every reminder and escalation against what the policy asks for, and counts the
// answers of the whole year as overviews do.
func BenchmarkYear(b *testing.B) {
	size := year.Full
	if testing.Short() {
		size = year.Short
	}
	for b.Loop() {
		r := year.Play(b, size)
		on := fmt.Sprintf("%d High and %d other alerts to %d organisations, %d answers, seed %d, played in %.0f s", size.High, size.Other, size.Organisations, r.Answers, size.Seed, r.Took.Seconds())
		b.Log(r)
		if len(r.Examples) > 0 {
			b.Log(strings.Join(r.Examples, "\n"))
		}
		record(b, figure{"a simulated year: reminders and escalations", float64(r.Told), 0, "words", on})
		record(b, figure{"missed of them", float64(r.Missed), none, "words", "held against a second reading of the policy"})
		record(b, figure{"doubled, or told for nothing", float64(r.Doubled), none, "words", "held against a second reading of the policy"})
		const looks = 200
		var overview, tallies []time.Duration
		for range looks {
			began := time.Now()
			if _, err := r.Room.Ledger.Overview(b.Context(), ward.Everything()); err != nil {
				b.Fatal(err)
			}
			overview = append(overview, time.Since(began))
			began = time.Now()
			if _, err := r.Room.Ledger.Tallies(b.Context(), ward.Everything()); err != nil {
				b.Fatal(err)
			}
			tallies = append(tallies, time.Since(began))
		}
		record(b, figure{"overview with that year loaded, p95", p95(overview), 100, "ms", "alerts in force"})
		record(b, figure{"every alert of that year counted, p95", p95(tallies), 100, "ms", "ended alerts too"})
	}
}
