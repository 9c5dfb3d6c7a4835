package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Magic is how a file of this format begins.
const Magic = "ElfFile\x00"

const (
	headerSize  = 4096    // of the file, before its first chunk
	chunkSize   = 1 << 16 // of each chunk
	recordsAt   = 512     // where the records of a chunk begin, after its header
	chunkMagic  = "ElfChnk\x00"
	recordMagic = "\x2a\x2a\x00\x00"
	recordHead  = 24 // magic, size, number, time
	recordLeast = recordHead + 4
)

// Trouble is what could not be read of a file.
type Trouble struct {
	Chunk  int    // 1 is the first
	Record uint64 // the number that Windows gave the record; meaningless unless OfRecord
	// OfRecord: one record is lost. Otherwise the chunk itself is damaged, and its records are given as far as they can be read.
	OfRecord bool
	Err      error
}

func (t Trouble) Error() string {
	if t.OfRecord {
		return fmt.Sprintf("chunk %d: record %d: %v", t.Chunk, t.Record, t.Err)
	}
	return fmt.Sprintf("chunk %d: %v", t.Chunk, t.Err)
}

func (t Trouble) Unwrap() error { return t.Err }

// What a file or chunk can suffer from.
var (
	ErrNotEVTX  = errors.New("not an EVTX file")
	ErrDamaged  = errors.New("damaged")
	ErrChecksum = errors.New("its checksum is not that of its bytes")
	ErrCutOff   = errors.New("cut off")
	ErrTooLarge = errors.New("more than a record can hold")
)

// Each reads a file and yields its records one after the other, each as one line of JSON that holds until yield returns. What
// cannot be read goes to trouble, and reading goes on. It returns yield's error, or one of r, or ErrNotEVTX.
func Each(r io.Reader, yield func(record []byte) error, trouble func(Trouble)) error {
	head := make([]byte, headerSize)
	n, err := io.ReadFull(r, head)
	if !bytes.HasPrefix(head[:n], []byte(Magic)) {
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrNotEVTX
		}
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		trouble(Trouble{Chunk: 1, Err: ErrCutOff})
		return nil
	}
	if err != nil {
		return err
	}
	c := chunk{room: make([]byte, chunkSize), names: map[int][]byte{}}
	for number := 1; ; number++ {
		n, err := io.ReadFull(r, c.room)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
			return err
		}
		last := err != nil
		if last {
			trouble(Trouble{Chunk: number, Err: ErrCutOff})
		}
		if err := c.each(number, c.room[:n], yield, trouble); err != nil || last {
			return err
		}
	}
}

// each yields the records of one chunk.
func (c *chunk) each(number int, bytesOf []byte, yield func([]byte) error, trouble func(Trouble)) error {
	c.reset(bytesOf)
	if len(c.bytes) < recordsAt || !bytes.HasPrefix(c.bytes, []byte(chunkMagic)) {
		if len(bytes.TrimLeft(c.bytes, "\x00")) > 0 { // Windows makes room for chunks that it has not written yet
			trouble(Trouble{Chunk: number, Err: fmt.Errorf("%w: no chunk begins here", ErrDamaged)})
		}
		return nil
	}
	end := len(c.bytes)
	if err := c.check(); err != nil {
		trouble(Trouble{Chunk: number, Err: err})
	} else if free := int(binary.LittleEndian.Uint32(c.bytes[48:])); free >= recordsAt && free <= end {
		end = free
	}
	for at := recordsAt; at+recordLeast <= end; {
		size := c.record(at, end)
		if size == 0 { // not a record: the next one may be
			next := bytes.Index(c.bytes[at+1:end], []byte(recordMagic))
			if lost := c.bytes[at:end]; len(bytes.TrimLeft(lost, "\x00")) > 0 && bytes.HasPrefix(lost, []byte(recordMagic)) {
				trouble(Trouble{Chunk: number, Record: binary.LittleEndian.Uint64(lost[8:]), OfRecord: true, Err: ErrDamaged})
			}
			if next < 0 {
				return nil
			}
			at += 1 + next
			continue
		}
		text, err := c.read(at+recordHead, at+size-4)
		if err != nil {
			id := binary.LittleEndian.Uint64(c.bytes[at+8:])
			trouble(Trouble{Chunk: number, Record: id, OfRecord: true, Err: err})
		} else if err := yield(text); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// check holds the chunk's two checksums against its bytes.
func (c *chunk) check() error {
	head := crc32.ChecksumIEEE(c.bytes[:120])
	head = crc32.Update(head, crc32.IEEETable, c.bytes[128:recordsAt])
	if head != binary.LittleEndian.Uint32(c.bytes[124:]) {
		return fmt.Errorf("header: %w", ErrChecksum)
	}
	free := int(binary.LittleEndian.Uint32(c.bytes[48:]))
	if free < recordsAt || free > len(c.bytes) {
		return fmt.Errorf("records: %w", ErrCutOff)
	}
	if crc32.ChecksumIEEE(c.bytes[recordsAt:free]) != binary.LittleEndian.Uint32(c.bytes[52:]) {
		return fmt.Errorf("records: %w", ErrChecksum)
	}
	return nil
}

// record is the size of the record that begins there, 0 where none does. The size stands at both of its ends.
func (c *chunk) record(at, end int) int {
	b := c.bytes[at:end]
	if len(b) < recordLeast || string(b[:4]) != recordMagic {
		return 0
	}
	size := int(binary.LittleEndian.Uint32(b[4:]))
	if size < recordLeast || size > len(b) || int(binary.LittleEndian.Uint32(b[size-4:])) != size {
		return 0
	}
	return size
}
