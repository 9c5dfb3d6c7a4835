package nmap_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"wardwatch/know/estate"
	"wardwatch/know/estate/nmap"
	"wardwatch/test/contract"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

const example = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/share/nmap/nmap.xsl" type="text/xsl"?>
<!-- Nmap 7.95 scan initiated Tue May 13 as: nmap -sV -oX /srv/jane.example/scan.xml 192.0.2.0/24 -->
<nmaprun scanner="nmap" args="nmap -sV -oX /srv/jane.example/scan.xml 192.0.2.0/24" start="1747130400" version="7.95" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="2" services="22,443"/>
<host starttime="1747130401" endtime="1747130450"><status state="up" reason="echo-reply"/>
<address addr="192.0.2.10" addrtype="ipv4"/><address addr="00:00:5E:00:53:01" addrtype="mac" vendor="Example"/>
<hostnames><hostname name="mdm1.hospital.example" type="PTR"/></hostnames>
<ports><extraports state="filtered" count="998"/>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" product="OpenSSH" version="7.4" extrainfo="protocol 2.0" method="probed" conf="10"><cpe>cpe:/a:openbsd:openssh:7.4</cpe><cpe>cpe:/o:linux:linux_kernel</cpe></service>
<script id="banner" output="Welcome jane.example"><elem key="cpe">cpe:/a:never:read:1</elem></script></port>
<port protocol="tcp" portid="80"><state state="open" reason="syn-ack"/><service name="http" method="table" conf="3"/></port>
<port protocol="tcp" portid="443"><state state="open" reason="syn-ack"/><service name="https" product="Apache httpd" version="2.4.6" devicetype="load balancer" method="probed" conf="10"><cpe>cpe:/a:apache:http_server:2.4.6</cpe></service></port>
<port protocol="tcp" portid="8443"><state state="open" reason="syn-ack"/><service name="https" product="Apache httpd" version="2.4.6" method="probed" conf="10"><cpe>cpe:/a:apache:http_server:2.4.6</cpe></service></port>
<port protocol="tcp" portid="3306"><state state="closed" reason="reset"/><service name="mysql" product="MySQL" version="5.7" method="probed" conf="10"><cpe>cpe:/a:mysql:mysql:5.7</cpe></service></port>
</ports><os><osmatch name="Linux 4" accuracy="97"><osclass osfamily="Linux"><cpe>cpe:/o:linux:linux_kernel:4</cpe></osclass></osmatch></os></host>
<host><status state="up"/><address addr="2001:db8::7" addrtype="ipv6"/></host>
<host><status state="down"/><address addr="192.0.2.11" addrtype="ipv4"/></host>
<runstats><finished time="1747130500" elapsed="100"/><hosts up="2" down="1" total="3"/></runstats>
</nmaprun>
`

func on(sw ward.Software) estate.Row {
	return estate.Row{Asset: "mdm1.hospital.example", Class: ward.Appliance, Marks: estate.Marks{{Kind: estate.ByMAC, Value: "00005e005301"}}, Software: sw}
}

var rows = []estate.Row{
	on(ward.Software{Product: "OpenSSH", Version: "7.4", CPE: "cpe:/a:openbsd:openssh:7.4"}),
	on(ward.Software{Vendor: "Linux", Product: "Linux kernel", CPE: "cpe:/o:linux:linux_kernel"}),
	on(ward.Software{Product: "Apache httpd", Version: "2.4.6", CPE: "cpe:/a:apache:http_server:2.4.6"}),
	{Asset: "2001:db8::7"},
}

func TestContract(t *testing.T) {
	contract.Inventory(t, nmap.Reader{}, contract.InventoryExample{Name: "scan.xml", Body: example, Want: rows, Secret: "jane.example"})
}

func read(body string) (rows []estate.Row, summary estate.Summary, err error) {
	summary, err = nmap.Reader{}.Read(strings.NewReader(body), func(row estate.Row) error { rows = append(rows, row); return nil })
	return rows, summary, err
}

func TestAScanSaysWhenItEnded(t *testing.T) {
	_, summary, err := read(example)
	if want := time.Date(2025, 5, 13, 10, 1, 40, 0, time.UTC); err != nil || !summary.ObservedAt.Equal(want) {
		t.Errorf("%s, %v", summary.ObservedAt, err)
	}
}

func TestABadNameCostsOnlyItsRow(t *testing.T) {
	got, summary, err := read(strings.Replace(example, "cpe:/a:openbsd:openssh:7.4", "cpe:nine", 1))
	if err != nil || len(got) != 4 || summary.Rejected != 1 { // the words stay
		t.Errorf("%v, %+v, %q", err, got, summary.Problems)
	}
	got, summary, err = read(strings.Replace(example, "cpe:/a:openbsd:openssh:7.4", "cpe:/a:%zz", 1))
	if err != nil || len(got) != 3 || summary.Rejected != 1 || !strings.Contains(summary.Problems[0], "no CPE") {
		t.Errorf("%v, %+v, %q", err, got, summary.Problems)
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "", "is empty"},
		{"cut short", example[:1500], "cut short"},
		{"stopped scan", strings.Replace(example, "</nmaprun>", "", 1), "cut short"},
		{"another report", `<?xml version="1.0"?><report/>`, "not <nmaprun>"},
		{"entities that burst", `<!DOCTYPE nmaprun [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><nmaprun><host><address addr="&b;"/></host></nmaprun>`, "no XML"},
		{"endless text", `<nmaprun><host><hostnames>` + strings.Repeat("a", 18<<20), "more than 16 MiB"},
		{"unknown encoding", `<?xml version="1.0" encoding="EBCDIC"?><nmaprun/>`, `is in "EBCDIC"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, _, err := read(row.body); !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %.300v", err)
			}
		})
	}
	latin := strings.Replace(strings.Replace(example, "UTF-8", "ISO-8859-1", 1), "OpenSSH", "Op\xe9nSSH", 1)
	if got, _, err := read(latin); err != nil || got[0].Software.Product != "OpénSSH" {
		t.Errorf("%v, %+v", err, got)
	}
	deep := "<nmaprun>" + strings.Repeat("<x>", 200_000) + strings.Repeat("</x>", 200_000) + "</nmaprun>"
	if got, _, err := read(deep); err != nil || len(got) != 0 {
		t.Errorf("%v, %d rows", err, len(got))
	}
}

// TestRealScans reads the samples of a scanner's reports.
func TestRealScans(t *testing.T) {
	want := map[string]int{"issue12411.xml": 2, "issue4406.xml": 3, "nmap_0port.xml": 1, "nmap_1port.xml": 1, "nmap_multiple_port.xml": 1, "nmap_script_vulners.xml": 1}
	f, err := os.Open(shared.File(t, "data", "vuln", "scans", "defectdojo-scan-samples.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for r := tar.NewReader(unpacked); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := h.Name[strings.LastIndexByte(h.Name, '/')+1:]
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, ours := estate.Detect([]estate.Reader{nmap.Reader{}}, name, body[:min(len(body), estate.HeadSize)])
		if _, known := want[name]; ours != known && h.Typeflag == tar.TypeReg {
			t.Errorf("%s: recognised is %t", name, ours)
		}
		if !ours {
			continue
		}
		read++
		summary, err := nmap.Reader{}.Read(strings.NewReader(string(body)), func(row estate.Row) error { t.Logf("%s: %s %+v", name, row.Asset, row.Software); return nil })
		if err != nil || summary.Rows != want[name] || summary.Rejected != 0 {
			t.Errorf("%s: %+v, %v", name, summary, err)
		}
	}
	if read != len(want) {
		t.Errorf("%d of %d scans", read, len(want))
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, nmap.Reader{}, nil, example,
		`<nmaprun><host><ports><port><service method="probed"><cpe>cpe:/a:b<cpe></cpe>:c</cpe></service><state state="open"/></port></ports></host></nmaprun>`)
}
