package findings_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/act/findings"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

const (
	cve1 = ward.CVE("CVE-2025-4427")
	cve2 = ward.CVE("CVE-2025-4428")
)

// known writes what publishers say of a weakness, as the merged facts keep it.
func known(g *ground.Ground, cve ward.CVE, exploited bool, ssvc string, epss float64) {
	var since any
	if exploited {
		since = ground.Day0.UnixMicro()
	}
	g.Row(`INSERT INTO vulnerabilities (id, title, published, modified, exploited_since, ssvc, cvss, rejected, words, body) VALUES ($1, '', 0, 0, $2, $3, 7.2, 0, '', '{}')`, string(cve), since, ssvc)
	g.Row(`INSERT INTO epss (cve, score, percentile, day) VALUES ($1, $2, 0.9, 0)`, string(cve), epss)
}

func TestOneFindingForEachFixAndOrganisation(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	known(g, cve1, true, "active/yes/partial", 0.9)
	known(g, cve2, false, "poc/no/total", 0.2)
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1, cve2)
	g.Exposed("XZ1", 2, "mdm2", "12.5.0.0", cve1, cve2)
	g.Exposed("XZ1", 3, "mdm3", "12.4.0.1", cve1)
	g.Exposed("XZ2", 4, "mdm4", "12.5.0.0", cve1, cve2)
	g.Folded("XZ1", "XZ2")

	queue := g.Queue()
	if len(queue) != 3 {
		t.Fatalf("%d findings, want 3: %+v", len(queue), queue)
	}
	at := slices.IndexFunc(queue, func(f ward.Finding) bool { return f.Org == "XZ1" && f.Branch == "12.5" })
	f := queue[at]
	if f.Fix != "12.5.0.1" || f.Assets != 2 || !slices.Equal(f.CVEs, []ward.CVE{cve1, cve2}) {
		t.Errorf("finding %+v", f)
	}
	if !f.Priority.Exploited || f.Priority.SSVC != "attend" || f.Priority.Reachable != ward.Yes || f.Priority.EPSS != 0.9 || !strings.Contains(strings.Join(f.Priority.Reasons, "; "), "exploited: CVE-2025-4427") {
		t.Errorf("priority %+v", f.Priority)
	}
	if _, err := g.Desk.Finding(g.Ctx, ward.Only("XZ2"), f.ID); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("another organisation's finding: %v", err)
	}
	page, err := g.Desk.Queue(g.Ctx, ward.Only("XZ2"), findings.Query{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Org != "XZ2" {
		t.Errorf("XZ2's queue: %+v, %v", page, err)
	}
	fixes, err := g.Desk.Fixes(g.Ctx, ward.Everything(), 0)
	if err != nil || len(fixes) != 2 || fixes[0].Orgs+fixes[1].Orgs != 3 || fixes[0].Assets+fixes[1].Assets != 4 {
		t.Errorf("fixes %+v, %v", fixes, err)
	}
}

func TestALaterCumulativeUpdateReplacesTheFinding(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	g.Folded("XZ1")
	first := g.Queue()[0]

	g.Clock.Advance(48 * time.Hour)
	g.Row(`INSERT INTO verdicts (cve, software, since, until, status, basis, confidence, source, fixed, why) SELECT 'CVE-2026-1281', id, $1, NULL, 'affected', 'version', 'name', 'cna:ivanti', '12.5.0.4', 'because' FROM software`, g.Clock.Now().UnixMicro())
	g.Folded("XZ1")
	queue := g.Queue()
	if len(queue) != 1 {
		t.Fatalf("queue %+v", queue)
	}
	second := queue[0]
	if second.Fix != "12.5.0.4" || second.Replaces != first.ID || !second.FirstSeen.Equal(first.FirstSeen) || len(second.CVEs) != 2 {
		t.Errorf("second %+v", second)
	}
	older, err := g.Desk.Finding(g.Ctx, ward.Everything(), first.ID)
	if err != nil || older.State != ward.FindingReplaced || older.Ended == "" || len(older.CVEs) != 1 {
		t.Errorf("older %+v, %v", older, err)
	}
}

func TestHowAFindingEnds(t *testing.T) {
	for _, row := range []struct {
		name   string
		happen func(g *ground.Ground)
		want   string
	}{
		{"the asset is listed no more", func(g *ground.Ground) { g.Row(`UPDATE installs SET last_seen = 1`) }, "no longer seen"},
		{"a fixed version is installed", func(g *ground.Ground) {
			g.Row(`UPDATE installs SET last_seen = 1`)
			g.Exposed("XZ1", 2, "mdm1-new", "12.5.0.1")
			g.Row(`INSERT INTO verdicts (cve, software, since, until, status, basis, confidence, source, fixed, why) SELECT $1, id, 1, NULL, 'fixed', 'version', 'name', 'cna:ivanti', '12.5.0.1', 'because' FROM software WHERE version = '12.5.0.1'`, string(cve1))
		}, "12.5.0.1 is seen now"},
		{"a publisher corrects its record", func(g *ground.Ground) { g.Row(`UPDATE verdicts SET until = 1`) }, "still seen"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := ground.New(t, "XZ1")
			g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
			g.Folded("XZ1")
			id := g.Queue()[0].ID
			row.happen(g)
			g.Folded("XZ1")
			f, err := g.Desk.Finding(g.Ctx, ward.Everything(), id)
			if err != nil || f.State != ward.FindingEnded || f.Assets != 0 || !strings.Contains(f.Ended, row.want) {
				t.Errorf("%+v, %v", f, err)
			}
			if strings.Contains(f.Ended, "was fixed") && !strings.Contains(f.Ended, "does not say") {
				t.Errorf("%q claims more than is known", f.Ended)
			}
		})
	}
}

func TestWeaknessesWithoutAFixDoNotHideThoseWithOne(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	g.Row(`INSERT INTO verdicts (cve, software, since, until, status, basis, confidence, source, fixed, why) SELECT $1, id, 1, NULL, 'affected', 'version', 'name', 'cna:ivanti', '', 'because' FROM software`, string(cve2))
	g.Folded("XZ1")
	queue := g.Queue()
	if len(queue) != 2 || queue[0].Fix == queue[1].Fix {
		t.Fatalf("queue %+v", queue)
	}
	// The fix that comes at last takes both over.
	g.Row(`UPDATE verdicts SET fixed = '12.5.0.2' WHERE cve = $1`, string(cve2))
	g.Folded("XZ1")
	if queue = g.Queue(); len(queue) != 1 || queue[0].Fix != "12.5.0.2" || queue[0].Replaces == "" {
		t.Errorf("queue %+v", queue)
	}
}

func TestAFindingNamesTheAlertInForce(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	g.Exposed("XZ2", 2, "mdm2", "12.5.0.0", cve1)
	g.Folded("XZ1", "XZ2")
	a := g.Publish("XZ1")
	for _, f := range g.Queue() {
		want := map[ward.OrgID]ward.AlertID{"XZ1": a.ID}[f.Org]
		if f.Alert != want {
			t.Errorf("%s: alert %q, want %q", f.Org, f.Alert, want)
		}
	}
}

func TestRankOrdersByWhatIsUrgent(t *testing.T) {
	// Most urgent first: each differs from the next by what matters most between them.
	order := []ward.Priority{
		{Exploited: true, SSVC: "act"},
		{Exploited: true, SSVC: "track", Reachable: ward.Yes},
		{Exploited: true, SSVC: "track", Reachable: ward.NotKnown, EPSS: 0.9},
		{Exploited: true},
		{SSVC: "attend", Reachable: ward.No},
		{SSVC: "track", Reachable: ward.Yes, Care: []string{"imaging"}},
		{SSVC: "track", Reachable: ward.Yes, EPSS: 0.99},
		{SSVC: "track", Reachable: ward.Yes, EPSS: 0.01},
		{SSVC: "track", Reachable: ward.Yes},
		{SSVC: "track", Reachable: ward.NotKnown},
		{SSVC: "track", Reachable: ward.No},
		{Reachable: ward.Yes},
	}
	for i := 1; i < len(order); i++ {
		if findings.Rank(order[i-1]) >= findings.Rank(order[i]) {
			t.Errorf("%+v (%s) does not come before %+v (%s)", order[i-1], findings.Rank(order[i-1]), order[i], findings.Rank(order[i]))
		}
	}
}

// TestSSVCRestsOnTheCareThatDependsOnTheAsset: the same points decide otherwise where a clinical service depends on it, and
// the catalogue's word on exploitation overrules an older assessment.
func TestSSVCRestsOnTheCareThatDependsOnTheAsset(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	known(g, cve1, false, "poc/no/total", 0)
	for _, row := range []struct{ services, want, says string }{
		{`[]`, "track*", "mission impact medium: nothing is known to depend on it"},
		{`["Emergency department"]`, "attend", "mission impact high: care depends on it"},
	} {
		g.Row(`UPDATE assets SET services = $1`, row.services)
		g.Row(`UPDATE presence SET services = $1`, row.services)
		g.Folded("XZ1")
		p := g.Queue()[0].Priority
		if p.SSVC != row.want || !strings.Contains(strings.Join(p.Reasons, "\n"), row.says) {
			t.Errorf("%s: %+v", row.services, p)
		}
	}
	g.Row(`UPDATE vulnerabilities SET exploited_since = 1`)
	g.Folded("XZ1")
	if p := g.Queue()[0].Priority; p.SSVC != "act" || !strings.Contains(strings.Join(p.Reasons, "\n"), "exploitation active") {
		t.Errorf("exploited: %+v", p)
	}
}

func TestTheQueueIsPagedWithoutLossOrRepeat(t *testing.T) {
	g := ground.New(t, "XZ1")
	for i := range 7 {
		g.Row(`INSERT INTO findings VALUES ($1, 'XZ1', 'V', 'P', 'v/p', '', $1, '[]', 1, 'open', '', '', 1, 1, $2, '{}')`, fmt.Sprint("f", i), fmt.Sprint("rank", i%3))
	}
	var got []ward.FindingID
	q := findings.Query{Limit: 2}
	for {
		page, err := g.Desk.Queue(g.Ctx, ward.Everything(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Items {
			got = append(got, f.ID)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if want := []ward.FindingID{"f0", "f3", "f6", "f1", "f4", "f2", "f5"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := g.Desk.Queue(g.Ctx, ward.Everything(), findings.Query{After: "!"}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("a cursor that no page gave: %v", err)
	}
}

func TestAWordOnOneProductFoldsThatProductAlone(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	g.Exposed("XZ2", 2, "mdm2", "12.5.0.0", cve1)
	g.Folded("XZ1", "XZ2")
	if queue := g.Queue(); len(queue) != 2 || queue[0].Priority.Exploited {
		t.Fatalf("before: %+v", queue)
	}

	// Two versions of something whose vendor nobody wrote, which the desk was not told of yet.
	for id, version := range map[int]string{7: "3.1", 8: "3.2"} {
		g.Row(`INSERT INTO software (id, identity, vendor, product, version, cpe, purl) VALUES ($1, $2, '', 'Bed Board', $2, '', '')`, id, version)
		g.Row(`INSERT INTO installs (software, asset, source, first_seen) SELECT $1, $2, id, 1 FROM sources WHERE org = $3`, id, id-6, fmt.Sprintf("XZ%d", id-6))
		g.Row(`INSERT INTO verdicts (cve, software, since, until, status, basis, confidence, source, fixed, why) VALUES ('CVE-2025-900001', $1, 1, NULL, 'affected', 'version', 'name', 'cna:x', '3.9', 'because')`, id)
	}
	known(g, cve1, true, "", 0)
	g.Folded("software:1")
	queue := g.Queue()
	if len(queue) != 2 || !queue[0].Priority.Exploited || !queue[1].Priority.Exploited {
		t.Fatalf("after the word that it is exploited: %+v", queue)
	}

	g.Folded("software:7")
	if queue = g.Queue(); len(queue) != 4 || queue[2].Product != "Bed Board" || queue[2].Org == queue[3].Org {
		t.Fatalf("after the word on one version of a product without a vendor: %+v", queue)
	}

	g.Row(`UPDATE verdicts SET until = $1 WHERE cve = $2`, g.Clock.Now().UnixMicro(), string(cve1))
	g.Folded("software:1")
	for _, f := range g.Queue() {
		if f.Product != "Bed Board" {
			t.Errorf("still open: %+v", f)
		}
	}
}
