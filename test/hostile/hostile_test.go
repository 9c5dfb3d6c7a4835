package hostile_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/test/serving"
)

// certificate writes one that signs itself, and its key.
func certificate(t *testing.T, dir string) (pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "watch.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"tls.pem": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if pair, err = tls.LoadX509KeyPair(filepath.Join(dir, "tls.pem"), filepath.Join(dir, "tls.key")); err != nil {
		t.Fatal(err)
	}
	return pair
}

// from dials from one of this machine's addresses.
func from(t *testing.T, host int, at string) (net.Conn, error) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(host))}, Timeout: 5 * time.Second}
	return d.DialContext(t.Context(), "tcp", at)
}

// TestWhoeverMisbehavesKeepsNobodyElseOut does to a serving watch what broken and hostile senders do, all at once, and sends good events
// beside it: every one of these is taken and found.
func TestWhoeverMisbehavesKeepsNobodyElseOut(t *testing.T) {
	dir := t.TempDir()
	pair := certificate(t, dir)
	s := serving.New(t, dir, fmt.Sprintf(`ingest:
  http: {listen: "127.0.0.1:0"}
  syslog:
    - {name: tcp, listen: "127.0.0.1:0", transport: tcp, organisation: ZZ1, networks: [127.0.0.0/8]}
    - {name: udp, listen: "127.0.0.1:0", transport: udp, organisation: ZZ1, networks: [127.0.0.0/8]}
    - {name: tls, listen: "127.0.0.1:0", transport: tls, tls: {certificate: %[1]s/tls.pem, key: %[1]s/tls.key}}
archive: {cut_after: 300ms}
`, dir))
	token := s.Token("ZZ1")
	s.Start()

	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	// Two thousand connections that say nothing, to three doors.
	for i := range 2000 {
		c, err := from(t, 2+i%8, s.Ears[[]string{"tcp", "http", "tls"}[i%3]])
		if err != nil {
			continue // turned away: as it should be, beyond what one may have
		}
		open = append(open, c)
	}
	// Slow ones: a byte now and then.
	var slow []net.Conn
	for range 50 {
		c, err := from(t, 20, s.Ears["http"])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("POST /v1/events HTTP/1.1\r\nHost: watch\r\nX-A: ")); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	open = append(open, slow...)
	began := time.Now()

	garbage := make([]byte, 1<<16)
	_, _ = rand.Read(garbage)
	for i, text := range [][]byte{
		garbage,
		append(bytes.Repeat([]byte("x"), 10<<20), []byte("\n<34>1 2026-01-01T00:00:00Z h a - - - good-after-long.hostile.example\n")...),
		[]byte("99999999999 <34>1 - h a - - - x"), []byte("-5 <34>1 - h a - - - x\n"), []byte("7 <34>"), []byte("\x00\x00\x00\x00\n\n\n\r\n"),
		[]byte("GET / HTTP/1.1\r\n\r\n"), []byte("\x16\x03\x01\x02\x00\x01\x00"),
		[]byte("<999999>1 bad priority\n<34>1 1970-01-01T00:00:00Z h a - - - n1970.hostile.example\n<34>1 2099-01-01T00:00:00Z h a - - - n2099.hostile.example\n"),
	} {
		c, err := from(t, 30+i, s.Ears["tcp"])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write(text) // it may be cut off in the middle
		_ = c.(*net.TCPConn).CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}
	udp, err := net.Dial("udp", s.Ears["udp"])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{nil, garbage[:60000], []byte("<"), []byte("<34>1 - h a - - - udp.hostile.example")} {
		if _, err := udp.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	_ = udp.Close()

	// An old protocol, and nobody's certificate.
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", s.Ears["tls"], &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, Certificates: []tls.Certificate{pair}}) //nolint:gosec // what is tested
		if (err == nil) != want {
			t.Errorf("TLS %x: %v", version, err)
		}
		if err == nil {
			_, _ = c.Write([]byte("<34>1 - h a - - - nobodys.hostile.example\n"))
			_ = c.Close()
		}
	}

	for name, body := range map[string][]byte{
		"/v1/events": garbage, "/_bulk": []byte("{\"index\":{}}\n{\"a\":"), "/services/collector": []byte("{\"event\":"), "/v1/logs": bytes.Repeat([]byte("["), 1<<20),
	} {
		if status := post(t, s, token, name, body); status >= 500 || status == 0 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status := post(t, s, "wrong", "/v1/events", []byte("{}")); status != http.StatusUnauthorized {
		t.Error(status)
	}
	const good = 200
	for i := range good {
		if status := post(t, s, token, "/v1/events", fmt.Appendf(nil, "{\"@timestamp\":%q,\"url.domain\":\"g%d.good.example\"}", time.Now().UTC().Format(time.RFC3339), i)); status != http.StatusOK {
			t.Fatalf("a good event beside it: %d", status)
		}
	}
	c, err := from(t, 99, s.Ears["tcp"])
	if err != nil {
		t.Fatal("a good sender is not let in:", err)
	}
	for i := range good {
		fmt.Fprintf(c, "<34>1 %s h a - - - t%d.good.example\n", time.Now().UTC().Format(time.RFC3339), i)
	}
	_ = c.Close()
	s.Found("good.example", 2*good)
	for _, domain := range []string{"n1970.hostile.example", "n2099.hostile.example", "udp.hostile.example", "good-after-long.hostile.example"} {
		s.Found(domain, 1)
	}
	if hits := s.Hunt("nobodys.hostile.example"); len(hits) != 0 {
		t.Error("whose certificate is nobody's is believed:", hits)
	}
	// By now whoever did not finish its header was put out.
	for _, c := range slow {
		_ = c.SetReadDeadline(began.Add(20 * time.Second))
		if _, err := io.ReadAll(c); err != nil {
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Fatal("a slow sender holds its connection for 20 seconds")
			}
		}
	}
	if out := string(s.Run("coverage", "--org", "ZZ1")); !strings.Contains(out, "could not be read") {
		t.Errorf("what could not be read is not shown: %s", out)
	}
}

func post(t *testing.T, s *serving.Server, token, path string, body []byte) int {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Ears["http"]+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Log(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}
