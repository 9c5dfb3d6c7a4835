package blocks

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// pageSize is how much of a filter is read to look up one of a key's three fingerprints.
const pageSize = 4 << 10

// fuseHead is what stands before the fingerprints of a binary fuse filter: its seed (64 bits), then segment length, mask, number of
// segments, segments times length, and number of fingerprints (32 bits each).
const fuseHead = 8 + 5*4

// A pagedFilter looks keys up in the filter of a block without reading all of it: what an archive of ten thousand blocks has in
// memory is then its tables, and what a hunt reads of a block that has nothing is three pages a key.
type pagedFilter struct {
	index    *index
	at       section
	sums     []uint32
	seed     uint64
	length   uint32 // of a segment
	mask     uint32
	segments uint32 // times length
	empty    bool

	page   int // that is in memory
	memory [pageSize]byte
}

// openPaged gives nil where the index has no checksums of pages.
func openPaged(x *index) (*pagedFilter, error) {
	if _, ok := x.parts[[2]uint32{sectionPages, 0}]; !ok {
		return nil, nil
	}
	sums, err := x.read(sectionPages, 0)
	if err != nil {
		return nil, err
	}
	at, ok := x.parts[[2]uint32{sectionBlock, 0}]
	if !ok || len(sums) != 4*((int(at.length)+pageSize-1)/pageSize) {
		return nil, fmt.Errorf("%w: the index lacks checksums of its pages", ErrCorrupt)
	}
	p := &pagedFilter{index: x, at: at, page: -1, empty: at.length == 0}
	for i := 0; i < len(sums); i += 4 {
		p.sums = append(p.sums, binary.LittleEndian.Uint32(sums[i:]))
	}
	if p.empty {
		return p, nil
	}
	if at.length < fuseHead {
		return nil, fmt.Errorf("%w: a filter is cut short", ErrCorrupt)
	}
	if err := p.read(0); err != nil {
		return nil, err
	}
	head := p.memory[:]
	p.seed = binary.LittleEndian.Uint64(head)
	p.length, p.mask, p.segments = binary.LittleEndian.Uint32(head[8:]), binary.LittleEndian.Uint32(head[12:]), binary.LittleEndian.Uint32(head[20:])
	number := uint64(binary.LittleEndian.Uint32(head[24:]))
	if fuseHead+2*number != uint64(at.length) || number == 0 || uint64(p.segments)+2*uint64(p.length) > number || p.length == 0 || p.mask != p.length-1 || p.length&p.mask != 0 {
		return nil, fmt.Errorf("%w: a filter of another shape", ErrCorrupt)
	}
	return p, nil
}

// read brings a page into memory, and holds it against its checksum.
func (p *pagedFilter) read(page int) error {
	if p.page == page {
		return nil
	}
	from := page * pageSize
	room := p.memory[:min(pageSize, int(p.at.length)-from)]
	p.page = -1
	if _, err := p.index.from.ReadAt(room, p.index.body+int64(p.at.offset)+int64(from)); err != nil {
		return corrupt(err)
	}
	if crc32.Checksum(room, castagnoli) != p.sums[page] {
		return fmt.Errorf("%w: page %d of the block's filter has a wrong checksum", ErrCorrupt, page)
	}
	p.page = page
	return nil
}

func (p *pagedFilter) fingerprint(number uint32) (uint16, error) {
	at := fuseHead + 2*int(number) // pages begin at even places
	if err := p.read(at / pageSize); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint16(p.memory[at%pageSize:]), nil
}

// may looks a key up as the filter's library does (Graf and Lemire, 2022).
func (p *pagedFilter) may(key uint64) (bool, error) {
	if p.empty {
		return false, nil
	}
	hash := mix(key + p.seed)
	high, _ := bits.Mul64(hash, uint64(p.segments))
	one := uint32(high) //nolint:gosec // less than segments
	two, three := one+p.length, one+2*p.length
	two ^= uint32(hash>>18) & p.mask //nolint:gosec // the low bits
	three ^= uint32(hash) & p.mask   //nolint:gosec // the low bits
	mark := uint16(hash ^ hash>>32)  //nolint:gosec // the low bits
	for _, number := range [...]uint32{one, two, three} {
		f, err := p.fingerprint(number)
		if err != nil {
			return false, err
		}
		mark ^= f
	}
	return mark == 0, nil
}

// mix is the finalizer of MurmurHash3.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}

// passing are the lists without the keys that the filter knows not to be there; not ok when one list has none left.
func (p *pagedFilter) passing(needles [][]uint64) (left [][]uint64, ok bool, err error) {
	left = make([][]uint64, len(needles))
	for i, list := range needles {
		for _, key := range list {
			may, err := p.may(key)
			if err != nil {
				return nil, false, err
			}
			if may {
				left[i] = append(left[i], key)
			}
		}
		if left[i] == nil {
			return nil, false, nil
		}
	}
	return left, true, nil
}
