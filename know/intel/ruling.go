package intel

import (
	"context"
	"fmt"
	"strings"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Ruling is the source of reports that hold the national desk's decisions.
const Ruling = "ruling"

// Rule keeps a ruling and makes it a report on each of its weaknesses: exact versions, for every organisation alike. It is
// the caller's transaction, with what the ruling is about.
func (l *Library) Rule(ctx context.Context, tx *store.Tx, r ward.Ruling) error {
	switch {
	case r.ID == "":
		return &ward.Invalid{Field: "id", Problem: "is empty"}
	case len(r.CVEs) == 0:
		return &ward.Invalid{Field: "cves", Problem: "is empty", Hint: "name the weaknesses that the ruling is about"}
	case strings.TrimSpace(r.Product) == "":
		return &ward.Invalid{Field: "product", Problem: "is empty", Hint: "name the product as the inventories do"}
	case len(r.Versions) == 0:
		return &ward.Invalid{Field: "versions", Problem: "is empty", Hint: "name the exact versions that the ruling is about"}
	case claimOf(r.Status) == "":
		return &ward.Invalid{Field: "status", Problem: fmt.Sprintf("%q cannot be ruled", r.Status), Hint: "affected, fixed or not_affected"}
	}
	if err := tx.SaveRuling(ctx, r); err != nil {
		return err
	}
	return l.reread(ctx, tx, r.CVEs)
}

// Unrule ends a ruling that was kept, from at on.
func (l *Library) Unrule(ctx context.Context, tx *store.Tx, r ward.Ruling) error {
	if r.Undone.IsZero() {
		r.Undone = l.clock.Now()
	}
	if err := tx.SaveRuling(ctx, r); err != nil {
		return err
	}
	return l.reread(ctx, tx, r.CVEs)
}

// Rulings lists the rulings, oldest first; with a CVE, those that name it. Those undone are among them.
func (l *Library) Rulings(ctx context.Context, cve ward.CVE) (all []ward.Ruling, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Rulings(ctx, cve)
		return err
	})
	return all, err
}

// reread makes the one report that holds every ruling that stands on each weakness. Of two on the same version the later holds.
func (l *Library) reread(ctx context.Context, tx *store.Tx, cves []ward.CVE) error {
	for _, cve := range cves {
		rulings, err := tx.Rulings(ctx, cve)
		if err != nil {
			return err
		}
		report := know.Report{CVE: cve, Source: Ruling}
		for i := len(rulings) - 1; i >= 0; i-- {
			r := rulings[i]
			if !r.Undone.IsZero() {
				continue
			}
			claim := know.Claim{Vendor: r.Vendor, Product: r.Product, Default: know.ClaimUnknown}
			for _, version := range r.Versions {
				claim.Versions = append(claim.Versions, know.Range{Version: version, Status: claimOf(r.Status)})
			}
			report.Claims = append(report.Claims, claim)
			if report.Modified.IsZero() {
				report.Modified, report.Title, report.Description = r.At, "Ruled by "+r.Name, r.Reason
			}
		}
		if len(report.Claims) == 0 {
			if err := tx.DropReport(ctx, cve, Ruling); err != nil {
				return err
			}
			continue
		}
		word, err := wordOf(report, l.clock.Now())
		if err != nil {
			return fmt.Errorf("intel: %s: %w", cve, err)
		}
		if err := tx.SaveReports(ctx, []store.Report{word}); err != nil {
			return err
		}
	}
	return l.retell(ctx, tx, cves)
}

func claimOf(status ward.Status) know.ClaimStatus {
	switch status {
	case ward.Affected:
		return know.ClaimAffected
	case ward.Fixed, ward.NotAffected:
		return know.ClaimUnaffected
	}
	return ""
}
