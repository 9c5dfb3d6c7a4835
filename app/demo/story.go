// Package demo plays the product's story with a fictional federation. The pack beside it holds inputs only (files that
// arrive, what people typed, and when); they are fed through the same rooms and the same jobs as in service, and what the
// product made of them is read back and shown. Nothing here says what should come of a step.
package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

//go:embed pack
var pack embed.FS

// step is one input of the story: something that arrives or that a person does. Which fields are set depends on Do; the
// pack's README lists them.
type step struct {
	At  time.Time `json:"at"`
	Do  string    `json:"do"`
	Say string    `json:"say"` // one sentence on what came in
	Who string    `json:"who"` // account; empty where a timer or an export did it

	File      string `json:"file"`
	Sites     string `json:"sites"`
	Relations string `json:"relations"`
	Feed      string `json:"feed"`

	Org      ward.OrgID   `json:"org"`
	Source   string       `json:"source"`
	Format   string       `json:"format"`
	Classes  []ward.Class `json:"classes"`
	Grade    ward.Grade   `json:"grade"`
	Observed time.Time    `json:"observed"`

	Alert      string        `json:"alert"` // a name within the story; the product gives the threat ID
	Title      string        `json:"title"`
	Summary    string        `json:"summary"`
	Severity   ward.Severity `json:"severity"`
	Category   string        `json:"category"`
	ThreatType string        `json:"threat_type"`
	Vector     string        `json:"vector"`
	Vendor     string        `json:"vendor"`
	Product    string        `json:"product"`
	Platforms  []string      `json:"platforms"`
	CVEs       []ward.CVE    `json:"cves"`
	Steps      []ward.Step   `json:"steps"`
	TLP        ward.TLP      `json:"tlp"`
	Audience   string        `json:"audience"`
	Exercise   bool          `json:"exercise"`

	Applies        ward.Applicability  `json:"applies"`
	Answer         ward.DeclaredAnswer `json:"answer"`
	Version        string              `json:"version"`
	Asset          string              `json:"asset"`
	Class          ward.Class          `json:"class"`
	InternetFacing string              `json:"internet_facing"`
	Host           ward.OrgID          `json:"host"`
	FixedAt        time.Time           `json:"fixed_at"`
	Versions       []string            `json:"versions"`
	Status         ward.Status         `json:"status"`
	Words          string              `json:"words"`
	Reference      string              `json:"reference"`
	Assessment     *assessment         `json:"assessment"`
	Attempt        bool                `json:"attempt"` // the product may refuse, and the story goes on
}

// assessment is the result of looking for an intruder, as a person wrote it.
type assessment struct {
	DoneAt time.Time `json:"done_at"`
	Result string    `json:"result"`
	Words  string    `json:"words"`
}

// account is one person of the pack.
type account struct {
	User  string     `json:"user"`
	Name  string     `json:"name"`
	Role  ward.Role  `json:"role"`
	Org   ward.OrgID `json:"org"`
	Email string     `json:"email"`
}

// read decodes a JSON file of the pack, strictly: a field that the story does not know is a mistake in the pack.
func read[T any](name string) (v T, err error) {
	text, err := pack.ReadFile("pack/" + name)
	if err != nil {
		return v, fmt.Errorf("demo: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return v, fmt.Errorf("demo: %s: %w", name, err)
	}
	return v, nil
}
