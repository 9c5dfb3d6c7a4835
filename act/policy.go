package act

import "wardwatch/ward"

// Policy is what an alert's clocks, reminders and tolerance follow unless its approver says otherwise. The words are ward's,
// because an alert keeps the policy that it was issued with.
type (
	Policy    = ward.Policy
	Remediate = ward.Remediation
	Tolerance = ward.Tolerance
	Reminder  = ward.Reminder
	Rung      = ward.Escalation
)
