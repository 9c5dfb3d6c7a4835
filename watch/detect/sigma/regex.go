package sigma

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxSteps is how large an expression may be: the steps of its program, repetitions written out. The largest of the
// community's set has some thousand.
const maxSteps = 20_000

// expression reads the regular expression of one value.
func (r *reader) expression(field string, a asks, s string) (Expr, error) {
	if a.expand {
		var err error
		if s, err = r.expandExpression(s); err != nil {
			return nil, err
		}
	}
	if a.placed {
		switch s = "(?:" + s + ")"; a.at {
		case atStart:
			s = `\A` + s
		case atEnd:
			s += `\z`
		case anywhere, wholly:
		}
	}
	if a.flags != "" {
		s = "(?" + a.flags + ")" + s
	}
	re, err := r.regexp(s)
	if err != nil {
		return nil, err
	}
	return &Predicate{Field: field, Op: Matches, Cased: true, Regexp: re}, nil
}

// expandExpression puts the values of a placeholder where it stands, as texts and not as expressions.
func (r *reader) expandExpression(s string) (string, error) {
	var missing error
	s = placeholder.ReplaceAllStringFunc(s, func(m string) string {
		if m == `\%` {
			return "%"
		}
		name := strings.Trim(m, "%")
		list, known := r.list(name)
		if !known {
			missing = fmt.Errorf("expand: no value list for placeholder %q", name)
			return m
		}
		quoted := make([]string, len(list))
		for i, v := range list {
			quoted[i] = regexp.QuoteMeta(v)
		}
		return "(?:" + strings.Join(quoted, "|") + ")"
	})
	return s, missing
}

// regexp is the compiled expression, one for all rules that write the same. How large it becomes is worked out before.
func (r *reader) regexp(s string) (*regexp.Regexp, error) {
	if re, known := r.expressions[s]; known {
		return re, nil
	}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return nil, explainRegexp(s, err)
	}
	steps := regexpSteps(tree)
	if steps > maxSteps {
		return nil, fmt.Errorf("re: a program of %d steps or more, more than %d", steps, maxSteps)
	}
	if err := r.spend(steps); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, explainRegexp(s, err)
	}
	r.expressions[s] = re
	return re, nil
}

// regexpSteps is about how many steps the program of an expression has, counted before it is made; it stops at much too many.
func regexpSteps(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		if n += regexpSteps(sub); n > 1<<30 {
			return n
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

// beyond are the beginnings of what RE2 leaves out, so that matching takes time in proportion to the text.
var beyond = []struct{ begins, name string }{
	{"(?=", "look-ahead"}, {"(?!", "look-ahead"}, {"(?<=", "look-behind"}, {"(?<!", "look-behind"},
	{"(?>", "an atomic group"}, {"(?(", "a conditional"}, {"(?|", "a branch reset"}, {"(?R", "recursion"}, {"(?&", "recursion"},
	{"(?P=", "a backreference"}, {"(?P>", "recursion"}, {`\k`, "a backreference"}, {`\g`, "a backreference"},
}

// explainRegexp says which part of an expression cannot be had, by the name that its writer knows it by.
func explainRegexp(s string, err error) error {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("re: %w", err)
	}
	if e.Code == syntax.ErrInvalidPerlOp || e.Code == syntax.ErrInvalidEscape || e.Code == syntax.ErrInvalidNamedCapture {
		for _, b := range beyond {
			if strings.Contains(s, b.begins) && (strings.HasPrefix(b.begins, e.Expr) || strings.HasPrefix(e.Expr, b.begins)) {
				return fmt.Errorf("re: %s (%s) is beyond RE2", b.name, b.begins)
			}
		}
		if len(e.Expr) == 2 && e.Expr[0] == '\\' && '1' <= e.Expr[1] && e.Expr[1] <= '9' {
			return fmt.Errorf("re: a backreference (%s) is beyond RE2", e.Expr)
		}
	}
	if e.Code == syntax.ErrInvalidRepeatOp && strings.HasSuffix(e.Expr, "+") {
		return fmt.Errorf("re: a possessive repetition (%s) is beyond RE2", e.Expr)
	}
	return fmt.Errorf("re: %s: %q", e.Code, e.Expr)
}
