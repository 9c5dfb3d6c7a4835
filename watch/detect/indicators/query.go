package indicators

import (
	"fmt"
	"net/netip"

	"wardwatch/ward"
	"wardwatch/watch"
)

// A Query hunts for indicators: all of a list at once, whenever they count, because a hunt looks back to before anybody knew.
type Query struct {
	index   *Index
	names   *watch.Names
	needles [][]uint64
	given   map[statement]string
}

type statement struct {
	kind  ward.IndicatorKind
	value string
}

// MaxNetworks is how many keys of smaller networks may stand for one large one in a Query; for larger ones every event is
// looked at.
const MaxNetworks = 1 << 12

// NewQuery makes a Query of indicators. A match has the value as it stands in the list.
func NewQuery(list []ward.Indicator, clock ward.Clock) (*Query, error) {
	return NewQueryOver(watch.NewNames(append(Fields(), UserFields()...)...), list, clock)
}

// NewQueryOver is NewQuery for records whose fields are numbered by names, which hold Fields and UserFields.
func NewQueryOver(names *watch.Names, list []ward.Indicator, clock ward.Clock) (*Query, error) {
	x, err := New(Options{Clock: clock, Names: names})
	if err != nil {
		return nil, err
	}
	q := &Query{index: x, names: names, given: make(map[statement]string, len(list))}
	keys := make([]uint64, 0, len(list))
	everything := false
	for _, i := range list {
		k, err := parse(i.Kind, i.Value)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", i.Kind, i.Value, err)
		}
		q.given[statement{words[k.kind], k.kind.text(k.bytes)}] = i.Value
		some, ok := appendNeedles(keys, k)
		keys, everything = some, everything || !ok
	}
	if !everything {
		q.needles = [][]uint64{keys}
	}
	return q, x.Fill(func(give func(ward.Indicator) error) error {
		for _, i := range list {
			if err := give(ward.Indicator{Kind: i.Kind, Value: i.Value}); err != nil {
				return err
			}
		}
		return nil
	})
}

// appendNeedles appends the keys of which an event that shows k has one; not ok: there are none, or too many.
func appendNeedles(keys []uint64, k key) (all []uint64, ok bool) {
	switch k.kind {
	case network:
		return appendNetworks(keys, k.bytes)
	case prefix:
		return append(keys, watch.Key(watch.URLHostKey, k.bytes[:hostEnd(k.bytes)])), true
	default:
		return append(keys, watch.Key(keyKinds[k.kind], k.bytes)), true
	}
}

// appendNetworks appends the key of the smallest network with a key that holds this one, or those of all that it holds.
func appendNetworks(keys []uint64, network []byte) (all []uint64, ok bool) {
	ip, count := network[:len(network)-1], int(network[len(network)-1])
	lengths := shortened[len(ip)/16]
	var room [17]byte
	for i := len(lengths) - 1; i >= 0; i-- {
		if lengths[i] <= count {
			return append(keys, watch.Key(watch.PrefixKey, appendNetwork(room[:0], ip, lengths[i]))), true
		}
	}
	if lengths[0]-count > 12 { // MaxNetworks
		return keys, false
	}
	a, _ := netip.AddrFromSlice(ip)
	bytes := a.AsSlice()
	for n := range 1 << (lengths[0] - count) {
		step := n << (8*len(bytes) - lengths[0] - 8*(len(bytes)-lengths[0]/8))
		for at := lengths[0]/8 - 1; at >= 0; at-- {
			bytes[at] = ip[at] | byte(step)
			step >>= 8
		}
		keys = append(keys, watch.Key(watch.PrefixKey, appendNetwork(room[:0], bytes, lengths[0])))
	}
	return keys, true
}

// Names implements watch.Query.
func (q *Query) Names() *watch.Names { return q.names }

// Needles implements watch.Query.
func (q *Query) Needles() [][]uint64 { return q.needles }

// Matcher implements watch.Query.
func (q *Query) Matcher() watch.Matcher { return &matcher{query: q} }

type matcher struct {
	query *Query
	hits  []Hit
}

// Match implements watch.Matcher: of a value that stands in several fields the first is named.
func (m *matcher) Match(r *watch.Record, matches []watch.Match) []watch.Match {
	before := len(matches)
	m.hits = m.query.index.Look(r, m.hits[:0])
next:
	for i := range m.hits {
		it := m.hits[i].Indicator()
		value := m.query.given[statement{it.Kind, it.Value}]
		for _, known := range matches[before:] {
			if known.Kind == string(it.Kind) && known.Value == value {
				continue next
			}
		}
		matches = append(matches, watch.Match{Kind: string(it.Kind), Value: value, Field: string(m.hits[i].Field), Text: string(m.hits[i].Value)})
	}
	return matches
}
