package figures_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/test/estategen"
)

// world is a country: organisations with their estates, the weaknesses, alerts in force and people, on one served database.
type world struct {
	*server
	kept
	dir, data string
	secrets   map[string]string // one-time passwords, by e-mail
	national  *http.Client
	lead      *http.Client // of the first organisation
	assets    []int64      // some, of every organisation
}

// kept is what has to be known of a country beside its data, to measure on it again.
type kept struct {
	Orgs, Rows, Weaknesses int
	Alerts                 []string
}

func (k kept) String() string {
	return fmt.Sprintf("%d organisations, %d installs, generated; %d weaknesses", k.Orgs, k.Rows, k.Weaknesses)
}

// keepIn names a folder for the country to stay in and be found in by the next run, which then need not load it.
const keepIn = "FIGURES_COUNTRY"

const password = "measuring by generated light"

var (
	theWorld     *world
	makeTheWorld sync.Once
)

// country is the world, made once for all that measures on it.
func country(b *testing.B) *world {
	b.Helper()
	makeTheWorld.Do(func() {
		w := &world{dir: os.Getenv(keepIn), secrets: map[string]string{}}
		theWorld = w
		if w.dir == "" {
			var err error
			if w.dir, err = os.MkdirTemp("", "wardwatch-country-"); err != nil {
				b.Fatal(err)
			}
		}
		w.data = filepath.Join(w.dir, "data")
		state := filepath.Join(w.dir, "country.json")
		if body, err := os.ReadFile(state); err == nil {
			if err := json.Unmarshal(body, &w.kept); err != nil {
				b.Fatal(err)
			}
			w.server = serve(b, "serve", "--data", w.data)
		} else {
			w.load(b)
			if body, err = json.Marshal(w.kept); err != nil {
				b.Fatal(err)
			}
			w.server = serve(b, "serve", "--data", w.data)
			w.choosePasswords(b)
			if err := os.WriteFile(state, body, 0o600); err != nil {
				b.Fatal(err)
			}
		}
		w.national, w.lead = w.signIn(b, "analyst@watch.example"), w.signIn(b, "lead@generated.example")
		w.settle(b)
		w.look(b)
	})
	if theWorld == nil || len(theWorld.assets) == 0 {
		b.Fatal("the country was not made; see the first error")
	}
	return theWorld
}

func closeWorld() {
	if theWorld == nil {
		return
	}
	var err error
	if theWorld.server != nil {
		err = theWorld.stop()
	}
	if os.Getenv(keepIn) == "" {
		err = errors.Join(err, os.RemoveAll(theWorld.dir))
	}
	failed(err)
}

// load makes the country: 272 devices × 80 titles × 230 organisations are 5,004,800 rows.
func (w *world) load(b *testing.B) {
	b.Helper()
	w.Orgs = 230
	trust := estategen.Trust{Devices: 272, Titles: 80}
	if testing.Short() {
		w.Orgs, trust.Devices = 10, 250
	}
	w.publish(b)
	w.deliver(b, trust)
	w.alert(b)
}

// publish brings in what publishers say: the weaknesses of the generated products, and as many others as a real database has,
// real ones where the shared data is.
func (w *world) publish(b *testing.B) {
	b.Helper()
	dir := filepath.Join(w.dir, "feeds")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	weaknesses := estategen.Weaknesses()
	for _, one := range weaknesses {
		if _, err := one.WriteRecord(dir); err != nil {
			b.Fatal(err)
		}
	}
	if err := estategen.WriteExploited(filepath.Join(dir, "exploited.json"), weaknesses[:40]); err != nil {
		b.Fatal(err)
	}
	published, whose := realFeeds()
	if testing.Short() || published == "" {
		whose = "generated"
		published = filepath.Join(w.dir, "unrelated.json")
		others := 50_000
		if testing.Short() {
			others = 2000
		}
		if err := estategen.WriteUnrelated(published, others); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	w.Weaknesses = w.sync(b, published)
	took := time.Since(start)
	w.Weaknesses += w.sync(b, dir)
	record(b, figure{"weaknesses read in", took.Seconds(), 0, "s", fmt.Sprintf("%d records in all, most of them %s", w.Weaknesses, whose)})
}

// sync reads what publishers say, and returns how many weaknesses were read.
func (w *world) sync(b *testing.B, from string) (weaknesses int) {
	b.Helper()
	var result struct {
		Feeds []struct {
			Name    string
			Records int
		}
	}
	if err := json.Unmarshal(w.run(b, "feed", "sync", "--from", from, "--json"), &result); err != nil {
		b.Fatal(err)
	}
	for _, f := range result.Feeds {
		if f.Name == "nvd" || f.Name == "cve" {
			weaknesses += f.Records
		}
	}
	return weaknesses
}

// realFeeds is the folder of the NVD's feeds in the shared data, or nothing.
func realFeeds() (path, words string) {
	dir := os.Getenv("WARDWATCH_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	path = filepath.Join(dir, "data", "vuln", "nvd")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", ""
	}
	return path, "real ones of the NVD"
}

// deliver imports every organisation's inventory, as the organisations would.
func (w *world) deliver(b *testing.B, trust estategen.Trust) {
	b.Helper()
	w.run(b, "org", "import", writeOrganisations(b, w.dir, w.Orgs))
	start := time.Now()
	for _, o := range estategen.Organisations(w.Orgs) {
		trust.Org = o.ID
		path := writeInventory(b, w.dir, trust)
		w.run(b, "estate", "import", "--org", string(o.ID), "--source", "agent", path)
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
		w.Rows += trust.Devices * 80
	}
	record(b, figure{"every inventory imported, matched and folded", time.Since(start).Seconds(), 0, "s", w.String()})
}

// alert makes the people, and publishes alerts to every organisation.
func (w *world) alert(b *testing.B) {
	b.Helper()
	for _, p := range [][]string{{"analyst@watch.example", "analyst"}, {"approver@watch.example", "approver"}, {"lead@generated.example", "lead", "--org", "XZG000"}} {
		var made struct{ Secret string }
		if err := json.Unmarshal(w.run(b, append([]string{"user", "add", "--json", "--email", p[0], "--name", "Generated " + p[1], "--role", p[1]}, p[2:]...)...), &made); err != nil {
			b.Fatal(err)
		}
		w.secrets[p[0]] = made.Secret
	}
	weaknesses := estategen.Weaknesses()
	const inForce = 10
	for i := range inForce {
		one := weaknesses[i*len(weaknesses)/inForce]
		w.Alerts = append(w.Alerts, w.draft(b, one.ID))
		id := w.Alerts[i]
		w.run(b, "alert", "approve", id, "--as", "approver@watch.example")
		w.run(b, "alert", "publish", id, "--as", "approver@watch.example")
	}
	w.run(b, "alert", "answer", w.Alerts[0], "--org", "XZG000", "--as", "lead@generated.example", "--acknowledge", "--applies", "yes")
}

// draft drafts an alert on a weakness, and returns its ID.
func (w *world) draft(b *testing.B, cve string) string {
	b.Helper()
	var drafted struct{ ID string }
	if err := json.Unmarshal(w.run(b, "alert", "draft", "--as", "analyst@watch.example", "--cve", cve, "--severity", "High", "--json"), &drafted); err != nil {
		b.Fatal(err)
	}
	return drafted.ID
}

func (w *world) run(b *testing.B, args ...string) []byte {
	b.Helper()
	return run(b, append(args, "--data", w.data)...)
}

// choosePasswords changes every account's one-time password, as people do at their first sign-in.
func (w *world) choosePasswords(b *testing.B) {
	b.Helper()
	for email, once := range w.secrets {
		client := newBrowser(b)
		w.post(b, client, "/sign-in", "/password", url.Values{"email": {email}, "password": {once}})
		w.post(b, client, "/password", "/", url.Values{"old": {once}, "new": {password}})
	}
}

// signIn is a browser in which somebody is signed in.
func (w *world) signIn(b *testing.B, email string) *http.Client {
	b.Helper()
	client := newBrowser(b)
	w.post(b, client, "/sign-in", "/", url.Values{"email": {email}, "password": {password}})
	return client
}

func newBrowser(b *testing.B) *http.Client {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// post sends a form, and expects to be sent on to next.
func (w *world) post(b *testing.B, client *http.Client, path, next string, form url.Values) {
	b.Helper()
	answer, err := client.PostForm(w.base+path, form)
	if err != nil {
		b.Fatal(err)
	}
	answer.Body.Close()
	if at := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || at != next {
		b.Fatalf("%s: %s, to %q and not %q", path, answer.Status, at, next)
	}
}

// look chooses what the pages are asked for.
func (w *world) look(b *testing.B) {
	b.Helper()
	for i := range w.Orgs {
		var page struct{ Items []struct{ ID int64 } }
		w.get(b, w.national, fmt.Sprintf("/api/v1/assets?org=XZG%03d&limit=3", i), &page)
		for _, asset := range page.Items {
			w.assets = append(w.assets, asset.ID)
		}
	}
}

// previewed is what the preview of an alert says of one organisation.
type previewed struct {
	Org      string
	Standing struct{ State string }
}

// preview asks who would be told, and where each organisation stands.
func (w *world) preview(b *testing.B, alert string) []previewed {
	b.Helper()
	answer, err := w.national.Post(w.base+"/api/v1/alerts/"+alert+"/preview", "application/json", strings.NewReader("{}"))
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	var page struct{ Items []previewed }
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("preview: %s: %v", answer.Status, err)
	}
	return page.Items
}

// get asks for one address and reads the answer to its end: into, when it is not nil, from JSON. It returns how long that
// took; time that the server tells a hasty program to wait is not counted.
func (w *world) get(b *testing.B, client *http.Client, path string, into any) time.Duration {
	b.Helper()
	for {
		start := time.Now()
		answer, err := client.Get(w.base + path)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		took := time.Since(start)
		switch {
		case err != nil:
			b.Fatal(err)
		case answer.StatusCode == http.StatusTooManyRequests:
			time.Sleep(time.Second)
			continue
		case answer.StatusCode != http.StatusOK:
			b.Fatalf("%s: %s: %.300s", path, answer.Status, body)
		}
		if into != nil {
			if err := json.Unmarshal(body, into); err != nil {
				b.Fatalf("%s: %v", path, err)
			}
		}
		return took
	}
}
