package email

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"wardwatch/ward"
)

// Bounce is what a mail server reports of a message that it had taken.
type Bounce struct {
	Key   string // of the delivery
	State ward.DeliveryState
	Words string
}

// ErrNoReport is mail that is no report about one of our messages: an absence note, or anything else that reached the address.
var ErrNoReport = errors.New("not a delivery report about a message of ours")

const mostReport = 4 << 20

// key finds a delivery's key where a Message-ID is written.
var key = regexp.MustCompile(`(?im)^Message-ID:\s*<(ww-[a-z0-9]{10,40})@`)

// ReadBounce reads a delivery status notification (RFC 3464): which message, and whether it arrived. A delay settles nothing.
func ReadBounce(r io.Reader) (Bounce, error) {
	report, err := netmail.ReadMessage(bufio.NewReader(io.LimitReader(r, mostReport)))
	if err != nil {
		return Bounce{}, fmt.Errorf("notify/email: %w: %w", ErrNoReport, err)
	}
	kind, params, err := mime.ParseMediaType(report.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return Bounce{}, ErrNoReport
	}
	var b Bounce
	parts := multipart.NewReader(report.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			break // a report that is cut off may have said enough
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "message/delivery-status", "message/global-delivery-status":
			b.State, b.Words = status(part)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			text, err := io.ReadAll(io.LimitReader(part, 64<<10))
			if found := key.FindSubmatch(text); err == nil && found != nil {
				b.Key = string(found[1])
			}
		}
	}
	if b.Key == "" || b.State == "" {
		return Bounce{}, ErrNoReport
	}
	return b, nil
}

// status reads the fields of the last recipient: ours have one.
func status(r io.Reader) (state ward.DeliveryState, words string) {
	fields := textproto.NewReader(bufio.NewReader(r))
	for {
		group, err := fields.ReadMIMEHeader()
		switch strings.ToLower(strings.TrimSpace(group.Get("Action"))) {
		case "failed":
			state = ward.DeliveryBounced
		case "delivered":
			state = ward.DeliveryDelivered
		case "delayed", "relayed", "expanded":
			state = ward.DeliveryHanded
		}
		if said := group.Get("Diagnostic-Code"); said != "" {
			_, after, found := strings.Cut(said, ";")
			if !found {
				after = said
			}
			words = strings.TrimSpace(after)
		} else if said := group.Get("Status"); said != "" && words == "" {
			words = "status " + said
		}
		if err != nil {
			return state, words
		}
	}
}
