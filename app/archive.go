package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/ingest/file"
)

// archiveNames are the fields of records that are archived.
func archiveNames() *watch.Names {
	return watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields(), archive.HostFields())...)
}

func (a *App) archiveFolder() string {
	return cmp.Or(a.Config.Archive.Folder, filepath.Join(a.Config.Data, "archive"))
}

// openArchive opens the archive of the data directory.
func (a *App) openArchive(ctx context.Context) (*archive.Archive, error) {
	return a.openArchiveFor(ctx, archiveNames())
}

// openArchiveFor opens it for records whose fields are numbered by names.
func (a *App) openArchiveFor(ctx context.Context, names *watch.Names) (*archive.Archive, error) {
	folder := a.archiveFolder()
	bucket, err := a.openBucket(ctx)
	if err != nil {
		return nil, err
	}
	temp := filepath.Join(folder, ".growing")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	o := archive.Options{
		Clock: a.Clock, Store: a.store, Bucket: bucket, Temp: temp, CutWait: a.Config.Archive.CutAfter, Log: a.log, Names: names,
		Keyer: func(names *watch.Names) watch.Keyer { return indicators.NewKeyer(names) },
	}
	for _, k := range a.Config.Archive.Keep {
		o.Keep = append(o.Keep, archive.Keep{Org: ward.OrgID(k.Organisation), Kind: k.Kind, For: time.Duration(k.Days) * 24 * time.Hour, Purpose: k.Purpose})
	}
	return archive.New(o), nil
}

// openBucket opens where the blocks are.
func (a *App) openBucket(ctx context.Context) (blocks.Bucket, error) {
	s := a.Config.Archive.S3
	if s.Endpoint == "" {
		return blocks.OpenDirectory(a.archiveFolder())
	}
	return blocks.OpenS3(ctx, blocks.S3Options{Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix, Key: s.Key, Secret: s.Secret, Plain: s.Plain})
}

// ImportEventsOptions say what is archived.
type ImportEventsOptions struct {
	Org      string
	Files    []string // files, folders, archives; "-" is standard input
	Format   string   // "auto" or empty, or one of DetectFormats
	Progress func(done, total int64)
	Err      io.Writer // what could not be read, counted and named
}

// EventsImported is what an import of events did.
type EventsImported struct {
	Organisation string `json:"organisation"`
	Files        int    `json:"files"`
	Events       int    `json:"events"` // kept now
	Already      int    `json:"already"`
	Bad          int    `json:"bad"`     // could not be read, and are not kept
	Undated      int    `json:"undated"` // without a time that could be believed: they stand at the time of the import
	Blocks       int    `json:"blocks"`
	Bytes        int64  `json:"bytes"` // of the blocks
	Known        bool   `json:"organisation_known"`
}

// Text writes what an import did.
func (r EventsImported) Text(w io.Writer) {
	fmt.Fprintf(w, "%d events of %s kept, in %d blocks of %d bytes\n", r.Events, r.Organisation, r.Blocks, r.Bytes)
	if r.Already > 0 {
		fmt.Fprintf(w, "%d events were kept already\n", r.Already)
	}
	if r.Bad > 0 {
		fmt.Fprintf(w, "%d could not be read\n", r.Bad)
	}
	if r.Undated > 0 {
		fmt.Fprintf(w, "%d have no time that can be believed, and stand at the time of this import\n", r.Undated)
	}
	if !r.Known {
		fmt.Fprintf(w, "%s is not in the register of organisations yet: wardwatch org import adds it\n", r.Organisation)
	}
}

// orgCode is how a code is written that names a folder of the archive.
var orgCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

func parseOrgCode(code string) (ward.OrgID, error) {
	code = strings.TrimSpace(code)
	if !orgCode.MatchString(code) {
		return "", &ward.Invalid{Field: "org", Problem: fmt.Sprintf("%q is no code of an organisation", code), Hint: "write up to 32 letters and digits, such as XZ1A1"}
	}
	return ward.OrgID(code), nil
}

// ImportEvents puts files of events straight into the archive. What is there already is left out, so that an import that was
// broken off is made whole by doing it again.
func (a *App) ImportEvents(ctx context.Context, o ImportEventsOptions) (r EventsImported, err error) {
	org, err := parseOrgCode(o.Org)
	if err != nil {
		return r, err
	}
	format, ok := watch.FormatOf(cmp.Or(o.Format, "auto"))
	if !ok {
		return r, &ward.Invalid{Field: "format", Problem: fmt.Sprintf("%q is not known", o.Format), Hint: strings.Join(watch.Formats(), ", ")}
	}
	kept, err := a.openArchive(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	unlock, err := lockImports(ctx, filepath.Join(a.archiveFolder(), ".import.lock"))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if org, r.Known, err = a.asRegistered(ctx, org); err != nil {
		return r, err
	}
	r.Organisation = string(org)
	run := importing{archive: kept, cutter: kept.Cutter(), decoder: watch.NewDecoder(kept.Names), org: org, now: a.Clock.Now(), report: &r}
	defer func() { err = errors.Join(err, run.cutter.Close()) }()
	reading := file.Each(ctx, o.Files, file.Options{Format: format, Trouble: run.trouble, Progress: fileProgress(o.Files, o.Progress)}, func(e file.Event) error {
		return run.event(ctx, e)
	})
	if reading == nil && run.cutter.Rows() > 0 {
		reading = run.cut(ctx)
	}
	r.Bad = run.bad.count
	run.bad.tell(o.Err)
	if reading != nil {
		return r, fmt.Errorf("archive import: %w", reading)
	}
	if r.Events+r.Already == 0 && run.unread == run.bad.count && run.unread > 0 {
		return r, fmt.Errorf("archive import: no file could be read: %w", ErrNothingRead)
	}
	return r, nil
}

// asRegistered is the code as the register writes it, where it has the organisation; codes are in large letters there.
func (a *App) asRegistered(ctx context.Context, org ward.OrgID) (as ward.OrgID, known bool, err error) {
	for _, as := range []ward.OrgID{org, ward.OrgID(strings.ToUpper(string(org)))} {
		if known, err = a.knowsOrganisation(ctx, as); known || err != nil {
			return as, known, err
		}
	}
	return org, false, nil
}

// knowsOrganisation says whether the register has the organisation.
func (a *App) knowsOrganisation(ctx context.Context, org ward.OrgID) (known bool, err error) {
	err = a.store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.Organisation(ctx, ward.Everything(), org)
		if known = err == nil; errors.Is(err, ward.ErrNotFound) {
			return nil
		}
		return err
	})
	return known, err
}

// lockImports lets one import at a time into an archive, because each must see what the other keeps.
func lockImports(ctx context.Context, path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // in the data directory
	if err != nil {
		return nil, fmt.Errorf("archive import: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a file's number
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("archive import: %w", err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// importing is one import under way.
type importing struct {
	archive *archive.Archive
	cutter  *archive.Cutter
	decoder *watch.Decoder
	record  watch.Record
	org     ward.OrgID
	now     time.Time
	file    string
	bad     troubles
	unread  int // files, or parts of them that are no record
	report  *EventsImported
}

func (i *importing) trouble(t file.Trouble) {
	if t.Record == 0 {
		i.unread++
	}
	i.bad.note(t)
}

func (i *importing) event(ctx context.Context, e file.Event) error {
	if e.File != i.file {
		i.file = e.File
		i.report.Files++
	}
	err := i.decoder.Event(e.Format, e.Header, e.Raw, &i.record)
	if err != nil && !errors.Is(err, watch.ErrNotFormat) {
		i.bad.note(file.Trouble{File: e.File, Record: e.Record, Err: err})
		return nil // counted and named; the events beside it count
	}
	isNew, err := i.cutter.Add(ctx, &watch.Arrival{
		Org: i.org, Source: e.File, Sequence: int64(e.Record), Received: i.now.UnixMicro(), Format: e.Format, Header: e.Header, Raw: e.Raw,
	}, &i.record)
	switch {
	case err != nil:
		return err
	case !isNew:
		i.report.Already++
		return nil
	}
	i.report.Events++
	if _, believed := archive.HappenedAt(i.record.Time, i.now); !believed {
		i.report.Undated++
	}
	if i.cutter.Full() {
		return i.cut(ctx)
	}
	return nil
}

func (i *importing) cut(ctx context.Context) error {
	cut, err := i.cutter.Cut(ctx)
	i.report.Blocks += len(cut)
	for _, b := range cut {
		i.report.Bytes += b.Bytes
	}
	return err
}
