package responses

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Rule decides a disputed match, once, for every organisation alike: the exact versions are affected, fixed or not
// affected. The match believes it from then on, and the proofs follow.
func (l *Ledger) Rule(ctx context.Context, who ward.Actor, ruling ward.Ruling) (ward.Ruling, error) {
	if err := who.Need(ward.MayRule); err != nil {
		return ward.Ruling{}, err
	}
	reason, err := act.Clean("reason", ruling.Reason, mostWords)
	switch {
	case err != nil:
		return ward.Ruling{}, err
	case reason == "":
		return ward.Ruling{}, &ward.Invalid{Field: "reason", Problem: "is empty", Hint: "every organisation reads why"}
	case len(ruling.CVEs) == 0:
		return ward.Ruling{}, &ward.Invalid{Field: "cves", Problem: "is empty", Hint: "name the weaknesses that the ruling is about"}
	case ruling.Product == "":
		return ward.Ruling{}, &ward.Invalid{Field: "product", Problem: "is empty", Hint: "name the product as the alert does"}
	case len(ruling.Versions) == 0 || slices.Contains(ruling.Versions, ""):
		return ward.Ruling{}, &ward.Invalid{Field: "versions", Problem: "is empty", Hint: "name the exact versions, such as 12.4.0.2"}
	case !slices.Contains([]ward.Status{ward.Affected, ward.Fixed, ward.NotAffected}, ruling.Status):
		return ward.Ruling{}, &ward.Invalid{Field: "status", Problem: fmt.Sprintf("%q is not a ruling", ruling.Status), Hint: "one of affected, fixed, not_affected"}
	}
	ruling.Reason, ruling.By, ruling.Name, ruling.At = reason, who.Person, who.Name, l.clock.Now()
	err = l.store.Update(ctx, func(tx *store.Tx) error {
		number, err := tx.Count(ctx, "ruling", 1)
		if err != nil {
			return err
		}
		ruling.ID = fmt.Sprintf("R-%04d", number)
		if err := l.judge.Rule(ctx, tx, ruling); err != nil {
			return fmt.Errorf("ruling %s: %w", ruling.ID, err)
		}
		words := fmt.Sprintf("%s: %s %s ruled %s for every organisation: %s", ruling.ID, ruling.Product, act.Names(ruling.Versions),
			strings.ReplaceAll(string(ruling.Status), "_", " "), ruling.Reason)
		return l.settle(ctx, tx, who, ruling, "response.rule", words)
	})
	return ruling, err
}

// Unrule takes a ruling back: the match returns to what publishers say, and the proofs follow.
func (l *Ledger) Unrule(ctx context.Context, who ward.Actor, id, reason string) error {
	if err := who.Need(ward.MayRule); err != nil {
		return err
	}
	reason, err := act.Clean("reason", reason, mostWords)
	if err != nil {
		return err
	}
	return l.store.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.Rulings(ctx, "")
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(r ward.Ruling) bool { return r.ID == id })
		if at < 0 {
			return fmt.Errorf("ruling %s: %w", id, ward.ErrNotFound)
		}
		ruling := all[at]
		if !ruling.Undone.IsZero() {
			return fmt.Errorf("ruling %s was taken back at %s: %w", id, act.When(ruling.Undone), ward.ErrState)
		}
		ruling.Undone = l.clock.Now()
		if err := l.judge.Unrule(ctx, tx, ruling); err != nil {
			return fmt.Errorf("ruling %s: %w", id, err)
		}
		return l.settle(ctx, tx, who, ruling, "response.unrule", fmt.Sprintf("%s taken back: %s", id, reason))
	})
}

// Rulings lists the rulings, oldest first, those taken back too; with a CVE, those that name it.
func (l *Ledger) Rulings(ctx context.Context, cve ward.CVE) (all []ward.Ruling, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Rulings(ctx, cve)
		return err
	})
	return all, err
}

// settle writes a ruling into the history of every answer that it decides, and tells those organisations.
func (l *Ledger) settle(ctx context.Context, tx *store.Tx, who ward.Actor, ruling ward.Ruling, action, words string) error {
	alerts, err := tx.AlertsOf(ctx, ruling.CVEs)
	if err != nil {
		return err
	}
	now := l.clock.Now()
	for _, alert := range alerts {
		all, err := tx.ResponsesTo(ctx, ward.Everything(), alert.ID)
		if err != nil {
			return err
		}
		for _, r := range all {
			if !slices.ContainsFunc(r.Proof.Assets, func(s ward.Seen) bool { return slices.Contains(ruling.Versions, s.Version) }) {
				continue
			}
			c := l.take(tx, who.Name, alert, r)
			c.note(Ruled, words)
			c.notify(r.Org, "response.ruled", fmt.Sprintf("%s: the national desk decided a disputed match", alert.ID), words)
			if err := c.tell(ctx); err != nil {
				return err
			}
			if err := tx.Mark(ctx, store.ForProof, now, string(r.Org)); err != nil {
				return err
			}
		}
	}
	return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: action, Subject: ruling.ID, Detail: words})
}
