package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"wardwatch/watch"
)

// Kind is what saw it.
type Kind string

// The kinds of a detection.
const (
	ByRule        Kind = "rule"
	ByCorrelation Kind = "correlation"
	ByIndicator   Kind = "indicator"
)

// A Detection is one thing that one event shows.
type Detection struct {
	Kind   Kind
	Rule   string // the rule's id; empty for an indicator
	Origin string // the file that the rule stands in
	Title  string
	Level  string // informational, low, medium, high, critical; empty where the rule gives none
	// Techniques are those of ATT&CK: T1190, T1059.001.
	Techniques []string
	// Matched are the fields and values that showed it, as the record has them.
	Matched []Matched
	// Indicator is what was known, where that is what saw it.
	Indicator *Known
	// Event is the one that showed it; for a correlation the last of its records.
	Event Event
	// Measure, Since and Records are a correlation's: what it counts and the number; its first record's time; its records,
	// oldest first.
	Measure Matched
	Since   time.Time
	Records []Place
}

// A Place is where a record stands.
type Place struct {
	File   string `json:"file"`
	Record int    `json:"record"`
}

// Matched is a field and the value that a rule or an indicator met in it. A value met in no named field (a keyword in a plain
// line) has an empty Field.
type Matched struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Known is an indicator as it was known when it was met.
type Known struct {
	Type   string `json:"type"`  // address, network, domain, url, url-prefix, md5, sha1, sha256, sha512, email, file
	Value  string `json:"value"` // as listed, which a value met may lie below: a network, a parent domain, a prefix
	Source string `json:"source,omitempty"`
	Grade  string `json:"grade,omitempty"`
	TLP    string `json:"tlp,omitempty"`
	// Warning names the warning list that the value is on; such a detection raises nobody by itself.
	Warning string `json:"warning,omitempty"`
}

// An Event says which event it was.
type Event struct {
	File   string    // the path as given; FILE!MEMBER inside an archive
	Record int       // 1-based
	Time   time.Time // in UTC; zero where the record says none that can be read
	Said   string    // the time as the record has it
	Host   string    // the machine that the record says it is about, as it is written
	Raw    []byte
}

// Fingerprint is the same for two detections that tell a person the same thing: the same rule, of the same machine, by the
// same values. The case of letters does not count, nor do the event's time and place, nor how far a
// correlation has counted.
func (d Detection) Fingerprint() string {
	parts := make([]string, 0, len(d.Matched))
	for _, m := range d.Matched {
		parts = append(parts, m.Field+"\x00"+string(watch.Fold(nil, []byte(m.Value))))
	}
	slices.Sort(parts) // two engines, or two releases of a rule, may name the same values in another order
	head := string(d.Kind) + "\x01" + d.Rule + "\x01" + string(watch.Fold(nil, []byte(d.Event.Host)))
	if d.Indicator != nil {
		head += "\x01" + d.Indicator.Type + "\x00" + d.Indicator.Value
	}
	sum := sha256.Sum256([]byte(head + "\x01" + strings.Join(slices.Compact(parts), "\x01")))
	return hex.EncodeToString(sum[:16])
}

// Techniques are the ATT&CK techniques among a rule's tags: attack.t1059.001 is T1059.001. Tactics, groups and software are
// none.
func Techniques(tags []string) []string {
	var out []string
	for _, tag := range tags {
		name, ok := strings.CutPrefix(strings.ToLower(tag), "attack.t")
		if ok && technique(name) && !slices.Contains(out, "T"+name) {
			out = append(out, "T"+name)
		}
	}
	return out
}

// technique is four digits, and three more after a dot for a sub-technique.
func technique(s string) bool {
	for i := range len(s) {
		if digit := '0' <= s[i] && s[i] <= '9'; digit == (i == 4) || (i == 4 && s[i] != '.') {
			return false
		}
	}
	return len(s) == 4 || len(s) == 8
}

// Levels are the levels of rules, the most urgent first.
var Levels = []string{"critical", "high", "medium", "low", "informational"}

// Urgency is the place of a level among Levels; one that a rule does not give, or that nobody knows, comes after all.
func Urgency(level string) int {
	if at := slices.Index(Levels, strings.ToLower(level)); at >= 0 {
		return at
	}
	return len(Levels)
}
