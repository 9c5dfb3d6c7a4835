package notify

import (
	"context"
	"time"

	"wardwatch/ward"
)

// Message is a delivery in words, as a channel sends it. Every text is plain: a channel encodes it for its own form, and
// lets nothing in it become a header, a placeholder or a command there.
type Message struct {
	Key      string // the same each time that this message is sent
	To       string
	Name     string // of the contact
	Subject  string // one line
	Text     string // the whole message, lines ended by \n, with its links
	Short    string // the message where every character is paid for
	Body     string // what is told, without heading and links
	Open     string // URL of the page
	Confirm  string // URL that acknowledges or confirms, once; empty where there is nothing to
	Kind     string
	Alert    ward.AlertID
	Org      ward.OrgID
	OrgName  string
	Severity ward.Severity
	Exercise bool
	At       time.Time // of what is told
	Secret   []byte    // that the organisation's receiver shares, for a signature
	Again    bool      // an earlier attempt may have arrived
}

// Receipt is a channel's answer to a message that it took.
type Receipt struct {
	ID    string        // the channel's own name for it
	Words string        // what its server said
	Final bool          // whoever took it is the recipient, so it arrived
	Ask   time.Duration // when to ask how it went; 0: nothing can be asked
}

// A Carrier hands messages to the server of one channel. It is safe for concurrent use.
type Carrier interface {
	Channel() ward.Channel
	AtOnce() int // how many messages at the same time
	// Hand returns when the server has taken the message, or why it did not: a *Refusal says what to do about it, and any
	// other error is tried again. A message that is handed twice carries the same key twice.
	Hand(ctx context.Context, m Message) (Receipt, error)
}

// A Tracker is a Carrier whose server knows later whether a message arrived. The state is handed while it does not know yet.
type Tracker interface {
	Track(ctx context.Context, receipt string) (state ward.DeliveryState, words string, err error)
}

// Cause is what a refusal means for the message and for the others of its channel.
type Cause int

// The causes.
const (
	Later   Cause = iota // this message is tried again later
	Down                 // the channel takes nothing at present: every message waits
	Bounced              // the address does not take it, now or later
	Refused              // the message or address cannot be sent by this channel at all
)

// Refusal is why a server did not take a message.
type Refusal struct {
	Cause Cause
	Why   string        // in words for people, without secrets
	After time.Duration // not before; 0: as usual
	Err   error         // beneath; may be nil
}

func (r *Refusal) Error() string { return r.Why }

func (r *Refusal) Unwrap() error { return r.Err }
