package sigma

import "time"

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
