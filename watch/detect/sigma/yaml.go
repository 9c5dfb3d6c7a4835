package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// What one file may ask for. The largest rule of the community's set has 47 kB and some thousand values.
const (
	maxFile      = 4 << 20 // bytes
	maxDocuments = 10_000  // in a file
	maxNodes     = 200_000 // in a document, each alias counted as what it stands for
	maxKeys      = 10_000  // in a map
	maxDepth     = 50
)

// A yamlValue is a piece of YAML with its aliases and merges written out: a scalar, a list or a map.
type yamlValue struct {
	shape shape
	// text of a scalar: whole numbers in decimal, true and false in small letters, all others as written.
	text   string
	number bool
	keys   []string // of a map, beside list
	list   []yamlValue
}

type shape uint8

const (
	yamlNull shape = iota
	yamlScalar
	yamlList
	yamlMap
)

func (s shape) String() string {
	return [...]string{"null", "a value", "a list", "a map"}[s]
}

// get is the value at the key of a map, or null.
func (v yamlValue) get(key string) yamlValue {
	if i := slices.Index(v.keys, key); i >= 0 {
		return v.list[i]
	}
	return yamlValue{}
}

// strings are the texts of a scalar or of a list of scalars.
func (v yamlValue) strings() ([]string, error) {
	switch v.shape {
	case yamlNull:
		return nil, nil
	case yamlScalar:
		return []string{v.text}, nil
	case yamlList:
		texts := make([]string, 0, len(v.list))
		for _, e := range v.list {
			if e.shape != yamlScalar {
				return nil, fmt.Errorf("%v where a value is expected", e.shape)
			}
			texts = append(texts, e.text)
		}
		return texts, nil
	default:
		return nil, fmt.Errorf("%v where a list is expected", v.shape)
	}
}

// A document is one YAML document of a file. Where err is set it could not be read, and has nothing but what names it.
type document struct {
	yamlValue
	err error
}

// documents reads the YAML documents of one file. A broken one does not stop those beside it.
func documents(text []byte) []document {
	whole := func(err error) []document { return []document{{err: err}} }
	if len(text) > maxFile {
		return whole(fmt.Errorf("%d bytes, more than %d", len(text), maxFile))
	}
	if !utf8.Valid(text) {
		return whole(errors.New("not UTF-8"))
	}
	docs, err := decode(text)
	if err == nil {
		return docs
	}
	docs = nil
	for part := range bytes.SplitSeq(text, []byte("\n---")) {
		more, err := decode(part)
		if docs = append(docs, more...); err != nil {
			docs = append(docs, document{named(part), err})
		}
		if len(docs) > maxDocuments {
			return append(docs, document{err: fmt.Errorf("more than %d documents", maxDocuments)})
		}
	}
	return docs
}

// decode reads documents up to the first that is no YAML.
func decode(text []byte) (docs []document, err error) {
	defer func() {
		if r := recover(); r != nil { // the YAML library panics on some of what is no YAML
			err = fmt.Errorf("not YAML: %v", r)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var n yaml.Node
		if err := d.Decode(&n); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return docs, fmt.Errorf("not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if len(docs) == maxDocuments {
			return docs, fmt.Errorf("more than %d documents", maxDocuments)
		}
		budget := maxNodes
		v, err := written(&n, &budget, 0)
		if err != nil {
			v = namedNode(&n)
		}
		if err != nil || v.shape != yamlNull {
			docs = append(docs, document{v, err})
		}
	}
}

// naming are the keys that say which rule a document is.
var naming = []string{"id", "name", "title"}

// namedNode is what names a document that cannot be written out.
func namedNode(n *yaml.Node) yamlValue {
	v := yamlValue{shape: yamlMap}
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; slices.Contains(naming, key) && n.Content[i+1].Kind == yaml.ScalarNode {
			v.keys, v.list = append(v.keys, key), append(v.list, yamlValue{shape: yamlScalar, text: n.Content[i+1].Value})
		}
	}
	return v
}

// named is what names a document that is no YAML, as far as it can be seen.
func named(text []byte) yamlValue {
	v := yamlValue{shape: yamlMap}
	for line := range strings.Lines(string(text)) {
		if key, after, found := strings.Cut(line, ":"); found && slices.Contains(naming, key) {
			v.keys, v.list = append(v.keys, key), append(v.list, yamlValue{shape: yamlScalar, text: strings.Trim(after, " \t\r\n'\"")})
		}
	}
	return v
}

// written writes a node out. The budget is how many more values the document may have.
func written(n *yaml.Node, budget *int, depth int) (yamlValue, error) {
	if *budget--; *budget < 0 {
		return yamlValue{}, fmt.Errorf("line %d: more than %d values (aliases counted as what they stand for)", n.Line, maxNodes)
	}
	if depth > maxDepth {
		return yamlValue{}, fmt.Errorf("line %d: nested deeper than %d", n.Line, maxDepth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return written(n.Content[0], budget, depth)
	case yaml.AliasNode:
		return written(n.Alias, budget, depth+1)
	case yaml.SequenceNode:
		v := yamlValue{shape: yamlList, list: make([]yamlValue, 0, len(n.Content))}
		for _, c := range n.Content {
			e, err := written(c, budget, depth+1)
			if err != nil {
				return yamlValue{}, err
			}
			v.list = append(v.list, e)
		}
		return v, nil
	case yaml.MappingNode:
		return writtenMap(n, budget, depth)
	case yaml.ScalarNode:
		return writtenScalar(n)
	default:
		return yamlValue{}, nil // an empty document
	}
}

func writtenMap(n *yaml.Node, budget *int, depth int) (yamlValue, error) {
	v := yamlValue{shape: yamlMap, keys: make([]string, 0, len(n.Content)/2), list: make([]yamlValue, 0, len(n.Content)/2)}
	var merges []yamlValue
	if len(n.Content)/2 > maxKeys {
		return yamlValue{}, fmt.Errorf("line %d: a map of more than %d keys", n.Line, maxKeys)
	}
	var seen map[string]bool // for maps of many keys, where looking through them takes long
	if len(n.Content) > 64 {
		seen = make(map[string]bool, len(n.Content)/2)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, err := written(n.Content[i], budget, depth+1)
		if err != nil {
			return yamlValue{}, err
		}
		e, err := written(n.Content[i+1], budget, depth+1)
		if err != nil {
			return yamlValue{}, err
		}
		switch {
		case n.Content[i].ShortTag() == "!!merge":
			merges = append(merges, e)
			continue
		case key.shape != yamlScalar:
			return yamlValue{}, fmt.Errorf("line %d: %v as a key", n.Content[i].Line, key.shape)
		case seen[key.text] || seen == nil && slices.Contains(v.keys, key.text):
			return yamlValue{}, fmt.Errorf("line %d: key %q twice", n.Content[i].Line, key.text)
		}
		if seen != nil {
			seen[key.text] = true
		}
		v.keys, v.list = append(v.keys, key.text), append(v.list, e)
	}
	for _, m := range merges {
		if m.shape == yamlMap {
			m = yamlValue{shape: yamlList, list: []yamlValue{m}}
		}
		if m.shape != yamlList || slices.ContainsFunc(m.list, func(e yamlValue) bool { return e.shape != yamlMap }) {
			return yamlValue{}, fmt.Errorf("line %d: << of what is no map", n.Line)
		}
		for _, from := range m.list {
			v = v.under(from)
		}
	}
	return v, nil
}

// under adds what the other map has and this one has not.
func (v yamlValue) under(other yamlValue) yamlValue {
	for i, key := range other.keys {
		if !slices.Contains(v.keys, key) {
			v.keys, v.list = append(v.keys, key), append(v.list, other.list[i])
		}
	}
	return v
}

func writtenScalar(n *yaml.Node) (yamlValue, error) {
	switch n.ShortTag() {
	case "!!null":
		return yamlValue{}, nil
	case "!!bool":
		return yamlValue{shape: yamlScalar, text: strings.ToLower(n.Value)}, nil
	case "!!int":
		v := yamlValue{shape: yamlScalar, text: n.Value, number: true}
		if i, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64); err == nil {
			v.text = strconv.FormatInt(i, 10)
		}
		return v, nil
	case "!!float":
		return yamlValue{shape: yamlScalar, text: n.Value, number: true}, nil
	case "!!binary":
		return yamlValue{}, fmt.Errorf("line %d: binary data", n.Line)
	default:
		return yamlValue{shape: yamlScalar, text: n.Value}, nil
	}
}
