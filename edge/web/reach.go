package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

// deskContacts is where the national desk keeps its own contacts and rota.
const deskContacts = "/desk/contacts"

// routesReach are whom a message reached, and whom to telephone.
func (s *Site) routesReach() {
	s.get("/call-list", ward.MayWatch, s.callList)
	s.get("/deliveries", ward.MayWatch, s.deliveries)
}

// contactsOwner is an organisation whose contacts are shown, or the national desk where the address names none.
func (s *Site) contactsOwner(ctx context.Context, who ward.Actor, org ward.OrgID) (ward.Organisation, error) {
	if org != "" {
		return s.Estate.Organisation(ctx, who.Scope, org)
	}
	if !who.Scope.All() {
		return ward.Organisation{}, ward.ErrNotFound
	}
	return ward.Organisation{Name: "the national desk"}, nil
}

// contactsCrumbs lead to whose contacts these are.
func contactsCrumbs(o ward.Organisation) Crumbs {
	if o.ID == "" {
		return Crumbs{{Text: "Queue", Href: "/queue"}}
	}
	return Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: o.Name, Href: orgPath(o.ID)}}
}

// rotating are the rungs on which people take turns.
func rotating(org ward.OrgID) []ward.Rung {
	if org == "" {
		return []ward.Rung{ward.RungDutyOfficer}
	}
	return []ward.Rung{ward.RungLead, ward.RungExecutive}
}

// rotaForm asks who takes turns; wrong opens it with what to correct.
func (s *Site) rotaForm(r *http.Request, org ward.OrgID, all []ward.Contact, wrong []FieldError) *Details {
	if len(all) == 0 {
		return nil
	}
	now := s.clock.Now().In(s.render.opts.Zone)
	value := func(name, otherwise string) string {
		if len(wrong) > 0 {
			return textOf(r, name)
		}
		return otherwise
	}
	rungs := make([]Choice, 0, 2)
	for _, rung := range rotating(org) {
		rungs = append(rungs, Choice{Value: string(rung), Text: capital(rungWord(rung)), Chosen: value("rung", "") == string(rung) || len(rotating(org)) == 1})
	}
	people := make([]Choice, len(all))
	for i, c := range all {
		id := strconv.FormatInt(int64(c.ID), 10)
		people[i] = Choice{Value: id, Text: c.Name, Hint: rungsWord(c.Rungs), Chosen: len(wrong) > 0 && slices.Contains(r.PostForm["contacts"], id)}
	}
	body := Form{Action: contactsPath(org) + "/rota", Errors: ErrorSummary{wrong}, Fields: []View{
		Radios{Name: "rung", Legend: "On call as", Choices: rungs, Error: errorAt(wrong, "rung")},
		Checkboxes{Name: "contacts", Legend: "Who takes turns, in this order", Choices: people, Error: errorAt(wrong, "contacts")},
		DateInput{Name: "from", Legend: "The first turn begins on", Day: value("from-day", strconv.Itoa(now.Day())), Month: value("from-month", strconv.Itoa(int(now.Month()))), Year: value("from-year", strconv.Itoa(now.Year())), Error: errorAt(wrong, "from-day")},
		Input{Name: "from-time", Label: "At, in 24 hours, " + now.Format("MST"), Width: 5, Value: value("from-time", "09:00"), Error: errorAt(wrong, "from-time")},
		Input{Name: "days", Label: "Days of one turn", InputMode: "numeric", Width: 3, Value: value("days", "7"), Error: errorAt(wrong, "days")},
		Input{Name: "turns", Label: "Number of turns", InputMode: "numeric", Width: 3, Value: value("turns", "8"), Error: errorAt(wrong, "turns")},
	}, Buttons: []Button{{Text: "Keep the rota", Kind: Secondary}}}
	return &Details{Summary: "Write the rota: who is on call when", Open: len(wrong) > 0, Body: Stack{Note("It takes the place of the turns of that post from the first turn on."), body}}
}

func (s *Site) writeRota(r *http.Request, who ward.Actor) (string, *Page, error) {
	rota := notify.Rotation{Org: orgOf(r), Rung: ward.Rung(textOf(r, "rung"))}
	from, err := s.momentIn(r, "from")
	rota.From = from
	for _, text := range r.PostForm["contacts"] {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			rota.Contacts = append(rota.Contacts, ward.ContactID(id))
		}
	}
	rota.Days, _ = strconv.Atoi(textOf(r, "days")) // what is no number is 0, which is refused with the reason
	rota.Turns, _ = strconv.Atoi(textOf(r, "turns"))
	switch {
	case err != nil:
	case rota.Rung == "":
		err = &ward.Invalid{Field: "rung", Problem: "choose as what they are on call"}
	case len(rota.Contacts) == 0:
		err = &ward.Invalid{Field: "contacts", Problem: "choose who takes turns"}
	default:
		_, err = s.Notify.Rotate(r.Context(), who, rota)
	}
	if err == nil {
		return contactsPath(rota.Org) + "?done=rota", nil, nil
	}
	wrong, err := deskInvalid(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.contactsWith(r, who, nil, wrong)
	return "", &page, err
}

// callList is whom to telephone when everything else is down, to be printed while everything works.
func (s *Site) callList(r *http.Request, who ward.Actor) (Page, error) {
	calls, err := s.Notify.CallList(r.Context(), who.Scope)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(r.Context(), who.Scope)
	if err != nil {
		return Page{}, err
	}
	has := map[ward.OrgID]bool{}
	t := Table{Caption: "Whom to telephone", HideCaption: true, Columns: []Column{{Title: "Organisation"}, {Title: "Contact"}, {Title: "Numbers"}, {Title: "Hours"}, {Title: "Last proved", Tight: true}},
		Empty: Empty{Text: "No contact has a number.", Next: link("Add the desk’s own", deskContacts)}}
	for _, c := range calls {
		if c.Org != "" {
			has[c.Org] = true
		}
		org := View(Why{View: Text(c.OrgName), Reason: string(c.Org)})
		if c.Org == "" {
			org = Text("National desk")
		}
		as := rungWord(c.Rung) + ", " + contactKindWord(c.Kind)
		name := View(Why{View: Text(c.Name), Reason: as})
		if c.OnCall {
			name = Why{View: Stack{Text(c.Name + " "), Tag{"On call", ToneMoving}}, Reason: as}
		}
		var numbers Lines
		for _, n := range c.Numbers {
			numbers = append(numbers, Text(n))
		}
		proved := View(Text("never"))
		if !c.LastProved.IsZero() {
			proved = Text(Day(c.LastProved))
		}
		t.Rows = append(t.Rows, Row{Cells: []View{org, name, numbers, Text(hoursWord(c.Hours)), proved}})
	}
	var without []string
	for _, o := range known.sorted() {
		if !has[o.ID] && (o.Closed.IsZero() || o.Closed.After(s.clock.Now())) {
			without = append(without, o.Name)
		}
	}
	data := struct {
		Lede    string
		Print   string
		Table   Table
		Without *Titled
		Made    string
	}{Lede: clauses(Count(len(calls), "contact")+" "+plural(len(calls), "has", "have")+" a number, of "+Count(len(has), "organisation")+" and the national desk", some(len(without), "of "+Count(len(without), "organisation")+" no number is known")),
		Table: t, Made: fmt.Sprintf("Made at %s for %s by %s. Print it while everything works, and again when it has changed.", s.at(s.clock.Now()), who.Name, s.render.opts.Operator)}
	if len(without) > 0 {
		data.Without = &Titled{Title: "No number is known of", Body: Text(strings.Join(without, "; ") + ".")}
	}
	return Page{Title: "Call list", Template: "call-list", Current: "queue", Crumbs: Crumbs{{Text: "Queue", Href: "/queue"}}, Data: data}, nil
}

// deliveryStates are the states of a message, those that need a person first.
var deliveryStates = []ward.DeliveryState{ward.DeliveryBounced, ward.DeliveryFailed, ward.DeliveryGivenUp, ward.DeliveryQueued, ward.DeliverySending, ward.DeliveryHanded, ward.DeliveryDelivered}

func deliveryTag(state ward.DeliveryState) Tag {
	switch state {
	case ward.DeliveryQueued:
		return Tag{"Waits", ToneStarted}
	case ward.DeliverySending:
		return Tag{"Being sent", ToneMoving}
	case ward.DeliveryHanded:
		return Tag{"Handed over", ToneClaimed}
	case ward.DeliveryDelivered:
		return Tag{"Delivered", ToneDone}
	case ward.DeliveryBounced:
		return Tag{"Bounced", ToneCritical}
	case ward.DeliveryGivenUp:
		return Tag{"Given up", ToneCritical}
	}
	return Tag{"Failed", ToneCritical}
}

// deliveriesData is every message, with its state and the reason.
type deliveriesData struct {
	Live   Live
	Lede   string
	Views  []Link
	Search Form
	Pager  Pager
	Table  Table
	Note   string
}

func (s *Site) deliveries(r *http.Request, who ward.Actor) (Page, error) {
	ctx, ask := r.Context(), r.URL.Query()
	query := notify.DeliveryQuery{Alert: ward.AlertID(strings.ToUpper(strings.TrimSpace(ask.Get("alert")))), State: ward.DeliveryState(ask.Get("state")), After: ask.Get("after"), Limit: ward.PageSize}
	if org := ward.OrgID(ask.Get("org")); org != "" {
		query.Org = &org
	}
	page, err := s.Notify.Deliveries(ctx, who.Scope, query)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	filters := url.Values{}
	for _, name := range []string{"alert", "org", "state"} {
		if value := ask.Get(name); value != "" {
			filters.Set(name, value)
		}
	}
	href := func(v url.Values) string { return strings.TrimSuffix("/deliveries?"+v.Encode(), "?") }
	topics := []string{"queue"}
	if query.Alert != "" {
		topics = append(topics, "alert:"+string(query.Alert))
	}
	data := deliveriesData{Live: Live{ID: "deliveries", Href: href(filters), Topics: topics}, Lede: "Every message that was sent, or that could not be, the newest first.",
		Note: "Handed over: the channel’s server took it. Delivered: that server, or the person, says that it arrived. The text of a message is not kept here."}
	title, crumbs := "Messages", Crumbs{{Text: "Queue", Href: "/queue"}}
	if query.Alert != "" {
		a, err := s.Alerts.Get(ctx, who.Scope, query.Alert)
		if err != nil {
			return Page{}, err
		}
		title, crumbs = "Messages about "+string(a.ID), crumbsTo(a)
		sum, err := s.Notify.Delivered(ctx, who.Scope, a.ID)
		if err != nil {
			return Page{}, err
		}
		data.Lede = sentence(sum.Words())
		for _, state := range deliveryStates {
			if n := sum.Messages[state]; n > 0 {
				to := url.Values{"alert": {string(a.ID)}, "state": {string(state)}}
				data.Views = append(data.Views, Link{Text: deliveryTag(state).Text + " " + Number(n), Href: href(to)})
			}
		}
		if len(data.Views) > 0 {
			data.Views = append([]Link{{Text: "All", Href: href(url.Values{"alert": {string(a.ID)}})}}, data.Views...)
		}
	}
	states, orgs := []Choice{{Text: "Every state"}}, []Choice{{Text: "All organisations"}}
	for _, state := range deliveryStates {
		states = append(states, Choice{Value: string(state), Text: deliveryTag(state).Text, Chosen: state == query.State})
	}
	for _, o := range known.sorted() {
		orgs = append(orgs, Choice{Value: string(o.ID), Text: o.Name, Chosen: ask.Get("org") == string(o.ID)})
	}
	data.Search = Form{Action: "/deliveries", Get: true, Fields: []View{
		Input{Name: "alert", Label: "Threat ID", Width: 10, Value: string(query.Alert)},
		Select{Name: "org", Label: "Organisation", Choices: orgs},
		Select{Name: "state", Label: "State", Choices: states},
	}, Buttons: []Button{{Text: "Show", Kind: Secondary}}}
	data.Table = s.deliveryTable(page.Items, known)
	if len(filters) == 1 && query.Alert != "" {
		data.Table.Empty = Empty{Text: "No message about it was sent: where no channel is set up, notices stand in the inboxes alone."}
	} else if len(filters) > 0 {
		data.Table.Empty = Empty{Text: "No message fits.", Next: link("Show every message", "/deliveries")}
	}
	if page.Next != "" {
		filters.Set("after", page.Next)
		data.Pager.Next = href(filters)
	}
	return Page{Title: title, Template: "deliveries", Current: "alerts", Crumbs: crumbs, Data: data}, nil
}

func (s *Site) deliveryTable(all []ward.Delivery, known register) Table {
	t := Table{Caption: "Messages", HideCaption: true, Columns: []Column{{Title: "To"}, {Title: "By"}, {Title: "State, and why"}, {Title: "About", Tight: true}, {Title: "Kept", Tight: true}},
		Empty: Empty{Text: "No message was sent yet. Where no channel is set up, notices stand in the inboxes alone."}}
	for _, d := range all {
		to := View(Text("National desk"))
		if d.Org != "" {
			to = link(known.name(d.Org), contactsPath(d.Org))
		}
		name := d.Name
		if d.Contact == 0 {
			name = "nobody to tell"
		}
		by := View(Text("no channel"))
		if d.Channel != "" {
			by = Why{View: Text(channelWord(d.Channel)), Reason: ward.Address{Channel: d.Channel, To: d.To}.Shown()}
		}
		why := []string{d.Detail}
		if d.Attempts > 1 {
			why = append(why, Count(d.Attempts, "attempt"))
		}
		if !d.NextTry.IsZero() && !d.State.Settled() && d.State != ward.DeliveryHanded {
			why = append(why, "next at "+s.at(d.NextTry))
		}
		switch {
		case !d.Settled.IsZero():
			why = append(why, "at "+s.at(d.Settled))
		case !d.Handed.IsZero():
			why = append(why, "at "+s.at(d.Handed))
		}
		if !d.Used.IsZero() {
			why = append(why, "its link was used at "+s.at(d.Used))
		}
		about := View(Text(plainWord(strings.ReplaceAll(d.Kind, ".", " "))))
		if d.Alert != "" {
			about = Why{View: link(string(d.Alert), alertHref(d.Alert)), Reason: plainWord(strings.ReplaceAll(d.Kind, ".", " "))}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: to, Reason: name + ", " + rungWord(d.Rung)}, by, Why{View: deliveryTag(d.State), Reason: clauses(why...)}, about, Moment{d.Created}}})
	}
	return t
}
