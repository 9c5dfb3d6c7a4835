package ward

import "time"

// Rung is a step of the ladder of people who are told: each rung is told when the one below did not do what is due.
type Rung string

// The rungs, lowest first.
const (
	RungContact     Rung = "contact"      // who answers for the organisation day by day
	RungLead        Rung = "lead"         // its cyber lead
	RungGroupLead   Rung = "group_lead"   // the lead of the group that it belongs to
	RungExecutive   Rung = "executive"    // its executive on call
	RungDutyOfficer Rung = "duty_officer" // the national duty officer
)

// Rungs lists the ladder, lowest first.
var Rungs = []Rung{RungContact, RungLead, RungGroupLead, RungExecutive, RungDutyOfficer}

// Above reports whether r stands higher on the ladder than other.
func (r Rung) Above(other Rung) bool { return r.height() > other.height() }

// Valid reports whether r is one of the rungs.
func (r Rung) Valid() bool { return r.height() >= 0 }

func (r Rung) height() int {
	for i, rung := range Rungs {
		if rung == r {
			return i
		}
	}
	return -1
}

// SystemKind is the kind of system that a remediation date is set for.
type SystemKind string

// The kinds of system. One that nobody says anything about is a SystemOther.
const (
	SystemInternetFacing SystemKind = "internet_facing" // can be reached from the internet
	SystemOther          SystemKind = "other"           // operating systems and applications
	SystemIsolated       SystemKind = "isolated"        // internal only, or cut off from every network
)

// SystemKinds lists the kinds of system, the most urgent first.
var SystemKinds = []SystemKind{SystemInternetFacing, SystemOther, SystemIsolated}

// Remediation is how long one kind of system has to be fixed, from issue.
type Remediation struct {
	Kind   SystemKind    `json:"kind"`
	Within time.Duration `json:"within"`
}

// Reminder is told to a rung so long before something is due, while it is still owed.
type Reminder struct {
	Before time.Duration `json:"before"`
	Tell   Rung          `json:"tell"`
}

// Escalation is told to a rung so long after something was due (0: when it falls due), while it is still owed.
type Escalation struct {
	After time.Duration `json:"after"`
	Tell  Rung          `json:"tell"`
}

// Tolerance is how much of what was fixed may come back without paging anybody: it goes to the queue.
type Tolerance struct {
	Share  float64       `json:"share"`  // of the assets that the alert cited, 0 to 1; at least one asset where it is above 0
	Within time.Duration `json:"within"` // from the first time that it is seen again; afterwards it is told
}

// Policy is a table of clocks: what an alert gives organisations time for, and who is told when. An alert keeps the one that
// it was issued with, so that a new table changes no promise that was made.
type Policy struct {
	Name          string        `json:"name"` // of its file: "default"
	Title         string        `json:"title"`
	Source        string        `json:"source"`  // whose numbers they are, in words
	Link          string        `json:"link"`    // where they are published; may be empty
	Checked       time.Time     `json:"checked"` // the day on which a person held them against the source
	Off           bool          `json:"off"`     // readable, and to be chosen only where a configuration directory says "off: false"
	RespondWithin time.Duration `json:"respond_within"`
	UpdateEvery   time.Duration `json:"update_every"`
	Remediate     []Remediation `json:"remediate"`
	Tolerance     Tolerance     `json:"tolerance"`
	Reminders     []Reminder    `json:"reminders"`  // the longest before first
	Escalation    []Escalation  `json:"escalation"` // the soonest first
}

// RemediateWithin is how long a kind of system has, and zero where the policy sets no time for it.
func (p Policy) RemediateWithin(kind SystemKind) time.Duration {
	var other time.Duration
	for _, r := range p.Remediate {
		if r.Kind == kind {
			return r.Within
		}
		if r.Kind == SystemOther {
			other = r.Within
		}
	}
	return other
}

// ForExercise is the policy of an exercise: nobody above an organisation's lead is told.
func (p Policy) ForExercise() Policy {
	calm := p
	calm.Reminders, calm.Escalation = nil, nil
	for _, r := range p.Reminders {
		if !r.Tell.Above(RungLead) {
			calm.Reminders = append(calm.Reminders, r)
		}
	}
	for _, e := range p.Escalation {
		if !e.Tell.Above(RungLead) {
			calm.Escalation = append(calm.Escalation, e)
		}
	}
	return calm
}
