package contract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"wardwatch/know"
	"wardwatch/know/feeds"
)

// FeedExample is a good file in a source's form, and the same file spoilt in the middle.
type FeedExample struct {
	Name    string // file name
	Body    string
	Want    []know.Report
	Records int               // that it holds; the last or only one is left out where it is spoilt
	Spoilt  map[string]string // what is wrong: the file with one record that cannot be understood
}

// strangers are the beginnings of files that a feed must leave to others, by the name of the feed that they belong to.
var strangers = []struct{ feed, name, head string }{
	{"", "empty", ""},
	{"", "page.json", "<!DOCTYPE html><html><body>CVE-2025-4427 vulnerabilities</body></html>"},
	{"", "binary", "\x00\x01\x02\x03"},
	{"", "list.csv", "cve_id,score\nCVE-2025-4427,0.9\n"},
	{"csaf", "advisory.json", `{"document":{"category":"csaf_security_advisory","csaf_version":"2.0"},"vulnerabilities":[{"cve":"CVE-2025-4427"}]}`},
	{"", "bom.json", `{"bomFormat":"CycloneDX","specVersion":"1.5","vulnerabilities":[{"id":"CVE-2025-4427","source":{"name":"NVD"}}]}`},
	{"", "schema.json", `{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"catalogVersion":{},"vulnerabilities":{},"cveID":{}}}`},
	{"osv", "GHSA-xxxx.json", `{"schema_version":"1.6.0","id":"GHSA-2c4m-59x9-fr2g","modified":"2025-05-19T00:00:00Z","aliases":["CVE-2025-4427"]}`},
	{"openvex", "vex.json", `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://vendor.example/vex/1","author":"Vendor","statements":[]}`},
	{"", "provider-metadata.json", `{"canonical_url":"https://vendor.example/.well-known/csaf/provider-metadata.json","distributions":[],"publisher":{"name":"Vendor"}}`},
	{"", "spdx.json", `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"a","documentNamespace":"https://vendor.example/a"}`},
	{"kev", "kev.json", `{"title":"Catalogue","catalogVersion":"2025.05.19","count":1,"vulnerabilities":[{"cveID":"CVE-2025-4427"}]}`},
	{"epss", "epss.csv", "#model_version:v2025.03.14,score_date:2025-05-19T00:00:00+0000\ncve,epss,percentile\n"},
	{"cve", "CVE-2025-4427.json", `{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2025-4427"},"containers":{}}`},
	{"nvd", "nvd-1.1.json", `{"CVE_data_type":"CVE","CVE_data_format":"MITRE","CVE_Items":[]}`},
	{"nvd", "nvd-2.0.json", `{"resultsPerPage":1,"startIndex":0,"totalResults":1,"format":"NVD_CVE","version":"2.0","vulnerabilities":[]}`},
	{"nvd", "bare.json", `{"id":"CVE-2025-4427","sourceIdentifier":"3c1d8aa1","published":"2025-05-13T16:15:32.330"}`},
	{"overrides", "CVE-2024-1.json", `{"_annotation":{"cve_id":"CVE-2024-10000"},"cve":{"configurations":[]}}`},
}

// Feed holds one source to what feeds.Source promises.
func Feed(t *testing.T, source feeds.Source, example FeedExample) {
	t.Helper()
	ctx := context.Background()
	read := func(r io.Reader) ([]know.Report, feeds.Summary, error) {
		var reports []know.Report
		sum, err := source.Read(ctx, r, func(report know.Report) error {
			reports = append(reports, report)
			return nil
		})
		return reports, sum, err
	}
	t.Run("says what it is", func(t *testing.T) {
		if source.Name() == "" || source.Location() == "" || source.Every() < 10*time.Minute {
			t.Errorf("%q at %q every %s", source.Name(), source.Location(), source.Every())
		}
	})
	t.Run("reads its example", func(t *testing.T) {
		reports, sum, err := read(strings.NewReader(example.Body))
		if err != nil || sum.Records != example.Records || sum.Rejected != 0 || len(sum.Problems) != 0 {
			t.Errorf("%d records, %d rejected, %q, %v; want %d", sum.Records, sum.Rejected, sum.Problems, err, example.Records)
		}
		if !reflect.DeepEqual(reports, example.Want) {
			t.Errorf("got  %+v\nwant %+v", reports, example.Want)
		}
		for _, r := range reports {
			if _, err := feeds.CVE(string(r.CVE)); err != nil || r.Source == "" || r.Published.Location() != time.UTC || r.Modified.Location() != time.UTC {
				t.Errorf("%q by %q of %s, %s", r.CVE, r.Source, r.Published, r.Modified)
			}
		}
	})
	t.Run("recognises its example and no stranger", func(t *testing.T) {
		if !source.Recognises(example.Name, []byte(example.Body[:min(len(example.Body), feeds.HeadSize)])) {
			t.Errorf("%s is not recognised", example.Name)
		}
		for _, stranger := range strangers {
			if own := stranger.feed == source.Name(); source.Recognises(stranger.name, []byte(stranger.head)) != own {
				t.Errorf("%s: recognised is %t", stranger.name, !own)
			}
		}
	})
	t.Run("reads however the bytes arrive, and with a byte order mark", func(t *testing.T) {
		for name, r := range map[string]io.Reader{
			"byte by byte": iotest.OneByteReader(strings.NewReader(example.Body)),
			"with a mark":  strings.NewReader("\xef\xbb\xbf" + example.Body),
			"with its end": iotest.DataErrReader(strings.NewReader(example.Body)),
		} {
			if reports, _, err := read(r); err != nil || !reflect.DeepEqual(reports, example.Want) {
				t.Errorf("%s: %v, %+v", name, err, reports)
			}
		}
	})
	t.Run("loses a spoilt record, says which, and reads the rest", func(t *testing.T) {
		if len(example.Spoilt) == 0 {
			t.Fatal("the example has no spoilt file")
		}
		for name, body := range example.Spoilt {
			reports, sum, err := read(strings.NewReader(body))
			if err != nil || sum.Records != example.Records-1 || sum.Rejected != 1 || len(sum.Problems) != 1 {
				t.Errorf("%s: %d records, %d rejected, %q, %v", name, sum.Records, sum.Rejected, sum.Problems, err)
			}
			for _, r := range reports {
				if !contains(example.Want, r) {
					t.Errorf("%s: made up %+v", name, r)
				}
			}
		}
	})
	t.Run("yields nothing that a cut file does not say", func(t *testing.T) {
		for cut := range len(strings.TrimRight(example.Body, " \r\n")) {
			reports, sum, err := read(strings.NewReader(example.Body[:cut]))
			if len(reports) > len(example.Want) || len(reports) > 0 && !reflect.DeepEqual(reports, example.Want[:len(reports)]) {
				t.Fatalf("cut at %d: %+v", cut, reports)
			}
			if err == nil && len(reports) == len(example.Want) {
				t.Fatalf("cut at %d: nothing is missing: %+v", cut, sum)
			}
		}
	})
	t.Run("hands on the error of a broken stream", func(t *testing.T) {
		broken := errors.New("the line went dead")
		if _, _, err := read(io.MultiReader(strings.NewReader(example.Body[:len(example.Body)/2]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("stops where yield or the context says so", func(t *testing.T) {
		enough, calls := errors.New("enough"), 0
		_, err := source.Read(ctx, strings.NewReader(example.Body), func(know.Report) error { calls++; return enough })
		if !errors.Is(err, enough) || calls != 1 {
			t.Errorf("%d calls, %v", calls, err)
		}
		ended, end := context.WithCancel(ctx)
		end()
		long := strings.NewReader(example.Body)
		if _, err := source.Read(ended, long, func(know.Report) error { return ended.Err() }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("reads two at once", func(t *testing.T) {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if reports, _, err := read(bytes.NewReader([]byte(example.Body))); err != nil || !reflect.DeepEqual(reports, example.Want) {
					t.Errorf("%v, %+v", err, reports)
				}
			})
		}
		both.Wait()
	})
}

func contains(all []know.Report, one know.Report) bool {
	for _, r := range all {
		if reflect.DeepEqual(r, one) {
			return true
		}
	}
	return false
}
