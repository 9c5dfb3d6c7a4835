// Package cve reads CVE records in JSON 5.x, as the CVE programme, Vulnrichment and vendors publish them. One record a file
// comes in; one report a container goes out: the CNA's, and one for each authorised data publisher with its SSVC, CPE names
// and scores. What they claim of versions stays in their words; nothing is merged or resolved here.
package cve

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// Location is where the programme keeps all records, with the containers of CISA's enrichment.
const Location = "https://github.com/CVEProject/cvelistV5/archive/refs/heads/main.zip"

// Source reads CVE records.
type Source struct{ location string }

// New returns the source at location, or at the publisher's own when it is empty.
func New(location string) *Source {
	if location == "" {
		location = Location
	}
	return &Source{location}
}

// Name implements feeds.Source.
func (*Source) Name() string { return "cve" }

// Location implements feeds.Source.
func (s *Source) Location() string { return s.location }

// Every implements feeds.Source. The archive of all records is large, so once a day.
func (*Source) Every() time.Duration { return 24 * time.Hour }

// Recognises implements feeds.Source.
func (*Source) Recognises(_ string, head []byte) bool {
	text := string(head)
	if !strings.Contains(text, `"CVE_RECORD"`) && !strings.Contains(text, `"cveMetadata"`) && !strings.Contains(text, `"cna"`) {
		return false
	}
	keys := feeds.Keys(head) // in any order, and the containers may fill the whole head
	return slices.Contains(keys, "cveMetadata") || slices.Contains(keys, "containers") || slices.Contains(keys, "dataVersion")
}

// Read implements feeds.Source.
func (s *Source) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (feeds.Summary, error) {
	return feeds.Document{Record: read}.Read(ctx, r, yield)
}

type record struct {
	Metadata struct {
		ID        string `json:"cveId"`
		State     string `json:"state"`
		Assigner  string `json:"assignerShortName"`
		Published string `json:"datePublished"`
		Updated   string `json:"dateUpdated"`
		Rejected  string `json:"dateRejected"`
	} `json:"cveMetadata"`
	Containers struct {
		CNA container   `json:"cna"`
		ADP []container `json:"adp"`
	} `json:"containers"`
}

type container struct {
	Provider struct {
		Name    string `json:"shortName"`
		Updated string `json:"dateUpdated"`
	} `json:"providerMetadata"`
	Title         string                `json:"title"`
	Descriptions  []words               `json:"descriptions"`
	Rejected      []words               `json:"rejectedReasons"`
	Affected      []affected            `json:"affected"`
	Applicability []feeds.Configuration `json:"cpeApplicability"`
	Metrics       []metric              `json:"metrics"`
	References    []struct {
		URL string `json:"url"`
	} `json:"references"`
}

type words struct {
	Language string `json:"lang"`
	Value    string `json:"value"`
}

type affected struct {
	Vendor     string   `json:"vendor"`
	Product    string   `json:"product"`
	PURL       string   `json:"packageURL"`
	Collection string   `json:"collectionURL"`
	Package    string   `json:"packageName"`
	CPEs       []string `json:"cpes"`
	Platforms  []string `json:"platforms"`
	Modules    []string `json:"modules"`
	Default    string   `json:"defaultStatus"`
	Versions   []struct {
		Version         string `json:"version"`
		Status          string `json:"status"`
		LessThan        string `json:"lessThan"`
		LessThanOrEqual string `json:"lessThanOrEqual"`
		Type            string `json:"versionType"`
		Changes         []struct {
			At     string `json:"at"`
			Status string `json:"status"`
		} `json:"changes"`
	} `json:"versions"`
}

type metric struct {
	V2    *score `json:"cvssV2_0"`
	V30   *score `json:"cvssV3_0"`
	V31   *score `json:"cvssV3_1"`
	V4    *score `json:"cvssV4_0"`
	Other struct {
		Type    string          `json:"type"`
		Content json.RawMessage `json:"content"`
	} `json:"other"`
}

type score struct {
	Score  float64 `json:"baseScore"`
	Vector string  `json:"vectorString"`
}

func read(_ string, raw []byte) ([]know.Report, error) {
	var rec record
	if err := json.Unmarshal(raw, &rec); err != nil {
		return nil, err
	}
	id, err := feeds.CVE(rec.Metadata.ID)
	if err != nil {
		return nil, err
	}
	if rec.Metadata.State == "RESERVED" {
		return nil, fmt.Errorf("%s: reserved: it says nothing", id)
	}
	address := "https://www.cve.org/CVERecord?id=" + string(id)
	published := feeds.Moment(rec.Metadata.Published)
	updated := func(c container) time.Time { return feeds.Moment(cmp.Or(c.Provider.Updated, rec.Metadata.Updated)) }

	name := strings.TrimSpace(cmp.Or(rec.Containers.CNA.Provider.Name, rec.Metadata.Assigner, "unnamed"))
	cna := rec.Containers.CNA.report("cna:"+name, updated(rec.Containers.CNA))
	cna.Rejected = rec.Metadata.State == "REJECTED"
	if cna.Rejected {
		cna.Description = english(rec.Containers.CNA.Rejected)
		cna.Modified = feeds.Moment(cmp.Or(rec.Metadata.Rejected, rec.Metadata.Updated, rec.Containers.CNA.Provider.Updated))
	}
	reports := []know.Report{cna}
	for _, c := range rec.Containers.ADP {
		report := c.report("adp:"+strings.TrimSpace(cmp.Or(c.Provider.Name, "unnamed")), updated(c))
		report.Title = "" // of the container ("CISA ADP Vulnrichment"), not of the weakness
		reports = append(reports, report)
	}
	for i := range reports {
		reports[i].CVE, reports[i].URL, reports[i].Published = id, address, published
	}
	return reports, nil
}

func (c container) report(source string, modified time.Time) know.Report {
	r := know.Report{Source: source, Modified: modified, Title: strings.TrimSpace(c.Title),
		Description: english(c.Descriptions), Trees: feeds.Trees(c.Applicability)}
	for _, a := range c.Affected {
		r.Claims = append(r.Claims, a.claim())
	}
	said := ward.Provenance{Source: source, At: modified}
	for _, m := range c.Metrics {
		for _, s := range []struct {
			version string
			*score
		}{{"2.0", m.V2}, {"3.0", m.V30}, {"3.1", m.V31}, {"4.0", m.V4}} {
			if s.score != nil && s.Vector != "" {
				r.CVSS = append(r.CVSS, ward.CVSS{Provenance: said, Version: s.version, Score: s.Score, Vector: s.Vector})
			}
		}
		switch m.Other.Type {
		case "ssvc":
			r.SSVC = ssvc(m.Other.Content, said)
		case "kev":
			r.Exploited = exploited(m.Other.Content, said)
		}
	}
	for _, ref := range c.References {
		if ref.URL != "" && !slices.Contains(r.References, ref.URL) {
			r.References = append(r.References, ref.URL)
		}
	}
	return r
}

func (a affected) claim() know.Claim {
	claim := know.Claim{Vendor: named(a.Vendor), Product: named(a.Product), PURL: a.packageURL(),
		CPEs: a.CPEs, Platforms: a.Platforms, Modules: a.Modules, Default: status(a.Default)}
	for _, v := range a.Versions {
		stretch := know.Range{Version: v.Version, LessThan: v.LessThan, LessThanOrEqual: v.LessThanOrEqual,
			Scheme: v.Type, Status: status(v.Status)}
		for _, change := range v.Changes {
			stretch.Changes = append(stretch.Changes, know.Change{At: change.At, Status: status(change.Status)})
		}
		claim.Versions = append(claim.Versions, stretch)
	}
	return claim
}

// named drops the words that records use where a name is missing.
func named(text string) string {
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case "n/a", "unknown", "unspecified", "-":
		return ""
	}
	return text
}

// status is the publisher's word; anything but the three words is no word at all.
func status(word string) know.ClaimStatus {
	switch s := know.ClaimStatus(strings.ToLower(word)); s {
	case know.ClaimAffected, know.ClaimUnaffected, know.ClaimUnknown:
		return s
	}
	return ""
}

// collections are the package collections whose address names a package URL type.
var collections = []struct{ host, kind string }{
	{"npmjs.org", "npm"}, {"npmjs.com", "npm"}, {"pypi.org", "pypi"}, {"pypi.python.org", "pypi"}, {"crates.io", "cargo"},
	{"rubygems.org", "gem"}, {"nuget.org", "nuget"}, {"packagist.org", "composer"}, {"metacpan.org", "cpan"},
	{"hex.pm", "hex"}, {"pub.dev", "pub"}, {"pkg.go.dev", "golang"}, {"repo.maven.apache.org", "maven"},
	{"repo1.maven.org", "maven"},
}

// packageURL is the package's URL without a version: as given, or worked out from its collection.
func (a affected) packageURL() string {
	if a.PURL != "" {
		return a.PURL
	}
	at, err := url.Parse(a.Collection)
	if err != nil || a.Package == "" {
		return ""
	}
	for _, c := range collections {
		if at.Host != c.host && !strings.HasSuffix(at.Host, "."+c.host) {
			continue
		}
		name := a.Package
		if c.kind == "maven" {
			name = strings.Replace(name, ":", "/", 1) // group:artefact
		}
		return "pkg:" + c.kind + "/" + strings.ReplaceAll(name, "@", "%40")
	}
	return ""
}

func ssvc(content json.RawMessage, said ward.Provenance) *ward.SSVC {
	var body struct {
		Timestamp string              `json:"timestamp"`
		Options   []map[string]string `json:"options"`
	}
	if json.Unmarshal(content, &body) != nil {
		return nil // a metric of another shape says nothing, and the record stands
	}
	if at := feeds.Moment(body.Timestamp); !at.IsZero() {
		said.At = at
	}
	s := &ward.SSVC{Provenance: said}
	for _, option := range body.Options {
		for point, value := range option {
			switch strings.ToLower(point) {
			case "exploitation":
				s.Exploitation = strings.ToLower(value)
			case "automatable":
				s.Automatable = strings.ToLower(value)
			case "technical impact":
				s.Impact = strings.ToLower(value)
			}
		}
	}
	if s.Exploitation+s.Automatable+s.Impact == "" {
		return nil
	}
	return s
}

func exploited(content json.RawMessage, said ward.Provenance) *ward.Exploited {
	var body struct {
		Added     string `json:"dateAdded"`
		Reference string `json:"reference"`
	}
	if json.Unmarshal(content, &body) != nil {
		return nil
	}
	since := feeds.Moment(body.Added)
	if since.IsZero() {
		return nil
	}
	said.URL = body.Reference
	return &ward.Exploited{Provenance: said, Since: since}
}

// english picks the English words, or the first where there are none.
func english(all []words) string {
	for _, w := range all {
		if strings.HasPrefix(strings.ToLower(w.Language), "en") {
			return strings.TrimSpace(w.Value)
		}
	}
	if len(all) > 0 {
		return strings.TrimSpace(all[0].Value)
	}
	return ""
}
