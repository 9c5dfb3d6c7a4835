package sccm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wardwatch/know/estate"
	"wardwatch/know/estate/sccm"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const (
	query = `Netbios_Name0,Full_Domain_Name0,User_Name0,Serial_Number0,SMBIOS_Asset_Tag0,SMS_Unique_Identifier0,ARPDisplayName0,Publisher0,ProductVersion0,InstalledLocation0
WS-001,TRUST.EXAMPLE,JANE EXAMPLE,PF3X0001,T10001,GUID:6F9619FF-8B86-D011-B42D-00C04FC964FF,7-Zip 24.08 (x64),Igor Pavlov,24.08,C:\Users\JANE EXAMPLE\7-Zip\
WS-001,TRUST.EXAMPLE,JANE EXAMPLE,PF3X0001,T10001,GUID:6F9619FF-8B86-D011-B42D-00C04FC964FF,Google Chrome,Google LLC,136.0.7103.93,
SRV-DB01,,,To be filled by O.E.M.,,,SQL Server 2019,Microsoft Corporation,15.0.4420.2,
`
	report = "Textbox1,Textbox2\r\nSoftware 02E,All Systems\r\n\r\n" +
		"Details_Table0_Computer_Name,Details_Table0_User_Name,Details_Table0_Operating_System,Details_Table0_OS_Version,Details_Table0_Netbios_Name\r\n" +
		"WS-001,JANE EXAMPLE,Microsoft Windows 11 Enterprise,10.0.22631.3593,WS-001\r\n" +
		"SRV-DB01,,Microsoft Windows Server 2019 Standard,10.0.17763.7136,SRV-DB01\r\n"
)

var (
	pc     = estate.Marks{{Kind: estate.BySerial, Value: "pf3x0001"}, {Kind: estate.ByAgent, Value: "sccm:6f9619ff-8b86-d011-b42d-00c04fc964ff"}, {Kind: estate.ByFQDN, Value: "ws-001.trust.example"}, {Kind: estate.ByTag, Value: "t10001"}}
	titles = []estate.Row{
		{Asset: "WS-001", Marks: pc, Software: ward.Software{Vendor: "Igor Pavlov", Product: "7-Zip 24.08 (x64)", Version: "24.08"}},
		{Asset: "WS-001", Marks: pc, Software: ward.Software{Vendor: "Google LLC", Product: "Google Chrome", Version: "136.0.7103.93"}},
		{Asset: "SRV-DB01", Software: ward.Software{Vendor: "Microsoft Corporation", Product: "SQL Server 2019", Version: "15.0.4420.2"}},
	}
	systems = []estate.Row{
		{Asset: "WS-001", Class: ward.Workstation, Software: ward.Software{Vendor: "Microsoft", Product: "Windows 11 Enterprise", Version: "10.0.22631.3593"}},
		{Asset: "SRV-DB01", Class: ward.Server, Software: ward.Software{Vendor: "Microsoft", Product: "Windows Server 2019 Standard", Version: "10.0.17763.7136"}},
	}
)

func TestContract(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       []estate.Row
	}{{"query.csv", query, titles}, {"report.csv", report, systems}} {
		t.Run(row.name, func(t *testing.T) {
			contract.Inventory(t, sccm.Reader{}, contract.InventoryExample{Name: row.name, Body: row.body, Want: row.want, Secret: "JANE EXAMPLE"})
		})
	}
}

func TestATitleAndTheSystemOfOneRow(t *testing.T) {
	var got []string
	_, err := sccm.Reader{}.Read(strings.NewReader("Name0,Operating_System_Name_and0,Build01,DisplayName0,Version0\n"+
		"WS-1,Microsoft Windows NT Workstation 10.0,10.0.19045.5854,Edge,136\nWS-1,Microsoft Windows NT Workstation 10.0,10.0.19045.5854,Teams,25\nws-2,Microsoft Windows NT Server 10.0,,Edge,136\n"),
		func(row estate.Row) error {
			got = append(got, fmt.Sprintf("%s %s %s", row.Asset, row.Class, row.Software))
			return nil
		})
	want := []string{"WS-1 workstation Edge 136", "WS-1 workstation Teams 25", "ws-2 server Edge 136"}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v\n%s", err, strings.Join(got, "\n"))
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "", "is empty"},
		{"titles without devices", "DisplayName0,Publisher0,Version0,Count\nEdge,Microsoft,136,40\n", "lacks a column that is needed"},
		{"a workbook", "PK\x03\x04rest", "is a workbook"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := sccm.Reader{}.Read(strings.NewReader(row.body), func(estate.Row) error { return nil })
			if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBadRowsAreRejected(t *testing.T) {
	yielded := 0
	summary, err := sccm.Reader{}.Read(strings.NewReader("Netbios_Name0,ARPDisplayName0,ProductVersion0\n,Edge,1\nws-1,Edge,1,too,many\nws-1,,1\nws-1,Edge,"+strings.Repeat("9", 300)+"\nws-1,Edge,1\n"),
		func(estate.Row) error { yielded++; return nil })
	if err != nil || yielded != 2 || summary.Rejected != 3 || !strings.HasPrefix(summary.Problems[0], "line 2: has no name of a device") {
		t.Errorf("%v, %d, %+v", err, yielded, summary)
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, sccm.Reader{}, nil, query, report, "Name0;ARPDisplayName0\n\"a;b\n")
}
