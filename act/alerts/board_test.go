package alerts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

var cy = ground.Person("Cy", ward.Approver, "")

// approved drafts and approves the reference alert.
func approved(t *testing.T, g *ground.Ground) ward.Alert {
	t.Helper()
	a, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
	if err == nil {
		a, err = g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWhoWritesDoesNotApprove(t *testing.T) {
	g := ground.New(t, "XZ1")
	a, err := g.Board.Draft(g.Ctx, ground.Bea, ground.Alert())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("the author approves: %v", err)
	}
	if _, err := g.Board.Approve(g.Ctx, ground.Ann, a.ID, a.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("an analyst approves: %v", err)
	}
	// Whoever changed a word wrote it too.
	edited := ground.Alert()
	edited.Title = "Weaknesses in Endpoint Manager Mobile, exploited"
	a, err = g.Board.Edit(g.Ctx, cy, a.ID, a.Version, edited)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Approve(g.Ctx, cy, a.ID, a.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("an editor approves: %v", err)
	}
	a, err = g.Board.Approve(g.Ctx, ground.Person("Di", ward.Approver, ""), a.ID, a.Version)
	if err != nil || a.State != ward.Approved || a.Approver != "Di" || a.Author != "Bea" {
		t.Fatalf("%+v, %v", a, err)
	}
	// Another text is another approval.
	a, err = g.Board.Edit(g.Ctx, ground.Ann, a.ID, a.Version, edited)
	if err != nil || a.State != ward.Drafted || a.Approver != "" || !a.ApprovedAt.IsZero() {
		t.Errorf("edited after approval: %+v, %v", a, err)
	}
	if _, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{}); !errors.Is(err, ward.ErrState) {
		t.Errorf("a draft is published: %v", err)
	}
	// Two commands by names are two people, and one is one.
	b, err := g.Board.Draft(g.Ctx, ward.System("jo"), ground.Alert())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Approve(g.Ctx, ward.System("jo"), b.ID, b.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("jo approves jo's: %v", err)
	}
	if _, err := g.Board.Approve(g.Ctx, ward.System("sam"), b.ID, b.Version); err != nil {
		t.Error(err)
	}
}

func TestPublishingTellsEveryoneOnceAndKeepsWhatWasKnown(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3")
	g.Row(`UPDATE organisations SET closed = $1 WHERE id = 'XZ3'`, ground.Day0.Add(-time.Hour).UnixMicro())
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", "CVE-2025-4427", "CVE-2025-4428")
	g.Words.Stand(ward.Standing{Org: "XZ1", State: ward.Exposed, Assets: 1, Reason: "12.5.0.0 on 1 asset"})
	a := approved(t, g)
	preview, err := g.Board.Preview(g.Ctx, ground.Bea, a.ID, alerts.Audience{})
	if err != nil || len(preview.Told) != 2 || preview.Told[0].Standing.State != ward.Exposed || preview.Told[1].Standing.State != ward.ExposureUnknown {
		t.Fatalf("preview %+v, %v", preview, err)
	}
	p, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{Respond: []ward.OrgID{"XZ2", "XZ1", "XZ2", "XZ3"}})
	if err != nil || p.Notified != 2 || !slices.Equal(p.Closed, []ward.OrgID{"XZ3"}) || p.Alert.State != ward.Published || !p.Alert.Issued.Equal(ground.Day0) {
		t.Fatalf("%+v, %v", p, err)
	}
	all, err := g.Ledger.ForAlert(g.Ctx, ward.Everything(), a.ID)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d responses, %v", len(all), err)
	}
	page, err := g.Outbox.Inbox(g.Ctx, ward.Only("XZ2"), "XZ2", "", 0)
	if err != nil || len(page.Items) != 1 || !strings.HasPrefix(page.Items[0].Subject, "EXERCISE: High") || strings.Contains(page.Items[0].Body, "mdm1") {
		t.Errorf("inbox %+v, %v", page, err)
	}
	err = g.Store.View(g.Ctx, func(tx *store.Tx) error {
		cited, err := tx.Cited(g.Ctx, ward.Everything(), "alert", string(a.ID), "XZ1")
		if len(cited) != 1 || cited[0].Name != "mdm1" || cited[0].Version != "12.5.0.0" {
			t.Errorf("cited %+v", cited)
		}
		if hidden, err := tx.Cited(g.Ctx, ward.Only("XZ2"), "alert", string(a.ID), "XZ1"); err != nil || len(hidden) != 0 {
			t.Errorf("XZ2 reads what XZ1 runs: %+v, %v", hidden, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, p.Alert.Version, alerts.Audience{}); !errors.Is(err, ward.ErrState) {
		t.Errorf("published twice: %v", err)
	}
	if _, err := g.Board.Edit(g.Ctx, ground.Ann, a.ID, p.Alert.Version, ground.Alert()); !errors.Is(err, ward.ErrState) {
		t.Errorf("edited after publication: %v", err)
	}
}

func TestAudiencesThatAreNone(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ3")
	g.Row(`UPDATE organisations SET closed = 1 WHERE id = 'XZ3'`)
	a := approved(t, g)
	for name, orgs := range map[string][]ward.OrgID{"unknown": {"XZ1", "XQ9"}, "closed": {"XZ3"}, "empty": {}} {
		if _, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{Respond: orgs}); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now, err := g.Board.Get(g.Ctx, ward.Everything(), a.ID); err != nil || now.State != ward.Approved {
		t.Errorf("%+v, %v", now, err)
	}
}

func TestAnOrganisationSeesOnlyWhatWasPublishedToIt(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	draft, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
	if err != nil {
		t.Fatal(err)
	}
	a := g.Publish("XZ1")
	for _, row := range []struct {
		scope ward.Scope
		id    ward.AlertID
		sees  bool
	}{
		{ward.Everything(), draft.ID, true}, {ward.Only("XZ1"), draft.ID, false},
		{ward.Only("XZ1"), a.ID, true}, {ward.Only("XZ2"), a.ID, false}, {ward.Only("XZ1", "XZ2"), a.ID, true}, {ward.Scope{}, a.ID, false},
	} {
		_, err := g.Board.Get(g.Ctx, row.scope, row.id)
		_, versionsErr := g.Board.Versions(g.Ctx, row.scope, row.id)
		page, listErr := g.Board.List(g.Ctx, row.scope, alerts.Query{})
		listed := slices.ContainsFunc(page.Items, func(a ward.Alert) bool { return a.ID == row.id })
		if listErr != nil || (err == nil) != row.sees || (versionsErr == nil) != row.sees || listed != row.sees {
			t.Errorf("%v %s: %v, %v, listed %t; want %t", row.scope, row.id, err, versionsErr, listed, row.sees)
		}
	}
	// The versions before publication were the desk's own.
	own, err := g.Board.Versions(g.Ctx, ward.Everything(), a.ID)
	if err != nil || len(own) != 3 {
		t.Errorf("%d versions, %v", len(own), err)
	}
	theirs, err := g.Board.Versions(g.Ctx, ward.Only("XZ1"), a.ID)
	if err != nil || len(theirs) != 1 {
		t.Errorf("%d versions, %v", len(theirs), err)
	}
	if _, err := g.Board.Preview(g.Ctx, ground.Person("L", ward.Lead, "XZ1"), a.ID, alerts.Audience{}); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("an organisation previews: %v", err)
	}
}

func TestTwoPeopleEditAtOnce(t *testing.T) {
	g := ground.New(t, "XZ1")
	a, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := ground.Alert(), ground.Alert()
	theirs.Summary, mine.Summary = "Theirs.", "Mine."
	if _, err := g.Board.Edit(g.Ctx, ground.Bea, a.ID, a.Version, theirs); err != nil {
		t.Fatal(err)
	}
	_, err = g.Board.Edit(g.Ctx, ground.Ann, a.ID, a.Version, mine)
	var conflict *ward.Conflict
	if !errors.As(err, &conflict) || !strings.Contains(conflict.Theirs, "Theirs.") || !strings.Contains(conflict.Yours, "Mine.") || conflict.By != "Bea" {
		t.Errorf("%v", err)
	}
}

func TestThreatIDs(t *testing.T) {
	g := ground.New(t)
	var got []ward.AlertID
	for i := range 4 {
		draft := ground.Alert()
		draft.Exercise = i%2 == 1
		a, err := g.Board.Draft(g.Ctx, ground.Ann, draft)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.ID)
	}
	if want := []ward.AlertID{"CC-0001", "CC-900001", "CC-0002", "CC-900002"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDraftsThatAreNotValid(t *testing.T) {
	g := ground.New(t)
	for field, spoil := range map[string]func(*ward.Alert){
		"title":              func(a *ward.Alert) { a.Title = " " },
		"summary":            func(a *ward.Alert) { a.Summary = strings.Repeat("x", 20_001) },
		"severity":           func(a *ward.Alert) { a.Severity = "Critical" },
		"tlp":                func(a *ward.Alert) { a.TLP = "TLP:WHITE" },
		"cves":               func(a *ward.Alert) { a.CVEs = []ward.CVE{"CVE-25-1"} },
		"steps":              func(a *ward.Alert) { a.Steps = []ward.Step{{Kind: "Pray", Text: "x"}} },
		"classes":            func(a *ward.Alert) { a.Classes = []ward.Class{"toaster"} },
		"acknowledge_within": func(a *ward.Alert) { a.AcknowledgeWithin = -time.Hour },
		"vendor":             func(a *ward.Alert) { a.Vendor = "\xff" },
		"product":            func(a *ward.Alert) { a.Product = "EPMM\x00" },
	} {
		draft := ground.Alert()
		spoil(&draft)
		_, err := g.Board.Draft(g.Ctx, ground.Ann, draft)
		var invalid *ward.Invalid
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, link := range []string{"javascript:alert(1)", "//x.example", "file:///etc/passwd", "https:"} {
		draft := ground.Alert()
		draft.Steps = []ward.Step{{Kind: ward.StepGuidance, Text: "x", Link: link}}
		if _, err := g.Board.Draft(g.Ctx, ground.Ann, draft); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("link %q: %v", link, err)
		}
	}
	// Markup is text like any other, and stays as it was written.
	draft := ground.Alert()
	draft.Title, draft.Summary = `<img src=x onerror=alert(1)>`, "=HYPERLINK(\"x\")\r\nsecond line"
	a, err := g.Board.Draft(g.Ctx, ground.Ann, draft)
	if err != nil || a.Title != draft.Title || a.Summary != "=HYPERLINK(\"x\")\nsecond line" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := g.Board.Draft(g.Ctx, ground.Person("L", ward.Lead, "XZ1"), ground.Alert()); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("a lead drafts: %v", err)
	}
}

func TestDraftsFromWhatIsKnown(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", "CVE-2025-4427", "CVE-2025-4428")
	g.Words.Facts = map[ward.CVE]ward.Vulnerability{
		"CVE-2025-4427": {ID: "CVE-2025-4427", Title: "Authentication bypass in EPMM", Description: "An authentication bypass.",
			Exploited: &ward.Exploited{Provenance: ward.Provenance{Source: "kev", URL: "https://kev.example/4427"}, Since: ground.Day0, Action: "Apply mitigations."},
			CVSS:      []ward.CVSS{{Provenance: ward.Provenance{Source: "nvd"}, Version: "3.1", Score: 5.3, Vector: "CVSS:3.1/AV:N/AC:L"}}, References: []string{"javascript:x", "https://vendor.example/advisory"}},
		"CVE-2025-4428": {ID: "CVE-2025-4428", Description: "Remote code execution.", References: []string{"https://vendor.example/advisory"}},
	}
	g.Words.Found = map[ward.FindingID]ward.Finding{"f1": {ID: "f1", Org: "XZ1", Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Fix: "12.5.0.1", CVEs: []ward.CVE{"CVE-2025-4427", "CVE-2025-4428"}}}

	a, err := g.Board.DraftFromFinding(g.Ctx, ground.Ann, "f1")
	if err != nil {
		t.Fatal(err)
	}
	if a.Finding != "f1" || a.Vendor != "Ivanti" || a.Product != "Endpoint Manager Mobile" || a.Severity != ward.High || a.Vector != "Network" ||
		a.Title != "Weaknesses in Endpoint Manager Mobile, being exploited" || a.State != ward.Drafted || !slices.Equal(a.Classes, []ward.Class{ward.MobileManagement}) {
		t.Errorf("%+v", a)
	}
	if len(a.SeverityWhy) == 0 || !strings.Contains(a.SeverityWhy[0], "exploited, says CISA KEV") {
		t.Errorf("reasons %q", a.SeverityWhy)
	}
	if a.Steps[0].Kind != ward.StepPatch || !strings.Contains(a.Steps[0].Text, "12.5.0.1") || a.Steps[1].Text != "Apply mitigations." {
		t.Errorf("steps %+v", a.Steps)
	}
	for _, s := range a.Steps {
		if strings.HasPrefix(s.Link, "javascript") {
			t.Errorf("a publisher's link became a step: %+v", s)
		}
	}
	one, err := g.Board.DraftFromCVE(g.Ctx, ground.Ann, "CVE-2025-4428")
	if err != nil || one.Product != "Endpoint Manager Mobile" || one.ThreatType != "Remote code execution" || one.Severity != ward.Low {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := g.Board.DraftFromCVE(g.Ctx, ground.Ann, "CVE-2025-9999"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("an unknown weakness: %v", err)
	}
}

func TestProposedSeverity(t *testing.T) {
	score := func(n float64) []ward.CVSS { return []ward.CVSS{{Version: "3.1", Score: n}} }
	for name, row := range map[string]struct {
		v    ward.Vulnerability
		want ward.Severity
	}{
		"nothing known":         {ward.Vulnerability{}, ward.Low},
		"known to be exploited": {ward.Vulnerability{Exploited: &ward.Exploited{}}, ward.High},
		"actively exploited":    {ward.Vulnerability{SSVC: &ward.SSVC{Exploitation: "active"}}, ward.High},
		"automatable and total": {ward.Vulnerability{SSVC: &ward.SSVC{Automatable: "yes", Impact: "total"}}, ward.High},
		"probable":              {ward.Vulnerability{EPSS: &ward.EPSS{Score: 0.5}}, ward.High},
		"improbable":            {ward.Vulnerability{EPSS: &ward.EPSS{Score: 0.49}}, ward.Low},
		"CVSS 9":                {ward.Vulnerability{CVSS: score(9)}, ward.High},
		"CVSS 7":                {ward.Vulnerability{CVSS: score(7)}, ward.Medium},
		"CVSS 6.9":              {ward.Vulnerability{CVSS: score(6.9)}, ward.Low},
	} {
		if got, why := alerts.Propose([]ward.Vulnerability{{}, row.v}); got != row.want || len(why) == 0 {
			t.Errorf("%s: %s %q, want %s", name, got, why, row.want)
		}
	}
}

func TestListsArePagedAndSearched(t *testing.T) {
	g := ground.New(t, "XZ1")
	for range 5 {
		g.Publish()
	}
	var got []ward.AlertID
	q := alerts.Query{Limit: 2}
	for {
		page, err := g.Board.List(g.Ctx, ward.Only("XZ1"), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			got = append(got, a.ID)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if want := []ward.AlertID{"CC-900005", "CC-900004", "CC-900003", "CC-900002", "CC-900001"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for text, want := range map[string]int{"900003": 1, "endpoint MANAGER": 5, "%": 0, "_": 0, "nothing of the kind": 0} {
		if page, err := g.Board.List(g.Ctx, ward.Everything(), alerts.Query{Text: text}); err != nil || len(page.Items) != want {
			t.Errorf("%q: %d, %v", text, len(page.Items), err)
		}
	}
	if page, err := g.Board.List(g.Ctx, ward.Everything(), alerts.Query{CVE: "CVE-2025-4427", Org: "XZ1", State: ward.Published}); err != nil || len(page.Items) != 5 {
		t.Errorf("%d, %v", len(page.Items), err)
	}
}

// brittle fails to tell the organisation after so many.
type brittle struct {
	alerts.Notices
	left int
	die  bool
}

func (b *brittle) Add(ctx context.Context, tx *store.Tx, n ward.Notice) error {
	b.left--
	if b.left >= 0 {
		return b.Notices.Add(ctx, tx, n)
	}
	if b.die {
		os.Exit(9) // as a kill would: nothing is flushed, nothing is rolled back
	}
	return errors.New("the outbox is full")
}

// nothingPublished holds the store to "all or nothing": as if publish had never been called.
func nothingPublished(t *testing.T, g *ground.Ground, id ward.AlertID) {
	t.Helper()
	a, err := g.Board.Get(g.Ctx, ward.Everything(), id)
	if err != nil || a.State != ward.Approved || !a.Issued.IsZero() {
		t.Errorf("%+v, %v", a, err)
	}
	if all, err := g.Ledger.ForAlert(g.Ctx, ward.Everything(), id); err != nil || len(all) != 0 {
		t.Errorf("%d responses, %v", len(all), err)
	}
	for _, org := range []ward.OrgID{"XZ1", "XZ2", "XZ3"} {
		if page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), org, "", 0); err != nil || len(page.Items) != 0 {
			t.Errorf("%s was told: %+v, %v", org, page.Items, err)
		}
	}
	err = g.Store.View(g.Ctx, func(tx *store.Tx) error {
		cited, err := tx.Cited(g.Ctx, ward.Everything(), "alert", string(id), "XZ1")
		if len(cited) != 0 {
			t.Errorf("cited %+v", cited)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFaultANoticeFailsInTheMiddleOfAPublish(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", "CVE-2025-4427")
	a := approved(t, g)
	g.Board.Notices = &brittle{Notices: g.Outbox, left: 2}
	if _, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{}); err == nil {
		t.Fatal("published although a notice failed")
	}
	nothingPublished(t, g, a.ID)
	g.Board.Notices = g.Outbox
	if p, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{}); err != nil || p.Notified != 3 {
		t.Errorf("again: %+v, %v", p, err)
	}
}

// killed runs the test again in a process of its own, which must die within act, and gives back what it left behind.
func killed(t *testing.T, act func(*ground.Ground) error) *ground.Ground {
	t.Helper()
	const variable = "WARDWATCH_TEST_KILLED_IN" // in the process that is to die: the directory of its store
	if dir := os.Getenv(variable); dir != "" {
		t.Fatalf("survived: %v", act(ground.At(t, dir, "XZ1", "XZ2", "XZ3")))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	child := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s", variable, dir))
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 9 {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	return ground.At(t, dir)
}

func TestFaultAKillInTheMiddleOfAPublish(t *testing.T) {
	g := killed(t, func(g *ground.Ground) error {
		g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", "CVE-2025-4427")
		a := approved(t, g)
		g.Board.Notices = &brittle{Notices: g.Outbox, left: 2, die: true}
		_, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{})
		return err
	})
	nothingPublished(t, g, "CC-900001")
	if p, err := g.Board.Publish(g.Ctx, ground.Bea, "CC-900001", 2, alerts.Audience{}); err != nil || p.Notified != 3 {
		t.Errorf("after the restart: %+v, %v", p, err)
	}
}
