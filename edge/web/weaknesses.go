package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/know"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/ward"
)

func (s *Site) routesWeaknesses() {
	s.get("/weaknesses", ward.MayRead, s.weaknessList)
	s.get("/weaknesses/{cve}", ward.MayRead, s.weakness)
}

func (s *Site) weaknessList(r *http.Request, who ward.Actor) (Page, error) {
	ask := r.URL.Query()
	query := intel.Query{Text: strings.TrimSpace(ask.Get("q")), Exploited: ask.Get("exploited") == "yes", After: ask.Get("after"), Limit: ward.PageSize}
	page, err := s.Intel.Search(r.Context(), query)
	if err != nil {
		return Page{}, err
	}
	t := Table{Caption: "Weaknesses", Note: "Newest first", Keys: true,
		Columns: []Column{{Title: "Weakness"}, {Title: "Exploited", Tight: true}, {Title: "Worst CVSS", Right: true, Tight: true}, {Title: "EPSS", Right: true, Tight: true}, {Title: "Published", Tight: true}},
		Empty:   Empty{Text: "No weakness fits. Try a CVE, a vendor or a product, or fewer words.", Next: link("Show all weaknesses", "/weaknesses")}}
	if query == (intel.Query{Limit: ward.PageSize}) {
		t.Empty = Empty{Text: "Nothing was read from any feed yet."}
		if who.May(ward.MayFeeds) {
			t.Empty = Empty{Text: "Nothing was read from any feed yet.", Next: link("See the feeds", "/feeds")}
		}
	}
	for _, v := range page.Items {
		var exploited View
		if v.Exploited != nil {
			exploited = Why{View: Tag{"Exploited", ToneCritical}, Reason: "since " + Day(v.Exploited.Since) + ", says " + ward.SourceName(v.Exploited.Source)}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: link(string(v.ID), weaknessHref(v.ID)), Reason: cmp.Or(v.Title, "no title is published")}, exploited, worstCVSS(v), epssView(v), Text(Day(v.Published))}})
	}
	data := struct {
		Search Form
		List   Table
		Pager  Pager
	}{List: t, Search: Form{Action: "/weaknesses", Get: true, Fields: []View{
		Input{Name: "q", Label: "CVE, vendor, product or words of the title", Value: query.Text},
		Select{Name: "exploited", Label: "Which", Choices: []Choice{{Value: "", Text: "All"}, {Value: "yes", Text: "Known to be exploited", Chosen: query.Exploited}}},
	}, Buttons: []Button{{Text: "Search", Kind: Secondary}}}}
	if page.Next != "" {
		ask.Set("after", page.Next)
		data.Pager.Next = "/weaknesses?" + ask.Encode()
	}
	return Page{Title: "Weaknesses", Template: "weaknesses", Current: "weaknesses", Data: data}, nil
}

func worstCVSS(v ward.Vulnerability) View {
	if len(v.CVSS) == 0 {
		return nil
	}
	worst := slices.MaxFunc(v.CVSS, func(x, y ward.CVSS) int { return cmp.Compare(x.Score, y.Score) })
	return Text(fmt.Sprintf("%.1f", worst.Score))
}

func epssView(v ward.Vulnerability) View {
	if v.EPSS == nil {
		return nil
	}
	return Text(fmt.Sprintf("%.1f %%", 100*v.EPSS.Score))
}

// weaknessData is what one weakness shows.
type weaknessData struct {
	Live    Live
	Lede    string
	Say     string
	Tags    []Tag
	Draft   View
	Stats   Stats
	Chart   View // who is exposed over time
	Exposed Table
	More    Pager
	Fixes   Table
	Facts   Table
	Links   View // what publishers refer to
	Alerts  Table
	Rulings Table
}

func (s *Site) weakness(r *http.Request, who ward.Actor) (Page, error) {
	ctx := r.Context()
	cve := ward.CVE(strings.ToUpper(r.PathValue("cve")))
	v, err := s.Intel.Vulnerability(ctx, cve)
	if err != nil {
		return Page{}, err
	}
	reports, err := s.Intel.Reports(ctx, cve)
	if err != nil {
		return Page{}, err
	}
	known, err := s.register(ctx, who.Scope)
	if err != nil {
		return Page{}, err
	}
	about, err := s.Alerts.List(ctx, who.Scope, alerts.Query{CVE: cve, Limit: ward.PageSize})
	if err != nil {
		return Page{}, err
	}
	data := weaknessData{Live: Live{ID: "weakness", Href: weaknessHref(cve), Topics: []string{"queue", "feeds"}},
		Say: sentences(v.Description, 2), Facts: factTable(reports, v), Links: references(v.References)}
	if v.Exploited != nil {
		data.Tags = append(data.Tags, Tag{"Exploited since " + Day(v.Exploited.Since), ToneCritical})
	}
	if v.Rejected {
		data.Tags = append(data.Tags, Tag{"Withdrawn by its publisher", ToneNeutral})
	}
	if who.May(ward.MayDraft) && !v.Rejected {
		data.Draft = Button{Text: "Draft an alert", Kind: Secondary, Href: "/alerts/new?cve=" + queryText(string(cve))}
	}
	exposed, err := s.exposedTo(r, who, cve, known, about.Items, v, &data)
	if err != nil {
		return Page{}, err
	}
	data.Fixes = fixesByBranch(reports, exposed)
	data.Alerts = aboutTable(about.Items)
	rulings, err := s.Intel.Rulings(ctx, cve)
	if err != nil {
		return Page{}, err
	}
	data.Rulings = rulingTable(rulings)
	return Page{Title: string(cve) + ": " + cmp.Or(v.Title, "no title is published"), Template: "weakness", Current: "weaknesses", Crumbs: Crumbs{{Text: "Weaknesses", Href: "/weaknesses"}}, Data: data}, nil
}

// exposedTo fills in who is exposed, within what the reader may see, now and over time.
func (s *Site) exposedTo(r *http.Request, who ward.Actor, cve ward.CVE, known register, about []ward.Alert, v ward.Vulnerability, data *weaknessData) ([]ward.Exposure, error) {
	ctx := r.Context()
	page, err := s.Match.Exposures(ctx, who.Scope, match.ExposureQuery{CVE: cve, Open: true, After: r.URL.Query().Get("after"), Limit: ward.PageSize})
	if err != nil {
		return nil, err
	}
	steps, err := s.Match.History(ctx, who.Scope, cve)
	if err != nil {
		return nil, err
	}
	var now match.Step // the last: what has not ended
	if len(steps) > 0 {
		now = steps[len(steps)-1]
	}
	machines := now.Assets
	orgs := Count(now.Orgs, "organisation") + " " + is(now.Orgs) + " exposed"
	if !who.Scope.All() {
		orgs = Count(machines, "machine") + " of yours " + is(machines) + " exposed"
	}
	exploited := "not known to be exploited"
	if v.Exploited != nil {
		exploited = "exploited since " + Day(v.Exploited.Since) + ", says " + ward.SourceName(v.Exploited.Source)
	}
	data.Lede = clauses(orgs+" now, by evidence", exploited)
	data.Stats = Stats{{Value: Number(now.Orgs), Of: plural(now.Orgs, "organisation") + " exposed", Since: "now, by evidence", Tone: toneIf(now.Orgs, ToneCritical)},
		{Value: Number(machines), Of: plural(machines, "machine") + " exposed", Since: "each counted once", Tone: toneIf(machines, ToneCritical)}}
	if v.EPSS != nil {
		data.Stats = append(data.Stats, Stat{Value: fmt.Sprintf("%.1f %%", 100*v.EPSS.Score), Of: "EPSS", Since: "probability of exploitation within 30 days, " + Day(v.EPSS.At)})
	}
	data.Exposed = Table{Caption: "Exposed now", Note: "Where software that a publisher calls affected is installed. “Not listed” is not “not exposed”: coverage decides that.",
		Columns: []Column{{Title: "Machine, and why"}, {Title: "Organisation"}, {Title: "Software"}, {Title: "Fixed in", Tight: true}, {Title: "By"}, {Title: "Exposed since", Tight: true}},
		Empty:   Empty{Text: "No evidence shows an exposed machine in what you may see."}}
	for _, e := range page.Items {
		data.Exposed.Rows = append(data.Exposed.Rows, Row{Cells: []View{Why{View: link(e.Asset.Name, fmt.Sprintf("/assets/%d", e.Asset.ID)), Reason: e.Verdict.Why}, link(known.name(e.Org), orgHref(e.Org)),
			Text(softwareWords(e.Software)), Text(cmp.Or(e.Verdict.Fixed, "not known")), Text(seen(e.Source, e.Grade)), Moment{e.FirstSeen}}})
	}
	if page.Next != "" {
		data.More.Next = weaknessHref(cve) + "?after=" + queryText(page.Next)
	}
	data.Chart = s.exposureChart(who, steps, about, v)
	return page.Items, nil
}

// softwareWords is a software identity as people say it.
func softwareWords(sw ward.Software) string {
	switch cpe, err := know.ParseCPE(sw.CPE); {
	case sw.Product != "":
		return strings.TrimSpace(sw.Vendor + " " + sw.Product + " " + sw.Version)
	case err == nil:
		return productWords(cpe.Vendor, cpe.Product) + " " + sw.Version
	}
	return sw.String()
}

// productWords is a vendor and product as people say them, also where a source gave nothing but a CPE.
func productWords(vendor, product string) string {
	if cpe, err := know.ParseCPE(product); err == nil {
		vendor, product = cpe.Vendor, cpe.Product
	}
	vendor, product = strings.ReplaceAll(vendor, "_", " "), strings.ReplaceAll(product, "_", " ")
	if strings.HasPrefix(strings.ToLower(product), strings.ToLower(vendor)) {
		return product
	}
	return strings.TrimSpace(vendor + " " + product)
}

// exposureChart shows the course of the exposure, with what explains it.
func (s *Site) exposureChart(who ward.Actor, steps []match.Step, about []ward.Alert, v ward.Vulnerability) View {
	if len(steps) == 0 {
		return nil
	}
	now := s.clock.Now()
	chart := StepChart{Title: "Exposed over time", Unit: "organisations exposed", To: now}
	most, last := 0, 0
	for _, x := range steps {
		value := x.Orgs
		if !who.Scope.All() {
			value, chart.Unit = x.Assets, "machines exposed"
		}
		most, last = max(most, value), value
		chart.Steps = append(chart.Steps, Step{At: x.At, Value: value})
	}
	mark := func(at time.Time, label string) {
		if !at.IsZero() && !at.After(now) {
			chart.Marks = append(chart.Marks, Mark{at, label})
		}
	}
	mark(v.Published, "Disclosed")
	if v.Exploited != nil {
		mark(v.Exploited.Since, "Listed as exploited")
	}
	for _, a := range about {
		mark(a.Issued, "Alert "+string(a.ID))
		mark(a.Closed, string(a.ID)+" closed")
	}
	slices.SortFunc(chart.Marks, func(x, y Mark) int { return x.At.Compare(y.At) })
	chart.From = steps[0].At
	if len(chart.Marks) > 0 && chart.Marks[0].At.Before(chart.From) {
		chart.From = chart.Marks[0].At
	}
	// A line that begins at the edge hides its first step, and one that has no length hides all.
	chart.From = chart.From.Add(-max(now.Sub(chart.From)/20, time.Hour))
	chart.Reading = clauses(fmt.Sprintf("At most %s were exposed at once", Number(most)), Number(last)+" "+is(last)+" now")
	return Panel{Body: chart}
}

// sentences are the first of a text, for those who want to know what it is about.
func sentences(text string, most int) string {
	text = strings.TrimSpace(text)
	at := 0
	for range most {
		end := strings.Index(text[at:], ". ")
		if end < 0 {
			return text
		}
		at += end + 2
	}
	return strings.TrimSpace(text[:at])
}

// A fact is one source's statement; facts of one kind from several sources are held against each other.
type fact struct {
	kind, says, source string
	at                 time.Time
	url                string
}

// factTable is who says what, and where they differ.
func factTable(reports []know.Report, v ward.Vulnerability) Table {
	var facts []fact
	for _, r := range reports {
		at := cmp.Or(r.Modified, r.Published)
		add := func(kind, says string, p ward.Provenance) {
			facts = append(facts, fact{kind, says, cmp.Or(p.Source, r.Source), cmp.Or(p.At, at), cmp.Or(p.URL, r.URL)})
		}
		if r.Rejected {
			add("Withdrawn", "withdrawn", ward.Provenance{})
		}
		if r.Exploited != nil {
			says := "exploited; listed since " + Day(r.Exploited.Since)
			if r.Exploited.Ransomware {
				says += "; used for ransomware"
			}
			add("Exploitation", says, r.Exploited.Provenance)
		}
		if r.SSVC != nil {
			add("SSVC", fmt.Sprintf("exploitation %s, automatable %s, impact %s", r.SSVC.Exploitation, r.SSVC.Automatable, r.SSVC.Impact), r.SSVC.Provenance)
		}
		for _, c := range r.CVSS {
			add("CVSS "+c.Version, fmt.Sprintf("%.1f, %s", c.Score, c.Vector), c.Provenance)
		}
		for _, c := range r.Claims {
			add("Versions", claimWords(c), ward.Provenance{})
		}
		if ranges := treeWords(r.Trees); ranges != "" {
			add("Versions", ranges, ward.Provenance{})
		}
	}
	if v.EPSS != nil {
		facts = append(facts, fact{"EPSS", fmt.Sprintf("%.1f %%, higher than %.0f %% of all", 100*v.EPSS.Score, 100*v.EPSS.Percentile), cmp.Or(v.EPSS.Source, "epss"), v.EPSS.At, v.EPSS.URL})
	}
	facts = slices.DeleteFunc(facts, func(f fact) bool { // who only quotes another adds nothing where the other speaks
		return strings.Contains(f.source, ", quoting ") && slices.ContainsFunc(facts, func(o fact) bool {
			return o.kind == f.kind && o.says == f.says && !strings.Contains(o.source, ", quoting ")
		})
	})
	order := []string{"Withdrawn", "Exploitation", "SSVC", "EPSS", "CVSS 4.0", "CVSS 3.1", "CVSS 3.0", "CVSS 2.0", "Versions"}
	slices.SortStableFunc(facts, func(x, y fact) int { return cmp.Compare(slices.Index(order, x.kind), slices.Index(order, y.kind)) })
	t := Table{Caption: "Who says so", Note: "Each source's newest word. Where two sources say different things of the same fact, both are marked.",
		Columns: []Column{{Title: "Fact", Tight: true}, {Title: "Statement"}, {Title: "Source"}, {Title: "Its date", Tight: true}},
		Empty:   Empty{Text: "No source says more than the identifier."}}
	for _, f := range facts {
		says := View(Text(f.says))
		if f.kind != "Versions" && slices.ContainsFunc(facts, func(o fact) bool { return o.kind == f.kind && o.source != f.source && o.says != f.says }) {
			says = Stack{Text(f.says + " "), Tag{"Sources differ", ToneWarning}}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Text(f.kind), says, Text(ward.SourceName(f.source)), dayView(f.at)}})
	}
	return t
}

func dayView(at time.Time) View {
	if at.IsZero() {
		return Text("not said")
	}
	return Text(Day(at))
}

// mostRanges bounds the version ranges that one statement tells.
const mostRanges = 6

// claimWords says one claim in words: "Ivanti Endpoint Manager Mobile: 12.5.0.1 unaffected, otherwise affected".
func claimWords(c know.Claim) string {
	var parts []string
	for _, v := range c.Versions {
		text := cmp.Or(v.Version, "all")
		switch {
		case v.LessThan != "":
			text = from(v.Version) + "before " + v.LessThan
		case v.LessThanOrEqual != "":
			text = from(v.Version) + "up to " + v.LessThanOrEqual
		}
		parts = append(parts, text+" "+string(v.Status))
		for _, change := range v.Changes {
			parts = append(parts, "from "+change.At+" "+string(change.Status))
		}
	}
	if len(parts) > mostRanges {
		parts = append(parts[:mostRanges], fmt.Sprintf("and %d more ranges", len(parts)-mostRanges))
	}
	if c.Default != "" {
		parts = append(parts, "otherwise "+string(c.Default))
	}
	name := cmp.Or(strings.TrimSpace(c.Vendor+" "+c.Product), c.PURL, "a product without a name")
	return name + ": " + cmp.Or(strings.Join(parts, "; "), "no version is named")
}

func from(version string) string {
	if version == "" || version == "0" || version == "*" {
		return ""
	}
	return "from " + version + " "
}

// treeWords says in words what the CPE configurations of a report call vulnerable.
func treeWords(trees []know.Node) string {
	var parts []string
	eachVulnerable(trees, func(m know.CPEMatch) {
		name := m.CPE
		if cpe, err := know.ParseCPE(m.CPE); err == nil {
			name = strings.ReplaceAll(cpe.Product, "_", " ")
			if cpe.Version != "*" && cpe.Version != "" && cpe.Version != "-" {
				name += " " + cpe.Version
			}
		}
		switch {
		case m.StartIncluding != "":
			name += " from " + m.StartIncluding
		case m.StartExcluding != "":
			name += " after " + m.StartExcluding
		}
		switch {
		case m.EndExcluding != "":
			name += " before " + m.EndExcluding
		case m.EndIncluding != "":
			name += " up to " + m.EndIncluding
		}
		parts = append(parts, name+" affected")
	})
	if len(parts) > mostRanges {
		parts = append(parts[:mostRanges], fmt.Sprintf("and %d more", len(parts)-mostRanges))
	}
	return strings.Join(parts, "; ")
}

func eachVulnerable(nodes []know.Node, do func(know.CPEMatch)) {
	for _, n := range nodes {
		for _, m := range n.Matches {
			if m.Vulnerable && !n.Negate {
				do(m)
			}
		}
		eachVulnerable(n.Children, do)
	}
}

// mostBranches bounds the table of fixes.
const mostBranches = 40

// fixesByBranch lists the versions that resolve a weakness, by branch, with who names them.
func fixesByBranch(reports []know.Report, exposed []ward.Exposure) Table {
	by := map[[2]string][]string{} // folded product and version to sources
	names := map[string]string{}   // folded product to the name as first written
	add := func(product, version, source string) {
		key := [2]string{strings.ToLower(product), version}
		names[key[0]] = cmp.Or(names[key[0]], product)
		if source = ward.SourceName(source); know.Branch(version) != "" && !slices.Contains(by[key], source) {
			by[key] = append(by[key], source)
		}
	}
	for _, r := range reports {
		for _, c := range r.Claims {
			product := cmp.Or(c.Product, c.PURL)
			for _, v := range c.Versions {
				switch {
				case v.Status == know.ClaimAffected:
					add(product, v.LessThan, r.Source)
				case v.Status == know.ClaimUnaffected && v.LessThan == "" && v.LessThanOrEqual == "":
					add(product, v.Version, r.Source)
				}
				for _, change := range v.Changes {
					if change.Status == know.ClaimUnaffected {
						add(product, change.At, r.Source)
					}
				}
			}
		}
		eachVulnerable(r.Trees, func(m know.CPEMatch) {
			if cpe, err := know.ParseCPE(m.CPE); err == nil {
				add(strings.ReplaceAll(cpe.Product, "_", " "), m.EndExcluding, r.Source)
			}
		})
	}
	for _, e := range exposed {
		if e.Verdict.Fixed != "" && !slices.ContainsFunc(keysOf(by), func(k [2]string) bool { return k[1] == e.Verdict.Fixed }) {
			add(e.Software.Product, e.Verdict.Fixed, e.Verdict.Source)
		}
	}
	keys := keysOf(by)
	slices.SortFunc(keys, func(x, y [2]string) int {
		return cmp.Or(cmp.Compare(x[0], y[0]), know.Compare(know.SchemeVendor, x[1], y[1]))
	})
	t := Table{Caption: "What would fix it", Note: "By branch: the lowest release that a source calls free of it.",
		Columns: []Column{{Title: "Branch", Tight: true}, {Title: "Fixed in", Tight: true}, {Title: "Product"}, {Title: "Says"}},
		Empty:   Empty{Text: "No source names a fixed version."}}
	for _, k := range keys[:min(len(keys), mostBranches)] {
		t.Rows = append(t.Rows, Row{Cells: []View{Text(know.Branch(k[1])), Text(k[1]), Text(names[k[0]]), Text(strings.Join(by[k], ", "))}})
	}
	return t
}

func keysOf(by map[[2]string][]string) [][2]string {
	keys := make([][2]string, 0, len(by))
	for k := range by {
		keys = append(keys, k)
	}
	return keys
}

func references(all []string) View {
	const most = 20
	var list Lines
	for _, ref := range all[:min(len(all), most)] {
		if u, err := url.Parse(ref); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
			list = append(list, link(ref, ref))
		}
	}
	if list == nil {
		return nil
	}
	return Details{Summary: "What publishers refer to", Body: list}
}

func aboutTable(about []ward.Alert) Table {
	t := Table{Caption: "Alerts about it", Columns: []Column{{Title: "Alert"}, {Title: "State", Tight: true}, {Title: "Issued", Tight: true}}, Empty: Empty{Text: "No alert names it."}}
	for _, a := range about {
		issued := View(Text("not yet"))
		if !a.Issued.IsZero() {
			issued = When{a.Issued}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: link(a.Title, alertHref(a.ID)), Reason: string(a.ID)}, alertStateTag(a.State), issued}})
	}
	return t
}

func rulingTable(rulings []ward.Ruling) Table {
	t := Table{Caption: "Rulings of the national desk", Columns: []Column{{Title: "Versions"}, {Title: "Ruled", Tight: true}, {Title: "Because"}, {Title: "By", Tight: true}}, Empty: Empty{Text: "Nothing about it was disputed and ruled on."}}
	for _, x := range slices.Backward(rulings) {
		state := View(statusTag(x.Status))
		if !x.Undone.IsZero() {
			state = Why{View: Tag{Text: "Taken back"}, Reason: At(x.Undone)}
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Why{View: Text(someOf(x.Versions)), Reason: strings.TrimSpace(x.Vendor + " " + x.Product)}, state, Text(x.Reason), Why{View: Text(x.Name), Reason: At(x.At)}}})
	}
	return t
}
