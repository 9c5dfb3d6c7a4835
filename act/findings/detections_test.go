package findings_test

import (
	"testing"
	"time"

	"wardwatch/act/findings"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

func TestDetectionsFoldAndEachOrganisationSeesItsOwn(t *testing.T) {
	kept, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	at := time.Date(2025, 5, 15, 3, 0, 0, 0, time.UTC)
	desk := findings.New(kept, ward.NewHandClock(at), nil)
	one := ward.Detection{
		Org: "ZZ1", Fingerprint: "f", Kind: "rule", Rule: "r", Title: "A web shell <script>", Level: "high", Techniques: []string{"T1505.003"}, Count: 2,
		First: at, Last: at.Add(time.Hour), Source: "web", Record: 7, Noticed: at, Matched: []ward.DetectedValue{{Field: "c-uri", Value: "/x.jsp"}},
	}
	later, earlier, other, low := one, one, one, one
	later.Count, later.First, later.Last = 3, at.Add(2*time.Hour), at.Add(3*time.Hour)
	earlier.Count, earlier.First, earlier.Last = 1, at.Add(-time.Hour), at.Add(-time.Hour)
	other.Org = "ZZ2"
	low.Fingerprint, low.Level = "g", "low"
	for _, d := range []ward.Detection{one, later, earlier, other, low} {
		if err := kept.Update(t.Context(), func(tx *store.Tx) error { return desk.Detect(t.Context(), tx, []ward.Detection{d}) }); err != nil {
			t.Fatal(err)
		}
	}
	list := func(scope ward.Scope, q findings.DetectionQuery) []ward.Detection {
		all, err := desk.Detections(t.Context(), scope, q)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	got := list(ward.Only("ZZ1"), findings.DetectionQuery{Urgency: findings.Urgency("high")})
	if len(got) != 1 || got[0].Count != 6 || !got[0].First.Equal(at.Add(-time.Hour)) || !got[0].Last.Equal(at.Add(3*time.Hour)) || got[0].Matched[0].Value != "/x.jsp" || got[0].Techniques[0] != "T1505.003" {
		t.Errorf("%+v", got)
	}
	for name, row := range map[string]struct {
		scope ward.Scope
		q     findings.DetectionQuery
		want  int
	}{
		"nobody":               {ward.Scope{}, findings.DetectionQuery{}, 0},
		"nobody, asked for":    {ward.Scope{}, findings.DetectionQuery{Org: "ZZ1"}, 0},
		"its own":              {ward.Only("ZZ2"), findings.DetectionQuery{}, 1},
		"another's, asked for": {ward.Only("ZZ2"), findings.DetectionQuery{Org: "ZZ1"}, 0},
		"everybody's":          {ward.Everything(), findings.DetectionQuery{}, 3},
		"since":                {ward.Everything(), findings.DetectionQuery{Since: at.Add(2 * time.Hour)}, 1},
	} {
		if got := list(row.scope, row.q); len(got) != row.want {
			t.Errorf("%s: %d, want %d", name, len(got), row.want)
		}
	}
}
