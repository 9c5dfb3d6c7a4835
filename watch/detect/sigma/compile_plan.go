package sigma

import (
	"cmp"
	"fmt"
	"slices"
)

// A planner makes one plan. Predicates that are the same in several rules get one id.
type planner struct {
	set      *Set
	common   *common
	automata *automata
	made     *plan
	ids      []identity
	leaves   map[string]uint32 // by what a predicate asks
	groups   map[string]uint32 // by members
	uses     []int             // by id: how many rules ask for it
	lists    map[uint32]uint16 // by id: the place in plan.lists
}

// An identity is what an id stands for: a needle, an Or of needles, the presence of a field, or a test.
type identity struct {
	column   column
	needle   bool
	presence bool
	members  []uint32
	index    int // in plan.needles or plan.tests
	// eager ids trigger a rule, or are part of one that does.
	eager bool
	// groups are the ids of which this needle is a member.
	groups []uint32
	// triggered are the rules that this id triggers.
	triggered []uint32
}

func newPlanner(s *Set, common *common, automata *automata) *planner {
	return &planner{
		set: s, common: common, automata: automata,
		made:   &plan{columns: make([]column, s.Names.Len()+1), fields: make([]field, 2)},
		leaves: map[string]uint32{}, groups: map[string]uint32{}, lists: map[uint32]uint16{},
	}
}

func (p *planner) newID(i identity) uint32 {
	id := uint32(len(p.ids)) //nolint:gosec // some ten thousand
	for _, member := range i.members {
		p.ids[member].groups = append(p.ids[member].groups, id)
	}
	p.ids = append(p.ids, i)
	p.uses = append(p.uses, 0)
	return id
}

// plan makes the plan of the rules, which are given as places in Set.Rules.
func (p *planner) plan(rules []int) *plan {
	for i := range p.made.fields {
		p.made.fields[i].present = none
	}
	var trees []tree
	for _, i := range rules {
		t := p.tree(p.set.Rules[i].Condition, false)
		if t.is(fails) {
			continue
		}
		p.made.rules = append(p.made.rules, code{rule: i})
		trees = append(trees, t)
		p.count(t)
	}
	for i, t := range trees {
		p.trigger(uint32(i), t) //nolint:gosec // some thousand rules
	}
	for i, t := range trees {
		p.made.rules[i].steps = p.emit(t)
	}
	p.wire()
	p.search()
	return p.made
}

// count notes what the rule asks for, once a rule.
func (p *planner) count(t tree) {
	seen := map[uint32]bool{}
	t.each(func(l leaf) {
		if !seen[l.id] {
			seen[l.id] = true
			p.uses[l.id]++
		}
	})
}

func (t tree) each(do func(leaf)) {
	if t.kind == isLeaf {
		do(t.leaf)
	}
	for _, kid := range t.kids {
		kid.each(do)
	}
}

// column is where the field stands, a new column if nobody has asked for it before. A field that the Set does not name is one
// that no record has.
func (p *planner) column(name string) (column, bool) {
	if name == "" {
		return everywhere, true
	}
	number := p.set.Names.Find([]byte(name))
	if number == 0 {
		return unasked, false
	}
	if p.made.columns[number] == unasked {
		p.made.columns[number] = column(len(p.made.fields)) //nolint:gosec // some hundred
		p.made.fields = append(p.made.fields, field{present: none})
	}
	return p.made.columns[number], true
}

// leaf makes the tree of a predicate. One that implies something cheaper to see (a literal of its expression, that the field
// is there at all) is written as an And of both, so that it can be triggered.
func (p *planner) leaf(pred *Predicate, not bool) tree {
	at, ok := p.column(pred.Field)
	if !ok {
		if (pred.Op == Absent) != not {
			return holds
		}
		return fails
	}
	var parts []tree
	switch {
	case pred.Op == Absent:
		t := tree{kind: isLeaf, leaf: leaf{p.test(pred, at), false}}
		if not {
			t.leaf.not = true
			return join(isAnd, p.present(at), t)
		}
		return t
	case pred.Op == Exists:
		parts = []tree{p.present(at)}
	case isNeedle(pred):
		parts = []tree{{kind: isLeaf, leaf: leaf{p.needle(at, newNeedle(pred)), false}}}
	case pred.Op == Matches:
		if hints := literalsOf(pred.Regexp); len(hints) > 0 {
			var ids []uint32
			for _, literal := range hints {
				ids = append(ids, p.needle(at, needle{lit: literal, op: Contains, odd: !stable(literal)}))
			}
			parts = append(parts, tree{kind: isLeaf, leaf: leaf{p.oneOf(at, ids), false}})
		} else {
			parts = append(parts, p.present(at))
		}
		parts = append(parts, tree{kind: isLeaf, leaf: leaf{p.test(pred, at), false}})
	default:
		parts = []tree{p.present(at), {kind: isLeaf, leaf: leaf{p.test(pred, at), false}}}
	}
	if !not {
		return join(isAnd, parts...)
	}
	for i := range parts {
		parts[i].leaf.not = true
	}
	return join(isOr, parts...)
}

func (p *planner) present(at column) tree {
	f := &p.made.fields[at]
	if f.present == none {
		f.present = p.newID(identity{column: at, presence: true, eager: true})
	}
	return tree{kind: isLeaf, leaf: leaf{f.present, false}}
}

func (p *planner) needle(at column, n needle) uint32 {
	key := fmt.Sprintf("%d needle %d %v %q %v", at, n.op, n.cased, n.lit, n.pattern)
	if id, ok := p.leaves[key]; ok {
		return id
	}
	id := p.newID(identity{column: at, needle: true, index: len(p.made.needles)})
	n.id, n.rare = id, p.common.rarestByte(n.lit)
	p.made.needles = append(p.made.needles, n)
	p.leaves[key] = id
	return id
}

func (p *planner) test(pred *Predicate, at column) uint32 {
	t := test{Predicate: pred, column: at}
	expression := ""
	if pred.Op == Matches {
		expression = pred.Regexp.String()
	}
	if pred.Other != "" {
		t.other, _ = p.column(pred.Other)
	}
	key := fmt.Sprintf("%d test %d %v %q %v %q %v %v %d %d", at, pred.Op, pred.Cased, pred.Literal, pred.Pattern, expression,
		pred.Prefix, pred.Number, t.other, pred.Part)
	if id, ok := p.leaves[key]; ok {
		return id
	}
	if pred.Op == Matches {
		t.search = p.automata.of(pred.Regexp)
	}
	id := p.newID(identity{column: at, index: len(p.made.tests)})
	p.made.tests = append(p.made.tests, t)
	p.leaves[key] = id
	return id
}

// emit writes a tree as steps. And and Or leave as soon as they are settled; what is cheap to ask is asked first.
func (p *planner) emit(t tree) []step {
	if t.is(holds) {
		return nil
	}
	steps := make([]step, p.size(t))
	p.write(t, steps, 0, fulfilled, unfulfilled)
	return steps
}

func (p *planner) size(t tree) int {
	if t.kind == isLeaf {
		return 1
	}
	size := 0
	for _, kid := range t.kids {
		size += p.size(kid)
	}
	return size
}

func (p *planner) write(t tree, steps []step, at int, yes, no int32) {
	if t.kind == isLeaf {
		if t.leaf.not {
			yes, no = no, yes
		}
		i := p.ids[t.leaf.id]
		s := step{id: t.leaf.id, yes: yes, no: no, column: i.column, how: p.how(t.leaf.id)}
		switch s.how {
		case tested:
			s.of = uint16(i.index) //nolint:gosec // some hundred
		case checked:
			s.of = p.list(t.leaf.id)
		}
		steps[at] = s
		return
	}
	kids := slices.Clone(t.kids)
	slices.SortStableFunc(kids, func(a, b tree) int { return cmp.Compare(p.effort(a), p.effort(b)) })
	for i, kid := range kids {
		next := at + p.size(kid)
		kidYes, kidNo := yes, no
		if i < len(kids)-1 {
			if t.kind == isAnd {
				kidYes = int32(next) //nolint:gosec // steps of one rule
			} else {
				kidNo = int32(next) //nolint:gosec // steps of one rule
			}
		}
		p.write(kid, steps, at, kidYes, kidNo)
		at = next
	}
}

func (p *planner) how(id uint32) how {
	i := p.ids[id]
	switch {
	case i.eager:
		return known
	case i.needle:
		return checked
	case i.members == nil:
		return tested
	}
	if effort := 0; len(i.members) <= mostMembers {
		for _, member := range i.members {
			if op := p.made.needles[p.ids[member].index].op; op == Contains || op == Like {
				effort++
			}
		}
		if effort <= mostSearches {
			return checked
		}
	}
	return sought
}

// An Or of more needles, or of more that may stand anywhere, is quicker sought than checked.
const (
	mostMembers  = 16
	mostSearches = 5
)

// list is the place in plan.lists of the needles of an id.
func (p *planner) list(id uint32) uint16 {
	if at, ok := p.lists[id]; ok {
		return at
	}
	i := p.ids[id]
	needles := []uint32{uint32(i.index)} //nolint:gosec // some ten thousand
	if !i.needle {
		needles = nil
		for _, member := range i.members {
			needles = append(needles, uint32(p.ids[member].index)) //nolint:gosec // some ten thousand
		}
	}
	at := uint16(len(p.made.lists)) //nolint:gosec // some ten thousand
	p.made.lists = append(p.made.lists, needles)
	p.lists[id] = at
	return at
}

// effort says how much it takes to settle a tree, roughly.
func (p *planner) effort(t tree) int {
	if t.kind != isLeaf {
		most := 0
		for _, kid := range t.kids {
			most = max(most, 1+p.effort(kid))
		}
		return most
	}
	return 100 * int(p.how(t.leaf.id))
}

// wire writes down what follows from each id.
func (p *planner) wire() {
	made := p.made
	made.follows = make([]uint32, 1, len(p.ids)+1)
	for _, i := range p.ids {
		for _, group := range i.groups {
			if p.uses[group] > 0 && p.how(group) != checked {
				made.effects = append(made.effects, effect(group))
			}
		}
		for _, rule := range i.triggered {
			made.effects = append(made.effects, triggers|effect(rule))
		}
		made.follows = append(made.follows, uint32(len(made.effects))) //nolint:gosec // some ten thousand
	}
}

// search makes the matchers of each field.
func (p *planner) search() {
	first := make([][]uint32, len(p.made.fields))
	second := make([][]uint32, len(p.made.fields))
	for id, i := range p.ids {
		switch {
		case !i.needle || !p.wanted(uint32(id)): //nolint:gosec // an id
		case i.eager:
			first[i.column] = append(first[i.column], uint32(i.index)) //nolint:gosec // some ten thousand
		default:
			second[i.column] = append(second[i.column], uint32(i.index)) //nolint:gosec // some ten thousand
		}
	}
	for at := range p.made.fields {
		p.made.fields[at].first = p.matcher(first[at])
		p.made.fields[at].second = p.matcher(second[at])
	}
}

// wanted says whether a rule asks for the needle or an Or of which it is a part, other than to have it checked.
func (p *planner) wanted(id uint32) bool {
	asked := func(id uint32) bool { return p.uses[id] > 0 && p.how(id) != checked }
	return asked(id) || slices.ContainsFunc(p.ids[id].groups, asked)
}

func (p *planner) matcher(needles []uint32) *matcher {
	if len(needles) == 0 {
		return nil
	}
	return newMatcher(p.made.needles, needles, p.common)
}
