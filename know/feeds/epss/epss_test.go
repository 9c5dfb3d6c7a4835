package epss_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/epss"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const scores = "#model_version:v2025.03.14,score_date:2025-05-19T12:55:00Z\ncve,epss,percentile\n" +
	"CVE-2025-4427,0.93210,0.99800\nCVE-2025-4428,0.41230,0.97200\nCVE-1999-0001,0.01151,0.78086\n"

func score(id string, p, percentile float64) know.Report {
	return know.Report{CVE: ward.CVE(id), Source: "epss", EPSS: &ward.EPSS{
		Provenance: ward.Provenance{Source: "epss", At: time.Date(2025, 5, 19, 12, 55, 0, 0, time.UTC)}, Score: p, Percentile: percentile}}
}

func spoil(row string) string {
	return strings.Replace(scores, "CVE-2025-4428,0.41230,0.97200", row, 1)
}

var example = contract.FeedExample{
	Name: "epss_scores-2025-05-19.csv", Body: scores, Records: 3,
	Want: []know.Report{score("CVE-2025-4427", 0.9321, 0.998), score("CVE-2025-4428", 0.4123, 0.972), score("CVE-1999-0001", 0.01151, 0.78086)},
	Spoilt: map[string]string{
		"no identifier":   spoil("n/a,0.4,0.9"),
		"not a number":    spoil("CVE-2025-4428,NaN,0.9"),
		"over one":        spoil("CVE-2025-4428,1.4,0.9"),
		"one column less": spoil("CVE-2025-4428,0.4"),
		"a formula":       spoil("=CVE-2025-4428,0.4,0.9"),
		"endless":         spoil(strings.Repeat("9", 1<<20)),
		"not UTF-8":       spoil("CVE-2025-4428\xff,0.4,0.9"),
	},
}

func TestContract(t *testing.T) { contract.Feed(t, epss.New(""), example) }

func TestACutLastLineIsNoScore(t *testing.T) {
	// "0.41230,0.9" would read as a percentile of 0.9.
	at := strings.Index(scores, "7200")
	sum, err := epss.New("").Read(context.Background(), strings.NewReader(scores[:at]), func(know.Report) error { return nil })
	if !errors.Is(err, io.ErrUnexpectedEOF) || sum.Records != 1 || sum.Rejected != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(scores)
	f.Add(spoil("CVE-2025-4428,NaN,0.9"))
	f.Add("cve,epss,percentile\r\nCVE-2025-4427,1e-3,1\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = epss.New("").Read(context.Background(), strings.NewReader(body), func(r know.Report) error {
			if _, err := feeds.CVE(string(r.CVE)); err != nil || !(r.EPSS.Score >= 0 && r.EPSS.Score <= 1) {
				t.Errorf("%+v", r)
			}
			return nil
		})
	})
}
