package api

import (
	"time"

	"wardwatch/act/alerts"
	"wardwatch/ward"
)

// AlertWords is what a person writes of an alert.
type AlertWords struct {
	Severity          ward.Severity  `json:"severity" enum:"High,Medium,Low,Information only"`
	Title             string         `json:"title" minLength:"1" maxLength:"300"`
	Summary           string         `json:"summary,omitempty" maxLength:"20000"`
	Category          string         `json:"category,omitempty" maxLength:"100"`
	ThreatType        string         `json:"threat_type,omitempty" maxLength:"100"`
	Vector            string         `json:"vector,omitempty" maxLength:"100"`
	TLP               ward.TLP       `json:"tlp,omitempty" enum:"TLP:CLEAR,TLP:GREEN,TLP:AMBER,TLP:AMBER+STRICT,TLP:RED"`
	Platforms         []string       `json:"platforms,omitempty" maxItems:"200"`
	CVEs              []ward.CVE     `json:"cves,omitempty" maxItems:"500"`
	Steps             []Step         `json:"steps,omitempty" maxItems:"100"`
	Vendor            string         `json:"vendor,omitempty" maxLength:"200" doc:"of the product asked about"`
	Product           string         `json:"product,omitempty" maxLength:"200"`
	Classes           []ward.Class   `json:"classes,omitempty" maxItems:"10" doc:"where that product would be seen"`
	Finding           ward.FindingID `json:"finding,omitempty" maxLength:"100"`
	Exercise          bool           `json:"exercise,omitempty"`
	RemediateBy       time.Time      `json:"remediate_by,omitempty,omitzero" doc:"by the policy, for each kind of system, when not given"`
	AcknowledgeWithin float64        `json:"acknowledge_within_hours,omitempty" minimum:"0" maximum:"8760" doc:"from issue; as the policy says when not given"`
	UpdateEvery       float64        `json:"update_every_hours,omitempty" minimum:"0" maximum:"8760" doc:"from acknowledgement; as the policy says when not given"`
	Policy            string         `json:"policy,omitempty" maxLength:"60" doc:"whose clocks it has; the default when not given"`
	ClocksWhy         string         `json:"clocks_why,omitempty" maxLength:"500" doc:"why its clocks differ from the policy's"`
	CheckRequired     bool           `json:"check_required,omitempty" doc:"every organisation is asked for a compromise check"`
	CheckWhy          string         `json:"check_why,omitempty" maxLength:"500"`
	Supersedes        ward.AlertID   `json:"supersedes,omitempty" maxLength:"40" doc:"the alert whose place it takes when it is published"`
}

// Step is one thing that an alert asks for.
type Step struct {
	Kind ward.StepKind `json:"kind" enum:"Patch,Guidance,Action,Aware"`
	Text string        `json:"text" minLength:"1" maxLength:"4000"`
	Link string        `json:"link,omitempty" maxLength:"2000"`
}

// Alert asks organisations to do something about a threat.
type Alert struct {
	ID      ward.AlertID    `json:"id" example:"CC-900001"`
	Version int             `json:"version" doc:"the ETag"`
	State   ward.AlertState `json:"state" enum:"draft,approved,published,closed,withdrawn,superseded"`
	AlertWords
	Clocks       Policy       `json:"clocks" doc:"the policy as it stood when the alert was drafted"`
	Remediate    []Remediate  `json:"remediate" nullable:"false" doc:"when each kind of system is to be fixed; empty before issue"`
	Edition      int          `json:"edition" doc:"counts what organisations were given to read"`
	Change       *AlertEdit   `json:"change,omitempty" doc:"of the newest edition"`
	Emergency    *Emergency   `json:"emergency,omitempty" doc:"published by one person alone"`
	SupersededBy ward.AlertID `json:"superseded_by,omitempty"`
	EndWhy       string       `json:"end_why,omitempty"`
	Template     string       `json:"template,omitempty" doc:"that it was drafted from"`
	Author       string       `json:"author"`
	Approver     string       `json:"approver,omitempty"`
	Created      time.Time    `json:"created,omitzero"`
	ApprovedAt   time.Time    `json:"approved_at,omitzero"`
	Issued       time.Time    `json:"issued,omitzero"`
	Revised      time.Time    `json:"revised,omitzero"`
	Closed       time.Time    `json:"closed,omitzero" doc:"when it ended, however it did"`
}

// Remediate is when one kind of system is to be fixed.
type Remediate struct {
	Kind ward.SystemKind `json:"kind" enum:"internet_facing,other,isolated"`
	By   time.Time       `json:"by"`
}

// AlertEdit is what a revision changes.
type AlertEdit struct {
	Material bool      `json:"material" doc:"organisations acknowledge again"`
	Why      string    `json:"why"`
	Proposed bool      `json:"proposed" doc:"what the rules proposed for material"`
	Reasons  []string  `json:"reasons" nullable:"false" doc:"of the proposal"`
	By       string    `json:"by" doc:"who wrote it"`
	Approver string    `json:"approver,omitempty"`
	At       time.Time `json:"at,omitzero" doc:"when it was issued"`
}

func alertChangeOf(c ward.AlertChange) AlertEdit {
	return AlertEdit{Material: c.Material, Why: c.Why, Proposed: c.Proposed, Reasons: shapes(c.Reasons, same), By: c.By, Approver: c.Approver, At: c.At}
}

func same(s string) string { return s }

// Emergency is a publication by one person alone.
type Emergency struct {
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Due       time.Time `json:"due" doc:"of the second approval"`
	SecondBy  string    `json:"second_by,omitempty"`
	SecondAt  time.Time `json:"second_at,omitzero"`
	Withdrawn bool      `json:"withdrawn,omitempty" doc:"the second person withdrew the alert"`
}

// Policy is a table of clocks.
type Policy struct {
	Name          string       `json:"name"`
	Title         string       `json:"title"`
	Source        string       `json:"source" doc:"whose numbers they are"`
	Link          string       `json:"link,omitempty"`
	Checked       string       `json:"checked,omitempty" doc:"the day on which they were held against the source" example:"2026-01-31"`
	Off           bool         `json:"off,omitempty" doc:"no alert can have it"`
	RespondWithin float64      `json:"respond_within_hours"`
	UpdateEvery   float64      `json:"update_every_hours"`
	Remediate     []Within     `json:"remediate" nullable:"false"`
	Tolerance     Tolerance    `json:"tolerance"`
	Reminders     []Reminder   `json:"reminders" nullable:"false"`
	Escalation    []Escalation `json:"escalation" nullable:"false"`
}

// Within is how long one kind of system has, from issue.
type Within struct {
	Kind ward.SystemKind `json:"kind" enum:"internet_facing,other,isolated"`
	Days float64         `json:"days"`
}

// Tolerance is how much of what was fixed may come back without paging anybody.
type Tolerance struct {
	Share  float64 `json:"share"`
	Within float64 `json:"within_hours"`
}

// Reminder is told to a rung before something is due.
type Reminder struct {
	Before float64   `json:"before_hours"`
	Tell   ward.Rung `json:"tell" enum:"contact,lead,group_lead,executive,duty_officer"`
}

// Escalation is told to a rung after something was due.
type Escalation struct {
	After float64   `json:"after_hours"`
	Tell  ward.Rung `json:"tell" enum:"contact,lead,group_lead,executive,duty_officer"`
}

func policyOf(p ward.Policy) Policy {
	checked := ""
	if !p.Checked.IsZero() {
		checked = p.Checked.Format(time.DateOnly)
	}
	return Policy{
		Name: p.Name, Title: p.Title, Source: p.Source, Link: p.Link, Checked: checked, Off: p.Off,
		RespondWithin: p.RespondWithin.Hours(), UpdateEvery: p.UpdateEvery.Hours(), Tolerance: Tolerance{p.Tolerance.Share, p.Tolerance.Within.Hours()},
		Remediate:  shapes(p.Remediate, func(r ward.Remediation) Within { return Within{r.Kind, r.Within.Hours() / 24} }),
		Reminders:  shapes(p.Reminders, func(r ward.Reminder) Reminder { return Reminder{r.Before.Hours(), r.Tell} }),
		Escalation: shapes(p.Escalation, func(e ward.Escalation) Escalation { return Escalation{e.After.Hours(), e.Tell} }),
	}
}

func wordsOf(a ward.Alert) AlertWords {
	return AlertWords{
		Severity: a.Severity, Title: a.Title, Summary: a.Summary, Category: a.Category, ThreatType: a.ThreatType, Vector: a.Vector, TLP: a.TLP,
		Platforms: a.Platforms, CVEs: a.CVEs, Steps: shapes(a.Steps, func(s ward.Step) Step { return Step(s) }), Vendor: a.Vendor, Product: a.Product,
		Classes: a.Classes, Finding: a.Finding, Exercise: a.Exercise, RemediateBy: a.RemediateBy,
		AcknowledgeWithin: a.AcknowledgeWithin.Hours(), UpdateEvery: a.UpdateEvery.Hours(), Policy: a.Policy.Name, ClocksWhy: a.ClocksWhy,
		CheckRequired: a.CheckRequired, CheckWhy: a.CheckWhy, Supersedes: a.Supersedes,
	}
}

func alertOf(a ward.Alert) Alert {
	shape := Alert{
		ID: a.ID, Version: a.Version, State: a.State, AlertWords: wordsOf(a), Clocks: policyOf(a.Policy), Remediate: []Remediate{}, Edition: a.Edition,
		SupersededBy: a.SupersededBy, EndWhy: a.EndWhy, Template: a.Template, Author: a.Author, Approver: a.Approver, Created: a.Created,
		ApprovedAt: a.ApprovedAt, Issued: a.Issued, Revised: a.Revised, Closed: a.Closed,
	}
	for _, kind := range ward.SystemKinds {
		if by := a.RemediationDue(kind); !by.IsZero() {
			shape.Remediate = append(shape.Remediate, Remediate{kind, by})
		}
	}
	if !a.Change.At.IsZero() {
		change := alertChangeOf(a.Change)
		shape.Change = &change
	}
	if e := a.Emergency; !e.At.IsZero() {
		shape.Emergency = &Emergency{Reason: e.Reason, By: e.By, At: e.At, Due: e.Due, SecondBy: e.SecondBy, SecondAt: e.SecondAt, Withdrawn: e.Withdrawn}
	}
	return shape
}

// inHours is a number of hours as a span; what rounds to none is none.
func inHours(n float64) time.Duration {
	return time.Duration(n * float64(time.Hour)).Round(time.Microsecond)
}

func (w AlertWords) alert() ward.Alert {
	return ward.Alert{
		Severity: w.Severity, Title: w.Title, Summary: w.Summary, Category: w.Category, ThreatType: w.ThreatType, Vector: w.Vector,
		TLP: w.TLP, Platforms: w.Platforms, CVEs: w.CVEs, Steps: shapes(w.Steps, func(s Step) ward.Step { return ward.Step(s) }), Vendor: w.Vendor,
		Product: w.Product, Classes: w.Classes, Finding: w.Finding, Exercise: w.Exercise, RemediateBy: w.RemediateBy,
		AcknowledgeWithin: inHours(w.AcknowledgeWithin), UpdateEvery: inHours(w.UpdateEvery), Policy: ward.Policy{Name: w.Policy},
		ClocksWhy: w.ClocksWhy, CheckRequired: w.CheckRequired, CheckWhy: w.CheckWhy, Supersedes: w.Supersedes,
	}
}

// Audience is whom an alert goes to.
type Audience struct {
	Organisations []string `json:"organisations,omitempty" maxItems:"5000" doc:"ODS codes of those that must answer; every open organisation when left out"`
	Inform        []string `json:"inform,omitempty" maxItems:"5000" doc:"ODS codes of those that read it and owe nothing"`
}

func (a Audience) audience() ward.Audience {
	to := ward.Audience{Inform: shapes(a.Inform, orgOf)}
	if a.Organisations != nil {
		to.Respond = shapes(a.Organisations, orgOf)
	}
	return to
}

func audienceOf(a ward.Audience) Audience {
	code := func(org ward.OrgID) string { return string(org) }
	return Audience{shapes(a.Respond, code), shapes(a.Inform, code)}
}

// Told is what one organisation would be told.
type Told struct {
	Org      ward.OrgID `json:"org"`
	Part     ward.Part  `json:"part" enum:"respond,inform"`
	Standing *Standing  `json:"standing,omitempty" doc:"what is known of it; absent where it is only informed"`
	Subject  string     `json:"subject"`
	Body     string     `json:"body"`
	To       []Reached  `json:"to" nullable:"false" doc:"besides the in-app inbox"`
}

// Reached is one address at which an organisation would be told, and when.
type Reached struct {
	Rung    ward.Rung    `json:"rung" enum:"contact,lead,group_lead,executive,duty_officer"`
	Name    string       `json:"name" doc:"of the contact; empty where nobody is known"`
	Channel ward.Channel `json:"channel"`
	To      string       `json:"to"`
	At      time.Time    `json:"at,omitzero" doc:"now, or when the contact's hours begin"`
	Why     string       `json:"why,omitempty" doc:"where it is not the plain case"`
}

func toldOf(t alerts.Told) Told {
	shape := Told{Org: t.Org, Part: t.Part, Subject: t.Subject, Body: t.Body,
		To: shapes(t.To, func(r ward.Recipient) Reached { return Reached{r.Rung, r.Name, r.Channel, r.To, r.At, r.Why} })}
	if t.Part == ward.ToRespond {
		standing := standingOf(t.Standing)
		shape.Standing = &standing
	}
	return shape
}

// FieldChange is one field in which two versions of an alert differ.
type FieldChange struct {
	Field  string `json:"field"`
	Title  string `json:"title"`
	Before string `json:"before"`
	After  string `json:"after"`
	Words  []Span `json:"words" nullable:"false" doc:"both texts as one, word by word"`
}

// Span is a stretch of a comparison.
type Span struct {
	Kind alerts.SpanKind `json:"kind" enum:"same,added,removed"`
	Text string          `json:"text"`
}

func fieldChangeOf(c alerts.FieldChange) FieldChange {
	return FieldChange{c.Field, c.Title, c.Before, c.After, shapes(c.Words, func(s alerts.Span) Span { return Span(s) })}
}

// Revision is a new text of a published alert that waits for a second person.
type Revision struct {
	Alert   ward.AlertID `json:"alert"`
	Version int          `json:"version" doc:"the ETag"`
	Base    int          `json:"base" doc:"the alert's version that it was written against"`
	Change  AlertEdit    `json:"change"`
	Words   AlertWords   `json:"words"`
	Begun   time.Time    `json:"begun"`
	Updated time.Time    `json:"updated"`
}

func revisionOf(r ward.Revision) Revision {
	return Revision{r.Alert, r.Version, r.Base, alertChangeOf(r.Change), wordsOf(r.Draft), r.Begun, r.Updated}
}

// RevisionWords is what a person writes of a revision.
type RevisionWords struct {
	Material bool       `json:"material" doc:"organisations acknowledge again: a new fix, exploitation begun, another severity"`
	Why      string     `json:"why" minLength:"1" maxLength:"500" doc:"what changed; organisations read it"`
	Words    AlertWords `json:"words"`
}

func (w RevisionWords) change() alerts.Change { return alerts.Change{Material: w.Material, Why: w.Why} }

// Template is a draft kept for the next time.
type Template struct {
	Name    string     `json:"name"`
	Version int        `json:"version" doc:"the ETag"`
	Title   string     `json:"title"`
	Words   AlertWords `json:"words"`
	By      string     `json:"by"`
	Updated time.Time  `json:"updated"`
}

func templateOf(t ward.Template) Template {
	return Template{t.Name, t.Version, t.Title, wordsOf(t.Words), t.By, t.Updated}
}

// TemplateWords is what a person writes of a template.
type TemplateWords struct {
	Title string     `json:"title" minLength:"1" maxLength:"200" doc:"what it is for"`
	Words AlertWords `json:"words"`
}
