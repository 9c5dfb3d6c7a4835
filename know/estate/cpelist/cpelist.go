// Package cpelist reads the plainest inventory: one CPE 2.3 name (or 2.2 URI) a line, each its own asset, named by the line
// itself. Empty lines and lines that begin with # are passed over.
package cpelist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/ward"
)

// mostLine bounds a line in bytes, well above the longest name that know.ParseCPE takes.
const mostLine = 64 << 10

// Reader reads lists of CPE names.
type Reader struct{}

// Format implements estate.Reader.
func (Reader) Format() string { return "cpe-list" }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	for line := range strings.SplitSeq(string(head), "\n") {
		if line = clean(line); line != "" {
			return strings.HasPrefix(strings.ToLower(line), "cpe:")
		}
	}
	return false
}

// clean is a line without white space and comment.
func clean(line string) string {
	line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
	if strings.HasPrefix(line, "#") {
		return ""
	}
	return line
}

// Read implements estate.Reader.
func (Reader) Read(in io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	text, err := estate.UTF8(in)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/cpelist: %w", err)
	}
	tally := estate.NewTally(yield)
	lines := bufio.NewReaderSize(text, mostLine)
	for number := 1; ; number++ {
		raw, long, err := lines.ReadLine()
		switch {
		case errors.Is(err, io.EOF):
			return tally.Summary, nil
		case err != nil:
			return tally.Summary, fmt.Errorf("estate/cpelist: line %d: %w", number, err)
		}
		line := clean(string(raw))
		for long && err == nil {
			_, long, err = lines.ReadLine()
			line = "too long"
		}
		switch _, wrong := know.ParseCPE(line); {
		case line == "":
			continue
		case line == "too long":
			tally.Reject(number, fmt.Sprintf("longer than %d bytes", mostLine))
			continue
		case wrong != nil:
			tally.Reject(number, wrong.Error())
			continue
		}
		tally.Rows++
		if err := yield(estate.Row{Line: number, Asset: line, Software: ward.Software{CPE: line}}); err != nil {
			return tally.Summary, err
		}
	}
}
