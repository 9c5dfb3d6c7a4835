package web

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/notify"
	"wardwatch/ward"
)

// mostAnswers bounds the table of answers of one page; the states of the chart lead to the rest.
const mostAnswers = 300

// nationalData is the national view of one alert.
type nationalData struct {
	Alert    ward.Alert
	Live     Live
	Done     View // what the last press did
	Owed     View // a second approval, or how the alert ended
	Revision View // that waits for a second person
	Tags     []Tag
	Lede     string
	Facts    []View // issued, acknowledge by, who wrote and approved it
	Actions  View
	Why      []string // the reasons of the proposed severity
	Asked    bool     // it was published: there are answers
	Map      TileMap
	Bar      AnswerBar
	Known    Table // then and now
	Slowest  Table
	NotKnown Table
	Claims   Table
	Disputes Table
	Answers  Table
	Delivery Table
	Told     string
	Sent     string // what became of the messages, in words
	Lost     *Table // organisations that no message reached
	Versions Table
	Text     View
}

func (s *Site) nationalAlert(r *http.Request, who ward.Actor, a ward.Alert) (Page, error) {
	ctx := r.Context()
	versions, err := s.Alerts.Versions(ctx, who.Scope, a.ID)
	if err != nil {
		return Page{}, err
	}
	data := nationalData{
		Alert: a, Live: Live{ID: "alert", Href: alertHref(a.ID), Topics: []string{"alert:" + string(a.ID)}},
		Tags: []Tag{severityLong(a.Severity), alertStateTag(a.State), {Text: string(a.TLP)}},
		Why:  a.SeverityWhy, Versions: versionTable(a, versions), Text: alertText(a),
	}
	if a.Exercise {
		data.Tags = append(data.Tags, Tag{"Exercise", ToneWarning})
	}
	data.Actions = alertActions(a, who, versions)
	data.Done = alertDone(r.URL.Query().Get("done"), a)
	data.Owed = emergencyView(a, who)
	if a.State == ward.Published {
		if data.Revision, err = s.revisionView(ctx, who, a); err != nil {
			return Page{}, err
		}
	}
	data.Facts = alertFacts(a)
	page := Page{Title: a.Title, Template: "alert", Current: "alerts", Crumbs: alertCrumbs}
	if a.Issued.IsZero() {
		data.Lede = draftLede(a)
		page.Data = data
		return page, nil
	}
	data.Asked = true
	if err := s.whereItStands(ctx, r, who, a, &data); err != nil {
		return Page{}, err
	}
	page.Data = data
	return page, nil
}

func draftLede(a ward.Alert) string {
	if a.State == ward.Approved {
		return "Approved, and sent to nobody yet. Look at who would be told, then publish it."
	}
	return "A draft. It goes to nobody before somebody who did not write it approves it and publishes it."
}

func alertFacts(a ward.Alert) []View {
	fact := func(key string, value View) View { return Stack{Text(key + " "), value} }
	var facts []View
	if a.Issued.IsZero() {
		facts = append(facts, fact("Drafted", When{a.Created}), Text("by "+a.Author))
	} else {
		facts = append(facts, fact("Issued", When{a.Issued}))
		if !a.Revised.IsZero() {
			kind := "editorial"
			if a.Change.Material {
				kind = "material"
			}
			facts = append(facts, fact("Last changed ("+kind+")", When{a.Revised}))
		}
		facts = append(facts, fact("Acknowledge by", Moment{acknowledgeBy(a)}))
		if !a.RemediateBy.IsZero() {
			facts = append(facts, fact("Fix by", Moment{a.RemediateBy}))
		}
		approved := ", approved by " + a.Approver
		if a.Approver == "" {
			approved = ", approved by nobody yet"
		}
		facts = append(facts, Text("Written by "+a.Author+approved))
	}
	facts = append(facts, Text("Clocks: "+clocksWords(a)))
	if a.Supersedes != "" {
		facts = append(facts, Stack{Text("Takes the place of "), link(string(a.Supersedes), alertHref(a.Supersedes))})
	}
	if !a.Closed.IsZero() {
		facts = append(facts, fact(capital(string(a.State)), When{a.Closed}))
	}
	if a.EndWhy != "" {
		facts = append(facts, Text("Because: "+a.EndWhy))
	}
	if a.SupersededBy != "" {
		facts = append(facts, Stack{Text("Its place is taken by "), link(string(a.SupersededBy), alertHref(a.SupersededBy))})
	}
	return facts
}

// acknowledgeBy is when the newest edition that asks for an acknowledgement wants it.
func acknowledgeBy(a ward.Alert) time.Time {
	if a.Change.Material && !a.Revised.IsZero() {
		return a.Revised.Add(a.AcknowledgeWithin)
	}
	return a.Issued.Add(a.AcknowledgeWithin)
}

// clocksWords say by whose table an alert's clocks run, and who changed them why.
func clocksWords(a ward.Alert) string {
	if a.ClocksWhy != "" {
		return a.ClocksWhy + ", set by " + a.ClocksBy
	}
	return a.Policy.Title
}

// alertActions are what this reader can do with the alert now: one primary button, and in words why there is none.
func alertActions(a ward.Alert, who ward.Actor, versions []alerts.Version) View {
	href := alertHref(a.ID)
	hidden := []Hidden{alertVersion(a)}
	edit := Button{Text: "Edit", Kind: Secondary, Href: href + "/edit"}
	switch a.State {
	case ward.Drafted:
		clocks, keep := link("Change the clocks", href+"/clocks"), link("Keep as a template", href+"/template")
		wrote := slices.ContainsFunc(versions, func(v alerts.Version) bool { return v.Wrote && v.ByPerson == who.Person })
		alone := Details{Summary: "Nobody else is awake", Body: Stack{Text("One person may publish it alone: with a reason, and with the password once more. "), link("Publish alone", href+"/alone")}}
		switch {
		case !who.May(ward.MayApprove):
			return Stack{Buttons{edit}, Note("An approver reads it next. It is in their queue."), Links{keep}}
		case wrote:
			return Stack{Buttons{edit}, Note("You wrote some of it, so another approver approves it."), Links{clocks, keep}, alone}
		}
		return Stack{Form{Action: href + "/approve", Hidden: hidden, Buttons: []Button{{Text: "Approve"}, edit}}, Links{clocks, keep}, alone}
	case ward.Approved:
		if who.May(ward.MayApprove) {
			return Stack{Buttons{{Text: "See who would be told", Href: href + "/publish"}, edit}, Links{link("Change the clocks", href+"/clocks")}}
		}
		return Stack{Buttons{edit}, Note("An approver publishes it. An edit makes it a draft again.")}
	case ward.Published:
		revise := link("Revise the text", href+"/revise")
		if who.May(ward.MayApprove) {
			return Stack{Links{revise, link("Withdraw it", href+"/withdraw"), link("Keep as a template", href+"/template")},
				Details{Summary: "Close this alert", Body: Stack{Text("Nothing more is owed to a closed alert, and its clocks stop. Its answers stay readable."),
					Form{Action: href + "/close", Hidden: hidden, Buttons: []Button{{Text: "Close " + string(a.ID), Kind: Danger}}}}}}
		}
		if who.May(ward.MayDraft) {
			return Links{revise}
		}
	}
	return nil
}

func alertDone(done string, a ward.Alert) View {
	switch {
	case done == "drafted" && a.State == ward.Drafted:
		return Banner{Good: true, Heading: "Draft saved as " + string(a.ID) + "."}
	case done == "saved" && a.State == ward.Drafted:
		return Banner{Good: true, Heading: "Version " + strconv.Itoa(a.Version) + " saved."}
	case done == "approved" && a.State == ward.Approved:
		return Banner{Good: true, Heading: "Approved. Nobody was told yet."}
	case done == "published" && a.State == ward.Published:
		return Banner{Good: true, Heading: "Published at " + At(a.Issued) + "."}
	case done == "clocks":
		return Banner{Good: true, Heading: "Clocks set: acknowledge within " + hours(a.AcknowledgeWithin) + ", then an update every " + hours(a.UpdateEvery) + "."}
	case done == "alone" && a.Emergency.Owed():
		return Banner{Good: true, Heading: "Published at " + At(a.Issued) + " by one person alone. Everybody at the desk was told."}
	case done == "countersigned" && !a.Emergency.SecondAt.IsZero():
		return Banner{Good: true, Heading: "Second approval given at " + At(a.Emergency.SecondAt) + "."}
	case done == "revised":
		return Banner{Good: true, Heading: "Revision kept. Nobody was told yet."}
	case done == "issued" && !a.Revised.IsZero():
		return Banner{Good: true, Heading: "Revision issued at " + At(a.Revised) + "."}
	case done == "dropped":
		return Banner{Good: true, Heading: "The revision is given up. The alert stays as it is."}
	case done == "withdrawn" && a.State == ward.Withdrawn:
		return Banner{Good: true, Heading: "Withdrawn at " + At(a.Closed) + ". Everybody who was told of it is told."}
	case done == "closed" && a.State == ward.Ended:
		return Banner{Good: true, Heading: "Closed at " + At(a.Closed) + "."}
	}
	return nil
}

func versionTable(a ward.Alert, versions []alerts.Version) Table {
	t := Table{Caption: "Versions", HideCaption: true, Columns: []Column{{Title: "Version", Tight: true}, {Title: "What changed"}, {Title: "By"}, {Title: "When", Tight: true}}}
	for i, v := range slices.Backward(versions) {
		n := v.Alert.Version
		what := View(Text(versionWord(versions, i)))
		if v.Alert.Change.Why != "" && v.Alert.Edition > 1 && i > 0 && versions[i-1].Alert.Edition < v.Alert.Edition {
			what = Why{View: what, Reason: v.Alert.Change.Why}
		}
		var number View = Text(strconv.Itoa(n))
		if i > 0 {
			before := strconv.Itoa(versions[i-1].Alert.Version)
			number = Link{Text: strconv.Itoa(n), About: "compared with " + before, Href: alertHref(a.ID) + "/compare?from=" + before + "&to=" + strconv.Itoa(n)}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{number, what, Text(v.By), When{v.At}}})
	}
	return t
}

// versionWord is what the i-th version changed.
func versionWord(versions []alerts.Version, i int) string {
	v := versions[i]
	if i == 0 {
		if v.Alert.Issued.IsZero() {
			return "Drafted"
		}
		return "Published"
	}
	before := versions[i-1].Alert
	states := map[ward.AlertState]string{ward.Approved: "Approved", ward.Published: "Published", ward.Ended: "Closed", ward.Withdrawn: "Withdrawn", ward.Superseded: "Superseded"}
	switch {
	case v.Alert.State != before.State && !v.Wrote:
		return states[v.Alert.State]
	case v.Alert.State != before.State:
		return "Text changed, a draft again"
	case v.Alert.Edition > before.Edition && v.Alert.Change.Material:
		return "Revised, material"
	case v.Alert.Edition > before.Edition:
		return "Revised, editorial"
	case before.Emergency.Owed() && !v.Alert.Emergency.Owed():
		return "Second approval"
	case v.Alert.AcknowledgeWithin != before.AcknowledgeWithin || v.Alert.UpdateEvery != before.UpdateEvery || !v.Alert.RemediateBy.Equal(before.RemediateBy) || v.Alert.CheckRequired != before.CheckRequired:
		if !v.Wrote {
			return "Clocks set"
		}
	}
	return "Text changed"
}

// whereItStands fills in what became of a published alert.
func (s *Site) whereItStands(ctx context.Context, r *http.Request, who ward.Actor, a ward.Alert, data *nationalData) error {
	answers, err := s.Responses.ForAlert(ctx, who.Scope, a.ID)
	if err != nil {
		return err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return err
	}
	told, err := s.Notify.Told(ctx, who.Scope, a.ID, "alert.published")
	if err != nil {
		return err
	}
	if !a.InForce() {
		for i := range answers {
			answers[i].Overdue = false // nothing is owed to a closed alert
		}
	}
	count := map[string]int{}
	now, then := map[ward.ExposureState]int{}, map[ward.ExposureState]int{}
	for _, x := range answers {
		count[standOf(x).Word]++
		now[x.Current.State]++
		then[x.Standing.State]++
	}
	closed := count[standConfirmed.Word] + count[standNotConfirmed.Word] + count[standNotApplying.Word]
	data.Lede = clauses(
		Number(closed)+" of "+Count(len(answers), "organisation")+" "+haveHas(closed)+" closed, "+Number(count[standConfirmed.Word])+" of them confirmed by evidence",
		some(count[standContradicted.Word], Count(count[standContradicted.Word], "claim")+" "+is(count[standContradicted.Word])+" contradicted"),
		some(count[standOverdue.Word], Number(count[standOverdue.Word])+" "+is(count[standOverdue.Word])+" overdue"),
		claimedWords(answers),
		some(now[ward.Exposed], Number(now[ward.Exposed])+" "+is(now[ward.Exposed])+" exposed by the newest evidence"),
		some(now[ward.ExposureUnknown], Number(now[ward.ExposureUnknown])+" "+is(now[ward.ExposureUnknown])+" not known"),
	)
	data.Map = standMap(a, answers, known)
	data.Bar = AnswerBar{Title: "Answers by state", Reading: barReading(answers, count)}
	for _, st := range stands {
		data.Bar.Parts = append(data.Bar.Parts, Part{State: st, Count: count[st.Word], Href: alertHref(a.ID) + "?stands=" + st.Letter + "#answers"})
	}
	data.Known = knownTable(a, then, now)
	data.Slowest = slowest(a, answers, known)
	data.NotKnown = notKnown(a, answers, known)
	data.Claims = claimTable(a, answers, known)
	data.Disputes = s.disputeTable(disputesOf(map[ward.AlertID]ward.Alert{a.ID: a}, disputed(answers)), known, who)
	data.Answers = answerTable(a, answers, known, r.URL.Query().Get("stands"))
	sent, err := s.Notify.Delivered(ctx, who.Scope, a.ID)
	if err != nil {
		return err
	}
	data.Delivery, data.Told = delivery(told, answers, known)
	data.Lost = unreached(sent, known)
	data.Sent = sentWords(sent)
	return nil
}

func haveHas(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

func barReading(answers []ward.Response, count map[string]int) string {
	silent := 0
	for _, a := range answers {
		if a.State == ward.Unanswered {
			silent++
		}
	}
	return clauses(Number(len(answers)-silent)+" of "+Number(len(answers))+" have answered", some(count[standClaimed.Word], Count(count[standClaimed.Word], "fix", "fixes")+" "+is(count[standClaimed.Word])+" claimed and not closed"))
}

// standMap shows every organisation that was asked as one tile, by region.
func standMap(a ward.Alert, answers []ward.Response, known register) TileMap {
	m := TileMap{ID: "map", Title: "Every organisation, by region", States: stands,
		Reading: "One tile an organisation, with how its answer stands. Press one for its answer and the evidence."}
	regions := map[string][]Tile{}
	for _, x := range answers {
		region := known.region(x.Org)
		regions[region] = append(regions[region], Tile{Name: known.name(x.Org), Href: answerHref(a.ID, x.Org), State: standOf(x),
			Note: knownOf(x.Current.State).Word + ": " + x.Current.Reason})
	}
	for name, tiles := range regions {
		slices.SortFunc(tiles, func(x, y Tile) int { return cmp.Compare(x.Name, y.Name) })
		m.Regions = append(m.Regions, TileRegion{Name: name, Tiles: tiles})
	}
	slices.SortFunc(m.Regions, func(x, y TileRegion) int { return cmp.Compare(x.Name, y.Name) })
	return m
}

// lastKnown is when the newest word on exposure stood: what is known of an organisation is not followed beyond the alert's end.
func lastKnown(a ward.Alert) string {
	if !a.InForce() {
		return "at its end"
	}
	return "now"
}

func knownTable(a ward.Alert, then, now map[ward.ExposureState]int) Table {
	t := Table{Caption: "Exposure before the answers, and " + lastKnown(a), HideCaption: true,
		Columns: []Column{{Title: "By evidence"}, {Title: "At publication", Right: true, Tight: true}, {Title: capital(lastKnown(a)), Right: true, Tight: true}}}
	for _, state := range []ward.ExposureState{ward.Exposed, ward.ExposureUnknown, ward.NotExposed} {
		t.Rows = append(t.Rows, Row{Cells: []View{knownOf(state).tag(), Text(Number(then[state])), Text(Number(now[state]))}})
	}
	return t
}

// slowest lists the ten open answers that owe their next word soonest, the late ones first.
func slowest(a ward.Alert, answers []ward.Response, known register) Table {
	t := Table{Caption: "Slowest ten", Note: "Open answers, by when the next word was or is due.",
		Columns: []Column{{Title: "Organisation"}, {Title: "Stands, and owes"}, {Title: "Due", Tight: true}},
		Empty:   Empty{Text: "Every answer is closed."}}
	if !a.InForce() {
		t.Empty = Empty{Text: "The alert is " + string(a.State) + ", so nothing is owed."}
		return t
	}
	open := slices.DeleteFunc(slices.Clone(answers), func(x ward.Response) bool { return x.State == ward.ClosedAnswer })
	slices.SortStableFunc(open, func(x, y ward.Response) int { return soonest(dueAt(x), dueAt(y)) })
	for _, x := range open[:min(10, len(open))] {
		t.Rows = append(t.Rows, Row{Cells: []View{link(known.name(x.Org), answerHref(a.ID, x.Org)), Why{View: standOf(x).tag(), Reason: owing(x)}, dueView(x)}})
	}
	return t
}

// soonest orders times, those that are not set last.
func soonest(x, y time.Time) int {
	switch {
	case x.IsZero() && y.IsZero():
		return 0
	case x.IsZero():
		return 1
	case y.IsZero():
		return -1
	}
	return x.Compare(y)
}

func dueView(r ward.Response) View {
	if due := dueAt(r); !due.IsZero() {
		return When{due}
	}
	return Text("nothing due")
}

func notKnown(a ward.Alert, answers []ward.Response, known register) Table {
	t := Table{Caption: "Not known", Note: "No evidence says whether these are exposed.", Empty: Empty{Text: "Every organisation is known to be exposed or not, by evidence or by its own declaration."},
		Columns: []Column{{Title: "Organisation"}, {Title: "Why it is not known"}, {Title: "Stands", Tight: true}}}
	if a.Product != "" {
		t.Note = "No evidence says whether these are exposed. Each one's page asks it: “Do you run " + a.Product + "?”"
	}
	for _, x := range answers {
		if x.Current.State == ward.ExposureUnknown {
			t.Rows = append(t.Rows, Row{Cells: []View{link(known.name(x.Org), orgHref(x.Org)), Text(x.Current.Reason), standOf(x).tag()}})
		}
	}
	return t
}

// claimTable holds what organisations say against what evidence shows, what needs a person first.
func claimTable(a ward.Alert, answers []ward.Response, known register) Table {
	t := Table{Caption: "Claims against evidence", HideCaption: true,
		Columns: []Column{{Title: "Organisation"}, {Title: "Says"}, {Title: "Evidence"}, {Title: "By"}, {Title: "Observed", Tight: true}},
		Empty:   Empty{Text: "Nobody has claimed a fix yet, or denied that the alert applies."}}
	order := []ward.ProofResult{ward.Contradicted, ward.Disputed, ward.Awaiting, ward.Confirmed, ""}
	claims := slices.DeleteFunc(slices.Clone(answers), func(x ward.Response) bool { return x.ClaimedFixedAt.IsZero() && x.Proof.Result == "" })
	slices.SortStableFunc(claims, func(x, y ward.Response) int {
		return cmp.Compare(slices.Index(order, x.Proof.Result), slices.Index(order, y.Proof.Result))
	})
	for _, x := range claims {
		says := appliesWord(x.Applicability)
		if !x.ClaimedFixedAt.IsZero() {
			says = "Fixed since " + At(x.ClaimedFixedAt)
		}
		observed := View(Moment{x.Proof.ObservedAt})
		if x.Proof.ObservedAt.IsZero() {
			observed = Text("nothing newer")
		}
		t.Rows = append(t.Rows, Row{Cells: []View{link(known.name(x.Org), answerHref(a.ID, x.Org)), Text(says),
			Why{View: proofTag(x.Proof.Result), Reason: x.Proof.Why}, Text(seen(x.Proof.Source, x.Proof.Grade)), observed}})
	}
	return t
}

// claimedWords are the two figures that must never be mistaken for each other.
func claimedWords(answers []ward.Response) string {
	claimed, confirmed := 0, 0
	for _, x := range answers {
		if !x.ClaimedFixedAt.IsZero() {
			claimed++
			if x.Proof.Result == ward.Confirmed {
				confirmed++
			}
		}
	}
	return some(claimed, Number(claimed)+" "+plural(claimed, "says", "say")+" it is fixed, evidence confirms "+Number(confirmed))
}

// answerTable is the list of answers, those that need a person first; stands is the letter of one state, or empty.
func answerTable(a ward.Alert, answers []ward.Response, known register, letter string) Table {
	t := Table{Caption: "Answers", HideCaption: true, Keys: true,
		Columns: []Column{{Title: "Organisation"}, {Title: "Stands", Tight: true}, {Title: "Known, then and " + lastKnown(a)}, {Title: "Its words"}, {Title: "Next due", Tight: true}}}
	shown := slices.Clone(answers)
	if letter != "" {
		shown = slices.DeleteFunc(shown, func(x ward.Response) bool { return standOf(x).Letter != letter })
		t.Empty = Empty{Text: "No answer stands so now.", Next: link("Show every answer", alertHref(a.ID)+"#answers")}
	}
	slices.SortStableFunc(shown, func(x, y ward.Response) int {
		return slices.Index(stands, standOf(x)) - slices.Index(stands, standOf(y))
	})
	total := len(shown)
	shown = shown[:min(total, mostAnswers)]
	t.Note = fmt.Sprintf("%s of %s, what needs a person first", Number(len(shown)), Number(len(answers)))
	for _, x := range shown {
		words := View(Text(appliesWord(x.Applicability)))
		if x.Words != "" {
			words = Why{View: words, Reason: x.Words}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{link(known.name(x.Org), answerHref(a.ID, x.Org)), standOf(x).tag(),
			Why{View: Text(thenAndNow(a, x)), Reason: x.Current.Reason}, words, dueView(x)}})
	}
	return t
}

// thenAndNow is what was known at publication, and what was known last where that changed.
func thenAndNow(a ward.Alert, x ward.Response) string {
	then, now := knownOf(x.Standing.State).Word, knownOf(x.Current.State).Word
	if then == now {
		return now
	}
	return then + ", " + lastKnown(a) + " " + lower(now)
}

// delivery says who was told, who opened it, and who was not told.
func delivery(told []ward.Notice, answers []ward.Response, known register) (Table, string) {
	t := Table{Caption: "Delivery", HideCaption: true, Columns: []Column{{Title: "Organisation"}, {Title: "Put into its inbox", Tight: true}, {Title: "Opened", Tight: true}, {Title: "Acknowledged", Tight: true}}}
	by := map[ward.OrgID]ward.Notice{}
	opened := 0
	for _, n := range told {
		by[n.Org] = n
		if !n.Read.IsZero() {
			opened++
		}
	}
	acknowledged := 0
	for _, x := range answers {
		n, ok := by[x.Org]
		at := func(t time.Time, otherwise string) View {
			if t.IsZero() {
				return Text(otherwise)
			}
			return Moment{t}
		}
		put, open := at(n.Created, "not delivered"), at(n.Read, "not opened")
		if !ok {
			put = Tag{"Not delivered", ToneCritical}
		}
		if !n.Read.IsZero() {
			open = Why{View: open, Reason: "by " + n.ReadBy}
		}
		ack := at(x.AcknowledgedAt, "not yet")
		if !x.AcknowledgedAt.IsZero() {
			acknowledged++
			ack = Why{View: ack, Reason: "by " + x.AcknowledgedBy}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(known.name(x.Org)), put, open, ack}})
	}
	missing := len(answers) - len(by)
	return t, clauses("put into "+Number(len(by))+" of "+Count(len(answers), "inbox", "inboxes"), some(missing, Number(missing)+" not delivered"), Number(opened)+" opened in the inbox", Number(acknowledged)+" acknowledged")
}

// sentWords are what became of the messages of an alert: "3 of 230 not delivered: bounce".
func sentWords(sent notify.Summary) string {
	if len(sent.Messages) == 0 {
		return ""
	}
	total := 0
	for _, n := range sent.Messages {
		total += n
	}
	parts := []string{"messages reached " + Number(sent.Reached) + " of " + Count(sent.Organisations, "organisation")}
	if sent.Waiting > 0 {
		parts = append(parts, Number(sent.Waiting)+" "+is(sent.Waiting)+" still on the way")
	}
	if n := len(sent.Unreached); n > 0 {
		why := map[string]bool{}
		for _, u := range sent.Unreached {
			why[strings.ReplaceAll(string(u.State), "_", " ")] = true
		}
		parts = append(parts, Number(n)+" not delivered: "+someOf(slices.Sorted(maps.Keys(why))))
	}
	return clauses(append(parts, Count(total, "message")+" in all")...)
}

// unreached lists whom no message reached, or nil.
func unreached(sent notify.Summary, known register) *Table {
	if len(sent.Unreached) == 0 {
		return nil
	}
	t := Table{Caption: "Not delivered", Note: "No message reached these. The call list has their numbers.",
		Columns: []Column{{Title: "Organisation"}, {Title: "What became of it"}, {Title: "When", Tight: true}}}
	for _, u := range sent.Unreached {
		t.Rows = append(t.Rows, Row{Cells: []View{link(known.name(u.Org), orgHref(u.Org)), Why{View: Tag{capital(strings.ReplaceAll(string(u.State), "_", " ")), ToneCritical}, Reason: u.Why}, When{u.At}}})
	}
	return &t
}

// oneAnswer is one organisation's answer as the national watch reads it: what it said, the evidence, what happened when.
// answerLinks are what can be done about an answer from the national side.
func (s *Site) answerLinks(who ward.Actor, a ward.Alert, x ward.Response, name string) []Link {
	links := []Link{link(a.Title, alertHref(a.ID)), link(name+": estate and coverage", orgHref(x.Org)), {Text: "Contacts", Href: contactsPath(x.Org), About: "of " + name}}
	if who.May(ward.MayRecord) && a.InForce() && x.MovedTo == "" {
		links = append(links, link("Record what they said by telephone", answerPath(x)+"/telephone"))
	}
	return append(links, link("Evidence pack", answerPath(x)+"/pack"), link("Messages", "/deliveries?"+url.Values{"alert": {string(a.ID)}, "org": {string(x.Org)}}.Encode()))
}

func (s *Site) oneAnswer(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	id, org := ward.AlertID(r.PathValue("id")), ward.OrgID(r.PathValue("org"))
	a, err := s.Alerts.Get(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	x, err := s.Responses.Get(ctx, who.Scope, id, org)
	if err != nil {
		return Page{}, err
	}
	entries, err := s.Responses.History(ctx, who.Scope, id, org)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	if !a.InForce() {
		x.Overdue = false
	}
	name := known.name(org)
	row := func(key string, value View) SummaryRow { return SummaryRow{Key: key, Value: value} }
	facts := SummaryList{Rows: []SummaryRow{
		row("Stands", Why{View: standOf(x).tag(), Reason: "owes " + owing(x)}),
		row("Next due", dueView(x)),
		row("Known at publication", Why{View: knownOf(x.Standing.State).tag(), Reason: x.Standing.Reason}),
		row("Known "+lastKnown(a), Why{View: knownOf(x.Current.State).tag(), Reason: evidenceOf(x.Current)}),
		row("Acknowledged", acknowledged(x)),
		row("Applies", Text(appliesWord(x.Applicability))),
	}}
	if !x.ClaimedFixedAt.IsZero() {
		facts.Rows = append(facts.Rows, row("Says it is fixed since", Moment{x.ClaimedFixedAt}))
	}
	if x.Dispute != "" {
		facts.Rows = append(facts.Rows, row("Contests the match", Prose(x.Dispute)))
	}
	if x.Words != "" {
		facts.Rows = append(facts.Rows, row("Its last words", Prose(x.Words)))
	}
	facts.Rows = append(facts.Rows, row("Evidence", Why{View: proofTag(x.Proof.Result), Reason: x.Proof.Why}))
	page := Page{Title: name + ": answer to " + string(id), Template: "answer-national", Current: "alerts", Crumbs: crumbsTo(a)}
	page.Data = struct {
		Live    Live
		Lede    string
		Facts   SummaryList
		Seen    Table
		History Table
		Links   []Link
	}{
		Live: Live{ID: "one-answer", Href: answerHref(id, org), Topics: []string{"alert:" + string(id)}},
		Lede: answerLede(name, x), Facts: facts, Seen: seenTable(x.Proof), History: entryTable(entries),
		Links: s.answerLinks(who, a, x, name),
	}
	return page, nil
}

func answerLede(name string, x ward.Response) string {
	switch {
	case x.State == ward.ClosedAnswer && x.Proof.Why != "":
		return clauses(x.ClosedAs, x.Proof.Why)
	case x.State == ward.ClosedAnswer:
		return clauses(x.ClosedAs)
	case x.Proof.Why != "":
		return clauses(x.Proof.Why, name+" owes "+owing(x))
	}
	return clauses(name + " owes " + owing(x))
}

func acknowledged(x ward.Response) View {
	if x.AcknowledgedAt.IsZero() {
		return Text("not yet")
	}
	return Why{View: Moment{x.AcknowledgedAt}, Reason: "by " + x.AcknowledgedBy}
}

// evidenceOf is a standing's reason with its source and time.
func evidenceOf(st ward.Standing) string {
	if st.Source == "" || st.ObservedAt.IsZero() {
		return st.Reason
	}
	return fmt.Sprintf("%s; %s at %s", strings.TrimSuffix(st.Reason, "."), seen(st.Source, st.Grade), At(st.ObservedAt))
}

// seenTable is what each source last showed on each machine that a proof looked at.
func seenTable(p ward.Proof) Table {
	t := Table{Caption: "What sources show", Note: "The newest sighting of each source on each machine. “No longer seen” confirms nothing.",
		Columns: []Column{{Title: "Machine", Tight: true}, {Title: "Software"}, {Title: "Status"}, {Title: "Fixed in", Tight: true}, {Title: "By"}, {Title: "Observed", Tight: true}},
		Empty:   Empty{Text: "No source shows a machine that this alert is about."}}
	for _, x := range p.Assets {
		status := statusTag(x.Status)
		if x.Gone {
			status = Tag{"No longer seen", ToneSilent}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{link(x.Name, "/assets/"+strconv.FormatInt(int64(x.Asset), 10)), Text(strings.TrimSpace(strings.TrimSuffix(x.Software, x.Version)) + " " + x.Version),
			Why{View: status, Reason: x.Why}, Text(x.Fixed), Text(seen(x.Source, x.Grade)), Moment{x.ObservedAt}}})
	}
	return t
}

func entryTable(entries []ward.Entry) Table {
	t := Table{Caption: "What happened", Note: "Newest first", Columns: []Column{{Title: "When", Tight: true}, {Title: "What"}, {Title: "By", Tight: true}},
		Empty: Empty{Text: "Nothing was said yet."}}
	for _, e := range slices.Backward(entries) {
		what := View(Text(entryWord(e.Kind)))
		if words := entryWords(e); words != "" {
			what = Why{View: what, Reason: words}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Moment{e.At}, what, Text(e.By)}})
	}
	return t
}
