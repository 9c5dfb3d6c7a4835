package know

import "strings"

// Classes of a character in the part of a Debian version that is not digits: ~ before the end of the part, before letters,
// before everything else.
const (
	debTilde   = 0x01
	debPartEnd = 0x02
	debOther   = 0x80 // plus the character; letters are themselves
)

// debKey follows deb-version(7). A missing epoch is 0, and so is a missing revision.
func debKey(key []byte, version string) ([]byte, string) {
	epoch, upstream, hasEpoch := strings.Cut(version, ":")
	if !hasEpoch {
		epoch, upstream = "0", version
	}
	revision := "0"
	if i := strings.LastIndexByte(upstream, '-'); i >= 0 {
		upstream, revision = upstream[:i], upstream[i+1:]
	}
	switch {
	case !number(epoch):
		return nil, "its epoch is not a number"
	case upstream == "":
		return nil, "its upstream version is empty"
	case revision == "":
		return nil, "its revision is empty"
	case !alphanumeric(upstream, ".+-~:"):
		return nil, "its upstream version has more than letters, digits and . + - ~ :"
	case !alphanumeric(revision, ".+~"):
		return nil, "its revision has more than letters, digits and . + ~"
	}
	key = appendNumber(append(key, keyNumber), epoch)
	return appendDeb(appendDeb(key, upstream), revision), ""
}

// alphanumeric reports whether text is ASCII letters, digits and characters of also.
func alphanumeric(text, also string) bool {
	for i := range len(text) {
		if ch := text[i]; !digit(ch) && !ascii(ch) && strings.IndexByte(also, ch) < 0 {
			return false
		}
	}
	return true
}

// appendDeb writes pairs of a part without digits and a number, where the end is an empty part and no number is 0.
func appendDeb(key []byte, text string) []byte {
	for text != "" {
		for text != "" && !digit(text[0]) {
			switch ch := text[0]; {
			case ch == '~':
				key = append(key, debTilde)
			case ascii(ch):
				key = append(key, ch)
			default:
				key = append(key, debOther|ch)
			}
			text = text[1:]
		}
		n := digits(text)
		key = appendNumber(append(key, debPartEnd), text[:n])
		text = text[n:]
	}
	return append(key, debPartEnd)
}

// Classes of a segment in an RPM version: ~ before the end, ^ just after it, then letters, then numbers.
const (
	rpmTilde  = 0x10
	rpmEnd    = 0x20
	rpmCaret  = 0x30
	rpmWord   = 0x40
	rpmNumber = 0x50
)

// rpmKey orders by epoch, version and release, each as rpmvercmp does; no release comes before any.
func rpmKey(key []byte, version string) ([]byte, string) {
	epoch := "0"
	if n := digits(version); n < len(version) && version[n] == ':' {
		epoch, version = version[:n], version[n+1:]
	}
	release, hasRelease := "", false
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		version, release, hasRelease = version[:i], version[i+1:], true
	}
	if version == "" {
		return nil, "it is only an epoch or a release"
	}
	key = appendRPM(appendNumber(append(key, keyNumber), epoch), version)
	if !hasRelease {
		return append(key, 0x10), ""
	}
	return appendRPM(append(key, 0x20), release), ""
}

// appendRPM writes segments of digits, of letters, ~ and ^; all else only separates them.
func appendRPM(key []byte, text string) []byte {
	for text != "" {
		n := 1
		switch ch := text[0]; {
		case ch == '~':
			key = append(key, rpmTilde)
		case ch == '^':
			key = append(key, rpmCaret)
		case digit(ch):
			n = digits(text)
			key = appendNumber(append(key, rpmNumber), text[:n])
		case ascii(ch):
			n = letters(text)
			key = append(append(append(key, rpmWord), text[:n]...), 0)
		}
		text = text[n:]
	}
	return append(key, rpmEnd)
}

// Classes of what can follow in an Alpine version, in the order of apk-tools: what marks a pre-release is before the end, and
// then the more of a version there is the later it is, a number being the most.
const (
	apkBefore     = 0x10 // plus the rank of the suffix
	apkEnd        = 0x20
	apkRevision   = 0x30
	apkUnread     = 0x38
	apkHash       = 0x40
	apkSuffixNo   = 0x50
	apkAfter      = 0x60 // plus the rank of the suffix
	apkLetter     = 0x70
	apkDigit      = 0x80
	apkZeroDigits = 0x01 // a later number with a leading zero goes by its bytes, below all without: 1.01 < 1.1, 1.010 < 1.02
	apkPlainDigit = 0x02
)

// apkSuffixes gives the class of each suffix.
var apkSuffixes = map[string]byte{
	"alpha": apkBefore, "beta": apkBefore + 1, "pre": apkBefore + 2, "rc": apkBefore + 3,
	"cvs": apkAfter, "svn": apkAfter + 1, "git": apkAfter + 2, "hg": apkAfter + 3, "p": apkAfter + 4,
}

// apkKey reads digit{.digit}{letter}{_suffix{number}}{~hash}{-r number}. As apk-tools does, it compares what follows a version
// that begins well as something, but reads no order into it: two versions that differ only there are equal.
func apkKey(key []byte, version string) ([]byte, string) {
	n := digits(version)
	if n == 0 {
		return nil, "it does not begin with a number"
	}
	key = appendNumber(append(key, apkDigit), version[:n])
	for rest, last := version[n:], byte(apkDigit); ; {
		if rest == "" {
			return append(key, apkEnd), ""
		}
		class := byte(apkUnread)
		switch ch := rest[0]; {
		case ch == '.' && last == apkDigit && digits(rest[1:]) > 0:
			class, rest = apkDigit, rest[1:]
			n = digits(rest)
			if key = append(key, class); rest[0] == '0' {
				key = append(append(append(key, apkZeroDigits), rest[:n]...), 0)
			} else {
				key = appendNumber(append(key, apkPlainDigit), rest[:n])
			}
		case digit(ch) && last == apkLetter: // 3.3.3p1, which Alpine ships
			class, n = apkDigit, digits(rest)
			key = appendNumber(append(key, class, apkPlainDigit), rest[:n])
		case ch >= 'a' && ch <= 'z' && last == apkDigit:
			class, n = apkLetter, 1
			key = append(key, class, ch)
		case digit(ch) && (last < apkEnd || last >= apkAfter && last < apkLetter):
			class, n = apkSuffixNo, digits(rest)
			key = appendNumber(append(key, class), rest[:n])
		case ch == '_' && last != apkHash && last != apkRevision:
			n = 1 + letters(rest[1:])
			if suffix, ok := apkSuffixes[rest[1:n]]; ok {
				class = suffix
				key = append(key, class)
			}
		case ch == '~' && last != apkHash && last != apkRevision:
			if n = 1 + hexadecimal(rest[1:]); n > 1 {
				class = apkHash
				key = append(append(append(key, class), rest[1:n]...), 0)
			}
		case strings.HasPrefix(rest, "-r") && last != apkRevision:
			key = append(key, apkRevision)
			if n = 2 + digits(rest[2:]); n == 2 {
				return append(key, apkZeroDigits), ""
			}
			class = apkRevision
			key = appendNumber(append(key, apkPlainDigit), rest[2:n])
		}
		if class == apkUnread {
			return append(key, class), ""
		}
		rest, last = rest[n:], class
	}
}

func hexadecimal(text string) int {
	n := 0
	for n < len(text) && strings.IndexByte("0123456789abcdef", text[n]) >= 0 {
		n++
	}
	return n
}
