package access

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"wardwatch/edge"
	"wardwatch/ward"
)

// policy lets pages load what this server serves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Middleware recognises who makes a request and hands it on; it refuses only posts from other sites. Every answer carries
// the security headers, and is not to be cached unless a handler says otherwise.
func (d *Door) Middleware(next http.Handler) http.Handler {
	bySession := d.sessions.LoadAndSave(d.recognise(next, d.bySession))
	byToken := d.sessions.LoadAndSave(d.recognise(next, d.byToken))
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			r.Header.Del("Cookie") // a token stands alone: a session beside it counts for nothing
			byToken.ServeHTTP(w, r)
			return
		}
		bySession.ServeHTTP(w, r)
	})
	guarded := d.cross.Handler(inner)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := newID()
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		if d.options.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		guarded.ServeHTTP(w, r.WithContext(edge.WithAddress(edge.WithRequestID(r.Context(), id), d.Address(r))))
	})
}

// A recogniser finds who makes a request; false when nobody is known.
type recogniser func(*http.Request) (edge.Signed, ward.Actor, bool, error)

func (d *Door) recognise(next http.Handler, by recogniser) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed, actor, known, err := by(r)
		if err != nil {
			d.log.ErrorContext(r.Context(), "caller not recognised", "err", err, "request", edge.RequestID(r.Context()))
			http.Error(w, "Who you are could not be checked. Nothing was changed: try again.", http.StatusServiceUnavailable)
			return
		}
		if known {
			ctx := edge.WithSigned(r.Context(), signed)
			if signed.ByToken || !signed.Person.MustChange { // a one-time password is no token, and opens nothing but the choice of another
				ctx = edge.WithActor(ctx, actor)
			}
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

func (d *Door) bySession(r *http.Request) (edge.Signed, ward.Actor, bool, error) {
	p, relations, ok, err := d.resume(r.Context())
	if err != nil || !ok {
		return edge.Signed{}, ward.Actor{}, false, err
	}
	actor := d.actorOf(p, relations)
	actor.SteppedUp = d.steppedUp(r.Context())
	return edge.Signed{Person: p}, actor, true, nil
}

func (d *Door) byToken(r *http.Request) (edge.Signed, ward.Actor, bool, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return edge.Signed{}, ward.Actor{}, false, nil
	}
	p, relations, ok, err := d.personOfToken(r.Context(), strings.TrimSpace(secret))
	if err != nil || !ok {
		return edge.Signed{}, ward.Actor{}, false, err
	}
	return edge.Signed{Person: p, ByToken: true}, d.actorOf(p, relations), true, nil
}

// Address is the network address of whoever makes the request: the peer, or what the nearest proxy that we trust says.
func (d *Door) Address(r *http.Request) string {
	address := host(r.RemoteAddr)
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, said := range slices.Backward(forwarded) {
		if !d.trusted(address) {
			break
		}
		said = host(strings.TrimSpace(said))
		if _, err := netip.ParseAddr(said); err != nil {
			break
		}
		address = said
	}
	return address
}

func (d *Door) trusted(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(d.options.Proxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

func host(address string) string {
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

// ActorOf is the actor of a person by sign-in name, for commands that act as somebody.
func (d *Door) ActorOf(ctx context.Context, email string) (ward.Actor, error) {
	p, relations, err := d.rows.PersonByEmail(ctx, fold(email))
	if err != nil {
		return ward.Actor{}, err
	}
	if p.Disabled {
		return ward.Actor{}, ward.ErrNotFound
	}
	return d.actorOf(p, relations), nil
}
