package app

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
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
	"unicode/utf8"

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

// HuntOptions say what is hunted for.
type HuntOptions struct {
	Since, Until string   // RFC 3339, a date, or how long ago (7d, 12h); empty: no bound
	Orgs         []string // empty: all
	Values       []string // indicators as they are written
	Files        []string // of indicators
	JSON         bool
	Count        bool
	Progress     func(done, total int64)
	Out, Err     io.Writer
}

// HuntEvents looks for indicators in everything that is kept, and writes what it finds to Out as it comes.
func (a *App) HuntEvents(ctx context.Context, o HuntOptions) (err error) {
	list, err := huntList(o)
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	query, err := indicators.NewQuery(list, a.Clock)
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	h := archive.HuntOptions{Query: query, Scope: ward.Everything()}
	if h.Since, err = parseMoment("since", o.Since, a.Clock.Now()); err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	if h.Until, err = parseMoment("until", o.Until, a.Clock.Now()); err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	for _, code := range o.Orgs {
		org, err := parseOrgCode(code)
		if err != nil {
			return fmt.Errorf("hunt: %w", err)
		}
		h.Orgs = append(h.Orgs, org, ward.OrgID(strings.ToUpper(code)))
	}
	kept, err := a.openArchive(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	out := newHuntPrinter(o, list)
	summary, hunting := kept.Hunt(ctx, h, out.hit)
	if err := errors.Join(hunting, out.end(summary)); err != nil {
		return err
	}
	if err := a.auditHunt(ctx, shell, list, summary, out.orgs); err != nil {
		return err
	}
	if len(summary.Unread) > 0 {
		return fmt.Errorf("hunt: %d of %d blocks could not be searched, and what is in them was not seen (wardwatch archive verify says more)", len(summary.Unread), summary.Blocks)
	}
	return nil
}

// huntList is what is asked for, each once.
func huntList(o HuntOptions) (list []ward.Indicator, err error) {
	seen := map[string]bool{}
	give := func(i ward.Indicator) error {
		kind, value, err := indicators.Normal(i.Kind, i.Value)
		if err != nil {
			return err
		}
		if key := string(kind) + " " + value; !seen[key] {
			seen[key] = true
			list = append(list, i)
		}
		return nil
	}
	for _, value := range o.Values {
		var wrong error
		typed := func(i ward.Indicator) error {
			if _, _, err := indicators.Normal(i.Kind, value); err == nil {
				i.Value = value // shown as it was typed
			}
			return give(i)
		}
		err := indicators.Read(strings.NewReader(value+"\n"), "", typed, func(line *indicators.BadLine) { wrong = line.Err })
		if err = errors.Join(err, wrong); err != nil {
			return nil, fmt.Errorf("%q: %w", value, err)
		}
	}
	for _, path := range o.Files {
		in, err := os.Open(path) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("indicators: %w: %w", err, ErrNothingRead)
		}
		err = indicators.Read(in, filepath.Base(path), give, func(line *indicators.BadLine) {
			fmt.Fprintf(o.Err, "indicators %s: %s\n", path, printable(line.Error(), 300))
		})
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, fmt.Errorf("indicators %s: %w: %w", path, err, ErrNothingRead)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no indicator to hunt for: %w", ErrNothingRead)
	}
	return list, nil
}

// parseMoment reads a time as people type it.
func parseMoment(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if ago, err := time.ParseDuration(days + "h"); err == nil && ago >= 0 {
			return now.Add(-24 * ago), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, &ward.Invalid{Field: field, Problem: fmt.Sprintf("%q is no time", text), Hint: "write 2025-05-15, 2025-05-15T03:00:00Z, or how long ago: 7d, 12h"}
}

// auditHunt writes down who looked for what, and whose events were read.
func (a *App) auditHunt(ctx context.Context, who ward.Actor, list []ward.Indicator, s archive.Summary, read map[ward.OrgID]int64) error {
	var asked []string
	for _, i := range list[:min(len(list), mostNamed)] {
		asked = append(asked, string(i.Kind)+" "+printable(i.Value, 100))
	}
	if len(list) > mostNamed {
		asked = append(asked, fmt.Sprintf("and %d more", len(list)-mostNamed))
	}
	what := strings.Join(asked, ", ")
	return a.store.Update(ctx, func(tx *store.Tx) error {
		entry := ward.AuditEntry{At: a.Clock.Now(), Person: who.Person, Name: who.Name, Action: "archive.hunt", Subject: "archive", Detail: fmt.Sprintf("%s: %d hits in %d events", what, s.Hits, s.Events)}
		if err := tx.Audit(ctx, entry); err != nil {
			return err
		}
		for org, hits := range read {
			entry.Org, entry.Subject, entry.Detail = org, string(org)+"/archive", fmt.Sprintf("%s: %d events read", what, hits)
			if err := tx.Audit(ctx, entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// huntPrinter writes hits.
type huntPrinter struct {
	HuntOptions
	list   []ward.Indicator
	out    *bufio.Writer
	counts map[string]int64 // by kind and value
	orgs   map[ward.OrgID]int64
}

func newHuntPrinter(o HuntOptions, list []ward.Indicator) *huntPrinter {
	return &huntPrinter{HuntOptions: o, list: list, out: bufio.NewWriter(o.Out), counts: map[string]int64{}, orgs: map[ward.OrgID]int64{}}
}

// huntHit is one hit as JSON has it.
type huntHit struct {
	Organisation string `json:"organisation"`
	Time         string `json:"time"` // RFC 3339 in UTC
	Kind         string `json:"kind"`
	Value        string `json:"value"`
	Field        string `json:"field"`
	Source       string `json:"source"`
	Record       int64  `json:"record"`
	Raw          string `json:"raw"`
}

func (p *huntPrinter) hit(h archive.Hit) error {
	p.counts[h.Kind+" "+h.Value]++
	if p.Count {
		return nil
	}
	p.orgs[h.Org]++
	at := h.Time.Format(time.RFC3339Nano)
	if p.JSON {
		line := json.NewEncoder(p.out)
		line.SetEscapeHTML(false)
		return line.Encode(huntHit{string(h.Org), at, h.Kind, h.Value, h.Field, h.Source, h.Record, valid(h.Raw)})
	}
	field := h.Field
	if field != "" {
		field = " in " + field
	}
	_, err := fmt.Fprintf(p.out, "%s  %s  %s %s%s  %s:%d\n    %s\n", at, h.Org, h.Kind, printable(h.Value, 200), printable(field, 100),
		printable(h.Source, 200), h.Record, printable(string(h.Raw), 400))
	return err
}

// valid is text that JSON can have: bytes that are no UTF-8 are replaced.
func valid(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	return strings.ToValidUTF8(string(raw), "\ufffd")
}

// huntCount is how often an indicator was found.
type huntCount struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// end writes the counts, and where was looked.
func (p *huntPrinter) end(s archive.Summary) error {
	if p.Count {
		encoder := json.NewEncoder(p.out)
		for _, i := range p.list {
			kind, _, err := indicators.Normal(i.Kind, i.Value)
			if err != nil {
				return err
			}
			one := huntCount{string(kind), i.Value, p.counts[string(kind)+" "+i.Value]}
			if p.JSON {
				if err := encoder.Encode(one); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(p.out, "%8d  %s %s\n", one.Count, one.Kind, printable(one.Value, 300))
		}
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	for i, u := range s.Unread {
		if i == mostNamed {
			break
		}
		fmt.Fprintf(p.Err, "not searched: %s\n", printable(u.Err.Error(), 400))
	}
	if s.Blocks == 0 {
		fmt.Fprintln(p.Err, "nothing is kept there: wardwatch archive import takes files, wardwatch serve listens")
		return nil
	}
	fmt.Fprintf(p.Err, "%d hits; searched %d events of %s in %d blocks, from %s to %s\n", s.Hits, s.Events, orgsShown(s.Orgs), s.Blocks,
		s.First.Format(time.RFC3339), s.Last.Format(time.RFC3339))
	return nil
}

func orgsShown(orgs []ward.OrgID) string {
	if len(orgs) > mostNamed {
		return fmt.Sprintf("%d organisations", len(orgs))
	}
	names := make([]string, len(orgs))
	for i, org := range orgs {
		names[i] = string(org)
	}
	return strings.Join(names, ", ")
}
