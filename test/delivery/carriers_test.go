// Package delivery_test sends messages to real servers: what the carriers promise, a mail server and a relay with their faults,
// receivers in processes of their own, and a process that is killed while it publishes and delivers.
package delivery_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/act/notify/chat"
	"wardwatch/act/notify/email"
	"wardwatch/act/notify/govuk"
	"wardwatch/act/notify/webhook"
	"wardwatch/test/contract"
	"wardwatch/test/peers"
	"wardwatch/ward"
)

var here = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func mailTo(t testing.TB, addr string) *email.Carrier {
	t.Helper()
	c, err := email.New(email.Options{Server: addr, TLS: email.Plain, From: "Coastal Watch <watch@watch.example>", Bounces: "bounces@watch.example", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMailKeepsTheContract(t *testing.T) {
	contract.Carrier(t, func(t *testing.T) contract.CarrierExample {
		server, err := peers.NewMail()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		well := func() {
			server.Plan(func(stage peers.Stage, arg string) peers.Do {
				if stage == peers.AtTo && strings.HasPrefix(arg, "nobody@") {
					return peers.Do{Say: "550 5.1.1 no such mailbox"}
				}
				return peers.Do{}
			})
		}
		well()
		return contract.CarrierExample{
			Carrier: mailTo(t, server.Addr), To: func(n int) string { return fmt.Sprintf("p%d@hospital.example", n) }, Nobody: "nobody@hospital.example",
			Got: func() (all []contract.CarrierArrived) {
				for _, l := range server.Letters() {
					id, _, _ := strings.Cut(strings.Trim(l.Header("Message-ID"), "<>"), "@")
					all = append(all, contract.CarrierArrived{Key: id, Subject: l.Header("Subject"), All: l.Text})
				}
				return all
			},
			Busy: func() {
				server.Plan(func(stage peers.Stage, _ string) peers.Do {
					if stage == peers.AtTo {
						return peers.Do{Say: "450 4.2.0 greylisted, try again later"}
					}
					return peers.Do{}
				})
			},
			Hang: func() {
				server.Plan(func(stage peers.Stage, _ string) peers.Do {
					if stage == peers.AtData {
						return peers.Do{Hang: 8 * time.Second, Break: true}
					}
					return peers.Do{}
				})
			},
			Well: well,
		}
	})
}

// served is a peer over HTTP in this process.
type served struct {
	t      *testing.T
	server *httptest.Server
	hang   chan struct{}
}

func serve(t *testing.T, p *peers.Web, withTLS bool) *served {
	t.Helper()
	s := &served{t: t, hang: make(chan struct{})}
	hung := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.hang:
			select {
			case <-r.Context().Done():
			case <-hung:
			}
			return
		default:
		}
		p.ServeHTTP(w, r)
	})
	s.server = httptest.NewUnstartedServer(handler)
	if withTLS {
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	t.Cleanup(func() { close(hung); s.server.Close() })
	return s
}

func (s *served) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.server.Certificate())
	return pool
}

func (s *served) tell(path string) {
	s.t.Helper()
	tellPeer(s.t, s.server.Client(), s.server.URL+path)
}

func tellPeer(t testing.TB, client *http.Client, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

func askPeer(t testing.TB, client *http.Client, url string) (got []peers.Got) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/peer/got", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func (s *served) example(c notify.Carrier, arrived func(peers.Got) contract.CarrierArrived) contract.CarrierExample {
	return contract.CarrierExample{
		Carrier: c,
		Got: func() (all []contract.CarrierArrived) {
			for _, g := range askPeer(s.t, s.server.Client(), s.server.URL) {
				all = append(all, arrived(g))
			}
			return all
		},
		Busy: func() { s.tell("/peer/fail?code=429&after=120&times=1") },
		Hang: func() { close(s.hang) },
		Well: func() {},
	}
}

func TestGOVUKKeepsTheContract(t *testing.T) {
	for _, channel := range []ward.Channel{ward.Email, ward.SMS} {
		t.Run(string(channel), func(t *testing.T) {
			contract.Carrier(t, func(t *testing.T) contract.CarrierExample {
				s := serve(t, peers.GOVUK(), false)
				client, err := govuk.New(govuk.Options{URL: s.server.URL, Key: peers.APIKey, EmailTemplate: peers.EmailTemplate, SMSTemplate: peers.SMSTemplate})
				if err != nil {
					t.Fatal(err)
				}
				carrier, subject := client.Email(), "subject"
				if channel == ward.SMS {
					carrier, subject = client.SMS(), "message"
				}
				e := s.example(carrier, func(g peers.Got) contract.CarrierArrived {
					return contract.CarrierArrived{Key: contract.Field(g.Body, "reference"), Subject: contract.Field(g.Body, "personalisation", subject), All: string(g.Body)}
				})
				e.Once, e.Marks = true, []string{"((", "))", "](", "\n# ", "\n* "}
				e.To = func(n int) string { return fmt.Sprintf("p%d@hospital.example", n) }
				if channel == ward.SMS {
					e.To = func(n int) string { return fmt.Sprintf("+4477009%05d", n) }
					e.Nobody = "+99900000000"
				}
				return e
			})
		})
	}
}

func TestWebhooksKeepTheContract(t *testing.T) {
	contract.Carrier(t, func(t *testing.T) contract.CarrierExample {
		s := serve(t, peers.Teams(), true)
		e := s.example(webhook.New(notify.SafeClient(here, s.roots()), ward.WallClock{}), func(g peers.Got) contract.CarrierArrived {
			want := webhook.Sign([]byte("0123456789abcdef0123456789abcdef"), g.Header["webhook-id"], g.Header["webhook-timestamp"], g.Body)
			if g.Header["webhook-signature"] != want || strings.Contains(string(g.Body), "/a/token") {
				t.Errorf("%v\n%s", g.Header, g.Body)
			}
			return contract.CarrierArrived{Key: g.Header["webhook-id"], Subject: contract.Field(g.Body, "data", "subject"), All: string(g.Body)}
		})
		e.To, e.Nobody = func(n int) string { return fmt.Sprintf("%s/hook/%d", s.server.URL, n) }, s.server.URL+"/gone"
		return e
	})
}

func TestTeamsKeepsTheContract(t *testing.T) {
	contract.Carrier(t, func(t *testing.T) contract.CarrierExample {
		s := serve(t, peers.Teams(), true)
		e := s.example(chat.Teams(notify.SafeClient(here, s.roots()), ward.WallClock{}), func(g peers.Got) contract.CarrierArrived {
			var card struct {
				Attachments []struct {
					Content struct {
						Body []struct {
							Inlines []struct{ Text string }
						}
					}
				}
			}
			if err := json.Unmarshal(g.Body, &card); err != nil {
				t.Fatal(err)
			}
			blocks := card.Attachments[0].Content.Body
			last := blocks[len(blocks)-1].Inlines[0].Text
			_, key, _ := strings.Cut(last, "Reference ")
			key, _, _ = strings.Cut(key, ":")
			return contract.CarrierArrived{Key: key, Subject: blocks[0].Inlines[0].Text, All: string(g.Body)}
		})
		e.To, e.Nobody = func(n int) string { return fmt.Sprintf("%s/workflows/%d", s.server.URL, n) }, s.server.URL+"/gone"
		return e
	})
}

func TestSlackKeepsTheContract(t *testing.T) {
	for _, kind := range []string{"services", "hook"} {
		t.Run(kind, func(t *testing.T) {
			contract.Carrier(t, func(t *testing.T) contract.CarrierExample {
				s := serve(t, peers.Teams(), true)
				e := s.example(chat.Slack(notify.SafeClient(here, s.roots()), ward.WallClock{}), func(g peers.Got) contract.CarrierArrived {
					if kind == "hook" {
						return contract.CarrierArrived{Key: contract.Field(g.Body, "reference"), Subject: contract.Field(g.Body, "subject"), All: string(g.Body)}
					}
					at := strings.Index(string(g.Body), "Reference ww-")
					return contract.CarrierArrived{Key: string(g.Body)[at+10 : at+25], Subject: contract.Field(g.Body, "text"), All: string(g.Body)}
				})
				e.Marks = []string{"<"}
				e.To, e.Nobody = func(n int) string { return fmt.Sprintf("%s/%s/%d", s.server.URL, kind, n) }, s.server.URL+"/gone"
				return e
			})
		})
	}
}

func TestNothingSpeaksToTheNeighbours(t *testing.T) {
	for _, row := range []struct {
		addr   string
		public bool
	}{
		{"127.0.0.1", false}, {"127.9.9.9", false}, {"::1", false}, {"10.1.2.3", false}, {"172.16.0.1", false}, {"192.168.1.1", false}, {"169.254.169.254", false}, {"100.64.0.1", false},
		{"0.0.0.0", false}, {"255.255.255.255", false}, {"224.0.0.1", false}, {"198.18.0.1", false}, {"::ffff:10.1.2.3", false}, {"::ffff:169.254.169.254", false}, {"64:ff9b::a01:203", false},
		{"2002:a01:203::", false}, {"fe80::1", false}, {"fd00::1", false}, {"fec0::1", false}, {"::", false}, {"ff02::1", false}, {"2001:db8::1", false}, {"192.0.2.1", false},
		{"9.9.9.9", true}, {"2620:fe::fe", true},
	} {
		if got := notify.Public(netip.MustParseAddr(row.addr), nil); got != row.public {
			t.Errorf("%s: public is %t", row.addr, got)
		}
	}
	s := serve(t, peers.Teams(), true)
	port := s.server.URL[strings.LastIndex(s.server.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"} {
		carrier := webhook.New(notify.SafeClient(nil, s.roots()), ward.WallClock{})
		_, err := carrier.Hand(t.Context(), notify.Message{Key: "ww-k", To: "https://" + host + port + "/hook/1"})
		if err == nil {
			t.Errorf("%s was spoken to", host)
		}
		var refusal *notify.Refusal
		if host == "127.0.0.1" && (!errors.As(err, &refusal) || refusal.Cause != notify.Refused) {
			t.Errorf("%s: %#v", host, err)
		}
	}
	if got := askPeer(t, s.server.Client(), s.server.URL); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	inside := serve(t, peers.Teams(), true)
	outside := httptest.NewTLSServer(http.RedirectHandler(inside.server.URL+"/hook/1", http.StatusTemporaryRedirect))
	defer outside.Close()
	roots := inside.roots()
	roots.AddCert(outside.Certificate())
	_, err := webhook.New(notify.SafeClient(here, roots), ward.WallClock{}).Hand(t.Context(), notify.Message{Key: "ww-k", To: outside.URL})
	var refusal *notify.Refusal
	if !errors.As(err, &refusal) || refusal.Cause != notify.Refused || len(askPeer(t, inside.server.Client(), inside.server.URL)) != 0 {
		t.Errorf("%#v", err)
	}
}

func TestAStrangersCertificateIsNotTrusted(t *testing.T) {
	s := serve(t, peers.Teams(), true)
	_, err := webhook.New(notify.SafeClient(here, nil), ward.WallClock{}).Hand(t.Context(), notify.Message{Key: "ww-k", To: s.server.URL + "/hook/1"})
	var unknown *tls.CertificateVerificationError
	if !errors.As(err, &unknown) {
		t.Errorf("%v", err)
	}
}
