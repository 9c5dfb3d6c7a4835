package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/ward"
)

// The pages of an alert's life after its draft: clocks, publishing alone, the second approval, revisions, comparison, the end.
func (s *Site) routesAlertLife() {
	s.get("/alerts/{id}/clocks", ward.MayApprove, s.clocksPage)
	s.post("/alerts/{id}/clocks", ward.MayApprove, s.setClocks)
	s.get("/alerts/{id}/alone", ward.MayApprove, s.alonePage)
	s.post("/alerts/{id}/alone", ward.MayApprove, s.publishAlone)
	s.post("/alerts/{id}/countersign", ward.MayApprove, s.countersign)
	s.get("/alerts/{id}/revise", ward.MayDraft, s.revisePage)
	s.post("/alerts/{id}/revise", ward.MayDraft, s.revise)
	s.post("/alerts/{id}/revision/approve", ward.MayApprove, s.approveRevision)
	s.post("/alerts/{id}/revision/drop", ward.MayDraft, s.dropRevision)
	s.get("/alerts/{id}/compare", ward.MayRead, s.comparePage)
	s.get("/alerts/{id}/withdraw", ward.MayApprove, s.withdrawPage)
	s.post("/alerts/{id}/withdraw", ward.MayApprove, s.withdraw)
	s.get("/templates", ward.MayDraft, s.templateList)
	s.post("/templates/{name}/drop", ward.MayDraft, s.dropTemplate)
	s.get("/alerts/{id}/template", ward.MayDraft, s.templatePage)
	s.post("/alerts/{id}/template", ward.MayDraft, s.saveTemplate)
}

// formData is what a page shows that asks one thing.
type formData struct {
	Lede string
	Form Form
}

// inState is the alert, where it stands in one of the states that a page is for; elsewhere there is no such page.
func (s *Site) inState(r *http.Request, who ward.Actor, states ...ward.AlertState) (ward.Alert, error) {
	a, err := s.Alerts.Get(r.Context(), who.Scope, ward.AlertID(r.PathValue("id")))
	if err == nil && !slices.Contains(states, a.State) {
		err = fmt.Errorf("alert %s is %s: %w", a.ID, a.State, ward.ErrState)
	}
	return a, err
}

// clocksPage lets an approver change an alert's clocks without writing its text.
func (s *Site) clocksPage(r *http.Request, who ward.Actor) (Page, error) {
	a, err := s.inState(r, who, ward.Drafted, ward.Approved)
	if err != nil {
		return Page{}, err
	}
	return s.clocksForm(a, nil), nil
}

func (s *Site) clocksForm(a ward.Alert, wrong []FieldError) Page {
	errorOf := func(field string) string { return firstError(wrong, field) }
	form := Form{Action: alertHref(a.ID) + "/clocks", Errors: ErrorSummary{wrong}, Hidden: []Hidden{alertVersion(a)}, Fields: []View{
		Input{Name: "acknowledge_within", Label: "Acknowledge within", Hint: "The policy says " + hours(a.Policy.RespondWithin), Suffix: "hours", Width: 4, InputMode: "numeric", Value: hoursIn(a.AcknowledgeWithin), Error: errorOf("acknowledge_within")},
		Input{Name: "update_every", Label: "Then an update every", Hint: "The policy says " + hours(a.Policy.UpdateEvery), Suffix: "hours", Width: 4, InputMode: "numeric", Value: hoursIn(a.UpdateEvery), Error: errorOf("update_every")},
		dayInput("remediate_by", "Fix by (optional)", "Leave it empty to keep the policy's days: "+remediationWords(a.Policy), a.RemediateBy, errorOf("remediate_by-day")),
		Textarea{Name: "why", Label: "Why they differ from the policy's", Hint: "Needed where they do. Organisations read it.", Value: a.ClocksWhy, Rows: 2, Error: errorOf("why")},
		Checkboxes{Name: "check", Legend: "Compromise check", Choices: []Choice{{Value: "yes", Chosen: a.CheckRequired, Text: "Ask everybody for one",
			Hint: "“Fixed” then reads “patched, not yet checked” until a person signs what was found. An organisation whose machine was exposed and reachable while the weakness was exploited is asked anyway."}}},
		Textarea{Name: "check_why", Label: "Why the check is asked for", Value: a.CheckWhy, Rows: 2, Error: errorOf("check_why")},
	}, Buttons: []Button{{Text: "Set the clocks"}, {Text: "Cancel", Kind: Secondary, Href: alertHref(a.ID)}}}
	return Page{Title: "Clocks of " + string(a.ID), Template: "form", Current: "alerts", Crumbs: crumbsTo(a), Failed: len(wrong) > 0,
		Data: formData{Lede: policyWords(a.Policy) + ". Changing a clock writes none of the text, so an approved alert stays approved.", Form: form}}
}

// policyWords name a policy with whose numbers it holds and when they were last looked up.
func policyWords(p ward.Policy) string {
	text := p.Title + ", from " + p.Source
	if !p.Checked.IsZero() {
		text += ", checked on " + Day(p.Checked)
	}
	return text
}

// remediationWords are a policy's times to fix by kind of system.
func remediationWords(p ward.Policy) string {
	names := map[ward.SystemKind]string{ward.SystemInternetFacing: "reachable from the internet", ward.SystemOther: "other systems", ward.SystemIsolated: "internal or isolated"}
	var parts []string
	for _, kind := range ward.SystemKinds {
		if within := p.RemediateWithin(kind); within > 0 {
			parts = append(parts, Count(int(within/(24*time.Hour)), "day")+" where "+names[kind])
		}
	}
	if len(parts) == 0 {
		return "the policy sets none"
	}
	return strings.Join(parts, ", ")
}

// dayInput is a date box that shows the day of at.
func dayInput(name, legend, hint string, at time.Time, wrong string) DateInput {
	in := DateInput{Name: name, Legend: legend, Hint: hint, Error: wrong}
	if !at.IsZero() {
		in.Day, in.Month, in.Year = strconv.Itoa(at.Day()), strconv.Itoa(int(at.Month())), strconv.Itoa(at.Year())
	}
	return in
}

func (s *Site) setClocks(r *http.Request, who ward.Actor) (string, *Page, error) {
	a, err := s.inState(r, who, ward.Drafted, ward.Approved)
	if err != nil {
		return "", nil, err
	}
	asked, wrong := s.alertFrom(r)
	clocks := alerts.Clocks{AcknowledgeWithin: asked.AcknowledgeWithin, UpdateEvery: asked.UpdateEvery, RemediateBy: asked.RemediateBy,
		CheckRequired: textOf(r, "check") == "yes", CheckWhy: textOf(r, "check_why"), Why: textOf(r, "why")}
	if len(wrong) == 0 {
		_, err := s.Alerts.SetClocks(r.Context(), who, a.ID, versionIn(r), clocks)
		if err == nil {
			return alertHref(a.ID) + "?done=clocks", nil, nil
		}
		if wrong, err = invalid(err); err != nil {
			return "", nil, err
		}
	}
	a.AcknowledgeWithin, a.UpdateEvery, a.RemediateBy = clocks.AcknowledgeWithin, clocks.UpdateEvery, clocks.RemediateBy
	a.ClocksWhy, a.CheckRequired, a.CheckWhy, a.Version = clocks.Why, clocks.CheckRequired, clocks.CheckWhy, versionIn(r)
	page := s.clocksForm(a, wrong)
	return "", &page, nil
}

// alonePage is the emergency path of one person awake.
func (s *Site) alonePage(r *http.Request, who ward.Actor) (Page, error) {
	a, err := s.inState(r, who, ward.Drafted)
	if err != nil {
		return Page{}, err
	}
	return s.aloneForm(r.Context(), who, a, "", nil)
}

func (s *Site) aloneForm(ctx context.Context, who ward.Actor, a ward.Alert, reason string, wrong []FieldError) (Page, error) {
	preview, err := s.Alerts.Preview(ctx, who, a.ID, alerts.Audience{})
	if err != nil {
		return Page{}, err
	}
	form := Form{Action: alertHref(a.ID) + "/alone", Errors: ErrorSummary{wrong}, Hidden: []Hidden{alertVersion(a)}, Fields: []View{
		Textarea{Name: "reason", Label: "Why it cannot wait for a second person", Hint: "Everybody at the desk reads it.", Value: reason, Rows: 3, Error: firstError(wrong, "reason")},
		Input{Name: "password", Label: "Your password, again", Type: "password", Autocomplete: "current-password", Width: 20, Required: true, Error: firstError(wrong, "password")},
	}, Buttons: []Button{{Text: "Publish alone to all " + Count(len(preview.Told), "organisation"), Kind: Danger}, {Text: "Back to the alert", Kind: Secondary, Href: alertHref(a.ID)}}}
	return Page{Title: "Publish " + string(a.ID) + " alone", Template: "form", Current: "alerts", Crumbs: crumbsTo(a), Failed: len(wrong) > 0,
		Data: formData{Lede: "Only for when nobody else is awake. Everybody at the desk is told at once, and a second person must approve it within " +
			hours(alerts.CountersignWithin) + "; until then it stays in the queue, and after that the national duty officer is told.", Form: form}}, nil
}

func (s *Site) publishAlone(r *http.Request, who ward.Actor) (string, *Page, error) {
	ctx := r.Context()
	a, err := s.inState(r, who, ward.Drafted)
	if err != nil {
		return "", nil, err
	}
	reason := textOf(r, "reason")
	again := func(err error) (string, *Page, error) {
		wrong, other := invalid(err)
		if other != nil {
			return "", nil, other
		}
		page, err := s.aloneForm(ctx, who, a, reason, wrong)
		return "", &page, err
	}
	if err := s.Access.Confirm(ctx, r.PostFormValue("password")); err != nil {
		return again(err)
	}
	who.SteppedUp = s.clock.Now() // confirmed in this request
	done, err := s.Alerts.PublishAlone(ctx, who, a.ID, versionIn(r), alerts.Audience{}, reason)
	if err != nil {
		return again(err)
	}
	return alertHref(done.Alert.ID) + "?done=alone", nil, nil
}

func (s *Site) countersign(r *http.Request, who ward.Actor) (string, *Page, error) {
	a, err := s.Alerts.Countersign(r.Context(), who, ward.AlertID(r.PathValue("id")), versionIn(r))
	return alertHref(a.ID) + "?done=countersigned", nil, err
}

// emergencyView says that one person published an alert alone, and what is still owed.
func emergencyView(a ward.Alert, who ward.Actor) View {
	e := a.Emergency
	switch {
	case e.At.IsZero():
		return nil
	case !e.Owed():
		word := "approved"
		if e.Withdrawn {
			word = "withdrew"
		}
		return Note(fmt.Sprintf("Published by %s alone at %s: %s. %s %s it at %s.", e.By, At(e.At), strings.TrimSuffix(e.Reason, "."), e.SecondBy, word, At(e.SecondAt)))
	}
	body := Stack{Text("Because: " + e.Reason)}
	if who.May(ward.MayApprove) && e.ByID != who.Person {
		body = append(body, Form{Action: alertHref(a.ID) + "/countersign", Hidden: []Hidden{alertVersion(a)}, Buttons: []Button{{Text: "Give the second approval"}}})
	} else {
		body = append(body, Note("Another approver gives it, or withdraws the alert."))
	}
	return Banner{ID: "second", Title: "Second approval owed", Heading: "Published by " + e.By + " alone at " + At(e.At) + ". A second approval is owed by " + At(e.Due) + ".", Body: body}
}

// revisePage is the form of a new text for a published alert, or of the one that waits for a second person.
func (s *Site) revisePage(r *http.Request, who ward.Actor) (Page, error) {
	a, err := s.inState(r, who, ward.Published)
	if err != nil {
		return Page{}, err
	}
	waiting, err := s.revisionOf(r.Context(), who, a.ID)
	if err != nil {
		return Page{}, err
	}
	change := alerts.Change{}
	draft := a
	if waiting != nil {
		draft, change = waiting.Draft, alerts.Change{Material: waiting.Change.Material, Why: waiting.Change.Why}
	}
	return s.reviseForm(a, waiting, draft, change, "", nil), nil
}

// revisionOf is the revision of an alert that waits for a second person, or nil.
func (s *Site) revisionOf(ctx context.Context, who ward.Actor, id ward.AlertID) (*ward.Revision, error) {
	rev, err := s.Alerts.Revision(ctx, who.Scope, id)
	switch {
	case errors.Is(err, ward.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &rev, nil
}

// The answers to "what kind of change is it?".
const (
	kindProposed  = "proposed"
	kindMaterial  = "material"
	kindEditorial = "editorial"
)

func (s *Site) reviseForm(a ward.Alert, waiting *ward.Revision, draft ward.Alert, change alerts.Change, kind string, wrong []FieldError) Page {
	page := s.alertForm(draft, wrong, alertHref(a.ID)+"/revise")
	data := page.Data.(formData)
	if kind == "" {
		switch {
		case waiting == nil:
			kind = kindProposed
		case change.Material:
			kind = kindMaterial
		default:
			kind = kindEditorial
		}
	}
	version := a.Version
	if waiting != nil {
		version = waiting.Version
	}
	data.Form.Hidden = slices.DeleteFunc(data.Form.Hidden, func(h Hidden) bool { return h.Name == "version" })
	data.Form.Hidden = append(data.Form.Hidden, Hidden{"version", strconv.Itoa(version)}, Hidden{"waits", strconv.FormatBool(waiting != nil)})
	data.Form.Fields = append([]View{
		Textarea{Name: "why", Label: "What changed", Hint: "Organisations read it above the text: “A fixed release for the 12.4 branch is out.”", Value: change.Why, Rows: 2, Error: firstError(wrong, "why")},
		Radios{Name: "kind", Legend: "What kind of change it is", Choices: []Choice{
			{Value: kindProposed, Text: "As the rules propose", Hint: "A new fix, exploitation that began, another severity, a weakness more or less time is material.", Chosen: kind == kindProposed},
			{Value: kindMaterial, Text: "Material", Hint: "Every organisation is told at once and acknowledges again.", Chosen: kind == kindMaterial},
			{Value: kindEditorial, Text: "Editorial", Hint: "It is in the next digest, and nobody has to do anything again.", Chosen: kind == kindEditorial},
		}},
	}, data.Form.Fields...)
	data.Lede = "Organisations go on reading the text in force until another person has issued this one."
	data.Form.Buttons = []Button{{Text: "Keep the revision"}, {Text: "Cancel", Kind: Secondary, Href: alertHref(a.ID)}}
	page.Title, page.Crumbs, page.Data, page.Failed = "Revise "+string(a.ID), crumbsTo(a), data, len(wrong) > 0
	return page
}

func (s *Site) revise(r *http.Request, who ward.Actor) (string, *Page, error) {
	ctx := r.Context()
	a, err := s.inState(r, who, ward.Published)
	if err != nil {
		return "", nil, err
	}
	draft, wrong := s.alertFrom(r)
	draft.ID, draft.Exercise, draft.State = a.ID, a.Exercise, a.State
	kind := textOf(r, "kind")
	change := alerts.Change{Material: kind == kindMaterial, Why: textOf(r, "why")}
	waits := textOf(r, "waits") == "true"
	if len(wrong) == 0 {
		if kind != kindMaterial && kind != kindEditorial {
			proposed, err := s.Alerts.Proposed(ctx, who, a.ID, draft)
			if err != nil {
				return "", nil, err
			}
			change.Material = proposed.Material
		}
		if waits {
			_, err = s.Alerts.EditRevision(ctx, who, a.ID, versionIn(r), draft, change)
		} else {
			_, err = s.Alerts.Revise(ctx, who, a.ID, versionIn(r), draft, change)
		}
		if err == nil {
			return alertHref(a.ID) + "?done=revised#revision", nil, nil
		}
		if wrong, err = invalid(err); err != nil {
			return "", nil, err
		}
	}
	var waiting *ward.Revision
	if waits {
		waiting = &ward.Revision{Version: versionIn(r)}
	} else {
		a.Version = versionIn(r)
	}
	page := s.reviseForm(a, waiting, draft, change, kind, wrong)
	return "", &page, nil
}

// revisionView is the revision that waits, with what it would change and who may issue it.
func (s *Site) revisionView(ctx context.Context, who ward.Actor, a ward.Alert) (View, error) {
	rev, err := s.revisionOf(ctx, who, a.ID)
	if err != nil || rev == nil {
		return nil, err
	}
	changes, err := s.Alerts.CompareRevision(ctx, who.Scope, a.ID)
	if err != nil {
		return nil, err
	}
	kind := "Editorial: it is in the next digest, and nobody has to do anything again."
	if rev.Change.Material {
		kind = "Material: everybody is told at once and acknowledges again."
	}
	if proposed := rev.Change.Proposed; len(rev.Change.Reasons) > 0 {
		word := "editorial"
		if proposed {
			word = "material"
		}
		kind += " The rules propose " + word + ": " + strings.TrimSuffix(strings.Join(rev.Change.Reasons, "; "), ".") + "."
	} else if proposed != rev.Change.Material {
		kind += " The rules propose the other kind."
	}
	hidden := []Hidden{{"version", strconv.Itoa(rev.Version)}}
	edit := Button{Text: "Edit", Kind: Secondary, Href: alertHref(a.ID) + "/revise"}
	body := Stack{Prose(rev.Change.Why), Note(kind), changeTable(changes)}
	switch {
	case !who.May(ward.MayApprove):
		body = append(body, Note("An approver who wrote none of it issues it."), Buttons{edit})
	case slices.Contains(rev.Writers, who.Person):
		body = append(body, Note("You wrote some of it, so another approver issues it."), Buttons{edit})
	default:
		body = append(body, Form{Action: alertHref(a.ID) + "/revision/approve", Hidden: hidden, Buttons: []Button{{Text: "Issue the revision"}, edit}})
	}
	body = append(body, Details{Summary: "Give this revision up", Body: Form{Action: alertHref(a.ID) + "/revision/drop", Hidden: hidden, Buttons: []Button{{Text: "Give it up", Kind: Danger}}}})
	return Titled{ID: "revision", Title: "A revision waits for a second person", Note: "By " + rev.Change.By + ", " + At(rev.Updated), Body: body}, nil
}

func (s *Site) approveRevision(r *http.Request, who ward.Actor) (string, *Page, error) {
	a, err := s.Alerts.ApproveRevision(r.Context(), who, ward.AlertID(r.PathValue("id")), versionIn(r))
	return alertHref(a.ID) + "?done=issued", nil, err
}

func (s *Site) dropRevision(r *http.Request, who ward.Actor) (string, *Page, error) {
	id := ward.AlertID(r.PathValue("id"))
	return alertHref(id) + "?done=dropped", nil, s.Alerts.DropRevision(r.Context(), who, id, versionIn(r))
}

// changeTable shows field by field what differs, word by word.
func changeTable(changes []alerts.FieldChange) Table {
	t := Table{Caption: "What differs", HideCaption: true, Columns: []Column{{Title: "Part", Tight: true}, {Title: "Before and after"}},
		Empty: Empty{Text: "The texts are the same."}}
	for _, c := range changes {
		t.Rows = append(t.Rows, Row{Cells: []View{Text(c.Title), Compared(c.Words)}})
	}
	return t
}

// comparePage shows what changed between two versions that the reader may see.
func (s *Site) comparePage(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	a, err := s.Alerts.Get(ctx, who.Scope, ward.AlertID(r.PathValue("id")))
	if err != nil {
		return Page{}, err
	}
	versions, err := s.Alerts.Versions(ctx, who.Scope, a.ID)
	if err != nil {
		return Page{}, err
	}
	if len(versions) == 0 {
		return Page{}, ward.ErrNotFound
	}
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
			return n
		}
		return otherwise
	}
	newest := versions[len(versions)-1].Alert.Version
	from, to := number("from", versions[max(0, len(versions)-2)].Alert.Version), number("to", newest)
	changes, err := s.Alerts.Compare(ctx, who.Scope, a.ID, from, to)
	if err != nil {
		return Page{}, err
	}
	choices := func(chosen int) []Choice {
		var all []Choice
		for i, v := range slices.Backward(versions) {
			n := strconv.Itoa(v.Alert.Version)
			all = append(all, Choice{Value: n, Text: "Version " + n + ": " + lower(versionWord(versions, i)) + ", " + At(v.At), Chosen: v.Alert.Version == chosen})
		}
		return all
	}
	return Page{Title: "Versions of " + string(a.ID), Template: "compare", Current: "alerts", Crumbs: crumbsTo(a), Data: struct {
		Lede   string
		Choose Form
		Table  Table
	}{
		Lede: clauses(Count(len(changes), "part") + " of the alert " + differs(len(changes)) + " between version " + strconv.Itoa(from) + " and version " + strconv.Itoa(to)),
		Choose: Form{Action: alertHref(a.ID) + "/compare", Get: true, Fields: []View{
			Select{Name: "from", Label: "Before", Choices: choices(from)}, Select{Name: "to", Label: "After", Choices: choices(to)},
		}, Buttons: []Button{{Text: "Compare", Kind: Secondary}}},
		Table: changeTable(changes),
	}}, nil
}

func differs(n int) string {
	if n == 1 {
		return "differs"
	}
	return "differ"
}

func (s *Site) withdrawPage(r *http.Request, who ward.Actor) (Page, error) {
	a, err := s.inState(r, who, ward.Published)
	if err != nil {
		return Page{}, err
	}
	return withdrawForm(a, "", nil), nil
}

func withdrawForm(a ward.Alert, reason string, wrong []FieldError) Page {
	return Page{Title: "Withdraw " + string(a.ID), Template: "form", Current: "alerts", Crumbs: crumbsTo(a), Failed: len(wrong) > 0, Data: formData{
		Lede: "For an alert that should not have been published, or does not hold any more. Everybody who was told of it is told, and its open answers lapse. To end one that is done with, close it.",
		Form: Form{Action: alertHref(a.ID) + "/withdraw", Errors: ErrorSummary{wrong}, Hidden: []Hidden{alertVersion(a)},
			Fields:  []View{Textarea{Name: "reason", Label: "Why it is withdrawn", Hint: "Every organisation that was told reads it.", Value: reason, Rows: 3, Error: firstError(wrong, "reason")}},
			Buttons: []Button{{Text: "Withdraw " + string(a.ID), Kind: Danger}, {Text: "Back to the alert", Kind: Secondary, Href: alertHref(a.ID)}}}}}
}

func (s *Site) withdraw(r *http.Request, who ward.Actor) (string, *Page, error) {
	a, err := s.inState(r, who, ward.Published)
	if err != nil {
		return "", nil, err
	}
	reason := textOf(r, "reason")
	if _, err = s.Alerts.Withdraw(r.Context(), who, a.ID, versionIn(r), reason); err == nil {
		return alertHref(a.ID) + "?done=withdrawn", nil, nil
	}
	wrong, err := invalid(err)
	if err != nil {
		return "", nil, err
	}
	a.Version = versionIn(r)
	page := withdrawForm(a, reason, wrong)
	return "", &page, nil
}

// templateList lists the kept drafts.
func (s *Site) templateList(r *http.Request, who ward.Actor) (Page, error) {
	all, err := s.Alerts.Templates(r.Context(), who)
	if err != nil {
		return Page{}, err
	}
	t := Table{Caption: "Templates", HideCaption: true, Columns: []Column{{Title: "Template"}, {Title: "Severity", Tight: true}, {Title: "Kept by"}, {Title: "When", Tight: true}, {Title: "Remove", Tight: true}},
		Empty: Empty{Text: "No template is kept. A draft's page keeps one for the next time.", Next: link("Draft an alert", "/alerts/new")}}
	for _, x := range all {
		t.Rows = append(t.Rows, Row{Cells: []View{
			Why{View: link(x.Title, "/alerts/new?template="+url.QueryEscape(x.Name)), Reason: x.Name}, severityTag(x.Words.Severity), Text(x.By), When{x.Updated},
			Form{Action: "/templates/" + url.PathEscape(x.Name) + "/drop", Hidden: []Hidden{{"version", strconv.Itoa(x.Version)}}, Buttons: []Button{{Text: "Remove " + x.Name, Kind: Secondary, Small: true}}}}})
	}
	return Page{Title: "Templates of alerts", Template: "list", Current: "alerts", Crumbs: alertCrumbs, Data: organisationsData{Lede: clauses(Count(len(all), "template") + " " + is(len(all)) + " kept. Press one to begin a draft with its words"), Table: t}}, nil
}

func (s *Site) dropTemplate(r *http.Request, who ward.Actor) (string, *Page, error) {
	return "/templates", nil, s.Alerts.DropTemplate(r.Context(), who, r.PathValue("name"), versionIn(r))
}

func (s *Site) templatePage(r *http.Request, who ward.Actor) (Page, error) {
	a, err := s.Alerts.Get(r.Context(), who.Scope, ward.AlertID(r.PathValue("id")))
	if err != nil {
		return Page{}, err
	}
	return templateForm(a, "", "", nil), nil
}

func templateForm(a ward.Alert, name, title string, wrong []FieldError) Page {
	return Page{Title: "Keep " + string(a.ID) + " as a template", Template: "form", Current: "alerts", Crumbs: crumbsTo(a), Failed: len(wrong) > 0, Data: formData{
		Lede: "The words are kept for the next draft. Dates, names and answers are not.",
		Form: Form{Action: alertHref(a.ID) + "/template", Errors: ErrorSummary{wrong}, Fields: []View{
			Input{Name: "name", Label: "Short name", Hint: "Small letters, digits and dashes, such as exploited-weakness", Value: name, Width: 20, Error: firstError(wrong, "name")},
			Input{Name: "title", Label: "What it is for", Value: title, Error: firstError(wrong, "title")},
		}, Buttons: []Button{{Text: "Keep the template"}, {Text: "Cancel", Kind: Secondary, Href: alertHref(a.ID)}}}}}
}

func (s *Site) saveTemplate(r *http.Request, who ward.Actor) (string, *Page, error) {
	a, err := s.Alerts.Get(r.Context(), who.Scope, ward.AlertID(r.PathValue("id")))
	if err != nil {
		return "", nil, err
	}
	t := ward.Template{Name: textOf(r, "name"), Title: textOf(r, "title"), Words: a}
	if _, err = s.Alerts.SaveTemplate(r.Context(), who, t); err == nil {
		return "/templates", nil, nil
	}
	wrong, err := invalid(err)
	if err != nil {
		return "", nil, err
	}
	page := templateForm(a, t.Name, t.Title, wrong)
	return "", &page, nil
}
