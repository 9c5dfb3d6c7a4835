package story_test

import (
	"testing"

	"wardwatch/act/alerts"
	"wardwatch/test/browser"
	"wardwatch/ward"
)

// TestAHospitalLeadsMorning plays 14 May 2025 as the people of hospitals would have lived it: the whole answer by keyboard
// alone, another from a telephone's screen, a third without scripts, and what else a morning brings.
func TestAHospitalLeadsMorning(t *testing.T) {
	w := open(t)
	w.at("13 May 16:00")
	w.arrive(arrival{Do: "feed", Feed: "cve", File: "feeds/2025-05-13/cve"})
	w.settle()
	alert := w.alerted()

	w.at("14 May 07:30")
	w.amaraSaysWhoIsTold()
	w.amaraAnswersByKeyboard()
	w.amaraAnswersForHerGroup()
	w.amaraDeclares()
	w.at("14 May 08:20")
	w.brynAnswersOnATelephone()
	w.devAnswersWithoutScripts()
	w.edithOverrulesATelephoneCall()
	w.leonSeesHowHisMembersStand()
	w.at("14 May 11:00")
	w.amaraSignsAndCloses()
	w.amaraIsAskedAgain(alert)
}

// alerted is the alert of the evening before, published by the two people that it takes.
func (w *world) alerted() ward.Alert {
	w.t.Helper()
	ctx, board := w.t.Context(), w.app.Alerts
	nadia, owen := w.actor("Nadia Frost", ward.Analyst), w.actor("Owen Tarn", ward.Approver)
	var a ward.Alert
	words, err := board.Prefill(ctx, nadia, "CVE-2025-4427", "CVE-2025-4428")
	if err == nil {
		words.Exercise = true
		words.Title = "Ivanti Endpoint Manager Mobile: two weaknesses exploited together"
		words.Summary = "Two weaknesses, used one after the other, let an outsider run code on the server without signing in. The vendor knows of attacks."
		words.Steps = []ward.Step{{Kind: ward.StepPatch, Text: "Update to 11.12.0.5, 12.3.0.2, 12.4.0.2 or 12.5.0.1."}}
		a, err = board.Draft(ctx, nadia, words)
	}
	if err == nil {
		a, err = board.Approve(ctx, owen, a.ID, a.Version)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := board.Publish(ctx, owen, a.ID, a.Version, ward.Audience{})
	if err != nil || p.Alert.ID != threat {
		w.t.Fatal(p.Alert.ID, err)
	}
	w.settle()
	return p.Alert
}

func (w *world) actor(name string, role ward.Role) ward.Actor {
	return ward.Actor{Person: ward.PersonID(name), Name: name, Role: role, Scope: ward.Everything()}
}

// amaraSaysWhoIsTold: nobody outside the product would have heard of the alert, so the lead of XZ1A names who does.
func (w *world) amaraSaysWhoIsTold() {
	w.as("amara.quill")
	w.see("m01-owed", "You owe one thing", "Acknowledge", "hmh-mdm-01", "You may answer for others", "Controlled and accepted, until when")
	w.follow("Who is told for us")
	w.says("Nobody would be told of an alert outside this product")
	w.follow("Add a contact")
	w.Fill("#name", "Cyber desk")
	w.choose("kind", "mailbox")
	w.Fill("#email", "cyber@xz1a.example")
	w.Fill("#voice", "01632 960001 ext 12")
	w.Fill("#hours", "Mon-Fri 08:00-18:00")
	w.choose("rungs", "lead")
	w.choose("rungs", "contact")
	w.see("m02-contact")
	w.follow("Keep the contact")
	w.see("m03-contacts", "The contact is kept", "Cyber desk", "cyber lead", "Mon-Fri 08:00-18:00", "Never")
}

// amaraAnswersByKeyboard gives the whole answer, as far as the morning allows it, by Tab, Space, arrows and Enter alone.
func (w *world) amaraAnswersByKeyboard() {
	w.as("amara.quill")
	w.tabTo("Acknowledge")
	w.enter()
	w.tabTo("Acknowledge now")
	w.enter()
	w.tabTo("Say whether it applies")
	w.enter()
	w.tabToField("applicability")
	w.pressUntil("applicability", "partly")
	w.tabToField("words")
	w.Press("One of two servers runs 12.5.0.0.")
	w.tabTo("Save and send")
	w.enter()
	w.says("Your answer is saved")

	w.tabTo("Act, and say since when it is fixed")
	w.enter()
	w.tabToField("progress")
	w.pressUntil("progress", "working")
	w.tabToField("done")
	w.Press("0")
	w.tabToField("blocker")
	w.Press("District nurses start their rounds at eight")
	w.tabToField("words")
	w.Press("The update is planned for half past ten.")
	w.tabTo("Save and send")
	w.enter()
	w.see("m04-progress", "Your update is saved", "0 of 1 done", "Held up by", "District nurses start their rounds at eight", "Look for signs of an intruder")
}

// enter opens what has the focus.
func (w *world) enter() {
	w.t.Helper()
	w.Follow("\r")
	w.settle()
}

// amaraAnswersForHerGroup: XZ1A leads the group of XZ9J and XZ1K.
func (w *world) amaraAnswersForHerGroup() {
	w.as("amara.quill")
	w.follow("Answer for others")
	w.see("m10-others", "You may answer for two organisations", "XZ9J", "XZ1K")
	w.choose("say", "not_run")
	w.choose("close", "yes")
	w.Fill("#words", "Phones of the group are in Intune.")
	w.follow("See what would happen")
	w.see("m11-others-preview", "Nothing was sent yet", "not applicable")
	w.follow("Answer for 2 organisations")
	w.see("m12-others-answered", "You answered for 2 organisations", "Result by organisation", "not applicable")
	w.as("iona.thwaite")
	w.Navigate(w.url + "/alerts/" + threat)
	w.see("m13-answered-by-another", "XZ1A answered on behalf of XZ9J, which stays answerable", "your own word takes its place")
}

// amaraDeclares a machine that no inventory lists, and a product that is nowhere.
func (w *world) amaraDeclares() {
	w.as("amara.quill")
	w.follow("Declare an appliance")
	w.Fill("#product", "NetScaler ADC")
	w.Fill("#version", "14.1-43.50")
	w.Fill("#vendor", "Citrix")
	w.Fill("#name", "hmh-gate-09")
	w.choose("reachable", "yes")
	w.follow("Sign and declare")
	w.see("m20-declared", "Declared: hmh-gate-09")
	w.follow("See hmh-gate-09")
	w.says("NetScaler ADC", "14.1-43.50", "self-declared")
	w.Navigate(w.url + "/owed")
	w.follow("Say what we do not run")
	w.Fill("#product", "GlobalProtect")
	w.choose("answer", "no")
	w.follow("Sign and send")
	w.see("m21-organisation", "Do you run GlobalProtect?", "by Amara Quill", "Who may answer for it", "Who looked from outside")
	w.follow("One device, several names")
	w.says("held for one device across sources")
}

// brynAnswersOnATelephone gives the whole answer from a screen of 320 px: the change board sits next week, so it is controlled.
func (w *world) brynAnswersOnATelephone() {
	w.as("bryn.holloway")
	w.Resize(browser.Telephone)
	w.Navigate(w.url + "/owed")
	narrow := func(words string) {
		w.t.Helper()
		w.NoSideScroll(words)
		w.follow(words)
		w.NoSideScroll("after " + words)
	}
	narrow("Acknowledge")
	narrow("Acknowledge now")
	narrow("Say whether it applies")
	w.choose("applicability", "yes")
	w.Fill("#words", "EPMM 11.12.0.4, used by community nurses.")
	narrow("Save and send")
	narrow("5. Close")
	narrow("Controlled until a date")
	w.Expect(w.url + "/alerts/" + threat + "/organisations/XZ2B/controlled")
	narrow("Close as controlled")
	w.says("There is a problem")
	w.choose("kind", "mitigated")
	w.Fill("#what", "The API is blocked at the firewall for all but two stations")
	w.Fill("#owner", "Bryn Holloway, cyber lead")
	w.Fill("#evidence", "Change 4711, tested from outside at 08:05")
	w.Fill("#review-day", "28")
	w.Fill("#review-month", "5")
	w.Fill("#review-year", "2025")
	narrow("Close as controlled")
	w.says("Your answer reads: controlled, not yet checked", "Change 4711", "You owe a signature under the compromise check")
	narrow("Look for signs of an intruder, and sign the result")
	w.choose("result", "no_evidence")
	w.Fill("#coverage", "The proxy's logs since 1 April")
	narrow("Sign and send")
	w.says("Your signature is kept: no evidence found. Your answer is controlled until 28 May 2025", "Change 4711", "Nothing is owed")
	w.Resize(browser.Desk)
	w.see("m30-controlled", "Mitigated: The API is blocked")
	w.Navigate(w.url + "/owed")
	w.follow("Controlled and accepted, until when")
	w.see("m31-registers", "One answer holds until a date", "Bryn Holloway, cyber lead", "28 May 2025")
}

// devAnswersWithoutScripts: XZ4D runs it, cannot fix it yet, and its senior information risk owner takes the risk for a week.
func (w *world) devAnswersWithoutScripts() {
	w.as("dev.marsh")
	w.Scripts(false)
	w.Navigate(w.url + "/owed")
	w.follow("Acknowledge")
	w.follow("Acknowledge now")
	w.follow("Say whether it applies")
	w.choose("applicability", "yes")
	w.follow("Save and send")
	w.follow("4. Close")
	w.follow("Risk accepted until a date")
	w.Fill("#officer", "Dr Ola Finch")
	w.Fill("#reason", "The contractor comes on Monday; district nursing depends on the phones.")
	w.Fill("#until-day", "20")
	w.Fill("#until-month", "5")
	w.Fill("#until-year", "2025")
	w.follow("Close as risk accepted")
	w.says("Your answer is risk accepted until 20 May 2025", "Dr Ola Finch")
	w.Scripts(true)
}

// edithOverrulesATelephoneCall: the desk writes down what it hears; the hospital's own word takes its place.
func (w *world) edithOverrulesATelephoneCall() {
	w.as("nadia.frost")
	w.Navigate(w.url + "/alerts/" + threat + "/organisations/XZ5E")
	w.follow("Record what they said by telephone")
	w.Fill("#speaker", "Switchboard of Brackenford, on call")
	w.Fill("#number", "01632 960155")
	w.choose("say", "no")
	w.Fill("#words", "They think that they do not have it.")
	w.see("m40-telephone", "Call back on a number from the contacts below")
	w.follow("Record what they said")
	w.says("Recorded by telephone: Nadia Frost wrote down what Switchboard of Brackenford")
	w.as("edith.larch")
	w.Navigate(w.url + "/alerts/" + threat)
	w.see("m41-by-telephone", "Recorded by telephone", "called back on 01632 960155", "your own word takes its place", "No, it does not apply")
	w.follow("2. Say whether it applies")
	w.choose("applicability", "not_run")
	w.Fill("#words", "We manage phones with Jamf Pro.")
	w.follow("Save and send")
	w.says("No, we do not run it", "took its place")
}

// leonSeesHowHisMembersStand: a care board sees states and clocks.
func (w *world) leonSeesHowHisMembersStand() {
	w.as("leon.garth")
	w.follow("How your members stand")
	w.see("m50-members", "members were asked", "Harrowmere", "in progress", "controlled until 28 May 2025", "risk accepted until 20 May 2025")
}

// amaraSignsAndCloses, by keyboard alone: fixed, checked for an intruder, closed; and files the evidence.
func (w *world) amaraSignsAndCloses() {
	w.as("amara.quill")
	w.tabTo("Act, and say since when it is fixed")
	w.enter()
	w.tabTo("Act, and say since when it is fixed")
	w.enter()
	w.tabToField("progress")
	w.pressUntil("progress", "fixed")
	w.tabToField("fixed_at-time")
	w.Press("10:40")
	w.tabToField("words")
	w.Press("Updated to 12.5.0.1.")
	w.tabTo("Save and send")
	w.enter()
	w.see("m60-patched-not-checked", "Patched, not yet checked", "You owe a signature under the compromise check")
	w.tabTo("Look for signs of an intruder")
	w.enter()
	w.tabToField("result")
	w.pressUntil("result", "no_evidence")
	w.tabToField("coverage")
	w.Press("API and web logs of the server since 1 May; the firewall keeps 14 days.")
	w.tabTo("Sign and send")
	w.enter()
	w.says("Your signature is kept: no evidence found")
	w.tabTo("Deliver newer evidence, or close as not confirmed")
	w.enter()
	w.tabTo("Close as not confirmed")
	w.enter()
	w.see("m61-closed", "Your answer is closed, not confirmed", "Nothing is owed", "the firewall keeps 14 days")
	w.follow("Evidence pack")
	w.see("m62-pack", "Time to acknowledge", "Time to remediate", "What the words mean", "Amara Quill", "no evidence found", "12.5.0.0")
	w.paper("m62-pack")
}

// amaraIsAskedAgain: a material update asks for an acknowledgement, and says what changed.
func (w *world) amaraIsAskedAgain(a ward.Alert) {
	ctx, board := w.t.Context(), w.app.Alerts
	words := a
	words.Steps = []ward.Step{{Kind: ward.StepPatch, Text: "Update to 11.12.0.5, 12.3.0.2, 12.4.0.2 or 12.5.0.1, and look through the logs as the vendor describes."}}
	rev, err := board.Revise(ctx, w.actor("Nadia Frost", ward.Analyst), a.ID, a.Version, words, alerts.Change{Material: true, Why: "The vendor says how to look for an intruder"})
	if err == nil {
		_, err = board.ApproveRevision(ctx, w.actor("Owen Tarn", ward.Approver), a.ID, rev.Version)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	w.as("amara.quill")
	w.see("m70-owed-again", "Acknowledge the update")
	w.tabTo("Acknowledge the update")
	w.enter()
	w.see("m71-asked-again", "What changed", "The vendor says how to look for an intruder", "What you said before stands")
	w.tabTo("Acknowledge the update")
	w.enter()
	w.see("m72-still-closed", "closed, not confirmed", "Nothing is owed")
}
