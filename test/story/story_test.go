package story_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/app"
	"wardwatch/test/browser"
)

// threat is the ID of the story's alert: the first exercise of a new watch.
const threat = "CC-900001"

// TestTheMainJob plays May 2025 as the national watch and the organisations would have lived it.
func TestTheMainJob(t *testing.T) {
	w := open(t)
	w.at("13 May 15:59")
	w.as("nadia.frost")
	w.see("01-watch-before", "No alerts in force")

	w.at("13 May 16:00")
	w.arrive(arrival{Do: "feed", Feed: "cve", File: "feeds/2025-05-13/cve"})
	w.settle()
	w.draft()
	w.approve()
	w.publish()

	w.at("13 May 16:40")
	w.harrowmereAnswers()
	w.at("13 May 17:30")
	w.bystandersAnswer()
	w.ravelgillAnswersByKeyboard()
	w.at("14 May 08:10")
	w.fellwickBegins()
	w.at("14 May 09:20")
	w.oakhallowDisputes()
	w.at("14 May 09:40")
	w.saltenbyAnswersWithoutScripts()

	w.at("14 May 22:05")
	w.harrowmereClaims()
	w.at("15 May 05:40")
	w.harrowmereIsConfirmed()
	w.at("15 May 14:00")
	w.nadiaRules()
	w.brackenfordIsLate()
	w.at("15 May 17:00")
	w.fellwickClaims()
	w.at("16 May 05:40")
	w.fellwickIsContradicted()
	w.at("16 May 16:45")
	w.saltenbyClosesOnItsWord()
	w.at("20 May 05:40")
	w.fellwickIsConfirmed()
	w.at("30 May 09:00")
	w.closeTheAlert()
}

// draft is the analyst's part: the finding at the head of the queue becomes a draft.
func (w *world) draft() {
	w.as("nadia.frost")
	w.goTo("Queue")
	w.follow("Findings")
	w.says("findings are open")
	w.Fill("#q", "CVE-2025-4427")
	w.follow("Search")
	w.see("02-queue", "Endpoint Manager Mobile", "Harrowmere University Hospitals", "Fellwick and Tarndale Hospitals", "Oakhallow Children's Hospital")
	for _, org := range []string{"Harrowmere", "Fellwick", "Oakhallow"} {
		w.Click(`//main//tr[contains(., "` + org + `") and contains(., "CVE-2025-4427")]//input[@name="finding"]`)
	}
	w.follow("Draft an alert from the chosen")
	w.Fill("#title", "Ivanti Endpoint Manager Mobile: two weaknesses exploited together")
	w.Fill("#summary", "Two weaknesses of Ivanti Endpoint Manager Mobile (EPMM), used one after the other, let an outsider run code on the server without signing in. The vendor knows of attacks.")
	w.see("03-alert-form")
	w.follow("Save the changes")
	w.see("04-alert-draft", threat, "It goes to nobody before somebody who did not write it approves it")
}

// approve is another person's part, and so is publishing.
func (w *world) approve() {
	w.at("13 May 16:15")
	w.as("owen.tarn")
	w.see("05-watch-to-approve", "Approve "+threat)
	w.follow("Approve " + threat)
	w.follow("Approve")
	w.says("Approved. Nobody was told yet.")
}

func (w *world) publish() {
	w.at("13 May 16:18")
	w.follow("See who would be told")
	w.see("06-publish", "12 organisations would be told", "3 are exposed", "2 are not known")
	w.follow("Publish to all 12 organisations")
	w.see("07-alert-published", "Published at", "0 of 12 organisations have closed", "3 are exposed by the newest evidence", "2 are not known", "Put into 12 of 12 inboxes")
}

// harrowmereAnswers: the lead of XZ1A sees what is owed, on which machine, to which version, and answers.
func (w *world) harrowmereAnswers() {
	w.as("amara.quill")
	w.see("10-owed", "You owe one thing", "Acknowledge", "hmh-mdm-01", "12.5.0.1")
	w.goTo("Inbox")
	w.see("11-inbox", "EXERCISE", "New")
	w.goTo("Owed")
	w.follow("Acknowledge")
	w.see("12-answer-new", "You owe an acknowledgement", "Acknowledge now", "One of your machines runs an affected version: update to 12.5.0.1")
	w.follow("Acknowledge now")
	w.see("13-answer-acknowledged", "You acknowledged this alert", "a word on whether it applies")
	w.follow("Say whether it applies")
	w.see("14-applies", "Does this alert apply to you?", "hmh-mdm-01")
	w.Expect(w.url + "/alerts/" + threat + "/organisations/XZ1A/applies")
	w.follow("Save and send")
	w.see("15-applies-refused", "There is a problem")
	w.choose("applicability", "yes")
	w.Fill("#words", "We run EPMM 12.5.0.0 for phones of district nurses and the wards. It faces the internet.")
	w.follow("Save and send")
	w.says("Your answer is saved", "Yes, it applies")
}

// bystandersAnswer by the command: they do what others do through the pages.
func (w *world) bystandersAnswer() {
	for _, b := range []struct{ user, org, applies, words string }{
		{"farid.stone", "XZ6F", "no", "We moved to 12.5.0.1 this afternoon, within minutes of the vendor publishing it."},
		{"gwen.pike", "XZ7G", "hosted", "The server is Larkmoor's and has been updated."},
		{"iona.thwaite", "XZ9J", "not_run", "Phones are in Intune."},
		{"leon.garth", "XZ3M", "not_run", "We manage phones with Intune."},
		{"jonah.fell", "XZ1K", "not_run", "We manage phones with Intune."},
		{"keziah.moor", "XZ2L", "not_run", "We manage phones with Intune."},
	} {
		if _, err := w.app.AnswerAlert(w.t.Context(), w.emails[b.user], threat, app.AlertAnswer{Org: b.org, Acknowledge: true, Applies: b.applies, Words: b.words}); err != nil {
			w.t.Fatal(err)
		}
		w.settle()
		if _, err := w.app.AnswerAlert(w.t.Context(), w.emails[b.user], threat, app.AlertAnswer{Org: b.org, Close: true, Words: "Nothing to fix."}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.settle()
}

// ravelgillAnswersByKeyboard: the whole answer of XZ8H by Tab, Space, arrows and Enter alone.
func (w *world) ravelgillAnswersByKeyboard() {
	w.as("hamish.rook")
	w.tabTo("Acknowledge")
	w.Follow("\r")
	w.settle()
	w.tabTo("Acknowledge now")
	w.Follow("\r")
	w.settle()
	w.tabTo("Say whether it applies")
	w.Follow("\r")
	w.tabToField("applicability")
	w.pressUntil("applicability", "not_run")
	w.tabToField("words")
	w.Press("Vehicle tablets are managed by Workspace ONE, another product.")
	w.tabTo("Save and send")
	w.Follow("\r")
	w.settle()
	w.tabTo("Close your answer")
	w.Follow("\r")
	w.tabTo("Close as not applicable")
	w.Follow("\r")
	w.settle()
	w.says("Your answer is closed", "Nothing is owed")
}

// fellwickBegins: XZ2B acknowledges and says that it applies.
func (w *world) fellwickBegins() {
	w.as("bryn.holloway")
	w.follow("Acknowledge")
	w.follow("Acknowledge now")
	w.follow("Say whether it applies")
	w.choose("applicability", "yes")
	w.Fill("#words", "EPMM 11.12.0.4, used by community nurses and midwives. Change board sits tomorrow.")
	w.follow("Save and send")
	w.says("Your answer is saved")
}

// oakhallowDisputes: XZ3C runs a release that the publishers' records do not name, and says why it counts as fixed.
func (w *world) oakhallowDisputes() {
	w.as("catrin.vale")
	w.follow("Acknowledge")
	w.follow("Acknowledge now")
	w.follow("Say whether it applies")
	w.choose("applicability", "no")
	w.Fill("#words", "Our server is on 12.4.0.2.")
	w.follow("Save and send")
	w.see("20-answer-no", "och-mdm-01")
	w.follow("We think this is wrong")
	w.see("21-dispute", "The national desk decides once")
	w.Fill("#words", "The vendor's advisory lists 12.4.0.2 as the fixed release of the 12.4 branch, and we installed it on 13 May.")
	w.follow("Send to the national desk")
	w.see("22-answer-disputed", "Sent to the national desk")
	w.goTo("Owed")
	w.see("23-owed-with-the-desk", "You owe nothing now", "With the national desk")
}

// saltenbyAnswersWithoutScripts: XZ4D, whose inventory could not have shown it, says that it runs it, and answers, all
// without a script.
func (w *world) saltenbyAnswersWithoutScripts() {
	w.as("dev.marsh")
	w.follow("Acknowledge")
	w.see("30-answer-not-known", "Do you run Ivanti Endpoint Manager Mobile?", "We do not know")
	w.Scripts(false)
	w.Navigate(w.url + "/owed")
	w.follow("Acknowledge")
	w.follow("Acknowledge now")
	w.follow("Answer this one question")
	w.says("No inventory", "could have shown it")
	w.choose("answer", "yes")
	w.Fill("#version", "12.3.0.1")
	w.Fill("#asset", "sch-mdm-01")
	w.choose("reachable", "yes")
	w.Fill("#words", "It came with a merger in 2021. A contractor looks after it.")
	w.follow("Sign and send")
	w.says("Signed with your name")
	w.Navigate(w.url + "/alerts/" + threat)
	w.says("sch-mdm-01", "self-declared")
	w.follow("Say whether it applies")
	w.choose("applicability", "yes")
	w.Fill("#words", "EPMM 12.3.0.1.")
	w.follow("Save and send")
	w.says("Your answer is saved")
	w.Scripts(true)
	w.Navigate(w.url + "/owed")
	w.see("31-owed-declared", "sch-mdm-01")
	w.Navigate(w.url + "/organisations/XZ4D")
	w.see("32-organisation-declared", "Declared by people", "12.3.0.1")
}

// harrowmereClaims a fix; nothing newer than the claim is known.
func (w *world) harrowmereClaims() {
	w.as("amara.quill")
	w.follow("Act, and say since when it is fixed")
	w.follow("Act, and say since when it is fixed")
	w.see("40-act", "Is it fixed?")
	w.choose("progress", "fixed")
	w.Fill("#fixed_at-time", "21:40")
	w.Fill("#words", "Updated to 12.5.0.1 in the evening window.")
	w.follow("Save and send")
	w.see("41-answer-awaiting", "Your update is saved", "Awaiting evidence", "no evidence newer than the claim")
}

// harrowmereIsConfirmed by the register that its lead delivers through the page, taken after the fix.
func (w *world) harrowmereIsConfirmed() {
	w.deliver("amara.quill", "XZ1A", "XZ1A-edge-2025-05-15.csv", "15", "05:30")
	w.see("43-import", "Applied")
	w.checks("XZ1A", "Amara Quill", "Logs since 1 April and the configuration.")
	w.goTo("Owed")
	w.follow("Close your answer")
	w.see("44-answer-confirmed", "Confirmed", "edge (tool export)", "observed at 05:30 UTC on 15 May 2025")
	w.follow("Close your answer")
	w.see("45-close", "Your answer closes as: closed, confirmed")
	w.follow("Close as confirmed")
	w.see("46-answer-closed", "Your answer is closed, confirmed", "Nothing is owed")
	w.paper("46-answer-closed")
}

// deliver uploads an inventory through the page of imports.
func (w *world) deliver(user, org, file, day, clock string) {
	w.as(user)
	w.Navigate(w.url + "/organisations/" + org)
	w.follow("Deliver an inventory")
	if org == "XZ1A" {
		w.see("42-imports", "Deliver what a tool exports")
	}
	w.Upload("#file", w.file(file))
	w.Fill("#source", "edge")
	w.Fill("#observed-day", day)
	w.Fill("#observed-month", "5")
	w.Fill("#observed-year", "2025")
	w.Fill("#observed-time", clock)
	w.follow("Deliver")
}

// nadiaRules once, for every organisation alike.
func (w *world) nadiaRules() {
	w.as("nadia.frost")
	w.see("50-watch-dispute", "Disputed", "I have this")
	w.goTo("Queue")
	w.follow("Disputes")
	w.follow("Decide")
	w.see("51-rule", "Who this decides for", "Oakhallow Children's Hospital", "och-mdm-01")
	w.choose("status", "fixed")
	w.Fill("#also", "11.12.0.5 12.3.0.2 12.5.0.1")
	w.Fill("#reason", "The vendor's advisory names one fixed release for each of four branches; the CVE records name the last of them alone.")
	w.follow("Rule for every organisation")
	w.says("Ruled. The match follows it within moments")
	w.follow("Rule on other versions of Ivanti Endpoint Manager Mobile")
	w.Fill("#versions", "11.12.0.4 12.3.0.1 12.4.0.1 12.5.0.0")
	w.choose("status", "affected")
	w.Fill("#reason", "The vendor's advisory names these as the last affected release of each branch.")
	w.follow("Rule for every organisation")
	w.Navigate(w.url + "/disputes")
	w.see("52-disputes-ruled", "No dispute waits", "12.4.0.2, 11.12.0.5, 12.3.0.2 and 12.5.0.1")

	w.at("15 May 16:10")
	w.as("catrin.vale")
	w.follow("Close your answer")
	w.see("53-answer-upheld", "The national desk decided")
	w.follow("Close your answer")
	w.follow("Close as not applicable")
	w.says("Nothing is owed")
}

// brackenfordIsLate: 48 hours after the issue XZ5E has not acknowledged, and the watch shows it by itself.
func (w *world) brackenfordIsLate() {
	w.as("nadia.frost")
	w.Until(`document.querySelector("[data-live-state]").textContent === "Live"`)
	w.at("15 May 16:30")
	w.Until(`document.querySelector("main").innerText.includes("Brackenford")`)
	w.see("54-watch-overdue", "Brackenford District Hospital", "an acknowledgement")
	w.as("edith.larch")
	w.see("55-owed-late", "overdue")
	w.follow("Acknowledge")
	w.see("56-answer-late", "Overdue", "Do you run Ivanti Endpoint Manager Mobile?")
	w.follow("Acknowledge now")
	w.follow("Answer this one question")
	w.see("57-declare", "Your answer is signed with your name")
	w.choose("answer", "no")
	w.Fill("#words", "We manage phones with Jamf Pro and never had EPMM.")
	w.follow("Sign and send")
	w.follow("Say whether it applies")
	w.choose("applicability", "not_run")
	w.follow("Save and send")
	w.follow("Close your answer")
	w.follow("Close as not applicable")
	w.says("Nothing is owed")
}

func (w *world) fellwickClaims() {
	w.as("bryn.holloway")
	w.claim("16:30", "Updated to 11.12.0.5 after the change board.")
	w.says("Awaiting evidence")
}

// claim says through the page that it is fixed since today at a time.
func (w *world) claim(clock, words string) {
	w.Navigate(w.url + "/alerts/" + threat)
	w.follow("3. Act")
	w.choose("progress", "fixed")
	w.Fill("#fixed_at-day", w.clock.Now().Format("2"))
	w.Fill("#fixed_at-time", clock)
	w.Fill("#words", words)
	w.follow("Save and send")
}

// fellwickIsContradicted by its own newer register, and cannot close.
func (w *world) fellwickIsContradicted() {
	w.deliver("bryn.holloway", "XZ2B", "XZ2B-edge-2025-05-16.csv", "16", "05:30")
	w.goTo("Owed")
	w.see("60-owed-contradicted", "Put right what newer evidence contradicts", "fth-mdm-01")
	w.follow("Put right what newer evidence contradicts")
	w.see("61-answer-contradicted", "Newer evidence contradicts the answer", "fth-mdm-01", "update to 11.12.0.5", "Cannot close")
	w.picture("answer", 1100)
	w.Navigate(w.url + "/alerts/" + threat + "/organisations/XZ2B/close")
	w.see("62-close-refused", "It cannot close")
	w.as("nadia.frost")
	w.goTo("Alerts")
	w.see("63-alerts")
	w.follow("Ivanti")
	w.see("64-alert-contradicted", "1 claim is contradicted", "2 are exposed by the newest evidence")
	w.picture("alert", 1000)
	w.Submit(`//section[@id="claims"]//a[.="Fellwick and Tarndale Hospitals"]`)
	w.see("65-answer-national", "Contradicted", "11.12.0.4")
}

// saltenbyClosesOnItsWord: nothing newer ever comes, and the answer says so for good.
func (w *world) saltenbyClosesOnItsWord() {
	w.as("dev.marsh")
	w.Scripts(false)
	w.claim("16:10", "The contractor installed 12.3.0.2.")
	w.says("Your update is saved", "Awaiting evidence")
	w.at("19 May 09:30")
	w.checks("XZ4D", "Dev Marsh", "Logs since 1 May; older ones are gone.")
	w.Navigate(w.url + "/owed")
	w.follow("Deliver newer evidence, or close as not confirmed")
	w.follow("Deliver newer evidence, or close as not confirmed")
	w.says("Your answer closes as: closed, not confirmed")
	w.follow("Close as not confirmed")
	w.Scripts(true)
	w.Navigate(w.url + "/alerts/" + threat)
	w.see("70-answer-not-confirmed", "closed, not confirmed", "Nothing is owed")
}

// fellwickIsConfirmed by the register after the second fix.
func (w *world) fellwickIsConfirmed() {
	w.as("bryn.holloway")
	w.claim("00:50", "The server in use is now on 11.12.0.5; checked on its own page.")
	w.deliver("bryn.holloway", "XZ2B", "XZ2B-edge-2025-05-20.csv", "20", "05:30")
	w.checks("XZ2B", "Bryn Holloway", "Disk image taken before the update.")
	w.goTo("Owed")
	w.follow("Close your answer")
	w.says("Confirmed")
	w.follow("Close your answer")
	w.follow("Close as confirmed")
	w.says("Your answer is closed, confirmed")
	w.Navigate(w.url + "/owed")
	w.see("71-owed-nothing", "You owe nothing now")
	w.Navigate(w.url + "/organisations/XZ2B")
	w.see("72-organisation", "Fellwick and Tarndale Hospitals")
	w.Navigate(w.url + "/organisations/XZ2B/assets?text=fth-mdm")
	w.see("73-assets", "fth-mdm-01")
	w.follow("fth-mdm-01")
	w.see("74-asset", "fth-mdm-01", "11.12.0.5")
}

func (w *world) closeTheAlert() {
	w.as("owen.tarn")
	w.see("80-watch-all-answered")
	w.goTo("Alerts")
	w.follow("Ivanti")
	w.see("81-alert-answered", "12 of 12 organisations have closed, 2 of them confirmed by evidence")
	w.unfold("Close this alert")
	w.follow("Close " + threat)
	w.see("82-alert-closed", "Closed at", "The alert is closed, so nothing is owed")
	w.goTo("Watch")
	w.see("83-watch-after", "No alerts in force. The last one, "+threat+", closed on 30 May 2025")
	w.goTo("Organisations")
	w.see("84-organisations")
	w.goTo("Inbox")
	w.see("85-inbox-desk")
}

// paper takes what a printer would.
func (w *world) paper(name string) {
	w.t.Helper()
	w.Paper()
	w.Screenshot(name+"-paper", browser.Desk)
	w.Prefer(browser.Light)
}

// picture remakes a screenshot of the documents, the top of the page as far as height, when $WARDWATCH_README_SHOTS asks.
func (w *world) picture(name string, height int64) {
	w.t.Helper()
	if os.Getenv("WARDWATCH_README_SHOTS") != "1" {
		return
	}
	const most = 200_000 // bytes: a picture that loads at once
	png := w.Picture(browser.Desk, height)
	if len(png) > most {
		w.t.Errorf("the picture of %s is %d bytes, more than %d", name, len(png), most)
	}
	if err := os.WriteFile(filepath.Join("..", "..", "docs", "screenshots", name+".png"), png, 0o644); err != nil {
		w.t.Error(err)
	}
}

// tabTo presses Tab until what has the focus begins with these words; whatever has it on the way must show it.
func (w *world) tabTo(words string) {
	w.t.Helper()
	w.tabUntil(words, `(e) => e.closest("main") && (e.innerText || "").trim().startsWith(`+quoted(words)+`)`)
}

func (w *world) tabToField(name string) {
	w.t.Helper()
	w.tabUntil(name, `(e) => e.name === `+quoted(name))
}

func (w *world) tabUntil(what, found string) {
	w.t.Helper()
	const most = 80 // a page with more stops is no page for a keyboard
	for range most {
		w.Press("\t")
		if hidden := browser.Eval[string](w.Browser, focusHidden); hidden != "" {
			w.t.Errorf("%s: nobody sees that the focus is on %s", browser.Eval[string](w.Browser, "location.pathname"), hidden)
		}
		if browser.Eval[bool](w.Browser, `!!(`+found+`)(document.activeElement)`) {
			return
		}
	}
	w.t.Fatalf("%s: %d presses of Tab do not reach %q", browser.Eval[string](w.Browser, "location.pathname"), most, what)
}

// focusHidden names the element that has the focus and does not show it.
const focusHidden = `(() => {
	const e = document.activeElement
	if (e === document.body) return ""
	const looks = [getComputedStyle(e), getComputedStyle(e, "::before"), ...(e.labels ? [...e.labels].map((l) => getComputedStyle(l, "::before")) : [])]
	return looks.some((s) => s.outlineStyle !== "none" && s.outlineWidth !== "0px" || s.boxShadow !== "none") ? "" : e.outerHTML.slice(0, 120)
})()`

// pressUntil goes through the choices of a radio group by the arrow key.
func (w *world) pressUntil(name, value string) {
	w.t.Helper()
	for range 10 {
		w.Press(arrowDown)
		if browser.Eval[string](w.Browser, `document.querySelector("input[name='`+name+`']:checked")?.value ?? ""`) == value {
			return
		}
	}
	w.t.Fatalf("the arrow key does not choose %s", value)
}

const arrowDown = "\u0301" // as the browser's protocol names the key

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
