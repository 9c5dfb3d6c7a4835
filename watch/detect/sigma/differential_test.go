package sigma_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// compare holds the records of random rules against both engines, and each record twice with others between, so that
// nothing of one can be left for the next.
func compare(t *testing.T, bytes []byte) {
	t.Helper()
	c := &choices{bytes}
	set := c.set()
	var records []*watch.Record
	for n := 1 + c.below(6); n > 0; n-- {
		records = append(records, c.record(set))
	}
	records = append(records, records...)
	reference := sigma.NewReference(set)
	for _, engine := range engines[1:] {
		e := engine.make(set)
		for _, r := range records {
			want, got := reference.Match(r, nil), e.Match(r, nil)
			if slices.Equal(got, want) {
				continue
			}
			t.Errorf("%s: hits %v, reference %v", engine.name, got, want)
			for i, rule := range set.Rules {
				if slices.Contains(got, i) != slices.Contains(want, i) {
					t.Errorf("rule %d: %+v: %s", i, rule.Source, describe(rule.Condition))
				}
			}
			for _, v := range r.Values {
				t.Errorf("value: %q (%d, kind %d): %+q", v.Name, v.Field, v.Kind, v.Text)
			}
			t.FailNow()
		}
	}
}

func TestEnginesAgreeOnRandomRules(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	random := rand.New(rand.NewPCG(2025, 5)) //nolint:gosec // the same rules each time
	for range rounds {
		bytes := make([]byte, 64+random.IntN(2048))
		for i := range bytes {
			bytes[i] = byte(random.Uint32()) //nolint:gosec // any byte will do
		}
		compare(t, bytes)
		if t.Failed() {
			return
		}
	}
}

func FuzzEngines(f *testing.F) {
	random := rand.New(rand.NewPCG(13, 5)) //nolint:gosec // seeds
	for range 16 {
		bytes := make([]byte, 512)
		for i := range bytes {
			bytes[i] = byte(random.Uint32()) //nolint:gosec // any byte will do
		}
		f.Add(bytes)
	}
	f.Fuzz(compare)
}
