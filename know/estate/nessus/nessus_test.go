package nessus_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"wardwatch/know/estate"
	"wardwatch/know/estate/nessus"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const scan = `Plugin ID,CVE,CVSS v2.0 Base Score,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output
235860,CVE-2025-4427,5.0,Medium,mdm1.trust.example,tcp,443,Ivanti Endpoint Manager Mobile < 12.5.0.1 (CVE-2025-4427),"A server is affected.","The version is
older than 12.5.0.1.",Upgrade.,https://ivanti.example,"
  URL               : https://mdm1.trust.example/
  Path              : C:\Users\jane.example\epmm
  Installed version : 12.5.0.0
  Fixed version     : 12.5.0.1
"
235860,CVE-2025-4428,6.5,Medium,mdm1.trust.example,tcp,443,Ivanti Endpoint Manager Mobile < 12.5.0.1 (CVE-2025-4427),,,,,
12053,,,None,192.0.2.7,tcp,0,Host Fully Qualified Domain Name (FQDN) Resolution,,,n/a,,"
192.0.2.7 resolves as ws-7.trust.example.
"
45590,,,None,192.0.2.7,tcp,0,Common Platform Enumeration (CPE),,,n/a,,"
The remote operating system matched the following CPE :

  cpe:/o:microsoft:windows_10 -> Microsoft Windows 10

Following application CPE matched on the remote system :

  cpe:/a:openbsd:openssh:9.7 -> OpenBSD OpenSSH
"
19506,,,None,192.0.2.7,tcp,0,Nessus Scan Information,,,,,"Information about this scan : Nessus version : 10.8.3 Scan Start Date : 2025/5/13 9:02 UTC Scan duration : 900 sec"
`

func TestContract(t *testing.T) {
	found := func(output string, cve ward.CVE) *estate.Finding {
		return &estate.Finding{CVEs: []ward.CVE{cve}, Plugin: "235860", Port: "443/tcp", Title: "Ivanti Endpoint Manager Mobile < 12.5.0.1 (CVE-2025-4427)", Output: output, Severity: "Medium"}
	}
	contract.Inventory(t, nessus.Reader{}, contract.InventoryExample{Name: "scan.csv", Body: scan, Secret: "jane.example", Want: []estate.Row{
		{Asset: "mdm1.trust.example", Found: found("URL : https://mdm1.trust.example/ Path : C:\\Users\\...\\epmm Installed version : 12.5.0.0 Fixed version : 12.5.0.1", "CVE-2025-4427")},
		{Asset: "mdm1.trust.example", Found: found("", "CVE-2025-4428")},
		{Asset: "192.0.2.7", Marks: estate.Marks{{Kind: estate.ByFQDN, Value: "ws-7.trust.example"}}},
		{Asset: "192.0.2.7", Software: ward.Software{Vendor: "Openbsd", Product: "Openssh", Version: "9.7", CPE: "cpe:/a:openbsd:openssh:9.7"}},
		{Asset: "192.0.2.7", Software: ward.Software{Vendor: "Microsoft", Product: "Windows 10", CPE: "cpe:/o:microsoft:windows_10"}},
		{Asset: "192.0.2.7"},
	}})
}

func read(t *testing.T, body string) (rows []estate.Row, summary estate.Summary) {
	t.Helper()
	summary, err := nessus.Reader{}.Read(strings.NewReader(body), func(row estate.Row) error { rows = append(rows, row); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return rows, summary
}

func TestTheScanSaysWhenItBegan(t *testing.T) {
	if _, summary := read(t, scan); !summary.ObservedAt.Equal(time.Date(2025, 5, 13, 9, 2, 0, 0, time.UTC)) {
		t.Errorf("%v", summary.ObservedAt)
	}
	if _, summary := read(t, strings.Replace(scan, "9:02 UTC", "9:02 BST", 1)); !summary.ObservedAt.IsZero() {
		t.Errorf("the abbreviation of a zone is taken for universal time: %v", summary.ObservedAt)
	}
}

func TestOtherLayouts(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       estate.Row
	}{
		{"Security Center", "Plugin,Plugin Name,Family,Severity,IP Address,Protocol,Port,MAC Address,DNS Name,NetBIOS Name,Plugin Text,CVE\n" +
			"200,Old thing,Web,High,192.0.2.9,TCP,0,00:00:5e:00:53:09,,TRUST\\WS-9,text,\"CVE-2024-0001,cve-2024-0002 CVE-2024-0001\"\n",
			estate.Row{Asset: "WS-9", Marks: estate.Marks{{Kind: estate.ByMAC, Value: "00005e005309"}, {Kind: estate.ByHost, Value: "ws-9"}},
				Found: &estate.Finding{CVEs: []ward.CVE{"CVE-2024-0001", "CVE-2024-0002"}, Plugin: "200", Title: "Old thing", Output: "text", Severity: "High"}}},
		{"Vulnerability Management", "asset.id,asset.name,asset.display_ipv4_address,definition.id,definition.name,definition.cve,severity,port,protocol,output\n" +
			"0c1d7e5f-0000-4000-8000-000000000001,ws-9,192.0.2.9,200,Old thing,CVE-2024-0001,High,443,TCP,text\n",
			estate.Row{Asset: "ws-9", Marks: estate.Marks{{Kind: estate.ByAgent, Value: "tenable:0c1d7e5f-0000-4000-8000-000000000001"}},
				Found: &estate.Finding{CVEs: []ward.CVE{"CVE-2024-0001"}, Plugin: "200", Port: "443/tcp", Title: "Old thing", Output: "text", Severity: "High"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			rows, _ := read(t, row.body)
			row.want.Line = 2
			if len(rows) != 1 || !reflect.DeepEqual(rows[0], row.want) {
				t.Errorf("got  %+v %+v\nwant %+v", rows, rows[0].Found, row.want)
			}
			if found, ok := estate.Detect([]estate.Reader{nessus.Reader{}}, "x.csv", []byte(row.body)); !ok || found.Format() != "nessus" {
				t.Error("is not recognised")
			}
		})
	}
}

func TestAnOutputMayRunOverThousandsOfLines(t *testing.T) {
	body := "Plugin ID,CVE,Host,Name,Plugin Output\n20811,CVE-2024-0001,ws-1,Software,\"" + strings.Repeat("a line of output\n", 10_000) + "\"\n1,,ws-2,Next,x\n"
	rows, summary := read(t, body)
	if len(rows) != 2 || summary.Rejected != 0 || len(rows[0].Found.Output) > 1000 || rows[1].Asset != "ws-2" {
		t.Errorf("%d rows, %+v", len(rows), summary)
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "", "is empty"},
		{"plugins without hosts", "Plugin ID,CVE,Name,Plugin Output\n1,,x,y\n", "lacks a column"},
		{"the XML export", `<?xml version="1.0"?><NessusClientData_v2>`, "lacks a column"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := nessus.Reader{}.Read(strings.NewReader(row.body), func(estate.Row) error { return nil })
			if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBadRowsAreRejected(t *testing.T) {
	rows, summary := read(t, "Plugin ID,CVE,Host,Name,Plugin Output\nabc,,ws-1,x,\n1,,,x,\n,,ws-1,x,\n1,CVE-nothing,ws-1,x,\n2,,ws-1,x,\"never closed\n")
	if len(rows) != 1 || rows[0].Found != nil || summary.Rejected != 4 || summary.Rows != 5 {
		t.Errorf("%+v, %+v", rows, summary)
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, nessus.Reader{}, func(row estate.Row) bool {
		return row.Found == nil || len(row.Found.CVEs) > 0 && len(row.Found.Output) <= 1000
	},
		scan, "Plugin,IP Address,Name,CVE\n1,192.0.2.1,x,CVE-2024-0001\n")
}
