package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch/coverage"
	"wardwatch/watch/detect/silence"
)

// counter is the reader of the bus that counts who sends.
const counter = "coverage"

// countEvery is how often what was counted is kept.
const countEvery = 5 * time.Second

// counting is what one reader counted.
type counting struct {
	tally      *coverage.Tally
	kept, last uint64 // messages
	next       time.Time
}

func (c *counting) due(now time.Time) bool { return c.last > c.kept && !now.Before(c.next) }

// keep keeps what was counted, and how far was read, at once.
func (c *counting) keep(ctx context.Context, a *App, shard int) error {
	if c.last == c.kept {
		return nil
	}
	err := a.store.Update(ctx, func(tx *store.Tx) error {
		if err := c.tally.Keep(ctx, tx); err != nil {
			return err
		}
		return tx.SetBusCursor(ctx, counter, shard, c.last)
	})
	if err != nil {
		return err
	}
	c.tally.Kept()
	c.kept, c.next = c.last, a.Clock.Now().Add(countEvery)
	return nil
}

// beat is how often the server says that it takes events in.
const beat = 30 * time.Second

// hear keeps dead letters, says that somebody listens, and notices who has gone quiet, until ctx ends.
func (e *ears) hear(ctx context.Context) {
	since := e.app.Clock.Now()
	ear := silence.New(silence.Options{
		Clock: e.app.Clock, Store: e.app.store, Reporter: e.app.Findings,
		Since: func() (time.Time, bool) { return since, e.current(ctx) },
	})
	letters := func(ctx context.Context, now time.Time) (time.Time, error) {
		return now.Add(countEvery), e.letters.Keep(ctx, e.app.store, now)
	}
	(&jobs{clock: e.app.Clock, log: e.app.log, table: []job{
		{"letters", letters},
		{"listening", func(ctx context.Context, now time.Time) (time.Time, error) {
			return now.Add(beat), e.app.store.Update(ctx, func(tx *store.Tx) error { return tx.Listening(ctx, since, now) })
		}},
		{"forgetting", func(ctx context.Context, now time.Time) (time.Time, error) {
			return now.Add(time.Hour), e.app.store.Update(ctx, func(tx *store.Tx) error { return tx.ForgetSourceDays(ctx, now.Add(-coverage.Remembered)) })
		}},
		{"silence", ear.Due},
	}}).run(ctx, nil)
	last := context.WithoutCancel(ctx)
	now := e.app.Clock.Now()
	if _, err := letters(last, now); err != nil {
		e.app.log.Error("dead letters are not kept", "err", err)
	}
}

// current says whether everything that the bus carries was read.
func (e *ears) current(ctx context.Context) bool {
	for shard := range e.bus.Shards() {
		state, err := e.bus.State(ctx, shard)
		if err != nil || state.Last > e.reached[shard].Load() {
			return false
		}
	}
	return true
}

// keptFor is how long an organisation's events are kept, in words.
func (a *App) keptFor(org ward.OrgID) string {
	var parts []string
	general := ""
	for _, k := range a.Config.Archive.Keep {
		words := fmt.Sprintf("%d days", k.Days)
		switch {
		case k.Organisation != "" && k.Organisation != string(org):
		case k.Kind != "":
			parts = append(parts, k.Kind+" "+words)
		case k.Organisation != "":
			general = words
		case general == "":
			general = words
		}
	}
	return strings.Join(append([]string{cmp.Or(general, "for ever")}, parts...), "; ")
}

// CoverageOptions choose what is shown.
type CoverageOptions struct {
	Org     string // with its sources
	Samples bool   // of what could not be read; written into the audit record
}

// CoverageOf says what is covered, of all organisations or of one.
func (a *App) CoverageOf(ctx context.Context, o CoverageOptions) (report []coverage.Organisation, err error) {
	if o.Org == "" {
		return a.Coverage.Organisations(ctx, ward.Everything())
	}
	org, err := parseOrgCode(o.Org)
	if err != nil {
		return nil, err
	}
	if org, _, err = a.asRegistered(ctx, org); err != nil {
		return nil, err
	}
	one, err := a.Coverage.Organisation(ctx, ward.Everything(), org)
	if err != nil {
		return nil, err
	}
	if o.Samples {
		if one.Letters, err = a.Coverage.Letters(ctx, shell, org); err != nil {
			return nil, err
		}
	}
	return []coverage.Organisation{one}, nil
}

// CoveredOrganisation is what is covered of one organisation, as commands print it.
type CoveredOrganisation struct {
	Organisation string          `json:"organisation"`
	Watching     bool            `json:"watching"` // somebody takes events in now
	LastDay      int64           `json:"events_last_day"`
	Last         time.Time       `json:"last,omitzero"`
	Quiet        int             `json:"quiet_sources"`
	Unread       int64           `json:"unread_last_week"`
	Events       int64           `json:"events_kept"`
	Bytes        int64           `json:"bytes_kept"`
	From         time.Time       `json:"kept_from,omitzero"`
	To           time.Time       `json:"kept_to,omitzero"`
	Unreadable   int             `json:"unreadable_blocks"`
	Kept         string          `json:"kept"`
	Deaf         [][2]time.Time  `json:"nobody_listened"`
	Sources      []CoveredSource `json:"sources,omitempty"`
	Letters      []CoveredLetter `json:"dead_letters,omitempty"`
}

// CoveredSource is one source.
type CoveredSource struct {
	Source     string    `json:"source"`
	Kind       string    `json:"kind"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Events     int64     `json:"events"`
	LastDay    int64     `json:"events_last_day"`
	PerHour    float64   `json:"events_an_hour"`
	LagSeconds float64   `json:"lag_seconds"`
	Ahead      float64   `json:"clock_ahead_seconds"`
	Gap        float64   `json:"longest_gap_seconds"`
	Undated    int64     `json:"undated"`
	Quiet      time.Time `json:"quiet_since,omitzero"`
}

// CoveredLetter is something that could not be read.
type CoveredLetter struct {
	At     time.Time `json:"at"`
	Source string    `json:"source"`
	Reason string    `json:"reason"`
	Count  int64     `json:"count"`
	Sample string    `json:"sample,omitempty"`
}

// CoverageJSON is what is covered, as JSON has it.
func CoverageJSON(all []coverage.Organisation) []CoveredOrganisation {
	out := []CoveredOrganisation{}
	for _, o := range all {
		one := CoveredOrganisation{
			Organisation: string(o.Org), Watching: o.Watching, LastDay: o.All.LastDay, Last: o.All.Last, Quiet: o.Quiet, Unread: o.Unread, Events: o.Storage.Events,
			Bytes: o.Storage.Bytes, From: o.Storage.First, To: o.Storage.Last, Unreadable: o.Storage.Unreadable, Kept: o.Kept, Deaf: append([][2]time.Time{}, o.Deaf...),
		}
		for _, s := range o.Sources {
			one.Sources = append(one.Sources, CoveredSource{
				Source: s.Source, Kind: string(s.Kind), First: s.First, Last: s.Last, Events: s.Events, LastDay: s.LastDay, PerHour: s.PerHour, LagSeconds: s.Lag.Seconds(),
				Ahead: s.Clock.Seconds(), Gap: s.Gap.Seconds(), Undated: s.Undated, Quiet: s.Quiet,
			})
		}
		for _, l := range o.Letters {
			one.Letters = append(one.Letters, CoveredLetter{l.At, l.Source, l.Reason, l.Count, l.Sample})
		}
		out = append(out, one)
	}
	return out
}

// CoverageText writes what is covered for reading.
func CoverageText(all []coverage.Organisation) func(io.Writer) {
	return func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "no events came yet, and none are kept")
		}
		for _, o := range all {
			state := "nobody takes events in at the moment"
			if o.Watching {
				state = "events are taken in"
			}
			fmt.Fprintf(w, "%s: %d events in the last 24 hours, last %s; %s\n", o.Org, o.All.LastDay, told(o.All.Last), state)
			fmt.Fprintf(w, "    kept: %d events in %d bytes, from %s to %s; %s\n", o.Storage.Events, o.Storage.Bytes, told(o.Storage.First), told(o.Storage.Last), o.Kept)
			if o.Unread > 0 {
				fmt.Fprintf(w, "    %d could not be read in the last seven days\n", o.Unread)
			}
			if o.Quiet > 0 {
				fmt.Fprintf(w, "    %d sources are silent against their rhythm\n", o.Quiet)
			}
			for _, span := range o.Deaf {
				fmt.Fprintf(w, "    nobody took events in from %s to %s\n", told(span[0]), told(span[1]))
			}
			for _, s := range o.Sources {
				fmt.Fprintf(w, "    %s (%s): %.1f an hour, last %s%s\n", printable(s.Source, 100), silence.KindWords(s.Kind), s.PerHour, told(s.Last), remarks(s))
			}
			for _, l := range o.Letters {
				fmt.Fprintf(w, "    not read, %d times, last %s, from %s: %s\n", l.Count, told(l.At), printable(l.Source, 100), printable(l.Reason, 200))
				if l.Sample != "" {
					fmt.Fprintf(w, "        %s\n", printable(l.Sample, 400))
				}
			}
		}
	}
}

// remarks are what is unusual of a source.
func remarks(s coverage.Source) string {
	text := ""
	if !s.Quiet.IsZero() {
		text += ", silent against its rhythm"
	}
	if s.Clock > 0 {
		text += fmt.Sprintf(", its clock is %v ahead of ours", s.Clock.Round(time.Second))
	}
	if s.Lag > time.Minute {
		text += fmt.Sprintf(", its events come %v after they happened", s.Lag.Round(time.Second))
	}
	if s.Undated > 0 {
		text += fmt.Sprintf(", %d events of seven days said no time", s.Undated)
	}
	return text
}

func told(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}
