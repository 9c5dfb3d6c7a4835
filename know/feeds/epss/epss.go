// Package epss reads the daily scores of the Exploit Prediction Scoring System by FIRST. The CSV comes in; one report a
// weakness goes out that holds its score and nothing else. It never turns a score into a judgement.
package epss

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/ward"
)

// Location is where the publisher keeps the newest scores.
const Location = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"

const speaker = "epss"

// Source reads the scores.
type Source struct{ location string }

// New returns the source at location, or at the publisher's own when it is empty.
func New(location string) *Source {
	if location == "" {
		location = Location
	}
	return &Source{location}
}

// Name implements feeds.Source.
func (*Source) Name() string { return "epss" }

// Location implements feeds.Source.
func (s *Source) Location() string { return s.location }

// Every implements feeds.Source.
func (*Source) Every() time.Duration { return 24 * time.Hour }

// Speaker implements feeds.Whole. A score is replaced, never withdrawn.
func (*Source) Speaker() string { return "" }

// Recognises implements feeds.Source.
func (*Source) Recognises(_ string, head []byte) bool {
	head = bytes.TrimPrefix(head, bom)
	return bytes.HasPrefix(head, []byte("#model_version:")) || bytes.HasPrefix(head, []byte("cve,epss"))
}

var bom = []byte("\xEF\xBB\xBF")

// Read implements feeds.Source. The rows are fixed: "CVE-2025-4427,0.93210,0.99800", without quotes.
func (s *Source) Read(ctx context.Context, r io.Reader, yield func(know.Report) error) (sum feeds.Summary, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	header := false
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			sum.Reject("line %d: is longer than 64 KiB", number)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			line = nil
		case errors.Is(err, io.EOF) && len(line) > 0:
			// The publisher ends its last line. One that is cut off may be short by digits, which would go unseen.
			sum.Reject("line %d: has no end: the file is cut off", number)
			return sum, io.ErrUnexpectedEOF
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return sum, err
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, bom)
		}
		text := strings.TrimSpace(string(line))
		switch {
		case text == "":
		case text[0] == '#':
			sum.Observed = scoreDate(text)
		case !header:
			if !strings.HasPrefix(text, "cve,epss,percentile") {
				return sum, fmt.Errorf("the columns are not cve, epss, percentile")
			}
			header = true
		default:
			report, wrong := row(text, sum.Observed)
			if wrong != nil {
				sum.Reject("line %d: %v", number, wrong)
				break
			}
			sum.Records++
			if err := yield(report); err != nil {
				return sum, err
			}
		}
		if err != nil {
			if !header {
				return sum, io.ErrUnexpectedEOF
			}
			return sum, nil
		}
		if number%1000 == 0 && ctx.Err() != nil {
			return sum, ctx.Err()
		}
	}
}

// scoreDate reads "#model_version:v2025.03.14,score_date:2026-01-30T12:55:00Z".
func scoreDate(comment string) time.Time {
	_, date, _ := strings.Cut(comment, "score_date:")
	date, _, _ = strings.Cut(date, ",")
	return feeds.Moment(strings.TrimSpace(date))
}

func row(text string, day time.Time) (know.Report, error) {
	name, rest, _ := strings.Cut(text, ",")
	score, percentile, _ := strings.Cut(rest, ",")
	id, err := feeds.CVE(name)
	if err != nil {
		return know.Report{}, err
	}
	said := &ward.EPSS{Provenance: ward.Provenance{Source: speaker, At: day}}
	if said.Score, err = probability(score); err == nil {
		said.Percentile, err = probability(percentile)
	}
	if err != nil {
		return know.Report{}, fmt.Errorf("%s: %w", id, err)
	}
	return know.Report{CVE: id, Source: speaker, EPSS: said}, nil
}

func probability(text string) (float64, error) {
	p, err := strconv.ParseFloat(text, 64)
	if err != nil || !(p >= 0 && p <= 1) { // not NaN either
		return 0, fmt.Errorf("%.20q is no number from 0 to 1", text)
	}
	return p, nil
}
