package file

import (
	"errors"
	"io"
)

const (
	window0    = 256 << 10 // first size of a window
	keepRoom   = 4 << 20   // a larger one is not kept for the next file
	sampleSize = 64 << 10  // of a file, to recognise its format
)

// A window is the part of a stream that is in memory: it begins with the record being read, and grows to hold all of it.
type window struct {
	r        io.Reader
	room     []byte
	from, to int
	most     int   // bytes of one record
	err      error // of r, once there is one; io.EOF at its end
}

// bytes is what is there.
func (w *window) bytes() []byte { return w.room[w.from:w.to] }

// skip leaves the first n bytes behind.
func (w *window) skip(n int) { w.from += n }

// fill reads once, if anything follows.
func (w *window) fill() error {
	err := w.read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// more reads until there are at least n bytes. io.EOF: there are no more.
func (w *window) more(n int) error {
	for w.to-w.from < n {
		if err := w.read(); err != nil {
			return err
		}
	}
	return nil
}

// read reads once, and makes room first. ErrTooLong: there is none to be had.
func (w *window) read() error {
	if w.err != nil {
		return w.err
	}
	if w.to == len(w.room) {
		switch {
		case w.to-w.from > w.most:
			return ErrTooLong
		case w.from >= len(w.room)/2 || w.from > 0 && len(w.room) >= w.most+window0:
			w.to = copy(w.room, w.room[w.from:w.to])
			w.from = 0
		default:
			grown := make([]byte, min(2*len(w.room), max(w.most, len(w.room))+window0))
			w.to = copy(grown, w.room[w.from:w.to])
			w.from, w.room = 0, grown
		}
	}
	for range 100 {
		n, err := w.r.Read(w.room[w.to:])
		w.to += n
		if err != nil {
			w.err = err
		}
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	w.err = io.ErrNoProgress
	return w.err
}
