package estategen

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// weakEvery of the products have weaknesses, each affecting the older half of the releases that Trust installs.
const weakEvery = 8

// published is when the first generated weakness was published; the others follow, one an hour.
var published = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// Weakness is one generated weakness of a generated product.
type Weakness struct {
	ID      string
	Product int // of the catalogue
	At      time.Time
}

// Weaknesses are those of the catalogue: one to seven for each product that has any.
func Weaknesses() []Weakness {
	var all []Weakness
	for product := 0; product < catalogue; product += weakEvery {
		for range 1 + (product/weakEvery)%7 {
			n := len(all)
			all = append(all, Weakness{fmt.Sprintf("CVE-2024-%d", 900_000+n), product, published.Add(time.Duration(n) * time.Hour)})
		}
	}
	return all
}

// Advisory is a weakness that no feed has told of yet, in the product that every device of every trust has.
func Advisory(n int) Weakness {
	return Weakness{fmt.Sprintf("CVE-2025-%d", 900_000+n), 1, published.AddDate(1, 0, n)}
}

// Names are the vendor and product as inventories write them, and the version from which the weakness is gone.
func (w Weakness) Names() (vendor, product, fixed string) {
	return fmt.Sprintf("Vendor %d Limited", w.Product%300), fmt.Sprintf("Generated Product %d", w.Product), fmt.Sprintf("%d.2.0", 1+w.Product%20)
}

// WriteRecord writes the weakness as a CVE record into dir, and returns its path.
func (w Weakness) WriteRecord(dir string) (path string, err error) {
	vendor, product, fixed := w.Names()
	at := w.At.Format(time.RFC3339)
	cpe := fmt.Sprintf("cpe:2.3:a:vendor_%d:generated_product_%d:*:*:*:*:*:*:*:*", w.Product%300, w.Product)
	body, err := json.Marshal(map[string]any{
		"dataType": "CVE_RECORD", "dataVersion": "5.1",
		"cveMetadata": map[string]any{"cveId": w.ID, "state": "PUBLISHED", "assignerShortName": "generated", "datePublished": at, "dateUpdated": at},
		"containers": map[string]any{"cna": map[string]any{
			"providerMetadata": map[string]any{"shortName": "generated", "dateUpdated": at},
			"title":            "Generated weakness of " + product,
			"descriptions":     []any{map[string]any{"lang": "en", "value": "A generated weakness of " + product + ", for measuring. Fixed in " + fixed + "."}},
			"affected": []any{map[string]any{
				"vendor": vendor, "product": product, "cpes": []string{cpe}, "defaultStatus": "unaffected",
				"versions": []any{map[string]any{"version": "0", "lessThan": fixed, "status": "affected", "versionType": "custom"}},
			}},
			"metrics": []any{map[string]any{"cvssV3_1": map[string]any{
				"version": "3.1", "baseScore": 8.8, "baseSeverity": "HIGH", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
			}}},
		}},
	})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, w.ID+".json")
	return path, os.WriteFile(path, body, 0o600)
}

// WriteExploited writes a catalogue of exploited weaknesses, in the shape of KEV.
func WriteExploited(path string, all []Weakness) error {
	entries := make([]any, len(all))
	for i, w := range all {
		vendor, product, _ := w.Names()
		entries[i] = map[string]any{
			"cveID": w.ID, "vendorProject": vendor, "product": product, "vulnerabilityName": "Generated weakness of " + product,
			"dateAdded": w.At.Format(time.DateOnly), "shortDescription": "Generated.", "requiredAction": "Update.",
			"dueDate": w.At.AddDate(0, 0, 21).Format(time.DateOnly), "knownRansomwareCampaignUse": "Unknown", "notes": "",
		}
	}
	body, err := json.Marshal(map[string]any{
		"title": "Generated", "catalogVersion": "2025.01.01", "dateReleased": published.AddDate(1, 0, 0).Format(time.RFC3339),
		"count": len(entries), "vulnerabilities": entries,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, body, 0o600)
}

// WriteUnrelated writes n weaknesses of products that no generated trust runs, in the shape of the NVD's interface, so that
// a database has the size of a real one where the real feeds are absent.
func WriteUnrelated(path string, n int) error {
	var b strings.Builder
	fmt.Fprintf(&b, `{"resultsPerPage":%d,"startIndex":0,"totalResults":%d,"format":"NVD_CVE","version":"2.0","timestamp":"2025-01-01T00:00:00.000","vulnerabilities":[`, n, n)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		at := published.Add(time.Duration(i) * time.Minute).Format("2006-01-02T15:04:05.000")
		fmt.Fprintf(&b, `{"cve":{"id":"CVE-2023-%d","sourceIdentifier":"generated@feed.example","published":%q,"lastModified":%q,"vulnStatus":"Analyzed",`+
			`"descriptions":[{"lang":"en","value":"A generated weakness of elsewhere %d."}],`+
			`"configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:elsewhere_%d:thing_%d:*:*:*:*:*:*:*:*","versionEndExcluding":"%d.0"}]}]}]}}`,
			900_000+i, at, at, i, i%900, i%7000, 1+i%9)
	}
	b.WriteString(`]}`)
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
