package bus_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"wardwatch/keep/bus"
)

func open(t testing.TB, o bus.Options) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// read gives the bodies of a shard after a sequence, as many as are asked for.
func read(t testing.TB, b *bus.Bus, shard int, after uint64, n int) (bodies []string, last uint64) {
	t.Helper()
	enough := errors.New("enough")
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	err := b.Read(ctx, shard, after, func(m bus.Message) error {
		bodies, last = append(bodies, string(m.Body)), m.Sequence
		if len(bodies) == n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("%d of %d: %v", len(bodies), n, err)
	}
	return bodies, last
}

// carriers are the buses that the same is asked of.
func carriers(t *testing.T) map[string]bus.Options {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, SyncAlways: true, MaxPayload: 20 << 20})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the peer does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return map[string]bus.Options{"in this process": {Folder: t.TempDir(), Shards: 2}, "a server elsewhere": {URL: s.ClientURL(), Shards: 2}}
}

func TestWhatIsPublishedIsRead(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			b := open(t, o)
			for i := range 20 {
				if _, err := b.Publish(t.Context(), i%2, fmt.Appendf(nil, "body %d", i)); err != nil {
					t.Fatal(err)
				}
			}
			bodies, last := read(t, b, 1, 0, 10)
			if bodies[0] != "body 1" || bodies[9] != "body 19" || last != 10 {
				t.Fatal(bodies, last)
			}
			if bodies, _ = read(t, b, 1, 7, 3); bodies[0] != "body 15" {
				t.Error("after the seventh:", bodies)
			}
			if err := b.Release(t.Context(), 1, 8); err != nil {
				t.Fatal(err)
			}
			if bodies, last = read(t, b, 1, 0, 2); bodies[0] != "body 17" || last != 10 {
				t.Error("after the eighth was released:", bodies)
			}
			if s, err := b.State(t.Context(), 1); err != nil || s.First != 9 || s.Last != 10 || s.Messages != 2 {
				t.Errorf("%+v %v", s, err)
			}
		})
	}
}

func TestWhatIsAcknowledgedIsThereAfterAStart(t *testing.T) {
	folder := t.TempDir()
	b := open(t, bus.Options{Folder: folder})
	var working sync.WaitGroup
	for i := range 8 {
		working.Go(func() {
			for j := range 20 {
				if _, err := b.Publish(t.Context(), 0, fmt.Appendf(nil, "%d/%d", i, j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	bodies, _ := read(t, open(t, bus.Options{Folder: folder}), 0, 0, 160)
	seen := map[string]bool{}
	for _, body := range bodies {
		seen[body] = true
	}
	if len(seen) != 160 {
		t.Errorf("%d of 160", len(seen))
	}
}

func TestAFullBusRefusesAndGoesOnWhenThereIsRoom(t *testing.T) {
	b := open(t, bus.Options{Folder: t.TempDir(), MaxBytes: 1 << 20})
	body := bytes.Repeat([]byte("x"), 100<<10)
	published := uint64(0)
	for {
		body[0]++ // the same bytes would be known
		_, err := b.Publish(t.Context(), 0, body)
		if errors.Is(err, bus.ErrFull) {
			break
		}
		if err != nil || published > 20 {
			t.Fatal(published, err)
		}
		published++
	}
	if s, err := b.State(t.Context(), 0); err != nil || s.Messages != published || s.First != 1 {
		t.Fatalf("%+v %v: what was there made room", s, err)
	}
	if err := b.Release(t.Context(), 0, 3); err != nil {
		t.Fatal(err)
	}
	body[0]++
	if _, err := b.Publish(t.Context(), 0, body); err != nil {
		t.Error("there is room again:", err)
	}
	if _, err := b.Publish(t.Context(), 0, make([]byte, bus.MaxBody+1)); err == nil {
		t.Error("a body that is too long is carried")
	}
}

func TestABodyThatIsPublishedAgainIsCarriedOnce(t *testing.T) {
	b := open(t, bus.Options{Folder: t.TempDir()})
	for range 3 {
		if at, err := b.Publish(t.Context(), 0, []byte("nobody heard that it was carried")); err != nil || at != 1 {
			t.Error(at, err)
		}
	}
	if s, err := b.State(t.Context(), 0); err != nil || s.Messages != 1 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestAFolderThatCannotBeUsedIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.Open(t.Context(), bus.Options{Folder: file}); err == nil {
		t.Error("a file is a folder")
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add(bus.Wrap(7, []byte("body")))
	f.Add([]byte("WWB1"))
	f.Fuzz(func(t *testing.T, message []byte) {
		number, body, err := bus.Unwrap(message)
		if err == nil && !bytes.Equal(bus.Wrap(number, body), message) {
			t.Fatal("it unwraps to something else")
		}
	})
}

// BenchmarkPublish carries 1,000 events of 400 bytes a message, 8 at a time, beside a plain file that is synced as often.
func BenchmarkPublish(b *testing.B) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1000*400/16)
	carry := open(b, bus.Options{Folder: b.TempDir(), MaxBytes: 64 << 30})
	var number atomic.Uint64
	b.Run("bus", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			body := bytes.Clone(body)
			for pb.Next() {
				binary.LittleEndian.PutUint64(body, number.Add(1))
				sequence, err := carry.Publish(b.Context(), 0, body)
				if err == nil && sequence%500 == 0 {
					err = carry.Release(b.Context(), 0, sequence-100)
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("floor: a file, synced", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "file"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for b.Loop() {
			if _, err := f.WriteAt(body, 0); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}
