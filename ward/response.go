package ward

import (
	"fmt"
	"strings"
	"time"
)

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

// Outcome is how an organisation's answer ends.
type Outcome string

// The outcomes; empty while the answer is open, and for those that ended before outcomes were kept.
const (
	OutcomeFixed         Outcome = "fixed"
	OutcomeResidual      Outcome = "fixed_with_residual" // all but the listed assets
	OutcomeControlled    Outcome = "controlled"          // until a date, by something other than the fix
	OutcomeAccepted      Outcome = "accepted"            // the risk, until a date, by a named officer
	OutcomeNotApplicable Outcome = "not_applicable"
	OutcomeHosted        Outcome = "hosted" // another organisation runs it
)

// Progress is how far a remediation has come, as the organisation counts it.
type Progress struct {
	Affected int       `json:"affected"`
	Done     int       `json:"done"`
	Blocker  string    `json:"blocker,omitempty"`
	Help     string    `json:"help,omitempty"` // wanted from the centre
	NextDue  time.Time `json:"next_due,omitzero"`
	At       time.Time `json:"at,omitzero"`
	By       string    `json:"by,omitempty"`
}

// ControlKind is what stands in for the fix.
type ControlKind string

// The kinds of control.
const (
	Mitigated            ControlKind = "mitigated"
	Isolated             ControlKind = "isolated"
	AwaitingManufacturer ControlKind = "awaiting_manufacturer" // whose approval the change of a medical device needs
)

// Control keeps the weakness from being used until Review, when the answer opens again.
type Control struct {
	Kind     ControlKind `json:"kind"`
	What     string      `json:"what"`
	Owner    string      `json:"owner"`
	Evidence string      `json:"evidence"`
	Review   time.Time   `json:"review"`
}

// Acceptance is a senior information risk owner's signature under a risk, until a date, when the answer opens again.
type Acceptance struct {
	Officer string    `json:"officer"`
	Reason  string    `json:"reason"`
	Until   time.Time `json:"until"`
}

// Residual is one asset that is not fixed yet, with the reason and the date by which it will be.
type Residual struct {
	Asset  AssetID   `json:"asset,omitempty"` // 0 when the estate does not list it
	Name   string    `json:"name"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

// CheckResult is what a compromise check came to.
type CheckResult string

// The results; empty while nobody has signed.
const (
	NoEvidence      CheckResult = "no_evidence"      // found, in the logs that were covered
	EvidenceFound   CheckResult = "evidence_found"   // the answer stays open: an incident begins
	CannotDetermine CheckResult = "cannot_determine" // the national desk takes it
)

// Check is the compromise check of one answer. Patched is not clean.
type Check struct {
	Required bool        `json:"required"`
	Why      string      `json:"why,omitempty"`
	Result   CheckResult `json:"result,omitempty"`
	Coverage string      `json:"coverage,omitempty"` // which logs were searched, from when, and which were not there
	SignedBy string      `json:"signed_by,omitempty"`
	At       time.Time   `json:"at,omitzero"`
	Settled  string      `json:"settled,omitempty"` // the national desk's words over a result that is not "no evidence"
	SettleBy string      `json:"settled_by,omitempty"`
	SettleAt time.Time   `json:"settled_at,omitzero"`
}

// Owed reports whether a check is required and not done with.
func (c Check) Owed() bool {
	return c.Required && c.Result != NoEvidence && c.SettleAt.IsZero()
}

// Found reports whether evidence of a compromise was found that the national desk has not settled: the answer stays open.
func (c Check) Found() bool { return c.Result == EvidenceFound && c.SettleAt.IsZero() }

// AtDesk reports whether the national desk has to take it up.
func (c Check) AtDesk() bool {
	return c.SettleAt.IsZero() && (c.Result == CannotDetermine || c.Result == EvidenceFound)
}

// PhoneCall is a telephone call by which the national desk recorded an answer on behalf of an organisation.
type PhoneCall struct {
	Speaker string    `json:"speaker"` // name and post
	Number  string    `json:"number"`  // that was called back
	At      time.Time `json:"at"`
	By      string    `json:"by"` // the analyst who wrote it down
}

// Recurrence is what was confirmed fixed and is seen affected again, within what the alert's policy tolerates.
type Recurrence struct {
	Since  time.Time `json:"since"` // when it was first seen again
	Ends   time.Time `json:"ends"`  // when it is tolerated no longer
	Assets []string  `json:"assets"`
	Of     int       `json:"of"` // assets in question
}

// Rest is how an answer was closed before an update of the alert asked for it again.
type Rest struct {
	At time.Time `json:"at"`
	As string    `json:"as"`
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
	Host           OrgID     // for hosted: who runs it, when that is an organisation we know
	RespondBy      time.Time // acknowledge by: issue + 48 h, and again after a material update
	AcknowledgedAt time.Time
	AcknowledgedBy string
	NextDue        time.Time // next update; zero when nothing is due
	RemediateBy    time.Time // by the alert's date, else its policy's for the kind of system; zero when neither sets one
	ClaimedFixedAt time.Time // the time from which the organisation says it is fixed; zero when it claims nothing
	Words          string    // its last words
	Dispute        string    // why it contests the match; empty when it does not
	Proof          Proof
	ConfirmedAt    time.Time // when evidence first confirmed the claim that stands
	Outcome        Outcome   // that it closed as, or asked to close as while a compromise check is owed
	Progress       Progress
	Control        Control
	Acceptance     Acceptance
	Residual       []Residual
	Until          time.Time // when a closed answer opens again: review, end of acceptance, first residual; zero when it does not
	Check          Check
	Call           PhoneCall // its standing words came by telephone; zero when the organisation said them itself
	Spoke          OrgID     // whose person said its standing words; empty for the organisation itself
	Recurrence     Recurrence
	From           []OrgID // whose answers it took over by mergers
	MovedTo        OrgID   // who took this answer over
	Rest           Rest    // what it returns to when an update is acknowledged and nothing else is said
	ClosedAt       time.Time
	ClosedAs       string    // "closed, confirmed", "closed, not confirmed", "not applicable", "controlled", "risk accepted"
	Lapsed         bool      // the alert is over: nothing is owed any more
	LapsedWhy      string    // it was withdrawn or superseded, in words
	LapsedTo       AlertID   // the alert that took its place
	Remind         time.Time // when the next word about its clock is due to somebody; zero when none is
	Overdue        bool      // worked out for now
	EverOverdue    bool
	UpdatedBy      string
	Updated        time.Time
}

// Unchecked reports whether the organisation says it is fixed, or asked to close otherwise, and a compromise check is still owed.
func (r Response) Unchecked() bool {
	return r.State != ClosedAnswer && (!r.ClaimedFixedAt.IsZero() || r.Outcome != "") && r.Check.Owed()
}

// NotChecked is how an answer reads whose compromise check is owed: "patched, not yet checked".
func (r Response) NotChecked() string {
	word := map[Outcome]string{OutcomeControlled: "controlled", OutcomeAccepted: "risk accepted", OutcomeNotApplicable: "not applicable"}[r.Outcome]
	if word == "" {
		word = "patched"
	}
	return word + ", not yet checked"
}

// Unfixed reports whether a remediation is still wanted: it applies, or the product is seen, and no fix is claimed.
func (r Response) Unfixed() bool {
	applies := r.Applicability == Applies || r.Applicability == AppliesPart || r.Applicability == "" && r.Current.State == Exposed
	return applies && r.State != ClosedAnswer && r.ClaimedFixedAt.IsZero()
}

// RemediationLate reports whether a remediation that is still wanted is past its date.
func (r Response) RemediationLate(now time.Time) bool {
	return r.Unfixed() && !r.Lapsed && !r.RemediateBy.IsZero() && !now.Before(r.RemediateBy)
}

// Reads is where the answer stands, in the words that every page, export and program shares.
func (r Response) Reads() string {
	day := func(t time.Time) string { return t.UTC().Format("2 January 2006") }
	switch {
	case r.MovedTo != "":
		return "taken over by " + string(r.MovedTo)
	case r.State == ClosedAnswer && r.Outcome == OutcomeControlled:
		return "controlled until " + day(r.Control.Review)
	case r.State == ClosedAnswer && r.Outcome == OutcomeAccepted:
		return "risk accepted until " + day(r.Acceptance.Until)
	case r.State == ClosedAnswer && r.Outcome == OutcomeResidual:
		return fmt.Sprintf("%s, %d left until %s", r.ClosedAs, len(r.Residual), day(r.Until))
	case r.State == ClosedAnswer && !r.Recurrence.Since.IsZero():
		return fmt.Sprintf("%s; seen again on %d of %d", r.ClosedAs, len(r.Recurrence.Assets), r.Recurrence.Of)
	case r.State == ClosedAnswer:
		return r.ClosedAs
	case r.Lapsed && r.LapsedTo != "":
		return "lapsed: see " + string(r.LapsedTo)
	case r.Lapsed:
		return "not closed when the alert ended"
	case r.State == Unanswered:
		return "not acknowledged"
	case r.Proof.Result == Contradicted:
		return "contradicted by newer evidence"
	case r.Check.AtDesk():
		if r.Check.Result == EvidenceFound {
			return "evidence of compromise found"
		}
		patched, _ := strings.CutSuffix(r.NotChecked(), "not yet checked")
		return patched + "compromise cannot be determined"
	case r.Unchecked():
		return r.NotChecked()
	case r.State == Remediated:
		return "says it is fixed"
	}
	return "in progress"
}

// Closing is how an organisation wants its answer to end. Only what its outcome needs is read.
type Closing struct {
	Outcome    Outcome
	FixedAt    time.Time // fixed and fixed with residual; zero: as claimed before
	Control    Control
	Acceptance Acceptance
	Residual   []Residual
}

// AnswerState is how an answer stands, for those who oversee and do not see assets: states and clocks, and no words.
type AnswerState struct {
	Alert          AlertID
	Title          string
	Severity       Severity
	Issued         time.Time
	Org            OrgID
	Version        int
	State          ResponseState
	Outcome        Outcome
	Reads          string
	RespondBy      time.Time
	AcknowledgedAt time.Time
	NextDue        time.Time
	Until          time.Time
	ClosedAt       time.Time
	Overdue        bool
	Exercise       bool
}

// Entry is one line of a response's history.
type Entry struct {
	At    time.Time
	By    string
	Kind  string // acknowledged, applicability, progress, claimed, disputed, checked, ruled, proof, closed, reopened...
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
