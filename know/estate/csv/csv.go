// Package csv reads inventories of separated values with a header row. The column asset is needed; vendor, product, version,
// cpe, purl, class, site, internet_facing, data, services and operator are read where they stand, and serial_number,
// asset_tag, mac, fqdn, entra_device_id, hardware_id and cloud_id, by which a device is known in other inventories. In an operator's own list, accountable
// names the organisations that it runs the asset for. Headers are compared without case, spaces and marks; others are reached
// by a mapping. A column that is not named here, such as the user of a
// machine, is never read.
package csv

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Columns are the columns that are read, by the names of a mapping.
var Columns = []string{"asset", "class", "site", "internet_facing", "data", "services", "operator", "vendor", "product", "version", "cpe", "purl",
	"accountable", "serial_number", "asset_tag", "mac", "fqdn", "entra_device_id", "hardware_id", "cloud_id"}

// Reader reads CSV. Its zero value expects the headers of Columns.
type Reader struct {
	// Mapping goes from a column's name to the header it has in the input.
	Mapping map[string]string
}

// Format implements estate.Reader.
func (Reader) Format() string { return "csv" }

// With implements estate.Mapper.
func (Reader) With(mapping map[string]string) estate.Reader { return Reader{Mapping: mapping} }

// Recognises implements estate.Reader.
func (r Reader) Recognises(name string, head []byte) bool {
	trimmed := strings.TrimSpace(string(head))
	if trimmed == "" || strings.ContainsAny(trimmed[:1], "{[<") {
		return false
	}
	if slices.Contains([]string{".csv", ".tsv"}, strings.ToLower(filepath.Ext(name))) {
		return true
	}
	table, err := estate.NewTable(strings.NewReader(trimmed))
	if err != nil {
		return false
	}
	header, _, err := table.Next()
	if err != nil {
		return false
	}
	_, err = r.columns(header)
	return err == nil
}

// Read implements estate.Reader.
func (r Reader) Read(in io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	table, err := estate.NewTable(in)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/csv: %w", err)
	}
	header, _, err := table.Next()
	if errors.Is(err, io.EOF) {
		return estate.Summary{}, fmt.Errorf("estate/csv: %w", &ward.Invalid{Problem: "is empty", Hint: "the first line names the columns: " + strings.Join(Columns, ", ")})
	}
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/csv: header: %w", err)
	}
	columns, err := r.columns(header)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/csv: %w", err)
	}
	tally := estate.NewTally(yield)
	lists := lists{}
	for width := len(header); ; {
		fields, line, err := table.Next()
		var bad *estate.BadRecord
		switch {
		case errors.Is(err, io.EOF):
			return tally.Summary, nil
		case errors.As(err, &bad):
			tally.Reject(bad.Line, bad.Reason)
			continue
		case err != nil:
			return tally.Summary, fmt.Errorf("estate/csv: line %d: %w", line, err)
		}
		if extra := len(fields) - width; extra > 0 && strings.Join(fields[width:], "") != "" {
			tally.Reject(line, fmt.Sprintf("has %d fields and the header %d: quote a field that holds the separator", len(fields), width))
			continue
		}
		row, reason := columns.row(fields, lists)
		row.Line = line
		if reason != "" {
			tally.Reject(line, reason)
			continue
		}
		if err := tally.Row(row); err != nil {
			return tally.Summary, err
		}
	}
}

// columns says at which places of a record each column of Columns stands. A column that stands more than once is merged.
type columns [][]int

func (r Reader) columns(header []string) (columns, error) {
	for _, ours := range slices.Sorted(maps.Keys(r.Mapping)) {
		if !slices.Contains(Columns, ours) {
			return nil, &ward.Invalid{Field: "mapping", Problem: fmt.Sprintf("%q is no column", ours), Hint: "map one of " + strings.Join(Columns, ", ")}
		}
	}
	at := make(columns, len(Columns))
	for i, ours := range Columns {
		theirs, mapped := r.Mapping[ours]
		if !mapped {
			theirs = ours
		}
		for place, title := range header {
			if estate.Key(title) == estate.Key(theirs) {
				at[i] = append(at[i], place)
			}
		}
		if mapped && len(at[i]) == 0 {
			return nil, &ward.Invalid{Field: "mapping", Problem: fmt.Sprintf("there is no column %q for %s", theirs, ours), Hint: "the input has " + list(header)}
		}
	}
	if len(at[0]) == 0 {
		return nil, &ward.Invalid{Field: "asset", Problem: "there is no such column", Hint: "the first line must name the columns; it has " + list(header) + ": rename one, or map it"}
	}
	return at, nil
}

// list quotes a header for a person, bounded.
func list(header []string) string {
	var quoted []string
	for _, title := range header {
		if len(quoted) == 20 {
			quoted = append(quoted, "...")
			break
		}
		if len(title) > 40 {
			title = title[:40] + "..."
		}
		quoted = append(quoted, fmt.Sprintf("%q", title))
	}
	return strings.Join(quoted, ", ")
}

// first is the first value that a column holds.
func (c columns) first(column int, fields []string) string {
	for _, place := range c[column] {
		if place < len(fields) && fields[place] != "" {
			return fields[place]
		}
	}
	return ""
}

// all is every value of a column, joined as one list.
func (c columns) all(column int, fields []string) string {
	if len(c[column]) < 2 {
		return c.first(column, fields)
	}
	var values []string
	for _, place := range c[column] {
		if place < len(fields) && fields[place] != "" {
			values = append(values, fields[place])
		}
	}
	return strings.Join(values, ";")
}

// row reads one record in the order of Columns.
func (c columns) row(fields []string, lists lists) (row estate.Row, reason string) {
	reachable, ok := estate.ParseTri(c.first(3, fields))
	if !ok {
		return row, fmt.Sprintf("internet_facing %.40q is neither yes nor no", c.first(3, fields))
	}
	return estate.Row{
		Asset: c.first(0, fields), Class: estate.ParseClass(c.first(1, fields)), Site: c.first(2, fields), Reachable: reachable,
		Data: lists.of("data", c.all(4, fields), estate.ParseCategories), Services: lists.of("services", c.all(5, fields), estate.ParseList),
		Operator: ward.OrgID(strings.ToUpper(c.first(6, fields))), Accountable: c.accountable(fields), Marks: c.marks(fields),
		Software: ward.Software{Vendor: c.first(7, fields), Product: c.first(8, fields), Version: c.first(9, fields), CPE: c.first(10, fields), PURL: c.first(11, fields)},
	}, ""
}

// accountable reads the codes of the organisations that an operator runs the asset for.
func (c columns) accountable(fields []string) (all []ward.OrgID) {
	for _, code := range estate.ParseList(c.all(12, fields)) {
		all = append(all, ward.OrgID(strings.ToUpper(code)))
	}
	return all
}

// marks reads by what the device is known.
func (c columns) marks(fields []string) (m estate.Marks) {
	for i, kind := range []estate.MarkKind{estate.BySerial, estate.ByTag, estate.ByMAC, estate.ByFQDN, estate.ByEntra, estate.ByHardware, estate.ByCloud} {
		switch text := c.first(13+i, fields); {
		case text == "":
		case kind == estate.ByMAC:
			m.AddAll(kind, text)
		default:
			m.Add(kind, text)
		}
	}
	return m
}

// lists remembers how a list was read, because hundreds of rows repeat it.
type lists map[[2]string][]string

func (l lists) of(column, text string, parse func(string) []string) []string {
	if text == "" {
		return nil
	}
	known, ok := l[[2]string{column, text}]
	if !ok {
		if len(l) >= 1<<14 {
			clear(l)
		}
		known = parse(text)
		l[[2]string{column, text}] = known
	}
	return slices.Clip(known)
}
