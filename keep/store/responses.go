package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
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
	Controlled         int // until a date
	Accepted           int
	Residual           int // fixed but for listed assets
	Unchecked          int // a compromise check is owed
	CheckAtDesk        int // and the national desk has it

	// The open answers, each counted in the first of these that fits.
	StandContradicted int
	StandOverdue      int
	StandDisputed     int
	StandSilent       int // not acknowledged, and not late
	StandMoving       int // acknowledged, nothing claimed
	StandClaimed      int
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
	result, err := tx.tx.ExecContext(ctx, `INSERT INTO responses
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
	return changed(result, err, what)
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

func scanOneResponse(rows *sql.Rows) (ward.Response, error) { return scanResponse(rows) }

// scanResponse reads responseColumns, after the columns that a query put before them.
func scanResponse(rows *sql.Rows, before ...any) (r ward.Response, err error) {
	var body string
	var ever bool
	var state ward.AlertState
	if err := rows.Scan(append(before, &body, &ever, &state)...); err != nil {
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
	found, err := list(rows, err, scanOneResponse)
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
	return list(rows, err, scanOneResponse)
}

// ResponsesOwed lists an organisation's answers that are not closed to alerts in force, the soonest due first.
func (tx *Tx) ResponsesOwed(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE a.state = $1 AND r.closed IS NULL AND ($2 = '' OR r.org = $2) AND `+condition+`
		ORDER BY CASE WHEN r.due IS NULL THEN 1 ELSE 0 END, r.due, r.alert, r.org`, append([]any{string(ward.Published), string(org)}, args...)...)
	return list(rows, err, scanOneResponse)
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
	return list(rows, err, scanOneResponse)
}

// ResponsesStanding lists the answers of an organisation to alerts in force, newest alert first.
func (tx *Tx) ResponsesStanding(ctx context.Context, org ward.OrgID) ([]ward.Response, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE r.org = $1 AND a.state = $2 ORDER BY a.issued DESC, r.alert DESC`, string(org), string(ward.Published))
	return list(rows, err, scanOneResponse)
}

// ResponsesProved lists the answers to alerts in force with the given proof, by organisation.
func (tx *Tx) ResponsesProved(ctx context.Context, scope ward.Scope, result ward.ProofResult) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE a.state = $1 AND r.proof = $2 AND `+condition+` ORDER BY r.alert, r.org`,
		append([]any{string(ward.Published), string(result)}, args...)...)
	return list(rows, err, scanOneResponse)
}

// ResponsesLate lists the answers to alerts in force that owed something by the given time, the longest overdue first.
func (tx *Tx) ResponsesLate(ctx context.Context, scope ward.Scope, now time.Time) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE a.state = $1 AND r.due <= $2 AND `+condition+` ORDER BY r.due, r.alert, r.org`,
		append([]any{string(ward.Published), micros(now)}, args...)...)
	return list(rows, err, scanOneResponse)
}

// Woken is one answer that its clock or its evidence wants looked at.
type Woken struct {
	Alert ward.AlertID
	Org   ward.OrgID
}

func (tx *Tx) woken(ctx context.Context, query string, args ...any) ([]Woken, error) {
	rows, err := tx.tx.QueryContext(ctx, query, args...)
	return list(rows, err, func(rows *sql.Rows) (w Woken, err error) { err = rows.Scan(&w.Alert, &w.Org); return w, err })
}

// ResponsesToRemind lists the answers about whose clock somebody is to be told by now: those to alerts in force, and what is
// controlled or accepted under an alert that is closed.
func (tx *Tx) ResponsesToRemind(ctx context.Context, now time.Time) ([]Woken, error) {
	return tx.woken(ctx, `SELECT r.alert, r.org FROM responses r CROSS JOIN alerts a ON a.id = r.alert
		WHERE r.remind <= $1 AND (a.state = $2 OR (a.state = $3 AND r.until IS NOT NULL)) ORDER BY r.remind, r.alert, r.org`,
		micros(now), string(ward.Published), string(ward.Ended))
}

// ResponsesEnding lists the closed answers to alerts in force whose date has passed.
func (tx *Tx) ResponsesEnding(ctx context.Context, now time.Time) ([]Woken, error) {
	return tx.woken(ctx, `SELECT r.alert, r.org FROM responses r CROSS JOIN alerts a ON a.id = r.alert
		WHERE r.until <= $1 AND a.state = $2 ORDER BY r.until, r.alert, r.org`, micros(now), string(ward.Published))
}

// NextResponseDue is the first time after now at which an answer wants to be looked at; zero when none does.
func (tx *Tx) NextResponseDue(ctx context.Context, now time.Time) (time.Time, error) {
	var next time.Time
	for _, query := range []string{
		`SELECT r.due FROM responses r CROSS JOIN alerts a ON a.id = r.alert WHERE r.due > $1 AND a.state = $2 ORDER BY r.due LIMIT 1`,
		`SELECT r.until FROM responses r CROSS JOIN alerts a ON a.id = r.alert WHERE r.until > $1 AND a.state = $2 ORDER BY r.until LIMIT 1`,
		`SELECT r.remind FROM responses r CROSS JOIN alerts a ON a.id = r.alert WHERE r.remind > $1 AND (a.state = $2 OR (a.state = '` + string(ward.Ended) + `' AND r.until IS NOT NULL)) ORDER BY r.remind LIMIT 1`,
	} {
		rows, err := tx.tx.QueryContext(ctx, query, micros(now), string(ward.Published))
		times, err := list(rows, err, func(rows *sql.Rows) (at sql.NullInt64, err error) {
			err = rows.Scan(&at)
			return at, err
		})
		if err != nil {
			return time.Time{}, err
		}
		if len(times) > 0 && (next.IsZero() || moment(times[0]).Before(next)) {
			next = moment(times[0])
		}
	}
	return next, nil
}

// ResponsesHeld lists the answers that closed with an outcome that lasts until a date, to alerts that are in force or closed,
// the soonest to end first.
func (tx *Tx) ResponsesHeld(ctx context.Context, scope ward.Scope, outcome ward.Outcome) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE r.outcome = $1 AND r.closed IS NOT NULL AND r.closed_as <> '`+MovedAway+`'
		AND a.state IN ($2, $3) AND `+condition+` ORDER BY r.until, r.alert, r.org`,
		append([]any{string(outcome), string(ward.Published), string(ward.Ended)}, args...)...)
	return list(rows, err, scanOneResponse)
}

// ResponsesChecking lists the answers to alerts in force whose compromise check waits: "owed" for the organisation, "desk"
// for the national desk.
func (tx *Tx) ResponsesChecking(ctx context.Context, scope ward.Scope, waits string) ([]ward.Response, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+responseColumns+` WHERE r.checked = $1 AND r.checked <> '' AND a.state = $2 AND `+condition+` ORDER BY r.alert, r.org`,
		append([]any{waits, string(ward.Published)}, args...)...)
	return list(rows, err, scanOneResponse)
}

// MovedAway is how an answer is closed that the successor of its organisation has taken over.
const MovedAway = "taken over"

// Succession is an answer of an organisation that is closed, and a successor that takes it over.
type Succession struct {
	Woken
	To ward.OrgID
}

// Successions lists the answers to alerts in force that are open, or would open again, of organisations that have closed, with
// the open organisations that have succeeded them already, through others that have closed meanwhile too.
func (tx *Tx) Successions(ctx context.Context, now time.Time) ([]Succession, error) {
	rows, err := tx.tx.QueryContext(ctx, `WITH RECURSIVE heir (of_org, org, depth) AS (
			SELECT s.to_org, s.from_org, 1 FROM organisations o JOIN relations s ON s.kind = $1 AND s.to_org = o.id AND s.since <= $2 AND (s.until IS NULL OR s.until > $2)
				WHERE o.closed <= $2
			UNION SELECT h.of_org, s.from_org, h.depth + 1 FROM heir h JOIN organisations o ON o.id = h.org AND o.closed <= $2
				JOIN relations s ON s.kind = $1 AND s.to_org = h.org AND s.since <= $2 AND (s.until IS NULL OR s.until > $2) WHERE h.depth < 10)
		SELECT r.alert, r.org, h.org FROM heir h CROSS JOIN organisations t ON t.id = h.org AND (t.closed IS NULL OR t.closed > $2)
			CROSS JOIN responses r ON r.org = h.of_org AND (r.closed IS NULL OR r.until IS NOT NULL) CROSS JOIN alerts a ON a.id = r.alert
		WHERE a.state = $3 AND h.org <> h.of_org GROUP BY r.alert, r.org, h.org ORDER BY r.alert, r.org, h.org`, string(ward.Successor), micros(now), string(ward.Published))
	return list(rows, err, func(rows *sql.Rows) (s Succession, err error) {
		err = rows.Scan(&s.Alert, &s.Org, &s.To)
		return s, err
	})
}

// CopyAnswer gives the history of an answer, what was cited for it, to the organisation that takes it over.
func (tx *Tx) CopyAnswer(ctx context.Context, alert ward.AlertID, from, to ward.OrgID) error {
	_, err := tx.tx.ExecContext(ctx, `INSERT INTO response_entries (alert, org, at, by_name, kind, words)
		SELECT alert, $1, at, by_name, kind, words FROM response_entries WHERE alert = $2 AND org = $3 ORDER BY id`, string(to), string(alert), string(from))
	if err == nil {
		_, err = tx.tx.ExecContext(ctx, `INSERT INTO exposures (cited_kind, cited, org, asset, cve, software, source, grade, fixed, why, first_seen, last_seen, ended)
			SELECT cited_kind, cited, $1, asset, cve, software, source, grade, fixed, why, first_seen, last_seen, ended FROM exposures
			WHERE cited_kind = 'alert' AND cited = $2 AND org = $3 ON CONFLICT DO NOTHING`, string(to), string(alert), string(from))
	}
	if err != nil {
		return fmt.Errorf("store: answer of %s to %s: %w", from, alert, err)
	}
	return nil
}

// Reached is one exposed asset that was reachable, and since when its weakness is known to be exploited.
type Reached struct {
	Asset     ward.AssetID
	Name      string
	CVE       ward.CVE
	Exploited time.Time
	Seen      time.Time // when a source last showed the affected version
	Listed    bool      // its newest import still does
}

// ReachedAssets lists the assets of organisations that are reachable and that ran what is affected by an exploited weakness.
func (tx *Tx) ReachedAssets(ctx context.Context, scope ward.Scope, orgs []ward.OrgID, cves []ward.CVE) ([]Reached, error) {
	if len(cves) == 0 || len(orgs) == 0 {
		return nil, nil
	}
	about, args := marks(cves, 1)
	used, err := texts(tx.tx.QueryContext(ctx, `SELECT id FROM vulnerabilities WHERE id IN (`+about+`) AND exploited_since IS NOT NULL`, args...))
	if err != nil || len(used) == 0 {
		return nil, err
	}
	// An organisation's few reachable assets first: the software may be on every machine of the country.
	about, args = marks(used, 2)
	of, values := marks(orgs, 2+len(args))
	args = append(append([]any{string(ward.Affected)}, args...), values...)
	condition, values := within(scope, "o.org", len(args)+1)
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT DISTINCT a.id, a.name, v.cve, w.exploited_since, COALESCE(i.last_seen, s.observed_at), i.last_seen IS NULL
		FROM asset_orgs o CROSS JOIN assets a ON a.id = o.asset AND a.reachable = %d CROSS JOIN presence p ON p.asset = a.id
			CROSS JOIN installs i ON i.source = p.source AND i.asset = p.asset CROSS JOIN verdicts v ON v.software = i.software AND v.status = $1`+onPlatform+`
			CROSS JOIN vulnerabilities w ON w.id = v.cve CROSS JOIN sources s ON s.id = i.source
		WHERE v.cve IN (%s) AND o.org IN (%s) AND %s AND `+there+` ORDER BY a.name, a.id, v.cve`, ward.Yes, about, of, condition), append(args, values...)...)
	return list(rows, err, func(rows *sql.Rows) (r Reached, err error) {
		var since, seen sql.NullInt64
		err = rows.Scan(&r.Asset, &r.Name, &r.CVE, &since, &seen, &r.Listed)
		r.Exploited, r.Seen = moment(since), moment(seen)
		return r, err
	})
}

// ReachableCited lists the organisations with an asset that an alert cited and that can be reached from the internet.
func (tx *Tx) ReachableCited(ctx context.Context, scope ward.Scope, alert ward.AlertID) ([]ward.OrgID, error) {
	condition, args := within(scope, "e.org", 3)
	orgs, err := texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT e.org FROM exposures e JOIN assets a ON a.id = e.asset
		WHERE e.cited_kind = 'alert' AND e.cited = $1 AND a.reachable = $2 AND `+condition+` ORDER BY e.org`, append([]any{string(alert), int64(ward.Yes)}, args...)...))
	all := make([]ward.OrgID, len(orgs))
	for i, org := range orgs {
		all[i] = ward.OrgID(org)
	}
	return all, err
}

// SaveDelegation keeps whether an organisation lets another answer for it.
func (tx *Tx) SaveDelegation(ctx context.Context, org, delegate ward.OrgID, allowed bool, at time.Time, by string) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO delegations (org, delegate, allowed, at, by_name) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, delegate) DO UPDATE SET allowed = excluded.allowed, at = excluded.at, by_name = excluded.by_name`,
		string(org), string(delegate), flag(allowed), micros(at), by); err != nil {
		return fmt.Errorf("store: delegation of %s to %s: %w", org, delegate, err)
	}
	return nil
}

// Delegation is one organisation that may answer for another, by which relation, and whether the accountable one lets it.
type Delegation struct {
	Org      ward.OrgID
	Delegate ward.OrgID
	Kind     ward.RelationKind
	Allowed  bool
}

// Delegations lists who may answer for whom now: for an organisation's own people those that it answers for, or (given) those
// that answer for it.
func (tx *Tx) Delegations(ctx context.Context, org, delegate ward.OrgID, now time.Time) ([]Delegation, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT s.to_org, s.from_org, MIN(s.kind), COALESCE(d.allowed, 1) FROM relations s LEFT JOIN delegations d ON d.org = s.to_org AND d.delegate = s.from_org
		WHERE s.kind IN ($1, $2, $3) AND s.since <= $4 AND (s.until IS NULL OR s.until > $4) AND ($5 = '' OR s.to_org = $5) AND ($6 = '' OR s.from_org = $6) AND s.from_org <> s.to_org
		GROUP BY s.to_org, s.from_org, d.allowed ORDER BY s.to_org, s.from_org`,
		string(ward.GroupLead), string(ward.Hosts), string(ward.OperatesFor), micros(now), string(org), string(delegate))
	return list(rows, err, func(rows *sql.Rows) (d Delegation, err error) {
		err = rows.Scan(&d.Org, &d.Delegate, &d.Kind, &d.Allowed)
		return d, err
	})
}

// Members lists the organisations that a care board oversees now.
func (tx *Tx) Members(ctx context.Context, board ward.OrgID, now time.Time) ([]ward.OrgID, error) {
	orgs, err := texts(tx.tx.QueryContext(ctx, `SELECT to_org FROM relations WHERE kind = $1 AND from_org = $2 AND since <= $3 AND (until IS NULL OR until > $3)
		UNION SELECT id FROM organisations WHERE board = $2 AND id <> $2 AND (closed IS NULL OR closed > $3) ORDER BY 1`,
		string(ward.CareBoard), string(board), micros(now)))
	all := make([]ward.OrgID, len(orgs))
	for i, org := range orgs {
		all[i] = ward.OrgID(org)
	}
	return all, err
}

// AnswerStates lists how the answers of organisations stand to alerts in force (alert empty: to every one): states and
// clocks, and nothing that anybody wrote or owns.
func (tx *Tx) AnswerStates(ctx context.Context, scope ward.Scope, alert ward.AlertID) ([]ward.AnswerState, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT a.title, a.severity, a.issued, `+inBody("a.body", "Exercise")+` = 1, `+responseColumns+` WHERE a.state = $1 AND ($2 = '' OR r.alert = $2) AND `+condition+`
		ORDER BY a.issued DESC, r.alert DESC, r.org`, append([]any{string(ward.Published), string(alert)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (s ward.AnswerState, err error) {
		var issued sql.NullInt64
		r, err := scanResponse(rows, &s.Title, &s.Severity, &issued, &s.Exercise)
		s.Alert, s.Org, s.Version, s.State, s.Outcome, s.Reads = r.Alert, r.Org, r.Version, r.State, r.Outcome, r.Reads()
		s.Issued, s.RespondBy, s.AcknowledgedAt, s.NextDue, s.Until, s.ClosedAt = moment(issued), r.RespondBy, r.AcknowledgedAt, r.NextDue, r.Until, r.ClosedAt
		return s, err
	})
}

// AskedOrgs lists the organisations that were asked by an alert in force.
func (tx *Tx) AskedOrgs(ctx context.Context) ([]string, error) {
	return texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT r.org FROM responses r JOIN alerts a ON a.id = r.alert WHERE a.state = $1 ORDER BY r.org`,
		string(ward.Published)))
}

// Asked reports whether an alert in force asks anybody.
func (tx *Tx) Asked(ctx context.Context) (asked bool, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM alerts a WHERE a.state = $1 AND EXISTS (SELECT 1 FROM responses r WHERE r.alert = a.id))`, string(ward.Published)).Scan(&asked)
	return asked, err
}

// ForgetReminders drops the words that nobody wants any more, of answers to alerts that are over.
func (tx *Tx) ForgetReminders(ctx context.Context, now time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `UPDATE responses SET remind = NULL WHERE remind <= $1 AND until IS NULL AND alert IN (SELECT id FROM alerts WHERE state <> $2)`,
		micros(now), string(ward.Published)); err != nil {
		return fmt.Errorf("store: reminders: %w", err)
	}
	return nil
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

// counted is how many answers to an alert are alike in all that a tally counts.
type counted struct {
	state     ward.ResponseState
	then, now ward.ExposureState
	proof     ward.ProofResult
	closedAs  string
	outcome   ward.Outcome
	checked   string
	ever      bool // was late
	claimed   bool
	all, late int // late now, if the alert is in force
}

// add counts answers that are alike.
func (t *Tally) add(c counted) {
	if t.State != ward.Published {
		c.late = 0
	}
	when := func(yes bool, fields ...*int) {
		for _, field := range fields {
			if yes {
				*field += c.all
			}
		}
	}
	when(true, &t.Asked)
	when(c.state == ward.Unanswered, &t.Unanswered)
	when(c.state == ward.InProgress, &t.InProgress)
	when(c.state == ward.Remediated, &t.Remediated)
	when(c.state == ward.ClosedAnswer, &t.Closed)
	when(c.then == ward.Exposed, &t.ExposedThen)
	when(c.then == ward.ExposureUnknown, &t.NotKnownThen)
	when(c.now == ward.Exposed, &t.Exposed)
	when(c.now == ward.NotExposed, &t.NotExposed)
	when(c.now == ward.ExposureUnknown, &t.NotKnown)
	when(c.claimed, &t.Claimed)
	when(c.proof == ward.Confirmed, &t.Confirmed)
	when(c.proof == ward.Awaiting, &t.Awaiting)
	when(c.proof == ward.Contradicted, &t.Contradicted)
	when(c.proof == ward.Disputed, &t.Disputed)
	when(c.closedAs == "closed, confirmed", &t.ClosedConfirmed)
	when(c.closedAs == "closed, not confirmed", &t.ClosedNotConfirmed)
	when(c.closedAs == "not applicable", &t.ClosedNotApplying)
	when(c.state == ward.ClosedAnswer && c.outcome == ward.OutcomeControlled, &t.Controlled)
	when(c.state == ward.ClosedAnswer && c.outcome == ward.OutcomeAccepted, &t.Accepted)
	when(c.state == ward.ClosedAnswer && c.outcome == ward.OutcomeResidual, &t.Residual)
	when(c.checked == "owed", &t.Unchecked)
	when(c.checked == "desk", &t.CheckAtDesk)
	t.Overdue += c.late
	if c.ever {
		t.EverOverdue += c.all
	} else {
		t.EverOverdue += c.late
	}
	if c.state == ward.ClosedAnswer {
		return
	}
	switch c.proof {
	case ward.Contradicted:
		t.StandContradicted += c.all
		return
	case ward.Disputed:
		t.StandDisputed += c.all - c.late
	default:
		switch c.state {
		case ward.Unanswered:
			t.StandSilent += c.all - c.late
		case ward.InProgress:
			t.StandMoving += c.all - c.late
		case ward.Remediated:
			t.StandClaimed += c.all - c.late
		}
	}
	t.StandOverdue += c.late
}

// Tallies counts the answers to each alert in force, newest first, and to those closed too when asked.
func (tx *Tx) Tallies(ctx context.Context, scope ward.Scope, now time.Time, closed bool) ([]Tally, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, title, severity, state, issued FROM alerts WHERE state = $1 OR ($2 = 1 AND state = $3)
		ORDER BY issued DESC, id DESC`, string(ward.Published), flag(closed), string(ward.Ended))
	all, err := list(rows, err, func(rows *sql.Rows) (t Tally, err error) {
		var issued sql.NullInt64
		err = rows.Scan(&t.Alert, &t.Title, &t.Severity, &t.State, &issued)
		t.Issued = moment(issued)
		return t, err
	})
	if err != nil {
		return nil, err
	}
	at := make(map[ward.AlertID]int, len(all))
	for i, t := range all {
		at[t.Alert] = i
	}
	condition, args := within(scope, "org", 5)
	rows, err = tx.tx.QueryContext(ctx, `SELECT alert, state, exposure, exposure_now, proof, closed_as, outcome, checked, ever_overdue, (claimed IS NOT NULL), COUNT(*), COUNT(CASE WHEN due <= $1 THEN 1 END)
		FROM responses WHERE alert IN (SELECT id FROM alerts WHERE state = $2 OR ($3 = 1 AND state = $4)) AND `+condition+`
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10`, append([]any{micros(now), string(ward.Published), flag(closed), string(ward.Ended)}, args...)...)
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var alert ward.AlertID
		var c counted
		err := rows.Scan(&alert, &c.state, &c.then, &c.now, &c.proof, &c.closedAs, &c.outcome, &c.checked, &c.ever, &c.claimed, &c.all, &c.late)
		if i, known := at[alert]; known && c.closedAs != MovedAway {
			all[i].add(c)
		}
		return struct{}{}, err
	})
	return slices.DeleteFunc(all, func(t Tally) bool { return t.Asked == 0 }), err
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
