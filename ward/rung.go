package ward

// Rung is whom a reminder or an escalation goes to, from the nearest to the farthest.
type Rung string

// The rungs. Who stands on one for an organisation is a matter of its contacts.
const (
	ToContact     Rung = "contact"      // whoever answers alerts
	ToLead        Rung = "lead"         // the organisation's cyber lead
	ToGroupLead   Rung = "group_lead"   // the lead of its group
	ToExecutive   Rung = "executive"    // the executive on call
	ToDutyOfficer Rung = "duty_officer" // the national duty officer
)

// rungs in order.
var rungs = []Rung{ToContact, ToLead, ToGroupLead, ToExecutive, ToDutyOfficer}

// Valid reports whether r is one of the rungs.
func (r Rung) Valid() bool { return r.height() >= 0 }

// Above reports whether r is farther from the organisation's own work than other.
func (r Rung) Above(other Rung) bool { return r.height() > other.height() }

func (r Rung) height() int {
	for i, known := range rungs {
		if r == known {
			return i
		}
	}
	return -1
}
