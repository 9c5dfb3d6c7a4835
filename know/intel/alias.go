package intel

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Alias joins two names of one product for every organisation, until it is undone. The identities that it touches get the
// product keys of both names and are left to match.
func (l *Library) Alias(ctx context.Context, who ward.Actor, a ward.ProductAlias) (ward.ProductAlias, error) {
	if err := who.Need(ward.MayRule); err != nil {
		return ward.ProductAlias{}, err
	}
	keys, err := aliasKeys(&a)
	if err != nil {
		return ward.ProductAlias{}, err
	}
	a.ID, a.By, a.Name, a.At, a.Undone, a.UndoneBy = rand.Text(), who.Person, who.Name, l.clock.Now(), ward.ProductAlias{}.Undone, ""
	err = l.store.Update(ctx, func(tx *store.Tx) error {
		joined, err := joined(ctx, tx)
		if err != nil {
			return err
		}
		if keys[0] == keys[1] || joined.Joined(keys[0], keys[1]) {
			return &ward.Invalid{Field: "other_product", Problem: "is known as the same product already"}
		}
		if err := tx.SaveAlias(ctx, store.KeyedAlias{ProductAlias: a, Keys: keys}); err != nil {
			return err
		}
		return l.rejoin(ctx, tx, who, keys, "intel.alias", a)
	})
	if err != nil {
		return ward.ProductAlias{}, err
	}
	return a, nil
}

// Unalias undoes an alias: from then on its two names are two products again, unless another alias joins them. Why is kept in
// the record; it may be empty.
func (l *Library) Unalias(ctx context.Context, who ward.Actor, id, why string) (undone ward.ProductAlias, err error) {
	if err := who.Need(ward.MayRule); err != nil {
		return undone, err
	}
	err = l.store.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.Aliases(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(a store.KeyedAlias) bool { return a.ID == id })
		if at < 0 {
			return ward.ErrNotFound
		}
		a := all[at]
		if !a.Undone.IsZero() {
			return fmt.Errorf("intel: alias %s was undone by %s: %w", id, a.UndoneBy, ward.ErrState)
		}
		a.Undone, a.UndoneBy = l.clock.Now(), who.Name
		if err := tx.SaveAlias(ctx, a); err != nil {
			return err
		}
		undone = a.ProductAlias
		recorded := undone
		recorded.Reason = cmp.Or(why, "no reason")
		return l.rejoin(ctx, tx, who, a.Keys, "intel.unalias", recorded)
	})
	return undone, err
}

// Aliases lists what analysts joined, oldest first; those undone are among them.
func (l *Library) Aliases(ctx context.Context) (all []ward.ProductAlias, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		kept, err := tx.Aliases(ctx)
		for _, a := range kept {
			all = append(all, a.ProductAlias)
		}
		return err
	})
	return all, err
}

// aliasKeys checks an alias and returns the keys of its names.
func aliasKeys(a *ward.ProductAlias) (keys [2]string, err error) {
	for _, field := range []struct {
		name  string
		value *string
	}{{"vendor", &a.Vendor}, {"product", &a.Product}, {"other_vendor", &a.OtherVendor}, {"other_product", &a.OtherProduct}, {"reason", &a.Reason}} {
		*field.value = strings.Join(strings.Fields(*field.value), " ")
		if *field.value == "" {
			return keys, &ward.Invalid{Field: field.name, Problem: "is empty", Hint: "name both products as inventories and publishers write them, and say why they are one"}
		}
		if len(*field.value) > 500 {
			return keys, &ward.Invalid{Field: field.name, Problem: "is longer than 500 bytes"}
		}
	}
	keys = [2]string{know.ProductKey(a.Vendor, a.Product), know.ProductKey(a.OtherVendor, a.OtherProduct)}
	for i, name := range []string{"product", "other_product"} {
		if keys[i] == "" {
			return keys, &ward.Invalid{Field: name, Problem: "has no letter or digit"}
		}
	}
	return keys, nil
}

func joined(ctx context.Context, tx *store.Tx) (know.Aliases, error) {
	pairs, err := tx.JoinedKeys(ctx)
	return know.NewAliases(pairs), err
}

// rejoin gives the identities of two names the keys that hold now, leaves them to match, and writes down who changed it.
func (l *Library) rejoin(ctx context.Context, tx *store.Tx, who ward.Actor, names [2]string, action string, a ward.ProductAlias) error {
	now, err := joined(ctx, tx)
	if err != nil {
		return err
	}
	touched, err := tx.SoftwareByKeys(ctx, now.Also(names[:]))
	if err != nil {
		return err
	}
	subjects, ids := make([]string, len(touched)), make([]ward.SoftwareID, len(touched))
	for i, sw := range touched {
		if err := tx.Repost(ctx, sw.ID, now.ProductKeys(sw)); err != nil {
			return err
		}
		ids[i], subjects[i] = sw.ID, "software:"+strconv.FormatInt(int64(sw.ID), 10)
	}
	at := l.clock.Now()
	tx.Hint("feeds", "")
	tx.Hint("queue", "")
	if err := tx.Audit(ctx, ward.AuditEntry{At: at, Person: who.Person, Name: who.Name, Action: action, Subject: a.ID,
		Detail: fmt.Sprintf("%s and %s: %s (%d identities)", ward.ProductName(a.Vendor, a.Product), ward.ProductName(a.OtherVendor, a.OtherProduct),
			cmp.Or(a.Reason, "no reason"), len(touched))}); err != nil {
		return err
	}
	if err := tx.PlaceAll(ctx, ids); err != nil { // to weaknesses of other products it is what runs beside them
		return err
	}
	return tx.Mark(ctx, store.ForMatch, at, subjects...)
}
