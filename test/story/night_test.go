package story_test

import (
	"strings"
	"testing"

	"wardwatch/app"
	"wardwatch/test/browser"
	"wardwatch/ward"
)

// TestANightWithOnePersonAwake plays a night at the national desk through its pages: one person awake takes what waits by
// keyboard, publishes alone, writes down what is said by telephone, rules on a dispute, keeps the log and hands over; in the
// morning another approver signs.
func TestANightWithOnePersonAwake(t *testing.T) {
	w := open(t)
	w.emails["petra.lowe"] = "petra.lowe@watch.example"
	if _, _, err := w.app.Access.AddPerson(t.Context(), ward.System("test"), ward.Person{Name: "Petra Lowe", Email: w.emails["petra.lowe"], Role: ward.Approver}, password); err != nil {
		t.Fatal(err)
	}
	w.at("14 May 02:30")
	w.as("owen.tarn")
	w.deskIsReachable()
	w.queueByKeyboard()

	w.at("14 May 02:50")
	w.arrive(arrival{Do: "feed", Feed: "cve", File: "feeds/2025-05-13/cve"})
	w.settle()
	w.publishesAlone()

	w.at("14 May 03:40")
	w.brackenfordByTelephone()

	w.at("14 May 04:20")
	w.contests("XZ3C", "Catrin Vale", "catrin.vale", "The vendor's advisory lists 12.4.0.2 as the fixed release of the 12.4 branch.")
	w.rulesAtNight()
	w.findsAgain()

	w.at("14 May 05:10")
	w.writesItDown()
	w.at("14 May 06:45")
	w.handsOver()

	w.at("14 May 07:00")
	w.petraSigns()
}

// deskIsReachable: the desk keeps its own contacts, and the call list is printed while everything works.
func (w *world) deskIsReachable() {
	w.goTo("Queue")
	w.follow("Contacts and rota")
	w.see("n01-desk-contacts", "Contacts of the national desk", "Nobody would be told of an alert outside this product")
	w.follow("Add a contact")
	w.Fill("#name", "National duty officer")
	w.Fill("#voice", "01632 960000")
	w.choose("rungs", "duty_officer")
	w.follow("Keep the contact")
	w.says("National duty officer", "Telephone: 01632 960000")
	w.unfold("Write the rota")
	w.Click(`main input[name="contacts"]`)
	w.follow("Keep the rota")
	w.see("n02-desk-contacts-kept", "The rota is kept.", "national duty officer", "Write the rota")
	if _, err := w.app.Notify.AddContact(w.t.Context(), ward.System("test"), ward.Contact{Org: "XZ5E", Name: "Brackenford switchboard", Kind: ward.Switchboard, Order: 1,
		Addresses: []ward.Address{{Channel: ward.Voice, To: "01632 960555"}}}); err != nil {
		w.t.Fatal(err)
	}
	w.Navigate(w.url + "/call-list")
	w.see("n03-call-list", "01632 960000", "Brackenford switchboard", "No number is known of")
	w.paper("n03-call-list")
}

// queueByKeyboard: j and k move, x chooses, a takes, ? shows the keys; none of them works while somebody types.
func (w *world) queueByKeyboard() {
	w.goTo("Queue")
	w.see("n04-queue", "need a person", "I have this", "Keys for this list")
	w.Fill("#q", "")
	w.Press("jxa?")
	if got := browser.Eval[string](w.Browser, `document.querySelector("#q").value`); got != "jxa?" {
		w.t.Errorf("typed into the search: %q", got)
	}
	if browser.Eval[bool](w.Browser, `!!document.querySelector("tr.ww-at, .ww-keys[open], tbody input:checked")`) {
		w.t.Error("typing works the list")
	}
	browser.Eval[bool](w.Browser, `document.activeElement.blur(); true`)
	w.Press("?")
	w.says("next", "previous", "choose", "Turn these keys off")
	w.Check("n05-queue-keys")
	w.Press("j")
	w.Press("j")
	w.Press("k")
	w.Press("x")
	if at := browser.Eval[int](w.Browser, `[...document.querySelectorAll("tbody tr")].findIndex((r) => r.classList.contains("ww-at"))`); at != 0 {
		w.t.Errorf("j j k lead to row %d", at)
	}
	w.Press("j")
	w.Press("x")
	w.says("I have these", "that match")
	w.Check("n06-queue-chosen")
	w.follow("I have these")
	w.says("You have 2 more items", "You")
	w.Press("j")
	w.Press("j")
	w.Press("j")
	w.Follow("a")
	w.settle()
	w.see("n07-queue-taken", "You have 1 more item", "Yours 3")
	w.follow("Yours 3")
	w.Press("j")
	w.Press("x")
	w.choose("all", "yes")
	w.follow("Give these back")
	w.says("You gave back 3 items")
}

// publishesAlone: what came in becomes a draft, and there is nobody to approve it.
func (w *world) publishesAlone() {
	w.goTo("Queue")
	w.follow("Findings")
	w.Fill("#q", "CVE-2025-4427")
	w.follow("Search")
	for _, org := range []string{"Harrowmere", "Fellwick", "Oakhallow"} {
		w.Click(`//main//tr[contains(., "` + org + `") and contains(., "CVE-2025-4427")]//input[@name="finding"]`)
	}
	w.follow("Draft an alert from the chosen")
	w.Fill("#title", "Ivanti Endpoint Manager Mobile: two weaknesses exploited together")
	w.Fill("#summary", "An outsider can run code on the server without signing in. The vendor knows of attacks.")
	w.follow("Save the changes")
	w.at("14 May 03:10")
	w.unfold("Nobody else is awake")
	w.follow("Publish alone")
	w.see("n08-alone", "Only for when nobody else is awake")
	w.Fill("#reason", "The vendor knows of attacks, and nobody else answers the telephone.")
	w.Fill("#password", password)
	w.follow("Publish alone to all 12 organisations")
	w.see("n09-alert-alone", "A second approval is owed by 07:10", "Every message")
	w.goTo("Watch")
	w.see("n10-watch-owed", "Second approval", threat)
	w.Navigate(w.url + "/deliveries?alert=" + threat)
	w.see("n11-deliveries", "Messages about "+threat, "handed over:")
}

// brackenfordByTelephone: the switchboard is called, and what is said is written down with who said it and on which number.
func (w *world) brackenfordByTelephone() {
	w.Navigate(w.url + "/alerts/" + threat + "/answers/XZ5E")
	w.follow("Record what they said by telephone")
	w.see("n12-telephone", "Brackenford switchboard", "01632 960555")
	w.Fill("#speaker", "Night site manager")
	w.Fill("#number", "01632 960555")
	w.choose("say", "acknowledge")
	w.Fill("#words", "They have it, and wake their cyber lead.")
	w.follow("Record what they said")
	w.says("Night site manager", "01632 960555")
	w.Navigate(w.url + "/alerts/" + threat + "/answers/XZ5E")
	w.see("n13-answer-by-telephone", "by telephone", "Evidence pack")
}

// contests: an organisation says that a match is wrong.
func (w *world) contests(org ward.OrgID, name, user, words string) {
	w.t.Helper()
	if _, err := w.app.AnswerAlert(w.t.Context(), w.emails[user], threat, app.AlertAnswer{Org: string(org), Acknowledge: true, Applies: "no", Words: words}); err != nil {
		w.t.Fatal(err)
	}
	who := ward.Actor{Name: name, Org: org, Role: ward.Lead, Scope: ward.Only(org)}
	r, err := w.app.Responses.Get(w.t.Context(), who.Scope, threat, org)
	if err == nil {
		_, err = w.app.Responses.Dispute(w.t.Context(), who, threat, org, r.Version, words)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

// rulesAtNight: the dispute is an item like any other: taken, decided once for all, and gone from the queue.
func (w *world) rulesAtNight() {
	w.Navigate(w.url + "/queue?kind=disputed")
	w.see("n14-queue-disputed", "Disputed", "Oakhallow Children's Hospital")
	w.follow("More")
	w.see("n15-item", "the match is disputed", "Nobody yet", "I have this")
	w.follow("I have this")
	w.says("Who has it", "Owen Tarn", "Give it back")
	w.follow("Go to where it is done")
	w.follow("Decide")
	w.choose("status", "fixed")
	w.Fill("#reason", "The vendor's advisory names 12.4.0.2 as the fixed release of its branch.")
	w.follow("Rule for every organisation")
	w.says("Ruled.")
	w.Navigate(w.url + "/queue?kind=disputed")
	w.says("Nothing that waits fits")
}

// findsAgain by words over everything, keeps a list as a view, and sets aside what is done.
func (w *world) findsAgain() {
	w.goTo("Search")
	w.Fill("#q", "ivanti mobile")
	w.follow("Search")
	w.see("n16-search", "Alerts", threat, "Weaknesses", "CVE-2025-4427")
	w.Navigate(w.url + "/queue?kind=finding")
	w.unfold("Keep this list as a view")
	w.Fill("#title", "Updates nobody asks for")
	w.choose("shared", "yes")
	w.follow("Keep this view")
	w.says("The view is kept.", "Updates nobody asks for")
	w.follow("More")
	w.Fill("#words-done", "Their round of updates is on Tuesday.")
	w.follow("Set it aside as done")
	w.see("n17-queue-done", "Set aside until it is another matter", "Set aside 1")
}

func (w *world) writesItDown() {
	w.goTo("Queue")
	w.follow("Watch log")
	w.Expect(w.url + "/log")
	w.follow("Write it down")
	w.see("n18-log-refused", "There is a problem")
	w.Fill("#words", "Fellwick's on-call engineer rang: they patch at 08:00. Call back at 09:00 if they have not.")
	w.Fill("#alert", threat)
	w.follow("Write it down")
	w.see("n19-log", "Written into the log.", "Fellwick's on-call engineer rang", "published an alert alone")
}

func (w *world) handsOver() {
	w.goTo("Queue")
	w.follow("Hand-over")
	w.see("n20-handover", "open", "Coming due in the next shift", "Fellwick's on-call engineer rang", "Made from the watch log at 06:45")
	w.paper("n20-handover")
	w.Fill("#words", "Second approval first: it is owed by 07:10.")
	w.follow("Hand over")
	w.see("n21-log-handed", "Handed over.", "Second approval first", "gave back")
}

// petraSigns: the next approver opens the watch, and what is owed stands on top.
func (w *world) petraSigns() {
	w.as("petra.lowe")
	w.see("n22-watch-morning", "Second approval", "Owen Tarn published it alone")
	w.Press("j")
	w.Follow("a")
	w.settle()
	w.says("You have 1 more item")
	w.Press("j")
	w.Follow("o")
	w.follow("Give the second approval")
	w.see("n23-alert-signed", "Second approval given")
	w.Navigate(w.url + "/log")
	text := browser.Eval[string](w.Browser, `document.querySelector("main").innerText`)
	if !strings.Contains(text, "Petra Lowe") || !strings.Contains(text, "Gave the second approval") {
		w.t.Errorf("the log does not say who signed:\n%s", text)
	}
	w.Navigate(w.url + "/feeds")
	w.see("n24-feeds", "Channels by which people are told", "No channel is set up")
	w.Navigate(w.url + "/aliases")
	w.Fill("#vendor", "Larkmoor")
	w.Fill("#product", "Phone Keeper")
	w.Fill("#other_vendor", "Ivanti")
	w.Fill("#other_product", "Endpoint Manager Mobile")
	w.Fill("#reason", "Larkmoor's own name for the server that it hosts.")
	w.follow("Join the two names")
	w.see("n25-aliases", "Joined.", "Phone Keeper")
	w.unfold("Undo this")
	w.Fill("main details textarea", "It is another server.")
	w.follow("Undo: two products")
	w.says("Undone.")
}
