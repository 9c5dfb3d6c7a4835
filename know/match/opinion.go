package match

import (
	"fmt"
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// An opinion is what one source says of one identity.
type opinion struct {
	source     *source
	status     ward.Status
	basis      ward.Basis
	confidence ward.Confidence
	words      phrase   // completes "Ivanti (CNA) ..."
	fixes      []string // versions that the source gives as fixed
}

// A phrase is a part of a sentence, made when somebody reads it: most opinions are only counted.
type phrase func() string

func said(text string) phrase { return func() string { return text } }

// and is the phrase with more after them.
func (w phrase) and(more phrase) phrase { return func() string { return w() + more() } }

// severity orders statuses of one strength within one source: what must not be missed comes first.
func severity(s ward.Status) int {
	switch s {
	case ward.Affected:
		return 0
	case ward.PlatformUnknown:
		return 1
	case ward.VersionUnknown:
		return 2
	case ward.Fixed:
		return 3
	}
	return 4
}

func strength(b ward.Basis) int {
	switch b {
	case ward.ByRuling:
		return 0
	case ward.ByVersion:
		return 1
	}
	return 2
}

// over reports whether a decides before b within one source.
func (a opinion) over(b opinion) bool {
	if x, y := strength(a.basis), strength(b.basis); x != y {
		return x < y
	}
	return severity(a.status) < severity(b.status)
}

// opinionOf gathers what a source's entries and trees say of the identity, and lets the strongest speak for it.
func (s *source) opinionOf(id *Identity, together []*Identity) (opinion, bool) {
	var best opinion
	var fixes []string
	heard := false
	consider := func(o opinion) {
		o.source = s
		fixes = append(fixes, o.fixes...)
		if s.rank == rankRuling && o.basis == ward.ByVersion {
			o.basis = ward.ByRuling
		}
		if !heard || o.over(best) {
			best = o
		}
		heard = true
	}
	for i := range s.claims {
		c := &s.claims[i]
		confidence, ok := c.names(id)
		if !ok {
			continue
		}
		if s.rank == rankRuling && !c.explicit(id) { // a ruling speaks of its own versions only, and those free of the weakness are where to go
			fixes = append(fixes, c.free()...)
			continue
		}
		o := c.opinionOf(id)
		o.confidence = confidence
		if !c.limit(&o, id, together) {
			continue
		}
		consider(o)
	}
	for i := range s.trees {
		if o, ok := s.trees[i].opinionOf(id, together); ok {
			consider(o)
		}
	}
	best.fixes = fixes
	return best, heard
}

// names reports whether the entry is about the identity's product, and how it was recognised.
func (c *claim) names(id *Identity) (ward.Confidence, bool) {
	if !sameRelease(c.release, id.release) {
		return "", false
	}
	if c.pkg != "" && c.pkg == id.pkg {
		return ward.Exact, true
	}
	if id.cpe != nil {
		for _, cpe := range c.cpes {
			if cpe.Vendor == id.cpe.Vendor && cpe.Product == id.cpe.Product && (cpe.Part == id.cpe.Part) {
				return ward.Exact, true
			}
		}
	}
	if c.key != "" && id.has(c.key) {
		return know.Recognised(id.vendor, id.product, c.Vendor, c.Product), true
	}
	for i, key := range c.cpeKeys {
		if id.has(key) {
			return know.Recognised(id.vendor, id.product, know.Plain(c.cpes[i].Vendor), know.Plain(c.cpes[i].Product)), true
		}
	}
	return "", false
}

// explicit reports whether a stretch of the entry holds the identity's version.
func (c *claim) explicit(id *Identity) bool {
	return id.version != "" && slices.ContainsFunc(c.spans, func(s span) bool { in, _ := s.holds(id); return in })
}

// limit applies the operating systems that the entry is about; it is false when the asset runs another.
func (c *claim) limit(o *opinion, id *Identity, together []*Identity) bool {
	if len(c.families) == 0 || id.family != "" && slices.Contains(c.families, id.family) {
		return true
	}
	switch holdsFamily(id, together, c.families) {
	case yes:
		return true
	case no:
		return false
	}
	if o.status == ward.Affected && len(c.families) == 1 {
		o.status = ward.PlatformUnknown
		o.words = o.words.and(func() string {
			return ", on " + strings.Join(c.Platforms, ", ") + " only, and nothing tells what this asset runs on"
		})
	}
	return true
}

// opinionOf is the entry's word on the identity's version, by the rules of CVE 5: an exact version first, then the first
// stretch that holds it, then the default. A default status calls no release affected that is later than a listed fix.
func (c *claim) opinionOf(id *Identity) opinion {
	o := opinion{fixes: c.fixes()}
	if id.version == "" {
		c.withoutVersion(&o, id)
		return o
	}
	if s := c.spanOf(id); s != nil {
		c.inside(&o, id, s)
		return o
	}
	c.outside(&o, id)
	return o
}

// spanOf is the stretch that holds the identity's version: an exact one if there is one.
func (c *claim) spanOf(id *Identity) *span {
	var holding *span
	for i := range c.spans {
		s := &c.spans[i]
		if in, _ := s.holds(id); !in {
			continue
		}
		if s.exact {
			return s
		}
		if holding == nil {
			holding = s
		}
	}
	return holding
}

func (c *claim) inside(o *opinion, id *Identity, s *span) {
	o.basis = ward.ByVersion
	if s.every() {
		o.basis = ward.ByDefault
	}
	switch status := s.statusAt(id); status {
	case know.ClaimAffected:
		o.status = ward.Affected
		o.words = func() string { return "lists " + s.words() + " as affected" + includes(s, id) }
	case know.ClaimUnaffected:
		o.status = ward.NotAffected
		o.words = func() string { return "lists " + s.words() + " as not affected" + includes(s, id) }
		if status != s.status {
			o.words = func() string {
				return fmt.Sprintf("lists %s as affected until a change that %s has", s.words(), id.version)
			}
		}
		if c.fixedBy(s) {
			o.status = ward.Fixed
		}
	default:
		o.status = ward.VersionUnknown
		o.words = func() string { return "does not know whether " + id.version + " is affected" }
	}
}

func includes(s *span, id *Identity) string {
	if s.exact || s.every() {
		return ""
	}
	return ", which includes " + id.version
}

// fixedBy reports whether an unaffected stretch is a fix: something before it is affected.
func (c *claim) fixedBy(s *span) bool {
	if s.status == know.ClaimAffected {
		return true // a change inside it
	}
	if s.from == "" {
		return false
	}
	if c.Default == know.ClaimAffected {
		return true
	}
	return slices.ContainsFunc(c.spans, func(other span) bool {
		return other.status == know.ClaimAffected && other.unread == "" && (other.from == "" || other.fromKey < s.fromKey)
	})
}

// outside is the word on a version that no stretch holds.
func (c *claim) outside(o *opinion, id *Identity) {
	o.basis = ward.ByDefault
	branch := id.branch
	ends := c.ends(id)
	var same, below, above *end // on the branch; at or before the version; after it
	for i := range ends {
		e := &ends[i]
		if e.branch == branch {
			same = e
		}
		if e.reached {
			below = e
		} else if above == nil {
			above = e
		}
	}
	unordered := slices.ContainsFunc(c.spans, func(s span) bool { _, told := s.holds(id); return !told })
	switch {
	case unordered && c.Default != know.ClaimUnaffected:
		o.status = ward.VersionUnknown
		o.words = func() string {
			return fmt.Sprintf("gives versions (%s) that %s cannot be held against", c.list(), id.version)
		}
	case unordered:
		o.status = ward.VersionUnknown
		o.words = func() string {
			return fmt.Sprintf("gives affected versions (%s) that %s cannot be held against", c.list(), id.version)
		}
	case same != nil && same.reached:
		o.status, o.basis = ward.Fixed, ward.ByVersion
		o.words = func() string { return same.words() + past(id, same) }
	case below != nil && above == nil:
		o.status = ward.Fixed
		o.words = func() string { return below.words() + past(id, below) }
		if c.Default == know.ClaimAffected {
			o.words = o.words.and(said(", so the default status does not count"))
		}
		if below.last {
			o.status = ward.NotAffected
		}
	case c.Default == know.ClaimAffected && same != nil && same.fix:
		o.status, o.basis = ward.Affected, ward.ByVersion
		o.words = func() string {
			return fmt.Sprintf("%s and every version before it as affected, and %s is before it on branch %s", same.words(), id.version, branch)
		}
	case c.Default == know.ClaimAffected:
		o.status = ward.Affected
		o.words = said("calls every version affected that it does not list (its default status)")
		if above != nil {
			o.words = o.words.and(func() string { return ", and lists only " + c.list() })
		}
	case c.Default == know.ClaimUnaffected:
		o.status = ward.NotAffected
		o.words = func() string {
			return fmt.Sprintf("calls only %s affected, which does not include %s", c.list(), id.version)
		}
	default:
		o.status = ward.VersionUnknown
		o.words = func() string { return fmt.Sprintf("speaks of %s and says nothing of %s", c.list(), id.version) }
	}
	if o.status == ward.Fixed && same != nil && same.last && same.reached {
		o.status = ward.NotAffected
	}
}

func past(id *Identity, e *end) string {
	switch key, _ := id.keyIn(e.of.scheme); {
	case e.fix && key == e.key:
		return ""
	case key == e.key:
		return ", and " + id.version + " is the first version after that"
	}
	return ", and " + id.version + " is later"
}

// An end is where affected versions stop.
type end struct {
	version string
	key     string
	branch  string
	reached bool // the identity's version is there or later
	fix     bool // named as unaffected by itself
	last    bool // the last affected version rather than the first fixed one
	of      *span
}

func (e *end) words() string {
	if e.fix {
		return "lists " + e.version + " as not affected"
	}
	return "lists " + e.of.words() + " as affected"
}

// ends lists, in order, where affected versions stop: unaffected versions and starts, ends of affected stretches, changes.
func (c *claim) ends(id *Identity) []end {
	var all []end
	add := func(s *span, e end) {
		key, ordered := id.keyIn(s.scheme)
		if s.unsorted || !ordered || s.unread != "" {
			return
		}
		e.of, e.reached = s, e.key <= key
		if e.last {
			e.reached = e.key < key
		}
		all = append(all, e)
	}
	for i := range c.spans {
		s := &c.spans[i]
		if s.status == know.ClaimUnaffected && s.from != "" && (c.Default == know.ClaimAffected || c.affectedBefore(s)) {
			add(s, end{version: s.from, key: s.fromKey, branch: s.fromBranch, fix: true})
		}
		if s.status == know.ClaimAffected && s.to != "" {
			add(s, end{version: s.to, key: s.toKey, branch: s.toBranch, last: s.toClosed})
		}
		for _, change := range s.changes {
			if change.status == know.ClaimUnaffected {
				add(s, end{version: change.at, key: change.key, branch: know.Branch(change.at), fix: true})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b end) int { return strings.Compare(a.key, b.key) })
	return all
}

func (c *claim) affectedBefore(s *span) bool {
	return slices.ContainsFunc(c.spans, func(other span) bool {
		return other.status == know.ClaimAffected && other.unread == "" && (other.from == "" || other.fromKey < s.fromKey)
	})
}

// withoutVersion is the word on software whose version nobody gave: only what holds for every version can be said.
func (c *claim) withoutVersion(o *opinion, id *Identity) {
	o.basis = ward.ByDefault
	all := func(status know.ClaimStatus) bool {
		return len(c.spans) == 0 && c.Default == status || len(c.spans) > 0 && !slices.ContainsFunc(c.spans, func(s span) bool { return !s.every() || s.status != status })
	}
	switch {
	case all(know.ClaimAffected):
		o.status, o.words = ward.Affected, said("calls every version affected")
	case all(know.ClaimUnaffected):
		o.status, o.words = ward.NotAffected, said("calls no version affected")
	default:
		o.status = ward.VersionUnknown
		o.words = func() string {
			return fmt.Sprintf("speaks of %s, and the version of %s is not known", c.list(), id.name())
		}
	}
}

// list says the entry's stretches, the first few of them.
func (c *claim) list() string { return listSpans(c.spans) }

func listSpans(spans []span) string {
	const most = 4
	var parts []string
	for _, s := range spans {
		text := s.words()
		if s.status == know.ClaimUnaffected {
			text += " (not affected)"
		}
		if !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("%d more", len(parts)-most))
	}
	if len(parts) == 0 {
		return "no versions"
	}
	return strings.Join(parts, ", ")
}

// free lists the single versions that the entry calls not affected.
func (c *claim) free() (versions []string) {
	for i := range c.spans {
		if s := &c.spans[i]; s.exact && s.status == know.ClaimUnaffected && s.unread == "" && !s.unsorted {
			versions = append(versions, s.from)
		}
	}
	return versions
}

// fixes lists the versions that the entry gives as fixed.
func (c *claim) fixes() []string {
	var all []string
	for i := range c.spans {
		s := &c.spans[i]
		switch {
		case s.unread != "" || s.unsorted:
		case s.status == know.ClaimUnaffected && s.from != "" && !s.fromOpen && (c.Default == know.ClaimAffected || c.affectedBefore(s)):
			all = append(all, s.from)
		case s.status == know.ClaimAffected && s.to != "" && !s.toClosed:
			all = append(all, s.to)
		}
		for _, change := range s.changes {
			if change.status == know.ClaimUnaffected {
				all = append(all, change.at)
			}
		}
	}
	return all
}
