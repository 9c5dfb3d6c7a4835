package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"wardwatch/know"
	"wardwatch/ward"
)

// AliasNames are two names of one product, and what that rests on.
type AliasNames struct {
	Vendor, Product           string
	OtherVendor, OtherProduct string
	Reason                    string
}

// AliasRow is one joined name, for a list.
type AliasRow struct {
	ID     string `json:"id,omitempty"` // empty for the table of public facts
	Name   string `json:"name"`
	Other  string `json:"other"`
	By     string `json:"by"`
	State  string `json:"state"`
	Reason string `json:"reason"`
}

// Text prints the row for reading.
func (r AliasRow) Text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s is also known as %s (%s, by %s: %s)\n", r.ID, r.Name, r.Other, r.State, r.By, r.Reason)
}

func aliasRow(a ward.ProductAlias) AliasRow {
	row := AliasRow{ID: a.ID, Name: a.Vendor + "/" + a.Product, Other: a.OtherVendor + "/" + a.OtherProduct, By: a.Name,
		State: "since " + a.At.Format(time.DateOnly), Reason: a.Reason}
	if !a.Undone.IsZero() {
		row.State = fmt.Sprintf("undone %s by %s", a.Undone.Format(time.DateOnly), a.UndoneBy)
	}
	return row
}

// AddAlias joins two names of one product, and matches anew what it touches. Without an account it is the command line's.
func (a *App) AddAlias(ctx context.Context, email string, n AliasNames) (AliasRow, error) {
	who, err := a.reader(ctx, email)
	if err != nil {
		return AliasRow{}, err
	}
	made, err := a.Intel.Alias(ctx, who, ward.ProductAlias{Vendor: n.Vendor, Product: n.Product, OtherVendor: n.OtherVendor, OtherProduct: n.OtherProduct, Reason: n.Reason})
	return settled(ctx, a, aliasRow(made), err)
}

// UndoAlias takes two names apart again.
func (a *App) UndoAlias(ctx context.Context, email, id string) (AliasRow, error) {
	who, err := a.reader(ctx, email)
	if err != nil {
		return AliasRow{}, err
	}
	undone, err := a.Intel.Unalias(ctx, who, id, "")
	if errors.Is(err, ward.ErrNotFound) {
		return AliasRow{}, fmt.Errorf("joined name %q: %w", id, err)
	}
	return settled(ctx, a, aliasRow(undone), err)
}

// AliasRows lists what analysts joined and, with all, the table of public facts.
func (a *App) AliasRows(ctx context.Context, all bool) (rows []AliasRow, err error) {
	if all {
		for _, n := range know.OtherNames() {
			rows = append(rows, AliasRow{Name: n.Vendor + "/" + n.Product, Other: n.OtherVendor + "/" + n.OtherProduct, By: "public fact", State: "built in", Reason: n.Why})
		}
	}
	joined, err := a.Intel.Aliases(ctx)
	for _, one := range joined {
		rows = append(rows, aliasRow(one))
	}
	return rows, err
}

// DecideFeed releases or discards a list that lost more than half, and does what follows.
func (a *App) DecideFeed(ctx context.Context, name string, release bool) (FeedsResult, error) {
	if !release {
		return FeedsResult{Feeds: []FeedLoaded{}}, a.Feeds.Discard(ctx, shell, name)
	}
	synced, err := a.Feeds.Release(ctx, shell, name)
	if err != nil {
		return FeedsResult{}, err
	}
	return settled(ctx, a, loaded(synced), nil)
}
