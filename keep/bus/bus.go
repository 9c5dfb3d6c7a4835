// Package bus carries events between those who take them in and those who read them, on NATS JetStream: a server of its own in this
// process, or one elsewhere. In: bodies, to a shard. Out: the same bodies in one order, as often as somebody asks. It says that a
// body is carried only when that would survive a loss of power, and never drops one to make room for another.
package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say where the bus is and how much it may hold.
type Options struct {
	Folder   string // of the server in this process
	URL      string // of a server elsewhere, in the place of one in this process
	Prefix   string // before the names of streams elsewhere; default wardwatch
	Shards   int    // streams; default 1
	MaxBytes int64  // of all shards together; default 8 GB
	Replicas int    // in a cluster; default 1
	Log      *slog.Logger
}

const (
	defaultMaxBytes = 8 << 30
	// MaxBody is how long one body may be.
	MaxBody     = 8<<20 - 64
	startWithin = 30 * time.Second
	ackWithin   = 10 * time.Second
)

// What a caller decides on.
var (
	ErrFull    = errors.New("the bus is full")
	ErrCorrupt = errors.New("not as it was written")
)

// Bus is an open bus. It is used by many goroutines at a time.
type Bus struct {
	log     *slog.Logger
	server  *server.Server // nil: elsewhere
	conn    *nats.Conn
	js      jetstream.JetStream
	streams []jetstream.Stream
	names   []string
	number  atomic.Uint64
}

// A Message is one body as it was published.
type Message struct {
	Sequence  uint64 // in its shard, rising
	Body      []byte // its reader's
	Published time.Time
}

// Open starts the server in this process, or connects to the one elsewhere, and makes the shards where there are none.
func Open(ctx context.Context, o Options) (b *Bus, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Shards <= 0 {
		o.Shards = 1
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Prefix == "" {
		o.Prefix = "wardwatch"
	}
	b = &Bus{log: o.Log}
	opened := b // a return of nil takes it out of b
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("bus: %w", err), opened.Close())
		}
	}()
	options := []nats.Option{nats.Name("wardwatch"), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond)}
	if o.URL == "" {
		if err := b.start(o); err != nil {
			return nil, err
		}
		options = append(options, nats.InProcessServer(b.server))
	}
	if b.conn, err = nats.Connect(o.URL, options...); err != nil {
		return nil, err
	}
	if b.js, err = jetstream.New(b.conn, jetstream.WithPublishAsyncMaxPending(256)); err != nil {
		return nil, err
	}
	for shard := range o.Shards {
		name := o.Prefix + "-events-" + strconv.Itoa(shard)
		stream, err := b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
			MaxBytes: o.MaxBytes / int64(o.Shards), MaxMsgSize: int32(MaxBody + headBytes), Replicas: max(1, o.Replicas), DenyDelete: true,
			Duplicates: time.Minute,
		})
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", name, err)
		}
		b.streams, b.names = append(b.streams, stream), append(b.names, name)
	}
	return b, nil
}

// start starts the server in this process. It listens nowhere, and leaves the process's signals alone.
func (b *Bus) start(o Options) error {
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "wardwatch", DontListen: true, JetStream: true, StoreDir: o.Folder, SyncAlways: true, NoSigs: true, NoSystemAccount: false,
		MaxPayload: int32(MaxBody + headBytes), JetStreamMaxStore: o.MaxBytes + o.MaxBytes/4, JetStreamMaxMemory: 64 << 20, MaxPending: 256 << 20,
	})
	if err != nil {
		return err
	}
	s.SetLoggerV2(logger{o.Log}, false, false, false)
	b.server = s
	go s.Start()
	if !s.ReadyForConnections(startWithin) {
		return errors.New("the server in this process did not start; its log says why")
	}
	if !s.JetStreamEnabled() {
		return fmt.Errorf("nothing can be kept in %s; its log says why", o.Folder)
	}
	return nil
}

// Close ends the bus. What was acknowledged is there when it is opened again.
func (b *Bus) Close() error {
	if b.conn != nil {
		b.conn.Close()
	}
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	return nil
}

// Shards is how many there are.
func (b *Bus) Shards() int { return len(b.streams) }

// The head of a message: "WWB1", CRC-32C of what follows it (32 bits), a number that rises with each message of one process
// (64 bits), then the body; little endian.
const (
	headMagic = "WWB1"
	headBytes = len(headMagic) + 4 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Wrap puts the head before a body.
func Wrap(number uint64, body []byte) []byte {
	out := make([]byte, headBytes+len(body))
	copy(out, headMagic)
	binary.LittleEndian.PutUint64(out[8:], number)
	copy(out[headBytes:], body)
	binary.LittleEndian.PutUint32(out[4:], crc32.Checksum(out[8:], castagnoli))
	return out
}

// Unwrap is the body of a message that is as it was written.
func Unwrap(message []byte) (number uint64, body []byte, err error) {
	if len(message) < headBytes || string(message[:4]) != headMagic || binary.LittleEndian.Uint32(message[4:]) != crc32.Checksum(message[8:], castagnoli) {
		return 0, nil, ErrCorrupt
	}
	return binary.LittleEndian.Uint64(message[8:]), message[headBytes:], nil
}

// Publish returns nil when the body would survive a loss of power. After any error it may be carried or not: publish it again.
func (b *Bus) Publish(ctx context.Context, shard int, body []byte) (sequence uint64, err error) {
	if len(body) > MaxBody {
		return 0, fmt.Errorf("bus: a body of %d bytes, and the most is %d", len(body), MaxBody)
	}
	ack, err := b.js.PublishMsgAsync(&nats.Msg{Subject: b.names[shard], Data: Wrap(b.number.Add(1), body)})
	if err != nil {
		return 0, fmt.Errorf("bus: %w", err)
	}
	late := time.NewTimer(ackWithin)
	defer late.Stop()
	select {
	case ok := <-ack.Ok():
		return ok.Sequence, nil
	case err := <-ack.Err():
		return 0, fmt.Errorf("bus: %w", told(err))
	case <-late.C:
		return 0, fmt.Errorf("bus: no acknowledgement within %v", ackWithin)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// told gives the errors of a full stream or disk their one name.
func told(err error) error {
	var said *jetstream.APIError
	if errors.As(err, &said) {
		switch said.ErrorCode {
		case 10077, 10023, 10047: // storing failed, for want of room in the stream or on the disk
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return err
}

// Read gives what a shard has after the sequence, in its order, and goes on with what comes until ctx ends or give returns an
// error, which Read returns. A message that is not as it was written is logged and passed over.
func (b *Bus) Read(ctx context.Context, shard int, after uint64, give func(Message) error) error {
	consumer, err := b.streams[shard].OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
	})
	if err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(64))
	if err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		m, err := messages.Next()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("bus: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("bus: %w", err)
		}
		_, body, err := Unwrap(m.Data())
		if err != nil {
			b.log.Error("message passed over", "shard", shard, "sequence", meta.Sequence.Stream, "err", err)
			continue
		}
		if err := give(Message{Sequence: meta.Sequence.Stream, Body: body, Published: meta.Timestamp}); err != nil {
			return err
		}
	}
}

// Release forgets everything of a shard up to the sequence: every reader has it elsewhere.
func (b *Bus) Release(ctx context.Context, shard int, upTo uint64) error {
	if err := b.streams[shard].Purge(ctx, jetstream.WithPurgeSequence(upTo+1)); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	return nil
}

// A State is what a shard holds.
type State struct {
	First, Last uint64 // sequences
	Messages    uint64
	Bytes       int64
}

// State says what a shard holds now.
func (b *Bus) State(ctx context.Context, shard int) (State, error) {
	info, err := b.streams[shard].Info(ctx)
	if err != nil {
		return State{}, fmt.Errorf("bus: %w", err)
	}
	return State{info.State.FirstSeq, info.State.LastSeq, info.State.Msgs, int64(info.State.Bytes)}, nil //nolint:gosec // bytes on a disk
}

// logger tells of the server in this process what somebody may have to act on.
type logger struct{ log *slog.Logger }

func (l logger) Noticef(string, ...any) {}
func (l logger) Debugf(string, ...any)  {}
func (l logger) Tracef(string, ...any)  {}
func (l logger) Warnf(format string, args ...any) {
	l.log.Warn("bus", "said", fmt.Sprintf(format, args...))
}
func (l logger) Errorf(format string, args ...any) {
	l.log.Error("bus", "said", fmt.Sprintf(format, args...))
}
func (l logger) Fatalf(format string, args ...any) {
	l.log.Error("bus", "said", fmt.Sprintf(format, args...))
}
