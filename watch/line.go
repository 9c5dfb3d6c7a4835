package watch

import (
	"bytes"
	"errors"
)

// ErrNotFormat is a line that is not of the format that it was given as.
var ErrNotFormat = errors.New("not a line of this format")

// wholeLine is what every line is called as a whole, so that rules of keywords find their words in it.
const wholeLine = "event.original"

// Line makes a record of one line of text, without its end. header is the line that says what stands where, of formats that
// have one (W3C, CSV). A line that the format does not fit is ErrNotFormat, and the record is that of Lines: nothing is lost
// on rules that look for words.
func (d *Decoder) Line(format Format, header, line []byte, r *Record) error {
	d.begin(r)
	if d.lines == nil {
		d.lines = newLineTables(d.names)
	}
	r.Raw = line
	var ok bool
	switch format {
	case JSON, EVTX:
		_, err := d.JSON(line, r)
		return err
	case Syslog:
		ok = d.syslog(line, r)
	case Auditd:
		ok = d.auditd(line, r)
	case Combined, Ivanti:
		ok = d.weblog(line, r, classWebserver)
	case W3C:
		ok = d.w3c(header, line, r)
	case Squid:
		ok = d.squid(line, r)
	case BIND:
		ok = d.bind(line, r)
	case Iptables:
		ok = d.iptables(line, r)
	case KeyValue:
		ok = d.keyValue(line, r)
	case CSV:
		ok = d.csv(header, line, r)
	case CEF:
		ok = d.cef(line, r)
	case LEEF:
		ok = d.leef(line, r)
	default:
		ok = d.anyLine(line, r)
	}
	if !ok {
		d.begin(r)
		r.Raw = line
	}
	put(r, d.lines.whole, line)
	if !ok {
		return ErrNotFormat
	}
	return nil
}

// The classes of lines.
var (
	classWebserver  = ClassOf(logOf("", "", "webserver"))
	classApache     = ClassOf(logOf("apache", "apache", "webserver"))
	classApacheLog  = ClassOf(logOf("apache", "apache", ""))
	classNginx      = ClassOf(logOf("nginx", "nginx", "webserver"))
	classNginxLog   = ClassOf(logOf("nginx", "nginx", ""))
	classIIS        = ClassOf(logOf("windows", "iis", "webserver"))
	classProxy      = ClassOf(logOf("", "", "proxy"))
	classFirewall   = ClassOf(logOf("", "", "firewall"))
	classDNS        = ClassOf(logOf("", "", "dns"))
	classAntivirus  = ClassOf(logOf("", "", "antivirus"))
	classDatabase   = ClassOf(logOf("", "", "database"))
	classNetflow    = ClassOf(logOf("", "netflow", "firewall"))
	classAuditd     = ClassOf(logOf("linux", "auditd", ""))
	classSyslog     = ClassOf(logOf("linux", "syslog", ""))
	classFortiEvent = ClassOf(logOf("fortigate", "event", ""))
	classFortiFlow  = ClassOf(logOf("fortigate", "traffic", "firewall"))
	classPaloFlow   = ClassOf(logOf("paloalto", "traffic", "firewall"))
	classPaloVPN    = ClassOf(logOf("paloalto", "globalprotect", "appliance"))
)

// anyLine is a text that no format is known for. The error logs of web servers are known by how they begin.
func (d *Decoder) anyLine(line []byte, r *Record) bool {
	switch {
	case len(line) > 30 && line[0] == '[' && weekday(line[1:]):
		r.Class = classApacheLog
		if end := bytes.IndexByte(line, ']'); end > 0 {
			r.Time = line[1:end]
		}
	case len(line) > 22 && line[4] == '/' && line[7] == '/' && line[13] == ':' && line[20] == '[':
		r.Class = classNginxLog
		r.Time = line[:19]
	}
	return true
}

func weekday(b []byte) bool {
	for _, day := range [...]string{"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "} {
		if len(b) >= 4 && string(b[:4]) == day {
			return true
		}
	}
	return false
}

// lineTables are the columns of all formats for one set of names.
type lineTables struct {
	names    *Names
	whole    []target
	syslog   [][]target
	sudo     keys
	audit    auditTables
	web      [][]target
	squid    [][]target
	dns      [][]target
	iptables keys
	network  keys
	header   headerTables
	panos    [][]target
	cef      keys
	cefHead  [][]target
	url      [][]target
}

// A column is one value of a line: its own name, and after it the names that rules ask for it by.
type column string

// columns are resolved against the names that somebody asks for; the own name of a value always stands first.
func (l *lineTables) columns(all ...column) [][]target {
	resolved := make([][]target, len(all))
	for i, c := range all {
		for j, name := range bytes.Fields([]byte(c)) {
			if f := l.names.Find(name); f != 0 || j == 0 {
				resolved[i] = append(resolved[i], target{field: f, name: name})
			}
		}
	}
	return resolved
}

// keys are the columns of lines that name their values.
type keys struct {
	names *Names
	to    [][]target // by number of the name
}

func (l *lineTables) keys(all ...column) keys {
	var k keys
	var names []string
	for _, c := range all {
		names = append(names, string(bytes.Fields([]byte(c))[0]))
	}
	k.names = NewNames(names...)
	k.to = make([][]target, k.names.Len()+1)
	for i, to := range l.columns(all...) {
		if n := k.names.Find([]byte(names[i])); k.to[n] == nil {
			k.to[n] = to
		}
	}
	return k
}

func newLineTables(names *Names) *lineTables {
	l := &lineTables{names: names}
	l.whole = l.columns(wholeLine)[0]
	l.syslog = l.columns(syslogColumns...)
	l.sudo = l.keys("TTY", "PWD CurrentDirectory", "USER", "COMMAND CommandLine")
	l.audit = newAuditTables(l)
	l.web = l.columns(webColumns...)
	l.url = l.columns(urlColumns...)
	l.squid = l.columns(squidColumns...)
	l.dns = l.columns(dnsColumns...)
	l.iptables = l.keys(iptablesKeys...)
	l.network = l.keys(networkKeys...)
	l.panos = l.columns(panosColumns...)
	l.cef = l.keys(cefKeys...)
	l.cefHead = l.columns(cefColumns...)
	l.header.w3c = l.keys(w3cKeys...)
	return l
}

// put adds a value by all its names.
func put(r *Record, to []target, text []byte) {
	for i := range to {
		r.Values = append(r.Values, Value{Field: to[i].field, Name: to[i].name, Text: text})
	}
}

// keep adds a value that the line itself names.
func (d *Decoder) keep(r *Record, k keys, key, text []byte) {
	if n := k.names.Find(key); n != 0 {
		put(r, k.to[n], text)
		return
	}
	r.Values = append(r.Values, Value{Field: d.names.Find(key), Name: key, Text: text})
}

// value is the first value of a name that the record has so far; nil where it has none.
func value(r *Record, name string) []byte {
	for i := range r.Values {
		if string(r.Values[i].Name) == name {
			return r.Values[i].Text
		}
	}
	return nil
}

// word cuts the first word off a text, and the blanks after it.
func word(b []byte) (first, rest []byte) {
	n := bytes.IndexByte(b, ' ')
	if n < 0 {
		return b, nil
	}
	return b[:n], bytes.TrimLeft(b[n:], " ")
}

// quotedWord cuts a text in quotation marks off, or a word; within the marks \ escapes what follows it.
func quotedWord(b []byte) (first, rest []byte) {
	if len(b) == 0 || b[0] != '"' {
		return word(b)
	}
	end := closingQuote(b, 1, '"')
	return b[1:end], bytes.TrimLeft(b[min(end+1, len(b)):], " ")
}

// closingQuote is where the quotation ends that the text is in at from; the end of the text if nowhere.
func closingQuote(b []byte, from int, mark byte) int {
	for i := from; i < len(b); {
		n := bytes.IndexByte(b[i:], mark)
		if n < 0 {
			return len(b)
		}
		at := i + n
		escapes := 0
		for at-1-escapes >= from && b[at-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return at
		}
		i = at + 1
	}
	return len(b)
}

// unescaped is a text without the backslashes that escape one of the given bytes.
func (d *Decoder) unescaped(text []byte, these string) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	d.room(d.used, len(text))
	from := d.used
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) && bytes.IndexByte([]byte(these), text[i+1]) >= 0 {
			i++
			if c = text[i]; c == 'n' {
				c = '\n'
			} else if c == 'r' {
				c = '\r'
			}
		}
		d.scratch[d.used] = c
		d.used++
	}
	return d.scratch[from:d.used:d.used]
}

// pairs reads key=value, with and without quotation marks, divided by blanks or one of the given other bytes.
func (d *Decoder) pairs(b []byte, r *Record, k keys, divides string) {
	for len(b) > 0 {
		i := 0
		for i < len(b) && (b[i] == ' ' || b[i] == '\t' || contains(divides, b[i])) {
			i++
		}
		start := i
		for i < len(b) && b[i] != '=' && b[i] != ' ' && !contains(divides, b[i]) {
			i++
		}
		if i >= len(b) || b[i] != '=' {
			b = b[i:]
			continue
		}
		key := b[start:i]
		i++
		from := i
		if i < len(b) && (b[i] == '"' || b[i] == '\'') {
			end := closingQuote(b, i+1, b[i])
			d.keep(r, k, key, d.unescaped(b[i+1:end], `"'\`))
			b = b[min(end+1, len(b)):]
			continue
		}
		for i < len(b) && b[i] != ' ' && !contains(divides, b[i]) {
			i++
		}
		d.keep(r, k, key, b[from:i])
		b = b[i:]
	}
}

func contains(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}
