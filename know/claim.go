package know

import (
	"time"

	"wardwatch/ward"
)

// Report is what one source says about one weakness. Reports are kept side by side, never blended: match ranks them.
type Report struct {
	CVE         ward.CVE        `json:"cve"`
	Source      string          `json:"source"` // "cna:ivanti", "adp:CISA-ADP", "nvd", "override:anchore", "ruling"
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
	CPEs      []string    `json:"cpes,omitempty"`      // CPE 2.3 names given beside the product
	Platforms []string    `json:"platforms,omitempty"` // as written
	Modules   []string    `json:"modules,omitempty"`
	Default   ClaimStatus `json:"default,omitempty"` // for versions that no range covers; empty means unknown
	Versions  []Range     `json:"versions,omitempty"`
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
