// Package feeds fetches what publishers say about weaknesses. A location comes in (a URL, a file, a folder or an archive);
// know.Reports go out, in the publisher's own words, beside a count of what could not be understood and why. It never
// merges two publishers, never matches, and never lets one bad record, file or feed stop the good ones beside it.
//
// Each publisher's form is a Source in a folder of its own; the caller decides which of them are read.
package feeds

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"time"

	"wardwatch/know"
	"wardwatch/ward"
)

// Source reads one publisher's form. It is safe for concurrent use.
type Source interface {
	// Name is the feed's short name: "kev".
	Name() string
	// Location is where the publisher keeps it: a URL, or a path of a mirror.
	Location() string
	// Every is how often the publisher says something new.
	Every() time.Duration
	// Recognises tells from a file's name and its first bytes (at most HeadSize, decompressed) whether Read understands it.
	Recognises(name string, head []byte) bool
	// Read yields each record of r. A record that cannot be understood is counted in Summary and the rest goes on; the
	// error says that r as a whole could not be read to its end. An error of yield or of ctx ends it at once, unchanged.
	Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (Summary, error)
}

// Whole is a Source whose file is the complete list: what is missing from a newer one has been withdrawn.
type Whole interface {
	// Speaker is the know.Report.Source of its reports; empty when nothing is to be withdrawn.
	Speaker() string
}

// HeadSize is how much of a file Recognises sees.
const HeadSize = 4096

// Summary is what one reading of one file came to.
type Summary struct {
	Records  int       // understood
	Rejected int       // not understood
	Skipped  int       // of Records: about nothing that is kept, since they name no CVE
	Problems []string  // the first MostProblems of them, each naming its record
	Observed time.Time // the publisher's own date of the file; zero when it bears none
	Total    int       // what the publisher says the list holds, across all its pages; 0 when it does not say
}

// MostProblems bounds how many rejected records are named; all are counted.
const MostProblems = 100

// Reject counts a record that could not be understood.
func (s *Summary) Reject(format string, args ...any) {
	s.Rejected++
	s.Note(format, args...)
}

// Skip is the error of a record that is understood and about nothing that is kept.
type Skip struct{ Reason string }

// mostSkips bounds how many of them are named, so that they leave room for those that are not understood.
const mostSkips = 10

// skip counts a record that is about nothing that is kept.
func (s *Summary) skip(number int, reason string) {
	s.Records++
	if s.Skipped++; s.Skipped <= mostSkips {
		s.Note("record %d: %s", number, reason)
	}
}

func (s Skip) Error() string { return s.Reason }

// Note keeps a problem that lost no record.
func (s *Summary) Note(format string, args ...any) {
	if len(s.Problems) < MostProblems {
		s.Problems = append(s.Problems, clip(fmt.Sprintf(format, args...), 300))
	}
}

// Add takes in the summary of a further file of the same feed.
func (s *Summary) Add(other Summary) {
	s.Records += other.Records
	s.Rejected += other.Rejected
	s.Total += other.Total
	if other.Rejected > 0 || other.Skipped == 0 || s.Skipped < mostSkips {
		s.Problems = append(s.Problems, other.Problems[:min(len(other.Problems), MostProblems-len(s.Problems))]...)
	}
	s.Skipped += other.Skipped
	if other.Observed.After(s.Observed) {
		s.Observed = other.Observed
	}
}

var cveForm = regexp.MustCompile(`^CVE-\d{4}-\d{4,19}$`)

// CVE checks the form of an identifier.
func CVE(text string) (ward.CVE, error) {
	if !cveForm.MatchString(text) {
		return "", fmt.Errorf("%q is no CVE identifier", clip(text, 40))
	}
	return ward.CVE(text), nil
}

// clip keeps a quotation from outside short.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xC0 == 0x80 { // not in the middle of a character
		most--
	}
	return text[:most] + "…"
}

// layouts are the forms in which publishers write times, most frequent first. Those without a zone are UTC.
var layouts = []string{
	"2006-01-02T15:04Z", "2006-01-02T15:04:05.999999999", time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04:05-0700",
	"2006-01-02 15:04:05",
}

// Moment reads a publisher's time, to the microsecond, or returns the zero time: a record is worth more than its date.
func Moment(text string) time.Time {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}
