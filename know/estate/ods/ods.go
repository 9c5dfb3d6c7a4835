// Package ods reads files of organisations: the Organisation Data Service's own headerless extracts (etr.csv and its
// sisters, 27 columns), extracts with a header (ods_code, name, ... and, for sites, parent_ods_code), and relations (from,
// kind, to, since, until). Text comes in, an estate.Directory goes out; whether a parent exists is for the register to say.
package ods

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// ReadPath reads a file, or every .csv of a folder.
func ReadPath(path string) (estate.Directory, error) {
	var directory estate.Directory
	names := []string{path}
	info, err := os.Stat(path)
	if err != nil {
		return directory, fmt.Errorf("estate/ods: %w", err)
	}
	if info.IsDir() {
		if names, err = filepath.Glob(filepath.Join(path, "*.csv")); err != nil {
			return directory, fmt.Errorf("estate/ods: %w", err)
		}
		if len(names) == 0 {
			return directory, fmt.Errorf("estate/ods: %s: %w", path, &ward.Invalid{Problem: "holds no .csv file"})
		}
	}
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return directory, fmt.Errorf("estate/ods: %w", err)
		}
		err = Read(filepath.Base(name), file, &directory)
		file.Close()
		if err != nil {
			return directory, err
		}
	}
	return directory, nil
}

// Read adds what one file says to the directory. The layout is known by its header, or by the lack of one.
func Read(name string, r io.Reader, into *estate.Directory) error {
	table, err := estate.NewTable(r)
	if err != nil {
		return fmt.Errorf("estate/ods: %s: %w", name, err)
	}
	first, line, err := table.Next()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("estate/ods: %s: %w", name, &ward.Invalid{Problem: "is empty"})
	}
	if err != nil {
		return fmt.Errorf("estate/ods: %s: %w", name, err)
	}
	file := &file{name: name, into: into, seen: map[string]int{}}
	read, err := file.layout(first)
	if err != nil {
		return fmt.Errorf("estate/ods: %s: %w", name, err)
	}
	if file.at == nil { // headerless: the first record counts
		file.take(first, line, read)
	}
	for {
		fields, line, err := table.Next()
		var bad *estate.BadRecord
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			file.reject(bad.Line, bad.Reason)
		case err != nil:
			return fmt.Errorf("estate/ods: %s: %w", name, err)
		default:
			file.take(fields, line, read)
		}
	}
}

// officialColumns is the width of the service's own extracts. Of them: 1 code, 2 name, 3 national grouping, 4 high-level
// health geography, 5 to 9 address, 10 postcode, 11 open and 12 close date (yyyymmdd), 18 telephone, 22 amended record
// indicator, 24 region; the others are not used for trusts.
const officialColumns = 27

// file is one file as it is read.
type file struct {
	name string
	into *estate.Directory
	at   map[string]int // column by header; nil for the headerless layout
	seen map[string]int // line of each code met
}

// layout recognises the file by its first record.
func (f *file) layout(first []string) (func(get func(string) string) (string, error), error) {
	at := map[string]int{}
	for i, title := range first {
		at[estate.Key(title)] = i
	}
	has := func(columns ...string) bool {
		return !slices.ContainsFunc(columns, func(column string) bool { _, ok := at[column]; return !ok })
	}
	switch {
	case has("from", "kind", "to"):
		f.at = at
		return f.relation, nil
	case has("ods_code", "parent_ods_code"):
		f.at = at
		return f.site, nil
	case has("ods_code", "name"):
		f.at = at
		return f.organisation, nil
	case len(first) == officialColumns && code.MatchString(strings.ToUpper(first[0])):
		return f.official, nil
	}
	return nil, &ward.Invalid{Problem: "is no file of organisations, sites or relations",
		Hint: "expected a header with ods_code and name, or with ods_code and parent_ods_code, or with from, kind and to, or the 27 columns of the Organisation Data Service"}
}

func (f *file) take(fields []string, line int, read func(get func(string) string) (string, error)) {
	get := func(column string) string {
		i, named := f.at[column]
		if f.at == nil {
			i, named = official[column]
		}
		if !named || i >= len(fields) {
			return ""
		}
		return fields[i]
	}
	id, err := read(get)
	if err != nil {
		f.reject(line, err.Error())
		return
	}
	if id != "" {
		f.seen[id] = line
	}
}

func (f *file) reject(line int, reason string) {
	f.into.Rejected++
	if len(f.into.Problems) < estate.MostProblems {
		f.into.Problems = append(f.into.Problems, fmt.Sprintf("%s line %d: %s", f.name, line, reason))
	}
}

// code is the shape of an ODS code, and room for the codes of exercises.
var code = regexp.MustCompile(`^[A-Z0-9]{2,12}$`)

// official says where the headerless layout keeps a column, from 0.
var official = map[string]int{"ods_code": 0, "name": 1, "region_code": 2, "icb_code": 3, "address_4": 7, "address_5": 8, "postcode": 9, "opened": 10, "closed": 11}

func (f *file) id(text string) (string, error) {
	id := strings.ToUpper(text)
	switch first, again := f.seen[id], code.MatchString(id); {
	case !again:
		return "", fmt.Errorf("%.20q is no organisation code", text)
	case first > 0:
		return "", fmt.Errorf("%s stands on line %d already", id, first)
	}
	return id, nil
}

func (f *file) organisation(get func(string) string) (string, error) {
	id, err := f.id(get("ods_code"))
	if err != nil {
		return "", err
	}
	if get("name") == "" || len(get("name")) > 255 {
		return "", fmt.Errorf("%s: name is empty or too long", id)
	}
	o := ward.Organisation{ID: ward.OrgID(id), Name: get("name"), Kind: get("kind"), Town: get("town"), Postcode: get("postcode"),
		Country: get("country"), Board: get("icb_code"), Region: get("region_code")}
	if o.Latitude, o.Longitude, err = position(get); err != nil {
		return "", fmt.Errorf("%s: %w", id, err)
	}
	if o.Opened, err = date(get("opened")); err != nil {
		return "", fmt.Errorf("%s: open date: %w", id, err)
	}
	if o.Closed, err = date(get("closed")); err != nil {
		return "", fmt.Errorf("%s: close date: %w", id, err)
	}
	f.into.Organisations = append(f.into.Organisations, o)
	return id, nil
}

// official is one record of the service's own layout: the town stands in the fourth line of the address.
func (f *file) official(get func(string) string) (string, error) {
	return f.organisation(func(column string) string {
		switch column {
		case "kind":
			if strings.HasPrefix(strings.ToLower(f.name), "etr") {
				return "trust"
			}
			return ""
		case "town":
			if town := get("address_4"); town != "" {
				return town
			}
			return get("address_5")
		}
		return get(column)
	})
}

func (f *file) site(get func(string) string) (string, error) {
	id, err := f.id(get("ods_code"))
	if err != nil {
		return "", err
	}
	parent := strings.ToUpper(get("parent_ods_code"))
	if parent != "" && !code.MatchString(parent) { // an empty one is for the register to name
		return "", fmt.Errorf("%s: parent %.20q is no organisation code", id, parent)
	}
	s := ward.Site{ID: ward.SiteID(id), Org: ward.OrgID(parent), Name: get("name"), Postcode: get("postcode")}
	if s.Latitude, s.Longitude, err = position(get); err != nil {
		return "", fmt.Errorf("%s: %w", id, err)
	}
	f.into.Sites = append(f.into.Sites, s)
	return id, nil
}

var kinds = []ward.RelationKind{ward.GroupLead, ward.CareBoard, ward.Hosts, ward.OperatesFor, ward.Supplier, ward.Successor}

func (f *file) relation(get func(string) string) (string, error) {
	r := ward.Relation{From: ward.OrgID(strings.ToUpper(get("from"))), Kind: ward.RelationKind(estate.Key(get("kind"))), To: ward.OrgID(strings.ToUpper(get("to")))}
	var err error
	switch {
	case !code.MatchString(string(r.From)) || !code.MatchString(string(r.To)):
		return "", fmt.Errorf("%.20q to %.20q: no organisation codes", r.From, r.To)
	case r.From == r.To:
		return "", fmt.Errorf("%s stands in a relation to itself", r.From)
	case !slices.Contains(kinds, r.Kind):
		return "", fmt.Errorf("kind %.30q is not known: one of %v", get("kind"), kinds)
	}
	if r.Since, err = date(get("since")); err != nil {
		return "", fmt.Errorf("since: %w", err)
	}
	if r.Until, err = date(get("until")); err != nil {
		return "", fmt.Errorf("until: %w", err)
	}
	if r.Since.IsZero() {
		return "", errors.New("since is empty: a relation is dated")
	}
	if !r.Until.IsZero() && !r.Until.After(r.Since) {
		return "", errors.New("until is not after since")
	}
	f.into.Relations = append(f.into.Relations, r)
	return "", nil
}

// date reads 2006-01-02 and the service's 20060102; empty is the zero time.
func date(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "20060102"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.20q is no date (2025-05-13)", text)
}

// position reads latitude and longitude in degrees; both empty is not known.
func position(get func(string) string) (latitude, longitude float64, err error) {
	if get("latitude") == "" && get("longitude") == "" {
		return 0, 0, nil
	}
	latitude, first := strconv.ParseFloat(get("latitude"), 64)
	longitude, second := strconv.ParseFloat(get("longitude"), 64)
	if first != nil || second != nil || !(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180) {
		return 0, 0, fmt.Errorf("%.20q, %.20q is no position", get("latitude"), get("longitude"))
	}
	return latitude, longitude, nil
}
