// Package figures_test measures what the product promises in numbers, on the binary that ships and over HTTP as people and
// programs use it, and prints one table with the bound beside each. Data is generated where a line says so. Nothing here
// fails because a machine is slow: the table says what was measured, and a person reads it.
//
// With -short the estate is small, so that the measuring itself is tried in a minute; its lines claim no bound.
package figures_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"wardwatch/test/shared"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(syslogServer); folder != "" {
		os.Exit(failed(serveSyslog(folder)))
	}
	code := m.Run()
	closeWorld()
	if binaryDir != "" {
		code = max(code, failed(os.RemoveAll(binaryDir)))
	}
	printTable(os.Stdout)
	os.Exit(code)
}

func failed(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// ---- the table

// figure is one line of the table.
type figure struct {
	what     string
	measured float64
	bound    float64 // 0: none is promised; none: that it is nought
	unit     string
	on       string // the data it was measured on
}

// none is the bound of what must not happen at all.
const none = -1

var (
	figures []figure
	measure sync.Mutex
)

// record adds a line, or takes the place of the one of the same name: benchmarks run more than once while they find their N.
func record(b *testing.B, f figure) {
	b.Helper()
	b.ReportMetric(f.measured, strings.ReplaceAll(f.unit, " ", "-"))
	measure.Lock()
	defer measure.Unlock()
	if i := slices.IndexFunc(figures, func(old figure) bool { return old.what == f.what }); i >= 0 {
		figures[i] = f
		return
	}
	figures = append(figures, f)
}

func printTable(w io.Writer) {
	if len(figures) == 0 {
		return
	}
	fmt.Fprintf(w, "\nFigures, on %d cores (%s/%s, %s); load when it began %s, when it ended %s\n\n",
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), loadBefore, load())
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.Debug)
	fmt.Fprintln(out, " figure\t measured\t bound\t \t on")
	for _, f := range figures {
		bound, verdict := "", ""
		if f.bound != 0 && (!testing.Short() || f.bound == none) {
			most := max(f.bound, 0)
			bound, verdict = "≤ "+number(most)+" "+f.unit, "holds"
			if f.measured > most {
				verdict = "MISSED"
			}
		}
		fmt.Fprintf(out, " %s\t %s %s\t %s\t %s\t %s\n", f.what, number(f.measured), f.unit, bound, verdict, f.on)
	}
	_ = out.Flush()
	fmt.Fprintln(w)
}

// loadBefore and load tell a reader whether the machine had other work: runnable processes, over the last minute.
var loadBefore = load()

func load() string {
	body, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "not known"
	}
	minute, _, _ := strings.Cut(string(body), " ")
	return minute
}

// number is v with as many digits as matter.
func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v == float64(int(v)):
		return strconv.Itoa(int(v))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// p95 is the time that 95 of 100 stay below.
func p95(took []time.Duration) float64 {
	slices.Sort(took)
	return milliseconds(took[(len(took)*95+99)/100-1])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// ---- the binary

var binaryDir string

// binary is wardwatch as it ships, built once.
var binary = sync.OnceValues(func() (path string, err error) {
	if binaryDir, err = os.MkdirTemp("", "wardwatch-figures-"); err != nil {
		return "", err
	}
	path = filepath.Join(binaryDir, "wardwatch")
	build := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", path, "wardwatch/cmd/wardwatch")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func program(tb testing.TB) string {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// run runs one command to its end, and returns what it prints.
func run(tb testing.TB, args ...string) []byte {
	tb.Helper()
	out, err := command(program(tb), args...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func command(path string, args ...string) ([]byte, error) {
	var wrong bytes.Buffer
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("wardwatch %s: %w: %s", strings.Join(args, " "), err, wrong.String())
	}
	return out, nil
}

// server is a wardwatch that serves.
type server struct {
	cmd  *exec.Cmd
	base string // its address
}

var served = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// serve starts a command that serves, and returns once it says where.
func serve(tb testing.TB, args ...string) *server {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), program(tb), append(args, "--listen", "127.0.0.1:0")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if base := served.FindString(lines.Text()); base != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return &server{cmd, base}
		}
	}
	tb.Fatalf("wardwatch %s ended before it served: %v", strings.Join(args, " "), cmd.Wait())
	return nil
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return s.cmd.Wait()
}

// resident is the memory that the process holds now, in MB; the most that it held since it started, too.
func (s *server) resident(tb testing.TB) (now, most float64) {
	tb.Helper()
	status := s.proc(tb, "status")
	read := func(name string) float64 {
		found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
		if found == nil {
			tb.Fatalf("no %s in the process's status", name)
		}
		kb, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			tb.Fatal(err)
		}
		return kb * 1024 / 1e6
	}
	return read("VmRSS"), read("VmHWM")
}

// worked is the processor time that the process has had, in ticks of a hundredth of a second.
func (s *server) worked(tb testing.TB) (ticks int) {
	tb.Helper()
	stat := s.proc(tb, "stat")
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the third field of proc(5) is the first here
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			tb.Fatal(err)
		}
		ticks += n
	}
	return ticks
}

func (s *server) proc(tb testing.TB, name string) []byte {
	tb.Helper()
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, name))
	if errors.Is(err, os.ErrNotExist) {
		shared.Skip(tb, "no /proc on this machine")
	}
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// settle waits until the process does nothing but its timers.
func (s *server) settle(tb testing.TB) {
	tb.Helper()
	const still = 4 // looks, half a second apart
	for calm, before := 0, -1; calm < still; {
		now := s.worked(tb)
		if now-before <= 1 && before >= 0 {
			calm++
		} else {
			calm = 0
		}
		before = now
		time.Sleep(500 * time.Millisecond)
	}
}
