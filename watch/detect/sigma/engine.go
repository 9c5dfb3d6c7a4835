package sigma

import (
	"slices"

	"wardwatch/watch"
)

// Engine makes an Engine that holds records against the Program. It owns the scratch, and is used by one goroutine at a time.
func (p *Program) Engine() Engine {
	return &engine{
		program: p,
		truths:  make([]uint32, p.room.ids),
		asked:   make([]uint32, p.room.rules),
		chains:  make([]chain, p.room.columns),
		runs:    make([]*run, p.room.automata),
	}
}

// An engine is the scratch of matching. What is written in it for a record carries the record's stamp, so that nothing needs
// to be cleared for the next one.
type engine struct {
	program *Program
	plan    *plan
	record  *watch.Record

	now      uint32   // stamp of the record; 0 is none
	truths   []uint32 // by id: the stamp that it was last found out for, twice, and one more where it held
	asked    []uint32 // by rule: the stamp that it was last triggered for
	chains   []chain  // by column: the values of the record
	next     []int32  // by value: the next one of the same field
	awaiting []uint32 // rules that were triggered
	folded   []byte
	other    []byte
	runs     []*run // by automaton
}

// A chain is the values of one field in one record.
type chain struct {
	stamp       uint32
	first, last int32
	sought      uint32 // the stamp that the second matcher last looked at them for
}

// Match is part of Engine.
func (e *engine) Match(r *watch.Record, hits []int) []int {
	if int(r.Class) >= len(e.program.plans) {
		return hits
	}
	e.begin(e.program.plans[r.Class], r)
	for i := range r.Values {
		v := &r.Values[i]
		if int(v.Field) >= len(e.plan.columns) {
			continue
		}
		if at := e.plan.columns[v.Field]; at != unasked {
			e.see(at, int32(i), v) //nolint:gosec // values of one record
		}
	}
	e.seeEverywhere()
	return e.evaluate(hits)
}

func (e *engine) begin(p *plan, r *watch.Record) {
	e.plan, e.record = p, r
	e.awaiting = e.awaiting[:0]
	if len(e.next) < len(r.Values) {
		e.next = make([]int32, 2*len(r.Values))
	}
	e.now++
	if e.now >= 1<<31 {
		e.now = 1
		clear(e.truths)
		clear(e.asked)
		clear(e.chains)
	}
}

// see links a value to its field and lets the first matcher look at it.
func (e *engine) see(at column, i int32, v *watch.Value) {
	c := &e.chains[at]
	f := &e.plan.fields[at]
	e.next[i] = -1
	if c.stamp == e.now {
		e.next[c.last] = i
	} else {
		c.stamp, c.first = e.now, i
		if f.present != none {
			e.raise(f.present)
		}
	}
	c.last = i
	if f.first != nil && v.Kind != watch.Null {
		e.match(f.first, v.Text)
	}
}

// seeEverywhere lets the keywords look at every value.
func (e *engine) seeEverywhere() {
	f := &e.plan.fields[everywhere]
	if f.present != none && len(e.record.Values) > 0 {
		e.raise(f.present)
	}
	if f.first != nil {
		e.matchAll(f.first)
	}
}

func (e *engine) matchAll(m *matcher) {
	for i := range e.record.Values {
		if v := &e.record.Values[i]; v.Kind != watch.Null {
			e.match(m, v.Text)
		}
	}
}

// raise notes that the id holds, and does what follows from it.
func (e *engine) raise(id uint32) {
	yes := e.now<<1 | 1
	if e.truths[id] == yes {
		return
	}
	e.truths[id] = yes
	p := e.plan
	for _, effect := range p.effects[p.follows[id]:p.follows[id+1]] {
		if effect < triggers {
			e.raise(uint32(effect))
			continue
		}
		if rule := uint32(effect &^ triggers); e.asked[rule] != e.now {
			e.asked[rule] = e.now
			e.awaiting = append(e.awaiting, rule)
		}
	}
}

// evaluate appends the rules that the record fulfils, in order.
func (e *engine) evaluate(hits []int) []int {
	before := len(hits)
	for _, rule := range e.awaiting {
		if c := &e.plan.rules[rule]; e.holds(c.steps) {
			hits = append(hits, c.rule)
		}
	}
	for _, rule := range e.plan.always {
		if c := &e.plan.rules[rule]; e.holds(c.steps) {
			hits = append(hits, c.rule)
		}
	}
	slices.Sort(hits[before:])
	return hits
}

func (e *engine) holds(steps []step) bool {
	if len(steps) == 0 {
		return true
	}
	yes := e.now<<1 | 1
	for at := int32(0); at >= 0; {
		s := &steps[at]
		held := e.truths[s.id] == yes
		if !held && s.how != known {
			held = e.ask(s)
		}
		if held {
			at = s.yes
		} else {
			at = s.no
		}
		if at == fulfilled {
			return true
		}
	}
	return false
}

// ask finds out what is found out only once a rule asks.
func (e *engine) ask(s *step) bool {
	if s.how == sought {
		e.seek(s.column)
		return e.truths[s.id] == e.now<<1|1
	}
	if e.truths[s.id]>>1 == e.now {
		return e.truths[s.id]&1 == 1
	}
	var held bool
	if s.how == tested {
		held = e.test(&e.plan.tests[s.of])
	} else {
		held = e.check(s.column, e.plan.lists[s.of])
	}
	if held {
		e.raise(s.id) // a needle may be part of an Or that is sought, which must hear of it
	} else {
		e.truths[s.id] = e.now << 1
	}
	return held
}

// check looks for one of the needles in one of the values of the column.
func (e *engine) check(at column, needles []uint32) bool {
	return e.any(at, func(text []byte) bool {
		for _, i := range needles {
			if e.holdsNeedle(&e.plan.needles[i], text) {
				return true
			}
		}
		return false
	})
}

// seek lets the second matcher of the column look at all values, once a record.
func (e *engine) seek(at column) {
	c := &e.chains[at]
	if c.sought == e.now {
		return
	}
	c.sought = e.now
	m := e.plan.fields[at].second
	if at == everywhere {
		e.matchAll(m)
		return
	}
	if c.stamp != e.now {
		return
	}
	for i := c.first; i >= 0; i = e.next[i] {
		if v := &e.record.Values[i]; v.Kind != watch.Null {
			e.match(m, v.Text)
		}
	}
}

// Looked is how many rules the last record made the engine look at.
func (e *engine) Looked() int { return len(e.awaiting) }
