package feeds

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

func (s *Syncer) holds(ctx context.Context) (all map[string]ward.FeedHold, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.FeedHolds(ctx)
		return err
	})
	return all, err
}

// Release lets a list that shrank take the place of the one before, and reads it again from where it was found: a person has
// looked at why it shrank. What came of the reading is in the result.
func (s *Syncer) Release(ctx context.Context, who ward.Actor, name string) (Result, error) {
	h, err := s.decide(ctx, who, name, ward.HoldReleased)
	if err != nil {
		return Result{}, err
	}
	from := ""
	for _, source := range s.sources {
		if source.Name() == name && source.Location() != h.Location {
			from = h.Location
		}
	}
	return s.Sync(ctx, who, []string{name}, from, nil)
}

// Discard leaves what stood before a list shrank. The same smaller list again is passed over; another is held again.
func (s *Syncer) Discard(ctx context.Context, who ward.Actor, name string) error {
	_, err := s.decide(ctx, who, name, ward.HoldDiscarded)
	return err
}

// decide writes down what a person decided on a held reading.
func (s *Syncer) decide(ctx context.Context, who ward.Actor, name string, state ward.HoldState) (h ward.FeedHold, err error) {
	if err := who.Need(ward.MayFeeds); err != nil {
		return h, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		holds, err := tx.FeedHolds(ctx)
		if err != nil {
			return err
		}
		held, ok := holds[name]
		if !ok {
			return fmt.Errorf("feeds: a reading of %q that is held: %w", name, ward.ErrNotFound)
		}
		if held.State != ward.HoldWaits {
			return fmt.Errorf("feeds: the reading of %s was %s by %s: %w", name, held.State, held.By, ward.ErrState)
		}
		held.State, held.By = state, who.Name
		h = held
		if err := tx.SaveFeedHold(ctx, name, held); err != nil {
			return err
		}
		if err := forgive(ctx, tx, name, s.clock.Now()); err != nil {
			return err
		}
		tx.Hint("feeds", "")
		return tx.Audit(ctx, ward.AuditEntry{At: s.clock.Now(), Person: who.Person, Name: who.Name, Action: "feeds." + verbs[state], Subject: name,
			Detail: fmt.Sprintf("%d records where the last reading had %d", held.Records, held.Had)})
	})
	return h, err
}

var verbs = map[ward.HoldState]string{ward.HoldReleased: "release", ward.HoldDiscarded: "discard"}

// forgive takes the error off a feed about which a person has decided.
func forgive(ctx context.Context, tx *store.Tx, name string, now time.Time) error {
	all, err := tx.Feeds(ctx)
	for _, f := range all {
		if f.Name == name {
			f.Error, f.ETag, f.LastModified = "", "", ""
			if !f.NextDue.IsZero() {
				f.NextDue = now
			}
			err = errors.Join(err, tx.SaveFeed(ctx, f))
		}
	}
	return err
}

// saveHold keeps a list that shrank for a person, and forgets an older one once a list was taken.
func (r *run) saveHold(ctx context.Context, tx *store.Tx, f *FeedResult, location string) error {
	old, was := r.holds[f.Name]
	switch {
	case f.held != nil:
		h := *f.held
		h.At, h.Location = r.clock.Now(), location
		if was && old.State == ward.HoldWaits && old.Records == h.Records && old.Observed.Equal(h.Observed) {
			h.At = old.At // the same one, met again
		}
		r.holds[f.Name] = h
		return tx.SaveFeedHold(ctx, f.Name, h)
	case was && f.Error == "" && !f.Unchanged:
		delete(r.holds, f.Name)
		return tx.DropFeedHold(ctx, f.Name)
	}
	return nil
}

// discarded reports whether a person discarded this very list.
func (r *run) discarded(feed string, sum Summary) bool {
	h, ok := r.holds[feed]
	return ok && h.State == ward.HoldDiscarded && h.Records == sum.Records && h.Observed.Equal(sum.Observed)
}
