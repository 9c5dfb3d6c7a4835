package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
)

// HuntOptions say what is hunted for.
type HuntOptions struct {
	Since, Until string   // RFC 3339, a date, or how long ago (7d, 12h); empty: no bound
	Orgs         []string // empty: all
	Values       []string // indicators as they are written
	Files        []string // of indicators
	Query        string   // of fields; in the place of indicators
	Rule         string   // file of Sigma rules; in the place of indicators
	JSON         bool
	Count        bool
	Progress     func(done, total int64)
	Out, Err     io.Writer
}

// HuntEvents looks for indicators, by a query or by a rule in everything that is kept, and writes what it finds to Out as it comes.
func (a *App) HuntEvents(ctx context.Context, o HuntOptions) (err error) {
	what, err := sought(o)
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	query, named, err := a.queryFor(what)
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	h := archive.HuntOptions{Query: query, Scope: ward.Everything()}
	if h.Since, err = parseMoment("since", o.Since, a.Clock.Now()); err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	if h.Until, err = parseMoment("until", o.Until, a.Clock.Now()); err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	for _, code := range o.Orgs {
		org, err := parseOrgCode(code)
		if err != nil {
			return fmt.Errorf("hunt: %w", err)
		}
		h.Orgs = append(h.Orgs, org, ward.OrgID(strings.ToUpper(code)))
	}
	kept, err := a.openArchive(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	h.Progress(o.Progress)
	out := newHuntPrinter(o, named)
	summary, hunting := kept.Hunt(ctx, h, out.hit)
	if err := errors.Join(hunting, out.end(summary)); err != nil {
		return err
	}
	if err := a.auditHunt(ctx, shell, what, summary, out.orgs); err != nil {
		return err
	}
	if len(summary.Unread) > 0 {
		return fmt.Errorf("hunt: %d of %d blocks could not be searched, and what is in them was not seen (wardwatch archive verify says more)", len(summary.Unread), summary.Blocks)
	}
	return nil
}

// sought is what the options ask for.
func sought(o HuntOptions) (s ward.Sought, err error) {
	ways := 0
	for _, asked := range []bool{len(o.Values)+len(o.Files) > 0, o.Query != "", o.Rule != ""} {
		if asked {
			ways++
		}
	}
	if ways > 1 {
		return s, &ward.Invalid{Field: "query", Problem: "stands beside indicators or a rule", Hint: "hunt for one after the other"}
	}
	switch {
	case o.Query != "":
		return ward.Sought{Query: o.Query}, nil
	case o.Rule != "":
		text, err := os.ReadFile(o.Rule)
		if err != nil {
			return s, fmt.Errorf("%w: %w", err, ErrNothingRead)
		}
		return ward.Sought{Rule: string(text)}, nil
	}
	s.Indicators, err = huntList(o)
	return s, err
}

// huntFor is one thing that is hunted for, as a match names it.
type huntFor struct{ kind, value string }

// queryFor makes the query, and says what its matches will name.
func (a *App) queryFor(s ward.Sought) (q watch.Query, named []huntFor, err error) {
	switch {
	case s.Query != "":
		fields, err := detect.ParseFieldQuery(s.Query, a.Clock)
		return fields, []huntFor{{"query", strings.TrimSpace(s.Query)}}, err
	case s.Rule != "":
		lists, err := sigma.ReadLists(a.Config.Detect.Lists...)
		if err != nil {
			return nil, nil, err
		}
		set, report := sigma.Parse(sigma.Options{Lists: lists, Fields: detect.RuleFields()}, sigma.File{Name: "rule", Text: []byte(s.Rule)})
		for _, t := range report.Refused {
			return nil, nil, &ward.Invalid{Field: "rule", Problem: t.Reason}
		}
		rules, err := detect.NewRuleQuery(set, a.Clock)
		for _, r := range set.Rules {
			named = append(named, huntFor{"rule", r.ID})
		}
		return rules, named, err
	}
	for _, i := range s.Indicators {
		kind, _, err := indicators.Normal(i.Kind, i.Value)
		if err != nil {
			return nil, nil, fmt.Errorf("%s %q: %w", i.Kind, i.Value, err)
		}
		named = append(named, huntFor{string(kind), i.Value})
	}
	if len(named) == 0 {
		return nil, nil, fmt.Errorf("no indicator to hunt for: %w", ErrNothingRead)
	}
	q, err = indicators.NewQuery(s.Indicators, a.Clock)
	return q, named, err
}

// huntList is what is asked for, each once.
func huntList(o HuntOptions) (list []ward.Indicator, err error) {
	seen := map[string]bool{}
	give := func(i ward.Indicator) error {
		kind, value, err := indicators.Normal(i.Kind, i.Value)
		if err != nil {
			return err
		}
		if key := string(kind) + " " + value; !seen[key] {
			seen[key] = true
			list = append(list, i)
		}
		return nil
	}
	for _, value := range o.Values {
		var wrong error
		typed := func(i ward.Indicator) error {
			if _, _, err := indicators.Normal(i.Kind, value); err == nil {
				i.Value = value // shown as it was typed
			}
			return give(i)
		}
		err := indicators.Read(strings.NewReader(value+"\n"), "", typed, func(line *indicators.BadLine) { wrong = line.Err })
		if err = errors.Join(err, wrong); err != nil {
			return nil, fmt.Errorf("%q: %w", value, err)
		}
	}
	for _, path := range o.Files {
		in, err := os.Open(path) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("indicators: %w: %w", err, ErrNothingRead)
		}
		err = indicators.Read(in, filepath.Base(path), give, func(line *indicators.BadLine) {
			fmt.Fprintf(o.Err, "indicators %s: %s\n", path, printable(line.Error(), 300))
		})
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, fmt.Errorf("indicators %s: %w: %w", path, err, ErrNothingRead)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no indicator to hunt for: %w", ErrNothingRead)
	}
	return list, nil
}

// parseMoment reads a time as people type it.
func parseMoment(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if ago, err := time.ParseDuration(days + "h"); err == nil && ago >= 0 {
			return now.Add(-24 * ago), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, &ward.Invalid{Field: field, Problem: fmt.Sprintf("%q is no time", text), Hint: "write 2025-05-15, 2025-05-15T03:00:00Z, or how long ago: 7d, 12h"}
}

// auditHunt writes down who looked for what, and whose events were read.
func (a *App) auditHunt(ctx context.Context, who ward.Actor, sought ward.Sought, s archive.Summary, read map[ward.OrgID]int64) error {
	what := printable(sought.Words(), 300)
	return a.store.Update(ctx, func(tx *store.Tx) error {
		entry := ward.AuditEntry{At: a.Clock.Now(), Person: who.Person, Name: who.Name, Action: "archive.hunt", Subject: "archive", Detail: fmt.Sprintf("%s: %d hits in %d events", what, s.Hits, s.Events)}
		if err := tx.Audit(ctx, entry); err != nil {
			return err
		}
		for org, hits := range read {
			entry.Org, entry.Subject, entry.Detail = org, string(org)+"/archive", fmt.Sprintf("%s: %d events read", what, hits)
			if err := tx.Audit(ctx, entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// huntPrinter writes hits.
type huntPrinter struct {
	HuntOptions
	named  []huntFor
	out    *bufio.Writer
	counts map[string]int64 // by kind and value
	orgs   map[ward.OrgID]int64
}

func newHuntPrinter(o HuntOptions, named []huntFor) *huntPrinter {
	return &huntPrinter{HuntOptions: o, named: named, out: bufio.NewWriter(o.Out), counts: map[string]int64{}, orgs: map[ward.OrgID]int64{}}
}

// huntHit is one hit as JSON has it.
type huntHit struct {
	Organisation string `json:"organisation"`
	Time         string `json:"time"` // RFC 3339 in UTC
	Kind         string `json:"kind"`
	Value        string `json:"value"`
	Field        string `json:"field"`
	Source       string `json:"source"`
	Record       int64  `json:"record"`
	Raw          string `json:"raw"`
}

func (p *huntPrinter) hit(h archive.Hit) error {
	p.counts[h.Kind+" "+h.Value]++
	if p.Count {
		return nil
	}
	p.orgs[h.Org]++
	at := h.Time.Format(time.RFC3339Nano)
	if p.JSON {
		line := json.NewEncoder(p.out)
		line.SetEscapeHTML(false)
		return line.Encode(huntHit{string(h.Org), at, h.Kind, h.Value, h.Field, h.Source, h.Record, valid(h.Raw)})
	}
	field := h.Field
	if field != "" {
		field = " in " + field
	}
	_, err := fmt.Fprintf(p.out, "%s  %s  %s %s%s  %s:%d\n    %s\n", at, h.Org, h.Kind, printable(h.Value, 200), printable(field, 100),
		printable(h.Source, 200), h.Record, printable(string(h.Raw), 400))
	return err
}

// valid is text that JSON can have: bytes that are no UTF-8 are replaced.
func valid(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	return strings.ToValidUTF8(string(raw), "\ufffd")
}

// huntCount is how often an indicator was found.
type huntCount struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// end writes the counts, and where was looked.
func (p *huntPrinter) end(s archive.Summary) error {
	if p.Count {
		encoder := json.NewEncoder(p.out)
		for _, n := range p.named {
			one := huntCount{n.kind, n.value, p.counts[n.kind+" "+n.value]}
			if p.JSON {
				if err := encoder.Encode(one); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(p.out, "%8d  %s %s\n", one.Count, one.Kind, printable(one.Value, 300))
		}
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	for i, u := range s.Unread {
		if i == mostNamed {
			break
		}
		fmt.Fprintf(p.Err, "not searched: %s\n", printable(u.Err.Error(), 400))
	}
	if s.Blocks == 0 {
		fmt.Fprintln(p.Err, "nothing is kept there: wardwatch archive import takes files, wardwatch serve listens")
		return nil
	}
	fmt.Fprintf(p.Err, "%d hits; searched %d events of %s in %d blocks, from %s to %s\n", s.Hits, s.Events, orgsShown(s.Orgs), s.Blocks,
		s.First.Format(time.RFC3339), s.Last.Format(time.RFC3339))
	return nil
}

func orgsShown(orgs []ward.OrgID) string {
	if len(orgs) > mostNamed {
		return fmt.Sprintf("%d organisations", len(orgs))
	}
	names := make([]string, len(orgs))
	for i, org := range orgs {
		names[i] = string(org)
	}
	return strings.Join(names, ", ")
}
