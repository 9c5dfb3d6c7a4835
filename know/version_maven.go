package know

import "strings"

// Classes of a token in a Maven version, in the order of the POM reference: a qualifier before the release, its absence, "sp",
// any other qualifier, a number after a hyphen, a number after a dot. A zero after a hyphen in front of something early is
// itself just before the release: 1-0.alpha < 1.
const (
	mavenBefore   = 0x10 // plus the rank of the qualifier
	mavenZeroLess = 0x18
	mavenEnd      = 0x20
	mavenSP       = 0x30
	mavenWord     = 0x31
	mavenHyphen   = 0x40
	mavenDot      = 0x50
)

// mavenQualifiers gives the class of each known qualifier; mavenEnd is the release.
var mavenQualifiers = map[string]byte{
	"alpha": mavenBefore, "beta": mavenBefore + 1, "milestone": mavenBefore + 2, "rc": mavenBefore + 3, "cr": mavenBefore + 3,
	"snapshot": mavenBefore + 4, "ga": mavenEnd, "final": mavenEnd, "release": mavenEnd, "sp": mavenSP,
}

// mavenShort are the letters that stand for a qualifier when a digit follows.
var mavenShort = map[string]byte{"a": mavenBefore, "b": mavenBefore + 1, "m": mavenBefore + 2}

// A mavenToken is a number or a qualifier with what stands before it.
type mavenToken struct {
	class byte   // mavenDot and mavenHyphen are numbers
	text  string // digits without leading zeros, or an unknown qualifier
	dot   bool   // after a dot, else after a hyphen or a change between digits and letters
}

func (t mavenToken) number() bool { return t.class >= mavenHyphen }
func (t mavenToken) null() bool   { return t.class == mavenEnd || t.number() && t.text == "" }

// mavenKey reads any text: every text is a Maven version.
func mavenKey(key []byte, version string) ([]byte, string) {
	var room [16]mavenToken
	tokens := mavenTrim(mavenTokens(room[:0], strings.ToLower(version)))
	early := false // what follows is before the release
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].null() {
			if early && tokens[i].class == mavenHyphen {
				tokens[i].class = mavenZeroLess
			}
			continue
		}
		early = tokens[i].class < mavenEnd
	}
	for _, t := range tokens {
		key = append(key, t.class)
		switch {
		case t.number():
			key = appendNumber(key, t.text)
		case t.class == mavenWord:
			key = append(append(key, t.text...), 0)
		}
	}
	return append(key, mavenEnd), ""
}

// mavenTokens splits at dots, at hyphens, and between digits and other characters. An empty token is 0.
func mavenTokens(tokens []mavenToken, version string) []mavenToken {
	dot := true
	for rest := version; ; {
		n := digits(rest)
		if n > 0 || rest == "" || rest[0] == '.' || rest[0] == '-' {
			t := mavenToken{class: mavenHyphen, text: strings.TrimLeft(rest[:n], "0"), dot: dot}
			if dot {
				t.class = mavenDot
			}
			tokens = append(tokens, t)
		} else {
			for n < len(rest) && !digit(rest[n]) && rest[n] != '.' && rest[n] != '-' {
				n++
			}
			t := mavenToken{class: mavenWord, text: rest[:n], dot: dot}
			if known, ok := mavenQualifiers[rest[:n]]; ok {
				t.class = known
			} else if short, ok := mavenShort[rest[:n]]; ok && n < len(rest) && digit(rest[n]) {
				t.class = short
			}
			tokens = append(tokens, t)
		}
		if rest = rest[n:]; rest == "" {
			return tokens
		}
		if dot = rest[0] == '.'; dot || rest[0] == '-' {
			rest = rest[1:]
		}
	}
}

// mavenTrim drops nulls (0, "final", "ga", "release") at the end, before each hyphen and before each qualifier, but neither the
// first token nor a zero that stands after a hyphen of its own.
func mavenTrim(tokens []mavenToken) []mavenToken {
	kept := len(tokens) // tokens[kept:] are done
	for i := len(tokens) - 1; i >= 0; i-- {
		t := tokens[i]
		if i > 0 && t.null() {
			if kept == len(tokens) {
				continue
			}
			next := tokens[kept]
			if (!next.number() || !next.dot) && (t.dot || !t.number()) {
				continue
			}
		}
		if !t.number() && t.null() { // a word for the release between numbers
			t.class = mavenHyphen
			if t.dot {
				t.class = mavenDot
			}
			t.text = ""
		}
		kept--
		tokens[kept] = t
	}
	return tokens[kept:]
}
