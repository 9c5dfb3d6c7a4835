package year

import "time"

// holidays are the bank holidays of England and Wales in 2026, as gov.uk/bank-holidays lists them.
var holidays = map[string]string{
	"2026-01-01": "New Year's Day",
	"2026-04-03": "Good Friday",
	"2026-04-06": "Easter Monday",
	"2026-05-04": "Early May bank holiday",
	"2026-05-25": "Spring bank holiday",
	"2026-08-31": "Summer bank holiday",
	"2026-12-25": "Christmas Day",
	"2026-12-28": "Boxing Day, in place of a Saturday",
}

// The year begins and ends at midnight by Greenwich. Its clocks go forward on 29 March and back on 25 October.
var (
	start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	end   = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

// wall is the zone in which people go to work.
func wall() *time.Location {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err) // the package carries the zones
	}
	return zone
}

// works reports whether people are at work: Monday to Friday from 8 to 18 by the clock on the wall, but for bank holidays.
func works(t time.Time, zone *time.Location) bool {
	local := t.In(zone)
	_, holiday := holidays[local.Format(time.DateOnly)]
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	return !holiday && !weekend && local.Hour() >= 8 && local.Hour() < 18
}

// atWork is the first half past an hour, not before t, at which people are at work. What the watch does happens on the hour,
// so that no two of them happen at the same moment.
func atWork(t time.Time, zone *time.Location) time.Time {
	t = t.UTC().Truncate(time.Hour).Add(30 * time.Minute)
	for !works(t, zone) {
		t = t.Add(time.Hour)
	}
	return t
}
