package duty

import (
	"context"
	"maps"
	"slices"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// sweepEvery is how often the desks forget what they decided about matters that are over.
const sweepEvery = 15 * time.Minute

// Due forgets what was decided about items that do not wait any more, and keeps in the log that somebody had them.
func (d *Desk) Due(ctx context.Context, now time.Time) (next time.Time, err error) {
	var desks []string
	err = d.store.View(ctx, func(tx *store.Tx) error {
		swept, err := tx.Stamp(ctx, "duty.swept")
		if err != nil {
			return err
		}
		if next = swept.Add(sweepEvery); now.Before(next) {
			return nil
		}
		next = now.Add(sweepEvery)
		desks, err = tx.DecidedDesks(ctx)
		return err
	})
	if err != nil || len(desks) == 0 {
		return next, err
	}
	waits := map[ward.ItemID]bool{}
	scopes := []ward.Scope{ward.Everything()}
	for _, desk := range desks {
		if desk != "" {
			scopes = append(scopes, ward.Only(ward.OrgID(desk)))
		}
	}
	for _, scope := range scopes {
		all, err := d.gather(ctx, scope)
		if err != nil {
			return time.Time{}, err
		}
		for _, i := range all {
			waits[i.ID] = true
		}
	}
	return next, d.store.Update(ctx, func(tx *store.Tx) error {
		for _, desk := range desks {
			if err := forget(ctx, tx, ward.OrgID(desk), waits, now); err != nil {
				return err
			}
		}
		return tx.SetStamp(ctx, "duty.swept", now)
	})
}

func forget(ctx context.Context, tx *store.Tx, desk ward.OrgID, waits map[ward.ItemID]bool, now time.Time) error {
	decided, err := tx.DeskItems(ctx, desk)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(decided)) {
		if waits[id] {
			continue
		}
		if err := tx.SaveDeskItem(ctx, desk, id, store.DeskItem{}); err != nil {
			return err
		}
		was := decided[id]
		detail := was.Title + ": does not wait any more"
		if was.Owner != "" {
			detail += "; " + was.OwnerName + " had it"
		}
		if err := tx.Audit(ctx, ward.AuditEntry{At: now, Name: "desk", Action: "duty.over", Subject: string(id), Org: desk, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}
