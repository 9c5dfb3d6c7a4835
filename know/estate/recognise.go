package estate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// devices is one operator's estate while its devices are recognised: which assets are one, which marks each was given, and
// what was ever said of two being one.
type devices struct {
	operator ward.OrgID
	into     map[ward.AssetID]ward.AssetID // a merged asset to the one above it
	below    map[ward.AssetID][]ward.AssetID
	marks    map[ward.AssetID]Marks // by the asset as sources name it
	carriers map[Mark][]ward.AssetID
	said     map[[2]ward.AssetID]ward.Merge
	moved    bool // something was put under another asset, or taken out
}

func load(ctx context.Context, tx *store.Tx, operator ward.OrgID) (*devices, error) {
	d := &devices{operator: operator, below: map[ward.AssetID][]ward.AssetID{}, marks: map[ward.AssetID]Marks{}, carriers: map[Mark][]ward.AssetID{}, said: map[[2]ward.AssetID]ward.Merge{}}
	var err error
	if d.into, err = tx.MergedInto(ctx, operator); err != nil {
		return nil, err
	}
	for child, into := range d.into {
		d.below[into] = append(d.below[into], child)
	}
	all, err := tx.Identifiers(ctx, operator)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		d.give(i.Asset, Mark{MarkKind(i.Kind), i.Value})
	}
	merges, err := tx.MergesOf(ctx, operator)
	if err != nil {
		return nil, err
	}
	for _, m := range merges {
		d.said[pairOf(m.Kept, m.Merged)] = m
	}
	return d, nil
}

func pairOf(a, b ward.AssetID) [2]ward.AssetID { return [2]ward.AssetID{min(a, b), max(a, b)} }

func (d *devices) give(asset ward.AssetID, mark Mark) {
	if !slices.Contains(d.marks[asset], mark) {
		d.marks[asset] = append(d.marks[asset], mark)
		d.carriers[mark] = append(d.carriers[mark], asset)
	}
}

// root is the asset under which another is shown.
func (d *devices) root(id ward.AssetID) ward.AssetID {
	for {
		into, merged := d.into[id]
		if !merged {
			return id
		}
		id = into
	}
}

// under lists an asset and all that are merged into it.
func (d *devices) under(id ward.AssetID) []ward.AssetID {
	all := []ward.AssetID{id}
	for _, child := range d.below[id] {
		all = append(all, d.under(child)...)
	}
	return all
}

// told is everything that sources gave to know a device by.
func (d *devices) told(root ward.AssetID) (all Marks) {
	for _, member := range d.under(root) {
		all = joined(all, d.marks[member])
	}
	return all
}

func (d *devices) put(merged, kept ward.AssetID) {
	d.into[merged], d.moved = kept, true
	d.below[kept] = append(d.below[kept], merged)
}

func (d *devices) take(merged ward.AssetID) {
	kept := d.into[merged]
	delete(d.into, merged)
	d.below[kept] = slices.DeleteFunc(d.below[kept], func(id ward.AssetID) bool { return id == merged })
	d.moved = true
}

// earlier is what was said before of two devices being one, by whatever members.
func (d *devices) earlier(a, b []ward.AssetID) (ward.Merge, bool) {
	var found ward.Merge
	for _, x := range a {
		for _, y := range b {
			if m, ok := d.said[pairOf(x, y)]; ok && m.ID > found.ID {
				found = m
			}
		}
	}
	return found, found.ID != 0
}

// merge puts one asset under another and writes it down.
func (d *devices) merge(ctx context.Context, tx *store.Tx, m ward.Merge, keptKey string, answers []store.Answerer) (ward.Merge, error) {
	have, err := tx.Answerers(ctx, m.Kept)
	if err != nil {
		return m, err
	}
	for i := range answers {
		one := &answers[i]
		at := slices.IndexFunc(have, func(h store.Answerer) bool { return h.Org == one.Org })
		one.Lent = at < 0
		if err := tx.StopAnswering(ctx, one.Org, m.Merged); err != nil {
			return m, err
		}
		if err := tx.AnswersFor(ctx, one.Org, m.Kept, keptKey, one.Accountable, one.Operates); err != nil {
			return m, err
		}
	}
	if err := tx.PutUnder(ctx, m.Merged, m.Kept); err != nil {
		return m, err
	}
	m.State, m.Operator = ward.MergeActive, d.operator
	if m.ID, err = tx.SaveMerge(ctx, m, answers); err != nil {
		return m, err
	}
	d.put(m.Merged, m.Kept)
	d.said[pairOf(m.Kept, m.Merged)] = m
	return m, nil
}

// split makes two of what was merged, each with all that was seen of it.
func (d *devices) split(ctx context.Context, tx *store.Tx, m ward.Merge, by, reason string, now time.Time) (ward.Merge, error) {
	answered, err := tx.MergeAnswered(ctx, m.ID)
	if err != nil {
		return m, err
	}
	merged, err := tx.NamedAsset(ctx, m.Merged)
	if err != nil {
		return m, err
	}
	root := d.root(m.Kept)
	for _, one := range answered {
		if err := tx.AnswersFor(ctx, one.Org, m.Merged, merged.Key, one.Accountable, one.Operates); err != nil {
			return m, err
		}
		if one.Lent {
			if err := tx.StopAnswering(ctx, one.Org, root); err != nil {
				return m, err
			}
		}
	}
	if err := tx.TakeOut(ctx, m.Merged, root, d.under(m.Merged)); err != nil {
		return m, err
	}
	d.take(m.Merged)
	m.State, m.DecidedAt, m.DecidedBy, m.Reason = ward.MergeUndone, now, by, reason
	if _, err := tx.SaveMerge(ctx, m, nil); err != nil {
		return m, err
	}
	d.said[pairOf(m.Kept, m.Merged)] = m
	return m, nil
}

// apart undoes what makes two assets one, because a source lists both at once.
func (d *devices) apart(ctx context.Context, tx *store.Tx, a, b ward.AssetID, source string, now time.Time) error {
	up := func(id ward.AssetID) (path []ward.AssetID) {
		for {
			path = append(path, id)
			into, merged := d.into[id]
			if !merged {
				return path
			}
			id = into
		}
	}
	pa, pb := up(a), up(b)
	for len(pa) > 0 && len(pb) > 0 && pa[len(pa)-1] == pb[len(pb)-1] {
		pa, pb = pa[:len(pa)-1], pb[:len(pb)-1]
	}
	path := pb
	if len(path) == 0 {
		path = pa
	}
	child := path[len(path)-1]
	m, ok := d.said[pairOf(child, d.into[child])]
	if !ok {
		return fmt.Errorf("asset %d is merged without a record", child)
	}
	_, err := d.split(ctx, tx, m, source, source+" lists both at the same time", now)
	return err
}

// recognised is what recognising the devices of a delivery came to.
type recognised struct {
	devices  map[ward.OrgID]*devices // by operator
	merged   int
	proposed int
}

func (k *recognised) root(operator ward.OrgID, id ward.AssetID) ward.AssetID {
	return k.devices[operator].root(id)
}

// recognise keeps the marks that a delivery gives, takes apart what its source lists side by side, and merges or proposes what
// the rules say of assets whose marks are new. members are the assets as the source names them.
func (r *Register) recognise(ctx context.Context, tx *store.Tx, a application, source ward.SourceID, members []ward.AssetID, fresh map[ward.AssetID]bool, k *recognised) error {
	changed, err := writeMarks(ctx, tx, a, source, members, k)
	if err != nil {
		return err
	}
	now := r.clock.Now()
	here := map[ward.AssetID]ward.AssetID{} // root to the member that this delivery lists
	for i, member := range members {
		d := k.devices[a.inventory.assets[i].key.operator]
		for other, both := here[d.root(member)]; both && other != member; other, both = here[d.root(member)] {
			if err := d.apart(ctx, tx, other, member, a.Source, now); err != nil {
				return err
			}
			here = map[ward.AssetID]ward.AssetID{}
			for j, earlier := range members[:i] {
				here[k.root(a.inventory.assets[j].key.operator, earlier)] = earlier
			}
		}
		here[d.root(member)] = member
	}
	for i, member := range members {
		if !changed[member] {
			continue
		}
		d := k.devices[a.inventory.assets[i].key.operator]
		if err := r.compare(ctx, tx, a, d, member, here, fresh, k); err != nil {
			return err
		}
	}
	return nil
}

// writeMarks keeps what a delivery gives of each asset, and reports of which it is new.
func writeMarks(ctx context.Context, tx *store.Tx, a application, source ward.SourceID, members []ward.AssetID, k *recognised) (map[ward.AssetID]bool, error) {
	before, err := tx.SourceIdentifiers(ctx, source)
	if err != nil {
		return nil, err
	}
	had := map[ward.AssetID]Marks{}
	for _, i := range before {
		had[i.Asset] = append(had[i.Asset], Mark{MarkKind(i.Kind), i.Value})
	}
	changed := map[ward.AssetID]bool{}
	for i, member := range members {
		asset := a.inventory.assets[i]
		d := k.devices[asset.key.operator]
		for _, mark := range asset.marks {
			d.give(member, mark)
			if slices.Contains(had[member], mark) {
				continue
			}
			changed[member] = true
			if err := tx.AddIdentifier(ctx, source, asset.key.operator, store.Identifier{Asset: member, Kind: string(mark.Kind), Value: mark.Value}); err != nil {
				return nil, err
			}
		}
		for _, mark := range had[member] {
			if !slices.Contains(asset.marks, mark) {
				if err := tx.DropIdentifier(ctx, source, store.Identifier{Asset: member, Kind: string(mark.Kind), Value: mark.Value}); err != nil {
					return nil, err
				}
			}
		}
	}
	return changed, nil
}

// compare holds one asset against all that carry one of its marks.
func (r *Register) compare(ctx context.Context, tx *store.Tx, a application, d *devices, member ward.AssetID, here map[ward.AssetID]ward.AssetID, fresh map[ward.AssetID]bool, k *recognised) error {
	var others []ward.AssetID
	for _, mark := range d.marks[member] {
		var roots []ward.AssetID
		for _, carrier := range d.carriers[mark] {
			if root := d.root(carrier); root != d.root(member) && !slices.Contains(roots, root) {
				roots = append(roots, root)
			}
		}
		if len(roots) < tooCommon {
			others = joined(others, roots)
		}
	}
	slices.Sort(others)
	for _, other := range others {
		mine := d.root(member)
		if d.root(other) == mine {
			continue
		}
		rule, why := verdictOf(d.told(mine), d.told(other))
		if rule == "" {
			continue
		}
		m, known := d.earlier(d.under(mine), d.under(other))
		if known && (m.State != ward.MergeProposed || !merges(rule)) {
			continue
		}
		if _, both := here[other]; both && here[mine] != 0 {
			continue // the source tells them apart
		}
		if by, err := tx.ListedTogether(ctx, mine, other); err != nil || by != "" {
			if err != nil {
				return err
			}
			continue
		}
		if err := r.say(ctx, tx, a, d, ward.Merge{ID: m.ID, Operator: d.operator, Rule: rule, Why: why, At: r.clock.Now(), By: a.Source}, mine, other, here, fresh, k); err != nil {
			return err
		}
	}
	return nil
}

// say merges two devices, or proposes it: by the rule, and because a rule must not open one organisation's asset to another.
func (r *Register) say(ctx context.Context, tx *store.Tx, a application, d *devices, m ward.Merge, one, two ward.AssetID, here map[ward.AssetID]ward.AssetID, fresh map[ward.AssetID]bool, k *recognised) error {
	kept, merged, err := elder(ctx, tx, one, two)
	if err != nil {
		return err
	}
	m.Kept, m.Merged = kept.ID, merged.ID
	keeps, err := answers(ctx, tx, a, kept, fresh)
	if err != nil {
		return err
	}
	loses, err := answers(ctx, tx, a, merged, fresh)
	if err != nil {
		return err
	}
	if !merges(m.Rule) || !slices.Equal(accountable(keeps), accountable(loses)) {
		if m.ID != 0 {
			return nil // proposed already
		}
		m.State = ward.MergeProposed
		if m.ID, err = tx.SaveMerge(ctx, m, nil); err != nil {
			return err
		}
		d.said[pairOf(m.Kept, m.Merged)] = m
		k.proposed++
		return nil
	}
	if _, err := d.merge(ctx, tx, m, kept.Key, loses); err != nil {
		return err
	}
	if listed, ok := here[merged.ID]; ok {
		delete(here, merged.ID)
		here[kept.ID] = listed
	}
	k.merged++
	return nil
}

// elder orders two assets: the one that was seen first is kept, so that what was written of it stays right.
func elder(ctx context.Context, tx *store.Tx, one, two ward.AssetID) (kept, merged store.Named, err error) {
	if kept, err = tx.NamedAsset(ctx, one); err != nil {
		return kept, merged, err
	}
	if merged, err = tx.NamedAsset(ctx, two); err != nil {
		return kept, merged, err
	}
	if cmp.Or(kept.FirstSeen.Compare(merged.FirstSeen), cmp.Compare(kept.ID, merged.ID)) > 0 {
		kept, merged = merged, kept
	}
	return kept, merged, nil
}

// answers is who answers for an asset, or will once this delivery is written.
func answers(ctx context.Context, tx *store.Tx, a application, asset store.Named, fresh map[ward.AssetID]bool) ([]store.Answerer, error) {
	if !fresh[asset.ID] {
		return tx.Answerers(ctx, asset.ID)
	}
	own := []store.Answerer{{Org: a.Org, Accountable: true, Operates: asset.Operator == a.Org}}
	if asset.Operator != a.Org {
		own = append(own, store.Answerer{Org: asset.Operator, Operates: true})
	}
	slices.SortFunc(own, func(x, y store.Answerer) int { return strings.Compare(string(x.Org), string(y.Org)) })
	return own, nil
}

func accountable(all []store.Answerer) (orgs []ward.OrgID) {
	for _, one := range all {
		if one.Accountable {
			orgs = append(orgs, one.Org)
		}
	}
	return orgs
}
