// Package ingest takes events in. In: arrivals from listeners (syslog, HTTP) and readers of files, each from a sender whose
// credential names one organisation. Out: batches on the bus, durable before a sender hears that they are. It never believes
// a payload about whose it is, and never says that something is kept which is not.
package ingest

import (
	"context"
	"errors"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
)

// A Sender is who a credential says is sending.
type Sender struct {
	ID   string // of the credential: sender-..., or the listener's name where one is bound to an organisation
	Org  ward.OrgID
	Name string // for people
}

// An Intake takes arrivals; the Pipeline is one. It is used by many goroutines at a time.
type Intake interface {
	// Room says, before any work is done for it, whether so many bytes of this sender would be taken now: nil, or a *Busy.
	Room(s Sender, bytes int) error
	// Take takes arrivals, whose Source, Batch (or none), Sequence (or 0: counted here), Format, Header and Raw are filled in,
	// in order. Bytes are copied before it returns. It is a *Busy where there is no room, and nothing was taken.
	Take(ctx context.Context, s Sender, arrivals []watch.Arrival) (Receipt, error)
	// Dead keeps what cannot be read beside its reason, counted and shown to its organisation; no more than a sample is kept.
	Dead(s Sender, source string, reason error, raw []byte)
}

// A Receipt is for what was taken and may not be durable yet.
type Receipt interface {
	// Wait returns nil once all of it is durable: only then is it acknowledged. Any error means: not stored, send it again.
	Wait(ctx context.Context) error
}

// Busy says that a sender must wait: its own quota is used up, or nobody has room.
type Busy struct {
	Reason string
	After  time.Duration // when to try again
}

func (b *Busy) Error() string { return b.Reason }

// ErrBusy is what a *Busy is.
var ErrBusy = errors.New("no room at the moment")

// Is makes every Busy an ErrBusy.
func (b *Busy) Is(target error) bool { return target == ErrBusy }
