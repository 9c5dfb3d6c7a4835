package estate

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"wardwatch/ward"
)

// mostElement bounds what one element's tag or one text may hold, in bytes: a scan's longest script output is far smaller.
const mostElement = 16 << 20

// Markup reads XML token by token, with a bound on each: UTF-8, UTF-16, Latin-1 or Windows-1252. Entities that a document
// defines for itself are refused, as everything in it that could burst.
type Markup struct {
	*xml.Decoder
	bound *bound
}

// NewMarkup opens an XML document.
func NewMarkup(r io.Reader) (*Markup, error) {
	text, err := UTF8(r)
	if err != nil {
		return nil, err
	}
	m := &Markup{bound: &bound{r: text}}
	m.Decoder = xml.NewDecoder(m.bound)
	m.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii":
			return in, nil // made UTF-8 above, or is
		case "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
			return &western{in: in}, nil
		}
		return nil, &ward.Invalid{Problem: fmt.Sprintf("is in %.40q", charset), Hint: "save it as UTF-8"}
	}
	return m, nil
}

// Token is the next token. An error in the XML, or its end in the middle, is the input's: it cannot be trusted.
func (m *Markup) Token() (xml.Token, error) {
	m.bound.n = 0
	token, err := m.Decoder.Token()
	return token, m.Flaw(err)
}

// Flaw says of an error of the XML what is wrong in words for whoever exported it; any other stays as it is.
func (m *Markup) Flaw(err error) error {
	var syntax *xml.SyntaxError
	var shape *xml.UnmarshalError
	if err != nil && (errors.As(err, &shape) || strings.Contains(err.Error(), "exceeded max depth")) {
		return &ward.Invalid{Problem: fmt.Sprintf("is not of the shape that it should be, or its elements nest too deep: %.100v", err)}
	}
	if errors.As(err, &syntax) {
		return &ward.Invalid{Problem: fmt.Sprintf("is cut short or no XML at line %d: %.100s", syntax.Line, syntax.Msg), Hint: "export it again"}
	}
	return err
}

// Skip passes over the rest of an element, token by token, so that its size does not matter.
func (m *Markup) Skip() error {
	for depth := 1; depth > 0; {
		token, err := m.Token()
		if errors.Is(err, io.EOF) {
			return &ward.Invalid{Problem: "is cut short", Hint: "export it again"}
		}
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// Line is where the reading stands.
func (m *Markup) Line() int {
	line, _ := m.InputPos()
	return line
}

// Attribute is the value of an element's attribute, or empty.
func Attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// bound ends an input whose one token is longer than any can be.
type bound struct {
	r io.Reader
	n int64
}

func (b *bound) Read(p []byte) (int, error) {
	if b.n > mostElement {
		return 0, &ward.Invalid{Problem: fmt.Sprintf("has one element of more than %d MiB", mostElement>>20)}
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	return n, err
}

// western turns Windows-1252, of which Latin-1 is the printable part, into UTF-8.
type western struct {
	in  io.Reader
	out []byte
	err error
}

func (w *western) Read(p []byte) (int, error) {
	for len(w.out) == 0 && w.err == nil {
		var raw [2048]byte
		var n int
		n, w.err = w.in.Read(raw[:])
		w.out = fromWindows1252(raw[:n])
	}
	n := copy(p, w.out)
	w.out = w.out[n:]
	if n == 0 {
		return 0, w.err
	}
	return n, nil
}
