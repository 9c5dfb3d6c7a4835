package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"wardwatch/act/findings"
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
	p.look(t, b, "queue", "/queue", "items need a person", "Approve "+string(second.ID), "I have this")
	p.look(t, b, "findings", "/findings", "findings are open", "Update Ivanti Endpoint Manager Mobile")
	p.look(t, b, "weaknesses", "/weaknesses?q=ivanti", "CVE-2025-4427")
	p.look(t, b, "weakness", "/weaknesses/CVE-2025-4427", "organisations are exposed now", "Ivanti (CNA)", "12.5.0.1")
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
		{lead, "/watch", 403}, {lead, "/queue", 403}, {lead, "/findings", 403}, {lead, "/log", 403}, {lead, "/handover", 403}, {lead, "/call-list", 403}, {lead, "/deliveries", 403}, {lead, "/desk/contacts", 404}, {lead, "/aliases", 403}, {lead, "/disputes", 403}, {lead, "/disputes/rule?alert=" + string(p.alert.ID), 403}, {lead, "/feeds", 403}, {lead, "/people", 403},
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
		"/findings":        {"finding": {"x"}},
		"/aliases":         {"vendor": {"x"}},
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

// The desk's whole work through its forms: draft, edit, two at once, approve, publish, rule, take back, close.
func TestTheNationalDeskActs(t *testing.T) {
	p := played(t, time.Date(2025, 5, 14, 12, 0, 0, 0, time.UTC))
	analyst, approver := p.as(t, "nadia.frost@watch.example"), p.as(t, "owen.tarn@watch.example")
	b := browser.Start(t)
	p.signIn(b, "owen.tarn@watch.example", "/watch")
	must := func(what string, status int, body string, want int, says string) {
		t.Helper()
		if status != want || !strings.Contains(body, says) {
			t.Fatalf("%s: %d, want %d with %q:\n%s", what, status, want, says, body)
		}
	}
	text := url.Values{"title": {"Weakness in Connect Secure " + markup}, "severity": {"High"}, "tlp": {"TLP:AMBER"}, "summary": {markup}, "cves": {"CVE-2025-22457"}, "vendor": {"Ivanti"}, "product": {"Connect Secure"},
		"step-kind-0": {"Patch"}, "step-text-0": {"Update. " + markup}}
	wrong := url.Values{"title": {""}, "severity": {"High"}, "tlp": {"TLP:AMBER"}, "acknowledge_within": {"soon"}, "remediate_by-day": {"31"}, "remediate_by-month": {"2"}, "remediate_by-year": {"2025"}}
	status, body := p.post(t, analyst, "/alerts", wrong)
	must("a draft with mistakes", status, body, http.StatusUnprocessableEntity, "Give a number of hours")
	must("a draft with mistakes", status, body, http.StatusUnprocessableEntity, "Give a date that exists")
	status, body = p.post(t, analyst, "/alerts", text)
	must("draft", status, body, http.StatusOK, "Draft saved as CC-900002")
	text.Set("version", "1")
	status, body = p.post(t, analyst, "/alerts/CC-900002/edit", text)
	must("edit", status, body, http.StatusOK, "Version 2 saved")
	status, body = p.post(t, approver, "/alerts/CC-900002/edit", text)
	must("edit of what somebody changed", status, body, http.StatusConflict, "Nadia Frost")
	status, body = p.post(t, approver, "/alerts/CC-900002/approve", url.Values{"version": {"2"}})
	must("approve", status, body, http.StatusOK, "Approved. Nobody was told yet.")
	p.look(t, b, "publish", "/alerts/CC-900002/publish", "12 organisations would be told", "Publish to all 12 organisations")
	status, body = p.post(t, approver, "/alerts/CC-900002/publish", url.Values{"version": {"3"}})
	must("publish to nobody", status, body, http.StatusUnprocessableEntity, "Choose at least one organisation")
	status, body = p.post(t, approver, "/alerts/CC-900002/publish", url.Values{"version": {"3"}, "org": {"XZ2B", "XZ1K"}})
	must("publish", status, body, http.StatusOK, "0 of 2 organisations have closed")
	status, body = p.post(t, approver, "/alerts/CC-900002/close", url.Values{"version": {"4"}})
	must("close", status, body, http.StatusOK, "Closed at")

	p.look(t, b, "disputes-open", "/disputes", "1 question waits for a ruling", "12.4.0.2")
	rule := url.Values{"alert": {string(p.alert.ID)}, "version": {"12.4.0.2"}}
	p.look(t, b, "rule", "/disputes/rule?"+rule.Encode(), "och-mdm-01", "Oakhallow")
	status, body = p.post(t, analyst, "/disputes/rule", rule)
	must("a ruling without a reason", status, body, http.StatusUnprocessableEntity, "every organisation reads why")
	rule.Set("status", "fixed")
	rule.Set("reason", "The vendor's advisory names it. "+markup)
	status, body = p.post(t, analyst, "/disputes/rule", rule)
	must("rule", status, body, http.StatusOK, "Ruled.")
	p.settle()
	p.look(t, b, "disputes-ruled", "/disputes", "0 questions wait", "The vendor's advisory names it. "+markup)
	b.Click("details summary")
	browser.Eval[bool](b, `document.querySelector("textarea[name=reason]").value = "The advisory was corrected."; true`)
	b.Submit("details form button")
	p.settle()
	p.look(t, b, "disputes-undone", "/disputes", "Taken back", "1 question waits")

	status, body = p.post(t, analyst, "/findings", url.Values{})
	must("an alert from nothing", status, body, http.StatusUnprocessableEntity, "Choose at least one finding")
	queue, err := p.Findings.Queue(t.Context(), ward.Everything(), findings.Query{Text: "netscaler"})
	if err != nil || len(queue.Items) == 0 {
		t.Fatalf("queue %+v, %v", queue, err)
	}
	status, body = p.post(t, analyst, "/findings", url.Values{"finding": {string(queue.Items[0].ID)}})
	must("an alert from a finding", status, body, http.StatusOK, "Edit CC-900003")
}
