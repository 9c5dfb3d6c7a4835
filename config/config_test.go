package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/config"
)

func TestDefaultIsValid(t *testing.T) {
	if err := config.Default().Check(); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	for _, row := range []struct{ name, text, wrong string }{
		{"empty file", "", ""},
		{"one field", "listen: 127.0.0.1:9090\n", ""},
		{"feed", "feeds:\n  kev: {location: 'https://kev.example/kev.json', every: 1h}\n", ""},
		{"unknown field", "listne: 127.0.0.1:9090\n", "listne"},
		{"unknown feed", "feeds:\n  kevv: {}\n", "feeds.kevv"},
		{"too often", "feeds:\n  kev: {every: 1s}\n", "at least 10m"},
		{"bad address", "listen: here\n", "host:port"},
		{"half of TLS", "tls: {key: k.pem}\n", "both certificate and key"},
		{"colour", "operator: {accent: red}\n", "#rrggbb"},
		{"every channel", "notify:\n  digest_at: '07:30'\n  allow: [10.1.2.0/24]\n  smtp: {server: 'mail.example:587', from: 'Watch <watch@hospital.example>'}\n  govuk: {key: k, sms_template: t}\n  webhooks: true\n  teams: true\n  slack: true\n", ""},
		{"mail without sender", "notify: {smtp: {server: 'mail.example:587'}}\n", "notify.smtp.from"},
		{"mail without port", "notify: {smtp: {server: mail.example, from: a@hospital.example}}\n", "host:port"},
		{"half of a sign-in", "notify: {smtp: {server: 'mail.example:587', from: a@hospital.example, user: a}}\n", "give both"},
		{"no template", "notify: {govuk: {key: k}}\n", "notify.govuk"},
		{"no zone", "notify: {zone: Atlantis}\n", "notify.zone"},
		{"no time of day", "notify: {digest_at: eight}\n", "notify.digest_at"},
		{"no range", "notify: {allow: [10.1.2.3]}\n", "notify.allow"},
		{"every listener", "ingest:\n  http: {listen: '127.0.0.1:9200'}\n  syslog:\n    - {name: a, listen: ':514', transport: udp, organisation: XZ9A1, networks: [10.0.0.0/8]}\n    - {name: b, listen: ':6514', transport: tls, tls: {certificate: c.pem, key: k.pem}}\narchive: {cut_after: 30s}\n", ""},
		{"a listener of nobody", "ingest: {syslog: [{name: a, listen: ':514', transport: tcp}]}\n", "bound to nobody"},
		{"no transport", "ingest: {syslog: [{name: a, listen: ':514', organisation: X, networks: [10.0.0.0/8]}]}\n", "transport"},
		{"a network", "ingest: {syslog: [{name: a, listen: ':514', transport: tcp, organisation: X, networks: [10]}]}\n", "no range"},
		{"cut at once", "archive: {cut_after: 1ms}\n", "archive.cut_after"},
		{"not YAML", "listen: [", "did not find expected"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "wardwatch.yaml")
			if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(path)
			if row.wrong == "" {
				if err != nil {
					t.Fatal(err)
				}
				if c.Data != config.Default().Data {
					t.Errorf("an absent field changed: data is %q", c.Data)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.wrong) {
				t.Fatalf("got %v, want an error with %q", err, row.wrong)
			}
		})
	}
}

func TestEnvironmentOverridesFile(t *testing.T) {
	t.Setenv("WARDWATCH_OPERATOR__NAME", "Coastal Watch")
	t.Setenv("WARDWATCH_SHARED", "no setting")
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Operator.Name != "Coastal Watch" || c.Operator.Accent != config.Default().Operator.Accent {
		t.Errorf("operator is %+v", c.Operator)
	}
	t.Setenv("WARDWATCH_LISTNE", "x")
	if _, err := config.Load(""); err == nil || !strings.Contains(err.Error(), "listne") {
		t.Errorf("a misspelt variable passed: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("listen: 127.0.0.1:9090\noperator: {name: Coastal Watch, accent: '#123456'}\n")
	f.Add("feeds:\n  kev: {location: 'https://kev.example/kev.json', every: 1h}\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "wardwatch.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err == nil && c.Check() != nil {
			t.Errorf("%q was accepted and is not valid: %v", text, c.Check())
		}
	})
}
