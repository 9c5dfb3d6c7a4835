package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/ingest"
)

// carrier is a bus that may be slow, and may be broken.
type carrier struct {
	mu     sync.Mutex
	broken bool
	takes  time.Duration
	order  []watch.Arrival
}

func (c *carrier) Publish(ctx context.Context, _ int, body []byte) (uint64, error) {
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return 0, errors.New("no room on the disk")
	}
	all, err := watch.ReadArrivals(body, nil)
	c.order = append(c.order, all...)
	return 1, err
}

func (c *carrier) carried() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.order)
}

func lines(source string, n int) (all []watch.Arrival) {
	for i := range n {
		all = append(all, watch.Arrival{Source: source, Format: watch.Lines, Raw: fmt.Appendf(nil, "line %d of %s", i, source)})
	}
	return all
}

func running(t *testing.T, o ingest.Options) (p *ingest.Pipeline, stop func()) {
	t.Helper()
	o.Clock = ward.WallClock{}
	p = ingest.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	return p, func() { cancel(); <-done }
}

func TestAReceiptIsDoneWhenAllIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{takes: time.Second}
		p, stop := running(t, ingest.Options{Bus: c})
		defer stop()
		r, err := p.Take(t.Context(), ingest.Sender{Org: "ZZ1"}, lines("a", 2500))
		if err != nil {
			t.Fatal(err)
		}
		soon, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		if err := r.Wait(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("done before it is durable:", err)
		}
		if err := r.Wait(t.Context()); err != nil || c.carried() != 2500 {
			t.Error(c.carried(), err)
		}
		for i, a := range c.order {
			if a.Org != "ZZ1" || a.Repeatable() || a.Received == 0 {
				t.Fatalf("%d: %+v", i, a)
			}
		}
		if p.Unflushed() != 0 {
			t.Error(p.Unflushed(), "bytes are unflushed")
		}
	})
}

// TestARequestOfNothingShutsNobodyOut: whoever sends only what cannot be read has nothing to take, and others of its organisation go on.
func TestARequestOfNothingShutsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stop := running(t, ingest.Options{Bus: &carrier{}})
		defer stop()
		for _, n := range []int{0, 1, 0, 1} {
			r, err := p.Take(t.Context(), ingest.Sender{Org: "ZZ1"}, lines("a", n))
			if err == nil {
				err = r.Wait(t.Context())
			}
			if err != nil {
				t.Fatal(n, err)
			}
		}
	})
}

func TestNothingIsUnflushedForLongerThan100ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stop := running(t, ingest.Options{Bus: &carrier{}})
		defer stop()
		for range 50 {
			r, err := p.Take(t.Context(), ingest.Sender{Org: "ZZ1"}, lines("a", 1))
			began := time.Now()
			if err = errors.Join(err, r.Wait(t.Context())); err != nil || time.Since(began) > 100*time.Millisecond {
				t.Fatal(time.Since(began), err)
			}
			time.Sleep(13 * time.Millisecond)
		}
	})
}

func TestABrokenBusIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{broken: true}
		p, stop := running(t, ingest.Options{Bus: c})
		defer stop()
		r, err := p.Take(t.Context(), ingest.Sender{Org: "ZZ1"}, lines("a", 10))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.mu.Lock()
		c.broken = false
		c.mu.Unlock()
		if err := r.Wait(t.Context()); err != nil || c.carried() != 10 {
			t.Error(c.carried(), err)
		}
	})
}

func TestWhatIsNotStoredWhenItStopsIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, stop := running(t, ingest.Options{Bus: &carrier{broken: true}})
		r, err := p.Take(t.Context(), ingest.Sender{Org: "ZZ1"}, lines("a", 10))
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if err := r.Wait(t.Context()); !errors.Is(err, ingest.ErrStopped) {
			t.Error(err)
		}
	})
}

func TestAFloodOfOneDoesNotStarveAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{takes: 10 * time.Millisecond}
		p, stop := running(t, ingest.Options{Bus: c, Flights: 1})
		defer stop()
		flood := ingest.Sender{Org: "ZZ1"}
		for range 200 {
			if _, err := p.Take(t.Context(), flood, lines("flood", 1000)); err != nil {
				break
			}
		}
		began := time.Now()
		r, err := p.Take(t.Context(), ingest.Sender{Org: "ZZ2"}, lines("quiet", 50))
		if err = errors.Join(err, r.Wait(t.Context())); err != nil || time.Since(began) > 100*time.Millisecond {
			t.Errorf("it waited %v behind the flood (%v)", time.Since(began), err)
		}
	})
}

func TestASenderIsToldToWaitBeforeAnyWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{broken: true}
		p, stop := running(t, ingest.Options{Bus: c, PerOrg: 1000, InAll: 1500})
		defer stop()
		one, other, third := ingest.Sender{Org: "ZZ1"}, ingest.Sender{Org: "ZZ2"}, ingest.Sender{Org: "ZZ3"}
		if _, err := p.Take(t.Context(), one, lines("a", 60)); err != nil {
			t.Fatal(err)
		}
		var busy *ingest.Busy
		if err := p.Room(one, 400); !errors.As(err, &busy) || busy.After <= 0 || !errors.Is(err, ingest.ErrBusy) {
			t.Error("its quota is used up:", err)
		}
		if _, err := p.Take(t.Context(), one, lines("a", 60)); !errors.Is(err, ingest.ErrBusy) {
			t.Error("its quota is used up:", err)
		}
		if _, err := p.Take(t.Context(), other, lines("b", 30)); err != nil {
			t.Error("another's quota is not:", err)
		}
		if err := p.Room(third, 900); !errors.Is(err, ingest.ErrBusy) {
			t.Error("there is no room for anybody:", err)
		}
		refused := map[string]int64{}
		for _, s := range p.Sources() {
			refused[s.Name] = s.Refused
		}
		if refused["a"] != 60 {
			t.Error("what was refused is not shown:", refused)
		}
		c.mu.Lock()
		c.broken = false
		c.mu.Unlock()
		time.Sleep(10 * time.Second)
		if err := p.Room(one, 900); err != nil {
			t.Error("there is room again:", err)
		}
	})
}

func TestDeadLettersAreASampleWithItsReason(t *testing.T) {
	var letters []ingest.Letter
	p := ingest.New(ingest.Options{Clock: ward.WallClock{}, Bus: &carrier{}, Letters: func(l ingest.Letter) { letters = append(letters, l) },
		Redact: func(_ ward.OrgID, raw []byte) int { return ingest.RedactNHSNumbers(raw) }})
	p.Dead(ingest.Sender{Org: "ZZ1"}, "a", errors.New("no frame"), append([]byte("9434765919 "), make([]byte, 5000)...))
	if len(letters) != 1 || letters[0].Reason != "no frame" || len(letters[0].Sample) != 512 || string(letters[0].Sample[:10]) != "000000000X" {
		t.Errorf("%+v", letters)
	}
}

func TestNHSNumbersAreRedacted(t *testing.T) {
	for text, want := range map[string]string{
		"patient 9434765919 seen":             "patient 000000000X seen",
		"943 476 5919":                        "000 000 000X",
		"943-476-5919,":                       "000-000-000X,",
		`{"nhs":"9434765919","x":4010232137}`: `{"nhs":"000000000X","x":000000000X}`,
		"9434765918":                          "9434765918",   // check digit
		"943 476-5919":                        "943 476-5919", // not how it is written
		"19434765919":                         "19434765919",  // part of a longer number
		"94347659190":                         "94347659190",
		"a9434765919":                         "a9434765919",
		"9434765919f":                         "9434765919f",
		"192.0.2.1 9434765919":                "192.0.2.1 000000000X",
		"1747281607.9434765919":               "1747281607.9434765919", // a fraction
		"":                                    "",
		"943476591":                           "943476591",
	} {
		raw := []byte(text)
		n := ingest.RedactNHSNumbers(raw)
		if string(raw) != want || (n > 0) != (text != want) {
			t.Errorf("%q became %q (%d), want %q", text, raw, n, want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte("943 476 5919 and 9434765919"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		n := ingest.RedactNHSNumbers(raw)
		if len(raw) != len(before) || n == 0 && string(raw) != before {
			t.Fatalf("%q became %q", before, raw)
		}
		if again := ingest.RedactNHSNumbers(raw); again != 0 {
			t.Fatalf("%q is redacted again", raw)
		}
	})
}

type nowhere struct{}

func (nowhere) Publish(context.Context, int, []byte) (uint64, error) { return 1, nil }

func BenchmarkPipeline(b *testing.B) {
	line := make([]byte, 400)
	for i := range line {
		line[i] = 'a' + byte(i%26)
	}
	batch := make([]watch.Arrival, 500)
	for i := range batch {
		batch[i] = watch.Arrival{Source: "web.example", Format: watch.Syslog, Raw: line}
	}
	b.Run("floor: copied twice", func(b *testing.B) {
		to := make([]byte, 400*len(batch))
		for b.Loop() {
			for range 2 {
				for i := range batch {
					copy(to[400*i:], batch[i].Raw)
				}
			}
		}
		b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("taken, redacted, published", func(b *testing.B) {
		p := ingest.New(ingest.Options{Clock: ward.WallClock{}, Bus: nowhere{}, Redact: func(_ ward.OrgID, raw []byte) int { return ingest.RedactNHSNumbers(raw) }})
		ctx, stop := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = p.Run(ctx) }()
		b.ReportAllocs()
		for b.Loop() {
			for {
				if _, err := p.Take(ctx, ingest.Sender{Org: "ZZ1"}, batch); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
		b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
		stop()
		<-done
	})
}
