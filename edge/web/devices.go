package web

import (
	"fmt"
	"net/http"
	"strconv"

	"wardwatch/know/estate"
	"wardwatch/know/match"
	"wardwatch/ward"
)

func (s *Site) routesDevices() {
	const path = "/organisations/{org}"
	s.get(path+"/appliances", ward.MayDeclare, func(r *http.Request, who ward.Actor) (Page, error) {
		return s.appliancePage(r, who, ward.DeclaredAppliance{Org: orgOf(r), Class: ward.Appliance}, nil)
	})
	s.post(path+"/appliances", ward.MayDeclare, s.declareAppliance)
	s.get(path+"/devices", ward.MayRead, s.devicesPage)
	s.post(path+"/devices/{merge}/accept", ward.MayRelease, s.decideMerge(func(r *http.Request, who ward.Actor, id int64) error {
		_, err := s.Estate.Accept(r.Context(), who, id)
		return err
	}))
	s.post(path+"/devices/{merge}/refuse", ward.MayRelease, s.decideMerge(func(r *http.Request, who ward.Actor, id int64) error {
		_, err := s.Estate.Refuse(r.Context(), who, id, textOf(r, "reason"))
		return err
	}))
	s.post(path+"/devices/{merge}/undo", ward.MayRelease, s.decideMerge(func(r *http.Request, who ward.Actor, id int64) error {
		_, err := s.Estate.Unmerge(r.Context(), who, id, textOf(r, "reason"))
		return err
	}))
	s.get(path+"/scanners", ward.MayRead, s.scannersPage)
}

// applianceData asks for the few words by which a machine is known.
type applianceData struct {
	Done *Banner
	Lede string
	Form Form
}

func (s *Site) appliancePage(r *http.Request, who ward.Actor, a ward.DeclaredAppliance, wrong []FieldError) (Page, error) {
	o, err := s.Estate.Organisation(r.Context(), who.Scope, a.Org)
	if err != nil {
		return Page{}, err
	}
	sites, err := s.Estate.Sites(r.Context(), who.Scope, a.Org)
	if err != nil {
		return Page{}, err
	}
	var classes []Choice
	for _, c := range ward.Classes {
		classes = append(classes, Choice{Value: string(c), Text: capital(classWord(c)), Chosen: a.Class == c})
	}
	places := []Choice{{Value: "", Text: "Not said", Chosen: a.Site == ""}}
	for _, site := range sites {
		places = append(places, Choice{Value: site.Name, Text: site.Name, Chosen: a.Site == site.Name})
	}
	reach := func(t ward.Tri, text string) Choice {
		return Choice{Value: triWord(t), Text: text, Chosen: a.Reachable == t}
	}
	data := applianceData{Lede: fmt.Sprintf("Product and version are enough. It is signed with your name, counts as self-declared, is matched at once, and holds for %d days.", int(ward.DeclaredFor.Hours())/24),
		Form: Form{Action: orgPath(a.Org) + "/appliances", Errors: ErrorSummary{wrong}, Fields: []View{
			Input{Name: "product", Label: "Product", Hint: "As its maker calls it, such as NetScaler ADC.", Value: a.Product, Error: errorAt(wrong, "product")},
			Input{Name: "version", Label: "Version", Hint: "As the product shows it, such as 14.1-43.50.", Width: 20, Value: a.Version, Error: errorAt(wrong, "version")},
			Input{Name: "vendor", Label: "Maker (optional)", Width: 20, Value: a.Vendor, Error: errorAt(wrong, "vendor")},
			Input{Name: "name", Label: "What you call it (optional)", Hint: "Its host name or label. The same name again is the same machine.", Width: 20, Value: a.Name, Error: errorAt(wrong, "asset")},
			Select{Name: "class", Label: "Kind of machine", Choices: classes, Error: errorAt(wrong, "class")},
			Radios{Name: "reachable", Legend: "Can it be reached from the internet?", Inline: true, Choices: []Choice{reach(ward.Yes, "Yes"), reach(ward.No, "No"), reach(ward.NotKnown, "Not known")}},
			Select{Name: "site", Label: "Where it stands", Choices: places, Error: errorAt(wrong, "site")},
		}, Buttons: []Button{{Text: "Sign and declare"}}}}
	if id, err := strconv.ParseInt(r.URL.Query().Get("declared"), 10, 64); err == nil && r.Method == http.MethodGet {
		asset, err := s.Estate.Asset(r.Context(), who.Scope, ward.AssetID(id))
		if err != nil {
			return Page{}, err
		}
		data.Done = &Banner{Good: true, Heading: "Declared: " + asset.Name + ".", Body: Stack{Text("What follows from it shows within moments. "), Link{Text: "See " + asset.Name, Href: assetPath(asset.ID)}}}
	}
	return Page{Title: "Declare an appliance", Template: "appliance", Current: "organisations", Failed: len(wrong) > 0, Data: data,
		Crumbs: Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: o.Name, Href: orgPath(a.Org)}}}, nil
}

func (s *Site) declareAppliance(r *http.Request, who ward.Actor) (string, *Page, error) {
	a := ward.DeclaredAppliance{Org: orgOf(r), Vendor: textOf(r, "vendor"), Product: textOf(r, "product"), Version: textOf(r, "version"), Name: textOf(r, "name"), Class: ward.Class(textOf(r, "class")), Site: textOf(r, "site")}
	switch textOf(r, "reachable") {
	case "yes":
		a.Reachable = ward.Yes
	case "no":
		a.Reachable = ward.No
	}
	_, asset, err := s.Estate.DeclareAppliance(r.Context(), who, a)
	if err == nil {
		return fmt.Sprintf("%s/appliances?declared=%d", orgPath(a.Org), asset.ID), nil, nil
	}
	wrong, err := refused(err)
	if err != nil {
		return "", nil, err
	}
	page, err := s.appliancePage(r, who, a, wrong)
	return "", &page, err
}

// devicesData is which assets are held for one device, and why.
type devicesData struct {
	Lede     string
	Proposed Table
	Merged   Table
	Apart    Table
}

// mostMerges bounds how many merges of one state a page lists.
const mostMerges = 100

func (s *Site) devicesPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx, org := r.Context(), orgOf(r)
	o, err := s.Estate.Organisation(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	if err := s.looked(r, who, "assets.view", string(org), org); err != nil {
		return Page{}, err
	}
	decides := who.NeedFor(ward.MayRelease, org) == nil
	var data devicesData
	counts := map[ward.MergeState]int{}
	for _, part := range []struct {
		table   *Table
		caption string
		empty   string
		states  []ward.MergeState
	}{
		{&data.Proposed, "Perhaps one device", "No pair waits for a decision.", []ward.MergeState{ward.MergeProposed}},
		{&data.Merged, "Held for one device", "No two sources name one device differently, as far as the rules see.", []ward.MergeState{ward.MergeActive}},
		{&data.Apart, "Kept apart by a person", "Nobody has kept two apart.", []ward.MergeState{ward.MergeRefused, ward.MergeUndone}},
	} {
		*part.table = Table{Caption: part.caption, HideCaption: true, Columns: []Column{{Title: "Assets"}, {Title: "Rule", Tight: true}, {Title: "Said", Tight: true}, {Title: "Decision"}}, Empty: Empty{Text: part.empty}}
		for _, state := range part.states {
			found, err := s.Estate.Merges(ctx, who.Scope, estate.MergeQuery{Org: org, State: state, Limit: mostMerges})
			if err != nil {
				return Page{}, err
			}
			counts[state] = len(found.Items)
			for _, m := range found.Items {
				part.table.Rows = append(part.table.Rows, s.mergeRow(org, m, decides))
			}
			if found.Next != "" {
				part.table.Note = fmt.Sprintf("The first %d of more.", mostMerges)
			}
		}
	}
	pairs := "no pair is"
	if n := counts[ward.MergeActive]; n > 0 {
		pairs = countWord(n, "pair is", "pairs are")
	}
	data.Lede = fmt.Sprintf("%s held for one device across sources; %s for a person. What each source saw stays apart underneath, so that every merge can be undone.",
		capital(pairs), countWord(counts[ward.MergeProposed], "waits", "wait"))
	return Page{Title: "One device, several names", Template: "devices", Current: "organisations", Data: data,
		Crumbs: Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: o.Name, Href: orgPath(org)}}}, nil
}

func (s *Site) mergeRow(org ward.OrgID, m ward.Merge, decides bool) Row {
	names := Stack{Link{Text: m.KeptName, Href: assetPath(m.Kept)}, Text(" and "), Link{Text: m.MergedName, Href: assetPath(m.Merged)}}
	said := View(Why{View: Moment{m.At}, Reason: "by " + m.By})
	var decision View = Text("none yet")
	if !m.DecidedAt.IsZero() {
		decision = Why{View: Stack{Text(m.DecidedBy + ", "), Moment{m.DecidedAt}}, Reason: m.Reason}
	}
	path := fmt.Sprintf("%s/devices/%d/", orgPath(org), m.ID)
	form := func(do, text string) Form {
		return Form{Action: path + do, Buttons: []Button{{Text: text, Kind: Secondary, Small: true}}}
	}
	if decides && m.Operator == org {
		switch m.State {
		case ward.MergeProposed:
			decision = Stack{form("accept", "They are one"), form("refuse", "They are two")}
		case ward.MergeActive:
			decision = Stack{form("undo", "Undo: they are two")}
			if !m.DecidedAt.IsZero() {
				decision = Stack{Text("accepted by " + m.DecidedBy), form("undo", "Undo: they are two")}
			}
		}
	}
	if m.State == ward.MergeUndone {
		names = append(names, Text(", undone"))
	}
	return Row{Cells: []View{Why{View: names, Reason: m.Why}, Text(mergeRuleWord(m.Rule)), said, decision}}
}

// mergeRuleWord is why two assets are held for one, in words.
func mergeRuleWord(rule ward.MergeRule) string {
	switch rule {
	case ward.ByPerson:
		return "a person's word"
	case ward.ByOperator:
		return "the operator's list"
	case ward.ByStrongID:
		return "one identifier that no two share"
	case ward.ByTwoMarks:
		return "two marks agree"
	case ward.ByOneMark:
		return "one mark agrees"
	}
	return "some marks agree, others differ"
}

// decideMerge carries out a decision on a merge of the organisation that the address names.
func (s *Site) decideMerge(do func(r *http.Request, who ward.Actor, id int64) error) doing {
	return func(r *http.Request, who ward.Actor) (string, *Page, error) {
		org := orgOf(r)
		id, err := strconv.ParseInt(r.PathValue("merge"), 10, 64)
		if err != nil {
			return "", nil, ward.ErrNotFound
		}
		found, err := s.Estate.Merges(r.Context(), who.Scope, estate.MergeQuery{Org: org, ID: id, Limit: 1})
		if err != nil {
			return "", nil, err
		}
		if len(found.Items) == 0 {
			return "", nil, ward.ErrNotFound
		}
		return orgPath(org) + "/devices", nil, do(r, who, id)
	}
}

// scannersPage shows what vulnerability scanners report beside what matching says of the same asset and weakness.
func (s *Site) scannersPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx, org := r.Context(), orgOf(r)
	o, err := s.Estate.Organisation(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	if err := s.looked(r, who, "assets.view", string(org), org); err != nil {
		return Page{}, err
	}
	after := r.URL.Query().Get("after")
	found, err := s.Estate.ScannerFindings(ctx, who.Scope, estate.ScannerQuery{Org: org, After: after, Limit: ward.PageSize})
	if err != nil {
		return Page{}, err
	}
	t, alone, err := s.scannerTable(r, who, found.Items, true)
	if err != nil {
		return Page{}, err
	}
	t.Empty = Empty{Text: "No scanner has reported a weakness here. That says nothing where no scanner looks."}
	data := organisationsData{Table: t, Lede: fmt.Sprintf("Scanners report %s on assets of %s; matching says nothing of %s. The two are kept apart: each is a source of its own.", countWord(len(found.Items), "finding", "findings"), o.Name, countOnly(alone))}
	path := orgPath(org) + "/scanners"
	if found.Next != "" {
		data.Lede = fmt.Sprintf("These are %s of more that scanners report on assets of %s; matching says nothing of %s of them.", countWord(len(found.Items), "finding", "findings"), o.Name, countOnly(alone))
		data.Pager.Next = addressWith(path, "after", found.Next)
	}
	if after != "" {
		data.Pager.Prev = path
	}
	if len(found.Items) == 0 {
		data.Lede = "No scanner reports a weakness of " + o.Name + " now."
	}
	return Page{Title: "What scanners report", Template: "list", Current: "organisations", Data: data,
		Crumbs: Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: o.Name, Href: orgPath(org)}}}, nil
}

// scannerTable puts what scanners report beside what matching says, and counts of how many it says nothing.
func (s *Site) scannerTable(r *http.Request, who ward.Actor, findings []ward.ScannerFinding, assets bool) (t Table, alone int, err error) {
	t = Table{Caption: "What scanners report", HideCaption: true, Columns: []Column{{Title: "Weakness", Tight: true}, {Title: "The scanner says"}, {Title: "Matching says"}, {Title: "Scanned", Tight: true}}}
	if assets {
		t.Columns = append([]Column{{Title: "Asset"}}, t.Columns...)
	}
	ours := map[ward.AssetID]map[ward.CVE]ward.Exposure{}
	for _, f := range findings {
		if ours[f.Asset] == nil {
			open, err := s.Match.Exposures(r.Context(), who.Scope, match.ExposureQuery{Asset: f.Asset, Open: true, Limit: ward.MostPageSize})
			if err != nil {
				return t, 0, err
			}
			ours[f.Asset] = map[ward.CVE]ward.Exposure{}
			for _, e := range open.Items {
				ours[f.Asset][e.Verdict.CVE] = e
			}
		}
		says := View(Text("nothing: no version that sources list is affected, or none is listed"))
		if e, known := ours[f.Asset][f.CVE]; known {
			says = Why{View: statusTag(e.Verdict.Status), Reason: e.Verdict.Why}
		} else {
			alone++
		}
		what := f.Title
		if f.Port != "" {
			what += " (" + f.Port + ")"
		}
		cells := []View{Link{Text: string(f.CVE), Href: weaknessHref(f.CVE)}, Why{View: Text(orNotKnown(what)), Reason: f.Source + ", check " + f.Plugin + ", " + f.Severity}, says, Why{View: When{f.ObservedAt}, Reason: "since " + s.at(f.FirstSeen)}}
		if assets {
			cells = append([]View{Link{Text: f.AssetName, Href: assetPath(f.Asset)}}, cells...)
		}
		t.Rows = append(t.Rows, Row{Cells: cells})
	}
	return t, alone, nil
}
