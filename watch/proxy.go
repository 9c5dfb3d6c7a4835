package watch

import "bytes"

// squidColumns are what stands in a line of Squid's native access log.
var squidColumns = []column{
	"time", "time-taken duration", "c-ip src_ip SourceIp", "s-action action", "sc-status status", "sc-bytes bytes", "cs-method",
	"c-uri cs-uri url cs-uri-query", "cs-username user", "s-hierarchy", "r-ip dst_ip DestinationIp", "rs-content-type cs-content-type",
}

const (
	squidTime = iota
	squidTaken
	squidClient
	squidAction
	squidStatus
	squidBytes
	squidMethod
	squidURI
	squidUser
	squidHierarchy
	squidPeer
	squidContent
)

// squid reads a line of Squid's native access log.
//
//	1747278007.123    120 192.0.2.1 TCP_MISS/200 4512 GET http://www.example.org/a?b - HIER_DIRECT/203.0.113.9 text/html
func (d *Decoder) squid(line []byte, r *Record) bool {
	var f [10][]byte
	rest := bytes.TrimLeft(line, " ")
	for i := range f {
		if f[i], rest = word(rest); len(f[i]) == 0 {
			return false
		}
	}
	action, status, ok := bytes.Cut(f[3], []byte("/"))
	if !ok || bytes.IndexByte(f[0], '.') < 9 {
		return false
	}
	to := d.lines.squid
	put(r, to[squidTime], f[0])
	put(r, to[squidTaken], f[1])
	put(r, to[squidClient], f[2])
	put(r, to[squidAction], action)
	put(r, to[squidStatus], status)
	put(r, to[squidBytes], f[4])
	put(r, to[squidMethod], f[5])
	put(r, to[squidURI], f[6])
	put(r, to[squidUser], f[7])
	hierarchy, peer, _ := bytes.Cut(f[8], []byte("/"))
	put(r, to[squidHierarchy], hierarchy)
	if len(peer) > 1 {
		put(r, to[squidPeer], peer)
	}
	put(r, to[squidContent], f[9])
	if string(f[5]) == "CONNECT" {
		host, port := addressPort(f[6])
		put(r, d.lines.url[urlHost], host)
		put(r, d.lines.network.to[d.lines.network.names.Find([]byte("dst_port"))], port)
	} else {
		d.putURL(f[6], r)
	}
	r.Time, r.Class = f[0], classProxy
	return true
}
