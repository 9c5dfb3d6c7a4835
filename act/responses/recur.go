package responses

import (
	"context"
	"slices"

	"wardwatch/ward"
)

// recurrence is what became of something that evidence had confirmed.
type recurrence int

const (
	asBefore  recurrence = iota // nothing new
	tolerated                   // it is seen affected again, on few assets and not for long: the queue has it, nobody is paged
	tooMuch                     // on too many, for too long, or where it can be reached while it is exploited
)

// recurs compares a contradiction of what was confirmed with what the alert's policy tolerates.
func (c *answering) recurs(ctx context.Context, proof ward.Proof, found weighed) (recurrence, error) {
	known := c.r.Recurrence
	if proof.Result != ward.Contradicted || c.r.ConfirmedAt.IsZero() {
		c.r.Recurrence = ward.Recurrence{}
		return asBefore, nil
	}
	if c.r.Proof.Result == ward.Contradicted && known.Since.IsZero() {
		return asBefore, nil // it was told
	}
	now := ward.Recurrence{Since: known.Since, Ends: known.Ends, Assets: found.refuted, Of: found.of}
	if now.Since.IsZero() {
		now.Since, now.Ends = c.now, c.now.Add(c.alert.Policy.Tolerance.Within)
	}
	within, err := c.tolerates(ctx, now, found.ids)
	switch {
	case err != nil:
		return asBefore, err
	case !within:
		c.r.Recurrence = ward.Recurrence{}
		return tooMuch, nil
	}
	c.r.Recurrence = now
	if known.Since.IsZero() || !slices.Equal(known.Assets, now.Assets) {
		return tolerated, nil
	}
	return asBefore, nil
}

// tolerates reports whether a recurrence is small and young enough: never all that was in question, and nothing that can be
// reached while it is exploited.
func (c *answering) tolerates(ctx context.Context, r ward.Recurrence, ids []ward.AssetID) (bool, error) {
	most := c.alert.Policy.Tolerance.Share * float64(r.Of)
	if c.alert.Policy.Tolerance.Share > 0 {
		most = max(1, most)
	}
	if n := len(r.Assets); n >= r.Of || float64(n) > most || !c.now.Before(r.Ends) {
		return false, nil
	}
	reached, err := c.reachedAssets(ctx)
	if err != nil {
		return false, err
	}
	for _, a := range reached {
		if slices.Contains(ids, a.Asset) {
			return false, nil
		}
	}
	return true, nil
}

// Recurrences lists the answers with a recurrence that is tolerated for now, the first seen first.
func (l *Ledger) Recurrences(ctx context.Context, scope ward.Scope) ([]ward.Response, error) {
	all, err := l.contradicted(ctx, scope)
	all = slices.DeleteFunc(all, func(r ward.Response) bool { return r.Recurrence.Since.IsZero() })
	slices.SortStableFunc(all, func(a, b ward.Response) int { return a.Recurrence.Since.Compare(b.Recurrence.Since) })
	return all, err
}

// Contradicted lists the answers that newer evidence contradicts, but for what is tolerated.
func (l *Ledger) Contradicted(ctx context.Context, scope ward.Scope) ([]ward.Response, error) {
	all, err := l.contradicted(ctx, scope)
	return slices.DeleteFunc(all, func(r ward.Response) bool { return !r.Recurrence.Since.IsZero() }), err
}
