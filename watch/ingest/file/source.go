package file

import (
	"bytes"
	"errors"
	"io"

	"wardwatch/watch"
)

// A source is one file or member being read.
type source struct {
	*files
	*window
	event Event
	open  []byte // room for the brackets of a value
}

// give yields one record.
func (s *source) give(raw []byte) error {
	if len(raw) > s.MaxRecord {
		return s.bad(ErrTooLong)
	}
	s.event.Record++
	s.event.Raw = raw
	if err := s.yield(s.event); err != nil {
		return stopped{err}
	}
	return s.stop()
}

// bad tells of one record that cannot be read.
func (s *source) bad(err error) error {
	s.event.Record++
	s.Trouble(Trouble{File: s.event.File, Record: s.event.Record, Err: err})
	return s.stop()
}

func (s *source) stop() error {
	if err := s.ctx.Err(); err != nil {
		return stopped{err}
	}
	return nil
}

// lines yields a text line by line.
func (s *source) lines() error {
	for {
		line, err := s.line()
		if errors.Is(err, ErrTooLong) {
			if err = s.bad(ErrTooLong); err == nil {
				err = s.discard()
			}
			if err != nil {
				return ended(err)
			}
			continue
		}
		if line = bytes.TrimRight(line, "\r"); len(line) > 0 && !s.header(line) {
			if err := s.give(line); err != nil {
				return err
			}
		}
		if err != nil {
			return ended(err)
		}
	}
}

// header keeps a line that says what stands where in the lines below.
func (s *source) header(line []byte) bool {
	switch s.event.Format {
	case watch.W3C:
		if bytes.HasPrefix(line, []byte("#Fields:")) {
			s.event.Header = bytes.Clone(line)
		}
		return line[0] == '#'
	case watch.CSV:
		if s.event.Header == nil {
			s.event.Header = bytes.Clone(line)
			return true
		}
	}
	return false
}

// line is the next line without its end; with an error of the stream it is the last.
func (s *source) line() ([]byte, error) {
	for at := 0; ; {
		if n := bytes.IndexByte(s.bytes()[at:], '\n'); n >= 0 {
			line := s.bytes()[:at+n]
			s.skip(at + n + 1)
			return line, nil
		}
		at = len(s.bytes())
		if err := s.read(); err != nil {
			if errors.Is(err, ErrTooLong) {
				return nil, err
			}
			line := s.bytes()
			s.skip(len(line))
			return line, err
		}
	}
}

// discard leaves the rest of a line behind.
func (s *source) discard() error {
	for {
		if n := bytes.IndexByte(s.bytes(), '\n'); n >= 0 {
			s.skip(n + 1)
			return nil
		}
		s.skip(len(s.bytes()))
		if err := s.read(); err != nil {
			return err
		}
	}
}

// ended is what is left of an error when the end of a stream is none.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
