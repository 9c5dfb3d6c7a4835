// Package debian unpacks Debian packages for a test, and installs none of them: some conflict with each other. In: names of packages.
// Out: a folder with their files, kept in the user's cache, and the environment in which their programs find their libraries.
package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/test/shared"
)

// patience is how long fetching may take on a slow line.
const patience = 5 * time.Minute

// Unpack gives the folder with the files of packages, fetching them when this machine does not have them. Libraries that they need
// and that a plain machine may lack are named too.
func Unpack(t testing.TB, packages ...string) (root string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256([]byte(strings.Join(packages, " ")))
	root = filepath.Join(cache, "wardwatch", "debian-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(root); err == nil {
		return root
	}
	for _, program := range []string{"apt-get", "dpkg"} {
		if _, err := exec.LookPath(program); err != nil {
			shared.Skip(t, "%s is missing: real senders come from Debian packages", program)
		}
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(filepath.Dir(root), "unpack-") // beside it and renamed: two tests at once cannot meet half of it
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := run(ctx, work, "apt-get", append([]string{"download", "-qq"}, packages...)...); err != nil {
		out, updating := run(ctx, work, "apt-get", "update", "-qq") // its lists may be none or old
		again, err := run(ctx, work, "apt-get", append([]string{"download", "-qq"}, packages...)...)
		if err != nil {
			shared.Skip(t, "apt-get download: %v\n%s%s", errors.Join(updating, err), out, again)
		}
	}
	found, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(found) < len(packages) {
		t.Fatalf("%d of %d packages were fetched, %v", len(found), len(packages), err)
	}
	for _, deb := range found {
		if out, err := run(ctx, work, "dpkg", "-x", deb, filepath.Join(work, "root")); err != nil {
			t.Fatalf("dpkg -x %s: %v\n%s", deb, err, out)
		}
	}
	if err := os.Rename(filepath.Join(work, "root"), root); err != nil {
		if _, missing := os.Stat(root); missing != nil { // otherwise another test has just done the same
			t.Fatal(err)
		}
	}
	return root
}

func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// Environment is this process's, with the libraries of a folder that Unpack gave before the machine's own.
func Environment(t testing.TB, root string) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), ".so") && !slices.Contains(folders, filepath.Dir(path)) {
			folders = append(folders, filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(folders, ":"))
}
