package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/edge"
	"wardwatch/ward"
	"wardwatch/watch/archive/hunts"
)

// Hunts searches kept events: *hunts.Desk.
type Hunts interface {
	Ask(ctx context.Context, who ward.Actor, q hunts.Question) (ward.Hunt, error)
	List(ctx context.Context, scope ward.Scope, after string, limit int) (ward.Page[ward.Hunt], error)
	Hunt(ctx context.Context, scope ward.Scope, id ward.HuntID) (ward.Hunt, error)
	Days(ctx context.Context, scope ward.Scope, id ward.HuntID) ([]ward.HuntDay, error)
	Hits(ctx context.Context, scope ward.Scope, id ward.HuntID, after string, limit int) (ward.Page[ward.HuntHit], error)
	Cancel(ctx context.Context, who ward.Actor, id ward.HuntID) (ward.Hunt, error)
}

// HuntWords is what a person asks for.
type HuntWords struct {
	Indicators []string  `json:"indicators,omitempty" maxItems:"100000" doc:"addresses, networks, domains, URLs, digests, e-mail addresses, names of files; their kind is told by their shape"`
	Query      string    `json:"query,omitempty" maxLength:"10000" doc:"of fields, in the place of indicators" example:"user=jane and not host=srv1"`
	Rule       string    `json:"rule,omitempty" maxLength:"262144" doc:"the text of a Sigma rule, in the place of indicators"`
	Orgs       []string  `json:"organisations,omitempty" maxItems:"1000" doc:"of these alone; of all that you may see when left out"`
	Since      time.Time `json:"since,omitempty,omitzero" doc:"events from then on"`
	Until      time.Time `json:"until,omitempty,omitzero" doc:"events up to then"`
}

func (w HuntWords) question() (q hunts.Question, err error) {
	q = hunts.Question{For: ward.Sought{Query: w.Query, Rule: w.Rule}, Since: w.Since, Until: w.Until}
	for _, code := range w.Orgs {
		q.Of = append(q.Of, orgOf(code))
	}
	if len(w.Indicators) > 0 {
		s, err := edge.Indicators(strings.Join(w.Indicators, "\n"))
		if err != nil {
			return q, err
		}
		q.For.Indicators = s.Indicators
	}
	return q, nil
}

// Hunt is a search through kept events.
type Hunt struct {
	ID      ward.HuntID    `json:"id"`
	Kind    ward.HuntKind  `json:"kind" enum:"asked,look-back" doc:"look-back: by the product, because indicators became known"`
	State   ward.HuntState `json:"state" enum:"waiting,running,done,cancelled,stopped,failed"`
	Version int            `json:"version"`
	Words   string         `json:"for" doc:"what is looked for, in one line"`
	By      string         `json:"by"`
	Orgs    []ward.OrgID   `json:"organisations" nullable:"false" doc:"that were named; none: all that the asker may see"`
	Since   time.Time      `json:"since,omitzero"`
	Until   time.Time      `json:"until,omitzero"`
	Asked   time.Time      `json:"asked,omitzero"`
	Started time.Time      `json:"started,omitzero"`
	Ended   time.Time      `json:"ended,omitzero"`
	Reason  string         `json:"reason,omitempty" doc:"why it is not done, or what was not seen"`
	Blocks  int            `json:"blocks" doc:"of events, to be searched"`
	Done    int            `json:"done" doc:"of them"`
	Unread  int            `json:"unread" doc:"of them could not be read to their end: what is in them was not seen"`
	Events  int64          `json:"events" doc:"in what was searched"`
	Read    int64          `json:"read" doc:"looked at one by one"`
	Hits    int64          `json:"hits" doc:"exact"`
	Kept    int64          `json:"kept" doc:"of the hits that /hits lists: the first, for 30 days after the end"`
}

func huntOf(h ward.Hunt) Hunt {
	return Hunt{h.ID, h.Kind, h.State, h.Version, h.Words, h.By.Name, append([]ward.OrgID{}, h.Of...), h.Since, h.Until, h.Asked, h.Started, h.Ended, h.Reason, h.Blocks, h.Done,
		h.Unread, h.Events, h.Read, h.Hits, h.Kept}
}

// HuntDay is what a hunt saw in one day of one organisation's events.
type HuntDay struct {
	Org    ward.OrgID `json:"org"`
	Day    string     `json:"day" format:"date" doc:"of the events' own time, in UTC"`
	Blocks int        `json:"blocks"`
	Unread int        `json:"unread" doc:"of the blocks could not be read to their end"`
	Events int64      `json:"events"`
	Read   int64      `json:"read"`
	Hits   int64      `json:"hits"`
}

func huntDayOf(d ward.HuntDay) HuntDay {
	return HuntDay{d.Org, d.Day.Format(time.DateOnly), d.Blocks, d.Unread, d.Events, d.Read, d.Hits}
}

// HuntHit is one thing that was hunted for in one event.
type HuntHit struct {
	Number int64      `json:"number"`
	Org    ward.OrgID `json:"org"`
	At     time.Time  `json:"time"`
	Kind   string     `json:"kind"`
	Value  string     `json:"value"`
	Field  string     `json:"field,omitempty"`
	Source string     `json:"source"`
	Record int64      `json:"record" doc:"which of its source's events it is; 1 is the first"`
	Host   string     `json:"host,omitempty"`
	Raw    string     `json:"raw" doc:"the event as it came: written by whoever sent it, attackers too"`
	Cut    bool       `json:"cut,omitempty" doc:"raw is its beginning only"`
}

func huntHitOf(h ward.HuntHit) HuntHit {
	return HuntHit{h.Number, h.Org, h.At, h.Kind, h.Value, h.Field, h.Source, h.Record, h.Host, h.Raw, h.Cut}
}

// HuntNumber is the hunt in a path.
type HuntNumber struct {
	ID int64 `path:"hunt" minimum:"1"`
}

func (a *API) hunts() {
	h := a.rooms.Hunts
	may := func(who ward.Actor) error { return who.Need(ward.MayHunt) }
	route(a, http.MethodPost, "/hunts", "hunts", "Search kept events for indicators, by a query or by a rule",
		func(ctx context.Context, who ward.Actor, in *struct{ Body HuntWords }) (*Versioned[Hunt], error) {
			q, err := in.Body.question()
			if err != nil {
				return nil, err
			}
			hunt, err := h.Ask(ctx, who, q)
			return versioned(hunt, hunt.Version, err, huntOf)
		}, created, document("It is carried out beside others and goes on over a restart. Who looked for what, and whose events were shown, is recorded where each organisation sees it."))
	route(a, http.MethodGet, "/hunts", "hunts", "List hunts, the newest first",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Hunt], error) {
			if err := may(who); err != nil {
				return nil, err
			}
			page, err := h.List(ctx, who.Scope, in.After, in.Limit)
			return listed(page, err, huntOf)
		})
	route(a, http.MethodGet, "/hunts/{hunt}", "hunts", "Read how far a hunt is, and what it has counted",
		func(ctx context.Context, who ward.Actor, in *HuntNumber) (*Versioned[Hunt], error) {
			if err := may(who); err != nil {
				return nil, err
			}
			hunt, err := h.Hunt(ctx, who.Scope, ward.HuntID(in.ID))
			return versioned(hunt, hunt.Version, err, huntOf)
		})
	route(a, http.MethodDelete, "/hunts/{hunt}", "hunts", "Cancel a hunt",
		func(ctx context.Context, who ward.Actor, in *HuntNumber) (*Done, error) {
			_, err := h.Cancel(ctx, who, ward.HuntID(in.ID))
			return &Done{}, err
		}, document("What it has found stays. One that is over stays as it is."))
	route(a, http.MethodGet, "/hunts/{hunt}/days", "hunts", "Read what a hunt has searched and counted, by day and organisation",
		func(ctx context.Context, who ward.Actor, in *struct {
			HuntNumber
			Paging
		}) (*Listed[HuntDay], error) {
			if err := may(who); err != nil {
				return nil, err
			}
			items, err := h.Days(ctx, who.Scope, ward.HuntID(in.ID))
			page, err := part(items, err, in.Paging)
			return listed(page, err, huntDayOf)
		}, document("A day that is not listed was not searched, or nothing is kept of it."))
	hits := func(ctx context.Context, who ward.Actor, id ward.HuntID, after string, limit int) (page ward.Page[ward.HuntHit], err error) {
		if err = may(who); err == nil {
			page, err = h.Hits(ctx, who.Scope, id, after, limit)
		}
		if err == nil {
			err = edge.Looked(ctx, a.rooms.Estate, who, "events", page.Items, func(hit ward.HuntHit) ward.OrgID { return hit.Org })
		}
		return page, err
	}
	route(a, http.MethodGet, "/hunts/{hunt}/hits", "hunts", "Read the events that a hunt found",
		func(ctx context.Context, who ward.Actor, in *struct {
			HuntNumber
			Paging
		}) (*Listed[HuntHit], error) {
			page, err := hits(ctx, who, ward.HuntID(in.ID), in.After, in.Limit)
			return listed(page, err, huntHitOf)
		}, document("The first 10,000 of them, in the order in which they were found. Reading them is recorded where each organisation sees it."))
	header := []string{"org", "time", "kind", "value", "field", "host", "source", "record", "event"}
	route(a, http.MethodGet, "/hunts/{hunt}/hits.csv", "hunts", "Export the events that a hunt found as CSV",
		func(ctx context.Context, who ward.Actor, in *HuntNumber) (*huma.StreamResponse, error) {
			page, err := hits(ctx, who, ward.HuntID(in.ID), "", ward.MostPageSize)
			if err != nil {
				return nil, err
			}
			return a.table(ctx, "hunt-"+strconv.FormatInt(in.ID, 10)+".csv", header, func() (rows [][]string, more bool, err error) {
				for _, hit := range page.Items {
					rows = append(rows, []string{string(hit.Org), stamp(hit.At), hit.Kind, hit.Value, hit.Field, hit.Host, hit.Source, strconv.FormatInt(hit.Record, 10), hit.Raw})
				}
				if page.Next == "" {
					return rows, false, nil
				}
				page, err = hits(ctx, who, ward.HuntID(in.ID), page.Next, ward.MostPageSize)
				return rows, true, err
			}), nil
		}, asCSV)
}
