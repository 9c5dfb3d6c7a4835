package feeds

import (
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"wardwatch/know"
)

// orders are the version schemes of package URL types.
var orders = map[string]string{
	"npm": "semver", "cargo": "semver", "hex": "semver", "swift": "semver", "githubactions": "semver", "bitnami": "semver",
	"golang": "go", "pypi": "pypi", "maven": "maven", "gem": "rubygems", "nuget": "nuget", "composer": "packagist", "cran": "cran",
	"hackage": "hackage", "pub": "pub", "deb": "deb", "rpm": "rpm", "apk": "apk",
}

// Package takes a package URL apart: the URL without version, and without what tells builds of one release apart
// (architecture, file, module), its version, and the scheme that orders versions of its type. What is no package URL comes back empty.
func Package(purl string) (bare, version, scheme string) {
	p, err := packageurl.FromString(purl)
	if err != nil {
		return "", "", ""
	}
	version, scheme = p.Version, orders[p.Type]
	if epoch := p.Qualifiers.Map()["epoch"]; epoch != "" && epoch != "0" && !strings.Contains(version, ":") && version != "" {
		version = epoch + ":" + version
	}
	p.Version, p.Subpath = "", ""
	p.Qualifiers = slices.DeleteFunc(p.Qualifiers, func(q packageurl.Qualifier) bool {
		return q.Key != "distro" && q.Key != "repository_url"
	})
	return p.ToString(), version, scheme
}

// AnyVersion is a CPE name for every version, and the version that the name gave, if any.
func AnyVersion(name string) (cpe, version string) {
	c, err := know.ParseCPE(name)
	if err != nil {
		return "", ""
	}
	if c.Version != know.AnyValue && c.Version != know.NoValue {
		version = know.Plain(c.Version)
	}
	c.Version = know.AnyValue
	return c.String(), version
}
