package sigma_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

// Choices make random rules and records out of bytes, so that a fuzzer can lead them and a seed can repeat them: every choice
// takes one byte, and where there is none left it is the first.
type choices struct{ bytes []byte }

func (c *choices) below(n int) int {
	if len(c.bytes) == 0 {
		return 0
	}
	b := c.bytes[0]
	c.bytes = c.bytes[1:]
	return int(b) % n
}

func (c *choices) one(in int) bool { return c.below(in) == in-1 }

func pick[T any](c *choices, from []T) T { return from[c.below(len(from))] }

// The letters are few, so that random texts meet, and nasty: letters whose small letter is ASCII (Kelvin, dotted I), is longer
// or shorter (Ⱥ, ẞ), is none (ß, ı, ſ), has two (Σ); bytes that are no UTF-8, and half a rune; what patterns and escapes use.
var letters = []string{
	"a", "A", "b", "B", "k", "K", "\u212a", "s", "ſ", "i", "I", "ı", "İ", "ß", "ẞ", "é", "É", "Σ", "σ", "ς", "Ⱥ", "ⱥ", "世", "😀",
	`\`, "*", "?", "/", "-", " ", ".", "\x00", "\n", "\xff", "\xe2\x82", "\xc3", "0", "1", "ab", "abab", "cmd.exe", "AAAA", "powershell",
}

// Whole values that other operations than comparing texts look for.
var values = []string{
	"", "", "0", "1", "4624", "-1", "1.5", "1e3", "0x1f", "0X1F", "inf", "nan", "+1", "1_0", "true", "True", "null",
	"10.0.0.1", "10.1.2.3", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0", "2001:db8::1", "192.0.2.255", "10.0.0.256", "010.0.0.1",
	"2025-05-13T09:08:07Z", "2025-05-13 10:08:07.5", "1747127287",
}

var prefixes = []string{"10.0.0.0/8", "10.0.0.0/30", "192.0.2.255/32", "0.0.0.0/0", "::/0", "fe80::/10", "2001:db8::/32"}

// What regular expressions are made of: what a folding, a byte-wise or a literal-hunting matcher may get wrong.
var shards = []string{
	"a", "b", "k", "K", "ab", ".", ".*", "a+", "b*", "[ab]", "[^a]", "(a|b)", "(?i)k", "(?i:s)", "(?i)ß", "(?i)σ", `\b`, `\B`, "^", "$", `\s`,
	`\S+`, `\\`, `\.`, "(?s).", "(?m)^", "(?m)$", `\x{212a}`, "é", "a{2,3}", `\w+`, `\W`, `\d`, "(?:cmd|powershell)", `(?i)CMD\.exe`, `[\x00-\x1f]`, "世?", `\z`, `(?U)a+`,
}

var fields = []string{"Image", "CommandLine", "Initiating Process", "id", "Λ"}

func (c *choices) text() string {
	if c.one(4) {
		return pick(c, values)
	}
	var b strings.Builder
	for n := c.below(7); n > 0; n-- {
		b.WriteString(pick(c, letters))
	}
	if c.one(16) { // longer than any window or register
		return b.String() + strings.Repeat(pick(c, letters), 1+c.below(80)) + pick(c, letters)
	}
	return b.String()
}

// literal is a text as a predicate holds it.
func (c *choices) literal(cased bool) string {
	text := c.text()
	if cased {
		return text
	}
	return string(watch.Fold(nil, []byte(text)))
}

func (c *choices) pattern(cased bool) sigma.Pattern {
	var p sigma.Pattern
	for n := 1 + c.below(6); n > 0; n-- {
		switch last := len(p) - 1; c.below(4) {
		case 0:
			if last < 0 || p[last].Hole != sigma.Any {
				p = append(p, sigma.Piece{Hole: sigma.Any})
			}
		case 1:
			p = append(p, sigma.Piece{Hole: sigma.One})
		default:
			if text := c.literal(cased); text != "" && (last < 0 || p[last].Hole != sigma.None) {
				p = append(p, sigma.Piece{Literal: text})
			}
		}
	}
	return p
}

func (c *choices) regexp() *regexp.Regexp {
	var b strings.Builder
	for n := 1 + c.below(5); n > 0; n-- {
		b.WriteString(pick(c, shards))
		if c.one(8) {
			b.WriteString("|")
		}
	}
	re, err := regexp.Compile(b.String())
	if err != nil { // a repetition of nothing
		return regexp.MustCompile("a.*b")
	}
	return re
}

func (c *choices) predicate() *sigma.Predicate {
	p := &sigma.Predicate{Cased: c.one(4)}
	if !c.one(6) {
		p.Field = pick(c, fields)
		if c.one(8) {
			p.Field = strings.ToUpper(p.Field) // another name of the same field, but for Λ
		}
	}
	// The operations that rules use most come most.
	p.Op = pick(c, []sigma.Op{
		sigma.Equals, sigma.Contains, sigma.StartsWith, sigma.EndsWith, sigma.Like, sigma.Matches, sigma.Within, sigma.Exists,
		sigma.Absent, sigma.Below, sigma.AtMost, sigma.Above, sigma.AtLeast, sigma.SameAs, sigma.PartOf, sigma.BeginsLike,
		sigma.EndsLike, sigma.AtTime, sigma.Contains, sigma.EndsWith, sigma.Contains, sigma.Equals, sigma.Like, sigma.Matches,
	})
	switch p.Op {
	case sigma.Equals, sigma.Contains, sigma.StartsWith, sigma.EndsWith:
		p.Literal = c.literal(p.Cased)
	case sigma.Like:
		p.Pattern = c.pattern(p.Cased)
	case sigma.Matches:
		p.Regexp = c.regexp()
	case sigma.Within:
		p.Prefix = netip.MustParsePrefix(pick(c, prefixes))
	case sigma.Below, sigma.AtMost, sigma.Above, sigma.AtLeast:
		p.Number, _ = strconv.ParseFloat(pick(c, []string{"0", "1", "-1", "1.5", "31", "1000"}), 64)
	case sigma.SameAs, sigma.PartOf, sigma.BeginsLike, sigma.EndsLike:
		p.Other = pick(c, fields)
	case sigma.AtTime:
		p.Part = sigma.Minute + sigma.Part(c.below(6)) //nolint:gosec // six parts
		p.Number = pick(c, []float64{8, 9, 13, 20, 5, 2025})
	case sigma.Exists, sigma.Absent:
		if p.Field == "" {
			p.Field = fields[0]
		}
	}
	return p
}

func (c *choices) expr(depth int) sigma.Expr {
	if depth == 0 {
		return c.predicate()
	}
	switch c.below(6) {
	case 0:
		return sigma.Not{Expr: c.expr(depth - 1)}
	case 1, 2:
		return sigma.And(c.exprs(depth - 1))
	case 3:
		return sigma.Or(c.exprs(depth - 1))
	}
	return c.predicate()
}

func (c *choices) exprs(depth int) []sigma.Expr {
	var list []sigma.Expr
	if c.one(6) { // a list of one field, as rules have them, of short texts that other lists have too
		field := pick(c, fields)
		for n := c.below(24); n > 0; n-- {
			literal := string(watch.Fold(nil, []byte(pick(c, letters)+pick(c, letters))))
			list = append(list, &sigma.Predicate{Field: field, Op: sigma.Contains, Literal: literal})
		}
		return list
	}
	for n := c.below(5); n > 0; n-- {
		list = append(list, c.expr(depth))
	}
	return list
}

// classes are the unknown one and some of each kind of log.
var classes = func() []watch.Class {
	some := []watch.Class{0}
	for class := 1; class < len(watch.Logs()); class += 9 {
		some = append(some, watch.Class(class)) //nolint:gosec // some hundred
	}
	return some
}()

// source is one that a class is asked by, or one of a log that nobody knows.
func (c *choices) source() watch.Source {
	if c.one(6) {
		return watch.Source{Product: "tin foil"}
	}
	log := pick(c, classes).Log()
	s := watch.Source{Product: log.Product, Service: log.Service}
	if c.one(2) {
		s.Service = ""
	}
	if len(log.Categories) > 0 && c.one(2) {
		s.Category = pick(c, log.Categories)
	}
	return s
}

func classesFor(s watch.Source) []watch.Class {
	some := []watch.Class{0}
	for _, class := range classes {
		if class.Log().Is(s) {
			some = append(some, class)
		}
	}
	return some
}

func (c *choices) set() *sigma.Set {
	s := &sigma.Set{Names: watch.NewNames(fields...)}
	for n := 1 + c.below(24); n > 0; n-- {
		s.Rules = append(s.Rules, &sigma.Rule{ID: fmt.Sprint("rule-", len(s.Rules)), Source: c.source(), Condition: c.expr(c.below(4))})
	}
	return s
}

// record takes every other value out of the rules' own literals, so that they meet.
func (c *choices) record(s *sigma.Set) *watch.Record {
	var literals []string
	for _, r := range s.Rules {
		literals = appendLiterals(literals, r.Condition)
	}
	r := &watch.Record{Class: pick(c, classes)}
	if rule := pick(c, s.Rules); c.one(2) { // one of a log that a rule is for
		r.Class = pick(c, classesFor(rule.Source))
	}
	for n := c.below(8); n > 0; n-- {
		name := pick(c, append(fields, "unasked"))
		v := watch.Value{Field: s.Names.Find([]byte(name)), Name: []byte(name)}
		switch {
		case c.one(10):
			v.Kind = watch.Null
		case len(literals) > 0 && c.one(2):
			text := pick(c, literals)
			if c.one(2) {
				text = strings.ToUpper(text)
			}
			v.Text = []byte(pick(c, []string{"", "", c.text()}) + text + pick(c, []string{"", "", c.text()}))
		default:
			v.Text = []byte(c.text())
			if c.one(4) {
				v.Kind = watch.Number
			}
		}
		r.Values = append(r.Values, v)
	}
	return r
}

func appendLiterals(to []string, e sigma.Expr) []string {
	switch e := e.(type) {
	case sigma.And:
		for _, part := range e {
			to = appendLiterals(to, part)
		}
	case sigma.Or:
		for _, part := range e {
			to = appendLiterals(to, part)
		}
	case sigma.Not:
		to = appendLiterals(to, e.Expr)
	case *sigma.Predicate:
		whole := e.Literal
		for _, piece := range e.Pattern {
			switch piece.Hole {
			case sigma.None:
				whole += piece.Literal
			case sigma.One:
				whole += "世"
			case sigma.Any:
				whole += "\x00é"
			}
		}
		to = append(to, whole)
	}
	return to
}

// describe prints an expression as a person can repeat it.
func describe(e sigma.Expr) string {
	join := func(list []sigma.Expr) string {
		var parts []string
		for _, part := range list {
			parts = append(parts, describe(part))
		}
		return strings.Join(parts, ", ")
	}
	switch e := e.(type) {
	case sigma.And:
		return "And(" + join(e) + ")"
	case sigma.Or:
		return "Or(" + join(e) + ")"
	case sigma.Not:
		return "Not(" + describe(e.Expr) + ")"
	case *sigma.Predicate:
		return fmt.Sprintf("%+q", fmt.Sprintf("%+v", *e))
	}
	return fmt.Sprint(e)
}
