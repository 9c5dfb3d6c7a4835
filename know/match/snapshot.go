package match

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"

	"wardwatch/know"
	"wardwatch/ward"
)

// A snapshot is a catalogue in one file, so that it need not be made from the records again. It holds what publishers said, in
// short: each text once, and numbers that point there. What follows from the texts (keys, version order, shelves) is worked
// out when it is read, so that a program with other rules reads the same snapshot and follows its own.
//
//	magic, version | texts | weaknesses | CRC-32C of all before
const (
	snapshotMagic   = "wardwatch catalogue"
	snapshotVersion = 1
)

// ErrSnapshot is that of a snapshot that is cut, damaged, or of another version: make the catalogue from the records.
var ErrSnapshot = errors.New("not a snapshot that can be read")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteTo writes a snapshot.
func (c *Catalogue) WriteTo(to io.Writer) (int64, error) {
	w := &snapshotWriter{places: map[string]int{}}
	w.number(len(c.weaknesses))
	for _, weakness := range c.weaknesses {
		w.weakness(weakness)
	}
	head := &snapshotWriter{}
	head.body.WriteString(snapshotMagic)
	head.number(snapshotVersion)
	head.number(len(w.texts))
	for _, text := range w.texts {
		head.number(len(text))
		head.body.WriteString(text)
	}
	sum := crc32.Update(crc32.Checksum(head.body.Bytes(), castagnoli), castagnoli, w.body.Bytes())
	var n int64
	for _, part := range [][]byte{head.body.Bytes(), w.body.Bytes(), binary.LittleEndian.AppendUint32(nil, sum)} {
		written, err := to.Write(part)
		if n += int64(written); err != nil {
			return n, fmt.Errorf("match: snapshot: %w", err)
		}
	}
	return n, nil
}

// ReadCatalogue reads a snapshot.
func ReadCatalogue(from io.Reader) (*Catalogue, error) {
	body, err := io.ReadAll(bufio.NewReaderSize(from, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("match: snapshot: %w", err)
	}
	if len(body) < len(snapshotMagic)+4 || !bytes.HasPrefix(body, []byte(snapshotMagic)) {
		return nil, fmt.Errorf("match: %w: it does not begin as one", ErrSnapshot)
	}
	body, sum := body[:len(body)-4], binary.LittleEndian.Uint32(body[len(body)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, fmt.Errorf("match: %w: its checksum differs", ErrSnapshot)
	}
	r := &snapshotReader{body: body[len(snapshotMagic):]}
	if version := r.number(); version != snapshotVersion {
		return nil, fmt.Errorf("match: %w: it is of version %d, and this program reads %d", ErrSnapshot, version, snapshotVersion)
	}
	text := string(r.body) // one string, of which every text is a part
	r.texts = make([]string, r.count())
	for i := range r.texts {
		n := r.count()
		at := len(text) - len(r.body)
		r.texts[i] = text[at : at+n]
		r.body = r.body[n:]
	}
	r.names = make([]*name, len(r.texts))
	c := NewCatalogue()
	r.words = c.words
	c.weaknesses = make(map[ward.CVE]*Weakness, len(r.texts)/8)
	for range r.count() {
		c.shelve(r.weakness())
	}
	if r.bad || len(r.body) > 0 {
		return nil, fmt.Errorf("match: %w: it is not laid out as it should be", ErrSnapshot)
	}
	return c, nil
}

type snapshotWriter struct {
	body   bytes.Buffer
	texts  []string
	places map[string]int
	room   [binary.MaxVarintLen64]byte
}

func (w *snapshotWriter) number(n int) {
	w.body.Write(w.room[:binary.PutUvarint(w.room[:], uint64(n))])
}

func (w *snapshotWriter) text(text string) {
	at, ok := w.places[text]
	if !ok {
		at = len(w.texts)
		w.places[text], w.texts = at, append(w.texts, text)
	}
	w.number(at)
}

func (w *snapshotWriter) list(texts []string) {
	w.number(len(texts))
	for _, text := range texts {
		w.text(text)
	}
}

func (w *snapshotWriter) weakness(weakness *Weakness) {
	w.text(string(weakness.CVE))
	w.number(len(weakness.sources))
	for i := range weakness.sources {
		s := &weakness.sources[i]
		w.text(s.name)
		at := int64(math.MinInt64)
		if !s.modified.IsZero() {
			at = s.modified.UnixMicro()
		}
		w.body.Write(w.room[:binary.PutVarint(w.room[:], at)])
		w.number(flags(s.withdraws))
		w.number(len(s.claims))
		for j := range s.claims {
			w.claim(&s.claims[j].Claim)
		}
		w.number(len(s.trees))
		for j := range s.trees {
			w.node(&s.trees[j])
		}
	}
}

// flags packs answers into bits, the first lowest.
func flags(all ...bool) (bits int) {
	for i, is := range all {
		if is {
			bits |= 1 << i
		}
	}
	return bits
}

func (w *snapshotWriter) claim(c *know.Claim) {
	w.list([]string{c.Vendor, c.Product, c.PURL, c.Ecosystem, string(c.Default), c.Justification})
	w.list(c.CPEs)
	w.list(c.Platforms)
	w.list(c.Modules)
	w.number(len(c.Versions))
	for _, v := range c.Versions {
		texts := []string{v.Version, v.LessThan, v.LessThanOrEqual, v.Scheme, string(v.Status)}
		for _, change := range v.Changes {
			texts = append(texts, change.At, string(change.Status))
		}
		w.list(texts)
	}
}

func (w *snapshotWriter) node(n *node) {
	w.number(flags(n.and, n.negate))
	w.number(len(n.leaves))
	for i := range n.leaves {
		l := &n.leaves[i]
		bounded := l.span != l.name.span
		w.number(flags(l.vulnerable, bounded, l.span.fromOpen, l.span.toClosed))
		w.text(l.text)
		if bounded {
			w.text(l.span.from)
			w.text(l.span.to)
		}
	}
	w.number(len(n.children))
	for i := range n.children {
		w.node(&n.children[i])
	}
}

// A snapshotReader reads what a snapshotWriter wrote. The checksum has held, so that what is wrong all the same is the work of
// another program: it must not crash, and the whole is refused.
type snapshotReader struct {
	body  []byte
	texts []string
	names []*name // by text
	words *dictionary
	bad   bool
	depth int
}

func (r *snapshotReader) number() int {
	n, size := binary.Uvarint(r.body)
	if size <= 0 || n > math.MaxInt32 {
		r.bad, r.body = true, nil
		return 0
	}
	r.body = r.body[size:]
	return int(n)
}

// count is a number of things that each take a byte at least.
func (r *snapshotReader) count() int {
	n := r.number()
	if n > len(r.body) {
		r.bad, r.body = true, nil
		return 0
	}
	return n
}

func (r *snapshotReader) place() int {
	n := r.number()
	if n >= len(r.texts) {
		r.bad, r.body = true, nil
		return -1
	}
	return n
}

func (r *snapshotReader) text() string {
	if at := r.place(); at >= 0 {
		return r.texts[at]
	}
	return ""
}

func (r *snapshotReader) list() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	all := make([]string, n)
	for i := range all {
		all[i] = r.text()
	}
	return all
}

func (r *snapshotReader) weakness() *Weakness {
	w := &Weakness{CVE: ward.CVE(r.text())}
	w.sources = make([]source, 0, 1)
	for range r.count() {
		s := newSource(r.text())
		at, size := binary.Varint(r.body)
		if size <= 0 {
			r.bad, r.body = true, nil
			return w
		}
		r.body = r.body[size:]
		if at != math.MinInt64 {
			s.modified = time.UnixMicro(at).UTC()
		}
		s.withdraws = r.number()&1 != 0
		for range r.count() {
			s.claims = append(s.claims, r.words.readClaim(r.claim()))
		}
		if n := r.count(); n > 0 {
			s.trees = make([]node, n)
			for i := range s.trees {
				s.trees[i] = r.node()
			}
		}
		w.sources = append(w.sources, s)
	}
	return w
}

func (r *snapshotReader) claim() (c know.Claim) {
	if texts := r.list(); len(texts) == 6 {
		c.Vendor, c.Product, c.PURL, c.Ecosystem, c.Default, c.Justification = texts[0], texts[1], texts[2], texts[3], know.ClaimStatus(texts[4]), texts[5]
	} else {
		r.bad = true
	}
	c.CPEs, c.Platforms, c.Modules = r.list(), r.list(), r.list()
	for range r.count() {
		texts := r.list()
		if len(texts) < 5 || len(texts)%2 == 0 {
			r.bad = true
			return c
		}
		v := know.Range{Version: texts[0], LessThan: texts[1], LessThanOrEqual: texts[2], Scheme: texts[3], Status: know.ClaimStatus(texts[4])}
		for rest := texts[5:]; len(rest) > 0; rest = rest[2:] {
			v.Changes = append(v.Changes, know.Change{At: rest[0], Status: know.ClaimStatus(rest[1])})
		}
		c.Versions = append(c.Versions, v)
	}
	return c
}

// deepest bounds how deep conditions nest; publishers' records stay below ten.
const deepest = 1000

func (r *snapshotReader) node() (n node) {
	if r.depth++; r.depth > deepest {
		r.bad, r.body = true, nil
	}
	defer func() { r.depth-- }()
	bits := r.number()
	n.and, n.negate = bits&1 != 0, bits&2 != 0
	if leaves := r.count(); leaves > 0 {
		n.leaves = make([]leaf, leaves)
		for i := range n.leaves {
			n.leaves[i] = r.leaf()
		}
	}
	if children := r.count(); children > 0 {
		n.children = make([]node, children)
		for i := range n.children {
			n.children[i] = r.node()
		}
	}
	n.note()
	return n
}

func (r *snapshotReader) leaf() leaf {
	bits, at := r.number(), r.place()
	if at < 0 {
		return leaf{name: nothing, span: nothing.span}
	}
	if r.names[at] == nil {
		r.names[at] = r.words.name(r.texts[at])
		if r.names[at] == nil {
			r.bad, r.names[at] = true, nothing
		}
	}
	l := leaf{name: r.names[at], span: r.names[at].span, product: r.names[at].product, vulnerable: bits&1 != 0}
	if bits&2 != 0 {
		from, to := r.text(), r.text()
		var m know.CPEMatch
		if bits&4 != 0 {
			m.StartExcluding = from
		} else {
			m.StartIncluding = from
		}
		if bits&8 != 0 {
			m.EndIncluding = to
		} else {
			m.EndExcluding = to
		}
		l.span = r.words.stretch(m, l.name)
	}
	return l
}

// nothing stands where a damaged snapshot names nothing.
var nothing = newDictionary().name("cpe:2.3:a:-:-:-:*:*:*:*:*:*:*")
