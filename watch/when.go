package watch

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// layouts are how senders write times, beside seconds since 1970. One without a zone is read as UTC.
var layouts = []string{
	"2006-01-02T15:04:05Z07:00", // RFC 3339; a fraction is read wherever seconds are
	"2006-01-02 15:04:05",       // Sysmon's UtcTime, IIS
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 UTC",
	"02/Jan/2006:15:04:05 -0700", // Apache and nginx
	"Jan _2 15:04:05",            // RFC 3164, which leaves out the year: it is 0 then
	"Jan _2 2006 15:04:05",       // CEF and LEEF
	"2006/01/02 15:04:05",        // PAN-OS, nginx's error log
	"02-Jan-2006 15:04:05",       // BIND
	"Jan _2 15:04:05 2006",
	time.ANSIC,
	"Mon, 02 Jan 2006 15:04:05 GMT", // HTTP
	time.RFC1123Z,
	"1/2/2006 3:04:05 PM", // exports of Windows and Defender
	"1/2/2006 15:04:05",
	"Jan _2, 2006 3:04:05 PM",
	"2006-01-02 15:04",
	"2006-01-02",
}

// When understands a time as senders write it (Record.Time, values of a field that a rule asks the hour of): a date and a
// time of day, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970, or of Windows' ticks of 100 ns
// since 1601. The time is in UTC. Names of zones other than UTC are not understood: BST is more than one place.
func When(text []byte) (time.Time, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(text) > 64 {
		return time.Time{}, false
	}
	if at, ok := sinceEpoch(text); ok {
		return at, true
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, string(text)); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// ticks1970 is 1970 in ticks of 100 ns since 1601.
const ticks1970 = 116444736000000000

// sinceEpoch tells the unit of a plain number by its digits: every unit has its own number of them from 1973 to 2286.
func sinceEpoch(text []byte) (time.Time, bool) {
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	n, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	if len(bytes.Trim(fraction, "0123456789")) > 0 {
		return time.Time{}, false
	}
	part, _ := strconv.ParseFloat("0."+string(fraction)+"0", 64)
	var at time.Time
	switch len(whole) {
	case 9, 10:
		at = time.Unix(n, int64(math.Round(part*1e9)))
	case 12, 13:
		at = time.UnixMilli(n).Add(time.Duration(math.Round(part * 1e6)))
	case 15, 16:
		at = time.UnixMicro(n).Add(time.Duration(math.Round(part * 1e3)))
	case 18:
		at = time.Unix((n-ticks1970)/1e7, (n-ticks1970)%1e7*100)
	case 19:
		at = time.Unix(0, n)
	default:
		return time.Time{}, false
	}
	return at.UTC(), true
}
