// Package power is a file system in memory that can lose its power: then what was not synced is gone. In: whatever a program writes
// into the folder where it is mounted. Out: after Lose, what a disk would still have.
//
// What it promises is what POSIX asks for and no more: fsync of a file keeps its bytes and the name that it has at that moment; fsync of a
// folder keeps the names in it. A name that was given, moved or removed and not synced may be as it was before, and is.
package power

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Disk is the file system.
type Disk struct {
	folder string
	mu     sync.Mutex
	root   *node
	server *fuse.Server
	next   uint64
}

// A node is a file or a folder, as it is and as it would be after a loss of power.
type node struct {
	folder bool
	number uint64
	mode   uint32
	time   time.Time

	names, kept map[string]*node // of a folder
	data, safe  []byte           // of a file
	dirty       []span           // of data, not in safe
	parent      *node            // the folder that has its name
	name        string
}

type span struct{ from, to int }

// New mounts an empty disk at folder.
func New(folder string) (*Disk, error) {
	d := &Disk{folder: folder}
	d.root = d.node(true, 0o755)
	if err := d.mount(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Disk) node(folder bool, mode uint32) *node {
	d.next++
	n := &node{folder: folder, mode: mode, number: d.next, time: time.Now()}
	if folder {
		n.names, n.kept = map[string]*node{}, map[string]*node{}
	}
	return n
}

func (d *Disk) mount() (err error) {
	none := time.Duration(0)
	d.server, err = fs.Mount(d.folder, &inode{disk: d, node: d.root}, &fs.Options{
		EntryTimeout: &none, AttrTimeout: &none, NullPermissions: true,
		MountOptions: fuse.MountOptions{DirectMount: true, Name: "power", FsName: "power", MaxWrite: 1 << 20},
	})
	if err != nil {
		return fmt.Errorf("power: %w", err)
	}
	return nil
}

// Close unmounts the disk.
func (d *Disk) Close() error {
	for range 100 {
		if err := d.server.Unmount(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond) // somebody has a file open for a moment
	}
	return errors.Join(errors.New("power: still in use"), syscall.Unmount(d.folder, syscall.MNT_DETACH))
}

// Lose takes the power away and gives it back: what was not synced is gone. Nobody may have a file open.
func (d *Disk) Lose() error {
	if err := d.Close(); err != nil {
		return err
	}
	d.mu.Lock()
	d.root.revert()
	d.mu.Unlock()
	return d.mount()
}

// revert makes a node what it would be.
func (n *node) revert() {
	n.data, n.dirty = slices.Clone(n.safe), nil
	if n.folder {
		n.names = maps.Clone(n.kept)
		for name, child := range n.names {
			child.parent, child.name = n, name
			child.revert()
		}
	}
}

// sync keeps a file's bytes and its name, or the names in a folder.
func (n *node) sync() {
	if n.folder {
		n.kept = maps.Clone(n.names)
	} else {
		if len(n.safe) > len(n.data) {
			n.safe = n.safe[:len(n.data)]
		}
		if grow := len(n.data) - len(n.safe); grow > 0 {
			n.safe = append(n.safe, make([]byte, grow)...)
		}
		for _, s := range n.dirty {
			if to := min(s.to, len(n.data)); s.from < to {
				copy(n.safe[s.from:to], n.data[s.from:to])
			}
		}
		n.dirty = nil
	}
	for n.parent != nil && n.parent.names[n.name] == n { // its name, and those above it
		n.parent.kept[n.name] = n
		n = n.parent
	}
}

func (n *node) write(data []byte, at int) {
	if end := at + len(data); end > len(n.data) {
		n.resize(end)
	}
	copy(n.data[at:], data)
	n.dirty = append(n.dirty, span{at, at + len(data)})
	n.time = time.Now()
}

func (n *node) resize(size int) {
	if old := len(n.data); size > old {
		n.data = append(n.data, make([]byte, size-old)...)
		n.dirty = append(n.dirty, span{old, size})
	}
	n.data = n.data[:size]
}

// inode is what the kernel sees of a node.
type inode struct {
	fs.Inode
	disk *Disk
	node *node
}

func (i *inode) attributes(out *fuse.Attr) {
	n := i.node
	out.Ino, out.Mode, out.Nlink, out.Size, out.Blksize = n.number, n.mode|kind(n), 1, uint64(len(n.data)), 4096
	out.Blocks = (out.Size + 511) / 512
	out.SetTimes(&n.time, &n.time, &n.time)
}

func kind(n *node) uint32 {
	if n.folder {
		return fuse.S_IFDIR
	}
	return fuse.S_IFREG
}

func (i *inode) child(ctx context.Context, n *node) *fs.Inode {
	return i.NewInode(ctx, &inode{disk: i.disk, node: n}, fs.StableAttr{Mode: kind(n), Ino: n.number})
}

func (i *inode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	i.attributes(&out.Attr)
	return 0
}

func (i *inode) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		i.node.resize(int(size)) //nolint:gosec // in memory
	}
	if mode, ok := in.GetMode(); ok {
		i.node.mode = mode & 0o7777
	}
	if at, ok := in.GetMTime(); ok {
		i.node.time = at
	}
	i.attributes(&out.Attr)
	return 0
}

func (i *inode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	n := i.node.names[name]
	if n == nil {
		return nil, syscall.ENOENT
	}
	(&inode{disk: i.disk, node: n}).attributes(&out.Attr)
	return i.child(ctx, n), 0
}

func (i *inode) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	var all []fuse.DirEntry
	for _, name := range slices.Sorted(maps.Keys(i.node.names)) {
		n := i.node.names[name]
		all = append(all, fuse.DirEntry{Name: name, Ino: n.number, Mode: kind(n)})
	}
	return fs.NewListDirStream(all), 0
}

// add is under the disk's lock.
func (i *inode) add(ctx context.Context, name string, n *node, out *fuse.EntryOut) *fs.Inode {
	i.node.names[name] = n
	n.parent, n.name = i.node, name
	(&inode{disk: i.disk, node: n}).attributes(&out.Attr)
	return i.child(ctx, n)
}

func (i *inode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	if old := i.node.names[name]; old != nil {
		if flags&syscall.O_EXCL != 0 {
			return nil, nil, 0, syscall.EEXIST
		}
		return i.child(ctx, old), nil, 0, 0
	}
	return i.add(ctx, name, i.disk.node(false, mode&0o7777), out), nil, 0, 0
}

func (i *inode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	if i.node.names[name] != nil {
		return nil, syscall.EEXIST
	}
	return i.add(ctx, name, i.disk.node(true, mode&0o7777), out), 0
}

// Link gives a file one more name. It keeps the newest in mind, whose name a sync keeps.
func (i *inode) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	of, ok := target.(*inode)
	if !ok {
		return nil, syscall.EXDEV
	}
	if i.node.names[name] != nil {
		return nil, syscall.EEXIST
	}
	return i.add(ctx, name, of.node, out), 0
}

func (i *inode) Unlink(_ context.Context, name string) syscall.Errno { return i.remove(name, false) }

func (i *inode) Rmdir(_ context.Context, name string) syscall.Errno { return i.remove(name, true) }

func (i *inode) remove(name string, folder bool) syscall.Errno {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	switch n := i.node.names[name]; {
	case n == nil:
		return syscall.ENOENT
	case n.folder != folder && folder:
		return syscall.ENOTDIR
	case n.folder != folder:
		return syscall.EISDIR
	case len(n.names) > 0:
		return syscall.ENOTEMPTY
	}
	delete(i.node.names, name)
	return 0
}

func (i *inode) Rename(_ context.Context, name string, parent fs.InodeEmbedder, to string, _ uint32) syscall.Errno {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	into, ok := parent.(*inode)
	n := i.node.names[name]
	if !ok || n == nil {
		return syscall.ENOENT
	}
	delete(i.node.names, name)
	into.node.names[to] = n
	n.parent, n.name = into.node, to
	return 0
}

func (i *inode) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_TRUNC != 0 {
		i.disk.mu.Lock()
		defer i.disk.mu.Unlock()
		i.node.resize(0)
	}
	return nil, 0, 0
}

func (i *inode) Read(_ context.Context, _ fs.FileHandle, to []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	if at >= int64(len(i.node.data)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(to[:copy(to, i.node.data[at:])]), 0
}

func (i *inode) Write(_ context.Context, _ fs.FileHandle, data []byte, at int64) (uint32, syscall.Errno) {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	i.node.write(data, int(at))
	return uint32(len(data)), 0 //nolint:gosec // a megabyte at most
}

func (i *inode) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	i.disk.mu.Lock()
	defer i.disk.mu.Unlock()
	i.node.sync()
	return 0
}

func (i *inode) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

func (i *inode) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Frsize, out.NameLen, out.Blocks, out.Bfree, out.Bavail, out.Files, out.Ffree = 4096, 4096, 255, 1<<20, 1<<19, 1<<19, 1<<20, 1<<19
	return 0
}
