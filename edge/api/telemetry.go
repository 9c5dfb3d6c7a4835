package api

import (
	"context"
	"net/http"
	"time"

	"wardwatch/act/findings"
	"wardwatch/ward"
	"wardwatch/watch/coverage"
)

// Ears knows who sends events: *coverage.Room.
type Ears interface {
	Organisations(ctx context.Context, scope ward.Scope) ([]coverage.Organisation, error)
	Organisation(ctx context.Context, scope ward.Scope, org ward.OrgID) (coverage.Organisation, error)
	Letters(ctx context.Context, who ward.Actor, org ward.OrgID) ([]ward.DeadLetter, error)
}

// Detections is what was seen in events: *findings.Desk.
type Detections interface {
	Detections(ctx context.Context, scope ward.Scope, q findings.DetectionQuery) ([]ward.Detection, error)
	Detection(ctx context.Context, scope ward.Scope, id int64) (ward.Detection, error)
}

// EventCoverage is what stands behind an answer that something was not seen in an organisation's events.
type EventCoverage struct {
	Organisation ward.OrgID    `json:"organisation"`
	Watching     bool          `json:"watching" doc:"whether anybody takes events in now"`
	LastDay      int64         `json:"events_last_day"`
	Last         time.Time     `json:"last,omitzero" doc:"when the last event came"`
	Quiet        int           `json:"quiet_sources" doc:"silent against their rhythm"`
	Unread       int64         `json:"unread_last_week" doc:"events that could not be read"`
	Events       int64         `json:"events_kept"`
	Bytes        int64         `json:"bytes_kept"`
	From         time.Time     `json:"kept_from,omitzero"`
	To           time.Time     `json:"kept_to,omitzero"`
	Unreadable   int           `json:"unreadable_blocks"`
	Kept         string        `json:"kept" doc:"how long events are kept, in words"`
	Deaf         []DeafSpan    `json:"nobody_listened,omitempty" doc:"of the last seven days"`
	Sources      []EventSource `json:"sources,omitempty"`
	Letters      []DeadLetter  `json:"dead_letters,omitempty"`
}

// DeafSpan is a time in which nobody took events in.
type DeafSpan struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// EventSource is who sends events.
type EventSource struct {
	Source     string    `json:"source" doc:"as the sender names it"`
	Kind       string    `json:"kind" doc:"product/service/category"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Events     int64     `json:"events"`
	LastDay    int64     `json:"events_last_day"`
	PerHour    float64   `json:"events_an_hour" doc:"of the last seven days"`
	LagSeconds float64   `json:"lag_seconds" doc:"from event to us, on average of the last seven days"`
	Ahead      float64   `json:"clock_ahead_seconds" doc:"at least so much; 0 when it was not seen to be wrong"`
	Gap        float64   `json:"longest_gap_seconds" doc:"of the last seven days"`
	Undated    int64     `json:"undated" doc:"events of the last seven days that said no time"`
	Quiet      time.Time `json:"quiet_since,omitzero"`
}

// DeadLetter is something that could not be read.
type DeadLetter struct {
	At     time.Time `json:"at" doc:"the last time"`
	Source string    `json:"source"`
	Reason string    `json:"reason"`
	Count  int64     `json:"count"`
	Sample string    `json:"sample,omitempty" doc:"its first bytes, where they were asked for"`
}

func eventCoverageOf(o coverage.Organisation) EventCoverage {
	return EventCoverage{
		o.Org, o.Watching, o.All.LastDay, o.All.Last, o.Quiet, o.Unread, o.Storage.Events, o.Storage.Bytes, o.Storage.First, o.Storage.Last, o.Storage.Unreadable, o.Kept,
		shapes(o.Deaf, func(s [2]time.Time) DeafSpan { return DeafSpan{s[0], s[1]} }),
		shapes(o.Sources, func(s coverage.Source) EventSource {
			return EventSource{s.Source, string(s.Kind), s.First, s.Last, s.Events, s.LastDay, s.PerHour, s.Lag.Seconds(), s.Clock.Seconds(), s.Gap.Seconds(), s.Undated, s.Quiet}
		}),
		shapes(o.Letters, func(l ward.DeadLetter) DeadLetter {
			return DeadLetter{l.At, l.Source, l.Reason, l.Count, l.Sample}
		}),
	}
}

func (a *API) eventCoverage() {
	c := a.rooms.Coverage
	route(a, http.MethodGet, "/event-coverage", "events", "List what is covered of each organisation's events, without their sources",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[EventCoverage], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			items, err := c.Organisations(ctx, who.Scope)
			page, err := part(items, err, in.Paging)
			return listed(page, err, eventCoverageOf)
		})
	route(a, http.MethodGet, "/organisations/{org}/event-coverage", "events", "Say what is covered of an organisation's events: sources, rates, lags, clocks, silences, what could not be read",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org     string `path:"org" maxLength:"20"`
			Samples bool   `query:"samples" doc:"show what could not be read; that it was shown is written into the record"`
		}) (*One[EventCoverage], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			item, err := c.Organisation(ctx, who.Scope, orgOf(in.Org))
			if err == nil && in.Samples {
				item.Letters, err = c.Letters(ctx, who, orgOf(in.Org))
			}
			return one(item, err, eventCoverageOf)
		})
}

// Detection is what a rule, an indicator or a silence showed in an organisation's events.
type Detection struct {
	ID           int64                `json:"id"`
	Organisation ward.OrgID           `json:"organisation"`
	Kind         string               `json:"kind" enum:"rule,correlation,indicator,silence"`
	Rule         string               `json:"rule_id"`
	Title        string               `json:"title"`
	Level        string               `json:"level"`
	Techniques   []string             `json:"techniques,omitempty" doc:"of ATT&CK"`
	Host         string               `json:"host"`
	Matched      []ward.DetectedValue `json:"matched,omitempty"`
	Indicator    string               `json:"indicator,omitempty" doc:"what was known: its kind and value"`
	IndicatedBy  string               `json:"indicated_by,omitempty"`
	Count        int64                `json:"count" doc:"events"`
	First        time.Time            `json:"first"`
	Last         time.Time            `json:"last"`
	Noticed      time.Time            `json:"noticed" doc:"when it was first seen by us; later than first where it had happened before we knew"`
	Ended        time.Time            `json:"ended,omitzero" doc:"of a silence: when it spoke again"`
	Source       string               `json:"source"`
	Record       int64                `json:"record"`
}

func detectionOf(d ward.Detection) Detection {
	return Detection{d.ID, d.Org, d.Kind, d.Rule, d.Title, d.Level, d.Techniques, d.Host, d.Matched, d.Indicator, d.IndicatedBy, d.Count, d.First, d.Last, d.Noticed, d.Ended, d.Source, d.Record}
}

func (a *API) detections() {
	f := a.rooms.Detections
	route(a, http.MethodGet, "/detections", "events", "List what was detected in events, the newest first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org   string    `query:"org" maxLength:"20"`
			Level string    `query:"level" enum:"critical,high,medium,low,informational" doc:"that or more urgent"`
			Since time.Time `query:"since"`
		}) (*Listed[Detection], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			q := findings.DetectionQuery{Org: orgOf(in.Org), Since: in.Since}
			if in.Level != "" {
				q.Urgency = findings.Urgency(in.Level)
			}
			items, err := f.Detections(ctx, who.Scope, q)
			page, err := part(items, err, in.Paging)
			return listed(page, err, detectionOf)
		})
	route(a, http.MethodGet, "/detections/{detection}", "events", "Say what was detected",
		func(ctx context.Context, who ward.Actor, in *struct {
			Detection int64 `path:"detection" minimum:"1"`
		}) (*One[Detection], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			item, err := f.Detection(ctx, who.Scope, in.Detection)
			return one(item, err, detectionOf)
		})
}
