package sigma

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"wardwatch/watch"
)

// A subject is a record that conditions are held against, and the numbers that its fields go by.
type subject struct {
	record *watch.Record
	names  *watch.Names
}

func (s subject) fulfils(e Expr) bool {
	switch e := e.(type) {
	case And:
		return !slices.ContainsFunc(e, func(part Expr) bool { return !s.fulfils(part) })
	case Or:
		return slices.ContainsFunc(e, s.fulfils)
	case Not:
		return !s.fulfils(e.Expr)
	case *Predicate:
		return s.fulfilsPredicate(e)
	}
	return false // a rule without any condition says nothing
}

func (s subject) fulfilsPredicate(p *Predicate) bool {
	if p.Op == Absent {
		return len(s.texts(p.Field)) == 0
	}
	return len(s.witnesses(p)) > 0
}

// witnesses are the values that fulfil the predicate.
func (s subject) witnesses(p *Predicate) []watch.Value {
	if p.Op == Exists {
		return s.values(p.Field)
	}
	var found []watch.Value
	for _, v := range s.texts(p.Field) {
		if s.holds(p, v.Text) {
			found = append(found, v)
		}
	}
	return found
}

// values are those of the field, nulls too; of the record, where the field is empty.
func (s subject) values(field string) []watch.Value {
	if field == "" {
		return s.record.Values
	}
	var found []watch.Value
	number := s.names.Find([]byte(field))
	for _, v := range s.record.Values {
		if number != 0 && v.Field == number {
			found = append(found, v)
		}
	}
	return found
}

// texts are the values of the field that are not null.
func (s subject) texts(field string) []watch.Value {
	return slices.DeleteFunc(slices.Clone(s.values(field)), func(v watch.Value) bool { return v.Kind == watch.Null })
}

// holds says whether this one value, which is not null, is what the predicate asks for.
func (s subject) holds(p *Predicate, value []byte) bool {
	text := value
	if !p.Cased {
		text = watch.Fold(nil, value)
	}
	literal := []byte(p.Literal)
	switch p.Op {
	case Equals:
		return bytes.Equal(text, literal)
	case Contains:
		return bytes.Contains(text, literal)
	case StartsWith:
		return bytes.HasPrefix(text, literal)
	case EndsWith:
		return bytes.HasSuffix(text, literal)
	case Like:
		return like(p.Pattern, text)
	case Matches:
		return p.Regexp.Match(value)
	case Within:
		addr, ok := address(value)
		return ok && p.Prefix.Contains(addr)
	case Below:
		number, ok := number(value)
		return ok && number < p.Number
	case AtMost:
		number, ok := number(value)
		return ok && number <= p.Number
	case Above:
		number, ok := number(value)
		return ok && number > p.Number
	case AtLeast:
		number, ok := number(value)
		return ok && number >= p.Number
	case SameAs, PartOf, BeginsLike, EndsLike:
		return s.holdsOther(p, text)
	case AtTime:
		at, ok := watch.When(value)
		return ok && float64(part(at, p.Part)) == p.Number
	case Exists, Absent: // asked of the field, not of a value
	}
	return false
}

// holdsOther compares a value, folded already unless the predicate is cased, with those of the predicate's other field.
func (s subject) holdsOther(p *Predicate, text []byte) bool {
	compare := map[Op]func(s, other []byte) bool{
		SameAs: bytes.Equal, PartOf: bytes.Contains, BeginsLike: bytes.HasPrefix, EndsLike: bytes.HasSuffix,
	}[p.Op]
	for _, v := range s.texts(p.Other) {
		other := v.Text
		if !p.Cased {
			other = watch.Fold(nil, other)
		}
		if compare(text, other) {
			return true
		}
	}
	return false
}

// like says whether the pattern matches the whole of the text.
func like(p Pattern, text []byte) bool {
	if len(p) == 0 {
		return len(text) == 0
	}
	switch p[0].Hole {
	case None:
		rest, ok := bytes.CutPrefix(text, []byte(p[0].Literal))
		return ok && like(p[1:], rest)
	case One:
		return len(text) > 0 && like(p[1:], text[character(text):])
	case Any:
		for ; len(text) > 0; text = text[character(text):] {
			if like(p[1:], text) {
				return true
			}
		}
		return like(p[1:], text)
	}
	return false
}

// character is the length of the first character: of a rune, or of one byte that is no UTF-8.
func character(text []byte) int {
	_, size := utf8.DecodeRune(text)
	return size
}

// address reads an IP address. One of IPv4 written as IPv6 is of IPv4, and the zone (fe80::1%eth0) is no part of the place.
func address(text []byte) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(string(text))
	return addr.Unmap().WithZone(""), err == nil
}

// number reads a number: decimal, with a fraction and an exponent where they are, or hexadecimal as Windows writes handles
// and masks (0x1f). Words that stand for numbers (inf, nan) are none.
func number(text []byte) (float64, bool) {
	if digits, hex := bytes.CutPrefix(bytes.ToLower(text), []byte("0x")); hex {
		n, err := strconv.ParseUint(string(digits), 16, 64)
		return float64(n), err == nil
	}
	if len(bytes.Trim(text, "0123456789+-.eE")) > 0 {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(text), 64)
	return n, err == nil
}

// part is the part of a time that a rule asks for, in UTC.
func part(at time.Time, p Part) int {
	at = at.UTC()
	switch p {
	case Minute:
		return at.Minute()
	case Hour:
		return at.Hour()
	case Day:
		return at.Day()
	case Week:
		_, week := at.ISOWeek()
		return week
	case Month:
		return int(at.Month())
	case Year:
		return at.Year()
	}
	return -1
}
