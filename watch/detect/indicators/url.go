package indicators

import "bytes"

// longestURL is how much of a URL is kept and compared, after normalising.
const longestURL = 2048

// appendURL appends a URL as keys have it, so that URLs that lead to the same place are the same bytes:
//
//   - http and https are left out with their "://", and so are the ports 80 and 443; other schemes stay, in small letters;
//   - user and password are left out, and so is the fragment;
//   - the host is in small letters, in its ASCII form, without a dot at its end; addresses are in their shortest form;
//   - the path begins with '/', and its segments "." and ".." are worked out; its case stays;
//   - percent-encoding is undone where it encodes what needs none, its digits are large, and what needs it gets it;
//   - the query stays, in its order.
//
// host is where the host ends in what was appended, port and '/' not counted. whole says that nothing was cut off for its
// length. It never writes beyond to's capacity, and so never allocates but for names outside ASCII.
func appendURL(to, raw []byte) (out []byte, host int, whole, ok bool) {
	start := len(to)
	if i := bytes.Index(raw, schemeEnd); i >= 0 && isScheme(raw[:i]) {
		if scheme := raw[:i]; !equalSmall(scheme, "http") && !equalSmall(scheme, "https") {
			if i > 32 {
				return to, 0, false, false
			}
			for _, c := range scheme {
				to = append(to, lower(c))
			}
			to = append(to, schemeEnd...)
		}
		raw = raw[i+len(schemeEnd):]
	}
	end := bytes.IndexAny(raw, "/?#")
	if end < 0 {
		end = len(raw)
	}
	authority, raw := raw[:end], raw[end:]
	if i := bytes.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	name, port := splitPort(authority)
	if to, ok = appendAuthorityHost(to, name); !ok {
		return to[:start], 0, false, false
	}
	host = len(to)
	if len(port) > 0 && string(port) != "80" && string(port) != "443" {
		to = append(append(to, ':'), port...)
	}
	to, whole = appendPath(to, raw)
	return to, host, whole, true
}

var schemeEnd = []byte("://")

// splitPort parts "host:port"; what is not a port of up to five digits stays with the host, which then is none.
func splitPort(authority []byte) (host, port []byte) {
	i := bytes.LastIndexByte(authority, ':')
	if i < 0 || len(authority)-i > 6 || bytes.IndexByte(authority[i:], ']') >= 0 {
		return authority, nil
	}
	for _, c := range authority[i+1:] {
		if c < '0' || c > '9' {
			return authority, nil
		}
	}
	return authority[:i], authority[i+1:]
}

// appendPath appends what follows the authority.
func appendPath(to, raw []byte) (out []byte, whole bool) {
	root := len(to)
	to = append(to, '/')
	segment := len(to) // where the segment that is being written began
	i := 0
	if len(raw) > 0 && raw[0] == '/' {
		i = 1
	}
	for ; ; i++ {
		end := i == len(raw) || raw[i] == '?' || raw[i] == '#'
		if end || raw[i] == '/' {
			switch string(to[segment:]) {
			case ".":
				to = to[:segment]
			case "..":
				to = to[:segment]
				if segment-1 > root {
					to = to[:root+bytes.LastIndexByte(to[root:segment-1], '/')+1]
				}
			default:
				if !end {
					to = append(to, '/')
				}
			}
			if segment = len(to); end {
				break
			}
		} else {
			to, i = appendPlain(to, raw, i)
		}
		if cap(to)-len(to) < 4 {
			return to, false
		}
	}
	if i == len(raw) || raw[i] == '#' {
		return to, true
	}
	for ; i < len(raw) && raw[i] != '#'; i++ {
		if to, i = appendPlain(to, raw, i); cap(to)-len(to) < 4 {
			return to, false
		}
	}
	return to, true
}

// appendPlain appends the character at raw[i], in the one form of percent-encoding, and returns where it ended.
func appendPlain(to, raw []byte, i int) ([]byte, int) {
	c := raw[i]
	if c == '%' && i+2 < len(raw) && nibble[raw[i+1]] < 16 && nibble[raw[i+2]] < 16 {
		c = nibble[raw[i+1]]<<4 | nibble[raw[i+2]]
		if i += 2; letterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~' {
			return append(to, c), i
		}
	} else if plain[c] {
		return append(to, c), i
	}
	return append(to, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15]), i
}

// plain are the bytes that stand in a URL as they are: all of ASCII but blanks, controls, the percent sign, and what RFC 3986
// knows no place for.
var plain = func() (out [256]bool) {
	for i := range out {
		out[i] = i > ' ' && i < 0x7f && !bytes.ContainsRune([]byte("%\"<>\\^`{|}"), rune(i))
	}
	return out
}()

// isScheme says whether the text may stand before "://".
func isScheme(t []byte) bool {
	for i, c := range t {
		letter := 'a' <= lower(c) && lower(c) <= 'z'
		later := i > 0 && (letterOrDigit(c) || c == '+' || c == '-' || c == '.')
		if !letter && !later {
			return false
		}
	}
	return len(t) > 1
}

func equalSmall(t []byte, small string) bool {
	if len(t) != len(small) {
		return false
	}
	for i, c := range t {
		if lower(c) != small[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
