package sigma

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// An automaton is a regular expression made ready for a search in one pass (engine_automaton.go): its program, and the runes
// in classes that the program treats alike.
type automaton struct {
	index   int // of its states in an Engine
	re      *regexp.Regexp
	prog    *syntax.Prog
	begins  bool // it matches at the beginning of a text or not at all
	least   int  // no text of fewer bytes matches
	bounds  []rune
	of      []uint16 // by bound: the class of the runes from it to the next
	ascii   [utf8.RuneSelf]uint16
	classes int    // with the last, which is the end of the text
	example []rune // by class; endOfText for the last
}

const endOfText rune = -1

// automata makes each expression ready once.
type automata struct {
	count int
	known map[string]*automaton
}

func (a *automata) of(re *regexp.Regexp) *automaton {
	if a.known == nil {
		a.known = map[string]*automaton{}
	}
	if made, ok := a.known[re.String()]; ok {
		return made
	}
	made := newAutomaton(re)
	made.index = a.count
	a.count++
	a.known[re.String()] = made
	return made
}

func newAutomaton(re *regexp.Regexp) *automaton {
	made := &automaton{re: re}
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return made
	}
	made.least = leastBytes(tree)
	if made.prog, err = syntax.Compile(tree.Simplify()); err != nil {
		made.prog = nil
		return made
	}
	made.begins = made.prog.StartCond()&syntax.EmptyBeginText != 0
	made.bounds = boundsOf(made.prog)
	made.classify()
	return made
}

// leastBytes is a bound for the size of what the expression matches: a rune is at least a byte.
func leastBytes(re *syntax.Regexp) int {
	const most = 1 << 20
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return leastBytes(re.Sub[0])
	case syntax.OpRepeat:
		return min(most, re.Min*leastBytes(re.Sub[0]))
	case syntax.OpConcat:
		sum := 0
		for _, sub := range re.Sub {
			sum += leastBytes(sub)
		}
		return min(most, sum)
	case syntax.OpAlternate:
		least := most
		for _, sub := range re.Sub {
			least = min(least, leastBytes(sub))
		}
		return least
	}
	return 0
}

// boundsOf are the runes at which what the program does may change.
func boundsOf(prog *syntax.Prog) []rune {
	bounds := []rune{0}
	add := func(lo, hi rune) { bounds = append(bounds, lo, hi+1) }
	for i := range prog.Inst {
		inst := &prog.Inst[i]
		switch inst.Op {
		case syntax.InstRune, syntax.InstRune1:
			if len(inst.Rune) == 1 {
				r := inst.Rune[0]
				add(r, r)
				for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
					add(other, other)
				}
				continue
			}
			for k := 0; k+1 < len(inst.Rune); k += 2 {
				add(inst.Rune[k], inst.Rune[k+1])
			}
		case syntax.InstRuneAnyNotNL:
			add('\n', '\n')
		case syntax.InstEmptyWidth:
			add('\n', '\n')
			add('0', '9')
			add('A', 'Z')
			add('_', '_')
			add('a', 'z')
		}
	}
	slices.Sort(bounds)
	return slices.Compact(bounds)
}

// classify puts ranges of runes that every instruction treats alike into one class.
func (a *automaton) classify() {
	known := map[string]uint16{}
	a.of = make([]uint16, len(a.bounds))
	signature := make([]byte, 0, len(a.prog.Inst)+1)
	for i, r := range a.bounds {
		signature = append(signature[:0], byte(contextOf(r)))
		for k := range a.prog.Inst {
			if inst := &a.prog.Inst[k]; takesRune(inst) {
				signature = append(signature, '0')
				if inst.MatchRune(r) {
					signature[len(signature)-1] = '1'
				}
			}
		}
		class, ok := known[string(signature)]
		if !ok {
			class = uint16(len(known)) //nolint:gosec // at most as many as bounds
			known[string(signature)] = class
			a.example = append(a.example, r)
		}
		a.of[i] = class
	}
	a.example = append(a.example, endOfText)
	a.classes = len(a.example)
	for r := range a.ascii {
		a.ascii[r] = a.class(rune(r)) //nolint:gosec // ASCII
	}
}

func takesRune(inst *syntax.Inst) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

func (a *automaton) class(r rune) uint16 {
	i, ok := slices.BinarySearch(a.bounds, r)
	if !ok {
		i--
	}
	return a.of[i]
}

// A context is what the next step must know of the rune before it.
type context byte

const (
	atBegin context = iota
	afterLine
	afterWord
	afterOther
)

func contextOf(r rune) context {
	switch {
	case r == '\n':
		return afterLine
	case syntax.IsWordChar(r):
		return afterWord
	}
	return afterOther
}

// rune is one rune of the context.
func (c context) rune() rune { return [...]rune{endOfText, '\n', 'a', ' '}[c] }
