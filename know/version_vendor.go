package know

import "strings"

// Classes of a token in a key of dotted numbers with words. Their order is the order of versions that agree up to there:
// 1.0-rc1 < 1.0 < 1.0-sp1 < 1.0.1. End closes every key, so 12.5 and 12.5.0.0 are equal once trailing zeros are gone.
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

func strictVendorKey(key []byte, version string) ([]byte, string) {
	if !Usable(version) {
		return nil, "it has no number"
	}
	return vendorKey(key, version), ""
}

// vendorKey reads numbers and words; every other character only separates them.
func vendorKey(key []byte, version string) []byte {
	zeros := 0        // numbers 0 held back: they count only when another number follows
	attached := false // no separator since a token
	for rest := version; rest != ""; {
		switch ch := rest[0]; {
		case digit(ch):
			n := digits(rest)
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
			key = appendNumber(append(key, keyNumber), number)
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
	return append(key, keyEnd)
}

// windowsKey takes a full build number. The short form that Microsoft's tables use, build and revision (19045.4291), is the same
// as 10.0.19045.4291.
func windowsKey(key []byte, version string) ([]byte, string) {
	parts := 0
	for part := range strings.SplitSeq(version, ".") {
		parts++
		switch {
		case len(part) > 2 && strings.EqualFold(part[:2], "KB"):
			return nil, "an update (KB) is not a build number"
		case !number(part):
			return nil, "a build number is numbers between dots"
		}
	}
	switch {
	case parts > 5:
		return nil, "a build number has up to five numbers"
	case parts == 2 && digits(version) == 5:
		version = "10.0." + version
	}
	return vendorKey(key, version), ""
}

// Early reports whether text is a word for what precedes a release, such as "rc1" or "beta".
func Early(text string) bool {
	var room [128]byte
	key := vendorKey(room[:0], text)
	return text != "" && key[0] >= keyBefore && key[0] < keyEnd
}
