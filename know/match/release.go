package match

import (
	"strings"

	"github.com/package-url/packageurl-go"
)

// releaseOfClaim is the number of the distribution's release that an entry speaks of alone, from its ecosystem as OSV names
// it: 12 of "Debian:12", 22.04 of "Ubuntu:22.04:LTS", 8 of "Red Hat:enterprise_linux:8::baseos". Empty: of all, or not said.
func releaseOfClaim(ecosystem string) string {
	_, rest, _ := strings.Cut(ecosystem, ":")
	for part := range strings.SplitSeq(rest, ":") {
		if number := strings.TrimPrefix(part, "v"); number != "" && number[0] >= '0' && number[0] <= '9' {
			return number
		}
	}
	return ""
}

// releaseOfPackage is the number of the release that a package was built for, from its URL: 12 of distro=debian-12.
func releaseOfPackage(purl string) string {
	if !strings.Contains(purl, "distro=") {
		return ""
	}
	p, err := packageurl.FromString(purl)
	if err != nil {
		return ""
	}
	distro := p.Qualifiers.Map()["distro"]
	number := distro[strings.LastIndexByte(distro, '-')+1:]
	if number == "" || number[0] < '0' || number[0] > '9' { // a code name
		return ""
	}
	return number
}

// sameRelease tells whether an entry of one release can be about a package of another: 8 is about 8.6, 12 never about 11.
// What is not known excludes nothing.
func sameRelease(claimed, installed string) bool {
	if claimed == "" || installed == "" || claimed == installed {
		return true
	}
	return strings.HasPrefix(installed, claimed+".") || strings.HasPrefix(claimed, installed+".")
}
