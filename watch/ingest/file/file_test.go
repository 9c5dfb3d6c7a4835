package file_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/watch"
	"wardwatch/watch/ingest/file"
)

// read gives the events and troubles of paths as lines that tests can compare.
func read(t testing.TB, o file.Options, paths ...string) (events, troubles []string) {
	t.Helper()
	o.Trouble = func(trouble file.Trouble) {
		troubles = append(troubles, fmt.Sprintf("%s:%d", filepath.Base(trouble.File), trouble.Record))
	}
	err := file.Each(t.Context(), paths, o, func(e file.Event) error {
		events = append(events, fmt.Sprintf("%s:%d %s", filepath.Base(e.File), e.Record, e.Raw))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return events, troubles
}

func write(t testing.TB, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestValuesComeInAnySequence(t *testing.T) {
	for _, row := range []struct {
		name, text       string
		events, troubles []string
	}{
		{"a line each", `{"a":1}` + "\n" + `{"b":[{}]}` + "\n", []string{`1 {"a":1}`, `2 {"b":[{}]}`}, nil},
		{"without end of line", `{"a":1}`, []string{`1 {"a":1}`}, nil},
		{"empty lines", "\n\n{}\r\n \n\n{\"a\":\"\\\"\"}\n\n", []string{`1 {}`, `2 {"a":"\""}`}, nil},
		{"a byte order mark", "\xef\xbb\xbf{}", []string{`1 {}`}, nil},
		{"pretty", "{\n  \"a\": [\n    {\n      \"b\": \"}\"\n    }\n  ]\n}\n{}", []string{"1 {\n  \"a\": [\n    {\n      \"b\": \"}\"\n    }\n  ]\n}", `2 {}`}, nil},
		{"beside each other", `{}{} {"a":{"b":{}}}`, []string{`1 {}`, `2 {}`, `3 {"a":{"b":{}}}`}, nil},
		{"an array", `[{"a":1}, {"b":2}]`, []string{`1 {"a":1}`, `2 {"b":2}`}, nil},
		{"a pretty array", "[\n  {\n    \"a\": 1\n  },\n  {}\n]\n", []string{"1 {\n    \"a\": 1\n  }", `2 {}`}, nil},
		{"arrays", "[]\n[{}]\n[[{}]]", []string{`1 {}`, `2 {}`}, nil},
		{"records of CloudTrail", `{"Records":[{"a":1},{"b":2}]}`, []string{`1 {"a":1}`, `2 {"b":2}`}, nil},
		{"values of Graph", `{"@odata.context":"https://graph.example/x", "value": [ {"a":1} , {}]}`, []string{`1 {"a":1}`, `2 {}`}, nil},
		{"a value that is a list", `{"value":[1,2]}`, []string{`1 {"value":[1,2]}`}, nil},
		{"a bad line", "{}\n{\"a\":\n{}\nnonsense\n{\"b\":1}\n", []string{`1 {}`, `3 {}`, `5 {"b":1}`}, []string{"2", "4"}},
		{"an open string", "{\"a\":\"b\n{\"c\":1}\n", []string{`2 {"c":1}`}, []string{"1"}},
		{"an open object", "{\"a\":1,\n{\"c\":1}\n", []string{`2 {"c":1}`}, []string{"1"}},
		{"cut off", "{\"a\":1}\n{\"b\":{", []string{`1 {"a":1}`}, []string{"2"}},
		{"wrong bracket", "{\"a\":[1}}\n{}", []string{`2 {}`}, []string{"1"}},
		{"a bad element", "[\n  {\n    \"a\": [}\n  },\n  {\n    \"b\": 1\n  }\n]", []string{"2 {\n    \"b\": 1\n  }"}, []string{"1"}},
		{"nested", strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000) + "\n{}", []string{`2 {}`}, []string{"1"}},
		{"control characters and bad UTF-8", "{\"a\":\"\x00\xff\"}", []string{"1 {\"a\":\"\x00\xff\"}"}, nil},
		{"backslashes", `{"a":"\\"}{"b":"\\\""}`, []string{`1 {"a":"\\"}`, `2 {"b":"\\\""}`}, nil},
		{"nothing", "", nil, nil},
		{"blanks", " \n\t", nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			events, troubles := read(t, file.Options{Format: watch.JSON}, write(t, "x", []byte(row.text)))
			for i := range row.events {
				row.events[i] = "x:" + row.events[i]
			}
			for i := range row.troubles {
				row.troubles[i] = "x:" + row.troubles[i]
			}
			if !slices.Equal(events, row.events) {
				t.Errorf("events %q, want %q", events, row.events)
			}
			if !slices.Equal(troubles, row.troubles) {
				t.Errorf("troubles %q, want %q", troubles, row.troubles)
			}
		})
	}
}

func TestLines(t *testing.T) {
	for _, row := range []struct {
		name, text string
		format     watch.Format
		events     []string
	}{
		{"both ends of lines", "one\r\n\r\ntwo\n\n three", watch.Lines, []string{"x:1 one", "x:2 two", "x:3  three"}},
		{"what stands where", "#Version: 1.0\n#Fields: a b\n1 2\n#Fields: b\n3\n", watch.W3C, []string{"x:1 1 2", "x:2 3"}},
		{"columns", "a,b\n1,2\n", watch.CSV, []string{"x:1 1,2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			events, troubles := read(t, file.Options{Format: row.format}, write(t, "x", []byte(row.text)))
			if !slices.Equal(events, row.events) || troubles != nil {
				t.Errorf("events %q, want %q; troubles %q", events, row.events, troubles)
			}
		})
	}
}

func TestHeadersComeWithTheirLines(t *testing.T) {
	path := write(t, "x", []byte("#Fields: a b\n1 2\n#Fields: b\n3\n"))
	var headers []string
	err := file.Each(t.Context(), []string{path}, file.Options{Format: watch.W3C}, func(e file.Event) error {
		headers = append(headers, string(e.Header))
		return nil
	})
	if want := []string{"#Fields: a b", "#Fields: b"}; err != nil || !slices.Equal(headers, want) {
		t.Errorf("%q, %v; want %q", headers, err, want)
	}
}

func TestWhatIsTooLongIsRefusedByItsNumber(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	for _, row := range []struct {
		name, text string
		format     watch.Format
		events     int
	}{
		{"lines", "one\n" + long + "\ntwo\n", watch.Lines, 2},
		{"at the end", "one\n" + long, watch.Lines, 1},
		{"values", "{}\n{\"a\":\"" + long + "\"}\n{}\n", watch.JSON, 2},
		{"elements", "[{},\n{\"a\":\"" + long + "\"},\n{}]\n", watch.JSON, 2},
		{"a little too long", "{}\n{\"a\":\"" + long[:1<<20] + "\"}\n{}\n", watch.JSON, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			events, troubles := read(t, file.Options{Format: row.format, MaxRecord: 1 << 20}, write(t, "x", []byte(row.text)))
			if len(events) != row.events || !slices.Equal(troubles, []string{"x:2"}) {
				t.Errorf("%d events, troubles %q; want %d, x:2", len(events), troubles, row.events)
			}
		})
	}
}

func TestAnEventOf50MBPasses(t *testing.T) {
	text := []byte(`{"a":"` + strings.Repeat(`x\"y`, 50<<20/4) + "\"}\n{}\n")
	n := 0
	err := file.Each(t.Context(), []string{write(t, "x", text)}, file.Options{}, func(e file.Event) error { n += len(e.Raw); return nil })
	if want := len(text) - 2; err != nil || n != want {
		t.Errorf("%d bytes, %v; want %d", n, err, want)
	}
}

// packed writes an archive of members.
func packed(t testing.TB, members ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	nested := string(packed(t, [2]string{"x", "{}"}))
	z := packed(t, [2]string{"dir/", ""}, [2]string{"dir/b.json", "{}{}"}, [2]string{"__MACOSX/dir/._b.json", "{}"},
		[2]string{"a.log", "one\ntwo"}, [2]string{"in.zip", nested}, [2]string{"in.gz", string(gzipped(t, "{}"))})
	events, troubles := read(t, file.Options{}, write(t, "x.zip", z))
	want := []string{"b.json:1 {}", "b.json:2 {}", "x.zip!a.log:1 one", "x.zip!a.log:2 two"}
	if !slices.Equal(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
	if want := []string{"x.zip!in.zip:0", "x.zip!in.gz:0"}; !slices.Equal(troubles, want) {
		t.Errorf("troubles %q, want %q", troubles, want)
	}

	events, troubles = read(t, file.Options{}, write(t, "x.gz", append(gzipped(t, "{}\n"), gzipped(t, `{"a":1}`)...)))
	if want := []string{"x.gz:1 {}", `x.gz:2 {"a":1}`}; !slices.Equal(events, want) || troubles != nil {
		t.Errorf("events %q, want %q; troubles %q", events, want, troubles)
	}

	var lines strings.Builder
	for i := range 100000 {
		fmt.Fprintln(&lines, i*i)
	}
	whole := gzipped(t, lines.String())
	events, troubles = read(t, file.Options{}, write(t, "x.gz", whole[:len(whole)/2]))
	if len(events) < 30000 || len(troubles) == 0 {
		t.Errorf("%d events of an archive cut off, troubles %q", len(events), troubles)
	}
	short := gzipped(t, `{"a":1}`+"\n"+`{"a":2}`+"\n")
	events, troubles = read(t, file.Options{}, write(t, "x.gz", short[:len(short)-6])) // its checksum is missing
	if want := []string{`x.gz:1 {"a":1}`, `x.gz:2 {"a":2}`}; !slices.Equal(events, want) || len(troubles) != 1 {
		t.Errorf("events %q, want %q; troubles %q", events, want, troubles)
	}
}

func TestWhatUnpacksToTooMuchIsStopped(t *testing.T) {
	lines := strings.Repeat("one\n", 1<<20)
	for name, text := range map[string][]byte{
		"x.gz":  gzipped(t, lines),
		"x.zip": packed(t, [2]string{"a", lines}, [2]string{"b", lines}),
	} {
		events, troubles := read(t, file.Options{MaxUnpacked: 1 << 20}, write(t, name, text))
		if n := len(events); n < 1<<17 || n > 1<<19 || len(troubles) != 1 {
			t.Errorf("%s: %d events, troubles %q", name, n, troubles)
		}
	}
}

func TestFoldersAreReadInOrder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.json": "{}", "a/z.log": "one", "a/y.json": "[{},{}]", "empty": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	absent := filepath.Join(dir, "absent")
	events, troubles := read(t, file.Options{}, absent, dir)
	want := []string{"y.json:1 {}", "y.json:2 {}", "z.log:1 one", "b.json:1 {}"}
	if !slices.Equal(events, want) || !slices.Equal(troubles, []string{"absent:0"}) {
		t.Errorf("events %q, want %q; troubles %q", events, want, troubles)
	}
}

func TestReadingEndsWithItsReader(t *testing.T) {
	path := write(t, "x", []byte("{}\n{}\n"))
	stop := errors.New("enough")
	n := 0
	if err := file.Each(t.Context(), []string{path, path}, file.Options{}, func(file.Event) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d events", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	err := file.Each(ctx, []string{path, path}, file.Options{}, func(file.Event) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("%v after %d events", err, n)
	}
}

func TestStandardInputAndProgress(t *testing.T) {
	n, bytesRead := 0, 0
	o := file.Options{Stdin: strings.NewReader("{}\n{}"), Progress: func(n int) { bytesRead += n }}
	err := file.Each(t.Context(), []string{"-"}, o, func(e file.Event) error {
		n++
		if e.File != "-" {
			t.Errorf("file %q", e.File)
		}
		return nil
	})
	if err != nil || n != 2 || bytesRead != 5 {
		t.Errorf("%d events, %d bytes, %v", n, bytesRead, err)
	}
}

// The numbers of events are those that other readers of the same files come to: lines that are not empty.
func TestPublicSets(t *testing.T) {
	for _, row := range []struct {
		elem   []string
		events int
	}{
		{[]string{"events", "otrf"}, 0},
		{[]string{"events", "weblogs"}, 10000},
		{[]string{"sigma", "regression"}, 2*135 + 0},
	} {
		path := shared.File(t, append([]string{"data"}, row.elem...)...)
		n, invalid := 0, 0
		var troubles []string
		o := file.Options{Trouble: func(trouble file.Trouble) { troubles = append(troubles, trouble.Error()) }}
		err := file.Each(t.Context(), []string{path}, o, func(e file.Event) error {
			if strings.HasSuffix(e.File, ".yml") {
				return nil
			}
			n++
			if e.Format == watch.JSON && n%10 == 0 && !json.Valid(e.Raw) {
				invalid++
			}
			return nil
		})
		if err != nil || troubles != nil || invalid > 0 {
			t.Errorf("%s: %v, troubles %q, %d not JSON", row.elem, err, troubles, invalid)
		}
		if row.events > 0 && n != row.events {
			t.Errorf("%s: %d events, want %d", row.elem, n, row.events)
		}
		t.Logf("%s: %d events", row.elem, n)
	}
}

// Whatever a file holds, its events are parts of it in their order, and what is valid JSON alone on its line comes.
func FuzzEach(f *testing.F) {
	for _, seed := range []string{"{}\n", `[{"a":"\""}]`, "{\"a\":\n{}\n", "\x1f\x8b\x08\x00", "PK\x03\x04", "ElfFile\x00", `{"Records":[{}]}`, "a,b\n1,2"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, format := range []watch.Format{watch.JSON, watch.Lines} {
			at, record := 0, 0
			o := file.Options{Format: format, Stdin: bytes.NewReader(text), MaxRecord: 1 << 16}
			o.Trouble = func(trouble file.Trouble) { record = max(record, trouble.Record) }
			err := file.Each(t.Context(), []string{"-"}, o, func(e file.Event) error {
				if e.Record != record+1 {
					t.Errorf("record %d after %d", e.Record, record)
				}
				record = e.Record
				if bytes.HasPrefix(text, []byte("\x1f\x8b")) || bytes.HasPrefix(text, []byte("BZh")) {
					return nil
				}
				n := bytes.Index(text[at:], e.Raw)
				if n < 0 {
					t.Fatalf("%q is not in %q", e.Raw, text[at:])
				}
				at += n + len(e.Raw)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// The floor is a search for the ends of the lines.
func BenchmarkEach(b *testing.B) {
	path := shared.File(b, "data", "events", "otrf")
	var text bytes.Buffer
	events := 0
	err := file.Each(b.Context(), []string{path}, file.Options{}, func(e file.Event) error {
		if text.Len() < 16<<20 {
			events++
			text.Write(e.Raw)
			text.WriteByte('\n')
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	whole := text.Bytes()
	b.Run("lines of otrf", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			o := file.Options{Stdin: bytes.NewReader(whole)}
			if err := file.Each(b.Context(), []string{"-"}, o, func(file.Event) error { n++; return nil }); err != nil || n != events {
				b.Fatal(n, err)
			}
		}
		b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		for b.Loop() {
			n := 0
			for rest := whole; len(rest) > 0; n++ {
				rest = rest[bytes.IndexByte(rest, '\n')+1:]
			}
			if n != events {
				b.Fatal(n)
			}
		}
		b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
	})
}
