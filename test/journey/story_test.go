package journey_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStories plays every story. A sentence that no step understands, and one that does not come true, fail with its line.
func TestStories(t *testing.T) {
	names, err := filepath.Glob("*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sentences, files := split(string(text))
			w := open(t, files)
			thens := 0
			for i, line := range sentences {
				line = strings.TrimSpace(line)
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				if strings.HasPrefix(line, "then ") {
					thens++
				}
				if err := w.tell(line); err != nil {
					t.Fatalf("%s:%d: %s\n\t%v", name, i+1, line, err)
				}
			}
			if thens == 0 {
				t.Errorf("%s expects nothing", name)
			}
		})
	}
}

// split separates the sentences of a story from its files, each below a line "-- name --".
func split(text string) (sentences []string, files map[string]string) {
	files = map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		mark := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(mark, "-- ") && strings.HasSuffix(mark, " --"):
			name = strings.TrimSpace(mark[2 : len(mark)-2])
			files[name] = ""
		case name == "":
			sentences = append(sentences, strings.TrimRight(line, "\n"))
		default:
			files[name] += line
		}
	}
	return sentences, files
}
