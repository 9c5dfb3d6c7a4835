package ward

import (
	"errors"
	"fmt"
)

// What a caller decides on. The edge maps each to one HTTP status in one place.
var (
	ErrNotFound  = errors.New("not found")                 // or outside the caller's scope: the two look the same
	ErrForbidden = errors.New("not allowed")               // the caller's role does not allow it
	ErrConflict  = errors.New("changed by another")        // see Conflict
	ErrInvalid   = errors.New("not valid")                 // see Invalid
	ErrHeld      = errors.New("held for a person")         // an import that lost too much of its source
	ErrState     = errors.New("not possible as it stands") // the thing is in a state that does not allow it
	ErrStepUp    = errors.New("confirm who you are")       // what one person may do alone needs a proof of who they are that is fresh
)

// Invalid is bad input: which field, what is wrong, and what to do about it. It matches ErrInvalid.
type Invalid struct {
	Field   string // the name that page, API and command share; empty when the whole is meant
	Problem string // "is empty"
	Hint    string // "give the version that is installed, such as 12.5.0.1"
}

func (e *Invalid) Error() string {
	text := e.Problem
	if e.Field != "" {
		text = fmt.Sprintf("%s: %s", e.Field, e.Problem)
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Is makes errors.Is(err, ErrInvalid) true.
func (e *Invalid) Is(target error) bool { return target == ErrInvalid }

// Conflict is an update of something that another person changed first, with both texts, so that neither is lost. It
// matches ErrConflict.
type Conflict struct {
	What   string // "response of XZ1 to CC-900001"
	Yours  string // what the caller wanted to write, in words
	Theirs string // what stands now, in words
	By     string // who wrote it
}

func (e *Conflict) Error() string {
	return fmt.Sprintf("%s was changed by %s: theirs %q, yours %q", e.What, e.By, e.Theirs, e.Yours)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *Conflict) Is(target error) bool { return target == ErrConflict }
