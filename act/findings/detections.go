package findings

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// DetectionQuery chooses detections. Its zero value chooses all that the scope sees.
type DetectionQuery = store.DetectionQuery

// Levels are the levels of detections, the most urgent first.
var Levels = []string{"critical", "high", "medium", "low", "informational"}

// Urgency is the place of a level among Levels, 1 for the first; one that nobody knows comes after all.
func Urgency(level string) int {
	if at := slices.Index(Levels, strings.ToLower(level)); at >= 0 {
		return at + 1
	}
	return len(Levels) + 1
}

// mostDetections is how many are listed at once when nobody says how many.
const mostDetections = 500

// Detect keeps what was seen, in the transaction in which the reader says how far it has read: a repeat of the reading adds nothing.
func (d *Desk) Detect(ctx context.Context, tx *store.Tx, seen []ward.Detection) error {
	for _, one := range seen {
		if err := tx.SaveDetection(ctx, one, Urgency(one.Level)); err != nil {
			return fmt.Errorf("findings: %w", err)
		}
		tx.Hint("detections", one.Org)
	}
	return nil
}

// Detections lists what was seen, the newest first.
func (d *Desk) Detections(ctx context.Context, scope ward.Scope, q DetectionQuery) (all []ward.Detection, err error) {
	if q.Limit <= 0 {
		q.Limit = mostDetections
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Detections(ctx, scope, q)
		return err
	})
	return all, err
}

// Detection gives one detection. Outside the scope it is ward.ErrNotFound.
func (d *Desk) Detection(ctx context.Context, scope ward.Scope, id int64) (one ward.Detection, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		one, err = tx.Detection(ctx, scope, id)
		return err
	})
	return one, err
}

// DetectionCounts is how many detections there was news of since a time, by the place of their level among Levels, 1 for the first.
func (d *Desk) DetectionCounts(ctx context.Context, scope ward.Scope, since time.Time) (counts map[int]int, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		counts, err = tx.DetectionCounts(ctx, scope, since)
		return err
	})
	return counts, err
}

// UrgentDetections lists what is critical or high and of which there was news since a time, the newest first.
func (d *Desk) UrgentDetections(ctx context.Context, scope ward.Scope, since time.Time) ([]ward.Detection, error) {
	return d.Detections(ctx, scope, DetectionQuery{Since: since, Urgency: Urgency("high")})
}
