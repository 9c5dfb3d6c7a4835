package match

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/ward"
)

// Weakness is every report of one CVE made ready for evaluation, strongest source first.
type Weakness struct {
	CVE     ward.CVE
	Keys    []string // of every product that is called vulnerable
	sources []source
	limited bool // some entry is about some operating systems alone
	silent  bool // in a catalogue: nobody says anything of versions, or it is withdrawn
}

// A source is one report.
type source struct {
	name   string // "cna:ivanti"
	label  string // "Ivanti (CNA)"
	rank   int
	claims []claim
	trees  []node

	modified  time.Time // its own date of this statement
	withdraws bool      // the CVE as such
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
	unusual     bool // it negates, or names products by a pattern
	leaves      []leaf
	children    []node
}

// A leaf is one CPE pattern with its range.
type leaf struct {
	*name
	span       *span
	product    int32 // as of its name, at hand
	vulnerable bool
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
func Compile(reports []know.Report) *Weakness { return newDictionary().compile(reports) }

func (d *dictionary) compile(reports []know.Report) *Weakness {
	w := &Weakness{}
	for _, r := range reports {
		w.hear(d, r)
	}
	if !w.index() {
		return nil
	}
	return w
}

// hear takes in a report, in place of an older one by its source.
func (w *Weakness) hear(d *dictionary, r know.Report) {
	if versionless[r.Source] {
		return
	}
	w.CVE = r.CVE
	at := slices.IndexFunc(w.sources, func(s source) bool { return s.name == r.Source })
	switch {
	case at < 0:
		w.sources = append(w.sources, d.source(r))
	case !r.Modified.Before(w.sources[at].modified):
		w.sources[at] = d.source(r)
	}
}

// index puts the sources in order and lists the products; false when nothing is said of versions, or it is withdrawn.
func (w *Weakness) index() bool {
	w.Keys, w.limited = nil, false
	says := false
	for i := range w.sources {
		s := &w.sources[i]
		if s.withdraws {
			w.Keys = nil
			return false
		}
		says = says || len(s.claims)+len(s.trees) > 0
		for j := range s.claims {
			c := &s.claims[j]
			w.limited = w.limited || len(c.families) > 0
			w.Keys = append(append(w.Keys, c.pkg), c.cpeKeys...)
			if !strings.HasPrefix(c.key, "/") { // a product without a vendor is anybody's
				w.Keys = append(w.Keys, c.key)
			}
		}
		for j := range s.trees {
			w.Keys = s.trees[j].vulnerableKeys(w.Keys)
		}
	}
	slices.Sort(w.Keys)
	w.Keys = slices.Clip(slices.DeleteFunc(slices.Compact(w.Keys), func(key string) bool { return key == "" }))
	slices.SortFunc(w.sources, func(a, b source) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name)) })
	return says
}

// source makes one report ready.
func (d *dictionary) source(r know.Report) source {
	s := newSource(r.Source)
	s.modified, s.withdraws = r.Modified, r.Rejected && (strings.HasPrefix(r.Source, "cna:") || r.Source == "nvd")
	for _, c := range r.Claims {
		s.claims = append(s.claims, d.readClaim(c))
	}
	for _, tree := range r.Trees {
		if n, ok := d.readNode(tree); ok {
			s.trees = append(s.trees, n)
		}
	}
	return s
}

func newSource(name string) source {
	return source{name: name, label: ward.SourceName(name), rank: rankOf(name)}
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

func (d *dictionary) readClaim(c know.Claim) claim {
	made := claim{Claim: c, pkg: know.PackageKey(c.PURL), release: releaseOfClaim(c.Ecosystem)}
	if strings.TrimSpace(c.Vendor) != "" {
		made.key = know.ProductKey(c.Vendor, c.Product)
	}
	for _, name := range c.CPEs {
		if n := d.name(name); n != nil {
			made.cpes = append(made.cpes, n.cpe)
			made.cpeKeys = append(made.cpeKeys, n.key.key)
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

// readNode is false for a tree with a name that cannot be read: half a condition must not decide.
func (d *dictionary) readNode(n know.Node) (node, bool) {
	made := node{and: n.And, negate: n.Negate}
	if len(n.Matches) > 0 {
		made.leaves = make([]leaf, len(n.Matches))
	}
	for i, m := range n.Matches {
		named := d.name(m.CPE)
		if named == nil {
			return node{}, false
		}
		made.leaves[i] = leaf{name: named, span: d.stretch(m, named), product: named.product, vulnerable: m.Vulnerable}
	}
	for _, child := range n.Children {
		c, ok := d.readNode(child)
		if !ok {
			return node{}, false
		}
		made.children = append(made.children, c)
	}
	made.note()
	return made, len(made.leaves)+len(made.children) > 0
}

// note works out what is asked of the node often; its children come first.
func (n *node) note() {
	n.unusual = n.negate
	for i := range n.leaves {
		n.unusual = n.unusual || n.leaves[i].vulnerable && n.leaves[i].pattern
	}
	for i := range n.children {
		n.unusual = n.unusual || n.children[i].unusual
	}
}

// vulnerableKeys adds the product keys of the names that the tree calls vulnerable.
func (n *node) vulnerableKeys(keys []string) []string {
	for i := range n.leaves {
		if key := n.leaves[i].key.key; n.leaves[i].vulnerable && (len(keys) == 0 || keys[len(keys)-1] != key) {
			keys = append(keys, key)
		}
	}
	for i := range n.children {
		keys = n.children[i].vulnerableKeys(keys)
	}
	return keys
}
