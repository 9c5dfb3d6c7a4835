package ward

import "time"

// ExposureState is what the centre knows of an organisation before it answers.
type ExposureState string

// The three answers.
const (
	Exposed         ExposureState = "exposed"
	NotExposed      ExposureState = "not_exposed"
	ExposureUnknown ExposureState = "not_known"
)

// Standing is what is known of one organisation about one product and its weaknesses, with the evidence behind it.
type Standing struct {
	Org        OrgID
	State      ExposureState
	Reason     string // "no source covers mobile management", "12.5.0.0 on 1 asset by appliance register"
	Source     string
	ObservedAt time.Time
	Grade      Grade
	Assets     int // distinct exposed assets
	AsAt       time.Time
}

// ResponseState is where an organisation's answer to an alert stands.
type ResponseState string

// The states of a response.
const (
	Unanswered   ResponseState = "unanswered"
	InProgress   ResponseState = "in_progress" // acknowledged
	Remediated   ResponseState = "remediated"  // claimed fixed, not closed
	ClosedAnswer ResponseState = "closed"
)

// Applicability is an organisation's own word on whether an alert applies to it.
type Applicability string

// The answers; empty while not answered.
const (
	Applies     Applicability = "yes"
	AppliesPart Applicability = "partly"
	AppliesNot  Applicability = "no"
	AppliesHost Applicability = "hosted"
	NotRunHere  Applicability = "not_run"
)

// ProofResult is what evidence says about a claim.
type ProofResult string

// The four results; empty while nothing is claimed.
const (
	Confirmed    ProofResult = "confirmed"         // evidence observed after the claimed fix shows a fixed version
	Awaiting     ProofResult = "awaiting_evidence" // nothing newer than the claim: it stands, and may close as not confirmed
	Contradicted ProofResult = "contradicted"      // evidence newer than the claim shows an affected version: cannot close
	Disputed     ProofResult = "disputed"          // sources disagree, or the organisation contests the match: the desk decides
)

// Proof is a claim held against evidence.
type Proof struct {
	Result     ProofResult `json:"result"`
	Why        string      `json:"why"` // "confirmed by appliance register at 09:14 on 3 May 2025"
	Source     string      `json:"source"`
	ObservedAt time.Time   `json:"observed_at"`
	Grade      Grade       `json:"grade"`
	Assets     []Seen      `json:"assets"` // each asset with what was last seen on it
	At         time.Time   `json:"at"`     // when it was worked out
}

// Seen is what one source last showed on one asset.
type Seen struct {
	Asset      AssetID   `json:"asset"`
	Name       string    `json:"name"`
	Software   string    `json:"software"`
	Version    string    `json:"version"`
	Status     Status    `json:"status"`
	Basis      Basis     `json:"basis"`
	Fixed      string    `json:"fixed"`
	Why        string    `json:"why"`
	Source     string    `json:"source"`
	Grade      Grade     `json:"grade"`
	ObservedAt time.Time `json:"observed_at"`
	Gone       bool      `json:"gone"` // no longer seen: confirms nothing
}

// Response is one organisation's answer to one alert.
type Response struct {
	Alert          AlertID
	Org            OrgID
	Version        int // counts changes; the ETag of an update
	State          ResponseState
	Standing       Standing // as at publication
	Current        Standing // as last worked out
	Applicability  Applicability
	RespondBy      time.Time // acknowledge by: issue + 48 h
	AcknowledgedAt time.Time
	AcknowledgedBy string
	NextDue        time.Time // next update; zero when nothing is due
	ClaimedFixedAt time.Time // the time from which the organisation says it is fixed; zero when it claims nothing
	Words          string    // its last words
	Dispute        string    // why it contests the match; empty when it does not
	Proof          Proof
	ClosedAt       time.Time
	ClosedAs       string // "closed, confirmed", "closed, not confirmed", "not applicable"
	Lapsed         bool   // the alert is closed: nothing is owed any more
	Overdue        bool   // worked out for now
	EverOverdue    bool
	UpdatedBy      string
	Updated        time.Time
}

// Entry is one line of a response's history.
type Entry struct {
	At    time.Time
	By    string
	Kind  string // acknowledged, applicability, claimed, disputed, ruled, proof, closed, reopened
	Words string
}

// Ruling is the national desk's decision on a disputed match, made once and applied to every organisation alike.
type Ruling struct {
	ID       string
	CVEs     []CVE
	Vendor   string
	Product  string
	Versions []string // the exact versions ruled on
	Status   Status   // Affected or Fixed or NotAffected
	Reason   string
	By       PersonID
	Name     string
	At       time.Time
	Undone   time.Time // zero while it stands
}
