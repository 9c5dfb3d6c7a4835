package watch_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"wardwatch/watch"
)

func someArrivals() []watch.Arrival {
	return []watch.Arrival{
		{Org: "ZZ1", Source: "web.example", Batch: "~1", Sequence: 1, Received: 1_747_000_000_000_000, Format: watch.Combined, Raw: []byte("one")},
		{Org: "ZZ1", Source: "web.example", Batch: "~1", Sequence: 2, Received: 1_747_000_000_000_001, Format: watch.Combined, Raw: []byte("")},
		{Org: "ZZ2", Source: "iis", Sequence: -7, Received: 5, Format: watch.W3C, Header: []byte("#Fields: date"), Raw: []byte("\x00\xff\n")},
		{Org: "ZZ2", Source: "iis", Sequence: 9, Received: 4, Format: watch.W3C, Header: []byte("#Fields: date"), Raw: []byte("two")},
	}
}

func same(a, b []watch.Arrival) bool {
	for _, all := range [][]watch.Arrival{a, b} {
		for i := range all {
			all[i].Header, all[i].Raw = append([]byte{}, all[i].Header...), append([]byte{}, all[i].Raw...)
		}
	}
	return reflect.DeepEqual(a, b)
}

func TestABatchReadsAsItWasWritten(t *testing.T) {
	want := someArrivals()
	got, err := watch.ReadArrivals(watch.AppendArrivals(nil, want), nil)
	if err != nil || !same(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestABatchThatIsCutIsRefused(t *testing.T) {
	whole := watch.AppendArrivals(nil, someArrivals())
	for n := range whole {
		if _, err := watch.ReadArrivals(whole[:n], nil); !errors.Is(err, watch.ErrBatch) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := watch.ReadArrivals(append(whole, 0), nil); !errors.Is(err, watch.ErrBatch) {
		t.Errorf("a byte too many: %v", err)
	}
}

func TestAnEventIsOneByWhoSentItAndItsPlaceNotByWhenItCame(t *testing.T) {
	first := someArrivals()[0]
	later := first
	later.Received++
	if first.ID() != later.ID() {
		t.Error("a repeat that came later is another event")
	}
	for name, change := range map[string]func(*watch.Arrival){
		"organisation":  func(a *watch.Arrival) { a.Org = "ZZ2" },
		"source":        func(a *watch.Arrival) { a.Source = "web.example~" },
		"batch":         func(a *watch.Arrival) { a.Batch = "1" },
		"sequence":      func(a *watch.Arrival) { a.Sequence++ },
		"bytes":         func(a *watch.Arrival) { a.Raw = []byte("oneone") },
		"moved borders": func(a *watch.Arrival) { a.Source, a.Batch = a.Source+"~", "1" },
	} {
		other := first
		if change(&other); other.ID() == first.ID() {
			t.Errorf("another %s is the same event", name)
		}
	}
}

func FuzzReadArrivals(f *testing.F) {
	f.Add(watch.AppendArrivals(nil, someArrivals()))
	f.Add(watch.AppendArrivals(nil, nil))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, batch []byte) {
		read, err := watch.ReadArrivals(batch, nil)
		if err != nil {
			return
		}
		written := watch.AppendArrivals(nil, read)
		again, err := watch.ReadArrivals(written, nil)
		if err != nil || !same(again, read) || !bytes.Equal(watch.AppendArrivals(nil, again), written) {
			t.Fatalf("%q reads as %+v, and written again as %+v (%v)", batch, read, again, err)
		}
	})
}
