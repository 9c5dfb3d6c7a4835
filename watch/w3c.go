package watch

import "bytes"

// w3cKeys are the columns of extended log files (IIS, Blue Coat, Exchange) by the names that #Fields gives them.
var w3cKeys = []column{
	"c-ip src_ip SourceIp",
	"s-ip dst_ip DestinationIp",
	"s-port dst_port",
	"cs-username user",
	"cs-method",
	"cs-uri c-uri",
	"cs-uri-stem c-uri-stem",
	"cs-uri-query c-uri-query",
	"cs-uri-extension c-uri-extension",
	"cs-uri-path cs-uri-stem c-uri-stem",
	"cs(User-Agent) cs-user-agent c-useragent",
	"cs(Referer) cs-referer c-referer cs-referrer referer",
	"cs(Cookie) cs-cookie",
	"cs(Host) cs-host",
	"cs-host host",
	"cs(X-Forwarded-For) x-forwarded-for",
	"rs(Content-Type) cs-content-type",
	"sc-status status",
	"sc-bytes bytes",
	"r-ip dst_ip DestinationIp",
	"r-dns cs-host",
}

// headerTables are what the last header line says, so that the lines below it need not ask again.
type headerTables struct {
	w3c     keys
	line    []byte
	format  Format
	comma   byte
	columns [][]target
	marks   []mark
	class   Class
	// Places of columns that belong together; -1: there is none.
	date, time, stem, query, agent int
}

// heading takes a header line apart, unless it is the one before.
func (d *Decoder) heading(format Format, line []byte, names [][]byte, k keys) {
	h := &d.lines.header
	h.line, h.format = bytes.Clone(line), format
	h.columns, h.marks, h.class = h.columns[:0], h.marks[:0], 0
	h.date, h.time, h.stem, h.query, h.agent = -1, -1, -1, -1, -1
	for i, name := range names {
		name = bytes.Clone(name)
		to := []target{{field: d.names.Find(name), name: name}}
		if n := k.names.Find(name); n != 0 {
			to = k.to[n]
		}
		h.columns = append(h.columns, to)
		h.marks = append(h.marks, findMark(name))
		switch string(name) {
		case "date":
			h.date = i
		case "time":
			h.time = i
		case "cs-uri-stem":
			h.stem = i
		case "cs-uri-query":
			h.query = i
		case "cs(User-Agent)":
			h.agent = i
		}
	}
}

// w3c reads a line of an extended log file.
func (d *Decoder) w3c(header, line []byte, r *Record) bool {
	h := &d.lines.header
	if h.format != W3C || !bytes.Equal(h.line, header) {
		names, ok := bytes.CutPrefix(header, []byte("#Fields:"))
		if !ok {
			return false
		}
		d.heading(W3C, header, bytes.Fields(names), h.w3c)
		switch {
		case bytes.Contains(names, []byte("sc-filter-result")), bytes.Contains(names, []byte("s-action")), bytes.Contains(names, []byte("r-ip")):
			h.class = classProxy
		case bytes.Contains(names, []byte("sc-win32-status")), bytes.Contains(names, []byte("s-computername")):
			h.class = classIIS
		case bytes.Contains(names, []byte("cs-method")):
			h.class = classWebserver
		}
	}
	var date, clock, stem, query []byte
	rest := line
	for i := range h.columns {
		if rest == nil {
			return i > 0 // a line that was cut off
		}
		var text []byte
		text, rest = quotedWord(rest)
		switch i {
		case h.date:
			date = text
		case h.time:
			clock = text
		case h.stem:
			stem = text
			d.extension(stem, r)
		case h.query:
			query = text
		}
		put(r, h.columns[i], text)
		if i == h.agent && bytes.IndexByte(text, '+') >= 0 { // IIS writes blanks as plus signs
			put(r, h.columns[i], d.plusAsBlank(text))
		}
	}
	if date != nil && clock != nil {
		r.Time = d.write(date, []byte(" "), clock)
	}
	if stem != nil && query != nil {
		whole := stem
		if len(query) > 0 && string(query) != "-" {
			whole = d.write(stem, []byte("?"), query)
		}
		put(r, d.lines.web[webURI], whole)
	}
	r.Class = h.class
	return len(h.columns) > 0
}

func (d *Decoder) extension(stem []byte, r *Record) {
	name := stem[bytes.LastIndexByte(stem, '/')+1:]
	if dot := bytes.LastIndexByte(name, '.'); dot >= 0 && dot+1 < len(name) {
		put(r, d.lines.url[urlExtension], name[dot+1:])
	}
}

func (d *Decoder) plusAsBlank(text []byte) []byte {
	text = d.write(text)
	for i, c := range text {
		if c == '+' {
			text[i] = ' '
		}
	}
	return text
}
