package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/duty"
	"wardwatch/ward"
)

func (s *Site) routesQueue() {
	s.get("/queue", ward.MayWatch, func(r *http.Request, who ward.Actor) (Page, error) { return s.queue(r, who, r.URL.Query(), nil) })
	s.post("/queue", ward.MayWatch, s.takeChosen)
	s.get("/queue/items/{item}", ward.MayWatch, func(r *http.Request, who ward.Actor) (Page, error) { return s.itemPage(r, who, nil) })
	s.post("/queue/items/{item}", ward.MayWatch, s.decideItem)
	s.post("/queue/views", ward.MayWatch, s.saveView)
	s.post("/queue/views/remove", ward.MayWatch, s.dropView)
}

func itemHref(id ward.ItemID) string { return "/queue/items/" + url.PathEscape(string(id)) }

// queueFilters are the parts of the queue's address that choose items, in the order in which the page asks for them.
var queueFilters = []string{"q", "kind", "org", "alert", "who", "urgent", "aside"}

// queueQuery is what an address or a form asks for.
func queueQuery(ask url.Values) duty.Query {
	return duty.Query{Text: strings.TrimSpace(ask.Get("q")), Kind: ward.ItemKind(ask.Get("kind")), Org: ward.OrgID(ask.Get("org")), Alert: ward.AlertID(ask.Get("alert")),
		Mine: ask.Get("who") == "me", Unowned: ask.Get("who") == "nobody", Urgent: ask.Get("urgent") != "", Aside: ask.Get("aside") != "", After: ask.Get("after"), Limit: ward.PageSize}
}

// chosenBy are the filters of an address, alone.
func chosenBy(ask url.Values) url.Values {
	kept := url.Values{}
	for _, name := range queueFilters {
		if value := ask.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	return kept
}

func queueHref(filters url.Values) string {
	if len(filters) == 0 {
		return "/queue"
	}
	return "/queue?" + filters.Encode()
}

// queueData is the desk's one list of what needs a person.
type queueData struct {
	Live   Live
	Done   View
	Wrong  ErrorSummary
	Lede   string
	Places []Link // the desk's other pages
	Views  []Link // the list as people look at it: all, mine, nobody's, and the saved ones
	Search Form
	Items  Table
	Pager  Pager
	Keep   Details
}

// queue lists what needs a person, the most pressing first, with who has it.
func (s *Site) queue(r *http.Request, who ward.Actor, ask url.Values, wrong []FieldError) (Page, error) {
	ctx, filters, query := r.Context(), chosenBy(ask), queueQuery(ask)
	page, err := s.Duty.Items(ctx, who, query)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	views, err := s.Duty.Views(ctx, who)
	if err != nil {
		return Page{}, err
	}
	counts, matching := page.Counts, page.Matching
	data := queueData{
		Live:   Live{ID: "queue", Href: queueHref(filters), Topics: []string{"queue", "feeds"}},
		Done:   queueDone(ask),
		Wrong:  ErrorSummary{wrong},
		Lede:   queueLede(counts),
		Places: deskPlaces,
		Views:  queueViews(counts, views),
		Search: queueSearch(ask, counts, known),
		Items:  itemTable(page.Items, who, known, "Items"),
		Keep:   keepView(filters, views, who),
	}
	data.Items.Note = Number(len(page.Items)) + " of " + Count(matching, "item") + " that " + plural(matching, "matches", "match") + "; what is pressing first, then by kind, then what waits longest"
	if who.May(ward.MayDesk) {
		data.Items.Pick = pickItems(filters, matching)
	}
	if page.Next != "" {
		next := chosenBy(ask)
		next.Set("after", page.Next)
		data.Pager.Next = queueHref(next)
	}
	if ask.Get("after") != "" {
		data.Pager.Prev = queueHref(filters)
	}
	data.Items.Empty = Empty{Text: "Nothing needs a person. What does appears here by itself."}
	if len(filters) > 0 {
		data.Items.Empty = Empty{Text: "Nothing that waits fits.", Next: link("Show the whole queue", "/queue")}
	}
	return Page{Title: "Queue", Template: "queue", Current: "queue", Data: data, Failed: len(wrong) > 0}, nil
}

func queueLede(c duty.Counts) string {
	if c.All == 0 {
		return clauses("Nothing needs a person", some(c.Aside, Count(c.Aside, "item")+" "+is(c.Aside)+" set aside"))
	}
	return clauses(Count(c.All, "item")+" "+needVerb(c.All)+" a person", Number(c.Unowned)+" "+plural(c.Unowned, "has", "have")+" nobody yet", "you have "+Number(c.Mine),
		some(c.Urgent, Number(c.Urgent)+" "+is(c.Urgent)+" urgent"))
}

// deskPlaces are the desk's other pages.
var deskPlaces = []Link{{Text: "Findings", Href: "/findings"}, {Text: "Disputes", Href: "/disputes"}, {Text: "Watch log", Href: "/log"}, {Text: "Hand-over", Href: "/handover"},
	{Text: "Call list", Href: "/call-list"}, {Text: "Contacts and rota", Href: deskContacts}, {Text: "Product names", Href: "/aliases"}}

func queueViews(c duty.Counts, saved []ward.SavedView) []Link {
	all := []Link{{Text: "All " + Number(c.All), Href: "/queue"}, {Text: "Nobody’s " + Number(c.Unowned), Href: "/queue?who=nobody"}, {Text: "Yours " + Number(c.Mine), Href: "/queue?who=me"},
		{Text: "Urgent " + Number(c.Urgent), Href: "/queue?urgent=yes"}, {Text: "Set aside " + Number(c.Aside), Href: "/queue?aside=yes"}}
	for _, v := range saved {
		if v.Path == "/queue" {
			all = append(all, viewLink(v))
		}
	}
	return all
}

func viewLink(v ward.SavedView) Link {
	l := Link{Text: v.Title, Href: local(strings.TrimSuffix(v.Path+"?"+v.Query, "?"))}
	if v.Shared {
		l.About = "shared by " + v.Name
	}
	return l
}

func queueSearch(ask url.Values, c duty.Counts, known register) Form {
	kinds := []Choice{{Text: "Every kind"}}
	for _, k := range ward.ItemKinds {
		if n := c.Kinds[k]; n > 0 || ask.Get("kind") == string(k) {
			kinds = append(kinds, Choice{Value: string(k), Text: kindTag(k).Text + " (" + Number(n) + ")", Chosen: ask.Get("kind") == string(k)})
		}
	}
	orgs := []Choice{{Text: "All organisations"}}
	for _, o := range known.sorted() {
		orgs = append(orgs, Choice{Value: string(o.ID), Text: o.Name, Chosen: ask.Get("org") == string(o.ID)})
	}
	var owners []Choice
	for _, o := range [][2]string{{"", "Anybody"}, {"nobody", "Nobody"}, {"me", "You"}} {
		owners = append(owners, Choice{Value: o[0], Text: o[1], Chosen: ask.Get("who") == o[0]})
	}
	form := Form{Action: "/queue", Get: true, Fields: []View{
		Input{Name: "q", Label: "Words", Value: ask.Get("q")},
		Select{Name: "kind", Label: "Kind", Choices: kinds},
		Select{Name: "org", Label: "Organisation", Choices: orgs},
		Select{Name: "who", Label: "Who has it", Choices: owners},
	}, Buttons: []Button{{Text: "Show", Kind: Secondary}}}
	for _, name := range []string{"alert", "urgent", "aside"} {
		if value := ask.Get(name); value != "" {
			form.Hidden = append(form.Hidden, Hidden{name, value})
		}
	}
	return form
}

// kindTag is why something waits, in two words or so.
func kindTag(k ward.ItemKind) Tag {
	switch k {
	case ward.ItemCountersign:
		return Tag{"Second approval", ToneCritical}
	case ward.ItemRevision:
		return Tag{"Change to approve", ToneStarted}
	case ward.ItemDraft:
		return Tag{"Draft alert", ToneStarted}
	case ward.ItemUnchecked:
		return Tag{"Compromise check", ToneCritical}
	case ward.ItemContradicted:
		return Tag{"Contradicted", ToneCritical}
	case ward.ItemOverdue:
		return Tag{"Overdue", ToneCritical}
	case ward.ItemDisputed:
		return Tag{"Disputed", ToneWarning}
	case ward.ItemDetection:
		return Tag{"Detection", ToneCritical}
	case ward.ItemFinding:
		return Tag{"No alert asks", ToneWarning}
	case ward.ItemUndelivered:
		return Tag{"Not delivered", ToneWarning}
	case ward.ItemHeld:
		return Tag{"Import held", ToneWarning}
	case ward.ItemFeed:
		return Tag{"Stale feed", ToneWarning}
	case ward.ItemRecurrence:
		return Tag{"Seen again", ToneWarning}
	case ward.ItemDeclaration:
		return Tag{"Expires soon", ToneStarted}
	}
	return Tag{Text: plainWord(string(k))}
}

// itemTable lists items, each with why it waits and who has it.
func itemTable(items []ward.Item, who ward.Actor, known register, caption string) Table {
	t := Table{Caption: caption, Keys: true, Columns: []Column{{Title: "What, and why it waits"}, {Title: "Kind", Tight: true}, {Title: "Organisation"}, {Title: "Waits since", Tight: true}, {Title: "Who has it", Tight: true}}}
	for _, i := range items {
		var org View
		if i.Org != "" {
			org = link(known.name(i.Org), orgHref(i.Org))
		}
		kind := View(kindTag(i.Kind))
		if i.Urgent {
			kind = Why{View: kind, Reason: "urgent"}
		}
		since := View(When{i.Since})
		if i.Since.IsZero() {
			since = Text("never read")
		}
		t.Rows = append(t.Rows, Row{Key: string(i.ID), Name: kindTag(i.Kind).Text + ", " + i.Title + " " + string(i.Org), Cells: []View{
			Why{View: Link{Text: i.Title, Href: local(i.Link), About: "(" + lower(kindTag(i.Kind).Text) + ") " + known.name(i.Org)}, Reason: shortWhy(i.Reason)}, kind, org, since, holder(i, who)}})
	}
	return t
}

// mostWhy bounds a reason in a list; the item's own page has all of it.
const mostWhy = 160

// shortWhy is as much of a reason as a list has room for, cut between clauses.
func shortWhy(reason string) string {
	clauses := strings.Split(strings.TrimSuffix(strings.TrimSpace(reason), "."), "; ")
	short := clauses[0]
	for _, c := range clauses[1:] {
		if len(short)+len(c) > mostWhy {
			return capital(short) + "; and more."
		}
		short += "; " + c
	}
	return sentence(short)
}

// holder says who has an item, with the way to take it, or to what else can be done.
func holder(i ward.Item, who ward.Actor) View {
	more := Link{Text: "More", Href: itemHref(i.ID), About: "about " + i.Title + " " + string(i.Org)}
	var has View
	switch {
	case !i.Aside.IsZero():
		has = Why{View: Text("Set aside by " + i.AsideBy), Reason: asideWords(i)}
	case i.Owner == "" && who.May(ward.MayDesk):
		return Lines{Button{Text: "I have this", Kind: Secondary, Small: true, Name: "take", Value: string(i.ID), About: i.Title + " " + string(i.Org)}, more}
	case i.Owner == "":
		has = Text("Nobody")
	case i.Owner == who.Person:
		has = Why{View: Tag{"You", ToneMoving}, Reason: "since " + At(i.Taken)}
	default:
		has = Why{View: Tag{i.OwnerName, ToneStarted}, Reason: "since " + At(i.Taken)}
	}
	return Lines{has, more}
}

func asideWords(i ward.Item) string {
	words := "until it is another matter"
	if !i.Until.IsZero() {
		words = "until " + At(i.Until)
	}
	if i.Words != "" {
		words += ": " + i.Words
	}
	return words
}

// pickItems is what can be done with chosen items: those on the page, or all that match.
func pickItems(filters url.Values, matching int) *Pick {
	p := &Pick{Name: "item", Action: "/queue", Buttons: []Button{{Text: "I have these", Name: "do", Value: "take", Small: true}, {Text: "Give these back", Name: "do", Value: "release", Kind: Secondary, Small: true}}}
	if matching > 1 {
		p.All = "All " + Number(matching) + " that match"
	}
	for _, name := range queueFilters {
		if value := filters.Get(name); value != "" {
			p.Hidden = append(p.Hidden, Hidden{name, value})
		}
	}
	return p
}

// queueDone says what the last press did.
func queueDone(ask url.Values) View {
	number := func(name string) int { n, _ := strconv.Atoi(ask.Get(name)); return n }
	left := ""
	if n := number("left"); n > 0 {
		left = " " + Count(n, "item") + " " + plural(n, "was", "were") + " left as " + plural(n, "it was", "they were") + ": another has " + itOrThem(n) + ", or " + plural(n, "it does", "they do") + " not wait any more."
	}
	switch done := ask.Get("done"); done {
	case "take":
		return Banner{Good: number("left") == 0, Heading: "You have " + Count(number("n"), "more item") + "." + left}
	case "release":
		return Banner{Good: number("left") == 0, Heading: "You gave back " + Count(number("n"), "item") + "." + left}
	case "done":
		return Banner{Good: true, Heading: "Set aside until it is another matter. The watch log has your words."}
	case "snooze":
		return Banner{Good: true, Heading: "Set aside until the time that you gave."}
	case "view":
		return Banner{Good: true, Heading: "The view is kept."}
	case "removed":
		return Banner{Good: true, Heading: "The view is removed."}
	}
	return nil
}

// takeChosen takes or gives back one item, the chosen ones, or all that match.
func (s *Site) takeChosen(r *http.Request, who ward.Actor) (string, *Page, error) {
	if err := r.ParseForm(); err != nil {
		return "", nil, &ward.Invalid{Problem: "the form could not be read", Hint: "open the page again and send it from there"}
	}
	ctx, filters := r.Context(), chosenBy(r.PostForm)
	next := func(done string, n, left int) string {
		to := chosenBy(r.PostForm)
		to.Set("done", done)
		to.Set("n", strconv.Itoa(n))
		if left > 0 {
			to.Set("left", strconv.Itoa(left))
		}
		if r.PostForm.Get("from") == "watch" {
			return "/watch?" + to.Encode()
		}
		return queueHref(to)
	}
	if id := r.PostForm.Get("take"); id != "" {
		_, err := s.Duty.Take(ctx, who, ward.ItemID(id))
		return next("take", 1, 0), nil, err
	}
	query := queueQuery(filters)
	if r.PostForm.Get("all") == "" {
		query = duty.Query{Aside: query.Aside}
		for _, id := range r.PostForm["item"] {
			query.IDs = append(query.IDs, ward.ItemID(id))
		}
		if len(query.IDs) == 0 {
			page, err := s.queue(r, who, filters, []FieldError{{Text: "Choose at least one item."}})
			return "", &page, err
		}
	}
	act, name := s.Duty.TakeAll, "take"
	if r.PostForm.Get("do") == "release" {
		act, name = s.Duty.ReleaseAll, "release"
	}
	bulk, err := act(ctx, who, query)
	return next(name, bulk.Changed, len(bulk.Left)), nil, err
}

// keepView keeps the list as it stands, and lists the views that can be removed.
func keepView(filters url.Values, views []ward.SavedView, who ward.Actor) Details {
	body := Stack{Form{Action: "/queue/views", Hidden: []Hidden{{"query", filters.Encode()}}, Fields: []View{
		Input{Name: "title", Label: "Name of the view", Hint: "What is shown now, under a name. The same name again replaces it.", Width: 20},
		Checkboxes{Name: "shared", Legend: "Who sees it", Choices: []Choice{{Value: "yes", Text: "Everybody at this desk"}}},
	}, Buttons: []Button{{Text: "Keep this view", Kind: Secondary}}}}
	for _, v := range views {
		if v.Person == who.Person {
			body = append(body, Form{Action: "/queue/views/remove", Hidden: []Hidden{{"id", strconv.FormatInt(v.ID, 10)}}, Buttons: []Button{{Text: "Remove “" + v.Title + "”", Kind: Secondary, Small: true}}})
		}
	}
	return Details{Summary: "Keep this list as a view, or remove one", Body: body}
}

func (s *Site) saveView(r *http.Request, who ward.Actor) (string, *Page, error) {
	asked, err := url.ParseQuery(textOf(r, "query"))
	if err != nil {
		return "", nil, &ward.Invalid{Field: "query", Problem: "is no query string", Hint: "open the queue again and keep the view from there"}
	}
	filters := chosenBy(asked)
	_, err = s.Duty.SaveView(r.Context(), who, ward.SavedView{Title: textOf(r, "title"), Path: "/queue", Query: filters.Encode(), Shared: textOf(r, "shared") != ""})
	if err == nil {
		filters.Set("done", "view")
		return queueHref(filters), nil, nil
	}
	wrong, err := deskInvalid(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.queue(r, who, filters, wrong)
	if data, ok := page.Data.(queueData); ok {
		data.Keep.Open = true
		page.Data = data
	}
	return "", &page, err
}

func (s *Site) dropView(r *http.Request, who ward.Actor) (string, *Page, error) {
	id, err := strconv.ParseInt(textOf(r, "id"), 10, 64)
	if err != nil {
		return "", nil, ward.ErrNotFound
	}
	return "/queue?done=removed", nil, s.Duty.DropView(r.Context(), who, id)
}

// itemData is one item: why it waits, who has it, what was said about it, and what can be done.
type itemData struct {
	Live  Live
	Wrong ErrorSummary
	Lede  string
	Facts SummaryList
	Go    Buttons
	Forms []Titled
	Log   Table
}

func (s *Site) itemPage(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	ctx, id := r.Context(), ward.ItemID(r.PathValue("item"))
	i, err := s.Duty.Item(ctx, who, id)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	entries, err := s.Duty.Log(ctx, who, duty.LogQuery{Since: s.clock.Now().AddDate(0, 0, -30), Limit: 1000})
	if err != nil {
		return Page{}, err
	}
	data := itemData{Live: Live{ID: "item", Href: itemHref(id), Topics: []string{"queue", "detections"}}, Wrong: ErrorSummary{wrong}, Lede: sentence(i.Reason),
		Go: Buttons{{Text: "Go to where it is done", Href: local(i.Link), Kind: Secondary}}, Log: logTable(onlyAbout(entries, id), known)}
	row := func(key string, value View) {
		data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: key, Value: value})
	}
	row("Kind", kindTag(i.Kind))
	if i.Org != "" {
		row("Organisation", link(known.name(i.Org), orgHref(i.Org)))
	}
	if i.Alert != "" {
		row("Alert", link(string(i.Alert), alertHref(i.Alert)))
	}
	if !i.Since.IsZero() {
		row("Waits since", When{i.Since})
	}
	if !i.Due.IsZero() {
		row("Due", When{i.Due})
	}
	has := View(Text("Nobody yet"))
	if i.Owner != "" {
		has = Why{View: Text(i.OwnerName), Reason: "since " + s.at(i.Taken)}
	}
	row("Who has it", has)
	if !i.Aside.IsZero() {
		row("Set aside", Why{View: Text("By " + i.AsideBy + " at " + s.at(i.Aside)), Reason: asideWords(i)})
	}
	if who.May(ward.MayDesk) {
		data.Forms = itemForms(i, who, s.clock.Now().In(s.render.opts.Zone), wrong)
	}
	return Page{Title: i.Title, Template: "item", Current: "queue", Crumbs: Crumbs{{Text: "Queue", Href: "/queue"}}, Data: data, Failed: len(wrong) > 0}, nil
}

func onlyAbout(entries []ward.LogEntry, id ward.ItemID) (some []ward.LogEntry) {
	for _, e := range entries {
		if e.Subject == string(id) {
			some = append(some, e)
		}
	}
	return some
}

// itemForms are what somebody at the desk can do about an item now.
func itemForms(i ward.Item, who ward.Actor, now time.Time, wrong []FieldError) (all []Titled) {
	form := func(do, title string, button Button, fields ...View) {
		all = append(all, Titled{Title: title, ID: do, Body: Form{Action: itemHref(i.ID), Hidden: []Hidden{{"do", do}}, Fields: fields, Buttons: []Button{button}}})
	}
	words := func(do, label, hint string) View {
		return Textarea{Name: "words", ID: "words-" + do, Label: label, Hint: hint, Rows: 2, Error: errorAt(wrong, "words-"+do)}
	}
	mine := i.Owner == who.Person && who.Person != ""
	if !i.Aside.IsZero() {
		form("wake", "Bring it back", Button{Text: "Bring it back into the queue"})
		return all
	}
	switch {
	case i.Owner == "":
		form("take", "Take it", Button{Text: "I have this"})
	case !mine:
		form("take_over", "Take it over", Button{Text: "Take it over from " + i.OwnerName}, words("take_over", "Why", i.OwnerName+" and the next shift read it."))
		return all
	default:
		form("release", "Give it back", Button{Text: "Give it back", Kind: Secondary}, words("release", "What the next person should know (optional)", ""))
	}
	form("done", "Done", Button{Text: "Set it aside as done", Kind: Secondary}, words("done", "What was done", "It comes back when it is another matter: newer evidence, another missed time."))
	tomorrow := now.AddDate(0, 0, 1)
	form("snooze", "Not before", Button{Text: "Set it aside until then", Kind: Secondary},
		DateInput{Name: "until", Legend: "Comes back on", Day: strconv.Itoa(tomorrow.Day()), Month: strconv.Itoa(int(tomorrow.Month())), Year: strconv.Itoa(tomorrow.Year()), Error: errorAt(wrong, "until-day")},
		Input{Name: "until-time", Label: "At, in 24 hours, " + now.Format("MST"), Width: 5, Value: "08:00", Error: errorAt(wrong, "until-time")}, words("snooze", "Why (optional)", ""))
	return all
}

// decideItem takes, takes over, gives back, sets aside or brings back one item.
func (s *Site) decideItem(r *http.Request, who ward.Actor) (string, *Page, error) {
	ctx, id, words, do := r.Context(), ward.ItemID(r.PathValue("item")), textOf(r, "words"), textOf(r, "do")
	next := itemHref(id)
	var err error
	switch do {
	case "take":
		_, err = s.Duty.Take(ctx, who, id)
	case "take_over":
		_, err = s.Duty.TakeOver(ctx, who, id, words)
	case "release":
		_, err = s.Duty.Release(ctx, who, id, words)
		next = "/queue?done=release&n=1"
	case "wake":
		_, err = s.Duty.Wake(ctx, who, id)
	case "done":
		_, err = s.Duty.Done(ctx, who, id, words)
		next = "/queue?done=done"
	case "snooze":
		var until time.Time
		if until, err = s.untilIn(r); err == nil {
			_, err = s.Duty.Snooze(ctx, who, id, until, words)
		}
		next = "/queue?done=snooze"
	default:
		err = &ward.Invalid{Field: "do", Problem: "is not known", Hint: "open the item again and press one of its buttons"}
	}
	if err == nil {
		return next, nil, nil
	}
	wrong, err := deskInvalid(err)
	if err != nil {
		return "", nil, err
	}
	for n, w := range wrong {
		switch w.Field {
		case "words":
			wrong[n].Field = "words-" + do
		case "until":
			wrong[n] = FieldError{Field: "until-day", Text: "Give a time within the next 30 days: when it is to come back."}
		}
	}
	page, err := s.itemPage(r, who, wrong)
	return "", &page, err
}

// deskInvalid turns bad input into what stands beside a form: what is empty is asked for.
func deskInvalid(err error) ([]FieldError, error) {
	wrong, err := invalid(err)
	for n, w := range wrong {
		if ask, empty := strings.CutPrefix(w.Text, "Is empty: "); empty {
			wrong[n].Text = capital(ask) + "."
		}
	}
	return wrong, err
}

// untilIn is the day and time that a form names, on the clock of the wall.
func (s *Site) untilIn(r *http.Request) (time.Time, error) {
	return s.momentIn(r, "until")
}

// momentIn reads NAME-day, NAME-month, NAME-year and NAME-time.
func (s *Site) momentIn(r *http.Request, name string) (time.Time, error) {
	fields := map[string]string{}
	for _, part := range []string{"-day", "-month", "-year"} {
		fields[name+part] = textOf(r, name+part)
	}
	day, err := s.dayOf(fields, name, 0)
	if err != nil {
		return time.Time{}, err
	}
	if day.IsZero() {
		return time.Time{}, &ward.Invalid{Field: name + "-day", Problem: "this is not a date", Hint: "give day, month and year as numbers, such as 14 5 2026"}
	}
	clock, err := time.Parse("15:04", strings.ReplaceAll(textOf(r, name+"-time"), ".", ":"))
	if err != nil {
		return time.Time{}, &ward.Invalid{Field: name + "-time", Problem: "this is not a time", Hint: "give it in 24 hours, such as 09:30 or 21:15"}
	}
	y, m, d := day.In(s.render.opts.Zone).Date()
	return time.Date(y, m, d, clock.Hour(), clock.Minute(), 0, 0, s.render.opts.Zone), nil
}
