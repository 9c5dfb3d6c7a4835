package ward

import "time"

// Finding is one fix for one organisation: the update that resolves a set of weaknesses on its assets.
type Finding struct {
	ID        FindingID
	Org       OrgID
	Vendor    string
	Product   string
	Branch    string // installed branch, "12.4"; empty when versions have no branches
	Fix       string // lowest version on the branch that resolves every CVE; empty while no fix is published
	CVEs      []CVE  // worst first
	Assets    int    // distinct, now
	State     FindingState
	Ended     string    // how, in words; empty while open
	Replaces  FindingID // the older finding that a newer cumulative update took over
	FirstSeen time.Time
	LastSeen  time.Time
	Priority  Priority
	Alert     AlertID // the alert in force that covers it, if any
}

// FindingState is where a finding stands.
type FindingState string

// The states of a finding.
const (
	FindingOpen     FindingState = "open"
	FindingReplaced FindingState = "replaced" // by a finding with a newer cumulative update
	FindingEnded    FindingState = "ended"    // no open exposure is left
)

// Priority orders the queue: known exploitation, SSVC, reachability, the care that depends on it, EPSS.
type Priority struct {
	Exploited bool     `json:"exploited"`
	SSVC      string   `json:"ssvc"` // act, attend, track*, track, or empty when not known
	Reachable Tri      `json:"reachable"`
	Care      []string `json:"care"` // clinical services that depend on the assets
	EPSS      float64  `json:"epss"` // the highest of the CVEs, 0 to 1
	Reasons   []string `json:"reasons"`
}
