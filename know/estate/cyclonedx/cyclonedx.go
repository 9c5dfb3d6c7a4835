// Package cyclonedx reads bills of materials (CycloneDX 1.4 to 1.6, JSON): metadata.component is the asset, every component
// below it its software. Several bills may follow one another in one input. Properties of metadata.component that bear the
// names of the CSV columns (asset, class, site, internet_facing, data, services, operator) say what the format cannot.
// Authors and contacts are never read.
package cyclonedx

import (
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

// Reader reads CycloneDX JSON.
type Reader struct{}

// Format implements estate.Reader.
func (Reader) Format() string { return "cyclonedx" }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte(`"CycloneDX"`))
}

// mostDepth bounds how deep components may nest.
const mostDepth = 64

// Read implements estate.Reader. A row's Line is the number of the bill.
func (Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	text, err := estate.UTF8(r)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/cyclonedx: %w", err)
	}
	tally := estate.NewTally(yield)
	decoder := json.NewDecoder(text)
	for number := 1; ; number++ {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) && number > 1 {
			return tally.Summary, nil
		}
		if err == nil {
			err = bill(raw, number, tally)
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
		return &ward.Invalid{Problem: "is empty, cut short or no JSON", Hint: "give CycloneDX as JSON; XML is not read"}
	}
	return err
}

// bill reads one bill of materials.
func bill(raw []byte, number int, tally *estate.Tally) error {
	var head struct {
		Format  string `json:"bomFormat"`
		Version string `json:"specVersion"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Format != "CycloneDX" {
		return &ward.Invalid{Problem: "is no CycloneDX document"}
	}
	switch head.Version {
	case "1.4", "1.5", "1.6":
	default:
		return &ward.Invalid{Field: "specVersion", Problem: fmt.Sprintf("%.20q is not read", head.Version), Hint: "convert it to 1.4, 1.5 or 1.6"}
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(raw), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return &ward.Invalid{Problem: fmt.Sprintf("is not as CycloneDX %s says: %v", head.Version, err)}
	}
	if bom.Metadata == nil || bom.Metadata.Component == nil {
		return &ward.Invalid{Field: "metadata.component", Problem: "is missing", Hint: "it names the asset"}
	}
	asset, reason := assetOf(bom.Metadata.Component)
	if reason != "" {
		return &ward.Invalid{Field: "metadata.component", Problem: reason}
	}
	asset.Line = number
	if at, err := time.Parse(time.RFC3339, bom.Metadata.Timestamp); err == nil && at.After(tally.ObservedAt) {
		tally.ObservedAt = at.UTC()
	}
	if own := softwareOf(bom.Metadata.Component); own.Version != "" || own.CPE != "" || own.PURL != "" {
		if own.Vendor == "" && bom.Metadata.Supplier != nil {
			own.Vendor = bom.Metadata.Supplier.Name
		}
		asset.Software = own
	}
	if err := tally.Row(asset); err != nil {
		return err
	}
	for _, list := range []*[]cdx.Component{bom.Metadata.Component.Components, bom.Components} {
		if err := components(list, asset, tally, 0); err != nil {
			return err
		}
	}
	return nil
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
		c := &(*list)[i]
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
		if err := components(c.Components, asset, tally, depth+1); err != nil {
			return err
		}
	}
	return nil
}
