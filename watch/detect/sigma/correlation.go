package sigma

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// A Correlation is a rule about several records: it looks at what the rules that it refers to have matched within a time.
type Correlation struct {
	ID     string // as Rule.ID
	Name   string
	Title  string
	Level  string
	Status string
	Tags   []string
	File   string
	Kind   Kind
	// Refs are the rules that it refers to, in the order written: the order that TemporalOrdered asks for.
	Refs []Ref
	// GroupBy are the names, fields or aliases, whose values keep records apart. Ref.Fields says what each is called in the
	// records of one rule. Empty: all records are one group.
	GroupBy  []string
	Timespan time.Duration
	// Fields are what the Value kinds look at: ValueCount counts distinct combinations of all, the others have one.
	Fields []string
	// Percentile is which one ValuePercentile compares, 0 to 100.
	Percentile float64
	// Bounds are what the number (of records, of distinct values, of different rules, the sum...) must fulfil, all of them.
	Bounds []Bound
	// Condition is for the temporal kinds, and is nil unless it is written as an expression: And, Or, Not over Seen.
	Condition Expr
	// Quiet correlations are worked out for those that name them, and are reported only by those.
	Quiet bool
}

// Kind is what a Correlation looks at.
type Kind uint8

// The kinds of correlations.
const (
	EventCount      Kind = iota // the number of records
	ValueCount                  // the number of distinct values of Fields
	Temporal                    // how many of the Refs have matched, in any order
	TemporalOrdered             // the same, in the order of the Refs
	ValueSum                    // the sum of the numbers in the field
	ValueAvg                    // their mean
	ValuePercentile             // their percentile
	ValueMedian                 // their median
	ValueShare                  // how many of 100 records have the same value in the field as the newest one
)

// A Ref is one rule or one correlation that a Correlation refers to: a place in Set.Rules or in Set.Correlations, the other
// is -1. A correlation stands behind those that it refers to.
type Ref struct {
	Rule        int
	Correlation int
	// Fields are what the names of GroupBy are called in the records of this rule.
	Fields []string
}

// A Bound compares a number with another.
type Bound struct {
	Op     BoundOp
	Number float64
}

// BoundOp is how a Bound compares.
type BoundOp uint8

// The comparisons of a Bound.
const (
	More      BoundOp = iota // gt
	MoreOrAs                 // gte
	Less                     // lt
	LessOrAs                 // lte
	Same                     // eq
	Different                // neq
)

// Holds says whether n fulfils the bound.
func (b Bound) Holds(n float64) bool {
	switch b.Op {
	case More:
		return n > b.Number
	case MoreOrAs:
		return n >= b.Number
	case Less:
		return n < b.Number
	case LessOrAs:
		return n <= b.Number
	case Same:
		return n == b.Number
	default:
		return n != b.Number
	}
}

// Seen is a leaf of Correlation.Condition: the place in Refs of what must have matched within the time.
type Seen int

func (Seen) expr() {}

// maxTimespan is ten years: more is a slip of the pen.
const maxTimespan = 10 * 365 * 24 * time.Hour

// kinds are the types of correlations as they are written.
var kinds = map[string]Kind{
	"event_count":      EventCount,
	"value_count":      ValueCount,
	"temporal":         Temporal,
	"temporal_ordered": TemporalOrdered,
	"value_sum":        ValueSum,
	"value_avg":        ValueAvg,
	"value_percentile": ValuePercentile,
	"value_median":     ValueMedian,
}

// String is the type as it is written.
func (k Kind) String() string {
	for name, kind := range kinds {
		if kind == k {
			return name
		}
	}
	return "value_share" // of older rules; there is no correlation of that type
}

// comparisons are the keys of a condition and their meaning.
var comparisons = map[string]BoundOp{
	"gt": More, "gte": MoreOrAs, "lt": Less, "lte": LessOrAs, "eq": Same, "neq": Different,
}

// A correlationDraft is a correlation whose references are still names.
type correlationDraft struct {
	*Correlation
	rules   []string
	drafts  []*draft                     // what the names stand for
	aliases map[string]map[string]string // alias, rule, field
	loud    bool                         // generate: what it refers to is reported too
	state   visit
}

// visit is how far the search for cycles has come.
type visit uint8

const (
	unvisited visit = iota
	visiting
	visited
)

// readCorrelation reads a correlation, all but what its references stand for.
func (r *reader) readCorrelation(d *draft, doc yamlValue) error {
	v := doc.get("correlation")
	if v.shape != yamlMap {
		return fmt.Errorf("correlation: %v where a map is expected", v.shape)
	}
	c := &correlationDraft{Correlation: d.head.correlation()}
	kind, known := kinds[v.get("type").text]
	if !known {
		return fmt.Errorf("type: %q is none", v.get("type").text)
	}
	c.Kind = kind
	var err error
	if c.rules, err = v.get("rules").strings(); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if c.GroupBy, err = v.get("group-by").strings(); err != nil {
		return fmt.Errorf("group-by: %w", err)
	}
	if c.Timespan, err = parseTimespan(v.get("timespan").text); err != nil {
		return err
	}
	if err := c.readAliases(v.get("aliases")); err != nil {
		return err
	}
	c.loud = v.get("generate").text == "true" || doc.get("generate").text == "true"
	if err := c.readCondition(v.get("condition")); err != nil {
		return fmt.Errorf("condition: %w", err)
	}
	switch {
	case len(c.rules) == 0:
		return errors.New("rules: it names none")
	case len(c.rules) > maxRefs:
		return fmt.Errorf("rules: %d of them, more than %d", len(c.rules), maxRefs)
	case len(c.GroupBy) > maxGroupBy:
		return fmt.Errorf("group-by: %d fields, more than %d", len(c.GroupBy), maxGroupBy)
	}
	if c.Bounds == nil && c.Condition == nil {
		c.Bounds = []Bound{{MoreOrAs, float64(len(c.rules))}}
	}
	d.correlation = c
	return nil
}

// correlation is an empty one of that head.
func (h head) correlation() *Correlation {
	c := &Correlation{ID: h.called(), Name: h.name, Title: h.title, Level: h.level, Status: h.status, Tags: h.tags, File: h.file}
	if c.ID == "" {
		c.ID = h.file
	}
	return c
}

func (c *correlationDraft) readAliases(v yamlValue) error {
	if v.shape == yamlNull {
		return nil
	}
	c.aliases = map[string]map[string]string{}
	for i, alias := range v.keys {
		c.aliases[alias] = map[string]string{}
		for j, rule := range v.list[i].keys {
			field := v.list[i].list[j]
			if field.shape != yamlScalar || field.text == "" {
				return fmt.Errorf("aliases: %s: %s: %v where a field is expected", alias, rule, field.shape)
			}
			c.aliases[alias][rule] = field.text
		}
		if len(c.aliases[alias]) == 0 {
			return fmt.Errorf("aliases: %s: no fields", alias)
		}
	}
	if len(c.aliases) == 0 {
		return fmt.Errorf("aliases: %v where a map is expected", v.shape)
	}
	return nil
}

// readCondition reads bounds, or for the temporal kinds an expression over rules, or nothing.
func (c *correlationDraft) readCondition(v yamlValue) error {
	temporal := c.Kind == Temporal || c.Kind == TemporalOrdered
	switch {
	case v.shape == yamlNull && temporal:
		return nil
	case v.shape == yamlScalar && temporal:
		return c.readExpression(v.text)
	case v.shape != yamlMap:
		return fmt.Errorf("%v where a map is expected", v.shape)
	}
	for i, key := range v.keys {
		if key == "field" {
			var err error
			if c.Fields, err = v.list[i].strings(); err != nil {
				return fmt.Errorf("field: %w", err)
			}
			continue
		}
		if _, known := comparisons[key]; !known && key != "percentile" {
			return fmt.Errorf("unknown key %q", key)
		}
		n, err := strconv.ParseFloat(v.list[i].text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Errorf("%s: %q is no number", key, v.list[i].text)
		}
		if key == "percentile" {
			if c.Percentile = n; n < 0 || n > 100 {
				return fmt.Errorf("percentile: %v is not within 0 and 100", n)
			}
			continue
		}
		c.Bounds = append(c.Bounds, Bound{comparisons[key], n})
	}
	if c.Kind == ValuePercentile && !slices.Contains(v.keys, "percentile") {
		c.Kind = ValueShare
	}
	counting := temporal || c.Kind == EventCount
	switch {
	case len(c.Bounds) == 0:
		return errors.New("nothing to compare with")
	case counting && len(c.Fields) > 0:
		return errors.New("a field, where records or rules are counted")
	case !counting && len(c.Fields) == 0:
		return errors.New("no field")
	case c.Kind != ValueCount && len(c.Fields) > 1:
		return errors.New("more than one field")
	}
	for _, field := range c.Fields {
		if _, alias := c.aliases[field]; alias || field == "" {
			return fmt.Errorf("field: %q is no field (aliases are for group-by)", field)
		}
	}
	return nil
}

// readExpression reads a temporal condition over the names of rules; they need no list of their own.
func (c *correlationDraft) readExpression(text string) error {
	if len(c.rules) == 0 {
		for _, word := range tokens(text) {
			if !reserved(word) && !slices.Contains(c.rules, word) {
				c.rules = append(c.rules, word)
			}
		}
	}
	r := conditionReader{names: c.rules, search: func(name string) (Expr, error) { return Seen(slices.Index(c.rules, name)), nil }}
	e, err := r.parse(text)
	if err != nil {
		return err
	}
	if holdsAlone(e) {
		return errors.New("it holds where no rule has matched")
	}
	c.Condition = e
	return nil
}

// parseTimespan reads a number and the letter of a unit: 90m. A month and a year have their mean length.
func parseTimespan(text string) (time.Duration, error) {
	units := map[byte]time.Duration{
		's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
		'M': 2_629_746 * time.Second, 'y': 31_556_952 * time.Second,
	}
	if text == "" {
		return 0, errors.New("no timespan")
	}
	unit, known := units[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 31)
	if !known || err != nil || n == 0 {
		return 0, fmt.Errorf("timespan: %q is no number of s, m, h, d, w, M or y", text)
	}
	if n > uint64(maxTimespan/unit) { //nolint:gosec // both are positive
		return 0, fmt.Errorf("timespan: %q is more than ten years", text)
	}
	return time.Duration(n) * unit, nil //nolint:gosec // at most ten years
}

// correlate resolves what the correlations refer to. Places are those of the rules in the set.
func (r *reader) correlate(places map[*draft]int) []*Correlation {
	x := resolver{names: r.index(), rules: places, places: map[*draft]int{}}
	for _, d := range r.correlations {
		x.visit(d)
	}
	for d := range x.places {
		c := d.correlation
		for _, other := range c.drafts {
			if c.loud {
				other.loud = true
			} else {
				other.quiet = true
			}
		}
	}
	for d := range places {
		d.rule.Quiet = d.quiet && !d.loud
	}
	for d := range x.places {
		d.correlation.Quiet = d.quiet && !d.loud
	}
	return x.done
}

// A resolver puts correlations behind those that they refer to.
type resolver struct {
	names  index
	rules  map[*draft]int
	places map[*draft]int // of correlations in done
	done   []*Correlation
}

func (x *resolver) visit(d *draft) {
	c := d.correlation
	if d.refused != "" || c.state == visited {
		return
	}
	c.state = visiting
	err := x.resolve(d)
	c.state = visited
	if err != nil {
		d.refuse(err)
		return
	}
	x.places[d] = len(x.done)
	x.done = append(x.done, c.Correlation)
}

func (x *resolver) resolve(d *draft) error {
	c := d.correlation
	if d.stands != nil {
		c.drafts = []*draft{d.stands}
	}
	for _, name := range c.rules {
		other, err := x.names.find(name, d.file)
		if err != nil {
			return err
		}
		if slices.Contains(c.drafts, other) {
			return fmt.Errorf("it names %q twice", name)
		}
		c.drafts = append(c.drafts, other)
	}
	for _, other := range c.drafts {
		if other.correlation != nil {
			if other.correlation.state == visiting {
				return fmt.Errorf("a circle of correlations through %q", other.called())
			}
			x.visit(other)
		}
		if other.refused != "" {
			return fmt.Errorf("rule %q is refused: %s", other.called(), other.refused)
		}
	}
	fields := make([]map[string]string, len(c.drafts))
	for alias, rules := range c.aliases {
		for rule, field := range rules {
			other, err := x.names.find(rule, d.file)
			if err != nil {
				return fmt.Errorf("aliases: %w", err)
			}
			at := slices.Index(c.drafts, other)
			if at < 0 {
				return fmt.Errorf("aliases: the correlation does not refer to %q", rule)
			}
			if fields[at] == nil {
				fields[at] = map[string]string{}
			}
			fields[at][alias] = field
		}
	}
	for i, other := range c.drafts {
		ref := Ref{Rule: -1, Correlation: -1, Fields: slices.Clone(c.GroupBy)}
		if other.correlation != nil {
			ref.Correlation = x.places[other]
		} else {
			ref.Rule = x.rules[other]
		}
		for g, name := range c.GroupBy {
			if field, alias := fields[i][name]; alias {
				ref.Fields[g] = field
			}
		}
		c.Refs = append(c.Refs, ref)
	}
	return nil
}
