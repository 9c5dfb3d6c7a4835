package silence

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// A Reporter takes silences as detections, in the transaction that marks the source; act/findings is one.
type Reporter interface {
	Detect(ctx context.Context, tx *store.Tx, seen []ward.Detection) error
}

// Options are what an Ear needs.
type Options struct {
	Clock    ward.Clock
	Store    *store.Store
	Reporter Reporter
	// Since says from when on events were taken in without a pause, and whether everything that came is counted: only then is
	// anybody judged.
	Since func() (since time.Time, current bool)
}

// An Ear hears who went quiet. Its Due is for one goroutine at a time.
type Ear struct {
	Options
	certain map[[3]string]judged
}

// judged is when a silence is certain that began with an event.
type judged struct {
	last, certain time.Time
}

// New makes an Ear.
func New(o Options) *Ear { return &Ear{Options: o, certain: map[[3]string]judged{}} }

const (
	every      = time.Minute
	mostAtOnce = 500 // sources whose past is read in one go
)

// Due ends the silences of those who speak again, and reports those whose silence is certain by now: of an organisation that is quiet
// altogether one, of a kind of events of which nothing comes one, and else one a source.
func (e *Ear) Due(ctx context.Context, now time.Time) (next time.Time, err error) {
	next = now.Add(every)
	if err := e.speaking(ctx); err != nil {
		return next, fmt.Errorf("silence: %w", err)
	}
	since, current := e.Since()
	if !current {
		return next, nil
	}
	var silent []ward.EventSource
	err = e.Store.View(ctx, func(tx *store.Tx) (err error) {
		silent, err = tx.SourcesToJudge(ctx, now.Add(-Least), now.Add(-Known))
		return err
	})
	if err != nil {
		return next, fmt.Errorf("silence: %w", err)
	}
	read := 0
	quiet := map[[3]string]bool{}
	for _, s := range silent { // an organisation first, then its kinds, then its sources
		key := [3]string{string(s.Org), s.Source, string(s.Kind)}
		j, ok := e.certain[key]
		if !ok || !j.last.Equal(s.Last) {
			if read == mostAtOnce {
				return now.Add(time.Second), nil
			}
			read++
			if j, err = e.judge(ctx, s); err != nil {
				return next, fmt.Errorf("silence: %w", err)
			}
			e.certain[key] = j
		}
		// The time in which nobody listened is not the source's: its silence is as much shorter.
		certain := j.certain
		if deaf := since.Sub(s.Last); deaf > 0 {
			certain = certain.Add(deaf)
		}
		if now.Before(certain) {
			continue
		}
		quiet[key] = true
		covered := s.Source != "" && quiet[[3]string{string(s.Org), "", string(s.Kind)}] || (s.Source != "" || s.Kind != "") && quiet[[3]string{string(s.Org), "", ""}]
		if err := e.report(ctx, s, now, covered); err != nil {
			return next, fmt.Errorf("silence: %w", err)
		}
		delete(e.certain, key)
	}
	return next, nil
}

func (e *Ear) judge(ctx context.Context, s ward.EventSource) (judged, error) {
	var days []ward.SourceDay
	err := e.Store.View(ctx, func(tx *store.Tx) (err error) {
		days, err = tx.SourceDays(ctx, s.Org, &s, s.Last.Truncate(day).Add(-History))
		return err
	})
	return judged{s.Last, Learn(days, s.Last).Certain(s.Last)}, err
}

// report marks a source as quiet, and tells of it unless what it belongs to is quiet altogether.
func (e *Ear) report(ctx context.Context, s ward.EventSource, now time.Time, covered bool) error {
	return e.Store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SetQuiet(ctx, s, s.Last); err != nil || covered {
			return err
		}
		return e.Reporter.Detect(ctx, tx, []ward.Detection{Detection(s, now)})
	})
}

// Detection is what is reported of a source that is silent since its last event.
func Detection(s ward.EventSource, now time.Time) ward.Detection {
	d := ward.Detection{
		Org: s.Org, Fingerprint: fingerprint(s, s.Last), Kind: "silence", Rule: "silence", Host: s.Source, Count: 1, First: s.Last, Last: s.Last, Source: s.Source, Noticed: now,
	}
	switch {
	case s.Source != "":
		d.Title, d.Level = s.Source+" has gone quiet", "low"
		d.Matched = append(d.Matched, ward.DetectedValue{Field: "source", Value: s.Source})
	case s.Kind != "":
		d.Title, d.Level = "No events of "+KindWords(s.Kind)+" come any more", "medium"
	default:
		d.Title, d.Level = "The whole organisation has gone quiet", "high"
	}
	if s.Kind != "" {
		d.Matched = append(d.Matched, ward.DetectedValue{Field: "kind", Value: KindWords(s.Kind)})
	}
	d.Matched = append(d.Matched, ward.DetectedValue{Field: "last event", Value: s.Last.UTC().Format(time.RFC3339)})
	return d
}

// KindWords is a kind of events for reading.
func KindWords(k ward.EventKind) string {
	words := strings.Join(strings.FieldsFunc(string(k), func(r rune) bool { return r == '/' }), " ")
	return cmp.Or(words, "no kind that is known")
}

func fingerprint(s ward.EventSource, since time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "silence\x00%s\x00%s\x00%s\x00%d", s.Org, s.Source, s.Kind, since.UnixMicro()))
	return hex.EncodeToString(sum[:16])
}

// speaking ends the silences of sources that speak again.
func (e *Ear) speaking(ctx context.Context) error {
	var again []ward.EventSource
	err := e.Store.View(ctx, func(tx *store.Tx) (err error) {
		again, err = tx.SourcesThatSpeakAgain(ctx)
		return err
	})
	if err != nil || len(again) == 0 {
		return err
	}
	return e.Store.Update(ctx, func(tx *store.Tx) error {
		var failed error
		for _, s := range again {
			failed = errors.Join(failed, tx.SetQuiet(ctx, s, time.Time{}), tx.EndDetection(ctx, s.Org, fingerprint(s, s.Quiet), s.Last))
			tx.Hint("detections", s.Org)
		}
		return failed
	})
}
