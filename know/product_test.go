package know_test

import (
	"slices"
	"testing"

	"wardwatch/know"
	"wardwatch/ward"
)

func TestProductKeysMeet(t *testing.T) {
	epmm := know.ProductKey("ivanti", "endpoint_manager_mobile")
	for _, row := range []struct {
		sw   ward.Software
		want string
	}{
		{ward.Software{Vendor: "Ivanti", Product: "Endpoint Manager Mobile"}, epmm},
		{ward.Software{Vendor: "Ivanti, Inc.", Product: "Endpoint Manager Mobile (EPMM)"}, epmm},
		{ward.Software{Vendor: "IVANTI", Product: "Ivanti EPMM"}, epmm},
		{ward.Software{Vendor: "MobileIron", Product: "Core"}, epmm},
		{ward.Software{Product: "Ivanti Endpoint Manager Mobile"}, epmm},
		{ward.Software{Product: "MobileIron Core"}, epmm},
		{ward.Software{CPE: "cpe:2.3:a:mobileiron:core:10.1:*:*:*:*:*:*:*"}, epmm},
		{ward.Software{CPE: "cpe:/a:ivanti:endpoint_manager_mobile:12.5.0.0"}, epmm},
		{ward.Software{PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar"}, "pkg:maven/org.apache.logging.log4j/log4j-core"},
		{ward.Software{Vendor: "Palo Alto Networks", Product: "PAN-OS"}, know.ProductKey("paloaltonetworks", "pan-os")},
		{ward.Software{Vendor: "The Apache Software Foundation", Product: "Apache HTTP Server"}, know.ProductKey("apache", "http_server")},
		{ward.Software{Vendor: "Philips", Product: "IntelliVue MX800"}, know.ProductKey("philips", "intellivue_mx800_firmware")},
		{ward.Software{Vendor: "NetScaler", Product: "ADC"}, know.ProductKey("citrix", "netscaler_application_delivery_controller")},
	} {
		if got := know.ProductKeys(row.sw); !slices.Contains(got, row.want) {
			t.Errorf("%s: %q lacks %q", row.sw, got, row.want)
		}
	}
}

func TestProductKeysKeepApart(t *testing.T) {
	epmm := know.ProductKey("Ivanti", "Endpoint Manager Mobile")
	for _, other := range [][2]string{
		{"Ivanti", "Endpoint Manager"}, {"Ivanti", "Sentry"}, {"Acme", "Endpoint Manager Mobile"}, {"Ivanti", "Endpoint Manager Mobile Plus"},
		{"Microsoft", "Core"}, {"", "Core"}, {"Ivanti", ""},
	} {
		if got := know.ProductKey(other[0], other[1]); got == epmm {
			t.Errorf("%q is taken for EPMM", other)
		}
	}
	if know.ProductKey("Microsoft", "Windows Server 2012 (Server Core installation)") == know.ProductKey("Microsoft", "Windows Server 2012") {
		t.Error("a bracket that tells products apart was dropped")
	}
}

func TestReportProductKeys(t *testing.T) {
	report := know.Report{
		Claims: []know.Claim{{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", PURL: "pkg:generic/x@1", CPEs: []string{"cpe:2.3:a:ivanti:sentry:*:*:*:*:*:*:*:*", "nonsense"}}},
		Trees: []know.Node{{And: true, Children: []know.Node{
			{Matches: []know.CPEMatch{{CPE: "cpe:2.3:o:v:thing_firmware:*:*:*:*:*:*:*:*", Vulnerable: true}}},
			{Matches: []know.CPEMatch{{CPE: "cpe:2.3:h:v:other:-:*:*:*:*:*:*:*"}}},
		}}},
	}
	want := []string{"ivanti/endpointmanagermobile", "ivanti/sentry", "pkg:generic/x", "v/thing"}
	if got := report.ProductKeys(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzProductKeys(f *testing.F) {
	f.Add("Ivanti", "Endpoint Manager Mobile (EPMM)", "", "pkg:npm/%40a/b@1")
	f.Add("", "MobileIron Core", "cpe:/a:b:c", "")
	f.Fuzz(func(t *testing.T, vendor, product, cpe, purl string) {
		keys := know.ProductKeys(ward.Software{Vendor: vendor, Product: product, CPE: cpe, PURL: purl})
		if !slices.IsSorted(keys) || slices.Contains(keys, "") {
			t.Fatalf("%q", keys)
		}
		if vendor != "" && know.ProductKey(vendor, product) != know.ProductKey(vendor+", Inc.", product) && know.ProductKey(vendor, product) != know.ProductKey(vendor, " "+product+" ") {
			t.Fatalf("%q %q: spelling changes the key", vendor, product)
		}
	})
}
