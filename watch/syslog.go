package watch

import (
	"bytes"
	"strings"
)

// syslogColumns are the head of a message, under the names of ECS and of those who came before.
var syslogColumns = []column{
	syslogPriority: "priority",
	syslogTime:     "syslog.timestamp",
	syslogHost:     "hostname host.name Computer",
	syslogProgram:  "program process.name appname app-name",
	syslogProcess:  "pid procid process.pid",
	syslogID:       "msgid",
	syslogMessage:  "message msg",
}

const (
	syslogPriority = iota
	syslogTime
	syslogHost
	syslogProgram
	syslogProcess
	syslogID
	syslogMessage
)

// programs say which log a program writes; all others write syslog.
var programs = func() map[string]Class {
	all := map[string]Class{}
	for _, row := range []struct {
		log   Log
		names string
	}{
		{logOf("linux", "sshd auth syslog", ""), "sshd sshd-session sshd-auth dropbear"},
		{logOf("linux", "sudo auth syslog", ""), "sudo"},
		{logOf("linux", "cron syslog", ""), "cron CRON crond CROND anacron atd crontab"},
		{logOf("linux", "auth", ""), "su login systemd-logind polkitd pkexec useradd usermod userdel groupadd groupmod groupdel passwd chpasswd chage gdm-password sssd pam_unix"},
		{logOf("linux", "clamav syslog", "antivirus"), "clamd clamav clamscan clamonacc freshclam"},
		{logOf("linux", "vsftpd syslog", ""), "vsftpd"},
		{logOf("linux", "guacamole syslog", ""), "guacd guacamole"},
		{logOf("linux", "modsecurity", ""), "modsecurity ModSecurity"},
		{logOf("linux", "auditd", ""), "audit auditd audispd audisp-syslog"},
		{logOf("apache", "apache", ""), "apache apache2 httpd"},
		{logOf("nginx", "nginx", ""), "nginx"},
		{logOf("fortios", "sslvpnd", ""), "sslvpnd"},
		{logOf("", "", "database"), "mysqld mariadbd postgres"},
	} {
		for _, name := range strings.Fields(row.names) {
			all[name] = ClassOf(row.log)
		}
	}
	return all
}()

// reads are the programs whose messages have a format of their own.
var reads = map[string]func(d *Decoder, message []byte, r *Record) bool{
	"kernel":        (*Decoder).kernel,
	"sudo":          (*Decoder).sudo,
	"audit":         (*Decoder).auditd,
	"auditd":        (*Decoder).auditd,
	"audispd":       (*Decoder).auditd,
	"audisp-syslog": (*Decoder).auditd,
	"named":         (*Decoder).bind,
	"dnsmasq":       (*Decoder).dnsmasq,
	"squid":         (*Decoder).squid,
	"nginx":         func(d *Decoder, m []byte, r *Record) bool { return d.weblog(m, r, classNginx) },
	"httpd":         func(d *Decoder, m []byte, r *Record) bool { return d.weblog(m, r, classApache) },
	"apache":        func(d *Decoder, m []byte, r *Record) bool { return d.weblog(m, r, classApache) },
	"apache2":       func(d *Decoder, m []byte, r *Record) bool { return d.weblog(m, r, classApache) },
}

// ciscoLogs are the logs of Cisco's routers, by the facility that a message names.
var ciscoLogs = map[string]Class{
	"AAA":       ClassOf(logOf("cisco", "aaa syslog", "")),
	"AAAA":      ClassOf(logOf("cisco", "aaa syslog", "")),
	"SEC_LOGIN": ClassOf(logOf("cisco", "aaa syslog", "")),
	"PARSER":    ClassOf(logOf("cisco", "aaa syslog", "")), // the commands that somebody typed
	"HA_EM":     ClassOf(logOf("cisco", "aaa syslog", "")),
	"BGP":       ClassOf(logOf("cisco", "bgp syslog", "")),
	"LDP":       ClassOf(logOf("cisco", "ldp syslog", "")),
	"":          ClassOf(logOf("cisco", "syslog", "")), // all others
}

// syslog reads RFC 5424 and RFC 3164, with and without priority; a message in a format that this package knows (CEF, LEEF,
// audit, access logs, key=value) is read as that.
//
//	<34>1 2025-05-15T03:00:07.123Z host.example sshd 4711 ID47 [id@32473 key="value"] Failed password
//	<34>May 15 03:00:07 host sshd[4711]: Failed password
func (d *Decoder) syslog(line []byte, r *Record) bool {
	to := d.lines.syslog
	rest := bytes.TrimPrefix(line, []byte("\ufeff"))
	if len(rest) > 2 && rest[0] == '<' {
		end := bytes.IndexByte(rest[:min(5, len(rest))], '>')
		if end < 2 || !allDigits(rest[1:end]) {
			return false
		}
		put(r, to[syslogPriority], rest[1:end])
		rest = rest[end+1:]
		if len(rest) > 2 && rest[0] == '1' && rest[1] == ' ' {
			return d.rfc5424(rest[2:], r)
		}
	}
	return d.rfc3164(rest, r)
}

func (d *Decoder) rfc5424(rest []byte, r *Record) bool {
	to := d.lines.syslog
	var head [5][]byte // time, host, program, process, message's ID
	for i := range head {
		end := bytes.IndexByte(rest, ' ')
		if end < 0 {
			if i < len(head)-1 || len(rest) == 0 {
				return false
			}
			end = len(rest)
		}
		head[i], rest = rest[:end], rest[min(end+1, len(rest)):]
	}
	if string(head[0]) != "-" {
		r.Time = head[0]
		put(r, to[syslogTime], head[0])
	}
	for i, text := range head[1:] {
		if string(text) != "-" {
			put(r, to[syslogHost+i], text)
		}
	}
	message, ok := d.structured(rest, r)
	if !ok {
		return false
	}
	message = bytes.TrimPrefix(message, []byte("\ufeff"))
	put(r, to[syslogMessage], message)
	d.message(head[2], message, r)
	return true
}

// structured reads the structured data and gives back the message behind it.
func (d *Decoder) structured(b []byte, r *Record) (message []byte, ok bool) {
	if len(b) == 0 || b[0] != '[' {
		return bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("-")), []byte(" ")), len(b) == 0 || b[0] == '-'
	}
	for len(b) > 0 && b[0] == '[' {
		i := 1
		for i < len(b) && b[i] != ' ' && b[i] != ']' { // the ID of the element
			i++
		}
		for i < len(b) && b[i] == ' ' {
			i++
			if i < len(b) && b[i] == ']' {
				break
			}
			n := bytes.IndexByte(b[i:], '=')
			if n < 0 || i+n+1 >= len(b) || b[i+n+1] != '"' {
				return nil, false
			}
			from := i + n + 2
			end := closingQuote(b, from, '"')
			d.keep(r, d.lines.network, b[i:i+n], d.unescaped(b[from:end], `"\]`))
			i = end + 1
		}
		if i >= len(b) || b[i] != ']' {
			return nil, false
		}
		b = b[i+1:]
	}
	return bytes.TrimPrefix(b, []byte(" ")), true
}

// rfc3164 reads what senders wrote before there was a standard, with times as they have them now.
func (d *Decoder) rfc3164(rest []byte, r *Record) bool {
	to := d.lines.syslog
	switch {
	case len(rest) > 15 && rest[3] == ' ' && rest[6] == ' ' && rest[9] == ':' && rest[12] == ':': // May 15 03:00:07
		end := 15
		if len(rest) > 20 && rest[15] == ' ' && allDigits(rest[16:20]) && rest[20] == ' ' { // and the year
			end = 20
		}
		r.Time = rest[:end]
	case len(rest) > 19 && rest[4] == '-' && rest[7] == '-' && rest[10] == 'T' && rest[13] == ':':
		end := bytes.IndexByte(rest[11:], ' ')
		if end < 0 {
			return false
		}
		r.Time = rest[:11+end]
	case value(r, "priority") != nil: // no time, but one of syslog all the same
	default:
		return false
	}
	if r.Time != nil {
		put(r, to[syslogTime], r.Time)
		rest = bytes.TrimLeft(rest[len(r.Time):], ": ")
		first, after := word(rest)
		if after != nil && !bytes.HasSuffix(first, []byte(":")) && (len(first) == 0 || first[0] != '%') {
			put(r, to[syslogHost], first)
			rest = after
		}
	}
	program, process, message := tag(rest)
	if program != nil {
		put(r, to[syslogProgram], program)
	}
	if process != nil {
		put(r, to[syslogProcess], process)
	}
	put(r, to[syslogMessage], message)
	d.message(program, message, r)
	return true
}

// tag divides "sshd[4711]: message"; a message without a tag is all message.
func tag(b []byte) (program, process, message []byte) {
	const longest = 64
	for i := 0; i < len(b) && i < longest; i++ {
		switch c := b[i]; c {
		case ':':
			if i+1 == len(b) || b[i+1] == ' ' {
				return b[:i], nil, bytes.TrimPrefix(b[i+1:], []byte(" "))
			}
		case '[':
			end := bytes.IndexByte(b[i:], ']')
			if i == 0 || end < 0 {
				return nil, nil, b
			}
			return b[:i], b[i+1 : i+end], bytes.TrimLeft(b[i+end+1:], ": ")
		case ' ', '|', '=':
			return nil, nil, b
		}
	}
	return nil, nil, b
}

// message reads what a program says, and with it which log it is.
func (d *Decoder) message(program, message []byte, r *Record) {
	program = program[bytes.LastIndexByte(program, '/')+1:] // postfix/smtpd
	sent := r.Time
	values := len(r.Values)
	if d.inner(program, message, r) {
		if r.Time == nil {
			r.Time = sent
		}
		return
	}
	r.Values, r.Time = r.Values[:values], sent
	r.Class = classSyslog
	if class, ok := programs[string(program)]; ok {
		r.Class = class
		return
	}
	for _, text := range [...][]byte{program, message} { // %SEC_LOGIN-5-LOGIN_SUCCESS: ...
		if at := bytes.Index(text, []byte("%")); at >= 0 && at < 64 {
			if facility, _, ok := bytes.Cut(text[at+1:], []byte("-")); ok && upper(facility) {
				if class, ok := ciscoLogs[string(facility)]; ok {
					r.Class = class
				} else {
					r.Class = ciscoLogs[""]
				}
				return
			}
		}
	}
}

// inner reads a message that is of another format.
func (d *Decoder) inner(program, message []byte, r *Record) bool {
	switch {
	case len(message) > 1 && message[0] == '{':
		return d.jsonMessage(message, r)
	case string(program) == "CEF", bytes.HasPrefix(message, []byte("CEF:")):
		if string(program) == "CEF" { // the tag of syslog has eaten it
			return d.cef(r.Raw, r)
		}
		return d.cef(message, r)
	case string(program) == "LEEF":
		return d.leef(r.Raw, r)
	case bytes.HasPrefix(message, []byte("LEEF:")):
		return d.leef(message, r)
	case bytes.HasPrefix(message, []byte("type=")) && bytes.Contains(message, []byte("msg=audit(")):
		return d.auditd(message, r)
	case bytes.Contains(message[:min(len(message), 200)], []byte("devid=")), bytes.Contains(message[:min(len(message), 200)], []byte("logid=")):
		return d.keyValue(message, r)
	}
	if len(message) > 24 && message[1] == ',' && message[21] == ',' {
		return d.panos(message, r)
	}
	if read, ok := reads[string(program)]; ok {
		return read(d, message, r)
	}
	return false
}

// jsonMessage reads a message that is one JSON object, as relays send the events of machines that write JSON. The head stays beside
// what the object says only where the object cannot be read.
func (d *Decoder) jsonMessage(message []byte, r *Record) bool {
	line := r.Raw
	d.head = append(d.head[:0], r.Values...)
	rest, err := d.JSON(message, r)
	r.Raw = line
	if err != nil || len(bytes.TrimSpace(rest)) > 0 {
		r.Values = append(r.Values[:0], d.head...)
		return false
	}
	return true
}

// kernel reads what the kernel says of packets and of audit.
func (d *Decoder) kernel(message []byte, r *Record) bool {
	if bytes.Contains(message, []byte("audit(")) {
		return d.auditd(message, r)
	}
	return d.iptables(message, r)
}

// sudoer is who asked; USER is who the command is run as.
var sudoer = []byte("sudo.user")

// sudo reads "alice : TTY=pts/0 ; PWD=/srv/alice ; USER=root ; COMMAND=/bin/ls -l".
func (d *Decoder) sudo(message []byte, r *Record) bool {
	who, rest, ok := bytes.Cut(message, []byte(" : "))
	if !ok {
		return false
	}
	r.Values = append(r.Values, Value{Field: d.names.Find(sudoer), Name: sudoer, Text: bytes.TrimSpace(who)})
	for more := true; more; {
		var pair []byte
		if bytes.HasPrefix(rest, []byte("COMMAND=")) { // the last, whatever stands in it
			pair, rest, more = rest, nil, false
		} else {
			pair, rest, more = bytes.Cut(rest, []byte(" ; "))
		}
		if key, text, ok := bytes.Cut(pair, []byte("=")); ok {
			d.keep(r, d.lines.sudo, key, text)
		}
	}
	r.Class = programs["sudo"]
	return true
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

func upper(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(b) > 1
}
