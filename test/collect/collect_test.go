package collect_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/test/serving"
)

// TestEveryLineArrivesOnce follows a file that grows and is rotated, while the collector and the server are killed in turns.
func TestEveryLineArrivesOnce(t *testing.T) {
	folder := t.TempDir()
	s := serving.New(t, folder, "ingest: {http: {listen: '127.0.0.1:0'}}\narchive: {cut_after: 300ms}\n")
	token := s.Token("ZZ1")
	s.Start()
	logs := filepath.Join(folder, "logs")
	if err := os.Mkdir(logs, 0o750); err != nil {
		t.Fatal(err)
	}
	file, settings := filepath.Join(logs, "access.log"), filepath.Join(folder, "collect.yaml")
	configure := func() {
		t.Helper()
		text := fmt.Sprintf("watch: http://%s\nstate: %s\nfiles: [{path: '%s/*.log', format: combined}]\n", s.Ears["http"], filepath.Join(folder, "state"), logs)
		if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func() *exec.Cmd {
		t.Helper()
		configure()
		c := exec.CommandContext(t.Context(), s.Program(), "collect", "--config", settings)
		c.Env = append(os.Environ(), "WARDWATCH_COLLECT_TOKEN="+token)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	kill := func(c *exec.Cmd) {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	written := 0
	write := func(n int) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for range n {
			written++
			if _, err := fmt.Fprintf(f, "192.0.2.7 - - [%s] \"GET /n%d HTTP/1.1\" 200 5 \"-\" \"curl/8\"\n", time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), written); err != nil {
				t.Fatal(err)
			}
		}
	}
	collector := start()
	for round := range 6 {
		write(400)
		time.Sleep(700 * time.Millisecond)
		switch round % 3 {
		case 0:
			kill(collector)
			write(50)
			collector = start()
		case 1:
			s.Stop(syscall.SIGKILL)
			write(50)
			s.Start() // on another port
			kill(collector)
			collector = start()
		case 2:
			if err := os.Rename(file, fmt.Sprintf("%s.%d", file, round)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(10)
	time.Sleep(2 * time.Second)
	kill(collector)
	once := exec.CommandContext(t.Context(), s.Program(), "collect", "--once", "--json", "--config", settings)
	once.Env = append(os.Environ(), "WARDWATCH_COLLECT_TOKEN="+token)
	if out, err := once.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(`"refused":0`)) {
		t.Fatalf("%v %s", err, out)
	}
	times := map[string]int{}
	for _, h := range s.Found("192.0.2.7", written) {
		_, rest, _ := strings.Cut(h.Raw, "GET ")
		path, _, _ := strings.Cut(rest, " ")
		times[path]++
	}
	if len(times) != written {
		t.Errorf("%d of %d lines, some of them more than once", len(times), written)
	}
}
