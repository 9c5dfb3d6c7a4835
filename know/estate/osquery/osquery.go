// Package osquery reads what osquery logs of the tables programs, deb_packages, rpm_packages, apps and os_version: snapshots
// (one result that holds all rows), differential logs (one row added or removed a line, or several in diffResults), and the
// JSON that osqueryi prints, where its rows name their host. One inventory comes out: for each host the state at the end of
// the log. Results of other tables are passed over. Paths, which name people, and maintainers are never read.
//
// Windows is known by its full build number; a build without its revision leaves the version unknown. Packages of
// distributions become package URLs by the host's own os_version, or by what the package itself betrays.
package osquery

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads osquery results.
type Reader struct {
	// Host is the machine of rows that name none, as osqueryi prints them; empty rejects such rows.
	Host string
}

// Format implements estate.Reader.
func (Reader) Format() string { return "osquery" }

// Classes implements estate.Knower: osquery sees what carries its agent.
func (Reader) Classes() []ward.Class { return []ward.Class{ward.Workstation, ward.Server} }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	text := bytes.TrimSpace(head)
	if !bytes.HasPrefix(text, []byte("{")) && !bytes.HasPrefix(text, []byte("[")) {
		return false
	}
	has := func(name string) bool { return bytes.Contains(head, []byte(`"`+name+`"`)) }
	return (has("hostIdentifier") || has("host_identifier")) && (has("columns") || has("snapshot") || has("diffResults") || has("version") || has("unixTime"))
}

// mostLine bounds a result in bytes: the snapshot of every package of a host is about 2 MB.
const mostLine = 64 << 20

// Read implements estate.Reader. Rows come when the whole log has been read, since its end decides; a row's Line is that
// of the result which it came with.
func (o Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	text, err := estate.UTF8(r)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/osquery: %w", err)
	}
	l := &log{tally: estate.NewTally(yield), hosts: map[string]*host{}, host: estate.Clean(o.Host)}
	in := bufio.NewReaderSize(text, 64<<10)
	first, err := firstByte(in)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
	case first == '[':
		err = l.array(in)
	default:
		err = l.lines(in)
	}
	if err == nil {
		err = l.yield()
	}
	if err != nil {
		return l.tally.Summary, fmt.Errorf("estate/osquery: %w", err)
	}
	return l.tally.Summary, nil
}

func firstByte(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, in.UnreadByte()
		}
	}
}

// log is a reading: what every host has, as far as it has been read.
type log struct {
	tally *estate.Tally
	hosts map[string]*host
	order []*host
	known bool   // a result of a table that is read
	host  string // of rows that name none
}

// host is one machine, with the rows of each of its queries.
type host struct {
	name    string
	line    int
	queries map[string]*query
	order   []*query
	os      columns
}

// query is one query's rows on one host.
type query struct {
	epoch json.Number
	rows  map[string]columns // by what tells one from another
	lines map[string]int
	order []string
}

// columns are the texts of one row. osquery writes numbers as text, and some forwarders as numbers.
type columns map[string]any

func (c columns) text(name string) string {
	switch v := c[name].(type) {
	case string:
		return estate.Clean(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// result is one line of the log.
type result struct {
	Name        string      `json:"name"`
	Host        string      `json:"hostIdentifier"`
	UnixTime    json.Number `json:"unixTime"`
	Epoch       json.Number `json:"epoch"`
	Action      string      `json:"action"`
	Columns     columns     `json:"columns"`
	Snapshot    []columns   `json:"snapshot"`
	DiffResults *struct {
		Added   []columns `json:"added"`
		Removed []columns `json:"removed"`
	} `json:"diffResults"`
	Decorations map[string]any `json:"decorations"`
}

// lines reads a log, one result a line. A line that cannot be read costs only itself, unless it is the last and has no end.
func (l *log) lines(in *bufio.Reader) error {
	for number := 1; ; number++ {
		line, long, err := readLine(in)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 {
			reason := l.result(trimmed, number)
			switch {
			case long:
				reason = fmt.Sprintf("longer than %d MiB", mostLine>>20)
			case reason != "" && last && !json.Valid(trimmed):
				return &ward.Invalid{Problem: fmt.Sprintf("is cut short in line %d", number), Hint: "collect it again"}
			}
			if reason != "" {
				l.tally.Reject(number, reason)
			}
		}
		if last {
			return nil
		}
	}
}

// readLine reads a line, of which it keeps no more than mostLine bytes.
func readLine(in *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(part) > mostLine; !long {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// array reads a list of results, or of bare rows that name their host.
func (l *log) array(in io.Reader) error {
	decoder := json.NewDecoder(in)
	decoder.UseNumber()
	cut := func(err error) error {
		var syntax *json.SyntaxError
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax) {
			return &ward.Invalid{Problem: "is cut short or no JSON", Hint: "collect it again"}
		}
		return err
	}
	if _, err := decoder.Token(); err != nil {
		return cut(err)
	}
	for number := 1; decoder.More(); number++ {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return cut(err)
		}
		if reason := l.result(raw, number); reason != "" {
			l.tally.Reject(number, reason)
		}
	}
	_, err := decoder.Token()
	return cut(err)
}

func decode(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("more than one value")
	}
	return nil
}

// result takes in one result, and says what is wrong with it, or nothing.
func (l *log) result(raw []byte, line int) (reason string) {
	var r result
	if err := decode(raw, &r); err != nil {
		return "is no result of osquery"
	}
	if r.Columns == nil && r.Snapshot == nil && r.DiffResults == nil {
		return l.bare(raw, line)
	}
	name := estate.Clean(r.Host)
	if given, ok := r.Decorations["hostname"].(string); ok && estate.Clean(given) != "" {
		name = estate.Clean(given)
	}
	if name == "" {
		return "names no host"
	}
	if r.Snapshot == nil && r.DiffResults == nil && r.Action != "added" && r.Action != "removed" {
		return fmt.Sprintf("action %.20q is not known", r.Action)
	}
	q := l.query(name, r.Name, line)
	l.observed(r.UnixTime)
	if r.Epoch != q.epoch { // the agent began anew
		q.clear()
		q.epoch = r.Epoch
	}
	switch {
	case r.Snapshot != nil:
		q.clear()
		for _, c := range r.Snapshot {
			q.add(c, line)
		}
	case r.DiffResults != nil:
		for _, c := range r.DiffResults.Removed {
			q.remove(c)
		}
		for _, c := range r.DiffResults.Added {
			q.add(c, line)
		}
	case r.Action == "added":
		q.add(r.Columns, line)
	default:
		q.remove(r.Columns)
	}
	return ""
}

// bare takes in a row as osqueryi prints it.
func (l *log) bare(raw []byte, line int) string {
	var c columns
	if err := decode(raw, &c); err != nil {
		return "is no row of osquery"
	}
	name := l.host
	for _, column := range []string{"hostIdentifier", "host_identifier", "hostname"} {
		name = cmp.Or(c.text(column), name)
	}
	if name != "" {
		l.query(name, "", line).add(c, line)
		l.tables(name, raw, line)
		return ""
	}
	return "names no host: select it with the rows, as host_identifier"
}

// tables takes in the rows of an object that holds them by table.
func (l *log) tables(host string, raw []byte, line int) {
	var all map[string]json.RawMessage
	if decode(raw, &all) != nil {
		return
	}
	for _, table := range []string{osVersion, programs, apps, deb, rpm} {
		var rows []columns
		if body, ok := all[table]; ok && decode(body, &rows) == nil {
			for _, c := range rows {
				l.query(host, table, line).add(c, line)
			}
		}
	}
}

func (l *log) observed(seconds json.Number) {
	if n, err := strconv.ParseInt(seconds.String(), 10, 64); err == nil && n > 0 && n < 1<<40 {
		if at := time.Unix(n, 0).UTC(); at.After(l.tally.ObservedAt) {
			l.tally.ObservedAt = at
		}
	}
}

func (l *log) query(hostName, name string, line int) *query {
	h := l.hosts[strings.ToLower(hostName)]
	if h == nil {
		h = &host{name: hostName, line: line, queries: map[string]*query{}}
		l.hosts[strings.ToLower(hostName)] = h
		l.order = append(l.order, h)
	}
	q := h.queries[name]
	if q == nil {
		q = &query{}
		q.clear()
		h.queries[name] = q
		h.order = append(h.order, q)
	}
	return q
}

func (q *query) clear() {
	q.rows, q.lines, q.order = map[string]columns{}, map[string]int{}, nil
}

// key tells rows of one query apart.
func (c columns) key() string {
	body, err := json.Marshal(c) // its members in order
	if err != nil {
		return ""
	}
	return string(body)
}

func (q *query) add(c columns, line int) {
	key := c.key()
	if _, have := q.rows[key]; !have {
		q.order = append(q.order, key)
	}
	q.rows[key], q.lines[key] = c, line
}

func (q *query) remove(c columns) { delete(q.rows, c.key()) }

// yield gives every host with what it has at the end.
func (l *log) yield() error {
	for _, h := range l.order {
		h.findSystem()
		l.known = l.known || h.recognised()
	}
	if !l.known {
		return &ward.Invalid{Problem: "holds no result of programs, deb_packages, rpm_packages, apps or os_version",
			Hint: "schedule queries of these tables, or give the log of a time when they ran"}
	}
	for _, h := range l.order {
		if err := h.yield(l.tally); err != nil {
			return err
		}
	}
	return nil
}

// each visits the rows of a host that are there at the end.
func (h *host) each(visit func(c columns, line int) error) error {
	for _, q := range h.order {
		for _, key := range q.order {
			c, there := q.rows[key]
			if !there {
				continue // removed since
			}
			if err := visit(c, q.lines[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *host) findSystem() {
	_ = h.each(func(c columns, _ int) error { // visit returns nil
		if tableOf(c) == osVersion {
			h.os = c
		}
		return nil
	})
}

func (h *host) recognised() (known bool) {
	_ = h.each(func(c columns, _ int) error {
		known = known || tableOf(c) != ""
		return nil
	})
	return known
}

func (h *host) yield(tally *estate.Tally) error {
	row := estate.Row{Line: h.line, Asset: h.name, Class: classOf(h.os)}
	yielded := false
	seen := map[ward.Software]bool{}
	err := h.each(func(c columns, line int) error {
		sw, ok := h.software(c)
		if !ok || seen[sw] {
			return nil
		}
		seen[sw] = true
		row := row
		row.Line, row.Software = line, sw
		yielded = true
		return tally.Row(row)
	})
	if err != nil || yielded {
		return err
	}
	return tally.Row(row)
}
