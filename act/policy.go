package act

import (
	"time"

	"wardwatch/ward"
)

// Policy is what an alert's clocks, reminders and tolerance follow unless its approver says otherwise.
type Policy struct {
	Name          string
	Title         string
	Source        string        // where its numbers come from
	Checked       time.Time     // when that was last looked up
	RespondWithin time.Duration // from issue
	UpdateEvery   time.Duration // from acknowledgement
	Remediate     []Remediate
	Tolerance     Tolerance
	Reminders     []Reminder
	Escalation    []Rung
}

// Remediate is how long a kind of system may stay unfixed.
type Remediate struct {
	Kind   string // "internet-facing", "other", "internal"
	Within time.Duration
}

// Tolerance is how much of a confirmed fix may come undone before anybody is paged.
type Tolerance struct {
	Share float64       // of the assets that were in question, 0 to 1
	For   time.Duration // how long a recurrence may last
}

// Reminder is one word before something is due.
type Reminder struct {
	Before time.Duration
	Tell   ward.Rung
}

// Rung is one step of the ladder after something was due.
type Rung struct {
	After time.Duration
	Tell  ward.Rung
}

// DefaultPolicy is what applies where nothing else does.
func DefaultPolicy() Policy {
	const day = 24 * time.Hour
	return Policy{
		Name: "default", Title: "Shipped default", RespondWithin: 48 * time.Hour, UpdateEvery: 3 * day,
		Remediate:  []Remediate{{"internet-facing", 5 * day}, {"other", 7 * day}, {"internal", 14 * day}},
		Tolerance:  Tolerance{Share: 0.02, For: 7 * day},
		Reminders:  []Reminder{{24 * time.Hour, ward.ToContact}, {4 * time.Hour, ward.ToLead}},
		Escalation: []Rung{{0, ward.ToContact}, {4 * time.Hour, ward.ToLead}, {24 * time.Hour, ward.ToGroupLead}, {48 * time.Hour, ward.ToExecutive}, {72 * time.Hour, ward.ToDutyOfficer}},
	}
}
