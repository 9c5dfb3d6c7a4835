package app

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/edge/api"
	"wardwatch/ward"
)

// AlertView is an alert and where each organisation stands, as far as the account may see.
type AlertView struct {
	api.Alert
	Notified  int            `json:"notified,omitempty"` // organisations that must answer, when it was published just now
	Informed  int            `json:"informed,omitempty"` // organisations that read it
	Responses []api.Response `json:"responses,omitempty"`
}

// Text prints the view for reading.
func (v AlertView) Text(w io.Writer) {
	fmt.Fprintf(w, "%s  %s  %s  %s  version %d\n%s\n", v.ID, v.Severity, v.State, v.TLP, v.Version, v.Title)
	clocks := fmt.Sprintf("Answer within %gh, then an update every %gh (%s)", v.AcknowledgeWithin, v.UpdateEvery, v.Clocks.Title)
	if !v.RemediateBy.IsZero() {
		clocks += "; remediate by " + v.RemediateBy.Format("2 January 2006")
	}
	fmt.Fprintln(w, clocks+".")
	if v.ClocksWhy != "" {
		fmt.Fprintf(w, "The clocks differ from the policy's: %s.\n", strings.TrimRight(v.ClocksWhy, "."))
	}
	if v.Notified > 0 {
		fmt.Fprintf(w, "Published to %s.\n", counted(v.Notified, "organisation"))
	}
	if v.Informed > 0 {
		fmt.Fprintf(w, "%d more are informed, and owe nothing.\n", v.Informed)
	}
	if e := v.Emergency; e != nil && e.SecondAt.IsZero() {
		fmt.Fprintf(w, "Published by %s alone: a second approval is owed by %s.\n", e.By, e.Due.Format(time.RFC3339))
	}
	if v.EndWhy != "" {
		fmt.Fprintf(w, "%s\n", v.EndWhy)
	}
	if v.Summary != "" {
		fmt.Fprintf(w, "\n%s\n", v.Summary)
	}
	for _, s := range v.Steps {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %s: %s %s", s.Kind, s.Text, s.Link), " "))
	}
	for _, r := range v.Responses {
		state := strings.ReplaceAll(string(r.State), "_", " ")
		if r.ClosedAs != "" || r.Outcome != "" {
			state = r.Reads
		}
		if r.Overdue {
			state += ", overdue"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %-6s %-24s %s", r.Org, state, r.Proof.Why), " "))
	}
}

// AlertDraft is what a person writes of an alert on the command line.
type AlertDraft struct {
	Finding, Template, Title, Summary, Severity, Vendor, Product, TLP, Policy, Supersedes string
	CVEs, Steps                                                                           []string
}

// over puts what was said over an alert; what was left out stays.
func (d AlertDraft) over(alert *ward.Alert) error {
	put := func(to *string, text string) {
		if text != "" {
			*to = text
		}
	}
	put(&alert.Title, d.Title)
	put(&alert.Summary, d.Summary)
	put((*string)(&alert.Severity), d.Severity)
	put(&alert.Vendor, d.Vendor)
	put(&alert.Product, d.Product)
	put(&alert.Policy.Name, d.Policy)
	put((*string)(&alert.Supersedes), d.Supersedes)
	put((*string)(&alert.TLP), d.TLP)
	for _, text := range d.Steps {
		kind, rest, found := strings.Cut(text, ":")
		if !found {
			return &ward.Invalid{Field: "step", Problem: fmt.Sprintf("%q has no kind", text), Hint: `write "Patch: what to do"`}
		}
		alert.Steps = append(alert.Steps, ward.Step{Kind: ward.StepKind(strings.TrimSpace(kind)), Text: strings.TrimSpace(rest)})
	}
	return nil
}

// DraftAlert drafts an alert from a finding, from weaknesses, or from nothing; what the draft says goes over what was found.
func (a *App) DraftAlert(ctx context.Context, email string, d AlertDraft) (AlertView, error) {
	who, err := a.as(ctx, email)
	if err != nil {
		return AlertView{}, err
	}
	var alert ward.Alert
	switch {
	case d.Finding != "":
		if alert, err = a.Alerts.DraftFromFinding(ctx, who, ward.FindingID(d.Finding)); err != nil {
			return AlertView{}, err
		}
	case d.Template != "":
		if alert, err = a.Alerts.PrefillFrom(ctx, who, d.Template); err != nil {
			return AlertView{}, err
		}
	case len(d.CVEs) > 0:
		var cves []ward.CVE
		for _, cve := range d.CVEs {
			cves = append(cves, ward.CVE(strings.ToUpper(cve)))
		}
		if alert, err = a.Alerts.Prefill(ctx, who, cves...); err != nil {
			return AlertView{}, err
		}
	}
	if err := d.over(&alert); err != nil {
		return AlertView{}, err
	}
	if alert.ID != "" {
		alert, err = a.Alerts.Edit(ctx, who, alert.ID, alert.Version, alert)
	} else {
		alert.Exercise = alert.Exercise || a.Config.Exercise
		alert, err = a.Alerts.Draft(ctx, who, alert)
	}
	return AlertView{Alert: api.AlertOf(alert)}, err
}

// ShowAlert shows an alert and the answers to it that the account may see; without an account, all.
func (a *App) ShowAlert(ctx context.Context, email, id string) (AlertView, error) {
	who, err := a.reader(ctx, email)
	if err != nil {
		return AlertView{}, err
	}
	return a.view(ctx, who, ward.AlertID(id))
}

func (a *App) view(ctx context.Context, who ward.Actor, id ward.AlertID) (AlertView, error) {
	alert, err := a.Alerts.Get(ctx, who.Scope, id)
	if err != nil {
		return AlertView{}, err
	}
	v := AlertView{Alert: api.AlertOf(alert)}
	answers, err := a.Responses.ForAlert(ctx, who.Scope, id)
	for _, r := range answers {
		v.Responses = append(v.Responses, api.ResponseOf(r))
	}
	return v, err
}

// reader is who reads: the account that is named, or whoever holds the data directory.
func (a *App) reader(ctx context.Context, email string) (ward.Actor, error) {
	if email == "" {
		return shell, nil
	}
	return a.as(ctx, email)
}

// alertAs is a person and an alert as that person sees it.
func (a *App) alertAs(ctx context.Context, email, id string) (ward.Actor, ward.Alert, error) {
	who, err := a.as(ctx, email)
	if err != nil {
		return ward.Actor{}, ward.Alert{}, err
	}
	alert, err := a.Alerts.Get(ctx, who.Scope, ward.AlertID(id))
	if err != nil {
		return ward.Actor{}, ward.Alert{}, err
	}
	return who, alert, nil
}

// ApproveAlert approves what another drafted.
func (a *App) ApproveAlert(ctx context.Context, email, id string) (AlertView, error) {
	who, alert, err := a.alertAs(ctx, email, id)
	if err != nil {
		return AlertView{}, err
	}
	alert, err = a.Alerts.Approve(ctx, who, alert.ID, alert.Version)
	return AlertView{Alert: api.AlertOf(alert)}, err
}

// AlertClocks are what an approver may change of an alert without writing its text.
type AlertClocks = alerts.Clocks

// AlertChange is what a person says of a revision.
type AlertChange = alerts.Change

// codes are organisations as people type them; nil stays nil.
func codes(typed []string) (orgs []ward.OrgID) {
	for _, code := range typed {
		orgs = append(orgs, ward.OrgID(strings.ToUpper(strings.TrimSpace(code))))
	}
	return orgs
}

// Sending is how an alert is published on the command line.
type Sending struct {
	To       []string // must answer; none: every open organisation
	Inform   []string // read it
	Alone    bool     // in an emergency, without a second person
	Reason   string   // why alone
	Password string   // of the account, when alone
}

// PublishAlert publishes an approved alert, or one person's draft in an emergency.
func (a *App) PublishAlert(ctx context.Context, email, id string, s Sending) (AlertView, error) {
	who, alert, err := a.alertAs(ctx, email, id)
	if err != nil {
		return AlertView{}, err
	}
	to := alerts.Audience{Respond: codes(s.To), Inform: codes(s.Inform)}
	var published alerts.Published
	if s.Alone {
		if who, err = a.Access.Confirmed(ctx, email, s.Password); err != nil {
			return AlertView{}, err
		}
		published, err = a.Alerts.PublishAlone(ctx, who, alert.ID, alert.Version, to, s.Reason)
	} else {
		published, err = a.Alerts.Publish(ctx, who, alert.ID, alert.Version, to)
	}
	if err != nil {
		return AlertView{}, err
	}
	v, err := a.view(ctx, who, alert.ID)
	v.Notified, v.Informed = published.Notified, published.Informed
	return settled(ctx, a, v, err)
}

// CountersignAlert gives the second approval of an alert that another published alone.
func (a *App) CountersignAlert(ctx context.Context, email, id string) (AlertView, error) {
	return a.alertDone(ctx, email, id, a.Alerts.Countersign)
}

// CloseAlert closes an alert that is done with.
func (a *App) CloseAlert(ctx context.Context, email, id string) (AlertView, error) {
	return a.alertDone(ctx, email, id, a.Alerts.Close)
}

// WithdrawAlert withdraws an alert.
func (a *App) WithdrawAlert(ctx context.Context, email, id, reason string) (AlertView, error) {
	return a.alertDone(ctx, email, id, func(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error) {
		return a.Alerts.Withdraw(ctx, who, id, version, reason)
	})
}

// SetAlertClocks changes the clocks of an alert that is not published yet.
func (a *App) SetAlertClocks(ctx context.Context, email, id string, clocks AlertClocks) (AlertView, error) {
	return a.alertDone(ctx, email, id, func(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error) {
		return a.Alerts.SetClocks(ctx, who, id, version, clocks)
	})
}

// alertDone does something to an alert as it stands, and what follows from it.
func (a *App) alertDone(ctx context.Context, email, id string, do func(context.Context, ward.Actor, ward.AlertID, int) (ward.Alert, error)) (AlertView, error) {
	who, alert, err := a.alertAs(ctx, email, id)
	if err != nil {
		return AlertView{}, err
	}
	alert, err = do(ctx, who, alert.ID, alert.Version)
	return settled(ctx, a, AlertView{Alert: api.AlertOf(alert)}, err)
}

// RevisionView is a revision that waits for a second person, and what it would change.
type RevisionView struct {
	api.Revision
	Changes []api.FieldChange `json:"changes"`
}

// Text prints the view for reading.
func (v RevisionView) Text(w io.Writer) {
	kind := "editorial"
	if v.Change.Material {
		kind = "material: organisations acknowledge again"
	}
	fmt.Fprintf(w, "%s, revision %d by %s (%s): %s\n", v.Alert, v.Version, v.Change.By, kind, v.Change.Why)
	if v.Change.Material != v.Change.Proposed {
		fmt.Fprintln(w, "The rules proposed otherwise:")
	}
	for _, reason := range v.Change.Reasons {
		fmt.Fprintf(w, "  %s\n", reason)
	}
	ChangesText(w, v.Changes)
}

// ChangesText prints what two versions differ in, word by word: [-gone-] and {+new+}.
func ChangesText(w io.Writer, changes []api.FieldChange) {
	if len(changes) == 0 {
		fmt.Fprintln(w, "nothing differs")
	}
	for _, c := range changes {
		var text strings.Builder
		for _, span := range c.Words {
			switch span.Kind {
			case alerts.Removed:
				fmt.Fprintf(&text, "[-%s-]", span.Text)
			case alerts.Added:
				fmt.Fprintf(&text, "{+%s+}", span.Text)
			default:
				text.WriteString(span.Text)
			}
		}
		fmt.Fprintf(w, "%s:\n  %s\n", c.Title, strings.ReplaceAll(text.String(), "\n", "\n  "))
	}
}

// ReviseAlert writes a revision of a published alert: what is said goes over the text that waits, else over the alert's.
func (a *App) ReviseAlert(ctx context.Context, email, id string, d AlertDraft, change AlertChange) (RevisionView, error) {
	who, alert, err := a.alertAs(ctx, email, id)
	if err != nil {
		return RevisionView{}, err
	}
	waiting, err := a.Alerts.Revision(ctx, who.Scope, alert.ID)
	there := err == nil
	words := alert
	if there {
		words = waiting.Draft
	}
	if err := d.over(&words); err != nil {
		return RevisionView{}, err
	}
	for _, cve := range d.CVEs {
		words.CVEs = append(words.CVEs, ward.CVE(strings.ToUpper(cve)))
	}
	if there {
		_, err = a.Alerts.EditRevision(ctx, who, alert.ID, waiting.Version, words, change)
	} else {
		_, err = a.Alerts.Revise(ctx, who, alert.ID, alert.Version, words, change)
	}
	if err != nil {
		return RevisionView{}, err
	}
	return a.revision(ctx, who, alert.ID)
}

func (a *App) revision(ctx context.Context, who ward.Actor, id ward.AlertID) (RevisionView, error) {
	r, err := a.Alerts.Revision(ctx, who.Scope, id)
	if err != nil {
		return RevisionView{}, err
	}
	changes, err := a.Alerts.CompareRevision(ctx, who.Scope, id)
	v := RevisionView{Revision: api.RevisionOf(r)}
	for _, c := range changes {
		v.Changes = append(v.Changes, api.FieldChangeOf(c))
	}
	return v, err
}

// AlertRevision shows the revision of an alert that waits.
func (a *App) AlertRevision(ctx context.Context, email, id string) (RevisionView, error) {
	who, err := a.reader(ctx, email)
	if err != nil {
		return RevisionView{}, err
	}
	return a.revision(ctx, who, ward.AlertID(id))
}

// IssueRevision issues the revision of an alert that waits, as the second person.
func (a *App) IssueRevision(ctx context.Context, email, id string) (AlertView, error) {
	return a.alertDone(ctx, email, id, func(ctx context.Context, who ward.Actor, id ward.AlertID, _ int) (ward.Alert, error) {
		r, err := a.Alerts.Revision(ctx, who.Scope, id)
		if err != nil {
			return ward.Alert{}, err
		}
		return a.Alerts.ApproveRevision(ctx, who, id, r.Version)
	})
}

// DropRevision gives the revision of an alert that waits up.
func (a *App) DropRevision(ctx context.Context, email, id string) (AlertView, error) {
	return a.alertDone(ctx, email, id, func(ctx context.Context, who ward.Actor, id ward.AlertID, _ int) (ward.Alert, error) {
		r, err := a.Alerts.Revision(ctx, who.Scope, id)
		if err == nil {
			err = a.Alerts.DropRevision(ctx, who, id, r.Version)
		}
		if err != nil {
			return ward.Alert{}, err
		}
		return a.Alerts.Get(ctx, who.Scope, id)
	})
}

// CompareAlert says what two versions of an alert differ in.
func (a *App) CompareAlert(ctx context.Context, email, id string, from, to int) (changes []api.FieldChange, err error) {
	who, err := a.reader(ctx, email)
	if err != nil {
		return nil, err
	}
	found, err := a.Alerts.Compare(ctx, who.Scope, ward.AlertID(id), from, to)
	for _, c := range found {
		changes = append(changes, api.FieldChangeOf(c))
	}
	return changes, err
}

// ToldRow is what one organisation would be told by a publication.
type ToldRow struct {
	Org     string   `json:"org"`
	Part    string   `json:"part"`
	Known   string   `json:"known,omitempty"`
	Subject string   `json:"subject"`
	To      []string `json:"to"` // besides the in-app inbox
}

// PreviewAlert says who would be told what, and by which channel.
func (a *App) PreviewAlert(ctx context.Context, email, id string, s Sending) (rows []ToldRow, err error) {
	who, alert, err := a.alertAs(ctx, email, id)
	if err != nil {
		return nil, err
	}
	preview, err := a.Alerts.Preview(ctx, who, alert.ID, alerts.Audience{Respond: codes(s.To), Inform: codes(s.Inform)})
	for _, t := range preview.Told {
		row := ToldRow{Org: string(t.Org), Part: string(t.Part), Known: strings.ReplaceAll(string(t.Standing.State), "_", " "), Subject: t.Subject, To: []string{}}
		for _, r := range t.To {
			if by := strings.TrimSpace(string(r.Channel) + " " + r.To); by != "" { // the inbox has neither
				row.To = append(row.To, by)
			}
		}
		rows = append(rows, row)
	}
	return rows, err
}

// PolicyRow is one policy, for a list.
type PolicyRow struct {
	Name    string `json:"name"`
	Respond string `json:"respond_within"`
	Update  string `json:"update_every"`
	Checked string `json:"checked"`
	Title   string `json:"title"`
	Off     bool   `json:"off,omitempty"`
}

// PolicyRows lists the policies that the configuration gives.
func (a *App) PolicyRows() (rows []PolicyRow) {
	for _, p := range a.Alerts.PolicyList() {
		rows = append(rows, PolicyRow{p.Name, inHours(p.RespondWithin), inHours(p.UpdateEvery), p.Checked.Format(time.DateOnly), p.Title, p.Off})
	}
	return rows
}

func inHours(d time.Duration) string {
	return strconv.FormatFloat(d.Hours(), 'f', -1, 64) + "h"
}

// TemplateRow is one kept draft, for a list.
type TemplateRow struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	By      string `json:"by"`
	Title   string `json:"title"`
}

// TemplateRows lists the kept drafts.
func (a *App) TemplateRows(ctx context.Context, email string) (rows []TemplateRow, err error) {
	who, err := a.reader(ctx, email)
	if err != nil {
		return nil, err
	}
	all, err := a.Alerts.Templates(ctx, who)
	for _, t := range all {
		rows = append(rows, TemplateRow{t.Name, t.Version, t.By, t.Title})
	}
	return rows, err
}

// KeepTemplate keeps the words of an alert as a draft for the next time.
func (a *App) KeepTemplate(ctx context.Context, email, id, name, title string) (TemplateRow, error) {
	who, alert, err := a.alertAs(ctx, email, id)
	if err != nil {
		return TemplateRow{}, err
	}
	alert.RemediateBy = time.Time{} // a day that has passed is no template
	t, err := a.Alerts.SaveTemplate(ctx, who, ward.Template{Name: name, Title: title, Words: alert})
	return TemplateRow{t.Name, t.Version, t.By, t.Title}, err
}
