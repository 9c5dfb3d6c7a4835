package web

import (
	"context"
	"net/http"

	"wardwatch/edge"
	"wardwatch/ward"
)

// Door signs people in and out, and keeps them: *access.Door.
type Door interface {
	edge.People
	SignIn(ctx context.Context, email, password, address string) (ward.Person, error)
	SignOut(ctx context.Context) error
	ChangePassword(ctx context.Context, old, chosen, address string) error
	Address(r *http.Request) string
}
