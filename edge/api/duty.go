package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"wardwatch/act/duty"
	"wardwatch/ward"
)

// Duty is the watch desk: *duty.Desk.
type Duty interface {
	Items(ctx context.Context, who ward.Actor, q duty.Query) (duty.Listing, error)
	Item(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error)
	Take(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error)
	TakeOver(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error)
	Release(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error)
	Done(ctx context.Context, who ward.Actor, id ward.ItemID, words string) (ward.Item, error)
	Snooze(ctx context.Context, who ward.Actor, id ward.ItemID, until time.Time, words string) (ward.Item, error)
	Wake(ctx context.Context, who ward.Actor, id ward.ItemID) (ward.Item, error)
	TakeAll(ctx context.Context, who ward.Actor, q duty.Query) (duty.Bulk, error)
	ReleaseAll(ctx context.Context, who ward.Actor, q duty.Query) (duty.Bulk, error)
	Note(ctx context.Context, who ward.Actor, n duty.Note) (ward.LogEntry, error)
	Log(ctx context.Context, who ward.Actor, q duty.LogQuery) ([]ward.LogEntry, error)
	Handover(ctx context.Context, who ward.Actor, since time.Time, next time.Duration) (duty.Handover, error)
	HandOver(ctx context.Context, who ward.Actor, words string, keep bool) (ward.LogEntry, error)
	Views(ctx context.Context, who ward.Actor) ([]ward.SavedView, error)
	SaveView(ctx context.Context, who ward.Actor, v ward.SavedView) (ward.SavedView, error)
	DropView(ctx context.Context, who ward.Actor, id int64) error
	Search(ctx context.Context, who ward.Actor, text string) (duty.Found, error)
}

// Item is one thing that needs a person at the caller's desk.
type Item struct {
	ID      ward.ItemID    `json:"id" example:"overdue:CC-900001:XZ1"`
	Kind    ward.ItemKind  `json:"kind"`
	Org     ward.OrgID     `json:"org,omitempty" doc:"whose it is; left out when of none or of many"`
	Alert   ward.AlertID   `json:"alert,omitempty"`
	Finding ward.FindingID `json:"finding,omitempty" doc:"from which an alert can be drafted"`
	Title   string         `json:"title"`
	Reason  string         `json:"reason" doc:"why it waits"`
	Link    string         `json:"link" doc:"path on this server where it is done"`
	Since   time.Time      `json:"since,omitzero"`
	Due     time.Time      `json:"due,omitzero"`
	Urgent  bool           `json:"urgent"`
	Owner   string         `json:"owner,omitempty" doc:"who has it"`
	OwnerID ward.PersonID  `json:"owner_id,omitempty"`
	Taken   time.Time      `json:"taken,omitzero"`
	Aside   time.Time      `json:"set_aside,omitzero"`
	AsideBy string         `json:"set_aside_by,omitempty"`
	Until   time.Time      `json:"until,omitzero" doc:"comes back then; when it was set aside without a time, it comes back when it is another matter"`
	Words   string         `json:"words,omitempty"`
}

func itemOf(i ward.Item) Item {
	return Item{i.ID, i.Kind, i.Org, i.Alert, i.Finding, i.Title, i.Reason, i.Link, i.Since, i.Due, i.Urgent, i.OwnerName, i.Owner, i.Taken, i.Aside, i.AsideBy, i.Until, i.Words}
}

// ItemCounts is how many items wait at the caller's desk.
type ItemCounts struct {
	All      int                   `json:"all"`
	Mine     int                   `json:"mine"`
	Unowned  int                   `json:"unowned"`
	Urgent   int                   `json:"urgent"`
	SetAside int                   `json:"set_aside"`
	Kinds    map[ward.ItemKind]int `json:"kinds"`
}

// LogEntry is one line of a watch log.
type LogEntry struct {
	ID      string       `json:"id"`
	At      time.Time    `json:"at"`
	By      string       `json:"by,omitempty" doc:"left out when the product tells it"`
	Kind    string       `json:"kind" doc:"note, handover, or the action or notice"`
	Org     ward.OrgID   `json:"org,omitempty"`
	Alert   ward.AlertID `json:"alert,omitempty"`
	Subject string       `json:"subject,omitempty"`
	Words   string       `json:"words"`
	Written bool         `json:"written" doc:"by a person's hand"`
}

func logEntryOf(e ward.LogEntry) LogEntry { return LogEntry(e) }

// Coming is what comes due, alike things together.
type Coming struct {
	At    time.Time    `json:"at"`
	Kind  string       `json:"kind"`
	Alert ward.AlertID `json:"alert,omitempty"`
	Org   ward.OrgID   `json:"org,omitempty"`
	Count int          `json:"count"`
	Words string       `json:"words"`
}

func comingOf(c ward.Coming) Coming { return Coming(c) }

// Moved is how many answers to an alert took one step.
type Moved struct {
	Alert ward.AlertID `json:"alert"`
	Kind  string       `json:"kind"`
	Count int          `json:"count"`
}

// Handover is what one shift leaves to the next.
type Handover struct {
	Desk    ward.OrgID     `json:"desk,omitempty" doc:"left out for the national desk"`
	Since   time.Time      `json:"since"`
	At      time.Time      `json:"at"`
	Next    time.Time      `json:"next" doc:"until when coming looks"`
	Changed []LogEntry     `json:"changed" nullable:"false" doc:"oldest first"`
	Cut     bool           `json:"cut,omitempty" doc:"there was more in the log"`
	Moved   []Moved        `json:"moved" nullable:"false"`
	Open    []Item         `json:"open" nullable:"false"`
	Counts  map[string]int `json:"counts" doc:"of what is open, by who has it; the empty name is nobody"`
	Aside   []Item         `json:"set_aside" nullable:"false"`
	Coming  []Coming       `json:"coming" nullable:"false"`
}

func handoverOf(h duty.Handover) Handover {
	return Handover{h.Desk, h.Since, h.At, h.Next, shapes(h.Changed, logEntryOf), h.Cut, shapes(h.Moved, func(m duty.Moved) Moved { return Moved(m) }),
		shapes(h.Open, itemOf), h.Counts, shapes(h.Aside, itemOf), shapes(h.Coming, comingOf)}
}

// View is a saved list.
type View struct {
	ID     int64     `json:"id"`
	Title  string    `json:"title"`
	Path   string    `json:"path" example:"/desk"`
	Query  string    `json:"query" example:"kind=overdue"`
	Shared bool      `json:"shared" doc:"with everyone of the desk"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

func viewOf(v ward.SavedView) View {
	return View{v.ID, v.Title, v.Path, v.Query, v.Shared, v.Name, v.At}
}

// FoundOrganisation is an organisation that a search came upon.
type FoundOrganisation struct {
	ID   ward.OrgID `json:"id"`
	Name string     `json:"name"`
}

// FoundWeakness is a weakness that a search came upon.
type FoundWeakness struct {
	ID    ward.CVE `json:"id"`
	Title string   `json:"title"`
}

// FoundAlert is an alert that a search came upon.
type FoundAlert struct {
	ID    ward.AlertID    `json:"id"`
	Title string          `json:"title"`
	State ward.AlertState `json:"state"`
}

// Found is what a search came upon.
type Found struct {
	Items         []Item              `json:"items" nullable:"false"`
	Alerts        []FoundAlert        `json:"alerts" nullable:"false"`
	Organisations []FoundOrganisation `json:"organisations" nullable:"false"`
	Weaknesses    []FoundWeakness     `json:"weaknesses" nullable:"false"`
}

func foundOf(f duty.Found) Found {
	return Found{
		shapes(f.Items, itemOf),
		shapes(f.Alerts, func(a ward.Alert) FoundAlert { return FoundAlert{a.ID, a.Title, a.State} }),
		shapes(f.Organisations, func(o ward.Organisation) FoundOrganisation { return FoundOrganisation{o.ID, o.Name} }),
		shapes(f.Weaknesses, func(v ward.Vulnerability) FoundWeakness { return FoundWeakness{v.ID, v.Title} }),
	}
}

// ItemID is the item in a path.
type ItemID struct {
	ID string `path:"item" maxLength:"300" example:"overdue:CC-900001:XZ1"`
}

func (i ItemID) id() ward.ItemID { return ward.ItemID(i.ID) }

// Remark is what a person says to a change.
type Remark struct {
	Words string `json:"words,omitempty" maxLength:"2000"`
}

// Chosen is which items a change of many is about: those named, or all that match.
type Chosen struct {
	IDs     []ward.ItemID `json:"ids,omitempty" maxItems:"5000"`
	All     bool          `json:"all,omitempty" doc:"every item that matches the other fields"`
	Kind    ward.ItemKind `json:"kind,omitempty"`
	Org     string        `json:"org,omitempty" maxLength:"20"`
	Alert   string        `json:"alert,omitempty" maxLength:"40"`
	Text    string        `json:"text,omitempty" maxLength:"200"`
	Unowned bool          `json:"unowned,omitempty"`
}

func (c Chosen) query() (duty.Query, error) {
	if len(c.IDs) == 0 && !c.All {
		return duty.Query{}, &ward.Invalid{Field: "ids", Problem: "is empty", Hint: "name the items, or send all"}
	}
	return duty.Query{IDs: c.IDs, Kind: c.Kind, Org: orgOf(c.Org), Alert: ward.AlertID(c.Alert), Text: c.Text, Unowned: c.Unowned}, nil
}

// BulkChange is what happened to many items at once.
type BulkChange struct {
	Changed int        `json:"changed"`
	Left    []LeftItem `json:"left" nullable:"false" doc:"not changed, and why"`
}

// LeftItem is an item that was left as it was.
type LeftItem struct {
	Item ward.ItemID `json:"item"`
	Why  string      `json:"why"`
}

func bulkOf(b duty.Bulk) BulkChange {
	return BulkChange{b.Changed, shapes(b.Left, func(l duty.Left) LeftItem { return LeftItem(l) })}
}

func (a *API) duty() {
	d := a.rooms.Duty
	shaped := func(item ward.Item, err error) (*One[Item], error) { return one(item, err, itemOf) }
	route(a, http.MethodGet, "/desk/items", "desk", "List what needs a person at the caller's desk, the most pressing first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Kind    string `query:"kind" enum:"countersign,revision,unchecked,contradicted,overdue,disputed,finding,undelivered,held,feed,recurrence,declaration"`
			Org     string `query:"org" maxLength:"20"`
			Alert   string `query:"alert" maxLength:"40"`
			Text    string `query:"text" maxLength:"200"`
			Mine    bool   `query:"mine"`
			Unowned bool   `query:"unowned"`
			Urgent  bool   `query:"urgent"`
			Aside   bool   `query:"set_aside" doc:"those that were set aside, instead"`
		}) (*Listed[Item], error) {
			page, err := d.Items(ctx, who, duty.Query{Kind: ward.ItemKind(in.Kind), Org: orgOf(in.Org), Alert: ward.AlertID(in.Alert), Text: in.Text,
				Mine: in.Mine, Unowned: in.Unowned, Urgent: in.Urgent, Aside: in.Aside, After: in.After, Limit: in.Limit})
			return listed(page.Page, err, itemOf)
		})
	route(a, http.MethodGet, "/desk/counts", "desk", "Count what needs a person at the caller's desk",
		func(ctx context.Context, who ward.Actor, _ *struct{}) (*One[ItemCounts], error) {
			desk, err := d.Items(ctx, who, duty.Query{Limit: 1})
			return one(desk.Counts, err, func(c duty.Counts) ItemCounts {
				return ItemCounts{c.All, c.Mine, c.Unowned, c.Urgent, c.Aside, c.Kinds}
			})
		})
	route(a, http.MethodGet, "/desk/items/{item}", "desk", "Read one item",
		func(ctx context.Context, who ward.Actor, in *ItemID) (*One[Item], error) {
			return shaped(d.Item(ctx, who, in.id()))
		})
	route(a, http.MethodPost, "/desk/items/{item}/take", "desk", "Say \"I have this\"",
		func(ctx context.Context, who ward.Actor, in *ItemID) (*One[Item], error) {
			return shaped(d.Take(ctx, who, in.id()))
		}, document("409 with the other's name when somebody else has it."))
	route(a, http.MethodPost, "/desk/items/{item}/take-over", "desk", "Take an item from whoever has it, with the reason",
		func(ctx context.Context, who ward.Actor, in *struct {
			ItemID
			Body Remark
		}) (*One[Item], error) {
			return shaped(d.TakeOver(ctx, who, in.id(), in.Body.Words))
		})
	route(a, http.MethodPost, "/desk/items/{item}/release", "desk", "Give an item back",
		func(ctx context.Context, who ward.Actor, in *struct {
			ItemID
			Body Remark
		}) (*One[Item], error) {
			return shaped(d.Release(ctx, who, in.id(), in.Body.Words))
		})
	route(a, http.MethodPost, "/desk/items/{item}/done", "desk", "Set an item aside until it is another matter",
		func(ctx context.Context, who ward.Actor, in *struct {
			ItemID
			Body Remark
		}) (*One[Item], error) {
			return shaped(d.Done(ctx, who, in.id(), in.Body.Words))
		})
	route(a, http.MethodPost, "/desk/items/{item}/snooze", "desk", "Set an item aside until a time",
		func(ctx context.Context, who ward.Actor, in *struct {
			ItemID
			Body struct {
				Remark
				Until time.Time `json:"until"`
			}
		}) (*One[Item], error) {
			return shaped(d.Snooze(ctx, who, in.id(), in.Body.Until, in.Body.Words))
		})
	route(a, http.MethodPost, "/desk/items/{item}/wake", "desk", "Bring back an item that was set aside",
		func(ctx context.Context, who ward.Actor, in *ItemID) (*One[Item], error) {
			return shaped(d.Wake(ctx, who, in.id()))
		})
	for path, change := range map[string]func(context.Context, ward.Actor, duty.Query) (duty.Bulk, error){"take": d.TakeAll, "release": d.ReleaseAll} {
		route(a, http.MethodPost, "/desk/"+path, "desk", "Do so with many items: "+path,
			func(ctx context.Context, who ward.Actor, in *struct{ Body Chosen }) (*One[BulkChange], error) {
				query, err := in.Body.query()
				if err != nil {
					return nil, err
				}
				done, err := change(ctx, who, query)
				return one(done, err, bulkOf)
			}, document("Items that another has are left as they are, and named."))
	}
	a.watchLog()
	a.savedViews()
	route(a, http.MethodGet, "/search", "desk", "Search items, alerts, organisations and weaknesses",
		func(ctx context.Context, who ward.Actor, in *struct {
			Text string `query:"q" maxLength:"200" required:"true" doc:"every word of it must be there"`
		}) (*One[Found], error) {
			found, err := d.Search(ctx, who, in.Text)
			return one(found, err, foundOf)
		})
}

func (a *API) watchLog() {
	d := a.rooms.Duty
	route(a, http.MethodGet, "/desk/log", "desk", "Read the watch log of the caller's desk, newest first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Since   time.Time `query:"since" doc:"a day ago when left out"`
			Until   time.Time `query:"until"`
			Written bool      `query:"written" doc:"only what people wrote"`
			Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"200"`
		}) (*Listed[LogEntry], error) {
			entries, err := d.Log(ctx, who, duty.LogQuery{Since: in.Since, Until: in.Until, Written: in.Written, Limit: in.Limit})
			return listed(ward.Page[ward.LogEntry]{Items: entries}, err, logEntryOf)
		})
	route(a, http.MethodPost, "/desk/log", "desk", "Write a line into the watch log",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				Remark
				Item  ward.ItemID  `json:"item,omitempty" maxLength:"300"`
				Org   string       `json:"org,omitempty" maxLength:"20"`
				Alert ward.AlertID `json:"alert,omitempty" maxLength:"40"`
			}
		}) (*One[LogEntry], error) {
			entry, err := d.Note(ctx, who, duty.Note{Words: in.Body.Words, Item: in.Body.Item, Org: orgOf(in.Body.Org), Alert: in.Body.Alert})
			return one(entry, err, logEntryOf)
		}, created, document("Nobody can change or remove a line; a mistake is put right by another."))
	route(a, http.MethodGet, "/desk/handover", "desk", "Read the hand-over, made from the log",
		func(ctx context.Context, who ward.Actor, in *struct {
			Since time.Time `query:"since" doc:"the last hand-over when left out"`
			Hours int       `query:"hours" minimum:"1" maximum:"720" default:"12" doc:"how long the next shift is"`
		}) (*One[Handover], error) {
			h, err := d.Handover(ctx, who, in.Since, time.Duration(in.Hours)*time.Hour)
			return one(h, err, handoverOf)
		})
	route(a, http.MethodPost, "/desk/handover", "desk", "End a shift",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				Remark
				Keep bool `json:"keep,omitempty" doc:"keep what the caller has; otherwise it is given back"`
			}
		}) (*One[LogEntry], error) {
			entry, err := d.HandOver(ctx, who, in.Body.Words, in.Body.Keep)
			return one(entry, err, logEntryOf)
		}, created)
}

func (a *API) savedViews() {
	d := a.rooms.Duty
	route(a, http.MethodGet, "/desk/views", "desk", "List saved views: the caller's, and those shared with the desk",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[View], error) {
			views, err := d.Views(ctx, who)
			page, err := part(views, err, in.Paging)
			return listed(page, err, viewOf)
		})
	route(a, http.MethodPost, "/desk/views", "desk", "Save a view; the same title again replaces it",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				Title  string `json:"title" maxLength:"80"`
				Path   string `json:"path" maxLength:"1000" example:"/desk"`
				Query  string `json:"query,omitempty" maxLength:"1000"`
				Shared bool   `json:"shared,omitempty"`
			}
		}) (*One[View], error) {
			view, err := d.SaveView(ctx, who, ward.SavedView{Title: in.Body.Title, Path: in.Body.Path, Query: in.Body.Query, Shared: in.Body.Shared})
			return one(view, err, viewOf)
		}, created)
	route(a, http.MethodDelete, "/desk/views/{view}", "desk", "Remove a view of the caller's",
		func(ctx context.Context, who ward.Actor, in *struct {
			ID string `path:"view" maxLength:"20"`
		}) (*Done, error) {
			id, err := strconv.ParseInt(in.ID, 10, 64)
			if err != nil {
				return nil, ward.ErrNotFound
			}
			return &Done{}, d.DropView(ctx, who, id)
		})
}
