// Package s3 runs a server that speaks S3, for tests.
package s3

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/test/shared"
)

// Gateway starts an S3 server over a new folder with one bucket, and says how to reach it.
func Gateway(t testing.TB) blocks.S3Options {
	t.Helper()
	path, err := exec.LookPath("versitygw")
	if err != nil {
		out, _ := exec.CommandContext(t.Context(), "go", "env", "GOPATH").Output()
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
	server := exec.CommandContext(context.WithoutCancel(t.Context()), path, "--port", address, "--access", "watch", "--secret", "watch-secret", "--quiet", "posix", "--sidecar", filepath.Join(folder, "meta"), filepath.Join(folder, "data"))
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
