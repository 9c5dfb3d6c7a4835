package ward

import "time"

// A Detection is what a rule or an indicator saw in an organisation's events, with its repeats: the same rule, of the same machine, by
// the same values.
type Detection struct {
	ID          int64
	Org         OrgID
	Fingerprint string
	Kind        string // rule, correlation, indicator, silence
	Rule        string // the rule's id; empty for an indicator
	Title       string
	Level       string   // critical, high, medium, low, informational; empty where the rule gives none
	Techniques  []string // of ATT&CK
	Host        string   // the machine, as the event names it
	Matched     []DetectedValue
	Indicator   string // what was known: its kind and value
	IndicatedBy string // who said so
	Count       int64  // events
	First, Last time.Time
	// Source and Record say where the first of them stands in the archive.
	Source string
	Record int64
	// Noticed is when it was first seen by us: when this is later than First, it had happened before we knew.
	Noticed time.Time
	// Ended is when it was over, of what lasts (a silence); zero: it goes on, or is no such thing.
	Ended time.Time
}

// A DetectedValue is a field and the value that a rule or an indicator met in it.
type DetectedValue struct {
	Field string `json:"field"`
	Value string `json:"value"`
}
