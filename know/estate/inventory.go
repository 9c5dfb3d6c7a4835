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
	found    map[foundKey]store.Said // what a scanner reports; nil when it is none

	byName     map[assetKey]int
	twins      map[assetKey][]int // assets of one name that their serial numbers tell apart
	bySoftware map[ward.Software]int
}

// foundKey is one finding of a scanner on the asset of that index.
type foundKey struct {
	asset        int32
	cve          ward.CVE
	plugin, port string
}

// listed is one asset as the delivery lists it.
type listed struct {
	key   assetKey
	name  string // as first written
	plain string // its folded name, where key holds another
	says  store.Says

	marks   Marks
	serial  string // the first of the marks
	clients []ward.OrgID
}

// assetKey is what makes two rows speak of one asset.
type assetKey struct {
	operator ward.OrgID
	name     string // folded
}

type pair struct{ asset, software int32 }

func newInventory() *inventory {
	return &inventory{byName: map[assetKey]int{}, twins: map[assetKey][]int{}, bySoftware: map[ward.Software]int{}}
}

// add takes a row in. Rows of one asset complete one another: the first that knows something decides, lists are joined.
func (v *inventory) add(row Row, operator ward.OrgID) {
	at := v.place(row, operator)
	says := &v.assets[at].says
	says.Class = cmp.Or(says.Class, row.Class)
	says.Site = cmp.Or(says.Site, row.Site)
	says.Reachable = cmp.Or(says.Reachable, row.Reachable)
	says.Data = joined(says.Data, row.Data)
	says.Services = joined(says.Services, row.Services)
	v.assets[at].clients = joined(v.assets[at].clients, row.Accountable)
	v.assets[at].marks = joined(v.assets[at].marks, row.Marks)
	v.report(at, row.Found)
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

// place is the index of the asset that a row speaks of. Rows of one name and different serial numbers speak of different
// devices: phones are often all called alike.
func (v *inventory) place(row Row, operator ward.OrgID) int {
	serial := row.Marks.serial()
	if last := len(v.assets) - 1; last >= 0 && v.assets[last].name == row.Asset && v.assets[last].key.operator == operator && (serial == "" || v.assets[last].serial == serial) {
		return last
	}
	key := assetKey{operator, strings.ToLower(row.Asset)}
	at, known := v.byName[key]
	if !known {
		at = len(v.assets)
		v.byName[key] = at
		v.assets = append(v.assets, listed{key: key, name: row.Asset, serial: serial})
		return at
	}
	if serial == "" || v.assets[at].serial == serial {
		return at
	}
	if v.assets[at].serial == "" {
		v.assets[at].serial = serial
		return at
	}
	for _, twin := range v.twins[key] {
		if v.assets[twin].serial == serial {
			return twin
		}
	}
	v.assets = append(v.assets, listed{key: key, name: row.Asset, serial: serial})
	v.twins[key] = append(v.twins[key], len(v.assets)-1)
	return len(v.assets) - 1
}

// finish names the assets that share a name by their serial numbers too, whatever the order of the rows, adds the marks that
// names are, and drops those that two assets of this one delivery carry: they identify neither.
func (v *inventory) finish() {
	for key, twins := range v.twins {
		for _, at := range append([]int{v.byName[key]}, twins...) {
			asset := &v.assets[at]
			asset.name += " (" + asset.serial + ")"
			asset.key.name = strings.ToLower(asset.name)
		}
	}
	carried := map[Mark]int{}
	for i := range v.assets {
		v.assets[i].marks = slices.Clip(v.assets[i].marks)
		v.assets[i].marks.addNames(v.assets[i].name)
		for _, mark := range v.assets[i].marks {
			carried[mark]++
		}
	}
	for i := range v.assets {
		v.assets[i].marks = slices.DeleteFunc(v.assets[i].marks, func(mark Mark) bool { return carried[mark] > 1 })
	}
}

// report takes in what a scanner says of an asset. Checks that repeat a finding on one port complete one another.
func (v *inventory) report(at int, found *Finding) {
	if found == nil {
		return
	}
	if v.found == nil {
		v.found = map[foundKey]store.Said{}
	}
	for _, cve := range found.CVEs {
		key := foundKey{int32(at), cve, found.Plugin, found.Port}
		if _, known := v.found[key]; !known {
			v.found[key] = store.Said{Title: found.Title, Output: found.Output, Severity: found.Severity}
		}
	}
}

// note adds a problem that costs no row.
func (v *inventory) note(line int, text string) {
	if len(v.Problems) < MostProblems {
		v.Problems = append(v.Problems, fmt.Sprintf("line %d: %s", line, text))
	}
}

func joined[L ~[]T, T comparable](have, more L) L {
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
