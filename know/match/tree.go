package match

import (
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// A truth has two kinds of maybe, ordered so that "or" is the greatest and "and" (but for no) the least certain.
type truth int8

const (
	no              truth = iota
	platformUnknown       // depends on what else the asset runs, which nothing tells
	versionUnknown        // depends on a version that nobody gave
	yes
)

func both(a, b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == versionUnknown || b == versionUnknown:
		return versionUnknown
	case a == platformUnknown || b == platformUnknown:
		return platformUnknown
	}
	return yes
}

// A walk is one tree held against one identity and what stands beside it.
type walk struct {
	id       *Identity
	together []*Identity
	hits     []*leaf // vulnerable leaves that hold the identity
	misses   []*leaf // vulnerable leaves of its product that do not hold its version
	others   []*leaf // vulnerable leaves of its product in another edition
	unmet    []*leaf // conditions that fail or cannot be told
}

// concerns reports whether a vulnerable name below the node is the identity's product.
func (n *node) concerns(id *Identity) bool {
	for i := range n.leaves {
		if n.leaves[i].vulnerable && n.leaves[i].names(id) {
			return true
		}
	}
	return slices.ContainsFunc(n.children, func(child node) bool { return child.concerns(id) })
}

// names reports whether the leaf is about the identity's product.
func (l *leaf) names(id *Identity) bool {
	if id.has(l.key.key) {
		return true
	}
	if l.pattern && id.cpe != nil {
		return covers(l.cpe.Vendor, id.cpe.Vendor) && covers(l.cpe.Product, id.cpe.Product)
	}
	return false
}

func covers(source, target string) bool {
	r := know.Relate(source, target)
	return r == know.Superset || r == know.Equal
}

// opinionOf is the tree's word on the identity; false when none of its vulnerable names is the identity's product.
func (n *node) opinionOf(id *Identity, together []*Identity) (opinion, bool) {
	if !n.concerns(id) {
		return opinion{}, false
	}
	w := &walk{id: id, together: together}
	result := w.eval(n)
	o := opinion{basis: ward.ByVersion, confidence: w.confidence()}
	for _, l := range slices.Concat(w.hits, w.misses) {
		if l.span.to != "" && !l.span.toClosed {
			o.fixes = append(o.fixes, l.span.to)
		}
	}
	switch result {
	case yes, platformUnknown:
		o.status = ward.Affected
		if result == platformUnknown {
			o.status = ward.PlatformUnknown
		}
		if len(w.hits) == 0 { // by a negation
			o.words = func() string { return "lists all but " + named(slices.Concat(w.misses, w.others)) + " as affected" }
			break
		}
		hit := w.hits[0]
		for _, l := range w.hits {
			if !l.span.every() {
				hit = l
				break
			}
		}
		if hit.span.every() {
			o.basis = ward.ByDefault // a whole product: nobody looked at this version
		}
		o.words = func() string {
			text := "lists " + hit.span.words() + " as affected"
			if id.version != "" {
				text += includes(hit.span, id)
			}
			return text
		}
		if result == platformUnknown {
			if own := hit.edition(); own != "" {
				o.words = o.words.and(said(", for " + own + " only, and nothing tells whether that is what runs there"))
			} else {
				o.words = o.words.and(func() string {
					return ", together with " + conditions(w.unmet) + ", and nothing tells whether the asset has that"
				})
			}
		}
	case versionUnknown:
		o.status = ward.VersionUnknown
		o.words = func() string {
			return "lists " + named(slices.Concat(w.hits, w.misses)) + " as affected, and the version of " + id.name() + " is not known well enough"
		}
	case no:
		n.outside(&o, w)
	}
	return o, true
}

// named lists the stretches of the leaves.
func named(leaves []*leaf) string {
	spans := make([]span, len(leaves))
	for i, l := range leaves {
		spans[i] = *l.span
	}
	return listSpans(spans)
}

// outside is the word on an identity that the tree does not hold: by a condition, or by its version.
func (n *node) outside(o *opinion, w *walk) {
	if len(w.hits) > 0 {
		o.status = ward.NotAffected
		if len(w.unmet) == 0 { // by a negation
			o.words = func() string { return "lists all but " + named(w.hits) + " as affected" }
			return
		}
		o.words = func() string {
			return "lists " + w.hits[0].span.words() + " as affected only together with " + conditions(w.unmet) + ", which the asset does not have"
		}
		return
	}
	o.status, o.basis = ward.NotAffected, ward.ByDefault
	o.words = func() string {
		return "lists " + named(w.misses) + " as affected, which does not include " + w.id.version
	}
	if len(w.misses) == 0 {
		o.words = func() string { return "lists another edition of " + w.id.name() + " as affected" }
		return
	}
	later := true // than every listed stretch
	var last *leaf
	for _, l := range w.misses {
		if l.span.to == "" {
			later = later && l.span.exact && l.span.fromKey < w.id.key
			continue
		}
		past := l.span.toKey <= w.id.key
		later = later && past
		if past && l.span.toBranch == w.id.branch {
			last = l
		}
	}
	if last == nil && later {
		last = w.misses[0]
		for _, l := range w.misses {
			if l.span.to != "" && (last.span.to == "" || l.span.toKey > last.span.toKey) {
				last = l
			}
		}
	} else if last != nil {
		o.basis = ward.ByVersion
	}
	if last == nil || last.span.to == "" {
		return
	}
	o.words = func() string {
		if w.id.key == last.span.toKey {
			return "lists " + last.span.words() + " as affected, and " + w.id.version + " is the first version after that"
		}
		return "lists " + last.span.words() + " as affected, and " + w.id.version + " is later"
	}
	if !last.span.toClosed {
		o.status = ward.Fixed
	}
}

// conditions says what the asset would have to run beside the product.
func conditions(leaves []*leaf) string {
	var parts []string
	for _, l := range leaves {
		text := strings.ReplaceAll(know.Plain(l.cpe.Vendor)+" "+know.Plain(l.cpe.Product), "_", " ")
		if !l.span.every() && (!l.span.exact || l.span.from != "") {
			text += " " + l.span.words()
		}
		if !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if len(parts) > 3 {
		parts = append(parts[:3], "others")
	}
	return or(strings.Join(parts, " or "), "something else")
}

// edition says the edition that a leaf is limited to, and what it has to run on; empty when it is for all.
func (l *leaf) edition() string {
	var parts []string
	for _, value := range []string{l.cpe.Edition, l.cpe.SWEdition, l.cpe.TargetSW, l.cpe.TargetHW} {
		if text := strings.ReplaceAll(know.Plain(value), "_", " "); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// confidence is exact when the identity has a CPE of the names that were held against it.
func (w *walk) confidence() ward.Confidence {
	best := ward.Alias
	for _, l := range slices.Concat(w.hits, w.misses, w.others) {
		if w.id.cpe != nil && covers(l.cpe.Vendor, w.id.cpe.Vendor) && covers(l.cpe.Product, w.id.cpe.Product) {
			return ward.Exact
		}
		if know.Recognised(w.id.vendor, w.id.product, know.Plain(l.cpe.Vendor), know.Plain(l.cpe.Product)) == ward.Name {
			best = ward.Name
		}
	}
	return best
}

// eval works the tree out. A disjunction that names the identity's product as vulnerable speaks of the identity alone; any
// other part is a condition on everything that the asset runs.
func (w *walk) eval(n *node) truth {
	var result truth
	if n.and {
		result = yes
		for i := range n.leaves {
			result = both(result, w.leaf(&n.leaves[i], n.leaves[i].vulnerable && n.leaves[i].names(w.id)))
		}
		for i := range n.children {
			result = both(result, w.eval(&n.children[i]))
		}
	} else {
		result = no
		own := n.concerns(w.id)
		for i := range n.leaves {
			mine := n.leaves[i].vulnerable && n.leaves[i].names(w.id)
			if own && !mine {
				continue
			}
			result = max(result, w.leaf(&n.leaves[i], mine))
		}
		for i := range n.children {
			if own && !n.children[i].concerns(w.id) {
				continue
			}
			result = max(result, w.eval(&n.children[i]))
		}
	}
	if n.negate {
		switch result {
		case yes:
			return no
		case no:
			return yes
		}
	}
	return result
}

func (w *walk) leaf(l *leaf, mine bool) truth {
	if mine {
		result, version := l.holds(w.id, w.together)
		switch {
		case result != no && version:
			w.hits = append(w.hits, l)
		case !version || result == versionUnknown:
			w.misses = append(w.misses, l)
		default:
			w.others = append(w.others, l)
		}
		return result
	}
	result := w.condition(l)
	if result != yes {
		w.unmet = append(w.unmet, l)
	}
	return result
}

// holds compares the leaf with an identity of its product; version is false when the version is what keeps it out or is
// not known.
func (l *leaf) holds(id *Identity, together []*Identity) (result truth, version bool) {
	if result = l.fits(id, together); result == no {
		return no, true
	}
	v := l.version(id)
	return both(result, v), v == yes
}

// fits compares the leaf with an identity of its product in all but version and update.
func (l *leaf) fits(id *Identity, together []*Identity) truth {
	if id.cpe != nil {
		return l.attributes(id, together)
	}
	result := l.target(know.AnyValue, l.cpe.TargetSW, id, together)
	for _, wanted := range [...]string{l.cpe.TargetHW, l.cpe.SWEdition, l.cpe.Edition} {
		if wanted != know.AnyValue && wanted != know.NoValue {
			result = both(result, platformUnknown)
		}
	}
	return result
}

// version holds the identity's version, with its update, against the leaf.
func (l *leaf) version(id *Identity) truth {
	if l.span.every() || l.span.exact && id.windows != "" && id.windows == l.span.from { // windows_10:1809 is every build of that release
		return l.update(id, yes)
	}
	if id.version == "" {
		if l.cpe.Version == know.NoValue && id.cpe != nil && id.cpe.Version == know.NoValue {
			return yes
		}
		return versionUnknown
	}
	if l.cpe.Version == know.NoValue && l.span.exact {
		return no
	}
	if l.span.exact && l.wild && id.cpe != nil {
		if !covers(l.cpe.Version, id.cpe.Version) {
			return no
		}
		return l.update(id, yes)
	}
	if l.span.exact && l.full != "" && l.full == id.key {
		return yes // the update stands in the version: "3.2.0 p1"
	}
	in, told := l.span.holds(id)
	switch {
	case !told:
		return versionUnknown
	case !in:
		return no
	}
	return l.update(id, yes)
}

// update narrows by the update, where the leaf names one.
func (l *leaf) update(id *Identity, result truth) truth {
	if l.cpe.Update == know.AnyValue {
		return result
	}
	given, key := know.AnyValue, noUpdate
	if id.cpe != nil {
		given, key = id.cpe.Update, id.update
	}
	if given == l.cpe.Update {
		return result
	}
	switch know.Relate(l.cpe.Update, given) {
	case know.Equal, know.Superset:
		return result
	case know.Subset:
		if l.cpe.Update == know.NoValue {
			return result // no update was mentioned on either side
		}
		return both(result, versionUnknown)
	}
	if l.name.update == key {
		return result // "update_3" and "u3"
	}
	return no
}

// noUpdate is the key of no update at all.
var noUpdate, _ = know.OrderKey(know.SchemeVendor, "")

// attributes holds the other attributes of the identity's CPE against the leaf.
func (l *leaf) attributes(id *Identity, together []*Identity) truth {
	if know.Relate(l.cpe.Part, id.cpe.Part) == know.Disjoint {
		return no
	}
	if l.bare {
		return yes
	}
	result := l.target(id.cpe.TargetSW, l.cpe.TargetSW, id, together)
	for _, pair := range [...][2]string{
		{l.cpe.Edition, id.cpe.Edition}, {l.cpe.Language, id.cpe.Language}, {l.cpe.SWEdition, id.cpe.SWEdition}, {l.cpe.TargetHW, id.cpe.TargetHW}, {l.cpe.Other, id.cpe.Other},
	} {
		if pair[0] == know.AnyValue || pair[0] == pair[1] {
			continue
		}
		switch know.Relate(pair[0], pair[1]) {
		case know.Disjoint:
			return no
		case know.Subset:
			if pair[0] != know.NoValue {
				result = both(result, platformUnknown)
			}
		}
	}
	return result
}

// target holds the target software against the leaf's; where the identity does not say, what the asset runs may.
func (l *leaf) target(given, wanted string, id *Identity, together []*Identity) truth {
	switch know.Relate(wanted, given) {
	case know.Equal, know.Superset:
		return yes
	case know.Disjoint:
		if f := systems[know.Plain(wanted)]; f != "" && f == systems[know.Plain(given)] {
			return yes
		}
		return no
	}
	if wanted == know.NoValue {
		return yes
	}
	if f := systems[know.Plain(wanted)]; f != "" {
		return holdsFamily(id, together, []string{f})
	}
	return yes // an ecosystem or a host program ("maven", "wordpress"), which the product's name already implies
}

// holdsFamily reports whether the asset runs an operating system of one of the families.
func holdsFamily(id *Identity, together []*Identity, families []string) truth {
	result := platformUnknown
	for _, other := range append([]*Identity{id}, together...) {
		if other.family == "" {
			continue
		}
		if slices.Contains(families, other.family) {
			return yes
		}
		result = no
	}
	return result
}

// condition reports whether the asset runs what the leaf names. An inventory that lists anything of that part (application,
// operating system, hardware) beside the identity is taken to list all of it.
func (w *walk) condition(l *leaf) truth {
	best, listed := no, false
	for _, other := range append([]*Identity{w.id}, w.together...) {
		if other != w.id && (other.part == l.cpe.Part || other.part == "" && l.cpe.Part == "a") && other.Software != w.id.Software {
			listed = true
		}
		if l.family != "" && other.family != "" { // whatever part the record gives it
			if l.family == other.family {
				return yes
			}
			listed = true
		}
		if !l.names(other) {
			continue
		}
		if l.cpe.Part == "h" {
			return yes // firmware stands for the device that it runs on, whose version is no condition
		}
		if other.cpe != nil && know.Relate(l.cpe.Part, other.cpe.Part) == know.Disjoint {
			continue
		}
		result := l.version(other)
		if l.cpe.Version == know.NoValue {
			result = yes
		}
		best, listed = max(best, result), true
	}
	if best == no && !listed {
		return platformUnknown
	}
	return best
}
