// Package telemetry gives benchmarks recorded events whose values are drawn anew as often as they like, so that nothing which
// remembers a value or an event can look quick. In: the public sets of the shared folder. Out: events of the same shape and
// size, with other numbers, hashes, addresses and names of machines and people in them. It never changes words, paths or
// registry keys: those are what rules are about.
package telemetry

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/watch"
)

// Events are JSON objects, one an event.
type Events struct {
	All   [][]byte
	Bytes int
	drawn []spot
}

// A spot is a byte that is drawn anew, out of the others of its kind.
type spot struct {
	event, at int32
	kind      byte // '0': a digit, 'a': of the first six letters, 'z': a letter; 'A', 'Z': the same, large
}

// Rules are the folders of the community's whole set of rules.
func Rules(t testing.TB) (folders []string) {
	t.Helper()
	for _, name := range []string{"rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting"} {
		folders = append(folders, shared.File(t, "data", "sigma", name))
	}
	return folders
}

// OTRF are the events of the public Security-Datasets.
func OTRF(t testing.TB) *Events {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(shared.File(t, "data", "events", "otrf"), "*.zip"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no recorded events: %v", err)
	}
	slices.Sort(archives)
	e := &Events{}
	for _, name := range archives {
		archive, err := zip.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range archive.File {
			if strings.Contains(member.Name, "__MACOSX") || member.FileInfo().IsDir() {
				continue
			}
			file, err := member.Open()
			if err != nil {
				t.Fatal(err)
			}
			e.read(t, name, file)
			_ = file.Close()
		}
		_ = archive.Close()
	}
	return e.ready()
}

// Regression are the records of the rules' own regression cases, as often as copies says: there are some two hundred.
func Regression(t testing.TB, copies int) *Events {
	t.Helper()
	e := &Events{}
	root := shared.File(t, "data", "sigma", "regression")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		file, err := os.Open(path) //nolint:gosec // the shared data
		if err != nil {
			return err
		}
		defer file.Close()
		e.read(t, path, file)
		return nil
	})
	if err != nil || len(e.All) == 0 {
		t.Fatalf("no regression cases: %v", err)
	}
	once := e.All
	for range copies - 1 {
		for _, event := range once {
			e.All = append(e.All, bytes.Clone(event))
		}
	}
	return e.ready()
}

func (e *Events) read(t testing.TB, name string, from io.Reader) {
	t.Helper()
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	for {
		event, rest, err := watch.NextJSON(text)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e.All, text = append(e.All, bytes.Clone(event)), rest
	}
}

// Some leaves every so many events out.
func (e *Events) Some(of int) *Events {
	some := &Events{}
	for i := 0; i < len(e.All); i += of {
		some.All = append(some.All, e.All[i])
	}
	return some.ready()
}

var (
	escapes = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)
	numbers = regexp.MustCompile(`\d{5,}`)
	hashes  = regexp.MustCompile(`\b[0-9a-fA-F]{8,}\b`)
	hosts   = regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.(\d{1,3})\b`)
	named   = regexp.MustCompile(`"(?:Hostname|host|Computer|User|SourceUser|TargetUser|SubjectUserName|TargetUserName|AccountName|` +
		`SubjectDomainName|TargetDomainName|userName|WorkstationName)": ?"(?:[^"\\]*\\\\)?([A-Za-z0-9-]{5,})`)
	people = []string{"system", "service", "network", "local", "administrator", "authority"}
)

// ready finds what is drawn anew.
func (e *Events) ready() *Events {
	e.Bytes, e.drawn = 0, nil
	for i, event := range e.All {
		e.Bytes += len(event)
		kinds := make([]byte, len(event))
		mark := func(from, to int, letters byte) {
			for at := from; at < to; at++ {
				switch c := event[at]; {
				case '0' <= c && c <= '9':
					kinds[at] = '0'
				case 'a' <= c && c <= 'z':
					kinds[at] = letters
				case 'A' <= c && c <= 'Z':
					kinds[at] = letters - 0x20
				}
			}
		}
		for _, m := range numbers.FindAllIndex(event, -1) {
			mark(m[0], m[1], 'z')
		}
		for _, m := range hashes.FindAllIndex(event, -1) {
			mark(m[0], m[1], 'a')
		}
		for _, m := range hosts.FindAllSubmatchIndex(event, -1) {
			mark(m[2], m[3], 'z')
		}
		for _, m := range named.FindAllSubmatch(event, -1) {
			if !slices.Contains(people, strings.ToLower(string(m[1]))) {
				for at := 0; ; {
					next := bytes.Index(event[at:], m[1])
					if next < 0 {
						break
					}
					at += next + len(m[1])
					mark(at-len(m[1]), at, 'z')
				}
			}
		}
		for _, m := range escapes.FindAllIndex(event, -1) {
			clear(kinds[m[0]:m[1]])
		}
		for at, kind := range kinds {
			if kind != 0 {
				e.drawn = append(e.drawn, spot{int32(i), int32(at), kind}) //nolint:gosec // sizes of events
			}
		}
	}
	return e
}

// Redraw draws anew: numbers (not their first digit, so that none begins with 0), hashes, the last part of addresses, and names.
func (e *Events) Redraw(seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a benchmark
	last := spot{event: -1}
	for _, s := range e.drawn {
		first := s.event != last.event || s.at != last.at+1
		last = s
		b := byte(random.Uint32() >> 8) //nolint:gosec // any byte
		switch s.kind {
		case '0':
			if !first {
				e.All[s.event][s.at] = '0' + b%10
			}
		case 'a', 'A':
			e.All[s.event][s.at] = s.kind + b%6
		default:
			e.All[s.event][s.at] = s.kind - 25 + b%26
		}
	}
}

// Megabyte is an event of PowerShell with a script of a megabyte, put together from the scripts of the recorded ones.
func Megabyte(t testing.TB, events *Events) []byte {
	t.Helper()
	const begin, size = `"ScriptBlockText":"`, 1 << 20
	var script, before, after []byte
	for _, event := range events.All {
		at := bytes.Index(event, []byte(begin))
		if at < 0 {
			continue
		}
		text := event[at+len(begin):]
		end := bytes.Index(text, []byte(`","`))
		if end < 100 {
			continue
		}
		script = append(script, text[:end]...)
		before, after = event[:at+len(begin)], text[end:]
	}
	if before == nil {
		t.Fatal("no event has a script")
	}
	script = bytes.Repeat(script, 1+size/len(script))
	end := size
	for bytes.IndexByte(script[end-6:end], '\\') >= 0 { // not within an escape
		end--
	}
	return slices.Concat(before, script[:end], after)
}
