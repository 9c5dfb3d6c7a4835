// Package contract holds the suites that every implementation of a boundary must pass. In: one implementation and an
// example for it. Out: failed tests. It knows nothing of how an implementation works.
package contract

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"wardwatch/know/estate"
)

// InventoryExample is one good inventory in a reader's format, and what it lists.
type InventoryExample struct {
	Name   string // file name
	Body   string
	Want   []estate.Row // lines are not compared
	Secret string       // a person's name that stands in Body and must never come out
}

// Inventory holds one reader of inventories to what estate.Reader promises.
func Inventory(t *testing.T, reader estate.Reader, example InventoryExample) {
	t.Helper()
	read := func(r io.Reader) ([]estate.Row, estate.Summary, error) {
		var rows []estate.Row
		summary, err := reader.Read(r, func(row estate.Row) error {
			row.Line = 0
			rows = append(rows, row)
			return nil
		})
		return rows, summary, err
	}
	t.Run("reads its example", func(t *testing.T) {
		rows, summary, err := read(strings.NewReader(example.Body))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(rows, example.Want) {
			t.Errorf("got  %+v\nwant %+v", rows, example.Want)
		}
		if summary.Rows != len(rows)+summary.Rejected || summary.Rejected != len(summary.Problems) {
			t.Errorf("%d rows, %d yielded, %d rejected, %q", summary.Rows, len(rows), summary.Rejected, summary.Problems)
		}
	})
	t.Run("recognises its example and no stranger", func(t *testing.T) {
		head := []byte(example.Body[:min(len(example.Body), estate.HeadSize)])
		if found, ok := estate.Detect([]estate.Reader{reader}, example.Name, head); !ok || found.Format() != reader.Format() {
			t.Errorf("%s is not recognised", example.Name)
		}
		for _, stranger := range []string{"", "\x00\x01\x02", "<html><body>not found</body></html>", "%PDF-1.7", "PK\x03\x04\x14"} {
			if _, ok := estate.Detect([]estate.Reader{reader}, "stranger", []byte(stranger)); ok {
				t.Errorf("%q is taken for %s", stranger, reader.Format())
			}
		}
	})
	t.Run("reads with a byte order mark and as UTF-16", func(t *testing.T) {
		for name, body := range map[string][]byte{"UTF-8": []byte("\xef\xbb\xbf" + example.Body), "UTF-16LE": utf16(example.Body, "\xff\xfe", 0), "UTF-16BE": utf16(example.Body, "\xfe\xff", 1)} {
			if rows, _, err := read(bytes.NewReader(body)); err != nil || !reflect.DeepEqual(rows, example.Want) {
				t.Errorf("%s: %v, %+v", name, err, rows)
			}
		}
	})
	t.Run("reads however the bytes arrive", func(t *testing.T) {
		if rows, _, err := read(iotest.OneByteReader(strings.NewReader(example.Body))); err != nil || !reflect.DeepEqual(rows, example.Want) {
			t.Errorf("%v, %+v", err, rows)
		}
	})
	t.Run("hands on the error of a broken input", func(t *testing.T) {
		broken := errors.New("the line went dead")
		if _, _, err := read(io.MultiReader(strings.NewReader(example.Body[:len(example.Body)/2]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("stops where yield says so", func(t *testing.T) {
		enough, calls := errors.New("enough"), 0
		_, err := reader.Read(strings.NewReader(example.Body), func(estate.Row) error { calls++; return enough })
		if !errors.Is(err, enough) || calls != 1 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
	t.Run("never yields a row without an asset, however it is cut", func(t *testing.T) {
		for cut := range len(example.Body) {
			rows, summary, _ := read(strings.NewReader(example.Body[:cut]))
			for _, row := range rows {
				if row.Asset == "" {
					t.Fatalf("cut at %d: %+v", cut, row)
				}
			}
			if len(rows)+summary.Rejected > summary.Rows {
				t.Fatalf("cut at %d: %d rows yielded, %d counted", cut, len(rows), summary.Rows)
			}
		}
	})
	t.Run("drops people", func(t *testing.T) {
		if example.Secret == "" || !strings.Contains(example.Body, example.Secret) {
			t.Fatal("the example carries no person's name")
		}
		rows, summary, _ := read(strings.NewReader(example.Body))
		for _, row := range rows {
			texts := []string{row.Asset, row.Site, row.Software.String(), row.Software.Vendor, row.Software.Product}
			for _, mark := range row.Marks {
				texts = append(texts, mark.Value)
			}
			if row.Found != nil {
				texts = append(texts, row.Found.Title, row.Found.Output)
			}
			if strings.Contains(strings.Join(append(append(texts, row.Data...), row.Services...), " "), example.Secret) {
				t.Errorf("%+v", row)
			}
		}
		if strings.Contains(strings.Join(summary.Problems, " "), example.Secret) {
			t.Errorf("%q", summary.Problems)
		}
	})
}

// FuzzInventory holds one reader to what holds of any bytes: every row that it counts is yielded with an asset or rejected, and
// sound, where given, is true of each that is yielded.
func FuzzInventory(f *testing.F, reader estate.Reader, sound func(estate.Row) bool, seeds ...string) {
	f.Helper()
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		yielded := 0
		summary, err := reader.Read(bytes.NewReader(body), func(row estate.Row) error {
			yielded++
			if row.Asset == "" || sound != nil && !sound(row) {
				t.Errorf("%+v", row)
			}
			return nil
		})
		if err == nil && yielded+summary.Rejected != summary.Rows {
			t.Errorf("%d yielded, %d rejected of %d", yielded, summary.Rejected, summary.Rows)
		}
	})
}

// utf16 encodes plain ASCII with a mark; offset is where the low byte stands.
func utf16(text, mark string, offset int) []byte {
	out := []byte(mark)
	for i := range len(text) {
		unit := [2]byte{}
		unit[offset] = text[i]
		out = append(out, unit[:]...)
	}
	return out
}
