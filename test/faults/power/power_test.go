package power_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"wardwatch/test/faults/power"
	"wardwatch/test/shared"
)

func sync(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsNotSyncedIsLost is the test of what tests others.
func TestWhatIsNotSyncedIsLost(t *testing.T) {
	if os.Getuid() != 0 {
		shared.Skip(t, "a file system of our own takes an account that may mount one")
	}
	dir := t.TempDir()
	disk, err := power.New(dir)
	if err != nil {
		shared.Skip(t, "%v", err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("synced"), "first")
	sync(t, at("synced"))
	write(t, at("synced"), "second, and longer")
	write(t, at("unsynced"), "x")
	write(t, at("named"), "unsynced bytes")
	sync(t, dir)
	write(t, at("later"), "y")
	if err := os.Mkdir(at("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, at("folder/inner"), "z")
	sync(t, at("folder/inner"))
	write(t, at("old"), "moved")
	sync(t, at("old"))
	sync(t, dir)
	if err := os.Rename(at("old"), at("new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(at("synced")); err != nil {
		t.Fatal(err)
	}
	write(t, at("last"), "never synced")
	if err := disk.Lose(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"synced": "first", "unsynced": "", "named": "", "folder/inner": "z", "old": "moved", "later": ""} {
		got, err := os.ReadFile(at(name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"new", "last"} {
		if _, err := os.Stat(at(name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	write(t, at("again"), "it goes on")
	sync(t, at("again"))
	if err := disk.Lose(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(at("again")); err != nil || string(got) != "it goes on" {
		t.Error(string(got), err)
	}
}
