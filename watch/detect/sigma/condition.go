package sigma

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	maxNesting = 100      // parentheses and nots in a condition
	maxChoices = 4_096    // ways to choose N of some
	maxText    = 64 << 10 // bytes of a condition
	maxNamed   = 100_000  // search identifiers that a condition names
)

// A conditionReader reads what joins search identifiers. Least binding first: or, and, not, "1 of".
type conditionReader struct {
	tokens []string
	depth  int
	named  int
	// names are the search identifiers, in the order written.
	names []string
	// search is what one of them stands for.
	search func(name string) (Expr, error)
}

// parse reads a whole condition.
func (c *conditionReader) parse(text string) (Expr, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%d bytes, more than %d", len(text), maxText)
	}
	c.tokens = tokens(text)
	if len(c.tokens) == 0 {
		return nil, errors.New("an empty condition")
	}
	e, err := c.or()
	if err != nil {
		return nil, err
	}
	if len(c.tokens) > 0 {
		return nil, fmt.Errorf("%q where the condition should end", c.tokens[0])
	}
	return e, nil
}

// tokens are parentheses, bars and what stands between blanks.
func tokens(text string) []string {
	for _, alone := range []string{"(", ")", "|"} {
		text = strings.ReplaceAll(text, alone, " "+alone+" ")
	}
	return strings.Fields(text)
}

// next says whether the next token is the word, and takes it.
func (c *conditionReader) next(word string) bool {
	if len(c.tokens) == 0 || !strings.EqualFold(c.tokens[0], word) {
		return false
	}
	c.tokens = c.tokens[1:]
	return true
}

func (c *conditionReader) or() (Expr, error) {
	var each []Expr
	for {
		e, err := c.and()
		if err != nil {
			return nil, err
		}
		if each = append(each, e); !c.next("or") {
			return anyOf(each), nil
		}
	}
}

func (c *conditionReader) and() (Expr, error) {
	var each []Expr
	for {
		e, err := c.not()
		if err != nil {
			return nil, err
		}
		if each = append(each, e); !c.next("and") {
			return allOf(each), nil
		}
	}
}

func (c *conditionReader) not() (Expr, error) {
	if c.depth++; c.depth > maxNesting {
		return nil, fmt.Errorf("a condition nested deeper than %d", maxNesting)
	}
	defer func() { c.depth-- }()
	if c.next("not") {
		e, err := c.not()
		return Not{e}, err
	}
	if c.next("(") {
		e, err := c.or()
		if err == nil && !c.next(")") {
			err = errors.New("a parenthesis that does not close")
		}
		return e, err
	}
	return c.operand()
}

func (c *conditionReader) operand() (Expr, error) {
	if len(c.tokens) == 0 {
		return nil, errors.New("the condition ends where a search identifier is expected")
	}
	word := c.tokens[0]
	if len(c.tokens) > 1 && strings.EqualFold(c.tokens[1], "of") {
		c.tokens = c.tokens[2:]
		return c.of(word)
	}
	if reserved(word) {
		return nil, fmt.Errorf("%q where a search identifier is expected", word)
	}
	c.tokens = c.tokens[1:]
	if !slices.Contains(c.names, word) {
		return nil, fmt.Errorf("no search identifier %q", word)
	}
	return c.name(word)
}

// name is what a search identifier stands for.
func (c *conditionReader) name(word string) (Expr, error) {
	if c.named++; c.named > maxNamed {
		return nil, fmt.Errorf("more than %d search identifiers", maxNamed)
	}
	return c.search(word)
}

// reserved says whether a token has a meaning of its own.
func reserved(word string) bool {
	return slices.Contains([]string{"and", "or", "not", "of", "(", ")", "|"}, strings.ToLower(word))
}

// of is "1 of", "all of" and "3 of" some search identifiers: those that a pattern names, or all ("them").
func (c *conditionReader) of(count string) (Expr, error) {
	if len(c.tokens) == 0 {
		return nil, fmt.Errorf("%q of what is missing", count)
	}
	pattern := c.tokens[0]
	c.tokens = c.tokens[1:]
	var each []Expr
	for _, name := range c.names {
		if strings.HasPrefix(name, "_") && !strings.HasPrefix(pattern, "_") { // by convention only for direct use
			continue
		}
		if !strings.EqualFold(pattern, "them") && !matchName(pattern, name) {
			continue
		}
		e, err := c.name(name)
		if err != nil {
			return nil, err
		}
		each = append(each, e)
	}
	if len(each) == 0 {
		return nil, fmt.Errorf("%s of %s: no search identifier is called so", count, pattern)
	}
	switch strings.ToLower(count) {
	case "all":
		return allOf(each), nil
	case "1", "any":
		return anyOf(each), nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%q of %s: neither a number nor all", count, pattern)
	}
	if n > len(each) {
		return nil, fmt.Errorf("%d of %s: there are only %d", n, pattern, len(each))
	}
	if choices(len(each), n) > maxChoices {
		return nil, fmt.Errorf("%d of %d in more than %d ways", n, len(each), maxChoices)
	}
	return atLeast(n, each), nil
}

// choices is in how many ways n of all can be chosen, up to more than maxChoices.
func choices(all, n int) int {
	ways := 1
	for i := range min(n, all-n) {
		if ways = ways * (all - i) / (i + 1); ways > maxChoices {
			break
		}
	}
	return ways
}

// atLeast holds when n of each hold.
func atLeast(n int, each []Expr) Expr {
	switch n {
	case 0:
		return And{}
	case 1:
		return anyOf(each)
	case len(each):
		return allOf(each)
	}
	return Or{allOf([]Expr{each[0], atLeast(n-1, each[1:])}), atLeast(n, each[1:])}
}

// matchName says whether a pattern with '*' is the name.
func matchName(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}

// anyOf is an Or, plain where there is only one.
func anyOf(each []Expr) Expr {
	if len(each) == 1 {
		return each[0]
	}
	return Or(slices.Clip(each))
}

// allOf is an And, plain where there is only one.
func allOf(each []Expr) Expr {
	if len(each) == 1 {
		return each[0]
	}
	return And(slices.Clip(each))
}
