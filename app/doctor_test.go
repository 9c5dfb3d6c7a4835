package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/app"
	"wardwatch/config"
	"wardwatch/test/peers"
)

// An address that is taken is a fault only when it is not a working server of ours that has it.
func TestDoctorKnowsARunningServer(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		passed bool
		do     string
	}{
		{"ready", http.StatusOK, `{"status":"ok"}`, true, ""},
		{"not ready", http.StatusServiceUnavailable, `{"type":"urn:wardwatch:problem:not-ready","status":503}`, false, "read its log"},
		{"another program", http.StatusOK, `<p>Hello</p>`, false, "another program has it: choose another with --listen"},
	} {
		for scheme, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
			t.Run(row.name+" by "+scheme, func(t *testing.T) {
				server := start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(row.status)
					_, _ = io.WriteString(w, row.body)
				}))
				defer server.Close()
				c := config.Default()
				c.Data, c.Listen = filepath.Join(t.TempDir(), "none"), server.Listener.Addr().String()
				if scheme == "https" {
					c.TLS = config.TLS{Certificate: "named", Key: "named"}
				}
				checks := app.Doctor(t.Context(), c)
				address := checks[len(checks)-1]
				if address.Name != "address" || address.Passed != row.passed || address.Do != row.do {
					t.Errorf("%+v", address)
				}
			})
		}
	}
}

// A channel is well while what was sent through it was taken and its mail server is there.
func TestDoctorSaysHowChannelsDo(t *testing.T) {
	mail, err := peers.NewMail()
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Data, c.Listen, c.URL = t.TempDir(), "127.0.0.1:0", "https://watch.example"
	channel := func() (found app.Check) {
		for _, check := range app.Doctor(t.Context(), c) {
			if strings.HasPrefix(check.Name, "channel") {
				found = check
			}
		}
		return found
	}
	if a, err := app.New(t.Context(), c, app.Options{}); err != nil || a.Close() != nil {
		t.Fatal(err)
	}
	if got := channel(); got.Name != "channels" || !got.Passed || !strings.Contains(got.Result, "nobody is told outside the inboxes") || got.Do == "" {
		t.Errorf("none: %+v", got)
	}
	c.Notify.SMTP = config.SMTP{Server: mail.Addr, TLS: "none", From: "Coastal Watch <watch@watch.example>"}
	if got := channel(); got.Name != "channel email" || !got.Passed || got.Result != "took nothing yet" {
		t.Errorf("set up: %+v", got)
	}
	mail.Close()
	if got := channel(); got.Passed || !strings.Contains(got.Result, "refused") || got.Do == "" {
		t.Errorf("its server is gone: %+v", got)
	}
}
