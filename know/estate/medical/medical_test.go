package medical_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wardwatch/know/estate"
	"wardwatch/know/estate/medical"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const register = `Equipment No,Equipment Description,Manufacturer,Model,Serial No,GMDN Code,Software Version,Firmware Version,Operating System,OS Version,Location,Clinical Service,Data,Hostname,MAC Address,Contact
ME-00412,Infusion pump,Alder Medical,Volu 3,AM300412,13215,4.2.1,4.2.1,,,Ward 7,medical wards,,,,Jane Example
ME-00977,MRI scanner,Birch Imaging,Vista 1.5T,BV15-0009,37654,VE11C,,Windows 10,10.0.19044.5854,Imaging,radiology;stroke,patient record,mri-1.trust.example,00:00:5e:00:53:11,Jane Example
`

var want = []estate.Row{
	{Asset: "Infusion pump ME-00412", Class: ward.MedicalDevice, Site: "Ward 7", Services: []string{"medical wards"},
		Marks: estate.Marks{{Kind: estate.BySerial, Value: "am300412"}, {Kind: estate.ByTag, Value: "me-00412"}}, Software: ward.Software{Vendor: "Alder Medical", Product: "Volu 3", Version: "4.2.1"}},
	scanner(ward.Software{Vendor: "Birch Imaging", Product: "Vista 1.5T", Version: "VE11C"}),
	scanner(ward.Software{Vendor: "Microsoft", Product: "Windows 10", Version: "10.0.19044.5854"}),
}

func scanner(sw ward.Software) estate.Row {
	return estate.Row{Asset: "mri-1.trust.example", Class: ward.MedicalDevice, Site: "Imaging", Data: []string{"patient_record"}, Services: []string{"radiology", "stroke"}, Software: sw,
		Marks: estate.Marks{{Kind: estate.BySerial, Value: "bv15-0009"}, {Kind: estate.ByTag, Value: "me-00977"}, {Kind: estate.ByMAC, Value: "00005e005311"}, {Kind: estate.ByFQDN, Value: "mri-1.trust.example"}}}
}

func TestContract(t *testing.T) {
	contract.Inventory(t, medical.Reader{}, contract.InventoryExample{Name: "register.csv", Body: register, Want: want, Secret: "Jane Example"})
}

func TestOtherHeadersAreMapped(t *testing.T) {
	body := strings.NewReplacer("Equipment No", "Our number", "Manufacturer", "Maker of it").Replace(register)
	reader := medical.Reader{}.With(map[string]string{"asset_tag": "our number", "manufacturer": "Maker of it"})
	var got []estate.Row
	if _, err := reader.Read(strings.NewReader(body), func(row estate.Row) error { got = append(got, row); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Asset != want[0].Asset || got[0].Software != want[0].Software {
		t.Errorf("%+v", got)
	}
	for _, row := range []struct {
		mapping map[string]string
		want    string
	}{{map[string]string{"colour": "x"}, `"colour" is no column`}, {map[string]string{"udi": "Absent"}, `no column "Absent" for udi`}, {map[string]string{"model": "Absent"}, "lacks a column"}} {
		_, err := medical.Reader{}.With(row.mapping).Read(strings.NewReader(register), func(estate.Row) error { return nil })
		if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
			t.Errorf("%v: %v", row.mapping, err)
		}
	}
}

func TestOtherListsOfDevicesAreNotTakenForIt(t *testing.T) {
	for _, header := range []string{"asset,vendor,product,version,firmware version\n", "Device ID,Device name,Last check-in,Serial number,Manufacturer,Model\n", "asset,class,product\n"} {
		if (medical.Reader{}).Recognises("x.csv", []byte(header)) {
			t.Errorf("%q", header)
		}
	}
}

func TestBadRowsAreRejected(t *testing.T) {
	yielded := 0
	summary, err := medical.Reader{}.Read(strings.NewReader("Asset Tag,Manufacturer,Model,Serial Number,Internet Facing\n,A,B,,no\n1001,A,B,,perhaps\n1002,A,,,\n1003,A,B,,yes\n"),
		func(estate.Row) error { yielded++; return nil })
	if err != nil || yielded != 2 || summary.Rejected != 2 || summary.Rows != 4 {
		t.Errorf("%v, %d, %+v", err, yielded, summary)
	}
}

func Fuzz(f *testing.F) {
	for _, seed := range []string{register, "asset tag;make;model\n1;2;3\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		yielded := 0
		summary, err := medical.Reader{}.Read(strings.NewReader(string(body)), func(row estate.Row) error {
			yielded++
			if row.Asset == "" || row.Class != ward.MedicalDevice {
				t.Errorf("%+v", row)
			}
			return nil
		})
		if err == nil && yielded+summary.Rejected != summary.Rows {
			t.Errorf("%d yielded, %d rejected of %d", yielded, summary.Rejected, summary.Rows)
		}
	})
}
