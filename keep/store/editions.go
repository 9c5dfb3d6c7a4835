package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// Inform gives organisations an alert to read.
func (tx *Tx) Inform(ctx context.Context, alert ward.AlertID, orgs []ward.OrgID) error {
	for _, org := range orgs {
		if err := tx.repeat(ctx, `INSERT INTO alert_informed (alert, org) VALUES ($1, $2) ON CONFLICT DO NOTHING`, string(alert), string(org)); err != nil {
			return fmt.Errorf("store: inform %s of %s: %w", org, alert, err)
		}
	}
	return nil
}

// AlertAudience lists who must answer an alert, and who reads it, as far as the scope shows.
func (tx *Tx) AlertAudience(ctx context.Context, scope ward.Scope, alert ward.AlertID) (audience ward.Audience, err error) {
	condition, args := within(scope, "org", 2)
	args = append([]any{string(alert)}, args...)
	for query, into := range map[string]*[]ward.OrgID{
		`SELECT org FROM responses WHERE alert = $1 AND ` + condition + ` ORDER BY org`:      &audience.Respond,
		`SELECT org FROM alert_informed WHERE alert = $1 AND ` + condition + ` ORDER BY org`: &audience.Inform,
	} {
		orgs, err := texts(tx.tx.QueryContext(ctx, query, args...))
		if err != nil {
			return ward.Audience{}, err
		}
		*into = make([]ward.OrgID, len(orgs))
		for i, org := range orgs {
			(*into)[i] = ward.OrgID(org)
		}
	}
	return audience, nil
}

// SaveRevision keeps a revision in the place of the one at version before (0: there must be none yet). When another stands
// there, nothing is written and the error is ErrConflict.
func (tx *Tx) SaveRevision(ctx context.Context, r ward.Revision, before int) error {
	body, err := encode(r)
	if err != nil {
		return err
	}
	query := `INSERT INTO alert_revisions (alert, version, updated, body) VALUES ($1, $2, $3, $4) ON CONFLICT (alert) DO NOTHING`
	args := []any{string(r.Alert), r.Version, micros(r.Updated), body}
	if before != 0 {
		query = `UPDATE alert_revisions SET version = $2, updated = $3, body = $4 WHERE alert = $1 AND version = $5`
		args = append(args, before)
	}
	result, err := tx.tx.ExecContext(ctx, query, args...)
	return changed(result, err, "revision of "+string(r.Alert))
}

// Revision reads the revision of an alert that waits.
func (tx *Tx) Revision(ctx context.Context, alert ward.AlertID) (ward.Revision, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT body FROM alert_revisions WHERE alert = $1`, string(alert))
	all, err := list(rows, err, scanBody[ward.Revision])
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("revision of %s: %w", alert, ward.ErrNotFound)
	}
	if err != nil {
		return ward.Revision{}, err
	}
	return all[0], nil
}

// Revisions lists every revision that waits, the longest waiting first.
func (tx *Tx) Revisions(ctx context.Context) ([]ward.Revision, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT body FROM alert_revisions ORDER BY updated, alert`)
	return list(rows, err, scanBody[ward.Revision])
}

// DropRevision removes the revision of an alert that waits, if there is one.
func (tx *Tx) DropRevision(ctx context.Context, alert ward.AlertID) error {
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM alert_revisions WHERE alert = $1`, string(alert)); err != nil {
		return fmt.Errorf("store: revision of %s: %w", alert, err)
	}
	return nil
}

// scanBody reads a row of one column that holds JSON.
func scanBody[T any](rows *sql.Rows) (v T, err error) {
	var body string
	if err := rows.Scan(&body); err != nil {
		return v, err
	}
	err = json.Unmarshal([]byte(body), &v)
	return v, err
}

// OweCountersign keeps that a second approval of an alert is owed by due.
func (tx *Tx) OweCountersign(ctx context.Context, alert ward.AlertID, due time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO countersigns (alert, due, told) VALUES ($1, $2, NULL)`, string(alert), micros(due)); err != nil {
		return fmt.Errorf("store: second approval of %s: %w", alert, err)
	}
	return nil
}

// SettleCountersign keeps that no second approval of an alert is owed any more.
func (tx *Tx) SettleCountersign(ctx context.Context, alert ward.AlertID) error {
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM countersigns WHERE alert = $1`, string(alert)); err != nil {
		return fmt.Errorf("store: second approval of %s: %w", alert, err)
	}
	return nil
}

// CountersignsLate lists the alerts whose second approval was due at now and of which nobody was told yet.
func (tx *Tx) CountersignsLate(ctx context.Context, now time.Time) ([]ward.Alert, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT a.body FROM countersigns c JOIN alerts a ON a.id = c.alert
		WHERE c.told IS NULL AND c.due <= $1 ORDER BY c.due, c.alert`, micros(now))
	return list(rows, err, scanAlert)
}

// CountersignTold keeps that the duty officer was told.
func (tx *Tx) CountersignTold(ctx context.Context, alert ward.AlertID, at time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `UPDATE countersigns SET told = $1 WHERE alert = $2`, micros(at), string(alert)); err != nil {
		return fmt.Errorf("store: second approval of %s: %w", alert, err)
	}
	return nil
}

// NextCountersign is when the next second approval of which nobody was told falls due; zero when none does.
func (tx *Tx) NextCountersign(ctx context.Context) (time.Time, error) {
	var next sql.NullInt64
	if err := tx.tx.QueryRowContext(ctx, `SELECT MIN(due) FROM countersigns WHERE told IS NULL`).Scan(&next); err != nil {
		return time.Time{}, fmt.Errorf("store: second approvals: %w", err)
	}
	return moment(next), nil
}

// CountersignsOwed lists the alerts that one person published alone and no second one has signed, the soonest due first.
func (tx *Tx) CountersignsOwed(ctx context.Context) ([]ward.Alert, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT a.body FROM countersigns c JOIN alerts a ON a.id = c.alert ORDER BY c.due, c.alert`)
	return list(rows, err, scanAlert)
}

// SaveTemplate writes a template whose Version says which it becomes: 1 makes it, n replaces n-1. When that version is not
// the one that stands, nothing is written and the error is ErrConflict.
func (tx *Tx) SaveTemplate(ctx context.Context, t ward.Template) error {
	body, err := encode(t)
	if err != nil {
		return err
	}
	query := `INSERT INTO alert_templates (name, version, body) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`
	if t.Version > 1 {
		query = `UPDATE alert_templates SET version = $2, body = $3 WHERE name = $1 AND version = $2 - 1`
	}
	result, err := tx.tx.ExecContext(ctx, query, t.Name, t.Version, body)
	return changed(result, err, "template "+t.Name)
}

// Templates lists the templates by name.
func (tx *Tx) Templates(ctx context.Context) ([]ward.Template, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT body FROM alert_templates ORDER BY name`)
	return list(rows, err, scanBody[ward.Template])
}

// Template reads one template.
func (tx *Tx) Template(ctx context.Context, name string) (ward.Template, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT body FROM alert_templates WHERE name = $1`, name)
	all, err := list(rows, err, scanBody[ward.Template])
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("template %s: %w", name, ward.ErrNotFound)
	}
	if err != nil {
		return ward.Template{}, err
	}
	return all[0], nil
}

// DropTemplate removes a template that stands at version.
func (tx *Tx) DropTemplate(ctx context.Context, name string, version int) error {
	result, err := tx.tx.ExecContext(ctx, `DELETE FROM alert_templates WHERE name = $1 AND version = $2`, name, version)
	return changed(result, err, "template "+name)
}
