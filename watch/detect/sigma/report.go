package sigma

// A Report says what became of every document that was read: none is dropped without a word.
type Report struct {
	// Loaded is how many rules, correlations and filters work just as they are written.
	Loaded int
	// Partly are those that work, but not in all that they say.
	Partly []Trouble
	// Refused are those that do not work at all.
	Refused []Trouble
}

// A Trouble is one document and what is wrong with it.
type Trouble struct {
	RuleID string `json:"rule_id"` // its id, or its name or title where it has none, or nothing where it could not be read so far
	File   string `json:"file"`
	Reason string `json:"reason"`
}
