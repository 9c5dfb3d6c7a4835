package store

import (
	"context"
	"database/sql"
	"fmt"

	"wardwatch/ward"
)

// KeyedAlias is an alias with the product keys of its two names.
type KeyedAlias struct {
	ward.ProductAlias
	Keys [2]string
}

// SaveAlias writes an alias, or its undoing.
func (tx *Tx) SaveAlias(ctx context.Context, a KeyedAlias) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO product_aliases (id, vendor, product, product_key, other_vendor, other_product, other_key,
		reason, by_person, by_name, at, undone, undone_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (id) DO UPDATE SET undone = excluded.undone, undone_by = excluded.undone_by`,
		a.ID, a.Vendor, a.Product, a.Keys[0], a.OtherVendor, a.OtherProduct, a.Keys[1], a.Reason, string(a.By), a.Name, micros(a.At),
		micros(a.Undone), a.UndoneBy); err != nil {
		return fmt.Errorf("store: alias %s: %w", a.ID, err)
	}
	return nil
}

// Aliases lists every alias, oldest first; those undone are among them.
func (tx *Tx) Aliases(ctx context.Context) ([]KeyedAlias, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, vendor, product, product_key, other_vendor, other_product, other_key, reason, by_person,
		by_name, at, undone, undone_by FROM product_aliases ORDER BY at, id`)
	return list(rows, err, func(rows *sql.Rows) (a KeyedAlias, err error) {
		var at, undone sql.NullInt64
		err = rows.Scan(&a.ID, &a.Vendor, &a.Product, &a.Keys[0], &a.OtherVendor, &a.OtherProduct, &a.Keys[1], &a.Reason, &a.By, &a.Name,
			&at, &undone, &a.UndoneBy)
		a.At, a.Undone = moment(at), moment(undone)
		return a, err
	})
}

// JoinedKeys lists the pairs of product keys that the aliases in force join.
func (tx *Tx) JoinedKeys(ctx context.Context) ([][2]string, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT product_key, other_key FROM product_aliases WHERE undone IS NULL ORDER BY at, id`)
	return list(rows, err, func(rows *sql.Rows) (pair [2]string, err error) {
		err = rows.Scan(&pair[0], &pair[1])
		return pair, err
	})
}

// Repost replaces the product keys by which an identity can be matched.
func (tx *Tx) Repost(ctx context.Context, id ward.SoftwareID, keys []string) error {
	err := tx.repeat(ctx, `DELETE FROM software_products WHERE software = $1`, int64(id))
	for _, key := range keys {
		if err == nil {
			err = tx.repeat(ctx, `INSERT INTO software_products (product_key, software) VALUES ($1, $2) ON CONFLICT DO NOTHING`, key, int64(id))
		}
	}
	if err != nil {
		return fmt.Errorf("store: product keys of identity %d: %w", id, err)
	}
	return nil
}
