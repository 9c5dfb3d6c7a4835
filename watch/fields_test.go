package watch_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/watch"
)

var writeFields = flag.Bool("write-fields", false, "write the tables into docs/fields.md")

// The document says what the tables say: go test ./watch -run TestFieldsDocument -write-fields writes it anew.
func TestFieldsDocument(t *testing.T) {
	name := filepath.Join("..", "docs", "fields.md")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const begins, ends = "<!-- tables begin -->\n", "<!-- tables end -->"
	before, rest, found := strings.Cut(string(text), begins)
	old, after, closed := strings.Cut(rest, ends)
	if !found || !closed {
		t.Fatalf("%s has no place for the tables", name)
	}
	if tables := "\n" + watch.Tables() + "\n"; old != tables {
		if !*writeFields {
			t.Fatalf("%s is not what the tables say; -write-fields writes it anew", name)
		}
		if err := os.WriteFile(name, []byte(before+begins+tables+ends+after), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSignsFit(t *testing.T) {
	if !watch.SignsFit() {
		t.Error("a name that tells logs apart has no place in signs: make it longer")
	}
}
