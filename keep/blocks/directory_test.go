package blocks_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/test/contract"
)

func open(t *testing.T, folder string) *blocks.Directory {
	t.Helper()
	d, err := blocks.OpenDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestDirectoryIsABucket(t *testing.T) {
	contract.Bucket(t, func(t *testing.T) blocks.Bucket { return open(t, filepath.Join(t.TempDir(), "new", "bucket")) })
}

func TestALinkLeadsNowhereElse(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(folder, "out")); err != nil {
		t.Fatal(err)
	}
	d := open(t, folder)
	if _, err := d.Open(t.Context(), "out/secret"); err == nil {
		t.Error("read a file outside the bucket")
	}
	if err := d.Create(t.Context(), "out/new", strings.NewReader("x")); err == nil {
		t.Error("created a file outside the bucket")
	}
	if err := d.Remove(t.Context(), "out/secret"); err == nil {
		t.Error("removed a file outside the bucket")
	}
}

func TestWhatWasAbandonedGoes(t *testing.T) {
	folder := t.TempDir()
	old, fresh := filepath.Join(folder, ".unfinished", "OLD"), filepath.Join(folder, ".unfinished", "FRESH")
	for _, name := range []string{old, fresh} {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	open(t, folder)
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left a day ago is still there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("what another process is writing is gone: %v", err)
	}
}

// TestFaultKilledWhileItCreates kills a process at random moments while it creates objects that are named by the hash of what
// is in them. Every object that it said it kept is there afterwards, and whatever is there is whole.
func TestFaultKilledWhileItCreates(t *testing.T) {
	if folder := os.Getenv("BLOCKS_WRITE_INTO"); folder != "" {
		createForEver(t, folder)
	}
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("FAULTROUNDS")); err == nil {
		rounds = n
	}
	folder := t.TempDir()
	said := map[string]bool{}
	for range rounds {
		child := exec.Command(os.Args[0], "-test.run=^TestFaultKilledWhileItCreates$")
		child.Env = append(os.Environ(), "BLOCKS_WRITE_INTO="+folder)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n, last := 0, 1+rand.IntN(20); lines.Scan(); n++ {
			if name, ok := strings.CutPrefix(lines.Text(), "kept "); ok {
				said[name] = true
			}
			if n == last {
				time.Sleep(time.Duration(rand.IntN(4000)) * time.Microsecond)
				_ = child.Process.Kill()
			}
		}
		_ = child.Wait()
	}
	d := open(t, folder)
	there := 0
	for name, err := range d.Names(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		o, err := d.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(o, 0, o.Size())); err != nil {
			t.Fatal(err)
		}
		_ = o.Close()
		if filepath.Base(name) != hex.EncodeToString(sum.Sum(nil)) {
			t.Errorf("%s is not whole: %d bytes", name, o.Size())
		}
		there++
		delete(said, name)
	}
	if len(said) > 0 {
		t.Errorf("%d objects are lost that were said to be kept", len(said))
	}
	if there < rounds {
		t.Errorf("%d objects in %d rounds: the rounds showed nothing", there, rounds)
	}
	t.Logf("kills -9 %d | objects %d | lost %d", rounds, there, len(said))
}

// createForEver is the process that is killed.
func createForEver(t *testing.T, folder string) {
	d := open(t, folder)
	for {
		body := make([]byte, rand.IntN(1<<20))
		for i := 0; i+8 <= len(body); i += 8 {
			body[i] = byte(rand.Uint32())
		}
		sum := sha256.Sum256(body)
		name := fmt.Sprintf("org=XZ%d/%x", sum[0]%4, sum)
		if err := d.Create(t.Context(), name, bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		fmt.Println("kept " + name)
	}
}
