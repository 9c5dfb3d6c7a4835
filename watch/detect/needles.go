package detect

import (
	"bytes"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
)

// A clause is a set of keys of which an event must show one: those that are known, and those of the domains of a block that have one
// of the texts in them.
type clause struct {
	keys    []uint64
	domains []string
}

// cost is about how many keys a clause has.
func (c clause) cost() int { return len(c.keys) + 1000*len(c.domains) }

// most of what stands between a block and being read.
const (
	mostClauses = 16
	mostKeys    = 100_000
)

// allOf are clauses that all must be fulfilled, the narrowest of them.
func allOf(parts ...[]clause) []clause {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b clause) int { return a.cost() - b.cost() })
	return all[:min(len(all), mostClauses)]
}

// anyOf is a clause that is fulfilled when one of the parts is; none where one of the parts asks for nothing that has a key.
func anyOf(parts ...[]clause) []clause {
	var one clause
	for _, p := range parts {
		if len(p) == 0 {
			return nil
		}
		best := slices.MinFunc(p, func(a, b clause) int { return a.cost() - b.cost() })
		one.keys = append(one.keys, best.keys...)
		one.domains = append(one.domains, best.domains...)
	}
	if one.cost() > mostKeys {
		return nil
	}
	return []clause{one}
}

// known are the clauses whose keys do not hang on a block.
func known(all []clause) (needles [][]uint64) {
	for _, c := range all {
		if len(c.domains) == 0 {
			needles = append(needles, c.keys)
		}
	}
	return needles
}

// in are all clauses, with the keys of a block's domains.
func in(all []clause, containing func(string) ([]string, error)) (needles [][]uint64, err error) {
	for _, c := range all {
		keys := slices.Clone(c.keys)
		for _, text := range c.domains {
			names, err := containing(text)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				keys = append(keys, watch.Key(watch.DomainKey, []byte(name)))
			}
		}
		needles = append(needles, keys)
	}
	return needles, nil
}

// keys says which keys the archive has of an event by what one of its fields is. It asks the Keyer itself, with values as they may stand
// there, so that it never promises a key that an event would not have.
type keys struct {
	names *watch.Names // that every record is archived with
	keyer *indicators.Keyer
}

func newKeys() *keys {
	names := watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields())...)
	return &keys{names: names, keyer: indicators.NewKeyer(names)}
}

// of are the keys that each of the values has when it stands in the field.
func (k *keys) of(field string, values ...string) (common []uint64) {
	number := k.names.Find([]byte(field))
	if number == 0 { // another name may be the one that it was archived under
		return nil
	}
	for i, v := range values {
		r := watch.Record{Values: []watch.Value{{Field: number, Name: []byte(field), Text: []byte(v)}}}
		found, _ := k.keyer.Keys(&r, nil, nil)
		if i == 0 {
			common = found
			continue
		}
		common = slices.DeleteFunc(common, func(key uint64) bool { return !slices.Contains(found, key) })
	}
	slices.Sort(common)
	return slices.Compact(common)
}

// each key that must be there is a clause by itself.
func each(common []uint64) (all []clause) {
	for _, key := range common[:min(len(common), mostClauses)] {
		all = append(all, clause{keys: []uint64{key}})
	}
	return all
}

// equal is for a field whose value is the text, in letters of whatever case. Numbers have no keys, and a text of digits may be one.
func (k *keys) equal(field, text string) []clause {
	if !plain(text) {
		return nil
	}
	return each(k.of(field, strings.ToLower(text), strings.ToUpper(text)))
}

// ending is for a field whose value ends with the text: where that is a path and the text has the whole of its last name.
func (k *keys) ending(field, text string) []clause {
	if !plain(text) || !strings.ContainsAny(text, `\/`) || !k.isPath(field) {
		return nil
	}
	var values []string
	for _, before := range []string{"", `C:\a`, "/a", "a b", `"C:\a b`} {
		values = append(values, before+strings.ToLower(text), before+strings.ToUpper(text))
	}
	return each(k.of(field, values...))
}

// isPath says whether the values of a field are paths whatever their shape: the whole of a name with blanks has a key.
func (k *keys) isPath(field string) bool {
	return slices.Contains(k.of(field, "a b.c"), watch.Key(watch.FileKey, []byte("a b.c")))
}

// network is for a field whose value is an address in the network.
func (k *keys) network(field, network string, clock ward.Clock) []clause {
	if len(k.of(field, "192.0.2.1")) == 0 || !strings.Contains(network, ".") {
		return nil
	}
	return k.indicator(ward.Indicator{Kind: ward.IndicatorNetwork, Value: network}, clock)
}

// indicator is for an event that shows an indicator somewhere.
func (k *keys) indicator(i ward.Indicator, clock ward.Clock) (all []clause) {
	q, err := indicators.NewQueryOver(k.names, []ward.Indicator{i}, clock)
	if err != nil {
		return nil // what cannot be looked for by a key
	}
	for _, list := range q.Needles() {
		all = append(all, clause{keys: list})
	}
	return all
}

// plain says whether a text is ASCII, so that its letters have one other case, and no number or truth, which have no keys.
func plain(text string) bool {
	if len(text) < 3 || bytes.ContainsFunc([]byte(text), func(r rune) bool { return bits.Len32(uint32(r)) > 7 }) { //nolint:gosec // a rune
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	_, truth := strconv.ParseBool(text)
	return err != nil && truth != nil
}
