package estate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// MergeQuery chooses merges.
type MergeQuery = store.MergeQuery

// Merges lists which assets are, were or may be one device, within scope.
func (r *Register) Merges(ctx context.Context, scope ward.Scope, q MergeQuery) (ward.Page[ward.Merge], error) {
	if q.Org != "" && !scope.Sees(q.Org) {
		return ward.Page[ward.Merge]{}, ward.ErrNotFound
	}
	return view(ctx, r, func(tx *store.Tx) (ward.Page[ward.Merge], error) { return tx.Merges(ctx, scope, q) })
}

// Merge says by a person's word that two assets are one device.
func (r *Register) Merge(ctx context.Context, who ward.Actor, one, two ward.AssetID, reason string) (m ward.Merge, err error) {
	reason = Clean(reason)
	if reason == "" || len(reason) > mostText {
		return m, &ward.Invalid{Field: "reason", Problem: "is empty or too long", Hint: "say by what the two were found to be one"}
	}
	return r.decide(ctx, who, func(tx *store.Tx) (m ward.Merge, d *devices, err error) {
		first, err := tx.Asset(ctx, who.Scope, one)
		if err != nil {
			return m, nil, err
		}
		second, err := tx.Asset(ctx, who.Scope, two)
		if err != nil {
			return m, nil, err
		}
		switch {
		case first.ID == second.ID:
			return m, nil, &ward.Invalid{Problem: "is one asset already"}
		case first.Operator != second.Operator:
			return m, nil, &ward.Invalid{Problem: fmt.Sprintf("%s and %s operate them: one device has one operator", first.Operator, second.Operator)}
		}
		if d, err = load(ctx, tx, first.Operator); err != nil {
			return m, nil, err
		}
		m, _ = d.earlier(d.under(first.ID), d.under(second.ID))
		m = ward.Merge{ID: m.ID, Operator: first.Operator, Kept: first.ID, Merged: second.ID, Rule: ward.ByPerson, Why: reason, At: r.clock.Now(), By: who.Name}
		m, err = r.join(ctx, tx, who, d, m)
		return m, d, err
	})
}

// Accept merges what a rule proposed.
func (r *Register) Accept(ctx context.Context, who ward.Actor, id int64) (ward.Merge, error) {
	return r.decide(ctx, who, func(tx *store.Tx) (ward.Merge, *devices, error) {
		m, d, err := r.standing(ctx, tx, who, id, ward.MergeProposed)
		if err != nil {
			return m, d, err
		}
		m.DecidedAt, m.DecidedBy = r.clock.Now(), who.Name
		m, err = r.join(ctx, tx, who, d, m)
		return m, d, err
	})
}

// Refuse says that two assets are two: no rule proposes or merges them again.
func (r *Register) Refuse(ctx context.Context, who ward.Actor, id int64, reason string) (ward.Merge, error) {
	return r.decide(ctx, who, func(tx *store.Tx) (ward.Merge, *devices, error) {
		m, d, err := r.standing(ctx, tx, who, id, ward.MergeProposed)
		if err != nil {
			return m, d, err
		}
		m.State, m.DecidedAt, m.DecidedBy, m.Reason = ward.MergeRefused, r.clock.Now(), who.Name, short(Clean(reason))
		_, err = tx.SaveMerge(ctx, m, nil)
		return m, d, err
	})
}

// Unmerge makes two assets of one again, each with all that its sources saw of it, before the merge and since.
func (r *Register) Unmerge(ctx context.Context, who ward.Actor, id int64, reason string) (ward.Merge, error) {
	return r.decide(ctx, who, func(tx *store.Tx) (ward.Merge, *devices, error) {
		m, d, err := r.standing(ctx, tx, who, id, ward.MergeActive)
		if err != nil {
			return m, d, err
		}
		m, err = d.split(ctx, tx, m, who.Name, short(Clean(reason)), r.clock.Now())
		return m, d, err
	})
}

// standing finds a merge that stands as it must for a decision, with its operator's devices.
func (r *Register) standing(ctx context.Context, tx *store.Tx, who ward.Actor, id int64, state ward.MergeState) (ward.Merge, *devices, error) {
	m, err := tx.Merge(ctx, who.Scope, id)
	if err != nil {
		return m, nil, err
	}
	if m.State != state {
		return m, nil, fmt.Errorf("merge %d is %s: %w", id, m.State, ward.ErrState)
	}
	d, err := load(ctx, tx, m.Operator)
	return m, d, err
}

// join merges on a person's word.
func (r *Register) join(ctx context.Context, tx *store.Tx, who ward.Actor, d *devices, m ward.Merge) (ward.Merge, error) {
	one, two := d.root(m.Kept), d.root(m.Merged)
	if one == two {
		return m, fmt.Errorf("they are one already: %w", ward.ErrState)
	}
	if source, err := tx.ListedTogether(ctx, one, two); err != nil || source != "" {
		if err != nil {
			return m, err
		}
		return m, &ward.Invalid{Problem: source + " lists or listed both at the same time", Hint: "a source tells its own devices apart"}
	}
	kept, merged, err := elder(ctx, tx, one, two)
	if err != nil {
		return m, err
	}
	answers, err := tx.Answerers(ctx, merged.ID)
	if err != nil {
		return m, err
	}
	keeps, err := tx.Answerers(ctx, kept.ID)
	if err != nil {
		return m, err
	}
	if !slices.Equal(accountable(answers), accountable(keeps)) && !who.Scope.Sees(d.operator) {
		return m, &ward.Invalid{Problem: "answers for them is not the same", Field: "who", Hint: "who operates them decides"}
	}
	m.Kept, m.Merged, m.KeptName, m.MergedName = kept.ID, merged.ID, kept.Name, merged.Name
	return d.merge(ctx, tx, m, kept.Key, answers)
}

// decide carries out a person's decision on a merge, and leaves the work that it makes.
func (r *Register) decide(ctx context.Context, who ward.Actor, do func(*store.Tx) (ward.Merge, *devices, error)) (m ward.Merge, err error) {
	if err := who.Need(ward.MayRelease); err != nil {
		return m, err
	}
	err = r.store.Update(ctx, func(tx *store.Tx) error {
		var d *devices
		if m, d, err = do(tx); err != nil {
			return err
		}
		var orgs []string
		for _, id := range []ward.AssetID{d.root(m.Kept), d.root(m.Merged)} {
			described, err := tx.DescribeAsset(ctx, id)
			if err != nil {
				return err
			}
			if err := describe(ctx, tx, described); err != nil {
				return err
			}
			answers, err := tx.Answerers(ctx, id)
			if err != nil {
				return err
			}
			for _, one := range answers {
				orgs = joined(orgs, []string{string(one.Org)})
			}
		}
		if err := r.touch(ctx, tx, orgs); err != nil {
			return err
		}
		action := map[ward.MergeState]string{ward.MergeActive: "estate.merge", ward.MergeRefused: "estate.refuse", ward.MergeUndone: "estate.unmerge"}[m.State]
		return audit(ctx, tx, who, r.clock.Now(), action, fmt.Sprintf("%s/merge/%d", m.Operator, m.ID), m.Operator, "assets %d and %d: %s", m.Kept, m.Merged,
			strings.Join(slices.DeleteFunc([]string{m.Why, m.Reason}, func(text string) bool { return text == "" }), "; "))
	})
	if err != nil {
		return m, fmt.Errorf("estate: merge: %w", err)
	}
	return m, nil
}
