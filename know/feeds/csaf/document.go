package csaf

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"wardwatch/know/feeds"
)

// Advisory is one document that passed the tests.
type Advisory struct {
	ID           string // the publisher's: unique among the documents of Publisher
	Title        string
	Category     string // the profile: csaf_security_advisory, csaf_vex...
	Version      string // of CSAF: "2.0", "2.1"
	Publisher    string // its name
	Role         string // the publisher's: vendor, coordinator, other, discoverer, translator, user
	Namespace    string // the publisher's, a URL
	Status       string // draft, interim, final
	Revision     string
	TLP          string
	URL          string // where the publisher keeps it; empty where it does not say
	Published    time.Time
	Updated      time.Time
	Acknowledged []string // whom it thanks: organisations and people, as it names them

	vulnerabilities []vulnerability
	products        map[string]product
	groups          map[string][]string
}

// document is the JSON of CSAF 2.0 and 2.1, as far as it is read.
type document struct {
	Document struct {
		Category         string           `json:"category"`
		Version          string           `json:"csaf_version"`
		Title            string           `json:"title"`
		Acknowledgments  []acknowledgment `json:"acknowledgments"`
		Acknowledgements []acknowledgment `json:"acknowledgements"` // which the standard does not have, and some write
		Distribution     struct {
			TLP struct {
				Label string `json:"label"`
			} `json:"tlp"`
		} `json:"distribution"`
		Notes     []note `json:"notes"`
		Publisher struct {
			Category  string `json:"category"`
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"publisher"`
		References []reference `json:"references"`
		Tracking   struct {
			ID       string `json:"id"`
			Status   string `json:"status"`
			Version  string `json:"version"`
			Initial  string `json:"initial_release_date"`
			Current  string `json:"current_release_date"`
			Revision []struct {
				Date string `json:"date"`
			} `json:"revision_history"`
		} `json:"tracking"`
	} `json:"document"`
	Tree            tree            `json:"product_tree"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
	Extensions      json.RawMessage `json:"x_extensions"` // 2.1; read for the products that they define alone
}

type acknowledgment struct {
	Names        []string `json:"names"`
	Organization string   `json:"organization"`
}

// about is what a statement is about: products and groups of them.
type about struct {
	Products []string `json:"product_ids"`
	Groups   []string `json:"group_ids"`
}

type note struct {
	about
	Category string `json:"category"`
	Text     string `json:"text"`
}

type reference struct {
	Category string `json:"category"`
	URL      string `json:"url"`
}

type vulnerability struct {
	CVE   string `json:"cve"`
	Title string `json:"title"`
	IDs   []struct {
		about
		System string `json:"system_name"`
		Text   string `json:"text"`
	} `json:"ids"`
	Notes        []note              `json:"notes"`
	Status       map[string][]string `json:"product_status"`
	References   []reference         `json:"references"`
	Remediations []struct {
		about
		Category string `json:"category"`
		Details  string `json:"details"`
		URL      string `json:"url"`
		Date     string `json:"date"`
	} `json:"remediations"`
	Flags []struct {
		about
		Label string `json:"label"`
	} `json:"flags"`
	Threats []struct {
		about
		Category string `json:"category"`
		Details  string `json:"details"`
	} `json:"threats"`
	Involvements []about `json:"involvements"`
	Exploited    []struct {
		about
		Date string `json:"exploitation_date"`
	} `json:"first_known_exploitation_dates"`
	Scores []struct { // 2.0
		scores
		Products []string `json:"products"`
	} `json:"scores"`
	Metrics []struct { // 2.1
		Content  scores   `json:"content"`
		Products []string `json:"products"`
		Source   string   `json:"source"`
	} `json:"metrics"`
}

type scores struct {
	V2   *score          `json:"cvss_v2"`
	V3   *score          `json:"cvss_v3"`
	V4   *score          `json:"cvss_v4"`
	SSVC json.RawMessage `json:"ssvc_v2"`
}

type score struct {
	Version string  `json:"version"`
	Score   float64 `json:"baseScore"`
	Vector  string  `json:"vectorString"`
}

// Parse reads a document and holds it to the tests that the package enforces.
func Parse(raw []byte) (*Advisory, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, err
	}
	head := &d.Document
	id := strings.TrimSpace(head.Tracking.ID)
	if id == "" {
		return nil, fmt.Errorf("document.tracking.id is missing")
	}
	wrong := func(format string, args ...any) (*Advisory, error) {
		return nil, fmt.Errorf("advisory %q: %w", clip(id), fmt.Errorf(format, args...))
	}
	switch head.Version {
	case "2.0", "2.1":
	case "":
		return wrong("document.csaf_version is missing")
	default:
		return wrong("CSAF %q is not read: only 2.0 and 2.1", clip(head.Version))
	}
	if strings.TrimSpace(head.Publisher.Name) == "" {
		return wrong("document.publisher.name is missing")
	}
	if err := d.check(); err != nil {
		return wrong("%w", err)
	}
	a := &Advisory{
		ID: id, Title: strings.TrimSpace(head.Title), Category: head.Category, Version: head.Version,
		Publisher: strings.TrimSpace(head.Publisher.Name), Role: strings.ToLower(head.Publisher.Category), Namespace: head.Publisher.Namespace,
		Status: head.Tracking.Status, Revision: head.Tracking.Version, TLP: head.Distribution.TLP.Label,
		Published: feeds.Moment(upper(head.Tracking.Initial)), Updated: feeds.Moment(upper(head.Tracking.Current)),
		vulnerabilities: d.Vulnerabilities, groups: map[string][]string{},
	}
	for _, r := range head.References {
		if r.Category == "self" && r.URL != "" {
			a.URL = cmp.Or(a.URL, r.URL)
		}
	}
	for _, thanks := range append(head.Acknowledgments, head.Acknowledgements...) {
		if words := strings.Join(append(thanks.Names, thanks.Organization), ", "); strings.Trim(words, ", ") != "" {
			a.Acknowledged = append(a.Acknowledged, strings.Trim(words, ", "))
		}
	}
	for _, g := range d.Tree.Groups {
		a.groups[g.ID] = g.Products
	}
	a.products = d.Tree.resolve(a)
	return a, nil
}

// upper is a time as RFC 3339 lets it be written, in the letters that Go reads.
func upper(text string) string { return strings.ToUpper(text) }

// clip keeps a quotation short.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
