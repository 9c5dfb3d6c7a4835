package ward

import "time"

// Severity of an alert.
type Severity string

// The severities of national cyber alerts.
const (
	High   Severity = "High"
	Medium Severity = "Medium"
	Low    Severity = "Low"
	Info   Severity = "Information only"
)

// TLP is the Traffic Light Protocol 2.0 marking.
type TLP string

// The markings.
const (
	TLPClear       TLP = "TLP:CLEAR"
	TLPGreen       TLP = "TLP:GREEN"
	TLPAmber       TLP = "TLP:AMBER"
	TLPAmberStrict TLP = "TLP:AMBER+STRICT"
	TLPRed         TLP = "TLP:RED"
)

// StepKind is the kind of one remediation step.
type StepKind string

// The kinds of step.
const (
	StepPatch    StepKind = "Patch"
	StepGuidance StepKind = "Guidance"
	StepAction   StepKind = "Action"
	StepAware    StepKind = "Aware"
)

// Step is one thing that an alert asks for.
type Step struct {
	Kind StepKind `json:"kind"`
	Text string   `json:"text"`
	Link string   `json:"link,omitempty"`
}

// AlertState is where an alert stands.
type AlertState string

// The states of an alert.
const (
	Drafted   AlertState = "draft"
	Approved  AlertState = "approved"
	Published AlertState = "published"
	Ended     AlertState = "closed"
)

// Alert asks organisations to do something about a threat, by a date.
type Alert struct {
	ID                AlertID
	Version           int // counts changes; the ETag of an update
	State             AlertState
	Severity          Severity
	SeverityWhy       []string // the reasons of a proposed severity, for drafter and approver
	Title             string
	Summary           string
	Category          string // "Exploit", "Malware", "Data breach"...
	ThreatType        string // "Remote code execution"
	Vector            string // "Network"
	TLP               TLP
	Platforms         []string // affected platforms, in words
	CVEs              []CVE
	Steps             []Step
	Vendor            string // the product asked about, when there is one
	Product           string
	Classes           []Class   // where that product would be seen; decides who is not known
	Finding           FindingID // drafted from
	Exercise          bool
	RemediateBy       time.Time     // zero when the alert sets no date
	AcknowledgeWithin time.Duration // from issue; 48 h unless the approver says otherwise
	UpdateEvery       time.Duration // from acknowledgement; 72 h
	Author            string
	AuthorID          PersonID
	Approver          string
	ApproverID        PersonID
	Created           time.Time
	ApprovedAt        time.Time
	Issued            time.Time
	Closed            time.Time
}
