package estate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// inventory is a whole delivery in memory, small however many rows it had: each asset and each software identity once, and
// pairs of indexes.
type inventory struct {
	Summary
	assets   []listed
	software []ward.Software
	pairs    []pair

	byName     map[assetKey]int
	bySoftware map[ward.Software]int
}

// listed is one asset as the delivery lists it.
type listed struct {
	key  assetKey
	name string // as first written
	says store.Says
}

// assetKey is what makes two rows speak of one asset.
type assetKey struct {
	operator ward.OrgID
	name     string // folded
}

type pair struct{ asset, software int32 }

func newInventory() *inventory {
	return &inventory{byName: map[assetKey]int{}, bySoftware: map[ward.Software]int{}}
}

// add takes a row in. Rows of one asset complete one another: the first that knows something decides, lists are joined.
func (v *inventory) add(row Row, operator ward.OrgID) {
	at := len(v.assets) - 1
	if at < 0 || v.assets[at].name != row.Asset || v.assets[at].key.operator != operator {
		key := assetKey{operator, strings.ToLower(row.Asset)}
		var known bool
		if at, known = v.byName[key]; !known {
			at = len(v.assets)
			v.byName[key] = at
			v.assets = append(v.assets, listed{key: key, name: row.Asset})
		}
	}
	says := &v.assets[at].says
	says.Class = cmp.Or(says.Class, row.Class)
	says.Site = cmp.Or(says.Site, row.Site)
	says.Reachable = cmp.Or(says.Reachable, row.Reachable)
	says.Data = joined(says.Data, row.Data)
	says.Services = joined(says.Services, row.Services)
	if row.Software == (ward.Software{}) {
		return
	}
	software, known := v.bySoftware[row.Software]
	if !known {
		software = len(v.software)
		v.bySoftware[row.Software] = software
		v.software = append(v.software, row.Software)
	}
	v.pairs = append(v.pairs, pair{int32(at), int32(software)})
}

// note adds a problem that costs no row.
func (v *inventory) note(line int, text string) {
	if len(v.Problems) < MostProblems {
		v.Problems = append(v.Problems, fmt.Sprintf("line %d: %s", line, text))
	}
}

func joined(have, more []string) []string {
	for _, one := range more {
		if !slices.Contains(have, one) {
			have = append(slices.Clip(have), one)
		}
	}
	return have
}

// settled is how an asset is described when several sources speak of it: for each attribute, the newest observation that
// knows it. says is newest first; what none knows stays as it was.
func settled(now store.Says, says []store.Says) store.Says {
	var out store.Says
	for _, one := range append(slices.Clip(says), now) {
		out.Class = cmp.Or(out.Class, one.Class)
		out.Site = cmp.Or(out.Site, one.Site)
		out.Reachable = cmp.Or(out.Reachable, one.Reachable)
		if len(out.Data) == 0 {
			out.Data = one.Data
		}
		if len(out.Services) == 0 {
			out.Services = one.Services
		}
	}
	return out
}

func same(a, b store.Says) bool {
	return a.Class == b.Class && a.Site == b.Site && a.Reachable == b.Reachable && slices.Equal(a.Data, b.Data) && slices.Equal(a.Services, b.Services)
}
