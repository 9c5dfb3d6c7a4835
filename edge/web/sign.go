package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"wardwatch/edge"
	"wardwatch/ward"
)

func (s *Site) routesSign() {
	s.handle("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if s.refuse(w, r, edge.Actor(r.Context()), "") {
			return
		}
		http.Redirect(w, r, home(edge.Actor(r.Context())), http.StatusSeeOther)
	})
	s.handle("GET /sign-in", func(w http.ResponseWriter, r *http.Request) {
		s.render.Render(w, r, s.signInPage(r.URL.Query().Get("next"), "", nil))
	})
	s.handle("POST /sign-in", s.signIn)
	s.handle("POST /sign-out", s.signOut)
	s.handle("GET /password", func(w http.ResponseWriter, r *http.Request) {
		signed, in := edge.In(r.Context())
		if !in {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
			return
		}
		s.render.Render(w, r, passwordPage(signed.Person.MustChange, nil))
	})
	s.handle("POST /password", s.changePassword)
}

// signInData is what the sign-in page shows.
type signInData struct {
	Form     Form
	Accounts *Table // the demo's invented people
}

func (s *Site) signInPage(next, email string, wrong []FieldError) Page {
	page := Page{Title: "Sign in", Template: "sign-in", Failed: len(wrong) > 0}
	data := signInData{Form: Form{
		Action: "/sign-in",
		Errors: ErrorSummary{wrong},
		Hidden: []Hidden{{"next", local(next)}},
		Fields: []View{
			Input{Name: "email", Label: "Email address", Type: "email", Autocomplete: "username", Value: email, Required: true, Width: 20},
			Input{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password", Required: true, Width: 20},
		},
		Buttons: []Button{{Text: "Sign in"}},
	}}
	if s.Story != nil {
		table := s.accounts()
		data.Accounts = &table
	}
	page.Data = data
	if page.Failed {
		page.Status = http.StatusUnprocessableEntity
	}
	return page
}

// accounts are the demo's invented people, who exist so that somebody can sign in as them.
func (s *Site) accounts() Table {
	table := Table{Caption: "Accounts of the demo", Columns: []Column{{Title: "Who"}, {Title: "Role"}, {Title: "Email"}, {Title: "Password"}}}
	for _, a := range s.Story.Accounts() {
		who := a.Name
		if a.Organisation != "" {
			who += ", " + a.Organisation
		}
		table.Rows = append(table.Rows, Row{Cells: []View{Text(who), Text(a.Role), Code(a.Email), Code(a.Password)}})
	}
	return table
}

func (s *Site) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	email, next := textOf(r, "email"), r.PostFormValue("next")
	person, err := s.Access.SignIn(r.Context(), email, r.PostFormValue("password"), s.Access.Address(r))
	var many *edge.TooMany
	switch {
	case errors.Is(err, edge.ErrSignIn):
		s.render.Render(w, r, s.signInPage(next, email, []FieldError{{Field: "email", Text: "The email address or the password is not right. Try again, or ask an administrator for a new password."}}))
	case errors.As(err, &many):
		page := s.signInPage(next, email, []FieldError{{Text: capital(many.Error()) + "."}})
		page.Status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(many.After.Seconds()))))
		s.render.Render(w, r, page)
	case err != nil:
		s.fail(w, r, err)
	case person.MustChange:
		http.Redirect(w, r, "/password", http.StatusSeeOther)
	default:
		http.Redirect(w, r, local(next), http.StatusSeeOther)
	}
}

func (s *Site) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.Access.SignOut(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

func passwordPage(must bool, wrong []FieldError) Page {
	page := Page{Title: "Choose a new password", Template: "password", Failed: len(wrong) > 0}
	page.Data = struct {
		Must bool
		Form Form
	}{must, Form{
		Action: "/password",
		Errors: ErrorSummary{wrong},
		Fields: []View{
			Input{Name: "old", Label: "Password you signed in with", Type: "password", Autocomplete: "current-password", Required: true, Width: 20},
			Input{Name: "new", Label: "New password", Hint: "At least 12 characters. Three unusual words are good.", Type: "password", Autocomplete: "new-password", Required: true, Width: 20},
		},
		Buttons: []Button{{Text: "Change password"}},
	}}
	if page.Failed {
		page.Status = http.StatusUnprocessableEntity
	}
	return page
}

func (s *Site) changePassword(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	signed, in := edge.In(r.Context())
	if !in {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	err := s.Access.ChangePassword(r.Context(), r.PostFormValue("old"), r.PostFormValue("new"), s.Access.Address(r))
	var bad *ward.Invalid
	switch {
	case errors.Is(err, edge.ErrSignIn):
		s.render.Render(w, r, passwordPage(signed.Person.MustChange, []FieldError{{Field: "old", Text: "That is not the password you signed in with."}}))
	case errors.As(err, &bad):
		wrong, _ := invalid(err)
		wrong[0].Field = "new"
		s.render.Render(w, r, passwordPage(signed.Person.MustChange, wrong))
	case err != nil:
		s.fail(w, r, err)
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}
