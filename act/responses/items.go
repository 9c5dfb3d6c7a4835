package responses

import (
	"context"
	"fmt"
	"strings"

	"wardwatch/act"
	"wardwatch/ward"
)

// Items is what the ledger brings to a desk beside what is late, contradicted or disputed: compromise checks that the national
// desk has to take, and recurrences that nobody was paged for.
func (l *Ledger) Items(ctx context.Context, scope ward.Scope) (items []ward.Item, err error) {
	if scope.All() {
		all, err := l.Undetermined(ctx, scope)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			reason := fmt.Sprintf("%s cannot determine whether it was compromised: %s", r.Org, r.Check.Coverage)
			if r.Check.Result == ward.EvidenceFound {
				reason = fmt.Sprintf("%s found evidence of a compromise: %s", r.Org, r.Check.Coverage)
			}
			item := l.item(ward.ItemUnchecked, r, "/answers/")
			item.Since, item.Reason, item.Urgent = r.Check.At, reason, r.Check.Result == ward.EvidenceFound
			items = append(items, item)
		}
	}
	all, err := l.Recurrences(ctx, scope)
	for _, r := range all {
		path := "/organisations/"
		if scope.All() {
			path = "/answers/"
		}
		item := l.item(ward.ItemRecurrence, r, path)
		item.Since, item.Due = r.Recurrence.Since, r.Recurrence.Ends
		item.Reason = fmt.Sprintf("confirmed before, and seen affected again on %d of %d: %s; nobody is paged until %s", len(r.Recurrence.Assets), r.Recurrence.Of,
			act.Names(r.Recurrence.Assets), act.When(r.Recurrence.Ends))
		item.Mark = strings.Join(r.Recurrence.Assets, ",")
		items = append(items, item)
	}
	return items, err
}

func (l *Ledger) item(kind ward.ItemKind, r ward.Response, path string) ward.Item {
	return ward.Item{ID: ward.ItemID(fmt.Sprintf("%s:%s:%s", kind, r.Alert, r.Org)), Kind: kind, Org: r.Org, Alert: r.Alert,
		Title: fmt.Sprintf("%s: answer of %s", r.Alert, r.Org), Link: "/alerts/" + string(r.Alert) + path + string(r.Org)}
}
