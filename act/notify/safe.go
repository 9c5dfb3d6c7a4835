package notify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrInside is an address that a message may not be sent to, because it lies inside: an organisation types the addresses of its
// receivers, and must not be able to make this server speak to its own neighbours.
var ErrInside = errors.New("the address lies inside this network")

// notPublic are the ranges beside the standard library's private, loopback, link-local and multicast ones that no public
// receiver has: shared, special and documentation ranges, and those that carry another address inside.
var notPublic = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Public reports whether an address may be spoken to: it is public, or within what the operator allows.
func Public(addr netip.Addr, allow []netip.Prefix) bool {
	addr = addr.Unmap().WithZone("")
	for _, p := range allow {
		if p.Contains(addr) {
			return true
		}
	}
	for _, p := range notPublic {
		if p.Contains(addr) {
			return false
		}
	}
	return addr.IsGlobalUnicast() && !addr.IsPrivate()
}

// SafeClient is an HTTP client for addresses that organisations type: it speaks to public addresses alone (and those in allow),
// judged when the name is resolved, so that no name can change its mind; it goes through no proxy and follows no redirect.
func SafeClient(allow []netip.Prefix, roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !Public(at.Addr(), allow) {
			return ErrInside
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 10 * time.Second, MaxIdleConns: 32, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

// Post sends a request to an organisation's receiver, and says what its answer means: nil where it took the message.
func Post(client *http.Client, request *http.Request, now time.Time) error {
	response, err := client.Do(request)
	if err != nil {
		if errors.Is(err, ErrInside) {
			return &Refusal{Cause: Refused, Why: "its address lies inside this network, where messages are not sent", Err: err}
		}
		return &Refusal{Cause: Later, Why: "no answer: " + withoutAddress(err), Err: err}
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	why := fmt.Sprintf("it answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusNotFound, code == http.StatusGone:
		return &Refusal{Cause: Bounced, Why: why + ": nothing takes messages at that address"}
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return &Refusal{Cause: Later, Why: why, After: RetryAfter(response.Header, now)}
	case code >= 300 && code < 400:
		return &Refusal{Cause: Refused, Why: why + ": redirects are not followed, give the final address"}
	}
	return &Refusal{Cause: Refused, Why: why}
}

// RetryAfter is how long a server asks to be left alone, at most a day.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, 24*time.Hour)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), 24*time.Hour)
	}
	return 0
}

// withoutAddress is an error of a request in words that leave out its URL, which holds the right to post.
func withoutAddress(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// OwnClient is an HTTP client for an address that the operator configured: it may lie inside, and go through the machine's proxy.
func OwnClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}
