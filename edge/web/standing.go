package web

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

// How an answer stands, for charts and tables. Each answer stands in one way: the first of these that fits.
var (
	standContradicted = State{"Contradicted", "X", ToneCritical}
	standOverdue      = State{"Overdue", "O", ToneCritical}
	standDisputed     = State{"Disputed", "D", ToneWarning}
	standSilent       = State{"No answer yet", "S", ToneSilent}
	standMoving       = State{"In progress", "P", ToneMoving}
	standClaimed      = State{"Fix claimed", "F", ToneStarted}
	standNotConfirmed = State{"Closed, not confirmed", "U", ToneClaimed}
	standConfirmed    = State{"Closed, confirmed", "C", ToneDone}
	standNotApplying  = State{"Closed, does not apply", "A", ToneNeutral}
)

var stands = []State{standContradicted, standOverdue, standDisputed, standSilent, standMoving, standClaimed, standNotConfirmed, standConfirmed, standNotApplying}

// standOf is how one answer stands.
func standOf(r ward.Response) State {
	switch {
	case r.State == ward.ClosedAnswer:
		switch r.ClosedAs {
		case responses.ClosedConfirmed:
			return standConfirmed
		case responses.ClosedNotApplying:
			return standNotApplying
		}
		return standNotConfirmed
	case r.Proof.Result == ward.Contradicted:
		return standContradicted
	case r.Overdue:
		return standOverdue
	case r.Proof.Result == ward.Disputed:
		return standDisputed
	case r.State == ward.Unanswered:
		return standSilent
	case r.State == ward.Remediated:
		return standClaimed
	}
	return standMoving
}

// partsOf are the answers to an alert by how they stand.
func partsOf(t responses.Tally) []Part {
	return []Part{
		{State: standContradicted, Count: t.StandContradicted}, {State: standOverdue, Count: t.StandOverdue}, {State: standDisputed, Count: t.StandDisputed},
		{State: standSilent, Count: t.StandSilent}, {State: standMoving, Count: t.StandMoving}, {State: standClaimed, Count: t.StandClaimed},
		{State: standNotConfirmed, Count: t.ClosedNotConfirmed}, {State: standConfirmed, Count: t.ClosedConfirmed}, {State: standNotApplying, Count: t.ClosedNotApplying},
	}
}

// Words and looks of what the centre knows of an organisation before it answers.
var (
	knownExposed    = State{"Exposed", "E", ToneCritical}
	knownNot        = State{"Not known", "N", ToneUnknown}
	knownNotExposed = State{"Not exposed", "H", ToneNeutral}
)

func knownOf(s ward.ExposureState) State {
	switch s {
	case ward.Exposed:
		return knownExposed
	case ward.NotExposed:
		return knownNotExposed
	}
	return knownNot
}

// tag is the state as a word in a table.
func (s State) tag() Tag { return Tag{Text: s.Word, Tone: s.Tone} }

// severityLong is a severity that stands alone: "High severity".
func severityLong(s ward.Severity) Tag {
	t := severityTag(s)
	if s != ward.Info {
		t.Text += " severity"
	}
	return t
}

// register names organisations, so that a page can say whose each row is.
type register map[ward.OrgID]ward.Organisation

func (s *Site) register(ctx context.Context, scope ward.Scope) (register, error) {
	known := register{}
	all, err := s.Estate.Organisations(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("organisations: %w", err)
	}
	for _, o := range all {
		known[o.ID] = o
	}
	return known, nil
}

// name is an organisation's name, or its code where the register does not know it.
func (g register) name(id ward.OrgID) string {
	if o := g[id]; o.Name != "" {
		return o.Name
	}
	return string(id)
}

// sorted are the organisations by name.
func (g register) sorted() []ward.Organisation {
	return slices.SortedFunc(maps.Values(g), func(x, y ward.Organisation) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
}

// region is the region that an organisation belongs to, by its code.
func (g register) region(id ward.OrgID) string {
	if o := g[id]; o.Region != "" {
		return "Region " + o.Region
	}
	return "No region"
}

// someOf joins names in a sentence, the first few of many.
func someOf(all []string) string {
	const most = 6
	switch n := len(all); {
	case n > most:
		return strings.Join(all[:most], ", ") + " and " + Number(n-most) + " more"
	case n < 2:
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// clauses joins what there is to say, "; " between, one full stop at the end, a capital at its beginning.
func clauses(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) == 0 {
		return ""
	}
	return capital(strings.Join(parts, "; ")) + "."
}

// is agrees a verb with a number: "1 answer is", "2 answers are".
func is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// some is a clause about n of something, and empty for none.
func some(n int, clause string) string {
	if n == 0 {
		return ""
	}
	return clause
}

// seen is where a statement comes from: its source, its grade and when it was observed.
func seen(source string, grade ward.Grade) string {
	switch {
	case source == "":
		return "no source"
	case grade == "":
		return source
	}
	return source + ", " + string(grade)
}

// queryText is a text inside the query of an address.
func queryText(text string) string { return url.QueryEscape(text) }

func link(text, href string) Link { return Link{Text: text, Href: href} }

func alertHref(id ward.AlertID) string { return "/alerts/" + string(id) }

func orgHref(id ward.OrgID) string { return "/organisations/" + string(id) }

func answerHref(a ward.AlertID, org ward.OrgID) string {
	return alertHref(a) + "/answers/" + string(org)
}

func weaknessHref(c ward.CVE) string { return "/weaknesses/" + string(c) }

// cveLinks are weaknesses, each with its page.
func cveLinks(cves []ward.CVE) View {
	var all Stack
	for i, c := range cves {
		if i > 0 {
			all = append(all, Text(", "))
		}
		all = append(all, link(string(c), weaknessHref(c)))
	}
	if all == nil {
		return Text("none named")
	}
	return all
}
