package journey_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/findings"
	"wardwatch/act/notify"
	"wardwatch/act/responses"
	"wardwatch/keep/store"
	"wardwatch/know/estate"
	"wardwatch/know/estate/csv"
	"wardwatch/know/estate/cyclonedx"
	"wardwatch/know/estate/defender"
	"wardwatch/know/estate/ods"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/cve"
	"wardwatch/know/feeds/epss"
	"wardwatch/know/feeds/kev"
	"wardwatch/know/feeds/nvd"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// world is the product with its real rooms, and the people of a story.
type world struct {
	ctx    context.Context
	dir    string // the story's files
	clock  *ward.HandClock
	estate *estate.Register
	feeds  *feeds.Syncer
	match  *match.Matcher
	desk   *findings.Desk
	ledger *responses.Ledger
	board  *alerts.Board
	outbox *notify.Outbox
	jobs   []func(ctx context.Context, now time.Time) (time.Time, error)

	current ward.Alert // the story's one alert
	ruling  ward.Ruling
}

func open(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := &world{ctx: t.Context(), dir: t.TempDir(), clock: ward.NewHandClock(time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC))}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(w.ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	library := intel.New(s, w.clock)
	w.estate = estate.New(s, w.clock, cyclonedx.Reader{}, defender.Reader{}, csv.Reader{})
	w.feeds = feeds.New(s, w.clock, []feeds.Source{kev.New(""), epss.New(""), nvd.New(""), cve.New("")}, library, feeds.Options{})
	w.match = match.New(s, w.clock)
	w.outbox = notify.New(s, w.clock)
	w.desk = findings.New(s, w.clock, ground.Names{})
	w.ledger = responses.New(s, w.clock, w.match, w.match, library, w.outbox)
	w.board = alerts.New(s, w.clock, alerts.Neighbours{Standings: w.match, Answers: w.ledger, Notices: w.outbox, Weaknesses: library, Findings: w.desk})
	w.jobs = []func(context.Context, time.Time) (time.Time, error){w.match.Due, w.desk.Due, w.ledger.Due}
	return w
}

// due runs every job once, in the order of the walk, and returns when the first wants to run again.
func (w *world) due() (next time.Time, err error) {
	for _, job := range w.jobs {
		when, err := job(w.ctx, w.clock.Now())
		if err != nil {
			return next, err
		}
		if !when.IsZero() && (next.IsZero() || when.Before(next)) {
			next = when
		}
	}
	return next, nil
}

func (w *world) settle() error { _, err := w.due(); return err }

// until moves the clock, and stops wherever a job wants to run on the way.
func (w *world) until(t time.Time) error {
	for {
		next, err := w.due()
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(t) {
			w.clock.Set(t)
			return nil
		}
		if !next.After(w.clock.Now()) {
			next = w.clock.Now().Add(time.Second)
		}
		w.clock.Set(next)
	}
}

// file finds a file of the story, or of those that all stories know.
func (w *world) file(name string) string {
	if own := filepath.Join(w.dir, name); exists(own) {
		return own
	}
	return filepath.Join("known", name)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (w *world) register(name string) error {
	d, err := ods.ReadPath(w.file(name))
	if err != nil {
		return err
	}
	_, err = w.estate.ImportOrganisations(w.ctx, ward.System("register"), d)
	return err
}

func (w *world) publish(name string) error {
	result, err := w.feeds.Sync(w.ctx, ward.System("feeds"), nil, w.file(name), func(feeds.Progress) {})
	if err == nil && len(result.Feeds) == 0 {
		err = fmt.Errorf("nothing was understood: %+v", result)
	}
	return err
}

func (w *world) imports(org, name, source, classes string, seen time.Time) error {
	body, err := os.Open(w.file(name))
	if err != nil {
		return err
	}
	defer body.Close()
	d := estate.Delivery{Org: ward.OrgID(org), Source: source, ObservedAt: seen, Body: body, Name: name}
	for _, class := range strings.Split(strings.ReplaceAll(classes, " and ", ", "), ",") {
		d.Classes = append(d.Classes, ward.Class(strings.ReplaceAll(strings.TrimSpace(class), " ", "_")))
	}
	_, err = w.estate.Import(w.ctx, lead(org), d)
	return err
}

func (w *world) declares(org string, runs bool, vendor, product, version string) error {
	answer := ward.NotRun
	if runs {
		answer = ward.RunsIt
	}
	_, err := w.estate.Declare(w.ctx, lead(org), ward.Declaration{Org: ward.OrgID(org), Vendor: vendor, Product: product, Answer: answer, Version: version})
	return err
}

func lead(org string) ward.Actor {
	return ground.Person("Lead of "+org, ward.Lead, ward.OrgID(org))
}

func (w *world) alert(to string, cves []string, vendor, product string) error {
	draft := ground.Alert()
	draft.Vendor, draft.Product, draft.CVEs, draft.Classes = vendor, product, nil, nil
	for _, id := range cves {
		draft.CVEs = append(draft.CVEs, ward.CVE(id))
	}
	a, err := w.board.Draft(w.ctx, ground.Ann, draft)
	if err == nil {
		a, err = w.board.Approve(w.ctx, ground.Bea, a.ID, a.Version)
	}
	if err != nil {
		return err
	}
	var orgs []ward.OrgID
	if to != "everyone" {
		for _, org := range list(to) {
			orgs = append(orgs, ward.OrgID(org))
		}
	}
	published, err := w.board.Publish(w.ctx, ground.Bea, a.ID, a.Version, alerts.Audience{Respond: orgs})
	w.current = published.Alert
	return err
}

func (w *world) closeAlert() error {
	_, err := w.board.Close(w.ctx, ground.Bea, w.current.ID, w.current.Version)
	return err
}

func (w *world) rule(version string, status ward.Status, reason string) (err error) {
	w.ruling, err = w.ledger.Rule(w.ctx, ground.Ann, ward.Ruling{CVEs: w.current.CVEs, Vendor: w.current.Vendor, Product: w.current.Product,
		Versions: []string{version}, Status: status, Reason: reason})
	return err
}

func (w *world) unrule(reason string) error {
	return w.ledger.Unrule(w.ctx, ground.Ann, w.ruling.ID, reason)
}

func (w *world) response(org string) (ward.Response, error) {
	return w.ledger.Get(w.ctx, ward.Everything(), w.current.ID, ward.OrgID(org))
}

func (w *world) says(org, verb, detail, words string) error {
	r, err := w.response(org)
	if err != nil {
		return err
	}
	who, id := lead(org), w.current.ID
	switch verb {
	case "acknowledge":
		_, err = w.ledger.Acknowledge(w.ctx, who, id, r.Org, r.Version)
	case "answer":
		_, err = w.ledger.Answer(w.ctx, who, id, r.Org, r.Version, ward.Applicability(detail), words)
	case "claim":
		var since time.Time
		if detail != "" {
			since = when(detail)
		}
		_, err = w.ledger.Claim(w.ctx, who, id, r.Org, r.Version, since, words)
	case "dispute":
		_, err = w.ledger.Dispute(w.ctx, who, id, r.Org, r.Version, words)
	case "close":
		_, err = w.ledger.Close(w.ctx, who, id, r.Org, r.Version, words)
	}
	return err
}

func (w *world) refused(org, why string) error {
	err := w.says(org, "close", "", "")
	switch {
	case err == nil:
		return errors.New("it closed")
	case !errors.Is(err, ward.ErrState) || !strings.Contains(err.Error(), why):
		return fmt.Errorf("closing said: %w", err)
	}
	return nil
}

// same compares what a person sees with what the story expects, and words where it gives some.
func same[T comparable](got, want T, why, words string) error {
	if got != want || !strings.Contains(why, words) {
		return fmt.Errorf("it is %v: %s", got, why)
	}
	return nil
}

func (w *world) stands(org string, then bool, want ward.ExposureState, words string) error {
	if w.current.ID == "" {
		return errors.New("there is no alert yet")
	}
	r, err := w.response(org)
	if err != nil {
		return err
	}
	s := r.Current
	if then {
		s = r.Standing
	}
	return same(s.State, want, s.Reason, words)
}

func (w *world) proof(org, want, words string) error {
	r, err := w.response(org)
	if err != nil {
		return err
	}
	result := ward.ProofResult(strings.ReplaceAll(want, " ", "_"))
	if want == "empty" {
		result = ""
	}
	return same(r.Proof.Result, result, r.Proof.Why, words)
}

func (w *world) answer(org, want string) error {
	r, err := w.response(org)
	if err != nil {
		return err
	}
	got := strings.ReplaceAll(string(r.State), "_", " ")
	if r.State == ward.ClosedAnswer {
		got = r.ClosedAs
	}
	return same(got, want, "", "")
}

func (w *world) overdue(want []string, ever bool) error {
	all, err := w.ledger.ForAlert(w.ctx, ward.Everything(), w.current.ID)
	if err != nil {
		return err
	}
	return thoseWho(all, want, func(r ward.Response) bool { return r.Overdue || (ever && r.EverOverdue) })
}

func (w *world) disputes(want []string) error {
	all, err := w.ledger.Disputes(w.ctx, ward.Everything())
	if err != nil {
		return err
	}
	return thoseWho(all, want, func(ward.Response) bool { return true })
}

func thoseWho(all []ward.Response, want []string, is func(ward.Response) bool) error {
	var got []string
	for _, r := range all {
		if is(r) {
			got = append(got, string(r.Org))
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("it is %v", got)
	}
	return nil
}

func (w *world) queue(org, words string) error {
	page, err := w.desk.Queue(w.ctx, ward.Everything(), findings.Query{Org: ward.OrgID(org)})
	if err != nil {
		return err
	}
	var got []string
	for _, f := range page.Items {
		got = append(got, fmt.Sprintf("%s %s on %d assets", f.Product, f.Fix, f.Assets))
	}
	if text := strings.Join(got, "; "); text != words {
		return fmt.Errorf("it holds %q", text)
	}
	return nil
}

func (w *world) told(who, words string) error {
	org := ward.OrgID(who)
	if who == "the desk" {
		org = ""
	}
	page, err := w.outbox.Inbox(w.ctx, ward.Everything(), org, "", 100)
	if err != nil {
		return err
	}
	var subjects []string
	for _, n := range page.Items {
		if strings.Contains(n.Subject, words) {
			return nil
		}
		subjects = append(subjects, n.Subject)
	}
	return fmt.Errorf("told: %q", subjects)
}

func (w *world) figures(claimed, confirmed string) error {
	o, err := w.ledger.Overview(w.ctx, ward.Everything())
	if err != nil {
		return err
	}
	got := strconv.Itoa(o.Claimed) + " " + strconv.Itoa(o.Confirmed)
	return same(got, claimed+" "+confirmed, "", "")
}
