// Package openvex reads OpenVEX documents: which products a weakness affects, and why not. One document comes in; one report
// for each CVE of its statements goes out. A statement that the standard forbids is named and left out, and the others
// stand; of two statements on one product the later counts, and a newer edition of a document
// takes back what it no longer states. A statement on a part of a product (a subcomponent) is about the
// product. Signatures are not checked.
package openvex

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/openvex/go-vex/pkg/vex"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// Location is a public hub that collects the documents of open-source projects.
const Location = "https://github.com/aquasecurity/vexhub/archive/refs/heads/main.zip"

// Source reads OpenVEX documents.
type Source struct{ location string }

// New returns the source at location, or at the hub when it is empty.
func New(location string) *Source {
	if location == "" {
		location = Location
	}
	return &Source{location}
}

// Name implements feeds.Source.
func (*Source) Name() string { return "openvex" }

// Location implements feeds.Source.
func (s *Source) Location() string { return s.location }

// Every implements feeds.Source.
func (*Source) Every() time.Duration { return 24 * time.Hour }

// Recognises implements feeds.Source.
func (*Source) Recognises(_ string, head []byte) bool {
	return strings.Contains(string(head), "openvex.dev/ns") && feeds.HasKey(head, "@context")
}

// Read implements feeds.Source.
func (*Source) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (feeds.Summary, error) {
	var notes []string
	sum, err := feeds.Document{Record: func(_ string, raw []byte) ([]know.Report, error) {
		reports, bad, err := read(raw)
		if err == nil {
			notes = append(notes, bad...)
		}
		return reports, err
	}}.Read(ctx, r, yield)
	for _, note := range notes {
		sum.Note("%s", note)
	}
	return sum, err
}

// opinions gathers the statements of one CVE.
type opinions struct {
	report know.Report
	claims []claim
}

// claim is a product's, until all statements have been heard.
type claim struct {
	know.Claim
	versions map[string]spoken // by version; "" for the product without one
	order    []string
	scheme   string
}

// spoken is the newest word on one version.
type spoken struct {
	status know.ClaimStatus
	at     time.Time
}

func read(raw []byte) (reports []know.Report, bad []string, err error) {
	doc, err := vex.Parse(raw)
	if err != nil {
		return nil, nil, err
	}
	id, author := strings.TrimSpace(doc.ID), strings.TrimSpace(doc.Author)
	switch {
	case id == "":
		return nil, nil, errors.New("@id is missing")
	case author == "":
		return nil, nil, fmt.Errorf("%s: author is missing", clip(id))
	case !strings.HasPrefix(doc.Context, "https://openvex.dev/ns"):
		return nil, nil, fmt.Errorf("%s: @context %q is not OpenVEX", clip(id), clip(doc.Context))
	}
	said := moment(doc.LastUpdated, doc.Timestamp)
	base := know.Report{Source: "vex:" + author + ", " + id, Published: moment(doc.Timestamp), Modified: said}
	if strings.HasPrefix(id, "https://") {
		base.URL = id
	}
	about := map[ward.CVE]*opinions{}
	var order []ward.CVE
	for i := range doc.Statements {
		s := &doc.Statements[i]
		if err := s.Validate(); err != nil {
			bad = append(bad, fmt.Sprintf("%s: statement %d: %v", clip(id), i+1, err))
			continue
		}
		cves := cvesOf(&s.Vulnerability)
		if len(cves) == 0 {
			bad = append(bad, fmt.Sprintf("%s: statement %d: %q is no CVE and names none among its aliases", clip(id), i+1, clip(string(s.Vulnerability.Name))))
		}
		for _, cve := range cves {
			if about[cve] == nil {
				about[cve] = &opinions{report: base}
				about[cve].report.CVE = cve
				order = append(order, cve)
			}
			about[cve].hear(s, moment(s.LastUpdated, s.Timestamp, &said))
		}
	}
	if len(order) == 0 {
		if len(doc.Statements) == 0 || len(bad) == 0 {
			return nil, nil, feeds.Skip{Reason: clip(id) + ": makes no statement"}
		}
		if strings.Contains(bad[0], "is no CVE") {
			return nil, nil, feeds.Skip{Reason: bad[0]}
		}
		return nil, nil, errors.New(bad[0])
	}
	for _, cve := range order {
		reports = append(reports, about[cve].close())
	}
	edition := &know.Edition{Sources: []string{base.Source}, At: said, CVEs: order}
	for _, r := range reports {
		if r.Modified.After(edition.At) { // a statement may be younger than the document says it is
			edition.At = r.Modified
		}
	}
	reports[0].Edition = edition
	return reports, bad, nil
}

// moment is the first of the times that is given.
func moment(times ...*time.Time) time.Time {
	for _, t := range times {
		if t != nil && !t.IsZero() {
			return t.UTC().Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}

func cvesOf(v *vex.Vulnerability) (all []ward.CVE) {
	for _, name := range append([]vex.VulnerabilityID{v.Name, vex.VulnerabilityID(v.ID[strings.LastIndexByte(v.ID, '/')+1:])}, v.Aliases...) {
		if cve, err := feeds.CVE(strings.TrimSpace(string(name))); err == nil && !slices.Contains(all, cve) {
			all = append(all, cve)
		}
	}
	return all
}

var statuses = map[vex.Status]know.ClaimStatus{
	vex.StatusAffected: know.ClaimAffected, vex.StatusFixed: know.ClaimUnaffected, vex.StatusNotAffected: know.ClaimUnaffected,
	vex.StatusUnderInvestigation: know.ClaimUnknown,
}

// hear takes in one statement.
func (o *opinions) hear(s *vex.Statement, at time.Time) {
	r := &o.report
	r.Description = cmp.Or(r.Description, strings.TrimSpace(s.Vulnerability.Description))
	if at.After(r.Modified) {
		r.Modified = at
	}
	if s.ActionStatement != "" {
		remedy := know.Remedy{Category: "action", Details: strings.TrimSpace(s.ActionStatement), Date: moment(s.ActionStatementTimestamp)}
		if !slices.Contains(r.Remedies, remedy) {
			r.Remedies = append(r.Remedies, remedy)
		}
	}
	why := cmp.Or(string(s.Justification), strings.TrimSpace(s.ImpactStatement))
	for i := range s.Products {
		c, version, scheme, ok := productOf(&s.Products[i])
		if !ok {
			continue // an address of something that no inventory can name
		}
		c.Justification = why
		o.say(c, version, scheme, spoken{statuses[s.Status], at})
	}
}

// productOf reads how a product is named: package URLs and CPE names, as its identifier or beside it.
func productOf(p *vex.Product) (c know.Claim, version, scheme string, ok bool) {
	names := []string{p.ID}
	for _, kind := range []vex.IdentifierType{vex.PURL, vex.CPE23, vex.CPE22} {
		names = append(names, p.Identifiers[kind])
	}
	for _, name := range names {
		if bare, v, order := feeds.Package(name); bare != "" && c.PURL == "" {
			c.PURL, scheme = bare, order
			version = cmp.Or(version, v)
		} else if cpe, v := feeds.AnyVersion(name); cpe != "" && !slices.Contains(c.CPEs, cpe) {
			c.CPEs = append(c.CPEs, cpe)
			version = cmp.Or(version, v)
		}
	}
	return c, version, scheme, c.PURL != "" || len(c.CPEs) > 0
}

func (o *opinions) say(c know.Claim, version, scheme string, word spoken) {
	at := slices.IndexFunc(o.claims, func(have claim) bool {
		return have.PURL == c.PURL && slices.Equal(have.CPEs, c.CPEs)
	})
	if at < 0 {
		at = len(o.claims)
		o.claims = append(o.claims, claim{Claim: c, versions: map[string]spoken{}, scheme: scheme})
	}
	have := &o.claims[at]
	before, known := have.versions[version]
	if known && word.at.Before(before.at) {
		return
	}
	if !known {
		have.order = append(have.order, version)
	}
	have.versions[version] = word
	have.Justification = c.Justification
}

// close is the report after all statements.
func (o *opinions) close() know.Report {
	for _, c := range o.claims {
		for _, version := range c.order {
			word := c.versions[version]
			if version == "" {
				c.Default = word.status
				continue
			}
			c.Versions = append(c.Versions, know.Range{Version: version, Scheme: c.scheme, Status: word.status})
		}
		o.report.Claims = append(o.report.Claims, c.Claim)
	}
	return o.report
}

// clip keeps a quotation short.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
