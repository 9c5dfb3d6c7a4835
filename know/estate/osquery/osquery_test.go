package osquery_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"wardwatch/know/estate"
	"wardwatch/know/estate/osquery"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const example = `{"name":"pack_inventory_os","hostIdentifier":"ws-0001","calendarTime":"Mon May 12 09:00:00 2025 UTC","unixTime":1747040400,"epoch":0,"counter":0,"numerics":false,"action":"snapshot","snapshot":[{"name":"Microsoft Windows 10 Enterprise","version":"10.0.19045","major":"10","minor":"0","build":"19045","revision":"4291","platform":"windows","platform_like":"windows"}]}
{"snapshot":[{"name":"Mozilla Firefox (x64 en-GB)","version":"128.0","publisher":"Mozilla","install_location":"C:\\Users\\jane.example\\Firefox"},{"name":"Viewer","version":"","publisher":"Example Ltd"}],"action":"snapshot","name":"installed","hostIdentifier":"ws-0001","unixTime":"1747040500"}
{"name":"pack_inventory_deb","hostIdentifier":"0f8b-uuid","unixTime":1747040600,"decorations":{"hostname":"srv-1"},"columns":{"name":"curl","version":"7.88.1-10+deb12u4","arch":"amd64","revision":"10","status":"install ok installed","maintainer":"Jane Example <jane.example@example.example>"},"action":"added"}
{"name":"pack_inventory_deb","hostIdentifier":"0f8b-uuid","unixTime":1747040600,"decorations":{"hostname":"srv-1"},"columns":{"name":"old","version":"1","arch":"amd64","status":"deinstall ok config-files"},"action":"added"}
{"name":"pack_inventory_os","hostIdentifier":"0f8b-uuid","unixTime":1747040700,"decorations":{"hostname":"srv-1"},"diffResults":{"added":[{"name":"Debian GNU/Linux","version":"12 (bookworm)","major":"12","minor":"0","platform":"debian","codename":"bookworm"}],"removed":[]}}
{"name":"pack_inventory_deb","hostIdentifier":"0f8b-uuid","unixTime":1747126800,"decorations":{"hostname":"srv-1"},"columns":{"name":"curl","version":"7.88.1-10+deb12u4","arch":"amd64","revision":"10","status":"install ok installed","maintainer":"Jane Example <jane.example@example.example>"},"action":"removed"}
{"name":"pack_inventory_deb","hostIdentifier":"0f8b-uuid","unixTime":1747126800,"decorations":{"hostname":"srv-1"},"columns":{"name":"curl","version":"7.88.1-10+deb12u5","arch":"amd64","revision":"10","status":"install ok installed","maintainer":"Jane Example <jane.example@example.example>"},"action":"added"}
{"name":"processes","hostIdentifier":"quiet-1","unixTime":1747126800,"columns":{"pid":"1","name":"init"},"action":"added"}
`

var rows = []estate.Row{
	{Asset: "ws-0001", Class: ward.Workstation, Software: ward.Software{Vendor: "Microsoft", Product: "Windows 10 Version 22H2", Version: "10.0.19045.4291",
		CPE: `cpe:2.3:o:microsoft:windows_10_22h2:10.0.19045.4291:*:*:*:*:*:*:*`}},
	{Asset: "ws-0001", Class: ward.Workstation, Software: ward.Software{Vendor: "Mozilla", Product: "Mozilla Firefox (x64 en-GB)", Version: "128.0"}},
	{Asset: "ws-0001", Class: ward.Workstation, Software: ward.Software{Vendor: "Example Ltd", Product: "Viewer"}},
	{Asset: "srv-1", Software: ward.Software{Product: "curl", Version: "7.88.1-10+deb12u5", PURL: "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12"}},
	{Asset: "srv-1", Software: ward.Software{Vendor: "Debian", Product: "Debian Linux", Version: "12", CPE: "cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*"}},
	{Asset: "quiet-1"},
}

func TestContract(t *testing.T) {
	contract.Inventory(t, osquery.Reader{}, contract.InventoryExample{Name: "osqueryd.results.log", Body: example, Want: rows, Secret: "jane.example"})
}

func read(body string) (rows []estate.Row, summary estate.Summary, err error) {
	summary, err = osquery.Reader{}.Read(strings.NewReader(body), func(row estate.Row) error { rows = append(rows, row); return nil })
	return rows, summary, err
}

func TestALogSaysWhenItEnded(t *testing.T) {
	_, summary, err := read(example)
	if want := time.Date(2025, 5, 13, 9, 0, 0, 0, time.UTC); err != nil || !summary.ObservedAt.Equal(want) {
		t.Errorf("%s, %v", summary.ObservedAt, err)
	}
}

// line is a snapshot of rows on host h.
func line(rows string) string {
	return `{"name":"q","hostIdentifier":"h","unixTime":1,"action":"snapshot","snapshot":[` + rows + `]}` + "\n"
}

func TestTables(t *testing.T) {
	rhel := `{"name":"Red Hat Enterprise Linux","version":"8.6","major":"8","minor":"6","platform":"rhel","platform_like":"rhel"}`
	for _, row := range []struct {
		name, body string
		want       []ward.Software
	}{
		{"rpm with an epoch", line(`{"name":"git-lfs","version":"2.13.3","release":"3.el8_6.1","epoch":"1","arch":"x86_64","vendor":"Red Hat, Inc."},` + rhel), []ward.Software{
			{Vendor: "Red Hat, Inc.", Product: "git-lfs", Version: "1:2.13.3-3.el8_6.1", PURL: "pkg:rpm/redhat/git-lfs@2.13.3-3.el8_6.1?arch=x86_64&distro=rhel-8.6&epoch=1"},
			{Vendor: "Red Hat", Product: "Enterprise Linux", Version: "8.6", CPE: "cpe:2.3:o:redhat:enterprise_linux:8.6:*:*:*:*:*:*:*"}}},
		{"rpm by its vendor", line(`{"name":"bash","version":"5.1","release":"1.el9","arch":"x86_64","vendor":"AlmaLinux"}`), []ward.Software{
			{Vendor: "AlmaLinux", Product: "bash", Version: "5.1-1.el9", PURL: "pkg:rpm/almalinux/bash@5.1-1.el9?arch=x86_64"}}},
		{"deb that betrays nothing", line(`{"name":"bash","version":"5.1-6","arch":"amd64","status":"install ok installed"}`), []ward.Software{{Product: "bash", Version: "5.1-6"}}},
		{"deb of Ubuntu", line(`{"name":"bash","version":"5.1-6ubuntu1","arch":"amd64","source":""},{"platform":"ubuntu","name":"Ubuntu","version":"22.04.4 LTS","major":"22","minor":"4"}`), []ward.Software{
			{Product: "bash", Version: "5.1-6ubuntu1", PURL: "pkg:deb/ubuntu/bash@5.1-6ubuntu1?arch=amd64&distro=ubuntu-22.04"},
			{Vendor: "Canonical", Product: "Ubuntu Linux", Version: "22.04", CPE: "cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:*:*:*:*"}}},
		{"apps of a Mac", line(`{"name":"Firefox.app","bundle_identifier":"org.mozilla.firefox","bundle_short_version":"128.0","path":"/Applications/Firefox.app"},
			{"name":"macOS","version":"14.4.1","major":"14","minor":"4","patch":"1","build":"23E224","platform":"darwin"}`), []ward.Software{{Product: "Firefox", Version: "128.0"},
			{Vendor: "Apple", Product: "macOS", Version: "14.4.1", CPE: "cpe:2.3:o:apple:macos:14.4.1:*:*:*:*:*:*:*"}}},
		{"Windows without its revision", line(`{"name":"Microsoft Windows 11 Pro","version":"10.0.22631","build":"22631","platform":"windows","major":"10"}`), []ward.Software{
			{Vendor: "Microsoft", Product: "Windows 11 Version 23H2", CPE: "cpe:2.3:o:microsoft:windows_11_23h2:*:*:*:*:*:*:*:*"}}},
		{"Windows Server", line(`{"name":"Microsoft Windows Server 2022 Datacenter","version":"10.0.20348.2402","build":"20348","platform":"windows","major":"10"}`), []ward.Software{
			{Vendor: "Microsoft", Product: "Windows Server 2022", Version: "10.0.20348.2402", CPE: "cpe:2.3:o:microsoft:windows_server_2022:10.0.20348.2402:*:*:*:*:*:*:*"}}},
		{"a Windows that is not known", line(`{"name":"Microsoft Windows Next","version":"10.0.99999","build":"99999","revision":1,"platform":"windows"}`), []ward.Software{
			{Vendor: "Microsoft", Product: "Windows Next", Version: "10.0.99999.1"}}},
		{"osqueryi", `[{"host_identifier":"h","name":"Viewer","version":"1","publisher":"Example Ltd"}]`, []ward.Software{{Vendor: "Example Ltd", Product: "Viewer", Version: "1"}}},
		{"a newer snapshot", line(`{"name":"A","version":"1","publisher":"X"}`) + line(`{"name":"B","version":"1","publisher":"X"}`), []ward.Software{{Vendor: "X", Product: "B", Version: "1"}}},
		{"an agent that began anew", strings.ReplaceAll(`{"name":"q","hostIdentifier":"h","epoch":1,"action":"added","columns":{"name":"A","version":"1","publisher":"X"}}
			{"name":"q","hostIdentifier":"H","epoch":2,"action":"added","columns":{"name":"B","version":"1","publisher":"X"}}`, "\t", ""), []ward.Software{{Vendor: "X", Product: "B", Version: "1"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := row.body
			if strings.HasPrefix(body, `{"name":"q","hostIdentifier":"h","unixTime":1`) {
				body = strings.ReplaceAll(strings.ReplaceAll(body, ",\n\t\t\t", ","), "\t", "")
			}
			got, summary, err := read(body)
			var software []ward.Software
			for _, r := range got {
				software = append(software, r.Software)
			}
			if err != nil || summary.Rejected > 0 || !reflect.DeepEqual(software, row.want) {
				t.Errorf("%v, %q\ngot  %#v\nwant %#v", err, summary.Problems, software, row.want)
			}
		})
	}
}

func TestABadLineCostsOnlyItself(t *testing.T) {
	for _, row := range []struct{ name, bad, want string }{
		{"no JSON", `{"name":`, "line 1: is no result"},
		{"no host", `{"name":"q","action":"added","columns":{"name":"a"}}`, "line 1: names no host"},
		{"no action", `{"name":"q","hostIdentifier":"h","columns":{"name":"a"},"action":"moved"}`, `line 1: action "moved"`},
		{"neither", `{"name":"Viewer"}`, "line 1: names no host"},
		{"too deep", `{"columns":{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`, "line 1: is no result"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, summary, err := read(row.bad + "\n" + example)
			if err != nil || len(got) != len(rows) || summary.Rejected != 1 || !strings.HasPrefix(summary.Problems[0], row.want) {
				t.Errorf("%v, %d rows, %q", err, len(got), summary.Problems)
			}
		})
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "", "holds no result"},
		{"another table", `{"name":"p","hostIdentifier":"h","action":"added","columns":{"pid":"1"}}`, "holds no result"},
		{"cut short", strings.TrimSpace(example)[:len(example)-20], "cut short in line 8"},
		{"list cut short", `[{"host_identifier":"h","name":"Viewer","version":"1","publisher":"x"}`, "cut short"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, _, err := read(row.body); !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) || len(got) > 0 {
				t.Errorf("got %.300v, %d rows", err, len(got))
			}
		})
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, osquery.Reader{}, nil, example,
		`[{"host_identifier":"h","name":"a","version":"1","publisher":null},{"hostIdentifier":"h","snapshot":[null,{}]}]`)
}
