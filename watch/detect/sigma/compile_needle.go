package sigma

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"wardwatch/watch"
)

// A needle is what a matcher looks for in a value: a literal, and where it must stand.
type needle struct {
	id  uint32
	lit string // folded unless cased; of a Like the literal that is looked for before pattern is tried
	op  Op     // Equals, Contains, StartsWith, EndsWith, Like
	// cased needles compare bytes. All others compare ASCII letters without their case and all other bytes as they are, which is
	// what watch.Fold comes to as long as the literal is stable.
	cased bool
	// odd needles are not stable: only a value that was really folded can tell.
	odd     bool
	rare    int // place in lit of the byte that values hold the least often
	pattern Pattern
}

// isNeedle says whether a matcher can look for the predicate: there must be a literal to look for.
func isNeedle(p *Predicate) bool {
	switch p.Op {
	case Equals:
		return true
	case Contains, StartsWith, EndsWith:
		return p.Literal != ""
	case Like:
		return longest(p.Pattern) != ""
	}
	return false
}

func newNeedle(p *Predicate) needle {
	n := needle{lit: p.Literal, op: p.Op, cased: p.Cased}
	if p.Op == Like {
		n.lit, n.pattern = longest(p.Pattern), p.Pattern
		if len(p.Pattern) == 1 {
			n.op, n.pattern = Equals, nil
		}
	}
	n.odd = !p.Cased && !stable(n.lit)
	for _, piece := range n.pattern {
		n.odd = n.odd || !p.Cased && !stable(piece.Literal)
	}
	return n
}

// longest is the longest literal of the pattern.
func longest(p Pattern) string {
	lit := ""
	for _, piece := range p {
		if len(piece.Literal) > len(lit) {
			lit = piece.Literal
		}
	}
	return lit
}

// stable says whether a folded literal is found in a folded value exactly where its bytes are found in the value itself, ASCII
// letters aside: it is UTF-8, and no other letter folds to one of its own beyond ASCII. Dashes are stable, ü is not: Ü is it too.
func stable(literal string) bool {
	if !utf8.ValidString(literal) {
		return false
	}
	for _, r := range literal {
		if r >= utf8.RuneSelf && folded()[r] {
			return false
		}
	}
	return true
}

// folded holds the letters beyond ASCII that another letter folds to, and those that fold to another one.
var folded = sync.OnceValue(func() map[rune]bool {
	letters := map[rune]bool{}
	for _, cases := range unicode.CaseRanges {
		for r := max(rune(cases.Lo), utf8.RuneSelf); r <= rune(cases.Hi); r++ { //nolint:gosec // runes
			if small, _ := utf8.DecodeRune(watch.Fold(nil, utf8.AppendRune(nil, r))); small != r {
				letters[r], letters[small] = true, true
			}
		}
	}
	return letters
})
