package indicators_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
)

func TestAWindowOpensAndCloses(t *testing.T) {
	clock := ward.NewHandClock(day)
	x := index(t, clock, nil, "value,valid_from,valid_until", "203.0.113.7,2025-05-13T12:00:10Z,2025-05-13T12:00:20Z")
	r := record(nil, "ip=203.0.113.7")
	for _, row := range []struct {
		after time.Duration
		want  int
	}{{0, 0}, {10*time.Second - time.Microsecond, 0}, {10 * time.Second, 1}, {20*time.Second - time.Microsecond, 1}, {20 * time.Second, 0}} {
		clock.Set(day.Add(row.after))
		if got := len(x.Look(r, nil)); got != row.want {
			t.Errorf("after %s: %d hits, want %d", row.after, got, row.want)
		}
	}
}

func TestWhatAHitSays(t *testing.T) {
	x := index(t, ward.NewHandClock(day), nil, "type,value,valid_from,valid_until,source,grade,tlp",
		"ip,203.0.113.7,2025-05-01,2025-06-01,partner,B2,red", "cidr,203.0.113.0/24,,,other,,")
	hits := x.Look(record(nil, "ip=203.0.113.7", "alias=203.0.113.7"), nil)
	if len(hits) != 4 {
		t.Fatalf("%d hits, want two in each field", len(hits))
	}
	got, want := hits[0].Indicator(), ward.Indicator{
		Kind: ward.IndicatorAddress, Value: "203.0.113.7", From: time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC),
		Until: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), Source: "partner", Grade: "B2", TLP: ward.TLPRed,
	}
	if got != want || string(hits[0].Field) != "ip" {
		t.Errorf("got %+v in %s, want %+v", got, hits[0].Field, want)
	}
	text := []byte("203.0.113.7") // the same bytes under two names
	r := &watch.Record{Values: []watch.Value{{Name: []byte("a"), Text: text}, {Name: []byte("b"), Text: text}}}
	if hits := x.Look(r, nil); len(hits) != 2 {
		t.Errorf("%d hits in one text of two names, want 2", len(hits))
	}
}

func TestWarningLists(t *testing.T) {
	x := index(t, ward.NewHandClock(day), nil, "203.0.113.7", "198.51.100.0/24", "cdn.example", "http://cdn.example/", "http://cdn.example/evil", "attacker.example", "tool.exe")
	for _, err := range x.Warn(
		indicators.WarningList{Name: "resolvers", Values: []string{"203.0.113.7", "198.51.100.8/30"}},
		indicators.WarningList{Name: "everybody", Values: []string{".cdn.example", "www.attacker.example", "tool.exe"}},
	) {
		t.Error(err)
	}
	for _, row := range []struct{ value, want string }{
		{"203.0.113.7", "resolvers"},
		{"198.51.100.9", "resolvers"},
		{"198.51.100.12", ""},
		{"a.cdn.example", "everybody"},
		{"www.attacker.example", "everybody"},
		{"a.www.attacker.example", ""},
		{"tool.exe", "everybody"},
	} {
		hits := x.Look(record(nil, "v="+row.value), nil)
		if len(hits) != 1 || hits[0].Warned != row.want {
			t.Errorf("%s: %d hits, warned by %v, want one by %q", row.value, len(hits), hits, row.want)
		}
	}
	for link, want := range map[string]int{"http://cdn.example/": 0, "http://cdn.example/evil": 1} {
		free := 0
		for _, h := range x.Look(record(nil, "v="+link), nil) {
			if h.Warned == "" {
				free++
			}
		}
		if free != want {
			t.Errorf("%s: %d hits that no list warns of, want %d", link, free, want)
		}
	}
	if refused := x.Warn(indicators.WarningList{Name: "x", Values: []string{"0.0.0.0/0", ".."}}); len(refused) != 2 {
		t.Errorf("refused %v, want both", refused)
	}
}

// feed is a Source that a test adds to.
type feed struct {
	mu      sync.Mutex
	changes []indicators.Change
	err     error
}

func (f *feed) add(c ...indicators.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = append(f.changes, c...)
}

func (f *feed) Changes(_ context.Context, after indicators.Mark, give func(indicators.Change) error) (indicators.Mark, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.changes[after:] {
		if err := give(c); err != nil {
			return after, err
		}
	}
	return indicators.Mark(len(f.changes)), f.err
}

func address(n int, source string) indicators.Change {
	return indicators.Change{Indicator: ward.Indicator{
		Kind: ward.IndicatorAddress, Value: fmt.Sprintf("198.51.%d.%d", n>>8&255, n&255), Source: source,
	}}
}

func TestASourceIsFollowed(t *testing.T) {
	clock, f := ward.NewHandClock(day), &feed{}
	x, err := indicators.New(indicators.Options{Clock: clock, Live: 1})
	if err != nil {
		t.Fatal(err)
	}
	poll := func() {
		t.Helper()
		next, err := x.Due(t.Context(), f, clock.Now())
		if err != nil || next.Sub(clock.Now()) > time.Second {
			t.Fatalf("next in %s, %v", next.Sub(clock.Now()), err)
		}
	}
	is := func(n, want int) {
		t.Helper()
		if got := len(x.Look(record(nil, "ip="+address(n, "").Value), nil)); got != want {
			t.Errorf("%d: %d hits, want %d", n, got, want)
		}
	}
	f.add(address(1, "a"), address(1, "b"), indicators.Change{Indicator: ward.Indicator{Kind: "planet", Value: "mars"}})
	poll()
	is(1, 2)
	if s := x.Stats(); s.Sealed != 2 || s.Refused != 1 {
		t.Errorf("holds %+v", s)
	}
	f.add(address(2, "a"))
	poll()
	is(2, 1)
	back := address(1, "a")
	back.Withdrawn = true
	later := address(2, "a")
	later.From = day.Add(time.Hour)
	f.add(back, later)
	poll()
	is(1, 1)
	is(2, 0)
	if _, err := x.Seal(t.Context(), clock.Now()); err != nil {
		t.Fatal(err)
	}
	if s := x.Stats(); s.Sealed != 2 || s.Live != 0 {
		t.Errorf("after sealing it holds %+v", s)
	}
	is(1, 1)
	is(2, 0)
	clock.Advance(time.Hour)
	is(2, 1)

	f.add(address(3, "a"))
	f.err = errors.New("cut off")
	if _, err := x.Due(t.Context(), f, clock.Now()); err == nil {
		t.Fatal("no error")
	}
	is(3, 0)
	f.err = nil
	poll()
	is(3, 1)
}

// TestNothingIsLostWhileGenerationsChange looks for a value without a pause while others come, go and are sealed.
func TestNothingIsLostWhileGenerationsChange(t *testing.T) {
	x, err := indicators.New(indicators.Options{Clock: ward.NewHandClock(day), Live: 1})
	if err != nil {
		t.Fatal(err)
	}
	known := ward.Indicator{Kind: ward.IndicatorAddress, Value: "203.0.113.7", Source: "a"}
	if err := x.Fill(func(give func(ward.Indicator) error) error { return give(known) }); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			r, hits := record(nil, "ip=203.0.113.7"), []indicators.Hit{}
			for {
				select {
				case <-stop:
					return
				default:
				}
				if hits = x.Look(r, hits[:0]); len(hits) != 1 || hits[0].Indicator().Value != known.Value {
					t.Errorf("%d hits", len(hits))
					return
				}
			}
		})
	}
	var sealing sync.WaitGroup
	sealing.Go(func() {
		for range 40 {
			if _, err := x.Seal(t.Context(), day); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 200 {
		if refused := x.Apply(address(i, "a"), indicators.Change{Indicator: known}); len(refused) > 0 {
			t.Fatal(refused)
		}
	}
	sealing.Wait()
	close(stop)
	looking.Wait()
	if _, err := x.Seal(t.Context(), day); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if len(x.Look(record(nil, "ip="+address(i, "").Value), nil)) != 1 {
			t.Errorf("the %d-th change is lost", i)
		}
	}
}

// plainly is what the index ought to find, worked out from a list: a value that is one thing, held against each statement.
func plainly(standing []ward.Indicator, now time.Time, value string) []string {
	out := []string{}
	add := func(i ward.Indicator) { out = append(out, string(i.Kind)+" "+i.Value+" "+i.Source) }
	host := value
	if _, of, mail := strings.Cut(value, "@"); mail {
		host = of
	}
	link := strings.Contains(value, "://")
	if link {
		host, _, _ = strings.Cut(strings.TrimPrefix(value, "http://"), "/")
	}
	ip, notIP := netip.ParseAddr(host)
	for _, i := range standing {
		if !i.Holds(now) {
			continue
		}
		switch i.Kind {
		case ward.IndicatorAddress:
			if notIP == nil && ip.Unmap() == netip.MustParseAddr(i.Value) {
				add(i)
			}
		case ward.IndicatorNetwork:
			if notIP == nil && netip.MustParsePrefix(i.Value).Contains(ip.Unmap()) {
				add(i)
			}
		case ward.IndicatorDomain:
			if host == i.Value || strings.HasSuffix(host, "."+i.Value) {
				add(i)
			}
		case ward.IndicatorURL:
			if link && strings.TrimPrefix(value, "http://") == i.Value {
				add(i)
			}
		case ward.IndicatorURLPrefix:
			if link && strings.HasPrefix(strings.TrimPrefix(value, "http://"), strings.TrimSuffix(i.Value, "*")) {
				add(i)
			}
		default:
			if value == i.Value {
				add(i)
			}
		}
	}
	slices.Sort(out)
	return out
}

// FuzzIndexAgainstAList lets an index and a list live through the same changes, and asks both of the same values.
func FuzzIndexAgainstAList(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func(of ...string) string { return of[r.IntN(len(of))] }
		host := func() string { return pick("", "a.", "b.a.") + pick("x", "y", "z") + ".attacker.example" }
		ip := func() string {
			return pick("203.0.113.", "198.51.100.") + fmt.Sprint(r.IntN(8))
		}
		path := func() string { return "/" + pick("", "a", "ab", "abc/d", "abc/de") }
		statement := func() ward.Indicator {
			i := ward.Indicator{Source: pick("p", "q"), TLP: ward.TLPGreen}
			switch r.IntN(9) {
			case 0:
				i.Kind, i.Value = ward.IndicatorAddress, ip()
			case 1:
				i.Kind, i.Value = ward.IndicatorNetwork, ip()+pick("/24", "/29", "/30", "/31", "/15")
			case 2:
				i.Kind, i.Value = ward.IndicatorDomain, host()
			case 3:
				i.Kind, i.Value = ward.IndicatorURL, host()+path()
			case 4:
				i.Kind, i.Value = ward.IndicatorURLPrefix, host()+path()+"*"
			case 5:
				i.Kind, i.Value = ward.IndicatorMD5, strings.Repeat(pick("0a", "0b", "0c"), 16)
			case 6:
				i.Kind, i.Value = ward.IndicatorSHA256, strings.Repeat(pick("0a", "0b", "0c"), 32)
			case 7:
				i.Kind, i.Value = ward.IndicatorEmail, pick("jo", "al")+"@"+host()
			case 8:
				i.Kind, i.Value = ward.IndicatorFile, pick("one", "two")+".exe"
			}
			if r.IntN(2) == 0 {
				i.From = day.Add(time.Duration(r.IntN(20)) * time.Second)
			}
			if r.IntN(2) == 0 {
				i.Until = day.Add(time.Duration(20+r.IntN(20)) * time.Second)
			}
			var err error
			if i.Kind, i.Value, err = indicators.Normal(i.Kind, i.Value); err != nil {
				t.Fatal(err)
			}
			return i
		}
		clock := ward.NewHandClock(day)
		x, err := indicators.New(indicators.Options{Clock: clock, Live: 1 + r.IntN(50)})
		if err != nil {
			t.Fatal(err)
		}
		standing := map[string]ward.Indicator{}
		for range 30 {
			for range r.IntN(40) {
				c := indicators.Change{Indicator: statement(), Withdrawn: r.IntN(4) == 0}
				for _, err := range x.Apply(c) {
					t.Fatal(err)
				}
				if key := string(c.Kind) + c.Value + c.Source; c.Withdrawn {
					delete(standing, key)
				} else {
					standing[key] = c.Indicator
				}
			}
			if r.IntN(3) == 0 {
				if _, err := x.Seal(t.Context(), clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
			clock.Set(day.Add(time.Duration(r.IntN(45)) * time.Second))
			list := []ward.Indicator{}
			for _, i := range standing {
				list = append(list, i)
			}
			for range 40 {
				value := pick(ip(), "::ffff:"+ip(), host(), "http://"+host()+path(), "http://"+ip()+path(), "jo@"+host(),
					strings.Repeat("0a", 16), strings.Repeat("0b", 32), "one.exe", "two.exe")
				got := []string{}
				for _, h := range x.Look(record(nil, "v="+value), nil) {
					i := h.Indicator()
					got = append(got, string(i.Kind)+" "+i.Value+" "+i.Source)
				}
				slices.Sort(got)
				if want := plainly(list, clock.Now(), value); !slices.Equal(got, want) {
					t.Fatalf("%q\n got %q\nwant %q", value, got, want)
				}
			}
		}
	})
}
