package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

const deliveryColumns = `d.id, d.message, d.notice, d.kind, d.alert, d.org, d.contact, d.name, d.rung, d.channel, d.address, d.state, d.attempts, d.next_try,
	d.detail, d.receipt, d.created, d.handed, d.settled, d.used`

func deliveryFields(d *ward.Delivery, next, created, handed, settled, used *sql.NullInt64) []any {
	return []any{&d.ID, &d.Key, &d.Notice, &d.Kind, &d.Alert, &d.Org, &d.Contact, &d.Name, &d.Rung, &d.Channel, &d.To, &d.State, &d.Attempts, next,
		&d.Detail, &d.Receipt, created, handed, settled, used}
}

func scanDelivery(rows *sql.Rows) (d ward.Delivery, err error) {
	var next, created, handed, settled, used sql.NullInt64
	err = rows.Scan(deliveryFields(&d, &next, &created, &handed, &settled, &used)...)
	d.NextTry, d.Created, d.Handed, d.Settled, d.Used = moment(next), moment(created), moment(handed), moment(settled), moment(used)
	return d, err
}

const addDelivery = `INSERT INTO deliveries (message, notice, kind, alert, org, contact, name, rung, channel, address, state, attempts, next_try, opens,
		detail, receipt, created, handed, settled, used, used_by)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, $14, '', $15, NULL, $16, NULL, '') ON CONFLICT (message) DO NOTHING`

// AddDelivery keeps a message for an address, and reports whether it is new: the same key makes one delivery. It is tried
// from NextTry on; waits says that this is when the contact's hours begin.
func (tx *Tx) AddDelivery(ctx context.Context, d ward.Delivery, waits bool) (added bool, err error) {
	var opens any
	if waits {
		opens = micros(d.NextTry)
	}
	statement, err := tx.prepare(ctx, addDelivery) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return false, err
	}
	result, err := statement.ExecContext(ctx, d.Key, d.Notice, d.Kind, string(d.Alert), string(d.Org), int64(d.Contact), d.Name, string(d.Rung), string(d.Channel), d.To,
		string(d.State), micros(d.NextTry), opens, d.Detail, micros(d.Created), micros(d.Settled))
	return touched(result, err)
}

// Outgoing is a delivery with what it tells, and whom it is for in words.
type Outgoing struct {
	ward.Delivery
	Notice  ward.Notice
	OrgName string // empty for the national desk
}

// The longest times for which a delivery is ever put off, so that one that seems to be due later than that was dated by a
// clock that has been put back since, and is due.
const (
	longestRetry = 2 * time.Hour
	longestTrack = 25 * time.Hour
)

// TakeDeliveries takes up to limit deliveries of a channel that are due: those that wait to be sent are being sent from now
// on, until the lease ends; those that were handed over are asked about, and stay as they are.
func (tx *Tx) TakeDeliveries(ctx context.Context, channel ward.Channel, now time.Time, lease time.Duration, limit int) ([]Outgoing, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+`, COALESCE(o.name, ''), `+noticeColumnsOf("n")+`
		FROM deliveries d JOIN notices n ON n.id = d.notice LEFT JOIN organisations o ON o.id = d.org
		WHERE d.channel = $1 AND d.next_try IS NOT NULL AND (d.next_try <= $2
			OR ((d.opens IS NULL OR d.opens <= $2) AND (d.next_try > $3 OR (d.next_try > $4 AND d.state <> 'handed'))))
		ORDER BY d.next_try, d.id LIMIT $5`,
		string(channel), micros(now), micros(now.Add(longestTrack)), micros(now.Add(longestRetry)), limit)
	taken, err := list(rows, err, scanOutgoing)
	if err != nil {
		return nil, err
	}
	for i := range taken {
		d := &taken[i].Delivery
		if d.State == ward.DeliveryHanded {
			continue
		}
		d.Attempts++
		if err := tx.repeat(ctx, `UPDATE deliveries SET state = 'sending', attempts = $1, next_try = $2 WHERE id = $3`, d.Attempts, micros(now.Add(lease)), d.ID); err != nil {
			return nil, fmt.Errorf("store: delivery %s: %w", d.Key, err)
		}
	}
	return taken, nil
}

// noticeColumnsOf are noticeColumns of a table by its short name.
func noticeColumnsOf(table string) string {
	return table + `.id, ` + table + `.message, ` + table + `.org, ` + table + `.kind, ` + table + `.alert, ` + table + `.event, ` + table + `.urgency, ` + table + `.rung, ` +
		table + `.severity, ` + table + `.exercise, ` + table + `.asks, ` + table + `.subject, ` + table + `.body, ` + table + `.link, ` + table + `.created, ` + table + `.read_at, ` + table + `.read_by`
}

func scanOutgoing(rows *sql.Rows) (o Outgoing, err error) {
	var next, created, handed, settled, used, told, read sql.NullInt64
	d, n := &o.Delivery, &o.Notice
	fields := append(deliveryFields(d, &next, &created, &handed, &settled, &used), &o.OrgName)
	fields = append(fields, noticeFields(n, &told, &read)...)
	err = rows.Scan(fields...)
	d.NextTry, d.Created, d.Handed, d.Settled, d.Used = moment(next), moment(created), moment(handed), moment(settled), moment(used)
	n.Created, n.Read = moment(told), moment(read)
	return o, err
}

// SaveDelivery keeps what became of an attempt. What a link or a report has settled meanwhile stays settled.
func (tx *Tx) SaveDelivery(ctx context.Context, d ward.Delivery) error {
	if err := tx.repeat(ctx, `UPDATE deliveries SET state = $1, attempts = $2, next_try = $3, detail = $4, receipt = $5, handed = $6, settled = $7
		WHERE id = $8 AND settled IS NULL`,
		string(d.State), d.Attempts, micros(d.NextTry), d.Detail, d.Receipt, micros(d.Handed), micros(d.Settled), d.ID); err != nil {
		return fmt.Errorf("store: delivery %s: %w", d.Key, err)
	}
	return nil
}

// RecoverDeliveries makes what a process that has ended was sending due at once, and says how many they are.
func (tx *Tx) RecoverDeliveries(ctx context.Context, now time.Time) (int64, error) {
	result, err := tx.tx.ExecContext(ctx, `UPDATE deliveries SET next_try = $1 WHERE state = 'sending'`, micros(now))
	if err != nil {
		return 0, fmt.Errorf("store: recover deliveries: %w", err)
	}
	return result.RowsAffected()
}

// NextDelivery is when the next delivery of the channels is due, or zero.
func (tx *Tx) NextDelivery(ctx context.Context, channels []ward.Channel) (time.Time, error) {
	if len(channels) == 0 {
		return time.Time{}, nil
	}
	in, args := marks(channels, 1)
	var next sql.NullInt64
	if err := tx.tx.QueryRowContext(ctx, `SELECT MIN(next_try) FROM deliveries WHERE next_try IS NOT NULL AND channel IN (`+in+`)`, args...).Scan(&next); err != nil {
		return time.Time{}, fmt.Errorf("store: next delivery: %w", err)
	}
	return moment(next), nil
}

// Strand settles everything that waits for a channel that is not among those given: nothing can carry it.
func (tx *Tx) Strand(ctx context.Context, channels []ward.Channel, now time.Time, why string) ([]ward.Delivery, error) {
	condition, args := notAmong(channels)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.next_try IS NOT NULL AND d.state <> 'handed' AND `+condition+` ORDER BY d.id`, args...)
	stranded, err := list(rows, err, scanDelivery)
	if err != nil {
		return nil, err
	}
	for i := range stranded {
		d := &stranded[i]
		d.State, d.Detail, d.Settled, d.NextTry = ward.DeliveryFailed, why, now, time.Time{}
		if err := tx.SaveDelivery(ctx, *d); err != nil {
			return nil, err
		}
	}
	return stranded, nil
}

// Unsent lists the deliveries that wait for a contact's addresses.
func (tx *Tx) Unsent(ctx context.Context, contact ward.ContactID) ([]ward.Delivery, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.contact = $1 AND d.next_try IS NOT NULL AND d.state <> 'handed'`, int64(contact))
	return list(rows, err, scanDelivery)
}

// Delivery is one delivery, by its key.
func (tx *Tx) Delivery(ctx context.Context, scope ward.Scope, key string) (ward.Delivery, error) {
	condition, args := within(scope, "d.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.message = $1 AND `+condition, append([]any{key}, args...)...)
	return only(list(rows, err, scanDelivery))
}

// DeliveryByID is one delivery, for whoever holds its link.
func (tx *Tx) DeliveryByID(ctx context.Context, id int64) (ward.Delivery, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.id = $1`, id)
	return only(list(rows, err, scanDelivery))
}

// DeliveryQuery chooses deliveries.
type DeliveryQuery struct {
	Org     *ward.OrgID // nil: of every organisation within scope; "" is the national desk
	Alert   ward.AlertID
	Contact ward.ContactID
	State   ward.DeliveryState
	After   string
	Limit   int
}

// Deliveries lists deliveries within scope, newest first.
func (tx *Tx) Deliveries(ctx context.Context, scope ward.Scope, q DeliveryQuery) (ward.Page[ward.Delivery], error) {
	limit := pageSize(q.Limit)
	var before int64
	if q.After != "" {
		_, id, err := readCursor(q.After)
		if err != nil {
			return ward.Page[ward.Delivery]{}, err
		}
		if before, err = strconv.ParseInt(id, 10, 64); err != nil {
			return ward.Page[ward.Delivery]{}, badCursor
		}
	}
	condition, args := within(scope, "d.org", 6)
	if q.Org != nil {
		args = append(args, string(*q.Org))
		condition += fmt.Sprintf(` AND d.org = $%d`, 5+len(args))
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d
		WHERE ($1 = '' OR d.alert = $1) AND ($2 = '' OR d.state = $2) AND ($3 = 0 OR d.id < $3) AND ($4 = 0 OR d.contact = $4) AND `+condition+` ORDER BY d.id DESC LIMIT $5`,
		append([]any{string(q.Alert), string(q.State), before, int64(q.Contact), limit + 1}, args...)...)
	deliveries, err := list(rows, err, scanDelivery)
	if err != nil {
		return ward.Page[ward.Delivery]{}, err
	}
	return paged(deliveries, limit, func(d ward.Delivery) string { return cursor("", strconv.FormatInt(d.ID, 10)) }), nil
}

// DeliveriesOf lists every delivery about an alert within scope, by organisation.
func (tx *Tx) DeliveriesOf(ctx context.Context, scope ward.Scope, alert ward.AlertID) ([]ward.Delivery, error) {
	condition, args := within(scope, "d.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.alert = $1 AND `+condition+` ORDER BY d.org, d.id`, append([]any{string(alert)}, args...)...)
	return list(rows, err, scanDelivery)
}

// UseLink keeps that a delivery's link was used, and reports false where it was used before.
func (tx *Tx) UseLink(ctx context.Context, id int64, at time.Time, by string) (bool, error) {
	result, err := tx.tx.ExecContext(ctx, `UPDATE deliveries SET used = $1, used_by = $2, state = 'delivered', next_try = NULL, settled = COALESCE(settled, $1)
		WHERE id = $3 AND used IS NULL`, micros(at), by, id)
	return touched(result, err)
}

// Tested tells which contacts have a notice whose key is like the pattern: those that were sent a round's test.
func (tx *Tx) Tested(ctx context.Context, pattern string) (map[ward.ContactID]bool, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT DISTINCT d.contact FROM notices n JOIN deliveries d ON d.notice = n.id WHERE n.message LIKE $1`, pattern)
	all, err := list(rows, err, func(rows *sql.Rows) (id ward.ContactID, err error) { err = rows.Scan(&id); return id, err })
	tested := map[ward.ContactID]bool{}
	for _, id := range all {
		tested[id] = true
	}
	return tested, err
}

// AnyDelivery reports whether anything of a channel may be due.
func (tx *Tx) AnyDelivery(ctx context.Context, channel ward.Channel, now time.Time) (found bool, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deliveries WHERE channel = $1 AND next_try IS NOT NULL AND (next_try <= $2 OR next_try > $3))`,
		string(channel), micros(now), micros(now.Add(longestRetry))).Scan(&found)
	return found, err
}

// notAmong is the condition of a delivery whose channel is not among those given.
func notAmong(channels []ward.Channel) (string, []any) {
	if len(channels) == 0 {
		return "1=1", nil
	}
	in, args := marks(channels, 1)
	return `d.channel NOT IN (` + in + `)`, args
}

// DeliveriesOfNotice lists every delivery of a notice.
func (tx *Tx) DeliveriesOfNotice(ctx context.Context, notice int64) ([]ward.Delivery, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.notice = $1 ORDER BY d.id`, notice)
	return list(rows, err, scanDelivery)
}

// Traffic is what one channel took, and what waits for it.
type Traffic struct {
	Waiting int
	Tried   int    // of those, tried already
	Why     string // the last of those was not taken
	Last    time.Time
}

// Traffic counts what every channel took and what waits for it.
func (tx *Tx) Traffic(ctx context.Context) (map[ward.Channel]Traffic, error) {
	all := map[ward.Channel]Traffic{}
	rows, err := tx.tx.QueryContext(ctx, `SELECT d.channel, SUM(CASE WHEN d.state IN ($1, $2) THEN 1 ELSE 0 END), SUM(CASE WHEN d.state IN ($1, $2) AND d.attempts > 0 THEN 1 ELSE 0 END),
		MAX(d.handed), COALESCE((SELECT w.detail FROM deliveries w WHERE w.channel = d.channel AND w.state IN ($1, $2) AND w.attempts > 0 ORDER BY w.id DESC LIMIT 1), '')
		FROM deliveries d GROUP BY d.channel`, string(ward.DeliveryQueued), string(ward.DeliverySending))
	_, err = list(rows, err, func(rows *sql.Rows) (c ward.Channel, err error) {
		var t Traffic
		var last sql.NullInt64
		err = rows.Scan(&c, &t.Waiting, &t.Tried, &last, &t.Why)
		t.Last = moment(last)
		all[c] = t
		return c, err
	})
	return all, err
}

// Channels lists what the server can carry.
func (tx *Tx) Channels(ctx context.Context) ([]ward.Channel, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT name FROM channels ORDER BY name`)
	return list(rows, err, func(rows *sql.Rows) (c ward.Channel, err error) { err = rows.Scan(&c); return c, err })
}

// SetChannels keeps what the server can carry.
func (tx *Tx) SetChannels(ctx context.Context, channels []ward.Channel) error {
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM channels`); err != nil {
		return fmt.Errorf("store: channels: %w", err)
	}
	for _, c := range channels {
		if err := tx.repeat(ctx, `INSERT INTO channels (name) VALUES ($1)`, string(c)); err != nil {
			return fmt.Errorf("store: channel %s: %w", c, err)
		}
	}
	return nil
}
