package sigma

import "wardwatch/watch"

// NewReference is the engine that is as plain as the language: every rule is held against every record, one after the other,
// and nothing is prepared or remembered. It is slow, and it is what the compiled engine must agree with.
func NewReference(s *Set) Engine {
	e := &reference{set: s, homeless: make([]bool, len(s.Rules))}
	for i, rule := range s.Rules {
		e.homeless[i] = homeless(rule.Source)
	}
	return e
}

type reference struct {
	set      *Set
	homeless []bool // by rule: no log that we know is one that it asks for
}

// Match is part of Engine.
func (e *reference) Match(r *watch.Record, hits []int) []int {
	for i, rule := range e.set.Rules {
		asked := r.Class.Log().Is(rule.Source) || r.Class == 0 && e.homeless[i]
		if asked && (subject{r, e.set.Names}).fulfils(rule.Condition) {
			hits = append(hits, i)
		}
	}
	return hits
}
