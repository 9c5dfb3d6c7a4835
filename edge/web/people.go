package web

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"wardwatch/edge"
	"wardwatch/ward"
)

func (s *Site) routesPeople() {
	s.get("/people", ward.MayPeople, func(r *http.Request, who ward.Actor) (Page, error) { return s.people(r, who, nil) })
	s.get("/people/new", ward.MayPeople, func(*http.Request, ward.Actor) (Page, error) { return newPersonPage(ward.Person{}, nil), nil })
	s.post("/people", ward.MayPeople, s.addPerson)
	s.post("/people/{id}/reset", ward.MayPeople, s.resetPerson)
	s.post("/people/{id}/disable", ward.MayPeople, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		return "/people?done=closed", nil, s.Access.Disable(r.Context(), who, ward.PersonID(r.PathValue("id")))
	})
	s.post("/people/{id}/enable", ward.MayPeople, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		return "/people?done=opened", nil, s.Access.Enable(r.Context(), who, ward.PersonID(r.PathValue("id")))
	})
	s.get("/account", "", func(r *http.Request, who ward.Actor) (Page, error) { return s.account(r, who, nil, nil) })
	s.post("/account/tokens", "", s.addToken)
	s.post("/account/tokens/{id}/drop", "", func(r *http.Request, who ward.Actor) (string, *Page, error) {
		return "/account?done=dropped", nil, s.Access.DropToken(r.Context(), who, who.Person, r.PathValue("id"))
	})
}

// secretShown is a password or a token, shown once.
type secretShown struct {
	Title  string
	Of     string // the sign-in name, where there is one
	Secret string
	Then   string
}

// peopleData is what an administrator of accounts sees.
type peopleData struct {
	Done   View
	Once   *secretShown
	Lede   string
	Add    Button
	People Table
	Pager  Pager
}

func (s *Site) people(r *http.Request, who ward.Actor, once *secretShown) (Page, error) {
	page, err := s.Access.People(r.Context(), who, r.URL.Query().Get("after"), ward.PageSize)
	if err != nil {
		return Page{}, err
	}
	data := peopleData{Once: once, Add: Button{Text: "Add a person", Href: "/people/new"},
		Lede: "Who can sign in, and what their role lets them do. A person's organisation decides whose data they see.",
		People: Table{Caption: "People", HideCaption: true, Columns: []Column{{Title: "Name"}, {Title: "Role", Tight: true}, {Title: "Organisation", Tight: true}, {Title: "State", Tight: true},
			{Title: "Since", Tight: true}, {Title: "Change"}}}}
	switch r.URL.Query().Get("done") {
	case "closed":
		data.Done = Banner{Good: true, Heading: "Closed. Sessions and tokens of that account stop at their next request."}
	case "opened":
		data.Done = Banner{Good: true, Heading: "Open again."}
	}
	for _, p := range page.Items {
		state := Tag{"Active", ToneDone}
		switch {
		case p.Disabled:
			state = Tag{"Closed", ToneNeutral}
		case p.MustChange:
			state = Tag{"One-time password", ToneStarted}
		}
		data.People.Rows = append(data.People.Rows, Row{Cells: []View{Why{View: Text(p.Name), Reason: p.Email}, Text(roleWord(p.Role)), Text(cmp.Or(string(p.Org), "–")), state, Text(Day(p.Created)), personActions(p, who)}})
	}
	if page.Next != "" {
		data.Pager.Next = "/people?after=" + queryText(page.Next)
	}
	return Page{Title: "People", Template: "people", Current: "people", Data: data}, nil
}

// personActions are what can be done with an account. Nobody closes the own.
func personActions(p ward.Person, who ward.Actor) View {
	if p.ID == who.Person {
		return link("Your account", "/account")
	}
	button := func(text, verb string, kind ButtonKind) View {
		return Form{Action: "/people/" + string(p.ID) + "/" + verb, Buttons: []Button{{Text: text, Kind: kind, Small: true}}}
	}
	if p.Disabled {
		return button("Open the account of "+p.Name+" again", "enable", Secondary)
	}
	return Details{Summary: "Change the account of " + p.Name, Body: Stack{
		Text("A new one-time password ends the person's sessions."), button("Give a one-time password", "reset", Secondary),
		Text("A closed account cannot sign in; what it did stays on record."), button("Close the account", "disable", Danger)}}
}

func roleWord(r ward.Role) string {
	switch r {
	case ward.Analyst:
		return "National analyst"
	case ward.Approver:
		return "National approver"
	case ward.Lead:
		return "Organisation's lead"
	case ward.Member:
		return "Organisation's member"
	case ward.Reader:
		return "Read only"
	case ward.Admin:
		return "Administrator"
	}
	return string(r)
}

// roleHints say what each role lets a person do.
var roleHints = []struct {
	role ward.Role
	hint string
}{
	{ward.Analyst, "Reads everything, drafts alerts, rules on disputes"},
	{ward.Approver, "As an analyst, and approves and publishes what another drafted"},
	{ward.Lead, "Answers for an organisation, declares, imports"},
	{ward.Member, "Prepares answers and imports for an organisation"},
	{ward.Reader, "Reads what its organisation may see"},
	{ward.Admin, "Keeps accounts and feeds; sees no organisation's answers or machines"},
}

func newPersonPage(p ward.Person, wrong []FieldError) Page {
	errorOf := func(field string) string { return firstError(wrong, field) }
	var roles []Choice
	for _, x := range roleHints {
		roles = append(roles, Choice{Value: string(x.role), Text: roleWord(x.role), Hint: x.hint, Chosen: p.Role == x.role})
	}
	form := Form{Action: "/people", Errors: ErrorSummary{wrong}, Fields: []View{
		Input{Name: "name", Label: "Name", Value: p.Name, Error: errorOf("name"), Autocomplete: "off", Required: true, Width: 20},
		Input{Name: "email", Label: "Email address", Hint: "It is the name to sign in with", Type: "email", Value: p.Email, Error: errorOf("email"), Autocomplete: "off", Required: true, Width: 20},
		Radios{Name: "role", Legend: "Role", Choices: roles, Error: errorOf("role")},
		Input{Name: "org", Label: "Organisation's code", Hint: "Empty for the national watch and for administrators", Value: string(p.Org), Error: errorOf("org"), Width: 10},
	}, Buttons: []Button{{Text: "Add the person"}, {Text: "Cancel", Kind: Secondary, Href: "/people"}}}
	return Page{Title: "Add a person", Template: "form", Current: "people", Crumbs: Crumbs{{Text: "People", Href: "/people"}}, Failed: len(wrong) > 0,
		Data: formPage{"A one-time password is made, and shown once. The person chooses another at the first sign-in.", form}}
}

// formPage is a page that asks one thing.
type formPage struct {
	Lede string
	Form Form
}

func (s *Site) addPerson(r *http.Request, who ward.Actor) (string, *Page, error) {
	given := ward.Person{Name: textOf(r, "name"), Email: textOf(r, "email"), Role: ward.Role(textOf(r, "role")), Org: ward.OrgID(textOf(r, "org"))}
	p, password, err := s.Access.AddPerson(r.Context(), who, given, "")
	if err != nil {
		wrong, err := invalid(err)
		if err != nil {
			return "", nil, err
		}
		page := newPersonPage(given, wrong)
		return "", &page, nil
	}
	return s.showOnce(r, who, &secretShown{"One-time password of " + p.Name, p.Email, password, "Hand it over by a way that only the person reads. It is asked to be changed at the first sign-in."})
}

func (s *Site) resetPerson(r *http.Request, who ward.Actor) (string, *Page, error) {
	id := ward.PersonID(r.PathValue("id"))
	password, err := s.Access.ResetPassword(r.Context(), who, id)
	if err != nil {
		return "", nil, err
	}
	p, err := s.Access.Person(r.Context(), who, id)
	if err != nil {
		return "", nil, err
	}
	return s.showOnce(r, who, &secretShown{"One-time password of " + p.Name, p.Email, password, "The sessions of that account have ended. Hand it over by a way that only the person reads."})
}

// showOnce answers a form with the page that shows its secret: an address to come back to would have to keep it.
func (s *Site) showOnce(r *http.Request, who ward.Actor, once *secretShown) (string, *Page, error) {
	page, err := s.people(r, who, once)
	page.Status = http.StatusOK
	return "", &page, err
}

// accountData is what a person sees of the own account.
type accountData struct {
	Done   View
	Once   *secretShown
	Facts  SummaryList
	Tokens Table
	Add    Form
}

func (s *Site) account(r *http.Request, who ward.Actor, once *secretShown, wrong []FieldError) (Page, error) {
	ctx := r.Context()
	p, err := s.Access.Person(ctx, who, who.Person)
	if err != nil {
		return Page{}, err
	}
	tokens, err := s.Access.Tokens(ctx, who, who.Person)
	if err != nil {
		return Page{}, err
	}
	row := func(key, value string) SummaryRow { return SummaryRow{Key: key, Value: Text(value)} }
	data := accountData{Once: once,
		Facts: SummaryList{Rows: []SummaryRow{row("Name", p.Name), row("Email address", p.Email), row("Role", roleWord(p.Role)), row("Organisation", cmp.Or(string(p.Org), "none")),
			{Key: "Password", Value: Text("not shown"), Actions: []Link{{Text: "Change", Href: "/password", About: "your password"}}}}},
		Tokens: Table{Caption: "API tokens", Note: "A token acts as you, with your role and your organisation's data, until it ends.",
			Columns: []Column{{Title: "For"}, {Title: "Made", Tight: true}, {Title: "Ends", Tight: true}, {Title: "Last used", Tight: true}, {Title: "End it", Tight: true}}, Empty: Empty{Text: "You have no API token."}},
		Add: tokenForm(textOf(r, "name"), textOf(r, "days"), wrong),
	}
	if once != nil { // the token was made: the form is ready for another
		data.Add = tokenForm("", "", nil)
	}
	if signed, _ := edge.In(ctx); r.URL.Query().Get("done") == "dropped" && !signed.ByToken {
		data.Done = Banner{Good: true, Heading: "Ended. A program that still uses it is refused from now on."}
	}
	for _, t := range tokens {
		used := View(Text("never"))
		if !t.Used.IsZero() {
			used = When{t.Used}
		}
		ends := View(Moment{t.Expires})
		data.Tokens.Rows = append(data.Tokens.Rows, Row{Cells: []View{Text(t.Name), Moment{t.Created}, ends, used,
			Form{Action: "/account/tokens/" + t.ID + "/drop", Buttons: []Button{{Text: "End this token", Kind: Secondary, Small: true}}}}})
	}
	return Page{Title: "Your account", Template: "account", Data: data, Failed: len(wrong) > 0}, nil
}

func tokenForm(name, days string, wrong []FieldError) Form {
	return Form{Action: "/account/tokens", Errors: ErrorSummary{wrong}, Fields: []View{
		Input{Name: "name", Label: "What the token is for", Hint: "Such as Nightly import", Value: name, Error: firstError(wrong, "name"), Width: 20},
		Input{Name: "days", Label: "Ends after", Suffix: "days", Width: 4, InputMode: "numeric", Value: cmp.Or(days, "90"), Error: firstError(wrong, "days")},
	}, Buttons: []Button{{Text: "Make a token", Kind: Secondary}}}
}

func firstError(wrong []FieldError, field string) string {
	for _, e := range wrong {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

func (s *Site) addToken(r *http.Request, who ward.Actor) (string, *Page, error) {
	again := func(wrong []FieldError) (string, *Page, error) {
		page, err := s.account(r, who, nil, wrong)
		return "", &page, err
	}
	days, err := strconv.Atoi(cmp.Or(textOf(r, "days"), "90"))
	if err != nil || days < 1 || days > 366 {
		return again([]FieldError{{"days", "Give a number of days from 1 to 366"}})
	}
	// The door's clock is the wall's, whatever the product's own is.
	t, secret, err := s.Access.AddToken(r.Context(), who, who.Person, textOf(r, "name"), ward.WallClock{}.Now().Add(time.Duration(days)*24*time.Hour))
	if err != nil {
		wrong, err := invalid(err)
		if err != nil {
			return "", nil, err
		}
		return again(wrong)
	}
	page, err := s.account(r, who, &secretShown{"API token for " + t.Name, "", secret, "Keep it where only the program reads it. Send it as Authorization: Bearer TOKEN."}, nil)
	page.Status = http.StatusOK
	return "", &page, err
}
