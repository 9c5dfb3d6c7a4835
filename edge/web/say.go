package web

import (
	"fmt"
	"strings"

	"wardwatch/ward"
)

// The words and looks of ward's states, so that a state reads the same on every page.

func severityTag(s ward.Severity) Tag {
	switch s {
	case ward.High:
		return Tag{"High", ToneCritical}
	case ward.Medium:
		return Tag{"Medium", ToneWarning}
	}
	return Tag{Text: string(s)}
}

func alertStateTag(s ward.AlertState) Tag {
	switch s {
	case ward.Drafted:
		return Tag{"Draft", ToneStarted}
	case ward.Approved:
		return Tag{"Approved, not published", ToneMoving}
	case ward.Published:
		return Tag{"In force", ToneWarning}
	case ward.Withdrawn:
		return Tag{Text: "Withdrawn"}
	case ward.Superseded:
		return Tag{Text: "Superseded"}
	}
	return Tag{Text: "Closed"}
}

func exposureTag(s ward.ExposureState) Tag {
	switch s {
	case ward.Exposed:
		return Tag{"Exposed", ToneCritical}
	case ward.NotExposed:
		return Tag{Text: "Not exposed"}
	}
	return Tag{"Not known", ToneUnknown}
}

// answerTag is where an organisation's answer stands, the most pressing word first.
func answerTag(r ward.Response) Tag {
	reads := capital(r.Reads())
	switch {
	case r.MovedTo != "", r.Lapsed && r.State != ward.ClosedAnswer:
		return Tag{Text: reads}
	case r.State == ward.ClosedAnswer && r.ClosedAs == "not applicable":
		return Tag{Text: "Closed, not applicable"}
	case r.State == ward.ClosedAnswer && (r.Outcome == ward.OutcomeControlled || r.Outcome == ward.OutcomeAccepted):
		return Tag{reads, ToneControlled}
	case r.State == ward.ClosedAnswer && r.Outcome == ward.OutcomeHosted:
		return Tag{"Closed, hosted by another", ToneClaimed}
	case r.State == ward.ClosedAnswer && !r.Recurrence.Since.IsZero():
		return Tag{reads, ToneWarning}
	case r.State == ward.ClosedAnswer && r.Proof.Result == ward.Confirmed:
		return Tag{reads, ToneDone}
	case r.State == ward.ClosedAnswer:
		return Tag{reads, ToneClaimed}
	case r.Proof.Result == ward.Contradicted:
		return Tag{"Contradicted", ToneCritical}
	case r.Overdue:
		return Tag{"Overdue", ToneCritical}
	case r.Check.Result == ward.EvidenceFound && r.Check.AtDesk():
		return Tag{reads, ToneCritical}
	case r.Proof.Result == ward.Disputed:
		return Tag{"Disputed", ToneWarning}
	case !r.ClaimedFixedAt.IsZero() && r.Check.AtDesk():
		return Tag{reads, ToneWarning}
	case r.Unchecked():
		return Tag{capital(r.NotChecked()), ToneClaimed}
	case r.State == ward.Remediated && r.Proof.Result == ward.Confirmed:
		return Tag{"Fixed, confirmed", ToneDone}
	case r.State == ward.Remediated:
		return Tag{"Fixed, not confirmed", ToneClaimed}
	case askedAgain(r):
		return Tag{"Update not acknowledged", ToneSilent}
	case !r.Progress.At.IsZero():
		return Tag{fmt.Sprintf("%s of %s done", Number(r.Progress.Done), Number(r.Progress.Affected)), ToneMoving}
	case r.Applicability != "":
		return Tag{"Answered", ToneMoving}
	case r.State == ward.InProgress:
		return Tag{"Acknowledged", ToneStarted}
	}
	return Tag{"Not acknowledged", ToneSilent}
}

func proofTag(p ward.ProofResult) Tag {
	switch p {
	case ward.Confirmed:
		return Tag{"Confirmed", ToneDone}
	case ward.Awaiting:
		return Tag{"Awaiting evidence", ToneClaimed}
	case ward.Contradicted:
		return Tag{"Contradicted", ToneCritical}
	case ward.Disputed:
		return Tag{"Disputed", ToneWarning}
	}
	return Tag{Text: "Nothing claimed"}
}

func freshTag(f ward.Freshness) Tag {
	switch f {
	case ward.Fresh:
		return Tag{"Fresh", ToneDone}
	case ward.Stale:
		return Tag{"Stale", ToneWarning}
	case ward.Declared:
		return Tag{"Self-declared", ToneClaimed}
	}
	return Tag{"No source", ToneUnknown}
}

func importTag(s ward.ImportState) Tag {
	switch s {
	case ward.ImportApplied:
		return Tag{"Applied", ToneDone}
	case ward.ImportUnchanged:
		return Tag{Text: "Nothing new"}
	case ward.ImportHeld:
		return Tag{"Held for a person", ToneWarning}
	}
	return Tag{Text: "Discarded"}
}

func statusTag(s ward.Status) Tag {
	switch s {
	case ward.Affected:
		return Tag{"Affected", ToneCritical}
	case ward.Fixed:
		return Tag{"Fixed version", ToneDone}
	case ward.NotAffected:
		return Tag{Text: "Not affected"}
	case ward.VersionUnknown:
		return Tag{"Version not known", ToneUnknown}
	}
	return Tag{"Platform not known", ToneUnknown}
}

// classWord is a class of asset in words: "mobile management".
func classWord(c ward.Class) string {
	if c == "" {
		return "not said"
	}
	return plainWord(string(c))
}

// classesWord is a class of asset in words, more than one of it.
func classesWord(c ward.Class) string {
	switch c {
	case ward.Cloud:
		return "cloud services"
	case ward.MobileManagement:
		return "mobile management"
	case "":
		return "not said"
	}
	return plainWord(string(c)) + "s"
}

func triWord(t ward.Tri) string {
	switch t {
	case ward.Yes:
		return "yes"
	case ward.No:
		return "no"
	}
	return "not known"
}

func appliesWord(a ward.Applicability) string {
	switch a {
	case ward.Applies:
		return "Yes, it applies"
	case ward.AppliesPart:
		return "Yes, to part of what we run"
	case ward.AppliesNot:
		return "No, it does not apply"
	case ward.AppliesHost:
		return "Another organisation runs it for us"
	case ward.NotRunHere:
		return "No, we do not run it"
	}
	return "Not answered"
}

// plainWord turns a code of ours into words: "patient_record" into "patient record".
func plainWord(code string) string { return strings.ReplaceAll(code, "_", " ") }

func plainWords(codes []string) string {
	words := make([]string, len(codes))
	for i, c := range codes {
		words[i] = plainWord(c)
	}
	return strings.Join(words, ", ")
}

// orNotKnown never leaves a value empty: what is missing says so.
func orNotKnown(text string) string {
	if text == "" {
		return "not known"
	}
	return text
}

// sentence begins large and ends with one full stop.
func sentence(text string) string {
	text = strings.TrimRight(strings.TrimSpace(text), ".")
	if text == "" {
		return "The reason is not known."
	}
	return capital(text) + "."
}
