package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/act/responses"
	"wardwatch/edge"
	"wardwatch/ward"
)

// WithPassword is a person with the one-time password that is shown once.
type WithPassword struct {
	Person
	OneTimePassword string `json:"one_time_password" doc:"shown once"`
}

// WithSecret is a token with the secret that is shown once.
type WithSecret struct {
	Token
	Secret string `json:"secret" doc:"shown once; send it as Authorization: Bearer"`
}

// PersonID is the person in a path.
type PersonID struct {
	ID string `path:"person" maxLength:"100" doc:"me is the caller"`
}

func (p PersonID) id(who ward.Actor) ward.PersonID {
	if p.ID == "me" {
		return who.Person
	}
	return ward.PersonID(p.ID)
}

// byPassword refuses callers with a token where what signs in is made or changed.
func byPassword(ctx context.Context) error {
	if signed, ok := edge.In(ctx); !ok || signed.ByToken {
		return ward.ErrForbidden
	}
	return nil
}

// confirmPath takes a password, of which nothing is kept: not even the digest of a request with an Idempotency-Key.
const confirmPath = "/account/confirm"

func (a *API) people() {
	d := a.rooms.Door
	route(a, http.MethodGet, "/people", "people", "List who can sign in",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Person], error) {
			page, err := d.People(ctx, who, in.After, in.Limit)
			return listed(page, err, personOf)
		})
	route(a, http.MethodGet, "/people/{person}", "people", "Read one account",
		func(ctx context.Context, who ward.Actor, in *PersonID) (*One[Person], error) {
			item, err := d.Person(ctx, who, in.id(who))
			return one(item, err, personOf)
		})
	route(a, http.MethodPost, confirmPath, "people", "Enter the password again, for what needs a fresh proof of who you are",
		func(ctx context.Context, _ ward.Actor, in *struct {
			Body struct {
				Password string `json:"password" minLength:"1" maxLength:"2000"`
			}
		}) (*Done, error) {
			if err := byPassword(ctx); err != nil {
				return nil, err
			}
			return &Done{}, d.Confirm(ctx, in.Body.Password)
		}, func(op *huma.Operation) { op.DefaultStatus = http.StatusNoContent })
	route(a, http.MethodPost, "/people", "people", "Make an account, with a one-time password",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				Name  string    `json:"name" minLength:"1" maxLength:"200"`
				Email string    `json:"email" minLength:"3" maxLength:"200"`
				Org   string    `json:"org,omitempty" maxLength:"20"`
				Role  ward.Role `json:"role" enum:"analyst,approver,lead,member,reader,admin"`
			}
		}) (*One[WithPassword], error) {
			if err := byPassword(ctx); err != nil {
				return nil, err
			}
			b := in.Body
			p, password, err := d.AddPerson(ctx, who, ward.Person{Name: b.Name, Email: b.Email, Org: orgOf(b.Org), Role: b.Role}, "")
			if err != nil {
				return nil, err
			}
			holdsSecret(ctx)
			return &One[WithPassword]{WithPassword{personOf(p), password}}, nil
		}, created)
	route(a, http.MethodPost, "/people/{person}/reset-password", "people", "Give an account a new one-time password",
		func(ctx context.Context, who ward.Actor, in *PersonID) (*One[struct {
			OneTimePassword string `json:"one_time_password" doc:"shown once"`
		}], error) {
			if err := byPassword(ctx); err != nil {
				return nil, err
			}
			password, err := d.ResetPassword(ctx, who, in.id(who))
			if err != nil {
				return nil, err
			}
			holdsSecret(ctx)
			out := &One[struct {
				OneTimePassword string `json:"one_time_password" doc:"shown once"`
			}]{}
			out.Body.OneTimePassword = password
			return out, nil
		})
	noContent := func(o *huma.Operation) { o.DefaultStatus = http.StatusNoContent }
	route(a, http.MethodPost, "/people/{person}/disable", "people", "Close an account",
		func(ctx context.Context, who ward.Actor, in *PersonID) (*Done, error) {
			return &Done{}, d.Disable(ctx, who, in.id(who))
		}, noContent)
	route(a, http.MethodPost, "/people/{person}/enable", "people", "Reopen an account",
		func(ctx context.Context, who ward.Actor, in *PersonID) (*Done, error) {
			if err := byPassword(ctx); err != nil {
				return nil, err
			}
			return &Done{}, d.Enable(ctx, who, in.id(who))
		}, noContent)
	a.tokens()
	a.audit()
}

func (a *API) tokens() {
	d := a.rooms.Door
	route(a, http.MethodGet, "/people/{person}/tokens", "people", "List a person's API tokens",
		func(ctx context.Context, who ward.Actor, in *struct {
			PersonID
			Paging
		}) (*Listed[Token], error) {
			items, err := d.Tokens(ctx, who, in.id(who))
			page, err := part(items, err, in.Paging)
			return listed(page, err, tokenOf)
		})
	route(a, http.MethodPost, "/people/{person}/tokens", "people", "Make an API token of your own",
		func(ctx context.Context, who ward.Actor, in *struct {
			PersonID
			Body struct {
				Name    string    `json:"name" minLength:"1" maxLength:"200" doc:"what it is for"`
				Expires time.Time `json:"expires,omitempty,omitzero" doc:"90 days from now when left out"`
			}
		}) (*One[WithSecret], error) {
			if err := byPassword(ctx); err != nil {
				return nil, err
			}
			t, secret, err := d.AddToken(ctx, who, in.id(who), in.Body.Name, in.Body.Expires)
			if err != nil {
				return nil, err
			}
			holdsSecret(ctx)
			return &One[WithSecret]{WithSecret{tokenOf(t), secret}}, nil
		}, created, document("Only signed in by password, not by another token."))
	route(a, http.MethodDelete, "/people/{person}/tokens/{token}", "people", "End an API token",
		func(ctx context.Context, who ward.Actor, in *struct {
			PersonID
			Token string `path:"token" maxLength:"100"`
		}) (*Done, error) {
			return &Done{}, d.DropToken(ctx, who, in.id(who), in.Token)
		})
}

func (a *API) audit() {
	route(a, http.MethodGet, "/audit", "audit", "Read the record of who did or saw what, newest first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org string `query:"org" maxLength:"20"`
		}) (*Listed[AuditEntry], error) {
			before := int64(0)
			if in.After != "" {
				var err error
				if before, err = strconv.ParseInt(in.After, 10, 64); err != nil || before <= 0 {
					return nil, &ward.Invalid{Field: "after", Problem: "is not a cursor of this list", Hint: "take it from the page before, or leave it out"}
				}
			}
			items, err := a.rooms.Door.Audit(ctx, who, orgOf(in.Org), before, in.Limit)
			page := ward.Page[ward.AuditEntry]{Items: items}
			if len(items) > 0 && len(items) == in.Limit {
				page.Next = strconv.FormatInt(items[len(items)-1].ID, 10)
			}
			return listed(page, err, auditOf)
		})
}

// Overview says in numbers what needs a person.
type Overview struct {
	Overdue      int     `json:"overdue" doc:"answers that are late"`
	NotKnown     int     `json:"not_known" doc:"answers of organisations whose exposure is not known"`
	Contradicted int     `json:"contradicted" doc:"claims that newer evidence contradicts"`
	Disputed     int     `json:"disputed" doc:"answers that wait for a ruling"`
	Claimed      int     `json:"claimed" doc:"answers that say they are fixed"`
	Confirmed    int     `json:"confirmed" doc:"of them, by evidence"`
	Unread       int     `json:"unread" doc:"messages"`
	StaleFeeds   int     `json:"stale_feeds"`
	Alerts       []Tally `json:"alerts" nullable:"false" doc:"in force, newest first"`
}

// Tally is how the answers to one alert stand.
type Tally struct {
	Alert              ward.AlertID    `json:"alert"`
	Title              string          `json:"title"`
	Severity           ward.Severity   `json:"severity"`
	State              ward.AlertState `json:"state"`
	Issued             time.Time       `json:"issued,omitzero"`
	Asked              int             `json:"asked" doc:"organisations"`
	Unanswered         int             `json:"unanswered"`
	InProgress         int             `json:"in_progress"`
	Remediated         int             `json:"remediated" doc:"claimed and not closed"`
	Closed             int             `json:"closed"`
	ExposedThen        int             `json:"exposed_then" doc:"as at publication"`
	NotKnownThen       int             `json:"not_known_then"`
	Exposed            int             `json:"exposed" doc:"now"`
	NotExposed         int             `json:"not_exposed"`
	NotKnown           int             `json:"not_known"`
	Overdue            int             `json:"overdue"`
	EverOverdue        int             `json:"ever_overdue"`
	Claimed            int             `json:"claimed"`
	Confirmed          int             `json:"confirmed"`
	Awaiting           int             `json:"awaiting_evidence"`
	Contradicted       int             `json:"contradicted"`
	Disputed           int             `json:"disputed"`
	ClosedConfirmed    int             `json:"closed_confirmed"`
	ClosedNotConfirmed int             `json:"closed_not_confirmed"`
	ClosedNotApplying  int             `json:"closed_not_applying"`
	Controlled         int             `json:"controlled" doc:"until a date"`
	Accepted           int             `json:"accepted" doc:"the risk, until a date"`
	Residual           int             `json:"residual" doc:"fixed but for listed assets"`
	Unchecked          int             `json:"unchecked" doc:"a compromise check is owed"`
	CheckAtDesk        int             `json:"check_at_desk" doc:"and the national desk has it"`
	StandContradicted  int             `json:"stand_contradicted" doc:"of the open answers, each counted in the first stand_ that fits"`
	StandOverdue       int             `json:"stand_overdue"`
	StandDisputed      int             `json:"stand_disputed"`
	StandSilent        int             `json:"stand_silent" doc:"not acknowledged, and not late"`
	StandMoving        int             `json:"stand_moving" doc:"acknowledged, nothing claimed"`
	StandClaimed       int             `json:"stand_claimed"`
}

func tallyOf(t responses.Tally) Tally { return Tally(t) }

func (a *API) overview() {
	route(a, http.MethodGet, "/overview", "overview", "Say in numbers what needs a person",
		func(ctx context.Context, who ward.Actor, _ *struct{}) (*One[Overview], error) {
			o, err := a.rooms.Responses.Overview(ctx, who.Scope)
			if err != nil {
				return nil, err
			}
			unread, err := a.rooms.Inbox.Unread(ctx, who.Scope)
			if err != nil {
				return nil, err
			}
			stand, err := a.rooms.Feeds.List(ctx)
			if err != nil {
				return nil, err
			}
			stale := 0
			for _, f := range stand {
				if f.Stale {
					stale++
				}
			}
			return &One[Overview]{Overview{o.Overdue, o.NotKnown, o.Contradicted, o.Disputed, o.Claimed, o.Confirmed, unread, stale, shapes(o.Alerts, tallyOf)}}, nil
		})
}

// Health says whether the server works.
type Health struct {
	Status string `json:"status" enum:"ok,not_ready"`
}

// health answers those who watch the server, without sign-in and without detail.
func (a *API) health() {
	public := func(path, summary string, check func(context.Context) error) {
		op := huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{"health"}, Summary: summary, OperationID: operationID(http.MethodGet, path), Security: []map[string][]string{}}
		huma.Register(a.huma, op, func(ctx context.Context, _ *struct{}) (*One[Health], error) {
			if err := check(ctx); err != nil {
				a.log.ErrorContext(ctx, "not ready", "err", err)
				return nil, shaped(ctx, edge.Problem{Status: http.StatusServiceUnavailable, Code: "not-ready", Title: "Not ready", Detail: "the server cannot work at the moment"})
			}
			return &One[Health]{Health{"ok"}}, nil
		})
	}
	public("/healthz", "Say that the server runs", func(context.Context) error { return nil })
	public("/readyz", "Say whether the server can work", func(ctx context.Context) error {
		if a.rooms.Ready == nil {
			return nil
		}
		return a.rooms.Ready(ctx)
	})
}
