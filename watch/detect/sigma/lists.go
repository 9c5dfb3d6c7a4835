package sigma

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// ReadLists reads value lists for Options. A *.yml or *.yaml file is a map of names to lists; a *.txt file is one list, named
// as the file, one value a line, with empty lines and those that begin with # passed over. A folder is all such files
// directly in it. A list may be in several files, and is all of them together.
func ReadLists(paths ...string) (map[string][]string, error) {
	lists := map[string][]string{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("value lists: %w", err)
		}
		files := []string{path}
		if info.IsDir() {
			entries, err := fs.ReadDir(os.DirFS(path), ".")
			if err != nil {
				return nil, fmt.Errorf("value lists: %w", err)
			}
			files = files[:0]
			for _, e := range entries {
				if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
					files = append(files, filepath.Join(path, e.Name()))
				}
			}
		}
		for _, file := range files {
			text, err := os.ReadFile(file) //nolint:gosec // the operator names it
			if err == nil {
				err = readLists(lists, file, text)
			}
			if err != nil {
				return nil, fmt.Errorf("value lists: %s: %w", file, err)
			}
		}
	}
	return lists, nil
}

// readLists adds the lists of one file.
func readLists(lists map[string][]string, file string, text []byte) error {
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".txt":
		if !utf8.Valid(text) {
			return errors.New("not UTF-8")
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		list := lists[name]
		for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				list = append(list, line)
			}
		}
		lists[name] = list // empty too: nobody is on it
		return nil
	case ".yml", ".yaml":
		for _, doc := range documents(text) {
			if doc.err != nil {
				return doc.err
			}
			if doc.shape != yamlMap {
				return fmt.Errorf("%v where a map of names to lists is expected", doc.shape)
			}
			for i, name := range doc.keys {
				values, err := doc.list[i].strings()
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				name = strings.Trim(name, "%")
				lists[name] = append(lists[name], values...)
			}
		}
		return nil
	default:
		return fmt.Errorf("neither YAML nor text (%q)", ext)
	}
}
