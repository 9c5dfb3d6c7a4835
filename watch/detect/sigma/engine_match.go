package sigma

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"wardwatch/watch"
)

// match raises the needles of the matcher that the value fulfils.
func (e *engine) match(m *matcher, text []byte) {
	if len(text) < m.least {
		return
	}
	if m.equal != nil {
		e.probe(m.equal, wholeKey(text), text)
	}
	if len(text) >= 8 {
		if m.ends8 != nil {
			e.probe(m.ends8, last8(text), text)
		}
		if m.begins8 != nil {
			e.probe(m.begins8, first8(text), text)
		}
	}
	if len(text) >= 4 {
		if m.ends4 != nil {
			e.probe(m.ends4, last4(text), text)
		}
		if m.begins4 != nil {
			e.probe(m.begins4, first4(text), text)
		}
	}
	if m.grams != nil && len(text) >= m.shortest {
		if m.width == 8 {
			e.scan8(m, text)
		} else {
			e.scan4(m, text)
		}
	}
	if m.pairs != nil {
		e.scanPairs(m.pairs, text)
	}
	e.matchShort(m, text)
	if m.odd != nil && !ascii(text) {
		e.matchOdd(m, text)
	}
}

// matchShort looks for needles that are too short for hashes.
func (e *engine) matchShort(m *matcher, text []byte) {
	for _, i := range m.shortEnds {
		if n := &e.plan.needles[i]; len(text) >= len(n.lit) && n.same(text[len(text)-len(n.lit):]) {
			e.raise(n.id)
		}
	}
	for _, i := range m.shortBegins {
		if n := &e.plan.needles[i]; len(text) >= len(n.lit) && n.same(text[:len(n.lit)]) {
			e.raise(n.id)
		}
	}
	for _, i := range m.singles {
		if n := &e.plan.needles[i]; e.truths[n.id] != e.now<<1|1 && e.holdsNeedle(n, text) {
			e.raise(n.id)
		}
	}
}

// probe checks the needles whose bytes at a fixed place have this hash.
func (e *engine) probe(t *table, key uint64, text []byte) {
	h := key * spread
	at := h >> t.shift
	if t.bits[at>>6]&(1<<(at&63)) == 0 {
		return
	}
	b := t.bucket(at)
	for i := t.from[b]; i < t.from[b+1]; i++ {
		if x := &t.hints[i]; x.check == checkOf(h) {
			e.verifyFixed(&e.plan.needles[x.needle], text)
		}
	}
}

func (e *engine) verifyFixed(n *needle, text []byte) {
	size := len(n.lit)
	if len(text) < size {
		return
	}
	switch n.op {
	case StartsWith:
		text = text[:size]
	case EndsWith:
		text = text[len(text)-size:]
	default:
		if len(text) != size {
			return
		}
	}
	if n.same(text) {
		e.raise(n.id)
	}
}

// scan4 looks at the four bytes at every stride-th place.
func (e *engine) scan4(m *matcher, text []byte) {
	t, shift := m.grams, m.grams.shift
	for at := 0; at+4 <= len(text); at += m.stride {
		h := uint64(binary.LittleEndian.Uint32(text[at:])|blank32) * spread
		if x := h >> shift; t.bits[x>>6]>>(x&63)&1 != 0 {
			e.verify(t, h, text, at)
		}
	}
}

// scan8 looks at the eight bytes at every stride-th place.
func (e *engine) scan8(m *matcher, text []byte) {
	t, shift := m.grams, m.grams.shift
	for at := 0; at+8 <= len(text); at += m.stride {
		h := (binary.LittleEndian.Uint64(text[at:]) | blank64) * spread
		if x := h >> shift; t.bits[x>>6]>>(x&63)&1 != 0 {
			e.verify(t, h, text, at)
		}
	}
}

func (e *engine) scanPairs(t *table, text []byte) {
	for at := 0; at+2 <= len(text); at++ {
		h := uint64(binary.LittleEndian.Uint16(text[at:])|blank16) * spread
		if x := h >> t.shift; t.bits[x>>6]>>(x&63)&1 != 0 {
			e.verify(t, h, text, at)
		}
	}
}

// verify checks the needles of which these bytes are a part, unless they are known to hold.
func (e *engine) verify(t *table, h uint64, text []byte, at int) {
	word := h >> t.shift >> 6
	bit := h >> t.shift & 63
	b := t.rank[word] + uint32(bits.OnesCount64(t.bits[word]&(1<<bit-1))) //nolint:gosec // at most 64
	yes := e.now<<1 | 1
	for i := t.from[b]; i < t.from[b+1]; i++ {
		x := &t.hints[i]
		if x.check != checkOf(h) {
			continue
		}
		n := &e.plan.needles[x.needle]
		begin := at - int(x.back)
		if begin < 0 || begin+len(n.lit) > len(text) || e.truths[n.id] == yes || !n.same(text[begin:begin+len(n.lit)]) {
			continue
		}
		if n.op != Like || likeFolded(n.pattern, text, n.cased) {
			e.raise(n.id)
		}
	}
}

// matchOdd holds the needles that only folding can tell against the value, folded. They have a letter beyond ASCII.
func (e *engine) matchOdd(m *matcher, text []byte) {
	e.folded = watch.Fold(e.folded[:0], text)
	for _, i := range m.odd {
		n := &e.plan.needles[i]
		if holdsFolded(n, e.folded) {
			e.raise(n.id)
		}
	}
}

func holdsFolded(n *needle, text []byte) bool {
	size := len(n.lit)
	switch n.op {
	case Equals:
		return string(text) == n.lit
	case Contains:
		return bytes.Contains(text, view(n.lit))
	case StartsWith:
		return len(text) >= size && string(text[:size]) == n.lit
	case EndsWith:
		return len(text) >= size && string(text[len(text)-size:]) == n.lit
	}
	return likeFolded(n.pattern, text, true)
}

// holdsNeedle looks for one needle in a value.
func (e *engine) holdsNeedle(n *needle, text []byte) bool {
	size := len(n.lit)
	if n.odd {
		if ascii(text) {
			return false
		}
		e.folded = watch.Fold(e.folded[:0], text)
		return holdsFolded(n, e.folded)
	}
	if len(text) < size {
		return false
	}
	switch n.op {
	case Equals:
		return n.same(text)
	case StartsWith:
		return n.same(text[:size])
	case EndsWith:
		return n.same(text[len(text)-size:])
	case Like:
		return n.within(text) && likeFolded(n.pattern, text, n.cased)
	}
	return n.within(text)
}

// within says whether the literal is somewhere in the text, which is as long at least. It goes from one place to the next that
// has the rarest byte of the literal.
func (n *needle) within(text []byte) bool {
	size, c := len(n.lit), n.lit[n.rare]
	other := c
	if !n.cased && 'a' <= c && c <= 'z' {
		other = c - 0x20
	}
	places := text[n.rare : n.rare+len(text)-size+1]
	for at := 0; at < len(places); at++ {
		next := bytes.IndexByte(places[at:], c)
		if other != c {
			before := places[at:]
			if next >= 0 {
				before = before[:next]
			}
			if large := bytes.IndexByte(before, other); large >= 0 {
				next = large
			}
		}
		if next < 0 {
			return false
		}
		if at += next; n.same(text[at : at+size]) {
			return true
		}
	}
	return false
}

func (n *needle) same(text []byte) bool {
	if n.cased {
		return string(text) == n.lit
	}
	return equalFolded(n.lit, text)
}

// equalFolded compares a folded literal with a text of the same size, whose ASCII letters may be large.
func equalFolded(lit string, text []byte) bool {
	if len(lit) != len(text) {
		return false
	}
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if smallWord(binary.LittleEndian.Uint64(text[i:])) != word(lit[i:]) {
			return false
		}
	}
	if i == len(text) {
		return true
	}
	if i > 0 {
		i = len(text) - 8
		return smallWord(binary.LittleEndian.Uint64(text[i:])) == word(lit[i:])
	}
	for ; i < len(text); i++ {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lit[i] {
			return false
		}
	}
	return true
}

// smallWord makes the ASCII letters of eight bytes small.
func smallWord(w uint64) uint64 {
	const high, ones = 0x8080808080808080, 0x0101010101010101
	low := w &^ high
	fromA := low + (0x80-'A')*ones
	beyondZ := low + (0x7F-'Z')*ones
	return w | (fromA&^beyondZ&^w&high)>>2
}

// word is the first eight bytes of the text.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func ascii(text []byte) bool {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if binary.LittleEndian.Uint64(text[i:])&0x8080808080808080 != 0 {
			return false
		}
	}
	for ; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
