package watch_test

import (
	"testing"
	"time"

	"wardwatch/watch"
)

func TestWhenReadsTimesAsSendersWriteThem(t *testing.T) {
	at := time.Date(2025, 5, 13, 9, 8, 7, 0, time.UTC)
	for _, row := range []struct {
		text string
		want time.Time
	}{
		{"2025-05-13T09:08:07Z", at},
		{"2025-05-13T09:08:07.165324Z", at.Add(165324 * time.Microsecond)},
		{"2025-05-13T10:08:07+01:00", at},
		{"2025-05-13T10:08:07+0100", at},
		{"2025-05-13T09:08:07", at},
		{"2025-05-13 09:08:07.132", at.Add(132 * time.Millisecond)},
		{"2025-05-13 09:08:07", at},
		{"2025-05-13 11:08:07 +0200", at},
		{"13/May/2025:10:08:07 +0100", at},
		{"May 13 2025 09:08:07", at},
		{"Tue May 13 09:08:07 2025", at},
		{"Tue, 13 May 2025 09:08:07 GMT", at},
		{"5/13/2025 9:08:07 AM", at},
		{"May 13, 2025 9:08:07 AM", at},
		{" 2025-05-13 ", at.Truncate(24 * time.Hour)},
		{"May 13 09:08:07", at.AddDate(-2025, 0, 0)},
		{"1747127287", at},
		{"1747127287.5", at.Add(time.Second / 2)},
		{"1747127287000", at},
		{"1747127287000000", at},
		{"1747127287000000000", at},
		{"133916008870000000", at},
		{"999999999", time.Unix(999999999, 0)},
	} {
		if got, ok := watch.When([]byte(row.text)); !ok || !got.Equal(row.want) || got.Location() != time.UTC {
			t.Errorf("When(%q) = %v, %v; want %v", row.text, got, ok, row.want)
		}
	}
	for _, text := range []string{"", "-", "4624", "yesterday", "-1747127287", "1747127287.x", "12:30", "2025-13-01T00:00:00Z"} {
		if got, ok := watch.When([]byte(text)); ok {
			t.Errorf("When(%q) = %v; it is no time", text, got)
		}
	}
}

func FuzzWhen(f *testing.F) {
	for _, text := range []string{"2025-05-13T09:08:07.165324Z", "13/May/2025:10:08:07 +0100", "1747127287.5", "133916008870000000", "May 13 09:08:07"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		at, ok := watch.When(text)
		if ok && at.Location() != time.UTC {
			t.Errorf("When(%q) = %v: not in UTC", text, at)
		}
		if again, _ := watch.When(text); !again.Equal(at) {
			t.Errorf("When(%q) = %v and %v", text, at, again)
		}
	})
}
