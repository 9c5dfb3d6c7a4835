package config

import (
	"net"
	"net/netip"
	"time"

	"wardwatch/ward"
)

// Notify says by which channels people are told. One that is absent carries nothing; with none, everything stays in the inboxes.
type Notify struct {
	// Zone is the clock on the wall that contacts' hours, digests and monthly tests are on.
	Zone string `yaml:"zone"`
	// DigestAt is when what pages nobody is told, "HH:MM".
	DigestAt string `yaml:"digest_at"`
	// Tests sends each contact a message once a month, to see that it arrives.
	Tests bool `yaml:"tests"`
	// CA names a PEM file of certificate authorities beside the machine's, for the mail server and the receivers.
	CA string `yaml:"ca"`
	// Allow are ranges inside the network that receivers of webhooks and chats may lie in, such as 10.1.2.0/24. Empty: public
	// addresses alone.
	Allow []string `yaml:"allow"`

	SMTP     SMTP  `yaml:"smtp"`
	GOVUK    GOVUK `yaml:"govuk"`
	Webhooks bool  `yaml:"webhooks"`
	Teams    bool  `yaml:"teams"`
	Slack    bool  `yaml:"slack"`
}

// SMTP is the operator's own mail server.
type SMTP struct {
	Server   string `yaml:"server"` // host:port; empty: no mail by SMTP
	TLS      string `yaml:"tls"`    // starttls, tls, or none (to this machine only)
	User     string `yaml:"user"`
	Password string `yaml:"password"`
	From     string `yaml:"from"`    // "Cyber watch <watch@hospital.example>"
	Bounces  string `yaml:"bounces"` // that reports of what bounced go to; the address of From
}

// GOVUK is the operator's service at GOV.UK Notify.
type GOVUK struct {
	Key           string `yaml:"key"`            // empty: not used
	EmailTemplate string `yaml:"email_template"` // for e-mail, where no mail server is named; empty: none
	SMSTemplate   string `yaml:"sms_template"`   // for text messages; empty: none
	URL           string `yaml:"url"`            // empty: GOV.UK Notify's own
}

func defaultNotify() Notify {
	return Notify{Zone: "Europe/London", DigestAt: "08:00", Tests: true, Allow: []string{}, SMTP: SMTP{TLS: "starttls"}}
}

// DigestTime is DigestAt after midnight.
func (n Notify) DigestTime() (time.Duration, error) {
	at, err := time.Parse("15:04", n.DigestAt)
	if err != nil {
		return 0, &ward.Invalid{Field: "notify.digest_at", Problem: "is not a time of day", Hint: "write 08:00"}
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, nil
}

// Ranges are Allow, read.
func (n Notify) Ranges() (ranges []netip.Prefix, err error) {
	for _, text := range n.Allow {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, &ward.Invalid{Field: "notify.allow", Problem: text + " is not a range of addresses", Hint: "write 10.1.2.0/24"}
		}
		ranges = append(ranges, p)
	}
	return ranges, nil
}

// check says what is wrong with n.
func (n Notify) check(bad func(field, problem, hint string)) {
	if _, err := time.LoadLocation(n.Zone); err != nil || n.Zone == "Local" {
		bad("notify.zone", n.Zone+" is not a time zone", "write Europe/London")
	}
	if _, err := n.DigestTime(); err != nil {
		bad("notify.digest_at", n.DigestAt+" is not a time of day", "write 08:00")
	}
	if _, err := n.Ranges(); err != nil {
		bad("notify.allow", "names something that is not a range of addresses", "write 10.1.2.0/24")
	}
	if s := n.SMTP; s.Server != "" {
		if _, _, err := net.SplitHostPort(s.Server); err != nil {
			bad("notify.smtp.server", s.Server+" is not an address", "write host:port, such as mail.example:587")
		}
		if s.From == "" {
			bad("notify.smtp.from", "is empty", "write Cyber watch <watch@hospital.example>")
		}
		if (s.User == "") != (s.Password == "") {
			bad("notify.smtp", "has one of user and password", "give both, or neither")
		}
	}
	if g := n.GOVUK; g.Key != "" && g.EmailTemplate == "" && g.SMSTemplate == "" {
		bad("notify.govuk", "names no template", "give sms_template, email_template or both")
	}
}
