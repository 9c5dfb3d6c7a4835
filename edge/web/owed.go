package web

import (
	"net/http"

	"wardwatch/ward"
)

func (s *Site) routesOwed() {
	s.get("/owed", ward.MayRead, s.owedPage)
}

// owedData is the first page of an organisation's people: what they owe, by when, on which machines, to which version.
type owedData struct {
	Lede    string
	Late    *Warning
	Owed    Live
	Waiting *Table // the national desk's turn
	Others  *Table // whom the reader may answer for, by alert
	More    []Link
}

func (s *Site) owedPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	open, err := s.Responses.Owed(ctx, who.Scope, "")
	if err != nil {
		return Page{}, err
	}
	several := false
	for _, a := range open {
		several = several || a.Org != open[0].Org
	}
	owed, waiting := owedTable("What you owe", several), owedTable("With the national desk", several)
	topics := []string{"queue"}
	var data owedData
	var next ward.Response
	late := 0
	for _, answer := range open {
		alert, err := s.Alerts.Get(ctx, who.Scope, answer.Alert)
		if err != nil {
			return Page{}, err
		}
		machines, err := s.machinesOf(ctx, who.Scope, alert, answer)
		if err != nil {
			return Page{}, err
		}
		topics = append(topics, "alert:"+string(alert.ID))
		row := owedRow(alert, answer, machines, several)
		if nextStep(answer).desk {
			waiting.Rows = append(waiting.Rows, row)
			continue
		}
		if len(owed.Rows) == 0 {
			next = answer
		}
		if answer.Overdue {
			late++
		}
		owed.Rows = append(owed.Rows, row)
	}
	data.Lede = owedLede(len(owed.Rows), dueOf(next), s)
	if late > 0 {
		data.Late = &Warning{Title: capital(countWord(late, "answer is", "answers are")) + " overdue.",
			Text: "A word on where it stands is enough for today: it sets the next date."}
	}
	owed.Empty = Empty{Text: "Nothing is owed now. A new alert will stand here and in your inbox.", Next: Link{Text: "See all alerts sent to you", Href: "/alerts"}}
	data.Owed = Live{ID: "owed", Href: "/owed", Topics: topics, Body: owed}
	if len(waiting.Rows) > 0 {
		data.Waiting = &waiting
	}
	if data.Others, err = s.othersOwed(r, who); err != nil {
		return Page{}, err
	}
	if data.More, err = s.owedLinks(r, who); err != nil {
		return Page{}, err
	}
	return Page{Title: "Owed", Template: "owed", Current: "owed", Data: data}, nil
}

// owedLinks lead on to what is not owed now and has a date, to who is told, and for a care board to how its members stand.
func (s *Site) owedLinks(r *http.Request, who ward.Actor) ([]Link, error) {
	links := []Link{{Text: "Controlled and accepted, until when", Href: "/registers"}}
	if who.Org == "" {
		return links, nil
	}
	links = append(links, Link{Text: "Who is told for us", Href: contactsPath(who.Org)}, Link{Text: "Declare an appliance", Href: orgPath(who.Org) + "/appliances"},
		Link{Text: "Say what we do not run", Href: orgPath(who.Org) + "/declare"})
	if !who.May(ward.MayDeclare) {
		links = links[:2]
	}
	members, err := s.Responses.States(r.Context(), who, who.Org)
	if len(members) > 0 {
		links = append(links, Link{Text: "How your members stand", Href: "/members"})
	}
	return links, err
}

// othersOwed lists the alerts to which a reader may answer for others; nil where there are none.
func (s *Site) othersOwed(r *http.Request, who ward.Actor) (*Table, error) {
	if !who.May(ward.MayAnswer) {
		return nil, nil
	}
	all, err := s.Responses.Delegated(r.Context(), who, "")
	if err != nil || len(all) == 0 {
		return nil, err
	}
	t := &Table{Caption: "You may answer for others", HideCaption: true, Columns: []Column{{Title: "Alert"}, {Title: "Organisations", Right: true}, {Title: "Not closed", Right: true}, {Title: "Overdue", Right: true}}}
	var order []ward.AlertID
	by := map[ward.AlertID][]ward.AnswerState{}
	for _, a := range all {
		if by[a.Alert] == nil {
			order = append(order, a.Alert)
		}
		by[a.Alert] = append(by[a.Alert], a)
	}
	for _, id := range order {
		open, late := 0, 0
		for _, a := range by[id] {
			if a.State != ward.ClosedAnswer {
				open++
			}
			if a.Overdue {
				late++
			}
		}
		first := by[id][0]
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Link{Text: "Answer for others", Href: othersPath(id), About: "to " + string(id)}, Reason: string(id) + ", " + string(first.Severity) + ": " + first.Title},
			Text(Number(len(by[id]))), Text(Number(open)), Text(Number(late))}})
	}
	return t, nil
}

func owedTable(caption string, several bool) Table {
	t := Table{Caption: caption, HideCaption: true, Columns: []Column{{Title: "What"}, {Title: "By when", Tight: true}, {Title: "Machines"}, {Title: "To version", Tight: true}, {Title: "Where it stands", Tight: true}}}
	if several {
		t.Columns = append([]Column{t.Columns[0], {Title: "Organisation", Tight: true}}, t.Columns[1:]...)
	}
	return t
}

func owedRow(alert ward.Alert, answer ward.Response, machines []Machine, several bool) Row {
	step := nextStep(answer)
	cells := []View{Why{View: Link{Text: step.text, Href: answerPath(answer), About: "to " + string(alert.ID)},
		Reason: string(alert.ID) + ", " + string(alert.Severity) + ": " + alert.Title}}
	if several {
		cells = append(cells, Text(answer.Org))
	}
	var due View = Text("no date")
	if when := dueOf(answer); !when.At.IsZero() {
		due = when
	}
	return Row{Cells: append(cells, due, machinesCell(answer, machines), Text(toVersion(answer, machines)), answerTag(answer))}
}

// toVersion is what to update to, where there is something to update.
func toVersion(answer ward.Response, machines []Machine) string {
	if affected(machines) == 0 && answer.Current.State == ward.NotExposed {
		return "nothing to update"
	}
	return fixesOf(machines)
}

// machinesCell names the machines that still run an affected version, or says why none is named.
func machinesCell(answer ward.Response, machines []Machine) View {
	var names Stack
	affected := 0
	for _, m := range machines {
		if m.Status != ward.Affected {
			continue
		}
		affected++
		if affected <= 3 {
			if affected > 1 {
				names = append(names, Text(", "))
			}
			names = append(names, m.Link())
		}
	}
	switch {
	case affected > 3:
		return append(names, Text(" and "+Number(affected-3)+" more"))
	case affected > 0:
		return names
	case answer.Current.State == ward.ExposureUnknown:
		return Why{View: Text("not known"), Reason: "one question tells"}
	case answer.Current.State == ward.NotExposed:
		return Text("none seen")
	}
	return Text("none listed as affected now")
}

func owedLede(n int, due When, s *Site) string {
	if n == 0 {
		return "You owe nothing now."
	}
	text := "You owe " + countWord(n, "thing", "things") + "."
	switch {
	case due.At.IsZero():
		return text
	case due.At.Before(s.clock.Now()):
		return text + " The oldest was due " + Ago(due.At, s.clock.Now()) + ", at " + s.at(due.At) + "."
	}
	return text + " The next is due " + Ago(due.At, s.clock.Now()) + ", at " + s.at(due.At) + "."
}
