package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxNested is how deep arrays and objects may stand within each other; what is deeper was made to break its reader.
const maxNested = 1000

// values yields the JSON values of a text: one after the other with anything blank between them, and the elements of arrays.
// A list that somebody wrapped ({"Records": [...]} of CloudTrail, {"value": [...]} of Microsoft Graph) is that list.
func (s *source) values() error {
	for {
		indent, err := s.begin()
		if err != nil {
			return ended(err)
		}
		if s.opensList() {
			continue
		}
		size, err := s.value()
		if err == nil {
			raw := s.bytes()[:size]
			s.skip(size)
			if err := s.give(raw); err != nil {
				return err
			}
			continue
		}
		if err := s.lost(err, indent); err != nil {
			return ended(err)
		}
	}
}

// begin leaves behind what stands between values, and says how far from the beginning of its line the next one begins.
func (s *source) begin() (indent int, err error) {
	for {
		for i, c := range s.bytes() {
			switch c {
			case '\n':
				indent = 0
			case ' ', '\t':
				indent++
			case '\r', ',', ']', '}', 0x1e: // ends of lists, and the separator of RFC 7464
			default:
				s.skip(i)
				return indent, nil
			}
		}
		s.skip(len(s.bytes()))
		if err := s.read(); err != nil {
			return 0, err
		}
	}
}

// opensList goes into an array, or into an object that holds nothing but one before it.
func (s *source) opensList() bool {
	if s.bytes()[0] == '[' {
		s.skip(1)
		return true
	}
	const enough = 200 // bytes before the list
	if err := s.more(enough); err != nil && len(s.bytes()) == 0 {
		return false
	}
	text := s.bytes()[:min(enough, len(s.bytes()))]
	rest := bytes.TrimLeft(text[1:], " \t\r\n")
	for _, name := range []string{`"Records"`, `"records"`, `"value"`, `"@odata.context"`} {
		after, ok := bytes.CutPrefix(rest, []byte(name))
		if text[0] != '{' || !ok {
			continue
		}
		if after, ok = bytes.CutPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte{':'}); !ok {
			return false
		}
		after = bytes.TrimLeft(after, " \t\r\n")
		if name == `"@odata.context"` {
			if _, after, ok = bytes.Cut(after, []byte(`"value"`)); !ok {
				return false
			}
			after = bytes.TrimLeft(after, ": \t\r\n")
		}
		// Of objects only: {"value": [1, 2]} is an event.
		list, ok := bytes.CutPrefix(after, []byte{'['})
		if list = bytes.TrimLeft(list, " \t\r\n"); !ok || !bytes.HasPrefix(list, []byte{'{'}) {
			return false
		}
		s.skip(len(text) - len(list))
		return true
	}
	return false
}

// lost tells of the bad value that the window begins with, and goes to the next line that begins as far from the margin as
// it did, because one after it may be good: lines that the bad one swallowed are looked at again.
func (s *source) lost(why error, indent int) error {
	if len(s.bytes()) > 0 {
		if err := s.bad(why); err != nil {
			return err
		}
	}
	for {
		if err := s.discard(); err != nil {
			return err
		}
		if err := s.more(indent + 1); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		line := s.bytes()
		blank := 0
		for blank < len(line) && (line[blank] == ' ' || line[blank] == '\t') {
			blank++
		}
		if len(line) <= indent || blank == indent && (line[blank] == '{' || line[blank] == '[') {
			return nil
		}
		if indent == 0 && blank == 0 && line[0] != '}' && line[0] != ']' { // a bad line of its own
			return nil
		}
	}
}

// value is how long the value is that the window begins with. It looks at what holds a value together, brackets, quotation
// marks and what may follow what, and leaves the rest to the decoder.
func (s *source) value() (int, error) {
	if c := s.bytes()[0]; c != '{' {
		return 0, fmt.Errorf("%w: no object begins with %q", ErrMalformed, c)
	}
	v := scan{open: s.open[:0]}
	defer func() { s.open = v.open }()
	for {
		done, err := v.on(s.bytes())
		if err != nil || done {
			return v.at, err
		}
		if len(s.bytes()) > s.MaxRecord {
			return 0, ErrTooLong
		}
		switch err := s.read(); {
		case errors.Is(err, io.EOF):
			return 0, ErrCutOff
		case errors.Is(err, ErrTooLong):
			return 0, err
		case err != nil:
			return 0, fmt.Errorf("%w: %w", ErrCutOff, err)
		}
	}
}

// A scan finds the end of a value in a text that grows.
type scan struct {
	at     int
	open   []byte // the brackets that are open
	last   byte   // the last bracket, comma, colon; '"' of a string, 'v' of another value
	quoted bool   // at is within a string
}

// on reads on to the end of the value, or of the text.
func (v *scan) on(text []byte) (done bool, err error) {
	for v.at < len(text) {
		if v.quoted {
			if err := v.inString(text); err != nil || v.quoted {
				return false, err
			}
			continue
		}
		c := text[v.at]
		v.at++
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			v.quoted = true
			if len(v.open) == 0 || v.last == '"' || v.last == 'v' || v.last == '}' || v.last == ']' {
				return false, v.misplaced(c)
			}
		case '{', '[':
			if len(v.open) >= maxNested {
				return false, fmt.Errorf("%w: nested more than %d deep", ErrMalformed, maxNested)
			}
			if n := len(v.open); n > 0 && (v.open[n-1] == '{' && v.last != ':' || v.open[n-1] == '[' && v.last != '[' && v.last != ',') {
				return false, v.misplaced(c)
			}
			v.open = append(v.open, c)
		case '}', ']':
			n := len(v.open)
			if n == 0 || v.open[n-1] != c-2 { // '{' and '}' are two apart, and so are '[' and ']'
				return false, v.misplaced(c)
			}
			v.open = v.open[:n-1]
			if n == 1 {
				return true, nil
			}
		case ',', ':':
			if v.last == ',' || v.last == ':' || v.last == '{' || c == ':' && v.last != '"' {
				return false, v.misplaced(c)
			}
		default:
			if v.last == '"' || v.last == '}' || v.last == ']' {
				return false, v.misplaced(c)
			}
			c = 'v'
		}
		v.last = c
	}
	return false, nil
}

// inString reads on to the end of a string.
func (v *scan) inString(text []byte) error {
	for v.at < len(text) {
		rest := text[v.at:]
		n := bytes.IndexByte(rest, '"')
		closed := n >= 0
		if !closed {
			n = len(rest)
		}
		if bytes.IndexByte(rest[:n], '\n') >= 0 {
			return fmt.Errorf("%w: a string is not closed", ErrMalformed)
		}
		v.at += n
		if !closed {
			return nil
		}
		escaped := false
		for i := v.at - 1; text[i] == '\\'; i-- { // ends at the quotation mark that opened the string, or before
			escaped = !escaped
		}
		v.at++
		if !escaped {
			v.quoted, v.last = false, '"'
			return nil
		}
	}
	return nil
}

func (v *scan) misplaced(c byte) error {
	return fmt.Errorf("%w: misplaced %q at byte %d", ErrMalformed, c, v.at-1)
}
