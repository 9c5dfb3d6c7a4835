package know

import "strings"

// Classes of a part of a PHP version, in the order of version_compare: any other word, the words before a release, the end,
// numbers, patches.
const (
	composerBranch = 0x01 // a development branch by name, below all numbers
	composerText   = 0x02

	composerOther     = 0x10
	composerDev       = 0x11
	composerAlpha     = 0x12
	composerBeta      = 0x13
	composerCandidate = 0x14
	composerEnd       = 0x20
	composerNumber    = 0x30
	composerPatch     = 0x40
)

// composerStabilities gives the class of each word that Composer knows.
var composerStabilities = map[string]byte{
	"dev": composerDev, "alpha": composerAlpha, "a": composerAlpha, "beta": composerBeta, "b": composerBeta, "rc": composerCandidate,
	"patch": composerPatch, "pl": composerPatch, "p": composerPatch, "stable": composerEnd,
}

// composerWords are those that can follow the numbers.
var composerWords = []string{"alpha", "a", "beta", "b", "rc", "patch", "pl", "p", "stable"}

// composerNumbers is how many numbers Composer makes of a version: 1.0 is 1.0.0.0.
const composerNumbers = 4

// composerKey orders as Composer does: it normalises what it can read and leaves the rest to PHP's version_compare. Branches by
// name come before every number, in the order of their names; 1.x-dev is after all of 1.
func composerKey(key []byte, version string) ([]byte, string) {
	version = strings.ToLower(version)
	if i := strings.LastIndexByte(version, '@'); i > 0 { // a wish for stability, no part of the version
		if _, ok := composerStabilities[version[i+1:]]; ok {
			version = version[:i]
		}
	}
	switch version {
	case "master", "trunk", "default":
		version = "dev-" + version
	}
	if name, ok := strings.CutPrefix(version, "dev-"); ok {
		if name == "" {
			return nil, "the branch has no name"
		}
		return append(append(key, composerBranch), name...), ""
	}
	version = strings.TrimPrefix(version, "v")
	if version == "" || !digit(version[0]) {
		return nil, "it begins with neither a number nor dev-"
	}
	key = append(key, composerText)
	if i := strings.IndexByte(version, '+'); i > 0 {
		version = version[:i] // metadata
	}
	version = strings.TrimRight(version, ".-_#") // what version_compare takes for separators alone
	if made, ok := composerNormal(key, version); ok {
		return made, ""
	}
	return appendPHP(key, version), ""
}

// composerNormal reads up to four numbers, a stability with numbers of its own, and "dev". It is false for anything else.
func composerNormal(key []byte, version string) ([]byte, bool) {
	rest, n := version, 0
	for ; n < composerNumbers; n++ {
		part := rest
		if n > 0 {
			if part == "" || part[0] != '.' {
				break
			}
			part = part[1:]
		}
		if part != "" && (part[0] == 'x' || part[0] == '*') { // 1.x-dev
			return composerLine(key, part, n)
		}
		size := digits(part)
		if size == 0 || n == 0 && size > 5 {
			break
		}
		key = appendNumber(append(key, composerNumber), part[:size])
		rest = part[size:]
	}
	if n == 0 {
		return nil, false
	}
	for ; n < composerNumbers; n++ {
		key = append(key, composerNumber, 0)
	}
	if rest != "" && strings.IndexByte("._-", rest[0]) >= 0 {
		rest = rest[1:]
	}
	stability := ""
	for _, word := range composerWords {
		if len(word) > len(stability) && strings.HasPrefix(rest, word) {
			stability = word
		}
	}
	stable := stability == "stable"
	if stability != "" && !stable {
		key = append(key, composerStabilities[stability])
	}
	for rest = rest[len(stability):]; stability != ""; {
		text := strings.TrimPrefix(strings.TrimPrefix(rest, "."), "-")
		size := digits(text)
		if size == 0 || len(rest)-len(text) > 1 {
			break
		}
		if !stable {
			key = appendNumber(append(key, composerNumber), text[:size])
		}
		rest = text[size:]
	}
	switch rest {
	case "":
	case "dev", "-dev", ".dev":
		if !stable {
			key = append(key, composerDev)
		}
	default:
		return nil, false
	}
	return append(key, composerEnd), true
}

// composerLine reads the rest of a branch of numbers: x in the place of the n-th, and after it, is above every release.
func composerLine(key []byte, rest string, n int) ([]byte, bool) {
	for ; n < composerNumbers && rest != "" && (rest[0] == 'x' || rest[0] == '*'); n++ {
		key = appendNumber(append(key, composerNumber), "9999999")
		rest = strings.TrimPrefix(rest[1:], ".")
	}
	for ; n < composerNumbers; n++ {
		key = appendNumber(append(key, composerNumber), "9999999")
	}
	if rest != "" && rest != "-dev" && rest != "dev" {
		return nil, false
	}
	return append(key, composerDev, composerEnd), true
}

// appendPHP writes the parts of version_compare: runs of digits and of letters, where a word is known by how it begins and all
// unknown words are alike.
func appendPHP(key []byte, text string) []byte {
	for text != "" {
		n := 1
		switch ch := text[0]; {
		case digit(ch):
			n = digits(text)
			key = appendNumber(append(key, composerNumber), text[:n])
		case ascii(ch):
			n = letters(text)
			key = append(key, phpClass(text[:n]))
		}
		text = text[n:]
	}
	return append(key, composerEnd)
}

func phpClass(word string) byte {
	switch {
	case strings.HasPrefix(word, "dev"):
		return composerDev
	case word[0] == 'a':
		return composerAlpha
	case word[0] == 'b':
		return composerBeta
	case strings.HasPrefix(word, "rc"):
		return composerCandidate
	case word[0] == 'p':
		return composerPatch
	}
	return composerOther
}
