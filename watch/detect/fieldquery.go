package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
)

// A FieldQuery hunts for events by what their fields are: user=jane and not host=srv1, CommandLine~"-enc ", (ip=203.0.113.0/24 or
// domain~files). docs/telemetry.md has the language. Where the query asks for something that has a key, most of the archive is never read;
// else every event is.
type FieldQuery struct {
	text    string
	names   *watch.Names
	root    node
	clauses []clause
}

const (
	longestQuery = 10_000 // bytes
	mostTerms    = 200
	deepest      = 50
)

// ParseFieldQuery reads a query.
func ParseFieldQuery(text string, clock ward.Clock) (*FieldQuery, error) {
	if len(text) > longestQuery {
		return nil, &ward.Invalid{Field: "query", Problem: fmt.Sprintf("has %d bytes, and %d are too many", len(text), longestQuery)}
	}
	if !utf8.ValidString(text) {
		return nil, &ward.Invalid{Field: "query", Problem: "is not UTF-8"}
	}
	p := &queryParser{clock: clock, keys: newKeys()}
	var err error
	if p.tokens, err = lex(text); err != nil {
		return nil, err
	}
	for _, t := range p.tokens {
		if t.compares != "" {
			p.fields = append(p.fields, t.name)
		}
	}
	p.names = watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields(), hostFields, p.fields)...)
	root, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = p.wrong("has %s where it should end", p.tokens[p.at])
	}
	if err != nil {
		return nil, err
	}
	return &FieldQuery{text: strings.TrimSpace(text), names: p.names, root: root, clauses: root.clauses()}, nil
}

// Names implements watch.Query.
func (q *FieldQuery) Names() *watch.Names { return q.names }

// Needles implements watch.Query.
func (q *FieldQuery) Needles() [][]uint64 { return known(q.clauses) }

// NeedlesIn implements watch.BlockQuery.
func (q *FieldQuery) NeedlesIn(containing func(string) ([]string, error)) ([][]uint64, error) {
	return in(q.clauses, containing)
}

// Keyed says whether the query asks for something that has a key, so that not every event must be read.
func (q *FieldQuery) Keyed() bool { return len(q.clauses) > 0 }

// Matcher implements watch.Query.
func (q *FieldQuery) Matcher() watch.Matcher {
	return &fieldMatcher{text: q.text, root: q.root.fresh(), keyer: indicators.NewKeyer(q.names), names: q.names}
}

type fieldMatcher struct {
	text  string
	root  node
	keyer *indicators.Keyer
	names *watch.Names

	record  *watch.Record
	folded  []byte
	keys    []uint64
	domains []string
	asked   bool // for the record's domains
	because watch.Match
}

// Match implements watch.Matcher: an event once, with the first field that speaks for it.
func (m *fieldMatcher) Match(r *watch.Record, matches []watch.Match) []watch.Match {
	m.record, m.asked, m.because = r, false, watch.Match{Kind: "query", Value: m.text}
	if !m.root.holds(m) {
		return matches
	}
	return append(matches, m.because)
}

// show remembers what speaks for an event.
func (m *fieldMatcher) show(field, text []byte) bool {
	if m.because.Field == "" && m.because.Text == "" {
		m.because.Field, m.because.Text = string(field), string(text)
	}
	return true
}

// names that stand in the record as domains.
func (m *fieldMatcher) named() []string {
	if !m.asked {
		m.asked = true
		m.keys, m.domains = m.keyer.Keys(m.record, m.keys[:0], m.domains[:0])
	}
	return m.domains
}

// A node is a part of a query. Those of one Matcher are its own.
type node interface {
	holds(m *fieldMatcher) bool
	clauses() []clause // that an event fulfils for which it holds
	fresh() node       // for another Matcher
}

type every []node

func (e every) holds(m *fieldMatcher) bool {
	for _, n := range e {
		if !n.holds(m) {
			return false
		}
	}
	return true
}

func (e every) clauses() []clause { return allOf(clausesOf(e)...) }

func (e every) fresh() node { return every(freshOf(e)) }

type some []node

func (s some) holds(m *fieldMatcher) bool {
	before := m.because
	for _, n := range s {
		if n.holds(m) {
			return true
		}
		m.because = before
	}
	return false
}

func (s some) clauses() []clause { return anyOf(clausesOf(s)...) }

func (s some) fresh() node { return some(freshOf(s)) }

func clausesOf(nodes []node) (all [][]clause) {
	for _, n := range nodes {
		all = append(all, n.clauses())
	}
	return all
}

func freshOf(nodes []node) (all []node) {
	for _, n := range nodes {
		all = append(all, n.fresh())
	}
	return all
}

type not struct{ node }

func (n not) holds(m *fieldMatcher) bool {
	before := m.because
	held := n.node.holds(m)
	m.because = before
	return !held
}

func (n not) clauses() []clause { return nil }

func (n not) fresh() node { return not{n.node.fresh()} }

// shown asks for an indicator anywhere in the event, as a hunt for it does.
type shown struct {
	query   *indicators.Query
	needles []clause
	matcher watch.Matcher
	matches []watch.Match
}

func (s *shown) holds(m *fieldMatcher) bool {
	s.matches = s.matcher.Match(m.record, s.matches[:0])
	return len(s.matches) > 0 && m.show([]byte(s.matches[0].Field), []byte(s.matches[0].Text))
}

func (s *shown) clauses() []clause { return s.needles }

func (s *shown) fresh() node {
	return &shown{query: s.query, needles: s.needles, matcher: s.query.Matcher()}
}

// domainPart asks for a domain anywhere in the event with the text in it.
type domainPart string

func (d domainPart) holds(m *fieldMatcher) bool {
	for _, name := range m.named() {
		if strings.Contains(name, string(d)) {
			return m.show(nil, []byte(name))
		}
	}
	return false
}

func (d domainPart) clauses() []clause { return []clause{{domains: []string{string(d)}}} }

func (d domainPart) fresh() node { return d }

// anywhere asks for a text in the event as it came.
type anywhere string

func (a anywhere) holds(m *fieldMatcher) bool {
	m.folded = watch.Fold(m.folded[:0], m.record.Raw)
	return bytes.Contains(m.folded, []byte(a)) && m.show(nil, []byte(a))
}

func (a anywhere) clauses() []clause { return nil }

func (a anywhere) fresh() node { return a }

// compared asks of the values of some fields that one is the text, or has it in it.
type compared struct {
	fields   []watch.Field
	text     string // folded
	contains bool
	also     func(folded []byte, text string) bool // is it that too; nil: no
	user     bool                                  // values are compared as users are
	needles  []clause
}

func (c *compared) holds(m *fieldMatcher) bool {
	for i := range m.record.Values {
		v := &m.record.Values[i]
		if v.Kind == watch.Null || v.Field == 0 || !slices.Contains(c.fields, v.Field) {
			continue
		}
		if c.user {
			if v.Kind != watch.Text {
				continue
			}
			m.folded = indicators.User(m.folded[:0], v.Text)
		} else {
			m.folded = watch.Fold(m.folded[:0], v.Text)
		}
		if c.contains && bytes.Contains(m.folded, []byte(c.text)) || !c.contains && (string(m.folded) == c.text || c.also != nil && c.also(m.folded, c.text)) {
			return m.show(v.Name, v.Text)
		}
	}
	return false
}

func (c *compared) clauses() []clause { return c.needles }

func (c *compared) fresh() node { return c }

// hostFields are the names of fields that say which machine an event is about.
var hostFields = append(slices.Clone(hosts), "hostname", "host", "dvc")

// firstLabel says whether the text, which has no dot, is the first label of a machine's name.
func firstLabel(name []byte, text string) bool {
	label, _, dotted := bytes.Cut(name, []byte{'.'})
	return dotted && string(label) == text
}
