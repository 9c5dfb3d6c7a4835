package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

// answerStep is one page of an answer: one question, with the machines beside it.
type answerStep struct {
	key   string
	title string
	names []string // of its fields, as a draft keeps them
}

var answerSteps = []answerStep{
	{"applies", "Does this alert apply to you?", []string{"applicability", "host", "words"}},
	{"act", "Is it fixed?", []string{"progress", "fixed_at-day", "fixed_at-month", "fixed_at-year", "fixed_at-time", "affected", "done", "blocker", "help", "next_due-day", "next_due-month", "next_due-year", "words"}},
	{"check", "Was an intruder there before the fix?", []string{"result", "coverage", "words"}},
	{"dispute", "What do you think is wrong?", []string{"words"}},
	{"close", "Close your answer", []string{"words"}},
	{"residual", "Close as fixed, but for some machines", []string{"left", "others", "reason", "until-day", "until-month", "until-year", "each", "fixed_at-day", "fixed_at-month", "fixed_at-year", "fixed_at-time", "words"}},
	{"controlled", "Close as controlled until a date", []string{"kind", "what", "owner", "evidence", "review-day", "review-month", "review-year", "words"}},
	{"accepted", "Close as a risk accepted until a date", []string{"officer", "reason", "until-day", "until-month", "until-year", "words"}},
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
		fields[name] = strings.TrimSpace(strings.Join(r.PostForm[name], "\n"))
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

// carryOut says what a step's fields say.
func (s *Site) carryOut(ctx context.Context, who ward.Actor, id ward.AlertID, org ward.OrgID, version int, step string, fields map[string]string) error {
	if step == "dispute" && fields["words"] == "" {
		before, err := s.Responses.Get(ctx, who.Scope, id, org)
		if err != nil {
			return err
		}
		if before.Dispute == "" {
			return &ward.Invalid{Field: "words", Problem: "say what is wrong", Hint: "name the machine, what it really runs, and how you know"}
		}
	}
	answer, err := s.said(step, fields)
	if err != nil {
		return err
	}
	_, err = s.Responses.Say(ctx, who, id, org, version, answer)
	return err
}

// said is what the fields of a step say, as the ledger takes it.
func (s *Site) said(step string, fields map[string]string) (a responses.Answer, err error) {
	a.Words = fields["words"]
	switch step {
	case "applies":
		a.Applies = ward.Applicability(fields["applicability"])
		if a.Applies == "" {
			return a, &ward.Invalid{Field: "applicability", Problem: "choose one", Hint: "in full, in part, not at all, or run by another for you"}
		}
		if a.Applies == ward.AppliesHost {
			a.Host = ward.OrgID(strings.ToUpper(fields["host"]))
		}
	case "act":
		err = s.acted(&a, fields)
	case "dispute":
		a.Dispute = true
	case "check":
		a.Check = &responses.Signed{Result: ward.CheckResult(fields["result"]), Coverage: fields["coverage"]}
		if a.Check.Result == "" {
			err = &ward.Invalid{Field: "result", Problem: "choose one", Hint: "\"cannot be determined\" is an honest answer: the national desk takes it up"}
		}
	default:
		a.Close, err = s.closing(step, fields)
	}
	return a, err
}

// acted says that it is fixed since a time, or how far it is.
func (s *Site) acted(a *responses.Answer, fields map[string]string) (err error) {
	switch fields["progress"] {
	case "fixed":
		a.Claim = true
		a.FixedAt, err = s.fixedAt(fields)
		return err
	case "working":
		p := ward.Progress{Blocker: fields["blocker"], Help: fields["help"]}
		if p.Affected, err = counted(fields, "affected"); err != nil {
			return err
		}
		if p.Done, err = counted(fields, "done"); err != nil {
			return err
		}
		if p.NextDue, err = s.dayOf(fields, "next_due", endOfDay); err != nil {
			return err
		}
		a.Progress = &p
		return nil
	}
	return &ward.Invalid{Field: "progress", Problem: "choose one", Hint: "fixed on every machine, or still working on it"}
}

// counted reads a number of machines; nothing is none.
func counted(fields map[string]string, name string) (int, error) {
	if fields[name] == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.ReplaceAll(fields[name], ",", ""))
	if err != nil || n < 0 {
		return 0, &ward.Invalid{Field: name, Problem: "this is not a number of machines", Hint: "give it in digits, such as 12"}
	}
	return n, nil
}

// Hours of a day at which a date begins to count, on the clock of the wall: what is looked at again, when people are there to
// look; what is owed, when they go home.
const (
	startOfDay = 9
	endOfDay   = 17
)

// dayOf reads a date in three boxes; three empty ones are no date.
func (s *Site) dayOf(fields map[string]string, name string, hour int) (time.Time, error) {
	day, month, year := fields[name+"-day"], fields[name+"-month"], fields[name+"-year"]
	if day == "" && month == "" && year == "" {
		return time.Time{}, nil
	}
	on, err := time.ParseInLocation("2006-1-2", year+"-"+strings.TrimLeft(month, "0")+"-"+strings.TrimLeft(day, "0"), s.render.opts.Zone)
	if err != nil {
		return time.Time{}, &ward.Invalid{Field: name + "-day", Problem: "this is not a date", Hint: "give day, month and year as numbers, such as 14 5 2026"}
	}
	return time.Date(on.Year(), on.Month(), on.Day(), hour, 0, 0, 0, s.render.opts.Zone), nil
}

// fixedAt reads the moment from which it is fixed, in the zone of the pages.
func (s *Site) fixedAt(fields map[string]string) (time.Time, error) {
	on, err := s.dayOf(fields, "fixed_at", 0)
	if err == nil && on.IsZero() {
		err = &ward.Invalid{Field: "fixed_at-day", Problem: "this is not a date", Hint: "give day, month and year as numbers, such as 14 5 2026"}
	}
	if err != nil {
		return time.Time{}, err
	}
	clock, err := time.Parse("15:04", strings.ReplaceAll(fields["fixed_at-time"], ".", ":"))
	if err != nil {
		return time.Time{}, &ward.Invalid{Field: "fixed_at-time", Problem: "this is not a time", Hint: "give it in 24 hours, such as 09:30 or 21:15"}
	}
	return time.Date(on.Year(), on.Month(), on.Day(), clock.Hour(), clock.Minute(), 0, 0, s.render.opts.Zone), nil
}

// refused turns what a room refused into what stands above the form; faults of ours stay errors.
func refused(err error) ([]FieldError, error) {
	if errors.Is(err, ward.ErrState) {
		text := strings.TrimSuffix(err.Error(), ": "+ward.ErrState.Error())
		return []FieldError{{Text: capital(text) + "."}}, nil
	}
	wrong, err := invalid(err)
	for i, w := range wrong {
		wrong[i].Field = inputOf(w.Field)
	}
	return wrong, err
}

// inputOf is the input of a page that asks for a field of the ledger.
func inputOf(field string) string {
	field = strings.TrimPrefix(strings.TrimPrefix(field, "control."), "acceptance.")
	switch {
	case slices.Contains(dates, field):
		return field + "-day"
	case strings.HasPrefix(field, "residual"):
		return "left"
	}
	return field
}

// dates are the fields that pages ask for in three boxes.
var dates = []string{"fixed_at", "next_due", "review", "until"}

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
	Ways     *TaskList // to close otherwise
	Beside   string    // "Your machines"
	Machines Machines
	Counted  string
}

// stepPage asks one question. written is what a draft kept, or what was just refused.
func (s *Site) stepPage(who ward.Actor, in answered, step answerStep, written map[string]string, wrong []FieldError) Page {
	r := in.answer
	data := stepData{Beside: "Your machines", Machines: in.machines, Counted: machinesCounted(in.machines)}
	form := Form{Action: answerPath(r) + "/" + step.key, Errors: ErrorSummary{wrong}, Hidden: []Hidden{versionOf(r)}}
	send := "Save and send"
	switch step.key {
	case "applies":
		data.Lede = fmt.Sprintf("Say whether %s runs in your organisation and is affected. You can change this answer later.", in.product())
		form.Fields = s.appliesFields(r, written, wrong)
	case "act":
		data.Lede = capital(actHint(in)) + " An inventory observed after that time confirms it."
		form.Fields = s.actFields(in, written, wrong)
	case "check":
		data.Lede = "Patched is not clean: " + strings.TrimRight(r.Check.Why, ". ") + ". Say what the logs show; your name stands under it."
		data.Note = checkNote(r)
		form.Fields = checkFields(r, written, wrong)
		send = "Sign and send"
	case "residual":
		data.Lede = "Name each machine that is not fixed yet, with the reason and the date by which it will be. The answer opens again on the first of these dates."
		form.Fields = s.residualFields(in, written, wrong)
		send = "Close as fixed, but for these"
	case "controlled":
		data.Lede = "It is not fixed, and something else keeps the weakness from being used. The answer opens again on the review date."
		form.Fields = s.controlFields(r, written, wrong)
		send = "Close as controlled"
	case "accepted":
		data.Lede = "It is not fixed, and a named senior information risk owner takes the risk until a date. The answer opens again then."
		form.Fields = s.acceptFields(r, written, wrong)
		send = "Close as risk accepted"
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
			send = "Close as " + strings.TrimPrefix(as, "closed, ")
			if r.Unchecked() {
				data.Lede = "Your answer would wait as \"" + r.NotChecked() + "\", and close as " + strings.TrimPrefix(as, "closed, ") + " when a person signs that no sign of an intruder was found."
				send = "Close as " + r.NotChecked()
			}
		} else {
			send = ""
		}
		data.Note = closeNote(r, as)
		data.Ways = closingWays(r)
		form.Fields = []View{Textarea{Name: "words", Label: "Last words (optional)", Hint: "Anything that the national watch should know.", Value: written["words"], Rows: 4, Error: errorAt(wrong, "words")}}
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
	host := written["host"]
	if written == nil {
		host = string(r.Host)
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
		Input{Name: "host", Label: "If another runs it: its code (optional)", Hint: "Its organisation code, when it has one; otherwise name it below.", Width: 10, Value: host, Error: errorAt(wrong, "host")},
		Textarea{Name: "words", Label: "How you know (optional)", Hint: "One or two sentences that somebody can check.", Value: written["words"], Rows: 4, Error: errorAt(wrong, "words")},
	}
}
