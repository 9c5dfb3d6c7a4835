package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

func (s *Site) routesFeeds() {
	s.get("/feeds", ward.MayFeeds, s.feeds)
	s.post("/feeds/sync", ward.MayFeeds, s.syncFeeds)
	s.post("/feeds/release", ward.MayFeeds, s.releaseFeed)
	s.post("/feeds/discard", ward.MayFeeds, s.discardFeed)
}

// feedData is what the page of feeds shows.
type feedData struct {
	Live   Live
	Done   View
	Lede   string
	All    Form
	Feeds  Table
	Errors []feedError
	Lines  View // how each channel does by which people are told
}

// feedError is a feed whose last reading failed: what happened and what to do.
type feedError struct {
	Name   string
	Error  string
	Do     string
	Accept View // the decision, where a person has one to make
}

// feeds says how far each publisher's word can be relied on for what is new.
func (s *Site) feeds(r *http.Request, _ ward.Actor) (Page, error) {
	all, err := s.Feeds.List(r.Context())
	if err != nil {
		return Page{}, err
	}
	data := feedData{
		Live: Live{ID: "feeds", Href: "/feeds", Topics: []string{"feeds"}},
		All:  Form{Action: "/feeds/sync", Buttons: []Button{{Text: "Read all feeds now", Kind: Secondary}}},
		Feeds: Table{Caption: "Feeds", HideCaption: true, Empty: Empty{Text: "No feed is set up."},
			Columns: []Column{{Title: "Feed"}, {Title: "State", Tight: true}, {Title: "Last success", Tight: true}, {Title: "Behind the publisher", Tight: true}, {Title: "Next", Tight: true},
				{Title: "Records", Right: true, Tight: true}, {Title: "Changed", Right: true, Tight: true}, {Title: "Rejected", Right: true, Tight: true}, {Title: "Read now", Tight: true}}},
	}
	read, stale, failed := 0, 0, 0
	for _, f := range all {
		if !f.Succeeded.IsZero() {
			read++
		}
		if f.Stale {
			stale++
		}
		if f.Error != "" {
			failed++
			failure := feedError{Name: f.Name, Error: f.Error, Do: whatToDo(f.Error)}
			if f.Held != nil {
				failure.Accept = heldFeed(f)
			}
			data.Errors = append(data.Errors, failure)
		}
		next := View(Text("not scheduled"))
		if !f.NextDue.IsZero() {
			next = When{f.NextDue}
		}
		data.Feeds.Rows = append(data.Feeds.Rows, Row{Cells: []View{Why{View: Text(f.Name), Reason: f.Location}, feedTag(f), When{f.Succeeded}, Text(behind(f)), next,
			Text(Number(f.Records)), Text(Number(f.Changed)), Text(Number(f.Rejected)),
			Form{Action: "/feeds/sync", Hidden: []Hidden{{"name", f.Name}}, Buttons: []Button{{Text: "Read " + f.Name, Kind: Secondary, Small: true}}}}})
	}
	fresh := read - stale
	data.Lede = clauses(Number(fresh)+" of "+Count(len(all), "feed")+" "+is(fresh)+" fresh", some(len(all)-read, Number(len(all)-read)+" "+plural(len(all)-read, "was", "were")+" never read"),
		some(stale, Number(stale)+" "+is(stale)+" stale: what the publisher said since is not known here"),
		some(failed, Number(failed)+" failed at the last attempt, and what it said before is kept"))
	data.Lines = s.lines()
	if done := r.URL.Query().Get("done"); done != "" {
		data.Done = Banner{Heading: "Read. The table says what it came to."}
	}
	return Page{Title: "Feeds", Template: "feeds", Current: "feeds", Data: data}, nil
}

// lines says how each channel does by which people are told.
func (s *Site) lines() View {
	var all []notify.Line
	if s.Lines != nil {
		all = s.Lines()
	}
	t := Table{Caption: "Channels", HideCaption: true, Columns: []Column{{Title: "Channel"}, {Title: "State"}, {Title: "Took a message last", Tight: true}, {Title: "Tried again", Tight: true}},
		Empty: Empty{Text: "No channel is set up: notices stand in the inboxes alone, and nobody is told outside this product."}}
	for _, l := range all {
		state, retry := View(Tag{"Takes messages", ToneDone}), View(Text(""))
		last := View(Text("not since the start"))
		switch {
		case !l.Since.IsZero():
			state, retry = Why{View: Tag{"Down", ToneCritical}, Reason: "since " + s.at(l.Since) + ": " + l.Why + "; what is sent waits, and nothing is lost"}, When{l.Retry}
		case l.Last.IsZero():
			state = Tag{Text: "Not used yet"}
		}
		if !l.Last.IsZero() {
			last = When{l.Last}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(channelWord(l.Channel)), state, last, retry}})
	}
	return t
}

func feedTag(f ward.Feed) Tag {
	switch {
	case f.Succeeded.IsZero():
		return Tag{"Never read", ToneUnknown}
	case f.Error != "":
		return Tag{"Failed", ToneCritical}
	case f.Stale:
		return Tag{"Stale", ToneWarning}
	}
	return Tag{"Fresh", ToneDone}
}

// behind is how old the publisher's own date was when it was read.
func behind(f ward.Feed) string {
	if f.Observed.IsZero() || f.Succeeded.IsZero() {
		return "not said"
	}
	lag := f.Succeeded.Sub(f.Observed)
	switch {
	case lag < time.Hour:
		return "under an hour"
	case lag < 48*time.Hour:
		return Count(int(lag/time.Hour), "hour")
	}
	return Count(int(lag/(24*time.Hour)), "day")
}

// heldFeed asks for the decision on a list that shrank.
func heldFeed(f ward.Feed) View {
	name := []Hidden{{"name", f.Name}}
	return Details{Summary: "Decide: is it right that the list is smaller now?", Body: Stack{
		Note("Whoever decides has looked at the publisher's page. A released list takes the place of the one before, with all that it drops; a discarded one is passed over."),
		Form{Action: "/feeds/release", Hidden: name, Buttons: []Button{{Text: "Release the smaller list of " + f.Name, Kind: Secondary, Small: true}}},
		Form{Action: "/feeds/discard", Hidden: name, Buttons: []Button{{Text: "Discard the smaller list of " + f.Name, Kind: Secondary, Small: true}}}}}
}

// whatToDo turns an error into a next step.
func whatToDo(text string) string {
	text = strings.ToLower(text)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("no such host", "dial tcp", "connection refused", "timeout", "deadline", "unreachable", "proxy"):
		return "The publisher could not be reached. Check the network and the proxy; it is tried again by itself. Without a network, load a copy: wardwatch feed sync --from PATH."
	case has("certificate", "tls", "x509"):
		return "The connection was not trusted. Check the machine's clock and certificates, and whether something stands between."
	case has("held for a person"):
		return "The list lost more than half. Look at the publisher's page; then release the smaller list, or discard it."
	case has("401", "403", "forbidden", "unauthor", "429"):
		return "The publisher refused the request. Check the key and how often it is asked."
	}
	return "It is tried again by itself. If it fails again, give the words above to whoever looks after this server."
}

func (s *Site) syncFeeds(r *http.Request, who ward.Actor) (string, *Page, error) {
	var only []string
	if name := textOf(r, "name"); name != "" {
		only = []string{name}
	}
	if _, err := s.Feeds.Sync(r.Context(), who, only, "", nil); err != nil {
		return "", nil, err
	}
	return "/feeds?" + url.Values{"done": {cmp.Or(strings.Join(only, ""), "all")}}.Encode(), nil, nil
}

func (s *Site) releaseFeed(r *http.Request, who ward.Actor) (string, *Page, error) {
	name := textOf(r, "name")
	_, err := s.Feeds.Release(r.Context(), who, name)
	return "/feeds?" + url.Values{"done": {name}}.Encode(), nil, err
}

func (s *Site) discardFeed(r *http.Request, who ward.Actor) (string, *Page, error) {
	return "/feeds", nil, s.Feeds.Discard(r.Context(), who, textOf(r, "name"))
}
