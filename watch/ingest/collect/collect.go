// Package collect sends what stands in files to a watch elsewhere, and nothing but that. In: files that others write and rotate; a
// stream. Out: batches over HTTPS, each again until the watch says that it is durable. It opens no door, keeps no credential but its
// own, and never says that a line was sent which was not acknowledged: where it had come to is written after the answer, and a batch
// that is sent again is known by its name.
package collect

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"wardwatch/ward"
)

// An Input is files of one kind.
type Input struct {
	Path   string // pattern, as path/filepath has it
	Format string // as the watch knows it; empty: JSON
	// Spool says that the files are this package's own: they are removed when they were sent.
	Spool bool
}

// Options are what a Collector needs.
type Options struct {
	Clock  ward.Clock
	Client *http.Client // with the certificate that it shows, where it has no token
	URL    string       // of the watch: https://watch.example:9200
	Token  string
	State  string // folder that says how far each file was sent
	Inputs []Input
	Log    *slog.Logger
	Poll   time.Duration // default a second
}

const (
	batchBytes  = 1 << 20
	defaultPoll = time.Second
	firstWait   = time.Second
	longestWait = time.Minute
	// knownBytes is how much of a file's beginning says that it is still the same.
	knownBytes = 256
	// goneFor is how long a file that is not there any more is remembered.
	goneFor = 7 * 24 * time.Hour
)

// A Collector follows files. For one goroutine.
type Collector struct {
	Options
	state state
	// Sent is what was acknowledged since the start: lines, and batches that the watch could not read and that are left out.
	Sent, Refused int64
}

// New makes a Collector that goes on where the last one in that folder ended.
func New(o Options) (*Collector, error) {
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Collector{Options: o}
	if err := c.state.open(o.State); err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	if c.state.ID == "" {
		c.state.ID = rand.Text()[:12]
	}
	return c, nil
}

// Run sends until ctx ends.
func (c *Collector) Run(ctx context.Context) error {
	for {
		if err := c.pass(ctx, false); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.Poll):
		}
	}
}

// Once sends everything that stands in the files now, to their last byte.
func (c *Collector) Once(ctx context.Context) error { return c.pass(ctx, true) }

// pass sends what every file has, file after file. An error is of ctx or of the state's folder: what is wrong with one file is logged,
// and the watch's is waited for.
func (c *Collector) pass(ctx context.Context, toTheEnd bool) error {
	for _, in := range c.Inputs {
		paths, err := filepath.Glob(in.Path)
		if err != nil {
			return fmt.Errorf("collect: %s: %w", in.Path, err)
		}
		if in.Format == "" {
			in.Format = "json"
		}
		for _, f := range c.find(paths) {
			if err := c.drain(ctx, in, f, toTheEnd || f.rotated); err != nil {
				if ctx.Err() != nil {
					return nil //nolint:nilerr // it was asked to end
				}
				if errors.Is(err, errState) {
					return err
				}
				c.Log.Error("file not read", "file", f.at, "err", err)
			}
		}
	}
	return nil
}

// A found file is one to send, with what is known of it.
type found struct {
	*file
	at      string // where it is now
	rotated bool   // it has another name than it had: nobody writes to it any more
	newest  bool   // of those that its pattern names
}

// find gives the files behind paths, and those that were sent in part and have another name now, first.
func (c *Collector) find(paths []string) (all []found) {
	slices.Sort(paths)
	var now []found
	have := map[*file]bool{}
	folders := map[string]bool{}
	for i, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || packed(path) {
			continue
		}
		f := c.state.of(path, info)
		have[f] = true
		folders[filepath.Dir(path)] = true
		now = append(now, found{file: f, at: path, newest: i == len(paths)-1})
	}
	for folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, e := range entries {
			path := filepath.Join(folder, e.Name())
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || packed(path) || slices.Contains(paths, path) {
				continue
			}
			if f := c.state.known(info); f != nil && !have[f] && filepath.Dir(f.Path) == folder && f.Offset < info.Size() {
				have[f] = true
				all = append(all, found{file: f, at: path, rotated: true})
			}
		}
	}
	return append(all, now...)
}

func packed(path string) bool {
	return slices.Contains([]string{".gz", ".zst", ".xz", ".bz2", ".zip"}, filepath.Ext(path))
}

// drain sends a file from where it was sent to, batch after batch. toTheEnd sends a last line that nobody ended, too.
func (c *Collector) drain(ctx context.Context, in Input, f found, toTheEnd bool) error {
	from, err := os.Open(f.at)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // it was only read
	if err := c.state.same(f.file, from); err != nil {
		return err
	}
	buffer := make([]byte, batchBytes)
	for {
		n, err := from.ReadAt(buffer, f.Offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		lines := buffer[:n]
		if at := bytes.LastIndexByte(lines, '\n'); at >= 0 {
			lines = lines[:at+1]
		} else if !toTheEnd && n < len(buffer) {
			break // the line goes on
		}
		if len(lines) == 0 {
			break
		}
		if err := c.send(ctx, in, f.file, lines); err != nil {
			return err
		}
	}
	if in.Spool && !f.newest {
		return os.Remove(f.at)
	}
	return nil
}

// send sends lines until they are acknowledged, and writes down that they are.
func (c *Collector) send(ctx context.Context, in Input, f *file, lines []byte) error {
	body := lines
	if len(f.Header) > 0 {
		body = slices.Concat(f.Header, []byte("\n"), lines)
	}
	name := "collect-" + c.state.ID + "-" + f.ID + "-" + strconv.FormatInt(f.Offset, 10)
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		after, refused, err := c.post(ctx, in, f, name, body)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil || refused {
			if refused {
				c.Refused++
				c.Log.Error("batch left out: the watch cannot read it", "file", f.Path, "offset", f.Offset, "bytes", len(lines), "err", err)
			}
			break
		}
		wait = max(wait, after)
		c.Log.Warn("not sent yet", "file", f.Path, "again_in", wait, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	c.Sent += int64(bytes.Count(lines, []byte("\n")))
	if lines[len(lines)-1] != '\n' {
		c.Sent++
	}
	f.header(in.Format, lines)
	f.Offset += int64(len(lines))
	f.Seen = c.Clock.Now().Unix()
	c.state.forget(c.Clock.Now().Add(-goneFor).Unix())
	return c.state.save()
}

// post sends one batch. refused: it will never be taken.
func (c *Collector) post(ctx context.Context, in Input, f *file, name string, body []byte) (after time.Duration, refused bool, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+"/v1/events?format="+in.Format, bytes.NewReader(body))
	if err != nil {
		return 0, false, err
	}
	if c.Token != "" {
		q.Header.Set("Authorization", "Bearer "+c.Token)
	}
	q.Header.Set("Wardwatch-Batch", name)
	q.Header.Set("Wardwatch-Source", sourceName(f.Path))
	answer, err := c.Client.Do(q)
	if err != nil {
		return 0, false, err
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	said, err := io.ReadAll(io.LimitReader(answer.Body, 2000))
	if err != nil {
		return 0, false, err
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		after = time.Duration(seconds) * time.Second
	}
	switch answer.StatusCode {
	case http.StatusOK:
		return 0, false, nil
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		refused = true
	}
	return after, refused, fmt.Errorf("%s: %s", answer.Status, bytes.TrimSpace(said))
}

// sourceName is a file as a header can say it.
func sourceName(path string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, host+":"+path)
}

// device and number of a file on this machine.
func device(info os.FileInfo) (dev, inode uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Dev, s.Ino
	}
	return 0, 0
}
