package ward_test

import (
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

func TestHours(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ hours, at, next string }{
		{"", "2025-05-13 03:00", "2025-05-13 03:00"},
		{"Mon-Fri 08:00-18:00", "2025-05-13 12:00", "2025-05-13 12:00"}, // a Tuesday
		{"Mon-Fri 08:00-18:00", "2025-05-13 18:00", "2025-05-14 08:00"},
		{"Mon-Fri 08:00-18:00", "2025-05-16 20:00", "2025-05-19 08:00"},
		{"Sat,Sun 10:00-12:00", "2025-05-16 20:00", "2025-05-17 10:00"},
		{"Mon-Fri 08:00-18:00; Sat 10:00-12:00", "2025-05-16 20:00", "2025-05-17 10:00"},
		{"daily 20:00-08:00", "2025-05-13 03:00", "2025-05-13 03:00"}, // since the evening before
		{"daily 20:00-08:00", "2025-05-13 08:00", "2025-05-13 20:00"},
		{"Sat 20:00-08:00", "2025-05-18 07:59", "2025-05-18 07:59"},
		{"Sat 20:00-08:00", "2025-05-18 08:00", "2025-05-24 20:00"},
		{"Fri-Mon 00:00-24:00", "2025-05-13 01:00", "2025-05-16 00:00"},
		{"daily 01:30-02:00", "2025-03-29 12:00", "2025-03-30 02:30"}, // the hour from one to two does not exist that night
		{"Sun 09:00-10:00", "2025-10-25 12:00", "2025-10-26 09:00"},
	} {
		h, err := ward.ParseHours(row.hours)
		if err != nil || h.String() != row.hours {
			t.Fatalf("%q: %q, %v", row.hours, h, err)
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", row.at, london)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Next(at).Format("2006-01-02 15:04"); got != row.next || h.Cover(at) != (row.at == row.next) {
			t.Errorf("%q at %s: %s, want %s", row.hours, row.at, got, row.next)
		}
	}
}

func TestWhatAreNoHours(t *testing.T) {
	for _, text := range []string{"always", "Mon", "Mon 8-18", "Mon 08:00", "Mon 08:00-08:00", "Mon 24:00-08:00", "Mon 08:00-25:00", "Mon 08:60-09:00", "Moon 08:00-09:00", "Mon- 08:00-09:00",
		"Mon 08:00-09:00 x", "Mon,Mon,Mon,Mon,Mon,Mon,Mon,Mon 08:00-09:00", strings.Repeat("daily 08:00-09:00;", 20)} {
		if h, err := ward.ParseHours(text); err == nil {
			t.Errorf("%q is taken for %q", text, h)
		}
	}
}

func FuzzParseHours(f *testing.F) {
	for _, seed := range []string{"Mon-Fri 08:00-18:00; Sat,Sun 10:00-12:00", "daily 20:00-08:00", "Sun 00:00-24:00", ";;", "Fri-Mon 23:59-00:00"} {
		f.Add(seed)
	}
	at := time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ward.ParseHours(text)
		if err != nil {
			return
		}
		again, err := ward.ParseHours(h.String())
		next := h.Next(at)
		if err != nil || again.String() != h.String() || next.Before(at) || next.Sub(at) > 8*24*time.Hour || !h.Cover(next) {
			t.Errorf("%q: %q, next %s, %v", text, again, next, err)
		}
	})
}
