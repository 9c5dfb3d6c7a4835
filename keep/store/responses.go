package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

// Tally is how the answers to one alert stand, within a scope.
type Tally struct {
	Alert              ward.AlertID
	Title              string
	Severity           ward.Severity
	State              ward.AlertState
	Issued             time.Time
	Asked              int // organisations
	Unanswered         int
	InProgress         int
	Remediated         int // claimed and not closed
	Closed             int
	ExposedThen        int // as at publication
	NotKnownThen       int
	Exposed            int // now
	NotExposed         int
	NotKnown           int
	Overdue            int
	EverOverdue        int
	Claimed            int // that say they are fixed
	Confirmed          int
	Awaiting           int
	Contradicted       int
	Disputed           int
	ClosedConfirmed    int
	ClosedNotConfirmed int
	ClosedNotApplying  int

	// The open answers, each counted in the first of these that fits.
	StandContradicted int
	StandOverdue      int
	StandDisputed     int
	StandSilent       int // not acknowledged, and not late
	StandMoving       int // acknowledged, nothing claimed
	StandClaimed      int
}

// Due is one answer with something owed at a time.
type Due struct {
	Alert ward.AlertID
	Org   ward.OrgID
	At    time.Time
}

// owed is the time at which the next thing is due from an organisation, zero when nothing is.
func owed(r ward.Response) time.Time {
	switch r.State {
	case ward.ClosedAnswer:
		return time.Time{}
	case ward.Unanswered:
		return r.RespondBy
	}
	return r.NextDue
}

// again is when a closed answer is looked at again, zero when it is not.
func again(r ward.Response) time.Time {
	at := r.Recurrence.Ends
	if r.State == ward.ClosedAnswer && !r.Until.IsZero() && (at.IsZero() || r.Until.Before(at)) {
		at = r.Until
	}
	return at
}

// checking says whether a compromise check waits for the organisation or for the national desk.
func checking(r ward.Response) string {
	switch {
	case r.Check.AtDesk():
		return "desk"
	case r.Check.Owed():
		return "owed"
	}
	return ""
}

// SaveResponse writes a response whose Version says which it becomes: 1 makes it, n replaces n-1. When that version is not
// the one that stands, nothing is written and the error is ErrConflict.
func (tx *Tx) SaveResponse(ctx context.Context, r ward.Response) error {
	body, err := encode(r)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("response of %s to %s", r.Org, r.Alert)
	written, err := tx.write(ctx, `INSERT INTO responses
			(alert, org, version, state, exposure, exposure_now, proof, claimed, closed, closed_as, due, told, ever_overdue, outcome, until, checked, remind, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (alert, org) DO UPDATE SET version = excluded.version, state = excluded.state, exposure_now = excluded.exposure_now,
			proof = excluded.proof, claimed = excluded.claimed, closed = excluded.closed, closed_as = excluded.closed_as,
			due = excluded.due, ever_overdue = excluded.ever_overdue, outcome = excluded.outcome, until = excluded.until,
			checked = excluded.checked, remind = excluded.remind, body = excluded.body
		WHERE responses.version = excluded.version - 1`,
		string(r.Alert), string(r.Org), r.Version, string(r.State), string(r.Standing.State), string(r.Current.State), string(r.Proof.Result),
		micros(r.ClaimedFixedAt), micros(r.ClosedAt), r.ClosedAs, micros(owed(r)), flag(r.EverOverdue), string(r.Outcome), micros(again(r)), checking(r),
		micros(r.Remind), body)
	return changed(written, err, what)
}

// RefreshResponse writes what evidence and time changed of a response (standing, proof, clocks) and leaves its version.
func (tx *Tx) RefreshResponse(ctx context.Context, r ward.Response) error {
	body, err := encode(r)
	if err != nil {
		return err
	}
	result, err := tx.tx.ExecContext(ctx, `UPDATE responses SET exposure_now = $1, proof = $2, due = $3, ever_overdue = $4, until = $5, checked = $6, remind = $7, body = $8
		WHERE alert = $9 AND org = $10 AND version = $11`,
		string(r.Current.State), string(r.Proof.Result), micros(owed(r)), flag(r.EverOverdue), micros(again(r)), checking(r), micros(r.Remind), body,
		string(r.Alert), string(r.Org), r.Version)
	return changed(result, err, fmt.Sprintf("response of %s to %s", r.Org, r.Alert))
}

// AddEntry adds one line to a response's history.
func (tx *Tx) AddEntry(ctx context.Context, alert ward.AlertID, org ward.OrgID, e ward.Entry) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO response_entries (alert, org, at, by_name, kind, words) VALUES ($1, $2, $3, $4, $5, $6)`,
		string(alert), string(org), micros(e.At), e.By, e.Kind, e.Words); err != nil {
		return fmt.Errorf("store: history of %s to %s: %w", org, alert, err)
	}
	return nil
}

// Entries is a response's history, oldest first.
func (tx *Tx) Entries(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) ([]ward.Entry, error) {
	condition, args := within(scope, "org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT at, by_name, kind, words FROM response_entries WHERE alert = $1 AND org = $2 AND `+condition+` ORDER BY id`,
		append([]any{string(alert), string(org)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (e ward.Entry, err error) {
		var at sql.NullInt64
		err = rows.Scan(&at, &e.By, &e.Kind, &e.Words)
		e.At = moment(at)
		return e, err
	})
}

const responseColumns = `r.body, r.ever_overdue, a.state FROM responses r JOIN alerts a ON a.id = r.alert`

func scanResponse(rows *sql.Rows) (r ward.Response, err error) {
	var body string
	var ever bool
	var state ward.AlertState
	if err := rows.Scan(&body, &ever, &state); err != nil {
		return r, err
	}
	err = json.Unmarshal([]byte(body), &r)
	r.EverOverdue, r.Lapsed = ever, state != ward.Published
	return r, err
}

// Response reads one organisation's answer to one alert.
func (tx *Tx) Response(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) (ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE r.alert = $1 AND r.org = $2 AND `+condition,
		append([]any{string(alert), string(org)}, args...)...)
	found, err := list(rows, err, scanResponse)
	if err != nil {
		return ward.Response{}, err
	}
	if len(found) == 0 {
		return ward.Response{}, fmt.Errorf("response of %s to %s: %w", org, alert, ward.ErrNotFound)
	}
	return found[0], nil
}

// ResponsesTo lists the answers to one alert by organisation.
func (tx *Tx) ResponsesTo(ctx context.Context, scope ward.Scope, alert ward.AlertID) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE r.alert = $1 AND `+condition+` ORDER BY r.org`,
		append([]any{string(alert)}, args...)...)
	return list(rows, err, scanResponse)
}

// ResponsesOwed lists an organisation's answers that are not closed to alerts in force, the soonest due first.
func (tx *Tx) ResponsesOwed(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE a.state = $1 AND r.closed IS NULL AND ($2 = '' OR r.org = $2) AND `+condition+`
		ORDER BY CASE WHEN r.due IS NULL THEN 1 ELSE 0 END, r.due, r.alert, r.org`, append([]any{string(ward.Published), string(org)}, args...)...)
	return list(rows, err, scanResponse)
}

// OrgOwed is how many answers an organisation owes to alerts in force, and how many of them are late.
type OrgOwed struct {
	Org     ward.OrgID
	Owed    int
	Overdue int
}

// OwedByOrg counts, by organisation, the answers that ResponsesOwed lists.
func (tx *Tx) OwedByOrg(ctx context.Context, scope ward.Scope, now time.Time) ([]OrgOwed, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT r.org, COUNT(*), SUM(CASE WHEN r.due <= $2 THEN 1 ELSE 0 END) FROM responses r JOIN alerts a ON a.id = r.alert
		WHERE a.state = $1 AND r.closed IS NULL AND `+condition+` GROUP BY r.org ORDER BY r.org`, append([]any{string(ward.Published), micros(now)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (o OrgOwed, err error) {
		err = rows.Scan(&o.Org, &o.Owed, &o.Overdue)
		return o, err
	})
}

// ResponsesOf lists every answer of an organisation, newest alert first.
func (tx *Tx) ResponsesOf(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE r.org = $1 AND `+condition+` ORDER BY a.issued DESC, r.alert DESC`,
		append([]any{string(org)}, args...)...)
	return list(rows, err, scanResponse)
}

// ResponsesProved lists the answers to alerts in force with the given proof, by organisation.
func (tx *Tx) ResponsesProved(ctx context.Context, scope ward.Scope, result ward.ProofResult) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE a.state = $1 AND r.proof = $2 AND `+condition+` ORDER BY r.alert, r.org`,
		append([]any{string(ward.Published), string(result)}, args...)...)
	return list(rows, err, scanResponse)
}

// ResponsesLate lists the answers to alerts in force that owed something by the given time, the longest overdue first.
func (tx *Tx) ResponsesLate(ctx context.Context, scope ward.Scope, now time.Time) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE a.state = $1 AND r.due <= $2 AND `+condition+` ORDER BY r.due, r.alert, r.org`,
		append([]any{string(ward.Published), micros(now)}, args...)...)
	return list(rows, err, scanResponse)
}

// ResponsesUntold lists what became overdue by now and was not told yet, in alerts in force.
func (tx *Tx) ResponsesUntold(ctx context.Context, now time.Time) ([]Due, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT r.alert, r.org, r.due FROM responses r JOIN alerts a ON a.id = r.alert
		WHERE a.state = $1 AND r.due <= $2 AND (r.told IS NULL OR r.told < r.due) ORDER BY r.due, r.alert, r.org`, string(ward.Published), micros(now))
	return list(rows, err, func(rows *sql.Rows) (d Due, err error) {
		var at sql.NullInt64
		err = rows.Scan(&d.Alert, &d.Org, &at)
		d.At = moment(at)
		return d, err
	})
}

// MarkOverdue keeps that an answer was overdue at a time and that this was told. It changes nothing that a person wrote,
// so the version stays.
func (tx *Tx) MarkOverdue(ctx context.Context, d Due) error {
	_, err := tx.tx.ExecContext(ctx, `UPDATE responses SET told = $1, ever_overdue = 1 WHERE alert = $2 AND org = $3`,
		micros(d.At), string(d.Alert), string(d.Org))
	if err != nil {
		return fmt.Errorf("store: overdue %s to %s: %w", d.Org, d.Alert, err)
	}
	return nil
}

// NextResponseDue is the first time after now at which an answer to an alert in force is due; zero when none is.
func (tx *Tx) NextResponseDue(ctx context.Context, now time.Time) (time.Time, error) {
	var due sql.NullInt64
	err := tx.tx.QueryRowContext(ctx, `SELECT MIN(r.due) FROM responses r JOIN alerts a ON a.id = r.alert WHERE a.state = $1 AND r.due > $2`,
		string(ward.Published), micros(now)).Scan(&due)
	if err != nil {
		return time.Time{}, fmt.Errorf("store: next due: %w", err)
	}
	return moment(due), nil
}

// AskedOrgs lists the organisations that were asked by an alert in force.
func (tx *Tx) AskedOrgs(ctx context.Context) ([]string, error) {
	return texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT r.org FROM responses r JOIN alerts a ON a.id = r.alert WHERE a.state = $1 ORDER BY r.org`,
		string(ward.Published)))
}

// Stamp reads a named time that a job keeps; zero when it was never set.
func (tx *Tx) Stamp(ctx context.Context, name string) (time.Time, error) {
	values, err := texts(tx.tx.QueryContext(ctx, `SELECT CAST(value AS TEXT) FROM counters WHERE name = $1`, name))
	if err != nil || len(values) == 0 {
		return time.Time{}, err
	}
	at, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("store: stamp %s: %w", name, err)
	}
	return time.UnixMicro(at).UTC(), nil
}

// SetStamp keeps a named time.
func (tx *Tx) SetStamp(ctx context.Context, name string, at time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		name, at.UnixMicro()); err != nil {
		return fmt.Errorf("store: stamp %s: %w", name, err)
	}
	return nil
}

// standing counts the answers that stand in one way, of which each answer has exactly one; $1 is now, $2 published.
func standing(as string) string {
	return `SUM(CASE WHEN '` + as + `' = CASE WHEN r.state = 'closed' THEN '' WHEN r.proof = 'contradicted' THEN 'contradicted'
		WHEN r.due <= $1 AND a.state = $2 THEN 'overdue' WHEN r.proof = 'disputed' THEN 'disputed' ELSE r.state END THEN 1 ELSE 0 END)`
}

// Tallies counts the answers to each alert in force, newest first, and to those closed too when asked.
func (tx *Tx) Tallies(ctx context.Context, scope ward.Scope, now time.Time, closed bool) ([]Tally, error) {
	condition, args := within(scope, "r.org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT a.id, a.title, a.severity, a.state, a.issued, COUNT(*),
			SUM(CASE WHEN r.state = 'unanswered' THEN 1 ELSE 0 END), SUM(CASE WHEN r.state = 'in_progress' THEN 1 ELSE 0 END), SUM(CASE WHEN r.state = 'remediated' THEN 1 ELSE 0 END), SUM(CASE WHEN r.state = 'closed' THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.exposure = 'exposed' THEN 1 ELSE 0 END), SUM(CASE WHEN r.exposure = 'not_known' THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.exposure_now = 'exposed' THEN 1 ELSE 0 END), SUM(CASE WHEN r.exposure_now = 'not_exposed' THEN 1 ELSE 0 END), SUM(CASE WHEN r.exposure_now = 'not_known' THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.due <= $1 AND a.state = $2 THEN 1 ELSE 0 END), SUM(CASE WHEN r.ever_overdue = 1 OR (r.due <= $1 AND a.state = $2) THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.claimed IS NOT NULL THEN 1 ELSE 0 END), SUM(CASE WHEN r.proof = 'confirmed' THEN 1 ELSE 0 END), SUM(CASE WHEN r.proof = 'awaiting_evidence' THEN 1 ELSE 0 END), SUM(CASE WHEN r.proof = 'contradicted' THEN 1 ELSE 0 END), SUM(CASE WHEN r.proof = 'disputed' THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.closed_as = 'closed, confirmed' THEN 1 ELSE 0 END), SUM(CASE WHEN r.closed_as = 'closed, not confirmed' THEN 1 ELSE 0 END), SUM(CASE WHEN r.closed_as = 'not applicable' THEN 1 ELSE 0 END),
			`+standing("contradicted")+`, `+standing("overdue")+`, `+standing("disputed")+`, `+standing("unanswered")+`, `+standing("in_progress")+`, `+standing("remediated")+`
		FROM alerts a JOIN responses r ON r.alert = a.id
		WHERE (a.state = $2 OR ($3 = 1 AND a.state = 'closed')) AND `+condition+`
		GROUP BY a.id, a.title, a.severity, a.state, a.issued ORDER BY a.issued DESC, a.id DESC`,
		append([]any{micros(now), string(ward.Published), flag(closed)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (t Tally, err error) {
		var issued sql.NullInt64
		err = rows.Scan(&t.Alert, &t.Title, &t.Severity, &t.State, &issued, &t.Asked,
			&t.Unanswered, &t.InProgress, &t.Remediated, &t.Closed, &t.ExposedThen, &t.NotKnownThen,
			&t.Exposed, &t.NotExposed, &t.NotKnown, &t.Overdue, &t.EverOverdue,
			&t.Claimed, &t.Confirmed, &t.Awaiting, &t.Contradicted, &t.Disputed,
			&t.ClosedConfirmed, &t.ClosedNotConfirmed, &t.ClosedNotApplying,
			&t.StandContradicted, &t.StandOverdue, &t.StandDisputed, &t.StandSilent, &t.StandMoving, &t.StandClaimed)
		t.Issued = moment(issued)
		return t, err
	})
}

// SaveAnswerDraft keeps what a person has begun to write; empty text removes it.
func (tx *Tx) SaveAnswerDraft(ctx context.Context, alert ward.AlertID, org ward.OrgID, person string, at time.Time, body string) error {
	if body == "" {
		_, err := tx.tx.ExecContext(ctx, `DELETE FROM response_drafts WHERE alert = $1 AND org = $2 AND person = $3`, string(alert), string(org), person)
		if err != nil {
			return fmt.Errorf("store: draft: %w", err)
		}
		return nil
	}
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO response_drafts (alert, org, person, at, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (alert, org, person) DO UPDATE SET at = excluded.at, body = excluded.body`,
		string(alert), string(org), person, micros(at), body); err != nil {
		return fmt.Errorf("store: draft: %w", err)
	}
	return nil
}

// AnswerDraft reads what a person has begun to write; empty when nothing.
func (tx *Tx) AnswerDraft(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID, person string) (string, error) {
	condition, args := within(scope, "org", 4)
	bodies, err := texts(tx.tx.QueryContext(ctx, `SELECT body FROM response_drafts WHERE alert = $1 AND org = $2 AND person = $3 AND `+condition,
		append([]any{string(alert), string(org), person}, args...)...))
	if err != nil || len(bodies) == 0 {
		return "", err
	}
	return bodies[0], nil
}
