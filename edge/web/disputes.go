package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"wardwatch/act/alerts"
	"wardwatch/ward"
)

func (s *Site) routesDisputes() {
	s.get("/disputes", ward.MayRule, s.disputesPage)
	s.get("/disputes/rule", ward.MayRule, s.rulePage)
	s.post("/disputes/rule", ward.MayRule, s.rule)
	s.post("/disputes/undo", ward.MayRule, s.unrule)
}

// dispute is one question for the national desk: a product at a version, and every answer that waits for it.
type dispute struct {
	alert   ward.Alert
	product string
	version string
	since   time.Time
	answers []ward.Response
}

func (d dispute) subject() string {
	return strings.TrimSpace(cmp.Or(d.product, "the match") + " " + d.version)
}

func (d dispute) href() string {
	return "/disputes/rule?" + url.Values{"alert": {string(d.alert.ID)}, "version": {d.version}}.Encode()
}

// why says who asks and what they say.
func (d dispute) why(known register) string {
	var who []string
	for _, x := range d.answers {
		who = append(who, known.name(x.Org))
	}
	reason := d.answers[0].Proof.Why
	if words := d.answers[0].Dispute; words != "" && len(d.answers) == 1 {
		reason = "contested: " + words
	}
	return string(d.alert.ID) + ", " + someOf(who) + ": " + reason
}

// disputed keeps the answers that wait for a ruling.
func disputed(answers []ward.Response) []ward.Response {
	var all []ward.Response
	for _, x := range answers {
		if x.Proof.Result == ward.Disputed && x.State != ward.ClosedAnswer {
			all = append(all, x)
		}
	}
	return all
}

// disputes lists the questions that wait, the longest waiting first.
func (s *Site) disputes(ctx context.Context, scope ward.Scope) ([]dispute, error) {
	answers, err := s.Responses.Disputes(ctx, scope)
	if err != nil {
		return nil, err
	}
	about := map[ward.AlertID]ward.Alert{}
	for _, x := range answers {
		if _, have := about[x.Alert]; have {
			continue
		}
		if about[x.Alert], err = s.Alerts.Get(ctx, scope, x.Alert); err != nil {
			return nil, err
		}
	}
	return disputesOf(about, disputed(answers)), nil
}

// disputesOf puts the answers that ask about the same version of the same product together: they are decided once.
func disputesOf(about map[ward.AlertID]ward.Alert, answers []ward.Response) []dispute {
	var all []dispute
	for _, x := range answers {
		a := about[x.Alert]
		if a.State != ward.Published {
			continue
		}
		for _, version := range versionsAsked(x.Proof) {
			at := slices.IndexFunc(all, func(d dispute) bool { return d.alert.ID == x.Alert && d.version == version })
			if at < 0 {
				all = append(all, dispute{alert: a, product: a.Product, version: version, since: x.Updated})
				at = len(all) - 1
			}
			if x.Updated.Before(all[at].since) {
				all[at].since = x.Updated
			}
			all[at].answers = append(all[at].answers, x)
		}
	}
	slices.SortStableFunc(all, func(x, y dispute) int { return x.since.Compare(y.since) })
	return all
}

// versionsAsked are the versions that a disputed proof leaves to the desk: those that nobody ruled on yet, the affected
// ones where there are any.
func versionsAsked(p ward.Proof) []string {
	var affected, others []string
	for _, x := range p.Assets {
		switch {
		case x.Basis == ward.ByRuling || x.Version == "":
		case x.Status == ward.Affected:
			affected = append(affected, x.Version)
		default:
			others = append(others, x.Version)
		}
	}
	if len(affected) == 0 {
		affected = others
	}
	slices.Sort(affected)
	affected = slices.Compact(affected)
	if len(affected) == 0 {
		return []string{""}
	}
	return affected
}

// disputeTable lists questions with a way to decide each.
func (s *Site) disputeTable(all []dispute, known register, who ward.Actor) Table {
	t := Table{Caption: "Disputes to rule on", Note: "Decided once, for every organisation alike.", Empty: Empty{Text: "No dispute waits for a ruling."},
		Columns: []Column{{Title: "Version"}, {Title: "What is contested"}, {Title: "Waiting", Tight: true}, {Title: "", Tight: true}}}
	for _, d := range all {
		row := Row{Cells: []View{Text(d.subject()), Text(d.why(known)), When{d.since}}}
		if who.May(ward.MayRule) {
			row.Cells = append(row.Cells, Link{Text: "Decide", Href: d.href(), About: "on " + d.subject()})
		}
		t.Rows = append(t.Rows, row)
	}
	t.Columns[3].Title = "Decide"
	return t
}

func (s *Site) disputesPage(r *http.Request, who ward.Actor) (Page, error) {
	return s.disputesWith(r, who, nil)
}

func (s *Site) disputesWith(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	ctx := r.Context()
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	all, err := s.disputes(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	data := struct {
		Live    Live
		Done    View
		Wrong   ErrorSummary
		Lede    string
		Open    Table
		Rulings []ruled
		None    View
		Others  []Link // to rule on what nobody contested
	}{Live: Live{ID: "disputes", Href: "/disputes", Topics: []string{"queue"}}, Wrong: ErrorSummary{wrong}, Open: s.disputeTable(all, known, who)}
	data.Lede = clauses(Count(len(all), "question") + " " + waitVerb(len(all)) + " for a ruling, which then holds for every organisation alike")
	switch r.URL.Query().Get("done") {
	case "ruled":
		data.Done = Banner{Good: true, Heading: "Ruled. The match follows it within moments, for every organisation."}
	case "undone":
		data.Done = Banner{Good: true, Heading: "Taken back. The match follows what publishers say again."}
	}
	inForce, err := s.Alerts.List(ctx, who.Scope, alerts.Query{State: ward.Published, Limit: ward.MostPageSize})
	if err != nil {
		return Page{}, err
	}
	for _, a := range inForce.Items {
		if a.Product != "" {
			data.Others = append(data.Others, Link{Text: "Rule on other versions of " + strings.TrimSpace(a.Vendor+" "+a.Product), Href: dispute{alert: a}.href(), About: "for " + string(a.ID)})
		}
	}
	rulings, err := s.Intel.Rulings(ctx, "")
	if err != nil {
		return Page{}, err
	}
	for _, x := range slices.Backward(rulings) {
		data.Rulings = append(data.Rulings, ruledOf(x))
	}
	if len(rulings) == 0 {
		data.None = Empty{Text: "Nothing was ruled on yet."}
	}
	return Page{Title: "Disputes and rulings", Template: "disputes", Current: "watch", Data: data, Failed: len(wrong) > 0}, nil
}

func waitVerb(n int) string {
	if n == 1 {
		return "waits"
	}
	return "wait"
}

// ruled is one ruling on the page, with the way back.
type ruled struct {
	Title string
	Facts SummaryList
	Undo  View
}

func ruledOf(x ward.Ruling) ruled {
	out := ruled{Title: ward.ProductName(x.Vendor, x.Product) + " " + someOf(x.Versions)}
	row := func(key string, value View) {
		out.Facts.Rows = append(out.Facts.Rows, SummaryRow{Key: key, Value: value})
	}
	row("Ruling", statusTag(x.Status))
	row("Weaknesses", cveLinks(x.CVEs))
	row("Because", Prose(x.Reason))
	row("By", Why{View: Text(x.Name), Reason: At(x.At)})
	if !x.Undone.IsZero() {
		row("Taken back", Moment{x.Undone})
		return out
	}
	out.Undo = Details{Summary: "Take this ruling back", Body: Form{Action: "/disputes/undo", Hidden: []Hidden{{"id", x.ID}},
		Fields:  []View{Textarea{Name: "reason", ID: "reason-" + x.ID, Label: "Why", Hint: "Every organisation concerned reads it.", Rows: 2}},
		Buttons: []Button{{Text: "Take it back", Kind: Danger}}}}
	return out
}

func (s *Site) rulePage(r *http.Request, who ward.Actor) (Page, error) {
	ask := r.URL.Query()
	return s.ruling(r, who, ward.AlertID(ask.Get("alert")), ask.Get("version"), ward.Ruling{}, nil)
}

// ruling asks for a decision on one version, with all that is known of it beside the question.
func (s *Site) ruling(r *http.Request, who ward.Actor, id ward.AlertID, version string, given ward.Ruling, wrong []FieldError) (Page, error) {
	ctx := r.Context()
	a, err := s.Alerts.Get(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	answers, err := s.Responses.ForAlert(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	errorOf := func(field string) string { return firstError(wrong, field) }
	concerned := Table{Caption: "Who this decides for", Note: concernedNote(version),
		Columns: []Column{{Title: "Organisation"}, {Title: "Says"}, {Title: "Machine", Tight: true}, {Title: "Shown as"}, {Title: "By"}, {Title: "Observed", Tight: true}},
		Empty:   Empty{Text: "No machine shows this version now."}}
	for _, x := range answers {
		for _, m := range x.Proof.Assets {
			if version != "" && m.Version != version {
				continue
			}
			says := cmp.Or(x.Dispute, appliesWord(x.Applicability))
			if x.Dispute == "" && !x.ClaimedFixedAt.IsZero() {
				says = "Fixed since " + At(x.ClaimedFixedAt)
			}
			concerned.Rows = append(concerned.Rows, Row{Cells: []View{link(known.name(x.Org), answerHref(id, x.Org)), Text(says), Text(m.Name),
				Why{View: statusTag(m.Status), Reason: m.Why}, Text(seen(m.Source, m.Grade)), Moment{m.ObservedAt}}})
		}
	}
	status := func(v ward.Status, text, hint string) Choice {
		return Choice{Value: string(v), Text: text, Hint: hint, Chosen: given.Status == v}
	}
	subject := strings.TrimSpace(ward.ProductName(a.Vendor, a.Product) + " " + version)
	form := Form{Action: "/disputes/rule", Errors: ErrorSummary{wrong}, Hidden: []Hidden{{"alert", string(id)}, {"version", version}}, Fields: []View{
		Radios{Name: "status", Legend: "What is " + subject + " to these weaknesses?", Error: errorOf("status"), Choices: []Choice{
			status(ward.Affected, "Affected", "Claims that it is fixed are contradicted"),
			status(ward.Fixed, "Fixed", "A build that resolves them, such as a back-ported fix"),
			status(ward.NotAffected, "Not affected", "It never had them"),
		}},
		Textarea{Name: "reason", Label: "Because", Hint: "Name the statement or the test it rests on. Every organisation reads it.", Value: given.Reason, Error: errorOf("reason")},
	}, Buttons: []Button{{Text: "Rule for every organisation"}, {Text: "Back", Kind: Secondary, Href: "/disputes"}}}
	if version != "" {
		form.Fields = slices.Insert(form.Fields, 1, View(Input{Name: "also", Label: "Other versions that this holds for (optional)",
			Hint: "The same word, on the same ground, with blanks between: 11.12.0.5 12.3.0.2", Value: strings.Join(given.Versions[min(1, len(given.Versions)):], " "), Width: 20}))
	} else {
		form.Fields = append([]View{Input{Name: "versions", Label: "Exact versions", Hint: "One or more, with blanks between: 12.3.0.2 12.4.0.2", Value: strings.Join(given.Versions, " "), Width: 20, Error: errorOf("versions")}}, form.Fields...)
	}
	data := struct {
		Lede      string
		Concerned Table
		Links     []View
		Form      Form
	}{"One decision for every organisation alike. It can be taken back.", concerned, nil, form}
	for _, c := range a.CVEs {
		data.Links = append(data.Links, Link{Text: "What publishers say of " + string(c), Href: weaknessHref(c)})
	}
	return Page{Title: "Rule on " + subject, Template: "rule", Current: "watch", Crumbs: Crumbs{{Text: "Disputes", Href: "/disputes"}}, Data: data, Failed: len(wrong) > 0}, nil
}

func (s *Site) rule(r *http.Request, who ward.Actor) (string, *Page, error) {
	id, version := ward.AlertID(textOf(r, "alert")), textOf(r, "version")
	a, err := s.Alerts.Get(r.Context(), who.Scope, id)
	if err != nil {
		return "", nil, err
	}
	given := ward.Ruling{CVEs: a.CVEs, Vendor: a.Vendor, Product: a.Product, Versions: versionsIn(cmp.Or(version, textOf(r, "versions"))),
		Status: ward.Status(textOf(r, "status")), Reason: textOf(r, "reason")}
	for _, also := range versionsIn(textOf(r, "also")) {
		if !slices.Contains(given.Versions, also) {
			given.Versions = append(given.Versions, also)
		}
	}
	_, err = s.Responses.Rule(r.Context(), who, given)
	if err == nil {
		return "/disputes?done=ruled", nil, nil
	}
	wrong, err := invalid(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.ruling(r, who, id, version, given, wrong)
	return "", &page, err
}

func concernedNote(version string) string {
	if version == "" {
		return "Every organisation where a source shows this product, and any that will."
	}
	return "Every organisation where a source shows this version, and any that will."
}

// versionsIn are the versions that somebody typed, between blanks or commas.
func versionsIn(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || c == ',' })
}

func (s *Site) unrule(r *http.Request, who ward.Actor) (string, *Page, error) {
	id, reason := textOf(r, "id"), textOf(r, "reason")
	if reason == "" {
		page, err := s.disputesWith(r, who, []FieldError{{Field: "reason-" + id, Text: "Say why: every organisation concerned reads it."}})
		return "", &page, err
	}
	return "/disputes?done=undone", nil, s.Responses.Unrule(r.Context(), who, id, reason)
}
