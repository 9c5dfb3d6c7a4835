package indicators

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"github.com/gaissmai/bart"

	"wardwatch/ward"
)

// A generation is a set of statements that does not change: a filter in front of an exact table. It holds no pointer for each
// statement, so that the collector has nothing to walk through.
type generation struct {
	filter  filter
	shift   uint // a hash's bits above it number the shard
	shards  []shard
	values  arena
	origins []origin
	nets    *bart.Lite // whether any network holds an address
	near    []uint64   // a bit for each 4096 addresses of IPv4: whether a network touches them
	lengths [2][129]bool
	kinds   kinds // those of which there is one
	n       int   // statements, withdrawals too
}

// A shard is the statements whose hashes begin alike: small enough to be sorted in a processor's cache.
type shard struct {
	first   []uint32 // where the entries of a bucket begin, by the next bits of the hash; one more for the end
	shift   uint
	entries []entry
}

// An entry is one statement in 32 bytes.
type entry struct {
	print       uint32 // the low half of the hash
	origin      uint32
	place       uint64 // of the value: 40 bits where, 12 bits how long, 4 bits kind, 8 bits marks
	from, until int64  // microseconds since 1970
}

const (
	lengthBits, kindBits, markBits = 12, 4, 8
	longestValue                   = 1<<lengthBits - 1
)

// marks say what does not follow from a statement's value.
const (
	withdrawn uint64 = 1 << iota // the live generation says that the sealed one's statement counts no more
	alone                        // a domain that matches itself and nothing below it
)

func (e *entry) kind() kind           { return kind(e.place >> markBits & (1<<kindBits - 1)) }
func (e *entry) marked(m uint64) bool { return e.place&m != 0 }

// An origin is what many statements have in common.
type origin struct {
	source string
	grade  ward.SourceGrade
	tlp    ward.TLP
}

// arena keeps values one after the other, none across the end of a chunk.
type arena struct{ chunks [][]byte }

const chunkBits = 20

func (a *arena) add(value []byte) (place uint64) {
	last := len(a.chunks) - 1
	if last < 0 || len(a.chunks[last])+len(value) > 1<<chunkBits {
		room := 1 << chunkBits
		if last < 0 { // a small generation has one, which grows
			room = len(value)
		}
		a.chunks = append(a.chunks, make([]byte, 0, room))
		last++
	}
	at := len(a.chunks[last])
	a.chunks[last] = append(a.chunks[last], value...)
	return uint64(last)<<chunkBits | uint64(at)
}

// value is the key that the entry keeps.
func (g *generation) value(e *entry) []byte {
	length := e.place >> (kindBits + markBits) & (1<<lengthBits - 1)
	at := e.place >> (lengthBits + kindBits + markBits)
	low := at & (1<<chunkBits - 1)
	return g.values.chunks[at>>chunkBits][low : low+length : low+length]
}

// may says whether something has the hash: nearly never yes for one that nothing has.
func (g *generation) may(h uint64) bool {
	bucket := g.bucket(h)
	for i := range bucket {
		if bucket[i].print == low(h) {
			return true
		}
	}
	return false
}

// bucket are the entries among which those with the hash are. It is empty for nearly every hash that nothing has.
func (g *generation) bucket(h uint64) []entry {
	if !g.filter.may(h) {
		return nil
	}
	s := &g.shards[h>>g.shift]
	if len(s.entries) == 0 {
		return nil
	}
	b := h << (64 - g.shift) >> s.shift
	return s.entries[s.first[b]:s.first[b+1]]
}

// is says whether the entry is about this key.
func (g *generation) is(e *entry, h uint64, k kind, key []byte) bool {
	return e.print == low(h) && e.kind() == k && bytes.Equal(g.value(e), key)
}

// low is the half of a hash that the place of an entry does not follow from.
func low(h uint64) uint32 { return uint32(h & math.MaxUint32) }

// covers says whether a network may hold the address.
func (g *generation) covers(ip []byte) bool {
	if !g.kinds.has(1 << network) {
		return false
	}
	if len(ip) == 4 {
		if at := nearness(ip); len(g.near) == 0 || g.near[at/64]>>(at%64)&1 == 0 {
			return false
		}
		return g.nets.Lookup(netip.AddrFrom4([4]byte(ip)))
	}
	return g.nets.Lookup(netip.AddrFrom16([16]byte(ip)))
}

// nearBits is how many bits of an address number its bit in near: all of it stays in a processor's second cache.
const nearBits = 20

func nearness(ip []byte) uint32 { return binary.BigEndian.Uint32(ip) >> (32 - nearBits) }

// insert adds a network.
func (g *generation) insert(ip []byte, count int) {
	a, _ := netip.AddrFromSlice(ip)
	g.nets.Insert(netip.PrefixFrom(a, count))
	g.lengths[len(ip)/16][count] = true
	if len(ip) != 4 {
		return
	}
	if g.near == nil {
		g.near = make([]uint64, 1<<nearBits/64)
	}
	first := nearness(ip)
	for at := range uint32(1) << max(0, nearBits-count) {
		g.near[(first+at)/64] |= 1 << ((first + at) % 64)
	}
}

// indicator is the statement in words.
func (g *generation) indicator(e *entry) ward.Indicator {
	o := g.origins[e.origin]
	return ward.Indicator{
		Kind: words[e.kind()], Value: e.kind().text(g.value(e)), From: moment(e.from), Until: moment(e.until),
		Source: o.source, Grade: o.grade, TLP: o.tlp,
	}
}

const (
	ever  = math.MinInt64
	never = math.MaxInt64
)

func moment(micros int64) time.Time {
	if micros == ever || micros == never {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// bytes is the memory that the generation keeps, but for its networks.
func (g *generation) bytes() int {
	n := 8 * (len(g.filter) + len(g.near))
	for _, c := range g.values.chunks {
		n += cap(c)
	}
	for i := range g.shards {
		s := &g.shards[i]
		n += int(unsafe.Sizeof(*s)) + 4*len(s.first) + int(unsafe.Sizeof(entry{}))*len(s.entries)
	}
	return n
}

// A builder takes statements in any order and makes a generation of them. Of what the same source says of the same value,
// the last counts.
type builder struct {
	g       generation
	loose   [][]looseEntry // by shard
	numbers map[origin]uint32
}

type looseEntry struct {
	hash uint64
	entry
}

// shardSize is how many statements a shard is meant for.
const shardSize = 1 << 15

// newBuilder expects about as many statements; of a wrong number only the shards' sizes suffer.
func newBuilder(expect int) *builder {
	shardBits := min(bits.Len(uint(max(0, expect)/shardSize)), 10)
	b := &builder{loose: make([][]looseEntry, 1<<shardBits), numbers: map[origin]uint32{}}
	b.g.shift, b.g.nets = uint(64-shardBits), new(bart.Lite)
	return b
}

// errFull is said when values want more room than an entry can point into.
var errFull = errors.New("more than a terabyte of indicators")

func (b *builder) origin(o origin) uint32 {
	n, known := b.numbers[o]
	if !known {
		n = uint32(len(b.g.origins))
		b.numbers[o] = n
		b.g.origins = append(b.g.origins, o)
	}
	return n
}

func (b *builder) add(k kind, key []byte, o origin, from, until int64, marks uint64) error {
	if err := b.put(k, key, b.origin(o), from, until, marks); err != nil {
		return err
	}
	b.g.kinds |= 1 << k
	switch k {
	case network:
		ip, count := key[:len(key)-1], key[len(key)-1]
		b.g.insert(ip, int(count))
	case prefix:
		host := key[:hostEnd(key)]
		return b.put(reach, host, uint32(len(key)), ever, never, 0)
	}
	return nil
}

func (b *builder) put(k kind, key []byte, number uint32, from, until int64, marks uint64) error {
	place := b.g.values.add(key)
	if place >= 1<<(64-lengthBits-kindBits-markBits) {
		return errFull
	}
	h := hash(k, key)
	s := &b.loose[h>>b.g.shift]
	*s = append(*s, looseEntry{h, entry{
		print: low(h), origin: number, from: from, until: until,
		place: place<<(lengthBits+kindBits+markBits) | uint64(len(key))<<(kindBits+markBits) | uint64(k)<<markBits | marks,
	}})
	return nil
}

// seal makes the generation; the builder is done with.
func (b *builder) seal() *generation {
	g := &b.g
	n := 0
	for i := range b.loose {
		n += len(b.loose[i])
	}
	g.filter, g.shards = newFilter(n), make([]shard, len(b.loose))
	for i := range b.loose {
		s := &g.shards[i]
		for _, e := range b.loose[i] {
			g.filter.add(e.hash)
		}
		b.sort(s, b.loose[i])
		b.loose[i] = nil
		for j := range s.entries {
			if s.entries[j].kind() != reach {
				g.n++
			}
		}
	}
	return g
}

// sort puts a shard's entries into buckets, one for about each entry, in the order in which they came.
func (b *builder) sort(s *shard, loose []looseEntry) {
	bucketBits := uint(bits.Len(uint(len(loose))))
	s.shift = 64 - bucketBits
	s.first = make([]uint32, 1<<bucketBits+1)
	bucket := func(h uint64) uint64 { return h << (64 - b.g.shift) >> s.shift }
	for i := range loose {
		s.first[bucket(loose[i].hash)+1]++
	}
	for i := 1; i < len(s.first); i++ {
		s.first[i] += s.first[i-1]
	}
	s.entries = make([]entry, len(loose))
	next := slices.Clone(s.first)
	for i := range loose {
		at := &next[bucket(loose[i].hash)]
		s.entries[*at] = loose[i].entry
		*at++
	}
	b.forget(s)
}

// forget takes out of each bucket what the same source said again later.
func (b *builder) forget(s *shard) {
	kept := uint32(0)
	for i := range len(s.first) - 1 {
		from, to := s.first[i], s.first[i+1]
		s.first[i] = kept
		bucket := b.last(s.entries[from:to])
		kept += uint32(copy(s.entries[kept:], bucket))
	}
	s.first[len(s.first)-1] = kept
	if int(kept) < len(s.entries) {
		s.entries = slices.Clone(s.entries[:kept])
	}
}

// last keeps of each statement the last in the bucket, in place.
func (b *builder) last(bucket []entry) []entry {
	if len(bucket) < 2 {
		return bucket
	}
	if len(bucket) > 16 { // one value that very many speak of, or one feed that says it again and again
		return b.lastOfMany(bucket)
	}
	kept := len(bucket)
	for i := len(bucket) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(bucket[kept:], func(later entry) bool { return b.restates(&later, &bucket[i]) }) {
			kept--
			bucket[kept] = bucket[i]
		}
	}
	return bucket[kept:]
}

func (b *builder) lastOfMany(bucket []entry) []entry {
	type statement struct {
		kind          kind
		value, source string
		length        uint32
	}
	seen := make(map[statement]bool, len(bucket))
	kept := len(bucket)
	for i := len(bucket) - 1; i >= 0; i-- {
		e := bucket[i]
		st := statement{kind: e.kind(), value: string(b.g.value(&e))}
		if st.kind == reach {
			st.length = e.origin
		} else {
			st.source = b.g.origins[e.origin].source
		}
		if !seen[st] {
			seen[st] = true
			kept--
			bucket[kept] = e
		}
	}
	return bucket[kept:]
}

// restates says whether two entries are one source's words about one value.
func (b *builder) restates(x, y *entry) bool {
	if x.print != y.print || x.kind() != y.kind() || !bytes.Equal(b.g.value(x), b.g.value(y)) {
		return false
	}
	if x.kind() == reach {
		return x.origin == y.origin
	}
	return b.g.origins[x.origin].source == b.g.origins[y.origin].source
}

// hostEnd is where the host of a URL's key ends, its port with it.
func hostEnd(key []byte) int {
	start := 0
	if i := bytes.Index(key, schemeEnd); i >= 0 && isScheme(key[:i]) {
		start = i + len(schemeEnd)
	}
	if i := bytes.IndexByte(key[start:], '/'); i >= 0 {
		return start + i
	}
	return len(key)
}
