package blocks_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/test/contract"
	"wardwatch/test/shared"
)

// gateway starts an S3 server over a new folder with one bucket, and says how to reach it.
func gateway(t *testing.T) blocks.S3Options {
	t.Helper()
	path, err := exec.LookPath("versitygw")
	if err != nil {
		out, _ := exec.Command("go", "env", "GOPATH").Output()
		path = filepath.Join(strings.TrimSpace(string(out)), "bin", "versitygw")
	}
	if _, err := os.Stat(path); err != nil {
		shared.Skip(t, "versitygw is not installed: .ci/needs versitygw")
	}
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "data", "events"), 0o750); err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	server := exec.Command(path, "--port", address, "--access", "watch", "--secret", "watch-secret", "--quiet", "posix", "--sidecar", filepath.Join(folder, "meta"), filepath.Join(folder, "data"))
	if err := os.MkdirAll(filepath.Join(folder, "meta"), 0o750); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	o := blocks.S3Options{Endpoint: address, Region: "us-east-1", Bucket: "events", Key: "watch", Secret: "watch-secret", Plain: true}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, err := blocks.OpenS3(ctx, o)
		if err == nil {
			return o
		}
		select {
		case <-ctx.Done():
			t.Fatalf("versitygw does not answer: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestS3IsABucket(t *testing.T) {
	at := gateway(t)
	contract.Bucket(t, func(t *testing.T) blocks.Bucket {
		o := at
		o.Prefix = rand.Text() + "/"
		b, err := blocks.OpenS3(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestAnS3ThatCannotBeUsed(t *testing.T) {
	at := gateway(t)
	for what, change := range map[string]func(*blocks.S3Options){
		"no such bucket": func(o *blocks.S3Options) { o.Bucket = "other" },
		"wrong secret":   func(o *blocks.S3Options) { o.Secret = "wrong-secret" },
		"no slash":       func(o *blocks.S3Options) { o.Prefix = "events" },
		"climbs out":     func(o *blocks.S3Options) { o.Prefix = "../" },
		"a URL":          func(o *blocks.S3Options) { o.Endpoint = "http://" + o.Endpoint + "/path" },
	} {
		o := at
		change(&o)
		if _, err := blocks.OpenS3(t.Context(), o); err == nil {
			t.Errorf("%s: opened", what)
		} else {
			t.Logf("%s: %v", what, err)
		}
	}
	b, err := blocks.OpenS3(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Create(t.Context(), "a", strings.NewReader("text")); err != nil {
		t.Fatal(err)
	}
	o, err := b.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.ReadAt(make([]byte, 4), 0); !errors.Is(err, blocks.ErrNotFound) {
		t.Errorf("reading what was removed: %v", err)
	}
}
