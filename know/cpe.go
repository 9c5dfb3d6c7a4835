package know

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The two logical values of a CPE attribute. Every other value is written as in a CPE 2.3 formatted string: lower case,
// with a backslash before punctuation, and * or ? without one only as wildcards at its ends.
const (
	AnyValue = "*" // every value, or not said
	NoValue  = "-" // not applicable: the product has no such thing
)

// CPE is a CPE 2.3 name (NISTIR 7695): eleven attributes. Make one with ParseCPE, ParseWFN or NewCPE.
type CPE struct {
	Part, Vendor, Product, Version, Update, Edition, Language, SWEdition, TargetSW, TargetHW, Other string
}

// attributes lists the values in the order in which names are written.
func (c *CPE) attributes() [11]*string {
	return [11]*string{
		&c.Part, &c.Vendor, &c.Product, &c.Version, &c.Update, &c.Edition, &c.Language, &c.SWEdition, &c.TargetSW,
		&c.TargetHW, &c.Other,
	}
}

// attributeNames say in an error which value was wrong.
var attributeNames = [11]string{
	"part", "vendor", "product", "version", "update", "edition", "language", "sw_edition", "target_sw", "target_hw", "other",
}

// mostCPE bounds a name. The longest in the official dictionary is below 400 bytes.
const mostCPE = 4096

// NewCPE is the name of a product and version given in plain words, with every other attribute ANY.
func NewCPE(part, vendor, product, version string) CPE {
	c := CPE{Part: part, Vendor: quote(vendor), Product: quote(product), Version: quote(version)}
	c.fill()
	return c
}

func (c *CPE) fill() {
	for _, value := range c.attributes() {
		if *value == "" {
			*value = AnyValue
		}
	}
}

// ParseCPE reads a CPE 2.3 formatted string ("cpe:2.3:a:ivanti:...") or a CPE 2.2 URI ("cpe:/a:ivanti:...").
func ParseCPE(text string) (CPE, error) {
	text = strings.TrimSpace(text)
	if len(text) > mostCPE {
		return CPE{}, fmt.Errorf("CPE of %d bytes: longer than %d", len(text), mostCPE)
	}
	if !utf8.ValidString(text) {
		return CPE{}, fmt.Errorf("CPE %q: not UTF-8", text)
	}
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "cpe:2.3:"):
		return parseFormatted(lower)
	case strings.HasPrefix(lower, "cpe:/"):
		return parseURI(lower)
	}
	return CPE{}, fmt.Errorf("CPE %q: begins with neither cpe:2.3: nor cpe:/", text)
}

func parseFormatted(text string) (CPE, error) {
	var c CPE
	values := c.attributes()
	rest := text[len("cpe:2.3:"):]
	for i, value := range values {
		end := unescaped(rest, ':')
		if last := i == len(values)-1; last != (end < 0) {
			return CPE{}, fmt.Errorf("CPE %q: a CPE 2.3 name has eleven parts after cpe:2.3", text)
		}
		if end < 0 {
			end = len(rest)
		}
		canonical, err := canonicalValue(rest[:end])
		if err != nil {
			return CPE{}, fmt.Errorf("CPE %q: %s: %w", text, attributeNames[i], err)
		}
		*value = canonical
		if i < len(values)-1 {
			rest = rest[end+1:]
		}
	}
	if err := c.checkPart(text); err != nil {
		return CPE{}, err
	}
	return c, nil
}

func (c *CPE) checkPart(text string) error {
	switch c.Part {
	case "a", "o", "h", AnyValue, NoValue:
		return nil
	}
	return fmt.Errorf("CPE %q: part is %q, not a, o or h", text, c.Part)
}

// unescaped is the index of the first sep that no backslash precedes, or -1.
func unescaped(text string, sep byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case sep:
			return i
		}
	}
	return -1
}

// canonicalValue checks one value of a formatted string and writes its escapes in the one canonical way.
func canonicalValue(value string) (string, error) {
	switch value {
	case "":
		return "", fmt.Errorf("is empty: write * for any")
	case AnyValue, NoValue:
		return value, nil
	}
	var b strings.Builder
	body := false // anything but wildcards was seen
	tail := false // a wildcard after the body was seen: nothing else may follow
	for i := 0; i < len(value); i++ {
		ch := value[i]
		if ch == '*' || ch == '?' {
			tail = body
			if ch == '*' && i != 0 && i != len(value)-1 {
				return "", fmt.Errorf("%q: * stands inside, which needs a backslash", value)
			}
			b.WriteByte(ch)
			continue
		}
		if tail {
			return "", fmt.Errorf("%q: ? stands inside, which needs a backslash", value)
		}
		body = true
		if ch == '\\' {
			i++
			if i == len(value) {
				return "", fmt.Errorf("%q: ends with a lone backslash", value)
			}
			ch = value[i]
			if ch == '*' || ch == '?' {
				b.WriteByte('\\')
				b.WriteByte(ch)
				continue
			}
		}
		writeQuoted(&b, ch)
	}
	if !body && strings.Contains(value, "*") {
		return "", fmt.Errorf("%q: wildcards alone: write * for any", value)
	}
	if b.String() == NoValue {
		return `\-`, nil // an escaped hyphen is a value, the bare one is NA
	}
	return b.String(), nil
}

// writeQuoted writes one character of a value, with a backslash where the formatted string wants one. Bytes beyond ASCII
// do occur in the wild and stand for themselves.
func writeQuoted(b *strings.Builder, ch byte) {
	switch {
	case ch >= 'a' && ch <= 'z', ch >= '0' && ch <= '9', ch >= 0x80, ch == '_', ch == '.', ch == '-':
	default:
		b.WriteByte('\\')
	}
	b.WriteByte(ch)
}

// quote makes a value of plain words; empty words are ANY.
func quote(words string) string {
	words = strings.ToLower(strings.TrimSpace(words))
	if words == "" {
		return AnyValue
	}
	var b strings.Builder
	for i := 0; i < len(words); i++ {
		if words[i] == ' ' {
			b.WriteByte('_')
			continue
		}
		writeQuoted(&b, words[i])
	}
	if b.String() == NoValue {
		return `\-`
	}
	return b.String()
}

// Plain is a value as a person writes it: without backslashes; empty for ANY and NA.
func Plain(value string) string {
	if value == AnyValue || value == NoValue {
		return ""
	}
	if !strings.Contains(value, `\`) {
		return value
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) {
			i++
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// parseURI reads the older form, in which an empty component is ANY and the edition may pack five attributes between ~.
func parseURI(text string) (CPE, error) {
	c := CPE{}
	parts := strings.Split(text[len("cpe:/"):], ":")
	if len(parts) > 7 {
		return CPE{}, fmt.Errorf("CPE %q: a CPE 2.2 name has at most seven parts", text)
	}
	values := c.attributes()
	for i, part := range parts {
		into := []*string{values[i]}
		pieces := []string{part}
		if i == 5 && strings.HasPrefix(part, "~") {
			pieces = strings.Split(part[1:], "~")
			if len(pieces) == 4 {
				pieces = append(pieces, "") // as an example of the specification itself is written
			}
			if len(pieces) != 5 {
				return CPE{}, fmt.Errorf("CPE %q: a packed edition has five parts", text)
			}
			into = []*string{&c.Edition, &c.SWEdition, &c.TargetSW, &c.TargetHW, &c.Other}
		}
		for j, piece := range pieces {
			value, err := fromURI(piece)
			if err != nil {
				return CPE{}, fmt.Errorf("CPE %q: %s: %w", text, attributeNames[i], err)
			}
			*into[j] = value
		}
	}
	c.fill()
	if err := c.checkPart(text); err != nil {
		return CPE{}, err
	}
	return c, nil
}

// fromURI decodes one percent-encoded component; %01 and %02 are the wildcards ? and *.
func fromURI(piece string) (string, error) {
	switch piece {
	case "":
		return AnyValue, nil
	case NoValue:
		return NoValue, nil
	}
	var b strings.Builder
	for i := 0; i < len(piece); i++ {
		ch := piece[i]
		if ch != '%' {
			writeQuoted(&b, ch)
			continue
		}
		if i+2 >= len(piece) {
			return "", fmt.Errorf("%q: ends inside a percent code", piece)
		}
		high, low := unhex(piece[i+1]), unhex(piece[i+2])
		if high < 0 || low < 0 {
			return "", fmt.Errorf("%q: not a percent code", piece[i:i+3])
		}
		i += 2
		switch decoded := byte(high<<4 | low); decoded {
		case 1:
			b.WriteByte('?')
		case 2:
			b.WriteByte('*')
		default:
			if decoded < 0x20 || decoded >= 0x7f {
				return "", fmt.Errorf("%q: %%%02x is no printable character", piece, decoded)
			}
			writeQuoted(&b, strings.ToLower(string(rune(decoded)))[0])
		}
	}
	return canonicalValue(b.String())
}

func unhex(ch byte) int {
	switch {
	case ch >= '0' && ch <= '9':
		return int(ch - '0')
	case ch >= 'a' && ch <= 'f':
		return int(ch-'a') + 10
	}
	return -1
}

// String is the CPE 2.3 formatted string.
func (c CPE) String() string {
	var b strings.Builder
	b.WriteString("cpe:2.3")
	for _, value := range c.attributes() {
		b.WriteByte(':')
		if *value == "" {
			b.WriteString(AnyValue)
			continue
		}
		b.WriteString(*value)
	}
	return b.String()
}

// Relation is how a set of names stands to another (NISTIR 7696).
type Relation int8

// The relations.
const (
	Undefined Relation = iota // the second holds a wildcard, which the specification does not compare
	Disjoint
	Subset
	Superset
	Equal
)

// Relate compares one attribute of a source name with that of a target name by the table of NISTIR 7696, 6.1.
func Relate(source, target string) Relation {
	if wild(target) {
		if source == target {
			return Equal
		}
		return Undefined
	}
	switch {
	case source == target:
		return Equal
	case source == AnyValue:
		return Superset
	case target == AnyValue:
		return Subset
	case source == NoValue || target == NoValue:
		return Disjoint
	case wild(source):
		if matchWild(source, target) {
			return Superset
		}
	}
	return Disjoint
}

// Covers reports whether every name that target stands for is one of c's: the name comparison of NISTIR 7696 gives
// SUPERSET or EQUAL.
func (c CPE) Covers(target CPE) bool {
	r := c.Compare(target)
	return r == Superset || r == Equal
}

// IsDisjoint reports whether the names share nothing: one attribute at least is disjoint.
func (c CPE) IsDisjoint(target CPE) bool { return c.Compare(target) == Disjoint }

// wild reports whether a value begins or ends with a wildcard.
func wild(value string) bool {
	if value == AnyValue || value == "" {
		return false
	}
	if first := value[0]; first == '*' || first == '?' {
		return true
	}
	last := value[len(value)-1]
	return (last == '*' || last == '?') && !escapedEnd(value)
}

// escapedEnd reports whether the last character has a backslash of its own.
func escapedEnd(value string) bool {
	n := 0
	for i := len(value) - 2; i >= 0 && value[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// matchWild matches a value without wildcards. At an end, * stands for any number of characters, and each ? for one or
// none.
func matchWild(pattern, value string) bool {
	least, start := 0, 0
	for start < len(pattern) && (pattern[start] == '?' || pattern[start] == '*') {
		start++
	}
	end := len(pattern)
	for end > start && (pattern[end-1] == '?' || pattern[end-1] == '*') && !escapedEnd(pattern[:end]) {
		end--
	}
	body := pattern[start:end]
	for at := least; at+len(body) <= len(value); at++ {
		if value[at:at+len(body)] != body || (at > 0 && escapedEnd(value[:at]+"x")) {
			continue
		}
		if room(pattern[:start], value[:at]) && room(pattern[end:], value[at+len(body):]) {
			return true
		}
	}
	return false
}

// room reports whether wildcards may stand for text: * for any of it, n question marks for at most n characters.
func room(wildcards, text string) bool {
	if strings.Contains(wildcards, "*") {
		return true
	}
	return utf8.RuneCountInString(strings.ReplaceAll(text, `\`, "")) <= len(wildcards)
}
