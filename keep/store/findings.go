package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

// Exposed is one affected software identity on one asset of one organisation, now.
type Exposed struct {
	Org       ward.OrgID
	Software  ward.SoftwareID
	Platform  ward.PlatformID // through a verdict on this platform of the asset's; 0: whatever else it runs
	Asset     ward.AssetID
	Reachable ward.Tri
	Services  []string
}

// Weak is one open affected verdict on a software identity, with what orders the queue.
type Weak struct {
	Software  ward.SoftwareID
	Platform  ward.PlatformID // of the assets that it is about; 0: all
	CVE       ward.CVE
	Fixed     string
	Exploited bool
	SSVC      string // exploitation/automatable/impact, or empty
	CVSS      float64
	EPSS      float64
}

// FindingQuery chooses findings. Its zero value chooses the open ones that the scope sees.
type FindingQuery struct {
	Org   ward.OrgID
	State ward.FindingState // empty: open
	CVE   ward.CVE
	Text  string // part of the vendor, product, fix or a CVE, without case
	After string // cursor
	Limit int
}

// Kept is a finding with the keys that the desk orders and compares by.
type Kept struct {
	ward.Finding
	ProductKey string
	Rank       string // sorts the queue, the most urgent first
}

const exposedColumns = `SELECT DISTINCT o.org, i.software, v.platform, i.asset, a.reachable, a.services `

// ExposedOf calls yield for everything affected on the assets of the organisations. Few organisations are read by their
// assets, many in one pass over what is affected (the plus keeps the pass from asking each asset for each organisation).
func (tx *Tx) ExposedOf(ctx context.Context, orgs []ward.OrgID, yield func(Exposed)) error {
	const few = 4
	in, args := marks(orgs, 1)
	query := exposedColumns + `
		FROM (SELECT DISTINCT software, platform, waits FROM verdicts WHERE status = 'affected' AND until IS NULL) v
		CROSS JOIN installs i ON i.software = v.software AND i.last_seen IS NULL` + onPlatform + `
		CROSS JOIN asset_orgs o ON o.asset = i.asset AND +o.org IN (` + in + `)
		CROSS JOIN assets a ON a.id = i.asset WHERE ` + thereNow
	if len(orgs) <= few {
		query = exposedColumns + `
		FROM asset_orgs o CROSS JOIN presence p ON p.asset = o.asset AND p.last_seen IS NULL
		CROSS JOIN installs i ON i.source = p.source AND i.asset = p.asset AND i.last_seen IS NULL
		CROSS JOIN (SELECT DISTINCT software, platform, waits FROM verdicts WHERE status = 'affected' AND until IS NULL) v ON v.software = i.software` + onPlatform + `
		CROSS JOIN assets a ON a.id = i.asset
		WHERE o.org IN (` + in + `) AND ` + thereNow
	}
	return exposed(tx.tx.QueryContext(ctx, query, args...))(yield)
}

// ExposedBy calls yield for every asset of any organisation on which one of the identities is, and is affected.
func (tx *Tx) ExposedBy(ctx context.Context, ids []ward.SoftwareID, yield func(Exposed)) error {
	return chunked(ids, func(some []ward.SoftwareID) error {
		return exposed(tx.tx.QueryContext(ctx, exposedColumns+`
			FROM (SELECT DISTINCT software, platform, waits FROM verdicts WHERE status = 'affected' AND until IS NULL AND software IN (`+integers(some)+`)) v
			CROSS JOIN installs i ON i.software = v.software AND i.last_seen IS NULL`+onPlatform+`
			CROSS JOIN asset_orgs o ON o.asset = i.asset
			CROSS JOIN assets a ON a.id = i.asset WHERE `+thereNow))(yield)
	})
}

func exposed(rows *sql.Rows, err error) func(yield func(Exposed)) error {
	return func(yield func(Exposed)) error {
		if err != nil {
			return fmt.Errorf("store: exposed: %w", err)
		}
		defer rows.Close()
		services := map[string][]string{}
		for rows.Next() {
			var e Exposed
			var text string
			if err := rows.Scan(&e.Org, &e.Software, &e.Platform, &e.Asset, &e.Reachable, &text); err != nil {
				return fmt.Errorf("store: exposed: %w", err)
			}
			known, ok := services[text]
			if !ok {
				if err := json.Unmarshal([]byte(text), &known); err != nil {
					return fmt.Errorf("store: services of asset %d: %w", e.Asset, err)
				}
				services[text] = known
			}
			e.Services = known
			yield(e)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("store: exposed: %w", err)
		}
		return nil
	}
}

// SoftwareLike lists the identities that may be of a product with one of the keys: those that are posted under it, and those
// whose vendor nobody wrote, which are posted under what may be it.
func (tx *Tx) SoftwareLike(ctx context.Context, keys []string) (all []ward.Software, err error) {
	if all, err = tx.SoftwareByKeys(ctx, keys); err != nil {
		return nil, err
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+softwareColumns+` FROM software w WHERE w.vendor NOT GLOB '*[a-zA-Z0-9]*'`)
	nameless, err := list(rows, err, scanSoftware)
	return append(all, nameless...), err
}

// WeaknessesOf lists the open affected verdicts on software identities, and the identities themselves.
func (tx *Tx) WeaknessesOf(ctx context.Context, ids []ward.SoftwareID) (weak []Weak, identities map[ward.SoftwareID]ward.Software, err error) {
	const chunk = 1000 // parameters a query
	identities = map[ward.SoftwareID]ward.Software{}
	for len(ids) > 0 {
		now := ids[:min(chunk, len(ids))]
		ids = ids[len(now):]
		in, args := numbers(now, 1)
		rows, err := tx.tx.QueryContext(ctx, `SELECT id, vendor, product, version, cpe, purl FROM software WHERE id IN (`+in+`)`, args...)
		found, err := list(rows, err, func(rows *sql.Rows) (s ward.Software, err error) {
			err = rows.Scan(&s.ID, &s.Vendor, &s.Product, &s.Version, &s.CPE, &s.PURL)
			return s, err
		})
		if err != nil {
			return nil, nil, err
		}
		for _, s := range found {
			identities[s.ID] = s
		}
		rows, err = tx.tx.QueryContext(ctx, `SELECT v.software, v.platform, v.cve, v.fixed, CASE WHEN k.exploited_since IS NULL THEN 0 ELSE 1 END,
				COALESCE(k.ssvc, ''), COALESCE(k.cvss, 0), COALESCE(e.score, 0)
			FROM verdicts v LEFT JOIN vulnerabilities k ON k.id = v.cve LEFT JOIN epss e ON e.cve = v.cve
			WHERE v.software IN (`+in+`) AND v.status = 'affected' AND v.until IS NULL AND v.waits = 0`, args...)
		more, err := list(rows, err, func(rows *sql.Rows) (w Weak, err error) {
			err = rows.Scan(&w.Software, &w.Platform, &w.CVE, &w.Fixed, &w.Exploited, &w.SSVC, &w.CVSS, &w.EPSS)
			return w, err
		})
		if err != nil {
			return nil, nil, err
		}
		weak = append(weak, more...)
	}
	return weak, identities, nil
}

// numbers is marks for numeric IDs.
func numbers[T ~int64](values []T, next int) (string, []any) {
	names := make([]string, len(values))
	args := make([]any, len(values))
	for i, v := range values {
		names[i], args[i] = fmt.Sprintf("$%d", next+i), int64(v)
	}
	return strings.Join(names, ","), args
}

// Remains says what an organisation still runs of a product that no finding is about any more: how many assets, and one
// version that is called fixed or not affected.
func (tx *Tx) Remains(ctx context.Context, org ward.OrgID, productKey string) (assets int, settled string, err error) {
	err = tx.tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT i.asset),
			COALESCE(MAX(CASE WHEN EXISTS (SELECT 1 FROM verdicts v WHERE v.software = s.id AND v.until IS NULL AND v.platform = 0 AND v.status IN ('fixed', 'not_affected')) THEN s.version END), '')
		FROM software_products p JOIN software s ON s.id = p.software JOIN installs i ON i.software = p.software AND i.last_seen IS NULL
		JOIN asset_orgs o ON o.asset = i.asset AND o.org = $1 WHERE p.product_key = $2`, string(org), productKey).Scan(&assets, &settled)
	if err != nil {
		return 0, "", fmt.Errorf("store: remains of %s at %s: %w", productKey, org, err)
	}
	return assets, settled, nil
}

// SaveFinding writes a finding.
func (tx *Tx) SaveFinding(ctx context.Context, k Kept) error {
	cves, err := encode(k.CVEs)
	if err != nil {
		return err
	}
	priority, err := encode(k.Priority)
	if err != nil {
		return err
	}
	if err := tx.repeat(ctx, `INSERT INTO findings
			(id, org, vendor, product, product_key, branch, fix, cves, assets, state, ended, replaces, first_seen, last_seen, rank, priority)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (id) DO UPDATE SET vendor = excluded.vendor, product = excluded.product, cves = excluded.cves, assets = excluded.assets,
			state = excluded.state, ended = excluded.ended, replaces = excluded.replaces, first_seen = excluded.first_seen,
			last_seen = excluded.last_seen, rank = excluded.rank, priority = excluded.priority`,
		string(k.ID), string(k.Org), k.Vendor, k.Product, k.ProductKey, k.Branch, k.Fix, cves, k.Assets, string(k.State), k.Ended,
		string(k.Replaces), micros(k.FirstSeen), micros(k.LastSeen), k.Rank, priority); err != nil {
		return fmt.Errorf("store: finding %s: %w", k.ID, err)
	}
	if err := tx.repeat(ctx, `DELETE FROM finding_cves WHERE finding = $1`, string(k.ID)); err != nil {
		return fmt.Errorf("store: finding %s: %w", k.ID, err)
	}
	for _, cve := range k.CVEs {
		if err := tx.repeat(ctx, `INSERT INTO finding_cves (cve, finding) VALUES ($1, $2)`, string(cve), string(k.ID)); err != nil {
			return fmt.Errorf("store: finding %s: %w", k.ID, err)
		}
	}
	return nil
}

const findingFacts = `f.id, f.org, f.vendor, f.product, f.product_key, f.branch, f.fix, f.cves, f.assets, f.state, f.ended, f.replaces, f.first_seen,
	f.last_seen, f.rank, f.priority`

// findingColumns reads a finding f, with the oldest alert in force that asked its organisation about one of its weaknesses.
const findingColumns = findingFacts + `, COALESCE((SELECT MIN(r.alert) FROM finding_cves c JOIN alert_cves n ON n.cve = c.cve
		JOIN responses r ON r.alert = n.alert AND r.org = f.org JOIN alerts a ON a.id = n.alert AND a.state = 'published' WHERE c.finding = f.id), '')
	FROM findings f`

func scanFinding(rows *sql.Rows) (k Kept, err error) {
	var cves, priority string
	var first, last sql.NullInt64
	if err := rows.Scan(&k.ID, &k.Org, &k.Vendor, &k.Product, &k.ProductKey, &k.Branch, &k.Fix, &cves, &k.Assets, &k.State, &k.Ended, &k.Replaces,
		&first, &last, &k.Rank, &priority, &k.Alert); err != nil {
		return k, err
	}
	k.FirstSeen, k.LastSeen = moment(first), moment(last)
	if err := json.Unmarshal([]byte(cves), &k.CVEs); err != nil {
		return k, err
	}
	err = json.Unmarshal([]byte(priority), &k.Priority)
	return k, err
}

// FindingsOf lists every finding of one organisation, ended and replaced ones too, of all products or of those with the keys.
// What alert there is about them is not told.
func (tx *Tx) FindingsOf(ctx context.Context, org ward.OrgID, keys ...string) ([]Kept, error) {
	condition, args := "1=1", []any{string(org)}
	if len(keys) > 0 {
		in, values := marks(keys, 2)
		condition, args = "f.product_key IN ("+in+")", append(args, values...)
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+findingFacts+`, '' FROM findings f WHERE f.org = $1 AND `+condition+` ORDER BY f.rank, f.id`, args...)
	return list(rows, err, scanFinding)
}

// OrgsWithFindings lists the organisations that have an open finding on a product with one of the keys.
func (tx *Tx) OrgsWithFindings(ctx context.Context, keys []string) ([]string, error) {
	in, args := marks(keys, 1)
	return texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT org FROM findings WHERE state = 'open' AND product_key IN (`+in+`) ORDER BY org`, args...))
}

// SeeFindings says that the open findings of an organisation, of all products or of those with the keys, still stand.
func (tx *Tx) SeeFindings(ctx context.Context, org ward.OrgID, at time.Time, keys ...string) error {
	condition, args := "1=1", []any{string(org), micros(at)}
	if len(keys) > 0 {
		in, values := marks(keys, 3)
		condition, args = "product_key IN ("+in+")", append(args, values...)
	}
	if _, err := tx.tx.ExecContext(ctx, `UPDATE findings SET last_seen = $2 WHERE org = $1 AND state = 'open' AND `+condition, args...); err != nil {
		return fmt.Errorf("store: findings of %s: %w", org, err)
	}
	return nil
}

// Finding reads one finding.
func (tx *Tx) Finding(ctx context.Context, scope ward.Scope, id ward.FindingID) (ward.Finding, error) {
	condition, args := within(scope, "f.org", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+findingColumns+` WHERE f.id = $1 AND `+condition, append([]any{string(id)}, args...)...)
	found, err := list(rows, err, scanFinding)
	if err != nil {
		return ward.Finding{}, err
	}
	if len(found) == 0 {
		return ward.Finding{}, fmt.Errorf("finding %s: %w", id, ward.ErrNotFound)
	}
	return found[0].Finding, nil
}

// Findings lists findings, the most urgent first.
func (tx *Tx) Findings(ctx context.Context, scope ward.Scope, q FindingQuery) (ward.Page[ward.Finding], error) {
	limit := pageSize(q.Limit)
	state := q.State
	if state == "" {
		state = ward.FindingOpen
	}
	args := []any{string(state)}
	where := "f.state = $1"
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where += " AND " + condition
	}
	if q.Org != "" {
		add("f.org = ?", string(q.Org))
	}
	if q.CVE != "" {
		add("EXISTS (SELECT 1 FROM finding_cves c WHERE c.finding = f.id AND c.cve = ?)", string(q.CVE))
	}
	if q.Text != "" {
		add(`lower(f.vendor || ' ' || f.product || ' ' || f.fix || ' ' || f.cves) LIKE ? ESCAPE '\'`, containing(q.Text))
	}
	if q.After != "" {
		rank, id, err := readCursor(q.After)
		if err != nil {
			return ward.Page[ward.Finding]{}, err
		}
		add("(f.rank > ? OR (f.rank = ? AND f.id > ?))", rank, rank, id)
	}
	seen, seenArgs := within(scope, "f.org", len(args)+1)
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT %s WHERE %s AND %s ORDER BY f.rank, f.id LIMIT %d`, findingColumns, where, seen, limit+1),
		append(args, seenArgs...)...)
	kept, err := list(rows, err, scanFinding)
	if err != nil {
		return ward.Page[ward.Finding]{}, err
	}
	page := paged(kept, limit, func(k Kept) string { return cursor(k.Rank, string(k.ID)) })
	findings := make([]ward.Finding, len(page.Items))
	for i, k := range page.Items {
		findings[i] = k.Finding
	}
	return ward.Page[ward.Finding]{Items: findings, Next: page.Next}, nil
}

// Fix is one update that organisations need: their findings of the same product, branch and fixed version together.
type Fix struct {
	Vendor    string
	Product   string
	Branch    string
	Fix       string
	Orgs      int
	Assets    int
	FirstSeen time.Time
	Finding   ward.FindingID // the most urgent of them
	Rank      string
}

// Fixes lists what organisations need, the most urgent first.
func (tx *Tx) Fixes(ctx context.Context, scope ward.Scope, limit int) ([]Fix, error) {
	condition, args := within(scope, "f.org", 1)
	rows, err := tx.tx.QueryContext(ctx, fmt.Sprintf(`SELECT MIN(f.vendor), MIN(f.product), f.branch, f.fix, COUNT(*), SUM(f.assets), MIN(f.first_seen),
			MIN(f.rank || ' ' || f.id) AS worst
		FROM findings f WHERE f.state = 'open' AND %s GROUP BY f.product_key, f.branch, f.fix ORDER BY worst LIMIT %d`, condition, pageSize(limit)), args...)
	return list(rows, err, func(rows *sql.Rows) (f Fix, err error) {
		var first sql.NullInt64
		var worst string
		err = rows.Scan(&f.Vendor, &f.Product, &f.Branch, &f.Fix, &f.Orgs, &f.Assets, &first, &worst)
		f.FirstSeen = moment(first)
		rank, id, _ := strings.Cut(worst, " ")
		f.Rank, f.Finding = rank, ward.FindingID(id)
		return f, err
	})
}
