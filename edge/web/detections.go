package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"wardwatch/act/findings"
	"wardwatch/ward"
)

func (s *Site) routesDetections() {
	s.get("/detections", ward.MayRead, s.detectionsPage)
	s.get("/detections/{id}", ward.MayRead, s.detectionPage)
}

// detectionsAPage is how many detections one page lists.
const detectionsAPage = 100

// detectionsPage lists what rules, indicators and silences showed, the newest first.
func (s *Site) detectionsPage(r *http.Request, who ward.Actor) (Page, error) {
	query := r.URL.Query()
	level, org := query.Get("level"), query.Get("org")
	q := findings.DetectionQuery{Org: ward.OrgID(org), Limit: detectionsAPage + 1}
	if level != "" {
		q.Urgency = findings.Urgency(level)
	}
	q.After, _ = strconv.ParseInt(query.Get("after"), 10, 64)
	all, err := s.Findings.Detections(r.Context(), who.Scope, q)
	if err != nil {
		return Page{}, err
	}
	data := organisationsData{}
	if len(all) > detectionsAPage {
		all = all[:detectionsAPage]
		data.Pager.Next = addressWith("/detections", "level", level, "org", org, "after", strconv.FormatInt(all[len(all)-1].ID, 10))
	}
	if q.After > 0 {
		data.Pager.Prev = addressWith("/detections", "level", level, "org", org)
	}
	data.Table = s.detectionTable(all)
	counts, err := s.Findings.DetectionCounts(r.Context(), who.Scope, s.clock.Now().Add(-24*time.Hour))
	if err != nil {
		return Page{}, err
	}
	urgent, rest := 0, 0
	for at, n := range counts {
		if at <= findings.Urgency("high") {
			urgent += n
		} else {
			rest += n
		}
	}
	data.Lede = fmt.Sprintf("%s critical or high and %s less urgent in the last 24 hours.", Number(urgent), Number(rest))
	var options []Choice
	for _, one := range append([]string{""}, findings.Levels...) {
		text := "All levels"
		if one != "" {
			text = capital(one) + " and more urgent"
		}
		options = append(options, Choice{Value: one, Text: text, Chosen: one == level})
	}
	data.Search = &Form{Action: "/detections", Get: true, Fields: []View{Select{Name: "level", Label: "Level", Choices: options}, Input{Name: "org", Label: "Code of an organisation", Value: org, Width: 10}},
		Buttons: []Button{{Text: "Show", Kind: Secondary}}}
	return Page{Title: "Detections", Template: "list", Current: "detections", Data: data}, nil
}

func (s *Site) detectionTable(all []ward.Detection) Table {
	t := Table{Caption: "Detections", HideCaption: true, Keys: true,
		Columns: []Column{{Title: "Level", Tight: true}, {Title: "What"}, {Title: "Organisation", Tight: true}, {Title: "Where"}, {Title: "Events", Right: true}, {Title: "Last", Tight: true}},
		Empty:   Empty{Text: "Nothing was detected. What that rests on, the coverage of events says.", Next: Link{Text: "Coverage of events", Href: "/coverage"}}}
	for _, d := range all {
		what := View(Link{Text: d.Title, Href: detectionPath(d)})
		if text := before(d); text != "" {
			what = Why{View: what, Reason: text}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{levelTag(d.Level), what, Code(d.Org), Text(d.Host), Text(Number(int(d.Count))), When{d.Last}}})
	}
	return t
}

func detectionPath(d ward.Detection) string { return "/detections/" + strconv.FormatInt(d.ID, 10) }

// before says how long something had been there before anybody knew.
func before(d ward.Detection) string {
	early := d.Noticed.Sub(d.First)
	switch {
	case d.Kind == "silence" && d.Ended.IsZero():
		return "it goes on"
	case d.Kind == "silence":
		return "it speaks again"
	case early < 24*time.Hour:
		return ""
	}
	return "seen " + Count(int(early/(24*time.Hour)), "day") + " before we knew"
}

func levelTag(level string) Tag {
	switch level {
	case "critical":
		return Tag{"Critical", ToneCritical}
	case "high":
		return Tag{"High", ToneCritical}
	case "medium":
		return Tag{"Medium", ToneWarning}
	case "":
		return Tag{"No level", ToneUnknown}
	}
	return Tag{capital(level), ToneNeutral}
}

func (s *Site) detectionPage(r *http.Request, who ward.Actor) (Page, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return Page{}, ward.ErrNotFound
	}
	d, err := s.Findings.Detection(r.Context(), who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	facts := SummaryList{Rows: []SummaryRow{
		{Key: "Organisation", Value: Link{Text: string(d.Org), Href: orgPath(d.Org)}},
		{Key: "Level", Value: levelTag(d.Level)},
	}}
	add := func(key string, value View, there bool) {
		if there {
			facts.Rows = append(facts.Rows, SummaryRow{Key: key, Value: value})
		}
	}
	add("Rule", Text(d.Rule), d.Rule != "" && d.Kind != "silence")
	add("Indicator", Why{View: Text(d.Indicator), Reason: "said by " + d.IndicatedBy}, d.Indicator != "")
	add("Techniques of ATT&CK", Text(join(d.Techniques)), len(d.Techniques) > 0)
	add("Machine", Text(d.Host), d.Host != "")
	add("Events", Text(Number(int(d.Count))), d.Kind != "silence")
	add("First", When{d.First}, true)
	add("Last", When{d.Last}, d.Kind != "silence")
	add("Noticed", When{d.Noticed}, true)
	add("Ended", When{d.Ended}, !d.Ended.IsZero())
	add("First of them", Text(d.Source+", number "+Number(int(d.Record))), d.Record > 0)
	matched := Table{Caption: "What matched", Columns: []Column{{Title: "Field", Tight: true}, {Title: "Value"}}, Empty: Empty{Text: "Nothing is named."}}
	for _, m := range d.Matched {
		matched.Rows = append(matched.Rows, Row{Cells: []View{Text(m.Field), Text(m.Value)}})
	}
	return Page{Title: d.Title, Template: "detection", Current: "detections", Data: detectionData{
		Lede: detectionLede(d), Facts: facts, Matched: matched, Coverage: Link{Text: "What is seen of this organisation, and what is not", Href: orgPath(d.Org) + "/coverage"},
	}}, nil
}

// detectionData is one detection.
type detectionData struct {
	Lede     string
	Facts    SummaryList
	Matched  Table
	Coverage Link
}

func detectionLede(d ward.Detection) string {
	text := "A rule matched"
	switch d.Kind {
	case "indicator":
		text = "A known indicator was seen"
	case "correlation":
		text = "Events together fulfilled a rule"
	case "silence":
		if d.Ended.IsZero() {
			return "Nothing came since then, for longer than at this time of the week before. Whether it is broken, cut off or hidden is not known."
		}
		return "It was silent for " + takes(d.Ended.Sub(d.First)) + ", longer than at that time of the week before, and speaks again."
	}
	if early := before(d); early != "" {
		return text + ": " + early + "."
	}
	return text + " in events as they came. A match is not yet an attack: what it means, a person decides."
}

// join is a list in words.
func join(all []string) string {
	text := ""
	for i, one := range all {
		if i > 0 {
			text += ", "
		}
		text += one
	}
	return text
}
