package duty_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wardwatch/act/duty"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

func (r *room) log(who ward.Actor, q duty.LogQuery) string {
	r.T.Helper()
	entries, err := r.Log(r.Ctx, who, q)
	r.must(err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Kind+" "+e.By)
	}
	return strings.Join(all, ", ")
}

func TestTheWatchLog(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	minute := func() { r.Clock.Set(r.Clock.Now().Add(time.Minute)) }
	alert := r.Publish("XZ1")
	minute()
	note, err := r.Note(r.Ctx, ground.Ann, duty.Note{Words: "rang the supplier\r\nno answer", Org: "XZ1", Alert: alert.ID, Item: "held:1"})
	if err != nil || note.ID == "" || !note.Written || note.Words != "rang the supplier\nno answer" {
		t.Fatalf("%+v, %v", note, err)
	}
	minute()
	_, err = r.Take(r.Ctx, ground.Ann, "held:1")
	r.must(err)
	minute()
	_, err = r.Take(r.Ctx, nan, "held:1")
	r.must(err)
	minute()
	_, err = r.Note(r.Ctx, nan, duty.Note{Words: "we look into it"})
	r.must(err)
	minute()
	_, err = r.Ledger.Acknowledge(r.Ctx, nan, alert.ID, "XZ1", 1)
	r.must(err)
	minute()
	if got, want := r.log(ground.Ann, duty.LogQuery{}), "duty.take Ann, note Ann, alert.publish Bea, alert.approve Bea, alert.draft Ann"; got != want {
		t.Errorf("national:\n%s\n%s", got, want)
	}
	if got, want := r.log(mel, duty.LogQuery{}), "response.acknowledge Nan, note Nan, duty.take Nan, alert.published "; got != want {
		t.Errorf("hospital:\n%s\n%s", got, want)
	}
	if got := r.log(other, duty.LogQuery{}); got != "" {
		t.Errorf("another hospital: %s", got)
	}
	if got := r.log(mel, duty.LogQuery{Written: true}); got != "note Nan" {
		t.Errorf("%s", got)
	}
	if got := r.log(ground.Ann, duty.LogQuery{Since: ground.Day0.Add(time.Second), Until: note.At.Add(time.Second)}); got != "note Ann" {
		t.Errorf("%s", got)
	}
	if got := r.log(ground.Ann, duty.LogQuery{Limit: 1}); got != "duty.take Ann" {
		t.Errorf("%s", got)
	}
	for _, row := range []struct {
		name string
		who  ward.Actor
		note duty.Note
		want error
	}{
		{"no words", nan, duty.Note{Words: " \n"}, ward.ErrInvalid},
		{"too many words", nan, duty.Note{Words: strings.Repeat("x", 2001)}, ward.ErrInvalid},
		{"a control character", nan, duty.Note{Words: "a\x1b[2J"}, ward.ErrInvalid},
		{"another organisation", nan, duty.Note{Words: "x", Org: "XZ2"}, ward.ErrNotFound},
		{"an alert that was not sent to it", other, duty.Note{Words: "x", Alert: alert.ID}, ward.ErrNotFound},
		{"a reader", reader, duty.Note{Words: "x"}, ward.ErrForbidden},
		{"an item that is no item", nan, duty.Note{Words: "x", Item: ward.ItemID(strings.Repeat("x", 301))}, ward.ErrInvalid},
	} {
		if _, err := r.Note(r.Ctx, row.who, row.note); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if _, err := r.Log(r.Ctx, admin, duty.LogQuery{}); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("%v", err)
	}
}

// TestFaultNobodyRewritesTheLog asks the database itself to change a line.
func TestFaultNobodyRewritesTheLog(t *testing.T) {
	r := open(t)
	_, err := r.Note(r.Ctx, nan, duty.Note{Words: "as it was"})
	r.must(err)
	for _, change := range []string{`UPDATE desk_notes SET words = 'never said'`, `DELETE FROM desk_notes`, `INSERT OR REPLACE INTO desk_notes SELECT id, desk, at, person, name, kind, item, org, alert, 'never said' FROM desk_notes`} {
		if err := r.try(change); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", change, err)
		}
	}
	entries, err := r.Log(r.Ctx, nan, duty.LogQuery{})
	if err != nil || len(entries) != 1 || entries[0].Words != "as it was" {
		t.Errorf("%+v, %v", entries, err)
	}
}

// TestTheHandOver is a night: what happened, what is open and who has it, what comes due before noon.
func TestTheHandOver(t *testing.T) {
	r := open(t)
	alert := r.Publish()
	r.Clock.Set(ground.Day0.Add(40 * time.Hour))
	before, err := r.HandOver(r.Ctx, ground.Bea, "", false)
	if err != nil || before.Words != "handed over with 0 items open" {
		t.Fatalf("%+v, %v", before, err)
	}
	// 22:00: the night begins.
	r.Clock.Set(r.Clock.Now().Add(time.Hour))
	r.held("XZ1", 1)
	r.held("XZ2", 2)
	r.held("XZ3", 3)
	r.held("XZ3", 4)
	for _, id := range []ward.ItemID{"held:1", "held:3"} {
		_, err := r.Take(r.Ctx, ground.Ann, id)
		r.must(err)
	}
	_, err = r.Take(r.Ctx, ground.Bea, "held:2")
	r.must(err)
	_, err = r.Snooze(r.Ctx, ground.Bea, "held:4", r.Clock.Now().Add(10*time.Hour), "they call back")
	r.must(err)
	_, err = r.Ledger.Acknowledge(r.Ctx, nan, alert.ID, "XZ1", 1)
	r.must(err)
	_, err = r.Note(r.Ctx, ground.Ann, duty.Note{Words: "quiet"})
	r.must(err)
	r.declared("soon", "XZ2", r.Clock.Now().Add(-ward.DeclaredFor).Add(5*time.Hour))

	r.Clock.Set(r.Clock.Now().Add(time.Hour))
	h, err := r.Handover(r.Ctx, ground.Ann, time.Time{}, 12*time.Hour)
	r.must(err)
	if !h.Since.Equal(before.At) || h.Cut || h.Next.Sub(h.At) != 12*time.Hour {
		t.Errorf("%v to %v to %v", h.Since, h.At, h.Next)
	}
	var changed []string
	for _, e := range h.Changed {
		changed = append(changed, e.Kind)
	}
	if got := strings.Join(changed, " "); got != "handover duty.take duty.take duty.take duty.snooze note" {
		t.Errorf("changed: %s", got)
	}
	if len(h.Moved) != 1 || h.Moved[0] != (duty.Moved{Alert: alert.ID, Kind: "acknowledged", Count: 1}) {
		t.Errorf("moved: %+v", h.Moved)
	}
	if got := ids(h.Open); got != "held:1 held:3 held:2 declaration:soon" || h.Counts["Ann"] != 2 || h.Counts["Bea"] != 1 || h.Counts[""] != 1 {
		t.Errorf("open: %s, %v", got, h.Counts)
	}
	if got := ids(h.Aside); got != "held:4" {
		t.Errorf("aside: %s", got)
	}
	var coming []string
	for _, c := range h.Coming {
		coming = append(coming, fmt.Sprintf("%s %d %s", c.Kind, c.Count, c.Org))
	}
	if got := strings.Join(coming, ", "); got != "declaration 1 XZ2, acknowledgement 2 , set aside 1 XZ3" {
		t.Errorf("coming: %s", got)
	}
	own, err := r.Handover(r.Ctx, mel, ground.Day0, 0)
	if err != nil || ids(own.Open) != "held:1" || len(own.Moved) != 1 || own.Desk != "XZ1" {
		t.Errorf("the hospital's: %+v, %v", own, err)
	}
	if text := fmt.Sprint(own); strings.Contains(text, "XZ2") || strings.Contains(text, "quiet") {
		t.Errorf("the hospital reads what is not its own: %s", text)
	}
	// Ann goes home and leaves what she had.
	entry, err := r.HandOver(r.Ctx, ground.Ann, "watch XZ2", false)
	if err != nil || entry.Words != "handed over with 4 items open, gave back 2\nwatch XZ2" {
		t.Errorf("%+v, %v", entry, err)
	}
	if got := r.waits(ground.Ann, duty.Query{Mine: true}); got != "" {
		t.Errorf("she still has %s", got)
	}
	entry, err = r.HandOver(r.Ctx, ground.Bea, "", true)
	if err != nil || !strings.HasSuffix(entry.Words, "keeps 1") {
		t.Errorf("%+v, %v", entry, err)
	}
	if got := r.waits(ground.Bea, duty.Query{Mine: true}); got != "held:2" {
		t.Errorf("she has %s", got)
	}
	if _, err := r.HandOver(r.Ctx, reader, "", false); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("%v", err)
	}
}

func TestSavedViews(t *testing.T) {
	r := open(t)
	save := func(who ward.Actor, title, path, query string, shared bool) error {
		_, err := r.SaveView(r.Ctx, who, ward.SavedView{Title: title, Path: path, Query: query, Shared: shared, Person: "somebody else", Desk: "XZ2"})
		return err
	}
	r.must(save(nan, "late", "/desk", "kind=overdue&after=abc", true))
	r.must(save(nan, "my own", "/queue", "", false))
	r.must(save(other, "theirs", "/desk", "", true))
	r.must(save(nan, "late", "/desk", "kind=held", true))
	titles := func(who ward.Actor) (all string) {
		views, err := r.Views(r.Ctx, who)
		r.must(err)
		for _, v := range views {
			all += v.Title + " by " + v.Name + " at " + v.Path + "?" + v.Query + "; "
		}
		return all
	}
	for _, row := range []struct {
		who  ward.Actor
		want string
	}{
		{nan, "late by Nan at /desk?kind=held; my own by Nan at /queue?; "}, {mel, "late by Nan at /desk?kind=held; "},
		{reader, "late by Nan at /desk?kind=held; "}, {other, "theirs by Oli at /desk?; "}, {ground.Ann, ""},
	} {
		if got := titles(row.who); got != row.want {
			t.Errorf("%s: %s", row.who.Name, got)
		}
	}
	for _, row := range []struct {
		title, path, query string
		want               error
	}{
		{"", "/desk", "", ward.ErrInvalid}, {strings.Repeat("x", 81), "/desk", "", ward.ErrInvalid},
		{"away", "//evil.example", "", ward.ErrInvalid}, {"away", "https://evil.example/", "", ward.ErrInvalid}, {"away", `/\evil.example`, "", ward.ErrInvalid},
		{"away", "javascript:alert(1)", "", ward.ErrInvalid}, {"twice", "/desk?x=1", "", ward.ErrInvalid}, {"bad", "/desk", "a=%zz", ward.ErrInvalid},
		{"long", "/desk", "a=" + strings.Repeat("x", 1000), ward.ErrInvalid}, {"a\x00b", "/desk", "", ward.ErrInvalid},
	} {
		if err := save(nan, row.title, row.path, row.query, false); !errors.Is(err, row.want) {
			t.Errorf("%q %q %q: %v", row.title, row.path, row.query, err)
		}
	}
	if err := save(reader, "shared by a reader", "/desk", "", true); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("%v", err)
	}
	views, err := r.Views(r.Ctx, nan)
	r.must(err)
	if err := r.DropView(r.Ctx, mel, views[0].ID); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("another's: %v", err)
	}
	r.must(r.DropView(r.Ctx, nan, views[0].ID))
	if got := titles(mel); got != "" {
		t.Errorf("%s", got)
	}
	for i := range 100 {
		if err := save(nan, fmt.Sprint("view ", i), "/desk", "", false); (err != nil) != (i == 99) {
			t.Fatalf("%d: %v", i, err)
		}
	}
}

func TestSearch(t *testing.T) {
	r := open(t)
	r.held("XZ1", 1)
	alert := r.Publish("XZ1")
	r.Row(`UPDATE organisations SET name = 'Harrowmere Hospitals', town = 'Harrow 100%_x' WHERE id = 'XZ1'`)
	r.Row(`INSERT INTO vulnerabilities (id, title, published, ssvc, cvss, rejected, words, body) VALUES ('CVE-2025-4427', 'Bypass', 0, '', 9, 0, 'cve-2025-4427 bypass ivanti', '{"ID":"CVE-2025-4427"}')`)
	for _, row := range []struct {
		who  ward.Actor
		text string
		want string
	}{
		{ground.Ann, "harrowmere", "||XZ1|"},
		{ground.Ann, "IVANTI  endpoint", "|" + string(alert.ID) + "||"},
		{ground.Ann, "together two", "|" + string(alert.ID) + "||"},
		{ground.Ann, "12.5.0.1", "|" + string(alert.ID) + "||"},
		{ground.Ann, "cve-2025-4427", "|" + string(alert.ID) + "||CVE-2025-4427"},
		{ground.Ann, "register", "held:1|||"},
		{ground.Ann, "summary", "|||"}, // the name of a field is not what an alert says
		{ground.Ann, "100%_", "||XZ1|"},
		{ground.Ann, "0_x", "|||"},
		{nan, "ivanti mobile", "|" + string(alert.ID) + "||"},
		{nan, "xz", "held:1||XZ1|"},
		{other, "ivanti", "|||CVE-2025-4427"},
		{other, "harrowmere", "|||"},
		{other, "register", "|||"},
	} {
		found, err := r.Search(r.Ctx, row.who, row.text)
		r.must(err)
		var alerts, orgs, weaknesses []string
		for _, a := range found.Alerts {
			alerts = append(alerts, string(a.ID))
		}
		for _, o := range found.Organisations {
			orgs = append(orgs, string(o.ID))
		}
		for _, v := range found.Weaknesses {
			weaknesses = append(weaknesses, string(v.ID))
		}
		got := strings.Join([]string{ids(found.Items), strings.Join(alerts, " "), strings.Join(orgs, " "), strings.Join(weaknesses, " ")}, "|")
		if got != row.want {
			t.Errorf("%s for %q: %s, want %s", row.who.Name, row.text, got, row.want)
		}
	}
	for _, text := range []string{"", " ", "a", "\xff\xfe"} {
		if _, err := r.Search(r.Ctx, ground.Ann, text); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := r.Search(r.Ctx, admin, "ivanti"); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("%v", err)
	}
	if _, err := r.Search(r.Ctx, ground.Ann, strings.Repeat("word ", 10_000)+`"'%\ `); err != nil {
		t.Errorf("%v", err)
	}
}

// try runs a statement on the database file, as a person who has it could.
func (r *room) try(statement string) error {
	db, err := sql.Open("sqlite", "file:"+r.Store.Path()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(r.Ctx, statement)
	return err
}
