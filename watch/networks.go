package watch

import "bytes"

// applicationSources are what services and decoys say of themselves.
var applicationSources = []source{
	{title: "Kubernetes audit", when: "verb auditID", log: logOf("kubernetes", "audit", "application"), times: "requestReceivedTimestamp stageTimestamp @timestamp", names: kubernetesNames},
	{title: "Kubernetes audit, shortened", when: "verb objectRef.resource", log: logOf("kubernetes", "audit", "application"), times: "requestReceivedTimestamp stageTimestamp @timestamp", names: kubernetesNames},
	{title: "OpenCanary", when: "logtype node_id", log: logOf("opencanary", "", "application"), times: "utc_time local_time"},
	{title: "RPC Firewall", when: "EventLog=rpcfw", log: logOf("rpc_firewall", "", "application"), times: "@timestamp TimeCreated"},
}

var kubernetesNames = []alias{
	{from: "objectRef.apiGroup", to: "apiGroup"},
	{from: "requestObject.spec.volumes.hostPath.path", to: "hostPath"},
	{from: "requestObject.spec.template.spec.volumes.hostPath.path", to: "hostPath"},
	{from: "requestObject.spec.containers.securityContext.capabilities.add", to: "capabilities"},
	{from: "requestObject.spec.template.spec.containers.securityContext.capabilities.add", to: "capabilities"},
}

// networkSources are Zeek's logs, by the name of the log or by what only this one has.
var networkSources = []source{
	zeek("dns", "dns", "uid qtype_name", zeekDNS),
	zeek("http", "proxy webserver", "uid status_code method", zeekHTTP),
	zeek("dce_rpc", "", "uid endpoint operation", nil),
	zeek("smb_files", "", "uid action=smb::file_open|smb::file_rename|smb::file_delete|smb::file_read|smb::file_write|smb::file_close", nil),
	zeek("kerberos", "", "uid request_type=as|tgs", nil),
	zeek("rdp", "", "uid security_protocol", nil),
	zeek("x509", "", "certificate.serial certificate.subject", nil),
	zeek("conn", "firewall", "uid conn_state", zeekConnection),
	zeekByName("dns", "dns", zeekDNS),
	zeekByName("http", "proxy webserver", zeekHTTP),
	zeekByName("dce_rpc", "", nil),
	zeekByName("smb_files", "", nil),
	zeekByName("kerberos", "", nil),
	zeekByName("rdp", "", nil),
	zeekByName("x509", "", nil),
	zeekByName("conn", "firewall", zeekConnection),
	{title: "Zeek, other logs", when: "uid id.orig_h id.resp_h", log: logOf("zeek", "", ""), times: "ts"},
}

func zeek(log, categories, when string, names []alias) source {
	return source{title: "Zeek " + log, when: when, log: logOf("zeek", log, categories), times: "ts @timestamp", names: names}
}

func zeekByName(log, categories string, names []alias) source {
	return zeek(log, categories, "_path="+log, names)
}

var zeekDNS = []alias{
	{from: "answers", to: "answer"}, {from: "qtype_name", to: "record_type"}, {from: "id.orig_h", to: "src_ip"}, {from: "id.resp_h", to: "dst_ip"},
}

var zeekHTTP = []alias{
	{from: "uri", to: "c-uri"}, {from: "uri", to: "cs-uri"}, {from: "uri", to: "cs-uri-stem", as: beforeQuery},
	{from: "uri", to: "c-uri-stem", as: beforeQuery}, {from: "uri", to: "cs-uri-query", as: afterQuery},
	{from: "uri", to: "c-uri-query", as: afterQuery}, {from: "uri", to: "c-uri-extension", as: extension},
	{from: "user_agent", to: "c-useragent"}, {from: "user_agent", to: "cs-user-agent"}, {from: "method", to: "cs-method"},
	{from: "host", to: "cs-host"}, {from: "host", to: "r-dns"}, {from: "status_code", to: "sc-status"},
	{from: "referrer", to: "cs-referer"}, {from: "referrer", to: "cs-referrer"}, {from: "username", to: "cs-username"},
	{from: "id.orig_h", to: "c-ip"}, {from: "id.orig_h", to: "src_ip"}, {from: "id.resp_h", to: "dst_ip"},
}

var zeekConnection = []alias{
	{from: "id.orig_h", to: "src_ip"}, {from: "id.orig_p", to: "src_port"}, {from: "id.resp_h", to: "dst_ip"},
	{from: "id.resp_p", to: "dst_port"}, {from: "conn_state", to: "action"},
}

// webSources are access logs of web servers that write JSON: by the names of the servers' own variables, or by those of W3C.
var webSources = []source{
	{title: "Nginx", when: "remote_addr status request_uri", log: logOf("nginx", "nginx", "webserver"), times: "time_iso8601 time_local msec @timestamp time", names: nginxNames},
	{title: "Nginx, the request in one", when: "remote_addr status request http_user_agent", log: logOf("nginx", "nginx", "webserver"), times: "time_iso8601 time_local msec @timestamp time", names: nginxNames},
	{title: "Apache", when: "remoteIP request method status userAgent", log: logOf("apache", "apache", "webserver"), times: "time @timestamp", names: []alias{
		{from: "remoteIP", to: "c-ip"}, {from: "remoteIP", to: "src_ip"}, {from: "host", to: "cs-host"}, {from: "request", to: "cs-uri-stem"},
		{from: "query", to: "cs-uri-query", as: withoutMark}, {from: "method", to: "cs-method"}, {from: "status", to: "sc-status"},
		{from: "userAgent", to: "cs-user-agent"}, {from: "referer", to: "cs-referer"}, {from: "user", to: "cs-username"},
	}},
	{title: "Caddy", when: "request.method request.uri status", log: logOf("", "", "webserver"), times: "ts", names: []alias{
		{from: "request.remote_ip", to: "c-ip"}, {from: "request.remote_ip", to: "src_ip"}, {from: "request.host", to: "cs-host"},
		{from: "request.method", to: "cs-method"}, {from: "request.uri", to: "cs-uri"}, {from: "request.uri", to: "cs-uri-stem", as: beforeQuery},
		{from: "request.uri", to: "cs-uri-query", as: afterQuery}, {from: "status", to: "sc-status"},
		{from: "request.headers.User-Agent", to: "cs-user-agent"}, {from: "request.headers.Referer", to: "cs-referer"}, {from: "user_id", to: "cs-username"},
	}},
	{title: "Traefik", when: "RequestMethod RequestPath DownstreamStatus", log: logOf("", "", "webserver"), times: "time StartUTC", names: []alias{
		{from: "ClientHost", to: "c-ip"}, {from: "ClientHost", to: "src_ip"}, {from: "RequestHost", to: "cs-host"}, {from: "RequestMethod", to: "cs-method"},
		{from: "RequestPath", to: "cs-uri"}, {from: "RequestPath", to: "cs-uri-stem", as: beforeQuery}, {from: "RequestPath", to: "cs-uri-query", as: afterQuery},
		{from: "DownstreamStatus", to: "sc-status"}, {from: "request_User-Agent", to: "cs-user-agent"}, {from: "request_Referer", to: "cs-referer"},
		{from: "ClientUsername", to: "cs-username"},
	}},
	{title: "web servers in W3C's names", when: "cs-method cs-uri-stem", log: logOf("", "", "webserver"), times: "@timestamp timestamp time date"},
	{title: "proxies in W3C's names", when: "cs-method c-uri", log: logOf("", "", "proxy"), times: "@timestamp timestamp time date"},
}

var nginxNames = []alias{
	{from: "remote_addr", to: "c-ip"}, {from: "remote_addr", to: "src_ip"}, {from: "remote_user", to: "cs-username"},
	{from: "host", to: "cs-host"}, {from: "http_host", to: "cs-host"}, {from: "request_method", to: "cs-method"},
	{from: "request_uri", to: "cs-uri"}, {from: "request_uri", to: "cs-uri-stem", as: beforeQuery}, {from: "request_uri", to: "cs-uri-query", as: afterQuery},
	{from: "request", to: "cs-method", as: requestMethod}, {from: "request", to: "cs-uri", as: requestTarget},
	{from: "request", to: "cs-uri-stem", as: requestStem}, {from: "request", to: "cs-uri-query", as: requestQuery},
	{from: "status", to: "sc-status"}, {from: "body_bytes_sent", to: "sc-bytes"}, {from: "request_length", to: "cs-bytes"},
	{from: "http_user_agent", to: "cs-user-agent"}, {from: "http_referer", to: "cs-referer"}, {from: "http_cookie", to: "cs-cookie"},
}

// withoutMark is a query without the question mark that Apache writes before it.
func withoutMark(_ *Decoder, _ *Record, text []byte) []byte {
	return bytes.TrimPrefix(text, []byte("?"))
}

// requestMethod is the first word of a request: GET /x?y HTTP/1.1.
func requestMethod(_ *Decoder, _ *Record, text []byte) []byte {
	method, _, _ := bytes.Cut(text, []byte(" "))
	return method
}

// requestTarget is what a request asks for.
func requestTarget(_ *Decoder, _ *Record, text []byte) []byte {
	_, target, _ := bytes.Cut(text, []byte(" "))
	if end := bytes.LastIndex(target, []byte(" HTTP/")); end >= 0 {
		target = target[:end]
	}
	return target
}

func requestStem(d *Decoder, r *Record, text []byte) []byte {
	return beforeQuery(d, r, requestTarget(d, r, text))
}

func requestQuery(d *Decoder, r *Record, text []byte) []byte {
	return afterQuery(d, r, requestTarget(d, r, text))
}

// ecsSources are records in the words of the Elastic Common Schema, whoever wrote them.
func ecsSources() []source {
	sources := []source{
		ecs("web servers", "event.dataset=apache.access|nginx.access|iis.access|haproxy.http|traefik.access", logOf("", "", "webserver"), ecsWeb),
		ecs("proxies", "observer.type=proxy url.original", logOf("", "", "proxy"), ecsWeb),
		ecs("firewalls", "observer.type=firewall|ids|ips source.ip", logOf("", "", "firewall"), ecsFirewall),
	}
	for _, system := range []struct{ product, names string }{
		{"windows", "windows"}, {"macos", "macos|darwin"}, {"linux", "linux|ubuntu|debian|centos|rhel|suse|amzn|redhat"},
	} {
		for _, field := range []string{"host.os.type", "host.os.family", "host.os.platform"} {
			at := " " + field + "=" + system.names
			for _, row := range []struct {
				what, when, categories string
				names                  []alias
			}{
				{"processes", "event.category=process event.type=start|process_started process.executable", "process_creation", ecsProcess},
				{"processes that end", "event.category=process event.type=end process.executable", "process_termination", ecsProcess},
				{"images", "event.category=library dll.path", "image_load", ecsImage},
				{"drivers", "event.category=driver dll.path", "driver_load", ecsImage},
				{"registry, values set", "event.category=registry event.type=change registry.path", "registry_set registry_event", ecsRegistry},
				{"registry, keys made", "event.category=registry event.type=creation registry.path", "registry_add registry_event", ecsRegistry},
				{"registry, deletions", "event.category=registry event.type=deletion registry.path", "registry_delete registry_event", ecsRegistry},
				{"files deleted", "event.category=file event.type=deletion file.path", "file_delete", ecsFile},
				{"files renamed", "event.category=file event.action=rename file.path", "file_rename file_event", ecsFile},
				{"files opened", "event.category=file event.type=access file.path", "file_access", ecsFile},
				{"files", "event.category=file file.path", "file_event", ecsFile},
				{"DNS", "dns.question.name process.executable", "dns_query dns", ecsDNS},
				{"connections", "event.category=network destination.ip process.executable", "network_connection", ecsConnection},
			} {
				if system.product != "windows" && row.categories != "process_creation" && row.categories != "file_event" && row.categories != "network_connection" &&
					row.categories != "file_delete" && row.categories != "process_termination" {
					continue
				}
				sources = append(sources, ecs(row.what+" on "+system.product, row.when+at, logOf(system.product, "", row.categories), row.names))
			}
		}
	}
	return append(sources, ecs("DNS", "dns.question.name", logOf("", "", "dns"), ecsDNS))
}

func ecs(what, when string, log Log, names []alias) source {
	return source{title: "ECS: " + what, when: when, log: log, times: "@timestamp", names: names}
}

var ecsProcess = []alias{
	{from: "process.executable", to: "Image"}, {from: "process.command_line", to: "CommandLine"},
	{from: "process.parent.executable", to: "ParentImage"}, {from: "process.parent.command_line", to: "ParentCommandLine"},
	{from: "process.pe.original_file_name", to: "OriginalFileName"}, {from: "process.pe.description", to: "Description"},
	{from: "process.pe.product", to: "Product"}, {from: "process.pe.company", to: "Company"},
	{from: "process.pe.file_version", to: "FileVersion"}, {from: "process.pe.imphash", to: "imphash"},
	{from: "process.working_directory", to: "CurrentDirectory"}, {from: "process.pid", to: "ProcessId"},
	{from: "process.parent.pid", to: "ParentProcessId"}, {from: "process.Ext.token.integrity_level_name", to: "IntegrityLevel"},
	{from: "user.name", to: "User", as: ecsUser}, {from: "process.hash.md5", to: "md5"}, {from: "process.hash.sha1", to: "sha1"},
	{from: "process.hash.sha256", to: "sha256"}, {from: "process.hash.md5", to: "Hashes", as: hashCalled("MD5=")},
	{from: "process.hash.sha1", to: "Hashes", as: hashCalled("SHA1=")}, {from: "process.hash.sha256", to: "Hashes", as: hashCalled("SHA256=")},
}

// ecsUser is DOMAIN\name.
func ecsUser(d *Decoder, r *Record, text []byte) []byte {
	if domain := beside(r, "user.domain"); len(domain) > 0 {
		return d.write(domain, []byte(`\`), text)
	}
	return text
}

var ecsImage = []alias{
	{from: "dll.path", to: "ImageLoaded"}, {from: "process.executable", to: "Image"}, {from: "dll.pe.original_file_name", to: "OriginalFileName"},
	{from: "dll.pe.description", to: "Description"}, {from: "dll.pe.product", to: "Product"}, {from: "dll.pe.company", to: "Company"},
	{from: "dll.code_signature.exists", to: "Signed"}, {from: "dll.code_signature.subject_name", to: "Signature"},
	{from: "dll.code_signature.status", to: "SignatureStatus"}, {from: "dll.hash.sha256", to: "Hashes", as: hashCalled("SHA256=")},
	{from: "dll.hash.md5", to: "Hashes", as: hashCalled("MD5=")}, {from: "dll.hash.sha1", to: "Hashes", as: hashCalled("SHA1=")},
}

var ecsRegistry = []alias{
	{from: "registry.path", to: "TargetObject", as: ecsKey}, {from: "registry.data.strings", to: "Details"},
	{from: "process.executable", to: "Image"},
}

// ecsKey writes a key as Sysmon does: a short root.
func ecsKey(d *Decoder, _ *Record, text []byte) []byte {
	for _, h := range hives {
		if len(text) >= len(h.long) && string(text[:len(h.long)]) == h.long {
			return d.write([]byte(h.short), text[len(h.long):])
		}
	}
	return text
}

var ecsFile = []alias{
	{from: "file.path", to: "TargetFilename"}, {from: "file.path", to: "FileName"}, {from: "process.executable", to: "Image"},
	{from: "file.Ext.original.path", to: "SourceFilename"}, {from: "user.name", to: "User", as: ecsUser},
}

var ecsConnection = []alias{
	{from: "destination.ip", to: "DestinationIp"}, {from: "destination.port", to: "DestinationPort"},
	{from: "destination.domain", to: "DestinationHostname"}, {from: "source.ip", to: "SourceIp"}, {from: "source.port", to: "SourcePort"},
	{from: "network.transport", to: "Protocol"}, {from: "process.executable", to: "Image"},
	{from: "network.direction", to: "Initiated", as: ecsInitiated}, {from: "user.name", to: "User", as: ecsUser},
}

// ecsInitiated says whether the machine itself opened the connection.
func ecsInitiated(d *Decoder, _ *Record, text []byte) []byte {
	switch string(text) {
	case "egress", "outbound":
		return d.write([]byte("true"))
	case "ingress", "inbound":
		return d.write([]byte("false"))
	}
	return nil
}

var ecsDNS = []alias{
	{from: "dns.question.name", to: "QueryName"}, {from: "dns.question.name", to: "query"}, {from: "dns.answers.data", to: "answer"},
	{from: "dns.question.type", to: "record_type"}, {from: "process.executable", to: "Image"}, {from: "dns.answers.data", to: "QueryResults"},
}

var ecsWeb = []alias{
	{from: "url.original", to: "c-uri"}, {from: "url.original", to: "cs-uri"}, {from: "url.path", to: "cs-uri-stem"},
	{from: "url.path", to: "c-uri-stem"}, {from: "url.query", to: "cs-uri-query"}, {from: "url.query", to: "c-uri-query"},
	{from: "url.extension", to: "c-uri-extension"}, {from: "http.request.method", to: "cs-method"},
	{from: "http.response.status_code", to: "sc-status"}, {from: "user_agent.original", to: "cs-user-agent"},
	{from: "user_agent.original", to: "c-useragent"}, {from: "http.request.referrer", to: "cs-referer"},
	{from: "source.ip", to: "c-ip"}, {from: "source.ip", to: "src_ip"}, {from: "destination.ip", to: "dst_ip"},
	{from: "url.domain", to: "cs-host"}, {from: "url.domain", to: "r-dns"}, {from: "user.name", to: "cs-username"},
}

var ecsFirewall = []alias{
	{from: "source.ip", to: "src_ip"}, {from: "source.port", to: "src_port"}, {from: "destination.ip", to: "dst_ip"},
	{from: "destination.port", to: "dst_port"}, {from: "event.action", to: "action"}, {from: "user.name", to: "username"},
}
