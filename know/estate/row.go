package estate

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wardwatch/know"
	"wardwatch/ward"
)

// Row is one line of an inventory: an asset, with one software identity on it or none.
type Row struct {
	Line      int // where it stands in the input, from 1: the line, or the element where there are no lines
	Asset     string
	Class     ward.Class // empty when the source does not say
	Site      string
	Reachable ward.Tri
	Data      []string // categories that the asset holds, as in ward.Asset
	Services  []string
	Operator  ward.OrgID // empty: the organisation that delivers
	// Accountable are the organisations that the operator's own list names as accountable for the asset, beside itself.
	Accountable []ward.OrgID
	Marks       Marks         // by which the device can be told from others
	Software    ward.Software // zero when the row only says that the asset is there
	Found       *Finding      // what a scanner reports on the asset; nil for other rows
}

// Finding is what a vulnerability scanner reports on an asset.
type Finding struct {
	CVEs     []ward.CVE
	Plugin   string // the scanner's number of its check
	Port     string // "443/tcp"; empty for the host as a whole
	Title    string
	Output   string
	Severity string
}

// Summary says what reading an inventory came to.
type Summary struct {
	Rows       int       // rows met, good or bad
	Rejected   int       // of them, not understood
	Problems   []string  // the first MostProblems of those, each with its line and reason
	ObservedAt time.Time // when the inventory itself says that it was made; zero when it does not
}

// MostProblems bounds the problems that are listed; Rejected counts them all.
const MostProblems = 100

// A Reader reads one format of inventory. Read yields good rows as they come and counts bad ones; its error means that the
// input as a whole cannot be trusted (cut short, another format), and that what was yielded must not be kept. An error
// of yield ends the reading and is returned.
type Reader interface {
	Format() string // "csv", "defender", "cyclonedx"
	// Recognises reports whether an input of that file name, beginning with head, looks like this format.
	Recognises(name string, head []byte) bool
	Read(r io.Reader, yield func(Row) error) (Summary, error)
}

// A Mapper is a Reader whose column names may differ: the mapping goes from our name ("asset") to the input's header.
type Mapper interface {
	With(mapping map[string]string) Reader
}

// A Knower is a Reader whose format says which classes it can see, for a delivery that does not state any.
type Knower interface {
	Classes() []ward.Class
}

// HeadSize is how much of an input Detect wants to see.
const HeadSize = 4096

// Detect picks the first reader that recognises an input by its file name and its first bytes.
func Detect(readers []Reader, name string, head []byte) (Reader, bool) {
	head = headText(head)
	for _, reader := range readers {
		if reader.Recognises(name, head) {
			return reader, true
		}
	}
	return nil, false
}

// ByFormat picks the reader of a format by its name.
func ByFormat(readers []Reader, format string) (Reader, bool) {
	for _, reader := range readers {
		if reader.Format() == format {
			return reader, true
		}
	}
	return nil, false
}

// Bounds of one text of a row. Names of machines and of products are far shorter; longer ones are a broken input.
const (
	mostName = 255
	mostText = 1024
)

// Tally checks rows on their way from a reader to yield, and counts them.
type Tally struct {
	Summary
	yield func(Row) error
	cpes  map[string]ward.Software // what a name says, without its CPE where it is none: hundreds of rows repeat it
}

// NewTally makes a Tally that passes good rows to yield.
func NewTally(yield func(Row) error) *Tally {
	return &Tally{yield: yield, cpes: map[string]ward.Software{}}
}

// Reject counts a row that could not be understood.
func (t *Tally) Reject(line int, reason string) {
	t.Rows++
	t.Rejected++
	if len(t.Problems) < MostProblems {
		t.Problems = append(t.Problems, fmt.Sprintf("line %d: %s", line, reason))
	}
}

// Row checks a row, and yields or rejects it. The error is that of yield.
func (t *Tally) Row(row Row) error {
	reason := tidy(&row)
	if sw := &row.Software; reason == "" && sw.CPE != "" {
		named := t.named(sw.CPE)
		if named.CPE == "" {
			reason = fmt.Sprintf("cpe %q is no CPE 2.3 or 2.2 name", short(sw.CPE))
		}
		if sw.Product == "" {
			sw.Vendor, sw.Product = cmp.Or(sw.Vendor, named.Vendor), named.Product
		}
		sw.Version = cmp.Or(sw.Version, named.Version)
	}
	if reason != "" {
		t.Reject(row.Line, reason)
		return nil
	}
	t.Rows++
	return t.yield(row)
}

// named is what a CPE says in words, so that software which came as a CPE alone can be read, and its CPE.
func (t *Tally) named(name string) ward.Software {
	sw, known := t.cpes[name]
	if !known {
		if _, err := know.ParseCPE(name); err == nil {
			sw = know.Named(ward.Software{CPE: name})
		}
		if len(t.cpes) >= 1<<16 {
			clear(t.cpes)
		}
		t.cpes[name] = sw
	}
	return sw
}

// tidy cleans the row's texts and says what is wrong with it, or nothing.
func tidy(row *Row) string {
	sw := &row.Software
	for _, text := range []struct {
		name  string
		value *string
		most  int
	}{
		{"asset", &row.Asset, mostName}, {"site", &row.Site, mostText}, {"vendor", &sw.Vendor, mostText},
		{"product", &sw.Product, mostText}, {"version", &sw.Version, mostName}, {"cpe", &sw.CPE, mostText}, {"purl", &sw.PURL, mostText},
	} {
		*text.value = Clean(*text.value)
		if len(*text.value) > text.most {
			return fmt.Sprintf("%s is %d bytes long and may have %d", text.name, len(*text.value), text.most)
		}
	}
	switch {
	case row.Asset == "":
		return "asset is empty"
	case row.Found != nil && (len(row.Found.CVEs) == 0 || row.Found.Plugin == ""):
		return "a finding without a weakness or without the number of its check"
	case row.Class != "" && !slices.Contains(ward.Classes, row.Class):
		return fmt.Sprintf("class %q is not known: one of %s", short(string(row.Class)), classNames())
	case sw.PURL != "" && !strings.HasPrefix(sw.PURL, "pkg:"):
		return fmt.Sprintf("purl %q is no package URL", short(sw.PURL))
	case sw.Product == "" && sw.CPE == "" && sw.PURL == "" && (sw.Vendor != "" || sw.Version != ""):
		return "vendor or version without product, cpe or purl"
	}
	return ""
}

// Clean is a text as it is kept: valid UTF-8, control characters and runs of white space as one space, none at the ends.
// What turns the direction of writing goes too: it makes a name look like another's.
func Clean(text string) string {
	plain := true
	for i := range len(text) {
		if c := text[i]; c < '!' || c > '~' {
			if c == ' ' && i > 0 && i < len(text)-1 && text[i-1] != ' ' {
				continue
			}
			plain = false
			break
		}
	}
	if plain {
		return text
	}
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' || r == '\u200b' || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

// short bounds what a problem quotes.
func short(text string) string {
	if len(text) <= 60 {
		return text
	}
	return strings.ToValidUTF8(text[:57], "") + "..."
}

// key folds a header, a class or a category: lower case, words joined by one underscore.
func key(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), "_")
}

// Key folds a header or a category for comparison: lower case, words joined by one underscore.
func Key(text string) string { return key(text) }

var classWords = map[string]ward.Class{
	"workstation": ward.Workstation, "workstations": ward.Workstation, "desktop": ward.Workstation, "laptop": ward.Workstation, "pc": ward.Workstation,
	"server": ward.Server, "servers": ward.Server,
	"appliance": ward.Appliance, "appliances": ward.Appliance, "network": ward.Appliance, "edge": ward.Appliance, "network_appliance": ward.Appliance,
	"edge_appliance": ward.Appliance, "network_and_edge_appliance": ward.Appliance, "network_and_edge": ward.Appliance, "firewall": ward.Appliance,
	"mobile_management": ward.MobileManagement, "mdm": ward.MobileManagement, "mobile_device_management": ward.MobileManagement,
	"medical_device": ward.MedicalDevice, "medical_devices": ward.MedicalDevice, "medical": ward.MedicalDevice,
	"cloud": ward.Cloud, "saas": ward.Cloud,
}

// ParseClass reads a class as people write it; a word that it does not know comes back as it is, for the row's rejection.
func ParseClass(text string) ward.Class {
	if text == "" {
		return ""
	}
	if class, ok := classWords[key(text)]; ok {
		return class
	}
	return ward.Class(text)
}

func classNames() string {
	names := make([]string, len(ward.Classes))
	for i, class := range ward.Classes {
		names[i] = string(class)
	}
	return strings.Join(names, ", ")
}

// ParseTri reads yes, no and not known as people and tools write them.
func ParseTri(text string) (answer ward.Tri, ok bool) {
	switch key(text) {
	case "yes", "y", "true", "1", "internet_facing":
		return ward.Yes, true
	case "no", "n", "false", "0":
		return ward.No, true
	case "", "unknown", "not_known", "n_a", "na":
		return ward.NotKnown, true
	}
	return ward.NotKnown, false
}

// ParseList reads several values from one field, separated by ";" or "|", without empty and repeated ones.
func ParseList(text string) []string {
	var all []string
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == '|' }) {
		if part = Clean(part); part != "" && !slices.Contains(all, part) {
			all = append(all, part)
		}
	}
	return all
}

// ParseCategories is ParseList for categories of data, which are folded: "Patient record" is patient_record.
func ParseCategories(text string) []string {
	var all []string
	for _, part := range ParseList(text) {
		if part = key(part); part != "" && !slices.Contains(all, part) {
			all = append(all, part)
		}
	}
	return all
}
