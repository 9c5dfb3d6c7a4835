package web

import (
	"fmt"
	"net/http"

	"wardwatch/ward"
)

// routesSettle let the national desk decide over a compromise check that found something, or could not tell.
func (s *Site) routesSettle() {
	const path = "/alerts/{id}/organisations/{org}/settle"
	s.get(path, ward.MayRule, func(r *http.Request, who ward.Actor) (Page, error) { return s.settlePage(r, who, "", nil) })
	s.post(path, ward.MayRule, s.settle)
}

func (s *Site) settlePage(r *http.Request, who ward.Actor, words string, wrong []FieldError) (Page, error) {
	in, err := s.answering(r, who)
	if err != nil {
		return Page{}, err
	}
	answer := in.answer
	if err := s.looked(r, who, "response.view", string(in.alert.ID), answer.Org); err != nil {
		return Page{}, err
	}
	data := stepData{Beside: "Its machines", Machines: in.machines, Counted: machinesCounted(in.machines),
		Lede: fmt.Sprintf("%s signed at %s: %s. Its answer stays open until you say how that was dealt with.", answer.Check.SignedBy, s.at(answer.Check.At), checkWord(answer.Check.Result)),
		Note: Inset{Lines{Text("What was searched: " + sentence(answer.Check.Coverage)), Note("Asked for because " + answer.Check.Why + ".")}},
		Form: Form{Action: answerPath(answer) + "/settle", Errors: ErrorSummary{wrong}, Hidden: []Hidden{versionOf(answer)}, Fields: []View{
			Textarea{Name: "words", Label: "How it was settled", Hint: "The organisation reads it. Where it asked to close as fixed, its answer closes now.", Rows: 5, Value: words, Error: errorAt(wrong, "words")}},
			Buttons: []Button{{Text: "Settle the check"}}}}
	if !answer.Check.AtDesk() {
		data.Lede, data.Note, data.Form = "No compromise check of this answer waits for the desk.", nil, Form{}
	}
	return Page{Title: "Compromise check: " + string(answer.Org) + " on " + string(in.alert.ID), Template: "answer-step", Current: "alerts", Failed: len(wrong) > 0, Data: data,
		Crumbs: Crumbs{{Text: "Alerts", Href: "/alerts"}, {Text: string(in.alert.ID), Href: alertHref(in.alert.ID)}, {Text: string(answer.Org), Href: answerPath(answer)}}}, nil
}

func (s *Site) settle(r *http.Request, who ward.Actor) (string, *Page, error) {
	id, org, version, err := answerKey(r)
	if err != nil {
		return "", nil, err
	}
	words := textOf(r, "words")
	answer, err := s.Responses.SettleCheck(r.Context(), who, id, org, version, words)
	if err == nil {
		return answerPath(answer), nil, nil
	}
	wrong, err := refused(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.settlePage(r, who, words, wrong)
	return "", &page, err
}
