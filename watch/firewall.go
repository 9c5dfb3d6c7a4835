package watch

import "bytes"

// iptablesKeys are what Linux' packet filter writes, under the names that rules ask for.
var iptablesKeys = []column{
	"SRC src_ip SourceIp", "DST dst_ip DestinationIp", "SPT src_port SourcePort", "DPT dst_port DestinationPort", "PROTO protocol",
	"IN in_interface", "OUT out_interface", "action",
}

// networkKeys are the names that firewalls, their exports and flow collectors have for the same things.
var networkKeys = []column{
	"src_ip", "srcip src_ip", "src src_ip", "srcaddr src_ip", "sa src_ip", "source src_ip", "source_ip src_ip", "SourceAddress src_ip",
	"SourceIP src_ip", "sourceip src_ip", "src_addr src_ip", "IPV4_SRC_ADDR src_ip", "source.ip src_ip", "clientip c-ip src_ip",
	"dst_ip", "dstip dst_ip", "dst dst_ip", "dstaddr dst_ip", "da dst_ip", "destination dst_ip", "destination_ip dst_ip",
	"dest_ip dst_ip", "DestinationAddress dst_ip", "DestinationIP dst_ip", "destip dst_ip", "dst_addr dst_ip",
	"IPV4_DST_ADDR dst_ip", "destination.ip dst_ip",
	"src_port", "srcport src_port", "sport src_port", "s_port src_port", "sp src_port", "source_port src_port", "L4_SRC_PORT src_port",
	"dst_port destination.port", "dstport dst_port destination.port", "dport dst_port destination.port", "dp dst_port destination.port",
	"destination_port dst_port destination.port", "dest_port dst_port destination.port", "service_port dst_port",
	"L4_DST_PORT dst_port destination.port", "destination.port dst_port", "DestinationPort dst_port destination.port",
	"action", "act action", "disposition action", "Action action",
	"proto protocol", "pr protocol",
	"hostname cs-host", "url c-uri cs-uri cs-uri-query", "agent c-useragent cs-user-agent", "useragent c-useragent cs-user-agent",
	"httpmethod cs-method", "http_method cs-method", "status sc-status", "user cs-username",
	"qname query", "qtype record_type", "query", "record_type", "answer", "ipaddr answer",
	"virus Signature", "signature Signature", "threat Signature", "filename Filename", "file Filename",
	"sentbyte cs-bytes", "rcvdbyte sc-bytes",
}

// iptables reads what Linux' packet filter says of a packet, and what its prefix says was done with it.
//
//	[12.3] [UFW BLOCK] IN=eth0 OUT= MAC=... SRC=203.0.113.9 DST=192.0.2.1 LEN=40 PROTO=TCP SPT=4711 DPT=22 SYN
func (d *Decoder) iptables(line []byte, r *Record) bool {
	at := bytes.Index(line, []byte("IN="))
	if at < 0 || !bytes.Contains(line[at:], []byte("SRC=")) || !bytes.Contains(line[at:], []byte("DST=")) {
		return false
	}
	k := d.lines.iptables
	for _, said := range [...]struct{ word, action string }{
		{"BLOCK", "deny"}, {"DROP", "deny"}, {"DENY", "deny"}, {"REJECT", "deny"}, {"ACCEPT", "accept"}, {"ALLOW", "accept"}, {"FORWARD", "forward"},
	} {
		if bytes.Contains(line[:at], []byte(said.word)) {
			put(r, k.to[k.names.Find([]byte("action"))], d.write([]byte(said.action)))
			break
		}
	}
	d.pairs(line[at:], r, k, "")
	r.Class = classFirewall
	return true
}

// keyValue reads key=value, as FortiGate and many others write it. What they call a log is known by its type.
func (d *Decoder) keyValue(line []byte, r *Record) bool {
	d.pairs(line, r, d.lines.network, ",;")
	if len(r.Values) < 2 {
		return false
	}
	r.Class = d.networkClass(r)
	if date, clock := value(r, "date"), value(r, "time"); date != nil && clock != nil {
		r.Time = d.write(date, []byte(" "), clock)
	} else if r.Time = value(r, "eventtime"); r.Time == nil {
		r.Time = clock
	}
	return true
}

// networkClass is the log that a record of key=value or of columns is, by what it says.
func (d *Decoder) networkClass(r *Record) Class {
	if value(r, "devid") != nil || value(r, "logid") != nil {
		switch string(value(r, "type")) {
		case "event":
			return classFortiEvent
		case "traffic":
			return classFortiFlow
		}
		switch string(value(r, "subtype")) {
		case "webfilter":
			return classProxy
		case "dns":
			return classDNS
		case "virus":
			return classAntivirus
		}
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if value(r, name) != nil {
				return true
			}
		}
		return false
	}
	switch {
	case has("query", "qname"):
		return classDNS
	case has("virus", "signature", "Signature") && has("filename", "file", "Filename", "FileName", "file_path"):
		return classAntivirus
	case has("url", "c-uri", "cs-uri"):
		return classProxy
	case has("sa", "srcaddr", "IPV4_SRC_ADDR", "flow_id"):
		return classNetflow
	case has("src_ip", "srcip", "src", "source_ip", "source", "SourceAddress", "SourceIP", "sourceip", "src_addr", "source.ip") &&
		has("dst_ip", "dstip", "dst", "destination_ip", "dest_ip", "destination", "DestinationAddress", "DestinationIP", "destip", "dst_addr", "destination.ip"):
		return classFirewall
	}
	return 0
}

// panosColumns are the columns of PAN-OS that rules ask for, and panosPlaces where they stand in TRAFFIC and THREAT lines.
var (
	panosColumns = []column{"type", "subtype", "src_ip", "dst_ip", "rule", "app", "src_port", "dst_port destination.port", "proto protocol", "action"}
	panosPlaces  = [...]int{3, 4, 7, 8, 11, 14, 24, 25, 29, 30}
)

// panos reads the columns that a firewall of Palo Alto sends by syslog; what it says of GlobalProtect is read for its words.
//
//	1,2025/05/15 03:00:07,000000000000,TRAFFIC,end,2305,2025/05/15 03:00:07,192.0.2.1,203.0.113.9,...
func (d *Decoder) panos(message []byte, r *Record) bool {
	var at int
	rest, more := message, true
	for i := 0; more && i <= panosPlaces[len(panosPlaces)-1]; i++ {
		var text []byte
		text, rest, more = d.cell(rest, ',')
		switch i {
		case 1:
			if len(text) != 19 || text[4] != '/' || text[13] != ':' {
				return false
			}
			r.Time = text
		case 3:
			switch string(text) {
			case "TRAFFIC", "THREAT":
				r.Class = classPaloFlow
			case "GLOBALPROTECT", "SYSTEM":
				r.Class = classPaloVPN
				put(r, d.lines.panos[0], text)
				return true
			default:
				return false
			}
		}
		if at < len(panosPlaces) && i == panosPlaces[at] {
			put(r, d.lines.panos[at], text)
			at++
		}
	}
	return r.Class != 0
}
