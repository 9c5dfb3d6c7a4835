package shared_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"wardwatch/test/shared"
)

// verdict records how a test ended; a testing.TB that really failed would fail this one.
type verdict struct {
	testing.TB
	skipped, failed bool
	said            string
}

func (v *verdict) Helper() {}

func (v *verdict) Skipf(format string, _ ...any) { v.skipped, v.said = true, format; runtime.Goexit() }

func (v *verdict) Fatalf(format string, _ ...any) { v.failed, v.said = true, format; runtime.Goexit() }

// try runs f as a test would run: in a goroutine of its own, that Skip and Fatal end.
func try(t *testing.T, f func(testing.TB)) *verdict {
	t.Helper()
	v := &verdict{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(v)
	}()
	<-done
	return v
}

func TestFileBelowTheFolderOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	want := filepath.Join(dir, "data", "kev.json")
	if err := os.MkdirAll(filepath.Dir(want), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(want, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(shared.Env, dir)
	if got := shared.Dir(t); got != dir {
		t.Errorf("Dir = %s, want %s", got, dir)
	}
	if got := shared.File(t, "data", "kev.json"); got != want {
		t.Errorf("File = %s, want %s", got, want)
	}
}

func TestAbsentDataSkipsAndFailsInCI(t *testing.T) {
	empty := t.TempDir()
	for _, row := range []struct {
		name, shared, ci string
		failed           bool
	}{
		{"no folder", filepath.Join(empty, "absent"), "", false},
		{"no file", empty, "", false},
		{"no folder in CI", filepath.Join(empty, "absent"), "true", true},
		{"no file in CI", empty, "true", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(shared.Env, row.shared)
			t.Setenv("CI", row.ci)
			v := try(t, func(tb testing.TB) { shared.File(tb, "data", "kev.json") })
			if v.failed != row.failed || v.skipped == row.failed {
				t.Errorf("failed %v, skipped %v; want failed %v", v.failed, v.skipped, row.failed)
			}
			if !strings.HasPrefix(v.said, "shared data: ") {
				t.Errorf("said %q, want the reason", v.said)
			}
		})
	}
}

func TestRootHoldsTheModule(t *testing.T) {
	if _, err := os.Stat(filepath.Join(shared.Root(t), "go.mod")); err != nil {
		t.Error(err)
	}
}
