package match

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Matcher keeps verdicts in step with reports and estates, and answers who is exposed.
type Matcher struct {
	store *store.Store
	clock ward.Clock
	lists lists
}

// New returns a matcher over a store.
func New(s *store.Store, clock ward.Clock) *Matcher { return &Matcher{store: s, clock: clock} }

// A batch is bounded so that writers behind it wait for less than a second: by subjects, and by what is evaluated.
const (
	mostSubjects = 200
	mostPairs    = 40_000
)

// Due takes up every weakness and identity that changed, in short transactions. It has no timetable of its own.
func (m *Matcher) Due(ctx context.Context, now time.Time) (time.Time, error) {
	known := newLibrary()
	for {
		if err := ctx.Err(); err != nil {
			return time.Time{}, err
		}
		done := 0
		err := m.store.Update(ctx, func(tx *store.Tx) error {
			b := &batch{tx: tx, now: now, known: known}
			n, err := b.run(ctx)
			done = n
			return err
		})
		if err != nil {
			return time.Time{}, fmt.Errorf("match: %w", err)
		}
		if done == 0 {
			return time.Time{}, nil
		}
	}
}

// batch is one transaction's worth of work.
type batch struct {
	tx      *store.Tx
	now     time.Time
	known   *library
	pairs   int
	touched []ward.SoftwareID // of which something else is said
	said    []string          // "cve:ID" of the weaknesses of which something else is said
	names   know.Aliases
	changes []ward.VerdictChange
	beside  *platforms
}

func (b *batch) run(ctx context.Context) (int, error) {
	subjects, err := b.tx.Pending(ctx, store.ForMatch, mostSubjects)
	if err != nil || len(subjects) == 0 {
		return 0, err
	}
	if b.names, err = aliases(ctx, b.tx); err != nil {
		return 0, err
	}
	b.beside = newPlatforms(b)
	var done []string
	var ids []ward.SoftwareID
	var assets []ward.AssetID
	for _, subject := range subjects {
		if b.pairs > mostPairs {
			break
		}
		kind, id, _ := strings.Cut(subject, ":")
		switch kind {
		case "cve":
			err = b.weakness(ctx, ward.CVE(id))
		case "software":
			var n int64
			if n, err = strconv.ParseInt(id, 10, 64); err == nil {
				ids = append(ids, ward.SoftwareID(n))
				b.pairs += mostPairs / mostSubjects
			}
		case "asset":
			var n int64
			if n, err = strconv.ParseInt(id, 10, 64); err == nil {
				assets = append(assets, ward.AssetID(n))
			}
		default:
			err = fmt.Errorf("pending subject %q is neither a weakness nor an identity nor an asset", subject)
		}
		if err != nil {
			return 0, err
		}
		done = append(done, subject)
	}
	spoken := len(b.touched)
	if err := b.identities(ctx, ids); err != nil {
		return 0, err
	}
	fresh := slices.Clone(b.touched[spoken:])
	if err := b.beside.place(ctx, assets); err != nil { // when the conditions are known that the others wait for
		return 0, err
	}
	if err := b.pass(ctx, fresh); err != nil {
		return 0, err
	}
	if err := b.tx.SaveChanges(ctx, b.changes); err != nil {
		return 0, err
	}
	return len(done), b.tx.Done(ctx, store.ForMatch, done...)
}

// pass leaves the work that follows for the other rooms: the products are folded again, and proved again is every answer
// about a weakness of which something else is said, and those of the organisations that run the identities that are new.
func (b *batch) pass(ctx context.Context, fresh []ward.SoftwareID) error {
	orgs, err := b.tx.OrgsRunning(ctx, fresh)
	if err != nil {
		return err
	}
	if err := b.tx.Mark(ctx, store.ForProof, b.now, append(orgs, b.said...)...); err != nil {
		return err
	}
	slices.Sort(b.touched)
	var subjects []string
	for _, id := range slices.Compact(b.touched) {
		subjects = append(subjects, "software:"+strconv.FormatInt(int64(id), 10))
	}
	return b.tx.Mark(ctx, store.ForFindings, b.now, subjects...)
}

// weakness holds one CVE against every identity of the products that it names.
func (b *batch) weakness(ctx context.Context, cve ward.CVE) error {
	if err := b.known.load(ctx, b.tx, cve); err != nil {
		return err
	}
	open, err := b.tx.OpenVerdicts(ctx, cve)
	if err != nil {
		return err
	}
	standing := make(map[ward.SoftwareID]ward.Verdict, len(open))
	changed := len(b.touched)
	for _, v := range open {
		standing[v.Software] = v
	}
	c := b.known.compiled[cve]
	var fresh []ward.Verdict
	if c.weakness != nil {
		all, err := b.tx.SoftwareByKeys(ctx, c.weakness.Keys)
		if err != nil {
			return err
		}
		b.pairs += len(all)
		for _, sw := range all {
			old, had := standing[sw.ID]
			delete(standing, sw.ID)
			if fresh, err = b.settle(ctx, fresh, c, ReadAs(sw, b.names), old, had); err != nil {
				return err
			}
		}
	}
	if err := b.unsaid(ctx, standing); err != nil { // no source speaks of them any more
		return err
	}
	if len(b.touched) > changed {
		b.said = append(b.said, "cve:"+string(cve))
	}
	for _, v := range open { // what orders the queue may have changed where the verdict did not
		b.touched = append(b.touched, v.Software)
	}
	return b.tx.SaveVerdicts(ctx, fresh)
}

// identities holds new or changed identities against every weakness of their products.
func (b *batch) identities(ctx context.Context, ids []ward.SoftwareID) error {
	all, err := b.tx.SoftwareByID(ctx, ids)
	if err != nil || len(all) == 0 {
		return err
	}
	var keys []string
	read := make([]*Identity, len(all))
	for i, sw := range all {
		read[i] = ReadAs(sw, b.names)
		keys = append(keys, read[i].Keys...)
	}
	slices.Sort(keys)
	postings, err := b.tx.Postings(ctx, slices.Compact(keys))
	if err != nil {
		return err
	}
	var cves []ward.CVE
	for _, posted := range postings {
		cves = append(cves, posted...)
	}
	slices.Sort(cves)
	if err := b.known.load(ctx, b.tx, slices.Compact(cves)...); err != nil {
		return err
	}
	var fresh []ward.Verdict
	for _, id := range read {
		open, err := b.tx.OpenVerdictsOn(ctx, id.Software.ID)
		if err != nil {
			return err
		}
		standing := make(map[ward.CVE]ward.Verdict, len(open))
		for _, v := range open {
			standing[v.CVE] = v
		}
		for _, cve := range b.concerned(id, postings, standing) {
			old, had := standing[cve]
			delete(standing, cve)
			if fresh, err = b.settle(ctx, fresh, b.known.compiled[cve], id, old, had); err != nil {
				return err
			}
		}
		for _, old := range standing { // nobody names the product there any more
			if err := b.silent(ctx, id.Software, old); err != nil {
				return err
			}
		}
	}
	return b.tx.SaveVerdicts(ctx, fresh)
}

// concerned lists the weaknesses, of those posted under the identity's products, of which something has to be settled: what
// is worth keeping now, and that of which a verdict stands.
func (b *batch) concerned(id *Identity, postings map[string][]ward.CVE, standing map[ward.CVE]ward.Verdict) []ward.CVE {
	posted := map[ward.CVE]bool{}
	for _, key := range id.Keys {
		for _, cve := range postings[key] {
			posted[cve] = true
		}
	}
	var all []ward.CVE
	b.known.Match(id, func(w *Weakness, _ *ward.Verdict) {
		if posted[w.CVE] {
			all = append(all, w.CVE)
		}
	})
	for cve := range posted { // what is fixed here may be affected by what is said of another system
		if w := b.known.compiled[cve].weakness; w != nil && w.limited {
			all = append(all, cve)
		}
	}
	for cve := range standing {
		if posted[cve] {
			all = append(all, cve)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// settle compares what is said now with the verdict that stands, and adds to fresh what has to be written.
func (b *batch) settle(ctx context.Context, fresh []ward.Verdict, c kept, id *Identity, old ward.Verdict, had bool) ([]ward.Verdict, error) {
	var v ward.Verdict
	var opinions []opinion
	if c.weakness != nil {
		v, opinions = c.weakness.decide(id, nil)
	}
	said := len(opinions) > 0
	switch {
	case !said && had:
		return fresh, b.silent(ctx, id.Software, old)
	case !said:
		return fresh, nil
	}
	on, waits := c.weakness.waitsFor(id, opinions)
	waits = waits && (worthKeeping(v, id) || c.weakness.mayBecome(id, on))
	if !had && !waits && !worthKeeping(v, id) {
		return fresh, nil
	}
	v.Why = why(opinions)
	if waits {
		var err error
		if v.Waits, err = b.beside.ensure(ctx, id, on); err != nil {
			return fresh, err
		}
	}
	opened := true
	switch {
	case !had:
		v.Since = c.observed[v.Source] // from when the source was known to say so
		if v.Since.IsZero() || v.Since.After(b.now) {
			v.Since = b.now
		}
	case old.Status != v.Status || old.Waits != v.Waits:
		if old.Status != v.Status {
			b.changes = append(b.changes, changed(id.Software, old, v, b.now))
		}
		if err := b.end(ctx, old); err != nil {
			return fresh, err
		}
		v.Since = b.now
	default:
		v.Since, v.Until, opened = old.Since, old.Until, false
	}
	if v.Waits != 0 || old.Waits != 0 {
		var err error
		if fresh, err = b.beside.settle(ctx, fresh, c, id, v, opened); err != nil {
			return fresh, err
		}
	}
	if v == old {
		return fresh, nil
	}
	b.touched = append(b.touched, v.Software)
	return append(fresh, v), nil
}

// unsaid ends verdicts on one weakness of which nothing is said any more.
func (b *batch) unsaid(ctx context.Context, standing map[ward.SoftwareID]ward.Verdict) error {
	all, err := b.tx.SoftwareByID(ctx, slices.Sorted(maps.Keys(standing)))
	if err != nil {
		return err
	}
	for _, sw := range all {
		if err := b.silent(ctx, sw, standing[sw.ID]); err != nil {
			return err
		}
	}
	return nil
}

// silent ends a verdict that no source supports any more, and what followed from it on platforms.
func (b *batch) silent(ctx context.Context, sw ward.Software, old ward.Verdict) error {
	b.changes = append(b.changes, changed(sw, old, ward.Verdict{}, b.now))
	if old.Waits != 0 {
		on, err := b.tx.VerdictsOnPlatforms(ctx, old.CVE, old.Software)
		if err != nil {
			return err
		}
		for _, v := range on {
			if err := b.end(ctx, v); err != nil {
				return err
			}
		}
	}
	return b.end(ctx, old)
}

func (b *batch) end(ctx context.Context, old ward.Verdict) error {
	b.touched = append(b.touched, old.Software)
	return b.tx.EndVerdict(ctx, old, b.now)
}

// worthKeeping says which first verdicts are written down: those that a person may have to act on. What is fixed or not
// affected from the start is worked out again when it is asked for, and so is a version of which no source says anything.
func worthKeeping(v ward.Verdict, id *Identity) bool {
	switch v.Status {
	case ward.Affected, ward.PlatformUnknown:
		return true
	case ward.VersionUnknown:
		return id.version == ""
	}
	return false
}

// library holds weaknesses made ready, for as long as one Due runs. Reports change between its transactions, so each load
// compares digests.
type library struct {
	*Catalogue
	compiled map[ward.CVE]kept
}

func newLibrary() *library { return &library{NewCatalogue(), map[ward.CVE]kept{}} }

type kept struct {
	digest   string
	weakness *Weakness
	observed map[string]time.Time // by source
}

// mostKept bounds the library: it starts again when it has grown beyond.
const mostKept = 60_000

func (l *library) load(ctx context.Context, tx *store.Tx, cves ...ward.CVE) error {
	if len(l.compiled) > mostKept {
		*l = *newLibrary()
	}
	stamps, err := tx.Reports(ctx, false, cves...)
	if err != nil {
		return err
	}
	var stale []ward.CVE
	for _, cve := range cves {
		if have, ok := l.compiled[cve]; !ok || have.digest != digests(stamps[cve]) {
			stale = append(stale, cve)
		}
	}
	for len(stale) > 0 {
		some := stale[:min(len(stale), 500)]
		stale = stale[len(some):]
		bodies, err := tx.Reports(ctx, true, some...)
		if err != nil {
			return err
		}
		for _, cve := range some {
			l.compiled[cve] = l.keep(cve, bodies[cve])
		}
	}
	return nil
}

func digests(reports []store.Report) string {
	var b strings.Builder
	for _, r := range reports {
		b.WriteString(r.Source + " " + r.Digest + "\n")
	}
	return b.String()
}

// keep puts the reports of one weakness into the catalogue.
func (l *library) keep(cve ward.CVE, all []store.Report) kept {
	k := kept{digest: digests(all), observed: map[string]time.Time{}}
	var reports []know.Report
	for _, r := range all {
		k.observed[r.Source] = r.ObservedAt
		var report know.Report
		if json.Unmarshal(r.Body, &report) == nil { // one that cannot be read says nothing until its source speaks again
			reports = append(reports, report)
		}
	}
	l.Put(cve, reports)
	k.weakness = l.Weakness(cve)
	return k
}
