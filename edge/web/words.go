package web

import (
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Day tells a date: "3 May 2026".
func Day(t time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return t.Format("2 January 2006")
}

// At tells a time with its date and zone: "09:14 UTC on 3 May 2026".
func At(t time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return t.Format("15:04 MST on 2 January 2006")
}

// Ago tells a time from now: "in 5 hours", "3 days ago", "now".
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	d := t.Sub(now)
	span := d.Abs()
	var n int
	var unit string
	switch {
	case span < time.Minute:
		return "now"
	case span < time.Hour:
		n, unit = int(span/time.Minute), "minute"
	case span < 48*time.Hour:
		n, unit = int(span/time.Hour), "hour"
	default:
		n, unit = int(span/(24*time.Hour)), "day"
	}
	told := Count(n, unit)
	if d > 0 {
		return "in " + told
	}
	return told + " ago"
}

// Count tells a number of things: "1 machine", "1,204 machines". A plural that is not made with s is given in full.
func Count(n int, one string, many ...string) string {
	return Number(n) + " " + plural(n, one, many...)
}

// plural is the word for a number of things, without the number.
func plural(n int, one string, many ...string) string {
	switch {
	case n == 1:
		return one
	case len(many) > 0:
		return many[0]
	}
	return one + "s"
}

// Number groups thousands: 1,204.
func Number(n int) string {
	s := strconv.Itoa(n)
	if n < 0 {
		return "-" + Number(-n)
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent tells an SVG length that grows with the page.
func percent(share float64) string { return fmt.Sprintf("%.3f%%", share*100) }

// lower starts a word small inside a sentence.
func lower(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
