package sigma

import "wardwatch/watch"

// A Set is what was loaded. It does not change, and many engines may share it.
type Set struct {
	Rules        []*Rule
	Correlations []*Correlation
	// Names are all fields that a rule, a group-by or an alias asks for.
	Names *watch.Names
}
