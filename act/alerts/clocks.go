package alerts

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// The bounds of an alert's clocks: an hour is the least that a person can keep, a year the most that is a clock.
const (
	leastClock = time.Hour
	mostClock  = 366 * 24 * time.Hour
)

// Clocks are what an approver may change of an alert without writing its text.
type Clocks struct {
	AcknowledgeWithin time.Duration // 0: as the policy says
	UpdateEvery       time.Duration // 0: as the policy says
	RemediateBy       time.Time     // zero: by the policy, for each kind of system
	CheckRequired     bool          // ask everybody for a compromise check
	CheckWhy          string
	Why               string // needed where they differ from the policy's
}

// PolicyList lists the policies, the default first; those that are off too.
func (b *Board) PolicyList() []ward.Policy { return b.Policies.All() }

// clocked gives an alert the policy of that name (empty: the default) and its clocks where the drafter set none. An exercise
// escalates to nobody above an organisation's lead.
func (b *Board) clocked(a ward.Alert, name string, who ward.Actor) (ward.Alert, error) {
	policy := b.Policies.Named(cmp.Or(name, act.Default))
	if policy.Name == "" || policy.Off {
		problem := fmt.Sprintf("%q is not a policy", name)
		if policy.Off {
			problem = fmt.Sprintf("%q is off", name)
		}
		return a, &ward.Invalid{Field: "policy", Problem: problem, Hint: "choose one of those that are listed, or leave it out"}
	}
	if a.Exercise {
		policy = policy.ForExercise()
	}
	a.Policy = policy
	return b.timed(a, who)
}

// timed fills in the clocks that nobody set, and checks the others.
func (b *Board) timed(a ward.Alert, who ward.Actor) (ward.Alert, error) {
	a.AcknowledgeWithin = cmp.Or(a.AcknowledgeWithin, a.Policy.RespondWithin)
	a.UpdateEvery = cmp.Or(a.UpdateEvery, a.Policy.UpdateEvery)
	for _, clock := range []struct {
		field string
		d     time.Duration
	}{{"acknowledge_within", a.AcknowledgeWithin}, {"update_every", a.UpdateEvery}} {
		if clock.d < leastClock || clock.d > mostClock {
			return a, &ward.Invalid{Field: clock.field, Problem: fmt.Sprintf("%v is out of bounds", clock.d), Hint: "from an hour to a year"}
		}
	}
	a.RemediateBy = a.RemediateBy.UTC().Truncate(time.Microsecond)
	if latest := b.clock.Now().Add(mostClock); a.RemediateBy.After(latest) {
		return a, &ward.Invalid{Field: "remediate_by", Problem: act.When(a.RemediateBy) + " is out of bounds", Hint: "a year from now at the latest"}
	}
	if asPolicy(a) {
		a.ClocksWhy, a.ClocksBy = "", ""
	} else {
		a.ClocksBy = who.Name
	}
	return a, nil
}

// asPolicy reports whether an alert's clocks are its policy's.
func asPolicy(a ward.Alert) bool {
	return a.AcknowledgeWithin == a.Policy.RespondWithin && a.UpdateEvery == a.Policy.UpdateEvery && a.RemediateBy.IsZero()
}

// SetClocks changes the clocks of an alert that is not published yet. An approver who wrote none of its text does so without
// becoming a writer, and what was approved stays approved. Set by a writer they are part of the text: another approves it again.
func (b *Board) SetClocks(ctx context.Context, who ward.Actor, id ward.AlertID, version int, clocks Clocks) (ward.Alert, error) {
	if err := who.Need(ward.MayApprove); err != nil {
		return ward.Alert{}, err
	}
	why, err := act.Clean("why", clocks.Why, mostLine)
	if err != nil {
		return ward.Alert{}, err
	}
	checkWhy, err := act.Clean("check_why", clocks.CheckWhy, mostLine)
	if err != nil {
		return ward.Alert{}, err
	}
	var wrote bool
	yours := fmt.Sprintf("acknowledge within %v, update every %v: %s", clocks.AcknowledgeWithin, clocks.UpdateEvery, why)
	return b.changeAs(ctx, who, id, version, "alert.clocks", yours, &wrote, func(tx *store.Tx, a *ward.Alert) error {
		if a.State != ward.Drafted && a.State != ward.Approved {
			return fmt.Errorf("alert %s is %s, and its clocks are changed by a revision: %w", id, a.State, ward.ErrState)
		}
		if wrote, err = b.wrote(ctx, tx, who, id); err != nil {
			return err
		}
		changed := *a
		changed.AcknowledgeWithin, changed.UpdateEvery, changed.RemediateBy = clocks.AcknowledgeWithin, clocks.UpdateEvery, clocks.RemediateBy
		changed.CheckRequired, changed.CheckWhy, changed.ClocksWhy = clocks.CheckRequired, checkWhy, why
		if changed, err = b.timed(changed, who); err != nil {
			return err
		}
		if why == "" && !asPolicy(changed) {
			return &ward.Invalid{Field: "why", Problem: "is empty", Hint: "say why this alert's clocks differ from " + a.Policy.Title}
		}
		if wrote && changed.State == ward.Approved {
			changed.State, changed.Approver, changed.ApproverID, changed.ApprovedAt = ward.Drafted, "", "", time.Time{}
		}
		*a = changed
		return nil
	})
}

// inTime checks that the date of remediation can still be kept when organisations first read it.
func (b *Board) inTime(by time.Time) error {
	if !by.IsZero() && !by.After(b.clock.Now()) {
		return &ward.Invalid{Field: "remediate_by", Problem: act.When(by) + " has passed", Hint: "give a later date, or none to keep the policy's days"}
	}
	return nil
}
