package detect

import (
	"fmt"
	"strings"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
)

// A token is a bracket, a word of the language, a comparison, or a text to be found.
type token struct {
	word     string // ( ) and or not; empty for the others
	name     string // of a comparison
	literal  bool   // the name is a field's, whatever it means to the language
	compares string // = ~ != !~
	text     string
}

func (t token) String() string {
	switch {
	case t.word != "":
		return fmt.Sprintf("%q", t.word)
	case t.compares != "":
		return fmt.Sprintf("%q", t.name+t.compares+t.text)
	}
	return fmt.Sprintf("%q", t.text)
}

// lex divides a query.
func lex(text string) (all []token, err error) {
	terms := 0
	for at := 0; at < len(text); {
		switch c := text[at]; c {
		case ' ', '\t', '\n', '\r':
			at++
			continue
		case '(', ')':
			all = append(all, token{word: string(c)})
			at++
			continue
		}
		name, quoted, end, err := part(text, at, true)
		if err != nil {
			return nil, err
		}
		at = end
		op := operator(text[at:])
		if op == "" {
			if word := strings.ToLower(name); !quoted && (word == "and" || word == "or" || word == "not") {
				all = append(all, token{word: word})
				continue
			}
			all = append(all, token{text: name})
		} else {
			value, _, end, err := part(text, at+len(op), false)
			if err != nil {
				return nil, err
			}
			if name == "" || value == "" {
				return nil, &ward.Invalid{Field: "query", Problem: fmt.Sprintf("%q lacks a name or a value", name+op+value), Hint: `write NAME=VALUE; a value with blanks stands in "quotes"`}
			}
			at = end
			all = append(all, token{name: name, literal: quoted, compares: op, text: value})
		}
		if terms++; terms > mostTerms {
			return nil, &ward.Invalid{Field: "query", Problem: fmt.Sprintf("asks for more than %d things", mostTerms)}
		}
	}
	if len(all) == 0 {
		return nil, &ward.Invalid{Field: "query", Problem: "is empty", Hint: "write user=jane, or ip=203.0.113.7 and not host=srv1"}
	}
	return all, nil
}

func operator(rest string) string {
	for _, op := range []string{"!=", "!~", "=", "~"} {
		if strings.HasPrefix(rest, op) {
			return op
		}
	}
	return ""
}

// part reads a name or a value: a word, or a text in quotes in which \" and \\ stand for " and \. A name ends before an operator.
func part(text string, at int, name bool) (word string, quoted bool, end int, err error) {
	if at < len(text) && text[at] == '"' {
		var b strings.Builder
		for at++; at < len(text); at++ {
			switch c := text[at]; {
			case c == '"':
				return b.String(), true, at + 1, nil
			case c == '\\' && at+1 < len(text) && (text[at+1] == '"' || text[at+1] == '\\'):
				at++
				b.WriteByte(text[at])
			default:
				b.WriteByte(c)
			}
		}
		return "", true, at, &ward.Invalid{Field: "query", Problem: "has a quote that does not end", Hint: `inside quotes write \" for a quote`}
	}
	from := at
	for at < len(text) && !strings.ContainsRune(" \t\r\n()\"", rune(text[at])) && (!name || operator(text[at:]) == "") {
		at++
	}
	return text[from:at], false, at, nil
}

type queryParser struct {
	clock  ward.Clock
	tokens []token
	at     int
	depth  int
	fields []string
	names  *watch.Names
	keys   *keys
}

func (p *queryParser) wrong(format string, args ...any) error {
	return &ward.Invalid{Field: "query", Problem: fmt.Sprintf(format, args...)}
}

func (p *queryParser) next(words ...string) bool {
	if p.at == len(p.tokens) {
		return false
	}
	for _, w := range words {
		if p.tokens[p.at].word == w {
			p.at++
			return true
		}
	}
	return false
}

func (p *queryParser) or() (node, error) {
	var parts some
	for {
		n, err := p.and()
		if err != nil {
			return nil, err
		}
		if parts = append(parts, n); !p.next("or") {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *queryParser) and() (node, error) {
	var parts every
	for {
		n, err := p.not()
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
		if p.next("and") {
			continue
		}
		if p.at == len(p.tokens) || p.tokens[p.at].word == "or" || p.tokens[p.at].word == ")" {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *queryParser) not() (node, error) {
	if p.depth++; p.depth > deepest {
		return nil, p.wrong("has more than %d brackets or nots within each other", deepest)
	}
	defer func() { p.depth-- }()
	switch {
	case p.at == len(p.tokens):
		return nil, p.wrong("ends where something to look for is missing")
	case p.next("not"):
		n, err := p.not()
		return not{n}, err
	case p.next("("):
		n, err := p.or()
		if err == nil && !p.next(")") {
			err = p.wrong("lacks a closing bracket")
		}
		return n, err
	case p.tokens[p.at].word != "":
		return nil, p.wrong("has %s where something to look for should stand", p.tokens[p.at])
	}
	t := p.tokens[p.at]
	p.at++
	if t.compares == "" {
		return anywhere(watch.Fold(nil, []byte(t.text))), nil
	}
	n, err := p.comparison(t)
	if err == nil && t.compares[0] == '!' {
		n = not{n}
	}
	return n, err
}

// shapes are what names of things that indicators are mean.
var shapes = map[string][]ward.IndicatorKind{
	"ip": {ward.IndicatorNetwork}, "address": {ward.IndicatorNetwork}, "domain": {ward.IndicatorDomain}, "email": {ward.IndicatorEmail}, "file": {ward.IndicatorFile},
	"url": {ward.IndicatorURL}, "hash": {ward.IndicatorMD5, ward.IndicatorSHA1, ward.IndicatorSHA256, ward.IndicatorSHA512},
}

func (p *queryParser) comparison(t token) (node, error) {
	name, contains := strings.ToLower(t.name), t.compares[len(t.compares)-1] == '~'
	folded := string(watch.Fold(nil, []byte(t.text)))
	kinds, isShape := shapes[name]
	switch {
	case t.literal:
		return p.field(t, folded, contains), nil
	case name == "domain" && contains:
		return domainPart(folded), nil
	case isShape && contains:
		return nil, &ward.Invalid{Field: "query", Problem: fmt.Sprintf("%s is compared as a whole", t), Hint: fmt.Sprintf("write %s=VALUE, or %q for the text anywhere in an event, or %q~%s for a field of that name", name, t.text, t.name, t.text)}
	case isShape:
		return p.shown(t, kinds)
	case name == "raw" || name == "text":
		return anywhere(folded), nil
	case name == "user" && contains:
		return &compared{fields: p.numbers(indicators.UserFields()), text: folded, contains: true, user: true}, nil
	case name == "user":
		user := string(indicators.User(nil, []byte(t.text)))
		if user == "" {
			return nil, p.wrong("%s names nobody", t)
		}
		return &compared{fields: p.numbers(indicators.UserFields()), text: user, user: true, needles: []clause{{keys: []uint64{watch.Key(watch.UserKey, []byte(user))}}}}, nil
	case name == "host":
		c := &compared{fields: p.numbers(hostFields), text: folded, contains: contains}
		if !strings.Contains(folded, ".") {
			c.also = firstLabel
		}
		return c, nil
	}
	return p.field(t, folded, contains), nil
}

func (p *queryParser) field(t token, folded string, contains bool) node {
	c := &compared{fields: p.numbers([]string{t.name}), text: folded, contains: contains}
	if !contains {
		c.needles = p.keys.equal(t.name, folded)
	}
	return c
}

func (p *queryParser) numbers(names []string) (all []watch.Field) {
	for _, name := range names {
		all = append(all, p.names.Find([]byte(name)))
	}
	return all
}

// shown asks for an indicator of the first kind that it can be.
func (p *queryParser) shown(t token, kinds []ward.IndicatorKind) (node, error) {
	var err error
	for _, kind := range kinds {
		if kind == ward.IndicatorURL && strings.HasSuffix(t.text, "*") {
			kind = ward.IndicatorURLPrefix
		}
		i := ward.Indicator{Kind: kind, Value: t.text}
		var q *indicators.Query
		if q, err = indicators.NewQueryOver(p.names, []ward.Indicator{i}, p.clock); err == nil {
			return &shown{query: q, needles: p.keys.indicator(i, p.clock), matcher: q.Matcher()}, nil
		}
	}
	return nil, &ward.Invalid{Field: "query", Problem: fmt.Sprintf("%s: %v", t, err)}
}
