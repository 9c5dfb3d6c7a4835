package ward

import "time"

// ProductAlias says that two names are one product: a renaming, a product line that was sold, or a spelling that no rule
// joins. It adds to the table of public facts, holds for every organisation alike, and can be undone.
type ProductAlias struct {
	ID           string
	Vendor       string
	Product      string
	OtherVendor  string
	OtherProduct string
	Reason       string // what the person who said so rests on
	By           PersonID
	Name         string // who said so
	At           time.Time
	Undone       time.Time // zero while it stands
	UndoneBy     string
}

// VerdictChange is one verdict that became another, recorded in words when it happened.
type VerdictChange struct {
	ID           int64
	At           time.Time
	CVE          CVE
	Software     Software
	Was          Status
	WasSource    string
	Became       Status // empty when no source speaks of it any more
	BecameSource string
	Words        string // "12.4.0.2 was affected by Ivanti (CNA)'s default status until 24 October 2025; NVD says fixed."
}

// FeedHold is a reading that lost more than half of what its feed had: what stood before stays until a person decides.
type FeedHold struct {
	At       time.Time
	Location string // where it was read
	File     string // the file that shrank
	Records  int    // that it has
	Had      int    // that the last reading had
	Observed time.Time
	State    HoldState
	By       string // who decided
}

// HoldState is where a held reading stands.
type HoldState string

// The states of a held reading.
const (
	HoldWaits     HoldState = "held"
	HoldReleased  HoldState = "released"  // the next reading may be as small
	HoldDiscarded HoldState = "discarded" // the same reading again is passed over
)
