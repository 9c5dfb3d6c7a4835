package watch

import "bytes"

// webColumns are what stands in a line of an access log, in Apache's combined order, under the names of the extended log
// format that rules are written in. Most rules mean the whole of what was asked for by cs-uri-query, so it is both that and
// what follows the question mark.
var webColumns = []column{
	webClient:   "c-ip src_ip SourceIp",
	webPort:     "c-port src_port",
	webIdent:    "ident",
	webUser:     "cs-username user",
	webTime:     "date",
	webMethod:   "cs-method",
	webURI:      "cs-uri c-uri url cs-uri-query",
	webVersion:  "cs-version",
	webStatus:   "sc-status status",
	webBytes:    "sc-bytes bytes",
	webReferer:  "cs-referer referer c-referer cs-referrer",
	webAgent:    "cs-user-agent c-useragent user_agent",
	webHost:     "cs-host host",
	webExtra:    "extra",
	webTaken:    "time-taken",
	webUpstream: "x-forwarded-for",
}

const (
	webClient = iota
	webPort
	webIdent
	webUser
	webTime
	webMethod
	webURI
	webVersion
	webStatus
	webBytes
	webReferer
	webAgent
	webHost
	webExtra
	webTaken
	webUpstream
)

// urlColumns are the parts of a URL.
var urlColumns = []column{
	urlStem:      "cs-uri-stem c-uri-stem",
	urlQuery:     "cs-uri-query c-uri-query",
	urlExtension: "c-uri-extension cs-uri-extension",
	urlHost:      "cs-host c-uri-host host",
}

const (
	urlStem = iota
	urlQuery
	urlExtension
	urlHost
)

// weblog reads the common and the combined log format, with a virtual host before it or more after it, and the shape that
// EPMM's (MobileIron Core's) own web server writes: the client's port behind its address, and a time without brackets.
//
//	192.0.2.1 - alice [15/May/2025:03:00:07 +0000] "GET /a?b=c HTTP/1.1" 200 612 "-" "curl/8.5.0"
//	192.0.2.1:51234 - - 2025-05-15--03-00-07 "GET /mifs/rs/api/v2/ping HTTP/1.1" 200 612 "-" "curl/8.5.0" 1034
func (d *Decoder) weblog(line []byte, r *Record, class Class) bool {
	quote := bytes.IndexByte(line, '"')
	if quote < 0 {
		return false
	}
	web := d.lines.web
	head, rest := line[:quote], line[quote:]
	if open := bytes.IndexByte(head, '['); open >= 0 {
		end := bytes.IndexByte(head[open:], ']')
		if end < 0 {
			return false
		}
		r.Time = head[open+1 : open+end]
		head = head[:open]
	} else {
		head = bytes.TrimRight(head, " ")
		at := bytes.LastIndexByte(head, ' ')
		if at < 0 || len(head)-at < 11 {
			return false
		}
		r.Time = d.dashedTime(head[at+1:])
		head = head[:at]
	}
	var words [4][]byte
	n := 0
	for len(head) > 0 && n < len(words) {
		words[n], head = word(head)
		n++
	}
	first := n - 3 // a virtual host may stand before the client
	if first < 0 || first > 1 || len(head) > 0 {
		return false
	}
	if first == 1 {
		put(r, web[webHost], words[0])
	}
	address, port := addressPort(words[first])
	put(r, web[webClient], address)
	if port != nil {
		put(r, web[webPort], port)
	}
	put(r, web[webIdent], words[first+1])
	put(r, web[webUser], words[first+2])
	put(r, web[webTime], r.Time)

	request, rest := quotedWord(rest)
	d.request(d.unescaped(request, `"\`), r)
	status, rest := word(rest)
	if len(status) == 0 {
		return false
	}
	put(r, web[webStatus], status)
	size, rest := word(rest)
	if len(size) > 0 {
		put(r, web[webBytes], size)
	}
	for _, column := range [...]int{webReferer, webAgent} {
		if len(rest) == 0 || rest[0] != '"' {
			break
		}
		var text []byte
		text, rest = quotedWord(rest)
		put(r, web[column], d.unescaped(text, `"\`))
	}
	for more := 0; len(rest) > 0 && more < 16; more++ {
		var text []byte
		text, rest = quotedWord(rest)
		put(r, web[webExtra], text)
	}
	r.Class = class
	return true
}

// request reads the first line of a request; what is none (an empty one, the bytes of a TLS greeting) is its own URI.
func (d *Decoder) request(request []byte, r *Record) {
	web := d.lines.web
	method, rest := word(request)
	if rest == nil {
		put(r, web[webURI], request)
		return
	}
	put(r, web[webMethod], method)
	uri := rest
	if at := bytes.LastIndexByte(rest, ' '); at >= 0 && bytes.HasPrefix(rest[at+1:], []byte("HTTP/")) {
		uri = bytes.TrimRight(rest[:at], " ")
		put(r, web[webVersion], rest[at+1:])
	}
	put(r, web[webURI], uri)
	d.putURL(uri, r)
}

// putURL adds the parts of a URL or of the path and query of one.
func (d *Decoder) putURL(url []byte, r *Record) {
	to := d.lines.url
	if at := bytes.Index(url, []byte("://")); at > 0 && at < 12 {
		url = url[at+3:]
		host := url
		if end := bytes.IndexAny(url, "/?"); end >= 0 {
			host, url = url[:end], url[end:]
		} else {
			url = nil
		}
		put(r, to[urlHost], host)
	}
	stem, query, found := bytes.Cut(url, []byte("?"))
	put(r, to[urlStem], stem)
	if found {
		put(r, to[urlQuery], query)
	}
	d.extension(stem, r)
}

// addressPort divides 192.0.2.1:51234 and [2001:db8::1]:51234; an address alone stays as it is.
func addressPort(b []byte) (address, port []byte) {
	if len(b) > 0 && b[0] == '[' {
		if end := bytes.IndexByte(b, ']'); end > 0 {
			return b[1:end], bytes.TrimPrefix(b[end+1:], []byte{':'})
		}
	}
	at := bytes.IndexByte(b, ':')
	if at < 0 || bytes.IndexByte(b[at+1:], ':') >= 0 {
		return b, nil
	}
	return b[:at], b[at+1:]
}

// dashedTime makes 2025-05-15 03:00:07 of 2025-05-15--03-00-07; another time stays as it is.
func (d *Decoder) dashedTime(b []byte) []byte {
	if len(b) != 20 || b[10] != '-' || b[11] != '-' || b[14] != '-' || b[17] != '-' {
		return b
	}
	return d.write(b[:10], []byte(" "), b[12:14], []byte(":"), b[15:17], []byte(":"), b[18:])
}
