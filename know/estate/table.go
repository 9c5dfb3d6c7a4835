package estate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds of one record of a table. A quotation mark that never closes would otherwise swallow the rest of the file.
const (
	mostRecord = 64 << 10 // bytes
	mostLines  = 100

	mostWideRecord = 4 << 20 // where fields hold outputs of programs
	mostWideLines  = 20_000
)

// Table reads records of separated values (RFC 4180 and what spreadsheets make of it): comma, semicolon, tab or bar, found
// from the first line; quoted fields over several lines; UTF-8, UTF-16 or Windows-1252. A record that cannot be read is a
// *BadRecord, after which the next can.
type Table struct {
	in        *bufio.Reader
	delimiter byte
	wide      bool       // fields hold outputs of programs
	line      int        // of the last line read
	replay    []byte     // lines to read again, after a record that ran over them was given up
	pending   *BadRecord // the line after those, when it was too long to keep
	record    []byte
	fields    []string
	texts     map[string]string // each distinct field is one string, however many rows repeat it
}

// BadRecord is one record that cannot be read.
type BadRecord struct {
	Line   int
	Reason string
}

func (b *BadRecord) Error() string { return fmt.Sprintf("line %d: %s", b.Line, b.Reason) }

// NewTable opens a table. The first line is not consumed, but for a spreadsheet's "sep=;".
func NewTable(r io.Reader) (*Table, error) {
	text, err := UTF8(r)
	if err != nil {
		return nil, err
	}
	t := &Table{in: bufio.NewReaderSize(text, mostRecord), delimiter: ',', texts: map[string]string{}}
	head, err := t.in.Peek(HeadSize)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	first, _, _ := bytes.Cut(head, []byte("\n"))
	if sep, ok := bytes.CutPrefix(bytes.TrimSpace(first), []byte("sep=")); ok && len(sep) == 1 {
		t.delimiter = sep[0]
		t.line++
		_, err := t.in.Discard(min(len(first)+1, len(head)))
		return t, err
	}
	t.delimiter = delimiterOf(first)
	return t, nil
}

// delimiterOf is the separator that stands most often outside quotation marks.
func delimiterOf(line []byte) byte {
	best, most := byte(','), 0
	for _, candidate := range []byte(",;\t|") {
		count, quoted := 0, false
		for _, b := range line {
			switch b {
			case '"':
				quoted = !quoted
			case candidate:
				if !quoted {
					count++
				}
			}
		}
		if count > most {
			best, most = candidate, count
		}
	}
	return best
}

// Next reads one record: its fields, cleaned, valid until the next call, and the line on which it begins. Empty lines are
// passed over. At the end the error is io.EOF.
func (t *Table) Next() (fields []string, line int, err error) {
	for {
		raw, err := t.readLine()
		if err != nil {
			return nil, t.line, err
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		line = t.line
		if bytes.IndexByte(raw, '"') < 0 {
			return t.split(raw), line, nil
		}
		return t.quoted(raw)
	}
}

// quoted reads a record with quotation marks, which may run over several lines.
func (t *Table) quoted(first []byte) ([]string, int, error) {
	line := t.line
	t.record = append(t.record[:0], first...)
	opening := len(t.record)
	longest, most := mostRecord, mostLines
	if t.wide {
		longest, most = mostWideRecord, mostWideLines
	}
	for lines := 1; t.open(t.record); lines++ {
		more, err := t.readLine()
		if err == nil && lines < most && len(t.record)+len(more) < longest {
			t.record = append(append(t.record, '\n'), more...)
			continue
		}
		var bad *BadRecord
		if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &bad) {
			return nil, line, err
		}
		// Give up the first line only, and read the others again as records of their own.
		again := bytes.Clone(t.record[opening:])
		if err == nil {
			again = append(append(again, '\n'), more...)
		}
		if len(again) > 0 {
			again = append(again[1:], '\n')
		}
		t.replay = append(again, t.replay...)
		t.pending = bad
		t.line = line
		return nil, line, &BadRecord{Line: line, Reason: "a quotation mark opens and does not close"}
	}
	return t.split(t.record), line, nil
}

// readLine reads one line without its end. It is valid until the next call.
func (t *Table) readLine() ([]byte, error) {
	if len(t.replay) > 0 {
		line, rest, _ := bytes.Cut(t.replay, []byte("\n"))
		t.replay = rest
		t.line++
		return bytes.TrimSuffix(line, []byte("\r")), nil
	}
	if bad := t.pending; bad != nil {
		t.pending = nil
		t.line++
		return nil, bad
	}
	line, err := t.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		t.line++
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = t.in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, &BadRecord{Line: t.line, Reason: fmt.Sprintf("longer than %d bytes", mostRecord)}
	case errors.Is(err, io.EOF) && len(line) > 0:
	case err != nil:
		return nil, err
	}
	t.line++
	return bytes.TrimRight(line, "\r\n"), nil
}

// open reports whether a quoted field of the record is not closed yet.
func (t *Table) open(record []byte) bool {
	start, quoted := true, false
	for i := 0; i < len(record); i++ {
		switch b := record[i]; {
		case quoted && b == '"':
			if i+1 < len(record) && record[i+1] == '"' {
				i++
			} else {
				quoted = false
			}
		case quoted:
		case b == '"' && start:
			quoted, start = true, false
		case b == t.delimiter:
			start = true
		case b != ' ':
			start = false
		}
	}
	return quoted
}

// split takes a whole record apart. Marks inside a field that does not begin with one are kept as they stand.
func (t *Table) split(record []byte) []string {
	if !utf8.Valid(record) {
		record = fromWindows1252(record)
	}
	t.fields = t.fields[:0]
	for {
		field, rest, more := t.field(record)
		t.fields = append(t.fields, field)
		if !more {
			return t.fields
		}
		record = rest
	}
}

// field takes the first field off a record; more says that another follows.
func (t *Table) field(record []byte) (field string, rest []byte, more bool) {
	quoted := bytes.TrimLeft(record, " ")
	if len(quoted) == 0 || quoted[0] != '"' {
		raw, rest, more := bytes.Cut(record, []byte{t.delimiter})
		return t.text(raw), rest, more
	}
	var value []byte
	for i := 1; i < len(quoted); i++ {
		if quoted[i] != '"' {
			value = append(value, quoted[i])
			continue
		}
		if i+1 < len(quoted) && quoted[i+1] == '"' {
			value = append(value, '"')
			i++
			continue
		}
		tail, rest, more := bytes.Cut(quoted[i+1:], []byte{t.delimiter})
		return t.text(append(value, tail...)), rest, more
	}
	return t.text(value), nil, false
}

// text is the cleaned string of a field.
func (t *Table) text(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	if text, ok := t.texts[string(raw)]; ok {
		return text
	}
	if len(t.texts) >= 1<<17 { // an input of only distinct values must not be kept whole
		clear(t.texts)
	}
	text := Clean(string(raw))
	t.texts[string(raw)] = text
	return text
}
