package ward

import (
	"strings"
	"unicode"
)

// SourceName is a source as a sentence names it: "cna:ivanti" is "Ivanti (CNA)".
func SourceName(source string) string {
	if teller, quoted, ok := strings.Cut(source, ", quoting "); ok {
		if isUUID(quoted) { // NVD names some publishers by number only
			quoted = "another publisher"
		}
		return SourceName(teller) + ", quoting " + quoted
	}
	kind, name, _ := strings.Cut(source, ":")
	switch kind {
	case "ruling":
		return "The national desk"
	case "nvd":
		return "NVD"
	case "kev":
		return "CISA KEV"
	case "epss":
		return "FIRST EPSS"
	case "cna":
		return capital(name) + " (CNA)"
	case "adp":
		return capital(name) + " (ADP)"
	case "override":
		return capital(name) + " (correction to NVD)"
	case "vendor", "advisory":
		return capital(name) + " (advisory)"
	case "vex":
		return capital(name) + " (VEX)"
	case "osv":
		return name + " (OSV)"
	}
	return capital(source)
}

// isUUID reports whether a name is a bare 8-4-4-4-12 number.
func isUUID(name string) bool {
	if len(name) != 36 {
		return false
	}
	for i, r := range name {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

func capital(name string) string {
	for i, r := range name {
		return string(unicode.ToUpper(r)) + name[i+len(string(r)):]
	}
	return "An unnamed source"
}
