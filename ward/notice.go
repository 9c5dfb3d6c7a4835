package ward

import "time"

// Notice is one message for one organisation or for the national desk (Org empty), in the durable outbox.
type Notice struct {
	ID      int64
	Key     string // idempotency: the same fact makes one notice
	Org     OrgID
	Kind    string // "alert.published", "response.contradicted", "response.overdue", ...
	Alert   AlertID
	Subject string
	Body    string // plain words, no sensitive detail
	Link    string // path on this server
	Created time.Time
	Read    time.Time // zero while unread
	ReadBy  string
}
