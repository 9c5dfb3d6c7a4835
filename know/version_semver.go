package know

import "strings"

// Classes of an identifier in a prerelease, or of its absence. A release has none and comes after all that have.
const (
	semverNone     = 0x01 // the list ends: fewer identifiers come first
	semverNumeric  = 0x02
	semverText     = 0x03
	semverTextEnds = 0x00
)

// semverKey reads Semantic Versioning 2.0.0. As publishers write it, a leading v is taken, and the core may have any number of
// numbers: 1.2 is 1.2.0, and 1.2.0.4 comes after it.
func semverKey(key []byte, version string) ([]byte, string) {
	core, early, _, problem := semver(version)
	if problem != "" {
		return nil, problem
	}
	key, problem = appendCore(key, core)
	if problem != "" {
		return nil, problem
	}
	return appendEarly(key, early), ""
}

// semver splits a version into core numbers, prerelease and build metadata.
func semver(version string) (core, early, build, problem string) {
	if version[0] == 'v' || version[0] == 'V' {
		version = version[1:]
	}
	version, build, hasBuild := strings.Cut(version, "+")
	core, early, hasEarly := strings.Cut(version, "-")
	switch {
	case hasEarly && !identifiers(early):
		problem = "its prerelease is not letters, digits and hyphens between dots"
	case hasBuild && !identifiers(build):
		problem = "its build metadata is not letters, digits and hyphens between dots"
	}
	return core, early, build, problem
}

// identifiers reports whether text is one or more identifiers between dots.
func identifiers(text string) bool {
	last := byte('.')
	for i := range len(text) {
		ch := text[i]
		if !digit(ch) && !ascii(ch) && ch != '-' && (ch != '.' || last == '.') {
			return false
		}
		last = ch
	}
	return last != '.'
}

// appendCore writes numbers between dots; trailing zeros say nothing.
func appendCore(key []byte, core string) ([]byte, string) {
	zeros := 0
	for part := range strings.SplitSeq(core, ".") {
		if !number(part) {
			return nil, "its core is not numbers between dots"
		}
		if strings.Trim(part, "0") == "" {
			zeros++
			continue
		}
		for ; zeros > 0; zeros-- {
			key = append(key, keyNumber, 0)
		}
		key = appendNumber(append(key, keyNumber), part)
	}
	return key, ""
}

// appendEarly closes a core with its prerelease, or with what says that there is none.
func appendEarly(key []byte, early string) []byte {
	if early == "" {
		return append(key, keyEnd)
	}
	return appendIdentifiers(append(key, keyBefore), early)
}

// appendIdentifiers writes identifiers between dots: numeric ones by number and below the others, which go by their bytes.
func appendIdentifiers(key []byte, text string) []byte {
	for identifier := range strings.SplitSeq(text, ".") {
		if number(identifier) {
			key = appendNumber(append(key, semverNumeric), identifier)
		} else {
			key = append(append(append(key, semverText), identifier...), semverTextEnds)
		}
	}
	return append(key, semverNone)
}

// goKey reads a module version: Semantic Versioning with up to three numbers, the v optional. A pseudo-version is a prerelease
// that begins with its base and time, and +incompatible is build metadata, so neither needs a rule.
func goKey(key []byte, version string) ([]byte, string) {
	core, early, _, problem := semver(version)
	switch {
	case problem != "":
		return nil, problem
	case strings.Count(core, ".") > 2:
		return nil, "a module version has three numbers"
	case strings.Count(core, ".") < 2 && len(core) < len(strings.TrimLeft(version, "v")):
		return nil, "a module version that is short has no prerelease or metadata"
	}
	for part := range strings.SplitSeq(core, ".") {
		if len(part) > 1 && part[0] == '0' {
			return nil, "its core has a number with a leading zero"
		}
	}
	key, problem = appendCore(key, core)
	if problem != "" {
		return nil, problem
	}
	return appendEarly(key, early), ""
}

// pubKey orders build metadata too, above its absence: 1.0.0-a < 1.0.0-a+1 < 1.0.0 < 1.0.0+1. Numbers after the third are
// taken as the beginning of the metadata.
func pubKey(key []byte, version string) ([]byte, string) {
	core, early, build, problem := semver(version)
	if problem != "" {
		return nil, problem
	}
	more := ""
	for i, dots := 0, 0; i < len(core); i++ {
		if core[i] == '.' {
			if dots++; dots == 3 {
				core, more = core[:i], core[i+1:]
			}
		}
	}
	key, problem = appendCore(key, core)
	if problem != "" {
		return nil, problem
	}
	if more != "" && (!identifiers(more) || strings.Trim(more, ".0123456789") != "") {
		return nil, "its core is not numbers between dots"
	}
	key = appendEarly(key, early)
	switch {
	case build == "" && more == "":
		return append(key, 0x01), ""
	case build != "" && more != "":
		more += "."
	}
	return appendIdentifiers(append(key, 0x02), more+build), ""
}

// nugetKey reads one to four numbers and a prerelease without regard to case; metadata has no order.
func nugetKey(key []byte, version string) ([]byte, string) {
	if first := version[0]; first == 'v' || first == 'V' {
		return nil, "it begins with a letter"
	}
	core, early, _, problem := semver(version)
	switch {
	case problem != "":
		return nil, problem
	case strings.Count(core, ".") > 3:
		return nil, "it has more than four numbers"
	}
	key, problem = appendCore(key, core)
	if problem != "" {
		return nil, problem
	}
	return appendEarly(key, strings.ToLower(early)), ""
}

// numbersKey reads numbers between separators; more of them come later, so 1.0 < 1.0.0.
func numbersKey(key []byte, version, separators string) ([]byte, string) {
	for rest := version; ; {
		n := digits(rest)
		if n == 0 {
			return nil, "it is not numbers between separators (" + separators + ")"
		}
		key = appendNumber(append(key, keyNumber), rest[:n])
		if rest = rest[n:]; rest == "" {
			return append(key, keyEnd), ""
		}
		if !strings.Contains(separators, rest[:1]) {
			return nil, "it is not numbers between separators (" + separators + ")"
		}
		rest = rest[1:]
	}
}
