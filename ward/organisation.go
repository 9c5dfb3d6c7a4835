package ward

import "time"

// Organisation is a body that provides or commissions care, known by its ODS code.
type Organisation struct {
	ID        OrgID
	Name      string
	Kind      string // "trust", "board", "supplier"...: free words from the register
	Town      string
	Postcode  string
	Country   string
	Board     string // integrated care board code
	Region    string // region code
	Latitude  float64
	Longitude float64 // both 0 when not known
	Opened    time.Time
	Closed    time.Time // zero while open
}

// RelationKind says how one organisation stands to another.
type RelationKind string

// The kinds of relation, read "From KIND To".
const (
	GroupLead   RelationKind = "group"        // From leads the group that To belongs to
	CareBoard   RelationKind = "board"        // From is the integrated care board of To
	Hosts       RelationKind = "hosts"        // From hosts systems for To
	OperatesFor RelationKind = "operates_for" // From operates systems for To
	Supplier    RelationKind = "supplier"     // From supplies To
	Successor   RelationKind = "successor"    // From succeeds To
)

// Relation is dated: it holds from Since until Until (zero: still).
type Relation struct {
	From  OrgID
	Kind  RelationKind
	To    OrgID
	Since time.Time
	Until time.Time
}

// Site is a place where an organisation works.
type Site struct {
	ID        SiteID
	Org       OrgID
	Name      string
	Postcode  string
	Latitude  float64
	Longitude float64
}
