package ward

import (
	"fmt"
	"strings"
	"time"
)

// Sought is what a hunt looks for: one of the three.
type Sought struct {
	Indicators []Indicator `json:"indicators,omitempty"`
	Query      string      `json:"query,omitempty"` // of fields
	Rule       string      `json:"rule,omitempty"`  // the text of one or more Sigma rules
}

// mostNamed is how many indicators Words names.
const mostNamed = 3

// Words say in one line what is looked for.
func (s Sought) Words() string {
	switch {
	case s.Query != "":
		return "query " + s.Query
	case s.Rule != "":
		for line := range strings.Lines(s.Rule) {
			if title, ok := strings.CutPrefix(line, "title:"); ok {
				return "rule " + strings.Trim(strings.TrimSpace(title), `"'`)
			}
		}
		return "a rule without a title"
	}
	var named []string
	for _, i := range s.Indicators[:min(len(s.Indicators), mostNamed)] {
		named = append(named, string(i.Kind)+" "+i.Value)
	}
	if more := len(s.Indicators) - mostNamed; more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(named, ", ")
}

// HuntID names a hunt.
type HuntID int64

// A Hunt is a search through kept events that goes on until it has seen all of them, over a restart too.
type Hunt struct {
	ID    HuntID
	Kind  HuntKind
	State HuntState
	By    Actor  // who asked: person, name and organisation (empty: the national watch, or the product itself)
	Words string // what for, in one line
	For   Sought // what for; lists leave it empty
	// Of are the organisations that were named; none: all that By may see.
	Of []OrgID
	// Since and Until bound the times of events, CameBy when they came; zero: no bound.
	Since, Until, CameBy time.Time
	// Behind are the places in the bus, by shard, up to which events must be in blocks before it begins; none: it begins at once.
	Behind map[int]uint64
	// MostRead is how many events it may look at one by one, which is what a hunt costs.
	MostRead int64

	Asked, Started, Ended time.Time // zero: not yet
	Reason                string    // why it was stopped or failed
	// What it has done: of Blocks that it has to search Done, with Events, of which Read were looked at one by one. Kept of its Hits are
	// shown one by one. Of Unread blocks something could not be read: what is in them was not seen.
	Blocks, Done, Unread     int
	Events, Read, Hits, Kept int64
	Version                  int // of the row, rising with each change
}

// HuntKind says why a hunt is.
type HuntKind string

// The kinds of hunts.
const (
	HuntAsked    HuntKind = "asked"     // by a person
	HuntLookBack HuntKind = "look-back" // by the product, because indicators became known
)

// HuntState says how far a hunt is.
type HuntState string

// The states of a hunt.
const (
	HuntWaiting   HuntState = "waiting"
	HuntRunning   HuntState = "running"
	HuntDone      HuntState = "done"
	HuntCancelled HuntState = "cancelled"
	HuntStopped   HuntState = "stopped" // at its bound: Reason says which
	HuntFailed    HuntState = "failed"
)

// Over reports whether the hunt will do no more.
func (s HuntState) Over() bool { return s != HuntWaiting && s != HuntRunning }

// A HuntDay is what a hunt saw in one day of one organisation's events.
type HuntDay struct {
	Org                OrgID
	Day                time.Time
	Blocks, Unread     int
	Events, Read, Hits int64
}

// A HuntHit is one thing that was hunted for in one event.
type HuntHit struct {
	Number int64 // its place in the hunt; 1 is the first
	Org    OrgID
	At     time.Time // when the event happened
	Kind   string
	Value  string
	Field  string
	Source string
	Record int64
	Host   string
	Raw    string // the event as it came, the first of it where it is long; bytes that are no text are replaced
	Cut    bool   // Raw is not all of it
}
