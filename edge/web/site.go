package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/duty"
	"wardwatch/act/findings"
	"wardwatch/act/notify"
	"wardwatch/act/responses"
	"wardwatch/edge"
	"wardwatch/know/estate"
	"wardwatch/know/feeds"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/ward"
	"wardwatch/watch/archive/hunts"
	"wardwatch/watch/coverage"
)

// Rooms are what the pages show and act through: one domain object a room, each of which checks who asks.
type Rooms struct {
	Estate    *estate.Register
	Intel     *intel.Library
	Feeds     *feeds.Syncer
	Match     *match.Matcher
	Findings  *findings.Desk
	Alerts    *alerts.Board
	Responses *responses.Ledger
	Notify    *notify.Outbox
	Duty      *duty.Desk
	Coverage  *coverage.Room
	Hunts     *hunts.Desk
	Lines     func() []notify.Line // how each channel does; nil: nothing is sent from here
	Access    Door
	Story     Story // nil outside the demo
}

// Story is the demo's own page: what came in, step by step, and what the product made of it.
type Story interface {
	// Played is what has happened so far, oldest first, and how many steps there will be.
	Played() (steps []StoryStep, total int)
	// Accounts are the invented people that a visitor may sign in as.
	Accounts() []StoryAccount
}

// StoryStep is one input and what the product made of it.
type StoryStep struct {
	At   time.Time
	Say  string // what came in
	Made string // what the product says now, in words; empty when nothing that the story follows changed
	Link string // the page to look at
}

// StoryAccount is an invented person with a password that is printed, which is why it exists in the demo only.
type StoryAccount struct {
	Email, Password, Name, Role, Organisation string
}

// Site serves every page. Its routes stand one file a part of the product, next to their handlers.
type Site struct {
	Rooms
	render   *Renderer
	exercise bool // every alert drafted here is an exercise
	hints    *Hints
	clock    ward.Clock
	log      *slog.Logger
	mux      *http.ServeMux
	routes   []string // every pattern, for whoever must ask them all
}

// NewSite parses the templates and wires the routes. Serve it behind the Door's Middleware.
func NewSite(rooms Rooms, clock ward.Clock, o Options) (*Site, error) {
	s := &Site{Rooms: rooms, hints: &Hints{}, clock: clock, exercise: o.Exercise, log: o.Log, mux: http.NewServeMux()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	o.Clock = clock
	o.Frame = s.frame
	o.NewID = edge.RequestID
	var err error
	if s.render, err = NewRenderer(o); err != nil {
		return nil, err
	}
	s.handle("GET "+StaticPath, s.render.Static().ServeHTTP)
	s.handle("GET /live", s.live)
	s.handle("/", func(w http.ResponseWriter, r *http.Request) { s.render.Render(w, r, NotFound()) })
	s.routesSign()
	s.routesOwed()
	s.routesAnswer()
	s.routesPack()
	s.routesOthers()
	s.routesTelephone()
	s.routesSettle()
	s.routesRegisters()
	s.routesInvited()
	s.routesContacts()
	s.routesInbox()
	s.routesOrganisations()
	s.routesAssets()
	s.routesDeclare()
	s.routesDevices()
	s.routesImports()
	s.routesNational()
	s.routesHunts()
	return s, nil
}

// handle adds a route and remembers it.
func (s *Site) handle(pattern string, serve http.HandlerFunc) {
	s.routes = append(s.routes, pattern)
	s.mux.HandleFunc(pattern, serve)
}

// Routes lists the pattern of every route ("GET /assets/{id}"), in the order in which they were added.
func (s *Site) Routes() []string { return slices.Clone(s.routes) }

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Tell passes the store's hints to the browsers that may see them, until hints closes.
func (s *Site) Tell(hints <-chan ward.Hint) {
	for hint := range hints {
		s.hints.Send(hint)
	}
}

// liveFor is how long one stream of hints lasts.
const liveFor = 5 * time.Minute

func (s *Site) live(w http.ResponseWriter, r *http.Request) {
	who := edge.Actor(r.Context())
	if !who.May(ward.MayRead) && !who.May(ward.MayPeople) {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	// Who reads is asked again now and then: a session that ended hears no more. The browser comes back by itself.
	ctx, end := context.WithTimeout(r.Context(), liveFor)
	defer end()
	s.hints.Serve(ctx, w, r, func(h ward.Hint) bool { return h.Org == "" || who.Scope.Sees(h.Org) })
}

// A showing reads and gives a page.
type showing func(r *http.Request, who ward.Actor) (Page, error)

// A doing carries out a form and says where to go on; a page instead of an address shows the form again, with what to
// correct.
type doing func(r *http.Request, who ward.Actor) (next string, again *Page, err error)

// get adds a page for those whose role allows need.
func (s *Site) get(pattern string, need ward.Permission, show showing) {
	s.handle("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
		who := edge.Actor(r.Context())
		if s.refuse(w, r, who, need) {
			return
		}
		page, err := show(r, who)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.render.Render(w, r, page)
	})
}

// maxForm bounds a posted form, in bytes; files come by their own route.
const maxForm = 1 << 20

// post adds a form for those whose role allows need. What it changed is shown by the page that it redirects to.
func (s *Site) post(pattern string, need ward.Permission, do doing) {
	s.postUpTo(pattern, need, maxForm, do)
}

func (s *Site) postUpTo(pattern string, need ward.Permission, most int64, do doing) {
	s.handle("POST "+pattern, func(w http.ResponseWriter, r *http.Request) {
		who := edge.Actor(r.Context())
		if s.refuse(w, r, who, need) {
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next, again, err := do(r, who)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case again != nil:
			if again.Status == 0 {
				again.Status = http.StatusUnprocessableEntity
			}
			s.render.Render(w, r, *again)
		default:
			http.Redirect(w, r, local(next), http.StatusSeeOther)
		}
	})
}

// refuse answers a request that may not go on: to the sign-in page when nobody is signed in.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, who ward.Actor, need ward.Permission) bool {
	signed, in := edge.In(r.Context())
	switch {
	case !in:
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
	case signed.Person.MustChange:
		http.Redirect(w, r, "/password", http.StatusSeeOther)
	case need != "" && !who.May(need):
		s.fail(w, r, ward.ErrForbidden)
	default:
		return false
	}
	return true
}

// fail shows an error as a page: what happened, that nothing was lost, what to do.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	problem := edge.ProblemOf(err)
	var conflict *ward.Conflict
	switch {
	case errors.As(err, &conflict):
		s.render.Render(w, r, Conflict(Conflicted{
			What:  "the " + conflict.What,
			Saved: ConflictText{By: conflict.By, Text: conflict.Theirs},
			Yours: ConflictText{By: edge.Actor(r.Context()).Name, Text: conflict.Yours, When: When{s.clock.Now()}},
			Again: Link{Text: "Go on from the saved version", Href: local(r.Header.Get("Referer"))},
		}))
	case problem.Status == http.StatusNotFound:
		s.render.Render(w, r, NotFound())
	case problem.Status == http.StatusForbidden:
		s.render.Render(w, r, NoAccess("an administrator"))
	case problem.Status >= http.StatusInternalServerError:
		id := edge.RequestID(r.Context())
		s.log.ErrorContext(r.Context(), "page erred", "path", r.URL.Path, "id", id, "err", err)
		s.render.Render(w, r, ServerError(id))
	default:
		s.render.Render(w, r, Page{Status: problem.Status, Title: problem.Title, Template: "problem", Data: problem})
	}
}

// local keeps a redirect on this server: the path and query of an address, or the front page.
func local(address string) string {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.ContainsAny(u.Path, "\\\r\n") {
		return "/"
	}
	next := url.URL{Path: u.Path, RawQuery: u.RawQuery, Fragment: u.Fragment}
	return next.String()
}

// home is a reader's first page.
func home(who ward.Actor) string {
	switch {
	case who.May(ward.MayWatch):
		return "/watch"
	case who.May(ward.MayPeople):
		return "/people"
	}
	return "/owed"
}

// frame is what stands around a page: who reads, where they may go, and how much waits there.
func (s *Site) frame(r *http.Request) Frame {
	signed, in := edge.In(r.Context())
	if !in {
		return Frame{}
	}
	who := edge.Actor(r.Context())
	f := Frame{
		Person:  Person{Name: signed.Person.Name, Role: string(signed.Person.Role), Organisation: string(signed.Person.Org)},
		Home:    home(who),
		Account: "/account",
		SignOut: "/sign-out",
		Nav:     s.places(r.Context(), who),
	}
	if who.May(ward.MayRead) {
		f.Live = "/live"
	}
	return f
}

// places are the parts of the product that a role opens.
func (s *Site) places(ctx context.Context, who ward.Actor) []NavItem {
	var items []NavItem
	add := func(may ward.Permission, key, text string) {
		if who.May(may) {
			items = append(items, NavItem{Key: key, Text: text, Href: "/" + key})
		}
	}
	add(ward.MayWatch, "watch", "Watch")
	add(ward.MayWatch, "queue", "Queue")
	if who.May(ward.MayRead) && !who.May(ward.MayWatch) {
		add(ward.MayRead, "owed", "Owed")
	}
	add(ward.MayRead, "alerts", "Alerts")
	add(ward.MayRead, "weaknesses", "Weaknesses")
	add(ward.MayRead, "detections", "Detections")
	add(ward.MayRead, "organisations", "Organisations")
	if who.May(ward.MayRead) {
		unread, err := s.Notify.Unread(ctx, inboxScope(who))
		if err != nil {
			s.log.ErrorContext(ctx, "inbox not counted", "err", err)
		}
		items = append(items, NavItem{Key: "inbox", Text: "Inbox", Href: "/inbox", Count: unread})
	}
	add(ward.MayHunt, "hunts", "Hunt")
	add(ward.MayRead, "search", "Search")
	add(ward.MayRead, "coverage", "Coverage")
	add(ward.MayFeeds, "feeds", "Feeds")
	add(ward.MayPeople, "people", "People")
	if s.Story != nil {
		items = append(items, NavItem{Key: "story", Text: "Story", Href: "/story"})
	}
	return items
}

// textOf is one line of a posted form, without surrounding blanks.
func textOf(r *http.Request, name string) string { return strings.TrimSpace(r.PostFormValue(name)) }

// invalid turns bad input into what stands beside a form; other errors stay errors.
func invalid(err error) ([]FieldError, error) {
	var bad *ward.Invalid
	if !errors.As(err, &bad) {
		return nil, err
	}
	text := bad.Problem
	if bad.Hint != "" {
		text = fmt.Sprintf("%s: %s", text, bad.Hint)
	}
	return []FieldError{{Field: bad.Field, Text: capital(text)}}, nil
}

func capital(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
