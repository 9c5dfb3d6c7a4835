package sigma

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What a value or a document may become: more is refused, so that no rule takes the memory of all others.
const (
	maxDashes = 4       // that windash writes out: 625 texts; more become a regular expression
	maxValues = 50_000  // of one value, lists of placeholders written out
	maxStars  = 32      // '*' in one value: what is matched by many takes long to say no to
	maxRule   = 500_000 // predicates and steps of regular expressions in one document, everything written out
)

// asks is what the modifiers after one field name ask for.
type asks struct {
	as         valueType
	at         place
	placed     bool
	all        bool
	cased      bool
	negated    bool
	expand     bool
	flags      string      // of re
	transforms []transform // in the order written
	dashes     int         // which of them is windash, from 1
	compare    Op          // of a number, or of a part of a time
	part       Part
}

// valueType is what the modifiers make of the values.
type valueType uint8

const (
	asText valueType = iota
	asExpression
	asNetwork
	asPresence
	asNumber
	asReference
	asTime
)

// A transform makes of one pattern those that stand for it.
type transform func(Pattern) ([]Pattern, error)

// typeModifiers are the modifiers that say what a value is. One item has one of them at most.
var typeModifiers = map[string]asks{
	"re":       {as: asExpression},
	"cidr":     {as: asNetwork},
	"exists":   {as: asPresence},
	"fieldref": {as: asReference},
	"lt":       {as: asNumber, compare: Below},
	"lte":      {as: asNumber, compare: AtMost},
	"gt":       {as: asNumber, compare: Above},
	"gte":      {as: asNumber, compare: AtLeast},
	"minute":   {as: asTime, part: Minute},
	"hour":     {as: asTime, part: Hour},
	"day":      {as: asTime, part: Day},
	"week":     {as: asTime, part: Week},
	"month":    {as: asTime, part: Month},
	"year":     {as: asTime, part: Year},
}

// placeModifiers are the modifiers that say where in the value the text stands.
var placeModifiers = map[string]place{"contains": anywhere, "startswith": atStart, "endswith": atEnd}

// textModifiers are the modifiers that make other texts of a text.
var textModifiers = map[string]transform{
	"base64":       encode64,
	"base64offset": encode64Offset,
	"wide":         wide(false),
	"utf16le":      wide(false),
	"utf16be":      wide(true),
	"utf16":        marked,
}

// flagModifiers are the letters of regexp/syntax for the flags of re.
var flagModifiers = map[string]string{"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s"}

// parseModifiers reads what stands between the bars after a field's name.
func parseModifiers(names []string) (asks, error) {
	var a asks
	for _, name := range names {
		if t, known := typeModifiers[name]; known {
			switch {
			case a.as == asTime && t.as == asNumber && a.compare == 0:
				a.compare = t.compare // hour|gte
				continue
			case a.as != asText:
				return a, fmt.Errorf("modifier %q beside another that says what the value is", name)
			}
			a.as, a.compare, a.part = t.as, t.compare, t.part
		} else if at, known := placeModifiers[name]; known {
			if a.placed {
				return a, fmt.Errorf("modifier %q beside another that says where the value stands", name)
			}
			a.at, a.placed = at, true
		} else if t, known := textModifiers[name]; known {
			a.transforms = append(a.transforms, t)
		} else if name == "windash" {
			a.dashes = len(a.transforms) + 1
			a.transforms = append(a.transforms, windash)
		} else if f, known := flagModifiers[name]; known {
			if a.as != asExpression {
				return a, fmt.Errorf("modifier %q is a flag of re and stands without it", name)
			}
			a.flags += f
		} else {
			switch name {
			case "all":
				a.all = true
			case "cased":
				a.cased = true
			case "neq":
				a.negated = true
			case "expand":
				a.expand = true
			default:
				return a, fmt.Errorf("unknown modifier %q", name)
			}
		}
	}
	return a, a.check()
}

func (a asks) check() error {
	switch {
	case len(a.transforms) > 0 && a.as != asText:
		return errors.New("a modifier that changes texts beside one that says that the value is none")
	case a.placed && a.as != asText && a.as != asExpression && a.as != asReference:
		return errors.New("contains, startswith or endswith beside a modifier that they mean nothing to")
	case a.cased && a.as != asText && a.as != asExpression && a.as != asReference:
		return errors.New("cased beside a modifier that it means nothing to")
	case a.expand && a.as != asText && a.as != asExpression && a.as != asNetwork:
		return errors.New("expand beside a modifier that it means nothing to")
	}
	return nil
}

// An item is one line of a map: a field, its modifiers and its values.
func (r *reader) item(key string, v yamlValue) (Expr, error) {
	parts := strings.Split(key, "|")
	field := r.interned(parts[0])
	a, err := parseModifiers(parts[1:])
	if err != nil {
		return nil, err
	}
	if field == "" {
		if a.as != asText && a.as != asExpression {
			return nil, errors.New("a modifier that needs a field stands without one")
		}
		if !a.placed {
			a.at = anywhere
		}
	}
	values := []yamlValue{v}
	if v.shape == yamlList {
		values = v.list
	}
	if len(values) == 0 {
		return nil, errors.New("no values")
	}
	each := make([]Expr, 0, len(values))
	for _, v := range values {
		e, err := r.one(field, a, v)
		if err != nil {
			return nil, err
		}
		each = append(each, e)
	}
	e := anyOf(each)
	if a.all {
		e = allOf(each)
	}
	if a.negated {
		e = Not{e}
	}
	return e, nil
}

// one is what one value of an item asks.
func (r *reader) one(field string, a asks, v yamlValue) (Expr, error) {
	switch v.shape {
	case yamlList, yamlMap:
		return nil, fmt.Errorf("%v where a value is expected", v.shape)
	case yamlNull:
		if field == "" || a.as != asText || a.placed || len(a.transforms) > 0 || a.expand {
			return nil, errors.New("null where a text is expected")
		}
		return &Predicate{Field: field, Op: Absent}, nil
	case yamlScalar:
	}
	switch a.as {
	case asExpression:
		return r.expression(field, a, v.text)
	case asNetwork:
		return r.network(field, a, v.text)
	case asPresence:
		p := &Predicate{Field: field, Op: Exists}
		switch strings.ToLower(v.text) {
		case "true", "yes":
			return p, nil
		case "false", "no":
			return Not{p}, nil
		default:
			return nil, fmt.Errorf("exists: %q is neither true nor false", v.text)
		}
	case asNumber:
		n, err := strconv.ParseFloat(v.text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, fmt.Errorf("%q is no number", v.text)
		}
		return &Predicate{Field: field, Op: a.compare, Number: n}, nil
	case asTime:
		return timeParts(field, a, v.text)
	case asReference:
		op := [...]Op{wholly: SameAs, anywhere: PartOf, atStart: BeginsLike, atEnd: EndsLike}[a.at]
		if strings.TrimSpace(v.text) == "" {
			return nil, errors.New("fieldref without a field")
		}
		return &Predicate{Field: field, Op: op, Cased: a.cased, Other: r.interned(v.text)}, nil
	case asText:
	}
	if field == "" && v.text == "" {
		return nil, errors.New("an empty keyword")
	}
	return r.text(field, a, v.text)
}

// text is a value that is a text, after what the modifiers make of it.
func (r *reader) text(field string, a asks, s string) (Expr, error) {
	patterns := []Pattern{parsePattern(s)}
	if a.expand {
		var err error
		if patterns, err = r.expand(s); err != nil {
			return nil, err
		}
	}
	var each []Expr
	for i, t := range a.transforms {
		var next []Pattern
		for _, p := range patterns {
			if i+1 == a.dashes && a.dashes == len(a.transforms) && countDashes(p) > maxDashes {
				e, err := r.dashExpression(field, a, p)
				if err != nil {
					return nil, err
				}
				each = append(each, e)
				continue
			}
			made, err := t(p)
			if err != nil {
				return nil, err
			}
			next = append(next, made...)
		}
		if patterns = next; len(patterns) > maxValues {
			return nil, fmt.Errorf("one value becomes more than %d", maxValues)
		}
	}
	if err := r.spend(len(patterns)); err != nil {
		return nil, err
	}
	for _, p := range patterns {
		if n := p.stars(); n > maxStars {
			return nil, fmt.Errorf("a text with %d wildcards, more than %d", n, maxStars)
		}
		q := p.predicate(field, a.at, a.cased)
		q.Literal = r.interned(q.Literal)
		each = append(each, q)
	}
	return anyOf(each), nil
}

// spend takes from what the document may have in all.
func (r *reader) spend(n int) error {
	if r.spent += n; r.spent > maxRule {
		return fmt.Errorf("the document has more than %d comparisons and steps of regular expressions", maxRule)
	}
	return nil
}

// placeholder is %name%, with what may stand before it to take its meaning away.
var placeholder = regexp.MustCompile(`\\%|%([\pL\pN_.-]+)%`)

// expand writes out the values of the placeholders in a text: each of the lists' values takes its turn.
func (r *reader) expand(s string) ([]Pattern, error) {
	patterns := []Pattern{nil}
	add := func(values ...Pattern) error {
		if len(patterns)*len(values) > maxValues {
			return fmt.Errorf("expand: more than %d values", maxValues)
		}
		next := make([]Pattern, 0, len(patterns)*len(values))
		for _, p := range patterns {
			for _, v := range values {
				next = append(next, joinPatterns(p, v))
			}
		}
		patterns = next
		return nil
	}
	for s != "" {
		m := placeholder.FindStringSubmatchIndex(s)
		if m == nil {
			return patterns, add(parsePattern(s))
		}
		if err := add(parsePattern(s[:m[0]])); err != nil {
			return nil, err
		}
		if m[2] < 0 {
			if err := add(Pattern{{Literal: "%"}}); err != nil {
				return nil, err
			}
			s = s[m[1]:]
			continue
		}
		list, known := r.list(s[m[2]:m[3]])
		if !known {
			return nil, fmt.Errorf("expand: no value list for placeholder %q", s[m[2]:m[3]])
		}
		values := make([]Pattern, len(list))
		for i, v := range list {
			values[i] = parsePattern(v)
		}
		if err := add(values...); err != nil {
			return nil, err
		}
		s = s[m[1]:]
	}
	return patterns, nil
}

// list is the value list of a placeholder: the one of its name, or of its name but for case.
func (r *reader) list(name string) ([]string, bool) {
	if list, known := r.Lists[name]; known {
		return list, true
	}
	for other, list := range r.Lists {
		if strings.EqualFold(other, name) {
			return list, true
		}
	}
	return nil, false
}

func (r *reader) network(field string, a asks, s string) (Expr, error) {
	texts := []string{s}
	if a.expand {
		patterns, err := r.expand(s)
		if err != nil {
			return nil, err
		}
		texts = texts[:0]
		for _, p := range patterns {
			t, _ := p.plain()
			texts = append(texts, t)
		}
	}
	each := make([]Expr, len(texts))
	for i, t := range texts {
		prefix, err := parsePrefix(t)
		if err != nil {
			return nil, err
		}
		each[i] = &Predicate{Field: field, Op: Within, Prefix: prefix}
	}
	return anyOf(each), nil
}

// parsePrefix reads an address range, or one address. An IPv4 one written as IPv6 is that IPv4 one.
func parsePrefix(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, e := netip.ParseAddr(s)
		if e != nil || a.Zone() != "" {
			return p, fmt.Errorf("cidr: %q is no address range", s)
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// ranges are what the parts of a time can be, in the order of the parts.
var ranges = [...][2]int{Minute: {0, 59}, Hour: {0, 23}, Day: {1, 31}, Week: {1, 53}, Month: {1, 12}, Year: {1970, 2200}}

// timeParts compares a part of a time with a number: more or less than it is written out as each number that it can be.
func timeParts(field string, a asks, s string) (Expr, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, fmt.Errorf("%q is no whole number", s)
	}
	within := ranges[a.part]
	if a.compare == 0 {
		if a.part != Year && (n < within[0] || n > within[1]) {
			return nil, fmt.Errorf("%d is not within %d and %d", n, within[0], within[1])
		}
		return &Predicate{Field: field, Op: AtTime, Part: a.part, Number: float64(n)}, nil
	}
	var each Or
	for i := within[0]; i <= within[1]; i++ {
		if a.compare == Below && i < n || a.compare == AtMost && i <= n || a.compare == Above && i > n || a.compare == AtLeast && i >= n {
			each = append(each, &Predicate{Field: field, Op: AtTime, Part: a.part, Number: float64(i)})
		}
	}
	return each, nil
}

func encode64(p Pattern) ([]Pattern, error) {
	t, plain := p.plain()
	if !plain {
		return nil, errors.New("base64 of a text with wildcards")
	}
	return []Pattern{{{Literal: base64.StdEncoding.EncodeToString([]byte(t))}}}, nil
}

// encode64Offset is what every longer text that has this one in it has in its base64, wherever it stands: three texts, each
// without the characters at its ends that depend on the neighbours.
func encode64Offset(p Pattern) ([]Pattern, error) {
	t, plain := p.plain()
	if !plain {
		return nil, errors.New("base64offset of a text with wildcards")
	}
	if len(t) < 2 {
		return nil, errors.New("base64offset of less than two bytes: no character of it would be certain")
	}
	all := make([]Pattern, 3)
	for before := range all {
		encoded := base64.StdEncoding.EncodeToString([]byte("  "[:before] + t))
		from := [...]int{0, 2, 3}[before]
		to := len(encoded) - [...]int{0, 3, 2}[(before+len(t))%3]
		all[before] = Pattern{{Literal: encoded[from:to]}}
	}
	return all, nil
}

// wide is UTF-16 without a mark of its byte order.
func wide(bigEndian bool) transform {
	return func(p Pattern) ([]Pattern, error) {
		return []Pattern{p.mapLiterals(func(s string) string {
			var b []byte
			for _, u := range utf16.Encode([]rune(s)) {
				if bigEndian {
					b = append(b, byte(u>>8), byte(u))
				} else {
					b = append(b, byte(u), byte(u>>8))
				}
			}
			return string(b)
		})}, nil
	}
}

// marked is UTF-16 behind the mark of its byte order.
func marked(p Pattern) ([]Pattern, error) {
	made, err := wide(false)(p)
	return []Pattern{joinPatterns(Pattern{{Literal: "\xff\xfe"}}, made[0])}, err
}

// dashes are what Windows programs take for the dash before a flag.
var dashes = [...]string{"-", "/", "–", "—", "―"}

// windash is every text that has any of the dashes where this one has one.
func windash(p Pattern) ([]Pattern, error) {
	if n := countDashes(p); n > maxDashes {
		return nil, fmt.Errorf("windash: %d dashes before another modifier, more than %d", n, maxDashes)
	}
	all := []Pattern{nil}
	for _, piece := range p {
		rest := piece.Literal
		for {
			at := strings.IndexFunc(rest, isDash)
			if piece.Hole != None || at < 0 {
				break
			}
			next := make([]Pattern, 0, len(all)*len(dashes))
			for _, before := range all {
				for _, d := range dashes {
					next = append(next, joinPatterns(before, Pattern{{Literal: rest[:at] + d}}))
				}
			}
			_, size := utf8.DecodeRuneInString(rest[at:])
			all, rest = next, rest[at+size:]
		}
		if piece.Hole == None && rest == "" {
			continue
		}
		for i, before := range all {
			all[i] = joinPatterns(before, Pattern{{Literal: rest, Hole: piece.Hole}})
		}
	}
	return all, nil
}

func countDashes(p Pattern) int {
	n := 0
	for _, piece := range p {
		for _, r := range piece.Literal {
			if isDash(r) {
				n++
			}
		}
	}
	return n
}

// dashExpression is windash of more dashes than can be written out, as a regular expression of the same meaning.
func (r *reader) dashExpression(field string, a asks, p Pattern) (Expr, error) {
	var b strings.Builder
	b.WriteString("(?s)")
	if a.at == wholly || a.at == atStart {
		b.WriteString(`\A`)
	}
	for _, piece := range p {
		switch piece.Hole {
		case Any:
			b.WriteString(".*")
		case One:
			b.WriteString(".")
		case None:
		}
		for _, r := range piece.Literal {
			switch {
			case isDash(r):
				b.WriteString("[-/–—―]")
			case a.cased:
				b.WriteString(regexp.QuoteMeta(string(r)))
			default:
				b.WriteString(sameFolded(r))
			}
		}
	}
	if a.at == wholly || a.at == atEnd {
		b.WriteString(`\z`)
	}
	re, err := r.regexp(b.String())
	return &Predicate{Field: field, Op: Matches, Cased: true, Regexp: re}, err
}

// sameFolded is an expression for the characters that watch.Fold makes the same as this one.
func sameFolded(r rune) string {
	small := foldText(string(r))
	var class strings.Builder
	for other, first := r, true; first || other != r; other, first = unicode.SimpleFold(other), false {
		if foldText(string(other)) == small {
			class.WriteString(regexp.QuoteMeta(string(other)))
		}
	}
	if class.Len() == len(string(r)) {
		return class.String()
	}
	return "[" + class.String() + "]"
}

func isDash(r rune) bool { return strings.ContainsRune("-/–—―", r) }
