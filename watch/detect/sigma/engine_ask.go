package sigma

import (
	"bytes"
	"net/netip"
	"unsafe"

	"wardwatch/watch"
)

// test holds the values of the field against a predicate that no matcher looks for.
func (e *engine) test(t *test) bool {
	if t.Op == Absent {
		return !e.any(t.column, func([]byte) bool { return true })
	}
	return e.any(t.column, func(text []byte) bool { return e.fulfils(t, text) })
}

// any says whether one of the values of the column, nulls aside, is as is asked.
func (e *engine) any(at column, is func([]byte) bool) bool {
	if at == everywhere {
		for i := range e.record.Values {
			if v := &e.record.Values[i]; v.Kind != watch.Null && is(v.Text) {
				return true
			}
		}
		return false
	}
	c := &e.chains[at]
	if at == unasked || c.stamp != e.now {
		return false
	}
	for i := c.first; i >= 0; i = e.next[i] {
		if v := &e.record.Values[i]; v.Kind != watch.Null && is(v.Text) {
			return true
		}
	}
	return false
}

func (e *engine) fulfils(t *test, text []byte) bool {
	switch t.Op {
	case Contains, StartsWith, EndsWith: // of nothing
		return true
	case Like: // holes alone
		return likeFolded(t.Pattern, text, true)
	case Matches:
		return e.finds(t.search, text)
	case Within:
		addr, ok := addressOf(text)
		return ok && t.Prefix.Contains(addr)
	case Below:
		n, ok := numberOf(text)
		return ok && n < t.Number
	case AtMost:
		n, ok := numberOf(text)
		return ok && n <= t.Number
	case Above:
		n, ok := numberOf(text)
		return ok && n > t.Number
	case AtLeast:
		n, ok := numberOf(text)
		return ok && n >= t.Number
	case SameAs, PartOf, BeginsLike, EndsLike:
		return e.fulfilsOther(t, text)
	case AtTime:
		at, ok := watch.When(text)
		return ok && float64(part(at, t.Part)) == t.Number
	}
	return false
}

// fulfilsOther compares a value with those of another field.
func (e *engine) fulfilsOther(t *test, text []byte) bool {
	if !t.Cased {
		e.folded = watch.Fold(e.folded[:0], text)
		text = e.folded
	}
	return e.any(t.other, func(other []byte) bool {
		if !t.Cased {
			e.other = watch.Fold(e.other[:0], other)
			other = e.other
		}
		switch t.Op {
		case SameAs:
			return bytes.Equal(text, other)
		case PartOf:
			return bytes.Contains(text, other)
		case BeginsLike:
			return bytes.HasPrefix(text, other)
		}
		return bytes.HasSuffix(text, other)
	})
}

// numberOf reads the numbers that records are full of, and leaves the others to number.
func numberOf(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 15 {
		return number(text)
	}
	n := uint64(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return number(text)
		}
		n = 10*n + uint64(c-'0')
	}
	return float64(n), true
}

// addressOf is address for the values that are one at a glance; what holds any other sign is none.
func addressOf(text []byte) (netip.Addr, bool) {
	if len(text) < 2 {
		return netip.Addr{}, false
	}
	zone := false
	for _, c := range text {
		switch {
		case zone, c == '.', c == ':', '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		case c == '%':
			zone = true
		default:
			return netip.Addr{}, false
		}
	}
	addr, err := netip.ParseAddr(viewText(text))
	return addr.Unmap().WithZone(""), err == nil
}

// view and viewText lend bytes and texts to functions that keep nothing, without a copy.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func viewText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
