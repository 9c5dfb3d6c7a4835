package web

import (
	"net/http"
	"slices"
	"strings"

	"wardwatch/act/findings"
	"wardwatch/ward"
)

func (s *Site) routesFindings() {
	s.get("/findings", ward.MayWatch, func(r *http.Request, who ward.Actor) (Page, error) { return s.findings(r, who, nil) })
	s.post("/findings", ward.MayDraft, s.draftChosen)
}

// mostFixes is how many updates the summary counts.
const mostFixes = 8

// findingsData is what the list of findings shows.
type findingsData struct {
	Live   Live
	Lede   string
	Wrong  ErrorSummary
	Search Form
	Fixes  Table
	Queue  Table
	Pager  Pager
}

// findings lists the findings that are open, the most urgent first, each with the reasons of its place.
func (s *Site) findings(r *http.Request, who ward.Actor, wrong []FieldError) (Page, error) {
	ctx, ask := r.Context(), r.URL.Query()
	query := findings.Query{Org: ward.OrgID(ask.Get("org")), Text: strings.TrimSpace(ask.Get("q")), After: ask.Get("after"), Limit: ward.PageSize}
	page, err := s.Findings.Queue(ctx, who.Scope, query)
	if err != nil {
		return Page{}, err
	}
	fixes, err := s.Findings.Fixes(ctx, who.Scope, ward.MostPageSize)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	total := 0
	for _, f := range fixes {
		total += f.Orgs
	}
	data := findingsData{
		Live: Live{ID: "findings", Href: "/findings?" + ask.Encode(), Topics: []string{"queue", "feeds"}}, Wrong: ErrorSummary{wrong},
		Lede:   clauses(Count(total, "finding")+" "+is(total)+" open, which "+Count(len(fixes), "update")+" would end", "known exploitation comes first, then SSVC, reach from the internet, the care that depends on it, and EPSS"),
		Search: s.findingsSearch(query, known), Fixes: fixTable(fixes), Queue: findingTable(page.Items, known),
	}
	if page.Next != "" {
		ask.Set("after", page.Next)
		data.Pager.Next = "/findings?" + ask.Encode()
	}
	if query.Text != "" || query.Org != "" {
		data.Queue.Empty = Empty{Text: "No open finding fits.", Next: link("Show every finding", "/findings")}
	}
	return Page{Title: "Findings", Template: "findings", Current: "queue", Crumbs: Crumbs{{Text: "Queue", Href: "/queue"}}, Data: data, Failed: len(wrong) > 0}, nil
}

func (s *Site) findingsSearch(query findings.Query, known register) Form {
	orgs := []Choice{{Text: "All organisations"}}
	for _, o := range known.sorted() {
		orgs = append(orgs, Choice{Value: string(o.ID), Text: o.Name, Chosen: o.ID == query.Org})
	}
	return Form{Action: "/findings", Get: true, Fields: []View{
		Input{Name: "q", Label: "Product, version or CVE", Value: query.Text},
		Select{Name: "org", Label: "Organisation", Choices: orgs},
	}, Buttons: []Button{{Text: "Search", Kind: Secondary}}}
}

// fixTable says which updates would end most.
func fixTable(fixes []findings.Fix) Table {
	t := Table{Caption: "What would end most", Note: "The most urgent updates, with all who need them.",
		Columns: []Column{{Title: "Update"}, {Title: "Organisations", Right: true, Tight: true}, {Title: "Machines", Right: true, Tight: true}, {Title: "First seen", Tight: true}},
		Empty:   Empty{Text: "No update is needed for anything that evidence shows."}}
	for _, f := range fixes[:min(len(fixes), mostFixes)] {
		t.Rows = append(t.Rows, Row{Cells: []View{link(updateWords(f.Vendor, f.Product, f.Branch, f.Fix), "/findings?q="+queryText(f.Product)), Text(Number(f.Orgs)), Text(Number(f.Assets)), When{f.FirstSeen}}})
	}
	return t
}

// updateWords says what resolves a finding: "Update Ivanti Endpoint Manager Mobile 12.4 to 12.4.0.2".
func updateWords(vendor, product, branch, fix string) string {
	product = productWords(vendor, product)
	if branch != "" {
		branch = " " + branch
	}
	if fix == "" {
		return product + branch + ": no source names a fixed version"
	}
	return "Update " + product + branch + " to " + fix
}

func findingTable(items []ward.Finding, known register) Table {
	t := Table{Caption: "Findings", Note: "One fix for one organisation; the most urgent first", Keys: true,
		Columns: []Column{{Title: "What, and why it is here"}, {Title: "Organisation"}, {Title: "Machines", Right: true, Tight: true}, {Title: "Weaknesses"}, {Title: "First seen", Tight: true}, {Title: "Alert", Tight: true}},
		Pick:    &Pick{Name: "finding", Action: "/findings", Buttons: []Button{{Text: "Draft an alert from the chosen", Small: true}}},
		Empty:   Empty{Text: "No finding is open. What an import or a feed brings appears here by itself."}}
	for _, f := range items {
		what := updateWords(f.Vendor, f.Product, f.Branch, f.Fix)
		var title View = Text(what)
		if len(f.CVEs) > 0 {
			title = link(what, weaknessHref(f.CVEs[0]))
		}
		var alert View = Text("none")
		if f.Alert != "" {
			alert = link(string(f.Alert), alertHref(f.Alert))
		}
		t.Rows = append(t.Rows, Row{Key: string(f.ID), Name: what + " at " + known.name(f.Org), Cells: []View{
			Why{View: title, Reason: clauses(f.Priority.Reasons...)}, link(known.name(f.Org), orgHref(f.Org)), Text(Number(f.Assets)), fewCVEs(f.CVEs), When{f.FirstSeen}, alert}})
	}
	return t
}

// fewCVEs are the worst of many weaknesses.
func fewCVEs(cves []ward.CVE) View {
	const most = 2
	if len(cves) <= most+1 {
		return cveLinks(cves)
	}
	return Stack{cveLinks(cves[:most]), Text(" and " + Number(len(cves)-most) + " more")}
}

// draftChosen drafts one alert from the findings that were chosen; they must be about one product.
func (s *Site) draftChosen(r *http.Request, who ward.Actor) (string, *Page, error) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return "", nil, &ward.Invalid{Problem: "the form could not be read"}
	}
	again := func(text string) (string, *Page, error) {
		page, err := s.findings(r, who, []FieldError{{Text: text}})
		return "", &page, err
	}
	var chosen []ward.Finding
	for _, id := range r.PostForm["finding"] {
		f, err := s.Findings.Finding(ctx, who.Scope, ward.FindingID(id))
		if err != nil {
			return "", nil, err
		}
		chosen = append(chosen, f)
	}
	switch {
	case len(chosen) == 0:
		return again("Choose at least one finding.")
	case slices.ContainsFunc(chosen, func(f ward.Finding) bool {
		return !strings.EqualFold(f.Vendor, chosen[0].Vendor) || !strings.EqualFold(f.Product, chosen[0].Product)
	}):
		return again("An alert is about one product. Choose findings about one product, then draft another alert for the next.")
	}
	a, err := s.draftFrom(r, who, chosen)
	if wrong, other := invalid(err); err != nil && other == nil {
		return again(wrong[0].Text)
	} else if err != nil {
		return "", nil, err
	}
	return alertHref(a.ID) + "/edit", nil, nil
}

// draftFrom drafts from one finding, or from several with the weaknesses of all of them.
func (s *Site) draftFrom(r *http.Request, who ward.Actor, chosen []ward.Finding) (ward.Alert, error) {
	ctx := r.Context()
	if len(chosen) == 1 && !s.exercise {
		return s.Alerts.DraftFromFinding(ctx, who, chosen[0].ID)
	}
	var cves []ward.CVE
	for _, f := range chosen {
		for _, c := range f.CVEs {
			if !slices.Contains(cves, c) {
				cves = append(cves, c)
			}
		}
	}
	a, err := s.Alerts.Prefill(ctx, who, cves...)
	if err != nil {
		return ward.Alert{}, err
	}
	if vendor, product := chosen[0].Vendor, chosen[0].Product; product != "" &&
		!strings.EqualFold(ward.ProductName(vendor, product), ward.ProductName(a.Vendor, a.Product)) {
		a.Vendor, a.Product = vendor, product // otherwise as publishers write it, not as an inventory's CPE does
	}
	a.Finding, a.Exercise = chosen[0].ID, s.exercise
	return s.Alerts.Draft(ctx, who, a)
}
