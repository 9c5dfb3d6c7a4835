package know

import (
	"errors"
	"fmt"
	"strings"
)

// Schemes of version order.
const (
	SchemeVendor    = "vendor"    // dotted numbers with words, as most makers write: 12.5.0.1, 9.16(4), 1.0.2k, 10.2.9-h1
	SchemeWindows   = "windows"   // full build numbers: 10.0.19045.4291
	SchemeSemver    = "semver"    // Semantic Versioning 2.0.0, with any number of core numbers: npm, crates.io, Hex
	SchemeGo        = "go"        // Go modules: v1.2.3, v0.0.0-20240101120000-abcdefabcdef, v2.0.0+incompatible
	SchemePub       = "pub"       // Dart packages: Semantic Versioning whose build metadata has an order
	SchemeNuGet     = "nuget"     // up to four numbers, and a prerelease without regard to case
	SchemeDeb       = "deb"       // Debian and Ubuntu: [epoch:]upstream[-revision]
	SchemeRPM       = "rpm"       // Red Hat, SUSE and others: [epoch:]version[-release]
	SchemeAPK       = "apk"       // Alpine: 1.2.3b_rc1_p2-r3
	SchemePyPI      = "pypi"      // PEP 440, and below it what was published before PEP 440
	SchemeMaven     = "maven"     // the version order specification of Maven's POM reference
	SchemeRubyGems  = "rubygems"  // Gem::Version
	SchemePackagist = "packagist" // Composer
	SchemeCRAN      = "cran"      // R: numbers between dots and hyphens
	SchemeHackage   = "hackage"   // Haskell: numbers between dots
)

// Schemes lists the names that VersionKey takes.
func Schemes() []string {
	return []string{
		SchemeSemver, SchemeDeb, SchemeRPM, SchemeAPK, SchemePyPI, SchemeMaven, SchemeRubyGems, SchemeNuGet, SchemePackagist,
		SchemeCRAN, SchemeHackage, SchemePub, SchemeGo, SchemeWindows, SchemeVendor,
	}
}

// Errors of VersionKey.
var (
	ErrVersion = errors.New("not a version")
	ErrScheme  = errors.New("not a version scheme")
)

// mostVersion bounds a version. Longer text is not one.
const mostVersion = 256

// VersionKey turns a version into bytes whose order is the order of the scheme: for all versions a and b of it, a is before b
// exactly where the key of a is below the key of b, and they are equal where the keys are. Keys of different schemes do not
// compare. Text that is no version of the scheme is an ErrVersion, and says why.
func VersionKey(scheme, version string) (string, error) {
	var room [128]byte
	key := room[:0]
	var problem string
	text := strings.TrimSpace(version)
	switch {
	case text == "":
		problem = "it is empty"
	case len(text) > mostVersion:
		problem = fmt.Sprintf("it has more than %d bytes", mostVersion)
	case strings.IndexFunc(text, unprintable) >= 0 && scheme != SchemeVendor:
		problem = "it has a space or a control character"
	default:
		switch scheme {
		case SchemeVendor:
			key, problem = strictVendorKey(key, text)
		case SchemeWindows:
			key, problem = windowsKey(key, text)
		case SchemeSemver:
			key, problem = semverKey(key, text)
		case SchemeGo:
			key, problem = goKey(key, text)
		case SchemePub:
			key, problem = pubKey(key, text)
		case SchemeNuGet:
			key, problem = nugetKey(key, text)
		case SchemeDeb:
			key, problem = debKey(key, text)
		case SchemeRPM:
			key, problem = rpmKey(key, text)
		case SchemeAPK:
			key, problem = apkKey(key, text)
		case SchemePyPI:
			key = pypiKey(key, text)
		case SchemeMaven:
			key, problem = mavenKey(key, text)
		case SchemeRubyGems:
			key, problem = gemKey(key, text)
		case SchemePackagist:
			key, problem = composerKey(key, text)
		case SchemeCRAN:
			key, problem = numbersKey(key, text, ".-")
		case SchemeHackage:
			key, problem = numbersKey(key, text, ".")
		default:
			return "", fmt.Errorf("%w: %q (there are %s)", ErrScheme, scheme, strings.Join(Schemes(), ", "))
		}
	}
	if problem != "" {
		return "", fmt.Errorf("%w of scheme %s: %q: %s", ErrVersion, scheme, version, problem)
	}
	return string(key), nil
}

func unprintable(r rune) bool { return r <= ' ' || r == 0x7f }

// sameScheme maps a publisher's words for a scheme (CVE 5 versionType, OSV ecosystem, package URL type) to ours. A word that
// is missing means the vendor's own numbers.
var sameScheme = map[string]string{
	"npm": SchemeSemver, "cargo": SchemeSemver, "crates.io": SchemeSemver, "hex": SchemeSemver,
	"debian": SchemeDeb, "ubuntu": SchemeDeb, "dpkg": SchemeDeb, "redhat": SchemeRPM, "alpine": SchemeAPK,
	"python": SchemePyPI, "pep440": SchemePyPI, "gem": SchemeRubyGems, "golang": SchemeGo, "composer": SchemePackagist,
}

// OrderKey is the key of a version as publishers write it, under a publisher's word for the scheme. Where the word is unknown,
// or the text is not of a scheme that vendors' numbers resemble (semver, windows), it is read as a vendor's number. ordered is
// false where nothing orders the version, so that only equality says anything: commits, and text that the scheme of a package
// manager refuses.
func OrderKey(scheme, version string) (key string, ordered bool) {
	scheme = strings.ToLower(scheme)
	if same, ok := sameScheme[scheme]; ok {
		scheme = same
	}
	switch scheme {
	case "git", "original_commit_for_fix", "commit":
		return strings.ToLower(strings.TrimSpace(version)), false
	case SchemeSemver, SchemeWindows: // made of the same classes as a vendor's key, so the two compare
		if key, err := VersionKey(scheme, version); err == nil {
			return key, true
		}
	case SchemeDeb, SchemeRPM, SchemeAPK, SchemePyPI, SchemeMaven, SchemeRubyGems, SchemeNuGet, SchemePackagist, SchemeCRAN,
		SchemeHackage, SchemePub, SchemeGo:
		if key, err := VersionKey(scheme, version); err == nil {
			return key, true
		}
		return "\x00" + version, false // below every key of the scheme
	}
	var room [128]byte
	return string(vendorKey(room[:0], version)), true
}

// Compare orders two versions as OrderKey reads them: -1, 0 or +1. It is a total order of all text; for a scheme without one
// it only tells equal from different.
func Compare(scheme, a, b string) int {
	first, _ := OrderKey(scheme, a)
	second, _ := OrderKey(scheme, b)
	return strings.Compare(first, second)
}

// Usable reports whether text states a version: it has a digit, and is not a word for "not known".
func Usable(text string) bool {
	return strings.ContainsAny(text, "0123456789") && len(text) <= mostVersion
}

func digit(ch byte) bool  { return ch >= '0' && ch <= '9' }
func letter(ch byte) bool { return ch|0x20 >= 'a' && ch|0x20 <= 'z' || ch >= 0x80 }
func ascii(ch byte) bool  { return ch|0x20 >= 'a' && ch|0x20 <= 'z' }

// digits is how many digits text begins with.
func digits(text string) int {
	n := 0
	for n < len(text) && digit(text[n]) {
		n++
	}
	return n
}

// letters is how many ASCII letters text begins with.
func letters(text string) int {
	n := 0
	for n < len(text) && ascii(text[n]) {
		n++
	}
	return n
}

// number reports whether text is a decimal number of any length.
func number(text string) bool { return text != "" && digits(text) == len(text) }

// appendNumber writes decimal digits so that bytes order as numbers do: how many, then which, without leading zeros.
func appendNumber(key []byte, number string) []byte {
	number = strings.TrimLeft(number, "0")
	if n := len(number); n < 0xff {
		key = append(key, byte(n))
	} else {
		key = append(key, 0xff, byte(n>>8), byte(n))
	}
	return append(key, number...)
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
