package evtx

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// The bounds of what a record and all the records of a chunk may ask for. Windows writes records below 64 kB with some dozen
// elements; what asks for more than this is made to exhaust its reader.
const (
	maxDepth      = 64      // elements, templates and values within each other
	maxNodes      = 1 << 14 // elements, attributes and values of a record
	maxText       = 1 << 20 // bytes of JSON of a record
	maxChunkNodes = 1 << 18
	maxChunkText  = 16 << 20
)

// A chunk holds templates and names, that its records refer to by their place in it.
type chunk struct {
	room  []byte // of the whole chunk; bytes is what there is of it
	bytes []byte
	names map[int][]byte // read already, by place
	nodes []node         // of the record being read
	json  []byte         // of the record being written
	// What is left for the records of this chunk, and how long the JSON of this one may be.
	nodesLeft, textLeft, limit int
}

// A node is an element, an attribute or a value; children are a list through next. The first node is the record itself, so 0
// is no node.
type node struct {
	kind              kind
	name              []byte // element, attribute
	value             value  // piece
	first, last, next int32
	// Of an element while it is written: the next one of its name, whether it is such a one, whether its name is that of data.
	again   int32
	repeats bool
	data    bool
}

type kind uint8

const (
	element kind = iota
	attribute
	piece // of text, or of any other type
)

// A value is bytes of the chunk, and the type that says how to read them.
type value struct {
	of   byte
	data []byte
}

func (c *chunk) reset(b []byte) {
	c.bytes = b
	clear(c.names)
	c.nodesLeft, c.textLeft = maxChunkNodes, maxChunkText
}

// read makes JSON of the binary XML between two places of the chunk.
func (c *chunk) read(from, to int) ([]byte, error) {
	c.nodes = append(c.nodes[:0], node{})
	w := walk{chunk: c, at: from, end: to}
	if err := w.fragment(0, 0); err != nil {
		return nil, err
	}
	c.json = c.json[:0]
	c.limit = min(maxText, c.textLeft)
	err := c.write(0)
	c.textLeft -= len(c.json)
	return c.json, err
}

// A walk goes through one stretch of binary XML: a record, the body of a template, a value that is XML itself.
type walk struct {
	*chunk
	at, end int
	values  []value // what the holes of a template are filled with
	broken  bool    // there was less than was asked for
}

// take is the next n bytes.
func (w *walk) take(n int) []byte {
	if n < 0 || n > w.end-w.at {
		w.broken, w.at = true, w.end
		return nil
	}
	w.at += n
	return w.bytes[w.at-n : w.at]
}

func (w *walk) byte() byte {
	if b := w.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (w *walk) u16() int {
	if b := w.take(2); b != nil {
		return int(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (w *walk) u32() int {
	if b := w.take(4); b != nil {
		return int(binary.LittleEndian.Uint32(b))
	}
	return 0
}

// The tokens of binary XML; 0x40 says that more follow of the same kind.
const (
	tokenEnd = iota
	tokenOpen
	tokenCloseStart
	tokenCloseEmpty
	tokenClose
	tokenValue
	tokenAttribute
	tokenCDATA
	tokenCharacter
	tokenEntity
	tokenInstruction
	tokenInstructionData
	tokenTemplate
	tokenHole
	tokenOptionalHole
	tokenFragment
	tokenMore = 0x40
)

// fragment reads what follows into the node, until the stretch or the fragment ends.
func (w *walk) fragment(into int32, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: nested too deep", ErrTooLarge)
	}
	open := [maxDepth + 1]int32{into} // the elements that are open, the innermost last
	inner := 0
	current := into // the node that values go to: an element, or its attribute
	for w.at < w.end {
		if w.nodesLeft--; w.nodesLeft < 0 {
			return fmt.Errorf("%w: too many elements", ErrTooLarge)
		}
		var err error
		switch token := w.byte(); token &^ tokenMore {
		case tokenEnd:
			return w.done()
		case tokenOpen:
			if inner+1+depth > maxDepth {
				return fmt.Errorf("%w: nested too deep", ErrTooLarge)
			}
			w.take(2 + 4) // a number that only a writer needs, and the element's length
			name := w.name()
			if token&tokenMore != 0 {
				w.take(4) // length of the attributes
			}
			inner++
			current, err = w.add(open[inner-1], node{kind: element, name: name})
			open[inner] = current
		case tokenCloseStart:
			current = open[inner]
		case tokenCloseEmpty, tokenClose:
			if inner == 0 {
				return fmt.Errorf("%w: an element ends that did not begin", ErrDamaged)
			}
			inner--
			current = open[inner]
		case tokenValue:
			of := w.byte()
			_, err = w.add(current, node{kind: piece, value: value{of: of, data: w.take(2 * w.u16())}})
		case tokenAttribute:
			current, err = w.add(open[inner], node{kind: attribute, name: w.name()})
		case tokenCDATA:
			_, err = w.add(current, node{kind: piece, value: value{of: typeString, data: w.take(2 * w.u16())}})
		case tokenCharacter:
			_, err = w.add(current, node{kind: piece, value: value{of: typeString, data: w.take(2)}})
		case tokenEntity:
			_, err = w.add(current, node{kind: piece, value: value{of: typeEntity, data: w.name()}})
		case tokenInstruction:
			w.name()
		case tokenInstructionData:
			w.take(2 * w.u16())
		case tokenTemplate:
			err = w.template(current, depth)
		case tokenHole, tokenOptionalHole:
			number := w.u16()
			w.byte() // the type, which the value knows itself
			if number < len(w.values) {
				err = w.fill(current, w.values[number], depth)
			}
		case tokenFragment:
			w.take(3) // version
		default:
			return fmt.Errorf("%w: token %#x", ErrDamaged, token)
		}
		if err != nil {
			return err
		}
		if w.broken {
			return w.done()
		}
	}
	return w.done()
}

func (w *walk) done() error {
	if w.broken {
		return fmt.Errorf("%w: binary XML: %w", ErrDamaged, ErrCutOff)
	}
	return nil
}

// add hangs a node below another.
func (w *walk) add(parent int32, n node) (int32, error) {
	if len(w.nodes) >= maxNodes {
		return 0, fmt.Errorf("%w: too many elements", ErrTooLarge)
	}
	at := int32(len(w.nodes)) //nolint:gosec // below maxNodes
	w.nodes = append(w.nodes, n)
	p := &w.nodes[parent]
	if p.first == 0 {
		p.first = at
	} else {
		w.nodes[p.last].next = at
	}
	p.last = at
	return at, nil
}

// fill puts a value where a template has a hole.
func (w *walk) fill(into int32, v value, depth int) error {
	switch v.of {
	case typeNull:
		return nil
	case typeXML:
		at := cap(w.bytes) - cap(v.data) // where in the chunk the value stands
		inner := walk{chunk: w.chunk, at: at, end: at + len(v.data)}
		return inner.fragment(into, depth+1)
	}
	_, err := w.add(into, node{kind: piece, value: v})
	return err
}

// template reads the values of a template's instance and writes the template's body with them.
func (w *walk) template(into int32, depth int) error {
	w.byte()
	w.take(4) // number of the template; its place says enough
	place := w.u32()
	if place == w.at && !w.broken { // the definition stands here, where it is needed first
		w.take(4 + 16)
		w.take(w.u32())
	}
	count := w.u32()
	if w.broken || count > (w.end-w.at)/4 {
		return fmt.Errorf("%w: binary XML: %w", ErrDamaged, ErrCutOff)
	}
	described := walk{chunk: w.chunk, at: w.at, end: w.end}
	w.take(4 * count)
	values := make([]value, count)
	for i := range values {
		size := described.u16()
		values[i].of = described.byte()
		described.byte()
		values[i].data = w.take(size)
	}
	if w.broken {
		return w.done()
	}
	body := walk{chunk: w.chunk, at: place, end: len(w.bytes), values: values}
	body.take(4 + 16)
	size := body.u32()
	if body.broken || size > body.end-body.at {
		return fmt.Errorf("%w: no template at %#x", ErrDamaged, place)
	}
	body.end = body.at + size
	return body.fragment(into, depth+1)
}

// name is a name by its place; where it is used first it stands in line.
func (w *walk) name() []byte {
	place := w.u32()
	there := walk{chunk: w.chunk, at: place, end: len(w.bytes)}
	here := place == w.at
	if name, ok := w.names[place]; ok && !here {
		return name
	}
	if place > len(w.bytes) {
		w.broken = true
		return nil
	}
	there.take(4 + 2) // the next name of the same hash, and the hash
	units := there.take(2 * there.u16())
	there.take(2) // a zero
	if there.broken {
		w.broken = true
		return nil
	}
	if here {
		w.take(there.at - place)
	}
	name := appendUTF16(nil, units)
	w.names[place] = name
	return name
}

// appendUTF16 writes UTF-16 as UTF-8; half a pair becomes U+FFFD.
func appendUTF16(to, units []byte) []byte {
	for i := 0; i+1 < len(units); i += 2 {
		r := rune(binary.LittleEndian.Uint16(units[i:]))
		if utf16.IsSurrogate(r) {
			second := rune(utf8.RuneError)
			if i+3 < len(units) {
				second = rune(binary.LittleEndian.Uint16(units[i+2:]))
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				i += 2
			}
		}
		to = utf8.AppendRune(to, r)
	}
	return to
}
