package indicators

import "bytes"

// Nearly every value is one thing as a whole, written as keys have it: an address, a name in small letters, a URL. The ways here
// find that out in one pass, and use the value's own bytes as the key. They find what the ways of look.go find, and leave to
// those all that is written otherwise.

// What a byte may stand in as it is:
const (
	inName = 1 << iota // the name of a host, in small letters
	inRest             // what follows the host of a URL
)

var stands = func() (out [256]uint8) {
	for i := range out {
		if c := byte(i); hostByte[c] && c < 0x80 && (c < 'A' || c > 'Z') && c != '.' {
			out[i] |= inName
		}
		if plain[i] && i != '#' {
			out[i] |= inRest
		}
	}
	return out
}()

// nameEnd is where the name of a host ends that begins the text and is written as keys have it; 0 if none does. last is where its
// last dot is.
func nameEnd(t []byte) (end, last int) {
	last = -1
	for end < len(t) {
		if stands[t[end]]&inName != 0 {
			end++
			continue
		}
		if t[end] != '.' {
			break
		}
		if end-last-1 == 0 || end-last-1 > longestLabel {
			return 0, 0
		}
		last = end
		end++
	}
	if last < 0 || end < 4 || end > longestHost || end-last-1 == 0 || end-last-1 > longestLabel || t[0] == '-' || t[end-1] == '-' {
		return 0, 0
	}
	return end, last
}

// whole looks at a value that is an address of IPv4 or a name, and nothing else.
func (l *look) whole(t []byte) bool {
	if l.seenAddress(t) {
		return true
	}
	end, last := nameEnd(t)
	if end == 0 || end < len(t) {
		return false
	}
	if l.seeks.has(names) {
		l.probe(t, shown{file, t})
	}
	if l.seeks.has(domains) && !l.path && topLevel(t[last+1:]) {
		l.domain(t, t)
	}
	return true
}

// seenAddress looks for the address that the text is, if it is one.
func (l *look) seenAddress(t []byte) bool {
	if t[0] < '0' || t[0] > '9' {
		return false
	}
	ip, ok := parse4(t)
	if ok && l.seeks.has(addresses) {
		l.address(ip[:], t)
	}
	return ok
}

// webURL looks at a value that is a URL of the web, and returns from where on it was not seen yet: 0 if it is written otherwise
// than keys are.
func (l *look) webURL(t []byte, host int) int {
	scheme := t[:host-len(schemeEnd)]
	if string(scheme) != "https" && string(scheme) != "http" || len(t) > longestURL/2 {
		return 0
	}
	key := t[host:]
	end, last := nameEnd(key)
	if end == 0 || end == len(key) || key[end] != '/' || !standsAsRest(key[end:]) {
		return 0
	}
	l.urls = len(t)
	l.urlKey(t, key)
	if name := key[:end]; !l.seenAddress(name) && l.seeks.has(domains) && topLevel(name[last+1:]) {
		l.domain(name, name)
	}
	return host + end
}

// standsAsRest says whether what follows a host is as keys have it, with no segment that begins with a dot.
func standsAsRest(t []byte) bool {
	before := byte(0)
	for _, c := range t {
		if stands[c]&inRest == 0 || c == '.' && before == '/' {
			return false
		}
		before = c
	}
	return true
}

// domain looks for a name and for those above it.
func (l *look) domain(text, name []byte) {
	it := shown{domain, name}
	l.probe(text, it)
	for i := bytes.IndexByte(name, '.'); i >= 0; {
		above := name[i+1:]
		j := bytes.IndexByte(above, '.')
		if j < 0 {
			break // a top level alone
		}
		l.probeFor(text, it, domain, above)
		i += 1 + j
	}
}

// small says whether a text is folded as it stands.
func small(t []byte) bool {
	for _, c := range t {
		if c >= 0x80 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
