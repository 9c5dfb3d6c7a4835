package findings

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// group is the exposures that one update of one branch of one product would end.
type group struct {
	key, branch string
	fixed       bool // a fixed version is known; the others wait for one
	fix         string
	names       map[ward.Software]int // vendor and product as inventories write them, by assets
	weak        map[ward.CVE]store.Weak
	assets      map[ward.AssetID]bool
	reachable   int
	unreachable int
	services    map[string]bool
}

// A spot is an identity, on the assets of one platform or on all.
type spot struct {
	software ward.SoftwareID
	platform ward.PlatformID
}

// fold makes the findings of one organisation from what is affected on its assets.
func fold(names Names, org ward.OrgID, exposed []store.Exposed, weak map[spot][]store.Weak, identities map[ward.SoftwareID]ward.Software) []store.Kept {
	type where struct {
		key, branch string
		fixed       bool
	}
	groups := map[where]*group{}
	homes := map[spot][]*group{} // at most two: with a fix, and waiting for one
	for _, e := range exposed {
		on := spot{e.Software, e.Platform}
		if _, known := homes[on]; !known {
			sw := identities[e.Software]
			at := where{key: productKey(names, sw), branch: names.Branch(sw.Version)}
			homes[on] = nil
			for _, w := range weak[on] {
				at.fixed = w.Fixed != ""
				g := groups[at]
				if g == nil {
					g = &group{key: at.key, branch: at.branch, fixed: at.fixed, names: map[ward.Software]int{}, weak: map[ward.CVE]store.Weak{},
						assets: map[ward.AssetID]bool{}, services: map[string]bool{}}
					groups[at] = g
				}
				g.weak[w.CVE] = w
				if g.fixed && (g.fix == "" || names.Before(g.fix, w.Fixed)) {
					g.fix = w.Fixed
				}
				if !slices.Contains(homes[on], g) {
					homes[on] = append(homes[on], g)
				}
			}
		}
		for _, g := range homes[on] {
			sw := identities[e.Software]
			g.names[ward.Software{Vendor: sw.Vendor, Product: cmp.Or(sw.Product, sw.String())}]++
			if g.assets[e.Asset] {
				continue
			}
			g.assets[e.Asset] = true
			switch e.Reachable {
			case ward.Yes:
				g.reachable++
			case ward.No:
				g.unreachable++
			}
			for _, s := range e.Services {
				g.services[s] = true
			}
		}
	}
	kept := make([]store.Kept, 0, len(groups))
	for _, g := range groups {
		kept = append(kept, g.finding(org))
	}
	slices.SortFunc(kept, func(x, y store.Kept) int { return cmp.Or(cmp.Compare(x.Rank, y.Rank), cmp.Compare(x.ID, y.ID)) })
	return kept
}

// productKey is that of an identity; one without a product's name is a product of its own.
func productKey(names Names, sw ward.Software) string {
	if sw.Product == "" {
		sw.Product = sw.String()
	}
	return names.ProductKey(sw.Vendor, sw.Product)
}

func (g *group) finding(org ward.OrgID) store.Kept {
	var name ward.Software
	for s, n := range g.names {
		if most := g.names[name]; n > most || (n == most && s.String() < name.String()) {
			name = s
		}
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{string(org), g.key, g.branch, g.fix}, "\x00")))
	priority, cves := g.priority()
	return store.Kept{
		Finding: ward.Finding{
			ID: ward.FindingID(hex.EncodeToString(sum[:10])), Org: org, Vendor: name.Vendor, Product: name.Product, Branch: g.branch, Fix: g.fix,
			CVEs: cves, Assets: len(g.assets), State: ward.FindingOpen, Priority: priority,
		},
		ProductKey: g.key, Rank: Rank(priority),
	}
}

// priority is why the fix is urgent, and its weaknesses, worst first.
func (g *group) priority() (ward.Priority, []ward.CVE) {
	all := make([]store.Weak, 0, len(g.weak))
	for _, w := range g.weak {
		all = append(all, w)
	}
	care := make([]string, 0, len(g.services))
	for s := range g.services {
		care = append(care, s)
	}
	slices.Sort(care)
	decision := func(w store.Weak) int {
		return slices.Index(ward.Decisions, pointsOf(w).Coordinator(ward.MissionOf(care)))
	}
	exploited := func(w store.Weak) int {
		if w.Exploited {
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(x, y store.Weak) int {
		return cmp.Or(exploited(y)-exploited(x), decision(y)-decision(x), cmp.Compare(y.EPSS, x.EPSS), cmp.Compare(y.CVSS, x.CVSS), cmp.Compare(x.CVE, y.CVE))
	})
	p := ward.Priority{Care: care}
	var cves []ward.CVE
	var known []string
	likely := all[0]
	for _, w := range all {
		cves = append(cves, w.CVE)
		if w.Exploited {
			p.Exploited = true
			known = append(known, string(w.CVE))
		}
		if w.EPSS > likely.EPSS {
			likely = w
		}
	}
	p.EPSS = likely.EPSS
	decided := slices.MaxFunc(all, func(x, y store.Weak) int { return decision(x) - decision(y) })
	p.SSVC = pointsOf(decided).Coordinator(ward.MissionOf(care))
	switch {
	case g.reachable > 0:
		p.Reachable = ward.Yes
	case g.unreachable == len(g.assets):
		p.Reachable = ward.No
	}
	if p.Exploited {
		p.Reasons = append(p.Reasons, "known to be exploited: "+act.Names(known))
	}
	if p.SSVC != "" {
		p.Reasons = append(p.Reasons, urgency(decided, p)...)
	}
	switch p.Reachable {
	case ward.Yes:
		p.Reasons = append(p.Reasons, fmt.Sprintf("%d of %s reachable from the internet", g.reachable, act.Number(len(g.assets), "asset")))
	case ward.NotKnown:
		p.Reasons = append(p.Reasons, "whether it is reachable from the internet is not known")
	}
	if len(care) > 0 {
		p.Reasons = append(p.Reasons, "care that depends on it: "+act.Names(care))
	}
	if p.EPSS > 0 {
		p.Reasons = append(p.Reasons, fmt.Sprintf("EPSS gives %s a probability of %.1f %% of being exploited within 30 days", likely.CVE, 100*p.EPSS))
	}
	if len(p.Reasons) == 0 {
		p.Reasons = []string{"an affected version is installed, and nothing more is known"}
	}
	return p, cves
}

// pointsOf are a coordinator's decision points as the store keeps them: "active/yes/total". What the catalogue says is exploited
// is, whatever the coordinator assessed before.
func pointsOf(w store.Weak) ward.SSVC {
	exploitation, rest, _ := strings.Cut(w.SSVC, "/")
	automatable, impact, _ := strings.Cut(rest, "/")
	if w.Exploited && exploitation != "" {
		exploitation = "active"
	}
	return ward.SSVC{Exploitation: exploitation, Automatable: automatable, Impact: impact}
}

// urgency says an SSVC decision with everything that it rests on, and what two other published tables make of the same points.
func urgency(w store.Weak, p ward.Priority) []string {
	s, mission := pointsOf(w), ward.MissionOf(p.Care)
	because := "nothing is known to depend on it"
	if mission == ward.MissionHigh {
		because = "care depends on it"
	}
	reasons := []string{fmt.Sprintf("SSVC says %s for %s (exploitation %s, automatable %s, technical impact %s, mission impact %s: %s)",
		p.SSVC, w.CVE, s.Exploitation, s.Automatable, s.Impact, mission, because)}
	if soon := s.Deployer(p.Reachable, mission); soon == "immediate" || soon == "out-of-cycle" {
		reasons = append(reasons, "SSVC's table for those who deploy would patch it "+map[string]string{"immediate": "immediately", "out-of-cycle": "out of cycle"}[soon])
	}
	if within := s.FederalTimeline(w.Exploited, p.Reachable); strings.Contains(within, "days") {
		reasons = append(reasons, "CISA's timetable for federal agencies (BOD 26-04) would give it "+within)
	}
	return reasons
}

// Rank is a priority as text that sorts the queue, the most urgent first: known exploitation, SSVC, reachability, the care
// that depends on it, EPSS.
func Rank(p ward.Priority) string {
	digit := func(yes bool) int {
		if yes {
			return 0
		}
		return 1
	}
	reach := map[ward.Tri]int{ward.Yes: 0, ward.NotKnown: 1, ward.No: 2}[p.Reachable]
	ssvc := len(ward.Decisions) - 1 - slices.Index(ward.Decisions, p.SSVC)
	return fmt.Sprintf("%d%d%d%d%07d", digit(p.Exploited), ssvc, reach, digit(len(p.Care) > 0), 1_000_000-int(p.EPSS*1_000_000))
}
