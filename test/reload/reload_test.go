package reload_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/test/serving"
)

// TestRulesThatChangeCountFromThenOn changes the folder of rules while somebody sends: a rule more, a file that is no rule beside it, and a
// folder that is empty. Every event is kept once, whatever happened meanwhile.
func TestRulesThatChangeCountFromThenOn(t *testing.T) {
	folder := t.TempDir()
	rules := filepath.Join(folder, "rules")
	if err := os.Mkdir(rules, 0o750); err != nil {
		t.Fatal(err)
	}
	rule := func(name, id, word string) {
		t.Helper()
		text := fmt.Sprintf("title: Shows %s\nid: %s\nstatus: test\nlogsource: {category: webserver}\ndetection:\n  sel:\n    cs-uri-query|contains: %s\n  condition: sel\nlevel: high\n", word, id, word)
		if err := os.WriteFile(filepath.Join(rules, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rule("one.yml", "5b0e5a0e-0000-4000-8000-000000000001", "heron")
	s := serving.New(t, folder, "ingest: {http: {listen: '127.0.0.1:0'}}\narchive: {cut_after: 500ms}\ndetect: {rules: ["+rules+"]}\n")
	token := s.Token("ZZ1")
	s.Start()
	sent := 0
	send := func(word string) {
		t.Helper()
		sent++
		line := fmt.Sprintf("192.0.2.7 - - [%s] \"GET /a?q=%s-%d HTTP/1.1\" 200 5 \"-\" \"curl/8\"\n", time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), word, sent)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Ears["http"]+"/v1/events?format=combined", strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	titles := func() map[string]int {
		t.Helper()
		counts := map[string]int{}
		for line := range bytes.Lines(s.Run("detections", "--json")) {
			var one struct {
				Title string
				Count int
			}
			if err := json.Unmarshal(line, &one); err != nil {
				t.Fatal(err)
			}
			counts[one.Title] += one.Count
		}
		return counts
	}
	// until sends a word until a rule has seen it.
	until := func(word string) {
		t.Helper()
		before := titles()["Shows "+word]
		for range 40 {
			send(word)
			time.Sleep(500 * time.Millisecond)
			if titles()["Shows "+word] > before {
				return
			}
		}
		t.Fatalf("no rule sees %s: %v", word, titles())
	}
	until("heron")
	if titles()["Shows otter"] != 0 {
		t.Fatal("a rule that is not there")
	}
	send("otter")
	rule("two.yml", "5b0e5a0e-0000-4000-8000-000000000002", "otter")
	until("otter")
	if err := os.WriteFile(filepath.Join(rules, "three.yml"), []byte("title: [no rule\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(6 * time.Second)
	until("heron")
	for _, name := range []string{"one.yml", "two.yml", "three.yml"} {
		if err := os.Remove(filepath.Join(rules, name)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(6 * time.Second)
	until("otter") // an empty folder is somebody's mistake: what was read before counts
	s.Found("192.0.2.7", sent)
}
