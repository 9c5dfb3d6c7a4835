package match

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// A proviso is what a verdict on an identity waits for: CPE patterns of which it matters whether the asset runs them. The
// families of operating systems that it runs matter to every proviso.
type proviso struct {
	leaves []leaf
	text   []string // each leaf as digits of where it stands would name it: its pattern and stretch
}

// waitsFor is the proviso on which the weakness's verdict on an identity depends, where what else an asset runs can change
// it; false where it cannot, as where a stronger source speaks of the version alone.
func (w *Weakness) waitsFor(id *Identity, opinions []opinion) (*proviso, bool) {
	c := &proviso{}
	decides := opinions[0]
	open := false
	for i := range w.sources {
		s := &w.sources[i]
		if !s.depends(id, c) {
			continue
		}
		strongest := 10*strength(ward.ByVersion) + s.rank // that it could be
		open = open || decides.source == s || strongest <= decisive(decides)
	}
	return c, open
}

// mayBecome reports whether what is fixed or not affected may be another thing on some asset: where the entry that says so is
// about other operating systems than the asset runs.
func (w *Weakness) mayBecome(id *Identity, on *proviso) bool {
	if !w.limited {
		return false
	}
	if len(on.leaves) > 0 {
		return true
	}
	for _, family := range [...]string{"windows", "linux", "macos", "ios", "android", "other"} {
		if v, opinions := w.decide(id, []*Identity{{family: family, part: "o"}}); len(opinions) > 0 && worthKeeping(v, id) {
			return true
		}
	}
	return false
}

// depends adds to the proviso what the source asks of the asset beside the identity; false when it asks nothing.
func (s *source) depends(id *Identity, to *proviso) bool {
	asks := slices.ContainsFunc(s.claims, func(c claim) bool {
		if len(c.families) == 0 || id.family != "" && slices.Contains(c.families, id.family) {
			return false
		}
		_, about := c.names(id)
		return about
	})
	for i := range s.trees {
		if n := &s.trees[i]; n.concerns(id) {
			asks = to.gather(n, id) || asks
		}
	}
	return asks
}

// gather adds the parts of a tree that are held against the asset; it follows the evaluation.
func (c *proviso) gather(n *node, id *Identity) (asks bool) {
	own := !n.and && n.concerns(id)
	for i := range n.leaves {
		l := &n.leaves[i]
		switch {
		case l.vulnerable && l.names(id):
			asks = asks || systems[know.Plain(l.cpe.TargetSW)] != ""
		case !own:
			asks = true
			c.add(l)
		}
	}
	for i := range n.children {
		if !own || n.children[i].concerns(id) {
			asks = c.gather(&n.children[i], id) || asks
		}
	}
	return asks
}

// add keeps each pattern once, in order.
func (c *proviso) add(l *leaf) {
	text, _ := json.Marshal(l.written())
	at, known := slices.BinarySearch(c.text, string(text))
	if !known {
		c.text, c.leaves = slices.Insert(c.text, at, string(text)), slices.Insert(c.leaves, at, *l)
	}
}

// written is the leaf as a record writes it.
func (l *leaf) written() know.CPEMatch {
	m := know.CPEMatch{CPE: l.text}
	if l.span == l.name.span {
		return m
	}
	if l.span.fromOpen {
		m.StartExcluding = l.span.from
	} else {
		m.StartIncluding = l.span.from
	}
	if l.span.toClosed {
		m.EndIncluding = l.span.to
	} else {
		m.EndExcluding = l.span.to
	}
	return m
}

// body is the proviso as it is kept, and its digest.
func (c *proviso) body() (text, digest string) {
	text = "[" + strings.Join(c.text, ",") + "]"
	sum := sha256.Sum256([]byte(text))
	return text, hex.EncodeToString(sum[:16])
}

// readProviso reads what body wrote.
func readProviso(text string) (*proviso, error) {
	var all []know.CPEMatch
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, err
	}
	c, d := &proviso{}, newDictionary()
	for _, m := range all {
		if named := d.name(m.CPE); named != nil {
			c.add(&leaf{name: named, span: d.stretch(m, named)})
		}
	}
	return c, nil
}

// stands says how the proviso stands among what an asset runs beside the identity: a word for each family of operating
// systems, and a digit for each pattern. All verdicts that wait for it are the same wherever it stands alike.
func (c *proviso) stands(beside []*Identity) string {
	var families []string
	for _, other := range beside {
		if other.family != "" && !slices.Contains(families, other.family) {
			families = append(families, other.family)
		}
	}
	slices.Sort(families)
	w := walk{id: &Identity{}, together: beside}
	var b strings.Builder
	b.WriteString(strings.Join(families, ",") + ":")
	for i := range c.leaves {
		b.WriteByte('0' + byte(w.condition(&c.leaves[i])))
	}
	return b.String()
}

// concerns reports whether it matters to the proviso, beyond its part, that an asset runs an identity.
func (c *proviso) concerns(id *Identity) bool {
	return id.family != "" || slices.ContainsFunc(c.leaves, func(l leaf) bool { return l.names(id) })
}
