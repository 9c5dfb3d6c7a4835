package watch_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/watch"
)

// lineNames is a set of names that has none of the names of the tables, so that values come under their own names.
var lineNames = watch.NewNames("c-ip", "src_ip", "dst_ip", "dst_port", "cs-uri-stem", "cs-uri-query", "cs-user-agent", "c-useragent",
	"cs-host", "c-uri", "c-uri-extension", "cs-method", "sc-status", "query", "record_type", "answer", "Filename", "Signature",
	"CommandLine", "Image", "destination.port", "SYSCALL", "action", "TargetFilename")

// a line, and some of what its record says: name=value, divided by " | ".
var lineRows = []struct {
	name   string
	format watch.Format
	header string
	line   string
	log    watch.Log
	time   string
	has    string
}{
	{
		"combined", watch.Combined, "",
		`192.0.2.1 - alice [15/May/2025:03:00:07 +0000] "GET /a/b.jsp?c=d HTTP/1.1" 200 612 "https://www.example.org/" "say \"hi\""`,
		watch.Log{Categories: []string{"webserver"}}, "15/May/2025:03:00:07 +0000",
		`c-ip=192.0.2.1 | src_ip=192.0.2.1 | cs-username=alice | cs-method=GET | cs-uri=/a/b.jsp?c=d | cs-uri-stem=/a/b.jsp | cs-uri-query=c=d | cs-uri-query=/a/b.jsp?c=d | c-uri-extension=jsp | sc-status=200 | sc-bytes=612 | cs-referer=https://www.example.org/ | cs-user-agent=say "hi" | cs-version=HTTP/1.1`,
	},
	{
		"common", watch.Combined, "", `2001:db8::1 - - [15/May/2025:03:00:07 +0100] "POST / HTTP/2.0" 404 -`,
		watch.Log{Categories: []string{"webserver"}}, "15/May/2025:03:00:07 +0100", `c-ip=2001:db8::1 | cs-method=POST | cs-uri-stem=/ | sc-status=404 | sc-bytes=-`,
	},
	{
		"no request", watch.Combined, "", `192.0.2.1 - - [15/May/2025:03:00:07 +0000] "\x16\x03\x01" 400 226 "-" "-"`,
		watch.Log{Categories: []string{"webserver"}}, "15/May/2025:03:00:07 +0000", `cs-uri=\x16\x03\x01 | sc-status=400`,
	},
	{
		"virtual host", watch.Combined, "", `www.example.org:443 192.0.2.1 - - [15/May/2025:03:00:07 +0000] "GET /x HTTP/1.1" 200 1 "-" "-" 0.003`,
		watch.Log{Categories: []string{"webserver"}}, "15/May/2025:03:00:07 +0000", `cs-host=www.example.org:443 | c-ip=192.0.2.1 | extra=0.003`,
	},
	{
		"EPMM", watch.Ivanti, "", `203.0.113.7:51234 - - 2025-05-15--03-00-07 "GET /mifs/rs/api/v2/featureusage?format=%24%7b7*7%7d HTTP/1.1" 400 198 "-" "curl/8.5.0" 1034`,
		watch.Log{Categories: []string{"webserver"}}, "2025-05-15 03:00:07", `c-ip=203.0.113.7 | c-port=51234 | cs-uri-stem=/mifs/rs/api/v2/featureusage | sc-status=400 | cs-user-agent=curl/8.5.0`,
	},
	{
		"IIS", watch.W3C, "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
		`2025-05-15 03:00:07 192.0.2.10 POST /autodiscover/autodiscover.json a=b 443 - 203.0.113.7 Mozilla/5.0+(X11) - 200 0 0 15`,
		watch.Log{Product: "windows", Service: "iis", Categories: []string{"webserver"}}, "2025-05-15 03:00:07",
		`cs-method=POST | cs-uri-stem=/autodiscover/autodiscover.json | cs-uri-query=a=b | cs-uri-query=/autodiscover/autodiscover.json?a=b | cs-user-agent=Mozilla/5.0 (X11) | sc-status=200 | c-ip=203.0.113.7 | dst_ip=192.0.2.10 | dst_port=443 | c-uri-extension=json`,
	},
	{
		"proxy in W3C", watch.W3C, "#Fields: date time c-ip cs-username s-action sc-status cs-method cs-uri-scheme cs-host cs-uri-path cs-uri-query cs(User-Agent) r-ip",
		`2025-05-15 03:00:07 192.0.2.1 alice TCP_MISS 200 GET http www.example.org /a ?b "Mozilla/5.0 (X11)" 203.0.113.9`,
		watch.Log{Categories: []string{"proxy"}}, "2025-05-15 03:00:07", `cs-host=www.example.org | c-useragent=Mozilla/5.0 (X11) | cs-uri-stem=/a | dst_ip=203.0.113.9`,
	},
	{
		"Squid", watch.Squid, "", `1747278007.123    120 192.0.2.1 TCP_MISS/200 4512 GET http://www.example.org/a.exe?b=c - HIER_DIRECT/203.0.113.9 text/html`,
		watch.Log{Categories: []string{"proxy"}}, "1747278007.123", `c-uri=http://www.example.org/a.exe?b=c | cs-host=www.example.org | c-uri-extension=exe | sc-status=200 | cs-method=GET | dst_ip=203.0.113.9`,
	},
	{
		"Squid's tunnel", watch.Squid, "", `1747278007.123    120 192.0.2.1 TCP_TUNNEL/200 4512 CONNECT www.example.org:443 - HIER_DIRECT/203.0.113.9 -`,
		watch.Log{Categories: []string{"proxy"}}, "1747278007.123", `cs-host=www.example.org | dst_port=443`,
	},
	{
		"BIND", watch.BIND, "", `15-May-2025 03:00:07.123 queries: info: client @0x7f5 192.0.2.1#5353 (www.example.org): query: www.example.org IN TXT +E(0)K (192.0.2.53)`,
		watch.Log{Categories: []string{"dns"}}, "15-May-2025 03:00:07.123", `query=www.example.org | record_type=TXT | src_ip=192.0.2.1 | src_port=5353 | dst_ip=192.0.2.53`,
	},
	{
		"packet filter", watch.Iptables, "", `[12.3] [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=203.0.113.9 DST=192.0.2.1 LEN=40 PROTO=TCP SPT=4711 DPT=22 WINDOW=1 SYN URGP=0`,
		watch.Log{Categories: []string{"firewall"}}, "", `src_ip=203.0.113.9 | dst_ip=192.0.2.1 | dst_port=22 | action=deny | PROTO=TCP | OUT=`,
	},
	{
		"FortiGate's traffic", watch.KeyValue, "", `date=2025-05-15 time=03:00:07 devname="fw 1" devid="FGT00EXAMPLE" type="traffic" srcip=192.0.2.1 dstip=203.0.113.9 dstport=443 action="accept"`,
		watch.Log{Product: "fortigate", Service: "traffic", Categories: []string{"firewall"}}, "2025-05-15 03:00:07", `src_ip=192.0.2.1 | dst_ip=203.0.113.9 | dst_port=443 | action=accept | devname=fw 1`,
	},
	{
		"FortiGate's event", watch.KeyValue, "", `date=2025-05-15 time=03:00:07 devid="FGT00EXAMPLE" logid="0100044547" type="event" action="Add" cfgpath="system.admin" msg="Add \"x\""`,
		watch.Log{Product: "fortigate", Service: "event"}, "2025-05-15 03:00:07", `action=Add | cfgpath=system.admin | msg=Add "x"`,
	},
	{
		"flows", watch.CSV, "ts,sa,da,sp,dp,pr", "2025-05-15 03:00:07,192.0.2.1,203.0.113.9,4711,23,TCP",
		watch.Log{Service: "netflow", Categories: []string{"firewall"}}, "2025-05-15 03:00:07", `src_ip=192.0.2.1 | dst_ip=203.0.113.9 | dst_port=23 | destination.port=23`,
	},
	{
		"firewall's columns", watch.CSV, `"Time";"src_ip";"dst_ip";"dst_port";"Action"`, `2025-05-15 03:00:07;192.0.2.1;203.0.113.9;23;"he said ""no"""`,
		watch.Log{Categories: []string{"firewall"}}, "2025-05-15 03:00:07", `src_ip=192.0.2.1 | dst_port=23 | action=he said "no"`,
	},
	{
		"CEF", watch.CEF, "", `CEF:0|Example|Web \| Gateway|1.0|100|Request|5|rt=May 15 2025 03:00:07 src=192.0.2.1 request=https://www.example.org/a?b\=c cs1Label=Policy cs1=the default one msg=two\nlines act=blocked`,
		watch.Log{Categories: []string{"proxy"}}, "May 15 2025 03:00:07", "src_ip=192.0.2.1 | c-uri=https://www.example.org/a?b=c | cs-host=www.example.org | cs-uri-query=b=c | Policy=the default one | msg=two\nlines | action=blocked | DeviceProduct=Web | Gateway",
	},
	{
		"CEF of a virus", watch.CEF, "", `CEF:0|Trend Micro|Apex One|1.0|2|HKTL_MIMIKATZ|8|filePath=C:\\Windows\\x.exe fname=x.exe dhost=pc-1`,
		watch.Log{Categories: []string{"antivirus"}}, "", `Signature=HKTL_MIMIKATZ | Filename=C:\Windows\x.exe | Filename=x.exe`,
	},
	{
		"LEEF 1", watch.LEEF, "", "LEEF:1.0|Example|Firewall|1|deny|src=192.0.2.1\tdst=203.0.113.9\tdstPort=22\tdevTime=May 15 2025 03:00:07",
		watch.Log{Categories: []string{"firewall"}}, "May 15 2025 03:00:07", `src_ip=192.0.2.1 | dst_port=22 | DeviceEventClassID=deny`,
	},
	{
		"LEEF 2", watch.LEEF, "", "LEEF:2.0|Example|Firewall|1|deny|x5E|src=192.0.2.1^dst=203.0.113.9",
		watch.Log{Categories: []string{"firewall"}}, "", `src_ip=192.0.2.1 | dst_ip=203.0.113.9`,
	},
	{
		"RFC 5424", watch.Syslog, "", "<34>1 2025-05-15T03:00:07.123Z host.example sshd 4711 ID47 [a@32473 key=\"va\\\"l\\]ue\"][b] \ufeffFailed password",
		watch.Log{Product: "linux", Service: "sshd", Also: []string{"auth", "syslog"}}, "2025-05-15T03:00:07.123Z",
		`priority=34 | hostname=host.example | program=sshd | pid=4711 | msgid=ID47 | key=va"l]ue | message=Failed password`,
	},
	{
		"RFC 5424, all left out", watch.Syslog, "", "<0>1 - - - - - -", watch.Log{Product: "linux", Service: "syslog"}, "", `priority=0 | message=`,
	},
	{
		"RFC 3164", watch.Syslog, "", "<13>May  5 03:00:07 host CRON[99]: (root) CMD (x)", watch.Log{Product: "linux", Service: "cron", Also: []string{"syslog"}},
		"May  5 03:00:07", `hostname=host | program=CRON | pid=99 | message=(root) CMD (x)`,
	},
	{
		"of rsyslog", watch.Syslog, "", "2025-05-15T03:00:07.123456+01:00 host postfix/smtpd[99]: connect", watch.Log{Product: "linux", Service: "syslog"},
		"2025-05-15T03:00:07.123456+01:00", `hostname=host | program=postfix/smtpd | message=connect`,
	},
	{
		"sudo", watch.Syslog, "", "May 15 03:00:07 host sudo:    alice : TTY=pts/0 ; PWD=/srv/alice ; USER=#-1 ; COMMAND=/bin/sh -c a ; b",
		watch.Log{Product: "linux", Service: "sudo", Also: []string{"auth", "syslog"}}, "May 15 03:00:07", `sudo.user=alice | USER=#-1 | COMMAND=/bin/sh -c a ; b`,
	},
	{
		"Cisco", watch.Syslog, "", "<189>May 15 03:00:07 router %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success", watch.Log{Product: "cisco", Service: "aaa", Also: []string{"syslog"}},
		"May 15 03:00:07", `hostname=router`,
	},
	{
		"CEF in syslog", watch.Syslog, "", "<13>May 15 03:00:07 host CEF:0|Example|Firewall|1|1|x|5|src=192.0.2.1 dst=203.0.113.9", watch.Log{Categories: []string{"firewall"}},
		"May 15 03:00:07", `hostname=host | src_ip=192.0.2.1`,
	},
	{
		"access log in syslog", watch.Syslog, "", `<190>May 15 03:00:07 host nginx: 192.0.2.1 - - [15/May/2025:03:00:07 +0000] "GET /x HTTP/1.1" 200 1 "-" "-"`,
		watch.Log{Product: "nginx", Service: "nginx", Categories: []string{"webserver"}}, "15/May/2025:03:00:07 +0000", `cs-uri-stem=/x | program=nginx`,
	},
	{
		"packet filter in syslog", watch.Syslog, "", `May 15 03:00:07 host kernel: IN=eth0 OUT= SRC=203.0.113.9 DST=192.0.2.1 PROTO=TCP SPT=4711 DPT=22`,
		watch.Log{Categories: []string{"firewall"}}, "May 15 03:00:07", `dst_port=22`,
	},
	{
		"PAN-OS", watch.Syslog, "", `<14>May 15 03:00:07 fw 1,2025/05/15 03:00:07,000000000000,TRAFFIC,end,2305,2025/05/15 03:00:07,192.0.2.1,203.0.113.9,0.0.0.0,0.0.0.0,"any, all",,,ssl,vsys1,in,out,e1,e2,log,2025/05/15 03:00:07,1,1,4711,443,0,0,0x1,tcp,allow,1,1`,
		watch.Log{Product: "paloalto", Service: "traffic", Categories: []string{"firewall"}}, "2025/05/15 03:00:07", `src_ip=192.0.2.1 | dst_ip=203.0.113.9 | rule=any, all | dst_port=443 | action=allow`,
	},
	{
		"GlobalProtect", watch.Syslog, "", `<14>May 15 03:00:07 fw 1,2025/05/15 03:00:07,000000000000,GLOBALPROTECT,0,2305,failed to unmarshal session(../x)`,
		watch.Log{Product: "paloalto", Service: "globalprotect", Categories: []string{"appliance"}}, "2025/05/15 03:00:07", `type=GLOBALPROTECT`,
	},
	{
		"program started", watch.Auditd, "", `type=EXECVE msg=audit(1747278007.123:4711): argc=3 a0="iptables" a1="-t" a2=2D2D746F2D706F727473203432`,
		watch.Log{Product: "linux", Service: "auditd"}, "1747278007.123", `type=EXECVE | a0=iptables | a2=--to-ports 42 | CommandLine=iptables -t --to-ports 42 | audit.id=1747278007.123:4711`,
	},
	{
		"system call", watch.Auditd, "", `node=host type=SYSCALL msg=audit(1747278007.123:4711): arch=c000003e syscall=59 success=yes a0=26 exe="/usr/bin/cat" key=(null)`,
		watch.Log{Product: "linux", Service: "auditd"}, "1747278007.123", `type=SYSCALL | SYSCALL=execve | a0=26 | exe=/usr/bin/cat`,
	},
	{
		"system call, enriched", watch.Auditd, "", "type=SYSCALL msg=audit(1747278007.123:4711): arch=c000003e syscall=103 exe=2F746D702F6120\x1dARCH=x86_64 SYSCALL=syslog AUID=\"alice\"",
		watch.Log{Product: "linux", Service: "auditd"}, "1747278007.123", `SYSCALL=syslog | exe=/tmp/a  | AUID=alice`,
	},
	{
		"path by number through syslog", watch.Syslog, "", `May 15 03:00:07 host kernel: [1.2] audit: type=1302 audit(1747278007.123:4711): item=0 name="/etc/ld.so.preload" nametype=CREATE`,
		watch.Log{Product: "linux", Service: "auditd"}, "1747278007.123", `type=PATH | name=/etc/ld.so.preload | nametype=CREATE`,
	},
	{
		"service stopped", watch.Auditd, "", `type=SERVICE_STOP msg=audit(1747278007.123:4711): pid=1 uid=0 msg='unit=firewalld comm="systemd" exe="/usr/lib/systemd/systemd" res=success'`,
		watch.Log{Product: "linux", Service: "auditd"}, "1747278007.123", `type=SERVICE_STOP | unit=firewalld | res=success`,
	},
	{
		"error log of Apache", watch.Lines, "", `[Thu May 15 03:00:07.123456 2025] [core:error] [pid 1] [client 192.0.2.1] File name too long`,
		watch.Log{Product: "apache", Service: "apache"}, "Thu May 15 03:00:07.123456 2025", ``,
	},
	{
		"error log of nginx", watch.Lines, "", `2025/05/15 03:00:07 [alert] 1#0: worker process 2 exited on signal 11 (core dumped)`,
		watch.Log{Product: "nginx", Service: "nginx"}, "2025/05/15 03:00:07", ``,
	},
	{"any line", watch.Lines, "", "django.core.exceptions.SuspiciousOperation: x", watch.Log{}, "", `event.original=django.core.exceptions.SuspiciousOperation: x`},
}

func TestLines(t *testing.T) {
	d := watch.NewDecoder(lineNames)
	var r watch.Record
	for _, row := range lineRows {
		t.Run(row.name, func(t *testing.T) {
			if err := d.Line(row.format, []byte(row.header), []byte(row.line), &r); err != nil {
				t.Fatal(err)
			}
			if got := r.Class.Log(); fmt.Sprint(got) != fmt.Sprint(row.log) {
				t.Errorf("log %+v, want %+v", got, row.log)
			}
			if string(r.Time) != row.time {
				t.Errorf("time %q, want %q", r.Time, row.time)
			}
			if _, ok := watch.When(r.Time); !ok && row.time != "" {
				t.Errorf("time %q is not understood", r.Time)
			}
			var got []string
			for _, v := range r.Values {
				got = append(got, string(v.Name)+"="+string(v.Text))
				if lineNames.Find(v.Name) != v.Field {
					t.Errorf("%s has number %d, want %d", v.Name, v.Field, lineNames.Find(v.Name))
				}
			}
			want := strings.Split(row.has, " | ")
			if row.has == "" {
				want = nil
			}
			for i := 0; i < len(want); i++ {
				if i+1 < len(want) && !strings.Contains(want[i+1], "=") { // the row's own divider within a value
					want[i] += " | " + want[i+1]
					want = slices.Delete(want, i+1, i+2)
				}
				if !slices.Contains(got, want[i]) {
					t.Errorf("no %q in %q", want[i], got)
				}
			}
			if string(r.Raw) != row.line || !slices.Contains(got, "event.original="+row.line) {
				t.Error("the line itself is not kept")
			}
		})
	}
}

func TestLinesOfAnotherFormatAreNotLost(t *testing.T) {
	d := watch.NewDecoder(lineNames)
	var r watch.Record
	for f := watch.Syslog; f < watch.Lines; f++ {
		err := d.Line(f, nil, []byte("no such thing"), &r)
		if !errors.Is(err, watch.ErrNotFormat) {
			t.Errorf("%v: %v", f, err)
		}
		if len(r.Values) != 1 || string(r.Values[0].Text) != "no such thing" || r.Class != 0 {
			t.Errorf("%v: %v", f, r.Values)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, row := range lineRows {
		t.Run(row.name, func(t *testing.T) {
			text := row.line
			if row.header != "" {
				text = row.header + "\r\n" + row.line
			}
			if got := watch.Recognise([]byte(strings.Repeat(text+"\n", 1) + text)); got != row.format {
				t.Errorf("%v, want %v", got, row.format)
			}
		})
	}
	for text, want := range map[string]watch.Format{
		"": watch.Lines, "\ufeff {\"a\":1}": watch.JSON, "[\n {}]": watch.JSON, "[]": watch.JSON, "ElfFile\x00": watch.EVTX,
		"#Version: 1.0\n#Date: x\n#Fields: a b\n": watch.W3C, "{braces}": watch.Lines, "one, two, three\nfour": watch.Lines,
	} {
		if got := watch.Recognise([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestFormatsHaveNames(t *testing.T) {
	for i, name := range watch.Formats() {
		if f, ok := watch.FormatOf(name); !ok || int(f) != i || f.String() != name {
			t.Errorf("%q is %v, %v", name, f, ok)
		}
	}
	if _, ok := watch.FormatOf("nonsense"); ok {
		t.Error("nonsense is a format")
	}
}

// weblogs are real lines: 5,000 of an access log and 5,000 of auth.log.
func weblogs(t testing.TB, name string) [][]byte {
	t.Helper()
	f, err := os.Open(shared.File(t, "data", "events", "weblogs", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

func TestRealLines(t *testing.T) {
	for _, row := range []struct {
		name   string
		format watch.Format
		logs   map[string]int
	}{
		{"apache-combined.log.gz", watch.Combined, map[string]int{"/": 5000}},
		{"auth.log.gz", watch.Syslog, map[string]int{"linux/sshd": 2890, "linux/cron": 530, "linux/auth": 943, "linux/syslog": 238, "linux/sudo": 399}},
	} {
		lines := weblogs(t, row.name)
		if got := watch.Recognise(bytes.Join(lines[:100], []byte("\n"))); got != row.format {
			t.Errorf("%s: %v, want %v", row.name, got, row.format)
		}
		d := watch.NewDecoder(lineNames)
		var r watch.Record
		logs := map[string]int{}
		for i, line := range lines {
			if err := d.Line(row.format, nil, line, &r); err != nil {
				t.Errorf("%s: line %d: %v: %s", row.name, i+1, err, line)
			}
			if _, ok := watch.When(r.Time); !ok {
				t.Errorf("%s: line %d: time %q", row.name, i+1, r.Time)
			}
			l := r.Class.Log()
			logs[l.Product+"/"+l.Service]++
		}
		if fmt.Sprint(logs) != fmt.Sprint(row.logs) {
			t.Errorf("%s: logs %v, want %v", row.name, logs, row.logs)
		}
	}
}

// Whatever a line holds, each format reads it without breaking, names are numbered, and the line is kept.
func FuzzLine(f *testing.F) {
	for _, row := range lineRows {
		f.Add(row.header, row.line)
	}
	d := watch.NewDecoder(lineNames)
	var r watch.Record
	f.Fuzz(func(t *testing.T, header, line string) {
		watch.Recognise([]byte(header + "\n" + line))
		for format := watch.Syslog; format <= watch.Lines; format++ {
			err := d.Line(format, []byte(header), []byte(line), &r)
			if err != nil && !errors.Is(err, watch.ErrNotFormat) {
				t.Errorf("%v: %v", format, err)
			}
			if n := len(r.Values); n == 0 || string(r.Values[n-1].Text) != line || string(r.Raw) != line {
				t.Errorf("%v: the line is not kept", format)
			}
			for _, v := range r.Values {
				if lineNames.Find(v.Name) != v.Field {
					t.Errorf("%v: %q has number %d, want %d", format, v.Name, v.Field, lineNames.Find(v.Name))
				}
			}
		}
	})
}

// The floor is a search for the ends of the same lines.
func BenchmarkLine(b *testing.B) {
	for _, set := range []struct {
		name   string
		format watch.Format
	}{{"apache-combined.log.gz", watch.Combined}, {"auth.log.gz", watch.Syslog}} {
		lines := weblogs(b, set.name)
		text := bytes.Join(lines, []byte("\n"))
		b.Run(set.name, func(b *testing.B) {
			d := watch.NewDecoder(lineNames)
			var r watch.Record
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for _, line := range lines {
					if err := d.Line(set.format, nil, line, &r); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
		b.Run(set.name+"/floor", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				n := 0
				for rest := text; ; n++ {
					at := bytes.IndexByte(rest, '\n')
					if at < 0 {
						break
					}
					rest = rest[at+1:]
				}
				if n != len(lines)-1 {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
