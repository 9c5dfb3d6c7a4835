package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"wardwatch/keep/blocks"
)

// Bucket holds one kind of bucket to what blocks.Bucket promises. open gives an empty one.
func Bucket(t *testing.T, open func(t *testing.T) blocks.Bucket) {
	t.Helper()
	create := func(t *testing.T, b blocks.Bucket, name, body string) {
		t.Helper()
		if err := b.Create(t.Context(), name, strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	read := func(t *testing.T, b blocks.Bucket, name string) string {
		t.Helper()
		o, err := b.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = o.Close() }()
		text, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	names := func(t *testing.T, b blocks.Bucket, prefix, after string) []string {
		t.Helper()
		var all []string
		for name, err := range b.Names(t.Context(), prefix, after) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, name)
		}
		return all
	}
	absent := func(t *testing.T, b blocks.Bucket, name string) {
		t.Helper()
		if _, err := b.Open(t.Context(), name); !errors.Is(err, blocks.ErrNotFound) {
			t.Errorf("open %s: %v, want that it is not kept", name, err)
		}
	}

	t.Run("ranges", func(t *testing.T) {
		b := open(t)
		body := make([]byte, 3<<20+17)
		for i := range body {
			body[i] = byte(i * i >> 8)
		}
		if err := b.Create(t.Context(), "org=XZ1/day=2025-05-13/a.parquet", iotest.HalfReader(bytes.NewReader(body))); err != nil {
			t.Fatal(err)
		}
		o, err := b.Open(t.Context(), "org=XZ1/day=2025-05-13/a.parquet")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = o.Close() }()
		if o.Size() != int64(len(body)) {
			t.Fatalf("%d bytes, want %d", o.Size(), len(body))
		}
		for _, r := range [][2]int{{0, 1}, {0, len(body)}, {1<<20 - 1, 2}, {len(body) - 8, 8}, {2 << 20, 1 << 20}} {
			got := make([]byte, r[1])
			if n, err := o.ReadAt(got, int64(r[0])); n != r[1] || (err != nil && !errors.Is(err, io.EOF)) || !bytes.Equal(got, body[r[0]:r[0]+r[1]]) {
				t.Errorf("%d bytes at %d: %d, %v", r[1], r[0], n, err)
			}
		}
		if n, err := o.ReadAt(make([]byte, 16), int64(len(body)-4)); n != 4 || !errors.Is(err, io.EOF) {
			t.Errorf("over the end: %d, %v, want 4 and the end", n, err)
		}
		if n, err := o.ReadAt(make([]byte, 1), int64(len(body))); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("behind the end: %d, %v, want 0 and the end", n, err)
		}
	})

	t.Run("an object is never changed", func(t *testing.T) {
		b := open(t)
		create(t, b, "a/b", "first")
		if err := b.Create(t.Context(), "a/b", strings.NewReader("second")); !errors.Is(err, blocks.ErrExists) {
			t.Errorf("%v, want that it is kept already", err)
		}
		if got := read(t, b, "a/b"); got != "first" {
			t.Errorf("%q, want what was there first", got)
		}
		create(t, b, "empty", "")
		if got := read(t, b, "empty"); got != "" {
			t.Errorf("%q, want nothing", got)
		}
	})

	t.Run("of many that create one name, one does", func(t *testing.T) {
		b := open(t)
		const writers = 16
		results := make([]error, writers)
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				results[i] = b.Create(context.WithoutCancel(t.Context()), "raced/object", strings.NewReader(strings.Repeat(fmt.Sprintf("%02d", i), 50_000)))
			})
		}
		all.Wait()
		won := -1
		for i, err := range results {
			switch {
			case err == nil && won < 0:
				won = i
			case err == nil:
				t.Errorf("%d and %d both created it", won, i)
			case !errors.Is(err, blocks.ErrExists):
				t.Errorf("%d: %v", i, err)
			}
		}
		if won < 0 {
			t.Fatal("nobody created it")
		}
		if read(t, b, "raced/object") != strings.Repeat(fmt.Sprintf("%02d", won), 50_000) {
			t.Error("what is kept is not what the one wrote who was told so")
		}
	})

	t.Run("half an object is none", func(t *testing.T) {
		b := open(t)
		broken := errors.New("the sender hung up")
		if err := b.Create(t.Context(), "half", io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("%v, want what broke it", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopping := readerFunc(func(p []byte) (int, error) { cancel(); return copy(p, "x"), nil })
		if err := b.Create(ctx, "stopped", stopping); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that it was stopped", err)
		}
		absent(t, b, "half")
		absent(t, b, "stopped")
		if all := names(t, b, "", ""); len(all) > 0 {
			t.Errorf("listed: %q", all)
		}
		create(t, b, "half", "whole")
		if got := read(t, b, "half"); got != "whole" {
			t.Errorf("%q", got)
		}
	})

	t.Run("names in order", func(t *testing.T) {
		b := open(t)
		want := []string{"a-b", "a.b/c", "a/b/c", "a/b/d", "a/c", "a0", "org=XZ1/x", "org=XZ10/x"}
		for i := range want {
			create(t, b, want[(i*5)%len(want)], "x")
		}
		for _, after := range append([]string{"", "a", "a/", "a/b", "a/b/", "a/bb", "org=XZ1/", "zz"}, want...) {
			for _, prefix := range []string{"", "a", "a/", "a/b", "org=XZ1", "org=XZ1/", "none"} {
				var some []string
				for _, name := range want {
					if strings.HasPrefix(name, prefix) && name > after {
						some = append(some, name)
					}
				}
				if got := names(t, b, prefix, after); !slices.Equal(got, some) {
					t.Errorf("prefix %q after %q: %q, want %q", prefix, after, got, some)
				}
			}
		}
		for name, err := range b.Names(t.Context(), "", "") {
			if name != want[0] || err != nil {
				t.Errorf("first of all: %q, %v", name, err)
			}
			break // whoever has enough may stop
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range b.Names(ended, "", "") {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("listing when it was stopped: %v", err)
			}
		}
	})

	t.Run("removed", func(t *testing.T) {
		b := open(t)
		create(t, b, "a/b", "one")
		o, err := b.Open(t.Context(), "a/b")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = o.Close() }()
		for range 2 {
			if err := b.Remove(t.Context(), "a/b"); err != nil {
				t.Fatal(err)
			}
		}
		absent(t, b, "a/b")
		absent(t, b, "a")
		create(t, b, "a/b", "two")
		if got := read(t, b, "a/b"); got != "two" {
			t.Errorf("%q", got)
		}
	})

	t.Run("names that some bucket could not keep", func(t *testing.T) {
		b := open(t)
		for _, name := range []string{
			"", ".", "..", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".hidden", "a/.hidden/b", `a\b`, "a\x00b", "a\nb", "c:a", "a b", "é", "a%2fb", "a*", strings.Repeat("a", 256), strings.Repeat("a/", 600) + "a",
		} {
			_, opened := b.Open(t.Context(), name)
			for what, err := range map[string]error{"create": b.Create(t.Context(), name, strings.NewReader("x")), "open": opened, "remove": b.Remove(t.Context(), name)} {
				if !errors.Is(err, blocks.ErrName) {
					t.Errorf("%s %q: %v, want that it is not a name", what, name, err)
				}
			}
		}
		if all := names(t, b, "", ""); len(all) > 0 {
			t.Errorf("kept: %q", all)
		}
	})
}

// readerFunc is an io.Reader in one function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
