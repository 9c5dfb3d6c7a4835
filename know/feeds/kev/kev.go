// Package kev reads the catalogue of known exploited vulnerabilities that CISA publishes. The JSON catalogue comes in; one
// report a weakness goes out, which says that it is exploited and since when. It never says which versions are affected:
// the catalogue does not.
package kev

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// Location is where the publisher keeps the catalogue.
const Location = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"

// speaker is the source of the reports.
const speaker = "kev"

// Source reads the catalogue.
type Source struct{ location string }

// New returns the source at location, or at the publisher's own when it is empty.
func New(location string) *Source {
	if location == "" {
		location = Location
	}
	return &Source{location}
}

// Name implements feeds.Source.
func (*Source) Name() string { return "kev" }

// Location implements feeds.Source.
func (s *Source) Location() string { return s.location }

// Every implements feeds.Source. The catalogue changes on working days, at any hour, and each change matters.
func (*Source) Every() time.Duration { return 2 * time.Hour }

// Speaker implements feeds.Whole: an entry that the catalogue drops is no longer said.
func (*Source) Speaker() string { return speaker }

// Recognises implements feeds.Source.
func (*Source) Recognises(_ string, head []byte) bool {
	keys := feeds.Keys(head)
	has := func(key string) bool { return feeds.HasKey(head, key) }
	return len(keys) > 0 && has("vulnerabilities") && !has("$schema") &&
		(has("catalogVersion") || strings.Contains(string(head), `"cveID"`))
}

type entry struct {
	ID          string `json:"cveID"`
	Vendor      string `json:"vendorProject"`
	Product     string `json:"product"`
	Name        string `json:"vulnerabilityName"`
	Added       string `json:"dateAdded"`
	Description string `json:"shortDescription"`
	Action      string `json:"requiredAction"`
	Due         string `json:"dueDate"`
	Ransomware  string `json:"knownRansomwareCampaignUse"`
	Notes       string `json:"notes"`
}

// Read implements feeds.Source.
func (s *Source) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (feeds.Summary, error) {
	var released time.Time
	var count int
	doc := feeds.Document{
		List: []string{"vulnerabilities"},
		Member: func(key string, value []byte) {
			switch key {
			case "dateReleased":
				var text string
				if json.Unmarshal(value, &text) == nil {
					released = feeds.Moment(text)
				}
			case "count":
				_ = json.Unmarshal(value, &count) // a count that is no number is no count
			}
		},
		Record: read,
	}
	sum, err := doc.Read(ctx, r, yield)
	sum.Observed, sum.Total = released, count
	return sum, err
}

func read(_ string, raw []byte) ([]know.Report, error) {
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	id, err := feeds.CVE(e.ID)
	if err != nil {
		return nil, err
	}
	added := feeds.Moment(e.Added)
	if added.IsZero() {
		return nil, fmt.Errorf("%s: dateAdded %q is no date", id, e.Added)
	}
	return []know.Report{{
		CVE: id, Source: speaker, URL: "https://www.cisa.gov/known-exploited-vulnerabilities-catalog?search_api_fulltext=" + string(id),
		Title: e.Name, Description: e.Description,
		Exploited: &ward.Exploited{
			Provenance: ward.Provenance{Source: speaker, At: added},
			Since:      added, Due: feeds.Moment(e.Due), Ransomware: e.Ransomware == "Known", Action: e.Action,
		},
		References: links(e.Notes),
	}}, nil
}

// links picks the addresses out of the notes, which are a list of them with semicolons between, and words here and there.
func links(notes string) []string {
	var found []string
	for _, word := range strings.FieldsFunc(notes, func(r rune) bool { return r == ';' || r == ' ' || r == ',' }) {
		if strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://") {
			found = append(found, word)
		}
	}
	return found
}
