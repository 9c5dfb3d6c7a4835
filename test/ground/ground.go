// Package ground is a small watch room for tests of act: the real store, board, ledger and outbox on a clock that stands
// still, with neighbours whose words a test sets by hand. Rows that other rooms own are written straight into the database.
// It never decides anything that a test is about.
package ground

import (
	"context"
	"database/sql"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/findings"
	"wardwatch/act/notify"
	"wardwatch/act/responses"
	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Day0 is when the reference advisory was published.
var Day0 = time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC)

// Ground is the room.
type Ground struct {
	T      testing.TB
	Ctx    context.Context
	Store  *store.Store
	Clock  *ward.HandClock
	Board  *alerts.Board
	Ledger *responses.Ledger
	Outbox *notify.Outbox
	Desk   *findings.Desk
	Words  *Words
}

// New opens a room with the given organisations, all open.
func New(t testing.TB, orgs ...ward.OrgID) *Ground {
	t.Helper()
	return At(t, t.TempDir(), orgs...)
}

// At is New over a directory that a test keeps.
func At(t testing.TB, dir string, orgs ...ward.OrgID) *Ground {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g := &Ground{T: t, Ctx: ctx, Store: s, Clock: ward.NewHandClock(Day0), Words: &Words{}}
	g.Outbox = notify.New(s, g.Clock)
	g.Ledger = responses.New(s, g.Clock, g.Words, g.Words, g.Words, g.Outbox)
	g.Desk = findings.New(s, g.Clock, Names{})
	g.Board = alerts.New(s, g.Clock, alerts.Neighbours{Standings: g.Words, Answers: g.Ledger, Notices: g.Outbox, Weaknesses: g.Words, Findings: g.Words})
	for _, org := range orgs {
		g.Row(`INSERT INTO organisations VALUES ($1, $1, 'trust', '', '', '', '', '', 0, 0, NULL, NULL)`, string(org))
	}
	return g
}

// Row writes a row that another room owns.
func (g *Ground) Row(query string, args ...any) {
	g.T.Helper()
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(g.Store.Path())+"?_pragma=busy_timeout(10000)")
	if err != nil {
		g.T.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(g.Ctx, query, args...); err != nil {
		g.T.Fatal(err)
	}
}

// Exposed puts an asset with a version of a product into an organisation's estate, and calls it affected by the weaknesses.
func (g *Ground) Exposed(org ward.OrgID, id ward.AssetID, name, version string, cves ...ward.CVE) {
	g.T.Helper()
	at := g.Clock.Now().Add(-24 * time.Hour).UnixMicro()
	g.Row(`INSERT INTO sources (id, org, name, format, grade, classes, observed_at, assets)
		VALUES ($1, $2, 'register', 'csv', 'tool export', '["mobile_management"]', $3, 1) ON CONFLICT DO NOTHING`, int64(id)+1000, string(org), at)
	g.Row(`INSERT INTO assets (id, operator, name, name_key, class, site, reachable, data, services, first_seen)
		VALUES ($1, $2, $3, $3, 'mobile_management', '', 1, '[]', '[]', $4)`, int64(id), string(org), name, at)
	g.Row(`INSERT INTO asset_orgs (org, asset, accountable, operates, name_key) VALUES ($1, $2, 1, 1, $3)`, string(org), int64(id), name)
	g.Row(`INSERT INTO presence (source, asset, first_seen, class, site, reachable, data, services)
		SELECT id, $1, $2, 'mobile_management', '', 1, '[]', '[]' FROM sources WHERE org = $3`, int64(id), at, string(org))
	g.Row(`INSERT INTO software (id, identity, vendor, product, version, cpe, purl)
		VALUES ($1, $2, 'Ivanti', 'Endpoint Manager Mobile', $2, '', '') ON CONFLICT DO NOTHING`, int64(id), version)
	g.Row(`INSERT INTO software_products (product_key, software) SELECT $1, id FROM software WHERE identity = $2 ON CONFLICT DO NOTHING`,
		know.ProductKey("Ivanti", "Endpoint Manager Mobile"), version)
	g.Row(`INSERT INTO installs (software, asset, source, first_seen) SELECT s.id, $1, r.id, $2 FROM software s, sources r WHERE s.identity = $3 AND r.org = $4`,
		int64(id), at, version, string(org))
	for _, cve := range cves {
		g.Row(`INSERT INTO verdicts (cve, software, since, until, status, basis, confidence, source, fixed, why) SELECT $1, id, $2, NULL, 'affected', 'version', 'name', 'cna:ivanti', '12.5.0.1', 'because' FROM software WHERE identity = $3 ON CONFLICT DO NOTHING`,
			string(cve), at, version)
	}
}

// Folded marks the organisations and runs the desk's job.
func (g *Ground) Folded(orgs ...string) {
	g.T.Helper()
	if err := g.Store.Update(g.Ctx, func(tx *store.Tx) error { return tx.Mark(g.Ctx, store.ForFindings, g.Clock.Now(), orgs...) }); err != nil {
		g.T.Fatal(err)
	}
	if _, err := g.Desk.Due(g.Ctx, g.Clock.Now()); err != nil {
		g.T.Fatal(err)
	}
}

// Queue is the desk's queue of open findings.
func (g *Ground) Queue() []ward.Finding {
	g.T.Helper()
	page, err := g.Desk.Queue(g.Ctx, ward.Everything(), findings.Query{})
	if err != nil {
		g.T.Fatal(err)
	}
	return page.Items
}

// Person is somebody with a role, of an organisation or of the national watch.
func Person(name string, role ward.Role, org ward.OrgID) ward.Actor {
	scope := ward.Only(org)
	if org == "" {
		scope = ward.Everything()
	}
	return ward.Actor{Person: ward.PersonID(name), Name: name, Org: org, Role: role, Scope: scope}
}

// The people of most tests.
var (
	Ann = Person("Ann", ward.Analyst, "")  // drafts
	Bea = Person("Bea", ward.Approver, "") // approves
)

// Alert is the reference alert as a draft.
func Alert() ward.Alert {
	return ward.Alert{
		Severity: ward.High, Title: "Weaknesses in Endpoint Manager Mobile", Summary: "Two weaknesses, exploited together.",
		CVEs: []ward.CVE{"CVE-2025-4427", "CVE-2025-4428"}, Vendor: "Ivanti", Product: "Endpoint Manager Mobile",
		Classes: []ward.Class{ward.MobileManagement}, Exercise: true,
		Steps: []ward.Step{{Kind: ward.StepPatch, Text: "Update to 12.5.0.1."}},
	}
}

// Publish drafts, approves and publishes the reference alert to the organisations (none: to all).
func (g *Ground) Publish(orgs ...ward.OrgID) ward.Alert {
	g.T.Helper()
	return g.PublishDraft(Alert(), orgs...)
}

// PublishDraft drafts, approves and publishes an alert to the organisations (none: to all).
func (g *Ground) PublishDraft(draft ward.Alert, orgs ...ward.OrgID) ward.Alert {
	g.T.Helper()
	a, err := g.Board.Draft(g.Ctx, Ann, draft)
	if err == nil {
		a, err = g.Board.Approve(g.Ctx, Bea, a.ID, a.Version)
	}
	if err != nil {
		g.T.Fatal(err)
	}
	published, err := g.Board.Publish(g.Ctx, Bea, a.ID, a.Version, alerts.Audience{Respond: orgs})
	if err != nil {
		g.T.Fatal(err)
	}
	return published.Alert
}

// Tx is a writing transaction.
type Tx = *store.Tx

// Update runs do in a transaction.
func (g *Ground) Update(do func(Tx) error) {
	g.T.Helper()
	if err := g.Store.Update(g.Ctx, do); err != nil {
		g.T.Fatal(err)
	}
}

// Response reads one answer.
func (g *Ground) Response(alert ward.AlertID, org ward.OrgID) ward.Response {
	g.T.Helper()
	r, err := g.Ledger.Get(g.Ctx, ward.Everything(), alert, org)
	if err != nil {
		g.T.Fatal(err)
	}
	return r
}

// Due runs the ledger's job, and returns when it wants to be called next.
func (g *Ground) Due() time.Time {
	g.T.Helper()
	next, err := g.Ledger.Due(g.Ctx, g.Clock.Now())
	if err != nil {
		g.T.Fatal(err)
	}
	return next
}

// Imported sets what an organisation's sources show, and leaves the mark that an import leaves.
func (g *Ground) Imported(org ward.OrgID, seen ...ward.Seen) {
	g.T.Helper()
	g.Words.Show(org, seen...)
	if err := g.Store.Update(g.Ctx, func(tx *store.Tx) error { return tx.Mark(g.Ctx, store.ForProof, g.Clock.Now(), string(org)) }); err != nil {
		g.T.Fatal(err)
	}
}

// Names tells products and versions apart as the product does.
type Names struct{}

// ProductKey implements findings.Names.
func (Names) ProductKey(vendor, product string) string { return know.ProductKey(vendor, product) }

// Branch implements findings.Names.
func (Names) Branch(version string) string { return know.Branch(version) }

// Before implements findings.Names.
func (Names) Before(version, other string) bool {
	return know.Compare(know.SchemeVendor, version, other) < 0
}

// Words is what the neighbours say, as set by a test.
type Words struct {
	mu        sync.Mutex
	seen      map[ward.OrgID][]ward.Seen
	standings map[ward.OrgID]ward.Standing
	Facts     map[ward.CVE]ward.Vulnerability
	Found     map[ward.FindingID]ward.Finding
	Rulings   []ward.Ruling
}

// Show sets an organisation's evidence.
func (w *Words) Show(org ward.OrgID, seen ...ward.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[ward.OrgID][]ward.Seen{}
	}
	w.seen[org] = seen
}

// Stand sets what is known of an organisation.
func (w *Words) Stand(s ward.Standing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.standings == nil {
		w.standings = map[ward.OrgID]ward.Standing{}
	}
	w.standings[s.Org] = s
}

// Evidence implements responses.Prover: what was shown, under the rulings that stand.
func (w *Words) Evidence(_ context.Context, _ *store.Tx, org ward.OrgID, _ ward.About, _ time.Time) ([]ward.Seen, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := slices.Clone(w.seen[org])
	for i := range seen {
		for _, r := range w.Rulings {
			if slices.Contains(r.Versions, seen[i].Version) {
				seen[i].Status, seen[i].Basis = r.Status, ward.ByRuling
			}
		}
	}
	return seen, nil
}

// Standing implements responses.Standings and alerts.Standings. Who was not set is left out.
func (w *Words) Standing(_ context.Context, _ ward.Scope, _ ward.About, orgs []ward.OrgID) ([]ward.Standing, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []ward.Standing
	for _, org := range orgs {
		if s, ok := w.standings[org]; ok {
			all = append(all, s)
		}
	}
	return all, nil
}

// ClassesOf implements alerts.Standings.
func (*Words) ClassesOf(context.Context, string, string) ([]ward.Class, error) {
	return []ward.Class{ward.MobileManagement}, nil
}

// Rule implements responses.Judge: the row that the product keeps, and what the evidence says from then on.
func (w *Words) Rule(ctx context.Context, tx *store.Tx, r ward.Ruling) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Rulings = append(w.Rulings, r)
	return tx.SaveRuling(ctx, r)
}

// Unrule implements responses.Judge.
func (w *Words) Unrule(ctx context.Context, tx *store.Tx, r ward.Ruling) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Rulings = slices.DeleteFunc(w.Rulings, func(have ward.Ruling) bool { return have.ID == r.ID })
	return tx.SaveRuling(ctx, r)
}

// Vulnerability implements alerts.Weaknesses.
func (w *Words) Vulnerability(_ context.Context, cve ward.CVE) (ward.Vulnerability, error) {
	v, ok := w.Facts[cve]
	if !ok {
		return v, ward.ErrNotFound
	}
	return v, nil
}

// Finding implements alerts.Findings.
func (w *Words) Finding(_ context.Context, _ ward.Scope, id ward.FindingID) (ward.Finding, error) {
	f, ok := w.Found[id]
	if !ok {
		return f, ward.ErrNotFound
	}
	return f, nil
}
