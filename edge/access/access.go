// Package access is the door: it signs people in, recognises sessions and API tokens, and decides in one place what each
// person may see (ScopeOf). A request comes in; the same request with a ward.Actor in its context goes on. Whoever is not
// recognised goes on as the zero Actor, which may do nothing. It never keeps a password, a token or a session key in the
// clear, and never says which half of a sign-in was wrong.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"

	"wardwatch/edge"
	"wardwatch/ward"
)

// Rows is what the door keeps. Each method is one transaction, with its line in the audit record where it takes one.
type Rows interface {
	Person(ctx context.Context, id ward.PersonID) (ward.Person, []ward.Relation, error)
	PersonByEmail(ctx context.Context, email string) (ward.Person, []ward.Relation, error)
	People(ctx context.Context, after ward.PersonID, limit int) ([]ward.Person, error)
	AddPerson(ctx context.Context, p ward.Person, entry ward.AuditEntry) error
	AddFirstPerson(ctx context.Context, p ward.Person, entry ward.AuditEntry) (added bool, err error)
	SetPassword(ctx context.Context, id ward.PersonID, hash string, mustChange bool, entry ward.AuditEntry) error
	Rehash(ctx context.Context, id ward.PersonID, old, hash string) error
	SetDisabled(ctx context.Context, id ward.PersonID, disabled bool, entry ward.AuditEntry) error
	Session(ctx context.Context, token string, now time.Time) (data []byte, ok bool, err error)
	KeepSession(ctx context.Context, token string, data []byte, expiry time.Time) error
	DropSession(ctx context.Context, token string) error
	Sweep(ctx context.Context, now, answersBefore time.Time) error
	TokenByHash(ctx context.Context, hash string) (ward.Token, error)
	Tokens(ctx context.Context, person ward.PersonID) ([]ward.Token, error)
	AddToken(ctx context.Context, t ward.Token, hash string, entry ward.AuditEntry) error
	DropToken(ctx context.Context, person ward.PersonID, id string, entry ward.AuditEntry) error
	TokenUsed(ctx context.Context, id string, at time.Time) error
	Note(ctx context.Context, entry ward.AuditEntry) error
	AuditEntries(ctx context.Context, scope ward.Scope, org ward.OrgID, before int64, limit int) ([]ward.AuditEntry, error)
	AccountEntries(ctx context.Context, before int64, limit int) ([]ward.AuditEntry, error)
}

// Options of a Door. The zero value is a door on this machine, without TLS.
type Options struct {
	Secure   bool           // people reach it by TLS: __Host- cookie, Strict-Transport-Security
	Idle     time.Duration  // a session ends after so long without a request; 12 h
	Lifetime time.Duration  // a session ends after so long in any case; 7 days
	Proxies  []netip.Prefix // whose X-Forwarded-For is believed; none
	Origins  []string       // further origins ("https://watch.example") that may post; none
	World    ward.Clock     // of the audit record and of dated relations, when the product lives on another than the door; the door's
	Looks    edge.Looks     // told when the national watch looks at an organisation's data; nobody
	Log      *slog.Logger   // nowhere
}

// Door signs people in and recognises them.
type Door struct {
	rows     Rows
	clock    ward.Clock // of sessions, tokens and attempts
	world    ward.Clock // of the record and of relations
	options  Options
	log      *slog.Logger
	sessions *scs.SessionManager
	cross    *http.CrossOriginProtection
	hashes   *hashes
	throttle *throttle
}

// New makes a door. The clock should be the wall's even where the rest of the product lives on another: people and their
// browsers do.
func New(rows Rows, clock ward.Clock, options Options) (*Door, error) {
	if options.Idle <= 0 {
		options.Idle = 12 * time.Hour
	}
	if options.Lifetime <= 0 {
		options.Lifetime = 7 * 24 * time.Hour
	}
	if options.World == nil {
		options.World = clock
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	cross := http.NewCrossOriginProtection()
	for _, origin := range options.Origins {
		if err := cross.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("edge/access: %w", err)
		}
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "This request came from another site and was not carried out. Open the page here and try again.", http.StatusForbidden)
	}))
	hashes, err := newHashes()
	if err != nil {
		return nil, fmt.Errorf("edge/access: %w", err)
	}
	d := &Door{rows: rows, clock: clock, world: options.World, options: options, log: options.Log, cross: cross, hashes: hashes, throttle: newThrottle()}
	d.sessions = d.newSessions()
	return d, nil
}

// ScopeOf is whose data a person may see, decided here and nowhere else. The national watch sees everything; an
// administrator keeps accounts and sees no organisation's data; everybody else sees the own organisation and what it
// succeeded, while the dated relation holds. A group's lead, a board, a host or a supplier sees no more by being one: shared
// assets reach a host as their operator.
func ScopeOf(p ward.Person, relations []ward.Relation, now time.Time) ward.Scope {
	switch {
	case p.Disabled || !p.Role.Valid():
		return ward.Scope{}
	case p.Role.National():
		return ward.Everything()
	case p.Role == ward.Admin, p.Org == "":
		return ward.Scope{}
	}
	orgs := []ward.OrgID{p.Org}
	for _, r := range relations {
		holds := !r.Since.After(now) && (r.Until.IsZero() || r.Until.After(now))
		if r.From == p.Org && holds && r.Kind == ward.Successor {
			orgs = append(orgs, r.To)
		}
	}
	return ward.Only(orgs...)
}

// actorOf is p as somebody who acts.
func (d *Door) actorOf(p ward.Person, relations []ward.Relation) ward.Actor {
	return ward.Actor{Person: p.ID, Name: p.Name, Org: p.Org, Role: p.Role, Scope: ScopeOf(p, relations, d.world.Now())}
}

// Due forgets sessions and tokens that expired, and answers remembered for longer than a day.
func (d *Door) Due(ctx context.Context, now time.Time) (next time.Time, err error) {
	wall := d.clock.Now() // sessions live by the door's clock, whatever the jobs' is
	return now.Add(time.Hour), d.rows.Sweep(ctx, wall, wall.Add(-24*time.Hour))
}

// newID is a random name for a person, a token or a request.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// digest is how secrets with 256 random bits are kept: nothing to guess, so no salt and no slow hash.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
