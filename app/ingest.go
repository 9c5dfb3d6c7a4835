package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/config"
	"wardwatch/keep/bus"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/coverage"
	"wardwatch/watch/ingest"
	httpdoor "wardwatch/watch/ingest/http"
	"wardwatch/watch/ingest/syslog"
)

// ears are everything between a socket and a block, in flow order.
type ears struct {
	app        *App
	syslog     []*syslog.Listener
	http       net.Listener
	door       *http.Server
	pipeline   *ingest.Pipeline
	bus        *bus.Bus
	archive    *archive.Archive
	eyes       atomic.Pointer[eyes] // of now
	changing   sync.Mutex           // what the eyes look for
	indicators string               // what their files were like before they were first read; empty: they were read since
	letters    coverage.Letters
	where      map[string]string
	seen       []atomic.Uint64 // by shard, the message that is held against rules and indicators, or was last
	reached    []atomic.Uint64 // the last message of each shard that was read
	unlock     func() error    // lets another process cut blocks
}

// openEars opens every listener and what stands behind it. Nothing is taken yet.
func (a *App) openEars(ctx context.Context) (e *ears, err error) {
	c := a.Config.Ingest
	e = &ears{app: a, where: map[string]string{}}
	opened := e
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("ingest: %w", err), opened.close())
		}
	}()
	e.indicators = stateOf(a.Config.Detect.Indicators)
	looking, err := a.openEyes()
	if err != nil {
		return nil, err
	}
	if e.archive, err = a.openArchiveFor(ctx, looking.rules.Names); err != nil {
		return nil, err
	}
	e.archive.Idle, e.archive.Behind = a.idle, e.behind
	looking.archive = e.archive
	e.eyes.Store(looking)
	if e.unlock, err = tryLock(filepath.Join(a.archiveFolder(), ".serving.lock")); err != nil {
		return nil, err
	}
	e.bus, err = bus.Open(ctx, bus.Options{
		Folder: filepath.Join(a.Config.Data, "bus"), URL: c.Bus.URL, Login: c.Bus.Credentials, CA: c.Bus.CA, Prefix: c.Bus.Prefix, Replicas: c.Bus.Replicas,
		Shards: c.Shards, MaxBytes: int64(c.MaxGB) << 30, Clock: a.Clock, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	e.seen = make([]atomic.Uint64, e.bus.Shards())
	e.reached = make([]atomic.Uint64, e.bus.Shards())
	options := ingest.Options{Clock: a.Clock, Bus: e.bus, Shards: c.Shards, PerOrg: int64(c.WaitingMB) << 20, Log: a.log, Letters: e.letter}
	if c.RedactNHSNumbers {
		options.Redact = func(_ ward.OrgID, raw []byte) int { return ingest.RedactNHSNumbers(raw) }
	}
	e.pipeline = ingest.New(options)
	for _, s := range c.Syslog {
		if err := e.listen(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := e.listenHTTP(ctx, c.HTTP); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *ears) listen(ctx context.Context, s config.Syslog) error {
	o := syslog.Options{
		Name: s.Name, Address: s.Listen, Transport: s.Transport, Senders: e.app.Senders, Intake: e.pipeline, Log: e.app.log,
	}
	var err error
	if s.Organisation != "" {
		if o.Org, err = parseOrgCode(s.Organisation); err != nil {
			return err
		}
	}
	for _, network := range s.Networks {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return err
		}
		o.Networks = append(o.Networks, prefix)
	}
	if s.Transport == "tls" {
		if o.TLS, err = serverTLS(s.TLS); err != nil {
			return err
		}
		if s.Organisation == "" { // whose it is, its certificate says
			o.TLS.ClientAuth = tls.RequireAnyClientCert
		}
	}
	l, err := syslog.Listen(ctx, o)
	if err != nil {
		return err
	}
	e.syslog = append(e.syslog, l)
	e.where[s.Name] = l.Address().String()
	return nil
}

func serverTLS(files config.TLS) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func (e *ears) listenHTTP(ctx context.Context, c config.IngestHTTP) (err error) {
	if c.Listen == "" {
		return nil
	}
	if e.http, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen); err != nil {
		return err
	}
	e.where["http"] = e.http.Addr().String()
	e.door = &http.Server{
		Handler:           httpdoor.New(httpdoor.Options{Senders: e.app.Senders, Intake: e.pipeline, Log: e.app.log}),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(e.app.log.Handler(), slog.LevelWarn),
	}
	if c.TLS.Certificate == "" {
		return nil
	}
	secure, err := serverTLS(c.TLS)
	if err != nil {
		return err
	}
	secure.ClientAuth = tls.RequestClientCert // or a token
	e.http = tls.NewListener(e.http, secure)
	return nil
}

// letter keeps a sample of what could not be read, redacted as events are, where its organisation sees it.
func (e *ears) letter(l ingest.Letter) {
	e.app.log.Debug("event not read", "org", l.Org, "source", l.Source, "reason", l.Reason)
	sample := slices.Clone(l.Sample[:min(len(l.Sample), ingest.SampleBytes)])
	if e.app.Config.Ingest.RedactNHSNumbers {
		ingest.RedactNHSNumbers(sample)
	}
	at := l.At
	if at.IsZero() {
		at = e.app.Clock.Now()
	}
	e.letters.Add(ward.DeadLetter{At: at, Org: l.Org, Source: shorten(valid([]byte(l.Source))), Reason: shorten(l.Reason), Sample: valid(sample)})
}

// close closes what is open, in the order of the flow.
func (e *ears) close() (err error) {
	if e.http != nil {
		if closing := e.http.Close(); !errors.Is(closing, net.ErrClosed) { // the door closes it too
			err = errors.Join(err, closing)
		}
	}
	for _, l := range e.syslog {
		err = errors.Join(err, l.Close())
	}
	if e.bus != nil {
		err = errors.Join(err, e.bus.Close())
	}
	if e.archive != nil {
		err = errors.Join(err, e.archive.Close())
	}
	if e.unlock != nil {
		err = errors.Join(err, e.unlock())
	}
	return err
}

// gcPercent is how much garbage there may be beside what is used: half of what is usual, because rows that wait to be compressed are
// garbage soon, and the memory of a server is counted.
const gcPercent = 50

// run takes events in until ctx ends; then what was taken is published, and what was read is cut.
func (e *ears) run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	listening, deaf := context.WithCancel(ctx)
	defer deaf()
	flowing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	reading, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var doors, flow, readers sync.WaitGroup
	for _, l := range e.syslog {
		doors.Go(func() { _ = l.Run(listening) }) // it ends when ctx does
	}
	if e.http != nil {
		doors.Go(func() {
			if err := e.door.Serve(e.http); !errors.Is(err, http.ErrServerClosed) {
				e.app.log.Error("events over HTTP are not taken in", "err", err)
			}
		})
	}
	flow.Go(func() { _ = e.pipeline.Run(flowing) })
	readers.Go(func() { e.app.tend(reading, e.archive) })
	readers.Go(func() { e.hear(reading) })
	readers.Go(func() { e.followRules(reading) })
	for shard := range e.bus.Shards() {
		readers.Go(func() { e.read(reading, shard) })
	}
	<-ctx.Done()
	if e.http != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = e.door.Shutdown(last)
	}
	doors.Wait()
	stop()
	flow.Wait()
	end()
	readers.Wait()
	return e.close()
}

// archiver is the reader of the bus that cuts blocks.
const archiver = "archive"

// read archives a shard until ctx ends, and begins again from the cursor after an error.
func (e *ears) read(ctx context.Context, shard int) {
	wait := time.Second
	for {
		began := e.app.Clock.Now()
		err := e.cut(ctx, shard)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errNewRules) {
			continue
		}
		e.app.log.Error("events are not archived for the moment", "shard", shard, "err", err)
		if e.app.Clock.Now().Sub(began) > time.Minute {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, 30*time.Second)
	}
}

// cut reads a shard from its cursor on, and cuts blocks of it. What was read and is in no block yet is read again after an error.
func (e *ears) cut(ctx context.Context, shard int) (err error) {
	var cursor, looked, counted uint64
	err = e.app.store.View(ctx, func(tx *store.Tx) (err error) {
		if cursor, err = tx.BusCursor(ctx, archiver, shard); err == nil {
			looked, err = tx.BusCursor(ctx, detector, shard)
		}
		if err == nil {
			counted, err = tx.BusCursor(ctx, counter, shard)
		}
		return err
	})
	if err != nil {
		return err
	}
	e.seen[shard].Store(max(looked, e.seen[shard].Load()))
	reading, stop := context.WithCancel(ctx)
	defer stop()
	messages, ended := make(chan bus.Message, 4), make(chan error, 1)
	go func() {
		ended <- e.bus.Read(reading, shard, cursor, func(m bus.Message) error {
			select {
			case messages <- m:
				return nil
			case <-reading.Done():
				return reading.Err()
			}
		})
	}()
	eyes := e.eyes.Load()
	s := shardReader{
		ears: e, number: shard, cursor: cursor, passed: cursor, cutter: eyes.archive.Cutter(), decoder: watch.NewDecoder(eyes.archive.Names), lookout: newLookout(eyes, looked),
	}
	defer func() { err = errors.Join(err, s.cutter.Close()) }()
	tally, err := e.app.Coverage.NewTally(ctx, func(org ward.OrgID) bool { return ingest.ShardOf(org, e.app.Config.Ingest.Shards) == shard })
	if err != nil {
		return err
	}
	s.reached[shard].Store(cursor)
	s.count = counting{tally: tally, kept: counted, last: counted}
	tick := time.NewTicker(min(time.Second, e.app.Config.Archive.CutAfter/4))
	defer tick.Stop()
	for {
		select {
		case m := <-messages:
			if err := s.message(ctx, m); err != nil {
				return err
			}
		case <-tick.C:
			s.lookout.advance(e.app.Clock.Now())
			if err := s.pass(ctx); err != nil {
				return err
			}
		case err := <-ended:
			if ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
		}
		ending := ctx.Err() != nil || e.eyes.Load() != eyes
		if now := e.app.Clock.Now(); s.lookout.due(now) || s.cutter.Due() || ending {
			if err := s.lookout.keep(context.WithoutCancel(ctx), e.app, shard); err != nil {
				return err
			}
		}
		if s.count.due(e.app.Clock.Now()) || s.cutter.Due() || ending {
			if err := s.count.keep(context.WithoutCancel(ctx), e.app, shard); err != nil {
				return err
			}
		}
		if s.cutter.Due() || ending {
			if err := s.cut(context.WithoutCancel(ctx)); err != nil {
				return err
			}
		}
		if ending {
			return cmp.Or(ctx.Err(), errNewRules)
		}
	}
}

// shardReader is the walk of the events of one shard.
type shardReader struct {
	*ears
	number   int
	cursor   uint64 // up to which everything was given to the cutter
	passed   uint64 // up to which everything is in blocks, and the store says so
	cutter   *archive.Cutter
	decoder  *watch.Decoder
	record   watch.Record
	arrivals []watch.Arrival
	lookout  *lookout
	count    counting
}

func (s *shardReader) message(ctx context.Context, m bus.Message) (err error) {
	if s.arrivals, err = watch.ReadArrivals(m.Body, s.arrivals[:0]); err != nil {
		s.app.log.Error("batch not read to its end", "shard", s.number, "sequence", m.Sequence, "err", err)
	}
	if m.Sequence > s.lookout.kept {
		s.seen[s.number].Store(m.Sequence)
	}
	now := s.app.Clock.Now()
	for i := range s.arrivals {
		a := &s.arrivals[i]
		if err := s.decoder.Event(a.Format, a.Header, a.Raw, &s.record); err != nil && !errors.Is(err, watch.ErrNotFormat) {
			a.Format = watch.Lines // kept all the same: as text it can be hunted through
			s.letter(ingest.Letter{Org: a.Org, Source: a.Source, Reason: err.Error(), Sample: a.Raw})
			if err := s.decoder.Event(a.Format, nil, a.Raw, &s.record); err != nil && !errors.Is(err, watch.ErrNotFormat) {
				continue
			}
		}
		isNew, err := s.cutter.Add(ctx, a, &s.record)
		if err != nil {
			return err
		}
		if isNew && m.Sequence > s.lookout.kept {
			s.lookout.look(a, &s.record, now)
		}
		if isNew && m.Sequence > s.count.kept {
			happened, dated := archive.HappenedAt(s.record.Time, time.UnixMicro(a.Received).UTC())
			s.count.tally.Count(a, s.record.Class, happened, dated)
		}
	}
	s.cursor, s.lookout.last, s.count.last = m.Sequence, max(s.lookout.last, m.Sequence), max(s.count.last, m.Sequence)
	s.reached[s.number].Store(m.Sequence)
	return nil
}

// pass says that nothing which was read waits for a block, where all of it was in one already.
func (s *shardReader) pass(ctx context.Context) error {
	if s.cutter.Rows() > 0 || s.cursor <= s.passed {
		return nil
	}
	err := s.app.store.Update(ctx, func(tx *store.Tx) error { return tx.SetBusCursor(ctx, archiver, s.number, s.cursor) })
	if err != nil {
		return err
	}
	s.passed = s.cursor
	return s.bus.Release(ctx, s.number, s.cursor)
}

func (s *shardReader) cut(ctx context.Context) error {
	if s.cutter.Rows() == 0 {
		return nil
	}
	cut, err := s.cutter.Cut(ctx, archive.Cursor{Reader: archiver, Shard: s.number, Sequence: s.cursor})
	if err != nil {
		return err
	}
	s.passed = s.cursor
	rows := int64(0)
	for _, b := range cut {
		rows += b.Rows
	}
	s.app.log.Debug("blocks cut", "shard", s.number, "blocks", len(cut), "events", rows)
	return s.bus.Release(ctx, s.number, s.cursor)
}

// SenderMade is a sender; a new one with its token.
type SenderMade struct {
	ward.Sender
	Token string `json:"token,omitempty"`
}

// Text writes a new sender.
func (m SenderMade) Text(w io.Writer) {
	fmt.Fprintf(w, "%s may send events of %s\n", m.ID, m.Org)
	if m.Token != "" {
		fmt.Fprintf(w, "Its token, shown this once: %s\n", m.Token)
	} else {
		fmt.Fprintf(w, "It is known by its certificate %s\n", m.Certificate)
	}
}

// AddSender makes a sender for an organisation, known by a token or by the certificate in a PEM file.
func (a *App) AddSender(ctx context.Context, code, name, certificate string) (made SenderMade, err error) {
	org, err := parseOrgCode(code)
	if err != nil {
		return made, err
	}
	fingerprint := ""
	if certificate != "" {
		text, err := os.ReadFile(certificate) //nolint:gosec // the operator names it
		if err != nil {
			return made, fmt.Errorf("sender: %w", err)
		}
		block, _ := pem.Decode(text)
		if block == nil || block.Type != "CERTIFICATE" {
			return made, &ward.Invalid{Field: "certificate", Problem: "is no certificate in PEM", Hint: "give the file that begins with -----BEGIN CERTIFICATE-----"}
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return made, &ward.Invalid{Field: "certificate", Problem: err.Error()}
		}
		fingerprint = ingest.Fingerprint(block.Bytes)
	}
	made.Sender, made.Token, err = a.Senders.Add(ctx, shell, org, name, fingerprint)
	return made, err
}

// RevokeSender ends a sender.
func (a *App) RevokeSender(ctx context.Context, id string) error {
	return a.Senders.Revoke(ctx, shell, id)
}

// ListSenders lists all senders.
func (a *App) ListSenders(ctx context.Context) (all []SenderMade, err error) {
	list, err := a.Senders.List(ctx, ward.Everything())
	for _, s := range list {
		all = append(all, SenderMade{Sender: s})
	}
	return all, err
}
