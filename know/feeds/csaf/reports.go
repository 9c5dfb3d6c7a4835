package csaf

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// Reports are the advisory's words on each CVE that it names, in its order.
func (a *Advisory) Reports() []know.Report {
	reports, _ := a.reports()
	return reports
}

// reports also counts the vulnerabilities without a CVE.
func (a *Advisory) reports() (reports []know.Report, unnamed int) {
	at := map[ward.CVE]int{}
	for i := range a.vulnerabilities {
		v := &a.vulnerabilities[i]
		cve, err := feeds.CVE(strings.TrimSpace(v.CVE))
		if err != nil {
			unnamed++
			continue
		}
		r := a.report(v, cve)
		if first, ok := at[cve]; ok { // which the standard forbids, and what the second says must not replace the first
			reports[first].Claims = append(reports[first].Claims, r.Claims...)
			continue
		}
		at[cve] = len(reports)
		reports = append(reports, r)
	}
	return reports, unnamed
}

func (a *Advisory) unnamed(count int) string {
	if count == 0 {
		return fmt.Sprintf("advisory %q: speaks of no vulnerability", clip(a.ID))
	}
	return fmt.Sprintf("advisory %q: names no CVE for %d of its vulnerabilities", clip(a.ID), count)
}

// Source is who speaks, by what right, and in which document.
func (a *Advisory) Source() string {
	kind := "advisory"
	switch {
	case a.Category == "csaf_vex":
		kind = "vex"
	case a.Role == "vendor":
		kind = "vendor"
	}
	return kind + ":" + a.Publisher + ", " + a.ID
}

// Retracted reports whether the publisher took the advisory back: such a document names no weakness any more.
func (a *Advisory) Retracted() bool {
	return a.Category == "csaf_withdrawn" || a.Category == "csaf_superseded"
}

// edition is what the document takes back of its own earlier editions, whose category may have been another.
func (a *Advisory) edition(reports []know.Report) *know.Edition {
	e := &know.Edition{At: a.Updated}
	for _, kind := range []string{"advisory", "vendor", "vex"} {
		e.Sources = append(e.Sources, kind+":"+a.Publisher+", "+a.ID)
	}
	for _, r := range reports {
		e.CVEs = append(e.CVEs, r.CVE)
	}
	return e
}

func (a *Advisory) report(v *vulnerability, cve ward.CVE) know.Report {
	r := know.Report{CVE: cve, Source: a.Source(), URL: a.URL, Published: a.Published, Modified: a.Updated,
		Title: cmp.Or(strings.TrimSpace(v.Title), a.Title), Claims: a.claims(v)}
	said := ward.Provenance{Source: r.Source, URL: a.URL, At: a.Updated}
	for _, kind := range []string{"description", "summary", "details", "general"} {
		for _, n := range v.Notes {
			if n.Category == kind && r.Description == "" {
				r.Description = strings.TrimSpace(n.Text)
			}
		}
	}
	for _, s := range v.Scores {
		addScores(&r, s.scores, said)
	}
	for _, m := range v.Metrics {
		by := said
		by.URL = cmp.Or(m.Source, by.URL)
		addScores(&r, m.Content, by)
	}
	for _, x := range v.Exploited {
		since := feeds.Moment(upper(x.Date))
		if !since.IsZero() && (r.Exploited == nil || since.Before(r.Exploited.Since)) {
			r.Exploited = &ward.Exploited{Provenance: said, Since: since}
		}
	}
	for _, link := range v.References {
		if link.URL != "" {
			r.References = add(r.References, link.URL)
		}
	}
	for _, x := range v.Remediations {
		remedy := know.Remedy{Category: x.Category, Details: strings.TrimSpace(x.Details), URL: x.URL, Date: feeds.Moment(upper(x.Date))}
		if !slices.Contains(r.Remedies, remedy) {
			r.Remedies = append(r.Remedies, remedy)
		}
		if x.URL != "" {
			r.References = add(r.References, x.URL)
		}
	}
	return r
}

func addScores(r *know.Report, s scores, said ward.Provenance) {
	for _, one := range []struct {
		version string
		*score
	}{{"2.0", s.V2}, {"", s.V3}, {"4.0", s.V4}} {
		if one.score == nil || one.Vector == "" {
			continue
		}
		c := ward.CVSS{Provenance: said, Version: cmp.Or(one.version, one.Version, "3.1"), Score: one.Score, Vector: one.Vector}
		if !slices.Contains(r.CVSS, c) {
			r.CVSS = append(r.CVSS, c)
		}
	}
	if len(s.SSVC) > 0 && r.SSVC == nil {
		r.SSVC = ssvc(s.SSVC, said)
	}
}

// points are the decision points that are kept, by their keys in the namespace "ssvc", with the words for their values.
var points = map[string]map[string]string{
	"E":  {"N": "none", "P": "poc", "A": "active"},
	"A":  {"N": "no", "Y": "yes"},
	"TI": {"P": "partial", "T": "total"},
}

func ssvc(raw json.RawMessage, said ward.Provenance) *ward.SSVC {
	var body struct {
		Timestamp  string `json:"timestamp"`
		Selections []struct {
			Namespace string `json:"namespace"`
			Key       string `json:"key"`
			Values    []struct {
				Key string `json:"key"`
			} `json:"values"`
		} `json:"selections"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return nil // a metric of another shape says nothing, and the document stands
	}
	if at := feeds.Moment(upper(body.Timestamp)); !at.IsZero() {
		said.At = at
	}
	s := &ward.SSVC{Provenance: said}
	for _, choice := range body.Selections {
		if choice.Namespace != "ssvc" || len(choice.Values) != 1 { // several values: not decided
			continue
		}
		word := points[choice.Key][choice.Values[0].Key]
		switch choice.Key {
		case "E":
			s.Exploitation = word
		case "A":
			s.Automatable = word
		case "TI":
			s.Impact = word
		}
	}
	if s.Exploitation+s.Automatable+s.Impact == "" {
		return nil
	}
	return s
}

// words are the status lists in the order in which they are read, and what each says of the versions that it lists.
// Recommended only recommends: it is a fix where no other list has the product.
var words = []struct {
	list   string
	status know.ClaimStatus
	fix    bool
}{
	{"known_affected", know.ClaimAffected, false}, {"first_affected", know.ClaimAffected, false}, {"last_affected", know.ClaimAffected, false},
	{"known_not_affected", know.ClaimUnaffected, false}, {"fixed", know.ClaimUnaffected, true}, {"first_fixed", know.ClaimUnaffected, true},
	{"under_investigation", know.ClaimUnknown, false}, {"unknown", know.ClaimUnknown, false}, {"recommended", know.ClaimUnaffected, true},
}

// subject is what makes two products of the tree one claim: the same software, in versions that only differ.
type subject struct{ vendor, product, purl, cpes, on, special, why string }

// gathering collects the claims of one vulnerability.
type gathering struct {
	*Advisory
	why    map[string]string // by product ID
	order  []subject
	claims map[subject]*know.Claim
	fixed  map[subject]bool // a fix is named with its version
	first  map[subject][]string
	last   map[subject][]string
}

// claims is what the advisory says of each product's versions.
func (a *Advisory) claims(v *vulnerability) []know.Claim {
	g := &gathering{Advisory: a, why: a.reasons(v), claims: map[subject]*know.Claim{}, fixed: map[subject]bool{},
		first: map[subject][]string{}, last: map[subject][]string{}}
	said := map[string]bool{}
	for _, w := range words {
		for _, id := range v.Status[w.list] {
			if w.list == "recommended" && said[id] {
				continue
			}
			said[id] = true
			if _, defined := a.products[id]; !defined {
				continue // by an extension
			}
			g.say(a.products[id], g.why[id], w.list, w.status, w.fix)
			for _, whole := range a.products[id].within { // what ships with it has the weakness too
				if w.status == know.ClaimAffected {
					g.say(a.products[whole], "", w.list, w.status, w.fix)
				}
			}
		}
	}
	claims := make([]know.Claim, 0, len(g.order))
	for _, s := range g.order {
		if c := g.finish(s); c.Default != "" || len(c.Versions) > 0 {
			claims = append(claims, c)
		}
	}
	if len(claims) == 0 {
		return nil
	}
	return claims
}

func (g *gathering) say(p product, why, list string, status know.ClaimStatus, fix bool) {
	if status != know.ClaimUnaffected || fix {
		why = ""
	}
	purls := p.purls
	if len(purls) == 0 {
		purls = []string{""}
	}
	for _, purl := range purls {
		s := subject{p.vendor, p.product, purl, strings.Join(p.cpes, " "), strings.Join(p.on, "\x00"), p.special, why}
		c := g.claims[s]
		if c == nil {
			c = &know.Claim{Vendor: p.vendor, Product: p.product, PURL: purl, CPEs: clone(p.cpes), Platforms: clone(p.on), Ecosystem: p.special, Justification: why}
			g.claims[s], g.order = c, append(g.order, s)
		}
		if len(p.versions) == 0 {
			if !fix && (c.Default == "" || status == know.ClaimAffected) { // "fixed" without a version says nothing that could be held against one
				c.Default = status
			}
			continue
		}
		for _, r := range p.versions {
			r.Status = cmp.Or(r.Status, status)
			if fix && r.LessThan+r.LessThanOrEqual == "" {
				g.fixed[s] = true
			}
			if exact := r.LessThan+r.LessThanOrEqual == ""; exact && list == "first_affected" {
				g.first[s] = append(g.first[s], r.Version)
			} else if exact && list == "last_affected" {
				g.last[s] = append(g.last[s], r.Version)
			}
			if !slices.ContainsFunc(c.Versions, func(have know.Range) bool { return same(have, r) }) {
				c.Versions = append(c.Versions, r)
			}
		}
	}
}

func same(a, b know.Range) bool {
	return a.Version == b.Version && a.LessThan == b.LessThan && a.LessThanOrEqual == b.LessThanOrEqual && a.Scheme == b.Scheme && a.Status == b.Status
}

// finish draws what the lists say together: the one first and the one last affected version are a stretch; and where only
// the fix is named, what comes before it is affected, which is all that a distribution's advisory says.
func (g *gathering) finish(s subject) know.Claim {
	c := *g.claims[s]
	if first, last := g.first[s], g.last[s]; len(first) == 1 && len(last) == 1 && first[0] != last[0] {
		c.Versions = append(c.Versions, know.Range{Version: first[0], LessThanOrEqual: last[0], Scheme: c.Versions[0].Scheme, Status: know.ClaimAffected})
	}
	unaffected := func(r know.Range) bool { return r.Status == know.ClaimUnaffected }
	if g.fixed[s] && c.Default == "" && !slices.ContainsFunc(c.Versions, func(r know.Range) bool { return !unaffected(r) }) {
		c.Default = know.ClaimAffected
	}
	return c
}

// reasons are why products are not affected: the machine-readable flag, else the impact statement.
func (a *Advisory) reasons(v *vulnerability) map[string]string {
	why := map[string]string{}
	give := func(to about, reason string) {
		for _, id := range a.members(to) {
			why[id] = cmp.Or(why[id], reason)
		}
	}
	for _, f := range v.Flags {
		give(f.about, f.Label)
	}
	for _, t := range v.Threats {
		if t.Category == "impact" && len(t.Products)+len(t.Groups) > 0 {
			give(t.about, strings.TrimSpace(t.Details))
		}
	}
	return why
}

// members are the products of a statement, those of its groups among them.
func (a *Advisory) members(to about) []string {
	all := map[string]bool{}
	for _, id := range to.Products {
		all[id] = true
	}
	for _, group := range to.Groups {
		for _, id := range a.groups[group] {
			all[id] = true
		}
	}
	return slices.Collect(maps.Keys(all))
}
