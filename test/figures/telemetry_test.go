package figures_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/bus"
	"wardwatch/keep/store"
	"wardwatch/test/serving"
	"wardwatch/test/shared"
	"wardwatch/test/telemetry"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/ingest"
	"wardwatch/watch/ingest/file"
	"wardwatch/watch/ingest/syslog"
)

// weblines are lines of a recorded access log of about 400 bytes as RFC 5424 carries them, with a new address and time each time one is
// asked for. A few addresses ask often and very many once (Zipf over a million).
type weblines struct {
	rest   [][]byte // what follows the time
	random *rand.Rand
	asks   *rand.Zipf
	at     time.Time
}

func newWeblines(b *testing.B) *weblines {
	b.Helper()
	w := &weblines{random: rand.New(rand.NewPCG(7, 11)), at: time.Date(2025, 5, 15, 0, 0, 0, 0, time.UTC)}
	w.asks = rand.NewZipf(w.random, 1.1, 8, 1<<20)
	path := shared.File(b, "data", "events", "weblogs", "apache-combined.log.gz")
	err := file.Each(b.Context(), []string{path}, file.Options{}, func(e file.Event) error {
		if at := bytes.IndexByte(e.Raw, ']'); at > 0 && len(e.Raw) > 300 && len(e.Raw) < 460 {
			w.rest = append(w.rest, bytes.Clone(e.Raw[at:]))
		}
		return nil
	})
	if err != nil || len(w.rest) == 0 {
		b.Fatal(len(w.rest), err)
	}
	return w
}

// append appends one line without its end. Its address is none of 203.0.113.0/24.
func (w *weblines) append(to []byte) []byte {
	w.at = w.at.Add(time.Millisecond)
	n := uint32(w.asks.Uint64()) * 2654435761 //nolint:gosec // spread over all addresses
	to = append(to, "<134>1 "...)
	to = w.at.AppendFormat(to, "2006-01-02T15:04:05.000Z")
	to = append(to, " web"...)
	to = strconv.AppendInt(to, int64(w.random.IntN(40)), 10)
	to = append(to, ".hospital.example nginx - - - "...)
	to = netip.AddrFrom4([4]byte{11 + byte(n>>24)%180, byte(n >> 16), byte(n >> 8), byte(n)}).AppendTo(to)
	to = append(to, " - - ["...)
	to = w.at.AppendFormat(to, "02/Jan/2006:15:04:05 -0700")
	return append(to, w.rest[w.random.IntN(len(w.rest))]...)
}

// BenchmarkHunt archives generated lines, and looks for addresses in them.
func BenchmarkHunt(b *testing.B) {
	events := 10_000_000
	if testing.Short() {
		events = 200_000
	}
	for b.Loop() {
		a, size := archived(b, events)
		on := fmt.Sprintf("%d events, generated from recorded lines, mean %d bytes", events, size.raw/int64(events))
		record(b, figure{"bytes kept an event, filters included", float64(size.kept) / float64(events), 75, "bytes", on})
		record(b, figure{"an event archived", size.took.Seconds() * 1e6 / float64(events), 0, "µs", on + "; decoded, keyed, compressed, one core"})
		for _, row := range []struct {
			name   string
			bound  float64
			values []string
		}{
			{"an absent address", 1, []string{"203.0.113.7"}},
			{"an address of three events", 30, []string{"203.0.113.200"}},
			{"1,000 indicators, one of them there", 150, append(absent(999), "203.0.113.200")},
		} {
			var took []time.Duration
			hits := int64(0)
			for range 21 {
				began := time.Now()
				hits = hunted(b, a, row.values)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			record(b, figure{"hunt for " + row.name, milliseconds(took[len(took)/2]), row.bound, "ms", fmt.Sprintf("%d events, warm, %d hits, median of 21", events, hits)})
		}
		began := time.Now()
		s, err := a.Hunt(b.Context(), archive.HuntOptions{Query: everyEvent{queryOf(b, []string{"203.0.113.200"})}, Scope: ward.Everything()}, func(archive.Hit) error { return nil })
		if err != nil || s.Hits != 3 {
			b.Fatal(s.Hits, err)
		}
		record(b, figure{"the same without filters: every event is read", milliseconds(time.Since(began)), 0, "ms", "the floor of a hunt by looking"})
		ripgrep(b, events)
	}
}

// ripgrep looks for an address in as many lines, packed by zstd, as people do without an archive. Where the two programs are not
// installed the line is left out.
func ripgrep(b *testing.B, events int) {
	b.Helper()
	for _, program := range []string{"rg", "zstd"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Logf("%s is not installed: no line of ripgrep", program)
			return
		}
	}
	path := filepath.Join(b.TempDir(), "lines.zst")
	pack := exec.CommandContext(b.Context(), "zstd", "-q", "-3", "-o", path)
	in, err := pack.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := pack.Start(); err != nil {
		b.Fatal(err)
	}
	to, lines := bufio.NewWriterSize(in, 1<<20), newWeblines(b)
	var line []byte
	for range events {
		line = append(lines.append(line[:0]), '\n')
		if _, err := to.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(to.Flush(), in.Close(), pack.Wait()); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	out, err := exec.CommandContext(b.Context(), "rg", "--search-zip", "--count", "--fixed-strings", "203.0.113.7 ", path).CombinedOutput()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) { // 1: nothing was found
		b.Fatalf("%v %s", err, out)
	}
	record(b, figure{"ripgrep over the same in zstd, one address", milliseconds(time.Since(began)), 0, "ms", "how people look without an archive"})
}

type everyEvent struct{ watch.Query }

func (everyEvent) Needles() [][]uint64 { return nil }

func absent(n int) (values []string) {
	for i := range n {
		values = append(values, fmt.Sprintf("absent-%d.attacker.example", i))
	}
	return values
}

func queryOf(b *testing.B, values []string) watch.Query {
	b.Helper()
	var list []ward.Indicator
	err := indicators.Read(strings.NewReader(strings.Join(values, "\n")), "", func(i ward.Indicator) error { list = append(list, i); return nil }, nil)
	if err != nil {
		b.Fatal(err)
	}
	q, err := indicators.NewQuery(list, ward.WallClock{})
	if err != nil {
		b.Fatal(err)
	}
	return q
}

func hunted(b *testing.B, a *archive.Archive, values []string) int64 {
	b.Helper()
	s, err := a.Hunt(b.Context(), archive.HuntOptions{Query: queryOf(b, values), Scope: ward.Everything()}, func(archive.Hit) error { return nil })
	if err != nil || len(s.Unread) > 0 {
		b.Fatal(s.Unread, err)
	}
	return s.Hits
}

type sizes struct {
	raw, kept int64
	took      time.Duration
}

// openArchive opens an archive in a folder.
func openArchive(b *testing.B, dir string) *archive.Archive {
	b.Helper()
	kept, err := store.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	bucket, err := blocks.OpenDirectory(filepath.Join(dir, "archive"))
	if err != nil {
		b.Fatal(err)
	}
	a := archive.New(archive.Options{
		Clock: ward.WallClock{}, Store: kept, Bucket: bucket, Temp: dir,
		Names: watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields(), archive.HostFields())...),
		Keyer: func(n *watch.Names) watch.Keyer { return indicators.NewKeyer(n) },
	})
	b.Cleanup(func() {
		if err := errors.Join(a.Close(), bucket.Close(), kept.Close()); err != nil {
			b.Error(err)
		}
	})
	return a
}

// archived archives so many lines, three of which have the address 203.0.113.200.
func archived(b *testing.B, events int) (*archive.Archive, sizes) {
	b.Helper()
	a := openArchive(b, b.TempDir())
	return a, fillArchive(b, a, events)
}

func fillArchive(b *testing.B, a *archive.Archive, events int) (s sizes) {
	b.Helper()
	lines, cutter, decoder := newWeblines(b), a.Cutter(), watch.NewDecoder(a.Names)
	var record watch.Record
	var line []byte
	cut := func() {
		made, err := cutter.Cut(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, one := range made {
			s.kept += one.Bytes
		}
	}
	s.took = took(b, 1, func() {
		for i := range events {
			line = lines.append(line[:0])
			if i%(events/3) == events/7 {
				line = append(line, " 203.0.113.200"...)
			}
			s.raw += int64(len(line))
			event := watch.Arrival{Org: "XZ9A1", Source: "web", Batch: "~1", Sequence: int64(i + 1), Received: lines.at.UnixMicro(), Format: watch.Syslog, Raw: line}
			if err := decoder.Event(event.Format, nil, line, &record); err != nil {
				b.Fatal(err)
			}
			if _, err := cutter.Add(b.Context(), &event, &record); err != nil {
				b.Fatal(err)
			}
			if cutter.Full() {
				cut()
			}
		}
		cut()
	})
	return s
}

// BenchmarkHuntManyTimesMore hunts through HUNTEVENTS distinct events, each of whose blocks stands ten times in the manifest: of ten
// organisations, as links to the same objects. With HUNTFOLDER the archive is made there once, and used again. A thousand million
// events are HUNTEVENTS=100000000, which takes half an hour to make.
func BenchmarkHuntManyTimesMore(b *testing.B) {
	const times = 10
	events := 1_000_000
	if testing.Short() {
		events = 100_000
	}
	if n, err := strconv.Atoi(os.Getenv("HUNTEVENTS")); err == nil {
		events = n
	}
	folder := os.Getenv("HUNTFOLDER")
	if folder == "" {
		folder = b.TempDir()
	}
	for b.Loop() {
		a := openArchive(b, folder)
		all := standing(b, a)
		if len(all) == 0 {
			fillArchive(b, a, events)
			multiply(b, a, filepath.Join(folder, "archive"), times)
			all = standing(b, a)
		}
		on := fmt.Sprintf("%d events in %d blocks: %d distinct ones, entered %d times", times*events, len(all), events, times)
		for _, state := range []string{"cold", "warm"} {
			for _, row := range []struct {
				name   string
				values []string
			}{{"an absent address", []string{"203.0.113.7"}}, {"an address of three events", []string{"203.0.113.200"}}, {"1,000 indicators", append(absent(999), "203.0.113.200")}} {
				fresh := a
				if state == "cold" {
					fresh = openArchive(b, folder)
					dropCaches(b)
				}
				began := time.Now()
				var first time.Duration
				s, err := fresh.Hunt(b.Context(), archive.HuntOptions{Query: queryOf(b, row.values), Scope: ward.Everything()}, func(archive.Hit) error {
					if first == 0 {
						first = time.Since(began)
					}
					return nil
				})
				took := time.Since(began)
				if err != nil || len(s.Unread) > 0 || (s.Hits != 3*times && s.Hits != 0) {
					b.Fatal(s.Hits, s.Unread, err)
				}
				bound := 1000.0
				if state == "cold" {
					bound = 3000
				}
				record(b, figure{"hunt for " + row.name + ", " + state + ", all hits", milliseconds(took), bound, "ms", fmt.Sprintf("%s; %d hits", on, s.Hits)})
				if s.Hits > 0 {
					record(b, figure{"hunt for " + row.name + ", " + state + ", first hit", milliseconds(first), 100, "ms", on})
				}
			}
			hunted(b, a, append(absent(999), "203.0.113.200")) // warm from here on
		}
	}
}

// standing are the blocks in the manifest.
func standing(b *testing.B, a *archive.Archive) (all []ward.Block) {
	b.Helper()
	if err := a.Store.View(b.Context(), func(tx *store.Tx) (err error) {
		all, err = tx.BlocksBetween(b.Context(), ward.Everything(), time.Time{}, time.Time{})
		return err
	}); err != nil {
		b.Fatal(err)
	}
	return all
}

// multiply enters each block again for other organisations.
func multiply(b *testing.B, a *archive.Archive, folder string, times int) {
	b.Helper()
	for _, one := range standing(b, a) {
		for n := 1; n < times; n++ {
			again := one
			again.Org = ward.OrgID(fmt.Sprintf("XZ9A%d", n+1))
			at := blocks.Folder(again.Org, one.Day)
			if err := os.MkdirAll(filepath.Join(folder, at), 0o750); err != nil {
				b.Fatal(err)
			}
			again.Name, again.Index = at+filepath.Base(one.Name), at+filepath.Base(one.Index)
			if err := errors.Join(os.Link(filepath.Join(folder, one.Name), filepath.Join(folder, again.Name)), os.Link(filepath.Join(folder, one.Index), filepath.Join(folder, again.Index))); err != nil {
				b.Fatal(err)
			}
			if err := a.Store.Update(b.Context(), func(tx *store.Tx) error { return tx.AddBlock(b.Context(), again) }); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// dropCaches makes the machine forget what it read from disk, where that is allowed.
func dropCaches(b *testing.B) {
	b.Helper()
	syscall.Sync()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		b.Logf("what is called cold is not: %v", err)
	}
}

// syslogServer says to a child of this test that it is the server, and in which folder.
const syslogServer = "WARDWATCH_FIGURES_SYSLOG"

// serveSyslog is the server of BenchmarkSyslog, in a process and on a core of its own: it takes as many messages as its input says,
// and prints when all of them are durable.
func serveSyslog(folder string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	carry, err := bus.Open(ctx, bus.Options{Folder: folder, MaxBytes: 16 << 30})
	if err != nil {
		return err
	}
	p := ingest.New(ingest.Options{Clock: ward.WallClock{}, Bus: carry, Redact: func(_ ward.OrgID, raw []byte) int { return ingest.RedactNHSNumbers(raw) }})
	l, err := syslog.Listen(ctx, syslog.Options{
		Name: "tcp", Address: "127.0.0.1:0", Transport: "tcp", Org: "XZ9A1", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Intake: p,
	})
	if err != nil {
		return err
	}
	var working sync.WaitGroup
	working.Go(func() { _ = l.Run(ctx) })
	working.Go(func() { _ = p.Run(ctx) })
	fmt.Printf("listening %s\n", l.Address())
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	n, err := strconv.ParseInt(in.Text(), 10, 64)
	for l.Messages() < n || p.Unflushed() > 0 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("durable")
	stop()
	working.Wait()
	return errors.Join(err, carry.Close())
}

// BenchmarkSyslog sends lines over TCP to a server on another core, until all are durable.
func BenchmarkSyslog(b *testing.B) {
	n := 3_000_000
	if testing.Short() {
		n = 50_000
	}
	if _, err := exec.LookPath("taskset"); err != nil {
		shared.Skip(b, "taskset is missing: install it with `apt-get install util-linux`")
	}
	lines := newWeblines(b)
	var block []byte
	const perBlock = 2000
	for range perBlock {
		block = append(lines.append(block), '\n')
	}
	for b.Loop() {
		child := exec.CommandContext(b.Context(), "taskset", "-c", "0", os.Args[0])
		child.Env = append(os.Environ(), syslogServer+"="+b.TempDir(), "GOMAXPROCS=1")
		out, err := child.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		in, err := child.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := child.Start(); err != nil {
			b.Fatal(err)
		}
		said := bufio.NewScanner(out)
		address := ""
		for said.Scan() && address == "" {
			address, _ = strings.CutPrefix(said.Text(), "listening ")
			if address != "" {
				break
			}
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		for range n / perBlock {
			if _, err := c.Write(block); err != nil {
				b.Fatal(err)
			}
		}
		fmt.Fprintln(in, n/perBlock*perBlock)
		for said.Scan() && said.Text() != "durable" {
			continue
		}
		each := time.Since(began).Seconds() / float64(n) * 1e6
		if err := errors.Join(c.Close(), in.Close()); err != nil {
			b.Fatal(err)
		}
		if err := child.Wait(); err != nil {
			b.Fatal(err)
		}
		record(b, figure{"a syslog message over TCP until it is durable", each, 1e6 / 300_000.0, "µs", fmt.Sprintf("%d messages, mean %d bytes; %.0f a second, server on one core, sender on the other", n, len(block)/perBlock, 1e6/each)})
	}
}

// BenchmarkIngest sends lines over TCP to the program as it ships, on the same cores, at a steady pace, until all are in blocks.
func BenchmarkIngest(b *testing.B) {
	const pace = 60_000 // a second
	seconds := 60
	if testing.Short() {
		seconds = 2
	}
	n := pace * seconds
	for b.Loop() {
		s := serving.New(b, b.TempDir(), `ingest:
  syslog: [{name: tcp, listen: "127.0.0.1:0", transport: tcp, organisation: XZ9A1, networks: [127.0.0.0/8]}]
archive: {cut_after: 2s}
`)
		s.Start()
		lines := newWeblines(b)
		c, err := net.Dial("tcp", s.Ears["tcp"])
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		var block []byte
		for i := range n {
			if block = append(lines.append(block), '\n'); i%(pace/20) == 0 || i == n-1 {
				if _, err := c.Write(block); err != nil {
					b.Fatal(err)
				}
				block = block[:0]
				time.Sleep(time.Until(began.Add(time.Second * time.Duration(i) / pace)))
			}
		}
		sent := time.Since(began)
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
		for s.Searched() < n {
			if time.Since(began) > 10*time.Minute {
				b.Fatal("only", s.Searched(), "of", n, "were archived")
			}
			time.Sleep(100 * time.Millisecond)
		}
		all := time.Since(began)
		peak := peakMemory(b, s.Process())
		s.Stop(syscall.SIGTERM)
		on := fmt.Sprintf("%d lines of about 400 bytes over TCP, %.0f a second; the sender on the same cores; every one found; no rules", n, float64(n)/sent.Seconds())
		record(b, figure{"a line sent, at a pace of 60,000 a second", sent.Seconds() / float64(n) * 1e6, 1e6 / 58_000.0, "µs", on})
		record(b, figure{"all of them in blocks after the last was sent", (all - sent).Seconds(), 5, "s", on})
		record(b, figure{"memory while events are taken in, at most", peak, 1500, "MB", on})
	}
}

// BenchmarkWatch is the whole path: lines and recorded events over TCP at a steady pace, on the same cores, durable, held against every
// rule of the community and a million indicators, archived.
func BenchmarkWatch(b *testing.B) {
	const pace = 30_000 // a second
	seconds, known := 60, 1_000_000
	if testing.Short() {
		seconds, known = 2, 10_000
	}
	if d, err := time.ParseDuration(os.Getenv("WATCHFOR")); err == nil {
		seconds = int(d.Seconds())
	}
	n := pace * seconds
	events := telemetry.OTRF(b)
	for b.Loop() {
		dir := b.TempDir()
		list := filepath.Join(dir, "indicators.txt")
		if err := os.WriteFile(list, []byte(strings.Join(absent(known), "\n")), 0o600); err != nil {
			b.Fatal(err)
		}
		s := serving.New(b, dir, fmt.Sprintf(`ingest:
  syslog: [{name: tcp, listen: "127.0.0.1:0", transport: tcp, organisation: XZ9A1, networks: [127.0.0.0/8]}]
archive: {cut_after: 2s}
detect: {rules: [%s], indicators: [%s]}
`, strings.Join(telemetry.Rules(b), ", "), list))
		s.Start()
		lines := newWeblines(b)
		c, err := net.Dial("tcp", s.Ears["tcp"])
		if err != nil {
			b.Fatal(err)
		}
		began, late := time.Now(), time.Duration(0)
		var block []byte
		for i := range n {
			if i%len(events.All) == 0 {
				events.Redraw(uint64(i)) //nolint:gosec // a seed
			}
			if i%10 < 7 {
				block = lines.append(block)
			} else {
				block = append(block, "<134>1 - relay.hospital.example winlog - - - "...)
				block = append(block, bytes.ReplaceAll(events.All[i%len(events.All)], []byte("\n"), []byte(" "))...)
			}
			if block = append(block, '\n'); i%(pace/20) == 0 || i == n-1 {
				if _, err := c.Write(block); err != nil {
					b.Fatal(err)
				}
				block = block[:0]
				due := began.Add(time.Second * time.Duration(i) / pace)
				late = max(late, time.Since(due))
				time.Sleep(time.Until(due))
			}
		}
		sent := time.Since(began)
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
		for s.Searched() < n {
			if time.Since(began) > 15*time.Minute {
				b.Fatal("only", s.Searched(), "of", n, "were archived")
			}
			time.Sleep(100 * time.Millisecond)
		}
		all := time.Since(began)
		peak := peakMemory(b, s.Process())
		s.Stop(syscall.SIGTERM)
		on := fmt.Sprintf("%d events, %.0f a second, 70 %% web lines and 30 %% otrf; every rule, %d indicators; the sender on the same cores; every one found", n, float64(n)/sent.Seconds(), known)
		record(b, figure{"the whole path: an event sent, at a pace of 30,000 a second", sent.Seconds() / float64(n) * 1e6, 1e6 / 29_000.0, "µs", on})
		record(b, figure{"the whole path: the sender had to wait, at most", late.Seconds(), 5, "s", on})
		record(b, figure{"the whole path: all in blocks after the last", (all - sent).Seconds(), 5, "s", on})
		record(b, figure{"the whole path: memory at most", peak, 1500, "MB", on})
	}
}

// peakMemory is the most that a process had in memory, in megabytes.
func peakMemory(b *testing.B, process int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); err == nil {
			return kilobytes / 1e3
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
