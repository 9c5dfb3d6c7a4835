package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/notify"
	"wardwatch/act/responses"
	"wardwatch/know/estate"
	"wardwatch/test/browser"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// contact keeps somebody who is told by e-mail.
func (h *hospital) contact(name string, org ward.OrgID, email string) ward.Contact {
	h.t.Helper()
	c, err := h.outbox.AddContact(h.ctx, system, ward.Contact{Org: org, Name: name, Kind: ward.PersonContact, Order: 1, Addresses: []ward.Address{{Channel: ward.Email, To: email}}})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// postbox is a carrier that keeps what it is handed.
type postbox struct{ sent []notify.Message }

func (*postbox) Channel() ward.Channel { return ward.Email }
func (*postbox) AtOnce() int           { return 1 }
func (p *postbox) Hand(_ context.Context, m notify.Message) (notify.Receipt, error) {
	p.sent = append(p.sent, m)
	return notify.Receipt{Words: "taken"}, nil
}

// mail sets up e-mail; what it gives carries everything that waits, and tells the single-use links by the notice's kind.
func (h *hospital) mail() (carry func() map[string]string) {
	h.t.Helper()
	box := &postbox{}
	courier, err := notify.NewCourier(h.outbox, []notify.Carrier{box}, notify.Options{Base: h.url, Operator: "Federation Watch"})
	if err == nil {
		err = courier.Begin(h.ctx)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return func() map[string]string {
		if _, err := courier.Deliver(h.ctx); err != nil {
			h.t.Fatal(err)
		}
		links := map[string]string{}
		for _, m := range box.sent {
			links[m.Kind] = strings.TrimPrefix(m.Confirm, h.url)
		}
		return links
	}
}

func TestALinkAcknowledgesOnceAndOnlyByItsButton(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	carry := h.mail()
	h.contact("Mia Fenn", "XZ1A", "mia@saltmarsh.example")
	a := h.publish(nil)
	path := carry()["alert.published"]
	if !strings.HasPrefix(path, notify.LinkPath) {
		t.Fatalf("link %q", path)
	}
	nobody := &visitor{h, &http.Client{}}
	for range 3 { // mail scanners open links
		body := nobody.see(path, "Acknowledge "+string(a.ID), "XZ1A", "Mia Fenn")
		for _, secret := range []string{"mdm-01", "Ivanti", "12.5.0.1", "Saltmarsh"} {
			if strings.Contains(body, secret) {
				t.Errorf("the page of the link tells %q to whoever has the message", secret)
			}
		}
	}
	if r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A"); err != nil || r.State != ward.Unanswered {
		t.Fatalf("opening the link answered: %+v, %v", r.State, err)
	}
	status, body := nobody.post(path, nil)
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	says(t, "acknowledged", body, "Acknowledged for XZ1A, at", "That needs your own account")
	r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A")
	if err != nil || r.AcknowledgedBy != "Mia Fenn, by link" {
		t.Errorf("acknowledged by %q, %v", r.AcknowledgedBy, err)
	}
	_, body = nobody.post(path, nil)
	says(t, "again", body, "This link was used at", "It works once")
	nobody.see(path, "This link was used at")
	if status, _ := nobody.get(notify.LinkPath + strings.Repeat("A", 32)); status != http.StatusNotFound {
		t.Errorf("a link that was not made here: status %d", status)
	}
	h.visit("lead@saltmarsh.example").see(fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID), "Mia Fenn, by link")
}

func TestContactsAreKeptTestedAndProved(t *testing.T) {
	h := openHospital(t)
	lead := h.visit("lead@saltmarsh.example")
	const path = "/organisations/XZ1A/contacts"
	lead.see(path, "Nobody would be told of an alert outside this product", "Nobody is named")
	lead.see(path+"/new", "Add a contact", "Told as", "Hours (optional)")
	form := url.Values{"name": {"Cyber desk"}, "kind": {"mailbox"}, "email": {"not an address"}, "hours": {"Mon-Fri 08:00-18:00"}, "rungs": {"contact", "lead"}, "severities": {"High"}, "order": {"2"}}
	status, body := lead.post(path, form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	says(t, "refused", body, "There is a problem", "is not an e-mail address")
	if !strings.Contains(body, `value="Mon-Fri 08:00-18:00"`) || !strings.Contains(body, `value="lead" checked`) {
		t.Error("what was written is lost")
	}
	form.Set("email", "cyber@saltmarsh.example")
	form.Set("voice", "01632 960001 ext 12")
	_, body = lead.post(path, form)
	says(t, "added", body, "The contact is kept.", "Cyber desk", "shared mailbox", "cyber lead", "Mon-Fri 08:00-18:00", "High alerts", "E-mail: cyber@saltmarsh.example", "Never", "one was never proved")
	_, body = lead.post(path+"/test", nil)
	says(t, "no channel", body, "The test was not sent.", "No channel is set up here")
	carry := h.mail()
	_, body = lead.post(path+"/test", nil)
	says(t, "tested", body, "A test is on its way to 1 contact")
	h.clock.Advance(15 * time.Hour) // its hours begin
	link := carry()["contact.test"]
	(&visitor{h, &http.Client{}}).post(link, nil)
	if body = lead.see(path, "each proved to be reached at least once"); strings.Contains(body, "Never") {
		t.Error("the proof does not show")
	}
	edit := regexp.MustCompile(path + `/\d+`).FindString(body)
	body = lead.see(edit, "confirmed by link")
	v := version(t, body)
	form.Set("version", v)
	form.Set("webhook", "https://hooks.saltmarsh.example/in")
	if _, body = lead.post(edit, form); !strings.Contains(body, "The contact is changed.") {
		t.Fatalf("edit: %s", main(plain(body)))
	}
	if status, _ := lead.post(edit, form); status != http.StatusConflict {
		t.Errorf("an old version: status %d", status)
	}
	_, body = lead.post(edit+"/secret", nil)
	says(t, "secret", body, "whsec_", "hooks.saltmarsh.example")
	if status, _ := h.visit("reader@saltmarsh.example").post(path, form); status != http.StatusForbidden {
		t.Errorf("a reader adds a contact: status %d", status)
	}
	if status, _ := h.visit("lead@drumlin.example").post(strings.Replace(edit, "XZ1A", "XZ2B", 1)+"/remove", nil); status != http.StatusNotFound {
		t.Errorf("another organisation removes it: status %d", status)
	}
	_, body = lead.post(edit+"/remove", nil)
	says(t, "removed", body, "The contact is removed.", "Nobody is named")
}

func TestTheEvidencePack(t *testing.T) {
	h := openHospital(t)
	a, home := h.answered()
	h.clock.Advance(3 * time.Hour)
	r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A")
	if err == nil {
		_, err = h.ledger.Claim(h.ctx, rosa, a.ID, "XZ1A", r.Version, h.clock.Now().Add(-time.Hour), "=HYPERLINK(\"https://evil.example\")")
	}
	if err != nil {
		t.Fatal(err)
	}
	lead := h.visit("lead@saltmarsh.example")
	lead.see(home, "Evidence pack")
	lead.see(home+"/pack", "Saltmarsh and Fenland Trust was asked at 18:00 UTC on 13 May 2025, and its answer reads: patched, not yet checked.", "Time to acknowledge", "0 min", "Time to remediate", "2 h 0 min",
		"Time to confirmation", "not yet", "mdm-01", "12.5.0.0", "What the words mean", "Claimed", "Rosa Marsh", "Update to 11.12.0.5")
	status, body := lead.get(home + "/pack.csv")
	if status != http.StatusOK || !strings.Contains(body, "fixed since") || strings.Contains(body, ",=HYPERLINK") || strings.Contains(body, "\n=") || strings.Contains(body, `,"=`) {
		t.Errorf("status %d\n%s", status, body)
	}
	dee := h.visit("lead@drumlin.example")
	for _, path := range []string{home + "/pack", home + "/pack.csv"} {
		if status, _ := dee.get(path); status != http.StatusNotFound {
			t.Errorf("%s by another: status %d", path, status)
		}
	}
}

func TestTheRegistersRemind(t *testing.T) {
	h := openHospital(t)
	a, _ := h.answered()
	lead := h.visit("lead@saltmarsh.example")
	lead.see("/registers", "Nothing is held until a date")
	r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A")
	if err == nil {
		r, err = h.ledger.SignCheck(h.ctx, rosa, a.ID, "XZ1A", r.Version, responses.Signed{Result: ward.NoEvidence, Coverage: "the proxy's logs since 1 May"}, "")
	}
	if err == nil {
		_, err = h.ledger.CloseAs(h.ctx, rosa, a.ID, "XZ1A", r.Version, ward.Closing{Outcome: ward.OutcomeControlled, Control: ward.Control{Kind: ward.AwaitingManufacturer, What: "Its network is cut off",
			Owner: "Mia Fenn", Evidence: "Change 4711", Review: h.clock.Now().Add(30 * 24 * time.Hour)}}, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	lead.see("/registers", "One answer holds until a date.", "Awaiting the manufacturer's approval: Its network is cut off", "Mia Fenn", "Change 4711", "in 30 days")
	h.clock.Advance(20 * 24 * time.Hour)
	h.settle()
	lead.see("/registers", "one ends within 14 days", "Soon")
	h.clock.Advance(11 * 24 * time.Hour)
	h.settle()
	lead.see("/registers", "Nothing is held until a date")
	lead.see("/owed", "You owe one thing.")
}

func TestAMaterialUpdateAsksAgainAndSaysWhatChanged(t *testing.T) {
	h := openHospital(t)
	a, home := h.answered()
	h.clock.Advance(time.Hour)
	draft := a
	draft.Summary = "A fixed version for the 12.4 branch is out.\n\nExploitation has been seen."
	rev, err := h.board.Revise(h.ctx, ground.Ann, a.ID, a.Version, draft, alerts.Change{Material: true, Why: "A new fix was published"})
	if err == nil {
		_, err = h.board.ApproveRevision(h.ctx, ground.Bea, a.ID, rev.Version)
	}
	if err != nil {
		t.Fatal(err)
	}
	lead := h.visit("lead@saltmarsh.example")
	lead.see("/owed", "Acknowledge the update", "Update not acknowledged")
	body := lead.see(home, "You owe an acknowledgement of the update", "What changed", "A new fix was published", "A fixed version for the 12.4 branch is out.", "before: An attacker who reaches", "What you said before stands")
	_, body = lead.post(home+"/acknowledge", url.Values{"version": {version(t, body)}})
	says(t, "acknowledged", body, "You acknowledged", "Yes, it applies", "what changed")
}

func TestAnAlertThatEndedSaysWhy(t *testing.T) {
	h := openHospital(t)
	a, home := h.answered()
	if _, err := h.board.Withdraw(h.ctx, ground.Bea, a.ID, a.Version, "The record was wrong"); err != nil {
		t.Fatal(err)
	}
	lead := h.visit("lead@saltmarsh.example")
	lead.see(home, "This alert was withdrawn at", "The record was wrong", "Nothing is owed.")
	lead.see("/owed", "You owe nothing now.")
}

func TestAnAlertForInformationAsksNothing(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.informed()
	lead := h.visit("lead@saltmarsh.example")
	lead.see("/alerts/"+string(a.ID), "This alert was sent to you for information: you owe no answer.", "For your information")
	lead.see("/owed", "You owe nothing now.")
	if status, _ := lead.get(fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)); status != http.StatusNotFound {
		t.Errorf("an answer that was not asked for: status %d", status)
	}
}

// twins are two names of one device, by a person's word.
func (h *hospital) twins() ward.Merge {
	h.t.Helper()
	h.imported("XZ1A", "client manager", []ward.Class{ward.Workstation}, "asset,vendor,product,version,class\nmdm-01-old,Ivanti,Endpoint Manager Mobile,12.5.0.0,mobile management\n")
	var ids []ward.AssetID
	for _, name := range []string{"mdm-01-old", "mdm-02"} {
		page, err := h.estate.Assets(h.ctx, ward.Everything(), estate.AssetQuery{Org: "XZ1A", Text: name})
		if err != nil || len(page.Items) == 0 {
			h.t.Fatal(name, err)
		}
		ids = append(ids, page.Items[0].ID)
	}
	m, err := h.estate.Merge(h.ctx, rosa, ids[0], ids[1], "The label on the box")
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

func TestOneDeviceUnderSeveralNames(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	m := h.twins()
	lead := h.visit("lead@saltmarsh.example")
	const path = "/organisations/XZ1A/devices"
	lead.see(path, "One pair is held for one device across sources", "mdm-01-old", "mdm-02", "The label on the box", "a person's word", "Undo: they are two")
	lead.see(fmt.Sprintf("/assets/%d", m.Kept), "held for one")
	if status, _ := h.visit("reader@saltmarsh.example").post(fmt.Sprintf("%s/%d/undo", path, m.ID), nil); status != http.StatusForbidden {
		t.Errorf("a reader undoes it: status %d", status)
	}
	_, body := lead.post(fmt.Sprintf("%s/%d/undo", path, m.ID), nil)
	says(t, "undone", body, "No pair is held for one device", "undone", "Rosa Marsh")
}

func TestAPairThatMayBeOneDeviceIsDecidedByAPerson(t *testing.T) {
	h := openHospital(t)
	list := func(source, names string) {
		h.imported("XZ1A", source, []ward.Class{ward.Workstation}, "asset,vendor,product,version,class,mac\n"+names)
	}
	list("client manager", "ws-1,Mozilla,Firefox,128.0,workstation,00:00:5e:00:53:01\nws-2,Mozilla,Firefox,128.0,workstation,00:00:5e:00:53:02\n")
	list("network", "dhcp-17,Mozilla,Firefox,,workstation,00:00:5e:00:53:01\ndhcp-18,Mozilla,Firefox,,workstation,00:00:5e:00:53:02\n")
	lead := h.visit("lead@saltmarsh.example")
	const path = "/organisations/XZ1A/devices"
	body := lead.see(path, "two wait for a person", "Perhaps one device", "one mark agrees", "They are one", "They are two")
	for _, do := range []string{"accept", "refuse"} {
		action := regexp.MustCompile(`action="(` + path + `/\d+/` + do + `)"`).FindStringSubmatch(body)
		if action == nil {
			t.Fatalf("nothing to %s", do)
		}
		_, body = lead.post(action[1], nil)
	}
	says(t, "decided", body, "One pair is held for one device", "none wait for a person", "accepted by Rosa Marsh", "Kept apart by a person", "Undo: they are two")
}

func TestAnApplianceIsDeclaredInThirtySeconds(t *testing.T) {
	h := openHospital(t)
	lead := h.visit("lead@saltmarsh.example")
	const path = "/organisations/XZ1A/appliances"
	lead.see(path, "Product and version are enough.", "Fenland General Hospital")
	status, body := lead.post(path, url.Values{"product": {"Endpoint Manager Mobile"}, "class": {"mobile_management"}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("without a version: status %d", status)
	}
	says(t, "refused", body, "There is a problem")
	_, body = lead.post(path, url.Values{"vendor": {"Ivanti"}, "product": {"Endpoint Manager Mobile"}, "version": {"12.4.0.1"}, "name": {"mdm-cellar"}, "class": {"mobile_management"}, "reachable": {"yes"}, "site": {"Saltmarsh Infirmary"}})
	says(t, "declared", body, "Declared: mdm-cellar.", "See mdm-cellar")
	lead.see("/organisations/XZ1A/declare", "What do you run, or not run?", "Product")
	_, body = lead.post("/organisations/XZ1A/declare", url.Values{"open": {"yes"}, "product": {"NetScaler ADC"}, "vendor": {"Citrix"}, "answer": {"no"}})
	says(t, "not run", body, "Do you run Citrix NetScaler ADC?", "by Rosa Marsh")
	if status, _ := h.visit("lead@drumlin.example").post(path, url.Values{"product": {"x"}, "version": {"1"}}); status != http.StatusNotFound {
		t.Errorf("another organisation declares it: status %d", status)
	}
}

func TestScannersStandBesideMatching(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	_, err := h.estate.Import(h.ctx, system, estate.Delivery{Org: "XZ1A", Source: "scanner", Format: "nessus", ObservedAt: h.clock.Now().Add(-time.Hour), Name: "scan.csv", Body: strings.NewReader(
		"Plugin ID,CVE,CVSS v2.0 Base Score,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output\n" +
			"236780,CVE-2025-4427,5.0,High,mdm-01,tcp,443,Ivanti EPMM 12.x < 12.5.0.1,Affected,Text,Update,,Installed version : 12.5.0.0\n" +
			"300001,CVE-2024-3400,10.0,Critical,fw-01,tcp,443,Something the match does not know,Affected,Text,Update,,seen\n")})
	if err != nil {
		t.Fatal(err)
	}
	h.settle()
	lead := h.visit("lead@saltmarsh.example")
	lead.see("/organisations/XZ1A/scanners", "Scanners report two findings", "matching says nothing of one", "Ivanti EPMM 12.x", "check 236780", "Affected", "nothing: no version that sources list is affected")
	page, err := h.estate.Assets(h.ctx, ward.Everything(), estate.AssetQuery{Org: "XZ1A", Text: "mdm-01"})
	if err != nil {
		t.Fatal(err)
	}
	lead.see(fmt.Sprintf("/assets/%d", page.Items[0].ID), "What scanners report", "check 236780")
}

// federation lets the High Weald Trust run systems for the two others, and gives them a care board.
func (h *hospital) federation() {
	h.t.Helper()
	since := ground.Day0.AddDate(-1, 0, 0)
	_, err := h.estate.ImportOrganisations(h.ctx, system, estate.Directory{
		Organisations: []ward.Organisation{{ID: "XZ9Q", Name: "Fen Edge Care Board", Kind: "board"}},
		Relations: []ward.Relation{{From: "XZ3C", Kind: ward.Hosts, To: "XZ1A", Since: since}, {From: "XZ3C", Kind: ward.OperatesFor, To: "XZ2B", Since: since},
			{From: "XZ9Q", Kind: ward.CareBoard, To: "XZ1A", Since: since}, {From: "XZ9Q", Kind: ward.CareBoard, To: "XZ2B", Since: since}},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range []ward.Person{{Name: "Hal Weald", Email: "lead@weald.example", Role: ward.Lead, Org: "XZ3C"}, {Name: "Bo Arden", Email: "reader@board.example", Role: ward.Reader, Org: "XZ9Q"}} {
		if _, _, err := h.door.AddPerson(h.ctx, system, p, secret); err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestAnAnswerForOthersIsSeenFirst(t *testing.T) {
	h := openHospital(t)
	h.federation()
	h.exposed()
	a := h.publish(nil)
	lead := h.visit("lead@weald.example")
	path := "/alerts/" + string(a.ID) + "/others"
	lead.see("/owed", "You may answer for others", "Answer for others")
	body := lead.see(path, "You may answer for two organisations", "Saltmarsh and Fenland Trust (XZ1A)", "Drumlin Trust (XZ2B)", "Not acknowledged, due")
	if strings.Contains(body, "mdm-0") {
		t.Error("who answers for another sees its machines")
	}
	form := url.Values{"org": {"XZ1A", "XZ2B"}, "do": {"preview"}, "words": {"We run it for both."}}
	status, body := lead.post(path, form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("nothing said: status %d", status)
	}
	says(t, "nothing said", body, "Choose what you say")
	form.Set("say", "hosted")
	_, body = lead.post(path, form)
	says(t, "preview", body, "This is what would happen", "Nothing was sent yet.", "in progress", "Answer for 2 organisations")
	if r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A"); err != nil || r.State != ward.Unanswered {
		t.Fatalf("the preview answered: %v, %v", r.State, err)
	}
	for _, m := range regexp.MustCompile(`name="(version-[A-Z0-9]+)" value="(\d+)"`).FindAllStringSubmatch(body, -1) {
		form.Set(m[1], m[2])
	}
	form.Set("do", "answer")
	_, body = lead.post(path, form)
	says(t, "answered", body, "You answered for 2 organisations.", "Result by organisation")
	own := h.visit("lead@saltmarsh.example")
	own.see(fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID), "XZ3C answered on behalf of XZ1A, which stays answerable.", "answer again: your own word takes its place", "XZ3C")
	own.post(fmt.Sprintf("/alerts/%s/organisations/XZ1A/applies", a.ID), url.Values{"version": {version(t, own.see(fmt.Sprintf("/alerts/%s/organisations/XZ1A/applies", a.ID)))}, "applicability": {"yes"}, "words": {"We run our own."}})
	form.Set("say", "not_run")
	form.Set("do", "preview")
	status, body = lead.post(path, form)
	says(t, "refused", body, "One of two cannot be answered for like this, so none would be", "It has answered itself")
	if strings.Contains(body, "Answer for 2 organisations") || status != http.StatusOK {
		t.Errorf("an answer that would be refused is offered: status %d", status)
	}

	own.post("/organisations/XZ1A/delegations", url.Values{"delegate": {"XZ3C"}, "allowed": {"no"}})
	own.see("/organisations/XZ1A", "Who may answer for it", "Let it answer")
	form.Set("do", "change")
	if _, body = lead.post(path, form); !strings.Contains(body, `value="not_run" checked`) || !strings.Contains(body, "We run it for both.") {
		t.Error("what was written is lost on the way back")
	}
	if body = lead.see(path); strings.Contains(body, "XZ1A") {
		t.Error("who is not let any more may still answer")
	}
	if status, _ := h.visit("lead@drumlin.example").get(path); status != http.StatusNotFound {
		t.Errorf("who answers for nobody: status %d", status)
	}
}

func TestACareBoardSeesStatesAndClocks(t *testing.T) {
	h := openHospital(t)
	h.federation()
	a, home := h.answered()
	board := h.visit("reader@board.example")
	body := board.see("/members", "Two members were asked; two answers are not closed, none overdue.", "Saltmarsh and Fenland Trust", "Drumlin Trust", string(a.ID), "in progress", "not acknowledged")
	if strings.Contains(body, "mdm-0") || strings.Contains(body, "Both servers.") {
		t.Error("a care board sees machines or words")
	}
	for _, path := range []string{home, home + "/pack", "/organisations/XZ1A", "/organisations/XZ1A/assets", "/organisations/XZ1A/contacts"} {
		if status, _ := board.get(path); status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, status)
		}
	}
	h.clock.Advance(72 * time.Hour)
	h.settle()
	board.see("/members", "overdue")
	board.see("/owed", "How your members stand")
}

func TestTheDeskSettlesACheckThatCannotTell(t *testing.T) {
	h := openHospital(t)
	a, home := h.answered()
	h.clock.Advance(time.Hour)
	r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A")
	if err == nil {
		_, err = h.ledger.Say(h.ctx, rosa, a.ID, "XZ1A", r.Version, responses.Answer{Claim: true, FixedAt: h.clock.Now(), Check: &responses.Signed{Result: ward.CannotDetermine, Coverage: "The logs are gone."}, Close: &ward.Closing{}})
	}
	if err != nil {
		t.Fatal(err)
	}
	lead, desk := h.visit("lead@saltmarsh.example"), h.visit("analyst@watch.example")
	lead.see(home, "The national desk decides next.", "when the national desk has settled the check")
	lead.see("/owed", "Patched, compromise cannot be determined", "With the national desk")
	desk.see(home, "Settle its compromise check")
	body := desk.see(home+"/settle", "Rosa Marsh signed at", "it cannot be determined", "The logs are gone.")
	form := url.Values{"version": {version(t, body)}}
	if status, body := desk.post(home+"/settle", form); status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), "say how it was settled") {
		t.Errorf("no words: status %d", status)
	}
	form.Set("words", "Rebuilt from clean media with our help.")
	if status, _ := lead.post(home+"/settle", form); status != http.StatusForbidden {
		t.Errorf("a hospital settles its own check: status %d", status)
	}
	desk.post(home+"/settle", form)
	lead.see(home, "Settled by the national desk: Rebuilt from clean media with our help.", "closed, not confirmed", "Nothing is owed.")
	desk.see(home+"/settle", "No compromise check of this answer waits for the desk.")
}

func TestTheDeskWritesDownATelephoneCall(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	path := fmt.Sprintf("/alerts/%s/organisations/XZ1A/telephone", a.ID)
	desk := h.visit("analyst@watch.example")
	v := version(t, desk.see(path, "Call back on a number from the contacts below"))
	form := url.Values{"version": {v}, "number": {"01632 960123"}, "at-time": {"17:50"}, "say": {"yes"}, "words": {"Both servers are theirs."}}
	status, body := desk.post(path, form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("nobody spoke: status %d", status)
	}
	says(t, "nobody spoke", body, "There is a problem", "name and post of whom you spoke to")
	form.Set("speaker", "Joe Reed, on call")
	_, body = desk.post(path, form)
	says(t, "recorded", body, "Recorded by telephone: Asha Lund wrote down what Joe Reed, on call said at 17:50 UTC on 13 May 2025")
	if status, _ := h.visit("lead@saltmarsh.example").get(path); status != http.StatusForbidden {
		t.Errorf("a hospital records its own call: status %d", status)
	}
}

func TestLivedPages(t *testing.T) {
	h := openHospital(t)
	b := browser.Start(t)
	carry := h.mail()
	h.federation()
	h.contact("Mia Fenn", "XZ1A", "mia@saltmarsh.example")
	h.exposed()
	h.twins()
	if _, err := h.estate.Import(h.ctx, system, estate.Delivery{Org: "XZ1A", Source: "scanner", Format: "nessus", ObservedAt: h.clock.Now().Add(-time.Hour), Name: "scan.csv", Body: strings.NewReader(
		"Plugin ID,CVE,CVSS v2.0 Base Score,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output\n" +
			"236780,CVE-2025-4427,5.0,High,mdm-01,tcp,443,Ivanti EPMM 12.x < 12.5.0.1,Affected,Text,Update,,Installed version : 12.5.0.0\n" +
			"300001,CVE-2024-3400,10.0,Critical,fw-01,tcp,443,Something the match does not know,Affected,Text,Update,,seen\n")}); err != nil {
		t.Fatal(err)
	}
	h.settle()
	a := h.publish(nil)
	other := h.publish(func(a *ward.Alert) {
		a.Title, a.Vendor, a.Product, a.CVEs = "An infusion pump that takes orders from anybody", "Corvant", "Pump 3", []ward.CVE{"CVE-2025-5777"}
	})
	home := fmt.Sprintf("%s/alerts/%s/organisations/XZ1A", h.url, a.ID)
	at := func(name, path string) {
		t.Helper()
		b.Navigate(path)
		b.Check(name)
	}
	at("link", h.url+carry()["alert.published"])
	b.Submit("main button")
	b.Check("link-used")

	signIn(h, b, "lead@saltmarsh.example")
	at("act", home+"/act")
	at("check", home+"/check")
	at("residual", home+"/residual")
	at("controlled", home+"/controlled")
	at("accepted", home+"/accepted")
	at("close-ways", home+"/close")
	b.Navigate(home + "/controlled")
	b.Expect(home + "/controlled")
	b.Submit("main .ww-buttons button")
	b.Check("controlled-refused")
	say := func(alert ward.AlertID, answer responses.Answer) {
		t.Helper()
		r, err := h.ledger.Get(h.ctx, ward.Everything(), alert, "XZ1A")
		if err == nil {
			_, err = h.ledger.Say(h.ctx, rosa, alert, "XZ1A", r.Version, answer)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	say(a.ID, responses.Answer{Applies: ward.Applies, Progress: &ward.Progress{Affected: 2, Done: 1, Blocker: "The change board sits on Friday", Help: "A spare server"}, Words: "One is done."})
	at("answer-progress", home)
	h.clock.Advance(time.Hour)
	say(a.ID, responses.Answer{Claim: true, FixedAt: h.clock.Now().Add(-time.Minute), Close: &ward.Closing{}, Words: "Both are done."})
	at("answer-not-yet-checked", home)
	say(a.ID, responses.Answer{Check: &responses.Signed{Result: ward.CannotDetermine, Coverage: "The API log of both servers is kept for three days only."}})
	at("answer-cannot-determine", home)
	at("owed-with-the-desk", h.url+"/owed")
	say(other.ID, responses.Answer{Check: &responses.Signed{Result: ward.NoEvidence, Coverage: "the ward's switch keeps 30 days"}, Close: &ward.Closing{Outcome: ward.OutcomeControlled, Control: ward.Control{Kind: ward.AwaitingManufacturer, What: "Cut off from all but the ward's own network",
		Owner: "Mia Fenn, medical engineering", Evidence: "Change 4711, tested on 13 May", Review: h.clock.Now().Add(10 * 24 * time.Hour)}}})
	at("answer-controlled", fmt.Sprintf("%s/alerts/%s/organisations/XZ1A", h.url, other.ID))
	at("registers", h.url+"/registers")
	at("pack", home+"/pack")
	b.Paper()
	b.Screenshot("pack-paper", browser.Tablet)
	b.Prefer(browser.Light)
	contacts := h.url + "/organisations/XZ1A/contacts"
	at("contacts", contacts)
	at("contact", contacts+"/1")
	at("contact-new", contacts+"/new")
	at("appliance", h.url+"/organisations/XZ1A/appliances")
	at("declare-open", h.url+"/organisations/XZ1A/declare")
	at("devices", h.url+"/organisations/XZ1A/devices")
	at("scanners", h.url+"/organisations/XZ1A/scanners")
	at("asset-scanned", h.url+"/assets/1")
	at("organisation-lived", h.url+"/organisations/XZ1A")

	draft := a
	draft.Summary = "A fixed version for the 12.4 branch is out.\n\nExploitation has been seen."
	rev, err := h.board.Revise(h.ctx, ground.Ann, a.ID, a.Version, draft, alerts.Change{Material: true, Why: "A new fix was published"})
	if err == nil {
		_, err = h.board.ApproveRevision(h.ctx, ground.Bea, a.ID, rev.Version)
	}
	if err != nil {
		t.Fatal(err)
	}
	at("answer-asked-again", home)
	if _, err := h.board.Withdraw(h.ctx, ground.Bea, other.ID, other.Version, "The record named the wrong pump"); err != nil {
		t.Fatal(err)
	}
	at("answer-withdrawn", fmt.Sprintf("%s/alerts/%s/organisations/XZ1A", h.url, other.ID))
	b.Submit("header button[type=submit]")

	signIn(h, b, "lead@weald.example")
	at("owed-others", h.url+"/owed")
	at("others", h.url+"/alerts/"+string(a.ID)+"/others")
	b.Click("#say")
	b.Submit("main .ww-buttons button")
	b.Check("others-refused")
	b.Submit(`main button[value="change"]`)
	b.Click(`main input[name="org"][value="XZ1A"]`)
	b.Submit("main .ww-buttons button")
	b.Check("others-preview")
	b.Submit("main .ww-buttons button")
	b.Check("others-answered")
	b.Submit("header button[type=submit]")

	signIn(h, b, "reader@board.example")
	at("members", h.url+"/members")
	b.Submit("header button[type=submit]")

	signIn(h, b, "analyst@watch.example")
	at("telephone", fmt.Sprintf("%s/alerts/%s/organisations/XZ2B/telephone", h.url, a.ID))
	at("settle", home+"/settle")
	at("registers-national", h.url+"/registers")
	b.Submit("header button[type=submit]")

	informed := h.informed()
	signIn(h, b, "lead@saltmarsh.example")
	at("for-information", h.url+"/alerts/"+string(informed.ID))
}

// informed is an alert that the Saltmarsh trust only reads.
func (h *hospital) informed() ward.Alert {
	h.t.Helper()
	draft := ground.Alert()
	draft.Title = "For those who host it"
	a, err := h.board.Draft(h.ctx, ground.Ann, draft)
	if err == nil {
		a, err = h.board.Approve(h.ctx, ground.Bea, a.ID, a.Version)
	}
	if err == nil {
		_, err = h.board.Publish(h.ctx, ground.Bea, a.ID, a.Version, ward.Audience{Respond: []ward.OrgID{"XZ2B"}, Inform: []ward.OrgID{"XZ1A"}})
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}
