package watch

import "bytes"

// SyslogHost is the host that a syslog message says it is from, without reading more of it; empty where it says none.
func SyslogHost(line []byte) []byte {
	rest := bytes.TrimPrefix(line, []byte("\ufeff"))
	if len(rest) < 3 || rest[0] != '<' {
		return nil
	}
	end := bytes.IndexByte(rest[:min(5, len(rest))], '>')
	if end < 2 || !allDigits(rest[1:end]) {
		return nil
	}
	rest = rest[end+1:]
	if len(rest) > 2 && rest[0] == '1' && rest[1] == ' ' { // RFC 5424
		_, rest, _ = bytes.Cut(rest[2:], []byte(" "))
		host, _, ok := bytes.Cut(rest, []byte(" "))
		if !ok || string(host) == "-" {
			return nil
		}
		return host
	}
	// RFC 3164, or with a time as RFC 3339 has it
	switch {
	case len(rest) > 16 && rest[3] == ' ' && rest[6] == ' ' && rest[9] == ':' && rest[12] == ':' && rest[15] == ' ':
		rest = rest[16:]
	case len(rest) > 20 && rest[4] == '-' && rest[10] == 'T':
		_, rest, _ = bytes.Cut(rest, []byte(" "))
	default:
		return nil
	}
	host, _, ok := bytes.Cut(rest, []byte(" "))
	if !ok || len(host) == 0 || host[len(host)-1] == ':' || bytes.IndexByte(host, '[') >= 0 { // the program, of a message without a host
		return nil
	}
	return host
}
