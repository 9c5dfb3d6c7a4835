package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// errNewRules ends a reader's work, so that it goes on with the rules that count from now on.
var errNewRules = errors.New("the rules changed")

// followRules reads the rules and value lists again when their files change, until ctx ends. Each reader of the bus cuts what it has
// and goes on from there with the new ones, so that every event is held against one set or the other, and none is lost. What
// correlations remember begins anew.
func (e *ears) followRules(ctx context.Context) {
	paths := append(append([]string{}, e.app.Config.Detect.Rules...), e.app.Config.Detect.Lists...)
	if len(paths) == 0 {
		return // the starter rules do not change
	}
	read := stateOf(paths)
	last := read
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := stateOf(paths)
		if still := now == last; still && now != read {
			read = now
			if err := e.renew(ctx); err != nil {
				e.app.log.Error("rules not read again, those of before count", "err", printable(err.Error(), 300))
			}
		}
		last = now
	}
}

// renew puts new rules in the place of those of now.
func (e *ears) renew(ctx context.Context) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	fresh, err := e.app.openEyes()
	if err != nil {
		return err
	}
	if len(fresh.rules.Rules) == 0 && len(e.eyes.Load().rules.Rules) > 0 {
		return errors.New("no rule is left in them")
	}
	fresh.archive = e.archive.Numbering(fresh.rules.Names)
	if ctx.Err() == nil {
		e.eyes.Store(fresh)
	}
	return nil
}

// stateOf is what files and folders are like, in a text that changes with them.
func stateOf(paths []string) string {
	var b strings.Builder
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "%s: %d bytes of %d\n", path, info.Size(), info.ModTime().UnixNano())
			return nil
		})
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", path, err)
		}
	}
	return b.String()
}
