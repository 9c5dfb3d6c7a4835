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
