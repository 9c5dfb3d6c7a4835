package feeds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"time"
)

// Fetcher gets files over HTTP into temporary files. Its zero value is ready.
type Fetcher struct {
	Client    *http.Client                                     // default: one with time limits
	UserAgent string                                           // default "wardwatch"
	Tries     int                                              // in all; default 5
	Wait      func(ctx context.Context, d time.Duration) error // between tries; default sleeps
	MostBytes int64                                            // of one file; default 4 GiB

	header, value string // a credential, for the host that is asked alone
}

// as is the fetcher with a source's credential.
func (f *Fetcher) as(source Source) *Fetcher {
	keyed, ok := source.(Keyed)
	if !ok {
		return f
	}
	own := *f
	own.header, own.value = keyed.Credential()
	if own.value == "" {
		return f
	}
	client := *standard
	if f.Client != nil {
		client = *f.Client
	}
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("more than ten redirects")
		}
		if next.URL.Host != via[0].URL.Host || next.URL.Scheme != via[0].URL.Scheme {
			next.Header.Del(own.header)
		}
		return nil
	}
	own.Client = &client
	return &own
}

// Validators tell the publisher which version we have.
type Validators struct{ ETag, LastModified string }

// Fetched is a file that was got.
type Fetched struct {
	Path       string // temporary: call Remove
	Name       string // the last part of the URL's path
	Size       int64
	Validators // of this version
}

// Remove removes the temporary file.
func (f Fetched) Remove() { _ = os.Remove(f.Path) }

// ErrNotModified says that the publisher has nothing newer.
var ErrNotModified = errors.New("not modified")

const (
	firstWait = time.Second
	mostWait  = time.Minute
	// A publisher that asks for more patience than this is tried again at the feed's next turn.
	mostPatience = 5 * time.Minute
	stallAfter   = time.Minute // without a byte
)

// standard has no overall limit, since a large archive on a slow line is no failure; a stall is (see Get).
var standard = &http.Client{Transport: &http.Transport{
	Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 15 * time.Second,
	ResponseHeaderTimeout: time.Minute, IdleConnTimeout: 30 * time.Second,
}}

// again is an answer after which another try is worth it.
type again struct {
	error
	after time.Duration // that the publisher asked for; 0: as we see fit
}

func (a again) Unwrap() error { return a.error }

// Get gets a file. It tries again after network errors, cut-off bodies, 429 and 5xx, waiting longer each time, at random
// within it, or as long as the publisher asks. ErrNotModified when what have names is still the newest.
func (f *Fetcher) Get(ctx context.Context, address string, have Validators) (Fetched, error) {
	tries := f.Tries
	if tries == 0 {
		tries = 5
	}
	wait := firstWait
	for try := 1; ; try++ {
		got, err := f.once(ctx, address, have)
		retry, ok := errors.AsType[again](err)
		if !ok || ctx.Err() != nil {
			return got, err
		}
		pause := wait/2 + rand.N(wait/2+1)
		if retry.after > 0 {
			pause = retry.after
		}
		if try == tries || pause > mostPatience {
			return Fetched{}, fmt.Errorf("%w (after %d tries)", retry.error, try)
		}
		if err := f.wait(ctx, pause); err != nil {
			return Fetched{}, err
		}
		wait = min(2*wait, mostWait)
	}
}

func (f *Fetcher) wait(ctx context.Context, d time.Duration) error {
	if f.Wait != nil {
		return f.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (f *Fetcher) once(ctx context.Context, address string, have Validators) (got Fetched, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return got, fmt.Errorf("feeds: %w", err)
	}
	agent := f.UserAgent
	if agent == "" {
		agent = "wardwatch"
	}
	request.Header.Set("User-Agent", agent)
	if f.value != "" {
		request.Header.Set(f.header, f.value)
	}
	if have.ETag != "" {
		request.Header.Set("If-None-Match", have.ETag)
	}
	if have.LastModified != "" {
		request.Header.Set("If-Modified-Since", have.LastModified)
	}
	client := f.Client
	if client == nil {
		client = standard
	}
	response, err := client.Do(request)
	if err != nil {
		return got, again{error: fmt.Errorf("feeds: %w", err)}
	}
	defer response.Body.Close()
	switch status := response.StatusCode; {
	case status == http.StatusOK:
	case status == http.StatusNotModified && have != Validators{}:
		return got, ErrNotModified
	case status == http.StatusTooManyRequests, status >= 500, status == http.StatusRequestTimeout:
		return got, again{fmt.Errorf("feeds: %s: %s", address, response.Status), patience(response)}
	default:
		return got, &Refused{response.StatusCode, address}
	}
	file, err := os.CreateTemp("", "wardwatch-feed-*")
	if err != nil {
		return got, fmt.Errorf("feeds: %w", err)
	}
	defer file.Close()
	stall := time.AfterFunc(stallAfter, func() { cancel(fmt.Errorf("no byte for %s", stallAfter)) })
	defer stall.Stop()
	most := f.MostBytes
	if most == 0 {
		most = 4 << 30
	}
	body := &alive{r: io.LimitReader(response.Body, most+1), beat: func() { stall.Reset(stallAfter) }}
	size, err := io.Copy(file, body)
	switch {
	case err != nil:
		_ = os.Remove(file.Name())
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return got, again{error: fmt.Errorf("feeds: %s: after %d bytes: %w", address, size, err)}
	case size > most:
		_ = os.Remove(file.Name())
		return got, fmt.Errorf("feeds: %s: larger than %d MiB", address, most>>20)
	}
	return Fetched{Path: file.Name(), Name: nameOf(address), Size: size,
		Validators: Validators{response.Header.Get("ETag"), response.Header.Get("Last-Modified")}}, nil
}

// alive tells of every byte that comes.
type alive struct {
	r    io.Reader
	beat func()
}

func (a *alive) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if n > 0 {
		a.beat()
	}
	return n, err
}

// patience is how long the publisher asks us to wait.
func patience(response *http.Response) time.Duration {
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	// Both dates are the publisher's, so our own clock does not matter.
	from, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil || until.Before(from) {
		return 0
	}
	return until.Sub(from)
}

func nameOf(address string) string {
	if u, err := url.Parse(address); err == nil && path.Base(u.Path) != "/" && path.Base(u.Path) != "." {
		return path.Base(u.Path)
	}
	return "feed"
}
