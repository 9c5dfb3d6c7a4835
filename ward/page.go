package ward

import "time"

// Page is a stretch of a long list. Next is an opaque cursor for the following stretch, empty at the end.
type Page[T any] struct {
	Items []T
	Next  string
}

// PageSize bounds a stretch when the caller does not say; MostPageSize bounds what a caller may ask for.
const (
	PageSize     = 50
	MostPageSize = 500
)

// Hint tells a watching browser that something changed, so that it reads again. It carries no data, and losing one costs
// one poll.
type Hint struct {
	Topic string // "alert:CC-900001", "queue", "estate:XZ1A1", "feeds"
	Org   OrgID  // whose data changed; empty when it is for everyone
}

// Feed is how one publisher's feed stands.
type Feed struct {
	Name      string
	Location  string // URL or path that it was last read from
	Attempted time.Time
	Succeeded time.Time
	Observed  time.Time // the publisher's own date of what was read
	NextDue   time.Time
	Records   int // read the last time
	Changed   int // of them, said something new
	Rejected  int // could not be understood
	Error     string
	Stale     bool      // no success within its interval and half of it again
	Held      *FeedHold // a reading that waits for a person; nil when none does
}

// About names what an alert or question is about: weaknesses, and the product and classes where they would be seen.
type About struct {
	CVEs    []CVE
	Vendor  string
	Product string
	Classes []Class
}
