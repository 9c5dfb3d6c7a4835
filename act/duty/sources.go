package duty

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/ward"
)

// Feeds lists the publishers' feeds, each with how it stands.
type Feeds interface {
	List(ctx context.Context) ([]ward.Feed, error)
}

// FromFeeds tells the national desk of feeds that are not read any more.
func FromFeeds(feeds Feeds) Source {
	return SourceFunc(func(ctx context.Context, scope ward.Scope) (items []ward.Item, err error) {
		if !scope.All() {
			return nil, nil
		}
		all, err := feeds.List(ctx)
		for _, f := range all {
			if !f.Stale || f.Attempted.IsZero() && f.Succeeded.IsZero() {
				continue
			}
			reason := "never read"
			if !f.Succeeded.IsZero() {
				reason = "last read " + act.When(f.Succeeded)
			}
			if f.Error != "" {
				reason += ": " + f.Error
			}
			items = append(items, ward.Item{ID: itemID(ward.ItemFeed, f.Name), Kind: ward.ItemFeed, Title: "Feed " + f.Name, Reason: reason, Since: f.Succeeded, Link: "/feeds"})
		}
		return items, err
	})
}

// Detections lists what was seen in events that is critical or high, and of which there was something new since a time.
type Detections interface {
	UrgentDetections(ctx context.Context, scope ward.Scope, since time.Time) ([]ward.Detection, error)
}

// detectionsFor is how long a detection waits at the desk until it is one of the past.
const detectionsFor = 14 * 24 * time.Hour

// FromDetections tells an organisation's desk of what was seen in its events, and the national desk of each rule or indicator once, however
// many organisations it was seen in. What was set aside shows again when it is seen in another organisation.
func FromDetections(seen Detections, clock ward.Clock) Source {
	return SourceFunc(func(ctx context.Context, scope ward.Scope) (items []ward.Item, err error) {
		all, err := seen.UrgentDetections(ctx, scope, clock.Now().Add(-detectionsFor))
		at := map[string]int{}
		orgs, events, early := map[string]map[ward.OrgID]bool{}, map[string]int64{}, map[string]time.Duration{}
		for _, d := range all {
			if !d.Ended.IsZero() {
				continue // a silence that is over
			}
			key := d.Kind + d.Rule + d.Indicator
			if d.Kind == "silence" || !scope.All() {
				key = string(d.Org) + d.Fingerprint
			}
			i, known := at[key]
			if !known {
				i, at[key], orgs[key] = len(items), len(items), map[ward.OrgID]bool{}
				items = append(items, ward.Item{
					ID: itemID(ward.ItemDetection, shortSum(key)), Kind: ward.ItemDetection, Title: d.Title, Since: d.Noticed, Urgent: d.Level == "critical",
					Link: fmt.Sprintf("/detections/%d", d.ID),
				})
			}
			one := &items[i]
			if d.Noticed.Before(one.Since) {
				one.Since = d.Noticed
			}
			orgs[key][d.Org] = true
			events[key] += d.Count
			early[key] = max(early[key], d.Noticed.Sub(d.First))
			one.Urgent = one.Urgent || d.Level == "critical"
			one.Org, one.Mark = d.Org, fmt.Sprint(len(orgs[key]))
			if len(orgs[key]) > 1 {
				one.Org = ""
			}
			one.Reason = act.Number(int(events[key]), "event") + " in " + act.Number(len(orgs[key]), "organisation")
			if days := int(early[key] / (24 * time.Hour)); days > 0 && d.Kind != "silence" {
				one.Reason += "; seen " + act.Number(days, "day") + " before we knew"
			}
			if d.Kind == "silence" {
				one.Reason = "nothing came since " + act.When(d.First) + ", against its rhythm"
			}
		}
		return items, err
	})
}

// shortSum is a name for a key.
func shortSum(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

// Board lists what waits for a second person of the national desk.
type Board interface {
	Countersigns(ctx context.Context, scope ward.Scope) ([]ward.Alert, error)
	Revisions(ctx context.Context, scope ward.Scope) ([]ward.Revision, error)
}

// FromBoard tells the national desk of the approvals that are owed.
func FromBoard(b Board) Source { return board{b} }

type board struct{ Board }

// Items implements Source.
func (b board) Items(ctx context.Context, scope ward.Scope) (items []ward.Item, err error) {
	owed, err := b.Countersigns(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, a := range owed {
		items = append(items, ward.Item{
			ID: itemID(ward.ItemCountersign, string(a.ID)), Kind: ward.ItemCountersign, Alert: a.ID, Urgent: true, Since: a.Emergency.At, Due: a.Emergency.Due,
			Reason: fmt.Sprintf("%s published it alone: %s; a second approval is owed by %s", a.Emergency.By, strings.TrimRight(a.Emergency.Reason, ". "), act.When(a.Emergency.Due)),
			Title:  string(a.ID) + ": " + a.Title, Link: "/alerts/" + url.PathEscape(string(a.ID)),
		})
	}
	revisions, err := b.Revisions(ctx, scope)
	for _, r := range revisions {
		kind := "an editorial change"
		if r.Change.Material {
			kind = "a material change"
		}
		items = append(items, ward.Item{
			ID: itemID(ward.ItemRevision, string(r.Alert)), Kind: ward.ItemRevision, Alert: r.Alert, Since: r.Begun, Mark: fmt.Sprint(r.Version),
			Reason: kind + " waits for a second person to issue it: " + r.Change.Why, Title: string(r.Alert) + ": " + r.Draft.Title,
			Link: "/alerts/" + url.PathEscape(string(r.Alert)),
		})
	}
	return items, err
}

// Coming implements Calendar.
func (b board) Coming(ctx context.Context, scope ward.Scope, from, until time.Time) (coming []ward.Coming, err error) {
	owed, err := b.Countersigns(ctx, scope)
	for _, a := range owed {
		if due := a.Emergency.Due; due.After(from) && !due.After(until) {
			coming = append(coming, ward.Coming{At: due, Kind: "countersign", Alert: a.ID, Count: 1})
		}
	}
	return coming, err
}
