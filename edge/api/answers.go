package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

// Answers is what the ledger knows beyond the single verbs: outcomes, checks, answers for others, registers and packs.
type Answers interface {
	Say(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, a responses.Answer) (ward.Response, error)
	ByTelephone(ctx context.Context, who ward.Actor, call ward.PhoneCall, alert ward.AlertID, org ward.OrgID, version int, a responses.Answer) (ward.Response, error)
	SettleCheck(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, words string) (ward.Response, error)
	AnswerForMany(ctx context.Context, who ward.Actor, alert ward.AlertID, orgs []ward.OrgID, a responses.Answer, how responses.Bulk) ([]responses.Result, error)
	Delegated(ctx context.Context, who ward.Actor, alert ward.AlertID) ([]ward.AnswerState, error)
	Delegations(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]responses.Delegation, error)
	Delegate(ctx context.Context, who ward.Actor, org, delegate ward.OrgID, allowed bool) error
	States(ctx context.Context, who ward.Actor, board ward.OrgID) ([]ward.AnswerState, error)
	Controlled(ctx context.Context, scope ward.Scope) ([]responses.Held, error)
	Accepted(ctx context.Context, scope ward.Scope) ([]responses.Held, error)
	Residuals(ctx context.Context, scope ward.Scope) ([]responses.Held, error)
	Unchecked(ctx context.Context, scope ward.Scope) ([]ward.Response, error)
	Undetermined(ctx context.Context, scope ward.Scope) ([]ward.Response, error)
	Recurrences(ctx context.Context, scope ward.Scope) ([]ward.Response, error)
	Pack(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) (responses.Pack, error)
}

// ProgressSaid is how far a remediation has come, as it is said.
type ProgressSaid struct {
	Affected int       `json:"affected" minimum:"0"`
	Done     int       `json:"done" minimum:"0"`
	Blocker  string    `json:"blocker,omitempty" maxLength:"20000"`
	Help     string    `json:"help,omitempty" maxLength:"20000" doc:"wanted from the centre"`
	NextDue  time.Time `json:"next_due,omitempty,omitzero" doc:"of the next update; as the alert sets it when left out"`
}

// Signed is a signature under a compromise check.
type Signed struct {
	Result   ward.CheckResult `json:"result" enum:"no_evidence,evidence_found,cannot_determine"`
	Coverage string           `json:"coverage" minLength:"1" maxLength:"20000" doc:"which logs were searched, from when, and which were not there"`
}

// Closing is as what an answer ends.
type Closing struct {
	Outcome    ward.Outcome     `json:"outcome,omitempty" enum:"fixed,fixed_with_residual,controlled,accepted,not_applicable,hosted" doc:"as was answered before when left out"`
	FixedAt    time.Time        `json:"fixed_at,omitempty,omitzero"`
	Control    *ward.Control    `json:"control,omitempty"`
	Acceptance *ward.Acceptance `json:"acceptance,omitempty"`
	Residual   []ward.Residual  `json:"residual,omitempty" maxItems:"5000"`
}

func (c Closing) closing() ward.Closing {
	how := ward.Closing{Outcome: c.Outcome, FixedAt: c.FixedAt, Residual: c.Residual}
	if c.Control != nil {
		how.Control = *c.Control
	}
	if c.Acceptance != nil {
		how.Acceptance = *c.Acceptance
	}
	return how
}

// Said is what is said in one go, in the order of the fields; what is left out is not said.
type Said struct {
	Acknowledge   bool               `json:"acknowledge,omitempty"`
	Applicability ward.Applicability `json:"applicability,omitempty" enum:"yes,partly,no,hosted,not_run"`
	Host          string             `json:"host,omitempty" maxLength:"20" doc:"ODS code of who runs it"`
	Progress      *ProgressSaid      `json:"progress,omitempty"`
	FixedAt       time.Time          `json:"fixed_at,omitempty,omitzero" doc:"claims that it is fixed since then"`
	Dispute       bool               `json:"dispute,omitempty" doc:"contests the match; the words say why"`
	Check         *Signed            `json:"check,omitempty"`
	Close         *Closing           `json:"close,omitempty"`
	Words
}

func (s Said) answer() responses.Answer {
	a := responses.Answer{Acknowledge: s.Acknowledge, Applies: s.Applicability, Host: orgOf(s.Host), Claim: !s.FixedAt.IsZero(), FixedAt: s.FixedAt, Dispute: s.Dispute, Words: s.Words.Words}
	if p := s.Progress; p != nil {
		a.Progress = &ward.Progress{Affected: p.Affected, Done: p.Done, Blocker: p.Blocker, Help: p.Help, NextDue: p.NextDue}
	}
	if c := s.Check; c != nil {
		a.Check = &responses.Signed{Result: c.Result, Coverage: c.Coverage}
	}
	if s.Close != nil {
		how := s.Close.closing()
		a.Close = &how
	}
	return a
}

// AnswerState is how an answer stands, without assets or words.
type AnswerState struct {
	Alert          ward.AlertID       `json:"alert"`
	Title          string             `json:"title"`
	Severity       ward.Severity      `json:"severity"`
	Issued         time.Time          `json:"issued,omitzero"`
	Org            ward.OrgID         `json:"org"`
	Version        int                `json:"version"`
	State          ward.ResponseState `json:"state" enum:"unanswered,in_progress,remediated,closed"`
	Outcome        ward.Outcome       `json:"outcome,omitempty"`
	Reads          string             `json:"reads" doc:"where it stands, in words"`
	RespondBy      time.Time          `json:"respond_by,omitzero"`
	AcknowledgedAt time.Time          `json:"acknowledged_at,omitzero"`
	NextDue        time.Time          `json:"next_due,omitzero"`
	Until          time.Time          `json:"until,omitzero" doc:"when it opens again"`
	ClosedAt       time.Time          `json:"closed_at,omitzero"`
	Overdue        bool               `json:"overdue"`
	Exercise       bool               `json:"exercise"`
}

func answerStateOf(s ward.AnswerState) AnswerState { return AnswerState(s) }

// Held is one line of a register.
type Held struct {
	Response Response      `json:"response"`
	Title    string        `json:"title"`
	Severity ward.Severity `json:"severity"`
	Until    time.Time     `json:"until,omitzero"`
	Expired  bool          `json:"expired" doc:"the alert was closed before its date came, so nothing opened it again"`
}

func heldOf(h responses.Held) Held {
	return Held{responseOf(h.Response), h.Title, h.Severity, h.Until, h.Expired}
}

// Delegation is one organisation that may answer for another.
type Delegation struct {
	Delegate ward.OrgID        `json:"delegate"`
	Relation ward.RelationKind `json:"relation" doc:"by which it may"`
	Allowed  bool              `json:"allowed" doc:"and whether the accountable organisation lets it"`
}

func delegationOf(d responses.Delegation) Delegation {
	return Delegation{d.Delegate, d.Kind, d.Allowed}
}

// Result is what an answer for many came to for one organisation.
type Result struct {
	Org     ward.OrgID `json:"org"`
	Version int        `json:"version" doc:"that stands; send it back in versions to be refused where it has changed"`
	Before  string     `json:"before"`
	After   string     `json:"after,omitempty" doc:"empty where it is refused"`
	Refused string     `json:"refused,omitempty"`
}

func resultOf(r responses.Result) Result { return Result(r) }

// Took is how long something took.
type Took struct {
	Came    bool    `json:"came"`
	Hours   float64 `json:"hours" doc:"elapsed; until now while it has not come"`
	Within  float64 `json:"within_hours,omitempty" doc:"asked for"`
	Reading string  `json:"reading"`
}

func tookOf(t responses.Took) Took {
	return Took{t.Came, t.Elapsed.Hours(), t.Within.Hours(), t.String()}
}

// Pack is the evidence of one answer.
type Pack struct {
	Alert         Alert                  `json:"alert"`
	Organisation  string                 `json:"organisation"`
	Response      Response               `json:"response"`
	History       []Entry                `json:"history"`
	Rulings       []Ruling               `json:"rulings"`
	Cited         []string               `json:"cited" doc:"assets exposed at publication"`
	ToAcknowledge Took                   `json:"time_to_acknowledge"`
	ToRemediate   Took                   `json:"time_to_remediate"`
	ToConfirm     Took                   `json:"time_to_confirmation"`
	Definitions   []responses.Definition `json:"definitions"`
	At            time.Time              `json:"at"`
}

func packOf(p responses.Pack) Pack {
	out := Pack{Alert: alertOf(p.Alert), Organisation: p.Organisation.Name, Response: responseOf(p.Response), History: shapes(p.History, entryOf), Rulings: shapes(p.Rulings, rulingOf),
		ToAcknowledge: tookOf(p.ToAcknowledge), ToRemediate: tookOf(p.ToRemediate), ToConfirm: tookOf(p.ToConfirm), Definitions: p.Definitions, At: p.At, Cited: []string{}}
	for _, c := range p.Cited {
		out.Cited = append(out.Cited, c.Name+" "+c.Version)
	}
	return out
}

func (a *API) answers() {
	l := a.rooms.Responses
	shaped := func(item ward.Response, err error) (*Versioned[Response], error) {
		return versioned(item, item.Version, err, responseOf)
	}
	const path = "/alerts/{alert}/responses/{org}"
	route(a, http.MethodPost, path+"/progress", "responses", "Say how far the remediation is",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body struct {
				ProgressSaid
				Words
			}
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			said := Said{Progress: &in.Body.ProgressSaid, Words: in.Body.Words}
			return shaped(l.Say(ctx, who, in.id(), orgOf(in.Org), version, said.answer()))
		})
	route(a, http.MethodPost, path+"/close", "responses", "Close an answer, as an outcome",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body struct {
				Closing
				Words
			}
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			said := Said{Close: &in.Body.Closing, Words: in.Body.Words}
			return shaped(l.Say(ctx, who, in.id(), orgOf(in.Org), version, said.answer()))
		}, document("While a compromise check is owed nothing closes but `hosted`: the answer reads `patched, not yet checked` (or `controlled, not yet checked` and so on), and closes by itself when a person signs that nothing was found."))
	route(a, http.MethodPost, path+"/check", "responses", "Sign a compromise check",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body struct {
				Signed
				Words
			}
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			said := Said{Check: &in.Body.Signed, Words: in.Body.Words}
			return shaped(l.Say(ctx, who, in.id(), orgOf(in.Org), version, said.answer()))
		})
	route(a, http.MethodPost, path+"/check/settle", "responses", "Settle a compromise check that the national desk has",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body Words
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(l.SettleCheck(ctx, who, in.id(), orgOf(in.Org), version, in.Body.Words))
		})
	route(a, http.MethodPost, path+"/say", "responses", "Answer in one go",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body Said
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(l.Say(ctx, who, in.id(), orgOf(in.Org), version, in.Body.answer()))
		})
	route(a, http.MethodPost, path+"/telephone", "responses", "Record an answer that was given by telephone",
		func(ctx context.Context, who ward.Actor, in *struct {
			AnswerChange
			Body struct {
				Speaker string    `json:"speaker" minLength:"1" maxLength:"200" doc:"name and post"`
				Number  string    `json:"number" minLength:"1" maxLength:"60" doc:"that was called back"`
				At      time.Time `json:"at,omitempty,omitzero" doc:"of the call; now when left out"`
				Said    Said      `json:"said"`
			}
		}) (*Versioned[Response], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			call := ward.PhoneCall{Speaker: in.Body.Speaker, Number: in.Body.Number, At: in.Body.At}
			return shaped(l.ByTelephone(ctx, who, call, in.id(), orgOf(in.Org), version, in.Body.Said.answer()))
		})
	route(a, http.MethodGet, path+"/pack", "responses", "Read the evidence pack of an answer",
		func(ctx context.Context, who ward.Actor, in *AnswerID) (*One[Pack], error) {
			item, err := l.Pack(ctx, who.Scope, in.id(), orgOf(in.Org))
			return one(item, err, packOf)
		})
	route(a, http.MethodGet, path+"/pack.csv", "responses", "Export the evidence pack of an answer as CSV",
		func(ctx context.Context, who ward.Actor, in *AnswerID) (*huma.StreamResponse, error) {
			item, err := l.Pack(ctx, who.Scope, in.id(), orgOf(in.Org))
			if err != nil {
				return nil, err
			}
			header, rows := item.Table()
			return a.table(ctx, "evidence.csv", header, func() ([][]string, bool, error) { return rows, false, nil }), nil
		}, asCSV)
	a.answersForOthers()
	a.registers()
}

func (a *API) answersForOthers() {
	l := a.rooms.Responses
	route(a, http.MethodGet, "/alerts/{alert}/delegated", "responses", "List the answers that your organisation may give for others",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertID
			Paging
		}) (*Listed[AnswerState], error) {
			items, err := l.Delegated(ctx, who, in.id())
			page, err := part(items, err, in.Paging)
			return listed(page, err, answerStateOf)
		})
	route(a, http.MethodPost, "/alerts/{alert}/answers", "responses", "Answer for many organisations, all or none",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertID
			Body struct {
				Organisations []string       `json:"organisations" minItems:"1" maxItems:"500" doc:"ODS codes"`
				Versions      map[string]int `json:"versions,omitempty" doc:"as a preview gave them: an answer that has changed since is refused"`
				Preview       bool           `json:"preview,omitempty" doc:"say what would happen, and do nothing"`
				Said          Said           `json:"said"`
			}
		}) (*Listed[Result], error) {
			how := responses.Bulk{Preview: in.Body.Preview, Versions: map[ward.OrgID]int{}}
			for org, version := range in.Body.Versions {
				how.Versions[orgOf(org)] = version
			}
			items, err := l.AnswerForMany(ctx, who, in.id(), shapes(in.Body.Organisations, orgOf), in.Body.Said.answer(), how)
			return listed(ward.Page[responses.Result]{Items: items}, err, resultOf)
		}, document("Preview first: it says for each organisation what would become of its answer, or why it would be refused."))
	route(a, http.MethodGet, "/organisations/{org}/delegations", "responses", "List who may answer for an organisation",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org string `path:"org" minLength:"1" maxLength:"20"`
			Paging
		}) (*Listed[Delegation], error) {
			items, err := l.Delegations(ctx, who.Scope, orgOf(in.Org))
			page, err := part(items, err, in.Paging)
			return listed(page, err, delegationOf)
		})
	route(a, http.MethodPost, "/organisations/{org}/delegations", "responses", "Let another organisation answer for yours, or not any more",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org  string `path:"org" minLength:"1" maxLength:"20"`
			Body struct {
				Delegate string `json:"delegate" minLength:"1" maxLength:"20" doc:"ODS code"`
				Allowed  bool   `json:"allowed"`
			}
		}) (*Done, error) {
			return &Done{}, l.Delegate(ctx, who, orgOf(in.Org), orgOf(in.Body.Delegate), in.Body.Allowed)
		}, func(op *huma.Operation) { op.DefaultStatus = http.StatusNoContent })
	route(a, http.MethodGet, "/organisations/{org}/members/answers", "responses", "Read how the answers of a care board's members stand",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org string `path:"org" minLength:"1" maxLength:"20" doc:"ODS code of the board"`
			Paging
		}) (*Listed[AnswerState], error) {
			items, err := l.States(ctx, who, orgOf(in.Org))
			page, err := part(items, err, in.Paging)
			return listed(page, err, answerStateOf)
		})
}

func (a *API) registers() {
	l := a.rooms.Responses
	for _, r := range []struct {
		name, summary string
		read          func(context.Context, ward.Scope) ([]responses.Held, error)
	}{
		{"controlled", "Read the register of what is controlled until a date", l.Controlled},
		{"accepted", "Read the register of accepted risks", l.Accepted},
		{"residual", "Read the register of fixes with assets left", l.Residuals},
	} {
		route(a, http.MethodGet, "/registers/"+r.name, "registers", r.summary,
			func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Held], error) {
				items, err := r.read(ctx, who.Scope)
				page, err := part(items, err, in.Paging)
				return listed(page, err, heldOf)
			})
	}
	for _, r := range []struct {
		name, summary string
		read          func(context.Context, ward.Scope) ([]ward.Response, error)
	}{
		{"checks", "List the answers that owe a compromise check", l.Unchecked},
		{"checks/desk", "List the compromise checks that the national desk has to take", l.Undetermined},
		{"recurrences", "List what is seen affected again, within what its alert tolerates", l.Recurrences},
	} {
		route(a, http.MethodGet, "/"+r.name, "registers", r.summary,
			func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Response], error) {
				items, err := r.read(ctx, who.Scope)
				page, err := part(items, err, in.Paging)
				return listed(page, err, responseOf)
			})
	}
}
