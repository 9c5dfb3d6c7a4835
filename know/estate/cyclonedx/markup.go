package cyclonedx

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// namespace precedes the version of CycloneDX in the namespace of its XML.
const namespace = "http://cyclonedx.org/schema/bom/"

// readMarkup reads a bill in XML, component by component.
func readMarkup(r io.Reader, otherwise string, tally *estate.Tally) error {
	in, err := estate.NewMarkup(r)
	if err != nil {
		return err
	}
	b := markup{in: in, tally: tally, otherwise: otherwise}
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			if !b.ended {
				return &ward.Invalid{Problem: "is cut short", Hint: "export it again"}
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if err := b.element(e); err != nil {
				return err
			}
		case xml.EndElement:
			b.ended = b.ended || e.Name.Local == "bom"
		}
	}
}

type markup struct {
	in           *estate.Markup
	tally        *estate.Tally
	begun, ended bool
	otherwise    string     // the asset of a bill that names none
	asset        estate.Row // once its metadata has been read
}

// element reads what stands directly inside the bill, and goes inside its components.
func (b *markup) element(e xml.StartElement) error {
	switch {
	case !b.begun:
		version, ok := strings.CutPrefix(e.Name.Space, namespace)
		if e.Name.Local != "bom" || !ok {
			return &ward.Invalid{Problem: "is no CycloneDX document"}
		}
		b.begun = true
		return checkVersion(version)
	case e.Name.Local == "metadata":
		var metadata cdx.Metadata
		if err := b.decode(&metadata, e); err != nil {
			return err
		}
		var err error
		b.asset, err = begin(&metadata, b.otherwise, 1, b.tally)
		return err
	case e.Name.Local == "components":
		return nil // its children come one by one
	case e.Name.Local == "component":
		if b.asset.Asset == "" {
			var err error
			if b.asset, err = begin(nil, b.otherwise, 1, b.tally); err != nil {
				return err
			}
		}
		var c cdx.Component
		if err := b.decode(&c, e); err != nil {
			return err
		}
		return component(&c, 0, func(sw ward.Software) error { return yield(sw, b.asset, b.tally) })
	}
	return b.in.Skip()
}

func (b *markup) decode(into any, e xml.StartElement) error {
	err := b.in.Flaw(b.in.DecodeElement(into, &e))
	var said *ward.Invalid
	if err != nil && !errors.As(err, &said) && errors.Is(err, io.EOF) {
		return &ward.Invalid{Problem: "is cut short", Hint: "export it again"}
	}
	return err
}
