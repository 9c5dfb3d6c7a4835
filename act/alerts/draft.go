package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// What a draft may hold, in characters and pieces.
const (
	mostTitle  = 200
	mostText   = 20_000
	mostLine   = 500
	mostPieces = 200
)

var cveForm = regexp.MustCompile(`^CVE-\d{4}-\d{4,19}$`)

// checked is a draft with its words cleaned and its defaults filled in.
func (b *Board) checked(ctx context.Context, draft ward.Alert) (ward.Alert, error) {
	a := ward.Alert{
		Severity: draft.Severity, SeverityWhy: draft.SeverityWhy, Vendor: draft.Vendor, Product: draft.Product, TLP: cmp.Or(draft.TLP, ward.TLPAmber),
		Finding: draft.Finding, Exercise: draft.Exercise, RemediateBy: draft.RemediateBy, Template: draft.Template,
		AcknowledgeWithin: draft.AcknowledgeWithin, UpdateEvery: draft.UpdateEvery, CheckRequired: draft.CheckRequired,
		Supersedes: ward.AlertID(strings.ToUpper(strings.TrimSpace(string(draft.Supersedes)))),
	}
	for _, field := range []struct {
		name string
		from string
		to   *string
		most int
	}{
		{"title", draft.Title, &a.Title, mostTitle}, {"summary", draft.Summary, &a.Summary, mostText}, {"category", draft.Category, &a.Category, mostLine},
		{"threat_type", draft.ThreatType, &a.ThreatType, mostLine}, {"vector", draft.Vector, &a.Vector, mostLine},
		{"vendor", draft.Vendor, &a.Vendor, mostLine}, {"product", draft.Product, &a.Product, mostLine},
		{"clocks_why", draft.ClocksWhy, &a.ClocksWhy, mostLine}, {"check_why", draft.CheckWhy, &a.CheckWhy, mostLine},
	} {
		clean := act.Line
		if field.name == "summary" {
			clean = act.Clean
		}
		text, err := clean(field.name, field.from, field.most)
		if err != nil {
			return a, err
		}
		*field.to = text
	}
	switch {
	case a.Title == "":
		return a, &ward.Invalid{Field: "title", Problem: "is empty", Hint: "say what is wrong in which product"}
	case !slices.Contains([]ward.Severity{ward.High, ward.Medium, ward.Low, ward.Info}, a.Severity):
		return a, &ward.Invalid{Field: "severity", Problem: fmt.Sprintf("%q is not a severity", a.Severity), Hint: "one of High, Medium, Low, Information only"}
	case !slices.Contains([]ward.TLP{ward.TLPClear, ward.TLPGreen, ward.TLPAmber, ward.TLPAmberStrict, ward.TLPRed}, a.TLP):
		return a, &ward.Invalid{Field: "tlp", Problem: fmt.Sprintf("%q is not a marking", a.TLP), Hint: "such as TLP:AMBER"}
	case max(len(draft.CVEs), len(draft.Steps), len(draft.Platforms)) > mostPieces:
		return a, &ward.Invalid{Problem: fmt.Sprintf("holds more than %d weaknesses, steps or platforms", mostPieces)}
	}
	for _, platform := range draft.Platforms {
		platform, err := act.Line("platforms", platform, mostLine)
		if err != nil {
			return a, err
		}
		if platform != "" {
			a.Platforms = append(a.Platforms, platform)
		}
	}
	for _, cve := range draft.CVEs {
		cve = ward.CVE(strings.ToUpper(strings.TrimSpace(string(cve))))
		if !cveForm.MatchString(string(cve)) {
			return a, &ward.Invalid{Field: "cves", Problem: fmt.Sprintf("%q is not a CVE identifier", cve), Hint: "such as CVE-2025-4427"}
		}
		if !slices.Contains(a.CVEs, cve) {
			a.CVEs = append(a.CVEs, cve)
		}
	}
	for _, step := range draft.Steps {
		if !slices.Contains([]ward.StepKind{ward.StepPatch, ward.StepGuidance, ward.StepAction, ward.StepAware}, step.Kind) {
			return a, &ward.Invalid{Field: "steps", Problem: fmt.Sprintf("%q is not a kind of step", step.Kind), Hint: "one of Patch, Guidance, Action, Aware"}
		}
		text, err := act.Clean("steps", step.Text, mostText)
		if err != nil {
			return a, err
		}
		if text == "" {
			return a, &ward.Invalid{Field: "steps", Problem: "has a step without words"}
		}
		if link, err := url.Parse(step.Link); step.Link != "" && (err != nil || (link.Scheme != "https" && link.Scheme != "http") || link.Host == "") {
			return a, &ward.Invalid{Field: "steps", Problem: fmt.Sprintf("%q is not a web address", step.Link), Hint: "begin with https://"}
		}
		a.Steps = append(a.Steps, ward.Step{Kind: step.Kind, Text: text, Link: step.Link})
	}
	for _, class := range draft.Classes {
		if !slices.Contains(ward.Classes, class) {
			return a, &ward.Invalid{Field: "classes", Problem: fmt.Sprintf("%q is not a class of asset", class)}
		}
		if !slices.Contains(a.Classes, class) {
			a.Classes = append(a.Classes, class)
		}
	}
	if len(a.Classes) == 0 && a.Product != "" {
		classes, err := b.Standings.ClassesOf(ctx, a.Vendor, a.Product)
		if err != nil {
			return a, fmt.Errorf("classes of %s %s: %w", a.Vendor, a.Product, err)
		}
		a.Classes = classes
	}
	return a, nil
}

// DraftFromFinding drafts an alert about the fix that a finding asks for.
func (b *Board) DraftFromFinding(ctx context.Context, who ward.Actor, id ward.FindingID) (ward.Alert, error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return ward.Alert{}, err
	}
	f, err := b.Findings.Finding(ctx, who.Scope, id)
	if err != nil {
		return ward.Alert{}, err
	}
	a, err := b.prefill(ctx, f.CVEs, f.Vendor, f.Product)
	if err != nil {
		return ward.Alert{}, err
	}
	a.Finding = f.ID
	return b.Draft(ctx, who, a)
}

// DraftFromCVE drafts an alert about one weakness.
func (b *Board) DraftFromCVE(ctx context.Context, who ward.Actor, cve ward.CVE) (ward.Alert, error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return ward.Alert{}, err
	}
	a, err := b.prefill(ctx, []ward.CVE{cve}, "", "")
	if err != nil {
		return ward.Alert{}, err
	}
	return b.Draft(ctx, who, a)
}

// Prefill is what a draft about weaknesses would hold, with nothing kept: a form that a person finishes.
func (b *Board) Prefill(ctx context.Context, who ward.Actor, cves ...ward.CVE) (ward.Alert, error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return ward.Alert{}, err
	}
	return b.prefill(ctx, cves, "", "")
}

// prefill writes a draft from what publishers say: title, summary, platforms, steps and a proposed severity.
func (b *Board) prefill(ctx context.Context, cves []ward.CVE, vendor, product string) (ward.Alert, error) {
	var facts []ward.Vulnerability
	for _, cve := range cves {
		v, err := b.Weaknesses.Vulnerability(ctx, cve)
		if errors.Is(err, ward.ErrNotFound) && len(cves) > 1 {
			v = ward.Vulnerability{ID: cve} // the finding knows it from a match; its facts may come later
		} else if err != nil {
			return ward.Alert{}, fmt.Errorf("alerts: weakness %s: %w", cve, err)
		}
		facts = append(facts, v)
	}
	if len(facts) == 0 {
		return ward.Alert{}, &ward.Invalid{Field: "cves", Problem: "is empty"}
	}
	names, err := b.products(ctx, cves, vendor, product)
	if err != nil {
		return ward.Alert{}, err
	}
	a := ward.Alert{CVEs: cves, Category: "Exploit", TLP: ward.TLPAmber}
	var fixed []string
	for i, n := range names {
		if i == 0 {
			a.Vendor, a.Product = n.Vendor, n.Product
		}
		a.Platforms = append(a.Platforms, ward.ProductName(n.Vendor, n.Product))
		fixed = append(fixed, n.Fixed...)
	}
	a.Severity, a.SeverityWhy = Propose(facts)
	a.Title = clip(title(facts, a.Product), mostTitle)
	a.Summary = clip(summary(facts), mostText)
	a.ThreatType, a.Vector = threat(facts)
	a.Steps = steps(a.Product, fixed, facts)
	return a, nil
}

// products are those that estates show affected, with the fixed versions that the match names, else those that the records name.
func (b *Board) products(ctx context.Context, cves []ward.CVE, vendor, product string) ([]Named, error) {
	var rows []ward.Software
	err := b.store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.FixedVersions(ctx, cves)
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []Named
	add := func(vendor, product string, fixed ...string) {
		at := slices.IndexFunc(all, func(n Named) bool {
			return strings.EqualFold(n.Vendor, vendor) && strings.EqualFold(n.Product, product)
		})
		if at < 0 {
			all = append(all, Named{Vendor: vendor, Product: product})
			at = len(all) - 1
		}
		for _, f := range fixed {
			if f != "" && !slices.Contains(all[at].Fixed, f) {
				all[at].Fixed = append(all[at].Fixed, f)
			}
		}
	}
	if product != "" {
		add(vendor, product)
	}
	if b.Records != nil {
		for _, cve := range cves {
			named, err := b.Records.Products(ctx, cve)
			if err != nil && !errors.Is(err, ward.ErrNotFound) {
				return nil, fmt.Errorf("products of %s: %w", cve, err)
			}
			for _, n := range named {
				add(n.Vendor, n.Product, n.Fixed...)
			}
		}
	}
	for _, r := range rows {
		if r.Product != "" {
			add(r.Vendor, r.Product, r.Version)
		}
	}
	return all[:min(len(all), mostPieces)], nil
}

// Propose proposes a severity for an alert about weaknesses, with the reasons. A person decides.
func Propose(facts []ward.Vulnerability) (ward.Severity, []string) {
	proposed := ward.Low
	var reasons []string
	raise := func(to ward.Severity, reason string) {
		order := []ward.Severity{ward.Low, ward.Medium, ward.High}
		if slices.Index(order, to) > slices.Index(order, proposed) {
			proposed = to
		}
		reasons = append(reasons, reason)
	}
	for _, v := range facts {
		if v.Exploited != nil {
			raise(ward.High, fmt.Sprintf("%s is exploited, says %s since %s", v.ID, ward.SourceName(v.Exploited.Source), v.Exploited.Since.Format("2 January 2006")))
		}
		if v.SSVC != nil && v.SSVC.Exploitation == "active" && v.Exploited == nil {
			raise(ward.High, fmt.Sprintf("%s is actively exploited, says %s", v.ID, ward.SourceName(v.SSVC.Source)))
		}
		if v.SSVC != nil && v.SSVC.Automatable == "yes" && v.SSVC.Impact == "total" {
			raise(ward.High, fmt.Sprintf("attacks on %s can be automated and give total control, says %s", v.ID, ward.SourceName(v.SSVC.Source)))
		}
		if v.EPSS != nil && v.EPSS.Score >= 0.5 {
			raise(ward.High, fmt.Sprintf("EPSS gives %s a probability of %.0f %% of being exploited within 30 days", v.ID, 100*v.EPSS.Score))
		}
		if len(v.CVSS) > 0 {
			worst := slices.MaxFunc(v.CVSS, func(x, y ward.CVSS) int { return cmp.Compare(x.Score, y.Score) })
			switch {
			case worst.Score >= 9:
				raise(ward.High, fmt.Sprintf("CVSS %s of %s is %.1f, says %s", worst.Version, v.ID, worst.Score, ward.SourceName(worst.Source)))
			case worst.Score >= 7:
				raise(ward.Medium, fmt.Sprintf("CVSS %s of %s is %.1f, says %s", worst.Version, v.ID, worst.Score, ward.SourceName(worst.Source)))
			}
		}
	}
	if len(reasons) == 0 {
		reasons = []string{"nothing known asks for more"}
	}
	return proposed, reasons
}

func title(facts []ward.Vulnerability, product string) string {
	subject := facts[0].Title
	if product != "" {
		subject = "Weakness in " + product
		if len(facts) > 1 {
			subject = "Weaknesses in " + product
		}
	}
	if subject == "" {
		subject = string(facts[0].ID)
	}
	if slices.ContainsFunc(facts, func(v ward.Vulnerability) bool { return v.Exploited != nil }) {
		subject += ", being exploited"
	}
	return subject
}

func summary(facts []ward.Vulnerability) string {
	var parts []string
	for _, v := range facts {
		words := cmp.Or(v.Description, v.Title, "no description is published yet")
		parts = append(parts, fmt.Sprintf("%s: %s", v.ID, words))
	}
	return strings.Join(parts, "\n\n")
}

// threat reads type and vector from the CVSS vectors: what an attacker gains, and from where.
func threat(facts []ward.Vulnerability) (kind, vector string) {
	for _, v := range facts {
		for _, c := range v.CVSS {
			for from, word := range map[string]string{"/AV:N": "Network", "/AV:A": "Adjacent network", "/AV:L": "Local", "/AV:P": "Physical"} {
				if vector == "" && strings.Contains("/"+c.Vector, from) {
					vector = word
				}
			}
		}
		text := strings.ToLower(v.Title + " " + v.Description)
		for _, known := range []string{"remote code execution", "authentication bypass", "privilege escalation", "code injection", "information disclosure", "denial of service"} {
			if kind == "" && strings.Contains(text, known) {
				kind = strings.ToUpper(known[:1]) + known[1:]
			}
		}
	}
	return kind, vector
}

// steps asks for the update first: one Patch step for each fixed version, which is the lowest on its branch.
func steps(product string, fixed []string, facts []ward.Vulnerability) []ward.Step {
	var all []ward.Step
	product = cmp.Or(product, "the product")
	for _, version := range fixed {
		all = append(all, ward.Step{Kind: ward.StepPatch, Text: fmt.Sprintf("Update %s to %s or a later version of that branch.", product, version)})
	}
	if len(fixed) == 0 {
		all = append(all, ward.Step{Kind: ward.StepAware, Text: fmt.Sprintf("No fixed version of %s is known yet.", product)})
	}
	for _, v := range facts {
		if v.Exploited != nil && v.Exploited.Action != "" {
			all = append(all, ward.Step{Kind: ward.StepAction, Text: v.Exploited.Action, Link: webOnly(v.Exploited.URL)})
			break
		}
	}
	for _, v := range facts {
		if len(v.References) > 0 {
			if link := webOnly(v.References[0]); link != "" {
				all = append(all, ward.Step{Kind: ward.StepGuidance, Text: fmt.Sprintf("Read what is published on %s.", v.ID), Link: link})
			}
		}
	}
	return all[:min(len(all), mostPieces)]
}

// webOnly drops what a publisher gave that is no web address.
func webOnly(link string) string {
	if u, err := url.Parse(link); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return link
}

// clip keeps the first characters of a text that a publisher made longer than a field.
func clip(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
