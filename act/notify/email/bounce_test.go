package email_test

import (
	"errors"
	"strings"
	"testing"

	"wardwatch/act/notify/email"
	"wardwatch/ward"
)

// report is what a relay sends back, with what it says of the recipient.
func report(kind, fields string) string {
	return strings.ReplaceAll(`From: Mail Delivery System <MAILER-DAEMON@relay.example>
To: bounces@watch.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="b"

--b
Content-Type: text/plain

I'm sorry.
--b
Content-Type: `+kind+`

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; pat@hospital.example
`+fields+`
--b
Content-Type: text/rfc822-headers

Subject: an alert
Message-ID: <ww-9s88g6rnrbghlkr7sogvbup3@watch.example>

--b--
`, "\n", "\r\n")
}

func TestReadBounce(t *testing.T) {
	const key = "ww-9s88g6rnrbghlkr7sogvbup3"
	for _, row := range []struct {
		name, text string
		want       email.Bounce
		err        error
	}{
		{"bounced", report("message/delivery-status", "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such mailbox\n"), email.Bounce{Key: key, State: ward.DeliveryBounced, Words: "550 5.1.1 no such mailbox"}, nil},
		{"bounced, in UTF-8", report("message/global-delivery-status", "Action: failed\nStatus: 5.1.1\n"), email.Bounce{Key: key, State: ward.DeliveryBounced, Words: "status 5.1.1"}, nil},
		{"late", report("message/delivery-status", "Action: delayed\nStatus: 4.4.1\n"), email.Bounce{Key: key, State: ward.DeliveryHanded, Words: "status 4.4.1"}, nil},
		{"arrived", report("message/delivery-status", "Action: delivered\nStatus: 2.0.0\n"), email.Bounce{Key: key, State: ward.DeliveryDelivered, Words: "status 2.0.0"}, nil},
		{"says nothing", report("message/delivery-status", "Status: 2.0.0\n"), email.Bounce{}, email.ErrNoReport},
		{"about another's message", strings.ReplaceAll(report("message/delivery-status", "Action: failed\n"), "ww-", "xx-"), email.Bounce{}, email.ErrNoReport},
		{"an absence note", "From: pat@hospital.example\r\nSubject: away\r\n\r\nI am away. <ww-9s88g6rnrbghlkr7sogvbup3@watch.example>\r\n", email.Bounce{}, email.ErrNoReport},
		{"nothing", "", email.Bounce{}, email.ErrNoReport},
	} {
		got, err := email.ReadBounce(strings.NewReader(row.text))
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
	}
}

func TestWhatIsNoMailServer(t *testing.T) {
	for _, o := range []email.Options{
		{Server: "mail.example", From: "a@watch.example"},
		{Server: "mail.example:587", From: "nobody"},
		{Server: "mail.example:587", From: "a@watch.example", TLS: email.Plain},
		{Server: "mail.example:587", From: "a@watch.example", TLS: "maybe"},
		{Server: "mail.example:587", From: "a@watch.example", Bounces: "nowhere"},
	} {
		if _, err := email.New(o); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func FuzzReadBounce(f *testing.F) {
	f.Add(report("message/delivery-status", "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such mailbox\n"))
	f.Add(report("message/global-delivery-status", "Action: delayed\n"))
	f.Add("Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := email.ReadBounce(strings.NewReader(text))
		if err == nil && (!strings.HasPrefix(b.Key, "ww-") || b.State == "" || len(b.Key) > 43) {
			t.Errorf("%q: %+v", text, b)
		}
	})
}
