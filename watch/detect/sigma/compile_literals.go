package sigma

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"

	"wardwatch/watch"
)

// literalsOf finds folded literals of which every text that the expression matches holds at least one, once it is folded, too.
// Nil: there are none that are worth looking for.
func literalsOf(re *regexp.Regexp) []string {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	return better(literals(tree).all())
}

// found is what is known of the texts that a part of an expression matches.
type found struct {
	exact []string // if it is not nil: they are these and no others
	needs []string // if it is not nil: each holds one of these
}

// mostLiterals bounds how many texts stand for one part.
const mostLiterals = 24

func (f found) all() ([]string, []string) { return f.exact, f.needs }

// better is the one of two sets of literals that is rarer in values: by its shortest literal, then by how many there are.
func better(a, b []string) []string {
	switch {
	case !useful(a) && !useful(b):
		return nil
	case !useful(a):
		return b
	case !useful(b):
		return a
	}
	if x, y := min(shortest(a), 8), min(shortest(b), 8); x != y {
		if x > y {
			return a
		}
		return b
	}
	if len(a) <= len(b) {
		return a
	}
	return b
}

func useful(set []string) bool { return len(set) > 0 && shortest(set) > 0 }

func shortest(set []string) int {
	least := len(set[0])
	for _, s := range set {
		least = min(least, len(s))
	}
	return least
}

func literals(re *syntax.Regexp) found {
	switch re.Op {
	case syntax.OpLiteral:
		parts := make([]found, len(re.Rune))
		for i, r := range re.Rune {
			parts[i] = found{exact: spellings(r, re.Flags&syntax.FoldCase != 0)}
		}
		return inRow(parts)
	case syntax.OpCharClass:
		return found{exact: spellingsOfClass(re.Rune)}
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return found{exact: []string{""}}
	case syntax.OpCapture:
		return literals(re.Sub[0])
	case syntax.OpPlus:
		return atLeastOnce(re.Sub[0])
	case syntax.OpRepeat:
		switch {
		case re.Min > 1 && re.Min <= 8:
			parts := make([]found, re.Min)
			for i := range parts {
				parts[i] = literals(re.Sub[0])
			}
			if re.Min != re.Max {
				parts = append(parts, found{})
			}
			return inRow(parts)
		case re.Min >= 1:
			return atLeastOnce(re.Sub[0])
		}
	case syntax.OpQuest:
		if sub := literals(re.Sub[0]); sub.exact != nil && len(sub.exact) < mostLiterals {
			return found{exact: sorted(append([]string{""}, sub.exact...))}
		}
	case syntax.OpConcat:
		parts := make([]found, len(re.Sub))
		for i, sub := range re.Sub {
			parts[i] = literals(sub)
		}
		return inRow(parts)
	case syntax.OpAlternate:
		return oneOfAll(re.Sub)
	}
	return found{}
}

func atLeastOnce(re *syntax.Regexp) found {
	return found{needs: better(literals(re).all())}
}

// inRow is what is known of texts one after the other.
func inRow(parts []found) found {
	exact := []string{""} // of the parts since the last that is not exact
	whole := true
	var needs []string
	for _, part := range parts {
		if part.exact != nil && len(exact)*len(part.exact) <= mostLiterals {
			exact = product(exact, part.exact)
			continue
		}
		whole = false
		needs = better(needs, better(exact, part.needs))
		exact = []string{""}
		if part.exact != nil {
			exact = part.exact
		}
	}
	if whole {
		return found{exact: exact}
	}
	return found{needs: better(needs, exact)}
}

func oneOfAll(subs []*syntax.Regexp) found {
	var exact, needs []string
	allExact, allNeed := true, true
	for _, sub := range subs {
		f := literals(sub)
		exact = append(exact, f.exact...)
		allExact = allExact && f.exact != nil
		need := better(f.all())
		needs = append(needs, need...)
		allNeed = allNeed && need != nil
	}
	if exact = sorted(exact); allExact && len(exact) <= mostLiterals {
		return found{exact: exact}
	}
	if needs = sorted(needs); allNeed && len(needs) <= 4*mostLiterals {
		return found{needs: needs}
	}
	return found{}
}

func product(heads, tails []string) []string {
	all := make([]string, 0, len(heads)*len(tails))
	for _, head := range heads {
		for _, tail := range tails {
			all = append(all, head+tail)
		}
	}
	return sorted(all)
}

func sorted(set []string) []string {
	slices.Sort(set)
	return slices.Compact(set)
}

// spellings is what the rune comes to in a folded value: several, where the expression's own folding knows more than ours (it
// takes the Kelvin sign for a k). Runes that may be bytes which are no UTF-8 are anything.
func spellings(r rune, anyCase bool) []string {
	if r == utf8.RuneError {
		return nil
	}
	all := []string{foldRune(r)}
	if anyCase {
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			all = append(all, foldRune(other))
		}
	}
	return sorted(all)
}

// spellingsOfClass is nil for a class of many runes.
func spellingsOfClass(ranges []rune) []string {
	var all []string
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] >= mostLiterals || ranges[i] <= utf8.RuneError && utf8.RuneError <= ranges[i+1] {
			return nil
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			all = append(all, foldRune(r))
		}
	}
	if all = sorted(all); len(all) == 0 || len(all) > mostLiterals/3 {
		return nil
	}
	return all
}

func foldRune(r rune) string { return string(watch.Fold(nil, utf8.AppendRune(nil, r))) }
