package sigma

import (
	"strings"

	"wardwatch/watch"
)

// parsePattern reads a value as the specification writes it: '*' and '?' are holes, a backslash takes the meaning of a hole or
// of another backslash after it, and before anything else it is a backslash.
func parsePattern(text string) Pattern {
	if !strings.ContainsAny(text, `\*?`) {
		if text == "" {
			return nil
		}
		return Pattern{{Literal: text}}
	}
	var p Pattern
	var literal strings.Builder
	hole := func(h Hole) {
		if literal.Len() > 0 {
			p = append(p, Piece{Literal: literal.String()})
			literal.Reset()
		}
		p = append(p, Piece{Hole: h})
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '*':
			hole(Any)
		case '?':
			hole(One)
		case '\\':
			if i+1 < len(text) && strings.IndexByte(`\*?`, text[i+1]) >= 0 {
				i++
			}
			literal.WriteByte(text[i])
		default:
			literal.WriteByte(c)
		}
	}
	if literal.Len() > 0 {
		p = append(p, Piece{Literal: literal.String()})
	}
	return p
}

// joinPatterns is the one pattern after the other.
func joinPatterns(patterns ...Pattern) Pattern {
	var all Pattern
	for _, p := range patterns {
		for _, piece := range p {
			last := len(all) - 1
			switch {
			case last >= 0 && piece.Hole == None && all[last].Hole == None:
				all[last].Literal += piece.Literal
			case last >= 0 && piece.Hole == Any && all[last].Hole == Any: // two of them say no more than one
			default:
				all = append(all, piece)
			}
		}
	}
	return all
}

// plain is the text of a pattern without holes.
func (p Pattern) plain() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].Hole == None:
		return p[0].Literal, true
	default:
		return "", false
	}
}

// stars is how many holes of any size the pattern has.
func (p Pattern) stars() int {
	n := 0
	for _, piece := range p {
		if piece.Hole == Any {
			n++
		}
	}
	return n
}

// mapLiterals is the pattern with its literals changed.
func (p Pattern) mapLiterals(f func(string) string) Pattern {
	mapped := make(Pattern, len(p))
	for i, piece := range p {
		if piece.Hole == None {
			piece.Literal = f(piece.Literal)
		}
		mapped[i] = piece
	}
	return mapped
}

// place says where in a value a pattern must stand.
type place uint8

const (
	wholly place = iota
	anywhere
	atStart
	atEnd
)

var anything = Pattern{{Hole: Any}}

// predicate is the plainest one that asks for the pattern in its place.
func (p Pattern) predicate(field string, at place, cased bool) *Predicate {
	if at == anywhere || at == atEnd {
		p = joinPatterns(anything, p)
	}
	if at == anywhere || at == atStart {
		p = joinPatterns(p, anything)
	}
	p = joinPatterns(p) // joins doubled holes
	if !cased {
		p = p.mapLiterals(foldText)
	}
	q := &Predicate{Field: field, Cased: cased}
	begins := len(p) > 0 && p[0].Hole == Any
	ends := len(p) > 0 && p[len(p)-1].Hole == Any
	middle := p
	if begins {
		middle = middle[1:]
	}
	if ends && len(middle) > 0 {
		middle = middle[:len(middle)-1]
	}
	literal, plain := middle.plain()
	switch {
	case !plain:
		q.Op, q.Pattern = Like, p
		return q
	case begins && ends:
		q.Op = Contains
	case begins:
		q.Op = EndsWith
	case ends:
		q.Op = StartsWith
	default:
		q.Op = Equals
	}
	q.Literal = literal
	return q
}

func foldText(text string) string { return string(watch.Fold(nil, []byte(text))) }
