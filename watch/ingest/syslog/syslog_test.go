package syslog_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/ingest"
	"wardwatch/watch/ingest/syslog"
)

// intake remembers what it was given.
type intake struct {
	mu    sync.Mutex
	busy  int // times that it says so
	taken []string
	dead  []string
}

func (i *intake) Room(ingest.Sender, int) error { return nil }

func (i *intake) Take(_ context.Context, s ingest.Sender, all []watch.Arrival) (ingest.Receipt, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.busy > 0 {
		i.busy--
		return nil, &ingest.Busy{Reason: "busy", After: time.Second}
	}
	for _, a := range all {
		i.taken = append(i.taken, fmt.Sprintf("%s %s %s", s.Org, a.Source, a.Raw))
	}
	return nil, nil
}

func (i *intake) Dead(s ingest.Sender, _ string, reason error, _ []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.dead = append(i.dead, string(s.Org)+" "+reason.Error())
}

func (i *intake) wait(t *testing.T, n int) []string {
	t.Helper()
	for range 500 {
		i.mu.Lock()
		taken := append([]string(nil), i.taken...)
		i.mu.Unlock()
		if len(taken) >= n {
			return taken
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d of %d came", len(i.taken), n)
	return nil
}

var here = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func listen(t *testing.T, o syslog.Options) (*syslog.Listener, *intake) {
	t.Helper()
	in := &intake{}
	if o.Intake == nil {
		o.Intake = in
	}
	o.Name, o.Address = "test", "127.0.0.1:0"
	l, err := syslog.Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return l, in
}

func send(t *testing.T, l *syslog.Listener, text string) {
	t.Helper()
	c, err := net.Dial(l.Address().Network(), l.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

const message = "<34>1 2025-05-15T03:00:07Z host.example sshd 1 - - text"

func TestFraming(t *testing.T) {
	counted := func(text string) string { return fmt.Sprintf("%d %s", len(text), text) }
	for name, row := range map[string]struct {
		sent string
		want []string
		dead int
	}{
		"lines":                 {message + "\n" + message + "\r\n", []string{message, message}, 0},
		"NULs":                  {message + "\x00" + message + "\x00", []string{message, message}, 0},
		"no end":                {message + "\n" + message, []string{message, message}, 0},
		"counted":               {counted(message) + counted(message), []string{message, message}, 0},
		"counted with newlines": {counted(message+"\nmore") + counted(message+"\n"), []string{message + "\nmore", message}, 0},
		"both":                  {counted(message) + message + "\n" + counted(message), []string{message, message, message}, 0},
		"empty lines":           {"\n\n" + message + "\n\n", []string{message}, 0},
		"too long, a line":      {strings.Repeat("x", 3000) + "\n" + message + "\n", []string{message}, 1},
		"too long, counted":     {counted(strings.Repeat("x", 3000)) + counted(message), []string{message}, 1},
		"a wrong length":        {"99999999999999 x", nil, 1},
		"garbage":               {"\xff\xfe\x00\x01\n" + message + "\n", []string{"\xff\xfe", "\x01", message}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l, in := listen(t, syslog.Options{Transport: "tcp", Org: "ZZ1", Networks: here, MaxMessage: 2000})
			send(t, l, row.sent)
			for i, got := range in.wait(t, len(row.want)) {
				source := "127.0.0.1"
				if strings.HasPrefix(row.want[i], "<34>1") {
					source = "host.example"
				}
				if want := "ZZ1 " + source + " " + row.want[i]; got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
			for range 200 {
				in.mu.Lock()
				n := len(in.dead)
				in.mu.Unlock()
				if n == row.dead {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("dead letters: %q", in.dead)
		})
	}
}

func TestMessagesMayComeByteForByte(t *testing.T) {
	l, in := listen(t, syslog.Options{Transport: "tcp", Org: "ZZ1", Networks: here})
	c, err := net.Dial("tcp", l.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, b := range []byte(message + "\n" + fmt.Sprintf("%d %s", len(message), message) + message + "\n") {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Microsecond)
	}
	for _, got := range in.wait(t, 3) {
		if got != "ZZ1 host.example "+message {
			t.Errorf("%q", got)
		}
	}
}

func TestALongMessageIsWhole(t *testing.T) {
	l, in := listen(t, syslog.Options{Transport: "tcp", Org: "ZZ1", Networks: here})
	long := "<34>" + strings.Repeat("x", 900_000)
	send(t, l, long+"\n"+fmt.Sprintf("%d %s", len(long), long)+message+"\n")
	taken := in.wait(t, 3)
	if taken[0] != "ZZ1 127.0.0.1 "+long || taken[1] != taken[0] || !strings.HasSuffix(taken[2], message) {
		t.Error(len(taken[0]), len(taken[1]), taken[2])
	}
}

func TestASenderWaitsWhileThereIsNoRoom(t *testing.T) {
	in := &intake{busy: 5}
	l, _ := listen(t, syslog.Options{Transport: "tcp", Org: "ZZ1", Networks: here, Intake: in})
	send(t, l, strings.Repeat(message+"\n", 1000))
	if taken := in.wait(t, 1000); len(taken) != 1000 {
		t.Error(len(taken))
	}
}

func TestDatagrams(t *testing.T) {
	l, in := listen(t, syslog.Options{Transport: "udp", Org: "ZZ1", Networks: here})
	send(t, l, message+"\n")
	if got := in.wait(t, 1); got[0] != "ZZ1 host.example "+message {
		t.Errorf("%q", got)
	}
	elsewhere, none := listen(t, syslog.Options{Transport: "udp", Org: "ZZ1", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	send(t, elsewhere, message)
	for range 100 {
		if elsewhere.Dropped() == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(none.taken) != 0 || elsewhere.Dropped() != 1 {
		t.Error("what comes from another network is taken")
	}
}

func TestAListenerBelongsToSomebody(t *testing.T) {
	for _, o := range []syslog.Options{
		{Transport: "tcp", Address: "127.0.0.1:0"}, {Transport: "tcp", Address: "127.0.0.1:0", Org: "ZZ1"}, {Transport: "udp", Address: "127.0.0.1:0", Networks: here},
		{Transport: "tls", Address: "127.0.0.1:0"}, {Transport: "sctp", Address: "127.0.0.1:0", Org: "ZZ1", Networks: here},
	} {
		if _, err := syslog.Listen(t.Context(), o); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestTooManyConnectionsAreRefused(t *testing.T) {
	l, in := listen(t, syslog.Options{Transport: "tcp", Org: "ZZ1", Networks: here, MaxPerPeer: 3})
	var all []net.Conn
	for range 6 {
		c, err := net.Dial("tcp", l.Address().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		all = append(all, c)
		if _, err := c.Write([]byte(message + "\n")); err != nil {
			t.Log(err)
		}
	}
	in.wait(t, 3)
	closed := 0
	for _, c := range all {
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		var late net.Error
		if _, err := c.Read(make([]byte, 1)); err != nil && (!errors.As(err, &late) || !late.Timeout()) {
			closed++
		}
	}
	if closed != 3 {
		t.Errorf("%d of 3 were refused", closed)
	}
}

// certificate is one that signs itself.
func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

type certificates map[string]ward.OrgID

func (c certificates) ByCertificate(_ context.Context, der []byte) (ingest.Sender, error) {
	if org, ok := c[ingest.Fingerprint(der)]; ok {
		return ingest.Sender{ID: "s", Org: org}, nil
	}
	return ingest.Sender{}, ward.ErrNotFound
}

func TestACertificateSaysWhoseItIs(t *testing.T) {
	server, one, other, stranger := certificate(t, "server.example"), certificate(t, "one.example"), certificate(t, "other.example"), certificate(t, "stranger.example")
	known := certificates{ingest.Fingerprint(one.Certificate[0]): "ZZ1", ingest.Fingerprint(other.Certificate[0]): "ZZ2"}
	l, in := listen(t, syslog.Options{
		Transport: "tls", Senders: known, TLS: &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12},
	})
	dial := func(c *tls.Config) error {
		c.InsecureSkipVerify = true //nolint:gosec // the server is this test
		conn, err := tls.Dial("tcp", l.Address().String(), c)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(message + "\n")); err != nil {
			return err
		}
		_ = conn.CloseWrite()
		_, err = conn.Read(make([]byte, 1))
		return err
	}
	for i, c := range []tls.Certificate{one, other} {
		_ = dial(&tls.Config{Certificates: []tls.Certificate{c}})
		in.wait(t, i+1)
	}
	for name, c := range map[string]*tls.Config{
		"no certificate": {}, "a stranger's": {Certificates: []tls.Certificate{stranger}},
		"an old version": {Certificates: []tls.Certificate{one}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
	} {
		if err := dial(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	send(t, l, message+"\n") // no TLS at all
	time.Sleep(100 * time.Millisecond)
	if taken := in.wait(t, 2); len(taken) != 2 || !strings.HasPrefix(taken[0], "ZZ1 ") || !strings.HasPrefix(taken[1], "ZZ2 ") {
		t.Errorf("%q", taken)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("55 "+message+message+"\n"), 7)
	f.Add([]byte("1\n22\x00333 "), 1)
	f.Fuzz(func(t *testing.T, sent []byte, cut int) {
		in := &intake{}
		syslog.Feed(in, sent, max(1, cut), 1000)
		total := 0
		for _, message := range in.taken {
			total += len(message) - len("ZZ1 peer ")
		}
		if len(in.dead) == 0 && !bytes.ContainsAny(sent, "\n\r\x00 0123456789\ufeff") && total != len(sent) {
			t.Fatalf("%q: %d bytes of %d", sent, total, len(sent))
		}
	})
}

func BenchmarkTCP(b *testing.B) {
	line := []byte("<34>1 2025-05-15T03:00:07.123456Z web.example nginx 1 - - " + strings.Repeat("x", 340) + "\n")
	block := bytes.Repeat(line, 200)
	b.Run("floor: newlines counted", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n += bytes.Count(block, []byte("\n"))
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("framed, named, handed on", func(b *testing.B) {
		in := &counting{}
		b.ReportAllocs()
		for b.Loop() {
			syslog.Feed(in, block, 64<<10, 1<<20)
		}
		b.ReportMetric(float64(in.n)/b.Elapsed().Seconds(), "messages/s")
	})
}

type counting struct{ n int }

func (*counting) Room(ingest.Sender, int) error { return nil }
func (c *counting) Take(_ context.Context, _ ingest.Sender, all []watch.Arrival) (ingest.Receipt, error) {
	c.n += len(all)
	return nil, nil
}
func (*counting) Dead(ingest.Sender, string, error, []byte) {}
