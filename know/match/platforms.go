package match

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// platforms settles verdicts that wait for what else an asset runs. Assets on which a condition stands alike are one
// platform, so that equal machines are settled once; of which platforms an asset is follows from its installs alone.
type platforms struct {
	batch      *batch
	identities map[ward.SoftwareID]*Identity
	conditions map[ward.ConditionID]*waiting
	ids        map[string]ward.ConditionID // by identity and digest
}

// waiting is a condition at work.
type waiting struct {
	store.Condition
	*proviso
	platforms []*platform
	matters   map[ward.SoftwareID]bool
	known     map[string]ward.PlatformID // by the software that matters
}

// A platform is a way in which a condition stands.
type platform struct {
	store.Platform
	members []*Identity
	stale   bool // its members make it otherwise by the names that hold now: no asset is of it until it has others
}

func newPlatforms(b *batch) *platforms {
	return &platforms{batch: b, identities: map[ward.SoftwareID]*Identity{}, conditions: map[ward.ConditionID]*waiting{}, ids: map[string]ward.ConditionID{}}
}

// ensure finds or makes the condition that verdicts on an identity wait for. Against a new one all its assets are held.
func (p *platforms) ensure(ctx context.Context, id *Identity, c *proviso) (ward.ConditionID, error) {
	body, digest := c.body()
	at := strconv.FormatInt(int64(id.Software.ID), 10) + ":" + digest
	if known, ok := p.ids[at]; ok {
		return known, nil
	}
	made, added, err := p.batch.tx.EnsureCondition(ctx, id.Software.ID, digest, body)
	if err == nil && added {
		err = p.batch.tx.PlaceAll(ctx, []ward.SoftwareID{id.Software.ID})
	}
	p.ids[at] = made
	return made, err
}

// read makes identities ready, each once.
func (p *platforms) read(ctx context.Context, ids []ward.SoftwareID) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id ward.SoftwareID) bool { return p.identities[id] != nil })
	all, err := p.batch.tx.SoftwareByID(ctx, ids)
	for _, sw := range all {
		p.identities[sw.ID] = ReadAs(sw, p.batch.names)
	}
	return err
}

// open makes a condition ready with its platforms.
func (p *platforms) open(ctx context.Context, c store.Condition) (*waiting, error) {
	if w, ok := p.conditions[c.ID]; ok {
		return w, nil
	}
	read, err := readProviso(c.Body)
	if err != nil {
		return nil, fmt.Errorf("condition %d: %w", c.ID, err)
	}
	w := &waiting{Condition: c, proviso: read, matters: map[ward.SoftwareID]bool{}, known: map[string]ward.PlatformID{}}
	all, err := p.batch.tx.PlatformsOf(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		made := &platform{Platform: one}
		if made.members, err = p.members(ctx, one.Members); err != nil {
			return nil, err
		}
		made.stale = w.stands(made.members) != one.Stands
		w.platforms = append(w.platforms, made)
	}
	p.conditions[c.ID] = w
	return w, nil
}

func (p *platforms) members(ctx context.Context, ids []ward.SoftwareID) ([]*Identity, error) {
	if err := p.read(ctx, ids); err != nil {
		return nil, err
	}
	all := make([]*Identity, 0, len(ids))
	for _, id := range ids {
		if read := p.identities[id]; read != nil {
			all = append(all, read)
		}
	}
	return all, nil
}

// settle decides one weakness on every platform of the condition that a verdict waits for, and ends what stood on others.
// Opened is that the verdict begins now: then what is said on its platforms begins with it.
func (p *platforms) settle(ctx context.Context, fresh []ward.Verdict, c kept, id *Identity, base ward.Verdict, opened bool) ([]ward.Verdict, error) {
	open, err := p.batch.tx.VerdictsOnPlatforms(ctx, base.CVE, base.Software)
	if err != nil {
		return fresh, err
	}
	standing := map[ward.PlatformID]ward.Verdict{}
	for _, v := range open {
		standing[v.Platform] = v
	}
	if base.Waits != 0 {
		w, err := p.waiting(ctx, id, base.Waits)
		if err != nil {
			return fresh, err
		}
		for _, on := range w.platforms {
			old, had := standing[on.ID]
			delete(standing, on.ID)
			if fresh, err = p.decide(ctx, fresh, c, id, base, on, old, had, opened); err != nil {
				return fresh, err
			}
		}
	}
	for _, old := range open {
		if _, left := standing[old.Platform]; left {
			if err := p.batch.end(ctx, old); err != nil {
				return fresh, err
			}
		}
	}
	return fresh, nil
}

// waiting finds a condition of an identity.
func (p *platforms) waiting(ctx context.Context, id *Identity, wanted ward.ConditionID) (*waiting, error) {
	if w, ok := p.conditions[wanted]; ok {
		return w, nil
	}
	all, err := p.batch.tx.ConditionsOf(ctx, []ward.SoftwareID{id.Software.ID})
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.ID == wanted {
			return p.open(ctx, c)
		}
	}
	return nil, fmt.Errorf("condition %d of software %d: %w", wanted, id.Software.ID, ward.ErrNotFound)
}

// decide compares what is said now on one platform with the verdict that stands there.
func (p *platforms) decide(ctx context.Context, fresh []ward.Verdict, c kept, id *Identity, base ward.Verdict, on *platform, old ward.Verdict, had, opened bool) ([]ward.Verdict, error) {
	var v ward.Verdict
	var opinions []opinion
	if c.weakness != nil && !on.stale {
		v, opinions = c.weakness.decide(id, on.members)
	}
	said := len(opinions) > 0
	switch {
	case !said && had:
		return fresh, p.batch.end(ctx, old)
	case !said || !had && !worthKeeping(v, id):
		return fresh, nil
	}
	v.Why, v.Platform = why(opinions), on.ID
	switch {
	case !had:
		if v.Since = p.batch.now; opened {
			v.Since = base.Since
		}
	case old.Status != v.Status:
		p.batch.changes = append(p.batch.changes, changed(id.Software, old, v, p.batch.now))
		if err := p.batch.end(ctx, old); err != nil {
			return fresh, err
		}
		v.Since = p.batch.now
	default:
		if v.Since = old.Since; v == old {
			return fresh, nil
		}
	}
	p.batch.touched = append(p.batch.touched, v.Software)
	return append(fresh, v), nil
}

// place works out of which platforms assets are and were, from all that was ever seen on them. Who answers for an asset that
// is of another platform now is left to the rooms that follow.
func (p *platforms) place(ctx context.Context, assets []ward.AssetID) error {
	stays, err := p.batch.tx.StaysOn(ctx, assets)
	if err != nil {
		return err
	}
	on := map[ward.AssetID][]store.Stay{}
	var ids []ward.SoftwareID
	for _, s := range stays {
		on[s.Asset] = append(on[s.Asset], s)
		ids = append(ids, s.Software)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	all, err := p.batch.tx.ConditionsOf(ctx, ids)
	if err != nil {
		return err
	}
	of := map[ward.SoftwareID][]store.Condition{}
	for _, c := range all {
		of[c.Software] = append(of[c.Software], c)
	}
	if len(all) > 0 {
		if err := p.read(ctx, ids); err != nil {
			return err
		}
	}
	var moved []ward.AssetID
	for _, asset := range assets {
		var now []store.Placement
		last := ward.SoftwareID(0)
		for _, s := range on[asset] {
			if s.Software == last {
				continue
			}
			last = s.Software
			for _, c := range of[s.Software] {
				if now, err = p.course(ctx, now, c, on[asset]); err != nil {
					return err
				}
			}
		}
		slices.SortFunc(now, func(a, b store.Placement) int {
			return cmp.Or(cmp.Compare(a.Platform, b.Platform), a.Since.Compare(b.Since))
		})
		before, err := p.batch.tx.PlacementsOf(ctx, asset)
		if err != nil {
			return err
		}
		if slices.Equal(before, now) {
			continue
		}
		moved = append(moved, asset)
		if err := p.batch.tx.SavePlacements(ctx, asset, now); err != nil {
			return err
		}
	}
	orgs, err := p.batch.tx.Answering(ctx, moved)
	if err != nil {
		return err
	}
	if err := p.batch.tx.Mark(ctx, store.ForFindings, p.batch.now, orgs...); err != nil {
		return err
	}
	return p.batch.tx.Mark(ctx, store.ForProof, p.batch.now, orgs...)
}

// course adds of which platforms of a condition an asset was, from the first that was seen of it until today.
func (p *platforms) course(ctx context.Context, to []store.Placement, c store.Condition, stays []store.Stay) ([]store.Placement, error) {
	w, err := p.open(ctx, c)
	if err != nil {
		return to, err
	}
	var times []time.Time
	for _, s := range stays {
		times = append(times, s.From)
		if !s.To.IsZero() {
			times = append(times, s.To)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	times = slices.CompactFunc(times, time.Time.Equal)
	first := len(to)
	for _, at := range times {
		var beside []*Identity
		for _, s := range stays {
			if s.Software != c.Software && !s.From.After(at) && (s.To.IsZero() || at.Before(s.To)) {
				if n := len(beside); n == 0 || beside[n-1].Software.ID != s.Software {
					beside = append(beside, p.identities[s.Software])
				}
			}
		}
		platform, err := p.of(ctx, w, beside)
		if err != nil {
			return to, err
		}
		if n := len(to); n > first {
			if to[n-1].Platform == platform {
				continue
			}
			to[n-1].Until = at
		}
		to = append(to, store.Placement{Platform: platform, Since: at})
	}
	return to, nil
}

// of is the platform of an asset that runs these, in the order of their IDs, beside the identity. A new one is settled.
func (p *platforms) of(ctx context.Context, w *waiting, beside []*Identity) (ward.PlatformID, error) {
	var members []*Identity
	parts := ""
	var b strings.Builder
	for _, id := range beside {
		matters, known := w.matters[id.Software.ID]
		if !known {
			matters = w.concerns(id)
			w.matters[id.Software.ID] = matters
		}
		part := cmp.Or(id.part, "a") // one of each part, since a list of one tells that it lists that part
		if !matters && strings.Contains(parts, part) {
			continue
		}
		if !strings.Contains(parts, part) {
			parts += part
		}
		members = append(members, id)
		if matters {
			b.WriteString(strconv.FormatInt(int64(id.Software.ID), 36) + " ")
		}
	}
	key := b.String() + sorted(parts)
	if known, ok := w.known[key]; ok {
		return known, nil
	}
	stands := w.stands(members)
	at := slices.IndexFunc(w.platforms, func(one *platform) bool { return one.Stands == stands })
	if at < 0 {
		at = len(w.platforms)
		w.platforms = append(w.platforms, &platform{Platform: store.Platform{Stands: stands}, stale: true})
	}
	on := w.platforms[at]
	if on.stale {
		opened := on.ID == 0
		on.members, on.Members, on.stale = members, nil, false
		for _, id := range members {
			on.Members = append(on.Members, id.Software.ID)
		}
		var err error
		if on.ID, err = p.batch.tx.SavePlatform(ctx, w.ID, on.Platform); err != nil {
			return 0, err
		}
		if err := p.begin(ctx, w, on, opened); err != nil {
			return 0, err
		}
	}
	w.known[key] = on.ID
	return on.ID, nil
}

func sorted(parts string) string {
	letters := []byte(parts)
	slices.Sort(letters)
	return string(letters)
}

// begin decides, on a platform of which nothing was known, all that waits for its condition.
func (p *platforms) begin(ctx context.Context, w *waiting, on *platform, opened bool) error {
	waits, err := p.batch.tx.WaitingFor(ctx, w.ID)
	if err != nil || len(waits) == 0 {
		return err
	}
	cves := make([]ward.CVE, len(waits))
	for i, v := range waits {
		cves[i] = v.CVE
	}
	if err := p.batch.known.load(ctx, p.batch.tx, cves...); err != nil {
		return err
	}
	id := p.identities[w.Software]
	var fresh []ward.Verdict
	for _, base := range waits {
		var old ward.Verdict
		had := false
		if !opened {
			open, err := p.batch.tx.VerdictsOnPlatforms(ctx, base.CVE, base.Software)
			if err != nil {
				return err
			}
			if at := slices.IndexFunc(open, func(v ward.Verdict) bool { return v.Platform == on.ID }); at >= 0 {
				old, had = open[at], true
			}
		}
		if fresh, err = p.decide(ctx, fresh, p.batch.known.compiled[base.CVE], id, base, on, old, had, opened); err != nil {
			return err
		}
	}
	return p.batch.tx.SaveVerdicts(ctx, fresh)
}
