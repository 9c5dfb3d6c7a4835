package sigma

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// finds says whether the expression matches somewhere in the text.
func (e *engine) finds(a *automaton, text []byte) bool {
	if len(text) < a.least {
		return false
	}
	if a.prog == nil {
		return a.re.Match(text)
	}
	r := e.runs[a.index]
	if r == nil {
		r = newRun(a)
		e.runs[a.index] = r
	}
	found, ok := r.finds(text)
	if !ok {
		return a.re.Match(text)
	}
	return found
}

// A run is the states of an automaton that texts have led to so far. It is made state by state as they are reached, and begins
// anew when there are too many.
type run struct {
	a       *automaton
	next    []int32 // by state and class
	states  []state
	known   map[string]int32
	weight  int // of all states: instructions and transitions
	forgot  int // states that were forgotten while this text is searched
	visited []uint32
	visit   uint32
	stack   []uint32
	seeds   []uint32
	key     []byte
}

// A state is where the search may stand: the instructions to follow next, and what the last rune was.
type state struct {
	seeds  []uint32
	before context
}

const (
	unknownState int32 = 0 // next is zero where nobody has been
	deadState    int32 = 1
	beginState   int32 = 2
	matchState   int32 = -1
)

// What the states of one expression may weigh, and how many it may forget in one text before the text is left to package
// regexp, whose time does not depend on them.
const (
	mostWeight = 1 << 20
	mostForgot = 1 << 14
)

func newRun(a *automaton) *run {
	r := &run{a: a, known: map[string]int32{}, visited: make([]uint32, len(a.prog.Inst))}
	r.forget()
	return r
}

func (r *run) forget() {
	r.forgot += len(r.states)
	clear(r.known)
	r.next, r.states, r.weight = r.next[:0], r.states[:0], 0
	r.add(nil, afterOther)                                // unknownState
	r.add(nil, atBegin)                                   // deadState
	r.seeds = append(r.seeds[:0], uint32(r.a.prog.Start)) //nolint:gosec // an instruction
	r.add(r.seeds, atBegin)                               // beginState
}

func (r *run) add(seeds []uint32, before context) int32 {
	number := int32(len(r.states)) //nolint:gosec // bounded by mostWeight
	r.states = append(r.states, state{slices.Clone(seeds), before})
	for range r.a.classes {
		r.next = append(r.next, unknownState)
	}
	r.weight += len(seeds) + r.a.classes
	return number
}

func (r *run) finds(text []byte) (found, ok bool) {
	a := r.a
	r.forgot = 0
	at := beginState
	for i := 0; i < len(text); {
		var class int
		if c := text[i]; c < utf8.RuneSelf {
			class = int(a.ascii[c])
			i++
		} else {
			wide, size := utf8.DecodeRune(text[i:])
			class = int(a.class(wide))
			i += size
		}
		to := r.next[int(at)*a.classes+class]
		if to == unknownState {
			if to = r.step(at, class); r.forgot > mostForgot {
				return false, false
			}
		}
		if to <= deadState {
			return to == matchState, true
		}
		at = to
	}
	class := a.classes - 1
	to := r.next[int(at)*a.classes+class]
	if to == unknownState {
		to = r.step(at, class)
	}
	return to == matchState, true
}

// step finds out where a rune of the class leads from the state, and notes it.
func (r *run) step(from int32, class int) int32 {
	if r.weight > mostWeight {
		kept := r.states[from]
		r.forget()
		from = r.number(kept.seeds, kept.before)
	}
	example := r.a.example[class]
	to := matchState
	if !r.follow(&r.states[from], example) {
		to = deadState
		if !r.a.begins {
			r.seeds = append(r.seeds, uint32(r.a.prog.Start)) //nolint:gosec // an instruction
		}
		if example != endOfText && len(r.seeds) > 0 {
			slices.Sort(r.seeds)
			r.seeds = slices.Compact(r.seeds)
			to = r.number(r.seeds, contextOf(example))
		}
	}
	r.next[int(from)*r.a.classes+class] = to
	return to
}

// number is the number of the state, a new one if it was never reached.
func (r *run) number(seeds []uint32, before context) int32 {
	r.key = append(r.key[:0], byte(before))
	for _, pc := range seeds {
		r.key = binary.LittleEndian.AppendUint32(r.key, pc)
	}
	if number, ok := r.known[string(r.key)]; ok {
		return number
	}
	number := r.add(seeds, before)
	r.known[string(r.key)] = number
	return number
}

// follow puts into seeds what a rune leads to from the state, or says that the expression has matched before the rune.
func (r *run) follow(from *state, next rune) bool {
	flags := syntax.EmptyOpContext(from.before.rune(), next)
	r.visit++
	r.seeds = r.seeds[:0]
	r.stack = append(r.stack[:0], from.seeds...)
	for len(r.stack) > 0 {
		pc := r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
		if r.visited[pc] == r.visit {
			continue
		}
		r.visited[pc] = r.visit
		inst := &r.a.prog.Inst[pc]
		switch inst.Op {
		case syntax.InstMatch:
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			r.stack = append(r.stack, inst.Out, inst.Arg)
		case syntax.InstNop, syntax.InstCapture:
			r.stack = append(r.stack, inst.Out)
		case syntax.InstEmptyWidth:
			if need := syntax.EmptyOp(inst.Arg); flags&need == need { //nolint:gosec // what syntax put there
				r.stack = append(r.stack, inst.Out)
			}
		default:
			if next != endOfText && takesRune(inst) && inst.MatchRune(next) {
				r.seeds = append(r.seeds, inst.Out)
			}
		}
	}
	return false
}
