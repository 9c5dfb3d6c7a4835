package access

import (
	"context"
	_ "embed"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"wardwatch/ward"
)

// cost is OWASP's second choice for argon2id: 19 MiB and two passes, so that a few sign-ins at once fit a small machine.
var cost = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashes makes and checks password hashes, a few at once: each takes memory and a core, and a crowd at the door must not
// take the machine from those inside.
type hashes struct {
	turns chan struct{}
	dummy string // checked for accounts that do not exist, so that they answer no faster
}

func newHashes() (*hashes, error) {
	dummy, err := argon2id.CreateHash(newID(), cost)
	return &hashes{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), dummy: dummy}, err
}

func (h *hashes) take(ctx context.Context) error {
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hashes) make(ctx context.Context, password string) (string, error) {
	if err := h.take(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.turns }()
	return argon2id.CreateHash(password, cost)
}

// check compares, and says whether the hash is weaker than cost. An empty hash costs the same and never matches.
func (h *hashes) check(ctx context.Context, password, hash string) (match, weak bool, err error) {
	if err := h.take(ctx); err != nil {
		return false, false, err
	}
	defer func() { <-h.turns }()
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	match, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, err
	}
	return match && known, params.Memory < cost.Memory || params.Iterations < cost.Iterations, nil
}

// Lengths of a password, in characters. The longest is there only to bound work.
const (
	ShortestPassword = 12
	LongestPassword  = 256
)

//go:embed common.txt
var commonList string

// common are passwords that guessing starts with, of ShortestPassword characters and more, folded.
var common = func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.FieldsSeq(commonList) {
		set[line] = true
	}
	return set
}()

// checkPassword says what is wrong with a password that p chose. Length decides; there are no rules of composition.
func checkPassword(p ward.Person, password string) error {
	length := utf8.RuneCountInString(password)
	folded := strings.ToLower(strings.Join(strings.Fields(password), ""))
	switch {
	case !utf8.ValidString(password):
		return &ward.Invalid{Field: "password", Problem: "is not valid text", Hint: "type it again"}
	case length < ShortestPassword:
		return &ward.Invalid{Field: "password", Problem: "is too short", Hint: fmt.Sprintf("use at least %d characters: three unrelated words are good", ShortestPassword)}
	case length > LongestPassword:
		return &ward.Invalid{Field: "password", Problem: "is too long", Hint: fmt.Sprintf("use at most %d characters", LongestPassword)}
	case common[folded], repeats(folded), namesPerson(folded, p):
		return &ward.Invalid{Field: "password", Problem: "is easy to guess", Hint: "use three unrelated words"}
	}
	return nil
}

// repeats reports whether s is a short piece said again and again.
func repeats(s string) bool {
	for size := 1; size <= 4 && size < len(s); size++ {
		if strings.Repeat(s[:size], len(s)/size+1)[:len(s)] == s {
			return true
		}
	}
	return false
}

// namesPerson reports whether the password is little more than the person's name, address or organisation.
func namesPerson(folded string, p ward.Person) bool {
	local, _, _ := strings.Cut(p.Email, "@")
	rest := folded
	for _, word := range append(strings.Fields(strings.ToLower(p.Name)), strings.ToLower(p.Email), strings.ToLower(local), strings.ToLower(string(p.Org)), "wardwatch") {
		if len(word) >= 3 {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	return len(rest) < len(folded) && utf8.RuneCountInString(rest) < 6
}
