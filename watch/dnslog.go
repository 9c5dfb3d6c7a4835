package watch

import "bytes"

// dnsColumns are what a log of name queries says, under the names that rules ask for.
var dnsColumns = []column{
	dnsQuery:  "query QueryName",
	dnsType:   "record_type QueryType",
	dnsClient: "src_ip c-ip SourceIp",
	dnsPort:   "src_port",
	dnsAnswer: "answer answers QueryResults",
	dnsClass:  "query_class",
	dnsServer: "dst_ip",
}

const (
	dnsQuery = iota
	dnsType
	dnsClient
	dnsPort
	dnsAnswer
	dnsClass
	dnsServer
)

// bind reads a line of BIND's query log, with whatever stands before "client".
//
//	15-May-2025 03:00:07.123 queries: info: client @0x7f5 192.0.2.1#5353 (www.example.org): query: www.example.org IN A +E(0)K (192.0.2.53)
func (d *Decoder) bind(line []byte, r *Record) bool {
	at := bytes.Index(line, []byte("client "))
	asked := bytes.Index(line, []byte("query: "))
	if at < 0 || asked < at {
		return false
	}
	to := d.lines.dns
	client, rest := word(line[at+len("client "):])
	if len(client) > 0 && client[0] == '@' {
		client, _ = word(rest)
	}
	address, port, _ := bytes.Cut(bytes.TrimSuffix(client, []byte(":")), []byte("#"))
	put(r, to[dnsClient], address)
	put(r, to[dnsPort], port)
	name, rest := word(line[asked+len("query: "):])
	class, rest := word(rest)
	kind, rest := word(rest)
	if len(kind) == 0 {
		return false
	}
	put(r, to[dnsQuery], bytes.TrimSuffix(name, []byte(".")))
	put(r, to[dnsClass], class)
	put(r, to[dnsType], kind)
	if open := bytes.IndexByte(rest, '('); open >= 0 && bytes.HasSuffix(rest, []byte(")")) {
		if last := bytes.LastIndexByte(rest, '('); last > 0 {
			put(r, to[dnsServer], rest[last+1:len(rest)-1])
		}
	}
	r.Class = classDNS
	if len(line) >= 24 && line[2] == '-' && line[6] == '-' {
		day, after := word(line)
		clock, _ := word(after)
		r.Time = line[:len(day)+1+len(clock)]
	}
	return true
}

// dnsmasq reads what dnsmasq says of a name: "query[A] www.example.org from 192.0.2.1", "reply www.example.org is 203.0.113.9".
func (d *Decoder) dnsmasq(message []byte, r *Record) bool {
	to := d.lines.dns
	what, rest := word(message)
	name, rest := word(rest)
	between, last := word(rest)
	if kind, ok := bytes.CutPrefix(what, []byte("query[")); ok && string(between) == "from" {
		put(r, to[dnsType], bytes.TrimSuffix(kind, []byte("]")))
		put(r, to[dnsQuery], name)
		put(r, to[dnsClient], last)
	} else if string(between) == "is" {
		put(r, to[dnsQuery], name)
		put(r, to[dnsAnswer], last)
	} else {
		return false
	}
	r.Class = classDNS
	return true
}
