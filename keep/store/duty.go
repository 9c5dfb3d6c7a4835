package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

// AlertInForce is what everything about a published alert shows of it.
type AlertInForce struct {
	Title    string
	Severity ward.Severity
	Exercise bool
}

// AlertsInForce is every published alert. What is read through it belongs to whoever has something about the alert.
func (tx *Tx) AlertsInForce(ctx context.Context) (map[ward.AlertID]AlertInForce, error) {
	all := map[ward.AlertID]AlertInForce{}
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, title, severity, `+inBody("body", "Exercise")+` = 1 FROM alerts WHERE state = 'published'`)
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var id ward.AlertID
		var a AlertInForce
		err := rows.Scan(&id, &a.Title, &a.Severity, &a.Exercise)
		all[id] = a
		return struct{}{}, err
	})
	return all, err
}

// toOneInForce is the condition that what a row r is about is published. (The list is made once: few of all rows are asked.)
const toOneInForce = `IN (SELECT id FROM alerts WHERE state = 'published')`

// WaitingAnswer is an answer to an alert in force that needs somebody: late, contradicted, disputed, or not checked.
type WaitingAnswer struct {
	Alert ward.AlertID
	Org   ward.OrgID
	State ward.ResponseState
	Due   time.Time     // zero when nothing is owed
	Whole ward.Response // only when it is more than late
}

// AnswersWaiting lists the answers to alerts in force that owed something by now, whose proof is contradicted or disputed, or
// that owe a compromise check.
func (tx *Tx) AnswersWaiting(ctx context.Context, scope ward.Scope, now time.Time) ([]WaitingAnswer, error) {
	condition, args := within(scope, "r.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT r.alert, r.org, r.state, r.due,
			CASE WHEN r.proof IN ('contradicted', 'disputed') OR r.checked = 'owed' THEN r.body ELSE '' END
		FROM responses r
		WHERE (r.due <= $1 OR r.proof IN ('contradicted', 'disputed') OR (r.checked = 'owed' AND r.checked <> '')) AND +r.alert `+toOneInForce+` AND `+condition+`
		ORDER BY r.alert, r.org`, append([]any{micros(now)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (w WaitingAnswer, err error) {
		var due sql.NullInt64
		var body string
		if err := rows.Scan(&w.Alert, &w.Org, &w.State, &due, &body); err != nil {
			return w, err
		}
		w.Due = moment(due)
		if body != "" {
			err = json.Unmarshal([]byte(body), &w.Whole)
		}
		return w, err
	})
}

// Unreached is an organisation that a message about an alert in force did not reach, by any address.
type Unreached struct {
	Alert ward.AlertID
	Org   ward.OrgID
	State ward.DeliveryState
	At    time.Time // when the last one was lost
}

// Unreached lists, for each alert in force, the organisations to which every message of a notice was lost, and that nothing
// reached since: no later message, and nobody who read what they were told.
func (tx *Tx) Unreached(ctx context.Context, scope ward.Scope) ([]Unreached, error) {
	condition, args := within(scope, "d.org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT d.alert, d.org, MAX(d.state), MAX(COALESCE(d.settled, d.created))
		FROM deliveries d
		WHERE d.state IN ('bounced', 'failed', 'given_up') AND d.org <> '' AND +d.alert `+toOneInForce+` AND `+condition+`
			AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.notice = d.notice AND o.state NOT IN ('bounced', 'failed', 'given_up'))
			AND NOT EXISTS (SELECT 1 FROM deliveries l WHERE l.alert = d.alert AND l.org = d.org AND l.id > d.id AND l.state IN ('handed', 'delivered'))
			AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.alert = d.alert AND n.org = d.org AND n.read_at >= d.created)
		GROUP BY d.alert, d.org ORDER BY d.alert, d.org`, args...)
	return list(rows, err, func(rows *sql.Rows) (u Unreached, err error) {
		var at sql.NullInt64
		err = rows.Scan(&u.Alert, &u.Org, &u.State, &at)
		u.At = moment(at)
		return u, err
	})
}

// UnaskedFix is an update that organisations need and no alert in force asks them for.
type UnaskedFix struct {
	Fix
	ProductKey string
	Org        ward.OrgID // when only one needs it
	Priority   ward.Priority
	CVEs       []ward.CVE
}

// UnaskedFixes lists them as far as their rank is below the bound, the most urgent first. Priority and CVEs are those of the
// most urgent finding.
func (tx *Tx) UnaskedFixes(ctx context.Context, scope ward.Scope, below string, limit int) ([]UnaskedFix, error) {
	condition, args := within(scope, "f.org", 2)
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT MIN(f.vendor), MIN(f.product), f.branch, f.fix, COUNT(*), SUM(f.assets), MIN(f.first_seen),
			MIN(f.rank || ' ' || f.id) AS worst, f.product_key, MIN(f.org)
		FROM findings f WHERE f.state = 'open' AND f.rank < $1 AND %s AND NOT EXISTS (SELECT 1 FROM finding_cves c
			CROSS JOIN alert_cves n ON n.cve = c.cve CROSS JOIN responses r ON r.alert = n.alert AND r.org = f.org
			CROSS JOIN alerts a ON a.id = n.alert AND a.state = 'published' WHERE c.finding = f.id)
		GROUP BY f.product_key, f.branch, f.fix ORDER BY worst LIMIT %d`, condition, limit), append([]any{below}, args...)...)
	var worst []ward.FindingID
	fixes, err := list(rows, err, func(rows *sql.Rows) (f UnaskedFix, err error) {
		var first sql.NullInt64
		var place string
		err = rows.Scan(&f.Vendor, &f.Product, &f.Branch, &f.Fix.Fix, &f.Orgs, &f.Assets, &first, &place, &f.ProductKey, &f.Org)
		rank, id, _ := strings.Cut(place, " ")
		f.FirstSeen, f.Rank, f.Finding = moment(first), rank, ward.FindingID(id)
		if f.Orgs > 1 {
			f.Org = ""
		}
		worst = append(worst, f.Finding)
		return f, err
	})
	if err != nil || len(fixes) == 0 {
		return nil, err
	}
	in, args := marks(worst, 1)
	rows, err = tx.tx.QueryContext(ctx, `SELECT f.id, f.priority, f.cves FROM findings f WHERE f.id IN (`+in+`)`, args...)
	said := map[ward.FindingID]UnaskedFix{}
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var id ward.FindingID
		var priority, cves string
		if err := rows.Scan(&id, &priority, &cves); err != nil {
			return struct{}{}, err
		}
		var f UnaskedFix
		err := errors.Join(json.Unmarshal([]byte(priority), &f.Priority), json.Unmarshal([]byte(cves), &f.CVEs))
		said[id] = f
		return struct{}{}, err
	})
	for i, f := range fixes {
		fixes[i].Priority, fixes[i].CVEs = said[f.Finding].Priority, said[f.Finding].CVEs
	}
	return fixes, err
}

// HeldImports lists the imports that wait for a person, oldest first.
func (tx *Tx) HeldImports(ctx context.Context, scope ward.Scope) ([]ward.Import, error) {
	condition, args := within(scope, "s.org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+importColumns+` FROM imports i JOIN sources s ON s.id = i.source
		WHERE i.state = 'held' AND `+condition+` ORDER BY i.id`, args...)
	return list(rows, err, scanImport)
}

// Expiring lists the declarations that stand and end after from, until until, the soonest first. One that was made again
// since does not stand any more.
func (tx *Tx) Expiring(ctx context.Context, scope ward.Scope, from, until time.Time) ([]ward.Declaration, error) {
	condition, args := within(scope, "d.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT d.id, d.org, d.vendor, d.product, d.answer, d.by_name, d.at, d.expires FROM declarations d
		WHERE d.expires > $1 AND d.expires <= $2 AND `+condition+` AND NOT EXISTS (SELECT 1 FROM declarations n
			WHERE n.org = d.org AND n.product_key = d.product_key AND (n.at > d.at OR (n.at = d.at AND n.id > d.id))) ORDER BY d.expires, d.id`,
		append([]any{micros(from), micros(until)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (d ward.Declaration, err error) {
		var at, expires sql.NullInt64
		err = rows.Scan(&d.ID, &d.Org, &d.Vendor, &d.Product, &d.Answer, &d.Name, &at, &expires)
		d.At, d.Expires = moment(at), moment(expires)
		return d, err
	})
}

// DeskItem is what people of a desk decided about an item.
type DeskItem struct {
	Owner     ward.PersonID
	OwnerName string
	Taken     time.Time
	Mark      string
	Aside     time.Time
	AsideBy   string
	Until     time.Time
	Words     string
	Title     string
}

const deskItemColumns = `item, owner, owner_name, taken, mark, aside, aside_by, until, words, title FROM desk_items`

func scanDeskItem(rows *sql.Rows) (id ward.ItemID, d DeskItem, err error) {
	var taken, aside, until sql.NullInt64
	err = rows.Scan(&id, &d.Owner, &d.OwnerName, &taken, &d.Mark, &aside, &d.AsideBy, &until, &d.Words, &d.Title)
	d.Taken, d.Aside, d.Until = moment(taken), moment(aside), moment(until)
	return id, d, err
}

// DeskItems is everything that a desk (an organisation, or empty for the national one) decided.
func (tx *Tx) DeskItems(ctx context.Context, desk ward.OrgID) (map[ward.ItemID]DeskItem, error) {
	all := map[ward.ItemID]DeskItem{}
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deskItemColumns+` WHERE desk = $1`, string(desk))
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		id, d, err := scanDeskItem(rows)
		all[id] = d
		return struct{}{}, err
	})
	return all, err
}

// Decided reports whether anything stands that a desk decided.
func (d DeskItem) Decided() bool { return d.Owner != "" || !d.Aside.IsZero() }

// DecidedDesks lists the desks that decided anything.
func (tx *Tx) DecidedDesks(ctx context.Context) ([]string, error) {
	return texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT desk FROM desk_items ORDER BY desk`))
}

// SaveDeskItem keeps what a desk decided about an item, or forgets it when nothing stands.
func (tx *Tx) SaveDeskItem(ctx context.Context, desk ward.OrgID, id ward.ItemID, d DeskItem) error {
	if !d.Decided() {
		if err := tx.repeat(ctx, `DELETE FROM desk_items WHERE desk = $1 AND item = $2`, string(desk), string(id)); err != nil {
			return fmt.Errorf("store: item %s: %w", id, err)
		}
		return nil
	}
	if err := tx.repeat(ctx, `INSERT INTO desk_items (desk, item, owner, owner_name, taken, mark, aside, aside_by, until, words, title)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (desk, item) DO UPDATE SET owner = excluded.owner, owner_name = excluded.owner_name, taken = excluded.taken, mark = excluded.mark,
			aside = excluded.aside, aside_by = excluded.aside_by, until = excluded.until, words = excluded.words, title = excluded.title`,
		string(desk), string(id), string(d.Owner), d.OwnerName, micros(d.Taken), d.Mark, micros(d.Aside), d.AsideBy, micros(d.Until), d.Words, d.Title); err != nil {
		return fmt.Errorf("store: item %s: %w", id, err)
	}
	return nil
}

// GiveBack leaves everything that a person has at a desk to whoever takes it next.
func (tx *Tx) GiveBack(ctx context.Context, desk ward.OrgID, person ward.PersonID) error {
	_, err := tx.tx.ExecContext(ctx, `UPDATE desk_items SET owner = '', owner_name = '', taken = NULL WHERE desk = $1 AND owner = $2`, string(desk), string(person))
	if err == nil {
		_, err = tx.tx.ExecContext(ctx, `DELETE FROM desk_items WHERE desk = $1 AND owner = '' AND aside IS NULL`, string(desk))
	}
	if err != nil {
		return fmt.Errorf("store: give back: %w", err)
	}
	return nil
}

// AddDeskNote writes a line into a desk's watch log.
func (tx *Tx) AddDeskNote(ctx context.Context, desk ward.OrgID, person ward.PersonID, e ward.LogEntry) (id string, err error) {
	var number int64
	err = tx.tx.QueryRowContext(ctx, `INSERT INTO desk_notes (desk, at, person, name, kind, item, org, alert, words)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		string(desk), micros(e.At), string(person), e.By, e.Kind, e.Subject, string(e.Org), string(e.Alert), e.Words).Scan(&number)
	if err != nil {
		return "", fmt.Errorf("store: watch log: %w", err)
	}
	return fmt.Sprintf("note-%d", number), nil
}

// LastDeskNote is when a note of a kind was last written at a desk; zero when never.
func (tx *Tx) LastDeskNote(ctx context.Context, desk ward.OrgID, kind string) (time.Time, error) {
	var at sql.NullInt64
	if err := tx.tx.QueryRowContext(ctx, `SELECT MAX(at) FROM desk_notes WHERE desk = $1 AND kind = $2`, string(desk), kind).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("store: watch log: %w", err)
	}
	return moment(at), nil
}

// LogQuery chooses lines of a desk's watch log.
type LogQuery struct {
	Desk    ward.OrgID
	Since   time.Time
	Until   time.Time // exclusive; zero: no end
	Written bool      // only what people wrote
	Actions []string  // patterns (LIKE) of the audited actions that belong in it; those of the desk itself are "duty.%"
	Limit   int
}

// WatchLog lists a desk's watch log within scope, newest first: what its people wrote, the audited actions that match, and
// what it was told. What another desk does with its own items is left out.
func (tx *Tx) WatchLog(ctx context.Context, scope ward.Scope, q LogQuery) ([]ward.LogEntry, error) {
	since, until := q.Since.UnixMicro(), int64(1)<<62
	if q.Since.IsZero() {
		since = 0
	}
	if !q.Until.IsZero() {
		until = q.Until.UnixMicro()
	}
	args := []any{string(q.Desk), since, until}
	query := `SELECT 'note' AS origin, id, at, name, kind, org, alert, item AS subject, words FROM desk_notes WHERE desk = $1 AND at >= $2 AND at < $3`
	if !q.Written {
		condition, within := within(scope, "org", len(args)+1)
		args = append(args, within...)
		patterns := []string{"1=0"}
		for _, pattern := range q.Actions {
			args = append(args, pattern)
			patterns = append(patterns, fmt.Sprintf("action LIKE $%d", len(args)))
		}
		query += ` UNION ALL SELECT 'audit', id, at, name, action, org, '', subject, detail FROM audit
				WHERE at >= $2 AND at < $3 AND ` + condition + ` AND (` + strings.Join(patterns, " OR ") + `)
					AND action NOT LIKE '%.view' AND action NOT LIKE '%.export' AND action NOT IN ('duty.note', 'duty.handover')
					AND (action NOT LIKE 'duty.%' OR org = $1)
			UNION ALL SELECT 'notice', id, created, '', kind, org, alert, alert, subject FROM notices
				WHERE org = $1 AND created >= $2 AND created < $3`
	}
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT origin, id, at, name, kind, org, alert, subject, words FROM (%s) l
		ORDER BY at DESC, origin DESC, id DESC LIMIT %d`, query, q.Limit), args...)
	return list(rows, err, func(rows *sql.Rows) (e ward.LogEntry, err error) {
		var origin string
		var id int64
		var at sql.NullInt64
		err = rows.Scan(&origin, &id, &at, &e.By, &e.Kind, &e.Org, &e.Alert, &e.Subject, &e.Words)
		e.ID, e.At, e.Written = fmt.Sprintf("%s-%d", origin, id), moment(at), origin == "note"
		return e, err
	})
}

// Moved is how many answers to an alert took one step in a time.
type Moved struct {
	Alert ward.AlertID
	Kind  string // as in a response's history: acknowledged, claimed, closed...
	Count int
}

// AnswersMoved counts the steps that answers took from since until until, by alert and kind.
func (tx *Tx) AnswersMoved(ctx context.Context, scope ward.Scope, since, until time.Time) ([]Moved, error) {
	condition, args := within(scope, "org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT alert, kind, COUNT(*) FROM response_entries WHERE at >= $1 AND at < $2 AND `+condition+`
		GROUP BY alert, kind ORDER BY alert, kind`, append([]any{since.UnixMicro(), until.UnixMicro()}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (m Moved, err error) { err = rows.Scan(&m.Alert, &m.Kind, &m.Count); return m, err })
}

// ComingDue lists what answers to alerts in force will owe after from, until until, alike things together.
func (tx *Tx) ComingDue(ctx context.Context, scope ward.Scope, from, until time.Time) ([]ward.Coming, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT r.alert, CASE WHEN r.state = 'unanswered' THEN 'acknowledgement' ELSE 'update' END AS what, MIN(r.due), COUNT(*), MIN(r.org)
		FROM responses r WHERE r.due > $1 AND r.due <= $2 AND +r.alert `+toOneInForce+` AND `+condition+`
		GROUP BY r.alert, what ORDER BY MIN(r.due), r.alert`, append([]any{micros(from), micros(until)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (c ward.Coming, err error) {
		var due sql.NullInt64
		err = rows.Scan(&c.Alert, &c.Kind, &due, &c.Count, &c.Org)
		c.At = moment(due)
		if c.Count > 1 {
			c.Org = ""
		}
		return c, err
	})
}

// Ending lists the answers to alerts in force that closed until a date (controlled, accepted, with assets left) which comes
// after from, until until.
func (tx *Tx) Ending(ctx context.Context, scope ward.Scope, from, until time.Time) ([]ward.Coming, error) {
	condition, args := within(scope, "r.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT r.alert, r.org, r.until FROM responses r
		WHERE r.until > $1 AND r.until <= $2 AND +r.alert `+toOneInForce+` AND `+condition+` ORDER BY r.until, r.alert, r.org`,
		append([]any{micros(from), micros(until)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (c ward.Coming, err error) {
		var ends sql.NullInt64
		err = rows.Scan(&c.Alert, &c.Org, &ends)
		c.At, c.Kind, c.Count = moment(ends), "review", 1
		return c, err
	})
}

// AlertsSaying lists the alerts within scope whose ID, title, summary, steps or weaknesses hold every one of the words
// (LIKE patterns of lower case), newest first.
func (tx *Tx) AlertsSaying(ctx context.Context, scope ward.Scope, words []string, limit int) ([]ward.Alert, error) {
	condition, args := alertsSeen(scope, 1)
	said := "lower(a.id || ' ' || a.title"
	for _, key := range []string{"Summary", "Vendor", "Product", "CVEs", "Platforms", "Steps"} {
		said += " || ' ' || " + inBody("a.body", key)
	}
	said += ")"
	for _, word := range words {
		args = append(args, containing(word))
		condition += fmt.Sprintf(` AND %s LIKE $%d ESCAPE '\'`, said, len(args))
	}
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT a.body FROM alerts a WHERE %s ORDER BY COALESCE(a.issued, a.created) DESC, a.id DESC LIMIT %d`, condition, limit), args...)
	return list(rows, err, scanAlert)
}

// OrganisationsSaying lists the organisations whose code, name, town or postcode hold every one of the words.
func (tx *Tx) OrganisationsSaying(ctx context.Context, scope ward.Scope, words []string, limit int) ([]ward.Organisation, error) {
	condition, args := within(scope, "id", 1)
	for _, word := range words {
		args = append(args, containing(word))
		condition += fmt.Sprintf(` AND lower(id || ' ' || name || ' ' || town || ' ' || postcode) LIKE $%d ESCAPE '\'`, len(args))
	}
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT id, name, town FROM organisations WHERE %s ORDER BY name, id LIMIT %d`, condition, limit), args...)
	return list(rows, err, func(rows *sql.Rows) (o ward.Organisation, err error) {
		err = rows.Scan(&o.ID, &o.Name, &o.Town)
		return o, err
	})
}

// Views lists what a person saved and what others shared with the person's desk, by title.
func (tx *Tx) Views(ctx context.Context, desk ward.OrgID, person ward.PersonID) ([]ward.SavedView, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, desk, person, name, title, path, query, shared, at FROM saved_views
		WHERE person = $1 OR (desk = $2 AND shared = 1) ORDER BY title, id`, string(person), string(desk))
	return list(rows, err, func(rows *sql.Rows) (v ward.SavedView, err error) {
		var at sql.NullInt64
		err = rows.Scan(&v.ID, &v.Desk, &v.Person, &v.Name, &v.Title, &v.Path, &v.Query, &v.Shared, &at)
		v.At = moment(at)
		return v, err
	})
}

// SaveView keeps a view; one that the person gave the same title before is replaced.
func (tx *Tx) SaveView(ctx context.Context, v ward.SavedView) (id int64, err error) {
	err = tx.tx.QueryRowContext(ctx, `INSERT INTO saved_views (desk, person, name, title, path, query, shared, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (person, title) DO UPDATE SET desk = excluded.desk, name = excluded.name, path = excluded.path, query = excluded.query,
			shared = excluded.shared, at = excluded.at RETURNING id`,
		string(v.Desk), string(v.Person), v.Name, v.Title, v.Path, v.Query, flag(v.Shared), micros(v.At)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("store: view: %w", err)
	}
	return id, nil
}

// DropView forgets a view of a person.
func (tx *Tx) DropView(ctx context.Context, person ward.PersonID, id int64) error {
	result, err := tx.tx.ExecContext(ctx, `DELETE FROM saved_views WHERE id = $1 AND person = $2`, id, string(person))
	if err != nil {
		return fmt.Errorf("store: view %d: %w", id, err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("view %d: %w", id, ward.ErrNotFound)
	}
	return nil
}
