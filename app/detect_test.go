package app_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/app"
	"wardwatch/ward"
)

// found is what a program reads of a line.
type found struct {
	RuleID  string                                       `json:"rule_id"`
	Title   string                                       `json:"title"`
	Level   string                                       `json:"level"`
	File    string                                       `json:"file"`
	Record  int                                          `json:"record"`
	Time    string                                       `json:"time"`
	Matched []struct{ Field, Value string }              `json:"matched"`
	Kind    string                                       `json:"kind"`
	Host    string                                       `json:"host"`
	Known   *struct{ Type, Value, Source, Grade string } `json:"indicator"`
	Records []struct{ Record int }                       `json:"records"`
}

const portForwarded = "dcdc44a4-862f-4d97-969e-688659df046c"

// forwarding is a process that forwards a port.
func forwarding(port int) string {
	return fmt.Sprintf(`{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ward-7.harbour.example","UtcTime":"2025-05-15 03:00:%02d.100",`+
		`"Image":"C:\\Windows\\System32\\netsh.exe","CommandLine":"netsh interface portproxy add v4tov4 listenport=%d"}`, port%60, port)
}

// run detects with JSON and gives back the matches and what was said on the side.
func run(t *testing.T, o app.DetectOptions) (matches []found, side string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	o.JSON, o.Out, o.Err, o.Clock = true, &out, &errs, ward.NewHandClock(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	err = app.Detect(t.Context(), o)
	for line := range bytes.Lines(out.Bytes()) {
		var m found
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		matches = append(matches, m)
	}
	return matches, errs.String(), err
}

func TestDetectSaysWhatWhereAndWhen(t *testing.T) {
	path := file(t, "events.ndjson", forwarding(1)+"\n{}\n"+forwarding(2)+"\n")
	matches, _, err := run(t, app.DetectOptions{Files: []string{path}})
	if err != nil || len(matches) != 2 {
		t.Fatalf("%d matches, %v", len(matches), err)
	}
	m := matches[1]
	if m.RuleID != portForwarded || m.Level != "medium" || m.File != path || m.Record != 3 || m.Time != "2025-05-15T03:00:02.1Z" || m.Kind != "rule" || m.Host != "ward-7.harbour.example" {
		t.Errorf("got %+v", m)
	}
	if len(m.Matched) != 1 || m.Matched[0].Field != "CommandLine" || !strings.HasSuffix(m.Matched[0].Value, "listenport=2") {
		t.Errorf("matched %+v", m.Matched)
	}
}

// TestDetectReadsArchives: members are named after their archive, and what macOS adds to one is no event.
func TestDetectReadsArchives(t *testing.T) {
	var zipped, packed bytes.Buffer
	z := zip.NewWriter(&zipped)
	for name, content := range map[string]string{"logs/events.json": forwarding(1) + forwarding(2), "__MACOSX/logs/._events.json": "\x00\x05\x16\x07" + forwarding(3)} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	g := gzip.NewWriter(&packed)
	fmt.Fprintln(g, forwarding(4))
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	archive, gz := file(t, "a.zip", zipped.String()), file(t, "b.ndjson.gz", packed.String())
	matches, side, err := run(t, app.DetectOptions{Files: []string{archive, gz}})
	if err != nil || side == "" { // the starter rules that ask for lists are named
		t.Fatalf("%v, %q", err, side)
	}
	var places []string
	for _, m := range matches {
		places = append(places, fmt.Sprint(m.File, " ", m.Record))
	}
	want := []string{archive + "!logs/events.json 1", archive + "!logs/events.json 2", gz + " 1"}
	if !slices.Equal(places, want) {
		t.Errorf("got  %q\nwant %q", places, want)
	}
}

// TestDetectGoesOnAfterBadEvents: each bad event is counted and named, and those beside it count.
func TestDetectGoesOnAfterBadEvents(t *testing.T) {
	for name, bad := range map[string]string{
		"cut off": forwarding(1)[:60], "nested deeply": strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000),
		"not JSON": `{"a": nothing}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, "events.ndjson", forwarding(1)+"\n"+bad+"\n"+forwarding(2)+"\n")
			matches, side, err := run(t, app.DetectOptions{Files: []string{path}, Stats: true})
			if err != nil || len(matches) != 2 || !strings.Contains(side, "record 2") {
				t.Errorf("%d matches, %v, said %s", len(matches), err, side)
			}
			var figures struct {
				Events int            `json:"events"`
				Bad    map[string]int `json:"bad_records"`
			}
			lines := strings.Split(strings.TrimSpace(side), "\n")
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &figures); err != nil || figures.Events != 2 || len(figures.Bad) != 1 {
				t.Errorf("figures %+v, %v", figures, err)
			}
		})
	}
}

func TestDetectRefusesWhatItCannotRead(t *testing.T) {
	good := file(t, "events.ndjson", forwarding(1))
	for name, o := range map[string]app.DetectOptions{
		"no file":       {Files: []string{filepath.Join(t.TempDir(), "none.log")}},
		"no rules":      {Files: []string{good}, Rules: app.RulesOptions{Dirs: []string{filepath.Join(t.TempDir(), "none")}}},
		"no good rule":  {Files: []string{good}, Rules: app.RulesOptions{Dirs: []string{file(t, "bad.yml", "title: x\n")}}},
		"no indicators": {Files: []string{good}, Indicators: []string{file(t, "none.txt", "# nothing\n")}},
		"no lists":      {Files: []string{good}, Rules: app.RulesOptions{Lists: []string{filepath.Join(t.TempDir(), "none")}}},
	} {
		if _, _, err := run(t, o); !errors.Is(err, app.ErrNothingRead) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var invalid *ward.Invalid
	if _, _, err := run(t, app.DetectOptions{Files: []string{good}, Format: "papyrus"}); !errors.As(err, &invalid) || !strings.Contains(invalid.Hint, "json") {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestDetectTellsIndicators(t *testing.T) {
	list := file(t, "campaign.csv", "type,value,source,grade\ndomain,attacker.example,Harbour CERT,B2\nnonsense,x,y,\n")
	event := `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":22,"Computer":"w","UtcTime":"2025-05-15 03:00:00","QueryName":"files.attacker.example"}`
	matches, side, err := run(t, app.DetectOptions{Files: []string{file(t, "e.json", event)}, Indicators: []string{list}})
	if err != nil || len(matches) != 1 || !strings.Contains(side, "line 3") {
		t.Fatalf("%d matches, %v, said %q", len(matches), err, side)
	}
	m := matches[0]
	if m.Kind != "indicator" || m.RuleID != "" || m.Level != "high" || m.Known == nil || m.Known.Value != "attacker.example" || m.Known.Source != "Harbour CERT" || m.Known.Grade != "B2" {
		t.Errorf("got %+v, %+v", m, m.Known)
	}
	if len(m.Matched) != 1 || m.Matched[0].Field != "QueryName" || m.Matched[0].Value != "files.attacker.example" {
		t.Errorf("matched %+v", m.Matched)
	}
}

// TestDetectFoldsForPeople: what a person reads says each thing once, and no terminal obeys what a log says.
func TestDetectFoldsForPeople(t *testing.T) {
	evil := strings.Replace(forwarding(7), "ward-7.harbour.example", `\u001b[2Jward\u202e`, 1)
	path := file(t, "e.ndjson", strings.Repeat(forwarding(5)+"\n", 40)+evil+"\n")
	var out, errs bytes.Buffer
	if err := app.Detect(t.Context(), app.DetectOptions{Files: []string{path}, Out: &out, Err: &errs}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"MEDIUM: Port of a Windows machine forwarded to another\n", "; 40 times at that time\n", "2 detections (2 medium), seen 41 times, in 41 events of 1 file.\n", `\u001b[2Jward\u202e`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("a terminal would obey: %q", text)
	}
}
