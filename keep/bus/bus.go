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
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"wardwatch/ward"
)

// Options say where the bus is and how much it may hold.
type Options struct {
	Folder   string     // of the server in this process
	URL      string     // of a server elsewhere, in the place of one in this process
	Login    string     // file of credentials for it; empty: none
	CA       string     // PEM file of authorities for it; empty: the machine's
	Prefix   string     // before the names of streams elsewhere; default wardwatch
	Shards   int        // streams; default 1
	MaxBytes int64      // of all shards together; default 8 GB
	Replicas int        // in a cluster; default 1
	Clock    ward.Clock // default the machine's
	Log      *slog.Logger
}

const (
	defaultMaxBytes = 8 << 30
	// MaxBody is how long one body may be.
	MaxBody     = 8<<20 - 64
	startWithin = 30 * time.Second
	ackWithin   = 5 * time.Second
)

// What a caller decides on.
var (
	ErrFull    = errors.New("the bus is full")
	ErrCorrupt = errors.New("not as it was written")
)

// Bus is an open bus. It is used by many goroutines at a time.
type Bus struct {
	o      Options
	names  []string // of streams
	number atomic.Uint64

	mu      sync.Mutex
	now     *engine // nil: it could not be opened again yet
	tried   time.Time
	closed  bool
	because error // why now is nil
}

// An engine is a connection and, where it is in this process, the server. A server that could not write keeps saying so when it could
// again, so it is left for a new one on the same folder.
type engine struct {
	server  *server.Server // nil: elsewhere
	conn    *nats.Conn
	js      jetstream.JetStream
	streams []jetstream.Stream
}

// A Message is one body as it was published.
type Message struct {
	Sequence  uint64 // in its shard, rising
	Body      []byte // its reader's
	Published time.Time
}

// Open starts the server in this process, or connects to the one elsewhere, and makes the shards where there are none.
func Open(ctx context.Context, o Options) (*Bus, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = ward.WallClock{}
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
	b := &Bus{o: o}
	for shard := range o.Shards {
		b.names = append(b.names, o.Prefix+"-events-"+strconv.Itoa(shard))
	}
	e, err := b.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	b.now = e
	return b, nil
}

func (b *Bus) open(ctx context.Context) (_ *engine, err error) {
	e := &engine{}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	options := []nats.Option{nats.Name("wardwatch"), nats.MaxReconnects(-1), nats.ReconnectWait(200 * time.Millisecond)}
	if b.o.URL == "" {
		if e.server, err = start(b.o); err != nil {
			return nil, err
		}
		options = append(options, nats.InProcessServer(e.server))
	}
	if b.o.Login != "" {
		options = append(options, nats.UserCredentials(b.o.Login))
	}
	if b.o.CA != "" {
		options = append(options, nats.RootCAs(b.o.CA))
	}
	if e.conn, err = nats.Connect(b.o.URL, options...); err != nil {
		return nil, err
	}
	if e.js, err = jetstream.New(e.conn, jetstream.WithPublishAsyncMaxPending(256)); err != nil {
		return nil, err
	}
	for _, name := range b.names {
		stream, err := e.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
			MaxBytes: b.o.MaxBytes / int64(b.o.Shards), MaxMsgSize: int32(MaxBody + headBytes), Replicas: max(1, b.o.Replicas), DenyDelete: true,
			Duplicates: repeats,
		})
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", name, err)
		}
		e.streams = append(e.streams, stream)
	}
	return e, nil
}

// repeats is how long a body that is published again, because nobody heard that it was carried, is known as the same.
const repeats = 10 * time.Minute

// start starts a server in this process. It listens nowhere, and leaves the process's signals alone.
func start(o Options) (*server.Server, error) {
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "wardwatch", DontListen: true, JetStream: true, StoreDir: o.Folder, SyncAlways: true, NoSigs: true,
		MaxPayload: int32(MaxBody + headBytes), JetStreamMaxStore: o.MaxBytes + o.MaxBytes/4, JetStreamMaxMemory: 64 << 20, MaxPending: 256 << 20,
	})
	if err != nil {
		return nil, err
	}
	s.SetLoggerV2(logger{o.Log}, false, false, false)
	go s.Start()
	switch {
	case !s.ReadyForConnections(startWithin):
		err = errors.New("the server in this process did not start; its log says why")
	case !s.JetStreamEnabled():
		err = fmt.Errorf("nothing can be kept in %s; the log says why", o.Folder)
	}
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, err
	}
	return s, nil
}

func (e *engine) close() {
	if e.conn != nil {
		e.conn.Close()
	}
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
}

// Close ends the bus. What was acknowledged is there when it is opened again.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed = true; b.now != nil {
		b.now.close()
		b.now = nil
	}
	b.because = errClosed
	return nil
}

var errClosed = errors.New("closed")

// engine is what is open now, opened again where it could not be.
func (b *Bus) engine(ctx context.Context) (*engine, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now != nil || b.closed || b.o.Clock.Now().Sub(b.tried) < again {
		if b.now == nil {
			return nil, fmt.Errorf("bus: %w", b.because)
		}
		return b.now, nil
	}
	b.tried = b.o.Clock.Now()
	e, err := b.open(ctx)
	if err != nil {
		b.because = err
		return nil, fmt.Errorf("bus: %w", err)
	}
	b.o.Log.Info("bus opened again")
	b.now = e
	return e, nil
}

// again is how often it is tried to open a bus that broke.
const again = time.Second

// broken leaves an engine that could not write, where it is in this process; the next who asks opens another.
func (b *Bus) broken(e *engine, because error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now != e || e.server == nil {
		return
	}
	e.close()
	b.now, b.because, b.tried = nil, because, b.o.Clock.Now()
}

// Shards is how many there are.
func (b *Bus) Shards() int { return len(b.names) }

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

// Publish returns nil when the body would survive a loss of power. After any error it may be carried or not: publish it again; for
// ten minutes the same bytes are known and carried once.
func (b *Bus) Publish(ctx context.Context, shard int, body []byte) (sequence uint64, err error) {
	if len(body) > MaxBody {
		return 0, fmt.Errorf("bus: a body of %d bytes, and the most is %d", len(body), MaxBody)
	}
	e, err := b.engine(ctx)
	if err != nil {
		return 0, err
	}
	sequence, err = e.publish(ctx, b.names[shard], Wrap(b.number.Add(1), body), body)
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrFull) {
		b.broken(e, err)
	}
	if err != nil {
		return 0, fmt.Errorf("bus: %w", err)
	}
	return sequence, nil
}

func (e *engine) publish(ctx context.Context, stream string, message, body []byte) (uint64, error) {
	id := strconv.FormatUint(xxhash.Sum64(body), 36) + "-" + strconv.FormatUint(uint64(crc32.Checksum(body, castagnoli)), 36)
	ack, err := e.js.PublishMsgAsync(&nats.Msg{Subject: stream, Data: message}, jetstream.WithMsgID(id))
	if err != nil {
		return 0, err
	}
	late := time.NewTimer(ackWithin)
	defer late.Stop()
	select {
	case ok := <-ack.Ok():
		return ok.Sequence, nil
	case err := <-ack.Err():
		return 0, told(err)
	case <-late.C:
		return 0, fmt.Errorf("no acknowledgement within %v", ackWithin)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// storeFailed is the number of JetStream's error for whatever went wrong when it stored a message.
const storeFailed = 10077

// told gives the error of a full stream its name.
func told(err error) error {
	var said *jetstream.APIError
	if errors.As(err, &said) && said.ErrorCode == storeFailed && strings.Contains(said.Description, "maximum bytes") {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Read gives what a shard has after the sequence, in its order, and goes on with what comes until ctx ends or give returns an
// error, which Read returns. A message that is not as it was written is logged and passed over.
func (b *Bus) Read(ctx context.Context, shard int, after uint64, give func(Message) error) error {
	e, err := b.engine(ctx)
	if err != nil {
		return err
	}
	consumer, err := e.streams[shard].OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
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
			b.o.Log.Error("message passed over", "shard", shard, "sequence", meta.Sequence.Stream, "err", err)
			continue
		}
		if err := give(Message{Sequence: meta.Sequence.Stream, Body: body, Published: meta.Timestamp}); err != nil {
			return err
		}
	}
}

// Release forgets everything of a shard up to the sequence: every reader has it elsewhere.
func (b *Bus) Release(ctx context.Context, shard int, upTo uint64) error {
	e, err := b.engine(ctx)
	if err != nil {
		return err
	}
	if err := e.streams[shard].Purge(ctx, jetstream.WithPurgeSequence(upTo+1)); err != nil {
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
	e, err := b.engine(ctx)
	if err != nil {
		return State{}, err
	}
	info, err := e.streams[shard].Info(ctx)
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
