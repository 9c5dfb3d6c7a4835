package sigma_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wardwatch/test/telemetry"
	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
	"wardwatch/watch/ingest/file"
)

// compare holds the records of random rules against both engines, and each record twice with others between, so that
// nothing of one can be left for the next.
func compare(t *testing.T, entropy []byte) {
	t.Helper()
	c := &choices{entropy}
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

var everything = flag.Bool("everything", false, "hold all real events and their mutations against the reference, which takes minutes")

// agree fails where an engine and the reference differ on a record.
func agree(t *testing.T, where string, set *sigma.Set, r *watch.Record, reference, e sigma.Engine) {
	t.Helper()
	want, got := reference.Match(r, nil), e.Match(r, nil)
	if slices.Equal(got, want) {
		return
	}
	for i, rule := range set.Rules {
		if slices.Contains(got, i) != slices.Contains(want, i) {
			t.Errorf("%s: rule %s: the reference says %v, the engine %v", where, rule.ID, slices.Contains(want, i), slices.Contains(got, i))
		}
	}
}

// TestEnginesAgreeOnRealEvents holds the community's rules against real events, and against mutations of them, in both engines.
// It takes one event of so many; -everything takes all.
func TestEnginesAgreeOnRealEvents(t *testing.T) {
	every := 97
	switch {
	case *everything:
		every = 1
	case testing.Short():
		every = 997
	}
	set, _, err := sigma.Load(sigma.Options{Lists: wholeLists(t)}, telemetry.Rules(t)...)
	if err != nil {
		t.Fatal(err)
	}
	reference, e := sigma.NewReference(set), sigma.Compile(set).Engine()
	random := rand.New(rand.NewPCG(5, 2025)) //nolint:gosec // the same mutations each time
	m := newMutator(set, random)
	n, held := 0, 0
	each(t, set.Names, func(event file.Event, r *watch.Record) {
		if n++; n%every != 0 && !strings.Contains(event.File, "regression") {
			return
		}
		held++
		where := fmt.Sprintf("%s: record %d", event.File, event.Record)
		agree(t, where, set, r, reference, e)
		m.mutate(r)
		agree(t, where+", mutated", set, r, reference, e)
		if t.Failed() {
			for _, v := range r.Values {
				t.Logf("%s: %q", v.Name, v.Text)
			}
			t.FailNow()
		}
	}, eventFiles(t)...)
	t.Logf("%d of %d events", held, n)
}

// A mutator changes real records so that they come near to what rules look for: values get literals of rules put in, cut and
// their case changed, are taken from one field to another, become null, go; the record gets the class of another.
type mutator struct {
	random   *rand.Rand
	literals []string
}

func newMutator(s *sigma.Set, random *rand.Rand) *mutator {
	m := &mutator{random: random}
	for _, rule := range s.Rules {
		m.literals = appendLiterals(m.literals, rule.Condition)
	}
	return m
}

func (m *mutator) mutate(r *watch.Record) {
	for range 1 + m.random.IntN(6) {
		if len(r.Values) == 0 {
			return
		}
		v := &r.Values[m.random.IntN(len(r.Values))]
		literal := []byte(m.literals[m.random.IntN(len(m.literals))])
		switch m.random.IntN(9) {
		case 0:
			v.Text = literal
		case 1:
			v.Text = append(bytes.Clone(v.Text), literal...)
		case 2:
			v.Text = append(literal, v.Text...)
		case 3:
			v.Text = bytes.ToUpper(v.Text)
		case 4:
			at := m.random.IntN(len(v.Text) + 1)
			v.Text = slices.Concat(v.Text[:at], literal, v.Text[at:])
		case 5:
			v.Text = v.Text[:m.random.IntN(len(v.Text)+1)]
		case 6:
			v.Text, v.Kind = nil, watch.Null
		case 7:
			other := r.Values[m.random.IntN(len(r.Values))]
			other.Field, other.Name = v.Field, v.Name
			r.Values = append(r.Values, other)
		case 8:
			r.Class = watch.Class(m.random.IntN(len(watch.Logs()))) //nolint:gosec // some hundred
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
		entropy := make([]byte, 64+random.IntN(2048))
		for i := range entropy {
			entropy[i] = byte(random.Uint32()) //nolint:gosec // any byte will do
		}
		compare(t, entropy)
		if t.Failed() {
			return
		}
	}
}

func FuzzEngines(f *testing.F) {
	random := rand.New(rand.NewPCG(13, 5)) //nolint:gosec // seeds
	for range 16 {
		entropy := make([]byte, 512)
		for i := range entropy {
			entropy[i] = byte(random.Uint32()) //nolint:gosec // any byte will do
		}
		f.Add(entropy)
	}
	f.Fuzz(compare)
}
