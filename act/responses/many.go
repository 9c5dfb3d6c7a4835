package responses

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Bulk says how an answer for many is given.
type Bulk struct {
	Preview  bool               // say what would happen, and do nothing
	Versions map[ward.OrgID]int // as seen in a preview: an answer that has changed since is refused; those left out are not compared
}

// Result is what an answer for many came to, or would, for one organisation.
type Result struct {
	Org     ward.OrgID
	Version int    // that stands: before, in a preview and when refused
	Before  string // how the answer reads
	After   string // empty when refused
	Refused string // why, in words; empty when not
}

// errPreview undoes a preview.
var errPreview = errors.New("preview")

// Delegates lists the organisations for which the actor's organisation may answer an alert: those that it operates or hosts
// systems for, or leads as a group, while the relation holds and they have not decided otherwise. With no alert, all of them.
func (l *Ledger) Delegates(ctx context.Context, who ward.Actor, alert ward.AlertID) (orgs []ward.OrgID, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		orgs, err = l.delegates(ctx, tx, who)
		if err != nil || alert == "" {
			return err
		}
		asked, err := tx.ResponsesTo(ctx, ward.Only(orgs...), alert)
		orgs = nil
		for _, r := range asked {
			orgs = append(orgs, r.Org)
		}
		return err
	})
	return orgs, err
}

func (l *Ledger) delegates(ctx context.Context, tx *store.Tx, who ward.Actor) (orgs []ward.OrgID, err error) {
	if who.Org == "" || !who.Scope.Sees(who.Org) || !who.May(ward.MayAnswer) {
		return nil, nil
	}
	all, err := tx.Delegations(ctx, "", who.Org, l.clock.Now())
	for _, d := range all {
		if d.Allowed {
			orgs = append(orgs, d.Org)
		}
	}
	return orgs, err
}

// Delegated is how the answers stand for which the actor's organisation may answer an alert: states and clocks, no assets.
func (l *Ledger) Delegated(ctx context.Context, who ward.Actor, alert ward.AlertID) (all []ward.AnswerState, err error) {
	orgs, err := l.Delegates(ctx, who, alert)
	if err != nil || len(orgs) == 0 {
		return nil, err
	}
	return l.states(ctx, ward.Only(orgs...), alert)
}

// AnswerForMany answers for organisations that the actor may answer for: all of them in one transaction, or none. Where one
// is refused the results say which, and why, beside the error.
func (l *Ledger) AnswerForMany(ctx context.Context, who ward.Actor, alert ward.AlertID, orgs []ward.OrgID, a Answer, how Bulk) ([]Result, error) {
	a, err := l.ready(a)
	if err != nil {
		return nil, err
	}
	orgs = slices.Clone(orgs)
	slices.Sort(orgs)
	if orgs = slices.Compact(orgs); len(orgs) == 0 {
		return nil, &ward.Invalid{Field: "organisations", Problem: "is empty", Hint: "choose whom you answer for"}
	}
	var results []Result
	err = l.store.Update(ctx, func(tx *store.Tx) error {
		may, err := l.delegates(ctx, tx, who)
		if err != nil {
			return err
		}
		results = results[:0]
		refused := 0
		for _, org := range orgs {
			result, err := l.answerOne(ctx, tx, who, alert, org, may, a, how)
			switch {
			case err == nil:
			case errors.Is(err, ward.ErrNotFound):
				return fmt.Errorf("organisation %s: %w", org, ward.ErrNotFound)
			case refusal(err):
				result.Refused, result.After = err.Error(), ""
				refused++
			default:
				return err
			}
			results = append(results, result)
		}
		switch {
		case how.Preview:
			return errPreview
		case refused > 0:
			return fmt.Errorf("%s of %d cannot be answered for, so none was: %w", act.Number(refused, "organisation"), len(orgs), ward.ErrState)
		}
		return nil
	})
	if errors.Is(err, errPreview) {
		err = nil
	}
	return results, err
}

// refusal reports whether an error is about one organisation's answer, and not about the machine.
func refusal(err error) bool {
	return errors.Is(err, ward.ErrState) || errors.Is(err, ward.ErrInvalid) || errors.Is(err, ward.ErrConflict) || errors.Is(err, ward.ErrForbidden)
}

func (l *Ledger) answerOne(ctx context.Context, tx *store.Tx, who ward.Actor, alert ward.AlertID, org ward.OrgID, may []ward.OrgID, a Answer, how Bulk) (Result, error) {
	v := voice{who: who, from: who.Org}
	switch {
	case who.NeedFor(ward.MayAnswer, org) == nil:
		v.from = ""
	case !slices.Contains(may, org):
		return Result{}, ward.ErrNotFound
	}
	r, err := tx.Response(ctx, ward.Only(org), alert, org)
	if err != nil {
		return Result{}, err
	}
	result := Result{Org: org, Version: r.Version, Before: r.Reads()}
	if version, given := how.Versions[org]; given && version != r.Version {
		return result, fmt.Errorf("its answer changed since you looked: %w", ward.ErrConflict)
	}
	if v.from != "" && ownWord(r) {
		return result, fmt.Errorf("it has answered itself, and its own word stands: %w", ward.ErrState)
	}
	a.Acknowledge = a.Acknowledge && r.AcknowledgedAt.IsZero()
	if !a.Acknowledge && !a.speaks() {
		result.After = result.Before // acknowledged already
		return result, nil
	}
	r, err = l.changeIn(ctx, tx, v, key{alert, org, r.Version}, a.verb(), a.plain(), a.apply)
	if err != nil {
		return result, err
	}
	result.After = r.Reads()
	if !how.Preview {
		result.Version = r.Version
	}
	return result, nil
}

// ownWord reports whether what an answer says was said by the organisation itself, on its page or on the telephone.
func ownWord(r ward.Response) bool {
	said := r.Applicability != "" || !r.ClaimedFixedAt.IsZero() || r.State == ward.ClosedAnswer || r.Dispute != "" || !r.Progress.At.IsZero()
	return said && r.Spoke == ""
}

// Delegation is one organisation that may answer for another, and whether the accountable one lets it.
type Delegation = store.Delegation

// Delegations lists who may answer for an organisation by its relations, and whether it lets them.
func (l *Ledger) Delegations(ctx context.Context, scope ward.Scope, org ward.OrgID) (all []Delegation, err error) {
	if !scope.Sees(org) {
		return nil, ward.ErrNotFound
	}
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Delegations(ctx, org, "", l.clock.Now())
		return err
	})
	return all, err
}

// Delegate lets another organisation answer, or not any more. Its relations decide who can be let.
func (l *Ledger) Delegate(ctx context.Context, who ward.Actor, org, delegate ward.OrgID, allowed bool) error {
	if err := who.NeedFor(ward.MayAnswer, org); err != nil {
		return err
	}
	return l.store.Update(ctx, func(tx *store.Tx) error {
		now := l.clock.Now()
		all, err := tx.Delegations(ctx, org, delegate, now)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return &ward.Invalid{Field: "delegate", Problem: fmt.Sprintf("%s neither operates, hosts nor leads for %s", delegate, org), Hint: "the register of relations says who does"}
		}
		if err := tx.SaveDelegation(ctx, org, delegate, allowed, now, who.Name); err != nil {
			return err
		}
		word := map[bool]string{true: "may answer", false: "may not answer"}[allowed]
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: "response.delegate", Subject: string(delegate), Org: org, Detail: word})
	})
}

// States is how the answers of a care board's members stand: states and clocks, never assets or words. Whoever works for the
// board reads it, and the national watch.
func (l *Ledger) States(ctx context.Context, who ward.Actor, board ward.OrgID) (all []ward.AnswerState, err error) {
	if err := who.NeedFor(ward.MayRead, board); err != nil {
		return nil, err
	}
	var members []ward.OrgID
	err = l.store.View(ctx, func(tx *store.Tx) error {
		members, err = tx.Members(ctx, board, l.clock.Now())
		return err
	})
	if err != nil || len(members) == 0 {
		return nil, err
	}
	return l.states(ctx, ward.Only(members...), "")
}

func (l *Ledger) states(ctx context.Context, scope ward.Scope, alert ward.AlertID) (all []ward.AnswerState, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.AnswerStates(ctx, scope, alert)
		return err
	})
	now := l.clock.Now()
	for i, s := range all {
		due := s.NextDue
		if s.State == ward.Unanswered {
			due = s.RespondBy
		}
		all[i].Overdue = s.State != ward.ClosedAnswer && !due.IsZero() && !now.Before(due)
	}
	return all, err
}
