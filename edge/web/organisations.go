package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"wardwatch/act/findings"
	"wardwatch/know/match"
	"wardwatch/ward"
)

func (s *Site) routesOrganisations() {
	s.get("/organisations", ward.MayRead, s.organisationsPage)
	s.get("/organisations/{org}", ward.MayRead, s.organisationPage)
	s.handle("GET /organisations/{org}/exposures.csv", s.exposuresFile)
}

func orgPath(org ward.OrgID) string { return "/organisations/" + string(org) }

// orgOf is the organisation that an address names.
func orgOf(r *http.Request) ward.OrgID { return ward.OrgID(strings.ToUpper(r.PathValue("org"))) }

// organisationsData lists the organisations that a reader may see.
type organisationsData struct {
	Lede   string
	Search *Form
	Table  Table
	Pager  Pager
}

// orgsAPage is how many organisations one page lists: their answers and coverage are read for each.
const orgsAPage = 50

func (s *Site) organisationsPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	all, err := s.Estate.Organisations(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	text := strings.TrimSpace(r.URL.Query().Get("text"))
	chosen := slices.DeleteFunc(slices.Clone(all), func(o ward.Organisation) bool {
		return !strings.Contains(strings.ToLower(string(o.ID)+" "+o.Name+" "+o.Town), strings.ToLower(text))
	})
	after := r.URL.Query().Get("after")
	from := 0
	if after != "" {
		from = slices.IndexFunc(chosen, func(o ward.Organisation) bool { return string(o.ID) == after }) + 1
	}
	shown := chosen[from:min(from+orgsAPage, len(chosen))]
	owed, err := s.Responses.OwedByOrg(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	owes, late := map[ward.OrgID]int{}, map[ward.OrgID]int{}
	for _, o := range owed {
		owes[o.Org] = o.Owed
		if o.Overdue > 0 {
			late[o.Org] = o.Overdue
		}
	}
	newest, err := s.newestSources(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	t := Table{Caption: "Organisations", HideCaption: true, Keys: true,
		Columns: []Column{{Title: "Organisation"}, {Title: "Code", Tight: true}, {Title: "Kind", Tight: true}, {Title: "Town"}, {Title: "Newest inventory", Tight: true}, {Title: "Answers owed", Right: true}, {Title: "Overdue", Right: true}},
		Empty:   Empty{Text: "No organisation has " + quoted(text) + " in its name, code or town.", Next: Link{Text: "Show all", Href: "/organisations"}}}
	for _, o := range shown {
		var seen View = Tag{"No source", ToneUnknown}
		if at := newest[o.ID]; !at.IsZero() {
			seen = When{at}
		}
		var overdue View = Text("0")
		if late[o.ID] > 0 {
			overdue = Tag{Number(late[o.ID]), ToneCritical}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Link{Text: o.Name, Href: orgPath(o.ID)}, Code(o.ID), Text(plainWord(o.Kind)), Text(o.Town), seen, Text(Number(owes[o.ID])), overdue}})
	}
	data := organisationsData{Table: t, Lede: fmt.Sprintf("You see %s.", countWord(len(all), "organisation", "organisations"))}
	if len(late) > 0 {
		data.Lede = fmt.Sprintf("You see %s; %s overdue.", countWord(len(all), "organisation", "organisations"), countWord(len(late), "is", "are"))
	}
	if len(all) == 0 {
		data.Table.Empty = Empty{Text: "No organisation is registered yet. An administrator imports the register with the command wardwatch org import."}
	}
	if len(all) > 5 {
		data.Search = &Form{Action: "/organisations", Get: true, Fields: []View{Input{Name: "text", Label: "Name, code or town", Value: text, Width: 20}}, Buttons: []Button{{Text: "Search", Kind: Secondary}}}
	}
	if from+orgsAPage < len(chosen) {
		data.Pager.Next = addressWith("/organisations", "text", text, "after", string(shown[len(shown)-1].ID))
	}
	if from > 0 {
		data.Pager.Prev = addressWith("/organisations", "text", text)
	}
	if data.Pager.Next != "" || data.Pager.Prev != "" {
		data.Pager.Note = fmt.Sprintf("%s to %s of %s", Number(from+1), Number(from+len(shown)), Number(len(chosen)))
	}
	return Page{Title: "Organisations", Template: "list", Current: "organisations", Data: data}, nil
}

// newestSources is when each organisation was last seen by any source.
func (s *Site) newestSources(ctx context.Context, scope ward.Scope) (map[ward.OrgID]time.Time, error) {
	sources, err := s.Estate.Sources(ctx, scope, "")
	newest := map[ward.OrgID]time.Time{}
	for _, source := range sources {
		if source.ObservedAt.After(newest[source.Org]) {
			newest[source.Org] = source.ObservedAt
		}
	}
	return newest, err
}

// shownFixes is how many fixes an organisation's page shows at once.
const shownFixes = 20

// organisationData is one organisation: what could be seen of it, what it owes, what it is exposed to.
type organisationData struct {
	Lede      string
	Watched   string
	Questions []Link
	Coverage  Table
	Owed      Table
	Fixes     Table
	Pager     Pager // of the fixes
	More      []Link
	Sources   Table
	Declared  Table
	Answering Table // who else may answer for it
	Relations Table
	Sites     Table
	Looks     *Table
	Held      *Warning
}

func (s *Site) organisationPage(r *http.Request, who ward.Actor) (Page, error) {
	ctx, org := r.Context(), orgOf(r)
	o, err := s.Estate.Organisation(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	if err := s.looked(r, who, "organisation.view", string(org), org); err != nil {
		return Page{}, err
	}
	var data organisationData
	coverage, err := s.Estate.Coverage(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	data.Coverage = coverageTable(coverage)
	answers, err := s.Responses.Owed(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	if data.Owed, data.Questions, err = s.orgOwed(ctx, who, answers); err != nil {
		return Page{}, err
	}
	fixes, err := s.Findings.Queue(ctx, who.Scope, findings.Query{Org: org, After: r.URL.Query().Get("fixes"), Limit: shownFixes})
	if err != nil {
		return Page{}, err
	}
	data.Fixes = fixesTable(fixes.Items)
	if fixes.Next != "" {
		data.Pager.Next = addressWith(orgPath(org), "fixes", fixes.Next)
	}
	if r.URL.Query().Get("fixes") != "" {
		data.Pager.Prev = orgPath(org)
	}
	data.Lede = organisationLede(coverage, answers, fixes.Items, data.Pager != Pager{})
	if err := s.orgSources(ctx, who, org, &data); err != nil {
		return Page{}, err
	}
	if err := s.orgRegister(ctx, who, org, &data); err != nil {
		return Page{}, err
	}
	if who.May(ward.MayAudit) {
		data.Looks, err = s.looksAt(ctx, who, org)
	} else {
		data.Looks, err = s.centreLooks(ctx, who, org)
	}
	if err != nil {
		return Page{}, err
	}
	data.More = append(data.More, Link{Text: "All assets", Href: orgPath(org) + "/assets"})
	if len(fixes.Items) > 0 {
		data.More = append(data.More, Link{Text: "Exposures as CSV", Href: orgPath(org) + "/exposures.csv"})
	}
	if who.May(ward.MayImport) {
		data.More = append(data.More, Link{Text: "Deliver an inventory", Href: orgPath(org) + "/imports"})
	}
	data.More = append(data.More, Link{Text: "Events: who sends, and what is seen", Href: orgPath(org) + "/coverage"}, Link{Text: "Detections", Href: addressWith("/detections", "org", string(org))})
	data.More = append(data.More, Link{Text: "Contacts", Href: contactsPath(org)}, Link{Text: "One device, several names", Href: orgPath(org) + "/devices"},
		Link{Text: "What scanners report", Href: orgPath(org) + "/scanners"})
	if who.NeedFor(ward.MayDeclare, org) == nil {
		data.More = append(data.More, Link{Text: "Declare an appliance", Href: orgPath(org) + "/appliances"}, Link{Text: "Say what it does not run", Href: orgPath(org) + "/declare"})
	}
	if who.May(ward.MayWatch) {
		data.Watched = "The organisation can see that you looked."
	}
	page := Page{Title: o.Name, Template: "organisation", Current: "organisations", Crumbs: Crumbs{{Text: "Organisations", Href: "/organisations"}}, Data: data}
	return page, nil
}

func organisationLede(coverage []ward.Coverage, answers []ward.Response, fixes []ward.Finding, more bool) string {
	fresh, blind := 0, []string{}
	for _, c := range coverage {
		if c.Freshness == ward.Fresh {
			fresh++
		} else {
			blind = append(blind, classesWord(c.Class))
		}
	}
	text := fmt.Sprintf("Fresh evidence covers %s of %s classes of asset", countOnly(fresh), countOnly(len(coverage)))
	if len(blind) > 0 && fresh > 0 {
		text += ", and not " + listed(blind)
	}
	late := 0
	for _, a := range answers {
		if a.Overdue {
			late++
		}
	}
	if len(answers) == 0 {
		text += ". No answer is owed"
	} else {
		text += fmt.Sprintf(". %s owed", capital(countWord(len(answers), "answer is", "answers are")))
	}
	if late > 0 {
		text += fmt.Sprintf(", %s overdue", countOnly(late))
	}
	switch {
	case more:
		return text + fmt.Sprintf("; more than %s fixes are open.", countOnly(shownFixes))
	case len(fixes) == 0:
		return text + "; no exposure is known in what is covered."
	}
	return text + fmt.Sprintf("; %s would end every known exposure.", countWord(len(fixes), "fix", "fixes"))
}

func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func coverageTable(coverage []ward.Coverage) Table {
	t := Table{Caption: "What could be seen", HideCaption: true,
		Columns: []Column{{Title: "Class"}, {Title: "Coverage"}, {Title: "Source"}, {Title: "Observed", Tight: true}, {Title: "Assets", Right: true}}}
	for _, c := range coverage {
		why := map[ward.Freshness]string{
			ward.Fresh: "\"Not exposed\" can be said of it", ward.Stale: "too old for \"not exposed\"",
			ward.NoSource: "nothing can be said of it", ward.Declared: "a person's word, not a tool's",
		}[c.Freshness]
		var source, observed View = Text("none"), Text("never")
		if c.Source != "" {
			source, observed = Text(c.Source), When{c.ObservedAt}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(capital(classesWord(c.Class))), Why{View: freshTag(c.Freshness), Reason: why}, source, observed, Text(Number(c.Assets))}})
	}
	return t
}

// orgOwed lists open answers, and the one question that would help each alert for which exposure is not known.
func (s *Site) orgOwed(ctx context.Context, who ward.Actor, answers []ward.Response) (Table, []Link, error) {
	t := owedTable("Owed", false)
	t.Empty = Empty{Text: "Nothing is owed now."}
	var questions []Link
	for _, answer := range answers {
		alert, err := s.Alerts.Get(ctx, who.Scope, answer.Alert)
		if err != nil {
			return t, nil, err
		}
		machines, err := s.machinesOf(ctx, who.Scope, alert, answer)
		if err != nil {
			return t, nil, err
		}
		t.Rows = append(t.Rows, owedRow(alert, answer, machines, false))
		if answer.Current.State == ward.ExposureUnknown && alert.Product != "" && who.May(ward.MayDeclare) {
			in := answered{alert: alert}
			questions = append(questions, Link{Text: "Do you run " + in.product() + "?", Href: declarePath(answer.Org, alert.Vendor, alert.Product, alert.ID), About: "for " + string(alert.ID)})
		}
	}
	return t, questions, nil
}

// eachExposure reads an organisation's open exposures page by page.
func (s *Site) eachExposure(ctx context.Context, scope ward.Scope, org ward.OrgID, do func(ward.Exposure) error) error {
	q := match.ExposureQuery{Org: org, Open: true, Limit: ward.MostPageSize}
	for {
		page, err := s.Match.Exposures(ctx, scope, q)
		if err != nil {
			return err
		}
		for _, e := range page.Items {
			if err := do(e); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

func fixesTable(fixes []ward.Finding) Table {
	t := Table{Caption: "Exposures by fix", HideCaption: true,
		Columns: []Column{{Title: "Fix"}, {Title: "Assets", Right: true}, {Title: "Weaknesses"}, {Title: "Alert", Tight: true}, {Title: "Since", Tight: true}},
		Empty:   Empty{Text: "No exposure is known. That speaks only for the classes that fresh evidence covers."}}
	for _, f := range fixes {
		installed := strings.TrimSpace(ward.ProductName(f.Vendor, f.Product) + " " + f.Branch)
		what := "Update " + installed + " to " + f.Fix
		if f.Fix == "" {
			what = installed + ": no source names a fixed version"
		}
		var cves Stack
		for i, cve := range f.CVEs {
			if i == 3 {
				cves = append(cves, Text(" and "+Number(len(f.CVEs)-3)+" more"))
				break
			}
			if i > 0 {
				cves = append(cves, Text(", "))
			}
			cves = append(cves, Link{Text: string(cve), Href: "/weaknesses/" + string(cve)})
		}
		var alert View = Text("none")
		if f.Alert != "" {
			alert = Link{Text: string(f.Alert), Href: "/alerts/" + string(f.Alert)}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Text(what), Reason: strings.Join(f.Priority.Reasons, "; ")}, Text(Number(f.Assets)), cves, alert, When{f.FirstSeen}}})
	}
	return t
}

// orgSources shows who delivers inventories, the newest imports, what waits for a person, and what people declared.
func (s *Site) orgSources(ctx context.Context, who ward.Actor, org ward.OrgID, data *organisationData) error {
	sources, err := s.Estate.Sources(ctx, who.Scope, org)
	if err != nil {
		return err
	}
	data.Sources = sourcesTable(sources)
	imports, err := s.Estate.Imports(ctx, who.Scope, org, recentImports)
	if err != nil {
		return err
	}
	held := 0
	for _, i := range imports {
		if i.State == ward.ImportHeld {
			held++
		}
	}
	if held > 0 {
		data.Held = &Warning{Title: capital(countWord(held, "import waits", "imports wait")) + " for a person.", Text: "It would lose more than a fifth of its source's assets. Look at it under Imports and apply it or discard it."}
	}
	declarations, err := s.Estate.Declarations(ctx, who.Scope, org)
	if err != nil {
		return err
	}
	data.Declared = s.declaredTable(declarations)
	return nil
}

func sourcesTable(sources []ward.Source) Table {
	t := Table{Caption: "Sources", HideCaption: true,
		Columns: []Column{{Title: "Source"}, {Title: "Speaks for"}, {Title: "Observed", Tight: true}, {Title: "Grade", Tight: true}, {Title: "Assets", Right: true}},
		Empty:   Empty{Text: "No inventory was ever delivered: every product is not known here."}}
	for _, source := range sources {
		classes := make([]string, len(source.Classes))
		for i, c := range source.Classes {
			classes[i] = classesWord(c)
		}
		speaks := strings.Join(classes, ", ")
		if speaks == "" {
			speaks = "no class as a whole"
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(source.Name), Text(speaks), When{source.ObservedAt}, Text(source.Grade), Text(Number(source.Assets))}})
	}
	return t
}

func (s *Site) declaredTable(declarations []ward.Declaration) Table {
	t := Table{Caption: "Declared by people", HideCaption: true,
		Columns: []Column{{Title: "Question"}, {Title: "Answer"}, {Title: "Signed", Tight: true}, {Title: "Holds until", Tight: true}},
		Empty:   Empty{Text: "Nothing was declared."}}
	now := s.clock.Now()
	for _, d := range declarations {
		answer := declaredWord(d)
		var until View = When{d.Expires}
		if d.Expires.Before(now) {
			until = Why{View: Tag{"Expired", ToneWarning}, Reason: s.at(d.Expires)}
		}
		said := View(Text(answer))
		if d.Words != "" {
			said = Why{View: said, Reason: d.Words}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text("Do you run " + ward.ProductName(d.Vendor, d.Product) + "?"), said, Why{View: Moment{d.At}, Reason: "by " + d.Name}, until}})
	}
	return t
}

func declaredWord(d ward.Declaration) string {
	switch d.Answer {
	case ward.RunsIt:
		if d.Asset != "" {
			return "Yes, version " + d.Version + " on " + d.Asset
		}
		return "Yes, version " + d.Version
	case ward.HostedBy:
		if d.Host != "" {
			return "Hosted by " + string(d.Host)
		}
		return "Hosted by another"
	}
	return "No"
}

// orgRegister shows what the register says: relations and sites.
func (s *Site) orgRegister(ctx context.Context, who ward.Actor, org ward.OrgID, data *organisationData) error {
	relations, err := s.Estate.Relations(ctx, who.Scope, org)
	if err != nil {
		return err
	}
	data.Relations = Table{Caption: "Relations", HideCaption: true, Columns: []Column{{Title: "Relation"}, {Title: "Since", Tight: true}, {Title: "Until", Tight: true}},
		Empty: Empty{Text: "No relation to another organisation is registered."}}
	for _, rel := range relations {
		until := "still"
		if !rel.Until.IsZero() {
			until = Day(rel.Until)
		}
		since := "not known"
		if !rel.Since.IsZero() {
			since = Day(rel.Since)
		}
		data.Relations.Rows = append(data.Relations.Rows, Row{Cells: []View{Text(relationWord(rel, org)), Text(since), Text(until)}})
	}
	delegations, err := s.Responses.Delegations(ctx, who.Scope, org)
	if err != nil {
		return err
	}
	data.Answering = delegationsTable(who, org, delegations)
	sites, err := s.Estate.Sites(ctx, who.Scope, org)
	if err != nil {
		return err
	}
	data.Sites = Table{Caption: "Sites", HideCaption: true, Columns: []Column{{Title: "Site"}, {Title: "Code", Tight: true}, {Title: "Postcode", Tight: true}}, Empty: Empty{Text: "No site is registered."}}
	for _, site := range sites {
		data.Sites.Rows = append(data.Sites.Rows, Row{Cells: []View{Text(site.Name), Code(site.ID), Text(site.Postcode)}})
	}
	return nil
}

func relationWord(r ward.Relation, org ward.OrgID) string {
	other, from := string(r.To), r.From == org
	if !from {
		other = string(r.From)
	}
	words := map[ward.RelationKind][2]string{
		ward.GroupLead: {"Leads the group of ", "In the group led by "}, ward.CareBoard: {"Care board of ", "Care board: "},
		ward.Hosts: {"Hosts systems for ", "Systems hosted by "}, ward.OperatesFor: {"Operates systems for ", "Systems operated by "},
		ward.Supplier: {"Supplies ", "Supplied by "}, ward.Successor: {"Succeeded ", "Succeeded by "},
	}[r.Kind]
	if from {
		return words[0] + other
	}
	return words[1] + other
}

// looksAt lists who from outside looked at an organisation's data, newest first.
func (s *Site) looksAt(ctx context.Context, who ward.Actor, org ward.OrgID) (*Table, error) {
	entries, err := s.Access.Audit(ctx, who, org, 0, ward.MostPageSize)
	if err != nil {
		return nil, err
	}
	t := Table{Caption: "Who looked", HideCaption: true, Columns: []Column{{Title: "Who"}, {Title: "At what"}, {Title: "When", Tight: true}},
		Empty: Empty{Text: "Nobody from outside the organisation has looked at its data here."}}
	for _, e := range entries {
		what, isLook := lookWord(e)
		if !isLook {
			continue
		}
		if t.Rows = append(t.Rows, Row{Cells: []View{Text(e.Name), Text(what), Moment{e.At}}}); len(t.Rows) == shownLooks {
			break
		}
	}
	return &t, nil
}

// centreLooks lists who at the centre looked at what an organisation runs, for those of its people who do not read the audit
// record.
func (s *Site) centreLooks(ctx context.Context, who ward.Actor, org ward.OrgID) (*Table, error) {
	looks, err := s.Estate.Views(ctx, who.Scope, org, "", shownLooks)
	if err != nil {
		return nil, err
	}
	t := Table{Caption: "Who looked", HideCaption: true, Columns: []Column{{Title: "Who"}, {Title: "At what"}, {Title: "When", Tight: true}},
		Empty: Empty{Text: "Nobody at the centre has looked at what it runs."}}
	for _, look := range looks.Items {
		t.Rows = append(t.Rows, Row{Cells: []View{Text(look.Name), Text(capital(look.Subject)), Moment{look.At}}})
	}
	return &t, nil
}

// shownLooks bounds the list of who looked.
const shownLooks = 20

func lookWord(e ward.AuditEntry) (string, bool) {
	switch e.Action {
	case "organisation.view":
		return "This page", true
	case "assets.view":
		return "The list of assets", true
	case "events.view":
		return "Events that a hunt found", true
	case "events.export":
		return "Events that a hunt found, as a file", true
	case "archive.hunt":
		return "Its events, in a hunt for " + visible(e.Detail), true
	case "asset.view":
		return "Asset " + strings.TrimPrefix(e.Subject, string(e.Org)+"/asset/"), true
	case "response.view":
		return "The answer to " + e.Subject, true
	case "imports.view":
		return "The imports", true
	case "exposures.export", "assets.export":
		return "A file of " + strings.TrimSuffix(e.Action, ".export"), true
	}
	return "", false
}

// exposuresFile gives an organisation's open exposures as a file.
func (s *Site) exposuresFile(w http.ResponseWriter, r *http.Request) {
	s.file(w, r, "exposures", []string{"asset", "class", "site", "software", "version", "weakness", "fixed", "source", "grade", "first_seen", "last_seen", "why"},
		func(ctx context.Context, who ward.Actor, org ward.OrgID, write func(...string) error) error {
			return s.eachExposure(ctx, who.Scope, org, func(e ward.Exposure) error {
				return write(e.Asset.Name, string(e.Asset.Class), e.Asset.Site, e.Software.String(), e.Software.Version, string(e.Verdict.CVE), e.Verdict.Fixed, e.Source, string(e.Grade),
					e.FirstSeen.UTC().Format(time.RFC3339), e.Asset.LastSeen.UTC().Format(time.RFC3339), e.Verdict.Why)
			})
		})
}
