package sigma

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Options are what a set of rules needs beside the rules. The zero Options are fine for most sets.
type Options struct {
	// Lists are the values of the placeholders that rules ask for by |expand: the name without its percent signs, and the
	// values, in which wildcards count. A rule whose placeholder has no list is refused.
	Lists map[string][]string
	// Fields are names that others than the rules ask for, and that Set.Names is to number beside theirs.
	Fields []string
}

// A File is one file of rules.
type File struct {
	Name string // as it is to stand in reports
	Text []byte
	Err  error // why it could not be read, which the Report then says
}

// Load reads all rules below the folders (or the single files) given: *.yml and *.yaml, names that begin with a dot and
// __MACOSX passed over. The error is for a folder that cannot be read at all; what is wrong with a rule is in the Report.
func Load(o Options, dirs ...string) (*Set, *Report, error) {
	var files []File
	seen := map[string]bool{}
	for _, dir := range dirs {
		found, err := Files(dir)
		if err != nil {
			return nil, nil, fmt.Errorf("rules: %w", err)
		}
		for _, f := range found {
			id, err := filepath.Abs(f.Name)
			if err != nil {
				id = f.Name
			}
			if !seen[id] { // folders may be given twice, or one within the other
				seen[id] = true
				files = append(files, f)
			}
		}
	}
	set, report := Parse(o, files...)
	return set, report, nil
}

// Files reads the files of rules below a folder, in the order of their names, or the one file.
func Files(dir string) ([]File, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		text, err := os.ReadFile(dir) //nolint:gosec // the operator names it
		return []File{{Name: dir, Text: text}}, err
	}
	files, err := FilesIn(os.DirFS(dir))
	for i := range files {
		files[i].Name = filepath.Join(dir, filepath.FromSlash(files[i].Name))
	}
	return files, err
}

// FilesIn reads the files of rules in a file system, such as those that the program carries in itself.
func FilesIn(fsys fs.FS) ([]File, error) {
	var files []File
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil && name == ".":
			return err
		case err != nil:
			files = append(files, File{Name: name, Err: err})
			return nil //nolint:nilerr // it goes with the file, and the next one is read
		case base != "." && (strings.HasPrefix(base, ".") || base == "__MACOSX"):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || !slices.Contains([]string{".yml", ".yaml"}, strings.ToLower(path.Ext(name))):
			return nil
		}
		info, err := fs.Stat(fsys, name)
		switch {
		case err != nil:
			files = append(files, File{Name: name, Err: err})
		case !info.Mode().IsRegular():
			files = append(files, File{Name: name, Err: errors.New("not a regular file")})
		case info.Size() > maxFile:
			files = append(files, File{Name: name, Err: fmt.Errorf("%d bytes, more than %d", info.Size(), maxFile)})
		default:
			text, err := fs.ReadFile(fsys, name)
			files = append(files, File{Name: name, Text: text, Err: err})
		}
		return nil
	})
	return files, err
}
