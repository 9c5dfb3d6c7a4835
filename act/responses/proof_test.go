package responses_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

var (
	claimedAt = time.Date(2025, 5, 16, 9, 0, 0, 0, time.UTC)
	before    = claimedAt.Add(-time.Hour)
	after     = claimedAt.Add(time.Hour)
	now       = claimedAt.Add(100 * time.Hour)
)

// TestProofOfEveryCombination holds the rule against an independent statement of it, for one asset and every combination of
// what one source can show: 5 statuses, 3 bases, 3 grades, 3 times, gone or listed, contested or not, cited or not.
func TestProofOfEveryCombination(t *testing.T) {
	rows := 0
	for _, status := range []ward.Status{ward.Affected, ward.Fixed, ward.NotAffected, ward.VersionUnknown, ward.PlatformUnknown} {
		for _, basis := range []ward.Basis{ward.ByRuling, ward.ByVersion, ward.ByDefault} {
			for _, grade := range []ward.Grade{ward.SelfDeclared, ward.ToolExport, ward.Independent} {
				for _, at := range []time.Time{before, claimedAt, after} {
					for _, gone := range []bool{false, true} {
						for _, contest := range []string{"", "we run the vendor's fix"} {
							for _, cited := range []bool{false, true} {
								rows++
								seen := ward.Seen{Asset: 1, Name: "mdm1", Version: "12.4.0.2", Status: status, Basis: basis, Source: "register", Grade: grade, ObservedAt: at, Gone: gone}
								var citations []store.CitedAsset
								if cited {
									citations = []store.CitedAsset{{Asset: 1, Name: "mdm1", Version: "12.4.0.2"}}
								}
								newer := at.Equal(after) && !gone
								want := ward.Awaiting
								switch {
								case newer && status == ward.Affected && (basis == ward.ByRuling || basis == ward.ByVersion && contest == ""):
									want = ward.Contradicted
								case newer && status == ward.Affected:
									want = ward.Disputed
								case newer && (status == ward.Fixed || status == ward.NotAffected) && grade != ward.SelfDeclared:
									want = ward.Confirmed
								case status == ward.Affected && basis != ward.ByRuling && contest != "":
									want = ward.Disputed // contested, and nobody has decided
								}
								got := responses.Prove(responses.Statement{FixedAt: claimedAt, Contest: contest}, citations, []ward.Seen{seen}, now)
								name := fmt.Sprintf("%s %s %s %s gone=%t contest=%q cited=%t", status, basis, grade, at.Format("15:04"), gone, contest, cited)
								if got.Result != want {
									t.Errorf("%s: %s (%s), want %s", name, got.Result, got.Why, want)
								}
								says(t, name, got)
							}
						}
					}
				}
			}
		}
	}
	if rows != 5*3*3*3*2*2*2 {
		t.Fatalf("%d combinations", rows)
	}
}

// says holds a proof to the words that it may use, and to naming its source and time.
func says(t *testing.T, name string, p ward.Proof) {
	t.Helper()
	for _, never := range []string{"proven", "safe", "secure", "compliant"} {
		if strings.Contains(p.Why, never) {
			t.Errorf("%s: %q says %q", name, p.Why, never)
		}
	}
	if p.Why == "" || p.At != now {
		t.Errorf("%s: %+v gives no reason or no time", name, p)
	}
	if p.Result != ward.Awaiting && (p.Source == "" || p.ObservedAt.IsZero() || p.Grade == "" || !strings.Contains(p.Why, p.Source) && !strings.HasPrefix(p.Why, "contested")) {
		t.Errorf("%s: %+v does not say who showed it and when", name, p)
	}
}

// TestProofOfTwoSources holds every pair of what two sources can show on one asset after the claim against the rule.
func TestProofOfTwoSources(t *testing.T) {
	type shown struct {
		words  string
		status ward.Status
		basis  ward.Basis
		grade  ward.Grade
		old    bool
		gone   bool
	}
	kinds := []shown{
		{"affected by version", ward.Affected, ward.ByVersion, ward.ToolExport, false, false},
		{"affected by default", ward.Affected, ward.ByDefault, ward.ToolExport, false, false},
		{"affected by ruling", ward.Affected, ward.ByRuling, ward.ToolExport, false, false},
		{"fixed", ward.Fixed, ward.ByVersion, ward.ToolExport, false, false},
		{"declared fixed", ward.Fixed, ward.ByVersion, ward.SelfDeclared, false, false},
		{"unknown", ward.VersionUnknown, ward.ByVersion, ward.ToolExport, false, false},
		{"affected before", ward.Affected, ward.ByVersion, ward.ToolExport, true, false},
		{"gone", ward.Affected, ward.ByVersion, ward.ToolExport, false, true},
	}
	for _, a := range kinds {
		for _, b := range kinds {
			name := a.words + " / " + b.words
			var evidence []ward.Seen
			for i, s := range []shown{a, b} {
				at := after.Add(time.Duration(i) * time.Minute)
				if s.old {
					at = before
				}
				evidence = append(evidence, ward.Seen{Asset: 1, Name: "mdm1", Version: "12.5.0.0", Status: s.status, Basis: s.basis, Grade: s.grade, Source: []string{"defender", "register"}[i], ObservedAt: at, Gone: s.gone})
			}
			has := func(words ...string) bool { return slices.Contains(words, a.words) || slices.Contains(words, b.words) }
			refuted, doubted, supported := has("affected by version", "affected by ruling"), has("affected by default"), has("fixed")
			want := ward.Awaiting
			switch {
			case supported && (refuted || doubted):
				want = ward.Disputed // sources disagree
			case refuted:
				want = ward.Contradicted
			case doubted:
				want = ward.Disputed
			case supported:
				want = ward.Confirmed
			}
			for _, order := range [][]ward.Seen{evidence, {evidence[1], evidence[0]}} {
				got := responses.Prove(responses.Statement{FixedAt: claimedAt}, []store.CitedAsset{{Asset: 1, Name: "mdm1"}}, order, now)
				if got.Result != want {
					t.Errorf("%s: %s (%s), want %s", name, got.Result, got.Why, want)
				}
				if supported && (refuted || doubted) && (!strings.Contains(got.Why, "defender") || !strings.Contains(got.Why, "register")) {
					t.Errorf("%s: %q does not name both sources", name, got.Why)
				}
			}
		}
	}
}

// TestProofNeedsEveryAsset: one machine decides for the worse, all must be seen for the better.
func TestProofNeedsEveryAsset(t *testing.T) {
	asset := func(id ward.AssetID, at time.Time, status ward.Status, basis ward.Basis) ward.Seen {
		return ward.Seen{Asset: id, Name: fmt.Sprint("mdm", id), Version: "12.5.0.0", Fixed: "12.5.0.1", Status: status, Basis: basis, Source: "register", Grade: ward.ToolExport, ObservedAt: at}
	}
	cited := []store.CitedAsset{{Asset: 1, Name: "mdm1"}, {Asset: 2, Name: "mdm2"}, {Asset: 3, Name: "mdm3"}}
	ok1, ok2, ok3 := asset(1, after, ward.Fixed, ward.ByVersion), asset(2, after.Add(time.Hour), ward.Fixed, ward.ByVersion), asset(3, after, ward.NotAffected, ward.ByVersion)
	for _, row := range []struct {
		name  string
		cited []store.CitedAsset
		seen  []ward.Seen
		want  ward.ProofResult
		why   string
	}{
		{"all seen fixed", cited, []ward.Seen{ok1, ok2, ok3}, ward.Confirmed, "confirmed by register at 10:00 UTC on 16 May 2025 (the oldest of 3 assets)"},
		{"one not seen since", cited, []ward.Seen{ok1, ok2, asset(3, before, ward.Affected, ward.ByVersion)}, ward.Awaiting, "mdm3"},
		{"one never listed again", cited, []ward.Seen{ok1, ok2}, ward.Awaiting, "mdm3"},
		{"one in doubt", cited, []ward.Seen{ok1, ok2, asset(3, after, ward.Affected, ward.ByDefault)}, ward.Disputed, "mdm3"},
		{"one contradicts, one in doubt", cited, []ward.Seen{ok1, asset(2, after, ward.Affected, ward.ByVersion), asset(3, after, ward.Affected, ward.ByDefault)}, ward.Contradicted, "mdm2, fixed in 12.5.0.1"},
		{"two contradict", cited, []ward.Seen{ok1, asset(2, after, ward.Affected, ward.ByVersion), asset(3, after, ward.Affected, ward.ByVersion)}, ward.Contradicted, "2 assets still affected: mdm2 and mdm3"},
		{"a machine that came later", cited[:1], []ward.Seen{ok1, asset(9, after, ward.Affected, ward.ByVersion)}, ward.Contradicted, "mdm9"},
		{"a machine that was never exposed asks for nothing", cited[:1], []ward.Seen{ok1, asset(9, before, ward.Fixed, ward.ByVersion)}, ward.Confirmed, "confirmed by register"},
		{"nothing was cited, and the product is seen fixed", nil, []ward.Seen{ok1}, ward.Confirmed, "confirmed by register"},
		{"nothing was cited and nothing is seen", nil, nil, ward.Awaiting, "no source has shown the product"},
		{"nothing was cited, and it was seen before only", nil, []ward.Seen{asset(1, before, ward.Fixed, ward.ByVersion)}, ward.Awaiting, "no source has shown the product"},
		{"one source shows an old and a new version on one machine", cited[:1], []ward.Seen{ok1, asset(1, after, ward.Affected, ward.ByVersion)}, ward.Contradicted, "mdm1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := responses.Prove(responses.Statement{FixedAt: claimedAt}, row.cited, row.seen, now)
			if got.Result != row.want || !strings.Contains(got.Why, row.why) {
				t.Errorf("%s: %q, want %s with %q", got.Result, got.Why, row.want, row.why)
			}
			says(t, row.name, got)
		})
	}
}

func TestProofOfDenial(t *testing.T) {
	seen := ward.Seen{Asset: 1, Name: "mdm1", Version: "12.5.0.0", Status: ward.Affected, Basis: ward.ByVersion, Source: "register", Grade: ward.ToolExport, ObservedAt: before}
	ruled, gone, fixed := seen, seen, seen
	ruled.Basis, gone.Gone, fixed.Status = ward.ByRuling, true, ward.Fixed
	for _, row := range []struct {
		name    string
		seen    []ward.Seen
		contest string
		want    ward.ProofResult
	}{
		{"nothing shows the product", nil, "", ""},
		{"a fixed version", []ward.Seen{fixed}, "", ""},
		{"no longer listed", []ward.Seen{gone}, "", ""},
		{"an affected version is listed", []ward.Seen{seen}, "", ward.Disputed},
		{"and contested", []ward.Seen{seen}, "decommissioned in April", ward.Disputed},
		{"the desk has ruled", []ward.Seen{ruled}, "", ward.Contradicted},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := responses.Prove(responses.Statement{Denied: true, Contest: row.contest}, nil, row.seen, now)
			if got.Result != row.want {
				t.Errorf("%s: %q, want %q", got.Result, got.Why, row.want)
			}
		})
	}
}

// TestAProofOfManyAssetsStaysSmall: a page shows those that need a person, and the sentence counts the rest.
func TestAProofOfManyAssetsStaysSmall(t *testing.T) {
	var evidence []ward.Seen
	for i := range 5000 {
		evidence = append(evidence, ward.Seen{Asset: ward.AssetID(i), Name: fmt.Sprintf("pc%04d", i), Version: "1.0", Status: ward.Affected, Basis: ward.ByVersion, Source: "defender", Grade: ward.ToolExport, ObservedAt: after})
	}
	got := responses.Prove(responses.Statement{FixedAt: claimedAt}, nil, evidence, now)
	if got.Result != ward.Contradicted || len(got.Assets) > 100 || len(got.Why) > 500 || !strings.Contains(got.Why, "5000 assets") {
		t.Errorf("%s with %d assets: %q", got.Result, len(got.Assets), got.Why)
	}
}

func TestAWordOnAWeaknessProvesTheAnswersAboutIt(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	a := g.Publish()
	g.Due()
	g.Words.Stand(ward.Standing{Org: "XZ1", State: ward.Exposed, Reason: "listed now"})
	g.Words.Stand(ward.Standing{Org: "XZ2", State: ward.NotExposed, Reason: "covered"})
	told := func(subject string) {
		t.Helper()
		if err := g.Store.Update(g.Ctx, func(tx *store.Tx) error { return tx.Mark(g.Ctx, store.ForProof, g.Clock.Now(), subject) }); err != nil {
			t.Fatal(err)
		}
		g.Due()
	}
	told("cve:CVE-2025-900001")
	if r := g.Response(a.ID, "XZ1"); r.Current.State == ward.Exposed {
		t.Errorf("a weakness that no alert names moved %+v", r.Current)
	}
	told("cve:CVE-2025-4428")
	for org, want := range map[ward.OrgID]ward.ExposureState{"XZ1": ward.Exposed, "XZ2": ward.NotExposed} {
		if r := g.Response(a.ID, org); r.Current.State != want {
			t.Errorf("%s stands as %+v, want %s", org, r.Current, want)
		}
	}
	if err := g.Store.View(g.Ctx, func(tx *store.Tx) error {
		left, err := tx.Pending(g.Ctx, store.ForProof, 10)
		if len(left) != 0 {
			t.Errorf("left to prove: %q", left)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
