// Package shared finds the large public data sets that tests read and the repository does not carry. In: the environment
// variable WARDWATCH_SHARED, or the folder ../shared beside the clone. Out: paths that exist. A test whose data is absent
// is skipped with the reason; where CI=true it fails instead, so that a green run means that everything ran. It never
// downloads anything and never writes there.
package shared

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Env names the variable that says where the shared folder is.
const Env = "WARDWATCH_SHARED"

// Dir is the shared folder; the data sets are below its data/ folder.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := locate(os.Getenv(Env))
	if err != nil {
		Skip(t, "shared data: %v (set %s)", err, Env)
	}
	return dir
}

// File is a file or folder below Dir that exists, such as File(t, "data", "vuln", "kev").
func File(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{Dir(t)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		Skip(t, "shared data: %v", err)
	}
	return path
}

// Skip skips a test for which this machine lacks something (data, a browser, a database), and fails it where CI=true.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format+": not to be skipped where CI=true", args...)
	}
	t.Skipf(format, args...)
}

// Root is the folder that holds go.mod.
func Root(t testing.TB) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func locate(env string) (string, error) {
	dir := env
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "..", "shared")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s: not a folder", dir)
	}
	return dir, nil
}

// moduleRoot walks up from the working directory, which is the package's own folder while its tests run.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		switch {
		case err == nil:
			return dir, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		case dir == filepath.Dir(dir):
			return "", fmt.Errorf("no go.mod above %s", start)
		}
	}
}
