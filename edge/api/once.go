package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"wardwatch/edge"
	"wardwatch/ward"
)

// kept is the answer to a request that carried an Idempotency-Key.
type kept struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	ETag        string `json:"etag"`
	Body        []byte `json:"body"`
}

type secretKey struct{}

// holdsSecret says that the answer being made shows a secret, which must not be kept.
func holdsSecret(ctx context.Context) {
	if secret, ok := ctx.Value(secretKey{}).(*bool); ok {
		*secret = true
	}
}

// once carries out a POST with an Idempotency-Key a single time. The same key with the same request is answered again from
// what was kept; with another request it is refused. A request that failed gives its key back.
func (a *API) once(w http.ResponseWriter, r *http.Request) {
	ctx, who, key := r.Context(), edge.Actor(r.Context()), r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 200 || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) || len(r.Header.Values("Idempotency-Key")) > 1 {
		a.writeProblem(w, r, edge.ProblemOf(&ward.Invalid{Field: "Idempotency-Key", Problem: "is not a key", Hint: "give one of 1 to 200 printable ASCII characters, such as a UUID"}))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.options.MostBody))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	sum := sha256.New()
	for _, part := range []string{r.URL.Path, r.URL.RawQuery, r.Header.Get("If-Match"), r.Header.Get("Content-Type"), string(body)} {
		_, _ = io.WriteString(sum, part+"\x00") // a hash never fails
	}
	request := hex.EncodeToString(sum.Sum(nil))
	fresh, same, answer, err := a.rooms.Repeats.Begin(ctx, who.Person, key, request, a.clock.Now())
	switch {
	case err != nil:
		a.fail(w, r, err)
	case fresh:
		a.carryOut(w, r, key, body)
	case !same:
		a.writeProblem(w, r, edge.Problem{Status: http.StatusUnprocessableEntity, Code: "key-reused", Title: "Key used before", Detail: "this Idempotency-Key belongs to another request: take a new one"})
	case answer == nil:
		a.writeProblem(w, r, edge.Problem{Status: http.StatusConflict, Code: "in-progress", Title: "In progress", Detail: "the first request with this key has no answer yet: wait, and if it stays so look what was done before you take a new key"})
	default:
		a.replay(w, r, answer)
	}
}

func (a *API) carryOut(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	who := edge.Actor(r.Context()).Person
	var secret bool
	ctx := context.WithValue(r.Context(), secretKey{}, &secret)
	again := r.WithContext(ctx)
	again.Body = io.NopCloser(bytes.NewReader(body))
	caught := &catch{ResponseWriter: w, status: http.StatusOK}
	settle := context.WithoutCancel(ctx) // the caller may be gone: the key must be settled all the same
	settled := false
	defer func() {
		if !settled { // a panic is on its way up: nobody knows what was done, and the key stays taken
			a.log.ErrorContext(ctx, "answer not kept", "request", edge.RequestID(ctx))
		}
	}()
	a.mux.ServeHTTP(caught, again)
	settled = true
	var err error
	switch {
	case caught.status >= http.StatusBadRequest:
		err = a.rooms.Repeats.Release(settle, who, key)
	case secret:
		err = a.rooms.Repeats.Finish(settle, who, key, encoded(kept{Status: http.StatusGone}))
	default:
		err = a.rooms.Repeats.Finish(settle, who, key, encoded(kept{caught.status, caught.Header().Get("Content-Type"), caught.Header().Get("ETag"), caught.body.Bytes()}))
	}
	if err != nil {
		a.log.ErrorContext(ctx, "answer not kept", "err", err, "request", edge.RequestID(ctx))
	}
}

func (a *API) replay(w http.ResponseWriter, r *http.Request, answer []byte) {
	var k kept
	if err := json.Unmarshal(answer, &k); err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Idempotency-Replayed", "true")
	if k.Status == http.StatusGone {
		a.writeProblem(w, r, edge.Problem{Status: http.StatusGone, Code: "shown-once", Title: "Shown once", Detail: "this was done, and its secret was shown then: make another if it was lost"})
		return
	}
	for name, value := range map[string]string{"Content-Type": k.ContentType, "ETag": k.ETag} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(k.Status)
	_, _ = w.Write(k.Body)
}

// fail answers an error outside an operation.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		a.writeProblem(w, r, edge.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Title: "Too large", Detail: fmt.Sprintf("the body may have %d bytes", tooLarge.Limit)})
		return
	}
	p := edge.ProblemOf(err)
	if p.Status == http.StatusInternalServerError {
		a.log.ErrorContext(r.Context(), "request not carried out", "err", err, "request", edge.RequestID(r.Context()))
	}
	a.writeProblem(w, r, p)
}

// catch remembers an answer while it is written.
type catch struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	begun  bool
}

// WriteHeader implements http.ResponseWriter.
func (c *catch) WriteHeader(status int) {
	if !c.begun {
		c.begun, c.status = true, status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *catch) Write(b []byte) (int, error) {
	c.begun = true
	c.body.Write(b)
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *catch) Unwrap() http.ResponseWriter { return c.ResponseWriter }
