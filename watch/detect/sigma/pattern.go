package sigma

import (
	"strings"
	"unicode/utf8"

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
		if last := len(p) - 1; h != Any || last < 0 || p[last].Hole != Any { // two of them say no more than one
			p = append(p, Piece{Hole: h})
		}
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
	q := &Predicate{Field: field, Cased: cased}
	begins, middle, ends := at == anywhere || at == atEnd, p, at == anywhere || at == atStart
	if len(middle) > 0 && middle[0].Hole == Any {
		begins, middle = true, middle[1:]
		ends = ends || len(middle) == 0
	}
	if last := len(middle) - 1; last >= 0 && middle[last].Hole == Any {
		ends, middle = true, middle[:last]
	}
	literal, plain := middle.plain()
	if !plain {
		q.Op, q.Pattern = Like, p
		if begins {
			q.Pattern = joinPatterns(anything, q.Pattern)
		}
		if ends {
			q.Pattern = joinPatterns(q.Pattern, anything)
		}
		if !cased {
			q.Pattern = q.Pattern.mapLiterals(foldText)
		}
		return q
	}
	switch {
	case begins && ends:
		q.Op = Contains
	case begins:
		q.Op = EndsWith
	case ends:
		q.Op = StartsWith
	default:
		q.Op = Equals
	}
	if q.Literal = literal; !cased {
		q.Literal = foldText(literal)
	}
	return q
}

// foldText is watch.Fold of a text; what is folded already is not copied.
func foldText(text string) string {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(watch.Fold(nil, []byte(text)))
		}
	}
	return text
}
