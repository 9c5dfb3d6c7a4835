package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"wardwatch/act/responses"
	"wardwatch/app"
	"wardwatch/edge/web"
	"wardwatch/know/estate"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// player feeds the steps of the story to the product, as the people and publishers of the story, and notes what the product
// made of each.
type player struct {
	app          *app.App
	clock        clock
	dir          string                  // the feeds of the pack, laid out as the files that a publisher's mirror would hold
	emails       map[string]string       // of accounts
	alerts       map[string]ward.AlertID // the story's names for alerts
	seen         map[ward.OrgID]string   // each organisation's answer as last noted
	contradicted map[ward.OrgID]bool     // at any time
	notified     int                     // organisations, when the alert was published

	advisory time.Time // when the first feed of the story proper arrived

	mu     sync.Mutex
	played []web.StoryStep
	total  int
	people []web.StoryAccount
}

// clock is a clock that the story moves.
type clock interface {
	ward.Clock
	Set(t time.Time)
}

// begin gives the player the product, and lays out the pack as files.
func (p *player) begin(a *app.App, c clock, total int) (err error) {
	p.app, p.clock, p.total = a, c, total
	p.emails, p.alerts = map[string]string{}, map[string]ward.AlertID{}
	p.seen, p.contradicted = map[ward.OrgID]string{}, map[ward.OrgID]bool{}
	if p.dir, err = os.MkdirTemp("", "wardwatch-demo-feeds-"); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	files, err := fs.Sub(pack, "pack")
	if err == nil {
		err = os.CopyFS(p.dir, files)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("demo: %w", err), p.close())
	}
	return nil
}

func (p *player) close() error { return os.RemoveAll(p.dir) }

// play does one step at its time: first everything that falls due before it, then the step, then what follows from it.
func (p *player) play(ctx context.Context, s step) error {
	if err := p.until(ctx, s.At); err != nil {
		return err
	}
	refused, err := p.do(ctx, s)
	if err != nil {
		return fmt.Errorf("demo: %s %s %s: %w", s.At.Format(time.RFC3339), s.Do, s.Org, err)
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	made, link, err := p.made(ctx)
	if err != nil {
		return err
	}
	if refused != "" {
		made = "Refused: " + refused + ". " + made
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.played = append(p.played, web.StoryStep{At: s.At, Say: s.Say, Made: strings.TrimSpace(made), Link: link})
	return nil
}

// until moves the clock to t, stopping wherever a job wants to run on the way.
func (p *player) until(ctx context.Context, t time.Time) error {
	for {
		next, err := p.app.Settle(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || !next.Before(t) {
			break
		}
		if !next.After(p.clock.Now()) {
			next = p.clock.Now().Add(time.Second)
		}
		p.clock.Set(next)
	}
	if t.After(p.clock.Now()) {
		p.clock.Set(t)
	}
	return nil
}

func (p *player) settle(ctx context.Context) error {
	_, err := p.app.Settle(ctx)
	return err
}

// do feeds one step in. A refusal of what the story calls an attempt comes back in words.
func (p *player) do(ctx context.Context, s step) (refused string, err error) {
	who := ward.System("export")
	if s.Who != "" {
		if who, err = p.app.Access.ActorOf(ctx, p.emails[s.Who]); err != nil {
			return "", err
		}
	}
	switch s.Do {
	case "organisations":
		_, err = p.app.ImportOrganisations(ctx, []string{p.dir})
	case "people":
		err = p.addPeople(ctx, s.File)
	case "feed":
		if len(p.alerts) == 0 {
			p.advisory = s.At // the last that arrived before an alert was drafted
		}
		_, err = p.app.Feeds.Sync(ctx, who, []string{s.Feed}, path.Join(p.dir, s.File), func(feeds.Progress) {})
	case "import":
		err = p.importEstate(ctx, who, s)
	case "draft":
		err = p.draft(ctx, who, s)
	case "approve", "publish", "close", "rule":
		if s.Do != "close" || s.Org == "" {
			err = p.decide(ctx, who, s)
			break
		}
		fallthrough
	case "acknowledge", "applicability", "claim", "update", "dispute":
		err = p.answer(ctx, who, s)
	case "declare":
		_, err = p.app.Estate.Declare(ctx, who, ward.Declaration{
			Org: s.Org, Vendor: s.Vendor, Product: s.Product, Answer: s.Answer, Version: s.Version, Host: s.Host, Words: s.Words,
		})
	default:
		err = fmt.Errorf("the story has no %q", s.Do)
	}
	if err != nil && s.Attempt && !errors.Is(err, ward.ErrNotFound) && !errors.Is(err, ward.ErrForbidden) {
		return err.Error(), nil
	}
	return "", err
}

func (p *player) addPeople(ctx context.Context, file string) error {
	accounts, err := read[[]account](file)
	if err != nil {
		return err
	}
	names := map[ward.OrgID]string{}
	all, err := p.app.Estate.Organisations(ctx, ward.Everything())
	if err != nil {
		return err
	}
	for _, org := range all {
		names[org.ID] = org.Name
	}
	for _, a := range accounts {
		_, _, err := p.app.Access.AddPerson(ctx, ward.System("demo"), ward.Person{Name: a.Name, Email: a.Email, Org: a.Org, Role: a.Role}, demoPassword)
		if err != nil {
			return fmt.Errorf("%s: %w", a.Email, err)
		}
		p.emails[a.User] = a.Email
		p.mu.Lock()
		p.people = append(p.people, web.StoryAccount{
			Email: a.Email, Password: demoPassword, Name: a.Name, Role: string(a.Role), Organisation: names[a.Org],
		})
		p.mu.Unlock()
	}
	return nil
}

// demoPassword is printed with the demo's accounts, and no other account has it.
const demoPassword = "harbour-lantern-31"

func (p *player) importEstate(ctx context.Context, who ward.Actor, s step) error {
	file, err := os.Open(path.Join(p.dir, s.File))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = p.app.Estate.Import(ctx, who, estate.Delivery{
		Org: s.Org, Source: s.Source, Format: s.Format, Classes: s.Classes, Grade: s.Grade, ObservedAt: s.Observed,
		Body: file, Name: path.Base(s.File),
	})
	return err
}

func (p *player) draft(ctx context.Context, who ward.Actor, s step) error {
	alert, err := p.app.Alerts.Draft(ctx, who, ward.Alert{
		Severity: s.Severity, Title: s.Title, Summary: s.Summary, Category: s.Category, ThreatType: s.ThreatType, Vector: s.Vector,
		TLP: s.TLP, Platforms: s.Platforms, CVEs: s.CVEs, Steps: s.Steps, Vendor: s.Vendor, Product: s.Product,
		Classes: s.Classes, Exercise: true,
	})
	p.alerts[s.Alert] = alert.ID
	return err
}

// decide is what the national desk does to a whole alert.
func (p *player) decide(ctx context.Context, who ward.Actor, s step) error {
	if s.Do == "rule" {
		_, err := p.app.Responses.Rule(ctx, who, ward.Ruling{
			CVEs: s.CVEs, Vendor: s.Vendor, Product: s.Product, Versions: s.Versions, Status: s.Status, Reason: s.Words,
		})
		return err
	}
	alert, err := p.app.Alerts.Get(ctx, who.Scope, p.alerts[s.Alert])
	if err != nil {
		return err
	}
	switch s.Do {
	case "approve":
		_, err = p.app.Alerts.Approve(ctx, who, alert.ID, alert.Version)
	case "publish":
		published, erred := p.app.Alerts.Publish(ctx, who, alert.ID, alert.Version, ward.Audience{})
		p.notified, err = published.Notified, erred
	default:
		_, err = p.app.Alerts.Close(ctx, who, alert.ID, alert.Version)
	}
	return err
}

// answer is what an organisation says to an alert.
func (p *player) answer(ctx context.Context, who ward.Actor, s step) error {
	id, ledger := p.alerts[s.Alert], p.app.Responses
	now, err := ledger.Get(ctx, who.Scope, id, s.Org)
	if err != nil {
		return err
	}
	switch s.Do {
	case "acknowledge":
		_, err = ledger.Acknowledge(ctx, who, id, s.Org, now.Version)
	case "applicability":
		_, err = ledger.Answer(ctx, who, id, s.Org, now.Version, s.Applies, s.Words)
	case "update":
		_, err = ledger.Answer(ctx, who, id, s.Org, now.Version, now.Applicability, s.Words)
	case "claim":
		_, err = ledger.Claim(ctx, who, id, s.Org, now.Version, s.FixedAt, s.Words)
	case "dispute":
		_, err = ledger.Dispute(ctx, who, id, s.Org, now.Version, strings.TrimSpace(s.Words+" "+s.Reference))
	case "close":
		said := responses.Answer{Close: &ward.Closing{}, Words: s.Words}
		if a := s.Assessment; a != nil {
			said.Check = &responses.Signed{Result: a.signed(), Coverage: fmt.Sprintf("%s Done at %s.", a.Words, a.DoneAt.Format("15:04 on 2 January"))}
		}
		_, err = ledger.Say(ctx, who, id, s.Org, now.Version, said)
	}
	return err
}

// signed is the result as the product keeps it.
func (a assessment) signed() ward.CheckResult {
	if a.Result == "no sign of entry" {
		return ward.NoEvidence
	}
	return ward.CannotDetermine
}

// made says, in the product's own words, what is different since the last step: findings before there is an alert, then
// each organisation whose answer or proof changed.
func (p *player) made(ctx context.Context) (text, link string, err error) {
	var said []string
	for name, id := range p.alerts {
		answers, err := p.app.Responses.ForAlert(ctx, ward.Everything(), id)
		if err != nil {
			return "", "", fmt.Errorf("demo: %s: %w", name, err)
		}
		link = "/alerts/" + string(id)
		if len(p.seen) == 0 && len(answers) > 0 {
			said = append(said, standings(answers))
		}
		for _, r := range answers {
			now := string(r.State) + "|" + r.ClosedAs + "|" + string(r.Proof.Result) + "|" + r.Proof.Why
			before, known := p.seen[r.Org]
			p.seen[r.Org] = now
			if r.Proof.Result == ward.Contradicted {
				p.contradicted[r.Org] = true
			}
			if known && before != now {
				said = append(said, sentence(r))
			}
		}
	}
	if len(p.alerts) == 0 {
		queue, err := p.app.Findings.Queue(ctx, ward.Everything(), queueQuery())
		if err != nil {
			return "", "", err
		}
		if len(queue.Items) > 0 {
			top := queue.Items[0]
			said = append(said, fmt.Sprintf("%d findings in the queue; the first is %s of %s.", len(queue.Items), ward.ProductName(top.Vendor, top.Product), top.Org))
			link = "/findings"
		}
	}
	slices.Sort(said)
	return strings.Join(said, " "), link, nil
}

// standings is what the product knew of the organisations when the alert was published.
func standings(answers []ward.Response) string {
	count := map[ward.ExposureState]int{}
	for _, r := range answers {
		count[r.Standing.State]++
	}
	return fmt.Sprintf("%d organisations told: %d exposed, %d not known, %d not exposed.",
		len(answers), count[ward.Exposed], count[ward.ExposureUnknown], count[ward.NotExposed])
}

func sentence(r ward.Response) string {
	text := string(r.Org) + ": " + strings.ReplaceAll(string(r.State), "_", " ")
	if r.ClosedAs != "" {
		text = string(r.Org) + ": " + r.ClosedAs
	}
	if r.Proof.Why != "" {
		text += "; " + r.Proof.Why
	}
	return text + "."
}

// Played implements web.Story.
func (p *player) Played() ([]web.StoryStep, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.played), p.total
}

// Accounts implements web.Story.
func (p *player) Accounts() []web.StoryAccount {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.people)
}

// printAccounts tells who can sign in.
func (p *player) printAccounts(w io.Writer) {
	fmt.Fprintln(w, "\nSign in as one of these invented people:")
	for _, a := range p.Accounts() {
		fmt.Fprintf(w, "  %-28s %-20s %-10s %s\n", a.Email, a.Password, a.Role, a.Organisation)
	}
}
