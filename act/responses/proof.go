package responses

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Statement is what an organisation says, as the proof needs it.
type Statement struct {
	FixedAt time.Time       // evidence observed after it counts; zero when no fix is claimed
	Denied  bool            // it says that the alert does not apply to it
	Hosted  bool            // it says that another organisation runs what is affected: evidence is then of what it runs itself
	Contest string          // why it contests the match; empty when it does not
	Left    []ward.Residual // assets that it says are not fixed yet: they neither confirm nor contradict the rest
}

func (s Statement) empty() bool {
	return s.FixedAt.IsZero() && !s.Denied && !s.Hosted && s.Contest == ""
}

// leaves reports whether the organisation said that an asset is not fixed yet.
func (s Statement) leaves(a asset) bool {
	return slices.ContainsFunc(s.Left, func(r ward.Residual) bool {
		return r.Asset != 0 && r.Asset == a.id || r.Asset == 0 && strings.EqualFold(strings.TrimSpace(r.Name), strings.TrimSpace(a.name))
	})
}

// weighed is what a proof found, asset by asset.
type weighed struct {
	refuted []string // names of the assets that contradict the claim
	ids     []ward.AssetID
	of      int // assets in question
}

// mostShown bounds how many assets a proof carries, those that need a person first.
const mostShown = 100

// finding of one asset, in the order in which a person must see them.
type finding int

const (
	refuted finding = iota
	doubted
	waiting
	supported
)

// judged is one asset with what the evidence makes of it.
type judged struct {
	id      ward.AssetID
	name    string
	finding finding
	why     string
	by      ward.Seen   // the sighting that decided
	all     []ward.Seen // for the page
}

// Prove holds a statement against evidence: what each source last saw on each asset, and what was cited at publication.
//
// A claim is contradicted only by evidence observed after it that shows a version which a ruling or an explicit version
// calls affected. What a record's default alone calls affected is disputed, even when nothing has changed since
// publication: an organisation that had already installed the publisher's fix must not be refused because the record
// forgot that branch. Sources that disagree and matches that the organisation contests are disputed too: the desk decides,
// once. Only tool exports and independent evidence confirm; what nobody lists any more confirms nothing.
func Prove(said Statement, cited []store.CitedAsset, evidence []ward.Seen, now time.Time) ward.Proof {
	proof, _ := weigh(said, cited, evidence, now)
	return proof
}

func weigh(said Statement, cited []store.CitedAsset, evidence []ward.Seen, now time.Time) (ward.Proof, weighed) {
	assets := slices.DeleteFunc(sorted(evidence, cited), said.leaves)
	proof := ward.Proof{At: now}
	var found weighed
	switch {
	case !said.FixedAt.IsZero():
		proof, found = proveFix(said, assets, now)
	case said.Denied, said.Hosted:
		proof = proveDenial(said, assets, now)
	}
	if said.Contest != "" && (proof.Result == "" || proof.Result == ward.Awaiting) {
		if open := slices.IndexFunc(assets, func(a asset) bool { return a.unruled() }); open >= 0 {
			proof.Result = ward.Disputed
			proof.Why = fmt.Sprintf("contested: %s", said.Contest)
			proof.Source, proof.ObservedAt, proof.Grade = origin(assets[open].affected())
			proof.Assets = shown(assets)
		}
	}
	return proof, found
}

// asset is everything known about one machine for a proof.
type asset struct {
	id    ward.AssetID
	name  string
	cited bool // at publication
	seen  []ward.Seen
}

// affected is its newest sighting of an affected version.
func (a asset) affected() ward.Seen {
	var newest ward.Seen
	for _, s := range a.seen {
		if s.Status == ward.Affected && s.ObservedAt.After(newest.ObservedAt) {
			newest = s
		}
	}
	return newest
}

// exposed reports whether a source's last word on it is an affected version, or it was cited.
func (a asset) exposed() bool { return a.cited || a.affected().Source != "" }

// unruled reports whether a match that calls it affected still waits for the desk.
func (a asset) unruled() bool {
	return slices.ContainsFunc(a.seen, func(s ward.Seen) bool { return s.Status == ward.Affected && s.Basis != ward.ByRuling })
}

// sorted gathers evidence and citations by asset, in order of name.
func sorted(evidence []ward.Seen, cited []store.CitedAsset) []asset {
	byID := map[ward.AssetID]*asset{}
	at := func(id ward.AssetID, name string) *asset {
		if byID[id] == nil {
			byID[id] = &asset{id: id, name: name}
		}
		return byID[id]
	}
	for _, c := range cited {
		at(c.Asset, c.Name).cited = true
	}
	for _, s := range evidence {
		a := at(s.Asset, s.Name)
		a.seen = append(a.seen, s)
	}
	all := make([]asset, 0, len(byID))
	for _, a := range byID {
		slices.SortStableFunc(a.seen, func(x, y ward.Seen) int {
			return cmp.Or(y.ObservedAt.Compare(x.ObservedAt), cmp.Compare(x.Source, y.Source), cmp.Compare(x.Version, y.Version))
		})
		all = append(all, *a)
	}
	slices.SortFunc(all, func(x, y asset) int { return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.id, y.id)) })
	return all
}

// proveFix proves "it is fixed since FixedAt". The assets in question are those cited at publication and those that any
// source last saw affected; when there are none, those that were seen after the claim.
func proveFix(said Statement, assets []asset, now time.Time) (ward.Proof, weighed) {
	var concerned []judged
	for _, a := range assets {
		if a.exposed() {
			concerned = append(concerned, judge(said, a))
		}
	}
	if len(concerned) == 0 {
		for _, a := range assets {
			if j := judge(said, a); j.finding == supported {
				concerned = append(concerned, j)
			}
		}
	}
	slices.SortStableFunc(concerned, func(x, y judged) int { return cmp.Compare(x.finding, y.finding) })
	proof := ward.Proof{At: now, Assets: listed(concerned)}
	if len(concerned) == 0 {
		proof.Result = ward.Awaiting
		proof.Why = fmt.Sprintf("no source has shown the product since the claim (%s): an import observed after it will tell", act.When(said.FixedAt))
		return proof, weighed{}
	}
	found := weighed{of: len(concerned)}
	for _, j := range concerned {
		if j.finding == refuted {
			found.refuted, found.ids = append(found.refuted, j.name), append(found.ids, j.id)
		}
	}
	worst := concerned[0]
	same := slices.DeleteFunc(slices.Clone(concerned), func(j judged) bool { return j.finding != worst.finding })
	proof.Source, proof.ObservedAt, proof.Grade = origin(worst.by)
	names := make([]string, len(same))
	for i, j := range same {
		names[i] = j.name
	}
	switch worst.finding {
	case refuted:
		proof.Result = ward.Contradicted
		proof.Why = worst.why
		if len(same) > 1 {
			proof.Why += fmt.Sprintf("; %s still affected: %s", act.Number(len(same), "asset"), act.Names(names))
		}
	case doubted:
		proof.Result = ward.Disputed
		proof.Why = worst.why
		if len(same) > 1 {
			proof.Why += fmt.Sprintf("; in doubt on %s: %s", act.Number(len(same), "asset"), act.Names(names))
		}
	case waiting:
		proof.Result = ward.Awaiting
		proof.Why = fmt.Sprintf("no evidence newer than the claim (%s) for %s: %s", act.When(said.FixedAt), act.Names(names), worst.why)
	case supported:
		proof.Result = ward.Confirmed
		confirm(&proof, same)
	}
	return proof, found
}

// confirm says by whom and when: the oldest sighting and the weakest grade, so that the sentence claims no more than its evidence.
func confirm(proof *ward.Proof, assets []judged) {
	var sources []string
	for _, j := range assets {
		if !slices.Contains(sources, j.by.Source) {
			sources = append(sources, j.by.Source)
		}
		if j.by.ObservedAt.Before(proof.ObservedAt) {
			proof.ObservedAt = j.by.ObservedAt
		}
		if strength(j.by.Grade) < strength(proof.Grade) {
			proof.Grade = j.by.Grade
		}
	}
	slices.Sort(sources)
	proof.Source = act.Names(sources)
	proof.Why = fmt.Sprintf("confirmed by %s at %s", proof.Source, act.When(proof.ObservedAt))
	if len(assets) > 1 {
		proof.Why += fmt.Sprintf(" (the oldest of %d assets)", len(assets))
	}
}

// judge weighs what was seen on one asset after the claim.
func judge(said Statement, a asset) judged {
	j := judged{id: a.id, name: a.name, all: a.seen}
	var against, doubt, support *ward.Seen
	affected := map[string]bool{} // sources that show an affected version beside whatever else they show
	newer := slices.DeleteFunc(slices.Clone(a.seen), func(s ward.Seen) bool { return s.Gone || !s.ObservedAt.After(said.FixedAt) })
	for i, s := range newer {
		switch {
		case s.Status != ward.Affected:
			continue
		case refutes(said, s):
			against = first(against, &newer[i])
		default:
			doubt = first(doubt, &newer[i])
		}
		affected[s.Source] = true
	}
	for i, s := range newer {
		if (s.Status == ward.Fixed || s.Status == ward.NotAffected) && strength(s.Grade) >= strength(ward.ToolExport) && !affected[s.Source] {
			support = first(support, &newer[i])
		}
	}
	switch {
	case against != nil && support != nil:
		j.finding, j.by = doubted, *against
		j.why = fmt.Sprintf("sources disagree on %s: %s, and %s", a.name, sight(*against), sight(*support))
	case against != nil:
		j.finding, j.by = refuted, *against
		j.why = fmt.Sprintf("%s on %s%s", sight(*against), a.name, towards(*against))
	case doubt != nil && support != nil:
		j.finding, j.by = doubted, *doubt
		j.why = fmt.Sprintf("sources disagree on %s: %s, and %s", a.name, sight(*doubt), sight(*support))
	case doubt != nil:
		j.finding, j.by = doubted, *doubt
		j.why = fmt.Sprintf("%s on %s", sight(*doubt), a.name)
		switch {
		case said.Contest != "":
			j.why += ", which the organisation contests: " + said.Contest
		case doubt.Basis == ward.ByScanner:
			j.why += ", which no version that was seen since bears out: the national desk decides"
		default:
			j.why += ", which the record calls affected only by its default: the national desk decides"
		}
	case support != nil:
		j.finding, j.by = supported, *support
	default:
		j.finding = waiting
		j.why = "nobody has listed it since; an import observed after the claim will tell"
		if len(a.seen) > 0 {
			j.by = a.seen[0]
			j.why = a.lately(said)
		}
	}
	return j
}

// lately says why the newest sighting of an asset settles nothing.
func (a asset) lately(said Statement) string {
	s := a.seen[0]
	switch {
	case s.Gone:
		return fmt.Sprintf("%s lists it no longer, which confirms nothing", s.Source)
	case !s.ObservedAt.After(said.FixedAt):
		return fmt.Sprintf("last seen by %s at %s; an import observed after the claim will tell", s.Source, act.When(s.ObservedAt))
	case s.Grade == ward.SelfDeclared:
		return fmt.Sprintf("%s at %s is the organisation's own word", s.Source, act.When(s.ObservedAt))
	}
	if s.Version == "" {
		return fmt.Sprintf("%s at %s does not say which version", s.Source, act.When(s.ObservedAt))
	}
	return fmt.Sprintf("%s at %s shows %s, and no source says whether that is affected", s.Source, act.When(s.ObservedAt), s.Version)
}

// refutes reports whether a newer sighting of an affected version is strong enough to contradict a person.
func refutes(said Statement, s ward.Seen) bool {
	return s.Basis == ward.ByRuling || (s.Basis == ward.ByVersion && said.Contest == "")
}

// proveDenial proves "it does not apply to us" and "another runs it for us": nothing to say while no listed asset is affected; else the desk decides,
// and once it has ruled the ruling stands.
func proveDenial(said Statement, assets []asset, now time.Time) ward.Proof {
	proof := ward.Proof{At: now}
	says := "the organisation says that it does not apply"
	if said.Hosted {
		says = "the organisation says that another runs it, and operates this itself"
	}
	var names []string
	for _, a := range assets {
		for _, s := range a.seen {
			if s.Gone || s.Status != ward.Affected {
				continue
			}
			names = append(names, a.name)
			if proof.Result != ward.Contradicted {
				proof.Source, proof.ObservedAt, proof.Grade = origin(s)
				proof.Result, proof.Why = ward.Disputed, fmt.Sprintf("%s; %s on %s", says, sight(s), a.name)
				if s.Basis == ward.ByRuling && said.Contest == "" {
					proof.Result, proof.Why = ward.Contradicted, fmt.Sprintf("%s on %s%s", sight(s), a.name, towards(s))
				}
			}
			break
		}
	}
	if len(names) > 1 {
		proof.Why += fmt.Sprintf("; seen on %s: %s", act.Number(len(names), "asset"), act.Names(names))
	}
	if proof.Result != "" {
		proof.Assets = shown(assets)
	}
	return proof
}

// sight says what one source showed: "appliance register at 09:14 UTC on 3 May 2025 shows 12.5.0.0 (affected)".
func sight(s ward.Seen) string {
	if s.Basis == ward.ByScanner {
		return fmt.Sprintf("the scanner %s at %s reports %s", s.Source, act.When(s.ObservedAt), s.Software)
	}
	version := s.Version
	if version == "" {
		version = cmp.Or(s.Software, "the product")
	}
	word := map[ward.Status]string{ward.Affected: "affected", ward.Fixed: "fixed", ward.NotAffected: "not affected"}[s.Status]
	if s.Basis == ward.ByRuling {
		word += " by ruling"
	}
	return fmt.Sprintf("%s at %s shows %s (%s)", s.Source, act.When(s.ObservedAt), version, word)
}

// towards adds the fixed version when one is known.
func towards(s ward.Seen) string {
	if s.Fixed == "" {
		return ""
	}
	return ", fixed in " + s.Fixed
}

func origin(s ward.Seen) (string, time.Time, ward.Grade) { return s.Source, s.ObservedAt, s.Grade }

func first(have, s *ward.Seen) *ward.Seen {
	if have != nil {
		return have
	}
	return s
}

func strength(g ward.Grade) int {
	return slices.Index([]ward.Grade{ward.SelfDeclared, ward.ToolExport, ward.Independent}, g)
}

func listed(concerned []judged) []ward.Seen {
	var all []ward.Seen
	for _, j := range concerned {
		all = append(all, j.all...)
	}
	return all[:min(len(all), mostShown)]
}

func shown(assets []asset) []ward.Seen {
	var all []ward.Seen
	for _, a := range assets {
		if a.exposed() {
			all = append(all, a.seen...)
		}
	}
	return all[:min(len(all), mostShown)]
}
