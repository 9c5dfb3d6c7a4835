package responses_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// exploited keeps since when a weakness is known to be exploited, as intel does.
func exploited(g *ground.Ground, cve ward.CVE, since time.Time) {
	g.T.Helper()
	g.Row(`INSERT INTO vulnerabilities (id, title, published, exploited_since, ssvc, cvss, rejected, words, body) VALUES ($1, '', 0, $2, '', 0, 0, '', '{}')
		ON CONFLICT (id) DO UPDATE SET exploited_since = excluded.exploited_since`, string(cve), since.UnixMicro())
}

// showsFixed lets the organisation's register show the fixed version, seen now.
func showsFixed(g *ground.Ground, org ward.OrgID) {
	g.T.Helper()
	s := sight(g.Clock.Now(), "12.5.0.1", ward.Fixed, ward.ByVersion)
	g.Row(`UPDATE installs SET last_seen = (SELECT observed_at FROM sources WHERE id = installs.source) WHERE asset = 1`)
	g.Imported(org, s)
	g.Due()
}

var looked = responses.Signed{Result: ward.NoEvidence, Coverage: "web server logs since 1 April; none before"}

func TestPatchedIsNotClean(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	exploited(g, cve1, g.Clock.Now().Add(-2*day))
	a := g.Publish()
	r := g.Response(a.ID, "XZ1")
	if !r.Check.Required || !strings.Contains(r.Check.Why, "mdm1") || !strings.Contains(r.Check.Why, string(cve1)) {
		t.Fatalf("check %+v", r.Check)
	}
	g.Clock.Advance(time.Hour)
	if _, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", r.Version, time.Time{}, "updated"); err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(time.Hour)
	showsFixed(g, "XZ1")
	r = g.Response(a.ID, "XZ1")
	r, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", r.Version, ward.Closing{}, "the register shows it")
	if err != nil || r.State != ward.Remediated || r.Reads() != "patched, not yet checked" || r.Proof.Result != ward.Confirmed || r.NextDue.IsZero() {
		t.Fatalf("%q %+v, %v", r.Reads(), r, err)
	}
	if all, err := g.Ledger.Unchecked(g.Ctx, lead.Scope); err != nil || len(all) != 1 {
		t.Errorf("owed checks %v, %v", all, err)
	}
	if _, err := g.Ledger.SignCheck(g.Ctx, lead, a.ID, "XZ1", r.Version, responses.Signed{Result: ward.NoEvidence}, ""); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("signed without saying which logs: %v", err)
	}
	if _, err := g.Ledger.SignCheck(g.Ctx, lead, a.ID, "XZ1", r.Version, responses.Signed{Result: "fine", Coverage: "x"}, ""); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("signed something else: %v", err)
	}
	r, err = g.Ledger.SignCheck(g.Ctx, lead, a.ID, "XZ1", r.Version, looked, "")
	if err != nil || r.State != ward.ClosedAnswer || r.ClosedAs != responses.ClosedConfirmed || r.Outcome != ward.OutcomeFixed || r.Check.SignedBy != "Lee" || r.Words != "the register shows it" {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestACheckThatCannotBeDetermined(t *testing.T) {
	for _, row := range []struct {
		result ward.CheckResult
		reads  string
		due    bool
	}{
		{ward.CannotDetermine, "patched, compromise cannot be determined", false},
		{ward.EvidenceFound, "evidence of compromise found", true},
	} {
		t.Run(string(row.result), func(t *testing.T) {
			g := ground.New(t, "XZ1")
			draft := ground.Alert()
			draft.CheckRequired, draft.CheckWhy = true, "attacks were seen before the fix"
			a := g.PublishDraft(draft)
			r := g.Response(a.ID, "XZ1")
			if !r.Check.Required || r.Check.Why != draft.CheckWhy {
				t.Fatalf("check %+v", r.Check)
			}
			r, err := g.Ledger.Say(g.Ctx, lead, a.ID, "XZ1", r.Version, responses.Answer{Claim: true, Check: &responses.Signed{Result: row.result, Coverage: "logs were overwritten"}, Close: &ward.Closing{}})
			if row.result == ward.EvidenceFound {
				if !errors.Is(err, ward.ErrState) {
					t.Fatalf("closing over evidence of a compromise: %v", err)
				}
				r, err = g.Ledger.Say(g.Ctx, lead, a.ID, "XZ1", 1, responses.Answer{Claim: true, Check: &responses.Signed{Result: row.result, Coverage: "a web shell"}})
			}
			if err != nil || r.Reads() != row.reads || r.NextDue.IsZero() == row.due {
				t.Fatalf("%q %+v, %v", r.Reads(), r, err)
			}
			at, err := g.Ledger.Undetermined(g.Ctx, ward.Everything())
			if err != nil || len(at) != 1 {
				t.Fatalf("the desk has %v, %v", at, err)
			}
			items, err := g.Ledger.Items(g.Ctx, ward.Everything())
			if err != nil || len(items) != 1 || items[0].Kind != ward.ItemUnchecked || items[0].Org != "XZ1" {
				t.Errorf("items %+v, %v", items, err)
			}
			if items, err := g.Ledger.Items(g.Ctx, lead.Scope); err != nil || len(items) != 0 {
				t.Errorf("the organisation's own desk has %+v, %v", items, err)
			}
			if _, err := g.Ledger.SettleCheck(g.Ctx, lead, a.ID, "XZ1", r.Version, "fine"); !errors.Is(err, ward.ErrForbidden) {
				t.Errorf("settled by the organisation: %v", err)
			}
			if _, err := g.Ledger.SettleCheck(g.Ctx, ground.Ann, a.ID, "XZ1", r.Version, " "); !errors.Is(err, ward.ErrInvalid) {
				t.Errorf("settled without a word: %v", err)
			}
			r, err = g.Ledger.SettleCheck(g.Ctx, ground.Ann, a.ID, "XZ1", r.Version, "image examined by the responders: nothing")
			if err != nil || r.Check.SettleBy != "Ann" {
				t.Fatalf("%+v, %v", r, err)
			}
			closed := row.result == ward.CannotDetermine // it had asked to close
			if (r.State == ward.ClosedAnswer) != closed || r.NextDue.IsZero() != closed {
				t.Errorf("settled: %+v", r)
			}
			if len(inbox(t, g, "XZ1", "response.settled")) != 1 {
				t.Error("the organisation was not told")
			}
		})
	}
}

func TestWhenACompromiseCheckIsAskedFor(t *testing.T) {
	for _, row := range []struct {
		name     string
		since    time.Duration // exploitation known, from publication; 0: never
		claim    time.Duration // fixed, from publication; 0: not claimed
		seen     time.Duration // the register shows the fixed version; 0: never
		required bool
	}{
		{"never exploited", 0, time.Hour, 0, false},
		{"exploited before the alert", -day, time.Hour, 2 * time.Hour, true},
		{"exploited after the fix was confirmed", 3 * day, time.Hour, 2 * time.Hour, false},
		{"exploited after a claim that nothing confirms", 3 * day, time.Hour, 0, false},
		{"exploited while it was still open", 3 * day, 0, 0, true},
		{"exploited before a late fix", day, 2 * day, 50 * time.Hour, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := ground.New(t, "XZ1")
			g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
			a := g.Publish()
			start := g.Clock.Now()
			if row.since != 0 {
				exploited(g, cve1, start.Add(row.since))
			}
			type event struct {
				at time.Duration
				do func()
			}
			events := []event{{10 * day, func() {}}}
			if row.claim != 0 {
				events = append(events, event{row.claim, func() { claimed(t, g, a, "XZ1") }})
			}
			if row.seen != 0 {
				events = append(events, event{row.seen, func() { showsFixed(g, "XZ1") }})
			}
			slices.SortFunc(events, func(a, b event) int { return int(a.at - b.at) })
			for _, e := range events {
				until(t, g, start.Add(e.at))
				e.do()
			}
			if r := g.Response(a.ID, "XZ1"); r.Check.Required != row.required {
				t.Errorf("required: %t, because %q", r.Check.Required, r.Check.Why)
			}
		})
	}
}

func TestExploitationKnownLaterOpensWhatWasClosed(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	a := g.Publish()
	g.Clock.Advance(day)
	r := claimed(t, g, a, "XZ1")
	g.Clock.Advance(time.Hour)
	showsFixed(g, "XZ1")
	if r, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, ""); err != nil || r.ClosedAs != responses.ClosedConfirmed {
		t.Fatalf("%+v, %v", r, err)
	}
	// A publisher says a day later that it had been used since before the alert.
	exploited(g, cve1, ground.Day0.Add(-3*day))
	until(t, g, g.Clock.Now().Add(25*time.Hour))
	r = g.Response(a.ID, "XZ1")
	if r.Reads() != "patched, not yet checked" || len(inbox(t, g, "XZ1", "response.check")) != 1 {
		t.Fatalf("%q %+v", r.Reads(), r)
	}
	if r, err := g.Ledger.SignCheck(g.Ctx, lead, a.ID, "XZ1", r.Version, looked, ""); err != nil || r.State != ward.ClosedAnswer {
		t.Errorf("%+v, %v", r, err)
	}
}

// confirmed closes the answers about laptops 1 to n with evidence.
func confirmed(t *testing.T, g *ground.Ground, n int) ward.Alert {
	t.Helper()
	for i := 1; i <= n; i++ {
		s := seenOn(i, g.Clock.Now(), "12.5.0.0", ward.Affected)
		g.Exposed("XZ1", s.Asset, s.Name, "12.5.0.0", cve1)
	}
	a := g.Publish()
	g.Clock.Advance(day)
	claimed(t, g, a, "XZ1")
	again(t, g, a, n, 0)
	if r, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version, ""); err != nil || r.ClosedAs != responses.ClosedConfirmed {
		t.Fatalf("%+v, %v", r, err)
	}
	return a
}

// again imports a register that shows the first few laptops affected and the others fixed.
func again(t *testing.T, g *ground.Ground, a ward.Alert, n, affected int) ward.Response {
	t.Helper()
	g.Clock.Advance(time.Hour)
	var seen []ward.Seen
	for i := 1; i <= n; i++ {
		s := seenOn(i, g.Clock.Now(), "12.5.0.1", ward.Fixed)
		if i <= affected {
			s = seenOn(i, g.Clock.Now(), "12.5.0.0", ward.Affected)
		}
		seen = append(seen, s)
	}
	g.Imported("XZ1", seen...)
	g.Due()
	return g.Response(a.ID, "XZ1")
}

func TestARecurrenceWithinToleranceGoesToTheQueueAndPagesNobody(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := confirmed(t, g, 10)
	r := again(t, g, a, 10, 1)
	first := r.Recurrence.Since
	if r.State != ward.ClosedAnswer || r.Recurrence.Of != 10 || len(r.Recurrence.Assets) != 1 || r.Reads() != "closed, confirmed; seen again on 1 of 10" {
		t.Fatalf("%q %+v", r.Reads(), r)
	}
	r = again(t, g, a, 10, 1)
	if !r.Recurrence.Since.Equal(first) {
		t.Errorf("seen since %s, want %s", r.Recurrence.Since, first)
	}
	for _, org := range []ward.OrgID{"XZ1", ""} {
		if told := inbox(t, g, org, "response.contradicted"); len(told) != 0 {
			t.Errorf("%q was told %q", org, told)
		}
	}
	for _, scope := range []ward.Scope{ward.Everything(), lead.Scope} {
		items, err := g.Ledger.Items(g.Ctx, scope)
		if err != nil || len(items) != 1 || items[0].Kind != ward.ItemRecurrence || !strings.Contains(items[0].Reason, "laptop-a") {
			t.Errorf("items %+v, %v", items, err)
		}
	}
	if items, err := g.Ledger.Items(g.Ctx, ward.Only("XZ2")); err != nil || len(items) != 0 {
		t.Errorf("another organisation sees %+v, %v", items, err)
	}
	// It goes away by itself.
	if r = again(t, g, a, 10, 0); !r.Recurrence.Since.IsZero() || r.Proof.Result != ward.Confirmed || r.State != ward.ClosedAnswer {
		t.Errorf("after it was put right: %+v", r)
	}
}

func TestARecurrenceBeyondToleranceOpensTheAnswerAndIsTold(t *testing.T) {
	for _, row := range []struct {
		name string
		run  func(t *testing.T, g *ground.Ground, a ward.Alert)
		of   int
	}{
		{"too many", func(t *testing.T, g *ground.Ground, a ward.Alert) { again(t, g, a, 10, 2) }, 10},
		{"more of them later", func(t *testing.T, g *ground.Ground, a ward.Alert) { again(t, g, a, 10, 1); again(t, g, a, 10, 3) }, 10},
		{"the only one", func(t *testing.T, g *ground.Ground, a ward.Alert) { again(t, g, a, 1, 1) }, 1},
		{"for too long", func(t *testing.T, g *ground.Ground, a ward.Alert) {
			again(t, g, a, 10, 1)
			until(t, g, g.Clock.Now().Add(7*day))
		}, 10},
		{"where it can be reached while it is exploited", func(t *testing.T, g *ground.Ground, a ward.Alert) {
			exploited(g, cve1, g.Clock.Now().Add(day))
			g.Clock.Advance(2 * day)
			g.Row(`UPDATE sources SET observed_at = $1`, g.Clock.Now().UnixMicro())
			again(t, g, a, 10, 1)
		}, 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := ground.New(t, "XZ1")
			a := confirmed(t, g, row.of)
			row.run(t, g, a)
			r := g.Response(a.ID, "XZ1")
			if r.State == ward.ClosedAnswer || r.Proof.Result != ward.Contradicted || !r.Recurrence.Since.IsZero() {
				t.Errorf("%+v", r)
			}
			if told := inbox(t, g, "XZ1", "response.contradicted"); len(told) != 1 {
				t.Errorf("told %q", told)
			}
			g.Due()
			if told := inbox(t, g, "XZ1", "response.contradicted"); len(told) != 1 {
				t.Errorf("told again: %q", told)
			}
		})
	}
}

func TestNothingClosesBeforeItsCheck(t *testing.T) {
	control := ward.Control{Kind: ward.Isolated, What: "taken off the network", Owner: "Kit", Evidence: "change 7"}
	for _, row := range []struct {
		name    string
		closing ward.Closing
		reads   string
		closed  string
	}{
		{"controlled", ward.Closing{Outcome: ward.OutcomeControlled, Control: control}, "controlled, not yet checked", responses.ClosedControlled},
		{"accepted", ward.Closing{Outcome: ward.OutcomeAccepted, Acceptance: ward.Acceptance{Officer: "Sal", Reason: "a month"}}, "risk accepted, not yet checked", responses.ClosedAccepted},
		{"not applicable", ward.Closing{Outcome: ward.OutcomeNotApplicable}, "not applicable, not yet checked", responses.ClosedNotApplying},
	} {
		open := func(t *testing.T) (*ground.Ground, ward.Alert, ward.Response) {
			t.Helper()
			g := ground.New(t, "XZ1")
			g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
			exploited(g, cve1, g.Clock.Now().Add(-2*day))
			a := g.Publish()
			g.Clock.Advance(time.Hour)
			if row.closing.Outcome == ward.OutcomeNotApplicable { // what is listed affected is disputed already
				showsFixed(g, "XZ1")
			}
			how := row.closing
			how.Control.Review, how.Acceptance.Until = g.Clock.Now().Add(9*day), g.Clock.Now().Add(9*day)
			r, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version, how, "our word")
			if err != nil || r.State == ward.ClosedAnswer || r.Reads() != row.reads || !r.Unchecked() || r.NextDue.IsZero() {
				t.Fatalf("%q %+v, %v", r.Reads(), r, err)
			}
			return g, a, r
		}
		t.Run(row.name+", then signed", func(t *testing.T) {
			g, a, r := open(t)
			r, err := g.Ledger.SignCheck(g.Ctx, lead, a.ID, "XZ1", r.Version, looked, "")
			if err != nil || r.State != ward.ClosedAnswer || r.ClosedAs != row.closed || r.Outcome != row.closing.Outcome || r.Words != "our word" {
				t.Errorf("%+v, %v", r, err)
			}
		})
		t.Run(row.name+", then fixed after all", func(t *testing.T) {
			g, a, r := open(t)
			r, err := g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", r.Version, time.Time{}, "updated")
			if err != nil || r.Reads() != "patched, not yet checked" {
				t.Fatalf("%q, %v", r.Reads(), err)
			}
			if r, err = g.Ledger.SignCheck(g.Ctx, lead, a.ID, "XZ1", r.Version, looked, ""); err != nil || r.State == ward.ClosedAnswer {
				t.Errorf("closed as what it asked before: %+v, %v", r, err)
			}
		})
		t.Run(row.name+", then exploited", func(t *testing.T) { // what closed before it was asked for
			g := ground.New(t, "XZ1")
			g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
			a := g.Publish()
			g.Clock.Advance(time.Hour)
			if row.closing.Outcome == ward.OutcomeNotApplicable {
				showsFixed(g, "XZ1")
			}
			how := row.closing
			how.Control.Review, how.Acceptance.Until = g.Clock.Now().Add(9*day), g.Clock.Now().Add(9*day)
			if r, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version, how, ""); err != nil || r.State != ward.ClosedAnswer {
				t.Fatalf("%+v, %v", r, err)
			}
			exploited(g, cve1, g.Clock.Now().Add(-2*day))
			g.Clock.Advance(day)
			g.Imported("XZ1") // intelligence changed
			g.Due()
			if r := g.Response(a.ID, "XZ1"); r.State == ward.ClosedAnswer || r.Reads() != row.reads || r.Control.What != how.Control.What {
				t.Errorf("%q %+v", r.Reads(), r)
			}
		})
	}
}

func TestWhatItDoesNotRunNeedsNoCheck(t *testing.T) {
	g := ground.New(t, "XZ1")
	draft := ground.Alert()
	draft.CheckRequired, draft.CheckWhy = true, "attacks were seen before the fix"
	a := g.PublishDraft(draft)
	r, err := g.Ledger.Say(g.Ctx, lead, a.ID, "XZ1", 1, responses.Answer{Applies: ward.NotRunHere, Close: &ward.Closing{}})
	if err != nil || r.State != ward.ClosedAnswer || r.ClosedAs != responses.ClosedNotApplying {
		t.Errorf("%+v, %v", r, err)
	}
}

// What an organisation says that another runs is held against what it runs itself, and against nothing else.
func TestHostedIsHeldAgainstItsOwnAssets(t *testing.T) {
	for _, row := range []struct {
		name, operator string
		disputed       bool
	}{
		{"its own asset", "XZ1", true},
		{"its host's asset", "XZ6", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := ground.New(t, "XZ1", "XZ6")
			g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
			g.Row(`UPDATE assets SET operator = $1 WHERE id = 1`, row.operator)
			a := g.Publish()
			g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
			r, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version, ward.AppliesHost, "XZ6 runs it")
			if err != nil || (r.Proof.Result == ward.Disputed) != row.disputed {
				t.Fatalf("%+v, %v", r.Proof, err)
			}
			if row.disputed && !strings.Contains(r.Proof.Why, "operates this itself") {
				t.Errorf("%q", r.Proof.Why)
			}
			r, err = g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", r.Version, ward.Closing{}, "")
			if row.disputed != errors.Is(err, ward.ErrState) || !row.disputed && r.Outcome != ward.OutcomeHosted {
				t.Errorf("closing: %+v, %v", r, err)
			}
			if !row.disputed { // once it takes the asset over, the answer is open again
				g.Row(`UPDATE assets SET operator = 'XZ1' WHERE id = 1`)
				g.Clock.Advance(day)
				g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
				g.Due()
				if r := g.Response(a.ID, "XZ1"); r.State == ward.ClosedAnswer || r.Proof.Result != ward.Disputed {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}
