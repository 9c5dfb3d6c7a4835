package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/test/faults/power"
	"wardwatch/test/serving"
	"wardwatch/test/shared"
)

const (
	shortRounds = 3 // of each fault where nobody says how many
	senders     = 3
	perBatch    = 40
	everything  = "faults.example" // a domain that every event shows
)

// rounds is how often a fault happens: FAULTROUNDS, or a part of it.
func rounds(t *testing.T, of, most int) int {
	n, err := strconv.Atoi(os.Getenv("FAULTROUNDS"))
	if err != nil {
		return shortRounds
	}
	return min(most, max(1, n*of/most))
}

// A record is what the checker wrote down: each event that was acknowledged.
type record struct {
	mu    sync.Mutex
	acked map[string]bool
}

// check holds what was acknowledged against what is found.
func check(acked map[string]bool, found []string) (lost, twice []string) {
	times := map[string]int{}
	for _, id := range found {
		times[id]++
	}
	for id := range acked {
		if times[id] == 0 {
			lost = append(lost, id)
		}
	}
	for id, n := range times {
		if n > 1 {
			twice = append(twice, id)
		}
	}
	return lost, twice
}

func TestTheCheckerSeesALossAndARepeat(t *testing.T) {
	acked := map[string]bool{"a": true, "b": true, "c": true}
	if lost, twice := check(acked, []string{"a", "b", "c", "d"}); lost != nil || twice != nil {
		t.Error("all is well, and it says", lost, twice)
	}
	if lost, _ := check(acked, []string{"a", "c"}); len(lost) != 1 || lost[0] != "b" {
		t.Error("a planted loss is not seen:", lost)
	}
	if _, twice := check(acked, []string{"a", "b", "c", "b"}); len(twice) != 1 || twice[0] != "b" {
		t.Error("a planted repeat is not seen:", twice)
	}
}

// load sends batches until ctx ends, each again until it is acknowledged.
func (r *record) load(ctx context.Context, s *serving.Server, where func() string, token string) (wait func()) {
	var working sync.WaitGroup
	for sender := range senders {
		working.Go(func() {
			for batch := 0; ctx.Err() == nil; batch++ {
				r.batch(ctx, where, token, fmt.Sprintf("s%d-b%d", sender, batch))
			}
		})
	}
	return working.Wait
}

func (r *record) batch(ctx context.Context, where func() string, token, name string) {
	var body bytes.Buffer
	ids := make([]string, perBatch)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-e%d.%s", name, i, everything)
		fmt.Fprintf(&body, "{\"@timestamp\":%q,\"url.domain\":%q}\n", time.Now().UTC().Format(time.RFC3339Nano), ids[i])
	}
	for ctx.Err() == nil {
		one, stop := context.WithTimeout(ctx, 20*time.Second)
		err := post(one, "http://"+where()+"/v1/events", token, name, body.Bytes())
		stop()
		if err == nil {
			r.mu.Lock()
			for _, id := range ids {
				r.acked[id] = true
			}
			r.mu.Unlock()
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func post(ctx context.Context, url, token, batch string, body []byte) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("Wardwatch-Batch", batch)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

func (r *record) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acked)
}

const config = `ingest:
  http: {listen: "127.0.0.1:0"}
archive: {cut_after: 300ms}
`

// verdict waits until what was acknowledged is in blocks, and prints the line of the table.
func (r *record) verdict(t *testing.T, s *serving.Server, fault string, rounds int, began time.Time) {
	t.Helper()
	var lost, twice []string
	var found []string
	for range 40 {
		found = nil
		for _, h := range s.Hunt(everything) {
			_, id, _ := strings.Cut(h.Raw, `"url.domain":"`)
			id, _, _ = strings.Cut(id, `"`)
			found = append(found, id)
		}
		if lost, twice = check(r.acked, found); len(lost) == 0 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	fmt.Printf("| %-22s | %6d rounds | %7d acknowledged | %7d found | %d lost | %d twice | %.0f s |\n", fault, rounds, len(r.acked), len(found), len(lost), len(twice), time.Since(began).Seconds())
	if len(r.acked) == 0 {
		t.Error("nothing was acknowledged: the test says nothing")
	}
	if len(lost) > 0 || len(twice) > 0 {
		t.Errorf("lost %v, twice %v", lost[:min(5, len(lost))], twice[:min(5, len(twice))])
	}
	s.Run("archive", "verify")
}

// TestFaultKilled kills the server without warning, again and again, while somebody sends.
func TestFaultKilled(t *testing.T) {
	n := rounds(t, 50, 50)
	s := serving.New(t, t.TempDir(), config)
	token := s.Token("XZ9A1")
	s.Start()
	var mu sync.Mutex
	ear := s.Ears["http"]
	where := func() string { mu.Lock(); defer mu.Unlock(); return ear }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := &record{acked: map[string]bool{}}
	began := time.Now()
	wait := r.load(ctx, s, where, token)
	for range n {
		before := r.count()
		time.Sleep(time.Duration(50+rand.IntN(900)) * time.Millisecond)
		s.Stop(syscall.SIGKILL)
		s.Start()
		mu.Lock()
		ear = s.Ears["http"]
		mu.Unlock()
		for i := 0; r.count() == before && i < 1000; i++ { // each round has something to lose
			time.Sleep(20 * time.Millisecond)
		}
	}
	stop()
	wait()
	r.verdict(t, s, "kill -9", n, began)
}

// TestFaultDiskFull fills the disk while somebody sends, and makes room again: the server refuses, and goes on without a restart.
func TestFaultDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		shared.Skip(t, "a small disk takes an account that may mount one")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=192m"); err != nil {
		shared.Skip(t, "mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	n := rounds(t, 20, 50)
	s := serving.New(t, disk, config)
	token := s.Token("XZ9A1")
	s.Start()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := &record{acked: map[string]bool{}}
	began := time.Now()
	wait := r.load(ctx, s, func() string { return s.Ears["http"] }, token)
	for range n {
		time.Sleep(time.Duration(50+rand.IntN(500)) * time.Millisecond)
		filler := filepath.Join(disk, "filler")
		fill(t, filler)
		time.Sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond)
		before := r.count()
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		for i := 0; r.count() == before; i++ {
			if i == 1500 {
				t.Fatal("there is room again, and nothing is taken")
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	stop()
	wait()
	r.verdict(t, s, "disk full", n, began)
}

// fill writes until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// TestFaultPowerLost takes the power away while somebody sends: what the server wrote and did not sync is gone.
func TestFaultPowerLost(t *testing.T) {
	if os.Getuid() != 0 {
		shared.Skip(t, "a file system of our own takes an account that may mount one")
	}
	folder := t.TempDir()
	disk, err := power.New(folder)
	if err != nil {
		shared.Skip(t, "%v", err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	n := rounds(t, 20, 50)
	s := serving.New(t, folder, config)
	token := s.Token("XZ9A1")
	s.Start()
	var mu sync.Mutex
	ear := s.Ears["http"]
	where := func() string { mu.Lock(); defer mu.Unlock(); return ear }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := &record{acked: map[string]bool{}}
	began := time.Now()
	wait := r.load(ctx, s, where, token)
	for range n {
		before := r.count()
		time.Sleep(time.Duration(50+rand.IntN(900)) * time.Millisecond)
		s.Stop(syscall.SIGKILL)
		if err := disk.Lose(); err != nil {
			t.Fatal(err)
		}
		s.Start()
		mu.Lock()
		ear = s.Ears["http"]
		mu.Unlock()
		for i := 0; r.count() == before && i < 1500; i++ {
			time.Sleep(20 * time.Millisecond)
		}
	}
	stop()
	wait()
	r.verdict(t, s, "power lost", n, began)
	s.Stop(syscall.SIGTERM)
}
