package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	_ "time/tzdata" // contacts' hours are on the clock on the wall, also where the machine has no zones

	"wardwatch/act/notify"
	"wardwatch/act/notify/chat"
	"wardwatch/act/notify/email"
	"wardwatch/act/notify/govuk"
	"wardwatch/act/notify/webhook"
	"wardwatch/config"
	"wardwatch/ward"
)

// courier carries what the outbox keeps, by the channels that are set up.
func courier(c config.Config, outbox *notify.Outbox, o Options) (*notify.Courier, error) {
	zone, err := time.LoadLocation(c.Notify.Zone)
	if err != nil {
		return nil, fmt.Errorf("app: notify.zone: %w", err)
	}
	outbox.Zone = zone
	digestAt, err := c.Notify.DigestTime()
	if err != nil {
		return nil, err
	}
	carriers, err := carriers(c.Notify)
	if err != nil {
		return nil, err
	}
	return notify.NewCourier(outbox, carriers, notify.Options{
		Base: c.Base(), Operator: c.Operator.Name, Exercise: c.Exercise, DigestAt: digestAt, NoTests: !c.Notify.Tests, Log: o.Log,
	})
}

// carriers are the channels that are set up. E-mail goes through the operator's own server where one is named.
func carriers(n config.Notify) (all []notify.Carrier, err error) {
	roots, err := authorities(n.CA)
	if err != nil {
		return nil, err
	}
	allow, err := n.Ranges()
	if err != nil {
		return nil, err
	}
	if n.SMTP.Server != "" {
		mail, err := email.New(email.Options{Server: n.SMTP.Server, TLS: n.SMTP.TLS, User: n.SMTP.User, Password: n.SMTP.Password, From: n.SMTP.From, Bounces: n.SMTP.Bounces, Roots: roots})
		if err != nil {
			return nil, err
		}
		all = append(all, mail)
	}
	if n.GOVUK.Key != "" {
		client, err := govuk.New(govuk.Options{URL: n.GOVUK.URL, Key: n.GOVUK.Key, EmailTemplate: n.GOVUK.EmailTemplate, SMSTemplate: n.GOVUK.SMSTemplate, Roots: roots})
		if err != nil {
			return nil, err
		}
		if n.GOVUK.EmailTemplate != "" && n.SMTP.Server == "" {
			all = append(all, client.Email())
		}
		if n.GOVUK.SMSTemplate != "" {
			all = append(all, client.SMS())
		}
	}
	outside := notify.SafeClient(allow, roots)
	if n.Webhooks {
		all = append(all, webhook.New(outside, ward.WallClock{}))
	}
	if n.Teams {
		all = append(all, chat.Teams(outside, ward.WallClock{}))
	}
	if n.Slack {
		all = append(all, chat.Slack(outside, ward.WallClock{}))
	}
	return all, nil
}

// authorities are the machine's certificate authorities with those of a file; nil, which means the machine's, without one.
func authorities(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("app: notify.ca: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &ward.Invalid{Field: "notify.ca", Problem: path + " holds no certificate", Hint: "name a PEM file"}
	}
	return pool, nil
}

// BounceResult is what a report of a mail server came to.
type BounceResult struct {
	Key   string             `json:"key,omitempty"`
	State ward.DeliveryState `json:"state,omitempty"`
	Words string             `json:"words"`
}

// Bounce takes a mail server's report about a message that it had taken. Mail that is no such report is read and left alone, so
// that an address that both reports and people write to can be piped here.
func (a *App) Bounce(ctx context.Context, report io.Reader) (BounceResult, error) {
	b, err := email.ReadBounce(report)
	if errors.Is(err, email.ErrNoReport) {
		return BounceResult{Words: "not a delivery report about a message of ours: left alone"}, nil
	}
	if err != nil {
		return BounceResult{}, err
	}
	if err := a.Notify.Report(ctx, shell, b.Key, b.State, b.Words); err != nil && !errors.Is(err, ward.ErrNotFound) {
		return BounceResult{}, err
	}
	return BounceResult{b.Key, b.State, b.Words}, nil
}
