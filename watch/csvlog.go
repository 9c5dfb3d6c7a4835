package watch

import "bytes"

// csv reads a line of columns that the header names; they are divided by what divides the header. Columns that the tables of
// JSON sources know (the exports of Defender's hunting) make it a record of those.
func (d *Decoder) csv(header, line []byte, r *Record) bool {
	h := &d.lines.header
	if h.format != CSV || !bytes.Equal(h.line, header) {
		comma := commaOf(header)
		var names [][]byte
		for rest, more := header, true; more; {
			var name []byte
			name, rest, more = d.cell(rest, comma)
			names = append(names, bytes.TrimSpace(bytes.Clone(name)))
		}
		d.heading(CSV, header, names, d.lines.network)
		h.comma = comma
	}
	if len(h.columns) < 2 {
		return false
	}
	if bytes.IndexByte(header, '"') < 0 && bytes.HasPrefix(line, []byte("#")) {
		return false
	}
	rest, more := line, true
	for i := 0; i < len(h.columns) && more; i++ {
		var text []byte
		text, rest, more = d.cell(rest, h.comma)
		if m := h.marks[i]; m != 0 && len(text) > 0 {
			d.mark(r, m)
		}
		if len(text) > 0 {
			put(r, h.columns[i], text)
		}
	}
	if d.finish(r); r.Class == 0 {
		r.Class = d.networkClass(r)
	}
	if r.Time == nil {
		for _, name := range [...]string{"date", "time", "start", "ts", "Time", "Date"} {
			if r.Time = value(r, name); r.Time != nil {
				break
			}
		}
	}
	return len(r.Values) > 0
}

// commaOf is what divides the columns of a header.
func commaOf(header []byte) byte {
	best, most := byte(','), 0
	for _, c := range [...]byte{',', ';', '\t', '|', ' '} {
		if n := bytes.Count(header, []byte{c}); n > most {
			best, most = c, n
		}
		if most > 0 && c == '|' {
			break // blanks stand within names too
		}
	}
	return best
}

// cell cuts a column off; within quotation marks two of them are one.
func (d *Decoder) cell(b []byte, comma byte) (text, rest []byte, more bool) {
	if len(b) > 0 && b[0] == '"' {
		doubled := false
		for i := 1; i < len(b); i++ {
			n := bytes.IndexByte(b[i:], '"')
			if n < 0 {
				break
			}
			i += n
			if i+1 < len(b) && b[i+1] == '"' {
				doubled = true
				i++
				continue
			}
			text, rest = b[1:i], b[i+1:]
			if doubled {
				text = d.singleQuotes(text)
			}
			if len(rest) > 0 && rest[0] == comma {
				return text, rest[1:], true
			}
			return text, nil, false
		}
	}
	n := bytes.IndexByte(b, comma)
	if n < 0 {
		return b, nil, false
	}
	return b[:n], b[n+1:], true
}

func (d *Decoder) singleQuotes(text []byte) []byte {
	text = d.write(text)
	n := 0
	for i := 0; i < len(text); i++ {
		if text[n] = text[i]; text[i] == '"' && i+1 < len(text) && text[i+1] == '"' {
			i++
		}
		n++
	}
	return text[:n]
}
