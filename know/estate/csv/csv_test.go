package csv_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wardwatch/know/estate"
	"wardwatch/know/estate/csv"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const example = `asset,class,site,internet_facing,data,services,vendor,product,version,cpe,purl,last user
mdm1,mobile management,Head office,yes,"Staff contact; authentication token",Community nursing|Theatres,Ivanti,Endpoint Manager Mobile,12.5.0.0,,,Jane Example
ws-0001,workstation,,no,,,Mozilla,Firefox,128.0,cpe:2.3:a:mozilla:firefox:128.0:*:*:*:*:*:*:*,,Jane Example
ws-0002,,,,,,,,,,,
"pump, ward 3",medical device,,unknown,,,Example,"Pump ""Two""",,,pkg:generic/pump@2,
`

var rows = []estate.Row{
	{Asset: "mdm1", Class: ward.MobileManagement, Site: "Head office", Reachable: ward.Yes, Data: []string{"staff_contact", "authentication_token"},
		Services: []string{"Community nursing", "Theatres"}, Software: ward.Software{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Version: "12.5.0.0"}},
	{Asset: "ws-0001", Class: ward.Workstation, Reachable: ward.No,
		Software: ward.Software{Vendor: "Mozilla", Product: "Firefox", Version: "128.0", CPE: "cpe:2.3:a:mozilla:firefox:128.0:*:*:*:*:*:*:*"}},
	{Asset: "ws-0002"},
	{Asset: "pump, ward 3", Class: ward.MedicalDevice, Software: ward.Software{Vendor: "Example", Product: `Pump "Two"`, PURL: "pkg:generic/pump@2"}},
}

func TestContract(t *testing.T) {
	contract.Inventory(t, csv.Reader{}, contract.InventoryExample{Name: "assets.csv", Body: example, Want: rows, Secret: "Jane Example"})
}

func read(r estate.Reader, body string) (rows []estate.Row, summary estate.Summary, err error) {
	summary, err = r.Read(strings.NewReader(body), func(row estate.Row) error { rows = append(rows, row); return nil })
	return rows, summary, err
}

func TestBadRowsAreRejectedAndGoodOnesStay(t *testing.T) {
	const header = "asset,class,internet_facing,vendor,product,version,cpe,purl\n"
	for _, row := range []struct{ name, body, want string }{
		{"no asset", ",server,,A,B,1,,", "line 2: asset is empty"},
		{"unknown class", "a,mainframe,,A,B,1,,", `line 2: class "mainframe" is not known`},
		{"neither yes nor no", "a,server,perhaps,A,B,1,,", "line 2: internet_facing"},
		{"bad CPE", "a,,,,,,cpe:nine,", `line 2: cpe "cpe:nine" is no CPE`},
		{"bad package URL", "a,,,,,,,npm/left-pad", "line 2: purl"},
		{"version of nothing", "a,,,A,,1,,", "line 2: vendor or version without product"},
		{"too many fields", "a,,,A,B,1,,,surplus", "line 2: has 9 fields and the header 8"},
		{"huge field", "a,,,A," + strings.Repeat("x", 5000) + ",1,,", "line 2: product is 5000 bytes long"},
		{"huge line", "a,,,A," + strings.Repeat("x", 200_000) + ",1,,", "line 2: longer than 65536 bytes"},
		{"open quote", `a,,,A,"B,1,,`, "line 2: a quotation mark opens and does not close"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, summary, err := read(csv.Reader{}, header+row.body+"\ngood,server,,Example,Thing,2,,\n")
			if err != nil || summary.Rejected != 1 || !strings.HasPrefix(summary.Problems[0], row.want) {
				t.Fatalf("%v, %d rejected, %q", err, summary.Rejected, summary.Problems)
			}
			if len(got) != 1 || got[0].Asset != "good" || got[0].Line != 3 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestDelimitersEncodingsAndMarks(t *testing.T) {
	for _, row := range []struct{ name, body, product string }{
		{"semicolon", "asset;product\nmdm1;Über, Tool\n", "Über, Tool"},
		{"tab", "asset\tproduct\nmdm1\tTool\n", "Tool"},
		{"bar", "asset|product\r\nmdm1|Tool\r\n", "Tool"},
		{"spreadsheet's own line", "sep=;\nasset;product\nmdm1;Tool\n", "Tool"},
		{"Windows-1252", "asset,product\nmdm1,Caf\xe9 \x93Pro\x94 \x80\n", "Café “Pro” €"},
		{"UTF-8", "asset,product\nmdm1,Café “Pro” €\n", "Café “Pro” €"},
		{"headers in other dress", "  Asset , PRODUCT\nmdm1,Tool\n", "Tool"},
		{"mark inside a field", "asset,product\nmdm1,12\" Viewer\n", `12" Viewer`},
		{"field over lines", "asset,product\nmdm1,\"Two\nlines\"\n", "Two lines"},
		{"no last line end", "asset,product\nmdm1,Tool", "Tool"},
		{"control characters", "asset,product\nmdm1,To\x00ol\x1b[31m\n", "To ol [31m"},
		{"formula kept as data", "asset,product\nmdm1,\"=cmd|' /C calc'!A0\"\n", "=cmd|' /C calc'!A0"},
		{"mark-up kept as data", "asset,product\nmdm1,<script>alert(1)</script>\n", "<script>alert(1)</script>"},
		{"short row", "asset,product,version\nmdm1,Tool\n", "Tool"},
		{"column twice", "asset,product,product\nmdm1,,Tool\n", "Tool"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, summary, err := read(csv.Reader{}, row.body)
			if err != nil || len(got) != 1 || got[0].Asset != "mdm1" || got[0].Software.Product != row.product {
				t.Errorf("%v, %+v, %q", err, got, summary.Problems)
			}
		})
	}
}

func TestRepeatedListsMerge(t *testing.T) {
	got, _, err := read(csv.Reader{}, "asset,data,data\na,staff contact,patient record;staff_contact\n")
	if err != nil || len(got) != 1 || !slices.Equal(got[0].Data, []string{"staff_contact", "patient_record"}) {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct {
		name, body string
		mapping    map[string]string
		want       string
	}{
		{"empty", "", nil, "is empty"},
		{"no asset column", "Hostname,Product\nmdm1,Tool\n", nil, `it has "Hostname", "Product": rename one, or map it`},
		{"workbook", "PK\x03\x04rest", nil, "save the sheet as CSV"},
		{"gzip", "\x1f\x8b\x08rest", nil, "unpack it first"},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", nil, "save it as UTF-8"},
		{"mapping to what is not there", "Hostname\nmdm1\n", map[string]string{"asset": "Machine"}, `there is no column "Machine" for asset`},
		{"mapping of what we do not read", "Hostname\nmdm1\n", map[string]string{"user": "Hostname"}, `"user" is no column`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := read(csv.Reader{Mapping: row.mapping}, row.body)
			if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if got, _, err := read(csv.Reader{}.With(map[string]string{"asset": "Host name", "product": "Title"}), "host_name,title\nmdm1,Tool\n"); err != nil || got[0].Asset != "mdm1" || got[0].Software.Product != "Tool" {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestUnclosedQuotesCostLittleAndKeepTheLines(t *testing.T) {
	var body strings.Builder
	body.WriteString("asset,product\n")
	for i := range 2000 {
		fmt.Fprintf(&body, "a%d,\"open\n", i) // every second mark closes the one before, over two lines
	}
	body.WriteString("last,Tool\n")
	got, summary, err := read(csv.Reader{}, body.String())
	if err != nil || got[len(got)-1].Asset != "last" || got[len(got)-1].Line != 2002 {
		t.Errorf("%v, %+v of %d", err, got[len(got)-1], summary.Rows)
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, csv.Reader{}, func(row estate.Row) bool { return row.Line >= 2 && !strings.ContainsAny(row.Asset, "\n\x00") },
		example, "asset;product\r\na;\"b\nc\r\nd;\"\"e\"\"\n", "\xff\xfea\x00s\x00s\x00e\x00t\x00\n\x00")
}
