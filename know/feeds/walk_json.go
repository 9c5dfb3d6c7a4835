package feeds

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"wardwatch/know"
)

// A Walker goes through one JSON value and takes what it is asked for, without building the rest: records are a thousand
// lines of which a dozen count. What it passes over must be JSON all the same. It is for large lists of one known shape; when
// it does not understand, Failed says so, and the standard decoder is there to say why.
type Walker struct {
	text   []byte
	at     int
	deep   int
	failed bool
	words  map[string]string // texts that come again and again, held once
}

// Start begins with another value. Texts that were shared stay so.
func (w *Walker) Start(text []byte) {
	w.text, w.at, w.deep, w.failed = text, 0, 0, false
	if w.words == nil || len(w.words) > mostShared {
		w.words = map[string]string{}
	}
}

// mostShared bounds the texts that are held.
const mostShared = 200_000

// Failed reports whether the text was not what was asked for, or is not JSON.
func (w *Walker) Failed() bool { return w.failed }

// End reports whether the value was taken whole and nothing follows.
func (w *Walker) End() bool { return !w.failed && w.next() == 0 && w.at == len(w.text) }

func (w *Walker) fail() { w.failed, w.at = true, len(w.text) }

// next shows the next byte that is not white space; 0 at the end.
func (w *Walker) next() byte {
	for w.at < len(w.text) {
		switch b := w.text[w.at]; b {
		case ' ', '\n', '\r', '\t':
			w.at++
		default:
			return b
		}
	}
	return 0
}

// Object calls member with each name, and member must take or skip its value. A null is an object of nothing.
func (w *Walker) Object(member func(name []byte)) {
	if w.next() != '{' {
		w.null()
		return
	}
	w.at++
	if w.deep++; w.deep > mostDepth {
		w.fail()
		return
	}
	defer func() { w.deep-- }()
	if w.next() == '}' {
		w.at++
		return
	}
	for !w.failed {
		if w.next() != '"' {
			break
		}
		name, escaped := w.quoted()
		if escaped {
			name = []byte(unescape(name))
		}
		if w.next() != ':' {
			break
		}
		w.at++
		member(name)
		switch w.next() {
		case ',':
			w.at++
		case '}':
			w.at++
			return
		default:
			w.fail()
		}
	}
	w.fail()
}

// Member takes one member of an object and skips the others.
func (w *Walker) Member(wanted string, take func()) {
	w.Object(func(name []byte) {
		if string(name) == wanted {
			take()
			return
		}
		w.Skip()
	})
}

// Array calls element for each element, and element must take or skip it. A null is an array of nothing.
func (w *Walker) Array(element func()) {
	if w.next() != '[' {
		w.null()
		return
	}
	w.at++
	if w.deep++; w.deep > mostDepth {
		w.fail()
		return
	}
	defer func() { w.deep-- }()
	if w.next() == ']' {
		w.at++
		return
	}
	for !w.failed {
		element()
		switch w.next() {
		case ',':
			w.at++
		case ']':
			w.at++
			return
		default:
			w.fail()
		}
	}
}

func (w *Walker) null() { w.word("null") }

func (w *Walker) word(text string) {
	if !bytes.HasPrefix(w.text[w.at:], []byte(text)) {
		w.fail()
		return
	}
	w.at += len(text)
}

// quoted takes a string, and returns what stands between the quotes.
func (w *Walker) quoted() (raw []byte, escaped bool) {
	w.at++
	start := w.at
	for i := start; i < len(w.text); i++ {
		switch b := w.text[i]; {
		case b == '"':
			w.at = i + 1
			return w.text[start:i], escaped
		case b == '\\':
			escaped = true
			if i++; i < len(w.text) && w.text[i] == 'u' {
				if i+4 >= len(w.text) || !hex(w.text[i+1:i+5]) {
					w.fail()
					return nil, false
				}
				i += 4
			} else if i >= len(w.text) || !bytes.ContainsRune([]byte(`"\/bfnrt`), rune(w.text[i])) {
				w.fail()
				return nil, false
			}
		case b < ' ':
			w.fail()
			return nil, false
		}
	}
	w.fail()
	return nil, false
}

func hex(digits []byte) bool {
	for _, d := range digits {
		if (d < '0' || d > '9') && (d|0x20 < 'a' || d|0x20 > 'f') {
			return false
		}
	}
	return true
}

// unescape reads what quoted returned, by the standard library's rules.
func unescape(raw []byte) (text string) {
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	_ = json.Unmarshal(quoted, &text) // quoted has checked it
	return text
}

// Text takes a string; a null is empty.
func (w *Walker) Text() string {
	raw, escaped, ok := w.string()
	switch {
	case !ok:
		return ""
	case escaped || !utf8.Valid(raw):
		return unescape(raw)
	}
	return string(raw)
}

// Shared is Text for a text that comes again and again.
func (w *Walker) Shared() string {
	raw, escaped, ok := w.string()
	switch {
	case !ok:
		return ""
	case escaped || !utf8.Valid(raw):
		return w.share([]byte(unescape(raw)))
	}
	return w.share(raw)
}

func (w *Walker) share(raw []byte) string {
	if have, ok := w.words[string(raw)]; ok {
		return have
	}
	text := string(raw)
	w.words[text] = text
	return text
}

func (w *Walker) string() (raw []byte, escaped, ok bool) {
	if w.next() != '"' {
		w.null()
		return nil, false, false
	}
	raw, escaped = w.quoted()
	return raw, escaped, !w.failed
}

// Number takes a number; a null is 0.
func (w *Walker) Number() float64 {
	w.next()
	start := w.at
	w.number()
	if w.failed || w.at == start {
		w.failed = false
		w.at = start
		w.null()
		return 0
	}
	n, err := strconv.ParseFloat(string(w.text[start:w.at]), 64)
	if err != nil {
		w.fail()
	}
	return n
}

// Bool takes a truth; a null is false.
func (w *Walker) Bool() bool {
	switch w.next() {
	case 't':
		w.word("true")
		return !w.failed
	case 'f':
		w.word("false")
	default:
		w.null()
	}
	return false
}

// number takes a number by JSON's grammar.
func (w *Walker) number() {
	digits := func() bool {
		start := w.at
		for w.at < len(w.text) && w.text[w.at] >= '0' && w.text[w.at] <= '9' {
			w.at++
		}
		return w.at > start
	}
	is := func(b byte) bool { return w.at < len(w.text) && w.text[w.at] == b }
	if is('-') {
		w.at++
	}
	if is('0') {
		w.at++
	} else if !digits() {
		w.fail()
		return
	}
	if is('.') {
		if w.at++; !digits() {
			w.fail()
			return
		}
	}
	if is('e') || is('E') {
		if w.at++; is('+') || is('-') {
			w.at++
		}
		if !digits() {
			w.fail()
		}
	}
}

// Skip passes over a value.
func (w *Walker) Skip() {
	switch b := w.next(); b {
	case '"':
		w.quoted()
	case '{':
		w.Object(w.skipMember)
	case '[':
		w.Array(w.Skip)
	case 't':
		w.word("true")
	case 'f':
		w.word("false")
	case 'n':
		w.word("null")
	default:
		w.number()
	}
}

func (w *Walker) skipMember([]byte) { w.Skip() }

// Trees takes a list of CPE configurations, as Trees of a decoded list gives them.
func (w *Walker) Trees() (trees []know.Node) {
	w.Array(func() {
		if node, ok := w.node(); ok {
			trees = append(trees, node)
		}
	})
	return trees
}

func (w *Walker) node() (know.Node, bool) {
	var node know.Node
	var one, two []know.CPEMatch // NVD 2.0's, 1.1's
	var nodes, children []know.Node
	w.Object(func(name []byte) {
		switch string(name) {
		case "operator":
			raw, _, _ := w.string()
			node.And = bytes.EqualFold(raw, []byte("AND"))
		case "negate":
			node.Negate = w.Bool()
		case "nodes":
			nodes = w.Trees()
		case "children":
			children = w.Trees()
		case "cpeMatch":
			one = w.matches()
		case "cpe_match":
			two = w.matches()
		default:
			w.Skip()
		}
	})
	node.Matches, node.Children = one, nodes
	if node.Matches == nil {
		node.Matches = two
	} else {
		node.Matches = append(node.Matches, two...)
	}
	if node.Children == nil {
		node.Children = children
	} else {
		node.Children = append(node.Children, children...)
	}
	return trimmed(node)
}

func (w *Walker) matches() (all []know.CPEMatch) {
	w.Array(func() {
		var m know.CPEMatch
		var uri string
		w.Object(func(name []byte) {
			switch string(name) {
			case "vulnerable":
				m.Vulnerable = w.Bool()
			case "criteria":
				m.CPE = w.Shared()
			case "cpe23Uri":
				uri = w.Shared()
			case "versionStartIncluding":
				m.StartIncluding = w.Shared()
			case "versionStartExcluding":
				m.StartExcluding = w.Shared()
			case "versionEndIncluding":
				m.EndIncluding = w.Shared()
			case "versionEndExcluding":
				m.EndExcluding = w.Shared()
			default:
				w.Skip()
			}
		})
		if m.CPE == "" {
			m.CPE = uri
		}
		if m.CPE != "" {
			all = append(all, m)
		}
	})
	return all
}
