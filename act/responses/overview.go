package responses

import (
	"context"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Tally is how the answers to one alert stand.
type Tally = store.Tally

// Overview is how the answers to every alert in force stand, within a scope.
type Overview struct {
	Alerts       []Tally // newest first
	Overdue      int     // answers that are late now
	NotKnown     int     // answers whose organisation's exposure is not known now
	Contradicted int
	Disputed     int // for the desk to decide
	Claimed      int // say they are fixed
	Confirmed    int // of them, by evidence
}

// Overview counts the answers to the alerts in force.
func (l *Ledger) Overview(ctx context.Context, scope ward.Scope) (o Overview, err error) {
	if o.Alerts, err = l.tallies(ctx, scope, false); err != nil {
		return Overview{}, err
	}
	for _, t := range o.Alerts {
		o.Overdue += t.Overdue
		o.NotKnown += t.NotKnown
		o.Contradicted += t.Contradicted
		o.Disputed += t.Disputed
		o.Claimed += t.Claimed
		o.Confirmed += t.Confirmed
	}
	return o, nil
}

// Tallies counts the answers to every alert, closed ones too.
func (l *Ledger) Tallies(ctx context.Context, scope ward.Scope) ([]Tally, error) {
	return l.tallies(ctx, scope, true)
}

func (l *Ledger) tallies(ctx context.Context, scope ward.Scope, closed bool) (all []Tally, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Tallies(ctx, scope, l.clock.Now(), closed)
		return err
	})
	return all, err
}

// SaveDraft keeps what a person has begun to write, and says nothing to anybody. Empty text removes it.
func (l *Ledger) SaveDraft(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, body string) error {
	if err := who.NeedFor(ward.MayPrepare, org); err != nil {
		return err
	}
	return l.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Response(ctx, who.Scope, alert, org); err != nil {
			return err
		}
		return tx.SaveAnswerDraft(ctx, alert, org, string(who.Person), l.clock.Now(), body)
	})
}

// Draft is what the person has begun to write; empty when nothing.
func (l *Ledger) Draft(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID) (body string, err error) {
	if err := who.NeedFor(ward.MayRead, org); err != nil {
		return "", err
	}
	err = l.store.View(ctx, func(tx *store.Tx) error {
		body, err = tx.AnswerDraft(ctx, who.Scope, alert, org, string(who.Person))
		return err
	})
	return body, err
}
