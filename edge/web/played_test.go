package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/app"
	"wardwatch/config"
	"wardwatch/edge/access"
	"wardwatch/edge/web"
	"wardwatch/know/estate"
	"wardwatch/know/estate/ods"
	"wardwatch/test/browser"
	"wardwatch/ward"
)

const (
	packDir    = "../../app/demo/pack"
	passphrase = "lantern orbit thistle"

	// markup is HTML as somebody types it: it must come out as text.
	markup = `<script>alert("x")</script><b>bold</b>`
)

// place is the product as it is served, filled by playing the demonstration's inputs through it up to a moment.
type place struct {
	*app.App
	t      testing.TB
	clock  *ward.HandClock
	url    string
	people map[string]ward.Actor
	alert  ward.Alert
}

// step is one line of the pack's scripts: what comes in, and when.
type step struct {
	At         time.Time
	Do         string
	Who        string
	Org        ward.OrgID
	File       string
	Feed       string
	Source     string
	Format     string
	Classes    []ward.Class
	Grade      ward.Grade
	Observed   time.Time
	Title      string
	Severity   ward.Severity
	Category   string
	ThreatType string `json:"threat_type"`
	Vector     string
	Summary    string
	Vendor     string
	Product    string
	Platforms  []string
	CVEs       []ward.CVE
	Steps      []ward.Step
	TLP        ward.TLP
	Applies    ward.Applicability
	Words      string
	FixedAt    time.Time `json:"fixed_at"`
	Answer     ward.DeclaredAnswer
	Version    string
	Host       ward.OrgID
	Versions   []string
	Status     ward.Status
	Attempt    bool
}

// played opens a site and plays the pack up to a moment.
func played(t testing.TB, until time.Time) *place {
	t.Helper()
	p := &place{t: t, clock: ward.NewHandClock(until), people: map[string]ward.Actor{}}
	c := config.Default()
	c.Data, c.Exercise = t.TempDir(), true
	c.Operator.Name = "Federation Watch"
	var err error
	if p.App, err = app.New(t.Context(), c, app.Options{Clock: p.clock, Story: told{}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for _, script := range []string{"setup.json", "story.json"} {
		for _, st := range packed[[]step](t, script) {
			if st.At.After(until) {
				break
			}
			p.clock.Set(st.At)
			if err := p.do(st); err != nil && !st.Attempt {
				t.Fatalf("%s %s %s %s: %v", st.At, st.Do, st.Org, st.File, err)
			}
			p.settle()
		}
	}
	p.clock.Set(until)
	p.settle()
	server := httptest.NewServer(p.Handler())
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	p.url = server.URL
	return p
}

func packed[T any](t testing.TB, name string) (v T) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(packDir, name))
	if err == nil {
		err = json.Unmarshal(body, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (p *place) settle() {
	p.t.Helper()
	if _, err := p.Settle(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) do(s step) error {
	ctx, who := p.t.Context(), p.people[s.Who]
	version := func() int {
		x, err := p.Responses.Get(ctx, ward.Everything(), p.alert.ID, s.Org)
		if err != nil {
			p.t.Fatal(err)
		}
		return x.Version
	}
	var err error
	switch s.Do {
	case "organisations":
		directory, err := ods.ReadPath(packDir)
		if err != nil {
			return err
		}
		_, err = p.Estate.ImportOrganisations(ctx, ward.System("test"), directory)
		return err
	case "people":
		return p.addPeople()
	case "import":
		f, err := os.Open(filepath.Join(packDir, s.File))
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = p.Estate.Import(ctx, ward.System("test"), estate.Delivery{Org: s.Org, Source: s.Source, Format: s.Format, Classes: s.Classes, Grade: s.Grade,
			ObservedAt: s.Observed, Body: f, Name: filepath.Base(s.File)})
		return err
	case "feed":
		result, err := p.Feeds.Sync(ctx, ward.System("test"), nil, filepath.Join(packDir, s.File), nil)
		if err == nil && result.Failed() {
			err = fmt.Errorf("%+v", result.Feeds)
		}
		return err
	case "draft":
		p.alert, err = p.Alerts.Draft(ctx, who, ward.Alert{Title: s.Title, Severity: s.Severity, Category: s.Category, ThreatType: s.ThreatType, Vector: s.Vector, Summary: s.Summary,
			Vendor: s.Vendor, Product: s.Product, Classes: s.Classes, Platforms: s.Platforms, CVEs: s.CVEs, Steps: s.Steps, TLP: s.TLP, Exercise: true})
		return err
	case "approve":
		p.alert, err = p.Alerts.Approve(ctx, who, p.alert.ID, p.alert.Version)
		return err
	case "publish":
		published, err := p.Alerts.Publish(ctx, who, p.alert.ID, p.alert.Version, alerts.Audience{})
		p.alert = published.Alert
		return err
	case "acknowledge":
		_, err = p.Responses.Acknowledge(ctx, who, p.alert.ID, s.Org, version())
		return err
	case "applicability":
		_, err = p.Responses.Answer(ctx, who, p.alert.ID, s.Org, version(), s.Applies, s.Words)
		return err
	case "claim":
		_, err = p.Responses.Claim(ctx, who, p.alert.ID, s.Org, version(), s.FixedAt, s.Words)
		return err
	case "dispute":
		_, err = p.Responses.Dispute(ctx, who, p.alert.ID, s.Org, version(), s.Words)
		return err
	case "close":
		_, err = p.Responses.Close(ctx, who, p.alert.ID, s.Org, version(), s.Words)
		return err
	case "declare":
		_, err = p.Estate.Declare(ctx, who, ward.Declaration{Org: s.Org, Vendor: s.Vendor, Product: s.Product, Answer: s.Answer, Version: s.Version, Host: s.Host, Words: s.Words})
		return err
	case "rule":
		_, err = p.Responses.Rule(ctx, who, ward.Ruling{CVEs: s.CVEs, Vendor: s.Vendor, Product: s.Product, Versions: s.Versions, Status: s.Status, Reason: s.Words})
		return err
	case "update":
		return nil
	}
	return fmt.Errorf("%q is no step", s.Do)
}

func (p *place) addPeople() error {
	people := packed[[]struct {
		User, Name, Email string
		Role              ward.Role
		Org               ward.OrgID
	}](p.t, "people.json")
	people = append(people, struct {
		User, Name, Email string
		Role              ward.Role
		Org               ward.OrgID
	}{"admin", "Ingrid Vale " + markup, "admin@watch.example", ward.Admin, ""})
	for _, x := range people {
		person, _, err := p.Access.AddPerson(p.t.Context(), ward.System("test"), ward.Person{Name: x.Name, Email: x.Email, Role: x.Role, Org: x.Org}, passphrase)
		if err != nil {
			return err
		}
		scope := access.ScopeOf(person, nil, p.clock.Now())
		p.people[x.User] = ward.Actor{Person: person.ID, Name: person.Name, Org: person.Org, Role: person.Role, Scope: scope}
	}
	return nil
}

// told is a story of two steps.
type told struct{}

func (told) Played() ([]web.StoryStep, int) {
	return []web.StoryStep{
		{At: time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC), Say: "Ivanti publishes two weaknesses.", Made: "3 organisations are exposed; 2 are not known.", Link: "/weaknesses/CVE-2025-4427"},
		{At: time.Date(2025, 5, 13, 16, 8, 0, 0, time.UTC), Say: "Nadia Frost drafts an alert. " + markup, Link: "/alerts/CC-900001"},
	}, 56
}

func (told) Accounts() []web.StoryAccount {
	return []web.StoryAccount{{Email: "owen.tarn@watch.example", Password: passphrase, Name: "Owen Tarn", Role: "approver"}}
}

// as is a client signed in as somebody of the pack.
func (p *place) as(t testing.TB, email string) *http.Client {
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

func (p *place) get(t testing.TB, c *http.Client, path string) (int, string) {
	t.Helper()
	answer, err := c.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(t, answer)
}

func (p *place) post(t testing.TB, c *http.Client, path string, form url.Values) (int, string) {
	t.Helper()
	answer, err := c.PostForm(p.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(t, answer)
}

func answerOf(t testing.TB, answer *http.Response) (int, string) {
	t.Helper()
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

// look opens a page, holds it to the kit's rules, and to the words that it must say.
func (p *place) look(t *testing.T, b *browser.Browser, name, path string, want ...string) {
	t.Helper()
	b.Navigate(p.url + path)
	text := browser.Eval[string](b, `document.querySelector("main").innerText`)
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q:\n%s", path, w, text)
		}
	}
	if browser.Eval[bool](b, `!!document.querySelector("main script") || [...document.querySelectorAll("main b")].some((e) => e.textContent === "bold")`) {
		t.Errorf("%s: typed markup became an element", path)
	}
	if wide := browser.Eval[[]string](b, `[...document.querySelectorAll("main .ww-desk")].filter((e) => e.innerText && e.scrollWidth > e.clientWidth + 1).map((e) => e.innerText.slice(0, 40))`); len(wide) > 0 {
		t.Errorf("%s: tables wider than their place: %q", path, wide)
	}
	b.Check(name)
}
