package responses_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// claimed publishes the reference alert, and lets an organisation claim a fix now.
func claimed(t *testing.T, g *ground.Ground, a ward.Alert, org ward.OrgID) ward.Response {
	t.Helper()
	who := ground.Person("Lead of "+string(org), ward.Lead, org)
	r, err := g.Ledger.Claim(g.Ctx, who, a.ID, org, g.Response(a.ID, org).Version, time.Time{}, "updated")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kinds(t *testing.T, g *ground.Ground, a ward.Alert, org ward.OrgID) string {
	t.Helper()
	history, err := g.Ledger.History(g.Ctx, ward.Everything(), a.ID, org)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range history {
		all = append(all, e.Kind)
	}
	return strings.Join(all, " ")
}

func TestTwoPeopleAnswerAtOnce(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	r := g.Response(a.ID, "XZ1")
	if _, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", r.Version, time.Time{}, "updated by the night shift"); err != nil {
		t.Fatal(err)
	}
	other := ground.Person("Max", ward.Lead, "XZ1")
	_, err := g.Ledger.Answer(g.Ctx, other, a.ID, "XZ1", r.Version, ward.AppliesNot, "we moved off it")
	var conflict *ward.Conflict
	if !errors.As(err, &conflict) || !errors.Is(err, ward.ErrConflict) {
		t.Fatalf("second answer: %v", err)
	}
	if !strings.Contains(conflict.Theirs, "updated by the night shift") || !strings.Contains(conflict.Yours, "we moved off it") || conflict.By != "Lee" {
		t.Errorf("conflict %+v", conflict)
	}
	if now := g.Response(a.ID, "XZ1"); now.Words != "updated by the night shift" || now.Version != r.Version+1 {
		t.Errorf("what stands: %+v", now)
	}
}

func TestManyPeopleAnswerAtOnce(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	version := g.Response(a.ID, "XZ1").Version
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept, refused := 0, 0
	for i := range 8 {
		wg.Go(func() {
			_, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", version, time.Time{}, fmt.Sprint("words ", i))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				kept++
			case errors.Is(err, ward.ErrConflict):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if kept != 1 || refused != 7 {
		t.Errorf("%d kept, %d refused, want 1 and 7", kept, refused)
	}
}

func TestEvidenceNeverRefusesTheWordsOfAPerson(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	r := claimed(t, g, a, "XZ1")
	g.Clock.Advance(time.Hour)
	g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
	g.Due()
	if now := g.Response(a.ID, "XZ1"); now.Proof.Result != ward.Contradicted || now.Version != r.Version {
		t.Fatalf("after the import: %+v", now)
	}
	if _, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", r.Version, ward.Applies, "begun before the import"); err != nil {
		t.Errorf("an import refused a person's words: %v", err)
	}
}

func TestClocksAreElapsedHoursAcrossSummerTime(t *testing.T) {
	// Clocks in London went forward at 01:00 UTC on 30 March 2025 and back at 01:00 UTC on 26 October 2025.
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for _, issued := range []time.Time{time.Date(2025, 3, 29, 12, 0, 0, 0, london), time.Date(2025, 10, 25, 12, 0, 0, 0, london)} {
		t.Run(issued.Format("January"), func(t *testing.T) {
			g := ground.New(t, "XZ1")
			g.Clock.Set(issued)
			a := g.Publish()
			due := issued.Add(48 * time.Hour)
			if due.In(london).Hour() == 12 {
				t.Fatal("the test's dates cross no change of clocks")
			}
			if r := g.Response(a.ID, "XZ1"); !r.RespondBy.Equal(due) {
				t.Errorf("respond by %s, want %s", r.RespondBy, due)
			}
			g.Clock.Set(due.Add(-time.Microsecond))
			if next := g.Due(); !next.Equal(due) || g.Response(a.ID, "XZ1").Overdue {
				t.Errorf("a moment before: next %s, want %s", next, due)
			}
			g.Clock.Set(due)
			g.Due()
			r := g.Response(a.ID, "XZ1")
			if !r.Overdue || !r.EverOverdue {
				t.Errorf("at 48 elapsed hours it is not overdue: %+v", r)
			}
			if late, err := g.Ledger.Overdue(g.Ctx, ward.Everything()); err != nil || len(late) != 1 {
				t.Errorf("overdue list: %v, %v", late, err)
			}
			// An answer ends it, and it stays known that it was late; the next update is due 72 elapsed hours later.
			g.Clock.Advance(time.Hour)
			r, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", r.Version)
			if err != nil || r.Overdue || !r.EverOverdue || r.NextDue.Sub(g.Clock.Now()) != 72*time.Hour {
				t.Errorf("acknowledged late: %+v, %v", r, err)
			}
		})
	}
}

func TestBeingLateIsToldOnceForEachTimeItHappens(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	told := func() (n int) {
		page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), "XZ1", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, notice := range page.Items {
			if notice.Kind == "response.overdue" {
				n++
			}
		}
		return n
	}
	g.Clock.Advance(50 * time.Hour)
	for range 3 {
		g.Due()
		g.Clock.Advance(time.Hour)
	}
	if told() != 1 {
		t.Errorf("told %d times of the acknowledgement", told())
	}
	if _, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version); err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(80 * time.Hour)
	g.Due()
	g.Due()
	if told() != 2 {
		t.Errorf("told %d times in all, want 2", told())
	}
}

func TestLateWithoutAnyJobIsKnownAllTheSame(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	g.Clock.Advance(60 * time.Hour) // the job did not run
	r, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version)
	if err != nil || !r.EverOverdue || r.Overdue {
		t.Errorf("%+v, %v", r, err)
	}
	if o, err := g.Ledger.Overview(g.Ctx, ward.Everything()); err != nil || o.Alerts[0].EverOverdue != 1 || o.Overdue != 0 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestAnswersOfOthersAreNotFound(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3")
	a := g.Publish("XZ1", "XZ2")
	claimed(t, g, a, "XZ2")
	if err := g.Ledger.SaveDraft(g.Ctx, ground.Person("P2", ward.Member, "XZ2"), a.ID, "XZ2", "words of XZ2"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"get":         second(g.Ledger.Get(g.Ctx, lead.Scope, a.ID, "XZ2")),
		"history":     second(g.Ledger.History(g.Ctx, lead.Scope, a.ID, "XZ2")),
		"acknowledge": second(g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ2", 1)),
		"claim":       second(g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ2", 1, time.Time{}, "")),
		"draft":       second(g.Ledger.Draft(g.Ctx, lead, a.ID, "XZ2")),
		"save draft":  g.Ledger.SaveDraft(g.Ctx, lead, a.ID, "XZ2", "x"),
		"not asked":   second(g.Ledger.Get(g.Ctx, ward.Everything(), a.ID, "XZ3")),
	} {
		if !errors.Is(err, ward.ErrNotFound) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	for name, list := range map[string]func(ward.Scope) ([]ward.Response, error){
		"for alert": func(s ward.Scope) ([]ward.Response, error) { return g.Ledger.ForAlert(g.Ctx, s, a.ID) },
		"owed":      func(s ward.Scope) ([]ward.Response, error) { return g.Ledger.Owed(g.Ctx, s, "") },
		"overdue": func(s ward.Scope) ([]ward.Response, error) {
			g.Clock.Set(ground.Day0.Add(1000 * time.Hour))
			return g.Ledger.Overdue(g.Ctx, s)
		},
		"of the other": func(s ward.Scope) ([]ward.Response, error) { return g.Ledger.ForOrganisation(g.Ctx, s, "XZ1") },
	} {
		for _, row := range []struct {
			scope ward.Scope
			most  int
		}{{lead.Scope, 1}, {ward.Only("XZ3"), 0}, {ward.Scope{}, 0}} {
			all, err := list(row.scope)
			if err != nil || len(all) > row.most {
				t.Errorf("%s: %d answers, %v", name, len(all), err)
			}
			for _, r := range all {
				if r.Org != "XZ1" {
					t.Errorf("%s shows the answer of %s", name, r.Org)
				}
			}
		}
	}
	if o, err := g.Ledger.Overview(g.Ctx, lead.Scope); err != nil || o.Alerts[0].Asked != 1 || o.Claimed != 0 {
		t.Errorf("XZ1's overview: %+v, %v", o, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhoMayAnswer(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	for _, who := range []ward.Actor{ground.Ann, ground.Bea, ground.Person("M", ward.Member, "XZ1"), ground.Person("R", ward.Reader, "XZ1")} {
		if _, err := g.Ledger.Acknowledge(g.Ctx, who, a.ID, "XZ1", 1); !errors.Is(err, ward.ErrForbidden) {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
	if _, err := g.Ledger.Rule(g.Ctx, lead, ward.Ruling{}); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("a lead rules: %v", err)
	}
	if err := g.Ledger.SaveDraft(g.Ctx, ground.Person("R", ward.Reader, "XZ1"), a.ID, "XZ1", "x"); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("a reader saves a draft: %v", err)
	}
	member := ground.Person("M", ward.Member, "XZ1")
	if err := g.Ledger.SaveDraft(g.Ctx, member, a.ID, "XZ1", "<b>half a sentence"); err != nil {
		t.Fatal(err)
	}
	if body, err := g.Ledger.Draft(g.Ctx, member, a.ID, "XZ1"); err != nil || body != "<b>half a sentence" {
		t.Errorf("draft %q, %v", body, err)
	}
	if body, err := g.Ledger.Draft(g.Ctx, lead, a.ID, "XZ1"); err != nil || body != "" {
		t.Errorf("another person's draft %q, %v", body, err)
	}
}

func TestAwaitingMayCloseAndIsUpgradedOrReopenedByLaterEvidence(t *testing.T) {
	for _, row := range []struct {
		name   string
		status ward.Status
		state  ward.ResponseState
		as     string
		told   string
	}{
		{"later evidence confirms", ward.Fixed, ward.ClosedAnswer, responses.ClosedConfirmed, ""},
		{"later evidence contradicts", ward.Affected, ward.Remediated, "", "response.contradicted"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := ground.New(t, "XZ1")
			g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1, cve2)
			a := g.Publish()
			r := claimed(t, g, a, "XZ1")
			r, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, "")
			if err != nil || r.ClosedAs != responses.ClosedNotConfirmed || r.Proof.Result != ward.Awaiting {
				t.Fatalf("closed %+v, %v", r, err)
			}
			g.Clock.Advance(24 * time.Hour)
			g.Imported("XZ1", sight(g.Clock.Now(), "12.5", row.status, ward.ByVersion))
			g.Due()
			r = g.Response(a.ID, "XZ1")
			if r.State != row.state || r.ClosedAs != row.as {
				t.Errorf("%+v", r)
			}
			if row.told == "" {
				return
			}
			page, err := g.Outbox.Inbox(g.Ctx, lead.Scope, "XZ1", "", 0)
			if err != nil || page.Items[0].Kind != row.told {
				t.Errorf("inbox %+v, %v", page.Items, err)
			}
			if !strings.Contains(kinds(t, g, a, "XZ1"), responses.Reopened) || r.NextDue.IsZero() {
				t.Errorf("not open again: %+v, %s", r, kinds(t, g, a, "XZ1"))
			}
		})
	}
}

func TestWhatIsConfirmedStaysSoWhenTheMachineIsListedNoMore(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	a := g.Publish()
	claimed(t, g, a, "XZ1")
	g.Clock.Advance(time.Hour)
	fixed := sight(g.Clock.Now(), "12.5.0.1", ward.Fixed, ward.ByVersion)
	g.Imported("XZ1", fixed)
	g.Due()
	fixed.Gone = true
	g.Clock.Advance(time.Hour)
	g.Imported("XZ1", fixed)
	g.Due()
	if r := g.Response(a.ID, "XZ1"); r.Proof.Result != ward.Confirmed {
		t.Errorf("%+v", r.Proof)
	}
	// A new claim is a new question.
	g.Clock.Advance(time.Hour)
	if r := claimed(t, g, a, "XZ1"); r.Proof.Result != ward.Awaiting {
		t.Errorf("claimed again: %+v", r.Proof)
	}
}

func TestADisputeIsDecidedOnceForEveryOrganisation(t *testing.T) {
	for _, row := range []struct {
		status ward.Status
		want   ward.ProofResult
	}{{ward.Fixed, ward.Confirmed}, {ward.NotAffected, ward.Confirmed}, {ward.Affected, ward.Contradicted}} {
		t.Run(string(row.status), func(t *testing.T) {
			g := ground.New(t, "XZ1", "XZ2", "XZ3")
			g.Exposed("XZ1", 1, "mdm1", "12.4.0.2", cve1, cve2)
			a := g.Publish()
			r := claimed(t, g, a, "XZ1")
			claimed(t, g, a, "XZ2")
			g.Clock.Advance(time.Hour)
			g.Imported("XZ1", sight(g.Clock.Now(), "12.4.0.2", ward.Affected, ward.ByDefault))
			g.Imported("XZ2", sight(g.Clock.Now(), "12.4.0.2", ward.Affected, ward.ByDefault))
			g.Due()
			if got := g.Response(a.ID, "XZ1").Proof.Result; got != ward.Disputed {
				t.Fatalf("before the ruling: %s", got)
			}
			r, err := g.Ledger.Dispute(g.Ctx, lead, a.ID, "XZ1", r.Version, "12.4.0.2 is the publisher's fix for our branch")
			if err != nil || !r.NextDue.IsZero() {
				t.Fatalf("disputed: %+v, %v", r, err)
			}
			waiting, err := g.Ledger.Disputes(g.Ctx, ward.Everything())
			if err != nil || len(waiting) != 2 {
				t.Fatalf("the desk's list: %v, %v", waiting, err)
			}

			ruling, err := g.Ledger.Rule(g.Ctx, ground.Ann, ward.Ruling{CVEs: []ward.CVE{cve1, cve2}, Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Versions: []string{"12.4.0.2"}, Status: row.status, Reason: "the advisory lists it"})
			if err != nil || ruling.ID == "" || ruling.Name != "Ann" {
				t.Fatalf("ruling %+v, %v", ruling, err)
			}
			g.Due()
			for _, org := range []ward.OrgID{"XZ1", "XZ2"} {
				r := g.Response(a.ID, org)
				if r.Proof.Result != row.want || r.NextDue.IsZero() || !strings.Contains(kinds(t, g, a, org), "ruled") {
					t.Errorf("%s: %+v, %s", org, r.Proof, kinds(t, g, a, org))
				}
			}
			if strings.Contains(kinds(t, g, a, "XZ3"), "ruled") {
				t.Error("an organisation that does not run that version was told of the ruling")
			}

			// Taken back, it is a dispute again.
			if err := g.Ledger.Unrule(g.Ctx, ground.Ann, ruling.ID, "the advisory was corrected"); err != nil {
				t.Fatal(err)
			}
			g.Due()
			if got := g.Response(a.ID, "XZ1").Proof.Result; got != ward.Disputed {
				t.Errorf("after the ruling was taken back: %s", got)
			}
			if err := g.Ledger.Unrule(g.Ctx, ground.Ann, ruling.ID, "twice"); !errors.Is(err, ward.ErrState) {
				t.Errorf("taken back twice: %v", err)
			}
			if err := g.Ledger.Unrule(g.Ctx, ground.Ann, "R-9999", ""); !errors.Is(err, ward.ErrNotFound) {
				t.Errorf("no such ruling: %v", err)
			}
		})
	}
}

// TestTheForgottenBranchIsNeverRefused is the reference story: in May 2025 the CVE record named 12.5.0.1 alone and called the
// rest affected by default, while 12.4.0.2 was the publisher's own fix for branch 12.4. Whether the organisation had it
// before the alert or installed it after, contested or not, its claim stands and closes.
func TestTheForgottenBranchIsNeverRefused(t *testing.T) {
	for _, cited := range []string{"12.4.0.1", "12.4.0.2"} {
		for _, contest := range []string{"", "12.4.0.2 is the publisher's fix"} {
			t.Run(fmt.Sprintf("cited %s, contested %t", cited, contest != ""), func(t *testing.T) {
				g := ground.New(t, "XZ1")
				g.Exposed("XZ1", 1, "mdm1", cited, cve1, cve2)
				a := g.Publish()
				r := claimed(t, g, a, "XZ1")
				g.Clock.Advance(time.Hour)
				g.Imported("XZ1", sight(g.Clock.Now(), "12.4.0.2", ward.Affected, ward.ByDefault))
				g.Due()
				var err error
				if contest != "" {
					if r, err = g.Ledger.Dispute(g.Ctx, lead, a.ID, "XZ1", r.Version, contest); err != nil {
						t.Fatal(err)
					}
				}
				if got := g.Response(a.ID, "XZ1"); got.Proof.Result != ward.Disputed {
					t.Fatalf("%+v", got.Proof)
				}
				if r, err = g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, ""); err != nil || r.ClosedAs != responses.ClosedNotConfirmed {
					t.Errorf("refused: %+v, %v", r, err)
				}
			})
		}
	}
}

func TestAClaimTenMinutesAfterAnOldImportAwaitsEvidence(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	a := g.Publish()
	g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
	g.Clock.Advance(10 * time.Minute)
	if r := claimed(t, g, a, "XZ1"); r.Proof.Result != ward.Awaiting || !strings.Contains(r.Proof.Why, "mdm1") {
		t.Errorf("%+v", r.Proof)
	}
}

func TestADenialAgainstEvidenceWaitsForTheDesk(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	g.Words.Show("XZ1", sight(ground.Day0, "12.5.0.0", ward.Affected, ward.ByVersion))
	a := g.Publish()
	r, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", 1, ward.NotRunHere, "")
	if err != nil || r.Proof.Result != ward.Disputed {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, ""); !errors.Is(err, ward.ErrState) || !strings.Contains(err.Error(), "mdm1") {
		t.Errorf("closed over evidence: %v", err)
	}
	// The register learns that it was taken away.
	gone := sight(ground.Day0, "12.5.0.0", ward.Affected, ward.ByVersion)
	gone.Gone = true
	g.Imported("XZ1", gone)
	g.Due()
	if r, err = g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, ""); err != nil || r.ClosedAs != responses.ClosedNotApplying {
		t.Fatalf("%+v, %v", r, err)
	}
	// And then it is back.
	g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
	g.Due()
	if r = g.Response(a.ID, "XZ1"); r.State == ward.ClosedAnswer || r.Proof.Result != ward.Disputed {
		t.Errorf("%+v", r)
	}
}

func TestWhatCannotClose(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	a := g.Publish()
	if _, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", 1, ""); !errors.Is(err, ward.ErrState) {
		t.Errorf("nothing said: %v", err)
	}
	r, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", 1, ward.Applies, "looking")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, ""); !errors.Is(err, ward.ErrState) {
		t.Errorf("applies, and nothing done: %v", err)
	}
	if _, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", r.Version, g.Clock.Now().Add(time.Minute), ""); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("fixed tomorrow: %v", err)
	}
	if _, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", r.Version, "perhaps", ""); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("perhaps: %v", err)
	}
	if _, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", r.Version, time.Time{}, strings.Repeat("x", 10_001)); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("a field of 10,001 characters: %v", err)
	}
	if _, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", r.Version, time.Time{}, "\xff\xfe"); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("a wrong encoding: %v", err)
	}
	// Refused words leave nothing behind.
	if now := g.Response(a.ID, "XZ1"); now.Version != r.Version || kinds(t, g, a, "XZ1") != "acknowledged applicability" {
		t.Errorf("%+v, %s", now, kinds(t, g, a, "XZ1"))
	}
	// A hosted product may close without a claim: the host answers for it.
	other := ground.Person("O", ward.Lead, "XZ2")
	r, err = g.Ledger.Answer(g.Ctx, other, a.ID, "XZ2", 1, ward.AppliesHost, "by our supplier")
	if err != nil {
		t.Fatal(err)
	}
	if r, err = g.Ledger.Close(g.Ctx, other, a.ID, "XZ2", r.Version, "<script>alert(1)</script> =1+1"); err != nil || r.ClosedAs != responses.ClosedNotConfirmed || r.Words != "<script>alert(1)</script> =1+1" {
		t.Errorf("hosted: %+v, %v", r, err)
	}
	// Once the alert is closed nothing more is owed to it, and nothing changes.
	if _, err := g.Board.Close(g.Ctx, ground.Bea, a.ID, a.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version); !errors.Is(err, ward.ErrState) {
		t.Errorf("answer to a closed alert: %v", err)
	}
	g.Clock.Advance(1000 * time.Hour)
	g.Due()
	if late, err := g.Ledger.Overdue(g.Ctx, ward.Everything()); err != nil || len(late) != 0 {
		t.Errorf("overdue to a closed alert: %v, %v", late, err)
	}
}

func TestEveryDayEveryAnswerIsLookedAtAgain(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	first := g.Due()
	if !first.Equal(ground.Day0.Add(24 * time.Hour)) {
		t.Errorf("next %s, want a day later", first)
	}
	// What was fresh is stale now: no import says so, only time.
	g.Words.Stand(ward.Standing{Org: "XZ1", State: ward.NotExposed, Reason: "register covers mobile management"})
	g.Clock.Set(first)
	g.Due()
	if r := g.Response(a.ID, "XZ1"); r.Current.State != ward.NotExposed || r.Standing.State != ward.ExposureUnknown {
		t.Errorf("now %+v, then %+v", r.Current, r.Standing)
	}
	if o, err := g.Ledger.Overview(g.Ctx, ward.Everything()); err != nil || o.NotKnown != 0 || o.Alerts[0].NotKnownThen != 1 || o.Alerts[0].NotExposed != 1 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestWorkMarkedMeanwhileIsNotLost(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	claimed(t, g, a, "XZ1")
	g.Imported("XZ1")
	var waiting []store.Work
	err := g.Store.View(g.Ctx, func(tx *store.Tx) (err error) {
		waiting, err = tx.Waiting(g.Ctx, store.ForProof, 10)
		return err
	})
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%v, %v", waiting, err)
	}
	g.Imported("XZ1") // another import, between looking and finishing
	err = g.Store.Update(g.Ctx, func(tx *store.Tx) error {
		if err := tx.Finish(g.Ctx, store.ForProof, waiting[0]); err != nil {
			return err
		}
		left, err := tx.Waiting(g.Ctx, store.ForProof, 10)
		if len(left) != 1 {
			t.Errorf("left %v", left)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHintsReachWhoWatches(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	hints := g.Store.Hints(g.Ctx)
	claimed(t, g, a, "XZ1")
	select {
	case h := <-hints:
		if h.Topic != "alert:"+string(a.ID) || h.Org != "XZ1" {
			t.Errorf("%+v", h)
		}
	case <-time.After(5 * time.Second):
		t.Error("no hint")
	}
}

// BenchmarkOverview is what the national page asks: a year of alerts and 230 organisations.
func BenchmarkOverview(b *testing.B) {
	var orgs []ward.OrgID
	for i := range 230 {
		orgs = append(orgs, ward.OrgID(fmt.Sprintf("XZ%03d", i)))
	}
	g := ground.New(b, orgs...)
	for range 20 {
		g.Publish()
		g.Clock.Advance(time.Hour)
	}
	for b.Loop() {
		if _, err := g.Ledger.Overview(g.Ctx, ward.Everything()); err != nil {
			b.Fatal(err)
		}
	}
}
