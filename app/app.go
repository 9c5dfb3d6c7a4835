// Package app wires the rooms in the order in which data flows, and runs them: New, Run, Close. A config.Config comes in; a
// served address goes out. The commands go through it too, one function each. It decides nothing that a room could decide.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"wardwatch/act"
	"wardwatch/act/alerts"
	"wardwatch/act/duty"
	"wardwatch/act/findings"
	"wardwatch/act/notify"
	"wardwatch/act/responses"
	"wardwatch/config"
	"wardwatch/edge/access"
	"wardwatch/edge/web"
	"wardwatch/keep/store"
	"wardwatch/know/estate"
	"wardwatch/know/feeds"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive/hunts"
	"wardwatch/watch/coverage"
	"wardwatch/watch/ingest"
)

// Options are what a configuration file does not say.
type Options struct {
	Clock   ward.Clock   // nil: the machine's
	Log     *slog.Logger // nil: nothing is logged
	Version string
	Story   web.Story // the demo's story page; nil outside the demo
}

// App is the whole product, wired.
type App struct {
	Config config.Config
	Clock  ward.Clock

	Estate    *estate.Register
	Intel     *intel.Library
	Feeds     *feeds.Syncer
	Match     *match.Matcher
	Findings  *findings.Desk
	Responses *responses.Ledger
	Alerts    *alerts.Board
	Notify    *notify.Outbox
	Duty      *duty.Desk
	Access    *access.Door
	Senders   *ingest.Senders
	Hunts     *hunts.Desk
	Coverage  *coverage.Room

	store    *store.Store
	jobs     *jobs
	fetching *jobs

	remembering *jobs // what answers from memory, in a process that stays
	courier     *notify.Courier
	handler     http.Handler
	pages       *web.Site
	// Ears are the addresses at which events are taken in, by the listener's name, once Run has told that it is ready.
	Ears map[string]string
	log  *slog.Logger
}

// New opens the data directory and wires the rooms. Nothing runs yet.
func New(ctx context.Context, c config.Config, o Options) (a *App, err error) {
	if o.Clock == nil {
		o.Clock = ward.WallClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	kept, err := store.Open(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, kept.Close())
		}
	}()
	a = &App{Config: c, Clock: o.Clock, store: kept, log: o.Log}

	// know
	a.Estate = estate.New(kept, o.Clock, readers()...)
	a.Intel = intel.New(kept, o.Clock)
	a.Feeds = feeds.New(kept, o.Clock, sources(c), a.Intel, feeds.Options{Schedule: schedule(c), Log: o.Log})
	a.Match = match.New(kept, o.Clock)

	// act
	a.Notify = notify.New(kept, o.Clock)
	if a.courier, err = courier(c, a.Notify, o); err != nil {
		return nil, err
	}
	a.Findings = findings.New(kept, o.Clock, names{})
	a.Responses = responses.New(kept, o.Clock, evidence{a.Match, a.Estate}, a.Match, a.Intel, a.Notify)
	policies, err := act.LoadPolicies(c.Policies)
	if err != nil {
		return nil, err
	}
	a.Alerts = alerts.New(kept, o.Clock, alerts.Neighbours{
		Standings: a.Match, Answers: a.Responses, Notices: a.Notify, Weaknesses: a.Intel, Findings: a.Findings, Records: records{a.Intel}, Recipients: a.Notify, Policies: policies,
	})
	// watch
	a.Senders = ingest.NewSenders(kept, o.Clock)
	a.Hunts = hunts.New(hunts.Options{
		Store: kept, Clock: o.Clock, Log: o.Log, Folds: a.lookBackFold,
		Query: func(s ward.Sought) (watch.Query, error) {
			q, _, err := a.queryFor(s)
			return q, err
		},
	})
	a.Coverage = coverage.New(o.Clock, kept, a.keptFor)

	a.Duty = duty.New(kept, o.Clock, duty.FromFeeds(a.Feeds), duty.FromBoard(a.Alerts), duty.FromDetections(a.Findings, o.Clock), a.Responses)

	a.Notify.Answers = a.Responses

	// edge
	a.Access, err = access.New(kept.Accounts(), ward.WallClock{}, access.Options{Secure: strings.HasPrefix(c.Base(), "https:"), Origins: origins(c), World: o.Clock, Looks: a.Estate, Log: o.Log})
	if err != nil {
		return nil, err
	}
	if err := a.wireEdge(o); err != nil {
		return nil, err
	}

	a.fetching = &jobs{clock: o.Clock, log: o.Log, table: []job{{"feeds", a.Feeds.Due}}} // a publisher may take an hour to read
	a.remembering = &jobs{clock: o.Clock, log: o.Log, table: []job{{"lists", a.Match.Remember}}}
	a.jobs = &jobs{clock: o.Clock, log: o.Log, table: []job{
		{"match", a.Match.Due},
		{"findings", a.Findings.Due},
		{"alerts", a.Alerts.Due},
		{"responses", a.Responses.Due},
		{"duty", a.Duty.Due},
		{"notify", a.courier.Due},
		{"access", a.Access.Due},
	}}
	return a, nil
}

// Close closes the database; what ran has ended by then.
func (a *App) Close() error { return a.store.Close() }

// Settle runs every job that is due at the clock's time, once each in the order of the walk, and says when one wants to run
// again (zero: only when something changes).
func (a *App) Settle(ctx context.Context) (next time.Time, err error) { return a.jobs.settle(ctx) }

// Handler serves the pages and the API.
func (a *App) Handler() http.Handler { return a.handler }

// Run serves until ctx ends, and runs the jobs beside it. ready is told the address once it is served.
func (a *App) Run(ctx context.Context, ready func(address string)) error {
	if err := a.store.Writable(ctx); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.Config.Listen)
	if err != nil {
		return fmt.Errorf("app: listen on %s: %w (write it as HOST:PORT, and choose another with --listen where one is running)", a.Config.Listen, err)
	}
	server := &http.Server{
		Handler:           a.handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx }, // live pages end with the server
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var working sync.WaitGroup
	var heard *ears // nil: nothing is taken in
	if a.Config.Ingest.On() {
		ears, err := a.openEars(ctx)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		heard = ears
		a.Ears = ears.where
		working.Go(func() {
			if err := ears.run(running); err != nil {
				a.log.Error("events are not taken in", "err", err)
			}
		})
	}
	working.Go(func() { a.hunt(running, heard) })
	working.Go(func() { a.jobs.run(running, a.store.Hints(running)) })
	working.Go(func() { a.fetching.run(running, nil) })
	working.Go(func() { a.remembering.run(running, nil) })
	working.Go(func() {
		if err := a.courier.Run(running); err != nil && running.Err() == nil {
			a.log.Error("nothing is delivered", "err", err)
		}
	})
	working.Go(func() { a.pages.Tell(a.store.Hints(running)) })
	served := make(chan error, 1)
	go func() {
		if tls := a.Config.TLS; tls.Certificate != "" {
			served <- server.ServeTLS(listener, tls.Certificate, tls.Key)
			return
		}
		served <- server.Serve(listener)
	}()
	if ready != nil {
		ready(address(a.Config, listener.Addr()))
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = server.Shutdown(graceful)
	}
	stop()
	working.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// origins are the further addresses that people may post from: what they type, when a proxy stands before this server.
func origins(c config.Config) []string {
	if c.URL == "" {
		return nil
	}
	return []string{c.Base()}
}

// address is what to type into a browser: the configured URL, or where the listener really is.
func address(c config.Config, at net.Addr) string {
	if c.URL != "" {
		return c.Base()
	}
	c.Listen = at.String()
	return c.Base()
}
