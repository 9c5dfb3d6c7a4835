package indicators

// The readers below take what netip.ParseAddr takes, but for zones, from bytes and without an error to allocate.

// parse4 reads four decimal numbers without leading zeros.
func parse4(t []byte) (ip [4]byte, ok bool) {
	if len(t) < 7 || len(t) > 15 {
		return ip, false
	}
	part, digits, value := 0, 0, 0
	for _, c := range t {
		switch {
		case '0' <= c && c <= '9':
			if digits > 0 && value == 0 {
				return ip, false
			}
			if value = value*10 + int(c-'0'); value > 255 {
				return ip, false
			}
			digits++
		case c == '.' && digits > 0 && part < 3:
			ip[part] = byte(value)
			part, digits, value = part+1, 0, 0
		default:
			return ip, false
		}
	}
	ip[3] = byte(value)
	return ip, part == 3 && digits > 0
}

// parse6 reads groups of hexadecimal digits, one run of which may be left out, with an IPv4 address at the end or not.
func parse6(t []byte) (ip [16]byte, ok bool) {
	if len(t) < 2 || len(t) > 45 {
		return ip, false
	}
	gap, n := -1, 0 // where groups were left out; bytes written
	if t[0] == ':' {
		if t[1] != ':' {
			return ip, false
		}
		gap, t = 0, t[2:]
	}
	for len(t) > 0 {
		if n == 16 {
			return ip, false
		}
		value, digits := 0, 0
		for digits < len(t) {
			d := nibble[t[digits]]
			if d > 15 {
				break
			}
			if digits++; digits > 4 {
				return ip, false
			}
			value = value<<4 | int(d)
		}
		if digits == 0 {
			return ip, false
		}
		if digits < len(t) && t[digits] == '.' {
			four, is := parse4(t)
			if !is || n > 12 {
				return ip, false
			}
			n += copy(ip[n:], four[:])
			break
		}
		ip[n], ip[n+1] = byte(value>>8), byte(value)
		n += 2
		if t = t[digits:]; len(t) == 0 {
			break
		}
		if t[0] != ':' || len(t) == 1 {
			return ip, false
		}
		if t = t[1:]; t[0] == ':' {
			if gap >= 0 {
				return ip, false
			}
			gap, t = n, t[1:]
		}
	}
	if n == 16 {
		return ip, gap < 0
	}
	if gap < 0 {
		return ip, false
	}
	moved := n - gap
	copy(ip[16-moved:], ip[gap:n])
	clear(ip[gap : 16-moved])
	return ip, true
}

// unmapped is the key of an address: an IPv4 address written as IPv6 is the IPv4 address.
func unmapped(ip *[16]byte) []byte {
	for i, c := range ip[:12] {
		if i < 10 && c != 0 || i >= 10 && c != 0xff {
			return ip[:]
		}
	}
	return ip[12:]
}

// nibble is the value of a hexadecimal digit; 16 of all else.
var nibble = func() (out [256]byte) {
	for i := range out {
		switch c := byte(i); {
		case '0' <= c && c <= '9':
			out[i] = c - '0'
		case 'a' <= c && c <= 'f':
			out[i] = c - 'a' + 10
		case 'A' <= c && c <= 'F':
			out[i] = c - 'A' + 10
		default:
			out[i] = 16
		}
	}
	return out
}()
