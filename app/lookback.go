package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/archive/hunts"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
)

// hunt carries hunts out until ctx ends, and begins one for each indicator that becomes known. e may be nil: nothing is taken in here.
func (a *App) hunt(ctx context.Context, e *ears) {
	var kept *archive.Archive
	if e != nil {
		kept = e.archive
	} else {
		own, err := a.openArchive(ctx)
		if err != nil {
			a.log.Error("nothing is hunted for", "err", err)
			return
		}
		defer func() {
			if err := own.Close(); err != nil {
				a.log.Error("archive not closed", "err", err)
			}
		}()
		kept = own
	}
	files := &indicatorFiles{app: a, ears: e}
	done := make(chan struct{})
	go func() {
		defer close(done)
		files.follow(ctx)
	}()
	a.Hunts.Run(ctx, kept)
	<-done
}

// indicatorFiles are the files of indicators that the configuration names, followed while they change.
type indicatorFiles struct {
	app  *App
	ears *ears
	seen string // what the files were like when they were last looked at
	read string // and when they were last read
}

// followEvery is how often files of indicators are looked at. One that changes is read once it has stayed the same for as long.
const followEvery = 2 * time.Second

// follow reads the files when they change: what is new in them is watched for, and then looked back for.
func (f *indicatorFiles) follow(ctx context.Context) {
	paths := f.app.Config.Detect.Indicators
	if len(paths) == 0 {
		return
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		now := stateOf(paths)
		if still := now == f.seen; f.read == "" || still && now != f.read {
			if err := f.take(ctx, now); err != nil && ctx.Err() == nil {
				f.app.log.Error("indicators not read again, those of before count", "err", printable(err.Error(), 300))
			}
		}
		f.seen = now
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// take lets what stands in the files count from now on, and begins to look back for what is new. Until the store has said that an
// indicator is known nothing is lost by a crash: it is new again.
func (f *indicatorFiles) take(ctx context.Context, state string) error {
	f.read = state
	if f.ears != nil && state != f.ears.indicators {
		f.ears.changing.Lock()
		f.ears.indicators = ""
		err := f.ears.eyes.Load().indicators.Fill(f.fill)
		f.ears.changing.Unlock()
		if err != nil {
			return err
		}
		if n := f.ears.eyes.Load().indicators.Stats().Sealed; n > 0 {
			f.app.log.Info("indicators read again", "indicators", n)
		}
	}
	from, err := f.since(ctx)
	fresh := 0
	if err == nil {
		fresh, err = f.app.Hunts.LookBack(ctx, ward.System("look-back"), f, from, comparedAs)
	}
	if err != nil {
		f.read = "" // nobody would begin it again
		return err
	}
	if fresh > 0 {
		f.app.log.Info("indicators are looked back for", "indicators", fresh)
	}
	return nil
}

// fill gives an index what it can look for; a line that says nothing was named when its file was first read.
func (f *indicatorFiles) fill(give func(ward.Indicator) error) error {
	n := 0
	err := f.Indicators(context.Background(), func(i ward.Indicator) error {
		err := give(i)
		if err == nil {
			n++
		}
		return err
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("no indicator in %s: %w", strings.Join(f.app.Config.Detect.Indicators, ", "), ErrNothingRead)
	}
	return err
}

// Indicators implements hunts.Source.
func (f *indicatorFiles) Indicators(ctx context.Context, give func(ward.Indicator) error) error {
	return eachIndicator(f.app.Config.Detect.Indicators, func(i ward.Indicator) error { return errors.Join(give(i), ctx.Err()) }, func(path string, line *indicators.BadLine) {
		f.app.log.Warn("indicator not used", "file", path, "reason", printable(line.Error(), 300))
	})
}

// since is from when on the indicators count, and behind which events of each shard.
func (f *indicatorFiles) since(ctx context.Context) (from hunts.From, err error) {
	if f.ears == nil {
		from.At = f.app.Clock.Now()
		return from, nil
	}
	from.Behind = map[int]uint64{}
	err = f.app.store.View(ctx, func(tx *store.Tx) error {
		for shard := range f.ears.seen {
			looked, err := tx.BusCursor(ctx, detector, shard)
			if err != nil {
				return err
			}
			from.Behind[shard] = max(looked, f.ears.seen[shard].Load())
		}
		return nil
	})
	from.At = f.app.Clock.Now()
	return from, err
}

// comparedAs is an indicator's kind and value as they are compared.
func comparedAs(i ward.Indicator) (string, error) {
	kind, value, err := indicators.Normal(i.Kind, i.Value)
	return string(kind) + " " + value, err
}

// lookBackFold takes what a look-back finds: each event is held against its indicators as if it came now, and what that shows is
// folded and kept like what is seen live.
func (a *App) lookBackFold(h ward.Hunt) (hunts.Fold, error) {
	names := watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields(), archive.HostFields())...)
	index, err := indicators.New(indicators.Options{Clock: a.Clock, Names: names})
	if err != nil {
		return nil, err
	}
	err = index.Fill(func(give func(ward.Indicator) error) error {
		for _, i := range h.For.Indicators {
			i.From, i.Until = time.Time{}, time.Time{} // it happened before, and is told all the same
			if err := give(i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	nothing, _ := sigma.Parse(sigma.Options{Fields: slices.Concat(indicators.Fields(), indicators.UserFields(), archive.HostFields())})
	return &lookBackFold{
		app: a, detector: detect.New(detect.Options{Rules: nothing, Indicators: index}), decoder: watch.NewDecoder(names),
		seen: lookout{seen: map[[2]string]*ward.Detection{}},
	}, nil
}

type lookBackFold struct {
	app      *App
	detector *detect.Detector
	decoder  *watch.Decoder
	record   watch.Record
	found    []detect.Detection
	seen     lookout
	last     watch.EventID // an event is given once for each thing that it shows
}

// Add implements hunts.Fold.
func (f *lookBackFold) Add(h archive.Hit) {
	if h.ID == f.last {
		return
	}
	f.last = h.ID
	format, _ := watch.FormatOf(h.Format)
	_ = f.decoder.Event(format, h.Header, h.Raw, &f.record) // what it is not of, it is text of
	f.found = f.detector.Look(&f.record, detect.Event{File: h.Source, Record: int(h.Record)}, f.found[:0])
	arrival := watch.Arrival{Org: h.Org, Source: h.Source, Batch: h.Batch, Sequence: h.Record, Received: h.Came.UnixMicro()}
	for i := range f.found {
		f.seen.add(&arrival, &f.found[i], f.app.Clock.Now())
	}
}

// Keep implements hunts.Fold.
func (f *lookBackFold) Keep(ctx context.Context, tx *store.Tx) error {
	all := make([]ward.Detection, 0, len(f.seen.seen))
	for _, d := range f.seen.seen {
		all = append(all, *d)
	}
	return f.app.Findings.Detect(ctx, tx, all)
}

// Kept implements hunts.Fold.
func (f *lookBackFold) Kept() { clear(f.seen.seen) }
