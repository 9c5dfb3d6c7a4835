package defender_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wardwatch/know/estate"
	"wardwatch/know/estate/defender"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const (
	pages = `{"@odata.context":"https://api.example/api/$metadata#Collection(AssetSoftware)","value":[
{"deviceId":"a1","rbacGroupName":"Clients","deviceName":"ws-1.trust.example","osPlatform":"Windows11","softwareVendor":"mozilla","softwareName":"firefox","softwareVersion":"128.0","numberOfWeaknesses":3,"diskPaths":["C:\\Users\\Jane Example\\firefox.exe"],"registryPaths":[],"softwareFirstSeenTimestamp":"2025-02-03 07:15:00","endOfSupportStatus":null,"endOfSupportDate":null}],
"@odata.nextLink":"https://api.example/next"}
{"value":[{"deviceId":"b2","deviceName":"","osPlatform":"WindowsServer2019","softwareVendor":"microsoft","softwareName":"windows_server_2019","softwareVersion":"10.0.17763.1"}]}
`
	lines = `{"DeviceId":"a1","DeviceName":"ws-1.trust.example","OSPlatform":"Windows11","SoftwareVendor":"mozilla","SoftwareName":"firefox","SoftwareVersion":"128.0","DiskPaths":["C:\\Users\\Jane Example\\firefox.exe"]}
{"DeviceId":"b2","DeviceName":"","OSPlatform":"WindowsServer2019","SoftwareVendor":"microsoft","SoftwareName":"windows_server_2019","SoftwareVersion":"10.0.17763.1"}
`
	table = `DeviceId,DeviceName,OSPlatform,SoftwareVendor,SoftwareName,SoftwareVersion,DiskPaths,ProductCodeCpe
a1,ws-1.trust.example,Windows11,mozilla,firefox,128.0,"[""C:\Users\Jane Example\firefox.exe""]",Not Available
b2,,WindowsServer2019,microsoft,windows_server_2019,10.0.17763.1,[],
`
)

var rows = []estate.Row{
	{Asset: "ws-1.trust.example", Class: ward.Workstation, Marks: estate.Marks{{Kind: estate.ByAgent, Value: "defender:a1"}}, Software: ward.Software{Vendor: "mozilla", Product: "firefox", Version: "128.0"}},
	{Asset: "b2", Class: ward.Server, Marks: estate.Marks{{Kind: estate.ByAgent, Value: "defender:b2"}}, Software: ward.Software{Vendor: "microsoft", Product: "windows_server_2019", Version: "10.0.17763.1"}},
}

func TestContract(t *testing.T) {
	for name, body := range map[string]string{"pages.json": pages, "lines.json": lines, "table.csv": table} {
		t.Run(name, func(t *testing.T) {
			contract.Inventory(t, defender.Reader{}, contract.InventoryExample{Name: name, Body: body, Want: rows, Secret: "Jane Example"})
		})
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", " \n", "is empty"},
		{"cut short", pages[:300], "cut short"},
		{"one page of several", strings.SplitAfter(pages, "next\"}\n")[0], "follow @odata.nextLink"},
		{"an error of the API", `{"error":{"code":"Unauthorized"}}`, "error message of the API"},
		{"titles without devices", "Name,OS platform,Vendor,Weaknesses,Exposed devices\nEdge,Windows,Microsoft,3,40\n", "does not say where they are"},
		{"a number", "[1]3", "no software inventory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := defender.Reader{}.Read(strings.NewReader(row.body), func(estate.Row) error { return nil })
			if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBadEntriesAreRejected(t *testing.T) {
	got := 0
	summary, err := defender.Reader{}.Read(strings.NewReader(`[{"deviceName":"a","softwareName":7},{"softwareName":"x"},{"deviceName":"a","softwareVersion":"1"},17,
		{"deviceName":"a","softwareName":"x","softwareVersion":"1"}]`), func(row estate.Row) error { got++; return nil })
	if err != nil || got != 1 || summary.Rows != 5 || summary.Rejected != 4 || !strings.HasPrefix(summary.Problems[1], "line 2: has neither deviceName nor deviceId") {
		t.Errorf("%v, %d, %+v", err, got, summary)
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, defender.Reader{}, nil, pages, lines, table, "[1,{}]")
}
