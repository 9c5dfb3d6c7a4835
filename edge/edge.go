// Package edge holds what the doors share: who is signed in for a request, what an error means to a caller, and the names
// of the headers. A request's context comes in; the ward.Actor behind it goes out. It never decides who may do what: that
// is ward's table and access's scope.
package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"wardwatch/ward"
)

type contextKey int

const (
	actorKey contextKey = iota
	signedKey
	requestKey
	addressKey
)

// Actor is who makes the request. It is the zero Actor, which may do nothing, while nobody is signed in or while the person
// must first choose a password.
func Actor(ctx context.Context) ward.Actor {
	actor, _ := ctx.Value(actorKey).(ward.Actor)
	return actor
}

// WithActor returns ctx for a request that a makes.
func WithActor(ctx context.Context, a ward.Actor) context.Context {
	return context.WithValue(ctx, actorKey, a)
}

// Signed is how a request was recognised.
type Signed struct {
	Person  ward.Person // without its hash
	ByToken bool        // by an API token, which may not make or change what signs in
}

// In returns how the request was recognised, and false while nobody is signed in.
func In(ctx context.Context) (Signed, bool) {
	signed, ok := ctx.Value(signedKey).(Signed)
	return signed, ok
}

// WithSigned returns ctx for a request that was recognised.
func WithSigned(ctx context.Context, s Signed) context.Context {
	s.Person.Hash = ""
	return context.WithValue(ctx, signedKey, s)
}

// RequestID names the request in logs and problems, so that a person can quote it.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey).(string)
	return id
}

// WithRequestID returns ctx for the request of that name.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey, id)
}

// Address is the network address of whoever makes the request, as the door believes it.
func Address(ctx context.Context) string {
	address, _ := ctx.Value(addressKey).(string)
	return address
}

// WithAddress returns ctx for a request that comes from there.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey, address)
}

// ErrSignIn is a sign-in that failed. It never says which half was wrong.
var ErrSignIn = errors.New("the email or the password is not right")

// ErrUnsigned is a request that needs somebody signed in.
var ErrUnsigned = errors.New("sign in first")

// ErrMustChange is a request by a person who signed in with a one-time password and has not chosen another.
var ErrMustChange = errors.New("choose a new password first")

// TooMany is a request that came too soon after others.
type TooMany struct{ After time.Duration }

func (e *TooMany) Error() string {
	return fmt.Sprintf("too many attempts: try again in %s", e.After.Round(time.Second))
}

// Problem is what an error means to a caller: RFC 9457 in the API, the same words on a page.
type Problem struct {
	Status int
	Code   string // stable, for programs: the end of the problem's type
	Title  string
	Detail string
	Field  string        // of bad input
	Hint   string        // what to do about bad input
	Yours  string        // of a conflict: what the caller wanted to write
	Theirs string        // of a conflict: what stands
	By     string        // of a conflict: who wrote it
	After  time.Duration // of TooMany
}

// ProblemOf is the one place where an error becomes a status. What no caller can act on is 500 without detail: the log has it.
func ProblemOf(err error) Problem {
	var invalid *ward.Invalid
	var conflict *ward.Conflict
	var many *TooMany
	switch {
	case errors.Is(err, ErrSignIn):
		return Problem{Status: http.StatusUnauthorized, Code: "sign-in", Title: "Not signed in", Detail: ErrSignIn.Error()}
	case errors.Is(err, ErrUnsigned):
		return Problem{Status: http.StatusUnauthorized, Code: "unsigned", Title: "Not signed in", Detail: "sign in, or send an API token"}
	case errors.Is(err, ErrMustChange):
		return Problem{Status: http.StatusForbidden, Code: "must-change", Title: "New password needed", Detail: "the account still has its one-time password: sign in to the pages and choose another"}
	case errors.As(err, &many):
		return Problem{Status: http.StatusTooManyRequests, Code: "too-many", Title: "Too many requests", Detail: many.Error(), After: many.After}
	case errors.As(err, &conflict):
		return Problem{Status: http.StatusConflict, Code: "conflict", Title: "Changed by another", Detail: conflict.What + " was changed by " + conflict.By + ": read it again, then decide",
			Yours: conflict.Yours, Theirs: conflict.Theirs, By: conflict.By}
	case errors.Is(err, ward.ErrConflict):
		return Problem{Status: http.StatusConflict, Code: "conflict", Title: "Changed by another", Detail: "it was changed meanwhile: read it again, then decide"}
	case errors.As(err, &invalid):
		return Problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Title: "Not valid", Detail: invalid.Error(), Field: invalid.Field, Hint: invalid.Hint}
	case errors.Is(err, ward.ErrInvalid):
		return Problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Title: "Not valid", Detail: err.Error()}
	case errors.Is(err, ward.ErrNotFound):
		return Problem{Status: http.StatusNotFound, Code: "not-found", Title: "Not found", Detail: "there is no such thing, or it is outside what you may see"}
	case errors.Is(err, ward.ErrStepUp):
		return Problem{Status: http.StatusForbidden, Code: "step-up", Title: "Confirm who you are", Detail: err.Error() + ": enter your password again, then repeat the request"}
	case errors.Is(err, ward.ErrForbidden):
		return Problem{Status: http.StatusForbidden, Code: "forbidden", Title: "Not allowed", Detail: "your role does not allow this: ask an administrator"}
	case errors.Is(err, ward.ErrState):
		return Problem{Status: http.StatusConflict, Code: "state", Title: "Not possible any more", Detail: err.Error()}
	case errors.Is(err, ward.ErrHeld):
		return Problem{Status: http.StatusConflict, Code: "held", Title: "Held for a person", Detail: err.Error()}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Problem{Status: http.StatusServiceUnavailable, Code: "late", Title: "Took too long", Detail: "the request was given up: try again"}
	}
	return Problem{Status: http.StatusInternalServerError, Code: "internal", Title: "Something went wrong", Detail: "nothing was changed; quote the request id when you ask for help"}
}
