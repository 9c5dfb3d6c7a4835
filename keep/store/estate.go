package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// AssetQuery chooses assets. Its zero value chooses all that the scope sees and some source still lists.
type AssetQuery struct {
	Org      ward.OrgID // accountable or operating
	Class    ward.Class
	Text     string // part of the name or site, without case
	Software string // part of the vendor, product, CPE or package URL of something installed, without case
	Gone     bool   // those that no source lists any more, instead
	After    string // cursor
	Limit    int
}

// Says is what one source says of an asset, beside its software.
type Says struct {
	Class     ward.Class
	Site      string
	Reachable ward.Tri
	Data      []string
	Services  []string
}

// Installed is one software identity on one asset, as bulk loads move them.
type Installed struct {
	Asset    ward.AssetID
	Software ward.SoftwareID
}

// Compare orders by asset, then software: the order of the table.
func (i Installed) Compare(j Installed) int {
	return cmp.Or(cmp.Compare(i.Asset, j.Asset), cmp.Compare(i.Software, j.Software))
}

// Presence is one source's sight of one asset over an interval.
type Presence struct {
	Source    ward.Source
	FirstSeen time.Time
	LastSeen  time.Time // the source's newest observation while Gone is false
	Gone      bool
}

// ---- sources and imports

const sourceColumns = `s.id, s.org, s.name, s.format, s.grade, s.classes, s.observed_at, s.assets`

// SaveSource adds a source or replaces what is kept of it, and returns its ID.
func (tx *Tx) SaveSource(ctx context.Context, s ward.Source) (ward.SourceID, error) {
	classes, err := encode(s.Classes)
	if err != nil {
		return 0, err
	}
	err = tx.tx.QueryRowContext(ctx, `INSERT INTO sources (org, name, format, grade, classes, observed_at, assets)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org, name) DO UPDATE SET format = excluded.format, grade = excluded.grade, classes = excluded.classes,
			observed_at = excluded.observed_at, assets = excluded.assets RETURNING id`,
		string(s.Org), s.Name, s.Format, string(s.Grade), classes, micros(s.ObservedAt), s.Assets).Scan(&s.ID)
	if err != nil {
		return 0, fmt.Errorf("store: source %s of %s: %w", s.Name, s.Org, err)
	}
	return s.ID, nil
}

// Sources lists the sources within scope, of one organisation or (org empty) of all, by name.
func (tx *Tx) Sources(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Source, error) {
	condition, args := within(scope, "s.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+sourceColumns+` FROM sources s
		WHERE ($1 = '' OR s.org = $2) AND `+condition+` ORDER BY s.org, s.name`, append([]any{string(org), string(org)}, args...)...)
	return list(rows, err, scanSource)
}

// SourceNamed is one organisation's source by its name.
func (tx *Tx) SourceNamed(ctx context.Context, scope ward.Scope, org ward.OrgID, name string) (ward.Source, error) {
	condition, args := within(scope, "s.org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+sourceColumns+` FROM sources s WHERE s.org = $1 AND s.name = $2 AND `+condition,
		append([]any{string(org), name}, args...)...)
	return only(list(rows, err, scanSource))
}

func scanSource(rows *sql.Rows) (s ward.Source, err error) {
	var classes string
	var observed sql.NullInt64
	if err := rows.Scan(&s.ID, &s.Org, &s.Name, &s.Format, &s.Grade, &classes, &observed, &s.Assets); err != nil {
		return s, err
	}
	s.ObservedAt = moment(observed)
	err = json.Unmarshal([]byte(classes), &s.Classes)
	return s, err
}

// AddImport writes down an import. delivery says how its body is to be read; body is kept only while it is held.
func (tx *Tx) AddImport(ctx context.Context, i ward.Import, delivery string, body []byte) (ward.ImportID, error) {
	problems, err := encode(i.Problems)
	if err != nil {
		return 0, err
	}
	err = tx.tx.QueryRowContext(ctx, `INSERT INTO imports (source, digest, observed_at, received_at, by_name, state, row_count, rejected,
		problems, assets, added, gone, assets_lost, delivery, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id`,
		int64(i.Source), i.Digest, micros(i.ObservedAt), micros(i.ReceivedAt), i.By, string(i.State), i.Rows, i.Rejected,
		problems, i.Assets, i.Added, i.Gone, i.AssetsLost, delivery, body).Scan(&i.ID)
	if err != nil {
		return 0, fmt.Errorf("store: import of source %d: %w", i.Source, err)
	}
	return i.ID, nil
}

// SettleImport ends a held import: its state, what applying it came to, and no body any more.
func (tx *Tx) SettleImport(ctx context.Context, i ward.Import) error {
	result, err := tx.tx.ExecContext(ctx, `UPDATE imports SET state = $1, added = $2, gone = $3, assets_lost = $4, body = NULL
		WHERE id = $5 AND state = $6`, string(i.State), i.Added, i.Gone, i.AssetsLost, int64(i.ID), string(ward.ImportHeld))
	return changed(result, err, "import "+strconv.FormatInt(int64(i.ID), 10))
}

const importColumns = `i.id, i.source, s.org, s.name, i.digest, i.observed_at, i.received_at, i.by_name, i.state, i.row_count, i.rejected,
	i.problems, i.assets, i.added, i.gone, i.assets_lost`

// Imports lists the imports within scope, of one organisation or (org empty) of all, newest first.
func (tx *Tx) Imports(ctx context.Context, scope ward.Scope, org ward.OrgID, limit int) ([]ward.Import, error) {
	condition, args := within(scope, "s.org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+importColumns+` FROM imports i JOIN sources s ON s.id = i.source
		WHERE ($1 = '' OR s.org = $2) AND `+condition+` ORDER BY i.id DESC LIMIT $3`,
		append([]any{string(org), string(org), pageSize(limit)}, args...)...)
	return list(rows, err, scanImport)
}

// Import is one import within scope.
func (tx *Tx) Import(ctx context.Context, scope ward.Scope, id ward.ImportID) (ward.Import, error) {
	condition, args := within(scope, "s.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+importColumns+` FROM imports i JOIN sources s ON s.id = i.source WHERE i.id = $1 AND `+condition,
		append([]any{int64(id)}, args...)...)
	return only(list(rows, err, scanImport))
}

// SameImport is the import of a source with the same content, observed at the same time, that was not discarded.
func (tx *Tx) SameImport(ctx context.Context, scope ward.Scope, source ward.SourceID, digest string, observedAt time.Time) (ward.Import, error) {
	condition, args := within(scope, "s.org", 5)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+importColumns+` FROM imports i JOIN sources s ON s.id = i.source
		WHERE i.source = $1 AND i.digest = $2 AND i.observed_at = $3 AND i.state <> $4 AND `+condition+` ORDER BY i.id DESC LIMIT 1`,
		append([]any{int64(source), digest, micros(observedAt), string(ward.ImportDiscarded)}, args...)...)
	return only(list(rows, err, scanImport))
}

func scanImport(rows *sql.Rows) (i ward.Import, err error) {
	var problems string
	var observed, received sql.NullInt64
	if err := rows.Scan(&i.ID, &i.Source, &i.Org, &i.SourceName, &i.Digest, &observed, &received, &i.By, &i.State, &i.Rows, &i.Rejected,
		&problems, &i.Assets, &i.Added, &i.Gone, &i.AssetsLost); err != nil {
		return i, err
	}
	i.ObservedAt, i.ReceivedAt = moment(observed), moment(received)
	err = json.Unmarshal([]byte(problems), &i.Problems)
	return i, err
}

// HeldBody is the compressed body of a held import within scope, and how to read it.
func (tx *Tx) HeldBody(ctx context.Context, scope ward.Scope, id ward.ImportID) (delivery string, body []byte, err error) {
	condition, args := within(scope, "s.org", 3)
	err = tx.tx.QueryRowContext(ctx, `SELECT i.delivery, i.body FROM imports i JOIN sources s ON s.id = i.source
		WHERE i.id = $1 AND i.state = $2 AND `+condition, append([]any{int64(id), string(ward.ImportHeld)}, args...)...).Scan(&delivery, &body)
	if err != nil {
		return "", nil, fmt.Errorf("store: held import %d: %w", id, found(err))
	}
	return delivery, body, nil
}

// SaveMapping keeps how a source names its columns.
func (tx *Tx) SaveMapping(ctx context.Context, org ward.OrgID, source string, mapping map[string]string) error {
	body, err := encode(mapping)
	if err != nil {
		return err
	}
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO mappings (org, source, body) VALUES ($1, $2, $3)
		ON CONFLICT (org, source) DO UPDATE SET body = excluded.body`, string(org), source, body); err != nil {
		return fmt.Errorf("store: mapping of %s: %w", source, err)
	}
	return nil
}

// Mapping is how a source names its columns, or nil.
func (tx *Tx) Mapping(ctx context.Context, scope ward.Scope, org ward.OrgID, source string) (mapping map[string]string, err error) {
	condition, args := within(scope, "org", 3)
	var body string
	err = tx.tx.QueryRowContext(ctx, `SELECT body FROM mappings WHERE org = $1 AND source = $2 AND `+condition,
		append([]any{string(org), source}, args...)...).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: mapping of %s: %w", source, err)
	}
	err = json.Unmarshal([]byte(body), &mapping)
	return mapping, err
}

// ---- what an import writes: only the difference

// FindAsset is the asset of an operator by its folded name, or 0. It is for the import of a source, whose rows name it.
func (tx *Tx) FindAsset(ctx context.Context, operator ward.OrgID, nameKey string) (id ward.AssetID, err error) {
	err = tx.repeatOne(ctx, &id, `SELECT id FROM assets WHERE operator = $1 AND name_key = $2`, string(operator), nameKey)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("store: asset: %w", err)
	}
	return id, nil
}

// AddAsset makes an asset as its first source describes it.
func (tx *Tx) AddAsset(ctx context.Context, operator ward.OrgID, name, nameKey string, says Says, at time.Time) (id ward.AssetID, err error) {
	data, services, err := encodeLists(says)
	if err != nil {
		return 0, err
	}
	if err := tx.repeatOne(ctx, &id, `INSERT INTO assets (operator, name, name_key, class, site, reachable, data, services, first_seen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		string(operator), name, nameKey, string(says.Class), says.Site, int(says.Reachable), data, services, micros(at)); err != nil {
		return 0, fmt.Errorf("store: asset %q: %w", name, err)
	}
	return id, nil
}

// AnswersFor writes down that an organisation answers for an asset, as accountable, as operator or both.
func (tx *Tx) AnswersFor(ctx context.Context, org ward.OrgID, asset ward.AssetID, nameKey string, accountable, operates bool) error {
	if err := tx.turnOf(ctx, org, asset, true); err != nil {
		return err
	}
	if err := tx.repeat(ctx, `INSERT INTO asset_orgs (org, asset, accountable, operates, name_key) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, asset) DO UPDATE SET
			accountable = CASE WHEN excluded.accountable = 1 THEN 1 ELSE asset_orgs.accountable END,
			operates = CASE WHEN excluded.operates = 1 THEN 1 ELSE asset_orgs.operates END`, string(org), int64(asset), flag(accountable), flag(operates), nameKey); err != nil {
		return fmt.Errorf("store: %s answers for asset %d: %w", org, asset, err)
	}
	return nil
}

// EnsureSoftware finds or makes a software identity with its product keys; added says that it is new to every estate.
func (tx *Tx) EnsureSoftware(ctx context.Context, sw ward.Software, keys func(ward.Software) []string) (id ward.SoftwareID, added bool, err error) {
	identity := strings.Join([]string{sw.Vendor, sw.Product, sw.Version, sw.CPE, sw.PURL}, "\x1f")
	err = tx.repeatOne(ctx, &id, `SELECT id FROM software WHERE identity = $1`, identity)
	if err == nil {
		return id, false, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, false, fmt.Errorf("store: software: %w", err)
	}
	if err := tx.repeatOne(ctx, &id, `INSERT INTO software (identity, vendor, product, version, cpe, purl) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
		identity, sw.Vendor, sw.Product, sw.Version, sw.CPE, sw.PURL); err != nil {
		return 0, false, fmt.Errorf("store: software %q: %w", sw, err)
	}
	for _, key := range keys(sw) {
		if err := tx.repeat(ctx, `INSERT INTO software_products (product_key, software) VALUES ($1, $2) ON CONFLICT DO NOTHING`, key, int64(id)); err != nil {
			return 0, false, fmt.Errorf("store: software %q: %w", sw, err)
		}
	}
	return id, true, nil
}

// Listing is one asset as a source lists it: what it says, and of which asset, where that is merged into another.
type Listing struct {
	Says
	As ward.AssetID
}

// Listed is what a source's newest import lists, by asset.
func (tx *Tx) Listed(ctx context.Context, source ward.SourceID) (map[ward.AssetID]Listing, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT asset, COALESCE(listed_as, asset), class, site, reachable, data, services FROM presence
		WHERE source = $1 AND last_seen IS NULL`, int64(source))
	all := map[ward.AssetID]Listing{}
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var asset ward.AssetID
		var data, services string
		var one Listing
		if err := rows.Scan(&asset, &one.As, &one.Class, &one.Site, &one.Reachable, &data, &services); err != nil {
			return struct{}{}, err
		}
		err := decodeLists(&one.Says, data, services)
		all[asset] = one
		return struct{}{}, err
	})
	return all, err
}

// ListedInstalls calls yield for what a source's newest import lists, in the order of Installed.Compare. yield must not use tx.
func (tx *Tx) ListedInstalls(ctx context.Context, source ward.SourceID, yield func(Installed)) error {
	rows, err := tx.tx.QueryContext(ctx, `SELECT asset, software FROM installs WHERE source = $1 AND last_seen IS NULL
		ORDER BY asset, software`, int64(source))
	if err != nil {
		return fmt.Errorf("store: installs: %w", err)
	}
	defer rows.Close()
	var one Installed
	for rows.Next() {
		if err := rows.Scan(&one.Asset, &one.Software); err != nil {
			return fmt.Errorf("store: installs: %w", err)
		}
		yield(one)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store: installs: %w", err)
	}
	return nil
}

// bulk is how many rows one statement of a bulk load carries: past that, binding costs what is saved.
const bulk = 200

// AddInstalls begins intervals of installs, which must be sorted by Installed.Compare for speed.
func (tx *Tx) AddInstalls(ctx context.Context, source ward.SourceID, at time.Time, all []Installed) error {
	if err := tx.turn(ctx, source); err != nil {
		return err
	}
	if err := tx.placeThose(ctx, all); err != nil {
		return err
	}
	for chunk := range slices.Chunk(all, bulk) {
		var text strings.Builder
		text.WriteString(`INSERT INTO installs (software, asset, source, first_seen) VALUES `)
		args := make([]any, 0, 2+2*len(chunk))
		args = append(args, int64(source), micros(at))
		for i, one := range chunk {
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, "($%d,$%d,$1,$2)", 3+2*i, 4+2*i)
			args = append(args, int64(one.Software), int64(one.Asset))
		}
		if err := tx.repeat(ctx, text.String(), args...); err != nil {
			return fmt.Errorf("store: installs: %w", err)
		}
	}
	return nil
}

// EndInstalls ends intervals: at is when the source last listed them.
func (tx *Tx) EndInstalls(ctx context.Context, source ward.SourceID, at time.Time, all []Installed) error {
	if err := tx.turn(ctx, source); err != nil {
		return err
	}
	if err := tx.placeThose(ctx, all); err != nil {
		return err
	}
	for _, one := range all {
		if err := tx.repeat(ctx, `UPDATE installs SET last_seen = $1 WHERE source = $2 AND asset = $3 AND software = $4 AND last_seen IS NULL`, micros(at), int64(source), int64(one.Asset), int64(one.Software)); err != nil {
			return fmt.Errorf("store: installs: %w", err)
		}
	}
	return nil
}

// AddPresence begins an interval in which a source lists an asset.
func (tx *Tx) AddPresence(ctx context.Context, source ward.SourceID, asset ward.AssetID, one Listing, at time.Time) error {
	says := one.Says
	data, services, err := encodeLists(says)
	if err != nil {
		return err
	}
	var as any
	if one.As != asset {
		as = int64(one.As)
	}
	if err := tx.repeat(ctx, `INSERT INTO presence (source, asset, first_seen, class, site, reachable, data, services, listed_as)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, int64(source), int64(asset), micros(at), string(says.Class), says.Site, int(says.Reachable), data, services, as); err != nil {
		return fmt.Errorf("store: presence of asset %d: %w", asset, err)
	}
	return nil
}

// ChangePresence replaces what a source says of an asset that it lists.
func (tx *Tx) ChangePresence(ctx context.Context, source ward.SourceID, asset ward.AssetID, says Says) error {
	data, services, err := encodeLists(says)
	if err != nil {
		return err
	}
	if err := tx.repeat(ctx, `UPDATE presence SET class = $1, site = $2, reachable = $3, data = $4, services = $5
		WHERE source = $6 AND asset = $7 AND last_seen IS NULL`, string(says.Class), says.Site, int(says.Reachable), data, services, int64(source), int64(asset)); err != nil {
		return fmt.Errorf("store: presence of asset %d: %w", asset, err)
	}
	return nil
}

// EndPresence ends the interval in which a source lists an asset: at is when it last did.
func (tx *Tx) EndPresence(ctx context.Context, source ward.SourceID, asset ward.AssetID, at time.Time) error {
	if err := tx.repeat(ctx, `UPDATE presence SET last_seen = $1 WHERE source = $2 AND asset = $3 AND last_seen IS NULL`, micros(at), int64(source), int64(asset)); err != nil {
		return fmt.Errorf("store: presence of asset %d: %w", asset, err)
	}
	return nil
}

// Described is an asset as it stands and what each source that lists it says, newest observation first.
type Described struct {
	Asset ward.AssetID
	Now   Says
	Says  []Says
}

// Describe reads how a source's assets stand and what every source that lists them says.
func (tx *Tx) Describe(ctx context.Context, source ward.SourceID) ([]Described, error) {
	return described(tx.tx.QueryContext(ctx, `SELECT `+describeColumns+`
		FROM presence mine JOIN assets a ON a.id = mine.asset JOIN presence p ON p.asset = mine.asset AND p.last_seen IS NULL
			JOIN sources s ON s.id = p.source
		WHERE mine.source = $1 AND mine.last_seen IS NULL ORDER BY mine.asset, s.observed_at DESC, s.id`, int64(source)))
}

// DescribeAsset is Describe for one asset.
func (tx *Tx) DescribeAsset(ctx context.Context, id ward.AssetID) ([]Described, error) {
	return described(tx.tx.QueryContext(ctx, `SELECT `+describeColumns+`
		FROM assets a JOIN presence p ON p.asset = a.id AND p.last_seen IS NULL JOIN sources s ON s.id = p.source
		WHERE a.id = $1 ORDER BY s.observed_at DESC, s.id`, int64(id)))
}

const describeColumns = `a.id, a.class, a.site, a.reachable, a.data, a.services, p.class, p.site, p.reachable, p.data, p.services`

func described(rows *sql.Rows, err error) ([]Described, error) {
	if err != nil {
		return nil, fmt.Errorf("store: describe: %w", err)
	}
	defer rows.Close()
	var all []Described
	for rows.Next() {
		var id ward.AssetID
		var now, says Says
		var nowData, nowServices, data, services string
		if err := rows.Scan(&id, &now.Class, &now.Site, &now.Reachable, &nowData, &nowServices,
			&says.Class, &says.Site, &says.Reachable, &data, &services); err != nil {
			return nil, fmt.Errorf("store: describe: %w", err)
		}
		if err := errors.Join(decodeLists(&now, nowData, nowServices), decodeLists(&says, data, services)); err != nil {
			return nil, fmt.Errorf("store: describe: %w", err)
		}
		if len(all) == 0 || all[len(all)-1].Asset != id {
			all = append(all, Described{Asset: id, Now: now})
		}
		last := &all[len(all)-1]
		last.Says = append(last.Says, says)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: describe: %w", err)
	}
	return all, nil
}

// ChangeAsset replaces how an asset is described.
func (tx *Tx) ChangeAsset(ctx context.Context, id ward.AssetID, says Says) error {
	data, services, err := encodeLists(says)
	if err != nil {
		return err
	}
	if err := tx.repeat(ctx, `UPDATE assets SET class = $1, site = $2, reachable = $3, data = $4, services = $5 WHERE id = $6`, string(says.Class), says.Site, int(says.Reachable), data, services, int64(id)); err != nil {
		return fmt.Errorf("store: asset %d: %w", id, err)
	}
	return nil
}

// Touched lists who answers for any asset that a source lists or listed.
func (tx *Tx) Touched(ctx context.Context, source ward.SourceID) ([]string, error) {
	return texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT o.org FROM presence p JOIN asset_orgs o ON o.asset = p.asset
		WHERE p.source = $1 ORDER BY o.org`, int64(source)))
}

func encodeLists(says Says) (data, services string, err error) {
	if data, err = encodeList(says.Data); err == nil {
		services, err = encodeList(says.Services)
	}
	return data, services, err
}

func encodeList(values []string) (string, error) {
	if len(values) == 0 {
		return "[]", nil
	}
	return encode(values)
}

func decodeLists(says *Says, data, services string) error {
	return errors.Join(decodeList(data, &says.Data), decodeList(services, &says.Services))
}

func decodeList(text string, into *[]string) error {
	if text == "[]" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

// ---- what pages and other rooms read

// assetColumns ends with when any source first and last saw the asset, and whether none lists it any more.
const assetColumns = `a.id, a.operator, a.name, a.class, a.site, a.reachable, a.data, a.services, a.first_seen, a.name_key,
	(SELECT MAX(COALESCE(p.last_seen, s.observed_at)) FROM presence p JOIN sources s ON s.id = p.source WHERE p.asset = a.id),
	EXISTS (SELECT 1 FROM presence p WHERE p.asset = a.id AND p.last_seen IS NULL)`

type assetRow struct {
	ward.Asset
	key string
}

func scanAsset(rows *sql.Rows) (a assetRow, err error) {
	var data, services string
	var first, last sql.NullInt64
	var listed bool
	if err := rows.Scan(&a.ID, &a.Operator, &a.Name, &a.Class, &a.Site, &a.Reachable, &data, &services, &first, &a.key, &last, &listed); err != nil {
		return a, err
	}
	a.FirstSeen, a.LastSeen, a.Gone = moment(first), moment(last), !listed
	err = errors.Join(decodeList(data, &a.Data), decodeList(services, &a.Services))
	return a, err
}

// Assets lists assets within scope by name. Each is listed once, however many organisations answer for it.
func (tx *Tx) Assets(ctx context.Context, scope ward.Scope, q AssetQuery) (ward.Page[ward.Asset], error) {
	limit := pageSize(q.Limit)
	if orgs := scope.Orgs(); q.Org == "" && len(orgs) == 1 {
		q.Org = orgs[0] // the same assets, in the order of an index
	}
	var args []any
	arg := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	from, order := `assets a`, `a.name_key, a.id`
	var where []string
	if q.Org != "" {
		from, order = `asset_orgs o JOIN assets a ON a.id = o.asset`, `o.name_key, o.asset`
		condition, codes := within(scope, "o.org", len(args)+1)
		args = append(args, codes...)
		where = append(where, condition, `o.org = `+arg(string(q.Org)))
	} else if !scope.All() {
		condition, codes := within(scope, "org", len(args)+1)
		args = append(args, codes...)
		where = append(where, `a.id IN (SELECT asset FROM asset_orgs WHERE `+condition+`)`)
	}
	if q.After != "" {
		key, id, err := readCursor(q.After)
		if err != nil {
			return ward.Page[ward.Asset]{}, err
		}
		number, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return ward.Page[ward.Asset]{}, badCursor
		}
		where = append(where, `(`+order+`) > (`+arg(key)+`, `+arg(number)+`)`)
	}
	if q.Class != "" {
		where = append(where, `a.class = `+arg(string(q.Class)))
	}
	if q.Text != "" {
		pattern := containing(q.Text)
		where = append(where, `(a.name_key LIKE `+arg(pattern)+` ESCAPE '\' OR LOWER(a.site) LIKE `+arg(pattern)+` ESCAPE '\')`)
	}
	if q.Software != "" {
		pattern := containing(q.Software)
		common, err := tx.commonSoftware(ctx, pattern)
		if err != nil {
			return ward.Page[ward.Asset]{}, err
		}
		matching := `i.software IN (` + matchingSoftware + arg(pattern) + ` ESCAPE '\')`
		if common {
			where = append(where, `EXISTS (SELECT 1 FROM presence p CROSS JOIN installs i ON i.source = p.source AND i.asset = p.asset
				WHERE p.asset = a.id AND p.last_seen IS NULL AND i.last_seen IS NULL AND `+matching+`)`)
		} else {
			where = append(where, `a.id IN (SELECT i.asset FROM installs i WHERE i.last_seen IS NULL AND `+matching+`)`)
		}
	}
	present := `EXISTS (SELECT 1 FROM presence p WHERE p.asset = a.id AND p.last_seen IS NULL)`
	if q.Gone {
		present = `NOT ` + present
	}
	where = append(where, present)
	if from == `assets a` {
		where = append(where, `a.merged_into IS NULL`)
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+assetColumns+` FROM `+from+` WHERE `+strings.Join(where, ` AND `)+
		` ORDER BY `+order+` LIMIT `+arg(limit+1), args...)
	found, err := list(rows, err, scanAsset)
	if err != nil {
		return ward.Page[ward.Asset]{}, err
	}
	page := paged(found, limit, func(a assetRow) string { return cursor(a.key, strconv.FormatInt(int64(a.ID), 10)) })
	out := ward.Page[ward.Asset]{Next: page.Next, Items: make([]ward.Asset, len(page.Items))}
	for i, a := range page.Items {
		out.Items[i] = a.Asset
	}
	err = tx.accountable(ctx, scope, out.Items)
	return out, err
}

// matchingSoftware is the query for software by a part of its name; the pattern follows.
const matchingSoftware = `SELECT id FROM software WHERE LOWER(vendor || ' ' || product || ' ' || cpe || ' ' || purl) LIKE `

// commonSoftware reports whether what matches is on so many assets that looking at each asset of a list finds a page of
// them sooner than listing the assets of the software does.
func (tx *Tx) commonSoftware(ctx context.Context, pattern string) (common bool, err error) {
	const many = 5000
	var count int
	err = tx.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM installs i WHERE i.last_seen IS NULL AND i.software IN (`+
		matchingSoftware+`$1 ESCAPE '\') LIMIT $2) matched`, pattern, many).Scan(&count)
	if err != nil {
		return false, fmt.Errorf("store: assets by software: %w", err)
	}
	return count == many, nil
}

// Operator is who runs an asset, empty for one that is not there.
func (tx *Tx) Operator(ctx context.Context, id ward.AssetID) (operator ward.OrgID, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT operator FROM assets WHERE id = $1`, int64(id)).Scan(&operator)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return operator, err
}

// Asset is one asset within scope; one that is merged is shown as the asset that it turned out to be.
func (tx *Tx) Asset(ctx context.Context, scope ward.Scope, id ward.AssetID) (ward.Asset, error) {
	id, err := tx.shownAs(ctx, id)
	if err != nil {
		return ward.Asset{}, err
	}
	condition, codes := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+assetColumns+` FROM assets a
		WHERE a.id = $1 AND EXISTS (SELECT 1 FROM asset_orgs WHERE asset = a.id AND `+condition+`)`, append([]any{int64(id)}, codes...)...)
	row, err := only(list(rows, err, scanAsset))
	if err != nil {
		return ward.Asset{}, err
	}
	one := []ward.Asset{row.Asset}
	err = tx.accountable(ctx, scope, one)
	return one[0], err
}

// accountable fills in who answers for the assets: for who operates one, everybody; for others, those within their scope.
func (tx *Tx) accountable(ctx context.Context, scope ward.Scope, assets []ward.Asset) error {
	for i := range assets {
		orgs, err := texts(tx.tx.QueryContext(ctx, `SELECT org FROM asset_orgs WHERE asset = $1 AND accountable = 1 ORDER BY org`, int64(assets[i].ID)))
		if err != nil {
			return err
		}
		for _, org := range orgs {
			if scope.Sees(assets[i].Operator) || scope.Sees(ward.OrgID(org)) {
				assets[i].Accountable = append(assets[i].Accountable, ward.OrgID(org))
			}
		}
	}
	return nil
}

// Installs lists what every source saw on an asset within scope: first what is still listed, then by name.
func (tx *Tx) Installs(ctx context.Context, scope ward.Scope, asset ward.AssetID) ([]ward.Install, error) {
	condition, codes := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT i.asset, i.source, s.name, s.grade, i.first_seen, COALESCE(i.last_seen, s.observed_at), i.last_seen IS NOT NULL,
			w.id, w.vendor, w.product, w.version, w.cpe, w.purl
		FROM (SELECT DISTINCT source, asset FROM presence WHERE asset = $1) p JOIN installs i ON i.source = p.source AND i.asset = p.asset
			JOIN software w ON w.id = i.software JOIN sources s ON s.id = i.source
		WHERE EXISTS (SELECT 1 FROM asset_orgs WHERE asset = p.asset AND `+condition+`)
		ORDER BY i.last_seen IS NOT NULL, w.product, w.vendor, w.version, w.id, s.name, i.first_seen`, append([]any{int64(asset)}, codes...)...)
	return list(rows, err, func(rows *sql.Rows) (i ward.Install, err error) {
		var first, last sql.NullInt64
		err = rows.Scan(&i.Asset, &i.Source, &i.SourceName, &i.Grade, &first, &last, &i.Gone,
			&i.Software.ID, &i.Software.Vendor, &i.Software.Product, &i.Software.Version, &i.Software.CPE, &i.Software.PURL)
		i.FirstSeen, i.LastSeen = moment(first), moment(last)
		return i, err
	})
}

// Sightings lists which sources list or listed an asset within scope, newest first.
func (tx *Tx) Sightings(ctx context.Context, scope ward.Scope, asset ward.AssetID) ([]Presence, error) {
	condition, codes := within(scope, "org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+sourceColumns+`, p.first_seen, COALESCE(p.last_seen, s.observed_at), p.last_seen IS NOT NULL
		FROM presence p JOIN sources s ON s.id = p.source
		WHERE p.asset = $1 AND EXISTS (SELECT 1 FROM asset_orgs WHERE asset = p.asset AND `+condition+`)
		ORDER BY p.last_seen IS NOT NULL, COALESCE(p.last_seen, s.observed_at) DESC, s.name`, append([]any{int64(asset)}, codes...)...)
	return list(rows, err, func(rows *sql.Rows) (p Presence, err error) {
		var classes string
		var observed, first, last sql.NullInt64
		if err := rows.Scan(&p.Source.ID, &p.Source.Org, &p.Source.Name, &p.Source.Format, &p.Source.Grade, &classes, &observed, &p.Source.Assets,
			&first, &last, &p.Gone); err != nil {
			return p, err
		}
		p.Source.ObservedAt, p.FirstSeen, p.LastSeen = moment(observed), moment(first), moment(last)
		err = json.Unmarshal([]byte(classes), &p.Source.Classes)
		return p, err
	})
}

// CountByClass counts an organisation's assets that some source still lists, each once.
func (tx *Tx) CountByClass(ctx context.Context, scope ward.Scope, org ward.OrgID) (map[ward.Class]int, error) {
	condition, codes := within(scope, "o.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT a.class, COUNT(*) FROM asset_orgs o JOIN assets a ON a.id = o.asset
		WHERE o.org = $1 AND `+condition+` AND EXISTS (SELECT 1 FROM presence p WHERE p.asset = a.id AND p.last_seen IS NULL)
		GROUP BY a.class`, append([]any{string(org)}, codes...)...)
	counts := map[ward.Class]int{}
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var class ward.Class
		var count int
		err := rows.Scan(&class, &count)
		counts[class] = count
		return struct{}{}, err
	})
	return counts, err
}

// CountAssets counts the assets within scope that some source still lists, each once.
func (tx *Tx) CountAssets(ctx context.Context, scope ward.Scope) (count int, err error) {
	condition, codes := within(scope, "o.org", 1)
	err = tx.tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT o.asset) FROM asset_orgs o
		WHERE `+condition+` AND EXISTS (SELECT 1 FROM presence p WHERE p.asset = o.asset AND p.last_seen IS NULL)`, codes...).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("store: count assets: %w", err)
	}
	return count, nil
}

// ---- declarations

const declarationColumns = `id, org, vendor, product, answer, version, asset, class, reachable, host, words, by_person, by_name, at, expires`

// AddDeclaration keeps a declaration under its product key.
func (tx *Tx) AddDeclaration(ctx context.Context, d ward.Declaration, productKey string) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO declarations (`+declarationColumns+`, product_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		d.ID, string(d.Org), d.Vendor, d.Product, string(d.Answer), d.Version, d.Asset, string(d.Class), int(d.Reachable), string(d.Host), d.Words,
		string(d.By), d.Name, micros(d.At), micros(d.Expires), productKey); err != nil {
		return fmt.Errorf("store: declaration of %s: %w", d.Org, err)
	}
	return nil
}

// Declarations lists the declarations within scope, of one organisation or (org empty) of all, newest first.
func (tx *Tx) Declarations(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Declaration, error) {
	condition, args := within(scope, "org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+declarationColumns+` FROM declarations
		WHERE ($1 = '' OR org = $2) AND `+condition+` ORDER BY at DESC, id`, append([]any{string(org), string(org)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (d ward.Declaration, err error) {
		var at, expires sql.NullInt64
		err = rows.Scan(&d.ID, &d.Org, &d.Vendor, &d.Product, &d.Answer, &d.Version, &d.Asset, &d.Class, &d.Reachable, &d.Host, &d.Words,
			&d.By, &d.Name, &at, &expires)
		d.At, d.Expires = moment(at), moment(expires)
		return d, err
	})
}
