package web

import (
	"net/http"
	"strings"
	"time"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

// routesTelephone let the national desk write down what an organisation says on the telephone.
func (s *Site) routesTelephone() {
	const path = "/alerts/{id}/organisations/{org}/telephone"
	s.get(path, ward.MayRecord, func(r *http.Request, who ward.Actor) (Page, error) { return s.telephonePage(r, who, nil, nil) })
	s.post(path, ward.MayRecord, s.telephone)
}

// telephoned are the fields of the form.
var telephoned = []string{"speaker", "number", "at-time", "say", "fixed_at-day", "fixed_at-month", "fixed_at-year", "fixed_at-time", "words"}

// telephoneData asks who said what, on which number.
type telephoneData struct {
	Lede  string
	Calls Table
	Form  Form
}

func (s *Site) telephonePage(r *http.Request, who ward.Actor, written map[string]string, wrong []FieldError) (Page, error) {
	in, err := s.answering(r, who)
	if err != nil {
		return Page{}, err
	}
	answer := in.answer
	known, err := s.register(r.Context(), ward.Only(answer.Org))
	if err != nil {
		return Page{}, err
	}
	contacts, err := s.Notify.Contacts(r.Context(), who.Scope, answer.Org)
	if err != nil {
		return Page{}, err
	}
	data := telephoneData{Lede: "Call back on a number from the contacts below, not on the caller's. " + known.name(answer.Org) + " is told what you write down, sees it as said by telephone, and can overrule it.",
		Calls: Table{Caption: "Numbers to call back", HideCaption: true, Columns: []Column{{Title: "Contact"}, {Title: "Number"}, {Title: "Last proved", Tight: true}}, Empty: Empty{Text: "No contact of it has a number: find one in a directory that you trust."}}}
	for _, c := range contacts {
		for _, a := range c.Addresses {
			if a.Channel == ward.Voice || a.Channel == ward.SMS {
				var proved View = Text("never")
				if !a.Proved.IsZero() {
					proved = When{a.Proved}
				}
				data.Calls.Rows = append(data.Calls.Rows, Row{Cells: []View{Why{View: Text(c.Name), Reason: rungsWord(c.Rungs)}, Text(a.To), proved}})
			}
		}
	}
	now := s.clock.Now().In(s.render.opts.Zone)
	said := asWritten(written, "say", "")
	choice := func(value, text string) Choice { return Choice{Value: value, Text: text, Chosen: said == value} }
	data.Form = Form{Action: answerPath(answer) + "/telephone", Errors: ErrorSummary{wrong}, Hidden: []Hidden{versionOf(answer)}, Fields: []View{
		Input{Name: "speaker", Label: "Who spoke", Hint: "Name and post.", Value: asWritten(written, "speaker", ""), Error: errorAt(wrong, "speaker")},
		Input{Name: "number", Label: "Number called back", Hint: "Such as 01632 960123 ext 4.", Width: 20, Value: asWritten(written, "number", ""), Error: errorAt(wrong, "number")},
		Input{Name: "at-time", Label: "Time of the call", Hint: "Today, in 24 hours, " + now.Format("MST") + ".", Width: 5, Value: asWritten(written, "at-time", now.Format("15:04")), Error: errorAt(wrong, "at-time")},
		Radios{Name: "say", Legend: "What they said", Error: errorAt(wrong, "say"), Choices: []Choice{
			choice("acknowledge", "They have read it and taken it up"), choice("yes", "It applies"), choice("partly", "It applies to part of what they run"), choice("no", "It does not apply"),
			choice("not_run", "They do not run it"), choice("hosted", "Another organisation runs it for them"), choice("fixed", "It is fixed on every machine, since the time below")}},
		s.dateField(DateInput{Name: "fixed_at", Legend: "If fixed: since which date"}, now, written, wrong),
		Input{Name: "fixed_at-time", Label: "If fixed: since what time", Width: 5, Value: asWritten(written, "fixed_at-time", now.Format("15:04")), Error: errorAt(wrong, "fixed_at-time")},
		Textarea{Name: "words", Label: "In their words", Value: asWritten(written, "words", ""), Rows: 4, Error: errorAt(wrong, "words")},
	}, Buttons: []Button{{Text: "Record what they said"}}}
	return Page{Title: "By telephone: " + string(answer.Org) + " on " + string(in.alert.ID), Template: "telephone", Current: "alerts", Failed: len(wrong) > 0, Data: data,
		Crumbs: Crumbs{{Text: "Alerts", Href: "/alerts"}, {Text: string(in.alert.ID), Href: alertHref(in.alert.ID)}, {Text: string(answer.Org), Href: answerPath(answer)}}}, nil
}

func (s *Site) telephone(r *http.Request, who ward.Actor) (string, *Page, error) {
	id, org, version, err := answerKey(r)
	if err != nil {
		return "", nil, err
	}
	fields := map[string]string{}
	for _, name := range telephoned {
		fields[name] = textOf(r, name)
	}
	call := ward.PhoneCall{Speaker: fields["speaker"], Number: fields["number"]}
	if call.At, err = s.todayAt(fields["at-time"]); err == nil {
		var answer responses.Answer
		if answer, err = s.heard(r, who, fields); err == nil {
			_, err = s.Responses.ByTelephone(r.Context(), who, call, id, org, version, answer)
		}
	}
	if err == nil {
		return answerPath(ward.Response{Alert: id, Org: org}), nil, nil
	}
	wrong, err := refused(err)
	if err != nil {
		return "", nil, err
	}
	for i, w := range wrong {
		if w.Field == "at" {
			wrong[i].Field = "at-time"
		}
	}
	page, err := s.telephonePage(r, who, fields, wrong)
	return "", &page, err
}

// todayAt is a time of this day, on the clock of the wall.
func (s *Site) todayAt(text string) (time.Time, error) {
	clock, err := time.Parse("15:04", strings.ReplaceAll(text, ".", ":"))
	if err != nil {
		return time.Time{}, &ward.Invalid{Field: "at-time", Problem: "this is not a time", Hint: "give it in 24 hours, such as 09:30 or 21:15"}
	}
	now := s.clock.Now().In(s.render.opts.Zone)
	return time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, s.render.opts.Zone), nil
}

// heard is what was said on the telephone, as the ledger takes it. Whoever answers has read the alert.
func (s *Site) heard(r *http.Request, who ward.Actor, fields map[string]string) (a responses.Answer, err error) {
	before, err := s.Responses.Get(r.Context(), who.Scope, ward.AlertID(r.PathValue("id")), ward.OrgID(r.PathValue("org")))
	if err != nil {
		return a, err
	}
	a = responses.Answer{Words: fields["words"], Acknowledge: before.AcknowledgedAt.IsZero()}
	switch say := fields["say"]; say {
	case "":
		err = &ward.Invalid{Field: "say", Problem: "choose what they said"}
	case "acknowledge":
	case "fixed":
		a.Claim = true
		a.FixedAt, err = s.fixedAt(fields)
	default:
		a.Applies = ward.Applicability(say)
	}
	return a, err
}
