package web

import (
	"net/http"
	"strconv"

	"wardwatch/ward"
)

func (s *Site) routesInbox() {
	s.get("/inbox", ward.MayRead, s.inboxPage)
	s.post("/inbox/{id}/read", ward.MayRead, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return "", nil, ward.ErrNotFound
		}
		return "/inbox", nil, s.Notify.MarkRead(r.Context(), who, id)
	})
	s.post("/inbox/read", ward.MayRead, s.markPage)
}

// inboxData is what an organisation, or the national desk, was told.
type inboxData struct {
	Lede  string
	List  Live
	Pager Pager
}

// inboxOf is whose notices a person reads: the own organisation's, or the desk's.
func inboxOf(who ward.Actor) ward.OrgID { return who.Org }

// inboxScope is what counts as new for a person: what their inbox shows, not that of others in their group.
func inboxScope(who ward.Actor) ward.Scope {
	if who.Scope.All() {
		return who.Scope
	}
	return ward.Only(inboxOf(who))
}

func (s *Site) inboxPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	org := inboxOf(who)
	notices, err := s.Notify.Inbox(ctx, who.Scope, org, r.URL.Query().Get("after"), 0)
	if err != nil {
		return Page{}, err
	}
	unread, err := s.Notify.Unread(ctx, inboxScope(who))
	if err != nil {
		return Page{}, err
	}
	t := Table{Caption: "Notices", HideCaption: true, Columns: []Column{{Title: "Notice"}, {Title: "When", Tight: true}, {Title: "Read", Tight: true}},
		Empty: Empty{Text: "Nothing was sent to you yet. New alerts and what follows from your answers will stand here."},
		Pick:  &Pick{Name: "notice", Action: "/inbox/read", Buttons: []Button{{Text: "Mark as read", Kind: Secondary, Small: true}}}, Keys: true}
	for _, n := range notices.Items {
		link := View(Text(n.Subject))
		if n.Link != "" {
			link = Link{Text: n.Subject, Href: local(n.Link)}
		}
		read := View(Tag{"New", ToneMoving})
		if !n.Read.IsZero() {
			read = Why{View: Text("Read"), Reason: "by " + n.ReadBy + ", " + s.at(n.Read)}
		}
		t.Rows = append(t.Rows, Row{Key: strconv.FormatInt(n.ID, 10), Name: n.Subject, Cells: []View{Why{View: link, Reason: n.Body}, When{n.Created}, read}})
	}
	data := inboxData{Lede: "Everything here has been read.", List: Live{ID: "inbox", Href: r.URL.RequestURI(), Topics: []string{"inbox:" + string(org)}, Body: t}}
	if unread > 0 {
		data.Lede = capital(countWord(unread, "notice is", "notices are")) + " new. Once one of you marks a notice as read, it is read for all of you."
	}
	if notices.Next != "" {
		data.Pager.Next = "/inbox?after=" + notices.Next
	}
	if r.URL.Query().Get("after") != "" {
		data.Pager.Prev = "/inbox"
	}
	return Page{Title: "Inbox", Template: "inbox", Current: "inbox", Data: data}, nil
}

// markPage marks the chosen notices.
func (s *Site) markPage(r *http.Request, who ward.Actor) (string, *Page, error) {
	if err := r.ParseForm(); err != nil {
		return "", nil, &ward.Invalid{Problem: "the form could not be read", Hint: "open the page again and send it from there"}
	}
	for _, value := range r.PostForm["notice"] {
		id, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return "", nil, ward.ErrNotFound
		}
		if err := s.Notify.MarkRead(r.Context(), who, id); err != nil {
			return "", nil, err
		}
	}
	return "/inbox", nil, nil
}
