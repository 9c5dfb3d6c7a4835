package detect

import (
	"fmt"
	"slices"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
)

// A RuleQuery hunts for the events that fulfil one of some Sigma rules. Where every rule asks for something that has a key, such as a
// program's name, an address or a user, most of the archive is never read.
type RuleQuery struct {
	set     *sigma.Set
	program *sigma.Program
	needles [][]uint64
}

// RuleFields are the names that the options of a set for a RuleQuery ask for beside those of the rules.
func RuleFields() []string { return slices.Concat(indicators.Fields(), indicators.UserFields()) }

// NewRuleQuery makes a RuleQuery of a set that was read with RuleFields. A correlation is about several events, and is refused.
func NewRuleQuery(set *sigma.Set, clock ward.Clock) (*RuleQuery, error) {
	if len(set.Correlations) > 0 {
		return nil, &ward.Invalid{Field: "rule", Problem: fmt.Sprintf("%q is a correlation, which no one event fulfils", set.Correlations[0].Title), Hint: "hunt for the rules that it refers to"}
	}
	if len(set.Rules) == 0 {
		return nil, &ward.Invalid{Field: "rule", Problem: "has no rule that can be used", Hint: "wardwatch rules check says why"}
	}
	k := newKeys()
	var all [][]clause
	for _, r := range set.Rules {
		all = append(all, ruleNeedles(k, r.Condition, clock))
	}
	return &RuleQuery{set: set, program: sigma.Compile(set), needles: known(anyOfMany(all))}, nil
}

// anyOfMany is anyOf, but of one rule all clauses are kept.
func anyOfMany(all [][]clause) []clause {
	if len(all) == 1 {
		return all[0]
	}
	return anyOf(all...)
}

// ruleNeedles are clauses that an event fulfils which fulfils the condition.
func ruleNeedles(k *keys, e sigma.Expr, clock ward.Clock) []clause {
	switch e := e.(type) {
	case sigma.And:
		var parts [][]clause
		for _, part := range e {
			parts = append(parts, ruleNeedles(k, part, clock))
		}
		return allOf(parts...)
	case sigma.Or:
		var parts [][]clause
		for _, part := range e {
			parts = append(parts, ruleNeedles(k, part, clock))
		}
		return anyOf(parts...)
	case *sigma.Predicate:
		switch e.Op {
		case sigma.Equals:
			return k.equal(e.Field, e.Literal)
		case sigma.EndsWith:
			return k.ending(e.Field, e.Literal)
		case sigma.Like:
			if last := e.Pattern[len(e.Pattern)-1]; last.Hole == sigma.None {
				return k.ending(e.Field, last.Literal)
			}
		case sigma.Within:
			return k.network(e.Field, e.Prefix.String(), clock)
		}
	}
	return nil
}

// Names implements watch.Query.
func (q *RuleQuery) Names() *watch.Names { return q.set.Names }

// Needles implements watch.Query.
func (q *RuleQuery) Needles() [][]uint64 { return q.needles }

// Matcher implements watch.Query.
func (q *RuleQuery) Matcher() watch.Matcher {
	return &ruleMatcher{query: q, engine: q.program.Engine()}
}

type ruleMatcher struct {
	query  *RuleQuery
	engine sigma.Engine
	hits   []int
}

// Match implements watch.Matcher: each rule once, with the first field that it was fulfilled by.
func (m *ruleMatcher) Match(r *watch.Record, matches []watch.Match) []watch.Match {
	m.hits = m.engine.Match(r, m.hits[:0])
	for _, hit := range m.hits {
		rule := m.query.set.Rules[hit]
		match := watch.Match{Kind: "rule", Value: rule.ID}
		if because := sigma.Explain(rule, r, m.query.set.Names); len(because) > 0 {
			match.Field, match.Text = because[0].Field, because[0].Value
		}
		matches = append(matches, match)
	}
	return matches
}
