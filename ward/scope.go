package ward

import "slices"

// Scope says whose data a caller may see. The zero Scope sees nothing. edge/access alone makes the scope of a person; the
// product's own jobs use Everything.
type Scope struct {
	all  bool
	orgs []OrgID // sorted
}

// Everything is the scope of the national watch and of the product's own jobs.
func Everything() Scope { return Scope{all: true} }

// Only is the scope that sees the given organisations and no other.
func Only(orgs ...OrgID) Scope {
	own := slices.Clone(orgs)
	slices.Sort(own)
	return Scope{orgs: slices.Compact(own)}
}

// Sees reports whether data of org may be shown.
func (s Scope) Sees(org OrgID) bool {
	if s.all {
		return true
	}
	_, found := slices.BinarySearch(s.orgs, org)
	return found
}

// All reports whether the scope has no limit.
func (s Scope) All() bool { return s.all }

// Orgs lists the organisations that a limited scope sees, sorted; it is empty for Everything, so ask All first.
func (s Scope) Orgs() []OrgID { return slices.Clone(s.orgs) }

// Within narrows s to the organisations that it shares with org: what a page about one organisation may read.
func (s Scope) Within(org OrgID) Scope {
	if s.Sees(org) {
		return Only(org)
	}
	return Scope{}
}
