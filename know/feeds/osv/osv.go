// Package osv reads vulnerability records of open-source software and distributions in the OSV form, as osv.dev and its
// sources publish them. One record comes in; one report for each CVE that it is an alias of, or that a distribution's
// advisory resolves, goes out, with what it says of each package's versions. A record that names no CVE is counted and left
// out: everything here is about a CVE. What is only related is another weakness, and not taken for this one. Commits (ranges
// of type GIT) are compared with nothing.
package osv

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/package-url/packageurl-go"
	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// Location is where osv.dev keeps all records.
const Location = "https://osv-vulnerabilities.storage.googleapis.com/all.zip"

// Source reads OSV records.
type Source struct{ location string }

// New returns the source at location, or at osv.dev's when it is empty.
func New(location string) *Source {
	if location == "" {
		location = Location
	}
	return &Source{location}
}

// Name implements feeds.Source.
func (*Source) Name() string { return "osv" }

// Location implements feeds.Source.
func (s *Source) Location() string { return s.location }

// Every implements feeds.Source. The archive of all records is large, so once a day.
func (*Source) Every() time.Duration { return 24 * time.Hour }

// Recognises implements feeds.Source.
func (*Source) Recognises(_ string, head []byte) bool {
	keys := feeds.Keys(head)
	has := func(key string) bool { return slices.Contains(keys, key) }
	return has("id") && !has("@context") && !has("sourceIdentifier") &&
		(has("schema_version") || has("affected") || has("aliases") || has("details") || has("summary") || has("modified"))
}

// Read implements feeds.Source.
func (*Source) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (feeds.Summary, error) {
	return feeds.Document{Record: read}.Read(ctx, r, yield)
}

type record struct {
	ID         string      `json:"id"`
	Modified   string      `json:"modified"`
	Published  string      `json:"published"`
	Withdrawn  string      `json:"withdrawn"`
	Aliases    []string    `json:"aliases"`
	Upstream   []string    `json:"upstream"`
	Summary    string      `json:"summary"`
	Details    string      `json:"details"`
	Severity   []severity  `json:"severity"`
	Affected   []affected  `json:"affected"`
	References []reference `json:"references"`
}

type severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type reference struct {
	URL string `json:"url"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		PURL      string `json:"purl"`
	} `json:"package"`
	Ranges   []stretch  `json:"ranges"`
	Versions []string   `json:"versions"`
	Severity []severity `json:"severity"`
}

type stretch struct {
	Type   string  `json:"type"`
	Events []event `json:"events"`
}

type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
	Limit        string `json:"limit"`
}

func read(_ string, raw []byte) ([]know.Report, error) {
	var rec record
	if err := json.Unmarshal(raw, &rec); err != nil {
		return nil, err
	}
	id := strings.TrimSpace(rec.ID)
	modified := feeds.Moment(rec.Modified)
	switch {
	case id == "":
		return nil, fmt.Errorf("id is missing")
	case modified.IsZero():
		return nil, fmt.Errorf("%s: modified %q is no time", clip(id), clip(rec.Modified))
	}
	cves := rec.cves()
	if len(cves) == 0 {
		return nil, feeds.Skip{Reason: clip(id) + ": names no CVE among its aliases"}
	}
	r := know.Report{Source: "osv:" + id, URL: "https://osv.dev/vulnerability/" + id, Published: feeds.Moment(rec.Published), Modified: modified,
		Title: strings.TrimSpace(rec.Summary), Description: strings.TrimSpace(rec.Details), Rejected: rec.Withdrawn != ""}
	if !r.Rejected {
		for _, a := range rec.Affected {
			if c, ok := a.claim(); ok {
				r.Claims = append(r.Claims, c)
			}
			rec.Severity = append(rec.Severity, a.Severity...)
		}
		r.CVSS = scores(rec.Severity, ward.Provenance{Source: r.Source, URL: r.URL, At: modified})
	}
	for _, link := range rec.References {
		if link.URL != "" && !slices.Contains(r.References, link.URL) {
			r.References = append(r.References, link.URL)
		}
	}
	reports := make([]know.Report, len(cves))
	for i, cve := range cves {
		reports[i] = r
		reports[i].CVE = cve
	}
	return reports, nil
}

// cves are the CVEs that the record is about: its own identifier, its aliases, and those that it takes over from upstream.
func (rec *record) cves() (all []ward.CVE) {
	for _, name := range slices.Concat([]string{rec.ID}, rec.Aliases, rec.Upstream) {
		if cve, err := feeds.CVE(strings.TrimSpace(name)); err == nil && !slices.Contains(all, cve) {
			all = append(all, cve)
		}
	}
	return all
}

// ecosystems are the package URL types and, where it has one, the namespace of OSV's ecosystems.
var ecosystems = map[string]struct{ kind, space, scheme string }{
	"npm": {"npm", "", "semver"}, "PyPI": {"pypi", "", "pypi"}, "Go": {"golang", "", "go"}, "Maven": {"maven", "", "maven"}, "crates.io": {"cargo", "", "semver"},
	"NuGet": {"nuget", "", "nuget"}, "RubyGems": {"gem", "", "rubygems"}, "Packagist": {"composer", "", "packagist"}, "Hex": {"hex", "", "semver"},
	"Pub": {"pub", "", "pub"}, "CRAN": {"cran", "", "cran"}, "Hackage": {"hackage", "", "hackage"}, "SwiftURL": {"swift", "", "semver"},
	"GitHub Actions": {"githubactions", "", "semver"}, "Bitnami": {"bitnami", "", "semver"}, "ConanCenter": {"conan", "", "vendor"},
	"Debian": {"deb", "debian", "deb"}, "Ubuntu": {"deb", "ubuntu", "deb"}, "Alpine": {"apk", "alpine", "apk"}, "Wolfi": {"apk", "wolfi", "apk"},
	"Chainguard": {"apk", "chainguard", "apk"}, "Red Hat": {"rpm", "redhat", "rpm"}, "Rocky Linux": {"rpm", "rocky-linux", "rpm"},
	"AlmaLinux": {"rpm", "almalinux", "rpm"}, "SUSE": {"rpm", "suse", "rpm"}, "openSUSE": {"rpm", "opensuse", "rpm"}, "Mageia": {"rpm", "mageia", "rpm"},
	"Photon OS": {"rpm", "photon", "rpm"}, "openEuler": {"rpm", "openeuler", "rpm"}, "Azure Linux": {"rpm", "azurelinux", "rpm"},
}

// claim is what the record says of one package; ok is false when it names none, or nothing that versions can be held against.
func (a *affected) claim() (c know.Claim, ok bool) {
	family, _, _ := strings.Cut(a.Package.Ecosystem, ":")
	known := ecosystems[family]
	bare, _, scheme := feeds.Package(a.Package.PURL)
	if bare == "" && known.kind != "" && a.Package.Name != "" {
		bare = packageURL(known.kind, known.space, a.Package.Name)
	}
	if known.scheme != "" {
		scheme = known.scheme
	}
	if bare == "" && a.Package.Name == "" {
		return c, false
	}
	c = know.Claim{Product: a.Package.Name, PURL: bare, Ecosystem: a.Package.Ecosystem, Default: know.ClaimUnaffected}
	for _, r := range a.Ranges {
		order := scheme
		switch r.Type {
		case "SEMVER":
			order = know.SchemeSemver
		case "ECOSYSTEM":
		default: // GIT
			continue
		}
		c.Versions = append(c.Versions, ranges(r.Events, order)...)
	}
	for _, v := range a.Versions { // most are within the ranges already
		if v = strings.TrimSpace(v); v != "" && !covered(c.Versions, v) {
			c.Versions = append(c.Versions, know.Range{Version: v, Scheme: scheme, Status: know.ClaimAffected})
		}
	}
	return c, len(c.Versions) > 0
}

func packageURL(kind, space, name string) string {
	switch kind {
	case "maven":
		space, name = cutLast(strings.ReplaceAll(name, ":", "/"))
	case "npm", "golang", "composer", "swift", "githubactions":
		space, name = cutLast(name)
	}
	return packageurl.NewPackageURL(kind, space, name, "", nil, "").ToString()
}

func cutLast(name string) (space, last string) {
	at := strings.LastIndexByte(name, '/')
	if at < 0 {
		return "", name
	}
	return name[:at], name[at+1:]
}

// ranges draws stretches from events: in the order of versions, each introduction with the fix, last version or limit that
// follows it.
func ranges(events []event, scheme string) (all []know.Range) {
	type point struct {
		at   string
		kind int
	}
	const introduced, fixed, last, limit = 0, 1, 2, 3
	var points []point
	for _, e := range events {
		for kind, at := range []string{e.Introduced, e.Fixed, e.LastAffected, e.Limit} {
			if at = strings.TrimSpace(at); at != "" && (kind != limit || at != "*") {
				points = append(points, point{at, kind})
			}
		}
	}
	slices.SortStableFunc(points, func(a, b point) int {
		switch {
		case a.at == b.at:
			return 0 // as the record lists them
		case a.at == "0":
			return -1
		case b.at == "0":
			return 1
		}
		return know.Compare(scheme, a.at, b.at)
	})
	open, from := false, ""
	shut := func(r know.Range) {
		if open {
			r.Version, r.Scheme, r.Status = from, scheme, know.ClaimAffected
			all = append(all, r)
		}
		open = false
	}
	for _, p := range points {
		switch p.kind {
		case introduced:
			if !open {
				open, from = true, p.at
			}
		case last:
			shut(know.Range{LessThanOrEqual: p.at})
		default: // a limit is not a fix, and beyond it nothing is said: the default
			shut(know.Range{LessThan: p.at})
		}
	}
	shut(know.Range{LessThan: "*"})
	return all
}

// covered tells whether a version lies in any of the stretches.
func covered(all []know.Range, version string) bool {
	return slices.ContainsFunc(all, func(r know.Range) bool {
		if r.LessThan+r.LessThanOrEqual == "" {
			return r.Version == version
		}
		from := r.Version == "0" || know.Compare(r.Scheme, r.Version, version) <= 0
		switch {
		case r.LessThan == "*":
			return from
		case r.LessThan != "":
			return from && know.Compare(r.Scheme, version, r.LessThan) < 0
		}
		return from && know.Compare(r.Scheme, version, r.LessThanOrEqual) <= 0
	})
}

// scores are the vectors with the score that each computes to. One that cannot be read is left out.
func scores(all []severity, said ward.Provenance) (out []ward.CVSS) {
	for _, s := range all {
		c := ward.CVSS{Provenance: said, Vector: strings.TrimSpace(s.Score)}
		switch {
		case strings.HasPrefix(c.Vector, "CVSS:4.0/"):
			if v, err := gocvss40.ParseVector(c.Vector); err == nil {
				c.Version, c.Score = "4.0", v.Score()
			}
		case strings.HasPrefix(c.Vector, "CVSS:3.1/"):
			if v, err := gocvss31.ParseVector(c.Vector); err == nil {
				c.Version, c.Score = "3.1", v.BaseScore()
			}
		case strings.HasPrefix(c.Vector, "CVSS:3.0/"):
			if v, err := gocvss30.ParseVector(c.Vector); err == nil {
				c.Version, c.Score = "3.0", v.BaseScore()
			}
		case s.Type == "CVSS_V2":
			if v, err := gocvss20.ParseVector(c.Vector); err == nil {
				c.Version, c.Score = "2.0", v.BaseScore()
			}
		}
		if c.Version != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// clip keeps a quotation short.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
