package ward_test

import (
	"testing"

	"wardwatch/ward"
)

func TestProductName(t *testing.T) {
	for _, row := range []struct{ vendor, product, want string }{
		{"Ivanti", "Endpoint Manager Mobile", "Ivanti Endpoint Manager Mobile"},
		{"Microsoft", "Microsoft SharePoint Server 2019", "Microsoft SharePoint Server 2019"},
		{"Apache Software Foundation", "Apache Log4j2", "Apache Log4j2"},
		{"", "Orthanc", "Orthanc"},
		{"Orthanc", "", "Orthanc"},
		{" ", " ", ""},
		{"Apple", "Pages", "Apple Pages"},
	} {
		if got := ward.ProductName(row.vendor, row.product); got != row.want {
			t.Errorf("%q %q: %q, want %q", row.vendor, row.product, got, row.want)
		}
	}
}

func TestSourceName(t *testing.T) {
	for _, row := range []struct{ source, want string }{
		{"nvd", "NVD"},
		{"kev", "CISA KEV"},
		{"cna:ivanti", "Ivanti (CNA)"},
		{"adp:CISA-ADP", "CISA-ADP (ADP)"},
		{"ruling:R-0001", "The national desk"},
		{"osv:Go", "Go (OSV)"},
		{"nvd, quoting security@vendor.example", "NVD, quoting security@vendor.example"},
		{"nvd, quoting 00000000-1111-2222-3333-abcdefABCDEF", "NVD, quoting another publisher"},
		{"nvd, quoting 00000000-1111-2222-3333-not a number", "NVD, quoting 00000000-1111-2222-3333-not a number"},
		{"", "An unnamed source"},
	} {
		if got := ward.SourceName(row.source); got != row.want {
			t.Errorf("%q: %q, want %q", row.source, got, row.want)
		}
	}
}
