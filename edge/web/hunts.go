package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"wardwatch/edge"
	"wardwatch/ward"
	"wardwatch/watch/archive/hunts"
)

// routesHunts are searches through kept events.
func (s *Site) routesHunts() {
	s.get("/hunts", ward.MayHunt, func(r *http.Request, who ward.Actor) (Page, error) { return s.huntsPage(r, who, nil) })
	s.post("/hunts", ward.MayHunt, s.askHunt)
	s.get("/hunts/{hunt}", ward.MayHunt, s.huntPage)
	s.post("/hunts/{hunt}/cancel", ward.MayHunt, s.cancelHunt)
	s.handle("GET /hunts/{hunt}/hits.csv", s.huntFile)
}

func huntHref(id ward.HuntID) string { return "/hunts/" + strconv.FormatInt(int64(id), 10) }

func huntOf(r *http.Request) (ward.HuntID, error) {
	id, err := strconv.ParseInt(r.PathValue("hunt"), 10, 64)
	if err != nil {
		return 0, ward.ErrNotFound
	}
	return ward.HuntID(id), nil
}

// huntsData is the box, and what was asked for before.
type huntsData struct {
	Lede string
	Form Form
	Live Live
	Next View
}

func (s *Site) huntsPage(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	ctx := r.Context()
	page, err := s.Hunts.List(ctx, who.Scope, r.URL.Query().Get("after"), 0)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	data := huntsData{Lede: "Search every event that is kept" + some(len(who.Scope.Orgs()), " of your organisation") + ": an address, a domain, a digest, or what a field says. Each hunt says where it looked."}
	data.Form = Form{Action: "/hunts", Errors: ErrorSummary{wrong}, Fields: []View{
		Textarea{Name: "for", Label: "What to look for", Rows: 4, Value: textOf(r, "for"), Error: errorAt(wrong, "for"),
			Hint: "Addresses, networks, domains, URLs, digests, e-mail addresses or file names, one a line, as many as you have; or a query, such as user=jane and not host=srv1; or a Sigma rule."},
	}, Buttons: []Button{{Text: "Hunt"}}}
	if who.Scope.All() {
		choices := []Choice{{Text: "Every organisation"}}
		for _, o := range known.sorted() {
			choices = append(choices, Choice{Value: string(o.ID), Text: o.Name, Chosen: textOf(r, "org") == string(o.ID)})
		}
		data.Form.Fields = append(data.Form.Fields, Select{Name: "org", Label: "Whose events", Choices: choices, Error: errorAt(wrong, "org")})
	}
	data.Form.Fields = append(data.Form.Fields,
		Input{Name: "since", Label: "From (optional)", Hint: "A day, such as 2025-05-13. Nothing: as far back as events are kept.", Width: 10, Value: textOf(r, "since"), Error: errorAt(wrong, "since")},
		Input{Name: "until", Label: "To (optional)", Hint: "The last day.", Width: 10, Value: textOf(r, "until"), Error: errorAt(wrong, "until")})
	t := Table{Caption: "Hunts", HideCaption: true, Columns: []Column{{Title: "What for"}, {Title: "State", Tight: true}, {Title: "Seen", Right: true, Tight: true}, {Title: "Asked", Tight: true}},
		Empty: Empty{Text: "Nobody has hunted for anything yet. When an indicator becomes known, what came before is searched by itself, and stands here too."}}
	for _, h := range page.Items {
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: link(visible(h.Words), huntHref(h.ID)), Reason: huntWhy(h)}, huntTag(h), Text(Number(int(h.Hits))), When{h.Asked}}})
	}
	data.Live = Live{ID: "hunts", Href: "/hunts", Topics: []string{"hunts"}, Body: t}
	if page.Next != "" {
		data.Next = Pager{Next: addressWith("/hunts", "after", page.Next), Note: "The newest first"}
	}
	return Page{Title: "Hunt", Template: "hunts", Current: "hunts", Data: data, Failed: len(wrong) > 0}, nil
}

// huntWhy says why a hunt is there.
func huntWhy(h ward.Hunt) string {
	if h.Kind == ward.HuntLookBack {
		return "by itself, because it became known"
	}
	return "asked by " + h.By.Name
}

func huntTag(h ward.Hunt) View {
	switch h.State {
	case ward.HuntWaiting:
		return Tag{"Waiting", ToneUnknown}
	case ward.HuntRunning:
		return Tag{fmt.Sprintf("%d of %d blocks", h.Done, h.Blocks), ToneMoving}
	case ward.HuntDone:
		if h.Unread > 0 {
			return Tag{"Done in part", ToneWarning}
		}
		return Tag{"Done", ToneDone}
	case ward.HuntCancelled:
		return Tag{"Cancelled", ToneNeutral}
	case ward.HuntStopped:
		return Tag{"Stopped", ToneWarning}
	}
	return Tag{"Failed", ToneCritical}
}

// askHunt begins a hunt.
func (s *Site) askHunt(r *http.Request, who ward.Actor) (string, *Page, error) {
	var q hunts.Question
	var h ward.Hunt
	var err error
	if q.For, err = edge.Sought(textOf(r, "for")); err == nil {
		q.Since, err = dayIn("since", textOf(r, "since"))
	}
	if err == nil {
		if q.Until, err = dayIn("until", textOf(r, "until")); !q.Until.IsZero() {
			q.Until = q.Until.Add(24*time.Hour - time.Microsecond)
		}
	}
	if org := ward.OrgID(textOf(r, "org")); org != "" {
		q.Of = []ward.OrgID{org}
	}
	if err == nil {
		h, err = s.Hunts.Ask(r.Context(), who, q)
	}
	if err == nil {
		return huntHref(h.ID), nil, nil
	}
	wrong, err := invalid(err)
	if err != nil {
		return "", nil, err
	}
	for i := range wrong {
		if wrong[i].Field == "query" || wrong[i].Field == "rule" || wrong[i].Field == "type" || wrong[i].Field == "value" {
			wrong[i].Field = "for" // the one box
		}
	}
	page, err := s.huntsPage(r, who, wrong)
	return "", &page, err
}

// dayIn reads a day.
func dayIn(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, &ward.Invalid{Field: field, Problem: "is not a day", Hint: "write 2025-05-13"}
	}
	return day, nil
}

func (s *Site) cancelHunt(r *http.Request, who ward.Actor) (string, *Page, error) {
	id, err := huntOf(r)
	if err == nil {
		_, err = s.Hunts.Cancel(r.Context(), who, id)
	}
	return huntHref(id), nil, err
}

// huntData is one hunt: how far it is, what it counted and where, then the events.
type huntData struct {
	Live     Live
	Lede     string
	Covered  string
	Progress View
	Facts    SummaryList
	Orgs     Table
	Days     Table
	Hits     Table
	Pager    View
	Export   Link
	Cancel   *Form
}

const (
	mostHuntDays = 100
	huntHits     = 25
	huntRaw      = 200 // characters of an event that are shown at once
)

func (s *Site) huntPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	id, err := huntOf(r)
	if err != nil {
		return Page{}, err
	}
	h, err := s.Hunts.Hunt(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	days, err := s.Hunts.Days(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	hits, err := s.huntHits(r, who, id, r.URL.Query().Get("after"), "events.view", huntHits)
	if err != nil {
		return Page{}, err
	}
	data := huntData{
		Live: Live{ID: "hunt", Href: r.URL.RequestURI(), Topics: []string{fmt.Sprintf("hunt:%d", id)}}, Lede: huntLede(h), Covered: s.covered(h, days, known, who),
		Orgs: huntOrgs(days, known), Days: huntDays(days, known), Hits: huntHitTable(h, hits.Items, known),
	}
	if !h.State.Over() {
		data.Progress = Progress{ID: "hunt-progress", Label: "Blocks of events searched", Done: h.Done, Total: max(1, h.Blocks), Note: "Seen " + Count(int(h.Hits), "time") + " so far"}
		data.Cancel = &Form{Action: huntHref(id) + "/cancel", Buttons: []Button{{Text: "Cancel this hunt", Kind: Secondary}}}
	}
	data.Facts = SummaryList{Rows: []SummaryRow{
		{Key: "What for", Value: Code(visible(h.Words))},
		{Key: "Why", Value: Text(capital(huntWhy(h)))},
		{Key: "Asked", Value: Moment{h.Asked}},
		{Key: "State", Value: huntTag(h)},
		{Key: "Events in what was searched", Value: Text(Number(int(h.Events)))},
		{Key: "Of them looked at one by one", Value: Text(Number(int(h.Read)))},
	}}
	if h.Reason != "" {
		data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: "Why it ended", Value: Text(capital(h.Reason))})
	}
	if len(hits.Items) > 0 {
		data.Export = Link{Text: "Keep these events as a file (CSV)", Href: huntHref(id) + "/hits.csv"}
		pager := Pager{Note: fmt.Sprintf("%s to %s of %s that are shown one by one", Number(int(hits.Items[0].Number)), Number(int(hits.Items[len(hits.Items)-1].Number)), Number(int(h.Kept)))}
		if hits.Next != "" {
			pager.Next = addressWith(huntHref(id), "after", hits.Next)
		}
		if r.URL.Query().Get("after") != "" {
			pager.Prev = huntHref(id)
		}
		data.Pager = pager
	}
	return Page{Title: "Hunt for " + shortened(visible(h.Words), 80), Template: "hunt", Current: "hunts", Crumbs: Crumbs{{Text: "Hunt", Href: "/hunts"}}, Data: data}, nil
}

// huntHits reads events of a hunt. Each organisation can see who from outside did.
func (s *Site) huntHits(r *http.Request, who ward.Actor, id ward.HuntID, after, action string, limit int) (ward.Page[ward.HuntHit], error) {
	page, err := s.Hunts.Hits(r.Context(), who.Scope, id, after, limit)
	told := map[ward.OrgID]bool{}
	for _, h := range page.Items {
		if err == nil && !told[h.Org] {
			told[h.Org] = true
			err = s.looked(r, who, action, fmt.Sprintf("%s/hunt/%d", h.Org, id), h.Org)
		}
	}
	return page, err
}

func huntLede(h ward.Hunt) string {
	seen := "Not seen"
	if h.Hits > 0 {
		seen = "Seen " + Count(int(h.Hits), "time")
	}
	switch h.State {
	case ward.HuntWaiting:
		if h.Done > 0 {
			return seen + " so far. It waits, and goes on where it was."
		}
		return "It waits for its turn: nothing is searched yet."
	case ward.HuntRunning:
		return fmt.Sprintf("%s so far, in %d of %d blocks.", seen, h.Done, h.Blocks)
	case ward.HuntDone:
		if h.Hits == 0 && h.Events == 0 {
			return "Nothing is kept of that time, so that nothing can be said."
		}
		return seen + " in what was searched."
	}
	return fmt.Sprintf("%s in %d of %d blocks: %s.", seen, h.Done, h.Blocks, strings.TrimSuffix(h.Reason, "."))
}

// covered says where was looked, without which "not seen" says nothing.
func (s *Site) covered(h ward.Hunt, days []ward.HuntDay, known register, who ward.Actor) string {
	orgs := map[ward.OrgID]bool{}
	var first, last time.Time
	for _, d := range days {
		orgs[d.Org] = true
		if first.IsZero() || d.Day.Before(first) {
			first = d.Day
		}
		if d.Day.After(last) {
			last = d.Day
		}
	}
	asked := h.Of
	if len(asked) == 0 && who.Scope.All() {
		for _, o := range known.sorted() {
			asked = append(asked, o.ID)
		}
	}
	without := 0
	for _, org := range asked {
		if !orgs[org] {
			without++
		}
	}
	if len(days) == 0 {
		return "Searched so far: nothing."
	}
	text := fmt.Sprintf("Searched: %s of %s, from %s to %s (UTC)", Count(int(h.Events), "event"), Count(len(orgs), "organisation"), dayText(first), dayText(last))
	return clauses(text, some(h.Unread, Count(h.Unread, "block")+" could not be read, and what is in "+plural(h.Unread, "it", "them")+" was not seen"),
		some(without, "of "+Count(without, "organisation")+" nothing was searched: nothing is kept of that time, or the hunt has not come there"))
}

func dayText(day time.Time) string { return day.UTC().Format("2 January 2006") }

// huntOrgs counts by organisation, those with most hits first.
func huntOrgs(days []ward.HuntDay, known register) Table {
	type sum struct {
		org         ward.OrgID
		days, hit   int
		events, all int64
		unread      int
	}
	by := map[ward.OrgID]*sum{}
	var all []*sum
	for _, d := range days {
		one := by[d.Org]
		if one == nil {
			one = &sum{org: d.Org}
			by[d.Org], all = one, append(all, one)
		}
		one.days++
		one.events += d.Events
		one.all += d.Hits
		one.unread += d.Unread
		if d.Hits > 0 {
			one.hit++
		}
	}
	slices.SortStableFunc(all, func(a, b *sum) int {
		if a.all != b.all {
			return int(min(max(b.all-a.all, -1), 1))
		}
		return strings.Compare(string(a.org), string(b.org))
	})
	t := Table{Caption: "By organisation", HideCaption: true, Columns: []Column{{Title: "Organisation"}, {Title: "Seen", Right: true}, {Title: "On days", Right: true}, {Title: "Days searched", Right: true}, {Title: "Events searched", Right: true}, {Title: "Blocks not read", Right: true}},
		Empty: Empty{Text: "Nothing is searched yet."}}
	for _, o := range all {
		t.Rows = append(t.Rows, Row{Cells: []View{Text(known.name(o.org)), Text(Number(int(o.all))), Text(Number(o.hit)), Text(Number(o.days)), Text(Number(int(o.events))), Text(Number(o.unread))}})
	}
	return t
}

// huntDays are the days on which something was seen, the newest first.
func huntDays(days []ward.HuntDay, known register) Table {
	t := Table{Caption: "By day", HideCaption: true, Columns: []Column{{Title: "Day (UTC)", Tight: true}, {Title: "Organisation"}, {Title: "Seen", Right: true}, {Title: "Events searched", Right: true}},
		Empty: Empty{Text: "Seen on no day that was searched."}}
	left := 0
	for _, d := range days {
		if d.Hits == 0 {
			continue
		}
		if len(t.Rows) == mostHuntDays {
			left++
			continue
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(dayText(d.Day)), Text(known.name(d.Org)), Text(Number(int(d.Hits))), Text(Number(int(d.Events)))}})
	}
	if left > 0 {
		t.Note = "and " + Number(left) + " older days of organisations"
	}
	return t
}

func huntHitTable(h ward.Hunt, hits []ward.HuntHit, known register) Table {
	empty := "No event is seen."
	if h.Hits > 0 && h.State.Over() {
		empty = "Copies of events are kept for 30 days after a hunt; the counts stay. Hunt again to see them."
	}
	t := Table{Caption: "Events", HideCaption: true, Columns: []Column{{Title: "When (UTC)", Tight: true}, {Title: "Organisation, machine and source"}, {Title: "What it shows, and the event"}}, Empty: Empty{Text: empty}}
	for _, hit := range hits {
		where := Lines{Text(known.name(hit.Org))}
		if hit.Host != "" {
			where = append(where, Text("on "+visible(hit.Host)))
		}
		where = append(where, Note(fmt.Sprintf("%s, record %d", visible(hit.Source), hit.Record)))
		field := ""
		if hit.Field != "" {
			field = " in " + visible(hit.Field)
		}
		raw := visible(hit.Raw)
		if hit.Cut {
			raw += " (cut here; the archive has all of it)"
		}
		event := Lines{Text(hit.Kind + " " + visible(hit.Value) + field), Code(shortened(raw, huntRaw))}
		if len([]rune(raw)) > huntRaw {
			event = append(event, Details{Summary: "All of event " + Number(int(hit.Number)), Body: Code(raw)})
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(hit.At.UTC().Format("2 Jan 2006 15:04:05")), where, event}})
	}
	return t
}

// visible is a text that somebody sent, with nothing in it that changes how it or what follows is shown.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// shortened is the beginning of a text.
func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

// huntFile gives the events as a file.
func (s *Site) huntFile(w http.ResponseWriter, r *http.Request) {
	ctx, who := r.Context(), edge.Actor(r.Context())
	if s.refuse(w, r, who, ward.MayHunt) {
		return
	}
	id, err := huntOf(r)
	var page ward.Page[ward.HuntHit]
	if err == nil {
		page, err = s.huntHits(r, who, id, "", "events.export", ward.MostPageSize)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	write, end := csvFile(w, fmt.Sprintf("hunt-%d", id), "Organisation", "Time", "Kind", "Value", "Field", "Machine", "Source", "Record", "Event")
	for err == nil {
		for _, h := range page.Items {
			if err = write(string(h.Org), isoTime(h.At), h.Kind, h.Value, h.Field, h.Host, h.Source, strconv.FormatInt(h.Record, 10), h.Raw); err != nil {
				break
			}
		}
		if page.Next == "" || err != nil {
			break
		}
		page, err = s.huntHits(r, who, id, page.Next, "events.export", ward.MostPageSize)
	}
	if err == nil {
		err = end()
	}
	if err != nil { // the head has left: a file cut short must not look whole
		s.log.WarnContext(ctx, "file cut short", "hunt", id, "err", err)
		panic(http.ErrAbortHandler)
	}
}
