package know

import "strings"

// Classes of a segment in a Ruby gem's version. A missing segment is 0, so a run of zeros is worth what ends it: zeros in front
// of a word are below the end, and the more of them the later; zeros in front of a number are above the end.
const (
	gemWord     = 0x10
	gemZeroLess = 0x20
	gemEnd      = 0x30
	gemZeroMore = 0x40
	gemNumber   = 0x50
)

// gemKey reads Gem::Version: segments of digits and of letters, where a word makes a pre-release and a hyphen means ".pre.".
func gemKey(key []byte, version string) ([]byte, string) {
	head, tail, hyphen := strings.Cut(version, "-")
	switch {
	case !digit(version[0]):
		return nil, "it does not begin with a number"
	case !identifiers(head) || hyphen && !identifiers(tail):
		return nil, "it is not letters and digits between dots"
	}
	version = strings.ReplaceAll(version, "-", ".pre.")
	zeros, words := 0, false
	for rest := version; rest != ""; {
		switch ch := rest[0]; {
		case digit(ch):
			n := digits(rest)
			text := strings.TrimLeft(rest[:n], "0")
			rest = rest[n:]
			if text == "" {
				zeros++
				break
			}
			for ; zeros > 0; zeros-- {
				key = append(key, gemZeroMore)
			}
			key = appendNumber(append(key, gemNumber), text)
		case ascii(ch):
			n := letters(rest)
			if !words { // zeros before the first word say nothing: 1.0.a is 1.a
				zeros, words = 0, true
			}
			for ; zeros > 0; zeros-- {
				key = append(key, gemZeroLess)
			}
			key = append(append(append(key, gemWord), rest[:n]...), 0)
			rest = rest[n:]
		default:
			rest = rest[1:]
		}
	}
	return append(key, gemEnd), ""
}
