package match

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"

	"wardwatch/ward"
)

// A Reach knows which identities there are and where each is listed, in memory and small, so that what a weakness reaches is
// told at once: from its records to the assets of each organisation. One goroutine at a time uses it.
type Reach struct {
	identities []*Identity        // by software ID
	products   map[string][]int32 // software IDs by product key, ascending
	lists      []*assetList
	places     map[place]int
	holders    []uint64 // which lists have an identity: stride words each, by software ID
	stride     int

	set []uint64 // of an organisation's assets, while they are counted
}

// A place is one source's list as far as one organisation answers for it.
type place struct {
	source ward.SourceID
	org    ward.OrgID
}

// Listed is one identity on one asset.
type Listed struct {
	Software ward.SoftwareID
	Asset    ward.AssetID
}

// Reached is an organisation with its assets on which an identity is listed, ascending.
type Reached struct {
	Org    ward.OrgID
	Assets []ward.AssetID
}

// NewReach returns a reach over nothing.
func NewReach() *Reach {
	return &Reach{products: map[string][]int32{}, places: map[place]int{}, stride: 1}
}

// Know takes in an identity.
func (r *Reach) Know(id *Identity) {
	n := int(id.Software.ID)
	for len(r.identities) <= n {
		r.identities = append(r.identities, nil)
	}
	if r.identities[n] != nil {
		return
	}
	r.identities[n] = id
	for _, key := range id.Keys {
		of := r.products[key]
		at, _ := slices.BinarySearch(of, int32(n))
		r.products[key] = slices.Insert(of, at, int32(n))
	}
}

// List takes in all that a source lists now on the assets of an organisation, in place of what it listed before. The rows need no order.
func (r *Reach) List(source ward.SourceID, org ward.OrgID, rows []Listed) {
	at, known := r.places[place{source, org}]
	if !known {
		at = len(r.lists)
		r.places[place{source, org}], r.lists = at, append(r.lists, nil)
	} else {
		for _, id := range r.lists[at].software {
			r.holders[int(id)*r.stride+at/64] &^= 1 << (at % 64)
		}
	}
	list := newAssetList(org, rows)
	r.lists[at] = list
	r.room(at, list)
	for _, id := range list.software {
		r.holders[int(id)*r.stride+at/64] |= 1 << (at % 64)
	}
}

// room makes the table of holders large enough for a list.
func (r *Reach) room(at int, list *assetList) {
	if words := at/64 + 1; words > r.stride {
		wider := make([]uint64, len(r.holders)/r.stride*words)
		for i, word := range r.holders {
			wider[i/r.stride*words+i%r.stride] = word
		}
		r.holders, r.stride = wider, words
	}
	most := len(r.identities)
	if n := len(list.software); n > 0 {
		most = max(most, int(list.software[n-1])+1)
	}
	if need := most * r.stride; need > len(r.holders) {
		r.holders = append(r.holders, make([]uint64, need-len(r.holders))...)
	}
}

// Affected lists, ascending, the identities that a weakness of the catalogue affects.
func (r *Reach) Affected(c *Catalogue, cve ward.CVE) (ids []ward.SoftwareID) {
	w := c.Weakness(cve)
	if w == nil {
		return nil
	}
	for _, key := range w.Keys {
		for _, n := range r.products[key] {
			c.Match(r.identities[n], func(of *Weakness, v *ward.Verdict) {
				if of == w && v.Status == ward.Affected {
					ids = append(ids, v.Software)
				}
			})
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Sharing lists, ascending, the identities that share a product with a weakness: those of which it may say something.
func (r *Reach) Sharing(w *Weakness) (ids []ward.SoftwareID) {
	for _, key := range w.Keys {
		for _, n := range r.products[key] {
			ids = append(ids, ward.SoftwareID(n))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Identity is an identity that is known, or nil.
func (r *Reach) Identity(id ward.SoftwareID) *Identity {
	if int(id) < len(r.identities) {
		return r.identities[id]
	}
	return nil
}

// Of lists, by organisation, the assets on which some source lists any of the identities, which are ascending.
func (r *Reach) Of(ids []ward.SoftwareID) (all []Reached) {
	for at, list := range r.lists {
		word, bit := at/64, uint64(1)<<(at%64)
		r.set = append(r.set[:0], make([]uint64, (len(list.assets)+63)/64)...)
		found, from := false, 0
		for _, id := range ids {
			if n := int(id)*r.stride + word; n >= len(r.holders) || r.holders[n]&bit == 0 {
				continue
			}
			found = true
			from = list.mark(r.set, id, from)
		}
		if !found {
			continue
		}
		all = append(all, Reached{list.org, list.marked(r.set)})
	}
	slices.SortStableFunc(all, func(a, b Reached) int { return cmp.Compare(a.Org, b.Org) })
	return merged(all)
}

// merged makes one of what several sources of an organisation list.
func merged(all []Reached) []Reached {
	kept := all[:0]
	for _, one := range all {
		if n := len(kept) - 1; n >= 0 && kept[n].Org == one.Org {
			assets := append(kept[n].Assets, one.Assets...)
			slices.Sort(assets)
			kept[n].Assets = slices.Compact(assets)
			continue
		}
		kept = append(kept, one)
	}
	return kept
}

// An assetList is what one source lists: for each identity its assets, as the gaps between their numbers in the list, one
// byte where a gap is below 128.
type assetList struct {
	org      ward.OrgID
	assets   []uint32 // by number, ascending
	software []uint32 // ascending
	ends     []uint32 // where each one's gaps end
	gaps     []byte
}

func newAssetList(org ward.OrgID, rows []Listed) *assetList {
	pairs := make([]uint64, len(rows)) // identity, then asset: sorted as numbers they are in order
	assets := make([]uint32, len(rows))
	for i, row := range rows {
		pairs[i], assets[i] = uint64(row.Software)<<32|uint64(uint32(row.Asset)), uint32(row.Asset)
	}
	slices.Sort(pairs)
	pairs = slices.Compact(pairs)
	slices.Sort(assets)
	l := &assetList{org: org, assets: slices.Clone(slices.Compact(assets))}
	gaps := make([]byte, 0, len(pairs)+len(pairs)/4)
	last := -1
	for i, pair := range pairs {
		if i == 0 || pair>>32 != pairs[i-1]>>32 {
			if i > 0 {
				l.ends = append(l.ends, uint32(len(gaps)))
			}
			l.software = append(l.software, uint32(pair>>32))
			last = -1
		}
		number, _ := slices.BinarySearch(l.assets, uint32(pair))
		gaps = binary.AppendUvarint(gaps, uint64(number-last-1))
		last = number
	}
	if len(pairs) > 0 {
		l.ends = append(l.ends, uint32(len(gaps)))
	}
	l.software, l.ends, l.gaps = slices.Clone(l.software), slices.Clone(l.ends), slices.Clone(gaps)
	return l
}

// mark puts the assets of an identity into a set of numbers. It looks from a place on, and returns where to look from for a
// later identity.
func (l *assetList) mark(set []uint64, id ward.SoftwareID, from int) int {
	reach := 1
	for from+reach < len(l.software) && l.software[from+reach] < uint32(id) {
		reach *= 2
	}
	low, high := from+reach/2, min(from+reach+1, len(l.software))
	at := low + sort.Search(high-low, func(i int) bool { return l.software[low+i] >= uint32(id) })
	if at == len(l.software) || l.software[at] != uint32(id) {
		return from
	}
	start := uint32(0)
	if at > 0 {
		start = l.ends[at-1]
	}
	number := -1
	for gaps := l.gaps[start:l.ends[at]]; len(gaps) > 0; {
		gap, size := uint64(gaps[0]), 1
		if gap >= 0x80 {
			gap, size = binary.Uvarint(gaps)
		}
		gaps = gaps[size:]
		number += int(gap) + 1
		set[number/64] |= 1 << (number % 64)
	}
	return at
}

// marked lists the assets of a set.
func (l *assetList) marked(set []uint64) []ward.AssetID {
	n := 0
	for _, word := range set {
		n += bits.OnesCount64(word)
	}
	all := make([]ward.AssetID, 0, n)
	for i, word := range set {
		for ; word != 0; word &= word - 1 {
			all = append(all, ward.AssetID(l.assets[i*64+bits.TrailingZeros64(word)]))
		}
	}
	return all
}
