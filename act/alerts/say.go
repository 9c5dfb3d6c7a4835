package alerts

import (
	"fmt"
	"time"

	"wardwatch/act"
	"wardwatch/ward"
)

// marked is a text that says EXERCISE first when the alert is one, so that no message of an exercise can be taken for the
// real thing.
func marked(a ward.Alert, format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if a.Exercise {
		return "EXERCISE: " + text
	}
	return text
}

func path(a ward.Alert) string { return "/alerts/" + string(a.ID) }

// notice is what every notice of an alert carries. Its key names the edition, so that each is told once.
func notice(a ward.Alert, org ward.OrgID, kind string, created time.Time) ward.Notice {
	key := fmt.Sprintf("%s:%s:%s", kind, a.ID, org)
	if a.Edition > 1 {
		key = fmt.Sprintf("%s:%s:%s:%d", kind, a.ID, org, a.Edition)
	}
	return ward.Notice{Key: key, Org: org, Kind: kind, Alert: a.ID, Severity: a.Severity, Exercise: a.Exercise, Link: path(a), Created: created}
}

// announcement is what an organisation that must answer is told of a new alert.
func announcement(a ward.Alert, org ward.OrgID) ward.Notice {
	n := notice(a, org, "alert.published", a.Issued)
	n.Subject = marked(a, "%s severity cyber alert %s: %s", a.Severity, a.ID, a.Title)
	n.Body = marked(a, "Acknowledge by %s. The alert's page lists what you owe.%s", act.When(a.Issued.Add(a.AcknowledgeWithin)), insteadOf(a))
	return n
}

// information is what an organisation that only reads an alert is told of it.
func information(a ward.Alert, org ward.OrgID) ward.Notice {
	n := notice(a, org, "alert.informed", a.Issued)
	n.Subject = marked(a, "For information: %s severity cyber alert %s: %s", a.Severity, a.ID, a.Title)
	n.Body = marked(a, "You owe no answer.%s", insteadOf(a))
	return n
}

func insteadOf(a ward.Alert) string {
	if a.Supersedes == "" {
		return ""
	}
	return fmt.Sprintf(" It takes the place of %s.", a.Supersedes)
}

// revised is what an organisation is told of a new edition.
func revised(a ward.Alert, org ward.OrgID) ward.Notice {
	if !a.Change.Material {
		n := notice(a, org, "alert.edited", a.Revised)
		n.Subject = marked(a, "%s was edited: %s", a.ID, a.Title)
		n.Body = marked(a, "What you owe stays as it was. The alert's page shows what changed.")
		return n
	}
	n := notice(a, org, "alert.revised", a.Revised)
	n.Subject = marked(a, "%s severity cyber alert %s has changed: %s", a.Severity, a.ID, a.Title)
	n.Body = marked(a, "Acknowledge it again by %s. The alert's page shows what changed.", act.When(a.Revised.Add(a.AcknowledgeWithin)))
	return n
}

// reread is what an organisation that only reads an alert is told of a new edition.
func reread(a ward.Alert, org ward.OrgID) ward.Notice {
	n := revised(a, org)
	if a.Change.Material {
		n.Subject = marked(a, "For information: cyber alert %s has changed: %s", a.ID, a.Title)
		n.Body = marked(a, "You owe no answer. The alert's page shows what changed.")
	}
	return n
}

// withdrawn is what an organisation is told of an alert that does not hold any more.
func withdrawn(a ward.Alert, org ward.OrgID) ward.Notice {
	n := notice(a, org, "alert.withdrawn", a.Closed)
	n.Subject = marked(a, "Cyber alert %s is withdrawn: %s", a.ID, a.Title)
	n.Body = marked(a, "You owe nothing to it any more. The alert's page says why, and your answers stay readable.")
	return n
}

// replaced is what an organisation that the newer alert does not go to is told of the older one.
func replaced(a ward.Alert, org ward.OrgID) ward.Notice {
	n := notice(a, org, "alert.superseded", a.Closed)
	n.Subject = marked(a, "Cyber alert %s is superseded: %s", a.ID, a.Title)
	n.Body = marked(a, "You owe nothing to it any more, and the alert that takes its place does not ask you. Your answers stay readable.")
	return n
}

// unsigned is what is told when nobody gave the second approval in time.
func unsigned(a ward.Alert, now time.Time) ward.Notice {
	n := notice(a, "", "alert.countersign_owed", now)
	n.Subject = marked(a, "%s was published by %s alone, and nobody has signed it since", a.ID, a.Emergency.By)
	n.Body = marked(a, "The second approval was due at %s. Sign it, or withdraw the alert.", act.When(a.Emergency.Due))
	if !a.Exercise {
		n.Rung = ward.RungDutyOfficer
	}
	return n
}

// alone is what everybody at the national desk is told of a publication by one person.
func alone(a ward.Alert) ward.Notice {
	n := notice(a, "", "alert.published_alone", a.Emergency.At)
	n.Urgency = ward.AtOnce
	n.Subject = marked(a, "%s was published by %s alone", a.ID, a.Emergency.By)
	n.Body = marked(a, "A second approval is owed by %s. The alert's page gives the reason.", act.When(a.Emergency.Due))
	return n
}
