package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// DetectionQuery chooses detections. Its zero value chooses all that the scope sees.
type DetectionQuery struct {
	Org     ward.OrgID
	Since   time.Time // of which there was something new since then: an event, or that it was noticed
	Urgency int       // at most this place among the levels; 0: any (1 is critical)
	After   int64     // the detection after which the list goes on; 0: from its beginning
	Limit   int
}

// SaveDetection keeps a detection, or adds its events to those of one with the same fingerprint. urgency is the place of its level, 1 the
// most urgent.
func (tx *Tx) SaveDetection(ctx context.Context, d ward.Detection, urgency int) error {
	techniques, err := json.Marshal(d.Techniques)
	if err != nil {
		return fmt.Errorf("store: detection: %w", err)
	}
	matched, err := json.Marshal(d.Matched)
	if err != nil {
		return fmt.Errorf("store: detection: %w", err)
	}
	err = tx.repeat(ctx, `INSERT INTO detections (org, fingerprint, kind, rule, title, level, urgency, techniques, host, matched, indicator, indicated_by, count, first, last, source, record, noticed, news)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (org, fingerprint) DO UPDATE SET count = detections.count + excluded.count,
			first = CASE WHEN excluded.first < detections.first THEN excluded.first ELSE detections.first END,
			last = CASE WHEN excluded.last > detections.last THEN excluded.last ELSE detections.last END,
			news = CASE WHEN excluded.news > detections.news THEN excluded.news ELSE detections.news END`,
		string(d.Org), d.Fingerprint, d.Kind, d.Rule, d.Title, d.Level, urgency, string(techniques), d.Host, string(matched), d.Indicator, d.IndicatedBy,
		d.Count, d.First.UnixMicro(), d.Last.UnixMicro(), d.Source, d.Record, d.Noticed.UnixMicro(), max(d.Noticed.UnixMicro(), d.Last.UnixMicro()))
	if err != nil {
		return fmt.Errorf("store: detection: %w", err)
	}
	return nil
}

// Detections lists detections in scope, those with the newest news first.
func (tx *Tx) Detections(ctx context.Context, scope ward.Scope, q DetectionQuery) ([]ward.Detection, error) {
	condition, args := within(scope, "org", 10)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, org, fingerprint, kind, rule, title, level, techniques, host, matched, indicator, indicated_by, count, first, last, source, record, noticed, ended
		FROM detections WHERE ($1 = '' OR org = $2) AND ($3 = 0 OR news >= $4) AND ($5 = 0 OR urgency <= $6) AND ($7 = 0 OR (news, id) < (SELECT news, id FROM detections WHERE id = $8)) AND `+condition+`
		ORDER BY news DESC, id DESC LIMIT $9`,
		append([]any{string(q.Org), string(q.Org), bound(q.Since), bound(q.Since), q.Urgency, q.Urgency, q.After, q.After, q.Limit}, args...)...)
	return list(rows, err, scanDetection)
}

func scanDetection(rows *sql.Rows) (d ward.Detection, err error) {
	var techniques, matched string
	var first, last, noticed, ended int64
	err = rows.Scan(&d.ID, &d.Org, &d.Fingerprint, &d.Kind, &d.Rule, &d.Title, &d.Level, &techniques, &d.Host, &matched, &d.Indicator, &d.IndicatedBy, &d.Count,
		&first, &last, &d.Source, &d.Record, &noticed, &ended)
	if err != nil {
		return d, err
	}
	d.Ended = unbound(ended)
	d.First, d.Last, d.Noticed = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC(), time.UnixMicro(noticed).UTC()
	if err := json.Unmarshal([]byte(techniques), &d.Techniques); err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(matched), &d.Matched)
}

// Detection gives one detection in scope, or ward.ErrNotFound.
func (tx *Tx) Detection(ctx context.Context, scope ward.Scope, id int64) (d ward.Detection, err error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, org, fingerprint, kind, rule, title, level, techniques, host, matched, indicator, indicated_by, count, first, last, source, record, noticed, ended
		FROM detections WHERE id = $1 AND `+condition, append([]any{id}, args...)...)
	return only(list(rows, err, scanDetection))
}

// DetectionCounts is how many detections in scope had news since a time, by the place of their level.
func (tx *Tx) DetectionCounts(ctx context.Context, scope ward.Scope, since time.Time) (map[int]int, error) {
	condition, args := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT urgency, COUNT(*) FROM detections WHERE news >= $1 AND `+condition+` GROUP BY urgency`, append([]any{since.UnixMicro()}, args...)...)
	counts := map[int]int{}
	_, err = list(rows, err, func(rows *sql.Rows) (_ struct{}, err error) {
		var urgency, n int
		err = rows.Scan(&urgency, &n)
		counts[urgency] = n
		return struct{}{}, err
	})
	return counts, err
}
