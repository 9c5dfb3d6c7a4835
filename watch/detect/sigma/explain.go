package sigma

import (
	"slices"

	"wardwatch/watch"
)

// Matched is one field of a record and a value of it that fulfilled a predicate of a rule.
type Matched struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Explain names the fields and values because of which the record fulfils the rule, in the order of its condition. What a
// rule says with not is not among them, nor that a field is absent: there is no value to show. For a keyword the field is
// the one whose value holds it. Of a rule that the record does not fulfil there is nothing to explain. It is slow, and meant
// for the few records that fulfil something.
func Explain(rule *Rule, r *watch.Record, n *watch.Names) []Matched {
	return subject{r, n}.reasons(rule.Condition, nil)
}

func (s subject) reasons(e Expr, found []Matched) []Matched {
	if !s.fulfils(e) {
		return found
	}
	switch e := e.(type) {
	case And:
		for _, part := range e {
			found = s.reasons(part, found)
		}
	case Or:
		for _, part := range e {
			found = s.reasons(part, found)
		}
	case *Predicate:
		for _, v := range s.witnesses(e) {
			name := e.Field
			if name == "" {
				name = string(v.Name)
			}
			if m := (Matched{name, string(v.Text)}); !slices.Contains(found, m) {
				found = append(found, m)
			}
		}
	}
	return found
}
