package watch

import (
	"bytes"
	"strings"
)

// A mark is the number of a name that the tables of this package look at. Marks begin at 1.
type mark uint16

// A source is a log that comes as JSON: how its records are known, and by which other names its values are asked for.
type source struct {
	title string
	// when is what a record has, all of it: a name; name=a|b, one of its values is one of these; name^a|b, begins with one of
	// these; name$a, ends with it. Case does not count.
	when string
	log  Log
	// times are the names that say when it happened, the best first.
	times string
	// names is what the values are called too.
	names []alias
}

// clauses are a source's when, read.
type clause struct {
	mark   mark
	how    byte // 0, '=', '^', '$'
	values []string
}

type reader struct {
	signs   signs // all of these must be there
	clauses []clause
	class   Class
	times   []mark
	names   []alias
}

// signs is a set of marks. Names that say which log a record is come first among the marks, so that they fit.
type signs [3]uint64

func (s *signs) add(m mark) {
	if int(m) < 64*len(s) {
		s[m>>6] |= 1 << (m & 63)
	}
}

func (s *signs) has(all *signs) bool {
	return s[0]&all[0] == all[0] && s[1]&all[1] == all[1] && s[2]&all[2] == all[2]
}

// knownNames are all names that the tables look at: first those that tell logs apart.
var knownNames = func() *Names {
	var names []string
	names = append(append(names, windowsIDs...), windowsLogs...)
	for _, s := range sources {
		for _, c := range strings.Fields(s.when) {
			names = append(names, clauseName(c))
		}
	}
	for _, s := range sources {
		names = append(names, strings.Fields(s.times)...)
		for _, a := range s.names {
			names = append(names, a.from)
		}
	}
	names = append(append(names, windowsTimes...), "EventType", "OperationType")
	for _, w := range windowsNames {
		for _, a := range w.names {
			names = append(names, a.from)
		}
	}
	names = append(names, anyTimes...)
	return NewNames(append(names, pairName, pairText)...)
}()

func findMark(name []byte) mark { return mark(knownNames.Find(name)) } //nolint:gosec // some hundred names

func markOf(name string) mark { return findMark([]byte(name)) }

func marksOf(names []string) []mark {
	marks := make([]mark, len(names))
	for i, name := range names {
		marks[i] = markOf(name)
	}
	return marks
}

func clauseName(c string) string {
	if at := strings.IndexAny(c, "=^$"); at > 0 {
		return c[:at]
	}
	return c
}

// readers are the sources in the order in which they are tried.
var readers = func() []reader {
	all := make([]reader, len(sources))
	for i, s := range sources {
		r := reader{class: ClassOf(s.log), times: marksOf(strings.Fields(s.times)), names: s.names}
		for _, text := range strings.Fields(s.when) {
			name := clauseName(text)
			m := markOf(name)
			r.signs.add(m)
			if len(text) > len(name) {
				r.clauses = append(r.clauses, clause{m, text[len(name)], strings.Split(strings.ToLower(text[len(name)+1:]), "|")})
			}
		}
		all[i] = r
	}
	return all
}()

// anyTimes are where a record of an unknown log may say when it happened.
var anyTimes = []string{"@timestamp", "timestamp", "time", "eventTime", "ts", "date", "datetime", "created", "Timestamp"}

var anyTimeMarks = marksOf(anyTimes)

// finish says which log the record is of, when it happened, and by which names its values are known besides.
func (d *Decoder) finish(r *Record) {
	if d.windows(r) {
		return
	}
	for i := range readers {
		s := &readers[i]
		if d.signs.has(&s.signs) && d.fulfils(r, s.clauses) {
			r.Class = s.class
			r.Time = d.firstOf(r, s.times)
			d.addNames(r, d.tables.sources[i])
			return
		}
	}
	r.Time = d.firstOf(r, anyTimeMarks)
}

func (d *Decoder) fulfils(r *Record, clauses []clause) bool {
	for i := range clauses {
		if !d.fulfilsOne(r, &clauses[i]) {
			return false
		}
	}
	return true
}

func (d *Decoder) fulfilsOne(r *Record, c *clause) bool {
	for _, m := range d.marked {
		if m.mark != c.mark {
			continue
		}
		text := r.Values[m.value].Text
		for _, want := range c.values {
			switch {
			case len(text) < len(want):
			case c.how == '=' && len(text) == len(want) && sameFold(text, want),
				c.how == '^' && sameFold(text[:len(want)], want),
				c.how == '$' && sameFold(text[len(text)-len(want):], want):
				return true
			}
		}
	}
	return false
}

// sameFold compares a text with one of its length that is small and ASCII.
func sameFold(text []byte, small string) bool {
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != small[i] {
			return false
		}
	}
	return true
}

// firstOf is the first value that is not empty, of the first of the names that has one.
func (d *Decoder) firstOf(r *Record, names []mark) []byte {
	for _, m := range names {
		if text := d.get(r, m); len(text) > 0 {
			return text
		}
	}
	return nil
}

// An alias is a name that a value is asked for by besides its own.
type alias struct {
	from, to string
	// as makes the other value of this one; nil: it is the same.
	as func(d *Decoder, r *Record, text []byte) []byte
}

// A target is an alias that somebody asks for.
type target struct {
	field Field
	name  []byte
	as    func(d *Decoder, r *Record, text []byte) []byte
}

// A table is, by mark, what a value is called too; empty where nobody asks.
type table [][]target

// tables are the aliases of all logs, as far as somebody asks for them.
type tables struct {
	sources []table // by place in sources
	windows []table // by place in windowsNames
}

func newTables(names *Names) tables {
	var t tables
	for _, s := range sources {
		t.sources = append(t.sources, newTable(names, s.names))
	}
	for _, w := range windowsNames {
		t.windows = append(t.windows, newTable(names, w.names))
	}
	return t
}

func newTable(names *Names, aliases []alias) table {
	var t table
	for _, a := range aliases {
		f := names.Find([]byte(a.to))
		if f == 0 {
			continue
		}
		if t == nil {
			t = make(table, knownNames.Len()+1)
		}
		m := markOf(a.from)
		t[m] = append(t[m], target{f, []byte(a.to), a.as})
	}
	return t
}

// addNames adds the values under their other names.
func (d *Decoder) addNames(r *Record, t table) {
	if t == nil {
		return
	}
	for _, m := range d.marked {
		for i := range t[m.mark] {
			to := &t[m.mark][i]
			v := r.Values[m.value]
			if to.as != nil {
				if v.Text = to.as(d, r, v.Text); v.Text == nil {
					continue
				}
			}
			v.Field, v.Name = to.field, to.name
			r.Values = append(r.Values, v)
		}
	}
}

// The ways to make one value of another. They give back a part of the text or write to the record's room.

// beforeQuery is a URL without what follows its question mark.
func beforeQuery(_ *Decoder, _ *Record, text []byte) []byte {
	stem, _, _ := bytes.Cut(text, []byte("?"))
	return stem
}

// afterQuery is what follows the question mark of a URL; nothing where it has none.
func afterQuery(_ *Decoder, _ *Record, text []byte) []byte {
	_, query, found := bytes.Cut(text, []byte("?"))
	if !found {
		return nil
	}
	return query
}

// extension is that of the last part of a URL's path, without its dot.
func extension(_ *Decoder, _ *Record, text []byte) []byte {
	text, _, _ = bytes.Cut(text, []byte("?"))
	if dot := bytes.LastIndexByte(text, '.'); dot > bytes.LastIndexByte(text, '/') {
		return text[dot+1:]
	}
	return nil
}

// write takes parts to the record's room, one behind the other.
func (d *Decoder) write(parts ...[]byte) []byte {
	need := 0
	for _, p := range parts {
		need += len(p)
	}
	d.room(d.used, need)
	from := d.used
	for _, p := range parts {
		d.used += copy(d.scratch[d.used:], p)
	}
	return d.scratch[from:d.used:d.used]
}
