package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/responses"
	"wardwatch/edge/api"
	"wardwatch/know/estate"
	"wardwatch/know/estate/ods"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// shell is who acts when a command is run by somebody who holds the data directory, and names no account.
var shell = ward.System("command line")

// as is the account that a command acts for: what people do under their names (drafts, approvals, answers) needs one.
func (a *App) as(ctx context.Context, email string) (ward.Actor, error) {
	if email == "" {
		return ward.Actor{}, &ward.Invalid{Field: "as", Problem: "is empty", Hint: "name the account that does it: --as person@organisation.example"}
	}
	who, err := a.Access.ActorOf(ctx, email)
	if errors.Is(err, ward.ErrNotFound) {
		return who, &ward.Invalid{Field: "as", Problem: fmt.Sprintf("no account is called %q", email), Hint: "make one with: wardwatch user add"}
	}
	return who, err
}

// settled does what follows from a change before a command ends, so that what it prints is whole.
func settled[T any](ctx context.Context, a *App, v T, err error) (T, error) {
	if err != nil {
		return v, err
	}
	if _, err = a.Settle(ctx); err != nil {
		err = fmt.Errorf("the change itself is kept, and what follows from it goes on with the next command or the server: %w", err)
	}
	return v, err
}

// Advice is the next step after an error of a command, or nothing where the error says it itself.
func Advice(err error, named bool) string {
	switch {
	case errors.Is(err, ward.ErrForbidden):
		return "the role of the account that --as names does not allow it; docs/runbook.md lists what each role may"
	case errors.Is(err, ward.ErrNotFound) && named:
		return "there is no such thing, or the account that --as names may not see it"
	case errors.Is(err, ward.ErrNotFound):
		return "check how it is written: organisations, alerts, feeds and product names have a list command"
	}
	return ""
}

// OrganisationsResult is what importing organisations came to.
type OrganisationsResult struct {
	Organisations int      `json:"organisations"`
	Added         int      `json:"added"`
	Changed       int      `json:"changed"`
	Sites         int      `json:"sites"`
	Relations     int      `json:"relations"`
	Orphans       []string `json:"orphans,omitempty"` // sites whose parent nobody knows
	Rejected      int      `json:"rejected"`
	Problems      []string `json:"problems,omitempty"`
}

// Text prints the result for reading.
func (r OrganisationsResult) Text(w io.Writer) {
	fmt.Fprintf(w, "%s (%d new, %d changed), %s, %s\n", counted(r.Organisations, "organisation"), r.Added, r.Changed, counted(r.Sites, "site"), counted(r.Relations, "relation"))
	lines(w, "sites left out, because nobody knows their parent", len(r.Orphans), r.Orphans)
	lines(w, "rows rejected", r.Rejected, r.Problems)
}

// counted is a number and its noun: "1 organisation", "2 organisations".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// lines prints a count and the first few of what it counts.
func lines(w io.Writer, what string, count int, some []string) {
	if count == 0 {
		return
	}
	fmt.Fprintf(w, "%d %s:\n", count, what)
	const most = 20
	for i, line := range some {
		if i == most {
			fmt.Fprintf(w, "  and %d more (--json prints all)\n", len(some)-most)
			return
		}
		fmt.Fprintf(w, "  %s\n", line)
	}
}

// ImportOrganisations imports organisation files, and directories of them, together: all or nothing.
func (a *App) ImportOrganisations(ctx context.Context, paths []string) (OrganisationsResult, error) {
	directory, err := readDirectory(paths)
	if err != nil {
		return OrganisationsResult{}, err
	}
	report, err := a.Estate.ImportOrganisations(ctx, shell, directory)
	if err != nil {
		return OrganisationsResult{}, err
	}
	return OrganisationsResult{
		Organisations: report.Organisations, Added: report.Added, Changed: report.Changed, Sites: report.Sites,
		Relations: report.Relations, Orphans: report.Orphans, Rejected: report.Rejected, Problems: report.Problems,
	}, nil
}

// readDirectory reads organisation files, and folders of them, as one directory.
func readDirectory(paths []string) (all estate.Directory, err error) {
	for _, path := range paths {
		one, err := ods.ReadPath(path)
		if err != nil {
			return all, err
		}
		all.Organisations = append(all.Organisations, one.Organisations...)
		all.Sites = append(all.Sites, one.Sites...)
		all.Relations = append(all.Relations, one.Relations...)
		all.Rejected += one.Rejected
		all.Problems = append(all.Problems, one.Problems...)
	}
	return all, nil
}

// OrganisationRow is one organisation, for a list.
type OrganisationRow struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Region string `json:"region"`
}

// Organisations lists the organisations.
func (a *App) Organisations(ctx context.Context) (rows []OrganisationRow, err error) {
	all, err := a.Estate.Organisations(ctx, shell.Scope)
	for _, o := range all {
		rows = append(rows, OrganisationRow{string(o.ID), o.Name, o.Region})
	}
	return rows, err
}

// EstateDelivery is one inventory, as the command line gives it.
type EstateDelivery struct {
	Org, Source, Format, Grade, Name string
	Classes                          []string
	ObservedAt                       time.Time
	Mapping                          map[string]string
	Body                             io.Reader
	Progress                         func(rows int)
}

// EstateResult is what an import came to.
type EstateResult struct {
	api.Import
}

// Text prints the result for reading.
func (r EstateResult) Text(w io.Writer) {
	i := r.Import
	switch i.State {
	case ward.ImportUnchanged:
		fmt.Fprintf(w, "Nothing changed: this is the same content as before (import %d).\n", i.ID)
	case ward.ImportHeld:
		fmt.Fprintf(w, "Held: %s of this source missing. Nothing was changed.\nLook into it, then: wardwatch estate release %d (or: discard %d)\n", counted(i.AssetsLost, "asset"), i.ID, i.ID)
	case ward.ImportDiscarded:
		fmt.Fprintf(w, "Import %d was discarded.\n", i.ID)
	case ward.ImportApplied:
		fmt.Fprintf(w, "Import %d: %s, %s; %s new, %d no longer seen; observed %s\n", i.ID, counted(i.Rows, "row"), counted(i.Assets, "asset"), counted(i.Added, "install"), i.Gone,
			i.ObservedAt.Format("2 January 2006 15:04 UTC"))
	}
	lines(w, "rows rejected", i.Rejected, i.Problems)
}

// ImportEstate imports one inventory, and does what follows from it. One that is held is a result, not an error.
func (a *App) ImportEstate(ctx context.Context, d EstateDelivery) (EstateResult, error) {
	delivery := estate.Delivery{
		Org: ward.OrgID(strings.ToUpper(d.Org)), Source: d.Source, Format: d.Format, Grade: ward.Grade(d.Grade), ObservedAt: d.ObservedAt,
		Body: d.Body, Name: d.Name, Mapping: d.Mapping, Progress: d.Progress,
	}
	for _, class := range d.Classes {
		delivery.Classes = append(delivery.Classes, ward.Class(class))
	}
	result, err := a.Estate.Import(ctx, shell, delivery)
	if errors.Is(err, ward.ErrHeld) {
		err = nil
	}
	return settled(ctx, a, EstateResult{api.ImportOf(result)}, err)
}

// Appliance is a machine declared by hand on the command line.
type Appliance struct {
	Org, Vendor, Product, Version, Name, Class, InternetFacing, Site string
}

// ApplianceResult is the machine that a declaration made.
type ApplianceResult struct {
	Asset   ward.AssetID `json:"asset"`
	Name    string       `json:"name"`
	Product string       `json:"product"`
	Version string       `json:"version"`
	Expires time.Time    `json:"expires"`
}

// Text prints the result for reading.
func (r ApplianceResult) Text(w io.Writer) {
	fmt.Fprintf(w, "Declared: %s runs %s %s (asset %d), self-declared until %s\n", r.Name, r.Product, r.Version, r.Asset, r.Expires.Format("2 January 2006"))
}

// DeclareAppliance keeps a machine declared by hand, and does what follows from it.
func (a *App) DeclareAppliance(ctx context.Context, said Appliance) (ApplianceResult, error) {
	reachable, ok := estate.ParseTri(said.InternetFacing)
	if !ok {
		return ApplianceResult{}, &ward.Invalid{Field: "internet-facing", Problem: fmt.Sprintf("%q is neither yes nor no", said.InternetFacing)}
	}
	d, asset, err := a.Estate.DeclareAppliance(ctx, shell, ward.DeclaredAppliance{Org: ward.OrgID(strings.ToUpper(said.Org)), Vendor: said.Vendor, Product: said.Product,
		Version: said.Version, Name: said.Name, Class: ward.Class(said.Class), Reachable: reachable, Site: said.Site})
	return settled(ctx, a, ApplianceResult{asset.ID, asset.Name, ward.ProductName(d.Vendor, d.Product), d.Version, d.Expires}, err)
}

// DecideImport releases or discards an import that was held.
func (a *App) DecideImport(ctx context.Context, id string, release bool) (EstateResult, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return EstateResult{}, &ward.Invalid{Field: "import", Problem: fmt.Sprintf("%q is not a number", id), Hint: "give the number that the import printed"}
	}
	decide := a.Estate.Discard
	if release {
		decide = a.Estate.Release
	}
	result, err := decide(ctx, shell, ward.ImportID(number))
	return settled(ctx, a, EstateResult{api.ImportOf(result)}, err)
}

// FeedsResult is what a synchronisation came to.
type FeedsResult struct {
	Feeds  []FeedLoaded `json:"feeds"`
	Passed []FeedPassed `json:"passed,omitempty"` // files that no feed understands
}

// FeedLoaded is what one feed came to.
type FeedLoaded struct {
	Name     string   `json:"name"`
	Files    int      `json:"files"`
	Records  int      `json:"records"`
	Changed  int      `json:"changed"`
	Rejected int      `json:"rejected"`
	Skipped  int      `json:"skipped,omitempty"` // of Records: they name no CVE
	Problems []string `json:"problems,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// FeedPassed is one reason and the files that were passed over for it.
type FeedPassed struct {
	Reason string   `json:"reason"`
	Files  []string `json:"files"`
}

// Text prints the result for reading.
func (r FeedsResult) Text(w io.Writer) {
	for _, f := range r.Feeds {
		fmt.Fprintf(w, "%-9s %d records from %s, %d new or changed, %d rejected\n", f.Name, f.Records, counted(f.Files, "file"), f.Changed, f.Rejected)
		if f.Skipped > 0 {
			fmt.Fprintf(w, "       %d of the records name no CVE and are about nothing that is kept\n", f.Skipped)
		}
		if f.Error != "" {
			fmt.Fprintf(w, "       not read to its end: %s\n", f.Error)
		}
		lines(w, "records rejected or left out", f.Rejected+f.Skipped, f.Problems)
	}
	for _, p := range r.Passed {
		lines(w, "files passed over: "+p.Reason, len(p.Files), p.Files)
	}
}

// Failed is an error while any feed was not read to its end.
func (r FeedsResult) Failed() error {
	for _, f := range r.Feeds {
		if f.Error != "" {
			return errors.New("not every feed was read to its end: what was known before stays, so run it again")
		}
	}
	return nil
}

// SyncFeeds reads feeds from their publishers, or from a path or URL, and does what follows. progress may be nil.
func (a *App) SyncFeeds(ctx context.Context, names []string, from string, progress func(done, total int64)) (FeedsResult, error) {
	if from != "" && !feeds.IsURL(from) {
		absolute, err := filepath.Abs(from) // the Feeds page shows it to people elsewhere
		if err != nil {
			return FeedsResult{}, err
		}
		from = absolute
	}
	told := func(feeds.Progress) {}
	if progress != nil {
		told = func(p feeds.Progress) { progress(int64(p.Reports), -1) }
	}
	synced, err := a.Feeds.Sync(ctx, shell, names, from, told)
	if err != nil {
		return FeedsResult{}, err
	}
	return settled(ctx, a, loaded(synced), nil)
}

func loaded(synced feeds.Result) FeedsResult {
	result := FeedsResult{Feeds: []FeedLoaded{}}
	for _, f := range synced.Feeds {
		result.Feeds = append(result.Feeds, FeedLoaded{f.Name, f.Files, f.Records, f.Changed, f.Rejected, f.Skipped, f.Problems, f.Error})
	}
	for _, reason := range synced.Reasons() {
		result.Passed = append(result.Passed, FeedPassed{reason.Reason, reason.Files})
	}
	return result
}

// FeedRow is how one feed stands.
type FeedRow struct {
	Name      string `json:"name"`
	Records   int    `json:"records"`
	Rejected  int    `json:"rejected"`
	Succeeded string `json:"succeeded"`
	State     string `json:"state"`
}

// FeedRows says how each feed stands.
func (a *App) FeedRows(ctx context.Context) (rows []FeedRow, err error) {
	list, err := a.Feeds.List(ctx)
	for _, f := range list {
		row := FeedRow{Name: f.Name, Records: f.Records, Rejected: f.Rejected, State: feedState(f, a.Clock.Now())}
		if !f.Succeeded.IsZero() {
			row.Succeeded = f.Succeeded.Format(time.RFC3339)
		}
		rows = append(rows, row)
	}
	return rows, err
}

// AlertAnswer is what an organisation says, on the command line; several things are said in the order of the fields, all of
// them or none.
type AlertAnswer struct {
	Org             string
	Acknowledge     bool
	Applies, Host   string
	Affected, Done  int // -1: nothing is said
	Blocker, Help   string
	FixedAt         time.Time
	Dispute         bool
	Check, Coverage string
	Close           bool
	Outcome         string // closes with it
	Control         ward.Control
	Acceptance      ward.Acceptance
	Left            []string // "asset: reason"
	Until           time.Time
	Words           string
	Speaker, Number string // recorded by telephone
}

// answer is the command's flags as the ledger takes them.
func (said AlertAnswer) answer() (a responses.Answer, err error) {
	a = responses.Answer{Acknowledge: said.Acknowledge, Applies: ward.Applicability(said.Applies), Host: ward.OrgID(strings.ToUpper(said.Host)),
		Claim: !said.FixedAt.IsZero(), FixedAt: said.FixedAt, Dispute: said.Dispute, Words: said.Words}
	if said.Affected >= 0 || said.Done >= 0 || said.Blocker != "" || said.Help != "" {
		a.Progress = &ward.Progress{Affected: max(0, said.Affected), Done: max(0, said.Done), Blocker: said.Blocker, Help: said.Help}
	}
	if said.Check != "" {
		a.Check = &responses.Signed{Result: ward.CheckResult(said.Check), Coverage: said.Coverage}
	}
	if !said.Close && said.Outcome == "" {
		return a, nil
	}
	how := ward.Closing{Outcome: ward.Outcome(said.Outcome), Control: said.Control, Acceptance: said.Acceptance}
	how.Control.Review, how.Acceptance.Until = said.Until, said.Until
	for _, line := range said.Left {
		name, reason, ok := strings.Cut(line, ":")
		if !ok {
			return a, &ward.Invalid{Field: "left", Problem: fmt.Sprintf("%q names no reason", line), Hint: `such as --left "laptop-17: away until June"`}
		}
		how.Residual = append(how.Residual, ward.Residual{Name: strings.TrimSpace(name), Reason: strings.TrimSpace(reason), Until: said.Until})
	}
	a.Close = &how
	return a, nil
}

// AnswerAlert answers for an organisation: as one of its people, or as an analyst who writes down a telephone call.
func (a *App) AnswerAlert(ctx context.Context, email, id string, said AlertAnswer) (AlertView, error) {
	who, err := a.as(ctx, email)
	if err != nil {
		return AlertView{}, err
	}
	answer, err := said.answer()
	if err != nil {
		return AlertView{}, err
	}
	alert, org := ward.AlertID(id), ward.OrgID(strings.ToUpper(said.Org))
	r, err := a.Responses.Get(ctx, who.Scope, alert, org)
	switch {
	case err != nil:
		return AlertView{}, err
	case said.Speaker != "" || said.Number != "":
		_, err = a.Responses.ByTelephone(ctx, who, ward.PhoneCall{Speaker: said.Speaker, Number: said.Number}, alert, org, r.Version, answer)
	default:
		_, err = a.Responses.Say(ctx, who, alert, org, r.Version, answer)
	}
	if err != nil {
		return AlertView{}, err
	}
	v, err := a.view(ctx, who, alert)
	v.Responses = slices.DeleteFunc(v.Responses, func(r api.Response) bool { return r.Org != org })
	return v, err
}

// AlertRow is one alert, for a list.
type AlertRow struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	State    string `json:"state"`
	Issued   string `json:"issued"`
	Title    string `json:"title"`
}

// alertStates are those that a list can be narrowed to.
var alertStates = []string{string(ward.Drafted), string(ward.Approved), string(ward.Published), string(ward.Ended), string(ward.Withdrawn), string(ward.Superseded)}

// AlertRows lists the alerts that the account may see, newest first.
func (a *App) AlertRows(ctx context.Context, email, state string) (rows []AlertRow, err error) {
	who, err := a.reader(ctx, email)
	if err != nil {
		return nil, err
	}
	if state != "" && !slices.Contains(alertStates, state) {
		return nil, &ward.Invalid{Field: "state", Problem: fmt.Sprintf("%q is not a state", state), Hint: "one of " + strings.Join(alertStates, ", ")}
	}
	query := alerts.Query{State: ward.AlertState(state), Limit: ward.MostPageSize}
	for {
		page, err := a.Alerts.List(ctx, who.Scope, query)
		if err != nil {
			return nil, err
		}
		for _, alert := range page.Items {
			row := AlertRow{ID: string(alert.ID), Severity: string(alert.Severity), State: string(alert.State), Title: alert.Title}
			if !alert.Issued.IsZero() {
				row.Issued = alert.Issued.Format(time.RFC3339)
			}
			rows = append(rows, row)
		}
		if page.Next == "" {
			return rows, nil
		}
		query.After = page.Next
	}
}

// NewPerson is an account to make.
type NewPerson struct{ Email, Name, Role, Org string }

// Secret is something that is shown once.
type Secret struct {
	For    string `json:"for"`
	What   string `json:"what"`
	Secret string `json:"secret"`
	Then   string `json:"then"`
}

// Text prints the secret for reading.
func (s Secret) Text(w io.Writer) {
	fmt.Fprintf(w, "%s for %s: %s\n%s\n", s.What, s.For, s.Secret, s.Then)
}

// AddPerson makes an account with a one-time password.
func (a *App) AddPerson(ctx context.Context, p NewPerson) (Secret, error) {
	person := ward.Person{Name: p.Name, Email: p.Email, Org: ward.OrgID(strings.ToUpper(p.Org)), Role: ward.Role(p.Role)}
	if person.Org != "" {
		if _, err := a.Estate.Organisation(ctx, shell.Scope, person.Org); err != nil {
			return Secret{}, &ward.Invalid{Field: "org", Problem: fmt.Sprintf("%q is not an organisation that we know", person.Org), Hint: "import organisations first: wardwatch org import"}
		}
	}
	made, password, err := a.Access.AddPerson(ctx, shell, person, "")
	return Secret{made.Email, "One-time password", password, "It is shown once. The person chooses another at the first sign-in."}, err
}

// ResetPassword gives an account a new one-time password, and ends its sessions.
func (a *App) ResetPassword(ctx context.Context, email string) (Secret, error) {
	person, err := a.Access.PersonByEmail(ctx, shell, email)
	if err != nil {
		return Secret{}, fmt.Errorf("account %q: %w", email, err)
	}
	password, err := a.Access.ResetPassword(ctx, shell, person.ID)
	return Secret{person.Email, "One-time password", password, "It is shown once. The person chooses another at the next sign-in."}, err
}

// AddToken makes an API token that acts as its account.
func (a *App) AddToken(ctx context.Context, email, name string, lives time.Duration) (Secret, error) {
	person, err := a.Access.PersonByEmail(ctx, shell, email)
	if err != nil {
		return Secret{}, fmt.Errorf("account %q: %w", email, err)
	}
	_, secret, err := a.Access.AddToken(ctx, shell, person.ID, name, a.Clock.Now().Add(lives))
	return Secret{person.Email, "API token", secret, "It is shown once. Send it as: Authorization: Bearer TOKEN"}, err
}

// FirstAdmin makes the first account of a new installation, with a one-time password.
func (a *App) FirstAdmin(ctx context.Context) (email, password string, created bool, err error) {
	return a.Access.FirstAdmin(ctx)
}
