package collect_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/watch/ingest/collect"
)

// watch takes batches, refuses as many as it is told, and knows a batch's lines by name and number, as the real one does.
type watch struct {
	mu     sync.Mutex
	lines  map[string]string // by batch and number
	order  []string
	busy   int
	lost   int // answers that never arrive
	bodies []string
}

func (w *watch) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if w.busy > 0 {
		w.busy--
		out.Header().Set("Retry-After", "0")
		out.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if strings.Contains(string(body), "poison") {
		out.WriteHeader(http.StatusBadRequest)
		return
	}
	w.bodies = append(w.bodies, string(body))
	for i, line := range strings.Split(strings.TrimSuffix(string(body), "\n"), "\n") {
		key := fmt.Sprint(r.Header.Get("Wardwatch-Batch"), "/", i)
		if _, known := w.lines[key]; !known {
			w.order = append(w.order, line)
		}
		w.lines[key] = line
	}
	if w.lost > 0 {
		w.lost--
		panic(http.ErrAbortHandler)
	}
}

type world struct {
	t       *testing.T
	watch   *watch
	folder  string
	options collect.Options
}

func newWorld(t *testing.T, inputs ...collect.Input) *world {
	t.Helper()
	w := &world{t: t, watch: &watch{lines: map[string]string{}}, folder: t.TempDir()}
	server := httptest.NewServer(w.watch)
	t.Cleanup(server.Close)
	w.options = collect.Options{Clock: ward.WallClock{}, Client: server.Client(), URL: server.URL, Token: "t", State: filepath.Join(w.folder, "state")}
	if inputs == nil {
		inputs = []collect.Input{{Path: "*.log", Format: "syslog"}}
	}
	for _, in := range inputs {
		in.Path = filepath.Join(w.folder, in.Path)
		w.options.Inputs = append(w.options.Inputs, in)
	}
	return w
}

// collector is one that has just started.
func (w *world) collector() *collect.Collector {
	w.t.Helper()
	c, err := collect.New(w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) write(name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.folder, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// pass runs a collector for a moment.
func (w *world) pass(c *collect.Collector) {
	w.t.Helper()
	c.Poll = time.Hour
	ctx, stop := context.WithTimeout(w.t.Context(), 500*time.Millisecond)
	defer stop()
	if err := c.Run(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) got(want ...string) {
	w.t.Helper()
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	if !slices.Equal(w.watch.order, want) {
		w.t.Fatalf("%q, want %q", w.watch.order, want)
	}
}

func TestEachLineIsSentOnceWhateverBecomesOfItsFile(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\ntwo\nthr")
	w.pass(w.collector())
	w.got("one", "two") // a line that goes on waits
	w.write("a.log", "ee\n")
	w.pass(w.collector()) // another start
	w.got("one", "two", "three")
	if err := os.Rename(filepath.Join(w.folder, "a.log"), filepath.Join(w.folder, "a.log.1")); err != nil {
		t.Fatal(err)
	}
	w.write("a.log.1", "four\nfi") // who writes has not noticed yet
	w.write("a.log", "six\n")
	w.pass(w.collector())
	w.got("one", "two", "three", "four", "fi", "six")
	if err := os.Truncate(filepath.Join(w.folder, "a.log"), 0); err != nil {
		t.Fatal(err)
	}
	w.write("a.log", "6\n")
	w.pass(w.collector())
	w.write("b.log.gz", "packed\n")
	w.write("b.log", "seven\n")
	w.pass(w.collector())
	w.got("one", "two", "three", "four", "fi", "six", "6", "seven")
	if err := os.WriteFile(filepath.Join(w.folder, "b.log"), []byte("other words\nthan before\n"), 0o600); err != nil { // as long a file, and another
		t.Fatal(err)
	}
	w.write("c.log", "the end")
	c := w.collector()
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.got("one", "two", "three", "four", "fi", "six", "6", "seven", "other words", "than before", "the end")
	if c.Sent != 3 {
		t.Error(c.Sent)
	}
}

func TestWhatWasNotAcknowledgedIsSentAgainUnderTheSameName(t *testing.T) {
	w := newWorld(t)
	w.write("a.log", "one\ntwo\n")
	w.watch.lost = 1
	w.pass(w.collector()) // the answer is lost, and the collector is killed
	w.write("a.log", "three\n")
	w.pass(w.collector())
	w.got("one", "two", "three")
	w.watch.busy = 2
	w.write("a.log", "four\n")
	if err := w.collector().Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.got("one", "two", "three", "four")
	w.write("a.log", "poison\n")
	c := w.collector()
	w.pass(c)
	w.write("a.log", "five\n")
	w.pass(c)
	w.got("one", "two", "three", "four", "five")
	if c.Refused != 1 {
		t.Error("a batch that cannot be read is left out, and counted:", c.Refused)
	}
}

func TestTheHeaderStandsAboveEachBatch(t *testing.T) {
	w := newWorld(t, collect.Input{Path: "*.csv", Format: "csv"})
	w.write("a.csv", "time,user\n1,ann\n")
	w.pass(w.collector())
	w.write("a.csv", "2,bea\n")
	w.pass(w.collector())
	if got := strings.Join(w.watch.bodies, "|"); got != "time,user\n1,ann\n|time,user\n2,bea\n" {
		t.Errorf("%q", got)
	}
}

func TestAStreamIsKeptUntilItIsSent(t *testing.T) {
	w := newWorld(t, collect.Input{Path: "spool/*.log", Format: "syslog", Spool: true})
	folder := filepath.Join(w.folder, "spool")
	for _, text := range []string{"one\ntwo", "three\n" + strings.Repeat("x", 1<<20+7) + "\n"} {
		if err := collect.Spool(t.Context(), ward.WallClock{}, strings.NewReader(text), folder, 64<<20); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(w.collector())
	w.watch.mu.Lock()
	n := 0
	for _, line := range w.watch.order {
		n += len(line)
	}
	if len(w.watch.order) < 5 || n != len("onetwothree")+1<<20+7 {
		t.Errorf("%d lines of %d bytes", len(w.watch.order), n)
	}
	w.watch.mu.Unlock()
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("%d files, %v: what was sent goes, but for the newest", len(left), err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	endless, in := io.Pipe()
	go func() {
		for {
			if _, err := in.Write([]byte(strings.Repeat("y", 999) + "\n")); err != nil {
				return
			}
		}
	}()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "0.log"), make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := collect.Spool(ctx, ward.WallClock{}, endless, full, 1000); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(full); err != nil || len(left) != 1 {
		t.Errorf("%d files, %v: a full spool takes no more", len(left), err)
	}
	_ = endless.Close()
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"id":"A","files":[{"id":"b","path":"/x","device":1,"inode":2,"offset":3,"first":4,"sum":"00"}]}`))
	f.Add([]byte(`{"files":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		w := newWorld(t)
		w.write("a.log", "one\n")
		if err := os.MkdirAll(w.options.State, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.options.State, "state.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := collect.New(w.options)
		if err != nil {
			return
		}
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
