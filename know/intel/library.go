// Package intel is the library of what is known of weaknesses. Reports come in, each source's own word, and are kept side by
// side; one Vulnerability for reading comes out, in which every fact names who said it and when. A newer word of a source
// replaces its older one, never another source's. It never decides who is affected: match does, from the reports.
package intel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Library keeps and answers. It is safe for concurrent use.
type Library struct {
	store *store.Store
	clock ward.Clock
}

// New returns the library over s.
func New(s *store.Store, clock ward.Clock) *Library { return &Library{s, clock} }

// batch is how many reports one transaction takes: long enough to spread the cost of its sync, short enough that no other
// writer waits for long.
const batch = 2000

// Merge takes in what a feed reports, as it was read at observedAt, and returns how many reports said something new. Every
// weakness of which something new was said, beyond its EPSS, is left to match, and what a new EPSS moves in the queue to findings. Reports that cannot be kept are left out: the
// error is then ErrInvalid, one for each of them joined, and the others are kept all the same.
func (l *Library) Merge(ctx context.Context, feed string, observedAt time.Time, reports []know.Report) (changed int, err error) {
	var refused []error
	for some := range slices.Chunk(reports, batch) {
		n, bad, err := l.merge(ctx, observedAt, some)
		changed += n
		if err != nil {
			return changed, fmt.Errorf("intel: merge %s: %w", feed, err)
		}
		refused = append(refused, bad...)
	}
	return changed, errors.Join(refused...)
}

func (l *Library) merge(ctx context.Context, observedAt time.Time, reports []know.Report) (changed int, refused []error, err error) {
	var scores []store.Score
	var words []store.Report
	var cves []ward.CVE
	var editions []know.Edition
	for _, r := range reports {
		if r.Edition != nil {
			editions = append(editions, *r.Edition)
			if r.CVE == "" {
				continue
			}
		}
		if r.CVE == "" || r.Source == "" {
			refused = append(refused, &ward.Invalid{Problem: fmt.Sprintf("a report without weakness or source: %q by %q", r.CVE, r.Source)})
			continue
		}
		if r.EPSS != nil {
			scores = append(scores, store.Score{CVE: r.CVE, EPSS: *r.EPSS})
			if r = withoutScore(r); empty(r) {
				continue
			}
		}
		word, err := wordOf(r, observedAt)
		if err != nil {
			refused = append(refused, &ward.Invalid{Problem: fmt.Sprintf("%s by %s: %v", r.CVE, r.Source, err)})
			continue
		}
		words = append(words, word)
		cves = append(cves, r.CVE)
	}
	err = l.store.Update(ctx, func(tx *store.Tx) error {
		changed, err = l.score(ctx, tx, scores)
		if err != nil {
			return err
		}
		back, err := takenBack(ctx, tx, editions, words, observedAt)
		if err != nil {
			return err
		}
		for _, w := range back {
			words, cves = append(words, w), append(cves, w.CVE)
		}
		if len(words) == 0 {
			return nil
		}
		fresh, err := onlyNews(ctx, tx, words, cves)
		if err != nil || len(fresh) == 0 {
			return err
		}
		changed += len(fresh)
		return l.keep(ctx, tx, fresh)
	})
	return changed, refused, err
}

// score keeps scores. They say nothing of versions, so match has nothing to do; the queue is ordered by them, so it is.
func (l *Library) score(ctx context.Context, tx *store.Tx, scores []store.Score) (changed int, err error) {
	if len(scores) == 0 {
		return 0, nil
	}
	moved, err := tx.Reranked(ctx, scores)
	if err != nil {
		return 0, err
	}
	if changed, err = tx.SaveScores(ctx, scores); err != nil {
		return changed, err
	}
	subjects := make([]string, len(moved))
	for i, id := range moved {
		subjects[i] = "software:" + strconv.FormatInt(int64(id), 10)
	}
	return changed, tx.Mark(ctx, store.ForFindings, l.clock.Now(), subjects...)
}

// keep writes words that are news, what follows from them for reading, and leaves their weaknesses to match.
func (l *Library) keep(ctx context.Context, tx *store.Tx, fresh []store.Report) error {
	if err := tx.SaveReports(ctx, fresh); err != nil {
		return err
	}
	return l.retell(ctx, tx, cvesOf(fresh))
}

// retell merges anew for reading, and leaves the weaknesses to match.
func (l *Library) retell(ctx context.Context, tx *store.Tx, cves []ward.CVE) error {
	kept, err := tx.Reports(ctx, true, cves...)
	if err != nil {
		return err
	}
	var merged []store.Merged
	subjects := make([]string, len(cves))
	for i, cve := range cves {
		subjects[i] = "cve:" + string(cve)
		reports := decode(kept[cve])
		if len(reports) == 0 {
			if err := tx.DropVulnerability(ctx, cve); err != nil {
				return err
			}
			continue
		}
		v := Merged(reports)
		merged = append(merged, store.Merged{Vulnerability: v, Words: searchWords(v, reports)})
	}
	if err := tx.SaveVulnerabilities(ctx, merged); err != nil {
		return err
	}
	tx.Hint("feeds", "")
	return tx.Mark(ctx, store.ForMatch, l.clock.Now(), subjects...)
}

// takenBack are the words with which newer editions of documents take back what older ones said: the source speaks of the
// weakness no more, and an older edition that comes late changes nothing.
func takenBack(ctx context.Context, tx *store.Tx, editions []know.Edition, fresh []store.Report, observedAt time.Time) (words []store.Report, err error) {
	for _, e := range editions {
		for _, source := range e.Sources {
			said, err := tx.ReportedBy(ctx, source)
			if err != nil {
				return nil, err
			}
			for _, w := range fresh {
				if w.Source == source {
					said = append(said, w.CVE)
				}
			}
			slices.Sort(said)
			for _, cve := range slices.Compact(said) {
				if slices.Contains(e.CVEs, cve) {
					continue
				}
				word, err := wordOf(know.Report{CVE: cve, Source: source, Modified: e.At, Rejected: true}, observedAt)
				if err != nil {
					return nil, err
				}
				word.Size = math.MaxInt // of one moment with what it takes back, it holds
				words = append(words, word)
			}
		}
	}
	return words, nil
}

// onlyNews leaves out what is known already, and what is older than what the same source said since.
func onlyNews(ctx context.Context, tx *store.Tx, words []store.Report, cves []ward.CVE) ([]store.Report, error) {
	slices.Sort(cves)
	known, err := tx.Reports(ctx, false, slices.Compact(cves)...)
	if err != nil {
		return nil, err
	}
	type voice struct {
		cve    ward.CVE
		source string
	}
	last := map[voice]store.Report{}
	for _, reports := range known {
		for _, r := range reports {
			last[voice{r.CVE, r.Source}] = r
		}
	}
	var order []voice
	news := map[voice]store.Report{}
	for _, w := range words {
		key := voice{w.CVE, w.Source}
		if before, ok := last[key]; ok && !newer(w, before) {
			continue
		}
		last[key] = w
		if _, ok := news[key]; !ok {
			order = append(order, key)
		}
		news[key] = w
	}
	fresh := make([]store.Report, len(order))
	for i, key := range order {
		fresh[i] = news[key]
	}
	return fresh, nil
}

// newer tells whether a word takes the place of the one before. Publishers' lists overlap, and the same record of the same
// moment is in one of them without what an analyst adds in another: then the fuller one holds, in whichever order they come.
func newer(w, before store.Report) bool {
	switch {
	case w.Digest == before.Digest || w.Modified.Before(before.Modified):
		return false
	case w.Modified.Equal(before.Modified) && !w.Modified.IsZero():
		return w.Size > before.Size
	}
	return true
}

func wordOf(r know.Report, observedAt time.Time) (store.Report, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return store.Report{}, err
	}
	digest := sha256.Sum256(body)
	return store.Report{CVE: r.CVE, Source: r.Source, URL: r.URL, ObservedAt: observedAt, Modified: r.Modified,
		Digest: hex.EncodeToString(digest[:12]), Size: len(body), Body: body, Products: r.ProductKeys()}, nil
}

// decode reads kept bodies. One that cannot be read any more says nothing until its source speaks again.
func decode(kept []store.Report) []know.Report {
	reports := make([]know.Report, 0, len(kept))
	for _, k := range kept {
		var r know.Report
		if json.Unmarshal(k.Body, &r) == nil {
			reports = append(reports, r)
		}
	}
	return reports
}

func cvesOf(reports []store.Report) []ward.CVE {
	cves := make([]ward.CVE, len(reports))
	for i, r := range reports {
		cves[i] = r.CVE
	}
	slices.Sort(cves)
	return slices.Compact(cves)
}

func withoutScore(r know.Report) know.Report { r.EPSS = nil; return r }

// empty tells whether a report says nothing.
func empty(r know.Report) bool {
	return !r.Rejected && r.Title == "" && r.Description == "" && r.Exploited == nil && r.SSVC == nil &&
		len(r.Claims)+len(r.Trees)+len(r.CVSS)+len(r.References) == 0
}

// Retain withdraws what source said of every weakness but those of listed: its newest complete list has dropped them. It
// returns how many.
func (l *Library) Retain(ctx context.Context, source string, listed map[ward.CVE]bool) (dropped int, err error) {
	var gone []ward.CVE
	err = l.store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.ReportedBy(ctx, source)
		gone = slices.DeleteFunc(all, func(cve ward.CVE) bool { return listed[cve] })
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("intel: retain %s: %w", source, err)
	}
	for some := range slices.Chunk(gone, batch) {
		err := l.store.Update(ctx, func(tx *store.Tx) error {
			for _, cve := range some {
				if err := tx.DropReport(ctx, cve, source); err != nil {
					return err
				}
			}
			return l.retell(ctx, tx, some)
		})
		if err != nil {
			return dropped, fmt.Errorf("intel: retain %s: %w", source, err)
		}
		dropped += len(some)
	}
	return dropped, nil
}

// Vulnerability returns what is known of a weakness, merged for reading. What nobody has spoken of is ErrNotFound.
func (l *Library) Vulnerability(ctx context.Context, cve ward.CVE) (v ward.Vulnerability, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		v, err = tx.Vulnerability(ctx, cve)
		return err
	})
	return v, err
}

// Reports returns every source's own word on a weakness, by source.
func (l *Library) Reports(ctx context.Context, cve ward.CVE) (reports []know.Report, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		kept, err := tx.Reports(ctx, true, cve)
		reports = decode(kept[cve])
		return err
	})
	return reports, err
}

// Query chooses weaknesses. Its zero value chooses all.
type Query = store.VulnerabilityQuery

// Search lists weaknesses, newest first.
func (l *Library) Search(ctx context.Context, q Query) (page ward.Page[ward.Vulnerability], err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Vulnerabilities(ctx, q)
		return err
	})
	return page, err
}
