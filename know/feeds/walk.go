package feeds

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"wardwatch/know"
)

// File is one file of a location, wherever it was: on its own, in a folder, or in an archive.
type File struct {
	Name   string    // as a person would look for it: "nvd/2016.json.gz", "cve5.tar.gz!2025/4xxx/CVE-2025-4427.json"
	Source Source    // which understands it; nil when it is passed over
	Reason string    // why it is passed over
	Body   io.Reader // decompressed; nil when it is passed over
}

// Bounds against archives that are made to burst. The full list of CVE records is 320,000 files and expands eightfold.
const (
	mostExpanded = 16 << 30 // bytes that one location may expand to
	mostRatio    = 200      // times that one archive may expand, beyond the first graceSize
	graceSize    = 32 << 20
	mostMembers  = 2_000_000
	mostNesting  = 3 // archive in archive
)

var errBurst = errors.New("expands too far: no publisher's archive does")

// Walk visits every file of a location: a file, a folder, a .gz, .zip or .tar.gz, or a URL of one of them, which is
// fetched first. Files that no source recognises, or that cannot be opened, are visited with the reason. An error of visit
// ends the walk; an error of a file's Body is the visitor's to judge.
func Walk(ctx context.Context, location string, sources []Source, visit func(File) error) error {
	if IsURL(location) {
		got, err := new(Fetcher).Get(ctx, location, Validators{})
		if err != nil {
			return err
		}
		defer got.Remove()
		return walkFile(ctx, got.Path, got.Name, sources, visit)
	}
	info, err := os.Stat(location)
	if err != nil {
		return fmt.Errorf("feeds: %w", err)
	}
	if !info.IsDir() {
		return walkFile(ctx, location, filepath.Base(location), sources, visit)
	}
	return filepath.WalkDir(location, func(at string, entry fs.DirEntry, err error) error {
		name := relative(location, at)
		switch {
		case err != nil:
			return visit(File{Name: name, Reason: err.Error()})
		case entry.IsDir():
			if at != location && strings.HasPrefix(entry.Name(), ".") {
				return filepath.SkipDir // .git and its like
			}
			return nil
		case !entry.Type().IsRegular():
			return visit(File{Name: name, Reason: "not a regular file"})
		}
		return walkFile(ctx, at, name, sources, visit)
	})
}

// IsURL tells a URL from a path.
func IsURL(location string) bool {
	return strings.HasPrefix(location, "https://") || strings.HasPrefix(location, "http://")
}

func relative(base, at string) string {
	if rel, err := filepath.Rel(base, at); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(at)
}

func walkFile(ctx context.Context, at, name string, sources []Source, visit func(File) error) error {
	f, err := os.Open(at)
	if err != nil {
		return visit(File{Name: name, Reason: err.Error()})
	}
	defer f.Close()
	w := &walker{ctx: ctx, sources: sources, visit: visit}
	return w.open(name, f, 0)
}

// walker goes through one file and what it holds.
type walker struct {
	ctx     context.Context
	sources []Source
	visit   func(File) error
	members int
	total   int64
}

// failure is an error of the visitor, which ends the walk, told from those of the archive, which are reported and passed.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// open looks at what a stream is, and goes inside when it is an archive.
func (w *walker) open(name string, r io.Reader, depth int) error {
	err := w.look(name, r, depth)
	if stop, ok := errors.AsType[failure](err); ok {
		return stop.error
	}
	if err != nil && w.ctx.Err() == nil {
		return w.visit(File{Name: name, Reason: err.Error()})
	}
	return errors.Join(err, w.ctx.Err())
}

func (w *walker) see(f File) error {
	if err := w.visit(f); err != nil {
		return failure{err}
	}
	return nil
}

func (w *walker) look(name string, r io.Reader, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return failure{err}
	}
	w.members++
	if w.members > mostMembers {
		return errBurst
	}
	size := HeadSize // enough for a member; a file of its own is read in larger pieces
	if depth == 0 {
		size = 64 << 10
	}
	in := bufio.NewReaderSize(r, size)
	head, err := in.Peek(HeadSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	packed := bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte("PK\x03\x04")) || isTar(head)
	switch {
	case packed && depth == mostNesting:
		return w.see(File{Name: name, Reason: fmt.Sprintf("archives nest deeper than %d", mostNesting)})
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return w.gunzip(name, in, depth)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return w.unzip(name, r, in, depth)
	case isTar(head):
		return w.untar(name, in, depth)
	}
	for _, source := range w.sources {
		if source.Recognises(path.Base(name), head) {
			return w.see(File{Name: name, Source: source, Body: in})
		}
	}
	return w.see(File{Name: name, Reason: describe(name, head)})
}

func isTar(head []byte) bool { return len(head) > 262 && string(head[257:262]) == "ustar" }

func (w *walker) gunzip(name string, r io.Reader, depth int) error {
	counted := &counter{r: r}
	unpacked, err := gzip.NewReader(counted)
	if err != nil {
		return err
	}
	guarded := &guard{r: unpacked, w: w, packed: func() int64 { return counted.n }}
	return w.look(name, guarded, depth+1) // the layer is one file, and keeps the name under which a person finds it
}

func (w *walker) untar(name string, r io.Reader, depth int) error {
	archive := tar.NewReader(r)
	for {
		member, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if member.Typeflag != tar.TypeReg {
			continue // folders, links, comments
		}
		if err := w.inside(name, member.Name, archive, depth); err != nil {
			return err
		}
	}
}

// inside opens a member; one that is broken is reported, and the next goes on where the archive lets it.
func (w *walker) inside(name, member string, r io.Reader, depth int) error {
	inner := name + "!" + path.Clean(filepath.ToSlash(member))
	err := w.look(inner, r, depth+1)
	if _, stop := errors.AsType[failure](err); stop || err == nil {
		return err
	}
	return w.see(File{Name: inner, Reason: err.Error()})
}

// unzip needs to move about in the archive, so one that comes out of another archive is spooled to a file first.
func (w *walker) unzip(name string, direct io.Reader, in io.Reader, depth int) error {
	f, ok := direct.(*os.File)
	if !ok {
		var err error
		if f, err = os.CreateTemp("", "wardwatch-*.zip"); err != nil {
			return err
		}
		defer func() {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}()
		if _, err := io.Copy(f, in); err != nil {
			return err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(f, info.Size())
	if err != nil {
		return err
	}
	for _, member := range archive.File {
		if !member.Mode().IsRegular() {
			continue
		}
		if err := w.zipped(name, member, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) zipped(name string, member *zip.File, depth int) error {
	r, err := member.Open()
	if err != nil {
		return w.see(File{Name: name + "!" + member.Name, Reason: err.Error()})
	}
	defer r.Close()
	guarded := &guard{r: r, w: w, packed: func() int64 { return int64(member.CompressedSize64) }}
	return w.inside(name, member.Name, guarded, depth)
}

// counter counts what has been read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// guard ends a stream that expands beyond the bounds.
type guard struct {
	r      io.Reader
	w      *walker
	packed func() int64 // bytes that went in so far
	n      int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.n += int64(n)
	g.w.total += int64(n)
	if g.w.total > mostExpanded || g.n > graceSize && g.n > mostRatio*g.packed() {
		return 0, errBurst
	}
	return n, err
}

// describe says in words why a file is no feed.
func describe(name string, head []byte) string {
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")))
	switch {
	case len(text) == 0:
		return "empty"
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return "in UTF-16: save it as UTF-8"
	case bytes.IndexByte(head, 0) >= 0:
		return "binary, in no form that is read"
	case text[0] == '<':
		return describeMarkup(text)
	case text[0] == '{':
		return describeObject(Keys(text))
	case text[0] == '[':
		return "a JSON list in no feed's form"
	}
	if ext := strings.ToLower(path.Ext(strings.TrimSuffix(name, ".gz"))); ext == ".csv" || ext == ".tsv" {
		columns, _, _ := bytes.Cut(text, []byte("\n"))
		return "a reference table, not a feed (columns " + clip(strings.TrimSpace(string(columns)), 80) + ")"
	}
	return "text, not a feed"
}

func describeMarkup(text []byte) string {
	for _, of := range []struct{ mark, reason string }{
		{"cyclonedx.org/schema/bom", "a software bill of materials (CycloneDX): an inventory, which estate import reads"},
		{"<nmaprun", "a scanner's report: an inventory, which estate import reads"},
		{"NessusClientData", "a scanner's report: it describes an estate, not weaknesses"},
		{"<report", "a scanner's report: it describes an estate, not weaknesses"},
		{"<fingerprints", "a table of fingerprints, not a feed"},
		{"<html", "a web page, not a feed: is the address right?"},
		{"<!DOCTYPE html", "a web page, not a feed: is the address right?"},
	} {
		if bytes.Contains(bytes.ToLower(text), bytes.ToLower([]byte(of.mark))) {
			return of.reason
		}
	}
	return "XML in no feed's form"
}

func describeObject(keys []string) string {
	for _, of := range []struct{ key, reason string }{
		{"bomFormat", "a software bill of materials (CycloneDX): an inventory, which estate import reads"},
		{"spdxVersion", "a software bill of materials (SPDX): an inventory, which estate import reads"},
		{"@context", "linked data (SPDX 3 and others): not a feed"},
		{"document", "JSON with a member document that is no CSAF advisory"},
		{"canonical_url", "a list that leads to CSAF advisories: give its address, and they are fetched"},
		{"aggregator", "a list that leads to CSAF advisories: give its address, and they are fetched"},
		{"feed", "a list that leads to CSAF advisories (ROLIE): give its address, and they are fetched"},
		{"service", "a list that leads to CSAF advisories (ROLIE): give its address, and they are fetched"},
		{"resultschema_version", "the result of a test, not a feed"},
		{"$schema", "a JSON schema or a document of another form, not a feed"},
	} {
		if slices.Contains(keys, of.key) {
			return of.reason
		}
	}
	if len(keys) == 0 {
		return "JSON that cannot be read"
	}
	return "JSON in no feed's form (members " + clip(strings.Join(keys[:min(len(keys), 6)], ", "), 80) + ")"
}

// Read walks a location and yields every report in it, in the order found. What one file cannot give costs only that file;
// the error is that of yield, of ctx, or of a location that is not there.
func Read(ctx context.Context, location string, sources []Source, yield func(know.Report) error) (Result, error) {
	var result Result
	err := Walk(ctx, location, sources, func(f File) error {
		if f.Source == nil {
			result.pass(f.Name, f.Reason)
			return nil
		}
		var stopped error
		sum, err := f.Source.Read(ctx, f.Body, func(r know.Report) error {
			stopped = yield(r)
			return stopped
		})
		if stopped == nil {
			stopped = ctx.Err()
		}
		result.feed(f.Source.Name()).read(f.Name, sum, err)
		return stopped
	})
	return result, err
}
