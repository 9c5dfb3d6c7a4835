package blocks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/FastFilter/xorfilter"
	"github.com/klauspost/compress/zstd"
)

// An index is a file beside a block by which it is searched:
//
//	"WWIX", version, number of sections, then for each its kind, row group, offset, length and CRC-32C (32 bits each, little
//	endian), the CRC-32C of all this, then the sections.
//
// The filters are binary fuse filters (Graf and Lemire, 2022) of 16 bits, that of a chunk of 8: one in 65,536 or 256 keys that
// are not there passes. A section of chunks is the number of chunks, the length of each filter, and the filters.
const (
	indexMagic   = "WWIX"
	indexVersion = 1
	sectionBytes = 5 * 4
	indexHead    = len(indexMagic) + 4 + 4
	maxSections  = 1 << 20
)

// The kinds of sections.
const (
	sectionBlock   uint32 = 1 + iota // the keys of all rows
	sectionIDs                       // the identities of rows that may come again
	sectionDomains                   // zstd of the domains, sorted, a line each
	sectionGroup                     // the keys of one row group
	sectionChunks                    // the keys of each chunk of one row group, and its rows
	sectionTail                      // where the block's page indexes and footer begin (64 bits), and their CRC-32C
	sectionPages                     // the CRC-32C of each page of the section of the block's keys
)

// ErrCorrupt is said of what is not as it was written.
var ErrCorrupt = errors.New("corrupt")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type section struct {
	kind, group, offset, length, sum uint32
}

// indexWriter gathers the index of a block while its row groups are written.
type indexWriter struct {
	groups int
	keys   []uint64 // distinct ones of each group
	ids    []uint64
	parts  []section
	body   bytes.Buffer
	build8 xorfilter.BinaryFuseBuilder
	builds xorfilter.BinaryFuseBuilder
}

func (x *indexWriter) section(kind uint32, write func(to *bytes.Buffer) error) error {
	from := x.body.Len()
	if err := write(&x.body); err != nil {
		return err
	}
	if x.body.Len() > math.MaxUint32 {
		return errors.New("an index of more than 4 GB")
	}
	part := x.body.Bytes()[from:]
	x.parts = append(x.parts, section{
		kind: kind, group: uint32(x.groups), offset: uint32(from), length: uint32(len(part)), sum: crc32.Checksum(part, castagnoli),
	})
	return nil
}

// group adds the rows of a row group, in their order.
func (x *indexWriter) group(rows []Found) error {
	var all []uint64
	err := x.section(sectionChunks, func(to *bytes.Buffer) error {
		number := (len(rows) + chunkRows - 1) / chunkRows
		head := binary.LittleEndian.AppendUint32(nil, uint32(number))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(rows)))
		var filters bytes.Buffer
		for chunk := range slices.Chunk(rows, chunkRows) {
			var keys []uint64
			for i := range chunk {
				keys = append(keys, chunk[i].Keys...)
				if chunk[i].ID != 0 {
					x.ids = append(x.ids, chunk[i].ID)
				}
			}
			keys = distinct(keys)
			all = append(all, keys...)
			from := filters.Len()
			if err := writeFilter[uint8](&filters, &x.build8, keys); err != nil {
				return err
			}
			head = binary.LittleEndian.AppendUint32(head, uint32(filters.Len()-from))
		}
		to.Write(head)
		to.Write(filters.Bytes())
		return nil
	})
	if err != nil {
		return err
	}
	all = distinct(all)
	x.keys = append(x.keys, all...)
	err = x.section(sectionGroup, func(to *bytes.Buffer) error { return writeFilter[uint16](to, &x.builds, all) })
	x.groups++
	return err
}

func distinct(keys []uint64) []uint64 {
	slices.Sort(keys)
	return slices.Compact(keys)
}

// writeFilter writes a filter of distinct keys; of none it writes nothing.
func writeFilter[T uint8 | uint16](to *bytes.Buffer, builder *xorfilter.BinaryFuseBuilder, keys []uint64) error {
	if len(keys) == 0 {
		return nil
	}
	filter, err := xorfilter.BuildBinaryFuse[T](builder, keys)
	if err != nil {
		return err
	}
	return filter.Save(to)
}

// bytes is the whole index. tail is what stands in the block from at on.
func (x *indexWriter) bytes(domains map[string]struct{}, tail []byte, at int64) ([]byte, error) {
	x.groups = 0 // what follows is of the whole block
	keys, ids := distinct(x.keys), distinct(x.ids)
	err := errors.Join(
		x.section(sectionBlock, func(to *bytes.Buffer) error { return writeFilter[uint16](to, &x.builds, keys) }),
		x.section(sectionPages, func(to *bytes.Buffer) error {
			keys := x.parts[len(x.parts)-1]
			for page := range slices.Chunk(x.body.Bytes()[keys.offset:keys.offset+keys.length], pageSize) {
				sum := crc32.Checksum(page, castagnoli)
				to.Write(binary.LittleEndian.AppendUint32(nil, sum))
			}
			return nil
		}),
		x.section(sectionIDs, func(to *bytes.Buffer) error { return writeFilter[uint16](to, &x.builds, ids) }),
		x.section(sectionTail, func(to *bytes.Buffer) error {
			to.Write(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, uint64(at)), crc32.Checksum(tail, castagnoli))) //nolint:gosec // an offset
			return nil
		}),
		x.section(sectionDomains, func(to *bytes.Buffer) error {
			names := make([]string, 0, len(domains))
			for name := range domains {
				names = append(names, name)
			}
			slices.Sort(names)
			packer, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
			if err != nil {
				return err
			}
			to.Write(packer.EncodeAll([]byte(strings.Join(names, "\n")), nil))
			return packer.Close()
		}),
	)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, indexHead+sectionBytes*len(x.parts)+4+x.body.Len()), indexMagic...)
	out = binary.LittleEndian.AppendUint32(out, indexVersion)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(x.parts)))
	for _, s := range x.parts {
		for _, v := range []uint32{s.kind, s.group, s.offset, s.length, s.sum} {
			out = binary.LittleEndian.AppendUint32(out, v)
		}
	}
	out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli))
	return append(out, x.body.Bytes()...), nil
}

// An index reads sections as they are asked for.
type index struct {
	from   io.ReaderAt
	body   int64 // where the sections begin
	parts  map[[2]uint32]section
	groups int
}

func openIndex(from io.ReaderAt, size int64) (*index, error) {
	head := make([]byte, indexHead)
	if _, err := from.ReadAt(head, 0); err != nil {
		return nil, corrupt(err)
	}
	version, number := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[8:])
	switch {
	case string(head[:4]) != indexMagic:
		return nil, fmt.Errorf("%w: no index", ErrCorrupt)
	case version != indexVersion:
		return nil, fmt.Errorf("an index of version %d, and this program knows %d", version, indexVersion)
	case number > maxSections || int64(indexHead)+int64(number)*sectionBytes+4 > size:
		return nil, fmt.Errorf("%w: the index is cut short", ErrCorrupt)
	}
	rest := make([]byte, number*sectionBytes+4)
	if _, err := from.ReadAt(rest, int64(indexHead)); err != nil {
		return nil, corrupt(err)
	}
	table := rest[:len(rest)-4]
	if crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, table) != binary.LittleEndian.Uint32(rest[len(table):]) {
		return nil, fmt.Errorf("%w: the index has a wrong checksum", ErrCorrupt)
	}
	x := &index{from: from, body: int64(indexHead + len(rest)), parts: make(map[[2]uint32]section, number)}
	for at := 0; at < len(table); at += sectionBytes {
		var v [5]uint32
		for i := range v {
			v[i] = binary.LittleEndian.Uint32(table[at+4*i:])
		}
		s := section{kind: v[0], group: v[1], offset: v[2], length: v[3], sum: v[4]}
		if x.body+int64(s.offset)+int64(s.length) > size {
			return nil, fmt.Errorf("%w: the index is cut short", ErrCorrupt)
		}
		x.parts[[2]uint32{s.kind, s.group}] = s
		if s.kind == sectionGroup {
			x.groups++
		}
	}
	return x, nil
}

// corrupt tells an end that comes too early from a disk that cannot be read.
func corrupt(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the index is cut short", ErrCorrupt)
	}
	return err
}

// read gives a section's bytes; nil where the index has none such.
func (x *index) read(kind uint32, group int) ([]byte, error) {
	s, ok := x.parts[[2]uint32{kind, uint32(group)}] //nolint:gosec // a number of a row group
	if !ok {
		return nil, fmt.Errorf("%w: the index lacks a section", ErrCorrupt)
	}
	b := make([]byte, s.length)
	if _, err := x.from.ReadAt(b, x.body+int64(s.offset)); err != nil {
		return nil, corrupt(err)
	}
	if crc32.Checksum(b, castagnoli) != s.sum {
		return nil, fmt.Errorf("%w: section %d of the index has a wrong checksum", ErrCorrupt, kind)
	}
	return b, nil
}

// A filter says which keys may be among those that it was made of; the nil filter holds none.
type filter[T uint8 | uint16] struct{ fuse *xorfilter.BinaryFuse[T] }

func readFilter[T uint8 | uint16](b []byte) (filter[T], error) {
	if len(b) == 0 {
		return filter[T]{}, nil
	}
	fuse, err := xorfilter.LoadBinaryFuse[T](bytes.NewReader(b))
	if err != nil {
		return filter[T]{}, fmt.Errorf("%w: a filter: %w", ErrCorrupt, err)
	}
	// The checksum holds for what was written; this holds for whoever writes a wrong filter with a right checksum.
	if n := uint64(len(fuse.Fingerprints)); n == 0 || uint64(fuse.SegmentCountLength)+2*uint64(fuse.SegmentLength) > n ||
		fuse.SegmentLength == 0 || fuse.SegmentLengthMask != fuse.SegmentLength-1 || fuse.SegmentLength&fuse.SegmentLengthMask != 0 {
		return filter[T]{}, fmt.Errorf("%w: a filter of another shape", ErrCorrupt)
	}
	return filter[T]{fuse}, nil
}

func (f filter[T]) may(key uint64) bool { return f.fuse != nil && f.fuse.Contains(key) }

// size is how many bytes the filter takes.
func (f filter[T]) size() int64 {
	if f.fuse == nil {
		return 0
	}
	var one T
	return int64(len(f.fuse.Fingerprints) * binary.Size(one))
}

// passing are the lists of keys without those that the filter knows not to be there; not ok when one list has none left.
func (f filter[T]) passing(needles [][]uint64) (left [][]uint64, ok bool) {
	left = make([][]uint64, len(needles))
	for i, list := range needles {
		for _, key := range list {
			if f.may(key) {
				left[i] = append(left[i], key)
			}
		}
		if left[i] == nil {
			return nil, false
		}
	}
	return left, true
}
