package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wardwatch/ward"
)

func (s *Site) routesContacts() {
	for _, path := range []string{"/organisations/{org}/contacts", deskContacts} {
		s.routesContactsAt(path)
	}
}

// routesContactsAt are the contacts of an organisation, or of the national desk where the path names none.
func (s *Site) routesContactsAt(path string) {
	s.post(path+"/rota", ward.MayContact, s.writeRota)
	s.get(path, ward.MayRead, func(r *http.Request, who ward.Actor) (Page, error) { return s.contactsPage(r, who, nil) })
	s.get(path+"/new", ward.MayContact, func(r *http.Request, who ward.Actor) (Page, error) {
		return s.contactPage(r, who, ward.Contact{Org: orgOf(r), Kind: ward.PersonContact}, nil, nil)
	})
	s.post(path, ward.MayContact, s.addContact)
	s.post(path+"/test", ward.MayContact, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		n, err := s.Notify.Test(r.Context(), who, orgOf(r))
		if err == nil {
			return contactsPath(orgOf(r)) + "?tested=" + strconv.Itoa(n), nil, nil
		}
		wrong, err := refused(err)
		if err != nil {
			return "", nil, err
		}
		page, err := s.contactsPage(r, who, wrong)
		return "", &page, err
	})
	s.get(path+"/{contact}", ward.MayContact, func(r *http.Request, who ward.Actor) (Page, error) {
		c, err := s.contactOf(r, who)
		if err != nil {
			return Page{}, err
		}
		return s.contactPage(r, who, c, nil, nil)
	})
	s.post(path+"/{contact}", ward.MayContact, s.editContact)
	s.post(path+"/{contact}/remove", ward.MayContact, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		c, err := s.contactOf(r, who)
		if err != nil {
			return "", nil, err
		}
		return contactsPath(c.Org) + "?done=removed", nil, s.Notify.RemoveContact(r.Context(), who, c.ID)
	})
	s.post(path+"/{contact}/secret", ward.MayContact, s.showSecret)
}

func contactsPath(org ward.OrgID) string {
	if org == "" {
		return deskContacts
	}
	return orgPath(org) + "/contacts"
}

func contactPath(c ward.Contact) string { return fmt.Sprintf("%s/%d", contactsPath(c.Org), c.ID) }

// contactOf is the contact that an address names, of the organisation that it names.
func (s *Site) contactOf(r *http.Request, who ward.Actor) (ward.Contact, error) {
	id, err := strconv.ParseInt(r.PathValue("contact"), 10, 64)
	if err != nil {
		return ward.Contact{}, ward.ErrNotFound
	}
	c, err := s.Notify.Contact(r.Context(), who.Scope, ward.ContactID(id))
	if err == nil && c.Org != orgOf(r) {
		err = ward.ErrNotFound
	}
	return c, err
}

// contactsData is who is told on behalf of an organisation, and how sure it is that they hear.
type contactsData struct {
	Lede    string
	Done    *Banner
	Problem *Warning
	Add     *Button
	List    Live
	Test    *Form
	Now     Table
	Rota    *Table
	Rotate  *Details
}

func (s *Site) contactsPage(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	return s.contactsWith(r, who, wrong, nil)
}

// contactsWith shows what was wrong with a test, or with a rota.
func (s *Site) contactsWith(r *http.Request, who ward.Actor, wrong, rota []FieldError) (Page, error) {
	ctx, org := r.Context(), orgOf(r)
	o, err := s.contactsOwner(ctx, who, org)
	if err != nil {
		return Page{}, err
	}
	all, err := s.Notify.Contacts(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	data := contactsData{Lede: contactsLede(all), Done: contactsDone(r)}
	for _, w := range wrong {
		data.Problem = &Warning{Title: "The test was not sent.", Text: w.Text}
	}
	keeps := who.NeedFor(ward.MayContact, org) == nil
	t := Table{Caption: "Contacts", HideCaption: true, Columns: []Column{{Title: "Contact"}, {Title: "Reached by"}, {Title: "Told as"}, {Title: "When and of what"}, {Title: "Last proved", Tight: true}},
		Empty: Empty{Text: "Nobody is named: alerts stand in the inbox only, and nobody outside it would hear of one."}}
	for _, c := range all {
		name := View(Text(c.Name))
		if keeps {
			name = Link{Text: c.Name, Href: contactPath(c)}
		}
		var by Lines
		for _, a := range c.Addresses {
			by = append(by, Text(channelWord(a.Channel)+": "+a.Shown()))
		}
		var proved View = Tag{"Never", ToneWarning}
		if at := c.LastProved(); !at.IsZero() {
			proved = When{at}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: name, Reason: contactKindWord(c.Kind) + placeWord(c.Order)}, by, Text(rungsWord(c.Rungs)), Why{View: Text(hoursWord(c.Hours)), Reason: severitiesWord(c.Severities)}, proved}})
	}
	data.List = Live{ID: "contacts", Href: contactsPath(org), Topics: []string{"contacts:" + string(org)}, Body: t}
	if keeps {
		data.Add = &Button{Text: "Add a contact", Href: contactsPath(org) + "/new"}
		data.Rotate = s.rotaForm(r, org, all, rota)
		if len(all) > 0 {
			data.Test = &Form{Action: contactsPath(org) + "/test", Buttons: []Button{{Text: "Send a test to all of them now", Kind: Secondary}}}
		}
	}
	if data.Now, err = s.toldNow(ctx, who, org); err != nil {
		return Page{}, err
	}
	turns, err := s.Notify.Rota(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	if len(turns) > 0 {
		data.Rota = &Table{Caption: "Turns", HideCaption: true, Columns: []Column{{Title: "Who"}, {Title: "As"}, {Title: "From", Tight: true}, {Title: "Until", Tight: true}}}
		for _, turn := range turns {
			data.Rota.Rows = append(data.Rota.Rows, Row{Cells: []View{Text(turn.Name), Text(rungWord(turn.Rung)), Moment{turn.Since}, Moment{turn.Until}}})
		}
	}
	current := "organisations"
	if org == "" {
		current = "queue"
	}
	return Page{Title: "Contacts of " + o.Name, Template: "contacts", Current: current, Data: data, Crumbs: contactsCrumbs(o), Failed: len(rota) > 0}, nil
}

func contactsLede(all []ward.Contact) string {
	never := 0
	for _, c := range all {
		if c.LastProved().IsZero() {
			never++
		}
	}
	switch {
	case len(all) == 0:
		return "Nobody would be told of an alert outside this product: add a contact."
	case never == 0:
		return capital(countWord(len(all), "contact is", "contacts are")) + " told of alerts, each proved to be reached at least once."
	}
	return fmt.Sprintf("%s told of alerts; %s never proved to be reached. Send a test: whoever presses its button proves the address.", capital(countWord(len(all), "contact is", "contacts are")), countWord(never, "was", "were"))
}

func contactsDone(r *http.Request) *Banner {
	q := r.URL.Query()
	switch {
	case q.Get("tested") != "":
		n, _ := strconv.Atoi(q.Get("tested"))
		return &Banner{Good: true, Heading: "A test is on its way to " + Count(n, "contact") + ", at once or when its hours begin. Whoever presses the button behind its link proves the address."}
	case q.Get("done") == "added":
		return &Banner{Good: true, Heading: "The contact is kept. Send a test, so that it is known to be reached."}
	case q.Get("done") == "edited":
		return &Banner{Good: true, Heading: "The contact is changed. A new address is not proved yet."}
	case q.Get("done") == "rota":
		return &Banner{Good: true, Heading: "The rota is kept."}
	case q.Get("done") == "removed":
		return &Banner{Good: true, Heading: "The contact is removed. What was on its way to it is not sent any more."}
	}
	return nil
}

// toldNow is who would hear of a High alert at this moment, in the order of the ladder.
func (s *Site) toldNow(ctx context.Context, who ward.Actor, org ward.OrgID) (Table, error) {
	t := Table{Caption: "If a High alert came now", HideCaption: true, Columns: []Column{{Title: "Who"}, {Title: "By"}, {Title: "When", Tight: true}},
		Empty: Empty{Text: "Nobody: it would stand in the inbox until somebody signs in."}}
	notice := ward.Notice{Org: org, Kind: "alert.published", Severity: ward.High, Urgency: ward.AtOnce}
	if org == "" {
		notice.Rung = ward.RungDutyOfficer // who is told for the desk, when the ladder has been climbed
	}
	told, err := s.Notify.Recipients(ctx, who.Scope, []ward.OrgID{org}, notice)
	if err != nil {
		return t, err
	}
	now := s.clock.Now()
	for _, one := range told {
		if one.Contact == 0 {
			t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Tag{"Nobody", ToneWarning}, Reason: one.Why}, Text("the inbox alone"), Text("")}})
			continue
		}
		at := View(Text("at once"))
		if one.At.After(now) {
			at = When{one.At}
		}
		name := View(Text(one.Name))
		if one.Why != "" {
			name = Why{View: name, Reason: one.Why}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{name, Text(channelWord(one.Channel) + ": " + ward.Address{Channel: one.Channel, To: one.To}.Shown()), at}})
	}
	return t, nil
}

func channelWord(c ward.Channel) string {
	switch c {
	case ward.Email:
		return "E-mail"
	case ward.SMS:
		return "Text message"
	case ward.Teams:
		return "Teams"
	case ward.Slack:
		return "Slack"
	case ward.Webhook:
		return "Webhook"
	}
	return "Telephone"
}

func contactKindWord(k ward.ContactKind) string {
	switch k {
	case ward.Mailbox:
		return "shared mailbox"
	case ward.Switchboard:
		return "switchboard"
	}
	return "person"
}

// rungWord is a step of the ladder in words.
func rungWord(r ward.Rung) string {
	switch r {
	case ward.RungLead:
		return "cyber lead"
	case ward.RungGroupLead:
		return "lead of the group"
	case ward.RungExecutive:
		return "executive on call"
	case ward.RungDutyOfficer:
		return "national duty officer"
	}
	return "first contact"
}

// placeWord is a contact's place on the call list; 0 is none.
func placeWord(order int) string {
	if order == 0 {
		return ""
	}
	return fmt.Sprintf(", no. %d on the call list", order)
}

func rungsWord(rungs []ward.Rung) string {
	if len(rungs) == 0 {
		return rungWord(ward.RungContact)
	}
	words := make([]string, len(rungs))
	for i, r := range rungs {
		words[i] = rungWord(r)
	}
	return strings.Join(words, ", ")
}

func hoursWord(h ward.Hours) string {
	if h.String() == "" {
		return "at any hour"
	}
	return h.String()
}

func severitiesWord(all []ward.Severity) string {
	if len(all) == 0 {
		return "alerts of every severity"
	}
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	return strings.Join(words, ", ") + " alerts"
}

// contactData is one contact, to be written.
type contactData struct {
	Lede   string
	Form   Form
	Proved *Table
	Secret *Panel
	Hook   *Form
	Remove *Form
}

// inputs of a contact's addresses: one line a channel, several of one channel parted by semicolons.
var addressInputs = []struct {
	channel     ward.Channel
	label, hint string
}{
	{ward.Email, "E-mail", "Such as cyber@hospital.example."},
	{ward.SMS, "Mobile, for text messages", "With + and the country: +44 7700 900123."},
	{ward.Voice, "Telephone, to be dialled", "For the call list; nothing is sent to it. 01632 960001 ext 12."},
	{ward.Teams, "Teams workflow", "The https address that the workflow shows."},
	{ward.Slack, "Slack workflow", "The https address that the workflow shows."},
	{ward.Webhook, "Webhook", "An https address that takes Standard Webhooks."},
}

func (s *Site) contactPage(r *http.Request, who ward.Actor, c ward.Contact, written *http.Request, wrong []FieldError) (Page, error) {
	o, err := s.contactsOwner(r.Context(), who, c.Org)
	if err != nil {
		return Page{}, err
	}
	value := func(name, stands string) string {
		if written != nil {
			return textOf(written, name)
		}
		return stands
	}
	chosen := func(name, one string, stands bool) bool {
		if written != nil {
			return slices.Contains(written.PostForm[name], one)
		}
		return stands
	}
	var kinds, severities, rungs []Choice
	for _, k := range ward.ContactKinds {
		kinds = append(kinds, Choice{Value: string(k), Text: capital(contactKindWord(k)), Chosen: chosen("kind", string(k), c.Kind == k)})
	}
	for _, one := range []ward.Severity{ward.High, ward.Medium, ward.Low, ward.Info} {
		severities = append(severities, Choice{Value: string(one), Text: string(one), Chosen: chosen("severities", string(one), slices.Contains(c.Severities, one))})
	}
	ladder := ward.Rungs[:len(ward.Rungs)-1]
	if c.Org == "" {
		ladder = []ward.Rung{ward.RungContact, ward.RungDutyOfficer}
	}
	for _, one := range ladder {
		rungs = append(rungs, Choice{Value: string(one), Text: capital(rungWord(one)), Chosen: chosen("rungs", string(one), slices.Contains(c.Rungs, one))})
	}
	fields := []View{
		Input{Name: "name", Label: "Name", Hint: "A person, a shared mailbox or a switchboard.", Value: value("name", c.Name), Error: errorAt(wrong, "name")},
		Radios{Name: "kind", Legend: "What answers there", Error: errorAt(wrong, "kind"), Choices: kinds},
	}
	addresses := Stack{}
	for _, a := range addressInputs {
		var stands []string
		for _, has := range c.Addresses {
			if has.Channel == a.channel {
				stands = append(stands, has.To)
			}
		}
		addresses = append(addresses, Input{Name: string(a.channel), Label: a.label, Hint: a.hint, Value: value(string(a.channel), strings.Join(stands, "; "))})
	}
	fields = append(fields, Fieldset{ID: "addresses", Legend: "Reached by (at least one; part several with a semicolon)", Error: errorAt(wrong, "addresses"), Body: addresses},
		Checkboxes{Name: "rungs", Legend: "Told as", Hint: "None chosen: the first contact. The next is told when the one before did not do what is due.", Error: errorAt(wrong, "rungs"), Choices: rungs},
		Checkboxes{Name: "severities", Legend: "Told of alerts that are", Hint: "None chosen: of all.", Error: errorAt(wrong, "severities"), Choices: severities},
		Input{Name: "hours", Label: "Hours (optional)", Hint: "Such as Mon-Fri 08:00-18:00; Sat 10:00-12:00. Empty: at any hour. What comes outside waits until they begin.", Value: value("hours", c.Hours.String()), Error: errorAt(wrong, "hours")},
		Input{Name: "order", Label: "Place on the call list", Hint: "The first to be telephoned has the lowest number.", InputMode: "numeric", Width: 3, Value: value("order", numberField(c.Order)), Error: errorAt(wrong, "order")},
	)
	data := contactData{Lede: "Whom to tell on behalf of " + o.Name + ", by which address and when. Alerts say little in a message; the rest is read here.",
		Form: Form{Action: contactsPath(c.Org), Errors: ErrorSummary{wrong}, Fields: fields, Buttons: []Button{{Text: "Keep the contact"}}}}
	title := "Add a contact"
	if c.ID != 0 {
		title = c.Name
		data.Form.Action = contactPath(c)
		data.Form.Hidden = []Hidden{{"version", strconv.Itoa(c.Version)}}
		data.Remove = &Form{Action: contactPath(c) + "/remove", Buttons: []Button{{Text: "Remove this contact", Kind: Danger}}}
		data.Proved = provedTable(c)
		if slices.ContainsFunc(c.Addresses, func(a ward.Address) bool { return a.Channel == ward.Webhook }) {
			data.Hook = &Form{Action: contactPath(c) + "/secret", Buttons: []Button{{Text: "Show the webhook's signing secret", Kind: Secondary}}}
		}
	}
	return Page{Title: title, Template: "contact", Current: "organisations", Failed: len(wrong) > 0, Data: data,
		Crumbs: append(contactsCrumbs(o), Link{Text: "Contacts", Href: contactsPath(c.Org)})}, nil
}

func provedTable(c ward.Contact) *Table {
	t := &Table{Caption: "Proved", HideCaption: true, Columns: []Column{{Title: "Address"}, {Title: "Last proved", Tight: true}}}
	for _, a := range c.Addresses {
		var proved View = Tag{"Never", ToneWarning}
		if a.Channel == ward.Voice {
			proved = Text("by telephone only")
		}
		if !a.Proved.IsZero() {
			proved = Why{View: When{a.Proved}, Reason: a.How}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(channelWord(a.Channel) + ": " + a.Shown()), proved}})
	}
	return t
}

// contactWritten is the contact that a form describes.
func contactWritten(r *http.Request) (c ward.Contact, err error) {
	if err := r.ParseForm(); err != nil {
		return c, &ward.Invalid{Problem: "the form could not be read", Hint: "open the page again and send it from there"}
	}
	c = ward.Contact{Org: orgOf(r), Name: textOf(r, "name"), Kind: ward.ContactKind(textOf(r, "kind"))}
	for _, a := range addressInputs {
		for to := range strings.SplitSeq(textOf(r, string(a.channel)), ";") {
			if to = strings.TrimSpace(to); to != "" {
				c.Addresses = append(c.Addresses, ward.Address{Channel: a.channel, To: to})
			}
		}
	}
	for _, one := range r.PostForm["severities"] {
		c.Severities = append(c.Severities, ward.Severity(one))
	}
	for _, one := range r.PostForm["rungs"] {
		c.Rungs = append(c.Rungs, ward.Rung(one))
	}
	if text := textOf(r, "order"); text != "" {
		if c.Order, err = strconv.Atoi(text); err != nil {
			return c, &ward.Invalid{Field: "order", Problem: "this is not a number", Hint: "the first to be telephoned has the lowest"}
		}
	}
	c.Hours, err = ward.ParseHours(textOf(r, "hours"))
	return c, err
}

func (s *Site) addContact(r *http.Request, who ward.Actor) (string, *Page, error) {
	c, err := contactWritten(r)
	if err == nil {
		_, err = s.Notify.AddContact(r.Context(), who, c)
	}
	if err == nil {
		return contactsPath(c.Org) + "?done=added", nil, nil
	}
	return s.contactAgain(r, who, c, err)
}

func (s *Site) editContact(r *http.Request, who ward.Actor) (string, *Page, error) {
	was, err := s.contactOf(r, who)
	if err != nil {
		return "", nil, err
	}
	version, err := strconv.Atoi(textOf(r, "version"))
	if err != nil {
		return "", nil, &ward.Invalid{Field: "version", Problem: "is missing", Hint: "open the page again and send it from there"}
	}
	c, err := contactWritten(r)
	c.ID = was.ID
	if err == nil {
		_, err = s.Notify.EditContact(r.Context(), who, version, c)
	}
	if err == nil {
		return contactsPath(c.Org) + "?done=edited", nil, nil
	}
	c.Version, c.Addresses = version, was.Addresses
	return s.contactAgain(r, who, c, err)
}

// contactAgain shows the form again, with what to correct.
func (s *Site) contactAgain(r *http.Request, who ward.Actor, c ward.Contact, err error) (string, *Page, error) {
	wrong, err := refused(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.contactPage(r, who, c, r, wrong)
	return "", &page, err
}

// showSecret shows what a webhook's receiver checks signatures with.
func (s *Site) showSecret(r *http.Request, who ward.Actor) (string, *Page, error) {
	c, err := s.contactOf(r, who)
	if err != nil {
		return "", nil, err
	}
	hooks, err := s.Notify.Hooks(r.Context(), who, c.ID)
	if err != nil {
		return "", nil, err
	}
	page, err := s.contactPage(r, who, c, nil, nil)
	if err != nil {
		return "", nil, err
	}
	var lines Lines
	for _, h := range hooks {
		lines = append(lines, Stack{Text("For " + ward.Address{Channel: ward.Webhook, To: h.To}.Shown() + ": "), Code(h.Secret)})
	}
	data := page.Data.(contactData)
	data.Secret = &Panel{Title: "Signing secret", Body: append(lines, Note("Keep it with the receiver alone. Each showing is recorded."))}
	page.Data, page.Status = data, http.StatusOK
	return "", &page, nil
}
