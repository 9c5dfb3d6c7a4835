package indicators

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"golang.org/x/net/publicsuffix"

	"wardwatch/ward"
	"wardwatch/watch"
)

// A key is a value as the tables hold it.
type key struct {
	kind  kind
	bytes []byte
	marks uint64
}

// digestBytes is how long each kind of digest is.
var digestBytes = map[kind]int{md5: 16, sha1: 20, sha256: 32, sha512: 64}

// Normal is the value as it is compared, under the kind that it really has: a network of one address is an address. What
// cannot be looked for is refused with a reason.
func Normal(k ward.IndicatorKind, value string) (ward.IndicatorKind, string, error) {
	key, err := parse(k, value)
	if err != nil {
		return "", "", err
	}
	return words[key.kind], key.kind.text(key.bytes), nil
}

func parse(word ward.IndicatorKind, value string) (key, error) {
	if value == "" {
		return key{}, bad("is empty")
	}
	switch word {
	case ward.IndicatorAddress, ward.IndicatorNetwork:
		return parseNetwork(value)
	case ward.IndicatorDomain:
		return parseDomain(value)
	case ward.IndicatorURL:
		return parseURL(value, false)
	case ward.IndicatorURLPrefix:
		return parseURL(strings.TrimSuffix(value, "*"), true)
	case ward.IndicatorMD5:
		return parseDigest(md5, value)
	case ward.IndicatorSHA1:
		return parseDigest(sha1, value)
	case ward.IndicatorSHA256:
		return parseDigest(sha256, value)
	case ward.IndicatorSHA512:
		return parseDigest(sha512, value)
	case ward.IndicatorEmail:
		return parseEmail(value)
	case ward.IndicatorFile:
		return parseFile(value)
	}
	if word == "" {
		return key{}, &ward.Invalid{Field: "type", Problem: "is not said, and the value's shape does not tell it"}
	}
	return key{}, &ward.Invalid{Field: "type", Problem: fmt.Sprintf("%q is no kind of indicator", word)}
}

func bad(problem string) error { return &ward.Invalid{Field: "value", Problem: problem} }

// parseNetwork reads an address, with a port or not, or a prefix of addresses.
func parseNetwork(value string) (key, error) {
	if p, err := netip.ParsePrefix(value); err == nil {
		return prefixKey(p)
	} else if strings.Contains(value, "/") {
		return key{}, bad("is no network")
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(value, "["), "]"))
	if err != nil {
		p, err := netip.ParseAddrPort(value)
		if err != nil {
			return key{}, bad("is no address")
		}
		a = p.Addr()
	}
	if a.Zone() != "" {
		return key{}, bad("has a zone, which means something on one machine only")
	}
	return key{kind: address, bytes: a.Unmap().AsSlice()}, nil
}

func prefixKey(p netip.Prefix) (key, error) {
	a, count := p.Addr(), p.Bits()
	if a.Is4In6() && count >= 96 {
		a, count = a.Unmap(), count-96
	}
	if count == 0 {
		return key{}, bad("is every address")
	}
	if count == a.BitLen() {
		return key{kind: address, bytes: a.AsSlice()}, nil
	}
	p = netip.PrefixFrom(a, count).Masked()
	return key{kind: network, bytes: append(p.Addr().AsSlice(), byte(count))}, nil
}

// parseDomain reads a name; "*." and "." before it say what is meant anyway.
func parseDomain(value string) (key, error) {
	value = strings.TrimPrefix(strings.TrimPrefix(value, "*"), ".")
	host, _ := splitPort([]byte(value))
	name, ok := appendHost(nil, host)
	if !ok || !isName(name) {
		return key{}, bad("is no domain of two labels or more")
	}
	k := key{kind: domain, bytes: name}
	if suffix, _ := publicsuffix.PublicSuffix(string(name)); len(suffix) == len(name) {
		k.marks = alone
	}
	return k, nil
}

// isName says whether a host is a name with a dot, so that it can be told from a word, and no number.
func isName(host []byte) bool {
	dot := bytes.LastIndexByte(host, '.')
	return dot > 0 && bytes.ContainsFunc(host[dot:], func(r rune) bool { return 'a' <= r && r <= 'z' })
}

// parseURL reads a URL with its scheme, or without.
func parseURL(value string, begins bool) (key, error) {
	if strings.ContainsAny(value, " \t\"<>`") {
		return key{}, bad("has a character that ends a URL")
	}
	out, host, whole, ok := appendURL(make([]byte, 0, longestURL), []byte(value))
	switch {
	case !ok || !isHost(out[hostStart(out):host]):
		return key{}, bad("is no URL with a host")
	case !whole:
		return key{}, bad(fmt.Sprintf("is longer than %d bytes", longestURL))
	case !begins:
		return key{kind: url, bytes: out}, nil
	}
	_, rest, _ := strings.Cut(value, "://")
	if rest == "" {
		rest = value
	}
	switch last := rest[strings.LastIndexByte(rest, '/')+1:]; {
	case !strings.Contains(rest, "/"):
		return key{}, bad("begins no URL: a prefix holds the host whole, and the '/' after it")
	case strings.Contains(rest, "#"):
		return key{}, bad("has a fragment, which no server is sent")
	case last == ".", last == "..", strings.Contains(last[max(0, len(last)-2):], "%"):
		return key{}, bad("ends in the middle of something")
	}
	return key{kind: prefix, bytes: out}, nil
}

func hostStart(key []byte) int {
	if i := bytes.Index(key, schemeEnd); i >= 0 && isScheme(key[:i]) {
		return i + len(schemeEnd)
	}
	return 0
}

// isHost keeps words out: what a record is searched for begins with a name that has a dot, or an address.
func isHost(t []byte) bool {
	return bytes.IndexByte(t, '.') >= 0 || bytes.IndexByte(t, ':') >= 0
}

func parseDigest(k kind, value string) (key, error) {
	digest, err := hex.DecodeString(value)
	if err != nil || len(digest) != digestBytes[k] {
		return key{}, bad(fmt.Sprintf("is no %s: that is %d hexadecimal digits", words[k], 2*digestBytes[k]))
	}
	return key{kind: k, bytes: digest}, nil
}

func parseEmail(value string) (key, error) {
	local, host, _ := strings.Cut(value, "@")
	name, ok := appendHost(nil, []byte(host))
	out, is := appendEmail(nil, []byte(local), name)
	if !ok || !is || !isName(name) || strings.ContainsFunc(local, func(r rune) bool { return r < 0x80 && !localByte[r] }) {
		return key{}, bad("is no e-mail address that records can be searched for")
	}
	return key{kind: email, bytes: out}, nil
}

// appendEmail appends an address as keys have it; the host is so already.
func appendEmail(to, local, host []byte) ([]byte, bool) {
	if len(local) == 0 || len(local) > 64 || local[0] == '.' || local[len(local)-1] == '.' {
		return to, false
	}
	return append(append(watch.Fold(to, local), '@'), host...), true
}

// localByte are the bytes before the '@' of an address that is found in a text.
var localByte = func() (out [256]bool) {
	for i := range out {
		out[i] = hostByte[i] || i == '+' || i == '%'
	}
	return out
}()

// longestName is how long a file's name may be.
const longestName = 255

func parseFile(value string) (key, error) {
	switch {
	case strings.ContainsAny(value, `/\`):
		return key{}, bad("is a path: a file is found by its name, wherever it lies")
	case len(value) > longestName:
		return key{}, bad("is longer than a file's name")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return key{}, bad("has control characters")
	case strings.TrimSpace(value) != value:
		return key{}, bad("has blanks around it")
	}
	return key{kind: file, bytes: watch.Fold(nil, []byte(value))}, nil
}

// fanged undoes what reports do to values so that nobody follows them by mistake.
var fanged = strings.NewReplacer(
	"[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[DOT]", ".", "(DOT)", ".",
	"[:]", ":", "[://]", "://", "[/]", "/", "[@]", "@", "[at]", "@", "(at)", "@", "[AT]", "@", "(AT)", "@",
)

var harmless = regexp.MustCompile(`^(?i)h(?:xx|\*\*|XX)p(s?)(?::|\[:\])`)

func refang(value string) string {
	return harmless.ReplaceAllString(fanged.Replace(value), "http$1:")
}

// guess says what a value is that stands in a list without its kind. A name with a dot is a domain where its last label is one
// of the DNS's or one set aside for use among ourselves, and a file otherwise; a list that means otherwise says the kind. A word
// is nothing.
func guess(value string) ward.IndicatorKind {
	last := strings.ToLower(value[strings.LastIndexByte(value, '.')+1:])
	switch {
	case strings.Contains(value, "://") && strings.HasSuffix(value, "*"):
		return ward.IndicatorURLPrefix
	case strings.Contains(value, "://"):
		return ward.IndicatorURL
	case isAddress(value):
		return ward.IndicatorAddress
	case strings.Contains(value, "@"):
		return ward.IndicatorEmail
	case strings.Contains(value, "/") && strings.HasSuffix(value, "*"):
		return ward.IndicatorURLPrefix
	case strings.Contains(value, "/"):
		return ward.IndicatorURL
	}
	for k, n := range digestBytes {
		if _, err := hex.DecodeString(value); err == nil && len(value) == 2*n {
			return words[k]
		}
	}
	switch {
	case !strings.Contains(value, "."):
		return ""
	case strings.Trim(value, "0123456789.") == "":
		return ward.IndicatorAddress
	case knownTop(last):
		return ward.IndicatorDomain
	}
	return ward.IndicatorFile
}

func isAddress(value string) bool {
	_, err := parseNetwork(value)
	return err == nil || isPrefix(value)
}

func isPrefix(value string) bool {
	_, err := netip.ParsePrefix(value)
	return err == nil
}

// knownTop says whether a label is a top level of the DNS's names.
func knownTop(label string) bool {
	switch label {
	case "example", "test", "invalid", "localhost", "local", "onion", "internal", "lan", "alt", "arpa":
		return true
	}
	label, _ = unicodeHost.ToASCII(label)
	_, listed := publicsuffix.PublicSuffix("x." + label)
	return listed
}
