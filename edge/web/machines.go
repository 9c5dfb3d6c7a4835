package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// Machine is one machine that an alert is about, with what was last seen on it, by whom, and what would fix it.
type Machine struct {
	ID       ward.AssetID
	Name     string
	Class    ward.Class
	Site     string
	Software string
	Version  string
	Fix      string // lowest version that resolves every weakness of the alert; empty while none is known
	Status   ward.Status
	Why      string
	Source   string
	Grade    ward.Grade
	SeenAt   time.Time
	Gone     bool // no source lists it any more
}

// Machines lists them beside an answer.
type Machines []Machine

func (Machines) template() string { return "machines" }

// Link leads to the machine's page.
func (m Machine) Link() Link { return Link{Text: m.Name, Href: assetPath(m.ID)} }

// Tag is what the evidence says of it.
func (m Machine) Tag() Tag {
	if m.Gone && m.Status != ward.Affected {
		return Tag{"No longer seen", ToneUnknown}
	}
	return statusTag(m.Status)
}

// Kind is its class and site in words.
func (m Machine) Kind() string {
	words := classWord(m.Class)
	if m.Class == "" {
		words = ""
	}
	if m.Site != "" {
		if words != "" {
			words += ", "
		}
		words += m.Site
	}
	return capital(words)
}

// Has is the software and version seen on it.
func (m Machine) Has() string { return orNotKnown(cmp.Or(m.Version, m.Software)) }

// Fixable reports whether there is a version to go to.
func (m Machine) Fixable() bool {
	return m.Fix != "" && m.Fix != m.Version && m.Status == ward.Affected
}

// By is who saw it, and how strong that is.
func (m Machine) By() string { return fmt.Sprintf("%s (%s)", m.Source, m.Grade) }

func assetPath(id ward.AssetID) string { return fmt.Sprintf("/assets/%d", id) }

// mostMachines bounds how many machines a page reads for one alert; the rest are on the list of assets.
const mostMachines = ward.MostPageSize

// machinesOf lists the machines of an organisation that an alert is about: those exposed now, and those that the proof of its
// answer rests on.
func (s *Site) machinesOf(ctx context.Context, scope ward.Scope, alert ward.Alert, answer ward.Response) ([]Machine, error) {
	byID := map[ward.AssetID]*Machine{}
	for _, cve := range alert.CVEs {
		exposed, err := s.Match.Exposures(ctx, scope.Within(answer.Org), match.ExposureQuery{Org: answer.Org, CVE: cve, Open: true, Limit: mostMachines})
		if err != nil {
			return nil, err
		}
		for _, e := range exposed.Items {
			addExposure(byID, e)
		}
	}
	seen := slices.Clone(answer.Proof.Assets)
	slices.SortStableFunc(seen, func(a, b ward.Seen) int { return b.ObservedAt.Compare(a.ObservedAt) })
	for _, sight := range seen {
		if byID[sight.Asset] != nil {
			continue
		}
		m := &Machine{ID: sight.Asset, Name: sight.Name, Software: sight.Software, Version: sight.Version, Fix: sight.Fixed, Status: sight.Status,
			Why: sight.Why, Source: sight.Source, Grade: sight.Grade, SeenAt: sight.ObservedAt, Gone: sight.Gone}
		byID[sight.Asset] = m
		asset, err := s.Estate.Asset(ctx, scope, sight.Asset)
		if err == nil {
			m.Class, m.Site = asset.Class, asset.Site
		}
	}
	all := make([]Machine, 0, len(byID))
	for _, m := range byID {
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b Machine) int {
		return cmp.Or(cmp.Compare(pressing(a), pressing(b)), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

func addExposure(byID map[ward.AssetID]*Machine, e ward.Exposure) {
	m := byID[e.Asset.ID]
	if m == nil {
		m = &Machine{ID: e.Asset.ID, Name: e.Asset.Name, Class: e.Asset.Class, Site: e.Asset.Site, Status: e.Verdict.Status}
		byID[e.Asset.ID] = m
	}
	if seen := e.Asset.LastSeen; !seen.Before(m.SeenAt) {
		m.Source, m.Grade, m.SeenAt, m.Why = e.Source, e.Grade, seen, e.Verdict.Why
		m.Software, m.Version = e.Software.String(), e.Software.Version
	}
	if m.Fix == "" || e.Verdict.Fixed != "" && know.Compare("vendor", e.Verdict.Fixed, m.Fix) > 0 {
		m.Fix = e.Verdict.Fixed
	}
}

// pressing puts what is affected first.
func pressing(m Machine) int {
	switch m.Status {
	case ward.Affected:
		return 0
	case ward.Fixed, ward.NotAffected:
		return 2
	}
	return 1
}

// affected counts the machines that run an affected version by the newest evidence.
func affected(machines []Machine) (n int) {
	for _, m := range machines {
		if m.Status == ward.Affected {
			n++
		}
	}
	return n
}

// fixesOf names the versions to go to.
func fixesOf(machines []Machine) string {
	var fixes []string
	for _, m := range machines {
		if m.Status == ward.Affected && m.Fix != "" && !slices.Contains(fixes, m.Fix) {
			fixes = append(fixes, m.Fix)
		}
	}
	if len(fixes) == 0 {
		return "not known"
	}
	slices.SortFunc(fixes, func(a, b string) int { return know.Compare("vendor", a, b) })
	return strings.Join(fixes, " or ")
}
