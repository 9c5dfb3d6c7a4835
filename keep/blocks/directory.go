package blocks

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Directory is a Bucket in a folder: an object is a file, the slashes of its name are folders.
type Directory struct {
	root *os.Root
}

// unfinished is where objects grow until they are whole, in the bucket's own folder so that a link to them is one step.
const unfinished = ".unfinished"

// abandoned is the age from which an unfinished object has no writer any more.
const abandoned = 24 * time.Hour

// OpenDirectory opens the folder, and makes it where there is none. What writers left unfinished a day ago and earlier goes.
func OpenDirectory(folder string) (*Directory, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("blocks: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("blocks: %w", err)
	}
	d := &Directory{root: root}
	if err := d.sweep(); err != nil {
		return nil, errors.Join(fmt.Errorf("blocks: %w", err), root.Close())
	}
	return d, nil
}

// Close gives the folder back. Objects that are open stay so.
func (d *Directory) Close() error { return d.root.Close() }

// sweep removes unfinished objects that nobody writes any more. Their age is told by a file that is made now, because only the
// file system knows its own clock. A folder that cannot be written to is no error here: it can still be read, and Create says
// what is wrong with it.
func (d *Directory) sweep() error {
	entries, err := d.entries(unfinished)
	if err != nil || len(entries) == 0 {
		return err
	}
	probe := path.Join(unfinished, rand.Text())
	f, err := d.root.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	now, err := f.Stat()
	if err := cmp.Or(err, f.Close(), d.root.Remove(probe)); err != nil {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.ModTime().Sub(info.ModTime()) > abandoned {
			_ = d.root.Remove(path.Join(unfinished, e.Name()))
		}
	}
	return nil
}

// Create implements Bucket. The file is synced before it has a name, and the name before Create returns.
func (d *Directory) Create(ctx context.Context, name string, body io.Reader) (err error) {
	if err := checkName(name); err != nil {
		return fmt.Errorf("blocks: create: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("blocks: create %s: %w", name, err)
		}
	}()
	if _, err := d.root.Lstat(name); err == nil {
		return ErrExists // without reading the body; who comes between is met by the link
	}
	if err := d.folder(unfinished); err != nil {
		return err
	}
	temporary := path.Join(unfinished, rand.Text())
	f, err := d.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, untilDone{ctx, body})
	if err == nil {
		err = f.Sync()
	}
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = d.name(temporary, name)
	}
	// The file goes by this name in any case; where it cannot, the sweep comes to it.
	_ = d.root.Remove(temporary)
	return err
}

// name gives a finished file its name, unless the name is taken, and syncs the folder that it stands in.
func (d *Directory) name(temporary, name string) error {
	if err := d.folder(path.Dir(name)); err != nil {
		return err
	}
	err := d.root.Link(temporary, name)
	if errors.Is(err, fs.ErrExist) {
		// Whoever was first may not have synced the name yet, and this caller may take ErrExists for done.
		return cmp.Or(d.sync(path.Dir(name)), ErrExists)
	}
	return cmp.Or(err, d.sync(path.Dir(name)))
}

// folder makes a folder and what it stands in. Every one on the way is synced, made here or not: another writer may have made
// it and not come to its sync.
func (d *Directory) folder(name string) error {
	if name == "." {
		return nil
	}
	parent := path.Dir(name)
	if err := d.folder(parent); err != nil {
		return err
	}
	if err := d.root.Mkdir(name, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.sync(parent)
}

// sync makes the names in a folder survive the loss of power.
func (d *Directory) sync(folder string) error {
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return cmp.Or(f.Sync(), f.Close())
}

// Open implements Bucket.
func (d *Directory) Open(_ context.Context, name string) (Object, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("blocks: open: %w", err)
	}
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("blocks: open %s: %w", name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotFound // a folder is a part of names, not one
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blocks: open %s: %w", name, err), f.Close())
	}
	return file{f, info.Size()}, nil
}

// Names implements Bucket.
func (d *Directory) Names(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := d.walk(ctx, ".", prefix, after, func(name string) bool { return yield(name, nil) }); err != nil && !errors.Is(err, fs.SkipAll) {
			yield("", fmt.Errorf("blocks: list %s: %w", prefix, err))
		}
	}
}

// walk gives the names below a folder. It ends with fs.SkipAll when give wants no more.
func (d *Directory) walk(ctx context.Context, folder, prefix, after string, give func(string) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := d.entries(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		switch {
		case e.Name()[0] == '.':
		case e.IsDir():
			below := name + "/"
			if (!strings.HasPrefix(below, prefix) && !strings.HasPrefix(prefix, below)) || (below < after && !strings.HasPrefix(after, below)) {
				continue
			}
			if err := d.walk(ctx, name, prefix, after, give); err != nil {
				return err
			}
		case e.Type().IsRegular() && strings.HasPrefix(name, prefix) && name > after:
			if !give(name) {
				return fs.SkipAll
			}
		}
	}
	return nil
}

// entries are what stands in a folder, in the order of the names that begin with it: "a-b" comes before "a/c". A folder that
// is not there is empty.
func (d *Directory) entries(folder string) ([]fs.DirEntry, error) {
	f, err := d.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := f.ReadDir(-1)
	if err := cmp.Or(err, f.Close()); err != nil {
		return nil, err
	}
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	return entries, nil
}

// Remove implements Bucket. Folders stay, because a writer may be about to use one.
func (d *Directory) Remove(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("blocks: remove: %w", err)
	}
	err := d.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := cmp.Or(err, d.sync(path.Dir(name))); err != nil {
		return fmt.Errorf("blocks: remove %s: %w", name, err)
	}
	return nil
}

// file is an Object in a folder.
type file struct {
	*os.File
	size int64
}

// Size implements Object.
func (f file) Size() int64 { return f.size }

// untilDone reads until ctx ends.
type untilDone struct {
	ctx  context.Context
	body io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.body.Read(p)
}
