package web

import (
	"fmt"
	"net/http"
	"time"

	"wardwatch/act/responses"
	"wardwatch/edge"
	"wardwatch/ward"
)

func (s *Site) routesPack() {
	const path = "/alerts/{id}/organisations/{org}/pack"
	s.get(path, ward.MayRead, s.packPage)
	s.handle("GET "+path+".csv", s.packFile)
}

// packData is the evidence of one answer, made to be printed and filed.
type packData struct {
	Lede        string
	About       []View
	Figures     Stats
	Asked       SummaryList
	Editions    *Table
	Spoken      View
	Answer      SummaryList
	Evidence    Table
	Cited       Table
	History     Table
	Rulings     *Table
	Definitions SummaryList
	Made        string
	CSV         Link
}

func (s *Site) packOf(r *http.Request, who ward.Actor) (responses.Pack, error) {
	id, org := ward.AlertID(r.PathValue("id")), orgOf(r)
	p, err := s.Responses.Pack(r.Context(), who.Scope, id, org)
	if err == nil {
		err = s.looked(r, who, "response.view", string(id), org)
	}
	return p, err
}

func (s *Site) packPage(r *http.Request, who ward.Actor) (Page, error) {
	p, err := s.packOf(r, who)
	if err != nil {
		return Page{}, err
	}
	a, answer := p.Alert, p.Response
	data := packData{
		Lede:    fmt.Sprintf("%s was asked at %s, and its answer reads: %s.", p.Organisation.Name, s.at(a.Issued), answer.Reads()),
		About:   alertAbout(a),
		Figures: Stats{s.tookStat("Time to acknowledge", p.ToAcknowledge), s.tookStat("Time to remediate", p.ToRemediate), s.tookStat("Time to confirmation", p.ToConfirm)},
		Spoken:  s.spoken(answer, false),
		Made:    fmt.Sprintf("Made at %s for %s by %s. Times are those that the product kept; words are those of the people named.", s.at(p.At), who.Name, s.render.opts.Operator),
		CSV:     Link{Text: "This pack as CSV", Href: answerPath(answer) + "/pack.csv"},
		History: historyTable(p.History),
	}
	asked := alertWords(a)
	data.Asked.Rows = append(data.Asked.Rows, SummaryRow{Key: "Asked", Value: asked.Summary})
	for _, step := range asked.Steps {
		data.Asked.Rows = append(data.Asked.Rows, SummaryRow{Key: step.Kind, Value: step.Text})
	}
	data.Asked.Rows = append(data.Asked.Rows, asked.Facts.Rows...)
	data.Asked.Rows = append(data.Asked.Rows, SummaryRow{Key: "Approved by", Value: Text(a.Approver + "; written by " + a.Author)},
		SummaryRow{Key: "Acknowledge by", Value: Moment{answer.RespondBy}})
	data.Editions = s.editions(p)
	data.Answer = s.packAnswer(answer)
	data.Evidence = evidenceTable(answer.Proof)
	data.Cited = Table{Caption: "Exposed when it was published", HideCaption: true, Columns: []Column{{Title: "Asset"}, {Title: "Version"}},
		Empty: Empty{Text: "No asset was cited as exposed when the alert was published."}}
	for _, c := range p.Cited {
		data.Cited.Rows = append(data.Cited.Rows, Row{Cells: []View{Text(c.Name), Text(orNotKnown(c.Version))}})
	}
	if len(p.Rulings) > 0 {
		data.Rulings = rulingsTable(p.Rulings)
	}
	for _, d := range p.Definitions {
		data.Definitions.Rows = append(data.Definitions.Rows, SummaryRow{Key: d.Word, Value: Text(d.Meaning)})
	}
	return Page{Title: "Evidence pack: " + string(answer.Org) + " on " + string(a.ID), Template: "pack", Current: "owed", Data: data,
		Crumbs: Crumbs{{Text: "Owed", Href: "/owed"}, {Text: string(a.ID), Href: answerPath(answer)}}}, nil
}

// tookStat is how long something took, in figures, beside what was asked.
func (s *Site) tookStat(of string, t responses.Took) Stat {
	stat := Stat{Value: elapsed(t.Elapsed), Of: of, Tone: ToneNeutral}
	if !t.Came {
		stat.Value, stat.Since = "not yet", elapsed(t.Elapsed)+" so far"
	}
	if t.Within > 0 {
		within := "asked within " + elapsed(t.Within)
		if t.Elapsed > t.Within {
			stat.Tone = ToneWarning
		}
		if stat.Since != "" {
			within = stat.Since + "; " + within
		}
		stat.Since = within
	}
	return stat
}

// elapsed tells a time span: "2 h 40 min", "12 days 3 h".
func elapsed(d time.Duration) string {
	switch hours := int(d.Hours()); {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case hours%24 == 0 && hours > 0 && d%time.Hour == 0:
		return Count(hours/24, "day")
	case hours >= 72:
		return fmt.Sprintf("%s %d h", Count(hours/24, "day"), hours%24)
	default:
		return fmt.Sprintf("%d h %d min", hours, int(d.Minutes())%60)
	}
}

// editions lists what the organisation was given to read over time; nil where it was one text.
func (s *Site) editions(p responses.Pack) *Table {
	if p.Alert.Edition < 2 {
		return nil
	}
	t := &Table{Caption: "What was issued", HideCaption: true, Columns: []Column{{Title: "Edition"}, {Title: "Issued", Tight: true}, {Title: "By", Tight: true}}}
	last := 0
	for _, v := range p.Versions {
		if v.Alert.Edition == last || v.Alert.Edition == 0 {
			continue
		}
		last = v.Alert.Edition
		at, by, why := v.Alert.Issued, v.Alert.Approver, "the first text"
		if last > 1 {
			at, by, why = v.Alert.Change.At, v.Alert.Change.By+" and "+v.Alert.Change.Approver, v.Alert.Change.Why
			if v.Alert.Change.Material {
				why += " (to be acknowledged again)"
			}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Text(Number(last)), Reason: why}, Moment{at}, Text(by)}})
	}
	return t
}

func (s *Site) packAnswer(r ward.Response) (list SummaryList) {
	add := func(key string, value View) { list.Rows = append(list.Rows, SummaryRow{Key: key, Value: value}) }
	add("Stands as", answerTag(r))
	if !r.AcknowledgedAt.IsZero() {
		add("Acknowledged", Stack{Text(r.AcknowledgedBy + ", "), Moment{r.AcknowledgedAt}})
	}
	add("Applies", Text(appliesWord(r.Applicability)))
	if !r.ClaimedFixedAt.IsZero() {
		add("Claimed fixed since", Moment{r.ClaimedFixedAt})
	}
	add("Confirmed", Text("no evidence has confirmed it"))
	if !r.ConfirmedAt.IsZero() {
		list.Rows[len(list.Rows)-1].Value = Moment{r.ConfirmedAt}
	}
	if r.Proof.Result != "" {
		add("Evidence", s.proofView(r.Proof))
	}
	if r.Dispute != "" {
		add("Contested", Prose(r.Dispute))
	}
	list.Rows = append(list.Rows, s.outcomeOf(r)...)
	if r.Check.Required && r.Check.Result == "" {
		add("Compromise check", Why{View: Text("required, not signed yet"), Reason: r.Check.Why})
	}
	if r.Words != "" {
		add("Last words", Prose(r.Words))
	}
	add("Exposure when sent", Why{View: exposureTag(r.Standing.State), Reason: sentence(r.Standing.Reason)})
	add("Exposure now", Why{View: exposureTag(r.Current.State), Reason: sentence(r.Current.Reason)})
	if r.EverOverdue {
		add("Late", Text("It was overdue at least once."))
	}
	return list
}

// evidenceTable is what each source last showed on each asset that a proof rests on.
func evidenceTable(p ward.Proof) Table {
	t := Table{Caption: "Evidence by asset", HideCaption: true, Columns: []Column{{Title: "Asset"}, {Title: "Version"}, {Title: "Reads", Tight: true}, {Title: "Source"}, {Title: "Observed", Tight: true}},
		Empty: Empty{Text: "No asset's evidence was held against the answer."}}
	for _, seen := range p.Assets {
		version := seen.Version
		if version == "" {
			version = seen.Software
		}
		status := View(statusTag(seen.Status))
		if seen.Gone {
			status = Why{View: status, Reason: "no longer listed"}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(seen.Name), Text(orNotKnown(version)), status, Text(seen.Source + " (" + string(seen.Grade) + ")"), Moment{seen.ObservedAt}}})
	}
	return t
}

func rulingsTable(rulings []ward.Ruling) *Table {
	t := &Table{Caption: "Rulings on its weaknesses", HideCaption: true, Columns: []Column{{Title: "Ruling"}, {Title: "Versions"}, {Title: "By", Tight: true}, {Title: "When", Tight: true}}}
	for _, u := range rulings {
		what := View(Why{View: statusTag(u.Status), Reason: u.Reason})
		if !u.Undone.IsZero() {
			what = Why{View: Text("taken back"), Reason: u.Reason}
		}
		versions := make([]string, len(u.Versions))
		copy(versions, u.Versions)
		t.Rows = append(t.Rows, Row{Cells: []View{what, Text(someOf(versions)), Text(u.Name), Moment{u.At}}})
	}
	return t
}

// packFile is the pack for a spreadsheet; what would be a formula there is text.
func (s *Site) packFile(w http.ResponseWriter, r *http.Request) {
	who := edge.Actor(r.Context())
	if s.refuse(w, r, who, ward.MayRead) {
		return
	}
	p, err := s.packOf(r, who)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	head, rows := p.Table()
	write, end := csvFile(w, fmt.Sprintf("%s-%s-evidence", p.Response.Alert, p.Response.Org), head...)
	for _, row := range rows {
		if err = write(row...); err != nil {
			break
		}
	}
	if err == nil {
		err = end()
	}
	if err != nil {
		s.log.WarnContext(r.Context(), "file cut short", "kind", "pack", "org", p.Response.Org, "err", err)
		panic(http.ErrAbortHandler)
	}
}
