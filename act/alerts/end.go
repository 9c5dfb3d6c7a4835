package alerts

import (
	"context"
	"fmt"
	"slices"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Close ends an alert that is done with: nothing more is owed to it, and its answers stay readable.
func (b *Board) Close(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error) {
	if err := who.Need(ward.MayApprove); err != nil {
		return ward.Alert{}, err
	}
	return b.change(ctx, who, id, version, "alert.close", "closed", false, func(tx *store.Tx, a *ward.Alert) error {
		if a.State != ward.Published {
			return fmt.Errorf("alert %s is %s: %w", id, a.State, ward.ErrState)
		}
		a.State, a.Closed = ward.Ended, b.clock.Now()
		return tx.DropRevision(ctx, id)
	})
}

// Withdraw ends an alert that should not have been published or does not hold any more. Everybody who was told of it is
// told, its open answers lapse, and the reason stays on its page. Done by another than who published it alone, it is the
// second person's word on it.
func (b *Board) Withdraw(ctx context.Context, who ward.Actor, id ward.AlertID, version int, reason string) (ward.Alert, error) {
	if err := who.Need(ward.MayApprove); err != nil {
		return ward.Alert{}, err
	}
	reason, err := act.Clean("reason", reason, mostLine)
	if err != nil {
		return ward.Alert{}, err
	}
	if reason == "" {
		return ward.Alert{}, &ward.Invalid{Field: "reason", Problem: "is empty", Hint: "say why it is withdrawn: every organisation that was told reads it"}
	}
	return b.change(ctx, who, id, version, "alert.withdraw", "withdrawn: "+reason, false, func(tx *store.Tx, a *ward.Alert) error {
		if a.State != ward.Published {
			return fmt.Errorf("alert %s is %s: %w", id, a.State, ward.ErrState)
		}
		now := b.clock.Now()
		a.State, a.Closed, a.EndWhy = ward.Withdrawn, now, reason
		if a.Emergency.Owed() && writer(who) != a.Emergency.ByID {
			a.Emergency.SecondBy, a.Emergency.SecondID, a.Emergency.SecondAt, a.Emergency.Withdrawn = who.Name, writer(who), now, true
			if err := tx.SettleCountersign(ctx, id); err != nil {
				return err
			}
		}
		return b.lapse(ctx, tx, *a, func(to Audience) error { return b.tell(ctx, tx, *a, to, withdrawn, withdrawn) })
	})
}

// lapse ends the open answers to an alert that ended before it was done with, and says so to whom it went.
func (b *Board) lapse(ctx context.Context, tx *store.Tx, a ward.Alert, tell func(Audience) error) error {
	if err := tx.DropRevision(ctx, a.ID); err != nil {
		return err
	}
	to, err := tx.AlertAudience(ctx, ward.Everything(), a.ID)
	if err != nil {
		return err
	}
	if err := b.Answers.Lapse(ctx, tx, a); err != nil {
		return fmt.Errorf("responses to %s: %w", a.ID, err)
	}
	return tell(to)
}

// supersedable says why an alert cannot take the place of the one that it names.
func (b *Board) supersedable(ctx context.Context, tx *store.Tx, a ward.Alert) error {
	if a.Supersedes == "" {
		return nil
	}
	bad := func(problem, hint string) error {
		return &ward.Invalid{Field: "supersedes", Problem: problem, Hint: hint}
	}
	old, err := tx.Alert(ctx, ward.Everything(), a.Supersedes)
	switch {
	case err != nil:
		return bad(fmt.Sprintf("there is no alert %q", a.Supersedes), "give the threat ID of an alert in force")
	case old.ID == a.ID:
		return bad("is the alert itself", "give the threat ID of another")
	case old.SupersededBy != "":
		return bad(fmt.Sprintf("%s took the place of %s already", old.SupersededBy, old.ID), "supersede "+string(old.SupersededBy))
	case old.State != ward.Published:
		return bad(fmt.Sprintf("%s is %s", old.ID, old.State), "only an alert in force is superseded")
	case old.Exercise != a.Exercise:
		return bad(fmt.Sprintf("only one of %s and this alert is an exercise", old.ID), "an exercise takes the place of an exercise only")
	}
	return nil
}

// supersede ends the alert whose place a published one takes. Organisations that the newer alert goes to hear of it there,
// the others by a notice of their own.
func (b *Board) supersede(ctx context.Context, tx *store.Tx, who ward.Actor, by ward.Alert, asked, informed []ward.OrgID) error {
	if by.Supersedes == "" {
		return nil
	}
	if err := b.supersedable(ctx, tx, by); err != nil {
		return err
	}
	old, err := tx.Alert(ctx, ward.Everything(), by.Supersedes)
	if err != nil {
		return err
	}
	old.State, old.Closed, old.SupersededBy, old.EndWhy = ward.Superseded, b.clock.Now(), by.ID, fmt.Sprintf("%s takes its place", by.ID)
	old.Version++
	if err := b.keep(ctx, tx, who, old, "alert.supersede", false); err != nil {
		return err
	}
	heard := func(org ward.OrgID) bool { return slices.Contains(asked, org) || slices.Contains(informed, org) }
	return b.lapse(ctx, tx, old, func(to Audience) error {
		to.Respond, to.Inform = slices.DeleteFunc(to.Respond, heard), slices.DeleteFunc(to.Inform, heard)
		return b.tell(ctx, tx, old, to, replaced, replaced)
	})
}
