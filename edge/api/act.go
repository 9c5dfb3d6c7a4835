package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/act/findings"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

func (a *API) findings() {
	f := a.rooms.Findings
	route(a, http.MethodGet, "/findings", "findings", "Read the queue of fixes, worst first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org   string `query:"org" maxLength:"20"`
			State string `query:"state" enum:"open,replaced,ended" default:"open"`
			CVE   string `query:"cve" maxLength:"30"`
			Text  string `query:"text" maxLength:"200" doc:"part of the vendor, product, fix or a CVE"`
		}) (*Listed[Finding], error) {
			page, err := f.Queue(ctx, who.Scope, findings.Query{Org: orgOf(in.Org), State: ward.FindingState(in.State), CVE: cveOf(in.CVE), Text: in.Text, After: in.After, Limit: in.Limit})
			return listed(page, err, findingOf)
		})
	route(a, http.MethodGet, "/findings/{finding}", "findings", "Read one finding",
		func(ctx context.Context, who ward.Actor, in *struct {
			ID string `path:"finding" maxLength:"100"`
		}) (*One[Finding], error) {
			item, err := f.Finding(ctx, who.Scope, ward.FindingID(in.ID))
			return one(item, err, findingOf)
		})
}

// AnswerID is one organisation's answer to one alert in a path.
type AnswerID struct {
	AlertID
	Org string `path:"org" minLength:"1" maxLength:"20" doc:"ODS code"`
}

// AnswerChange is a change of an answer without a body.
type AnswerChange struct {
	AnswerID
	Match
}

// Words are what a person says.
type Words struct {
	Words string `json:"words,omitempty" maxLength:"20000"`
}

func (a *API) responses() {
	l := a.rooms.Responses
	shaped := func(item ward.Response, err error) (*Versioned[Response], error) {
		return versioned(item, item.Version, err, responseOf)
	}
	route(a, http.MethodGet, "/alerts/{alert}/responses", "responses", "List the answers to an alert",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertID
			Paging
		}) (*Listed[Response], error) {
			items, err := l.ForAlert(ctx, who.Scope, in.id())
			page, err := part(items, err, in.Paging)
			return listed(page, err, responseOf)
		})
	header := []string{"alert", "org", "state", "exposure", "reason", "applicability", "proof", "why", "words", "dispute", "respond_by", "next_due", "claimed_fixed_at", "closed_at", "closed_as", "overdue"}
	route(a, http.MethodGet, "/alerts/{alert}/responses.csv", "responses", "Export the answers to an alert as CSV",
		func(ctx context.Context, who ward.Actor, in *AlertID) (*huma.StreamResponse, error) {
			items, err := l.ForAlert(ctx, who.Scope, in.id())
			if err != nil {
				return nil, err
			}
			return a.table(ctx, "responses.csv", header, func() (rows [][]string, more bool, err error) {
				for _, r := range items {
					overdue := "no"
					if r.Overdue {
						overdue = "yes"
					}
					rows = append(rows, []string{string(r.Alert), string(r.Org), string(r.State), string(r.Standing.State), r.Standing.Reason, string(r.Applicability), string(r.Proof.Result),
						r.Proof.Why, r.Words, r.Dispute, stamp(r.RespondBy), stamp(r.NextDue), stamp(r.ClaimedFixedAt), stamp(r.ClosedAt), r.ClosedAs, overdue})
				}
				return rows, false, nil
			}), nil
		}, asCSV)
	const path = "/alerts/{alert}/responses/{org}"
	route(a, http.MethodGet, path, "responses", "Read one organisation's answer",
		func(ctx context.Context, who ward.Actor, in *AnswerID) (*Versioned[Response], error) {
			return shaped(l.Get(ctx, who.Scope, in.id(), orgOf(in.Org)))
		})
	route(a, http.MethodGet, path+"/history", "responses", "Read how an answer came about",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerID
			Paging
		}) (*Listed[Entry], error) {
			items, err := l.History(ctx, who.Scope, in.id(), orgOf(in.Org))
			page, err := part(items, err, in.Paging)
			return listed(page, err, entryOf)
		})
	route(a, http.MethodPost, path+"/acknowledge", "responses", "Acknowledge an alert",
		func(ctx context.Context, who ward.Actor, in *AnswerChange) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(l.Acknowledge(ctx, who, in.id(), orgOf(in.Org), version))
		})
	route(a, http.MethodPost, path+"/answer", "responses", "Say whether an alert applies",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body struct {
				Applicability ward.Applicability `json:"applicability" enum:"yes,partly,no,hosted,not_run"`
				Words
			}
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(l.Answer(ctx, who, in.id(), orgOf(in.Org), version, in.Body.Applicability, in.Body.Words.Words))
		})
	route(a, http.MethodPost, path+"/claim", "responses", "Say that it is fixed, from when",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body struct {
				FixedAt time.Time `json:"fixed_at"`
				Words
			}
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(l.Claim(ctx, who, in.id(), orgOf(in.Org), version, in.Body.FixedAt, in.Body.Words.Words))
		})
	saying := func(verb, summary string, do func(context.Context, ward.Actor, ward.AlertID, ward.OrgID, int, string) (ward.Response, error)) {
		route(a, http.MethodPost, path+"/"+verb, "responses", summary,
			func(ctx context.Context, who ward.Actor, in *struct {
				AnswerChange
				Body Words
			}) (*Versioned[Response], error) {
				version, err := in.version()
				if err != nil {
					return nil, err
				}
				return shaped(do(ctx, who, in.id(), orgOf(in.Org), version, in.Body.Words))
			})
	}
	saying("dispute", "Contest the match, with evidence", l.Dispute)
	a.answers()
}

func (a *API) rulings() {
	l := a.rooms.Responses
	route(a, http.MethodGet, "/disputes", "rulings", "List the disputes that wait for the national desk",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Response], error) {
			items, err := l.Disputes(ctx, who.Scope)
			page, err := part(items, err, in.Paging)
			return listed(page, err, responseOf)
		})
	route(a, http.MethodGet, "/rulings", "rulings", "List what the national desk ruled, oldest first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			CVE string `query:"cve" maxLength:"30"`
		}) (*Listed[Ruling], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			items, err := l.Rulings(ctx, cveOf(in.CVE))
			page, err := part(items, err, in.Paging)
			return listed(page, err, rulingOf)
		})
	route(a, http.MethodPost, "/rulings", "rulings", "Decide a dispute, for every organisation alike",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				CVEs     []string    `json:"cves" minItems:"1" maxItems:"500"`
				Vendor   string      `json:"vendor,omitempty" maxLength:"200"`
				Product  string      `json:"product" minLength:"1" maxLength:"200"`
				Versions []string    `json:"versions" minItems:"1" maxItems:"500"`
				Status   ward.Status `json:"status" enum:"affected,fixed,not_affected"`
				Reason   string      `json:"reason" minLength:"1" maxLength:"20000"`
			}
		}) (*One[Ruling], error) {
			b := in.Body
			item, err := l.Rule(ctx, who, ward.Ruling{CVEs: shapes(b.CVEs, cveOf), Vendor: b.Vendor, Product: b.Product, Versions: b.Versions, Status: b.Status, Reason: b.Reason})
			return one(item, err, rulingOf)
		}, created)
	route(a, http.MethodPost, "/rulings/{ruling}/undo", "rulings", "Take a ruling back",
		func(ctx context.Context, who ward.Actor, in *struct {
			Ruling string `path:"ruling" maxLength:"100"`
			Body   struct {
				Reason string `json:"reason" minLength:"1" maxLength:"20000"`
			}
		}) (*Done, error) {
			return &Done{}, l.Unrule(ctx, who, in.Ruling, in.Body.Reason)
		}, func(op *huma.Operation) { op.DefaultStatus = http.StatusNoContent })
}

func (a *API) inbox() {
	o := a.rooms.Inbox
	route(a, http.MethodGet, "/inbox", "inbox", "Read the messages for an organisation or the national desk",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org string `query:"org" maxLength:"20" doc:"your own when left out"`
		}) (*Listed[Notice], error) {
			org := orgOf(in.Org)
			if org == "" {
				org = who.Org
			}
			page, err := o.Inbox(ctx, who.Scope, org, in.After, in.Limit)
			return listed(page, err, noticeOf)
		})
	route(a, http.MethodPost, "/inbox/{notice}/read", "inbox", "Mark a message as read",
		func(ctx context.Context, who ward.Actor, in *struct {
			ID int64 `path:"notice" minimum:"1"`
		}) (*Done, error) {
			return &Done{}, o.MarkRead(ctx, who, in.ID)
		}, func(op *huma.Operation) { op.DefaultStatus = http.StatusNoContent })
}

// Synced is what a synchronisation came to.
type Synced struct {
	Feeds  []SyncedFeed `json:"feeds" nullable:"false"`
	Passed []Passed     `json:"passed" nullable:"false" doc:"files that no feed understands, with the reason"`
}

// SyncedFeed is what one feed came to.
type SyncedFeed struct {
	Name      string `json:"name"`
	Files     int    `json:"files"`
	Changed   int    `json:"changed"`
	Withdrawn int    `json:"withdrawn"`
	Unchanged bool   `json:"unchanged"`
	Error     string `json:"error,omitempty"`
}

// Passed is one file that was not read, and why.
type Passed struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

func syncedOf(r feeds.Result) Synced {
	return Synced{shapes(r.Feeds, func(s feeds.FeedResult) SyncedFeed {
		return SyncedFeed{s.Name, s.Files, s.Changed, s.Withdrawn, s.Unchanged, s.Error}
	}), shapes(r.Passed, func(p feeds.Passed) Passed { return Passed(p) })}
}

func (a *API) feeds() {
	f := a.rooms.Feeds
	route(a, http.MethodGet, "/feeds", "feeds", "Say how each feed stands",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Feed], error) {
			if !who.May(ward.MayRead) && !who.May(ward.MayFeeds) {
				return nil, ward.ErrForbidden
			}
			items, err := f.List(ctx)
			page, err := part(items, err, in.Paging)
			return listed(page, err, func(f ward.Feed) Feed {
				if f.Error != "" && !who.May(ward.MayFeeds) {
					f.Error = "could not be read" // why, and where from, concerns those who keep the server
				}
				if !who.May(ward.MayFeeds) {
					f.Location = ""
				}
				return feedOf(f)
			})
		})
	route(a, http.MethodPost, "/feeds/sync", "feeds", "Read feeds now, from where they are published",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				Names []string `json:"names,omitempty" maxItems:"50" doc:"every feed when left out"`
			}
		}) (*One[Synced], error) {
			if err := who.Need(ward.MayFeeds); err != nil {
				return nil, err
			}
			result, err := f.Sync(ctx, who, in.Body.Names, "", nil)
			return one(result, err, syncedOf)
		}, document("A path or another address is given by the command on the server, never here: a request must not make the server read its own files or call others."))
}
