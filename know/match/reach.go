package match

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"wardwatch/ward"
)

// A Reach knows which identities there are and where each is listed, in memory and small, so that what a weakness reaches is
// told at once: from its records to the assets of each organisation. One goroutine at a time uses it.
type Reach struct {
	identities []*Identity        // by software ID
	products   map[string][]int32 // software IDs by product key, ascending
	lists      []*assetList
	places     map[place]int
	numbers    []uint32 // by software ID, from 1: what lists and holders count identities by
	last       uint32
	holders    []uint64 // which lists have an identity: stride words each, by number
	stride     int

	wanted []uint32 // the numbers that are asked for

	set      []uint64 // of an organisation's assets, while they are counted
	assets   []ward.AssetID
	reached  []Reached
	affected []ward.SoftwareID
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

// Order numbers the identities that are known so that those of one product, in the order of their versions, stand together in
// every list: a weakness then finds them in one place each. It comes before the first List; without it, or for identities that
// come later, numbers follow the order in which they are listed.
func (r *Reach) Order() {
	var ids []*Identity
	for _, id := range r.identities {
		if id != nil && len(id.Keys) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b *Identity) int {
		return cmp.Or(cmp.Compare(a.Keys[0], b.Keys[0]), cmp.Compare(a.key, b.key))
	})
	for _, id := range ids {
		r.number(id.Software.ID)
	}
}

// number is that of an identity, a new one where it has none.
func (r *Reach) number(id ward.SoftwareID) uint32 {
	if missing := int(id) + 1 - len(r.numbers); missing > 0 {
		r.numbers = append(r.numbers, make([]uint32, missing)...)
	}
	if r.numbers[id] == 0 {
		r.last++
		r.numbers[id] = r.last
	}
	return r.numbers[id]
}

// List takes in all that a source lists now on the assets of an organisation, in place of what it listed before. The rows need no order.
func (r *Reach) List(source ward.SourceID, org ward.OrgID, rows []Listed) {
	at, known := r.places[place{source, org}]
	if !known {
		at = len(r.lists)
		r.places[place{source, org}], r.lists = at, append(r.lists, nil)
	} else {
		for _, e := range r.lists[at].entries {
			r.holders[int(e.software)*r.stride+at/64] &^= 1 << (at % 64)
		}
	}
	list := newAssetList(org, rows, r.number)
	r.lists[at] = list
	r.room(at)
	for _, e := range list.entries {
		r.holders[int(e.software)*r.stride+at/64] |= 1 << (at % 64)
	}
}

// room makes the table of holders large enough for a list and for every number.
func (r *Reach) room(at int) {
	if words := at/64 + 1; words > r.stride {
		wider := make([]uint64, len(r.holders)/r.stride*words)
		for i, word := range r.holders {
			wider[i/r.stride*words+i%r.stride] = word
		}
		r.holders, r.stride = wider, words
	}
	if need := (int(r.last) + 1) * r.stride; need > len(r.holders) {
		r.holders = append(r.holders, make([]uint64, need-len(r.holders))...)
	}
}

// Affected lists, ascending, the identities that a weakness of the catalogue affects. The list is good until the next.
func (r *Reach) Affected(c *Catalogue, cve ward.CVE) []ward.SoftwareID {
	ids := r.affected[:0]
	w := c.Weakness(cve)
	if w == nil {
		return nil
	}
	add := func(of *Weakness, v *ward.Verdict) {
		if of == w && v.Status == ward.Affected {
			ids = append(ids, v.Software)
		}
	}
	for _, key := range w.Keys {
		s := c.shelves[key]
		s.prepare()
		for _, n := range r.products[key] {
			if id := r.identities[n]; len(id.Keys) == 1 {
				s.match(&c.desk, id, add)
			} else {
				c.Match(id, add)
			}
		}
	}
	slices.Sort(ids)
	r.affected = slices.Compact(ids)
	return r.affected
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

// Of lists, by organisation, the assets on which some source lists any of the identities. The lists are
// good until the next question: a weakness may reach a million assets.
func (r *Reach) Of(ids []ward.SoftwareID) []Reached {
	all := r.reached[:0]
	r.wanted = r.wanted[:0]
	for _, id := range ids {
		if int(id) < len(r.numbers) && r.numbers[id] != 0 {
			r.wanted = append(r.wanted, r.numbers[id])
		}
	}
	slices.Sort(r.wanted)
	r.assets = r.assets[:0]
	for at, list := range r.lists {
		word, bit := at/64, uint64(1)<<(at%64)
		if words := (len(list.assets) + 63) / 64; words > len(r.set) {
			r.set = make([]uint64, words)
		}
		found, next := false, 0
		for _, id := range r.wanted {
			if n := int(id)*r.stride + word; n >= len(r.holders) || r.holders[n]&bit == 0 {
				continue
			}
			found = true
			next = list.mark(r.set, id, next)
		}
		if !found {
			continue
		}
		begin := len(r.assets)
		r.assets = list.unmark(r.set, r.assets)
		all = append(all, Reached{list.org, r.assets[begin:len(r.assets):len(r.assets)]})
	}
	r.reached = all
	slices.SortStableFunc(all, func(a, b Reached) int { return cmp.Compare(a.Org, b.Org) })
	return merged(all)
}

// merged makes one of what several sources of an organisation list.
func merged(all []Reached) []Reached {
	kept := all[:0]
	for _, one := range all {
		if n := len(kept) - 1; n >= 0 && kept[n].Org == one.Org {
			assets := slices.Concat(kept[n].Assets, one.Assets)
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
	org     ward.OrgID
	assets  []uint32  // by number, ascending
	entries []posting // ascending
	blocks  []uint32  // where the first of each blockSize numbers stands, and where the last ends
	gaps    []byte
}

// A posting is an identity, and where its gaps end.
type posting struct{ software, end uint32 } // its number

// blockSize is how many numbers are looked for together.
const blockSize = 256

func newAssetList(org ward.OrgID, rows []Listed, number func(ward.SoftwareID) uint32) *assetList {
	pairs := make([]uint64, len(rows)) // identity, then asset: sorted as numbers they are in order
	assets := make([]uint32, len(rows))
	for i, row := range rows {
		pairs[i], assets[i] = uint64(number(row.Software))<<32|uint64(uint32(row.Asset)), uint32(row.Asset)
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
				l.entries[len(l.entries)-1].end = uint32(len(gaps))
			}
			l.entries = append(l.entries, posting{software: uint32(pair >> 32)})
			last = -1
		}
		place, _ := slices.BinarySearch(l.assets, uint32(pair))
		gaps = binary.AppendUvarint(gaps, uint64(place-last-1))
		last = place
	}
	if len(pairs) > 0 {
		l.entries[len(l.entries)-1].end = uint32(len(gaps))
	}
	for i, e := range l.entries {
		for len(l.blocks) <= int(e.software/blockSize) {
			l.blocks = append(l.blocks, uint32(i))
		}
	}
	l.blocks = slices.Clip(append(l.blocks, uint32(len(l.entries))))
	l.entries, l.gaps = slices.Clone(l.entries), slices.Clone(gaps)
	return l
}

// mark puts the assets of an identity that is listed into a set of numbers. It looks at a place first, and returns that of the
// next entry: identities of one product stand together.
func (l *assetList) mark(set []uint64, id uint32, at int) int {
	if at >= len(l.entries) || l.entries[at].software != id {
		block := id / blockSize
		first := int(l.blocks[block])
		more, _ := slices.BinarySearchFunc(l.entries[first:l.blocks[block+1]], id, func(p posting, id uint32) int { return cmp.Compare(p.software, id) })
		at = first + more
	}
	start := uint32(0)
	if at > 0 {
		start = l.entries[at-1].end
	}
	number := -1
	gaps := l.gaps[start:l.entries[at].end]
	for i := 0; i < len(gaps); {
		gap := uint64(gaps[i])
		if i++; gap >= 0x80 {
			long, size := binary.Uvarint(gaps[i-1:])
			gap, i = long, i-1+size
		}
		number += int(gap) + 1
		set[number>>6] |= 1 << (number & 63)
	}
	return at + 1
}

// unmark empties a set of numbers, and adds its assets to a list.
func (l *assetList) unmark(set []uint64, to []ward.AssetID) []ward.AssetID {
	for i := range (len(l.assets) + 63) / 64 {
		for word := set[i]; word != 0; word &= word - 1 {
			to = append(to, ward.AssetID(l.assets[i*64+bits.TrailingZeros64(word)]))
		}
		set[i] = 0
	}
	return to
}
