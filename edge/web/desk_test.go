package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"wardwatch/act/duty"
	"wardwatch/ward"
)

// deskPlace is a played site with two people at the national desk.
func deskPlace(t *testing.T) (p *place, nadia, owen *http.Client, asks func(what string, c *http.Client, path string, form url.Values, want int, says ...string) string) {
	t.Helper()
	p = played(t, time.Date(2025, 5, 15, 16, 50, 0, 0, time.UTC))
	nadia, owen = p.as(t, "nadia.frost@watch.example"), p.as(t, "owen.tarn@watch.example")
	asks = func(what string, c *http.Client, path string, form url.Values, want int, says ...string) string {
		t.Helper()
		var (
			status int
			body   string
		)
		if form == nil {
			status, body = p.get(t, c, path)
		} else {
			status, body = p.post(t, c, path, form)
		}
		for _, words := range says {
			if !strings.Contains(body, words) {
				t.Errorf("%s does not say %q:\n%s", what, words, main(body))
			}
		}
		if status != want {
			t.Errorf("%s: %d, want %d", what, status, want)
		}
		return body
	}
	return p, nadia, owen, asks
}

func TestTwoShareTheQueue(t *testing.T) {
	p, nadia, owen, asks := deskPlace(t)
	waiting, err := p.Duty.Items(t.Context(), p.people["owen.tarn"], duty.Query{Kind: ward.ItemOverdue})
	if err != nil || len(waiting.Items) == 0 {
		t.Fatalf("nothing is overdue: %v", err)
	}
	one := waiting.Items[0]
	path := "/queue/items/" + url.PathEscape(string(one.ID))
	asks("take", owen, "/queue", url.Values{"take": {string(one.ID)}, "kind": {"overdue"}}, 200, "You have 1 more item.", "You")
	asks("what another has", nadia, "/queue?kind=overdue", nil, 200, "Owen Tarn")
	asks("take what another has", nadia, "/queue", url.Values{"take": {string(one.ID)}}, http.StatusConflict, "Owen Tarn has it since")
	asks("give back what another has", nadia, path, url.Values{"do": {"release"}}, http.StatusConflict, "Owen Tarn")
	asks("its page", nadia, path, nil, 200, "Take it over from Owen Tarn")
	asks("take over without a reason", nadia, path, url.Values{"do": {"take_over"}}, 422, "Say what was done, or why: the next shift reads it.", `id="words-take_over"`)
	asks("take over", nadia, path, url.Values{"do": {"take_over"}, "words": {"Owen is on the telephone. " + markup}}, 200, "Nadia Frost", "Took over", "&lt;script&gt;")
	asks("a date that is past", nadia, path, url.Values{"do": {"snooze"}, "until-day": {"1"}, "until-month": {"1"}, "until-year": {"2025"}, "until-time": {"08:00"}}, 422, "Give a time within the next 30 days")
	asks("no date", nadia, path, url.Values{"do": {"snooze"}, "until-time": {"08:00"}}, 422, "This is not a date")
	asks("no time", nadia, path, url.Values{"do": {"snooze"}, "until-day": {"16"}, "until-month": {"5"}, "until-year": {"2025"}, "until-time": {"soon"}}, 422, "This is not a time")
	asks("not before", nadia, path, url.Values{"do": {"snooze"}, "until-day": {"16"}, "until-month": {"5"}, "until-year": {"2025"}, "until-time": {"08:00"}, "words": {"They open at eight."}}, 200, "Set aside until the time that you gave")
	asks("what is set aside", owen, "/queue?aside=yes", nil, 200, "Set aside by Nadia Frost", "They open at eight.")
	asks("bring it back", owen, path, url.Values{"do": {"wake"}}, 200, "Nadia Frost")
	asks("give it back", nadia, path, url.Values{"do": {"release"}, "words": {"I go home."}}, 200, "You gave back 1 item")
	asks("done without words", owen, path, url.Values{"do": {"done"}}, 422, "Say what was done")
	asks("done", owen, path, url.Values{"do": {"done"}, "words": {"They answered by telephone."}}, 200, "Set aside until it is another matter")
	asks("a press that is not known", owen, path, url.Values{"do": {"explode"}}, 422, "Is not known")
	asks("an item that is not there", owen, "/queue/items/overdue:CC-1:XZ1", nil, 404)

	asks("nothing chosen", owen, "/queue", url.Values{"do": {"take"}}, 422, "Choose at least one item.")
	asks("all that match", owen, "/queue", url.Values{"all": {"yes"}, "do": {"take"}, "kind": {"feed"}}, 200, "more items.")
	asks("what one has, taken with others", nadia, "/queue", url.Values{"all": {"yes"}, "do": {"take"}}, 200, "left as they were")
	asks("give all back", owen, "/queue", url.Values{"all": {"yes"}, "do": {"release"}, "kind": {"feed"}}, 200, "You gave back")
	asks("a hospital", p.as(t, "amara.quill@xz1a.example"), "/queue", url.Values{"all": {"yes"}, "do": {"take"}}, 403)
}

func TestViewsLogAndHandOver(t *testing.T) {
	p, nadia, owen, asks := deskPlace(t)
	asks("a view without a name", nadia, "/queue/views", url.Values{"query": {"kind=overdue"}}, 422, "Give the view a name.")
	asks("a view", nadia, "/queue/views", url.Values{"query": {"kind=overdue&after=x&evil=1"}, "title": {"Late " + markup}, "shared": {"yes"}}, 200, "The view is kept.")
	body := asks("shared", owen, "/queue", nil, 200, `href="/queue?kind=overdue"`, "shared by Nadia Frost")
	if strings.Contains(body, "evil") || strings.Contains(body, "Remove “") {
		t.Error("a view keeps what is no filter, or another may remove it")
	}
	_, id, _ := strings.Cut(asks("own", nadia, "/queue", nil, 200, "Remove “Late"), `name="id" value="`)
	id, _, _ = strings.Cut(id, `"`)
	asks("remove another's", owen, "/queue/views/remove", url.Values{"id": {id}}, 404)
	asks("remove", nadia, "/queue/views/remove", url.Values{"id": {id}}, 200, "The view is removed.")

	asks("an empty line", nadia, "/log", url.Values{"org": {"XZ5E"}}, 422, "Say what was done", `value="XZ5E" selected`)
	asks("an alert that is not there", nadia, "/log", url.Values{"words": {"x"}, "alert": {"CC-1"}}, 422, "There is no alert with this threat ID")
	asks("a line", nadia, "/log", url.Values{"words": {"Called Brackenford. " + markup}, "alert": {"cc-900001"}, "org": {"XZ5E"}}, 200, "Written into the log.", "Called Brackenford.", "&lt;script&gt;")
	body = asks("only what people wrote", owen, "/log?written=yes&hours=12", nil, 200, "Called Brackenford.", "Brackenford District Hospital")
	if strings.Contains(body, "published an alert") {
		t.Error("what the product wrote is among what people wrote")
	}
	asks("hand-over", owen, "/handover?hours=72", nil, 200, "Called Brackenford.", "Published", "What organisations did", "Acknowledged", "Made from the watch log")
	asks("too long", owen, "/handover", url.Values{"words": {strings.Repeat("x", 3000)}}, 422, "There is a problem")
	asks("handed over", owen, "/handover", url.Values{"words": {"Brackenford calls back at six."}, "keep": {"yes"}}, 200, "Handed over.", "Brackenford calls back at six.")
	asks("since then", nadia, "/handover", nil, 200, "From 16:50 UTC on 15 May 2025")

	asks("search", nadia, "/search?q=oakhallow", nil, 200, "Oakhallow Children&#39;s Hospital")
	asks("search for too little", nadia, "/search?q=x", nil, 200, "give at least two letters")
	asks("search for nothing", nadia, "/search?q=zzzzzz", nil, 200, "Nothing holds")
	body = asks("a hospital searches", p.as(t, "amara.quill@xz1a.example"), "/search?q=hospital", nil, 200, "Search")
	if strings.Contains(body, "Oakhallow") || strings.Contains(body, "Fellwick") {
		t.Error("a hospital finds another organisation")
	}
}

func TestWhoIsOnCallAndWhatThingsAreCalled(t *testing.T) {
	p, nadia, owen, asks := deskPlace(t)
	c, err := p.Notify.AddContact(t.Context(), p.people["owen.tarn"], ward.Contact{Name: "Duty officer " + markup, Kind: ward.PersonContact, Rungs: []ward.Rung{ward.RungDutyOfficer}, Addresses: []ward.Address{{Channel: ward.Voice, To: "01632 960000"}}})
	if err != nil {
		t.Fatal(err)
	}
	day := url.Values{"from-day": {"15"}, "from-month": {"5"}, "from-year": {"2025"}, "from-time": {"09:00"}, "days": {"7"}, "turns": {"4"}, "rung": {"duty_officer"}}
	asks("nobody takes turns", owen, "/desk/contacts/rota", day, 422, "Choose who takes turns", `value="15"`)
	day.Set("contacts", "1")
	day.Set("turns", "none")
	asks("no turns", owen, "/desk/contacts/rota", day, 422, "There is a problem")
	day.Set("turns", "4")
	asks("a rota", owen, "/desk/contacts/rota", day, 200, "The rota is kept.", "09:00 UTC on 22 May 2025")
	asks("call list", nadia, "/call-list", nil, 200, "On call", "01632 960000", "No number is known of")
	asks("a contact of the desk", nadia, "/desk/contacts/1", nil, 200, "National duty officer")
	asks("messages", nadia, "/deliveries?alert=CC-900001", nil, 200, "Messages about CC-900001", "No message about it was sent")
	asks("messages of no alert", nadia, "/deliveries?alert=CC-1", nil, 404)
	if c.ID != 1 {
		t.Errorf("contact %d", c.ID)
	}

	names := url.Values{"vendor": {"Larkmoor"}, "product": {"Phone Keeper " + markup}, "other_vendor": {"Ivanti"}, "other_product": {"Endpoint Manager Mobile"}}
	asks("names without a reason", nadia, "/aliases", names, 422, "There is a problem", `value="Larkmoor"`)
	names.Set("reason", "Larkmoor's own name for it.")
	body := asks("names", nadia, "/aliases", names, 200, "Joined.", "One pair of names is joined by hand", "Phone Keeper &lt;script&gt;")
	_, id, _ := strings.Cut(body, `name="id" value="`)
	id, _, _ = strings.Cut(id, `"`)
	asks("undone without a reason", owen, "/aliases/undo", url.Values{"id": {id}}, 422, "Say why", `id="reason-`+id)
	asks("undone", owen, "/aliases/undo", url.Values{"id": {id}, "reason": {"It is another server."}}, 200, "Undone.", "by Owen Tarn")
	asks("in the log", nadia, "/log", nil, 200, "It is another server.")
}
