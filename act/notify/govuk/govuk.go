// Package govuk speaks to GOV.UK Notify: messages come in; text messages and e-mails go out through two templates of the
// operator's own service, and what became of them is asked afterwards. Each is sent under its key as the reference, and one that
// may have been sent before is looked up by it first. It never sends formatting: what is told cannot become a link or a heading.
package govuk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

// Address is where GOV.UK Notify is.
const Address = "https://api.notifications.service.gov.uk"

// Options of a Client.
type Options struct {
	URL           string // Address
	Key           string // API key as the service shows it: name, service and secret
	EmailTemplate string // its subject is ((subject)) and its body ((message))
	SMSTemplate   string // its text is ((message))
	Clock         ward.Clock
	Roots         *x509.CertPool // nil: the machine's
}

// Client is one service of GOV.UK Notify.
type Client struct {
	options Options
	service string
	secret  string
	http    *http.Client
}

var apiKey = regexp.MustCompile(`^(?:.*-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// New checks the options. Nothing is sent yet.
func New(o Options) (*Client, error) {
	parts := apiKey.FindStringSubmatch(strings.TrimSpace(o.Key))
	if parts == nil {
		return nil, &ward.Invalid{Field: "notify.govuk.key", Problem: "is not an API key", Hint: "copy it whole, as GOV.UK Notify shows it once"}
	}
	o.URL = strings.TrimSuffix(cmp.Or(o.URL, Address), "/")
	if o.Clock == nil {
		o.Clock = ward.WallClock{}
	}
	client := notify.OwnClient(o.Roots)
	return &Client{options: o, service: parts[1], secret: parts[2], http: client}, nil
}

// Email returns the carrier of e-mail.
func (c *Client) Email() notify.Carrier { return carrier{c, ward.Email} }

// SMS returns the carrier of text messages.
func (c *Client) SMS() notify.Carrier { return carrier{c, ward.SMS} }

type carrier struct {
	*Client
	channel ward.Channel
}

// Channel implements notify.Carrier.
func (c carrier) Channel() ward.Channel { return c.channel }

// AtOnce implements notify.Carrier.
func (carrier) AtOnce() int { return 8 }

// notification is what GOV.UK Notify says of one message.
type notification struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// Hand implements notify.Carrier.
func (c carrier) Hand(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	receipt := notify.Receipt{Words: "taken by GOV.UK Notify", Ask: time.Minute}
	if m.Again {
		var known struct {
			Notifications []notification `json:"notifications"`
		}
		if err := c.call(ctx, http.MethodGet, "/v2/notifications?reference="+url.QueryEscape(m.Key), nil, &known); err != nil {
			return receipt, err
		}
		if len(known.Notifications) > 0 {
			receipt.ID, receipt.Words = known.Notifications[0].ID, "was taken by GOV.UK Notify before"
			return receipt, nil
		}
	}
	path, body := "/v2/notifications/sms", map[string]any{
		"phone_number": m.To, "template_id": c.options.SMSTemplate, "reference": m.Key, "personalisation": map[string]string{"message": unmarked(m.Short)},
	}
	if c.channel == ward.Email {
		path, body = "/v2/notifications/email", map[string]any{
			"email_address": m.To, "template_id": c.options.EmailTemplate, "reference": m.Key,
			"personalisation": map[string]string{"subject": unmarked(m.Subject), "message": unmarked(m.Text)},
		}
	}
	var taken notification
	if err := c.call(ctx, http.MethodPost, path, body, &taken); err != nil {
		return receipt, err
	}
	receipt.ID = taken.ID
	return receipt, nil
}

// Track implements notify.Tracker.
func (c carrier) Track(ctx context.Context, receipt string) (ward.DeliveryState, string, error) {
	var n notification
	if err := c.call(ctx, http.MethodGet, "/v2/notifications/"+url.PathEscape(receipt), nil, &n); err != nil {
		return "", "", err
	}
	switch n.Status {
	case "delivered":
		return ward.DeliveryDelivered, "delivered, says GOV.UK Notify", nil
	case "permanent-failure":
		return ward.DeliveryBounced, "the address does not exist, says GOV.UK Notify", nil
	case "temporary-failure":
		return ward.DeliveryGivenUp, "not delivered within three days, says GOV.UK Notify: the mailbox is full or the telephone is off", nil
	case "technical-failure":
		return ward.DeliveryFailed, "GOV.UK Notify could not send it", nil
	}
	return ward.DeliveryHanded, "GOV.UK Notify has it: " + n.Status, nil
}

// call makes one request, and reads its answer into out.
func (c *Client) call(ctx context.Context, method, path string, body, out any) error {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("notify/govuk: %w", err)
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.options.URL+path, reader)
	if err != nil {
		return fmt.Errorf("notify/govuk: %w", err)
	}
	now := c.options.Clock.Now()
	request.Header.Set("Authorization", "Bearer "+Token(c.service, c.secret, now))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Wardwatch")
	response, err := c.http.Do(request)
	if err != nil {
		return &notify.Refusal{Cause: notify.Down, Why: "GOV.UK Notify does not answer", Err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return &notify.Refusal{Cause: notify.Down, Why: "GOV.UK Notify broke off its answer", Err: err}
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		if err := json.Unmarshal(text, out); err != nil {
			return &notify.Refusal{Cause: notify.Down, Why: "GOV.UK Notify's answer cannot be read", Err: err}
		}
		return nil
	}
	return refusal(response, text, now)
}

// refusal is what an answer that is no success means.
func refusal(response *http.Response, text []byte, now time.Time) error {
	var said struct {
		Errors []struct {
			Error   string `json:"error"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	why := fmt.Sprintf("GOV.UK Notify answered %d", response.StatusCode)
	kind := ""
	if err := json.Unmarshal(text, &said); err == nil && len(said.Errors) > 0 {
		kind = said.Errors[0].Error
		why += fmt.Sprintf(": %s (%s)", said.Errors[0].Message, kind)
	}
	r := &notify.Refusal{Cause: notify.Refused, Why: why, After: notify.RetryAfter(response.Header, now)}
	switch code := response.StatusCode; {
	case code == http.StatusTooManyRequests && kind == "TooManyRequestsError": // the day's limit: no sooner than in an hour
		r.Cause, r.After = notify.Down, max(r.After, time.Hour)
	case code == http.StatusTooManyRequests, code >= 500, code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusRequestTimeout:
		r.Cause = notify.Down // the key or the service: the same for every message, until the operator or they have mended it
	case code == http.StatusBadRequest && strings.Contains(strings.ToLower(why), "not a valid"):
		r.Cause = notify.Bounced // the number or address
	}
	return r
}

// Token is the JSON Web Token that a request carries: the service as issuer, the time, HMAC-SHA256 by the key's secret.
func Token(service, secret string, at time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + encode([]byte(`{"iss":`+strconv.Quote(service)+`,"iat":`+strconv.FormatInt(at.Unix(), 10)+`}`))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

var (
	placeholder = regexp.MustCompile(`\(\(|\)\)|\[\[|\]\]`)
	marks       = regexp.MustCompile(`(?m)^(\s*)([#^>*+-]|\d+[.)]|=+\s*$|-+\s*$)`)
	linked      = regexp.MustCompile(`\]\(`)
)

// unmarked is text in which GOV.UK Notify sees no placeholder, heading, list, inset or named link.
func unmarked(text string) string {
	text = placeholder.ReplaceAllStringFunc(text, func(pair string) string { return pair[:1] + " " + pair[1:] })
	text = linked.ReplaceAllString(text, "] (")
	return marks.ReplaceAllString(text, "$1\u2060$2") // a word joiner: nothing to see, and no mark at the start of a line any more
}
