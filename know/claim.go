package know

import (
	"slices"
	"time"

	"wardwatch/ward"
)

// Report is what one source says about one weakness. Reports are kept side by side, never blended: match ranks them.
type Report struct {
	CVE ward.CVE `json:"cve"`
	// Source is who speaks, its kind first: "cna:ivanti", "adp:CISA-ADP", "nvd", "override:anchore", "ruling"; and for those who
	// speak of one weakness in several documents also which: "vendor:Maker, ADV-1", "vex:Maker, ADV-2", "advisory:Centre, ADV-3"
	// (one who is not the maker), "osv:GHSA-...".
	Source      string          `json:"source"`
	URL         string          `json:"url,omitempty"`
	Published   time.Time       `json:"published,omitzero"`
	Modified    time.Time       `json:"modified,omitzero"` // the source's own date of this statement
	Rejected    bool            `json:"rejected,omitempty"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Claims      []Claim         `json:"claims,omitempty"` // by name, with version ranges
	Trees       []Node          `json:"trees,omitempty"`  // CPE configurations: any of them may hold
	CVSS        []ward.CVSS     `json:"cvss,omitempty"`
	SSVC        *ward.SSVC      `json:"ssvc,omitempty"`
	Exploited   *ward.Exploited `json:"exploited,omitempty"`
	EPSS        *ward.EPSS      `json:"epss,omitempty"`
	References  []string        `json:"references,omitempty"`
	Remedies    []Remedy        `json:"remedies,omitempty"`
	// Edition comes with one report of each document that its publisher revises; it is not kept. A document that says nothing
	// any more, because it was withdrawn, comes as a report without a CVE.
	Edition *Edition `json:"-"`
}

// Edition is one edition of a document: it takes back what earlier editions said of weaknesses that it does not name.
type Edition struct {
	Sources []string // under which earlier editions may have spoken
	At      time.Time
	CVEs    []ward.CVE
}

// Takes reports whether the edition takes a report back.
func (e Edition) Takes(r Report) bool {
	return slices.Contains(e.Sources, r.Source) && !r.Modified.After(e.At) && !slices.Contains(e.CVEs, r.CVE)
}

// Remedy is what a publisher advises to do, in its words.
type Remedy struct {
	Category string    `json:"category"` // as CSAF names them: vendor_fix, mitigation, workaround, none_available, no_fix_planned, fix_planned
	Details  string    `json:"details,omitempty"`
	URL      string    `json:"url,omitempty"`
	Date     time.Time `json:"date,omitzero"` // from which on it is available
}

// ClaimStatus is a publisher's word on versions, in CVE 5 terms.
type ClaimStatus string

// The three words.
const (
	ClaimAffected   ClaimStatus = "affected"
	ClaimUnaffected ClaimStatus = "unaffected"
	ClaimUnknown    ClaimStatus = "unknown"
)

// Claim is one product that a source speaks of, by name, with what it says of its versions.
type Claim struct {
	Vendor    string      `json:"vendor,omitempty"`
	Product   string      `json:"product,omitempty"`
	PURL      string      `json:"purl,omitempty"`      // without version
	Ecosystem string      `json:"ecosystem,omitempty"` // that it speaks of alone, as OSV names them: "Debian:12", "npm"
	CPEs      []string    `json:"cpes,omitempty"`      // CPE 2.3 names given beside the product
	Platforms []string    `json:"platforms,omitempty"` // as written
	Modules   []string    `json:"modules,omitempty"`
	Default   ClaimStatus `json:"default,omitempty"` // for versions that no range covers; empty means unknown
	Versions  []Range     `json:"versions,omitempty"`
	// Justification says why a product is not affected: a word of VEX (vulnerable_code_not_present), or the publisher's own.
	Justification string `json:"justification,omitempty"`
}

// Range is one stretch of versions. Version alone is that version only; with LessThan or LessThanOrEqual it is a stretch
// that begins at Version ("0" or "*" or empty: from the first).
type Range struct {
	Version         string      `json:"version,omitempty"`
	LessThan        string      `json:"lessThan,omitempty"`        // "*": without end
	LessThanOrEqual string      `json:"lessThanOrEqual,omitempty"` // "*": without end
	Scheme          string      `json:"scheme,omitempty"`          // CVE 5 versionType: semver, custom, git, rpm...
	Status          ClaimStatus `json:"status"`
	Changes         []Change    `json:"changes,omitempty"` // ascending
}

// Change is a point inside a Range from which another status holds.
type Change struct {
	At     string      `json:"at"`
	Status ClaimStatus `json:"status"`
}

// Node is a tree of CPE conditions: AND, OR, negate over matches and further nodes.
type Node struct {
	And      bool       `json:"and,omitempty"` // else OR
	Negate   bool       `json:"negate,omitempty"`
	Matches  []CPEMatch `json:"matches,omitempty"`
	Children []Node     `json:"children,omitempty"`
}

// CPEMatch is one CPE name pattern with a version range. Not Vulnerable means "running on": a condition, not a target.
type CPEMatch struct {
	CPE            string `json:"cpe"`
	Vulnerable     bool   `json:"vulnerable"`
	StartIncluding string `json:"startIncluding,omitempty"`
	StartExcluding string `json:"startExcluding,omitempty"`
	EndIncluding   string `json:"endIncluding,omitempty"`
	EndExcluding   string `json:"endExcluding,omitempty"`
}
