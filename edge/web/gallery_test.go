package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"wardwatch/edge/web"
	"wardwatch/test/browser"
	"wardwatch/ward"
)

// now is the moment at which the gallery is looked at.
var now = time.Date(2026, 5, 14, 9, 0, 0, 0, time.UTC)

var (
	overdue     = web.State{Word: "Overdue", Letter: "O", Tone: web.ToneCritical}
	started     = web.State{Word: "Acknowledged", Letter: "A", Tone: web.ToneStarted}
	answered    = web.State{Word: "Answered", Letter: "W", Tone: web.ToneMoving}
	controlled  = web.State{Word: "Controlled", Letter: "C", Tone: web.ToneControlled}
	unconfirmed = web.State{Word: "Closed, not confirmed", Letter: "U", Tone: web.ToneClaimed}
	confirmed   = web.State{Word: "Closed, confirmed", Letter: "K", Tone: web.ToneDone}
	disputed    = web.State{Word: "Disputed", Letter: "D", Tone: web.ToneWarning}
	silent      = web.State{Word: "Silent", Letter: "S", Tone: web.ToneSilent}
	notKnown    = web.State{Word: "Not known", Letter: "N", Tone: web.ToneUnknown}
	states      = []web.State{overdue, disputed, started, answered, controlled, unconfirmed, confirmed, silent, notKnown}
)

func tag(s web.State) web.Tag { return web.Tag{Text: s.Word, Tone: s.Tone} }

func regions() []web.TileRegion {
	names := []string{"Highmoor", "Saltmarsh", "Three Rivers", "Weald and Down"}
	sizes := []int{14, 9, 11, 6}
	out := make([]web.TileRegion, len(names))
	n := 0
	for i, name := range names {
		out[i].Name = name
		for range sizes[i] {
			n++
			s := states[(n*5+n/3)%len(states)]
			out[i].Tiles = append(out[i].Tiles, web.Tile{Name: fmt.Sprintf("%s Trust %d", name, n), Href: fmt.Sprintf("/o/%d", n), State: s,
				Note: "last import 13 May"})
		}
	}
	return out
}

type section struct {
	Title string
	Views []web.View
}

func queue() web.Table {
	row := func(key, severity string, tone web.Tone, what, why string, orgs string, age time.Duration, who string) web.Row {
		return web.Row{Key: key, Name: what, Cells: []web.View{
			web.Why{View: web.Link{Text: what, Href: "/a/" + key}, Reason: why},
			web.Tag{Text: severity, Tone: tone}, web.Text(orgs), web.When{At: now.Add(-age)}, web.Text(who)}}
	}
	return web.Table{
		Caption: "Needs a person", Note: "3 of 3, oldest first",
		Keys: true,
		Columns: []web.Column{{Title: "What"}, {Title: "Severity", Tight: true}, {Title: "Organisations", Right: true, Sort: "?by=orgs"},
			{Title: "Age", Tight: true, Sort: "?by=age", Order: "descending"}, {Title: "Who has it", Tight: true}},
		Rows: []web.Row{
			row("1", "High", web.ToneCritical, "Update Endpoint Manager Mobile to 12.5.0.1", "Exploited since 13 May; 3 exposed, 2 not known", "5", 26*time.Hour, "Mina Okafor"),
			row("2", "High", web.ToneCritical, "Drumlin Trust: answer contradicted", "Import of 14 May shows 12.4.0.1 on mdm-02", "1", 5*time.Hour, "nobody"),
			row("3", "Medium", web.ToneWarning, "Rule on a disputed match: 12.4.0.2", "The organisation says this branch has its own fix", "1", 40*time.Minute, "nobody"),
		},
		Pick: &web.Pick{Name: "finding", Action: "/queue", Buttons: []web.Button{{Text: "Take", Name: "do", Value: "take", Small: true},
			{Text: "Hand over", Kind: web.Secondary, Name: "do", Value: "hand-over", Small: true}}},
	}
}

func gallery() []section {
	day := func(d, h int) time.Time { return time.Date(2026, 5, d, h, 0, 0, 0, time.UTC) }
	parts := []web.Part{}
	for i, s := range states {
		parts = append(parts, web.Part{State: s, Count: []int{12, 2, 9, 31, 4, 17, 58, 6, 7}[i], Href: "/answers/" + s.Letter})
	}
	var tags web.Stack
	for _, s := range states {
		tags = append(tags, tag(s), web.Text(" "))
	}
	tags = append(tags, web.Tag{Text: "TLP:AMBER"})
	return []section{
		{"Numbers", []web.View{web.Stats{
			{Value: "3", Of: "things need a person", Since: "oldest 26 hours"},
			{Value: "12", Of: "organisations overdue", Since: "since 48 hours after issue", Tone: web.ToneCritical},
			{Value: "7", Of: "not known", Since: "for the alerts in force", Tone: web.ToneWarning},
			{Value: "1,204", Of: "machines exposed", Since: "by imports up to 08:40 UTC"},
		}}},
		{"Queue", []web.View{web.Live{ID: "queue", Href: "/_kit", Topics: []string{"findings", "alerts"}, Body: queue()}, web.Pager{Prev: "?before=1", Next: "?after=3", Note: "51 to 100 of 1,204"}}},
		{"Where it stands", []web.View{
			web.Panel{Body: web.TileMap{Title: "Answers by organisation", Reading: "Every organisation is one tile; press one to see what stands behind its state.", States: states, Regions: regions()}},
			web.Panel{Body: web.AnswerBar{Title: "Answers by state", Reading: "58 of 146 organisations are closed and confirmed; 12 are overdue.", Parts: parts}},
			web.Panel{Body: web.StepChart{Title: "Exposed over time", Reading: "Exposure rose to 9 organisations after the disclosure and fell to 3 after the alert.", Unit: "organisations exposed",
				From: day(1, 0), To: day(20, 0),
				Steps: []web.Step{{At: day(1, 0), Value: 2}, {At: day(4, 0), Value: 5}, {At: day(7, 12), Value: 9}, {At: day(12, 0), Value: 6}, {At: day(15, 0), Value: 3}},
				Marks: []web.Mark{{At: day(2, 0), Label: "Exploited since 2 May"}, {At: day(6, 0), Label: "Disclosed 6 May"}, {At: day(7, 12), Label: "Alert 7 May, 12:00"}, {At: day(14, 0), Label: "Fix confirmed 14 May"}}}},
			web.Table{Caption: "In force", HideCaption: true, Columns: []web.Column{{Title: "Alert"}, {Title: "Answers"}, {Title: "Overdue", Right: true}},
				Rows: []web.Row{{Cells: []web.View{web.Link{Text: "CC-900001", Href: "/alerts/1"}, web.AnswerBar{Parts: parts, Compact: true}, web.Text("12")}}}},
		}},
		{"States in words", []web.View{tags}},
		{"What you owe", []web.View{
			web.TaskList{Tasks: []web.Task{
				{Text: "Acknowledge", Hint: "By 16:00 UTC on 15 May", Href: "/1", Status: tag(confirmed)},
				{Text: "Say whether it applies", Href: "/2", Status: tag(started)},
				{Text: "Act", Hint: "Update 2 machines to 12.5.0.1", Href: "/3", Status: tag(overdue)},
				{Text: "Close", Status: web.Text("Cannot start yet")},
			}},
			web.SummaryList{Rows: []web.SummaryRow{
				{Key: "Operator", Value: web.Text("Drumlin Trust"), Actions: []web.Link{{Text: "Change", Href: "/c", About: "the operator"}}},
				{Key: "Software", Value: web.Code("cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*")},
				{Key: "Last seen", Value: web.When{At: now.Add(-5 * time.Hour)}},
				{Key: "Answer due", Value: web.When{At: now.Add(31 * time.Hour)}, Actions: []web.Link{{Text: "Ask for more time", Href: "/m"}, {Text: "Answer", Href: "/n", About: "CC-900001"}}},
			}},
		}},
		{"Words that stand out", []web.View{
			web.Banner{Heading: "2 organisations were added to the audience."},
			web.Banner{ID: "sent", Good: true, Heading: "Answer sent at 09:00 UTC.", Body: web.Link{Text: "See it", Href: "/see"}},
			web.Inset{Body: web.Text("Not exposed, by the Defender export of 13 May, which covers workstations and servers.")},
			web.Warning{Title: "Patched is not clean", Text: "This machine was reachable while the weakness was being exploited. It also needs a compromise assessment."},
			web.Details{Summary: "Why you see this", Body: web.Text("You lead security at Drumlin Trust, which operates mdm-02.")},
			web.Empty{Text: "No alerts in force. The last one closed on 3 May.", Next: web.Link{Text: "Draft an alert", Href: "/draft"}},
			web.Progress{ID: "hunt", Label: "Hunting 14 indicators", Done: 37, Total: 90, Note: "3 seen in 2 organisations so far"},
			web.Prose("First paragraph <script>alert(1)</script>.\nSecond line.\n\nSecond paragraph."),
			web.BackLink{Href: "/back"},
		}},
		{"An answer", []web.View{web.Form{
			Action: "/answer", Hidden: []web.Hidden{{Name: "version", Value: "3"}},
			Errors: web.ErrorSummary{Errors: []web.FieldError{{Field: "fixed-at-day", Text: "Enter the day on which the update was installed"}, {Field: "applies", Text: "Choose whether it applies to you"}}},
			Fields: []web.View{
				web.Radios{Name: "applies", Legend: "Does it apply to you?", Hint: "We think it does: mdm-02 was seen with 12.5.0.0.", Error: "Choose whether it applies to you",
					Choices: []web.Choice{{Value: "yes", Text: "Yes"}, {Value: "no", Text: "No", Hint: "You will be asked what we got wrong"}, {Value: "hosted", Text: "Another organisation hosts it"}}},
				web.Checkboxes{Name: "asset", Legend: "Which machines are done?", Choices: []web.Choice{{Value: "mdm-01", Text: "mdm-01, Drumlin General", Chosen: true}, {Value: "mdm-02", Text: "mdm-02, Saltmarsh House"}}},
				web.DateInput{Name: "fixed-at", Legend: "When was the update installed?", Hint: "For example, 14 5 2026", Error: "Enter the day on which the update was installed", Month: "5", Year: "2026"},
				web.Input{Name: "seen-version", Label: "Version now", Hint: "As the machine shows it", Value: `12.5.0.1 "<b>`, Width: 10},
				web.Input{Name: "machines", Label: "Machines", Suffix: "machines", Width: 4, InputMode: "numeric"},
				web.Select{Name: "control", Label: "What stands in for the update?", Choices: []web.Choice{{Value: "", Text: "Nothing"}, {Value: "block", Text: "Blocked at the edge", Chosen: true}}},
				web.Textarea{Name: "note", Label: "Anything we should know", Hint: "No names of patients", Value: "</textarea><script>alert(1)</script>"},
				web.FileInput{Name: "proof", Label: "A newer export", Hint: "CSV, Defender JSON or CycloneDX"},
			},
			Buttons: []web.Button{{Text: "Send the answer"}, {Text: "Save as a draft", Kind: web.Secondary, Name: "draft", Value: "yes"}, {Text: "Withdraw", Kind: web.Danger, Name: "withdraw", Value: "yes"}},
		}}},
	}
}

const galleryPage = `{{define "main"}}<h1 class="nhsuk-heading-l">{{.Title}}</h1>
<p class="ww-lede"><strong>3 things need a person</strong>; 12 organisations are overdue; 7 are not known for the open alerts.</p>
{{range .Data}}<section><h2 class="nhsuk-heading-m">{{.Title}}</h2>{{range .Views}}{{view .}}{{end}}</section>{{end}}{{end}}`

func frame(*http.Request) web.Frame {
	return web.Frame{
		Person:  web.Person{Name: "Mina Okafor", Role: "national analyst"},
		Nav:     []web.NavItem{{Key: "watch", Text: "Watch", Href: "/", Count: 3}, {Key: "alerts", Text: "Alerts", Href: "/alerts"}, {Key: "weaknesses", Text: "Weaknesses", Href: "/w"}, {Key: "organisations", Text: "Organisations", Href: "/o"}, {Key: "feeds", Text: "Feeds", Href: "/f", Count: 1}},
		SignOut: "/sign-out", Live: "/events", Watched: "Opening an organisation is recorded, and the organisation can see it.",
	}
}

func renderer(t testing.TB, change func(*web.Options)) *web.Renderer {
	t.Helper()
	opts := web.Options{Operator: "Federation Watch", Exercise: true, Clock: ward.NewHandClock(now), Frame: frame,
		Pages: fstest.MapFS{"kit.html": {Data: []byte(galleryPage)}}}
	if change != nil {
		change(&opts)
	}
	rd, err := web.NewRenderer(opts)
	if err != nil {
		t.Fatal(err)
	}
	return rd
}

// serve answers with the gallery at /_kit, the error pages beside it, and live hints.
func serve(t testing.TB, hints *web.Hints) string {
	t.Helper()
	rd := renderer(t, nil)
	mux := http.NewServeMux()
	mux.Handle(web.StaticPath, rd.Static())
	pages := map[string]web.Page{
		"/_kit": {Title: "Watch", Template: "kit", Data: gallery(), Current: "watch", Crumbs: []web.Link{{Text: "Home", Href: "/"}, {Text: "Alerts", Href: "/alerts"}}},
		"/_no":  web.NoAccess("The duty lead"),
		"/_404": web.NotFound(),
		"/_500": web.ServerError("K7Q2M9"),
		"/_409": web.Conflict(web.Conflicted{What: "the answer of Drumlin Trust to CC-900001",
			Saved: web.ConflictText{By: "Ana Reyes", When: web.When{At: now.Add(-2 * time.Minute)}, Text: "Updated both machines.\nRestarted at 08:10."},
			Yours: web.ConflictText{By: "You", When: web.When{At: now}, Text: "Updated mdm-01 only."}, Again: web.Link{Text: "Answer from the saved version", Href: "/again"}}),
	}
	for path, p := range pages {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { rd.Render(w, r, p) })
	}
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) { hints.Serve(t.Context(), w, r, nil) })
	srv := httptest.NewServer(mux)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL
}

func TestGallery(t *testing.T) {
	hints := &web.Hints{}
	b := browser.Start(t)
	at := serve(t, hints)

	b.Navigate(at + "/_kit")
	b.Check("kit")
	b.Screenshot("kit", browser.Tablet)
	b.NoSideScroll("kit at 768 px")
	b.Resize(browser.Desk)
	for _, p := range []string{"no", "404", "500", "409"} {
		b.NavigateError(at + "/_" + p)
		b.Check("error-" + p)
	}
}

func TestLiveAndKeys(t *testing.T) {
	hints := &web.Hints{}
	b := browser.Start(t)
	at := serve(t, hints)
	b.Navigate(at + "/_kit")
	b.Until(`document.querySelector("[data-live-state]").textContent === "Live"`)

	mark := `document.querySelector("#queue caption").textContent = "old"; true`
	fresh := `document.querySelector("#queue caption").textContent.startsWith("Needs a person")`

	b.Run()
	browser.Eval[bool](b, `document.activeElement.blur(); true`)
	b.Press("j")
	b.Press("j")
	b.Press("x")
	if got := browser.Eval[int](b, `[...document.querySelectorAll("#queue tbody tr")].findIndex((r) => r.querySelector("input").checked)`); got != 1 {
		t.Errorf("j j x chose row %d, want 1", got)
	}
	browser.Eval[bool](b, mark)
	hints.Send(ward.Hint{Topic: "findings"})
	b.Until(fresh)

	b.Click("[data-live-pause]")
	browser.Eval[bool](b, mark)
	hints.Send(ward.Hint{Topic: "findings"})
	b.Until(`document.querySelector("[data-live-state]").textContent === "Paused, 1 change waiting"`)
	if browser.Eval[bool](b, fresh) {
		t.Error("a paused page changed")
	}
	b.Click("[data-live-pause]")
	b.Until(fresh)
}
