package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Ingest says where events are taken in. With no listener nothing is.
type Ingest struct {
	// HTTP takes NDJSON, _bulk, HEC and OTLP, from senders with a token or a certificate (wardwatch sender add).
	HTTP IngestHTTP `yaml:"http"`
	// Syslog are listeners.
	Syslog []Syslog `yaml:"syslog"`
	// Shards are how many streams organisations are spread over.
	Shards int `yaml:"shards"`
	// Bus is a NATS JetStream server elsewhere, in the place of the one in this process.
	Bus Bus `yaml:"bus"`
	// MaxGB is how much may wait on disk to be archived, in gigabytes; more is refused.
	MaxGB int `yaml:"max_gb"`
	// WaitingMB is how much of one organisation may wait in memory to be carried, in megabytes; more of it is turned away or made to wait.
	WaitingMB int `yaml:"waiting_mb"`
	// RedactNHSNumbers takes NHS numbers out of events before anything is kept.
	RedactNHSNumbers bool `yaml:"redact_nhs_numbers"`
}

// Bus is a server, or a cluster, that carries events.
type Bus struct {
	URL         string `yaml:"url"`         // nats://HOST:PORT or tls://HOST:PORT, several with commas; empty: in this process
	Credentials string `yaml:"credentials"` // file that it gives its users
	CA          string `yaml:"ca"`          // PEM file, where it is not one of the machine's authorities
	Prefix      string `yaml:"prefix"`      // before the names of streams; empty: wardwatch
	Replicas    int    `yaml:"replicas"`    // of each stream in a cluster; 1
}

// IngestHTTP is the listener for events over HTTP.
type IngestHTTP struct {
	Listen string `yaml:"listen"` // HOST:PORT; empty: none
	TLS    TLS    `yaml:"tls"`
}

// Syslog is one listener.
type Syslog struct {
	Name      string `yaml:"name"`
	Listen    string `yaml:"listen"`    // HOST:PORT
	Transport string `yaml:"transport"` // udp, tcp or tls
	TLS       TLS    `yaml:"tls"`       // of transport tls
	// Organisation and Networks bind a listener that asks for no certificate: whose events these are, and where they may come from.
	Organisation string   `yaml:"organisation"`
	Networks     []string `yaml:"networks"`
}

// Archive says how events are kept.
type Archive struct {
	// Folder holds the blocks; empty: archive in the data directory.
	Folder string `yaml:"folder"`
	// CutAfter is how long events wait at most until they are in a block and a hunt finds them.
	CutAfter time.Duration `yaml:"cut_after"`
	// S3 holds the blocks, in the place of the folder, which is still where they grow.
	S3 S3 `yaml:"s3"`
	// Keep says how long events are kept. The one that names the organisation counts before the one that names the kind. Events of
	// which nothing is said are kept for ever.
	Keep []Keep `yaml:"keep"`
}

// S3 is a bucket at a server that speaks S3.
type S3 struct {
	Endpoint string `yaml:"endpoint"` // HOST or HOST:PORT; empty: none
	Region   string `yaml:"region"`   // empty: the server is asked
	Bucket   string `yaml:"bucket"`   // it exists already
	Prefix   string `yaml:"prefix"`   // before every name, with its slash
	Key      string `yaml:"key"`      // better in the environment, WARDWATCH_ARCHIVE__S3__KEY
	Secret   string `yaml:"secret"`   // better in the environment, WARDWATCH_ARCHIVE__S3__SECRET
	Plain    bool   `yaml:"plain"`    // without TLS: only to a server on this machine
}

// Keep is how long events are kept since they happened and came.
type Keep struct {
	Organisation string `yaml:"organisation"` // code; empty: all
	Kind         string `yaml:"kind"`         // product, service or category of the log, as rules name it: windows, sshd, webserver; empty: all
	Days         int    `yaml:"days"`
	Purpose      string `yaml:"purpose"` // what for, in words; stands in the record of what was deleted
}

// Detect says what events are held against as they come.
type Detect struct {
	Rules      []string `yaml:"rules"`      // folders or files of Sigma rules; none: the starter rules
	Lists      []string `yaml:"lists"`      // files and folders of value lists, for rules that ask for them
	Indicators []string `yaml:"indicators"` // files
}

func defaultIngest() Ingest {
	return Ingest{Syslog: []Syslog{}, Shards: 1, MaxGB: 8, WaitingMB: 32, RedactNHSNumbers: true}
}

// On says whether events are taken in at all.
func (i Ingest) On() bool { return i.HTTP.Listen != "" || len(i.Syslog) > 0 }

func (i Ingest) check(bad func(field, problem, hint string)) {
	if i.Shards < 1 || i.Shards > 64 {
		bad("ingest.shards", fmt.Sprintf("%d is not between 1 and 64", i.Shards), "one for each core that reads is enough")
	}
	if i.Bus.URL != "" && (i.Bus.Replicas < 0 || i.Bus.Replicas > 5) {
		bad("ingest.bus.replicas", fmt.Sprintf("%d is not between 1 and 5", i.Bus.Replicas), "3 is usual in a cluster")
	}
	if i.WaitingMB < 1 || i.WaitingMB > 1024 {
		bad("ingest.waiting_mb", fmt.Sprintf("%d is not between 1 and 1024", i.WaitingMB), "32 is usual")
	}
	if i.MaxGB < 1 {
		bad("ingest.max_gb", "is less than 1", "give what the disk can spare")
	}
	if _, _, err := net.SplitHostPort(i.HTTP.Listen); i.HTTP.Listen != "" && err != nil {
		bad("ingest.http.listen", fmt.Sprintf("%q is not an address", i.HTTP.Listen), "write host:port, such as 0.0.0.0:9200")
	}
	if (i.HTTP.TLS.Certificate == "") != (i.HTTP.TLS.Key == "") {
		bad("ingest.http.tls", "names one file of two", "give both certificate and key, or neither")
	}
	names := map[string]bool{}
	for n, s := range i.Syslog {
		field := fmt.Sprintf("ingest.syslog[%d]", n)
		if s.Name == "" || names[s.Name] {
			bad(field+".name", "is empty, or another's", "name each listener")
		}
		names[s.Name] = true
		if _, _, err := net.SplitHostPort(s.Listen); err != nil {
			bad(field+".listen", fmt.Sprintf("%q is not an address", s.Listen), "write host:port, such as 0.0.0.0:6514")
		}
		if !slices.Contains([]string{"udp", "tcp", "tls"}, s.Transport) {
			bad(field+".transport", fmt.Sprintf("%q is not known", s.Transport), "udp, tcp or tls")
		}
		if s.Transport == "tls" && (s.TLS.Certificate == "" || s.TLS.Key == "") {
			bad(field+".tls", "lacks a file", "give the server's certificate and key")
		}
		if s.Transport != "tls" && (s.Organisation == "" || len(s.Networks) == 0) {
			bad(field, "is bound to nobody", "without certificates, give the organisation and the networks that its senders are in")
		}
		for _, network := range s.Networks {
			if _, err := netip.ParsePrefix(network); err != nil {
				bad(field+".networks", fmt.Sprintf("%q is no range of addresses", network), "write 10.1.2.0/24")
			}
		}
	}
}

func (a Archive) check(bad func(field, problem, hint string)) {
	if a.S3.Endpoint != "" && (a.S3.Bucket == "" || a.S3.Key == "" || a.S3.Secret == "") {
		bad("archive.s3", "lacks bucket, key or secret", "give all three; key and secret may stand in the environment")
	}
	if host, _, _ := net.SplitHostPort(a.S3.Endpoint); a.S3.Plain && host != "localhost" && !isLoopback(host) {
		bad("archive.s3.plain", "sends events in the clear to another machine", "leave it away, and give the server a certificate")
	}
	for i, k := range a.Keep {
		if k.Days < 1 || k.Days > 36500 {
			bad(fmt.Sprintf("archive.keep[%d].days", i), fmt.Sprintf("%d is not between 1 and 36500", k.Days), "leave the entry away to keep events for ever")
		}
	}
	if a.CutAfter < 100*time.Millisecond || a.CutAfter > time.Hour {
		bad("archive.cut_after", fmt.Sprintf("%v is not between 100ms and 1h", a.CutAfter), "60s is usual: shorter makes more and smaller blocks")
	}
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
