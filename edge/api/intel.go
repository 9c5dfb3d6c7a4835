package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/know/match"
	"wardwatch/ward"
)

// Alias is two names of one product, as somebody of the national desk joined them.
type Alias struct {
	ID           string    `json:"id"`
	Vendor       string    `json:"vendor"`
	Product      string    `json:"product"`
	OtherVendor  string    `json:"other_vendor"`
	OtherProduct string    `json:"other_product"`
	Reason       string    `json:"reason"`
	By           string    `json:"by"`
	At           time.Time `json:"at"`
	Undone       time.Time `json:"undone,omitzero"`
	UndoneBy     string    `json:"undone_by,omitempty"`
}

func aliasOf(a ward.ProductAlias) Alias {
	return Alias{a.ID, a.Vendor, a.Product, a.OtherVendor, a.OtherProduct, a.Reason, a.Name, a.At, a.Undone, a.UndoneBy}
}

func (a *API) aliases() {
	l := a.rooms.Library
	route(a, http.MethodGet, "/aliases", "vulnerabilities", "List the product names that the national desk joined, oldest first",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Alias], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			items, err := l.Aliases(ctx)
			page, err := part(items, err, in.Paging)
			return listed(page, err, aliasOf)
		})
	route(a, http.MethodPost, "/aliases", "vulnerabilities", "Say that two names are one product, for every organisation alike",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				Vendor       string `json:"vendor" minLength:"1" maxLength:"500"`
				Product      string `json:"product" minLength:"1" maxLength:"500"`
				OtherVendor  string `json:"other_vendor" minLength:"1" maxLength:"500"`
				OtherProduct string `json:"other_product" minLength:"1" maxLength:"500"`
				Reason       string `json:"reason" minLength:"1" maxLength:"500" doc:"what it rests on"`
			}
		}) (*One[Alias], error) {
			b := in.Body
			item, err := l.Alias(ctx, who, ward.ProductAlias{Vendor: b.Vendor, Product: b.Product, OtherVendor: b.OtherVendor, OtherProduct: b.OtherProduct, Reason: b.Reason})
			return one(item, err, aliasOf)
		}, created)
	route(a, http.MethodPost, "/aliases/{alias}/undo", "vulnerabilities", "Take back that two names are one product",
		func(ctx context.Context, who ward.Actor, in *struct {
			Alias  string `path:"alias" maxLength:"100"`
			Reason string `query:"reason" maxLength:"500" doc:"why, for the record"`
		}) (*One[Alias], error) {
			item, err := l.Unalias(ctx, who, in.Alias, in.Reason)
			return one(item, err, aliasOf)
		})
}

// VerdictChange is a verdict that became another.
type VerdictChange struct {
	At           time.Time   `json:"at"`
	CVE          ward.CVE    `json:"cve"`
	Software     string      `json:"software"`
	Was          ward.Status `json:"was"`
	WasSource    string      `json:"was_source"`
	Became       ward.Status `json:"became,omitempty" doc:"left out when no source speaks of it any more"`
	BecameSource string      `json:"became_source,omitempty"`
	Words        string      `json:"words"`
}

func changeOf(c ward.VerdictChange) VerdictChange {
	return VerdictChange{c.At, c.CVE, c.Software.String(), c.Was, c.WasSource, c.Became, c.BecameSource, c.Words}
}

func (a *API) changes() {
	route(a, http.MethodGet, "/changes", "vulnerabilities", "List verdicts that became others, newest first: what changed, and which source did it",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			CVE string `query:"cve" maxLength:"30"`
			Org string `query:"org" maxLength:"20" doc:"on what its assets run or ran"`
		}) (*Listed[VerdictChange], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			page, err := a.rooms.Matches.Changes(ctx, who.Scope, match.ChangeQuery{CVE: cveOf(in.CVE), Org: orgOf(in.Org), After: in.After, Limit: in.Limit})
			return listed(page, err, changeOf)
		})
}

func (a *API) holds() {
	f := a.rooms.Feeds
	route(a, http.MethodPost, "/feeds/{feed}/release", "feeds", "Let a list that shrank take the place of the one before, and read it again",
		func(ctx context.Context, who ward.Actor, in *struct {
			Feed string `path:"feed" maxLength:"50"`
		}) (*One[Synced], error) {
			result, err := f.Release(ctx, who, in.Feed)
			return one(result, err, syncedOf)
		})
	route(a, http.MethodPost, "/feeds/{feed}/discard", "feeds", "Leave what stood before a list shrank",
		func(ctx context.Context, who ward.Actor, in *struct {
			Feed string `path:"feed" maxLength:"50"`
		}) (*Done, error) {
			return &Done{}, f.Discard(ctx, who, in.Feed)
		}, func(op *huma.Operation) { op.DefaultStatus = http.StatusNoContent })
}
