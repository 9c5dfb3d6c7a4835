package know

import (
	"fmt"
	"strings"
)

// wfnOrder is the order in which NISTIR 7695 writes attributes in a well-formed name.
var wfnOrder = [11]string{"part", "vendor", "product", "version", "update", "edition", "sw_edition", "target_sw", "target_hw", "other", "language"}

func (c *CPE) named(attribute string) *string {
	for i, value := range c.attributes() {
		if attributeNames[i] == attribute {
			return value
		}
	}
	return nil
}

// ParseWFN reads a well-formed name as NISTIR 7695 writes it: wfn:[part="a",vendor="hp",version="7\.51",update=NA]. What it
// leaves out is ANY.
func ParseWFN(text string) (CPE, error) {
	wrong := func(format string, args ...any) (CPE, error) {
		return CPE{}, fmt.Errorf("WFN %q: %s", text, fmt.Sprintf(format, args...))
	}
	if len(text) > mostCPE {
		return CPE{}, fmt.Errorf("WFN of %d bytes: longer than %d", len(text), mostCPE)
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "wfn:[")
	rest, closed := strings.CutSuffix(rest, "]")
	if !ok || !closed {
		return wrong("is not of the form wfn:[...]")
	}
	var c CPE
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		name, value, ok := strings.Cut(rest, "=")
		into := c.named(strings.TrimSpace(strings.ToLower(name)))
		if !ok || into == nil {
			return wrong("%q is no attribute", name)
		}
		if *into != "" {
			return wrong("%s stands twice", name)
		}
		var err error
		if *into, rest, err = wfnValue(strings.TrimSpace(value)); err != nil {
			return wrong("%s: %v", name, err)
		}
		if rest = strings.TrimSpace(rest); rest == "" {
			break
		}
		if rest, ok = strings.CutPrefix(rest, ","); !ok {
			return wrong("%q where a comma should be", rest)
		}
	}
	c.fill()
	if err := c.checkPart(text); err != nil {
		return CPE{}, err
	}
	return c, nil
}

// wfnValue takes one value, and returns it in canonical form with what follows it.
func wfnValue(text string) (value, rest string, err error) {
	if rest, ok := strings.CutPrefix(text, "ANY"); ok {
		return AnyValue, rest, nil
	}
	if rest, ok := strings.CutPrefix(text, "NA"); ok {
		return NoValue, rest, nil
	}
	text, ok := strings.CutPrefix(text, `"`)
	end := unescaped(text, '"')
	if !ok || end < 0 {
		return "", "", fmt.Errorf("%q is neither ANY nor NA nor in quotation marks", text)
	}
	value, rest = text[:end], text[end+1:]
	if value == "" {
		return "", "", fmt.Errorf("is empty: write ANY")
	}
	for i := 0; i < len(value); i++ {
		switch ch := value[i]; {
		case ch == '\\':
			i++
		case ch >= 'a' && ch <= 'z', ch >= 'A' && ch <= 'Z', ch >= '0' && ch <= '9', ch >= 0x80, ch == '_', ch == '*', ch == '?':
		default:
			return "", "", fmt.Errorf("%q: %q needs a backslash", value, ch)
		}
	}
	if value == `*` {
		return "", "", fmt.Errorf("a wildcard alone: write ANY")
	}
	value, err = canonicalValue(strings.ToLower(value))
	return value, rest, err
}

// WFN is the well-formed name, with every attribute that is not ANY.
func (c CPE) WFN() string {
	var parts []string
	for _, name := range wfnOrder {
		switch value := *c.named(name); value {
		case "", AnyValue:
		case NoValue:
			parts = append(parts, name+"=NA")
		default:
			parts = append(parts, name+`="`+quotedForWFN(value)+`"`)
		}
	}
	return "wfn:[" + strings.Join(parts, ",") + "]"
}

// quotedForWFN puts the backslash before full stops and hyphens that the other bindings leave out.
func quotedForWFN(value string) string {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch ch := value[i]; {
		case ch == '\\' && i+1 < len(value):
			b.WriteByte(ch)
			i++
			b.WriteByte(value[i])
		case ch == '.' || ch == '-':
			b.WriteByte('\\')
			b.WriteByte(ch)
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

// URI is the name bound to the older form, a CPE 2.2 URI, with attributes that this form has no place for packed into the
// edition.
func (c CPE) URI() string {
	edition := intoURI(c.Edition)
	packed := []string{edition, intoURI(c.SWEdition), intoURI(c.TargetSW), intoURI(c.TargetHW), intoURI(c.Other)}
	if strings.Join(packed[1:], "") != "" {
		edition = "~" + strings.Join(packed, "~")
	}
	parts := []string{intoURI(c.Part), intoURI(c.Vendor), intoURI(c.Product), intoURI(c.Version), intoURI(c.Update), edition, intoURI(c.Language)}
	return "cpe:/" + strings.TrimRight(strings.Join(parts, ":"), ":")
}

// intoURI encodes one value; the wildcards ? and * are %01 and %02.
func intoURI(value string) string {
	switch value {
	case "", AnyValue:
		return ""
	case NoValue:
		return NoValue
	case `\-`:
		return "%2d" // bare it would be NA
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch ch := value[i]; ch {
		case '?':
			b.WriteString("%01")
		case '*':
			b.WriteString("%02")
		case '\\':
			i++
			fmt.Fprintf(&b, "%%%02x", value[i])
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

// Compare is the relation of a source name to a target name (NISTIR 7696, 6.2 and 7): disjoint as soon as one attribute is,
// equal when all are, subset or superset when all lean one way, else undefined.
func (c CPE) Compare(target CPE) Relation {
	source, other := c.attributes(), target.attributes()
	subset, superset, undefined := false, false, false
	for i := range source {
		switch Relate(*source[i], *other[i]) {
		case Disjoint:
			return Disjoint
		case Undefined:
			undefined = true
		case Subset:
			subset = true
		case Superset:
			superset = true
		}
	}
	switch {
	case undefined, subset && superset:
		return Undefined
	case subset:
		return Subset
	case superset:
		return Superset
	}
	return Equal
}
