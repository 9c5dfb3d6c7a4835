package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/duty"
	"wardwatch/ward"
)

// routesLog are the watch log, and the hand-over that is made from it.
func (s *Site) routesLog() {
	s.get("/log", ward.MayWatch, func(r *http.Request, who ward.Actor) (Page, error) { return s.logPage(r, who, nil) })
	s.post("/log", ward.MayWatch, s.writeLog)
	s.get("/handover", ward.MayWatch, func(r *http.Request, who ward.Actor) (Page, error) { return s.handoverPage(r, who, nil) })
	s.post("/handover", ward.MayWatch, s.handOver)
}

// logData is the watch log with the place to write.
type logData struct {
	Live  Live
	Done  View
	Lede  string
	Views []Link
	Write *Form
	Log   Table
}

// logReach are the stretches of the log that the page offers, in hours.
var logReach = []struct {
	hours int
	text  string
}{{12, "12 hours"}, {24, "A day"}, {72, "3 days"}, {168, "A week"}, {720, "30 days"}}

func (s *Site) logPage(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	ctx, ask := r.Context(), r.URL.Query()
	hours, _ := strconv.Atoi(ask.Get("hours"))
	if hours < 1 || hours > 720 {
		hours = 24
	}
	written := ask.Get("written") != ""
	entries, err := s.Duty.Log(ctx, who, duty.LogQuery{Since: s.clock.Now().Add(-time.Duration(hours) * time.Hour), Written: written, Limit: 1000})
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	by := 0
	for _, e := range entries {
		if e.Written {
			by++
		}
	}
	data := logData{Live: Live{ID: "log", Href: r.URL.RequestURI(), Topics: []string{"queue"}}, Log: logTable(entries, known),
		Lede: clauses(Count(len(entries), "line")+" since "+s.at(s.clock.Now().Add(-time.Duration(hours)*time.Hour)), Number(by)+" written by hand", "no line can be changed: a mistake is put right by another line")}
	if r.Method == http.MethodPost {
		data.Live.Href = "/log"
	}
	for _, reach := range logReach {
		to := url.Values{"hours": {strconv.Itoa(reach.hours)}}
		if written {
			to.Set("written", "yes")
		}
		data.Views = append(data.Views, Link{Text: reach.text, Href: "/log?" + to.Encode(), About: "of the log"})
	}
	toggle := url.Values{"hours": {strconv.Itoa(hours)}}
	if written {
		data.Views = append(data.Views, Link{Text: "Everything", Href: "/log?" + toggle.Encode()})
	} else {
		toggle.Set("written", "yes")
		data.Views = append(data.Views, Link{Text: "Only what people wrote", Href: "/log?" + toggle.Encode()})
	}
	data.Views = append(data.Views, Link{Text: "Hand-over", Href: "/handover"})
	switch ask.Get("done") {
	case "noted":
		data.Done = Banner{Good: true, Heading: "Written into the log."}
	case "handed":
		data.Done = Banner{Good: true, Heading: "Handed over. The log has your words, and how much is open."}
	}
	if who.May(ward.MayDesk) {
		orgs := []Choice{{Text: "No organisation"}}
		for _, o := range known.sorted() {
			orgs = append(orgs, Choice{Value: string(o.ID), Text: o.Name, Chosen: textOf(r, "org") == string(o.ID)})
		}
		data.Write = &Form{Action: "/log", Errors: ErrorSummary{wrong}, Fields: []View{
			Textarea{Name: "words", Label: "Write a line", Hint: "What you heard, decided or tried, and with whom. No patient, no password.", Rows: 2, Value: textOf(r, "words"), Error: errorAt(wrong, "words")},
			Input{Name: "alert", Label: "About alert (optional)", Hint: "Such as CC-0042.", Width: 10, Value: textOf(r, "alert"), Error: errorAt(wrong, "alert")},
			Select{Name: "org", Label: "About organisation (optional)", Choices: orgs, Error: errorAt(wrong, "org")},
		}, Buttons: []Button{{Text: "Write it down"}}}
	}
	return Page{Title: "Watch log", Template: "log", Current: "queue", Crumbs: Crumbs{{Text: "Queue", Href: "/queue"}}, Data: data, Failed: len(wrong) > 0}, nil
}

// logTable lists lines as they are given.
func logTable(entries []ward.LogEntry, known register) Table {
	t := Table{Caption: "Log", HideCaption: true, Columns: []Column{{Title: "When", Tight: true}, {Title: "Who", Tight: true}, {Title: "What"}, {Title: "About", Tight: true}},
		Empty: Empty{Text: "Nothing is in the log for this time."}}
	for _, e := range entries {
		who := View(Text(e.By))
		if e.By == "" {
			who = Note("Wardwatch")
		}
		what := View(Text(capital(e.Words)))
		switch kind, known := logKinds[e.Kind]; {
		case e.Written:
			what = Why{View: Prose(e.Words), Reason: kind}
		case known:
			what = Why{View: Text(capital(kind)), Reason: e.Words}
		case e.Words == "":
			what = Text(capital(plainWord(strings.ReplaceAll(e.Kind, ".", " "))))
		}
		var about Lines
		if e.Alert != "" {
			about = append(about, link(string(e.Alert), alertHref(e.Alert)))
		}
		if e.Org != "" {
			about = append(about, link(known.name(e.Org), orgHref(e.Org)))
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Moment{e.At}, who, what, about}})
	}
	return t
}

// logKinds are the kinds of line that say what somebody did; the words are beside them.
var logKinds = map[string]string{
	"note": "a note", "handover": "hand-over", "duty.take": "took", "duty.take_over": "took over", "duty.release": "gave back", "duty.done": "set aside as done",
	"duty.snooze": "set aside for a time", "duty.wake": "brought back", "alert.publish": "published an alert", "alert.draft": "drafted an alert", "alert.edit": "edited a draft",
	"alert.approve": "approved an alert", "alert.close": "closed an alert", "alert.publish_alone": "published an alert alone", "alert.countersign": "gave the second approval",
	"alert.withdraw": "withdrew an alert", "alert.clocks": "changed an alert's clocks", "alert.revise": "revised an alert", "alert.issue_revision": "issued a revision",
	"alert.drop_revision": "dropped a revision", "alert.supersede": "put an alert in the place of another", "response.rule": "ruled on a dispute", "response.unrule": "took a ruling back", "feeds.accept": "decided on a list that shrank",
	"intel.alias": "joined two names of a product", "intel.unalias": "undid that two names are one product",
	"estate.hold": "held an import", "estate.release": "released an import", "estate.discard": "discarded an import",
}

// handoverData is one clean page that a shift leaves to the next.
type handoverData struct {
	Done    View
	Wrong   ErrorSummary
	Lede    string
	Views   []Link
	Urgent  View
	Open    Table
	Updates string // that no alert asks for and nobody has, in a sentence: the queue has them
	Coming  Table
	Aside   *Table
	Moved   *Table
	Changed Table
	Cut     string
	Give    *Form
	Made    string
}

func (s *Site) handoverPage(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	ctx := r.Context()
	var since time.Time
	if hours, _ := strconv.Atoi(r.URL.Query().Get("hours")); hours > 0 && hours <= 168 {
		since = s.clock.Now().Add(-time.Duration(hours) * time.Hour)
	}
	h, err := s.Duty.Handover(ctx, who, since, 0)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	open, updates := unasked(h.Open)
	data := handoverData{
		Updates: updatesWords(updates),
		Wrong:   ErrorSummary{wrong},
		Lede: clauses("from "+s.at(h.Since)+" to "+s.at(h.At), Count(len(h.Open), "item")+" "+is(len(h.Open))+" open ("+countsWords(h.Counts)+")",
			Count(len(h.Coming), "thing")+" "+plural(len(h.Coming), "comes", "come")+" due by "+s.at(h.Next)),
		Views: []Link{{Text: "Since the last hand-over", Href: "/handover"}, {Text: "12 hours", Href: "/handover?hours=12"}, {Text: "24 hours", Href: "/handover?hours=24"},
			{Text: "3 days", Href: "/handover?hours=72"}, {Text: "Watch log", Href: "/log"}, {Text: "Call list, to print", Href: "/call-list"}},
		Open:    openTable(open, known),
		Coming:  comingTable(h.Coming, known),
		Changed: logTable(h.Changed, known),
		Made:    fmt.Sprintf("Made from the watch log at %s for %s by %s.", s.at(h.At), h.By, s.render.opts.Operator),
	}
	if h.Cut {
		data.Cut = "There was more in the log than stands here: the watch log has all of it."
	}
	if len(h.Moved) > 0 {
		data.Moved = movedTable(h.Moved)
	}
	if len(h.Aside) > 0 {
		aside := openTable(h.Aside, known)
		aside.Caption, aside.Columns[3] = "Set aside", Column{Title: "Set aside by"}
		for n, i := range h.Aside {
			aside.Rows[n].Cells[3] = Why{View: Text("By " + i.AsideBy), Reason: asideWords(i)}
		}
		data.Aside = &aside
	}
	if who.May(ward.MayDesk) {
		data.Give = &Form{Action: "/handover", Fields: []View{
			Textarea{Name: "words", Label: "To the next shift (optional)", Hint: "What the log does not say: what you are waiting for, and whom to call first.", Rows: 4, Value: textOf(r, "words"), Error: errorAt(wrong, "words")},
			Checkboxes{Name: "keep", Legend: "What you have", Choices: []Choice{{Value: "yes", Text: "I keep it: I come back to it", Hint: "Otherwise it goes back to the queue for anybody to take.", Chosen: textOf(r, "keep") != ""}}},
		}, Buttons: []Button{{Text: "Hand over"}}}
	}
	return Page{Title: "Hand-over", Template: "handover", Current: "queue", Crumbs: Crumbs{{Text: "Queue", Href: "/queue"}}, Data: data, Failed: len(wrong) > 0}, nil
}

// countsWords says who has how much: "Nadia Frost 2, nobody 4".
func countsWords(counts map[string]int) string {
	var names, parts []string
	for name := range counts {
		if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		parts = append(parts, name+" "+Number(counts[name]))
	}
	return strings.Join(append(parts, "nobody "+Number(counts[""])), ", ")
}

// unasked parts what is open: updates that no alert asks for and that nobody has would fill the page, and the queue has them.
func unasked(items []ward.Item) (open, updates []ward.Item) {
	for _, i := range items {
		if i.Kind == ward.ItemFinding && i.Owner == "" {
			updates = append(updates, i)
		} else {
			open = append(open, i)
		}
	}
	return open, updates
}

func updatesWords(updates []ward.Item) string {
	if len(updates) == 0 {
		return ""
	}
	const most = 3
	var names []string
	for _, i := range updates[:min(len(updates), most)] {
		names = append(names, i.Title)
	}
	said := Count(len(updates), "update") + " that no alert asks for " + plural(len(updates), "waits", "wait") + ", and nobody has " + itOrThem(len(updates)) + ": " + strings.Join(names, "; ")
	if rest := len(updates) - most; rest > 0 {
		said += "; and " + Number(rest) + " more"
	}
	return said + "."
}

func openTable(items []ward.Item, known register) Table {
	t := Table{Caption: "Open", HideCaption: true, Columns: []Column{{Title: "What, and why"}, {Title: "Kind", Tight: true}, {Title: "Organisation"}, {Title: "Who has it", Tight: true}, {Title: "Since", Tight: true}},
		Empty: Empty{Text: "Nothing is open."}}
	for _, i := range items {
		org := ""
		if i.Org != "" {
			org = known.name(i.Org)
		}
		has := View(Text("nobody"))
		if i.OwnerName != "" {
			has = Text(i.OwnerName)
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: link(i.Title, local(i.Link)), Reason: shortWhy(i.Reason)}, kindTag(i.Kind), Text(org), has, Moment{i.Since}}})
	}
	return t
}

func comingTable(coming []ward.Coming, known register) Table {
	t := Table{Caption: "Coming due", HideCaption: true, Columns: []Column{{Title: "When", Tight: true}, {Title: "What"}, {Title: "How many", Right: true, Tight: true}},
		Empty: Empty{Text: "Nothing comes due in the next shift."}}
	for _, c := range coming {
		what := c.Words
		if c.Org != "" {
			what = strings.TrimSpace(known.name(c.Org) + ": " + what)
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Moment{c.At}, Why{View: Text(capital(plainWord(c.Kind))), Reason: what}, Text(Number(c.Count))}})
	}
	return t
}

func movedTable(moved []duty.Moved) *Table {
	t := &Table{Caption: "Answers", HideCaption: true, Columns: []Column{{Title: "Alert", Tight: true}, {Title: "Step"}, {Title: "Answers", Right: true, Tight: true}}}
	for _, m := range moved {
		t.Rows = append(t.Rows, Row{Cells: []View{link(string(m.Alert), alertHref(m.Alert)), Text(entryWord(m.Kind)), Text(Number(m.Count))}})
	}
	return t
}

func (s *Site) writeLog(r *http.Request, who ward.Actor) (string, *Page, error) {
	note := duty.Note{Words: textOf(r, "words"), Item: ward.ItemID(textOf(r, "item")), Org: ward.OrgID(textOf(r, "org")), Alert: ward.AlertID(strings.ToUpper(textOf(r, "alert")))}
	if note.Alert != "" {
		if _, err := s.Alerts.Get(r.Context(), who.Scope, note.Alert); err != nil {
			page, err := s.logPage(r, who, []FieldError{{Field: "alert", Text: "There is no alert with this threat ID. Leave it empty, or copy it from the alert."}})
			return "", &page, err
		}
	}
	_, err := s.Duty.Note(r.Context(), who, note)
	if err == nil {
		return "/log?done=noted", nil, nil
	}
	wrong, err := deskInvalid(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.logPage(r, who, wrong)
	return "", &page, err
}

func (s *Site) handOver(r *http.Request, who ward.Actor) (string, *Page, error) {
	_, err := s.Duty.HandOver(r.Context(), who, textOf(r, "words"), textOf(r, "keep") != "")
	if err == nil {
		return "/log?done=handed", nil, nil
	}
	wrong, err := deskInvalid(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.handoverPage(r, who, wrong)
	return "", &page, err
}
