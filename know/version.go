package know

import "strings"

// Schemes of version order. A publisher's other words for them (CVE 5 versionType) are understood by VersionKey.
const (
	SchemeVendor  = "vendor"  // dotted numbers with words, as most makers write: 12.5.0.1, 9.16(4), 1.0.2k, 10.2.9-h1
	SchemeSemver  = "semver"  // Semantic Versioning 2.0.0, with any number of core numbers
	SchemeWindows = "windows" // full build numbers: 10.0.19045.4291
)

// Classes of a token in a version key. Their order is the order of versions that agree up to there: 1.0-rc1 < 1.0 <
// 1.0-sp1 < 1.0.1. End closes every key, so 12.5 and 12.5.0.0 are equal once trailing zeros are gone.
const (
	keyBefore = 0x10 // words for what comes before a release, plus their rank
	keyEnd    = 0x20
	keyWord   = 0x30 // any other word: a patch letter, "sp", "update"
	keyNumber = 0x40
)

// before ranks the words for what precedes a release.
var before = map[string]byte{
	"dev": 0, "nightly": 0, "alpha": 1, "a": 1, "beta": 2, "b": 2, "milestone": 3, "preview": 4, "pre": 4, "prerelease": 4,
	"rc": 5, "cr": 5, "snapshot": 6,
}

// sameWord maps spellings to one.
var sameWord = map[string]string{
	"patch": "p", "pl": "p", "update": "u", "upd": "u", "hotfix": "hf", "revision": "rev", "servicepack": "sp",
}

// silent words say nothing about order.
var silent = map[string]bool{
	"final": true, "ga": true, "stable": true, "lts": true, "v": true, "ver": true, "version": true, "build": true,
	"release": true,
}

// Usable reports whether text states a version: it has a digit, and is not a word for "not known".
func Usable(text string) bool {
	return strings.ContainsAny(text, "0123456789") && len(text) <= mostVersion
}

// mostVersion bounds a version. Longer text is not one.
const mostVersion = 256

// VersionKey turns a version into bytes whose order is the order of versions. Keys of one scheme make a total order; ordered
// is false when the scheme has no order that is known here (git, an epoch in rpm), so that only equality says anything.
func VersionKey(scheme, version string) (key string, ordered bool) {
	switch strings.ToLower(scheme) {
	case "git", "original_commit_for_fix", "commit":
		return strings.ToLower(strings.TrimSpace(version)), false
	case SchemeSemver, "npm", "go", "golang", "cargo":
		if key, ok := semverKey(version); ok {
			return key, true
		}
	case "deb", "dpkg", "rpm", "apk", "alpine", "maven", "python", "pypi", "pep440", "gem", "rubygems", "nuget", "composer", "packagist", "cran", "hackage":
		// These agree with the vendor order on plain numbers alone: an epoch or a tilde means something else to each.
		return vendorKey(version), strings.Trim(version, ".0123456789") == ""
	}
	return vendorKey(version), true
}

// Compare orders two versions of a scheme: -1, 0 or +1. It is a total order; for a scheme without one it only tells equal
// from different.
func Compare(scheme, a, b string) int {
	first, _ := VersionKey(scheme, a)
	second, _ := VersionKey(scheme, b)
	return strings.Compare(first, second)
}

// vendorKey reads numbers and words; every other character only separates them.
func vendorKey(version string) string {
	key := make([]byte, 0, 4*len(version)+8)
	zeros := 0        // numbers 0 held back: they count only when another number follows
	attached := false // no separator since a token
	for rest := version; rest != ""; {
		switch ch := rest[0]; {
		case digit(ch):
			n := 1
			for n < len(rest) && digit(rest[n]) {
				n++
			}
			number := strings.TrimLeft(rest[:n], "0")
			rest = rest[n:]
			attached = true
			if number == "" {
				zeros++
				break
			}
			for ; zeros > 0; zeros-- {
				key = append(key, keyNumber, 0)
			}
			key = appendNumber(key, number)
		case letter(ch):
			n := 1
			for n < len(rest) && letter(rest[n]) {
				n++
			}
			word := strings.ToLower(rest[:n])
			rest = rest[n:]
			if word == "service" && strings.HasPrefix(strings.ToLower(strings.TrimLeft(rest, " _-")), "pack") {
				rest = strings.TrimLeft(rest, " _-")[len("pack"):]
				word = "sp"
			}
			if same, ok := sameWord[word]; ok {
				word = same
			}
			if silent[word] {
				break
			}
			zeros = 0
			rank, early := before[word]
			if early && len(word) == 1 && (!attached || rest == "" || !digit(rest[0])) {
				early = false // 1.0.2b is a patch letter, 1.0b2 the second beta
			}
			if early {
				key = append(key, keyBefore+rank)
			} else {
				key = append(append(append(key, keyWord), word...), 1)
			}
			attached = true
		default:
			attached = false
			rest = rest[1:]
		}
	}
	return string(append(key, keyEnd))
}

func digit(ch byte) bool  { return ch >= '0' && ch <= '9' }
func letter(ch byte) bool { return ch|0x20 >= 'a' && ch|0x20 <= 'z' || ch >= 0x80 }

// appendNumber writes a number without leading zeros so that bytes order as numbers do: its length first.
func appendNumber(key []byte, number string) []byte {
	key = append(key, keyNumber)
	n := len(number)
	if n < 0xff {
		key = append(key, byte(n))
	} else {
		key = append(key, 0xff, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(key, number...)
}

// semverKey is false for text that is not Semantic Versioning with one or more core numbers.
func semverKey(version string) (string, bool) {
	version = strings.TrimPrefix(strings.TrimSpace(strings.ToLower(version)), "v")
	version, _, _ = strings.Cut(version, "+") // build metadata has no order
	core, early, hasEarly := strings.Cut(version, "-")
	var key []byte
	zeros := 0
	for number := range strings.SplitSeq(core, ".") {
		if number == "" || strings.Trim(number, "0123456789") != "" {
			return "", false
		}
		number = strings.TrimLeft(number, "0")
		if number == "" {
			zeros++
			continue
		}
		for ; zeros > 0; zeros-- {
			key = append(key, keyNumber, 0)
		}
		key = appendNumber(key, number)
	}
	if !hasEarly {
		return string(append(key, keyEnd)), true
	}
	key = append(key, keyBefore)
	for identifier := range strings.SplitSeq(early, ".") {
		if strings.Trim(identifier, "0123456789") == "" { // numeric, and below every other
			key = append(key, 2)
			number := strings.TrimLeft(identifier, "0")
			key = appendNumber(key, number)
			continue
		}
		key = append(append(append(key, 3), identifier...), 0)
	}
	return string(append(key, 1)), true // fewer identifiers come first
}

// Branch is the line of releases that a version belongs to: its first two numbers ("12.5" of 12.5.0.1), or three for a
// Windows build ("10.0.19045"), which gets its own updates. It is empty for text without a number.
func Branch(version string) string {
	var numbers []string
	for rest := version; rest != "" && len(numbers) < 3; {
		if !digit(rest[0]) {
			rest = rest[1:]
			continue
		}
		n := 1
		for n < len(rest) && digit(rest[n]) {
			n++
		}
		number := strings.TrimLeft(rest[:n], "0")
		if number == "" {
			number = "0"
		}
		numbers = append(numbers, number)
		rest = rest[n:]
	}
	switch {
	case len(numbers) == 0:
		return ""
	case len(numbers) == 1:
		return numbers[0] + ".0"
	case len(numbers) == 3 && numbers[0] == "10" && numbers[1] == "0" && len(numbers[2]) == 5:
		return strings.Join(numbers, ".")
	}
	return numbers[0] + "." + numbers[1]
}

// Early reports whether text is a word for what precedes a release, such as "rc1" or "beta".
func Early(text string) bool {
	key := vendorKey(text)
	return text != "" && key[0] >= keyBefore && key[0] < keyEnd
}
