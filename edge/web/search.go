package web

import (
	"net/http"
	"strings"

	"wardwatch/act/duty"
	"wardwatch/ward"
)

func (s *Site) routesSearch() { s.get("/search", ward.MayRead, s.search) }

// searchData is what a search came upon, a table for each sort of thing.
type searchData struct {
	Lede  string
	Form  Form
	Parts []Titled
}

// search finds what holds every word, within what its reader may see.
func (s *Site) search(r *http.Request, who ward.Actor) (Page, error) {
	text := strings.TrimSpace(r.URL.Query().Get("q"))
	data := searchData{Lede: "Every word must be there: in what waits, in alerts, in organisations, or in weaknesses."}
	page := Page{Title: "Search", Template: "search", Current: "search"}
	var wrong []FieldError
	if text != "" {
		found, err := s.Duty.Search(r.Context(), who, text)
		if err == nil {
			known, err := s.register(r.Context(), who.Scope)
			if err != nil {
				return Page{}, err
			}
			data.Parts, data.Lede = foundParts(found, known), foundLede(found)
		} else if wrong, err = invalid(err); err != nil {
			return Page{}, err
		}
	}
	data.Form = Form{Action: "/search", Get: true, Errors: ErrorSummary{wrong}, Fields: []View{Input{Name: "q", Label: "Words", Type: "search", Value: text, Error: errorAt(wrong, "q")}},
		Buttons: []Button{{Text: "Search"}}}
	page.Data, page.Failed = data, len(wrong) > 0
	return page, nil
}

func foundLede(f duty.Found) string {
	said := "“" + strings.Join(f.Words, " ") + "”"
	if len(f.Items)+len(f.Alerts)+len(f.Organisations)+len(f.Weaknesses) == 0 {
		return "Nothing holds " + said + ". Try fewer words, or the beginning of one."
	}
	return clauses(Count(len(f.Alerts), "alert"), Count(len(f.Items), "item")+" at your desk", Count(len(f.Organisations), "organisation"),
		Count(len(f.Weaknesses), "weakness", "weaknesses")+" "+plural(len(f.Items)+len(f.Alerts)+len(f.Organisations)+len(f.Weaknesses), "holds", "hold")+" "+said+", at most twenty of each")
}

func foundParts(f duty.Found, known register) (parts []Titled) {
	add := func(title string, t Table) {
		if len(t.Rows) > 0 {
			t.Caption, t.HideCaption = title, true
			parts = append(parts, Titled{Title: title, Body: t})
		}
	}
	var t Table
	t.Columns = []Column{{Title: "Alert"}, {Title: "Severity", Tight: true}, {Title: "State", Tight: true}}
	for _, a := range f.Alerts {
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: link(a.Title, alertHref(a.ID)), Reason: string(a.ID)}, severityTag(a.Severity), alertStateTag(a.State)}})
	}
	add("Alerts", t)
	t = Table{Columns: []Column{{Title: "What, and why it waits"}, {Title: "Kind", Tight: true}, {Title: "Organisation"}}}
	for _, i := range f.Items {
		org := ""
		if i.Org != "" {
			org = known.name(i.Org)
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: link(i.Title, local(i.Link)), Reason: sentence(i.Reason)}, kindTag(i.Kind), Text(org)}})
	}
	add("What waits at your desk", t)
	t = Table{Columns: []Column{{Title: "Organisation"}, {Title: "Code", Tight: true}, {Title: "Town"}}}
	for _, o := range f.Organisations {
		t.Rows = append(t.Rows, Row{Cells: []View{link(o.Name, orgHref(o.ID)), Code(o.ID), Text(o.Town)}})
	}
	add("Organisations", t)
	t = Table{Columns: []Column{{Title: "Weakness"}, {Title: "Exploited", Tight: true}}}
	for _, v := range f.Weaknesses {
		exploited := View(Text("not known"))
		if v.Exploited != nil {
			exploited = Tag{"Exploited", ToneCritical}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: link(string(v.ID), weaknessHref(v.ID)), Reason: v.Title}, exploited}})
	}
	add("Weaknesses", t)
	return parts
}
