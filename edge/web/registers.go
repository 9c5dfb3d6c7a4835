package web

import (
	"net/http"
	"time"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

func (s *Site) routesRegisters() { s.get("/registers", ward.MayRead, s.registersPage) }

// registersData is what is not fixed and has a date: controls, accepted risks, machines that are left.
type registersData struct {
	Lede       string
	Controlled Table
	Accepted   Table
	Residual   Table
}

// dueSoon is when a register's date begins to press: the first of its reminders.
const dueSoon = 14 * 24 * time.Hour

func (s *Site) registersPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	controlled, err := s.Responses.Controlled(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	accepted, err := s.Responses.Accepted(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	residual, err := s.Responses.Residuals(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	data := registersData{
		Controlled: s.heldTable(known, "Controlled", "Nothing is held by a control now.", []Column{{Title: "Control"}, {Title: "Looked after by"}}, controlled, func(h responses.Held) []View {
			k := h.Response.Control
			return []View{Why{View: Text(capital(controlWord(k.Kind)) + ": " + k.What), Reason: "shown by " + k.Evidence}, Text(k.Owner)}
		}),
		Accepted: s.heldTable(known, "Risk accepted", "No risk is accepted now.", []Column{{Title: "Because"}, {Title: "By"}}, accepted, func(h responses.Held) []View {
			return []View{Text(h.Response.Acceptance.Reason), Text(h.Response.Acceptance.Officer)}
		}),
		Residual: s.heldTable(known, "Fixed, but for some machines", "No machine was left when an answer closed.", []Column{{Title: "Left"}, {Title: "Why"}}, residual, func(h responses.Held) []View {
			var names, why []string
			for _, left := range h.Response.Residual {
				names = append(names, left.Name)
				if len(why) == 0 || why[len(why)-1] != left.Reason {
					why = append(why, left.Reason)
				}
			}
			return []View{Text(someOf(names)), Text(someOf(why))}
		}),
	}
	data.Lede = s.registersLede(append(append(append([]responses.Held(nil), controlled...), accepted...), residual...))
	return Page{Title: "Controlled and accepted", Template: "registers", Current: "owed", Data: data, Crumbs: Crumbs{{Text: "Owed", Href: "/owed"}}}, nil
}

func (s *Site) registersLede(all []responses.Held) string {
	if len(all) == 0 {
		return "Nothing is held until a date: every answer that closed, closed for good."
	}
	now := s.clock.Now()
	next, soon := time.Time{}, 0
	for _, h := range all {
		if h.Expired {
			continue
		}
		if next.IsZero() || h.Until.Before(next) {
			next = h.Until
		}
		if h.Until.Sub(now) <= dueSoon {
			soon++
		}
	}
	text := capital(countWord(len(all), "answer holds", "answers hold")) + " until a date"
	if soon > 0 {
		text += "; " + countWord(soon, "ends", "end") + " within 14 days"
	}
	if next.IsZero() {
		return text + "."
	}
	return text + ". The next opens again " + Ago(next, now) + ", at " + s.at(next) + "."
}

// heldTable is one register, the soonest date first.
func (s *Site) heldTable(known register, caption, empty string, columns []Column, all []responses.Held, says func(responses.Held) []View) Table {
	several := map[ward.OrgID]bool{}
	for _, h := range all {
		several[h.Response.Org] = true
	}
	t := Table{Caption: caption, HideCaption: true, Empty: Empty{Text: empty}, Columns: append(append([]Column{{Title: "Alert"}}, columns...), Column{Title: "Until", Tight: true})}
	now := s.clock.Now()
	for _, h := range all {
		reason := string(h.Severity) + ": " + h.Title
		if len(several) > 1 {
			reason = known.name(h.Response.Org) + ". " + reason
		}
		until := View(When{h.Until})
		switch left := h.Until.Sub(now); {
		case h.Expired:
			until = Why{View: Stack{Tag{"Passed", ToneCritical}, Text(" "), When{h.Until}}, Reason: "the alert was closed before this date, so nothing opened the answer again"}
		case left <= dueSoon:
			until = Why{View: Stack{Tag{"Soon", ToneWarning}, Text(" "), When{h.Until}}, Reason: "renew it or fix it: people were reminded"}
		}
		cells := []View{Why{View: Link{Text: string(h.Response.Alert), Href: answerPath(h.Response)}, Reason: reason}}
		t.Rows = append(t.Rows, Row{Cells: append(append(cells, says(h)...), until)})
	}
	return t
}
