package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch/archive"
)

// tend does what there is to do for the archive by itself until ctx ends, unless another process is at it.
func (a *App) tend(ctx context.Context, kept *archive.Archive) {
	(&jobs{clock: a.Clock, log: a.log, table: []job{{"archive", func(ctx context.Context, now time.Time) (next time.Time, err error) {
		unlock, err := tryLock(filepath.Join(a.archiveFolder(), ".upkeep.lock"))
		if errors.Is(err, errTended) {
			return now.Add(time.Minute), nil
		}
		if err != nil {
			return now, err
		}
		defer func() { err = errors.Join(err, unlock()) }()
		return kept.Due(ctx, now)
	}}}}).run(ctx, nil)
}

// errTended is what a command says that would change blocks while another process does.
var errTended = errors.New("another process is at work on this archive; stop the server first, or wait")

// VerifyArchive checks everything that is kept. With adopt it takes blocks that the manifest lacks into it, while no server runs.
func (a *App) VerifyArchive(ctx context.Context, adopt bool, progress func(done, total int64)) (report archive.Report, err error) {
	kept, err := a.openArchive(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if adopt {
		unlock, err := a.alone(ctx)
		if err != nil {
			return report, err
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	return kept.Verify(ctx, archive.VerifyOptions{Adopt: adopt, Progress: progress})
}

// alone holds imports, servers and upkeep off.
func (a *App) alone(ctx context.Context) (unlock func() error, err error) {
	serving, err := tryLock(filepath.Join(a.archiveFolder(), ".serving.lock"))
	if err != nil {
		return nil, err
	}
	imports, err := lockImports(ctx, filepath.Join(a.archiveFolder(), ".import.lock"))
	if err != nil {
		return nil, errors.Join(err, serving())
	}
	return func() error { return errors.Join(imports(), serving()) }, nil
}

const (
	// idleShare is how much of the machine's processors the program may use while blocks are merged beside it.
	idleShare = 0.35
	// idleWatch is how long that is looked at.
	idleWatch = 5 * time.Second
	// mostBehind is how many batches may wait to be read while blocks are merged.
	mostBehind = 20
)

// idle says whether the program has used little of the machine for a moment.
func (a *App) idle(ctx context.Context) bool {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(idleWatch):
	}
	return float64(used()-before) < idleShare*float64(idleWatch)*float64(runtime.GOMAXPROCS(0))
}

// behind says whether events wait to be read.
func (e *ears) behind() bool {
	for shard := range e.bus.Shards() {
		state, err := e.bus.State(context.Background(), shard)
		if err != nil || state.Last > e.reached[shard].Load()+mostBehind {
			return true
		}
	}
	return false
}

// tryLock takes a lock that one process holds, or says that another has it.
func tryLock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // in the data directory
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a file's number
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errTended
		}
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// TidyArchive does once what a server does for the archive by itself.
func (a *App) TidyArchive(ctx context.Context) (err error) {
	kept, err := a.openArchive(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	unlock, err := tryLock(filepath.Join(a.archiveFolder(), ".upkeep.lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for now, next := a.Clock.Now(), (time.Time{}); !next.After(now); now = a.Clock.Now() {
		if next, err = kept.Due(ctx, now); err != nil {
			return err
		}
	}
	return nil
}

// HoldOptions say what must not be deleted.
type HoldOptions struct{ Org, Kind, Since, Until, Reason string }

// HoldEvents keeps events from being deleted until the hold is released.
func (a *App) HoldEvents(ctx context.Context, o HoldOptions) (h ward.Hold, err error) {
	h = ward.Hold{Kind: o.Kind, Reason: strings.TrimSpace(o.Reason), Set: a.Clock.Now(), SetBy: shell.Name}
	if h.Reason == "" {
		return h, &ward.Invalid{Field: "reason", Problem: "is empty", Hint: "say what the events are held for, such as a case number"}
	}
	if o.Org != "" {
		if h.Org, err = parseOrgCode(o.Org); err != nil {
			return h, err
		}
		if h.Org, _, err = a.asRegistered(ctx, h.Org); err != nil {
			return h, err
		}
	}
	if h.Since, err = parseMoment("since", o.Since, h.Set); err != nil {
		return h, err
	}
	if h.Until, err = parseMoment("until", o.Until, h.Set); err != nil {
		return h, err
	}
	return h, a.store.Update(ctx, func(tx *store.Tx) (err error) {
		if h.ID, err = tx.AddHold(ctx, h); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: h.Set, Person: shell.Person, Name: shell.Name, Action: "archive.hold", Subject: fmt.Sprintf("hold/%d", h.ID), Org: h.Org, Detail: h.Reason})
	})
}

// ReleaseHold ends a hold.
func (a *App) ReleaseHold(ctx context.Context, id int64) error {
	now := a.Clock.Now()
	return a.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.ReleaseHold(ctx, id, now, shell.Name); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: shell.Person, Name: shell.Name, Action: "archive.release", Subject: fmt.Sprintf("hold/%d", id)})
	})
}

// Holds lists the holds.
func (a *App) Holds(ctx context.Context) (all []ward.Hold, err error) {
	err = a.store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Holds(ctx)
		return err
	})
	return all, err
}

// Deletions lists what was deleted of the archive.
func (a *App) Deletions(ctx context.Context) (all []ward.Deletion, err error) {
	err = a.store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Deletions(ctx, ward.Everything())
		return err
	})
	return all, err
}

// ArchiveReport writes what verifying found, for reading.
func ArchiveReport(report archive.Report) func(w io.Writer) {
	return func(w io.Writer) {
		for _, f := range report.Faults {
			fmt.Fprintf(w, "%s: %s; %s\n", f.Block, f.Problem, f.Done)
		}
		if n := len(report.Unlisted); n > 0 {
			fmt.Fprintf(w, "%d objects are in no manifest: a cut that was broken off leaves them, or a database put back from before; --adopt keeps what is missing of them\n", n)
		}
		if report.Adopted > 0 {
			fmt.Fprintf(w, "%d events of them are kept from now on\n", report.Adopted)
		}
		fmt.Fprintf(w, "%d blocks with %d events in %d bytes: %d wrong\n", report.Blocks, report.Events, report.Bytes, len(report.Faults))
		if report.Deletions > 0 {
			fmt.Fprintf(w, "%d records of what was deleted\n", report.Deletions)
		}
	}
}

// Hold is a hold as commands print it.
type Hold = ward.Hold

// Deletion is the record of a deletion as commands print it.
type Deletion = ward.Deletion
