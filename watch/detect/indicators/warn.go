package indicators

import (
	"bytes"
	"fmt"
	"strings"

	"wardwatch/ward"
)

// A WarningList names values that many honest machines show, so that an indicator among them never alerts alone: resolvers
// that everybody asks, networks of large providers, domains that all visit, digests of empty files. Each value is an address, a
// network, a URL, a digest, an e-mail address, or a name, which warns of the domain and of the file of that name; a name with
// a dot before it warns of the domain and of everything below it.
type WarningList struct {
	Name   string
	Values []string
}

// Warn makes the lists the ones that count, in the place of those before. The errors are those of values that say nothing;
// the others count.
func (x *Index) Warn(lists ...WarningList) []error {
	n := 0
	for _, l := range lists {
		n += len(l.Values)
	}
	b := newBuilder(n)
	var refused []error
	for _, l := range lists {
		for _, v := range l.Values {
			if err := b.warn(l.Name, v); err != nil {
				refused = append(refused, fmt.Errorf("warning list %q: %q: %w", l.Name, v, err))
			}
		}
	}
	warnings := b.seal()
	x.mu.Lock()
	defer x.mu.Unlock()
	s := *x.now.Load()
	s.warnings = warnings
	x.now.Store(&s)
	return refused
}

// warn adds a value under every kind that it may be of.
func (b *builder) warn(list, value string) error {
	o := origin{source: list}
	if name, below := strings.CutPrefix(value, "."); below {
		host, ok := appendHost(nil, []byte(name))
		if !ok {
			return bad("is no domain")
		}
		return b.add(domain, host, o, ever, never, 0)
	}
	may := []ward.IndicatorKind{guess(value)}
	if may[0] == ward.IndicatorDomain || may[0] == ward.IndicatorFile || may[0] == "" {
		may = []ward.IndicatorKind{ward.IndicatorDomain, ward.IndicatorFile}
	}
	var refused error
	added := false
	for _, word := range may {
		k, err := parse(word, value)
		if err != nil {
			refused = err
			continue
		}
		if k.kind == domain {
			k.marks = alone
		}
		if err := b.add(k.kind, k.bytes, o, ever, never, k.marks); err != nil {
			return err
		}
		added = true
	}
	if added {
		return nil
	}
	return refused
}

// warned is the name of the list on which the statement's value stands, or what the record shows.
func (g *generation) warned(in *generation, stated *entry, it shown) string {
	if g.n == 0 {
		return ""
	}
	if list := g.listed(stated.kind(), in.value(stated)); list != "" {
		return list
	}
	return g.listed(it.kind, it.key)
}

// listed is the name of the list that a value stands on.
func (g *generation) listed(k kind, value []byte) string {
	if list := g.listing(k, value, true); list != "" {
		return list
	}
	switch k {
	case address:
		if !g.covers(value) {
			return ""
		}
		var room [17]byte
		for count := 8*len(value) - 1; count > 0; count-- {
			if g.lengths[len(value)/16][count] {
				if list := g.listing(network, appendNetwork(room[:0], value, count), true); list != "" {
					return list
				}
			}
		}
		return ""
	case domain:
		for name := value; ; {
			i := bytes.IndexByte(name, '.')
			if i < 0 {
				return ""
			}
			name = name[i+1:]
			if list := g.listing(domain, name, false); list != "" {
				return list
			}
		}
	case url: // of a whole host, and nothing of it in particular
		end := hostEnd(value)
		if len(value) != end+1 {
			return ""
		}
		host, _ := splitPort(value[hostStart(value):end])
		if ip, ok := parse4(host); ok {
			return g.listed(address, ip[:])
		}
		return g.listed(domain, host)
	}
	return ""
}

func (g *generation) listing(k kind, key []byte, own bool) string {
	h := hash(k, key)
	bucket := g.bucket(h)
	for i := range bucket {
		if e := &bucket[i]; g.is(e, h, k, key) && (own || !e.marked(alone)) {
			return g.origins[e.origin].source
		}
	}
	return ""
}
