package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wardwatch/act/alerts"
	"wardwatch/act/responses"
	"wardwatch/ward"
)

func (s *Site) routesAlerts() {
	s.get("/alerts", ward.MayRead, s.alertList)
	s.get("/alerts/new", ward.MayDraft, s.newAlert)
	s.post("/alerts", ward.MayDraft, s.draftAlert)
	s.get("/alerts/{id}", ward.MayRead, s.alertPage)
	s.get("/alerts/{id}/edit", ward.MayDraft, s.editAlert)
	s.post("/alerts/{id}/edit", ward.MayDraft, s.saveAlert)
	s.post("/alerts/{id}/approve", ward.MayApprove, s.approveAlert)
	s.get("/alerts/{id}/publish", ward.MayApprove, s.publishPage)
	s.post("/alerts/{id}/publish", ward.MayApprove, s.publishAlert)
	s.post("/alerts/{id}/close", ward.MayApprove, s.closeAlert)
	s.get("/alerts/{id}/answers/{org}", ward.MayWatch, s.oneAnswer)
}

// alertListData is what the list of alerts shows.
type alertListData struct {
	Live    Live
	Lede    string
	Search  Form
	Draft   View // a button, for who may
	Alerts  Table
	Pager   Pager
	Nowhere View // instead of a list
}

// alertList lists the alerts that the reader may see: the national watch all of them, an organisation those sent to it.
func (s *Site) alertList(r *http.Request, who ward.Actor) (Page, error) {
	ctx, ask := r.Context(), r.URL.Query()
	query := alerts.Query{Text: strings.TrimSpace(ask.Get("q")), State: ward.AlertState(ask.Get("state")), After: ask.Get("after"), Limit: ward.PageSize}
	page, err := s.Alerts.List(ctx, who.Scope, query)
	if err != nil {
		return Page{}, err
	}
	tallies, err := s.Responses.Tallies(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	stands := map[ward.AlertID]responses.Tally{}
	inForce, overdue := 0, 0
	for _, t := range tallies {
		stands[t.Alert] = t
		if t.State == ward.Published {
			inForce++
			overdue += t.Overdue
		}
	}
	states := []Choice{{Value: "", Text: "All"}, {Value: string(ward.Published), Text: "In force"}, {Value: string(ward.Ended), Text: "Closed"}, {Value: string(ward.Withdrawn), Text: "Withdrawn"}, {Value: string(ward.Superseded), Text: "Superseded"}}
	if who.May(ward.MayWatch) {
		states = append(states, Choice{Value: string(ward.Drafted), Text: "Drafts, to approve"}, Choice{Value: string(ward.Approved), Text: "Approved, to publish"})
	}
	for i := range states {
		states[i].Chosen = states[i].Value == string(query.State)
	}
	data := alertListData{
		Live: Live{ID: "alerts", Href: r.URL.RequestURI(), Topics: []string{"queue"}},
		Lede: clauses(Count(inForce, "alert")+" "+is(inForce)+" in force", Count(overdue, "answer")+" to "+itOrThem(inForce)+" "+is(overdue)+" overdue"),
		Search: Form{Action: "/alerts", Get: true, Fields: []View{
			Input{Name: "q", Label: "Threat ID or words of the title", Value: query.Text},
			Select{Name: "state", Label: "State", Choices: states},
		}, Buttons: []Button{{Text: "Search", Kind: Secondary}}},
		Alerts: Table{Caption: "Alerts", HideCaption: true, Keys: true, Columns: []Column{{Title: "Alert"}, {Title: "Severity", Tight: true}, {Title: "State", Tight: true},
			{Title: "Answers"}, {Title: "Confirmed of claimed", Right: true, Tight: true}, {Title: "Overdue", Right: true, Tight: true}, {Title: "Issued", Tight: true}},
			Empty: Empty{Text: "No alert fits. Leave the words out, or choose another state.", Next: link("Show all alerts", "/alerts")}},
	}
	if query == (alerts.Query{Limit: ward.PageSize}) {
		data.Alerts.Empty = Empty{Text: "There are no alerts yet."}
	}
	if who.May(ward.MayDraft) {
		data.Draft = Buttons{{Text: "Draft an alert", Href: "/alerts/new"}, {Text: "Templates", Kind: Secondary, Href: "/templates"}}
	}
	for _, a := range page.Items {
		t := stands[a.ID]
		var answers, confirmed View
		if t.Asked > 0 {
			confirmed = Text(Number(t.Confirmed) + " of " + Number(t.Claimed))
			answers = AnswerBar{Title: "Answers to " + string(a.ID), Parts: partsOf(t), Compact: true}
		}
		why := string(a.ID) + ", drafted by " + a.Author
		if !a.Issued.IsZero() {
			why = string(a.ID) + ", sent to " + Count(t.Asked, "organisation")
			if !who.Scope.All() {
				why = string(a.ID) + ", sent to you"
			}
		}
		var issued View = Text("not yet")
		if !a.Issued.IsZero() {
			issued = When{a.Issued}
		}
		data.Alerts.Rows = append(data.Alerts.Rows, Row{Cells: []View{Why{View: link(a.Title, alertHref(a.ID)), Reason: why}, severityTag(a.Severity), alertStateTag(a.State),
			answers, confirmed, Text(Number(t.Overdue)), issued}})
	}
	if page.Next != "" {
		ask.Set("after", page.Next)
		data.Pager.Next = "/alerts?" + ask.Encode()
	}
	return Page{Title: "Alerts", Template: "alerts", Current: "alerts", Data: data}, nil
}

func itOrThem(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// alertPage is the national view for the national watch, and the task list for everybody else.
func (s *Site) alertPage(r *http.Request, who ward.Actor) (Page, error) {
	a, err := s.Alerts.Get(r.Context(), who.Scope, ward.AlertID(r.PathValue("id")))
	switch {
	case err != nil:
		return Page{}, err
	case who.May(ward.MayWatch):
		return s.nationalAlert(r, who, a)
	}
	return s.answerPage(r, who, a)
}

var alertCrumbs = Crumbs{{Text: "Alerts", Href: "/alerts"}}

func crumbsTo(a ward.Alert) Crumbs {
	return append(slices.Clone(alertCrumbs), link(string(a.ID), alertHref(a.ID)))
}

// alertText is an alert as its recipients read it.
func alertText(a ward.Alert) View {
	row := func(key, value string) SummaryRow { return SummaryRow{Key: key, Value: Text(value)} }
	list := SummaryList{Rows: []SummaryRow{{Key: "Severity", Value: severityTag(a.Severity)}, row("Threat ID", string(a.ID)), row("Shared under", string(a.TLP))}}
	for _, pair := range [][2]string{{"Category", a.Category}, {"Threat", a.ThreatType}, {"Vector", a.Vector}, {"Affected", strings.Join(a.Platforms, "\n")}} {
		if pair[1] != "" {
			list.Rows = append(list.Rows, SummaryRow{Key: pair[0], Value: Prose(pair[1])})
		}
	}
	if len(a.CVEs) > 0 {
		list.Rows = append(list.Rows, SummaryRow{Key: "Weaknesses", Value: cveLinks(a.CVEs)})
	}
	if !a.RemediateBy.IsZero() {
		list.Rows = append(list.Rows, SummaryRow{Key: "Fix by", Value: When{a.RemediateBy}})
	}
	if a.Policy.Title != "" {
		list.Rows = append(list.Rows, SummaryRow{Key: "Clocks", Value: Why{View: Text("Acknowledge within " + hours(a.AcknowledgeWithin) + ", then an update every " + hours(a.UpdateEvery)), Reason: cmp.Or(a.ClocksWhy, policyWords(a.Policy))}})
		if words := remediationWords(a.Policy); a.RemediateBy.IsZero() && words != "" {
			list.Rows = append(list.Rows, row("Fix within", words))
		}
	}
	steps := SummaryList{}
	for _, step := range a.Steps {
		value := Stack{Prose(step.Text)}
		if step.Link != "" {
			value = append(value, link(step.Link, step.Link))
		}
		steps.Rows = append(steps.Rows, SummaryRow{Key: string(step.Kind), Value: value})
	}
	text := Stack{Prose(a.Summary), list}
	if len(steps.Rows) > 0 {
		text = append(text, Titled{Title: "What to do", Body: steps})
	}
	return text
}

func (s *Site) approveAlert(r *http.Request, who ward.Actor) (string, *Page, error) {
	a, err := s.Alerts.Approve(r.Context(), who, ward.AlertID(r.PathValue("id")), versionIn(r))
	return alertHref(a.ID) + "?done=approved", nil, err
}

func (s *Site) closeAlert(r *http.Request, who ward.Actor) (string, *Page, error) {
	a, err := s.Alerts.Close(r.Context(), who, ward.AlertID(r.PathValue("id")), versionIn(r))
	return alertHref(a.ID) + "?done=closed", nil, err
}

// publishPage shows who would be told, and what is known of each, before anything is sent.
func (s *Site) publishPage(r *http.Request, who ward.Actor) (Page, error) {
	return s.publishing(r, who, nil)
}

// publishData is what an approver reads before pressing the button.
type publishData struct {
	Lede  string
	Wrong ErrorSummary
	All   Form
	Reach string // by which channels
	Words View   // the message
	Known AnswerBar
	Table Table
}

func (s *Site) publishing(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	ctx := r.Context()
	a, err := s.Alerts.Get(ctx, who.Scope, ward.AlertID(r.PathValue("id")))
	if err != nil {
		return Page{}, err
	}
	if a.State != ward.Approved {
		return Page{}, ward.ErrNotFound
	}
	preview, err := s.Alerts.Preview(ctx, who, a.ID, alerts.Audience{})
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	told := preview.Told
	slices.SortStableFunc(told, func(x, y alerts.Told) int { return rankOf(x.Standing.State) - rankOf(y.Standing.State) })
	counts, people, nobody := map[ward.ExposureState]int{}, 0, 0
	version := alertVersion(a)
	table := Table{Caption: "Who would be told", Note: "What is known of each, by evidence up to now, before anybody answers. Choose some to publish to those only, or to have the others read it for information.",
		Columns: []Column{{Title: "Organisation"}, {Title: "Known"}, {Title: "By"}, {Title: "Machines", Right: true, Tight: true}, {Title: "Observed", Tight: true}, {Title: "Told by"}},
		Pick: &Pick{Name: "org", Action: alertHref(a.ID) + "/publish", Hidden: []Hidden{version}, Buttons: []Button{
			{Text: "Publish to the chosen only", Kind: Secondary, Name: "rest", Value: "none"}, {Text: "The chosen answer, the others read it", Kind: Secondary, Name: "rest", Value: "inform"}}}}
	for _, x := range told {
		st := x.Standing
		counts[st.State]++
		messages := 0
		for _, r := range x.To {
			if r.Contact != 0 {
				messages++
			}
		}
		people += messages
		if messages == 0 {
			nobody++
		}
		table.Rows = append(table.Rows, Row{Key: string(x.Org), Name: known.name(x.Org), Cells: []View{link(known.name(x.Org), orgHref(x.Org)),
			Why{View: knownOf(st.State).tag(), Reason: st.Reason}, Text(seen(st.Source, st.Grade)), Text(Number(st.Assets)), When{st.ObservedAt}, toldBy(x.To)}})
	}
	data := publishData{
		Lede: clauses(Count(len(told), "organisation")+" would be told", Number(counts[ward.Exposed])+" "+is(counts[ward.Exposed])+" exposed",
			Number(counts[ward.ExposureUnknown])+" "+is(counts[ward.ExposureUnknown])+" not known", "each must acknowledge within "+hours(a.AcknowledgeWithin)),
		Wrong: ErrorSummary{wrong},
		All: Form{Action: alertHref(a.ID) + "/publish", Hidden: []Hidden{version, {"all", "yes"}},
			Buttons: []Button{{Text: "Publish to all " + Count(len(told), "organisation")}, {Text: "Back to the alert", Kind: Secondary, Href: alertHref(a.ID)}}},
		Reach: clauses("everybody has it in the inbox here", Count(people, "message")+" would go out by other channels", some(nobody, Count(nobody, "organisation")+" "+haveHas(nobody)+" nobody to tell besides the inbox")),
		Known: AnswerBar{Title: "Exposed by evidence", Parts: []Part{{State: knownExposed, Count: counts[ward.Exposed]},
			{State: knownNot, Count: counts[ward.ExposureUnknown]}, {State: knownNotExposed, Count: counts[ward.NotExposed]}}},
		Table: table,
	}
	if len(told) > 0 {
		data.Words = Details{Summary: "The message that goes out", Body: Stack{Titled{Title: told[0].Subject, Body: Prose(told[0].Body)}}}
	}
	return Page{Title: "Publish " + string(a.ID), Template: "publish", Current: "alerts", Crumbs: crumbsTo(a), Data: data, Failed: len(wrong) > 0}, nil
}

// toldBy says by which channels an organisation's people would be told besides the inbox, and what is unusual about it.
func toldBy(to []ward.Recipient) View {
	count := map[ward.Channel]int{}
	var why []string
	for _, r := range to {
		if r.Contact != 0 {
			count[r.Channel]++
		}
		if r.Why != "" && !slices.Contains(why, r.Why) {
			why = append(why, r.Why)
		}
	}
	parts := []string{"inbox"}
	for _, c := range ward.Channels {
		if n := count[c]; n > 0 {
			parts = append(parts, Number(n)+" by "+lower(channelWord(c)))
		}
	}
	view := View(Text(strings.Join(parts, ", ")))
	if len(why) > 0 {
		view = Why{View: view, Reason: someOf(why)}
	}
	return view
}

// rankOf orders what is known: what needs a person first.
func rankOf(s ward.ExposureState) int {
	return slices.Index([]ward.ExposureState{ward.Exposed, ward.ExposureUnknown, ward.NotExposed}, s)
}

func (s *Site) publishAlert(r *http.Request, who ward.Actor) (string, *Page, error) {
	if err := r.ParseForm(); err != nil {
		return "", nil, &ward.Invalid{Problem: "the form could not be read"}
	}
	var orgs []ward.OrgID
	for _, org := range r.PostForm["org"] {
		orgs = append(orgs, ward.OrgID(org))
	}
	if r.PostForm.Get("all") == "" && len(orgs) == 0 {
		page, err := s.publishing(r, who, []FieldError{{Text: "Choose at least one organisation, or publish to all."}})
		return "", &page, err
	}
	to := alerts.Audience{Respond: orgs}
	if len(orgs) > 0 && r.PostForm.Get("rest") == "inform" {
		all, err := s.Estate.Organisations(r.Context(), who.Scope)
		if err != nil {
			return "", nil, err
		}
		for _, o := range all {
			if now := s.clock.Now(); (o.Closed.IsZero() || o.Closed.After(now)) && !slices.Contains(orgs, o.ID) {
				to.Inform = append(to.Inform, o.ID)
			}
		}
	}
	done, err := s.Alerts.Publish(r.Context(), who, ward.AlertID(r.PathValue("id")), versionIn(r), to)
	if wrong, other := invalid(err); err != nil && other == nil {
		page, err := s.publishing(r, who, wrong)
		return "", &page, err
	} else if err != nil {
		return "", nil, err
	}
	return alertHref(done.Alert.ID) + "?" + url.Values{"done": {"published"}}.Encode(), nil, nil
}
