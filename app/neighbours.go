package app

import (
	"context"
	"slices"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// names tells the act rooms, which do not import know, how products and versions are told apart.
type names struct{}

func (names) ProductKey(vendor, product string) string { return know.ProductKey(vendor, product) }
func (names) Branch(version string) string             { return know.Branch(version) }
func (names) Before(version, other string) bool        { return know.Compare("vendor", version, other) < 0 }

// evidence is what a claim is held against: what matching says of what sources saw, and what scanners report by themselves.
type evidence struct {
	match  *match.Matcher
	estate *estate.Register
}

// Evidence implements responses.Prover.
func (e evidence) Evidence(ctx context.Context, tx *store.Tx, org ward.OrgID, about ward.About, since time.Time) ([]ward.Seen, error) {
	seen, err := e.match.Evidence(ctx, tx, org, about, since)
	if err != nil {
		return nil, err
	}
	return e.estate.Scanned(ctx, tx, org, about, seen)
}

// records tells the board which products the reports on a weakness name, and their fixed versions.
type records struct{ library *intel.Library }

// Products implements alerts.Records: the products in the order in which reports name them, once each.
func (r records) Products(ctx context.Context, cve ward.CVE) (all []alerts.Named, err error) {
	reports, err := r.library.Reports(ctx, cve)
	if err != nil {
		return nil, err
	}
	for _, report := range reports {
		for _, claim := range report.Claims {
			if claim.Product == "" {
				continue
			}
			key := know.ProductKey(claim.Vendor, claim.Product)
			at := slices.IndexFunc(all, func(n alerts.Named) bool { return know.ProductKey(n.Vendor, n.Product) == key })
			if at < 0 {
				all, at = append(all, alerts.Named{Vendor: claim.Vendor, Product: claim.Product}), len(all)
			}
			for _, fixed := range fixedBy(claim) {
				if !slices.Contains(all[at].Fixed, fixed) {
					all[at].Fixed = append(all[at].Fixed, fixed)
				}
			}
		}
	}
	return all, nil
}

// fixedBy lists the versions from which a claim says that a product is no longer affected.
func fixedBy(claim know.Claim) (versions []string) {
	for _, v := range claim.Versions {
		switch {
		case v.Status == know.ClaimUnaffected && v.LessThan == "" && v.LessThanOrEqual == "" && v.Version != "":
			versions = append(versions, v.Version)
		case v.Status == know.ClaimAffected && v.LessThan != "" && v.LessThan != "*":
			versions = append(versions, v.LessThan)
		}
		for _, change := range v.Changes {
			if change.Status == know.ClaimUnaffected {
				versions = append(versions, change.At)
			}
		}
	}
	return versions
}
