package web

import (
	"context"
	"crypto/rand"
	"net/http"
)

// NoAccess says that the reader may not see this, and who can change that.
func NoAccess(askWhom string) Page {
	return Page{Status: http.StatusForbidden, Title: "You do not have access to this page", Template: "no-access", Data: askWhom}
}

// NotFound says that there is nothing here. It is also the answer for what exists in another organisation: the two must
// look alike.
func NotFound() Page {
	return Page{Status: http.StatusNotFound, Title: "Page not found", Template: "not-found"}
}

// ConflictText is one of the two texts of a Conflict.
type ConflictText struct {
	By   string // who wrote it
	When When
	Text string
}

// Conflicted is what a person reads whose answer met a newer one.
type Conflicted struct {
	What  string // what both changed: "the answer of Drumlin Trust to CC-900001"
	Saved ConflictText
	Yours ConflictText
	Again Link // where to continue from the saved version
}

// Conflict shows both texts; neither is lost.
func Conflict(c Conflicted) Page {
	return Page{Status: http.StatusConflict, Title: "Somebody else answered first", Template: "conflict", Data: c}
}

// ServerError says that the fault is ours, and gives the id under which the log has it.
func ServerError(id string) Page {
	return Page{Status: http.StatusInternalServerError, Title: "Something went wrong on our side", Template: "server-error", Data: id}
}

func randomID(context.Context) string { return rand.Text()[:10] }
