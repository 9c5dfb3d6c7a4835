package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"wardwatch/edge/access"
	"wardwatch/edge/api"
	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/intel"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// canary begins every text that belongs to the first organisation.
const canary = "Canary-of-XZ1"

const (
	first  = ward.OrgID("XZ1")
	second = ward.OrgID("XZ2")
	cve    = ward.CVE("CVE-2025-4427")
)

// world is the API over the real store, door, board, ledger and outbox. The neighbours that know the estate are spoken for
// by the test: each shows the first organisation's things to whoever sees it.
type world struct {
	*ground.Ground
	t      *testing.T
	door   *access.Door
	api    *api.API
	url    string
	alert  ward.Alert // published to the first organisation only
	draft  ward.Alert // not published
	people map[string]ward.Person
	tokens map[string]string
	own    ward.Token // of the first organisation's lead
	gone   map[string]int
}

var roles = []struct {
	name string
	role ward.Role
	org  ward.OrgID
}{
	{"analyst", ward.Analyst, ""}, {"approver", ward.Approver, ""}, {"admin", ward.Admin, ""},
	{"first", ward.Lead, first}, {"closed", ward.Lead, first},
	{"lead", ward.Lead, second}, {"member", ward.Member, second}, {"reader", ward.Reader, second},
}

func open(t *testing.T, options api.Options) *world {
	t.Helper()
	g := ground.New(t, first, second, "XZ3")
	w := &world{Ground: g, t: t, people: map[string]ward.Person{}, tokens: map[string]string{}, gone: map[string]int{}}
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	var err error
	if w.door, err = access.New(g.Store.Accounts(), g.Clock, access.Options{Log: logger}); err != nil {
		t.Fatal(err)
	}
	options.Log = logger
	if options.Burst == 0 {
		options.Burst = 1e9
	}
	w.api = api.New(api.Rooms{
		Door: w.door, Repeats: g.Store.Accounts(), Estate: estate{w}, Matches: matches{}, Library: library{g.Words}, Feeds: publishers{}, Findings: desk{},
		Alerts: g.Board, Responses: g.Ledger, Inbox: g.Outbox, Ready: g.Store.Ready,
	}, g.Clock, options)
	mux := http.NewServeMux()
	for _, path := range api.Paths {
		mux.Handle(path, w.api)
	}
	server := httptest.NewServer(w.door.Middleware(mux))
	t.Cleanup(server.Close)
	w.url = server.URL
	system := ward.System("test")
	for _, r := range roles {
		p, _, err := w.door.AddPerson(g.Ctx, system, ward.Person{Name: r.name, Email: r.name + "@hospital.example", Role: r.role, Org: r.org}, "lantern orbit thistle")
		if err != nil {
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
	w.Words.Found = map[ward.FindingID]ward.Finding{"finding-1": desk{}.finding()}
	w.Words.Stand(ward.Standing{Org: first, State: ward.Exposed, Reason: canary + " standing", Source: canary + " source", Assets: 1})
	w.Words.Show(first, ward.Seen{Asset: 1, Name: canary + "-mdm", Software: canary + " software", Version: "12.5.0.0", Status: ward.Affected, Basis: ward.ByVersion,
		Source: canary + " source", Grade: ward.ToolExport, ObservedAt: ground.Day0})
	w.Exposed(first, 1, canary+"-mdm", "12.5.0.0", cve)
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
	published, err := w.Board.Publish(w.Ctx, ground.Bea, a.ID, a.Version, []ward.OrgID{first})
	if err != nil {
		w.t.Fatal(err)
	}
	w.alert = published.Alert
	if w.draft, err = w.Board.Draft(w.Ctx, ground.Ann, alert); err != nil {
		w.t.Fatal(err)
	}
	lead := ground.Person(canary+" Lee", ward.Lead, first)
	r, err := w.Ledger.Acknowledge(w.Ctx, lead, w.alert.ID, first, 1)
	if err == nil {
		_, err = w.Ledger.Dispute(w.Ctx, lead, w.alert.ID, first, r.Version, canary+" dispute")
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// planted is a T whose every text carries the canary, after which set corrects what must be right.
func planted[T any](set func(*T)) T {
	var v T
	fill(reflect.ValueOf(&v).Elem())
	set(&v)
	return v
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(canary + " text")
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			v.Set(reflect.ValueOf(ground.Day0))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	}
}

func shownTo[T any](scope ward.Scope, org ward.OrgID, set func(*T)) ([]T, error) {
	if !scope.Sees(first) || org != "" && org != first {
		return nil, nil
	}
	return []T{planted(set)}, nil
}

// estate speaks for the register.
type estate struct{ w *world }

func (estate) Organisations(_ context.Context, scope ward.Scope) (all []ward.Organisation, _ error) {
	for _, org := range []ward.OrgID{first, second, "XZ3"} {
		if scope.Sees(org) {
			all = append(all, ward.Organisation{ID: org, Name: canaryFor(org, "name")})
		}
	}
	return all, nil
}

func (e estate) Organisation(ctx context.Context, scope ward.Scope, id ward.OrgID) (ward.Organisation, error) {
	all, _ := e.Organisations(ctx, scope)
	for _, o := range all {
		if o.ID == id {
			return o, nil
		}
	}
	return ward.Organisation{}, ward.ErrNotFound
}

func (estate) Relations(_ context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Relation, error) {
	return shownTo(scope, org, func(*ward.Relation) {})
}

func (estate) Sites(_ context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Site, error) {
	return shownTo(scope, org, func(*ward.Site) {})
}

func (estate) Assets(_ context.Context, scope ward.Scope, q api.AssetQuery) (ward.Page[ward.Asset], error) {
	items, err := shownTo(scope, q.Org, func(a *ward.Asset) { a.Operator = first })
	return ward.Page[ward.Asset]{Items: items}, err
}

func (e estate) Asset(ctx context.Context, scope ward.Scope, _ ward.AssetID) (ward.Asset, error) {
	page, _ := e.Assets(ctx, scope, api.AssetQuery{})
	if len(page.Items) == 0 {
		return ward.Asset{}, ward.ErrNotFound
	}
	return page.Items[0], nil
}

func (estate) Installs(_ context.Context, scope ward.Scope, _ ward.AssetID) ([]ward.Install, error) {
	return shownTo(scope, "", func(*ward.Install) {})
}

func (estate) Sources(_ context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Source, error) {
	return shownTo(scope, org, func(*ward.Source) {})
}

func (estate) Imports(_ context.Context, scope ward.Scope, org ward.OrgID, _ int) ([]ward.Import, error) {
	return shownTo(scope, org, func(*ward.Import) {})
}

func (estate) Coverage(_ context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Coverage, error) {
	return shownTo(scope, org, func(*ward.Coverage) {})
}

func (estate) Declarations(_ context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Declaration, error) {
	return shownTo(scope, org, func(*ward.Declaration) {})
}

func (e estate) Import(_ context.Context, who ward.Actor, d api.Delivery) (ward.Import, error) {
	if err := who.NeedFor(ward.MayImport, d.Org); err != nil {
		return ward.Import{}, err
	}
	n, err := io.Copy(io.Discard, d.Body)
	if err != nil {
		return ward.Import{}, fmt.Errorf("estate: %w", err)
	}
	e.w.gone["import"]++
	return ward.Import{ID: 7, Org: d.Org, SourceName: d.Source, Rows: int(n), State: ward.ImportApplied, Problems: []string{d.Format, fmt.Sprint(d.Classes), fmt.Sprint(d.Mapping)}}, nil
}

func (e estate) held(who ward.Actor, verb string) error {
	if err := who.NeedFor(ward.MayRelease, first); err != nil {
		return err
	}
	e.w.gone[verb]++
	return nil
}

func (e estate) Release(_ context.Context, who ward.Actor, _ ward.ImportID) error {
	return e.held(who, "release")
}

func (e estate) Discard(_ context.Context, who ward.Actor, _ ward.ImportID) error {
	return e.held(who, "discard")
}

func (e estate) Declare(_ context.Context, who ward.Actor, d ward.Declaration) error {
	if err := who.NeedFor(ward.MayDeclare, d.Org); err != nil {
		return err
	}
	e.w.gone["declare"]++
	return nil
}

// matches speaks for the match.
type matches struct{}

func (matches) Exposures(_ context.Context, scope ward.Scope, q api.ExposureQuery) (ward.Page[ward.Exposure], error) {
	items, err := shownTo(scope, q.Org, func(e *ward.Exposure) { e.Org, e.Asset.Name = first, "=1+1|"+canary })
	return ward.Page[ward.Exposure]{Items: items}, err
}

func (matches) Counts(_ context.Context, scope ward.Scope, _ ward.CVE) ([]api.OrgCount, error) {
	return shownTo(scope, "", func(*api.OrgCount) {})
}

func (matches) History(_ context.Context, scope ward.Scope, _ ward.CVE) ([]api.Step2, error) {
	return shownTo(scope, "", func(*api.Step2) {})
}

// library speaks for what publishers say, which belongs to everyone.
type library struct{ words *ground.Words }

func (l library) Vulnerability(ctx context.Context, id ward.CVE) (ward.Vulnerability, error) {
	return l.words.Vulnerability(ctx, id)
}

func (library) Reports(context.Context, ward.CVE) ([]know.Report, error) {
	return []know.Report{{CVE: cve, Source: "nvd"}}, nil
}

func (l library) Search(ctx context.Context, _ intel.Query) (ward.Page[ward.Vulnerability], error) {
	v, err := l.words.Vulnerability(ctx, cve)
	return ward.Page[ward.Vulnerability]{Items: []ward.Vulnerability{v}}, err
}

func (l library) Rulings(context.Context, ward.CVE) ([]ward.Ruling, error) {
	return []ward.Ruling{{ID: "ruling-1", CVEs: []ward.CVE{cve}, Product: "Endpoint Manager Mobile", Versions: []string{"12.4.0.2"}, Status: ward.Fixed}}, nil
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

// desk speaks for the findings.
type desk struct{}

func (desk) finding() ward.Finding {
	return planted(func(f *ward.Finding) { f.ID, f.Org, f.CVEs, f.Alert = "finding-1", first, []ward.CVE{cve}, "" })
}

func (d desk) Queue(_ context.Context, scope ward.Scope, q api.FindingQuery) (ward.Page[ward.Finding], error) {
	if !scope.Sees(first) || q.Org != "" && q.Org != first {
		return ward.Page[ward.Finding]{}, nil
	}
	return ward.Page[ward.Finding]{Items: []ward.Finding{d.finding()}}, nil
}

func (d desk) Finding(_ context.Context, scope ward.Scope, id ward.FindingID) (ward.Finding, error) {
	if !scope.Sees(first) || id != "finding-1" {
		return ward.Finding{}, ward.ErrNotFound
	}
	return d.finding(), nil
}

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
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(w.Ctx, method, w.url+path, in)
	if err != nil {
		w.t.Fatal(err)
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
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer got.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(got.Body); err != nil {
		w.t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, text.String()}
}
