package watch

import "strings"

// Field is the number of a field's name in one Names. Numbers begin at 1; 0 is no field.
type Field uint32

// Names numbers the field names that somebody asks for (the rules of one set, the columns of a hunt), so that a reader can
// stamp each value once and everybody after it compares numbers. Names are the same when they differ only in the case of
// ASCII letters or in blanks: Defender's exports write "Initiating Process File Name" for InitiatingProcessFileName. A Names
// does not change once it is made, and may be read by many at a time.
type Names struct {
	names []string
	slots []Field // open addressing; a power of two long, at most half full
}

// NewNames numbers the given names in their order; what was given before keeps its first number.
func NewNames(names ...string) *Names {
	size := 16
	for size < 2*len(names) {
		size *= 2
	}
	n := &Names{names: []string{""}, slots: make([]Field, size)}
	for _, name := range names {
		slot := n.slot([]byte(name))
		if n.slots[slot] == 0 {
			n.slots[slot] = Field(len(n.names)) //nolint:gosec // a set of rules has some thousand names
			n.names = append(n.names, strings.Clone(name))
		}
	}
	return n
}

// Len is how many names there are; the highest Field is Len.
func (n *Names) Len() int { return len(n.names) - 1 }

// Name is the name as it was first given.
func (n *Names) Name(f Field) string { return n.names[f] }

// Find is the number of the name, or 0.
func (n *Names) Find(name []byte) Field { return n.slots[n.slot(name)] }

// slot is where the name stands, or the free place where it would.
func (n *Names) slot(name []byte) int {
	mask := len(n.slots) - 1
	for at := int(hashName(name)) & mask; ; at = (at + 1) & mask {
		if f := n.slots[at]; f == 0 || SameName(n.names[f], name) {
			return at
		}
	}
}

// hashName is FNV-1a over the name without its blanks and with its ASCII letters small.
func hashName(name []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range name {
		if c != ' ' {
			h = (h ^ uint32(small(c))) * 16777619
		}
	}
	return h ^ h>>15
}

// SameName says whether two field names are the same but for the case of ASCII letters and blanks.
func SameName(a string, b []byte) bool {
	i, j := 0, 0
	for {
		for i < len(a) && a[i] == ' ' {
			i++
		}
		for j < len(b) && b[j] == ' ' {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if small(a[i]) != small(b[j]) {
			return false
		}
		i++
		j++
	}
}

func small(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
