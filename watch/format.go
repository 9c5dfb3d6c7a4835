package watch

import "slices"

// Format is how events are written: what a reader must know before it can read one.
type Format uint8

// The formats. JSON covers every log that is written as JSON, whoever wrote it; Lines is any text nobody has described.
const (
	Unknown  Format = iota
	JSON            // one value an event, in any sequence of values
	EVTX            // Windows event log files; file readers give its records as JSON
	Syslog          // RFC 5424 and 3164; messages that are of a format below are read as that one
	Auditd          // Linux audit: type=SYSCALL msg=audit(...): ...
	Combined        // Apache's and Nginx's access logs, common and combined
	Ivanti          // the access logs of EPMM (MobileIron Core): combined with the times of the answer and the port
	W3C             // extended log files, of IIS for one: a #Fields line says what stands where
	Squid           // proxy access log, native format
	BIND            // query log of BIND
	Iptables        // kernel lines with IN= OUT= SRC= DST=
	KeyValue        // key=value, of FortiGate for one
	CSV             // with a header line
	CEF             // ArcSight
	LEEF            // QRadar
	Lines           // text; rules of keywords look at the whole line
)

// formats are the names of the formats as commands take them.
var formats = []string{
	"auto", "json", "evtx", "syslog", "auditd", "combined", "ivanti", "w3c", "squid", "bind", "iptables", "keyvalue", "csv",
	"cef", "leef", "lines",
}

// Formats are the names of all formats; the first is "auto", for Unknown.
func Formats() []string { return slices.Clone(formats) }

func (f Format) String() string { return formats[f] }

// FormatOf is the format of that name.
func FormatOf(name string) (Format, bool) {
	i := slices.Index(formats, name)
	return Format(max(i, 0)), i >= 0 //nolint:gosec // a few
}
