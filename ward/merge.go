package ward

import "time"

// Merge says that two assets which different tools listed are one device. It is a record, so that it can be undone: what
// each tool said of each asset stays apart underneath.
type Merge struct {
	ID         int64
	Operator   OrgID
	Kept       AssetID // under which both are shown and counted
	KeptName   string
	Merged     AssetID
	MergedName string
	Rule       MergeRule
	Why        string // "serial number PF3X1234 in sccm and intune"
	State      MergeState
	At         time.Time // when the rule or the person said so
	By         string    // a person's name, or the source whose import brought it up
	DecidedAt  time.Time // when a person accepted, refused or undid it; zero while nobody did
	DecidedBy  string
	Reason     string // why it was refused or undone, in words
}

// MergeRule is why two assets are held for one.
type MergeRule string

// The rules, strongest first. Those from ByOneMark on only propose: a person decides.
const (
	ByPerson   MergeRule = "person"
	ByOperator MergeRule = "operator" // the operator's own list names the client as accountable
	ByStrongID MergeRule = "strong"   // one identifier that no two devices share
	ByTwoMarks MergeRule = "two"      // two weaker identifiers that agree
	ByOneMark  MergeRule = "one"      // one weaker identifier alone, such as a host name
	ByConflict MergeRule = "conflict" // identifiers agree, and others differ
)

// MergeState is where a merge stands.
type MergeState string

// The states of a merge.
const (
	MergeProposed MergeState = "proposed" // waits for a person; counts two
	MergeActive   MergeState = "merged"
	MergeRefused  MergeState = "refused" // a person said that they are two: no rule merges them again
	MergeUndone   MergeState = "undone"  // was merged, and is two again: no rule merges them again
)
