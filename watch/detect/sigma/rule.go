package sigma

import (
	"net/netip"
	"regexp"

	"wardwatch/watch"
)

// A Rule is one Sigma rule, read and made plain: modifiers are worked out, lists and wildcards of names are written out, and
// what is left is one tree of conditions over predicates that look at one field each. Whatever evaluates it needs to know
// nothing of the language.
type Rule struct {
	ID     string // its name or title where it has no id, so that it is never empty
	Title  string
	Level  string // informational, low, medium, high, critical; empty where the rule gives none
	Status string
	Tags   []string // as written: attack.t1059.001, cve.2025-4427
	File   string   // where it was read from
	Source watch.Source
	// Condition is what must hold. Several conditions of one rule are joined by Or.
	Condition Expr
	// Quiet rules are evaluated for the correlations that name them, and are reported only by those.
	Quiet bool
}

// An Expr is And, Or, Not or *Predicate.
type Expr interface{ expr() }

// And holds when all hold; an empty one holds.
type And []Expr

// Or holds when one holds; an empty one does not.
type Or []Expr

// Not holds when the other does not.
type Not struct{ Expr Expr }

func (And) expr() {}
func (Or) expr()  {}
func (Not) expr() {}

// Op is how a predicate looks at a value.
type Op uint8

// What a predicate asks. But for Absent and Exists a field that the record does not have fulfils nothing, and a null fulfils
// nothing; a field of several values fulfils what one of its values fulfils.
const (
	Equals     Op = iota // the value is Literal, the whole of it
	Contains             // Literal is somewhere in the value
	StartsWith           // the value begins with Literal
	EndsWith             // the value ends with Literal
	Like                 // the value is matched by Pattern, the whole of it
	Matches              // Regexp finds something in the value
	Within               // the value is an address in Prefix (an IPv4 one written as IPv6 counts as IPv4)
	Exists               // the record has the field, even when it is null
	Absent               // the record does not have the field, or has nothing but null in it
	Below                // the value is a number < Number
	AtMost               // ≤ Number
	Above                // > Number
	AtLeast              // ≥ Number
	SameAs               // one value equals one value of the field Other
	PartOf               // |contains|fieldref: one value contains one of Other
	BeginsLike           // |startswith|fieldref: begins with one of Other
	EndsLike             // |endswith|fieldref: ends with one of Other
	AtTime               // the value is a time whose Part is Number
)

// A Predicate asks one thing of one field.
type Predicate struct {
	// Field is the name as the rule writes it; empty: any value of the record will do (keywords).
	Field string
	Op    Op
	// Cased predicates tell large letters from small; all others compare what watch.Fold makes of both sides.
	Cased bool
	// Literal is for Equals to EndsWith: folded already unless Cased. Equals of an empty Literal is an empty value.
	Literal string
	Pattern Pattern        // Like
	Regexp  *regexp.Regexp // Matches; searched in the value as it is, folding is a flag of the expression itself
	Prefix  netip.Prefix   // Within
	Number  float64        // Below to AtLeast, AtTime
	Other   string         // SameAs to EndsLike: the name of the other field
	Part    Part           // AtTime
}

func (*Predicate) expr() {}

// A Pattern is a text with holes: '*' is any number of characters, '?' is one character. Between holes stand literals,
// folded already unless the predicate is cased.
type Pattern []Piece

// A Piece is a literal, or a hole.
type Piece struct {
	Literal string
	Hole    Hole // when it is not None, Literal is empty
}

// Hole is what stands between the literals of a Pattern.
type Hole uint8

// The holes.
const (
	None Hole = iota
	Any       // '*': any number of characters, none too
	One       // '?': one character (one rune where the value is UTF-8, one byte where it is not)
)

// Part is a part of a time (modifiers minute, hour, day, week, month, year), in UTC.
type Part uint8

// The parts of a time.
const (
	Minute Part = iota + 1
	Hour
	Day
	Week // ISO 8601
	Month
	Year
)

// An Engine holds records against rules. One Engine is used by one goroutine at a time.
type Engine interface {
	// Match appends to hits the places in Set.Rules of the rules that the record fulfils, in ascending order.
	Match(r *watch.Record, hits []int) []int
}
