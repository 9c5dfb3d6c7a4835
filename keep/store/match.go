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

// ---- identities and postings

const softwareColumns = `w.id, w.vendor, w.product, w.version, w.cpe, w.purl`

func scanSoftware(rows *sql.Rows) (s ward.Software, err error) {
	err = rows.Scan(&s.ID, &s.Vendor, &s.Product, &s.Version, &s.CPE, &s.PURL)
	return s, err
}

// SoftwareByKeys lists the identities that have any of the product keys, by ID. Identities are nobody's data: the same one
// is on many estates.
func (tx *Tx) SoftwareByKeys(ctx context.Context, keys []string) (all []ward.Software, err error) {
	seen := map[ward.SoftwareID]bool{}
	err = chunked(keys, func(some []string) error {
		in, args := marks(some, 1)
		rows, err := tx.tx.QueryContext(ctx, `SELECT `+softwareColumns+` FROM software_products p JOIN software w ON w.id = p.software
			WHERE p.product_key IN (`+in+`) ORDER BY w.id`, args...)
		found, err := list(rows, err, scanSoftware)
		for _, s := range found {
			if !seen[s.ID] {
				seen[s.ID] = true
				all = append(all, s)
			}
		}
		return err
	})
	return all, err
}

// SoftwareByID lists identities.
func (tx *Tx) SoftwareByID(ctx context.Context, ids []ward.SoftwareID) (all []ward.Software, err error) {
	err = chunked(ids, func(some []ward.SoftwareID) error {
		rows, err := tx.tx.QueryContext(ctx, `SELECT `+softwareColumns+` FROM software w WHERE w.id IN (`+integers(some)+`) ORDER BY w.id`)
		found, err := list(rows, err, scanSoftware)
		all = append(all, found...)
		return err
	})
	return all, err
}

// Postings lists, for each product key, the weaknesses of which some report names it.
func (tx *Tx) Postings(ctx context.Context, keys []string) (map[string][]ward.CVE, error) {
	all := map[string][]ward.CVE{}
	err := chunked(keys, func(some []string) error {
		in, args := marks(some, 1)
		rows, err := tx.tx.QueryContext(ctx, `SELECT DISTINCT product_key, cve FROM report_products WHERE product_key IN (`+in+`)`, args...)
		_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var key string
			var cve ward.CVE
			err := rows.Scan(&key, &cve)
			all[key] = append(all[key], cve)
			return struct{}{}, err
		})
		return err
	})
	return all, err
}

// chunked calls do with as many values at a time as one IN list takes.
func chunked[T any](values []T, do func([]T) error) error {
	for len(values) > 0 {
		some := values[:min(len(values), inList)]
		values = values[len(some):]
		if err := do(some); err != nil {
			return err
		}
	}
	return nil
}

// integers writes numbers of our own as the body of an IN list.
func integers[T ~int64](values []T) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = strconv.FormatInt(int64(v), 10)
	}
	return strings.Join(parts, ",")
}

// ---- verdicts

const verdictColumns = `v.software, v.cve, v.since, v.until, v.status, v.basis, v.confidence, v.source, v.fixed, v.why, v.platform, v.waits`

func scanVerdict(rows *sql.Rows) (v ward.Verdict, err error) {
	var since, until sql.NullInt64
	err = rows.Scan(&v.Software, &v.CVE, &since, &until, &v.Status, &v.Basis, &v.Confidence, &v.Source, &v.Fixed, &v.Why, &v.Platform, &v.Waits)
	v.Since, v.Until = moment(since), moment(until)
	return v, err
}

// OpenVerdicts lists the verdicts that stand on a weakness whatever else an asset runs, by software.
func (tx *Tx) OpenVerdicts(ctx context.Context, cve ward.CVE) ([]ward.Verdict, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+verdictColumns+` FROM verdicts v WHERE v.cve = $1 AND v.platform = 0 AND v.until IS NULL ORDER BY v.software`, string(cve))
	return list(rows, err, scanVerdict)
}

// OpenVerdictsOn lists the verdicts that stand on a software identity whatever else an asset runs, by weakness.
func (tx *Tx) OpenVerdictsOn(ctx context.Context, id ward.SoftwareID) ([]ward.Verdict, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+verdictColumns+` FROM verdicts v WHERE v.software = $1 AND v.platform = 0 AND v.until IS NULL ORDER BY v.cve`, int64(id))
	return list(rows, err, scanVerdict)
}

// Verdicts is the history of what was said of one identity and one weakness, oldest first.
func (tx *Tx) Verdicts(ctx context.Context, cve ward.CVE, id ward.SoftwareID) ([]ward.Verdict, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+verdictColumns+` FROM verdicts v WHERE v.cve = $1 AND v.software = $2 ORDER BY v.since, v.platform`, string(cve), int64(id))
	return list(rows, err, scanVerdict)
}

// EndVerdict closes the verdict that stands; one that never stood for any time is taken back.
func (tx *Tx) EndVerdict(ctx context.Context, v ward.Verdict, at time.Time) error {
	query := `UPDATE verdicts SET until = $5 WHERE cve = $1 AND software = $2 AND platform = $3 AND since = $4`
	if !v.Since.Before(at) {
		query = `DELETE FROM verdicts WHERE cve = $1 AND software = $2 AND platform = $3 AND since = $4 AND $5 IS NOT NULL`
	}
	if _, err := tx.tx.ExecContext(ctx, query, string(v.CVE), int64(v.Software), int64(v.Platform), micros(v.Since), micros(at)); err != nil {
		return fmt.Errorf("store: end verdict on %s: %w", v.CVE, err)
	}
	return nil
}

// SaveVerdicts opens verdicts from their Since on, or from the end of the one before if that is later. A verdict with the
// Since of one that stands takes its place.
func (tx *Tx) SaveVerdicts(ctx context.Context, all []ward.Verdict) (err error) {
	if len(all) == 0 {
		return nil
	}
	save, err := tx.tx.PrepareContext(ctx, `INSERT INTO verdicts (cve, software, since, until, status, basis, confidence, source, fixed, why, platform, waits)
		VALUES ($1, $2, MAX($3, COALESCE((SELECT MAX(until) FROM verdicts WHERE cve = $1 AND software = $2 AND platform = $10), $3)), NULL, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (cve, software, platform, since) DO UPDATE SET until = NULL, status = excluded.status, basis = excluded.basis,
		confidence = excluded.confidence, source = excluded.source, fixed = excluded.fixed, why = excluded.why, waits = excluded.waits`)
	if err != nil {
		return fmt.Errorf("store: verdicts: %w", err)
	}
	defer func() { err = errors.Join(err, save.Close()) }()
	for _, v := range all {
		if _, err := save.ExecContext(ctx, string(v.CVE), int64(v.Software), micros(v.Since), string(v.Status), string(v.Basis),
			string(v.Confidence), v.Source, v.Fixed, v.Why, int64(v.Platform), int64(v.Waits)); err != nil {
			return fmt.Errorf("store: verdict on %s: %w", v.CVE, err)
		}
	}
	return nil
}

// OrgsRunning lists the organisations on whose assets some source lists any of the identities now.
func (tx *Tx) OrgsRunning(ctx context.Context, ids []ward.SoftwareID) ([]string, error) {
	seen := map[string]bool{}
	var all []string
	err := chunked(ids, func(some []ward.SoftwareID) error {
		orgs, err := texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT o.org FROM installs i CROSS JOIN asset_orgs o ON o.asset = i.asset
			WHERE i.software IN (`+integers(some)+`) AND i.last_seen IS NULL`))
		for _, org := range orgs {
			if !seen[org] {
				seen[org] = true
				all = append(all, org)
			}
		}
		return err
	})
	return all, err
}

// ---- exposures

// ExposureQuery chooses exposures. Its zero value chooses all that the scope sees, open or ended.
type ExposureQuery struct {
	Org      ward.OrgID // accountable or operating
	CVE      ward.CVE
	Asset    ward.AssetID
	Software ward.SoftwareID
	Keys     []string    // product keys
	Status   ward.Status // empty: affected
	AsAt     time.Time   // as it stood then; zero: without regard to time
	Open     bool        // those that have not ended; without effect beside AsAt
	After    string      // cursor
	Limit    int
}

// goneAt is when an install was found gone: at the next import of its source that was applied. Until then it was believed
// to be there, although it was last seen earlier.
const goneAt = `(SELECT MIN(n.observed_at) FROM imports n WHERE n.source = i.source AND n.state = 'applied' AND n.observed_at > i.last_seen)`

// onceListed joins the sources that ever listed an asset l, each once.
const onceListed = `presence p ON p.asset = l.asset AND p.first_seen = (SELECT MIN(first_seen) FROM presence WHERE source = p.source AND asset = p.asset)`

// onPlatform joins to a verdict v on an install i when its asset was of the platform that the verdict is about.
const onPlatform = ` LEFT JOIN placements f ON f.platform = v.platform AND f.asset = i.asset`

// A verdict holds on an asset as long as that is of its platform: from begins until ends, where there keeps those that hold
// at all, and thereNow those that hold now while the verdict stands.
const (
	there    = `v.waits = 0 AND (v.platform = 0 OR f.since < COALESCE(v.until, 9223372036854775807) AND (f.until IS NULL OR f.until > v.since))`
	thereNow = `v.waits = 0 AND (v.platform = 0 OR f.since IS NOT NULL AND f.until IS NULL)`
	begins   = `MAX(v.since, COALESCE(f.since, v.since))`
	ends     = `(CASE WHEN v.until IS NULL OR f.until < v.until THEN f.until ELSE v.until END)`
)

// overlaps keeps the pairs of verdict v, on its platform f, and install i that held at the same time.
const overlaps = there + ` AND i.first_seen < COALESCE(` + ends + `, 9223372036854775807) AND (i.last_seen IS NULL OR i.last_seen >= ` + begins + ` OR ` + begins + ` < ` + goneAt + `)`

// exposureEdge is what an exposure's interval is made from.
type exposureEdge struct {
	ward.Exposure
	source    int64
	installed int64 // start of the install, microseconds
	replaced  bool  // the same source later saw another version of the product there
}

// Exposures lists where a verdict and an install overlap, each asset once however many organisations answer for it: by
// asset for one organisation or asset, else by software.
func (tx *Tx) Exposures(ctx context.Context, scope ward.Scope, q ExposureQuery) (ward.Page[ward.Exposure], error) {
	none := ward.Page[ward.Exposure]{}
	limit := pageSize(q.Limit)
	var args []any
	arg := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	seen, codes := within(scope, "x.org", 1)
	args = append(args, codes...)
	status := q.Status
	if status == "" {
		status = ward.Affected
	}
	where := []string{
		`v.status = ` + arg(string(status)), overlaps,
	}
	of := `SELECT x.org FROM asset_orgs x WHERE x.asset = i.asset AND ` + seen
	if q.Org != "" {
		of += ` AND x.org = ` + arg(string(q.Org))
	}
	of = `(` + of + ` ORDER BY x.operates DESC, x.org LIMIT 1)`
	if !scope.All() || q.Org != "" { // somebody answers for every asset
		where = append(where, of+` IS NOT NULL`)
	}
	switch {
	case !q.AsAt.IsZero():
		at := arg(micros(q.AsAt))
		where = append(where, begins+` <= `+at, `(`+ends+` IS NULL OR `+ends+` > `+at+`)`, `i.first_seen <= `+at, `(i.last_seen IS NULL OR i.last_seen >= `+at+` OR `+at+` < `+goneAt+`)`)
	case q.Open:
		where = append(where, `v.until IS NULL`, thereNow, `i.last_seen IS NULL`)
	}
	if q.CVE != "" {
		where = append(where, `v.cve = `+arg(string(q.CVE)))
	}
	if q.Software != 0 {
		where = append(where, `v.software = `+arg(int64(q.Software)))
	}
	if len(q.Keys) > 0 {
		in, values := marks(q.Keys, len(args)+1)
		args = append(args, values...)
		where = append(where, `v.software IN (SELECT software FROM software_products WHERE product_key IN (`+in+`))`)
	}
	from, order := `verdicts v CROSS JOIN installs i ON i.software = v.software`, []string{"i.software", "i.asset", "i.source", "v.cve", "i.first_seen", begins}
	sorted := ""
	byAsset := q.Asset != 0 || q.Org != "" && q.CVE == "" && len(q.Keys) == 0 && q.Software == 0
	if byAsset {
		order = []string{"i.asset", "i.source", "i.software", "v.cve", "i.first_seen", begins}
		var listed string
		if q.Asset != 0 {
			listed = `(SELECT DISTINCT source, asset FROM presence WHERE asset = ` + arg(int64(q.Asset)) + `) p`
		} else {
			listed = `asset_orgs l CROSS JOIN ` + onceListed
			where = append(where, `l.org = `+arg(string(q.Org)))
			order[0], sorted = "l.asset", "l.org, " // the key of asset_orgs: a page is read from its start, and no further than it fills
		}
		from = listed + ` CROSS JOIN installs i ON i.source = p.source AND i.asset = p.asset CROSS JOIN verdicts v ON v.software = i.software`
	}
	if q.Org != "" && !byAsset {
		common, err := tx.widespread(ctx, q)
		if err != nil {
			return none, err
		}
		at := ` l.org = ` + arg(string(q.Org))
		from += ` CROSS JOIN asset_orgs l ON l.asset = i.asset AND` + at
		if common { // so the organisation's assets are fewer than those that have it
			from = `asset_orgs l CROSS JOIN ` + onceListed + ` CROSS JOIN verdicts v CROSS JOIN installs i ON i.source = p.source AND i.asset = p.asset AND i.software = v.software`
			where = append(where, at)
		}
	}
	if q.After != "" {
		marks, err := exposureMarks(q.After, order)
		if err != nil {
			return none, err
		}
		numbered := make([]string, len(marks))
		for i, m := range marks {
			numbered[i] = arg(m)
		}
		where = append(where, `(`+strings.Join(order, ", ")+`) > (`+strings.Join(numbered, ", ")+`)`, order[0]+` >= `+numbered[0])
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+of+`, `+verdictColumns+`, `+begins+`, `+ends+`, COALESCE(f.until < COALESCE(v.until, 9223372036854775807), 0), `+softwareColumns+`,
			a.id, a.operator, a.name, a.class, a.site, a.reachable, a.data, a.services, a.first_seen,
			EXISTS (SELECT 1 FROM presence z WHERE z.asset = a.id AND z.last_seen IS NULL),
			s.name, s.grade, s.observed_at, i.source, i.first_seen, i.last_seen, CASE WHEN i.last_seen IS NOT NULL THEN `+goneAt+` END,
			CASE WHEN i.last_seen IS NULL THEN 0 ELSE EXISTS (SELECT 1 FROM installs n JOIN software m ON m.id = n.software
				WHERE n.source = i.source AND n.asset = i.asset AND n.first_seen > i.last_seen AND m.vendor = w.vendor AND m.product = w.product) END
		FROM `+from+onPlatform+` CROSS JOIN software w ON w.id = i.software CROSS JOIN sources s ON s.id = i.source CROSS JOIN assets a ON a.id = i.asset
		WHERE `+strings.Join(where, ` AND `)+` ORDER BY `+sorted+strings.Join(order, ", ")+` LIMIT `+arg(limit+1), args...)
	found, err := list(rows, err, scanExposure)
	if err != nil {
		return none, err
	}
	cut := paged(found, limit, func(e exposureEdge) string { return exposureCursor(e, byAsset) })
	page := ward.Page[ward.Exposure]{Next: cut.Next}
	ids := make([]ward.AssetID, len(cut.Items))
	for i, e := range cut.Items {
		ids[i] = e.Asset.ID
		page.Items = append(page.Items, e.Exposure)
	}
	answer, err := tx.accountableFor(ctx, ids)
	if err != nil {
		return none, err
	}
	for i := range page.Items {
		asset := &page.Items[i].Asset
		for _, org := range answer[asset.ID] {
			if scope.Sees(asset.Operator) || scope.Sees(org) {
				asset.Accountable = append(asset.Accountable, org)
			}
		}
	}
	return page, nil
}

// widespread reports whether what is chosen is on so many assets of the country that one organisation's are found sooner by
// going through its own.
func (tx *Tx) widespread(ctx context.Context, q ExposureQuery) (bool, error) {
	const many = 2000
	condition, args := `software = $1`, []any{int64(q.Software)}
	switch {
	case q.Software != 0:
	case q.CVE != "":
		condition, args = `software IN (SELECT software FROM verdicts WHERE cve = $1)`, []any{string(q.CVE)}
	default:
		in, keys := marks(q.Keys, 1)
		condition, args = `software IN (SELECT software FROM software_products WHERE product_key IN (`+in+`))`, keys
	}
	var n int
	err := tx.tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM installs WHERE %s LIMIT %d)`, condition, many), args...).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("store: exposures: %w", err)
	}
	return n == many, nil
}

// accountableFor lists who answers for each of the assets; the caller keeps to the scope.
func (tx *Tx) accountableFor(ctx context.Context, ids []ward.AssetID) (map[ward.AssetID][]ward.OrgID, error) {
	all := map[ward.AssetID][]ward.OrgID{}
	err := chunked(ids, func(some []ward.AssetID) error {
		rows, err := tx.tx.QueryContext(ctx, `SELECT asset, org FROM asset_orgs WHERE accountable = 1 AND asset IN (`+integers(some)+`) ORDER BY asset, org`)
		_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var asset ward.AssetID
			var org ward.OrgID
			err := rows.Scan(&asset, &org)
			all[asset] = append(all[asset], org)
			return struct{}{}, err
		})
		return err
	})
	return all, err
}

func scanExposure(rows *sql.Rows) (e exposureEdge, err error) {
	var verdictSince, verdictUntil, since, until, first, observed, installed, last, gone sql.NullInt64
	var data, services string
	var present, moved bool // moved: the asset came to another platform while the verdict stood
	v, w, a := &e.Verdict, &e.Software, &e.Asset
	if err := rows.Scan(&e.Org, &v.Software, &v.CVE, &verdictSince, &verdictUntil, &v.Status, &v.Basis, &v.Confidence, &v.Source, &v.Fixed, &v.Why, &v.Platform, &v.Waits,
		&since, &until, &moved,
		&w.ID, &w.Vendor, &w.Product, &w.Version, &w.CPE, &w.PURL,
		&a.ID, &a.Operator, &a.Name, &a.Class, &a.Site, &a.Reachable, &data, &services, &first, &present,
		&e.Source, &e.Grade, &observed, &e.source, &installed, &last, &gone, &e.replaced); err != nil {
		return e, err
	}
	v.Since, v.Until, a.FirstSeen, a.Gone = moment(since), moment(until), moment(first), !present
	e.installed = installed.Int64
	e.FirstSeen = later(moment(installed), v.Since)
	switch end := later(moment(last), moment(gone)); {
	case !v.Until.IsZero() && (end.IsZero() || v.Until.Before(end)):
		e.LastSeen, e.Ended = v.Until, "verdict changed"
		if moved {
			e.Ended = "platform changed"
		}
	case !end.IsZero() && e.replaced:
		e.LastSeen, e.Ended = moment(last), "version changed"
	case !end.IsZero():
		e.LastSeen, e.Ended = moment(last), "no longer seen"
	default:
		e.LastSeen = moment(observed)
	}
	e.LastSeen = later(e.LastSeen, e.FirstSeen)
	a.LastSeen = moment(observed)
	if last.Valid {
		a.LastSeen = moment(last)
	}
	return e, errors.Join(json.Unmarshal([]byte(data), &a.Data), json.Unmarshal([]byte(services), &a.Services))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// exposureCursor marks a row by the values of its order.
func exposureCursor(e exposureEdge, byAsset bool) string {
	ints := []int64{int64(e.Software.ID), int64(e.Asset.ID), e.source}
	if byAsset {
		ints = []int64{int64(e.Asset.ID), e.source, int64(e.Software.ID)}
	}
	parts := make([]string, 0, 5)
	for _, n := range append(ints, e.installed, e.Verdict.Since.UnixMicro()) {
		parts = append(parts, strconv.FormatInt(n, 10))
	}
	return cursor(strings.Join(parts, ","), string(e.Verdict.CVE))
}

// exposureMarks reads what exposureCursor wrote, in the order of the columns.
func exposureMarks(after string, order []string) ([]any, error) {
	key, cve, err := readCursor(after)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(key, ",")
	if len(parts) != len(order)-1 {
		return nil, badCursor
	}
	var all []any
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, badCursor
		}
		if i == 3 {
			all = append(all, cve)
		}
		all = append(all, n)
	}
	return all, nil
}

// OrgCount is how many distinct assets of an organisation are exposed now.
type OrgCount struct {
	Org    ward.OrgID
	Assets int
}

// ExposureCounts counts, by organisation within scope, the assets that are exposed to a weakness now, most first.
func (tx *Tx) ExposureCounts(ctx context.Context, scope ward.Scope, cve ward.CVE) ([]OrgCount, error) {
	condition, args := within(scope, "o.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT o.org, COUNT(DISTINCT i.asset) AS assets FROM verdicts v
		CROSS JOIN installs i ON i.software = v.software AND i.last_seen IS NULL`+onPlatform+` CROSS JOIN asset_orgs o ON o.asset = i.asset
		WHERE v.cve = $1 AND v.until IS NULL AND v.status = 'affected' AND `+thereNow+` AND `+condition+`
		GROUP BY o.org ORDER BY assets DESC, o.org`, append([]any{string(cve)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (c OrgCount, err error) { err = rows.Scan(&c.Org, &c.Assets); return c, err })
}

// Interval is one asset's exposure for one organisation: until End, or still while that is zero.
type Interval struct {
	Org        ward.OrgID
	Asset      ward.AssetID
	Start, End time.Time
}

// ExposureIntervals calls yield with every interval of exposure to a weakness within scope, in no order.
func (tx *Tx) ExposureIntervals(ctx context.Context, scope ward.Scope, cve ward.CVE, yield func(Interval)) error {
	condition, args := within(scope, "o.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT o.org, i.asset, MAX(i.first_seen, `+begins+`), `+ends+`,
			CASE WHEN i.last_seen IS NOT NULL THEN MAX(i.last_seen, COALESCE(`+goneAt+`, i.last_seen)) END FROM verdicts v
		CROSS JOIN installs i ON i.software = v.software`+onPlatform+` CROSS JOIN asset_orgs o ON o.asset = i.asset
		WHERE v.cve = $1 AND v.status = 'affected' AND `+overlaps+` AND `+condition, append([]any{string(cve)}, args...)...)
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var i Interval
		var start, until, gone sql.NullInt64
		err := rows.Scan(&i.Org, &i.Asset, &start, &until, &gone)
		i.Start = moment(start)
		for _, end := range []time.Time{moment(until), moment(gone)} {
			if !end.IsZero() && (i.End.IsZero() || end.Before(i.End)) {
				i.End = end
			}
		}
		yield(i)
		return struct{}{}, err
	})
	return err
}

// ---- standing and evidence

// Running is one identity as one source lists it now on an organisation's assets.
type Running struct {
	Org        ward.OrgID
	Software   ward.SoftwareID
	Source     string
	Format     string
	Grade      ward.Grade
	ObservedAt time.Time
	Assets     []ward.AssetID
}

// RunningNow lists where the identities are listed now, within scope.
func (tx *Tx) RunningNow(ctx context.Context, scope ward.Scope, ids []ward.SoftwareID) ([]Running, error) {
	var all []Running
	err := chunked(ids, func(some []ward.SoftwareID) error {
		condition, args := within(scope, "o.org", 1)
		rows, err := tx.tx.QueryContext(ctx, `SELECT o.org, i.software, s.name, s.format, s.grade, s.observed_at, i.asset
			FROM installs i CROSS JOIN asset_orgs o ON o.asset = i.asset CROSS JOIN sources s ON s.id = i.source
			WHERE i.software IN (`+integers(some)+`) AND i.last_seen IS NULL AND `+condition+`
			ORDER BY o.org, i.software, i.source, i.asset`, args...)
		_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var r Running
			var asset ward.AssetID
			var observed sql.NullInt64
			if err := rows.Scan(&r.Org, &r.Software, &r.Source, &r.Format, &r.Grade, &observed, &asset); err != nil {
				return struct{}{}, err
			}
			r.ObservedAt = moment(observed)
			if n := len(all) - 1; n >= 0 && all[n].Org == r.Org && all[n].Software == r.Software && all[n].Source == r.Source {
				all[n].Assets = append(all[n].Assets, asset)
				return struct{}{}, nil
			}
			r.Assets = []ward.AssetID{asset}
			all = append(all, r)
			return struct{}{}, nil
		})
		return err
	})
	return all, err
}

// Vanished is an identity that was on an asset which no source lists any more.
type Vanished struct {
	Org      ward.OrgID
	Software ward.SoftwareID
	Asset    string // its name
	Source   string
	LastSeen time.Time
}

// VanishedSince lists what was last seen at or after a time on assets that no source lists any more, newest first.
func (tx *Tx) VanishedSince(ctx context.Context, scope ward.Scope, ids []ward.SoftwareID, since time.Time) (all []Vanished, err error) {
	err = chunked(ids, func(some []ward.SoftwareID) error {
		condition, args := within(scope, "o.org", 2)
		rows, err := tx.tx.QueryContext(ctx, `SELECT o.org, i.software, a.name, s.name, i.last_seen
			FROM installs i CROSS JOIN asset_orgs o ON o.asset = i.asset CROSS JOIN sources s ON s.id = i.source CROSS JOIN assets a ON a.id = i.asset
			WHERE i.software IN (`+integers(some)+`) AND i.last_seen >= $1 AND `+condition+`
			AND NOT EXISTS (SELECT 1 FROM presence p WHERE p.asset = i.asset AND p.last_seen IS NULL)
			ORDER BY i.last_seen DESC, a.name`, append([]any{micros(since)}, args...)...)
		found, err := list(rows, err, func(rows *sql.Rows) (v Vanished, err error) {
			var last sql.NullInt64
			err = rows.Scan(&v.Org, &v.Software, &v.Asset, &v.Source, &last)
			v.LastSeen = moment(last)
			return v, err
		})
		all = append(all, found...)
		return err
	})
	return all, err
}

// SourcesWithin lists every source of every organisation within scope.
func (tx *Tx) SourcesWithin(ctx context.Context, scope ward.Scope) ([]ward.Source, error) {
	condition, args := within(scope, "org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, org, name, format, grade, classes, observed_at, assets FROM sources WHERE `+condition+` ORDER BY org, name`, args...)
	return list(rows, err, func(rows *sql.Rows) (s ward.Source, err error) {
		var classes string
		var observed sql.NullInt64
		if err := rows.Scan(&s.ID, &s.Org, &s.Name, &s.Format, &s.Grade, &classes, &observed, &s.Assets); err != nil {
			return s, err
		}
		s.ObservedAt = moment(observed)
		return s, json.Unmarshal([]byte(classes), &s.Classes)
	})
}

// DeclaredOn lists each organisation's newest declaration on a product, within scope.
func (tx *Tx) DeclaredOn(ctx context.Context, scope ward.Scope, keys []string) (map[ward.OrgID]ward.Declaration, error) {
	all := map[ward.OrgID]ward.Declaration{}
	err := chunked(keys, func(some []string) error {
		condition, args := within(scope, "org", 1)
		in, values := marks(some, len(args)+1)
		rows, err := tx.tx.QueryContext(ctx, `SELECT id, org, vendor, product, answer, version, host, words, by_person, by_name, at, expires
			FROM declarations WHERE `+condition+` AND product_key IN (`+in+`) ORDER BY at, id`, append(args, values...)...)
		_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var d ward.Declaration
			var at, expires sql.NullInt64
			if err := rows.Scan(&d.ID, &d.Org, &d.Vendor, &d.Product, &d.Answer, &d.Version, &d.Host, &d.Words, &d.By, &d.Name, &at, &expires); err != nil {
				return struct{}{}, err
			}
			d.At, d.Expires = moment(at), moment(expires)
			if old, ok := all[d.Org]; !ok || !d.At.Before(old.At) {
				all[d.Org] = d
			}
			return struct{}{}, nil
		})
		return err
	})
	return all, err
}

// ClassesSeen lists the classes of assets on which any of the products was ever seen, in any estate: which kind of machine
// runs a product is nobody's secret.
func (tx *Tx) ClassesSeen(ctx context.Context, keys []string) (all []ward.Class, err error) {
	err = chunked(keys, func(some []string) error {
		in, args := marks(some, 1)
		names, err := texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT a.class FROM software_products p CROSS JOIN installs i ON i.software = p.software
			CROSS JOIN assets a ON a.id = i.asset WHERE p.product_key IN (`+in+`) AND a.class <> '' ORDER BY a.class`, args...))
		for _, name := range names {
			all = append(all, ward.Class(name))
		}
		return err
	})
	return all, err
}

// Sighting is one install on one organisation's asset, as evidence.
type Sighting struct {
	Asset      ward.AssetID
	Name       string
	Software   ward.SoftwareID
	SourceID   ward.SourceID
	Source     string
	Format     string
	Grade      ward.Grade
	FirstSeen  time.Time
	LastSeen   time.Time // of the source's newest observation while not Gone
	Gone       bool
	AssetGone  bool // this source lists the asset no more
	ObservedAt time.Time
}

// SightingsOf lists every install of the identities on the organisation's assets that reached into since or later, newest
// last. The organisation must be within scope.
func (tx *Tx) SightingsOf(ctx context.Context, scope ward.Scope, org ward.OrgID, ids []ward.SoftwareID, since time.Time) (all []Sighting, err error) {
	reach := int64(0)
	if !since.IsZero() {
		reach = since.UnixMicro()
	}
	err = chunked(ids, func(some []ward.SoftwareID) error {
		condition, args := within(scope, "o.org", 3)
		rows, err := tx.tx.QueryContext(ctx, `SELECT i.asset, a.name, i.software, i.source, s.name, s.format, s.grade, i.first_seen,
				COALESCE(i.last_seen, s.observed_at), i.last_seen IS NOT NULL, s.observed_at,
				NOT EXISTS (SELECT 1 FROM presence p WHERE p.source = i.source AND p.asset = i.asset AND p.last_seen IS NULL)
			FROM installs i CROSS JOIN asset_orgs o ON o.asset = i.asset AND o.org = $1 CROSS JOIN sources s ON s.id = i.source CROSS JOIN assets a ON a.id = i.asset
			WHERE i.software IN (`+integers(some)+`) AND COALESCE(i.last_seen, 9223372036854775807) >= $2 AND `+condition+`
			ORDER BY a.name, i.asset, i.source, i.first_seen`, append([]any{string(org), reach}, args...)...)
		found, err := list(rows, err, func(rows *sql.Rows) (s Sighting, err error) {
			var first, last, observed sql.NullInt64
			err = rows.Scan(&s.Asset, &s.Name, &s.Software, &s.SourceID, &s.Source, &s.Format, &s.Grade, &first, &last, &s.Gone, &observed, &s.AssetGone)
			s.FirstSeen, s.LastSeen, s.ObservedAt = moment(first), moment(last), moment(observed)
			return s, err
		})
		all = append(all, found...)
		return err
	})
	return all, err
}
