package web

import (
	"net/http"

	"wardwatch/ward"
)

// routesAliases join the names of one product, where inventories and publishers write it differently.
func (s *Site) routesAliases() {
	s.get("/aliases", ward.MayRule, func(r *http.Request, who ward.Actor) (Page, error) { return s.aliases(r, nil, "") })
	s.post("/aliases", ward.MayRule, s.addAlias)
	s.post("/aliases/undo", ward.MayRule, s.undoAlias)
}

// aliasesData is what analysts joined, and the place to join more.
type aliasesData struct {
	Done  View
	Lede  string
	Form  Form
	Stand []ruled
	None  View
	Past  []ruled
}

// aliases lists the joined names; undoing is the alias whose undoing was refused.
func (s *Site) aliases(r *http.Request, wrong []FieldError, undoing string) (Page, error) {
	all, err := s.Intel.Aliases(r.Context())
	if err != nil {
		return Page{}, err
	}
	data := aliasesData{}
	switch r.URL.Query().Get("done") {
	case "joined":
		data.Done = Banner{Good: true, Heading: "Joined. The match follows it within moments, for every organisation."}
	case "undone":
		data.Done = Banner{Good: true, Heading: "Undone. The two names are two products again."}
	}
	for i := len(all) - 1; i >= 0; i-- {
		one := aliasOf(all[i], undoing == all[i].ID, wrong)
		if all[i].Undone.IsZero() {
			data.Stand = append(data.Stand, one)
		} else {
			data.Past = append(data.Past, one)
		}
	}
	if len(data.Stand) == 0 {
		data.None = Empty{Text: "Nothing is joined by hand. What many products are called is built in."}
	}
	data.Lede = clauses(countWord(len(data.Stand), "pair of names is", "pairs of names are")+" joined by hand: each holds for every organisation alike, and can be undone",
		some(len(data.Past), Number(len(data.Past))+" "+plural(len(data.Past), "was", "were")+" undone"))
	mine := wrong
	if undoing != "" {
		mine = nil
	}
	input := func(name, label, hint string) View {
		value := ""
		if len(mine) > 0 {
			value = textOf(r, name)
		}
		return Input{Name: name, Label: label, Hint: hint, Value: value, Error: errorAt(mine, name)}
	}
	reason := ""
	if len(mine) > 0 {
		reason = textOf(r, "reason")
	}
	data.Form = Form{Action: "/aliases", Errors: ErrorSummary{wrong}, Fields: []View{
		Fieldset{Legend: "One name", Body: Stack{input("vendor", "Vendor", "As an inventory writes it."), input("product", "Product", "")}},
		Fieldset{Legend: "The other name of the same product", Body: Stack{input("other_vendor", "Vendor", "As a publisher of weaknesses writes it."), input("other_product", "Product", "")}},
		Textarea{Name: "reason", Label: "Because", Hint: "Name what it rests on, such as the vendor’s own page.", Rows: 2, Value: reason, Error: errorAt(mine, "reason")},
	}, Buttons: []Button{{Text: "Join the two names"}}}
	return Page{Title: "Product names", Template: "aliases", Current: "queue", Crumbs: Crumbs{{Text: "Queue", Href: "/queue"}}, Data: data, Failed: len(wrong) > 0}, nil
}

func aliasOf(a ward.ProductAlias, open bool, wrong []FieldError) ruled {
	one := ruled{Title: ward.ProductName(a.Vendor, a.Product) + " is " + ward.ProductName(a.OtherVendor, a.OtherProduct)}
	row := func(key string, value View) {
		one.Facts.Rows = append(one.Facts.Rows, SummaryRow{Key: key, Value: value})
	}
	row("Because", Prose(a.Reason))
	row("By", Why{View: Text(a.Name), Reason: At(a.At)})
	if !a.Undone.IsZero() {
		row("Undone", Why{View: Moment{a.Undone}, Reason: "by " + a.UndoneBy})
		return one
	}
	var said string
	if open {
		said = errorAt(wrong, "reason-"+a.ID)
	}
	one.Undo = Details{Summary: "Undo this", Open: open, Body: Form{Action: "/aliases/undo", Hidden: []Hidden{{"id", a.ID}},
		Fields:  []View{Textarea{Name: "reason", ID: "reason-" + a.ID, Label: "Why", Hint: "The watch log keeps it.", Rows: 2, Error: said}},
		Buttons: []Button{{Text: "Undo: two products", Kind: Danger}}}}
	return one
}

func (s *Site) addAlias(r *http.Request, who ward.Actor) (string, *Page, error) {
	_, err := s.Intel.Alias(r.Context(), who, ward.ProductAlias{Vendor: textOf(r, "vendor"), Product: textOf(r, "product"),
		OtherVendor: textOf(r, "other_vendor"), OtherProduct: textOf(r, "other_product"), Reason: textOf(r, "reason")})
	if err == nil {
		return "/aliases?done=joined", nil, nil
	}
	wrong, err := deskInvalid(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.aliases(r, wrong, "")
	return "", &page, err
}

func (s *Site) undoAlias(r *http.Request, who ward.Actor) (string, *Page, error) {
	id, reason := textOf(r, "id"), textOf(r, "reason")
	if reason == "" {
		page, err := s.aliases(r, []FieldError{{Field: "reason-" + id, Text: "Say why: the watch log keeps it."}}, id)
		return "", &page, err
	}
	_, err := s.Intel.Unalias(r.Context(), who, id, reason)
	return "/aliases?done=undone", nil, err
}
