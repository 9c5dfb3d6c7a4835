package watch

import "bytes"

// sampleLines is how many lines Recognise looks at.
const sampleLines = 32

// Recognise says how a text is written, by how it begins: as what most of its first lines can be read. A text that nobody
// knows is Lines.
func Recognise(sample []byte) Format {
	text := bytes.TrimLeft(bytes.TrimPrefix(sample, []byte("\ufeff")), " \t\r\n\x1e")
	switch {
	case bytes.HasPrefix(text, []byte("ElfFile\x00")):
		return EVTX
	case opensJSON(text):
		return JSON
	}
	var lines [][]byte
	for rest := text; len(rest) > 0 && len(lines) < sampleLines; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if line = bytes.TrimRight(line, "\r"); len(line) > 0 && (whole || len(lines) == 0) {
			if bytes.HasPrefix(line, []byte("#Fields:")) {
				return W3C
			}
			if line[0] != '#' {
				lines = append(lines, line)
			}
		}
		rest = after
	}
	if len(lines) == 0 {
		return Lines
	}
	if header(lines) {
		return CSV
	}
	d, r := NewDecoder(NewNames()), &Record{}
	for _, format := range [...]Format{Syslog, CEF, LEEF, Auditd, Combined, Squid, BIND, Iptables, KeyValue} {
		read := 0
		for _, line := range lines {
			if d.Line(format, nil, line, r) == nil && (format != KeyValue || len(r.Values) > 5 && bytes.IndexByte(line, '=') < blankAt(line)) {
				read++
			}
		}
		if 2*read <= len(lines) {
			continue
		}
		if first, _ := word(lines[0]); format == Combined && bytes.IndexByte(first, ':') > 0 && bytes.IndexByte(lines[0], '[') < 0 {
			return Ivanti
		}
		return format
	}
	return Lines
}

// opensJSON says whether an object begins, or a list of them; "[" alone may also begin a line of an error log.
func opensJSON(text []byte) bool {
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return false
	}
	next := bytes.TrimLeft(text[1:], " \t\r\n")
	if text[0] == '{' {
		return len(next) == 0 || next[0] == '"' || next[0] == '}'
	}
	return len(next) == 0 || next[0] == '{' || next[0] == ']' || next[0] == '['
}

// header says whether the first line names the columns of the second: as many, all named, and one of them known.
func header(lines [][]byte) bool {
	comma := commaOf(lines[0])
	cells := bytes.Split(lines[0], []byte{comma})
	if len(cells) < 3 || comma == ' ' && len(cells) < 5 || bytes.IndexByte(lines[0], '=') >= 0 {
		return false
	}
	if len(lines) > 1 && bytes.Count(lines[1], []byte{comma}) < len(cells)-1 {
		return false
	}
	known := 0
	for _, cell := range cells {
		cell = bytes.Trim(cell, "\" ")
		if len(cell) == 0 || len(cell) > 64 || allDigits(cell) {
			return false
		}
		if networkNames.Find(cell) != 0 || findMark(cell) != 0 {
			known++
		}
	}
	return known >= 2
}

// networkNames are the names of columns that networkKeys knows.
var networkNames = func() *Names {
	var names []string
	for _, c := range networkKeys {
		names = append(names, string(bytes.Fields([]byte(c))[0]))
	}
	return NewNames(names...)
}()

// blankAt is where the first word of a line ends.
func blankAt(line []byte) int {
	first, _ := word(line)
	return len(first)
}
