// Package serving runs the program as it ships: built, configured, serving on free ports, killed and started again.
package serving

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/test/shared"
)

// Server is the program as it ships, serving.
type Server struct {
	t       testing.TB
	program string
	config  string
	// Ears are where events are taken in, by the listener's name.
	Ears    map[string]string
	running *exec.Cmd
	said    *bytes.Buffer
}

// New builds the program, and writes its configuration over one of an empty data directory in folder.
func New(t testing.TB, folder, config string) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{t: t, program: filepath.Join(dir, "wardwatch"), config: filepath.Join(dir, "wardwatch.yaml"), Ears: map[string]string{}}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.program, "./cmd/wardwatch")
	build.Dir, build.Env = shared.Root(t), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(s.config, []byte("data: "+filepath.Join(folder, "data")+"\nlisten: 127.0.0.1:0\n"+config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start runs it, and returns when it says that it serves.
func (s *Server) Start() {
	s.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(s.t.Context()), s.program, "serve", "--config", s.config)
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.said = &bytes.Buffer{}
	cmd.Stderr = s.said
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.running = cmd
	s.t.Cleanup(func() {
		if s.running == cmd {
			s.Stop(syscall.SIGTERM)
			if s.t.Failed() {
				s.t.Logf("the server said:\n%s", s.said.String())
			}
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var at, name string
		if _, err := fmt.Sscanf(lines.Text(), "Taking events in at %s (%s", &at, &name); err == nil {
			s.Ears[strings.TrimSuffix(name, ").")] = at
		}
		if strings.HasPrefix(lines.Text(), "Serving ") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	s.t.Fatalf("the server ended:\n%s", s.said.String())
}

// Stop ends it, by SIGTERM or less gently, and returns when it is gone.
func (s *Server) Stop(by os.Signal) {
	if s.running == nil {
		return
	}
	_ = s.running.Process.Signal(by)
	_ = s.running.Wait()
	s.running = nil
}

// Program is the file of it.
func (s *Server) Program() string { return s.program }

// Process is its number.
func (s *Server) Process() int { return s.running.Process.Pid }

// Run runs a command on the same data, and gives what it prints.
func (s *Server) Run(args ...string) []byte {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.program, append(args, "--config", s.config)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%q: %v\n%s", args, err, said.String())
	}
	return out
}

// A Hit is what a hunt prints.
type Hit struct{ Organisation, Source, Raw string }

// Found hunts until so many events show the value, or half a minute has passed.
func (s *Server) Found(value string, n int) (hits []Hit) {
	s.t.Helper()
	for range 60 {
		if hits = s.Hunt(value); len(hits) >= n {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if len(hits) != n {
		s.t.Fatalf("%d of %d events with %s: %+v", len(hits), n, value, hits)
	}
	return hits
}

// Hunt gives every event that shows the value.
func (s *Server) Hunt(value string) (hits []Hit) {
	s.t.Helper()
	for line := range bytes.Lines(s.Run("hunt", "--json", value)) {
		var h Hit
		if err := json.Unmarshal(line, &h); err != nil {
			s.t.Fatal(err)
		}
		hits = append(hits, h)
	}
	return hits
}

// Token makes a sender of an organisation.
func (s *Server) Token(org string) string {
	s.t.Helper()
	var made struct{ Token string }
	if err := json.Unmarshal(s.Run("sender", "add", "--org", org, "--name", "test", "--json"), &made); err != nil {
		s.t.Fatal(err)
	}
	return made.Token
}

// Searched is how many events a hunt looks through.
func (s *Server) Searched() (events int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.program, "hunt", "--count", "198.51.100.250", "--config", s.config)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("%v\n%s", err, said.String())
	}
	if _, after, ok := strings.Cut(said.String(), "searched "); ok {
		_, _ = fmt.Sscanf(after, "%d events", &events)
	}
	return events
}
