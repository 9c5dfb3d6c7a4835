package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

func (s *Site) routesAnswer() {
	const path = "/alerts/{id}/organisations/{org}"
	s.get(path, ward.MayRead, func(r *http.Request, who ward.Actor) (Page, error) {
		alert, err := s.Alerts.Get(r.Context(), who.Scope, ward.AlertID(r.PathValue("id")))
		if err != nil {
			return Page{}, err
		}
		return s.answerOf(r, who, alert, ward.OrgID(r.PathValue("org")))
	})
	for _, step := range answerSteps {
		s.get(path+"/"+step.key, ward.MayPrepare, func(r *http.Request, who ward.Actor) (Page, error) {
			in, err := s.answering(r, who)
			if err != nil {
				return Page{}, err
			}
			written, err := s.draft(r.Context(), who, in.alert.ID, in.answer.Org)
			if err != nil {
				return Page{}, err
			}
			return s.stepPage(who, in, step, written[step.key], nil), nil
		})
		s.post(path+"/"+step.key, ward.MayPrepare, func(r *http.Request, who ward.Actor) (string, *Page, error) { return s.say(r, who, step) })
	}
	s.post(path+"/acknowledge", ward.MayAnswer, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		id, org, version, err := answerKey(r)
		if err != nil {
			return "", nil, err
		}
		answer, err := s.Responses.Acknowledge(r.Context(), who, id, org, version)
		return answerPath(answer) + "?done=acknowledge", nil, err
	})
}

// answerPath is where an organisation's answer to an alert is read and given.
func answerPath(r ward.Response) string {
	return "/alerts/" + string(r.Alert) + "/organisations/" + string(r.Org)
}

// dueOf is when the next word of an answer is due.
func dueOf(r ward.Response) (due When) {
	switch r.State {
	case ward.Unanswered:
		return When{r.RespondBy}
	case ward.ClosedAnswer:
		return When{}
	}
	return When{r.NextDue}
}

// owes is the next thing that an answer asks of an organisation.
type owes struct {
	key  string // of the step that does it; empty when nothing on this site does
	text string
	desk bool // the national desk's turn
}

func nextStep(r ward.Response) owes {
	denied := r.Applicability == ward.AppliesNot || r.Applicability == ward.NotRunHere
	switch {
	case r.State == ward.ClosedAnswer, r.Lapsed, r.MovedTo != "":
		return owes{}
	case r.State == ward.Unanswered && askedAgain(r):
		return owes{key: "acknowledge", text: "Acknowledge the update"}
	case r.State == ward.Unanswered:
		return owes{key: "acknowledge", text: "Acknowledge"}
	case r.Proof.Result == ward.Disputed && r.NextDue.IsZero():
		return owes{text: "Wait for the national desk's decision", desk: true}
	case r.Proof.Result == ward.Contradicted:
		return owes{key: "act", text: "Put right what newer evidence contradicts"}
	case r.Unchecked() && r.Check.AtDesk():
		return owes{text: "Wait for the national desk on the compromise check", desk: true}
	case r.Unchecked():
		return owes{key: "check", text: "Look for signs of an intruder, and sign the result"}
	case r.Applicability == "" && r.ClaimedFixedAt.IsZero():
		return owes{key: "applies", text: "Say whether it applies"}
	case denied, r.Applicability == ward.AppliesHost:
		return owes{key: "close", text: "Close your answer"}
	case r.ClaimedFixedAt.IsZero():
		return owes{key: "act", text: "Act, and say since when it is fixed"}
	case r.Proof.Result == ward.Awaiting:
		return owes{key: "close", text: "Deliver newer evidence, or close as not confirmed"}
	}
	return owes{key: "close", text: "Close your answer"}
}

// askedAgain reports that an update of the alert asks for an acknowledgement again.
func askedAgain(r ward.Response) bool {
	return r.State == ward.Unanswered && (!r.Rest.At.IsZero() || r.Applicability != "" || !r.ClaimedFixedAt.IsZero())
}

// answerData is one organisation's side of an alert.
type answerData struct {
	About    []View // threat ID, severity, TLP
	Lede     string
	Done     *Banner
	Changed  View // what a material update changed
	Body     Live
	History  Table
	More     []Link
	Others   []Link // the same alert at the other organisations of the reader
	ReadOnly string // why there is nothing to press
}

// answerBody is what changes while it is watched.
type answerBody struct {
	Title    string // "What you owe"
	Beside   string // "Your machines"
	Thought  string // "What we think, and why"
	Problem  *Warning
	Spoken   View // who spoke where it was not the organisation itself
	Next     View // the one primary button
	Tasks    TaskList
	Proof    View
	Standing SummaryList
	Wrong    View // "we think this is wrong"
	Question *Panel
	Machines Machines
	Counted  string
	More     Link
	Alert    alertData
}

func (answerBody) template() string { return "answer-body" }

// answerPage is an alert as the organisation sees that it was sent to; a reader of several chooses one.
func (s *Site) answerPage(r *http.Request, who ward.Actor, alert ward.Alert) (Page, error) {
	answers, err := s.Responses.ForAlert(r.Context(), who.Scope, alert.ID)
	if err != nil {
		return Page{}, err
	}
	if len(answers) == 0 {
		return s.informedPage(r, who, alert)
	}
	org := answers[0].Org
	for _, a := range answers {
		if a.Org == who.Org {
			org = a.Org
		}
	}
	return s.answerOf(r, who, alert, org)
}

func (s *Site) answerOf(r *http.Request, who ward.Actor, alert ward.Alert, org ward.OrgID) (Page, error) {
	ctx := r.Context()
	answer, err := s.Responses.Get(ctx, who.Scope, alert.ID, org)
	if err != nil {
		return Page{}, err
	}
	if err := s.looked(r, who, "response.view", string(alert.ID), org); err != nil {
		return Page{}, err
	}
	machines, err := s.machinesOf(ctx, who.Scope, alert, answer)
	if err != nil {
		return Page{}, err
	}
	history, err := s.Responses.History(ctx, who.Scope, alert.ID, org)
	if err != nil {
		return Page{}, err
	}
	var written drafts
	if who.May(ward.MayPrepare) {
		if written, err = s.draft(ctx, who, alert.ID, org); err != nil {
			return Page{}, err
		}
	}
	in := answered{alert: alert, answer: answer, machines: machines}
	data := answerData{
		About:   alertAbout(alert),
		Lede:    s.answerLede(who, in),
		Done:    doneBanner(r.URL.Query().Get("done"), in, s),
		History: historyTable(history),
	}
	if data.Changed, err = s.changed(ctx, who.Scope, alert, askedAgain(answer)); err != nil {
		return Page{}, err
	}
	if !answer.AcknowledgedAt.IsZero() || answer.State == ward.ClosedAnswer {
		data.More = append(data.More, Link{Text: "Evidence pack", Href: answerPath(answer) + "/pack", About: "of this answer"})
	}
	if alert.SupersededBy != "" {
		data.More = append(data.More, Link{Text: "Go to " + string(alert.SupersededBy), Href: "/alerts/" + string(alert.SupersededBy)})
	}
	body := s.answerBody(who, in, written)
	data.Body = Live{ID: "answer", Href: answerPath(answer), Topics: []string{"alert:" + string(alert.ID), "estate:" + string(org)}, Body: body}
	switch {
	case who.May(ward.MayWatch):
		data.ReadOnly = fmt.Sprintf("You read the answer of %s as they see it. Only they can change it, and they can see that you looked.", org)
		if who.May(ward.MayRule) && answer.Check.AtDesk() {
			data.More = append(data.More, Link{Text: "Settle its compromise check", Href: answerPath(answer) + "/settle"})
		}
		if who.May(ward.MayRecord) && alert.InForce() && answer.MovedTo == "" {
			data.More = append(data.More, Link{Text: "Record what they said by telephone", Href: answerPath(answer) + "/telephone"})
		}
	case !who.May(ward.MayPrepare):
		data.ReadOnly = "You can read this. Your organisation's cyber lead answers."
	}
	others, err := s.Responses.ForAlert(ctx, who.Scope, alert.ID)
	if err != nil {
		return Page{}, err
	}
	if !who.May(ward.MayWatch) && len(others) > 1 {
		for _, o := range others {
			if o.Org != org {
				data.Others = append(data.Others, Link{Text: string(o.Org) + ": " + lower(answerTag(o).Text), Href: answerPath(o)})
			}
		}
	}
	page := Page{Title: alert.Title, Template: "answer", Current: "owed", Crumbs: Crumbs{{Text: "Owed", Href: "/owed"}}, Data: data}
	if who.May(ward.MayWatch) {
		page.Current, page.Crumbs = "alerts", Crumbs{{Text: "Alerts", Href: "/alerts"}, {Text: string(alert.ID), Href: "/alerts/" + string(alert.ID)}}
		page.Title = string(org) + ": " + alert.Title
	}
	return page, nil
}

// looked writes down that somebody from outside an organisation saw its data. A part that fetches itself again is the same
// look.
func (s *Site) looked(r *http.Request, who ward.Actor, action, subject string, org ward.OrgID) error {
	if r.Header.Get("HX-Request") != "" {
		return nil
	}
	return s.Access.Seen(r.Context(), who, action, subject, org)
}

// answered is what every page of an answer reads first.
type answered struct {
	alert    ward.Alert
	answer   ward.Response
	machines []Machine
}

// over reports that nothing can be said any more.
func (in answered) over() bool { return in.alert.State != ward.Published }

func (s *Site) answering(r *http.Request, who ward.Actor) (in answered, err error) {
	ctx := r.Context()
	if in.alert, err = s.Alerts.Get(ctx, who.Scope, ward.AlertID(r.PathValue("id"))); err != nil {
		return in, err
	}
	if in.answer, err = s.Responses.Get(ctx, who.Scope, in.alert.ID, ward.OrgID(r.PathValue("org"))); err != nil {
		return in, err
	}
	in.machines, err = s.machinesOf(ctx, who.Scope, in.alert, in.answer)
	return in, err
}

// product names what the alert is about.
func (in answered) product() string {
	if name := ward.ProductName(in.alert.Vendor, in.alert.Product); name != "" {
		return name
	}
	return "what this alert is about"
}

func (s *Site) answerLede(who ward.Actor, in answered) string {
	r := in.answer
	you, owe, your := "You", "owe", "your"
	if who.May(ward.MayWatch) {
		you, owe, your = string(r.Org), "owes", "its"
	}
	var text string
	switch next := nextStep(r); {
	case in.alert.State == ward.Withdrawn, in.alert.State == ward.Superseded:
		return s.overLede(in)
	case r.State == ward.ClosedAnswer:
		reads := lower(answerTag(r).Text)
		if !r.Until.IsZero() {
			return fmt.Sprintf("%s answer is %s, since %s. Nothing is owed until %s, when it opens again.", capital(your), reads, s.at(r.ClosedAt), s.at(r.Until))
		}
		return fmt.Sprintf("%s answer is %s since %s. Nothing is owed.", capital(your), reads, s.at(r.ClosedAt))
	case r.MovedTo != "":
		return fmt.Sprintf("%s has taken this answer over. Nothing is owed here.", r.MovedTo)
	case in.over():
		return s.overLede(in)
	case next.desk:
		text = "The national desk decides next. " + you + " " + owe + " nothing until then."
	default:
		text = fmt.Sprintf("%s %s %s", you, owe, noun(next, r))
		switch due := dueOf(r).At; {
		case due.IsZero():
			text += "."
		case r.Overdue:
			text += fmt.Sprintf(", due %s, at %s.", Ago(due, s.clock.Now()), s.at(due))
		default:
			text += fmt.Sprintf(" %s, by %s.", Ago(due, s.clock.Now()), s.at(due))
		}
	}
	if n := affected(in.machines); n > 0 && !nextStep(r).desk {
		text += fmt.Sprintf(" %s of %s machines %s an affected version", capital(countOnly(n)), your, verb(n, "runs", "run"))
		if fix := fixesOf(in.machines); fix != "not known" {
			text += ": update to " + fix
		}
		text += "."
	}
	return text
}

// overLede says how an alert ended, and where to go on.
func (s *Site) overLede(in answered) string {
	a := in.alert
	switch {
	case a.State == ward.Withdrawn && a.EndWhy != "":
		return fmt.Sprintf("This alert was withdrawn at %s: %s Nothing is owed.", s.at(a.Closed), sentence(a.EndWhy))
	case a.State == ward.Withdrawn:
		return fmt.Sprintf("This alert was withdrawn at %s. Nothing is owed.", s.at(a.Closed))
	case a.State == ward.Superseded:
		return fmt.Sprintf("%s took the place of this alert at %s. Nothing is owed here: answer that one.", a.SupersededBy, s.at(a.Closed))
	}
	return fmt.Sprintf("This alert was closed at %s. Nothing is owed.", s.at(a.Closed))
}

// noun is what is owed, as the object of a sentence.
func noun(next owes, r ward.Response) string {
	switch {
	case next.key == "acknowledge" && askedAgain(r):
		return "an acknowledgement of the update"
	case next.key == "check":
		return "a signature under the compromise check"
	case next.key == "acknowledge":
		return "an acknowledgement"
	case next.key == "applies":
		return "a word on whether it applies"
	case r.Proof.Result == ward.Contradicted:
		return "a correction"
	case next.key == "act":
		return "an update on the fix"
	case r.Proof.Result == ward.Awaiting:
		return "newer evidence or a closing word"
	}
	return "a closing word"
}

func alertAbout(a ward.Alert) []View {
	about := []View{Code(a.ID), severityTag(a.Severity), Tag{Text: string(a.TLP)}}
	if a.Exercise {
		about = append(about, Tag{Text: "EXERCISE"})
	}
	return about
}

func doneBanner(what string, in answered, s *Site) *Banner {
	b := Banner{Good: true}
	next := ""
	if due := dueOf(in.answer).At; !due.IsZero() {
		next = " The next update is due " + Ago(due, s.clock.Now()) + ", at " + s.at(due) + "."
	}
	switch what {
	case "acknowledge":
		b.Heading = "You acknowledged this alert." + next
	case "applies":
		b.Heading = "Your answer is saved." + next
	case "act":
		b.Heading = "Your update is saved." + next
	case "dispute":
		b.Heading = "Your word on the match is saved." + next
		if in.answer.Proof.Result == ward.Disputed {
			b.Heading = "Sent to the national desk, which decides once, for every organisation alike."
		}
	case "check":
		b.Heading = "Your signature is kept: " + checkWord(in.answer.Check.Result) + "."
		if in.answer.State == ward.ClosedAnswer {
			b.Heading += " Your answer is " + lower(answerTag(in.answer).Text) + "."
		} else {
			b.Heading += next
		}
	case "close", "residual", "controlled", "accepted":
		switch {
		case in.answer.Unchecked():
			b.Heading = "Your answer reads: " + in.answer.NotChecked() + ". It closes when a person signs that no evidence of an intruder was found."
		case in.answer.State != ward.ClosedAnswer:
			return nil
		default:
			b.Heading = "Your answer is " + lower(answerTag(in.answer).Text) + "."
		}
	case "declare":
		b.Heading = "Signed with your name and sent. What follows from it shows here within moments: without scripts, open the page again."
	case "draft":
		b.Heading = "Your draft is kept. Nobody else sees it, and nothing was sent."
	default:
		return nil
	}
	return &b
}

func (s *Site) answerBody(who ward.Actor, in answered, written drafts) answerBody {
	r := in.answer
	body := answerBody{Title: "What you owe", Beside: "Your machines", Thought: "What we think, and why", Tasks: s.answerTasks(who, in, written), Standing: s.standingOf(r), Machines: in.machines, Alert: alertWords(in.alert)}
	if who.May(ward.MayWatch) {
		body.Title, body.Beside = "What it owes", "Its machines"
	}
	if in.over() {
		body.Thought = "What we thought at the close, and why"
	}
	may := who.May(ward.MayAnswer) && !in.over()
	next := nextStep(r)
	switch {
	case !may || next.key == "":
	case next.key == "acknowledge":
		text := "Acknowledge now"
		if askedAgain(r) {
			text = "Acknowledge the update"
		}
		body.Next = Form{Action: answerPath(r) + "/acknowledge", Hidden: []Hidden{versionOf(r)}, Buttons: []Button{{Text: text}}}
	default:
		body.Next = Buttons{{Text: next.text, Href: answerPath(r) + "/" + next.key}}
	}
	if r.Proof.Result == ward.Contradicted && r.State != ward.ClosedAnswer {
		body.Problem = &Warning{Title: "Newer evidence contradicts the answer.", Text: s.evidence(r.Proof)}
	} else if r.Proof.Result != "" {
		body.Proof = s.proofView(r.Proof)
	}
	if may && r.State != ward.ClosedAnswer {
		body.Wrong = Link{Text: "We think this is wrong", Href: answerPath(r) + "/dispute"}
		if r.Dispute != "" {
			body.Wrong = Link{Text: "Change what you said is wrong", Href: answerPath(r) + "/dispute"}
		}
	}
	body.Spoken = s.spoken(r, may)
	body.Standing.Rows = append(body.Standing.Rows, s.outcomeOf(r)...)
	body.Counted = machinesCounted(in.machines)
	if r.Current.State == ward.ExposureUnknown && in.alert.Product != "" && r.State != ward.ClosedAnswer {
		body.Question = &Panel{Title: "Do you run " + in.product() + "?", Body: Text("We do not know. " + sentence(r.Current.Reason))}
		if who.May(ward.MayDeclare) && !in.over() {
			body.Question.Body = Stack{Text("We do not know. " + sentence(r.Current.Reason) + " "),
				Link{Text: "Answer this one question", Href: declarePath(r.Org, in.alert.Vendor, in.alert.Product, in.alert.ID)}}
		}
	}
	body.More = Link{Text: "All machines of " + string(r.Org), Href: "/organisations/" + string(r.Org) + "/assets"}
	return body
}

func machinesCounted(machines []Machine) string {
	n := affected(machines)
	switch {
	case len(machines) == 0:
		return "No machine is listed with this product."
	case n == len(machines):
		return Count(n, "machine") + " with an affected version."
	case n == 0:
		return "None of " + Count(len(machines), "machine") + " with an affected version by the newest evidence."
	}
	return Number(n) + " of " + Count(len(machines), "machine") + " with an affected version."
}

// standingOf is what the centre knows, and on what evidence.
func (s *Site) standingOf(r ward.Response) SummaryList {
	now := r.Current
	rows := []SummaryRow{
		{Key: "Exposure", Value: exposureTag(now.State)},
		{Key: "Why", Value: Text(sentence(now.Reason))},
	}
	if now.Source != "" {
		rows = append(rows, SummaryRow{Key: "Source", Value: Stack{Text(now.Source + ", " + string(now.Grade) + ", seen "), When{now.ObservedAt}}})
	}
	if r.Standing.State != now.State {
		rows = append(rows, SummaryRow{Key: "When it was sent", Value: Text(lower(exposureTag(r.Standing.State).Text))})
	}
	if r.Dispute != "" {
		rows = append(rows, SummaryRow{Key: "You say it is wrong", Value: Prose(r.Dispute)})
	}
	return SummaryList{rows}
}

// proofView is the sentence that holds a claim against evidence, with source, time and grade.
func (s *Site) proofView(p ward.Proof) View {
	return Stack{proofTag(p.Result), Text(" " + s.evidence(p))}
}

func (s *Site) evidence(p ward.Proof) string {
	text := sentence(p.Why)
	if p.Source != "" && !p.ObservedAt.IsZero() {
		text += fmt.Sprintf(" Evidence: %s (%s), observed at %s.", p.Source, p.Grade, s.at(p.ObservedAt))
	}
	return text
}

// answerTasks are the four things that an alert asks, in order.
func (s *Site) answerTasks(who ward.Actor, in answered, written drafts) TaskList {
	r := in.answer
	path := answerPath(r)
	open := who.May(ward.MayPrepare) && !in.over()
	href := func(step string, can bool) string {
		if !open || !can {
			return ""
		}
		return path + "/" + step
	}
	status := func(step string, otherwise View) View {
		if len(written[step]) > 0 {
			return Stack{Tag{"Draft kept", ToneStarted}}
		}
		return otherwise
	}
	denied := r.Applicability == ward.AppliesNot || r.Applicability == ward.NotRunHere

	acknowledge := Task{Text: "1. Acknowledge", Hint: "Says that you have read it and taken it up.", Status: Tag{"To do", ToneSilent}}
	if askedAgain(r) {
		acknowledge.Hint = "The alert was updated. What you said before stands: acknowledge, and change only what is different now."
	}
	switch {
	case !r.AcknowledgedAt.IsZero():
		acknowledge.Hint = fmt.Sprintf("%s, at %s.", r.AcknowledgedBy, s.at(r.AcknowledgedAt))
		acknowledge.Status = Tag{"Done", ToneDone}
	case r.Overdue:
		acknowledge.Status = Tag{"Overdue", ToneCritical}
	}

	applies := Task{Text: "2. Say whether it applies", Hint: "In full, in part, not at all, or run by another for you.", Href: href("applies", true)}
	applies.Status = status("applies", Tag{"To do", ToneSilent})
	if r.Applicability != "" {
		applies.Hint = appliesWord(r.Applicability) + "."
		if r.Host != "" {
			applies.Hint = appliesWord(r.Applicability) + ": " + string(r.Host) + "."
		}
		applies.Status = status("applies", Tag{"Answered", ToneMoving})
	}

	act := Task{Text: "3. Act, and say since when it is fixed", Hint: actHint(in), Href: href("act", true)}
	switch {
	case !r.ClaimedFixedAt.IsZero():
		act.Hint = "You say: fixed since " + s.at(r.ClaimedFixedAt) + "."
		act.Status = status("act", proofTag(r.Proof.Result))
	case denied:
		act.Hint, act.Status = "There is nothing to fix where it does not apply.", status("act", Text("Not needed"))
	case r.Applicability == ward.AppliesHost:
		act.Status = status("act", Text("With the host"))
	case r.State == ward.ClosedAnswer:
		act.Hint, act.Status = standsIn(r), status("act", Text("Not fixed"))
	case !r.Progress.At.IsZero():
		act.Hint = fmt.Sprintf("You say: %s of %s machines done.", Number(r.Progress.Done), Number(r.Progress.Affected))
		if r.Progress.Blocker != "" {
			act.Hint += " Held up by: " + sentence(r.Progress.Blocker)
		}
		act.Status = status("act", Tag{"In progress", ToneMoving})
	default:
		act.Status = status("act", Tag{"To do", ToneSilent})
	}

	tasks := []Task{acknowledge, applies, act}
	if r.Check.Required {
		check := Task{Text: "4. Look for signs of an intruder", Href: href("check", true), Hint: strings.TrimRight(r.Check.Why, ". ") + ".", Status: status("check", Tag{"To do", ToneSilent})}
		switch {
		case !r.Check.SettleAt.IsZero():
			check.Hint, check.Status = "Settled by the national desk: "+sentence(r.Check.Settled), status("check", Tag{"Settled", ToneDone})
		case r.Check.AtDesk():
			check.Hint, check.Status = capital(checkWord(r.Check.Result))+", signed by "+r.Check.SignedBy+". The national desk takes it up.", status("check", Tag{"With the desk", ToneWarning})
		case r.Check.Result != "":
			check.Hint, check.Status = capital(checkWord(r.Check.Result))+", signed by "+r.Check.SignedBy+", at "+s.at(r.Check.At)+".", status("check", Tag{"Signed", ToneDone})
		case r.State == ward.ClosedAnswer:
			check.Status = status("check", Text("Not signed"))
		case r.Unchecked():
			check.Status = status("check", Tag{"Not checked", ToneWarning})
		}
		tasks = append(tasks, check)
	}

	closing := Task{Text: fmt.Sprintf("%d. Close", len(tasks)+1), Status: Text("Cannot start yet")}
	as, why := closesAs(r)
	closing.Hint = why
	switch {
	case r.State == ward.ClosedAnswer:
		closing.Hint = fmt.Sprintf("Closed at %s.", s.at(r.ClosedAt))
		closing.Status = answerTag(r)
		if lasting(r) && !in.over() {
			closing.Href = href("close", true)
			closing.Hint += " Renew it or change it before its date."
		}
	case r.Outcome != "" && r.Unchecked() && r.Check.AtDesk():
		closing.Hint = "Asked to close: it closes when the national desk has settled the check."
		closing.Status = Tag{capital(r.NotChecked()), ToneClaimed}
	case r.Outcome != "" && r.Unchecked():
		closing.Hint = "Asked to close: it closes when the check is signed with no evidence found."
		closing.Status = Tag{capital(r.NotChecked()), ToneClaimed}
	case as != "" && r.Unchecked():
		closing.Href = href("close", true)
		closing.Hint = "It can close when the check is signed."
		closing.Status = status("close", Tag{capital(r.NotChecked()), ToneClaimed})
	case as != "":
		closing.Href = href("close", true)
		closing.Status = status("close", Tag{"To do", ToneSilent})
	case r.Proof.Result == ward.Contradicted:
		closing.Status = Tag{"Cannot close as fixed", ToneCritical}
		closing.Href = href("close", true)
	default:
		closing.Href = href("close", r.State != ward.Unanswered)
		closing.Hint = why + " Or close as controlled, or as a risk accepted, until a date."
		closing.Status = Text("Not yet")
	}
	return TaskList{ID: "steps", Tasks: append(tasks, closing)}
}

// standsIn says what stands in the place of a fix.
func standsIn(r ward.Response) string {
	switch r.Outcome {
	case ward.OutcomeControlled:
		return "A control stands in its place."
	case ward.OutcomeAccepted:
		return "The risk is accepted by " + r.Acceptance.Officer + "."
	}
	return "Nothing was said to be fixed."
}

// lasting reports whether an answer closed until a date, and can be renewed before it.
func lasting(r ward.Response) bool {
	return r.Outcome == ward.OutcomeControlled || r.Outcome == ward.OutcomeAccepted || r.Outcome == ward.OutcomeResidual
}

func actHint(in answered) string {
	n := affected(in.machines)
	fix := fixesOf(in.machines)
	switch {
	case n > 0 && fix != "not known":
		return fmt.Sprintf("Update %s to %s.", Count(n, "machine"), fix)
	case n > 0:
		return fmt.Sprintf("%s: no source names a fixed version yet; follow the steps below.", Count(n, "machine"))
	}
	return "Follow the steps below, or say how far you are."
}

// closesAs is as what an answer would close now, and what stands in the way. The ledger decides; this tells beforehand.
func closesAs(r ward.Response) (as, why string) {
	denied := r.Applicability == ward.AppliesNot || r.Applicability == ward.NotRunHere
	switch {
	case r.Proof.Result == ward.Contradicted:
		return "", "Not while newer evidence contradicts the answer."
	case (denied || r.Applicability == ward.AppliesHost && r.ClaimedFixedAt.IsZero()) && r.Proof.Result == ward.Disputed:
		return "", "The national desk decides first."
	case denied:
		return responses.ClosedNotApplying, "It would close as not applicable."
	case r.ClaimedFixedAt.IsZero() && r.Applicability != ward.AppliesHost:
		return "", "After you have said since when it is fixed, or that it does not apply."
	case r.Proof.Result == ward.Confirmed:
		return responses.ClosedConfirmed, "The evidence is there: it closes as confirmed."
	}
	return responses.ClosedNotConfirmed, "It may close now as not confirmed; newer evidence makes that confirmed by itself."
}

func historyTable(entries []ward.Entry) Table {
	t := Table{Caption: "What happened", HideCaption: true, Columns: []Column{{Title: "What"}, {Title: "When", Tight: true}, {Title: "By", Tight: true}},
		Empty: Empty{Text: "Nothing was said yet."}}
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		what := View(Text(entryWord(e.Kind)))
		if words := entryWords(e); words != "" {
			what = Why{View: Text(entryWord(e.Kind)), Reason: words}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{what, Moment{e.At}, Text(e.By)}})
	}
	return t
}

// entryWords is what was said, with the codes of an answer in words.
func entryWords(e ward.Entry) string {
	switch e.Kind {
	case responses.CheckAsked, responses.Recurred: // begin with a machine's name, which is as it is
		return e.Words
	case responses.Applicability:
	default:
		return capital(e.Words)
	}
	code, said, _ := strings.Cut(e.Words, ": ")
	text := appliesWord(ward.Applicability(code))
	if said != "" {
		text += ": " + said
	}
	return text
}

func entryWord(kind string) string {
	switch kind {
	case responses.Acknowledged:
		return "Acknowledged"
	case responses.Applicability:
		return "Said whether it applies"
	case responses.Claimed:
		return "Said that it is fixed"
	case responses.Disputed:
		return "Contested the match"
	case responses.Ruled:
		return "The national desk decided"
	case responses.Proved:
		return "Held against evidence"
	case responses.Closed:
		return "Closed"
	case responses.Reopened:
		return "Opened again"
	case responses.Progressed:
		return "Said how far it is"
	case responses.NotChecked:
		return "Asked to close as fixed"
	case responses.CheckAsked:
		return "A compromise check was asked for"
	case responses.Checked:
		return "Signed the compromise check"
	case responses.CheckSettled:
		return "The national desk settled the check"
	case responses.Recurred:
		return "Seen again"
	case responses.Telephoned:
		return "Recorded by telephone"
	case responses.Overruled:
		return "The organisation's own word took its place"
	case responses.Asked:
		return "Asked to acknowledge again"
	case responses.Lapsed:
		return "The alert ended"
	case responses.Moved:
		return "Taken over"
	}
	return capital(plainWord(kind))
}

// alertData is the alert's own text.
type alertData struct {
	Summary   Prose
	Steps     []alertStep
	Facts     SummaryList
	Platforms []string
}

type alertStep struct {
	Kind string
	Text Prose
	Link string
}

func alertWords(a ward.Alert) alertData {
	data := alertData{Summary: Prose(a.Summary)}
	for _, step := range a.Steps {
		data.Steps = append(data.Steps, alertStep{string(step.Kind), Prose(step.Text), step.Link})
	}
	add := func(key, value string) {
		if value != "" {
			data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: key, Value: Text(value)})
		}
	}
	if len(a.CVEs) > 0 {
		var links Stack
		for i, cve := range a.CVEs {
			if i > 0 {
				links = append(links, Text(", "))
			}
			links = append(links, Link{Text: string(cve), Href: "/weaknesses/" + string(cve)})
		}
		data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: "Weaknesses", Value: links})
	}
	add("Affected", strings.Join(a.Platforms, "; "))
	add("Category", a.Category)
	add("Threat", a.ThreatType)
	add("Reached by", a.Vector)
	if !a.Issued.IsZero() {
		data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: "Issued", Value: Moment{a.Issued}})
	}
	if !a.RemediateBy.IsZero() {
		data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: "Remediate by", Value: When{a.RemediateBy}})
	}
	return data
}

// at tells a time in the zone of the pages.
func (s *Site) at(t time.Time) string { return At(t.In(s.render.opts.Zone)) }

func countWord(n int, one, many string) string {
	if n == 1 {
		return "one " + one
	}
	return countOnly(n) + " " + many
}

// countOnly says small numbers in words.
func countOnly(n int) string {
	words := []string{"none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	if n >= 0 && n < len(words) {
		return words[n]
	}
	return Number(n)
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
