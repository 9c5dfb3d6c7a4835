package feeds

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"wardwatch/know"
)

// Limits on one JSON record. The largest that a publisher has sent is 3 MB; none nests deeper than 20.
const (
	mostRecord = 16 << 20
	mostDepth  = 100
	mostMember = 64 << 10
)

// Document reads a JSON file of many records: an object with the records in one array among its members, a bare array
// of records, or one bare record. Records are cut out by their brackets alone, so one that is malformed inside, too large
// or too deep costs only itself, and the file is never held in memory.
type Document struct {
	// List names the members whose arrays hold the records; empty when an object is always a bare record.
	List []string
	// Bare names a member that only a bare record has; empty when there are no bare records beside lists.
	Bare string
	// Member is told the other members, where they are small; nil to skip them.
	Member func(key string, value []byte)
	// Record reads one record of the named list; the name is empty for a bare record or a bare array. Its error rejects the
	// record and should name it.
	Record func(list string, raw []byte) ([]know.Report, error)
}

// Read reads the document.
func (d Document) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (sum Summary, err error) {
	c := cutters.Get().(*cutter)
	defer c.release()
	in := c.in
	in.Reset(r)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xEF\xBB\xBF")) {
		_, _ = in.Discard(3)
	}
	number := 0
	take := func(list string) error {
		number++
		raw, flaw, err := c.value(mostRecord)
		if err != nil {
			return fmt.Errorf("record %d: %w", number, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if flaw == "" && !utf8.Valid(raw) {
			flaw = "is not UTF-8"
		}
		if flaw != "" {
			sum.Reject("record %d (%s): %s", number, clip(name(raw), 40), flaw)
			return nil
		}
		reports, err := d.Record(list, raw)
		if skip, ok := errors.AsType[Skip](err); ok {
			sum.skip(number, skip.Reason)
			return nil
		}
		if err != nil {
			sum.Reject("record %d: %v", number, err)
			return nil
		}
		sum.Records++
		for _, report := range reports {
			if err := yield(report); err != nil {
				return err
			}
		}
		return nil
	}
	first, err := c.next()
	if err != nil {
		return sum, err
	}
	if first == '{' && d.bare(peek(in)) {
		err = take("")
	} else {
		switch first {
		case '[':
			err = c.array(func() error { return take("") })
		case '{':
			err = d.object(c, take)
		default:
			err = fmt.Errorf("not JSON: begins with %q", first)
		}
	}
	if err == nil {
		if b, after := c.next(); after == nil {
			sum.Note("%q after the end of the list: the rest is left unread", b)
		} else if !errors.Is(after, io.ErrUnexpectedEOF) {
			err = after
		}
	}
	return sum, err
}

// bare tells a bare record from a list, also where the record is malformed and its members cannot be listed.
func (d Document) bare(head []byte) bool {
	if len(d.List) == 0 {
		return true
	}
	keys := Keys(head)
	return d.Bare != "" && bytes.Contains(head, []byte(`"`+d.Bare+`"`)) &&
		!slices.ContainsFunc(d.List, func(list string) bool { return slices.Contains(keys, list) })
}

func (d Document) object(c *cutter, take func(list string) error) error {
	lists := 0
	err := c.members(func(key string) error {
		for _, list := range d.List {
			if key != list {
				continue
			}
			if b, err := c.next(); err != nil {
				return err
			} else if b != '[' {
				return fmt.Errorf("%q is no list", key)
			}
			lists++
			return c.array(func() error { return take(list) })
		}
		value, flaw, err := c.value(mostMember)
		if err == nil && flaw == "" && d.Member != nil {
			d.Member(key, value)
		}
		return err
	})
	if err == nil && lists == 0 {
		err = fmt.Errorf("no list of records: none of %q", d.List)
	}
	return err
}

// name finds an identifier in a record that is otherwise of no use.
func name(raw []byte) string {
	at := bytes.Index(raw, []byte("CVE-"))
	if at < 0 {
		return "without a CVE identifier"
	}
	end := at + 4
	for end < len(raw) && end < at+24 && (raw[end] == '-' || raw[end] >= '0' && raw[end] <= '9') {
		end++
	}
	return string(raw[at:end])
}

// peek is as much of the stream as Recognises sees.
func peek(in *bufio.Reader) []byte {
	head, _ := in.Peek(HeadSize)
	return head
}

// HasKey tells whether the object that begins head has the top-level member key, as far as head reaches.
func HasKey(head []byte, key string) bool {
	return slices.Contains(Keys(head), key)
}

// Keys lists the top-level member names of the JSON object that begins head, as far as head reaches.
func Keys(head []byte) []string {
	head = bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))
	c := cutter{in: bufio.NewReaderSize(bytes.NewReader(head), HeadSize)}
	if b, err := c.next(); err != nil || b != '{' {
		return nil
	}
	var keys []string
	_ = c.members(func(key string) error { // ends where head ends
		keys = append(keys, key)
		_, _, err := c.value(HeadSize)
		return err
	})
	return keys
}

// cutter cuts JSON into values by brackets and quotes, without looking inside.
type cutter struct {
	in  *bufio.Reader
	buf []byte
}

// cutters are kept for the next file: the list of all CVE records is 320,000 of them.
var cutters = sync.Pool{New: func() any { return &cutter{in: bufio.NewReaderSize(nil, 256<<10)} }}

// release gives the cutter back, without a buffer that one large record has blown up.
func (c *cutter) release() {
	c.in.Reset(nil)
	if cap(c.buf) > 1<<20 {
		c.buf = nil
	}
	cutters.Put(c)
}

// next shows the next byte that is not white space, without taking it. At the end of the stream it is io.ErrUnexpectedEOF.
func (c *cutter) next() (byte, error) {
	for {
		b, err := c.in.ReadByte()
		if err != nil {
			return 0, ended(err)
		}
		switch b {
		case ' ', '\t', '\r', '\n':
		default:
			return b, c.in.UnreadByte()
		}
	}
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// open takes the opening bracket that next showed, and tells whether anything is inside.
func (c *cutter) open(shut byte) (more bool, err error) {
	if _, err := c.in.ReadByte(); err != nil {
		return false, ended(err)
	}
	b, err := c.next()
	if err != nil {
		return false, err
	}
	if b == shut {
		_, err = c.in.ReadByte()
		return false, err
	}
	return true, nil
}

// comma takes what stands between two elements, and tells whether another follows.
func (c *cutter) comma(shut byte) (more bool, err error) {
	b, err := c.next()
	if err != nil {
		return false, err
	}
	if b != ',' && b != shut {
		return false, fmt.Errorf("%q where ',' or %q should be", b, shut)
	}
	_, err = c.in.ReadByte()
	return b == ',', err
}

// array calls each, which must take one value, for each element.
func (c *cutter) array(each func() error) error {
	more, err := c.open(']')
	for more && err == nil {
		if err = each(); err == nil {
			more, err = c.comma(']')
		}
	}
	return err
}

// members calls each, which must take one value, with the key of each member.
func (c *cutter) members(each func(key string) error) error {
	more, err := c.open('}')
	for more && err == nil {
		var key string
		if key, err = c.key(); err != nil {
			return err
		}
		if err = each(key); err == nil {
			more, err = c.comma('}')
		}
	}
	return err
}

func (c *cutter) key() (string, error) {
	b, err := c.next()
	if err != nil {
		return "", err
	}
	if b != '"' {
		return "", fmt.Errorf("%q where a member's name should be", b)
	}
	raw, flaw, err := c.value(mostMember)
	if err != nil {
		return "", err
	}
	var key string
	if flaw != "" || json.Unmarshal(raw, &key) != nil {
		return "", errors.New("a member's name is not readable")
	}
	if b, err = c.next(); err != nil {
		return "", err
	}
	if b != ':' {
		return "", fmt.Errorf("%q where ':' should be", b)
	}
	_, err = c.in.ReadByte()
	return key, err
}

// value takes one value. The bytes are good until the next call. A value over the limit or too deep is taken whole, its
// beginning is returned, and flaw says what is wrong.
func (c *cutter) value(limit int) (raw []byte, flaw string, err error) {
	first, err := c.next()
	if err != nil {
		return nil, "", err
	}
	c.buf = c.buf[:0]
	size, depth, text, escaped := 0, 0, false, false
	done := false
	for !done {
		if _, err := c.in.Peek(1); err != nil {
			return nil, "", ended(err)
		}
		chunk, _ := c.in.Peek(c.in.Buffered())
		n := len(chunk)
	scan:
		for i, b := range chunk {
			if text {
				switch {
				case escaped:
					escaped = false
				case b == '\\':
					escaped = true
				case b == '"':
					text = false
					if depth == 0 {
						n, done = i+1, true
						break scan
					}
				}
				continue
			}
			switch b {
			case '"':
				text = true
			case '{', '[':
				depth++
				if depth > mostDepth {
					flaw = fmt.Sprintf("nests deeper than %d", mostDepth)
				}
			case '}', ']':
				if depth == 0 { // a bare word or number ends with what holds it
					n, done = i, true
					break scan
				}
				depth--
				if depth == 0 {
					n, done = i+1, true
					break scan
				}
			case ',', ' ', '\n', '\r', '\t', ':':
				if depth == 0 {
					n, done = i, true
					break scan
				}
			}
		}
		if size += n; size <= limit {
			c.buf = append(c.buf, chunk[:n]...)
		} else {
			flaw = fmt.Sprintf("is larger than %d KiB", limit>>10)
		}
		_, _ = c.in.Discard(n)
	}
	if size == 0 {
		return nil, "", fmt.Errorf("%q where a value should be", first)
	}
	return c.buf, flaw, nil
}
