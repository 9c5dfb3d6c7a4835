package watch

import (
	"slices"
	"strings"
)

// classes are all logs that records come from, by Class; the first is the unknown one. They are put together from the tables
// of the sources, so that a log exists when something reads it.
var classes = func() []Log {
	all := []Log{{}}
	add := func(l Log) {
		if !slices.ContainsFunc(all, l.same) {
			all = append(all, l)
		}
	}
	for _, c := range windowsChannels {
		add(c.log)
	}
	for _, e := range windowsEvents {
		add(e.log())
	}
	for _, s := range sources {
		add(s.log)
	}
	for _, l := range lineLogs {
		add(l)
	}
	return all
}()

// Logs are all logs that records come from. The place of each is its Class; the first is the unknown one.
func Logs() []Log { return slices.Clone(classes) }

// Log is what the class stands for.
func (c Class) Log() Log {
	if int(c) >= len(classes) {
		return Log{}
	}
	return classes[c]
}

// ClassOf is the class that stands for the log, or 0.
func ClassOf(l Log) Class {
	return Class(max(0, slices.IndexFunc(classes, l.same))) //nolint:gosec // a few hundred
}

func (l Log) same(other Log) bool {
	return l.Product == other.Product && l.Service == other.Service &&
		slices.Equal(l.Also, other.Also) && slices.Equal(l.Categories, other.Categories)
}

// logOf writes a Log in one line: product, services and categories, several divided by blanks.
func logOf(product, services, categories string) Log {
	l := Log{Product: product, Categories: strings.Fields(categories)}
	if s := strings.Fields(services); len(s) > 0 {
		l.Service, l.Also = s[0], s[1:]
	}
	return l
}

// lineLogs are the logs that come as lines of text and are read elsewhere in this package.
var lineLogs = []Log{
	logOf("", "", "webserver"),
	logOf("apache", "apache", "webserver"),
	logOf("apache", "apache", ""), // the error log
	logOf("nginx", "nginx", "webserver"),
	logOf("nginx", "nginx", ""),
	logOf("windows", "iis", "webserver"),
	logOf("", "", "proxy"),
	logOf("", "", "firewall"),
	logOf("", "", "dns"),
	logOf("", "", "antivirus"),
	logOf("", "", "database"),
	logOf("", "netflow", "firewall"),
	logOf("linux", "auditd", ""),
	logOf("linux", "auth", ""),
	logOf("linux", "clamav syslog", "antivirus"),
	logOf("linux", "cron syslog", ""),
	logOf("linux", "guacamole syslog", ""),
	logOf("linux", "sshd auth syslog", ""),
	logOf("linux", "sudo auth syslog", ""),
	logOf("linux", "syslog", ""),
	logOf("linux", "vsftpd syslog", ""),
	logOf("linux", "modsecurity", ""),
	logOf("cisco", "aaa syslog", ""),
	logOf("cisco", "bgp syslog", ""),
	logOf("cisco", "ldp syslog", ""),
	logOf("cisco", "syslog", ""),
	logOf("huawei", "bgp", ""),
	logOf("juniper", "bgp", ""),
	logOf("fortigate", "event", ""),
	logOf("fortigate", "traffic", "firewall"),
	logOf("fortios", "sslvpnd", ""),
	logOf("paloalto", "globalprotect", "appliance"),
	logOf("paloalto", "globalprotect", "file_event"),
	logOf("paloalto", "traffic", "firewall"),
}
