package blocks

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	pzstd "github.com/parquet-go/parquet-go/compress/zstd"

	"wardwatch/ward"
)

const (
	// groupRows is how many rows a row group has: they are sorted and compressed together, and held in memory until then.
	groupRows = 64 << 10
	// groupBytes ends a row group of long events before it has so many rows.
	groupBytes = 64 << 20
	// chunkRows is how many rows share a filter of their own, which is what one hit costs to read.
	chunkRows = 2 << 10
	pageBytes = 512 << 10
)

// WriterOptions say what a block is of.
type WriterOptions struct {
	Org ward.OrgID
	Day time.Time // UTC; its time of day does not count
	// Temp is the folder in which a block grows until it is whole; empty: the machine's.
	Temp string
}

// A Writer makes one block: the events of one organisation and one day. It holds up to groupRows rows in memory, and the rest in
// a temporary file. Close it whether it was sealed or not. For one goroutine at a time.
type Writer struct {
	o       WriterOptions
	rows    []Row
	found   []Found // of each row; keys in keys
	arena   []byte
	keys    []uint64
	domains map[string]struct{}
	kinds   map[ward.EventKind]struct{}
	kind    [3]string // of the last row, which is in kinds

	file    *os.File
	sum     hash.Hash
	parquet *parquet.GenericWriter[Row]
	index   indexWriter

	count, held           int64
	first, last, received int64
}

// NewWriter makes an empty Writer, which costs next to nothing until rows come.
func NewWriter(o WriterOptions) *Writer {
	o.Day = o.Day.UTC().Truncate(24 * time.Hour)
	return &Writer{o: o, domains: map[string]struct{}{}, kinds: map[ward.EventKind]struct{}{}}
}

// Rows is how many rows were appended.
func (w *Writer) Rows() int64 { return w.count }

// Held is how many bytes of memory the rows take that are not in the file yet, about.
func (w *Writer) Held() int64 { return w.held }

// Append adds a row. Its bytes are copied.
func (w *Writer) Append(row Row, found Found) error {
	if w.count == 0 || row.Time < w.first {
		w.first = row.Time
	}
	if w.count == 0 || row.Time > w.last {
		w.last = row.Time
	}
	w.received = max(w.received, row.Received)
	row.Raw, row.Header = w.copied(row.Raw), w.copied(row.Header)
	if kind := [3]string{row.Product, row.Service, row.Category}; kind != w.kind || w.count == 0 {
		w.kinds[ward.KindOf(row.Product, row.Service, row.Category)], w.kind = struct{}{}, kind
	}
	from := len(w.keys)
	w.keys = append(w.keys, found.Keys...)
	w.rows = append(w.rows, row)
	w.found = append(w.found, Found{ID: found.ID, Keys: w.keys[from:len(w.keys):len(w.keys)]})
	for _, d := range found.Domains {
		w.domains[d] = struct{}{}
	}
	w.held += int64(len(row.Raw)+len(row.Header)+8*len(found.Keys)) + 300
	if w.count++; len(w.rows) == groupRows || w.held > groupBytes {
		return w.Flush()
	}
	return nil
}

// copied keeps bytes in memory of the writer's own, which it takes a megabyte at a time.
func (w *Writer) copied(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if cap(w.arena)-len(w.arena) < len(b) {
		w.arena = make([]byte, 0, max(len(b), min(1<<20, 4<<10+4*cap(w.arena))))
	}
	at := len(w.arena)
	w.arena = append(w.arena, b...)
	return w.arena[at:len(w.arena):len(w.arena)]
}

// Flush writes the rows in memory to the file, as a row group.
func (w *Writer) Flush() error {
	if len(w.rows) == 0 {
		return nil
	}
	if w.parquet == nil {
		if err := w.open(); err != nil {
			return fmt.Errorf("blocks: %w", err)
		}
	}
	order := make([]int32, len(w.rows))
	for i := range order {
		order[i] = int32(i) //nolint:gosec // fewer than groupRows
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		x, y := &w.rows[a], &w.rows[b]
		return cmp.Or(cmp.Compare(x.Format, y.Format), cmp.Compare(x.Source, y.Source), cmp.Compare(x.Time, y.Time), cmp.Compare(x.Sequence, y.Sequence))
	})
	sorted, found := make([]Row, len(order)), make([]Found, len(order))
	for i, at := range order {
		sorted[i], found[i] = w.rows[at], w.found[at]
	}
	if _, err := w.parquet.Write(sorted); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	if err := w.parquet.Flush(); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	if err := w.index.group(found); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	clear(w.rows)
	clear(w.found)
	w.rows, w.found, w.keys, w.arena, w.held = w.rows[:0], w.found[:0], nil, nil, 0
	return nil
}

func (w *Writer) open() (err error) {
	if w.file, err = os.CreateTemp(w.o.Temp, "block-*"); err != nil {
		return err
	}
	w.sum = sha256.New()
	w.parquet = parquet.NewGenericWriter[Row](io.MultiWriter(w.file, w.sum),
		parquet.Compression(&pzstd.Codec{Level: zstd.SpeedBetterCompression}),
		parquet.PageBufferSize(pageBytes), parquet.WriteBufferSize(1<<20), parquet.MaxRowsPerRowGroup(groupRows),
		parquet.DataPageStatistics(false), parquet.SkipPageBounds("raw"), parquet.SkipPageBounds("header"),
		parquet.CreatedBy("wardwatch", "1", ""),
		parquet.KeyValueMetadata("organisation", string(w.o.Org)), parquet.KeyValueMetadata("day", w.o.Day.Format(time.DateOnly)),
	)
	return nil
}

// Seal writes the block into the bucket, and its index first: a block that is there can be searched. When it returns nil both
// survive a loss of power. The same rows in the same order make the same block.
func (w *Writer) Seal(ctx context.Context, to Bucket) (ward.Block, error) {
	if w.count == 0 {
		return ward.Block{}, errors.New("blocks: a block of no rows")
	}
	if err := w.Flush(); err != nil {
		return ward.Block{}, err
	}
	if err := w.parquet.Close(); err != nil {
		return ward.Block{}, fmt.Errorf("blocks: %w", err)
	}
	size, err := w.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return ward.Block{}, fmt.Errorf("blocks: %w", err)
	}
	name := Folder(w.o.Org, w.o.Day) + hex.EncodeToString(w.sum.Sum(nil)[:16])
	at, tail, err := readTail(w.file, size)
	if err != nil {
		return ward.Block{}, fmt.Errorf("blocks: %w", err)
	}
	index, err := w.index.bytes(w.domains, tail, at)
	if err != nil {
		return ward.Block{}, fmt.Errorf("blocks: %w", err)
	}
	b := ward.Block{
		Org: w.o.Org, Name: name + ".parquet", Index: name + ".index", Day: w.o.Day, Rows: w.count, Bytes: size + int64(len(index)),
		First: time.UnixMicro(w.first).UTC(), Last: time.UnixMicro(w.last).UTC(), Received: time.UnixMicro(w.received).UTC(),
		Kinds: slices.Sorted(maps.Keys(w.kinds)), State: ward.BlockKept,
	}
	if err := create(ctx, to, b.Index, bytes.NewReader(index)); err != nil {
		return ward.Block{}, err
	}
	if _, err := w.file.Seek(0, io.SeekStart); err != nil {
		return ward.Block{}, fmt.Errorf("blocks: %w", err)
	}
	return b, create(ctx, to, b.Name, w.file)
}

// create keeps an object whose name says what is in it: one that is there already is this one.
func create(ctx context.Context, to Bucket, name string, body io.Reader) error {
	if err := to.Create(ctx, name, body); err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	return nil
}

// Folder is where the blocks of an organisation's day are, as hive writes it: events/organisation=ZZ1/day=2025-05-15/.
func Folder(org ward.OrgID, day time.Time) string {
	return "events/organisation=" + plainName(string(org)) + "/day=" + day.UTC().Format(time.DateOnly) + "/"
}

// WhoseDay says whose block an object is, and of which day, by its name.
func WhoseDay(name string) (org ward.OrgID, day time.Time, ok bool) {
	rest, ok := strings.CutPrefix(name, "events/organisation=")
	code, rest, is := strings.Cut(rest, "/day=")
	date, _, also := strings.Cut(rest, "/")
	day, err := time.Parse(time.DateOnly, date)
	if !ok || !is || !also || err != nil {
		return "", day, false
	}
	var plain []byte
	for i := 0; i < len(code); i++ {
		if code[i] != '_' {
			plain = append(plain, code[i])
			continue
		}
		one, err := hex.DecodeString(code[i+1 : min(i+3, len(code))])
		if err != nil || len(one) != 1 {
			return "", day, false
		}
		plain = append(plain, one[0])
		i += 2
	}
	return ward.OrgID(plain), day, true
}

// plainName writes what is no letter, digit or '-' as '_' and two hexadecimal digits, so that no code of an organisation is another
// one's folder.
func plainName(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// Close frees what the writer holds.
func (w *Writer) Close() error {
	w.rows, w.found, w.keys, w.arena, w.domains = nil, nil, nil, nil, nil
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.file.Close(), os.Remove(w.file.Name()))
	w.file = nil
	return err
}
