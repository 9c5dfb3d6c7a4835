package journey_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/app"
	"wardwatch/config"
	"wardwatch/edge/access"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// world is the product as it is served, and the people of a story.
type world struct {
	*app.App
	ctx     context.Context
	dir     string // the story's files
	clock   *ward.HandClock
	letters *letters
	courier *notify.Courier

	language []step
	current  ward.AlertID // that the story speaks of
	ruling   ward.Ruling
	proved   map[string]time.Time // when somebody of the watch last proved again who they are
	call     ward.PhoneCall       // while the desk writes down what is said on the telephone
	others   []ward.OrgID         // while an organisation speaks for others
}

func open(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := &world{ctx: t.Context(), dir: t.TempDir(), clock: ward.NewHandClock(time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)), letters: &letters{}, proved: map[string]time.Time{}, language: language()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings := config.Default()
	settings.Data = t.TempDir()
	var err error
	if w.App, err = app.New(w.ctx, settings, app.Options{Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if w.courier, err = notify.NewCourier(w.Notify, []notify.Carrier{w.letters}, notify.Options{Base: "https://watch.example", NoTests: true}); err == nil {
		err = w.courier.Begin(w.ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// letters is the post: what was written to whom.
type letters struct {
	mu   sync.Mutex
	sent []notify.Message
}

// Channel implements notify.Carrier.
func (*letters) Channel() ward.Channel { return ward.Email }

// AtOnce implements notify.Carrier.
func (*letters) AtOnce() int { return 1 }

// Hand implements notify.Carrier: every letter arrives.
func (l *letters) Hand(_ context.Context, m notify.Message) (notify.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, m)
	return notify.Receipt{Final: true}, nil
}

// settle does everything that is due.
func (w *world) settle() error {
	_, err := w.Settle(w.ctx)
	if err == nil {
		_, err = w.due()
	}
	return err
}

// due does what is due in the rooms that tell people something at a certain time, and returns when the first of them wants to
// be called again. The others only tidy up, every few minutes, which a story need not wait for.
func (w *world) due() (next time.Time, err error) {
	for _, due := range []func(context.Context, time.Time) (time.Time, error){
		w.Match.Due, w.Findings.Due, w.Alerts.Due, w.Responses.Due, w.courier.Due,
		func(ctx context.Context, _ time.Time) (time.Time, error) { return w.courier.Deliver(ctx) },
	} {
		when, err := due(w.ctx, w.clock.Now())
		if err != nil {
			return next, err
		}
		if !when.IsZero() && (next.IsZero() || when.Before(next)) {
			next = when
		}
	}
	return next, nil
}

// until moves the clock, and stops wherever a room wants to be called on the way.
func (w *world) until(t time.Time) error {
	for {
		next, err := w.due()
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(t) {
			w.clock.Set(t)
			return nil
		}
		if !next.After(w.clock.Now()) {
			next = w.clock.Now().Add(time.Second)
		}
		w.clock.Set(next)
	}
}

// file finds a file of the story, or of those that all stories know.
func (w *world) file(name string) string {
	if own := filepath.Join(w.dir, name); exists(own) {
		return own
	}
	return filepath.Join("known", name)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// lead is who answers for an organisation, with the scope that the door would give them now.
func (w *world) lead(org string) (ward.Actor, error) {
	who := ground.Person("Lead of "+org, ward.Lead, ward.OrgID(org))
	relations, err := w.Estate.Relations(w.ctx, ward.Everything(), ward.OrgID(org))
	who.Scope = access.ScopeOf(ward.Person{Org: who.Org, Role: who.Role}, relations, w.clock.Now())
	return who, err
}

// watcher is somebody of the national watch: Ann drafts, everybody else may approve too.
func (w *world) watcher(name string) ward.Actor {
	role := ward.Approver
	if name == ground.Ann.Name {
		role = ground.Ann.Role
	}
	who := ground.Person(name, role, "")
	who.SteppedUp = w.proved[name]
	return who
}

// address is where somebody of a story is written to: "the lead of XZ1A", "the duty officer".
func address(who string) string {
	rung, org, _ := strings.Cut(strings.TrimPrefix(who, "the "), " of ")
	at := "watch"
	if org != "" {
		at = strings.ToLower(org)
	}
	return strings.ReplaceAll(rung, " ", "-") + "@" + at + ".example"
}
