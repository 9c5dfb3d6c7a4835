package feeds_test

import (
	"context"
	"testing"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/cve"
	"wardwatch/know/feeds/epss"
	"wardwatch/know/feeds/kev"
	"wardwatch/know/feeds/nvd"
	"wardwatch/test/shared"
)

func sources() []feeds.Source {
	return []feeds.Source{kev.New(""), epss.New(""), cve.New(""), nvd.New(""), nvd.NewOverrides("")}
}

// TestReadsTheSharedData reads what publishers really sent, all of it.
func TestReadsTheSharedData(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 300 MB")
	}
	dir := shared.File(t, "data", "vuln")
	reports := 0
	result, err := feeds.Read(context.Background(), dir, sources(), func(know.Report) error { reports++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"kev": 1404, "epss": 313089, "nvd": 52067 + 3, "cve": 3361 + 2, "overrides": 16586}
	for _, f := range result.Feeds {
		if f.Records != want[f.Name] || f.Rejected != 0 || f.Error != "" {
			t.Errorf("%s: %d records, %d rejected %q, error %q; want %d and none", f.Name, f.Records, f.Rejected, f.Problems, f.Error, want[f.Name])
		}
		delete(want, f.Name)
	}
	for name := range want {
		t.Errorf("%s: not read", name)
	}
	for _, why := range result.Reasons() {
		t.Logf("%5d %s (%s)", len(why.Files), why.Reason, why.Files[0])
	}
	t.Logf("%d reports", reports)
}
