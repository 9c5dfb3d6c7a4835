package duty_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/duty"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// room is a watch room with its desks. Nan answers for XZ1, and Mel works for her.
type room struct {
	*ground.Ground
	*duty.Desk
	feeds []ward.Feed
}

var (
	nan    = ground.Person("Nan", ward.Lead, "XZ1")
	mel    = ground.Person("Mel", ward.Member, "XZ1")
	reader = ground.Person("Rae", ward.Reader, "XZ1")
	other  = ground.Person("Oli", ward.Lead, "XZ2")
	admin  = ward.Actor{Person: "Adi", Name: "Adi", Role: ward.Admin}
)

func (r *room) List(context.Context) ([]ward.Feed, error) { return r.feeds, nil }

func open(t testing.TB, orgs ...ward.OrgID) *room {
	t.Helper()
	if orgs == nil {
		orgs = []ward.OrgID{"XZ1", "XZ2", "XZ3"}
	}
	r := &room{Ground: ground.New(t, orgs...)}
	r.Desk = duty.New(r.Store, r.Clock, duty.FromFeeds(r), duty.FromBoard(r.Board), r.Ledger)
	return r
}

func (r *room) must(err error) {
	r.T.Helper()
	if err != nil {
		r.T.Fatal(err)
	}
}

// waits are the IDs of what waits for somebody, in order.
func (r *room) waits(who ward.Actor, q duty.Query) string {
	r.T.Helper()
	page, err := r.Items(r.Ctx, who, q)
	r.must(err)
	return ids(page.Items)
}

func ids(items []ward.Item) string {
	var all []string
	for _, i := range items {
		all = append(all, string(i.ID))
	}
	return strings.Join(all, " ")
}

// held writes an import that waits for a person.
func (r *room) held(org ward.OrgID, id int) {
	r.Row(`INSERT INTO sources (id, org, name, format, grade, classes, observed_at, assets) VALUES ($1, $2, 'register', 'csv', 'tool export', '[]', 0, 9)
		ON CONFLICT DO NOTHING`, 70+id, string(org))
	r.Row(`INSERT INTO imports (id, source, digest, observed_at, received_at, by_name, state, row_count, rejected, problems, assets, added, gone, assets_lost, delivery)
		SELECT $1, id, '', 0, $2, 'Nan', 'held', 1, 0, '[]', 1, 0, 0, 7, '{}' FROM sources WHERE org = $3`, id, r.Clock.Now().UnixMicro(), string(org))
}

func (r *room) declared(id string, org ward.OrgID, at time.Time) {
	r.Row(`INSERT INTO declarations (id, org, vendor, product, product_key, answer, version, asset, class, reachable, host, words, by_person, by_name, at, expires)
		VALUES ($1, $2, 'Ivanti', 'EPMM', 'epmm', 'no', '', '', '', 0, '', '', 'Nan', 'Nan', $3, $4)`, id, string(org), at.UnixMicro(), at.Add(ward.DeclaredFor).UnixMicro())
}

// TestWhatWaits has one of everything, and each desk sees its own.
func TestWhatWaits(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	r.declared("old", "XZ1", r.Clock.Now().Add(-ward.DeclaredFor).Add(24*time.Hour))
	r.declared("again", "XZ2", r.Clock.Now().Add(-ward.DeclaredFor).Add(24*time.Hour))
	r.declared("newer", "XZ2", r.Clock.Now())
	r.feeds = []ward.Feed{{Name: "kev", Stale: true, Succeeded: ground.Day0.Add(-72 * time.Hour), Error: "connection refused"}, {Name: "epss", Succeeded: ground.Day0}}
	for i, org := range []ward.OrgID{"XZ1", "XZ2"} {
		r.Exposed(org, ward.AssetID(i+1), "mdm", fmt.Sprintf("12.5.0.%d", -i), "CVE-2025-4427")
	}
	r.Row(`INSERT INTO vulnerabilities (id, title, published, exploited_since, ssvc, cvss, rejected, words, body)
		VALUES ('CVE-2025-4427', '', 0, 1, '', 9, 0, 'cve-2025-4427 bypass', '{"ID":"CVE-2025-4427"}')`)
	r.Folded("XZ1", "XZ2")
	fix, _, _ := strings.Cut(r.waits(ground.Ann, duty.Query{Kind: ward.ItemFinding}), " ")
	if !strings.HasPrefix(fix, "finding:") {
		t.Fatalf("no update waits: %q", fix)
	}
	page, err := r.Items(r.Ctx, ground.Ann, duty.Query{Kind: ward.ItemFinding})
	r.must(err)
	if i := page.Items[0]; !i.Urgent || i.Finding == "" || !strings.Contains(i.Reason, "no alert in force asks for it") || !strings.Contains(i.Title, "Endpoint Manager Mobile") {
		t.Errorf("%+v", i)
	}
	for _, row := range []struct {
		who  ward.Actor
		want string
	}{
		{ground.Ann, fix + " held:1 feed:kev declaration:old"},
		{nan, fix + " held:1 declaration:old"},
		{reader, fix + " held:1 declaration:old"},
		{ground.Person("Zed", ward.Lead, "XZ3"), ""},
	} {
		if got := r.waits(row.who, duty.Query{}); !strings.HasPrefix(got, row.want) || (row.who.Org == "XZ3") != (got == "") {
			t.Errorf("%s: %s, want %s", row.who.Name, got, row.want)
		}
	}
	alert := r.Publish("XZ1", "XZ2")
	if got := r.waits(ground.Ann, duty.Query{Kind: ward.ItemFinding}); got != "" {
		t.Errorf("an alert asks for the update: %s", got)
	}
	r.Clock.Set(r.Clock.Now().Add(49 * time.Hour))
	late := "overdue:" + string(alert.ID) + ":XZ1"
	if got := r.waits(nan, duty.Query{Kind: ward.ItemOverdue}); got != late {
		t.Errorf("late: %s", got)
	}
	item, err := r.Item(r.Ctx, ground.Ann, ward.ItemID(late))
	if err != nil || !item.Since.Equal(item.Due) || !strings.HasPrefix(item.Title, "EXERCISE") || item.Urgent || item.Link != "/alerts/"+string(alert.ID)+"/answers/XZ1" {
		t.Errorf("%+v, %v", item, err)
	}
	if _, err := r.Item(r.Ctx, other, ward.ItemID(late)); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("another organisation reads it: %v", err)
	}
}

func TestContradictedAndDisputed(t *testing.T) {
	r := open(t)
	alert := r.Publish()
	affected := ward.Seen{Asset: 1, Name: "mdm-1", Version: "12.5.0.0", Status: ward.Affected, Basis: ward.ByVersion, Source: "register", Grade: ward.ToolExport}
	affected.ObservedAt = r.Clock.Now()
	r.Words.Show("XZ2", affected)
	for _, who := range []ward.Actor{nan, other} {
		a, err := r.Ledger.Acknowledge(r.Ctx, who, alert.ID, who.Org, 1)
		r.must(err)
		if who.Org == "XZ2" {
			_, err = r.Ledger.Dispute(r.Ctx, who, alert.ID, who.Org, a.Version, "we run a fork")
		} else {
			_, err = r.Ledger.Claim(r.Ctx, who, alert.ID, who.Org, a.Version, r.Clock.Now(), "updated")
		}
		r.must(err)
	}
	r.Clock.Set(r.Clock.Now().Add(time.Hour))
	affected.ObservedAt = r.Clock.Now()
	r.Imported("XZ1", affected)
	r.Ground.Due()
	contradicted, disputed := "contradicted:"+string(alert.ID)+":XZ1", "disputed:"+string(alert.ID)+":XZ2"
	if got := r.waits(ground.Ann, duty.Query{}); got != contradicted+" "+disputed {
		t.Fatalf("%s", got)
	}
	if got := r.waits(nan, duty.Query{}); got != contradicted {
		t.Errorf("%s", got)
	}
	if got := r.waits(other, duty.Query{}); got != "" {
		t.Errorf("a dispute is for the national desk: %s", got)
	}
	// What was done stays done until there is newer evidence.
	r.Clock.Set(r.Clock.Now().Add(time.Hour))
	_, err := r.Done(r.Ctx, ground.Ann, ward.ItemID(contradicted), "rang the hospital")
	r.must(err)
	if got := r.waits(ground.Ann, duty.Query{}); got != disputed {
		t.Errorf("%s", got)
	}
	if got := r.waits(nan, duty.Query{}); got != contradicted {
		t.Errorf("one desk decides nothing for another: %s", got)
	}
	if got := r.waits(ground.Ann, duty.Query{Aside: true}); got != contradicted {
		t.Errorf("set aside: %s", got)
	}
	r.Clock.Set(r.Clock.Now().Add(time.Hour))
	affected.ObservedAt = r.Clock.Now()
	r.Imported("XZ1", affected)
	r.Ground.Due()
	if got := r.waits(ground.Ann, duty.Query{}); got != contradicted+" "+disputed {
		t.Errorf("newer evidence: %s", got)
	}
}

func TestOnePersonHasIt(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	const id = ward.ItemID("held:1")
	item, err := r.Take(r.Ctx, ground.Ann, id)
	if err != nil || item.Owner != "Ann" || !item.Taken.Equal(r.Clock.Now()) {
		t.Fatalf("%+v, %v", item, err)
	}
	var conflict *ward.Conflict
	if _, err := r.Take(r.Ctx, ground.Bea, id); !errors.As(err, &conflict) || conflict.By != "Ann" {
		t.Errorf("a second: %v", err)
	}
	if _, err := r.Take(r.Ctx, ground.Ann, id); err != nil {
		t.Errorf("again: %v", err)
	}
	if item, err := r.Take(r.Ctx, nan, id); err != nil || item.Owner != "Nan" {
		t.Errorf("the hospital has a desk of its own: %+v, %v", item, err)
	}
	for _, row := range []struct {
		name string
		do   func() (ward.Item, error)
		want error
	}{
		{"release what another has", func() (ward.Item, error) { return r.Release(r.Ctx, ground.Bea, id, "") }, ward.ErrConflict},
		{"finish what another has", func() (ward.Item, error) { return r.Done(r.Ctx, ground.Bea, id, "done") }, ward.ErrConflict},
		{"set aside what another has", func() (ward.Item, error) { return r.Snooze(r.Ctx, mel, id, r.Clock.Now().Add(time.Hour), "") }, ward.ErrConflict},
		{"take over without a word", func() (ward.Item, error) { return r.TakeOver(r.Ctx, ground.Bea, id, " ") }, ward.ErrInvalid},
		{"finish without a word", func() (ward.Item, error) { return r.Done(r.Ctx, ground.Ann, id, "") }, ward.ErrInvalid},
		{"until yesterday", func() (ward.Item, error) { return r.Snooze(r.Ctx, ground.Ann, id, r.Clock.Now().Add(-time.Hour), "") }, ward.ErrInvalid},
		{"until next year", func() (ward.Item, error) { return r.Snooze(r.Ctx, ground.Ann, id, r.Clock.Now().AddDate(1, 0, 0), "") }, ward.ErrInvalid},
		{"what does not wait", func() (ward.Item, error) { return r.Take(r.Ctx, ground.Ann, "held:2") }, ward.ErrNotFound},
		{"a reader", func() (ward.Item, error) { return r.Take(r.Ctx, reader, id) }, ward.ErrForbidden},
		{"an administrator", func() (ward.Item, error) { return r.Take(r.Ctx, admin, id) }, ward.ErrForbidden},
		{"a command", func() (ward.Item, error) { return r.Take(r.Ctx, ward.System("command line"), id) }, ward.ErrForbidden},
		{"nobody", func() (ward.Item, error) { return r.Take(r.Ctx, ward.Actor{}, id) }, ward.ErrForbidden},
		{"another organisation", func() (ward.Item, error) { return r.Take(r.Ctx, other, id) }, ward.ErrNotFound},
		{"an organisation outside its scope", func() (ward.Item, error) {
			return r.Take(r.Ctx, ward.Actor{Person: "x", Org: "XZ1", Role: ward.Lead, Scope: ward.Only("XZ2")}, id)
		}, ward.ErrForbidden},
		{"a national role with a hospital's scope", func() (ward.Item, error) {
			return r.Take(r.Ctx, ward.Actor{Person: "x", Role: ward.Analyst, Scope: ward.Only("XZ1")}, id)
		}, ward.ErrForbidden},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := row.do(); !errors.Is(err, row.want) {
				t.Errorf("%v", err)
			}
		})
	}
	if item, err := r.TakeOver(r.Ctx, ground.Bea, id, "Ann went home"); err != nil || item.Owner != "Bea" {
		t.Errorf("%+v, %v", item, err)
	}
	if item, err := r.Release(r.Ctx, ground.Bea, id, "to the day shift"); err != nil || item.Owner != "" {
		t.Errorf("%+v, %v", item, err)
	}
	if _, err := r.Release(r.Ctx, ground.Bea, id, ""); !errors.Is(err, ward.ErrState) {
		t.Errorf("twice: %v", err)
	}
	if item, err := r.Item(r.Ctx, nan, id); err != nil || item.Owner != "Nan" {
		t.Errorf("what the hospital has stays: %+v, %v", item, err)
	}
}

func TestSetAsideUntilMonday(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	r.held("XZ1", 2)
	_, err := r.Take(r.Ctx, nan, "held:1")
	r.must(err)
	monday := r.Clock.Now().Add(60 * time.Hour)
	_, err = r.Snooze(r.Ctx, nan, "held:1", monday, "the supplier is closed")
	r.must(err)
	if got := r.waits(mel, duty.Query{}); got != "held:2" {
		t.Errorf("%s", got)
	}
	desk, err := r.Items(r.Ctx, nan, duty.Query{Mine: true})
	if counts := desk.Counts; err != nil || desk.Matching != 0 || counts.All != 1 || counts.Aside != 1 || counts.Mine != 0 || counts.Unowned != 1 || counts.Kinds[ward.ItemHeld] != 1 {
		t.Errorf("%+v, %v", desk, err)
	}
	r.Clock.Set(monday.Add(-time.Second))
	if got := r.waits(nan, duty.Query{}); got != "held:2" {
		t.Errorf("%s", got)
	}
	r.Clock.Set(monday)
	if got := r.waits(nan, duty.Query{Mine: true}); got != "held:1" {
		t.Errorf("it comes back to who has it: %s", got)
	}
	_, err = r.Done(r.Ctx, nan, "held:1", "left for the audit")
	r.must(err)
	if item, err := r.Wake(r.Ctx, mel, "held:1"); err != nil || !item.Aside.IsZero() {
		t.Errorf("%+v, %v", item, err)
	}
	if got := r.waits(nan, duty.Query{}); got != "held:1 held:2" {
		t.Errorf("%s", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	orgs := make([]ward.OrgID, 40)
	for i := range orgs {
		orgs[i] = ward.OrgID(fmt.Sprintf("XZ%02d", i))
	}
	r := open(t, orgs...)
	alert := r.Publish()
	r.Clock.Set(r.Clock.Now().Add(50 * time.Hour))
	mine := ward.ItemID("overdue:" + string(alert.ID) + ":XZ07")
	_, err := r.Take(r.Ctx, ground.Bea, mine)
	r.must(err)
	done, err := r.TakeAll(r.Ctx, ground.Ann, duty.Query{Kind: ward.ItemOverdue, IDs: nil})
	if err != nil || done.Changed != 39 || len(done.Left) != 1 || done.Left[0] != (duty.Left{Item: mine, Why: "Bea has it"}) {
		t.Fatalf("%+v, %v", done, err)
	}
	if again, err := r.TakeAll(r.Ctx, ground.Ann, duty.Query{Kind: ward.ItemOverdue}); err != nil || again.Changed != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	// The list is read page by page, and nothing is missed or read twice.
	var seen []ward.ItemID
	query := duty.Query{Limit: 7}
	for {
		page, err := r.Items(r.Ctx, ground.Ann, query)
		if r.must(err); page.Matching != 40 || page.Counts.All != 40 {
			t.Errorf("%d of %d match", page.Matching, page.Counts.All)
		}
		for _, i := range page.Items {
			seen = append(seen, i.ID)
		}
		if query.After = page.Next; query.After == "" {
			break
		}
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 40 {
		t.Errorf("%d items by page", len(seen))
	}
	some := duty.Query{IDs: []ward.ItemID{mine, "overdue:" + ward.ItemID(alert.ID) + ":XZ01", "overdue:nothing"}}
	done, err = r.ReleaseAll(r.Ctx, ground.Ann, some)
	if err != nil || done.Changed != 1 || len(done.Left) != 1 || done.Left[0].Item != "overdue:nothing" {
		t.Errorf("%+v, %v", done, err)
	}
	if done, err := r.ReleaseAll(r.Ctx, ground.Ann, duty.Query{}); err != nil || done.Changed != 38 {
		t.Errorf("%+v, %v", done, err)
	}
	entries, err := r.Log(r.Ctx, ground.Ann, duty.LogQuery{})
	r.must(err)
	taken := 0
	for _, e := range entries {
		if e.Kind == "duty.take" {
			taken++
		}
	}
	if taken != 2 {
		t.Errorf("%d lines for two decisions: %+v", taken, entries)
	}
	if _, err := r.TakeAll(r.Ctx, reader, duty.Query{}); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("a reader: %v", err)
	}
}

func TestListsAreNarrowed(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	r.held("XZ2", 2)
	r.feeds = []ward.Feed{{Name: "kev", Stale: true, Attempted: ground.Day0}}
	_, err := r.Take(r.Ctx, ground.Ann, "feed:kev")
	r.must(err)
	for _, row := range []struct {
		query duty.Query
		want  string
	}{
		{duty.Query{}, "held:1 held:2 feed:kev"},
		{duty.Query{Kind: ward.ItemHeld}, "held:1 held:2"},
		{duty.Query{Org: "XZ2"}, "held:2"},
		{duty.Query{Text: "REGISTER xz1"}, "held:1"},
		{duty.Query{Text: "register kev"}, ""},
		{duty.Query{Mine: true}, "feed:kev"},
		{duty.Query{Unowned: true}, "held:1 held:2"},
		{duty.Query{Urgent: true}, ""},
		{duty.Query{Alert: "CC-1"}, ""},
		{duty.Query{Aside: true}, ""},
	} {
		if got := r.waits(ground.Ann, row.query); got != row.want {
			t.Errorf("%+v: %s, want %s", row.query, got, row.want)
		}
	}
	if _, err := r.Items(r.Ctx, ground.Ann, duty.Query{After: "%"}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

// TestWhatIsOverIsForgotten: a matter that ends takes with it that somebody had it, and the log says so.
func TestWhatIsOverIsForgotten(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	r.held("XZ1", 2)
	for _, id := range []ward.ItemID{"held:1", "held:2"} {
		_, err := r.Take(r.Ctx, nan, id)
		r.must(err)
	}
	sweep := func() {
		t.Helper()
		_, err := r.Desk.Due(r.Ctx, r.Clock.Now())
		r.must(err)
	}
	r.Row(`UPDATE imports SET state = 'discarded' WHERE id = 1`)
	sweep()
	r.held("XZ1", 3)
	r.Row(`UPDATE imports SET state = 'held' WHERE id = 1`)
	if got := r.waits(nan, duty.Query{Mine: true}); got != "held:2" {
		t.Errorf("%s", got)
	}
	entries, err := r.Log(r.Ctx, mel, duty.LogQuery{})
	r.must(err)
	if e := entries[0]; e.Kind != "duty.over" || !strings.Contains(e.Words, "Nan had it") {
		t.Errorf("%+v", e)
	}
	r.Row(`UPDATE imports SET state = 'discarded' WHERE id = 2`)
	r.Clock.Set(r.Clock.Now().Add(time.Minute))
	sweep() // not yet
	r.Row(`UPDATE imports SET state = 'held' WHERE id = 2`)
	if got := r.waits(nan, duty.Query{Mine: true}); got != "held:2" {
		t.Errorf("swept too soon: %s", got)
	}
}

func TestSourcesThatErrAreTold(t *testing.T) {
	r := open(t)
	broken := errors.New("the line is cut")
	desk := duty.New(r.Store, r.Clock, duty.SourceFunc(func(context.Context, ward.Scope) ([]ward.Item, error) { return nil, broken }))
	if _, err := desk.Items(r.Ctx, ground.Ann, duty.Query{}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, err := desk.Handover(r.Ctx, ground.Ann, time.Time{}, 0); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// changed writes an answer as the ledger would leave it.
func (r *room) changed(alert ward.AlertID, org ward.OrgID, change func(*ward.Response)) {
	r.T.Helper()
	r.must(r.Store.Update(r.Ctx, func(tx *store.Tx) error {
		answer, err := tx.Response(r.Ctx, ward.Everything(), alert, org)
		if err != nil {
			return err
		}
		change(&answer)
		return tx.RefreshResponse(r.Ctx, answer)
	}))
}

// TestChecksAndRecurrences: what the national desk settles waits there alone, and what an organisation signs with it alone.
func TestChecksAndRecurrences(t *testing.T) {
	r := open(t)
	alert := r.Publish()
	at := r.Clock.Now()
	r.changed(alert.ID, "XZ1", func(a *ward.Response) {
		a.ClaimedFixedAt, a.Check = at, ward.Check{Required: true, Why: "it was reachable while exploited"}
	})
	r.changed(alert.ID, "XZ2", func(a *ward.Response) {
		a.Check = ward.Check{Required: true, Result: ward.CannotDetermine, Coverage: "logs from 20 May only", At: at}
	})
	r.changed(alert.ID, "XZ3", func(a *ward.Response) {
		a.Proof = ward.Proof{Result: ward.Contradicted, Why: "12.5.0.0 on 1 asset", ObservedAt: at}
		a.Recurrence = ward.Recurrence{Since: at, Ends: at.Add(48 * time.Hour), Assets: []string{"mdm"}, Of: 40}
	})
	id := func(kind ward.ItemKind, org string) string { return fmt.Sprintf("%s:%s:%s", kind, alert.ID, org) }
	for _, row := range []struct {
		who    ward.Actor
		want   string
		reason string
	}{
		{ground.Ann, id(ward.ItemUnchecked, "XZ2") + " " + id(ward.ItemRecurrence, "XZ3"), "XZ2 cannot determine whether it was compromised: logs from 20 May only"},
		{nan, id(ward.ItemUnchecked, "XZ1"), "patched, not yet checked: it was reachable while exploited"},
		{other, "", ""},
		{ground.Person("Zed", ward.Lead, "XZ3"), id(ward.ItemRecurrence, "XZ3"), "confirmed before, and seen affected again on 1 of 40: mdm; nobody is paged until 16:00 UTC on 15 May 2025"},
	} {
		page, err := r.Items(r.Ctx, row.who, duty.Query{})
		r.must(err)
		if got := ids(page.Items); got != row.want || got != "" && page.Items[0].Reason != row.reason {
			t.Errorf("%s: %s %+v", row.who.Name, got, page.Items)
		}
	}
}

func TestWhoCouldNotBeReached(t *testing.T) {
	r := open(t)
	alert := r.Publish()
	lost := func(org ward.OrgID, id int, state string) {
		r.Row(`INSERT INTO deliveries (message, notice, kind, alert, org, contact, name, rung, channel, address, state, attempts, detail, receipt, created, settled, used_by)
			SELECT $1, n.id, n.kind, n.alert, n.org, 1, 'Sam', 'contact', 'email', 'sam@hospital.example', $2, 3, '550 no such user', '', $3, $3, '' FROM notices n WHERE n.org = $4 AND n.kind = 'alert.published'`,
			fmt.Sprint("m", id), state, r.Clock.Now().UnixMicro(), string(org))
	}
	lost("XZ1", 1, "bounced")
	lost("XZ2", 2, "given_up")
	lost("XZ2", 3, "delivered")
	lost("XZ3", 4, "bounced")
	lost("XZ3", 5, "queued")
	want := "undelivered:" + string(alert.ID) + ":XZ1"
	if got := r.waits(ground.Ann, duty.Query{}); got != want {
		t.Errorf("%s", got)
	}
	if got := r.waits(nan, duty.Query{}); got != want {
		t.Errorf("%s", got)
	}
	page, err := r.Items(r.Ctx, nan, duty.Query{})
	r.must(err)
	if i := page.Items[0]; strings.Contains(i.Reason, "sam@") || strings.Contains(i.Reason, "550") || !strings.Contains(i.Reason, "bounced") {
		t.Errorf("%s", i.Reason)
	}
	// Somebody reads it on the server: they are reached.
	r.Row(`UPDATE notices SET read_at = $1 WHERE org = 'XZ1'`, r.Clock.Now().Add(time.Minute).UnixMicro())
	if got := r.waits(ground.Ann, duty.Query{}); got != "" {
		t.Errorf("%s", got)
	}
	lost("XZ1", 6, "bounced") // a later one, though
	r.Row(`UPDATE notices SET read_at = $1 WHERE org = 'XZ1'`, r.Clock.Now().Add(-time.Minute).UnixMicro())
	if got := r.waits(ground.Ann, duty.Query{}); got != want {
		t.Errorf("%s", got)
	}
	lost("XZ1", 7, "handed")
	if got := r.waits(ground.Ann, duty.Query{}); got != "" {
		t.Errorf("%s", got)
	}
}

// TestWhatASecondPersonOwes is a night with one person awake, and a change of the text in the morning.
func TestWhatASecondPersonOwes(t *testing.T) {
	r := open(t)
	draft := ground.Alert()
	draft.Exercise = false
	alert, err := r.Board.Draft(r.Ctx, ground.Ann, draft)
	r.must(err)
	awake := ground.Bea
	awake.SteppedUp = r.Clock.Now()
	published, err := r.Board.PublishAlone(r.Ctx, awake, alert.ID, alert.Version, alerts.Audience{}, "it is exploited, and nobody else answers")
	r.must(err)
	owed := "countersign:" + string(alert.ID)
	page, err := r.Items(r.Ctx, ground.Ann, duty.Query{})
	r.must(err)
	if i := page.Items[0]; string(i.ID) != owed || !i.Urgent || !i.Due.Equal(r.Clock.Now().Add(4*time.Hour)) || !strings.Contains(i.Reason, "Bea published it alone: it is exploited") {
		t.Errorf("%+v", i)
	}
	h, err := r.Handover(r.Ctx, ground.Ann, time.Time{}, 5*time.Hour)
	r.must(err)
	if len(h.Coming) != 1 || h.Coming[0].Kind != "countersign" || !strings.HasPrefix(h.Coming[0].Words, string(alert.ID)) {
		t.Errorf("%+v", h.Coming)
	}
	if got := r.waits(nan, duty.Query{}); got != "" {
		t.Errorf("a hospital sees %s", got)
	}
	signed, err := r.Board.Countersign(r.Ctx, ground.Person("Cyd", ward.Approver, ""), alert.ID, published.Alert.Version)
	r.must(err)
	text := draft
	text.Summary = "Three weaknesses, exploited together."
	_, err = r.Board.Revise(r.Ctx, ground.Ann, alert.ID, signed.Version, text, alerts.Change{Why: "a third weakness"})
	r.must(err)
	if got := r.waits(ground.Ann, duty.Query{}); got != "revision:"+string(alert.ID) {
		t.Errorf("%s", got)
	}
}

// TestTwoTakeItAtOnce: of twenty people who reach for it together, one has it and nineteen are told who.
func TestTwoTakeItAtOnce(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	var wait sync.WaitGroup
	won, lost := make(chan string, 20), make(chan string, 20)
	for i := range 20 {
		wait.Go(func() {
			who := ground.Person(fmt.Sprint("Person ", i), ward.Analyst, "")
			_, err := r.Take(r.Ctx, who, "held:1")
			var conflict *ward.Conflict
			switch {
			case err == nil:
				won <- who.Name
			case errors.As(err, &conflict):
				lost <- conflict.By
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	close(lost)
	if len(won) != 1 || len(lost) != 19 {
		t.Fatalf("%d have it, %d do not", len(won), len(lost))
	}
	winner := <-won
	for by := range lost {
		if by != winner {
			t.Errorf("told that %s has it, and it is %s", by, winner)
		}
	}
}
