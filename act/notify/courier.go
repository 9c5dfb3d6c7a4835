package notify

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Options of a Courier.
type Options struct {
	Base        string        // address that people type, for links: "https://watch.example"
	Operator    string        // who runs this watch, as messages are signed
	Exercise    bool          // everything that is sent says so
	DigestAt    time.Duration // after midnight on the outbox's clock on the wall; 08:00
	NoTests     bool          // send no monthly test of every address
	Patience    time.Duration // how long one message to one server may take; 30 s
	GiveUpAfter time.Duration // since the fact; 3 days
	Log         *slog.Logger  // nowhere
}

// Limits of trying again: the first wait, the longest, and the same for a channel that takes nothing.
const (
	firstWait   = 30 * time.Second
	longestWait = time.Hour
	firstPause  = 15 * time.Second
	longPause   = 10 * time.Minute
)

const (
	batchSize = 128 // deliveries taken up by one transaction
	flushSize = 16  // outcomes kept by one transaction: as many are sent again after a kill
	flushWait = 5 * time.Millisecond
)

// Courier carries what the outbox keeps. One courier works on a data directory at a time.
type Courier struct {
	outbox   *Outbox
	carriers []Carrier
	options  Options
	log      *slog.Logger
	begun    atomic.Bool

	mu       sync.Mutex
	lines    map[ward.Channel]*line
	digested time.Time // the last digest time that was served
	tested   time.Time // when tests were last looked for
}

// line is how a channel does.
type line struct {
	downs int       // in a row
	until time.Time // nothing is tried before
	why   string
	since time.Time // down since
	last  time.Time // took a message
}

// NewCourier makes a courier for an outbox: one carrier a channel. Nothing is fanned out before it has begun.
func NewCourier(outbox *Outbox, carriers []Carrier, options Options) (*Courier, error) {
	if options.DigestAt == 0 {
		options.DigestAt = 8 * time.Hour
	}
	if options.Patience == 0 {
		options.Patience = 30 * time.Second
	}
	if options.GiveUpAfter == 0 {
		options.GiveUpAfter = 72 * time.Hour
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	options.Base = strings.TrimSuffix(options.Base, "/")
	c := &Courier{outbox: outbox, carriers: carriers, options: options, log: options.Log, lines: map[ward.Channel]*line{}}
	for _, carrier := range carriers {
		channel := carrier.Channel()
		if c.lines[channel] != nil {
			return nil, fmt.Errorf("notify: two carriers of %s", channel)
		}
		c.lines[channel] = &line{}
	}
	return c, nil
}

// Run carries until ctx ends. What an earlier process was sending when it ended is sent again first, under the same keys.
func (c *Courier) Run(ctx context.Context) error {
	if err := c.Begin(ctx); err != nil {
		return err
	}
	if len(c.carriers) == 0 {
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		next, err := c.Deliver(ctx)
		if err != nil && ctx.Err() == nil {
			c.log.Error("delivering erred", "err", err)
			next = c.outbox.clock.Now().Add(time.Minute)
		}
		wait := 2 * time.Second // what another process put in, or a transaction that had not ended when it woke us
		if until := next.Sub(c.outbox.clock.Now()); !next.IsZero() && until < wait {
			wait = max(until, 10*time.Millisecond)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-c.outbox.wake:
		}
		timer.Stop()
	}
	return nil
}

// Begin keeps which channels are carried from now on, so that whatever adds a notice, a command beside the server too, fans it
// out; settles what waits for a channel that is not set up any more; and makes what an earlier process was sending due at once.
func (c *Courier) Begin(ctx context.Context) error {
	channels := make([]ward.Channel, len(c.carriers))
	for i, carrier := range c.carriers {
		channels[i] = carrier.Channel()
	}
	now := c.outbox.clock.Now()
	err := c.outbox.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SetChannels(ctx, channels); err != nil {
			return err
		}
		if _, err := tx.Strand(ctx, channels, now, "this channel is not set up here any more"); err != nil {
			return err
		}
		n, err := tx.RecoverDeliveries(ctx, now)
		if n > 0 {
			c.log.Info("sending again what an earlier process was sending", "messages", n)
		}
		return err
	})
	c.begun.Store(err == nil)
	return err
}

// Deliver carries everything that is due by the clock, all channels at the same time, and says when the next is due (zero: when
// something new is kept).
func (c *Courier) Deliver(ctx context.Context) (next time.Time, err error) {
	var working sync.WaitGroup
	errs := make([]error, len(c.carriers))
	for i, carrier := range c.carriers {
		working.Go(func() { errs[i] = c.drain(ctx, carrier) })
	}
	working.Wait()
	if err := errors.Join(errs...); err != nil {
		return time.Time{}, err
	}
	for _, carrier := range c.carriers {
		var due time.Time
		err := c.outbox.store.View(ctx, func(tx *store.Tx) (err error) {
			due, err = tx.NextDelivery(ctx, []ward.Channel{carrier.Channel()})
			return err
		})
		if err != nil {
			return time.Time{}, err
		}
		if until := c.paused(carrier.Channel()); !due.IsZero() && due.Before(until) {
			due = until
		}
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next, nil
}

// paused is until when a channel is left alone.
func (c *Courier) paused(channel ward.Channel) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lines[channel]
	if l.until.Sub(c.outbox.clock.Now()) > 2*longPause {
		l.until = time.Time{} // a clock that was put back since
	}
	return l.until
}

// drain carries what is due of one channel, until nothing is or the channel takes nothing.
func (c *Courier) drain(ctx context.Context, carrier Carrier) error {
	channel := carrier.Channel()
	for ctx.Err() == nil {
		now := c.outbox.clock.Now()
		if now.Before(c.paused(channel)) {
			return nil
		}
		var secret []byte
		var taken []store.Outgoing
		waiting := false
		err := c.outbox.store.View(ctx, func(tx *store.Tx) (err error) {
			waiting, err = tx.AnyDelivery(ctx, channel, now)
			return err
		})
		if err != nil || !waiting {
			return err
		}
		err = c.outbox.store.Update(ctx, func(tx *store.Tx) (err error) {
			if secret, err = c.outbox.secret(ctx, tx); err != nil {
				return err
			}
			taken, err = tx.TakeDeliveries(ctx, channel, now, c.options.Patience+time.Minute, batchSize)
			return err
		})
		if err != nil || len(taken) == 0 {
			return err
		}
		if err := c.carry(ctx, carrier, taken, secret); err != nil {
			return err
		}
	}
	return nil
}

// outcome is what became of one attempt.
type outcome struct {
	store.Outgoing
	tried bool
}

// carry hands a batch over, several messages at a time, and keeps the outcomes as they come in, a few to a transaction.
func (c *Courier) carry(ctx context.Context, carrier Carrier, batch []store.Outgoing, secret []byte) error {
	todo := make(chan store.Outgoing, len(batch))
	for _, out := range batch {
		todo <- out
	}
	close(todo)
	done := make(chan outcome, len(batch))
	var working sync.WaitGroup
	for range min(carrier.AtOnce(), len(batch)) {
		working.Go(func() {
			for out := range todo {
				done <- c.attempt(ctx, carrier, out, secret)
			}
		})
	}
	go func() { working.Wait(); close(done) }()
	var kept []outcome
	var failed error
	flush := func() {
		if len(kept) > 0 {
			// What was done is kept even while the program is being stopped: it is what tells a next one not to send it again.
			failed = errors.Join(failed, c.keep(context.WithoutCancel(ctx), kept))
			kept = kept[:0]
		}
	}
	ticks := time.NewTicker(flushWait)
	defer ticks.Stop()
	for {
		select {
		case o, more := <-done:
			if !more {
				flush()
				return failed
			}
			if kept = append(kept, o); len(kept) >= flushSize {
				flush()
			}
		case <-ticks.C:
			flush()
		}
	}
}

// attempt hands one message over, or asks how one went that was handed over before.
func (c *Courier) attempt(ctx context.Context, carrier Carrier, out store.Outgoing, secret []byte) outcome {
	channel := carrier.Channel()
	if ctx.Err() != nil || c.outbox.clock.Now().Before(c.paused(channel)) {
		return outcome{Outgoing: out}
	}
	patient, cancel := context.WithTimeout(ctx, c.options.Patience)
	defer cancel()
	if out.State == ward.DeliveryHanded {
		return c.ask(patient, carrier, out)
	}
	receipt, err := carrier.Hand(patient, c.message(out, secret))
	now := c.outbox.clock.Now()
	if err == nil {
		c.up(channel, now)
		out.State, out.Handed, out.NextTry, out.Receipt, out.Detail = ward.DeliveryHanded, now, time.Time{}, receipt.ID, oneLine(receipt.Words)
		switch {
		case receipt.Final:
			out.State, out.Settled = ward.DeliveryDelivered, now
		case receipt.Ask > 0:
			out.NextTry = now.Add(receipt.Ask)
		}
		return outcome{out, true}
	}
	if ctx.Err() != nil { // the program is being stopped: it may have arrived
		return outcome{Outgoing: out}
	}
	refusal := &Refusal{}
	if !errors.As(err, &refusal) {
		refusal = &Refusal{Cause: Later, Why: err.Error()}
		if errors.Is(err, context.DeadlineExceeded) {
			refusal = &Refusal{Cause: Down, Why: fmt.Sprintf("no answer within %s", c.options.Patience)}
		}
	}
	out.Detail = oneLine(refusal.Why)
	switch refusal.Cause {
	case Bounced:
		out.State, out.Settled, out.NextTry = ward.DeliveryBounced, now, time.Time{}
		c.up(channel, now)
		return outcome{out, true}
	case Refused:
		out.State, out.Settled, out.NextTry = ward.DeliveryFailed, now, time.Time{}
		c.up(channel, now)
		return outcome{out, true}
	case Down:
		c.down(channel, now, refusal)
	case Later:
		c.up(channel, now)
	}
	out.State, out.NextTry = ward.DeliveryQueued, now.Add(max(wait(out.Key, out.Attempts, firstWait, longestWait), refusal.After))
	if now.Sub(out.Created) >= c.options.GiveUpAfter {
		out.State, out.Settled, out.NextTry = ward.DeliveryGivenUp, now, time.Time{}
	}
	c.log.Warn("message not taken", "channel", channel, "org", out.Org, "alert", out.Alert, "key", out.Key, "attempt", out.Attempts, "err", out.Detail)
	return outcome{out, true}
}

// ask asks a channel how a message went that it took.
func (c *Courier) ask(ctx context.Context, carrier Carrier, out store.Outgoing) outcome {
	now := c.outbox.clock.Now()
	tracker, ok := carrier.(Tracker)
	if !ok {
		out.NextTry = time.Time{}
		return outcome{out, true}
	}
	state, words, err := tracker.Track(ctx, out.Receipt)
	if err != nil {
		state, words = ward.DeliveryHanded, out.Detail
	}
	out.State, out.Detail, out.NextTry = state, oneLine(words), time.Time{}
	switch {
	case state.Settled():
		out.Settled = now
	case now.Sub(out.Handed) < c.options.GiveUpAfter:
		// As long again as it took so far: after 1, 2, 4... minutes, at most a day apart.
		out.NextTry = now.Add(min(max(now.Sub(out.Handed), time.Minute), 24*time.Hour))
	}
	return outcome{out, true}
}

// wait is how long to wait after so many attempts: doubling, with a fifth of it more or less by the key, so that what failed
// together does not come back together, and the same for the same attempt, so that a test can tell.
func wait(key string, attempts int, first, longest time.Duration) time.Duration {
	w := longest
	if attempts < 20 {
		w = min(first<<max(attempts-1, 0), longest)
	}
	sum := fnv.New32a()
	fmt.Fprintf(sum, "%s/%d", key, attempts)
	fifth := w / 5
	return w - fifth + time.Duration(sum.Sum32())*2*fifth/(1<<32)
}

// keep writes what became of attempts, and what follows from it.
func (c *Courier) keep(ctx context.Context, outcomes []outcome) error {
	now := c.outbox.clock.Now()
	return c.outbox.store.Update(ctx, func(tx *store.Tx) error {
		for _, o := range outcomes {
			d := o.Delivery
			if !o.tried {
				if d.State == ward.DeliveryHanded {
					continue
				}
				d.State, d.Attempts, d.NextTry = ward.DeliveryQueued, d.Attempts-1, now
			}
			if err := tx.SaveDelivery(ctx, d); err != nil {
				return err
			}
			if d.State == ward.DeliveryDelivered {
				if err := c.outbox.proved(ctx, tx, d, now, "taken by the receiver"); err != nil {
					return err
				}
			}
			if d.State.Lost() {
				if err := c.outbox.lost(ctx, tx, o.Notice, d); err != nil {
					return err
				}
			}
			if d.Alert != "" && o.tried {
				tx.Hint("alert:"+string(d.Alert), d.Org)
			}
		}
		return nil
	})
}

// lost follows from a message that will not arrive: the next person in order is woken, and where nobody of the organisation is
// left the national desk is told.
func (o *Outbox) lost(ctx context.Context, tx *store.Tx, n ward.Notice, d ward.Delivery) error {
	if n.Kind == digestKind || n.Kind == testKind {
		return nil
	}
	all, err := tx.DeliveriesOfNotice(ctx, n.ID)
	if err != nil {
		return err
	}
	if d.Channel == ward.SMS {
		woken, err := o.wakeNext(ctx, tx, n, all)
		if err != nil || woken {
			return err
		}
	}
	if slices.ContainsFunc(all, func(other ward.Delivery) bool { return !other.State.Lost() }) || n.Org == "" {
		return nil
	}
	return o.Add(ctx, tx, ward.Notice{
		Key: unreached + ":" + n.Key, Kind: unreached, Alert: n.Alert, Event: unreached + ":" + string(n.Alert), Link: n.Link, Created: o.clock.Now(),
		Subject: fmt.Sprintf("Nobody at %s could be told: %s", n.Org, n.Subject),
		Body:    "No message to any of its contacts arrived. Telephone them: the call list has the numbers.",
	})
}

// wakeNext sends a text message to the first person in order who was not sent one of this notice.
func (o *Outbox) wakeNext(ctx context.Context, tx *store.Tx, n ward.Notice, all []ward.Delivery) (bool, error) {
	rung := all[0].Rung
	org, why, err := o.heir(ctx, tx, n.Org, n.Created)
	if err != nil {
		return false, err
	}
	now := o.clock.Now()
	people, err := o.standing(ctx, tx, org, rung, now)
	if err != nil {
		return false, err
	}
	people = slices.DeleteFunc(people, func(p ward.Contact) bool {
		return !p.Wants(n.Severity) || slices.ContainsFunc(all, func(d ward.Delivery) bool { return d.Contact == p.ID && d.Channel == ward.SMS })
	})
	at := n
	at.Created = now
	next := addressed(at, rung, people, o.Zone, []ward.Channel{ward.SMS}, why)
	return len(next) > 0, o.send(ctx, tx, at, next)
}

// up and down keep how a channel does.
func (c *Courier) up(channel ward.Channel, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lines[channel]
	if l.last = now; !now.Before(l.until) { // else it was begun before the channel went down
		*l = line{last: now}
	}
}

func (c *Courier) down(channel ward.Channel, now time.Time, r *Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lines[channel]
	if now.Before(l.until) {
		return // another message found out at the same time
	}
	if l.downs++; l.downs == 1 {
		l.since = now
	}
	l.until, l.why = now.Add(max(wait(string(channel), l.downs, firstPause, longPause), min(r.After, longPause))), oneLine(r.Why)
}

// Line is how a channel does.
type Line struct {
	Channel ward.Channel
	Since   time.Time // down since; zero while it takes messages
	Why     string
	Retry   time.Time
	Last    time.Time // took a message, since the program started
}

// Lines says how each channel does.
func (c *Courier) Lines() []Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Line, 0, len(c.carriers))
	for _, carrier := range c.carriers {
		l := c.lines[carrier.Channel()]
		all = append(all, Line{carrier.Channel(), l.since, l.why, l.until, l.last})
	}
	return all
}

// Due does what is due by the calendar: the digests and the monthly test, in the process that carries. It returns when to be
// called next.
func (c *Courier) Due(ctx context.Context, now time.Time) (time.Time, error) {
	if !c.begun.Load() || len(c.carriers) == 0 {
		return time.Time{}, nil
	}
	next, err := c.digests(ctx, now)
	if err != nil {
		return time.Time{}, err
	}
	again, err := c.tests(ctx, now)
	if err != nil {
		return time.Time{}, err
	}
	if !again.IsZero() && again.Before(next) {
		next = again
	}
	return next, nil
}

// Report keeps what a mail server says later about a message that it had taken: bounced or delivered. Anything else it says, such
// as that it is late, is kept as words.
func (o *Outbox) Report(ctx context.Context, who ward.Actor, key string, state ward.DeliveryState, words string) error {
	if err := who.Need(ward.MayContact); err != nil {
		return err
	}
	now := o.clock.Now()
	return o.store.Update(ctx, func(tx *store.Tx) error {
		d, err := tx.Delivery(ctx, who.Scope, key)
		if err != nil {
			return err
		}
		if d.State.Settled() {
			return nil
		}
		d.Detail = oneLine(words)
		if state == ward.DeliveryBounced || state == ward.DeliveryDelivered {
			d.State, d.Settled, d.NextTry = state, now, time.Time{}
		}
		if err := tx.SaveDelivery(ctx, d); err != nil {
			return err
		}
		if d.Alert != "" {
			tx.Hint("alert:"+string(d.Alert), d.Org)
		}
		if d.State == ward.DeliveryDelivered {
			return o.proved(ctx, tx, d, now, "taken by the receiver")
		}
		if d.State.Lost() {
			n, err := tx.Notice(ctx, d.Notice)
			if err != nil {
				return err
			}
			return o.lost(ctx, tx, n, d)
		}
		return nil
	})
}
