package responses_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// words lists every notice of the ladder for an organisation and the desk, in order of time, as "hours kind rung".
func words(t *testing.T, g *ground.Ground, from time.Time) (all []string) {
	t.Helper()
	type told struct {
		at   time.Time
		text string
	}
	var found []told
	for _, org := range []ward.OrgID{"XZ1", ""} {
		page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), org, "", 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Items {
			if kind, ok := strings.CutPrefix(n.Kind, "response."); ok && slices.Contains([]string{"reminder", "overdue", "escalated"}, kind) {
				to := string(n.Rung)
				if org == "" && to == "" {
					to = "desk"
				}
				found = append(found, told{n.Created, fmt.Sprintf("%v %s %s", n.Created.Sub(from).Hours(), kind, to)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b told) int { return a.at.Compare(b.at) })
	for _, f := range found {
		all = append(all, f.text)
	}
	return all
}

func TestTheLadderIsClimbedOnceForEachThingThatFallsDue(t *testing.T) {
	// Over both changes of the clocks in London, and on a bank holiday: elapsed hours move for none of them.
	for _, start := range []time.Time{
		time.Date(2025, 3, 29, 9, 0, 0, 0, time.UTC), time.Date(2025, 10, 25, 9, 0, 0, 0, time.UTC), time.Date(2025, 12, 24, 9, 0, 0, 0, time.UTC),
	} {
		t.Run(start.Format("2 January"), func(t *testing.T) {
			g := ground.New(t, "XZ1")
			g.Clock.Set(start)
			a := g.PublishDraft(live())
			until(t, g, start.Add(10*day))
			want := []string{
				"24 reminder contact", "44 reminder lead", "48 overdue contact", "48 overdue desk", "52 escalated lead", "72 escalated group_lead", "96 escalated executive", "120 escalated duty_officer",
			}
			if got := words(t, g, start); !slices.Equal(got, want) {
				t.Fatalf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			for range 3 {
				g.Due()
			}
			// It answers, and the next update has a ladder of its own, which an update in time ends.
			r, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version)
			if err != nil {
				t.Fatal(err)
			}
			acknowledged := g.Clock.Now()
			until(t, g, acknowledged.Add(60*time.Hour))
			if got := words(t, g, acknowledged)[len(want):]; !slices.Equal(got, []string{"48 reminder contact"}) {
				t.Fatalf("then told %q", got)
			}
			if _, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", r.Version, ward.AppliesNot, "we have none"); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version+1, ""); err != nil {
				t.Fatal(err)
			}
			until(t, g, acknowledged.Add(20*day))
			if got := words(t, g, acknowledged); len(got) != len(want)+1 {
				t.Errorf("told after the end: %q", got[len(want)+1:])
			}
		})
	}
}

func TestAnExerciseNeverClimbsBeyondTheLead(t *testing.T) {
	g := ground.New(t, "XZ1")
	start := g.Clock.Now()
	g.Publish()
	until(t, g, start.Add(10*day))
	for _, said := range words(t, g, start) {
		if strings.Contains(said, "group_lead") || strings.Contains(said, "executive") || strings.Contains(said, "officer") {
			t.Error(said)
		}
	}
	for _, n := range inbox(t, g, "XZ1", "response.escalated") {
		if !strings.HasPrefix(n, "EXERCISE") {
			t.Error(n)
		}
	}
}

func TestAServerThatSleptSaysWhatIsStillTrueOnce(t *testing.T) {
	g := ground.New(t, "XZ1")
	start := g.Clock.Now()
	g.PublishDraft(live())
	g.Due()
	g.Clock.Set(start.Add(100 * time.Hour)) // switched off meanwhile
	g.Due()
	g.Due()
	want := []string{"100 escalated executive", "100 escalated group_lead", "100 escalated lead", "100 overdue contact", "100 overdue desk"}
	got := words(t, g, start)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	g.Clock.Set(start.Add(50 * time.Hour)) // the clock was put right
	g.Due()
	if again := words(t, g, start); len(again) != len(want) {
		t.Errorf("told twice: %q", again)
	}
}

func TestTheRemediationDateHasALadderOfItsOwn(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1) // reachable from the internet
	g.Words.Stand(ward.Standing{Org: "XZ1", State: ward.Exposed})
	start := g.Clock.Now()
	a := g.PublishDraft(live())
	r := g.Response(a.ID, "XZ1")
	if got := r.RemediateBy.Sub(start); got != 5*day {
		t.Fatalf("an internet-facing system is to be fixed within %s, want 5 days", got)
	}
	for n := range 5 { // an update every day or so
		if _, err := g.Ledger.Progress(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version, ward.Progress{Affected: 1}, "still at it"); err != nil {
			t.Fatal(n, err)
		}
		until(t, g, g.Clock.Now().Add(26*time.Hour))
	}
	if got, want := words(t, g, start), []string{"96 reminder contact", "116 reminder lead", "120 overdue contact", "120 overdue desk", "124 escalated lead"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if r := g.Response(a.ID, "XZ1"); r.Overdue || !r.RemediationLate(g.Clock.Now()) {
		t.Errorf("%+v", r)
	}
	if _, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version, time.Time{}, ""); err != nil {
		t.Fatal(err)
	}
	before := len(words(t, g, start))
	until(t, g, g.Clock.Now().Add(40*time.Hour))
	if got := words(t, g, start); len(got) != before {
		t.Errorf("told of a fix that was claimed: %q", got[before:])
	}
}

func TestAMaterialUpdateAsksAgain(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3")
	a := g.Publish()
	other := ground.Person("Lead of XZ2", ward.Lead, "XZ2")
	if _, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ledger.Say(g.Ctx, other, a.ID, "XZ2", 1, responses.Answer{Applies: ward.NotRunHere, Close: &ward.Closing{}, Words: "none"}); err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(day)
	a.Change = ward.AlertChange{Material: true, Why: "a fix for the older branch"}
	g.Update(func(tx ground.Tx) error { return g.Ledger.Reopen(g.Ctx, tx, a) })
	for _, org := range []ward.OrgID{"XZ1", "XZ2", "XZ3"} {
		r := g.Response(a.ID, org)
		if r.State != ward.Unanswered || !r.AcknowledgedAt.IsZero() || !r.RespondBy.Equal(g.Clock.Now().Add(48*time.Hour)) || r.Version < 2 {
			t.Errorf("%s: %+v", org, r)
		}
	}
	// Whoever acknowledges and says no more returns to what was said.
	r, err := g.Ledger.Acknowledge(g.Ctx, other, a.ID, "XZ2", g.Response(a.ID, "XZ2").Version)
	if err != nil || r.State != ward.ClosedAnswer || r.ClosedAs != responses.ClosedNotApplying || r.Words != "none" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version); err != nil || r.State != ward.InProgress {
		t.Errorf("%+v, %v", r, err)
	}
	if !strings.Contains(kinds(t, g, a, "XZ2"), responses.Asked) {
		t.Error(kinds(t, g, a, "XZ2"))
	}
}

func TestASupersededAlertLetsItsAnswersLapse(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	old := g.Publish()
	if _, err := g.Ledger.Say(g.Ctx, lead, old.ID, "XZ1", 1, responses.Answer{Applies: ward.NotRunHere, Close: &ward.Closing{}}); err != nil {
		t.Fatal(err)
	}
	draft := ground.Alert()
	draft.Supersedes = old.ID
	newer := g.PublishDraft(draft)
	r := g.Response(old.ID, "XZ2")
	if !r.Lapsed || r.LapsedTo != newer.ID || r.Reads() != "lapsed: see "+string(newer.ID) {
		t.Errorf("%q %+v", r.Reads(), r)
	}
	if r := g.Response(old.ID, "XZ1"); r.ClosedAs != responses.ClosedNotApplying {
		t.Errorf("what was closed: %+v", r)
	}
	if _, err := g.Ledger.Acknowledge(g.Ctx, ground.Person("P", ward.Lead, "XZ2"), old.ID, "XZ2", r.Version); err == nil {
		t.Error("an answer to an alert that is over")
	}
	told := len(inbox(t, g, "XZ2", "response.overdue"))
	until(t, g, g.Clock.Now().Add(4*day))
	if got := len(inbox(t, g, "XZ2", "response.overdue")) - told; got != 1 {
		t.Errorf("late %d times, want once: for the newer alert", got)
	}
}
