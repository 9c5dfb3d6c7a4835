package feeds_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"testing"

	"wardwatch/know"
	"wardwatch/know/feeds/nvd"
	"wardwatch/test/shared"
)

// yearFeed is one real NVD year, decompressed.
func yearFeed(b *testing.B) []byte {
	b.Helper()
	f, err := os.Open(shared.File(b, "data", "vuln", "nvd", "nvdcve-1.1-2025.json.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// BenchmarkRead reads a year of NVD records into reports, beside what the standard library's stream decoder takes to make
// plain maps of the same bytes.
func BenchmarkRead(b *testing.B) {
	body := yearFeed(b)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		records := 0
		for b.Loop() {
			sum, err := nvd.New("").Read(context.Background(), bytes.NewReader(body), func(know.Report) error { return nil })
			if err != nil {
				b.Fatal(err)
			}
			records += sum.Records
		}
		b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("plain decoder", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		records := 0
		for b.Loop() {
			n, err := plain(bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			records += n
		}
		b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	})
}

// plain walks to CVE_Items and decodes each element with json.Decoder, as one would write it first.
func plain(r io.Reader) (records int, err error) {
	in := json.NewDecoder(r)
	for {
		token, err := in.Token()
		if err != nil {
			return records, err
		}
		if token != "CVE_Items" {
			continue
		}
		if _, err := in.Token(); err != nil {
			return records, err
		}
		for in.More() {
			var item map[string]any
			if err := in.Decode(&item); err != nil {
				return records, err
			}
			records++
		}
		return records, nil
	}
}
