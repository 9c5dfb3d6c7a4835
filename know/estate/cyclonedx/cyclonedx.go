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
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) && number > 1 {
			return tally.Summary, nil
		}
		if err == nil {
			err = bill(raw, d.Asset, number, tally)
		} else {
			err = cut(err)
		}
		if err != nil {
			return tally.Summary, fmt.Errorf("estate/cyclonedx: bill %d: %w", number, err)
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

// bill reads one bill of materials.
func bill(raw []byte, otherwise string, number int, tally *estate.Tally) error {
	var head struct {
		Format  string `json:"bomFormat"`
		Version string `json:"specVersion"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Format != "CycloneDX" {
		return &ward.Invalid{Problem: "is no CycloneDX document"}
	}
	if err := checkVersion(head.Version); err != nil {
		return err
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(raw), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return &ward.Invalid{Problem: fmt.Sprintf("is not as CycloneDX %s says: %v", head.Version, err)}
	}
	asset, err := begin(bom.Metadata, otherwise, number, tally)
	if err != nil {
		return err
	}
	return components(bom.Components, asset, tally, 0)
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
	return asset, components(metadata.Component.Components, asset, tally, 0)
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

// components yields each component and those inside it.
func components(list *[]cdx.Component, asset estate.Row, tally *estate.Tally, depth int) error {
	if list == nil {
		return nil
	}
	if depth == mostDepth {
		return &ward.Invalid{Field: "components", Problem: fmt.Sprintf("nest deeper than %d", mostDepth)}
	}
	for i := range *list {
		if err := component(&(*list)[i], asset, tally, depth); err != nil {
			return err
		}
	}
	return nil
}

func component(c *cdx.Component, asset estate.Row, tally *estate.Tally, depth int) error {
	row := asset
	row.Software = softwareOf(c)
	switch {
	case c.Type == cdx.ComponentTypeFile, c.Type == cdx.ComponentTypeData, c.Type == cdx.ComponentTypeCryptographicAsset:
	case row.Software.Product == "" && row.Software.CPE == "" && row.Software.PURL == "":
		tally.Reject(row.Line, "a component has no name")
	default:
		if err := tally.Row(row); err != nil {
			return err
		}
	}
	return components(c.Components, asset, tally, depth+1)
}
