package csaf

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"wardwatch/know"
)

// schemes are the version schemes of vers (VERS, the Version Range Specifier) in our words; any other has no order of its own.
var schemes = map[string]string{
	"npm": "semver", "semver": "semver", "cargo": "semver", "hex": "semver", "golang": "go", "pypi": "pypi", "maven": "maven",
	"gem": "rubygems", "nuget": "nuget", "composer": "packagist", "cran": "cran", "hackage": "hackage", "pub": "pub",
	"deb": "deb", "rpm": "rpm", "apk": "apk", "alpine": "apk",
}

// version is what one version looks like. A branch's name may be anything: "with ViewForum option (shipped 2016 to 2018)".
var version = regexp.MustCompile(`^[A-Za-z]{0,3}[ .-]?\d[0-9A-Za-z.+:~^()-]*$`)

func isVersion(text string) bool { return version.MatchString(text) }

// comparator is one condition of a range.
type comparator struct{ sign, version string }

var signs = []string{"<=", ">=", "!=", "==", "<", ">", "="}

// ranges reads the name of a product_version or product_version_range: a vers range, the form that most makers write
// without saying so (">=1.03|<=4.02"), or one version. What is none of them is kept as written: match says that it cannot be
// held against a version. It is nil for every version.
func ranges(name, scheme string) []know.Range {
	text := strings.TrimSpace(name)
	stated := false
	if rest, ok := strings.CutPrefix(strings.ToLower(text), "vers:"); ok {
		kind, _, ok := strings.Cut(rest, "/")
		if !ok {
			return []know.Range{{Version: name}}
		}
		text, stated = text[len("vers:")+len(kind)+1:], true
		scheme = schemes[kind]
	}
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, every := range []string{"all versions", "all"} {
		if rest, ok := strings.CutPrefix(lower, every); ok {
			text = text[len(text)-len(rest):] // what follows narrows it: "all versions < 4.2"
			lower = strings.TrimSpace(rest)
			break
		}
	}
	if lower == "*" || lower == "" {
		return nil
	}
	conditions, ok := comparators(text, stated, scheme)
	if !ok {
		return []know.Range{{Version: name, Scheme: scheme}}
	}
	return spans(conditions, scheme)
}

// comparators cuts a range into its conditions; ok is false when any part is no condition on a version.
func comparators(text string, stated bool, scheme string) (all []comparator, ok bool) {
	for part := range strings.SplitSeq(text, "|") {
		part = strings.TrimSpace(part)
		c := comparator{sign: "=", version: part}
		for _, sign := range signs {
			if rest, ok := strings.CutPrefix(part, sign); ok {
				c = comparator{sign, strings.TrimSpace(rest)}
				break
			}
		}
		if plain, err := url.PathUnescape(c.version); stated && err == nil {
			c.version = plain
		}
		if !isVersion(c.version) && (scheme == "" || !know.Usable(c.version) || strings.ContainsAny(c.version, " ,")) {
			return nil, false
		}
		if c.sign == "==" {
			c.sign = "="
		}
		all = append(all, c)
	}
	return all, true
}

// spans joins conditions to stretches: in the order of versions, a lower bound with the upper bound that follows it.
func spans(conditions []comparator, scheme string) []know.Range {
	slices.SortStableFunc(conditions, func(a, b comparator) int { return know.Compare(scheme, a.version, b.version) })
	var all []know.Range
	var from *comparator
	begin := func(r know.Range) know.Range {
		r.Scheme = scheme
		if from == nil {
			r.Version = "0"
			return r
		}
		r.Version = from.version
		if from.sign == ">" { // of the version itself the range says nothing
			all = append(all, know.Range{Version: from.version, Scheme: scheme, Status: know.ClaimUnknown})
		}
		from = nil
		return r
	}
	for i := range conditions {
		c := &conditions[i]
		switch c.sign {
		case ">", ">=":
			if from != nil {
				all = append(all, begin(know.Range{LessThan: "*"}))
			}
			from = c
		case "<":
			all = append(all, begin(know.Range{LessThan: c.version}))
		case "<=":
			all = append(all, begin(know.Range{LessThanOrEqual: c.version}))
		case "=":
			all = append(all, know.Range{Version: c.version, Scheme: scheme})
		case "!=":
			all = append(all, know.Range{Version: c.version, Scheme: scheme, Status: know.ClaimUnaffected})
		}
	}
	if from != nil {
		all = append(all, begin(know.Range{LessThan: "*"}))
	}
	return all
}
