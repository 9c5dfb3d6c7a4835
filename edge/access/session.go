package access

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"wardwatch/edge"
	"wardwatch/ward"
)

// What a session remembers.
const (
	sessionPerson = "person"
	sessionHash   = "hash"  // digest of the password hash: another password ends every older session
	sessionSince  = "since" // Unix seconds
	sessionSeen   = "seen"  // Unix seconds, to within seenWithin
	sessionProof  = "proof" // Unix milliseconds of the last time that the password was entered again
)

// seenWithin is how coarse "last seen" is, so that reading a page is seldom a write.
const seenWithin = 5 * time.Minute

func (d *Door) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store = sessionRows{d.rows, d.clock}
	m.HashTokenInStore = true
	m.Lifetime = d.options.Lifetime
	m.Cookie.Name = "wardwatch"
	m.Cookie.Persist = false
	if d.options.Secure {
		m.Cookie.Name = "__Host-wardwatch"
		m.Cookie.Secure = true
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		d.log.ErrorContext(r.Context(), "session not read", "err", err, "request", edge.RequestID(r.Context()))
		http.Error(w, "Your session could not be read. Nothing was changed: try again.", http.StatusInternalServerError)
	}
	return m
}

// sessionRows is Rows as scs asks for it.
type sessionRows struct {
	rows  Rows
	clock ward.Clock
}

func (s sessionRows) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return s.rows.Session(ctx, token, s.clock.Now())
}

func (s sessionRows) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return s.rows.KeepSession(ctx, token, data, expiry)
}

func (s sessionRows) DeleteCtx(ctx context.Context, token string) error {
	return s.rows.DropSession(ctx, token)
}

func (s sessionRows) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s sessionRows) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

func (s sessionRows) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// begin makes the session in ctx the person's, under a new key so that a key planted before is worth nothing.
func (d *Door) begin(ctx context.Context, p ward.Person) error {
	if err := d.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := d.sessions.RenewToken(ctx); err != nil {
		return err
	}
	now := d.clock.Now().Unix()
	d.sessions.Put(ctx, sessionPerson, string(p.ID))
	d.sessions.Put(ctx, sessionHash, digest(p.Hash))
	d.sessions.Put(ctx, sessionSince, now)
	d.sessions.Put(ctx, sessionSeen, now)
	return nil
}

// steppedUp is when the person last proved again who they are, by the product's clock: the session keeps it by the door's.
func (d *Door) steppedUp(ctx context.Context) time.Time {
	at := d.sessions.GetInt64(ctx, sessionProof)
	if at == 0 {
		return time.Time{}
	}
	return d.world.Now().Add(-d.clock.Now().Sub(time.UnixMilli(at)))
}

// resume returns the person whose session is in ctx, and false when there is none or it ended.
func (d *Door) resume(ctx context.Context) (ward.Person, []ward.Relation, bool, error) {
	id := d.sessions.GetString(ctx, sessionPerson)
	if id == "" {
		return ward.Person{}, nil, false, nil
	}
	now := d.clock.Now()
	since, seen := time.Unix(d.sessions.GetInt64(ctx, sessionSince), 0), time.Unix(d.sessions.GetInt64(ctx, sessionSeen), 0)
	if now.Sub(since) > d.options.Lifetime || now.Sub(seen) > d.options.Idle {
		return ward.Person{}, nil, false, d.sessions.Destroy(ctx)
	}
	p, relations, err := d.rows.Person(ctx, ward.PersonID(id))
	if err != nil && !isNotFound(err) {
		return ward.Person{}, nil, false, err
	}
	if err != nil || p.Disabled || d.sessions.GetString(ctx, sessionHash) != digest(p.Hash) {
		return ward.Person{}, nil, false, d.sessions.Destroy(ctx)
	}
	if now.Sub(seen) > seenWithin {
		d.sessions.Put(ctx, sessionSeen, now.Unix())
	}
	return p, relations, true, nil
}
