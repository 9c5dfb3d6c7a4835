package app

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
	"wardwatch/watch/ingest/file"
)

// DetectOptions say what the stateless detection holds against what.
type DetectOptions struct {
	Files      []string // files, folders, archives; "-" is standard input
	Format     string   // "auto" or empty, or one of DetectFormats
	Rules      RulesOptions
	Indicators []string                // files
	JSON       bool                    // one object a match instead of text
	Stats      bool                    // figures of the run on Err
	Clock      ward.Clock              // nil: the machine's
	Progress   func(done, total int64) // bytes; may be nil
	Out        io.Writer
	Err        io.Writer // what could not be read, counted and named
}

// DetectFormats are the formats that files of events can have; the first one recognises each.
func DetectFormats() []string { return watch.Formats() }

// foldMost is how many different detections are folded at once before those that have been quiet for longest are printed.
const foldMost = 10_000

// Detect holds files of events against rules and indicators and keeps nothing. It writes what it found to Out, as it comes
// with JSON, else folded and the most urgent first. What cannot be read is named on Err, and the rest goes on.
func Detect(ctx context.Context, o DetectOptions) error {
	run, err := newDetection(o)
	if err != nil {
		return err
	}
	started := run.Clock.Now()
	reading := file.Each(ctx, o.Files, file.Options{Format: run.format, Trouble: run.bad.note, Progress: fileProgress(o.Files, o.Progress)}, run.event)
	if reading == nil {
		reading = run.end()
	}
	run.took = run.Clock.Now().Sub(started)
	if err := errors.Join(reading, run.finish()); err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	if run.read == 0 && run.bad.count > 0 {
		return fmt.Errorf("detect: no event could be read: %w", ErrNothingRead)
	}
	return nil
}

// A detection is one run over files.
type detection struct {
	DetectOptions
	format   watch.Format
	set      *sigma.Set
	detector *detect.Detector
	decoder  *watch.Decoder
	record   watch.Record
	found    []detect.Detection
	folded   *detect.Repeats
	out      *bufio.Writer
	bad      troubles

	files   int
	file    string // the last one
	read    int    // events
	bytes   int64
	matches int
	took    time.Duration
}

func newDetection(o DetectOptions) (*detection, error) {
	if o.Clock == nil {
		o.Clock = ward.WallClock{}
	}
	format, ok := watch.FormatOf(cmp.Or(o.Format, "auto"))
	if !ok {
		return nil, fmt.Errorf("detect: %w", &ward.Invalid{Field: "format", Problem: fmt.Sprintf("%q is not known", o.Format), Hint: strings.Join(watch.Formats(), ", ")})
	}
	set, report, err := loadRules(o.Rules)
	if err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	tellRules(o.Err, report)
	if len(set.Rules)+len(set.Correlations) == 0 && len(o.Indicators) == 0 {
		return nil, fmt.Errorf("detect: no rule could be used: %w", ErrNothingRead)
	}
	index, err := readIndicators(o, set.Names)
	if err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	return &detection{
		DetectOptions: o, format: format, set: set, decoder: watch.NewDecoder(set.Names),
		detector: detect.New(detect.Options{Rules: set, Indicators: index}), folded: detect.NewRepeats(foldMost), out: bufio.NewWriter(o.Out),
	}, nil
}

// tellRules says that some rules are not used; rules check says which, because they are often many.
func tellRules(w io.Writer, report *sigma.Report) {
	if len(report.Refused)+len(report.Partly) == 0 {
		return
	}
	const most = 3
	fmt.Fprintf(w, "rules: %d loaded, %d in part, %d refused (wardwatch rules check says why):\n", report.Loaded, len(report.Partly), len(report.Refused))
	for i, t := range slices.Concat(report.Refused, report.Partly) {
		if i == most {
			fmt.Fprintf(w, "  and %d more\n", len(report.Refused)+len(report.Partly)-most)
			break
		}
		fmt.Fprintf(w, "  %s: %s\n", t.File, t.Reason)
	}
}

// readIndicators reads files of indicators; nil where there are none. A line that says nothing is named, and the others count.
func readIndicators(o DetectOptions, names *watch.Names) (*indicators.Index, error) {
	if len(o.Indicators) == 0 {
		return nil, nil //nolint:nilnil // as said
	}
	index, err := indicators.New(indicators.Options{Clock: o.Clock, Names: names})
	if err != nil {
		return nil, err
	}
	bad := 0
	err = index.Fill(func(give func(ward.Indicator) error) error {
		return eachIndicator(o.Indicators, give, func(path string, line *indicators.BadLine) {
			if bad++; bad <= mostNamed {
				fmt.Fprintf(o.Err, "indicators %s: %s\n", path, printable(line.Error(), 300))
			}
		})
	})
	if err != nil {
		return nil, err
	}
	if bad > mostNamed {
		fmt.Fprintf(o.Err, "indicators: %d more lines could not be read\n", bad-mostNamed)
	}
	if index.Stats().Sealed == 0 {
		return nil, fmt.Errorf("indicators: none in %s: %w", strings.Join(o.Indicators, ", "), ErrNothingRead)
	}
	return index, nil
}

// eachIndicator reads files of indicators one after the other.
func eachIndicator(paths []string, give func(ward.Indicator) error, bad func(path string, line *indicators.BadLine)) error {
	for _, path := range paths {
		in, err := os.Open(path) //nolint:gosec // the operator names it
		if err != nil {
			return fmt.Errorf("indicators: %w: %w", err, ErrNothingRead)
		}
		err = indicators.Read(in, filepath.Base(path), give, func(line *indicators.BadLine) { bad(path, line) })
		if err = errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("indicators %s: %w: %w", path, err, ErrNothingRead)
		}
	}
	return nil
}

// event holds one event against everything.
func (d *detection) event(e file.Event) error {
	if e.File != d.file {
		d.file, d.files = e.File, d.files+1
	}
	if err := d.decoder.Event(e.Format, e.Header, e.Raw, &d.record); err != nil {
		d.bad.note(file.Trouble{File: e.File, Record: e.Record, Err: err})
		return nil //nolint:nilerr // counted and named; the events beside it count
	}
	d.read++
	d.bytes += int64(len(e.Raw))
	d.found = d.detector.Look(&d.record, detect.Event{File: e.File, Record: e.Record}, d.found[:0])
	return d.tell()
}

// end is what the last event leaves to be decided.
func (d *detection) end() error {
	d.found = d.detector.End(d.found[:0])
	return d.tell()
}

// tell prints what was found, or folds it for later.
func (d *detection) tell() error {
	d.matches += len(d.found)
	for _, f := range d.found {
		switch {
		case d.JSON:
			if err := writeDetection(d.out, f); err != nil {
				return err
			}
		default:
			if gone := d.folded.Add(f); gone != nil {
				printGroup(d.out, []*detect.Folded{gone})
			}
		}
	}
	if len(d.found) > 0 && slices.Contains(d.Files, "-") { // somebody is waiting at the other end of a pipe
		return d.out.Flush()
	}
	return nil
}

// finish prints what was folded, and what could not be read.
func (d *detection) finish() error {
	if !d.JSON {
		d.summary()
	}
	err := d.out.Flush()
	d.bad.tell(d.Err)
	if gone := d.detector.Forgotten(); gone > 0 {
		fmt.Fprintf(d.Err, "correlations: %s forgotten for want of room, so that one may have been missed\n", counted(gone, "record"))
	}
	if d.Stats {
		err = errors.Join(err, d.stats())
	}
	return err
}

// summary prints what was folded, the most urgent first, and the counts.
func (d *detection) summary() {
	all := d.folded.All()
	levels := map[string]int{}
	for _, f := range all {
		levels[levelOf(f.Detection)]++
	}
	for _, group := range byRule(all) {
		printGroup(d.out, group)
	}
	in := fmt.Sprintf("%s of %s", counted(d.read, "event"), counted(d.files, "file"))
	if d.matches == 0 {
		fmt.Fprintf(d.out, "Nothing detected in %s by %s.\n", in, counted(len(d.set.Rules)+len(d.set.Correlations), "rule"))
		return
	}
	var by []string
	for _, level := range append(slices.Clone(detect.Levels), noLevel) {
		if n := levels[level]; n > 0 {
			by = append(by, fmt.Sprintf("%d %s", n, level))
		}
	}
	if n := d.folded.Evicted(); n > 0 {
		by = append(by, fmt.Sprintf("%d printed early", n))
	}
	fmt.Fprintf(d.out, "%s (%s), seen %s, in %s.\n", counted(len(all)+d.folded.Evicted(), "detection"), strings.Join(by, ", "), times(d.matches), in)
}

// byRule parts detections by what saw them, the most urgent first, and by the time in which each was first seen.
func byRule(all []*detect.Folded) [][]*detect.Folded {
	slices.SortStableFunc(all, func(a, b *detect.Folded) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Event.File, b.Event.File), cmp.Compare(a.Event.Record, b.Event.Record))
	})
	place := map[[2]string]int{}
	var groups [][]*detect.Folded
	for _, f := range all {
		key := [2]string{string(f.Kind) + f.Rule, f.Title}
		at, known := place[key]
		if !known {
			at, place[key] = len(groups), len(groups)
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], f)
	}
	slices.SortStableFunc(groups, func(a, b []*detect.Folded) int {
		return cmp.Compare(detect.Urgency(a[0].Level), detect.Urgency(b[0].Level))
	})
	return groups
}

// figures are those of a run.
type figures struct {
	Events    int            `json:"events"`
	Bytes     int64          `json:"bytes"`
	Seconds   float64        `json:"seconds"`
	PerSecond int            `json:"events_per_second"`
	Rules     int            `json:"rules"`
	LookedAt  float64        `json:"rules_looked_at"` // per event, on average
	Matches   int            `json:"matches"`
	Bad       map[string]int `json:"bad_records"` // by reason
}

func (d *detection) stats() error {
	f := figures{
		Events: d.read, Bytes: d.bytes, Seconds: d.took.Seconds(), Rules: len(d.set.Rules) + len(d.set.Correlations), Matches: d.matches,
		Bad: d.bad.reasons,
	}
	if f.Bad == nil {
		f.Bad = map[string]int{}
	}
	if d.read > 0 {
		f.LookedAt = math.Round(float64(d.detector.Looked())/float64(d.read)*10) / 10
	}
	if f.Seconds > 0 {
		f.PerSecond = int(float64(f.Events) / f.Seconds)
	}
	if d.JSON {
		return json.NewEncoder(d.Err).Encode(f)
	}
	_, err := fmt.Fprintf(d.Err, "%s (%d bytes) in %.2f s: %d events/s; %s, of which %.1f were looked at an event; %s; %s\n", counted(f.Events, "event"), f.Bytes, f.Seconds, f.PerSecond,
		counted(f.Rules, "rule"), f.LookedAt, matches(f.Matches), counted(d.bad.count, "bad record"))
	return err
}

// progress is told how much was read of the files on disk, in bytes of theirs.
func fileProgress(paths []string, tell func(done, total int64)) func(int) {
	if tell == nil {
		return nil
	}
	total, done := int64(0), int64(0)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return func(n int) {
		done += int64(n)
		tell(done, max(total, done))
	}
}

// Troubles are counted by reason, and the first of each are named.
type troubles struct {
	count   int
	reasons map[string]int
	first   map[string][]string // by reason, where
}

// What troubles may hold, whatever a file holds.
const (
	mostReasons = 50
	mostNamed   = 5
	otherReason = "other reasons"
)

func (t *troubles) note(one file.Trouble) {
	if t.reasons == nil {
		t.reasons, t.first = map[string]int{}, map[string][]string{}
	}
	reason := one.Err.Error()
	if _, known := t.reasons[reason]; !known && len(t.reasons) >= mostReasons {
		reason = otherReason
	}
	t.count++
	t.reasons[reason]++
	if len(t.first[reason]) < mostNamed {
		where := one.File
		if one.Record > 0 {
			where = fmt.Sprintf("%s, record %d", one.File, one.Record)
		}
		t.first[reason] = append(t.first[reason], where)
	}
}

func (t *troubles) tell(w io.Writer) {
	for _, reason := range slices.SortedFunc(maps.Keys(t.reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.reasons[b], t.reasons[a]), cmp.Compare(a, b))
	}) {
		more := ""
		if n := t.reasons[reason] - len(t.first[reason]); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(w, "not read: %s: %s%s\n", printable(reason, 300), printable(strings.Join(t.first[reason], "; "), 1000), more)
	}
}

// detected is one match as JSON has it.
type detected struct {
	RuleID     string           `json:"rule_id"` // empty for an indicator
	Title      string           `json:"title"`
	Level      string           `json:"level"`
	File       string           `json:"file"`
	Record     int              `json:"record"`
	Time       string           `json:"time"` // RFC 3339 in UTC; as the record has it where that is no date; empty where it has none
	Matched    []detect.Matched `json:"matched"`
	Kind       detect.Kind      `json:"kind"`
	Techniques []string         `json:"techniques,omitempty"`
	Host       string           `json:"host,omitempty"`
	Indicator  *detect.Known    `json:"indicator,omitempty"`
	Since      string           `json:"since,omitempty"`   // of a correlation: the time of its first record
	Records    []detect.Place   `json:"records,omitempty"` // of a correlation: the first of them, at most 100
}

const mostRecords = 100

func writeDetection(w io.Writer, f detect.Detection) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(detected{
		RuleID: f.Rule, Title: f.Title, Level: f.Level, File: f.Event.File, Record: f.Event.Record, Time: momentOf(f.Event, time.RFC3339Nano),
		Matched: append([]detect.Matched{}, shown(f)...), Kind: f.Kind, Techniques: f.Techniques, Host: f.Event.Host, Indicator: f.Indicator,
		Since: dated(f.Since, time.RFC3339Nano), Records: f.Records[:min(len(f.Records), mostRecords)],
	})
}

// shown are the values that a person or a program is to see.
func shown(f detect.Detection) []detect.Matched {
	if f.Kind == detect.ByCorrelation {
		return append(slices.Clone(f.Matched), f.Measure)
	}
	return f.Matched
}

// momentOf is when an event was; as the record has it where that is no date.
func momentOf(e detect.Event, layout string) string {
	if e.Time.IsZero() {
		return e.Said
	}
	return dated(e.Time, layout)
}

func dated(at time.Time, layout string) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(layout)
}

const (
	noLevel = "without a level"
	byNight = "2006-01-02 15:04:05 UTC"
)

func levelOf(d detect.Detection) string {
	if detect.Urgency(d.Level) == len(detect.Levels) {
		return noLevel
	}
	return strings.ToLower(d.Level)
}

// mostShown are shown of what one rule saw.
const mostShown = 5

// printGroup prints what one rule saw for somebody who was woken by it: how bad and what, then when, where and by which values.
func printGroup(w io.Writer, group []*detect.Folded) {
	head := group[0]
	fmt.Fprintf(w, "%s: %s\n", strings.ToUpper(levelOf(head.Detection)), printable(head.Title, 200))
	if head.Rule != "" {
		fmt.Fprintf(w, "  %s\n", strings.TrimSpace(fmt.Sprintf("rule %s  %s", printable(head.Rule, 100), printable(strings.Join(head.Techniques, " "), 200))))
	}
	if head.Indicator != nil {
		fmt.Fprintf(w, "  %s\n", knownAs(head.Indicator))
	}
	for i, f := range group {
		if i == mostShown {
			fmt.Fprintf(w, "  and %d more with other values (--json prints all)\n", len(group)-mostShown)
			break
		}
		printFolded(w, f)
	}
	fmt.Fprintln(w)
}

// printFolded prints one detection and how often it was seen.
func printFolded(w io.Writer, f *detect.Folded) {
	var line []string
	if at := momentOf(f.Event, byNight); at != "" {
		line = append(line, printable(at, 40))
	}
	if f.Event.Host != "" {
		line = append(line, printable(f.Event.Host, 100))
	}
	line = append(line, fmt.Sprintf("%s, record %d", printable(f.Event.File, 500), f.Event.Record))
	if f.Count > 1 {
		line = append(line, times(f.Count)+between(f.First, f.Last))
	}
	if !f.Since.IsZero() {
		line = append(line, fmt.Sprintf("%s since %s", counted(len(f.Records), "record"), dated(f.Since, byNight)))
	}
	fmt.Fprintf(w, "  %s\n", strings.Join(line, "; "))
	values := shown(f.Detection)
	width := 0
	for _, m := range values {
		width = min(max(width, utf8.RuneCountInString(m.Field)), 40)
	}
	for _, m := range values {
		fmt.Fprintf(w, "      %-*s  %s\n", width, printable(m.Field, 100), printable(m.Value, 300))
	}
}

// knownAs says what was known of an indicator.
func knownAs(i *detect.Known) string {
	text := fmt.Sprintf("known as %s %s", i.Type, printable(i.Value, 200))
	if i.Source != "" {
		text += " by " + printable(i.Source, 100)
	}
	if i.Grade != "" {
		text += ", graded " + i.Grade
	}
	if i.TLP != "" {
		text += ", " + i.TLP
	}
	if i.Warning != "" {
		text += "; on the warning list " + printable(i.Warning, 100) + ", so it means little by itself"
	}
	return text
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

func between(first, last time.Time) string {
	switch {
	case first.IsZero():
		return ""
	case first.Equal(last):
		return " at that time"
	}
	return " until " + dated(last, byNight)
}

// printable is text that a terminal may be shown: telemetry is written by attackers too. At most so many characters of it.
func printable(text string, most int) string {
	var b strings.Builder
	n := 0
	for i, r := range text {
		if n++; n > most {
			fmt.Fprintf(&b, "... (%d bytes)", len(text))
			break
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\t' || r == '\n' || r == '\r':
			b.WriteByte(' ')
		case !unicode.IsPrint(r): // escapes of terminals, marks that turn the direction of writing
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
