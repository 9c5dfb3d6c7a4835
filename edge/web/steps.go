package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// answerStep is one page of an answer: one question, with the machines beside it.
type answerStep struct {
	key   string
	title string
	names []string // of its fields, as a draft keeps them
}

var answerSteps = []answerStep{
	{"applies", "Does this alert apply to you?", []string{"applicability", "words"}},
	{"act", "Is it fixed?", []string{"progress", "fixed_at-day", "fixed_at-month", "fixed_at-year", "fixed_at-time", "words"}},
	{"dispute", "What do you think is wrong?", []string{"words"}},
	{"close", "Close your answer", []string{"words"}},
}

// drafts is what one person has begun to write on an answer, by step and field.
type drafts map[string]map[string]string

// draft reads what who has begun to write; what cannot be read any more counts as nothing.
func (s *Site) draft(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID) (drafts, error) {
	body, err := s.Responses.Draft(ctx, who, alert, org)
	if err != nil {
		return nil, err
	}
	written := drafts{}
	if body != "" && json.Unmarshal([]byte(body), &written) != nil {
		written = drafts{}
	}
	return written, nil
}

// keepDraft keeps the fields of one step, or forgets them when they are nil.
func (s *Site) keepDraft(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, step string, fields map[string]string) error {
	written, err := s.draft(ctx, who, alert, org)
	if err != nil {
		return err
	}
	if fields == nil && written[step] == nil {
		return nil
	}
	delete(written, step)
	if fields != nil {
		written[step] = fields
	}
	body := ""
	if len(written) > 0 {
		text, err := json.Marshal(written)
		if err != nil {
			return fmt.Errorf("edge/web: draft: %w", err)
		}
		body = string(text)
	}
	return s.Responses.SaveDraft(ctx, who, alert, org, body)
}

// versionOf travels with every form of an answer, so that the second of two people learns of the first.
func versionOf(r ward.Response) Hidden { return Hidden{"version", strconv.Itoa(r.Version)} }

// answerKey reads which version of which answer a form is about.
func answerKey(r *http.Request) (ward.AlertID, ward.OrgID, int, error) {
	version, err := strconv.Atoi(textOf(r, "version"))
	if err != nil {
		return "", "", 0, &ward.Invalid{Field: "version", Problem: "is missing", Hint: "open the page again and send it from there"}
	}
	return ward.AlertID(r.PathValue("id")), ward.OrgID(r.PathValue("org")), version, nil
}

// say carries out one step of an answer, or keeps its draft.
func (s *Site) say(r *http.Request, who ward.Actor, step answerStep) (string, *Page, error) {
	ctx := r.Context()
	id, org, version, err := answerKey(r)
	if err != nil {
		return "", nil, err
	}
	fields := map[string]string{}
	for _, name := range step.names {
		fields[name] = strings.TrimSpace(r.PostFormValue(name))
	}
	home := answerPath(ward.Response{Alert: id, Org: org})
	if r.PostFormValue("do") == "draft" {
		return home + "?done=draft", nil, s.keepDraft(ctx, who, id, org, step.key, fields)
	}
	err = s.carryOut(ctx, who, id, org, version, step.key, fields)
	if err == nil {
		return home + "?done=" + step.key, nil, s.keepDraft(ctx, who, id, org, step.key, nil)
	}
	if errors.Is(err, ward.ErrConflict) {
		// What was written is kept as a draft, so that going on from the saved version does not mean writing it again.
		if kept := s.keepDraft(ctx, who, id, org, step.key, fields); kept != nil {
			return "", nil, kept
		}
		return "", nil, err
	}
	wrong, err := refused(err)
	if err != nil {
		return "", nil, err
	}
	in, err := s.answering(r, who)
	if err != nil {
		return "", nil, err
	}
	page := s.stepPage(who, in, step, fields, wrong)
	return "", &page, nil
}

func (s *Site) carryOut(ctx context.Context, who ward.Actor, id ward.AlertID, org ward.OrgID, version int, step string, fields map[string]string) error {
	var err error
	switch step {
	case "applies":
		_, err = s.Responses.Answer(ctx, who, id, org, version, ward.Applicability(fields["applicability"]), fields["words"])
	case "act":
		err = s.act(ctx, who, id, org, version, fields)
	case "dispute":
		if fields["words"] == "" {
			before, err := s.Responses.Get(ctx, who.Scope, id, org)
			if err != nil {
				return err
			}
			if before.Dispute == "" {
				return &ward.Invalid{Field: "words", Problem: "say what is wrong", Hint: "name the machine, what it really runs, and how you know"}
			}
		}
		_, err = s.Responses.Dispute(ctx, who, id, org, version, fields["words"])
	case "close":
		_, err = s.Responses.Close(ctx, who, id, org, version, fields["words"])
	}
	return err
}

// act says that it is fixed since a time, or how far it is.
func (s *Site) act(ctx context.Context, who ward.Actor, id ward.AlertID, org ward.OrgID, version int, fields map[string]string) error {
	switch fields["progress"] {
	case "fixed":
		at, err := s.fixedAt(fields)
		if err != nil {
			return err
		}
		_, err = s.Responses.Claim(ctx, who, id, org, version, at, fields["words"])
		return err
	case "working":
		before, err := s.Responses.Get(ctx, who.Scope, id, org)
		if err != nil {
			return err
		}
		if fields["words"] == "" {
			return &ward.Invalid{Field: "words", Problem: "say how far you are", Hint: "what is done, what is left, and when you expect to finish"}
		}
		applies := before.Applicability
		if applies == "" || applies == ward.AppliesNot || applies == ward.NotRunHere {
			applies = ward.Applies
		}
		_, err = s.Responses.Answer(ctx, who, id, org, version, applies, fields["words"])
		return err
	}
	return &ward.Invalid{Field: "progress", Problem: "choose one", Hint: "fixed on every machine, or still working on it"}
}

// fixedAt reads the moment from which it is fixed, in the zone of the pages.
func (s *Site) fixedAt(fields map[string]string) (time.Time, error) {
	zone := s.render.opts.Zone
	year, month, day := fields["fixed_at-year"], fields["fixed_at-month"], fields["fixed_at-day"]
	on, err := time.ParseInLocation("2006-1-2", year+"-"+strings.TrimLeft(month, "0")+"-"+strings.TrimLeft(day, "0"), zone)
	if err != nil {
		return time.Time{}, &ward.Invalid{Field: "fixed_at-day", Problem: "this is not a date", Hint: "give day, month and year as numbers, such as 14 5 2026"}
	}
	clock, err := time.ParseInLocation("15:04", strings.ReplaceAll(fields["fixed_at-time"], ".", ":"), zone)
	if err != nil {
		return time.Time{}, &ward.Invalid{Field: "fixed_at-time", Problem: "this is not a time", Hint: "give it in 24 hours, such as 09:30 or 21:15"}
	}
	return time.Date(on.Year(), on.Month(), on.Day(), clock.Hour(), clock.Minute(), 0, 0, zone), nil
}

// refused turns what a room refused into what stands above the form; faults of ours stay errors.
func refused(err error) ([]FieldError, error) {
	if errors.Is(err, ward.ErrState) {
		text := strings.TrimSuffix(err.Error(), ": "+ward.ErrState.Error())
		return []FieldError{{Text: capital(text) + "."}}, nil
	}
	wrong, err := invalid(err)
	for i, w := range wrong {
		if w.Field == "fixed_at" {
			wrong[i].Field = "fixed_at-day"
		}
	}
	return wrong, err
}

// errorAt is what is wrong with one field.
func errorAt(wrong []FieldError, field string) string {
	for _, w := range wrong {
		if w.Field == field {
			return w.Text
		}
	}
	return ""
}

// stepData is one question of an answer.
type stepData struct {
	Lede     string
	Note     View
	Form     Form
	Machines Machines
	Counted  string
}

// stepPage asks one question. written is what a draft kept, or what was just refused.
func (s *Site) stepPage(who ward.Actor, in answered, step answerStep, written map[string]string, wrong []FieldError) Page {
	r := in.answer
	data := stepData{Machines: in.machines, Counted: machinesCounted(in.machines)}
	form := Form{Action: answerPath(r) + "/" + step.key, Errors: ErrorSummary{wrong}, Hidden: []Hidden{versionOf(r)}}
	send := "Save and send"
	switch step.key {
	case "applies":
		data.Lede = fmt.Sprintf("Say whether %s runs in your organisation and is affected. You can change this answer later.", in.product())
		form.Fields = s.appliesFields(r, written, wrong)
	case "act":
		data.Lede = capital(actHint(in)) + " An inventory observed after that time confirms it."
		form.Fields = s.actFields(r, written, wrong)
	case "dispute":
		data.Lede = "Say what the match has wrong, with your evidence. The national desk decides once, for every organisation alike, and the clock of your next update stops until it has."
		value := written["words"]
		if written == nil {
			value = r.Dispute
		}
		hint := "Which machine, what it really runs, and how you know: a screen, a log, the vendor's word."
		if r.Dispute != "" {
			hint += " Leave it empty to take the dispute back."
		}
		form.Fields = []View{Textarea{Name: "words", Label: "What is wrong, and how you know", Hint: hint, Value: value, Rows: 7, Error: errorAt(wrong, "words")}}
		send = "Send to the national desk"
	case "close":
		as, why := closesAs(r)
		data.Lede = why
		if as != "" {
			data.Lede = "Your answer closes as: " + as + "."
		}
		data.Note = closeNote(r, as)
		form.Fields = []View{Textarea{Name: "words", Label: "Last words (optional)", Hint: "Anything that the national watch should know.", Value: written["words"], Rows: 4, Error: errorAt(wrong, "words")}}
		send = "Close as " + strings.TrimPrefix(as, "closed, ")
		if as == "" {
			send = ""
		}
	}
	if who.May(ward.MayAnswer) && send != "" {
		form.Buttons = append(form.Buttons, Button{Text: send})
	}
	keep := Button{Text: "Keep as a draft", Kind: Secondary, Name: "do", Value: "draft"}
	if !who.May(ward.MayAnswer) {
		keep.Kind = Primary
	}
	form.Buttons = append(form.Buttons, keep)
	data.Form = form
	return Page{Title: step.title, Template: "answer-step", Current: "owed", Failed: len(wrong) > 0, Data: data,
		Crumbs: Crumbs{{Text: "Owed", Href: "/owed"}, {Text: string(in.alert.ID), Href: answerPath(r)}}}
}

func closeNote(r ward.Response, as string) View {
	switch {
	case r.Proof.Result == ward.Contradicted:
		return Warning{Title: "It cannot close.", Text: sentence(r.Proof.Why) + " Fix these machines and deliver a new inventory, or say that the match is wrong."}
	case as == "closed, not confirmed":
		return Inset{Text("No evidence newer than your fix has arrived. You may close now: it shows as closed, not confirmed, and a later inventory that shows the fixed version makes it confirmed by itself.")}
	case r.Proof.Result == ward.Confirmed:
		return Inset{Text(capital(r.Proof.Why) + " (" + string(r.Proof.Grade) + ").")}
	}
	return nil
}

func (s *Site) appliesFields(r ward.Response, written map[string]string, wrong []FieldError) []View {
	chosen := written["applicability"]
	if written == nil {
		chosen = string(r.Applicability)
	}
	choice := func(a ward.Applicability, text, hint string) Choice {
		return Choice{Value: string(a), Text: text, Hint: hint, Chosen: chosen == string(a)}
	}
	return []View{
		Radios{Name: "applicability", Legend: "Your answer", Error: errorAt(wrong, "applicability"), Choices: []Choice{
			choice(ward.Applies, "Yes, it applies", "We run it, and what we run is affected."),
			choice(ward.AppliesPart, "Yes, to part of what we run", "Some machines are affected, others are not."),
			choice(ward.AppliesNot, "No, it does not apply", "We run it, but not an affected version or not in an affected way."),
			choice(ward.AppliesHost, "Another organisation runs it for us", "They act; you stay answerable. Name them below."),
			choice(ward.NotRunHere, "No, we do not run it", "It is nowhere in our organisation."),
		}},
		Textarea{Name: "words", Label: "How you know (optional)", Hint: "One or two sentences that somebody can check.", Value: written["words"], Rows: 4, Error: errorAt(wrong, "words")},
	}
}

func (s *Site) actFields(r ward.Response, written map[string]string, wrong []FieldError) []View {
	since := s.clock.Now().In(s.render.opts.Zone)
	if !r.ClaimedFixedAt.IsZero() {
		since = r.ClaimedFixedAt.In(s.render.opts.Zone)
	}
	value := func(name, otherwise string) string {
		if written != nil {
			return written[name]
		}
		return otherwise
	}
	progress := value("progress", "")
	wrongDate := errorAt(wrong, "fixed_at-day")
	return []View{
		Radios{Name: "progress", Legend: "Where it stands", Error: errorAt(wrong, "progress"), Choices: []Choice{
			{Value: "fixed", Text: "Fixed on every machine", Hint: "Give below the time from which it is fixed.", Chosen: progress == "fixed"},
			{Value: "working", Text: "Still working on it", Hint: "Say below how far you are. This sets the date of your next update.", Chosen: progress == "working"},
		}},
		DateInput{Name: "fixed_at", Legend: "Fixed since: date", Hint: "The day on which the last machine was fixed.", Error: wrongDate,
			Day: value("fixed_at-day", strconv.Itoa(since.Day())), Month: value("fixed_at-month", strconv.Itoa(int(since.Month()))), Year: value("fixed_at-year", strconv.Itoa(since.Year()))},
		Input{Name: "fixed_at-time", Label: "Fixed since: time", Hint: "In 24 hours, " + since.Format("MST") + ", such as 21:15.", Width: 5, Error: errorAt(wrong, "fixed_at-time"),
			Value: value("fixed_at-time", since.Format("15:04"))},
		Textarea{Name: "words", Label: "What you did, and what is left", Hint: "For the national watch and for whoever takes over from you.", Value: written["words"], Rows: 5, Error: errorAt(wrong, "words")},
	}
}
