package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"

	"wardwatch/ward"
)

// Collect is the configuration of a collector: a program of its own, on a machine of an organisation, that sends what stands in files.
type Collect struct {
	// Watch is where events are taken in: https://watch.example:9200.
	Watch string `yaml:"watch"`
	// Token is the sender's; better in the environment, WARDWATCH_COLLECT_TOKEN. Without one TLS names the certificate that it shows.
	Token string `yaml:"token"`
	TLS   TLS    `yaml:"tls"`
	// CA is a PEM file of authorities that the watch's certificate may be of, beside the machine's.
	CA string `yaml:"ca"`
	// State is the folder that says how far each file was sent.
	State string `yaml:"state"`
	// MaxMB is how much of standard input may wait on disk, in megabytes.
	MaxMB int `yaml:"max_mb"`
	// Files are what is sent.
	Files []CollectFiles `yaml:"files"`
	// Stdin is the format of standard input, where that is sent too; empty: it is not.
	Stdin string `yaml:"stdin"`
}

// CollectFiles are files of one kind.
type CollectFiles struct {
	Path   string `yaml:"path"`   // pattern: /var/log/nginx/*.log
	Format string `yaml:"format"` // as wardwatch archive import takes it; json where it is left away
}

const collectPrefix = "WARDWATCH_COLLECT_"

// LoadCollect reads the configuration of a collector.
func LoadCollect(path string, formats []string) (Collect, error) {
	c := Collect{State: "collect", MaxMB: 1024, Files: []CollectFiles{}}
	err := load(path, collectPrefix, c, &c)
	if err == nil {
		err = c.check(formats)
	}
	if err != nil {
		return c, fmt.Errorf("config: %s: %w", cmp.Or(path, "environment"), err)
	}
	return c, nil
}

func (c Collect) check(formats []string) error {
	var wrong []error
	bad := func(field, problem, hint string) {
		wrong = append(wrong, &ward.Invalid{Field: field, Problem: problem, Hint: hint})
	}
	at, err := url.Parse(c.Watch)
	switch {
	case err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http":
		bad("watch", fmt.Sprintf("%q is no address", c.Watch), "write https://watch.example:9200")
	case at.Scheme == "http" && at.Hostname() != "localhost" && !isLoopback(at.Hostname()):
		bad("watch", "sends events in the clear to another machine", "write https://")
	}
	if c.Token == "" && c.TLS.Certificate == "" {
		bad("token", "is empty", "give a token (wardwatch sender add), or tls with a certificate and its key")
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		bad("tls", "names one file of two", "give both certificate and key, or neither")
	}
	if len(c.Files) == 0 && c.Stdin == "" {
		bad("files", "are none", "name what is to be sent: files: [{path: /var/log/nginx/*.log, format: combined}]")
	}
	known := func(field, format string) {
		if format != "" && !slices.Contains(formats, format) {
			bad(field, fmt.Sprintf("%q is not known", format), fmt.Sprint(formats))
		}
	}
	known("stdin", c.Stdin)
	for i, f := range c.Files {
		field := fmt.Sprintf("files[%d]", i)
		if _, err := filepath.Match(f.Path, ""); err != nil || f.Path == "" {
			bad(field+".path", fmt.Sprintf("%q is no pattern", f.Path), "write /var/log/nginx/*.log")
		}
		known(field+".format", f.Format)
	}
	if c.MaxMB < 32 {
		bad("max_mb", "is less than 32", "give what the disk can spare")
	}
	return errors.Join(wrong...)
}
