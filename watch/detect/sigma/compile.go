package sigma

import (
	"encoding/binary"
	"slices"

	"wardwatch/watch"
)

// A Program is a Set made ready for matching: one plan for each class of records. It does not change once it is made and is
// shared by any number of Engines (docs/adr/0015-*.md tells how it works).
type Program struct {
	set   *Set
	plans []*plan // by watch.Class; classes with the same rules share one
	room  room
}

// A plan is what the records of one class are held against.
type plan struct {
	columns []column // by watch.Field
	fields  []field  // by column; those of unasked and everywhere are there, too
	needles []needle
	tests   []test
	lists   [][]uint32 // needles of ids that are checked
	// What follows from an id that is raised: effects[follows[id]:follows[id+1]].
	follows []uint32
	effects []effect
	rules   []code
	always  []uint32 // rules that nothing triggers: they are evaluated for every record
}

// A column is where a field stands in a plan.
type column uint16

// unasked is the column of fields that no rule of the plan asks for, everywhere that of keywords, which look at every value.
const (
	unasked column = iota
	everywhere
)

// A field is what a plan asks of one field.
type field struct {
	// first looks at each value as it comes, for the needles that trigger rules; second, only once a rule that was triggered
	// asks, for those of long lists. Either is nil where there is nothing to look for.
	first, second *matcher
	present       uint32 // the id to raise when the record has the field; none: nobody asks
}

// none is no id.
const none = ^uint32(0)

// An effect of an id that is raised: another id is raised too (an Or of which it is a part), or a rule is triggered.
type effect uint32

const triggers effect = 1 << 31

// A code is a rule's condition as a program: each step asks for an id and says where to go on.
type code struct {
	rule  int // its place in Set.Rules
	steps []step
}

type step struct {
	id      uint32
	yes, no int32
	of      uint16 // its place in plan.tests where it is tested, in plan.lists where it is checked
	column  column
	how     how
}

// Where a step goes when the condition is settled.
const (
	fulfilled int32 = -1 - iota
	unfulfilled
)

// how an id becomes known.
type how uint8

const (
	known   how = iota // by the first matchers, before any rule is evaluated
	checked            // by looking for its needles, a few, once a rule asks
	sought             // by the second matcher of the step's column, once a rule asks
	tested             // by a test of its own, once a rule asks
)

// A test is a predicate that no matcher looks for.
type test struct {
	*Predicate
	column, other column
	search        *automaton // Matches
}

// room is what the scratch of an Engine must hold for the largest plan.
type room struct{ ids, rules, columns, automata int }

// Compile makes the Program of a Set.
func Compile(s *Set) *Program {
	p := &Program{set: s, plans: make([]*plan, len(watch.Logs()))}
	common := commonness(s)
	automata := &automata{}
	shared := map[string]*plan{}
	for class := range p.plans {
		rules := rulesFor(s, watch.Class(class)) //nolint:gosec // the classes are what watch numbers with it
		key := keyOfRules(rules)
		if shared[key] == nil {
			shared[key] = newPlanner(s, common, automata).plan(rules)
			p.room.include(shared[key])
		}
		p.plans[class] = shared[key]
	}
	p.room.automata = automata.count
	return p
}

// Set is what the Program was made of.
func (p *Program) Set() *Set { return p.set }

func (r *room) include(p *plan) {
	r.ids = max(r.ids, len(p.follows)-1)
	r.rules = max(r.rules, len(p.rules))
	r.columns = max(r.columns, len(p.fields))
}

// rulesFor are the places of the rules that records of the class are held against. A rule that is for no log that we know is
// held against records that nothing recognises: otherwise it could never fire.
func rulesFor(s *Set, class watch.Class) []int {
	var rules []int
	for i, rule := range s.Rules {
		if class.Log().Is(rule.Source) || class == 0 && homeless(rule.Source) {
			rules = append(rules, i)
		}
	}
	return rules
}

func keyOfRules(rules []int) string {
	var key []byte
	for _, i := range rules {
		key = binary.AppendUvarint(key, uint64(i)) //nolint:gosec // a place in a slice
	}
	return string(key)
}

// homeless says whether no log that we know is one that the source asks for. Its rules are held against the records that nothing
// recognises, because otherwise they could never fire.
func homeless(s watch.Source) bool {
	return !slices.ContainsFunc(watch.Logs(), func(l watch.Log) bool { return l.Is(s) })
}
