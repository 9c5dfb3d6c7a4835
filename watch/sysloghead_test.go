package watch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"wardwatch/watch"
)

func TestSyslogHost(t *testing.T) {
	for line, want := range map[string]string{
		"<34>1 2025-05-15T03:00:07.123Z host.example sshd 4711 ID47 [id@32473 key=\"value\"] Failed password": "host.example",
		"<34>1 - - - - - -":                            "",
		"<34>May 15 03:00:07 host sshd[4711]: Failed":  "host",
		"<34>May  5 03:00:07 host sshd[4711]: Failed":  "host",
		"<34>May 15 03:00:07 sshd[4711]: Failed":       "",
		"<34>May 15 03:00:07 sshd: Failed":             "",
		"<13>2025-05-15T03:00:07+01:00 host app: text": "host",
		"<34>":  "",
		"<x>1 ": "",
		"":      "",
		"text":  "",
	} {
		if got := string(watch.SyslogHost([]byte(line))); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// TestAMessageThatIsJSONIsReadAsThat: relays send what machines write.
func TestAMessageThatIsJSONIsReadAsThat(t *testing.T) {
	d := watch.NewDecoder(watch.NewNames("EventID", "message", "hostname"))
	head := "<134>1 2025-05-15T03:00:07Z relay.example winlog - - - "
	event := `{"EventID":4624,"Channel":"Security","Hostname":"ws1.ward.example","TimeCreated":"2025-05-13T01:02:03Z"}`
	for _, row := range []struct{ line, product, field, value string }{
		{head + event, "windows", "EventID", "4624"},
		{head + event + "\n", "windows", "EventID", "4624"},
		{head + event[:40], "linux", "message", event[:40]},
		{head + event + " and more", "linux", "hostname", "relay.example"},
		{head + strings.Repeat("{\"a\":", 600), "linux", "hostname", "relay.example"},
		{head + "{", "linux", "message", "{"},
	} {
		var r watch.Record
		if err := d.Line(watch.Syslog, nil, []byte(row.line), &r); err != nil || r.Class.Log().Product != row.product || string(r.Raw) != row.line {
			t.Errorf("%.80q: %+v, %q, %v", row.line, r.Class.Log(), r.Raw, err)
		}
		if !slices.ContainsFunc(r.Values, func(v watch.Value) bool { return string(v.Name) == row.field && string(v.Text) == row.value }) {
			t.Errorf("%.80q: no %s=%s", row.line, row.field, row.value)
		}
	}
}

// FuzzSyslogHost holds RFC 5424 against a parser of the whole grammar: whatever that one takes must have the same host here.
func FuzzSyslogHost(f *testing.F) {
	f.Add([]byte("<34>1 2025-05-15T03:00:07.123Z host.example sshd 4711 ID47 [id@32473 key=\"value\"] Failed password"))
	f.Add([]byte("<0>1 - - - - - - \ufefftext"))
	f.Add([]byte("<34>May 15 03:00:07 host sshd[4711]: Failed"))
	peer := rfc5424.NewParser()
	f.Fuzz(func(t *testing.T, line []byte) {
		host := watch.SyslogHost(line)
		m, err := peer.Parse(line)
		if err != nil {
			return
		}
		message, ok := m.(*rfc5424.SyslogMessage)
		if !ok || message.Version != 1 {
			return
		}
		want := ""
		if message.Hostname != nil {
			want = *message.Hostname
		}
		if string(host) != want {
			t.Fatalf("%q: %q, and the peer says %q", line, host, want)
		}
	})
}
