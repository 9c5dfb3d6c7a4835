package delivery_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/test/peers"
	"wardwatch/ward"
)

// office is a watch room whose messages go to real servers.
type office struct {
	*ground.Ground
	courier *notify.Courier
}

func newOffice(t testing.TB, orgs int, carriers ...notify.Carrier) *office {
	t.Helper()
	o := &office{Ground: ground.New(t)}
	o.Outbox.Answers = o.Ledger
	o.people(orgs, 1, "email", "p%d-%d@hospital.example")
	var err error
	if o.courier, err = notify.NewCourier(o.Outbox, carriers, notify.Options{Base: "https://watch.example", Operator: "Coastal Watch", Patience: 5 * time.Second}); err == nil {
		err = o.courier.Begin(o.Ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func orgID(i int) ward.OrgID { return ward.OrgID(fmt.Sprintf("XA%03d", i)) }

// people makes organisations with contacts, each reached by an address in the form.
func (o *office) people(orgs, each int, channel ward.Channel, form string) {
	o.T.Helper()
	err := o.Store.Update(o.Ctx, func(tx *store.Tx) error {
		for i := range orgs {
			if err := tx.SaveOrganisation(o.Ctx, ward.Organisation{ID: orgID(i), Name: fmt.Sprintf("Trust %d", i)}); err != nil {
				return err
			}
			for n := range each {
				c := ward.Contact{Org: orgID(i), Name: fmt.Sprintf("Person %d", n), Kind: ward.PersonContact, Version: 1, Order: n, Addresses: []ward.Address{{Channel: channel, To: fmt.Sprintf(form, i, n)}}}
				if _, err := tx.SaveContact(o.Ctx, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		o.T.Fatal(err)
	}
}

// live lets the clock go on and delivers, until done or so much time by the room's clock has passed.
func (o *office) live(step, most time.Duration, done func() bool) {
	o.T.Helper()
	until := o.Clock.Now().Add(most)
	for {
		if _, err := o.courier.Deliver(o.Ctx); err != nil {
			o.T.Fatal(err)
		}
		if done() {
			return
		}
		if !o.Clock.Now().Before(until) {
			o.T.Fatalf("not done after %s: %+v", most, o.courier.Lines())
		}
		o.Clock.Advance(step)
	}
}

func (o *office) words(alert ward.AlertID) string {
	o.T.Helper()
	s, err := o.Outbox.Delivered(o.Ctx, ward.Everything(), alert)
	if err != nil {
		o.T.Fatal(err)
	}
	return s.Words()
}

func (o *office) in(state ward.DeliveryState) []ward.Delivery {
	o.T.Helper()
	page, err := o.Outbox.Deliveries(o.Ctx, ward.Everything(), notify.DeliveryQuery{State: state, Limit: 500})
	if err != nil {
		o.T.Fatal(err)
	}
	return page.Items
}

// certificate writes a certificate for this machine, and returns its files and who trusts it.
func certificate(t testing.TB) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	c, text, err := peers.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	key, err := peers.KeyPEM(c)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(certFile, text, 0o600), os.WriteFile(keyFile, key, 0o600)); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return certFile, keyFile, roots
}

// freePort is a port that nothing listened on just now.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// answers waits until something listens.
func answers(t testing.TB, addr string) {
	t.Helper()
	for range 200 {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nothing listens on %s", addr)
}

// started runs a command until the test ends, and returns its first line.
func started(t testing.TB, firstLine bool, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), name, args...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if !firstLine {
		go func() { _, _ = io.Copy(io.Discard, out) }()
		return ""
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// built is a command of this module, built for the test.
func built(t testing.TB, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}
