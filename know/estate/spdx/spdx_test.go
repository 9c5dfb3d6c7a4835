package spdx_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"wardwatch/know/estate"
	"wardwatch/know/estate/spdx"
	"wardwatch/test/contract"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

const inJSON = `{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"pump-bom","documentNamespace":"https://pumps.example/bom",
"creationInfo":{"created":"2025-05-05T09:00:00Z","creators":["Person: Jane Example (jane@pumps.example)","Tool: maker-1"]},
"packages":[
{"name":"Pump Two","SPDXID":"SPDXRef-pump","versionInfo":"4.2","downloadLocation":"NOASSERTION","supplier":"Organization: Pumps Limited (jane@pumps.example)"},
{"name":"inner","SPDXID":"SPDXRef-inner","versionInfo":"1.0","downloadLocation":"NONE","supplier":"Person: Jane Example",
 "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:example:inner:1.0:*:*:*:*:*:*:*"},
 {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:maven/org.example/inner@1.0"}]},
{"name":"licence.txt","SPDXID":"SPDXRef-file","downloadLocation":"NONE","primaryPackagePurpose":"FILE"}],
"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-pump"}]}
`

const inTags = `SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: pump-bom
DocumentNamespace: https://pumps.example/bom
Creator: Person: Jane Example (jane@pumps.example)
Created: 2025-05-05T09:00:00Z

##### Package: Pump Two

PackageName: Pump Two
SPDXID: SPDXRef-pump
PackageVersion: 4.2
PackageSupplier: Organization: Pumps Limited (jane@pumps.example)
PackageDownloadLocation: NOASSERTION
FilesAnalyzed: false

PackageName: inner
SPDXID: SPDXRef-inner
PackageVersion: 1.0
PackageSupplier: Person: Jane Example
PackageDownloadLocation: NONE
FilesAnalyzed: false
ExternalRef: SECURITY cpe23Type cpe:2.3:a:example:inner:1.0:*:*:*:*:*:*:*
ExternalRef: PACKAGE-MANAGER purl pkg:maven/org.example/inner@1.0

Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-pump
`

var rows = []estate.Row{
	{Asset: "Pump Two", Software: ward.Software{Vendor: "Pumps Limited", Product: "Pump Two", Version: "4.2"}},
	{Asset: "Pump Two", Software: ward.Software{Product: "inner", Version: "1.0", CPE: "cpe:2.3:a:example:inner:1.0:*:*:*:*:*:*:*", PURL: "pkg:maven/org.example/inner@1.0"}},
}

func TestContractOfJSON(t *testing.T) {
	contract.Inventory(t, spdx.Reader{}, contract.InventoryExample{Name: "bom.spdx.json", Body: inJSON, Want: rows, Secret: "Jane Example"})
}

func TestContractOfTags(t *testing.T) {
	contract.Inventory(t, spdx.Reader{}, contract.InventoryExample{Name: "bom.spdx", Body: inTags, Want: rows, Secret: "Jane Example"})
}

func read(body string) (rows []estate.Row, summary estate.Summary, err error) {
	summary, err = spdx.Reader{}.Read(strings.NewReader(body), func(row estate.Row) error { rows = append(rows, row); return nil })
	return rows, summary, err
}

func TestWhatADocumentIsAbout(t *testing.T) {
	for _, row := range []struct{ name, old, new, want string }{
		{"several packages", `"relatedSpdxElement":"SPDXRef-pump"}`, `"relatedSpdxElement":"SPDXRef-pump"},{"spdxElementId":"SPDXRef-inner","relationshipType":"DESCRIBED_BY","relatedSpdxElement":"SPDXRef-DOCUMENT"}`, "pump-bom"},
		{"nothing", `"DESCRIBES"`, `"OTHER"`, "pump-bom"},
		{"the older member", `"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-pump"}]`, `"documentDescribes":["SPDXRef-inner"]`, "inner"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, summary, err := read(strings.Replace(inJSON, row.old, row.new, 1))
			if err != nil || len(got) != 2 || got[0].Asset != row.want || !summary.ObservedAt.Equal(time.Date(2025, 5, 5, 9, 0, 0, 0, time.UTC)) {
				t.Errorf("%v, %+v, %s", err, got, summary.ObservedAt)
			}
		})
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "", "no SPDX document"},
		{"cut short", inJSON[:300], "cut short"},
		{"3.0", `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}`, `"3.0" is not read`},
		{"2.1", strings.Replace(inTags, "SPDX-2.3", "SPDX-2.1", 1), `"2.1" is not read`},
		{"no name", strings.NewReplacer(`"name":"pump-bom"`, `"name":" "`, "DESCRIBES", "OTHER").Replace(inJSON), "names the asset"},
		{"wrong shape", strings.Replace(inJSON, `"packages":[`, `"packages":7,"x":[`, 1), "not as SPDX says"},
		{"bad tags", strings.Replace(inTags, "FilesAnalyzed: false", "FilesAnalysed: perhaps", 1), "not as SPDX says"},
		{"too deep", `{"spdxVersion":"SPDX-2.3","x":` + strings.Repeat("[", 20_000), "cut short or no JSON"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, _, err := read(row.body); !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %.300v", err)
			}
		})
	}
}

// TestTheStandardsExamples reads the examples of SPDX: those of 2.2 and 2.3, and refuses those of 3.0.
func TestTheStandardsExamples(t *testing.T) {
	f, err := os.Open(shared.File(t, "data", "vuln", "sbom", "spdx-examples.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	good, refused, packages := 0, 0, 0
	for r := tar.NewReader(unpacked); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, ours := estate.Detect([]estate.Reader{spdx.Reader{}}, path.Base(h.Name), body[:min(len(body), estate.HeadSize)]); !ours {
			if ext := path.Ext(h.Name); ext == ".json" || ext == ".spdx" {
				t.Errorf("%s: not recognised", h.Name)
			}
			continue
		}
		got, summary, err := read(string(body))
		switch three := strings.Contains(h.Name, "spdx3"); {
		case three && (err == nil || !strings.Contains(err.Error(), `"3.0" is not read`)):
			t.Errorf("%s: %v", h.Name, err)
		case three:
			refused++
		case err != nil || summary.Rejected > 0 || len(got) == 0:
			t.Errorf("%s: %d rows, %q, %v", h.Name, len(got), summary.Problems, err)
		default:
			good++
			packages += len(got)
		}
	}
	if good < 20 || refused < 15 {
		t.Errorf("%d read, %d refused", good, refused)
	}
	t.Logf("%d documents with %d packages read, %d of 3.0 refused", good, packages, refused)
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, spdx.Reader{}, nil, inJSON, inTags,
		"SPDXVersion: SPDX-2.3\nPackageName: a\nPackageSupplier: <text>Person: b\nc</text>\nRelationship: a b\n")
}
