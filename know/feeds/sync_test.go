package feeds_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/csaf"
	"wardwatch/know/feeds/epss"
	"wardwatch/know/feeds/kev"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/intel"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

// watch is a Syncer over a real library and store, on a clock of its own, that never sleeps.
type watch struct {
	*feeds.Syncer
	library *intel.Library
	store   *store.Store
	clock   *ward.HandClock
	waits   *[]time.Duration
}

var person = ward.Actor{Person: "p1", Name: "Feed Keeper", Role: ward.Admin}

func newWatch(t testing.TB, schedule map[string]time.Duration, sources ...feeds.Source) watch {
	t.Helper()
	s, err := store.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	clock := ward.NewHandClock(time.Date(2025, 5, 20, 8, 0, 0, 0, time.UTC))
	library := intel.New(s, clock)
	waits := new([]time.Duration)
	fetcher := &feeds.Fetcher{Wait: func(_ context.Context, d time.Duration) error { *waits = append(*waits, d); return nil }}
	return watch{feeds.New(s, clock, sources, library, feeds.Options{Schedule: schedule, Fetcher: fetcher}), library, s, clock, waits}
}

// sync reads one feed and returns what came of it.
func (w watch) sync(t *testing.T, name, from string) feeds.FeedResult {
	t.Helper()
	result, err := w.Sync(context.Background(), person, []string{name}, from, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Feeds) != 1 {
		t.Fatalf("%+v", result)
	}
	return result.Feeds[0]
}

func (w watch) list(t *testing.T) ward.Feed {
	t.Helper()
	all, err := w.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// catalogue is a KEV catalogue of n weaknesses, CVE-2025-10000 and up.
func catalogue(n int, released string) string {
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprintf(`{"cveID":"CVE-2025-%d","vulnerabilityName":"Weakness %d","dateAdded":"2025-05-19"}`, 10000+i, i))
	}
	return fmt.Sprintf(`{"catalogVersion":"1","dateReleased":%q,"count":%d,"vulnerabilities":[%s]}`, released, n, strings.Join(entries, ","))
}

// publisher answers with what handle says, and counts how often it was asked.
func publisher(t *testing.T, handle http.HandlerFunc) (address string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/kev.json", asked
}

func TestSyncAsksOnlyForWhatIsNew(t *testing.T) {
	address, _ := publisher(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "wardwatch" {
			t.Errorf("user agent %q", r.Header.Get("User-Agent"))
		}
		if r.Header.Get("If-None-Match") == `"v1"` && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Mon, 19 May 2025 15:00:00 GMT")
		fmt.Fprint(w, catalogue(3, "2025-05-19T15:00:00Z"))
	})
	w := newWatch(t, nil, kev.New(address))
	if f := w.sync(t, "kev", ""); f.Records != 3 || f.Changed != 3 || f.Error != "" {
		t.Errorf("%+v", f)
	}
	w.clock.Advance(time.Hour)
	if f := w.sync(t, "kev", ""); !f.Unchanged || f.Error != "" {
		t.Errorf("%+v", f)
	}
	if f := w.list(t); f.Records != 3 || !f.Succeeded.Equal(w.clock.Now()) || f.Stale || f.Observed.Day() != 19 {
		t.Errorf("%+v", f)
	}
}

func TestSyncTriesAgain(t *testing.T) {
	good := catalogue(3, "2025-05-19T15:00:00Z")
	cut := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", strconv.Itoa(len(good)))
		fmt.Fprint(w, good[:len(good)/2])
	}
	for name, row := range map[string]struct {
		first func(w http.ResponseWriter)
		waits func(d time.Duration) bool
	}{
		"after a failure of the server": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, func(d time.Duration) bool { return d >= 500*time.Millisecond && d <= time.Second }},
		"after a cut-off body":          {cut, func(d time.Duration) bool { return d <= time.Second }},
		"when asked to, after seconds": {func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(http.StatusTooManyRequests)
		}, func(d time.Duration) bool { return d == 17*time.Second }},
		"when asked to, at a time": {func(w http.ResponseWriter) {
			w.Header().Set("Date", "Mon, 19 May 2025 15:00:00 GMT")
			w.Header().Set("Retry-After", "Mon, 19 May 2025 15:00:40 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, func(d time.Duration) bool { return d == 40*time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			address, _ := publisher(t, func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) == 1 {
					row.first(w)
					return
				}
				fmt.Fprint(w, good)
			})
			w := newWatch(t, nil, kev.New(address))
			if f := w.sync(t, "kev", ""); f.Records != 3 || f.Error != "" {
				t.Errorf("%+v", f)
			}
			if len(*w.waits) != 1 || !row.waits((*w.waits)[0]) {
				t.Errorf("waited %s", *w.waits)
			}
		})
	}
}

func TestFaultAFailingFeedKeepsItsLastGoodState(t *testing.T) {
	for name, bad := range map[string]func(w http.ResponseWriter){
		"down": func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"gone": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		"asks for an hour": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"a web page":        func(w http.ResponseWriter) { fmt.Fprint(w, "<html><body>maintenance</body></html>") },
		"empty":             func(http.ResponseWriter) {},
		"cut in the middle": func(w http.ResponseWriter) { s := catalogue(3, "2025-05-20T00:00:00Z"); fmt.Fprint(w, s[:len(s)-20]) },
		"shrunk by half":    func(w http.ResponseWriter) { fmt.Fprint(w, catalogue(1, "2025-05-20T00:00:00Z")) },
		"no entries":        func(w http.ResponseWriter) { fmt.Fprint(w, catalogue(0, "2025-05-20T00:00:00Z")) },
		"says nothing but spoilt entries": func(w http.ResponseWriter) {
			fmt.Fprint(w, strings.ReplaceAll(catalogue(4, "2025-05-20T00:00:00Z"), "CVE-", "XXX-"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var fail atomic.Bool
			address, _ := publisher(t, func(w http.ResponseWriter, _ *http.Request) {
				if fail.Load() {
					bad(w)
					return
				}
				fmt.Fprint(w, catalogue(4, "2025-05-19T00:00:00Z"))
			})
			w := newWatch(t, nil, kev.New(address))
			if f := w.sync(t, "kev", ""); f.Records != 4 {
				t.Fatalf("%+v", f)
			}
			good := w.clock.Now()
			fail.Store(true)
			w.clock.Advance(4 * time.Hour)
			if f := w.sync(t, "kev", ""); f.Error == "" {
				t.Errorf("no error: %+v", f)
			}
			f := w.list(t)
			if f.Error == "" || !f.Stale || !f.Succeeded.Equal(good) || !f.Attempted.Equal(w.clock.Now()) || f.Records != 4 {
				t.Errorf("%+v", f)
			}
			for i := range 4 {
				v, err := w.library.Vulnerability(context.Background(), ward.CVE(fmt.Sprintf("CVE-2025-%d", 10000+i)))
				if err != nil || v.Exploited == nil {
					t.Errorf("%d: %+v, %v", i, v, err)
				}
			}
			fail.Store(false)
			if f := w.sync(t, "kev", ""); f.Error != "" || f.Records != 4 {
				t.Errorf("recovered: %+v", f)
			}
		})
	}
}

func TestACompleteListWithdrawsAndASmallerOneIsHeldForAPerson(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "kev.json")
	w := newWatch(t, nil, kev.New(path))
	read := func(n int, released string) feeds.FeedResult {
		t.Helper()
		if err := os.WriteFile(path, []byte(catalogue(n, released)), 0o600); err != nil {
			t.Fatal(err)
		}
		return w.sync(t, "kev", "")
	}
	read(10, "2025-05-19T00:00:00Z")
	if f := read(9, "2025-05-20T00:00:00Z"); f.Withdrawn != 1 || f.Changed != 0 {
		t.Errorf("%+v", f)
	}
	if _, err := w.library.Vulnerability(ctx, "CVE-2025-10009"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("withdrawn, and still there: %v", err)
	}
	if f := read(10, "2025-05-19T00:00:00Z"); f.Changed != 0 {
		t.Errorf("an older list is taken: %+v", f)
	}
	held := func() *ward.FeedHold {
		t.Helper()
		all, err := w.List(ctx)
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		return all[0].Held
	}
	if f := read(2, "2025-05-21T00:00:00Z"); f.Error == "" || f.Withdrawn != 0 {
		t.Errorf("%+v", f)
	}
	if h := held(); h == nil || h.Records != 2 || h.Had != 9 || h.File != "kev.json" || h.Location != path {
		t.Errorf("held: %+v", h)
	}
	if err := w.Discard(ctx, ward.Actor{}, "kev"); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("anybody may discard: %v", err)
	}
	if err := w.Discard(ctx, person, "kev"); err != nil || held() != nil {
		t.Fatalf("%v, %+v", err, held())
	}
	if f := read(2, "2025-05-21T00:00:00Z"); f.Error != "" || !f.Unchanged || f.Withdrawn != 0 || held() != nil {
		t.Errorf("what was discarded comes again: %+v, %+v", f, held())
	}
	if f := read(2, "2025-05-22T00:00:00Z"); f.Error == "" || held() == nil {
		t.Errorf("another small list: %+v, %+v", f, held())
	}
	if _, err := w.Release(ctx, ward.Actor{}, "kev"); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("anybody may release: %v", err)
	}
	result, err := w.Release(ctx, person, "kev")
	if err != nil || len(result.Feeds) != 1 || result.Feeds[0].Error != "" || result.Feeds[0].Withdrawn != 7 || held() != nil {
		t.Errorf("%+v, %v, %+v", result, err, held())
	}
	if _, err := w.Release(ctx, person, "kev"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("released twice: %v", err)
	}
}

func TestShrunkScoresAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "epss.csv")
	w := newWatch(t, nil, epss.New(path))
	read := func(n int, day string) feeds.FeedResult {
		t.Helper()
		var b strings.Builder
		b.WriteString("#model_version:v1,score_date:" + day + "\ncve,epss,percentile\n")
		for i := range n {
			fmt.Fprintf(&b, "CVE-2025-%d,0.%d,0.5\n", 10000+i, 1+len(day)%9)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return w.sync(t, "epss", "")
	}
	if f := read(9000, "2025-05-19T00:00:00Z"); f.Changed != 9000 {
		t.Errorf("%+v", f)
	}
	if f := read(4000, "2025-05-20T00:00:00Z"); f.Changed != 0 || f.Error == "" {
		t.Errorf("%+v", f)
	}
	if f := read(9001, "2025-05-21T00:00:00Z"); f.Changed != 9001 || f.Error != "" {
		t.Errorf("%+v", f)
	}
	if f := read(9001, "2025-05-20T00:00:00Z"); f.Changed != 0 {
		t.Errorf("older scores are taken: %+v", f)
	}
	err := w.store.View(context.Background(), func(tx *store.Tx) error {
		pending, err := tx.Pending(context.Background(), store.ForMatch, 10)
		if len(pending) > 0 {
			t.Errorf("scores leave work to match: %q", pending)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNVDGoesOnFromItsCursor(t *testing.T) {
	var down atomic.Bool
	var asked []string
	address, _ := publisher(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, q.Get("startIndex")+" "+q.Get("lastModStartDate"))
		start, _ := strconv.Atoi(q.Get("startIndex"))
		if start == 2 && down.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		record := func(n int) string {
			return fmt.Sprintf(`{"cve":{"id":"CVE-2025-%d","sourceIdentifier":"x","lastModified":"2025-05-19T00:00:00.000","descriptions":[{"lang":"en","value":"A."}]}}`, 10000+n)
		}
		fmt.Fprintf(w, `{"resultsPerPage":2,"startIndex":%d,"totalResults":4,"format":"NVD_CVE","vulnerabilities":[%s,%s]}`, start, record(start), record(start+1))
	})
	w := newWatch(t, nil, nvd.New(strings.TrimSuffix(address, "kev.json")+"cves/2.0"))
	down.Store(true)
	if f := w.sync(t, "nvd", ""); f.Error == "" || f.Records != 2 {
		t.Errorf("%+v", f)
	}
	down.Store(false)
	if f := w.sync(t, "nvd", ""); f.Error != "" || f.Records != 2 || f.Changed != 2 {
		t.Errorf("%+v", f)
	}
	w.clock.Advance(3 * time.Hour)
	w.sync(t, "nvd", "")
	want := []string{"0 ", "2 ", "2 ", "0 2025-05-20T08:00:00.000Z", "2 2025-05-20T08:00:00.000Z"}
	if strings.Join(asked, ",") != strings.Join(want, ",") {
		t.Errorf("asked %q, want %q", asked, want)
	}
	if len(*w.waits) != 2 || (*w.waits)[0] < 6*time.Second {
		t.Errorf("left the publisher in peace for %s", *w.waits)
	}
}

// TestTheKeyGoesToThePublishersOwnHostAlone: it is in the header of each page, makes the pauses shorter, and follows no redirect to
// another host.
func TestTheKeyGoesToThePublishersOwnHostAlone(t *testing.T) {
	const page = `{"resultsPerPage":1,"startIndex":%s,"totalResults":2,"format":"NVD_CVE","vulnerabilities":[{"cve":{"id":"CVE-2025-1000%[1]s","sourceIdentifier":"x","lastModified":"2025-05-19T00:00:00.000","descriptions":[]}}]}`
	var elsewhere, own []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("apiKey"))
		fmt.Fprintf(w, page, r.URL.Query().Get("startIndex"))
	}))
	defer other.Close()
	address, _ := publisher(t, func(w http.ResponseWriter, r *http.Request) {
		own = append(own, r.Header.Get("apiKey"))
		if r.URL.Query().Get("startIndex") == "1" {
			http.Redirect(w, r, other.URL+"/cves/2.0?"+r.URL.RawQuery, http.StatusFound)
			return
		}
		fmt.Fprintf(w, page, r.URL.Query().Get("startIndex"))
	})
	w := newWatch(t, nil, nvd.New(strings.TrimSuffix(address, "kev.json")+"cves/2.0").WithKey("secret"))
	if f := w.sync(t, "nvd", ""); f.Error != "" || f.Records != 2 {
		t.Errorf("%+v", f)
	}
	if strings.Join(own, ",") != "secret,secret" || strings.Join(elsewhere, ",") != "" || len(elsewhere) != 1 {
		t.Errorf("its own host got %q, another %q", own, elsewhere)
	}
	if len(*w.waits) != 1 || (*w.waits)[0] >= 6*time.Second || (*w.waits)[0] < 600*time.Millisecond {
		t.Errorf("paused for %s", *w.waits)
	}
}

func TestDueReadsWhatIsScheduled(t *testing.T) {
	ctx := context.Background()
	var fail atomic.Bool
	address, asked := publisher(t, func(w http.ResponseWriter, _ *http.Request) {
		if fail.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, catalogue(3, "2025-05-19T15:00:00Z"))
	})
	w := newWatch(t, map[string]time.Duration{"kev": 8 * time.Hour}, kev.New(address), epss.New("http://192.0.2.1/never-asked"))
	due := func(times int32, in time.Duration) {
		t.Helper()
		next, err := w.Due(ctx, w.clock.Now())
		if err != nil || asked.Load() != times || !next.Equal(w.clock.Now().Add(in)) {
			t.Errorf("asked %d times, next %s, %v", asked.Load(), next, err)
		}
	}
	due(1, 8*time.Hour)
	w.clock.Advance(time.Hour)
	due(1, 7*time.Hour)
	w.clock.Advance(7 * time.Hour)
	fail.Store(true)
	due(2, time.Hour) // a failure is tried again sooner
	w.clock.Advance(time.Hour)
	fail.Store(false)
	due(3, 8*time.Hour)
	if f := w.list(t); f.Error != "" || f.Stale {
		t.Errorf("%+v", f)
	}
}

func TestSyncSaysWhatItCannotDo(t *testing.T) {
	ctx := context.Background()
	w := newWatch(t, nil, kev.New(""))
	if _, err := w.Sync(ctx, ward.Actor{Role: ward.Lead}, nil, "", nil); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("a lead synchronises feeds: %v", err)
	}
	if _, err := w.Sync(ctx, person, []string{"kevv"}, "", nil); !errors.Is(err, ward.ErrInvalid) || !strings.Contains(err.Error(), "kev") {
		t.Errorf("no such feed: %v", err)
	}
	if _, err := w.Sync(ctx, person, nil, filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such path: %v", err)
	}
	ended, end := context.WithCancel(ctx)
	end()
	if _, err := w.Sync(ended, person, nil, t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSyncsTheSharedData reads what publishers really sent, all of it, twice.
func TestSyncsTheSharedData(t *testing.T) {
	ctx := context.Background()
	dir := shared.File(t, "data", "vuln")
	w := newWatch(t, nil, sources()...)
	for _, again := range []bool{false, true} {
		begun := time.Now()
		reported := map[string]int{}
		result, err := w.Sync(ctx, person, nil, dir, func(p feeds.Progress) { reported[p.Feed] = p.Reports })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("again %t: %s", again, time.Since(begun).Round(time.Millisecond))
		for _, f := range result.Feeds {
			if f.Records != published[f.Name] || f.Rejected != refused[f.Name] || f.Error != "" || reported[f.Name] < f.Records-f.Skipped && f.Name != "nvd" {
				t.Errorf("%s: %d records (%d reported), %d rejected %q, %q", f.Name, f.Records, reported[f.Name], f.Rejected, f.Problems, f.Error)
			}
			if again == (f.Changed > 0) {
				t.Errorf("%s: %d changed, read again: %t", f.Name, f.Changed, again)
			}
		}
	}
	v, err := w.library.Vulnerability(ctx, "CVE-2025-4428")
	if err != nil || v.Exploited == nil || v.Exploited.Source != "kev" || v.SSVC.Exploitation != "active" || len(v.CVSS) != 2 || v.EPSS.Score <= 0 {
		t.Errorf("%+v, %v", v, err)
	}
	reports, err := w.library.Reports(ctx, "CVE-2025-4428")
	if err != nil || len(reports) != 4 { // cna, adp, nvd, kev
		t.Errorf("%d reports, %v", len(reports), err)
	}
	for _, q := range []intel.Query{{Text: "ivanti mobile", Exploited: true}, {Text: "cve-2025-442"}, {Text: "no such thing"}, {}} {
		begun := time.Now()
		page, err := w.library.Search(ctx, q)
		if took := time.Since(begun); err != nil || took > 2*time.Second {
			t.Errorf("%+v took %s, %v", q, took, err)
		} else {
			t.Logf("%q exploited %t: %d in %s", q.Text, q.Exploited, len(page.Items), took)
		}
	}
}

// TestSyncFollowsAProvidersLists has a provider whose metadata leads to a feed of one document and to a directory of another,
// one of whose files has gone.
func TestSyncFollowsAProvidersLists(t *testing.T) {
	document := func(id, cve, updated string) string {
		return fmt.Sprintf(`{"document":{"category":"csaf_security_advisory","csaf_version":"2.0","title":"T","publisher":{"category":"vendor","name":"Maker"},
			"tracking":{"id":%q,"current_release_date":%q}},"vulnerabilities":[{"cve":%q}]}`, id, updated, cve)
	}
	var files map[string]string
	var broken atomic.Bool
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		body, ok := files[r.URL.Path]
		switch {
		case broken.Load() && strings.HasSuffix(r.URL.Path, "3.json"):
			w.WriteHeader(http.StatusForbidden)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(w, body)
		}
	}))
	defer server.Close()
	files = map[string]string{
		"/provider-metadata.json": `{"canonical_url":"x","distributions":[{"rolie":{"feeds":[{"url":"` + server.URL + `/feed.json"}]}},
			{"directory_url":"` + server.URL + `/files/"},{"directory_url":"` + server.URL + `/plain"}]}`,
		"/feed.json": `{"feed":{"entry":[{"updated":"2025-05-01T00:00:00Z","content":{"src":"` + server.URL + `/1.json"}},
			{"updated":"2025-05-09T00:00:00Z","link":[{"rel":"self","href":"/gone.json"}]}, {"content":{"src":"file:///etc/passwd"}}]}}`,
		"/files/changes.csv": "\"2025/2.json\",\"2025-05-10T00:00:00Z\"\n\"2025/3.json\",\"2025-05-11T00:00:00Z\"\n",
		"/plain/index.txt":   "4.json\nreadme.txt\n",
		"/1.json":            document("A1", "CVE-2025-10001", "2025-05-01T00:00:00Z"),
		"/files/2025/2.json": document("A2", "CVE-2025-10002", "2025-05-10T00:00:00Z"),
		"/files/2025/3.json": document("A3", "CVE-2025-10003", "2025-05-11T00:00:00Z"),
		"/plain/4.json":      document("A4", "CVE-2025-10004", "2025-05-11T00:00:00Z"),
	}
	w := newWatch(t, nil, csaf.New(server.URL+"/provider-metadata.json"))
	broken.Store(true)
	if f := w.sync(t, "csaf", ""); f.Records != 3 || f.Changed != 3 || f.Rejected != 2 || !strings.Contains(f.Error, "3.json") {
		t.Errorf("%+v", f)
	}
	broken.Store(false)
	w.clock.Advance(time.Hour)
	if f := w.sync(t, "csaf", ""); f.Records != 2 || f.Changed != 1 || f.Error != "" { // the one that failed, and the one without a time
		t.Errorf("%+v", f)
	}
	w.clock.Advance(time.Hour)
	if f := w.sync(t, "csaf", ""); f.Changed != 0 || f.Error != "" {
		t.Errorf("%+v", f)
	}
	if asked["/1.json"] != 1 || asked["/files/2025/2.json"] != 1 || asked["/files/2025/3.json"] != 2 || asked["/plain/4.json"] != 3 {
		t.Errorf("%v", asked)
	}
	result, err := w.Sync(context.Background(), person, nil, server.URL+"/feed.json", nil)
	if err != nil || len(result.Feeds) != 1 || result.Feeds[0].Records != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}
