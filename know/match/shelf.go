package match

import (
	"math"
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// A shelf is the weaknesses of one product, in an order in which a version finds those that concern it.
type shelf struct {
	key
	weaknesses []*Weakness
	ready      bool

	marks      []string    // every version at which a stretch begins or ends, as ordered keys
	entries    []entry     // one a weakness
	trees      []tree      // those that speak of the product, by entry
	conditions []condition // on the product, by tree
	names      []*name     // of the product, one for each vendor and product

	exact  [][]int32 // by mark: the conditions on that version alone
	ranges []stretch // the conditions on others
	every  []int32   // the conditions that must be asked whatever the version is
	always []int32   // the entries that must be
}

// An entry is a weakness as one product sees it.
type entry struct {
	weakness *Weakness
	source   *source
	// plain: only trees of one source and of simple shape speak of the product, so that the conditions which hold a version
	// decide. Of any other entry they only say that it may concern the identity, and the weakness is asked in full.
	plain         bool
	open          bool  // every condition is free and of one part
	uniform       bool  // to an identity without a version, every condition says the same
	tree, trees   int32 // the first of its trees, and how many
	first, behind int32 // its conditions, from and to
	fixes         []fix // in order
}

// A tree is one configuration that speaks of the product.
type tree struct {
	entry    int32
	beside   truth   // what its other conditions come to when nothing is known beside the identity
	families bool    // one of them names operating systems as such, and the identity may be one
	names    []int32 // of the shelf's
}

// A condition is a leaf that calls the product vulnerable.
type condition struct {
	*leaf
	entry, tree int32
	from, to    int32 // places; from beyond to: none
	also        int32 // the place of its version with the update in it; -1: none
	plain       bool  // as its entry
	every       bool  // it holds every version
	free        bool  // its places and part say all
	part        byte
}

// A stretch leads from places to a condition.
type stretch struct{ from, to, condition int32 }

// A fix is the end of a stretch.
type fix struct {
	condition int32
	place     int32
	good      bool // no condition holds it; said only where all are open
}

// heard is what the conditions of one tree have said of an identity.
type heard struct {
	result   truth
	specific bool // one that holds it speaks of less than every version
}

// place is where a version key stands on the shelf: odd on a mark, even between two.
func (s *shelf) place(key string) int32 {
	i, on := slices.BinarySearch(s.marks, key)
	if on {
		return int32(2*i + 1)
	}
	return int32(2 * i)
}

// match calls yield for what is worth keeping on this shelf.
func (s *shelf) match(d *desk, id *Identity, yield func(*Weakness, *ward.Verdict)) {
	d.known = confidences{}
	if len(d.trees) < len(s.trees) {
		d.trees = make([]heard, 2*len(s.trees))
	}
	if id.version == "" {
		s.versionless(d, id, yield)
		return
	}
	if len(d.on) < len(s.entries) {
		d.on = make([]bool, 2*len(s.entries))
	}
	d.held = d.held[:0]
	place := s.place(id.key)
	if place&1 == 1 {
		for _, c := range s.exact[place/2] {
			s.take(d, id, c)
		}
	}
	for i := range s.ranges {
		if r := &s.ranges[i]; r.from <= place && place <= r.to {
			s.take(d, id, r.condition)
		}
	}
	for _, c := range s.every {
		s.take(d, id, c)
	}
	for _, n := range s.always {
		if !d.on[n] {
			d.on[n] = true
			d.held = append(d.held, n)
		}
	}
	for _, n := range d.held {
		d.on[n] = false
		s.settle(d, &s.entries[n], id, place, yield)
	}
}

// take hears a condition, and notes its entry.
func (s *shelf) take(d *desk, id *Identity, at int32) {
	c := &s.conditions[at]
	if c.plain && !d.hear(c, id) || d.on[c.entry] {
		return
	}
	d.on[c.entry] = true
	d.held = append(d.held, c.entry)
}

// hear takes in what a condition says of an identity whose version it can hold; false when that is no.
func (d *desk) hear(c *condition, id *Identity) bool {
	result, version := yes, true
	if !c.free || id.version == "" || id.cpe != nil && id.part[0] != c.part {
		if result, version = c.holds(id, nil); result == no {
			return false
		}
	}
	h := &d.trees[c.tree]
	h.result = max(h.result, result)
	h.specific = h.specific || version && !c.every
	return true
}

// settle yields what was heard of an entry.
func (s *shelf) settle(d *desk, e *entry, id *Identity, place int32, yield func(*Weakness, *ward.Verdict)) {
	full := !e.plain
	status, basis := math.MaxInt, math.MaxInt // a severity and a strength
	var of *tree
	for i := e.tree; i < e.tree+e.trees; i++ {
		h, t := d.trees[i], &s.trees[i]
		d.trees[i] = heard{}
		if h.result == no {
			continue
		}
		full = full || t.families && id.family != ""
		result := both(h.result, t.beside)
		by, how := 1, 0 // as strength and severity count
		if result != yes {
			how = int(result)
		}
		if result != versionUnknown && !h.specific {
			by = 2
		}
		if by < basis || by == basis && how < status {
			status, basis, of = how, by, t
		}
	}
	switch {
	case full:
		keep(e.weakness, id, yield)
	case of != nil && (status < 2 || id.version == ""):
		d.verdict = ward.Verdict{
			Software: id.Software.ID, CVE: e.weakness.CVE, Status: statuses[status], Basis: bases[basis],
			Confidence: s.confidence(&d.known, id, of), Source: e.source.name,
		}
		if len(e.fixes) > 0 {
			d.verdict.Fixed = s.fixed(e, id, place)
		}
		yield(e.weakness, &d.verdict)
	}
}

// What severity and strength count, the other way round.
var (
	statuses = [...]ward.Status{ward.Affected, ward.PlatformUnknown, ward.VersionUnknown}
	bases    = [...]ward.Basis{ward.ByRuling, ward.ByVersion, ward.ByDefault}
)

// versionless goes over the shelf for an identity whose version nobody gave.
func (s *shelf) versionless(d *desk, id *Identity, yield func(*Weakness, *ward.Verdict)) {
	for i := range s.entries {
		e := &s.entries[i]
		if e.plain {
			for c := e.first; c < e.behind; c++ {
				if h := d.trees[s.conditions[c].tree]; h.result != yes || !h.specific {
					d.hear(&s.conditions[c], id)
				}
				if e.uniform {
					break // the others say the same
				}
			}
			if e.uniform {
				for t := e.tree + 1; t < e.tree+e.trees; t++ {
					d.trees[t] = d.trees[e.tree]
				}
			}
		}
		s.settle(d, e, id, 0, yield)
	}
}

// candidates are the weaknesses of the shelf that can be worth keeping for the identity.
func (s *shelf) candidates(id *Identity) (all []*Weakness) {
	if id.version == "" {
		return s.weaknesses
	}
	place := s.place(id.key)
	add := func(c int32) { all = append(all, s.entries[s.conditions[c].entry].weakness) }
	if place&1 == 1 {
		for _, c := range s.exact[place/2] {
			add(c)
		}
	}
	for _, r := range s.ranges {
		if r.from <= place && place <= r.to {
			add(r.condition)
		}
	}
	for _, c := range s.every {
		add(c)
	}
	for _, n := range s.always {
		all = append(all, s.entries[n].weakness)
	}
	return all
}

// fixed is the fix to name: the lowest later one on the branch, else the lowest later one, of those that no condition holds.
// Without a version it is the last.
func (s *shelf) fixed(e *entry, id *Identity, place int32) string {
	if id.version == "" {
		for i := len(e.fixes) - 1; i >= 0; i-- {
			if c := &s.conditions[e.fixes[i].condition]; c.concerns(id) {
				return c.span.to
			}
		}
		return ""
	}
	var first *condition
	for i := range e.fixes {
		f := &e.fixes[i]
		if f.place <= place {
			continue
		}
		c := &s.conditions[f.condition]
		branch := c.span.toBranch == id.branch
		if !branch && first != nil || !c.concerns(id) || !s.good(e, f, id) {
			continue
		}
		if branch {
			return c.span.to
		}
		first = c
	}
	if first == nil {
		return ""
	}
	return first.span.to
}

// concerns reports whether nothing but a version can keep the identity out.
func (c *condition) concerns(id *Identity) bool {
	if c.free && (id.cpe == nil || id.part[0] == c.part) {
		return true
	}
	result, version := c.holds(id, nil)
	return result != no || !version
}

// good reports whether no condition of the entry holds the identity at a fix.
func (s *shelf) good(e *entry, f *fix, id *Identity) bool {
	if e.open {
		return f.good
	}
	for i := e.first; i < e.behind; i++ {
		c := &s.conditions[i]
		if c.wild {
			if result, _ := c.holds(id.at(s.conditions[f.condition].span.to), nil); result != no {
				return false
			}
			continue
		}
		// The fix comes with no word of its update, so that a condition on one may hold it.
		if (c.from <= f.place && f.place <= c.to || f.place == c.also) && c.fits(id, nil) != no {
			return false
		}
	}
	return true
}

// confidences are how one identity was recognised under each of the first names of a shelf.
type confidences [4]ward.Confidence

// confidence is how the identity was recognised by the names of a tree.
func (s *shelf) confidence(known *confidences, id *Identity, t *tree) ward.Confidence {
	best := ward.Alias
	for _, n := range t.names {
		var how ward.Confidence
		if int(n) < len(known) {
			how = known[n]
		}
		if how == "" {
			how = s.names[n].recognises(id)
			if int(n) < len(known) {
				known[n] = how
			}
		}
		switch how {
		case ward.Exact:
			return how
		case ward.Name:
			best = how
		}
	}
	return best
}

// recognises is how an identity of the product was recognised under the name.
func (n *name) recognises(id *Identity) ward.Confidence {
	if id.cpe != nil && covers(n.cpe.Vendor, id.cpe.Vendor) && covers(n.cpe.Product, id.cpe.Product) {
		return ward.Exact
	}
	return know.Recognised(id.vendor, id.product, know.Plain(n.cpe.Vendor), know.Plain(n.cpe.Product))
}

// prepare brings the shelf in order.
func (s *shelf) prepare() {
	if s.ready {
		return
	}
	*s = shelf{key: s.key, weaknesses: s.weaknesses, ready: true}
	slices.SortFunc(s.weaknesses, func(a, b *Weakness) int { return strings.Compare(string(a.CVE), string(b.CVE)) })
	s.entries = make([]entry, len(s.weaknesses))
	for i, w := range s.weaknesses {
		s.read(int32(i), w)
	}
	for i := range s.conditions {
		s.mark(&s.conditions[i])
	}
	slices.Sort(s.marks)
	s.marks = slices.Clip(slices.Compact(s.marks))
	s.exact = make([][]int32, len(s.marks))
	for i := range s.conditions {
		s.post(int32(i))
	}
	for i := range s.entries {
		e := &s.entries[i]
		if e.plain {
			s.readFixes(e)
		}
		for c := e.first; c < e.behind; c++ {
			s.conditions[c].plain = e.plain
		}
	}
}

// read takes what a weakness says of the shelf's product.
func (s *shelf) read(at int32, w *Weakness) {
	e := &s.entries[at]
	*e = entry{weakness: w, plain: true, open: true, tree: int32(len(s.trees)), first: int32(len(s.conditions))}
	always := false
	for i := range w.sources {
		src := &w.sources[i]
		for j := range src.claims {
			always = always || src.claims[j].about(s.key.key)
		}
		for j := range src.trees {
			n := &src.trees[j]
			always = always || n.unusual
			t := tree{entry: at, beside: yes}
			if !s.list(n, int32(len(s.trees)), &t) {
				continue
			}
			if e.source == nil {
				e.source = src
			}
			e.plain = e.plain && e.source == src && src.rank != rankRuling && t.read(s, n)
			s.trees = append(s.trees, t)
		}
	}
	e.trees, e.behind = int32(len(s.trees))-e.tree, int32(len(s.conditions))
	e.uniform = e.behind > e.first
	for i := e.first; i < e.behind; i++ {
		c := &s.conditions[i]
		e.open = e.open && c.free && c.part == s.conditions[e.first].part
		e.uniform = e.uniform && c.open && !c.span.every() && c.cpe.Version != know.NoValue && c.cpe.Part == s.conditions[e.first].cpe.Part
	}
	for i := e.first; i < e.behind; i++ { // another tree may say more of a version than one that holds them all
		e.plain = e.plain && (!s.conditions[i].every || e.trees == 1)
	}
	if always {
		e.plain = false
		s.always = append(s.always, at)
	}
}

// list adds the conditions of a tree on the product; false when there are none.
func (s *shelf) list(n *node, at int32, t *tree) bool {
	found := false
	for i := range n.leaves {
		l := &n.leaves[i]
		if l.product != s.product || !l.vulnerable {
			continue
		}
		found = true
		s.conditions = append(s.conditions, condition{leaf: l, entry: t.entry, tree: at, also: -1, every: l.span.every(), free: l.open && !l.wild && l.span.unread == "" && !l.span.unsorted, part: l.cpe.Part[0]})
		if i := s.nameOf(l.name); !slices.Contains(t.names, i) {
			t.names = append(t.names, i)
		}
	}
	for i := range n.children {
		found = s.list(&n.children[i], at, t) || found
	}
	return found
}

// read is false for a tree of another shape than one list, or lists that all have to hold and of which one names the product.
func (t *tree) read(s *shelf, n *node) bool {
	if len(n.children) == 0 {
		return !n.and || len(n.leaves) == 1
	}
	if !n.and || len(n.leaves) > 0 {
		return false
	}
	lists := 0 // that name the product
	for i := range n.children {
		child := &n.children[i]
		if len(child.children) > 0 || child.and && len(child.leaves) > 1 {
			return false
		}
		if child.names(s.product) {
			lists++
			continue
		}
		result := platformUnknown
		for j := range child.leaves {
			l := &child.leaves[j]
			switch {
			case l.product == s.product && l.cpe.Part == "h" && l.family == "":
				result = yes
			case l.product != s.product && l.family != "":
				t.families = true
			case l.product == s.product || l.pattern:
				return false
			}
		}
		t.beside = both(t.beside, result)
	}
	return lists == 1
}

// names reports whether a list calls the product vulnerable.
func (n *node) names(product int32) bool {
	for i := range n.leaves {
		if l := &n.leaves[i]; l.product == product && l.vulnerable {
			return true
		}
	}
	return false
}

// about reports whether the entry can name an identity of the product.
func (c *claim) about(key string) bool {
	return c.key == key || c.pkg == key || slices.Contains(c.cpeKeys, key)
}

// nameOf is where the shelf has the vendor and product of a name.
func (s *shelf) nameOf(n *name) int32 {
	for i, have := range s.names {
		if have.cpe.Vendor == n.cpe.Vendor && have.cpe.Product == n.cpe.Product {
			return int32(i)
		}
	}
	s.names = append(s.names, n)
	return int32(len(s.names) - 1)
}

// mark adds the versions at which what the condition says changes.
func (s *shelf) mark(c *condition) {
	if c.span.from != "" {
		s.marks = append(s.marks, c.span.fromKey)
	}
	if c.span.to != "" {
		s.marks = append(s.marks, c.span.toKey)
	}
	if c.full != "" {
		s.marks = append(s.marks, c.full)
	}
}

// post makes a condition be found by the versions that it can hold.
func (s *shelf) post(at int32) {
	c := &s.conditions[at]
	c.from, c.to = 0, int32(2*len(s.marks))
	switch {
	case c.span.every(), c.span.unread != "", c.span.unsorted, c.span.exact && c.wild:
		s.every = append(s.every, at)
		return
	case c.span.exact && c.span.from == "": // "no version" holds no version
		c.to = -1
		return
	case c.span.exact:
		c.from = s.place(c.span.fromKey)
		c.to = c.from
		s.exact[c.from/2] = append(s.exact[c.from/2], at)
		if c.full == "" {
			return
		}
		if c.also = s.place(c.full); c.also != c.from {
			s.exact[c.also/2] = append(s.exact[c.also/2], at)
		}
		return
	}
	if c.span.from != "" {
		if c.from = s.place(c.span.fromKey); c.span.fromOpen {
			c.from++
		}
	}
	if c.span.to != "" {
		if c.to = s.place(c.span.toKey); !c.span.toClosed {
			c.to--
		}
	}
	if c.from <= c.to {
		s.ranges = append(s.ranges, stretch{c.from, c.to, at})
	}
}

// readFixes lists the ends of an entry's stretches. An entry in which one is written in two ways is plain no more.
func (s *shelf) readFixes(e *entry) {
	for i := e.first; i < e.behind; i++ {
		c := &s.conditions[i]
		if c.span.to == "" || c.span.toClosed {
			continue
		}
		f := fix{condition: i, place: s.place(c.span.toKey)}
		for _, have := range e.fixes {
			if have.place == f.place && s.conditions[have.condition].span.to != c.span.to {
				e.plain, e.fixes = false, nil
				return
			}
		}
		if !e.open || !slices.ContainsFunc(e.fixes, func(have fix) bool { return have.place == f.place }) {
			e.fixes = append(e.fixes, f)
		}
	}
	slices.SortStableFunc(e.fixes, func(a, b fix) int { return int(a.place - b.place) })
	for i := range e.fixes {
		f := &e.fixes[i]
		f.good = true
		for c := e.first; c < e.behind && f.good; c++ {
			f.good = f.place < s.conditions[c].from || s.conditions[c].to < f.place
		}
	}
}
