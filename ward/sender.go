package ward

import "time"

// A Sender is who may send an organisation's events, by a credential of its own.
type Sender struct {
	ID          string    `json:"id"`
	Org         OrgID     `json:"organisation"`
	Name        string    `json:"name"`
	Certificate string    `json:"certificate,omitempty"` // SHA-256 of the certificate, hexadecimal digits; empty: it has a token
	Created     time.Time `json:"created"`
	Revoked     time.Time `json:"revoked,omitzero"`
}
