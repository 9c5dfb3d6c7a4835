package web

import (
	"fmt"
	"net/http"

	"wardwatch/ward"
)

func (s *Site) routesDeclare() {
	const path = "/organisations/{org}/declare"
	s.get(path, ward.MayDeclare, func(r *http.Request, who ward.Actor) (Page, error) {
		q := r.URL.Query()
		return s.declarePage(r, who, ward.Declaration{Vendor: q.Get("vendor"), Product: q.Get("product")}, ward.AlertID(q.Get("alert")), nil)
	})
	s.post(path, ward.MayDeclare, s.declare)
}

// declarePath asks an organisation whether it runs a product; alert is where the reader goes on.
func declarePath(org ward.OrgID, vendor, product string, alert ward.AlertID) string {
	return addressWith(orgPath(org)+"/declare", "vendor", vendor, "product", product, "alert", string(alert))
}

// declareData is the one question.
type declareData struct {
	Lede string
	Form Form
}

func (s *Site) declarePage(r *http.Request, who ward.Actor, d ward.Declaration, alert ward.AlertID, wrong []FieldError) (Page, error) {
	org := orgOf(r)
	o, err := s.Estate.Organisation(r.Context(), who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	product := ward.ProductName(d.Vendor, d.Product)
	open := product == "" || textOf(r, "open") == "yes"
	classes := []Choice{{Value: "", Text: "Not sure", Chosen: d.Class == ""}}
	for _, c := range ward.Classes {
		classes = append(classes, Choice{Value: string(c), Text: capital(classWord(c)), Chosen: d.Class == c})
	}
	reach := func(t ward.Tri, text string) Choice {
		return Choice{Value: triWord(t), Text: text, Chosen: d.Reachable == t}
	}
	data := declareData{
		Lede: fmt.Sprintf("No inventory of %s could have shown it, so a person must say. Your answer is signed with your name, counts as self-declared, and holds for %d days.", o.Name, int(ward.DeclaredFor.Hours())/24),
		Form: Form{Action: orgPath(org) + "/declare", Errors: ErrorSummary{wrong},
			Hidden: []Hidden{{"vendor", d.Vendor}, {"product", d.Product}, {"alert", string(alert)}},
			Fields: []View{
				Radios{Name: "answer", Legend: "Your answer", Error: errorAt(wrong, "answer"), Choices: []Choice{
					{Value: string(ward.RunsIt), Text: "Yes", Hint: "Give the version below.", Chosen: d.Answer == ward.RunsIt},
					{Value: string(ward.NotRun), Text: "No", Hint: "Nowhere in the organisation, and nobody runs it for us.", Chosen: d.Answer == ward.NotRun},
					{Value: string(ward.HostedBy), Text: "Another organisation hosts it for us", Hint: "Say below who does.", Chosen: d.Answer == ward.HostedBy},
				}},
				Input{Name: "version", Label: "If yes: which version", Hint: "As the product shows it, such as 12.5.0.1.", Value: d.Version, Width: 20, Error: errorAt(wrong, "version")},
				Input{Name: "asset", Label: "If yes: on which machine (optional)", Hint: "Its host name or label.", Value: d.Asset, Width: 20, Error: errorAt(wrong, "asset")},
				Select{Name: "class", Label: "If yes: what kind of machine (optional)", Choices: classes, Error: errorAt(wrong, "class")},
				Radios{Name: "reachable", Legend: "If yes: can it be reached from the internet?", Inline: true, Choices: []Choice{reach(ward.Yes, "Yes"), reach(ward.No, "No"), reach(ward.NotKnown, "Not known")}},
				Input{Name: "host", Label: "If hosted: the host's code (optional)", Hint: "Its organisation code, when it has one.", Value: string(d.Host), Width: 10, Error: errorAt(wrong, "host")},
				Textarea{Name: "words", Label: "Anything to add (optional)", Hint: "Who hosts it, or how you know.", Value: d.Words, Rows: 3, Error: errorAt(wrong, "words")},
			},
			Buttons: []Button{{Text: "Sign and send"}}},
	}
	title := "Do you run " + product + "?"
	if open {
		title = "What do you run, or not run?"
		data.Lede = fmt.Sprintf("Say of one product whether %s runs it. Your answer is signed with your name, dated, counts as self-declared, and holds for %d days.", o.Name, int(ward.DeclaredFor.Hours())/24)
		data.Form.Hidden = []Hidden{{"alert", string(alert)}, {"open", "yes"}}
		data.Form.Fields = append([]View{
			Input{Name: "product", Label: "Product", Hint: "As its maker calls it, such as Endpoint Manager Mobile.", Value: d.Product, Error: errorAt(wrong, "product")},
			Input{Name: "vendor", Label: "Maker (optional)", Hint: "Such as Ivanti.", Width: 20, Value: d.Vendor, Error: errorAt(wrong, "vendor")},
		}, data.Form.Fields...)
	}
	crumbs := Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: o.Name, Href: orgPath(org)}}
	if alert != "" {
		crumbs = Crumbs{{Text: "Owed", Href: "/owed"}, {Text: string(alert), Href: answerPath(ward.Response{Alert: alert, Org: org})}}
	}
	return Page{Title: title, Template: "declare", Current: "owed", Crumbs: crumbs, Failed: len(wrong) > 0, Data: data}, nil
}

func (s *Site) declare(r *http.Request, who ward.Actor) (string, *Page, error) {
	d := ward.Declaration{Org: orgOf(r), Vendor: textOf(r, "vendor"), Product: textOf(r, "product"), Answer: ward.DeclaredAnswer(textOf(r, "answer")),
		Version: textOf(r, "version"), Asset: textOf(r, "asset"), Class: ward.Class(textOf(r, "class")), Host: ward.OrgID(textOf(r, "host")), Words: textOf(r, "words")}
	switch textOf(r, "reachable") {
	case "yes":
		d.Reachable = ward.Yes
	case "no":
		d.Reachable = ward.No
	}
	alert := ward.AlertID(textOf(r, "alert"))
	var err error
	if d.Answer == "" {
		err = &ward.Invalid{Field: "answer", Problem: "choose one", Hint: "yes, no, or hosted by another"}
	} else {
		_, err = s.Estate.Declare(r.Context(), who, d)
	}
	if err == nil {
		if alert != "" {
			return answerPath(ward.Response{Alert: alert, Org: d.Org}) + "?done=declare", nil, nil
		}
		return orgPath(d.Org), nil, nil
	}
	wrong, err := refused(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.declarePage(r, who, d, alert, wrong)
	return "", &page, err
}
