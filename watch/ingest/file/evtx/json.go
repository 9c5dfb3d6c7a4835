package evtx

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// The types of values.
const (
	typeNull     = 0x00
	typeString   = 0x01 // UTF-16
	typeANSI     = 0x02
	typeInt8     = 0x03
	typeUint8    = 0x04
	typeInt16    = 0x05
	typeUint16   = 0x06
	typeInt32    = 0x07
	typeUint32   = 0x08
	typeInt64    = 0x09
	typeUint64   = 0x0a
	typeFloat32  = 0x0b
	typeFloat64  = 0x0c
	typeBool     = 0x0d
	typeBinary   = 0x0e
	typeGUID     = 0x0f
	typeSize     = 0x10
	typeFiletime = 0x11
	typeSystime  = 0x12
	typeSID      = 0x13
	typeHex32    = 0x14
	typeHex64    = 0x15
	typeXML      = 0x21
	typeArray    = 0x80 // of any of the above
	typeEntity   = 0xff // ours: the name of an XML entity
)

// write appends the children of a node as JSON: attributes under "#attributes", text alone as itself and beside others under
// "#text", <Data Name="X"> as X; elements of one name become a list under it.
func (c *chunk) write(of int32) error {
	if len(c.json) > c.limit {
		return fmt.Errorf("%w: too much text", ErrTooLarge)
	}
	attributes, elements, pieces := 0, 0, 0
	for n := c.nodes[of].first; n != 0; n = c.nodes[n].next {
		switch c.nodes[n].kind {
		case attribute:
			if !c.empty(n) {
				attributes++
			}
		case element:
			elements++
		case piece:
			pieces++
		}
	}
	if attributes == 0 && elements == 0 {
		return c.text(of, pieces)
	}
	c.json = append(c.json, '{')
	if attributes > 0 {
		c.key([]byte("#attributes"))
		c.json = append(c.json, '{')
		for n := c.nodes[of].first; n != 0; n = c.nodes[n].next {
			if c.nodes[n].kind == attribute && !c.empty(n) {
				c.key(c.nodes[n].name)
				if err := c.write(n); err != nil {
					return err
				}
			}
		}
		c.json = append(c.json, '}')
	}
	if pieces > 0 {
		c.key([]byte("#text"))
		if err := c.text(of, pieces); err != nil {
			return err
		}
	}
	if elements > 0 {
		if err := c.elements(of); err != nil {
			return err
		}
	}
	c.json = append(c.json, '}')
	return nil
}

// empty says of an attribute that it has no value, as one has that a template leaves open.
func (c *chunk) empty(n int32) bool { return c.nodes[n].first == 0 }

// elements writes the elements of a node, those of one name together at the place of the first.
func (c *chunk) elements(of int32) error {
	c.gather(of)
	for n := c.nodes[of].first; n != 0; n = c.nodes[n].next {
		if c.nodes[n].kind != element || c.nodes[n].repeats {
			continue
		}
		c.key(c.nodes[n].name)
		list := c.nodes[n].again != 0
		if list {
			c.json = append(c.json, '[')
		}
		for m := n; m != 0; m = c.nodes[m].again {
			if m != n {
				c.json = append(c.json, ',')
			}
			if err := c.content(m); err != nil {
				return err
			}
		}
		if list {
			c.json = append(c.json, ']')
		}
	}
	return nil
}

// gather gives the elements of a node the names that they have in JSON, and links those of one name.
func (c *chunk) gather(of int32) {
	lastOf := map[string]int32{}
	for n := c.nodes[of].first; n != 0; n = c.nodes[n].next {
		if c.nodes[n].kind != element {
			continue
		}
		c.nodes[n].name, c.nodes[n].data = c.called(n)
		if before, ok := lastOf[string(c.nodes[n].name)]; ok {
			c.nodes[before].again, c.nodes[n].repeats = n, true
		}
		lastOf[string(c.nodes[n].name)] = n
	}
}

// called is what an element is called in JSON, and whether it is named data: <Data Name="X"> is called X.
func (c *chunk) called(n int32) (name []byte, data bool) {
	if string(c.nodes[n].name) != "Data" {
		return c.nodes[n].name, false
	}
	for m := c.nodes[n].first; m != 0; m = c.nodes[m].next {
		if c.nodes[m].kind != attribute || string(c.nodes[m].name) != "Name" {
			continue
		}
		if p := c.nodes[m].first; p != 0 && c.nodes[p].next == 0 && c.nodes[p].value.of == typeString {
			if name := appendUTF16(nil, c.nodes[p].value.data); len(name) > 0 {
				return name, true
			}
		}
	}
	return c.nodes[n].name, false
}

// content writes what an element holds; of named data only the text, because its attribute is the name.
func (c *chunk) content(n int32) error {
	if !c.nodes[n].data {
		return c.write(n)
	}
	pieces := 0
	for m := c.nodes[n].first; m != 0; m = c.nodes[m].next {
		if c.nodes[m].kind == piece {
			pieces++
		}
	}
	return c.text(n, pieces)
}

// text writes the pieces of a node: one as what it is, several as one text.
func (c *chunk) text(of int32, pieces int) error {
	if pieces == 0 {
		c.json = append(c.json, "null"...)
		return nil
	}
	if pieces > 1 {
		c.json = append(c.json, '"')
	}
	for n := c.nodes[of].first; n != 0; n = c.nodes[n].next {
		if c.nodes[n].kind != piece {
			continue
		}
		c.value(c.nodes[n].value, pieces == 1)
		if len(c.json) > c.limit {
			return fmt.Errorf("%w: too much text", ErrTooLarge)
		}
	}
	if pieces > 1 {
		c.json = append(c.json, '"')
	}
	return nil
}

// value writes one value; alone, it is JSON of its own, otherwise a part of a text.
func (c *chunk) value(v value, alone bool) {
	quote := func() {
		if alone {
			c.json = append(c.json, '"')
		}
	}
	d := v.data
	if v.of&typeArray != 0 && v.of != typeEntity {
		c.list(v, alone)
		return
	}
	if need := width(v.of); len(d) < need {
		d = append(make([]byte, 0, need), d...)[:need] // a value that is shorter than its type
	}
	var number [8]byte
	copy(number[:], d)
	unsigned := binary.LittleEndian.Uint64(number[:])
	switch v.of {
	case typeString:
		quote()
		c.utf16(d)
		quote()
	case typeANSI, typeEntity:
		quote()
		c.utf8(v)
		quote()
	case typeInt8:
		c.json = strconv.AppendInt(c.json, int64(int8(unsigned)), 10) //nolint:gosec // the bits are meant
	case typeInt16:
		c.json = strconv.AppendInt(c.json, int64(int16(unsigned)), 10) //nolint:gosec // the bits are meant
	case typeInt32:
		c.json = strconv.AppendInt(c.json, int64(int32(unsigned)), 10) //nolint:gosec // the bits are meant
	case typeInt64:
		c.json = strconv.AppendInt(c.json, int64(unsigned), 10) //nolint:gosec // the bits are meant
	case typeUint8, typeUint16, typeUint32, typeUint64:
		c.json = strconv.AppendUint(c.json, unsigned, 10)
	case typeFloat32:
		c.float(float64(math.Float32frombits(uint32(unsigned))), 32, alone) //nolint:gosec // four bytes
	case typeFloat64:
		c.float(math.Float64frombits(unsigned), 64, alone)
	case typeBool:
		c.json = strconv.AppendBool(c.json, unsigned != 0)
	case typeGUID:
		quote()
		c.json = fmt.Appendf(c.json, "%08X-%04X-%04X-%X-%X", unsigned&0xffffffff,
			binary.LittleEndian.Uint16(d[4:]), binary.LittleEndian.Uint16(d[6:]), d[8:10], d[10:16])
		quote()
	case typeFiletime:
		quote()
		c.time(filetime(unsigned))
		quote()
	case typeSystime:
		quote()
		part := func(i int) int { return int(binary.LittleEndian.Uint16(d[2*i:])) }
		c.time(time.Date(part(0), time.Month(part(1)), part(3), part(4), part(5), part(6), part(7)*1e6, time.UTC))
		quote()
	case typeSID:
		quote()
		c.sid(d)
		quote()
	case typeHex32, typeHex64, typeSize:
		quote()
		c.json = strconv.AppendUint(append(c.json, "0x"...), unsigned, 16)
		quote()
	default: // binary, and types that nobody has described
		quote()
		start := len(c.json)
		c.json = hex.AppendEncode(c.json, d)
		copy(c.json[start:], bytes.ToUpper(c.json[start:]))
		quote()
	}
}

// width is how many bytes a type has at least.
func width(of byte) int {
	switch of {
	case typeGUID, typeSystime:
		return 16
	case typeSID:
		return 8
	}
	return 0
}

// list writes an array of values: strings end with a zero each, others have one width.
func (c *chunk) list(v value, alone bool) {
	of, rest := v.of&^typeArray, v.data
	if alone {
		c.json = append(c.json, '[')
	}
	size := map[byte]int{
		typeInt8: 1, typeUint8: 1, typeInt16: 2, typeUint16: 2, typeInt32: 4, typeUint32: 4, typeInt64: 8, typeUint64: 8,
		typeFloat32: 4, typeFloat64: 8, typeBool: 4, typeGUID: 16, typeFiletime: 8, typeSystime: 16, typeHex32: 4, typeHex64: 8,
	}[of]
	for first := true; len(rest) > 0 && len(c.json) <= c.limit; first = false {
		one := rest
		switch {
		case of == typeString:
			end := 0
			for end+1 < len(rest) && (rest[end] != 0 || rest[end+1] != 0) {
				end += 2
			}
			one, rest = rest[:min(end, len(rest))], rest[min(end+2, len(rest)):]
		case of == typeANSI:
			one, rest, _ = bytes.Cut(rest, []byte{0})
		case size > 0:
			one, rest = rest[:min(size, len(rest))], rest[min(size, len(rest)):]
		default:
			rest = nil
		}
		if !first {
			c.json = append(c.json, ',')
		}
		c.value(value{of: of, data: one}, alone)
	}
	if alone {
		c.json = append(c.json, ']')
	}
}

// key begins the next member of an object.
func (c *chunk) key(name []byte) {
	if c.json[len(c.json)-1] != '{' {
		c.json = append(c.json, ',')
	}
	c.json = append(c.json, '"')
	for _, r := range string(name) {
		c.rune(r)
	}
	c.json = append(c.json, '"', ':')
}

// utf16 writes UTF-16 within a JSON string, without the zeros and blanks at its end: the readers whose JSON the community's
// rules are written and tested against leave them out, and a rule that ends with a quotation mark depends on it.
func (c *chunk) utf16(d []byte) {
	d = d[:len(d)&^1]
	for len(d) >= 2 && d[len(d)-1] == 0 && bytes.IndexByte([]byte("\x00 \t\r\n"), d[len(d)-2]) >= 0 {
		d = d[:len(d)-2]
	}
	for i := 0; i+1 < len(d); i += 2 {
		if r := binary.LittleEndian.Uint16(d[i:]); r < utf8.RuneSelf {
			c.rune(rune(r))
			continue
		}
		end := i + 2
		if d[i+1]&0xfc == 0xd8 { // the first half of a pair
			end = min(end+2, len(d))
		}
		before := len(c.json)
		if c.json = appendUTF16(c.json, d[i:end]); end-i == 4 && c.json[before] >= 0xf0 {
			i += 2
		} else if end-i == 4 {
			c.json = append(c.json[:before], "\ufffd"...)
		}
	}
}

// utf8 writes bytes of a code page that nobody names, or the name of an entity.
func (c *chunk) utf8(v value) {
	if v.of == typeEntity {
		if r, ok := map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}[string(v.data)]; ok {
			c.rune(r)
			return
		}
	}
	for _, r := range string(bytes.TrimRight(v.data, "\x00")) {
		c.rune(r)
	}
}

// rune writes one character within a JSON string.
func (c *chunk) rune(r rune) {
	switch {
	case r == '"' || r == '\\':
		c.json = append(c.json, '\\', byte(r)) //nolint:gosec // ASCII
	case r == '\n':
		c.json = append(c.json, `\n`...)
	case r == '\r':
		c.json = append(c.json, `\r`...)
	case r == '\t':
		c.json = append(c.json, `\t`...)
	case r < ' ':
		c.json = fmt.Appendf(c.json, `\u%04x`, r)
	default:
		c.json = utf8.AppendRune(c.json, r)
	}
}

func (c *chunk) float(f float64, bits int, alone bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		if alone {
			c.json = strconv.AppendQuote(c.json, strconv.FormatFloat(f, 'g', -1, bits))
		} else {
			c.json = strconv.AppendFloat(c.json, f, 'g', -1, bits)
		}
		return
	}
	c.json = strconv.AppendFloat(c.json, f, 'g', -1, bits)
}

// time writes a time with the hundreds of nanoseconds that Windows counts in.
func (c *chunk) time(t time.Time) {
	c.json = t.AppendFormat(c.json, "2006-01-02T15:04:05.0000000Z")
}

// filetime is a time from its hundreds of nanoseconds since 1601.
func filetime(ticks uint64) time.Time {
	const since1970 = 11644473600                                            // seconds between 1601 and 1970
	return time.Unix(int64(ticks/1e7)-since1970, int64(ticks%1e7)*100).UTC() //nolint:gosec // at most 1.8e12 seconds
}

// sid writes a security identifier: S-1-5-18.
func (c *chunk) sid(d []byte) {
	var authority uint64
	for _, b := range d[2:8] {
		authority = authority<<8 | uint64(b)
	}
	c.json = fmt.Appendf(c.json, "S-%d-%d", d[0], authority)
	for d = d[8:]; len(d) >= 4; d = d[4:] {
		c.json = strconv.AppendUint(append(c.json, '-'), uint64(binary.LittleEndian.Uint32(d)), 10)
	}
}
