package blocks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/ward"
)

var aDay = time.Date(2025, 5, 15, 0, 0, 0, 0, time.UTC)

type event struct {
	blocks.Row
	blocks.Found
}

// someEvents are generated: few keys that many have, and many that one has.
func someEvents(n int) []event {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]event, n)
	for i := range all {
		at := aDay.Add(time.Duration(random.IntN(86_400)) * time.Second).UnixMicro()
		all[i] = event{
			blocks.Row{
				Time: at, Received: at + int64(random.IntN(1e6)), Source: fmt.Sprintf("host-%d.example", random.IntN(9)), Batch: "~1", Sequence: int64(i + 1),
				Format: "combined", Product: "apache", Category: "webserver", Raw: fmt.Appendf(nil, "line %d of %d\x00\xff", i, random.Uint64()),
			},
			blocks.Found{Keys: []uint64{uint64(i) + 1e6, random.Uint64N(50), random.Uint64N(50_000)}, ID: uint64(i) + 5e9, Domains: []string{fmt.Sprintf("d%d.example", i%77)}},
		}
	}
	return all
}

func sealed(t testing.TB, bucket blocks.Bucket, all []event) ward.Block {
	t.Helper()
	w := blocks.NewWriter(blocks.WriterOptions{Org: "ZZ1/..", Day: aDay, Temp: t.TempDir()})
	for i := range all {
		if err := w.Append(all[i].Row, all[i].Found); err != nil {
			t.Fatal(err)
		}
	}
	b, err := w.Seal(t.Context(), bucket)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

func directory(t testing.TB) (blocks.Bucket, string) {
	t.Helper()
	folder := t.TempDir()
	d, err := blocks.OpenDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, folder
}

func opened(t testing.TB, bucket blocks.Bucket, b ward.Block) *blocks.Block {
	t.Helper()
	open, err := blocks.Open(t.Context(), bucket, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = open.Close() })
	return open
}

func TestABlockGivesEveryRowBack(t *testing.T) {
	bucket, _ := directory(t)
	all := someEvents(70_001) // more than one row group
	b := sealed(t, bucket, all)
	if !strings.HasPrefix(b.Name, "events/organisation=ZZ1_2f_2e_2e/day=2025-05-15/") || b.Rows != int64(len(all)) {
		t.Fatalf("%+v", b)
	}
	open := opened(t, bucket, b)
	if err := open.Verify(); err != nil {
		t.Fatal(err)
	}
	got := map[int64]blocks.Row{}
	if err := open.Read(blocks.Range{To: b.Rows}, func(_ int64, row *blocks.Row) error {
		one := *row
		one.Raw, one.Header = bytes.Clone(row.Raw), nil
		got[row.Sequence] = one
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if !reflect.DeepEqual(got[all[i].Sequence], all[i].Row) {
			t.Fatalf("%+v came back as %+v", all[i].Row, got[all[i].Sequence])
		}
	}
	names, err := open.Domains("d7")
	if err != nil || !slices.Equal(names, []string{"d7.example", "d70.example", "d71.example", "d72.example", "d73.example", "d74.example", "d75.example", "d76.example"}) {
		t.Error(names, err)
	}
}

func TestTheSameRowsMakeTheSameBlock(t *testing.T) {
	bucket, _ := directory(t)
	if a, b := sealed(t, bucket, someEvents(3000)), sealed(t, bucket, someEvents(3000)); a.Name != b.Name {
		t.Errorf("%s and %s", a.Name, b.Name)
	}
}

// TestNeedlesLeaveNothingOut holds what is looked at against a look at every event.
func TestNeedlesLeaveNothingOut(t *testing.T) {
	bucket, _ := directory(t)
	all := someEvents(70_001)
	b := sealed(t, bucket, all)
	open := opened(t, bucket, b)
	random := rand.New(rand.NewPCG(3, 4))
	read := int64(0)
	for range 60 {
		needles := [][]uint64{{random.Uint64N(50_000), 1e6 + random.Uint64N(70_001)}}
		if random.IntN(2) == 0 {
			needles = append(needles, []uint64{random.Uint64N(50), 77777777})
		}
		want := map[int64]bool{}
		for i := range all {
			if slices.IndexFunc(needles, func(list []uint64) bool {
				return !slices.ContainsFunc(list, func(k uint64) bool { return slices.Contains(all[i].Keys, k) })
			}) < 0 {
				want[all[i].Sequence] = true
			}
		}
		ranges, err := open.Candidates(needles)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range ranges {
			read += r.To - r.From
			if err := open.Read(r, func(_ int64, row *blocks.Row) error { delete(want, row.Sequence); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if len(want) > 0 {
			t.Fatalf("%v are left out for %v", want, needles)
		}
	}
	if read >= 60*b.Rows/2 {
		t.Errorf("%d of %d rows were read: the filters leave nothing out", read, 60*b.Rows)
	}
	// One key is looked up in pages, and many in the whole filter: both say the same of each.
	fresh, err := blocks.Open(t.Context(), bucket, b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fresh.Close() }()
	paged, there := map[uint64]bool{}, 0
	for i := range uint64(20_000) {
		key := i << 40
		if i < uint64(len(all)) {
			key = all[i].Keys[0]
		}
		if paged[key], err = fresh.May([][]uint64{{key}}); err != nil {
			t.Fatal(err)
		}
	}
	many := make([]uint64, 100)
	for i := range many {
		many[i] = 1<<62 + uint64(i) //nolint:gosec // few
	}
	if _, err := fresh.May([][]uint64{many}); err != nil { // from here on all of it is in memory
		t.Fatal(err)
	}
	for key, said := range paged {
		if may, err := fresh.May([][]uint64{{key}}); err != nil || may != said {
			t.Fatalf("%d: by pages %v, by the whole filter %v, %v", key, said, may, err)
		}
		if said {
			there++
		}
	}
	if there == 0 || there > len(all)+10 {
		t.Errorf("%d of %d keys may be there", there, len(paged))
	}
	if ok, err := open.MayHave(all[7].ID); !ok || err != nil {
		t.Error("an event's identity is not known", err)
	}
}

func TestADamagedBlockIsNamed(t *testing.T) {
	bucket, folder := directory(t)
	all := someEvents(9000)
	b := sealed(t, bucket, all)
	for _, name := range []string{b.Name, b.Index} {
		path := filepath.Join(folder, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(5, 6))
		for range 40 {
			at := random.IntN(len(whole))
			if err := os.WriteFile(path, slices.Concat(whole[:at], []byte{^whole[at]}, whole[at+1:]), 0o600); err != nil {
				t.Fatal(err)
			}
			open, err := blocks.Open(t.Context(), bucket, b)
			if err == nil {
				err = errors.Join(open.Verify(), open.Close())
			}
			if !errors.Is(err, blocks.ErrCorrupt) && (err == nil || !strings.Contains(err.Error(), "version")) {
				t.Errorf("byte %d of %s: %v", at, name, err)
			}
		}
		for _, n := range []int{0, 3, 11, len(whole) / 2, len(whole) - 1} {
			if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			open, err := blocks.Open(t.Context(), bucket, b)
			if err == nil {
				err = errors.Join(open.Verify(), open.Close())
			}
			if !errors.Is(err, blocks.ErrCorrupt) {
				t.Errorf("%s cut to %d of %d: %v", name, n, len(whole), err)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestADamagedPageIsNotReadAsIfItWereWhole breaks bytes among the rows and salvages the rest.
func TestADamagedPageIsNotReadAsIfItWereWhole(t *testing.T) {
	bucket, folder := directory(t)
	all := someEvents(70_001)
	b := sealed(t, bucket, all)
	path := filepath.Join(folder, b.Name)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)/3] ^= 0x40
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	byPlace := map[int64]string{}
	for i := range all {
		byPlace[all[i].Sequence] = string(all[i].Raw)
	}
	good := int64(0)
	lost, err := blocks.Salvage(t.Context(), bucket, b, func(row *blocks.Row) error {
		if good++; byPlace[row.Sequence] != string(row.Raw) {
			return fmt.Errorf("row %d reads %q", row.Sequence, row.Raw)
		}
		return nil
	})
	if err != nil || lost == 0 || lost == b.Rows || good+lost != b.Rows {
		t.Errorf("%d good and %d lost of %d, %v", good, lost, b.Rows, err)
	}
}

func TestStrangeRows(t *testing.T) {
	bucket, _ := directory(t)
	all := []event{
		{blocks.Row{Time: aDay.UnixMicro(), Raw: nil}, blocks.Found{}},
		{blocks.Row{Time: aDay.UnixMicro(), Sequence: 1, Raw: bytes.Repeat([]byte("x"), 10<<20)}, blocks.Found{}},
		{blocks.Row{Time: -1 << 60, Sequence: -1, Source: "\xff\x00", Header: []byte("#h"), Raw: []byte("\n")}, blocks.Found{Keys: []uint64{0, 1<<64 - 1}}},
	}
	b := sealed(t, bucket, all)
	open := opened(t, bucket, b)
	if err := open.Verify(); err != nil {
		t.Error(err)
	}
	n := 0
	if err := open.Read(blocks.Range{To: b.Rows}, func(_ int64, row *blocks.Row) error { n += len(row.Raw); return nil }); err != nil || n != 10<<20+1 {
		t.Error(n, err)
	}
	w := blocks.NewWriter(blocks.WriterOptions{Org: "ZZ1", Day: aDay})
	if _, err := w.Seal(t.Context(), bucket); err == nil {
		t.Error("a block of nothing is sealed")
	}
}

func TestAShelfKeepsToItsBudget(t *testing.T) {
	bucket, _ := directory(t)
	var all []ward.Block
	for i := range 6 {
		all = append(all, sealed(t, bucket, someEvents(500+i)))
	}
	shelf := blocks.NewShelf(bucket, 1)
	for range 3 {
		for _, b := range all {
			if err := shelf.With(t.Context(), b, func(open *blocks.Block) error {
				if open.Rows != b.Rows {
					return fmt.Errorf("%s is given for %s", open.Name, b.Name)
				}
				_, err := open.Candidates([][]uint64{{1e6 + 3}})
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := shelf.Close(); err != nil {
		t.Error(err)
	}
}

// memory is a bucket that is only read.
type memory map[string][]byte

func (m memory) Open(_ context.Context, name string) (blocks.Object, error) {
	return object{bytes.NewReader(m[name])}, nil
}
func (memory) Create(context.Context, string, io.Reader) error { return errors.ErrUnsupported }
func (memory) Remove(context.Context, string) error            { return errors.ErrUnsupported }
func (memory) Names(context.Context, string, string) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

type object struct{ *bytes.Reader }

func (object) Close() error { return nil }

func FuzzOpen(f *testing.F) {
	bucket, folder := directory(f)
	b := sealed(f, bucket, someEvents(100))
	index, err := os.ReadFile(filepath.Join(folder, b.Index))
	if err != nil {
		f.Fatal(err)
	}
	rows, err := os.ReadFile(filepath.Join(folder, b.Name))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(index, rows)
	f.Add([]byte("WWIX"), []byte("PAR1"))
	f.Fuzz(func(t *testing.T, index, rows []byte) {
		open, err := blocks.Open(t.Context(), memory{b.Index: index, b.Name: rows}, b)
		if err != nil {
			return
		}
		defer open.Close()
		if open.Verify() == nil && !bytes.HasPrefix(rows, []byte("PAR1")) {
			t.Error("what is no Parquet is verified")
		}
		ranges, _ := open.Candidates([][]uint64{{1e6 + 1, 1e6 + 2}})
		for _, r := range ranges {
			_ = open.Read(r, func(int64, *blocks.Row) error { return nil })
		}
		_, _ = open.Domains("d")
		_, _ = open.MayHave(1)
	})
}
