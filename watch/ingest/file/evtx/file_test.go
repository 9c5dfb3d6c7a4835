package evtx_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/watch/ingest/file/evtx"
)

// logs are the EVTX files of the rules' regression cases.
func logs(t testing.TB) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(shared.File(t, "data", "sigma", "regression"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".evtx") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// records reads a whole file.
func records(t testing.TB, text []byte) (got [][]byte, troubles []evtx.Trouble) {
	t.Helper()
	err := evtx.Each(bytes.NewReader(text), func(record []byte) error {
		got = append(got, bytes.Clone(record))
		return nil
	}, func(trouble evtx.Trouble) { troubles = append(troubles, trouble) })
	if err != nil {
		t.Fatal(err)
	}
	return got, troubles
}

// largest is the largest of the logs, of more than one record.
func largest(t testing.TB) []byte {
	t.Helper()
	var most []byte
	for _, path := range logs(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := records(t, text); len(text) > len(most) && len(got) > 2 {
			most = text
		}
	}
	return most
}

func TestADamagedChunkLeavesTheOthers(t *testing.T) {
	text := largest(t)
	whole, _ := records(t, text)
	head, chunk := text[:4096], text[4096:4096+1<<16]
	three := func() []byte { return bytes.Join([][]byte{head, chunk, chunk, chunk}, nil) }
	one, _ := records(t, append(bytes.Clone(head), chunk...))
	if len(one) < 3 || len(whole) < len(one) {
		t.Fatalf("%d records in one chunk, want some", len(one))
	}
	for _, row := range []struct {
		name     string
		damage   func([]byte) []byte
		records  int // of the second chunk
		troubles int
	}{
		{"whole", func(b []byte) []byte { return b }, len(one), 0},
		{"no chunk", func(b []byte) []byte { copy(b, "garbage!"); return b }, 0, 1},
		{"header", func(b []byte) []byte { b[20]++; return b }, len(one), 1},
		{"unused", func(b []byte) []byte { clear(b); return b }, 0, 0},
		{"size of the first record", func(b []byte) []byte { b[516]++; return b }, len(one) - 1, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			all := three()
			row.damage(all[4096+1<<16 : 4096+2<<16])
			got, troubles := records(t, all)
			if len(got) != 2*len(one)+row.records {
				t.Errorf("%d records, want %d", len(got), 2*len(one)+row.records)
			}
			if len(troubles) != row.troubles {
				t.Errorf("troubles %v, want %d", troubles, row.troubles)
			}
			for _, trouble := range troubles {
				if trouble.Chunk != 2 {
					t.Errorf("%v, want it of chunk 2", trouble)
				}
			}
		})
	}
	t.Run("cut off", func(t *testing.T) {
		all := three()
		got, troubles := records(t, all[:len(all)-(1<<16)+2000])
		if len(got) < 2*len(one) || len(troubles) == 0 || !errors.Is(troubles[0], evtx.ErrCutOff) {
			t.Errorf("%d records, troubles %v", len(got), troubles)
		}
	})
}

func TestOtherFilesAreRefused(t *testing.T) {
	for _, text := range []string{"", "Elf", "PK\x03\x04", strings.Repeat("x", 5000)} {
		err := evtx.Each(strings.NewReader(text), func([]byte) error { return nil }, func(evtx.Trouble) {})
		if !errors.Is(err, evtx.ErrNotEVTX) {
			t.Errorf("%.10q: %v, want %v", text, err, evtx.ErrNotEVTX)
		}
	}
}

func TestYieldsErrorEndsTheFile(t *testing.T) {
	stop := errors.New("enough")
	n := 0
	err := evtx.Each(bytes.NewReader(largest(t)), func([]byte) error { n++; return stop }, func(evtx.Trouble) {})
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d records", err, n)
	}
}

// Whatever stands in a chunk, each record is JSON, and there is an end.
func FuzzEach(f *testing.F) {
	for _, path := range logs(f)[:8] {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text[512+4096 : 8000])
	}
	head := append([]byte(evtx.Magic), make([]byte, 4096-len(evtx.Magic))...)
	f.Fuzz(func(t *testing.T, body []byte) {
		chunk := make([]byte, 512, 1<<16)
		copy(chunk, "ElfChnk\x00")
		text := append(bytes.Clone(head), append(chunk, body[:min(len(body), 1<<16-512)]...)...)
		err := evtx.Each(bytes.NewReader(text), func(record []byte) error {
			if !json.Valid(record) {
				t.Errorf("not JSON: %q", record)
			}
			return nil
		}, func(evtx.Trouble) {})
		if err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkEach(b *testing.B) {
	text := largest(b)
	whole, _ := records(b, text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := evtx.Each(bytes.NewReader(text), func([]byte) error { return nil }, func(evtx.Trouble) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(whole)*b.N)/b.Elapsed().Seconds(), "events/s")
}

// editedByHand are the places where somebody has changed the JSON beside a log.
var editedByHand = map[string]struct{ log, json string }{
	"ad691d92-15f2-4181-9aa4-723c74f9ddc3.evtx": {`"ParentCommandLine":"C:\\Windows\\Explorer.EXE"`, `"ParentCommandLine":"C:\\Windows\\Explorer.exe"`},
}

func TestRecordsEqualThoseOfTheJSONBesideThem(t *testing.T) {
	paths := logs(t)
	if len(paths) != 111 {
		t.Errorf("%d files, want 111", len(paths))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, troubles := records(t, text)
		for _, trouble := range troubles {
			t.Errorf("%s: %v", filepath.Base(path), trouble)
		}
		f, err := os.Open(strings.TrimSuffix(path, ".evtx") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		beside := json.NewDecoder(f)
		for i := 0; ; i++ {
			var want, have any
			if err := beside.Decode(&want); errors.Is(err, io.EOF) {
				if i != len(got) {
					t.Errorf("%s: %d records, want %d", filepath.Base(path), len(got), i)
				}
				break
			} else if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if edited, ok := editedByHand[filepath.Base(path)]; ok && i < len(got) {
				got[i] = bytes.ReplaceAll(got[i], []byte(edited.log), []byte(edited.json))
			}
			if i >= len(got) {
				t.Errorf("%s: no record %d", filepath.Base(path), i+1)
				break
			}
			if err := json.Unmarshal(got[i], &have); err != nil {
				t.Errorf("%s: %v: %s", filepath.Base(path), err, got[i])
			} else if inMicroseconds(want, have); !reflect.DeepEqual(have, want) {
				t.Errorf("%s: record %d differs: %s", filepath.Base(path), i+1, difference(have, want))
			}
		}
		f.Close()
	}
}

// inMicroseconds shortens the time of records to what most of the JSON beside the logs has.
func inMicroseconds(records ...any) {
	for _, r := range records {
		created := r.(map[string]any)["Event"].(map[string]any)["System"].(map[string]any)["TimeCreated"]
		at := created.(map[string]any)["#attributes"].(map[string]any)
		at["SystemTime"] = at["SystemTime"].(string)[:len("2006-01-02T15:04:05.000000")]
	}
}

// difference is the first place where two trees of JSON are not the same.
func difference(have, want any) string {
	h, ok := have.(map[string]any)
	w, same := want.(map[string]any)
	if !ok || !same {
		return fmt.Sprintf("%#v, want %#v", have, want)
	}
	for key := range w {
		if !reflect.DeepEqual(h[key], w[key]) {
			return key + ": " + difference(h[key], w[key])
		}
	}
	return fmt.Sprintf("%d members, want %d", len(h), len(w))
}
