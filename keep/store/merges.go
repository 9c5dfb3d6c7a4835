package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// Identifier is one mark by which a source knows a device.
type Identifier struct {
	Asset ward.AssetID // as the source named it, before any merge
	Kind  string
	Value string
}

// SourceIdentifiers is what a source last gave of each asset that it ever named.
func (tx *Tx) SourceIdentifiers(ctx context.Context, source ward.SourceID) ([]Identifier, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT asset, kind, value FROM identifiers WHERE source = $1 ORDER BY asset, kind, value`, int64(source))
	return list(rows, err, scanIdentifier)
}

// SourceIdentifiersOf is SourceIdentifiers of one asset.
func (tx *Tx) SourceIdentifiersOf(ctx context.Context, source ward.SourceID, asset ward.AssetID) ([]Identifier, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT asset, kind, value FROM identifiers WHERE source = $1 AND asset = $2 ORDER BY kind, value`, int64(source), int64(asset))
	return list(rows, err, scanIdentifier)
}

// Identifiers is what all sources last gave of an operator's assets. It is for recognising devices, inside one operator's
// estate.
func (tx *Tx) Identifiers(ctx context.Context, operator ward.OrgID) ([]Identifier, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT DISTINCT asset, kind, value FROM identifiers WHERE operator = $1 ORDER BY asset, kind, value`, string(operator))
	return list(rows, err, scanIdentifier)
}

func scanIdentifier(rows *sql.Rows) (i Identifier, err error) {
	err = rows.Scan(&i.Asset, &i.Kind, &i.Value)
	return i, err
}

// AddIdentifier keeps a mark that a source gives of an asset.
func (tx *Tx) AddIdentifier(ctx context.Context, source ward.SourceID, operator ward.OrgID, i Identifier) error {
	if err := tx.repeat(ctx, `INSERT INTO identifiers (source, asset, kind, value, operator) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		int64(source), int64(i.Asset), i.Kind, i.Value, string(operator)); err != nil {
		return fmt.Errorf("store: identifier: %w", err)
	}
	return nil
}

// DropIdentifier forgets a mark that a source gives no longer.
func (tx *Tx) DropIdentifier(ctx context.Context, source ward.SourceID, i Identifier) error {
	if err := tx.repeat(ctx, `DELETE FROM identifiers WHERE source = $1 AND asset = $2 AND kind = $3 AND value = $4`,
		int64(source), int64(i.Asset), i.Kind, i.Value); err != nil {
		return fmt.Errorf("store: identifier: %w", err)
	}
	return nil
}

// ---- merges

// MergedInto maps each merged asset of an operator to the one that it was merged into, which may be merged itself.
func (tx *Tx) MergedInto(ctx context.Context, operator ward.OrgID) (map[ward.AssetID]ward.AssetID, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, merged_into FROM assets WHERE operator = $1 AND merged_into IS NOT NULL`, string(operator))
	all := map[ward.AssetID]ward.AssetID{}
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var id, into ward.AssetID
		err := rows.Scan(&id, &into)
		all[id] = into
		return struct{}{}, err
	})
	return all, err
}

// shownAs is the asset under which another is shown: itself, unless it is merged.
func (tx *Tx) shownAs(ctx context.Context, id ward.AssetID) (ward.AssetID, error) {
	for range 100 { // a chain of merges has an end; more than this would be a broken database
		var into sql.NullInt64
		err := tx.tx.QueryRowContext(ctx, `SELECT merged_into FROM assets WHERE id = $1`, int64(id)).Scan(&into)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !into.Valid {
			return id, nil
		}
		if err != nil {
			return 0, fmt.Errorf("store: asset %d: %w", id, err)
		}
		id = ward.AssetID(into.Int64)
	}
	return 0, fmt.Errorf("store: asset %d is merged in a circle", id)
}

// Named is an asset by its operator and names, with when it was first seen.
type Named struct {
	ID        ward.AssetID
	Operator  ward.OrgID
	Name      string
	Key       string
	FirstSeen time.Time
}

// NamedAsset reads who an asset is. It is for merging, whose caller has looked at the scope.
func (tx *Tx) NamedAsset(ctx context.Context, id ward.AssetID) (n Named, err error) {
	statement, err := tx.prepare(ctx, `SELECT id, operator, name, name_key, first_seen FROM assets WHERE id = $1`) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return n, err
	}
	var first sql.NullInt64
	err = found(statement.QueryRowContext(ctx, int64(id)).Scan(&n.ID, &n.Operator, &n.Name, &n.Key, &first))
	n.FirstSeen = moment(first)
	return n, err
}

// Answerer is one organisation that answers for an asset.
type Answerer struct {
	Org         ward.OrgID `json:"org"`
	Accountable bool       `json:"accountable"`
	Operates    bool       `json:"operates"`
	Lent        bool       `json:"lent,omitempty"` // it answers for the kept asset only through the merge
}

// Answerers lists who answers for an asset. It is for merging.
func (tx *Tx) Answerers(ctx context.Context, asset ward.AssetID) ([]Answerer, error) {
	statement, err := tx.prepare(ctx, `SELECT org, accountable, operates FROM asset_orgs WHERE asset = $1 ORDER BY org`) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return nil, err
	}
	rows, err := statement.QueryContext(ctx, int64(asset))
	return list(rows, err, func(rows *sql.Rows) (a Answerer, err error) {
		err = rows.Scan(&a.Org, &a.Accountable, &a.Operates)
		return a, err
	})
}

// StopAnswering ends that an organisation answers for an asset.
func (tx *Tx) StopAnswering(ctx context.Context, org ward.OrgID, asset ward.AssetID) error {
	if err := tx.turnOf(ctx, org, asset, false); err != nil {
		return err
	}
	if err := tx.repeat(ctx, `DELETE FROM asset_orgs WHERE org = $1 AND asset = $2`, string(org), int64(asset)); err != nil {
		return fmt.Errorf("store: %s and asset %d: %w", org, asset, err)
	}
	return nil
}

// ListedTogether names a source that lists or listed both assets at the same time, or is empty: who tells two devices apart.
func (tx *Tx) ListedTogether(ctx context.Context, a, b ward.AssetID) (source string, err error) {
	err = tx.repeatOne(ctx, &source, `SELECT s.name FROM presence p JOIN presence q ON q.source = p.source AND q.asset = $2
		AND p.first_seen <= COALESCE(q.last_seen, 9223372036854775807) AND q.first_seen <= COALESCE(p.last_seen, 9223372036854775807)
		JOIN sources s ON s.id = p.source WHERE p.asset = $1 LIMIT 1`, int64(a), int64(b))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("store: assets %d and %d: %w", a, b, err)
	}
	return source, nil
}

// ListedBy reports whether sources of an organisation, and whether sources of others, list or listed an asset.
func (tx *Tx) ListedBy(ctx context.Context, asset ward.AssetID, org ward.OrgID) (own, others bool, err error) {
	var mine, all int
	if err = tx.repeatOne(ctx, &mine, `SELECT COUNT(*) FROM presence p JOIN sources s ON s.id = p.source WHERE p.asset = $1 AND s.org = $2`, int64(asset), string(org)); err == nil {
		err = tx.repeatOne(ctx, &all, `SELECT COUNT(*) FROM presence WHERE asset = $1`, int64(asset))
	}
	if err != nil {
		return false, false, fmt.Errorf("store: asset %d: %w", asset, err)
	}
	return mine > 0, all > mine, nil
}

// SaveMerge adds a merge or replaces how it stands.
func (tx *Tx) SaveMerge(ctx context.Context, m ward.Merge, answered []Answerer) (int64, error) {
	text, err := encode(answered)
	if err != nil {
		return 0, err
	}
	if m.ID == 0 {
		err = tx.repeatOne(ctx, &m.ID, `INSERT INTO merges (operator, kept, merged, rule, why, state, at, by_name, decided_at, decided_by, reason, answered)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
			string(m.Operator), int64(m.Kept), int64(m.Merged), string(m.Rule), m.Why, string(m.State), micros(m.At), m.By, micros(m.DecidedAt), m.DecidedBy, m.Reason, text)
	} else {
		err = tx.repeat(ctx, `UPDATE merges SET kept = $1, merged = $2, rule = $3, why = $4, state = $5, at = $6, by_name = $7, decided_at = $8,
			decided_by = $9, reason = $10, answered = $11 WHERE id = $12`,
			int64(m.Kept), int64(m.Merged), string(m.Rule), m.Why, string(m.State), micros(m.At), m.By, micros(m.DecidedAt), m.DecidedBy, m.Reason, text, m.ID)
	}
	if err != nil {
		return 0, fmt.Errorf("store: merge of assets %d and %d: %w", m.Kept, m.Merged, err)
	}
	return m.ID, nil
}

const mergeColumns = `m.id, m.operator, m.kept, k.name, m.merged, o.name, m.rule, m.why, m.state, m.at, m.by_name, m.decided_at, m.decided_by, m.reason`

const mergeTables = ` FROM merges m JOIN assets k ON k.id = m.kept JOIN assets o ON o.id = m.merged `

func scanMerge(rows *sql.Rows) (m ward.Merge, err error) {
	var at, decided sql.NullInt64
	err = rows.Scan(&m.ID, &m.Operator, &m.Kept, &m.KeptName, &m.Merged, &m.MergedName, &m.Rule, &m.Why, &m.State, &at, &m.By, &decided, &m.DecidedBy, &m.Reason)
	m.At, m.DecidedAt = moment(at), moment(decided)
	return m, err
}

// MergeQuery chooses merges. Its zero value chooses all that the scope sees.
type MergeQuery struct {
	ID    int64
	Org   ward.OrgID // that operates the assets
	Asset ward.AssetID
	State ward.MergeState
	After string // cursor
	Limit int
}

// Merges lists merges by ID, of operators within scope, or of assets that only organisations within scope answer for.
func (tx *Tx) Merges(ctx context.Context, scope ward.Scope, q MergeQuery) (ward.Page[ward.Merge], error) {
	limit := pageSize(q.Limit)
	condition, args := within(scope, "m.operator", 1)
	answered, codes := within(scope, "x.org", 1+len(args))
	args = append(args, codes...)
	// Who does not operate the assets sees a merge only when it answers for both, merged or not: a merge must not tell that another's asset is there.
	where := `(` + condition + ` OR m.state <> 'proposed' AND EXISTS (SELECT 1 FROM asset_orgs x WHERE x.asset = m.kept AND ` + answered + `)
		AND (m.state = 'merged' OR EXISTS (SELECT 1 FROM asset_orgs x WHERE x.asset = m.merged AND ` + answered + `)))`
	arg := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	if q.Org != "" {
		where += ` AND m.operator = ` + arg(string(q.Org))
	}
	if q.Asset != 0 {
		where += ` AND (m.kept = ` + arg(int64(q.Asset)) + ` OR m.merged = ` + arg(int64(q.Asset)) + `)`
	}
	if q.State != "" {
		where += ` AND m.state = ` + arg(string(q.State))
	}
	if q.After != "" {
		key, _, err := readCursor(q.After)
		if err != nil {
			return ward.Page[ward.Merge]{}, err
		}
		after, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return ward.Page[ward.Merge]{}, badCursor
		}
		where += ` AND m.id > ` + arg(after)
	}
	if q.ID != 0 {
		where += ` AND m.id = ` + arg(q.ID)
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+mergeColumns+mergeTables+`WHERE `+where+` ORDER BY m.id LIMIT `+arg(limit+1), args...)
	all, err := list(rows, err, scanMerge)
	if err != nil {
		return ward.Page[ward.Merge]{}, err
	}
	return paged(all, limit, func(m ward.Merge) string { return cursor(strconv.FormatInt(m.ID, 10), "") }), nil
}

// Merge is one merge within scope.
func (tx *Tx) Merge(ctx context.Context, scope ward.Scope, id int64) (ward.Merge, error) {
	page, err := tx.Merges(ctx, scope, MergeQuery{ID: id})
	m, err := only(page.Items, err)
	if err != nil {
		return m, fmt.Errorf("store: merge %d: %w", id, err)
	}
	return m, nil
}

// MergesOf lists every merge of an operator's assets. It is for recognising devices.
func (tx *Tx) MergesOf(ctx context.Context, operator ward.OrgID) ([]ward.Merge, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+mergeColumns+mergeTables+`WHERE m.operator = $1 ORDER BY m.id`, string(operator))
	return list(rows, err, scanMerge)
}

// MergeAnswered is who answered for a merged asset before its merge.
func (tx *Tx) MergeAnswered(ctx context.Context, id int64) (all []Answerer, err error) {
	var text string
	if err := tx.tx.QueryRowContext(ctx, `SELECT answered FROM merges WHERE id = $1`, id).Scan(&text); err != nil {
		return nil, fmt.Errorf("store: merge %d: %w", id, found(err))
	}
	err = json.Unmarshal([]byte(text), &all)
	return all, err
}

// PutUnder shows an asset under another: all that its sources saw is kept there, marked with whom they named.
func (tx *Tx) PutUnder(ctx context.Context, merged, kept ward.AssetID) error {
	if err := tx.repeat(ctx, `UPDATE assets SET merged_into = $1 WHERE id = $2`, int64(kept), int64(merged)); err != nil {
		return fmt.Errorf("store: merge asset %d: %w", merged, err)
	}
	if err := tx.place(ctx, merged, kept); err != nil {
		return err
	}
	sources, err := tx.sourcesOf(ctx, merged)
	if err != nil {
		return err
	}
	for _, source := range sources {
		if err := tx.turn(ctx, ward.SourceID(source)); err != nil {
			return err
		}
		for _, table := range []string{"installs", "scanner_findings"} {
			if err := tx.repeat(ctx, `UPDATE `+table+` SET asset = $1 WHERE source = $2 AND asset = $3`, int64(kept), source, int64(merged)); err != nil {
				return fmt.Errorf("store: merge asset %d: %w", merged, err)
			}
		}
		if err := tx.repeat(ctx, `UPDATE presence SET asset = $1, listed_as = COALESCE(listed_as, $2) WHERE source = $3 AND asset = $4`,
			int64(kept), int64(merged), source, int64(merged)); err != nil {
			return fmt.Errorf("store: merge asset %d: %w", merged, err)
		}
	}
	return nil
}

// TakeOut gives an asset back what its sources saw of it, and of the members that had been merged into it before.
func (tx *Tx) TakeOut(ctx context.Context, merged, root ward.AssetID, members []ward.AssetID) error {
	if err := tx.repeat(ctx, `UPDATE assets SET merged_into = NULL WHERE id = $1`, int64(merged)); err != nil {
		return fmt.Errorf("store: asset %d: %w", merged, err)
	}
	if err := tx.place(ctx, merged, root); err != nil {
		return err
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT source, listed_as, first_seen, last_seen FROM presence WHERE asset = $1 AND listed_as IN (`+integers(members)+`)`, int64(root))
	type stay struct {
		source, as, first int64
		last              sql.NullInt64
	}
	stays, err := list(rows, err, func(rows *sql.Rows) (s stay, err error) {
		err = rows.Scan(&s.source, &s.as, &s.first, &s.last)
		return s, err
	})
	if err != nil {
		return err
	}
	for _, s := range stays {
		if err := tx.turn(ctx, ward.SourceID(s.source)); err != nil {
			return err
		}
		end := int64(9223372036854775807)
		if s.last.Valid {
			end = s.last.Int64
		}
		for _, table := range []string{"installs", "scanner_findings"} {
			if err := tx.repeat(ctx, `UPDATE `+table+` SET asset = $1 WHERE source = $2 AND asset = $3 AND first_seen BETWEEN $4 AND $5`,
				int64(merged), s.source, int64(root), s.first, end); err != nil {
				return fmt.Errorf("store: asset %d: %w", merged, err)
			}
		}
		as := any(s.as)
		if s.as == int64(merged) {
			as = nil
		}
		if err := tx.repeat(ctx, `UPDATE presence SET asset = $1, listed_as = $2 WHERE source = $3 AND asset = $4 AND first_seen = $5`,
			int64(merged), as, s.source, int64(root), s.first); err != nil {
			return fmt.Errorf("store: asset %d: %w", merged, err)
		}
	}
	return nil
}

func (tx *Tx) sourcesOf(ctx context.Context, asset ward.AssetID) ([]int64, error) {
	statement, err := tx.prepare(ctx, `SELECT DISTINCT source FROM presence WHERE asset = $1`) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return nil, err
	}
	rows, err := statement.QueryContext(ctx, int64(asset))
	return list(rows, err, func(rows *sql.Rows) (id int64, err error) { err = rows.Scan(&id); return id, err })
}

// ---- clients that an operator's list names

// ClientsNamed maps each asset to the organisations that a source's list names as accountable for it.
func (tx *Tx) ClientsNamed(ctx context.Context, source ward.SourceID) (map[ward.AssetID][]ward.OrgID, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT asset, org FROM asset_clients WHERE source = $1 ORDER BY asset, org`, int64(source))
	all := map[ward.AssetID][]ward.OrgID{}
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var asset ward.AssetID
		var org ward.OrgID
		err := rows.Scan(&asset, &org)
		all[asset] = append(all[asset], org)
		return struct{}{}, err
	})
	return all, err
}

// NamesClient reports whether any list of an asset's operator names an organisation as accountable for it.
func (tx *Tx) NamesClient(ctx context.Context, asset ward.AssetID, org ward.OrgID) (bool, error) {
	var n int
	if err := tx.repeatOne(ctx, &n, `SELECT COUNT(*) FROM asset_clients WHERE asset = $1 AND org = $2`, int64(asset), string(org)); err != nil {
		return false, fmt.Errorf("store: asset %d: %w", asset, err)
	}
	return n > 0, nil
}

// NameClient keeps that a source's list names an organisation as accountable for an asset.
func (tx *Tx) NameClient(ctx context.Context, source ward.SourceID, asset ward.AssetID, org ward.OrgID) error {
	if err := tx.repeat(ctx, `INSERT INTO asset_clients (asset, org, source) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, int64(asset), string(org), int64(source)); err != nil {
		return fmt.Errorf("store: client of asset %d: %w", asset, err)
	}
	return nil
}

// UnnameClient forgets it.
func (tx *Tx) UnnameClient(ctx context.Context, source ward.SourceID, asset ward.AssetID, org ward.OrgID) error {
	if err := tx.repeat(ctx, `DELETE FROM asset_clients WHERE asset = $1 AND org = $2 AND source = $3`, int64(asset), string(org), int64(source)); err != nil {
		return fmt.Errorf("store: client of asset %d: %w", asset, err)
	}
	return nil
}

// ---- who looked

// AddLook keeps a look, once for each person, subject and hour.
func (tx *Tx) AddLook(ctx context.Context, v ward.View) error {
	if err := tx.repeat(ctx, `INSERT INTO looks (org, hour, person, subject, name, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		string(v.Org), v.At.Truncate(time.Hour).UnixMicro(), string(v.Person), v.Subject, v.Name, micros(v.At)); err != nil {
		return fmt.Errorf("store: view of %s: %w", v.Org, err)
	}
	return nil
}

// Looks lists looks at an organisation within scope, newest first.
func (tx *Tx) Looks(ctx context.Context, scope ward.Scope, org ward.OrgID, after string, limit int) (ward.Page[ward.View], error) {
	limit = pageSize(limit)
	condition, args := within(scope, "org", 2)
	args = append([]any{string(org)}, args...)
	if after != "" {
		hour, rest, err := readCursor(after)
		if err != nil {
			return ward.Page[ward.View]{}, err
		}
		person, subject, ok := strings.Cut(rest, "\x1f")
		if !ok {
			return ward.Page[ward.View]{}, badCursor
		}
		n := len(args)
		condition += fmt.Sprintf(` AND (hour, person, subject) < (CAST($%d AS INTEGER), $%d, $%d)`, n+1, n+2, n+3)
		args = append(args, hour, person, subject)
	}
	args = append(args, limit+1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT hour, org, person, subject, name, at FROM looks WHERE org = $1 AND `+condition+
		fmt.Sprintf(` ORDER BY hour DESC, person DESC, subject DESC LIMIT $%d`, len(args)), args...)
	type row struct {
		hour int64
		ward.View
	}
	found, err := list(rows, err, func(rows *sql.Rows) (v row, err error) {
		var at sql.NullInt64
		err = rows.Scan(&v.hour, &v.Org, &v.Person, &v.Subject, &v.Name, &at)
		v.At = moment(at)
		return v, err
	})
	if err != nil {
		return ward.Page[ward.View]{}, err
	}
	cut := paged(found, limit, func(v row) string { return cursor(fmt.Sprint(v.hour), string(v.Person)+"\x1f"+v.Subject) })
	page := ward.Page[ward.View]{Next: cut.Next}
	for _, v := range cut.Items {
		page.Items = append(page.Items, v.View)
	}
	return page, nil
}
