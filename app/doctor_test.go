package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"wardwatch/app"
	"wardwatch/config"
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
