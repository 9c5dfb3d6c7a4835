package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

func (s *Site) routesOthers() {
	const path = "/alerts/{id}/others"
	s.get(path, ward.MayAnswer, func(r *http.Request, who ward.Actor) (Page, error) { return s.othersPage(r, who, nil) })
	s.post(path, ward.MayAnswer, s.answerForOthers)
	s.get("/members", ward.MayRead, s.membersPage)
	s.post("/organisations/{org}/delegations", ward.MayAnswer, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		org := orgOf(r)
		return orgPath(org) + "#answering", nil, s.Responses.Delegate(r.Context(), who, org, ward.OrgID(textOf(r, "delegate")), textOf(r, "allowed") == "yes")
	})
}

func othersPath(id ward.AlertID) string { return alertHref(id) + "/others" }

// othersData is one answer for several organisations: chosen, looked at, then given to all of them or to none.
type othersData struct {
	About  []View
	Lede   string
	Done   *Banner
	Form   *Form
	Result *Table
	Send   *Form
}

// delegated is how the answers stand that a reader may give for others, and the names of whom they are.
func (s *Site) delegated(r *http.Request, who ward.Actor, alert ward.AlertID) ([]ward.AnswerState, register, error) {
	all, err := s.Responses.Delegated(r.Context(), who, alert)
	if err != nil {
		return nil, nil, err
	}
	known, err := s.named(r, all)
	return all, known, err
}

// named gives the names of the organisations whose states a reader is shown. Names are in the public register; nothing else
// of these organisations is read.
func (s *Site) named(r *http.Request, all []ward.AnswerState) (register, error) {
	var orgs []ward.OrgID
	for _, a := range all {
		orgs = append(orgs, a.Org)
	}
	return s.register(r.Context(), ward.Only(orgs...))
}

func (s *Site) othersPage(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	id := ward.AlertID(r.PathValue("id"))
	all, known, err := s.delegated(r, who, id)
	if err != nil {
		return Page{}, err
	}
	if len(all) == 0 {
		return Page{}, ward.ErrNotFound
	}
	written := r.PostForm
	if r.Method != http.MethodPost {
		written = nil
	}
	value := func(name string) string { return strings.TrimSpace(written.Get(name)) }
	var choices []Choice
	closed := 0
	for _, a := range all {
		chosen := written == nil && a.State != ward.ClosedAnswer || slices.Contains(written["org"], string(a.Org))
		choices = append(choices, Choice{Value: string(a.Org), Text: known.name(a.Org) + " (" + string(a.Org) + ")", Hint: capital(s.stateWord(a)), Chosen: chosen})
		if a.State == ward.ClosedAnswer {
			closed++
		}
	}
	say := func(key, text, hint string) Choice {
		return Choice{Value: key, Text: text, Hint: hint, Chosen: value("say") == key}
	}
	now := s.clock.Now().In(s.render.opts.Zone)
	fields := map[string]string(nil)
	if written != nil {
		fields = map[string]string{}
		for name := range written {
			fields[name] = value(name)
		}
	}
	form := &Form{Action: othersPath(id), Errors: ErrorSummary{wrong}, Fields: []View{
		Checkboxes{Name: "org", Legend: "For whom", Error: errorAt(wrong, "org"), Choices: choices},
		Radios{Name: "say", Legend: "What you say for each of them", Error: errorAt(wrong, "say"), Choices: []Choice{
			say("acknowledge", "Acknowledged", "It was read and taken up."),
			say("yes", "It applies", "What they run is affected."),
			say("hosted", "We run it for them", "Hosted by "+string(who.Org)+"."),
			say("not_run", "They do not run it", "It is nowhere there."),
			say("fixed", "It is fixed on every machine", "Since the time below. Evidence is held against it, organisation by organisation."),
		}},
		Checkboxes{Name: "close", Legend: "And then", Choices: []Choice{{Value: "yes", Text: "Close the answer", Hint: "Refused where the evidence contradicts it.", Chosen: value("close") == "yes"}}},
		s.dateField(DateInput{Name: "fixed_at", Legend: "If it is fixed: since which date"}, now, fields, wrong),
		Input{Name: "fixed_at-time", Label: "If it is fixed: since what time", Hint: "In 24 hours, " + now.Format("MST") + ", such as 21:15.", Width: 5, Value: asWritten(fields, "fixed_at-time", now.Format("15:04")), Error: errorAt(wrong, "fixed_at-time")},
		Textarea{Name: "words", Label: "In words (optional)", Hint: "Each of them reads this, and can overrule it.", Rows: 3, Value: value("words"), Error: errorAt(wrong, "words")},
	}, Buttons: []Button{{Text: "See what would happen", Name: "do", Value: "preview"}}}
	data := othersData{About: []View{Code(id), severityTag(all[0].Severity)}, Form: form,
		Lede: fmt.Sprintf("You may answer for %s; %s closed. Nothing is sent before you have seen what would happen, and then for all that you chose or for none.", countWord(len(all), "organisation", "organisations"), countWord(closed, "is", "are"))}
	if done := r.URL.Query().Get("answered"); done != "" && written == nil {
		var orgs []ward.OrgID
		for org := range strings.SplitSeq(done, ",") {
			orgs = append(orgs, ward.OrgID(org))
		}
		t := Table{Caption: "Result by organisation", Columns: []Column{{Title: "Organisation"}, {Title: "Its answer reads now"}}}
		for _, a := range all {
			if slices.Contains(orgs, a.Org) {
				t.Rows = append(t.Rows, Row{Cells: []View{Text(known.name(a.Org)), Text(a.Reads)}})
			}
		}
		if len(t.Rows) > 0 {
			data.Done = &Banner{Good: true, Heading: "You answered for " + Count(len(t.Rows), "organisation") + ". Each was told, sees who said it, and can overrule it."}
			data.Result = &t
		}
	}
	return Page{Title: "Answer for others: " + all[0].Title, Template: "others", Current: "owed", Failed: len(wrong) > 0, Data: data,
		Crumbs: Crumbs{{Text: "Owed", Href: "/owed"}}}, nil
}

// stateWord says how an answer stands, with its clock.
func (s *Site) stateWord(a ward.AnswerState) string {
	text := a.Reads
	due := a.NextDue
	if a.State == ward.Unanswered {
		due = a.RespondBy
	}
	switch {
	case a.State == ward.ClosedAnswer || due.IsZero():
		return text
	case a.Overdue:
		return text + ", overdue since " + s.at(due)
	}
	return text + ", due " + Ago(due, s.clock.Now()) + ", at " + s.at(due)
}

// saidForOthers is what the form says for each organisation.
func (s *Site) saidForOthers(r *http.Request, who ward.Actor) (a responses.Answer, err error) {
	a = responses.Answer{Acknowledge: true, Words: textOf(r, "words")}
	switch say := textOf(r, "say"); say {
	case "acknowledge":
	case "yes", "not_run":
		a.Applies = ward.Applicability(say)
	case "hosted":
		a.Applies, a.Host = ward.AppliesHost, who.Org
	case "fixed":
		fields := map[string]string{}
		for name := range r.PostForm {
			fields[name] = textOf(r, name)
		}
		a.Applies, a.Claim = ward.Applies, true
		if a.FixedAt, err = s.fixedAt(fields); err != nil {
			return a, err
		}
	default:
		return a, &ward.Invalid{Field: "say", Problem: "choose what you say", Hint: "the same for each of them"}
	}
	if textOf(r, "close") == "yes" {
		a.Close = &ward.Closing{}
	}
	return a, nil
}

// answerForOthers shows what would happen, or does it.
func (s *Site) answerForOthers(r *http.Request, who ward.Actor) (string, *Page, error) {
	ctx, id := r.Context(), ward.AlertID(r.PathValue("id"))
	if err := r.ParseForm(); err != nil {
		return "", nil, &ward.Invalid{Problem: "the form could not be read", Hint: "open the page again and send it from there"}
	}
	again := func(err error) (string, *Page, error) {
		wrong, err := refused(err)
		if err != nil {
			return "", nil, err
		}
		page, err := s.othersPage(r, who, wrong)
		return "", &page, err
	}
	var orgs []ward.OrgID
	for _, org := range r.PostForm["org"] {
		orgs = append(orgs, ward.OrgID(org))
	}
	if len(orgs) == 0 {
		return again(&ward.Invalid{Field: "org", Problem: "choose for whom you answer", Hint: "one or more"})
	}
	if textOf(r, "do") == "change" {
		page, err := s.othersPage(r, who, nil)
		page.Status = http.StatusOK
		return "", &page, err
	}
	answer, err := s.saidForOthers(r, who)
	if err != nil {
		return again(err)
	}
	how := responses.Bulk{Preview: textOf(r, "do") != "answer", Versions: map[ward.OrgID]int{}}
	if !how.Preview {
		for _, org := range orgs {
			if version, err := strconv.Atoi(textOf(r, "version-"+string(org))); err == nil {
				how.Versions[org] = version
			}
		}
	}
	results, err := s.Responses.AnswerForMany(ctx, who, id, orgs, answer, how)
	if err != nil && len(results) == 0 {
		return again(err)
	}
	if err == nil && !how.Preview {
		return addressWith(othersPath(id), "answered", joinOrgs(orgs, ",")), nil, nil
	}
	page, problem := s.othersPreview(r, who, results, err)
	if problem != nil {
		return "", nil, problem
	}
	if err == nil {
		page.Status = http.StatusOK
	}
	return "", &page, nil
}

// othersPreview is what would become of each answer, and the button that does it when nothing is refused.
func (s *Site) othersPreview(r *http.Request, who ward.Actor, results []responses.Result, err error) (Page, error) {
	id := ward.AlertID(r.PathValue("id"))
	all, known, problem := s.delegated(r, who, id)
	if problem != nil || len(all) == 0 {
		return Page{}, problem
	}
	t := Table{Caption: "What would happen", HideCaption: true, Columns: []Column{{Title: "Organisation"}, {Title: "Reads now"}, {Title: "Would read"}}}
	send := &Form{Action: othersPath(id)}
	refused := 0
	for _, one := range results {
		after := View(Text(one.After))
		if one.Refused != "" {
			refused++
			after = Why{View: Tag{"Refused", ToneCritical}, Reason: sentence(strings.TrimSuffix(one.Refused, ": "+ward.ErrState.Error()))}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Text(known.name(one.Org)), Reason: string(one.Org)}, Text(one.Before), after}})
		send.Hidden = append(send.Hidden, Hidden{"org", string(one.Org)}, Hidden{"version-" + string(one.Org), strconv.Itoa(one.Version)})
	}
	for _, name := range []string{"say", "close", "fixed_at-day", "fixed_at-month", "fixed_at-year", "fixed_at-time", "words"} {
		send.Hidden = append(send.Hidden, Hidden{name, textOf(r, name)})
	}
	data := othersData{About: []View{Code(id), severityTag(all[0].Severity)}, Result: &t,
		Lede: fmt.Sprintf("This is what would happen to the answers of %s. Nothing was sent yet.", countWord(len(results), "organisation", "organisations"))}
	title := "Look before you answer: " + all[0].Title
	switch {
	case refused > 0:
		data.Lede = fmt.Sprintf("%s of %s cannot be answered for like this, so none would be. Nothing was sent: leave them out, or answer otherwise.", capital(countOnly(refused)), countOnly(len(results)))
		send.Buttons = []Button{{Text: "Change it", Kind: Secondary, Name: "do", Value: "change"}}
	default:
		send.Buttons = []Button{{Text: "Answer for " + Count(len(results), "organisation"), Name: "do", Value: "answer"}, {Text: "Change it", Kind: Secondary, Name: "do", Value: "change"}}
	}
	data.Send = send
	return Page{Title: title, Template: "others", Current: "owed", Failed: err != nil, Data: data, Crumbs: Crumbs{{Text: "Owed", Href: "/owed"}, {Text: string(id), Href: othersPath(id)}}}, nil
}

// membersData is how the answers of a care board's members stand: states and clocks, and nothing of what they run.
type membersData struct {
	Lede  string
	Table Table
}

func (s *Site) membersPage(r *http.Request, who ward.Actor) (Page, error) {
	board := who.Org
	if who.May(ward.MayWatch) {
		board = ward.OrgID(strings.ToUpper(strings.TrimSpace(r.URL.Query().Get("board"))))
	}
	if board == "" {
		return Page{}, ward.ErrNotFound
	}
	all, err := s.Responses.States(r.Context(), who, board)
	if err != nil {
		return Page{}, err
	}
	known, err := s.named(r, all)
	if err != nil {
		return Page{}, err
	}
	members, open, late := map[ward.OrgID]bool{}, 0, 0
	t := Table{Caption: "Answers of your members", HideCaption: true, Columns: []Column{{Title: "Organisation"}, {Title: "Alert"}, {Title: "Its answer reads"}, {Title: "By when", Tight: true}},
		Empty: Empty{Text: "No member of yours was asked anything yet, or no organisation names you as its care board."}}
	slices.SortStableFunc(all, func(a, b ward.AnswerState) int { return pressingState(a) - pressingState(b) })
	for _, a := range all {
		members[a.Org] = true
		var due View = Text("nothing is owed")
		switch {
		case a.State == ward.ClosedAnswer && !a.Until.IsZero():
			due = Why{View: When{a.Until}, Reason: "opens again"}
		case a.State == ward.ClosedAnswer:
			due = Why{View: Moment{a.ClosedAt}, Reason: "closed"}
		default:
			open++
			at := a.NextDue
			if a.State == ward.Unanswered {
				at = a.RespondBy
			}
			if !at.IsZero() {
				due = When{at}
			}
		}
		reads := View(Text(a.Reads))
		if a.Overdue {
			late++
			reads = Stack{Tag{"Overdue", ToneCritical}, Text(" " + a.Reads)}
		}
		title := string(a.Severity) + ": " + a.Title
		if a.Exercise {
			title = "EXERCISE, " + title
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Text(known.name(a.Org)), Reason: string(a.Org)}, Why{View: Code(a.Alert), Reason: title}, reads, due}})
	}
	data := membersData{Table: t, Lede: fmt.Sprintf("%s asked; %s not closed, %s overdue.", capital(countWord(len(members), "member was", "members were")), countWord(open, "answer is", "answers are"), countOnly(late))}
	if len(all) == 0 {
		data.Lede = "There is no answer of a member to show."
	}
	return Page{Title: "How your members stand", Template: "members", Current: "owed", Data: data, Crumbs: Crumbs{{Text: "Owed", Href: "/owed"}}}, nil
}

// pressingState puts what is late first, and what is closed last.
func pressingState(a ward.AnswerState) int {
	switch {
	case a.Overdue:
		return 0
	case a.State != ward.ClosedAnswer:
		return 1
	}
	return 2
}

// delegationsTable says who else may answer for an organisation, by its relations, and lets its lead decide otherwise.
func delegationsTable(who ward.Actor, org ward.OrgID, all []responses.Delegation) Table {
	t := Table{Caption: "Who may answer for it", HideCaption: true, Columns: []Column{{Title: "Organisation"}, {Title: "Because"}, {Title: "May answer", Tight: true}},
		Empty: Empty{Text: "Nobody else: no organisation operates, hosts or leads for it."}}
	decides := who.NeedFor(ward.MayAnswer, org) == nil
	for _, d := range all {
		word, change, allowed := Tag{"Yes", ToneMoving}, "Do not let it", "no"
		if !d.Allowed {
			word, change, allowed = Tag{Text: "No"}, "Let it answer", "yes"
		}
		cell := View(word)
		if decides {
			cell = Stack{word, Text(" "), Form{Action: orgPath(org) + "/delegations", Hidden: []Hidden{{"delegate", string(d.Delegate)}, {"allowed", allowed}}, Buttons: []Button{{Text: change, Kind: Secondary, Small: true}}}}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Code(d.Delegate), Text(relationWord(ward.Relation{From: d.Delegate, Kind: d.Kind, To: org}, org)), cell}})
	}
	return t
}
