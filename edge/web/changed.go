package web

import (
	"context"
	"fmt"
	"net/http"

	"wardwatch/act/alerts"
	"wardwatch/ward"
)

// changed says what the newest update of an alert changed; nil where there was none. It stands open while the update asks
// for an acknowledgement.
func (s *Site) changed(ctx context.Context, scope ward.Scope, a ward.Alert, asks bool) (View, error) {
	if a.Edition < 2 || a.State != ward.Published {
		return nil, nil
	}
	versions, err := s.Alerts.Versions(ctx, scope, a.ID)
	if err != nil {
		return nil, err
	}
	var before *ward.Alert
	for _, v := range versions {
		if v.Alert.Edition == a.Edition-1 {
			before = &v.Alert
		}
	}
	said := sentence(a.Change.Why)
	var fields SummaryList
	if before != nil {
		for _, c := range alerts.Changes(*before, a) {
			was := c.Before
			if was == "" {
				was = "nothing"
			}
			now := c.After
			if now == "" {
				now = "nothing any more"
			}
			fields.Rows = append(fields.Rows, SummaryRow{Key: c.Title, Value: Why{View: Prose(now), Reason: "before: " + was}})
		}
	}
	when := s.at(a.Change.At)
	if asks {
		return Titled{Title: "What changed", ID: "changed", Note: fmt.Sprintf("Updated at %s by %s and %s.", when, a.Change.By, a.Change.Approver),
			Body: Stack{Inset{Text(said)}, fields}}, nil
	}
	return Details{Summary: "Updated at " + when + ": what changed", Body: Stack{Text(said), fields}}, nil
}

// informedData is an alert as an organisation reads it that owes nothing to it.
type informedData struct {
	About   []View
	Lede    string
	Changed View
	Alert   alertData
	More    []Link
}

// informedPage is an alert that an organisation was sent for information.
func (s *Site) informedPage(r *http.Request, who ward.Actor, a ward.Alert) (Page, error) {
	changed, err := s.changed(r.Context(), who.Scope, a, false)
	if err != nil {
		return Page{}, err
	}
	data := informedData{About: append(alertAbout(a), Tag{Text: "For your information"}), Alert: alertWords(a), Changed: changed,
		Lede: "This alert was sent to you for information: you owe no answer."}
	switch {
	case !a.InForce():
		data.Lede = s.overLede(answered{alert: a})
	case a.Change.Material:
		data.Lede += " It was last updated at " + s.at(a.Revised) + "."
	}
	if a.SupersededBy != "" {
		data.More = append(data.More, Link{Text: "Go to " + string(a.SupersededBy), Href: alertHref(a.SupersededBy)})
	}
	return Page{Title: a.Title, Template: "for-information", Current: "alerts", Crumbs: Crumbs{{Text: "Alerts", Href: "/alerts"}}, Data: data}, nil
}
