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
	Since   time.Time // whose last event is not older
	Urgency int       // at most this place among the levels; 0: any (1 is critical)
	Before  int64     // IDs below; 0: any
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
	err = tx.repeat(ctx, `INSERT INTO detections (org, fingerprint, kind, rule, title, level, urgency, techniques, host, matched, indicator, indicated_by, count, first, last, source, record, noticed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (org, fingerprint) DO UPDATE SET count = detections.count + excluded.count,
			first = CASE WHEN excluded.first < detections.first THEN excluded.first ELSE detections.first END,
			last = CASE WHEN excluded.last > detections.last THEN excluded.last ELSE detections.last END`,
		string(d.Org), d.Fingerprint, d.Kind, d.Rule, d.Title, d.Level, urgency, string(techniques), d.Host, string(matched), d.Indicator, d.IndicatedBy,
		d.Count, d.First.UnixMicro(), d.Last.UnixMicro(), d.Source, d.Record, d.Noticed.UnixMicro())
	if err != nil {
		return fmt.Errorf("store: detection: %w", err)
	}
	return nil
}

// Detections lists detections in scope, those whose last event is newest first.
func (tx *Tx) Detections(ctx context.Context, scope ward.Scope, q DetectionQuery) ([]ward.Detection, error) {
	condition, args := within(scope, "org", 10)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, org, fingerprint, kind, rule, title, level, techniques, host, matched, indicator, indicated_by, count, first, last, source, record, noticed
		FROM detections WHERE ($1 = '' OR org = $2) AND ($3 = 0 OR last >= $4) AND ($5 = 0 OR urgency <= $6) AND ($7 = 0 OR id < $8) AND `+condition+`
		ORDER BY last DESC, id DESC LIMIT $9`,
		append([]any{string(q.Org), string(q.Org), bound(q.Since), bound(q.Since), q.Urgency, q.Urgency, q.Before, q.Before, q.Limit}, args...)...)
	return list(rows, err, scanDetection)
}

func scanDetection(rows *sql.Rows) (d ward.Detection, err error) {
	var techniques, matched string
	var first, last, noticed int64
	err = rows.Scan(&d.ID, &d.Org, &d.Fingerprint, &d.Kind, &d.Rule, &d.Title, &d.Level, &techniques, &d.Host, &matched, &d.Indicator, &d.IndicatedBy, &d.Count,
		&first, &last, &d.Source, &d.Record, &noticed)
	if err != nil {
		return d, err
	}
	d.First, d.Last, d.Noticed = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC(), time.UnixMicro(noticed).UTC()
	if err := json.Unmarshal([]byte(techniques), &d.Techniques); err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(matched), &d.Matched)
}
