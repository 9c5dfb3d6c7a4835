// Package nvd reads the National Vulnerability Database's records: the JSON 1.1 year feeds, the pages of the 2.0 API, bare
// 2.0 records, and overrides, which supply the configurations that the database itself lacks. One report a record goes out,
// with its CPE configurations as trees. It never guesses versions out of descriptions.
package nvd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// Location is the publisher's 2.0 API, which is read page by page.
const Location = "https://services.nvd.nist.gov/rest/json/cves/2.0"

const speaker = "nvd"

// Source reads NVD records.
type Source struct{ location, key string }

// New returns the source at location, or at the publisher's own when it is empty.
func New(location string) *Source {
	if location == "" {
		location = Location
	}
	return &Source{location: location}
}

// WithKey is the source with a key of the API, which allows more questions in a time.
func (s *Source) WithKey(key string) *Source { return &Source{s.location, key} }

// Credential implements feeds.Keyed.
func (s *Source) Credential() (header, value string) { return "apiKey", s.key }

// Name implements feeds.Source.
func (*Source) Name() string { return "nvd" }

// Location implements feeds.Source.
func (s *Source) Location() string { return s.location }

// Every implements feeds.Source. The publisher asks for no more than one incremental reading in two hours.
func (*Source) Every() time.Duration { return 2 * time.Hour }

// Recognises implements feeds.Source.
func (*Source) Recognises(_ string, head []byte) bool {
	keys := feeds.Keys(head)
	has := func(key string) bool { return slices.Contains(keys, key) }
	text := string(head)
	return has("CVE_Items") || has("CVE_data_type") || has("cve_items") ||
		has("resultsPerPage") && strings.Contains(text, `"NVD_CVE"`) ||
		has("vulnerabilities") && strings.Contains(text, `"sourceIdentifier"`) ||
		has("id") && has("sourceIdentifier") && strings.Contains(text, `"CVE-`)
}

// Read implements feeds.Source.
func (s *Source) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (feeds.Summary, error) {
	var observed time.Time
	var total int
	var w feeds.Walker
	doc := feeds.Document{
		List: []string{"CVE_Items", "vulnerabilities", "cve_items"},
		Bare: "sourceIdentifier",
		Member: func(key string, value []byte) {
			switch key {
			case "CVE_data_timestamp", "timestamp":
				var text string
				if json.Unmarshal(value, &text) == nil {
					observed = feeds.Moment(text)
				}
			case "totalResults", "CVE_data_numberOfCVEs":
				_ = json.Unmarshal([]byte(strings.Trim(string(value), `"`)), &total) // what is no number is no count
			}
		},
		Record: func(list string, raw []byte) ([]know.Report, error) {
			if reports, ok := walk(&w, list, raw); ok {
				return reports, nil
			}
			return read(list, raw)
		},
	}
	sum, err := doc.Read(ctx, r, yield)
	sum.Observed, sum.Total = observed, total
	return sum, err
}

// read reads an element of a 1.1 feed, an element of a 2.0 page, or a bare 2.0 record. Walk does the same in a fifth of the
// time; read says what is wrong with a record that walk does not understand.
func read(list string, raw []byte) ([]know.Report, error) {
	switch list {
	case "CVE_Items":
		var old record11
		if err := json.Unmarshal(raw, &old); err != nil {
			return nil, fmt.Errorf("%s: %w", cmp.Or(old.CVE.Meta.ID, "unnamed"), err)
		}
		return old.report(feeds.Trees(old.Configurations.Nodes))
	case "vulnerabilities":
		var element struct {
			CVE record `json:"cve"`
		}
		if err := json.Unmarshal(raw, &element); err != nil {
			return nil, fmt.Errorf("%s: %w", cmp.Or(element.CVE.ID, "unnamed"), err)
		}
		return element.CVE.report(feeds.Trees(element.CVE.Configurations))
	}
	var rec record
	if err := json.Unmarshal(raw, &rec); err != nil {
		return nil, fmt.Errorf("%s: %w", cmp.Or(rec.ID, "unnamed"), err)
	}
	return rec.report(feeds.Trees(rec.Configurations))
}

type words struct {
	Language string `json:"lang"`
	Value    string `json:"value"`
}

type score struct {
	Version string  `json:"version"`
	Score   float64 `json:"baseScore"`
	Vector  string  `json:"vectorString"`
}

type metric struct {
	Source string `json:"source"`
	Data   score  `json:"cvssData"`
}

type link struct {
	URL string `json:"url"`
}

// record is a record of the 2.0 API.
type record struct {
	ID             string                `json:"id"`
	Published      string                `json:"published"`
	Modified       string                `json:"lastModified"`
	Status         string                `json:"vulnStatus"`
	Descriptions   []words               `json:"descriptions"`
	Metrics        map[string][]metric   `json:"metrics"`
	Exploited      string                `json:"cisaExploitAdd"`
	Due            string                `json:"cisaActionDue"`
	Action         string                `json:"cisaRequiredAction"`
	Configurations []feeds.Configuration `json:"configurations"`
	References     []link                `json:"references"`
}

func (rec *record) report(trees []know.Node) ([]know.Report, error) {
	r, err := begin(rec.ID, rec.Published, rec.Modified, rec.Descriptions, rec.References)
	if err != nil {
		return nil, err
	}
	r.Rejected = strings.EqualFold(rec.Status, "Rejected")
	r.Trees = trees
	for _, family := range slices.Sorted(maps.Keys(rec.Metrics)) {
		for _, m := range rec.Metrics[family] {
			who := speaker
			if m.Source != "" && m.Source != "nvd@nist.gov" {
				who += ", quoting " + m.Source
			}
			r.CVSS = append(r.CVSS, m.Data.cvss(who, r.Modified)...)
		}
	}
	if since := feeds.Moment(rec.Exploited); !since.IsZero() {
		r.Exploited = &ward.Exploited{Provenance: ward.Provenance{Source: speaker, URL: r.URL, At: since},
			Since: since, Due: feeds.Moment(rec.Due), Action: rec.Action}
	}
	return []know.Report{r}, nil
}

// record11 is an element of a 1.1 feed.
type record11 struct {
	CVE struct {
		Meta struct {
			ID string `json:"ID"`
		} `json:"CVE_data_meta"`
		References struct {
			Data []link `json:"reference_data"`
		} `json:"references"`
		Description struct {
			Data []words `json:"description_data"`
		} `json:"description"`
	} `json:"cve"`
	Configurations struct {
		Nodes []feeds.Configuration `json:"nodes"`
	} `json:"configurations"`
	Impact struct {
		V3 struct {
			Data score `json:"cvssV3"`
		} `json:"baseMetricV3"`
		V2 struct {
			Data score `json:"cvssV2"`
		} `json:"baseMetricV2"`
	} `json:"impact"`
	Published string `json:"publishedDate"`
	Modified  string `json:"lastModifiedDate"`
}

func (rec *record11) report(trees []know.Node) ([]know.Report, error) {
	r, err := begin(rec.CVE.Meta.ID, rec.Published, rec.Modified, rec.CVE.Description.Data, rec.CVE.References.Data)
	if err != nil {
		return nil, err
	}
	r.Rejected = strings.HasPrefix(r.Description, "** REJECT **") || strings.HasPrefix(r.Description, "Rejected reason:")
	r.Trees = trees
	r.CVSS = append(rec.Impact.V3.Data.cvss(speaker, r.Modified), rec.Impact.V2.Data.cvss(speaker, r.Modified)...)
	return []know.Report{r}, nil
}

func begin(id, published, modified string, descriptions []words, links []link) (know.Report, error) {
	cve, err := feeds.CVE(id)
	if err != nil {
		return know.Report{}, err
	}
	r := know.Report{CVE: cve, Source: speaker, URL: "https://nvd.nist.gov/vuln/detail/" + id,
		Published: feeds.Moment(published), Modified: feeds.Moment(modified)}
	for _, w := range descriptions {
		if w.Language == "en" || r.Description == "" {
			r.Description = strings.TrimSpace(w.Value)
		}
		if w.Language == "en" {
			break
		}
	}
	for _, l := range links {
		if l.URL != "" && !slices.Contains(r.References, l.URL) {
			r.References = append(r.References, l.URL)
		}
	}
	return r, nil
}

// cvss is the score as who gives it, or nothing where there is none.
func (s score) cvss(who string, at time.Time) []ward.CVSS {
	if s.Vector == "" {
		return nil
	}
	return []ward.CVSS{{Provenance: ward.Provenance{Source: who, At: at}, Version: s.Version, Score: s.Score, Vector: s.Vector}}
}
