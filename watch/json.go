package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// What can be wrong with one event. The events beside it are not touched: NextJSON goes on behind it.
var (
	ErrTruncated = errors.New("the event ends before it is complete")
	ErrNotObject = errors.New("an event is a JSON object")
	ErrDeep      = fmt.Errorf("nested deeper than %d", maxDepth)
)

// maxDepth is how deep an event may be nested. What senders write is below 30; a stack is not theirs to fill.
const maxDepth = 500

// keepScratch is how many bytes of room a Decoder keeps from one record to the next.
const keepScratch = 4 << 20

// A Decoder makes records of bytes. It walks an event once, from left to right, and writes down each scalar as it finds it;
// what it must unescape goes to room of its own, which the next record takes over. Nothing is allocated once it has seen
// the names of a log. One Decoder is used by one goroutine at a time.
//
// It is kinder than the standard to what broken senders write: bytes that are not UTF-8 are kept, a control character in a
// string and a backslash before a letter that is no escape are kept as they are. What it cannot know is an error.
type Decoder struct {
	names     *Names
	paths     paths
	tables    tables
	scratch   []byte // its length is its capacity; used is how much belongs to the record
	used      int
	marked    []marked
	first     []int32 // by mark: 1 + the place of its first value
	signs     signs
	dataField Field // of a Windows Data element without a name
	channels  [16]channelSeen
	depth     int
	head      []Value     // of a syslog message, while its text is tried as JSON
	lines     *lineTables // of text; nil before its first line
}

// marked is a value whose name a table of the logs knows.
type marked struct {
	mark  mark
	value int32
}

// NewDecoder makes a decoder that numbers fields by names.
func NewDecoder(names *Names) *Decoder {
	d := &Decoder{names: names, scratch: make([]byte, 16<<10), first: make([]int32, knownNames.Len()+1)}
	d.dataField = names.Find([]byte("Data"))
	d.paths.reset()
	d.tables = newTables(names)
	return d
}

// JSON makes a record of the first event in text, and gives back what follows it. Events may stand in any sequence: a line
// each, pretty-printed, or as the elements of arrays. It returns io.EOF where there is none. After any other error rest is
// where the next event can begin.
func (d *Decoder) JSON(text []byte, r *Record) (rest []byte, err error) {
	d.begin(r)
	at := between(text)
	if at == len(text) {
		return nil, io.EOF
	}
	end := at
	if text[at] == '{' {
		end, err = d.object(text, at, &d.paths.root, r)
	} else {
		err = ErrNotObject
	}
	if err != nil {
		r.Values = r.Values[:0]
		r.Raw, rest = resume(text, at)
		return rest, fmt.Errorf("watch: event of %d bytes: %w", len(r.Raw), err)
	}
	r.Raw = text[at:end:end]
	d.finish(r)
	return text[end:], nil
}

// begin makes room for a record.
func (d *Decoder) begin(r *Record) {
	r.Reset()
	for _, m := range d.marked {
		d.first[m.mark] = 0
	}
	d.marked, d.signs, d.used, d.depth = d.marked[:0], signs{}, 0, 0
	if len(d.scratch) > keepScratch {
		d.scratch = make([]byte, 16<<10)
	}
	if cap(r.Values) > keepScratch/64 {
		r.Values = nil
	}
	d.paths.trim()
}

// object reads the members of the object that opens at at, and gives back where it ends.
func (d *Decoder) object(b []byte, at int, p *path, r *Record) (int, error) {
	if d.depth++; d.depth > maxDepth {
		return at, ErrDeep
	}
	start, values := at, len(r.Values)
	i := blank(b, at+1)
	if i < len(b) && b[i] == '}' {
		if p.up != nil {
			d.empty(r, p, b[start:i+1])
		}
		d.depth--
		return i + 1, nil
	}
	guess := &p.inner
	for {
		if i >= len(b) {
			return i, ErrTruncated
		}
		if b[i] != '"' {
			return i, unexpected(b, i, "a name")
		}
		i++
		// The members of an event come in the order of the event before it more often than not.
		n := *guess
		if n == nil || len(b)-i <= len(n.key) || string(b[i:i+len(n.key)]) != n.key || b[i+len(n.key)] != '"' {
			end := plainEnd(b, i)
			for end < len(b) && b[end] == '\\' {
				end = plainEnd(b, min(end+2, len(b)))
			}
			if end >= len(b) {
				return end, ErrTruncated
			}
			n = d.paths.find(d, p, b[i:end])
			*guess = n
		}
		guess = &n.next
		i += len(n.key) + 1
		if i < len(b) && b[i] == ':' {
			i++
		} else {
			if i = blank(b, i); i >= len(b) {
				return i, ErrTruncated
			}
			if b[i] != ':' {
				return i, unexpected(b, i, "a colon")
			}
			i++
		}
		var err error
		if i, err = d.value(b, i, n, r); err != nil {
			return i, err
		}
		if i >= len(b) {
			return i, ErrTruncated
		}
		if b[i] != ',' && b[i] != '}' {
			if i = blank(b, i); i >= len(b) {
				return i, ErrTruncated
			}
		}
		switch b[i] {
		case ',':
			if i++; i < len(b) && b[i] != '"' {
				i = blank(b, i)
			}
		case '}':
			i++
			d.depth--
			if p.pair {
				d.pair(r, values)
			} else if p.field != 0 || p.also != 0 {
				d.emit(r, p, Text, b[start:i])
			}
			return i, nil
		default:
			return i, unexpected(b, i, "a comma or the end of the object")
		}
	}
}

// value reads the value at i, after blanks, and gives back where it ends.
func (d *Decoder) value(b []byte, i int, p *path, r *Record) (int, error) {
	if i < len(b) && b[i] <= ' ' {
		i = blank(b, i)
	}
	if i >= len(b) {
		return i, ErrTruncated
	}
	switch c := b[i]; c {
	case '"':
		i++
		end := plainEnd(b, i)
		if end >= len(b) {
			return end, ErrTruncated
		}
		text := b[i:end]
		if b[end] == '\\' {
			var err error
			if text, end, err = d.unescape(b, i, end); err != nil {
				return end, err
			}
		}
		d.emit(r, p, Text, text)
		return end + 1, nil
	case '{':
		return d.object(b, i, p, r)
	case '[':
		return d.list(b, i, p, r)
	case 't':
		return d.word(b, i, "true", Bool, p, r)
	case 'f':
		return d.word(b, i, "false", Bool, p, r)
	case 'n':
		return d.word(b, i, "null", Null, p, r)
	default:
		end := number(b, i)
		if end == i {
			return i, unexpected(b, i, "a value")
		}
		d.emit(r, p, Number, b[i:end])
		return end, nil
	}
}

// list reads the elements of a list: each is a value of the same name.
func (d *Decoder) list(b []byte, i int, p *path, r *Record) (int, error) {
	if d.depth++; d.depth > maxDepth {
		return i, ErrDeep
	}
	start := i
	i = blank(b, i+1)
	if i < len(b) && b[i] == ']' {
		d.empty(r, p, b[start:i+1])
		d.depth--
		return i + 1, nil
	}
	for {
		var err error
		if i, err = d.value(b, i, p, r); err != nil {
			return i, err
		}
		if i = blank(b, i); i >= len(b) {
			return i, ErrTruncated
		}
		switch b[i] {
		case ',':
			i++
		case ']':
			d.depth--
			return i + 1, nil
		default:
			return i, unexpected(b, i, "a comma or the end of the list")
		}
	}
}

// word reads true, false or null.
func (d *Decoder) word(b []byte, i int, word string, kind Kind, p *path, r *Record) (int, error) {
	end := i + len(word)
	if end > len(b) {
		return i, ErrTruncated
	}
	if string(b[i:end]) != word {
		return i, unexpected(b, i, word)
	}
	text := b[i:end]
	if kind == Null {
		text = nil
	}
	d.emit(r, p, kind, text)
	return end, nil
}

// emit writes a value down.
func (d *Decoder) emit(r *Record, p *path, kind Kind, text []byte) {
	if p.mark != 0 {
		d.mark(r, p.mark)
	}
	n := len(r.Values)
	if n == cap(r.Values) {
		r.Values = slices.Grow(r.Values, 64)
	}
	r.Values = r.Values[:n+1]
	v := &r.Values[n]
	v.Field, v.Kind, v.Name, v.Text = p.field, kind, p.name, text
	if p.also != 0 {
		r.Values = append(r.Values, Value{Field: p.also, Kind: kind, Name: p.alsoName, Text: text})
	}
}

// empty writes down an object or a list with nothing in it: as nothing, or as it is written where somebody asks for it.
func (d *Decoder) empty(r *Record, p *path, text []byte) {
	if p.field == 0 && p.also == 0 {
		d.emit(r, p, Null, nil)
	} else {
		d.emit(r, p, Text, text)
	}
}

// mark notes that the next value of the record is one that the tables look at.
func (d *Decoder) mark(r *Record, m mark) {
	d.marked = append(d.marked, marked{m, int32(len(r.Values))}) //nolint:gosec // 50 MB of JSON are 25 million values
	if d.first[m] == 0 {
		d.first[m] = int32(len(r.Values)) + 1 //nolint:gosec // as above
		d.signs.add(m)
	}
}

// get is the first value of the name, or nil where the record has none.
func (d *Decoder) get(r *Record, m mark) []byte {
	if at := d.first[m]; at != 0 {
		return r.Values[at-1].Text
	}
	return nil
}

// pair makes of {"Name": "X", "#text": "y"}, as some write Windows' Data elements, the value y of X. Without a name the
// text is one more value of Data; a name without a text is an empty value.
func (d *Decoder) pair(r *Record, from int) {
	name, field, found := []byte("Data"), d.dataField, false
	for _, v := range r.Values[from:] {
		if string(v.Name) == pairName {
			name, field, found = v.Text, d.names.Find(v.Text), true
			break
		}
	}
	kept, texts := from, 0
	for _, v := range r.Values[from:] {
		switch string(v.Name) {
		case pairName:
			continue
		case pairText:
			v.Name, v.Field = name, field
			texts++
		}
		r.Values[kept] = v
		kept++
	}
	r.Values = r.Values[:kept]
	if found && texts == 0 {
		r.Values = append(r.Values, Value{Field: field, Name: name})
		kept++
	}
	if m := findMark(name); m != 0 && kept > from {
		d.marked = append(d.marked, marked{m, int32(from)}) //nolint:gosec // as in mark
		if d.first[m] == 0 {
			d.first[m] = int32(from) + 1 //nolint:gosec // as in mark
			d.signs.add(m)
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special has a high bit set at the first byte of w that is a quote or a backslash; bits above it mean nothing.
func special(w uint64) uint64 {
	// Neither of the two has a high bit, so that it is w's own high bits that are no match.
	return (((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones)) &^ w & highs
}

// plainEnd is where the first quote or backslash is at or behind i, or len(b).
func plainEnd(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		if m := special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(b); i++ {
		if b[i] == '"' || b[i] == '\\' {
			return i
		}
	}
	return len(b)
}

// escapes is what stands for a letter behind a backslash; 0: nothing, or u.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape copies the string that begins at start, whose first backslash is at i, to the record's room, and gives back
// where its closing quote is.
func (d *Decoder) unescape(b []byte, start, i int) (text []byte, end int, err error) {
	d.room(d.used, i-start+slack)
	dst, from := d.scratch, d.used
	n := from + copy(dst[from:], b[start:i])
	for {
		// Here stands a quote or a backslash.
		if b[i] == '"' {
			d.used = n
			return dst[from:n:n], i, nil
		}
		if i+1 >= len(b) {
			return nil, len(b), ErrTruncated
		}
		if n+slack > len(dst) {
			dst, from, n = d.move(from, n, len(b)-i)
		}
		if c := escapes[b[i+1]]; c != 0 {
			dst[n] = c
			n++
			i += 2
		} else if b[i+1] != 'u' {
			dst[n], dst[n+1] = '\\', b[i+1]
			n += 2
			i += 2
		} else {
			char, size := unicodeEscape(b[i:])
			if size == 0 {
				if i+6 > len(b) {
					return nil, len(b), ErrTruncated
				}
				return nil, i, unexpected(b, i, "four hexadecimal digits")
			}
			n += utf8.EncodeRune(dst[n:], char)
			i += size
		}
		// Eight bytes at a time are copied, and those behind the next quote or backslash written over.
		for {
			if i+8 > len(b) {
				for ; i < len(b) && b[i] != '"' && b[i] != '\\'; i++ {
					dst[n] = b[i]
					n++
				}
				if i == len(b) {
					return nil, i, ErrTruncated
				}
				break
			}
			w := binary.LittleEndian.Uint64(b[i:])
			binary.LittleEndian.PutUint64(dst[n:], w)
			if m := special(w); m != 0 {
				k := bits.TrailingZeros64(m) >> 3
				i += k
				n += k
				break
			}
			i += 8
			if n += 8; n+slack > len(dst) {
				dst, from, n = d.move(from, n, len(b)-i)
			}
		}
	}
}

// slack is how many bytes must be free behind what unescape has written.
const slack = 32

// room sees to it that need bytes are free behind at. What was written stays where it is: values point to it.
func (d *Decoder) room(at, need int) {
	if at+need > len(d.scratch) {
		d.scratch = make([]byte, max(2*len(d.scratch), need+64))
		d.used = 0
	}
}

// move takes the unfinished string [from, n) to the beginning of greater room, for a string that has at most more to come.
func (d *Decoder) move(from, n, more int) (room []byte, newFrom, newN int) {
	old := d.scratch
	d.scratch = make([]byte, max(2*len(old), 2*(n-from), min(more, 1<<20)+64))
	return d.scratch, 0, copy(d.scratch, old[from:n])
}

// unicodeEscape reads \uXXXX, or two of them that are one character. A half without the other is U+FFFD. size 0: no digits.
func unicodeEscape(b []byte) (char rune, size int) {
	char, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if char < 0xD800 || char > 0xDFFF {
		return char, 6
	}
	if low, ok := hex4(b[6:]); ok && char <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF {
		return (char-0xD800)<<10 + (low - 0xDC00) + 0x10000, 12
	}
	return utf8.RuneError, 6
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number is where the number that begins at i ends; i where there is none. It is kept as it is written.
func number(b []byte, i int) int {
	at := i
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := i
	if i = digits(b, i); i == whole || (b[whole] == '0' && i > whole+1) {
		return at
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		if i = digits(b, fraction); i == fraction {
			return at
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent := i
		if i = digits(b, i); i == exponent {
			return at
		}
	}
	return i
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// blank is the first place at or behind i that is no white space.
func blank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

func unexpected(b []byte, i int, want string) error {
	return fmt.Errorf("%q at byte %d instead of %s", b[i:min(i+1, len(b))], i, want)
}

// between is where the next event begins: behind white space, a byte order mark, record separators (RFC 7464), the brackets
// and commas of an array of events, and the object that CloudTrail and Azure wrap around one.
func between(text []byte) int {
	i := 0
	for i < len(text) {
		switch text[i] {
		case ' ', '\n', '\r', '\t', ',', '[', ']', '}', 0x1e:
			i++
		case '{':
			after := envelope(text[i:])
			if after == 0 {
				return i
			}
			i += after
		case 0xEF:
			if !bytes.HasPrefix(text[i:], []byte("\uFEFF")) {
				return i
			}
			i += 3
		default:
			return i
		}
	}
	return i
}

// envelope is how long the beginning {"Records":[ is, in its spellings; 0: the object is an event.
func envelope(b []byte) int {
	i := blank(b, 1)
	for _, name := range []string{`"Records"`, `"records"`} {
		if len(b) <= i+len(name) || string(b[i:i+len(name)]) != name {
			continue
		}
		i = blank(b, i+len(name))
		if i >= len(b) || b[i] != ':' {
			return 0
		}
		i = blank(b, i+1)
		if i >= len(b) || b[i] != '[' {
			return 0
		}
		if inner := blank(b, i+1); inner < len(b) && (b[inner] == '{' || b[inner] == ']') {
			return i + 1
		}
		return 0
	}
	return 0
}

// NextJSON splits the first event off a sequence of them, as JSON reads it, without looking further into it than its
// brackets and strings. It returns io.EOF where there is none. After any other error value is what is wrong, and rest is
// where the next event can begin: behind the line, at the next line that opens with a brace.
func NextJSON(text []byte) (value, rest []byte, err error) {
	at := between(text)
	if at == len(text) {
		return nil, nil, io.EOF
	}
	if text[at] != '{' {
		value, rest = resume(text, at)
		return value, rest, fmt.Errorf("watch: event of %d bytes: %w", len(value), ErrNotObject)
	}
	end, err := closing(text, at)
	if err == nil {
		return text[at:end:end], text[end:], nil
	}
	value, rest = resume(text, at)
	return value, rest, fmt.Errorf("watch: event of %d bytes: %w", len(value), err)
}

// closing is behind the brace that closes the one at at. A line that opens with a brace where the event
// cannot have one is another event: the one before it was cut off, and must not swallow what follows.
func closing(b []byte, at int) (int, error) {
	depth := 0
	for i := at; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if depth++; depth > maxDepth {
				return 0, ErrDeep
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		case '\n':
			if i+1 < len(b) && b[i+1] == '{' && !afterOpening(b[at:i]) {
				return 0, ErrTruncated
			}
		case '"':
			for i = lineEnd(b, i+1); i < len(b) && b[i] != '"'; i = lineEnd(b, i) {
				if b[i] == '\n' && i+1 < len(b) && b[i+1] == '{' {
					return 0, ErrTruncated
				}
				if i++; b[i-1] == '\\' {
					i++
				}
			}
		}
	}
	return 0, ErrTruncated
}

// lineEnd is where the first quote, backslash or newline is at or behind i, or at least len(b).
func lineEnd(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if m := special(w) | ((w^ones*'\n')-ones)&^w&highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(b); i++ {
		if b[i] == '"' || b[i] == '\\' || b[i] == '\n' {
			break
		}
	}
	return i
}

// afterOpening says whether an object may follow: the last character that is no blank opens something or asks for more.
func afterOpening(b []byte) bool {
	b = bytes.TrimRight(b, " \t\r\n")
	return len(b) > 0 && bytes.IndexByte([]byte(":,["), b[len(b)-1]) >= 0
}

// resume parts a text whose event at at is wrong: the event ends with its last brace if that closes it, or else before the
// next line that opens with a brace.
func resume(text []byte, at int) (bad, rest []byte) {
	if text[at] == '{' {
		if end, err := closing(text, at); err == nil {
			return text[at:end:end], text[end:]
		}
	}
	if next := bytes.Index(text[at:], []byte("\n{")); next >= 0 {
		return text[at : at+next : at+next], text[at+next+1:]
	}
	return text[at:], nil
}
