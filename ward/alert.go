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

	// An alert that ended otherwise than by being done with: nothing is owed to it any more.
	Withdrawn  AlertState = "withdrawn"  // it should not have been published, or does not hold any more
	Superseded AlertState = "superseded" // another alert took its place: SupersededBy
)

// Part is how an organisation takes part in an alert.
type Part string

// The parts.
const (
	ToRespond Part = "respond" // must answer
	ToInform  Part = "inform"  // reads it, and owes nothing
)

// Audience is whom an alert goes to.
type Audience struct {
	Respond []OrgID // must answer; nil: every open organisation that is not in Inform
	Inform  []OrgID // for information
}

// AlertChange is what an issued revision changed of an alert, and who stands for it.
type AlertChange struct {
	Material   bool     // organisations acknowledge again
	Why        string   // what changed, in the reviser's words; organisations read it
	Proposed   bool     // what the rules proposed for Material
	Reasons    []string // of the proposal
	By         string   // wrote it
	ByID       PersonID
	Approver   string // issued it
	ApproverID PersonID
	At         time.Time
}

// Emergency is a publication by one person alone, and the second approval that it still owed. The zero Emergency is none.
type Emergency struct {
	Reason    string
	By        string
	ByID      PersonID
	At        time.Time
	Due       time.Time // of the second approval
	SecondBy  string    // who gave it, or withdrew the alert
	SecondID  PersonID
	SecondAt  time.Time // zero while it is owed
	Withdrawn bool      // the second person withdrew the alert
}

// Owed reports whether an alert was published by one person and no second one has signed yet.
func (e Emergency) Owed() bool { return !e.At.IsZero() && e.SecondAt.IsZero() }

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
	AcknowledgeWithin time.Duration // from issue, and from a material revision; as the policy says unless the approver changed it
	UpdateEvery       time.Duration // from acknowledgement; as the policy says unless the approver changed it
	Policy            Policy        // whose clocks these are, as they stood when the alert was drafted, at the latest issued
	ClocksWhy         string        // why they differ from the policy's; empty where they do not
	ClocksBy          string        // who changed them
	CheckRequired     bool          // the approver asks every organisation for a compromise check
	CheckWhy          string
	Template          string  // drafted from
	Supersedes        AlertID // the alert whose place it takes when it is published
	SupersededBy      AlertID
	Exploited         []CVE       // of CVEs, known to be exploited when this edition was issued
	Edition           int         // counts what organisations were given to read: 1 at publication, and one more a revision
	Change            AlertChange // of the newest edition; zero for the first
	Emergency         Emergency
	EndWhy            string // why it was withdrawn, or by what it was superseded
	Author            string
	AuthorID          PersonID
	Approver          string
	ApproverID        PersonID
	Created           time.Time
	ApprovedAt        time.Time
	Issued            time.Time
	Revised           time.Time // when the newest edition was issued; zero for the first
	Closed            time.Time // when it ended, however it did
}

// InForce reports whether organisations still owe answers to the alert.
func (a Alert) InForce() bool { return a.State == Published }

// RemediationDue is when a kind of system is to be fixed: by the alert's own date, else within the policy's time from issue;
// zero where neither says so.
func (a Alert) RemediationDue(kind SystemKind) time.Time {
	within := a.Policy.RemediateWithin(kind)
	switch {
	case !a.RemediateBy.IsZero():
		return a.RemediateBy
	case a.Issued.IsZero() || within == 0:
		return time.Time{}
	}
	return a.Issued.Add(within)
}

// Revision is a new text of a published alert that waits for a second person.
type Revision struct {
	Alert   AlertID
	Version int         // of the revision; every change gives it another, which no other revision of any alert had
	Base    int         // the alert's version that it was written against
	Change  AlertChange // Approver and At are empty
	Draft   Alert       // the words, with the alert's ID
	Writers []PersonID  // everybody who wrote it: none of them approves it
	Begun   time.Time
	Updated time.Time
}

// Template is a draft kept for the next time.
type Template struct {
	Name    string // "exploited-weakness"
	Version int    // counts changes
	Title   string // what it is for
	Words   Alert  // only what a person writes
	By      string
	Updated time.Time
}
