// Package npm installs what a test needs from npm, once a machine.
//
// In comes a folder with a package.json and its package-lock.json; out goes the folder of the installed modules, kept in the
// user's cache under the hash of the lock. Nothing is installed into the repository and no script of a package is run.
package npm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"wardwatch/test/shared"
)

// patience is how long an installation may take on a slow line.
const patience = 3 * time.Minute

// Modules gives the node_modules folder of a manifest, installing it when this machine does not have it.
func Modules(t testing.TB, manifest fs.FS) string {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json"} {
		body, err := fs.ReadFile(manifest, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = body
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(files["package-lock.json"])
	home := filepath.Join(cache, "wardwatch", "npm-"+hex.EncodeToString(sum[:6]))
	modules := filepath.Join(home, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules
	}
	program, err := exec.LookPath("npm")
	if err != nil {
		shared.Skip(t, "npm is missing: install it with `apt-get install npm`")
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		t.Fatal(err)
	}
	// Installed beside and renamed, so that two tests at once cannot meet half an installation.
	work, err := os.MkdirTemp(filepath.Dir(home), "install-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(work, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	install := exec.CommandContext(ctx, program, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = work
	if out, err := install.CombinedOutput(); err != nil {
		shared.Skip(t, "npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(work, home); err != nil {
		if _, missing := os.Stat(modules); missing != nil { // otherwise another test has just done the same
			t.Fatal(err)
		}
	}
	return modules
}
