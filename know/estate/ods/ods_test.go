package ods_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wardwatch/know/estate"
	"wardwatch/know/estate/ods"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

const (
	trusts    = "ods_code,name,town,postcode,country,icb_code,region_code,latitude,longitude\nXZ1A,\"Harrowmere, City of, Hospitals\",Harrowmere,ZZ98 1HA,Exercise,XZ3M,RX1,55.1,2.1\n"
	sites     = "ods_code,name,parent_ods_code,postcode,latitude,longitude\nXZ1A01,General,XZ1A,ZZ98 1AS,55.1,2.1\n"
	relations = "from,kind,to,since,until\nXZ1A,group,XZ9J,2022-04-01,\nXZ6F,operates for,XZ7G,2023-02-01,2024-03-31\n"
	official  = `"XZ1A","HARROWMERE HOSPITALS","RX1","XZ3M","1 LONG LANE","","","HARROWMERE","EXERCISE COUNTY","ZZ98 1HA","20010401","20240331","","","","","","01632960001","","","","0","","","","",""` + "\r\n"
)

func read(name, body string) (d estate.Directory, err error) {
	err = ods.Read(name, strings.NewReader(body), &d)
	return d, err
}

func TestLayouts(t *testing.T) {
	d, err := read("trusts.csv", trusts)
	want := ward.Organisation{ID: "XZ1A", Name: "Harrowmere, City of, Hospitals", Town: "Harrowmere", Postcode: "ZZ98 1HA", Country: "Exercise", Board: "XZ3M", Region: "RX1", Latitude: 55.1, Longitude: 2.1}
	if err != nil || len(d.Organisations) != 1 || d.Organisations[0] != want {
		t.Errorf("%v, %+v", err, d)
	}
	d, err = read("sites.csv", sites)
	if err != nil || len(d.Sites) != 1 || d.Sites[0] != (ward.Site{ID: "XZ1A01", Org: "XZ1A", Name: "General", Postcode: "ZZ98 1AS", Latitude: 55.1, Longitude: 2.1}) {
		t.Errorf("%v, %+v", err, d)
	}
	d, err = read("relations.csv", relations)
	if err != nil || len(d.Relations) != 2 || d.Relations[1] != (ward.Relation{From: "XZ6F", Kind: ward.OperatesFor, To: "XZ7G", Since: day(2023, 2, 1), Until: day(2024, 3, 31)}) {
		t.Errorf("%v, %+v", err, d)
	}
	d, err = read("etr.csv", official)
	want = ward.Organisation{ID: "XZ1A", Name: "HARROWMERE HOSPITALS", Kind: "trust", Town: "HARROWMERE", Postcode: "ZZ98 1HA", Board: "XZ3M", Region: "RX1", Opened: day(2001, 4, 1), Closed: day(2024, 3, 31)}
	if err != nil || len(d.Organisations) != 1 || d.Organisations[0] != want {
		t.Errorf("%v, %+v", err, d)
	}
}

func day(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

func TestBadRowsAreRejectedAndGoodOnesStay(t *testing.T) {
	for _, row := range []struct{ name, file, bad, want string }{
		{"no code", trusts, "?,A,,,,,,,", `line 3: "?" is no organisation code`},
		{"no name", trusts, "XZ2B,,,,,,,,", "line 3: XZ2B: name is empty"},
		{"twice", trusts, "xz1a,Other,,,,,,,", "line 3: XZ1A stands on line 2 already"},
		{"no position", trusts, "XZ2B,A,,,,,,north,2", `line 3: XZ2B: "north", "2" is no position`},
		{"NaN", trusts, "XZ2B,A,,,,,,NaN,2", "is no position"},
		{"site of no organisation", sites, "XZ2B01,A,n/a,,,", "line 3: XZ2B01: parent"},
		{"relation to itself", relations, "XZ1A,group,XZ1A,2022-04-01,", "in a relation to itself"},
		{"unknown relation", relations, "XZ1A,friend,XZ2B,2022-04-01,", `kind "friend" is not known`},
		{"undated relation", relations, "XZ1A,group,XZ2B,,", "since is empty"},
		{"ends before it begins", relations, "XZ1A,group,XZ2B,2022-04-01,2022-04-01", "until is not after since"},
		{"no date", relations, "XZ1A,group,XZ2B,1 April,", `"1 April" is no date`},
	} {
		t.Run(row.name, func(t *testing.T) {
			good, err := read("file.csv", row.file)
			if err != nil {
				t.Fatal(err)
			}
			d, err := read("file.csv", row.file+row.bad+"\n")
			if err != nil || d.Rejected != 1 || !strings.Contains(d.Problems[0], row.want) {
				t.Errorf("%v, %q", err, d.Problems)
			}
			if len(d.Organisations)+len(d.Sites)+len(d.Relations) != len(good.Organisations)+len(good.Sites)+len(good.Relations) {
				t.Errorf("%+v", d)
			}
		})
	}
	for name, body := range map[string]string{"empty": "", "no layout": "a,b\n1,2\n", "workbook": "PK\x03\x04"} {
		if _, err := read(name, body); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAllTrustsAreRead(t *testing.T) {
	d, err := ods.ReadPath(shared.File(t, "data", "org"))
	if err != nil || len(d.Organisations) != 242 || len(d.Sites) != 339 || d.Rejected != 0 {
		t.Errorf("%v, %d organisations, %d sites, %d rejected: %v", err, len(d.Organisations), len(d.Sites), d.Rejected, d.Problems)
	}
}

func Fuzz(f *testing.F) {
	for _, seed := range []string{trusts, sites, relations, official} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, _ := read("fuzz.csv", string(body))
		for _, o := range d.Organisations {
			if o.ID == "" || o.Name == "" || fmt.Sprint(o.Latitude) == "NaN" {
				t.Errorf("%+v", o)
			}
		}
	})
}
