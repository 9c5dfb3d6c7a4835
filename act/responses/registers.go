package responses

import (
	"context"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Held is one line of a register: an answer that closed until a date.
type Held struct {
	Response ward.Response
	Title    string
	Severity ward.Severity
	Until    time.Time
	Expired  bool // the alert was closed before its date came, so nothing opened it again
}

// Controlled is the register of what is controlled until a date, the soonest first.
func (l *Ledger) Controlled(ctx context.Context, scope ward.Scope) ([]Held, error) {
	return l.register(ctx, scope, ward.OutcomeControlled)
}

// Accepted is the register of accepted risks, the soonest to end first.
func (l *Ledger) Accepted(ctx context.Context, scope ward.Scope) ([]Held, error) {
	return l.register(ctx, scope, ward.OutcomeAccepted)
}

// Residuals is the register of answers that closed with assets left, the soonest date first.
func (l *Ledger) Residuals(ctx context.Context, scope ward.Scope) ([]Held, error) {
	return l.register(ctx, scope, ward.OutcomeResidual)
}

func (l *Ledger) register(ctx context.Context, scope ward.Scope, outcome ward.Outcome) (held []Held, err error) {
	now := l.clock.Now()
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.ResponsesHeld(ctx, scope, outcome)
		if err != nil {
			return err
		}
		alerts := map[ward.AlertID]ward.Alert{}
		for _, r := range all {
			alert, known := alerts[r.Alert]
			if !known {
				if alert, err = tx.Alert(ctx, ward.Everything(), r.Alert); err != nil {
					return err
				}
				alerts[r.Alert] = alert
			}
			held = append(held, Held{Response: l.dated(r), Title: alert.Title, Severity: alert.Severity, Until: r.Until, Expired: !now.Before(r.Until)})
		}
		return nil
	})
	return held, err
}

// contradicted lists the answers to alerts in force that newer evidence contradicts.
func (l *Ledger) contradicted(ctx context.Context, scope ward.Scope) ([]ward.Response, error) {
	return l.list(ctx, func(tx *store.Tx) ([]ward.Response, error) { return tx.ResponsesProved(ctx, scope, ward.Contradicted) })
}
