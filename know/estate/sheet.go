package estate

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"wardwatch/ward"
)

// Sheet reads exports of separated values whose columns go by several names, as tools and their reports have named them over
// the years. What stands before the header, as report servers write, is passed over.
type Sheet struct {
	Names map[string][]string // our column to the headers by which it goes, the preferred first, folded by Header
	Needs [][]string          // of each group, one column must be there
	Wide  bool                // fields hold whole outputs of programs, over many lines
	Hint  string              // what to export, when a needed column is missing

	mapped map[string]string
}

// Line is one record of a sheet.
type Line struct {
	Number int
	values []string
	at     map[string][]int
}

// Get is the first value that a column holds.
func (l Line) Get(column string) string {
	for _, place := range l.at[column] {
		if place < len(l.values) && l.values[place] != "" {
			return l.values[place]
		}
	}
	return ""
}

// mostPreamble is how many records may stand before the header.
const mostPreamble = 20

var reportTable = regexp.MustCompile(`^details?_table\d*_`)

// Header folds a header for comparison: "Netbios_Name0" and "Details_Table0_Netbios_Name" are "netbiosname".
func Header(title string) string {
	folded := reportTable.ReplaceAllString(key(title), "")
	folded = strings.ReplaceAll(folded, "_", "")
	return strings.TrimSuffix(folded, "0")
}

// Mapped is the sheet with some columns under other headers.
func (s Sheet) Mapped(mapping map[string]string) Sheet {
	names := maps.Clone(s.Names)
	for ours, theirs := range mapping {
		names[ours] = []string{Header(theirs)}
	}
	s.Names, s.mapped = names, mapping
	return s
}

// Fits reports whether a header has the columns that are needed.
func (s Sheet) Fits(header []string) bool {
	at := s.places(header)
	return !slices.ContainsFunc(s.Needs, func(group []string) bool {
		return !slices.ContainsFunc(group, func(column string) bool { return len(at[column]) > 0 })
	})
}

func (s Sheet) places(header []string) map[string][]int {
	folded := make([]string, len(header))
	for i, title := range header {
		folded[i] = Header(title)
	}
	at := map[string][]int{}
	for ours, theirs := range s.Names {
		for _, name := range theirs {
			for i, title := range folded {
				if title == name {
					at[ours] = append(at[ours], i)
				}
			}
		}
	}
	return at
}

// HeaderOf finds the header in the first bytes of an input.
func (s Sheet) HeaderOf(head []byte) (header []string, ok bool) {
	trimmed := strings.TrimSpace(string(head))
	if trimmed == "" || strings.ContainsAny(trimmed[:1], "{[<") || strings.ContainsRune(trimmed, 0) {
		return nil, false
	}
	table, err := NewTable(strings.NewReader(trimmed))
	if err != nil {
		return nil, false
	}
	header, err = s.header(table)
	return header, err == nil
}

// header reads on to the header.
func (s Sheet) header(table *Table) ([]string, error) {
	var first []string
	for n := 0; n < mostPreamble; n++ {
		fields, _, err := table.Next()
		var bad *BadRecord
		switch {
		case errors.As(err, &bad):
			continue
		case errors.Is(err, io.EOF) && n == 0:
			return nil, &ward.Invalid{Problem: "is empty", Hint: s.Hint}
		case errors.Is(err, io.EOF):
			n = mostPreamble
			continue
		case err != nil:
			return nil, err
		}
		if first == nil {
			first = slices.Clone(fields)
		}
		if s.Fits(fields) {
			return slices.Clone(fields), nil
		}
	}
	return nil, &ward.Invalid{Problem: "lacks a column that is needed; it has " + quoted(first), Hint: s.Hint}
}

// quoted lists headers for a person, bounded.
func quoted(header []string) string {
	var all []string
	for _, title := range header {
		if len(all) == 20 {
			all = append(all, "...")
			break
		}
		all = append(all, fmt.Sprintf("%q", short(title)))
	}
	return strings.Join(all, ", ")
}

// Read calls each for every record. A reason that it returns rejects the record.
func (s Sheet) Read(in io.Reader, tally *Tally, each func(Line) (reason string, err error)) error {
	table, err := NewTable(in)
	if err != nil {
		return err
	}
	table.wide = s.Wide
	header, err := s.header(table)
	if err != nil {
		return err
	}
	line := Line{at: s.places(header)}
	for _, ours := range slices.Sorted(maps.Keys(s.mapped)) {
		if len(line.at[ours]) == 0 {
			return &ward.Invalid{Field: "mapping", Problem: fmt.Sprintf("there is no column %q for %s", short(s.mapped[ours]), ours), Hint: "the input has " + quoted(header)}
		}
	}
	for {
		fields, number, err := table.Next()
		var bad *BadRecord
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			tally.Reject(bad.Line, bad.Reason)
			continue
		case err != nil:
			return err
		case len(fields) > len(header) && strings.Join(fields[len(header):], "") != "":
			tally.Reject(number, fmt.Sprintf("has %d fields and the header %d: quote a field that holds the separator", len(fields), len(header)))
			continue
		}
		line.Number, line.values = number, fields
		reason, err := each(line)
		if err != nil {
			return err
		}
		if reason != "" {
			tally.Reject(number, reason)
		}
	}
}

// OperatingSystem is the software that a device's operating system is, from its name and version as management tools write
// them; zero when neither says which.
func OperatingSystem(name, version string) ward.Software {
	name, version = Clean(name), Clean(version)
	folded := strings.ToLower(name)
	switch {
	case name == "":
		return ward.Software{}
	case strings.HasPrefix(folded, "microsoft "):
		return ward.Software{Vendor: "Microsoft", Product: name[len("microsoft "):], Version: version}
	case folded == "windows":
		// Version 11 counts its builds from 22000 on, under the same number.
		product := "Windows"
		if build, ok := strings.CutPrefix(version, "10.0."); ok {
			build, _, _ = strings.Cut(build, ".")
			product = "Windows 10"
			if len(build) == 5 && build >= "22000" {
				product = "Windows 11"
			}
		}
		return ward.Software{Vendor: "Microsoft", Product: product, Version: version}
	case strings.HasPrefix(folded, "windows"):
		return ward.Software{Vendor: "Microsoft", Product: name, Version: version}
	case strings.HasPrefix(folded, "ios"), strings.HasPrefix(folded, "ipados"), strings.HasPrefix(folded, "macos"), strings.HasPrefix(folded, "mac os"):
		return ward.Software{Vendor: "Apple", Product: name, Version: version}
	case strings.HasPrefix(folded, "android"):
		return ward.Software{Vendor: "Google", Product: "Android", Version: version}
	}
	return ward.Software{Product: name, Version: version}
}

// ClassOf is the class that the name of an operating system tells; phones are no class of ours.
func ClassOf(system string) ward.Class {
	folded := strings.ToLower(system)
	switch {
	case strings.Contains(folded, "server"):
		return ward.Server
	case strings.Contains(folded, "windows"), strings.Contains(folded, "macos"), strings.Contains(folded, "mac os"):
		return ward.Workstation
	}
	return ""
}
