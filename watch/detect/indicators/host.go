package indicators

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// How long a name in the DNS may be as text, and each of its labels.
const (
	longestHost  = 253
	longestLabel = 63
)

// unicodeHost turns a name with letters outside ASCII into the form that the DNS has: mapped (case, width, dots) and in
// punycode. Underscores stay, because names of services have them.
var unicodeHost = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// appendHost appends the name of a host as keys have it: letters small, in ASCII, without the dot at its end. It allocates
// only where the name has letters outside ASCII.
func appendHost(to, name []byte) ([]byte, bool) {
	start := len(to)
	if len(name) > 2*longestHost {
		return to, false
	}
	for _, c := range name {
		if c >= utf8.RuneSelf {
			ascii, err := unicodeHost.ToASCII(string(name))
			if err != nil || !isASCII(ascii) {
				return to[:start], false
			}
			return appendHost(to[:start], []byte(ascii))
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	if n := len(to); n > start && to[n-1] == '.' {
		to = to[:n-1]
	}
	label := 0
	for _, c := range to[start:] {
		switch {
		case c == '.':
			if label == 0 {
				return to[:start], false
			}
			label = 0
			continue
		case !hostByte[c]:
			return to[:start], false
		}
		if label++; label > longestLabel {
			return to[:start], false
		}
	}
	return to, label > 0 && len(to)-start <= longestHost
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// appendAuthorityHost appends the host of a URL: a name, an IPv4 address, or an IPv6 address in brackets.
func appendAuthorityHost(to, host []byte) ([]byte, bool) {
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		ip, ok := parse6(host[1 : n-1])
		if !ok {
			return to, false
		}
		if key := unmapped(&ip); len(key) == 4 {
			return netip.AddrFrom4([4]byte(key)).AppendTo(to), true
		}
		return append(netip.AddrFrom16(ip).AppendTo(append(to, '[')), ']'), true
	}
	return appendHost(to, host)
}

// hostByte are the bytes that a name of a host is made of, as it is met in records; dots too.
var hostByte = func() (out [256]bool) {
	for i := range out {
		c := byte(i)
		out[i] = letterOrDigit(c) || c == '-' || c == '_' || c == '.' || c >= utf8.RuneSelf
	}
	return out
}()

func letterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
