package know

import "strings"

// Classes in a Python version, in the order of PEP 440: 1.dev1 < 1a1.dev1 < 1a1 < 1a1.post1 < 1b1 < 1rc1 < 1 < 1+local < 1.post1.
const (
	pypiLegacy = 0x10
	pypiPEP440 = 0x20

	pypiDevOnly   = 0x10 // a development release of the release itself
	pypiAlpha     = 0x20
	pypiBeta      = 0x30
	pypiCandidate = 0x40
	pypiRelease   = 0x50

	pypiNoPost = 0x10
	pypiPost   = 0x20
	pypiDev    = 0x10
	pypiNoDev  = 0x20

	pypiLocalEnd  = 0x10
	pypiLocalText = 0x20
	pypiLocalNum  = 0x30
)

// pypiEarly gives the class of each spelling of a pre-release.
var pypiEarly = map[string]byte{
	"a": pypiAlpha, "alpha": pypiAlpha, "b": pypiBeta, "beta": pypiBeta,
	"c": pypiCandidate, "rc": pypiCandidate, "pre": pypiCandidate, "preview": pypiCandidate,
}

var (
	pypiEarlyWords = []string{"a", "alpha", "b", "beta", "c", "rc", "pre", "preview"}
	pypiPostWords  = []string{"post", "rev", "r"}
	pypiDevWords   = []string{"dev"}
)

// pypiKey reads PEP 440. Text that is not PEP 440 is from before it; advisories name such releases, and setuptools' older order
// holds for them, below all of PEP 440.
func pypiKey(key []byte, version string) []byte {
	version = strings.ToLower(version)
	if made, ok := pep440Key(append(key, pypiPEP440), version); ok {
		return made
	}
	return legacyKey(append(key, pypiLegacy), version)
}

func pep440Key(key []byte, version string) ([]byte, bool) {
	rest := strings.TrimPrefix(version, "v")
	rest, local, hasLocal := strings.Cut(rest, "+")
	epoch := "0"
	if n := digits(rest); n > 0 && n < len(rest) && rest[n] == '!' {
		epoch, rest = rest[:n], rest[n+1:]
	}
	key = appendNumber(append(key, keyNumber), epoch)

	zeros := 0
	for first := true; ; first = false {
		if !first {
			if len(rest) < 2 || rest[0] != '.' || !digit(rest[1]) {
				break
			}
			rest = rest[1:]
		}
		n := digits(rest)
		if n == 0 {
			return nil, false
		}
		if strings.Trim(rest[:n], "0") == "" {
			zeros++
		} else {
			for ; zeros > 0; zeros-- {
				key = append(key, keyNumber, 0)
			}
			key = appendNumber(append(key, keyNumber), rest[:n])
		}
		rest = rest[n:]
	}
	key = append(key, keyEnd)

	early, earlyNo, rest := pypiPart(rest, pypiEarlyWords)
	post, postNo, rest := pypiPart(rest, pypiPostWords)
	if post == "" && len(rest) > 1 && rest[0] == '-' && digit(rest[1]) { // 1.0-1 is 1.0.post1
		n := 1 + digits(rest[1:])
		post, postNo, rest = "post", rest[1:n], rest[n:]
	}
	dev, devNo, rest := pypiPart(rest, pypiDevWords)
	if rest != "" {
		return nil, false
	}
	switch {
	case early != "":
		key = appendNumber(append(key, pypiEarly[early]), earlyNo)
	case post == "" && dev != "":
		key = append(key, pypiDevOnly)
	default:
		key = append(key, pypiRelease)
	}
	if key = append(key, pypiNoPost); post != "" {
		key[len(key)-1] = pypiPost
		key = appendNumber(key, postNo)
	}
	if key = append(key, pypiNoDev); dev != "" {
		key[len(key)-1] = pypiDev
		key = appendNumber(key, devNo)
	}
	if !hasLocal {
		return append(key, pypiLocalEnd), true
	}
	return appendLocal(key, local)
}

// appendLocal writes a local version: numbers above words, and more above fewer.
func appendLocal(key []byte, local string) ([]byte, bool) {
	for rest := local; ; {
		n := strings.IndexAny(rest, ".-_")
		if n < 0 {
			n = len(rest)
		}
		switch part := rest[:n]; {
		case part == "" || !alphanumeric(part, ""):
			return nil, false
		case number(part):
			key = appendNumber(append(key, pypiLocalNum), part)
		default:
			key = append(append(append(key, pypiLocalText), part...), 0)
		}
		if n == len(rest) {
			return append(key, pypiLocalEnd), true
		}
		rest = rest[n+1:]
	}
}

// pypiPart takes [separator] word [separator] [number] off the front of text, for the longest of the words.
func pypiPart(text string, words []string) (word, no, rest string) {
	rest = pypiSeparator(text)
	for _, w := range words {
		if len(w) > len(word) && strings.HasPrefix(rest, w) {
			word = w
		}
	}
	if word == "" {
		return "", "", text
	}
	rest = pypiSeparator(rest[len(word):])
	n := digits(rest)
	return word, rest[:n], rest[n:]
}

func pypiSeparator(text string) string {
	if text != "" && strings.IndexByte(".-_", text[0]) >= 0 {
		return text[1:]
	}
	return text
}

// legacyKey writes the parts by which setuptools ordered versions before PEP 440: numbers by their digits, filled up to eight,
// below words, where "final" stands at the end and words before it are pre-releases.
func legacyKey(key []byte, version string) []byte {
	const zero, hyphen, final = "00000000", "*final-", "*final"
	var parts []string
	for rest := version; rest != ""; {
		n, part := 1, ""
		switch ch := rest[0]; {
		case digit(ch):
			n = digits(rest)
			part = strings.Repeat("0", max(0, len(zero)-n)) + rest[:n]
		case ascii(ch):
			n = letters(rest)
			switch part = rest[:n]; part {
			case "pre", "preview", "rc":
				part = "c"
			case "dev":
				part = "@"
			}
			part = "*" + part
		case ch == '-':
			part = hyphen
		case ch != '.':
			for n < len(rest) && !digit(rest[n]) && !ascii(rest[n]) && rest[n] != '.' && rest[n] != '-' {
				n++
			}
			part = "*" + rest[:n]
		}
		rest = rest[n:]
		if part != "" {
			parts = appendLegacy(parts, part, zero, hyphen, final)
		}
	}
	for _, part := range appendLegacy(parts, final, zero, hyphen, final) {
		key = append(append(key, part...), 0)
	}
	return key
}

// appendLegacy drops the hyphens before a pre-release, and the zeros that end a series of numbers.
func appendLegacy(parts []string, part, zero, hyphen, final string) []string {
	if part[0] == '*' {
		for part < final && len(parts) > 0 && parts[len(parts)-1] == hyphen {
			parts = parts[:len(parts)-1]
		}
		for len(parts) > 0 && parts[len(parts)-1] == zero {
			parts = parts[:len(parts)-1]
		}
	}
	return append(parts, part)
}
