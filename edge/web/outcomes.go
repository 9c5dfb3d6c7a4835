package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// asWritten is the value of a field: what was written, or what stands.
func asWritten(written map[string]string, name, stands string) string {
	if written != nil {
		return written[name]
	}
	return stands
}

// dateField asks for a day; stands is what to begin with.
func (s *Site) dateField(d DateInput, stands time.Time, written map[string]string, wrong []FieldError) DateInput {
	var day, month, year string
	if !stands.IsZero() {
		stands = stands.In(s.render.opts.Zone)
		day, month, year = strconv.Itoa(stands.Day()), strconv.Itoa(int(stands.Month())), strconv.Itoa(stands.Year())
	}
	d.Day, d.Month, d.Year = asWritten(written, d.Name+"-day", day), asWritten(written, d.Name+"-month", month), asWritten(written, d.Name+"-year", year)
	d.Error = errorAt(wrong, d.Name+"-day")
	return d
}

// numberField is an input that begins with a number, or empty with none.
func numberField(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// actFields ask whether it is fixed, and if not how far it is.
func (s *Site) actFields(in answered, written map[string]string, wrong []FieldError) []View {
	r := in.answer
	now := s.clock.Now().In(s.render.opts.Zone)
	since := now
	if !r.ClaimedFixedAt.IsZero() {
		since = r.ClaimedFixedAt.In(s.render.opts.Zone)
	}
	progress := asWritten(written, "progress", "")
	all := max(r.Progress.Affected, affected(in.machines))
	return []View{
		Radios{Name: "progress", Legend: "Where it stands", Error: errorAt(wrong, "progress"), Choices: []Choice{
			{Value: "fixed", Text: "Fixed on every machine", Hint: "Give the time from which it is fixed.", Chosen: progress == "fixed"},
			{Value: "working", Text: "Still working on it", Hint: "Say how far you are. This sets the date of your next update.", Chosen: progress == "working"},
		}},
		Fieldset{ID: "fixed", Legend: "If it is fixed", Body: Stack{
			s.dateField(DateInput{Name: "fixed_at", Legend: "Fixed since: date", Hint: "The day on which the last machine was fixed."}, since, written, wrong),
			Input{Name: "fixed_at-time", Label: "Fixed since: time", Hint: "In 24 hours, " + since.Format("MST") + ", such as 21:15.", Width: 5, Error: errorAt(wrong, "fixed_at-time"),
				Value: asWritten(written, "fixed_at-time", since.Format("15:04"))},
		}},
		Fieldset{ID: "working", Legend: "If you are still working on it", Body: Stack{
			Input{Name: "done", Label: "Machines done", InputMode: "numeric", Width: 4, Value: asWritten(written, "done", numberField(r.Progress.Done)), Error: errorAt(wrong, "done")},
			Input{Name: "affected", Label: "Of machines affected", Hint: "As you count them; our sources may see others.", InputMode: "numeric", Width: 4, Value: asWritten(written, "affected", numberField(all)), Error: errorAt(wrong, "affected")},
			Input{Name: "blocker", Label: "What holds it up (optional)", Value: asWritten(written, "blocker", r.Progress.Blocker), Error: errorAt(wrong, "blocker")},
			Input{Name: "help", Label: "Help that you want from the centre (optional)", Hint: "The national desk is told.", Value: asWritten(written, "help", r.Progress.Help), Error: errorAt(wrong, "help")},
			s.dateField(DateInput{Name: "next_due", Legend: "Next update from you (optional)", Hint: fmt.Sprintf("Without a date: within %s.", days(in.alert.UpdateEvery))}, time.Time{}, written, wrong),
		}},
		Textarea{Name: "words", Label: "What you did, and what is left", Hint: "For the national watch and for whoever takes over from you.", Value: written["words"], Rows: 5, Error: errorAt(wrong, "words")},
	}
}

// days tells a time span that people plan by: "3 days", "12 hours".
func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 && d >= 24*time.Hour {
		return Count(int(d/(24*time.Hour)), "day")
	}
	return Count(int(d/time.Hour), "hour")
}

// checkFields ask for a signature under a compromise check.
func checkFields(r ward.Response, written map[string]string, wrong []FieldError) []View {
	chosen := asWritten(written, "result", string(r.Check.Result))
	choice := func(c ward.CheckResult, text, hint string) Choice {
		return Choice{Value: string(c), Text: text, Hint: hint, Chosen: chosen == string(c)}
	}
	return []View{
		Radios{Name: "result", Legend: "What the check came to", Error: errorAt(wrong, "result"), Choices: []Choice{
			choice(ward.NoEvidence, "No evidence found", "In the logs that you name below. What was not logged was not searched."),
			choice(ward.EvidenceFound, "Evidence found", "The national desk is told at once, and your answer stays open until it is settled."),
			choice(ward.CannotDetermine, "It cannot be determined", "The logs are gone, or say too little. The national desk takes it up with you."),
		}},
		Textarea{Name: "coverage", Label: "Which logs were searched", Hint: "From when to when, and which ones were not there. This is read beside your result for as long as it is kept.",
			Value: asWritten(written, "coverage", r.Check.Coverage), Rows: 4, Error: errorAt(wrong, "coverage")},
		Textarea{Name: "words", Label: "Anything to add (optional)", Hint: "No names of patients or staff.", Value: written["words"], Rows: 3, Error: errorAt(wrong, "words")},
	}
}

// checkNote says what was signed before.
func checkNote(r ward.Response) View {
	switch {
	case r.Check.Result == "":
		return nil
	case !r.Check.SettleAt.IsZero():
		return Inset{Text(fmt.Sprintf("The national desk settled it: %s (%s)", sentence(r.Check.Settled), r.Check.SettleBy))}
	}
	return Inset{Text(fmt.Sprintf("%s signed: %s. A new signature stands in its place.", r.Check.SignedBy, checkWord(r.Check.Result)))}
}

// checkWord is the result of a compromise check in words.
func checkWord(c ward.CheckResult) string {
	switch c {
	case ward.NoEvidence:
		return "no evidence found"
	case ward.EvidenceFound:
		return "evidence found"
	case ward.CannotDetermine:
		return "it cannot be determined"
	}
	return "not signed yet"
}

// closingWays are the ways to close that say more than "fixed" or "does not apply".
func closingWays(r ward.Response) *TaskList {
	path := answerPath(r) + "/"
	tasks := []Task{
		{Text: "Fixed, but for some machines", Hint: "Each one that is left, with its reason and date.", Href: path + "residual"},
		{Text: "Controlled until a date", Hint: "Mitigated, isolated, or the manufacturer's approval is awaited, as for medical devices.", Href: path + "controlled"},
		{Text: "Risk accepted until a date", Hint: "By a named senior information risk owner.", Href: path + "accepted"},
		{Text: "Does not apply, or another hosts it", Hint: "Say so first; then it can close.", Href: path + "applies"},
	}
	return &TaskList{ID: "ways", Tasks: tasks}
}

// residualFields ask for the machines that are left, with reasons and dates.
func (s *Site) residualFields(in answered, written map[string]string, wrong []FieldError) []View {
	r := in.answer
	since := s.clock.Now().In(s.render.opts.Zone)
	if !r.ClaimedFixedAt.IsZero() {
		since = r.ClaimedFixedAt.In(s.render.opts.Zone)
	}
	var listed []string
	for _, left := range r.Residual {
		listed = append(listed, left.Name)
	}
	chosen := strings.Split(asWritten(written, "left", strings.Join(listed, "\n")), "\n")
	var reason string
	var until time.Time
	if len(r.Residual) > 0 {
		reason, until = r.Residual[0].Reason, r.Residual[0].Until
	}
	var choices []Choice
	for _, m := range in.machines {
		if m.Status == ward.Affected {
			choices = append(choices, Choice{Value: m.Name, Text: m.Name, Hint: strings.Trim(m.Has()+", "+m.Kind(), ", "), Chosen: slices.Contains(chosen, m.Name)})
		}
	}
	var fields []View
	id := "left"
	if len(choices) > 0 {
		fields = append(fields, Checkboxes{Name: "left", Legend: "Not fixed yet", Hint: "The machines that our sources see with an affected version.", Error: errorAt(wrong, "left"), Choices: choices})
		id = "others"
	}
	others := Textarea{Name: "others", ID: id, Label: "Others that are not fixed yet (optional)", Hint: "One machine a line, by its name.", Value: written["others"], Rows: 3}
	if len(choices) == 0 {
		others.Label, others.Error = "Machines that are not fixed yet", errorAt(wrong, "left")
	}
	return append(fields, others,
		Input{Name: "reason", Label: "Why they are not fixed yet", Hint: "Such as: not seen on the network since 2 June.", Value: asWritten(written, "reason", reason), Error: errorAt(wrong, "reason")},
		s.dateField(DateInput{Name: "until", Legend: "Fixed by", Hint: "The answer opens again that morning."}, until, written, wrong),
		Details{Summary: "Some have another reason or another date", Open: written["each"] != "" || errorAt(wrong, "each") != "", Body: Textarea{Name: "each", Label: "One machine a line",
			Hint: "Its name, the reason and the date, with semicolons: ward-12; awaits the maker's approval; 30 6 2026", Value: written["each"], Rows: 4, Error: errorAt(wrong, "each")}},
		s.dateField(DateInput{Name: "fixed_at", Legend: "The others are fixed since: date"}, since, written, wrong),
		Input{Name: "fixed_at-time", Label: "The others are fixed since: time", Hint: "In 24 hours, " + since.Format("MST") + ", such as 21:15.", Width: 5, Error: errorAt(wrong, "fixed_at-time"),
			Value: asWritten(written, "fixed_at-time", since.Format("15:04"))},
		Textarea{Name: "words", Label: "Anything to add (optional)", Value: written["words"], Rows: 3, Error: errorAt(wrong, "words")},
	)
}

// residual reads the machines that are left.
func (s *Site) residual(fields map[string]string) (left []ward.Residual, err error) {
	until, err := s.dayOf(fields, "until", startOfDay)
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(fields["left"]+"\n"+fields["others"], "\n") {
		if name = strings.TrimSpace(name); name == "" || slices.ContainsFunc(left, func(r ward.Residual) bool { return r.Name == name }) {
			continue
		}
		left = append(left, ward.Residual{Name: name, Reason: fields["reason"], Until: until})
	}
	if len(left) > 0 {
		switch {
		case fields["reason"] == "":
			return nil, &ward.Invalid{Field: "reason", Problem: "say why they are not fixed yet", Hint: "one reason for all; others go under \"another reason\""}
		case until.IsZero():
			return nil, &ward.Invalid{Field: "until", Problem: "give the date by which they will be fixed", Hint: "day, month and year as numbers"}
		}
	}
	for line := range strings.SplitSeq(fields["each"], "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		parts := strings.SplitN(line, ";", 3)
		if len(parts) < 3 {
			return nil, &ward.Invalid{Field: "each", Problem: fmt.Sprintf("%q has no reason or no date", strings.TrimSpace(line)), Hint: "write name; reason; 30 6 2026"}
		}
		one := ward.Residual{Name: strings.TrimSpace(parts[0]), Reason: strings.TrimSpace(parts[1])}
		on := strings.Fields(strings.NewReplacer(".", " ", "/", " ", "-", " ").Replace(parts[2]))
		if len(on) != 3 || one.Name == "" {
			return nil, &ward.Invalid{Field: "each", Problem: fmt.Sprintf("%q has no date, or no name", strings.TrimSpace(line)), Hint: "write name; reason; 30 6 2026"}
		}
		if one.Until, err = s.dayOf(map[string]string{"each-day": on[0], "each-month": on[1], "each-year": on[2]}, "each", startOfDay); err != nil {
			return nil, &ward.Invalid{Field: "each", Problem: fmt.Sprintf("%q is not a date", strings.TrimSpace(parts[2])), Hint: "write day, month and year as numbers: 30 6 2026"}
		}
		left = slices.DeleteFunc(left, func(r ward.Residual) bool { return r.Name == one.Name })
		left = append(left, one)
	}
	if len(left) == 0 {
		return nil, &ward.Invalid{Field: "left", Problem: "name the machines that are left", Hint: "or go back and close as fixed"}
	}
	return left, nil
}

// controlFields ask what stands in for the fix.
func (s *Site) controlFields(r ward.Response, written map[string]string, wrong []FieldError) []View {
	k := r.Control
	chosen := asWritten(written, "kind", string(k.Kind))
	choice := func(kind ward.ControlKind, hint string) Choice {
		return Choice{Value: string(kind), Text: capital(controlWord(kind)), Hint: hint, Chosen: chosen == string(kind)}
	}
	line := func(name, label, hint, stands string) Input {
		return Input{Name: name, Label: label, Hint: hint, Value: asWritten(written, name, stands), Error: errorAt(wrong, name)}
	}
	return []View{
		Radios{Name: "kind", Legend: "Kind of control", Error: errorAt(wrong, "kind"), Choices: []Choice{
			choice(ward.Mitigated, "A setting or a filter keeps the weakness from being used."),
			choice(ward.Isolated, "Nothing that could use it reaches the machine."),
			choice(ward.AwaitingManufacturer, "As for a medical device that may not be changed without it."),
		}},
		line("what", "What keeps the weakness from being used", "Such as: the API is blocked at the firewall for all but the two management stations.", k.What),
		line("owner", "Who looks after the control", "A person, by name and post.", k.Owner),
		line("evidence", "What shows that it works", "Such as a change number, a test and its date.", k.Evidence),
		s.dateField(DateInput{Name: "review", Legend: "Review on", Hint: "A year from now at the latest; it can be renewed. You are reminded 14 days and 3 days before."}, k.Review, written, wrong),
		Textarea{Name: "words", Label: "Anything to add (optional)", Value: written["words"], Rows: 3, Error: errorAt(wrong, "words")},
	}
}

// controlWord is a kind of control in words.
func controlWord(k ward.ControlKind) string {
	switch k {
	case ward.Mitigated:
		return "mitigated"
	case ward.Isolated:
		return "isolated"
	}
	return "awaiting the manufacturer's approval"
}

// acceptFields ask who takes the risk, why, and until when.
func (s *Site) acceptFields(r ward.Response, written map[string]string, wrong []FieldError) []View {
	a := r.Acceptance
	return []View{
		Input{Name: "officer", Label: "Senior information risk owner", Hint: "The person who takes the risk, by name.", Value: asWritten(written, "officer", a.Officer), Error: errorAt(wrong, "officer")},
		Textarea{Name: "reason", Label: "Why the risk is taken", Hint: "What a fix would cost care, and what was considered instead.", Value: asWritten(written, "reason", a.Reason), Rows: 4, Error: errorAt(wrong, "reason")},
		s.dateField(DateInput{Name: "until", Legend: "Accepted until", Hint: "A year from now at the latest; it can be renewed. You are reminded 14 days and 3 days before."}, a.Until, written, wrong),
		Textarea{Name: "words", Label: "Anything to add (optional)", Value: written["words"], Rows: 3, Error: errorAt(wrong, "words")},
	}
}

// closing is how a page of closing wants the answer to end.
func (s *Site) closing(step string, fields map[string]string) (*ward.Closing, error) {
	how := &ward.Closing{}
	var err error
	switch step {
	case "residual":
		how.Outcome = ward.OutcomeResidual
		if how.Residual, err = s.residual(fields); err != nil {
			return nil, err
		}
		how.FixedAt, err = s.fixedAt(fields)
	case "controlled":
		how.Outcome = ward.OutcomeControlled
		how.Control = ward.Control{Kind: ward.ControlKind(fields["kind"]), What: fields["what"], Owner: fields["owner"], Evidence: fields["evidence"]}
		if how.Control.Kind == "" {
			return nil, &ward.Invalid{Field: "kind", Problem: "choose one", Hint: "mitigated, isolated, or awaiting the manufacturer's approval"}
		}
		how.Control.Review, err = s.dayOf(fields, "review", startOfDay)
	case "accepted":
		how.Outcome = ward.OutcomeAccepted
		how.Acceptance = ward.Acceptance{Officer: fields["officer"], Reason: fields["reason"]}
		how.Acceptance.Until, err = s.dayOf(fields, "until", startOfDay)
	}
	return how, err
}

// outcomeOf is how an answer ended, or will, as names with values; nil while there is nothing to say.
func (s *Site) outcomeOf(r ward.Response) (rows []SummaryRow) {
	add := func(key string, value View) { rows = append(rows, SummaryRow{Key: key, Value: value}) }
	if p := r.Progress; !p.At.IsZero() && r.ClaimedFixedAt.IsZero() {
		add("Progress", Stack{Text(fmt.Sprintf("%s of %s done, said by %s ", Number(p.Done), Number(p.Affected), p.By)), When{p.At}})
		if p.Blocker != "" {
			add("Held up by", Text(p.Blocker))
		}
		if p.Help != "" {
			add("Help wanted", Text(p.Help))
		}
	}
	switch {
	case r.State == ward.ClosedAnswer && r.Outcome == ward.OutcomeControlled:
		add("Control", Text(capital(controlWord(r.Control.Kind))+": "+r.Control.What))
		add("Looked after by", Text(r.Control.Owner))
		add("Shown by", Text(r.Control.Evidence))
		add("Review on", When{r.Control.Review})
	case r.State == ward.ClosedAnswer && r.Outcome == ward.OutcomeAccepted:
		add("Risk accepted by", Text(r.Acceptance.Officer))
		add("Because", Text(r.Acceptance.Reason))
		add("Until", When{r.Acceptance.Until})
	}
	for i, left := range r.Residual {
		if i == mostShownLeft {
			add("And more", Text(Count(len(r.Residual)-i, "machine")+" more, in the evidence pack"))
			break
		}
		add("Not fixed yet: "+left.Name, Why{View: Text(left.Reason), Reason: "by " + Day(left.Until.In(s.render.opts.Zone))})
	}
	if r.Host != "" {
		add("Run by", Text(r.Host))
	}
	if r.Check.Result != "" {
		add("Compromise check", Why{View: Text(capital(checkWord(r.Check.Result)) + ", signed by " + r.Check.SignedBy + " at " + s.at(r.Check.At)), Reason: r.Check.Coverage})
	}
	if !r.Check.SettleAt.IsZero() {
		add("Settled by the desk", Why{View: Text(r.Check.Settled), Reason: r.Check.SettleBy + ", " + s.at(r.Check.SettleAt)})
	}
	if n := r.Recurrence; !n.Since.IsZero() {
		add("Seen again", Why{View: Text(strings.Join(n.Assets, ", ")), Reason: "since " + s.at(n.Since) + "; tolerated until " + s.at(n.Ends)})
	}
	if len(r.From) > 0 {
		add("Taken over from", Text(joinOrgs(r.From, ", ")))
	}
	return rows
}

// mostShownLeft bounds how many machines that are left an answer's page names.
const mostShownLeft = 10

// spoken says who spoke where it was not the organisation itself; nil where it was.
func (s *Site) spoken(r ward.Response, mine bool) View {
	again := " If that is not what you say, answer again: your own word takes its place."
	if !mine {
		again = ""
	}
	switch {
	case r.Call.Speaker != "":
		return Inset{Text(fmt.Sprintf("Recorded by telephone: %s wrote down what %s said at %s, called back on %s.%s", r.Call.By, r.Call.Speaker, s.at(r.Call.At), r.Call.Number, again))}
	case r.Spoke != "":
		return Inset{Text(fmt.Sprintf("%s answered on behalf of %s, which stays answerable.%s", r.Spoke, r.Org, again))}
	}
	return nil
}
