package intune_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wardwatch/know/estate"
	"wardwatch/know/estate/intune"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const (
	apps = `"ApplicationKey","ApplicationName","ApplicationPublisher","ApplicationShortVersion","ApplicationVersion","DeviceId","DeviceName","OSDescription","OSVersion","Platform","UserId","EmailAddress","UserName"
"0a1b","Mozilla Firefox (x64 en-GB)","Mozilla","128.0","128.0.3","5f0c1d7e-0000-4000-8000-0000000000a1","WS-001","Windows","10.0.22631.3593","Windows","u1","jane@trust.example","Jane Example"
"0a1c","Epic Haiku","Epic","","11.2","5f0c1d7e-0000-4000-8000-0000000000b2","","iOS","17.5","iOS","u1","jane@trust.example","Jane Example"
`
	devices = `Device ID,Device name,Enrollment date,Last check-in,Azure AD Device ID,OS version,Serial number,Manufacturer,Model,IMEI,Wi-Fi MAC,Primary user UPN,Primary user display name,OS,EthernetMAC,Phone number
5f0c1d7e-0000-4000-8000-0000000000a1,WS-001,2024-01-02,2025-05-12,7a0c1d7e-0000-4000-8000-0000000000a1,10.0.22631.3593,PF3X0001,LENOVO,20XW,,00:00:5E:00:53:01,jane@trust.example,Jane Example,Windows,00-00-5e-00-53-02,
5f0c1d7e-0000-4000-8000-0000000000b2,iPhone,2024-01-02,2025-05-12,,17.5,F2LABC000001,Apple,iPhone 13,350000000000000,92:00:00:00:00:01,jane@trust.example,Jane Example,iOS,,01632 960001
`
)

func TestContract(t *testing.T) {
	agent := func(last string) estate.Mark {
		return estate.Mark{Kind: estate.ByAgent, Value: "intune:5f0c1d7e-0000-4000-8000-0000000000" + last}
	}
	for _, row := range []struct {
		name, body string
		want       []estate.Row
	}{
		{"DetectedAppsRawData.csv", apps, []estate.Row{
			{Asset: "WS-001", Class: ward.Workstation, Marks: estate.Marks{agent("a1")}, Software: ward.Software{Vendor: "Mozilla", Product: "Mozilla Firefox (x64 en-GB)", Version: "128.0.3"}},
			{Asset: "5f0c1d7e-0000-4000-8000-0000000000b2", Marks: estate.Marks{agent("b2")}, Software: ward.Software{Vendor: "Epic", Product: "Epic Haiku", Version: "11.2"}},
		}},
		{"DevicesWithInventory.csv", devices, []estate.Row{
			{Asset: "WS-001", Class: ward.Workstation, Marks: estate.Marks{{Kind: estate.BySerial, Value: "pf3x0001"}, {Kind: estate.ByEntra, Value: "7a0c1d7e-0000-4000-8000-0000000000a1"}, agent("a1"),
				{Kind: estate.ByMAC, Value: "00005e005301"}, {Kind: estate.ByMAC, Value: "00005e005302"}}, Software: ward.Software{Vendor: "Microsoft", Product: "Windows 11", Version: "10.0.22631.3593"}},
			{Asset: "iPhone", Marks: estate.Marks{{Kind: estate.BySerial, Value: "f2labc000001"}, agent("b2")}, Software: ward.Software{Vendor: "Apple", Product: "iOS", Version: "17.5"}}, // its address is made up by software
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			contract.Inventory(t, intune.Reader{}, contract.InventoryExample{Name: row.name, Body: row.body, Want: row.want, Secret: "Jane Example"})
		})
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "\n", "is empty"},
		{"apps without devices", "ApplicationKey,ApplicationName,ApplicationPublisher,ApplicationVersion,DeviceCount,Platform\n1,Firefox,Mozilla,128,40,Windows\n", "does not say where they are"},
		{"JSON", `{"value":[]}`, "lacks a column"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := intune.Reader{}.Read(strings.NewReader(row.body), func(estate.Row) error { return nil })
			if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBadRowsAreRejected(t *testing.T) {
	yielded := 0
	summary, err := intune.Reader{}.Read(strings.NewReader("ApplicationName,ApplicationVersion,DeviceId,DeviceName\nFirefox,1,,\n\"Firefox,1,a,b\nFirefox,1,a,b\n"),
		func(estate.Row) error { yielded++; return nil })
	if err != nil || yielded != 1 || summary.Rejected != 2 || summary.Rows != 3 {
		t.Errorf("%v, %d, %+v", err, yielded, summary)
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, intune.Reader{}, nil, apps, devices, "DeviceName,ApplicationName\n\"\n")
}
