package watch

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// A path is one name that a member of an event can have, with everything that is known of it: learnt when it is first seen,
// and from then on found by the bytes of its key.
type path struct {
	up    *path
	key   string // as it stands between the quotes, still escaped
	name  []byte // as the log's table calls it
	whole string // all keys from the event's beginning, joined by dots
	field Field
	mark  mark
	// also is a second name that the value is known by: what Azure puts below properties is asked for with and without it.
	also     Field
	alsoName []byte
	pair     bool // an object here is a name and a text (see Decoder.pair)
	// inner is the member that an object here began with the last time, next the one that followed this.
	inner, next *path
}

// The bounds of what a Decoder learns. Senders that use values as keys can make any number of names; they are forgotten
// together when there are too many, and those too long to be asked for are never learnt.
const (
	maxPaths    = 1 << 14
	maxPathName = 1 << 10
	maxSpare    = 1 << 12 // names of one record that are made although there is no place for them
)

// paths are the names that a Decoder has learnt.
type paths struct {
	root  path
	slots []*path // open addressing, a power of two, at most half full
	count int
	spare int
}

func (s *paths) reset() {
	s.root, s.slots, s.count, s.spare = path{}, make([]*path, 1<<10), 0, 0
}

// trim forgets all names when there are too many. Nobody may hold a path then.
func (s *paths) trim() {
	if s.spare = 0; s.count >= maxPaths {
		s.reset()
	}
}

// find is the path of the key in an object of up.
func (s *paths) find(d *Decoder, up *path, key []byte) *path {
	mask := len(s.slots) - 1
	at := hashKey(up, key) & mask
	for {
		p := s.slots[at]
		if p == nil {
			break
		}
		if p.up == up && p.key == string(key) {
			return p
		}
		at = (at + 1) & mask
	}
	p := d.learn(up, key)
	if s.count >= maxPaths || len(up.whole)+len(key) > maxPathName {
		s.spare++
		return p
	}
	s.slots[at] = p
	if s.count++; 2*s.count > len(s.slots) {
		s.grow()
	}
	return p
}

func (s *paths) grow() {
	old := s.slots
	s.slots = make([]*path, 2*len(old))
	for _, p := range old {
		if p == nil {
			continue
		}
		at := hashKey(p.up, []byte(p.key)) & (len(s.slots) - 1)
		for s.slots[at] != nil {
			at = (at + 1) & (len(s.slots) - 1)
		}
		s.slots[at] = p
	}
}

// hashKey mixes the length and both ends of a key, and the length of where it stands: keys of logs differ there.
func hashKey(up *path, key []byte) int {
	h := uint64(len(key)) + uint64(len(up.whole))<<8
	if n := len(key); n >= 8 {
		h ^= binary.LittleEndian.Uint64(key) ^ binary.LittleEndian.Uint64(key[n-8:])*0x9E3779B97F4A7C15
	} else {
		for _, c := range key {
			h = h<<8 ^ h>>56 ^ uint64(c)
		}
	}
	h *= 0x9E3779B97F4A7C15
	return int(h >> 32) //nolint:gosec // 32 bits
}

// learn works out what a key means. A name that is too long is nobody's, and where a record has too many new ones they are
// called by their last key alone, so that what a record takes is bounded by its bytes.
func (d *Decoder) learn(up *path, key []byte) *path {
	p := &path{up: up, key: string(key)}
	plain := plainKey(p.key)
	if len(up.whole)+len(plain) > maxPathName {
		p.whole, p.name = up.whole, []byte(plain)
		return p
	}
	p.whole = plain
	if up.up != nil {
		p.whole = up.whole + "." + plain
	}
	name := tableName(p.whole)
	p.name = []byte(name)
	p.mark = findMark(p.name)
	if name == pairName || name == pairText {
		return p
	}
	p.field = d.names.Find(p.name)
	p.pair = isPair(p.whole, name)
	if other := otherName(name); other != "" {
		p.alsoName = []byte(other)
		if p.also = d.names.Find(p.alsoName); p.mark == 0 {
			p.mark = findMark(p.alsoName)
		}
	}
	if d.paths.spare > maxSpare {
		p.name = []byte(plain)
	}
	return p
}

// plainKey is the key unescaped.
func plainKey(key string) string {
	if strings.IndexByte(key, '\\') < 0 {
		return key
	}
	d := Decoder{scratch: make([]byte, len(key)+64)}
	quoted := append([]byte(key), '"')
	text, _, err := d.unescape(quoted, 0, bytes.IndexByte(quoted, '\\'))
	if err != nil {
		return key
	}
	return string(text)
}
