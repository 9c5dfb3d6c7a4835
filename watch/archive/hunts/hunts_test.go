package hunts_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/archive/hunts"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
)

var (
	now     = time.Date(2025, 5, 23, 12, 0, 0, 0, time.UTC)
	analyst = ward.Actor{Person: "p1", Name: "A. Nalyst", Role: ward.Analyst, Scope: ward.Everything()}
	lead    = ward.Actor{Person: "p2", Name: "L. Ead", Org: "ZZ1", Role: ward.Lead, Scope: ward.Only("ZZ1")}
	other   = ward.Actor{Person: "p3", Name: "O. Ther", Org: "ZZ2", Role: ward.Lead, Scope: ward.Only("ZZ2")}
)

type world struct {
	*hunts.Desk
	t     *testing.T
	kept  *archive.Archive
	store *store.Store
	clock *ward.HandClock
	folds []*fold
}

// fold counts what a look-back gives it, and what it keeps.
type fold struct{ given, saved, kept int }

func (f *fold) Add(archive.Hit) { f.given++ }
func (f *fold) Keep(context.Context, *store.Tx) error {
	f.saved = f.given
	return nil
}
func (f *fold) Kept() { f.kept, f.given = f.kept+f.saved, 0 }

func newWorld(t *testing.T, o hunts.Options) *world {
	t.Helper()
	dir := t.TempDir()
	kept, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blocks.OpenDirectory(filepath.Join(dir, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: kept, clock: ward.NewHandClock(now)}
	w.kept = archive.New(archive.Options{
		Clock: w.clock, Store: kept, Bucket: bucket, Temp: t.TempDir(), Names: watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields(), archive.HostFields())...),
		Keyer: func(n *watch.Names) watch.Keyer { return indicators.NewKeyer(n) },
	})
	o.Store, o.Clock = kept, w.clock
	o.Query = func(s ward.Sought) (watch.Query, error) {
		if s.Query != "" {
			return detect.ParseFieldQuery(s.Query, w.clock)
		}
		return indicators.NewQuery(s.Indicators, w.clock)
	}
	o.Folds = func(ward.Hunt) (hunts.Fold, error) {
		f := new(fold)
		w.folds = append(w.folds, f)
		return f, nil
	}
	w.Desk = hunts.New(o)
	t.Cleanup(func() {
		if err := errors.Join(w.kept.Close(), bucket.Close(), kept.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// keep archives so many events of an organisation and a day, all with the address.
func (w *world) keep(org ward.OrgID, day, events int) {
	w.t.Helper()
	c, d := w.kept.Cutter(), watch.NewDecoder(w.kept.Names)
	for i := range events {
		raw := fmt.Sprintf("<34>1 2025-05-%02dT03:00:%02dZ gate.example sshd 1 - - Failed password for jane from 192.0.2.7 port %d <script>", day, i%60, i)
		a := watch.Arrival{Org: org, Source: fmt.Sprintf("gate-%d-%d", day, events), Sequence: int64(i + 1), Received: w.clock.Now().UnixMicro(), Format: watch.Syslog, Raw: []byte(raw)}
		var r watch.Record
		if err := d.Event(a.Format, nil, a.Raw, &r); err != nil && !errors.Is(err, watch.ErrNotFormat) {
			w.t.Fatal(err)
		}
		if _, err := c.Add(w.t.Context(), &a, &r); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := c.Cut(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// run carries hunts out until the one is over, or until says so.
func (w *world) run(id ward.HuntID, until func(ward.Hunt) bool) (h ward.Hunt) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx, w.kept)
	}()
	for ctx.Err() == nil {
		var err error
		if h, err = w.Hunt(w.t.Context(), ward.Everything(), id); err != nil {
			w.t.Fatal(err)
		}
		if until == nil && h.State.Over() || until != nil && until(h) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	<-done
	h, err := w.Hunt(w.t.Context(), ward.Everything(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func address(values ...string) ward.Sought {
	var s ward.Sought
	for _, v := range values {
		s.Indicators = append(s.Indicators, ward.Indicator{Kind: ward.IndicatorAddress, Value: v})
	}
	return s
}

func TestAHuntCountsByDayAndOrganisation(t *testing.T) {
	w := newWorld(t, hunts.Options{MostHits: 4})
	w.keep("ZZ1", 14, 3)
	w.keep("ZZ1", 15, 2)
	w.keep("ZZ1", 15, 1) // in another block
	w.keep("ZZ2", 15, 4)
	asked, err := w.Ask(t.Context(), analyst, hunts.Question{For: address("192.0.2.7")})
	if err != nil {
		t.Fatal(err)
	}
	h := w.run(asked.ID, nil)
	if h.State != ward.HuntDone || h.Hits != 10 || h.Blocks != 4 || h.Done != 4 || h.Kept != 4 || h.Events != h.Read {
		t.Errorf("%+v", h)
	}
	days, err := w.Days(t.Context(), ward.Everything(), h.ID)
	if err != nil || len(days) != 3 || days[0].Day.Day() != 15 || days[0].Org != "ZZ1" || days[2].Hits != 3 {
		t.Errorf("%+v %v", days, err)
	}
	page, err := w.Hits(t.Context(), ward.Everything(), h.ID, "", 3)
	if err != nil || len(page.Items) != 3 || page.Next == "" || !strings.HasSuffix(page.Items[0].Raw, "<script>") || page.Items[0].Number != 1 {
		t.Fatalf("%+v %v", page, err)
	}
	if page, err = w.Hits(t.Context(), ward.Everything(), h.ID, page.Next, 3); err != nil || len(page.Items) != 1 {
		t.Errorf("%+v %v", page, err)
	}
	w.clock.Advance(40 * 24 * time.Hour)
	if h = w.run(h.ID, func(h ward.Hunt) bool { return h.Kept == 0 }); h.Hits != 10 || h.Kept != 0 {
		t.Errorf("copies of events are kept: %+v", h)
	}
	if page, err = w.Hits(t.Context(), ward.Everything(), h.ID, "", 3); err != nil || len(page.Items) != 0 {
		t.Errorf("%+v %v", page, err)
	}
}

func TestWhoMayHuntThroughWhat(t *testing.T) {
	w := newWorld(t, hunts.Options{})
	w.keep("ZZ1", 14, 3)
	w.keep("ZZ2", 14, 4)
	for _, row := range []struct {
		who  ward.Actor
		of   []ward.OrgID
		err  error
		hits int64
	}{
		{lead, nil, nil, 3},
		{lead, []ward.OrgID{"ZZ1"}, nil, 3},
		{lead, []ward.OrgID{"ZZ2"}, ward.ErrNotFound, 0},
		{analyst, nil, nil, 7},
		{analyst, []ward.OrgID{"ZZ2"}, nil, 4},
		{ward.Actor{Person: "p4", Org: "ZZ1", Role: ward.Member, Scope: ward.Only("ZZ1")}, nil, ward.ErrForbidden, 0},
		{ward.Actor{Person: "p5", Role: ward.Lead}, nil, ward.ErrForbidden, 0},
		{ward.Actor{}, nil, ward.ErrForbidden, 0},
	} {
		h, err := w.Ask(t.Context(), row.who, hunts.Question{For: address("192.0.2.7"), Of: row.of})
		if !errors.Is(err, row.err) {
			t.Errorf("%s %v: %v", row.who.Name, row.of, err)
		}
		if row.err == nil {
			if got := w.run(h.ID, nil); got.Hits != row.hits {
				t.Errorf("%s %v: %d hits", row.who.Name, row.of, got.Hits)
			}
		}
	}
	h, err := w.Ask(t.Context(), lead, hunts.Question{For: address("192.0.2.7")})
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []ward.Actor{other, {}} {
		_, one := w.Hunt(t.Context(), who.Scope, h.ID)
		_, days := w.Days(t.Context(), who.Scope, h.ID)
		_, hits := w.Hits(t.Context(), who.Scope, h.ID, "", 0)
		_, cancel := w.Cancel(t.Context(), who, h.ID)
		list, err := w.List(t.Context(), who.Scope, "", 0)
		for _, err := range []error{one, days, hits, cancel} {
			if !errors.Is(err, ward.ErrNotFound) {
				t.Errorf("%q: %v", who.Name, err)
			}
		}
		if err != nil || len(list.Items) != 0 {
			t.Errorf("%q sees %+v, %v", who.Name, list.Items, err)
		}
	}
	if h, err = w.Cancel(t.Context(), lead, h.ID); err != nil || h.State != ward.HuntCancelled {
		t.Errorf("%+v %v", h, err)
	}
	if h = w.run(h.ID, nil); h.State != ward.HuntCancelled || h.Done != 0 {
		t.Errorf("%+v", h)
	}
	// ZZ2 sees that the national watch read its events, and nothing of what ZZ1 looked for.
	var seen []string
	err = w.store.View(t.Context(), func(tx *store.Tx) error {
		entries, err := tx.AuditEntries(t.Context(), ward.Only("ZZ2"), "", 0, 100)
		for _, e := range entries {
			seen = append(seen, e.Name+" "+e.Action+" "+e.Detail)
		}
		return err
	})
	if want := []string{"A. Nalyst archive.hunt address 192.0.2.7: 4 hits", "A. Nalyst archive.hunt address 192.0.2.7: 4 hits"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("%q %v", seen, err)
	}
}

func TestAHuntThatWasBrokenOffGoesOn(t *testing.T) {
	w := newWorld(t, hunts.Options{})
	for day := 1; day <= 20; day++ {
		w.keep("ZZ1", day, 2)
		w.keep("ZZ2", day, 1)
	}
	begun, err := w.LookBack(t.Context(), ward.System("look-back"), list{address("192.0.2.7", "192.0.2.8").Indicators}, hunts.From{At: now}, compared)
	if err != nil || begun != 2 {
		t.Fatal(begun, err)
	}
	page, err := w.List(t.Context(), ward.Everything(), "", 0)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%+v %v", page, err)
	}
	id := page.Items[0].ID
	rounds := 0
	h := page.Items[0]
	for done := 0; !h.State.Over() && rounds < 100; rounds++ {
		h = w.run(id, func(h ward.Hunt) bool { return h.Done > done || h.State.Over() })
		done = h.Done
	}
	folded := 0
	for _, f := range w.folds {
		folded += f.kept
	}
	days, err := w.Days(t.Context(), ward.Everything(), id)
	if err != nil || h.State != ward.HuntDone || h.Hits != 60 || h.Done != 40 || h.Kept != 60 || len(days) != 40 || folded != 60 {
		t.Errorf("%+v: %d folded, %d days, %v", h, folded, len(days), err)
	}
	if rounds < 2 {
		t.Errorf("it was never broken off")
	}
	t.Logf("%d rounds", rounds)
	// What is known is not looked back for again, what was gone is.
	for _, row := range []struct {
		say  []string
		want int
	}{{[]string{"192.0.2.7", "192.0.2.8"}, 0}, {[]string{"192.0.2.7"}, 0}, {[]string{"192.0.2.7", "192.0.2.8", "192.0.2.9"}, 2}} {
		if n, err := w.LookBack(t.Context(), ward.System("look-back"), list{address(row.say...).Indicators}, hunts.From{At: now}, compared); err != nil || n != row.want {
			t.Errorf("%q: %d, %v", row.say, n, err)
		}
	}
}

type list struct{ all []ward.Indicator }

func (l list) Indicators(_ context.Context, give func(ward.Indicator) error) error {
	for _, i := range l.all {
		if err := give(i); err != nil {
			return err
		}
	}
	return nil
}

func compared(i ward.Indicator) (string, error) { return string(i.Kind) + " " + i.Value, nil }

func TestManyIndicatorsAreLookedBackForInParts(t *testing.T) {
	w := newWorld(t, hunts.Options{})
	var all []ward.Indicator
	for n := range 120_000 {
		all = append(all, ward.Indicator{Kind: "address", Value: fmt.Sprintf("198.18.%d.%d-%d", n>>8&255, n&255, n>>16)})
	}
	again := append(slices.Clone(all), all[:10]...) // said twice
	if n, err := w.LookBack(t.Context(), ward.System("look-back"), list{again}, hunts.From{At: now}, compared); err != nil || n != len(all) {
		t.Fatal(n, err)
	}
	sought := map[string]int{}
	page, err := w.List(t.Context(), ward.Everything(), "", 0)
	for _, short := range page.Items {
		h, err := w.Hunt(t.Context(), ward.Everything(), short.ID)
		if err != nil || len(h.For.Indicators) > 50_000 {
			t.Fatal(len(h.For.Indicators), err)
		}
		for _, i := range h.For.Indicators {
			sought[i.Value]++
		}
	}
	if err != nil || len(page.Items) != 3 || len(sought) != len(all) {
		t.Errorf("%d hunts for %d indicators, %v", len(page.Items), len(sought), err)
	}
	for value, times := range sought {
		if times != 1 {
			t.Fatalf("%s is looked back for %d times", value, times)
		}
	}
	// A Source that breaks off on its second reading leaves what was begun; the rest is new the next time.
	if n, err := w.LookBack(t.Context(), ward.System("look-back"), &fickle{all: append(all, address("192.0.2.7").Indicators...), most: 2*len(all) - 5}, hunts.From{At: now}, compared); err == nil || n != 0 {
		t.Fatal(n, err)
	}
	for want := range 2 {
		if n, err := w.LookBack(t.Context(), ward.System("look-back"), list{append(slices.Clone(all), address("192.0.2.7").Indicators...)}, hunts.From{At: now}, compared); err != nil || n != 1-want {
			t.Errorf("%d, %v", n, err)
		}
	}
}

// fickle is a Source that cannot be read to its end.
type fickle struct {
	all         []ward.Indicator
	given, most int
}

func (f *fickle) Indicators(_ context.Context, give func(ward.Indicator) error) error {
	for _, i := range f.all {
		if f.given++; f.given > f.most {
			return errors.New("the disk is gone")
		}
		if err := give(i); err != nil {
			return err
		}
	}
	return nil
}

func TestALookBackWaitsForWhatIsNotInBlocks(t *testing.T) {
	w := newWorld(t, hunts.Options{})
	w.keep("ZZ1", 14, 1)
	from := hunts.From{At: now, Behind: map[int]uint64{0: 7}}
	if _, err := w.LookBack(t.Context(), ward.System("look-back"), list{address("192.0.2.7").Indicators}, from, compared); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if h := w.run(1, func(ward.Hunt) bool { return time.Since(began) > 300*time.Millisecond }); h.State != ward.HuntWaiting {
		t.Errorf("%+v", h)
	}
	w.clock.Advance(time.Minute)
	w.keep("ZZ1", 15, 1) // came after: it was watched for
	if err := w.store.Update(t.Context(), func(tx *store.Tx) error { return tx.SetBusCursor(t.Context(), "archive", 0, 7) }); err != nil {
		t.Fatal(err)
	}
	if h := w.run(1, nil); h.State != ward.HuntDone || h.Hits != 1 {
		t.Errorf("%+v", h)
	}
}

func TestAHuntStopsAtItsBound(t *testing.T) {
	w := newWorld(t, hunts.Options{MostRead: 5})
	for day := 1; day <= 9; day++ {
		w.keep("ZZ1", day, 2)
	}
	h, err := w.Ask(t.Context(), analyst, hunts.Question{For: ward.Sought{Query: "host=nowhere"}})
	if err != nil {
		t.Fatal(err)
	}
	if h = w.run(h.ID, nil); h.State != ward.HuntStopped || h.Read != 6 || h.Done != 3 || h.Blocks != 9 || !strings.Contains(h.Reason, "shorter time") {
		t.Errorf("%+v", h)
	}
}

func TestWhatCannotBeAskedFor(t *testing.T) {
	w := newWorld(t, hunts.Options{})
	for name, q := range map[string]hunts.Question{
		"nothing":     {},
		"two things":  {For: ward.Sought{Query: "user=jane", Indicators: address("192.0.2.7").Indicators}},
		"no query":    {For: ward.Sought{Query: "(user=jane"}},
		"no address":  {For: address("nowhere")},
		"until first": {For: address("192.0.2.7"), Since: now, Until: now.Add(-time.Hour)},
	} {
		if _, err := w.Ask(t.Context(), analyst, q); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 21 {
		if _, err := w.Ask(t.Context(), analyst, hunts.Question{For: address("192.0.2.7")}); (err != nil) != (i == 20) {
			t.Errorf("%d: %v", i, err)
		}
	}
}
