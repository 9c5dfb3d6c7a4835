// Package csaf reads security advisories in CSAF 2.0 and 2.1, VEX documents among them: our own small reader, since makers
// write more than any library takes. One document comes in; one report for each CVE that it names goes out, with what it
// says of each product's versions, why a product is not affected, what to do, and its scores. A newer edition takes back what an
// older one said of weaknesses that it no longer names, and a document that was withdrawn or superseded takes back all. Given the address of a
// provider's metadata, a ROLIE feed or a directory, it says where the documents are.
//
// Of the mandatory tests of the specification it enforces 6.1.1 (products that are not defined), 6.1.2 (defined twice),
// 6.1.3 (defined by themselves), 6.1.4 (groups that are not defined), 6.1.5 (defined twice) and 6.1.6 (a product with two
// statuses that contradict one another): a document that fails one of them says nothing that could be relied on, and is
// rejected with the test's number. Not checked are the JSON schema beyond the members that are read, 6.1.7 and all that
// follow (scores that contradict, CVSS that does not compute, translators, package URLs, sorted revisions, languages, flags and
// remediations without products, the VEX and other profiles' own rules), and the recommended and informative tests of 6.2
// and 6.3. Signatures and hashes are not checked either. No range is guessed from prose.
package csaf

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
)

// Location is the provider's metadata of CISA, who publish for industrial and medical devices.
const Location = "https://www.cisa.gov/sites/default/files/csaf/provider-metadata.json"

// Source reads CSAF documents.
type Source struct{ location string }

// New returns the source at location, or at CISA's when it is empty.
func New(location string) *Source {
	if location == "" {
		location = Location
	}
	return &Source{location}
}

// Name implements feeds.Source.
func (*Source) Name() string { return "csaf" }

// Location implements feeds.Source.
func (s *Source) Location() string { return s.location }

// Every implements feeds.Source. Only what has changed since is fetched.
func (*Source) Every() time.Duration { return 4 * time.Hour }

// Recognises implements feeds.Source. The version may stand behind pages of notes.
func (*Source) Recognises(_ string, head []byte) bool {
	keys := feeds.Keys(head)
	if slices.Contains(keys, "product_tree") {
		return true
	}
	text := string(head)
	return slices.Contains(keys, "document") && slices.ContainsFunc([]string{
		`"csaf_version"`, `"csaf_`, `"acknowledgments"`, `"acknowledgements"`, `"tracking"`, `"publisher"`,
	}, func(mark string) bool { return strings.Contains(text, mark) })
}

// Read implements feeds.Source.
func (s *Source) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (feeds.Summary, error) {
	var notes []string
	sum, err := feeds.Document{Record: func(_ string, raw []byte) ([]know.Report, error) {
		a, err := Parse(raw)
		if err != nil {
			return nil, err
		}
		reports, unnamed := a.reports()
		if unnamed > 0 && len(reports) > 0 {
			notes = append(notes, a.unnamed(unnamed))
		}
		switch {
		case len(reports) > 0:
			reports[0].Edition = a.edition(reports)
		case a.Retracted():
			reports = []know.Report{{Source: a.Source(), URL: a.URL, Modified: a.Updated, Edition: a.edition(nil)}}
		default:
			return nil, feeds.Skip{Reason: a.unnamed(unnamed)}
		}
		return reports, nil
	}}.Read(ctx, r, yield)
	for _, note := range notes {
		sum.Note("%s", note)
	}
	return sum, err
}
