package ward

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ContactID numbers a contact.
type ContactID int64

// ContactKind is what answers at a contact's addresses.
type ContactKind string

// The kinds of contact.
const (
	PersonContact ContactKind = "person"
	Mailbox       ContactKind = "mailbox"     // shared
	Switchboard   ContactKind = "switchboard" // asks for whoever is on call
)

// ContactKinds lists every kind.
var ContactKinds = []ContactKind{PersonContact, Mailbox, Switchboard}

// Channel is a way to reach an address.
type Channel string

// The channels.
const (
	Email   Channel = "email"
	SMS     Channel = "sms"
	Teams   Channel = "teams"
	Slack   Channel = "slack"
	Webhook Channel = "webhook"
	Voice   Channel = "voice" // a person dials it: on the call list, never sent to
)

// Channels lists every channel.
var Channels = []Channel{Email, SMS, Teams, Slack, Webhook, Voice}

// Address is one way to reach a contact.
type Address struct {
	Channel Channel   `json:"channel"`
	To      string    `json:"to"` // an address, an international telephone number, or an https URL
	Proved  time.Time `json:"proved,omitzero"`
	How     string    `json:"how,omitempty"` // it was proved: "confirmed by link", "taken by the receiver"
}

// Shown is the address for whoever may know that it exists: of a URL, which holds the right to post, only the host.
func (a Address) Shown() string {
	if a.Channel != Teams && a.Channel != Slack && a.Channel != Webhook {
		return a.To
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(a.To, "https://"), "/")
	return host
}

// Contact is somebody or something that is told on behalf of an organisation, or of the national desk (Org empty).
type Contact struct {
	ID         ContactID
	Org        OrgID
	Name       string
	Kind       ContactKind
	Addresses  []Address
	Hours      Hours      // when to tell it at once; empty: at any hour
	Severities []Severity // of alerts that it is told of; empty: all
	Rungs      []Rung     // of the ladder that it stands on; empty: the first
	Order      int        // within its organisation, the first to be telephoned first
	Version    int        // counts changes; the ETag of an update
	Updated    time.Time
	UpdatedBy  string
}

// LastProved is when any of its addresses was last seen to work.
func (c Contact) LastProved() (last time.Time) {
	for _, a := range c.Addresses {
		if a.Proved.After(last) {
			last = a.Proved
		}
	}
	return last
}

// StandsOn reports whether the contact is told on a rung.
func (c Contact) StandsOn(rung Rung) bool {
	if len(c.Rungs) == 0 {
		return rung == RungContact
	}
	for _, r := range c.Rungs {
		if r == rung {
			return true
		}
	}
	return false
}

// Wants reports whether the contact is told of a severity. What has no severity is told to all.
func (c Contact) Wants(severity Severity) bool {
	if len(c.Severities) == 0 || severity == "" {
		return true
	}
	for _, s := range c.Severities {
		if s == severity {
			return true
		}
	}
	return false
}

// Shift is one turn on a rota: who stands on a rung of an organisation, or of the national desk, from Since until Until.
type Shift struct {
	ID      int64
	Org     OrgID
	Rung    Rung
	Contact ContactID
	Name    string // of the contact
	Since   time.Time
	Until   time.Time
}

// Call is one line of the list for when everything else is down: whom to dial, in order.
type Call struct {
	Org        OrgID
	OrgName    string
	Rung       Rung
	OnCall     bool // by the rota, when the list was made
	Contact    ContactID
	Name       string
	Kind       ContactKind
	Order      int
	Numbers    []string
	Hours      Hours
	LastProved time.Time
}

// Hours are the times of a week, on the clock of the wall. The zero value is every hour of every day.
type Hours struct {
	spans []span
	text  string
}

// span is one stretch of one day, in minutes after midnight. It runs past midnight where it ends no later than it begins.
type span struct {
	day      time.Weekday
	from, to int
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// ParseHours reads hours as people write them: "Mon-Fri 08:00-18:00; Sat,Sun 10:00-12:00", "daily 20:00-08:00". Nothing is
// every hour.
func ParseHours(text string) (Hours, error) {
	var h Hours
	var said []string
	for part := range strings.SplitSeq(text, ";") {
		fields := strings.Fields(part)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			return Hours{}, badHours(part)
		}
		days, err := parseDays(fields[0])
		if err != nil {
			return Hours{}, badHours(part)
		}
		start, end, ok := strings.Cut(fields[1], "-")
		from, err := minutes(start)
		to, err2 := minutes(end)
		if !ok || err != nil || err2 != nil || from == to || from == 24*60 {
			return Hours{}, badHours(part)
		}
		for _, day := range days {
			h.spans = append(h.spans, span{day, from, to})
		}
		said = append(said, strings.Join(fields, " "))
	}
	if len(h.spans) > 100 {
		return Hours{}, &Invalid{Field: "hours", Problem: "has more than 100 stretches", Hint: "write days together: Mon-Fri 08:00-18:00"}
	}
	h.text = strings.Join(said, "; ")
	return h, nil
}

func badHours(part string) error {
	return &Invalid{Field: "hours", Problem: fmt.Sprintf("%q is not a time of the week", strings.TrimSpace(part)), Hint: "write Mon-Fri 08:00-18:00; Sat 10:00-12:00"}
}

func parseDays(text string) (days []time.Weekday, err error) {
	if strings.EqualFold(text, "daily") {
		text = "Mon-Sun"
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := parseDay(first)
		if err != nil {
			return nil, err
		}
		to := from
		if isRange {
			if to, err = parseDay(last); err != nil {
				return nil, err
			}
		}
		for day := from; ; day = (day + 1) % 7 {
			days = append(days, day)
			if day == to {
				break
			}
		}
		if len(days) > 7 {
			return nil, ErrInvalid
		}
	}
	return days, nil
}

func parseDay(text string) (time.Weekday, error) {
	for i, name := range weekdays {
		if strings.EqualFold(text, name) {
			return time.Weekday(i), nil
		}
	}
	return 0, ErrInvalid
}

// minutes reads "08:00" as minutes after midnight; "24:00" is the end of the day.
func minutes(text string) (int, error) {
	hour, minute, ok := strings.Cut(text, ":")
	h, err := strconv.ParseUint(hour, 10, 8)
	m, err2 := strconv.ParseUint(minute, 10, 8)
	if !ok || err != nil || err2 != nil || len(hour) != 2 || len(minute) != 2 || h > 24 || m > 59 || (h == 24 && m > 0) {
		return 0, ErrInvalid
	}
	return int(h*60 + m), nil
}

// String is the hours as they are written; empty for every hour.
func (h Hours) String() string { return h.text }

// MarshalText implements encoding.TextMarshaler.
func (h Hours) MarshalText() ([]byte, error) { return []byte(h.text), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hours) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHours(string(text))
	return err
}

// Cover reports whether t, which is in the zone of the wall's clock, lies within the hours.
func (h Hours) Cover(t time.Time) bool { return h.Next(t).Equal(t) }

// Next is t where the hours cover it, and else when they next begin, in the zone of t.
func (h Hours) Next(t time.Time) time.Time {
	if len(h.spans) == 0 {
		return t
	}
	var next time.Time
	year, month, day := t.Date()
	for offset := -1; offset <= 7; offset++ { // from yesterday, whose stretch may run past midnight
		date := time.Date(year, month, day+offset, 12, 0, 0, 0, t.Location())
		for _, s := range h.spans {
			if s.day != date.Weekday() {
				continue
			}
			at := func(extraDays, minutes int) time.Time {
				return time.Date(year, month, day+offset+extraDays, minutes/60, minutes%60, 0, 0, t.Location())
			}
			start, end := at(0, s.from), at(0, s.to)
			if s.to < s.from {
				end = at(1, s.to)
			}
			if !t.Before(start) && t.Before(end) {
				return t
			}
			if start.After(t) && (next.IsZero() || start.Before(next)) {
				next = start
			}
		}
	}
	return next
}
