package match

import (
	"cmp"
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// Weakness is every report of one CVE made ready for evaluation, strongest source first.
type Weakness struct {
	CVE     ward.CVE
	Keys    []string // of every product that is called vulnerable
	sources []source
}

// A source is one report with something to say about versions.
type source struct {
	name   string // "cna:ivanti"
	label  string // "Ivanti (CNA)"
	rank   int
	claims []claim
	trees  []node
}

// A claim is one product's entry made ready.
type claim struct {
	know.Claim
	key      string // of its name
	pkg      string // package key
	release  string // of a distribution, when it speaks of that alone
	cpes     []know.CPE
	cpeKeys  []string
	spans    []span
	families []string // of operating systems, when it speaks of those alone
}

// A node is a tree of CPE conditions made ready.
type node struct {
	and, negate bool
	leaves      []leaf
	children    []node
}

// A leaf is one CPE pattern with its range.
type leaf struct {
	know.CPEMatch
	cpe    know.CPE
	key    string
	span   span
	family string // of a whole family of operating systems, "windows" for windows:-
}

// The ranks of sources: an analyst's ruling, the maker's own advisory or VEX, who assigned the CVE, corrections to NVD, NVD,
// and additions by others.
const (
	rankRuling = iota
	rankVendor
	rankCNA
	rankOverride
	rankNVD
	rankADP
	rankOther
)

// Sources that speak of exploitation or likelihood, never of versions.
var versionless = map[string]bool{"kev": true, "epss": true}

// Compile makes the reports of one CVE ready. Of two reports by one source the later counts. It is nil when no source says
// anything of versions, or when its publisher withdrew the CVE.
func Compile(reports []know.Report) *Weakness {
	newest := map[string]know.Report{}
	for _, r := range reports {
		if old, ok := newest[r.Source]; !ok || !r.Modified.Before(old.Modified) {
			newest[r.Source] = r
		}
	}
	w := &Weakness{}
	for _, name := range slices.Sorted(mapKeys(newest)) {
		r := newest[name]
		if r.Rejected && (strings.HasPrefix(name, "cna:") || name == "nvd") {
			return nil
		}
		if versionless[name] || len(r.Claims) == 0 && len(r.Trees) == 0 {
			continue
		}
		w.CVE = r.CVE
		s := source{name: name, label: ward.SourceName(name), rank: rankOf(name)}
		for _, c := range r.Claims {
			s.claims = append(s.claims, readClaim(c))
		}
		for _, tree := range r.Trees {
			if n, ok := readNode(tree); ok {
				s.trees = append(s.trees, n)
			}
		}
		w.sources = append(w.sources, s)
		w.Keys = append(w.Keys, r.ProductKeys()...)
	}
	if len(w.sources) == 0 {
		return nil
	}
	slices.Sort(w.Keys)
	w.Keys = slices.Compact(w.Keys)
	slices.SortStableFunc(w.sources, func(a, b source) int { return cmp.Compare(a.rank, b.rank) })
	return w
}

func mapKeys(m map[string]know.Report) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

func rankOf(source string) int {
	kind, _, _ := strings.Cut(source, ":")
	switch kind {
	case "ruling":
		return rankRuling
	case "vendor", "vex":
		return rankVendor
	case "cna":
		return rankCNA
	case "override":
		return rankOverride
	case "nvd":
		return rankNVD
	case "adp":
		return rankADP
	}
	return rankOther
}

func readClaim(c know.Claim) claim {
	made := claim{Claim: c, pkg: know.PackageKey(c.PURL), release: releaseOfClaim(c.Ecosystem)}
	if strings.TrimSpace(c.Vendor) != "" {
		made.key = know.ProductKey(c.Vendor, c.Product)
	}
	for _, name := range c.CPEs {
		if cpe, err := know.ParseCPE(name); err == nil {
			made.cpes = append(made.cpes, cpe)
			made.cpeKeys = append(made.cpeKeys, know.ProductKey(know.Plain(cpe.Vendor), know.Plain(cpe.Product)))
		}
	}
	for _, r := range c.Versions {
		if slices.Contains(buildOnly, made.key) {
			r = wholeBuild(r)
		}
		made.spans = append(made.spans, readRanges(r)...)
	}
	for _, platform := range c.Platforms {
		f := systems[strings.ReplaceAll(strings.ToLower(strings.TrimSpace(platform)), " ", "_")]
		if f == "" { // a processor, or words: says nothing that could be held against an inventory
			made.families = nil
			break
		}
		if !slices.Contains(made.families, f) {
			made.families = append(made.families, f)
		}
	}
	return made
}

// buildOnly are products whose maker writes the branch as the start and only the build as the end: 13.1 to 49.13 means
// 13.1-49.13.
var buildOnly = []string{know.ProductKey("NetScaler", "ADC"), know.ProductKey("NetScaler", "Gateway")}

func wholeBuild(r know.Range) know.Range {
	whole := func(end string) string {
		_, minor, two := strings.Cut(end, ".")
		if first(r.Version) || !two || strings.Trim(minor, "0123456789") != "" || len(minor) < 2 { // 14.1 is a release, 49.13 a build
			return end
		}
		return r.Version + "-" + end
	}
	r.LessThan, r.LessThanOrEqual = whole(r.LessThan), whole(r.LessThanOrEqual)
	return r
}

// generic are products that stand for a whole family of operating systems when no version is given.
var generic = map[string]string{
	"microsoft/windows": "windows", "linux/kernel": "linux", "linux/linux": "linux", "apple/macos": "macos", "apple/macosx": "macos",
	"apple/iphoneos": "ios", "google/android": "android",
}

// readNode is false for a tree with a name that cannot be read: half a condition must not decide.
func readNode(n know.Node) (node, bool) {
	made := node{and: n.And, negate: n.Negate}
	for _, m := range n.Matches {
		cpe, err := know.ParseCPE(m.CPE)
		if err != nil {
			return node{}, false
		}
		l := leaf{CPEMatch: m, cpe: cpe, key: know.ProductKey(know.Plain(cpe.Vendor), know.Plain(cpe.Product)), span: readMatch(m, cpe)}
		if cpe.Version == know.AnyValue || cpe.Version == know.NoValue {
			l.family = generic[l.key]
		}
		made.leaves = append(made.leaves, l)
	}
	for _, child := range n.Children {
		c, ok := readNode(child)
		if !ok {
			return node{}, false
		}
		made.children = append(made.children, c)
	}
	return made, len(made.leaves)+len(made.children) > 0
}

func readMatch(m know.CPEMatch, cpe know.CPE) span {
	s := span{status: know.ClaimAffected, from: m.StartIncluding, to: m.EndExcluding}
	if m.StartExcluding != "" {
		s.from, s.fromOpen = m.StartExcluding, true
	}
	if m.EndIncluding != "" {
		s.to, s.toClosed = m.EndIncluding, true
	}
	if s.from == "" && s.to == "" && cpe.Version != know.AnyValue {
		s.exact, s.from = true, know.Plain(cpe.Version)
	}
	s.ready()
	return s
}
