package store

import (
	"context"
	"database/sql"
	"fmt"

	"wardwatch/ward"
)

// turn notes that what a source lists now has changed.
func (tx *Tx) turn(ctx context.Context, source ward.SourceID) error {
	if err := tx.repeat(ctx, `INSERT INTO list_turns (source, turn) VALUES ($1, 1) ON CONFLICT (source) DO UPDATE SET turn = list_turns.turn + 1`, int64(source)); err != nil {
		return fmt.Errorf("store: list of source %d: %w", source, err)
	}
	return nil
}

// turnOf notes that an organisation begins or ceases to answer for an asset, on the list of each source that has it.
func (tx *Tx) turnOf(ctx context.Context, org ward.OrgID, asset ward.AssetID, answers bool) error {
	not := ""
	if answers {
		not = "NOT "
	}
	if err := tx.repeat(ctx, `INSERT INTO list_turns (source, turn) SELECT DISTINCT p.source, 1 FROM presence p
		WHERE p.asset = $1 AND `+not+`EXISTS (SELECT 1 FROM asset_orgs o WHERE o.org = $2 AND o.asset = $1)
		ON CONFLICT (source) DO UPDATE SET turn = list_turns.turn + 1`, int64(asset), string(org)); err != nil {
		return fmt.Errorf("store: lists with asset %d: %w", asset, err)
	}
	return nil
}

// ListTurns tells how often the list of each source has changed.
func (tx *Tx) ListTurns(ctx context.Context) (map[ward.SourceID]int64, error) {
	all := map[ward.SourceID]int64{}
	rows, err := tx.tx.QueryContext(ctx, `SELECT source, turn FROM list_turns`)
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var source ward.SourceID
		var turn int64
		err := rows.Scan(&source, &turn)
		all[source] = turn
		return struct{}{}, err
	})
	return all, err
}

// ListedNow visits every identity on every asset that a source lists now.
func (tx *Tx) ListedNow(ctx context.Context, source ward.SourceID, visit func(ward.SoftwareID, ward.AssetID)) error {
	rows, err := tx.tx.QueryContext(ctx, `SELECT software, asset FROM installs WHERE source = $1 AND last_seen IS NULL`, int64(source))
	if err != nil {
		return fmt.Errorf("store: list of source %d: %w", source, err)
	}
	defer rows.Close()
	for rows.Next() {
		var software ward.SoftwareID
		var asset ward.AssetID
		if err := rows.Scan(&software, &asset); err != nil {
			return fmt.Errorf("store: list of source %d: %w", source, err)
		}
		visit(software, asset)
	}
	return rows.Err()
}

// AnsweringOn lists who answers for each asset that a source lists or listed.
func (tx *Tx) AnsweringOn(ctx context.Context, source ward.SourceID) (map[ward.AssetID][]ward.OrgID, error) {
	all := map[ward.AssetID][]ward.OrgID{}
	rows, err := tx.tx.QueryContext(ctx, `SELECT o.asset, o.org FROM (SELECT DISTINCT asset FROM presence WHERE source = $1) p
		CROSS JOIN asset_orgs o ON o.asset = p.asset ORDER BY o.asset, o.org`, int64(source))
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var asset ward.AssetID
		var org ward.OrgID
		err := rows.Scan(&asset, &org)
		all[asset] = append(all[asset], org)
		return struct{}{}, err
	})
	return all, err
}

// AffectedNow lists, ascending, the identities of which the verdict stands that a weakness affects them. It is false where
// what else an asset runs decides of any.
func (tx *Tx) AffectedNow(ctx context.Context, cve ward.CVE) (ids []ward.SoftwareID, everywhere bool, err error) {
	everywhere = true
	rows, err := tx.tx.QueryContext(ctx, `SELECT software, platform <> 0 OR waits <> 0 FROM verdicts
		WHERE cve = $1 AND until IS NULL AND (status = 'affected' OR waits <> 0) ORDER BY software`, string(cve))
	ids, err = list(rows, err, func(rows *sql.Rows) (id ward.SoftwareID, err error) {
		var some bool
		err = rows.Scan(&id, &some)
		everywhere = everywhere && !some
		return id, err
	})
	return ids, everywhere, err
}
