package sigma

import "math"

// trigger chooses what a rule waits for: a set of ids of which at least one is raised by every record that fulfils the rule.
// Of an And that is the set of the part which is rarest in records, of an Or those of all its parts. A rule that nothing
// triggers (one that only says what must not be) is evaluated for every record.
func (p *planner) trigger(rule uint32, t tree) {
	ids, cost := p.necessary(t)
	if math.IsInf(cost, 1) {
		p.made.always = append(p.made.always, rule)
		return
	}
	for _, id := range ids {
		i := &p.ids[id]
		i.eager = true
		i.triggered = append(i.triggered, rule)
		for _, member := range i.members {
			p.ids[member].eager = true
		}
	}
}

// necessary finds the cheapest set of ids that the tree cannot hold without, and how often a record is thought to raise one.
func (p *planner) necessary(t tree) ([]uint32, float64) {
	switch t.kind {
	case isLeaf:
		if t.leaf.not {
			return nil, math.Inf(1)
		}
		if cost, ok := p.cost(t.leaf.id); ok {
			return []uint32{t.leaf.id}, cost
		}
		return nil, math.Inf(1)
	case isOr:
		var all []uint32
		sum := 0.0
		for _, kid := range t.kids {
			ids, cost := p.necessary(kid)
			all, sum = append(all, ids...), sum+cost
		}
		return all, sum
	case isAnd:
		var best []uint32
		least := math.Inf(1)
		for _, kid := range t.kids {
			if ids, cost := p.necessary(kid); cost < least {
				best, least = ids, cost
			}
		}
		return best, least
	}
	return nil, math.Inf(1)
}

// cost is how often a record is thought to raise the id, and false for tests, which raise nothing.
func (p *planner) cost(id uint32) (float64, bool) {
	i := p.ids[id]
	switch {
	case i.presence:
		return 2, true // dearer than any needle
	case i.needle:
		return p.common.cost(p.made.needles[i.index]), true
	case i.members != nil:
		sum := 0.0
		for _, member := range i.members {
			sum += p.common.cost(p.made.needles[p.ids[member].index])
		}
		return min(sum, 1.5), true
	}
	return 0, false
}
