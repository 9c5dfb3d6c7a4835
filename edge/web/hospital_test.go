package web_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"wardwatch/act/alerts"
	"wardwatch/act/duty"
	"wardwatch/act/findings"
	"wardwatch/act/notify"
	"wardwatch/act/responses"
	"wardwatch/edge/access"
	"wardwatch/edge/web"
	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/estate/csv"
	"wardwatch/know/estate/cyclonedx"
	"wardwatch/know/estate/defender"
	"wardwatch/know/estate/nessus"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/cve"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/test/browser"
	"wardwatch/test/ground"
	"wardwatch/ward"
	"wardwatch/watch/archive/hunts"
	"wardwatch/watch/coverage"
)

// hospital is the site over a real store, filled through the rooms, for what organisations see and do.
type hospital struct {
	t      testing.TB
	ctx    context.Context
	clock  *ward.HandClock
	estate *estate.Register
	board  *alerts.Board
	ledger *responses.Ledger
	outbox *notify.Outbox
	door   *access.Door
	match  *match.Matcher
	intel  *intel.Library
	desk   *findings.Desk
	store  *store.Store
	hunts  *hunts.Desk
	url    string
	routes []string
}

const secret = "lantern orbit thistle"

func openHospital(t testing.TB) *hospital {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h := &hospital{t: t, ctx: t.Context(), store: s, clock: ward.NewHandClock(ground.Day0.Add(2 * time.Hour))}
	h.outbox = notify.New(s, h.clock)
	h.match, h.intel, h.desk = match.New(s, h.clock), intel.New(s, h.clock), findings.New(s, h.clock, ground.Names{})
	h.ledger = responses.New(s, h.clock, h.match, h.match, h.intel, h.outbox)
	h.outbox.Answers = h.ledger
	h.board = alerts.New(s, h.clock, alerts.Neighbours{Standings: h.match, Answers: h.ledger, Notices: h.outbox, Weaknesses: h.intel, Findings: h.desk})
	h.estate = estate.New(s, h.clock, nessus.Reader{}, cyclonedx.Reader{}, defender.Reader{}, csv.Reader{})
	h.hunts = huntsDesk(s, h.clock)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	if h.door, err = access.New(s.Accounts(), ward.WallClock{}, access.Options{Log: log}); err != nil {
		t.Fatal(err)
	}
	site, err := web.NewSite(web.Rooms{Estate: h.estate, Match: h.match, Findings: h.desk, Intel: h.intel, Feeds: feeds.New(s, h.clock, nil, h.intel, feeds.Options{}), Alerts: h.board, Responses: h.ledger, Notify: h.outbox, Duty: duty.New(s, h.clock, duty.FromBoard(h.board), h.ledger), Access: h.door, Hunts: h.hunts, Coverage: coverage.New(h.clock, s, nil)},
		h.clock, web.Options{Operator: "Federation Watch", Exercise: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.door.Middleware(site))
	t.Cleanup(server.Close)
	h.url, h.routes = server.URL, site.Routes()
	_, err = h.estate.ImportOrganisations(h.ctx, system, estate.Directory{
		Organisations: []ward.Organisation{
			{ID: "XZ1A", Name: "Saltmarsh and Fenland Trust", Kind: "trust", Town: "Saltmarsh", Postcode: "XZ1 1AA", Region: "East"},
			{ID: "XZ2B", Name: "Drumlin Trust", Kind: "trust", Town: "Drumlin", Region: "North"},
			{ID: "XZ3C", Name: "High Weald Trust", Kind: "trust", Town: "Weald", Region: "South"},
		},
		Sites:     []ward.Site{{ID: "XZ1A1", Org: "XZ1A", Name: "Fenland General Hospital", Postcode: "XZ1 2BB"}, {ID: "XZ1A2", Org: "XZ1A", Name: "Saltmarsh Infirmary", Postcode: "XZ1 3CC"}},
		Relations: []ward.Relation{{From: "XZ3C", Kind: ward.Hosts, To: "XZ1A", Since: ground.Day0.AddDate(-2, 0, 0)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []ward.Person{
		{Name: "Asha Lund", Email: "analyst@watch.example", Role: ward.Analyst}, {Name: "Ben Okoro", Email: "approver@watch.example", Role: ward.Approver},
		{Name: "Rosa Marsh", Email: "lead@saltmarsh.example", Role: ward.Lead, Org: "XZ1A"}, {Name: "Joe Reed", Email: "second@saltmarsh.example", Role: ward.Lead, Org: "XZ1A"},
		{Name: "Mia Fenn", Email: "member@saltmarsh.example", Role: ward.Member, Org: "XZ1A"}, {Name: "Rae Hill", Email: "reader@saltmarsh.example", Role: ward.Reader, Org: "XZ1A"},
		{Name: "Dee Lough", Email: "lead@drumlin.example", Role: ward.Lead, Org: "XZ2B"},
	} {
		if _, _, err := h.door.AddPerson(h.ctx, system, p, secret); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

var (
	system = ward.System("test")
	rosa   = ground.Person("Rosa Marsh", ward.Lead, "XZ1A")
)

// imported delivers an inventory of the organisation as CSV.
func (h *hospital) imported(org ward.OrgID, source string, classes []ward.Class, text string) ward.Import {
	h.t.Helper()
	i, err := h.estate.Import(h.ctx, system, estate.Delivery{Org: org, Source: source, Format: "csv", Classes: classes, ObservedAt: h.clock.Now().Add(-3 * time.Hour), Body: strings.NewReader(text), Name: source + ".csv"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	return i
}

// exposed gives an organisation two mobile management servers with an affected version.
func (h *hospital) exposed() {
	h.t.Helper()
	h.imported("XZ1A", "appliance register", []ward.Class{ward.MobileManagement, ward.Appliance}, `asset,vendor,product,version,class,site,internet_facing,data,services
mdm-01,Ivanti,Endpoint Manager Mobile,12.5.0.0,mobile management,Fenland General Hospital,yes,staff contact;authentication token,Community nursing
mdm-02,Ivanti,Endpoint Manager Mobile,11.12.0.4,mobile management,Saltmarsh Infirmary,yes,staff contact,Community nursing
fw-01,Fortinet,FortiOS,7.2.8,appliance,Fenland General Hospital,yes,,
`)
	h.published("CVE-2025-4427", "CVE-2025-4428")
}

// published takes in what the makers' records say of weaknesses.
func (h *hospital) published(cves ...string) {
	h.t.Helper()
	for _, id := range cves {
		f, err := os.Open("../../app/demo/pack/feeds/2025-05-13/cve/" + id + ".json")
		if err != nil {
			h.t.Fatal(err)
		}
		var reports []know.Report
		_, err = cve.New("").Read(h.ctx, f, func(r know.Report) error { reports = append(reports, r); return nil })
		_ = f.Close()
		if err == nil {
			_, err = h.intel.Merge(h.ctx, "cve", h.clock.Now(), reports)
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	h.settle()
}

// settle runs every job until nothing is left to do.
func (h *hospital) settle() {
	h.t.Helper()
	for _, due := range []func(context.Context, time.Time) (time.Time, error){h.match.Due, h.desk.Due, h.ledger.Due} {
		if _, err := due(h.ctx, h.clock.Now()); err != nil {
			h.t.Fatal(err)
		}
	}
}

// publish sends the reference alert to every organisation.
func (h *hospital) publish(change func(*ward.Alert)) ward.Alert {
	h.t.Helper()
	draft := ground.Alert()
	draft.Title = "Ivanti Endpoint Manager Mobile: two weaknesses exploited together"
	draft.Summary = "An attacker who reaches the server over the network can run code on it without signing in. The maker has published fixed versions.\n\nExploitation has been seen."
	draft.Platforms = []string{"Ivanti Endpoint Manager Mobile up to 11.12.0.4, 12.3.0.1, 12.4.0.1 and 12.5.0.0"}
	draft.TLP, draft.Category, draft.ThreatType, draft.Vector = ward.TLPAmber, "Exploit", "Remote code execution", "Network"
	draft.Steps = []ward.Step{{Kind: ward.StepPatch, Text: "Update to 11.12.0.5, 12.3.0.2, 12.4.0.2 or 12.5.0.1.", Link: "https://forums.ivanti.example/advisory"}, {Kind: ward.StepAction, Text: "Until then, keep the API from the internet."}}
	if change != nil {
		change(&draft)
	}
	a, err := h.board.Draft(h.ctx, ground.Ann, draft)
	if err == nil {
		a, err = h.board.Approve(h.ctx, ground.Bea, a.ID, a.Version)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.board.Publish(h.ctx, ground.Bea, a.ID, a.Version, alerts.Audience{})
	if err != nil {
		h.t.Fatal(err)
	}
	return p.Alert
}

// visitor is somebody at a browser without scripts: plain requests and a cookie.
type visitor struct {
	h *hospital
	*http.Client
}

func (h *hospital) visit(email string) *visitor {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	v := &visitor{h, &http.Client{Jar: jar}}
	if status, body := v.post("/sign-in", url.Values{"email": {email}, "password": {secret}}); status != http.StatusOK && status != http.StatusNotFound {
		h.t.Fatalf("%s: sign-in: %d %s", email, status, body)
	}
	return v
}

func (v *visitor) get(path string) (int, string) {
	v.h.t.Helper()
	res, err := v.Get(v.h.url + path)
	if err != nil {
		v.h.t.Fatal(err)
	}
	return bodyOf(v.h.t, res)
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.h.t.Helper()
	res, err := v.PostForm(v.h.url+path, form)
	if err != nil {
		v.h.t.Fatal(err)
	}
	return bodyOf(v.h.t, res)
}

func bodyOf(t testing.TB, res *http.Response) (int, string) {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// see opens a page, which must answer 200 and say each of the words.
func (v *visitor) see(path string, words ...string) string {
	v.h.t.Helper()
	status, body := v.get(path)
	if status != http.StatusOK {
		v.h.t.Fatalf("%s: status %d", path, status)
	}
	says(v.h.t, path, body, words...)
	return body
}

func says(t testing.TB, what, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(plain(body), w) {
			t.Errorf("%s does not say %q:\n%s", what, w, main(plain(body)))
		}
	}
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// plain is what a person reads of a page.
func plain(body string) string {
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(blanks.ReplaceAllString(tags.ReplaceAllString(body, " "), " "))
}

func main(text string) string {
	_, after, found := strings.Cut(text, "Sign out")
	if !found {
		return text
	}
	return after
}

// version is the version that the form on a page carries.
func version(t testing.TB, body string) string {
	t.Helper()
	m := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no version on the page:\n%s", plain(body))
	}
	return m[1]
}

func TestTheWholeAnswerWithoutScripts(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	lead := h.visit("lead@saltmarsh.example")
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)

	lead.see("/owed", "You owe one thing.", "Acknowledge", "mdm-01", "12.5.0.1", "Not acknowledged")
	body := lead.see(home, "You owe an acknowledgement in 2 days", "Two of your machines run an affected version: update to 12.5.0.1.", "Acknowledge now")
	status, body := lead.post(home+"/acknowledge", url.Values{"version": {version(t, body)}})
	if status != http.StatusOK {
		t.Fatalf("acknowledge: %d", status)
	}
	says(t, "acknowledged", body, "You acknowledged this alert.", "a word on whether it applies")

	body = lead.see(home+"/applies", "Does this alert apply to you?", "mdm-02")
	v := version(t, body)
	status, body = lead.post(home+"/applies", url.Values{"version": {v}, "words": {"both machines"}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("an answer without a choice: status %d", status)
	}
	says(t, "refused", body, "There is a problem", "both machines")
	_, body = lead.post(home+"/applies", url.Values{"version": {v}, "applicability": {"yes"}, "words": {"both machines"}, "do": {"draft"}})
	says(t, "draft", body, "Your draft is kept.", "Draft kept")
	if r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A"); err != nil || r.Applicability != "" {
		t.Errorf("a draft was sent: %+v, %v", r, err)
	}
	if body = lead.see(home + "/applies"); !strings.Contains(body, "both machines") || !strings.Contains(body, `value="yes" checked`) {
		t.Errorf("the draft is not on the form:\n%s", body)
	}
	_, body = lead.post(home+"/applies", url.Values{"version": {v}, "applicability": {"yes"}, "words": {"both machines"}})
	says(t, "applies", body, "Your answer is saved.", "Yes, it applies.")
	if strings.Contains(body, "Draft kept") {
		t.Error("the draft stays after it was sent")
	}

	h.clock.Advance(30 * time.Minute)
	body = lead.see(home+"/act", "Is it fixed?")
	status, body = lead.post(home+"/act", url.Values{"version": {version(t, body)}, "progress": {"fixed"}, "fixed_at-day": {"31"}, "fixed_at-month": {"2"}, "fixed_at-year": {"2025"}, "fixed_at-time": {"9:00"}, "words": {"updated"}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("31 February: status %d", status)
	}
	_, body = lead.post(home+"/act", url.Values{"version": {version(t, body)}, "progress": {"fixed"}, "fixed_at-day": {"13"}, "fixed_at-month": {"05"}, "fixed_at-year": {"2025"}, "fixed_at-time": {"18:15"}, "words": {"updated"}})
	says(t, "claimed", body, "Your update is saved.", "fixed since 18:15 UTC on 13 May 2025", "Awaiting evidence", "no evidence newer than the claim")

	body = lead.see(home+"/close", `Your answer would wait as "patched, not yet checked"`)
	_, body = lead.post(home+"/close", url.Values{"version": {version(t, body)}, "words": {"an import follows"}})
	says(t, "waits for the check", body, "Your answer reads: patched, not yet checked.", "You owe a signature under the compromise check", "mdm-01 and mdm-02 could be reached from outside")
	body = lead.see(home+"/check", "Was an intruder there before the fix?", "Patched is not clean: mdm-01 and mdm-02 could be reached")
	v = version(t, body)
	status, body = lead.post(home+"/check", url.Values{"version": {v}, "result": {"no_evidence"}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("a signature without coverage: status %d", status)
	}
	says(t, "no coverage", body, "There is a problem", "say which logs were searched")
	_, body = lead.post(home+"/check", url.Values{"version": {v}, "result": {"no_evidence"}, "coverage": {"Web and API logs of both servers since 1 May; the firewall keeps 14 days."}})
	says(t, "closed", body, "Your signature is kept: no evidence found. Your answer is closed, not confirmed", "Closed, not confirmed", "Nothing is owed.", "the firewall keeps 14 days")
	lead.see("/owed", "You owe nothing now.")
}

// answered is an alert that the organisation acknowledged and said to apply.
func (h *hospital) answered() (a ward.Alert, home string) {
	h.t.Helper()
	h.exposed()
	a = h.publish(nil)
	r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A")
	if err == nil {
		_, err = h.ledger.Answer(h.ctx, rosa, a.ID, "XZ1A", r.Version, ward.Applies, "Both servers.")
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return a, fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
}

func TestAnAnswerEndsAsItIsLived(t *testing.T) {
	day := func(name string) url.Values {
		return url.Values{name + "-day": {"1"}, name + "-month": {"7"}, name + "-year": {"2025"}}
	}
	with := func(more ...url.Values) url.Values {
		all := url.Values{}
		for _, m := range more {
			for name, values := range m {
				all[name] = values
			}
		}
		return all
	}
	for _, c := range []struct {
		step    string
		refused url.Values
		why     string
		sent    url.Values
		waits   string
		says    []string
	}{
		{"controlled", with(day("review"), url.Values{"kind": {"isolated"}, "what": {"Cut off from the internet"}, "owner": {""}, "evidence": {"Change 4711"}}), "who looks after the control",
			with(day("review"), url.Values{"kind": {"isolated"}, "what": {"Cut off from the internet"}, "owner": {"Mia Fenn, network lead"}, "evidence": {"Change 4711"}}),
			"controlled, not yet checked", []string{"Your signature is kept: no evidence found. Your answer is controlled until 1 July 2025", "Isolated: Cut off from the internet", "Mia Fenn, network lead", "Change 4711", "Renew it or change it"}},
		{"accepted", with(day("until"), url.Values{"officer": {""}, "reason": {"Theatre lists depend on it"}}), "the senior information risk owner, by name",
			with(day("until"), url.Values{"officer": {"Dr Ola Finch"}, "reason": {"Theatre lists depend on it"}}),
			"risk accepted, not yet checked", []string{"Your answer is risk accepted until 1 July 2025", "Dr Ola Finch", "Theatre lists depend on it"}},
		{"residual", with(day("until"), url.Values{"left": {"mdm-02"}, "reason": {""}, "fixed_at-day": {"13"}, "fixed_at-month": {"5"}, "fixed_at-year": {"2025"}, "fixed_at-time": {"18:10"}}), "why they are not fixed yet",
			with(day("until"), url.Values{"left": {"mdm-02"}, "others": {"spare-1\nspare-2"}, "each": {"spare-2; awaits parts; 9.8.2025"}, "reason": {"Not seen since 2 May"}, "fixed_at-day": {"13"}, "fixed_at-month": {"5"}, "fixed_at-year": {"2025"}, "fixed_at-time": {"18:10"}}),
			"patched, not yet checked", []string{"Not fixed yet: mdm-02", "Not seen since 2 May", "Not fixed yet: spare-1", "awaits parts", "by 9 August 2025"}},
	} {
		t.Run(c.step, func(t *testing.T) {
			h := openHospital(t)
			_, home := h.answered()
			h.clock.Advance(time.Hour)
			lead := h.visit("lead@saltmarsh.example")
			lead.see(home+"/close", "Controlled until a date", "Risk accepted until a date", "Fixed, but for some machines")
			body := lead.see(home + "/" + c.step)
			v := version(t, body)
			c.refused.Set("version", v)
			status, body := lead.post(home+"/"+c.step, c.refused)
			if status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", status)
			}
			says(t, "refused", body, "There is a problem", c.why)
			c.sent.Set("version", v)
			status, body = lead.post(home+"/"+c.step, c.sent)
			if status != http.StatusOK {
				t.Errorf("status %d", status)
			}
			says(t, "sent", body, "Your answer reads: "+c.waits, "Look for signs of an intruder")
			_, body = lead.post(home+"/check", url.Values{"version": {version(t, lead.see(home+"/check"))}, "result": {"no_evidence"}, "coverage": {"The proxy's logs since 1 May"}})
			says(t, "signed", body, c.says...)
		})
	}
}

func TestProgressIsSaidInNumbers(t *testing.T) {
	h := openHospital(t)
	_, home := h.answered()
	lead := h.visit("lead@saltmarsh.example")
	v := version(t, lead.see(home+"/act", "Machines done", "What holds it up"))
	form := url.Values{"version": {v}, "progress": {"working"}, "affected": {"2"}, "done": {"3"}}
	status, body := lead.post(home+"/act", form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("3 of 2: status %d", status)
	}
	says(t, "3 of 2", body, "3 of 2 cannot be")
	form.Set("done", "1")
	form.Set("blocker", "The change board sits on Friday")
	form.Set("help", "A spare server")
	form.Set("next_due-day", "15")
	form.Set("next_due-month", "5")
	form.Set("next_due-year", "2025")
	_, body = lead.post(home+"/act", form)
	says(t, "progress", body, "1 of 2 done", "Held up by", "The change board sits on Friday", "A spare server", "17:00 UTC on 15 May 2025")
	lead.see("/owed", "1 of 2 done", "17:00 UTC on 15 May 2025")
}

func TestAnAnswerByTelephoneIsShownAndOverruled(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	if _, err := h.ledger.ByTelephone(h.ctx, ground.Ann, ward.PhoneCall{Speaker: "Joe Reed, on call", Number: "01632 960123"}, a.ID, "XZ1A", 1, responses.Answer{Acknowledge: true, Applies: ward.AppliesNot, Words: "They say no."}); err != nil {
		t.Fatal(err)
	}
	lead := h.visit("lead@saltmarsh.example")
	lead.see(home, "Recorded by telephone: Ann wrote down what Joe Reed, on call said", "called back on 01632 960123", "answer again: your own word takes its place")
	body := lead.see(home + "/applies")
	lead.post(home+"/applies", url.Values{"version": {version(t, body)}, "applicability": {"yes"}, "words": {"We do run it."}})
	if body = lead.see(home, "Yes, it applies"); strings.Contains(body, "Recorded by telephone: ") {
		t.Error("the telephone call stands over the organisation's own word")
	}
}

func TestTwoAnswerAtOnce(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	first, second := h.visit("lead@saltmarsh.example"), h.visit("second@saltmarsh.example")
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	v := version(t, first.see(home+"/applies"))
	if v != version(t, second.see(home+"/applies")) {
		t.Fatal("the two read different versions")
	}
	first.post(home+"/applies", url.Values{"version": {v}, "applicability": {"yes"}, "words": {"we run two of them"}})
	status, body := second.post(home+"/applies", url.Values{"version": {v}, "applicability": {"no"}, "words": {"we have none"}})
	if status != http.StatusConflict {
		t.Fatalf("status %d", status)
	}
	says(t, "conflict", body, "Somebody else answered first", "we run two of them", "we have none", "Rosa Marsh")
	if body = second.see(home + "/applies"); !strings.Contains(body, "we have none") {
		t.Error("the second person's words are lost")
	}
}

func TestOthersFindNothing(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	page, err := h.estate.Assets(h.ctx, ward.Everything(), estate.AssetQuery{Org: "XZ1A"})
	if err != nil {
		t.Fatal(err)
	}
	imports, err := h.estate.Imports(h.ctx, ward.Everything(), "XZ1A", 1)
	if err != nil {
		t.Fatal(err)
	}
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	dee := h.visit("lead@drumlin.example")
	for _, path := range []string{home, home + "/applies", home + "/act", home + "/dispute", home + "/close", "/organisations/XZ1A", "/organisations/xz1a", "/organisations/XZ1A/assets", "/organisations/XZ1A/assets.csv",
		"/organisations/XZ1A/exposures.csv", "/organisations/XZ1A/imports", "/organisations/XZ1A/declare?product=x", fmt.Sprintf("/assets/%d", page.Items[0].ID), fmt.Sprintf("/organisations/XZ1A/imports/%d", imports[0].ID),
		fmt.Sprintf("/organisations/XZ2B/imports/%d", imports[0].ID)} {
		if status, body := dee.get(path); status != http.StatusNotFound || strings.Contains(body, "mdm-0") || strings.Contains(body, "Saltmarsh") {
			t.Errorf("%s: status %d", path, status)
		}
	}
	for _, path := range []string{home + "/acknowledge", home + "/applies", home + "/act", home + "/dispute", home + "/close", "/organisations/XZ1A/imports/1/release", "/organisations/XZ1A/imports/1/discard"} {
		if status, _ := dee.post(path, url.Values{"version": {"1"}, "words": {"x"}, "applicability": {"yes"}, "progress": {"working"}}); status != http.StatusNotFound {
			t.Errorf("post %s: status %d", path, status)
		}
	}
	for _, path := range []string{"/owed", "/organisations", "/inbox"} {
		if body := dee.see(path); strings.Contains(body, "Saltmarsh") || strings.Contains(body, "mdm-0") {
			t.Errorf("%s tells of another organisation", path)
		}
	}
}

// Every route that the site has is asked as another organisation, by session and by token, with the first organisation's ids
// in every place: one that is added later is asked too, and a place that this test cannot fill fails it.
func TestNoRouteTellsAnotherOrganisation(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	page, err := h.estate.Assets(h.ctx, ward.Everything(), estate.AssetQuery{Org: "XZ1A"})
	if err != nil {
		t.Fatal(err)
	}
	imports, err := h.estate.Imports(h.ctx, ward.Everything(), "XZ1A", 1)
	if err != nil {
		t.Fatal(err)
	}
	notices, err := h.outbox.Inbox(h.ctx, ward.Only("XZ1A"), "XZ1A", "", 1)
	if err != nil || len(notices.Items) == 0 {
		t.Fatal(len(notices.Items), err)
	}
	lead, err := h.door.PersonByEmail(h.ctx, system, "lead@drumlin.example")
	if err != nil {
		t.Fatal(err)
	}
	rosa, err := h.door.PersonByEmail(h.ctx, system, "lead@saltmarsh.example")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := h.door.AddToken(h.ctx, system, lead.ID, "test", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{"{org}": "XZ1A", "{import}": fmt.Sprint(imports[0].ID), "{cve}": string(a.CVEs[0]), "{$}": "", "{item}": "overdue:" + string(a.ID) + ":XZ1A", "{name}": "edge-appliance", "{contact}": fmt.Sprint(h.contact("Mia Fenn", "XZ1A", "mia@saltmarsh.example").ID), "{link}": strings.Repeat("A", 32), "{merge}": fmt.Sprint(h.twins().ID), "{hunt}": fmt.Sprint(h.hunted(ground.Person("Rosa Marsh", ward.Lead, "XZ1A"), "user=mdm-0", "Saltmarsh", "mdm-01"))}
	within := map[string]string{"/alerts/": string(a.ID), "/assets/": fmt.Sprint(page.Items[0].ID), "/inbox/": fmt.Sprint(notices.Items[0].ID),
		"/people/": string(rosa.ID), "/account/tokens/": "1", "/detections/": fmt.Sprint(h.events("XZ1A", "Fenland")[0].ID)}
	tells := func(body string) bool {
		for _, canary := range []string{"Saltmarsh", "Fenland", "mdm-0", "Rosa Marsh", "Mia Fenn"} {
			if strings.Contains(body, canary) {
				return true
			}
		}
		return false
	}
	asked := 0
	ask := func(client *http.Client, method, path, bearer string) (int, string) {
		var body io.Reader
		if method == http.MethodPost {
			body = strings.NewReader(url.Values{"version": {"1"}, "words": {"x"}, "applicability": {"yes"}, "org": {"XZ1A"}}.Encode())
		}
		request, err := http.NewRequestWithContext(h.ctx, method, h.url+path, body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if bearer != "" {
			request.Header.Set("Authorization", "Bearer "+bearer)
		}
		res, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		asked++
		return bodyOf(t, res)
	}
	for _, route := range h.routes {
		method, path, named := strings.Cut(route, " ")
		if !named {
			method, path = http.MethodGet, route
		}
		if path == "/live" || path == "/sign-out" {
			continue // a stream, held to its scope by a test of its own; and the end of the session
		}
		for place, id := range ids {
			path = strings.ReplaceAll(path, place, id)
		}
		for before, id := range within {
			path = strings.ReplaceAll(path, before+"{id}", before+id)
		}
		if strings.Contains(path, "{") {
			t.Errorf("%s: the test has nothing to put into a place of %s", route, path)
			continue
		}
		for who, bearer := range map[string]string{"session": "", "token": token} {
			client := &http.Client{}
			if bearer == "" {
				client = h.visit("lead@drumlin.example").Client
			}
			if status, body := ask(client, method, path, bearer); tells(body) || status >= http.StatusInternalServerError {
				t.Errorf("%s by %s: status %d, or it tells of another organisation", route, who, status)
			}
		}
	}
	if own, body := ask(h.visit("lead@saltmarsh.example").Client, http.MethodGet, "/organisations/XZ1A", ""); own != http.StatusOK || !tells(body) {
		t.Error("the control: the organisation's own lead is not told either, so that the test could not fail")
	}
	t.Logf("%d routes, asked %d times", len(h.routes), asked)
}

func TestAReaderReadsAndAMemberPrepares(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	if body := h.visit("reader@saltmarsh.example").see(home, "Your organisation's cyber lead answers."); strings.Contains(body, "Acknowledge now") {
		t.Error("a reader is offered what only a lead may do")
	}
	member := h.visit("member@saltmarsh.example")
	body := member.see(home+"/applies", "Keep as a draft")
	if strings.Contains(body, "Save and send") {
		t.Error("a member is offered to send")
	}
	if status, _ := member.post(home+"/applies", url.Values{"version": {version(t, body)}, "applicability": {"yes"}}); status != http.StatusForbidden {
		t.Errorf("a member sends an answer: status %d", status)
	}
}

func TestTheCentresLookIsSeen(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	page, err := h.estate.Assets(h.ctx, ward.Everything(), estate.AssetQuery{Org: "XZ1A", Text: "mdm-01"})
	if err != nil {
		t.Fatal(err)
	}
	analyst := h.visit("analyst@watch.example")
	body := analyst.see(fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID), "Only they can change it")
	if strings.Contains(body, "Acknowledge now") || strings.Contains(body, "We think this is wrong") {
		t.Error("the centre is offered to answer for an organisation")
	}
	analyst.see("/organisations/XZ1A", "The organisation can see that you looked.")
	analyst.see(fmt.Sprintf("/assets/%d", page.Items[0].ID), "exposed to two known weaknesses now")
	h.visit("lead@saltmarsh.example").see("/organisations/XZ1A", "Asha Lund", "Asset mdm-01", "This page", "The answer to "+string(a.ID))
}

func TestMarkupIsText(t *testing.T) {
	const bad = `<script>alert('x')</script>`
	h := openHospital(t)
	h.imported("XZ1A", "register "+bad, []ward.Class{ward.MobileManagement}, "asset,vendor,product,version,site,services\n\"m "+bad+"\",\"v "+bad+"\",\"p "+bad+"\",\"1 "+bad+"\",\"s "+bad+"\",\"c "+bad+"\"\n")
	page, err := h.estate.Assets(h.ctx, ward.Everything(), estate.AssetQuery{Org: "XZ1A"})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("assets: %v, %v", page.Items, err)
	}
	a := h.publish(func(a *ward.Alert) {
		a.Title, a.Summary, a.Vendor, a.Product, a.Platforms, a.Category = bad, bad, bad, bad, []string{bad}, bad
		a.Steps = []ward.Step{{Kind: ward.StepPatch, Text: bad, Link: "https://forums.example/" + bad}}
	})
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	lead := h.visit("lead@saltmarsh.example")
	v := version(t, lead.see(home))
	lead.post(home+"/applies", url.Values{"version": {v}, "applicability": {"yes"}, "words": {bad}})
	lead.post(home+"/dispute", url.Values{"version": {"2"}, "words": {bad}})
	lead.post(home+"/act", url.Values{"version": {"3"}, "do": {"draft"}, "words": {bad}, "fixed_at-day": {bad}})
	lead.post("/organisations/XZ1A/declare", url.Values{"vendor": {bad}, "product": {bad}, "answer": {"yes"}, "version": {bad}, "asset": {bad}, "words": {bad}})
	imports, err := h.estate.Imports(h.ctx, ward.Everything(), "XZ1A", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/owed", home, home + "/applies", home + "/act", home + "/dispute", home + "/close", "/organisations", "/organisations?text=" + url.QueryEscape(bad), "/organisations/XZ1A",
		"/organisations/XZ1A/assets", "/organisations/XZ1A/assets?text=" + url.QueryEscape(bad), fmt.Sprintf("/assets/%d", page.Items[0].ID), "/organisations/XZ1A/imports", fmt.Sprintf("/organisations/XZ1A/imports/%d", imports[0].ID),
		"/organisations/XZ1A/declare?product=" + url.QueryEscape(bad), "/inbox"} {
		if body := lead.see(path); strings.Contains(body, "<script>alert") {
			t.Errorf("%s: markup from a text is markup on the page", path)
		}
	}
	if body := lead.see(home); !strings.Contains(body, "&lt;script&gt;alert") {
		t.Error("the text is not shown")
	}
}

func TestHospitalPages(t *testing.T) {
	h := openHospital(t)
	b := browser.Start(t)
	signIn(h, b, "lead@saltmarsh.example")
	b.Navigate(h.url + "/owed")
	b.Check("owed-empty")
	b.Navigate(h.url + "/organisations/XZ1A")
	b.Check("organisation-empty")
	h.exposed()
	a := h.publish(nil)
	other := h.publish(func(a *ward.Alert) {
		a.Title, a.Vendor, a.Product, a.CVEs = "A gateway that gives away its sessions", "Citrix", "NetScaler ADC", []ward.CVE{"CVE-2025-5777"}
	})
	home := fmt.Sprintf("%s/alerts/%s/organisations/XZ1A", h.url, a.ID)
	for name, path := range map[string]string{"owed": h.url + "/owed", "answer": home, "answer-applies": home + "/applies", "answer-act": home + "/act", "answer-dispute": home + "/dispute", "answer-close": home + "/close",
		"answer-other": fmt.Sprintf("%s/alerts/%s/organisations/XZ1A", h.url, other.ID), "organisations": h.url + "/organisations", "organisation": h.url + "/organisations/XZ1A", "assets": h.url + "/organisations/XZ1A/assets",
		"asset": h.url + "/assets/1", "imports": h.url + "/organisations/XZ1A/imports", "import": h.url + "/organisations/XZ1A/imports/1", "inbox": h.url + "/inbox",
		"declare": h.url + "/organisations/XZ1A/declare?vendor=Ivanti&product=Endpoint+Manager+Mobile&alert=" + string(a.ID)} {
		b.Navigate(path)
		b.Check(name)
	}
}

// claimed answers the alert as fixed an hour ago.
func (h *hospital) claimed(a ward.Alert) ward.Response {
	h.t.Helper()
	r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A")
	if err == nil {
		r, err = h.ledger.Answer(h.ctx, rosa, a.ID, "XZ1A", r.Version, ward.Applies, "Both servers run it.")
	}
	if err == nil {
		r, err = h.ledger.Claim(h.ctx, rosa, a.ID, "XZ1A", r.Version, h.clock.Now().Add(-time.Hour), "Both servers were updated tonight.")
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// register is the appliance register's inventory with the versions of the two servers.
func register(first, second string) string {
	return "asset,vendor,product,version,class,site,internet_facing\nmdm-01,Ivanti,Endpoint Manager Mobile," + first + ",mobile management,Fenland General Hospital,yes\n" +
		"mdm-02,Ivanti,Endpoint Manager Mobile," + second + ",mobile management,Saltmarsh Infirmary,yes\nfw-01,Fortinet,FortiOS,7.2.8,appliance,Fenland General Hospital,yes\n"
}

func TestEvidenceDecidesWhatMayClose(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	lead := h.visit("lead@saltmarsh.example")
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	h.clock.Advance(5 * time.Hour)
	h.claimed(a)
	h.clock.Advance(6 * time.Hour)
	h.imported("XZ1A", "appliance register", nil, register("12.5.0.1", "12.5.0.0"))
	body := lead.see(home, "Newer evidence contradicts the answer.", "mdm-02", "Cannot close", "Put right what newer evidence contradicts")
	if !strings.Contains(body, "Cannot close as fixed") {
		t.Error("closing as fixed is offered while evidence contradicts the answer")
	}
	body = lead.see(home+"/close", "It cannot close.", "mdm-02")
	status, body := lead.post(home+"/close", url.Values{"version": {version(t, body)}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("closing a contradicted answer: status %d", status)
	}
	says(t, "refusal", body, "There is a problem", "mdm-02")
	lead.see("/owed", "Put right what newer evidence contradicts", "Contradicted", "mdm-02")
	h.clock.Advance(20 * time.Hour)
	h.imported("XZ1A", "appliance register", nil, register("12.5.0.1", "12.5.0.1"))
	lead.see(home, "Confirmed by appliance register at", "tool export", "None of 2 machines with an affected version by the newest evidence.")
	lead.post(home+"/check", url.Values{"version": {version(t, lead.see(home+"/check"))}, "result": {"no_evidence"}, "coverage": {"All logs since 1 May."}})
	lead.see(home+"/close", "Your answer closes as: closed, confirmed.")
	_, body = lead.post(home+"/close", url.Values{"version": {version(t, lead.see(home+"/close"))}})
	says(t, "closed", body, "Your answer is closed, confirmed.")
}

func TestOneQuestionWhereNothingIsKnown(t *testing.T) {
	h := openHospital(t)
	h.published("CVE-2025-4427", "CVE-2025-4428")
	a := h.publish(nil)
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	lead := h.visit("lead@saltmarsh.example")
	lead.see("/organisations/XZ1A", "No inventory was ever delivered", "Do you run Ivanti Endpoint Manager Mobile?")
	body := lead.see(home, "Do you run Ivanti Endpoint Manager Mobile?", "Answer this one question")
	link := regexp.MustCompile(`href="(/organisations/XZ1A/declare[^"]*)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatal("no link to the question")
	}
	lead.see(html.UnescapeString(link[1]), "Do you run Ivanti Endpoint Manager Mobile?", "holds for 90 days")
	form := url.Values{"vendor": {"Ivanti"}, "product": {"Endpoint Manager Mobile"}, "alert": {string(a.ID)}, "answer": {"yes"}}
	status, body := lead.post("/organisations/XZ1A/declare", form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("a yes without a version: status %d", status)
	}
	says(t, "no version", body, "There is a problem")
	form.Set("version", "12.4.0.1")
	form.Set("asset", "mdm-old")
	if status, body = lead.post("/organisations/XZ1A/declare", form); status != http.StatusOK {
		t.Fatalf("declare: status %d %s", status, plain(body))
	}
	h.settle()
	lead.see(home, "mdm-old", "12.4.0.1", "self-declared")
	lead.see("/organisations/XZ1A", "Yes, version 12.4.0.1 on mdm-old", "by Rosa Marsh")
}

func TestInventoriesComeInByThePage(t *testing.T) {
	h := openHospital(t)
	lead := h.visit("lead@saltmarsh.example")
	upload := func(text string, fields map[string]string) (int, string) {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		for name, value := range fields {
			_ = form.WriteField(name, value)
		}
		if text != "" {
			file, err := form.CreateFormFile("file", "list.csv")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(file, text)
		}
		_ = form.Close()
		res, err := lead.Post(h.url+"/organisations/XZ1A/imports", form.FormDataContentType(), &b)
		if err != nil {
			t.Fatal(err)
		}
		return bodyOf(t, res)
	}
	fields := map[string]string{"source": "appliance register", "classes": "mobile_management", "observed-day": "13", "observed-month": "5", "observed-year": "2025", "observed-time": "06:00"}
	if status, body := upload("", fields); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose the file to deliver.") {
		t.Errorf("no file: status %d", status)
	}
	if status, body := upload("no header here\n", fields); status != http.StatusUnprocessableEntity || !strings.Contains(body, "There is a problem") {
		t.Errorf("not an inventory: status %d\n%s", status, main(plain(body)))
	}
	ten := "asset,vendor,product,version\n"
	for i := range 10 {
		ten += fmt.Sprintf("m%d,Ivanti,Endpoint Manager Mobile,12.5.0.0\n", i)
	}
	_, body := upload(ten+",Ivanti,Endpoint Manager Mobile,1\n", fields)
	says(t, "applied", body, "Applied: 10 assets", "One row could not be read", "Rows that could not be read", "line 12")
	fields["observed-time"] = "09:00"
	_, body = upload("asset,vendor,product,version\nm1,Ivanti,Endpoint Manager Mobile,12.5.0.0\n", fields)
	says(t, "held", body, "waits for a person", "9 assets would no longer be seen.", "discard it")
	lead.see("/organisations/XZ1A", "One import waits for a person.")
	lead.see("/organisations/XZ1A/imports", "One import waits for a person to apply or discard it.")
	action := regexp.MustCompile(`action="([^"]*/release)"`).FindStringSubmatch(body)
	if action == nil {
		t.Fatal("nothing to decide")
	}
	if status, _ := h.visit("member@saltmarsh.example").post(action[1], nil); status != http.StatusForbidden {
		t.Errorf("a member applies what was held: status %d", status)
	}
	_, body = lead.post(action[1], nil)
	says(t, "released", body, "Applied: 1 asset")
	lead.see("/organisations/XZ1A/assets?gone=yes", "9 assets that no source of Saltmarsh and Fenland Trust lists any more")
}

func TestFilesAreSafeToOpen(t *testing.T) {
	h := openHospital(t)
	h.imported("XZ1A", "register", []ward.Class{ward.MobileManagement}, "asset,vendor,product,version,site\n=cmd|' /C calc'!A0,Ivanti,Endpoint Manager Mobile,12.5.0.0,@SUM(1)\n")
	h.published("CVE-2025-4427")
	lead := h.visit("lead@saltmarsh.example")
	for _, kind := range []string{"assets", "exposures"} {
		status, body := lead.get("/organisations/XZ1A/" + kind + ".csv")
		lines := strings.Split(strings.TrimSpace(body), "\r\n")
		if status != http.StatusOK || len(lines) != 2 || !strings.HasPrefix(lines[1], "'=cmd") || !strings.Contains(lines[1], ",'@SUM(1),") {
			t.Errorf("%s: status %d\n%s", kind, status, body)
		}
	}
}

func TestNoticesAreMarkedAsRead(t *testing.T) {
	h := openHospital(t)
	a := h.publish(nil)
	lead := h.visit("lead@saltmarsh.example")
	body := lead.see("/inbox", "One notice is new.", string(a.ID), "New")
	id := regexp.MustCompile(`name="notice" value="(\d+)"`).FindStringSubmatch(body)
	if id == nil {
		t.Fatal("nothing to choose")
	}
	if _, body = h.visit("lead@drumlin.example").post("/inbox/read", url.Values{"notice": {id[1]}}); !strings.Contains(body, "nothing at this address") {
		t.Error("another organisation marks a notice")
	}
	_, body = lead.post("/inbox/read", url.Values{"notice": {id[1]}})
	says(t, "read", body, "Everything here has been read.", "by Rosa Marsh")
}

func TestHospitalStates(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	home := fmt.Sprintf("%s/alerts/%s/organisations/", h.url, a.ID)
	b := browser.Start(t)
	signIn(h, b, "lead@drumlin.example")
	b.Navigate(home + "XZ2B")
	b.Check("answer-not-known")
	b.Navigate(h.url + "/organisations/XZ2B/declare?vendor=Ivanti&product=Endpoint+Manager+Mobile")
	b.Expect(h.url + "/organisations/XZ2B/declare")
	b.Submit("main button[type=submit]")
	b.Check("declare-refused")
	b.Submit("header button[type=submit]")

	h.clock.Advance(6 * time.Hour)
	r := h.claimed(a)
	signIn(h, b, "lead@saltmarsh.example")
	b.Navigate(home + "XZ1A")
	b.Check("answer-awaiting")
	b.Navigate(home + "XZ1A/close")
	b.Check("answer-close-not-confirmed")
	b.Navigate(home + "XZ1A/act")
	if _, err := h.ledger.Answer(h.ctx, rosa, a.ID, "XZ1A", r.Version, ward.AppliesPart, "Only the community servers."); err != nil {
		t.Fatal(err)
	}
	b.Run(chromedp.Click(chromedp.CSS("#progress"), chromedp.NodeVisible))
	browser.Eval[bool](b, `document.querySelector("#words").value = "Both are updated, I checked at the console."; true`)
	b.Expect(home + "XZ1A/act")
	b.Submit("main button[type=submit]")
	b.Check("answer-conflict")

	h.clock.Advance(60 * time.Hour)
	h.imported("XZ1A", "appliance register", nil, register("12.5.0.1", "12.5.0.0"))
	b.Navigate(home + "XZ1A")
	b.Check("answer-contradicted")
	b.Navigate(home + "XZ1A/close")
	b.Check("answer-cannot-close")
	b.Navigate(h.url + "/owed")
	b.Check("owed-contradicted")
	b.Navigate(home + "XZ1A")
	b.Paper()
	b.Screenshot("answer-paper", browser.Tablet)
	b.Prefer(browser.Light)

	h.clock.Advance(40 * 24 * time.Hour)
	h.settle()
	b.Navigate(h.url + "/owed")
	b.Check("owed-overdue")
	b.Navigate(h.url + "/organisations/XZ1A")
	b.Check("organisation-stale")
	b.Submit("header button[type=submit]")

	signIn(h, b, "analyst@watch.example")
	b.Navigate(home + "XZ1A")
	b.Check("answer-by-the-centre")
	b.Navigate(h.url + "/organisations")
	b.Check("organisations-national")
	b.Submit("header button[type=submit]")
	signIn(h, b, "lead@saltmarsh.example")
	b.Navigate(h.url + "/organisations/XZ1A")
	b.Check("organisation-looked-at")
}

// reach presses Tab until what the selector finds has the focus.
func reach(t *testing.T, b *browser.Browser, selector string) {
	t.Helper()
	for range 80 {
		if browser.Eval[bool](b, "document.activeElement.matches("+strconv.Quote(selector)+")") {
			return
		}
		b.Press("\t")
	}
	t.Fatalf("%s is not reached by the keyboard", selector)
}

// enter opens another page by the keyboard, which must hold what the selector finds.
func enter(b *browser.Browser, selector string) {
	b.Follow("\r")
	b.Until("!!document.querySelector(" + strconv.Quote(selector) + ")")
}

func TestTheWholeAnswerByKeyboard(t *testing.T) {
	h := openHospital(t)
	h.exposed()
	a := h.publish(nil)
	home := fmt.Sprintf("/alerts/%s/organisations/XZ1A", a.ID)
	b := browser.Start(t)
	signIn(h, b, "lead@saltmarsh.example")
	b.Navigate(h.url + "/owed")
	reach(t, b, "main a[href='"+home+"']")
	enter(b, ".ww-answer")
	reach(t, b, ".ww-next button")
	enter(b, ".nhsuk-notification-banner")
	reach(t, b, ".ww-next a")
	enter(b, "#applicability")
	reach(t, b, "#applicability")
	b.Press(" ")
	reach(t, b, "main .ww-buttons button")
	enter(b, ".ww-answer")
	reach(t, b, ".ww-next a")
	enter(b, "#progress")
	reach(t, b, "#progress")
	b.Press(" ")
	reach(t, b, "#words")
	b.Press("Updated both.")
	reach(t, b, "main .ww-buttons button")
	enter(b, ".ww-answer")
	reach(t, b, ".ww-next a")
	enter(b, "#result")
	reach(t, b, "#result")
	b.Press(" ")
	reach(t, b, "#coverage")
	b.Press("All logs since 1 May.")
	reach(t, b, "main .ww-buttons button")
	enter(b, ".ww-answer")
	reach(t, b, ".ww-next a")
	enter(b, "#words")
	reach(t, b, "main .ww-buttons button")
	enter(b, ".ww-answer")
	r, err := h.ledger.Get(h.ctx, ward.Everything(), a.ID, "XZ1A")
	if err != nil || r.State != ward.ClosedAnswer || r.Applicability != ward.Applies || r.ClosedAs != responses.ClosedNotConfirmed {
		t.Errorf("answered %+v, %v", r, err)
	}
}

func signIn(h *hospital, b *browser.Browser, email string) {
	b.Navigate(h.url + "/sign-in")
	b.Fill("#email", email)
	b.Fill("#password", secret)
	b.Submit("main button[type=submit]")
}
