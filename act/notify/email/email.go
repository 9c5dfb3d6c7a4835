// Package email hands messages to the operator's own mail server: messages come in; plain text goes out by SMTP with TLS, and
// reports of what bounced are read. Each message's Message-ID is its key. It never sends without TLS but to this machine, and
// never lets what is told write a header.
package email

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

// The ways to protect a connection.
const (
	STARTTLS = "starttls" // begins in the clear and must change to TLS
	TLS      = "tls"      // from the first byte
	Plain    = "none"     // only to this machine
)

// Options of a Carrier.
type Options struct {
	Server   string         // "mail.example:587"
	TLS      string         // STARTTLS
	User     string         // empty: no sign-in
	Password string         //
	From     string         // "Cyber watch <watch@example>"
	Bounces  string         // address that reports of what bounced go to; that of From
	Roots    *x509.CertPool // nil: the machine's
	Timeout  time.Duration  // of one message; 20 s
	AtOnce   int            // connections; 4
}

// Carrier implements notify.Carrier.
type Carrier struct {
	options Options
	from    *netmail.Address
	bounces *netmail.Address
	domain  string
	client  *mail.Client

	mu   sync.Mutex
	idle []*smtp.Client
}

const idleFor = 5 * time.Second // a connection waits for so long for another message

// New checks the options. Nothing is sent yet.
func New(o Options) (*Carrier, error) {
	host, port, err := net.SplitHostPort(o.Server)
	number, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil || host == "" {
		return nil, &ward.Invalid{Field: "notify.smtp.server", Problem: fmt.Sprintf("%q is not an address", o.Server), Hint: "write host:port, such as mail.example:587"}
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, &ward.Invalid{Field: "notify.smtp.from", Problem: fmt.Sprintf("%q is not an e-mail address", o.From), Hint: "write Cyber watch <watch@hospital.example>"}
	}
	bounces, err := netmail.ParseAddress(cmp.Or(o.Bounces, from.Address))
	if err != nil {
		return nil, &ward.Invalid{Field: "notify.smtp.bounces", Problem: fmt.Sprintf("%q is not an e-mail address", o.Bounces), Hint: "write bounces@hospital.example"}
	}
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	if o.AtOnce == 0 {
		o.AtOnce = 4
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	settings := []mail.Option{mail.WithPort(number), mail.WithTimeout(o.Timeout), mail.WithTLSConfig(&tls.Config{ServerName: host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}), mail.WithHELO(domain),
		mail.WithoutSMTPUTF8()} // asked for, it must be had at every hop: our headers are ASCII, and so are the addresses that are kept
	switch cmp.Or(o.TLS, STARTTLS) {
	case STARTTLS:
		settings = append(settings, mail.WithTLSPolicy(mail.TLSMandatory))
	case TLS:
		settings = append(settings, mail.WithSSL())
	case Plain:
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, &ward.Invalid{Field: "notify.smtp.tls", Problem: "is none, and the server is another machine", Hint: "use starttls or tls"}
		}
		settings = append(settings, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, &ward.Invalid{Field: "notify.smtp.tls", Problem: fmt.Sprintf("%q is not a way", o.TLS), Hint: "use starttls, tls, or none to this machine"}
	}
	if o.User != "" {
		settings = append(settings, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(o.User), mail.WithPassword(o.Password))
	}
	client, err := mail.NewClient(host, settings...)
	if err != nil {
		return nil, fmt.Errorf("notify/email: %w", err)
	}
	return &Carrier{options: o, from: from, bounces: bounces, domain: domain, client: client}, nil
}

// Channel implements notify.Carrier.
func (*Carrier) Channel() ward.Channel { return ward.Email }

// AtOnce implements notify.Carrier.
func (c *Carrier) AtOnce() int { return c.options.AtOnce }

// Hand implements notify.Carrier.
func (c *Carrier) Hand(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	letter, err := c.letter(m)
	if err != nil {
		return notify.Receipt{}, &notify.Refusal{Cause: notify.Refused, Why: "its address cannot be read", Err: err}
	}
	for {
		connection, used, err := c.connection(ctx)
		if err != nil {
			return notify.Receipt{}, &notify.Refusal{Cause: notify.Down, Why: "the mail server cannot be reached: " + err.Error(), Err: err}
		}
		// The library waits for the server and not for ctx: where ctx ends first, it ends on its own after the timeout.
		sent := make(chan error, 1)
		go func() { sent <- c.client.SendWithSMTPClient(connection, letter) }()
		select {
		case err = <-sent:
		case <-ctx.Done():
			go func() { _, _ = <-sent, connection.Close() }()
			return notify.Receipt{}, fmt.Errorf("notify/email: %w", ctx.Err())
		}
		if letter.IsDelivered() { // even where the connection broke afterwards
			if err == nil {
				c.rest(connection)
			} else {
				_ = connection.Close()
			}
			return notify.Receipt{Words: cmp.Or(letter.ServerResponse(), "taken by the mail server")}, nil
		}
		var said *mail.SendError
		if !errors.As(err, &said) {
			said = &mail.SendError{Reason: mail.ErrConnCheck}
		}
		if used && said.Reason == mail.ErrConnCheck {
			_ = connection.Close()
			continue // the server closed a connection that waited, before it was given anything
		}
		if said.ErrorCode() > 0 && said.ErrorCode() != 421 {
			c.rest(connection)
		} else {
			_ = connection.Close()
		}
		return notify.Receipt{}, refusal(said, err)
	}
}

// refusal is what a server's answer means: by the command that it answered and the code (RFC 5321, 4.2.1).
func refusal(said *mail.SendError, err error) error {
	r := &notify.Refusal{Cause: notify.Later, Why: words(err), Err: err}
	switch code := said.ErrorCode(); {
	case code == 0: // no answer at all, and so the same for the next message
		r.Cause = notify.Down
		r.Why = "the mail server broke off: " + r.Why
	case code == 421, code == 530, code == 535, code == 538:
		r.Cause = notify.Down
	case code < 500: // greylisted, over a quota, busy
	case said.Reason == mail.ErrSMTPRcptTo:
		r.Cause = notify.Bounced
	case said.Reason == mail.ErrSMTPMailFrom: // it does not take mail from us
		r.Cause = notify.Down
	default:
		r.Cause = notify.Refused
	}
	return r
}

// words is what the server said, without the addresses that the library adds.
func words(err error) string {
	text := err.Error()
	if i := strings.Index(text, ", affected "); i > 0 {
		text = text[:i]
	}
	return text
}

// letter is a message as mail.
func (c *Carrier) letter(m notify.Message) (*mail.Msg, error) {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	letter.FromMailAddress(c.from)
	letter.EnvelopeFromMailAddress(c.bounces)
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Address != m.To {
		return nil, fmt.Errorf("notify/email: %q: %w", m.To, ward.ErrInvalid)
	}
	to.Name = line(m.Name)
	letter.AddToMailAddress(to)
	letter.Subject(line(m.Subject))
	letter.SetMessageIDWithValue(m.Key + "@" + c.domain)
	letter.SetDate()
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // so that no absence note answers (RFC 3834)
	if m.Severity == ward.High && !m.Exercise {
		letter.SetImportance(mail.ImportanceHigh)
	}
	letter.SetBodyString(mail.TypeTextPlain, m.Text)
	return letter, nil
}

// line is text that cannot end a header.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// connection is one that waited, or a new one.
func (c *Carrier) connection(ctx context.Context) (connection *smtp.Client, used bool, err error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		connection, c.idle = c.idle[n-1], c.idle[:n-1]
	}
	c.mu.Unlock()
	if connection != nil {
		return connection, true, nil
	}
	connection, err = c.client.DialToSMTPClientWithContext(ctx)
	return connection, false, err
}

// rest lets a connection wait for another message, for a while.
func (c *Carrier) rest(connection *smtp.Client) {
	c.mu.Lock()
	c.idle = append(c.idle, connection)
	c.mu.Unlock()
	time.AfterFunc(idleFor, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, waiting := range c.idle {
			if waiting == connection {
				c.idle = append(c.idle[:i:i], c.idle[i+1:]...)
				_ = c.client.CloseWithSMTPClient(connection)
				return
			}
		}
	})
}
