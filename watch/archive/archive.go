// Package archive keeps events for years and finds anything in them. In: arrivals with their records; queries. Out: blocks, each
// in the manifest only when it would survive a loss of power; the events that match, counted and one by one. It keeps an event
// once, however often it was sent, never drops one for its age, and never says that something was not seen without saying where
// it looked.
package archive

import (
	"context"
	"log/slog"
	"time"

	"wardwatch/keep/blocks"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
)

// Options are what an Archive needs.
type Options struct {
	Clock  ward.Clock
	Store  *store.Store
	Bucket blocks.Bucket
	// Keyer makes what gives the keys of records whose fields are numbered by Names.
	Keyer func(*watch.Names) watch.Keyer
	Names *watch.Names // of records that are archived
	Temp  string       // folder in which blocks grow; empty: the machine's
	Log   *slog.Logger

	CutRows int           // from so many events on blocks are cut; default a million
	CutWait time.Duration // after this long they are cut anyway; default a minute
	Memory  int64         // bytes of filters held; default 512 MB
	Workers int           // of one hunt; default 2
	Keep    []Keep        // how long events are kept; none: for ever
	// Idle says whether the machine has time to merge blocks; nil: it has. Behind says that events wait to be read: a merge that has
	// begun is given up, and begun again another time; nil: none do.
	Idle   func(context.Context) bool
	Behind func() bool
}

const (
	defaultCutRows = 1_000_000
	defaultCutWait = time.Minute
	defaultWorkers = 2
	// repeats is how long a sender may send an event again and it is still known.
	repeats = 7 * 24 * time.Hour
	// ahead is how far a sender's clock may be before ours until its times are not believed.
	ahead = 24 * time.Hour
)

// oldest is the time before which a clock says when it was built, and not what time it is.
var oldest = time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC)

// Archive is the kept events. It is used by many goroutines at a time.
type Archive struct {
	Options
	shelf *blocks.Shelf
}

// New makes an Archive.
func New(o Options) *Archive {
	if o.CutRows <= 0 {
		o.CutRows = defaultCutRows
	}
	if o.CutWait <= 0 {
		o.CutWait = defaultCutWait
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Archive{Options: o, shelf: blocks.NewShelf(o.Bucket, o.Memory)}
}

// Numbering is the same archive for records whose fields are numbered by other names.
func (a *Archive) Numbering(names *watch.Names) *Archive {
	other := *a
	other.Names = names
	return &other
}

// Close closes the blocks that are open.
func (a *Archive) Close() error { return a.shelf.Close() }

// HostFields are the names of fields that say which machine an event is about. Names of an Archive hold them.
func HostFields() []string {
	return []string{"Computer", "host.name", "hostname", "DeviceName", "dvchost", "host.hostname", "host"}
}

// HappenedAt is when an event happened: what its record says, unless that cannot be read, is more than a day in our future or from
// before clocks had a year, and then when it came. A time without a year is of the year in which it is nearest before it came.
func HappenedAt(said []byte, received time.Time) (at time.Time, believed bool) {
	at, ok := watch.When(said)
	if !ok {
		return received, false
	}
	if at.Year() == 0 {
		year := received.Year()
		at = time.Date(year, at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
		if at.After(received.Add(ahead)) {
			at = at.AddDate(-1, 0, 0)
		}
	}
	if at.After(received.Add(ahead)) || at.Before(oldest) {
		return received, false
	}
	return at, true
}
