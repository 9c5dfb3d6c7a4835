package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/act/notify/email"
	"wardwatch/test/peers"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

// mailpit starts mailpit with TLS and a sign-in, and returns its addresses for mail and for its API.
func mailpit(t *testing.T, certFile, keyFile string) (smtp, api string) {
	t.Helper()
	path, err := exec.LookPath("mailpit")
	if err != nil {
		out, _ := exec.CommandContext(t.Context(), "go", "env", "GOPATH").Output()
		path = filepath.Join(strings.TrimSpace(string(out)), "bin", "mailpit")
	}
	if _, err := os.Stat(path); err != nil {
		shared.Skip(t, "mailpit is not installed: .ci/needs mailpit")
	}
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte("watch:lantern-orbit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	smtp, api = freePort(t), freePort(t)
	started(t, false, path, "--smtp", smtp, "--listen", api, "--smtp-tls-cert", certFile, "--smtp-tls-key", keyFile, "--smtp-require-starttls", "--smtp-auth-file", users, "--smtp-disable-rdns", "--quiet")
	answers(t, smtp)
	answers(t, api)
	return smtp, "http://" + api
}

// inbox is what mailpit took.
type inbox struct {
	Total    int `json:"total"`
	Messages []struct {
		ID        string
		MessageID string
		Subject   string
		To        []struct{ Name, Address string }
	} `json:"messages"`
}

func read[T any](t *testing.T, url string) (v T) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMailReachesAnInboxOverTLS(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	smtp, api := mailpit(t, certFile, keyFile)
	options := email.Options{Server: smtp, User: "watch", Password: "lantern-orbit", From: "Coastal Watch <watch@watch.example>", Roots: roots, Timeout: 5 * time.Second}
	for _, row := range []struct {
		name   string
		change func(*email.Options)
	}{
		{"a stranger's certificate", func(o *email.Options) { o.Roots = nil }},
		{"another password", func(o *email.Options) { o.Password = "wrong" }},
		{"without TLS", func(o *email.Options) { o.TLS = email.Plain }},
	} {
		wrong := options
		row.change(&wrong)
		carrier, err := email.New(wrong)
		if err != nil {
			t.Fatal(err)
		}
		_, err = carrier.Hand(t.Context(), notify.Message{Key: "ww-k", To: "p@hospital.example", Subject: "s", Text: "t"})
		var refusal *notify.Refusal
		if !errors.As(err, &refusal) || refusal.Cause != notify.Down || strings.Contains(refusal.Why, "wrong") {
			t.Errorf("%s: %#v", row.name, err)
		}
	}
	carrier, err := email.New(options)
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, 25, carrier)
	a := o.Publish()
	o.live(time.Minute, time.Hour, func() bool { return len(o.in(ward.DeliveryHanded)) == 25 })
	got := read[inbox](t, api+"/api/v1/messages?limit=100")
	if got.Total != 25 {
		t.Fatalf("%d in the inbox", got.Total)
	}
	keys := map[string]bool{}
	for _, d := range o.in(ward.DeliveryHanded) {
		keys[d.Key+"@watch.example"] = true
	}
	for _, m := range got.Messages {
		if !keys[m.MessageID] || !strings.HasPrefix(m.Subject, "EXERCISE: ") || len(m.To) != 1 || m.To[0].Name != "Person 0" {
			t.Errorf("%+v", m)
		}
	}
	one := read[struct{ Text, HTML string }](t, api+"/api/v1/message/"+got.Messages[0].ID)
	if one.HTML != "" || !strings.Contains(one.Text, "https://watch.example/alerts/"+string(a.ID)) {
		t.Errorf("%+v", one)
	}
	headers := read[map[string][]string](t, api+"/api/v1/message/"+got.Messages[0].ID+"/headers")
	if !slices.Equal(headers["Auto-Submitted"], []string{"auto-generated"}) || headers["Bcc"] != nil {
		t.Errorf("%v", headers)
	}
	if o.words(a.ID) != "Sent to 25 organisations" {
		t.Errorf("%s", o.words(a.ID))
	}
}

func TestFaultMailServers(t *testing.T) {
	const letters = 12
	for _, row := range []struct {
		name   string
		plan   func() func(peers.Stage, string) peers.Do
		most   int // letters that may come twice: those that were kept before the fault
		bounce int
	}{
		{"accepts the connection and drops it", func() func(peers.Stage, string) peers.Do {
			return times(peers.AtConnect, 5, peers.Do{Break: true})
		}, 0, 0},
		{"drops in the middle of the message", func() func(peers.Stage, string) peers.Do {
			return times(peers.AtContent, 5, peers.Do{Break: true})
		}, 0, 0},
		{"keeps the message and drops before it says so", func() func(peers.Stage, string) peers.Do {
			return times(peers.AtKept, 3, peers.Do{Break: true})
		}, 3, 0},
		{"greylists everybody once", func() func(peers.Stage, string) peers.Do {
			known := map[string]bool{}
			var mu sync.Mutex
			return func(stage peers.Stage, to string) peers.Do {
				mu.Lock()
				defer mu.Unlock()
				if stage == peers.AtTo && !known[to] {
					known[to] = true
					return peers.Do{Say: "451 4.7.1 greylisted, come back later"}
				}
				return peers.Do{}
			}
		}, 0, 0},
		{"hangs at DATA", func() func(peers.Stage, string) peers.Do {
			return times(peers.AtData, 2, peers.Do{Hang: 5 * time.Second, Break: true})
		}, 0, 0},
		{"closes for the night", func() func(peers.Stage, string) peers.Do {
			return times(peers.AtFrom, 4, peers.Do{Say: "421 4.3.2 shutting down"})
		}, 0, 0},
		{"refuses two mailboxes", func() func(peers.Stage, string) peers.Do {
			return func(stage peers.Stage, to string) peers.Do {
				if stage == peers.AtTo && (strings.HasPrefix(to, "p1-") || strings.HasPrefix(to, "p2-")) {
					return peers.Do{Say: "550 5.1.1 no such mailbox"}
				}
				return peers.Do{}
			}
		}, 0, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, err := peers.NewMail()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			server.Plan(row.plan())
			carrier, err := email.New(email.Options{Server: server.Addr, TLS: email.Plain, From: "watch@watch.example", Timeout: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			o := newOffice(t, letters, carrier)
			a := o.Publish()
			o.live(time.Minute, 6*time.Hour, func() bool { return len(o.in(ward.DeliveryHanded)) == letters-row.bounce })
			count := map[string]int{}
			for _, l := range server.Letters() {
				count[l.Header("Message-ID")]++
			}
			twice := 0
			for id, n := range count {
				if n > 2 {
					t.Errorf("%s came %d times", id, n)
				}
				twice += n - 1
			}
			if len(count) != letters-row.bounce || twice > row.most {
				t.Errorf("%d letters, %d of them twice", len(count), twice)
			}
			want := fmt.Sprintf("Sent to %d organisations", letters)
			if row.bounce > 0 {
				want = "2 of 12 not delivered: 2 bounced"
			}
			if got := o.words(a.ID); got != want {
				t.Errorf("%q", got)
			}
		})
	}
}

// times does something at a stage, so many times.
func times(at peers.Stage, n int, do peers.Do) func(peers.Stage, string) peers.Do {
	var mu sync.Mutex
	return func(stage peers.Stage, _ string) peers.Do {
		mu.Lock()
		defer mu.Unlock()
		if stage != at || n == 0 {
			return peers.Do{}
		}
		n--
		return do
	}
}

// relay is Debian's postfix, which passes everything on to a mail server.
type relay struct {
	t    *testing.T
	dir  string
	addr string
}

func postfix(t *testing.T, onward string) *relay {
	t.Helper()
	if _, err := os.Stat("/usr/sbin/postfix"); err != nil {
		shared.Skip(t, "postfix is not installed: .ci/needs postfix")
	}
	if os.Getuid() != 0 {
		shared.Skip(t, "postfix only starts for root")
	}
	certFile, keyFile, _ := certificate(t)
	// Postfix's own accounts must reach it, and its sockets have short names.
	dir, err := os.MkdirTemp("", "postfix-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &relay{t: t, dir: dir, addr: freePort(t)}
	host, port, err := net.SplitHostPort(onward)
	if err != nil {
		t.Fatal(err)
	}
	main := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = relay.example
mydomain = relay.example
mydestination =
local_transport = error:nothing is local
alias_maps =
relayhost = [%[2]s]:%[3]s
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_cert_file = %[4]s
smtpd_tls_key_file = %[5]s
smtpd_tls_security_level = may
smtp_tls_security_level = none
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtp_destination_concurrency_failed_cohort_limit = 0
maillog_file_prefixes = /tmp, /var
maillog_file = %[1]s/mail.log
`, dir, host, port, certFile, keyFile)
	var master strings.Builder
	fmt.Fprintf(&master, "%s inet n - n - - smtpd\n", r.addr)
	for _, line := range []string{
		"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 1 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush",
		"proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "relay unix - - n - - smtp", "showq unix n - n - - showq", "error unix - - n - - error",
		"retry unix - - n - - error", "discard unix - - n - - discard", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd",
	} {
		fmt.Fprintln(&master, line)
	}
	err = errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "spool"), 0o755), os.Mkdir(filepath.Join(dir, "conf"), 0o755), os.Mkdir(filepath.Join(dir, "data"), 0o700), //nolint:gosec // its own accounts read it
		os.WriteFile(filepath.Join(dir, "conf", "main.cf"), []byte(main), 0o600), os.WriteFile(filepath.Join(dir, "conf", "master.cf"), []byte(master.String()), 0o600),
		os.Chmod(filepath.Join(dir, "conf", "main.cf"), 0o644), os.Chmod(filepath.Join(dir, "conf", "master.cf"), 0o644)) //nolint:gosec // as above
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r.start()
	t.Cleanup(func() {
		_ = exec.CommandContext(context.Background(), "/usr/sbin/postfix", "-c", filepath.Join(dir, "conf"), "stop").Run()
	})
	return r
}

func (r *relay) run(verb string) {
	r.t.Helper()
	if out, err := exec.CommandContext(r.t.Context(), "/usr/sbin/postfix", "-c", filepath.Join(r.dir, "conf"), verb).CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(r.dir, "mail.log"))
		r.t.Fatalf("postfix %s: %v: %s\n%s", verb, err, out, log)
	}
}

func (r *relay) start() {
	r.t.Helper()
	r.run("start")
	answers(r.t, r.addr)
}

func TestFaultARelayThatFails(t *testing.T) {
	onward, err := peers.NewMail()
	if err != nil {
		t.Fatal(err)
	}
	defer onward.Close()
	r := postfix(t, onward.Addr)
	o := newOffice(t, 6, mailTo(t, r.addr))

	// The relay is down while the alert is published, and comes back.
	r.run("stop")
	a := o.Publish()
	o.live(time.Minute, 30*time.Minute, func() bool { return !o.courier.Lines()[0].Since.IsZero() })
	if got := o.words(a.ID); got != "6 of 6 on the way" {
		t.Errorf("%q", got)
	}
	// It takes everything, and what stands behind it knows no mailbox of one organisation and is not there for another at first.
	late := times(peers.AtTo, 2, peers.Do{Say: "451 4.3.0 later"})
	onward.Plan(func(stage peers.Stage, to string) peers.Do {
		switch {
		case stage == peers.AtTo && strings.HasPrefix(to, "p1-"):
			return peers.Do{Say: "550 5.1.1 no such mailbox here"}
		case strings.HasPrefix(to, "p2-"):
			return late(stage, to)
		}
		return peers.Do{}
	})
	r.start()
	o.live(time.Minute, 6*time.Hour, func() bool { return len(o.in(ward.DeliveryHanded)) == 6 })

	// The relay's report of what bounced comes by mail.
	var report peers.Letter
	for range 300 {
		letters := onward.Letters()
		at := slices.IndexFunc(letters, func(l peers.Letter) bool { return l.To == "bounces@watch.example" })
		if at >= 0 && len(letters) == 6 {
			report = letters[at]
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	b, err := email.ReadBounce(bytes.NewReader([]byte(report.Text)))
	if err != nil || b.State != ward.DeliveryBounced || !strings.Contains(b.Words, "no such mailbox here") {
		log, _ := os.ReadFile(filepath.Join(r.dir, "mail.log"))
		t.Fatalf("%+v, %v\n%s\n%s", b, err, report.Text, log)
	}
	if err := o.Outbox.Report(o.Ctx, ward.System("mail"), b.Key, b.State, b.Words); err != nil {
		t.Fatal(err)
	}
	if got := o.words(a.ID); got != "1 of 6 not delivered: 1 bounced" {
		t.Errorf("%q", got)
	}
	for _, l := range onward.Letters() {
		if _, err := email.ReadBounce(bytes.NewReader([]byte(l.Text))); l.To != "bounces@watch.example" && !errors.Is(err, email.ErrNoReport) {
			t.Errorf("a letter of ours is taken for a report: %v", err)
		}
	}
}
