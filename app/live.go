package app

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"wardwatch/act/findings"
	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
)

// eyes are the rules and indicators that events are held against as they come.
type eyes struct {
	rules      *sigma.Set
	program    *sigma.Program
	indicators *indicators.Index
	archive    *archive.Archive // for records whose fields the rules number
}

// openEyes reads the rules and indicators that the configuration names. What is wrong with one of them is logged, and the others count.
func (a *App) openEyes() (*eyes, error) {
	c := a.Config.Detect
	set, report, err := loadRules(RulesOptions{Dirs: c.Rules, Lists: c.Lists, also: slices.Concat(indicators.UserFields(), archive.HostFields())})
	if err != nil {
		return nil, err
	}
	a.log.Info("rules loaded", "loaded", report.Loaded, "partly", len(report.Partly), "refused", len(report.Refused))
	var wrong strings.Builder
	index, err := readIndicators(DetectOptions{Indicators: c.Indicators, Clock: a.Clock, Err: &wrong}, set.Names)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(wrong.String()) {
		a.log.Warn("indicator not used", "reason", strings.TrimSpace(line))
	}
	return &eyes{rules: set, program: sigma.Compile(set), indicators: index}, nil
}

// detector is the reader of the bus that holds events against rules.
const detector = "detect"

// flushEvery is how often what was seen is kept.
const flushEvery = time.Second

// A lookout is what one reader saw and has not kept yet. Of one thing that is seen again and again it holds one.
type lookout struct {
	live  *detect.Live
	found []detect.Detection
	seen  map[[2]string]*ward.Detection // by organisation and fingerprint
	kept  uint64                        // the last message of which everything that was seen is kept
	last  uint64                        // the last message that was looked at
	next  time.Time
}

func newLookout(e *eyes, kept uint64) *lookout {
	return &lookout{live: detect.NewLive(e.rules, e.program, e.indicators), seen: map[[2]string]*ward.Detection{}, kept: kept, last: kept}
}

// look holds one event of a message against everything.
func (l *lookout) look(a *watch.Arrival, r *watch.Record, now time.Time) {
	l.found = l.live.Look(string(a.Org), r, detect.Event{File: a.Source, Record: int(a.Sequence)}, l.found[:0])
	for i := range l.found {
		l.add(a, &l.found[i], now)
	}
}

// advance lets time pass for what only the end of a window decides.
func (l *lookout) advance(now time.Time) {
	l.live.Advance(now, func(org string, found []detect.Detection) {
		for i := range found {
			at := found[i].Event
			l.add(&watch.Arrival{Org: ward.OrgID(org), Source: at.File, Sequence: int64(at.Record), Received: now.UnixMicro()}, &found[i], now)
		}
	})
}

func (l *lookout) add(a *watch.Arrival, f *detect.Detection, now time.Time) {
	at, _ := archive.HappenedAt([]byte(f.Event.Said), time.UnixMicro(a.Received).UTC())
	key := [2]string{string(a.Org), f.Fingerprint()}
	if d := l.seen[key]; d != nil {
		d.Count++
		if at.Before(d.First) {
			d.First = at
		}
		if at.After(d.Last) {
			d.Last = at
		}
		return
	}
	d := &ward.Detection{
		Org: a.Org, Fingerprint: key[1], Kind: string(f.Kind), Rule: f.Rule, Title: f.Title, Level: f.Level, Techniques: f.Techniques, Host: f.Event.Host,
		Count: 1, First: at, Last: at, Source: a.Source, Record: a.Sequence, Noticed: now, Matched: []ward.DetectedValue{},
	}
	for _, m := range f.Matched {
		d.Matched = append(d.Matched, ward.DetectedValue{Field: m.Field, Value: shorten(m.Value)})
	}
	if f.Indicator != nil {
		d.Indicator, d.IndicatedBy = f.Indicator.Type+" "+f.Indicator.Value, f.Indicator.Source
	}
	l.seen[key] = d
}

// longestShown is how much of a value is kept beside a detection; the event itself is in the archive.
const longestShown = 1000

func shorten(text string) string {
	if len(text) > longestShown {
		return strings.ToValidUTF8(text[:longestShown], "") + "..."
	}
	return text
}

// due says whether what was seen should be kept now.
func (l *lookout) due(now time.Time) bool {
	return (l.last > l.kept || len(l.seen) > 0) && !now.Before(l.next)
}

// keep keeps what was seen, and how far was looked, at once.
func (l *lookout) keep(ctx context.Context, a *App, shard int) error {
	if l.last == l.kept && len(l.seen) == 0 {
		return nil
	}
	all := make([]ward.Detection, 0, len(l.seen))
	for _, d := range l.seen {
		all = append(all, *d)
	}
	err := a.store.Update(ctx, func(tx *store.Tx) error {
		if err := a.Findings.Detect(ctx, tx, all); err != nil {
			return err
		}
		return tx.SetBusCursor(ctx, detector, shard, l.last)
	})
	if err != nil {
		return err
	}
	clear(l.seen)
	l.kept, l.next = l.last, a.Clock.Now().Add(flushEvery)
	return nil
}

// DetectionsOptions choose detections.
type DetectionsOptions struct {
	Orgs  []string
	Since string
	Level string // that or more urgent; empty: any
}

// SeenDetection is a detection as commands print it.
type SeenDetection struct {
	Organisation string               `json:"organisation"`
	Kind         string               `json:"kind"`
	Rule         string               `json:"rule_id"`
	Title        string               `json:"title"`
	Level        string               `json:"level"`
	Techniques   []string             `json:"techniques"`
	Host         string               `json:"host"`
	Matched      []ward.DetectedValue `json:"matched"`
	Indicator    string               `json:"indicator,omitempty"`
	Count        int64                `json:"count"`
	First        time.Time            `json:"first"`
	Last         time.Time            `json:"last"`
	Source       string               `json:"source"`
	Record       int64                `json:"record"`
	Noticed      time.Time            `json:"noticed"`
	Ended        time.Time            `json:"ended,omitzero"` // of a silence: when the source spoke again
}

// Text writes one detection for reading.
func (d SeenDetection) Text(w io.Writer) {
	fmt.Fprintf(w, "%s  %s: %s\n", d.Organisation, strings.ToUpper(d.Level), printable(d.Title, 200))
	when := d.Last.Format(time.RFC3339)
	if d.Count > 1 {
		when = fmt.Sprintf("%d times from %s to %s", d.Count, d.First.Format(time.RFC3339), when)
	}
	fmt.Fprintf(w, "    %s, first in %s:%d\n", when, printable(d.Source, 200), d.Record)
	if d.Host != "" {
		fmt.Fprintf(w, "    on %s\n", printable(d.Host, 200))
	}
	for _, m := range d.Matched {
		fmt.Fprintf(w, "    %s: %s\n", printable(m.Field, 100), printable(m.Value, 300))
	}
}

// Detections lists what rules and indicators saw in events as they came.
func (a *App) Detections(ctx context.Context, o DetectionsOptions) (all []SeenDetection, err error) {
	q := findings.DetectionQuery{}
	if q.Since, err = parseMoment("since", o.Since, a.Clock.Now()); err != nil {
		return nil, err
	}
	if o.Level != "" {
		if q.Urgency = findings.Urgency(o.Level); q.Urgency > len(findings.Levels) {
			return nil, &ward.Invalid{Field: "level", Problem: fmt.Sprintf("%q is not known", o.Level), Hint: strings.Join(findings.Levels, ", ")}
		}
	}
	scope := ward.Everything()
	if len(o.Orgs) > 0 {
		var orgs []ward.OrgID
		for _, code := range o.Orgs {
			org, err := parseOrgCode(code)
			if err != nil {
				return nil, err
			}
			orgs = append(orgs, org)
		}
		scope = ward.Only(orgs...)
	}
	list, err := a.Findings.Detections(ctx, scope, q)
	all = []SeenDetection{}
	for _, d := range list {
		all = append(all, SeenDetection{
			Organisation: string(d.Org), Kind: d.Kind, Rule: d.Rule, Title: d.Title, Level: d.Level, Techniques: append([]string{}, d.Techniques...), Host: d.Host,
			Matched: d.Matched, Indicator: d.Indicator, Count: d.Count, First: d.First, Last: d.Last, Source: d.Source, Record: d.Record, Noticed: d.Noticed, Ended: d.Ended,
		})
	}
	return all, err
}
