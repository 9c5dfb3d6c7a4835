package ward

import "time"

// An EventSource is what sends an organisation's events: a machine, a collector, a file. Without Source it stands for all events
// of a kind, without a Kind too for all that the organisation sends.
type EventSource struct {
	Org         OrgID
	Source      string
	Kind        EventKind
	First, Last time.Time // when its first and its last event came
	LastEvent   time.Time // when the last event happened, as it says itself
	Events      int64
	Bytes       int64
	Quiet       time.Time // since when it has been silent, against its rhythm; zero: it speaks
}

// A SourceDay is how one day of a source was, hour by hour (UTC), by when events came.
type SourceDay struct {
	Org    OrgID
	Source string
	Kind   EventKind
	Day    time.Time
	Counts [24]int64
	Gaps   [24]int64 // seconds: the longest gap that ended in the hour
	Bytes  int64
	Dated  int64         // events that said when they happened
	Late   time.Duration // from event to us, of all of these together
	// Fastest is the least time from event to us. Where it is negative the sender's clock is ahead of ours by as much at least.
	Fastest time.Duration
}

// A DeadLetter is something that came and could not be read.
type DeadLetter struct {
	ID     int64
	At     time.Time // the last time
	Org    OrgID
	Source string
	Reason string
	Sample string // its first bytes, redacted
	Count  int64  // how often, of one source and reason, since the one before
}

// Storage is what is kept of an organisation's events.
type Storage struct {
	Org         OrgID
	Blocks      int
	Events      int64
	Bytes       int64
	First, Last time.Time // of the events
	Unreadable  int       // blocks that are quarantined
}
