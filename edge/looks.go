package edge

import (
	"context"

	"wardwatch/ward"
)

// Looks keeps who at the centre looked at what an organisation runs: *estate.Register.
type Looks interface {
	Viewed(ctx context.Context, who ward.Actor, org ward.OrgID, subject string) error
}

// Looked writes down, before they are shown, that somebody saw things of organisations. Every page and route of the edge
// that shows the national watch what organisations run comes here, if not through People.Seen, which does the same for one.
func Looked[T any](ctx context.Context, looks Looks, who ward.Actor, subject string, items []T, of func(T) ward.OrgID) error {
	if !who.Scope.All() {
		return nil
	}
	seen := map[ward.OrgID]bool{}
	for _, item := range items {
		org := of(item)
		if seen[org] {
			continue
		}
		seen[org] = true
		if err := looks.Viewed(ctx, who, org, subject); err != nil {
			return err
		}
	}
	return nil
}
