package blocks

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"wardwatch/ward"
)

// A Block is a kept block, open to be searched and read by many at a time.
type Block struct {
	ward.Block
	bucket Bucket
	ctx    context.Context //nolint:containedctx // what it has open lasts as long
	index  *index
	close  []io.Closer

	mu     sync.Mutex
	whole  *filter[uint16] // nil: not read yet
	paged  *pagedFilter    // nil: not asked yet, or the index has none
	groups []*group
	ids    *filter[uint16]
	file   *parquet.File
}

// A group is the filters of one row group.
type group struct {
	keys   filter[uint16]
	chunks []filter[uint8]
	rows   int64
}

// A Range is the rows from From up to To, which is not among them.
type Range struct{ From, To int64 }

// Open opens a block. Of its index only the table is read.
func Open(ctx context.Context, bucket Bucket, b ward.Block) (*Block, error) {
	object, err := bucket.Open(ctx, b.Index)
	if err != nil {
		return nil, fmt.Errorf("blocks: %s: %w", b.Index, err)
	}
	x, err := openIndex(object, object.Size())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blocks: %s: %w", b.Index, err), object.Close())
	}
	open := &Block{Block: b, bucket: bucket, ctx: ctx, index: x, close: []io.Closer{object}, groups: make([]*group, x.groups)}
	return open, nil
}

// Close frees the block.
func (b *Block) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	for _, c := range b.close {
		err = errors.Join(err, c.Close())
	}
	b.close = nil
	return err
}

// Size is how many bytes of memory the block takes now, about.
func (b *Block) Size() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	size := int64(8 << 10)
	if b.whole != nil {
		size += b.whole.size()
	}
	if b.paged != nil {
		size += int64(4 * len(b.paged.sums))
	}
	for _, g := range b.groups {
		if g != nil {
			size += g.keys.size()
			for _, c := range g.chunks {
				size += c.size() + 64
			}
		}
	}
	if b.ids != nil {
		size += b.ids.size()
	}
	if b.file != nil {
		size += int64(len(b.groups)) * 12 << 10 // columns and page indexes
	}
	return size
}

// mostProbed is how many keys are looked up in a filter that is not in memory, three pages each; for more all of it is read.
const mostProbed = 64

// passing are the lists of keys without those that are certainly not in the block; not ok when one list has none left.
func (b *Block) passing(needles [][]uint64) (left [][]uint64, ok bool, err error) {
	keys := 0
	for _, list := range needles {
		keys += len(list)
	}
	if keys == 0 {
		return needles, len(needles) == 0, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.whole == nil && keys <= mostProbed {
		if b.paged == nil {
			if b.paged, err = openPaged(b.index); err != nil {
				return nil, false, fmt.Errorf("blocks: %s: %w", b.Index, err)
			}
		}
		if b.paged != nil {
			left, ok, err = b.paged.passing(needles)
			if err != nil {
				err = fmt.Errorf("blocks: %s: %w", b.Index, err)
			}
			return left, ok, err
		}
	}
	if b.whole == nil {
		part, err := b.index.read(sectionBlock, 0)
		if err != nil {
			return nil, false, fmt.Errorf("blocks: %s: %w", b.Index, err)
		}
		whole, err := readFilter[uint16](part)
		if err != nil {
			return nil, false, fmt.Errorf("blocks: %s: %w", b.Index, err)
		}
		b.whole = &whole
	}
	left, ok = b.whole.passing(needles)
	return left, ok, nil
}

// May says whether a row may have one key of each list; no is certain. Of no lists it says yes.
func (b *Block) May(needles [][]uint64) (bool, error) {
	_, ok, err := b.passing(needles)
	return ok, err
}

// Candidates gives the rows among which all are that have one key of each list, in their order. Without lists these are all.
func (b *Block) Candidates(needles [][]uint64) ([]Range, error) {
	left, ok, err := b.passing(needles)
	if err != nil || !ok {
		return nil, err
	}
	var out []Range
	var from int64
	for i := range b.groups {
		g, err := b.group(i)
		if err != nil {
			return nil, err
		}
		if some, ok := g.keys.passing(left); ok {
			for c := range g.chunks {
				if _, ok := g.chunks[c].passing(some); ok {
					at := from + int64(c)*chunkRows
					out = append(out, Range{at, min(at+chunkRows, from+g.rows)})
				}
			}
		}
		from += g.rows
	}
	return out, nil
}

func (b *Block) group(i int) (*group, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.groups[i] != nil {
		return b.groups[i], nil
	}
	g, err := b.readGroup(i)
	if err != nil {
		return nil, fmt.Errorf("blocks: %s: %w", b.Index, err)
	}
	b.groups[i] = g
	return g, nil
}

func (b *Block) readGroup(i int) (*group, error) {
	part, err := b.index.read(sectionGroup, i)
	if err != nil {
		return nil, err
	}
	g := new(group)
	if g.keys, err = readFilter[uint16](part); err != nil {
		return nil, err
	}
	if part, err = b.index.read(sectionChunks, i); err != nil {
		return nil, err
	}
	if len(part) < 8 {
		return nil, fmt.Errorf("%w: chunks are cut short", ErrCorrupt)
	}
	number, rows := int(binary.LittleEndian.Uint32(part)), int64(binary.LittleEndian.Uint32(part[4:]))
	lengths := part[8:]
	if len(lengths) < 4*number || rows > int64(number)*chunkRows || rows <= int64(number-1)*chunkRows {
		return nil, fmt.Errorf("%w: chunks are cut short", ErrCorrupt)
	}
	filters := lengths[4*number:]
	g.rows, g.chunks = rows, make([]filter[uint8], number)
	for c := range g.chunks {
		n := int(binary.LittleEndian.Uint32(lengths[4*c:]))
		if n > len(filters) {
			return nil, fmt.Errorf("%w: chunks are cut short", ErrCorrupt)
		}
		if g.chunks[c], err = readFilter[uint8](filters[:n]); err != nil {
			return nil, err
		}
		filters = filters[n:]
	}
	return g, nil
}

// MayHave says whether an event with this identity may be in the block.
func (b *Block) MayHave(id uint64) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ids == nil {
		part, err := b.index.read(sectionIDs, 0)
		if err != nil {
			return false, fmt.Errorf("blocks: %s: %w", b.Index, err)
		}
		f, err := readFilter[uint16](part)
		if err != nil {
			return false, fmt.Errorf("blocks: %s: %w", b.Index, err)
		}
		b.ids = &f
	}
	return b.ids.may(id), nil
}

// Domains gives the domains of the block that have the text in them, sorted.
func (b *Block) Domains(text string) ([]string, error) {
	part, err := b.index.read(sectionDomains, 0)
	if err != nil {
		return nil, fmt.Errorf("blocks: %s: %w", b.Index, err)
	}
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return nil, err
	}
	defer unpacker.Close()
	all, err := unpacker.DecodeAll(part, nil)
	if err != nil {
		return nil, fmt.Errorf("blocks: %s: %w: domains: %w", b.Index, ErrCorrupt, err)
	}
	var out []string
	for name := range strings.SplitSeq(string(all), "\n") {
		if name != "" && strings.Contains(name, text) {
			out = append(out, name)
		}
	}
	return out, nil
}

// parquet opens the rows.
func (b *Block) parquet() (*parquet.File, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file != nil {
		return b.file, nil
	}
	object, err := b.bucket.Open(b.ctx, b.Name)
	if err != nil {
		return nil, fmt.Errorf("blocks: %s: %w", b.Name, err)
	}
	var from io.ReaderAt = object
	if b.index != nil {
		if from, err = b.checkTail(object); err != nil {
			return nil, errors.Join(fmt.Errorf("blocks: %s: %w", b.Name, err), object.Close())
		}
	}
	file, err := openParquet(from, object.Size())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blocks: %s: %w: %w", b.Name, ErrCorrupt, err), object.Close())
	}
	b.close = append(b.close, object)
	b.file = file
	return file, nil
}

// checkTail reads the page indexes and the footer once, and holds them against the index: whoever parses them trusts them.
func (b *Block) checkTail(object Object) (io.ReaderAt, error) {
	part, err := b.index.read(sectionTail, 0)
	if err != nil {
		return nil, err
	}
	if len(part) != 12 {
		return nil, fmt.Errorf("%w: the index has no checksum of the footer", ErrCorrupt)
	}
	at := binary.LittleEndian.Uint64(part)
	if at > uint64(object.Size()) || uint64(object.Size())-at > mostTail { //nolint:gosec // no file is negative
		return nil, fmt.Errorf("%w: cut short", ErrCorrupt)
	}
	tail := make([]byte, uint64(object.Size())-at)                                       //nolint:gosec // as above
	if _, err := object.ReadAt(tail, int64(at)); err != nil && !errors.Is(err, io.EOF) { //nolint:gosec // as above
		return nil, err
	}
	if crc32.Checksum(tail, castagnoli) != binary.LittleEndian.Uint32(part[8:]) {
		return nil, fmt.Errorf("%w: its footer has a wrong checksum", ErrCorrupt)
	}
	return &tailed{object, tail, int64(at)}, nil //nolint:gosec // as above
}

// mostTail is how long page indexes and footer may be.
const mostTail = 256 << 20

// tailed reads the tail of an object from memory.
type tailed struct {
	io.ReaderAt
	tail []byte
	at   int64
}

func (t *tailed) ReadAt(p []byte, at int64) (int, error) {
	if at < t.at {
		return t.ReaderAt.ReadAt(p, at)
	}
	if at-t.at >= int64(len(t.tail)) {
		return 0, io.EOF
	}
	n := copy(p, t.tail[at-t.at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readTail reads what follows the last row group of a block.
func readTail(from io.ReaderAt, size int64) (at int64, tail []byte, err error) {
	file, err := openParquet(from, size)
	if err != nil {
		return 0, nil, err
	}
	for _, g := range file.Metadata().RowGroups {
		for i := range g.Columns {
			m := &g.Columns[i].MetaData
			begin := m.DataPageOffset
			if m.DictionaryPageOffset > 0 {
				begin = min(begin, m.DictionaryPageOffset)
			}
			at = max(at, begin+m.TotalCompressedSize)
		}
	}
	tail = make([]byte, size-at)
	_, err = from.ReadAt(tail, at)
	return at, tail, err
}

// openParquet opens a file of rows; the library panics on some that are none.
func openParquet(from io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer func() {
		if bad := recover(); bad != nil {
			err = fmt.Errorf("not Parquet: %v", bad)
		}
	}()
	file, err = parquet.OpenFile(from, size, parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
	if err != nil {
		return nil, err
	}
	if want := parquet.SchemaOf(Row{}); !parquet.EqualNodes(want, file.Schema()) {
		return nil, errors.New("its columns are not those of events")
	}
	return file, nil
}

// Read gives the rows of a range, in their order, with their numbers. A row's bytes hold until give returns.
func (b *Block) Read(r Range, give func(number int64, row *Row) error) (err error) {
	file, err := b.parquet()
	if err != nil {
		return err
	}
	var from int64
	for _, g := range file.RowGroups() {
		to := from + g.NumRows()
		if r.From < to && from < r.To {
			if err := readRows(g, Range{max(r.From, from) - from, min(r.To, to) - from}, from, give); err != nil {
				var told *stop
				if errors.As(err, &told) {
					return told.error
				}
				return fmt.Errorf("blocks: %s: %w: %w", b.Name, ErrCorrupt, err)
			}
		}
		from = to
	}
	return nil
}

// stop is what whoever was given a row returned.
type stop struct{ error }

func readRows(g parquet.RowGroup, r Range, before int64, give func(int64, *Row) error) (err error) {
	defer func() {
		if bad := recover(); bad != nil {
			err = fmt.Errorf("not Parquet: %v", bad)
		}
	}()
	reader := parquet.NewGenericRowGroupReader[Row](g)
	defer func() { err = cmp.Or(err, reader.Close()) }()
	if err := reader.SeekToRow(r.From); err != nil {
		return err
	}
	rows := make([]Row, min(256, r.To-r.From))
	for at := r.From; at < r.To; {
		n, err := reader.Read(rows[:min(int64(len(rows)), r.To-at)])
		for i := range rows[:n] {
			if err := given(give, before+at, &rows[i]); err != nil {
				return err
			}
			at++
		}
		if at < r.To && (n == 0 || err != nil) {
			return cmp.Or(err, io.ErrUnexpectedEOF)
		}
	}
	return nil
}

func given(give func(int64, *Row) error, number int64, row *Row) error {
	if err := give(number, row); err != nil {
		return &stop{err}
	}
	return nil
}

// Verify reads everything and says what is not as it was written: the rows against the block's name, the index against its
// checksums and the number of rows.
func (b *Block) Verify() error {
	object, err := b.bucket.Open(b.ctx, b.Name)
	if err != nil {
		return fmt.Errorf("blocks: %s: %w", b.Name, err)
	}
	sum := sha256.New()
	_, err = io.Copy(sum, io.NewSectionReader(object, 0, object.Size()))
	if err = errors.Join(err, object.Close()); err != nil {
		return fmt.Errorf("blocks: %s: %w", b.Name, err)
	}
	if want := strings.TrimSuffix(path.Base(b.Name), ".parquet"); hex.EncodeToString(sum.Sum(nil)[:16]) != want {
		return fmt.Errorf("blocks: %s: %w: its bytes are not those that it was named after", b.Name, ErrCorrupt)
	}
	for at := range b.index.parts {
		if _, err := b.index.read(at[0], int(at[1])); err != nil {
			return fmt.Errorf("blocks: %s: %w", b.Index, err)
		}
	}
	all, err := b.Candidates(nil)
	if err != nil {
		return err
	}
	file, err := b.parquet()
	if err != nil {
		return err
	}
	var indexed int64
	for _, r := range all {
		indexed += r.To - r.From
	}
	if file.NumRows() != b.Rows || indexed != b.Rows {
		return fmt.Errorf("blocks: %s: %w: %d rows, %d in the index, %d in the manifest", b.Name, ErrCorrupt, file.NumRows(), indexed, b.Rows)
	}
	return nil
}

// Salvage gives every row of a block that can still be read, whatever became of its index, and says how many cannot.
func Salvage(ctx context.Context, bucket Bucket, b ward.Block, give func(row *Row) error) (lost int64, err error) {
	open := &Block{Block: b, bucket: bucket, ctx: ctx}
	defer func() { err = errors.Join(err, open.Close()) }()
	file, err := open.parquet()
	if err != nil {
		return b.Rows, err
	}
	rows := file.NumRows()
	for at := int64(0); at < rows; at += chunkRows {
		part := Range{at, min(at+chunkRows, rows)}
		var whole []Row
		err := open.Read(part, func(_ int64, row *Row) error {
			copied := *row
			copied.Raw, copied.Header = bytes.Clone(row.Raw), bytes.Clone(row.Header)
			whole = append(whole, copied)
			return ctx.Err()
		})
		if err != nil && ctx.Err() != nil {
			return lost, ctx.Err()
		}
		if err != nil {
			lost += part.To - part.From
			continue
		}
		for i := range whole {
			if err := give(&whole[i]); err != nil {
				return lost, err
			}
		}
	}
	return lost, nil
}
