package ward

import "time"

// Urgency is how a notice reaches people.
type Urgency string

// The urgencies.
const (
	AtOnce    Urgency = "page"   // by every channel of the people of its rung, now or when their hours begin
	InDigest  Urgency = "digest" // gathered, and told in one message a day
	InboxOnly Urgency = "inbox"  // shown in the inbox, and sent nowhere
)

// Notice is one message for one organisation or for the national desk (Org empty), in the durable outbox.
type Notice struct {
	ID       int64
	Key      string // idempotency: the same fact makes one notice
	Org      OrgID
	Kind     string // "alert.published", "response.contradicted", "response.overdue", ...
	Alert    AlertID
	Event    string   // what really happened: a second notice of it pages nobody; empty: the notice is its own event
	Urgency  Urgency  // empty: as its kind usually is
	Rung     Rung     // who is told; empty: the contacts
	Severity Severity // of its alert; empty where there is none
	Exercise bool
	Asks     bool // carries a link that acknowledges its alert
	Subject  string
	Body     string // plain words, no sensitive detail
	Link     string // path on this server
	Created  time.Time
	Read     time.Time // zero while unread
	ReadBy   string
}

// DeliveryState is where one message to one address stands.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryQueued    DeliveryState = "queued"
	DeliverySending   DeliveryState = "sending"   // in the hands of a channel; after a crash it is sent again under the same key
	DeliveryHanded    DeliveryState = "handed"    // the channel's server has taken it
	DeliveryDelivered DeliveryState = "delivered" // that server says that it arrived, or somebody opened its link and pressed the button
	DeliveryBounced   DeliveryState = "bounced"   // the address does not take it
	DeliveryFailed    DeliveryState = "failed"    // cannot be sent as things stand here: nobody to tell, no such channel, refused
	DeliveryGivenUp   DeliveryState = "given_up"  // tried for as long as it was worth
)

// Settled reports whether nothing more is tried.
func (s DeliveryState) Settled() bool {
	return s != DeliveryQueued && s != DeliverySending && s != DeliveryHanded
}

// Reached reports whether the message left for its address and has not come back.
func (s DeliveryState) Reached() bool { return s == DeliveryHanded || s == DeliveryDelivered }

// Lost reports whether the message will not arrive.
func (s DeliveryState) Lost() bool {
	return s == DeliveryBounced || s == DeliveryFailed || s == DeliveryGivenUp
}

// Delivery is one notice on its way to one address.
type Delivery struct {
	ID       int64
	Key      string // the Message-ID, reference and webhook-id: whoever is sent it twice can tell
	Notice   int64
	Kind     string // of the notice
	Alert    AlertID
	Org      OrgID
	Contact  ContactID // 0 where there was nobody to tell
	Name     string    // of the contact, as it was then
	Rung     Rung
	Channel  Channel
	To       string
	State    DeliveryState
	Attempts int
	NextTry  time.Time // while queued or sending; while handed: when to ask how it went, or zero
	Detail   string    // what the last attempt said, in words
	Receipt  string    // the channel's own name for it
	Created  time.Time
	Handed   time.Time
	Settled  time.Time
	Used     time.Time // when its link was used; zero while it can be
}

// Recipient is somebody who would be told of a notice, by one address, and when.
type Recipient struct {
	Org     OrgID
	Rung    Rung
	Contact ContactID // 0: nobody is known, and Why says so
	Name    string
	Channel Channel
	To      string
	At      time.Time // now, or when the contact's hours begin
	Why     string    // where it is not the plain case: "out of hours", "passed on from the executive: nobody is named"
}
