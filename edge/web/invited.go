package web

import (
	"net/http"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

// routesInvited take the links of messages. Nobody is signed in: the link itself is the right, to one thing, once. Opening it
// changes nothing, because mail scanners open links; the button does.
func (s *Site) routesInvited() {
	s.handle("GET "+notify.LinkPath+"{link}", func(w http.ResponseWriter, r *http.Request) {
		i, err := s.Notify.Invited(r.Context(), r.PathValue("link"))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.invited(w, r, i, false)
	})
	s.handle("POST "+notify.LinkPath+"{link}", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		i, err := s.Notify.Redeem(r.Context(), r.PathValue("link"))
		switch {
		case err == nil:
			s.invited(w, r, i, true)
		case i.Words != "": // it was used, ended, or asks for nothing any more: the page says which
			again, problem := s.Notify.Invited(r.Context(), r.PathValue("link"))
			if problem != nil {
				s.fail(w, r, problem)
				return
			}
			s.invited(w, r, again, false)
		default:
			s.fail(w, r, err)
		}
	})
}

// invitedData is what a link stands for: which alert, for whom, and the button; nothing that the message did not say.
type invitedData struct {
	Lede  string
	Done  *Banner
	Form  *Form
	Facts SummaryList
	Next  Link
}

func (s *Site) invited(w http.ResponseWriter, r *http.Request, i notify.Invitation, done bool) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
	asks := i.Notice.Asks
	data := invitedData{Lede: i.Words, Next: Link{Text: "Sign in to read and answer", Href: "/sign-in"}}
	title := "Confirm that messages reach you"
	if asks {
		title = "Acknowledge " + string(i.Notice.Alert)
		data.Next.Href = "/sign-in?next=" + queryText(alertHref(i.Notice.Alert))
		data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: "Alert", Value: Code(i.Notice.Alert)})
	}
	data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: "Organisation", Value: Code(orCentre(i.Notice.Org))}, SummaryRow{Key: "Sent to", Value: Text(i.Delivery.Name)})
	switch {
	case done && asks:
		title = "Acknowledged"
		data.Done = &Banner{Good: true, Heading: "Acknowledged for " + string(i.Notice.Org) + ", at " + s.at(i.Delivery.Used) + "."}
		data.Lede = "What comes next: say whether it applies, act, and close. That needs your own account."
	case done:
		title = "Messages reach you"
		data.Done = &Banner{Good: true, Heading: "Confirmed at " + s.at(i.Delivery.Used) + ": messages reach you here."}
		data.Lede = "Nothing else is needed."
	case i.State == notify.LinkOpen:
		text := "Acknowledge"
		if !asks {
			text = "Confirm"
		}
		data.Form = &Form{Action: r.URL.Path, Buttons: []Button{{Text: text}}}
		data.Facts.Rows = append(data.Facts.Rows, SummaryRow{Key: "This link ends", Value: When{i.Expires}})
	}
	if i.Notice.Exercise {
		title = "EXERCISE: " + title
	}
	s.render.Render(w, r, Page{Title: title, Template: "invited", Data: data})
}

// orCentre is an organisation's code, or whom a notice without one is for.
func orCentre(org ward.OrgID) ward.OrgID {
	if org == "" {
		return "the national desk"
	}
	return org
}
