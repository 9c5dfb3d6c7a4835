package story_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"wardwatch/act/responses"
	"wardwatch/app"
	"wardwatch/config"
	"wardwatch/test/browser"
	"wardwatch/ward"
)

const (
	pack     = "../../app/demo/pack"
	password = "lantern orbit thistle"
)

// world is the product being served, and one person at a browser.
type world struct {
	*browser.Browser
	t      *testing.T
	app    *app.App
	clock  *ward.HandClock
	url    string
	emails map[string]string // by the pack's name of a person
	signed string            // who is signed in
}

// open serves the product with the federation in place as it stood on the eve.
func open(t *testing.T) *world {
	t.Helper()
	b := browser.Start(t) // first, for it may stand back
	setup := read[[]arrival](t, "setup.json")
	w := &world{Browser: b, t: t, clock: ward.NewHandClock(setup[0].At), emails: map[string]string{}}
	c := config.Default()
	c.Data, c.Listen, c.Exercise = t.TempDir(), "127.0.0.1:0", true
	c.Operator.Name = "Federation Watch"
	var err error
	if w.app, err = app.New(t.Context(), c, app.Options{Clock: w.clock, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	for _, a := range setup {
		w.clock.Set(a.At)
		w.arrive(a)
	}
	w.settle()

	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- w.app.Run(ctx, func(address string) { ready <- address }) }()
	t.Cleanup(func() {
		w.Stop()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := w.app.Close(); err != nil {
			t.Error(err)
		}
	})
	select {
	case w.url = <-ready:
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	return w
}

// arrival is one thing that comes in before the story.
type arrival struct {
	At       time.Time
	Do       string
	File     string
	Feed     string
	Org      string
	Source   string
	Format   string
	Classes  []string
	Grade    string
	Observed time.Time
}

func read[T any](t *testing.T, name string) (v T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pack, name))
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// arrive brings in organisations, people, a feed or an estate, as its command does.
func (w *world) arrive(a arrival) {
	w.t.Helper()
	ctx := w.t.Context()
	var err error
	switch a.Do {
	case "organisations":
		_, err = w.app.ImportOrganisations(ctx, []string{pack})
	case "people":
		for _, p := range read[[]struct {
			User, Name, Email string
			Role              ward.Role
			Org               ward.OrgID
		}](w.t, a.File) {
			w.emails[p.User] = p.Email
			if _, _, err := w.app.Access.AddPerson(ctx, ward.System("test"), ward.Person{Name: p.Name, Email: p.Email, Role: p.Role, Org: p.Org}, password); err != nil {
				w.t.Fatal(err)
			}
		}
	case "feed":
		var result app.FeedsResult
		result, err = w.app.SyncFeeds(ctx, []string{a.Feed}, filepath.Join(pack, a.File), nil)
		for _, f := range result.Feeds {
			if f.Error != "" || f.Records == 0 {
				w.t.Errorf("feed %+v", f)
			}
		}
	case "import":
		var body *os.File
		if body, err = os.Open(filepath.Join(pack, a.File)); err != nil {
			w.t.Fatal(err)
		}
		defer body.Close()
		_, err = w.app.ImportEstate(ctx, app.EstateDelivery{Org: a.Org, Source: a.Source, Format: a.Format, Classes: a.Classes, Grade: a.Grade,
			ObservedAt: a.Observed, Body: body, Name: filepath.Base(a.File)})
	default:
		w.t.Fatalf("%q does not arrive", a.Do)
	}
	if err != nil {
		w.t.Fatalf("%s %s %s: %v", a.Do, a.Org, a.File, err)
	}
}

// at moves the clock on, and does everything that falls due on the way.
func (w *world) at(moment string) {
	w.t.Helper()
	until, err := time.Parse("2 January 15:04 2006", moment+" 2025")
	if err != nil {
		w.t.Fatal(err)
	}
	if until.Before(w.clock.Now()) {
		w.t.Fatalf("%s is before %s", until, w.clock.Now())
	}
	for {
		next := w.settle()
		if next.IsZero() || !next.Before(until) {
			break
		}
		w.clock.Set(slices.MaxFunc([]time.Time{next, w.clock.Now().Add(time.Second)}, time.Time.Compare))
	}
	w.clock.Set(until)
	w.settle()
}

func (w *world) settle() time.Time {
	w.t.Helper()
	next, err := w.app.Settle(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return next
}

// checks lets an organisation's lead sign that no sign of an intruder was found.
func (w *world) checks(org ward.OrgID, name, coverage string) {
	w.t.Helper()
	who := ward.Actor{Name: name, Org: org, Role: ward.Lead, Scope: ward.Only(org)}
	r, err := w.app.Responses.Get(w.t.Context(), who.Scope, threat, org)
	if err == nil {
		_, err = w.app.Responses.SignCheck(w.t.Context(), who, threat, org, r.Version, responses.Signed{Result: ward.NoEvidence, Coverage: coverage}, "")
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// as signs a person of the pack in, and whoever was signed in out. They land on their first page.
func (w *world) as(user string) {
	w.t.Helper()
	if w.signed == user {
		w.Navigate(w.url + "/")
		return
	}
	if w.signed != "" {
		w.Submit(`header form[action="/sign-out"] button`)
	}
	w.Navigate(w.url + "/")
	w.Fill("#email", w.emails[user])
	w.Fill("#password", password)
	w.Submit("main button")
	w.signed = user
}

// follow presses the first link or button of the page that begins with these words, and waits for the page that it leads to.
func (w *world) follow(words string) {
	w.t.Helper()
	w.Submit(labelled(words))
	w.settle()
}

// unfold opens what is folded away behind these words.
func (w *world) unfold(words string) {
	w.t.Helper()
	w.Click(labelled(words))
}

// labelled finds what can be pressed by the beginning of its words.
func labelled(words string) string {
	return `//main//*[self::a or self::button or self::summary][starts-with(normalize-space(.), ` + strconv.Quote(words) + `)]`
}

// goTo follows a link of the frame around every page.
func (w *world) goTo(place string) {
	w.t.Helper()
	w.Submit(`//header//a[starts-with(normalize-space(.), ` + strconv.Quote(place) + `)]`)
}

// choose presses a radio button or a checkbox.
func (w *world) choose(name, value string) {
	w.t.Helper()
	w.Click(`main input[name="` + name + `"][value="` + value + `"]`)
}

// says fails the test for every text that the page does not show to its reader.
func (w *world) says(want ...string) {
	w.t.Helper()
	w.Run(chromedp.WaitReady(chromedp.CSS("main + footer, main ~ footer"))) // the document has ended
	text := browser.Eval[string](w.Browser, `document.querySelector("main").innerText.replace(/\s+/g, " ")`)
	for _, words := range want {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(words)) {
			w.t.Errorf("%s does not say %q:\n%s", browser.Eval[string](w.Browser, `location.pathname`), words, text)
		}
	}
}

// see holds the open page to what it must say and to what every page must be.
func (w *world) see(name string, want ...string) {
	w.t.Helper()
	w.says(want...)
	w.Check(name)
}

// file is a file of the pack.
func (w *world) file(name string) string {
	path, err := filepath.Abs(filepath.Join(pack, "estates", name))
	if err != nil {
		w.t.Fatal(err)
	}
	return path
}
