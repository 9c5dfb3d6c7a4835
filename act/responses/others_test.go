package responses_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// relate registers that one organisation stands to another, from a time on.
func relate(g *ground.Ground, from ward.OrgID, kind ward.RelationKind, to ward.OrgID, since time.Time) {
	g.T.Helper()
	g.Row(`INSERT INTO relations (from_org, kind, to_org, since, until) VALUES ($1, $2, $3, $4, NULL)`, string(from), string(kind), string(to), since.UnixMicro())
}

var hostLead = ground.Person("Hal", ward.Lead, "XZ6")

// noneHere is what a host says for those that it runs things for.
var noneHere = responses.Answer{Acknowledge: true, Applies: ward.AppliesNot, Close: &ward.Closing{}, Words: "none of the systems that we run for you has it"}

func TestAnOperatorAnswersForThoseWhoDelegatedIt(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3", "XZ4", "XZ5", "XZ6")
	since := g.Clock.Now().Add(-day)
	relate(g, "XZ6", ward.Hosts, "XZ1", since)
	relate(g, "XZ6", ward.OperatesFor, "XZ1", since)
	relate(g, "XZ6", ward.GroupLead, "XZ2", since)
	relate(g, "XZ6", ward.OperatesFor, "XZ3", g.Clock.Now().Add(day)) // from tomorrow
	relate(g, "XZ6", ward.Supplier, "XZ4", since)                     // no reason to answer
	relate(g, "XZ6", ward.Hosts, "XZ5", since)                        // not asked
	a := g.Publish("XZ1", "XZ2", "XZ3", "XZ4", "XZ6")
	if orgs, err := g.Ledger.Delegates(g.Ctx, hostLead, a.ID); err != nil || fmt.Sprint(orgs) != "[XZ1 XZ2]" {
		t.Fatalf("delegates %v, %v", orgs, err)
	}
	for _, who := range []ward.Actor{ground.Person("M", ward.Member, "XZ6"), ground.Person("R", ward.Reader, "XZ6"), ground.Ann, {}, {Org: "XZ6", Role: ward.Lead}} {
		if orgs, err := g.Ledger.Delegates(g.Ctx, who, a.ID); err != nil || len(orgs) != 0 {
			t.Errorf("%+v may answer for %v, %v", who, orgs, err)
		}
	}
	both := []ward.OrgID{"XZ2", "XZ1", "XZ1", "XZ6"} // and for itself
	preview, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, both, noneHere, responses.Bulk{Preview: true})
	if err != nil || len(preview) != 3 || preview[0].Before != "not acknowledged" || preview[0].After != "not applicable" || preview[0].Version != 1 {
		t.Fatalf("preview %+v, %v", preview, err)
	}
	if r := g.Response(a.ID, "XZ1"); r.Version != 1 || r.State != ward.Unanswered {
		t.Fatalf("the preview was kept: %+v", r)
	}
	versions := map[ward.OrgID]int{}
	for _, p := range preview {
		versions[p.Org] = p.Version
	}
	done, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, both, noneHere, responses.Bulk{Versions: versions})
	if err != nil || len(done) != 3 || done[0].Version != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	r := g.Response(a.ID, "XZ1")
	if r.ClosedAs != responses.ClosedNotApplying || r.Spoke != "XZ6" || r.AcknowledgedBy != "Hal of XZ6" || r.UpdatedBy != "Hal" {
		t.Errorf("%+v", r)
	}
	if own := g.Response(a.ID, "XZ6"); own.Spoke != "" {
		t.Errorf("its own answer: %+v", own)
	}
	if told := inbox(t, g, "XZ1", "response.delegated"); len(told) != 1 {
		t.Errorf("told %q", told)
	}
	// The accountable organisation overrules, and from then on its own word stands.
	if r, err = g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", r.Version, ward.Applies, "we found one in a cupboard"); err != nil || r.Spoke != "" || r.State != ward.InProgress {
		t.Fatalf("%+v, %v", r, err)
	}
	if !strings.Contains(kinds(t, g, a, "XZ1"), responses.Overruled) {
		t.Error(kinds(t, g, a, "XZ1"))
	}
	results, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, []ward.OrgID{"XZ1", "XZ2"}, responses.Answer{Applies: ward.NotRunHere}, responses.Bulk{})
	if !errors.Is(err, ward.ErrState) || len(results) != 2 || !strings.Contains(results[0].Refused, "its own word stands") || results[1].Refused != "" {
		t.Errorf("%+v, %v", results, err)
	}
	if r := g.Response(a.ID, "XZ2"); r.Applicability != ward.AppliesNot || r.Version != 2 {
		t.Errorf("one was refused, and the other was kept: %+v", r)
	}
}

func TestWhoIsNotDelegatedIsNotFound(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ6")
	relate(g, "XZ6", ward.Hosts, "XZ1", g.Clock.Now().Add(-day))
	a := g.Publish()
	for name, orgs := range map[string][]ward.OrgID{"another": {"XZ2"}, "one of two": {"XZ1", "XZ2"}, "not in the register": {"XZ9"}} {
		for _, preview := range []bool{true, false} {
			results, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, orgs, noneHere, responses.Bulk{Preview: preview})
			if !errors.Is(err, ward.ErrNotFound) {
				t.Errorf("%s: %+v, %v", name, results, err)
			}
		}
	}
	if _, err := g.Ledger.Get(g.Ctx, hostLead.Scope, a.ID, "XZ1"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("a delegate reads the answer whole: %v", err)
	}
	if r := g.Response(a.ID, "XZ1"); r.Version != 1 {
		t.Errorf("%+v", r)
	}
	if _, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, nil, noneHere, responses.Bulk{}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, []ward.OrgID{"XZ1"}, responses.Answer{Words: "hm"}, responses.Bulk{}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("nothing: %v", err)
	}
}

func TestTheAccountableOrganisationDecidesWhoAnswersForIt(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ6")
	relate(g, "XZ6", ward.Hosts, "XZ1", g.Clock.Now().Add(-day))
	a := g.Publish()
	if err := g.Ledger.Delegate(g.Ctx, lead, "XZ1", "XZ2", true); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("somebody who is no relation: %v", err)
	}
	if err := g.Ledger.Delegate(g.Ctx, hostLead, "XZ1", "XZ6", true); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("the host decided: %v", err)
	}
	if err := g.Ledger.Delegate(g.Ctx, lead, "XZ1", "XZ6", false); err != nil {
		t.Fatal(err)
	}
	if all, err := g.Ledger.Delegations(g.Ctx, lead.Scope, "XZ1"); err != nil || len(all) != 1 || all[0].Allowed || all[0].Kind != ward.Hosts {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := g.Ledger.Delegations(g.Ctx, hostLead.Scope, "XZ1"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("another reads them: %v", err)
	}
	if orgs, err := g.Ledger.Delegates(g.Ctx, hostLead, a.ID); err != nil || len(orgs) != 0 {
		t.Errorf("still answers for %v, %v", orgs, err)
	}
	if err := g.Ledger.Delegate(g.Ctx, lead, "XZ1", "XZ6", true); err != nil {
		t.Fatal(err)
	}
	if states, err := g.Ledger.Delegated(g.Ctx, hostLead, a.ID); err != nil || len(states) != 1 || states[0].Org != "XZ1" || states[0].Reads != "not acknowledged" {
		t.Errorf("%+v, %v", states, err)
	}
}

func TestADelegateAndTheOrganisationAtOnce(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ6")
	for _, org := range []ward.OrgID{"XZ1", "XZ2"} {
		relate(g, "XZ6", ward.Hosts, org, g.Clock.Now().Add(-day))
	}
	a := g.Publish()
	preview, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, []ward.OrgID{"XZ1", "XZ2"}, noneHere, responses.Bulk{Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	versions := map[ward.OrgID]int{"XZ1": preview[0].Version, "XZ2": preview[1].Version}
	if _, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", 1); err != nil { // meanwhile
		t.Fatal(err)
	}
	results, err := g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, []ward.OrgID{"XZ1", "XZ2"}, noneHere, responses.Bulk{Versions: versions})
	if !errors.Is(err, ward.ErrState) || !strings.Contains(results[0].Refused, "changed") {
		t.Fatalf("%+v, %v", results, err)
	}
	var wg sync.WaitGroup
	var host, own error
	wg.Go(func() {
		_, host = g.Ledger.AnswerForMany(g.Ctx, hostLead, a.ID, []ward.OrgID{"XZ1", "XZ2"}, noneHere, responses.Bulk{})
	})
	wg.Go(func() {
		_, own = g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", 2, ward.Applies, "ours")
	})
	wg.Wait()
	r := g.Response(a.ID, "XZ1")
	switch {
	case host == nil && errors.Is(own, ward.ErrConflict):
		if r.Spoke != "XZ6" {
			t.Errorf("%+v", r)
		}
	case own == nil && errors.Is(host, ward.ErrState):
		if r.Words != "ours" || g.Response(a.ID, "XZ2").Version != 1 {
			t.Errorf("%+v", r)
		}
	default:
		t.Errorf("the host: %v; the organisation: %v", host, own)
	}
}

func TestAnAnswerByTelephone(t *testing.T) {
	g := ground.New(t, "XZ1")
	a := g.Publish()
	call := ward.PhoneCall{Speaker: "Pat Doe, site manager", Number: "01632 960123 ext 4"}
	said := responses.Answer{Acknowledge: true, Applies: ward.Applies, Words: "one server, being updated tonight"}
	for name, bad := range map[string]ward.PhoneCall{
		"nobody": {Number: call.Number}, "no number": {Speaker: "Pat"}, "words for a number": {Speaker: "Pat", Number: "the usual one"},
		"an order for a number": {Speaker: "Pat", Number: "=1+2+cmd"}, "tomorrow": {Speaker: "Pat", Number: "01632 960123", At: g.Clock.Now().Add(day)},
	} {
		if _, err := g.Ledger.ByTelephone(g.Ctx, ground.Ann, bad, a.ID, "XZ1", 1, said); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := g.Ledger.ByTelephone(g.Ctx, lead, call, a.ID, "XZ1", 1, said); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("recorded by the organisation itself: %v", err)
	}
	if _, err := g.Ledger.ByTelephone(g.Ctx, ground.Person("X", ward.Lead, "XZ2"), call, a.ID, "XZ1", 1, said); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("recorded by another: %v", err)
	}
	r, err := g.Ledger.ByTelephone(g.Ctx, ground.Ann, call, a.ID, "XZ1", 1, said)
	if err != nil || r.Call.Speaker != call.Speaker || r.Call.By != "Ann" || !r.Call.At.Equal(g.Clock.Now()) || r.AcknowledgedBy != "Ann by telephone" {
		t.Fatalf("%+v, %v", r, err)
	}
	history, err := g.Ledger.History(g.Ctx, lead.Scope, a.ID, "XZ1")
	if err != nil || history[0].Kind != responses.Telephoned || !strings.Contains(history[0].Words, "01632 960123") || !strings.Contains(history[0].Words, "Pat Doe") {
		t.Errorf("history %+v, %v", history, err)
	}
	if told := inbox(t, g, "XZ1", "response.recorded"); len(told) != 1 {
		t.Errorf("told %q", told)
	}
	for _, n := range inbox(t, g, "XZ1", "response.recorded") {
		if strings.Contains(n, "Pat") || strings.Contains(n, "01632") {
			t.Errorf("a notice names the speaker: %q", n)
		}
	}
	r, err = g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", r.Version, ward.AppliesPart, "two, in fact")
	if err != nil || r.Call != (ward.PhoneCall{}) || !strings.HasSuffix(kinds(t, g, a, "XZ1"), "applicability overruled") {
		t.Errorf("overruled: %+v, %v, %s", r, err, kinds(t, g, a, "XZ1"))
	}
}

func TestOpenAnswersFollowAMerger(t *testing.T) {
	for _, row := range []struct {
		name         string
		operational  time.Duration // from publication
		legal        time.Duration
		asked        bool // the successor was asked itself
		followsAfter time.Duration
	}{
		{"operational first", 5 * day, 20 * day, false, 20 * day},
		{"legal first", 20 * day, 5 * day, false, 20 * day},
		{"a successor that was asked too", 5 * day, 5 * day, true, 5 * day},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := ground.New(t, "XZ1", "XZ9")
			g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
			start := g.Clock.Now()
			relate(g, "XZ9", ward.Successor, "XZ1", start.Add(row.operational))
			orgs := []ward.OrgID{"XZ1"}
			if row.asked {
				orgs = append(orgs, "XZ9")
			}
			a := g.Publish(orgs...)
			r, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", 1, ward.Applies, "we have one")
			if err != nil {
				t.Fatal(err)
			}
			successor := ground.Person("Noor", ward.Lead, "XZ9")
			if row.asked {
				if _, err := g.Ledger.Say(g.Ctx, successor, a.ID, "XZ9", 1, responses.Answer{Applies: ward.NotRunHere, Close: &ward.Closing{}}); err != nil {
					t.Fatal(err)
				}
			}
			g.Row(`UPDATE organisations SET closed = $1 WHERE id = 'XZ1'`, start.Add(row.legal).UnixMicro())
			until(t, g, start.Add(row.followsAfter-time.Hour))
			if r := g.Response(a.ID, "XZ1"); r.MovedTo != "" {
				t.Fatalf("moved too soon: %+v", r)
			}
			until(t, g, start.Add(row.followsAfter+time.Hour))
			old := g.Response(a.ID, "XZ1")
			if old.MovedTo != "XZ9" || old.State != ward.ClosedAnswer || old.Reads() != "taken over by XZ9" {
				t.Fatalf("the old answer: %q %+v", old.Reads(), old)
			}
			now := g.Response(a.ID, "XZ9")
			if len(now.From) != 1 || now.From[0] != "XZ1" || now.State != ward.InProgress {
				t.Fatalf("the successor's: %+v", now)
			}
			if !row.asked && (now.Words != "we have one" || now.Applicability != ward.Applies) {
				t.Errorf("what was said: %+v", now)
			}
			if history := kinds(t, g, a, "XZ9"); !strings.Contains(history, "acknowledged applicability") || !strings.Contains(history, responses.Moved) {
				t.Errorf("history %q", history)
			}
			if told := inbox(t, g, "XZ9", "response.inherited"); len(told) != 1 {
				t.Errorf("told %q", told)
			}
			if _, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", old.Version, ward.AppliesNot, ""); !errors.Is(err, ward.ErrState) {
				t.Errorf("the old organisation still answers: %v", err)
			}
			// The proof looks at what both have.
			g.Words.Show("XZ1", sight(g.Clock.Now().Add(2*time.Hour), "12.5.0.0", ward.Affected, ward.ByVersion))
			if _, err := g.Ledger.Claim(g.Ctx, successor, a.ID, "XZ9", now.Version, time.Time{}, ""); err != nil {
				t.Fatal(err)
			}
			g.Clock.Advance(3 * time.Hour)
			g.Imported("XZ9")
			g.Due()
			if r := g.Response(a.ID, "XZ9"); r.Proof.Result != ward.Contradicted {
				t.Errorf("proof %+v", r.Proof)
			}
			o, err := g.Ledger.Overview(g.Ctx, ward.Everything())
			if err != nil || o.Alerts[0].Asked != 1 {
				t.Errorf("counted %+v, %v", o, err)
			}
			_ = r
		})
	}
}

func TestACareBoardSeesStatesAndClocksOnly(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ3", "XB1")
	relate(g, "XB1", ward.CareBoard, "XZ1", g.Clock.Now().Add(-day))
	relate(g, "XB1", ward.CareBoard, "XZ2", g.Clock.Now().Add(day))
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	a := g.Publish()
	if _, err := g.Ledger.Answer(g.Ctx, lead, a.ID, "XZ1", 1, ward.Applies, "secret words about mdm1"); err != nil {
		t.Fatal(err)
	}
	board := ground.Person("Bo", ward.Reader, "XB1")
	states, err := g.Ledger.States(g.Ctx, board, "XB1")
	if err != nil || len(states) != 1 || states[0].Org != "XZ1" || states[0].Reads != "in progress" || states[0].NextDue.IsZero() {
		t.Fatalf("%+v, %v", states, err)
	}
	if !states[0].Exercise {
		t.Error("nothing says that it is an exercise")
	}
	if text := fmt.Sprintf("%+v", states); strings.Contains(text, "secret") || strings.Contains(text, "mdm1") {
		t.Errorf("it sees %s", text)
	}
	if all, err := g.Ledger.ForAlert(g.Ctx, board.Scope, a.ID); err != nil || len(all) != 1 || all[0].Org != "XB1" {
		t.Errorf("answers %+v, %v", all, err)
	}
	if _, err := g.Ledger.States(g.Ctx, lead, "XB1"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("a member reads its board's view: %v", err)
	}
	if _, err := g.Ledger.States(g.Ctx, ward.Actor{}, "XB1"); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	g.Clock.Advance(5 * day)
	if states, err = g.Ledger.States(g.Ctx, ground.Ann, "XB1"); err != nil || len(states) != 2 || !states[0].Overdue {
		t.Errorf("later, for the watch: %+v, %v", states, err)
	}
}

func TestAnEvidencePack(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	a := g.Publish()
	g.Clock.Advance(3 * time.Hour)
	if _, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", 1); err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(7 * time.Hour)
	claimed(t, g, a, "XZ1")
	g.Clock.Advance(14 * time.Hour)
	showsFixed(g, "XZ1")
	p, err := g.Ledger.Pack(g.Ctx, lead.Scope, a.ID, "XZ1")
	if err != nil {
		t.Fatal(err)
	}
	want := func(name string, got responses.Took, hours int) {
		t.Helper()
		if !got.Came || got.Elapsed != time.Duration(hours)*time.Hour {
			t.Errorf("%s: %s, want %d h", name, got, hours)
		}
	}
	want("to acknowledge", p.ToAcknowledge, 3)
	want("to remediate", p.ToRemediate, 10)
	want("to confirm", p.ToConfirm, 24)
	if p.Response.Proof.Result != ward.Confirmed || len(p.Cited) != 1 || len(p.History) != 4 || len(p.Definitions) == 0 || p.Organisation.ID != "XZ1" || len(p.Versions) == 0 {
		t.Errorf("%+v", p)
	}
	header, rows := p.Table()
	parts := map[string]int{}
	for _, row := range rows {
		if len(row) != len(header) {
			t.Errorf("%d cells under %d headings: %q", len(row), len(header), row)
		}
		parts[row[0]]++
	}
	for _, part := range []string{"asked", "stands", "history", "cited at publication", "seen", "time to acknowledge", "definition"} {
		if parts[part] == 0 {
			t.Errorf("the table says nothing about %q", part)
		}
	}
	for name, scope := range map[string]ward.Scope{"another": ward.Only("XZ2"), "nobody": {}} {
		if _, err := g.Ledger.Pack(g.Ctx, scope, a.ID, "XZ1"); !errors.Is(err, ward.ErrNotFound) {
			t.Errorf("%s reads it: %v", name, err)
		}
	}
	open, err := g.Ledger.Pack(g.Ctx, ward.Everything(), a.ID, "XZ2")
	if err != nil || open.ToAcknowledge.Came || open.ToAcknowledge.String() != "not yet, after 24 h 0 min (asked within 48 h)" {
		t.Errorf("%s, %v", open.ToAcknowledge, err)
	}
}

func TestListsOfOthersAreEmpty(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	draft := ground.Alert()
	draft.CheckRequired = true
	a := g.PublishDraft(draft)
	review := g.Clock.Now().Add(day)
	b := g.Publish("XZ1")
	if _, err := g.Ledger.CloseAs(g.Ctx, lead, b.ID, "XZ1", 1, isolated(g, review), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ledger.SignCheck(g.Ctx, lead, a.ID, "XZ1", 1, responses.Signed{Result: ward.CannotDetermine, Coverage: "x"}, ""); err != nil {
		t.Fatal(err)
	}
	lists := map[string]func(ward.Scope) (int, error){
		"controlled":   func(s ward.Scope) (int, error) { all, err := g.Ledger.Controlled(g.Ctx, s); return len(all), err },
		"undetermined": func(s ward.Scope) (int, error) { all, err := g.Ledger.Undetermined(g.Ctx, s); return len(all), err },
	}
	for name, count := range lists {
		for _, row := range []struct {
			scope ward.Scope
			want  int
		}{{lead.Scope, 1}, {ward.Everything(), 1}, {ward.Only("XZ2"), 0}, {ward.Scope{}, 0}} {
			if n, err := count(row.scope); err != nil || n != row.want {
				t.Errorf("%s: %d, %v, want %d", name, n, err, row.want)
			}
		}
	}
}

func TestAChainOfMergersEndsWhereSomebodyWorks(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2", "XZ9", "XY1", "XY2")
	since := g.Clock.Now().Add(-day)
	relate(g, "XZ2", ward.Successor, "XZ1", since)
	relate(g, "XZ9", ward.Successor, "XZ2", since)
	relate(g, "XY1", ward.Successor, "XY2", since) // a mistake in the register: each succeeds the other
	relate(g, "XY2", ward.Successor, "XY1", since)
	a := g.Publish("XZ1", "XY1", "XY2")
	for _, org := range []string{"XZ1", "XZ2", "XY1", "XY2"} {
		g.Row(`UPDATE organisations SET closed = $1 WHERE id = $2`, g.Clock.Now().UnixMicro(), org)
	}
	for range 3 {
		g.Due()
	}
	if r := g.Response(a.ID, "XZ9"); len(r.From) != 1 || r.From[0] != "XZ1" || r.State != ward.Unanswered || r.RespondBy.IsZero() {
		t.Errorf("%+v", r)
	}
	for _, org := range []ward.OrgID{"XY1", "XY2"} {
		if r := g.Response(a.ID, org); r.MovedTo != "" || r.Version != 1 {
			t.Errorf("%s: %+v", org, r)
		}
	}
}

func TestAClosedAnswerThatEvidenceContradictsIsNotRestored(t *testing.T) {
	g := ground.New(t, "XZ1")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1)
	a := g.Publish()
	r := claimed(t, g, a, "XZ1")
	if _, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, ""); err != nil {
		t.Fatal(err)
	}
	g.Clock.Advance(time.Hour)
	g.Update(func(tx ground.Tx) error { return g.Ledger.Reopen(g.Ctx, tx, a) })
	g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
	g.Due()
	r, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", g.Response(a.ID, "XZ1").Version)
	if err != nil || r.State != ward.Remediated || r.Proof.Result != ward.Contradicted || r.NextDue.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
}
