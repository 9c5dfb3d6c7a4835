package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// spareSteps are the empty steps that a form offers beyond those that stand, up to fewestSteps in all.
const (
	spareSteps  = 2
	fewestSteps = 3
	mostSteps   = 30
)

// newAlert is an empty form, or one filled from what publishers say about the weaknesses in ?cve=.
func (s *Site) newAlert(r *http.Request, who ward.Actor) (Page, error) {
	a := ward.Alert{Severity: ward.High, TLP: ward.TLPAmber}
	var cves []ward.CVE
	for _, text := range r.URL.Query()["cve"] {
		cves = append(cves, ward.CVE(text))
	}
	var err error
	switch name := r.URL.Query().Get("template"); {
	case len(cves) > 0:
		a, err = s.Alerts.Prefill(r.Context(), who, cves...)
	case name != "":
		a, err = s.Alerts.PrefillFrom(r.Context(), who, name)
	}
	if err != nil {
		return Page{}, err
	}
	return s.alertForm(a, nil, "/alerts"), nil
}

func (s *Site) draftAlert(r *http.Request, who ward.Actor) (string, *Page, error) {
	draft, wrong := s.alertFrom(r)
	if len(wrong) == 0 {
		a, err := s.Alerts.Draft(r.Context(), who, draft)
		if err == nil {
			return alertHref(a.ID) + "?done=drafted", nil, nil
		}
		if wrong, err = invalid(err); err != nil {
			return "", nil, err
		}
	}
	page := s.alertForm(draft, wrong, "/alerts")
	return "", &page, nil
}

func (s *Site) editAlert(r *http.Request, who ward.Actor) (Page, error) {
	a, err := s.Alerts.Get(r.Context(), who.Scope, ward.AlertID(r.PathValue("id")))
	switch {
	case err != nil:
		return Page{}, err
	case a.State != ward.Drafted && a.State != ward.Approved:
		return Page{}, fmt.Errorf("alert %s is %s, and its text does not change any more: %w", a.ID, a.State, ward.ErrState)
	}
	return s.alertForm(a, nil, alertHref(a.ID)+"/edit"), nil
}

func (s *Site) saveAlert(r *http.Request, who ward.Actor) (string, *Page, error) {
	id := ward.AlertID(r.PathValue("id"))
	draft, wrong := s.alertFrom(r)
	stands, err := s.Alerts.Get(r.Context(), who.Scope, id)
	if err != nil {
		return "", nil, err
	}
	draft.Exercise = stands.Exercise
	if len(wrong) == 0 {
		a, err := s.Alerts.Edit(r.Context(), who, id, versionIn(r), draft)
		if err == nil {
			return alertHref(a.ID) + "?done=saved", nil, nil
		}
		if wrong, err = invalid(err); err != nil {
			return "", nil, err
		}
	}
	draft.ID, draft.State, draft.Version = id, stands.State, versionIn(r)
	page := s.alertForm(draft, wrong, alertHref(id)+"/edit")
	return "", &page, nil
}

// alertFrom reads a posted form. What only has a wrong form is told here; what is wrong in itself is the board's to say.
func (s *Site) alertFrom(r *http.Request) (a ward.Alert, wrong []FieldError) {
	a = ward.Alert{
		Title: textOf(r, "title"), Severity: ward.Severity(textOf(r, "severity")), Category: textOf(r, "category"), ThreatType: textOf(r, "threat_type"),
		Vector: textOf(r, "vector"), TLP: ward.TLP(textOf(r, "tlp")), Summary: textOf(r, "summary"), Vendor: textOf(r, "vendor"), Product: textOf(r, "product"),
		Platforms: linesIn(textOf(r, "platforms")), SeverityWhy: r.PostForm["severity_why"],
		Finding: ward.FindingID(textOf(r, "finding")), Template: textOf(r, "template"), Supersedes: ward.AlertID(textOf(r, "supersedes")),
		Policy: ward.Policy{Name: textOf(r, "policy")}, ClocksWhy: textOf(r, "clocks_why"), CheckRequired: textOf(r, "check") == "yes", CheckWhy: textOf(r, "check_why"), Exercise: s.exercise || textOf(r, "exercise") == "yes",
	}
	for _, text := range strings.FieldsFunc(textOf(r, "cves"), func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t' }) {
		a.CVEs = append(a.CVEs, ward.CVE(text))
	}
	for _, class := range r.PostForm["classes"] {
		a.Classes = append(a.Classes, ward.Class(class))
	}
	for i := range mostSteps {
		n := strconv.Itoa(i)
		step := ward.Step{Kind: ward.StepKind(textOf(r, "step-kind-"+n)), Text: textOf(r, "step-text-"+n), Link: textOf(r, "step-link-"+n)}
		if step.Text != "" || step.Link != "" {
			a.Steps = append(a.Steps, step)
		}
	}
	for _, clock := range []struct {
		name string
		to   *time.Duration
	}{{"acknowledge_within", &a.AcknowledgeWithin}, {"update_every", &a.UpdateEvery}} {
		text := textOf(r, clock.name)
		n, err := strconv.Atoi(text)
		if text != "" && (err != nil || n < 1 || n > 24*365) {
			wrong = append(wrong, FieldError{clock.name, "Give a number of hours, such as 48"})
			continue
		}
		*clock.to = time.Duration(n) * time.Hour
	}
	day, err := dateOf(r, "remediate_by")
	if err != nil {
		wrong = append(wrong, FieldError{"remediate_by-day", err.Error()})
	}
	a.RemediateBy = day
	return a, wrong
}

var errDate = errors.New("Give a date that exists, such as 3 5 2026, or leave all three empty") //nolint:staticcheck // shown as a sentence

// dateOf reads the three boxes of a date; a day counts to its end. All empty is the zero time.
func dateOf(r *http.Request, name string) (time.Time, error) {
	day, month, year := textOf(r, name+"-day"), textOf(r, name+"-month"), textOf(r, name+"-year")
	if day+month+year == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse("2 1 2006", day+" "+month+" "+year)
	if err != nil {
		return time.Time{}, errDate
	}
	return at.Add(24*time.Hour - time.Second), nil
}

// alertForm asks for the text of an alert.
func (s *Site) alertForm(a ward.Alert, wrong []FieldError, action string) Page {
	errorOf := func(field string) string { return firstError(wrong, field) }
	choices := func(chosen string, all ...string) []Choice {
		var out []Choice
		for _, v := range all {
			out = append(out, Choice{Value: v, Text: v, Chosen: v == chosen})
		}
		return out
	}
	severities := choices(string(a.Severity), string(ward.High), string(ward.Medium), string(ward.Low), string(ward.Info))
	markings := choices(string(cmp.Or(a.TLP, ward.TLPAmber)), string(ward.TLPClear), string(ward.TLPGreen), string(ward.TLPAmber), string(ward.TLPAmberStrict), string(ward.TLPRed))
	var cves []string
	for _, c := range a.CVEs {
		cves = append(cves, string(c))
	}
	var classes []Choice
	for _, c := range ward.Classes {
		classes = append(classes, Choice{Value: string(c), Text: capital(classesWord(c)), Chosen: slices.Contains(a.Classes, c)})
	}
	why := "A person decides."
	if len(a.SeverityWhy) > 0 {
		why = "Proposed because " + strings.Join(a.SeverityWhy, "; ") + ". A person decides."
	}
	form := Form{Action: action, Errors: ErrorSummary{wrong}, Fields: []View{
		Input{Name: "title", Label: "Title", Hint: "What is wrong in which product", Value: a.Title, Error: errorOf("title"), Required: true},
		Select{Name: "severity", Label: "Severity", Hint: why, Choices: severities, Error: errorOf("severity")},
		Textarea{Name: "summary", Label: "Summary", Hint: "What happened, to whom it matters and why now. Plain words; markup is shown as text.", Value: a.Summary, Rows: 8, Error: errorOf("summary")},
		Textarea{Name: "cves", Label: "Weaknesses", Hint: "CVE identifiers, one a line", Value: strings.Join(cves, "\n"), Rows: 3, Error: errorOf("cves")},
		Input{Name: "vendor", Label: "Vendor", Value: a.Vendor, Width: 20, Error: errorOf("vendor")},
		Input{Name: "product", Label: "Product", Hint: "Organisations whose evidence does not show it are asked “Do you run it?”", Value: a.Product, Width: 20, Error: errorOf("product")},
		Checkboxes{Name: "classes", Legend: "Where it would be seen", Hint: "Without evidence of these classes an organisation is not known. Leave empty for what is known of the product.", Choices: classes, Error: errorOf("classes"), Inline: true},
		Textarea{Name: "platforms", Label: "Affected platforms", Hint: "In words, one a line", Value: strings.Join(a.Platforms, "\n"), Rows: 3, Error: errorOf("platforms")},
		Input{Name: "category", Label: "Category", Hint: "Such as Exploit, Malware, Data breach", Value: a.Category, Width: 20, Error: errorOf("category")},
		Input{Name: "threat_type", Label: "Threat type", Hint: "Such as Remote code execution", Value: a.ThreatType, Width: 20, Error: errorOf("threat_type")},
		Input{Name: "vector", Label: "Vector", Hint: "Such as Network", Value: a.Vector, Width: 20, Error: errorOf("vector")},
		Select{Name: "tlp", Label: "Shared under", Choices: markings, Error: errorOf("tlp")},
	}}
	for i := range min(mostSteps, max(len(a.Steps)+spareSteps, fewestSteps)) {
		step, n := ward.Step{Kind: ward.StepPatch}, strconv.Itoa(i)
		if i < len(a.Steps) {
			step = a.Steps[i]
		}
		group := Stack{
			Select{Name: "step-kind-" + n, Label: "Kind", Choices: choices(string(step.Kind), string(ward.StepPatch), string(ward.StepGuidance), string(ward.StepAction), string(ward.StepAware))},
			Textarea{Name: "step-text-" + n, Label: "What to do", Value: step.Text, Rows: 2},
			Input{Name: "step-link-" + n, Label: "Web address (optional)", Value: step.Link},
		}
		field := Fieldset{Legend: "Step " + strconv.Itoa(i+1), Body: group}
		if i == 0 {
			field.ID, field.Error = "steps", errorOf("steps")
		}
		form.Fields = append(form.Fields, field)
	}
	form.Fields = append(form.Fields, s.clockFields(a, errorOf)...)
	if a.ID == "" {
		form.Fields = append(form.Fields, Input{Name: "supersedes", Label: "Takes the place of (optional)", Hint: "The threat ID of an alert in force, such as CC-0012. It ends when this one is published, and its open answers point here.",
			Value: string(a.Supersedes), Width: 10, Error: errorOf("supersedes")})
	} else if a.Supersedes != "" {
		form.Hidden = append(form.Hidden, Hidden{"supersedes", string(a.Supersedes)})
	}
	if a.ID == "" && !s.exercise {
		form.Fields = append(form.Fields, Checkboxes{Name: "exercise", Legend: "Exercise", Choices: []Choice{{Value: "yes", Text: "This is an exercise", Hint: "It gets a threat ID from CC-900001 on, and says EXERCISE everywhere", Chosen: a.Exercise}}, Error: errorOf("exercise")})
	}
	if a.Finding != "" {
		form.Hidden = append(form.Hidden, Hidden{"finding", string(a.Finding)})
	}
	if a.CheckRequired { // an approver asked for it; the form keeps it
		form.Hidden = append(form.Hidden, Hidden{"check", "yes"}, Hidden{"check_why", a.CheckWhy})
	}
	if a.Template != "" {
		form.Hidden = append(form.Hidden, Hidden{"template", a.Template})
	}
	for _, reason := range a.SeverityWhy {
		form.Hidden = append(form.Hidden, Hidden{"severity_why", reason})
	}
	page := Page{Title: "Draft an alert", Template: "alert-form", Current: "alerts", Crumbs: alertCrumbs, Failed: len(wrong) > 0}
	lede := "Nobody is told before another person has approved it."
	save := Button{Text: "Save the draft"}
	cancel := Button{Text: "Cancel", Kind: Secondary, Href: "/alerts"}
	if a.ID != "" {
		page.Title, page.Crumbs = "Edit "+string(a.ID), crumbsTo(a)
		cancel.Href = alertHref(a.ID)
		save.Text = "Save the changes"
		form.Hidden = append(form.Hidden, alertVersion(a))
		if a.State == ward.Approved {
			lede = "It was approved. An edit makes it a draft again, and another person approves the new text."
		}
	}
	form.Buttons = []Button{save, cancel}
	page.Data = formData{lede, form}
	return page
}

// clockFields ask for the policy and, where the drafter knows better, for other clocks than it has. Empty ones are its own.
func (s *Site) clockFields(a ward.Alert, errorOf func(string) string) []View {
	var choices []Choice
	var said []string
	for _, p := range s.Alerts.PolicyList() {
		if p.Off {
			continue
		}
		choices = append(choices, Choice{Value: p.Name, Text: p.Title, Chosen: p.Name == a.Policy.Name})
		said = append(said, policyWords(p)+": acknowledge within "+hours(p.RespondWithin)+", then an update every "+hours(p.UpdateEvery)+", fix within "+remediationWords(p)+".")
	}
	own := func(d, policy time.Duration) string {
		if d == 0 || d == policy {
			return ""
		}
		return hoursIn(d)
	}
	return []View{
		Select{Name: "policy", Label: "Clocks", Hint: strings.Join(said, " "), Choices: choices, Error: errorOf("policy")},
		Details{Summary: "Other clocks than the policy's", Open: own(a.AcknowledgeWithin, a.Policy.RespondWithin)+own(a.UpdateEvery, a.Policy.UpdateEvery)+a.ClocksWhy != "" || !a.RemediateBy.IsZero() || errorOf("acknowledge_within")+errorOf("update_every")+errorOf("remediate_by-day")+errorOf("clocks_why") != "", Body: Stack{
			Input{Name: "acknowledge_within", Label: "Acknowledge within", Suffix: "hours", Width: 4, InputMode: "numeric", Value: own(a.AcknowledgeWithin, a.Policy.RespondWithin), Error: errorOf("acknowledge_within")},
			Input{Name: "update_every", Label: "Then an update every", Suffix: "hours", Width: 4, InputMode: "numeric", Value: own(a.UpdateEvery, a.Policy.UpdateEvery), Error: errorOf("update_every")},
			dayInput("remediate_by", "Fix by", "For example, 14 5 2026", a.RemediateBy, errorOf("remediate_by-day")),
			Textarea{Name: "clocks_why", Label: "Why they differ", Hint: "Organisations read it.", Value: a.ClocksWhy, Rows: 2, Error: errorOf("clocks_why")},
		}},
	}
}

func alertVersion(a ward.Alert) Hidden { return Hidden{"version", strconv.Itoa(a.Version)} }

// versionIn is the version that a posted form was made from, and 0, which no alert has, for what is none.
func versionIn(r *http.Request) int {
	n, err := strconv.Atoi(textOf(r, "version"))
	if err != nil {
		return 0
	}
	return n
}

func hoursIn(d time.Duration) string { return strconv.Itoa(int(d / time.Hour)) }

func hours(d time.Duration) string { return Count(int(d/time.Hour), "hour") }

// linesIn are the lines of a text that say something.
func linesIn(text string) []string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
