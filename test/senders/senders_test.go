package senders_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/test/debian"
	"wardwatch/test/serving"
)

// packages are the senders, and the libraries that a plain machine may lack.
var packages = []string{
	"rsyslog", "rsyslog-gnutls", "syslog-ng-core", "bsdutils", "libestr0", "libfastjson4", "liblognorm5", "libgnutls30", "libivykis0", "libnet1",
	"libpcre3", "libwrap0", "libglib2.0-0", "libjson-c5",
}

// certificate writes one that signs itself, and its key, as NAME.pem and NAME.key.
func certificate(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// daemon runs a sender until the test ends.
func daemon(t *testing.T, env []string, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	var said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), said.String())
		}
	})
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRealSenders: what rsyslog and syslog-ng send over TLS with their certificates, what logger sends, and what comes over HTTP, is
// found by a hunt, each under the organisation of its credential.
func TestRealSenders(t *testing.T) {
	root := debian.Unpack(t, packages...)
	env := debian.Environment(t, root)
	dir := t.TempDir()
	for _, name := range []string{"server", "rsyslog", "syslogng"} {
		certificate(t, dir, name)
	}
	s := serving.New(t, t.TempDir(), fmt.Sprintf(`ingest:
  http: {listen: "127.0.0.1:0"}
  syslog:
    - {name: relay, listen: "127.0.0.1:0", transport: tls, tls: {certificate: %[1]s/server.pem, key: %[1]s/server.key}}
    - {name: tcp, listen: "127.0.0.1:0", transport: tcp, organisation: XZ9A3, networks: [127.0.0.0/8]}
    - {name: udp, listen: "127.0.0.1:0", transport: udp, organisation: XZ9A3, networks: [127.0.0.0/8]}
archive: {cut_after: 500ms}
detect: {indicators: [%[1]s/indicators.txt]}
`, dir))
	write(t, filepath.Join(dir, "indicators.txt"), "203.0.113.24\n")
	s.Run("sender", "add", "--org", "XZ9A1", "--name", "rsyslog", "--certificate", filepath.Join(dir, "rsyslog.pem"))
	s.Run("sender", "add", "--org", "XZ9A2", "--name", "syslog-ng", "--certificate", filepath.Join(dir, "syslogng.pem"))
	token := s.Token("XZ9A4")
	s.Start()
	host, relay, err := net.SplitHostPort(s.Ears["relay"])
	if err != nil {
		t.Fatalf("%+v %v", s.Ears, err)
	}

	t.Run("rsyslog", func(t *testing.T) {
		work := t.TempDir()
		log := write(t, filepath.Join(work, "app.log"), strings.Repeat("login of alice from 203.0.113.21 port 4711\n", 200))
		conf := write(t, filepath.Join(work, "rsyslog.conf"), fmt.Sprintf(`global(workDirectory="%[1]s" defaultNetstreamDriverCAFile="%[2]s/server.pem" defaultNetstreamDriverCertFile="%[2]s/rsyslog.pem" defaultNetstreamDriverKeyFile="%[2]s/rsyslog.key" localHostname="gate.example")
module(load="imfile" mode="polling" pollingInterval="1")
input(type="imfile" file="%[3]s" tag="app:" readTimeout="1")
action(type="omfwd" target="%[4]s" port="%[5]s" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/certvalid")
`, work, dir, log, host, relay))
		daemon(t, env, filepath.Join(root, "usr", "sbin", "rsyslogd"), "-n", "-iNONE", "-f", conf, "-M", filepath.Join(root, "usr", "lib", "x86_64-linux-gnu", "rsyslog"))
		for _, h := range s.Found("203.0.113.21", 200) {
			if h.Organisation != "XZ9A1" || h.Source != "gate.example" {
				t.Fatalf("%+v", h)
			}
		}
	})
	t.Run("syslog-ng", func(t *testing.T) {
		work := t.TempDir()
		log := write(t, filepath.Join(work, "app.log"), strings.Repeat("login of bob from 203.0.113.22 port 4711\n", 200))
		conf := write(t, filepath.Join(work, "syslog-ng.conf"), fmt.Sprintf(`@version: 3.38
options { keep-hostname(yes); stats-freq(0); };
source s { file("%[2]s" flags(no-parse) follow-freq(1)); };
destination d { syslog("%[3]s" port(%[4]s) transport("tls") tls(ca-file("%[1]s/server.pem") cert-file("%[1]s/syslogng.pem") key-file("%[1]s/syslogng.key") peer-verify(required-untrusted))); };
log { source(s); destination(d); };
`, dir, log, host, relay))
		daemon(t, env, filepath.Join(root, "usr", "sbin", "syslog-ng"), "-F", "--no-caps", "-f", conf, "-R", filepath.Join(work, "persist"), "-c", filepath.Join(work, "ctl"),
			"-p", filepath.Join(work, "pid"), "--module-path", filepath.Join(root, "usr", "lib", "syslog-ng", "3.38"))
		for _, h := range s.Found("203.0.113.22", 200) {
			if h.Organisation != "XZ9A2" {
				t.Fatalf("%+v", h)
			}
		}
	})
	t.Run("logger", func(t *testing.T) {
		logger := func(ear string, args ...string) {
			host, port, err := net.SplitHostPort(s.Ears[ear])
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(root, "usr", "bin", "logger"), append([]string{"-n", host, "-P", port}, args...)...)
			cmd.Env = env
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		logger("tcp", "-T", "--rfc5424", "login from 203.0.113.23")
		logger("tcp", "-T", "--octet-count", "--rfc5424", "login from 203.0.113.23")
		logger("tcp", "-T", "--rfc3164", "login from 203.0.113.23")
		logger("udp", "-d", "--rfc5424", "login from 203.0.113.23")
		for _, h := range s.Found("203.0.113.23", 4) {
			if h.Organisation != "XZ9A3" {
				t.Fatalf("%+v", h)
			}
		}
	})
	t.Run("HTTP", func(t *testing.T) {
		body := strings.Repeat("{\"create\":{}}\n{\"source.ip\":\"203.0.113.24\"}\n", 50)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Ears["http"]+"/logs/_bulk", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatal(answer, err)
		}
		_ = answer.Body.Close()
		for _, h := range s.Found("203.0.113.24", 50) {
			if h.Organisation != "XZ9A4" {
				t.Fatalf("%+v", h)
			}
		}
	})
	t.Run("detections", func(t *testing.T) {
		var seen struct {
			Organisation string
			Count        int
			Indicator    string
		}
		for range 40 { // what was seen is kept once a second
			if out := s.Run("detections", "--json"); len(out) > 0 {
				if err := json.Unmarshal(out, &seen); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if seen.Count == 50 {
					break
				}
			}
			time.Sleep(250 * time.Millisecond)
		}
		if seen.Organisation != "XZ9A4" || seen.Count != 50 || seen.Indicator != "address 203.0.113.24" {
			t.Errorf("%+v", seen)
		}
	})
}
