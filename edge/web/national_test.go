package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/responses"
	"wardwatch/edge/access"
	"wardwatch/edge/web"
	"wardwatch/know/intel"
	"wardwatch/test/browser"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

const passphrase = "lantern orbit thistle"

// markup is HTML as somebody types it: it must come out as text.
const markup = `<script>alert("x")</script><b>bold</b>`

// hospitals are the invented organisations of these tests.
var hospitals = []ward.Organisation{
	{ID: "XZ1A", Name: "Harrowmere University Hospitals", Region: "RX1"}, {ID: "XZ2B", Name: "Fellwick and Tarndale Hospitals", Region: "RX2"},
	{ID: "XZ3C", Name: "Oakhallow Children's Hospital", Region: "RX1"}, {ID: "XZ4D", Name: "Saltenby Community Health", Region: "RX1"},
	{ID: "XZ5E", Name: "Brackenford District Hospital", Region: "RX2"}, {ID: "XZ6F", Name: "Larkmoor Health Informatics Service", Region: "RX1"},
	{ID: "XZ7G", Name: "Dunwater Mental Health Partnership", Region: "RX1"}, {ID: "XZ8H", Name: "Ravelgill Ambulance Service", Region: "RX2"},
	{ID: "XZ9J", Name: "Thornabeck " + markup, Region: "RX1"}, {ID: "XZ1K", Name: "Kelderby Cancer Centre", Region: "RX1"},
}

// registered gives the organisations as the estate's register does.
type registered []ward.Organisation

func (g registered) Organisations(_ context.Context, scope ward.Scope) ([]ward.Organisation, error) {
	return slices.DeleteFunc(slices.Clone(g), func(o ward.Organisation) bool { return !scope.Sees(o.ID) }), nil
}

// place is a site over a real store, with people who can sign in.
type place struct {
	*ground.Ground
	site  *web.Site
	door  *access.Door
	intel *intel.Library
	url   string
}

func open(t *testing.T, story web.Story) *place {
	t.Helper()
	p := &place{Ground: ground.New(t)}
	for _, o := range hospitals {
		p.Row(`INSERT INTO organisations VALUES ($1, $2, 'trust', '', '', '', '', $3, 0, 0, NULL, NULL)`, string(o.ID), o.Name, o.Region)
	}
	p.intel = intel.New(p.Store, p.Clock)
	p.Ledger = responses.New(p.Store, p.Clock, p.Words, p.Words, ruler{p.intel, p.Words}, p.Outbox)
	p.Board = alerts.New(p.Store, p.Clock, alerts.Neighbours{Standings: p.Words, Answers: p.Ledger, Notices: p.Outbox, Weaknesses: p.Words, Findings: p.Words})
	var err error
	if p.door, err = access.New(p.Store.Accounts(), ward.WallClock{}, access.Options{}); err != nil {
		t.Fatal(err)
	}
	rooms := web.Rooms{Alerts: p.Board, Responses: p.Ledger, Notify: p.Outbox, Access: p.door, Intel: p.intel, Estate: registered(hospitals), Story: story}
	if p.site, err = web.NewSite(rooms, p.Clock, web.Options{Operator: "Federation Watch", Exercise: true}); err != nil {
		t.Fatal(err)
	}
	for _, person := range []ward.Person{
		{Name: "Nadia Frost", Email: "nadia@watch.example", Role: ward.Analyst}, {Name: "Owen Tarn", Email: "owen@watch.example", Role: ward.Approver},
		{Name: "Amara Quill", Email: "amara@xz1a.example", Role: ward.Lead, Org: "XZ1A"}, {Name: "Ingrid Vale", Email: "ingrid@watch.example", Role: ward.Admin},
	} {
		if _, _, err := p.door.AddPerson(p.Ctx, ward.System("test"), person, passphrase); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(p.door.Middleware(p.site))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	p.url = server.URL
	return p
}

// ruler passes rulings to the library, and to the words that stand in for the match.
type ruler struct {
	*intel.Library
	words *ground.Words
}

// as is a client signed in as somebody.
func (p *place) as(t *testing.T, email string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	if status, body := p.post(t, c, "/sign-in", url.Values{"email": {email}, "password": {passphrase}, "next": {"/password"}}); status != http.StatusOK {
		t.Fatalf("sign in as %s: %d %s", email, status, body)
	}
	return c
}

func (p *place) get(t *testing.T, c *http.Client, path string) (int, string) {
	t.Helper()
	answer, err := c.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func (p *place) post(t *testing.T, c *http.Client, path string, form url.Values) (int, string) {
	t.Helper()
	answer, err := c.PostForm(p.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// signIn signs the browser in, and leaves it at the page.
func (p *place) signIn(b *browser.Browser, email, next string) {
	b.Navigate(p.url + "/sign-in?next=" + url.QueryEscape(next))
	b.Fill("#email", email)
	b.Fill("#password", passphrase)
	b.Submit("main button")
}

// lead is who answers for an organisation.
func lead(org ward.OrgID) ward.Actor { return ground.Person("Lead of "+string(org), ward.Lead, org) }

func sighting(asset ward.AssetID, name, version string, status ward.Status, at time.Time) ward.Seen {
	return ward.Seen{Asset: asset, Name: name, Software: "Endpoint Manager Mobile", Version: version, Status: status, Basis: ward.ByVersion, Fixed: "12.5.0.1",
		Why: "12.5.0.0 is below 12.5.0.1, says cna:ivanti", Source: "appliance register", Grade: ward.ToolExport, ObservedAt: at}
}

// play fills the store with one alert whose answers stand in every way.
func (p *place) play(t *testing.T) ward.Alert {
	t.Helper()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	exposed := func(org ward.OrgID, n int) {
		p.Words.Stand(ward.Standing{Org: org, State: ward.Exposed, Reason: "12.5.0.0 on 1 machine", Source: "appliance register", Grade: ward.ToolExport,
			ObservedAt: ground.Day0.Add(-20 * time.Hour), Assets: n, AsAt: ground.Day0})
	}
	for _, o := range hospitals {
		p.Words.Stand(ward.Standing{Org: o.ID, State: ward.NotExposed, Reason: "mobile management is covered, and lists no such product", Source: "appliance register", Grade: ward.ToolExport,
			ObservedAt: ground.Day0.Add(-30 * time.Hour), AsAt: ground.Day0})
	}
	exposed("XZ1A", 1)
	exposed("XZ2B", 1)
	exposed("XZ3C", 1)
	exposed("XZ8H", 1)
	for _, org := range []ward.OrgID{"XZ5E", "XZ7G"} {
		p.Words.Stand(ward.Standing{Org: org, State: ward.ExposureUnknown, Reason: "no source covers mobile management", AsAt: ground.Day0})
	}
	draft := ground.Alert()
	draft.Title = "Ivanti Endpoint Manager Mobile, two weaknesses exploited together"
	draft.Summary = "Two weaknesses of Ivanti Endpoint Manager Mobile (EPMM), used one after the other, let an outsider run code on the server without signing in.\n\nThe vendor knows of attacks. " + markup
	draft.Category, draft.ThreatType, draft.Vector, draft.TLP = "Exploit", "Remote code execution", "Network", ward.TLPClear
	draft.Platforms = []string{"Ivanti Endpoint Manager Mobile 12.5.0.0 and earlier"}
	draft.Steps = append(draft.Steps, ward.Step{Kind: ward.StepGuidance, Text: "Follow the vendor's advisory. " + markup, Link: "https://vendor.example/advisory"})
	a, err := p.Board.Draft(p.Ctx, ground.Ann, draft)
	do(err)
	a, err = p.Board.Approve(p.Ctx, ground.Bea, a.ID, a.Version)
	do(err)
	published, err := p.Board.Publish(p.Ctx, ground.Bea, a.ID, a.Version, nil)
	do(err)
	a = published.Alert
	version := func(org ward.OrgID) int { return p.Response(a.ID, org).Version }
	acknowledge := func(org ward.OrgID) {
		_, err := p.Ledger.Acknowledge(p.Ctx, lead(org), a.ID, org, version(org))
		do(err)
	}
	claim := func(org ward.OrgID, words string) {
		_, err := p.Ledger.Claim(p.Ctx, lead(org), a.ID, org, version(org), time.Time{}, words)
		do(err)
	}
	p.Clock.Advance(40 * time.Minute)
	for _, org := range []ward.OrgID{"XZ1A", "XZ2B", "XZ3C", "XZ6F", "XZ7G", "XZ8H", "XZ9J"} {
		acknowledge(org)
	}
	p.Clock.Advance(2 * time.Hour)
	for _, org := range []ward.OrgID{"XZ6F", "XZ9J"} {
		_, err = p.Ledger.Answer(p.Ctx, lead(org), a.ID, org, version(org), ward.NotRunHere, "We do not run it. "+markup)
		do(err)
	}
	_, err = p.Ledger.Close(p.Ctx, lead("XZ6F"), a.ID, "XZ6F", version("XZ6F"), "Nothing to fix.")
	do(err)
	p.Clock.Advance(20 * time.Hour)
	for _, org := range []ward.OrgID{"XZ1A", "XZ2B", "XZ8H"} {
		_, err = p.Ledger.Answer(p.Ctx, lead(org), a.ID, org, version(org), ward.Applies, "It faces the internet.")
		do(err)
		claim(org, "Updated to 12.5.0.1 last night.")
	}
	fixedAt := p.Clock.Now()
	p.Imported("XZ3C", sighting(3, "mdm-oak-01", "12.4.0.2", ward.Affected, fixedAt.Add(-48*time.Hour)))
	p.Due()
	_, err = p.Ledger.Dispute(p.Ctx, lead("XZ3C"), a.ID, "XZ3C", version("XZ3C"), "12.4.0.2 is the vendor's own fix for our branch. "+markup)
	do(err)
	p.Clock.Advance(6 * time.Hour)
	p.Imported("XZ1A", sighting(1, "mdm-harrow-01", "12.5.0.1", ward.Fixed, p.Clock.Now()))
	p.Imported("XZ2B", sighting(2, "mdm-fell-01", "12.5.0.0", ward.Affected, p.Clock.Now()))
	p.Due()
	_, err = p.Ledger.Close(p.Ctx, lead("XZ1A"), a.ID, "XZ1A", version("XZ1A"), "")
	do(err)
	p.Clock.Advance(30 * time.Hour)
	p.Due()
	return a
}

func TestWatchAndAlertPages(t *testing.T) {
	p := open(t, nil)
	a := p.play(t)
	second := ground.Alert()
	second.Title, second.Severity, second.CVEs, second.SeverityWhy = "Weakness in Harbour Gateway", ward.Medium, []ward.CVE{"CVE-2026-0001"}, []string{"CVSS 3.1 of CVE-2026-0001 is 8.1, says nvd"}
	draft, err := p.Board.Draft(p.Ctx, ground.Ann, second)
	if err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t)
	p.signIn(b, "owen@watch.example", "/watch")
	look := func(name, path string, want ...string) {
		t.Helper()
		b.Navigate(p.url + path)
		text := browser.Eval[string](b, `document.querySelector("main").innerText`)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q:\n%s", path, w, text)
			}
		}
		if browser.Eval[bool](b, `!!document.querySelector("main b:not(.ww-key b), main script")`) {
			t.Errorf("%s: typed markup became an element", path)
		}
		b.Check(name)
	}
	look("watch", "/watch", "2 things need a person", "3 answers are overdue", "Rule on Endpoint Manager Mobile 12.4.0.2", "Approve "+string(draft.ID))
	look("alerts", "/alerts", "1 alert is in force", a.Title)
	look("alert", "/alerts/"+string(a.ID), "2 of 10 organisations have closed, 1 of them confirmed by evidence", "1 claim is contradicted", "12.5.0.0", markup)
	look("alert-draft", "/alerts/"+string(draft.ID), "A draft", "says nvd")
	look("answer", "/alerts/"+string(a.ID)+"/answers/XZ2B", "mdm-fell-01")
	look("alert-new", "/alerts/new", "Draft an alert")
	look("disputes", "/disputes", "1 question waits")
	look("rule", "/disputes/rule?alert="+string(a.ID)+"&version=12.4.0.2", "mdm-oak-01", "Oakhallow")
}
