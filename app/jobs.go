package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"wardwatch/ward"
)

// job is one row of the table of timers: a room's Due, which does everything that is due at now and says when to be asked
// next (zero: only when something changed).
type job struct {
	name string
	due  func(ctx context.Context, now time.Time) (next time.Time, err error)
}

const (
	pollEvery  = 2 * time.Second // other processes (commands on the same data directory) leave pending work unannounced
	retryAfter = time.Minute     // a job that erred is asked again then
)

// jobs is the loop that everything driven by time or by a committed change goes through: the server's, the demo's and the
// tests'. Rows run in the order of the walk, so that one pass carries a change from match to proof.
type jobs struct {
	table []job
	clock ward.Clock
	log   *slog.Logger
}

// settle runs every job once, in order, and returns the earliest time at which one wants to run again. A job that errs
// does not stop those after it; the errors are logged, and the first is returned.
func (j *jobs) settle(ctx context.Context) (next time.Time, err error) {
	now := j.clock.Now()
	for _, one := range j.table {
		when, erred := one.due(ctx, now)
		if ctx.Err() != nil {
			return time.Time{}, ctx.Err()
		}
		if erred != nil {
			j.log.Error("job erred", "job", one.name, "err", erred)
			when = now.Add(retryAfter)
			if err == nil {
				err = fmt.Errorf("app: job %s: %w", one.name, erred)
			}
		}
		if !when.IsZero() && (next.IsZero() || when.Before(next)) {
			next = when
		}
	}
	return next, err
}

// run settles until ctx ends: at once after a hint that something changed, when a job is due, and every poll for changes
// made by other processes.
func (j *jobs) run(ctx context.Context, hints <-chan ward.Hint) {
	for {
		next, _ := j.settle(ctx) // logged where it happened
		wait := pollEvery
		if until := next.Sub(j.clock.Now()); !next.IsZero() && until < wait {
			wait = max(until, 10*time.Millisecond)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case _, open := <-hints:
			timer.Stop()
			if !open {
				hints = nil // ctx is ending
			}
		case <-timer.C:
		}
	}
}
