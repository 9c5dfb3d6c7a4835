package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"wardwatch/act/alerts"
	"wardwatch/act/duty"
	"wardwatch/act/findings"
	"wardwatch/act/notify"
	"wardwatch/edge/access"
	"wardwatch/edge/api"
	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/estate/csv"
	"wardwatch/know/estate/nessus"
	"wardwatch/know/feeds"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/test/ground"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive/hunts"
	"wardwatch/watch/coverage"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
)

// canary begins every text that belongs to the first organisation.
const canary = "Canary-of-XZ1"

const password = "lantern orbit thistle"

const (
	first  = ward.OrgID("XZ1")
	second = ward.OrgID("XZ2")
	cve    = ward.CVE("CVE-2025-4427")
)

// world is the API over the real store, door, board, ledger and outbox. The neighbours that know the estate are spoken for
// by the test: each shows the first organisation's things to whoever sees it.
type world struct {
	*ground.Ground
	t         testing.TB
	client    *http.Client // to call with; nil is one without cookies
	door      *access.Door
	api       *api.API
	url       string
	detection int64
	alert     ward.Alert // published to the first organisation only
	draft     ward.Alert // not published
	people    map[string]ward.Person
	tokens    map[string]string
	own       ward.Token // of the first organisation's lead
	register  *estate.Register
	library   *intel.Library
	matcher   *match.Matcher
	desk      *findings.Desk
	watch     *duty.Desk
	asset     ward.AssetID
	finding   ward.FindingID
	held      ward.ImportID
	contact   ward.ContactID
	merge     int64
	hunt      ward.HuntID
	hunts     *hunts.Desk
}

// quickHash is of the password, at a cost that spares the machine; signing in replaces it.
var quickHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return hash
})

var roles = []struct {
	name string
	role ward.Role
	org  ward.OrgID
}{
	{"analyst", ward.Analyst, ""}, {"approver", ward.Approver, ""}, {"admin", ward.Admin, ""},
	{"first", ward.Lead, first}, {"closed", ward.Lead, first},
	{"lead", ward.Lead, second}, {"member", ward.Member, second}, {"reader", ward.Reader, second},
}

func open(t testing.TB, options api.Options) *world {
	t.Helper()
	g := ground.New(t, first, second, "XZ3")
	w := &world{Ground: g, t: t, people: map[string]ward.Person{}, tokens: map[string]string{}}
	logger := slog.New(slog.DiscardHandler)
	if t, ok := t.(*testing.T); ok {
		logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	var err error
	if w.door, err = access.New(g.Store.Accounts(), g.Clock, access.Options{Log: logger}); err != nil {
		t.Fatal(err)
	}
	options.Log = logger
	w.register, w.library, w.matcher = estate.New(g.Store, g.Clock, nessus.Reader{}, csv.Reader{}), intel.New(g.Store, g.Clock), match.New(g.Store, g.Clock)
	w.desk = findings.New(g.Store, g.Clock, names{})
	w.watch = duty.New(g.Store, g.Clock, duty.FromFeeds(publishers{}))
	w.hunts = hunts.New(hunts.Options{Store: g.Store, Clock: g.Clock, Query: func(s ward.Sought) (watch.Query, error) {
		if s.Query != "" {
			return detect.ParseFieldQuery(s.Query, g.Clock)
		}
		return indicators.NewQuery(s.Indicators, g.Clock)
	}})
	if options.Burst == 0 {
		options.Burst = 1e9
	}
	w.api = api.New(api.Rooms{
		Door: w.door, Repeats: g.Store.Accounts(), Estate: w.register, Matches: w.matcher, Library: w.library, Feeds: publishers{}, Findings: w.desk,
		Alerts: g.Board, Responses: g.Ledger, Inbox: g.Outbox, Telling: g.Outbox, Duty: w.watch, Coverage: coverage.New(g.Clock, g.Store, nil), Detections: w.desk, Hunts: w.hunts, Ready: g.Store.Ready,
	}, g.Clock, options)
	mux := http.NewServeMux()
	for _, path := range api.Paths {
		mux.Handle(path, w.api)
	}
	mux.HandleFunc("POST /in", func(out http.ResponseWriter, r *http.Request) {
		if _, err := w.door.SignIn(r.Context(), r.FormValue("email"), r.FormValue("password"), w.door.Address(r)); err != nil {
			http.Error(out, err.Error(), http.StatusUnauthorized)
		}
	})
	server := httptest.NewServer(w.door.Middleware(mux))
	t.Cleanup(server.Close)
	w.url = server.URL
	system := ward.System("test")
	for _, r := range roles {
		p := ward.Person{ID: ward.PersonID("person-" + r.name), Name: r.name, Email: r.name + "@hospital.example", Role: r.role, Org: r.org, Hash: quickHash(), Created: ground.Day0}
		if err := g.Store.Accounts().AddPerson(g.Ctx, p, ward.AuditEntry{At: ground.Day0, Name: "test", Action: "access.add_person", Org: r.org}); err != nil {
			t.Fatal(err)
		}
		w.people[r.name] = p
		token, secret, err := w.door.AddToken(g.Ctx, system, p.ID, canaryFor(r.org, "token of "+r.name), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		w.tokens[r.name] = secret
		if r.name == "first" {
			w.own = token
		}
	}
	if err := w.door.Disable(g.Ctx, system, w.people["closed"].ID); err != nil {
		t.Fatal(err)
	}
	w.plant()
	return w
}

// events writes what was seen in the first organisation's events.
func (w *world) events() {
	w.t.Helper()
	at := ground.Day0
	err := w.Store.Update(w.Ctx, func(tx *store.Tx) error {
		source := ward.EventSource{Org: first, Source: canary + " source", Kind: "linux/sshd/", First: at, Last: at, Events: 1}
		whole := ward.EventSource{Org: first, First: at, Last: at, Events: 1}
		seen := ward.Detection{
			Org: first, Fingerprint: "one", Kind: "rule", Rule: canary, Title: canary + " rule", Level: "high", Host: canary, Matched: []ward.DetectedValue{{Field: "url", Value: canary}},
			Count: 1, First: at, Last: at, Source: canary, Record: 1, Noticed: at,
		}
		return errors.Join(tx.SaveEventSource(w.Ctx, source), tx.SaveEventSource(w.Ctx, whole),
			tx.AddDeadLetter(w.Ctx, ward.DeadLetter{At: at, Org: first, Source: canary, Reason: canary + " reason", Sample: canary, Count: 1}), w.desk.Detect(w.Ctx, tx, []ward.Detection{seen}))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := w.desk.Detections(w.Ctx, ward.Everything(), findings.DetectionQuery{})
	if err != nil || len(all) != 1 {
		w.t.Fatal(all, err)
	}
	w.detection = all[0].ID
}

func canaryFor(org ward.OrgID, text string) string {
	if org == first {
		return canary + " " + text
	}
	return text
}

// plant writes what belongs to the first organisation, with the canary in every text that a person can write.
func (w *world) plant() {
	w.t.Helper()
	w.Words.Facts = map[ward.CVE]ward.Vulnerability{cve: {ID: cve, Title: "A public weakness"}}
	w.Words.Stand(ward.Standing{Org: first, State: ward.Exposed, Reason: canary + " standing", Source: canary + " source", Assets: 1})
	w.Words.Show(first, ward.Seen{Asset: 1, Name: canary + "-mdm", Software: canary + " software", Version: "12.5.0.0", Status: ward.Affected, Basis: ward.ByVersion,
		Source: canary + " source", Grade: ward.ToolExport, ObservedAt: ground.Day0})
	w.estate()
	w.events()
	w.contact = w.told()
	alert := ground.Alert()
	alert.Title, alert.Summary = canary+" title", canary+" summary"
	alert.Steps[0].Text = canary + " step"
	a, err := w.Board.Draft(w.Ctx, ground.Ann, alert)
	if err == nil {
		a, err = w.Board.Approve(w.Ctx, ground.Bea, a.ID, a.Version)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	published, err := w.Board.Publish(w.Ctx, ground.Bea, a.ID, a.Version, ward.Audience{Respond: []ward.OrgID{first}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.alert = published.Alert
	if w.draft, err = w.Board.Draft(w.Ctx, ground.Ann, alert); err != nil {
		w.t.Fatal(err)
	}
	w.revise(alert)
	w.hunted()
	lead := ground.Person(canary+" Lee", ward.Lead, first)
	r, err := w.Ledger.Acknowledge(w.Ctx, lead, w.alert.ID, first, 1)
	if err == nil {
		_, err = w.Ledger.Dispute(w.Ctx, lead, w.alert.ID, first, r.Version, canary+" dispute")
	}
	if err == nil {
		_, err = w.watch.Note(w.Ctx, lead, duty.Note{Words: canary + " note"})
	}
	if err == nil {
		_, err = w.watch.SaveView(w.Ctx, lead, ward.SavedView{Title: canary + " view", Path: "/desk", Shared: true})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// hunted asks for a hunt of the first organisation, which has found something.
func (w *world) hunted() {
	w.t.Helper()
	h, err := w.hunts.Ask(w.Ctx, ground.Person(canary+" Lee", ward.Lead, first), hunts.Question{For: ward.Sought{Query: "host=" + canary}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.hunt, h.State, h.Kept, h.Hits = h.ID, ward.HuntRunning, 2, 2
	err = w.Store.Update(w.Ctx, func(tx *store.Tx) error {
		if _, err := tx.SaveHunt(w.Ctx, h); err != nil {
			return err
		}
		for n := range int64(2) {
			hit := ward.HuntHit{Number: n + 1, Org: first, At: ground.Day0, Kind: "query", Value: "host=" + canary, Source: canary + " source", Record: n, Host: canary, Raw: "=" + canary + " <script>"}
			if err := tx.AddHuntHit(w.Ctx, h.ID, hit); err != nil {
				return err
			}
		}
		return tx.AddHuntDay(w.Ctx, h.ID, ward.HuntDay{Org: first, Day: ground.Day0, Blocks: 1, Events: 10, Hits: 2})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// revise issues an editorial revision of the alert, leaves another waiting, and keeps a template.
func (w *world) revise(words ward.Alert) {
	w.t.Helper()
	for _, ending := range []string{", issued", ", waiting"} {
		words.Summary = canary + " summary" + ending
		r, err := w.Board.Revise(w.Ctx, ground.Ann, w.alert.ID, w.alert.Version, words, alerts.Change{Why: canary + " why"})
		if err == nil && ending == ", issued" {
			w.alert, err = w.Board.ApproveRevision(w.Ctx, ground.Bea, w.alert.ID, r.Version)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := w.Board.SaveTemplate(w.Ctx, ground.Ann, ward.Template{Name: "exploited", Title: canary + " template", Words: words}); err != nil {
		w.t.Fatal(err)
	}
}

// told gives the first organisation a contact, on call, who is told by mail and by telephone.
func (w *world) told() ward.ContactID {
	w.t.Helper()
	lead := ground.Person(canary+" Lee", ward.Lead, first)
	c, err := w.Outbox.AddContact(w.Ctx, lead, ward.Contact{Org: first, Name: canary + " contact", Kind: ward.PersonContact, Rungs: []ward.Rung{ward.RungContact, ward.RungExecutive}, Addresses: []ward.Address{
		{Channel: ward.Email, To: canary + "@hospital.example"}, {Channel: ward.Voice, To: "01632 960001"}, {Channel: ward.Webhook, To: "https://hooks.example/" + canary}}})
	if err == nil {
		_, err = w.Outbox.Rotate(w.Ctx, lead, notify.Rotation{Org: first, Rung: ward.RungExecutive, Contacts: []ward.ContactID{c.ID}, From: ground.Day0, Days: 7, Turns: 1})
	}
	if err == nil {
		err = w.Store.Update(w.Ctx, func(tx *store.Tx) error { return tx.SetChannels(w.Ctx, []ward.Channel{ward.Email}) })
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}

// estate gives the first organisation a name, a site, inventories, one of them held, and a declaration.
func (w *world) estate() {
	w.t.Helper()
	system := ward.System("test")
	_, err := w.register.ImportOrganisations(w.Ctx, system, estate.Directory{
		Organisations: []ward.Organisation{{ID: first, Name: canary + " name", Town: canary + " town"}, {ID: second, Name: "Second"}, {ID: "XZ3", Name: "Third"}},
		Sites:         []ward.Site{{ID: "XZ101", Org: first, Name: canary + " site"}},
		Relations:     []ward.Relation{{From: first, Kind: ward.Supplier, To: "XZ3", Since: ground.Day0}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, machines := range []int{10, 2} {
		var rows strings.Builder
		rows.WriteString("asset,class,site,data,services,vendor,product,version\n")
		for m := range machines {
			asset := fmt.Sprintf("%s-%d,server,=%s site,patient_record,%s service", canary, m, canary, canary)
			fmt.Fprintf(&rows, "%s,Ivanti,Endpoint Manager Mobile,12.5.0.0\n%s,%s vendor,%s product,1.%d\n", asset, asset, canary, canary, m)
		}
		done, err := w.register.Import(w.Ctx, ward.System(canary+" importer"), estate.Delivery{Org: first, Source: canary + " inventory", Format: "csv", Classes: []ward.Class{ward.Server},
			ObservedAt: ground.Day0.Add(time.Duration(i-2) * time.Minute), Body: strings.NewReader(rows.String()), Name: canary + ".csv"})
		if err != nil && !errors.Is(err, ward.ErrHeld) {
			w.t.Fatal(err)
		}
		w.held = done.ID
	}
	if _, err := w.register.Declare(w.Ctx, ground.Person(canary+" Lee", ward.Lead, first), ward.Declaration{Org: first, Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Answer: ward.HostedBy, Words: canary + " words"}); err != nil {
		w.t.Fatal(err)
	}
	scan := fmt.Sprintf("Plugin ID,CVE,Host,Name,Plugin Output\n1,%s,%s-0.hospital.example,%s check,%s output\n", cve, canary, canary, canary)
	if _, err := w.register.Import(w.Ctx, system, estate.Delivery{Org: first, Source: canary + " scanner", ObservedAt: ground.Day0.Add(-time.Minute), Body: strings.NewReader(scan), Name: "scan.csv"}); err != nil {
		w.t.Fatal(err)
	}
	proposed, err := w.register.Merges(w.Ctx, ward.Only(first), estate.MergeQuery{})
	if err != nil || len(proposed.Items) != 1 {
		w.t.Fatalf("%+v, %v", proposed, err)
	}
	w.merge = proposed.Items[0].ID
	if err := w.register.Viewed(w.Ctx, ground.Ann, first, canary+" assets"); err != nil {
		w.t.Fatal(err)
	}
	page, err := w.register.Assets(w.Ctx, ward.Only(first), estate.AssetQuery{Class: ward.Server})
	if err != nil || len(page.Items) != 10 {
		w.t.Fatalf("%d assets, %v", len(page.Items), err)
	}
	w.asset = page.Items[0].ID
	if _, err := w.library.Merge(w.Ctx, "cve", ground.Day0, []know.Report{{CVE: cve, Source: "cna:vendor", Title: "A public weakness", Published: ground.Day0, Modified: ground.Day0,
		Claims: []know.Claim{{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Versions: []know.Range{{Version: "0", LessThan: "12.5.0.1", Status: know.ClaimAffected}}}}}}); err != nil {
		w.t.Fatal(err)
	}
	for _, due := range []func(context.Context, time.Time) (time.Time, error){w.matcher.Due, w.desk.Due} {
		if _, err := due(w.Ctx, w.Clock.Now()); err != nil {
			w.t.Fatal(err)
		}
	}
	w.Row(`INSERT INTO verdict_changes (at, cve, software, was, was_source, became, became_source, words)
		SELECT 1, $1, id, 'affected', 'nvd', 'fixed', 'nvd', $2 FROM software WHERE vendor LIKE $3`, string(cve), canary+" words", canary+"%")
	queue, err := w.desk.Queue(w.Ctx, ward.Only(first), findings.Query{})
	if err != nil || len(queue.Items) == 0 {
		w.t.Fatalf("%d findings, %v", len(queue.Items), err)
	}
	w.finding = queue.Items[0].ID
	w.Words.Found = map[ward.FindingID]ward.Finding{w.finding: queue.Items[0]}
}

// publishers speaks for the feeds.
type publishers struct{}

func (publishers) List(context.Context) ([]ward.Feed, error) {
	return []ward.Feed{{Name: "kev", Location: "/srv/kev", Error: "open /srv/kev", Stale: true}}, nil
}

func (publishers) Sync(_ context.Context, who ward.Actor, _ []string, from string, _ func(feeds.Progress)) (feeds.Result, error) {
	if from != "" {
		return feeds.Result{}, fmt.Errorf("the API gave %q", from)
	}
	return feeds.Result{Feeds: []feeds.FeedResult{{Name: "kev", Changed: 2}}}, who.Need(ward.MayFeeds)
}

func (publishers) Release(_ context.Context, who ward.Actor, _ string) (feeds.Result, error) {
	return feeds.Result{Feeds: []feeds.FeedResult{{Name: "kev", Withdrawn: 2}}}, who.Need(ward.MayFeeds)
}

func (publishers) Discard(_ context.Context, who ward.Actor, _ string) error {
	return who.Need(ward.MayFeeds)
}

// names is how the desk tells products and versions apart.
type names struct{}

func (names) ProductKey(vendor, product string) string { return know.ProductKey(vendor, product) }
func (names) Branch(version string) string             { return know.Branch(version) }
func (names) Before(version, other string) bool        { return know.Compare("", version, other) < 0 }

// answer is what the API said.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem reads the answer as RFC 9457.
func (a answer) problem(t *testing.T) (p api.Problem) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%d as %q: %s", a.status, got, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Status != a.status || p.Title == "" || !strings.HasPrefix(p.Type, "urn:wardwatch:problem:") {
		t.Errorf("problem %+v of %s (%v)", p, a.body, err)
	}
	return p
}

// call sends a request as somebody ("": nobody). header is name, value, name, value...
func (w *world) call(as, method, path, body string, header ...string) answer {
	w.t.Helper()
	got, err := w.try(as, method, path, body, header...)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) try(as, method, path, body string, header ...string) (answer, error) {
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(w.Ctx, method, w.url+path, in)
	if err != nil {
		return answer{}, err
	}
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+w.tokens[as])
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := w.client
	if client == nil {
		client = http.DefaultClient
	}
	got, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(got.Body); err != nil {
		return answer{}, err
	}
	return answer{got.StatusCode, got.Header, text.String()}, nil
}
