package ward

import "time"

// View is one look by somebody of the national watch at an organisation's assets or exposures. The organisation sees it.
// Looks by one person at one thing within an hour are one.
type View struct {
	Org     OrgID
	Person  PersonID
	Name    string
	Subject string // "assets", "asset 12", "exposures", "estate"
	At      time.Time
}
