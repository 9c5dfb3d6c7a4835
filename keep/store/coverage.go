package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// SaveEventSource keeps how a source is by now. Whether it is quiet is not touched.
func (tx *Tx) SaveEventSource(ctx context.Context, s ward.EventSource) error {
	err := tx.repeat(ctx, `INSERT INTO event_sources (org, source, kind, first, last, last_event, events, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org, source, kind) DO UPDATE SET first = excluded.first, last = excluded.last, last_event = excluded.last_event, events = excluded.events, bytes = excluded.bytes`,
		string(s.Org), s.Source, string(s.Kind), s.First.UnixMicro(), s.Last.UnixMicro(), bound(s.LastEvent), s.Events, s.Bytes)
	if err != nil {
		return fmt.Errorf("store: source: %w", err)
	}
	return nil
}

// SaveSourceDay keeps how a day of a source is by now.
func (tx *Tx) SaveSourceDay(ctx context.Context, d ward.SourceDay) error {
	err := tx.repeat(ctx, `INSERT INTO source_days (org, source, kind, day, counts, gaps, bytes, dated, late, fastest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (org, source, kind, day) DO UPDATE SET counts = excluded.counts, gaps = excluded.gaps, bytes = excluded.bytes, dated = excluded.dated, late = excluded.late, fastest = excluded.fastest`,
		string(d.Org), d.Source, string(d.Kind), d.Day.UnixMicro(), joinHours(d.Counts), joinHours(d.Gaps), d.Bytes, d.Dated, d.Late.Microseconds(), d.Fastest.Microseconds())
	if err != nil {
		return fmt.Errorf("store: source: %w", err)
	}
	return nil
}

func joinHours(hours [24]int64) string {
	text := make([]byte, 0, 64)
	for i, n := range hours {
		if i > 0 {
			text = append(text, ' ')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(text)
}

func splitHours(text string) (hours [24]int64, err error) {
	at := 0
	for word := range strings.FieldsSeq(text) {
		if at == len(hours) {
			break
		}
		if hours[at], err = strconv.ParseInt(word, 10, 64); err != nil {
			return hours, fmt.Errorf("hours: %w", err)
		}
		at++
	}
	return hours, nil
}

const eventSourceColumns = `org, source, kind, first, last, last_event, events, bytes, quiet`

func scanEventSource(rows *sql.Rows) (s ward.EventSource, err error) {
	var first, last, event, quiet int64
	err = rows.Scan(&s.Org, &s.Source, &s.Kind, &first, &last, &event, &s.Events, &s.Bytes, &quiet)
	s.First, s.Last, s.LastEvent, s.Quiet = unbound(first), unbound(last), unbound(event), unbound(quiet)
	return s, err
}

// EventSources lists the sources in scope, and of each organisation first all that it sends, then its kinds, then its sources.
func (tx *Tx) EventSources(ctx context.Context, scope ward.Scope) ([]ward.EventSource, error) {
	condition, args := within(scope, "org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+eventSourceColumns+` FROM event_sources WHERE `+condition+` ORDER BY org, source, kind`, args...)
	return list(rows, err, scanEventSource)
}

// SourcesToJudge lists those that said nothing since a time, and that were there before another.
func (tx *Tx) SourcesToJudge(ctx context.Context, silentSince, knownBefore time.Time) ([]ward.EventSource, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+eventSourceColumns+` FROM event_sources WHERE quiet = 0 AND last < $1 AND first < $2 ORDER BY org, source, kind`,
		silentSince.UnixMicro(), knownBefore.UnixMicro())
	return list(rows, err, scanEventSource)
}

// SourcesThatSpeakAgain lists those that were quiet and have said something since.
func (tx *Tx) SourcesThatSpeakAgain(ctx context.Context) ([]ward.EventSource, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+eventSourceColumns+` FROM event_sources WHERE quiet > 0 AND last > quiet ORDER BY org, source, kind`)
	return list(rows, err, scanEventSource)
}

// SetQuiet says since when a source is quiet; the zero time: it speaks.
func (tx *Tx) SetQuiet(ctx context.Context, s ward.EventSource, since time.Time) error {
	_, err := tx.tx.ExecContext(ctx, `UPDATE event_sources SET quiet = $1 WHERE org = $2 AND source = $3 AND kind = $4`, bound(since), string(s.Org), s.Source, string(s.Kind))
	if err != nil {
		return fmt.Errorf("store: source: %w", err)
	}
	return nil
}

// SourceDays lists the days of an organisation's sources since one, oldest first; of one alone where it is given.
func (tx *Tx) SourceDays(ctx context.Context, org ward.OrgID, one *ward.EventSource, since time.Time) ([]ward.SourceDay, error) {
	query, args := `SELECT org, source, kind, day, counts, gaps, bytes, dated, late, fastest FROM source_days WHERE org = $1 AND day >= $2`, []any{string(org), since.UnixMicro()}
	if one != nil {
		query, args = query+` AND source = $3 AND kind = $4`, append(args, one.Source, string(one.Kind))
	}
	rows, err := tx.tx.QueryContext(ctx, query+` ORDER BY source, kind, day`, args...)
	return list(rows, err, scanSourceDay)
}

// SourceDay gives one day of every organisation's sources.
func (tx *Tx) SourceDay(ctx context.Context, day time.Time) ([]ward.SourceDay, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT org, source, kind, day, counts, gaps, bytes, dated, late, fastest FROM source_days WHERE day = $1`, day.UnixMicro())
	return list(rows, err, scanSourceDay)
}

func scanSourceDay(rows *sql.Rows) (d ward.SourceDay, err error) {
	var day, late, fastest int64
	var counts, gaps string
	err = rows.Scan(&d.Org, &d.Source, &d.Kind, &day, &counts, &gaps, &d.Bytes, &d.Dated, &late, &fastest)
	if err != nil {
		return d, err
	}
	d.Day, d.Late, d.Fastest = unbound(day), time.Duration(late)*time.Microsecond, time.Duration(fastest)*time.Microsecond
	if d.Counts, err = splitHours(counts); err == nil {
		d.Gaps, err = splitHours(gaps)
	}
	return d, err
}

// ForgetSourceDays removes the days before one.
func (tx *Tx) ForgetSourceDays(ctx context.Context, before time.Time) error {
	for _, query := range []string{`DELETE FROM source_days WHERE day < $1`, `DELETE FROM unread WHERE day < $1`, `DELETE FROM listening WHERE until < $1`} {
		if _, err := tx.tx.ExecContext(ctx, query, before.UnixMicro()); err != nil {
			return fmt.Errorf("store: source: %w", err)
		}
	}
	return nil
}

// AddDeadLetter keeps what could not be read, and counts it to its day.
func (tx *Tx) AddDeadLetter(ctx context.Context, l ward.DeadLetter) error {
	if err := tx.repeat(ctx, `INSERT INTO dead_letters (at, org, source, reason, sample, count) VALUES ($1, $2, $3, $4, $5, $6)`,
		l.At.UnixMicro(), string(l.Org), l.Source, l.Reason, l.Sample, l.Count); err != nil {
		return fmt.Errorf("store: dead letter: %w", err)
	}
	return tx.AddUnread(ctx, l.Org, l.At, l.Count)
}

// AddUnread counts what could not be read to its day.
func (tx *Tx) AddUnread(ctx context.Context, org ward.OrgID, at time.Time, count int64) error {
	if err := tx.repeat(ctx, `INSERT INTO unread (org, day, count) VALUES ($1, $2, $3) ON CONFLICT (org, day) DO UPDATE SET count = unread.count + excluded.count`,
		string(org), at.UTC().Truncate(24*time.Hour).UnixMicro(), count); err != nil {
		return fmt.Errorf("store: dead letter: %w", err)
	}
	return nil
}

// TrimDeadLetters keeps the newest of an organisation.
func (tx *Tx) TrimDeadLetters(ctx context.Context, org ward.OrgID, most int) error {
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM dead_letters WHERE org = $1 AND id <= (SELECT id FROM dead_letters WHERE org = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`, string(org), most); err != nil {
		return fmt.Errorf("store: dead letter: %w", err)
	}
	return nil
}

// DeadLetters lists what could not be read of an organisation in scope, the newest first.
func (tx *Tx) DeadLetters(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.DeadLetter, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, at, org, source, reason, sample, count FROM dead_letters WHERE org = $1 AND `+condition+` ORDER BY id DESC`, append([]any{string(org)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (l ward.DeadLetter, err error) {
		var at int64
		err = rows.Scan(&l.ID, &at, &l.Org, &l.Source, &l.Reason, &l.Sample, &l.Count)
		l.At = unbound(at)
		return l, err
	})
}

// Unread is how much could not be read of each organisation in scope since a day.
func (tx *Tx) Unread(ctx context.Context, scope ward.Scope, since time.Time) (map[ward.OrgID]int64, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT org, SUM(count) FROM unread WHERE day >= $1 AND `+condition+` GROUP BY org`, append([]any{since.UTC().Truncate(24 * time.Hour).UnixMicro()}, args...)...)
	counts := map[ward.OrgID]int64{}
	_, err = list(rows, err, func(rows *sql.Rows) (_ struct{}, err error) {
		var org ward.OrgID
		var n int64
		err = rows.Scan(&org, &n)
		counts[org] = n
		return struct{}{}, err
	})
	return counts, err
}

// Storage is what is kept of each organisation's events in scope.
func (tx *Tx) Storage(ctx context.Context, scope ward.Scope) ([]ward.Storage, error) {
	condition, args := within(scope, "org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT org, COUNT(*), SUM(rows), SUM(bytes), MIN(first), MAX(last), SUM(CASE WHEN state = 'kept' THEN 0 ELSE 1 END) FROM blocks
		WHERE state IN ('kept', 'quarantined') AND `+condition+` GROUP BY org ORDER BY org`, args...)
	return list(rows, err, func(rows *sql.Rows) (s ward.Storage, err error) {
		var first, last int64
		err = rows.Scan(&s.Org, &s.Blocks, &s.Events, &s.Bytes, &first, &last, &s.Unreadable)
		s.First, s.Last = unbound(first), unbound(last)
		return s, err
	})
}

// Listening says that events are taken in, since a time and until now.
func (tx *Tx) Listening(ctx context.Context, since, until time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO listening (since, until) VALUES ($1, $2) ON CONFLICT (since) DO UPDATE SET until = excluded.until`, since.UnixMicro(), until.UnixMicro()); err != nil {
		return fmt.Errorf("store: listening: %w", err)
	}
	return nil
}

// Listened lists the times in which events were taken in, oldest first, each a beginning and an end.
func (tx *Tx) Listened(ctx context.Context, since time.Time) ([][2]time.Time, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT since, until FROM listening WHERE until >= $1 ORDER BY since`, since.UnixMicro())
	return list(rows, err, func(rows *sql.Rows) (span [2]time.Time, err error) {
		var from, to int64
		err = rows.Scan(&from, &to)
		return [2]time.Time{unbound(from), unbound(to)}, err
	})
}

// EndDetection says when what was detected ended.
func (tx *Tx) EndDetection(ctx context.Context, org ward.OrgID, fingerprint string, at time.Time) error {
	if _, err := tx.tx.ExecContext(ctx, `UPDATE detections SET ended = $1, last = CASE WHEN last < $1 THEN $1 ELSE last END WHERE org = $2 AND fingerprint = $3 AND ended = 0`, at.UnixMicro(), string(org), fingerprint); err != nil {
		return fmt.Errorf("store: detection: %w", err)
	}
	return nil
}
