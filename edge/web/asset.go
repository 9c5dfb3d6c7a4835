package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wardwatch/know/estate"
	"wardwatch/know/match"
	"wardwatch/ward"
)

func (s *Site) routesAssets() {
	s.get("/organisations/{org}/assets", ward.MayRead, s.assetsPage)
	s.handle("GET /organisations/{org}/assets.csv", s.assetsFile)
	s.get("/assets/{id}", ward.MayRead, s.assetPage)
}

func (s *Site) assetsPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx, org := r.Context(), orgOf(r)
	o, err := s.Estate.Organisation(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	if err := s.looked(r, who, "assets.view", string(org), org); err != nil {
		return Page{}, err
	}
	query := r.URL.Query()
	q := estate.AssetQuery{Org: org, Text: strings.TrimSpace(query.Get("text")), Software: strings.TrimSpace(query.Get("software")),
		Class: ward.Class(query.Get("class")), Gone: query.Get("gone") == "yes", After: query.Get("after")}
	found, err := s.Estate.Assets(ctx, who.Scope, q)
	if err != nil {
		return Page{}, err
	}
	path := orgPath(org) + "/assets"
	t := Table{Caption: "Assets", HideCaption: true, Keys: true,
		Columns: []Column{{Title: "Asset"}, {Title: "Class", Tight: true}, {Title: "Site"}, {Title: "From the internet", Tight: true}, {Title: "Supports"}, {Title: "Last seen", Tight: true}}}
	for _, a := range found.Items {
		link := View(Link{Text: a.Name, Href: assetPath(a.ID)})
		if a.Operator != org {
			link = Why{View: link, Reason: "operated by " + string(a.Operator)}
		}
		var seen View = When{a.LastSeen}
		if a.Gone {
			seen = Why{View: seen, Reason: "no longer seen"}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{link, Text(classWord(a.Class)), Text(orNotKnown(a.Site)), Text(triWord(a.Reachable)), Text(orNotKnown(plainWords(a.Services))), seen}})
	}
	filtered := q.Text != "" || q.Software != "" || q.Class != "" || q.Gone
	t.Empty = Empty{Text: "No inventory lists an asset of this organisation yet.", Next: Link{Text: "Deliver an inventory", Href: orgPath(org) + "/imports"}}
	if filtered {
		t.Empty = Empty{Text: "No asset fits. That says only that no source lists one.", Next: Link{Text: "Show all", Href: path}}
	}
	again := []string{"text", q.Text, "software", q.Software, "class", string(q.Class), "gone", query.Get("gone")}
	data := organisationsData{Lede: assetsLede(o, len(found.Items), found.Next != "" || q.After != "", filtered, q.Gone), Search: assetSearch(path, q), Table: t}
	if found.Next != "" {
		data.Pager.Next = addressWith(path, append(again, "after", found.Next)...)
	}
	if q.After != "" {
		data.Pager.Prev = addressWith(path, again...)
	}
	page := Page{Title: "Assets of " + o.Name, Template: "list", Current: "organisations", Data: data,
		Crumbs: Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: o.Name, Href: orgPath(org)}}}
	return page, nil
}

func assetsLede(o ward.Organisation, n int, more, filtered, gone bool) string {
	count := Count(n, "asset")
	if more {
		count = "These " + count + ", of more,"
	}
	switch {
	case gone:
		return capital(count) + " that no source of " + o.Name + " lists any more. That is not the same as fixed."
	case filtered:
		return capital(count) + " of " + o.Name + " that fit."
	}
	return capital(count) + " that a source of " + o.Name + " lists now, each counted once."
}

func assetSearch(path string, q estate.AssetQuery) *Form {
	classes := []Choice{{Value: "", Text: "Every class", Chosen: q.Class == ""}}
	for _, c := range ward.Classes {
		classes = append(classes, Choice{Value: string(c), Text: capital(classWord(c)), Chosen: q.Class == c})
	}
	return &Form{Action: path, Get: true, Fields: []View{
		Input{Name: "text", Label: "Name or site", Value: q.Text, Width: 20},
		Input{Name: "software", Label: "Software", Value: q.Software, Width: 20},
		Select{Name: "class", Label: "Class", Choices: classes},
		Select{Name: "gone", Label: "Listed", Choices: []Choice{{Value: "", Text: "Now", Chosen: !q.Gone}, {Value: "yes", Text: "No longer seen", Chosen: q.Gone}}},
	}, Buttons: []Button{{Text: "Search", Kind: Secondary}, {Text: "As CSV", Kind: Secondary, Href: path + ".csv"}}}
}

// assetsFile gives an organisation's assets as a file.
func (s *Site) assetsFile(w http.ResponseWriter, r *http.Request) {
	s.file(w, r, "assets", []string{"asset", "class", "site", "operator", "accountable", "internet_facing", "data", "services", "first_seen", "last_seen", "no_longer_seen"},
		func(ctx context.Context, who ward.Actor, org ward.OrgID, write func(...string) error) error {
			for _, gone := range []bool{false, true} {
				q := estate.AssetQuery{Org: org, Gone: gone, Limit: ward.MostPageSize}
				for {
					page, err := s.Estate.Assets(ctx, who.Scope, q)
					if err != nil {
						return err
					}
					for _, a := range page.Items {
						if err := write(a.Name, string(a.Class), a.Site, string(a.Operator), joinOrgs(a.Accountable, " "), triWord(a.Reachable), strings.Join(a.Data, " "), strings.Join(a.Services, "; "),
							isoTime(a.FirstSeen), isoTime(a.LastSeen), strconv.FormatBool(a.Gone)); err != nil {
							return err
						}
					}
					if q.After = page.Next; q.After == "" {
						break
					}
				}
			}
			return nil
		})
}

func joinOrgs(orgs []ward.OrgID, by string) string {
	words := make([]string, len(orgs))
	for i, o := range orgs {
		words[i] = string(o)
	}
	return strings.Join(words, by)
}

// assetData is one machine: what it is, what runs on it, what that means, now and before.
type assetData struct {
	Lede     string
	Watched  string
	Facts    SummaryList
	Open     Table
	Software Table
	Before   Table
	Seen     Table
	Scanned  *Table // what scanners report; nil where none does
	Merges   *Table // which names were held for it
}

func (s *Site) assetPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	number, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return Page{}, ward.ErrNotFound
	}
	id := ward.AssetID(number)
	asset, err := s.Estate.Asset(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	for _, org := range owners(asset) {
		if who.Scope.Sees(org) {
			if err := s.looked(r, who, "asset.view", string(org)+"/asset/"+asset.Name, org); err != nil {
				return Page{}, err
			}
		}
	}
	installs, err := s.Estate.Installs(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	sightings, err := s.Estate.Sightings(ctx, who.Scope, id)
	if err != nil {
		return Page{}, err
	}
	exposures, err := s.Match.Exposures(ctx, who.Scope, match.ExposureQuery{Asset: id, Limit: ward.MostPageSize})
	if err != nil {
		return Page{}, err
	}
	data := assetData{Facts: s.assetFacts(asset), Software: installsTable(installs), Seen: sightingsTable(sightings)}
	data.Open, data.Before = exposureTables(exposures.Items)
	data.Lede = s.assetLede(asset, exposures.Items, installs)
	if data.Scanned, data.Merges, err = s.assetOthers(r, who, asset); err != nil {
		return Page{}, err
	}
	if who.May(ward.MayWatch) {
		data.Watched = "The organisation can see that you looked."
	}
	crumbs := Crumbs{{Text: "Organisations", Href: "/organisations"}}
	for _, org := range owners(asset) {
		if who.Scope.Sees(org) {
			crumbs = append(crumbs, Link{Text: string(org), Href: orgPath(org)}, Link{Text: "Assets", Href: orgPath(org) + "/assets"})
			break
		}
	}
	return Page{Title: asset.Name, Template: "asset", Current: "organisations", Data: data, Crumbs: crumbs}, nil
}

// assetOthers is what scanners report of an asset, and what says that it is one device with others.
func (s *Site) assetOthers(r *http.Request, who ward.Actor, a ward.Asset) (scanned, merges *Table, err error) {
	found, err := s.Estate.ScannerFindings(r.Context(), who.Scope, estate.ScannerQuery{Asset: a.ID, Limit: ward.PageSize})
	if err != nil {
		return nil, nil, err
	}
	if len(found.Items) > 0 {
		t, _, err := s.scannerTable(r, who, found.Items, false)
		if err != nil {
			return nil, nil, err
		}
		scanned = &t
	}
	merged, err := s.Estate.Merges(r.Context(), who.Scope, estate.MergeQuery{Asset: a.ID, Limit: mostMerges})
	if err != nil {
		return nil, nil, err
	}
	if len(merged.Items) > 0 {
		merges = &Table{Caption: "One device, several names", HideCaption: true, Columns: []Column{{Title: "Assets"}, {Title: "Rule", Tight: true}, {Title: "Said", Tight: true}, {Title: "Decision"}}}
		for _, m := range merged.Items {
			row := s.mergeRow(m.Operator, m, false)
			row.Cells[1] = Why{View: row.Cells[1], Reason: mergeStateWord(m.State)}
			merges.Rows = append(merges.Rows, row)
		}
	}
	return scanned, merges, nil
}

// mergeStateWord is where a merge stands, in words.
func mergeStateWord(state ward.MergeState) string {
	switch state {
	case ward.MergeProposed:
		return "waits for a person; counted as two"
	case ward.MergeActive:
		return "held for one"
	case ward.MergeRefused:
		return "a person said that they are two"
	}
	return "undone: two again"
}

// owners are all who answer for an asset, the accountable first.
func owners(a ward.Asset) []ward.OrgID {
	all := slices.Clone(a.Accountable)
	if a.Operator != "" && !slices.Contains(all, a.Operator) {
		all = append(all, a.Operator)
	}
	return all
}

func (s *Site) assetLede(a ward.Asset, exposures []ward.Exposure, installs []ward.Install) string {
	var open []ward.CVE
	for _, e := range exposures {
		if e.Ended == "" && !slices.Contains(open, e.Verdict.CVE) {
			open = append(open, e.Verdict.CVE)
		}
	}
	text := fmt.Sprintf("%s of %s", capital(classWord(a.Class)), joinOrgs(a.Accountable, ", "))
	if a.Class == "" {
		text = "An asset of " + joinOrgs(a.Accountable, ", ")
	}
	if a.Gone {
		return fmt.Sprintf("%s. No source lists it since %s; what ran on it then is below.", text, s.at(a.LastSeen))
	}
	listed := 0
	for _, i := range installs {
		if !i.Gone {
			listed++
		}
	}
	switch {
	case len(open) > 0:
		return fmt.Sprintf("%s, exposed to %s now.", text, countWord(len(open), "known weakness", "known weaknesses"))
	case listed == 0:
		return text + ". No source says what runs on it, so nothing is known of its weaknesses."
	}
	return fmt.Sprintf("%s. No known weakness in the %s that sources list on it.", text, countWord(listed, "piece of software", "pieces of software"))
}

func (s *Site) assetFacts(a ward.Asset) SummaryList {
	row := func(key, value string) SummaryRow { return SummaryRow{Key: key, Value: Text(orNotKnown(value))} }
	rows := []SummaryRow{row("Class", capital(classWord(a.Class))), row("Site", a.Site), row("Accountable", joinOrgs(a.Accountable, ", ")), row("Operated by", string(a.Operator)),
		row("Care it supports", plainWords(a.Services)), row("What it holds", capital(plainWords(a.Data))), row("Reached from the internet", capital(triWord(a.Reachable))),
		{Key: "First seen", Value: Moment{a.FirstSeen}}}
	last := SummaryRow{Key: "Last seen", Value: When{a.LastSeen}}
	if a.Gone {
		last.Value = Stack{When{a.LastSeen}, Text(" "), Tag{"No longer seen", ToneUnknown}}
	}
	return SummaryList{append(rows, last)}
}

func installsTable(installs []ward.Install) Table {
	t := Table{Caption: "Software", HideCaption: true, Columns: []Column{{Title: "Software"}, {Title: "Version", Tight: true}, {Title: "Source"}, {Title: "First seen"}, {Title: "Last seen"}},
		Empty: Empty{Text: "No source says what runs on it."}}
	for _, i := range installs {
		name := ward.ProductName(i.Software.Vendor, i.Software.Product)
		if name == "" {
			name = i.Software.String()
		}
		var last View = When{i.LastSeen}
		if i.Gone {
			last = Why{View: last, Reason: "no longer seen"}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(name), Text(orNotKnown(i.Software.Version)), Why{View: Text(i.SourceName), Reason: string(i.Grade)}, Moment{i.FirstSeen}, last}})
	}
	return t
}

func sightingsTable(sightings []estate.Presence) Table {
	t := Table{Caption: "Who lists it", HideCaption: true, Columns: []Column{{Title: "Source"}, {Title: "First listed"}, {Title: "Last listed"}},
		Empty: Empty{Text: "No source lists it."}}
	for _, p := range sightings {
		var last View = When{p.LastSeen}
		if p.Gone {
			last = Why{View: last, Reason: "no longer seen"}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Text(p.Source.Name), Reason: string(p.Source.Grade)}, Moment{p.FirstSeen}, last}})
	}
	return t
}

// exposureTables parts what is open from what has ended.
func exposureTables(exposures []ward.Exposure) (open, before Table) {
	open = Table{Caption: "Exposed now", HideCaption: true, Columns: []Column{{Title: "Weakness"}, {Title: "Software"}, {Title: "Fixed in", Tight: true}, {Title: "Since", Tight: true}, {Title: "Last seen", Tight: true}},
		Empty: Empty{Text: "No known weakness in what sources list now."}}
	before = Table{Caption: "Exposed before", HideCaption: true, Columns: []Column{{Title: "Weakness"}, {Title: "Software"}, {Title: "From", Tight: true}, {Title: "To", Tight: true}, {Title: "How it ended", Tight: true}},
		Empty: Empty{Text: "No exposure has ended yet."}}
	for _, e := range exposures {
		weakness := Why{View: Link{Text: string(e.Verdict.CVE), Href: "/weaknesses/" + string(e.Verdict.CVE)}, Reason: e.Verdict.Why}
		if e.Ended == "" {
			open.Rows = append(open.Rows, Row{Cells: []View{weakness, Text(softwareWords(e.Software)), Text(orNotKnown(e.Verdict.Fixed)), When{e.FirstSeen},
				Why{View: When{e.Asset.LastSeen}, Reason: "by " + e.Source + ", " + string(e.Grade)}}})
			continue
		}
		before.Rows = append(before.Rows, Row{Cells: []View{weakness, Text(softwareWords(e.Software)), Moment{e.FirstSeen}, Moment{e.LastSeen}, Text(e.Ended)}})
	}
	return open, before
}
