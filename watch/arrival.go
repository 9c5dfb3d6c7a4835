package watch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"wardwatch/ward"
)

// An Arrival is one event on its way from a sender to the archive: what was sent, by whom, and which of that sender's it is.
type Arrival struct {
	Org    ward.OrgID // that of the credential, never of the payload
	Source string     // which of the organisation's senders: a host, a file, a collector; as the room that took it in names it
	// Batch and Sequence say which of the source's events this is. A sender that numbers its events, or names its batches,
	// gives both (a file: no batch, and 1 for its first record), so that what it sends twice is known as one. For one that
	// gives none whoever takes it in counts, under a Batch that begins with '~' and is never used again.
	Batch    string
	Sequence int64
	Received int64 // microseconds since 1970, by our clock
	Format   Format
	Header   []byte // the line that says what stands where, of formats that have one
	Raw      []byte // as it came, but for what privacy took out
}

// An EventID is what makes an event one: repeats have the same.
type EventID [16]byte

func (id EventID) String() string { return hex.EncodeToString(id[:]) }

// ID is the first half of SHA-256 over organisation, source, batch, sequence and bytes, each with its length. It says nothing
// of when the event came.
func (a *Arrival) ID() EventID {
	room := make([]byte, 0, 512)
	for _, part := range []string{string(a.Org), a.Source, a.Batch} {
		room = binary.AppendUvarint(room, uint64(len(part)))
		room = append(room, part...)
	}
	room = binary.AppendVarint(room, a.Sequence)
	room = binary.AppendUvarint(room, uint64(len(a.Raw)))
	sum := sha256.New()
	sum.Write(room)
	sum.Write(a.Raw)
	return EventID(sum.Sum(room[:0])[:len(EventID{})])
}

// Repeatable says whether the sender could send the event again and mean the same one.
func (a *Arrival) Repeatable() bool { return a.Batch == "" || a.Batch[0] != '~' }

// ErrBatch is a batch of arrivals that is none: cut short, or of another program.
var ErrBatch = errors.New("not a batch of arrivals")

// What an arrival in a batch has in common with the one before it is not written again.
const (
	sameOrg = 1 << iota
	sameSource
	sameBatch
	sameHeader
	sameFormat
	nextSequence
)

const batchVersion = 1

// AppendArrivals appends arrivals to to as the bus carries them: a version, their number, then each with what differs from
// the one before.
func AppendArrivals(to []byte, arrivals []Arrival) []byte {
	to = append(to, batchVersion)
	to = binary.AppendUvarint(to, uint64(len(arrivals)))
	var last Arrival
	for i := range arrivals {
		a := &arrivals[i]
		var same byte
		if a.Org == last.Org {
			same |= sameOrg
		}
		if a.Source == last.Source {
			same |= sameSource
		}
		if a.Batch == last.Batch {
			same |= sameBatch
		}
		if bytes.Equal(a.Header, last.Header) {
			same |= sameHeader
		}
		if a.Format == last.Format {
			same |= sameFormat
		}
		if a.Sequence == last.Sequence+1 {
			same |= nextSequence
		}
		to = append(to, same)
		if same&sameOrg == 0 {
			to = appendText(to, string(a.Org))
		}
		if same&sameSource == 0 {
			to = appendText(to, a.Source)
		}
		if same&sameBatch == 0 {
			to = appendText(to, a.Batch)
		}
		if same&sameHeader == 0 {
			to = appendText(to, a.Header)
		}
		if same&sameFormat == 0 {
			to = append(to, byte(a.Format))
		}
		if same&nextSequence == 0 {
			to = binary.AppendVarint(to, a.Sequence)
		}
		to = binary.AppendVarint(to, a.Received-last.Received)
		to = appendText(to, a.Raw)
		last = *a
	}
	return to
}

func appendText[T string | []byte](to []byte, text T) []byte {
	to = binary.AppendUvarint(to, uint64(len(text)))
	return append(to, text...)
}

// ReadArrivals appends to arrivals those of a batch. Their Header and Raw point into it.
func ReadArrivals(batch []byte, arrivals []Arrival) ([]Arrival, error) {
	b := batchReader{rest: batch}
	if version := b.byte(); version != batchVersion {
		return arrivals, fmt.Errorf("%w: version %d, and this program knows %d", ErrBatch, version, batchVersion)
	}
	var a Arrival
	for n := b.uvarint(); n > 0 && !b.bad; n-- {
		same := b.byte()
		if same&sameOrg == 0 {
			a.Org = ward.OrgID(b.text())
		}
		if same&sameSource == 0 {
			a.Source = string(b.text())
		}
		if same&sameBatch == 0 {
			a.Batch = string(b.text())
		}
		if same&sameHeader == 0 {
			a.Header = b.text()
		}
		if same&sameFormat == 0 {
			a.Format = Format(b.byte())
		}
		if a.Sequence++; same&nextSequence == 0 {
			a.Sequence = b.varint()
		}
		a.Received += b.varint()
		a.Raw = b.text()
		if !b.bad {
			arrivals = append(arrivals, a)
		}
	}
	if b.bad || len(b.rest) > 0 {
		return arrivals, ErrBatch
	}
	return arrivals, nil
}

// batchReader reads a batch from the left; after the first thing that is wrong it is bad, and gives nothing more.
type batchReader struct {
	rest []byte
	bad  bool
}

func (b *batchReader) byte() byte {
	if len(b.rest) == 0 {
		b.bad = true
		return 0
	}
	first := b.rest[0]
	b.rest = b.rest[1:]
	return first
}

func (b *batchReader) uvarint() uint64 {
	v, n := binary.Uvarint(b.rest)
	if n <= 0 || v > math.MaxInt64 {
		b.bad, b.rest = true, nil
		return 0
	}
	b.rest = b.rest[n:]
	return v
}

func (b *batchReader) varint() int64 {
	v, n := binary.Varint(b.rest)
	if n <= 0 {
		b.bad, b.rest = true, nil
		return 0
	}
	b.rest = b.rest[n:]
	return v
}

func (b *batchReader) text() []byte {
	n := b.uvarint()
	if n > uint64(len(b.rest)) {
		b.bad, b.rest = true, nil
		return nil
	}
	text := b.rest[:n:n]
	b.rest = b.rest[n:]
	return text
}
