// Package spdx reads software bills of materials in SPDX 2.3 (and 2.2, which it contains), JSON and tag-value: the package
// that the document describes is the asset, or the document itself where it describes several; every package is software on
// it. The vendor is an organisation; creators, suppliers and originators that are people are never read, nor are files. SPDX
// 3.0 is refused: it is another model, in linked data.
package spdx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/tagvalue"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads SPDX.
type Reader struct{}

// Format implements estate.Reader.
func (Reader) Format() string { return "spdx" }

// Recognises implements estate.Reader, also what it then refuses: people must be told why.
func (Reader) Recognises(_ string, head []byte) bool {
	text := bytes.TrimSpace(head)
	if bytes.HasPrefix(text, []byte("{")) {
		return bytes.Contains(head, []byte(`"spdxVersion"`)) || bytes.Contains(head, []byte(linked)) ||
			bytes.Contains(head, []byte(`"SPDXRef-`))
	}
	return !bytes.HasPrefix(text, []byte("<")) && (bytes.HasPrefix(text, []byte("SPDXVersion:")) || bytes.Contains(head, []byte("\nSPDXVersion:")))
}

// linked is in the context of every SPDX 3 document.
const linked = "spdx.org/rdf/3"

// most bounds a document: it is held in memory as a whole.
const most = 128 << 20

// Read implements estate.Reader. A row's Line is the number of the package.
func (Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	tally := estate.NewTally(yield)
	if err := read(r, tally); err != nil {
		return tally.Summary, fmt.Errorf("estate/spdx: %w", err)
	}
	return tally.Summary, nil
}

func read(r io.Reader, tally *estate.Tally) error {
	text, err := estate.UTF8(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(text, most+1))
	if err != nil {
		return err
	}
	if len(body) > most {
		return &ward.Invalid{Problem: fmt.Sprintf("is larger than %d MiB", most>>20), Hint: "leave the list of files out of it"}
	}
	parse := tagged
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		parse = object
	}
	doc, err := parse(body)
	if err != nil {
		return err
	}
	return rows(doc, tally)
}

// object reads a document in JSON.
func object(body []byte) (*v2_3.Document, error) {
	var head struct {
		Version string          `json:"spdxVersion"`
		Context json.RawMessage `json:"@context"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return nil, &ward.Invalid{Problem: fmt.Sprintf("is cut short or no JSON: %.100v", err), Hint: "export it again"}
	}
	if bytes.Contains(head.Context, []byte(linked)) {
		return nil, refused("3.0")
	}
	if err := checkVersion(head.Version); err != nil {
		return nil, err
	}
	doc := &v2_3.Document{}
	return doc, shaped(func() error { return json.Unmarshal(body, doc) })
}

// tagged reads a document of tags and values.
func tagged(body []byte) (*v2_3.Document, error) {
	version := ""
	for line := range bytes.Lines(body) {
		if value, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("SPDXVersion:")); ok {
			version = string(bytes.TrimSpace(value))
			break
		}
	}
	if err := checkVersion(version); err != nil {
		return nil, err
	}
	doc := &v2_3.Document{}
	return doc, shaped(func() error { return tagvalue.ReadInto(bytes.NewReader(body), doc) })
}

// shaped says of what a library cannot read that it is the document's fault. The library is not made for hostile input.
func shaped(parse func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = &ward.Invalid{Problem: fmt.Sprintf("is not as SPDX says: %.100v", broken)}
		}
	}()
	if err := parse(); err != nil {
		return &ward.Invalid{Problem: fmt.Sprintf("is not as SPDX says: %.100v", err)}
	}
	return nil
}

func checkVersion(version string) error {
	switch version {
	case "SPDX-2.2", "SPDX-2.3":
		return nil
	case "":
		return &ward.Invalid{Problem: "is no SPDX document, or is cut short", Hint: "give SPDX 2.3 as JSON or tag-value"}
	}
	return refused(strings.TrimPrefix(version, "SPDX-"))
}

func refused(version string) error {
	return &ward.Invalid{Field: "spdxVersion", Problem: fmt.Sprintf("%.20q is not read", version), Hint: "export SPDX 2.3, or CycloneDX"}
}

// rows yields the asset and every package on it.
func rows(doc *v2_3.Document, tally *estate.Tally) error {
	asset := estate.Row{Line: 1, Asset: doc.DocumentName}
	described := describes(doc)
	packages := 0
	for _, p := range doc.Packages {
		if p != nil && described[p.PackageSPDXIdentifier] {
			packages++
			asset.Asset = p.PackageName
		}
	}
	if packages != 1 {
		asset.Asset = doc.DocumentName
	}
	if estate.Clean(asset.Asset) == "" {
		return &ward.Invalid{Field: "name", Problem: "is missing", Hint: "it names the asset"}
	}
	if doc.CreationInfo != nil {
		if at, err := time.Parse(time.RFC3339, doc.CreationInfo.Created); err == nil {
			tally.ObservedAt = at.UTC()
		}
	}
	yielded := 0
	for i, p := range doc.Packages {
		if p == nil || p.PrimaryPackagePurpose == "FILE" {
			continue
		}
		row := asset
		row.Line, row.Software = i+1, softwareOf(p)
		yielded++
		if row.Software.Product == "" && row.Software.CPE == "" && row.Software.PURL == "" {
			tally.Reject(row.Line, "a package has no name")
			continue
		}
		if err := tally.Row(row); err != nil {
			return err
		}
	}
	if yielded > 0 {
		return nil
	}
	return tally.Row(asset)
}

// describes are the elements that the document says it is about.
func describes(doc *v2_3.Document) map[common.ElementID]bool {
	all := map[common.ElementID]bool{}
	for _, r := range doc.Relationships {
		switch {
		case r == nil:
		case r.Relationship == common.TypeRelationshipDescribe && r.RefA.ElementRefID == doc.SPDXIdentifier:
			all[r.RefB.ElementRefID] = true
		case r.Relationship == common.TypeRelationshipDescribeBy && r.RefB.ElementRefID == doc.SPDXIdentifier:
			all[r.RefA.ElementRefID] = true
		}
	}
	return all
}

// softwareOf reads a package as software, by the first name of each kind.
func softwareOf(p *v2_3.Package) ward.Software {
	sw := ward.Software{Product: p.PackageName, Version: p.PackageVersion}
	if s := p.PackageSupplier; s != nil && s.SupplierType == "Organization" {
		sw.Vendor = organisation(s.Supplier)
	} else if o := p.PackageOriginator; o != nil && o.OriginatorType == "Organization" {
		sw.Vendor = organisation(o.Originator)
	}
	for _, ref := range p.PackageExternalReferences {
		switch {
		case ref == nil:
		case ref.RefType == "purl" && sw.PURL == "":
			sw.PURL = strings.TrimSpace(ref.Locator)
		case ref.RefType == "cpe23Type" && !strings.HasPrefix(sw.CPE, "cpe:2.3:"), ref.RefType == "cpe22Type" && sw.CPE == "":
			sw.CPE = strings.TrimSpace(ref.Locator)
		}
	}
	return sw
}

// organisation is its name without the address of its post, which may be a person's.
func organisation(name string) string {
	if at := strings.LastIndexByte(name, '('); at > 0 && (strings.Contains(name[at:], "@") || strings.TrimSpace(name[at:]) == "()") {
		name = name[:at]
	}
	return strings.TrimSpace(name)
}
