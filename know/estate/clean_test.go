package estate_test

import (
	"os"
	"path/filepath"
	"testing"

	"wardwatch/know/estate"
)

func TestCleanLeavesNothingThatDeceives(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"web\u202egnp.exe", "web gnp.exe"},
		{"\u2066mdm\u2069 1\u200f", "mdm 1"},
		{"a\x00b\r\nX: 1", "a b X: 1"},
		{"caf\xc3\xa9 \xff", "café \ufffd"},
	} {
		if got := estate.Clean(row.in); got != row.want {
			t.Errorf("%q becomes %q, want %q", row.in, got, row.want)
		}
	}
}

// watching looks for spooled inventories while an import reads one.
type watching struct {
	dir  string
	seen []string
	body *os.File
}

func (w *watching) Read(p []byte) (int, error) {
	w.seen, _ = filepath.Glob(filepath.Join(w.dir, "*"))
	return w.body.Read(p)
}

func TestAnInventoryBeingReadHasNoNameOnTheDisk(t *testing.T) {
	h := open(t)
	path := filepath.Join(t.TempDir(), "x.csv")
	h.must(os.WriteFile(path, []byte("asset,product,version\nmdm1,EPMM,12.5.0.0\n"), 0o600))
	file, err := os.Open(path)
	h.must(err)
	defer file.Close()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	body := &watching{dir: dir, body: file}
	d := delivery("XZ1A", "edge", "", start)
	d.Body = body
	if _, err := h.Import(ctx, person("lead", "XZ1A"), d); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(body.seen) != 0 || len(left) != 0 {
		t.Errorf("a kill would leave the inventory behind: %v, %v", body.seen, left)
	}
}
