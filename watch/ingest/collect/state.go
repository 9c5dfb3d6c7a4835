package collect

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// errState is that how far files were sent cannot be written down.
var errState = errors.New("the folder of the state cannot be written to")

// state is how far every file was sent. It is written anew after each batch, in one step.
type state struct {
	ID    string  `json:"id"` // of this collector; part of the names of its batches
	Files []*file `json:"files"`

	path string
}

// A file is one that was seen: its name may be another by now, and another file may have its name.
type file struct {
	ID     string `json:"id"` // given once
	Path   string `json:"path"`
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"` // bytes that were acknowledged
	First  int    `json:"first"`  // how many of the first bytes are in Sum
	Sum    string `json:"sum"`
	Header []byte `json:"header,omitempty"` // the line that says what stands where, of formats that have one
	Seen   int64  `json:"seen"`             // seconds since 1970
}

func (s *state) open(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	s.path = filepath.Join(folder, "state.json")
	text, err := os.ReadFile(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return fmt.Errorf("%s: %w: remove it to send every file from its beginning", s.path, err)
	}
	s.Files = slices.DeleteFunc(s.Files, func(f *file) bool { return f == nil || f.Offset < 0 || f.First < 0 || f.First > knownBytes })
	return nil
}

// save writes the state so that it survives a loss of power.
func (s *state) save() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("collect: %w: %w", errState, err)
		}
	}()
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	next := s.path + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = cmp.Or(err, f.Sync()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := cmp.Or(f.Close(), os.Rename(next, s.path)); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	return cmp.Or(folder.Sync(), folder.Close())
}

// known is the file with that place on the disk.
func (s *state) known(info os.FileInfo) *file {
	dev, inode := device(info)
	for _, f := range s.Files {
		if f.Device == dev && f.Inode == inode {
			return f
		}
	}
	return nil
}

// of is the file behind a path, a new one where it was not seen before.
func (s *state) of(path string, info os.FileInfo) *file {
	f := s.known(info)
	if f == nil {
		dev, inode := device(info)
		f = &file{ID: rand.Text()[:12], Path: path, Device: dev, Inode: inode}
		s.Files = append(s.Files, f)
	}
	return f
}

// same begins a file anew that was cut to nothing, or whose place on the disk another has now, and remembers how it begins.
func (s *state) same(f *file, from *os.File) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	first := make([]byte, knownBytes)
	n, err := from.ReadAt(first, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if info.Size() < f.Offset || n < f.First || f.First > 0 && sum(first[:f.First]) != f.Sum {
		f.ID, f.Path, f.Offset, f.First, f.Header = rand.Text()[:12], from.Name(), 0, 0, nil
	}
	if n > f.First {
		f.First, f.Sum = n, sum(first[:n])
		return s.save() // the name of its first batch must be the same after a crash
	}
	return nil
}

func sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// header remembers the line that says what stands where in what follows these lines.
func (f *file) header(format string, lines []byte) {
	switch format {
	case "csv":
		if f.Offset == 0 {
			f.Header, _, _ = bytes.Cut(bytes.Clone(lines[:min(len(lines), 64<<10)]), []byte("\n"))
		}
	case "w3c":
		for line := range bytes.Lines(lines) {
			if bytes.HasPrefix(line, []byte("#Fields:")) {
				f.Header = bytes.TrimRight(bytes.Clone(line), "\r\n")
			}
		}
	}
}

// forget leaves out files that were not sent from since a time and are not there any more.
func (s *state) forget(before int64) {
	s.Files = slices.DeleteFunc(s.Files, func(f *file) bool {
		if f.Seen == 0 || f.Seen >= before {
			return false
		}
		_, err := os.Stat(f.Path)
		return errors.Is(err, os.ErrNotExist)
	})
}
