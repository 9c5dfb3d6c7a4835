// Package api is the JSON door: the same domain functions that the pages call, over HTTP, described by an OpenAPI 3.1
// document. Requests that access has recognised come in; shapes in the words of ward go out, and every error is an RFC 9457
// problem. It never decides who may do what: it hands the actor and its scope to the rooms.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"wardwatch/edge"
	"wardwatch/ward"
)

// Options of an API. The zero value is usable.
type Options struct {
	Version    string       // of the product, for the OpenAPI document
	MostBody   int64        // bytes of a JSON body; 1 MiB
	MostUpload int64        // bytes of an inventory; 2 GiB
	Rate       float64      // requests a second that one person may make for long; 20
	Burst      float64      // and at once; 200
	Log        *slog.Logger // nowhere
}

// API serves Paths.
type API struct {
	rooms   Rooms
	clock   ward.Clock
	options Options
	log     *slog.Logger
	huma    huma.API
	mux     *http.ServeMux
	pace    *pace
}

// Paths are what an API is to be mounted at.
var Paths = []string{"/api/", "/openapi.json", "/openapi.yaml", "/healthz", "/readyz"}

const prefix = "/api/v1"

// New makes the API over the rooms. The clock times the pace of callers, so it should be the wall's.
func New(rooms Rooms, clock ward.Clock, options Options) *API {
	if options.Version == "" {
		options.Version = "dev"
	}
	if options.MostBody <= 0 {
		options.MostBody = 1 << 20
	}
	if options.MostUpload <= 0 {
		options.MostUpload = 2 << 30
	}
	if options.Rate <= 0 {
		options.Rate = 20
	}
	if options.Burst <= 0 {
		options.Burst = 200
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	a := &API{rooms: rooms, clock: clock, options: options, log: options.Log, mux: http.NewServeMux(), pace: newPace(options.Rate, options.Burst)}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Wardwatch", Version: options.Version,
				Description: "What every organisation runs, what the world publishes about weaknesses, the alerts, and the answers until evidence confirms them. " +
					"Lists are pages: follow `next` in `after`. Changes need the ETag in If-Match. A POST may carry an Idempotency-Key: sent again, it is answered again and not done again."},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: "an API token (ww_...)"},
					"session": {Type: "apiKey", In: "cookie", Name: "__Host-wardwatch", Description: "the cookie of a person signed in; named wardwatch where the server is reached without TLS"},
				},
			},
			Security: []map[string][]string{{"token": {}}, {"session": {}}},
		},
		OpenAPIPath:                  "/openapi",
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{a.asProblem},
	}
	a.huma = humago.New(a.mux, config)
	a.health()
	a.organisations()
	a.assets()
	a.devices()
	a.vulnerabilities()
	a.exposures()
	a.findings()
	a.alerts()
	a.revisions()
	a.templates()
	a.responses()
	a.rulings()
	a.inbox()
	a.telling()
	a.feeds()
	a.aliases()
	a.changes()
	a.holds()
	a.eventCoverage()
	a.detections()
	a.people()
	a.overview()
	a.duty()
	a.hunts()
	a.describeProblems()
	a.mux.HandleFunc("/", a.nothingHere)
	return a
}

// OpenAPI is the document that describes the API.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// ServeHTTP implements http.Handler. Everything below /api/ needs somebody signed in.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		a.mux.ServeHTTP(w, r)
		return
	}
	if err := a.admit(r); err != nil {
		a.writeProblem(w, r, edge.ProblemOf(err))
		return
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/imports") {
		r.Body = http.MaxBytesReader(w, r.Body, a.options.MostUpload)
		a.mux.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodPost && len(r.Header.Values("Idempotency-Key")) > 0 && r.URL.Path != prefix+confirmPath {
		a.once(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// admit says why a request may not go on.
func (a *API) admit(r *http.Request) error {
	who := edge.Actor(r.Context())
	if who.Person == "" {
		if signed, ok := edge.In(r.Context()); ok && signed.Person.MustChange {
			return edge.ErrMustChange
		}
		return edge.ErrUnsigned
	}
	return a.pace.enter(string(who.Person), a.clock.Now())
}

// nothingHere answers what no route answers: 405 where another method would do, else 404.
func (a *API) nothingHere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.writeProblem(w, r, edge.ProblemOf(ward.ErrNotFound))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.writeProblem(w, r, edge.Problem{Status: http.StatusMethodNotAllowed, Code: "method", Title: "Method not allowed", Detail: "this address takes " + strings.Join(allowed, ", ")})
}

// An option changes a route's description.
type option func(*huma.Operation)

// created is for a route that makes something.
func created(o *huma.Operation) { o.DefaultStatus = http.StatusCreated }

// document adds what a route does, where its summary is not enough.
func document(text string) option { return func(o *huma.Operation) { o.Description = text } }

// route registers one operation. Its handler is given the actor and returns ward's errors.
func route[I, O any](a *API, method, path, tag, summary string, handle func(ctx context.Context, who ward.Actor, in *I) (*O, error), options ...option) {
	op := huma.Operation{
		Method: method, Path: prefix + path, Tags: []string{tag}, Summary: summary, OperationID: operationID(method, path),
		MaxBodyBytes: a.options.MostBody, BodyReadTimeout: 30 * time.Second,
	}
	if method == http.MethodDelete {
		op.DefaultStatus = http.StatusNoContent
	}
	for _, o := range options {
		o(&op)
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, edge.Actor(ctx), in)
		if err != nil {
			return nil, a.problem(ctx, err, in)
		}
		return out, nil
	})
}

// operationID is the method and the words of the path: "get-alerts-alert".
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-", "_", "-").Replace(path)
}

// Paging is the stretch of a list that a caller asks for.
type Paging struct {
	After string `query:"after" maxLength:"1000" doc:"next of the page before; leave it out for the first page"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// Page is a stretch of a list.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"for after; absent on the last page"`
}

// Listed is the answer that carries a page.
type Listed[T any] struct{ Body Page[T] }

// listed turns a room's page into the API's shape.
func listed[W, T any](page ward.Page[W], err error, shape func(W) T) (*Listed[T], error) {
	if err != nil {
		return nil, err
	}
	return &Listed[T]{Page[T]{shapes(page.Items, shape), page.Next}}, nil
}

func shapes[W, T any](items []W, shape func(W) T) []T {
	all := make([]T, len(items))
	for i, item := range items {
		all[i] = shape(item)
	}
	return all
}

// part cuts the page asked for out of a whole list, whose cursor is the place of its last item.
func part[W any](items []W, err error, p Paging) (ward.Page[W], error) {
	if err != nil {
		return ward.Page[W]{}, err
	}
	from := 0
	if p.After != "" {
		if from, err = strconv.Atoi(p.After); err != nil || from < 0 {
			return ward.Page[W]{}, &ward.Invalid{Field: "after", Problem: "is not a cursor of this list", Hint: "take it from the page before, or leave it out"}
		}
	}
	from = min(from, len(items))
	page := ward.Page[W]{Items: items[from:min(from+p.Limit, len(items))]}
	if to := from + p.Limit; to < len(items) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

// One is the answer that carries one thing.
type One[T any] struct{ Body T }

func one[W, T any](item W, err error, shape func(W) T) (*One[T], error) {
	if err != nil {
		return nil, err
	}
	return &One[T]{shape(item)}, nil
}

// Versioned is the answer that carries one thing that can be changed, with its version.
type Versioned[T any] struct {
	ETag string `header:"ETag" doc:"for If-Match"`
	Body T
}

func versioned[W, T any](item W, version int, err error, shape func(W) T) (*Versioned[T], error) {
	if err != nil {
		return nil, err
	}
	return &Versioned[T]{strconv.Quote(strconv.Itoa(version)), shape(item)}, nil
}

// Match is the version that a caller changes.
type Match struct {
	IfMatch string `header:"If-Match" maxLength:"100" doc:"the ETag that was read; needed"`
}

// errNoMatch is a change without If-Match.
var errNoMatch = errors.New("send the ETag that you read in If-Match")

func (m Match) version() (int, error) {
	if m.IfMatch == "" {
		return 0, errNoMatch
	}
	version, err := strconv.Atoi(strings.Trim(m.IfMatch, `"`))
	if err != nil || m.IfMatch != strconv.Quote(strconv.Itoa(version)) {
		return 0, &ward.Invalid{Field: "If-Match", Problem: "is not an ETag of this API", Hint: `send it as it was read, such as "3"`}
	}
	return version, nil
}

func (m Match) conditional() {}

// Done is an answer without a body.
type Done struct{}

// Upload hands a request's body to a handler as it arrives.
type Upload struct{ body io.Reader }

// Resolve implements huma.Resolver.
func (u *Upload) Resolve(ctx huma.Context) []error {
	u.body = ctx.BodyReader()
	if err := ctx.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return []error{err}
	}
	return nil
}

// takes documents the types of the body that is uploaded to a path. Afterwards, because an operation that is registered
// with a body has it read into memory.
func (a *API) takes(path string, types ...string) {
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	for _, t := range types {
		body.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	a.huma.OpenAPI().Paths[prefix+path].Post.RequestBody = body
}

// encoded is v as one line of JSON.
func encoded(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return text
}
