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

// One person awake publishes alone; the text is revised, compared and kept for the next time; another approver signs; it is
// withdrawn. Each page is looked at on the way.
func TestAnAlertsLifeThroughItsPages(t *testing.T) {
	p := played(t, time.Date(2025, 5, 13, 23, 0, 0, 0, time.UTC))
	if _, _, err := p.Access.AddPerson(t.Context(), ward.System("test"), ward.Person{Name: "Petra Lowe", Email: "petra.lowe@watch.example", Role: ward.Approver}, passphrase); err != nil {
		t.Fatal(err)
	}
	analyst, owen, petra := p.as(t, "nadia.frost@watch.example"), p.as(t, "owen.tarn@watch.example"), p.as(t, "petra.lowe@watch.example")
	lead := p.as(t, "amara.quill@xz1a.example")
	b := browser.Start(t)
	p.signIn(b, "owen.tarn@watch.example", "/watch")
	must := func(what string, status int, body string, want int, says ...string) {
		t.Helper()
		for _, words := range says {
			if status != want || !strings.Contains(body, words) {
				t.Fatalf("%s: %d, want %d with %q:\n%s", what, status, want, words, main(body))
			}
		}
	}
	post := func(what string, c *http.Client, path string, form url.Values, want int, says ...string) {
		t.Helper()
		status, body := p.post(t, c, path, form)
		must(what, status, body, want, says...)
	}
	text := url.Values{"title": {"Weakness in Connect Secure"}, "severity": {"High"}, "tlp": {"TLP:AMBER"}, "summary": {"Attackers reach it over the internet. " + markup}, "cves": {"CVE-2025-22457"},
		"vendor": {"Ivanti"}, "product": {"Connect Secure"}, "step-kind-0": {"Patch"}, "step-text-0": {"Update to 22.7R2.6."}}
	post("draft", analyst, "/alerts", text, 200, "Draft saved as CC-900002")
	alert := "/alerts/CC-900002"

	p.look(t, b, "alert-clocks", alert+"/clocks", "The policy says 48 hours", "Ask everybody for one")
	post("other clocks without a reason", owen, alert+"/clocks", url.Values{"version": {"1"}, "acknowledge_within": {"24"}}, 422, "say why this alert")
	post("clocks", owen, alert+"/clocks", url.Values{"version": {"1"}, "acknowledge_within": {"24"}, "update_every": {"72"}, "why": {"Attacks run now. " + markup}}, 200, "Clocks set: acknowledge within 24 hours")

	p.look(t, b, "alert-alone", alert+"/alone", "Only for when nobody else is awake", "within 4 hours")
	post("alone with a wrong password", owen, alert+"/alone", url.Values{"version": {"2"}, "reason": {"Nobody else answers the telephone."}, "password": {"guess"}}, 422, "Is not right", "Nobody else answers the telephone.")
	post("alone without a reason", owen, alert+"/alone", url.Values{"version": {"2"}, "password": {passphrase}}, 422, "say why it cannot wait")
	post("an analyst, alone", analyst, alert+"/alone", url.Values{"version": {"2"}, "reason": {"x"}, "password": {passphrase}}, 403, "")
	post("alone", owen, alert+"/alone", url.Values{"version": {"2"}, "reason": {"Nobody else answers the telephone. " + markup}, "password": {passphrase}}, 200, "by one person alone", "Another approver gives it")
	p.look(t, b, "alert-owed", alert, "A second approval is owed by 03:00 UTC on 14 May 2025", markup)
	post("the same person, again", owen, alert+"/countersign", url.Values{"version": {"3"}}, 403, "")
	post("the second approval", petra, alert+"/countersign", url.Values{"version": {"3"}}, 200, "Second approval given")

	p.look(t, b, "alert-revise", alert+"/revise", "Organisations go on reading the text in force", "As the rules propose")
	text.Set("step-text-0", "Update to 22.7R2.7.")
	text.Set("version", "4")
	text.Set("waits", "false")
	text.Set("kind", "proposed")
	post("a revision that does not say what changed", analyst, alert+"/revise", text, 422, "say what changed")
	text.Set("why", "A later release is out. "+markup)
	post("a revision", analyst, alert+"/revise", text, 200, "Revision kept. Nobody was told yet.", "An approver who wrote none of it issues it.")
	p.look(t, b, "alert-revision", alert, "A revision waits for a second person", "22.7R2.7", "Issue the revision")
	if got := browser.Eval[string](b, `document.querySelector("#revision .ww-compared ins").textContent`); !strings.Contains(got, "22.7R2.7") {
		t.Errorf("put in: %q", got)
	}
	_, body := p.get(t, lead, alert)
	if strings.Contains(body, "22.7R2.7") {
		t.Error("an organisation reads a revision that nobody issued")
	}
	_, body = p.get(t, owen, alert)
	_, form, _ := strings.Cut(body, "/revision/approve")
	revision := version(t, form)
	post("the writer issues it", analyst, alert+"/revision/approve", url.Values{"version": {revision}}, 403, "")
	post("issue", owen, alert+"/revision/approve", url.Values{"version": {revision}}, 200, "Revision issued at", "Last changed (")
	p.settle()

	p.look(t, b, "alert-compare", alert+"/compare", "differ between version 4 and version 5", "22.7R2.7")
	status, body := p.get(t, lead, alert+"/compare?from=1&to=2")
	must("an organisation compares drafts", status, body, 404, "")
	status, body = p.get(t, lead, alert+"/compare")
	must("an organisation compares what it was told", status, body, 200, "22.7R2.7")

	p.look(t, b, "alert-template", alert+"/template", "The words are kept for the next draft")
	post("a template without a name", owen, alert+"/template", url.Values{"title": {"x"}}, 422, "There is a problem")
	post("a template", owen, alert+"/template", url.Values{"name": {"edge-appliance"}, "title": {"An edge appliance under attack " + markup}}, 200, "edge-appliance", "1 template is kept")
	p.look(t, b, "templates", "/templates", "1 template is kept", markup)
	p.look(t, b, "alert-from-template", "/alerts/new?template=edge-appliance", "Draft an alert")
	if got := browser.Eval[string](b, `document.querySelector("#title").value`); got != "Weakness in Connect Secure" {
		t.Errorf("the draft from a template is called %q", got)
	}
	status, body = p.get(t, owen, "/templates")
	must("templates", status, body, 200, "edge-appliance")
	post("drop", owen, "/templates/edge-appliance/drop", url.Values{"version": {version(t, body)}}, 200, "No template is kept")

	_, body = p.get(t, owen, alert+"/withdraw")
	now := version(t, body)
	p.look(t, b, "alert-withdraw", alert+"/withdraw", "its open answers lapse")
	post("withdraw without a reason", owen, alert+"/withdraw", url.Values{"version": {now}}, 422, "There is a problem")
	post("withdraw", owen, alert+"/withdraw", url.Values{"version": {now}, "reason": {"The vendor withdrew its advisory. " + markup}}, 200, "Withdrawn at")
	p.settle()
	p.look(t, b, "alert-withdrawn", alert, "Withdrawn", "The vendor withdrew its advisory. "+markup)
	for _, path := range []string{"/clocks", "/alone", "/revise", "/withdraw", "/template"} {
		if status, _ := p.get(t, lead, alert+path); status != http.StatusForbidden {
			t.Errorf("%s by an organisation: %d", path, status)
		}
	}

	// The chosen answer, the others read it, and the new alert takes the place of the first.
	next := url.Values{"title": {"Endpoint Manager Mobile, again"}, "severity": {"High"}, "tlp": {"TLP:AMBER"}, "summary": {"Two weaknesses more."}, "cves": {"CVE-2025-4427"}, "vendor": {"Ivanti"}, "product": {"Endpoint Manager Mobile"},
		"supersedes": {string(p.alert.ID)}}
	post("draft of what supersedes", analyst, "/alerts", next, 200, "Draft saved as CC-900003", "Takes the place of")
	post("approve", owen, "/alerts/CC-900003/approve", url.Values{"version": {"1"}}, 200, "Approved")
	p.look(t, b, "alert-publish", "/alerts/CC-900003/publish", "12 organisations would be told", "nobody to tell besides the inbox")
	post("publish to two, the others read", owen, "/alerts/CC-900003/publish", url.Values{"version": {"2"}, "org": {"XZ1A", "XZ2B"}, "rest": {"inform"}}, 200, "0 of 2 organisations have closed")
	p.settle()
	p.look(t, b, "alert-superseded", "/alerts/"+string(p.alert.ID), "Superseded", "Its place is taken by CC-900003")
	status, body = p.get(t, p.as(t, "catrin.vale@xz3c.example"), "/alerts/CC-900003")
	must("for information", status, body, 200, "Endpoint Manager Mobile, again")
}
