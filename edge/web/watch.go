package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/duty"
	"wardwatch/act/responses"
	"wardwatch/ward"
)

func (s *Site) routesWatch() { s.get("/watch", ward.MayWatch, s.watch) }

// watchTopics are the hints after which the watch looks again.
var watchTopics = []string{"queue", "feeds", "detections"}

// mostWaiting bounds the lists of the watch; the pages behind them have the rest.
const mostWaiting = 10

// watchData is what the watch shows.
type watchData struct {
	Live    Live
	Done    View
	First   string // how many things need a person
	Rest    string
	Stats   Stats
	Waiting Table
	InForce []inForce
	NoAlert View // instead of alerts in force
	Overdue Table
	Feeds   View // those that are stale, or that all are fresh
}

// inForce is one alert in force as a line of the watch.
type inForce struct {
	Alert    Link
	ID       string
	Severity Tag
	Issued   When
	Bar      AnswerBar
	Twin     Details
	Words    string
}

func (s *Site) watch(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	overview, err := s.Responses.Overview(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	waiting, counts, err := s.waitingItems(ctx, who, known)
	if err != nil {
		return Page{}, err
	}
	late, err := s.Responses.Overdue(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	data := watchData{Done: queueDone(r.URL.Query()), Live: Live{ID: "watch", Href: "/watch", Topics: watchTopics}, InForce: linesOf(overview.Alerts), Overdue: s.overdueTable(late, known)}
	data.First = Count(counts.All, "thing") + " " + needVerb(counts.All) + " a person"
	if counts.All == 0 {
		data.First = "Nothing needs a person"
	}
	data.Rest = clauses(
		Count(overview.Overdue, "answer")+" "+is(overview.Overdue)+" overdue",
		Number(overview.NotKnown)+" "+is(overview.NotKnown)+" not known for the alerts in force",
	)
	data.Stats = Stats{
		{Value: Number(len(overview.Alerts)), Of: plural(len(overview.Alerts), "alert") + " in force", Since: sinceIssued(overview.Alerts)},
		{Value: Number(overview.Overdue), Of: plural(overview.Overdue, "answer") + " overdue", Since: "now, of the alerts in force", Tone: toneIf(overview.Overdue, ToneCritical)},
		{Value: Number(overview.NotKnown), Of: "not known", Since: "no evidence says whether they are exposed", Tone: toneIf(overview.NotKnown, ToneWarning)},
		{Value: Number(overview.Contradicted), Of: "contradicted", Since: "newer evidence shows an affected version", Tone: toneIf(overview.Contradicted, ToneCritical)},
		{Value: Number(overview.Confirmed) + " of " + Number(overview.Claimed), Of: "claims confirmed", Since: "by evidence after the claim"},
	}
	data.Waiting = waiting
	if len(data.InForce) == 0 {
		data.NoAlert = s.noAlertInForce(ctx, who)
	}
	if data.Feeds, err = s.staleFeeds(ctx, who); err != nil {
		return Page{}, err
	}
	return Page{Title: "Watch", Template: "watch", Current: "watch", Data: data}, nil
}

// waitingItems are the first of what waits at the desk: decisions, then the updates that no alert asks for. The queue has the
// rest.
func (s *Site) waitingItems(ctx context.Context, who ward.Actor, known register) (Table, duty.Counts, error) {
	page, err := s.Duty.Items(ctx, who, duty.Query{Limit: ward.MostPageSize})
	counts := page.Counts
	if err != nil {
		return Table{}, counts, err
	}
	slices.SortStableFunc(page.Items, func(x, y ward.Item) int { return decisionsFirst(x) - decisionsFirst(y) })
	t := Table{Caption: "Needs a person", Keys: true, Columns: []Column{{Title: "What, and why it waits"}, {Title: "Waits since", Tight: true}, {Title: "Who has it", Tight: true}},
		Empty: Empty{Text: "Nothing waits for a decision. New findings, disputes and drafts appear here by themselves."}}
	for _, i := range page.Items[:min(len(page.Items), mostWaiting)] {
		t.Rows = append(t.Rows, itemLine(i, who, known))
	}
	t.Note = Number(len(t.Rows)) + " of " + Number(counts.All) + ": decisions first, what is pressing on top; then updates that no alert asks for"
	if who.May(ward.MayDesk) {
		t.Pick = pickItems(nil, counts.All)
		t.Pick.Hidden = []Hidden{{"from", "watch"}}
	}
	return t, counts, nil
}

func decisionsFirst(i ward.Item) int {
	if i.Kind == ward.ItemFinding {
		return 1
	}
	return 0
}

// itemLine is an item where a list has little room.
func itemLine(i ward.Item, who ward.Actor, known register) Row {
	kind := kindTag(i.Kind)
	about := View(Text(""))
	if i.Org != "" {
		about = link(known.name(i.Org), orgHref(i.Org))
	}
	title := Link{Text: i.Title, Href: local(i.Link), About: "(" + lower(kind.Text) + ")"}
	return Row{Key: string(i.ID), Name: kind.Text + ", " + i.Title + " " + string(i.Org), Cells: []View{
		Why{View: Lines{title, Stack{kind, Text(" "), about}}, Reason: shortWhy(i.Reason)}, When{i.Since}, holder(i, who)}}
}

// linesOf gives each alert in force its line.
func linesOf(tallies []responses.Tally) []inForce {
	lines := make([]inForce, len(tallies))
	for i, t := range tallies {
		bar := AnswerBar{Title: "Answers to " + string(t.Alert), Parts: partsOf(t), Compact: true}
		closed := t.ClosedConfirmed + t.ClosedNotConfirmed + t.ClosedNotApplying
		lines[i] = inForce{
			Alert: Link{Text: t.Title, Href: alertHref(t.Alert)}, ID: string(t.Alert), Severity: severityLong(t.Severity), Issued: When{t.Issued},
			Bar: bar, Twin: bar.Twin(),
			Words: clauses(Number(closed)+" of "+Count(t.Asked, "organisation")+" closed, "+Number(t.ClosedConfirmed)+" confirmed by evidence",
				some(t.StandContradicted, Number(t.StandContradicted)+" contradicted"), some(t.Overdue, Number(t.Overdue)+" overdue"), some(t.NotKnown, Number(t.NotKnown)+" not known")),
		}
	}
	return lines
}

func (s *Site) noAlertInForce(ctx context.Context, who ward.Actor) View {
	none := Empty{Text: "No alerts in force."}
	if page, err := s.Alerts.List(ctx, who.Scope, alerts.Query{State: ward.Ended, Limit: 1}); err == nil && len(page.Items) == 1 {
		none.Text = "No alerts in force. The last one, " + string(page.Items[0].ID) + ", closed on " + Day(page.Items[0].Closed) + "."
	}
	if who.May(ward.MayDraft) {
		none.Next = link("Draft an alert", "/alerts/new")
	}
	return none
}

// overdueTable lists the answers that are late, the longest overdue first.
func (s *Site) overdueTable(late []ward.Response, known register) Table {
	t := Table{Caption: "Overdue", Empty: Empty{Text: "No answer is overdue."},
		Columns: []Column{{Title: "Organisation"}, {Title: "Alert", Tight: true}, {Title: "Owes"}, {Title: "Known"}, {Title: "Was due", Tight: true}}}
	for _, r := range late[:min(len(late), mostWaiting)] {
		t.Rows = append(t.Rows, Row{Cells: []View{
			Link{Text: known.name(r.Org), Href: answerHref(r.Alert, r.Org)}, link(string(r.Alert), alertHref(r.Alert)),
			Text(owing(r)), Why{View: knownOf(r.Current.State).tag(), Reason: r.Current.Reason}, When{dueAt(r)}}})
	}
	t.Note = Number(len(t.Rows)) + " of " + Number(len(late)) + ", the longest overdue first"
	return t
}

// owing says what an organisation owes next.
func owing(r ward.Response) string {
	switch {
	case r.State == ward.ClosedAnswer:
		return "nothing"
	case r.State == ward.Unanswered:
		return "an acknowledgement"
	case r.Applicability == "":
		return "whether it applies"
	case r.Proof.Result == ward.Contradicted:
		return "the fix on the machines that evidence shows"
	case r.State == ward.Remediated:
		return "closing its answer"
	}
	return "its next update"
}

// dueAt is when an answer owes its next word.
func dueAt(r ward.Response) time.Time {
	if r.State == ward.Unanswered {
		return r.RespondBy
	}
	return r.NextDue
}

// staleFeeds says which feeds a reader must not rely on for what is new.
func (s *Site) staleFeeds(ctx context.Context, who ward.Actor) (View, error) {
	all, err := s.Feeds.List(ctx)
	if err != nil {
		return nil, err
	}
	t := Table{Caption: "Feeds gone stale", Note: "What they said last is kept and still matched; what publishers said since is not known here.",
		Columns: []Column{{Title: "Feed"}, {Title: "Last success", Tight: true}, {Title: "What went wrong"}}}
	for _, f := range all {
		if !f.Stale && f.Error == "" {
			continue
		}
		var name View = Text(f.Name)
		if who.May(ward.MayFeeds) {
			name = link(f.Name, "/feeds")
		}
		t.Rows = append(t.Rows, Row{Cells: []View{name, When{f.Succeeded}, Text(cmp.Or(f.Error, "it has not been read within its interval"))}})
	}
	if len(t.Rows) == 0 {
		return Empty{Text: "All " + Number(len(all)) + " feeds were read within their intervals.", Next: link("See the feeds", "/feeds")}, nil
	}
	return t, nil
}

func toneIf(n int, tone Tone) Tone {
	if n == 0 {
		return ToneNeutral
	}
	return tone
}

func needVerb(n int) string {
	if n == 1 {
		return "needs"
	}
	return "need"
}

func sinceIssued(tallies []responses.Tally) string {
	if len(tallies) == 0 {
		return "none now"
	}
	oldest := slices.MinFunc(tallies, func(a, b responses.Tally) int { return a.Issued.Compare(b.Issued) })
	return "the oldest since " + Day(oldest.Issued)
}
