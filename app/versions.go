package app

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"wardwatch/know"
)

// VersionSchemes lists the schemes of CompareVersions, for reading.
func VersionSchemes() string { return strings.Join(know.Schemes(), ", ") }

// CompareVersions is <, = or > between two versions of a scheme. Text that is no version of it is an error.
func CompareVersions(scheme, a, b string) (string, error) {
	first, err := know.VersionKey(scheme, a)
	if err != nil {
		return "", err
	}
	second, err := know.VersionKey(scheme, b)
	if err != nil {
		return "", err
	}
	switch {
	case first < second:
		return "<", nil
	case first > second:
		return ">", nil
	}
	return "=", nil
}

// VersionCases is what checking a file of comparisons came to.
type VersionCases struct {
	Cases  int           `json:"cases"`
	Hold   int           `json:"hold"`
	Failed []VersionCase `json:"failed,omitempty"`
}

// A VersionCase is a comparison that does not hold.
type VersionCase struct {
	Line int    `json:"line"`
	Case string `json:"case"`
	Why  string `json:"why"`
}

// Text prints the comparisons that do not hold, and last the counts.
func (c VersionCases) Text(w io.Writer) {
	for _, f := range c.Failed {
		fmt.Fprintf(w, "does not hold: line %d: %s: %s\n", f.Line, f.Case, f.Why)
	}
	fmt.Fprintf(w, "%d of %d hold\n", c.Hold, c.Cases)
}

// CheckVersionCases reads one comparison a line: "A < B", "A = B" or "A > B". Lines that are empty or begin with # or // are
// passed over; any other line that cannot be read does not hold. An error is of the scheme or of reading, never of a line.
func CheckVersionCases(scheme string, r io.Reader) (VersionCases, error) {
	var c VersionCases
	if _, err := know.VersionKey(scheme, "1.0"); err != nil {
		return c, err
	}
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//") {
			continue
		}
		c.Cases++
		if why := broken(scheme, line); why != "" {
			c.Failed = append(c.Failed, VersionCase{number, line, why})
			continue
		}
		c.Hold++
	}
	return c, lines.Err()
}

// broken says why a comparison does not hold. It is empty for one that does.
func broken(scheme, line string) string {
	fields := strings.Fields(line)
	at := -1
	for i, field := range fields {
		if field == "<" || field == "=" || field == ">" {
			if at >= 0 {
				return "it has two signs"
			}
			at = i
		}
	}
	if at < 1 || at == len(fields)-1 {
		return `it is not of the form "A < B"`
	}
	order, err := CompareVersions(scheme, strings.Join(fields[:at], " "), strings.Join(fields[at+1:], " "))
	switch {
	case err != nil:
		return err.Error()
	case order != fields[at]:
		return "the order is " + order
	}
	return ""
}
