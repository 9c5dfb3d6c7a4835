package alerts_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

var (
	di   = ground.Person("Di", ward.Approver, "")
	lead = ground.Person("Lee", ward.Lead, "XZ1")
)

// told lists the kinds and subjects of what an organisation, or the national desk, was told, oldest first.
func told(t *testing.T, g *ground.Ground, org ward.OrgID) (kinds, subjects []string) {
	t.Helper()
	page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), org, "", ward.MostPageSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range slices.Backward(page.Items) {
		kinds, subjects = append(kinds, n.Kind), append(subjects, n.Subject)
	}
	return kinds, subjects
}

func wantTold(t *testing.T, g *ground.Ground, org ward.OrgID, want ...string) {
	t.Helper()
	if got, subjects := told(t, g, org); !slices.Equal(got, want) {
		t.Errorf("%q was told %v (%q), want %v", org, got, subjects, want)
	}
}

// published puts the reference alert before an audience.
func published(t *testing.T, g *ground.Ground, to alerts.Audience) ward.Alert {
	t.Helper()
	a := approved(t, g)
	p, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, to)
	if err != nil {
		t.Fatal(err)
	}
	return p.Alert
}

func TestWhoIsOnlyInformedReadsAndOwesNothing(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3", "XZ4")
	g.Row(`UPDATE organisations SET closed = 1 WHERE id = 'XZ4'`)
	a := approved(t, g)
	preview, err := g.Board.Preview(g.Ctx, ground.Bea, a.ID, alerts.Audience{Inform: []ward.OrgID{"XZ2", "XZ4"}})
	if err != nil || len(preview.Told) != 3 || preview.Told[2].Org != "XZ2" || preview.Told[2].Part != ward.ToInform || !slices.Equal(preview.Closed, []ward.OrgID{"XZ4"}) {
		t.Fatalf("%+v, %v", preview, err)
	}
	if !strings.Contains(preview.Told[0].Body, "Acknowledge by") || !strings.Contains(preview.Told[2].Body, "owe no answer") {
		t.Errorf("%+v", preview.Told)
	}
	wantTold(t, g, "XZ1")
	p, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{Inform: []ward.OrgID{"XZ2", "XZ4"}})
	if err != nil || p.Notified != 2 || p.Informed != 1 || !slices.Equal(p.Closed, []ward.OrgID{"XZ4"}) {
		t.Fatalf("%+v, %v", p, err)
	}
	wantTold(t, g, "XZ1", "alert.published")
	wantTold(t, g, "XZ2", "alert.informed")
	if _, err := g.Board.Get(g.Ctx, ward.Only("XZ2"), a.ID); err != nil {
		t.Errorf("who is informed does not see it: %v", err)
	}
	if page, err := g.Board.List(g.Ctx, ward.Only("XZ2"), alerts.Query{Org: "XZ2"}); err != nil || len(page.Items) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if owed, err := g.Ledger.Owed(g.Ctx, ward.Everything(), "XZ2"); err != nil || len(owed) != 0 {
		t.Errorf("it owes %+v, %v", owed, err)
	}
	// Each sees of the audience what its scope shows.
	for scope, want := range map[*ward.Scope]string{
		ptr(ward.Everything()): "[XZ1 XZ3] [XZ2]", ptr(ward.Only("XZ2")): "[] [XZ2]", ptr(ward.Only("XZ1")): "[XZ1] []",
	} {
		who, err := g.Board.Who(g.Ctx, *scope, a.ID)
		if got := fmt.Sprint(who.Respond, who.Inform); err != nil || got != want {
			t.Errorf("%s, want %s, %v", got, want, err)
		}
	}
	if _, err := g.Board.Who(g.Ctx, ward.Only("XZ4"), a.ID); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("a stranger asks who was told: %v", err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestAudiencesThatContradictThemselves(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	a := approved(t, g)
	for name, to := range map[string]alerts.Audience{
		"both":           {Respond: []ward.OrgID{"XZ1"}, Inform: []ward.OrgID{"XZ1"}},
		"unknown":        {Inform: []ward.OrgID{"XQ9"}},
		"nobody":         {Respond: []ward.OrgID{}, Inform: []ward.OrgID{}},
		"unknown of two": {Respond: []ward.OrgID{"XZ1", "XQ9"}, Inform: []ward.OrgID{"XZ2"}},
	} {
		if _, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, to); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An alert that asks nobody and informs somebody is an alert.
	p, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{Respond: []ward.OrgID{}, Inform: []ward.OrgID{"XZ1"}})
	if err != nil || p.Notified != 0 || p.Informed != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestClocksComeFromThePolicyAndTheApproverChangesThem(t *testing.T) {
	g := ground.New(t, "XZ1")
	draft := ground.Alert()
	draft.Exercise = false
	a, err := g.Board.Draft(g.Ctx, ground.Ann, draft)
	if err != nil || a.AcknowledgeWithin != 48*time.Hour || a.UpdateEvery != 72*time.Hour || a.Policy.Name != "default" || a.Policy.Source == "" || a.Policy.Checked.IsZero() || a.ClocksWhy != "" {
		t.Fatalf("%+v, %v", a, err)
	}
	faster := alerts.Clocks{AcknowledgeWithin: 12 * time.Hour, CheckRequired: true, CheckWhy: "seen in use", Why: "exploited in the last hour"}
	if _, err := g.Board.SetClocks(g.Ctx, ground.Ann, a.ID, a.Version, faster); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("an analyst changes the clocks: %v", err)
	}
	for field, clocks := range map[string]alerts.Clocks{
		"why": {AcknowledgeWithin: 12 * time.Hour}, "acknowledge_within": {AcknowledgeWithin: time.Minute, Why: "x"}, "update_every": {UpdateEvery: 1e4 * time.Hour, Why: "x"},
	} {
		var invalid *ward.Invalid
		if _, err := g.Board.SetClocks(g.Ctx, ground.Bea, a.ID, a.Version, clocks); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	a, err = g.Board.SetClocks(g.Ctx, ground.Bea, a.ID, a.Version, faster)
	if err != nil || a.AcknowledgeWithin != 12*time.Hour || a.UpdateEvery != 72*time.Hour || a.ClocksWhy != "exploited in the last hour" || a.ClocksBy != "Bea" || !a.CheckRequired || a.State != ward.Drafted {
		t.Fatalf("%+v, %v", a, err)
	}
	// Who set the clocks did not write the text, and approves it; who approved changes them once more, and it stays approved.
	if a, err = g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version); err != nil {
		t.Fatal(err)
	}
	if a, err = g.Board.SetClocks(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Clocks{}); err != nil || a.State != ward.Approved || a.AcknowledgeWithin != 48*time.Hour || a.ClocksWhy != "" || a.CheckRequired {
		t.Fatalf("%+v, %v", a, err)
	}
	p, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.SetClocks(g.Ctx, ground.Bea, a.ID, p.Alert.Version, faster); !errors.Is(err, ward.ErrState) {
		t.Errorf("clocks change after publication: %v", err)
	}
	for kind, days := range map[ward.SystemKind]int{ward.SystemInternetFacing: 5, ward.SystemOther: 7, ward.SystemIsolated: 14} {
		if due := p.Alert.RemediationDue(kind); !due.Equal(ground.Day0.AddDate(0, 0, days)) {
			t.Errorf("%s: %v", kind, due)
		}
	}
}

func TestAWritersClocksAreApprovedAgain(t *testing.T) {
	g := ground.New(t, "XZ1")
	a, err := g.Board.Draft(g.Ctx, di, ground.Alert())
	if err == nil {
		a, err = g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version)
	}
	if err == nil {
		a, err = g.Board.SetClocks(g.Ctx, di, a.ID, a.Version, alerts.Clocks{AcknowledgeWithin: time.Hour, Why: "at once"})
	}
	if err != nil || a.State != ward.Drafted || a.Approver != "" {
		t.Fatalf("the author changed what was approved, alone: %+v, %v", a, err)
	}
	if _, err := g.Board.Approve(g.Ctx, di, a.ID, a.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("%v", err)
	}
}

func TestPoliciesThatAnAlertCannotHave(t *testing.T) {
	g := ground.New(t, "XZ1")
	for _, name := range []string{"no-such", "bod-26-04", "../default"} {
		draft := ground.Alert()
		draft.Policy.Name = name
		var invalid *ward.Invalid
		if _, err := g.Board.Draft(g.Ctx, ground.Ann, draft); !errors.As(err, &invalid) || invalid.Field != "policy" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all := g.Board.PolicyList(); len(all) < 2 || all[0].Name != "default" {
		t.Errorf("%+v", all)
	}
}

// fixed is the reference alert with a newer fix.
func fixed() ward.Alert {
	words := ground.Alert()
	words.Steps = []ward.Step{{Kind: ward.StepPatch, Text: "Update to 12.5.0.2."}}
	words.Summary = "Two weaknesses, exploited together. The first fix was not enough."
	return words
}

func TestAMaterialRevisionAsksForAcknowledgementAgain(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	a := published(t, g, alerts.Audience{Respond: []ward.OrgID{"XZ1"}, Inform: []ward.OrgID{"XZ2"}})
	if _, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", 1); err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(10 * time.Hour)
	proposal, err := g.Board.Proposed(g.Ctx, ground.Ann, a.ID, fixed())
	if err != nil || !proposal.Material || !strings.Contains(proposal.Reasons[0], "new fix") {
		t.Fatalf("%+v, %v", proposal, err)
	}
	r, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, fixed(), alerts.Change{Material: true, Why: "a second fix is out"})
	if err != nil || !r.Change.Proposed || r.Change.By != "Ann" {
		t.Fatalf("%+v, %v", r, err)
	}
	// Until a second person issues it nothing has changed for anybody.
	if now, err := g.Board.Get(g.Ctx, ward.Only("XZ1"), a.ID); err != nil || now.Version != a.Version || now.Summary != a.Summary {
		t.Errorf("%+v, %v", now, err)
	}
	wantTold(t, g, "XZ1", "alert.published")
	changes, err := g.Board.CompareRevision(g.Ctx, ward.Everything(), a.ID)
	if err != nil || len(changes) != 2 || changes[0].Field != "summary" || changes[1].Field != "steps" {
		t.Errorf("%+v, %v", changes, err)
	}
	for name, scope := range map[string]ward.Scope{"the organisation": ward.Only("XZ1"), "nobody": {}} {
		_, err := g.Board.Revision(g.Ctx, scope, a.ID)
		_, comparison := g.Board.CompareRevision(g.Ctx, scope, a.ID)
		all, listed := g.Board.Revisions(g.Ctx, scope)
		if !errors.Is(err, ward.ErrNotFound) || !errors.Is(comparison, ward.ErrNotFound) || len(all) != 0 || listed != nil {
			t.Errorf("%s reads a revision that waits: %v, %v, %+v", name, err, comparison, all)
		}
	}
	g.Clock.Advance(time.Hour)
	issued, err := g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version)
	if err != nil || issued.Edition != 2 || issued.Summary != fixed().Summary || !issued.Change.Material || issued.Change.By != "Ann" || issued.Change.Approver != "Bea" || issued.State != ward.Published || !issued.Issued.Equal(a.Issued) {
		t.Fatalf("%+v, %v", issued, err)
	}
	answer := g.Response(a.ID, "XZ1")
	if answer.State != ward.Unanswered || !answer.AcknowledgedAt.IsZero() || !answer.RespondBy.Equal(g.Clock.Now().Add(48*time.Hour)) {
		t.Errorf("it is not asked again: %+v", answer)
	}
	wantTold(t, g, "XZ1", "alert.published", "alert.revised")
	wantTold(t, g, "XZ2", "alert.informed", "alert.revised")
	// Every version stays readable, to whom the alert went, from its publication.
	versions, err := g.Board.Versions(g.Ctx, ward.Only("XZ1"), a.ID)
	if err != nil || len(versions) != 2 || versions[0].Alert.Steps[0].Text != "Update to 12.5.0.1." || versions[1].Alert.Steps[0].Text != "Update to 12.5.0.2." {
		t.Errorf("%+v, %v", versions, err)
	}
	theirs, err := g.Board.Compare(g.Ctx, ward.Only("XZ1"), a.ID, a.Version, issued.Version)
	if err != nil || len(theirs) != 2 || theirs[1].Before != "Patch: Update to 12.5.0.1." {
		t.Errorf("%+v, %v", theirs, err)
	}
	for name, ask := range map[string]struct {
		scope    ward.Scope
		from, to int
	}{
		"a draft's version": {ward.Only("XZ1"), 1, issued.Version}, "no version": {ward.Everything(), 1, 99}, "another organisation": {ward.Only("XZ3"), a.Version, issued.Version},
	} {
		if _, err := g.Board.Compare(g.Ctx, ask.scope, a.ID, ask.from, ask.to); !errors.Is(err, ward.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("issued twice: %v", err)
	}
}

func TestAnEditorialRevisionAsksNobodyAgain(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := published(t, g, alerts.Audience{})
	acknowledged, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", 1)
	if err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(time.Hour)
	words := ground.Alert()
	words.Summary = "Two weaknesses that are exploited together."
	r, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, words, alerts.Change{Why: "better words"})
	if err != nil || r.Change.Proposed || len(r.Change.Reasons) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version); err != nil {
		t.Fatal(err)
	}
	if now := g.Response(a.ID, "XZ1"); now.State != acknowledged.State || !now.NextDue.Equal(acknowledged.NextDue) || now.Version != acknowledged.Version {
		t.Errorf("%+v, was %+v", now, acknowledged)
	}
	wantTold(t, g, "XZ1", "alert.published", "alert.edited")
}

func TestWhatMakesARevisionMaterial(t *testing.T) {
	day := ground.Day0.AddDate(0, 0, 5)
	for name, row := range map[string]struct {
		change    func(*ward.Alert)
		exploited []ward.CVE
		want      string // part of the first reason; empty: editorial
	}{
		"nothing":                  {func(*ward.Alert) {}, nil, ""},
		"words":                    {func(a *ward.Alert) { a.Title, a.Summary = "x", "y" }, nil, ""},
		"guidance":                 {func(a *ward.Alert) { a.Steps = append(a.Steps, ward.Step{Kind: ward.StepGuidance, Text: "Read."}) }, nil, ""},
		"a fix less":               {func(a *ward.Alert) { a.Steps = nil }, nil, ""},
		"more time":                {func(a *ward.Alert) { a.AcknowledgeWithin *= 2 }, nil, ""},
		"exploited as before":      {func(*ward.Alert) {}, []ward.CVE{"CVE-2025-4427"}, ""},
		"severity up":              {func(a *ward.Alert) { a.Severity = ward.High }, nil, "from Medium to High"},
		"severity down":            {func(a *ward.Alert) { a.Severity = ward.Low }, nil, "from Medium to Low"},
		"a new fix":                {func(a *ward.Alert) { a.Steps[0].Text = "Update to 12.5.0.2." }, nil, "12.5.0.2"},
		"exploitation begun":       {func(*ward.Alert) {}, []ward.CVE{"CVE-2025-4427", "CVE-2025-4428"}, "CVE-2025-4428 is known to be exploited"},
		"a weakness more":          {func(a *ward.Alert) { a.CVEs = append(a.CVEs, "CVE-2025-9999") }, nil, "CVE-2025-9999 is new"},
		"another product":          {func(a *ward.Alert) { a.Product = "Sentry" }, nil, "another product"},
		"a date":                   {func(a *ward.Alert) { a.RemediateBy = day }, nil, "18 May 2025"},
		"less time":                {func(a *ward.Alert) { a.UpdateEvery /= 2 }, nil, "less time"},
		"a compromise check":       {func(a *ward.Alert) { a.CheckRequired = true }, nil, "compromise check"},
		"a date that goes further": {func(a *ward.Alert) { a.RemediateBy = time.Time{} }, nil, ""},
	} {
		before := ground.Alert()
		before.Severity, before.AcknowledgeWithin, before.UpdateEvery, before.Exploited = ward.Medium, 48*time.Hour, 72*time.Hour, []ward.CVE{"CVE-2025-4427"}
		after := before
		after.Steps, after.CVEs = slices.Clone(before.Steps), slices.Clone(before.CVEs)
		row.change(&after)
		p := alerts.ProposeChange(before, after, row.exploited)
		if p.Material != (row.want != "") || len(p.Reasons) == 0 || !strings.Contains(p.Reasons[0], row.want) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestExploitationThatBeginsAfterIssueIsMaterial(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Words.Facts = map[ward.CVE]ward.Vulnerability{"CVE-2025-4427": {ID: "CVE-2025-4427", Exploited: &ward.Exploited{}}, "CVE-2025-4428": {ID: "CVE-2025-4428"}}
	a := published(t, g, alerts.Audience{})
	if !slices.Equal(a.Exploited, []ward.CVE{"CVE-2025-4427"}) {
		t.Fatalf("%v", a.Exploited)
	}
	if p, err := g.Board.Proposed(g.Ctx, ground.Ann, a.ID, ground.Alert()); err != nil || p.Material {
		t.Errorf("%+v, %v", p, err)
	}
	g.Words.Facts["CVE-2025-4428"] = ward.Vulnerability{ID: "CVE-2025-4428", Exploited: &ward.Exploited{}}
	if p, err := g.Board.Proposed(g.Ctx, ground.Ann, a.ID, ground.Alert()); err != nil || !p.Material {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestTwoPeopleReviseAndNobodyIssuesTheirOwn(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := published(t, g, alerts.Audience{})
	r, err := g.Board.Revise(g.Ctx, ground.Bea, a.ID, a.Version, fixed(), alerts.Change{Material: true, Why: "a fix"})
	if err != nil {
		t.Fatal(err)
	}
	var conflict *ward.Conflict
	other := ground.Alert()
	other.Summary = "Mine."
	if _, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, other, alerts.Change{Why: "words"}); !errors.As(err, &conflict) || conflict.By != "Bea" || !strings.Contains(conflict.Yours, "Mine.") || !strings.Contains(conflict.Theirs, "not enough") {
		t.Errorf("a second revision at once: %v", err)
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("its writer issues it: %v", err)
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, ground.Ann, a.ID, r.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("an analyst issues it: %v", err)
	}
	// Another approver changes a word: both wrote it now, and what was read before is not what would be issued.
	edited, err := g.Board.EditRevision(g.Ctx, di, a.ID, r.Version, other, alerts.Change{Why: "words"})
	if err != nil || edited.Version == r.Version || len(edited.Writers) != 2 {
		t.Fatalf("%+v, %v", edited, err)
	}
	for _, who := range []ward.Actor{ground.Bea, di} {
		if _, err := g.Board.ApproveRevision(g.Ctx, who, a.ID, edited.Version); !errors.Is(err, ward.ErrForbidden) {
			t.Errorf("%s issues it: %v", who.Name, err)
		}
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, cy, a.ID, r.Version); !errors.As(err, &conflict) {
		t.Errorf("issued as it was before: %v", err)
	}
	if _, err := g.Board.EditRevision(g.Ctx, ground.Ann, a.ID, r.Version, fixed(), alerts.Change{Why: "late"}); !errors.As(err, &conflict) {
		t.Errorf("edited as it was before: %v", err)
	}
	// Given up and written anew, it has a number that it never had: a late approval of the first does not reach the second.
	if err := g.Board.DropRevision(g.Ctx, ground.Ann, a.ID, edited.Version); err != nil {
		t.Fatal(err)
	}
	again, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, fixed(), alerts.Change{Material: true, Why: "a fix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, cy, a.ID, edited.Version); !errors.As(err, &conflict) {
		t.Errorf("the approval of a revision that was given up: %v", err)
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, cy, a.ID, again.Version); err != nil {
		t.Error(err)
	}
}

func TestTwoApproversIssueAtOnce(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := published(t, g, alerts.Audience{})
	r, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, fixed(), alerts.Change{Material: true, Why: "a fix"})
	if err != nil {
		t.Fatal(err)
	}
	people := []ward.Actor{ground.Bea, cy, di}
	errs := make([]error, len(people))
	var all sync.WaitGroup
	for i, who := range people {
		all.Go(func() { _, errs[i] = g.Board.ApproveRevision(g.Ctx, who, a.ID, r.Version) })
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, ward.ErrNotFound) && !errors.Is(err, ward.ErrConflict) {
			t.Errorf("%v", err)
		}
	}
	now, err := g.Board.Get(g.Ctx, ward.Everything(), a.ID)
	if done != 1 || err != nil || now.Edition != 2 || now.Version != a.Version+1 {
		t.Errorf("%d issued it: %+v, %v", done, now, err)
	}
	wantTold(t, g, "XZ1", "alert.published", "alert.revised")
}

func TestRevisionsThatAreNotPossible(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := published(t, g, alerts.Audience{})
	draft, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Revise(g.Ctx, ground.Ann, draft.ID, draft.Version, fixed(), alerts.Change{Why: "x"}); !errors.Is(err, ward.ErrState) {
		t.Errorf("of a draft: %v", err)
	}
	if _, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version-1, fixed(), alerts.Change{Why: "x"}); !errors.Is(err, ward.ErrConflict) {
		t.Errorf("of what it was: %v", err)
	}
	if _, err := g.Board.Revise(g.Ctx, lead, a.ID, a.Version, fixed(), alerts.Change{Why: "x"}); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("by an organisation: %v", err)
	}
	unreal := fixed()
	unreal.Exercise = false
	for field, try := range map[string]struct {
		words ward.Alert
		why   string
	}{"why": {fixed(), " "}, "exercise": {unreal, "x"}, "title": {ward.Alert{Severity: ward.High, Exercise: true}, "x"}} {
		var invalid *ward.Invalid
		if _, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, try.words, alerts.Change{Why: try.why}); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	// What waits when its alert ends ends with it.
	r, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, fixed(), alerts.Change{Why: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Close(g.Ctx, ground.Bea, a.ID, a.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("of a closed alert: %v", err)
	}
}

func TestAWithdrawalTellsEverybodyWhoWasTold(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3")
	a := published(t, g, alerts.Audience{Respond: []ward.OrgID{"XZ1"}, Inform: []ward.OrgID{"XZ2"}})
	if _, err := g.Board.Withdraw(g.Ctx, ground.Bea, a.ID, a.Version, "  "); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := g.Board.Withdraw(g.Ctx, ground.Ann, a.ID, a.Version, "x"); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("by an analyst: %v", err)
	}
	g.Clock.Advance(time.Hour)
	w, err := g.Board.Withdraw(g.Ctx, ground.Bea, a.ID, a.Version, "the vendor took its advisory back")
	if err != nil || w.State != ward.Withdrawn || w.Closed.IsZero() {
		t.Fatalf("%+v, %v", w, err)
	}
	wantTold(t, g, "XZ1", "alert.published", "alert.withdrawn")
	wantTold(t, g, "XZ2", "alert.informed", "alert.withdrawn")
	wantTold(t, g, "XZ3")
	if r := g.Response(a.ID, "XZ1"); !r.Lapsed {
		t.Errorf("it is still owed: %+v", r)
	}
	if owed, err := g.Ledger.Owed(g.Ctx, ward.Everything(), "XZ1"); err != nil || len(owed) != 0 {
		t.Errorf("%+v, %v", owed, err)
	}
	if theirs, err := g.Board.Get(g.Ctx, ward.Only("XZ1"), a.ID); err != nil || theirs.EndWhy != "the vendor took its advisory back" {
		t.Errorf("%+v, %v", theirs, err)
	}
	for verb, err := range map[string]error{
		"withdrawn again": second(g.Board.Withdraw(g.Ctx, ground.Bea, a.ID, w.Version, "x")), "closed": second(g.Board.Close(g.Ctx, ground.Bea, a.ID, w.Version)),
		"edited": second(g.Board.Edit(g.Ctx, ground.Ann, a.ID, w.Version, ground.Alert())), "answered": second(g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version)),
	} {
		if !errors.Is(err, ward.ErrState) {
			t.Errorf("%s after it was withdrawn: %v", verb, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestASupersessionPointsToTheAlertThatTakesThePlace(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3")
	old := published(t, g, alerts.Audience{Respond: []ward.OrgID{"XZ1", "XZ2"}, Inform: []ward.OrgID{"XZ3"}})
	words := fixed()
	words.Supersedes = ward.AlertID(strings.ToLower(string(old.ID)))
	var next [2]ward.Alert
	for i := range next {
		a, err := g.Board.Draft(g.Ctx, ground.Ann, words)
		if err == nil {
			next[i], err = g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if still, err := g.Board.Get(g.Ctx, ward.Everything(), old.ID); err != nil || still.State != ward.Published {
		t.Fatalf("a draft ended it: %+v, %v", still, err)
	}
	p, err := g.Board.Publish(g.Ctx, ground.Bea, next[0].ID, next[0].Version, alerts.Audience{Respond: []ward.OrgID{"XZ1"}})
	if err != nil {
		t.Fatal(err)
	}
	ended, err := g.Board.Get(g.Ctx, ward.Only("XZ2"), old.ID)
	if err != nil || ended.State != ward.Superseded || ended.SupersededBy != p.Alert.ID {
		t.Errorf("%+v, %v", ended, err)
	}
	for _, org := range []ward.OrgID{"XZ1", "XZ2"} {
		if r := g.Response(old.ID, org); !r.Lapsed || r.LapsedTo != p.Alert.ID {
			t.Errorf("%s: %+v", org, r)
		}
	}
	if r := g.Response(p.Alert.ID, "XZ1"); r.State != ward.Unanswered {
		t.Errorf("%+v", r)
	}
	// One word an organisation: by the newer alert where it goes there, by a notice of its own elsewhere.
	wantTold(t, g, "XZ1", "alert.published", "alert.published")
	wantTold(t, g, "XZ2", "alert.published", "alert.superseded")
	wantTold(t, g, "XZ3", "alert.informed", "alert.superseded")
	// Of two that would take the same place the second is refused whole.
	if _, err := g.Board.Publish(g.Ctx, ground.Bea, next[1].ID, next[1].Version, alerts.Audience{}); !errors.Is(err, ward.ErrInvalid) || !strings.Contains(err.Error(), string(p.Alert.ID)) {
		t.Errorf("superseded twice: %v", err)
	}
	if still, err := g.Board.Get(g.Ctx, ward.Everything(), next[1].ID); err != nil || still.State != ward.Approved {
		t.Errorf("%+v, %v", still, err)
	}
	live := fixed()
	live.Exercise = false
	for name, words := range map[string]ward.Alert{"the real by an exercise": live, "none": fixed(), "an ended one": fixed()} {
		words.Supersedes = map[string]ward.AlertID{"the real by an exercise": p.Alert.ID, "none": "CC-404", "an ended one": old.ID}[name]
		var invalid *ward.Invalid
		if _, err := g.Board.Draft(g.Ctx, ground.Ann, words); !errors.As(err, &invalid) || invalid.Field != "supersedes" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// awake is one person awake, who proved who they are so long ago.
func awake(g *ground.Ground, ago time.Duration) ward.Actor {
	who := ground.Bea
	who.SteppedUp = g.Clock.Now().Add(-ago)
	return who
}

func TestOnePersonAwakePublishesAlone(t *testing.T) {
	g := ground.New(t, "XZ1")
	words := ground.Alert()
	words.Exercise = false
	a, err := g.Board.Draft(g.Ctx, ground.Bea, words)
	if err != nil {
		t.Fatal(err)
	}
	future := ground.Bea
	future.SteppedUp = g.Clock.Now().Add(time.Minute)
	analyst := ground.Ann
	analyst.SteppedUp = g.Clock.Now()
	for name, row := range map[string]struct {
		who    ward.Actor
		reason string
		want   error
	}{
		"never proved": {ground.Bea, "now", ward.ErrStepUp}, "proved too long ago": {awake(g, alerts.StepUpWithin+time.Second), "now", ward.ErrStepUp},
		"proved tomorrow": {future, "now", ward.ErrStepUp}, "no reason": {awake(g, time.Minute), " ", ward.ErrInvalid}, "an analyst": {analyst, "now", ward.ErrForbidden},
		"a program": {ward.System("cron"), "now", ward.ErrStepUp},
	} {
		if _, err := g.Board.PublishAlone(g.Ctx, row.who, a.ID, a.Version, alerts.Audience{}, row.reason); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
	wantTold(t, g, "XZ1")
	p, err := g.Board.PublishAlone(g.Ctx, awake(g, alerts.StepUpWithin), a.ID, a.Version, alerts.Audience{}, "exploited now, nobody else answers")
	if err != nil || p.Notified != 1 || !p.Alert.Emergency.Owed() || p.Alert.Approver != "" || !p.Alert.Emergency.Due.Equal(ground.Day0.Add(4*time.Hour)) {
		t.Fatalf("%+v, %v", p, err)
	}
	wantTold(t, g, "XZ1", "alert.published")
	wantTold(t, g, "", "alert.published_alone")
	if theirs, err := g.Board.Countersigns(g.Ctx, ward.Only("XZ1")); err != nil || len(theirs) != 0 {
		t.Errorf("an organisation's desk has %+v, %v", theirs, err)
	}
	// Nobody signs. At four hours, and not a moment before, the duty officer is told, once; it stays on the queue.
	for _, step := range []struct {
		at   time.Duration
		told []string
	}{
		{3*time.Hour + 59*time.Minute + 59*time.Second, []string{"alert.published_alone"}},
		{4 * time.Hour, []string{"alert.published_alone", "alert.countersign_owed"}},
		{40 * time.Hour, []string{"alert.published_alone", "alert.countersign_owed"}},
	} {
		g.Clock.Set(ground.Day0.Add(step.at))
		next, err := g.Board.Due(g.Ctx, g.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if before := step.at < 4*time.Hour; before != next.Equal(ground.Day0.Add(4*time.Hour)) || !before && !next.IsZero() {
			t.Errorf("at %v it wants to be called at %v", step.at, next)
		}
		wantTold(t, g, "", step.told...)
	}
	page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), "", "", 0)
	if err != nil || page.Items[0].Rung != ward.RungDutyOfficer {
		t.Errorf("%+v, %v", page.Items, err)
	}
	if owed, err := g.Board.Countersigns(g.Ctx, ward.Everything()); err != nil || len(owed) != 1 {
		t.Errorf("%+v, %v", owed, err)
	}
	if _, err := g.Board.Countersign(g.Ctx, ground.Bea, a.ID, p.Alert.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("who published it signs: %v", err)
	}
	signed, err := g.Board.Countersign(g.Ctx, cy, a.ID, p.Alert.Version)
	if err != nil || signed.Emergency.Owed() || signed.Approver != "Cy" || signed.Emergency.SecondBy != "Cy" || signed.State != ward.Published || signed.Edition != 1 {
		t.Fatalf("%+v, %v", signed, err)
	}
	if owed, err := g.Board.Countersigns(g.Ctx, ward.Everything()); err != nil || len(owed) != 0 {
		t.Errorf("%+v, %v", owed, err)
	}
	if _, err := g.Board.Countersign(g.Ctx, di, a.ID, signed.Version); !errors.Is(err, ward.ErrState) {
		t.Errorf("signed twice: %v", err)
	}
	wantTold(t, g, "XZ1", "alert.published")
}

func TestWhoWroteTheTextDoesNotCountersign(t *testing.T) {
	g := ground.New(t, "XZ1")
	a, err := g.Board.Draft(g.Ctx, cy, ground.Alert())
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.Board.PublishAlone(g.Ctx, awake(g, 0), a.ID, a.Version, alerts.Audience{}, "now")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Countersign(g.Ctx, cy, a.ID, p.Alert.Version); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("%v", err)
	}
	// A later revision makes nobody a writer of what was published.
	r, err := g.Board.Revise(g.Ctx, di, a.ID, p.Alert.Version, fixed(), alerts.Change{Material: true, Why: "a fix"})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version)
	if err != nil || !issued.Emergency.Owed() {
		t.Fatalf("%+v, %v", issued, err)
	}
	if _, err := g.Board.Countersign(g.Ctx, di, a.ID, issued.Version); err != nil {
		t.Error(err)
	}
}

func TestWithdrawingIsTheSecondPersonsWord(t *testing.T) {
	for name, row := range map[string]struct {
		who  ward.Actor
		owed bool
	}{"by another": {cy, false}, "by who published it": {ground.Bea, true}} {
		t.Run(name, func(t *testing.T) {
			g := ground.New(t, "XZ1")
			a, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
			if err != nil {
				t.Fatal(err)
			}
			p, err := g.Board.PublishAlone(g.Ctx, awake(g, 0), a.ID, a.Version, alerts.Audience{}, "now")
			if err != nil {
				t.Fatal(err)
			}
			w, err := g.Board.Withdraw(g.Ctx, row.who, a.ID, p.Alert.Version, "it was a mistake")
			if err != nil || w.Emergency.Owed() != row.owed || w.Emergency.Withdrawn == row.owed {
				t.Fatalf("%+v, %v", w.Emergency, err)
			}
			owed, err := g.Board.Countersigns(g.Ctx, ward.Everything())
			if err != nil || (len(owed) == 1) != row.owed {
				t.Errorf("%+v, %v", owed, err)
			}
			if row.owed {
				if _, err := g.Board.Countersign(g.Ctx, cy, a.ID, w.Version); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestAnApprovedAlertNeedsNoEmergency(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := approved(t, g)
	if _, err := g.Board.PublishAlone(g.Ctx, awake(g, 0), a.ID, a.Version, alerts.Audience{}, "now"); !errors.Is(err, ward.ErrState) {
		t.Errorf("%v", err)
	}
	if owed, err := g.Board.Countersigns(g.Ctx, ward.Everything()); err != nil || len(owed) != 0 {
		t.Errorf("%+v, %v", owed, err)
	}
}

// Every verb of an exercise says EXERCISE first, to everybody, and wakes nobody above a lead.
func TestAnExerciseCannotBeMistaken(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	to := alerts.Audience{Respond: []ward.OrgID{"XZ1"}, Inform: []ward.OrgID{"XZ2"}}
	draft, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.Board.PublishAlone(g.Ctx, awake(g, 0), draft.ID, draft.Version, to, "to practise it")
	if err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(5 * time.Hour)
	if _, err := g.Board.Due(g.Ctx, g.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	a := p.Alert
	for _, material := range []bool{true, false} {
		r, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, fixed(), alerts.Change{Material: material, Why: "x"})
		if err == nil {
			a, err = g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	words := fixed()
	words.Supersedes = a.ID
	next, err := g.Board.Draft(g.Ctx, ground.Ann, words)
	if err == nil {
		next, err = g.Board.Approve(g.Ctx, ground.Bea, next.ID, next.Version)
	}
	if err == nil {
		p, err = g.Board.Publish(g.Ctx, ground.Bea, next.ID, next.Version, alerts.Audience{Respond: []ward.OrgID{"XZ2"}})
	}
	if err == nil {
		_, err = g.Board.Withdraw(g.Ctx, ground.Bea, next.ID, p.Alert.Version, "over")
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, org := range []ward.OrgID{"XZ1", "XZ2", ""} {
		page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), org, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Items {
			seen[n.Kind] = true
			if !strings.HasPrefix(n.Subject, "EXERCISE") || !strings.HasPrefix(n.Body, "EXERCISE") || n.Rung.Above(ward.RungLead) || !n.Exercise {
				t.Errorf("%s to %q: %+v", n.Kind, org, n)
			}
		}
	}
	for _, kind := range []string{"alert.published", "alert.informed", "alert.published_alone", "alert.countersign_owed", "alert.revised", "alert.edited", "alert.superseded", "alert.withdrawn"} {
		if !seen[kind] {
			t.Errorf("%s was not said: the test would not notice", kind)
		}
	}
	for _, e := range a.Policy.Escalation {
		if e.Tell.Above(ward.RungLead) {
			t.Errorf("its policy tells %s", e.Tell)
		}
	}
}

func TestTemplatesAreKeptAndUsed(t *testing.T) {
	g := ground.New(t, "XZ1")
	words := ground.Alert()
	words.Finding, words.Supersedes = "f1", ""
	made, err := g.Board.SaveTemplate(g.Ctx, ground.Ann, ward.Template{Name: "gateway", Title: "A weakness in a gateway", Words: words})
	if err != nil || made.Version != 1 || made.Words.Finding != "" || made.Words.Policy.RespondWithin != 0 {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := g.Board.SaveTemplate(g.Ctx, ground.Bea, ward.Template{Name: "gateway", Title: "Another", Words: words}); !errors.Is(err, ward.ErrConflict) {
		t.Errorf("made twice: %v", err)
	}
	made.Title = "A weakness in a gateway, exploited"
	kept, err := g.Board.SaveTemplate(g.Ctx, ground.Bea, made)
	if err != nil || kept.Version != 2 || kept.By != "Bea" {
		t.Fatalf("%+v, %v", kept, err)
	}
	var conflict *ward.Conflict
	if _, err := g.Board.SaveTemplate(g.Ctx, ground.Ann, made); !errors.As(err, &conflict) || conflict.By != "Bea" || !strings.Contains(conflict.Theirs, "exploited") {
		t.Errorf("two at once: %v", err)
	}
	all, err := g.Board.Templates(g.Ctx, ground.Ann)
	if err != nil || len(all) != 1 || all[0].Title != kept.Title {
		t.Errorf("%+v, %v", all, err)
	}
	a, err := g.Board.DraftFromTemplate(g.Ctx, ground.Ann, "gateway")
	if err != nil || a.Template != "gateway" || a.Title != words.Title || a.State != ward.Drafted || a.Policy.RespondWithin != 48*time.Hour {
		t.Errorf("%+v, %v", a, err)
	}
	edited, err := g.Board.Edit(g.Ctx, ground.Ann, a.ID, a.Version, fixed())
	if err != nil || edited.Template != "gateway" {
		t.Errorf("%+v, %v", edited, err)
	}
	for name, try := range map[string]ward.Template{
		"name": {Name: "Two Words", Title: "x", Words: words}, "title": {Name: "x", Title: " ", Words: words}, "severity": {Name: "x", Title: "x", Words: ward.Alert{Title: "x"}},
	} {
		var invalid *ward.Invalid
		if _, err := g.Board.SaveTemplate(g.Ctx, ground.Ann, try); !errors.As(err, &invalid) || invalid.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for verb, err := range map[string]error{
		"lists": second(g.Board.Templates(g.Ctx, lead)), "reads": second(g.Board.Template(g.Ctx, lead, "gateway")), "drafts": second(g.Board.DraftFromTemplate(g.Ctx, lead, "gateway")),
		"keeps": second(g.Board.SaveTemplate(g.Ctx, lead, made)), "drops": g.Board.DropTemplate(g.Ctx, lead, "gateway", 2),
	} {
		if !errors.Is(err, ward.ErrForbidden) {
			t.Errorf("a lead %s: %v", verb, err)
		}
	}
	if err := g.Board.DropTemplate(g.Ctx, ground.Ann, "gateway", 1); !errors.Is(err, ward.ErrConflict) {
		t.Errorf("dropped as it was: %v", err)
	}
	if err := g.Board.DropTemplate(g.Ctx, ground.Ann, "gateway", 2); err != nil {
		t.Error(err)
	}
	if _, err := g.Board.DraftFromTemplate(g.Ctx, ground.Ann, "gateway"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// notRevised holds the store to "all or nothing": as if the revision had never been issued.
func notRevised(t *testing.T, g *ground.Ground, id ward.AlertID) {
	t.Helper()
	a, err := g.Board.Get(g.Ctx, ward.Everything(), id)
	if err != nil || a.Edition != 1 || a.Summary != ground.Alert().Summary {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := g.Board.Revision(g.Ctx, ward.Everything(), id); err != nil {
		t.Errorf("the revision is gone: %v", err)
	}
	for _, org := range []ward.OrgID{"XZ1", "XZ2", "XZ3"} {
		wantTold(t, g, org, "alert.published")
		if r := g.Response(id, org); r.Version != 1 {
			t.Errorf("%s is asked again: %+v", org, r)
		}
	}
}

func TestFaultAKillInTheMiddleOfIssuingARevision(t *testing.T) {
	g := killed(t, func(g *ground.Ground) error {
		a := published(t, g, alerts.Audience{})
		r, err := g.Board.Revise(g.Ctx, ground.Ann, a.ID, a.Version, fixed(), alerts.Change{Material: true, Why: "a fix"})
		if err != nil {
			t.Fatal(err)
		}
		g.Board.Notices = &brittle{Notices: g.Outbox, left: 2, die: true}
		_, err = g.Board.ApproveRevision(g.Ctx, ground.Bea, a.ID, r.Version)
		return err
	})
	notRevised(t, g, "CC-900001")
	r, err := g.Board.Revision(g.Ctx, ward.Everything(), "CC-900001")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := g.Board.ApproveRevision(g.Ctx, ground.Bea, "CC-900001", r.Version); err != nil || a.Edition != 2 {
		t.Errorf("after the restart: %+v, %v", a, err)
	}
	wantTold(t, g, "XZ3", "alert.published", "alert.revised")
}

func TestFaultANoticeFailsInTheMiddleOfAWithdrawalOrASupersession(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3")
	a := published(t, g, alerts.Audience{})
	words := fixed()
	words.Supersedes = a.ID
	next, err := g.Board.Draft(g.Ctx, ground.Ann, words)
	if err == nil {
		next, err = g.Board.Approve(g.Ctx, ground.Bea, next.ID, next.Version)
	}
	if err != nil {
		t.Fatal(err)
	}
	for verb, do := range map[string]func() error{
		"withdraw": func() error { return second(g.Board.Withdraw(g.Ctx, ground.Bea, a.ID, a.Version, "x")) },
		"supersede": func() error {
			return second(g.Board.Publish(g.Ctx, ground.Bea, next.ID, next.Version, alerts.Audience{Respond: []ward.OrgID{"XZ1"}}))
		},
	} {
		g.Board.Notices = &brittle{Notices: g.Outbox, left: 1}
		if err := do(); err == nil {
			t.Errorf("%s: done although a notice failed", verb)
		}
		g.Board.Notices = g.Outbox
		now, err := g.Board.Get(g.Ctx, ward.Everything(), a.ID)
		if err != nil || now.State != ward.Published || now.Version != a.Version {
			t.Errorf("%s: %+v, %v", verb, now, err)
		}
		if r := g.Response(a.ID, "XZ2"); r.Lapsed || r.LapsedWhy != "" {
			t.Errorf("%s: %+v", verb, r)
		}
		wantTold(t, g, "XZ2", "alert.published")
	}
}

// A date that nobody can keep is refused when it is written, and one that passed while the draft waited when it is published.
func TestADateOfRemediationCanStillBeKept(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := approved(t, g)
	clocks := alerts.Clocks{RemediateBy: g.Clock.Now().AddDate(2, 0, 0), Why: "x"}
	var bad *ward.Invalid
	if _, err := g.Board.SetClocks(g.Ctx, ground.Bea, a.ID, a.Version, clocks); !errors.As(err, &bad) || bad.Field != "remediate_by" {
		t.Errorf("in two years: %v", err)
	}
	clocks.RemediateBy = g.Clock.Now().Add(24 * time.Hour)
	a, err := g.Board.SetClocks(g.Ctx, ground.Bea, a.ID, a.Version, clocks)
	if err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(25 * time.Hour)
	if _, err := g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{}); !errors.As(err, &bad) || bad.Field != "remediate_by" {
		t.Errorf("published after its date: %v", err)
	}
}
