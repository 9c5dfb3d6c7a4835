package file

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wardwatch/watch"
	"wardwatch/watch/ingest/file/evtx"
)

// An Event is one event of a file. Its bytes hold until the function that it was given to returns.
type Event struct {
	File   string // as given; of a folder's file with the folder's name; "a.zip!member" of an archive's member
	Record int    // 1 is the first of the file or member; bad records count, empty lines do not
	Format watch.Format
	Header []byte // the line above that says what stands where (W3C, CSV); nil where the format has none
	Raw    []byte
}

// Trouble is what could not be read.
type Trouble struct {
	File   string
	Record int // 0: the file, or a part of it that is no record
	Err    error
}

func (t Trouble) Error() string {
	if t.Record == 0 {
		return fmt.Sprintf("%s: %v", t.File, t.Err)
	}
	return fmt.Sprintf("%s: record %d: %v", t.File, t.Record, t.Err)
}

func (t Trouble) Unwrap() error { return t.Err }

// What a file or record can suffer from.
var (
	ErrTooLong   = errors.New("longer than an event may be")
	ErrCutOff    = errors.New("cut off")
	ErrMalformed = errors.New("not JSON")
	ErrBomb      = errors.New("unpacks to more than an archive of its size may")
	ErrNested    = errors.New("an archive within an archive is not opened")
	ErrUTF16     = errors.New("is UTF-16, save it as UTF-8")
)

// Options say how to read. The zero Options are good.
type Options struct {
	// Format of all files; watch.Unknown: each file is recognised by how it begins.
	Format watch.Format
	// MaxRecord is how many bytes an event may have; 0 is 64 MB.
	MaxRecord int
	// MaxUnpacked is how many bytes an archive may unpack to in all; 0 is 1 GB and 256 times its own size.
	MaxUnpacked int64
	// Trouble is told what could not be read; nil: nobody is.
	Trouble func(Trouble)
	// Progress is told how many bytes of the files on disk have been read since it was last told; nil: nobody is.
	Progress func(n int)
	// Stdin is what "-" reads; nil: os.Stdin.
	Stdin io.Reader
}

const (
	maxRecord   = 64 << 20
	maxUnpacked = 1 << 30
	maxRatio    = 256
)

// Each yields the events of all paths in their order: of a folder those of its files by name, of an archive those of its
// members as they stand in it, without folders and what macOS adds (__MACOSX/). It returns yield's error or that of ctx;
// everything else is Trouble, and the next record, member or file follows.
func Each(ctx context.Context, paths []string, o Options, yield func(Event) error) error {
	if o.MaxRecord == 0 {
		o.MaxRecord = maxRecord
	}
	if o.Trouble == nil {
		o.Trouble = func(Trouble) {}
	}
	if o.Progress == nil {
		o.Progress = func(int) {}
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	f := files{ctx: ctx, Options: o, yield: yield}
	for _, path := range paths {
		if err := f.path(path); err != nil {
			return err
		}
	}
	return nil
}

type files struct {
	Options
	ctx   context.Context //nolint:containedctx // of one call of Each
	yield func(Event) error
	room  []byte // of windows, one after the other
}

// stopped is yield's error on its way out through functions that also return errors of reading.
type stopped struct{ error }

// path reads a file or the files of a folder.
func (f *files) path(path string) error {
	if path == "-" {
		return f.stream(path, &counted{Reader: f.Stdin, progress: f.Progress}, maxUnpacked)
	}
	info, err := os.Stat(path)
	if err != nil {
		return f.trouble(path, err)
	}
	if !info.IsDir() {
		return f.file(path, info.Size())
	}
	return filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return f.trouble(path, err)
		}
		if !entry.Type().IsRegular() {
			return f.ctx.Err()
		}
		info, err := entry.Info()
		if err != nil {
			return f.trouble(path, err)
		}
		return f.file(path, info.Size())
	})
}

// trouble tells of a file, and says whether to go on.
func (f *files) trouble(name string, err error) error {
	var stop stopped
	if errors.As(err, &stop) {
		return stop.error
	}
	if err != nil {
		f.Trouble(Trouble{File: name, Err: err})
	}
	return f.ctx.Err()
}

func (f *files) file(path string, size int64) error {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return f.trouble(path, err)
	}
	defer file.Close()
	head := make([]byte, 4)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return f.trouble(path, err)
	}
	if bytes.HasPrefix(head[:n], []byte("PK\x03\x04")) || bytes.HasPrefix(head[:n], []byte("PK\x05\x06")) {
		return f.archive(path, file, size)
	}
	return f.stream(path, &counted{Reader: file, progress: f.Progress}, size)
}

// archive reads the members of a zip file.
func (f *files) archive(path string, file *os.File, size int64) error {
	archive, err := zip.NewReader(file, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // nothing is written by the names
		return f.trouble(path, err)
	}
	left := f.unpacked(size)
	for _, member := range archive.File {
		if member.Mode().IsDir() || strings.HasSuffix(member.Name, "/") || strings.HasPrefix(member.Name, "__MACOSX/") {
			continue
		}
		name := path + "!" + member.Name
		if err := f.member(name, member, &left); err != nil {
			return err
		}
		f.Progress(int(member.CompressedSize64)) //nolint:gosec // a size on disk
		if left < 0 {
			break // said already
		}
	}
	return nil
}

func (f *files) member(name string, member *zip.File, left *int64) error {
	r, err := member.Open()
	if err != nil {
		return f.trouble(name, err)
	}
	defer r.Close()
	return f.trouble(name, f.events(name, &bounded{Reader: r, left: left}, 0))
}

// unpacked is how much an archive of that size may unpack to.
func (f *files) unpacked(size int64) int64 {
	if f.MaxUnpacked > 0 {
		return f.MaxUnpacked
	}
	return maxUnpacked + maxRatio*size
}

// stream reads a file that is no zip: packed by another means, or as it is.
func (f *files) stream(name string, r io.Reader, size int64) error {
	left := f.unpacked(size)
	return f.trouble(name, f.events(name, r, left))
}

// events reads what stands in a file or member. unpacked is how much it may unpack to if it is packed; 0: it came out of an
// archive, and may not be one.
func (f *files) events(name string, r io.Reader, unpacked int64) error {
	if f.room == nil {
		f.room = make([]byte, window0)
	}
	w := &window{r: r, room: f.room, most: f.MaxRecord}
	defer func() {
		if f.room = w.room; len(f.room) > keepRoom {
			f.room = nil
		}
	}()
	if err := w.fill(); err != nil {
		return err
	}
	head := w.bytes()
	switch packed := ""; {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		packed = "gzip"
		fallthrough
	case bytes.HasPrefix(head, []byte("BZh")) && len(head) > 9 && string(head[4:8]) == "1AY&":
		if unpacked == 0 {
			return ErrNested
		}
		rest := io.MultiReader(bytes.NewReader(bytes.Clone(head)), r)
		if packed == "" {
			return f.events(name, &bounded{Reader: bzip2.NewReader(rest), left: &unpacked}, 0)
		}
		opened, err := gzip.NewReader(rest)
		if err != nil {
			return err
		}
		return f.events(name, &bounded{Reader: opened, left: &unpacked}, 0)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return ErrNested
	case bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")):
		return ErrUTF16
	case bytes.HasPrefix(head, []byte(evtx.Magic)) && (f.Format == watch.Unknown || f.Format == watch.EVTX):
		return f.log(name, io.MultiReader(bytes.NewReader(bytes.Clone(head)), r))
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		w.skip(3)
	}
	if err := w.more(sampleSize); err != nil && !errors.Is(err, io.EOF) && len(w.bytes()) == 0 {
		return err // what came before an error is read, and then the error is met again
	}
	s := source{files: f, window: w, event: Event{File: name, Format: f.Format}}
	if f.Format == watch.Unknown {
		s.event.Format = watch.Recognise(w.bytes())
	}
	if s.event.Format == watch.JSON {
		return s.values()
	}
	return s.lines()
}

// log reads a Windows event log.
func (f *files) log(name string, r io.Reader) error {
	event := Event{File: name, Format: watch.JSON}
	return evtx.Each(r, func(record []byte) error {
		if err := f.ctx.Err(); err != nil {
			return stopped{err}
		}
		event.Record++
		event.Raw = record
		if err := f.yield(event); err != nil {
			return stopped{err}
		}
		return nil
	}, func(t evtx.Trouble) {
		at := 0
		if t.OfRecord {
			event.Record++
			at = event.Record
		}
		f.Trouble(Trouble{File: name, Record: at, Err: t})
	})
}

// counted tells of each read.
type counted struct {
	io.Reader
	progress func(int)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.progress(n)
	return n, err
}

// bounded ends with ErrBomb when what is unpacked becomes too much.
type bounded struct {
	io.Reader
	left *int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if *b.left < 0 {
		return 0, ErrBomb
	}
	n, err := b.Reader.Read(p)
	*b.left -= int64(n)
	return n, err
}
