package sigma

import (
	"encoding/binary"
	"math/bits"
)

// A matcher finds which of its needles a value fulfils. Needles that stand at a fixed place are found by a hash of the bytes at
// the end, at the beginning or of both; those that may stand everywhere by four or eight of their bytes that values seldom hold.
// Every hash is made of bytes whose letters lost their case, and is only a hint: the needle itself decides.
type matcher struct {
	least         int    // no shorter value fulfils a needle
	equal         *table // by size, first and last bytes
	ends8, ends4  *table // by the last bytes
	begins8       *table // by the first bytes
	begins4       *table
	shortEnds     []uint32 // needles too short for a hash
	shortBegins   []uint32
	singles       []uint32 // one byte, everywhere
	pairs         *table   // two bytes, of needles of two or three
	grams         *table   // width bytes, of longer ones
	width, stride int
	shortest      int      // no needle of grams is shorter
	odd           []uint32 // needles to hold against the folded value
}

// A table finds hints by hash. bits is so sparse that most of what is not there is not found with one look.
type table struct {
	shift uint8
	bits  []uint64
	rank  []uint32 // how many bits are set before the word
	from  []uint32 // by bit that is set: its hints begin here
	hints []hint
}

type hint struct {
	check  uint32 // more of the hash
	needle uint32
	back   uint32 // how far before these bytes the literal begins
}

// Bytes that lose 0x20 in all of them: letters lose their case, and some signs become others, which the needle tells apart.
const (
	blank16 = 0x2020
	blank32 = 0x20202020
	blank64 = 0x2020202020202020
	spread  = 0x9E3779B97F4A7C15
)

func checkOf(h uint64) uint32 { return uint32(h >> 8) } //nolint:gosec // bits of a hash

func newMatcher(all []needle, mine []uint32, c *common) *matcher {
	m := &matcher{least: len(all[mine[0]].lit)}
	var equal, ends8, ends4, begins8, begins4, pairs tableMaker
	var long []uint32
	for _, i := range mine {
		n := &all[i]
		lit := []byte(n.lit)
		m.least = min(m.least, len(lit))
		switch {
		case n.odd:
			m.least = 0 // a value may grow as it is folded
			m.odd = append(m.odd, i)
		case n.op == Equals:
			equal.add(wholeKey(lit), hint{needle: i})
		case n.op == EndsWith && len(lit) >= 8:
			ends8.add(last8(lit), hint{needle: i})
		case n.op == EndsWith && len(lit) >= 4:
			ends4.add(last4(lit), hint{needle: i})
		case n.op == EndsWith:
			m.shortEnds = append(m.shortEnds, i)
		case n.op == StartsWith && len(lit) >= 8:
			begins8.add(first8(lit), hint{needle: i})
		case n.op == StartsWith && len(lit) >= 4:
			begins4.add(first4(lit), hint{needle: i})
		case n.op == StartsWith:
			m.shortBegins = append(m.shortBegins, i)
		case len(lit) == 1:
			m.singles = append(m.singles, i)
		case len(lit) < 4:
			pairs.add(pairAt(lit, 0), hint{needle: i})
		default:
			long = append(long, i)
		}
	}
	m.equal, m.ends8, m.ends4 = equal.table(), ends8.table(), ends4.table()
	m.begins8, m.begins4, m.pairs = begins8.table(), begins4.table(), pairs.table()
	m.chooseGrams(all, long, c)
	return m
}

// mostGrams bounds how large strides make a table: it should stay in the caches.
const mostGrams = 1 << 15

// chooseGrams decides which bytes of the long needles are looked for. A needle of which stride grams beside each other are in
// the table is found by looking at every stride-th place of a value, so that the shortest needle decides how many are looked at.
func (m *matcher) chooseGrams(all []needle, long []uint32, c *common) {
	if len(long) == 0 {
		return
	}
	m.shortest = len(all[long[0]].lit)
	for _, i := range long {
		m.shortest = min(m.shortest, len(all[i].lit))
	}
	m.width = 4
	if m.shortest >= 16 {
		m.width = 8
	}
	m.stride = max(1, min(m.shortest-m.width+1, mostGrams/len(long), 16))
	var grams tableMaker
	for _, i := range long {
		lit := all[i].lit
		at := m.rarest(lit, c)
		for k := range m.stride {
			grams.add(gramAt([]byte(lit), at+k, m.width), hint{needle: i, back: uint32(at + k)}) //nolint:gosec // a place in a literal
		}
	}
	m.grams = grams.table()
}

// rarest is the place in the literal at which stride grams beside each other are the least common.
func (m *matcher) rarest(lit string, c *common) int {
	best, least := 0, ^uint64(0)
	for at := 0; at+m.stride+m.width-1 <= len(lit); at++ {
		sum := uint64(0)
		for k := range m.stride {
			gram := c.at(lit[at+k:])
			if m.width == 8 {
				gram = min(gram, c.at(lit[at+k+4:]))
			}
			sum += uint64(gram)
		}
		if sum < least {
			best, least = at, sum
		}
	}
	return best
}

func gramAt(text []byte, at, width int) uint64 {
	if width == 8 {
		return binary.LittleEndian.Uint64(text[at:]) | blank64
	}
	return uint64(binary.LittleEndian.Uint32(text[at:]) | blank32)
}

func pairAt(text []byte, at int) uint64 {
	return uint64(binary.LittleEndian.Uint16(text[at:]) | blank16)
}

func first8(text []byte) uint64 { return binary.LittleEndian.Uint64(text) | blank64 }
func last8(text []byte) uint64  { return binary.LittleEndian.Uint64(text[len(text)-8:]) | blank64 }
func first4(text []byte) uint64 { return uint64(binary.LittleEndian.Uint32(text) | blank32) }
func last4(text []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(text[len(text)-4:]) | blank32)
}

// wholeKey is made of the size and the first and last bytes of the text.
func wholeKey(text []byte) uint64 {
	size := uint64(len(text))
	switch {
	case size >= 8:
		return first8(text)*0xD6E8FEB86659FD93 ^ bits.RotateLeft64(last8(text), 31) + size
	case size >= 4:
		return (first4(text)|last4(text)<<32)*0xD6E8FEB86659FD93 ^ size
	case size >= 2:
		return pairAt(text, 0) | uint64(text[size-1]|0x20)<<16 | size<<32
	case size == 1:
		return uint64(text[0]|0x20) | size<<32
	}
	return 0
}

// A tableMaker collects what a table will hold.
type tableMaker struct {
	keys  []uint64
	hints []hint
}

func (t *tableMaker) add(key uint64, e hint) {
	t.keys = append(t.keys, key)
	t.hints = append(t.hints, e)
}

// table is nil where there is nothing to find.
func (t *tableMaker) table() *table {
	if len(t.keys) == 0 {
		return nil
	}
	sparse := 32
	if len(t.keys) > 1<<12 {
		sparse = 16
	}
	size := max(6, bits.Len(uint(len(t.keys)*sparse-1)))
	made := &table{shift: uint8(64 - size), bits: make([]uint64, 1<<(size-6)), hints: make([]hint, len(t.keys))} //nolint:gosec // few bits
	for _, key := range t.keys {
		h := key * spread >> made.shift
		made.bits[h>>6] |= 1 << (h & 63)
	}
	made.rank = make([]uint32, len(made.bits))
	buckets := uint32(0)
	for i, word := range made.bits {
		made.rank[i] = buckets
		buckets += uint32(bits.OnesCount64(word)) //nolint:gosec // at most 64
	}
	// Sorted by counting: how many each bucket has, where it begins, and then each hint to its place.
	made.from = make([]uint32, buckets+1)
	for _, key := range t.keys {
		made.from[made.bucket(key*spread>>made.shift)+1]++
	}
	for i := range buckets {
		made.from[i+1] += made.from[i]
	}
	next := append([]uint32(nil), made.from...)
	for i, key := range t.keys {
		e := t.hints[i]
		e.check = checkOf(key * spread)
		b := made.bucket(key * spread >> made.shift)
		made.hints[next[b]] = e
		next[b]++
	}
	return made
}

// bucket is which of the set bits this one is.
func (t *table) bucket(h uint64) uint32 {
	word := h >> 6
	return t.rank[word] + uint32(bits.OnesCount64(t.bits[word]&(1<<(h&63)-1))) //nolint:gosec // at most 64
}
