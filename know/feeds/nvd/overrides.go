package nvd

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
)

// OverridesLocation is where the overrides are kept.
const OverridesLocation = "https://github.com/anchore/nvd-data-overrides/archive/refs/heads/main.tar.gz"

// Overrides reads configurations that others supply where the database has none, one record a file.
type Overrides struct{ location string }

// NewOverrides returns the source at location, or at the publisher's own when it is empty.
func NewOverrides(location string) *Overrides {
	if location == "" {
		location = OverridesLocation
	}
	return &Overrides{location}
}

// Name implements feeds.Source.
func (*Overrides) Name() string { return "overrides" }

// Location implements feeds.Source.
func (s *Overrides) Location() string { return s.location }

// Every implements feeds.Source.
func (*Overrides) Every() time.Duration { return 24 * time.Hour }

// Recognises implements feeds.Source.
func (*Overrides) Recognises(_ string, head []byte) bool {
	return strings.Contains(string(head), `"_annotation"`) && feeds.HasKey(head, "_annotation")
}

// Read implements feeds.Source.
func (s *Overrides) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (feeds.Summary, error) {
	return feeds.Document{Record: override}.Read(ctx, r, yield)
}

func override(_ string, raw []byte) ([]know.Report, error) {
	var rec struct {
		Note struct {
			ID          string   `json:"cve_id"`
			Description string   `json:"description"`
			Published   string   `json:"published"`
			Modified    string   `json:"modified"`
			References  []string `json:"references"`
			URL         string   `json:"generated_from"`
		} `json:"_annotation"`
		CVE struct {
			Configurations []feeds.Configuration `json:"configurations"`
		} `json:"cve"`
	}
	if err := json.Unmarshal(raw, &rec); err != nil {
		return nil, err
	}
	id, err := feeds.CVE(rec.Note.ID)
	if err != nil {
		return nil, err
	}
	return []know.Report{{
		CVE: id, Source: "override:anchore", URL: rec.Note.URL,
		Published: feeds.Moment(rec.Note.Published), Modified: feeds.Moment(rec.Note.Modified),
		Description: rec.Note.Description, Trees: feeds.Trees(rec.CVE.Configurations), References: rec.Note.References,
	}}, nil
}
