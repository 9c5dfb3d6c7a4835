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

// Feed is how a feed stands, with what the next reading needs. Its Stale is for the room to work out.
type Feed struct {
	ward.Feed
	ETag         string
	LastModified string
	Cursor       string // of a feed that is read page by page
}

// Feeds lists the feeds that were ever read, by name.
func (tx *Tx) Feeds(ctx context.Context) ([]Feed, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT name, location, etag, last_modified, attempted, succeeded, observed,
		next_due, records, changed, rejected, last_error, cursor FROM feeds ORDER BY name`)
	return list(rows, err, func(rows *sql.Rows) (f Feed, err error) {
		var attempted, succeeded, observed, due sql.NullInt64
		err = rows.Scan(&f.Name, &f.Location, &f.ETag, &f.LastModified, &attempted, &succeeded, &observed, &due,
			&f.Records, &f.Changed, &f.Rejected, &f.Error, &f.Cursor)
		f.Attempted, f.Succeeded, f.Observed, f.NextDue = moment(attempted), moment(succeeded), moment(observed), moment(due)
		return f, err
	})
}

// SaveFeed writes how a feed stands.
func (tx *Tx) SaveFeed(ctx context.Context, f Feed) error {
	_, err := tx.tx.ExecContext(ctx, `INSERT INTO feeds (name, location, etag, last_modified, attempted, succeeded, observed,
		next_due, records, changed, rejected, last_error, cursor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (name) DO UPDATE SET location = excluded.location, etag = excluded.etag,
		last_modified = excluded.last_modified, attempted = excluded.attempted, succeeded = excluded.succeeded,
		observed = excluded.observed, next_due = excluded.next_due, records = excluded.records, changed = excluded.changed,
		rejected = excluded.rejected, last_error = excluded.last_error, cursor = excluded.cursor`,
		f.Name, f.Location, f.ETag, f.LastModified, micros(f.Attempted), micros(f.Succeeded), micros(f.Observed),
		micros(f.NextDue), f.Records, f.Changed, f.Rejected, f.Error, f.Cursor)
	if err != nil {
		return fmt.Errorf("store: feed %s: %w", f.Name, err)
	}
	return nil
}

// FeedHolds lists the readings that shrank too far, by feed, whatever became of them.
func (tx *Tx) FeedHolds(ctx context.Context) (map[string]ward.FeedHold, error) {
	all := map[string]ward.FeedHold{}
	rows, err := tx.tx.QueryContext(ctx, `SELECT feed, at, location, file, records, had, observed, state, by_name FROM feed_holds`)
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var name string
		var h ward.FeedHold
		var at, observed sql.NullInt64
		err := rows.Scan(&name, &at, &h.Location, &h.File, &h.Records, &h.Had, &observed, &h.State, &h.By)
		h.At, h.Observed = moment(at), moment(observed)
		all[name] = h
		return struct{}{}, err
	})
	return all, err
}

// SaveFeedHold writes how a held reading stands.
func (tx *Tx) SaveFeedHold(ctx context.Context, feed string, h ward.FeedHold) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO feed_holds (feed, at, location, file, records, had, observed, state, by_name)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (feed) DO UPDATE SET at = excluded.at, location = excluded.location,
		file = excluded.file, records = excluded.records, had = excluded.had, observed = excluded.observed, state = excluded.state, by_name = excluded.by_name`,
		feed, micros(h.At), h.Location, h.File, h.Records, h.Had, micros(h.Observed), string(h.State), h.By); err != nil {
		return fmt.Errorf("store: held reading of %s: %w", feed, err)
	}
	return nil
}

// DropFeedHold forgets a held reading: a later one took its place.
func (tx *Tx) DropFeedHold(ctx context.Context, feed string) error {
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM feed_holds WHERE feed = $1`, feed); err != nil {
		return fmt.Errorf("store: held reading of %s: %w", feed, err)
	}
	return nil
}

// Report is one source's newest word on one weakness. Body is for the rooms to read.
type Report struct {
	CVE        ward.CVE
	Source     string
	URL        string
	ObservedAt time.Time // when we read it
	Modified   time.Time // when the source said it
	Digest     string    // of Body
	Size       int       // of Body, in bytes
	Body       []byte
	Products   []string // the product keys by which it can be matched; written, and not read back
}

// inList is how many values one IN list takes.
const inList = 500

// Reports returns, for each of the weaknesses, every source's word, by source. Without bodies only what tells whether a
// report is new is read.
func (tx *Tx) Reports(ctx context.Context, bodies bool, cves ...ward.CVE) (map[ward.CVE][]Report, error) {
	body := "''"
	if bodies {
		body = "body"
	}
	all := make(map[ward.CVE][]Report, len(cves))
	for len(cves) > 0 {
		some := cves[:min(len(cves), inList)]
		cves = cves[len(some):]
		in, args := marks(some, 1)
		rows, err := tx.tx.QueryContext(ctx, `SELECT cve, source, url, observed_at, modified, digest, octet_length(body), `+body+` FROM reports
			WHERE cve IN (`+in+`) ORDER BY cve, source`, args...)
		reports, err := list(rows, err, func(rows *sql.Rows) (r Report, err error) {
			var observed, modified sql.NullInt64
			err = rows.Scan(&r.CVE, &r.Source, &r.URL, &observed, &modified, &r.Digest, &r.Size, &r.Body)
			r.ObservedAt, r.Modified = moment(observed), moment(modified)
			return r, err
		})
		if err != nil {
			return nil, err
		}
		for _, r := range reports {
			all[r.CVE] = append(all[r.CVE], r)
		}
	}
	return all, nil
}

// ReportedBy lists the weaknesses that a source speaks of.
func (tx *Tx) ReportedBy(ctx context.Context, source string) ([]ward.CVE, error) {
	names, err := texts(tx.tx.QueryContext(ctx, `SELECT cve FROM reports WHERE source = $1 ORDER BY cve`, source))
	cves := make([]ward.CVE, len(names))
	for i, name := range names {
		cves[i] = ward.CVE(name)
	}
	return cves, err
}

// SaveReports writes each source's newest word, with its product keys, in place of the one before.
func (tx *Tx) SaveReports(ctx context.Context, reports []Report) error {
	save, err := tx.tx.PrepareContext(ctx, `INSERT INTO reports (cve, source, url, observed_at, modified, digest, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (cve, source) DO UPDATE SET url = excluded.url,
		observed_at = excluded.observed_at, modified = excluded.modified, digest = excluded.digest, body = excluded.body`)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer save.Close()
	clean, err := tx.tx.PrepareContext(ctx, `DELETE FROM report_products WHERE cve = $1 AND source = $2`)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer clean.Close()
	post, err := tx.tx.PrepareContext(ctx, `INSERT INTO report_products (product_key, cve, source) VALUES ($1, $2, $3)
		ON CONFLICT (product_key, cve, source) DO NOTHING`)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer post.Close()
	for _, r := range reports {
		_, err := save.ExecContext(ctx, string(r.CVE), r.Source, r.URL, micros(r.ObservedAt), micros(r.Modified), r.Digest, string(r.Body))
		if err == nil {
			_, err = clean.ExecContext(ctx, string(r.CVE), r.Source)
		}
		for _, key := range r.Products {
			if err == nil {
				_, err = post.ExecContext(ctx, key, string(r.CVE), r.Source)
			}
		}
		if err != nil {
			return fmt.Errorf("store: report on %s by %s: %w", r.CVE, r.Source, err)
		}
	}
	return nil
}

// DropReport forgets what a source said of a weakness.
func (tx *Tx) DropReport(ctx context.Context, cve ward.CVE, source string) error {
	for _, query := range []string{`DELETE FROM reports WHERE cve = $1 AND source = $2`,
		`DELETE FROM report_products WHERE cve = $1 AND source = $2`} {
		if _, err := tx.tx.ExecContext(ctx, query, string(cve), source); err != nil {
			return fmt.Errorf("store: report on %s by %s: %w", cve, source, err)
		}
	}
	return nil
}

// Merged is a weakness merged for reading, with the lower-case words that a search finds it by.
type Merged struct {
	ward.Vulnerability
	Words string
}

// SaveVulnerabilities writes weaknesses as merged for reading.
func (tx *Tx) SaveVulnerabilities(ctx context.Context, all []Merged) error {
	save, err := tx.tx.PrepareContext(ctx, `INSERT INTO vulnerabilities (id, title, published, modified, exploited_since, ssvc,
		cvss, rejected, words, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET title = excluded.title, published = excluded.published, modified = excluded.modified,
		exploited_since = excluded.exploited_since, ssvc = excluded.ssvc, cvss = excluded.cvss, rejected = excluded.rejected,
		words = excluded.words, body = excluded.body`)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer save.Close()
	for _, v := range all {
		v.EPSS = nil // kept in a table of its own, which changes every day
		body, err := encode(v.Vulnerability)
		if err != nil {
			return err
		}
		var since any
		if v.Exploited != nil {
			since = micros(v.Exploited.Since)
		}
		ssvc, cvss := "", 0.0
		if v.SSVC != nil {
			ssvc = v.SSVC.Exploitation + "/" + v.SSVC.Automatable + "/" + v.SSVC.Impact
		}
		if len(v.CVSS) > 0 {
			cvss = v.CVSS[0].Score
		}
		rejected := 0
		if v.Rejected {
			rejected = 1
		}
		if _, err := save.ExecContext(ctx, string(v.ID), v.Title, published(v.Vulnerability), micros(v.Modified), since, ssvc, cvss,
			rejected, v.Words, body); err != nil {
			return fmt.Errorf("store: %s: %w", v.ID, err)
		}
	}
	return nil
}

func published(v ward.Vulnerability) int64 {
	if v.Published.IsZero() {
		return 0
	}
	return v.Published.UnixMicro()
}

// DropVulnerability forgets a weakness of which no source speaks any more.
func (tx *Tx) DropVulnerability(ctx context.Context, cve ward.CVE) error {
	if _, err := tx.tx.ExecContext(ctx, `DELETE FROM vulnerabilities WHERE id = $1`, string(cve)); err != nil {
		return fmt.Errorf("store: %s: %w", cve, err)
	}
	return nil
}

// Vulnerability returns one weakness as merged for reading. One that has a score and no report is known by that alone.
func (tx *Tx) Vulnerability(ctx context.Context, cve ward.CVE) (ward.Vulnerability, error) {
	all, err := tx.vulnerabilities(ctx, []string{string(cve)})
	if err != nil {
		return ward.Vulnerability{}, err
	}
	if len(all) == 0 {
		return ward.Vulnerability{}, ward.ErrNotFound
	}
	return all[0], nil
}

// vulnerabilities returns those that are known, in the order asked for.
func (tx *Tx) vulnerabilities(ctx context.Context, ids []string) ([]ward.Vulnerability, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, args := marks(ids, 1)
	known := map[string]*ward.Vulnerability{}
	rows, err := tx.tx.QueryContext(ctx, `SELECT body FROM vulnerabilities WHERE id IN (`+in+`)`, args...)
	bodies, err := texts(rows, err)
	if err != nil {
		return nil, err
	}
	for _, body := range bodies {
		var v ward.Vulnerability
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			return nil, fmt.Errorf("store: a vulnerability: %w", err)
		}
		known[string(v.ID)] = &v
	}
	rows, err = tx.tx.QueryContext(ctx, `SELECT cve, score, percentile, day FROM epss WHERE cve IN (`+in+`)`, args...)
	scores, err := list(rows, err, scanScore)
	if err != nil {
		return nil, err
	}
	for _, s := range scores {
		v := known[string(s.CVE)]
		if v == nil {
			v = &ward.Vulnerability{ID: s.CVE}
			known[string(s.CVE)] = v
		}
		v.EPSS = &s.EPSS
	}
	var all []ward.Vulnerability
	for _, id := range ids {
		if v := known[id]; v != nil {
			all = append(all, *v)
		}
	}
	return all, nil
}

// VulnerabilityQuery chooses weaknesses. Its zero value chooses all.
type VulnerabilityQuery struct {
	Text      string // each word of it, without case, in the identifier, title, vendor or product
	Exploited bool   // only those known to be exploited
	After     string // cursor
	Limit     int
}

// Vulnerabilities lists weaknesses, newest first.
func (tx *Tx) Vulnerabilities(ctx context.Context, q VulnerabilityQuery) (ward.Page[ward.Vulnerability], error) {
	limit := pageSize(q.Limit)
	conditions, args := []string{"1=1"}, []any{}
	next := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	if q.After != "" {
		key, id, err := readCursor(q.After)
		at, wrong := strconv.ParseInt(key, 10, 64)
		if err != nil || wrong != nil {
			return ward.Page[ward.Vulnerability]{}, badCursor
		}
		conditions = append(conditions, "(published, id) < ("+next(at)+", "+next(id)+")")
	}
	if q.Exploited {
		conditions = append(conditions, "exploited_since IS NOT NULL")
	}
	words := strings.Fields(q.Text)
	for _, word := range words[:min(len(words), 8)] {
		conditions = append(conditions, "words LIKE "+next(containing(word))+` ESCAPE '\'`)
	}
	rows, err := tx.tx.QueryContext(ctx, `SELECT id FROM vulnerabilities WHERE `+strings.Join(conditions, " AND ")+
		` ORDER BY published DESC, id DESC LIMIT `+next(limit+1), args...)
	ids, err := texts(rows, err)
	if err != nil {
		return ward.Page[ward.Vulnerability]{}, err
	}
	all, err := tx.vulnerabilities(ctx, ids)
	if err != nil {
		return ward.Page[ward.Vulnerability]{}, err
	}
	return paged(all, limit, func(v ward.Vulnerability) string {
		return cursor(strconv.FormatInt(published(v), 10), string(v.ID))
	}), nil
}

// Score is one weakness's EPSS.
type Score struct {
	CVE ward.CVE
	ward.EPSS
}

func scanScore(rows *sql.Rows) (s Score, err error) {
	var day sql.NullInt64
	err = rows.Scan(&s.CVE, &s.Score, &s.Percentile, &day)
	s.Source, s.At = "epss", moment(day)
	return s, err
}

// SaveScores writes scores that differ from those kept and are no older, and returns how many.
func (tx *Tx) SaveScores(ctx context.Context, scores []Score) (changed int, err error) {
	const columns, atOnce = 4, 50 // the driver looks every parameter up by name, one by one: more is slower
	var full *sql.Stmt
	defer func() {
		if full != nil {
			err = errors.Join(err, full.Close())
		}
	}()
	for len(scores) > 0 {
		some := scores[:min(len(scores), atOnce)]
		scores = scores[len(some):]
		args := make([]any, 0, columns*len(some))
		for _, s := range some {
			day := int64(0)
			if !s.At.IsZero() {
				day = s.At.UnixMicro()
			}
			args = append(args, string(s.CVE), s.Score, s.Percentile, day)
		}
		var result sql.Result
		if len(some) == atOnce {
			if full == nil {
				if full, err = tx.tx.PrepareContext(ctx, saveScores(atOnce)); err != nil {
					return changed, fmt.Errorf("store: scores: %w", err)
				}
			}
			result, err = full.ExecContext(ctx, args...)
		} else {
			result, err = tx.tx.ExecContext(ctx, saveScores(len(some)), args...)
		}
		if err != nil {
			return changed, fmt.Errorf("store: scores from %s: %w", some[0].CVE, err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return changed, fmt.Errorf("store: scores: %w", err)
		}
		changed += int(n)
	}
	return changed, nil
}

// Reranked lists the identities that an open verdict calls affected by a weakness whose score is about to change so far that
// the queue shows it: by a tenth of a percent. Ask before SaveScores.
func (tx *Tx) Reranked(ctx context.Context, scores []Score) (all []ward.SoftwareID, err error) {
	next := make(map[ward.CVE]Score, len(scores))
	cves := make([]ward.CVE, 0, len(scores))
	for _, s := range scores {
		next[s.CVE] = s
		cves = append(cves, s.CVE)
	}
	shown := func(score float64) int { return int(1000*score + 0.5) }
	seen := map[ward.SoftwareID]bool{}
	err = chunked(cves, func(some []ward.CVE) error {
		in, args := marks(some, 1)
		rows, err := tx.tx.QueryContext(ctx, `SELECT v.software, v.cve, COALESCE(e.score, 0), COALESCE(e.day, 0) FROM verdicts v LEFT JOIN epss e ON e.cve = v.cve
			WHERE v.cve IN (`+in+`) AND v.status = 'affected' AND v.until IS NULL AND v.waits = 0`, args...)
		_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var id ward.SoftwareID
			var cve ward.CVE
			var score float64
			var day int64
			if err := rows.Scan(&id, &cve, &score, &day); err != nil {
				return struct{}{}, err
			}
			now := next[cve]
			if shown(score) != shown(now.Score) && (now.At.IsZero() || now.At.UnixMicro() >= day) && !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
			return struct{}{}, nil
		})
		return err
	})
	return all, err
}

func saveScores(rows int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO epss (cve, score, percentile, day) VALUES `)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "($%d,$%d,$%d,$%d)", 4*i+1, 4*i+2, 4*i+3, 4*i+4)
	}
	b.WriteString(` ON CONFLICT (cve) DO UPDATE SET score = excluded.score, percentile = excluded.percentile, day = excluded.day
		WHERE excluded.day > epss.day OR excluded.day = epss.day AND
		(excluded.score <> epss.score OR excluded.percentile <> epss.percentile)`)
	return b.String()
}

// SaveRuling writes a ruling, or its undoing.
func (tx *Tx) SaveRuling(ctx context.Context, r ward.Ruling) error {
	cves, err := encode(r.CVEs)
	if err != nil {
		return err
	}
	versions, err := encode(r.Versions)
	if err != nil {
		return err
	}
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO rulings (id, cves, vendor, product, versions, status, reason, by_person,
		by_name, at, undone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET undone = excluded.undone`,
		r.ID, cves, r.Vendor, r.Product, versions, string(r.Status), r.Reason, string(r.By), r.Name, micros(r.At), micros(r.Undone)); err != nil {
		return fmt.Errorf("store: ruling %s: %w", r.ID, err)
	}
	return nil
}

// Rulings lists the rulings, oldest first; with a CVE, those that name it.
func (tx *Tx) Rulings(ctx context.Context, cve ward.CVE) ([]ward.Ruling, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, cves, vendor, product, versions, status, reason, by_person, by_name, at, undone
		FROM rulings WHERE $1 = '' OR cves LIKE $2 ORDER BY at, id`, string(cve), `%"`+string(cve)+`"%`)
	return list(rows, err, func(rows *sql.Rows) (r ward.Ruling, err error) {
		var cves, versions string
		var at, undone sql.NullInt64
		err = rows.Scan(&r.ID, &cves, &r.Vendor, &r.Product, &versions, &r.Status, &r.Reason, &r.By, &r.Name, &at, &undone)
		if err == nil {
			r.At, r.Undone = moment(at), moment(undone)
			err = errors.Join(json.Unmarshal([]byte(cves), &r.CVEs), json.Unmarshal([]byte(versions), &r.Versions))
		}
		return r, err
	})
}
