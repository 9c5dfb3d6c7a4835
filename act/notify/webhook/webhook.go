// Package webhook tells an organisation's own programs: messages come in; signed requests by the rules of Standard Webhooks go
// out to the address that the organisation gave. It never sends a link that acknowledges, because programs keep what they are
// sent, and never speaks to an address inside.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

// Carrier implements notify.Carrier.
type Carrier struct {
	client *http.Client
	clock  ward.Clock
}

// New returns the carrier. client should be a notify.SafeClient; the clock dates signatures, so it should be the machine's.
func New(client *http.Client, clock ward.Clock) *Carrier {
	return &Carrier{client: client, clock: clock}
}

// Channel implements notify.Carrier.
func (*Carrier) Channel() ward.Channel { return ward.Webhook }

// AtOnce implements notify.Carrier.
func (*Carrier) AtOnce() int { return 8 }

// payload is the body of a request.
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of the fact
	Data      data      `json:"data"`
}

type data struct {
	Organisation ward.OrgID    `json:"organisation,omitempty"`
	Alert        ward.AlertID  `json:"alert,omitempty"`
	Severity     ward.Severity `json:"severity,omitempty"`
	Exercise     bool          `json:"exercise"`
	Subject      string        `json:"subject"`
	Text         string        `json:"text"`
	Link         string        `json:"link"`
}

// Hand implements notify.Carrier.
func (c *Carrier) Hand(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	body, err := json.Marshal(payload{m.Kind, m.At, data{m.Org, m.Alert, m.Severity, m.Exercise, m.Subject, m.Body, m.Open}})
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("notify/webhook: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.To, bytes.NewReader(body))
	if err != nil {
		return notify.Receipt{}, &notify.Refusal{Cause: notify.Refused, Why: "its address cannot be read"}
	}
	now := c.clock.Now()
	at := strconv.FormatInt(now.Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Wardwatch")
	request.Header.Set("webhook-id", m.Key)
	request.Header.Set("webhook-timestamp", at)
	request.Header.Set("webhook-signature", Sign(m.Secret, m.Key, at, body))
	if err := notify.Post(c.client, request, now); err != nil {
		return notify.Receipt{}, err
	}
	return notify.Receipt{Words: "taken by the receiver", Final: true}, nil
}

// Sign is the signature of a body sent under an ID at a time (seconds since 1970).
func Sign(secret []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
