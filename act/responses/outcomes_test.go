package responses_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

const day = 24 * time.Hour

// until moves the clock to a time, and stops wherever the ledger wants to be called on the way.
func until(t *testing.T, g *ground.Ground, at time.Time) {
	t.Helper()
	for next := g.Due(); !next.IsZero() && !next.After(at); next = g.Due() {
		if !next.After(g.Clock.Now()) {
			t.Fatalf("the job wants to run again at once: %s", next)
		}
		g.Clock.Set(next)
	}
	g.Clock.Set(at)
	g.Due()
}

// inbox is what an organisation (or the desk: empty) was told, oldest first, as "kind subject".
func inbox(t *testing.T, g *ground.Ground, org ward.OrgID, kind string) (subjects []string) {
	t.Helper()
	for after := ""; ; {
		page, err := g.Outbox.Inbox(g.Ctx, ward.Everything(), org, after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Items {
			if n.Kind == kind {
				subjects = append([]string{n.Subject}, subjects...)
			}
		}
		if after = page.Next; after == "" {
			return subjects
		}
	}
}

// live is the reference alert, and no exercise.
func live() ward.Alert {
	a := ground.Alert()
	a.Exercise = false
	return a
}

func isolated(g *ground.Ground, review time.Time) ward.Closing {
	return ward.Closing{Outcome: ward.OutcomeControlled, Control: ward.Control{Kind: ward.AwaitingManufacturer, What: "cut off by a VLAN of its own",
		Owner: "Robin Vale", Evidence: "change 4711, tested", Review: review}}
}

func TestAMedicalDeviceThatCannotBePatched(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "pump1", "12.5.0.0", cve1)
	a := g.Publish()
	review := g.Clock.Now().Add(60 * day)
	r, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, isolated(g, review), "the manufacturer tests the update")
	if err != nil || r.State != ward.ClosedAnswer || r.Outcome != ward.OutcomeControlled || r.ClosedAs != responses.ClosedControlled || !r.Until.Equal(review) {
		t.Fatalf("%+v, %v", r, err)
	}
	if want := "controlled until 12 July 2025"; r.Reads() != want {
		t.Errorf("reads %q, want %q", r.Reads(), want)
	}
	// Evidence that still shows the old version contradicts nobody: it was said to be so.
	g.Clock.Advance(day)
	g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
	g.Due()
	if r := g.Response(a.ID, "XZ1"); r.State != ward.ClosedAnswer || r.Proof.Result != "" {
		t.Errorf("an import changed it: %+v", r)
	}
	held, err := g.Ledger.Controlled(g.Ctx, lead.Scope)
	if err != nil || len(held) != 1 || held[0].Response.Control.Owner != "Robin Vale" || held[0].Title != a.Title || held[0].Expired {
		t.Errorf("register %+v, %v", held, err)
	}
	until(t, g, review.Add(-time.Microsecond))
	if told := inbox(t, g, "XZ1", "response.expiring"); len(told) != 2 || g.Response(a.ID, "XZ1").State != ward.ClosedAnswer {
		t.Fatalf("before the review: told %q", told)
	}
	until(t, g, review)
	r = g.Response(a.ID, "XZ1")
	if r.State != ward.InProgress || r.Outcome != "" || !r.Until.IsZero() || r.NextDue.Sub(review) != 72*time.Hour {
		t.Fatalf("at its review date it is %+v", r)
	}
	if told := inbox(t, g, "XZ1", "response.reopened"); len(told) != 1 {
		t.Errorf("told %q", told)
	}
	until(t, g, review.Add(time.Hour))
	if held, err := g.Ledger.Controlled(g.Ctx, ward.Everything()); err != nil || len(held) != 0 {
		t.Errorf("still registered: %+v, %v", held, err)
	}
}

func TestAControlIsRenewedBeforeItsDate(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	r, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, isolated(g, g.Clock.Now().Add(30*day)), "")
	if err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(20 * day)
	later := g.Clock.Now().Add(90 * day)
	if r, err = g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", r.Version, isolated(g, later), "renewed"); err != nil || !r.Until.Equal(later) {
		t.Fatalf("%+v, %v", r, err)
	}
	until(t, g, later.Add(-15*day))
	if g.Response(a.ID, "XZ1").State != ward.ClosedAnswer {
		t.Error("the old date opened it")
	}
}

func TestAnAcceptedRiskEnds(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	end := g.Clock.Now().Add(10 * day)
	how := ward.Closing{Outcome: ward.OutcomeAccepted, Acceptance: ward.Acceptance{Officer: "Sasha Holm, senior information risk owner", Reason: "replaced in June", Until: end}}
	r, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, how, "")
	if err != nil || r.Reads() != "risk accepted until 23 May 2025" {
		t.Fatalf("%+v, %v", r, err)
	}
	if held, err := g.Ledger.Accepted(g.Ctx, ward.Scope{}); err != nil || len(held) != 0 {
		t.Errorf("nobody's scope sees %+v, %v", held, err)
	}
	until(t, g, end)
	if r := g.Response(a.ID, "XZ1"); r.State != ward.InProgress {
		t.Errorf("at the end %+v", r)
	}
	if !strings.Contains(kinds(t, g, a, "XZ1"), "closed reopened") {
		t.Error(kinds(t, g, a, "XZ1"))
	}
}

func TestARegisterRemindsAfterItsAlertIsClosed(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	review := g.Clock.Now().Add(30 * day)
	if _, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, isolated(g, review), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Board.Close(g.Ctx, ground.Bea, a.ID, a.Version); err != nil {
		t.Fatal(err)
	}
	until(t, g, review.Add(day))
	held, err := g.Ledger.Controlled(g.Ctx, lead.Scope)
	if err != nil || len(held) != 1 || !held[0].Expired {
		t.Errorf("register %+v, %v", held, err)
	}
	if told := inbox(t, g, "XZ1", "response.expiring"); len(told) != 2 {
		t.Errorf("told %q", told)
	}
}

// seenOn is a sighting on a machine of a number.
func seenOn(n int, at time.Time, version string, status ward.Status) ward.Seen {
	s := sight(at, version, status, ward.ByVersion)
	s.Asset, s.Name = ward.AssetID(n), "laptop-"+string(rune('a'+n-1))
	return s
}

func TestAResidualOfUnseenLaptops(t *testing.T) {
	g := ground.New(t, "XZ1")
	for n := 1; n <= 4; n++ {
		s := seenOn(n, g.Clock.Now(), "12.5.0.0", ward.Affected)
		g.Exposed("XZ1", s.Asset, s.Name, "12.5.0.0", cve1)
	}
	a := g.Publish()
	g.Clock.Advance(day)
	end := g.Clock.Now().Add(20 * day)
	left := []ward.Residual{{Asset: 3, Name: "laptop-c", Reason: "away until June", Until: end}, {Name: " Laptop-D", Reason: "away until June", Until: end}}
	r, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, ward.Closing{Outcome: ward.OutcomeResidual, FixedAt: g.Clock.Now(), Residual: left}, "all that we can reach")
	if err != nil || r.State != ward.ClosedAnswer || r.ClosedAs != responses.ClosedNotConfirmed || r.Reads() != "closed, not confirmed, 2 left until 3 June 2025" {
		t.Fatalf("%q %+v, %v", r.Reads(), r, err)
	}
	g.Clock.Advance(day)
	at := g.Clock.Now()
	fixed := []ward.Seen{seenOn(1, at, "12.5.0.1", ward.Fixed), seenOn(2, at, "12.5.0.1", ward.Fixed)}
	g.Imported("XZ1", append(fixed, seenOn(3, at, "12.5.0.0", ward.Affected), seenOn(4, at.Add(-3*day), "12.5.0.0", ward.Affected))...)
	g.Due()
	r = g.Response(a.ID, "XZ1")
	if r.State != ward.ClosedAnswer || r.Proof.Result != ward.Confirmed || r.ClosedAs != responses.ClosedConfirmed {
		t.Fatalf("what was left contradicts the rest: %+v", r)
	}
	o, err := g.Ledger.Overview(g.Ctx, ward.Everything())
	if err != nil || o.Alerts[0].Residual != 1 {
		t.Errorf("overview %+v, %v", o, err)
	}
	// One of the two is fixed in time, the other is not.
	until(t, g, end.Add(-time.Hour))
	at = g.Clock.Now()
	fixed = append(fixed, seenOn(3, at, "12.5.0.1", ward.Fixed))
	g.Imported("XZ1", append(fixed, seenOn(4, at, "12.5.0.0", ward.Affected))...)
	until(t, g, end)
	r = g.Response(a.ID, "XZ1")
	if r.State == ward.ClosedAnswer || len(r.Residual) != 0 || r.Proof.Result != ward.Contradicted {
		t.Fatalf("after the date: %+v", r)
	}
}

func TestWhatWasLeftIsFixedInTime(t *testing.T) {
	g := ground.New(t, "XZ1")
	for n := 1; n <= 2; n++ {
		s := seenOn(n, g.Clock.Now(), "12.5.0.0", ward.Affected)
		g.Exposed("XZ1", s.Asset, s.Name, "12.5.0.0", cve1)
	}
	a := g.Publish()
	g.Clock.Advance(day)
	end := g.Clock.Now().Add(5 * day)
	how := ward.Closing{Outcome: ward.OutcomeResidual, FixedAt: g.Clock.Now(), Residual: []ward.Residual{{Asset: 2, Name: "laptop-b", Reason: "away", Until: end}}}
	if _, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, how, ""); err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(day)
	g.Imported("XZ1", seenOn(1, g.Clock.Now(), "12.5.0.1", ward.Fixed), seenOn(2, g.Clock.Now(), "12.5.0.1", ward.Fixed))
	until(t, g, end)
	r := g.Response(a.ID, "XZ1")
	if r.State != ward.ClosedAnswer || r.Outcome != ward.OutcomeFixed || r.ClosedAs != responses.ClosedConfirmed || !r.Until.IsZero() {
		t.Errorf("%+v", r)
	}
	if told := inbox(t, g, "XZ1", "response.reopened"); len(told) != 0 {
		t.Errorf("told %q", told)
	}
}

func TestAHostedProduct(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ6")
	a := g.Publish()
	if _, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, ward.Closing{Outcome: ward.OutcomeHosted}, ""); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("hosted by nobody: %v", err)
	}
	r, err := g.Ledger.Say(g.Ctx, lead, a.ID, "XZ1", 1, responses.Answer{Applies: ward.AppliesHost, Host: "XZ6", Close: &ward.Closing{}, Words: "theirs"})
	if err != nil || r.Host != "XZ6" || r.Outcome != ward.OutcomeHosted || r.State != ward.ClosedAnswer || r.Words != "theirs" {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := g.Ledger.Say(g.Ctx, lead, a.ID, "XZ1", r.Version, responses.Answer{Applies: ward.AppliesHost, Host: "XZ1"}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("hosted by itself: %v", err)
	}
	for _, host := range []ward.OrgID{"NOSUCH", "=1+1", "XZ6\n"} {
		if _, err := g.Ledger.Say(g.Ctx, lead, a.ID, "XZ1", r.Version, responses.Answer{Applies: ward.AppliesHost, Host: host}); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("hosted by %q: %v", host, err)
		}
	}
}

func TestAnotherEstatesAssetIsNoResidual(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	g.Exposed("XZ1", 1, "phones-1", "12.5.0.0", cve1)
	g.Exposed("XZ2", 2, "phones-2", "12.5.0.0", cve1)
	a := g.Publish()
	how := func(asset ward.AssetID) ward.Closing {
		return ward.Closing{Outcome: ward.OutcomeResidual, FixedAt: g.Clock.Now(), Residual: []ward.Residual{{Asset: asset, Name: "phones-1", Reason: "away", Until: g.Clock.Now().Add(day)}}}
	}
	for _, asset := range []ward.AssetID{2, 99, -1} {
		if _, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, how(asset), ""); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("asset %d: %v", asset, err)
		}
	}
	if _, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, how(1), ""); err != nil {
		t.Errorf("its own: %v", err)
	}
}

func TestFoundEvidenceHoldsEveryOutcomeOpen(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	r, err := g.Ledger.Say(g.Ctx, lead, a.ID, "XZ1", 1, responses.Answer{Applies: ward.AppliesHost, Check: &responses.Signed{Result: ward.EvidenceFound, Coverage: "every log"}})
	if err != nil {
		t.Fatal(err)
	}
	soon := g.Clock.Now().Add(day)
	for _, how := range []ward.Closing{
		isolated(g, soon),
		{Outcome: ward.OutcomeAccepted, Acceptance: ward.Acceptance{Officer: "Sasha Holm", Reason: "replaced", Until: soon}},
		{Outcome: ward.OutcomeNotApplicable},
		{Outcome: ward.OutcomeHosted},
		{Outcome: ward.OutcomeFixed, FixedAt: g.Clock.Now()},
		{Outcome: ward.OutcomeResidual, FixedAt: g.Clock.Now(), Residual: []ward.Residual{{Name: "phones-1", Reason: "away", Until: soon}}},
	} {
		if _, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", r.Version, how, ""); !errors.Is(err, ward.ErrState) {
			t.Errorf("%s: %v", how.Outcome, err)
		}
	}
	// Once the desk has settled it, the answer closes as it likes.
	if r, err = g.Ledger.SettleCheck(g.Ctx, ground.Person("Noor", ward.Approver, ""), a.ID, "XZ1", r.Version, "rebuilt"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", r.Version, isolated(g, soon), ""); err != nil {
		t.Errorf("settled: %v", err)
	}
}

func TestOutcomesThatAreRefused(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	soon, never := g.Clock.Now().Add(day), time.Time{}
	control := isolated(g, soon).Control
	blank := func(change func(*ward.Control)) ward.Closing {
		k := control
		change(&k)
		return ward.Closing{Outcome: ward.OutcomeControlled, Control: k}
	}
	accept := func(officer, reason string, until time.Time) ward.Closing {
		return ward.Closing{Outcome: ward.OutcomeAccepted, Acceptance: ward.Acceptance{Officer: officer, Reason: reason, Until: until}}
	}
	left := func(name, reason string, until time.Time) ward.Closing {
		return ward.Closing{Outcome: ward.OutcomeResidual, FixedAt: g.Clock.Now(), Residual: []ward.Residual{{Name: name, Reason: reason, Until: until}}}
	}
	for _, row := range []struct {
		name, field string
		how         ward.Closing
	}{
		{"no such outcome", "outcome", ward.Closing{Outcome: "forgotten"}},
		{"no kind", "control.kind", blank(func(k *ward.Control) { k.Kind = "hope" })},
		{"no control", "control.what", blank(func(k *ward.Control) { k.What = " " })},
		{"no owner", "control.owner", blank(func(k *ward.Control) { k.Owner = "" })},
		{"no evidence", "control.evidence", blank(func(k *ward.Control) { k.Evidence = "\n" })},
		{"no review", "control.review", blank(func(k *ward.Control) { k.Review = never })},
		{"past review", "control.review", blank(func(k *ward.Control) { k.Review = g.Clock.Now() })},
		{"review in the far future", "control.review", blank(func(k *ward.Control) { k.Review = soon.Add(400 * day) })},
		{"control characters", "control.owner", blank(func(k *ward.Control) { k.Owner = "\x00" })},
		{"nobody accepts", "acceptance.officer", accept("", "x", soon)},
		{"no reason", "acceptance.reason", accept("x", "", soon)},
		{"for ever", "acceptance.until", accept("x", "x", never)},
		{"nothing left", "residual", ward.Closing{Outcome: ward.OutcomeResidual, FixedAt: g.Clock.Now()}},
		{"left without a name", "residual[0].name", left("", "x", soon)},
		{"left without a reason", "residual[0].reason", left("x", "", soon)},
		{"left without a date", "residual[0].until", left("x", "x", never)},
		{"the others not fixed", "fixed_at", ward.Closing{Outcome: ward.OutcomeResidual, Residual: left("x", "x", soon).Residual}},
		{"fixed since nobody knows when", "fixed_at", ward.Closing{Outcome: ward.OutcomeFixed}},
		{"fixed tomorrow", "fixed_at", ward.Closing{Outcome: ward.OutcomeFixed, FixedAt: soon}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := g.Ledger.CloseAs(g.Ctx, lead, a.ID, "XZ1", 1, row.how, "")
			var invalid *ward.Invalid
			if !errors.As(err, &invalid) || invalid.Field != row.field || invalid.Hint == "" {
				t.Errorf("%v", err)
			}
			if r := g.Response(a.ID, "XZ1"); r.Version != 1 || r.State != ward.Unanswered {
				t.Errorf("something was kept: %+v", r)
			}
		})
	}
}

func TestProgressSetsTheNextDate(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	next := g.Clock.Now().Add(5 * day)
	r, err := g.Ledger.Progress(g.Ctx, lead, a.ID, "XZ1", 1, ward.Progress{Affected: 40, Done: 12, Blocker: "change freeze", Help: "an engineer", NextDue: next}, "")
	if err != nil || r.Progress.Done != 12 || !r.NextDue.Equal(next) || r.Progress.By != "Lee" || r.State != ward.InProgress {
		t.Fatalf("%+v, %v", r, err)
	}
	if told := inbox(t, g, "", "response.help"); len(told) != 1 {
		t.Errorf("the desk was told %q", told)
	}
	for name, p := range map[string]ward.Progress{
		"more done than there are": {Affected: 1, Done: 2}, "less than none": {Affected: -1}, "a date that has passed": {NextDue: g.Clock.Now()},
		"a date too far away": {NextDue: g.Clock.Now().Add(30 * day)},
	} {
		if _, err := g.Ledger.Progress(g.Ctx, lead, a.ID, "XZ1", r.Version, p, ""); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
