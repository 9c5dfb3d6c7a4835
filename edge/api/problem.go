package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/edge"
	"wardwatch/ward"
)

// Problem is RFC 9457's shape, with what a program or a person needs to go on.
type Problem struct {
	Type     string              `json:"type" doc:"stable name of the kind of problem"`
	Title    string              `json:"title"`
	Status   int                 `json:"status"`
	Detail   string              `json:"detail,omitempty"`
	Instance string              `json:"instance,omitempty" doc:"the request id, to quote when asking for help"`
	Field    string              `json:"field,omitempty" doc:"of bad input"`
	Hint     string              `json:"hint,omitempty" doc:"what to do about it"`
	Yours    string              `json:"yours,omitempty" doc:"of a conflict: what you wanted to write"`
	Theirs   string              `json:"theirs,omitempty" doc:"of a conflict: what stands"`
	By       string              `json:"by,omitempty" doc:"of a conflict: who wrote it"`
	Errors   []*huma.ErrorDetail `json:"errors,omitempty"`
	after    int                 // seconds, for Retry-After
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	if p.after == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(p.after)}}
}

func shaped(ctx context.Context, p edge.Problem) *Problem {
	return &Problem{Type: "urn:wardwatch:problem:" + p.Code, Title: p.Title, Status: p.Status, Detail: p.Detail, Instance: instance(ctx),
		Field: p.Field, Hint: p.Hint, Yours: p.Yours, Theirs: p.Theirs, By: p.By, after: int(math.Ceil(p.After.Seconds()))}
}

func instance(ctx context.Context) string {
	if id := edge.RequestID(ctx); id != "" {
		return "urn:wardwatch:request:" + id
	}
	return ""
}

// problem is a room's error as the caller of an operation with that input sees it. Where the input carries If-Match, a
// change by another is 412, as RFC 9110 has it.
func (a *API) problem(ctx context.Context, err error, in any) *Problem {
	if errors.Is(err, errNoMatch) {
		return shaped(ctx, edge.Problem{Status: http.StatusPreconditionRequired, Code: "no-match", Title: "If-Match needed", Detail: err.Error()})
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return shaped(ctx, edge.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Title: "Too large", Detail: fmt.Sprintf("the body may have %d bytes", tooLarge.Limit)})
	}
	p := edge.ProblemOf(err)
	if _, ok := in.(interface{ conditional() }); ok && errors.Is(err, ward.ErrConflict) {
		p.Status = http.StatusPreconditionFailed
	}
	if p.Status == http.StatusInternalServerError {
		a.log.ErrorContext(ctx, "request not carried out", "err", err, "request", edge.RequestID(ctx))
	}
	return shaped(ctx, p)
}

// asProblem turns the framework's own errors into ours. They name fields of the caller's input; a whole body is not sent back.
func (a *API) asProblem(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := strings.ToLower(strings.ReplaceAll(http.StatusText(model.Status), " ", "-"))
	p := &Problem{Type: "urn:wardwatch:problem:" + code, Title: http.StatusText(model.Status), Status: model.Status, Detail: model.Detail, Instance: instance(ctx.Context())}
	if model.Status >= http.StatusInternalServerError {
		a.log.ErrorContext(ctx.Context(), "request not carried out", "err", model.Detail, "request", edge.RequestID(ctx.Context()))
		p.Detail = ""
		return p, nil
	}
	for _, e := range model.Errors {
		said := &huma.ErrorDetail{Message: e.Message, Location: e.Location}
		if _, simple := e.Value.(string); !simple && e.Location != "body" {
			said.Value = e.Value
		}
		p.Errors = append(p.Errors, said)
	}
	return p, nil
}

// writeProblem answers where no operation does.
func (a *API) writeProblem(w http.ResponseWriter, r *http.Request, p edge.Problem) {
	shape := shaped(r.Context(), p)
	w.Header().Set("Content-Type", "application/problem+json")
	for name, values := range shape.GetHeaders() {
		w.Header()[name] = values
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="wardwatch"`)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(encoded(shape), '\n'))
}

// describeProblems makes the OpenAPI document speak of our problems instead of the framework's.
func (a *API) describeProblems() {
	schemas := a.huma.OpenAPI().Components.Schemas
	schemas.Map()["ErrorModel"] = huma.SchemaFromType(schemas, reflect.TypeFor[Problem]())
}
