// Package http takes events in over HTTP, in the shapes that senders have: NDJSON, plain lines, Elasticsearch's _bulk, Splunk's
// HTTP Event Collector, and OTLP logs as JSON. In: requests of senders whom a token or a certificate makes an organisation's. Out:
// events to an Intake. It answers that something was taken only when it is durable, and says of each event that it did not take
// why.
package http

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/ingest"
)

// Senders says whose a credential is; ingest.Senders is one.
type Senders interface {
	ByToken(ctx context.Context, token string) (ingest.Sender, error)
	ByCertificate(ctx context.Context, der []byte) (ingest.Sender, error)
}

// Options are what a Door needs.
type Options struct {
	Senders Senders
	Intake  ingest.Intake
	Log     *slog.Logger
	MaxBody int64         // bytes of a request as it is unpacked; default 32 MB
	MaxWait time.Duration // for an acknowledgement; default 30 seconds
}

const (
	defaultBody = 32 << 20
	defaultWait = 30 * time.Second
	maxEvent    = 4 << 20
)

// New makes the handler.
func New(o Options) http.Handler {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultBody
	}
	if o.MaxWait <= 0 {
		o.MaxWait = defaultWait
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &door{Options: o}
	mux := http.NewServeMux()
	for pattern, shape := range map[string]shape{
		"POST /v1/events":                    events,
		"POST /_bulk":                        bulk,
		"PUT /_bulk":                         bulk,
		"POST /{index}/_bulk":                bulk,
		"POST /services/collector":           collector,
		"POST /services/collector/event":     collector,
		"POST /services/collector/event/1.0": collector,
		"POST /services/collector/raw":       rawCollector,
		"POST /services/collector/raw/1.0":   rawCollector,
		"POST /v1/logs":                      logs,
	} {
		mux.HandleFunc(pattern, d.take(shape))
	}
	mux.HandleFunc("GET /services/collector/health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"text": "HEC is healthy", "code": 17})
	})
	for _, pattern := range []string{"POST /services/collector/ack", "POST /services/collector/ack/1.0"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if _, err := d.sender(r.Context(), r); err != nil {
				failed(w, statusOf(err), err)
				return
			}
			acknowledge(w, r)
		})
	}
	d.elastic(mux)
	return mux
}

type door struct {
	Options
	acks atomic.Int64 // numbers of acknowledgements that were given
}

// A request is one that is being taken.
type request struct {
	*http.Request
	body   []byte
	sender ingest.Sender
	source string // of events that say none
	batch  string // that makes a repeat of the request known as one
	taken  []watch.Arrival
	bad    []badEvent
	number func() int64 // the next number of an acknowledgement
}

type badEvent struct {
	at  int // of the request; 0 is the first
	err error
	raw []byte
}

// add takes an event, whose place in the request is its number in the batch.
func (r *request) add(at int, format watch.Format, source string, raw []byte) {
	a := watch.Arrival{Source: source, Format: format, Raw: raw}
	if source == "" {
		a.Source = r.source
	}
	if r.batch != "" {
		a.Batch, a.Sequence = r.batch, int64(at+1)
	}
	r.taken = append(r.taken, a)
}

func (r *request) refuse(at int, err error, raw []byte) {
	r.bad = append(r.bad, badEvent{at, err, raw[:min(len(raw), ingest.SampleBytes)]})
}

// A shape reads a body and answers in its own words. read fills in the events; answer is called when they are durable.
type shape struct {
	read   func(r *request) error
	answer func(w http.ResponseWriter, r *request)
	fail   func(w http.ResponseWriter, status int, err error)
}

// What is wrong with a whole request.
var (
	errCredential = errors.New("the credential is no sender's: make one with wardwatch sender add")
	errTooLarge   = errors.New("the body is larger than a request may be: send fewer events at a time")
	errPacked     = errors.New("the body cannot be unpacked: it is gzip, zstd or plain")
)

func (d *door) take(s shape) http.HandlerFunc {
	return func(w http.ResponseWriter, from *http.Request) {
		ctx, stop := context.WithTimeout(from.Context(), d.MaxWait)
		defer stop()
		r := &request{Request: from, batch: from.Header.Get("Wardwatch-Batch"), source: clean(from.Header.Get("Wardwatch-Source")), number: func() int64 { return d.acks.Add(1) - 1 }}
		if err := d.serve(ctx, w, r, s); err != nil {
			status := statusOf(err)
			if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", strconv.Itoa(retryAfter(err)))
			}
			if status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="wardwatch"`)
			}
			s.fail(w, status, err)
		}
	}
}

func (d *door) serve(ctx context.Context, w http.ResponseWriter, r *request, s shape) (err error) {
	if r.sender, err = d.sender(ctx, r.Request); err != nil {
		return err
	}
	if r.source == "" {
		r.source = r.sender.Name
	}
	if len(r.batch) > 100 || strings.HasPrefix(r.batch, "~") {
		return &ward.Invalid{Field: "Wardwatch-Batch", Problem: "is longer than 100 bytes, or begins with '~'"}
	}
	if err := d.Intake.Room(r.sender, int(max(0, min(r.ContentLength, d.MaxBody)))); err != nil {
		return err
	}
	if r.body, err = d.unpack(w, r.Request); err != nil {
		return err
	}
	if err := s.read(r); err != nil {
		d.Intake.Dead(r.sender, r.source, err, r.body)
		return err
	}
	for _, bad := range r.bad {
		d.Intake.Dead(r.sender, r.source, bad.err, bad.raw)
	}
	receipt, err := d.Intake.Take(ctx, r.sender, r.taken)
	if err != nil {
		return err
	}
	if receipt != nil {
		if err := receipt.Wait(ctx); err != nil {
			return fmt.Errorf("not stored, send it again: %w", err)
		}
	}
	s.answer(w, r)
	return nil
}

// sender is whose the request is.
func (d *door) sender(ctx context.Context, r *http.Request) (ingest.Sender, error) {
	var who ingest.Sender
	err := errCredential
	if token := credential(r); token != "" {
		who, err = d.Senders.ByToken(ctx, token)
	} else if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		who, err = d.Senders.ByCertificate(ctx, r.TLS.PeerCertificates[0].Raw)
	}
	if errors.Is(err, ward.ErrNotFound) {
		err = errCredential
	}
	return who, err
}

// credential is the token of a request, in whichever way its kind of sender gives one.
func credential(r *http.Request) string {
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(kind) {
	case "bearer", "splunk":
		return value
	case "apikey": // Elasticsearch: base64 of id:key
		plain, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return value
		}
		_, key, _ := strings.Cut(string(plain), ":")
		return key
	case "basic":
		_, password, _ := r.BasicAuth()
		return password
	}
	return ""
}

// unpack reads the body, which must not be larger than it may be when it is unpacked.
func (d *door) unpack(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, d.MaxBody)
	switch packed := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); packed {
	case "", "identity":
	case "gzip":
		opened, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errPacked, err)
		}
		body = opened
	case "zstd":
		opened, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errPacked, err)
		}
		defer opened.Close()
		body = opened
	default:
		return nil, errPacked
	}
	var all bytes.Buffer
	n, err := io.Copy(&all, io.LimitReader(body, d.MaxBody+1))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large) || n > d.MaxBody:
		return nil, errTooLarge
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	return all.Bytes(), nil
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, errCredential):
		return http.StatusUnauthorized
	case errors.Is(err, ingest.ErrBusy):
		return http.StatusTooManyRequests
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errPacked), errors.Is(err, ward.ErrInvalid), errors.Is(err, errShape):
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}

func retryAfter(err error) int {
	var busy *ingest.Busy
	if errors.As(err, &busy) {
		return int(math.Ceil(busy.After.Seconds()))
	}
	return 5
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked is gone
}

// problem is an error as RFC 9457 writes it.
func problem(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": err.Error()})
}

// longestSource is how much of a source's name counts.
const longestSource = 255

// clean is a source's name of printable characters, or none.
func clean(name string) string {
	if len(name) > longestSource || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return ""
	}
	return strings.TrimSpace(name)
}
