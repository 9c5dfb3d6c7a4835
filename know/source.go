package know

import (
	"strings"
	"unicode"
)

// SourceName is a source as a sentence names it: "cna:ivanti" is "Ivanti (CNA)".
func SourceName(source string) string {
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

func capital(name string) string {
	for i, r := range name {
		return string(unicode.ToUpper(r)) + name[i+len(string(r)):]
	}
	return "An unnamed source"
}
