package watch

import "bytes"

// cefColumns are the head of a CEF or LEEF line.
var cefColumns = []column{
	cefVendor:   "DeviceVendor vendor",
	cefProduct:  "DeviceProduct product",
	cefVersion:  "DeviceVersion",
	cefID:       "DeviceEventClassID EventID",
	cefName:     "Name Signature",
	cefSeverity: "Severity severity",
}

const (
	cefVendor = iota
	cefProduct
	cefVersion
	cefID
	cefName
	cefSeverity
)

// cefKeys are the keys of the extensions of CEF and the attributes of LEEF, under the names that rules ask for.
var cefKeys = []column{
	"src src_ip c-ip SourceIp", "dst dst_ip DestinationIp", "spt src_port SourcePort", "dpt dst_port destination.port DestinationPort",
	"srcPort src_port SourcePort", "dstPort dst_port destination.port DestinationPort", "shost SourceHostname",
	"dhost cs-host DestinationHostname", "act action", "proto protocol", "suser cs-username User", "usrName cs-username User",
	"duser TargetUserName", "request c-uri cs-uri cs-uri-query", "url c-uri cs-uri cs-uri-query", "requestMethod cs-method",
	"requestClientApplication c-useragent cs-user-agent", "userAgent c-useragent cs-user-agent", "requestContext cs-referer",
	"requestCookies cs-cookie", "in sc-bytes bytes", "out cs-bytes", "outcome", "fname Filename", "filePath Filename TargetFilename",
	"fileHash Hashes", "sproc Image", "dproc DestinationImage", "deviceProcessName", "app", "policy", "cat", "msg", "reason", "name Signature",
	"destinationDnsDomain query", "query", "fileName Filename", "virusName Signature", "devTime", "rt", "start", "end",
}

// cefLogs say which log a product writes, by a part of its vendor's and of its own name; in small letters.
var cefLogs = []struct {
	vendor, product string
	class           Class
}{
	{"fortinet", "", classFortiFlow},
	{"palo alto", "", classPaloFlow},
	{"zscaler", "nssfw", classFirewall},
	{"zscaler", "", classProxy},
	{"blue", "", classProxy},
	{"", "proxysg", classProxy},
	{"", "web gateway", classProxy},
	{"squid", "", classProxy},
	{"infoblox", "", classDNS},
	{"isc", "bind", classDNS},
	{"f5", "asm", classWebserver},
	{"imperva", "", classWebserver},
	{"incapsula", "", classWebserver},
	{"", "modsecurity", classWebserver},
	{"citrix", "netscaler", classWebserver},
	{"trend micro", "", classAntivirus},
	{"mcafee", "", classAntivirus},
	{"trellix", "", classAntivirus},
	{"symantec", "", classAntivirus},
	{"sophos", "", classAntivirus},
	{"kaspersky", "", classAntivirus},
	{"eset", "", classAntivirus},
	{"clamav", "", classAntivirus},
	{"check point", "", classFirewall},
	{"cisco", "asa", classFirewall},
	{"juniper", "", classFirewall},
	{"sonicwall", "", classFirewall},
	{"", "firewall", classFirewall},
	{"", "database", classDatabase},
}

// cef reads the Common Event Format, with whatever stands before it.
//
//	CEF:0|Example|Gateway|1.0|100|Request|5|src=192.0.2.1 request=https://www.example.org/a\=b cs1Label=Policy cs1=default
func (d *Decoder) cef(line []byte, r *Record) bool {
	at := bytes.Index(line, []byte("CEF:"))
	if at < 0 {
		return false
	}
	rest := line[at+4:]
	var ok bool
	if _, rest, ok = bar(rest, '|'); !ok {
		return false
	}
	var vendor, product []byte
	for i := range d.lines.cefHead {
		var text []byte
		if text, rest, ok = bar(rest, '|'); !ok && i < cefSeverity {
			return false
		}
		text = d.unescaped(text, `|\`)
		switch i {
		case cefVendor:
			vendor = text
		case cefProduct:
			product = text
		}
		put(r, d.lines.cefHead[i], text)
	}
	d.extensions(rest, r)
	d.labels(r)
	d.cefClass(vendor, product, r)
	return true
}

// bar cuts a text off before a bar that no backslash escapes.
func bar(b []byte, by byte) (text, rest []byte, ok bool) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case by:
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}

// extensions reads key=value where values have blanks: a value ends before the last blank before the next sign of equality
// that no backslash escapes.
func (d *Decoder) extensions(b []byte, r *Record) {
	equals := nextEquals(b, 0)
	for equals < len(b) {
		key := bytes.TrimLeft(b[:equals], " ")
		next := nextEquals(b, equals+1)
		end := len(b)
		if next < len(b) {
			if blank := bytes.LastIndexByte(b[equals+1:next], ' '); blank >= 0 {
				end = equals + 1 + blank
			} else {
				end = equals + 1 // nothing, and the next key begins at once
			}
		}
		text := bytes.TrimRight(b[equals+1:end], " ")
		d.keep(r, d.lines.cef, key, d.unescaped(text, `=\nr|`))
		b, equals = b[end:], next-end
	}
}

func nextEquals(b []byte, from int) int {
	for i := from; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '=':
			return i
		}
	}
	return len(b)
}

// labels adds the values of custom fields under the names that the line gives them: cs1=x cs1Label=Policy is Policy=x too.
func (d *Decoder) labels(r *Record) {
	const suffix, most = "Label", 32
	found := 0
	for i, n := 0, len(r.Values); i < n && found < most; i++ {
		key, ok := bytes.CutSuffix(r.Values[i].Name, []byte(suffix))
		if !ok || len(key) == 0 {
			continue
		}
		found++
		for _, v := range r.Values[:n] {
			if bytes.Equal(v.Name, key) {
				name := r.Values[i].Text
				r.Values = append(r.Values, Value{Field: d.names.Find(name), Name: name, Text: v.Text})
				break
			}
		}
	}
}

// cefClass says which log it is: by the product, or else by what it says.
func (d *Decoder) cefClass(vendor, product []byte, r *Record) {
	for _, name := range [...]string{"rt", "start", "devTime", "end"} {
		if r.Time = value(r, name); r.Time != nil {
			break
		}
	}
	for i := range cefLogs {
		l := &cefLogs[i]
		if containsFold(vendor, l.vendor) && containsFold(product, l.product) {
			r.Class = l.class
			break
		}
	}
	if r.Class == 0 || r.Class == classFortiFlow {
		if other := d.networkClass(r); other != 0 {
			r.Class = other
		} else if value(r, "request") != nil {
			r.Class = classProxy
		}
	}
	if r.Class != 0 && value(r, "request") != nil {
		d.putURL(value(r, "request"), r)
	} else if r.Class != 0 && value(r, "url") != nil {
		d.putURL(value(r, "url"), r)
	}
}

// containsFold looks for a small ASCII text whatever the case.
func containsFold(text []byte, small string) bool {
	for i := 0; i+len(small) <= len(text); i++ {
		if sameFold(text[i:i+len(small)], small) {
			return true
		}
	}
	return false
}

// leef reads the Log Event Extended Format 1.0 and 2.0, with whatever stands before it.
//
//	LEEF:2.0|Example|Gateway|1.0|deny|^|src=192.0.2.1^dst=203.0.113.9^usrName=alice
func (d *Decoder) leef(line []byte, r *Record) bool {
	at := bytes.Index(line, []byte("LEEF:"))
	if at < 0 {
		return false
	}
	version, rest, ok := bytes.Cut(line[at+5:], []byte("|"))
	if !ok {
		return false
	}
	var vendor, product []byte
	for i := cefVendor; i <= cefID; i++ {
		var text []byte
		if text, rest, ok = bytes.Cut(rest, []byte("|")); !ok && i < cefID {
			return false
		}
		switch i {
		case cefVendor:
			vendor = text
		case cefProduct:
			product = text
		}
		put(r, d.lines.cefHead[i], text)
	}
	divider := byte('\t')
	if bytes.HasPrefix(version, []byte("2")) {
		if n := bytes.IndexByte(rest, '|'); n >= 0 && n <= 6 && bytes.IndexByte(rest[:n], '=') < 0 {
			divider = dividerOf(rest[:n])
			rest = rest[n+1:]
		}
	}
	for len(rest) > 0 {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte{divider})
		if key, text, ok := bytes.Cut(pair, []byte("=")); ok {
			d.keep(r, d.lines.cef, bytes.TrimSpace(key), text)
		}
	}
	d.cefClass(vendor, product, r)
	return true
}

// dividerOf reads what divides the attributes of LEEF 2.0: the character itself, or its number as x5E or 0x5E.
func dividerOf(b []byte) byte {
	hex := bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("0")), []byte("x"))
	if len(b) > 1 && len(hex) < len(b) && len(hex) > 0 && len(hex) <= 4 {
		n := 0
		for _, c := range hex {
			digit := bytes.IndexByte([]byte("0123456789abcdef"), small(c))
			if digit < 0 {
				return '\t'
			}
			n = n<<4 | digit
		}
		return byte(n) //nolint:gosec // a character of ASCII
	}
	if len(b) == 1 {
		return b[0]
	}
	return '\t'
}
