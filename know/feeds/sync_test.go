package feeds_test

import (
	"context"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know/feeds"
	"wardwatch/know/intel"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

type watch struct {
	*feeds.Syncer
	library *intel.Library
	store   *store.Store
	clock   *ward.HandClock
}

func newWatch(t testing.TB, options feeds.Options, sources ...feeds.Source) watch {
	t.Helper()
	s, err := store.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	clock := ward.NewHandClock(time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC))
	library := intel.New(s, clock)
	return watch{feeds.New(s, clock, sources, library, options), library, s, clock}
}

var person = ward.Actor{Person: "p1", Name: "Feed Keeper", Role: ward.Admin}

func TestSyncsTheSharedData(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 300 MB")
	}
	ctx := context.Background()
	dir := shared.File(t, "data", "vuln")
	w := newWatch(t, feeds.Options{}, sources()...)
	for _, turn := range []string{"first", "again"} {
		begun := time.Now()
		result, err := w.Sync(ctx, person, nil, dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(begun)
		t.Logf("%s: %s", turn, took.Round(time.Millisecond))
		for _, f := range result.Feeds {
			t.Logf("%-10s %d files, %d records, %d changed, %d withdrawn, %d rejected, %q %s %s", f.Name, f.Files, f.Records, f.Changed, f.Withdrawn, f.Rejected, f.Problems, f.Observed, f.Error)
			if turn == "again" && f.Changed > 0 {
				t.Errorf("%s: %d changed on the second reading", f.Name, f.Changed)
			}
		}
	}
	v, err := w.library.Vulnerability(ctx, "CVE-2025-4428")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v %+v", v, v.Exploited, v.SSVC)
	for _, q := range []intel.Query{{Text: "ivanti"}, {Text: "ivanti mobile", Exploited: true}, {Text: "cve-2025-44"}, {Text: "no such thing"}, {}} {
		begun := time.Now()
		page, err := w.library.Search(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v: %d in %s", q, len(page.Items), time.Since(begun))
		if len(page.Items) > 0 {
			t.Logf("   %s %s", page.Items[0].ID, page.Items[0].Title)
		}
	}
}
