package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"wardwatch/test/browser"
	"wardwatch/ward"
)

func TestNationalPages(t *testing.T) {
	p := played(t, time.Date(2025, 5, 15, 16, 50, 0, 0, time.UTC))
	second, err := p.Alerts.Draft(t.Context(), p.people["nadia.frost"], ward.Alert{Severity: ward.Medium, Title: "Weakness in Harbour Gateway " + markup, Summary: "Read it as text: " + markup,
		CVEs: []ward.CVE{"CVE-2025-0282"}, SeverityWhy: []string{"CVSS 3.1 of CVE-2025-0282 is 8.1, says nvd"}, Exercise: true})
	if err != nil {
		t.Fatal(err)
	}
	alert := "/alerts/" + string(p.alert.ID)
	b := browser.Start(t)
	p.signIn(b, "owen.tarn@watch.example", "/watch")
	p.look(t, b, "watch", "/watch", "things need a person", "Approve "+string(second.ID))
	p.look(t, b, "alerts", "/alerts", "1 alert is in force", markup)
	p.look(t, b, "alert", alert, "organisations have closed", "Claims against evidence")
	p.look(t, b, "alert-draft", "/alerts/"+string(second.ID), "A draft", "says nvd", markup)
	p.look(t, b, "answer", alert+"/answers/XZ1A", "hmh-mdm-01")
	p.look(t, b, "alert-new", "/alerts/new?cve=CVE-2025-4427", "Draft an alert")
	p.look(t, b, "disputes", "/disputes", "12.4.0.2")
	p.look(t, b, "queue", "/queue", "findings are open", "Update Ivanti Endpoint Manager Mobile")
	p.look(t, b, "weaknesses", "/weaknesses?q=ivanti", "CVE-2025-4427")
	p.look(t, b, "weakness", "/weaknesses/CVE-2025-4427", "organisations are exposed now", "cna:ivanti", "12.5.0.1")
	p.look(t, b, "feeds", "/feeds", "kev", "Stale")
	p.look(t, b, "story", "/story", "Ivanti publishes two weaknesses")
	p.look(t, b, "account", "/account", "You have no API token")
	b.Fill("#name", "Nightly import "+markup)
	b.Submit("form[action='/account/tokens'] button")
	if got := b.Text(".ww-once__secret"); !strings.HasPrefix(got, "ww_") {
		t.Errorf("the token shown is %q", got)
	}
	b.Check("account-token")
}

func TestPeoplePages(t *testing.T) {
	p := played(t, time.Date(2025, 4, 1, 9, 0, 0, 0, time.UTC))
	b := browser.Start(t)
	p.signIn(b, "admin@watch.example", "/people")
	p.look(t, b, "people", "/people", "Nadia Frost", "National analyst")
	p.look(t, b, "person-new", "/people/new", "one-time password")
	b.Fill("#name", "Rhea Pell "+markup)
	b.Fill("#email", "rhea.pell@xz1a.example")
	b.Fill("#org", "XZ1A")
	b.Click("input[value=lead]")
	b.Submit("main form button")
	if got := b.Text(".ww-once__secret"); len(got) != 19 {
		t.Errorf("the one-time password shown is %q", got)
	}
	b.Check("person-once")
}

// What the national watch and administrators see is not there for others, whatever they ask for.
func TestNationalPagesAreClosedToOthers(t *testing.T) {
	p := played(t, time.Date(2025, 5, 15, 16, 50, 0, 0, time.UTC))
	draft, err := p.Alerts.Draft(t.Context(), p.people["nadia.frost"], ward.Alert{Severity: ward.Low, Title: "Nobody else reads this draft", Exercise: true})
	if err != nil {
		t.Fatal(err)
	}
	alert := "/alerts/" + string(p.alert.ID)
	lead, admin, analyst := p.as(t, "amara.quill@xz1a.example"), p.as(t, "admin@watch.example"), p.as(t, "nadia.frost@watch.example")
	for _, row := range []struct {
		who    *http.Client
		path   string
		status int
	}{
		{lead, "/watch", 403}, {lead, "/queue", 403}, {lead, "/disputes", 403}, {lead, "/disputes/rule?alert=" + string(p.alert.ID), 403}, {lead, "/feeds", 403}, {lead, "/people", 403},
		{lead, "/alerts/new", 403}, {lead, alert + "/edit", 403}, {lead, alert + "/publish", 403}, {lead, alert + "/answers/XZ2B", 403}, {lead, "/alerts/" + string(draft.ID), 404},
		{admin, "/watch", 403}, {admin, "/queue", 403}, {admin, "/alerts", 403}, {admin, alert, 403}, {admin, "/weaknesses/CVE-2025-4427", 403},
		{analyst, "/people", 403}, {analyst, alert + "/publish", 403}, {analyst, "/alerts/CC-1", 404}, {analyst, "/weaknesses/CVE-1999-0001", 404},
	} {
		if status, body := p.get(t, row.who, row.path); status != row.status || strings.Contains(body, draft.Title) {
			t.Errorf("%s: %d, want %d", row.path, status, row.status)
		}
	}
	for path, form := range map[string]url.Values{
		alert + "/close":   {"version": {"3"}},
		"/alerts":          {"title": {"x"}, "severity": {"High"}},
		"/disputes/rule":   {"alert": {string(p.alert.ID)}, "version": {"12.4.0.2"}, "status": {"affected"}, "reason": {"x"}},
		"/feeds/sync":      {},
		"/people":          {"name": {"x"}, "email": {"x@x.example"}, "role": {"admin"}},
		"/disputes/undo":   {"id": {"1"}, "reason": {"x"}},
		"/queue":           {"finding": {"x"}},
		alert + "/approve": {"version": {"3"}},
	} {
		if status, _ := p.post(t, lead, path, form); status != http.StatusForbidden {
			t.Errorf("POST %s by an organisation: %d", path, status)
		}
	}
	// What a lead may open speaks of the own organisation alone.
	for _, path := range []string{"/alerts", "/weaknesses/CVE-2025-4427"} {
		status, body := p.get(t, lead, path)
		if status != http.StatusOK || strings.Contains(body, "XZ2B") || strings.Contains(body, "fth-mdm") || strings.Contains(body, "Fellwick") {
			t.Errorf("%s by XZ1A: %d, or another organisation is in it", path, status)
		}
	}
}
