package archive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/store"
	"wardwatch/test/shared"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/ingest/file"
)

var now = time.Date(2025, 5, 23, 12, 0, 0, 0, time.UTC)

type world struct {
	*archive.Archive
	clock  *ward.HandClock
	store  *store.Store
	folder string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	kept, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "archive")
	bucket, err := blocks.OpenDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	clock := ward.NewHandClock(now)
	a := archive.New(archive.Options{
		Clock: clock, Store: kept, Bucket: bucket, Temp: t.TempDir(),
		Names: watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields(), archive.HostFields())...),
		Keyer: func(n *watch.Names) watch.Keyer { return indicators.NewKeyer(n) },
	})
	t.Cleanup(func() {
		if err := errors.Join(a.Close(), bucket.Close(), kept.Close()); err != nil {
			t.Error(err)
		}
	})
	return &world{a, clock, kept, folder}
}

// keep archives lines of an organisation, and says how many were new.
func (w *world) keep(t testing.TB, org ward.OrgID, source, batch string, lines ...string) (kept int) {
	t.Helper()
	c, d := w.Cutter(), watch.NewDecoder(w.Names)
	for i, line := range lines {
		a := watch.Arrival{Org: org, Source: source, Batch: batch, Sequence: int64(i + 1), Received: w.clock.Now().UnixMicro(), Format: watch.Syslog, Raw: []byte(line)}
		var r watch.Record
		if err := d.Event(a.Format, nil, a.Raw, &r); err != nil && !errors.Is(err, watch.ErrNotFormat) {
			t.Fatal(err)
		}
		isNew, err := c.Add(t.Context(), &a, &r)
		if err != nil {
			t.Fatal(err)
		}
		if isNew {
			kept++
		}
	}
	if _, err := c.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	return kept
}

func query(t testing.TB, values ...string) watch.Query {
	t.Helper()
	var list []ward.Indicator
	err := indicators.Read(strings.NewReader(strings.Join(values, "\n")), "", func(i ward.Indicator) error { list = append(list, i); return nil },
		func(b *indicators.BadLine) { t.Fatal(b) })
	if err != nil {
		t.Fatal(err)
	}
	q, err := indicators.NewQuery(list, ward.WallClock{})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (w *world) hunt(t testing.TB, o archive.HuntOptions) (hits []string, s archive.Summary) {
	t.Helper()
	s, err := w.Hunt(t.Context(), o, func(h archive.Hit) error {
		hits = append(hits, fmt.Sprintf("%s %s:%d %s", h.Org, h.Source, h.Record, h.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(hits)
	return hits, s
}

func TestAHuntSeesWhatItsScopeSees(t *testing.T) {
	w := newWorld(t)
	line := "<34>1 2025-05-15T03:00:07Z gate.example sshd 1 - - Failed password from 192.0.2.7 port 22"
	w.keep(t, "ZZ1", "gate", "", line, line)
	w.keep(t, "ZZ2", "gate", "", line)
	for _, row := range []struct {
		scope ward.Scope
		orgs  []ward.OrgID
		want  []string
	}{
		{ward.Scope{}, nil, nil},
		{ward.Scope{}, []ward.OrgID{"ZZ1"}, nil},
		{ward.Only("ZZ2"), nil, []string{"ZZ2 gate:1 192.0.2.7"}},
		{ward.Only("ZZ2"), []ward.OrgID{"ZZ1"}, nil},
		{ward.Everything(), []ward.OrgID{"ZZ1"}, []string{"ZZ1 gate:1 192.0.2.7", "ZZ1 gate:2 192.0.2.7"}},
		{ward.Everything(), nil, []string{"ZZ1 gate:1 192.0.2.7", "ZZ1 gate:2 192.0.2.7", "ZZ2 gate:1 192.0.2.7"}},
	} {
		if got, s := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: row.scope, Orgs: row.orgs}); !slices.Equal(got, row.want) || s.Hits != int64(len(row.want)) {
			t.Errorf("%+v %v: %q", row.scope, row.orgs, got)
		}
	}
}

func TestRepeatsOfSevenDaysAreOneEvent(t *testing.T) {
	w := newWorld(t)
	lines := []string{"one 192.0.2.7", "one 192.0.2.7", "two 192.0.2.7"}
	if n := w.keep(t, "ZZ1", "a.log", "", lines...); n != 3 {
		t.Errorf("%d of 3 were new: identical lines of one file are two events", n)
	}
	w.clock.Advance(6 * 24 * time.Hour)
	if n := w.keep(t, "ZZ1", "a.log", "", append(lines, "three")...); n != 1 {
		t.Errorf("%d of 1 were new after six days", n)
	}
	if n := w.keep(t, "ZZ2", "a.log", "", lines...); n != 3 {
		t.Errorf("%d of 3 were new: another organisation's", n)
	}
	if n := w.keep(t, "ZZ1", "10.0.0.1", "~a", lines...) + w.keep(t, "ZZ1", "10.0.0.1", "~b", lines...); n != 6 {
		t.Errorf("%d of 6 were new: a sender without numbers does not repeat itself", n)
	}
	w.clock.Advance(9 * 24 * time.Hour)
	if n := w.keep(t, "ZZ1", "a.log", "", lines...); n != 3 {
		t.Errorf("%d of 3 were new after fifteen days", n)
	}
}

func TestWhenAnEventHappened(t *testing.T) {
	for said, want := range map[string]string{
		"2025-05-15T03:00:07Z": "2025-05-15T03:00:07Z",
		"2013-01-02T03:04:05Z": "2013-01-02T03:04:05Z", // however old
		"2025-05-24T11:00:00Z": "2025-05-24T11:00:00Z",
		"2025-05-24T13:00:00Z": "2025-05-23T12:00:00Z", // more than a day ahead
		"2099-01-01T00:00:00Z": "2025-05-23T12:00:00Z",
		"1970-01-01T00:00:09Z": "2025-05-23T12:00:00Z",
		"":                     "2025-05-23T12:00:00Z",
		"yesterday":            "2025-05-23T12:00:00Z",
		"May 15 03:00:07":      "2025-05-15T03:00:07Z",
		"Dec 31 23:59:59":      "2024-12-31T23:59:59Z", // a year that is nearly here did not happen yet
	} {
		if at, _ := archive.HappenedAt([]byte(said), now); at.Format(time.RFC3339) != want {
			t.Errorf("%q: %s, want %s", said, at.Format(time.RFC3339), want)
		}
	}
}

func TestTimesBoundAHunt(t *testing.T) {
	w := newWorld(t)
	w.keep(t, "ZZ1", "a", "", "<34>1 2025-05-15T03:00:00Z h a - - - 192.0.2.7", "<34>1 2025-05-15T04:00:00Z h a - - - 192.0.2.7", "<34>1 2025-05-16T03:00:00Z h a - - - 192.0.2.7")
	at := func(text string) time.Time { v, _ := time.Parse(time.RFC3339, text); return v }
	for _, row := range []struct {
		since, until string
		want         int64
	}{{"", "", 3}, {"2025-05-15T03:30:00Z", "", 2}, {"2025-05-16T00:00:00Z", "", 1}, {"", "2025-05-15T03:00:00Z", 1}, {"2025-05-15T04:00:00Z", "2025-05-15T04:00:00Z", 1}, {"2025-05-17T00:00:00Z", "", 0}} {
		if _, s := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything(), Since: at(row.since), Until: at(row.until)}); s.Hits != row.want {
			t.Errorf("%s to %s: %d hits, want %d", row.since, row.until, s.Hits, row.want)
		}
	}
}

// everything is a query without needles: the archive leaves nothing out.
type everything struct{ watch.Query }

func (everything) Needles() [][]uint64 { return nil }

// TestAHuntFindsWhatAFullScanFinds over recorded logs: addresses, networks, domains, URLs, users' machines and files in them.
func TestAHuntFindsWhatAFullScanFinds(t *testing.T) {
	w := newWorld(t)
	c, d := w.Cutter(), watch.NewDecoder(w.Names)
	n := 0
	paths := []string{shared.File(t, "data", "events", "weblogs"), shared.File(t, "data", "events", "otrf", "atomic_windows_lateral_movement_host_schtask_create.zip")}
	err := file.Each(t.Context(), paths, file.Options{}, func(e file.Event) error {
		var r watch.Record
		if err := d.Event(e.Format, e.Header, e.Raw, &r); err != nil && !errors.Is(err, watch.ErrNotFormat) {
			return err
		}
		n++
		_, err := c.Add(t.Context(), &watch.Arrival{Org: "ZZ1", Source: e.File, Sequence: int64(e.Record), Received: now.UnixMicro(), Format: e.Format, Header: e.Header, Raw: e.Raw}, &r)
		return err
	})
	if err != nil || n < 10_000 {
		t.Fatal(n, err)
	}
	if _, err := c.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{
		"66.249.73.135", "66.249.0.0/16", "10.0.0.0/8", "0.0.0.0/1", "googlebot.com", "semicomplete.com", "www.google.com", "svchost.exe", "schtasks.exe",
		"http://www.google.com/bot.html", "http://www.google.com/*", "203.0.113.99", "attacker.example", "ntdll.dll",
	} {
		q := query(t, value)
		quick, s := w.hunt(t, archive.HuntOptions{Query: q, Scope: ward.Everything()})
		whole, all := w.hunt(t, archive.HuntOptions{Query: everything{q}, Scope: ward.Everything()})
		if !slices.Equal(quick, whole) {
			t.Errorf("%s: %d hits by needles, %d by looking at everything", value, len(quick), len(whole))
		}
		t.Logf("%s: %d hits, %d of %d events looked at", value, len(quick), s.Read, all.Read)
	}
	for _, text := range []string{
		"user=system", "user=system and not host~nothing", "domain~google", "domain~google and ip=66.249.0.0/16", "domain~nobody", `Image="C:\Windows\System32\schtasks.exe"`, "file=schtasks.exe or domain~semicomplete",
		"EventID=1", "c-uri~robots", `"schtasks"`,
	} {
		q, err := detect.ParseFieldQuery(text, ward.WallClock{})
		if err != nil {
			t.Fatal(err)
		}
		quick, s := w.hunt(t, archive.HuntOptions{Query: q, Scope: ward.Everything()})
		whole, all := w.hunt(t, archive.HuntOptions{Query: everything{q}, Scope: ward.Everything()})
		if !slices.Equal(quick, whole) || q.Keyed() && len(whole) < 1000 && s.Read >= all.Read/2 {
			t.Errorf("%s: %d hits by needles looking at %d events, %d by looking at %d", text, len(quick), s.Read, len(whole), all.Read)
		}
		t.Logf("%s: %d hits, %d of %d events looked at", text, len(quick), s.Read, all.Read)
	}
}

func TestWhatIsDamagedIsSaidAndTheRestIsFound(t *testing.T) {
	w := newWorld(t)
	w.keep(t, "ZZ1", "a", "", "<34>1 2025-05-15T03:00:00Z h a - - - 192.0.2.7")
	w.keep(t, "ZZ1", "b", "", "<34>1 2025-05-16T03:00:00Z h a - - - 192.0.2.7")
	objects, err := filepath.Glob(filepath.Join(w.folder, "events", "*", "day=2025-05-15", "*.index"))
	if err != nil || len(objects) != 1 {
		t.Fatal(objects, err)
	}
	spoil(t, objects[0])
	hits, s := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything()})
	if len(hits) != 1 || s.Events != 1 || len(s.Unread) != 1 || !errors.Is(s.Unread[0].Err, blocks.ErrCorrupt) {
		t.Fatalf("%q %+v", hits, s.Unread)
	}
	report, err := w.Verify(t.Context(), archive.VerifyOptions{})
	if err != nil || len(report.Faults) != 1 || report.Faults[0].Lost != 0 {
		t.Fatalf("%+v %v", report, err)
	}
	if hits, s = w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything()}); len(hits) != 2 || len(s.Unread) != 0 {
		t.Fatalf("after its index was made anew: %q %+v", hits, s.Unread)
	}
	if report, err = w.Verify(t.Context(), archive.VerifyOptions{}); err != nil || len(report.Faults) != 0 {
		t.Fatalf("%+v %v", report, err)
	}
	spoil(t, strings.TrimSuffix(objects[0], ".index")+".parquet")
	if report, err = w.Verify(t.Context(), archive.VerifyOptions{}); err != nil || len(report.Faults) != 1 || report.Faults[0].Lost != 1 {
		t.Fatalf("%+v %v", report, err)
	}
	if hits, s = w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything()}); len(hits) != 1 || len(s.Unread) != 1 {
		t.Fatalf("in quarantine: %q %+v", hits, s.Unread)
	}
}

func spoil(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0xff
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAHuntEndsWhenItIsToldTo(t *testing.T) {
	w := newWorld(t)
	for day := range 9 {
		w.keep(t, "ZZ1", "a", "", fmt.Sprintf("<34>1 2025-05-1%dT03:00:00Z h a - - - 192.0.2.7", day), fmt.Sprintf("<34>1 2025-05-1%dT03:00:00Z h a - - - 192.0.2.7", day))
	}
	enough := errors.New("enough")
	n := 0
	_, err := w.Hunt(t.Context(), archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything()}, func(archive.Hit) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Error(n, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var done []int64
	_, err = w.Hunt(ctx, archive.HuntOptions{
		Query: query(t, "192.0.2.7"), Scope: ward.Everything(), Counted: func(b ward.Block, hits, _ int64) {
			done = append(done, b.ID)
			if stop(); hits != 2 {
				t.Errorf("block %d: %d hits", b.ID, hits)
			}
		},
	}, func(archive.Hit) error { return nil })
	if !errors.Is(err, context.Canceled) || len(done) == 0 {
		t.Fatal(done, err)
	}
	// What is left of a hunt that was broken off is hunted where it went on.
	_, s := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything(), Skip: func(b ward.Block) bool { return slices.Contains(done, b.ID) }})
	if int(s.Hits)+2*len(done) != 18 {
		t.Errorf("%d hits after %d blocks", s.Hits, len(done))
	}
}
