package know

import (
	"slices"

	"wardwatch/ward"
)

// Aliases are the names that analysts joined, beside the table of public facts. The zero value joins nothing.
type Aliases struct {
	same map[string][]string // product key to every key of the same product, itself among them
}

// NewAliases joins each pair of product keys, and so all that are joined by way of others.
func NewAliases(pairs [][2]string) Aliases {
	a := Aliases{same: map[string][]string{}}
	for _, pair := range pairs {
		group := slices.Concat(a.of(pair[0]), a.of(pair[1]))
		slices.Sort(group)
		group = slices.Compact(group)
		for _, key := range group {
			a.same[key] = group
		}
	}
	return a
}

func (a Aliases) of(key string) []string {
	if group, ok := a.same[key]; ok {
		return group
	}
	return []string{key}
}

// Joined reports whether two keys are one product.
func (a Aliases) Joined(key, other string) bool { return slices.Contains(a.of(key), other) }

// Also is keys, sorted, with every other key of the same products.
func (a Aliases) Also(keys []string) []string {
	if len(a.same) == 0 {
		return keys
	}
	var all []string
	for _, key := range keys {
		all = append(all, a.of(key)...)
	}
	return sortedKeys(all)
}

// ProductKeys is ProductKeys with the names that analysts joined.
func (a Aliases) ProductKeys(sw ward.Software) []string { return a.Also(ProductKeys(sw)) }
