package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
	"wardwatch/watch/coverage"
	"wardwatch/watch/detect/silence"
)

func (s *Site) routesCoverage() {
	s.get("/coverage", ward.MayRead, s.coverageList)
	s.get("/organisations/{org}/coverage", ward.MayRead, s.coveragePage)
}

// coverageList says of each organisation what stands behind "not seen".
func (s *Site) coverageList(r *http.Request, who ward.Actor) (Page, error) {
	all, err := s.Coverage.Organisations(r.Context(), who.Scope)
	if err != nil {
		return Page{}, err
	}
	t := Table{Caption: "Events by organisation", HideCaption: true, Keys: true,
		Columns: []Column{{Title: "Organisation"}, {Title: "State", Tight: true}, {Title: "Last event", Tight: true}, {Title: "Last 24 hours", Right: true}, {Title: "Quiet sources", Right: true},
			{Title: "Not read, 7 days", Right: true}, {Title: "Kept"}},
		Empty: Empty{Text: "No events came yet, and none are kept. An operator lets senders send with the command wardwatch sender add."}}
	speaking, quiet := 0, 0
	for _, o := range all {
		if o.All.LastDay > 0 {
			speaking++
		}
		quiet += o.Quiet
		kept := View(Text("nothing"))
		if o.Storage.Events > 0 {
			kept = Why{View: Text(size(o.Storage.Bytes) + " since " + o.Storage.First.UTC().Format("2 January 2006")), Reason: "kept " + forWords(o.Kept)}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Link{Text: string(o.Org), Href: orgPath(o.Org) + "/coverage"}, coverageTag(o), when(o.All.Last, "never"), Text(Number(int(o.All.LastDay))), Text(Number(o.Quiet)),
			Text(Number(int(o.Unread))), kept}})
	}
	lede := clauses(Number(speaking)+" of "+Count(len(all), "organisation")+" sent events in the last 24 hours", some(quiet, Count(quiet, "source")+" "+is(quiet)+" silent against "+plural(quiet, "its", "their")+" rhythm"))
	if len(all) == 0 {
		lede = "No events came yet: whatever is asked of them, the answer is not known."
	}
	return Page{Title: "Coverage of events", Template: "list", Current: "coverage", Data: organisationsData{Lede: lede, Table: t}}, nil
}

// coverageTag is how an organisation's events stand, in a word.
func coverageTag(o coverage.Organisation) Tag {
	switch {
	case !o.Watching:
		return Tag{"Nobody listens", ToneCritical}
	case o.All.Last.IsZero():
		return Tag{"Sends nothing", ToneUnknown}
	case !o.All.Quiet.IsZero():
		return Tag{"Quiet", ToneCritical}
	case o.Quiet > 0:
		return Tag{"Sources quiet", ToneWarning}
	}
	return Tag{"Heard", ToneDone}
}

// coverageData is what is covered of one organisation.
type coverageData struct {
	Live    Live
	Lede    string
	Stats   Stats
	Kinds   Table
	Sources Table
	Deaf    Table
	Letters Table
	Samples *Link
}

// shownSources is how many sources are listed: the quiet ones first.
const shownSources = 300

func (s *Site) coveragePage(r *http.Request, who ward.Actor) (Page, error) {
	ctx, org := r.Context(), orgOf(r)
	named, err := s.Estate.Organisation(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	o, err := s.Coverage.Organisation(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	path := orgPath(org) + "/coverage"
	data := coverageData{Live: Live{ID: "coverage", Href: path, Topics: []string{"detections"}}, Lede: coverageLede(o)}
	if len(o.Letters) > 0 {
		if r.URL.Query().Get("samples") == "1" {
			if o.Letters, err = s.Coverage.Letters(ctx, who, org); err != nil {
				return Page{}, err
			}
		} else {
			data.Samples = &Link{Text: "Show what they sent", Href: path + "?samples=1"}
		}
	}
	data.Stats = Stats{
		{Value: Number(int(o.All.LastDay)), Of: "events in the last 24 hours"},
		{Value: Number(o.Quiet), Of: "sources silent against their rhythm"},
		{Value: Number(int(o.Unread)), Of: "could not be read in 7 days"},
		{Value: size(o.Storage.Bytes), Of: keptWords(o)},
	}
	data.Kinds = sourceTable("By kind of event", "", o.Kinds)
	slices.SortStableFunc(o.Sources, func(a, b coverage.Source) int {
		switch {
		case a.Quiet.IsZero() != b.Quiet.IsZero():
			if a.Quiet.IsZero() {
				return 1
			}
			return -1
		case a.Quiet.IsZero():
			return int(b.LastDay - a.LastDay)
		}
		return a.Quiet.Compare(b.Quiet)
	})
	note := "Rates, lags and clocks are of the last seven days. A name is what the sender says."
	if len(o.Sources) > shownSources {
		note += fmt.Sprintf(" %s of %s are shown, the quiet ones first; wardwatch coverage --org %s lists all.", Number(shownSources), Number(len(o.Sources)), org)
	}
	data.Sources = sourceTable("Sources", note, o.Sources[:min(len(o.Sources), shownSources)])
	data.Deaf = Table{Caption: "When nobody listened", Note: "What was sent then came later, or is lost where its sender does not keep it.", Columns: []Column{{Title: "From", Tight: true}, {Title: "To", Tight: true}, {Title: "For"}},
		Empty: Empty{Text: "In the last seven days somebody listened all the time, as far as is known."}}
	for _, span := range o.Deaf {
		data.Deaf.Rows = append(data.Deaf.Rows, Row{Cells: []View{When{span[0]}, When{span[1]}, Text(takes(span[1].Sub(span[0])))}})
	}
	data.Letters = Table{Caption: "What could not be read", Note: "The newest 200. It was refused, or is kept as text and can be hunted through as that.",
		Columns: []Column{{Title: "Last", Tight: true}, {Title: "From"}, {Title: "Why"}, {Title: "Times", Right: true}}, Empty: Empty{Text: "Everything that came could be read."}}
	for _, l := range o.Letters {
		var why View = Text(l.Reason)
		if l.Sample != "" {
			why = Why{View: Text(l.Reason), Reason: l.Sample}
		}
		data.Letters.Rows = append(data.Letters.Rows, Row{Cells: []View{When{l.At}, Text(l.Source), why, Text(Number(int(l.Count)))}})
	}
	return Page{Title: "Events of " + named.Name, Template: "coverage", Current: "coverage", Data: data}, nil
}

func coverageLede(o coverage.Organisation) string {
	switch {
	case o.All.Last.IsZero() && o.Storage.Events == 0:
		return "No events came from here: whatever is asked of them, the answer is not known."
	case o.All.Last.IsZero():
		return "Nothing is sent from here; what is kept was imported."
	case !o.Watching:
		return "Nobody takes events in at the moment: what happens now is not seen."
	case !o.All.Quiet.IsZero():
		return "Nothing comes from here any more, against its rhythm."
	case o.Quiet > 0:
		return Count(o.Quiet, "source") + " of " + Number(len(o.Sources)) + " " + is(o.Quiet) + " silent against " + plural(o.Quiet, "its", "their") + " rhythm; what happens there is not seen."
	}
	return Count(len(o.Sources), "source") + " " + plural(len(o.Sources), "speaks", "speak") + " as " + plural(len(o.Sources), "it does", "they do") + " at this time."
}

func keptWords(o coverage.Organisation) string {
	if o.Storage.Events == 0 {
		return "kept; events are kept " + forWords(o.Kept)
	}
	return fmt.Sprintf("kept: %s events since %s; they are kept %s", Number(int(o.Storage.Events)), o.Storage.First.UTC().Format("2 January 2006"), forWords(o.Kept))
}

func forWords(kept string) string {
	if strings.HasPrefix(kept, "for ever") {
		return kept
	}
	return "for " + kept
}

func sourceTable(caption, note string, all []coverage.Source) Table {
	t := Table{Caption: caption, Note: note, Columns: []Column{{Title: "Source"}, {Title: "State", Tight: true}, {Title: "Last event", Tight: true}, {Title: "Last 24 hours", Right: true}, {Title: "An hour", Right: true},
		{Title: "Lag", Right: true, Tight: true}, {Title: "Clock"}, {Title: "Longest silence, 7 days"}}, Empty: Empty{Text: "None is known."}}
	for _, s := range all {
		var name View = Why{View: Text(s.Source), Reason: silence.KindWords(s.Kind)}
		if s.Source == "" {
			name = Text(silence.KindWords(s.Kind))
		}
		state := Tag{"Heard", ToneDone}
		if !s.Quiet.IsZero() {
			state = Tag{"Quiet", ToneWarning}
		}
		clock, gap := "not seen to be wrong", "none"
		if s.Clock > 0 {
			clock = takes(s.Clock) + " ahead"
		}
		if s.Undated > 0 {
			clock += "; " + Count(int(s.Undated), "event") + " said no time"
		}
		if s.Gap > 0 {
			gap = takes(s.Gap) + ", until " + s.GapEnded.UTC().Format("2 January 15:04") + " UTC"
		}
		t.Rows = append(t.Rows, Row{Cells: []View{name, state, When{s.Last}, Text(Number(int(s.LastDay))), Text(rate(s.PerHour)), Text(takes(s.Lag)), Text(clock), Text(gap)}})
	}
	return t
}

// when is a time, or what stands for none.
func when(at time.Time, none string) View {
	if at.IsZero() {
		return Text(none)
	}
	return When{at}
}

func rate(perHour float64) string {
	if perHour >= 10 {
		return Number(int(perHour + 0.5))
	}
	return strconv.FormatFloat(perHour, 'f', 1, 64)
}

// takes is how long something takes, to two figures or so.
func takes(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < 2*time.Minute:
		return Number(int(d/time.Second)) + " s"
	case d < 2*time.Hour:
		return Number(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		return Number(int(d/time.Hour)) + " h"
	}
	return Count(int(d/(24*time.Hour)), "day")
}

// size is a number of bytes.
func size(bytes int64) string {
	switch {
	case bytes < 1000:
		return Number(int(bytes)) + " B"
	case bytes < 1000*1000:
		return strconv.FormatFloat(float64(bytes)/1e3, 'f', 1, 64) + " kB"
	case bytes < 1000*1000*1000:
		return strconv.FormatFloat(float64(bytes)/1e6, 'f', 1, 64) + " MB"
	}
	return strconv.FormatFloat(float64(bytes)/1e9, 'f', 1, 64) + " GB"
}
