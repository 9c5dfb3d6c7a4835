// Package cyclonedx reads bills of materials (CycloneDX 1.4 to 1.6, JSON and XML): metadata.component is the asset, every
// component below it its software. Several bills in JSON may follow one another in one input. Properties of metadata.component that bear the
// names of the CSV columns (asset, class, site, internet_facing, data, services, operator) say what the format cannot.
// Authors and contacts are never read.
package cyclonedx

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads CycloneDX.
type Reader struct {
	// Asset names the asset of a bill that names none; empty refuses such a bill.
	Asset string
}

// Format implements estate.Reader.
func (Reader) Format() string { return "cyclonedx" }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	text := bytes.TrimSpace(head)
	return bytes.HasPrefix(text, []byte("{")) && bytes.Contains(head, []byte(`"CycloneDX"`)) ||
		bytes.HasPrefix(text, []byte("<")) && bytes.Contains(head, []byte("<bom")) && bytes.Contains(head, []byte(namespace))
}

// mostDepth bounds how deep components may nest.
const mostDepth = 64

// Read implements estate.Reader. A row's Line is the number of the bill.
func (d Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	text, err := estate.UTF8(r)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/cyclonedx: %w", err)
	}
	tally := estate.NewTally(yield)
	in := bufio.NewReader(text)
	if first, err := in.Peek(1); err == nil && first[0] == '<' { // estate.UTF8 took a mark away, and XML begins at once
		if err := readMarkup(in, d.Asset, tally); err != nil {
			return tally.Summary, fmt.Errorf("estate/cyclonedx: %w", err)
		}
		return tally.Summary, nil
	}
	decoder := json.NewDecoder(in)
	for number := 1; ; number++ {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && number > 1 {
			return tally.Summary, nil
		}
		if err == nil && token == json.Delim('{') {
			b := bill{in: decoder, tally: tally, number: number, otherwise: d.Asset}
			err = b.read()
		} else if err == nil {
			err = &ward.Invalid{Problem: "is no CycloneDX document"}
		}
		if err != nil {
			return tally.Summary, fmt.Errorf("estate/cyclonedx: bill %d: %w", number, cut(err))
		}
	}
}

func cut(err error) error {
	var syntax *json.SyntaxError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax) {
		return &ward.Invalid{Problem: "is empty, cut short or no JSON", Hint: "give CycloneDX as JSON or XML"}
	}
	return err
}

// bill is one bill of materials in JSON, read member by member: its components come one by one, and are held back as software
// until it is known what asset they are on.
type bill struct {
	in        *json.Decoder
	tally     *estate.Tally
	number    int
	otherwise string // the asset of a bill that names none

	format, version string
	metadata        *cdx.Metadata
	asset           estate.Row
	begun           bool
	held            []ward.Software
}

// read reads what follows the opening brace.
func (b *bill) read() error {
	for b.in.More() {
		key, err := b.in.Token()
		if err != nil {
			return err
		}
		switch key {
		case "bomFormat":
			err = b.in.Decode(&b.format)
		case "specVersion":
			err = b.in.Decode(&b.version)
		case "metadata":
			err = b.in.Decode(&b.metadata)
		case "components":
			err = b.components()
		default:
			err = b.skip()
		}
		if err != nil {
			return b.flaw(err)
		}
	}
	if _, err := b.in.Token(); err != nil {
		return err
	}
	if err := b.begin(); err != nil {
		return err
	}
	for _, sw := range b.held {
		if err := yield(sw, b.asset, b.tally); err != nil {
			return err
		}
	}
	return nil
}

// flaw says of what is no JSON of the kind that it should be what it is not.
func (b *bill) flaw(err error) error {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err
	}
	if b.format != "CycloneDX" {
		return &ward.Invalid{Problem: "is no CycloneDX document"}
	}
	return &ward.Invalid{Problem: fmt.Sprintf("is not as CycloneDX %s says: %v", b.version, err)}
}

// begin checks what the bill is, and yields the asset that it is about.
func (b *bill) begin() (err error) {
	if b.begun {
		return nil
	}
	if b.format != "CycloneDX" {
		return &ward.Invalid{Problem: "is no CycloneDX document"}
	}
	if err := checkVersion(b.version); err != nil {
		return err
	}
	b.begun = true
	b.asset, err = begin(b.metadata, b.otherwise, b.number, b.tally)
	return err
}

// components reads the list of components.
func (b *bill) components() error {
	token, err := b.in.Token()
	if err != nil || token == nil { // null
		return err
	}
	if token != json.Delim('[') {
		return &ward.Invalid{Field: "components", Problem: fmt.Sprintf("is not as CycloneDX %s says: no list", b.version)}
	}
	if b.format != "" && b.version != "" && b.metadata != nil {
		if err := b.begin(); err != nil {
			return err
		}
	}
	for b.in.More() {
		var c cdx.Component
		if err := b.in.Decode(&c); err != nil {
			return err
		}
		err := component(&c, 0, func(sw ward.Software) error {
			if b.begun {
				return yield(sw, b.asset, b.tally)
			}
			b.held = append(b.held, sw)
			return nil
		})
		if err != nil {
			return err
		}
	}
	_, err = b.in.Token()
	return err
}

// skip passes over one value, however large, without keeping it.
func (b *bill) skip() error {
	for depth := 0; ; {
		token, err := b.in.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func checkVersion(version string) error {
	switch version {
	case "1.4", "1.5", "1.6":
		return nil
	}
	return &ward.Invalid{Field: "specVersion", Problem: fmt.Sprintf("%.20q is not read", version), Hint: "convert it to 1.4, 1.5 or 1.6"}
}

// begin yields the asset that a bill is about, with its own software and what is inside it. One that says nothing of it is about
// the asset called otherwise, where that has a name.
func begin(metadata *cdx.Metadata, otherwise string, number int, tally *estate.Tally) (asset estate.Row, err error) {
	if metadata == nil {
		metadata = &cdx.Metadata{}
	}
	if metadata.Component == nil && estate.Clean(otherwise) != "" {
		metadata.Component = &cdx.Component{Name: otherwise}
	}
	if metadata.Component == nil {
		return asset, &ward.Invalid{Field: "metadata.component", Problem: "is missing", Hint: "it names the asset"}
	}
	asset, reason := assetOf(metadata.Component)
	if reason != "" {
		return asset, &ward.Invalid{Field: "metadata.component", Problem: reason}
	}
	asset.Line = number
	if at, err := time.Parse(time.RFC3339, metadata.Timestamp); err == nil && at.After(tally.ObservedAt) {
		tally.ObservedAt = at.UTC()
	}
	first := asset
	if own := softwareOf(metadata.Component); own.Version != "" || own.CPE != "" || own.PURL != "" {
		if own.Vendor == "" && metadata.Supplier != nil {
			own.Vendor = metadata.Supplier.Name
		}
		first.Software = own
	}
	if err := tally.Row(first); err != nil {
		return asset, err
	}
	return asset, inside(metadata.Component.Components, 0, func(sw ward.Software) error { return yield(sw, asset, tally) })
}

// assetOf reads the asset that a bill is about.
func assetOf(c *cdx.Component) (row estate.Row, reason string) {
	given := map[string]string{}
	if c.Properties != nil {
		for _, property := range *c.Properties {
			given[estate.Key(strings.TrimPrefix(property.Name, "wardwatch:"))] = property.Value
		}
	}
	reachable, ok := estate.ParseTri(given["internet_facing"])
	if !ok {
		return row, fmt.Sprintf("internet_facing %.40q is neither yes nor no", given["internet_facing"])
	}
	row = estate.Row{
		Asset: given["asset"], Class: estate.ParseClass(given["class"]), Site: given["site"], Reachable: reachable,
		Data: estate.ParseCategories(given["data"]), Services: estate.ParseList(given["services"]),
		Operator: ward.OrgID(strings.ToUpper(estate.Clean(given["operator"]))),
	}
	if row.Asset == "" {
		row.Asset = c.Name
	}
	if estate.Clean(row.Asset) == "" {
		return row, "has no name"
	}
	return row, ""
}

// softwareOf reads a component as software. The vendor is an organisation: an author may be a person.
func softwareOf(c *cdx.Component) ward.Software {
	sw := ward.Software{Product: c.Name, Version: c.Version, CPE: c.CPE, PURL: c.PackageURL}
	switch {
	case c.Supplier != nil && c.Supplier.Name != "":
		sw.Vendor = c.Supplier.Name
	case c.Manufacturer != nil && c.Manufacturer.Name != "":
		sw.Vendor = c.Manufacturer.Name
	case c.Publisher != "":
		sw.Vendor = c.Publisher
	default:
		sw.Vendor = c.Group
	}
	return sw
}

// component takes a component and those inside it.
func component(c *cdx.Component, depth int, take func(ward.Software) error) error {
	if depth > mostDepth {
		return &ward.Invalid{Field: "components", Problem: fmt.Sprintf("nest deeper than %d", mostDepth)}
	}
	switch c.Type {
	case cdx.ComponentTypeFile, cdx.ComponentTypeData, cdx.ComponentTypeCryptographicAsset:
	default:
		if err := take(softwareOf(c)); err != nil {
			return err
		}
	}
	return inside(c.Components, depth, take)
}

func inside(list *[]cdx.Component, depth int, take func(ward.Software) error) error {
	if list == nil {
		return nil
	}
	for i := range *list {
		if err := component(&(*list)[i], depth+1, take); err != nil {
			return err
		}
	}
	return nil
}

// yield gives software on the asset.
func yield(sw ward.Software, asset estate.Row, tally *estate.Tally) error {
	if sw.Product == "" && sw.CPE == "" && sw.PURL == "" {
		tally.Reject(asset.Line, "a component has no name")
		return nil
	}
	asset.Software = sw
	return tally.Row(asset)
}
